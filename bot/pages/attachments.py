"""What people sent along with one ticket: pictures are shown, everything else is saved."""

from functools import partial

from bot.attachments import SHOWN, UNKNOWN, saved_as
from bot.pages.kind import File, Html, Opened, Page, Shown
from bot.wire import number_in
from handlers.chat.events import UserRef
from handlers.domain.ids import TicketNumber
from handlers.domain.ticket import Ticket
from handlers.services.people import Speaker
from handlers.services.tickets import TicketService
from handlers.texts import attachments as say


def _show(opened: Opened) -> Shown | None:
    ticket = _may_see(opened)
    if ticket is None:
        return None
    files = opened.uow.attachments.of(ticket.number)
    if opened.part:
        wanted = number_in(opened.part)
        for file, name in zip(files, say.names(files), strict=True):
            body = (
                opened.uow.attachments.body(ticket.number, file.id) if file.id == wanted else None
            )
            if body is not None:
                shown = file.content_type in SHOWN
                called = saved_as(name, file.content_type)
                return File(called, file.content_type, partial(bytes, body), inline=shown)
        return None
    own = not opened.person.is_staff
    return Html("attachments.html", say.page_values(ticket, files, own, SHOWN, UNKNOWN))


def _may_see(opened: Opened) -> Ticket | None:
    """Asked again when it is opened: who may read the ticket may have changed since."""
    ticket = opened.uow.tickets.find(TicketNumber(int(opened.subject)))
    if ticket is None:
        return None
    tickets = TicketService(opened.uow, opened.clock, opened.uow.calendar.current())
    speaker = Speaker(UserRef("link", opened.person.id), opened.person, opened.person.name)
    return ticket if tickets.may_read(ticket, speaker) else None


pages = (Page("attachments", _show),)
