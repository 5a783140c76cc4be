"""Free speech: a problem becomes a ticket, the rest finds the ticket it belongs to, or nothing."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from handlers.chat.events import ChatKind, ChatRef, EventKind
from handlers.chat.filters import Scene
from handlers.chat.grammar import TicketRef, as_typed, ref_in, without_quote
from handlers.chat.outbound import Content, Kind, Reply
from handlers.chat.router import Book
from handlers.domain.category import Urgency
from handlers.domain.errors import BadInput, Refusal, UnknownTicket
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.people import OFFICE_ROLES, Enterprise, Person, Role
from handlers.domain.ticket import LIVE, Args, Channel, Move, Source, State, Ticket
from handlers.domain.ticket import Kind as TicketKind
from handlers.ports import (
    Candidate,
    CandidateState,
    Clock,
    Dialogue,
    Work,
)
from handlers.services.moves import AskBack, Asked, Moves, as_message
from handlers.services.people import PeopleService
from handlers.services.policies import PolicyService
from handlers.services.threads import Found, Threads
from handlers.services.tickets import Report, TicketService
from handlers.services.visits import VisitService
from handlers.texts import common
from handlers.texts import people as people_say
from handlers.texts import tickets as say
from handlers.texts import visits as visits_say
from handlers.understanding import (
    FirmNames,
    Intent,
    Item,
    Lexicon,
    Reading,
    SecondOpinion,
    read,
    title_of,
    topic,
    urgency,
)
from handlers.understanding.acts import (
    Act,
    Said,
    act_of,
    asks_a_fact,
    firm_act,
    still_there,
    takes,
    told_for,
)
from handlers.understanding.reading import CATEGORIES, INTENTS
from handlers.understanding.visit_notes import is_visit, may_be_visit

_QUESTION_GAP: Final = timedelta(minutes=30)
_CANDIDATE_LIFE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Second:
    """The second reader: whether it may be asked, and what it said when it was."""

    may_be_asked: bool = False
    opinion: SecondOpinion | None = None


FIRST_ONLY: Final = Second()


class OpinionWanted(Exception):
    """The first reader is unsure: everything is undone and done again with a second opinion."""

    def __init__(self, text: str, role: str | None) -> None:
        super().__init__("opinion_wanted")
        self.text = text
        self.role = role


class SpeechService:
    """What to do with a message that is no command."""

    def __init__(
        self,
        work: Work,
        clock: Clock,
        tickets: TicketService,
        moves: Moves,
        people: PeopleService,
        firms: FirmNames,
        book: Book,
        policies: PolicyService,
        visits: VisitService,
        second: Second = FIRST_ONLY,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._visits = visits
        self._work = work
        self._clock = clock
        self._tickets = tickets
        self._moves = moves
        self._people = people
        self._firms = firms
        self._book = book
        self._policies = policies
        self._second = second
        self._lexicon = lexicon
        self._threads: Final = Threads(work, clock, tickets)

    def hear(self, asked: Asked) -> Reply | None:
        """Open, join, move, ask or stay silent."""
        event, speaker = asked.event, asked.speaker
        if event.kind is not EventKind.MESSAGE:
            return None
        addressed = event.mention_bot or event.chat_kind is ChatKind.DIRECT
        role = None if speaker.role is None else speaker.role.value
        reading = self._read(asked, role, addressed)
        if reading.unsure and self._second.may_be_asked:
            raise OpinionWanted(asked.rest, role)
        if reading.intent is Intent.SURVEY_REPLY and not self._asked_everybody(event.chat):
            # Figures that nobody asked for: 车间缺操作工20人 is told to whoever can help.
            reading = self._read(asked, role, True)
        if role is not None and role != Role.MANAGER.value:
            return self._staff(asked, reading, addressed)
        return self._firm(asked, reading, addressed)

    def _read(self, asked: Asked, role: str | None, addressed: bool) -> Reading:
        return read(
            asked.rest,
            role,
            asked.event.msg_type,
            addressed,
            self._firms,
            self._work.office.policy().problems_per_message,
            opinion=self._second.opinion,
            lexicon=self._lexicon,
        )

    # ---- the firm's people, and people nobody knows

    def _firm(self, asked: Asked, reading: Reading, addressed: bool) -> Reply | None:
        event, speaker = asked.event, asked.speaker
        if not asked.rest.strip() or event.msg_type in ("image", "file", "video", "location"):
            return self._picture(asked)
        if reading.intent is Intent.ACK and len(asked.rest) < _SHORT_ACK:
            return None
        if addressed and _ASKS_LIST.search(asked.rest):
            return self._own_list(asked, reading)
        new = self._new_behind_thanks(asked)
        if new is not None:
            return new
        named = self._referred(asked)
        if named is not None:
            return self._about(named, asked, reading)
        if self._asks_rule(asked, reading, addressed):
            told = self._from_library(asked, reading)
            if told is not None:
                return told
        found = None
        own = "" if speaker.person is None else speaker.person.enterprise_id
        others = not reading.is_ticket and reading.firms and own not in reading.firms
        if not others and reading.intent is not Intent.SIGNUP:
            found = self._threads.about(event, speaker, self._whole(asked), _FOR_FIRM)
        if found is not None and self._continues(found, asked, reading):
            told = self._about(found.ticket, asked, reading)
            # Whoever told a problem hears that it is known; more of the story needs no answer.
            return self._quietly(told, addressed or reading.is_ticket)
        waiting = [
            t for t in self._threads.candidates.values() if t.state is State.WAITING_ENTERPRISE
        ]
        if len(waiting) == 1 and len(asked.rest) >= 2 and not _another(reading, waiting[0]):
            return self._moves.on(waiting[0], asked, Move.REPLY)
        return self._unbound(asked, reading, addressed)

    def _own_list(self, asked: Asked, reading: Reading) -> Reply:
        """What is told to whoever asks which tickets there are: their own firm's, no other's."""
        person = asked.speaker.person
        if person is None:
            return Reply.say(people_say.who_are_you())
        if any(firm != person.enterprise_id for firm in reading.firms):
            return replace(Reply.say(say.only_own()), private=True)
        found = self._tickets.mine(asked.speaker, LIVE)
        listed = say.ticket_list(say.LIVE_LIST, found, self._clock.now())
        return replace(Reply.say(listed), private=True, secret=True)

    def _asks_rule(self, asked: Asked, reading: Reading, addressed: bool) -> bool:
        """Whether an answer would end it: a question of rules, not something that must be done."""
        shares = reading.probabilities
        if reading.intent is Intent.URGENT or len(reading.items) > 1 or shares is None:
            return False
        if reading.urgency in (Urgency.U1, Urgency.U2):
            return False
        if reading.intent is Intent.POLICY_QUESTION:
            return reading.is_ticket or addressed
        share = shares.intent[INTENTS.index(Intent.POLICY_QUESTION)]
        return addressed and share >= _PERHAPS_RULE and bool(_ASKS.search(asked.rest))

    def _from_library(self, asked: Asked, reading: Reading) -> Reply | None:
        """The approved policies' own answer, kept as a consult ticket that needs nobody."""
        said = self._policies.said(asked.rest)
        if said is None:
            return None
        enterprise, own = self._whose(asked, reading)
        if enterprise is not None and not own:
            # Whose it is would be told to somebody else.
            enterprise = None
        item = (self._surely(asked.rest, Role.MANAGER.value, self._firms).items or (None,))[0]
        assert item is not None
        report = Report(
            item.title,
            asked.rest,
            said.entry.category or item.category,
            Urgency.U3,
            None if enterprise is None else enterprise.id,
            asked.speaker.person,
            asked.speaker.name,
            self._source(asked),
        )
        reply = self._policies.answered(said, report, asked.speaker)
        if reply.ticket is not None:
            event = asked.event
            self._work.heard.belongs(event.platform, event.event_id, TicketNumber(reply.ticket))
        return reply

    def _unbound(self, asked: Asked, reading: Reading, addressed: bool) -> Reply | None:
        """What goes on with no ticket that is known: a verdict, a new problem, or neither."""
        event, speaker = asked.event, asked.speaker
        if not reading.is_ticket:
            reply = self._verdict(asked, reading)
            if reply is not None:
                return reply
        if not addressed and self._said_to_others(asked, reading):
            return None
        if reading.is_ticket:
            return self._beside(self._report(asked, reading), asked, reading, addressed)
        if reading.candidate:
            return self._beside(self._perhaps(asked), asked, reading, addressed)
        if reading.action == "urge" or (addressed and _WAITS.search(asked.rest)):
            if addressed and not self._tickets.mine(speaker, LIVE):
                # Nothing is open that could be urged: perhaps it is a problem nobody has told yet.
                return self._perhaps(asked)
            urged = self._urge(asked)
            if urged is not None or reading.action == "urge":
                return urged
        if not addressed or (
            reading.intent in (Intent.CHATTER, Intent.SIGNUP)
            and (event.chat_kind is ChatKind.GROUP)
        ):
            return None
        return self._beside(self._lost(asked), asked, reading, addressed)

    def _beside(
        self, reply: Reply | None, asked: Asked, reading: Reading, addressed: bool
    ) -> Reply | None:
        """What the library has about the same matter, for whoever turned to the bot itself."""
        alarming = reading.intent is Intent.URGENT or reading.urgency is Urgency.U1
        if reply is None or not addressed or alarming or len(reading.items) > 1:
            return reply
        related = self._policies.related(asked.rest)
        return reply if related is None else replace(reply, also=Content(related, kind=Kind.ANSWER))

    def _new_behind_thanks(self, asked: Asked) -> Reply | None:
        """A thanks with a new problem in its last clause: the old one ends, the new one opens."""
        turn = _TURNS.match(asked.rest)
        if turn is None or not _PRAISE.search(turn.group(1)):
            return None
        role = None if asked.speaker.role is None else asked.speaker.role.value
        over, new = (
            read(part, role, addressed=True, firms=self._firms, lexicon=self._lexicon)
            for part in turn.groups()
        )
        known = self._tickets.mine(asked.speaker, LIVE | {State.RESOLVED})
        told = {item.category for item in new.items}
        if (
            over.is_ticket
            or not new.is_ticket
            or not known
            or any(t.category in told for t in known)
        ):
            # With nothing known it is one story; of the same category it may be the same problem.
            return None
        # Whatever is unclear about the old one, the new one counts.
        with suppress(Refusal, AskBack):
            self._firm(replace(asked, rest=turn.group(1)), over, False)
        return self._report(replace(asked, rest=turn.group(2)), new)

    def _continues(self, found: Found, asked: Asked, reading: Reading) -> bool:
        """Whether a firm's sentence goes on with a ticket rather than telling something new."""
        same_teller = found.ticket.reporter_name == asked.speaker.name
        goes_on = bool(_GOES_ON.search(asked.rest)) or reading.action in ("urge", "withdraw")
        judged = reading.resolved is not None or reading.rating is not None
        if found.ticket.state is State.RESOLVED and (judged or still_there(asked.rest)):
            if found.sure or found.only:
                return True
        if reading.is_ticket:
            return self._rather_more(found, asked, reading)
        fresh = found.mine and _fresh(found)
        if reading.intent in (Intent.FOLLOW_UP, Intent.RATING) or goes_on:
            return found.sure or found.only or found.subject >= _SUBJECT / 2
        if reading.resolved is not None or reading.rating is not None:
            return found.sure or found.only
        if reading.intent is Intent.ACK:
            return _fresh(found)
        if reading.candidate:
            return found.subject >= _SUBJECT or fresh
        return same_teller and (found.subject >= _SUBJECT or fresh)

    def _rather_more(self, found: Found, asked: Asked, reading: Reading) -> bool:
        """Whether what reads like a problem is more of one that is known.

        The better a ticket fits what is said, by whom and when, the surer the reading must be of
        itself to open another one.
        """
        if reading.intent is Intent.URGENT and found.ticket.urgency is not Urgency.U1:
            # An emergency is never buried in an ordinary ticket, but for the faintest suspicion.
            if reading.confidence >= _ALARMING:
                return False
        if reading.intent is Intent.URGENT and found.ticket.urgency is Urgency.U1 and _fresh(found):
            # Word from the same place minutes later is word of the same emergency.
            return True
        if _AGAIN.search(asked.rest) and (
            # 还是缺人 of a ticket that says 缺操作工: no word in common, and the same matter.
            found.subject >= _SUBJECT / 2 or reading.topic is found.ticket.category
        ):
            return True
        other = _of_another_kind(reading, found)
        eases = _EASES.search(asked.rest) is not None
        if other and not found.subject and not eases:
            # Nothing in common but the teller: 招工难 is no more of 停电了.
            return False
        likely = min(max(reading.confidence, 1e-4), 1 - 1e-4)
        doubt = math.log(likely / (1 - likely))
        weight = _OTHER_WEIGHT if other else _FIT_WEIGHT
        return doubt <= weight * found.score + _SUBJECT_WEIGHT * found.subject

    def _quietly(self, reply: Reply | None, addressed: bool) -> Reply | None:
        """In a group nobody needs to hear that a sentence was added to its ticket."""
        if reply is None or addressed or reply.content is None:
            return reply
        moved = reply.content.card is not None or reply.content.kind is Kind.QUESTION
        return reply if moved else replace(reply, content=None)

    def _said_to_others(self, asked: Asked, reading: Reading) -> bool:
        """Whether a sentence in the room is meant for somebody else than the office."""
        if reading.confidence < _BETWEEN_FIRMS and _TO_A_FIRM.search(asked.event.text):
            return True
        if asked.speaker.person is None and _DEPARTMENT.search(asked.speaker.name):
            # A department's man who speaks in the group helps; he has no problem of his own.
            return True
        return self._answers_all(asked, reading)

    def _answers_all(self, asked: Asked, reading: Reading) -> bool:
        """Whether it rather answers what the office asked of all firms here today."""
        shares = reading.probabilities
        if shares is None or reading.intent is Intent.URGENT or not _FIGURES.search(asked.rest):
            return False
        answers = sum(shares.intent[INTENTS.index(i)] for i in _TO_ALL)
        if answers * _EXPECTED < shares.ticket:
            return False
        return self._asked_everybody(asked.event.chat)

    def _asked_everybody(self, chat: ChatRef) -> bool:
        asking, now = self._work.dialogues.get(_EVERYBODY, chat), self._clock.now()
        return asking is not None and (asking.expires_at or now) >= now

    def _asks_all(self, asked: Asked) -> None:
        """Remember that the office asked everybody here: answers are no problems."""
        until = self._clock.now() + _ANSWERED_WITHIN
        self._work.dialogues.put(Dialogue(_EVERYBODY, asked.event.chat, "everybody", {}, until))

    def _lost(self, asked: Asked) -> Reply:
        scene = Scene(asked.event, asked.speaker.role)
        near = self._book.suggestion(asked.rest, scene)
        if near is not None and len(asked.rest) <= 12:
            return Reply.say(common.unsure_command(near))
        if asked.speaker.person is None:
            return Reply.say(people_say.who_are_you())
        return Reply.say(common.not_understood())

    def _referred(self, asked: Asked) -> Ticket | None:
        """The ticket that the message itself names, by quote or number."""
        quoted = self._moves.quoted(asked.event, asked.speaker)
        if quoted is not None:
            return quoted
        ref = ref_in(asked.rest)
        if ref is None:
            return None
        try:
            return self._tickets.load(ref, asked.speaker)
        except UnknownTicket:
            return None

    def _about(self, ticket: Ticket, asked: Asked, reading: Reading) -> Reply | None:
        """A firm's message about one ticket: verdict, withdrawal, answer, or more of the story."""
        if ticket.state is State.MERGED:
            ticket = self._tickets.live_target(ticket)
        if ticket.state in (State.RESOLVED, State.CLOSED):
            told = self._judged(ticket, asked, reading)
            if told is not None:
                self._moves.keep(ticket, asked, asked.rest)
                return told
            if reading.is_ticket and ticket.state is State.CLOSED:
                return self._after_end(ticket, asked, reading)
            self._moves.keep(ticket, asked, asked.rest)
            return None
        if not ticket.is_live:
            return self._after_end(ticket, asked, reading)
        act = firm_act(asked.rest)
        if reading.action == "withdraw" or act is Act.WITHDRAW:
            self._moves.keep(ticket, asked, asked.rest)
            return self._moves.on(ticket, asked, Move.WITHDRAW)
        if reading.resolved is True and ticket.state is State.OPEN:
            self._moves.keep(ticket, asked, asked.rest)
            return self._moves.on(ticket, asked, Move.WITHDRAW)
        if reading.action == "urge" or act is Act.URGE:
            return self._urge_on(ticket, asked)
        if ticket.state is State.WAITING_ENTERPRISE and not _CORRECTS.search(asked.rest):
            return self._moves.on(ticket, asked, Move.REPLY)
        told = self._moves.on(ticket, asked, Move.FOLLOW_UP)
        return Reply.say(say.joined(ticket), ticket.number) if reading.is_ticket else told

    def _after_end(self, ticket: Ticket, asked: Asked, reading: Reading) -> Reply | None:
        """Speech about an ended ticket: a problem that is told opens a new, linked one."""
        if not reading.is_ticket:
            return None
        reply = self._report(asked, reading)
        opened = self._work.tickets.by_source(asked.event.platform, asked.event.event_id)
        for one in opened:
            self._work.tickets.add_link(ticket.number, one.number)
        return reply

    def _judged(self, ticket: Ticket, asked: Asked, reading: Reading) -> Reply | None:
        if reading.resolved is False:
            move = Move.VERDICT_NO if ticket.state is State.RESOLVED else Move.REOPEN
            return self._moves.on(ticket, asked, move)
        if reading.rating is not None:
            return self._moves.on(
                ticket, replace(asked, facts={"rating": reading.rating}), Move.RATE
            )
        if ticket.state is not State.RESOLVED:
            return None
        if still_there(asked.rest):
            return self._moves.on(ticket, asked, Move.VERDICT_NO)
        if reading.resolved is True or _PRAISE.search(asked.rest):
            return self._moves.on(ticket, asked, Move.VERDICT_YES)
        return None

    def _verdict(self, asked: Asked, reading: Reading) -> Reply | None:
        """A verdict without a number belongs to the one ticket that waits for it."""
        speaker = asked.speaker
        if reading.rating is not None or reading.resolved is not None:
            judged = self._tickets.fitting(speaker, Move.VERDICT_YES)
            if not judged and reading.rating is not None:
                judged = self._tickets.fitting(speaker, Move.RATE)[:1]
            if len(judged) == 1:
                return self._judged(judged[0], asked, reading)
            if len(judged) > 1:
                move = Move.VERDICT_NO if reading.resolved is False else Move.VERDICT_YES
                facts = {"m": move.value, "text": asked.rest}
                if reading.rating is not None and reading.resolved is not False:
                    move = Move.RATE
                    facts = {"m": move.value, "text": asked.rest, "rating": str(reading.rating)}
                self._moves.wait(asked, "pick", facts)
                return Reply.say(say.which_ticket(move, judged))
        if reading.is_ticket:
            return None
        live = self._tickets.mine(speaker, LIVE)
        if len(live) == 1 and speaker.person is not None:
            if reading.action == "withdraw" or reading.resolved is not None:
                return self._about(live[0], asked, reading)
        if reading.action == "withdraw" and len(live) > 1:
            return self._moves.go(replace(asked, rest=asked.rest), Move.WITHDRAW)
        return None

    def _urge(self, asked: Asked) -> Reply | None:
        live = self._tickets.fitting(asked.speaker, Move.URGE)
        if len(live) != 1:
            if asked.event.chat_kind is ChatKind.GROUP and not asked.event.mention_bot:
                return None
            return self._moves.go(replace(asked, ref=None), Move.URGE) if live else None
        return self._urge_on(live[0], asked)

    def _urge_on(self, ticket: Ticket, asked: Asked) -> Reply:
        try:
            reply = self._moves.on(ticket, asked, Move.URGE)
        except BadInput:
            # Asked again too soon: what was said is kept all the same.
            return self._moves.on(ticket, asked, Move.FOLLOW_UP)
        self._moves.keep(ticket, asked, asked.rest)
        return reply

    def _picture(self, asked: Asked) -> Reply | None:
        """A picture belongs to the sentence before it; alone it waits for the one after."""
        if not asked.event.attachments and asked.event.msg_type == "text":
            return None
        quoted = self._moves.quoted(asked.event, asked.speaker)
        ticket = quoted if quoted is not None else self._just_opened(asked)
        if ticket is None or not ticket.is_live:
            return None
        self._moves.keep(ticket, asked, asked.rest or asked.event.text or "[图片]")
        if asked.event.attachments:
            self._moves.came_along(ticket, asked)
        return None

    def _just_opened(self, asked: Asked) -> Ticket | None:
        event = asked.event
        since = self._clock.now() - self._work.office.policy().join_pictures
        for heard in reversed(
            self._work.heard.recent(event.platform, event.chat.id, asked.speaker.key, since)
        ):
            if heard.number is not None:
                return self._work.tickets.find(heard.number)
        person = asked.speaker.person
        if event.chat_kind is not ChatKind.DIRECT or person is None:
            return None
        # Some platforms take a file in a single chat only, whatever was just said in the group.
        mine = self._tickets.mine(asked.speaker, LIVE)
        return next((t for t in mine if t.reporter_id == person.id and t.created_at >= since), None)

    # ---- opening

    def _source(self, asked: Asked, channel: Channel | None = None) -> Source:
        event = asked.event
        if channel is None:
            channel = Channel.GROUP if event.chat_kind is ChatKind.GROUP else Channel.DIRECT
        return Source(event.platform, event.chat.id, event.event_id, channel)

    def _report(self, asked: Asked, reading: Reading) -> Reply | None:
        enterprise, own = self._whose(asked, reading)
        person = asked.speaker.person
        opened: list[Ticket] = []
        joined: list[Ticket] = []
        for item in reading.items:
            same = self._same(enterprise, item) if own else None
            if same is not None:
                self._moves.keep(same, asked, item.body)
                self._tickets.act(same, Move.FOLLOW_UP, asked.speaker, Args(text=item.body))
                joined.append(same)
                continue
            opened.append(self._open(asked, reading, item, enterprise, person, len(opened) + 1))
        if not opened:
            return Reply.say(say.joined(joined[0]), joined[0].number)
        return self._opened(asked, opened, enterprise, own)

    def _open(
        self,
        asked: Asked,
        reading: Reading,
        item: Item,
        enterprise: Enterprise | None,
        person: Person | None,
        part: int,
    ) -> Ticket:
        kind = TicketKind.REQUEST
        if reading.intent is Intent.POLICY_QUESTION:
            kind = TicketKind.CONSULT
        pictures = self._moves.pictures_before(asked)
        ticket = self._tickets.submit(
            Report(
                title=item.title,
                body=as_typed(item.body, without_quote(asked.event.text)),
                category=item.category,
                urgency=item.urgency,
                enterprise_id=None if enterprise is None else enterprise.id,
                reporter=person,
                reporter_name=asked.speaker.name,
                source=self._source(asked),
                kind=kind,
                part=part,
                attachments=asked.event.attachments
                + tuple(a for heard in pictures for a in heard.attachments),
            ),
            person,
        )
        for heard in pictures:
            self._tickets.add_message(ticket, as_message(heard, ticket))
        self._work.heard.belongs(asked.event.platform, asked.event.event_id, ticket.number)
        if kind is TicketKind.CONSULT:
            self._policies.unanswered(ticket, asked.speaker)
        return ticket

    def _whose(self, asked: Asked, reading: Reading) -> tuple[Enterprise | None, bool]:
        """The firm that a problem is of, and whether it is the speaker's own."""
        person = asked.speaker.person
        own_id = None if person is None else person.enterprise_id
        others = [f for f in reading.firms if f != own_id]
        if own_id is not None:
            if len(others) == 1 and own_id not in reading.firms and _for_other(asked.rest):
                other = self._work.people.enterprise(EnterpriseId(others[0]))
                if other is not None:
                    return other, False
            return self._work.people.enterprise(own_id), True
        if len(reading.firms) == 1:
            return self._work.people.enterprise(EnterpriseId(reading.firms[0])), False
        return None, False

    def _same(self, enterprise: Enterprise | None, item: Item) -> Ticket | None:
        """An open ticket that tells the same (H10)."""
        if enterprise is None:
            return None
        return self._tickets.same_as(enterprise.id, item.category, item.body)

    def _opened(
        self, asked: Asked, opened: list[Ticket], enterprise: Enterprise | None, own: bool
    ) -> Reply:
        now = self._clock.now()
        telling = self._tickets.telling
        first = opened[0]
        in_group = asked.event.chat_kind is ChatKind.GROUP
        person = asked.speaker.person
        if (
            person is not None
            and person.role is Role.MANAGER
            and not own
            and enterprise is not None
        ):
            return Reply.say(say.opened_for(enterprise.short_name))
        firm = telling.firm(first)
        cards = [say.group_card(t, firm, telling.owner(t), now) for t in opened]
        if enterprise is None:
            self._moves.wait(asked, "firm", {"t": first.number})
            text = say.which_firm(first.number)
            return Reply(Content(text, kind=Kind.QUESTION), private=False, ticket=first.number)
        if not in_group:
            lines = [say.opened(t, telling.owner(t), now) for t in opened]
            if len(opened) == 1:
                card = say.firm_card(first, telling.owner(first), now, lines[0])
                return Reply.show(card, ticket=first.number)
            return Reply.say("\n".join(lines), first.number)
        card = (
            cards[0] if len(cards) == 1 else say.several_opened(cards, [t.number for t in opened])
        )
        return Reply.show(card, ticket=first.number, private=False)

    def report_for(self, asked: Asked, text: str, channel: Channel) -> Reply:
        """A colleague reports for a firm that phoned, met or wrote to them (代报)."""
        name, _, body = text.strip().partition(" ")
        body = body.strip()
        if not body:
            found = self._firms.find(text)
            if not found:
                raise BadInput("report_usage")
            enterprise = self._work.people.enterprise(EnterpriseId(found[0]))
            body = text
        else:
            enterprise = self._people.firm_named(name)
        if enterprise is None or len(body) < 2:
            raise BadInput("report_usage")
        items = self._surely(body, Role.MANAGER.value).items
        now = self._clock.now()
        numbers = []
        for part, item in enumerate(items, 1):
            ticket = self._tickets.submit(
                Report(
                    item.title,
                    item.body,
                    item.category,
                    item.urgency,
                    enterprise.id,
                    asked.speaker.person,
                    asked.speaker.name,
                    replace(self._source(asked, channel), channel=channel),
                    kind=TicketKind.VISIT if channel is Channel.VISIT else TicketKind.REQUEST,
                    part=part,
                    attachments=asked.event.attachments,
                ),
                asked.speaker.person,
            )
            numbers.append(ticket)
        telling = self._tickets.telling
        lines = "\n".join(say.opened(t, telling.owner(t), now) for t in numbers)
        return Reply.say(lines, numbers[0].number)

    def register(self, asked: Asked, text: str) -> Reply | None:
        """Somebody asks outright for a ticket: there is nothing to guess."""
        return self._report(asked, self._surely(text, Role.MANAGER.value, self._firms))

    def _surely(self, text: str, role: str | None, firms: FirmNames | None = None) -> Reading:
        """The reading of a text of which a person said that it is a problem."""
        lexicon = self._lexicon
        reading = read(text, role, addressed=True, firms=firms, lexicon=lexicon)
        items = reading.items
        if not items:
            category, _ = topic(text, lexicon)
            level = urgency(text, lexicon)
            items = (Item(category, level, title_of(text, category), text),)
        return replace(reading, items=items, is_ticket=True)

    def answer_firm(self, asked: Asked, number: int) -> Reply | None:
        """The answer to 请问是哪家企业."""
        found = self._firms.match(asked.rest) if len(asked.rest) <= 20 else ()
        if not found:
            found = self._firms.find(asked.rest)
        if len(found) > 1:
            self._moves.wait(asked, "firm", {"t": number})
            return Reply.say(say.which_firm_of([self._firms.short(f) for f in found[:5]]))
        if not found:
            return self.hear(asked)
        ticket = self._work.tickets.find(TicketNumber(number))
        enterprise = self._work.people.enterprise(EnterpriseId(found[0]))
        if ticket is None or enterprise is None or ticket.enterprise_id is not None:
            return self.hear(asked)
        # Whoever was asked may answer: the dialogue belongs to the reporter, known or not.
        named = self._tickets.act(
            ticket,
            Move.NAME_FIRM,
            None,
            Args(text=enterprise.short_name, enterprise_id=enterprise.id),
        )
        owner = self._tickets.telling.owner(named)
        return Reply.say(say.firm_named(named, enterprise.short_name, owner), named.number)

    # ---- perhaps a problem

    def open_question(self, asked: Asked) -> int | None:
        """The question to this person here that is still open."""
        # What was asked about a word in the group may have been asked here.
        direct = asked.event.chat_kind is ChatKind.DIRECT
        chat = None if direct else asked.event.chat.id
        candidate = self._work.candidates.asked_of(asked.speaker.key, chat)
        return None if candidate is None else candidate.id

    def _perhaps(self, asked: Asked) -> Reply | None:
        """Ask once, in the group at most once per sender and half hour, else directly."""
        event, speaker, now = asked.event, asked.speaker, self._clock.now()
        if not event.mention_bot and event.chat_kind is ChatKind.GROUP:
            if speaker.person is None:
                return None
        last = self._work.candidates.last_asked(speaker.key, event.chat.id)
        candidate = Candidate(
            0,
            event.platform,
            event.chat.id,
            event.chat_kind,
            event.event_id,
            speaker.key,
            speaker.name,
            asked.rest,
            now,
            now + _CANDIDATE_LIFE,
        )
        candidate_id = self._work.candidates.add(candidate)
        # An address may be over before the answer comes.
        self._work.attachments.want(event.platform, event.attachments)
        recent = last is not None and now - last < _QUESTION_GAP
        self._moves.wait(asked, "candidate", {"c": candidate_id})
        if recent and event.chat_kind is ChatKind.GROUP:
            # The question goes to this person alone, and so may the answer.
            alone = replace(event, chat=ChatRef(event.platform, event.sender.id))
            self._moves.wait(replace(asked, event=alone), "candidate", {"c": candidate_id})
        card = say.candidate_card(candidate_id, asked.rest)
        return Reply(Content.of(card, Kind.QUESTION), private=recent)

    def settle(self, asked: Asked, candidate_id: int, take: bool) -> Reply:
        """The answer to the question whether it is a problem; only the sender or the office."""
        candidate = self._work.candidates.get(candidate_id)
        person = asked.speaker.person
        if candidate is None:
            return Reply.say(say.candidate_over())
        mine = candidate.sender_key == asked.speaker.key
        if not mine and (person is None or not person.is_staff):
            raise Refusal()
        if candidate.state is not CandidateState.ASKED or candidate.expires_at < self._clock.now():
            return Reply.say(say.candidate_over())
        if not take:
            self._work.candidates.save(replace(candidate, state=CandidateState.REFUSED))
            return Reply.say(say.candidate_refused())
        if not mine:
            return Reply.say(say.candidate_over())
        heard = self._work.heard.find(candidate.platform, candidate.message_id)
        event = replace(
            asked.event,
            platform=candidate.platform,
            kind=EventKind.MESSAGE,
            chat=ChatRef(candidate.platform, candidate.chat),
            chat_kind=candidate.chat_kind,
            event_id=candidate.message_id,
            text=candidate.text,
            attachments=() if heard is None else heard.attachments,
            press=None,
        )
        again = replace(asked, event=event, rest=candidate.text)
        reply = self._report(again, self._surely(candidate.text, None, self._firms))
        opened = self._work.tickets.by_source(candidate.platform, candidate.message_id)
        number = opened[0].number if opened else None
        self._work.candidates.save(replace(candidate, state=CandidateState.TAKEN, number=number))
        return reply or Reply.say(say.candidate_over())

    # ---- the office's side

    def _staff(self, asked: Asked, reading: Reading, addressed: bool) -> Reply | None:
        """A colleague's sentence is a move only where it clearly belongs to one ticket."""
        person = asked.speaker.person
        if (
            person is not None
            and person.role in OFFICE_ROLES
            and asked.event.chat_kind is ChatKind.GROUP
            and _ASKS_ALL.search(asked.rest)
        ):
            self._asks_all(asked)
            return None
        numbered = self._numbered(asked)
        if reading.intent is Intent.SIGNUP and numbered is None:
            return None
        named = numbered or self._referred(asked)
        if named is None and reading.firms and self._tells_visit(asked, reading):
            return self._visit(asked, reading.firms, addressed)
        if named is None and len(reading.firms) == 1 and told_for(asked.rest):
            return self._told_for(asked, EnterpriseId(reading.firms[0]), told_for(asked.rest))
        if named is not None:
            return self._staff_about(named, asked, sure=True, numbered=numbered is not None)
        if addressed and reading.intent is Intent.POLICY_QUESTION:
            said = self._policies.said(asked.rest)
            if said is not None:
                return Reply.say(said.told, private=False)
        found = self._threads.about(
            asked.event, asked.speaker, self._whole(asked), taking=takes(asked.rest)
        )
        direct = asked.event.chat_kind is ChatKind.DIRECT
        if found is None or (
            reading.intent is Intent.ANNOUNCEMENT and not (found.sure or _fresh(found))
        ):
            return self._lost(asked) if direct and len(asked.rest) <= 40 else None
        if _mere_talk(reading, asked.rest):
            # 中午一起吃面去吗 is nobody's progress; a firm must never be sent it.
            return None
        return self._staff_about(found.ticket, asked, sure=False)

    # ---- visits

    def _tells_visit(self, asked: Asked, reading: Reading) -> bool:
        """Whether a colleague tells of a visit that was made."""
        text, person = asked.rest, asked.speaker.person
        if person is None or person.role is Role.DEPARTMENT or not may_be_visit(text):
            return False
        bare = text
        for named in self._firms.named(text)[:1]:
            if named.start <= _OPENS:
                bare = text[named.end :]
        return (
            reading.intent is Intent.VISIT_LOG
            or is_visit(text)
            or is_visit(bare)
            or told_for(text) == "visit"
        )

    def visited(self, asked: Asked, text: str) -> Reply | None:
        """A visit that a command word says it is."""
        return self._visit(replace(asked, rest=text), self._firms.find(text), True)

    def _visit(self, asked: Asked, firms: Sequence[str], addressed: bool) -> Reply | None:
        """Keep the visit and show once, to the writer alone, what was made of the sentence."""
        person = asked.speaker.person
        assert person is not None
        if len(firms) != 1:
            if not addressed:
                return None
            names = self._people.firm_names(firms)
            text = visits_say.one_firm_each(names) if firms else visits_say.which_firm()
            return Reply.say(text)
        firm = EnterpriseId(firms[0])
        source = self._source(asked, Channel.VISIT)
        logged = self._visits.log(asked.rest, firm, person, source, asked.event.attachments)
        facts = {"n": logged.visit.number}
        self._moves.wait(asked, "visit", facts)
        if asked.event.chat_kind is ChatKind.GROUP:
            alone = replace(asked.event, chat=ChatRef(asked.event.platform, asked.event.sender.id))
            self._moves.wait(replace(asked, event=alone), "visit", facts)
        if logged.opened:
            number = logged.opened[0].number
            self._work.heard.belongs(asked.event.platform, asked.event.event_id, number)
        card = self._visits.card(logged)
        return Reply(Content.of(card), private=True, secret=True)

    def _told_for(self, asked: Asked, firm: EnterpriseId, how: str) -> Reply | None:
        """A problem that a colleague was told on a visit or by telephone becomes the firm's."""
        enterprise = self._work.people.enterprise(firm)
        if enterprise is None:
            return None
        channel = Channel.VISIT if how == "visit" else Channel.PHONE
        return self.report_for(asked, f"{enterprise.short_name} {asked.rest}", channel)

    def _whole(self, asked: Asked) -> str:
        """What was written, with whom it was written to: a name in a mention tells the ticket."""
        return without_quote(asked.event.text)

    def _numbered(self, asked: Asked) -> Ticket | None:
        """The ticket whose bare number opens the sentence or stands in it."""
        for digits in _BARE_NUMBER.findall(asked.rest)[:3]:
            try:
                return self._tickets.load(TicketRef(int(digits)), asked.speaker)
            except UnknownTicket:
                continue
        return None

    def _staff_about(
        self, ticket: Ticket, asked: Asked, *, sure: bool, numbered: bool = False
    ) -> Reply | None:
        if ticket.state is State.MERGED:
            ticket = self._tickets.live_target(ticket)
        person = asked.speaker.person
        rest = _BARE_NUMBER.sub("", asked.rest, count=1) if numbered else asked.rest
        said = act_of(
            rest,
            ticket.state.value,
            named=numbered,
            paired=self._tickets.is_paired(ticket, asked.speaker),
            leads=person is not None and person.role in (*OFFICE_ROLES, Role.LEADER),
            alone=self._alone(ticket, asked),
            consult=ticket.kind is TicketKind.CONSULT or asks_a_fact(ticket.body),
            pending=person is not None and ticket.pending_owner_id == person.id,
        )
        if said is None or person is None:
            return None
        if ticket not in self._tickets.fitting_one(ticket, asked.speaker, Move(said.act.value)):
            return self._not_theirs(ticket, asked, said) if sure else None
        try:
            return self._moves.on(ticket, replace(asked, rest=said.text), Move(said.act.value))
        except Refusal:
            if sure:
                raise
            return None

    def _alone(self, ticket: Ticket, asked: Asked) -> bool:
        """Whether it falls to whoever is there: an emergency, or the duty desk at night."""
        person = asked.speaker.person
        if person is None:
            return False
        if person.role in OFFICE_ROLES:
            return self._tickets.at_rest()
        return ticket.urgency is Urgency.U1

    def _not_theirs(self, ticket: Ticket, asked: Asked, said: Said) -> Reply | None:
        """Named outright but not theirs to do: the rule says why."""
        if not said.certain:
            return None
        return self._moves.on(ticket, replace(asked, rest=said.text), Move(said.act.value))


