"""From when until when: 11.24-11.26, 明天, 下周一到周三, 明天下午."""

import re
from datetime import datetime, time, timedelta
from typing import Final

from handlers.domain.moment import Granularity
from handlers.domain.workdays import WorkCalendar
from handlers.understanding.times import find_time

_RANGE: Final = re.compile(
    r"(?<![\d.])(?P<y>\d{4}[./年])?(?P<m>\d{1,2})[./月](?P<d>\d{1,2})[日号]?"
    r"\s*[-—–~至到]+\s*"
    r"(?P<y2>\d{4}[./年])?(?:(?P<m2>\d{1,2})[./月])?(?P<d2>\d{1,2})[日号]?(?![\d:：])"
)
_EDGES: Final = " ,，。;；、的"


def span_in(
    text: str, now: datetime, calendar: WorkCalendar
) -> tuple[datetime, datetime, bool, str] | None:
    """The first instant and the first one after it, whether whole days are meant, and the rest.

    None where a text names no span of time. Times are local.
    """
    plain = _RANGE.sub(_written_out, text, count=1)
    moment = find_time(plain, now, calendar, calendar.zone)
    if moment is None or moment.before:
        return None
    start = moment.start.astimezone(calendar.zone)
    whole = False
    if moment.end is not None:
        until = moment.end.astimezone(calendar.zone)
        if until.time().replace(microsecond=0) == time(23, 59, 59):
            until = until.replace(second=0, minute=0, hour=0, microsecond=0) + timedelta(days=1)
            whole = start.time() == time()
    elif moment.granularity is Granularity.MINUTE:
        until = datetime.combine(start.date() + timedelta(days=1), time(), calendar.zone)
    else:
        return None
    rest = f"{plain[: moment.at].strip(_EDGES)} {plain[moment.to :].strip(_EDGES)}".strip()
    return start, until, whole, rest


def _written_out(match: re.Match[str]) -> str:
    year, year2 = ("" if match[name] is None else f"{match[name][:4]}年" for name in ("y", "y2"))
    month, day = int(match["m"]), int(match["d"])
    month2 = month if match["m2"] is None else int(match["m2"])
    return f"{year}{month}月{day}日到{year2}{month2}月{int(match['d2'])}日"
