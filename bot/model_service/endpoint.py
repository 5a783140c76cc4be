"""One question to an OpenAI-compatible `/chat/completions`; whatever comes back is only text."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import aiohttp

MOST_ANSWER: Final = 64 * 1024
_MOST_WORDS: Final = 900
_JSON: Final = "application/json"


class Came(StrEnum):
    """How an answer came."""

    WORDS = "words"
    OTHER = "other"
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Heard:
    """`said` is the model's text, or what the service said in place of one."""

    came: Came
    said: str = ""


class _TooLong(Exception):
    """The answer went on beyond what any answer needs."""


class Endpoint:
    """The key is in here and in the request's header; every text that leaves here is free of it."""

    def __init__(self, base_url: str, key: str, model: str, limit: float) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._key = key
        self.model = model
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._limit),
                # A service's cookie would follow later questions around.
                cookie_jar=aiohttp.DummyCookieJar(),
                # What is compressed may be far larger than what came.
                auto_decompress=False,
                headers={"Accept": _JSON, "Accept-Encoding": "identity"},
            )
        return self._session

    async def ask(self, order: str, question: str) -> Heard:
        """The answer within the time limit; never raises but for cancellation."""
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": order},
                {"role": "user", "content": question},
            ],
            "temperature": 0,
            "max_tokens": _MOST_WORDS,
            "response_format": {"type": "json_object"},
        }
        got = bytearray()
        try:
            async with asyncio.timeout(self._limit):
                status = await self._post(body, got)
        except TimeoutError:
            return Heard(Came.LATE, self._text(got))
        except _TooLong:
            return Heard(Came.OTHER, self._text(got))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Heard(Came.FAILED, self._text(got) or type(error).__name__)
        if status != 200:
            return Heard(Came.FAILED, f"{status} {self._text(got)}".strip())
        words = _words(got)
        if words is None:
            return Heard(Came.OTHER, self._text(got))
        return Heard(Came.WORDS, self._clean(words))

    async def _post(self, body: dict[str, Any], got: bytearray) -> int:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        async with self._ready().post(
            self._url, json=body, headers=headers, allow_redirects=False
        ) as response:
            async for chunk in response.content.iter_chunked(4096):
                got += chunk
                if len(got) > MOST_ANSWER:
                    # The rest is not waited for.
                    response.close()
                    raise _TooLong
            return response.status

    def _text(self, got: bytearray) -> str:
        return self._clean(got.decode("utf-8", "replace"))

    def _clean(self, text: str) -> str:
        """What a database can hold, without the key: some services quote the request they refuse."""
        if self._key:
            text = text.replace(self._key, "***")
        return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _words(got: bytearray) -> str | None:
    """The text of the first choice; None where the answer is of another form."""
    try:
        words = json.loads(got)["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return words if isinstance(words, str) and words.strip() else None
