"""Who calls the API, what they may see, and errors as contract.md §5 shapes them."""

import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.wire import ApiError, json_body, number_in, problem
from bot.writer import Overloaded
from handlers.chat.events import UserRef
from handlers.domain.errors import (
    IllegalMove,
    NoSuch,
    NotAllowed,
    NotPermitted,
    Refusal,
    StaleEntry,
    StaleVersion,
    UnknownTicket,
    WrongState,
)
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Person
from handlers.services.people import Speaker
from handlers.texts.common import refused
from storage.uow import UnitOfWork

if TYPE_CHECKING:
    from bot.app import App

_STATUS: Final = {
    UnknownTicket: 404,
    NoSuch: 404,
    NotAllowed: 403,
    NotPermitted: 403,
    IllegalMove: 409,
    WrongState: 409,
    StaleVersion: 409,
    StaleEntry: 409,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A token's rights; bound to a firm it sees what that firm's manager would see."""

    name: str
    may_write: bool
    enterprise_id: EnterpriseId | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API."""

    app: "App"
    request: web.Request
    caller: Caller
    body: dict[str, Any]

    def speaker(self, uow: UnitOfWork) -> Speaker | None:
        """Whose eyes a firm-bound token sees with; None sees everything."""
        if self.caller.enterprise_id is None:
            return None
        contact = uow.people.main_contact(self.caller.enterprise_id)
        return Speaker(UserRef("api", self.caller.name), contact, self.caller.name)

    def actor(self, uow: UnitOfWork, given: str) -> Person:
        """The person a move is made by: a person id, or a firm's id for its contact."""
        person = uow.people.person(PersonId(given))
        if person is None:
            person = uow.people.main_contact(EnterpriseId(given))
        if person is None or not person.active:
            raise ApiError(
                422, "no_such_person", f"没有编号为 {given[:40]} 的人员。", {"actor": given[:40]}
            )
        bound = self.caller.enterprise_id
        if bound is not None and person.enterprise_id != bound:
            raise ApiError(403, "forbidden", "这个令牌只能代表本企业。")
        return person

    def office_only(self) -> None:
        if self.caller.enterprise_id is not None:
            raise ApiError(403, "forbidden", "这个令牌只能看本企业的工单。")

    def page(self) -> tuple[int, str]:
        """limit (50 by default, 200 at most) and cursor."""
        query = self.request.query
        limit, cursor = query.get("limit", "50"), query.get("cursor", "")
        wanted = number_in(limit)
        if not wanted:
            raise ApiError(400, "bad_limit", "limit 请写 1 到 200。", {"limit": limit[:20]})
        if cursor and number_in(cursor) is None:
            raise ApiError(
                400, "bad_cursor", "cursor 请用上一页返回的 next。", {"cursor": cursor[:20]}
            )
        return min(wanted, _MOST_ROWS), cursor


Resource = Callable[[Call], Awaitable[Any]]
_RAW: Final[set[Resource]] = set()


def raw_body(resource: Resource) -> Resource:
    """A resource that reads the request's bytes itself, where others are given a JSON object."""
    _RAW.add(resource)
    return resource


_MOST_ROWS: Final = 200


def _caller(app: "App", secret: str, uow: UnitOfWork) -> Caller | None:
    bootstrap = app.settings.bootstrap_token
    if bootstrap and hmac.compare_digest(bootstrap.encode(), secret.encode()):
        return Caller("bootstrap", True)
    token = uow.tokens.by_secret(sha256(secret.encode()).hexdigest())
    if token is None or token.revoked:
        return None
    return Caller(token.name, token.scope == "write", token.enterprise_id)


def _owner(refusal: Refusal, uow: UnitOfWork) -> str:
    """Who was first, where that is the reason."""
    owner_id = refusal.values.get("owner_id")
    person = None if owner_id is None else uow.people.person(PersonId(str(owner_id)))
    return "" if person is None else person.name


class Guesses:
    """Wrong tokens by where they come from: who goes on guessing is told to wait."""

    def __init__(self, most: int = 100, per_seconds: float = 60.0) -> None:
        self._most, self._per = most, per_seconds
        self._wrong: dict[str, deque[float]] = {}

    def _recent(self, remote: str, now: float) -> deque[float]:
        wrong = self._wrong.setdefault(remote, deque())
        while wrong and wrong[0] <= now - self._per:
            wrong.popleft()
        return wrong

    def refuse(self, remote: str, now: float) -> bool:
        """Whether this place has guessed too often."""
        wrong = self._recent(remote, now)
        if not wrong:
            # Nothing is kept of the many who never guessed.
            del self._wrong[remote]
        return len(wrong) >= self._most

    def count(self, remote: str, now: float) -> None:
        self._recent(remote, now).append(now)


def guarded(app: "App", resource: Resource, writes: bool, guesses: Guesses) -> Any:
    """An aiohttp handler: authenticate, read the body, shape every error."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            header = request.headers.get("Authorization", "")
            secret = header.removeprefix("Bearer ").strip()
            if not header.startswith("Bearer ") or not secret:
                raise ApiError(401, "unauthorized", "请在 Authorization 里带上接口令牌。")
            remote = request.remote or ""
            if guesses.refuse(remote, time.monotonic()):
                raise ApiError(429, "too_many", "令牌错得太多次，请一分钟后再试。")
            caller = await app.writer.read(lambda uow: _caller(app, secret, uow))
            if caller is None:
                guesses.count(remote, time.monotonic())
                raise ApiError(401, "unauthorized", "接口令牌不对或已停用。")
            if writes and not caller.may_write:
                raise ApiError(403, "read_only", "这个令牌只能查看，不能修改。")
            body = await json_body(request) if writes and resource not in _RAW else {}
            answer = await resource(Call(app, request, caller, body))
            status = 201 if request.method == "POST" and isinstance(answer, Created) else 200
            if isinstance(answer, web.Response):
                return answer
            value = answer.value if isinstance(answer, Created) else answer
            return web.json_response(value, status=status)
        except ApiError as error:
            told = problem(error.status, error.code, error.message, error.fields)
            if error.status == 429:
                told.headers["Retry-After"] = "60"
            return told
        except Refusal as refusal:
            status = next((s for k, s in _STATUS.items() if isinstance(refusal, k)), 422)
            if refusal.code == "already_taken":
                status = 409
            code = str(refusal.values.get("reason", refusal.code))
            owner = await app.writer.read(partial(_owner, refusal))
            return problem(status, code, refused(refusal, app.clock.now(), owner))
        except Overloaded:
            return problem(503, "overloaded", "现在请求较多，请稍后再试。")

    return handle


@dataclass(frozen=True, slots=True)
class Created:
    value: Any
