"""The office's days and weeks, and the calendar they make with the shipped years."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from handlers.domain.calendar import calendar_of
from handlers.domain.workdays import Calendar, Day, DayKind, DayStatus, Week, window
from storage.repos.counters import Versions
from storage.tables.calendar import CalendarDayRow, CalendarWeekRow

_DAY: Final[Any] = CalendarDayRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_WEEK: Final[Any] = CalendarWeekRow.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class CalendarCache:
    """The calendar of one version; its sums are made once for a process."""

    held: tuple[int, Calendar] | None = None


class SqlCalendarStore:
    def __init__(self, connection: Connection, cache: CalendarCache, versions: Versions) -> None:
        self._connection = connection
        self._cache = cache
        self._versions = versions

    def current(self) -> Calendar:
        version = self._versions.of(self._connection, "calendar")
        held = self._cache.held
        if held is not None and held[0] == version:
            return held[1]
        calendar = calendar_of(self.days(), self.week())
        # One assignment: readers share the cache with other threads.
        self._cache.held = (version, calendar)
        return calendar

    def days(self) -> tuple[Day, ...]:
        rows = self._connection.execute(select(_DAY).order_by(_DAY.c.day))
        return tuple(
            Day(row.day, DayKind(row.kind), DayStatus(row.status), row.name, row.source)
            for row in rows
        )

    def save_days(self, days: Iterable[Day]) -> None:
        values = [
            {
                "day": line.on,
                "kind": line.kind.value,
                "status": line.status.value,
                "name": line.name,
                "source": line.source,
            }
            for line in days
        ]
        if not values:
            return
        self._connection.execute(delete(_DAY).where(_DAY.c.day.in_([v["day"] for v in values])))
        self._connection.execute(insert(_DAY), values)
        self._versions.change(self._connection, "calendar")

    def week(self) -> Week:
        row = self._connection.execute(
            select(_WEEK.c.windows).order_by(_WEEK.c.version.desc()).limit(1)
        ).first()
        return Week() if row is None else _week(row.windows)

    def save_week(self, week: Week, at: datetime) -> None:
        newest = self._connection.execute(
            select(_WEEK.c.version).order_by(_WEEK.c.version.desc()).limit(1)
        ).scalar()
        self._connection.execute(
            insert(_WEEK).values(version=(newest or 0) + 1, at=at, windows=_plain(week))
        )
        self._versions.change(self._connection, "calendar")


def _plain(week: Week) -> dict[str, Any]:
    return {
        "days": [[str(span) for span in windows] for windows in week.days],
        "makeup": [str(span) for span in week.makeup],
    }


def _week(plain: Mapping[str, Any]) -> Week:
    return Week(
        tuple(tuple(window(text) for text in windows) for windows in plain["days"]),
        tuple(window(text) for text in plain["makeup"]),
    )
