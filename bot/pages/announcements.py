"""One firm's view of an announcement: the whole text and its files; opening it is its receipt."""

from functools import partial
from typing import Final

from bot.pages.kind import File, Html, Opened, Page, Shown
from handlers.domain.announcement import Announcement, ReadBy, State
from handlers.domain.errors import NoSuch
from handlers.services.announcements import Announcing
from handlers.texts import announcements as say

# Pictures and PDF are shown; what an office program opens is saved.
_SHOWN: Final = ("image/", "application/pdf")


def _show(opened: Opened) -> Shown | None:
    announcing = Announcing(opened.uow, opened.clock, opened.uow.calendar.current(), opened.links)
    made = _may_see(opened, announcing)
    if made is None:
        return None
    files = announcing.files(made.id)
    if opened.part:
        file = next((f for f in files if str(f.id) == opened.part), None)
        body = None if file is None else opened.uow.announcements.file_body(made.id, file.id)
        if file is None or body is None:
            return None
        shown = file.content_type.startswith(_SHOWN)
        return File(file.name, file.content_type, partial(bytes, body), inline=shown)
    target = None
    firm = opened.person.enterprise_id
    if firm is not None:
        announcing.read(opened.person, made, ReadBy.LINK)
        target = opened.uow.announcements.target(made.id, made.round, firm)
    read = made.need_receipt and target is not None and target.read_at is not None
    now = opened.clock.now()
    values = say.page_values(
        made, now, announcing.corrected(made), announcing.correction(made), read
    )
    listed = [
        {"href": f"{opened.address}/{f.id}", "name": f.name, "size": say.file_size(f.size)}
        for f in files
    ]
    return Html("announcement.html", {**values, "files": listed})


def _may_see(opened: Opened, announcing: Announcing) -> Announcement | None:
    """Asked again when it is opened: the office, and the firms that it was sent to."""
    try:
        made = announcing.get(int(opened.subject))
    except NoSuch:
        return None
    if opened.person.is_staff:
        return made
    firm = opened.person.enterprise_id
    if firm is None or made.state is State.DRAFT or made.began_at is None:
        return None
    return made if opened.uow.announcements.target(made.id, made.round, firm) else None


pages = (Page("announcement", _show),)
