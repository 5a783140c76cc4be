"""Feishu's long connection: ask where, connect, hear, answer each frame with itself, ping.

Events come again until they are answered with 200, clicks only once. Of several connections of one
application each hears a part.
"""

import asyncio
import base64
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from bot.client import Answer, Client
from bot.payload import json_object, part_at, text_at
from bot.platform import (
    Decoded,
    Hear,
    Permanent,
    Rejected,
    Reply,
    SendError,
    Transient,
    json_text,
)
from bot.platforms.feishu import api, errors, frames
from bot.platforms.feishu.frames import BadFrame, Frame

_log = logging.getLogger("bot.feishu.line")

_TYPE: Final = "type"
_TAKEN, _NOT_TAKEN = 200, 500
_NOTHING: Final = frozenset({b"", b"{}"})
_FULL: Final = "1000040350"
_BUSY: Final = frozenset({"1", "1000040343", "1000040345"})
_SERVICE_BOUND: Final = 1 << 31
_LATER: Final = "平台正忙，会稍后自动再连。"
UNKNOWN: Final = (
    "平台没有同意长连接，请核对 App ID 和 App Secret，并确认是企业自建应用、"
    "「事件与回调」的订阅方式选了长连接。"
)
_CURES: Final = {
    **dict.fromkeys(_BUSY, _LATER),
    "1000040344": errors.TROUBLES[10014].cure,
    "1000040346": errors.TROUBLES[10014].cure,
    _FULL: "长连接已到 50 条的上限，请停掉同一应用的其他程序，之后会自动再连。",
    "endpoint_not_secure": "平台给的地址不是 wss 开头，没有连接，请核对 FEISHU_API_BASE。",
}


