"""The machine's clocks, simulated: ten minutes pass as fast as what happens in them can be done.

The product reads `time.monotonic`, `time.time` and its event loop. Within `machine()` all three go by
one simulated clock, as they would under another kernel; nothing else is replaced. (A default that
holds the function `time.time` itself would keep the clock of its import.) The loop goes on to
the next timer as soon as nobody, no thread either, has anything left to do now.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from bot.clock import SystemClock

# What was written to a socket of our own is readable on the other side within this.
_GRACE_SECONDS = 0.001
_LOOK_SECONDS = 1e-6
# By how much the clock of the machine that the present task stands for is wrong, where not ours.
_elsewhere: ContextVar[float | None] = ContextVar("elsewhere", default=None)


class Machine:
    """`busy` says whether a thread has work of which the loop does not know."""

    def __init__(self, start: datetime) -> None:
        self._passed = 1000.0
        self._wall = start.timestamp() - self._passed
        self._wrong = 0.0
        self.busy: Callable[[], bool] = lambda: False

    def monotonic(self) -> float:
        # To look takes time too: who waits for an instant that rounding puts a hair ahead gets there.
        self._passed += _LOOK_SECONDS
        return self._passed

    def time(self) -> float:
        elsewhere = _elsewhere.get()
        wrong = self._wrong if elsewhere is None else elsewhere
        return self._wall + self._passed + wrong

    def passes(self, seconds: float) -> None:
        self._passed += max(0.0, seconds)

    def steps(self, seconds: float) -> None:
        """Somebody sets the machine's wall clock; how long things take is not touched."""
        self._wrong += seconds

    @contextmanager
    def elsewhere(self, wrong: float) -> Iterator[None]:
        """Inside it is the time of another machine, whose clock is wrong by so much."""
        token = _elsewhere.set(wrong)
        try:
            yield
        finally:
            _elsewhere.reset(token)


class WallClock(SystemClock):
    """The product's own clock, read from the simulated machine."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)


class _Selector(selectors.DefaultSelector):
    machine: Machine
    jobs = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        while True:
            at_work = self.jobs > 0 or self.machine.busy()
            # Asked before: who ended meanwhile has left something to read.
            ready = super().select(_GRACE_SECONDS)
            if ready:
                return ready
            if not at_work:
                break
        if timeout is None:
            return super().select(None)
        self.machine.passes(timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    def __init__(self, machine: Machine) -> None:
        self._seen = _Selector()
        self._seen.machine = machine
        self._machine = machine
        super().__init__(self._seen)

    def time(self) -> float:
        return self._machine.monotonic()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = super().run_in_executor(executor, func, *args)
        self._seen.jobs += 1
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: "asyncio.Future[Any]") -> None:
        self._seen.jobs -= 1


@contextmanager
def machine(start: datetime) -> Iterator[Machine]:
    """This process lives by the simulated clock until the end of the block."""
    made = Machine(start)
    before = time.time, time.monotonic
    time.time, time.monotonic = made.time, made.monotonic
    try:
        yield made
    finally:
        time.time, time.monotonic = before
