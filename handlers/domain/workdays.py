"""Working time: half-open windows per weekday, a table of days off and make-up days, and sums of both.

Everything is counted in whole microseconds from the epoch, so that neither the zone an instant is
written in nor the host's zone can change a due time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from handlers.domain.errors import Refusal

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

# No promise reaches further; checked when a target or a date is saved, never in a job.
HORIZON: Final = timedelta(days=800)
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
# Spring Festival is nine days; a stretch longer than this is a table gone wrong.
MOST_DAYS_CLOSED: Final = 31


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Working time from `start` to before `end`, in minutes of the day; 1440 is its end."""

    start: int
    end: int

    def __str__(self) -> str:
        return "-".join(f"{m // 60:02d}:{m % 60:02d}" for m in (self.start, self.end))


def window(text: str) -> Window:
    """`08:30-12:00`; raises ValueError."""
    start, end = (_minute(part) for part in text.split("-"))
    return Window(start, end)


def _minute(text: str) -> int:
    hour, minute = text.strip().split(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(minute) < 60):
        raise ValueError(text)
    return int(hour) * 60 + int(minute)


Windows = tuple[Window, ...]
STANDARD_DAY: Final[Windows] = (Window(510, 720), Window(810, 1050))


@dataclass(frozen=True, slots=True)
class Week:
    """The windows of Monday to Sunday, and of a make-up day on a weekday that has none."""

    days: tuple[Windows, ...] = (*((STANDARD_DAY,) * 5), (), ())
    makeup: Windows = STANDARD_DAY


class DayKind(StrEnum):
    OFF = "off"
    WORK = "work"
    # The weekday decides again: how an office takes back a day of the shipped table.
    RULE = "rule"


class DayStatus(StrEnum):
    PUBLISHED = "published"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Day:
    """One line of a year's table."""

    on: date
    kind: DayKind
    status: DayStatus = DayStatus.PUBLISHED
    name: str = ""
    source: str = ""


class WorkCalendar(Protocol):
    """What a clock may ask. Instants are aware; durations are working time."""

    @property
    def zone(self) -> ZoneInfo: ...

    def is_workday(self, day: date) -> bool: ...

    def holiday(self, day: date) -> str:
        """The name of a day off, where it has one."""
        ...

    def windows_of(self, day: date) -> Windows: ...

    def is_open(self, at: datetime) -> bool: ...

    def next_open(self, at: datetime) -> datetime:
        """`at` itself in working time, else the next moment that is."""
        ...

    def add(self, at: datetime, within: timedelta) -> datetime:
        """The instant when `within` of working time has passed since `at`."""
        ...

    def back(self, at: datetime, within: timedelta) -> datetime:
        """The last instant from which `within` of working time is left until `at`."""
        ...

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two instants; none where `end` is before `start`."""
        ...

    def close_of(self, at: datetime, days: int) -> datetime:
        """Closing time of working day `days` after the day of `at` (day 1 is the next working day)."""
        ...

    def provisional(self, until: datetime) -> bool:
        """Whether the years up to `until` are not all published yet."""
        ...


class BadCalendar(Refusal):
    """A calendar by which a clock might never end; `faults` are (rule, where) pairs."""

    code = "bad_calendar"

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__(faults=self.faults)


class BeyondCalendar(ValueError):
    """An instant before 1970 or after 2199, where no year is counted."""


# Off in every year, wherever weekends fall; the rest of a year follows the moon and the notice.
FIXED_DAYS: Final = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The open stretches of some whole years in order, with the working time before each.

    `before` has one element more than `starts`: all working time of these years.
    """

    first_year: int
    last_year: int
    begins: int
    ends: int
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    before: tuple[int, ...]
    days: tuple[int, ...]
    closings: tuple[int, ...]

    def worked(self, at: int) -> int:
        """Working time of these years until `at`."""
        i = bisect_right(self.starts, at) - 1
        if i < 0:
            return 0
        return self.before[i] + min(at, self.stops[i]) - self.starts[i]


