"""/tickets: list, one with its history, open, move."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from aiohttp import web

from bot.api.auth import Call, Created, Resource
from bot.attachments import saved_as
from bot.wire import ApiError, flag_of, number_in, one_of, text_of
from handlers.chat.attachments import Keeping, TicketFile
from handlers.chat.events import Attachment, AttachmentKind, UserRef
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import UnknownTicket
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import Person
from handlers.domain.ticket import (
    OVERDUE,
    Args,
    Channel,
    Entry,
    Kind,
    Move,
    Source,
    State,
    Ticket,
    overdue,
)
from handlers.ports import TicketMessage, TicketQuery
from handlers.services.moves import not_accept_reason
from handlers.services.people import Speaker
from handlers.services.tickets import Report, TicketService
from handlers.texts import attachments as attachments_say
from handlers.understanding import title_of, topic, urgency
from storage.uow import UnitOfWork

if TYPE_CHECKING:
    from bot.app import App


_TITLE: Final = 60
# ?overdue= names one clock, or any, or does not narrow.
_ANY_CLOCK: Final = ("1", "true", "any")
_NO_CLOCK: Final = ("", "0", "false")
# Parts of something else: opening a ticket, the other half of a merge, a new calendar.
_NOT_BY_HAND: Final = frozenset({Move.SUBMIT, Move.ABSORB, Move.RECOUNT})


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def service(call: Call, uow: UnitOfWork) -> TicketService:
    app = call.app
    return TicketService(uow, app.clock, uow.calendar.current(), app.settings.ticket_prefix)


def _named(person: Person | None) -> dict[str, str] | None:
    return None if person is None else {"id": person.id, "name": person.name}


def ticket_json(app: "App", uow: UnitOfWork, ticket: Ticket) -> dict[str, Any]:
    """The ticket as contract.md §5 shows it."""
    now = app.clock.now()
    standing = uow.people.standing(ticket.enterprise_id, now)
    firm = standing.enterprise

    def person(person_id: PersonId | None) -> dict[str, str] | None:
        return _named(None if person_id is None else uow.people.person(person_id))

    reporter = person(ticket.reporter_id)
    if reporter is None and ticket.reporter_name:
        reporter = {"id": "", "name": ticket.reporter_name}
    due = ticket.due_resolution
    return {
        "number": ticket.number,
        "code": ticket.code,
        "title": ticket.title,
        "body": ticket.body,
        "kind": ticket.kind.value,
        "category": ticket.category.value,
        "urgency": ticket.urgency.value,
        "state": ticket.state.value,
        "cycle": ticket.cycle,
        "level": ticket.level,
        "overdue": list(overdue(ticket, now)),
        "confidential": ticket.confidential,
        "supervised": bool(ticket.supervised),
        "supervision_code": ticket.supervision_code,
        "enterprise": None if firm is None else {"id": firm.id, "name": firm.short_name},
        "reporter": reporter,
        "owner": person(ticket.owner_id),
        "liaison": person(standing.liaison_id),
        "leader": person(standing.leader_id),
        "created_at": _iso(ticket.created_at),
        "claimed_at": _iso(ticket.claimed_at),
        "first_reply_at": _iso(ticket.first_reply_at),
        "resolved_at": _iso(ticket.resolved_at),
        "closed_at": _iso(ticket.closed_at),
        "due": {
            "claim": _iso(ticket.due_claim),
            "first_reply": _iso(ticket.due_first_reply),
            "progress": _iso(ticket.due_progress),
            "resolution": _iso(due),
        },
        "provisional_calendar": due is not None and uow.calendar.current().provisional(due),
        "verdict": None if ticket.verdict is None else ticket.verdict.value,
        "rating": ticket.rating,
        "merged_into": ticket.merged_into,
        "source": {
            "platform": ticket.source.platform,
            "chat": ticket.source.chat,
            "message_id": ticket.source.message_id,
            "channel": ticket.source.channel.value,
        },
        "version": ticket.version,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "at": _iso(entry.at),
        "move": entry.move.value,
        "actor": {"id": entry.actor_id, "name": entry.actor_name},
        "text": entry.text,
        "from": None if entry.from_state is None else entry.from_state.value,
        "to": entry.to_state.value,
    }


_Named = Mapping[tuple[str, str], tuple[TicketFile, str]]


def _files_of(uow: UnitOfWork, ticket: Ticket) -> _Named:
    """What was sent along and what each is called, by where it lay."""
    files = uow.attachments.of(ticket.number)
    named = zip(files, attachments_say.names(files), strict=True)
    return {(file.platform, file.url): (file, name) for file, name in named}


def _message_json(ticket: Ticket, message: TicketMessage, files: _Named) -> dict[str, Any]:
    return {
        "at": _iso(message.at),
        "sender": {"id": message.sender_id, "name": message.sender_name},
        "text": message.text,
        "attachments": [
            _attachment_json(ticket, a, files.get((message.platform, a.url)))
            for a in message.attachments
        ],
    }


def _attachment_json(
    ticket: Ticket, sent: Attachment, found: tuple[TicketFile, str] | None
) -> dict[str, Any]:
    """A platform's own address may hold a key and is told to nobody."""
    if found is None:
        open_to_all = sent.kind in (AttachmentKind.LINK, AttachmentKind.LOCATION)
        url = sent.url if open_to_all else ""
        return {"type": sent.kind.value, "name": sent.name, "url": url}
    file, name = found
    kept = file.state is Keeping.KEPT
    return {
        "type": file.kind.value,
        "name": name,
        "url": f"/api/v1/tickets/{ticket.number}/attachments/{file.id}" if kept else "",
        "id": file.id,
        "state": file.state.value,
        "reason": None if file.loss is None else file.loss.value,
        "told": attachments_say.trouble(file),
        "content_type": file.content_type,
        "size": file.size,
    }


