"""Reminders that people set: kept as rows, sent privately to whom they are for, cancelled by number."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import PersonId
from handlers.domain.people import OFFICE_ROLES, Person, Role
from handlers.domain.schedule import Rule, Schedule, ScheduleKind, next_after, parse
from handlers.domain.ticket import ENDED, Ticket, may_read, parts_of
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import reminders as say


class Audience(StrEnum):
    """Whom a reminder may be for besides people by name."""

    ME = "me"
    LIAISONS = "liaisons"
    LEADERS = "leaders"
    GRID_CHIEFS = "grid_chiefs"
    OFFICE = "office"


_MANY: Final = {
    Audience.LIAISONS: frozenset({Role.LIAISON}),
    Audience.LEADERS: frozenset({Role.LEADER}),
    Audience.GRID_CHIEFS: frozenset({Role.GRID_CHIEF}),
    Audience.OFFICE: OFFICE_ROLES,
}
# Who may remind a whole group of colleagues.
_MAY_CALL: Final = OFFICE_ROLES | {Role.LEADER, Role.AREA_HEAD}


class Reminding:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    # ---- setting and cancelling

    def set(
        self, by: Person, rule: Rule, audience: tuple[str, ...], text: str, ticket: Ticket | None
    ) -> Schedule:
        """Keep a reminder; raises BadInput for a time that is past or at rest, or too many."""
        now = self._clock.now()
        policy = self._work.office.policy()
        following = next_after(rule, now, self._calendar)
        if following is None:
            raise BadInput("until_past")
        clock = following.astimezone(self._calendar.zone).time()
        if not policy.notices_from <= clock < policy.notices_until:
            raise BadInput(
                "remind_hours",
                since=f"{policy.notices_from:%H:%M}",
                until=f"{policy.notices_until:%H:%M}",
            )
        if any(a in set(_MANY) for a in audience) and by.role not in _MAY_CALL:
            raise BadInput("remind_many")
        if len(self._work.schedules.of_person(by.id)) >= policy.reminders_most:
            raise BadInput("remind_most", limit=policy.reminders_most)
        number = self._work.schedules.next_number()
        schedule = Schedule(
            f"reminder:{number}",
            ScheduleKind.REMINDER,
            str(rule),
            following,
            policy.reminder_late if rule.repeats else policy.reminder_late_once,
            now,
            by.id,
            audience=audience,
            text=text,
            ticket=None if ticket is None else ticket.number,
        )
        self._work.schedules.add(schedule)
        facts = {"rule": schedule.rule, "audience": list(audience)}
        self._work.audit.add(now, by.id, "reminder.set", schedule.key, facts)
        return schedule

    def of(self, person: Person) -> tuple[Schedule, ...]:
        """What somebody set and is still to come."""
        return self._work.schedules.of_person(person.id)

    def cancel(self, by: Person, number: int) -> Schedule:
        """End a reminder: one's own, or the office anybody's; raises NoSuch."""
        schedule = self._work.schedules.get(f"reminder:{number}")
        if (
            schedule is None
            or schedule.next_at is None
            or (schedule.created_by != by.id and not by.is_office)
        ):
            raise NoSuch("reminder", number)
        self._end(schedule, by.id)
        return schedule

    def _end(self, schedule: Schedule, by: str) -> None:
        self._work.schedules.save(replace(schedule, on=False, next_at=None))
        self._work.audit.add(self._clock.now(), by, "reminder.ended", schedule.key, {})

    # ---- whom it is for

    def people(self, schedule: Schedule) -> tuple[Person, ...]:
        """Whom a reminder reaches now: present colleagues, each once, by their ids."""
        now = self._clock.now()
        people = self._work.people
        creator = None if schedule.created_by is None else people.person(schedule.created_by)
        found: dict[PersonId, Person] = {}
        for token in schedule.audience:
            if token == Audience.ME:
                one = (creator,)
            elif token in set(_MANY):
                one = self._group(Audience(token), creator, now)  # type: ignore[assignment]
            else:
                one = (people.person(PersonId(token)),)
            for person in one:
                if person is not None and person.active and person.is_staff:
                    found[person.id] = person
        return tuple(found[key] for key in sorted(found))

    def _group(
        self, audience: Audience, creator: Person | None, now: datetime
    ) -> tuple[Person, ...]:
        people = self._work.people
        everybody = tuple(p for p in people.people() if p.role in _MANY[audience])
        if audience is not Audience.LIAISONS or creator is None or creator.role is not Role.LEADER:
            return everybody
        # A leader's liaisons are those of the firms the leader answers for.
        pairings = (people.pairing(f.id, now) for f in people.enterprises() if f.active)
        own = {p.liaison_id for p in pairings if p is not None and p.leader_id == creator.id}
        return tuple(p for p in everybody if p.id in own)

    # ---- sending

    def fire(self, schedule: Schedule, planned: datetime) -> None:
        """Put the reminder into the outbox for everybody it is for and who may know of its ticket."""
        now = self._clock.now()
        people = self._work.people
        creator = None if schedule.created_by is None else people.person(schedule.created_by)
        if creator is None or not creator.active:
            self._end(schedule, "system")
            return
        ticket = None if schedule.ticket is None else self._work.tickets.find(schedule.ticket)
        if ticket is not None and ticket.state in ENDED and schedule.next_at is not None:
            if parse(schedule.rule, self._calendar).repeats:
                self._end(schedule, "system")
                told = say.over(schedule, ticket)
                self._send(schedule, creator, told, planned, None)
                return
        for person in self.people(schedule):
            away = person.id != creator.id and people.is_away(person.id, now)
            if away or (ticket is not None and not self._may_read(ticket, person)):
                continue
            by = "" if person.id == creator.id else creator.name
            told = say.reminder(schedule.text, by, ticket)
            self._send(schedule, person, told, planned, ticket)

    def _may_read(self, ticket: Ticket, person: Person) -> bool:
        standing = self._work.people.standing(ticket.enterprise_id, self._clock.now())
        return may_read(ticket, person, parts_of(ticket, person, standing))

    def _send(
        self, schedule: Schedule, person: Person, told: str, planned: datetime, about: Ticket | None
    ) -> None:
        self._work.outbox.put(
            Outgoing(
                Content(told, kind=Kind.REMINDER),
                person=person.id,
                ticket=None if about is None else about.number,
                priority=Priority.LADDER,
                dedupe_key=f"{schedule.key}:{planned.isoformat()}:{person.id}",
                not_after=planned + self._work.office.policy().reminder_late_once,
            )
        )
