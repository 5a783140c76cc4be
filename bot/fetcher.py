"""Fetches what people sent along, after their message is on disk and never in its way.

What is wanted stands in the database, so that a restart takes it up again. Of several processes the
one that leads fetches. Addresses end within minutes, so it looks every second and begins to wait
longer only after several failures.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot import metrics
from bot.attachments import clean_name, recognised
from bot.platform import (
    MOST_FETCHED,
    Expired,
    Fetched,
    Fetches,
    Gone,
    Permanent,
    Platform,
    SendError,
    TooLarge,
    Transient,
    Unsure,
)
from bot.writer import NOTHING, Overloaded, Stopped, Writer
from handlers.chat.attachments import Loss
from handlers.ports.attachments import Wanted
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.fetcher")

# Each may hold twenty megabytes, and for a moment a second copy of them.
AT_ONCE: Final = 4
_IDLE_SECONDS: Final = 1.0
_LED_ELSEWHERE_SECONDS: Final = 10.0
_FETCH_SECONDS: Final = 75.0
# Longer than a fetch takes: what a process that died had taken is due again after this.
_LEASE_SECONDS: Final = 90.0
# No platform keeps anything longer for us.
_LONGEST_SECONDS: Final = 3 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from one try to the next, doubled with each."""

    first_retry: float = 2.0
    longest_retry: float = 900.0


class Fetcher:
    def __init__(
        self,
        writer: Writer,
        platforms: Mapping[str, Platform],
        leads: Callable[[], bool] = lambda: True,
        pace: Pace = Pace(),
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`after` is run beside it: what is to be done with what came."""
        self._writer = writer
        self._platforms = platforms
        self._leads = leads
        self._pace = pace
        self._after = after
        self._task: asyncio.Task[None] | None = None
        self._fetching: dict[int, asyncio.Task[None]] = {}
        self._look = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.create_task(self._loop(), name="fetcher")

    def led(self) -> None:
        """This process leads now, or does not any more."""
        self._look.set()

    async def stop(self) -> None:
        """What is under way is given back: its address may not outlive a lease."""
        tasks = [t for t in (self._task, *self._fetching.values()) if t is not None]
        given_back = tuple(self._fetching)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if given_back:
            await self._record(lambda uow: uow.attachments.give_back(given_back))

    async def drain(self) -> None:
        """Try everything that is due, and come back when nothing of it is under way."""
        while await self._take() or self._fetching:
            if under_way := tuple(self._fetching.values()):
                await asyncio.wait(under_way)
        if self._after is not None:
            await self._after()

    async def _loop(self) -> None:
        while True:
            taken = 0
            if self._leads():
                try:
                    taken = await self._take()
                    if self._after is not None:
                        await self._after()
                except (Overloaded, Stopped):
                    pass
                except Exception as error:
                    # The loop must outlive whatever it ran into; the rows are still there.
                    _log.error("fetcher.turn_failed", extra={"error": type(error).__name__})
            if taken:
                continue
            self._look.clear()
            wait = _IDLE_SECONDS if self._leads() else _LED_ELSEWHERE_SECONDS
            try:
                await asyncio.wait_for(self._look.wait(), wait)
            except TimeoutError:
                continue

    async def _take(self) -> int:
        """Begin what is due, as far as there is room; how many were begun."""
        room = AT_ONCE - len(self._fetching)
        if room <= 0 or not await self._writer.read(lambda uow: uow.attachments.due(1)):
            return 0
        taken = await self._writer.run(
            lambda uow: uow.attachments.take(room, _LEASE_SECONDS), NOTHING
        )
        for wanted in taken:
            task = asyncio.create_task(self._fetch(wanted), name=f"fetch {wanted.id}")
            self._fetching[wanted.id] = task
            task.add_done_callback(lambda done, i=wanted.id: self._ended(i))  # type: ignore[misc]
        return len(taken)

    def _ended(self, file_id: int) -> None:
        self._fetching.pop(file_id, None)
        self._look.set()

    async def _fetch(self, wanted: Wanted) -> None:
        try:
            got = await self._got(wanted)
            content_type = await asyncio.to_thread(recognised, got.body)
        except SendError as error:
            await self._not_kept(wanted, error)
            return
        name = clean_name(got.name or wanted.attachment.name)
        await self._record(
            lambda uow: uow.attachments.kept(wanted.id, name, content_type, got.body)
        )
        metrics.fetched.labels(wanted.platform, "kept").inc()
        _log.info("attachment.kept", extra={"attachment": wanted.id, "size": len(got.body)})

    async def _got(self, wanted: Wanted) -> Fetched:
        """What the platform gives out; raises a SendError."""
        platform = self._platforms.get(wanted.platform)
        if not isinstance(platform, Fetches):
            raise Permanent("no_way")
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                got = await platform.fetch(wanted.attachment)
        except TimeoutError:
            raise Unsure("timeout", repeatable=True) from None
        except SendError:
            raise
        except Exception as error:
            # A platform's own bug must cost nobody else's files.
            _log.error("fetcher.fetch_raised", extra={"error": type(error).__name__})
            raise Transient(type(error).__name__) from None
        if len(got.body) > MOST_FETCHED:
            raise TooLarge("answer_too_long")
        if not got.body:
            raise Permanent("empty")
        return got

    async def _not_kept(self, wanted: Wanted, error: SendError) -> None:
        loss = _loss(error)
        if loss is None and time.time() - wanted.wanted_at > _LONGEST_SECONDS:
            loss = Loss.UNREACHABLE
        told = {"attachment": wanted.id, "code": error.code}
        if loss is None:
            wait = self._wait(wanted, error)
            _log.info("attachment.waits", extra=told)
            await self._record(lambda uow: uow.attachments.again(wanted.id, wait))
            return
        metrics.fetched.labels(wanted.platform, loss.value).inc()
        _log.warning("attachment.lost", extra={**told, "reason": loss.value})
        await self._record(lambda uow: uow.attachments.failed(wanted.id, loss))

    def _wait(self, wanted: Wanted, error: SendError) -> float:
        if isinstance(error, Expired):
            return self._pace.first_retry
        # What doubles for ever is too large for a float after a thousand tries.
        wait: float = self._pace.first_retry * 2 ** min(wanted.attempts, 20)
        if isinstance(error, Transient) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        return min(wait, self._pace.longest_retry) * random.uniform(0.8, 1.2)

    async def _record(self, work: Callable[[UnitOfWork], None]) -> None:
        """Write down what happened; where the queue is full the lease brings it up again."""
        try:
            await self._writer.run(work, NOTHING)
        except (Overloaded, Stopped) as error:
            _log.warning("fetcher.not_recorded", extra={"error": type(error).__name__})


def _loss(error: SendError) -> Loss | None:
    """Why it will never come; None where another try may help."""
    if isinstance(error, Gone):
        return Loss.EXPIRED
    if isinstance(error, TooLarge):
        return Loss.TOO_LARGE
    return Loss.REFUSED if isinstance(error, Permanent) else None
