"""APScheduler as the clock only: ticks come together, jobs hold no state."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
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


class Ticker:
    """Runs every job through the writer, at its interval."""

    def __init__(self, jobs: Sequence[Job], writer: Writer, wiring: Wiring, zone: ZoneInfo) -> None:
        self._jobs = jobs
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

    def start(self) -> None:
        for job in self._jobs:
            self._done_at[job.name] = time.monotonic()
            trigger = IntervalTrigger(seconds=int(job.every_seconds), timezone=self._zone)
            self._scheduler.add_job(self.run, trigger, args=(job,), id=job.name)
        self._scheduler.add_listener(self._report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        self._scheduler.start()

    def _report(self, event: JobEvent) -> None:
        _log.error("job.failed", extra={"job": event.job_id})

    async def run(self, job: Job) -> None:
        """One run of one job, in a unit of work."""
        await self._writer.run(lambda uow: self._wiring.run_job(job, uow))
        self.last_run = datetime.now(self._zone)
        self._done_at[job.name] = time.monotonic()

    def keeps_time(self) -> bool:
        """Whether every job succeeded lately; a job that always fails is as bad as none."""
        now = time.monotonic()
        return self._scheduler.running and all(
            now - self._done_at.get(job.name, 0.0) < _MISSED * job.every_seconds + _GRACE_SECONDS
            for job in self._jobs
        )

    async def run_all(self) -> None:
        for job in self._jobs:
            await self.run(job)

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
