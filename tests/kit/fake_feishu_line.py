"""A strict Feishu long connection on loopback: it checks each frame and can misbehave."""

import asyncio
import base64
import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

SERVICE = 33554678
PRESS = "card.action.trigger"
_TOASTS = {"success", "info", "warning", "error"}


def number(value: int) -> bytes:
    """As protobuf writes one."""
    value %= 1 << 64
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + number(rest)


def sized(field: int, inside: bytes) -> bytes:
    return number(field * 8 + 2) + number(len(inside)) + inside


def encoded(frame: dict[str, Any]) -> bytes:
    """A frame by its fields' names."""
    headers = b"".join(
        sized(5, sized(1, key.encode()) + sized(2, value.encode()))
        for key, value in frame["headers"]
    )
    counts = zip((1, 2, 3, 4), ("SeqID", "LogID", "service", "method"), strict=True)
    return (
        b"".join(number(field * 8) + number(frame[name]) for field, name in counts)
        + headers
        + sized(6, frame.get("payload_encoding", "").encode())
        + sized(7, frame.get("payload_type", "").encode())
        + sized(8, frame["payload"])
        + sized(9, frame.get("LogIDNew", "").encode())
    )


def _number_at(raw: bytes, at: int) -> tuple[int, int]:
    found = 0
    for shift in itertools.count(0, 7):
        found |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return found, at
    raise AssertionError


