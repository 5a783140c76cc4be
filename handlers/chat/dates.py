"""Dates as people type them in a command: 11月27日, 11.27, 明天, 下周三, 月底."""

import calendar
import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_FULL: Final = re.compile(r"(\d{4})\s*[-/年.]\s*(\d{1,2})\s*[-/月.]\s*(\d{1,2})\s*[日号]?")
_DAY: Final = re.compile(r"(?<!\d)(\d{1,2})\s*(?:月|[./-])\s*(\d{1,2})\s*[日号]?(?!\d)")
_RELATIVE: Final = re.compile(r"大后天|今天|明天|后天|今日|明日")
_WEEKDAY: Final = re.compile(r"(下下|下|本|这)?(?:个)?(?:周|星期|礼拜)([一二三四五六日天])")
_END: Final = re.compile(r"(下)?(?:个)?月底")
_DAYS: Final = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3}
_CLOSING: Final = time(17, 30)
_EDGES: Final = " ,，。;；前之以到至在延"


def date_in(text: str, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, str]:
    """The first date of a text as closing time of that day, and the text without it.

    A bare month and day that is past means next year; a bare weekday is the next one, today
    included.
    """
    today = now.astimezone(zone).date()
    for pattern, read in (
        (_FULL, _read_full),
        (_RELATIVE, _read_relative),
        (_WEEKDAY, _read_weekday),
        (_END, _read_end),
        (_DAY, _read_day),
    ):
        match = pattern.search(text)
        if match is None:
            continue
        day = read(match, today)
        if day is None:
            continue
        rest = (
            text[: match.start()].rstrip(_EDGES) + " " + text[match.end() :].lstrip(_EDGES)
        ).strip()
        return datetime.combine(day, _CLOSING, zone).astimezone(now.tzinfo), rest
    return None, text


def _read_full(match: re.Match[str], today: date) -> date | None:
    return _valid(int(match.group(1)), int(match.group(2)), int(match.group(3)))


def _read_day(match: re.Match[str], today: date) -> date | None:
    month, day = int(match.group(1)), int(match.group(2))
    found = _valid(today.year, month, day)
    if found is not None and found < today:
        return _valid(today.year + 1, month, day)
    return found


def _read_relative(match: re.Match[str], today: date) -> date | None:
    return today + timedelta(days=_DAYS[match.group()])


def _read_weekday(match: re.Match[str], today: date) -> date | None:
    wanted = "一二三四五六日".find(match.group(2).replace("天", "日"))
    monday = today - timedelta(days=today.weekday())
    ahead = {"下": 7, "下下": 14}.get(match.group(1) or "")
    if ahead is not None:
        return monday + timedelta(days=ahead + wanted)
    day = monday + timedelta(days=wanted)
    return day if day >= today else day + timedelta(days=7)


def _read_end(match: re.Match[str], today: date) -> date | None:
    year, month = today.year, today.month + (1 if match.group(1) else 0)
    if month > 12:
        year, month = year + 1, 1
    return date(year, month, calendar.monthrange(year, month)[1])


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
