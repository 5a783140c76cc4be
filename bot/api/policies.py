"""/policies: the library of policies for firms."""

from datetime import datetime
from typing import Any, Final

from bot.api.auth import Call, Created
from bot.wire import ApiError, number_in, text_of
from handlers.domain.people import Person
from handlers.domain.policy_library import PolicyEntry, State
from handlers.domain.policy_sheet import FIELDS, ReadPolicy, Sheet, from_items
from handlers.services.policies import PolicyService
from handlers.services.policy_import import Imported, PolicyImport
from handlers.services.tickets import TicketService
from handlers.texts import policies as say
from storage.uow import UnitOfWork

_MOST_ITEMS: Final = 500


def _service(call: Call, uow: UnitOfWork) -> PolicyService:
    calendar = uow.calendar.current()
    tickets = TicketService(uow, call.app.clock, calendar)
    return PolicyService(uow, call.app.clock, calendar, tickets)


def _day(value: Any) -> str | None:
    return None if value is None else str(value.isoformat())


def _shown(entry: PolicyEntry, service: PolicyService, full: bool = True) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": entry.id,
        "title": entry.title,
        "number": entry.number,
        "issuer": entry.issuer,
        "issued_on": _day(entry.issued_on),
        "valid_from": _day(entry.valid_from),
        "valid_to": _day(entry.expires_on),
        "apply_from": _day(entry.apply_from),
        "apply_by": _day(entry.apply_by),
        "for": {
            "industries": list(entry.whom.industries),
            "scales": list(entry.whom.scales),
            "areas": list(entry.whom.areas),
            "tags": list(entry.whom.tags),
            "staff_least": entry.whom.staff_least,
            "staff_most": entry.whom.staff_most,
            "output_least": entry.whom.output_least,
            "output_most": entry.whom.output_most,
        },
        "no_apply": entry.no_apply,
        "summary": entry.summary,
        "benefit": entry.benefit,
        "category": None if entry.category is None else entry.category.value,
        "source_url": entry.source_url,
        "checked_on": _day(entry.checked_on),
        "superseded_by": entry.superseded_by,
        "state": entry.state.value,
        "standing": service.standing(entry).value,
        "version": entry.version,
    }
    if full:
        plain |= {
            "text": entry.text,
            "materials": entry.materials,
            "contact": entry.contact,
            "keywords": list(entry.keywords),
            "attachments": list(entry.attachments),
            "author": entry.author,
            "approved_by": entry.approved_by,
            "approved_at": _day(entry.approved_at),
        }
    return plain


def _id(call: Call) -> int:
    number = number_in(call.request.match_info["id"])
    if number is None:
        raise ApiError(404, "no_such_policy", "没有这项政策。")
    return number


def _author(call: Call, uow: UnitOfWork) -> str:
    given = text_of(call.body, "author", needed=False, most=40)
    if not given:
        return call.caller.name
    person = call.actor(uow, given)
    if not person.is_staff:
        raise ApiError(403, "forbidden", "政策由办公室的同事录入。")
    return person.id


