"""When something comes round: the rule as people write it, and the instants that it names.

`每工作日 08:20`, `每周五 15:00`, `每月最后一个工作日 16:30`, `2026-11-27 15:00`. Weekdays are read by their
names only: what number a Monday has is nobody's guess.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from handlers.domain.errors import BadInput
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.workdays import HORIZON, WorkCalendar


class Every(StrEnum):
    """Which days a rule means."""

    ONCE = "once"
    DAY = "day"
    WORKDAY = "workday"
    WEEKDAYS = "weekdays"
    WEEK_FIRST_WORKDAY = "week_first_workday"
    WEEK_LAST_WORKDAY = "week_last_workday"
    MONTH_DAY = "month_day"
    MONTH_END = "month_end"
    MONTH_FIRST_WORKDAY = "month_first_workday"
    MONTH_LAST_WORKDAY = "month_last_workday"


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a rule without its time; `numbers` are weekdays (Monday 0) or days of a month."""

    every: Every
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.every is Every.WEEKDAYS:
            return f"每周{'、'.join(_WEEKDAYS[n] for n in self.numbers)}"
        if self.every is Every.MONTH_DAY:
            return f"每月{'、'.join(str(n) for n in self.numbers)}日"
        return _NAMES[self.every]


@dataclass(frozen=True, slots=True)
class Rule:
    """`once` is the instant of a rule that comes round a single time; else `at` is local time.

    `only_workdays` leaves out the days off among the days that are named.
    """

    days: Days
    at: time = time()
    once: datetime | None = None
    only_workdays: bool = False

    def __str__(self) -> str:
        if self.once is not None:
            return f"{self.once:%Y-%m-%d %H:%M}"
        tail = _NO_DAYS_OFF if self.only_workdays else ""
        return f"{self.days} {self.at:%H:%M}{tail}"

    @property
    def repeats(self) -> bool:
        return self.once is None