def _number(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(number: int, like: datetime) -> datetime:
    """In the zone that `like` is written in."""
    at = _EPOCH + timedelta(microseconds=number)
    return at if like.tzinfo is UTC else at.astimezone(like.tzinfo)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The office's working time. Never changes; sums are made when first asked for.

    A year with a published line is published: what it does not name is decided by the weekday. In
    any other year the fixed days are off as well, and its due times are provisional. Raises
    BadCalendar.
    """

    days: tuple[Day, ...] = ()
    week: Week = Week()
    zone: ZoneInfo = SHANGHAI
    published: frozenset[int] = field(init=False)
    _lines: Mapping[date, Day] = field(init=False, repr=False, compare=False)
    # Replaced as a whole by one that covers more years, so a reader never sees half of it.
    _sums: _Sums | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "_sums", None)
        put(self, "_lines", {line.on: line for line in self.days})
        published = {d.on.year for d in self.days if d.status is DayStatus.PUBLISHED}
        put(self, "published", frozenset(published))
        faults = [*_faults_of_week(self.week), *_faults_of_days(self.days)]
        if not faults:
            faults = _closed_too_long(self)
        if faults:
            raise BadCalendar(faults)

    # ---- days

    def line(self, day: date) -> Day | None:
        """What the table says of a day."""
        return self._lines.get(day)

    def holiday(self, day: date) -> str:
        """The name of a day off, where it has one."""
        line = self._lines.get(day)
        return line.name if line is not None and line.kind is DayKind.OFF else ""

    def windows_of(self, day: date) -> Windows:
        """The working time of a day, in order; none on a day off."""
        usual = self.week.days[day.weekday()]
        line = self._lines.get(day)
        if line is None:
            fixed = day.year not in self.published and (day.month, day.day) in FIXED_DAYS
            return () if fixed else usual
        if line.kind is DayKind.OFF:
            return ()
        return usual or self.week.makeup if line.kind is DayKind.WORK else usual

    def is_workday(self, day: date) -> bool:
        return bool(self.windows_of(day))

    @property
    def provisional_from(self) -> date | None:
        """The first day of the first year that is not published; None where none is."""
        if not self.published:
            return None
        year = min(self.published)
        while year in self.published:
            year += 1
        return date(year, 1, 1)

    def provisional(self, until: datetime) -> bool:
        first = self.provisional_from
        day = until.astimezone(self.zone).date()
        return first is None or day >= first or day.year < min(self.published)

    # ---- instants

    def is_open(self, at: datetime) -> bool:
        number = _number(at)
        sums = self._covering(number, number)
        i = bisect_right(sums.starts, number) - 1
        return i >= 0 and number < sums.stops[i]

    def next_open(self, at: datetime) -> datetime:
        if self.is_open(at):
            return at
        number = _number(at)
        sums = self._covering(number, number)
        while (i := bisect_right(sums.starts, number)) >= len(sums.starts):
            sums = self._longer(sums)
        return _instant(sums.starts[i], at)

    def add(self, at: datetime, within: timedelta) -> datetime:
        """The earliest such instant: `at` itself for no time at all, a closing rather than an opening."""
        left = within // _MICROSECOND
        if left <= 0:
            if left < 0:
                raise ValueError("working time cannot be negative")
            return at
        number = _number(at)
        sums = self._covering(number, number)
        wanted = sums.worked(number) + left
        while wanted > sums.before[-1]:
            sums = self._longer(sums)
        i = bisect_left(sums.before, wanted) - 1
        return _instant(sums.starts[i] + wanted - sums.before[i], at)

    def back(self, at: datetime, within: timedelta) -> datetime:
        """The last such instant, so a warning comes at an opening rather than in the night before."""
        left = within // _MICROSECOND
        if left <= 0:
            if left < 0:
                raise ValueError("working time cannot be negative")
            return at
        number = _number(at)
        sums = self._covering(number, number)
        while (wanted := sums.worked(number) - left) < 0:
            sums = self._earlier(sums)
        i = bisect_right(sums.before, wanted) - 1
        return _instant(sums.starts[i] + wanted - sums.before[i], at)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        first, last = _number(start), _number(end)
        if last <= first:
            return timedelta()
        sums = self._covering(first, last)
        return timedelta(microseconds=sums.worked(last) - sums.worked(first))

    def close_of(self, at: datetime, days: int) -> datetime:
        """For 0 days: the closing of the day of `at`, or of the next working day after it."""
        if days < 0:
            raise ValueError("days cannot be negative")
        number = _number(at)
        today = at.astimezone(self.zone).toordinal()
        first = today + 1 if days else today
        sums = self._covering(number, number)
        while True:
            i = bisect_left(sums.days, first) + max(days - 1, 0)
            if i < len(sums.days):
                return _instant(sums.closings[i], at)
            sums = self._longer(sums)

    # ---- sums

    def _covering(self, first: int, last: int) -> _Sums:
        sums = self._sums
        if sums is not None and sums.begins <= first and last < sums.ends:
            return sums
        years = [_year(n, self.zone) for n in (first, last)]
        if sums is not None:
            years += [sums.first_year, sums.last_year]
        # A due time seldom leaves the years beside: one making serves nearly all questions.
        return self._made(max(min(years) - 1, FIRST_YEAR), min(max(years) + 2, LAST_YEAR))

    def _longer(self, sums: _Sums) -> _Sums:
        if sums.last_year >= LAST_YEAR:
            raise BeyondCalendar(LAST_YEAR)
        return self._made(sums.first_year, min(2 * sums.last_year - sums.first_year + 1, LAST_YEAR))

    def _earlier(self, sums: _Sums) -> _Sums:
        if sums.first_year <= FIRST_YEAR:
            raise BeyondCalendar(FIRST_YEAR)
        return self._made(max(2 * sums.first_year - sums.last_year - 1, FIRST_YEAR), sums.last_year)

    def _made(self, first_year: int, last_year: int) -> _Sums:
        starts: list[int] = []
        stops: list[int] = []
        before: list[int] = [0]
        days: list[int] = []
        closings: list[int] = []
        day, end = date(first_year, 1, 1), date(last_year + 1, 1, 1)
        begins = self._at(day, 0)
        while day < end:
            opened = False
            for span in self.windows_of(day):
                start, stop = self._at(day, span.start), self._at(day, span.end)
                if start >= stop:  # the hour that a zone's clocks leave out in spring
                    continue
                starts.append(start)
                stops.append(stop)
                before.append(before[-1] + stop - start)
                opened = True
            if opened:
                days.append(day.toordinal())
                closings.append(stops[-1])
            day += _DAY
        sums = _Sums(
            first_year,
            last_year,
            begins,
            self._at(end, 0),
            tuple(starts),
            tuple(stops),
            tuple(before),
            tuple(days),
            tuple(closings),
        )
        object.__setattr__(self, "_sums", sums)
        return sums

    def _at(self, day: date, minute: int) -> int:
        # Arithmetic on an aware local time moves the wall clock, which is what a window means.
        return _number(datetime.combine(day, time(), self.zone) + timedelta(minutes=minute))


def _year(number: int, zone: ZoneInfo) -> int:
    try:
        year = (_EPOCH + timedelta(microseconds=number)).astimezone(zone).year
    except OverflowError as error:
        raise BeyondCalendar(number) from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BeyondCalendar(year)
    return year


def _faults_of_week(week: Week) -> list[tuple[str, str]]:
    if len(week.days) != 7:
        return [("not_seven_days", str(len(week.days)))]
    faults: list[tuple[str, str]] = []
    for windows in (*week.days, week.makeup):
        for span in windows:
            if span.end > 24 * 60 or span.start < 0:
                faults.append(("past_midnight", str(span)))
            elif span.start >= span.end:
                faults.append(("empty_window", str(span)))
        for one, other in pairwise(windows):
            if other.start < one.end:
                faults.append(("overlap", f"{one} {other}"))
    if not any(week.days) or not week.makeup:
        faults.append(("never_open", ""))
    return faults


def _faults_of_days(days: tuple[Day, ...]) -> list[tuple[str, str]]:
    faults = [
        ("year_out_of_range", str(d.on)) for d in days if not FIRST_YEAR < d.on.year < LAST_YEAR
    ]
    seen: set[date] = set()
    for line in days:
        if line.on in seen:
            faults.append(("twice", str(line.on)))
        seen.add(line.on)
    return faults


def _closed_too_long(calendar: Calendar) -> list[tuple[str, str]]:
    """Stretches without working time; where there are none, adding always ends."""
    if not calendar.days:
        return []
    faults: list[tuple[str, str]] = []
    day = min(d.on for d in calendar.days) - _DAY * MOST_DAYS_CLOSED
    last = max(d.on for d in calendar.days) + _DAY * MOST_DAYS_CLOSED
    closed = 0
    while day <= last:
        closed = 0 if calendar.is_workday(day) else closed + 1
        if closed == MOST_DAYS_CLOSED + 1:
            faults.append(("closed_too_long", str(day - _DAY * MOST_DAYS_CLOSED)))
        day += _DAY
    return faults
