"""Open, move and find tickets: load, ask the rule, save, tell."""

import difflib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from handlers.chat.events import Attachment
from handlers.chat.grammar import TicketRef
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import BadInput, UnknownTicket
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import OFFICE_ROLES, Person, Role, Standing
from handlers.domain.ticket import (
    LIVE,
    MOVES,
    Args,
    Entry,
    Kind,
    Move,
    Moved,
    Part,
    Source,
    State,
    Ticket,
    entry_of,
    may_read,
    move,
    parts_of,
    permitted,
    started,
)
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, TicketMessage, TicketQuery, Work
from handlers.services.examples import Examples
from handlers.services.people import Speaker
from handlers.services.telling import Telling

_ALIKE: Final = 0.45
_RUNNING: Final = LIVE | {State.RESOLVED}
_TO_BE_DRAWN: Final = "-"
_LOCAL_ROLES: Final = frozenset({Role.AREA_HEAD, Role.GRID_CHIEF, Role.GRID_MEMBER})


@dataclass(frozen=True, slots=True)
class Report:
    """A problem as it came in, understood."""

    title: str
    body: str
    category: Category
    urgency: Urgency
    enterprise_id: EnterpriseId | None
    reporter: Person | None
    reporter_name: str
    source: Source
    kind: Kind = Kind.REQUEST
    part: int = 1
    attachments: tuple[Attachment, ...] = ()
    confidential: bool = False
    to_group: bool = False
    # Nobody is told: whoever opens it answers it in the same breath.
    quiet: bool = False


