"""/l/{token}: the paper that one person was given a link to, made when it is opened."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from bot.clock import MovableClock, SystemClock
from bot.links import SignedLinks, Ticket
from bot.writer import Writer
from handlers.chat.events import UserRef
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.people import Person
from handlers.ports import NO_LINKS
from handlers.services.briefs import BriefService
from handlers.services.people import Speaker
from handlers.services.slips import SlipService
from handlers.services.tickets import TicketService
from handlers.texts import handouts as say
from handlers.texts.briefs import Paper
from handlers.texts.slips import TITLES, SlipKind
from storage.uow import UnitOfWork

_TYPES: Final = {
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}
Made = tuple[str, str, Callable[[], bytes]]


def _print(paper: Paper, form: str) -> bytes:
    if form == "png":
        from bot.papers.picture import png

        return png(paper)
    if form == "xlsx":
        from bot.papers.workbook import brief_book

        return brief_book(paper)
    from bot.papers.prints import docx

    return docx(paper)


def routes(
    writer: Writer, clock: SystemClock | MovableClock, links: SignedLinks, templates: Path | None
) -> list[web.RouteDef]:
    def look(uow: UnitOfWork, asked: Ticket) -> Made | None:
        person = uow.people.person(PersonId(asked.person))
        if person is None or not person.active or not person.is_staff:
            return None
        kind, _, form = asked.what.partition("-")
        if kind == "brief":
            return _brief(uow, person, asked.subject, form)
        return _slip(uow, person, TicketNumber(int(asked.subject)), SlipKind(form))

    def _brief(uow: UnitOfWork, person: Person, subject: str, form: str) -> Made:
        briefs = BriefService(uow, clock, uow.calendar.current())
        at = datetime.fromisoformat(subject)
        mine = briefs.mine(person)
        page = briefs.only(briefs.whole_page(briefs.since(person, at), at), mine)
        paper = briefs.paper(page, mine)
        return say.brief_name(at), form, lambda: _print(paper, form)

    def _slip(uow: UnitOfWork, person: Person, number: TicketNumber, kind: SlipKind) -> Made | None:
        calendar = uow.calendar.current()
        ticket = uow.tickets.find(number)
        # Asked again when it is opened: who may read it may have changed since.
        speaker = Speaker(UserRef("link", person.id), person, person.name)
        tickets = TicketService(uow, clock, calendar)
        if ticket is None or not tickets.may_read(ticket, speaker):
            return None
        values = SlipService(uow, clock, calendar, NO_LINKS).filled(kind, ticket)

        def made() -> bytes:
            from bot.papers.slips import filled, template

            return filled(template(kind, templates), values)

        return f"{TITLES[kind]}-{ticket.code}", "docx", made

    async def handout(request: web.Request) -> web.Response:
        asked = links.read(request.match_info["token"])
        found = None if asked is None else await writer.read(lambda uow: look(uow, asked))
        if found is None:
            return web.Response(status=404, text=say.GONE, headers=_HEADERS)
        name, form, made = found
        try:
            body = await _in_thread(made)
        except ModuleNotFoundError as error:
            if error.name != "docx":
                raise
            return web.Response(status=503, text=say.NO_DOCX, headers=_HEADERS)
        shown = "inline" if form == "png" else "attachment"
        disposition = f"{shown}; filename*=UTF-8''{quote(f'{name}.{form}')}"
        return web.Response(
            body=body,
            content_type=_TYPES[form],
            headers={**_HEADERS, "Content-Disposition": disposition},
        )

    return [web.get("/l/{token}", handout)]


async def _in_thread(made: Callable[[], bytes]) -> bytes:
    import asyncio

    return await asyncio.to_thread(made)
