"""Working time: the seam that clocks count by, and the plain Monday-to-Friday rule."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class WorkCalendar(Protocol):
    """What a clock may ask. Instants are aware; durations are working time."""

    @property
    def zone(self) -> ZoneInfo: ...

    def is_workday(self, day: date) -> bool: ...

    def add(self, at: datetime, within: timedelta) -> datetime:
        """The instant when `within` of working time has passed since `at`."""
        ...

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two instants."""
        ...

    def close_of(self, at: datetime, days: int) -> datetime:
        """Closing time of working day `days` after the day of `at` (day 1 is the next working day)."""
        ...

    def provisional(self, until: datetime) -> bool:
        """Whether the years up to `until` are not all published yet."""
        ...


WINDOWS: Final = ((time(8, 30), time(12, 0)), (time(13, 30), time(17, 30)))


@dataclass(frozen=True, slots=True)
class PlainWeek:
    """Monday to Friday, 08:30-12:00 and 13:30-17:30 (domain.md §6), with no holiday known."""

    zone: ZoneInfo = SHANGHAI
    windows: tuple[tuple[time, time], ...] = WINDOWS

    def is_workday(self, day: date) -> bool:
        return day.weekday() < 5

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        if not self.is_workday(day):
            return []
        return [
            (datetime.combine(day, a, self.zone), datetime.combine(day, b, self.zone))
            for a, b in self.windows
        ]

    def add(self, at: datetime, within: timedelta) -> datetime:
        local = at.astimezone(self.zone)
        day = local.date()
        left = within
        for _ in range(800):
            for start, end in self._spans(day):
                begin = max(start, local)
                if begin >= end:
                    continue
                if end - begin >= left:
                    return (begin + left).astimezone(at.tzinfo)
                left -= end - begin
            day += timedelta(days=1)
        raise ValueError("working time beyond the 800-day horizon")

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        total = timedelta()
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        day = first.date()
        while day <= last.date():
            for begin, close in self._spans(day):
                low, high = max(begin, first), min(close, last)
                if low < high:
                    total += high - low
            day += timedelta(days=1)
        return total

    def close_of(self, at: datetime, days: int) -> datetime:
        day = at.astimezone(self.zone).date()
        left = days
        for _ in range(800):
            if left <= 0:
                break
            day += timedelta(days=1)
            if self.is_workday(day):
                left -= 1
        else:
            raise ValueError("working time beyond the 800-day horizon")
        return datetime.combine(day, self.windows[-1][1], self.zone).astimezone(at.tzinfo)

    def provisional(self, until: datetime) -> bool:
        return True
