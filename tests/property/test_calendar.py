"""Invariants 16-25 of tickets.md and the worked examples of domain.md §6."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handlers.domain.calendar import calendar_of, shipped
from handlers.domain.category import Urgency
from handlers.domain.deadline import due, shifted
from handlers.domain.policy import DEFAULT, Target, Unit
from handlers.domain.ticket import Args, Move, State, move, recounted_ticket
from handlers.domain.workdays import (
    SHANGHAI,
    BadCalendar,
    Calendar,
    Day,
    DayKind,
    Week,
    Window,
    window,
)
from tests.kit.builders import CALENDAR, LIAISON, NOW, POLICY, STANDING, a_ticket

STANDARD = (window("08:30-12:00"), window("13:30-17:30"))
FEW = settings(max_examples=60, deadline=None)


def windows(cuts: list[int]) -> tuple[Window, ...]:
    marks = sorted(set(cuts))
    return tuple(Window(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False))


DAY_WINDOWS = st.lists(st.integers(0, 1440), max_size=6).map(windows)
FREE_WEEK = st.builds(
    Week,
    st.lists(DAY_WINDOWS, min_size=7, max_size=7).map(tuple).filter(any),
    DAY_WINDOWS.filter(bool),
)
WEEKS = st.one_of(st.just(Week()), FREE_WEEK)
DAYS = st.dictionaries(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.sampled_from([DayKind.OFF, DayKind.WORK]),
    max_size=25,
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    lines = tuple(Day(on, kind) for on, kind in draw(DAYS).items())
    try:
        return Calendar(lines, draw(WEEKS))
    except BadCalendar:
        assume(False)
        raise


ANY = st.one_of(st.just(shipped()), calendars())
INSTANTS = st.integers(0, 700 * 86_400).map(
    lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
WORK = st.integers(1, 300 * 3600).map(lambda s: timedelta(seconds=s))


@FEW
@given(ANY, INSTANTS, WORK, st.integers(1, 10**9))
def test_16_elapsed_of_add_is_the_duration_and_no_instant_before_it_has_as_much(
    calendar: Calendar, a: datetime, d: timedelta, before: int
) -> None:
    end = calendar.add(a, d)
    assert calendar.elapsed(a, end) == d
    assert calendar.elapsed(a, end - timedelta(microseconds=before)) < d


@FEW
@given(ANY, INSTANTS, INSTANTS, WORK)
def test_17_a_later_start_is_never_due_earlier(
    calendar: Calendar, a: datetime, b: datetime, d: timedelta
) -> None:
    first, last = min(a, b), max(a, b)
    assert calendar.add(first, d) <= calendar.add(last, d)


@FEW
@given(ANY, INSTANTS, WORK, WORK)
def test_18_adding_twice_is_adding_the_sum(
    calendar: Calendar, a: datetime, d1: timedelta, d2: timedelta
) -> None:
    assert calendar.add(calendar.add(a, d1), d2) == calendar.add(a, d1 + d2)


@FEW
@given(ANY, st.lists(INSTANTS, min_size=3, max_size=3))
def test_19_elapsed_time_adds_up(calendar: Calendar, instants: list[datetime]) -> None:
    x, y, z = sorted(instants)
    assert calendar.elapsed(x, z) == calendar.elapsed(x, y) + calendar.elapsed(y, z)


@FEW
@given(ANY, INSTANTS, WORK, st.dates(date(2026, 1, 2), date(2027, 12, 30)))
def test_20_a_day_off_more_is_never_due_earlier_and_a_working_day_more_never_later(
    calendar: Calendar, a: datetime, d: timedelta, on: date
) -> None:
    rest = tuple(line for line in calendar.days if line.on != on)
    # Both name the day, so that the year stays published as it is.
    for kind in DayKind.OFF, DayKind.WORK:
        try:
            changed = replace(calendar, days=(*rest, Day(on, kind)))
        except BadCalendar:
            continue
        if changed.published != calendar.published:
            continue
        usual, now = calendar.add(a, d), changed.add(a, d)
        if not changed.windows_of(on):
            assert now >= usual
        elif not calendar.windows_of(on):
            assert now <= usual


@FEW
@given(ANY, INSTANTS)
def test_21_the_next_opening_is_open_and_no_working_time_lies_before_it(
    calendar: Calendar, t: datetime
) -> None:
    opening = calendar.next_open(t)
    assert opening >= t
    assert calendar.is_open(opening)
    assert calendar.elapsed(t, opening) == timedelta()


@FEW
@given(ANY, INSTANTS, WORK, st.lists(st.integers(1, 40 * 3600), min_size=2, max_size=6))
def test_22_pauses_take_exactly_their_working_time(
    calendar: Calendar, start: datetime, d: timedelta, gaps: list[int]
) -> None:
    target = Target(Unit.WORKING, 1)
    at, now, paused = calendar.add(start, d), start, timedelta()
    for run, stop in zip(gaps[::2], gaps[1::2], strict=False):
        since = now + timedelta(seconds=run)
        now = since + timedelta(seconds=stop)
        if at <= since:
            break
        at = shifted(at, target, since, now, calendar)
        paused += calendar.elapsed(since, now)
    assert calendar.elapsed(start, at) - paused == d


@FEW
@given(INSTANTS, WORK, st.integers(-12, 14))
def test_23_the_zone_an_instant_is_written_in_changes_nothing(
    a: datetime, d: timedelta, hours: int
) -> None:
    calendar = shipped()
    there = a.astimezone(timezone(timedelta(hours=hours)))
    assert calendar.add(there, d) == calendar.add(a, d)
    assert calendar.close_of(there, 3) == calendar.close_of(a, 3)
    assert calendar.next_open(there) == calendar.next_open(a)
    assert calendar.elapsed(there, there + d) == calendar.elapsed(a, a + d)


def test_23_the_hosts_zone_changes_nothing() -> None:
    code = (
        "from datetime import *; from handlers.domain.calendar import shipped; "
        "a = datetime(2026, 9, 24, 2, tzinfo=UTC); c = shipped(); "
        "print(c.close_of(a, 7).astimezone(UTC), c.add(a, timedelta(hours=31)).astimezone(UTC))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Shanghai", "America/New_York")
    }
    assert len(told) == 1


@FEW
@given(calendars(), INSTANTS)
def test_24_add_ends_for_every_calendar_that_validation_lets_through(
    calendar: Calendar, a: datetime
) -> None:
    assert calendar.add(a, timedelta(hours=1)) > a
    assert calendar.close_of(a, 15) > a


@pytest.mark.parametrize(
    "week",
    [
        Week(((),) * 7),
        Week(((Window(540, 540),), *((),) * 6)),
        Week(((Window(540, 1500),), *((),) * 6)),
        Week(((Window(540, 700), Window(690, 800)), *((),) * 6)),
    ],
)
def test_24_a_calendar_by_which_a_clock_might_not_end_is_refused(week: Week) -> None:
    with pytest.raises(BadCalendar):
        Calendar((), week)


def test_25_a_new_calendar_touches_running_clocks_only() -> None:
    former = shipped()
    extra = [Day(NOW.astimezone(SHANGHAI).date() + timedelta(days=n), DayKind.OFF) for n in (1, 2)]
    new = calendar_of(extra)
    running = a_ticket()
    again = recounted_ticket(running, former, new, POLICY, NOW)
    assert again.due_resolution is not None and running.due_resolution is not None
    assert again.due_resolution > running.due_resolution
    claimed = move(running, Move.CLAIM, LIAISON, Args(), NOW, STANDING, CALENDAR, POLICY).ticket
    kept = recounted_ticket(claimed, former, new, POLICY, NOW)
    assert kept.due_claim == claimed.due_claim
    for state in (State.CLOSED, State.WITHDRAWN, State.NOT_ACCEPTED, State.MERGED):
        ended = replace(claimed, state=state)
        assert recounted_ticket(ended, former, new, POLICY, NOW) is ended
    late = NOW + timedelta(days=40)
    overdue = recounted_ticket(running, former, new, POLICY, late)
    assert overdue.due_resolution == running.due_resolution


def at(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "target", "wanted"),
    [
        (at(11, 27, 16, 30), Target(Unit.WORKING, 4), at(11, 30, 11, 30)),
        (at(9, 24, 10), Target(Unit.DAYS, 7), at(10, 12, 17, 30)),
        (at(2, 13, 10), Target(Unit.DAYS, 7), at(3, 2, 17, 30)),
        (at(11, 22, 10), Target(Unit.DAYS, 7), at(12, 1, 17, 30)),
        (at(4, 30, 10), Target(Unit.DAYS, 7), at(5, 13, 17, 30)),
    ],
)
def test_the_worked_examples(start: datetime, target: Target, wanted: datetime) -> None:
    assert due(target, start, shipped()) == wanted


def test_a_deadline_that_crosses_the_year_works_and_is_provisional() -> None:
    calendar = shipped()
    at_year_end = due(DEFAULT.targets[Urgency.U4].resolution, at(12, 18, 10), calendar)
    assert at_year_end.astimezone(SHANGHAI).year == 2027
    assert calendar.provisional(at_year_end)
    assert not calendar.provisional(at(12, 31, 17))


def test_a_hundred_thousand_additions_a_second_are_within_reach() -> None:
    """A loose bound, for machines are shared: a scan of days would miss it a hundredfold."""
    import time

    calendar: Any = shipped()
    start = time.process_time()
    for n in range(20_000):
        calendar.add(NOW + timedelta(minutes=n), timedelta(hours=31))
    assert time.process_time() - start < 2.0
