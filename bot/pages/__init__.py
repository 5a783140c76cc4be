"""/l/{token}: one person's page. Each kind is a module here; the door is the same for all.

A link belongs to the browser that opens it first, told by a random cookie: forwarded, it shows
nothing. A wrong, altered, ended or forwarded link gets one and the same page.
"""

import asyncio
import hmac
import importlib
import logging
import pkgutil
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.clock import MovableClock, SystemClock
from bot.links import SignedLinks, Ticket
from bot.pages.kind import Done, File, Html, Opened, Page, Shown
from bot.writer import Overloaded, Writer
from handlers.domain.ids import PersonId
from handlers.texts import pages as say
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.pages")

COOKIE: Final = "lhg_reader"
PROOF: Final = "proof"
_FOLDER: Final = Path(__file__).parent
_STATIC: Final = {
    "page.css": _FOLDER / "static" / "page.css",
    # The one set of tokens of every surface.
    "tokens.css": _FOLDER.parent / "sandbox" / "static" / "tokens.css",
    "icon.svg": _FOLDER.parent / "sandbox" / "static" / "icon.svg",
}
_READER: Final = re.compile(r"[\w-]{43}")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    # Not no-referrer: with it a browser names no origin when a form is sent.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_AGAIN: Final = "first"
_PDF: Final = "application/pdf"
_COOKIE_SECONDS: Final = 400 * 24 * 3600


