"""Shared HTTP client: time limits, token cache, what went wrong in the words of bot.platform."""

import asyncio
import json as json_module
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from bot.platform import Permanent, Transient, Unsure

SECONDS: Final = 8.0
_MOST_ANSWER: Final = 1024 * 1024
# No limit for reading: who listens decides when the other end is gone.
_CLOSING: Final = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=3.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status: some platforms tell the reason in the body of a 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def plain(self) -> Any:
        """The JSON, None for an empty body; raises ValueError."""
        return json_module.loads(self.body) if self.body.strip() else None

    def plain_or_none(self) -> Any:
        try:
            return self.plain()
        except ValueError:
            return None


class Client:
    """One session a platform, made when it is first needed."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None
        # By how many seconds the far end's clock is ahead of ours; None until it has said its time.
        self.ahead: float | None = None

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=3.0)
            )
        return self._session

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        body: bytes | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = False,
        most: int = _MOST_ANSWER,
    ) -> Answer:
        """The answer whatever it says; raises a SendError where none came or it is too long.

        `repeatable`: a repeat is harmless, so that no answer may be followed by another try.
        """
        try:
            async with self._ready().request(
                method, url, json=json, data=body, headers=headers, params=params
            ) as response:
                raw = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    raw += chunk
                    if len(raw) > most:
                        raise Permanent("answer_too_long")
                self.ahead = _ahead(response.headers, self.ahead)
                return Answer(response.status, response.headers, bytes(raw))
        except aiohttp.ClientConnectorError:
            # Nothing reached the far end.
            raise Transient("connect") from None
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unsure(type(error).__name__, repeatable) from None

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Any:
        """The JSON answer, or None for an empty one; raises a SendError, also by the status."""
        answer = await self.exchange(
            method,
            url,
            json=json,
            body=body,
            headers=headers,
            params=params,
            repeatable=repeatable,
        )
        if answer.status == 429:
            raise Transient("429", _retry_after(answer.headers))
        if answer.status >= 500:
            raise Transient(str(answer.status))
        if answer.status >= 400:
            raise Permanent(str(answer.status))
        try:
            return answer.plain()
        except ValueError:
            raise Unsure("not_json", repeatable) from None

    def socket(self, url: str, most_bytes: int) -> Any:
        """A websocket, to be opened with `async with`; it lives as long as it is held."""
        return self._ready().ws_connect(url, max_msg_size=most_bytes, timeout=_CLOSING)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _ahead(headers: Mapping[str, str], known: float | None) -> float | None:
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
    except (ValueError, TypeError):
        return known


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None


class TokenCache:
    """A credential that expires: fetched by one task at a time, kept until shortly before its end."""

    def __init__(
        self, fetch: Callable[[], Awaitable[tuple[str, float]]], early: float = 300
    ) -> None:
        self._fetch = fetch
        self._early = early
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def get(self) -> str:
        """The token; `fetch` gives it with its life in seconds."""
        if self._token and time.monotonic() < self._until:
            return self._token
        async with self._lock:
            if self._token and time.monotonic() < self._until:
                return self._token
            token, life = await self._fetch()
            self._token = token
            self._until = time.monotonic() + max(life - self._early, life / 2)
            return token

    def drop(self, token: str) -> None:
        """The far end says that this one is over."""
        if token == self._token:
            self._token = ""
