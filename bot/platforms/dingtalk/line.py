"""DingTalk's Stream mode: ask for a ticket, connect, hear, answer each frame under its id.

A bot message is brought once and never again; an event comes again until it is answered.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp

from bot.client import Answer, Client
from bot.payload import json_object, part_at, text_at
from bot.platform import Decoded, Hear, Permanent, Rejected, SendError, Transient
from bot.platforms.dingtalk.errors import trouble
from bot.trouble import Do

_log = logging.getLogger("bot.dingtalk.line")

MESSAGES: Final = "/v1.0/im/bot/messages/get"
CLICKS: Final = "/v1.0/card/instances/callback"
EVENT: Final = "EVENT"
_SUBSCRIPTIONS: Final = (
    {"type": "CALLBACK", "topic": MESSAGES},
    {"type": "CALLBACK", "topic": CLICKS},
    {"type": EVENT, "topic": "*"},
)
_MOST_FRAME: Final = 1024 * 1024
_JSON: Final = "application/json"
_LATER: Final = b'{"status":"LATER"}'
# A CALLBACK that cannot be read: it comes only once, so nothing is asked of the other end.
_NONE: Final = b'{"response":null}'


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. The far end is asked for a sign of life after `ping`; a click waits 2 for its answer."""

    ping: float = 60.0
    click: float = 1.6
    first_retry: float = 1.0
    longest_retry: float = 30.0
    # A wrong secret will not become right by haste.
    refused: float = 60.0
    # However long the limiter asks for: until then nobody is heard.
    longest_pause: float = 300.0
    # After it has asked us to leave, the far end closes within about 10.
    leaving: float = 12.0
    settling: float = 5.0


class _Refused(Exception):
    """No ticket is given until somebody sets it right."""


