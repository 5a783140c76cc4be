"""A strict WeCom long-connection server on loopback: it checks each frame and can misbehave."""

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from tests.kit.fake_wecom import Refused, check_card, check_file
from tests.kit.strict import Strict

BOT, SECRET = "aibOQ3kYw8mC5d", "line-secret"
_ANSWERS = {"stream", "template_card", "markdown", "file", "image", "voice", "video"}
_PUSHES = {"markdown", "template_card", "file", "image", "voice", "video"}


class FakeLine(Strict):
    """What the platform knows: one connection, the requests it made, the sessions it has seen.

    `faults` meets the next answers and pushes: silent (no acknowledgement), limited, or an errcode.
    `deaf` answers nothing more: a half-open socket. `quota` is what a session takes in a minute.
    """

    def __init__(self, quota: int = 30) -> None:
        super().__init__()
        self.answers: list[dict[str, Any]] = []
        self.pushes: list[dict[str, Any]] = []
        self.connections = 0
        self.most_open = 0
        # What was said into a connection that only the other end believed in.
        self.unheard = 0
        self._open: set[web.WebSocketResponse] = set()
        self.subscribed = asyncio.Event()
        self._deaf: set[web.WebSocketResponse] = set()
        self.pings = 0
        self._quota = quota
        self._requests: dict[str, tuple[str, str]] = {}
        self._sessions: set[str] = set()
        self._socket: web.WebSocketResponse | None = None
        self._count = 0
        # What is being brought by its upload_id, and what was brought by its media_id.
        self._bringing: dict[str, tuple[dict[str, Any], dict[int, bytes]]] = {}
        self.brought: dict[str, tuple[str, str, bytes]] = {}
        self.app.router.add_get("/", self._serve)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/")).replace("http", "ws", 1)

    @property
    def open(self) -> int:
        """How many connections of the bot are subscribed and open."""
        return len(self._open)

    @property
    def deaf(self) -> bool:
        return self._socket in self._deaf

    @deaf.setter
    def deaf(self, is_deaf: bool) -> None:
        """For the platform the connection is gone; nobody tells the other end."""
        assert is_deaf and self._socket is not None
        self._deaf.add(self._socket)
        self._open.discard(self._socket)

    # ---- what happens at the platform

    async def says(self, user: str, text: str, chat: str = "", msgid: str = "", **more: Any) -> str:
        """Somebody writes to the bot; the request's id."""
        body: dict[str, Any] = {
            "msgtype": "text",
            "text": {"content": text},
            "chattype": "group" if chat else "single",
            **({"chatid": chat} if chat else {}),
            **more,
        }
        return await self._bring("aibot_msg_callback", user, chat or user, msgid, body)

    async def presses(
        self, user: str, key: str, task_id: str, chat: str = "", msgid: str = ""
    ) -> str:
        body = {
            "msgtype": "event",
            "create_time": int(time.time()),
            "chattype": "group" if chat else "single",
            **({"chatid": chat} if chat else {}),
            "event": {
                "eventtype": "template_card_event",
                "template_card_event": {
                    "card_type": "button_interaction",
                    "event_key": key,
                    "task_id": task_id,
                },
            },
        }
        return await self._bring("aibot_event_callback", user, chat or user, msgid, body)

    async def enters(self, user: str, msgid: str = "") -> str:
        body = {
            "msgtype": "event",
            "create_time": int(time.time()),
            "event": {"eventtype": "enter_chat"},
        }
        return await self._bring("aibot_event_callback", user, user, msgid, body)

    async def _bring(
        self, cmd: str, user: str, session: str, msgid: str, body: dict[str, Any]
    ) -> str:
        self._count += 1
        req_id = f"rq-{self._count}"
        body = {
            "msgid": msgid or f"LINE{self._count:05d}",
            "aibotid": BOT,
            "from": {"userid": user},
            **body,
        }
        self._sessions.add(session)
        kind = body["event"]["eventtype"] if body["msgtype"] == "event" else "message"
        self._requests[req_id] = kind, session
        await self.sends({"cmd": cmd, "headers": {"req_id": req_id}, "body": body})
        return req_id

    async def sends(self, frame: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send_str(json.dumps(frame, ensure_ascii=False))

    async def kicks(self) -> None:
        """Somebody else subscribed with this bot's id."""
        assert self._socket is not None
        await self.sends(
            {
                "cmd": "aibot_event_callback",
                "headers": {"req_id": "rq-kick"},
                "body": {
                    "msgid": "KICK",
                    "aibotid": BOT,
                    "msgtype": "event",
                    "event": {"eventtype": "disconnected_event"},
                },
            }
        )
        await self._socket.close()

    async def drops(self) -> None:
        """The connection breaks."""
        assert self._socket is not None
        self.subscribed.clear()
        await self._socket.close()

    # ---- frames

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                frame = json.loads(message.data)
                if socket in self._deaf:
                    self.unheard += frame["cmd"] != "ping"
                    continue
                told: dict[str, Any] = {}
                code = await self._taken(socket, frame, told)
                if code is not None:
                    answer = {"headers": frame["headers"], "errcode": code, "errmsg": "…"}
                    await socket.send_str(json.dumps(answer | ({"body": told} if told else {})))
        finally:
            self._open.discard(socket)
        return socket

    async def _taken(
        self, socket: web.WebSocketResponse, frame: dict[str, Any], told: dict[str, Any]
    ) -> int | None:
        """The errcode of the acknowledgement, None for no acknowledgement; `told` is its body."""
        cmd, req_id = frame.get("cmd", ""), frame["headers"]["req_id"]
        if cmd == "aibot_subscribe":
            if frame["body"] != {"bot_id": BOT, "secret": SECRET}:
                return 40001
            if self._open:
                self.refused.append("two connections of one bot")
            self._socket = socket
            self.subscribed.set()
            self._open.add(socket)
            self.most_open = max(self.most_open, self.open)
            return 0
        if socket is not self._socket:
            return 846609
        if cmd == "ping":
            self.pings += 1
            return 0
        if self.faults:
            fault = self.faults.popleft()
            if fault == "silent":
                return None
            return 45009 if fault == "limited" else int(fault)
        try:
            if cmd.startswith("aibot_upload_media_"):
                told.update(self._brings(cmd, frame["body"]))
                return 0
            return self._spoken(cmd, req_id, frame["body"])
        except (KeyError, Refused) as error:
            self.refused.append(f"{cmd}: {error}")
            return 40058

    def _spoken(self, cmd: str, req_id: str, body: dict[str, Any]) -> int:
        if cmd == "aibot_send_msg":
            return self._pushed(body)
        kind, session = self._requests.get(req_id, ("", ""))
        wanted = {
            "aibot_respond_msg": "message",
            "aibot_respond_welcome_msg": "enter_chat",
            "aibot_respond_update_msg": "template_card_event",
        }
        if cmd not in wanted:
            raise Refused("unknown command")
        if kind != wanted[cmd]:
            return 846605
        if cmd == "aibot_respond_update_msg":
            check_card(body["template_card"], interactive=True)
            if body["response_type"] != "update_template_card":
                raise Refused("response_type")
        elif cmd == "aibot_respond_welcome_msg":
            if body["msgtype"] not in ("text", "template_card"):
                raise Refused(body["msgtype"])
        else:
            self._check(body, _ANSWERS)
        if not self._room(session):
            return 45009
        self.answers.append({"req_id": req_id, "cmd": cmd, **body})
        return 0

    def _pushed(self, body: dict[str, Any]) -> int:
        if body["chat_type"] not in (1, 2):
            raise Refused("chat_type")
        if body["chatid"] not in self._sessions:
            return 846607
        self._check(body, _PUSHES)
        if body["chat_type"] == 2 and body["msgtype"] == "template_card":
            raise Refused("a card pushed into a group")
        if not self._room(body["chatid"]):
            return 45009
        self.pushes.append(body)
        return 0

    def _check(self, body: dict[str, Any], kinds: set[str]) -> None:
        kind = body["msgtype"]
        if kind not in kinds:
            raise Refused(kind)
        if kind == "template_card":
            check_card(body["template_card"], interactive=True)
        elif kind in ("image", "file"):
            if self.brought[body[kind]["media_id"]][0] != kind:
                raise Refused(f"{kind} by the wrong name")
        elif kind in ("stream", "markdown"):
            if not 1 <= len(body[kind]["content"].encode()) <= 20_480:
                raise Refused("size")
            if kind == "stream" and not (body["stream"]["id"] and body["stream"]["finish"]):
                raise Refused("a stream that does not end")

    def _brings(self, cmd: str, body: dict[str, Any]) -> dict[str, Any]:
        """A file in parts: what it is, each part, the end."""
        if cmd == "aibot_upload_media_init":
            if set(body) != {"type", "filename", "total_size", "total_chunks", "md5"}:
                raise Refused(f"fields {set(body)}")
            if not 1 <= body["total_chunks"] <= 100 or len(body["filename"].encode()) > 256:
                raise Refused("chunks or name")
            upload_id = f"up{len(self._bringing) + 1}"
            self._bringing[upload_id] = body, {}
            return {"upload_id": upload_id}
        about, parts = self._bringing[body["upload_id"]]
        if cmd == "aibot_upload_media_chunk":
            part = base64.b64decode(body["base64_data"], validate=True)
            if not 0 <= body["chunk_index"] < about["total_chunks"] or len(part) > 512 * 1024:
                raise Refused("chunk")
            parts[body["chunk_index"]] = part
            return {"upload_id": body["upload_id"]}
        whole = b"".join(parts[n] for n in range(about["total_chunks"]))
        if len(whole) != about["total_size"] or hashlib.md5(whole).hexdigest() != about["md5"]:
            raise Refused("not what was announced")
        check_file(about["type"], about["filename"], whole, 2)
        media_id = f"LMEDIA{len(self.brought) + 1}"
        self.brought[media_id] = about["type"], about["filename"], whole
        return {"type": about["type"], "media_id": media_id, "created_at": int(time.time())}

    def _room(self, session: str) -> bool:
        if self._is_too_fast(session, self._quota, 60.0):
            self.refused.append("more than the session's minute takes")
            return False
        return True
