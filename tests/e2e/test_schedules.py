"""What is planned comes once: restarts, two processes, downtime and a clock set back (P29, 31, 34)."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import MovableClock
from bot.ticker import Ticker
from bot.wiring import Wiring, book_of
from bot.writer import Writer
from handlers.domain.schedule import ScheduleKind
from handlers.ports import Job, Work
from handlers.services.schedules import ScheduleService
from storage.db import engine_for
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import CALENDAR
from tests.kit.house import House

# Tuesday 24 November 2026, 09:00 in Shanghai.
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


class Bench:
    """A ticker on a database of its own, with one planned job that writes an audit line."""

    def __init__(self, url: str, clock: MovableClock, late: timedelta = timedelta(hours=3)) -> None:
        self.engine = engine_for(url)
        self.clock = clock
        self.fails = False
        self.job = Job("morning", schedule="每工作日 08:20", late=late)
        self.steady = Job("steady", every_seconds=30)

        @self.job.run
        def morning(work: Work) -> None:
            work.audit.add(clock.now(), "system", "morning.ran", "morning", {})
            if self.fails:
                raise RuntimeError("planted")

        @self.steady.run
        def steady(work: Work) -> None:
            work.audit.add(clock.now(), "system", "steady.ran", "steady", {})

        self.writer = Writer(self.engine, Shared(clock.now))
        wiring = Wiring(book_of([]), clock, ())
        self.ticker = Ticker([self.job, self.steady], self.writer, wiring, CALENDAR.zone)

    async def __aenter__(self) -> "Bench":
        self.writer.start()
        await self.ticker.seed()
        return self

    async def __aexit__(self, *gone: object) -> None:
        await self.ticker.stop()
        await self.writer.stop()
        self.engine.dispose()

    async def at(self, text: str) -> None:
        """The time in Shanghai comes, and the ticker looks."""
        when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CALENDAR.zone)
        self.clock.set(when.astimezone(UTC))
        await self.ticker.run_planned()

    async def lines(self, action: str) -> int:
        from sqlalchemy import text

        def look(uow: UnitOfWork) -> int:
            asked = text("SELECT COUNT(*) FROM audit WHERE action = :a")
            return int(uow.connection.execute(asked, {"a": action}).scalar_one())

        return await self.writer.read(look)


async def test_a_planned_run_comes_once_and_survives_a_restart(database_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:
        await bench.at("2026-11-25 08:19")
        assert await bench.lines("morning.ran") == 0
        await bench.at("2026-11-25 08:20")
        await bench.ticker.run_planned()
        assert await bench.lines("morning.ran") == 1
    async with Bench(database_url, clock) as bench:
        await bench.at("2026-11-25 09:00")
        assert await bench.lines("morning.ran") == 1
        # None on Saturday and Sunday.
        await bench.at("2026-11-28 08:30")
        await bench.at("2026-11-29 08:30")
        assert await bench.lines("schedule.skipped") == 1
        await bench.at("2026-11-30 08:21")
        assert await bench.lines("morning.ran") == 2


async def test_two_processes_make_each_planned_run_once(database_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as one, Bench(database_url, clock) as other:
        for day in range(25, 28):
            when = datetime(2026, 11, day, 8, 20, tzinfo=CALENDAR.zone)
            clock.set(when.astimezone(UTC))
            ticks = (b.ticker.run_planned() for b in (one, other, one, other))
            await asyncio.gather(*ticks)
        assert await one.lines("morning.ran") == 3
        assert await one.lines("schedule.skipped") == 0


async def test_what_was_missed_is_made_up_for_in_time_or_left_out_with_a_line(
    database_url: str,
) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:
        # Down from Tuesday to Friday 10:00: Friday's run is made up for, two are left out.
        await bench.at("2026-11-27 10:00")
        assert await bench.lines("morning.ran") == 1
        assert await bench.lines("schedule.skipped") == 1
        # Down until Monday afternoon: too late for that day.
        await bench.at("2026-11-30 14:00")
        assert await bench.lines("morning.ran") == 1
        assert await bench.lines("schedule.skipped") == 2
        row = await bench.writer.read(lambda uow: uow.schedules.get("job:morning"))
        assert row is not None
        assert row.next_at == datetime(2026, 12, 1, 0, 20, tzinfo=UTC)


async def test_a_run_that_failed_is_tried_again_and_leaves_nothing_half_done(
    database_url: str,
) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:
        bench.fails = True
        await bench.at("2026-11-25 08:20")
        assert await bench.lines("morning.ran") == 0
        bench.fails = False
        await bench.ticker.run_planned()
        assert await bench.lines("morning.ran") == 0, "it rests a while first"
        bench.ticker._rests.clear()
        await bench.ticker.run_planned()
        assert await bench.lines("morning.ran") == 1


async def test_a_clock_that_is_set_back_runs_nothing_again(database_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:
        await bench.at("2026-11-25 08:20")
        bench.clock._point = (START, bench.clock._point[1])
        await bench.ticker.seed()
        await bench.at("2026-11-25 08:20")
        assert await bench.lines("morning.ran") == 1


async def test_the_office_changes_and_stops_what_is_planned(database_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:

        async def change(**what: object) -> None:
            await bench.writer.run(
                lambda uow: ScheduleService(uow, clock, CALENDAR).change(
                    "job:morning",
                    "P055",
                    **what,  # type: ignore[arg-type]
                )
            )

        await change(rule="每周五 15:00")
        await bench.at("2026-11-25 08:20")
        assert await bench.lines("morning.ran") == 0
        await bench.at("2026-11-27 15:00")
        assert await bench.lines("morning.ran") == 1
        await change(on=False)
        assert await bench.writer.read(lambda uow: uow.schedules.next_at()) is None
        # What the office said outlives a restart.
        await bench.ticker.seed()
        await bench.at("2026-12-04 15:00")
        assert await bench.lines("morning.ran") == 1
        await change(on=True)
        await bench.at("2026-12-11 15:00")
        assert await bench.lines("morning.ran") == 2


async def test_a_job_that_is_gone_keeps_its_row_for_one_that_comes_back(database_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(database_url, clock) as bench:
        planned = bench.ticker._planned
        bench.ticker._planned = {}
        await bench.ticker.seed()
        assert await bench.writer.read(lambda uow: uow.schedules.next_at()) is None
        bench.ticker._planned = planned
        await bench.ticker.seed()
        await bench.at("2026-11-25 08:20")
        rows = await bench.writer.read(lambda uow: uow.schedules.of_kind(ScheduleKind.JOB))
        assert [r.key for r in rows] == ["job:morning"]
        assert await bench.lines("morning.ran") == 1


# ---- the traps of APScheduler


async def test_the_scheduler_is_told_its_zone_and_drops_no_late_job(sqlite_url: str) -> None:
    async with Bench(sqlite_url, MovableClock(START)) as bench:
        bench.ticker.start()
        scheduler = bench.ticker._scheduler
        assert str(scheduler.timezone) == "Asia/Shanghai"
        jobs = scheduler.get_jobs()
        assert {j.id for j in jobs} == {"steady", "schedules"}
        for job in jobs:
            assert str(job.trigger.timezone) == "Asia/Shanghai"
            assert job.misfire_grace_time is None, "the default of one second drops late jobs"
            assert job.coalesce is True
            assert job.max_instances == 1


async def test_stopping_waits_for_what_runs(sqlite_url: str) -> None:
    async with Bench(sqlite_url, MovableClock(START)) as bench:
        bench.ticker.start()
        ended: list[str] = []

        async def slow() -> None:
            await asyncio.sleep(0.05)
            ended.append("work")

        bench.ticker._scheduler.add_job(bench.ticker._kept, args=(slow(),), id="slow")
        await asyncio.sleep(0.02)
        await bench.ticker.stop()
        assert ended == ["work"], "the scheduler's own shutdown cancels running coroutines"


def test_nobody_reads_weekday_numbers_or_keeps_jobs_in_a_scheduler_store() -> None:
    for path in (Path(__file__).parents[2] / "bot").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"from_crontab|CronTrigger|jobstores|date\.today\(\)", source), path


async def test_an_interval_job_runs_in_one_process_at_a_time(postgres_url: str) -> None:
    clock = MovableClock(START, speed=0)
    async with Bench(postgres_url, clock) as one, Bench(postgres_url, clock) as other:
        with other.engine.connect() as held, held.begin():
            assert UnitOfWork(held, Shared(clock.now)).jobs.alone("job:steady")
            await one.ticker.run(one.steady)
            assert await one.lines("steady.ran") == 0
        await one.ticker.run(one.steady)
        assert await one.lines("steady.ran") == 1


async def test_the_office_sees_and_changes_the_plan_by_chat_and_interface(house: House) -> None:
    async def says(text: str) -> str:
        await house.says("P055", text)
        return str((await house.last("P055"))["text"])

    assert "日调度：每天 08:20（下一次 11月25日 周三 08:20）" in await says("定时任务")
    assert (
        await says("定时 日调度 每工作日8:30")
        == "日调度：每工作日 08:30，下一次 11月25日 周三 08:30。"
    )
    assert "没看懂「随便」" in await says("定时 日调度 随便")
    assert "没有找到这一项" in await says("定时 月报 每天 08:00")
    assert await says("定时 日调度 停用") == "日调度已停用。"

    async def row() -> dict[str, object]:
        rows = (await house.api("GET", "/schedules"))["items"]
        return next(r for r in rows if r["key"] == "job:brief_morning")

    morning = await row()
    assert (morning["on"], morning["next_at"]) == (False, None)
    changed = await house.api("PATCH", "/schedules/job:brief_morning", {"on": True})
    assert changed["next_at"] == "2026-11-25T00:30:00+00:00"
    await house.api("PATCH", "/schedules/job:brief_morning", {"rule": "x"}, status=422)
    await house.api("PATCH", "/schedules/job:none", {"on": True}, status=404)
    await house.says("P041", "定时 日调度 停用")
    assert (await row())["on"] is True