def _fields(raw: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(raw):
        key, at = _number_at(raw, at)
        value, at = _number_at(raw, at)
        if key % 8 == 2:
            end = at + value
            assert end <= len(raw), "cut off"
            yield key // 8, raw[at:end]
            at = end
        else:
            assert key % 8 == 0, f"wire {key % 8}"
            yield key // 8, value


def decoded(raw: bytes) -> dict[str, Any]:
    names = {1: "SeqID", 2: "LogID", 3: "service", 4: "method", 8: "payload", 9: "LogIDNew"}
    texts = {6: "payload_encoding", 7: "payload_type", 9: "LogIDNew"}
    found: dict[str, Any] = {"headers": [], "payload": b""}
    for field, value in _fields(raw):
        if field == 5:
            header = dict(_fields(value))
            found["headers"].append((header[1].decode(), header[2].decode()))
        elif field in texts:
            found[texts[field]] = value.decode()
        else:
            found[names[field]] = value
    assert {"SeqID", "LogID", "service", "method"} <= set(found), "a required field"
    return found


class FakeLongConnection:
    """What the platform knows: addresses given out, connections, what it brought and the answers.

    `denials` meets the next requests for an address: an HTTP status or a code; `handshakes` the next
    websockets: the headers that say why. `config` is told with each address, `pong` with each pong.
    Of sockets in `silent` nothing is heard any more; those in `mute` answer the network's pings and
    nothing else. What was not answered with 200 comes again by `repeats`.
    """

    def __init__(self, app_id: str, secret: str) -> None:
        self._app_id, self._secret = app_id, secret
        self.denials: deque[int] = deque()
        self.handshakes: deque[dict[str, str]] = deque()
        self.config: dict[str, Any] = {
            "ReconnectCount": -1,
            "ReconnectInterval": 120,
            "ReconnectNonce": 30,
            "PingInterval": 120,
        }
        self.pong: dict[str, Any] | None = None
        # An address that is given out instead of our own.
        self.elsewhere = ""
        self.sockets: list[web.WebSocketResponse] = []
        self.live: list[web.WebSocketResponse] = []
        self.silent: set[web.WebSocketResponse] = set()
        self.mute: set[web.WebSocketResponse] = set()
        self.refused: list[str] = []
        # The code and data of each answer, by message; how long the last one took.
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.answered_after: dict[str, float] = {}
        self.brought_on: dict[str, web.WebSocketResponse] = {}
        self.asked: list[float] = []
        self.connections = 0
        self.most_open = 0
        self.pings = 0
        self.connected = asyncio.Event()
        self._tickets: set[str] = set()
        self._brought: dict[str, dict[str, Any]] = {}
        self._frames: dict[str, list[dict[str, Any]]] = {}
        self._since: dict[str, float] = {}
        self._ids = itertools.count(1)
        self._server: TestServer | None = None

    def attach(self, app: web.Application) -> None:
        app.router.add_post("/callback/ws/endpoint", self._endpoint)
        app.router.add_get("/ws/v2", self._serve)

    async def __aenter__(self) -> "FakeLongConnection":
        """By itself, where nothing else of the platform is needed."""
        app = web.Application()
        self.attach(app)
        self._server = TestServer(app)
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.close()
        self.verify()

    def verify(self) -> None:
        assert self.refused == [], self.refused

    @property
    def base(self) -> str:
        assert self._server is not None
        return str(self._server.make_url("/")).rstrip("/")

    # ---- what happens at the platform

    async def brings(self, plain: dict[str, Any], pieces: int = 1, message_id: str = "") -> str:
        """An event or a click, in so many frames; the message's id."""
        message_id = message_id or f"m{next(self._ids):06d}"
        self._brought[message_id] = plain
        await self._push(message_id, pieces)
        return message_id

    async def repeats(self) -> int:
        """Bring again every event that was not answered with 200; how many there were."""
        open_ones = [
            message_id
            for message_id, plain in self._brought.items()
            if not any(code == 200 for code, _ in self.answers.get(message_id, ()))
            and plain.get("header", {}).get("event_type") != PRESS
        ]
        for message_id in open_ones:
            await self._push(message_id, 1)
        return len(open_ones)

    def pieces(self, plain: dict[str, Any], count: int, message_id: str) -> list[bytes]:
        """The frames of a message, to be sent in any order by `sends`."""
        self._brought[message_id] = plain
        raw = json.dumps(plain, ensure_ascii=False).encode()
        size = -(-len(raw) // count)
        made = []
        for seq in range(count):
            frame = {
                "SeqID": next(self._ids),
                "LogID": (1 << 63) + next(self._ids),
                "service": SERVICE,
                "method": 1,
                "headers": [
                    ("type", "event"),
                    ("message_id", message_id),
                    ("sum", str(count)),
                    ("seq", str(seq)),
                    ("trace_id", f"trace-{message_id}"),
                ],
                "payload_encoding": "",
                "payload_type": "json",
                "payload": raw[seq * size : (seq + 1) * size],
                "LogIDNew": f"log-{message_id}-{seq}",
            }
            self._frames.setdefault(message_id, []).append(frame)
            made.append(encoded(frame))
        self._since[message_id] = time.monotonic()
        return made

    async def sends(self, raw: bytes | str) -> None:
        """Anything at all, on the newest connection."""
        if isinstance(raw, str):
            await self.sockets[-1].send_str(raw)
        else:
            await self.sockets[-1].send_bytes(raw)

    async def drops(self) -> None:
        self.connected.clear()
        await self.sockets[-1].close()

    async def sees(self, what: Callable[[], bool]) -> None:
        """Wait until it is so, five seconds at most."""
        for _ in range(500):
            if what():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not come to that")

    async def answer(self, message_id: str) -> tuple[int, Any]:
        """Code and data of the first answer."""
        await self.sees(lambda: message_id in self.answers)
        return self.answers[message_id][0]

    def codes(self, message_id: str) -> list[int]:
        return [code for code, _ in self.answers.get(message_id, ())]

    async def _push(self, message_id: str, pieces: int) -> None:
        socket = self.brought_on[message_id] = self._socket()
        for raw in self.pieces(self._brought[message_id], pieces, message_id):
            if socket not in self.silent | self.mute:
                await socket.send_bytes(raw)

    def _socket(self) -> web.WebSocketResponse:
        """The connection by which the next message goes."""
        return self.sockets[-1]

    # ---- the platform's side

    async def _endpoint(self, request: web.Request) -> web.Response:
        self.asked.append(time.monotonic())
        body = await request.json()
        if set(body) != {"AppID", "AppSecret"}:
            self.refused.append(f"fields {set(body)}")
        if self.denials:
            denial = self.denials.popleft()
            if denial in range(100, 600):
                return web.json_response({"code": 1, "msg": "busy"}, status=denial)
            return web.json_response({"code": denial, "msg": "no"})
        if (body["AppID"], body["AppSecret"]) != (self._app_id, self._secret):
            return web.json_response({"code": 1000040346, "msg": "app_id is invalid"})
        ticket = f"canary-ticket-{len(self.asked)}"
        self._tickets.add(ticket)
        url = request.url.with_path("/ws/v2").with_scheme("ws")
        url = url.with_query(
            device_id="7441", service_id=str(SERVICE), access_key="canary-key", ticket=ticket
        )
        data = {"URL": self.elsewhere or str(url), "ClientConfig": self.config}
        return web.json_response({"code": 0, "msg": "", "data": data})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            self.refused.append("a ticket that was not given, or used twice")
            return web.Response(status=403)
        self._tickets.discard(ticket)
        if self.handshakes:
            return web.Response(status=400, headers=self.handshakes.popleft())
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connections += 1
        self.sockets.append(socket)
        self.live.append(socket)
        self.most_open = max(self.most_open, len(self.live))
        self.connected.set()
        try:
            async for message in socket:
                if socket in self.silent:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif socket in self.mute:
                    continue
                elif message.type is WSMsgType.BINARY:
                    await self._heard(socket, message.data)
                else:
                    self.refused.append(f"a message of {message.type}")
        finally:
            self.live.remove(socket)
        return socket

    async def _heard(self, socket: web.WebSocketResponse, raw: bytes) -> None:
        try:
            frame = decoded(raw)
        except (AssertionError, KeyError, IndexError, UnicodeDecodeError) as error:
            self.refused.append(f"not a frame: {error!r}")
            return
        if frame["method"] == 0:
            if frame["headers"] != [("type", "ping")] or frame["service"] != SERVICE:
                self.refused.append(f"ping {frame}")
            self.pings += 1
            told = b"" if self.pong is None else json.dumps(self.pong).encode()
            pong = {"SeqID": 0, "LogID": 0, "service": SERVICE, "method": 0}
            headers = [("type", "pong")]
            await socket.send_bytes(encoded({**pong, "headers": headers, "payload": told}))
            return
        message_id = dict(frame["headers"]).get("message_id", "")
        fault = self._fault(message_id, frame)
        if fault:
            self.refused.append(f"{message_id}: {fault}")
            return
        plain = json.loads(frame["payload"])
        data = json.loads(base64.b64decode(plain["data"])) if "data" in plain else None
        self.answers.setdefault(message_id, []).append((plain["code"], data))
        self.answered_after[message_id] = time.monotonic() - self._since[message_id]

    def _fault(self, message_id: str, frame: dict[str, Any]) -> str:
        """What is wrong with an answer; empty where nothing is."""
        asked = self._frames.get(message_id, [])
        same = ("SeqID", "LogID", "service", "method", "payload_type", "LogIDNew")
        mine = [f for f in asked if all(f.get(k) == frame.get(k) for k in same)]
        if not mine:
            return "an answer to nothing"
        # A frame is answered once.
        asked.remove(mine[0])
        names = [name for name, _ in frame["headers"]]
        if frame["headers"][:5] != mine[0]["headers"] or names[5:] not in ([], ["biz_rt"]):
            return f"headers {frame['headers']}"
        plain = json.loads(frame["payload"])
        if not {"code"} <= set(plain) <= {"code", "data"} or plain["code"] not in (200, 500):
            return f"payload {plain}"
        if "data" not in plain:
            return ""
        if self._brought[message_id].get("header", {}).get("event_type") != PRESS:
            return "an event is answered with nothing"
        return check_answer(json.loads(base64.b64decode(plain["data"], validate=True)))


def check_answer(body: Any) -> str:
    """What is wrong with the answer to a click; empty where nothing is."""
    if not isinstance(body, dict) or not set(body) <= {"toast", "card"}:
        return "answer"
    if "toast" in body and (body["toast"]["type"] not in _TOASTS or not body["toast"]["content"]):
        return "toast"
    if "card" in body and (body["card"]["type"] != "raw" or "schema" not in body["card"]["data"]):
        return "card"
    return ""
