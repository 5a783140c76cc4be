"""The sweep: what is due is fired, in order, at most once, and told to whoever stands on the rung."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.category import Urgency
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.ladder import CLIMBING, ORANGE, RED, Clock, Rung, To, rungs, unfired
from handlers.domain.notices import opens_at
from handlers.domain.people import Person, Role
from handlers.domain.policy import Policy, Unit
from handlers.domain.ticket import LIVE, Args, Move, State, Ticket
from handlers.domain.workdays import SHANGHAI, WorkCalendar
from handlers.ports import Clock as Present
from handlers.ports import Firing, Outgoing, StillTrue, Work
from handlers.services.tickets import TicketService
from handlers.texts import ladder as say
from handlers.texts import tickets as words

BATCH: Final = 200
# More rungs than any ticket can have due: a loop that would not end is a bug, not a load.
_MOST_RUNGS: Final = 200
_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one person is told of one ticket; written for the moment at which it is read."""

    ticket: Ticket
    person: Person
    write: Callable[[datetime], Content]
    still: StillTrue
    rung: Rung


class ReminderService:
    def __init__(
        self, work: Work, clock: Present, calendar: WorkCalendar, tickets: TicketService
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._tickets = tickets
        self._told: dict[tuple[TicketNumber, PersonId], list[_Told]] = {}
        # The level that each ticket had at the end of its climb.
        self._reached: dict[TicketNumber, int] = {}

    @property
    def _policy(self) -> Policy:
        return self._work.office.policy()

    def sweep(self, limit: int = BATCH) -> int:
        """Fire every rung that is due, of `limit` tickets at most; how many tickets there were."""
        now = self._clock.now()
        numbers = self._work.tickets.due(now, limit)
        for number in numbers:
            before = {key: list(told) for key, told in self._told.items()}
            try:
                with self._work.savepoint():
                    self._climb(number, now)
            except Exception as error:
                # One ticket that cannot be worked on must not hold up the ladder of all others.
                self._told = before
                self._work.tickets.put_off(number, now + _AGAIN)
                self._work.audit.add(
                    now, "system", "ladder.failed", str(number), {"error": type(error).__name__}
                )
        for told in self._told.values():
            for one in told:
                self._tell(one, now)
        self._told.clear()
        return len(numbers)

    # ---- one ticket

    def _climb(self, number: TicketNumber, now: datetime) -> None:
        ticket = self._work.tickets.get(number)
        for _ in range(_MOST_RUNGS):
            fired = self._work.tickets.fired(number, ticket.cycle)
            found = rungs(ticket, self._calendar, self._policy)
            rung = next((r for r in unfired(found, fired) if r.at <= now), None)
            if rung is None:
                break
            ticket = self._fire(ticket, rung, now)
        self._reached[number] = ticket.level
        self._work.tickets.reschedule(ticket)

    def _fire(self, ticket: Ticket, rung: Rung, now: datetime) -> Ticket:
        firing = Firing(
            ticket.number, ticket.cycle, rung.clock.value, rung.since, rung.level, rung.at, now
        )
        if not self._work.tickets.fire(firing):
            return ticket
        moved = self._moved(ticket, rung, now)
        people = [(to, p) for to in rung.to for p in self._people(moved, to)]
        for to, person in people:
            self._note(moved, rung, to, person)
        if rung.to == (To.NOBODY,) or people:
            return moved
        return self._skipped(moved, rung, now)

    def _moved(self, ticket: Ticket, rung: Rung, now: datetime) -> Ticket:
        """The system's own move of a rung, where it has one."""
        if rung.clock is Clock.ANSWER and rung.to == (To.HANDLER,):
            return self._tickets.act(ticket, Move.ANSWER_OVERDUE, None)
        if rung.clock is Clock.REVIEW:
            return self._tickets.act(ticket, Move.REVIEW, None)
        if rung.clock is Clock.VERDICT and rung.to == (To.NOBODY,):
            return self._tickets.act(ticket, Move.CLOSE_SILENT, None)
        if rung.raises > ticket.level:
            why = say.raised(rung.clock, rung.level, self._over(ticket, rung.clock, now))
            return self._tickets.act(ticket, Move.ESCALATE, None, Args(text=why, level=rung.raises))
        return ticket

    def _skipped(self, ticket: Ticket, rung: Rung, now: datetime) -> Ticket:
        """Nobody stands on it: the office is told, and the level above comes at once."""
        who = say.WHO[rung.to[0].value]
        office = self._work.people.duty_person()
        if office is not None:
            text = say.nobody_above(ticket, who) if rung.level >= RED else say.skipped(ticket, who)
            content = Content(text, kind=Kind.ESCALATION)
            self._add(_Told(ticket, office, lambda at: content, self._still(ticket, rung), rung))
        if rung.level != ORANGE or ticket.level != ORANGE or ticket.escalated_at is None:
            return ticket
        above = Rung(Clock.ACKNOWLEDGE, RED, now, (To.CHIEF,), ticket.escalated_at)
        return self._fire(ticket, above, now)

    # ---- who

    def _people(self, ticket: Ticket, to: To) -> Iterable[Person]:
        found = [p for p in self._standing_on(ticket, to) if p is not None and p.active]
        return [p for p in found if self._work.people.identities(p.id)]

    def _standing_on(self, ticket: Ticket, to: To) -> list[Person | None]:
        people = self._work.people
        telling = self._tickets.telling
        if to is To.HANDLER:
            owner = telling.handler(ticket)
            if owner is not None and self._away(owner.id):
                return [people.stand_in(owner.id, self._clock.now()) or people.duty_person()]
            return [owner]
        if to is To.STAND_IN:
            owner = telling.person(ticket.owner_id)
            return [] if owner is None else self._stand_ins(owner)
        if to is To.OFFICE:
            return [people.duty_person()]
        if to is To.LEADER:
            leader = telling.leader(ticket)
            return [] if leader is None or self._away(leader.id) else [leader]
        if to is To.CHIEF:
            return [people.chief()]
        if to is To.FIRM:
            return [telling.firm_person(ticket)]
        if to is To.DEPARTMENT:
            everybody = people.people(Role.DEPARTMENT)
            return [p for p in everybody if p.department == ticket.department]
        return []

    def _stand_ins(self, owner: Person) -> list[Person | None]:
        """B岗, who is told beside the owner."""
        backup = owner.backup_person_id
        return [] if backup is None or self._away(backup) else [self._work.people.person(backup)]

    def _away(self, person: PersonId) -> bool:
        return self._work.people.is_away(person, self._clock.now())

    # ---- what

    def _note(self, ticket: Ticket, rung: Rung, to: To, person: Person) -> None:
        still = self._still(ticket, rung)
        if to is To.HANDLER and ticket.owner_id == person.id:
            still = replace(still, owner_id=person.id)
        write = partial(self._content, ticket, rung, to)
        self._add(_Told(ticket, person, write, still, rung))

    def _add(self, told: _Told) -> None:
        """One message a ticket and person: the highest level of what climbed together.

        What does not climb (a review, a firm's silence) is news of its own; the second reminder
        waits for its day.
        """
        known = self._told.setdefault((told.ticket.number, told.person.id), [])
        climbed = [k for k in known if k.rung.clock in CLIMBING]
        if told.rung.clock in CLIMBING and climbed:
            if climbed[0].rung.level > told.rung.level:
                return
            known.remove(climbed[0])
        known.append(told)

    def _still(self, ticket: Ticket, rung: Rung) -> StillTrue:
        if rung.clock in (Clock.ANSWER, Clock.REVIEW) and ticket.state is State.IN_PROGRESS:
            return StillTrue(ticket.number, LIVE)
        states = frozenset({ticket.state}) if ticket.state is State.OPEN else LIVE
        return StillTrue(
            ticket.number,
            frozenset() if rung.clock is Clock.VERDICT else states,
            max_level=ticket.level,
            rung=(rung.clock.value, rung.level, rung.since, rung.at),
        )

    def _content(self, ticket: Ticket, rung: Rung, to: To, now: datetime) -> Content:
        telling = self._tickets.telling
        firm, owner = telling.firm(ticket), telling.owner(ticket)
        contact = telling.firm_person(ticket)
        named = ticket.reporter_name or ("" if contact is None else contact.name)
        clock, late = rung.clock, self._over(ticket, rung.clock, now)
        if clock is Clock.CLAIM and ticket.urgency is Urgency.U1:
            card = say.urgent_card(ticket, firm, named, owner, now)
            return Content.of(card, Kind.ESCALATION)
        if to is To.CHIEF:
            lead = say.meeting_came() if clock is Clock.MEETING else say.red(clock, late)
            leader = words.someone(telling.leader(ticket))
            return Content.of(
                say.chief_card(ticket, firm, owner, leader, lead, now), Kind.ESCALATION
            )
        if clock is Clock.REQUEST:
            return self._request(ticket, firm, owner, now)
        if to is To.LEADER:
            lead = say.orange(clock, late)
            return Content.of(words.leader_card(ticket, firm, owner, lead, now), Kind.ESCALATION)
        if clock is Clock.TRANSFER:
            asked = words.someone(telling.person(ticket.pending_owner_id))
            within = self._policy.transfer_working
            card = say.transfer_waits(ticket, firm, asked, owner, within, now)
            return Content.of(card, Kind.REMINDER)
        if to is To.FIRM:
            return self._for_firm(ticket, clock, owner, now)
        if to is To.DEPARTMENT:
            return Content(say.department_late(ticket, now), kind=Kind.REMINDER)
        if clock is Clock.DEPARTMENT:
            return Content(say.handler_department_late(ticket), kind=Kind.REMINDER)
        if to is To.OFFICE:
            told = say.yellow_office(ticket, clock, owner, late)
            return Content(told, kind=Kind.REMINDER)
        lead = self._lead(ticket, rung, to, owner, now)
        card = words.handler_card(ticket, firm, named, owner, now, lead)
        return Content.of(card, Kind.REMINDER)

    def _lead(self, ticket: Ticket, rung: Rung, to: To, owner: str, now: datetime) -> str:
        clock, late = rung.clock, self._over(ticket, rung.clock, now)
        if clock is Clock.CLAIM:
            if to is To.STAND_IN:
                return say.unclaimed_stand_in(owner, late)
            return say.unclaimed(late)
        if clock is Clock.ANSWER:
            return say.answer_never_came()
        if clock is Clock.REVIEW:
            return say.reviewed()
        if clock is Clock.MEETING:
            return say.meeting_handler()
        if clock is Clock.FIRST_REPLY:
            return say.first_reply(late)
        return say.warned(ticket, now) if rung.level == 2 else say.yellow(clock, late)

    def _over(self, ticket: Ticket, clock: Clock, now: datetime) -> str:
        """By how much a clock is overdue, in the time it is counted in."""
        targets = self._policy.targets[ticket.urgency]
        due, target = {
            Clock.CLAIM: (ticket.due_claim, targets.claim),
            Clock.FIRST_REPLY: (ticket.due_first_reply, targets.first_reply),
            Clock.PROGRESS: (ticket.due_progress, targets.progress),
        }.get(clock, (ticket.due_resolution, targets.resolution))
        if due is None or now <= due:
            return say.over(timedelta(), None)
        if target.unit is Unit.NATURAL:
            return say.over(now - due, None)
        return say.over(self._calendar.elapsed(due, now), self._policy.working_day)

    def _request(self, ticket: Ticket, firm: str, owner: str, now: datetime) -> Content:
        if ticket.pending_until is not None:
            return Content.of(words.extend_card(ticket, firm, owner, now), Kind.REMINDER)
        return Content.of(words.shelve_card(ticket, firm, owner, now), Kind.REMINDER)

    def _for_firm(self, ticket: Ticket, clock: Clock, owner: str, now: datetime) -> Content:
        if clock is Clock.VERDICT:
            card = words.callback_card(ticket, owner, now, say.verdict_wanted(ticket, now))
            return Content.of(card, Kind.REMINDER)
        return Content(say.answer_wanted(ticket, owner, now), kind=Kind.REMINDER)

    # ---- sending

    def _tell(self, told: _Told, now: datetime) -> None:
        ticket, rung = told.ticket, told.rung
        urgent = ticket.urgency is Urgency.U1 and ticket.is_live
        not_before = None
        read_at = now if urgent else opens_at(now, self._policy)
        content = told.write(read_at)
        if not urgent and content.kind is Kind.REMINDER:
            not_before = self._day_for(told, now)
            if not_before is None:
                return
            if not_before != read_at:
                content = told.write(not_before)
        since = int(rung.since.timestamp())
        still = told.still
        if still.max_level is not None:
            # Levels that came in the same sweep make it no less true.
            still = replace(still, max_level=self._reached.get(ticket.number, still.max_level))
        self._work.outbox.put(
            Outgoing(
                content,
                person=told.person.id,
                ticket=ticket.number,
                priority=Priority.URGENT if urgent else Priority.LADDER,
                dedupe_key=f"rung:{ticket.number}:{ticket.cycle}:{rung.clock}:{since}:"
                f"{rung.level}:{told.person.id}",
                not_before=not_before,
                still=still,
                bundle=f"sweep:{now:%Y%m%d%H%M}",
            )
        )

    def _day_for(self, told: _Told, now: datetime) -> datetime | None:
        """When the ticket's one reminder of a day may go; None where the next day has one too."""
        outbox, policy = self._work.outbox, self._policy
        at = opens_at(now, policy)
        day = at.astimezone(SHANGHAI).date()
        if outbox.reminded(told.ticket.number, told.person.id, day):
            return at
        tomorrow = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
        at = opens_at(self._calendar.next_open(tomorrow), policy)
        day = at.astimezone(SHANGHAI).date()
        return at if outbox.reminded(told.ticket.number, told.person.id, day) else None
