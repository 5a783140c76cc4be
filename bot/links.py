"""One person's links: signed, told apart by what they lead to, and over by themselves."""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

LASTS_SECONDS: Final = 24 * 3600
_CONTEXT: Final = b"one person's link\x00"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link leads to, for whom, and until when (wall-clock seconds)."""

    what: str
    subject: str
    person: str
    until: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SignedLinks:
    """`secret` empty: the links of this process end with it."""

    def __init__(
        self,
        secret: str,
        base: str,
        now: Callable[[], datetime] = _utc_now,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._key: Final = (secret or secrets.token_hex(32)).encode()
        self.base: Final = base
        self._now = now
        # Expiry follows the wall clock, also where business time is moved about.
        self._wall = wall

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._key, _CONTEXT + body, sha256).digest()[:18]

    def to(self, what: str, subject: str, person: str, until: datetime | None = None) -> str:
        lasts = LASTS_SECONDS if until is None else (until - self._now()).total_seconds()
        ends = int(self._wall() + lasts)
        body = "\x1f".join((what, subject, person, str(ends))).encode()
        return f"{self.base}/l/{_written(body)}.{_written(self._sign(body))}"

    def read(self, token: str) -> Ticket | None:
        """None for a link that was altered or is over."""
        head, dot, tail = token.partition(".")
        try:
            body, signature = _read(head), _read(tail)
        except ValueError:
            return None
        if not dot or not hmac.compare_digest(self._sign(body), signature):
            return None
        what, subject, person, until = body.decode().split("\x1f")
        found = Ticket(what, subject, person, int(until))
        return found if self._wall() < found.until else None


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(text: str) -> bytes:
    # What is no base64 is dropped by the decoder; a link must be exactly what was given out.
    data = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    if _written(data) != text:
        raise ValueError(text)
    return data
