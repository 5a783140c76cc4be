"""The outside model's proposals: what it may be told of a ticket, and what is made of its answer."""

import difflib
import re
from dataclasses import dataclass
from typing import Final

from handlers.chat.outbound import Content
from handlers.domain.category import Category
from handlers.domain.ids import TicketNumber
from handlers.domain.ticket import LIVE, TITLE_LENGTH, Kind, Ticket
from handlers.ports import Advice, Clock, Outcome, Outgoing, StillTrue, Work
from handlers.ports.policies import PolicyText
from handlers.services.telling import Telling
from handlers.texts import advice as say
from handlers.understanding.masking import Hidden, Masker, is_sealed
from handlers.understanding.proposals import Proposal

MOST_SAID: Final = 4000
_LONGEST: Final = 1500
# Titles that differ only in a word or a mark are not worth anybody's time.
_SAME: Final = 0.75
_MARKS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Question:
    """What may be said of one ticket outside."""

    number: TicketNumber
    hidden: Hidden
    policies: tuple[PolicyText, ...] = ()

    @property
    def wants_draft(self) -> bool:
        return bool(self.policies)

    @property
    def sent(self) -> str:
        """Everything the model is given."""
        return "\n".join(
            [self.hidden.text, *(f"{p.title}\n{p.day}\n{p.text}" for p in self.policies)]
        )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What of a proposal differs from what is registered."""

    title: str = ""
    category: Category | None = None
    parts: tuple[str, ...] = ()
    draft: str = ""


class AdviceService:
    """Never opens, moves or closes anything: it keeps rows of its own and writes to the handler."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._telling: Final = Telling(work, clock)

    def question(self, number: TicketNumber, masker: Masker) -> Question | None:
        """What may leave of a ticket; None for one of which nothing may."""
        ticket = self._work.tickets.find(number)
        if ticket is None or not self._may_leave(ticket):
            return None
        hidden = masker.hide(ticket.body[:_LONGEST], ticket.reporter_name)
        policies: tuple[PolicyText, ...] = ()
        if ticket.kind is Kind.CONSULT:
            policies = self._work.policies.about(ticket.body)
        return Question(number, hidden, policies)

    def _may_leave(self, ticket: Ticket) -> bool:
        if ticket.confidential or not ticket.is_live or not ticket.body.strip():
            return False
        return not is_sealed(f"{ticket.title}{ticket.body}")

    def keep(
        self,
        question: Question,
        model: str,
        outcome: Outcome,
        said: str,
        proposal: Proposal | None = None,
    ) -> Outcome:
        """Keep what was said beside the ticket, and show its handler what is new in it."""
        ticket = self._work.tickets.get(question.number)
        offer = _Offer()
        if proposal is not None:
            offer = self._offer(ticket, proposal, question)
            outcome = Outcome.IGNORED if offer == _Offer() else Outcome.USED
        offered = {
            "title": offer.title,
            "category": None if offer.category is None else offer.category.value,
            "parts": list(offer.parts),
            "draft": offer.draft,
        }
        advice = Advice(
            ticket.number,
            self._clock.now(),
            model,
            outcome,
            said[:MOST_SAID],
            {name: value for name, value in offered.items() if value},
        )
        advice_id = self._work.advice.add(advice)
        if outcome is Outcome.USED:
            self._show(ticket, advice_id, offer, question)
        return outcome

    def _offer(self, ticket: Ticket, proposal: Proposal, question: Question) -> _Offer:
        """Nothing where the ticket ended or became confidential meanwhile."""
        if ticket.confidential or not ticket.is_live:
            return _Offer()
        title = self._named(proposal.title, question)
        if title and _same(title, ticket.title):
            title = ""
        category = None if proposal.category is ticket.category else proposal.category
        parts: tuple[str, ...] = ()
        if len(proposal.problems) > 1:
            named = tuple(self._named(p, question) for p in proposal.problems)
            parts = named if all(named) else ()
        return _Offer(title, category, parts, proposal.draft)

    def _named(self, title: str, question: Question) -> str:
        """A title with its firms and people named; empty where it cannot stand on a card."""
        named = question.hidden.shown(title)
        return named if named is not None and len(named) <= TITLE_LENGTH else ""

    def _show(self, ticket: Ticket, advice_id: int, offer: _Offer, question: Question) -> None:
        if offer.title or offer.category is not None:
            card = say.advice_card(ticket, advice_id, offer.title, offer.category, offer.parts)
            self._send(ticket, Content.of(card), "advice")
        elif offer.parts:
            self._send(ticket, Content(say.split_line(ticket, offer.parts)), "advice")
        if offer.draft:
            sources = [(p.title, p.day.isoformat()) for p in question.policies]
            self._send(ticket, Content(say.draft_text(ticket, offer.draft, sources)), "draft")

    def _send(self, ticket: Ticket, content: Content, what: str) -> None:
        """To the handler alone, as long as it is theirs; never to a group."""
        handler = self._telling.handler(ticket)
        if handler is None or not handler.active:
            return
        self._work.outbox.put(
            Outgoing(
                content,
                person=handler.id,
                ticket=ticket.number,
                dedupe_key=f"t{ticket.number}:{what}",
                still=StillTrue(ticket.number, LIVE, owner_id=ticket.owner_id),
            )
        )


def _same(one: str, other: str) -> bool:
    bare, against = _MARKS.sub("", one), _MARKS.sub("", other)
    return difflib.SequenceMatcher(None, bare, against).ratio() >= _SAME
