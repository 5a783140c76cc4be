"""What the strict far ends have in common: a server on loopback that keeps what was wrong with calls."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer


async def comes_to(what: Callable[[], bool]) -> None:
    """Wait until it is so, five seconds at most."""
    for _ in range(500):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


class Strict:
    """`faults` name what the next calls meet; in `refused` stands what no call should have been."""

    def __init__(self, megabytes: int = 2) -> None:
        self.app = web.Application(client_max_size=megabytes * 1024 * 1024)
        self.server = TestServer(self.app)
        self.refused: list[str] = []
        self.faults: deque[Any] = deque()
        # Calls that came faster than the platform takes them.
        self.overrun = 0
        self._stamps: dict[str, deque[float]] = {}

    async def __aenter__(self) -> Self:
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()
        self.verify()

    def verify(self) -> None:
        assert self.refused == [], self.refused
        assert self.overrun == 0

    @property
    def base(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def sees(self, what: Callable[[], bool]) -> None:
        await comes_to(what)

    def _is_too_fast(self, key: str, most: int, per: float = 1.0) -> bool:
        stamps, now = self._stamps.setdefault(key, deque()), time.monotonic()
        while stamps and stamps[0] <= now - per:
            stamps.popleft()
        stamps.append(now)
        return len(stamps) > most

    def _is_lost(self, request: web.Request) -> bool:
        """Whether the connection broke before the answer to what was taken: the fault `half`."""
        if not self.faults or self.faults[0] != "half":
            return False
        self.faults.popleft()
        assert request.transport is not None
        request.transport.close()
        return True


class Vendor(Strict):
    """A platform's API: it gives out a token and keeps messages.

    `settled` are those that cannot be taken back any more, `recalled` those that were.
    """

    def __init__(self, secret: str, megabytes: int = 2) -> None:
        super().__init__(megabytes)
        self.secret = secret
        self.tokens = 0
        self.life = 7200
        # Calls with a token, right or wrong.
        self.calls = 0
        self.recalled: list[str] = []
        self.settled: set[str] = set()
        self._token = ""

    def forget_token(self) -> None:
        self._token = ""

    def _fresh_token(self) -> str:
        self.tokens += 1
        self._token = f"t-canary-{self.tokens}"
        return self._token

    def _next_fault(self) -> str:
        """What this call meets before it is looked at; a lost answer is met behind that."""
        self.calls += 1
        fault = self.faults.popleft() if self.faults and self.faults[0] != "half" else ""
        if fault == "expired":
            self.forget_token()
            return ""
        return str(fault)
