"""A year's table as offices write it: rows of a sheet, or the JSON lists that go round the net."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from handlers.domain.workdays import BadCalendar, Day, DayKind, DayStatus

COLUMNS: Final = ("date", "kind", "name", "status", "source")
_HEADINGS: Final[Mapping[str, str]] = {
    **{name: name for name in COLUMNS},
    "日期": "date",
    "类型": "kind",
    "安排": "kind",
    "名称": "name",
    "节日": "name",
    "状态": "status",
    "来源": "source",
    "依据": "source",
}
_KINDS: Final[Mapping[str, DayKind]] = {
    "off": DayKind.OFF,
    "休": DayKind.OFF,
    "放假": DayKind.OFF,
    "休息": DayKind.OFF,
    "work": DayKind.WORK,
    "班": DayKind.WORK,
    "上班": DayKind.WORK,
    "补班": DayKind.WORK,
    "调休上班": DayKind.WORK,
    "rule": DayKind.RULE,
    "按星期": DayKind.RULE,
}
_STATUSES: Final[Mapping[str, DayStatus]] = {
    "": DayStatus.PUBLISHED,
    "published": DayStatus.PUBLISHED,
    "已公布": DayStatus.PUBLISHED,
    "estimated": DayStatus.ESTIMATED,
    "预估": DayStatus.ESTIMATED,
}
_DATE: Final = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[ T]0.*)?$"
)
KIND_NAMES: Final = {DayKind.OFF: "休", DayKind.WORK: "班", DayKind.RULE: "按星期"}
STATUS_NAMES: Final = {DayStatus.PUBLISHED: "已公布", DayStatus.ESTIMATED: "预估"}


def from_rows(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[Day, ...]:
    """The days of a sheet; raises BadCalendar with every row that cannot be read."""
    header: list[str] = []
    items: list[tuple[str, Mapping[str, Any]]] = []
    for number, cells in rows:
        names = [_HEADINGS.get(cell.strip(), "") for cell in cells]
        if not header:
            if "date" in names and "kind" in names:
                header = names
            continue
        values = {n: c.strip() for n, c in zip(header, cells, strict=False) if n}
        if any(values.values()):
            items.append((str(number), values))
    if not header:
        raise BadCalendar([("no_header", "")])
    return _days(items)


def from_plain(plain: Any) -> tuple[Day, ...]:
    """The days of a JSON list, or of an object that holds one under `days`; raises BadCalendar."""
    common: dict[str, Any] = {}
    if isinstance(plain, dict):
        common = {k: plain[k] for k in ("status", "source") if isinstance(plain.get(k), str)}
        papers = plain.get("papers")
        if isinstance(papers, list) and papers:
            common.setdefault("source", str(papers[0]))
        plain = plain.get("days")
    if not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
        raise BadCalendar([("no_days", "")])
    return _days([(str(n), {**common, **one}) for n, one in enumerate(plain, 1)])


def _days(items: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Day, ...]:
    found: list[Day] = []
    faults: list[tuple[str, str]] = []
    for where, values in items:
        kind = str(values.get("kind", ""))
        if isinstance(values.get("isOffDay"), bool):
            kind = "off" if values["isOffDay"] else "work"
        on, said = date_of(str(values.get("date", ""))), _KINDS.get(kind)
        status = _STATUSES.get(str(values.get("status") or ""))
        if on is None or said is None or status is None:
            faults.append(("line_unclear", where))
            continue
        name, source = (str(values.get(k) or "")[:100] for k in ("name", "source"))
        found.append(Day(on, said, status, name, source))
    if faults:
        raise BadCalendar(faults)
    return tuple(found)


def date_of(text: str) -> date | None:
    """2027-01-01, 2027/1/1, 20270101, 2027年1月1日 -> the day; None for anything else."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    year, month, day = match[1], match[2] or match[4], match[3] or match[5]
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