def _one_of(call: Call, key: str, enum: Any) -> str:
    value = call.request.query.get(key, "")
    if value and value not in {e.value for e in enum}:
        raise ApiError(400, "bad_filter", one_of(key, enum), {key: value[:20]})
    return value


def _query(call: Call) -> TicketQuery:
    asked = call.request.query
    limit, cursor = call.page()
    states: frozenset[State] = frozenset()
    if asked.get("state"):
        known = {s.value for s in State}
        wanted = asked["state"].split(",")
        if not set(wanted) <= known:
            raise ApiError(
                400, "bad_filter", one_of("state", State), {"state": asked["state"][:40]}
            )
        states = frozenset(State(s) for s in wanted)
    since = None
    if asked.get("updated_since"):
        try:
            since = datetime.fromisoformat(asked["updated_since"])
        except ValueError:
            since = None
        if since is None or since.tzinfo is None:
            raise ApiError(
                400, "bad_filter", "updated_since 请写带时区的完整时间。", {"updated_since": "bad"}
            )
    late = asked.get("overdue", "")
    if late not in (*OVERDUE, *_ANY_CLOCK, *_NO_CLOCK):
        message = f"overdue 请写 {'、'.join(OVERDUE)} 或 true。"
        raise ApiError(400, "bad_filter", message, {"overdue": late[:20]})
    return TicketQuery(
        states=states,
        enterprise_id=EnterpriseId(asked["enterprise"]) if asked.get("enterprise") else None,
        owner_id=PersonId(asked["owner"]) if asked.get("owner") else None,
        category=_one_of(call, "category", Category),
        urgency=_one_of(call, "urgency", Urgency),
        text=asked.get("q", "")[:100],
        overdue_at=None if late in _NO_CLOCK else call.app.clock.now(),
        overdue_of=late if late in OVERDUE else "",
        updated_since=since,
        limit=limit,
        cursor=cursor,
    )


def _visible(call: Call, uow: UnitOfWork, number: str) -> Ticket:
    """The ticket, if the caller may know of it; else it does not exist for them."""
    wanted = number_in(number)
    if wanted is not None:
        found = uow.tickets.find(TicketNumber(wanted))
    else:
        found = uow.tickets.by_code(number.upper())
    speaker = call.speaker(uow)
    if found is None or (speaker is not None and not service(call, uow).may_read(found, speaker)):
        raise UnknownTicket(number[:40])
    return found


async def listed(call: Call) -> Any:
    query = _query(call)

    def look(uow: UnitOfWork) -> Any:
        wanted = query
        speaker = call.speaker(uow)
        if speaker is not None:
            bound = call.caller.enterprise_id
            if wanted.enterprise_id not in (None, bound):
                return {"items": [], "next": None}
            wanted = replace(wanted, enterprise_id=bound)
        page = uow.tickets.search(wanted)
        items = [
            ticket_json(call.app, uow, t)
            for t in page.items
            if speaker is None or service(call, uow).may_read(t, speaker)
        ]
        return {"items": items, "next": page.next}

    return await call.app.writer.read(look)


