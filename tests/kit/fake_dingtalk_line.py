"""A strict DingTalk Stream gateway on loopback: it checks each frame and can misbehave."""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.kit.strict import Strict

MESSAGES = "/v1.0/im/bot/messages/get"
CLICKS = "/v1.0/card/instances/callback"
TICKET_SECONDS = 90.0
_WANTED = {("CALLBACK", MESSAGES), ("CALLBACK", CLICKS), ("EVENT", "*")}
_ANSWER_KEYS = {"cardUpdateOptions", "cardData", "userPrivateData"}


class FakeStream(Strict):
    """What the gateway knows: tickets, open connections, the frames it brought and their answers.

    `denials` meets the next requests for a ticket: a status, or a code of the vendor's.
    `live` holds the open sockets; of those in `silent` nothing is heard any more, not even a
    websocket ping, and to those in `void` nothing gets through: half-open sockets.
    `answers` holds what was answered by frame; an answer nobody asked for is in `refused`.
    """

    def __init__(
        self, client_id: str, secret: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._client_id, self._secret = client_id, secret
        self._now = now
        self.denials: deque[int | str] = deque()
        self.live: list[web.WebSocketResponse] = []
        self.silent: set[web.WebSocketResponse] = set()
        self.void: set[web.WebSocketResponse] = set()
        self.answers: dict[str, Any] = {}
        self.answered_after: dict[str, float] = {}
        self.tickets = 0
        self.connections = 0
        self.pings = 0
        self.connected = asyncio.Event()
        self._valid: dict[str, float] = {}
        self._used: set[str] = set()
        self.sockets: list[web.WebSocketResponse] = []
        self.brought_on: dict[str, web.WebSocketResponse] = {}
        self._brought: dict[str, tuple[str, float]] = {}
        self._events: dict[str, tuple[str, dict[str, Any], str]] = {}
        self._ids = itertools.count(1)

    def attach(self, app: web.Application) -> None:
        app.router.add_post("/v1.0/gateway/connections/open", self._open)
        app.router.add_get("/stream", self._serve)

    async def __aenter__(self) -> Self:
        """By itself, where nothing else of the platform is needed."""
        self.attach(self.app)
        return await super().__aenter__()

    # ---- what happens at the platform

    async def brings(self, topic: str, plain: dict[str, Any], message_id: str = "") -> str:
        """A CALLBACK frame; its id."""
        kind = "message" if topic == MESSAGES else "click"
        return await self._frame(kind, "CALLBACK", {"topic": topic}, _text(plain), message_id)

    async def happens(self, kind: str, plain: dict[str, Any], corp: str, event_id: str = "") -> str:
        """An EVENT frame; the event's id."""
        event_id = event_id or f"event{next(self._ids):05d}"
        self._events[event_id] = kind, plain, corp
        await self._event(event_id)
        return event_id

    async def repeats(self) -> int:
        """Bring again every event that was not answered with SUCCESS; how many there were."""
        done = {i for i, a in self.answers.items() if a == {"status": "SUCCESS"}}
        brought = {i: frame.partition(":")[2] for i, (frame, _) in self._brought.items()}
        settled = {brought[i] for i in done if i in brought}
        open_ones = [event for event in self._events if event not in settled]
        for event in open_ones:
            await self._event(event)
        return len(open_ones)

    async def asks(self) -> str:
        """A SYSTEM ping; the frame's id."""
        data = json.dumps({"opaque": f"o{next(self._ids)}"})
        return await self._frame(f"ping:{data}", "SYSTEM", {"topic": "ping"}, data)

    async def sends_away(self) -> None:
        """The connection is to be left; the far end closes it when `drops` is called."""
        data = json.dumps({"reason": "connection is expired"})
        self.connected.clear()
        await self._frame("disconnect", "SYSTEM", {"topic": "disconnect"}, data)

    async def drops(self, which: int = -1) -> None:
        """A connection breaks; the newest unless said otherwise."""
        self.connected.clear()
        await self.sockets[which].close()

    async def sends(self, raw: str) -> None:
        """Anything at all, on the newest connection."""
        await self.sockets[-1].send_str(raw)

    async def answer(self, frame: str) -> Any:
        """What a frame was answered with."""
        await self.sees(lambda: frame in self.answers)
        return self.answers[frame]

    def statuses(self, event_id: str) -> list[str]:
        """How each bringing of an event was answered."""
        return [
            self.answers[i]["status"]
            for i, (kind, _) in self._brought.items()
            if kind == f"event:{event_id}" and i in self.answers
        ]

    async def _event(self, event_id: str) -> None:
        kind, plain, corp = self._events[event_id]
        born = str(int(time.time() * 1000))
        headers = {
            "topic": "*",
            "eventType": kind,
            "eventId": event_id,
            "eventCorpId": corp,
            "eventBornTime": born,
        }
        await self._frame(f"event:{event_id}", "EVENT", headers, _text(plain))

    async def _frame(
        self, what: str, kind: str, headers: dict[str, str], data: str, message_id: str = ""
    ) -> str:
        message_id = message_id or f"frame{next(self._ids):06d}"
        socket = self._socket()
        self._brought[message_id] = what, time.monotonic()
        self.brought_on[message_id] = socket
        self.answers.pop(message_id, None)
        frame = {
            "specVersion": "1.0",
            "type": kind,
            "headers": {
                **headers,
                "messageId": message_id,
                "contentType": "application/json",
                "time": str(int(time.time() * 1000)),
            },
            "data": data,
        }
        if socket not in self.void:
            await socket.send_str(json.dumps(frame, ensure_ascii=False))
        return message_id

    def _socket(self) -> web.WebSocketResponse:
        """Where the next frame goes."""
        return self.sockets[-1]

    # ---- the gateway

    async def _open(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.denials:
            denial = self.denials.popleft()
            if isinstance(denial, int):
                return web.json_response({"code": "system.busy"}, status=denial)
            return web.json_response({"code": denial, "message": "…"}, status=403)
        if (body.get("clientId"), body.get("clientSecret")) != (self._client_id, self._secret):
            return web.json_response({"code": "invalidClientIdOrSecret"}, status=400)
        wanted = {(s["type"], s["topic"]) for s in body["subscriptions"]}
        if wanted != _WANTED or not body.get("ua"):
            self.refused.append(f"subscriptions {wanted}")
        self.tickets += 1
        # What must be written otherwise in an address is in it on purpose.
        ticket = f"t+{self.tickets}/&canary=="
        self._valid[ticket] = self._now() + TICKET_SECONDS
        endpoint = str(request.url.with_path("/stream").with_scheme("ws"))
        return web.json_response({"endpoint": endpoint, "ticket": ticket})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket in self._used:
            self.refused.append("a ticket used twice")
        if self._valid.pop(ticket, 0.0) < self._now():
            return web.Response(status=401)
        self._used.add(ticket)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connections += 1
        self.sockets.append(socket)
        self.live.append(socket)
        self.connected.set()
        try:
            async for message in socket:
                if socket in self.silent:
                    continue
                if message.type is WSMsgType.PING:
                    self.pings += 1
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._heard(message.data)
        finally:
            self.live.remove(socket)
        return socket

    def _heard(self, raw: str) -> None:
        frame = json.loads(raw)
        message_id = frame.get("headers", {}).get("messageId", "")
        what, brought_at = self._brought.get(message_id, ("", 0.0))
        fault = _fault(frame, what) if what else "an answer to nothing"
        if message_id in self.answers:
            fault = fault or "a second answer"
        if fault:
            self.refused.append(f"{what or message_id}: {fault}")
            return
        self.answers[message_id] = json.loads(frame["data"])
        self.answered_after[message_id] = time.monotonic() - brought_at


def _fault(frame: dict[str, Any], what: str) -> str:
    if set(frame) != {"code", "message", "headers", "data"} or frame["code"] != 200:
        return "form"
    if frame["headers"].get("contentType") != "application/json":
        return "contentType"
    if not isinstance(frame["data"], str):
        return "data is JSON text"
    kind, _, rest = what.partition(":")
    data = json.loads(frame["data"])
    if kind == "ping":
        return "" if data == json.loads(rest) else "opaque"
    if kind == "event":
        return "" if data in ({"status": "SUCCESS"}, {"status": "LATER"}) else "status"
    if kind == "disconnect":
        return "is not answered"
    if set(data) != {"response"}:
        return "response"
    if kind == "message":
        return "" if data["response"] is None else "a message is answered with nothing"
    return check_answer(data["response"])


def check_answer(body: Any) -> str:
    """What is wrong with the answer to a click; empty where nothing is."""
    if body is None:
        return ""
    if not isinstance(body, dict) or not set(body) <= _ANSWER_KEYS:
        return "answer"
    for key in ("cardData", "userPrivateData"):
        values = body.get(key, {"cardParamMap": {}}).get("cardParamMap")
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            return "every value of a card is text"
    return ""


def _text(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False)