# A question by its form, and how likely one of rules it must be to be looked up.
_ASKS: Final = re.compile(
    r"[?？吗呢嘛么不伐]$|多少|几[个天月年万块钱成时点]|怎么|咋|谁|哪|什么|啥|能不能|可不可以|有没有|是不是|要不要|多久|多长|能.{0,8}[不吗么]|给不给"
)
_PERHAPS_RULE: Final = 0.1
# Asked of the bot: which tickets there are, of the own firm or of another one.
_ASKS_LIST: Final = re.compile(
    r"^(?:请|麻烦)?(?:帮我|给我|我想|我要|能不能|能否)?(?:查|看|列|问)(?:一?下|一查|看|出|询)?.{0,14}(?:工单|诉求)(?:了?吗|呢|吧)?[?？。]?$|"
    r"^(?:全部|所有|各家?|别的|其他).{0,4}企业的?(?:工单|诉求)[?？。]?$|"
    r"^.{2,14}(?:报|提)(?:了|过)(?:什么|哪些|几[个件])(?:问题|诉求|困难|事)?[?？。]?$"
)
_BARE_NUMBER: Final = re.compile(
    r"(?<![\d.#])#?(\d{4,9})(?![\d.万元人吨亩度米千兆个份台年月日号点分时:：%-])"
)
# The office's question to all firms of a chat, and how long answers to it are expected.
_EVERYBODY: Final = "everybody"
_ANSWERED_WITHIN: Final = timedelta(hours=12)
_ASKS_ALL: Final = re.compile(
    r"摸排|接龙|报名|限报|报数|回复本条|请.{0,20}(?:回报|上报|报一下|填报|统计|登记人数|反馈(?:数|人数))|各(?:位)?企业.{0,8}(?:请报|报)|没有缺口也|没.{0,4}的不用回"
)
_FIGURES: Final = re.compile(r"[0-9一二三四五六七八九十廿两百]|没有|^无|^\+|报我|加一")
_TO_ALL: Final = (Intent.SURVEY_REPLY, Intent.SIGNUP)
# An answer that was asked for is this much likelier than one out of the blue (odds, by judgement).
_EXPECTED: Final = 15.0
_DEPARTMENT: Final = re.compile(
    r"疾控|交警|城管|派出所|公安|消防|应急|燃气|供电|水务|电力|税务|海关|人社|街道|环卫|法院|环保|生态|质监|市监|经发|资规|社区|网格|热电|电信|移动|联通|医院|银行|[局委办院所]-"
)
_CORRECTS: Final = re.compile(r"更正|打错|说错|写错|改(?:成|为|一下)|不是.{1,8}[,，]?是")
_AGAIN: Final = re.compile(
    r"补一?[句充]|更正|打错|说错|还没|还是|仍然|依旧|再?催|到底(?!下)|看到没|有没有(?:消息|回音|结果)|那个呢|那件事|多问一句|忘了(?:讲|说)"
)
# Asked of the bot itself, with several tickets open: it lists them and asks which.
_WAITS: Final = re.compile(
    r"^那(?:个|件事?)(?:呢|怎么样)|又过去.{1,4}(?:天|周|星期|月)|^有(?:没有)?(?:消息|回音|结果)[了吗没]"
)
# A turn to something else: what was before it, and what comes.
_TURNS: Final = re.compile(
    r"^(.{2,80}?[,，。;；!！~～\s])\s*(?:不过|但是?|只是|就是|另外|还有|对了|顺便)[,，:：\s]*(.{6,})$",
    re.S,
)
_PRAISE: Final = re.compile(r"谢谢|感谢|多谢|辛苦|给力|点赞|靠谱|麻利|及时|好走多了|👍")
# What a firm may still speak of: what is under way, and what ended within the last days.
_FOR_FIRM: Final = LIVE | {State.RESOLVED, State.CLOSED}
_GOES_ON: Final = re.compile(
    r"补一?[句充]|更正|打错|说错|不是.{1,8}[,，]?是|还没|还是|仍然|依旧|又|再?催|到底|什么时候|怎么还|有没有(?:消息|回音|结果|人)|"
    r"有回音|有消息|看到没|那个(?:呢|事)|那件事|的事|上午(?:问|说)的|刚才|昨天(?:问|说|报)的|上次|忘了(?:讲|说)|多问一句|"
    r"另外补|谢谢|感谢|谢啦|多谢|收到|正常了|恢复了|来电了|有电了|有水了|好了|可以了|解决|到了|送到|拿到|顺利|卸完|出发|签了|通过了|批了|撤|不用"
)
# How much of a sentence's subject must be the ticket's.
_SUBJECT: Final = 1.6
_SHORT_ACK: Final = 6
_TO_A_FIRM: Final = re.compile(r"^\s*@[^\s@-]{2,12}-\S{1,8}")
_BETWEEN_FIRMS: Final = 0.9
_FRESH_MINUTES: Final = 20.0
# How many log-odds of a problem one point of fit, or of subject, outweighs (docs/understanding.md).
_FIT_WEIGHT: Final = 0.65
_OTHER_WEIGHT: Final = 0.15
_SUBJECT_WEIGHT: Final = 0.4
_ALARMING: Final = 0.8
# What eases is what was told before: 水位下去了, 味道小了.
_EASES: Final = re.compile(
    r"(?:下去|退下?去?|降下?去?|小|缓|松|淡|散)(?:了|一?点|一?些)|好转|缓解|缓过来"
)
# A firm's name this near to the beginning only says whom the sentence is about.
_OPENS: Final = 2
_FOR_OTHER: Final = ("代", "帮", "替", "他们", "那边", "隔壁", "反映")


def _another(reading: Reading, ticket: Ticket) -> bool:
    """Whether a message tells of something else than what the firm was asked."""
    if reading.intent is Intent.URGENT:
        return True
    return reading.is_ticket and all(i.category is not ticket.category for i in reading.items)


def _mere_talk(reading: Reading, text: str) -> bool:
    """Whether a sentence is rather talk among colleagues than word of a ticket."""
    shares = reading.probabilities
    if shares is None or takes(text):
        return False
    return shares.intent[INTENTS.index(Intent.CHATTER)] > 0.5


def _fresh(found: Found) -> bool:
    """Whether it was spoken of, or moved, only just now."""
    return found.minutes is not None and found.minutes < _FRESH_MINUTES


def _of_another_kind(reading: Reading, found: Found) -> bool:
    """Whether what is told is plainly of another category than the ticket, and not its subject."""
    shares = reading.probabilities
    if shares is None or found.subject >= _SUBJECT / 2:
        return False
    own = shares.category[CATEGORIES.index(found.ticket.category)]
    return max(shares.category) >= 0.5 and own < 0.1


def _for_other(text: str) -> bool:
    return any(word in text for word in _FOR_OTHER)