class StreamLine:
    """`decode` makes something of a frame; its `ack` and answers are what a frame's `data` holds."""

    name: Final = "dingtalk.stream"
    title: Final = "钉钉机器人的长连接"
    brings_once = True

    def __init__(
        self,
        base: str,
        client_id: str,
        client_secret: str,
        decode: Callable[[Mapping[str, Any], float], Decoded],
        client: Client,
        pace: Pace = Pace(),
    ) -> None:
        self._base = base.rstrip("/")
        self._client_id, self._client_secret = client_id, client_secret
        self._decode = decode
        self._client = client
        self._pace = pace
        self._up = False
        self._readers: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        return self._up

    # ---- holding it

    async def hold(self, hear: Hear) -> None:
        faults = 0
        try:
            while True:
                wait = min(self._pace.first_retry * 2**faults, self._pace.longest_retry)
                faults = min(faults + 1, 10)
                started = time.monotonic()
                try:
                    asked_to_leave = await self._connection(hear)
                    lived = time.monotonic() - started
                    # Somebody may write at any moment, and what was missed is never repeated.
                    at_once = asked_to_leave and lived >= self._pace.first_retry
                    faults, wait = 0, 0.0 if at_once else self._pace.first_retry
                except _Refused as error:
                    _log.error("line.refused", extra={"line": self.name, "code": str(error)})
                    wait = self._pace.refused
                except Transient as error:
                    _log.warning("line.down", extra={"line": self.name, "error": error.code})
                    wait = max(wait, min(error.retry_after or 0.0, self._pace.longest_pause))
                except SendError as error:
                    _log.warning("line.down", extra={"line": self.name, "error": error.code})
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    _log.warning(
                        "line.down", extra={"line": self.name, "error": type(error).__name__}
                    )
                # Spread, so that many bots do not come back in the same instant.
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))
        finally:
            readers = list(self._readers)
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _connection(self, hear: Hear) -> bool:
        """One connection to its end, or until it is to be left; whether that is so.

        What is left is read on beside the next one until the far end closes it.
        """
        socket = await self._client.socket(await self._address(), _MOST_FRAME, self._pace.ping)
        leaving = asyncio.Event()
        reading = asyncio.create_task(self._read(socket, hear, leaving), name="dingtalk reader")
        self._readers.add(reading)
        reading.add_done_callback(self._readers.discard)
        told = asyncio.create_task(leaving.wait(), name="dingtalk leaving")
        self._up = True
        try:
            await asyncio.wait([reading, told], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._up = False
            told.cancel()
        return leaving.is_set()

    async def _address(self) -> str:
        """Where to connect, with a ticket that is good for one connection within 90 seconds."""
        answer = await self._client.exchange(
            "POST",
            f"{self._base}/v1.0/gateway/connections/open",
            json={
                "clientId": self._client_id,
                "clientSecret": self._client_secret,
                "subscriptions": list(_SUBSCRIPTIONS),
                "ua": "laohonggang-bot",
            },
            repeatable=True,
            follow=False,
        )
        plain = answer.plain_or_none()
        plain = plain if isinstance(plain, dict) else {}
        endpoint, ticket = text_at(plain, "endpoint"), text_at(plain, "ticket")
        if answer.status != 200 or not endpoint or not ticket:
            raise _failure(answer, text_at(plain, "code"))
        if urlsplit(endpoint).scheme != "wss" and not self._base.startswith("http://"):
            raise Permanent("endpoint_not_secure")
        return f"{endpoint}?ticket={quote(ticket, safe='')}"

    async def reachable(self) -> None:
        """Whether a ticket is given; raises a SendError. It is not used: nobody is disturbed."""
        try:
            await self._address()
        except _Refused as error:
            raise Permanent(str(error)) from None

    # ---- hearing

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, hear: Hear, leaving: asyncio.Event
    ) -> None:
        working: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:
                async for message in socket:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    frame = _frame(message.data)
                    if text_at(frame, "type") != "SYSTEM":
                        # Not awaited here: a ping must not wait for what is worked on.
                        task = asyncio.create_task(self._work(socket, frame, hear))
                        working.add(task)
                        task.add_done_callback(working.discard)
                    elif text_at(part_at(frame, "headers"), "topic") == "disconnect":
                        leaving.set()
                        limit.reschedule(loop.time() + self._pace.leaving)
                    else:
                        await _answer(socket, frame, text_at(frame, "data").encode())
        except TimeoutError:
            _log.info("line.left", extra={"line": self.name})
        finally:
            # What was heard is taken to its end; only its answer may find the line gone.
            if working:
                await asyncio.wait(working, timeout=self._pace.settling)
            await socket.close()

    async def _work(
        self, socket: aiohttp.ClientWebSocketResponse, frame: Mapping[str, Any], hear: Hear
    ) -> None:
        is_event = text_at(frame, "type") == EVENT
        try:
            decoded = self._decode(frame, time.time())
        except Rejected as refusal:
            _log.warning("line.not_understood", extra={"line": self.name, "why": refusal.reason})
            # The same again would be understood no better.
            await _answer(socket, frame, b'{"status":"SUCCESS"}' if is_event else _NONE)
            return
        except Exception as error:
            # One frame that nobody thought of must not end the line.
            _log.error("line.not_decoded", extra={"error": type(error).__name__})
            if is_event:
                await _answer(socket, frame, _LATER)
            return
        answered = False

        async def reply(made: bytes) -> bool:
            nonlocal answered
            if answered:
                return False
            answered = True
            return await _answer(socket, frame, made)

        hearing = asyncio.ensure_future(hear(decoded, reply))
        if decoded.late is not None:
            await asyncio.wait([hearing], timeout=self._pace.click)
            if not hearing.done():
                await reply(decoded.late.body)
        if await hearing:
            await reply(decoded.ack.body)
        elif is_event:
            await reply(_LATER)
        else:
            _log.error("line.lost", extra={"line": self.name})


def _failure(answer: Answer, code: str) -> Exception:
    code = code or str(answer.status)
    known = trouble(code)
    waits = known is not None and known.do is Do.WAIT
    if not waits and 400 <= answer.status < 500 and answer.status != 429:
        return _Refused(code)
    return Transient(code, None if known is None else known.seconds)


def _frame(data: str) -> dict[str, Any]:
    """Empty for what is no JSON object."""
    try:
        return json_object(data)
    except Rejected:
        return {}


async def _answer(
    socket: aiohttp.ClientWebSocketResponse, frame: Mapping[str, Any], data: bytes
) -> bool:
    """Whether it went out under the frame's id."""
    message_id = text_at(part_at(frame, "headers"), "messageId")
    if not message_id:
        return False
    made = {
        "code": 200,
        "message": "OK",
        "headers": {"messageId": message_id, "contentType": _JSON},
        "data": data.decode(),
    }
    try:
        await socket.send_str(json.dumps(made, ensure_ascii=False))
    except (ConnectionError, aiohttp.ClientError):
        return False
    return True