def cure(code: str) -> str:
    """What a person does about a code; empty for one that nobody has described."""
    return _CURES.get(code) or errors.cure(code)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. The first three the far end tells with each address, and within bounds it is obeyed.

    It waits 3 for an answer. A websocket that is silent for `silence` is asked for a sign of life.
    """

    ping: float = 120.0
    # Between tries that fail; after a connection that ended, up to `spread` and no more.
    again: float = 30.0
    spread: float = 10.0
    least: float = 1.0
    most: float = 300.0
    answer: float = 2.5
    silence: float = 60.0
    # A wrong secret will not become right by haste, nor will fifty connections become fewer.
    refused: float = 60.0
    settling: float = 5.0


class _Refused(Exception):
    """No connection until somebody sets it right."""


class LongConnection:
    """`decode` makes something of a payload; its `ack` and answers are what a frame's data holds."""

    name: Final = "feishu.events"
    title: Final = "飞书机器人的长连接"

    def __init__(
        self,
        base: str,
        app_id: str,
        secret: str,
        decode: Callable[[bytes, float], Decoded],
        client: Client,
        pace: Pace = Pace(),
    ) -> None:
        self._base = base.rstrip("/")
        self._app_id, self._secret = app_id, secret
        self._decode = decode
        self._client = client
        self._pace = pace
        self._up = False
        self._heard = False
        # What was said last of a refusal, so that it stands in the log once.
        self._told = ""

    @property
    def up(self) -> bool:
        return self._up

    # ---- holding it

    async def hold(self, hear: Hear) -> None:
        while True:
            wait = 0.0
            failed = True
            try:
                failed = await self._connection(hear) < self._pace.least
            except _Refused as error:
                self._say(str(error))
                wait = self._pace.refused
            except Transient as error:
                _log.warning("line.down", extra={"line": self.name, "error": error.code})
                wait = min(error.retry_after or 0.0, self._pace.most)
            except SendError as error:
                _log.warning("line.down", extra={"line": self.name, "error": error.code})
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                _log.warning("line.down", extra={"line": self.name, "error": type(error).__name__})
            # Spread, so that many bots do not come back in the same instant.
            if failed:
                await asyncio.sleep(max(wait, self._pace.again) * random.uniform(0.8, 1.2))
            else:
                await asyncio.sleep(max(random.random() * self._pace.spread, self._pace.least))

    def _say(self, code: str) -> None:
        if code != self._told:
            self._told = code
            _log.error(
                "line.refused",
                extra={"line": self.name, "code": code, "cure": cure(code) or UNKNOWN},
            )

    async def _connection(self, hear: Hear) -> float:
        """One connection from its start to its end; for how long it was up."""
        url = await self._address()
        try:
            socket = await self._client.socket(url, frames.MOST_FRAME, self._pace.silence)
        except aiohttp.WSServerHandshakeError as error:
            raise _handshake(error.status, error.headers or {}) from None
        started = time.monotonic()
        tasks = [
            asyncio.create_task(self._read(socket, hear), name="feishu reader"),
            asyncio.create_task(self._ping(socket, _service(url)), name="feishu ping"),
        ]
        self._up, self._told = True, ""
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            lived = time.monotonic() - started
            for task in done:
                task.result()
            return lived
        finally:
            self._up = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _address(self) -> str:
        """Where to connect, with what lets us in there once; raises a SendError or _Refused."""
        answer = await self._client.exchange(
            "POST",
            f"{self._base}/callback/ws/endpoint",
            json={"AppID": self._app_id, "AppSecret": self._secret},
            headers={"locale": "zh"},
            repeatable=True,
            follow=False,
        )
        plain = answer.plain_or_none()
        plain = plain if isinstance(plain, dict) else {}
        data = part_at(plain, "data")
        url = text_at(data, "URL")
        if answer.status != 200 or plain.get("code") != 0 or not url:
            raise _failure(answer, plain.get("code"))
        if _scheme(url) not in (("ws", "wss") if self._base.startswith("http://") else ("wss",)):
            raise _Refused("endpoint_not_secure")
        self._configure(part_at(data, "ClientConfig"))
        return url

    def _configure(self, told: Mapping[str, Any]) -> None:
        """How the far end wants it; it may say so again with each answer to a ping."""
        now = self._pace
        self._pace = replace(
            now,
            ping=_within(told.get("PingInterval"), now.ping, now),
            again=_within(told.get("ReconnectInterval"), now.again, now),
            spread=_within(told.get("ReconnectNonce"), now.spread, now),
        )

    async def reachable(self) -> None:
        """Whether an address is given; raises a SendError. It is not used: nobody is disturbed."""
        try:
            await self._address()
        except _Refused as error:
            raise Permanent(str(error)) from None

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse, service: int) -> None:
        """Ends when nothing at all was heard after two pings in a row."""
        made = frames.written(Frame(frames.CONTROL, service, ((_TYPE, "ping"),)))
        missed = 0
        while missed < 2:
            self._heard = False
            try:
                await socket.send_bytes(made)
            except (ConnectionError, aiohttp.ClientError):
                return
            await asyncio.sleep(self._pace.ping)
            missed = 0 if self._heard else missed + 1
        _log.warning("line.silent", extra={"line": self.name})

    # ---- hearing

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, hear: Hear) -> None:
        working: set[asyncio.Task[None]] = set()
        pieces = frames.Pieces()
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    continue
                self._heard = True
                try:
                    frame = frames.read(message.data)
                    payload = self._payload(frame, pieces)
                except BadFrame as error:
                    _log.warning(
                        "line.not_understood", extra={"line": self.name, "why": str(error)}
                    )
                    continue
                if payload:
                    # Not awaited here: a pong must not wait for what is worked on.
                    task = asyncio.create_task(self._work(socket, frame, payload, hear))
                    working.add(task)
                    task.add_done_callback(working.discard)
        finally:
            # What was heard is taken to its end; only its answer may find the line gone.
            if working:
                await asyncio.wait(working, timeout=self._pace.settling)
            await socket.close()

    def _payload(self, frame: Frame, pieces: frames.Pieces) -> bytes:
        """What is to be worked on, once it is whole; raises BadFrame."""
        kind = frame.header(_TYPE)
        if frame.method == frames.CONTROL:
            if kind == "pong" and frame.payload:
                try:
                    self._configure(json_object(frame.payload))
                except Rejected as error:
                    raise BadFrame(error.reason) from None
            return b""
        if frame.method != frames.DATA or kind not in ("event", "card"):
            return b""
        count = _count(frame.header("sum") or "1")
        if count == 1:
            return frame.payload
        number = _count(frame.header("seq"))
        message_id = frame.header("message_id")
        return pieces.put(message_id, count, number, frame.payload, time.monotonic())

    async def _work(
        self, socket: aiohttp.ClientWebSocketResponse, frame: Frame, payload: bytes, hear: Hear
    ) -> None:
        began = time.monotonic()
        answered = False

        async def answer(code: int, body: bytes = b"") -> bool:
            nonlocal answered
            if answered:
                return False
            answered = True
            took = str(int((time.monotonic() - began) * 1000))
            made = frame.answered(_response(code, body), ("biz_rt", took))
            try:
                await socket.send_bytes(frames.written(made))
            except (ConnectionError, aiohttp.ClientError):
                return False
            return True

        try:
            decoded = self._decode(payload, time.time())
        except Rejected as refusal:
            _log.warning("line.not_understood", extra={"line": self.name, "why": refusal.reason})
            # The same again would be understood no better.
            await answer(_TAKEN)
            return
        except Exception as error:
            # One frame that nobody thought of must not end the line.
            _log.error("line.not_decoded", extra={"error": type(error).__name__})
            await answer(_NOT_TAKEN)
            return

        async def reply(made: bytes) -> bool:
            return await answer(_TAKEN, made)

        await self._hear(decoded, hear, reply, answer)

    async def _hear(
        self,
        decoded: Decoded,
        hear: Hear,
        reply: Reply,
        answer: Callable[[int], Any],
    ) -> None:
        hearing = asyncio.ensure_future(hear(decoded, reply))
        await asyncio.wait([hearing], timeout=self._pace.answer)
        if not hearing.done():
            # Of an event only what is on disk is acknowledged: it comes again and is known then.
            if decoded.late is not None:
                await reply(decoded.late.body)
            else:
                await answer(_NOT_TAKEN)
        if await hearing:
            await reply(decoded.ack.body)
        else:
            await answer(_NOT_TAKEN)