async def listed(call: Call) -> Any:
    """All, or those that fit `q`; a firm's token sees what is approved."""
    query = call.request.query
    words, state = query.get("q", "")[:400], query.get("state", "")
    limit, cursor = call.page()
    if state and state not in set(State):
        raise ApiError(
            422, "bad_field", "state 请写 draft、approved 或 withdrawn。", {"state": "bad"}
        )
    firm = call.caller.enterprise_id is not None

    def look(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        if words:
            found = uow.policies.search(words, service.today, min(limit, 20))
            return {
                "items": [
                    {
                        **_shown(f.entry, service, False),
                        "passage": f.passage,
                        "answers": f.sure,
                        "confidence": round(f.confidence, 1),
                    }
                    for f in found
                ],
                "next": None,
            }
        entries = [
            e
            for e in uow.policies.all()
            if (not state or e.state.value == state)
            and (not firm or e.state is State.APPROVED)
            and (not cursor or e.id < int(cursor))
        ]
        shown = [_shown(e, service, False) for e in entries[:limit]]
        more = len(entries) > limit
        return {"items": shown, "next": str(entries[limit - 1].id) if more else None}

    return await call.app.writer.read(look)


async def one(call: Call) -> Any:
    number = _id(call)

    def look(uow: UnitOfWork) -> Any:
        entry = uow.policies.get(number)
        hidden = call.caller.enterprise_id is not None
        if entry is None or (hidden and entry.state is not State.APPROVED):
            raise ApiError(404, "no_such_policy", "没有这项政策。")
        shown = _shown(entry, _service(call, uow))
        if hidden:
            for name in ("author", "approved_by", "approved_at", "keywords"):
                del shown[name]
        return shown

    return await call.app.writer.read(look)


def _read(items: list[Any]) -> Sheet:
    if not all(isinstance(i, dict) for i in items):
        raise ApiError(422, "bad_field", "items 里每一项应是一项政策。", {"items": "bad"})
    return from_items(items)


def _single(sheet: Sheet) -> ReadPolicy:
    """The one entry of a body; what is unclear in it is an error here."""
    for problem in (*sheet.rejected, *sheet.remarks):
        told = say.import_reason(problem.problem, problem.value)
        raise ApiError(422, problem.problem, told)
    return sheet.policies[0]


def _report(done: Imported) -> dict[str, Any]:
    return {
        "created": len(done.created),
        "changed": len(done.changed),
        "unchanged": done.unchanged,
        "rejected": len(done.rejected),
        "problems": [
            {"row": p.row, "name": p.name, "reason": say.import_reason(p.problem, p.value)}
            for p in (*done.remarks, *done.rejected)
        ],
    }


async def put(call: Call) -> Any:
    """One draft, or many as `items`: those that are there already stay as they are."""
    call.office_only()
    items = call.body.get("items")
    if items is not None:
        if not isinstance(items, list) or not 0 < len(items) <= _MOST_ITEMS:
            raise ApiError(
                422, "bad_field", f"items 请写 1 到 {_MOST_ITEMS} 项政策。", {"items": "bad"}
            )
        sheet = _read(items)

        def take(uow: UnitOfWork) -> Any:
            done = PolicyImport(uow, _service(call, uow)).take(sheet, _author(call, uow))
            return _report(done)

        return Created(await call.app.writer.run(take))
    sheet = _read([call.body])
    read = _single(sheet)

    def work(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        done = PolicyImport(uow, service).take(sheet, _author(call, uow))
        for problem in done.remarks:
            raise ApiError(422, problem.problem, say.import_reason(problem.problem, problem.value))
        entry = PolicyImport(uow, service).same(read.entry)
        assert entry is not None
        return _shown(entry, service)

    return Created(await call.app.writer.run(work))


async def change(call: Call) -> Any:
    """New wording makes a draft of it again; `state` withdrawn takes it out of use."""
    call.office_only()
    number = _id(call)
    given = {k: v for k, v in call.body.items() if k in FIELDS}
    state = text_of(call.body, "state", needed=False, most=20)
    if state and state not in (State.WITHDRAWN, State.DRAFT):
        raise ApiError(
            422, "bad_field", "state 可写 withdrawn 或 draft，启用请用 approve。", {"state": "bad"}
        )

    def work(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        before = service.entry(number)
        version = call.body.get("version")
        if version is not None and version != before.version:
            raise ApiError(409, "stale_entry", "刚刚有人改过这一项，请看最新内容后再操作。")
        basis = {"title": before.title, "summary": before.summary, "text": before.text}
        read = _single(_read([{**basis, **given}]))
        wanted: dict[str, object] = {}
        for name in read.given:
            if name in given or name == "whom" or (name == "expires_on" and "valid_to" in given):
                wanted[name] = getattr(read.entry, name)
        after = given.get("superseded_by")
        if "superseded_by" in given:
            wanted["superseded_by"] = after if isinstance(after, int) else None
            if after is not None and not isinstance(after, int):
                raise ApiError(422, "policy_successor", "superseded_by 请写接替政策的编号。")
        if state:
            wanted["state"] = State(state)
        return _shown(service.change(number, _author(call, uow), wanted), service)

    return await call.app.writer.run(work)


async def approve(call: Call) -> Any:
    call.office_only()
    number = _id(call)
    given = text_of(call.body, "actor", most=40)

    def work(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        person: Person = call.actor(uow, given)
        return _shown(service.approve(number, person), service)

    return await call.app.writer.run(work)


async def push(call: Call) -> Any:
    """Tell the firms it may be for, once each."""
    call.office_only()
    number = _id(call)
    given = text_of(call.body, "actor", most=40)

    def work(uow: UnitOfWork) -> Any:
        return {"told": _service(call, uow).push(number, call.actor(uow, given))}

    return await call.app.writer.run(work)


def _instant(call: Call, name: str) -> datetime:
    try:
        at: datetime | None = datetime.fromisoformat(call.request.query.get(name, ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ApiError(422, "bad_field", f"{name} 要写带时区的时间。", {name: "bad"})
    return at


async def unanswered(call: Call) -> Any:
    """What the library had no answer to."""
    call.office_only()
    since, until = _instant(call, "from"), _instant(call, "to")

    def look(uow: UnitOfWork) -> Any:
        return {
            "items": [
                {
                    "at": q.at.isoformat(),
                    "text": q.text,
                    "outcome": q.outcome.value,
                    "enterprise_id": q.enterprise_id,
                    "ticket": q.ticket,
                    "policy_id": q.policy_id,
                }
                for q in _service(call, uow).unanswered_between(since, until)
            ]
        }

    return await call.app.writer.read(look)


ROUTES = (
    ("GET", "/policies", listed, False, "The library; q searches it"),
    ("POST", "/policies", put, True, "A draft, or many as items"),
    ("GET", "/policies/unanswered", unanswered, False, "Questions without an answer, from, to"),
    ("GET", "/policies/{id}", one, False, "One policy"),
    ("PATCH", "/policies/{id}", change, True, "Change, withdraw, or name its successor"),
    ("POST", "/policies/{id}/approve", approve, True, "Take a draft into use; not its author"),
    ("POST", "/policies/{id}/push", push, True, "Tell the firms it may be for, once"),
)