@web.middleware
async def spoken(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What leads nowhere or breaks is told to a person as a page; a program gets the bare status."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        if not _is_person(request):
            raise
        return told(say.NOWHERE_TITLE, say.NOWHERE, 404)
    except web.HTTPException:
        raise
    except Exception:
        if not _is_person(request):
            raise
        _log.exception("page.failed")
        return told(say.BROKEN_TITLE, say.BROKEN, 500)


def _is_person(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def kinds() -> dict[str, Page]:
    """Every kind of page by the kind of its links; raises ValueError where two claim one."""
    found: dict[str, Page] = {}
    for _, name, _ in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{name}")
        for page in getattr(module, "pages", ()):
            if page.what in found:
                raise ValueError(f"two pages are called {page.what}")
            found[page.what] = page
    return found


def routes(
    writer: Writer,
    clock: SystemClock | MovableClock,
    links: SignedLinks,
    templates: Path | None,
    found: Mapping[str, Page] | None = None,
) -> list[web.RouteDef]:
    door = Door(writer, clock, links, templates, kinds() if found is None else found)
    return [
        web.get("/l/static/{name}", _static, allow_head=False),
        # A platform that looks at a link before a person does must not become its reader.
        web.get("/l/{token}", door.open, allow_head=False),
        web.get("/l/{token}/{part}", door.open, allow_head=False),
        web.post("/l/{token}", door.send),
    ]


class Door:
    def __init__(
        self,
        writer: Writer,
        clock: SystemClock | MovableClock,
        links: SignedLinks,
        templates: Path | None,
        found: Mapping[str, Page],
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._links = links
        self._templates = templates
        self._kinds = found
        self._secure = links.base.startswith("https:")

    async def open(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        asked, page = self._asked(token)
        if asked is None or page is None:
            return gone()
        reader = _reader(request)
        if reader is None:
            return await self._meet(request, token)
        opened = self._opening(token, asked, reader, request.match_info.get("part", ""))
        return await self._answer(lambda uow: opened(uow, page.show), token, reader)

    async def send(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        asked, page = self._asked(token)
        reader = _reader(request)
        if asked is None or page is None or page.submit is None or reader is None:
            return gone()
        try:
            sent = await request.post()
        except (ValueError, web.HTTPRequestEntityTooLarge):
            return told(say.NOT_SENT_TITLE, say.NOT_SENT, 400)
        form: dict[str, list[str]] = {}
        for key in sent:
            form[key] = [v for v in sent.getall(key) if isinstance(v, str)]
        proof = (form.pop(PROOF, None) or [""])[0]
        if not same_origin(request) or not hmac.compare_digest(
            proof.encode(), proof_of(token, reader).encode()
        ):
            return told(say.NOT_SENT_TITLE, say.NOT_SENT, 403)
        submit = page.submit
        opened = self._opening(token, asked, reader, "")
        return await self._answer(
            lambda uow: opened(uow, lambda one: submit(one, form)), token, reader
        )

    def _asked(self, token: str) -> tuple[Ticket | None, Page | None]:
        asked = self._links.read(token)
        return asked, None if asked is None else self._kinds.get(asked.what.partition("-")[0])

    async def _meet(self, request: web.Request, token: str) -> web.StreamResponse:
        """Give a browser its cookie; what keeps none, as a platform's preview does, sees nothing."""
        mark = _mark(token)
        if await self._writer.read(lambda uow: uow.openings.reader(mark)) is not None:
            return gone()
        if _AGAIN in request.query:
            return told(say.COOKIE_TITLE, say.COOKIE, 400)
        response = web.Response(
            status=303, headers={**HEADERS, "Location": f"/l/{token}?{_AGAIN}=1"}
        )
        response.set_cookie(
            COOKIE,
            secrets.token_urlsafe(32),
            path="/l/",
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )
        return response

    def _opening(self, token: str, asked: Ticket, reader: str, part: str) -> Any:
        """What looks a page up in a unit of work: nothing for who is not the link's reader."""

        def opened(uow: UnitOfWork, look: Any) -> Any:
            person = uow.people.person(PersonId(asked.person))
            if person is None or not person.active:
                return None
            mark = _mark(token)
            if not uow.openings.take(mark, proof_of(mark, reader), float(asked.until)):
                return None
            return look(
                Opened(
                    uow,
                    self._clock,
                    self._links,
                    self._templates,
                    asked.what.partition("-")[2],
                    asked.subject,
                    person,
                    f"/l/{token}",
                    part,
                )
            )

        return opened

    async def _answer(self, work: Any, token: str, reader: str) -> web.StreamResponse:
        try:
            found: Shown | Done | None = await self._writer.run(work)
        except Overloaded:
            return told(say.BUSY_TITLE, say.BUSY, 503)
        if found is None:
            return gone()
        if isinstance(found, Done):
            return web.Response(status=303, headers={**HEADERS, "Location": f"/l/{token}"})
        if isinstance(found, File):
            return await given(found)
        values = {**found.values, PROOF: proof_of(token, reader), "here": f"/l/{token}"}
        return html(replace(found, values=values))


def _reader(request: web.Request) -> str | None:
    said = request.cookies.get(COOKIE, "")
    return said if _READER.fullmatch(said) else None


def _mark(token: str) -> str:
    """What a link is remembered by: from the mark nobody gets back to the link."""
    return sha256(token.encode()).hexdigest()


def proof_of(of: str, reader: str) -> str:
    """What only the browser with this cookie was given."""
    return hmac.new(reader.encode(), of.encode(), sha256).hexdigest()


def same_origin(request: web.Request) -> bool:
    """Browsers say where a form was sent from; what says nothing still needs the proof."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    return origin is None or urlsplit(origin).netloc == request.host


async def given(found: File) -> web.StreamResponse:
    """A file as an answer that runs nothing and is kept nowhere."""
    try:
        body = await asyncio.to_thread(found.made)
    except ModuleNotFoundError as error:
        if error.name != "docx":
            raise
        return told(say.NO_DOCX_TITLE, say.NO_DOCX, 503)
    shown = "inline" if found.inline else "attachment"
    disposition = f"{shown}; filename*=UTF-8''{quote(found.name)}"
    headers = {**HEADERS, "Content-Disposition": disposition}
    if found.content_type != _PDF:
        # A browser's own reader of PDF does not start in there.
        headers["Content-Security-Policy"] += "; sandbox"
    return web.Response(body=body, content_type=found.content_type, headers=headers)


def html(page: Html) -> web.Response:
    return web.Response(
        status=page.status,
        text=_rendered(page.template, page.values),
        content_type="text/html",
        charset="utf-8",
        headers=HEADERS,
    )


def told(title: str, text: str, status: int) -> web.Response:
    """A page that says one thing, of nobody."""
    return html(Html("told.html", {"title": title, "text": text}, status))


def gone() -> web.Response:
    return told(say.GONE_TITLE, say.GONE, 404)


_made: list[Any] = []


def _rendered(template: str, values: Mapping[str, Any]) -> str:
    if not _made:
        # Loaded with the first page: starting the bot does not wait for it.
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        _made.append(
            Environment(
                loader=FileSystemLoader(_FOLDER / "templates"),
                autoescape=True,
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
            )
        )
    return str(_made[0].get_template(template).render(values))


async def _static(request: web.Request) -> web.StreamResponse:
    path = _STATIC.get(request.match_info["name"])
    if path is None:
        return gone()
    return web.FileResponse(
        path, headers={"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    )