class TicketService:
    """Every use case about tickets; the caller owns the transaction."""

    def __init__(
        self, work: Work, clock: Clock, calendar: WorkCalendar, prefix: str = "LHG"
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._prefix = prefix
        self.telling: Final = Telling(work, clock)
        self._examples: Final = Examples(work, clock)

    # ---- opening

    def submit(self, report: Report, by: Person | None) -> Ticket:
        """A new ticket for the paired liaison, or for the duty desk where nobody is paired."""
        now = self._clock.now()
        if not report.body.strip() and not report.attachments:
            raise BadInput("text_needed")
        standing = self._work.people.standing(report.enterprise_id, now)
        day = now.astimezone(self._calendar.zone).date()
        stem = f"{self._prefix}-{day:%Y%m%d}"
        enterprise = standing.enterprise
        number, serial = self._work.tickets.next_number(stem)
        policy = self._work.office.policy()
        ticket = Ticket(
            number=number,
            code=f"{stem}-{serial:03d}",
            title=report.title,
            body=report.body,
            category=report.category,
            urgency=report.urgency,
            kind=report.kind,
            confidential=report.confidential,
            hazardous=enterprise is not None and enterprise.hazardous,
            enterprise_id=report.enterprise_id,
            reporter_id=None if report.reporter is None else report.reporter.id,
            reporter_name=report.reporter_name,
            owner_id=self.first_owner(standing),
            source=report.source,
            part=report.part,
            **started(report.urgency, now, self._calendar, policy),
        )
        self._work.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, by, report.body, now))
        self._work.tickets.add_message(
            ticket.number,
            TicketMessage(
                now,
                None if report.reporter is None else report.reporter.id,
                report.reporter_name,
                report.body,
                report.source.platform,
                report.source.chat,
                report.source.message_id,
                report.attachments,
            ),
        )
        self._audit(ticket, Move.SUBMIT, by)
        if not report.quiet:
            self.telling.opened(ticket, by, report.to_group, len(report.attachments))
        return ticket

    def first_owner(self, standing: Standing) -> PersonId | None:
        """The paired liaison, or the stand-in while that one is away; None is the duty desk."""
        if standing.backup_ids:
            return min(standing.backup_ids)
        return None if standing.liaison_away else standing.liaison_id

    # ---- finding

    def standing(self, ticket: Ticket) -> Standing:
        """Who answers for its firm; once the claim is overdue the B岗 is in force beside the liaison."""
        standing = self._work.people.standing(ticket.enterprise_id, self._clock.now())
        if ticket.state is not State.OPEN or ticket.level < 1 or standing.backup_ids:
            return standing
        liaison_id = standing.liaison_id
        liaison = None if liaison_id is None else self._work.people.person(liaison_id)
        backup_id = None if liaison is None else liaison.backup_person_id
        backup = None if backup_id is None else self._work.people.person(backup_id)
        if backup is None or not backup.active or ticket.owner_id != liaison_id:
            return standing
        return replace(standing, backup_ids=frozenset({backup.id}))

    def may_read(self, ticket: Ticket, speaker: Speaker) -> bool:
        """Whether this person may know of the ticket at all."""
        if speaker.person is None:
            return False
        parts = parts_of(ticket, speaker.person, self.standing(ticket), speaker.confirmed)
        return may_read(ticket, speaker.person, parts)

    def load(self, ref: TicketRef, speaker: Speaker) -> Ticket:
        """The ticket that a number or code names; a merged one leads to its target.

        Raises UnknownTicket, also for a ticket the speaker may not know of.
        """
        found: Ticket | None
        if ref.code:
            found = self._work.tickets.by_code(ref.code)
        else:
            found = self._work.tickets.find(TicketNumber(ref.number or 0))
        if found is None or not self.may_read(found, speaker):
            raise UnknownTicket(ref.code or f"#{ref.number}")
        return found

    def known(self, ref: TicketRef, speaker: Speaker) -> Ticket | None:
        """The ticket of a number that only may be one; None also where it is not the speaker's."""
        try:
            return self.load(ref, speaker)
        except UnknownTicket:
            return None

    def live_target(self, ticket: Ticket) -> Ticket:
        """The ticket that a merged one became."""
        seen = {ticket.number}
        while ticket.merged_into is not None and ticket.merged_into not in seen:
            seen.add(ticket.merged_into)
            ticket = self._work.tickets.get(ticket.merged_into)
        return ticket

    def mine(self, speaker: Speaker, states: frozenset[State] = LIVE) -> tuple[Ticket, ...]:
        """The tickets somebody has to do with, newest first."""
        person = speaker.person
        if person is None:
            return ()
        tickets = self._work.tickets
        found: list[Ticket] = []
        if person.role is Role.MANAGER:
            firm = person.enterprise_id if speaker.confirmed else None
            found.extend(tickets.of_manager(person.id, firm, states))
        elif person.role is Role.DEPARTMENT:
            found.extend(tickets.referred_to(person.department, states))
        else:
            found.extend(tickets.handled_by(person.id, states))
            found.extend(tickets.pending_for(person.id))
            if person.role is Role.LEADER:
                found.extend(tickets.led_by(person.id, states))
            if person.role in _LOCAL_ROLES:
                found.extend(tickets.of_firms(self._firms_around(person), states))
            if person.role in OFFICE_ROLES:
                found.extend(tickets.at_duty_desk(states))
        seen: dict[int, Ticket] = {}
        for ticket in found:
            if ticket.state in states and self.may_read(ticket, speaker):
                seen.setdefault(ticket.number, ticket)
        return tuple(sorted(seen.values(), key=lambda t: -t.number))

    def _firms_around(self, person: Person) -> tuple[EnterpriseId, ...]:
        """The firms of somebody's area or grid."""
        now, people = self._clock.now(), self._work.people
        found = []
        for firm in people.enterprises():
            standing = people.standing(firm.id, now)
            if standing.area_head_id == person.id or person.id in standing.grid_ids:
                found.append(firm.id)
        return tuple(found)

    def fitting(self, speaker: Speaker, what: Move) -> tuple[Ticket, ...]:
        """The tickets on which this person could make this move now."""
        rule = MOVES[what]
        found: list[Ticket] = []
        for ticket in self.mine(speaker, rule.sources):
            found.extend(self.fitting_one(ticket, speaker, what))
        return tuple(found)

    def fitting_one(self, ticket: Ticket, speaker: Speaker, what: Move) -> tuple[Ticket, ...]:
        """`ticket`, if this person could make this move on it now."""
        fits = (
            ticket.state in MOVES[what].sources
            and self.entitled(ticket, speaker, what)
            and self._makes_sense(ticket, what)
        )
        return (ticket,) if fits else ()

    def entitled(self, ticket: Ticket, speaker: Speaker, what: Move) -> bool:
        """Whether it is this person's to make, in whatever state the ticket is."""
        parts = parts_of(ticket, speaker.person, self.standing(ticket), speaker.confirmed)
        return bool(parts & MOVES[what].who)

    def is_paired(self, ticket: Ticket, speaker: Speaker) -> bool:
        """Whether the ticket is this person's to take without saying so."""
        parts = parts_of(ticket, speaker.person, self.standing(ticket), speaker.confirmed)
        return bool(parts & {Part.PAIRED, Part.NEW_OWNER})

    def is_provisional(self, ticket: Ticket) -> bool:
        """Whether it is due in a year whose holidays nobody has announced yet."""
        due = ticket.due_resolution
        return due is not None and self._calendar.provisional(due)

    def at_rest(self) -> bool:
        """Whether it is outside working time."""
        now = self._clock.now()
        minute = timedelta(minutes=1)
        return self._calendar.elapsed(now, now + minute) < minute

    def _makes_sense(self, ticket: Ticket, what: Move) -> bool:
        if what in (Move.TRANSFER_ACCEPT, Move.TRANSFER_REFUSE):
            return ticket.pending_owner_id is not None
        if what in (Move.EXTEND_APPROVE, Move.EXTEND_REFUSE):
            return ticket.pending_until is not None
        if what in (Move.SHELVE_APPROVE, Move.SHELVE_REFUSE):
            return ticket.pending_review is not None
        if what is Move.ACKNOWLEDGE:
            return ticket.level >= 4 and ticket.acknowledged_at is None
        if what is Move.RATE and ticket.state is State.CLOSED:
            return ticket.due_verdict is not None and self._clock.now() <= ticket.due_verdict
        return True

    def search(self, speaker: Speaker, text: str) -> tuple[Ticket, ...]:
        """Tickets whose words match, of those the speaker may know of."""
        person = speaker.person
        if person is None:
            return ()
        query = TicketQuery(text=text, limit=200)
        if person.role is Role.MANAGER:
            if person.enterprise_id is None or not speaker.confirmed:
                query = replace(query, reporter_id=person.id)
            else:
                query = replace(query, enterprise_id=person.enterprise_id)
        page = self._work.tickets.search(query)
        return tuple(t for t in page.items if self.may_read(t, speaker))[:50]

    def history_for(self, ticket: Ticket, speaker: Speaker | None) -> tuple[Entry, ...]:
        """The history as somebody may know it: by a link a firm learns nothing of another's."""
        entries = self._work.tickets.history(ticket.number)
        if speaker is None or speaker.role not in (None, Role.MANAGER):
            return entries
        return tuple(entry for entry in entries if entry.move is not Move.LINK)

    def links_for(self, ticket: Ticket, speaker: Speaker | None) -> tuple[TicketNumber, ...]:
        """The linked tickets that somebody may know of."""
        tickets = self._work.tickets
        return tuple(
            number
            for number in tickets.links(ticket.number)
            if speaker is None or self.may_read(tickets.get(number), speaker)
        )

    def same_as(
        self, enterprise_id: EnterpriseId | None, category: Category, body: str
    ) -> Ticket | None:
        """The firm's live ticket of that category that tells the same (H10)."""
        if enterprise_id is None:
            return None
        days = self._work.office.policy().duplicate_days
        since = self._clock.now() - timedelta(days=days)
        for number, told in self._work.tickets.alike(enterprise_id, category, since):
            if difflib.SequenceMatcher(None, told, body).ratio() >= _ALIKE:
                return self._work.tickets.get(number)
        return None

    # ---- moving

    def act(
        self,
        ticket: Ticket,
        what: Move,
        speaker: Speaker | None,
        args: Args = Args(),
        version: int | None = None,
    ) -> Ticket:
        """Make one move and tell everybody concerned; raises the Refusal that says why not."""
        actor = None if speaker is None else speaker.person
        args = replace(self._completed(what, args), supervision_code=_TO_BE_DRAWN)
        moved = self._judged(ticket, what, speaker, args, version)
        if moved.ticket.supervision_code == _TO_BE_DRAWN:
            # Drawn once the move is sure: a refusal must not leave a gap in the 督办 numbers.
            drawn = replace(args, supervision_code=self._supervision_code())
            moved = self._judged(ticket, what, speaker, drawn, version)
        if moved.entry is None:
            return moved.ticket
        self._work.tickets.save(moved.ticket, moved.entry)
        self._audit(moved.ticket, what, actor)
        self._examples.after(what, ticket, moved.ticket, actor)
        self.telling.after(what, ticket, moved.ticket, actor, args.text)
        return moved.ticket

    def recount(self, args: Args) -> int:
        """Count every running clock again; how many tickets changed by it."""
        changed = 0
        cursor: str | None = ""
        while cursor is not None:
            page = self._work.tickets.search(TicketQuery(states=_RUNNING, limit=200, cursor=cursor))
            for ticket in page.items:
                try:
                    self.act(ticket, Move.RECOUNT, None, args)
                except BadInput:
                    # None of its clocks changes; when its next rung is due may have all the same.
                    self._work.tickets.reschedule(ticket)
                    continue
                changed += 1
            cursor = page.next
        return changed

    def _judged(
        self,
        ticket: Ticket,
        what: Move,
        speaker: Speaker | None,
        args: Args,
        version: int | None = None,
    ) -> Moved:
        """What a move would make of the ticket; nothing is written."""
        return move(
            ticket,
            what,
            None if speaker is None else speaker.person,
            args,
            self._clock.now(),
            self.standing(ticket),
            self._calendar,
            self._work.office.policy(),
            version,
            speaker is None or speaker.confirmed,
        )

    def permit(self, ticket: Ticket, speaker: Speaker, what: Move) -> None:
        """Raises the Refusal that awaits this move whatever it is made with."""
        parts = parts_of(ticket, speaker.person, self.standing(ticket), speaker.confirmed)
        permitted(ticket, what, parts)

    def _supervision_code(self) -> str:
        stem = f"DB-{self._clock.now().astimezone(self._calendar.zone).year}"
        return f"{stem}-{self._work.tickets.next_code(stem):03d}"

    def _completed(self, what: Move, args: Args) -> Args:
        if what in (Move.NAME_FIRM, Move.CORRECT_FIRM) and args.person_standing is None:
            standing = self._work.people.standing(args.enterprise_id, self._clock.now())
            return replace(args, person_standing=standing)
        return args

    def add_message(self, ticket: Ticket, message: TicketMessage) -> None:
        self._work.tickets.add_message(ticket.number, message)

    def merge(self, ticket: Ticket, target: Ticket, speaker: Speaker, text: str) -> Ticket:
        """Join `ticket` to `target`; its messages go along and no clock is gained."""
        absorbing = Args(text=text, target=ticket)
        # Both halves are judged before either is written: a refusal must not leave one of them.
        self._judged(target, Move.ABSORB, speaker, absorbing)
        merged = self.act(ticket, Move.MERGE, speaker, Args(text=text, target=target))
        self._work.tickets.move_messages(merged.number, target.number)
        self.act(target, Move.ABSORB, speaker, absorbing)
        return merged

    def link(self, ticket: Ticket, target: Ticket, speaker: Speaker) -> Ticket:
        linked = self.act(ticket, Move.LINK, speaker, Args(text=f"#{target.number}", target=target))
        self._work.tickets.add_link(ticket.number, target.number)
        return linked

    def split(self, ticket: Ticket, speaker: Speaker, report: Report) -> tuple[Ticket, Ticket]:
        """A second problem out of one ticket; firm and confidentiality are inherited."""
        parent = self.act(ticket, Move.SPLIT, speaker, Args(text=report.body))
        children = self._work.tickets.links(ticket.number)
        child = self.submit(
            replace(
                report,
                enterprise_id=ticket.enterprise_id,
                confidential=ticket.confidential,
                source=replace(ticket.source, message_id=f"{ticket.code}/{len(children) + 1}"),
            ),
            speaker.person,
        )
        self._work.tickets.add_link(parent.number, child.number)
        return parent, child

    def _audit(self, ticket: Ticket, what: Move, actor: Person | None) -> None:
        self._work.audit.add(
            self._clock.now(),
            "system" if actor is None else actor.id,
            f"ticket.{what}",
            str(ticket.number),
            {"version": ticket.version, "state": ticket.state.value},
        )
