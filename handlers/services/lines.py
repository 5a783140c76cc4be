"""A platform's connection to us was lost to somebody else: the office is told."""

from handlers.chat.outbound import Content, Kind, Priority
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import lines as say


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
