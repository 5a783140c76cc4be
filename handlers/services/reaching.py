"""A message that does not come to its person: another way, else whoever can see to it is told."""

from datetime import datetime
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Kind, Mention
from handlers.chat.reach import Lost
from handlers.domain.ids import TicketNumber
from handlers.domain.notices import opens_at
from handlers.domain.people import Person
from handlers.domain.ticket import Channel
from handlers.domain.workdays import SHANGHAI
from handlers.ports import Outgoing, Undelivered, Work
from handlers.texts import reaching as say

# Reminders and what presses for something are private (domain.md §13 F5).
_MAY_CALL: Final = frozenset({Kind.MESSAGE, Kind.ANSWER, Kind.CARD, Kind.QUESTION})


class Reaching:
    def __init__(self, work: Work, now: datetime) -> None:
        self._work = work
        self._now = now

    def lost(self, row_id: int, why: Lost | None) -> bool:
        """Whether it goes another way now; where it does not, it ends as undelivered.

        Without `why` there is nothing wrong with the person: only this message was not taken.
        """
        if self._work.outbox.another_way(row_id):
            return True
        message = self._work.outbox.undelivered(row_id)
        if message is not None and why is not None:
            person = self._person(message)
            self._call(message, person)
            if person is not None:
                self._tell(person, why)
        return False

    def _person(self, message: Undelivered) -> Person | None:
        people = self._work.people
        if message.person is not None:
            return people.person(message.person)
        known = people.identity(message.user)
        return None if known is None else people.person(known.person_id)

    # ---- in the group

    def _call(self, message: Undelivered, person: Person | None) -> None:
        """One short call a day where what it is about was spoken of; nothing of it is told there."""
        ticket = None if message.ticket is None else self._work.tickets.find(message.ticket)
        if message.kind not in _MAY_CALL or (ticket is not None and ticket.confidential):
            return
        where, told = message.asked_in, say.call_again()
        if not where and ticket is not None and person is not None and not person.is_staff:
            source = ticket.source
            if source.channel is Channel.GROUP and source.platform == message.user.platform:
                where, told = source.chat, say.call(TicketNumber(ticket.number))
        chat = self._work.chats.chat(ChatRef(message.user.platform, where)) if where else None
        if chat is None or chat.archived_at is not None:
            return
        opening = opens_at(self._now, self._work.office.policy())
        asked = bool(message.asked_in)
        name = "" if person is None else person.name
        self._work.outbox.put(
            Outgoing(
                Content(told, mentions=(Mention(message.user, name),)),
                chat=ChatRef(chat.platform, chat.id),
                chat_kind=ChatKind.GROUP,
                ticket=message.ticket,
                not_before=None if asked or opening <= self._now else opening,
                dedupe_key=f"call:{message.user.platform}:{message.user.id}:{self._day()}",
            )
        )

    # ---- who can see to it

    def _tell(self, person: Person, why: Lost) -> None:
        """Once a month, not with every message."""
        told = self._responsible(person)
        if told is None or told.id == person.id:
            return
        people = self._work.people
        firm = None if person.enterprise_id is None else people.enterprise(person.enterprise_id)
        text = say.unreachable(person.name, "" if firm is None else firm.short_name, why)
        put = self._work.outbox.put(
            Outgoing(
                Content(text), person=told.id, dedupe_key=f"lost:{person.id}:{self._day()[:7]}"
            )
        )
        if put is not None:
            facts = {"why": why.value, "told": told.id}
            self._work.audit.add(self._now, "system", "person.unreachable", person.id, facts)

    def _responsible(self, person: Person) -> Person | None:
        """A firm's own liaison; for staff, and where nobody is paired, the desk; then its head."""
        people = self._work.people
        if person.enterprise_id is not None:
            standing = people.standing(person.enterprise_id, self._now)
            for one in (*sorted(standing.backup_ids), standing.liaison_id):
                liaison = None if one is None else people.person(one)
                if liaison is not None and liaison.active:
                    return liaison
        duty = people.duty_person()
        return people.chief() if duty is None or duty.id == person.id else duty

    def _day(self) -> str:
        return self._now.astimezone(SHANGHAI).date().isoformat()