def _response(code: int, body: bytes) -> bytes:
    plain: dict[str, object] = {"code": code}
    if body not in _NOTHING:
        plain["data"] = base64.b64encode(body).decode()
    return json_text(plain).encode()


def _failure(answer: Answer, code: object) -> Exception:
    told = str(code) if isinstance(code, int) and code else str(answer.status)
    if told in _BUSY or answer.status == 429 or answer.status >= 500:
        return Transient(told, api.reset(answer))
    return _Refused(told)


def _handshake(status: int, headers: Mapping[str, str]) -> Exception:
    """Why the websocket was not opened: its own status stands in a header."""
    told = headers.get("handshake-status", "")
    if headers.get("handshake-autherrcode") == _FULL:
        return _Refused(_FULL)
    if told == "403":
        return _Refused("handshake_403")
    return Transient(f"handshake_{told if re.fullmatch('[0-9]{1,10}', told) else status}")


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _service(url: str) -> int:
    """Whom a ping is for."""
    (given,) = parse_qs(urlsplit(url).query).get("service_id", ["0"])[:1]
    number = int(given) if given.isdecimal() and len(given) <= 10 else 0
    return number if number < _SERVICE_BOUND else 0


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise BadFrame("pieces")
    return int(text)


def _within(value: object, known: float, pace: Pace) -> float:
    """Seconds as told, within what is reasonable; the known ones where none were told."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return known
    return float(min(pace.most, max(pace.least, value)))
