"""What announcements need of the store: drafts, frozen targets, files, and how the sending goes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.chat.attachments import TicketFile
from handlers.chat.events import Attachment, ChatRef
from handlers.domain.announcement import (
    Announcement,
    AnnouncementId,
    Progress,
    ReadBy,
    State,
    Target,
)
from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.ports.sent import SentMessage


@dataclass(frozen=True, slots=True)
class AnnouncementFile:
    """A file that goes with an announcement; its content is asked for by its id.

    `digest` is the same for the same bytes.
    """

    id: int
    name: str
    content_type: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class StillSending:
    """A row of an announcement is true while that is sent; `any_hour`: it does not wait for morning."""

    announcement: AnnouncementId
    round: int
    any_hour: bool = False


def any_hour(still: object) -> bool:
    """Whether a row need not wait for the sending hours."""
    return isinstance(still, StillSending) and still.any_hour


@dataclass(frozen=True, slots=True)
class Upload:
    """What came in for a draft, or will never come."""

    announcement: AnnouncementId
    person_id: PersonId
    chat: ChatRef
    file: TicketFile
    digest: str | None


class AnnouncementStore(Protocol):
    def next_id(self) -> AnnouncementId: ...
    def add(self, announcement: Announcement) -> None: ...
    def save(self, announcement: Announcement) -> None:
        """Raises WrongState unless the row is at `announcement.version - 1`."""
        ...

    def get(self, number: AnnouncementId) -> Announcement | None: ...
    def why_not(self, still: StillSending) -> str:
        """Why a row of an announcement must not go any more; empty while it may."""
        ...

    def page(
        self, limit: int, before: int | None, states: Collection[State] = ()
    ) -> tuple[Announcement, ...]:
        """Newest first."""
        ...

    def busy(self) -> tuple[Announcement, ...]:
        """Those that are being sent."""
        ...

    def correction_of(self, number: AnnouncementId) -> Announcement | None:
        """The newest one that was sent to put this one right."""
        ...

    def over(self, now: datetime) -> tuple[Announcement, ...]:
        """Those that have ended by their own date and were not yet put away."""
        ...

    def next_at(self) -> datetime | None:
        """When the next batch is due."""
        ...

    def beat(self, number: AnnouncementId, seen: datetime, next_at: datetime | None) -> None:
        """The sending is alive; no move."""
        ...

    def interested(
        self, categories: Collection[Category], since: datetime
    ) -> Mapping[Category, frozenset[EnterpriseId]]:
        """Firms that told of a problem of these categories."""
        ...

    # ---- targets

    def freeze(self, number: AnnouncementId, round_: int, targets: Sequence[Target]) -> None: ...
    def targets(self, number: AnnouncementId, round_: int) -> tuple[Target, ...]:
        """As they stand now, by their outbox rows; in the order of the firms."""
        ...

    def target(self, number: AnnouncementId, round_: int, firm: EnterpriseId) -> Target | None: ...
    def unqueued(
        self, number: AnnouncementId, round_: int, limit: int
    ) -> tuple[tuple[Target, ...], bool]:
        """The next targets without a row, and whether there are more behind them."""
        ...

    def queued(
        self,
        number: AnnouncementId,
        round_: int,
        firm: EnterpriseId,
        direct: int | None,
        group: int | None,
    ) -> None:
        """Note a target's outbox rows."""
        ...

    def skip(self, number: AnnouncementId, round_: int, firm: EnterpriseId, why: str) -> None: ...
    def settle(self, number: AnnouncementId, round_: int) -> None:
        """Write down what became of each target; what has no row yet is skipped."""
        ...

    def read(
        self, number: AnnouncementId, round_: int, firm: EnterpriseId, at: datetime, by: ReadBy
    ) -> bool:
        """Note the firm's first reading; False where it is no target or has read before."""
        ...

    def nudged(self, number: AnnouncementId, round_: int, firm: EnterpriseId, at: datetime) -> bool:
        """Note the one second push; False where there was one."""
        ...

    def row_of(self, key: str) -> int | None:
        """The outbox row that was put under a key."""
        ...

    def spoken(self, number: AnnouncementId, round_: int) -> tuple[SentMessage, ...]:
        """What of a round went out or is going: cards in groups and to firms, second pushes."""
        ...

    def group_chats(self, number: AnnouncementId, round_: int) -> tuple[ChatRef, ...]: ...
    def of_sent(self, platform: str, message_ref: str) -> AnnouncementId | None:
        """The announcement of a message that the bot sent."""
        ...

    def shown_by(self, platform: str, message_ref: str) -> tuple[AnnouncementId, int] | None:
        """The announcement and the round that a message of the bot showed.

        A second push is none: it says that there is one, and shows nothing of it.
        """
        ...

    def told_by(self, row_id: int) -> tuple[AnnouncementId, int] | None:
        """As `shown_by`, by the row in the outbox."""
        ...

    def open_for(self, firm: EnterpriseId, since: datetime) -> tuple[Announcement, ...]:
        """What was lately sent to a firm and is not read, newest first."""
        ...

    def unread_counts(self, since: datetime) -> tuple[tuple[Announcement, Progress], ...]:
        """Lately sent ones that ask for a receipt and lack some."""
        ...

    # ---- rows in the outbox

    def hold(self, number: AnnouncementId) -> None:
        """What has not gone waits until it is released."""
        ...

    def release(self, number: AnnouncementId) -> None: ...
    def drop(self, number: AnnouncementId, why: str) -> None:
        """What has not gone never goes."""
        ...

    # ---- files

    def add_file(
        self, number: AnnouncementId, name: str, content_type: str, digest: str
    ) -> AnnouncementFile:
        """A kept file goes with it."""
        ...

    def files(self, number: AnnouncementId) -> tuple[AnnouncementFile, ...]: ...
    def file_body(self, number: AnnouncementId, file_id: int) -> bytes | None: ...
    def drop_file(self, number: AnnouncementId, file_id: int) -> bool: ...
    def upload(
        self, number: AnnouncementId, by: PersonId, chat: ChatRef, sent: Sequence[Attachment]
    ) -> int:
        """Keep what was sent along for a draft in a chat; how much of it can be kept at all."""
        ...

    def uploading(self, number: AnnouncementId) -> int:
        """How many are still on their way."""
        ...

    def uploaded(self) -> tuple[Upload, ...]:
        """What came or was lost and is not settled; what was sent together comes together."""
        ...

    def settle_upload(self, upload: Upload) -> bool:
        """False where somebody was quicker."""
        ...
