"""/signups: sign-up lists, opened, filled in and closed by other programs of the office."""

from datetime import datetime
from typing import Any

from bot.api.auth import Call, Created
from bot.wire import ApiError, number_in, text_of
from handlers.chat.events import ChatRef
from handlers.domain.errors import NotPermitted
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import OFFICE_ROLES, Person, Role
from handlers.domain.signup import Act, Place, Said, SignUp, genders
from handlers.services.signups import SignUps
from storage.uow import UnitOfWork

_MAY = OFFICE_ROLES | {Role.LEADER}


def instant_of(call: Call, key: str) -> datetime | None:
    """A time with its zone; None where it is left out."""
    text = text_of(call.body, key, needed=False, most=40)
    if not text:
        return None
    try:
        at: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ApiError(422, "bad_field", f"{key} 要写带时区的时间。", {key: text})
    return at


def whole_of(body: dict[str, Any], key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10_000:
        raise ApiError(422, "bad_field", f"{key} 要写整数。", {key: str(value)[:20]})
    return value


def number_of(call: Call) -> int:
    number = number_in(call.request.match_info["number"])
    if number is None or number > 999_999_999:
        raise ApiError(404, "no_such", "没有这个编号。")
    return number


def _office(call: Call, uow: UnitOfWork) -> Person:
    person = call.actor(uow, text_of(call.body, "actor", most=40))
    if person.role not in _MAY:
        raise NotPermitted("signup_role")
    return person


def _service(call: Call, uow: UnitOfWork) -> SignUps:
    return call.app.wiring.signups(uow)


def _place(place: Place, service: SignUps) -> dict[str, Any]:
    return {
        "key": place.key,
        "name": service.name(place.key),
        "count": place.count,
        "male": place.male,
        "female": place.female,
    }


def _plain(signup: SignUp, service: SignUps, now: datetime) -> dict[str, Any]:
    male, female, unknown = genders(signup.confirmed)
    return {
        "number": signup.number,
        "title": signup.title,
        "chat": {"platform": signup.platform, "id": signup.chat},
        "quota": signup.quota,
        "taken": signup.taken,
        "left": signup.left,
        "male": male,
        "female": female,
        "unknown": unknown,
        "open": signup.is_open(now),
        "opened_at": signup.opened_at.isoformat(),
        "closes_at": None if signup.closes_at is None else signup.closes_at.isoformat(),
        "entries": [_place(p, service) for p in signup.confirmed],
        "waiting": [_place(p, service) for p in signup.waiting],
        "version": signup.version,
    }


async def listing(call: Call) -> Any:
    call.office_only()
    limit, cursor = call.page()

    def look(uow: UnitOfWork) -> Any:
        found = uow.signups.page(limit + 1, number_in(cursor) if cursor else None)
        service, now = _service(call, uow), call.app.clock.now()
        return {
            "items": [_plain(s, service, now) for s in found[:limit]],
            "next": str(found[limit - 1].number) if len(found) > limit else None,
        }

    return await call.app.writer.read(look)


async def one(call: Call) -> Any:
    call.office_only()
    number = number_of(call)

    def look(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        return _plain(service.find(number), service, call.app.clock.now())

    return await call.app.writer.read(look)


async def begin(call: Call) -> Any:
    """{"title","quota","closes_at","chat":{"platform","id"},"actor"}; the big group by default."""
    call.office_only()
    title = text_of(call.body, "title", most=100)
    quota, closes_at = whole_of(call.body, "quota"), instant_of(call, "closes_at")
    chat = call.body.get("chat")
    if chat is not None and not (
        isinstance(chat, dict)
        and isinstance(chat.get("platform"), str)
        and isinstance(chat.get("id"), str)
    ):
        raise ApiError(422, "bad_field", "chat 要写 platform 和 id。", {"chat": "bad"})

    def work(uow: UnitOfWork) -> Any:
        by = _office(call, uow)
        where = None if chat is None else ChatRef(chat["platform"], chat["id"])
        if where is not None and uow.chats.chat(where) is None:
            raise ApiError(422, "no_such_chat", "没有这个群。", {"chat": where.id[:40]})
        service = _service(call, uow)
        signup = service.open(by, title, where, quota, closes_at)
        return _plain(signup, service, call.app.clock.now())

    return Created(await call.app.writer.run(work))


async def enter(call: Call) -> Any:
    """{"enterprise","count","male","female","actor"}: a firm that called; count 0 takes it off."""
    call.office_only()
    number, firm = number_of(call), text_of(call.body, "enterprise", most=40)
    count = whole_of(call.body, "count")
    male, female = whole_of(call.body, "male"), whole_of(call.body, "female")
    if count is None and (male is None or female is None):
        raise ApiError(422, "missing", "缺少 count。", {"count": "missing"})
    total = (male or 0) + (female or 0) if count is None else count
    said = Said(Act.SET, total, male, female) if total else Said(Act.OFF)

    def work(uow: UnitOfWork) -> Any:
        by, service = _office(call, uow), _service(call, uow)
        change = service.enter(number, EnterpriseId(firm), said, by)
        plain = _plain(change.signup, service, call.app.clock.now())
        return {"outcome": change.outcome.value, **plain}

    return await call.app.writer.run(work)


async def change(call: Call) -> Any:
    """{"quota","actor"}; null lifts the quota."""
    call.office_only()
    number, quota = number_of(call), whole_of(call.body, "quota")

    def work(uow: UnitOfWork) -> Any:
        by, service = _office(call, uow), _service(call, uow)
        return _plain(service.set_quota(number, quota, by.id), service, call.app.clock.now())

    return await call.app.writer.run(work)


async def close(call: Call) -> Any:
    call.office_only()
    number = number_of(call)

    def work(uow: UnitOfWork) -> Any:
        by, service = _office(call, uow), _service(call, uow)
        return _plain(service.close(number, by.id), service, call.app.clock.now())

    return await call.app.writer.run(work)


ROUTES = (
    ("GET", "/signups", listing, False, "Sign-ups, newest first"),
    ("POST", "/signups", begin, True, "Open a sign-up in a group"),
    ("GET", "/signups/{number}", one, False, "One sign-up with its list"),
    ("PATCH", "/signups/{number}", change, True, "Another quota"),
    ("POST", "/signups/{number}/entries", enter, True, "Enter a firm that called"),
    ("POST", "/signups/{number}/close", close, True, "Take no more"),
)
