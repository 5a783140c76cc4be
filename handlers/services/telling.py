"""Who is told what after each move of a ticket; everything goes through the outbox."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Card, Content, Kind, Priority
from handlers.domain.category import Urgency
from handlers.domain.ids import PersonId
from handlers.domain.notices import opens_at
from handlers.domain.people import Person, Role
from handlers.domain.ticket import LIVE, Channel, Move, State, Ticket
from handlers.ports import Clock, Outgoing, StillTrue, Work
from handlers.texts import ladder
from handlers.texts import policies as policies_say
from handlers.texts import tickets as say


class Telling:
    """Puts the messages of a move into the outbox, in the same unit of work."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    # ---- names

    def person(self, person_id: PersonId | None) -> Person | None:
        return None if person_id is None else self._work.people.person(person_id)

    def owner(self, ticket: Ticket) -> str:
        return say.someone(self.person(ticket.owner_id))

    def firm(self, ticket: Ticket) -> str:
        if ticket.enterprise_id is None:
            return ""
        enterprise = self._work.people.enterprise(ticket.enterprise_id)
        return "" if enterprise is None else enterprise.short_name

    def firm_person(self, ticket: Ticket) -> Person | None:
        """Who speaks for the firm: its own reporter, else its main contact."""
        reporter = self.person(ticket.reporter_id)
        if reporter is not None and reporter.active and reporter.role is Role.MANAGER:
            if ticket.enterprise_id in (None, reporter.enterprise_id):
                return reporter
        if ticket.enterprise_id is None:
            return None
        return self._work.people.main_contact(ticket.enterprise_id)

    def _took_part(self, ticket: Ticket) -> list[Person]:
        """The people of the firm who said something to this ticket, in their order."""
        said = dict.fromkeys(e.actor_id for e in self._work.tickets.history(ticket.number))
        people = [person for one in said if (person := self.person(one)) is not None]
        return [
            p
            for p in people
            if p.enterprise_id is not None and p.enterprise_id == ticket.enterprise_id
        ]

    def leader(self, ticket: Ticket) -> Person | None:
        standing = self._work.people.standing(ticket.enterprise_id, self._clock.now())
        if standing.leader_backup_ids:
            return self.person(min(standing.leader_backup_ids))
        return self.person(standing.leader_id)

    def handler(self, ticket: Ticket) -> Person | None:
        return self.person(ticket.owner_id) or self._work.people.duty_person()

    # ---- sending

    def read_at(self, ticket: Ticket) -> datetime:
        """When a notice that is written now is read: in the morning "tomorrow" is another day."""
        now = self._clock.now()
        if ticket.urgency is Urgency.U1 and ticket.is_live:
            return now
        return opens_at(now, self._work.office.policy())

    def _send(
        self,
        ticket: Ticket,
        person: Person | None,
        content: Content,
        what: str,
        *,
        priority: Priority = Priority.REPLY,
        still: StillTrue | None = None,
    ) -> None:
        if person is None or not person.active:
            return
        urgent = ticket.urgency == "U1" and ticket.is_live
        self._work.outbox.put(
            Outgoing(
                content,
                person=person.id,
                ticket=ticket.number,
                priority=Priority.URGENT if urgent else priority,
                dedupe_key=f"t{ticket.number}:{ticket.version}:{what}:{person.id}",
                still=still,
            )
        )

    def text(self, ticket: Ticket, person: Person | None, text: str, what: str) -> None:
        self._send(ticket, person, Content(text), what)

    def came_along(self, ticket: Ticket, person: Person | None, name: str) -> None:
        """Something was sent to a ticket that is open already; said once, however many pictures."""
        handler = self.handler(ticket)
        if handler is not None and (person is None or person.id != handler.id):
            self.text(ticket, handler, say.told_along(ticket, name), "along")

    def card(
        self,
        ticket: Ticket,
        person: Person | None,
        card: Card,
        what: str,
        *,
        kind: Kind = Kind.CARD,
        priority: Priority = Priority.REPLY,
        still: StillTrue | None = None,
    ) -> None:
        self._send(ticket, person, Content.of(card, kind), what, priority=priority, still=still)

    def group(self, ticket: Ticket, card: Card, *, update: bool) -> None:
        """One short card in the group it came from; never of a confidential ticket."""
        source = ticket.source
        if ticket.confidential or source.channel is not Channel.GROUP or not source.chat:
            return
        self._work.outbox.put(
            Outgoing(
                Content.of(card),
                chat=ChatRef(source.platform, source.chat),
                chat_kind=ChatKind.GROUP,
                ticket=ticket.number,
                dedupe_key=f"t{ticket.number}:{ticket.version}:group:{card.key}",
                update=update,
            )
        )

    # ---- what each move says

    def after(
        self, move: Move, before: Ticket, after: Ticket, actor: Person | None, text: str
    ) -> None:
        """Tell everybody concerned by `move`, but not whoever made it."""
        now = self._clock.now()
        tell = _TELL.get(move)
        if tell is not None:
            tell(self, before, after, actor, text)
        if after.level >= 5 > before.level and after.is_live and actor is not None:
            self._red(after)
        if after.confidential and not before.confidential:
            self._take_from_groups(after, actor)
        if before.state is not after.state or before.owner_id != after.owner_id:
            card = say.group_card(after, self.firm(after), self.owner(after), now)
            self.group(after, card, update=True)
            if after.state is State.CLOSED:
                done = say.result_card(after, self.firm(after), self.owner(after), now)
                self.group(after, _as_result(done), update=True)

    def _take_from_groups(self, ticket: Ticket, actor: Person | None) -> None:
        """What was said there before goes; where it cannot, whoever may see to it is told."""
        told = actor if actor is not None and actor.is_staff else self.handler(ticket)
        text = "" if told is None else say.stays_in_group(ticket)
        for said in self._work.outbox.spoken_in_groups(ticket.number):
            card = say.hidden_card(ticket, said.card_key) if said.card_key else None
            self._work.outbox.take_back(
                said.id, Content(text, card, Kind.CARD), None if told is None else told.id
            )

    def _red(self, ticket: Ticket) -> None:
        """A move made it red: the second reopening or the second decline."""
        reason = ladder.reopened_twice() if ticket.cycle > 1 else ladder.declined_twice()
        leader = say.someone(self.leader(ticket))
        card = ladder.chief_card(
            ticket,
            self.firm(ticket),
            self.owner(ticket),
            leader,
            ladder.red_by(reason),
            self.read_at(ticket),
        )
        still = StillTrue(ticket.number, LIVE)
        self.card(
            ticket,
            self._work.people.chief(),
            card,
            "chief",
            kind=Kind.ESCALATION,
            priority=Priority.LADDER,
            still=still,
        )

    def opened(
        self, ticket: Ticket, by: Person | None, to_group: bool, attachments: int = 0
    ) -> None:
        """A new ticket: its handler gets the card with buttons; the firm's contact is told."""
        now = self._clock.now()
        firm = self.firm(ticket)
        contact = self.firm_person(ticket)
        handler = self.handler(ticket)
        lead = say.with_attachments(ticket, attachments) if attachments else ""
        card = self._handler_card(ticket, lead=lead)
        self._tell_grid(ticket)
        still = StillTrue(ticket.number, states=frozenset({State.OPEN}))
        if by is None or handler is None or by.id != handler.id:
            self.card(ticket, handler, card, "opened", still=still)
        if contact is not None and (by is None or by.id != contact.id):
            if by is not None:
                lead = say.opened(ticket, self.owner(ticket), self.read_at(ticket))
                self.text(ticket, contact, lead, "opened")
        if to_group:
            self.group(ticket, say.group_card(ticket, firm, self.owner(ticket), now), update=False)

    def _handler_card(self, ticket: Ticket, now: datetime | None = None, lead: str = "") -> Card:
        """The card of whoever is responsible now: the owner, or the duty desk."""
        now, firm = now or self.read_at(ticket), self.firm(ticket)
        if ticket.owner_id is None:
            return say.duty_card(ticket, firm, lead or ticket.body or ticket.title, now)
        contact = self.firm_person(ticket)
        named = "" if contact is None else contact.name
        return say.handler_card(
            ticket, firm, ticket.reporter_name or named, self.owner(ticket), now, lead
        )

    def _tell_grid(self, ticket: Ticket) -> None:
        """Where nobody is paired with the firm, its grid chief hears of it."""
        if ticket.owner_id is not None:
            return
        standing = self._work.people.standing(ticket.enterprise_id, self._clock.now())
        for grid_id in sorted(standing.grid_ids):
            grid = self.person(grid_id)
            if grid is not None and grid.role is Role.GRID_CHIEF:
                self.text(ticket, grid, say.told_new_owner(ticket, self.owner(ticket)), "grid")

    def _claimed(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        told = say.told_claimed(after, self.owner(after), self.read_at(after))
        self.text(after, self.firm_person(after), told, "claimed")
        if before.owner_id is not None and before.owner_id != after.owner_id:
            told = say.told_new_owner(after, self.owner(after))
            self.text(after, self.person(before.owner_id), told, "claimed")

    def _progressed(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        who = say.someone(actor)
        self.text(after, self.firm_person(after), say.told_progress(after, who, text), "progress")

    def _asked(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        told = say.told_question(after, self.owner(after))
        self._send(
            after,
            self.firm_person(after),
            Content(told, kind=Kind.QUESTION),
            "question",
            still=StillTrue(after.number, frozenset({State.WAITING_ENTERPRISE})),
        )

    def _firm_said(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        who = say.someone(actor) if actor is not None else after.reporter_name
        self.text(after, self.handler(after), say.told_reply(after, who, text), "said")

    def _resolved(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        if after.answered_by_library:
            # The answer that the firm got asks already, and nobody else has to know.
            return
        now = self.read_at(after)
        owner, asked = self.owner(after), self.firm_person(after)
        still = StillTrue(after.number, frozenset({State.RESOLVED}))
        self.card(
            after,
            asked,
            say.callback_card(after, owner, now),
            "callback",
            kind=Kind.QUESTION,
            still=still,
        )
        for colleague in self._took_part(after):
            if asked is not None and colleague.id != asked.id:
                told = Content(say.told_result(after, owner, asked.name))
                self._send(after, colleague, told, "result", still=still)
        card = say.result_card(after, self.firm(after), owner, self._clock.now())
        self.group(after, _as_result(card), update=False)

    def _closed(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        if after.state is State.IN_PROGRESS:
            self._again(before, after, actor, text)
            return
        if before.state is after.state and before.rating == after.rating:
            return
        told = say.told_closed(after, say.someone(actor))
        self.text(after, self.handler(after), told, "closed")

    def _again(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        firm, owner = self.firm(after), self.owner(after)
        if before.answered_by_library:
            lead = policies_say.told_not_helped(after, firm or say.someone(actor))
            card = say.handler_card(after, firm, after.reporter_name, owner, now, lead)
            self.card(after, self.handler(after), card, "reopened", priority=Priority.LADDER)
            return
        lead = say.told_reopened(firm or say.someone(actor), text)
        card = say.handler_card(after, firm, after.reporter_name, owner, now, lead)
        self.card(after, self.handler(after), card, "reopened", priority=Priority.LADDER)
        told = say.leader_card(after, firm, owner, lead, now)
        leader = self.leader(after) or self._work.people.duty_person()
        self.card(after, leader, told, "leader", kind=Kind.ESCALATION, priority=Priority.LADDER)

    def _withdrawn(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        told = say.told_withdrawn(after, say.someone(actor))
        self.text(after, self.handler(after), told, "withdrawn")

    def _not_accepted(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        told = say.told_not_accepted(after, text)
        self.text(after, self.firm_person(after), told, "not_accepted")
        if actor is None or actor.id != after.owner_id:
            self.text(after, self.person(after.owner_id), told, "not_accepted")

    def _transfer(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        card = say.transfer_card(after, self.firm(after), say.someone(actor), self.read_at(after))
        still = StillTrue(after.number, LIVE, max_version=None)
        self.card(after, self.person(after.pending_owner_id), card, "transfer", still=still)

    def _handed(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        told = say.told_transfer(after, self.owner(after), True)
        self.text(after, self.person(before.owner_id), told, "handed")
        self.text(
            after, self.firm_person(after), say.told_new_owner(after, self.owner(after)), "handed"
        )
        card = say.handler_card(
            after, self.firm(after), after.reporter_name, self.owner(after), now
        )
        self.card(after, self.person(after.owner_id), card, "handed")

    def _transfer_refused(
        self, before: Ticket, after: Ticket, actor: Person | None, text: str
    ) -> None:
        told = say.told_transfer(after, say.someone(actor), False, text)
        self.text(after, self.handler(after), told, "refused")

    def _declined(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        lead = say.told_declined(say.someone(actor), text)
        card = say.duty_card(after, self.firm(after), lead, now)
        self.card(after, self._work.people.duty_person(), card, "declined")
        if after.declines >= 2:
            told = say.leader_card(after, self.firm(after), self.owner(after), lead, now)
            self.card(after, self.leader(after), told, "leader", kind=Kind.ESCALATION)

    def _referred(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        self.text(after, self.firm_person(after), say.told_referred(after, now), "referred")
        for person in self._work.people.people(Role.DEPARTMENT):
            if person.active and person.department == after.department:
                card = say.handler_card(after, self.firm(after), "", self.owner(after), now)
                self.card(after, person, card, "referred")

    def _department(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        if actor is not None and actor.id != after.owner_id:
            told = say.told_reply(after, say.someone(actor), text)
            self.text(after, self.handler(after), told, "department")

    def _asks_leader(
        self,
        card: Callable[[Ticket, str, str], Card],
        after: Ticket,
        actor: Person | None,
        what: str,
    ) -> None:
        made = card(after, self.firm(after), say.someone(actor))
        leader = self.leader(after) or self._work.people.duty_person()
        self.card(after, leader, made, what)

    def _extend(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        if after.pending_until is None:
            self.text(
                after, self.firm_person(after), say.told_granted(after, text, now), "extended"
            )
            self._but(actor, after, say.granted(after, now), "extended")
            return
        self._asks_leader(lambda t, f, b: say.extend_card(t, f, b, now), after, actor, "extend")

    def _extended(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        told = say.told_extended(after, before.pending_reason, now)
        self.text(after, self.firm_person(after), told, "extended")
        self.text(after, self.handler(after), say.extended(after, now), "extended")

    def _but(self, actor: Person | None, ticket: Ticket, text: str, what: str) -> None:
        """The handler, unless it is their own doing."""
        handler = self.handler(ticket)
        if handler is not None and (actor is None or actor.id != handler.id):
            self.text(ticket, handler, text, what)

    def _shelve(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        if after.state is State.SHELVED:
            self.text(after, self.firm_person(after), say.told_shelved(after, now), "shelved")
            self._but(actor, after, say.shelved(after, now), "shelved")
            return
        self._asks_leader(lambda t, f, b: say.shelve_card(t, f, b, now), after, actor, "shelve")

    def _shelved(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        self.text(after, self.firm_person(after), say.told_shelved(after, now), "shelved")
        self.text(after, self.handler(after), say.shelved(after, now), "shelved")

    def _refused_extend(
        self, before: Ticket, after: Ticket, actor: Person | None, text: str
    ) -> None:
        told = say.refused_request(after, Move.EXTEND, text)
        self.text(after, self.handler(after), told, "refused")

    def _refused_shelve(
        self, before: Ticket, after: Ticket, actor: Person | None, text: str
    ) -> None:
        told = say.refused_request(after, Move.SHELVE, text)
        self.text(after, self.handler(after), told, "refused")

    def _retracted(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        self.text(after, self.firm_person(after), say.told_retracted(after), "retracted")

    def _merged(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        if after.merged_into is not None:
            told = say.told_merged(after, after.merged_into)
            self.text(after, self.firm_person(after), told, "merged")

    def _urged(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        told = say.told_urged(after, say.someone(actor))
        self._send(
            after,
            self.handler(after),
            # The firm's own words, handed on: no reminder of the bot's.
            Content(told, kind=Kind.MESSAGE),
            "urged",
            priority=Priority.LADDER,
            still=StillTrue(after.number, LIVE),
        )
        if after.level > before.level:
            card = say.leader_card(
                after, self.firm(after), self.owner(after), told, self.read_at(after)
            )
            self.card(
                after,
                self.leader(after) or self._work.people.duty_person(),
                card,
                "leader",
                kind=Kind.ESCALATION,
                priority=Priority.LADDER,
            )

    def _supervised(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        self._send(
            after,
            self.handler(after),
            Content(say.supervised(after), kind=Kind.ESCALATION),
            "supervised",
            priority=Priority.LADDER,
        )

    def _acknowledged(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        """Only a day that was set for a meeting is news to others."""
        if not text:
            return
        told = say.told_meeting(after, say.someone(actor), self.read_at(after))
        self._but(actor, after, told, "meeting")
        leader = self.leader(after)
        if leader is not None and (actor is None or leader.id != actor.id):
            self.text(after, leader, told, "meeting")

    def _escalated(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        if actor is None:
            # The sweep tells whoever stands on the rung.
            return
        lead = text or say.escalated(after)
        card = say.leader_card(
            after, self.firm(after), self.owner(after), lead, self.read_at(after)
        )
        self.card(after, self.leader(after), card, "leader", kind=Kind.ESCALATION)

    def _firm_named(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        now = self.read_at(after)
        card = say.handler_card(
            after, self.firm(after), after.reporter_name, self.owner(after), now
        )
        self.card(after, self.person(after.owner_id), card, "named")

    def _refreshed(self, ticket: Ticket) -> None:
        """The cards that are already there, as the ticket stands now."""
        now = self._clock.now()
        card = say.group_card(ticket, self.firm(ticket), self.owner(ticket), now)
        self.group(ticket, card, update=True)
        handler = self.handler(ticket)
        if handler is not None:
            self._work.outbox.put(
                Outgoing(
                    Content.of(self._handler_card(ticket, now)),
                    person=handler.id,
                    ticket=ticket.number,
                    dedupe_key=f"t{ticket.number}:{ticket.version}:refreshed:{handler.id}",
                    update=True,
                )
            )

    def _reclassified(self, before: Ticket, after: Ticket, actor: Person | None, text: str) -> None:
        self._refreshed(after)
        handler = self.handler(after)
        if before.urgency != after.urgency and handler is not None and handler != actor:
            self.text(after, handler, say.reclassified(after), "reclassified")

    def _firm_corrected(
        self, before: Ticket, after: Ticket, actor: Person | None, text: str
    ) -> None:
        """The right firm and its owner take over; the wrong firm hears only that it is not theirs."""
        firm, owner = self.firm(after), self.owner(after)
        wrong, right = self.firm_person(before), self.firm_person(after)
        if wrong is not None and wrong != right:
            reported = wrong.id == after.reporter_id
            told = say.opened_for(firm) if reported else say.told_not_their_firm(after)
            self.text(after, wrong, told, "not_theirs")
        if after.claimed_at is None:
            told = say.opened(after, owner, self.read_at(after))
        else:
            told = say.told_new_owner(after, owner)
        self.text(after, right, told, "opened")
        if before.owner_id == after.owner_id:
            self._refreshed(after)
            return
        self.card(after, self.handler(after), self._handler_card(after), "corrected")
        self._tell_grid(after)
        former = self.person(before.owner_id)
        if former is not None and former != actor:
            self.text(after, former, say.told_firm_corrected(after, firm, owner), "corrected")


def _as_result(card: Card) -> Card:
    """A result stands beside the first card, so it has a key of its own."""
    return replace(card, key=card.key.replace(":group", ":result"))


Tell = Callable[[Telling, Ticket, Ticket, Person | None, str], None]
_TELL: Final[Mapping[Move, Tell]] = {
    Move.CLAIM: Telling._claimed,
    Move.PROGRESS: Telling._progressed,
    Move.ASK: Telling._asked,
    Move.REPLY: Telling._firm_said,
    Move.FOLLOW_UP: Telling._firm_said,
    Move.RESOLVE: Telling._resolved,
    Move.ANSWER: Telling._resolved,
    Move.VERDICT_YES: Telling._closed,
    Move.RATE: Telling._closed,
    Move.VERDICT_NO: Telling._again,
    Move.REOPEN: Telling._again,
    Move.WITHDRAW: Telling._withdrawn,
    Move.NOT_ACCEPT: Telling._not_accepted,
    Move.TRANSFER: Telling._transfer,
    Move.TRANSFER_ACCEPT: Telling._handed,
    Move.TRANSFER_REFUSE: Telling._transfer_refused,
    Move.REASSIGN: Telling._handed,
    Move.DECLINE: Telling._declined,
    Move.REFER: Telling._referred,
    Move.DEPARTMENT_RESULT: Telling._department,
    Move.RECALL: Telling._department,
    Move.EXTEND: Telling._extend,
    Move.EXTEND_APPROVE: Telling._extended,
    Move.EXTEND_REFUSE: Telling._refused_extend,
    Move.SHELVE: Telling._shelve,
    Move.SHELVE_APPROVE: Telling._shelved,
    Move.SHELVE_REFUSE: Telling._refused_shelve,
    Move.RETRACT: Telling._retracted,
    Move.MERGE: Telling._merged,
    Move.URGE: Telling._urged,
    Move.SUPERVISE: Telling._supervised,
    Move.ESCALATE: Telling._escalated,
    Move.ACKNOWLEDGE: Telling._acknowledged,
    Move.NAME_FIRM: Telling._firm_named,
    Move.RECLASSIFY: Telling._reclassified,
    Move.CORRECT_FIRM: Telling._firm_corrected,
}
