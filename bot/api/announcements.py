"""/announcements: write, approve, send, stop, and who has read; files by their bytes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from aiohttp import web

from bot.api.auth import Call, Created, raw_body
from bot.attachments import MOST_BYTES, judge
from bot.wire import ApiError, flag_of, number_in, one_of, text_of
from handlers.chat.outbound import card_to_plain
from handlers.domain.announcement import (
    Announcement,
    AnnouncementId,
    Audience,
    Kind,
    Progress,
    Route,
    State,
    area_named,
    tags_of,
)
from handlers.domain.category import LABELS, Category
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Person
from handlers.services.addressing import when_in
from handlers.services.announcements import Announcing, Draft
from storage.uow import UnitOfWork

_T = TypeVar("_T", bound=StrEnum)
_MOST_NAMED: Final = 2000


def _announcing(call: Call, uow: UnitOfWork) -> Announcing:
    return Announcing(uow, call.app.clock, uow.calendar.current(), call.app.wiring.links)


def _number(call: Call) -> int:
    number = number_in(call.request.match_info["id"])
    if number is None:
        raise ApiError(404, "no_such_announcement", "没有这条通知。")
    return number


def _staff(call: Call, uow: UnitOfWork, key: str) -> Person:
    return call.actor(uow, text_of(call.body, key, most=40))


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def audience_json(audience: Audience) -> dict[str, Any]:
    """As `audience_of` reads it back."""
    return {
        "all": audience.everybody,
        "areas": list(audience.areas),
        "grids": list(audience.grids),
        "tags": list(audience.tags),
        "scales": list(audience.scales),
        "interests": [c.value for c in audience.interests],
        "enterprises": list(audience.enterprises),
        "except": list(audience.excepted),
    }


def _plain(made: Announcement, progress: Progress, state: State) -> dict[str, Any]:
    return {
        "id": made.id,
        "state": state.value,
        "targets": progress.targets,
        "kind": made.kind.value,
        "title": made.title,
        "text": made.text,
        "audience": audience_json(made.audience),
        "route": made.route.value,
        "need_receipt": made.need_receipt,
        "author": made.author_id,
        "approver": made.approver_id,
        "send_at": _when(made.send_at),
        "repeat": made.rule or None,
        "valid_until": _when(made.valid_until),
        "corrects": made.corrects,
        "source": made.source or None,
        "paused": made.paused or None,
        "round": made.round,
        "sent": progress.sent,
        "failed": progress.failed,
        "skipped": progress.skipped,
        "read": progress.read,
        "created_at": _when(made.created_at),
        "approved_at": _when(made.approved_at),
        "began_at": _when(made.began_at),
    }


def _shown(announcing: Announcing, made: Announcement) -> dict[str, Any]:
    progress = announcing.progress(made)
    files = [
        {"id": f.id, "name": f.name, "content_type": f.content_type, "size": f.size}
        for f in announcing.files(made.id)
    ]
    shown = _plain(made, progress, announcing.shown_state(made, progress))
    return {**shown, "files": files}


# ---- what is given


def _list(given: Any, key: str) -> list[Any]:
    value = given.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST_NAMED:
        raise ApiError(422, "bad_field", f"audience.{key} 应是一个列表。", {key: "bad"})
    return value


def _texts(given: Any, key: str) -> list[str]:
    found = _list(given, key)
    if not all(isinstance(v, str) and 0 < len(v) <= 100 for v in found):
        raise ApiError(422, "bad_field", f"audience.{key} 里应是文字。", {key: "bad"})
    return found


def audience_of(call: Call, uow: UnitOfWork) -> Audience:
    """Whom it is for, as contract.md §5 writes it."""
    given = call.body.get("audience")
    if given is None and call.body.get("kind") == Kind.CORRECTION.value:
        return Audience()
    if not isinstance(given, dict):
        raise ApiError(422, "missing", "缺少 audience。", {"audience": "missing"})
    known = uow.people.enterprises()
    ids = {e.id for e in known}
    areas = []
    for text in _texts(given, "areas"):
        area = area_named(text) or (text if any(e.area == text for e in known) else None)
        if area is None:
            raise ApiError(
                422, "no_such_area", f"没有管理区「{text[:20]}」。", {"areas": text[:40]}
            )
        areas.append(area)
    grids = []
    for number in _list(given, "grids"):
        if isinstance(number, str) and number_in(number) is not None:
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            raise ApiError(422, "bad_field", "audience.grids 里应是网格的编号。", {"grids": "bad"})
        grids.append(number)
    marks = {t for e in known for t in tags_of(e)}
    tags = _texts(given, "tags")
    scales = _texts(given, "scales") or _texts(given, "scale")
    for text in (*tags, *scales):
        if text not in marks:
            raise ApiError(
                422, "no_such_tag", f"没有企业有标签「{text[:20]}」。", {"tags": text[:40]}
            )
    named: dict[str, tuple[EnterpriseId, ...]] = {}
    for key in ("enterprises", "except"):
        found = [EnterpriseId(t) for t in _texts(given, key)]
        unknown = [e for e in found if e not in ids]
        if unknown:
            raise ApiError(
                422, "no_such_firm", f"没有企业 {unknown[0][:40]}。", {key: unknown[0][:40]}
            )
        named[key] = tuple(dict.fromkeys(found))
    return Audience(
        flag_of(given, "all", False),
        tuple(areas),
        tuple(grids),
        tuple(tags),
        tuple(scales),
        tuple(_category(t) for t in _texts(given, "interests")),
        named["enterprises"],
        named["except"],
    )


def _category(text: str) -> Category:
    for category, label in LABELS.items():
        if text in (category.value, label):
            return category
    raise ApiError(422, "bad_field", "audience.interests 里应是类别。", {"interests": text[:40]})


def _one_of(call: Call, key: str, choices: type[_T], default: str) -> _T:
    text = text_of(call.body, key, needed=not default, most=20) or default
    try:
        return choices(text)
    except ValueError:
        raise ApiError(422, "bad_field", one_of(key, choices), {key: text}) from None


def _instant(call: Call, key: str, uow: UnitOfWork) -> tuple[datetime | None, str]:
    """An instant of the wire, or as people say it: 下一个工作日14:00, 每周一 9:00."""
    text = text_of(call.body, key, needed=False, most=60)
    if not text:
        return None, ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return when_in(text, call.app.clock.now(), uow.calendar.current())
    if at.tzinfo is None:
        raise ApiError(422, "bad_field", f"{key} 要写带时区的时间。", {key: text})
    return at, ""


def _draft(call: Call, uow: UnitOfWork) -> Draft:
    body = call.body
    corrects = body.get("corrects")
    if isinstance(corrects, str) and number_in(corrects) is not None:
        corrects = int(corrects)
    if corrects is not None and (isinstance(corrects, bool) or not isinstance(corrects, int)):
        raise ApiError(422, "bad_field", "corrects 应是通知的编号。", {"corrects": "bad"})
    send_at, rule = _instant(call, "send_at", uow)
    until, _ = _instant(call, "valid_until", uow)
    if not rule:
        rule = text_of(body, "repeat", needed=False, most=60)
    return Draft(
        _one_of(call, "kind", Kind, ""),
        text_of(body, "title", most=400),
        text_of(body, "text", most=20_000),
        audience_of(call, uow),
        _one_of(call, "route", Route, Route.GROUP.value),
        flag_of(body, "need_receipt", False),
        send_at,
        rule,
        until,
        None if corrects is None else AnnouncementId(corrects),
        text_of(body, "source", needed=False, most=100),
    )


# ---- the routes


async def announcements(call: Call) -> Any:
    """Newest first."""
    call.office_only()
    limit, cursor = call.page()
    wanted = call.request.query.get("state", "")
    if wanted and wanted not in set(State):
        raise ApiError(400, "bad_state", one_of("state", State), {"state": wanted[:20]})
    states = [State(wanted)] if wanted else []

    def look(uow: UnitOfWork) -> Any:
        announcing = _announcing(call, uow)
        before = int(cursor) if cursor else None
        rows = uow.announcements.page(limit + 1, before, states)
        more = str(rows[limit - 1].id) if len(rows) > limit else None
        return {"items": [_shown(announcing, a) for a in rows[:limit]], "next": more}

    return await call.app.writer.read(look)


async def announcement(call: Call) -> Any:
    call.office_only()
    number = _number(call)

    def look(uow: UnitOfWork) -> Any:
        announcing = _announcing(call, uow)
        made = announcing.get(number)
        firms = [{"id": f.id, "name": f.short_name} for f in announcing.firms(made)]
        return {**_shown(announcing, made), "firms": firms}

    return await call.app.writer.read(look)


async def create(call: Call) -> Any:
    call.office_only()

    def work(uow: UnitOfWork) -> Any:
        announcing = _announcing(call, uow)
        author = _staff(call, uow, "author")
        return _shown(announcing, announcing.draft(author, _draft(call, uow)))

    return Created(await call.app.writer.run(work))


def _step(act: str) -> Any:
    async def step(call: Call) -> Any:
        call.office_only()
        number = _number(call)

        def work(uow: UnitOfWork) -> Any:
            announcing = _announcing(call, uow)
            announcing.get(number)
            by = _staff(call, uow, "actor")
            if act == "approve":
                made, targets = announcing.approve(by, number)
                announcing.tell_author(made, by, targets)
            elif act == "submit":
                announcing.submit(by, number)
            elif act == "nudge":
                return {"nudged": announcing.nudge(by, announcing.get(number))}
            else:
                getattr(announcing, act)(by, number)
            return _shown(announcing, announcing.get(number))

        done = await call.app.writer.run(work)
        call.app.dispatcher.wake()
        return done

    return step


async def receipts(call: Call) -> Any:
    """How many were reached and have read, and each firm's."""
    call.office_only()
    number = _number(call)

    def look(uow: UnitOfWork) -> Any:
        announcing = _announcing(call, uow)
        made = announcing.get(number)
        progress = announcing.progress(made)
        items = []
        for target in announcing.targets(made):
            firm = uow.people.enterprise(target.enterprise_id)
            items.append(
                {
                    "enterprise": {
                        "id": target.enterprise_id,
                        "name": "" if firm is None else firm.short_name,
                    },
                    "state": target.state.value,
                    "read_at": _when(target.read_at),
                    "read_by": None if target.read_by is None else target.read_by.value,
                    "why": target.why or None,
                }
            )
        return {
            "targets": progress.targets,
            "sent": progress.sent,
            "failed": progress.failed,
            "skipped": progress.skipped,
            "read": progress.read,
            "items": items,
        }

    return await call.app.writer.read(look)


