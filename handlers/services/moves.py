"""From what somebody typed or pressed to one move: which ticket, what it needs, asking back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.chat.events import ChatKind, EventKind, InboundEvent
from handlers.chat.grammar import TicketRef, refs_in_bot_text
from handlers.chat.outbound import Card, Reply
from handlers.domain.category import Category
from handlers.domain.errors import BadInput, StaleVersion, UnknownTicket
from handlers.domain.people import Role
from handlers.domain.ticket import (
    LIVE,
    NOT_ACCEPT_REASONS,
    Args,
    Move,
    State,
    Ticket,
)
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Dialogue, HeardMessage, TicketMessage, Work
from handlers.services.people import PeopleService, Speaker
from handlers.services.tickets import Report, TicketService
from handlers.texts import ladder
from handlers.texts import tickets as say
from handlers.texts.common import MOVE_NAMES
from handlers.texts.corrections import category_named, urgency_named
from handlers.understanding import Lexicon, title_of, topic, urgency
from handlers.understanding.times import date_in


def as_message(heard: HeardMessage, ticket: Ticket) -> TicketMessage:
    """What was heard before it was known to belong to the ticket."""
    return TicketMessage(
        heard.at,
        ticket.reporter_id,
        ticket.reporter_name,
        heard.text or "[图片]",
        heard.platform,
        heard.chat,
        heard.message_id,
        heard.attachments,
    )


class AskBack(Exception):
    """The bot has to ask before it can go on; the reply holds the question."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("ask back")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing asked of the bot, by word, button or as the answer to its question."""

    speaker: Speaker
    event: InboundEvent
    word: str = ""
    ref: TicketRef | None = None
    rest: str = ""
    version: int | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False

    @property
    def pressed(self) -> bool:
        return self.event.press is not None


PATIENCE: Final = timedelta(minutes=30)
_LONGEST: Final = 4000


