"""The year tables: what the package ships, what the office says instead, and what differs.

The shipped years 2024 to 2026 are those of the State Council's yearly notices; 2027 to 2030 hold
the statutory days as far as sun and moon decide them, without any make-up day, as estimates.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from handlers.domain.workdays import (
    FIXED_DAYS,
    BadCalendar,
    Calendar,
    Day,
    DayKind,
    DayStatus,
    Week,
    WorkCalendar,
)

_DAY: Final = timedelta(days=1)
# The notice for the next year comes out in November (domain.md §15).
NOTICE_MONTH: Final = 11


@cache
def shipped_days() -> tuple[Day, ...]:
    """The tables beside this module."""
    text = files(__package__).joinpath("calendar_days.csv").read_text(encoding="utf-8")
    return tuple(
        Day(
            date.fromisoformat(row["date"]),
            DayKind(row["kind"]),
            DayStatus(row["status"]),
            row["name"],
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


@cache
def shipped() -> Calendar:
    """The calendar of an office that has changed nothing."""
    return calendar_of(())


def calendar_of(office: Iterable[Day], week: Week = Week()) -> Calendar:
    """The shipped days with the office's own in their place; raises BadCalendar."""
    lines = {line.on: line for line in shipped_days()}
    lines.update((line.on, line) for line in office)
    published = {d.on.year for d in lines.values() if d.status is DayStatus.PUBLISHED}
    return Calendar(
        tuple(
            line
            for _, line in sorted(lines.items())
            # The notice has spoken: nothing of that year is guessed any more.
            if line.status is DayStatus.PUBLISHED or line.on.year not in published
        ),
        week,
    )


def year_of(calendar: Calendar, year: int) -> tuple[Day, ...]:
    """What a calendar's table says of one year."""
    return tuple(line for line in calendar.days if line.on.year == year)


def whole_years(calendar: Calendar, table: Sequence[Day]) -> tuple[Day, ...]:
    """The lines to save so that the years of `table` are as it says and nothing of before is left.

    Raises BadCalendar for a published year that lacks what every notice names, or that is
    published in part.
    """
    lines = {line.on: line for line in table}
    times = Counter(line.on for line in table)
    faults = [("twice", str(on)) for on, count in times.items() if count > 1]
    for year in sorted({line.on.year for line in table}):
        own = [line for line in table if line.on.year == year]
        statuses = {line.status for line in own}
        if len(statuses) > 1:
            faults.append(("mixed_year", str(year)))
        if DayStatus.PUBLISHED in statuses:
            named = {(d.on.month, d.on.day) for d in own if d.kind is DayKind.OFF}
            # 2 May became a statutory day in 2025 only; every notice named the others.
            missing = [f for f in FIXED_DAYS if f not in named and f != (5, 2)]
            faults += [("fixed_day_missing", str(date(year, m, d))) for m, d in missing]
        status = own[0].status
        for old in year_of(calendar, year):
            if old.on not in lines:
                lines[old.on] = Day(old.on, DayKind.RULE, status)
    if faults:
        raise BadCalendar(faults)
    return tuple(line for _, line in sorted(lines.items()))


def differing(old: WorkCalendar, new: WorkCalendar, first: date, last: date) -> tuple[date, ...]:
    """The days from `first` to `last` whose working time is not the same."""
    days = (first + _DAY * n for n in range((last - first).days + 1))
    return tuple(day for day in days if old.windows_of(day) != new.windows_of(day))


def missing_year(calendar: Calendar, today: date) -> int | None:
    """The year whose table the office should load by now: this one, or from November the next."""
    for year in (today.year, today.year + 1 if today.month >= NOTICE_MONTH else today.year):
        if year not in calendar.published:
            return year
    return None