async def preview(call: Call) -> Any:
    """As each platform that is on will show it: a card, or the text that stands for it."""
    call.office_only()
    number = _number(call)

    def look(uow: UnitOfWork) -> Any:
        announcing = _announcing(call, uow)
        made = announcing.get(number)
        author = uow.people.person(made.author_id)
        assert author is not None
        shown = []
        for name, platform in sorted(call.app.platforms.items()):
            for route, card in (
                ("direct", announcing.firm_card(made, author)),
                ("group", announcing.group_card(made)),
            ):
                as_card = platform.can.callback_buttons
                shown.append(
                    {
                        "platform": name,
                        "route": route,
                        "text": card.fallback,
                        "card": card_to_plain(card) if as_card else None,
                    }
                )
        return {"groups": announcing.groups(made), "items": shown}

    return await call.app.writer.read(look)


@raw_body
async def add_file(call: Call) -> Any:
    """The file's bytes as the body, its name in ?name=."""
    call.office_only()
    number = _number(call)
    name = call.request.query.get("name", "")
    if not name or len(name) > 200:
        raise ApiError(422, "missing", "请在 ?name= 里写文件名。", {"name": "missing"})
    length = call.request.content_length
    if length is not None and length > MOST_BYTES:
        raise ApiError(413, "file_too_large", "文件超过 20 MB，请压缩后再传。")
    body = await _bytes(call.request)
    judged = await _in_thread(name, body)

    def work(uow: UnitOfWork) -> Any:
        file = _announcing(call, uow).add_file(
            call.caller.name,
            number,
            judged.name,
            judged.content_type,
            judged.words,
            uow.files.keep(body),
        )
        return {
            "id": file.id,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
        }

    return Created(await call.app.writer.run(work))


