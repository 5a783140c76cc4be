"""APScheduler as the clock only: ticks come together, what is planned stands in the database."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.wiring import Wiring
from bot.writer import Writer
from handlers.ports import Job

_log = logging.getLogger("bot.ticker")
_MISSED = 3
_GRACE_SECONDS = 60.0
# What is planned to the minute comes within this.
LOOK_SECONDS: Final = 5
_LOOK: Final = "schedules"
# A run that failed is tried again, ever less often, until it is too late for it.
_FIRST_REST = 15.0
_LONGEST_REST = 600.0


class Ticker:
    """Runs every job through the writer: by its interval, or when its row among the schedules is due.

    Of several processes on one database the one that `leads` does; should two believe it for a
    moment, the unique rows of what has fired keep anything from being done twice.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        writer: Writer,
        wiring: Wiring,
        zone: ZoneInfo,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._leads = leads
        self._steady = [job for job in jobs if job.every_seconds]
        self._planned = {job.key: job for job in jobs if job.schedule}
        self._writer = writer
        self._wiring = wiring
        self._zone = zone
        # misfire_grace_time None: with the default second a stalled process drops its jobs.
        self._scheduler = AsyncIOScheduler(
            timezone=zone,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.last_run: datetime | None = None
        self._done_at: dict[str, float] = {}
        self._running: set[asyncio.Future[None]] = set()
        self._rests: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        for job in self._steady:
            self._every(job.name, job.every_seconds, self.run, job)
        self._every(_LOOK, LOOK_SECONDS, self.run_planned)
        self._scheduler.add_listener(self._report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        self._scheduler.start()

    def _every(self, name: str, seconds: float, function: object, *args: object) -> None:
        self._done_at[name] = time.monotonic()
        trigger = IntervalTrigger(seconds=int(seconds), timezone=self._zone)
        self._scheduler.add_job(function, trigger, args=args, id=name)

    def _report(self, event: JobEvent) -> None:
        _log.error("job.failed", extra={"job": event.job_id})

    # ---- at an interval

    async def run(self, job: Job) -> None:
        """One run of one job, in a unit of work, by one process at a time."""
        if not self._leads():
            self._rest(job.name)
            return
        await self._kept(self._writer.run(lambda uow: self._wiring.run_job(job, uow)))
        self._done(job.name)

    def _done(self, name: str) -> None:
        self.last_run = datetime.now(self._zone)
        self._rest(name)

    def _rest(self, name: str) -> None:
        self._done_at[name] = time.monotonic()

    async def _kept(self, work: Awaitable[None]) -> None:
        """Done to the end even while the process stops: the scheduler would cancel it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    # ---- by a plan

    async def seed(self) -> None:
        """A row for every job that has a schedule and no row yet; the others counted anew."""
        jobs = list(self._planned.values())
        await self._writer.run(lambda uow: self._wiring.schedules(uow).seed(jobs))

    async def run_planned(self) -> None:
        """Make every run that is due; one that fails keeps no other from being made."""
        if not self._leads():
            self._rest(_LOOK)
            return
        now = self._wiring.clock.now()
        due = await self._writer.read(lambda uow: uow.schedules.due(now))
        wall = time.monotonic()
        keys = [s.key for s in due if self._rests.get(s.key, (0.0, 0.0))[0] <= wall]
        ends = await asyncio.gather(*(self._run_planned(k) for k in keys), return_exceptions=True)
        for key, end in zip(keys, ends, strict=True):
            if end is None:
                self._rests.pop(key, None)
                continue
            rest = min(2 * self._rests.get(key, (0.0, _FIRST_REST / 2))[1], _LONGEST_REST)
            self._rests[key] = (wall + rest, rest)
            _log.error("job.failed", extra={"job": key, "error": type(end).__name__})
        self._done(_LOOK)

    async def _run_planned(self, key: str) -> None:
        job = self._planned.get(key)
        await self._kept(self._writer.run(lambda uow: self._wiring.run_planned(key, job, uow)))

    # ---- all of it

    def keeps_time(self) -> bool:
        """Whether every job succeeded lately; a job that always fails is as bad as none."""
        now = time.monotonic()
        spans = {job.name: job.every_seconds for job in self._steady} | {_LOOK: LOOK_SECONDS}
        return self._scheduler.running and all(
            now - self._done_at.get(name, 0.0) < _MISSED * seconds + _GRACE_SECONDS
            for name, seconds in spans.items()
        )

    async def run_all(self) -> None:
        """Everything at an interval once, and what is due by plan."""
        for job in self._steady:
            await self.run(job)
        await self.run_planned()

    async def catch_up(self) -> None:
        """What another process may have left undone when it ended."""
        try:
            await self.run_all()
        except Exception as error:
            # It comes round again by itself.
            _log.error("ticker.catch_up_failed", extra={"error": type(error).__name__})

    def led(self, leads: bool) -> None:
        """This process began or ceased to lead."""
        if leads and self._scheduler.running:
            task = asyncio.ensure_future(self.catch_up())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Begin nothing more, finish what runs."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        if self._running:
            await asyncio.wait(set(self._running))
        self._scheduler.shutdown(wait=False)