async def one(call: Call) -> Any:
    number = call.request.match_info["number"]

    def look(uow: UnitOfWork) -> Any:
        ticket = _visible(call, uow, number)
        tickets, speaker = service(call, uow), call.speaker(uow)
        files = _files_of(uow, ticket)
        return ticket_json(call.app, uow, ticket) | {
            "history": [_entry_json(e) for e in tickets.history_for(ticket, speaker)],
            "messages": [
                _message_json(ticket, m, files) for m in uow.tickets.messages(ticket.number)
            ],
            "links": list(tickets.links_for(ticket, speaker)),
        }

    return await call.app.writer.read(look)


async def attachment(call: Call) -> Any:
    """The bytes of what was sent along, to be saved."""
    number = call.request.match_info["number"]
    wanted = number_in(call.request.match_info["id"])

    def look(uow: UnitOfWork) -> tuple[str, str, bytes]:
        ticket = _visible(call, uow, number)
        for file, name in _files_of(uow, ticket).values():
            body = uow.attachments.body(ticket.number, file.id) if file.id == wanted else None
            if body is not None:
                return name, file.content_type, body
        raise ApiError(404, "no_such_file", "没有这个附件。")

    name, content_type, body = await call.app.writer.read(look)
    called = quote(saved_as(name, content_type))
    return web.Response(
        body=body,
        content_type=content_type,
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": f"attachment; filename*=UTF-8''{called}",
        },
    )


def _enum(body: dict[str, Any], key: str, enum: Any) -> Any:
    value = body.get(key)
    if value is None:
        return None
    try:
        return enum(value)
    except ValueError:
        raise ApiError(422, "bad_field", one_of(key, enum), {key: str(value)[:20]}) from None


def _channel(body: dict[str, Any]) -> Channel:
    source = body.get("source")
    channel = source.get("channel") if isinstance(source, dict) else body.get("channel")
    return _enum({"channel": channel}, "channel", Channel) or Channel.API


async def create(call: Call) -> Any:
    body = call.body
    text = text_of(body, "body", needed=False) or text_of(body, "title", most=_TITLE)
    title = text_of(body, "title", needed=False, most=_TITLE)
    said_category = _enum(body, "category", Category)
    said_level = _enum(body, "urgency", Urgency)
    kind = _enum(body, "kind", Kind) or Kind.REQUEST
    channel = _channel(body)
    confidential = flag_of(body, "confidential", False)
    firm_id = body.get("enterprise") or body.get("enterprise_id")
    if isinstance(firm_id, dict):
        firm_id = firm_id.get("id")
    bound = call.caller.enterprise_id
    if bound is not None:
        if firm_id not in (None, bound):
            raise ApiError(403, "forbidden", "这个令牌只能为本企业登记。")
        firm_id = bound
    reporter_id = body.get("reporter") or body.get("actor")
    if isinstance(reporter_id, dict):
        reporter_id = reporter_id.get("id")

    def work(uow: UnitOfWork) -> Any:
        if firm_id is not None and uow.people.enterprise(EnterpriseId(str(firm_id))) is None:
            raise ApiError(422, "no_such_firm", "没有这家企业。", {"enterprise": str(firm_id)[:20]})
        lexicon = call.app.wiring.words.of(uow)
        category = said_category or topic(text, lexicon)[0]
        level = said_level or urgency(text, lexicon)
        reporter = None
        if reporter_id:
            reporter = call.actor(uow, str(reporter_id))
        elif bound is not None:
            reporter = uow.people.main_contact(bound)
        made = service(call, uow).submit(
            Report(
                title or title_of(text, category),
                text,
                category,
                level,
                None if firm_id is None else EnterpriseId(str(firm_id)),
                reporter,
                call.caller.name if reporter is None else reporter.name,
                Source("api", "", "", channel),
                kind,
                confidential=confidential,
            ),
            reporter,
        )
        return ticket_json(call.app, uow, made)

    made = await call.app.writer.run(work)
    call.app.dispatcher.wake()
    return Created(made)


