"""One event, one unit of work: who, which route, what is answered."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent
from handlers.chat.filters import Scene
from handlers.chat.grammar import as_written, without_mentions, without_quote
from handlers.chat.outbound import Content, Priority, Reply
from handlers.chat.router import Book, Bound, PassOn, RouteKind, call
from handlers.domain.errors import AlreadyTaken, NotForYou, Refusal
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.people import STAFF_ROLES, Chat, mask_phone
from handlers.domain.ticket import is_pleasantry
from handlers.domain.workdays import WorkCalendar
from handlers.ports import NO_LINKS, Clock, HeardMessage, Links, Outgoing, Work
from handlers.services.moves import AskBack, Asked
from handlers.services.people import PeopleService, Speaker
from handlers.services.speech import FIRST_ONLY, Second
from handlers.texts import common as say
from handlers.texts import groups as groups_say
from handlers.understanding import FirmNames, Lexicon


@dataclass(frozen=True, slots=True)
class BotName:
    """What the bot is called."""

    value: str


@dataclass(frozen=True, slots=True)
class Tools:
    """What a turn works with; `make` builds what routes ask for, `directly` names the platforms
    that can reach one person, `second` holds the second reader's opinion."""

    work: Work
    clock: Clock
    calendar: WorkCalendar
    book: Book
    firms: FirmNames
    lexicon: Lexicon
    make: Callable[[Any, "Turn"], Any]
    prefix: str = "LHG"
    bot_names: tuple[str, ...] = ()
    directly: frozenset[str] = frozenset()
    second: Second = FIRST_ONLY
    links: Links = NO_LINKS


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an event: a few words for whoever pressed, and the rows that answer it."""

    toast: str = ""
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One event being worked on."""

    tools: Tools
    event: InboundEvent
    inbox_id: int
    speaker: Speaker
    text: str
    asked: Asked


_LONGEST: Final = 10_000
_ONE_SENTENCE: Final = 40
_WORDS: Final = re.compile(r"\w{2}")


def take(event: InboundEvent, inbox_id: int, tools: Tools) -> Taken:
    """Work on one event; everything it causes is in the caller's unit of work."""
    if event.from_bot:
        return Taken()
    if _is_archived(event, tools):
        return _said_in_archive(event, tools)
    _remember_chat(event, tools)
    speaker = PeopleService(tools.work, tools.clock, tools.firms).speaker(event)
    if event.kind is not EventKind.READ:
        tools.work.people.heard(event.sender)
    text = as_written(without_mentions(without_quote(event.text[:_LONGEST]), tools.bot_names))
    turn = Turn(tools, event, inbox_id, speaker, text, Asked(speaker, event, rest=text))
    try:
        reply = _route(turn)
    except AskBack as question:
        reply = question.reply
    except Refusal as refusal:
        reply = _refused(turn, refusal)
    if event.kind is EventKind.MESSAGE:
        tools.work.heard.add(
            HeardMessage(
                event.platform,
                event.chat.id,
                event.event_id,
                speaker.key,
                tools.clock.now(),
                event.text[:_LONGEST],
                event.msg_type,
                attachments=event.attachments,
            )
        )
    return _answer(turn, reply)


def _is_archived(event: InboundEvent, tools: Tools) -> bool:
    if event.chat_kind is not ChatKind.GROUP:
        return False
    chat = tools.work.chats.chat(event.chat)
    return chat is not None and chat.archived_at is not None


def _said_in_archive(event: InboundEvent, tools: Tools) -> Taken:
    """Nothing is heard there any more; who turns to the bot is told where to go, alone."""
    if event.mention_bot and event.platform in tools.directly:
        told = Content(groups_say.is_archived())
        chat = ChatRef(event.platform, event.sender.id)
        tools.work.outbox.put(Outgoing(told, chat=chat, chat_kind=ChatKind.DIRECT))
    return Taken()


def _remember_chat(event: InboundEvent, tools: Tools) -> None:
    if event.chat_kind is not ChatKind.GROUP:
        return
    if tools.work.chats.chat(event.chat) is None:
        # An unregistered chat is served all the same; the office sees it in the list.
        tools.work.chats.save_chat(
            Chat(event.platform, event.chat.id, event.chat_title, event.chat_kind.value)
        )


def _route(turn: Turn) -> Reply | None:
    event, book = turn.event, turn.tools.book
    scene = Scene(event, turn.speaker.role)
    if event.kind is EventKind.ENTER:
        return _run(turn, book.keyed(RouteKind.ENTER))
    if event.kind is EventKind.READ:
        return _run(turn, book.keyed(RouteKind.READ))
    if event.press is not None:
        bound = book.keyed(RouteKind.ACTION, event.press.action)
        if bound is None:
            return Reply.say(say.not_understood())
        if not bound.route.who(scene):
            raise NotForYou
        version = event.press.args.get("v", "")
        asked = replace(
            turn.asked,
            rest="",
            args=event.press.args,
            version=int(version) if version.isdigit() else None,
        )
        return _run(replace(turn, asked=asked), bound)
    found = book.command(turn.text)
    if found is not None:
        bound, command = found
        exact = command.word in bound.route.exact
        if bound.route.who(scene):
            _forget_dialogue(turn)
            asked = replace(
                turn.asked, word=command.word, ref=command.ref, rest=command.rest, exact=exact
            )
            return _run(replace(turn, asked=asked), bound)
        if command.ref is not None and not _asks_how_far(bound, scene) and _addressed(event):
            raise NotForYou(command.word)
    dialogue = turn.tools.work.dialogues.get(turn.speaker.key, event.chat)
    for sentence in book.sentences(turn.text, scene):
        try:
            reply = _run(turn, sentence)
        except PassOn:
            continue
        if turn.tools.work.dialogues.get(turn.speaker.key, event.chat) == dialogue:
            # A question that the sentence itself has raised stays open.
            _forget_dialogue(turn)
        return reply
    if dialogue is not None and event.kind is EventKind.MESSAGE:
        _forget_dialogue(turn)
        fresh = dialogue.expires_at is None or dialogue.expires_at >= turn.tools.clock.now()
        bound_dialogue = book.keyed(RouteKind.DIALOGUE, dialogue.topic)
        if fresh and bound_dialogue is not None:
            asked = replace(turn.asked, facts=dialogue.facts)
            try:
                return _run(replace(turn, asked=asked), bound_dialogue)
            except PassOn:
                # What was said is no answer to the question.
                pass
    return _run(turn, book.keyed(RouteKind.SPEECH)) or _not_left_alone(turn, scene)


