"""Leave: taken, ended, and everybody told whom it concerns: the stand-in, or the office without one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from handlers.chat.outbound import Content
from handlers.domain.errors import BadInput
from handlers.domain.people import Leave, Person, Role, Shift
from handlers.domain.ticket import LIVE, Ticket
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import leaves as say

# Whoever firms and tickets wait for.
_ANSWERS: Final = frozenset({Role.LIAISON, Role.LEADER})
_LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Away:
    """What a leave means: who stands in, what is in hand, and shifts that nobody would stand."""

    leave: Leave
    stand_in: Person | None
    tickets: tuple[Ticket, ...] = ()
    shifts: tuple[Shift, ...] = ()


class LeaveService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    def take(self, person: Person, start: datetime, until: datetime, by: Person | None) -> Away:
        """Enter a leave; one that touches another of the same person becomes one with it."""
        now = self._clock.now()
        start, until = (t.astimezone(now.tzinfo) for t in (start, until))
        if until <= start or until <= now:
            raise BadInput("until_past")
        if until - start > _LONGEST:
            raise BadInput("until_too_far", days=_LONGEST.days)
        people = self._work.people
        leave = Leave(person.id, start, until)
        for other in people.leaves(person.id):
            if other.starts_at <= start and until <= other.ends_at:
                return self._away(person, other)
            if other.starts_at <= leave.ends_at and leave.starts_at <= other.ends_at:
                people.drop_leave(other)
                leave = replace(
                    leave,
                    starts_at=min(leave.starts_at, other.starts_at),
                    ends_at=max(leave.ends_at, other.ends_at),
                )
        people.add_leave(leave)
        facts = {"from": leave.starts_at.isoformat(), "until": leave.ends_at.isoformat()}
        actor = "system" if by is None else by.id
        self._work.audit.add(now, actor, "leave.taken", person.id, facts)
        away = self._away(person, leave)
        self._tell(person, away, by)
        return away

    def _away(self, person: Person, leave: Leave) -> Away:
        now = self._clock.now()
        people = self._work.people
        stand_in = people.stand_in(person.id, max(leave.starts_at, now))
        tickets = self._work.tickets.handled_by(person.id, LIVE)
        shifts = tuple(
            s
            for s in people.shifts()
            if s.person_id == person.id
            and s.starts_at < leave.ends_at
            and leave.starts_at < s.ends_at
        )
        return Away(leave, stand_in, tickets, shifts)

    def _tell(self, person: Person, away: Away, by: Person | None) -> None:
        now = self._clock.now()
        leave = away.leave
        if by is None or by.id != person.id:
            self._send(person, say.told_self(leave, away.stand_in, now), leave)
        if away.stand_in is not None:
            told = say.told_stand_in(person, leave, away.tickets, now)
            self._send(away.stand_in, told, leave)
        duty = self._work.people.duty_person()
        nobody = away.stand_in is None and person.role in _ANSWERS
        if duty is not None and (by is None or by.id != duty.id) and (nobody or away.shifts):
            told = say.told_office(person, leave, nobody, len(away.tickets), away.shifts, now)
            self._send(duty, told, leave)

    def _send(self, person: Person, told: str, leave: Leave) -> None:
        what = f"{leave.person_id}:{leave.starts_at.isoformat()}:{leave.ends_at.isoformat()}"
        self._work.outbox.put(
            Outgoing(Content(told), person=person.id, dedupe_key=f"leave:{what}:{person.id}")
        )

    def end(self, person: Person, by: Person) -> Leave | None:
        """Back at work: the leave of now ends now, else the next one is called off.

        None where only the mark of the people file is taken away; raises BadInput('leave_none').
        """
        now = self._clock.now()
        people = self._work.people
        coming = sorted(
            (x for x in people.leaves(person.id) if x.ends_at > now), key=lambda x: x.starts_at
        )
        if not coming and not person.on_leave:
            raise BadInput("leave_none")
        at = max(coming[0].starts_at, now) if coming else now
        stand_in = people.stand_in(person.id, at)
        if person.on_leave:
            people.save_person(replace(person, on_leave=False))
        ended = coming[0] if coming and (coming[0].holds(now) or not person.on_leave) else None
        if ended is not None:
            people.drop_leave(ended)
            if ended.starts_at < now:
                people.add_leave(replace(ended, ends_at=now))
        self._work.audit.add(now, by.id, "leave.ended", person.id, {})
        if stand_in is not None and stand_in.id != by.id:
            told = say.told_back(person)
            key = f"back:{person.id}:{now.isoformat()}:{stand_in.id}"
            self._work.outbox.put(Outgoing(Content(told), person=stand_in.id, dedupe_key=key))
        return ended

    def coming(self, until: datetime) -> tuple[tuple[Person, Leave | None], ...]:
        """Who is or will be away until then, by time; None for an open end."""
        now = self._clock.now()
        people = self._work.people
        found: list[tuple[Person, Leave | None]] = [
            (p, None) for p in people.people() if p.is_staff and p.active and p.on_leave
        ]
        for leave in sorted(people.leaves(), key=lambda x: (x.starts_at, x.person_id)):
            person = people.person(leave.person_id)
            if person is not None and person.active and now < leave.ends_at:
                if leave.starts_at < until:
                    found.append((person, leave))
        return tuple(found)