async def moves(call: Call) -> Any:
    """POST {"move","actor","text","version","args":{}}; the moves of tickets.md §2."""
    body = call.body
    number = call.request.match_info["number"]
    what = _enum(body, "move", Move)
    if what is None:
        raise ApiError(422, "missing", "请写明 move。", {"move": "missing"})
    if what in _NOT_BY_HAND:
        raise ApiError(422, "bad_field", "这一步不能单独做。", {"move": what.value})
    version = body.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise ApiError(422, "bad_field", "version 应是数字。", {"version": "bad"})
    actor_id = text_of(body, "actor", needed=call.caller.enterprise_id is None, most=64)
    given = body.get("args")
    if given is not None and not isinstance(given, dict):
        raise ApiError(422, "bad_field", "args 应是对象。", {"args": "bad"})
    text = text_of(body, "text", needed=False)

    def work(uow: UnitOfWork) -> Any:
        ticket = _visible(call, uow, number)
        if actor_id == "system":
            call.office_only()
            speaker = None
        else:
            person = call.actor(uow, actor_id or str(call.caller.enterprise_id))
            speaker = Speaker(UserRef("api", call.caller.name), person, person.name)
            if not service(call, uow).may_read(ticket, speaker):
                raise UnknownTicket(number[:40])
        after = _move(call, uow, ticket, what, speaker, text, given or {}, version)
        return ticket_json(call.app, uow, after)

    made = await call.app.writer.run(work)
    call.app.dispatcher.wake()
    return made


def _move(
    call: Call,
    uow: UnitOfWork,
    ticket: Ticket,
    what: Move,
    speaker: Speaker | None,
    text: str,
    given: dict[str, Any],
    version: int | None,
) -> Ticket:
    tickets = service(call, uow)
    target = None
    if given.get("target") is not None:
        target = _visible(call, uow, str(given["target"]))
        if speaker is not None and not tickets.may_read(target, speaker):
            raise UnknownTicket(str(given["target"])[:40])
    if speaker is not None and target is not None:
        if what is Move.MERGE:
            return tickets.merge(ticket, target, speaker, text)
        if what is Move.LINK:
            return tickets.link(ticket, target, speaker)
    if what is Move.SPLIT and speaker is not None:
        lexicon = call.app.wiring.words.of(uow)
        category, _ = topic(text, lexicon)
        made = Report(
            title_of(text, category),
            text,
            category,
            urgency(text, lexicon),
            ticket.enterprise_id,
            speaker.person,
            speaker.name,
            ticket.source,
        )
        return tickets.split(ticket, speaker, made)[0]
    code = str(given.get("reason") or "")
    if what is Move.NOT_ACCEPT:
        code, text = not_accept_reason(f"{code} {text}".strip())
    args = Args(
        text=text,
        person=_to(uow, given),
        enterprise_id=_firm(uow, given),
        department=str(given.get("department") or ""),
        until=_until(given),
        category=_enum(given, "category", Category),
        urgency=_enum(given, "urgency", Urgency),
        rating=_number(given, "rating"),
        target=target,
        told=str(given.get("told") or ""),
        code=code,
        level=_number(given, "level"),
    )
    after = tickets.act(ticket, what, speaker, args, version)
    if what in (Move.FOLLOW_UP, Move.REPLY) and speaker is not None:
        person = speaker.person
        tickets.add_message(
            after,
            TicketMessage(
                call.app.clock.now(),
                None if person is None else person.id,
                speaker.name,
                text,
                "api",
            ),
        )
    return after


def _firm(uow: UnitOfWork, given: dict[str, Any]) -> EnterpriseId | None:
    wanted = str(given.get("enterprise") or "")
    if not wanted:
        return None
    if uow.people.enterprise(EnterpriseId(wanted)) is None:
        raise ApiError(422, "no_such_firm", "没有这家企业。", {"enterprise": wanted[:20]})
    return EnterpriseId(wanted)


def _number(given: dict[str, Any], key: str) -> int | None:
    value = given.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ApiError(422, "bad_field", f"{key} 应是数字。", {key: str(value)[:20]})
    return value


def _to(uow: UnitOfWork, given: dict[str, Any]) -> Person | None:
    wanted = given.get("person") or given.get("to") or given.get("owner")
    if not wanted:
        return None
    person = uow.people.person(PersonId(str(wanted)))
    if person is None:
        raise ApiError(422, "no_such_person", "没有这位同事。", {"person": str(wanted)[:40]})
    return person


def _until(given: dict[str, Any]) -> datetime | None:
    value = given.get("until")
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ApiError(422, "bad_field", "until 请写带时区的完整时间。", {"until": "bad"})
    return at


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/tickets", listed, False, "List tickets"),
    ("POST", "/tickets", create, True, "Open a ticket"),
    ("GET", "/tickets/{number}", one, False, "One ticket with history and messages"),
    ("GET", "/tickets/{number}/attachments/{id}", attachment, False, "A picture or file, to save"),
    ("POST", "/tickets/{number}/moves", moves, True, "Make a move"),
)