async def _bytes(request: web.Request) -> bytes:
    """The body, but never more than a file may be."""
    found = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        found += chunk
        if len(found) > MOST_BYTES:
            raise ApiError(413, "file_too_large", "文件超过 20 MB，请压缩后再传。")
    return bytes(found)


async def _in_thread(name: str, body: bytes) -> Any:
    import asyncio

    return await asyncio.to_thread(judge, name, body)


@raw_body
async def drop_file(call: Call) -> Any:
    call.office_only()
    number, file = _number(call), number_in(call.request.match_info["file"])

    def work(uow: UnitOfWork) -> Any:
        if file is None:
            raise ApiError(404, "no_such_file", "没有这个附件。")
        _announcing(call, uow).drop_file(call.caller.name, number, file)
        return {"id": file}

    return await call.app.writer.run(work)


ROUTES = (
    ("GET", "/announcements", announcements, False, "List announcements"),
    ("POST", "/announcements", create, True, "Write an announcement"),
    ("GET", "/announcements/{id}", announcement, False, "One announcement, with its firms"),
    ("GET", "/announcements/{id}/receipts", receipts, False, "Who was reached and has read"),
    ("GET", "/announcements/{id}/preview", preview, False, "As each platform will show it"),
    ("POST", "/announcements/{id}/submit", _step("submit"), True, "Ask for the second yes"),
    ("POST", "/announcements/{id}/approve", _step("approve"), True, "Approve: send or plan it"),
    ("POST", "/announcements/{id}/withdraw", _step("withdraw"), True, "Send no more of it"),
    ("POST", "/announcements/{id}/pause", _step("pause"), True, "Stop for a while"),
    ("POST", "/announcements/{id}/resume", _step("resume"), True, "Go on"),
    ("POST", "/announcements/{id}/nudge", _step("nudge"), True, "One private second push"),
    ("POST", "/announcements/{id}/files", add_file, True, "Attach a file"),
    ("DELETE", "/announcements/{id}/files/{file}", drop_file, True, "Take a file off"),
)
