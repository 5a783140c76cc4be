"""The paper that one person was given a link to, made when it is opened."""

from datetime import datetime
from functools import partial
from typing import Final

from bot.pages.kind import File, Opened, Page
from handlers.chat.events import UserRef
from handlers.domain.ids import TicketNumber
from handlers.ports import NO_LINKS
from handlers.services.briefs import BriefService
from handlers.services.people import Speaker
from handlers.services.slips import SlipService
from handlers.services.tickets import TicketService
from handlers.texts import pages as say
from handlers.texts.briefs import Paper
from handlers.texts.slips import TITLES, SlipKind

_TYPES: Final = {
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def _print(paper: Paper, form: str) -> bytes:
    if form == "png":
        from bot.papers.picture import png

        return png(paper)
    if form == "xlsx":
        from bot.papers.workbook import brief_book

        return brief_book(paper)
    from bot.papers.prints import docx

    return docx(paper)


def _brief(opened: Opened) -> File | None:
    if not opened.person.is_staff:
        return None
    briefs = BriefService(opened.uow, opened.clock, opened.uow.calendar.current())
    at = datetime.fromisoformat(opened.subject)
    mine = briefs.mine(opened.person)
    sheet = briefs.only(briefs.whole_page(briefs.since(opened.person, at), at), mine)
    made = partial(_print, briefs.paper(sheet, mine), opened.form)
    name = f"{say.brief_name(at)}.{opened.form}"
    return File(name, _TYPES[opened.form], made, inline=opened.form == "png")


def _slip(opened: Opened) -> File | None:
    person, kind = opened.person, SlipKind(opened.form)
    if not person.is_staff:
        return None
    calendar = opened.uow.calendar.current()
    ticket = opened.uow.tickets.find(TicketNumber(int(opened.subject)))
    # Asked again when it is opened: who may read it may have changed since.
    speaker = Speaker(UserRef("link", person.id), person, person.name)
    tickets = TicketService(opened.uow, opened.clock, calendar)
    if ticket is None or not tickets.may_read(ticket, speaker):
        return None
    values = SlipService(opened.uow, opened.clock, calendar, NO_LINKS).filled(kind, ticket)
    folder = opened.templates

    def made() -> bytes:
        from bot.papers.slips import filled, template

        return filled(template(kind, folder), values)

    return File(f"{TITLES[kind]}-{ticket.code}.docx", _TYPES["docx"], made)


pages = (Page("brief", _brief), Page("slip", _slip))
