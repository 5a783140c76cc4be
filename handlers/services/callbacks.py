"""Call-backs by a person: whom to ask, and what was heard."""

import re
from datetime import timedelta
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.callback import can_be_asked, may_ask, sample
from handlers.domain.errors import Refusal
from handlers.domain.ids import PersonId
from handlers.domain.people import Person
from handlers.domain.ticket import Args, Move, State, Ticket
from handlers.ports import CallBack, Clock, Means, Outgoing, Work
from handlers.services.people import Speaker
from handlers.services.tickets import TicketService
from handlers.texts import callbacks as say
from handlers.understanding.means import means_of, without_means
from handlers.understanding.rating import rating_of, verdict_of

DAYS: Final = 14
_MARKS: Final = re.compile(r"^[\s,，。;；:：]+|[\s,，;；:：]+$")


class CallBackService:
    def __init__(self, work: Work, clock: Clock, tickets: TicketService) -> None:
        self._work = work
        self._clock = clock
        self._tickets = tickets

    def to_ask(self, speaker: Speaker | None) -> tuple[Ticket, ...]:
        """The list of the last fortnight; for one person what they may read and did not handle."""
        now = self._clock.now()
        since = now - timedelta(days=DAYS)
        stories = self._work.reports.stories(since, now + timedelta(microseconds=1))
        ended = [t for t, _ in stories if t.resolved_at is not None and t.resolved_at > since]
        asked = {
            c.number
            for t in ended
            for c in self._work.reports.called_back(t.number)
            if c.cycle == t.cycle
        }
        wanted = sample(ended, asked, self._work.office.policy())
        if speaker is None or speaker.person is None:
            return wanted
        person = speaker.person
        return tuple(
            t for t in wanted if may_ask(t, person.id) and self._tickets.may_read(t, speaker)
        )

    def listed(self, speaker: Speaker | None) -> str:
        telling = self._tickets.telling
        rows = []
        for ticket in self.to_ask(speaker):
            contact = telling.firm_person(ticket)
            rows.append((ticket, telling.firm(ticket), "" if contact is None else contact.name))
        return say.listed(rows, DAYS)

    def enter(self, ticket: Ticket, speaker: Speaker, text: str) -> str:
        """What a firm said, as one line tells it; no answer of the bot's own asking is touched."""
        person = speaker.person
        assert person is not None
        if not can_be_asked(ticket):
            return say.not_ended(ticket)
        if not may_ask(ticket, person.id):
            return say.own_work(ticket)
        before = [
            c for c in self._work.reports.called_back(ticket.number) if c.cycle == ticket.cycle
        ]
        if before:
            return say.already(ticket, self._name(before[-1].by))
        solved = verdict_of(text)
        rating = rating_of(text)
        if solved is None and rating is not None:
            solved = rating >= 3
        if solved is None:
            return say.solved_needed(ticket.number)
        means = means_of(text)
        said = _MARKS.sub("", without_means(text))
        reopened = not solved and self._reopened(ticket, speaker, said)
        now = self._clock.now()
        self._work.reports.add_call_back(
            CallBack(
                ticket.number,
                ticket.cycle,
                now,
                person.id,
                Means(means),
                solved,
                rating,
                said,
                reopened,
            )
        )
        self._work.audit.add(
            now,
            person.id,
            "ticket.called_back",
            str(ticket.number),
            {"solved": solved, "rating": rating, "cycle": ticket.cycle},
        )
        if not solved and not reopened:
            self._tell(ticket, person, said)
        return say.entered(ticket, means, solved, rating, reopened)

    def _name(self, person_id: PersonId) -> str:
        person = self._work.people.person(person_id)
        return "" if person is None else person.name

    def _reopened(self, ticket: Ticket, speaker: Speaker, said: str) -> bool:
        """The office takes a closed one up again itself; who may not, only tells."""
        if ticket.state is not State.CLOSED:
            return False
        try:
            self._tickets.act(ticket, Move.REOPEN, speaker, Args(text=said))
        except Refusal:
            return False
        return True

    def _tell(self, ticket: Ticket, by: Person, said: str) -> None:
        telling = self._tickets.telling
        told = {p.id: p for p in (telling.handler(ticket), telling.leader(ticket)) if p is not None}
        for person in told.values():
            if person.id != by.id and person.active:
                self._work.outbox.put(
                    Outgoing(
                        Content(say.told_unsolved(ticket, by.name, said), kind=Kind.ESCALATION),
                        person=person.id,
                        ticket=ticket.number,
                        priority=Priority.LADDER,
                        dedupe_key=f"callback:{ticket.number}:{ticket.cycle}:{person.id}",
                    )
                )

    def send_list(self) -> None:
        """Once a week, to the duty desk."""
        now = self._clock.now()
        duty = self._work.people.duty_person()
        if duty is None or not self.to_ask(None):
            return
        self._work.outbox.put(
            Outgoing(
                Content(self.listed(None), kind=Kind.DIGEST),
                person=duty.id,
                priority=Priority.DIGEST,
                dedupe_key=f"callbacks:{now:%Y%m%d}",
            )
        )
