"""The duty rota: a new shift takes the place of what it overlaps; the rota as a file."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from handlers.domain.calendar_table import date_of
from handlers.domain.people import Shift
from handlers.domain.workdays import WorkCalendar


def replaced(shifts: Iterable[Shift], new: Shift) -> tuple[tuple[Shift, ...], tuple[Shift, ...]]:
    """The shifts to drop and those to add so that `new` holds for all of its time.

    Nothing of either where the rota says so already; neighbours of one person become one shift.
    """
    dropped: list[Shift] = []
    added: list[Shift] = []
    start, end = new.starts_at, new.ends_at
    for shift in shifts:
        same = shift.person_id == new.person_id
        if same and shift.starts_at <= start and end <= shift.ends_at:
            return (), ()
        if same and shift.starts_at <= end and start <= shift.ends_at:
            dropped.append(shift)
            start, end = min(start, shift.starts_at), max(end, shift.ends_at)
        elif shift.starts_at < new.ends_at and new.starts_at < shift.ends_at:
            dropped.append(shift)
            if shift.starts_at < new.starts_at:
                added.append(replace(shift, ends_at=new.starts_at))
            if new.ends_at < shift.ends_at:
                added.append(replace(shift, starts_at=new.ends_at))
    added.append(Shift(new.person_id, start, end))
    return tuple(dropped), tuple(sorted(added, key=lambda s: s.starts_at))


def duty_days(
    first: date, last: date, begins: time, calendar: WorkCalendar
) -> tuple[datetime, datetime]:
    """From the hand-over of the first day to that after the last: nights belong to the day before."""
    start = datetime.combine(first, begins, calendar.zone)
    return start, datetime.combine(last + timedelta(days=1), begins, calendar.zone)


@dataclass(frozen=True, slots=True)
class RotaRow:
    """A line of a rota file; `start` and `end` are days (both included) or instants."""

    row: int
    name: str
    start: date | datetime | None
    end: date | datetime | None


_HEADINGS: Final[Mapping[str, str]] = {
    "日期": "start",
    "值班日期": "start",
    "开始": "start",
    "开始日期": "start",
    "开始时间": "start",
    "start": "start",
    "starts_at": "start",
    "结束": "end",
    "结束日期": "end",
    "结束时间": "end",
    "end": "end",
    "ends_at": "end",
    "值班人": "name",
    "值班人员": "name",
    "值班员": "name",
    "姓名": "name",
    "duty": "name",
    "person_id": "name",
    "人员编号": "name",
}
_TIME: Final = re.compile(r"(.+?)[ T](\d{1,2}):(\d{2})(?::00)?$")


def from_rows(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[RotaRow, ...] | None:
    """The lines of a rota file; None where the sheet is none: it needs a day and whose it is."""
    header: list[str] = []
    found: list[RotaRow] = []
    for number, cells in rows:
        if not header:
            names = [_HEADINGS.get(c.strip(), "") for c in cells]
            if "start" in names and "name" in names:
                header = names
            elif number > 5:
                return None
            continue
        values = {n: c.strip() for n, c in zip(header, cells, strict=False) if n}
        if any(values.values()):
            start = _instant(values.get("start", ""))
            end = _instant(values["end"]) if values.get("end") else start
            if not values.get("end") and isinstance(start, datetime):
                end = start + timedelta(days=1)
            found.append(RotaRow(number, values.get("name", ""), start, end))
    return tuple(found) if header else None


def _instant(text: str) -> date | datetime | None:
    timed = _TIME.match(text)
    if timed is None:
        return date_of(text)
    day = date_of(timed[1])
    if day is None or int(timed[2]) > 23 or int(timed[3]) > 59:
        return None
    if (timed[2], timed[3]) in (("0", "00"), ("00", "00")):
        return day
    # Local wall time: whoever uses it knows the zone.
    return datetime.combine(day, time(int(timed[2]), int(timed[3])))
