"""/visits: the visit book."""

from datetime import datetime, time
from typing import Any

from bot.api.auth import Call, Created, Resource
from bot.wire import ApiError, text_of
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Person, Role
from handlers.domain.ticket import Channel, Source
from handlers.domain.visit import Mode, Note, Purpose, Standing, Visit
from handlers.ports.visits import VisitQuery
from handlers.services.tickets import TicketService
from handlers.services.visits import VisitService
from handlers.understanding import FirmNames
from storage.uow import UnitOfWork

_LISTS = ("met", "policies_told", "problems")
_TEXTS = ("place", "production", "workforce", "orders")


def _service(call: Call, uow: UnitOfWork) -> VisitService:
    app, calendar = call.app, uow.calendar.current()
    tickets = TicketService(uow, app.clock, calendar, app.settings.ticket_prefix)
    firms = FirmNames(
        (e.id, e.short_name, e.aliases, e.full_name) for e in uow.people.enterprises() if e.active
    )
    return VisitService(uow, app.clock, calendar, tickets, firms)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _visit(visit: Visit, service: VisitService, own_firm: bool) -> dict[str, Any]:
    """`own_firm`: as the firm itself may see it, without what the office noted of it."""
    plain = {
        "visit_no": visit.code,
        "number": visit.number,
        "enterprise": {"id": visit.enterprise_id, "name": service.name(visit.enterprise_id)},
        "at": _iso(visit.at),
        "until": _iso(visit.until),
        "mode": visit.mode.value,
        "purpose": visit.purpose.value,
        "state": visit.standing.value,
        "problems": list(visit.problems),
        "policies_told": list(visit.told),
        "next_visit": _iso(visit.next_at),
    }
    if own_firm:
        return plain
    return {
        **plain,
        "place": visit.place,
        "visitors": list(visit.visitors),
        "met": list(visit.met),
        "production": visit.production,
        "workforce": visit.workforce,
        "orders": visit.orders,
        "note": visit.note,
        "project": visit.project,
        "backfilled": visit.backfilled,
        "entered_by": visit.entered_by,
        "entered_at": _iso(visit.entered_at),
    }


def _instant(text: str, key: str, call: Call) -> datetime:
    """An instant, or a day for its first minute here."""
    try:
        # A plus sign that was not escaped arrives as a space.
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise ApiError(
            422, "bad_field", f"{key} 请写成 2026-11-24 或带时区的完整时间。", {key: text[:40]}
        ) from None
    zone = call.app.settings.zone
    if len(text) <= len("2026-11-24"):
        at = datetime.combine(at.date(), time(), zone)
    elif at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(call.app.clock.now().tzinfo)


async def visits(call: Call) -> Any:
    """Newest entry first; a firm's token sees its own visits and nothing the office noted."""
    limit, cursor = call.page()
    asked, bound = call.request.query, call.caller.enterprise_id

    def moment(key: str) -> datetime | None:
        return _instant(asked[key], key, call) if asked.get(key) else None

    firm = bound or EnterpriseId(asked.get("enterprise", "")) or None
    since, until = moment("from"), moment("to")

    def look(uow: UnitOfWork) -> Any:
        by = asked.get("by", "")
        person = uow.people.person(PersonId(by)) if by else None
        query = VisitQuery(
            enterprise_id=firm,
            by=by if person is None else person.name,
            since=since,
            until=until,
            project=asked.get("project", ""),
            planned=asked.get("state", "") == Standing.PLANNED.value,
            limit=limit + 1,
            before=int(cursor) if cursor else None,
        )
        found = uow.visits.search(query)
        service = _service(call, uow)
        more = str(found[limit - 1].number) if len(found) > limit else None
        return {
            "items": [_visit(v, service, bound is not None) for v in found[:limit]],
            "next": more,
        }

    return await call.app.writer.read(look)


def _texts(body: dict[str, Any], key: str) -> tuple[str, ...]:
    given = body.get(key) or []
    if not isinstance(given, list) or not all(isinstance(x, str) and len(x) <= 300 for x in given):
        raise ApiError(422, "bad_field", f"{key} 应是一组文字。", {key: "bad"})
    return tuple(x.strip() for x in given[:10] if x.strip())


def _kind(body: dict[str, Any], key: str, kinds: Any) -> Any:
    given = body.get(key)
    if given is None or given == "":
        return None
    if not isinstance(given, str) or given not in {k.value for k in kinds}:
        names = "、".join(k.value for k in kinds)
        raise ApiError(422, "bad_field", f"{key} 请写 {names} 之一。", {key: str(given)[:20]})
    return kinds(given)


def _note(call: Call) -> Note:
    body = call.body
    at, again = (text_of(body, k, needed=False, most=40) for k in ("at", "next_visit"))
    lists = {key: _texts(body, key) for key in _LISTS}
    return Note(
        at=_instant(at, "at", call) if at else None,
        mode=_kind(body, "mode", Mode),
        purpose=_kind(body, "purpose", Purpose),
        met=lists["met"],
        told=lists["policies_told"],
        problems=lists["problems"],
        next_at=_instant(again, "next_visit", call) if again else None,
        **{key: text_of(body, key, needed=False, most=200) for key in _TEXTS},  # type: ignore[arg-type]  # texts all
    )


def _by(call: Call, uow: UnitOfWork, given: str) -> Person:
    person = call.actor(uow, given)
    if not person.is_staff or person.role is Role.DEPARTMENT:
        raise ApiError(422, "no_such_person", "走访由办公室的人员登记。", {"by": given[:40]})
    return person


async def log_visit(call: Call) -> Any:
    """A visit as one sentence, as fields, or as both; what the fields say wins."""
    call.office_only()
    firm = EnterpriseId(text_of(call.body, "enterprise_id", most=20))
    given = text_of(call.body, "by", most=64)
    text = text_of(call.body, "text", needed=False, most=1000)
    message = text_of(call.body, "client_id", needed=False, most=100)
    project = text_of(call.body, "project", needed=False, most=40)
    note = _note(call)

    def work(uow: UnitOfWork) -> Any:
        by = _by(call, uow, given)
        service = _service(call, uow)
        known = uow.visits.by_source("api", message) if message else None
        if known is not None:
            return {**_visit(known, service, False), "tickets": list(known.problems), "warning": ""}
        if uow.people.enterprise(firm) is None:
            raise ApiError(422, "no_such_firm", "没有这家企业。", {"enterprise_id": firm})
        if not text and note == Note():
            raise BadInput("text_needed")
        source = Source("api", "api", message, Channel.VISIT)
        logged = service.log(text, firm, by, source, project=project, note=note)
        return {
            **_visit(logged.visit, service, False),
            "tickets": [t.number for t in logged.opened],
            "warning": service.warning(logged),
        }

    return Created(await call.app.writer.run(work))


async def drop_visit(call: Call) -> Any:
    """Take a visit back, by whoever entered it or the office."""
    call.office_only()
    number = call.request.match_info["number"]
    given = text_of(call.body, "by", most=64)

    def work(uow: UnitOfWork) -> Any:
        if not number.isdigit():
            raise NoSuch("visit", number[:20])
        service = _service(call, uow)
        return {"message": service.drop(int(number), call.actor(uow, given))}

    return await call.app.writer.run(work)


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/visits", visits, False, "The visit book"),
    ("POST", "/visits", log_visit, True, "Enter a visit"),
    ("POST", "/visits/{number}/drop", drop_visit, True, "Take a visit back"),
)
