"""Shared HTTP client: time limits, token cache, what went wrong in the words of bot.platform."""

import asyncio
import io
import json as json_module
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import aiohttp

from bot.platform import (
    MOST_FETCHED,
    Expired,
    Gone,
    Permanent,
    SendError,
    TooLarge,
    Transient,
    Unsure,
)

T = TypeVar("T")

SECONDS: Final = 8.0
# Twenty megabytes over a slow line.
DOWNLOAD_SECONDS: Final = 60.0
UPLOAD_SECONDS: Final = 60.0
# A file that is refused is not brought again for each of those who should have it.
_REFUSED_SECONDS: Final = 300.0
_FIRST_RETRY: Final = 2.0
_LONGEST_RETRY: Final = 300.0
_MOST_ANSWER: Final = 1024 * 1024
_NAME_UTF8: Final = re.compile(r"filename\*\s*=\s*UTF-8''([^;\s]+)", re.I)
_NAME: Final = re.compile(r'filename\s*=\s*(?:"([^"]*)"|([^;\s]+))', re.I)
# Nothing that two readers of an address could take for different hosts.
_ADDRESS: Final = re.compile(r"(https?)://([A-Za-z0-9.-]+)(:\d{1,5})?(?:/[!-~]*)?")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")
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
        body: bytes | io.BytesIO | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = False,
        most: int | None = None,
        seconds: float | None = None,
        follow: bool = True,
    ) -> Answer:
        """The answer whatever it says; raises a SendError where none came or it is too long.

        `repeatable`: a repeat is harmless, so that no answer may be followed by another try.
        `follow` false: another address that the far end names is not asked.
        """
        most = _MOST_ANSWER if most is None else most
        timeout = aiohttp.ClientTimeout(total=seconds or self._seconds, connect=3.0)
        try:
            async with self._ready().request(
                method,
                url,
                json=json,
                data=body,
                headers=headers,
                params=params,
                timeout=timeout,
                allow_redirects=follow,
            ) as response:
                if (response.content_length or 0) > most:
                    raise TooLarge("answer_too_long")
                raw = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    raw += chunk
                    if len(raw) > most:
                        raise TooLarge("answer_too_long")
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
        body: bytes | io.BytesIO | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = False,
        seconds: float | None = None,
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
            seconds=seconds,
        )
        if answer.status == 429:
            raise Transient("429", retry_after(answer.headers))
        if answer.status >= 500:
            raise Transient(str(answer.status))
        if answer.status >= 400:
            raise Permanent(str(answer.status))
        try:
            return answer.plain()
        except ValueError:
            raise Unsure("not_json", repeatable) from None

    async def download(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        most: int = MOST_FETCHED,
    ) -> Answer:
        """The bytes at an address that the caller has looked at; raises a SendError.

        A redirect is a refusal: it could lead anywhere.
        """
        answer = await self.exchange(
            "GET",
            url,
            headers=headers,
            params=params,
            repeatable=True,
            most=most,
            seconds=DOWNLOAD_SECONDS,
            follow=False,
        )
        error = refusal_of(answer)
        if error is not None:
            raise error
        return answer

    def socket(self, url: str, most_bytes: int, ping: float | None = None) -> Any:
        """A websocket, to be opened with `async with`; it lives as long as it is held.

        `ping`: seconds of silence after which the far end is asked; half as long without an answer
        ends the connection.
        """
        return self._ready().ws_connect(
            url, max_msg_size=most_bytes, timeout=_CLOSING, heartbeat=ping
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def refusal_of(answer: Answer) -> SendError | None:
    """What a download's status says, None for 200."""
    status = answer.status
    if status == 200:
        return None
    if status in (403, 404, 410):
        # An address that was given out for minutes answers so when they are over.
        return Gone(str(status))
    if status == 429 or status >= 500 or status == 408:
        return Transient(str(status), retry_after(answer.headers))
    return Permanent(str(status))


def origin_of(url: str) -> tuple[str, str, str] | None:
    """Scheme, host and port as written, to be compared; None for what could be read in two ways."""
    found = _ADDRESS.fullmatch(url)
    return None if found is None else (found[1], found[2].lower(), found[3] or "")


def is_secure(url: str) -> bool:
    """Whether secrets may go there: over TLS, or inside this machine."""
    origin = origin_of(url)
    return origin is not None and (origin[0] == "https" or origin[1] in ("127.0.0.1", "localhost"))


def name_in(headers: Mapping[str, str]) -> str:
    """The file's name as Content-Disposition tells it; empty where it tells none."""
    told = headers.get("Content-Disposition", "")
    found = _NAME_UTF8.search(told) or _NAME.search(told)
    if found is None:
        return ""
    name = unquote(next(g for g in found.groups() if g is not None))
    # Bytes that are no UTF-8 stand in a header as half surrogates.
    return name.encode("utf-8", "ignore").decode()


def _ahead(headers: Mapping[str, str], known: float | None) -> float | None:
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
    except (ValueError, TypeError):
        return known


def retry_after(headers: Mapping[str, str], name: str = "Retry-After") -> float | None:
    """How many seconds the far end asks to wait; None where it does not say."""
    value = headers.get(name, "")
    return float(value) if _SECONDS.fullmatch(value) else None


class Uploads:
    """What was brought to a platform lately; what many want at once is brought there once.

    `lasts`: seconds for which the far end keeps it.
    """

    def __init__(self, lasts: float, now: Callable[[], float] = lambda: time.monotonic()) -> None:
        self._lasts = lasts
        self._now = now
        self._known: dict[str, tuple[asyncio.Future[str], float]] = {}

    async def get(self, what: str, bring: Callable[[], Awaitable[str]]) -> str:
        """Its name at the far end; raises what `bring` raised, without asking again for as long as
        the far end said, and for a while where it will never be taken.

        Who stops waiting does not stop the bringing: the next one who asks finds it there.
        """
        now = self._now()
        known = self._known.get(what)
        if known is None or now >= known[1]:
            for gone in [key for key, (_, until) in self._known.items() if now >= until]:
                del self._known[gone]
            task = asyncio.ensure_future(bring())
            known = self._known[what] = task, now + self._lasts
            task.add_done_callback(lambda done: self._brought(what, done))
        return await asyncio.shield(known[0])

    def _brought(self, what: str, task: "asyncio.Future[str]") -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None or self._known.get(what, (None,))[0] is not task:
            return
        again = 0.0
        if isinstance(error, Permanent):
            again = _REFUSED_SECONDS
        elif isinstance(error, Transient):
            again = min(error.retry_after or 0.0, _REFUSED_SECONDS)
        if again:
            self._known[what] = task, self._now() + again
        else:
            del self._known[what]

    def drop(self, what: str) -> None:
        """The far end does not know it any more."""
        self._known.pop(what, None)

    async def close(self) -> None:
        tasks = [task for task, _ in self._known.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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

    async def call(self, call: Callable[[str], Awaitable[T]]) -> T:
        """What `call` makes of the token; where it raises Expired, once more with a fresh one."""
        try:
            return await self._tried(call)
        except Expired:
            return await self._tried(call)

    async def _tried(self, call: Callable[[str], Awaitable[T]]) -> T:
        token = await self.get()
        try:
            return await call(token)
        except Expired:
            if token == self._token:
                self._token = ""
            raise


async def within(seconds: float, call: Awaitable[T]) -> T:
    """What a call that may be repeated came to in time; raises Unsure, which says that it may.

    The dispatcher's own limit would not know that.
    """
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        raise Unsure("timeout", repeatable=True) from None


async def until_taken(
    call: Callable[[], Awaitable[object]], refused: Callable[[SendError], None]
) -> None:
    """Call, ever more rarely, until it is taken; `refused` is told of each time that it was not."""
    wait = _FIRST_RETRY
    while True:
        try:
            await call()
        except SendError as error:
            refused(error)
        else:
            return
        # Spread, so that many bots do not come in the same instant.
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))
        wait = min(wait * 2, _LONGEST_RETRY)
