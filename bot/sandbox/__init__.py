"""The built-in web chat: its page, its JSON API, its live events; a platform like the others."""

import asyncio
import base64
import binascii
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot import pages
from bot.clock import MovableClock
from bot.pages.kind import File
from bot.passing import passes
from bot.platform import Receipt
from bot.platforms.sandbox import SandboxPlatform, sandbox_chat
from bot.seed import MAIN_CHAT, MAIN_TITLE, SAMPLE
from bot.wire import ApiError, json_body, number_in, problem
from bot.writer import NOTHING, Overloaded
from handlers.chat.events import (
    Attachment,
    AttachmentKind,
    ChatKind,
    ChatRef,
    EventKind,
    InboundEvent,
    Pressed,
    Quote,
    UserRef,
)
from handlers.chat.outbound import Delivery, Enclosure, Kind, card_to_plain
from handlers.domain.durations import duration
from handlers.domain.people import Role
from storage.uow import UnitOfWork

if TYPE_CHECKING:
    from bot.app import App

_log = logging.getLogger("bot.sandbox")

STATIC: Final = Path(__file__).parent / "static"
BOT_ID: Final = "bot"
_PICTURE_BYTES: Final = 512 * 1024
_PICTURES: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
# What a browser shows by itself; anything else is saved.
_SHOWN: Final = ("image/", "application/pdf")
_CSP: Final = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_LONGEST: Final = 20_000

# How often, and how far back, a page's process looks for what others wrote (PostgreSQL).
_LOOK_SECONDS: Final = 0.5
_NEWEST: Final = 100
# A note of the platform: by how many seconds the clock was moved before the present.
AHEAD: Final = "ahead"
# In front of a picture's address: the message it came with and its place there.
_SENT: Final = "sandbox"


