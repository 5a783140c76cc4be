"""A firm gets another liaison: the pairing is dated, what is in hand goes along, both are told once."""

from dataclasses import dataclass, field, replace
from typing import Any

from handlers.chat.outbound import Content
from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Enterprise, Pairing, Person
from handlers.domain.ticket import LIVE, Args, Move, State, Ticket, move
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, TicketQuery, Work
from handlers.services.telling import Telling
from handlers.texts import handover as say
from handlers.texts.tickets import extend_card, group_card, shelve_card


@dataclass(slots=True)
class _News:
    """What one person will hear: firms that come and go, and the tickets that move with them."""

    came: list[tuple[Enterprise, Person | None]] = field(default_factory=list)
    went: list[tuple[Enterprise, Person | None]] = field(default_factory=list)
    taken: list[Ticket] = field(default_factory=list)
    given: list[Ticket] = field(default_factory=list)


class HandOver:
    """Pair firms one after another, then `tell` once."""

    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._news: dict[PersonId, _News] = {}
        self._firms: list[tuple[Enterprise, Person, list[Ticket]]] = []

    def pair(self, pairing: Pairing, by: str) -> tuple[Ticket, ...]:
        """The firm's pairing from `pairing.starts_at` on; the tickets that change hands by it."""
        people = self._work.people
        former = people.pairing(pairing.enterprise_id, pairing.starts_at)
        people.pair(pairing)
        facts = {
            name: getattr(pairing, name)
            for name in ("liaison_id", "leader_id", "grid_chief_id", "grid_member_id")
            if former is None or getattr(pairing, name) != getattr(former, name)
        }
        at = self._clock.now()
        self._work.audit.add(at, by, "pairing.changed", pairing.enterprise_id, facts)
        if former is not None and former.leader_id != pairing.leader_id:
            self._ask_again(pairing)
        before = None if former is None else former.liaison_id
        if before == pairing.liaison_id:
            return ()
        return self._hand_over(pairing, before)

    def _hand_over(self, pairing: Pairing, before: PersonId | None) -> tuple[Ticket, ...]:
        people = self._work.people
        enterprise = people.enterprise(pairing.enterprise_id)
        new = None if pairing.liaison_id is None else people.person(pairing.liaison_id)
        old = None if before is None else people.person(before)
        if enterprise is None:
            return ()
        moved = [self._give(t, new, old) for t in self._in_hand(pairing, before)]
        if old is None and not moved:
            # Paired for the first time: nobody hands over anything.
            return ()
        if old is not None:
            news = self._news.setdefault(old.id, _News())
            news.went.append((enterprise, new))
            news.given.extend(moved)
        receiver = new or people.duty_person()
        if receiver is not None and (new is not None or moved):
            news = self._news.setdefault(receiver.id, _News())
            news.came.append((enterprise, old))
            news.taken.extend(moved)
        if new is not None and moved:
            self._firms.append((enterprise, new, moved))
        return tuple(moved)

    def _ask_again(self, pairing: Pairing) -> None:
        """What waits for the former leader's decision is put to the new one."""
        now = self._clock.now()
        telling = Telling(self._work, self._clock)
        leader = telling.person(pairing.leader_id) or self._work.people.duty_person()
        for ticket in self._live(pairing.enterprise_id):
            firm, owner = telling.firm(ticket), telling.owner(ticket)
            if ticket.pending_until is not None:
                telling.card(ticket, leader, extend_card(ticket, firm, owner, now), "extend")
            if ticket.pending_review is not None:
                telling.card(ticket, leader, shelve_card(ticket, firm, owner, now), "shelve")

    def _live(self, firm: EnterpriseId) -> list[Ticket]:
        found: list[Ticket] = []
        cursor: str | None = ""
        while cursor is not None:
            query = TicketQuery(states=LIVE, enterprise_id=firm, limit=200, cursor=cursor)
            page = self._work.tickets.search(query)
            found.extend(page.items)
            cursor = page.next
        return sorted(found, key=lambda t: t.number)

    def _in_hand(self, pairing: Pairing, before: PersonId | None) -> list[Ticket]:
        """The firm's live tickets of the former liaison.

        Where there was none, those that wait at the duty desk for want of one: not what was
        declined, which the office decides.
        """
        return [
            t
            for t in self._live(pairing.enterprise_id)
            if t.owner_id == before
            and (before is not None or (t.state is State.OPEN and not t.declines))
        ]

    def _give(self, ticket: Ticket, new: Person | None, old: Person | None) -> Ticket:
        now = self._clock.now()
        moved = move(
            ticket,
            Move.REASSIGN,
            None,
            Args(text=say.reason(old, new), person=new),
            now,
            self._work.people.standing(ticket.enterprise_id, now),
            self._calendar,
            self._work.office.policy(),
        )
        after = moved.ticket
        assert moved.entry is not None
        self._work.tickets.save(after, moved.entry)
        facts = {"version": after.version, "state": after.state.value}
        self._work.audit.add(now, "system", "ticket.reassign", str(after.number), facts)
        telling = Telling(self._work, self._clock)
        card = group_card(after, telling.firm(after), telling.owner(after), now)
        telling.group(after, card, update=True)
        return after

    # ---- telling

    def tell(self) -> None:
        """One message to each liaison concerned, one to each firm whose tickets moved."""
        now = self._clock.now()
        people = self._work.people
        for person_id, news in self._news.items():
            person = people.person(person_id)
            if person is not None and person.active:
                told = say.told_liaison(news.came, news.taken, news.went, news.given, now)
                self._send(person, told)
        for enterprise, liaison, tickets in self._firms:
            contact = people.main_contact(enterprise.id)
            if contact is not None:
                self._send(contact, say.told_firm(liaison, tickets))
        self._news.clear()
        self._firms.clear()

    def _send(self, person: Person, told: str) -> None:
        key = f"handover:{person.id}:{self._clock.now().isoformat()}"
        self._work.outbox.put(Outgoing(Content(told), person=person.id, dedupe_key=key))

    # ---- by name

    def change(self, firms: tuple[Enterprise, ...], person: Person, by: Person) -> int:
        """Pair firms with a colleague in the part that the colleague's role says; tells everybody.

        Returns how many tickets changed hands; raises BadInput for a role that serves no firm.
        """
        now = self._clock.now()
        part = say.PARTS.get(person.role)
        if part is None:
            raise BadInput("pair_role", name=person.name)
        count = 0
        for firm in firms:
            present = self._work.people.pairing(firm.id, now) or Pairing(firm.id, None, None, now)
            if getattr(present, part) == person.id:
                continue
            wanted: dict[str, Any] = {part: person.id}
            pairing = replace(present, starts_at=now, ends_at=None, **wanted)
            count += len(self.pair(pairing, by.id))
        self.tell()
        return count

    def served_by(self, person: Person) -> tuple[Enterprise, ...]:
        """The firms a liaison is paired with now."""
        now = self._clock.now()
        people = self._work.people
        found = []
        for firm in people.enterprises():
            pairing = people.pairing(firm.id, now)
            if pairing is not None and pairing.liaison_id == person.id:
                found.append(firm)
        return tuple(found)