class Moves:
    """Carries out moves for one speaker in one chat."""

    def __init__(
        self,
        work: Work,
        clock: Clock,
        calendar: WorkCalendar,
        tickets: TicketService,
        people: PeopleService,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self.lexicon: Final = lexicon
        self.tickets: Final = tickets
        self._people = people

    # ---- which ticket

    def choose(self, asked: Asked, move: Move) -> Ticket:
        """The ticket that is meant: number, quote, or the only one that fits.

        Raises UnknownTicket, or AskBack with the list where several fit.
        """
        named = self.named(asked)
        if named is not None:
            return named
        fitting = self.tickets.fitting(asked.speaker, move)
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            if asked.exact and asked.event.chat_kind is ChatKind.GROUP and not asked.pressed:
                raise AskBack(Reply())
            raise AskBack(Reply.say(say.none_fits(move)))
        self.wait(asked, "pick", {"m": move.value, "text": asked.rest})
        raise AskBack(Reply.say(say.which_ticket(move, fitting)))

    def decide(self, asked: Asked, options: Sequence[Move]) -> Reply | None:
        """One of several answers to what somebody asked for; None where nothing awaits one."""
        named, tickets = self.named(asked), self.tickets
        if named is not None:
            found = [(m, named) for m in options if tickets.fitting_one(named, asked.speaker, m)]
        else:
            found = [(m, t) for m in options for t in tickets.fitting(asked.speaker, m)]
        if len(found) == 1:
            return self.on(found[0][1], asked, found[0][0])
        if found:
            return Reply.say(say.which_decision([(MOVE_NAMES[m], t) for m, t in found]))
        if named is not None:
            raise BadInput("nothing_pending", number=named.number)
        return None

    def take(self, asked: Asked) -> Reply:
        """Take a ticket: a free one, or the one that a colleague hands over."""
        named, tickets = self.named(asked), self.tickets
        if named is not None:
            offered = tickets.fitting_one(named, asked.speaker, Move.TRANSFER_ACCEPT)
        elif tickets.fitting(asked.speaker, Move.CLAIM):
            offered = ()
        else:
            offered = tickets.fitting(asked.speaker, Move.TRANSFER_ACCEPT)
        if len(offered) != 1:
            return self.go(asked, Move.CLAIM)
        reply = self.on(offered[0], asked, Move.TRANSFER_ACCEPT)
        if offered[0].state is not State.OPEN:
            return reply
        return self.on(self.load(asked, offered[0].number), asked, Move.CLAIM)

    def named(self, asked: Asked) -> Ticket | None:
        """The ticket that is named by number, button or quote."""
        if asked.ref is not None:
            return self.tickets.load(asked.ref, asked.speaker)
        number = asked.args.get("t", "")
        if number.isdigit():
            return self.tickets.load(TicketRef(int(number)), asked.speaker)
        return self.quoted(asked.event, asked.speaker)

    def quoted(self, event: InboundEvent, speaker: Speaker) -> Ticket | None:
        """The ticket of the message that is quoted, if this person may know of it."""
        quote = event.quote
        if quote is None:
            return None
        for ref in filter(None, (quote.message_ref, quote.root_ref)):
            number = self._work.heard.ticket_of_sent(event.platform, ref)
            if number is None:
                heard = self._work.heard.find(event.platform, ref)
                number = None if heard is None else heard.number
            if number is not None:
                return self._readable(number, speaker)
        numbers = refs_in_bot_text(quote.text)
        return self._readable(numbers[0], speaker) if len(numbers) == 1 else None

    def load(self, asked: Asked, number: int) -> Ticket:
        return self.tickets.load(TicketRef(number), asked.speaker)

    def picked(self, asked: Asked, otherwise: Callable[[], Reply | None]) -> Reply | None:
        """The number that answers the list; anything else is heard as ordinary speech."""
        digits = re.fullmatch(r"[#\s]*(\d{4,9})\s*号?单?", asked.rest.strip())
        if digits is None:
            return otherwise()
        ticket = self.load(asked, int(digits.group(1)))
        facts = dict(asked.facts)
        move = Move(facts["m"])
        if "rating" in facts:
            facts["rating"] = int(facts["rating"])
        return self.on(ticket, replace(asked, rest=facts.get("text", ""), facts=facts), move)

    def _readable(self, number: int, speaker: Speaker) -> Ticket | None:
        try:
            return self.tickets.load(TicketRef(number), speaker)
        except UnknownTicket:
            return None

    def wait(self, asked: Asked, topic: str, facts: Mapping[str, Any]) -> None:
        """Take this person's next message here as the answer."""
        self._work.dialogues.put(
            Dialogue(
                asked.speaker.key,
                asked.event.chat,
                topic,
                facts,
                self._clock.now() + PATIENCE,
            )
        )

    # ---- carrying it out

    def go(self, asked: Asked, move: Move) -> Reply:
        """Choose the ticket, ask for what is missing, make the move, answer."""
        ticket = self.choose(asked, move)
        return self.on(ticket, asked, move)

    def on(self, ticket: Ticket, asked: Asked, move: Move) -> Reply:
        """Make one move on a ticket that was found."""
        if ticket.state is State.MERGED and move not in (Move.UNMERGE, Move.MERGE):
            # A reply to a merged number lands on the live ticket (property 8).
            ticket = self.tickets.live_target(ticket)
            if not self.tickets.may_read(ticket, asked.speaker):
                raise UnknownTicket(f"#{ticket.number}")
        text = asked.rest.strip()
        if len(text) > _LONGEST:
            raise BadInput("too_long")
        if not text and move in say.NEEDS and move not in _MAY_BE_BARE:
            if asked.version is not None and asked.version != ticket.version:
                self._check_stale(ticket, asked, move)
            if move is Move.RATE and asked.args.get("r"):
                text = asked.args["r"]
            else:
                # Nothing is asked for that could not be used.
                self.tickets.permit(ticket, asked.speaker, move)
                self.wait(asked, "move", {"t": ticket.number, "m": move.value})
                return Reply.say(say.needs(move, ticket), ticket=ticket.number)
        carry = _CARRY.get(move, Moves._plain)
        after = carry(self, ticket, asked, move, text)
        if asked.event.kind is EventKind.MESSAGE:
            # The message is about this ticket: what is said next may be, too.
            self._work.heard.belongs(asked.event.platform, asked.event.event_id, ticket.number)
        return self._answer(ticket, after, asked, move)

    def _check_stale(self, ticket: Ticket, asked: Asked, move: Move) -> None:
        """A stale button says what has happened since, unless the move still makes sense."""
        if not self.tickets.fitting_one(ticket, asked.speaker, move):
            raise StaleVersion(ticket.number, ticket.version)

    def _version(self, ticket: Ticket, asked: Asked, move: Move) -> int | None:
        """Buttons carry the version they were drawn for; where the move still fits it may go on."""
        if asked.version is None or asked.version == ticket.version:
            return None
        if move is Move.RATE and ticket.state is State.CLOSED:
            # Of the cycle that the card asked about: nothing but its closing came between.
            return None if asked.version + 1 == ticket.version else asked.version
        fits = self.tickets.fitting_one(ticket, asked.speaker, move)
        return None if fits and move not in _STRICT else asked.version

    def _act(self, ticket: Ticket, asked: Asked, move: Move, args: Args) -> Ticket:
        return self.tickets.act(
            ticket, move, asked.speaker, args, self._version(ticket, asked, move)
        )

    def _plain(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        return self._act(ticket, asked, move, Args(text=text))

    def _said(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        """A move whose text is the firm's own message."""
        after = self._plain(ticket, asked, move, text)
        self.keep(after, asked, text)
        before = self.pictures_before(asked)
        for heard in before:
            self.tickets.add_message(after, as_message(heard, after))
        if asked.event.attachments or before:
            self.came_along(after, asked)
        return after

    def came_along(self, ticket: Ticket, asked: Asked) -> None:
        speaker = asked.speaker
        name = ticket.reporter_name if speaker.person is None else speaker.person.name
        self.tickets.telling.came_along(ticket, speaker.person, name)

    def keep(self, ticket: Ticket, asked: Asked, text: str) -> None:
        """Keep the message with its ticket."""
        event, person = asked.event, asked.speaker.person
        self.tickets.add_message(
            ticket,
            TicketMessage(
                self._clock.now(),
                None if person is None else person.id,
                asked.speaker.name,
                text,
                event.platform,
                event.chat.id,
                event.event_id,
                event.attachments,
            ),
        )
        self._work.heard.belongs(event.platform, event.event_id, ticket.number)

    def pictures_before(self, asked: Asked) -> tuple[HeardMessage, ...]:
        """Pictures that the same person sent within the last two minutes, not yet of any ticket."""
        event = asked.event
        since = self._clock.now() - self._work.office.policy().join_pictures
        heard = self._work.heard.recent(event.platform, event.chat.id, asked.speaker.key, since)
        waiting = (h for h in heard if h.number is None and h.message_id != event.event_id)
        return tuple(h for h in waiting if h.attachments)

    def meet(self, asked: Asked) -> Reply:
        """知悉 with a day for a meeting: until then nothing climbs."""
        if "t" in asked.facts:
            ticket = self.load(asked, int(asked.facts["t"]))
        else:
            ticket = self.choose(asked, Move.ACKNOWLEDGE)
        until, _ = self.date(asked.rest)
        if until is None:
            if asked.rest.strip():
                raise BadInput("date_unclear", number=ticket.number)
            self.wait(asked, "meet", {"t": ticket.number})
            return Reply.say(say.meeting_wanted(ticket), ticket=ticket.number)
        args = Args(text=asked.rest.strip(), until=until)
        after = self._act(ticket, asked, Move.ACKNOWLEDGE, args)
        return Reply.say(say.meeting_set(after, self._clock.now()), after.number)

    def _person_and_reason(self, text: str) -> tuple[str, str]:
        parts = re.split(r"[\s,，:：;；]+", text.lstrip("@给到"), maxsplit=1)
        return parts[0], parts[1] if len(parts) > 1 else ""

    def _to_person(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        name, reason = self._person_and_reason(text)
        person = self._people.staff_named(name)
        return self._act(ticket, asked, move, Args(text=reason, person=person))

    def date(self, text: str) -> tuple[datetime | None, str]:
        return date_in(text, self._clock.now(), self._calendar, self._calendar.zone)

    def _with_date(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        until, reason = self.date(text)
        if until is None:
            raise BadInput("date_unclear", number=ticket.number)
        return self._act(ticket, asked, move, Args(text=reason, until=until))

    def _shelve(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        until, rest = self.date(text)
        reason, _, told = rest.replace("；", ";").partition(";")
        if not told:
            found = _TOLD.search(rest)
            told = "" if found is None else found.group()
            reason = rest if found is None else rest[: found.start()] + rest[found.end() :]
        return self._act(
            ticket, asked, move, Args(text=reason.strip(), until=until, told=told.strip())
        )

    def _refer(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        until, rest = self.date(text)
        department, _, note = rest.strip().partition(" ")
        department = re.sub(r"^(给|到|至|转)", "", department)
        return self._act(
            ticket, asked, move, Args(text=note.strip(), department=department, until=until)
        )

    def _rate(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        pressed = asked.args.get("r", "")
        rating = asked.facts.get("rating") or (int(pressed) if pressed.isdigit() else None)
        if rating is None and text.strip().isdigit():
            rating = int(text)
        return self._act(ticket, asked, move, Args(text=asked.rest, rating=rating))

    def _not_accept(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        code, rest = not_accept_reason(text)
        return self._act(ticket, asked, move, Args(text=rest, code=code))

    def _reclassify(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        category, urgency = category_named(text), urgency_named(text)
        if category is None and urgency is None:
            raise BadInput("category_unclear", number=ticket.number)
        return self._act(ticket, asked, move, Args(text=text, category=category, urgency=urgency))

    def _other(self, asked: Asked, text: str) -> Ticket:
        digits = re.search(r"\d{4,9}", text)
        if digits is None:
            raise BadInput("target_needed", number="")
        return self.tickets.load(TicketRef(int(digits.group())), asked.speaker)

    def _merge(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        return self.tickets.merge(ticket, self._other(asked, text), asked.speaker, text)

    def _link(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        return self.tickets.link(ticket, self._other(asked, text), asked.speaker)

    def _split(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        category, _ = topic(text, self.lexicon)
        category = category if category is not Category.OTH else ticket.category
        person = asked.speaker.person
        self.tickets.split(
            ticket,
            asked.speaker,
            Report(
                title_of(text, category),
                text,
                category,
                urgency(text, self.lexicon),
                ticket.enterprise_id,
                person,
                asked.speaker.name,
                ticket.source,
            ),
        )
        return self._work.tickets.get(ticket.number)

    def _correct_firm(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        enterprise = self._people.firm_named(text)
        args = Args(text=enterprise.short_name, enterprise_id=enterprise.id)
        return self._act(ticket, asked, move, args)

    def _name_firm(self, ticket: Ticket, asked: Asked, move: Move, text: str) -> Ticket:
        enterprise = self._people.firm_named(text)
        return self._act(ticket, asked, move, Args(text=text, enterprise_id=enterprise.id))

    # ---- answering

    def _answer(self, before: Ticket, after: Ticket, asked: Asked, move: Move) -> Reply:
        now = self._clock.now()
        owner = self.tickets.telling.owner(after)
        told = _ANSWERS[move](before, after, owner, now)
        if move in (Move.NAME_FIRM, Move.CORRECT_FIRM):
            told = say.firm_named(after, self.tickets.telling.firm(after), owner)
        if asked.pressed:
            card = self._card(after, asked, told)
            if card is not None:
                return Reply.show(card, told, after.number)
        return Reply.say(told, after.number)

    def _card(self, ticket: Ticket, asked: Asked, told: str) -> Card | None:
        """The pressed card as the ticket stands now, under the key it was pressed by."""
        press = asked.event.press
        if press is None:
            return None
        now = self._clock.now()
        telling = self.tickets.telling
        firm, owner = telling.firm(ticket), telling.owner(ticket)
        face = press.card_key.rsplit(":", 1)[-1]
        person = asked.speaker.person
        if person is not None and person.role is Role.MANAGER:
            card = say.firm_card(ticket, owner, now, told)
        elif face == "handler":
            contact = telling.firm_person(ticket)
            named = ticket.reporter_name or (contact.name if contact else "")
            card = say.handler_card(ticket, firm, named, owner, now)
        elif face == "leader" and ticket.is_live:
            card = say.leader_card(ticket, firm, owner, told, now)
        elif face == "chief" and ticket.is_live:
            leader = say.someone(telling.leader(ticket))
            card = ladder.chief_card(ticket, firm, owner, leader, told, now)
        else:
            card = say.decided_card(ticket, face, firm, owner, now)
        return replace(card, key=press.card_key) if press.card_key else card


_TOLD: Final = re.compile(r"[^,，;；。]*(?:告知|说明|沟通|讲清|解释)[^;；。]*")
# These ask for a text, but a button may carry it.
_MAY_BE_BARE: Final = frozenset({Move.TRANSFER_REFUSE, Move.EXTEND_REFUSE, Move.SHELVE_REFUSE})
# A button of another version must not decide what has changed meanwhile.
_STRICT: Final = frozenset(
    {Move.EXTEND_APPROVE, Move.SHELVE_APPROVE, Move.VERDICT_YES, Move.VERDICT_NO, Move.RATE}
)
_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "outside": ("不属本区职责", "不属本区", "不属于", "outside"),
    "court": ("已进入诉讼", "诉讼中", "诉讼", "仲裁", "信访", "court"),
    "duplicate": ("重复提交", "重复", "duplicate"),
    "unclear": ("信息不全", "无法核实", "unclear"),
    "mistake": ("误建", "mistake"),
    "other": ("有其他法定途径", "其他途径", "其他", "other"),
}
assert set(_REASONS) == set(NOT_ACCEPT_REASONS)


def not_accept_reason(text: str) -> tuple[str, str]:
    """The reason of the list that a text begins with, none where it begins otherwise, and the rest."""
    for code, words in _REASONS.items():
        for word in (NOT_ACCEPT_REASONS[code], *words):
            if text.startswith(word):
                return code, text[len(word) :].strip(" ,，:：;；")
    return "", text


Carry = Callable[[Moves, Ticket, Asked, Move, str], Ticket]
_CARRY: Final[Mapping[Move, Carry]] = {
    Move.FOLLOW_UP: Moves._said,
    Move.REPLY: Moves._said,
    Move.TRANSFER: Moves._to_person,
    Move.REASSIGN: Moves._to_person,
    Move.EXTEND: Moves._with_date,
    Move.SHELVE: Moves._shelve,
    Move.REFER: Moves._refer,
    Move.RATE: Moves._rate,
    Move.NOT_ACCEPT: Moves._not_accept,
    Move.RECLASSIFY: Moves._reclassify,
    Move.MERGE: Moves._merge,
    Move.LINK: Moves._link,
    Move.SPLIT: Moves._split,
    Move.NAME_FIRM: Moves._name_firm,
    Move.CORRECT_FIRM: Moves._correct_firm,
}
Answer = Callable[[Ticket, Ticket, str, datetime], str]
_ANSWERS: Final[Mapping[Move, Answer]] = {
    Move.CLAIM: lambda b, a, o, now: say.claimed(a, now),
    Move.PROGRESS: lambda b, a, o, now: say.progressed(a),
    Move.RESOLVE: lambda b, a, o, now: say.resolved(a),
    Move.ANSWER: lambda b, a, o, now: say.resolved(a),
    Move.ASK: lambda b, a, o, now: say.asked(a),
    Move.REPLY: lambda b, a, o, now: say.follow_up_taken(a),
    Move.FOLLOW_UP: lambda b, a, o, now: say.follow_up_taken(a),
    Move.URGE: lambda b, a, o, now: say.urged(a, o, a.level > b.level),
    Move.VERDICT_YES: lambda b, a, o, now: say.thanks_for_rating(a),
    Move.RATE: lambda b, a, o, now: (
        say.reopened(a, o) if a.state in LIVE else say.thanks_for_rating(a)
    ),
    Move.VERDICT_NO: lambda b, a, o, now: say.reopened(a, o),
    Move.REOPEN: lambda b, a, o, now: say.reopened(a, o),
    Move.WITHDRAW: lambda b, a, o, now: say.withdrawn(a),
    Move.TRANSFER: lambda b, a, o, now: say.transferred(a),
    Move.TRANSFER_ACCEPT: lambda b, a, o, now: say.transfer_accepted(a),
    Move.TRANSFER_REFUSE: lambda b, a, o, now: say.turned_down(a, Move.TRANSFER),
    Move.REASSIGN: lambda b, a, o, now: say.reassigned(a, o),
    Move.DECLINE: lambda b, a, o, now: say.declined(a),
    Move.REFER: lambda b, a, o, now: say.referred(a, now),
    Move.DEPARTMENT_RESULT: lambda b, a, o, now: say.department_answered(a),
    Move.RECALL: lambda b, a, o, now: say.department_answered(a),
    Move.SHELVE: lambda b, a, o, now: (
        say.shelved(a, now) if a.state is State.SHELVED else say.asked_leader(a, Move.SHELVE)
    ),
    Move.SHELVE_APPROVE: lambda b, a, o, now: say.shelved(a, now),
    Move.SHELVE_REFUSE: lambda b, a, o, now: say.turned_down(a, Move.SHELVE),
    Move.EXTEND: lambda b, a, o, now: (
        say.granted(a, now) if a.pending_until is None else say.asked_leader(a, Move.EXTEND)
    ),
    Move.EXTEND_APPROVE: lambda b, a, o, now: say.extended(a, now),
    Move.EXTEND_REFUSE: lambda b, a, o, now: say.turned_down(a, Move.EXTEND),
    Move.REVIEW: lambda b, a, o, now: say.reviewed(a),
    Move.RETRACT: lambda b, a, o, now: say.retracted(a),
    Move.NOT_ACCEPT: lambda b, a, o, now: say.not_accepted(a),
    Move.MERGE: lambda b, a, o, now: say.merged(a, a.merged_into or 0),
    Move.UNMERGE: lambda b, a, o, now: say.unmerged(a),
    Move.LINK: lambda b, a, o, now: say.linked(a),
    Move.SPLIT: lambda b, a, o, now: say.split_off(a),
    Move.SUPERVISE: lambda b, a, o, now: say.supervised(a),
    Move.ESCALATE: lambda b, a, o, now: say.escalated(a),
    Move.ACKNOWLEDGE: lambda b, a, o, now: say.acknowledged(a, now),
    Move.RECLASSIFY: lambda b, a, o, now: say.reclassified(a),
    Move.SET_CONFIDENTIAL: lambda b, a, o, now: say.confidential(a),
    Move.NAME_FIRM: lambda b, a, o, now: say.firm_named(a, "", o),
    Move.CORRECT_FIRM: lambda b, a, o, now: say.firm_named(a, "", o),
}