def _addressed(event: InboundEvent) -> bool:
    return event.mention_bot or event.chat_kind is ChatKind.DIRECT


def _asks_how_far(bound: Bound, scene: Scene) -> bool:
    """A firm that says 进度 1024 wants to know; for the office the same word is a report."""
    return bound.route.router == "progress" and scene.role not in STAFF_ROLES


_BARE_NUMBER: Final = re.compile(r"#?(\d{4,9})")


def _not_left_alone(turn: Turn, scene: Scene) -> Reply | None:
    """Whoever turns to the bot gets an answer, but for a thank-you, a picture and small talk."""
    event, text = turn.event, turn.text
    if event.kind is not EventKind.MESSAGE or event.msg_type != "text" or not _addressed(event):
        return None
    if not text:
        person = turn.speaker.person
        named = turn.tools.bot_names[0] if turn.tools.bot_names else ""
        quiet = event.quote is not None or bool(event.attachments)
        return None if quiet else Reply.say(say.greeting(person.name if person else "", named))
    if event.chat_kind is not ChatKind.DIRECT:
        return None
    bare = _BARE_NUMBER.fullmatch(text)
    if bare is not None:
        return _route(replace(turn, text=say.look_up(bare.group(1))))
    found = turn.tools.book.command(text)
    if found is not None and found[1].word == text and not found[0].route.who(scene):
        raise NotForYou(text)
    if scene.role not in STAFF_ROLES or is_pleasantry(text):
        return None
    if len(text) > _ONE_SENTENCE or not _WORDS.search(text):
        return None
    near = turn.tools.book.suggestion(text, scene)
    return Reply.say(say.not_understood() if near is None else say.unsure_command(near))


def _forget_dialogue(turn: Turn) -> None:
    turn.tools.work.dialogues.drop(turn.speaker.key, turn.event.chat)


def _run(turn: Turn, bound: Bound | None) -> Reply | None:
    if bound is None:
        return None
    return call(bound, lambda wanted: turn.tools.make(wanted, turn))


def _refused(turn: Turn, refusal: Refusal) -> Reply:
    owner = ""
    if isinstance(refusal, AlreadyTaken):
        owner_id = refusal.values["owner_id"]
        person = turn.tools.work.people.person(PersonId(str(owner_id)))
        owner = "" if person is None else person.name
    return Reply.say(say.refused(refusal, turn.tools.clock.now(), owner))


def _answer(turn: Turn, reply: Reply | None) -> Taken:
    if reply is None:
        return Taken()
    taken = _first(turn, reply)
    if reply.also is not None:
        event = turn.event
        turn.tools.work.outbox.put(
            Outgoing(
                reply.also, chat=event.chat, chat_kind=event.chat_kind, priority=Priority.REPLY
            )
        )
    return taken


def _first(turn: Turn, reply: Reply) -> Taken:
    content = reply.content
    if content is None:
        return Taken(reply.toast)
    event = turn.event
    in_group = event.chat_kind is ChatKind.GROUP
    private = in_group and (reply.private or _confidential(turn, reply))
    ticket = None if reply.ticket is None else TicketNumber(reply.ticket)
    update = event.press is not None and content.card is not None
    person = None if turn.speaker.person is None else turn.speaker.person.id
    if in_group and private and not update:
        if event.platform in turn.tools.directly:
            row = turn.tools.work.outbox.put(
                Outgoing(
                    content,
                    chat=ChatRef(event.platform, event.sender.id),
                    chat_kind=ChatKind.DIRECT,
                    ticket=ticket,
                    priority=Priority.REPLY,
                    asked_in=event.chat.id,
                )
            )
            return Taken(reply.toast, () if row is None else (row,))
        if _confidential(turn, reply):
            return Taken(reply.toast)
        content = Content(say.ask_me_alone()) if reply.secret else _masked(content)
    row = turn.tools.work.outbox.put(
        Outgoing(
            content,
            chat=event.chat,
            chat_kind=event.chat_kind,
            ticket=ticket,
            priority=Priority.REPLY,
            answers=turn.inbox_id,
            reply_token=event.reply_token,
            update=update,
        )
    )
    return Taken(reply.toast if person or not in_group else "", () if row is None else (row,))


def _masked(content: Content) -> Content:
    return replace(content, text=mask_phone(content.text))


def _confidential(turn: Turn, reply: Reply) -> bool:
    if reply.ticket is None:
        return False
    return turn.tools.work.tickets.is_confidential(TicketNumber(reply.ticket))
