"""A time as it is said back to a person: always a date, so that nobody need count days."""

from datetime import date, datetime, time, timedelta
from typing import Final

from handlers.domain.moment import Granularity, Moment
from handlers.domain.workdays import SHANGHAI

_WEEKDAYS: Final = "一二三四五六日"
_LAST: Final = time(23, 59, 59)
_HALVES: Final = {
    (time(0), time(6)): "凌晨",
    (time(8, 30), time(12)): "上午",
    (time(12), time(13, 30)): "中午",
    (time(13, 30), time(17, 30)): "下午",
    (time(17, 30), _LAST): "晚上",
}


def absolute(moment: Moment, now: datetime) -> str:
    """11月25日 周三 15:30, 11月27日 周五 前, 11月30日 周一 至 12月6日 周日; the year where it differs."""
    today = now.astimezone(SHANGHAI).date()
    start = moment.start.astimezone(SHANGHAI)
    end = None if moment.end is None else moment.end.astimezone(SHANGHAI)
    before = " 前" if moment.before else ""
    if end is None:
        if start.time() == _LAST:
            return _day(start.date(), today) + before
        if moment.before and start.time() == time(0):
            return f"{_day(start.date() - timedelta(days=1), today)} 24:00{before}"
        return f"{_day(start.date(), today)} {_clock(start)}{before}"
    whole = start.time() == time(0) and end.time() == _LAST
    if start.date() == end.date():
        if whole:
            return _day(start.date(), today)
        half = _HALVES.get((start.time(), end.time()))
        if half is not None and moment.granularity is Granularity.HALFDAY:
            return f"{_day(start.date(), today)} {half}"
        return f"{_day(start.date(), today)} {_clock(start)} 至 {_clock(end)}"
    if whole:
        return f"{_day(start.date(), today)} 至 {_day(end.date(), today)}"
    return f"{_day(start.date(), today)} {_clock(start)} 至 {_day(end.date(), today)} {_clock(end)}"


def _day(day: date, today: date) -> str:
    year = "" if day.year == today.year and day >= today else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"


def _clock(at: datetime) -> str:
    return "24:00" if at.time() == _LAST else f"{at.hour:02}:{at.minute:02}"
