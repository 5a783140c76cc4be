"""One tap puts a ticket right: what may be wrong, the likeliest answers first."""

from dataclasses import replace
from typing import Final

from handlers.chat.events import ChatKind
from handlers.chat.outbound import Card, Content, Reply
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import BadInput, IllegalMove, NotAllowed, StaleVersion, UnknownTicket
from handlers.domain.ticket import MOVES, Args, Move, State, Ticket
from handlers.ports import Clock, Outgoing, StillTrue, Work
from handlers.services.examples import MISTAKE
from handlers.services.moves import Asked, Moves
from handlers.texts import advice as advice_say
from handlers.texts import common
from handlers.texts import corrections as say
from handlers.texts import tickets as ticket_say
from handlers.understanding import Lexicon, read, topic

# What a card offers besides the categories, and the move that each comes to.
_ALSO: Final = {
    "urgency": Move.RECLASSIFY,
    "not_problem": Move.NOT_ACCEPT,
    "join": Move.MERGE,
    "firm": Move.CORRECT_FIRM,
}
_LACKING: Final = {
    Move.MERGE: "target_needed",
    Move.CORRECT_FIRM: "firm_needed",
    Move.NAME_FIRM: "firm_needed",
}


def likely(ticket: Ticket, lexicon: Lexicon | None, count: int = 2) -> tuple[Category, ...]:
    """The categories that fit the text best, but for the one that is registered."""
    text = ticket.body or ticket.title
    shares = read(text, None, lexicon=lexicon).probabilities
    if shares is None:
        best = topic(text, lexicon)[0]
        return () if best is ticket.category else (best,)
    ranked = sorted(shares.categories().items(), key=lambda pair: -pair[1])
    return tuple(c for c, _ in ranked if c is not ticket.category)[:count]


