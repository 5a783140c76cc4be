"""A platform's connection was lost to somebody else, or was down for long: who must know is told."""

from datetime import datetime, timedelta
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.notices import opens_at
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import lines as say

# A restart or a short fault is no reason to speak in a group.
_LONG: Final = timedelta(minutes=10)
# Whoever still needs something has said it again by then.
_STALE: Final = timedelta(hours=12)


class LineAlarm:
    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def taken_over(self, name: str, title: str) -> None:
        """Whoever is on duty is told at once; without anybody on duty the audit log alone knows."""
        now = self._clock.now()
        self._work.audit.add(now, "system", "line.taken_over", name, {})
        duty = self._work.people.duty_person()
        if duty is not None:
            content = Content(say.taken_over(title), kind=Kind.ESCALATION)
            key = f"line:{name}:{now.isoformat()}"
            self._work.outbox.put(
                Outgoing(content, person=duty.id, priority=Priority.URGENT, dedupe_key=key)
            )

    def back(self, platform: str, name: str, since: datetime, until: datetime) -> bool:
        """It hears again and keeps nothing of what was said meanwhile: the groups are told once.

        Whether anything is told; nothing is after a short while.
        """
        if until - since < _LONG:
            return False
        now = self._clock.now()
        minutes = int((until - since).total_seconds() // 60)
        self._work.audit.add(now, "system", "line.was_away", name, {"minutes": minutes})
        opens = opens_at(now, self._work.office.policy())
        for chat in self._work.chats.chats():
            if chat.platform != platform or chat.kind != ChatKind.GROUP or chat.archived_at:
                continue
            self._work.outbox.put(
                Outgoing(
                    Content(say.was_away(since, until)),
                    chat=ChatRef(platform, chat.id),
                    priority=Priority.REPLY,
                    dedupe_key=f"away:{name}:{since.isoformat()}:{chat.id}",
                    not_before=opens,
                    not_after=opens + _STALE,
                )
            )
        return True