class ScheduleKind(StrEnum):
    JOB = "job"
    REMINDER = "reminder"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that comes round: a job of the product, or a reminder that somebody set.

    `rule` is as it was typed (每工作日 08:20); `next_at` None: it never comes again. `audience` names
    who is reminded: me, liaisons, leaders, office, or person ids.
    """

    key: str
    kind: ScheduleKind
    rule: str
    next_at: datetime | None
    late: timedelta
    created_at: datetime
    created_by: PersonId | None = None
    on: bool = True
    audience: tuple[str, ...] = ()
    text: str = ""
    ticket: TicketNumber | None = None

    @property
    def number(self) -> int:
        """What people call a reminder by."""
        return int(self.key.rpartition(":")[2]) if self.kind is ScheduleKind.REMINDER else 0


_WEEKDAYS: Final = "一二三四五六日"
_NO_DAYS_OFF: Final = " 节假日除外"
_NAMES: Final = {
    Every.DAY: "每天",
    Every.WORKDAY: "每工作日",
    Every.WEEK_FIRST_WORKDAY: "每周第一个工作日",
    Every.WEEK_LAST_WORKDAY: "每周最后一个工作日",
    Every.MONTH_END: "每月最后一天",
    Every.MONTH_FIRST_WORKDAY: "每月第一个工作日",
    Every.MONTH_LAST_WORKDAY: "每月最后一个工作日",
}
_MONTH: Final = r"每个?月的?"
_WEEK: Final = r"每(?:个)?(?:周|星期|礼拜)的?"
# Longer wordings first: 每月最后一个工作日 also begins like 每月.
_WAYS: Final = tuple(
    (re.compile(pattern), every)
    for pattern, every in (
        (rf"{_MONTH}(?:第一|头一|首)个?工作日", Every.MONTH_FIRST_WORKDAY),
        (rf"{_MONTH}(?:最后一?|末)个?工作日", Every.MONTH_LAST_WORKDAY),
        (rf"{_MONTH}(?:最后一天|月?底|月末|末日)", Every.MONTH_END),
        (rf"{_MONTH}(?P<n>\d{{1,2}}(?:[日号]?[、,，和及]\d{{1,2}})*)[日号]", Every.MONTH_DAY),
        (rf"{_WEEK}(?:第一|头一|首)个?工作日", Every.WEEK_FIRST_WORKDAY),
        (rf"{_WEEK}(?:最后一?|末)个?工作日", Every.WEEK_LAST_WORKDAY),
        (rf"{_WEEK}(?P<w>[一二三四五六日天])[到至~-](?:周|星期|礼拜)?(?P<to>[一二三四五六日天])", Every.WEEKDAYS),
        (rf"{_WEEK}(?P<w>[一二三四五六日天](?:[、,，和及]?(?:周|星期|礼拜)?[一二三四五六日天])*)", Every.WEEKDAYS),
        (r"(?:每个?|逢)工作日|工作日(?:每天|天天)|每个?上班日", Every.WORKDAY),
        (r"每(?:天|日)|天天", Every.DAY),
    )
)  # fmt: skip
_CLOCK: Final = re.compile(r"\s*(?P<h>\d{1,2})[:：](?P<m>\d{2})\s*$")
_EXACT: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):(\d{2})$")


def days_in(text: str) -> tuple[Days, int] | None:
    """The days that the start of a text names as coming round, and where the rest begins."""
    for pattern, every in _WAYS:
        found = pattern.match(text)
        if found is None:
            continue
        groups = found.groupdict()
        if groups.get("w"):
            names = [c.replace("天", "日") for c in re.findall(r"[一二三四五六日天]", groups["w"])]
            numbers = tuple(sorted({_WEEKDAYS.index(c) for c in names}))
            if groups.get("to"):
                last = _WEEKDAYS.index(groups["to"].replace("天", "日"))
                numbers = tuple(range(numbers[0], last + 1))
                if len(numbers) < 2:
                    return None
        elif groups.get("n"):
            numbers = tuple(sorted({int(n) for n in re.findall(r"\d+", groups["n"])}))
            if not all(1 <= n <= 31 for n in numbers):
                return None
        else:
            numbers = ()
        return Days(every, numbers), found.end()
    return None


def parse(text: str, calendar: WorkCalendar) -> Rule:
    """A rule as it is kept and shown; raises BadInput('schedule_unclear')."""
    plain = text.strip()
    exact = _EXACT.match(plain)
    try:
        if exact is not None:
            year, month, day, hour, minute = (int(n) for n in exact.groups())
            once = datetime(year, month, day, hour, minute, tzinfo=calendar.zone)
            return Rule(Days(Every.ONCE), once=once)
        tail = plain.endswith(_NO_DAYS_OFF.strip())
        if tail:
            plain = plain.removesuffix(_NO_DAYS_OFF.strip()).rstrip()
        days = days_in(plain)
        clock = None if days is None else _CLOCK.match(plain, days[1])
        if days is not None and clock is not None:
            return Rule(days[0], time(int(clock["h"]), int(clock["m"])), only_workdays=tail)
    except ValueError:
        pass
    raise BadInput("schedule_unclear", text=text[:40])


def next_after(rule: Rule, now: datetime, calendar: WorkCalendar) -> datetime | None:
    """The first instant of the rule that is later than `now`; None where none will come."""
    if rule.once is not None:
        return rule.once.astimezone(now.tzinfo) if rule.once > now else None
    day = now.astimezone(calendar.zone).date()
    last = day + HORIZON
    while day <= last:
        if _names(rule, day, calendar):
            at = datetime.combine(day, rule.at, calendar.zone)
            if at > now:
                return at.astimezone(now.tzinfo)
        day += _DAY
    return None


def missed(
    rule: Rule, planned: datetime, now: datetime, calendar: WorkCalendar
) -> Iterator[datetime]:
    """`planned` and every later instant of the rule until `now`, in order."""
    at: datetime | None = planned
    while at is not None and at <= now:
        yield at
        at = next_after(rule, at, calendar)


_DAY: Final = timedelta(days=1)


def _names(rule: Rule, day: date, calendar: WorkCalendar) -> bool:
    if rule.only_workdays and not calendar.is_workday(day):
        return False
    return _named(rule.days, day, calendar)


def _named(days: Days, day: date, calendar: WorkCalendar) -> bool:
    every = days.every
    if every is Every.DAY:
        return True
    if every is Every.WORKDAY:
        return calendar.is_workday(day)
    if every is Every.WEEKDAYS:
        return day.weekday() in days.numbers
    if every is Every.MONTH_DAY:
        return day.day in days.numbers
    if every is Every.MONTH_END:
        return (day + _DAY).month != day.month
    if not calendar.is_workday(day):
        return False
    step = _DAY if every in (Every.WEEK_LAST_WORKDAY, Every.MONTH_LAST_WORKDAY) else -_DAY
    by_month = every in (Every.MONTH_FIRST_WORKDAY, Every.MONTH_LAST_WORKDAY)
    other = day + step
    while _same(day, other, by_month):
        if calendar.is_workday(other):
            return False
        other += step
    return True


def _same(day: date, other: date, by_month: bool) -> bool:
    if by_month:
        return (day.year, day.month) == (other.year, other.month)
    return day.isocalendar()[:2] == other.isocalendar()[:2]