class Corrections:
    """The cards of corrections; every change is a move, and kept as an example by it."""

    def __init__(self, work: Work, clock: Clock, moves: Moves) -> None:
        self._work = work
        self._clock = clock
        self._moves = moves
        self._tickets = moves.tickets

    # ---- which ticket, and whether this person may

    def _ticket(self, asked: Asked, move: Move = Move.RECLASSIFY, by: Move | None = None) -> Ticket:
        """The ticket that is named, where this person may make `move`, or what `by` allows."""
        ticket = self._moves.named(asked)
        if ticket is None:
            raise UnknownTicket("")
        return self._may(ticket, asked, move, by)

    def _may(
        self, ticket: Ticket, asked: Asked, move: Move = Move.RECLASSIFY, by: Move | None = None
    ) -> Ticket:
        if ticket.state is State.MERGED:
            ticket = self._tickets.live_target(ticket)
            if not self._tickets.may_read(ticket, asked.speaker):
                raise UnknownTicket(f"#{ticket.number}")
        if not self._tickets.entitled(ticket, asked.speaker, by or move):
            raise NotAllowed(ticket.number, move)
        if ticket.state not in MOVES[move].sources:
            raise IllegalMove(ticket.number, ticket.state, move)
        return ticket

    def _stale(self, ticket: Ticket, asked: Asked) -> Reply | None:
        """A button of before is answered, not carried out: the card is shown as it is now.

        On a card that only decides there is nothing to show, so it is refused outright.
        """
        drawn_for = (asked.args.get("t"), asked.version)
        press = asked.event.press
        if press is None or drawn_for == (str(ticket.number), ticket.version):
            return None
        stale = StaleVersion(ticket.number, ticket.version)
        if not press.card_key.endswith(say.CARD):
            raise stale
        card = self._card(ticket)
        return _turned(asked, ticket, card, common.refused(stale, self._clock.now()))

    def _firm(self, ticket: Ticket) -> str:
        return self._tickets.telling.firm(ticket)

    # ---- the cards

    def _card(self, ticket: Ticket) -> Card:
        near = likely(ticket, self._moves.lexicon)
        return say.correct_card(ticket, self._firm(ticket), near)

    def start(self, asked: Asked) -> Reply:
        """A card of its own, for this person alone: the pressed one keeps its buttons."""
        ticket = self._may(self._moves.choose(asked, Move.RECLASSIFY), asked)
        card = self._card(ticket)
        person = asked.speaker.person
        if not asked.pressed or person is None:
            return replace(Reply.show(card, ticket=ticket.number), secret=True)
        self._work.outbox.put(Outgoing(Content.of(card), person=person.id, ticket=ticket.number))
        return Reply(toast=say.opened(ticket))

    def show(self, asked: Asked) -> Reply:
        ticket = self._ticket(asked)
        return _turned(asked, ticket, self._card(ticket))

    def more(self, asked: Asked) -> Reply:
        ticket = self._ticket(asked)
        offered = [name for name, move in _ALSO.items() if self._offers(ticket, asked, move)]
        return _turned(asked, ticket, say.more_card(ticket, self._firm(ticket), offered))

    def _offers(self, ticket: Ticket, asked: Asked, move: Move) -> bool:
        if move is Move.NOT_ACCEPT:
            # Whoever handles it may propose it.
            return ticket.state in MOVES[move].sources
        return bool(self._tickets.fitting_one(ticket, asked.speaker, move))

    # ---- putting it right

    def category(self, asked: Asked) -> Reply:
        wanted = asked.args.get("c")
        if wanted not in set(Category):
            return self.other(asked)
        return self._reclassify(self._ticket(asked), asked, Args(category=Category(wanted)))

    def other(self, asked: Asked) -> Reply:
        """Any other category is typed."""
        return self._moves.on(self._ticket(asked), asked, Move.RECLASSIFY)

    def urgency(self, asked: Asked) -> Reply:
        ticket, wanted = self._ticket(asked), asked.args.get("u")
        if wanted not in set(Urgency):
            return _turned(asked, ticket, say.urgency_card(ticket, self._firm(ticket)))
        return self._reclassify(ticket, asked, Args(urgency=Urgency(wanted)))

    def title(self, asked: Asked) -> Reply:
        return self._reclassify(self._ticket(asked), asked, Args(title=asked.rest))

    def advised(self, asked: Asked) -> Reply:
        """What the outside model proposed is taken, by a person and as that person's correction."""
        ticket = self._ticket(asked)
        number, what = asked.args.get("a", ""), asked.args.get("w", "")
        advice = self._work.advice.get(int(number)) if number.isdigit() else None
        if advice is None or advice.number != ticket.number:
            raise UnknownTicket(f"#{ticket.number}")
        offered, args = advice.offered, Args()
        if what in ("category", "both") and offered.get("category"):
            args = replace(args, category=Category(offered["category"]))
        if what in ("title", "both") and offered.get("title"):
            args = replace(args, title=offered["title"])
        return self._reclassify(ticket, asked, args)

    def _reclassify(self, ticket: Ticket, asked: Asked, args: Args) -> Reply:
        stale = self._stale(ticket, asked)
        if stale is not None:
            return stale
        after = self._tickets.act(ticket, Move.RECLASSIFY, asked.speaker, args)
        told = []
        if (after.category, after.urgency) != (ticket.category, ticket.urgency):
            told.append(ticket_say.reclassified(after))
        if after.title != ticket.title:
            told.append(advice_say.retitled(after))
        return self._done(asked, after, "".join(told))

    def typed(self, asked: Asked) -> Reply:
        """The category or the urgency that was typed behind the number."""
        return self._moves.on(self._ticket(asked), asked, Move.RECLASSIFY)

    def not_problem(self, asked: Asked) -> Reply:
        """Whoever may decides; who only handles it proposes it to the leader."""
        ticket = self._ticket(asked, Move.NOT_ACCEPT, by=Move.RECLASSIFY)
        stale = self._stale(ticket, asked)
        if stale is not None:
            return stale
        if not self._tickets.entitled(ticket, asked.speaker, Move.NOT_ACCEPT):
            return self._propose(ticket, asked)
        after = self._tickets.act(ticket, Move.NOT_ACCEPT, asked.speaker, Args(code=MISTAKE))
        return self._done(asked, after, ticket_say.not_accepted(after))

    def _propose(self, ticket: Ticket, asked: Asked) -> Reply:
        telling, now = self._tickets.telling, self._clock.now()
        by = ticket_say.someone(asked.speaker.person)
        card = say.proposal_card(ticket, self._firm(ticket), by, now)
        decides = telling.leader(ticket) or self._work.people.duty_person()
        still = StillTrue(ticket.number, MOVES[Move.NOT_ACCEPT].sources)
        telling.card(ticket, decides, card, "mistake", still=still)
        self._audit(ticket, asked, "ticket.not_accept_proposed")
        return self._done(asked, ticket, say.proposed(ticket))

    def keep(self, asked: Asked) -> Reply:
        """The leader or the office wants it done all the same."""
        ticket = self._ticket(asked, Move.NOT_ACCEPT)
        telling = self._tickets.telling
        told = say.told_kept(ticket, ticket_say.someone(asked.speaker.person))
        telling.text(ticket, telling.handler(ticket), told, "kept")
        self._audit(ticket, asked, "ticket.not_accept_refused")
        return self._done(asked, ticket, say.kept(ticket))

    def _audit(self, ticket: Ticket, asked: Asked, action: str) -> None:
        person = asked.speaker.person
        facts = {"version": ticket.version, "reason": MISTAKE}
        by = "" if person is None else person.id
        self._work.audit.add(self._clock.now(), by, action, str(ticket.number), facts)

    def join(self, asked: Asked) -> Reply:
        return self._moved(self._ticket(asked, Move.MERGE), asked, Move.MERGE)

    def firm(self, asked: Asked) -> Reply:
        """Another firm; an unknown one is named by the move for that."""
        ticket = self._ticket(asked)
        known = ticket.enterprise_id is not None
        return self._moved(ticket, asked, Move.CORRECT_FIRM if known else Move.NAME_FIRM)

    def answer(self, asked: Asked) -> Reply:
        """The number or the firm that was asked for."""
        ticket = self._moves.load(asked, int(asked.facts["t"]))
        return self._moves.on(ticket, asked, Move(asked.facts["m"]))

    def _moved(self, ticket: Ticket, asked: Asked, move: Move) -> Reply:
        if asked.rest.strip():
            return self._moves.on(ticket, asked, move)
        if asked.event.chat_kind is ChatKind.GROUP:
            # The question would be put to this person alone, and answered there.
            raise BadInput(_LACKING[move], number=ticket.number)
        self._moves.wait(asked, "correct", {"t": ticket.number, "m": move.value})
        return Reply.say(say.ask(ticket, move), ticket.number)

    def _done(self, asked: Asked, ticket: Ticket, told: str) -> Reply:
        press = asked.event.press
        if press is None:
            return Reply.say(told, ticket.number)
        firm = self._firm(ticket)
        if press.card_key.endswith((say.CARD, ":advice")):
            return _turned(asked, ticket, say.done_card(ticket, firm, told), told)
        owner = self._tickets.telling.owner(ticket)
        face = press.card_key.rsplit(":", 1)[-1]
        card = ticket_say.decided_card(ticket, face, firm, owner, self._clock.now())
        return _turned(asked, ticket, card, told)


def _turned(asked: Asked, ticket: Ticket, card: Card, toast: str = "") -> Reply:
    """The pressed card shows its next page; a card keeps the key it was pressed by."""
    press = asked.event.press
    if press is not None and press.card_key:
        card = replace(card, key=press.card_key)
    return Reply.show(card, toast, ticket.number)
