"""The aibot's long connection: subscribe, heartbeat, hear, answer under the request's id, push.

One connection a bot: whoever subscribes last wins and the other one is told (D:101463).
"""

import asyncio
import base64
import hashlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from bot.client import Client
from bot.payload import cut
from bot.platform import (
    Decoded,
    Expired,
    Hear,
    Permanent,
    SendError,
    TakenOver,
    Transient,
    Unsure,
    plain_json,
)
from bot.platforms.wecom.api import check

_log = logging.getLogger("bot.wecom.line")

_MOST_FRAME: Final = 4 * 1024 * 1024
# Answers and pushes together, by session; a group is one session.
QUOTAS: Final = ((30, 60.0), (1000, 3600.0))
# At most 512 KB a part and 100 parts; smaller, so that answers find room between them.
_PART_BYTES: Final = 256 * 1024
_NAME_BYTES: Final = 256
_LOST: Final = 846609
_NO_ACK: Final = "no_ack"
_OF_THE_LINE: Final = frozenset({"aibot_subscribe", "ping"})


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. A ping every 30; an acknowledgement within 5, else what became of it is unknown."""

    ping: float = 30.0
    ack: float = 5.0
    first_retry: float = 1.0
    longest_retry: float = 30.0
    # Subscribing is protected against frequency; a wrong secret will not become right by haste.
    refused: float = 60.0


class _Refused(Exception):
    """The subscription was not taken."""


class Sessions:
    """How much each session may still be told; the counts survive a new connection."""

    def __init__(self, now: Callable[[], float] = lambda: time.monotonic()) -> None:
        self._now = now
        self._told: dict[str, deque[float]] = {}

    def spend(self, chat: str) -> None:
        """Count one message; raises Transient with the wait where the quota is used up."""
        now = self._now()
        told = self._told.setdefault(chat, deque())
        longest = QUOTAS[-1][1]
        while told and told[0] <= now - longest:
            told.popleft()
        for count, per in QUOTAS:
            inside = sum(1 for at in told if at > now - per)
            if inside >= count:
                opens = told[len(told) - count] + per
                raise Transient("session_quota", max(opens - now, 0.1))
        told.append(now)

    def give_back(self, chat: str) -> None:
        """The last one counted was certainly not told."""
        if told := self._told.get(chat):
            told.pop()


class AibotLine:
    name: Final = "wecom.aibot"
    title: Final = "企业微信智能机器人的长连接"

    def __init__(
        self,
        url: str,
        bot_id: str,
        secret: str,
        decode: Callable[[Mapping[str, Any], str, float], Decoded],
        pace: Pace = Pace(),
    ) -> None:
        self._url, self._bot_id, self._secret = url, bot_id, secret
        self._decode = decode
        self._pace = pace
        self._client = Client()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._subscribed = False
        self._acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._taken_over = False
        # Set while a frame went unacknowledged and no ping has been answered since.
        self._doubt = asyncio.Event()
        self._count = 0
        self.sessions = Sessions()

    @property
    def up(self) -> bool:
        return self._subscribed

    # ---- holding it

    async def hold(self, hear: Hear) -> None:
        faults = 0
        while True:
            wait = min(self._pace.first_retry * 2**faults, self._pace.longest_retry)
            try:
                if await self._connection(hear):
                    faults = 0
                    wait = self._pace.first_retry
            except _Refused as error:
                _log.error("line.refused", extra={"line": self.name, "code": str(error)})
                wait = self._pace.refused
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                _log.warning("line.down", extra={"line": self.name, "error": type(error).__name__})
            if self._taken_over:
                self._taken_over = False
                raise TakenOver(self.name)
            faults = min(faults + 1, 10)
            # Spread, so that many bots do not come back in the same instant.
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))

    async def _connection(self, hear: Hear) -> bool:
        """One connection from its start to its end; whether it ever was subscribed."""
        async with self._client.socket(self._url, _MOST_FRAME) as socket:
            self._socket = socket
            self._doubt.clear()
            reading = asyncio.create_task(self._read(socket, hear), name="wecom reader")
            try:
                await self._subscribe()
                self._subscribed = True
                pinging = asyncio.create_task(self._ping(), name="wecom ping")
                try:
                    await asyncio.wait([reading, pinging], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    pinging.cancel()
                return True
            finally:
                self._subscribed = False
                self._socket = None
                reading.cancel()
                for waiting in self._acks.values():
                    if not waiting.done():
                        waiting.set_exception(Unsure("connection_lost"))
                await asyncio.gather(reading, return_exceptions=True)

    async def _subscribe(self) -> None:
        try:
            await self.ask("aibot_subscribe", {"bot_id": self._bot_id, "secret": self._secret})
        except Permanent as error:
            raise _Refused(error.code) from None
        except SendError as error:
            raise ConnectionError(error.code) from None

    async def _ping(self) -> None:
        """Ends when two frames in a row, the last of them a ping, were not acknowledged.

        The other end is then gone and does not say so. Who doubts it asks at once: whatever is said
        into a dead connection is lost.
        """
        missed = 0
        while missed < 2:
            try:
                await asyncio.wait_for(self._doubt.wait(), self._pace.ping)
                missed = 1
            except TimeoutError:
                pass
            try:
                await self.ask("ping", None)
                missed = 0
                self._doubt.clear()
            except SendError:
                missed += 1
        _log.warning("line.silent", extra={"line": self.name})

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, hear: Hear) -> None:
        working: set[asyncio.Task[None]] = set()
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                frame = _frame(message.data)
                if frame is None:
                    _log.warning("line.not_understood", extra={"line": self.name})
                    continue
                if "cmd" not in frame:
                    self._acknowledged(frame)
                    continue
                if _event_type(frame) == "disconnected_event":
                    self._taken_over = True
                    return
                # Not awaited here: what is worked on must not delay the acknowledgements.
                task = asyncio.create_task(self._work(frame, hear))
                working.add(task)
                task.add_done_callback(working.discard)
        finally:
            # What was heard is taken to its end; only its answer may find the line gone.
            if working:
                await asyncio.wait(working, timeout=self._pace.ack)

    async def _work(self, frame: Mapping[str, Any], hear: Hear) -> None:
        req_id = _req_id(frame)
        body = frame.get("body")
        if not req_id or not isinstance(body, dict):
            return
        try:
            decoded = self._decode(body, req_id, time.time())
        except Exception as error:
            _log.warning("line.not_decoded", extra={"error": type(error).__name__})
            return

        async def reply(made: bytes) -> bool:
            answer = json.loads(made)
            chat = answer.pop("chat")
            try:
                await self.speak(chat, answer["cmd"], answer["body"], req_id)
            except Unsure:
                # It may have arrived: the same again would be worse than once.
                return True
            except SendError as error:
                _log.warning("line.answer_refused", extra={"code": error.code})
                return False
            return True

        if not await hear(decoded, reply):
            _log.error("line.lost", extra={"line": self.name})

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        waiting = self._acks.get(_req_id(frame))
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    # ---- speaking

    async def ask(
        self, cmd: str, body: Mapping[str, Any] | None, req_id: str = ""
    ) -> dict[str, Any]:
        """Send a frame and wait for its acknowledgement; raises a SendError.

        Frames of one request go one after another: an acknowledgement names only the request.
        """
        if not req_id:
            self._count += 1
            req_id = f"{cmd}_{self._count}_{random.getrandbits(32):08x}"
        lock = self._turns.setdefault(req_id, asyncio.Lock())
        try:
            async with lock:
                return await self._asked(cmd, body, req_id)
        finally:
            if not lock.locked():
                self._turns.pop(req_id, None)

    async def _asked(self, cmd: str, body: Mapping[str, Any] | None, req_id: str) -> dict[str, Any]:
        socket = self._socket
        if socket is None or socket.closed:
            raise Transient("not_connected")
        if self._doubt.is_set() and cmd not in _OF_THE_LINE:
            raise Transient("in_doubt")
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._acks[req_id] = waiting
        frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
        if body is not None:
            frame["body"] = body
        try:
            await socket.send_str(json.dumps(frame, ensure_ascii=False))
            return check(await asyncio.wait_for(waiting, self._pace.ack))
        except TimeoutError:
            self._doubt.set()
            raise Unsure(_NO_ACK) from None
        except (ConnectionError, aiohttp.ClientError):
            raise Unsure("connection_lost") from None
        except Expired as error:
            raise Transient(error.code) from None
        except SendError as error:
            if error.code == str(_LOST):
                # It says that we are not subscribed: only a new connection helps.
                await socket.close()
                raise Transient(error.code) from None
            raise
        finally:
            self._acks.pop(req_id, None)

    async def push(self, chat: str, group: bool, message: Mapping[str, Any]) -> None:
        """Speak first into a session in which somebody has written to the bot; raises a SendError."""
        body = {"chatid": chat, "chat_type": 2 if group else 1, **message}
        await self.speak(chat, "aibot_send_msg", body)

    async def speak(self, chat: str, cmd: str, body: Mapping[str, Any], req_id: str = "") -> None:
        """As `ask`, within what the session takes; raises a SendError."""
        self.sessions.spend(chat)
        try:
            await self.ask(cmd, body, req_id)
        except Unsure:
            raise
        except SendError:
            self.sessions.give_back(chat)
            raise

    async def upload(self, kind: str, name: str, body: bytes) -> str:
        """The media_id of a picture or a file, brought in parts; raises a SendError.

        Where the other end does not answer to this it is not asked again and again: each silence
        puts the words on this connection in doubt too.
        """
        try:
            return await self._uploaded(kind, name, body)
        except Unsure as error:
            if error.code != _NO_ACK:
                raise
            raise Permanent(_NO_ACK) from None

    async def _uploaded(self, kind: str, name: str, body: bytes) -> str:
        parts = [body[at : at + _PART_BYTES] for at in range(0, len(body), _PART_BYTES)]
        digest = await asyncio.to_thread(hashlib.md5, body, usedforsecurity=False)
        about = {
            "type": kind,
            "filename": _short(name),
            "total_size": len(body),
            "total_chunks": len(parts),
            "md5": digest.hexdigest(),
        }
        upload_id = _told(await self.ask("aibot_upload_media_init", about), "upload_id")
        for number, part in enumerate(parts):
            data = base64.b64encode(part).decode()
            await self.ask(
                "aibot_upload_media_chunk",
                {"upload_id": upload_id, "chunk_index": number, "base64_data": data},
            )
        done = await self.ask("aibot_upload_media_finish", {"upload_id": upload_id})
        return _told(done, "media_id")

    async def reachable(self) -> None:
        """Whether the address answers; raises a SendError."""
        try:
            async with self._client.socket(self._url, _MOST_FRAME):
                return
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Transient(type(error).__name__) from None

    async def close(self) -> None:
        await self._client.close()


def _frame(data: str) -> dict[str, Any] | None:
    try:
        frame = plain_json(data.encode())
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None


def _told(frame: Mapping[str, Any], name: str) -> str:
    body = frame.get("body")
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, str) or not found:
        raise Unsure(f"no_{name}", repeatable=True)
    return found


def _short(name: str) -> str:
    """At most so many bytes, with its ending."""
    stem, dot, ending = name.rpartition(".")
    room = _NAME_BYTES - len(f"{dot}{ending}".encode())
    return f"{cut(stem, room)}{dot}{ending}" if dot and room > 3 else cut(name, _NAME_BYTES)


def _req_id(frame: Mapping[str, Any]) -> str:
    headers = frame.get("headers")
    found = headers.get("req_id") if isinstance(headers, dict) else None
    return found if isinstance(found, str) else ""


def _event_type(frame: Mapping[str, Any]) -> str:
    body = frame.get("body")
    event = body.get("event") if isinstance(body, dict) else None
    found = event.get("eventtype") if isinstance(event, dict) else None
    return found if isinstance(found, str) else ""
