"""The rota: who is on duty when, changed by the office, by chat or from a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.chat.outbound import Content
from handlers.domain.errors import BadInput
from handlers.domain.people import OFFICE_ROLES, Person, Shift
from handlers.domain.rota import RotaRow, duty_days, replaced
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import leaves as say


@dataclass(frozen=True, slots=True)
class Taken:
    """What a rota file did: shifts that changed, lines that said what holds already, lines refused."""

    changed: int
    unchanged: int
    rejected: tuple[tuple[int, str, str], ...]


class DutyService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    def put(
        self, person: Person, start: datetime, until: datetime, by: str, tell: bool = True
    ) -> bool:
        """Put somebody of the office on the rota; False where it says so already."""
        now = self._clock.now()
        start, until = (t.astimezone(now.tzinfo) for t in (start, until))
        if person.role not in OFFICE_ROLES:
            # Whoever stands in for the desk decides what only the office may decide.
            raise BadInput("duty_office", name=person.name)
        if until <= start or until <= now:
            raise BadInput("until_past")
        people = self._work.people
        dropped, added = replaced(people.shifts(), Shift(person.id, start, until))
        for shift in dropped:
            people.drop_shift(shift)
        for shift in added:
            people.add_shift(shift)
        if not added:
            return False
        facts = {"from": start.isoformat(), "until": until.isoformat()}
        self._work.audit.add(now, by, "duty.changed", person.id, facts)
        if tell and by != person.id:
            self._tell(person, [(start, until)])
        return True

    def _tell(self, person: Person, spans: Sequence[tuple[datetime, datetime]]) -> None:
        now = self._clock.now()
        key = f"duty:{person.id}:{spans[0][0].isoformat()}:{len(spans)}:{now.isoformat()}"
        told = say.told_duty(spans, now)
        self._work.outbox.put(Outgoing(Content(told), person=person.id, dedupe_key=key))

    def days(self, start: datetime, until: datetime) -> tuple[datetime, datetime]:
        """Whole days as shifts: from the hand-over of the first to that after the last."""
        begins = self._work.office.policy().duty_from
        last = (until - timedelta(microseconds=1)).date()
        return duty_days(start.date(), last, begins, self._calendar)

    def take(self, rows: Sequence[RotaRow], by: str) -> Taken:
        """Bring the rota to what a file says; the same file twice changes nothing."""
        changed = unchanged = 0
        news: dict[Person, list[tuple[datetime, datetime]]] = {}
        rejected: list[tuple[int, str, str]] = []
        begins = self._work.office.policy().duty_from
        for row in rows:
            if row.start is None or row.end is None:
                rejected.append((row.row, row.name, "date"))
                continue
            named = [p for p in self._work.people.by_name(row.name) if p.is_staff]
            exact = [p for p in named if row.name in (p.name, p.id)] or named
            if len(exact) != 1:
                rejected.append((row.row, row.name, "person"))
                continue
            first, last = duty_days(row.start, row.end, begins, self._calendar)
            if isinstance(row.start, datetime):
                first = row.start.replace(tzinfo=self._calendar.zone)
            if isinstance(row.end, datetime):
                last = row.end.replace(tzinfo=self._calendar.zone)
            try:
                done = self.put(exact[0], first, last, by, tell=False)
            except BadInput as refusal:
                rejected.append((row.row, row.name, refusal.reason))
                continue
            changed, unchanged = changed + done, unchanged + (not done)
            if done:
                news.setdefault(exact[0], []).append((first, last))
        for person, spans in news.items():
            self._tell(person, spans)
        return Taken(changed, unchanged, tuple(rejected))