class _Problem(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _answering(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except _Problem as problem:
            body = {"error": {"code": problem.code, "message": problem.message}}
            return web.json_response(body, status=problem.status)
        except Overloaded:
            body = {"error": {"code": "overloaded", "message": "现在消息较多，请稍后再试。"}}
            return web.json_response(body, status=503)

    return answer


class Sandbox:
    def __init__(self, app: "App") -> None:
        self._app = app
        self._listeners: set[asyncio.Queue[tuple[str, dict[str, Any]]]] = set()
        self._playing: asyncio.Task[None] | None = None
        # What the pages were told of the newest messages, to find what other processes write.
        self._told: dict[int, str] = {}
        self._following: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        platform = app.platforms["sandbox"]
        assert isinstance(platform, SandboxPlatform)
        platform.deliver = self.deliver
        platform.give = self.give
        platform.take_back = self.take_back

    # ---- the far end of the platform

    async def give(self, url: str) -> bytes | None:
        """A picture that somebody posted, by the address that its event told."""
        number, _, at = url.removeprefix(f"{_SENT}:").partition("/")
        message = number_in(number)
        if message is None or not at.isdigit():
            return None
        row = await self._app.writer.read(lambda uow: uow.sandbox.get(message))
        sent = [] if row is None else row["attachments"]
        if int(at) >= len(sent):
            return None
        return base64.b64decode(sent[int(at)]["url"].partition(",")[2])

    async def deliver(self, delivery: Delivery) -> Receipt:
        """Put a message of the bot into its chat; a repeated delivery is the same message."""
        content = delivery.content
        card = None if content.card is None else card_to_plain(content.card)

        def put(uow: UnitOfWork) -> tuple[int, bool]:
            if delivery.update_ref:
                uow.sandbox.replace_card(int(delivery.update_ref), content.text, card)
                return int(delivery.update_ref), False
            known = uow.sandbox.by_delivery(delivery.id)
            if known is not None:
                return known, False
            message_id = uow.sandbox.add(
                sandbox_chat(delivery.to),
                self._app.clock.now(),
                BOT_ID,
                self._app.settings.bot_names[0],
                content.text,
                is_bot=True,
                kind=content.kind.value,
                card=card,
                mentions=[m.name for m in content.mentions],
                attachments=_enclosed(content.file),
                delivery=delivery.id,
            )
            return message_id, True

        message_id, new = await self._app.writer.run(put, NOTHING)
        await self._publish(message_id, "message" if new else "update")
        ref = str(message_id)
        return Receipt(ref, ref if card is not None else "")

    async def take_back(self, message_id: int) -> bool:
        """Whether it was a file and is gone."""

        def empty(uow: UnitOfWork) -> bool:
            row = uow.sandbox.get(message_id)
            if row is None or row["kind"] != Kind.FILE.value:
                return False
            uow.sandbox.empty(message_id)
            return True

        gone = await self._app.writer.run(empty, NOTHING)
        if gone:
            await self._publish(message_id, "update")
        return gone

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file that the bot put into a chat, for who is in that chat."""
        message, at = (number_in(request.match_info[name]) for name in ("message", "at"))
        who = request.query.get("as", "")

        def look(uow: UnitOfWork) -> tuple[dict[str, Any], bytes | None]:
            _who(uow, who)
            row = None if message is None else uow.sandbox.get(message)
            sent = [] if row is None else row["attachments"]
            if row is None or at is None or at >= len(sent) or "digest" not in sent[at]:
                raise _Problem(404, "no_such_file", "这个文件已经不在了。")
            _check_chat(row["chat"], who)
            return sent[at], uow.files.body(sent[at]["digest"])

        sent, body = await self._app.writer.read(look)
        if body is None:
            raise _Problem(404, "no_such_file", "这个文件已经不在了。")
        shown = sent["content_type"].startswith(_SHOWN)
        return await pages.given(
            File(sent["name"], sent["content_type"], partial(bytes, body), inline=shown)
        )

    async def _publish(self, message_id: int, event: str) -> None:
        if not self._listeners:
            return
        if self._following is not None:
            # What it answers may have been written by another process: that comes first.
            await self._look()
        item = await self._app.writer.read(lambda uow: _item(uow.sandbox.get(message_id)))
        if item is not None and self._told.get(message_id) != json.dumps(item, sort_keys=True):
            self._tell(event, item)

    async def _follow(self) -> None:
        """Tell the pages what other processes put into the chats."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except Exception as error:
                # The pages wait until the database is back.
                _log.warning("sandbox.not_followed", extra={"error": type(error).__name__})

    async def _look(self, silently: bool = False) -> None:
        # One after another: an older view of a card must not come last.
        async with self._looking:
            for row in await self._app.writer.read(lambda uow: uow.sandbox.newest(_NEWEST)):
                self._compare(_shown(row), silently)
        for number in sorted(self._told)[:-_NEWEST]:
            del self._told[number]

    def _compare(self, item: dict[str, Any], silently: bool) -> None:
        number, now = int(item["id"]), json.dumps(item, sort_keys=True)
        before = self._told.get(number)
        if before != now and not silently:
            self._tell("message" if before is None else "update", item)
        self._told[number] = now

    def _tell(self, event: str, item: dict[str, Any]) -> None:
        if self._following is not None and "id" in item:
            self._told[int(item["id"])] = json.dumps(item, sort_keys=True)
        for listener in self._listeners:
            if listener.qsize() < 500:
                listener.put_nowait((event, item))

    # ---- people and chats

    async def people(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._app.writer.read(_people))

    async def chats(self, request: web.Request) -> web.StreamResponse:
        who = request.query.get("as", "")

        def look(uow: UnitOfWork) -> list[dict[str, Any]]:
            wanted = [(MAIN_CHAT, MAIN_TITLE, "group")]
            if who:
                wanted.append((f"dm:{who}", self._app.settings.bot_names[0], "direct"))
            else:
                for chat in uow.sandbox.chats():
                    if chat.startswith("dm:"):
                        wanted.append((chat, chat[3:], "direct"))
            found = []
            for chat_id, title, kind in wanted:
                last = uow.sandbox.last(chat_id)
                found.append(
                    {
                        "id": chat_id,
                        "title": title,
                        "kind": kind,
                        "last": None
                        if last is None
                        else {
                            "at": last["at"].isoformat(),
                            "text": last["text"][:60],
                            "id": str(last["id"]),
                        },
                    }
                )
            return found

        return web.json_response({"items": await self._app.writer.read(look)})

    # ---- messages

    async def post_message(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        sender, text = _text(body, "sender", 64), _text(body, "text", _LONGEST, empty=True)
        chat = _text(body, "chat", 100)
        client_id = _text(body, "client_id", 100, empty=True)
        attachments = _attachments(body.get("attachments") or [])
        if not text.strip() and not attachments:
            raise _Problem(422, "empty", "请写点什么再发送。")
        reply_to = str(body.get("reply_to") or "")
        names = self._app.settings.bot_names
        mentioned = bool(body.get("mention_bot")) or any(f"@{n}" in text for n in names)

        written: list[tuple[int, dict[str, Any] | None]] = []

        def put(uow: UnitOfWork) -> InboundEvent | None:
            person = _who(uow, sender)
            _check_chat(chat, sender)
            if client_id:
                known = uow.sandbox.by_client(client_id)
                if known is not None:
                    written.append((known, None))
                    return None
            quote = None
            if reply_to:
                known_id = number_in(reply_to)
                quoted = None if known_id is None else uow.sandbox.get(known_id)
                if quoted is None or quoted["chat"] != chat:
                    raise _Problem(422, "no_such_message", "引用的消息不在这个聊天里。")
                quote = Quote(quoted["text"], reply_to)
            name = _nickname(uow, person)
            message_id = uow.sandbox.add(
                chat,
                self._app.clock.now(),
                sender,
                name,
                text,
                reply_to=reply_to,
                attachments=attachments,
                client_id=client_id,
            )
            written.append((message_id, _item(uow.sandbox.get(message_id))))
            direct = chat.startswith("dm:")
            return InboundEvent(
                "sandbox",
                str(message_id),
                EventKind.MESSAGE,
                self._app.clock.now(),
                ChatRef("sandbox", sender if direct else chat),
                ChatKind.DIRECT if direct else ChatKind.GROUP,
                UserRef("sandbox", sender),
                name,
                "" if direct else MAIN_TITLE,
                text,
                "mixed" if attachments and text.strip() else "image" if attachments else "text",
                mentioned,
                quote,
                tuple(
                    Attachment(AttachmentKind.IMAGE, f"{_SENT}:{message_id}/{n}", a["name"])
                    for n, a in enumerate(attachments)
                ),
            )

        # One commit: a message that stands in the chat is always one that is worked on.
        place = ChatRef("sandbox", sender if chat.startswith("dm:") else chat)
        await self._app.worker.submit_made(place, put)
        message_id, item = written[-1]
        if item is not None:
            # Told before anything is awaited, so that the bot's answer cannot come first.
            self._tell("message", item)
            await self._app.dispatcher.drain(["sandbox"])
        return web.json_response({"message_id": str(message_id)})

    async def get_messages(self, request: web.Request) -> web.StreamResponse:
        chat, after = request.query.get("chat", MAIN_CHAT), request.query.get("after", "")
        who = request.query.get("as", "")
        if who and chat.startswith("dm:") and chat != f"dm:{who}":
            raise _Problem(403, "not_yours", "这是别人的私聊。")
        start = number_in(after)
        if after and start is None:
            raise _Problem(400, "bad_after", "after 请用上一次返回的 cursor。")
        start = start or 0
        rows = await self._app.writer.read(lambda uow: uow.sandbox.after(chat, start))
        items = [_item(row) for row in rows]
        cursor = str(rows[-1]["id"]) if rows else str(start)
        return web.json_response({"items": items, "cursor": cursor})

    async def press(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        message_id, by = str(body.get("message_id", "")), _text(body, "by", 64)
        wanted = str(body.get("button", ""))
        chosen = body.get("picked") or []
        if not isinstance(chosen, list):
            raise _Problem(422, "bad_field", "picked 应是一组文字。")
        picked = tuple(str(p) for p in chosen)

        def look(uow: UnitOfWork) -> tuple[dict[str, Any], str]:
            person = _who(uow, by)
            wanted_id = number_in(message_id)
            row = None if wanted_id is None else uow.sandbox.get(wanted_id)
            if row is None or row["card"] is None:
                raise _Problem(404, "no_such_card", "这张卡片已经不在了。")
            _check_chat(row["chat"], by)
            return row, _nickname(uow, person)

        row, name = await self._app.writer.read(look)
        button = next(
            (b for b in row["card"]["buttons"] if wanted in (b["id"], b["label"], b.get("press"))),
            None,
        )
        if button is None or "press" not in button:
            raise _Problem(404, "no_such_button", "这个按钮已经不在了，请看最新的卡片。")
        direct = row["chat"].startswith("dm:")
        event = InboundEvent(
            "sandbox",
            f"press-{secrets.token_hex(8)}",
            EventKind.PRESS,
            self._app.clock.now(),
            ChatRef("sandbox", by if direct else row["chat"]),
            ChatKind.DIRECT if direct else ChatKind.GROUP,
            UserRef("sandbox", by),
            name,
            press=Pressed(
                button["press"], button.get("args", {}), picked, row["card"]["key"], message_id
            ),
        )
        done = await self._app.worker.submit(event)
        await self._app.dispatcher.drain(["sandbox"])
        newest = await self._app.writer.read(lambda uow: uow.sandbox.get(int(message_id)))
        return web.json_response(
            {"toast": done.toast, "card": None if newest is None else newest["card"]}
        )

    # ---- the clock

    async def get_clock(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._clock())

    async def _clock(self) -> dict[str, Any]:
        now = self._app.clock.now()
        calendar = await self._app.writer.read(lambda uow: uow.calendar.current())
        return {
            "now": now.astimezone(self._app.settings.zone).isoformat(),
            "movable": isinstance(self._app.clock, MovableClock),
            "calendar_note": "暂按常规工作日" if calendar.provisional(now) else "",
        }

    async def set_clock(self, request: web.Request) -> web.StreamResponse:
        clock = self._app.clock
        if not isinstance(clock, MovableClock):
            raise _Problem(409, "not_movable", "只有演示环境可以拨时钟。")
        body = await _json(request)
        try:
            if "advance" in body:
                target = clock.now() + duration(str(body["advance"]))
            else:
                target = datetime.fromisoformat(str(body["set"]))
                if target.tzinfo is None:
                    target = target.replace(tzinfo=self._app.settings.zone)
            await passes(self._app, target.astimezone(UTC), ["sandbox"])
        except (ValueError, KeyError, OverflowError):
            raise _Problem(
                422, "bad_time", "时间只能往后拨，请写 PT4H 这样的时长或完整时间。"
            ) from None
        ahead = (clock.now() - datetime.now(UTC)).total_seconds()
        await self._app.writer.run(
            lambda uow: uow.notes.put(SandboxPlatform.name, AHEAD, str(ahead))
        )
        told = await self._clock()
        self._tell("clock", told)
        return web.json_response(told)

    # ---- a sample day

    async def play(self, request: web.Request) -> web.StreamResponse:
        """Say what people said on the sample day, one after another, while the page watches."""
        if self._playing is not None and not self._playing.done():
            raise _Problem(409, "playing", "样例对话正在播放，请等它说完。")
        lines = (SAMPLE / "days" / "d01.jsonl").read_text(encoding="utf-8").splitlines()
        self._playing = asyncio.create_task(self._play([json.loads(line) for line in lines]))
        return web.json_response({"messages": len(lines)})

    async def _play(self, lines: list[dict[str, Any]]) -> None:
        for line in lines[:60]:
            if not line["sender_id"] or "{#" in line["text"]:
                continue
            sender = line["sender_id"]
            direct = line["chat"].startswith("dm:")
            chat = f"dm:{sender}" if direct else MAIN_CHAT
            await self._say(chat, sender, line["sender_name"], line["text"], line["mention_bot"])
            await asyncio.sleep(0.25)

    async def _say(self, chat: str, sender: str, name: str, text: str, mention: bool) -> None:
        now = self._app.clock.now()
        message_id = await self._app.writer.run(
            lambda uow: uow.sandbox.add(chat, now, sender, name, text)
        )
        await self._publish(message_id, "message")
        direct = chat.startswith("dm:")
        event = InboundEvent(
            "sandbox",
            str(message_id),
            EventKind.MESSAGE,
            now,
            ChatRef("sandbox", sender if direct else chat),
            ChatKind.DIRECT if direct else ChatKind.GROUP,
            UserRef("sandbox", sender),
            name,
            text=text,
            mention_bot=mention,
        )
        await self._app.worker.submit(event)
        await self._app.dispatcher.drain(["sandbox"])

    # ---- live events

    async def events(self, request: web.Request) -> web.StreamResponse:
        who = request.query.get("as", "")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        if self._app.ownership.shared and self._following is None:
            # What stands there already is no news.
            await self._look(silently=True)
        await response.prepare(request)
        queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._listeners.add(queue)
        if self._app.ownership.shared and self._following is None:
            self._following = asyncio.create_task(self._follow(), name="sandbox-follow")
        try:
            await response.write(b"retry: 2000\n\n")
            while True:
                try:
                    event, item = await asyncio.wait_for(queue.get(), 15)
                except TimeoutError:
                    await response.write(b": alive\n\n")
                    continue
                if event == "close":
                    break
                chat = item.get("chat", "")
                if chat.startswith("dm:") and chat != f"dm:{who}":
                    continue
                told = json.dumps(item, ensure_ascii=False)
                line = f"event: {event}\nid: {item.get('id', '')}\ndata: {told}\n\n"
                await response.write(line.encode())
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            self._listeners.discard(queue)
        return response

    async def close(self, application: web.Application) -> None:
        """Let the pages go, else the server waits for them."""
        self._tell("close", {})
        for task in (self._playing, self._following):
            if task is not None:
                task.cancel()


def _people(uow: UnitOfWork) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for person in uow.people.people():
        if person.active and person.is_staff:
            found.append(
                {
                    "id": person.id,
                    "name": person.name,
                    "role": person.role.value,
                    "enterprise_id": None,
                }
            )
    for firm in uow.people.enterprises():
        contact = uow.people.main_contact(firm.id)
        if contact is not None:
            found.append(
                {
                    "id": firm.id,
                    "name": f"{firm.short_name}-{contact.name}",
                    "role": Role.MANAGER.value,
                    "enterprise_id": firm.id,
                }
            )
    return found


def _who(uow: UnitOfWork, sender: str) -> Any:
    identity = uow.people.identity(UserRef("sandbox", sender))
    person = None if identity is None else uow.people.person(identity.person_id)
    if person is None:
        raise _Problem(404, "no_such_person", f"没有编号为 {sender[:20]} 的人员，请核对编号。")
    return person


def _nickname(uow: UnitOfWork, person: Any) -> str:
    if person.enterprise_id is None:
        return str(person.name)
    firm = uow.people.enterprise(person.enterprise_id)
    return person.name if firm is None else f"{firm.short_name}-{person.name}"


def _check_chat(chat: str, sender: str) -> None:
    if chat == MAIN_CHAT or chat == f"dm:{sender}":
        return
    if chat.startswith("dm:"):
        raise _Problem(403, "not_yours", "不能在别人的私聊里发言。")
    raise _Problem(404, "no_such_chat", "没有这个聊天。")


def _enclosed(file: Enclosure | None) -> list[dict[str, Any]]:
    if file is None:
        return []
    kind = "image" if file.is_picture else "file"
    told = {"name": file.name, "size": file.size, "content_type": file.content_type}
    return [{"type": kind, **told, "digest": file.digest}]


def _item(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else _shown(row)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "chat": row["chat"],
        "at": row["at"].isoformat(),
        "sender": {"id": row["sender_id"], "name": row["sender_name"], "is_bot": row["is_bot"]},
        "text": row["text"],
        "kind": row["kind"],
        "card": row["card"],
        "mentions": row["mentions"],
        "reply_to": row["reply_to"] or None,
        "attachments": [_linked(row["id"], n, a) for n, a in enumerate(row["attachments"])],
    }


def _linked(message_id: int, at: int, sent: dict[str, Any]) -> dict[str, Any]:
    """What people sent carries itself; what the bot sent is asked for where it lies."""
    if "digest" not in sent:
        return sent
    told = {name: sent[name] for name in ("type", "name", "size")}
    return {**told, "url": f"/sandbox/api/files/{message_id}/{at}"}


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        return await json_body(request)
    except ApiError as error:
        raise _Problem(error.status, error.code, error.message) from error


def _text(body: dict[str, Any], key: str, most: int, empty: bool = False) -> str:
    value = body.get(key)
    if value is None and empty:
        return ""
    if not isinstance(value, str) or (not value and not empty):
        raise _Problem(422, "bad_field", f"缺少 {key}。")
    if len(value) > most:
        raise _Problem(422, "too_long", "内容太长，请分两次发。")
    return value


def _attachments(given: Any) -> list[dict[str, str]]:
    """Pictures as data URLs; judged by their first bytes, not by what they say of themselves."""
    if not isinstance(given, list) or len(given) > 9:
        raise _Problem(422, "bad_attachments", "一次最多发 9 张图片。")
    kept = []
    for one in given:
        url = str(one.get("url", "")) if isinstance(one, dict) else ""
        head, _, data = url.partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            raise _Problem(422, "bad_picture", "只能发图片。")
        try:
            raw = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise _Problem(422, "bad_picture", "图片打不开，请换一张。") from None
        if len(raw) > _PICTURE_BYTES:
            raise _Problem(413, "too_large", "图片超过 512 KB，请压缩后再发。")
        kind = next((k for sign, k in _PICTURES.items() if raw.startswith(sign)), "")
        if not kind:
            raise _Problem(422, "bad_picture", "只能发 PNG、JPEG、GIF 或 WebP 图片。")
        name = str(one.get("name", ""))[:80]
        kept.append({"type": "image", "name": name, "url": f"data:image/{kind};base64,{data}"})
    return kept


async def _page(request: web.Request) -> web.StreamResponse:
    name = request.match_info.get("name") or "index.html"
    path = STATIC / name
    if "/" in name or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(
        path,
        headers={
            "Content-Security-Policy": _CSP,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )


async def nowhere(request: web.Request) -> web.StreamResponse:
    return problem(404, "no_such_path", "没有这个接口。")


async def _home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/sandbox/")


def attach(app: "App") -> None:
    """Add the sandbox's routes to the application."""
    box = Sandbox(app)
    add = app.web.router
    for method, path, handler in (
        ("GET", "people", box.people),
        ("GET", "chats", box.chats),
        ("POST", "messages", box.post_message),
        ("GET", "messages", box.get_messages),
        ("POST", "press", box.press),
        ("GET", "clock", box.get_clock),
        ("POST", "clock", box.set_clock),
        ("POST", "play", box.play),
        ("GET", "events", box.events),
        ("GET", "files/{message}/{at}", box.file),
    ):
        add.add_route(method, f"/sandbox/api/{path}", _answering(handler))
    add.add_route("*", "/sandbox/api/{path:.*}", nowhere)
    add.add_get("/", _home)
    add.add_get("/sandbox", _home)
    add.add_get("/sandbox/", _page)
    add.add_get("/sandbox/{name}", _page)
    app.web.on_shutdown.append(box.close)
