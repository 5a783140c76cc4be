"""/login: the office's people log in by the chat platform they use; no password is kept here.

The browser that begins a login gets a signed cookie with a random state; only it can finish, once,
within ten minutes. What it then keeps is a random token of which the database knows the mark.
"""

import base64
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web

from bot.pages import HEADERS, html, proof_of, same_origin, told
from bot.pages.kind import Html
from bot.platform import Logins, Platform, SendError
from bot.writer import Overloaded, Writer
from handlers.chat.events import UserRef
from handlers.domain.people import ROLE_NAMES, Person
from handlers.texts import login as say
from handlers.texts import pages as busy
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.login")

COOKIE: Final = "lhg_session"
BEGUN: Final = "lhg_login"
LASTS_SECONDS: Final = 12 * 3600
BEGUN_SECONDS: Final = 600
PROOF: Final = "proof"
_CONTEXT: Final = b"a login that was begun\x00"
_TOKEN: Final = re.compile(r"[\w-]{43}")
# A path of our own: a browser reads // and /\ as another site, and drops tabs and line ends.
_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_LONGEST: Final = 1000
_HOME: Final = "/login"


@dataclass(frozen=True, slots=True)
class _Begun:
    platform: str
    state: str
    until: int
    next: str


class Login:
    """`titles`: what people call the platforms; `base`: our address as browsers see it."""

    def __init__(
        self,
        writer: Writer,
        platforms: Mapping[str, Platform],
        titles: Mapping[str, str],
        secret: str,
        base: str,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._writer = writer
        self._ways = {n: p for n, p in platforms.items() if isinstance(p, Logins) and p.can_login}
        self._titles = titles
        self._key: Final = (secret or secrets.token_hex(32)).encode()
        self._base = base
        self._secure = base.startswith("https:")
        self._wall = wall

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.show, allow_head=False),
            web.get("/login/{platform}", self.begin, allow_head=False),
            web.get("/login/{platform}/back", self.finish, allow_head=False),
            web.post("/logout", self.leave),
        ]

    async def person(self, request: web.Request) -> Person | None:
        """Who is logged in at this browser."""
        mark = _session(request)
        if mark is None:
            return None
        now = self._wall()
        return await self._writer.read(lambda uow: _who(uow, mark, now))

    # ---- pages

    async def show(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        if person is None:
            return self._ask(say.TITLE, "", 200, _inside(request.query.get("next", "")))
        facts = [(say.NAME, person.name), (say.ROLE, ROLE_NAMES[person.role])]
        return _page(say.IN_TITLE, facts=facts, proof=_proof(request))

    def _ask(self, title: str, words: str, status: int, after: str = _HOME) -> web.Response:
        ways = [
            (say.by(self._titles.get(name, name)), f"/login/{name}?{urlencode({'next': after})}")
            for name in self._ways
        ]
        note = say.NOTE if ways else say.NO_WAY
        return _page(title, status, told=words, ways=ways, note=note)

    # ---- coming in

    async def begin(self, request: web.Request) -> web.Response:
        name = request.match_info["platform"]
        way = self._ways.get(name)
        if way is None:
            return self._ask(say.TITLE, "", 404)
        after = _inside(request.query.get("next", ""))
        until = int(self._wall()) + BEGUN_SECONDS
        begun = _Begun(name, secrets.token_hex(16), until, after)
        back = f"{self._base}/login/{quote(name)}/back"
        agent = request.headers.get("User-Agent", "")
        response = _elsewhere(way.login_url(back, begun.state, agent))
        response.set_cookie(
            BEGUN,
            self._signed(begun),
            path=_HOME,
            max_age=BEGUN_SECONDS,
            httponly=True,
            # The way back leads over the platform's site: Strict would leave the cookie out.
            samesite="Lax",
            secure=self._secure,
        )
        return response

    async def finish(self, request: web.Request) -> web.Response:
        name, state = request.match_info["platform"], request.query.get("state", "")
        begun = self._read(request.cookies.get(BEGUN, ""))
        way = self._ways.get(name)
        if (
            begun is None
            or way is None
            or begun.platform != name
            or not hmac.compare_digest(begun.state.encode(), state.encode())
        ):
            return self._over(say.OVER)
        try:
            user = await way.logged_in(request.query.get("code", ""))
        except SendError as error:
            _log.warning("login.refused", extra={"platform": name, "code": error.code})
            return self._over(say.NOT_CONFIRMED)
        token, before = secrets.token_urlsafe(32), _session(request)

        def enter(uow: UnitOfWork) -> str:
            known = uow.people.identity(UserRef(name, user))
            person = None if known is None else uow.people.person(known.person_id)
            if person is None or not person.active:
                return say.UNKNOWN
            if not person.is_staff:
                return say.FOR_STAFF
            now = self._wall()
            marks = _mark(token), person.id, name, _mark(begun.state)
            if not uow.sessions.begin(*marks, now + LASTS_SECONDS, now):
                return say.OVER
            if before is not None:
                uow.sessions.end(before)
            uow.audit.add(uow.shared.now(), person.id, "login", name, {})
            return ""

        try:
            fault = await self._writer.run(enter)
        except Overloaded:
            return told(busy.BUSY_TITLE, busy.BUSY, 503)
        if fault:
            return self._over(fault)
        response = _elsewhere(begun.next)
        response.del_cookie(BEGUN, path=_HOME)
        response.set_cookie(
            COOKIE,
            token,
            path="/",
            max_age=LASTS_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )
        return response

    def _over(self, words: str) -> web.Response:
        title = say.OVER_TITLE if words in (say.OVER, say.NOT_CONFIRMED) else say.UNKNOWN_TITLE
        response = self._ask(title, words, 403)
        response.del_cookie(BEGUN, path=_HOME)
        return response

    # ---- going out

    async def leave(self, request: web.Request) -> web.Response:
        mark = _session(request)
        sent = await request.post()
        proof = str(sent.get(PROOF, ""))
        if not same_origin(request) or not hmac.compare_digest(
            proof.encode(), _proof(request).encode()
        ):
            return self._ask(say.TITLE, say.NOT_SENT, 403)
        if mark is not None:
            await self._writer.run(lambda uow: uow.sessions.end(mark))
        response = self._ask(say.LEFT_TITLE, say.LEFT, 200)
        response.del_cookie(COOKIE, path="/")
        return response

    # ---- what the browser keeps while it is away

    def _signed(self, begun: _Begun) -> str:
        plain = [begun.platform, begun.state, begun.until, begun.next]
        body = base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return hmac.new(self._key, _CONTEXT + body.encode(), sha256).hexdigest()

    def _read(self, cookie: str) -> _Begun | None:
        """None for one that was altered or is over."""
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode()):
            return None
        begun = _Begun(*json.loads(base64.urlsafe_b64decode(body)))
        return begun if self._wall() < begun.until else None


def _who(uow: UnitOfWork, mark: str, now: float) -> Person | None:
    person_id = uow.sessions.person(mark, now)
    person = None if person_id is None else uow.people.person(person_id)
    return person if person is not None and person.active and person.is_staff else None


def _inside(path: str) -> str:
    """Where to go afterwards: a path of our own, whatever else is asked for."""
    return path if len(path) <= _LONGEST and _PATH.fullmatch(path) else _HOME


def _mark(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _session(request: web.Request) -> str | None:
    token = request.cookies.get(COOKIE, "")
    return _mark(token) if _TOKEN.fullmatch(token) else None


def _proof(request: web.Request) -> str:
    """What only a browser that is logged in was given."""
    return proof_of("logout", request.cookies.get(COOKIE, ""))


def _elsewhere(address: str) -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": address})


def _page(title: str, status: int = 200, **values: object) -> web.Response:
    known = {"title": title, "facts": [], "told": "", "ways": [], "note": "", "proof": ""}
    wrong = status >= 400
    return html(Html("login.html", {**known, "wrong": wrong, "leave": say.LEAVE, **values}, status))
