"""The only sender: claim, look again, throttle, send, record."""

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot import metrics
from bot.platform import (
    Expired,
    Limit,
    Permanent,
    Platform,
    Receipt,
    SendError,
    Transient,
    Unsure,
)
from bot.throttle import Throttle
from bot.writer import Overloaded, Writer
from storage.repos.queue import Claimed
from storage.uow import UnitOfWork

_log = logging.getLogger("bot.dispatcher")

BATCH: Final = 50
LEASE_SECONDS: Final = 60.0
SEND_SECONDS: Final = 15.0
MOST_ATTEMPTS: Final = 8
LONGEST_SECONDS: Final = 24 * 3600.0
_IDLE_SECONDS: Final = 1.0
# A lane that must wait longer than this gives its rows back, so that no lease runs out on it.
_PATIENCE_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Lane:
    rows: list[tuple[int, int, Claimed]] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None
    blocked_until: float = 0.0
    # Rows of this lane that went back to the outbox: nothing behind one of them may go first.
    held: set[tuple[int, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard the dispatcher tries; tests make it short."""

    send_seconds: float = SEND_SECONDS
    first_retry: float = 2.0
    longest_retry: float = 3600.0
    attempts: int = MOST_ATTEMPTS
    patience: float = _PATIENCE_SECONDS


def still_true(row: Claimed, uow: UnitOfWork, now: datetime) -> str:
    """Why a row must not be sent any more; empty while it is still true."""
    if row.not_after is not None and now > row.not_after:
        return "expired"
    still = row.still
    if still is None:
        return ""
    ticket = uow.tickets.find(still.number)
    if ticket is None:
        return "no_ticket"
    if still.states and ticket.state not in still.states:
        return "state_changed"
    if still.owner_id is not None and ticket.owner_id != still.owner_id:
        return "owner_changed"
    if still.max_version is not None and ticket.version > still.max_version:
        return "ticket_changed"
    return ""


class Dispatcher:
    """One task per lane, so that a slow destination delays no other."""

    def __init__(
        self,
        writer: Writer,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        pace: Pace = Pace(),
    ) -> None:
        self._writer = writer
        self._platforms = platforms
        self._now = now
        self._pace = pace
        self._throttle = Throttle()
        self._lanes: dict[str, _Lane] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop_task: asyncio.Task[None] | None = None
        self.last_turn = 0.0

    def start(self) -> None:
        self._loop_task = asyncio.create_task(self._loop(), name="dispatcher")

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        """Finish what is being sent; the rest stays in the outbox."""
        self._stopping = True
        self._wake.set()
        if self._loop_task is not None:
            await self._loop_task
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=self._pace.send_seconds)

    async def drain(self, platforms: Iterable[str] | None = None) -> None:
        """Send everything that is due and come back when nothing of it is under way."""
        for _ in range(10_000):
            claimed = await self._turn(platforms)
            # The loop's own turn may have claimed rows just before: they count as under way.
            if await self._settled() == 0 and claimed == 0:
                return

    async def _settled(self) -> int:
        """Wait for every lane that is at work; how many there were."""
        lanes = [lane.task for lane in self._lanes.values()]
        tasks = [task for task in lanes if task is not None and not task.done()]
        if tasks:
            await asyncio.wait(tasks)
        return len(tasks)

    async def _loop(self) -> None:
        while not self._stopping:
            try:
                claimed = await self._turn(None)
            except Overloaded:
                claimed = 0
            except Exception as error:
                # The loop must outlive whatever a turn ran into; the rows are still there.
                _log.error("dispatcher.turn_failed", extra={"error": type(error).__name__})
                claimed = 0
            self.last_turn = time.monotonic()
            if claimed < BATCH and not self._stopping:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                except TimeoutError:
                    pass

    async def _turn(self, platforms: Iterable[str] | None) -> int:
        wanted = list(self._platforms) if platforms is None else list(platforms)
        if not wanted:
            return 0
        now = self._now()

        dropped: list[Claimed] = []

        def claim(uow: UnitOfWork) -> list[Claimed]:
            dropped.clear()
            rows = uow.outbox.claim(BATCH, LEASE_SECONDS, wanted)
            good = []
            for row in rows:
                why = still_true(row, uow, now)
                if not why and row.is_update and not self._can_update(row):
                    why = "cannot_update"
                if why:
                    dropped.append(row)
                    uow.outbox.superseded(row.delivery.id, why)
                    if row.still is not None:
                        uow.audit.add(
                            now, "system", "message.dropped", str(row.ticket or ""), {"why": why}
                        )
                    continue
                good.append(row)
            return good

        rows = await self._writer.run(claim)
        for row in dropped:
            self._lane(row).held.discard((row.priority, row.delivery.id))
        for row in rows:
            lane = self._lane(row)
            lane.held.discard((row.priority, row.delivery.id))
            heapq.heappush(lane.rows, (row.priority, row.delivery.id, row))
            if lane.task is None or lane.task.done():
                lane.task = asyncio.create_task(self._work_lane(lane), name="lane")
        return len(rows)

    def _lane(self, row: Claimed) -> _Lane:
        name = f"{row.platform}|{self._platforms[row.platform].lane(row.delivery)}"
        return self._lanes.setdefault(name, _Lane())

    def _can_update(self, row: Claimed) -> bool:
        return bool(row.delivery.update_ref) and self._platforms[row.platform].can.update_cards

    async def _work_lane(self, lane: _Lane) -> None:
        while lane.rows:
            priority, number, row = lane.rows[0]
            platform = self._platforms[row.platform]
            limits = platform.limits(row.delivery.to)
            now = time.monotonic()
            if any(key < (priority, number) for key in lane.held):
                # One before it waits in the outbox for another try: it goes there too.
                await self._give_back(lane, max(lane.blocked_until - now, 0.0) + 0.002)
                continue
            ready = self._throttle.ready_at(limits, now)
            if ready - now > self._pace.patience or self._stopping:
                await self._give_back(lane, ready - now)
                continue
            if ready > now:
                await asyncio.sleep(ready - now)
                continue
            heapq.heappop(lane.rows)
            await self._send(platform, lane, row, limits)

    async def _give_back(self, lane: _Lane, wait: float) -> None:
        """Rows that cannot go soon return to the outbox in their order."""
        rows, lane.rows = [entry[2] for entry in lane.rows], []
        lane.held.update((row.priority, row.delivery.id) for row in rows)
        next_try = time.time() + max(0.0, wait)

        def put_back(uow: UnitOfWork) -> None:
            for row in rows:
                uow.outbox.defer(row.delivery.id, next_try)

        await self._writer.run(put_back)

    async def _send(
        self, platform: Platform, lane: _Lane, row: Claimed, limits: tuple[Limit, ...]
    ) -> None:
        self._throttle.begin(limits)
        failure: SendError | None = None
        receipt = Receipt()
        try:
            receipt = await asyncio.wait_for(platform.send(row.delivery), self._pace.send_seconds)
        except TimeoutError:
            failure = Unsure("timeout")
        except SendError as error:
            failure = error
        except Exception as error:
            # A platform's own bug must not stop the others' lanes.
            _log.error("dispatcher.send_raised", extra={"error": type(error).__name__})
            failure = Transient(type(error).__name__)
        finally:
            self._throttle.end(limits, time.monotonic())
        await self._record(lane, row, limits, receipt, failure)

    async def _record(
        self,
        lane: _Lane,
        row: Claimed,
        limits: tuple[Limit, ...],
        receipt: Receipt,
        failure: SendError | None,
    ) -> None:
        row_id = row.delivery.id
        if failure is None:
            metrics.sent.labels(row.platform).inc()
            await self._writer.run(
                lambda uow: uow.outbox.sent(row_id, receipt.ref, receipt.card_ref)
            )
            return
        kind = type(failure).__name__.lower()
        metrics.not_sent.labels(row.platform, kind).inc()
        final = isinstance(failure, Permanent) or (
            isinstance(failure, Unsure) and not failure.repeatable
        )
        old = time.time() - row.created_wall > LONGEST_SECONDS and row.attempts > 0
        if final or row.attempts + 1 >= self._pace.attempts or old:
            _log.warning("message.dead", extra={"row": row_id, "code": failure.code, "kind": kind})
            await self._writer.run(lambda uow: uow.outbox.dead(row_id, f"{kind}:{failure.code}"))
            return
        wait = self._wait(row.attempts, failure)
        if isinstance(failure, Transient) and failure.retry_after is not None:
            self._throttle.cool(limits, time.monotonic() + wait)
        # The lane waits with its head, so that a ticket's messages keep their order.
        lane.held.add((row.priority, row_id))
        lane.blocked_until = max(lane.blocked_until, time.monotonic() + wait)
        next_try = time.time() + wait
        await self._writer.run(lambda uow: uow.outbox.retry(row_id, next_try, failure.code))

    def _wait(self, attempts: int, failure: SendError) -> float:
        if isinstance(failure, Transient) and failure.retry_after is not None:
            return min(failure.retry_after, self._pace.longest_retry)
        if isinstance(failure, Expired):
            return self._pace.first_retry
        wait: float = min(self._pace.first_retry * 2**attempts, self._pace.longest_retry)
        return wait * random.uniform(0.8, 1.2)
