"""The files of an announcement: each a message of its own, after the one that told of them.

They are put when that one has arrived, so that they stand behind it, go where it went and not at
all where it did not. They belong to the same notice: the caps do not count them again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from handlers.chat.outbound import Address, Content, Enclosure, Priority
from handlers.domain.announcement import Announcement
from handlers.domain.notices import closes_at, opens_at
from handlers.ports import Outgoing, StillSending, Work
from handlers.ports.announcements import AnnouncementFile

# A chat that is full of files is read by nobody; the page has them all.
MOST: Final = 3


class Enclosing:
    def __init__(self, work: Work, now: datetime) -> None:
        self._work = work
        self._now = now

    def follow(
        self, row_id: int, to: Address, still: StillSending, takes: Callable[[Enclosure], bool]
    ) -> int:
        """What goes to `to` after this row; how many of its files the platform does not take."""
        store = self._work.announcements
        # A second push says that there is one; it shows nothing of it.
        told = store.told_by(row_id)
        files = [] if told is None else [(f, _enclosure(f)) for f in store.files(told[0])]
        made = store.get(still.announcement) if files else None
        if made is None or store.why_not(still):
            return 0
        good = [(file, enclosed) for file, enclosed in files if takes(enclosed)]
        for file, enclosed in good[:MOST]:
            self._put(made, still, to, file, enclosed)
        return len(files) - len(good)

    def _put(
        self,
        made: Announcement,
        still: StillSending,
        to: Address,
        file: AnnouncementFile,
        enclosed: Enclosure,
    ) -> None:
        policy = self._work.office.policy()
        opening = self._now if still.any_hour else opens_at(self._now, policy)
        # What has not come by the evening does not come in the night: the page has it.
        ends = None if still.any_hour else closes_at(opening, policy)
        known = [at for at in (ends, made.valid_until) if at is not None]
        where = f"{to.chat.platform}:{to.chat.id}"
        self._work.outbox.put(
            Outgoing(
                Content.enclosing(enclosed),
                chat=to.chat,
                chat_kind=to.kind,
                priority=Priority.FILE,
                dedupe_key=f"announcement:{made.id}:{still.round}:file:{file.id}:{where}",
                not_before=None if opening <= self._now else opening,
                not_after=min(known, default=None),
                still=still,
            )
        )


def _enclosure(file: AnnouncementFile) -> Enclosure:
    return Enclosure(file.digest, file.name, file.content_type, file.size)
