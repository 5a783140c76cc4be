"""What comes round: rows made from the jobs, runs made once and in time, rules changed by the office."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from handlers.domain.errors import NoSuch
from handlers.domain.schedule import Schedule, ScheduleKind, missed, next_after, parse
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Job, Work

Run = Callable[[Schedule, datetime], None]


class ScheduleService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    def seed(self, jobs: Iterable[Job]) -> None:
        """A row for every job that has none; what the office changed stays."""
        now = self._clock.now()
        wanted = {job.key: job for job in jobs}
        for schedule in self._work.schedules.of_kind(ScheduleKind.JOB):
            known = wanted.pop(schedule.key, None) is not None
            # A job that is gone from the product keeps its row: it may come back.
            if schedule.on and known == (schedule.next_at is None):
                rule = parse(schedule.rule, self._calendar)
                again = next_after(rule, now, self._calendar) if known else None
                self._work.schedules.save(replace(schedule, next_at=again))
        for job in wanted.values():
            rule = parse(job.schedule, self._calendar)
            self._work.schedules.add(
                Schedule(
                    job.key,
                    ScheduleKind.JOB,
                    str(rule),
                    next_after(rule, now, self._calendar),
                    job.late,
                    now,
                )
            )
        self.plan_again()

    def plan_again(self) -> None:
        """Count the next time of everything that repeats anew; what is due already stays due."""
        now = self._clock.now()
        for kind in ScheduleKind:
            for schedule in self._work.schedules.of_kind(kind):
                if schedule.next_at is None or schedule.next_at <= now:
                    continue
                rule = parse(schedule.rule, self._calendar)
                following = next_after(rule, now, self._calendar)
                if following != schedule.next_at:
                    self._work.schedules.save(replace(schedule, next_at=following))

    def run_due(self, key: str, run: Run) -> bool:
        """Make the newest run that is due, if it is ours and not too late; say what was left out.

        The line in the ledger comes first, in the same unit of work: a second process, a restart
        or a clock that was set back makes no second run.
        """
        now = self._clock.now()
        schedule = self._work.schedules.get(key)
        if schedule is None or not schedule.on or schedule.next_at is None:
            return False
        if schedule.next_at > now:
            return False
        rule = parse(schedule.rule, self._calendar)
        times = list(missed(rule, schedule.next_at, now, self._calendar))
        newest = times[-1]
        ours = self._work.jobs.take(key, newest.astimezone(UTC).isoformat(), now)
        following = next_after(rule, now, self._calendar)
        self._work.schedules.save(replace(schedule, next_at=following))
        if not ours:
            return False
        in_time = now - newest <= schedule.late
        left_out = times[:-1] if in_time else times
        if left_out:
            facts = {
                "first": left_out[0].isoformat(),
                "last": left_out[-1].isoformat(),
                "count": len(left_out),
            }
            self._work.audit.add(now, "system", "schedule.skipped", key, facts)
        if in_time:
            run(schedule, newest)
        return in_time

    # ---- the office's changes

    def change(self, key: str, by: str, *, rule: str = "", on: bool | None = None) -> Schedule:
        """Another rule, or off and on again; raises NoSuch or BadInput('schedule_unclear')."""
        now = self._clock.now()
        schedule = self._work.schedules.get(key)
        if schedule is None:
            raise NoSuch("schedule", key)
        parsed = parse(rule or schedule.rule, self._calendar)
        running = schedule.on if on is None else on
        changed = replace(
            schedule,
            rule=str(parsed),
            on=running,
            next_at=next_after(parsed, now, self._calendar) if running else None,
        )
        self._work.schedules.save(changed)
        facts = {"rule": changed.rule, "on": changed.on}
        self._work.audit.add(now, by, "schedule.changed", key, facts)
        return changed
