"""Dates and times as people say them: 后天下午三点半, 节后第一个工作日, 月底前, 3个工作日内.

A text is read from left to right: a day, a part of the day, a clock time and what bounds them
(前, 内, 到). Where a text names several times, a correction keeps the last, else what is due
and still ahead comes first.
"""

import calendar as months
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from handlers.domain.moment import Granularity, Moment
from handlers.domain.workdays import SHANGHAI
from handlers.understanding import time_words as w
from handlers.understanding.numbers import FLAT, value_of

__all__ = ["Granularity", "HolidayCalendar", "Moment", "date_in", "find_time"]


class HolidayCalendar(Protocol):
    """What the phrases about work and holidays need to know."""

    def is_workday(self, day: date) -> bool: ...

    def holiday(self, day: date) -> str:
        """The name of the holiday that makes this a day off, else empty."""
        ...


def find_time(
    text: str, now: datetime, calendar: HolidayCalendar, zone: ZoneInfo = SHANGHAI
) -> Moment | None:
    """The time that a text names, or none; `now` is aware, what comes back is local time."""
    if w.HINT.search(text) is None:
        return None
    local = now.astimezone(zone)
    try:
        return _Reader(_unsaid(text.translate(FLAT)), local, calendar).best()
    except (OverflowError, ValueError):  # 「九千年后」: no such date
        return None


def date_in(
    text: str, now: datetime, calendar: HolidayCalendar, zone: ZoneInfo = SHANGHAI
) -> tuple[datetime | None, str]:
    """The date of a command and the text without it: closing time of its last day, or the clock time said."""
    moment = find_time(text, now, calendar, zone)
    if moment is None:
        return None, text
    at = moment.end or moment.start
    if moment.end is not None or at.time() == w.LAST:
        at = datetime.combine(at.date(), w.CLOSING, at.tzinfo)
    rest = f"{text[: moment.at].rstrip(_EDGES)} {text[moment.to :].lstrip(_EDGES)}".strip()
    return at.astimezone(now.tzinfo), rest


_EDGES: Final = " ,，。;；之以到至在延"
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
# A holiday phrase looks this far ahead: a year and the weeks by which the moon may move a feast.
_AHEAD: Final = 400


def _unsaid(flat: str) -> str:
    if "不是" not in flat:
        return flat
    return w.UNSAID.sub(lambda m: "。" * len(m.group()), flat)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Days that were named; `roll` is the step to the next such days when these are past."""

    first: date
    last: date
    grain: Granularity = Granularity.DAY
    roll: str = ""
    # 「节前」, 「三天内」 are bounds by themselves.
    due: bool = False
    # 「三个工作日内」 ends at closing, 「半小时后」 at an instant.
    exact: datetime | None = None
    # Later than this nothing else of the time may follow.
    closed: bool = False
    # Where the words end, if behind the pattern's own match.
    to: int = 0


def _day(day: date, roll: str = "") -> _Slot:
    return _Slot(day, day, roll=roll)


@dataclass(frozen=True, slots=True)
class _Said:
    """One expression of a text before it is settled."""

    at: int
    to: int
    slot: _Slot | None = None
    part: str = ""
    clock: int | None = None
    literal: bool = False
    bound: str = ""


_Match = re.Match[str]


class _Reader:
    """Reads one text; `_ref` is the day by which a bare weekday or number is counted."""

    def __init__(self, text: str, now: datetime, calendar: HolidayCalendar) -> None:
        self._text: Final = text
        self._now: Final = now
        self._today: Final = now.date()
        self._calendar: Final = calendar
        self._ref = self._today

    # ---- the whole text

    def best(self) -> Moment | None:
        found: list[Moment] = []
        named: list[bool] = []
        last: _Said | None = None
        at = 0
        while (start := _START.search(self._text, at)) is not None:
            at = start.start()
            said = self._said(at)
            if said is None or _AGAIN.search(self._text, max(0, at - 4), at) is not None:
                at = at + 1 if said is None else said.to
                continue
            if last is not None and w.CHANGED.search(self._text, last.to, said.at) is not None:
                if said.slot is None and last.slot is not None:
                    moment = self._settle(replace(said, slot=self._slot_of(found[-1])), said.to)
                else:
                    moment = self._range(said)
                found, named = [], []
            else:
                moment = self._range(said)
            found.append(moment)
            named.append(said.slot is not None)
            last, at = said, max(moment.to, at + 1)
        if not found:
            return None
        return max(enumerate(found), key=lambda i: (self._rank(i[1], named[i[0]]), -i[0]))[1]

    def _rank(self, moment: Moment, named: bool) -> tuple[bool, bool, bool, bool]:
        ahead = (moment.end or moment.start) >= self._now
        fine = moment.granularity not in w.COARSE
        return ahead, moment.before, fine, named

    def _slot_of(self, moment: Moment) -> _Slot:
        return _day(moment.start.date())

    def _range(self, said: _Said) -> Moment:
        """The expression, or with 到 and a second one the span from the one to the other."""
        first = self._settle(said, said.to)
        link = w.TO.match(self._text, said.to)
        if link is None or said.bound or (said.slot is not None and said.slot.closed):
            return first
        self._ref = first.start.date()
        try:
            second = self._said(link.end())
            if second is None or (
                second.slot is None and not (said.part or said.clock is not None)
            ):
                return first
            if second.slot is None:
                second = replace(second, slot=_day(first.start.date()))
            if second.clock is not None and not second.part and not second.literal:
                second = replace(second, part=said.part)
            last = self._settle(second, second.to)
        finally:
            self._ref = self._today
        end = last.end or last.start
        if end <= first.start and second.clock is not None:
            # 22点到6点: the morning after.
            end = self._at(first.start.date() + _DAY, second.clock)
        if end <= first.start:
            return first
        if end.time() == time(0):
            end -= timedelta(seconds=1)
        if second.bound:
            return replace(last, at=first.at)
        return Moment(first.start, end, first.granularity, False, first.at, last.to)

    # ---- one expression

    def _said(self, at: int) -> _Said | None:
        text = self._text
        slot, to = self._slot(at)
        part, clock, literal = "", None, False
        if slot is not None and slot.closed:
            return _Said(at, to, slot, bound="closed")
        if slot is not None:
            slot, to = self._beside(slot, to)
        after = w.GLUE.match(text, to) if slot is not None else None
        here = to if after is None else after.end()
        found_part = w.PART.match(text, here)
        if found_part is not None and self._is_part(found_part, slot is not None):
            part, to = found_part.lastgroup or "", found_part.end()
            glue = w.GLUE.match(text, to)
            here = to if glue is None else glue.end()
        for gap in (here, self._past_comma(to) if slot is not None or part else here):
            read = self._clock(gap, slot is not None or bool(part))
            if read is not None:
                clock, literal, to, half = read
                part = half or part
                break
        bound = ""
        if clock is None:
            shift = self._shift(to, here, slot)
            if shift is not None:
                clock, to, bound = shift
                literal = True
        if slot is None and not part and clock is None:
            return None
        if slot is None and w.CLAUSE_DAY.match(text, to) is not None:
            # "EOD tomorrow", "9am next Monday": the day comes behind.
            behind = w.GLUE.match(text, to)
            slot, later = self._slot(to if behind is None else behind.end())
            to = later if slot is not None else to
        limit = w.BOUND.match(text, to)
        if limit is not None and not bound:
            bound = "before" if limit["within"] is None else "within"
            to = limit.end()
        head = w.LATEST.search(text, max(0, at - 12), at)
        if head is not None:
            at, bound = head.start(), bound or "before"
        return _Said(at, to, slot, part, clock, literal, bound)

    def _past_comma(self, at: int) -> int:
        loose = w.LOOSE.match(self._text, at)
        return at if loose is None else loose.end()

    def _is_part(self, match: _Match, dated: bool) -> bool:
        if dated:
            return True
        if w.CLOCK.match(self._text, match.end()) is not None:
            return True
        if self._text[match.start() - 1 : match.start()] in w.WHOLE and match.start() > 0:
            return False  # 「站了一下午」
        return w.PART_ALONE.match(self._text, match.start()) is not None or match.group().isascii()

    def _beside(self, slot: _Slot, to: int) -> tuple[_Slot, int]:
        """「本周四(26日)」, 「11月27日 周五」: one day said twice; the date decides."""
        if slot.grain is not Granularity.DAY or slot.due or slot.exact is not None:
            return slot, to
        gap = w.BRACKET.match(self._text, to)
        start = to if gap is None else gap.end()
        if start >= len(self._text):
            return slot, to
        match = w.WEEKDAY.match(self._text, start) or w.FULL.match(self._text, start)
        second, end = (None, start) if match is None and gap is None else self._slot(start)
        if second is None or second.grain is not Granularity.DAY or second.due or second.exact:
            return slot, to
        if gap is not None and (closing := w.CLOSED.match(self._text, end)) is not None:
            end = closing.end()
        elif gap is not None and "(" in gap.group():
            return slot, to
        return (slot if slot.roll != "week" else second), end

    def _shift(self, to: int, here: int, slot: _Slot | None) -> tuple[int, int, str] | None:
        for start in dict.fromkeys((here, self._past_comma(to))):
            match = w.SHIFT.match(self._text, start)
            if match is None:
                continue
            if match["off"] is not None:
                suffix = match["offsuf"] or ""
                if slot is None and not suffix.endswith("前") and not match["off"].isascii():
                    return None
                bound = "before" if suffix.endswith("前") or match["off"].isascii() else "at"
                return _minutes(w.CLOSING), match.end(), bound
            if slot is None and match.group() == "上班":
                return None
            if match.group() == "上班" and self._text[match.end() : match.end() + 1] == "的":
                return None
            return (
                _minutes(w.OPENING),
                match.end(),
                "before" if match.group().endswith("前") else "at",
            )
        return None

    def _clock(self, at: int, known: bool) -> tuple[int, bool, int, str] | None:
        """Minutes of the day, whether they were said in 24 hours, where it ends, am or pm."""
        noon = w.NOON.match(self._text, at)
        if noon is not None:
            return 720, True, noon.end(), ""
        match = w.CLOCK.match(self._text, at)
        if match is None:
            return None
        if match["h"] is not None:
            half = _half(match["half1"])
            hour, minute = int(match["h"]), int(match["m"])
            literal = match["h"].startswith("0") or hour > 12
            return hour * 60 + minute, literal, match.end(), half
        if match["h3"] is not None:
            return int(match["h3"]) * 60, False, match.end(), _half(match["half3"])
        said = value_of(match["h2"])
        if said is None or not self._is_clock(match, known):
            return None
        minute = 0
        if match["m2"] is not None:
            minute = int(value_of(match["m2"]) or 0)
        elif match["word"] is not None:
            minute = {"半": 30, "一刻": 15, "三刻": 45}[match["word"]]
        if minute > 59 or said > 24:
            return None
        return int(said) * 60 + minute, said > 12 or said == 0, match.end(), ""

    def _is_clock(self, match: _Match, known: bool) -> bool:
        """「三点」 may be a time or three points; 「一点」 mostly is a bit."""
        if match.group()[-1] not in "点时":
            return True
        head = self._text[match.start() - 1 : match.start()]
        if head in w.COUNTED or (head in w.COMPARED and match["h2"] in ("一", "两")):
            return False
        if w.NO_CLOCK.match(self._text, match.end()) is not None:
            return False
        if match["h2"] == "一" and match["sign"] == "点":
            follows = w.ENDS.match(self._text, match.end()) is not None
            return follows and (known or w.BOUND.match(self._text, match.end()) is not None)
        return True

    # ---- from words to instants

    def _at(self, day: date, minutes: int) -> datetime:
        return datetime.combine(day, time(), self._now.tzinfo) + timedelta(minutes=minutes)

    def _on(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._now.tzinfo)

    def _settle(self, said: _Said, to: int) -> Moment:
        slot = said.slot or _day(self._today, "day")
        if slot.exact is not None:
            return Moment(slot.exact, None, slot.grain, slot.due, said.at, to)
        moment = self._placed(slot, said, to)
        while slot.roll and (moment.end or moment.start) < self._now:
            slot = self._rolled(slot)
            moment = self._placed(slot, said, to)
        return moment

    def _rolled(self, slot: _Slot) -> _Slot:
        if slot.roll == "year":
            return replace(slot, first=_years(slot.first, 1), last=_years(slot.last, 1))
        if slot.roll == "month":
            first = next(day for n in range(1, 13) if (day := _same_day(slot.first, n)) is not None)
            return replace(slot, first=first, last=first)
        step = _WEEK if slot.roll == "week" else _DAY
        return replace(slot, first=slot.first + step, last=slot.last + step)

    def _placed(self, slot: _Slot, said: _Said, to: int) -> Moment:
        before = said.bound in ("before", "within")
        if said.clock is not None:
            start = self._at(slot.first, _hour(said.clock, said.part, said.literal))
            return Moment(start, None, Granularity.MINUTE, before, said.at, to)
        if said.part:
            start, end = (self._on(slot.first, t) for t in w.PARTS[said.part])
            if before:
                start = start if said.part == "中午" else end
                return Moment(start, None, Granularity.HALFDAY, True, said.at, to)
            return Moment(start, end, Granularity.HALFDAY, False, said.at, to)
        if said.bound == "before" and slot.grain in w.COARSE and slot.first > self._today:
            # 「下周前」: before it begins.
            last = self._on(slot.first - _DAY, w.LAST)
            return Moment(last, None, Granularity.DAY, True, said.at, to)
        if before:
            return Moment(self._on(slot.last, w.LAST), None, slot.grain, True, said.at, to)
        return Moment(
            self._on(slot.first, time()),
            self._on(slot.last, w.LAST),
            slot.grain,
            False,
            said.at,
            to,
        )

    # ---- days

    def _slot(self, at: int) -> tuple[_Slot | None, int]:
        """The days named at a place of the text, and where that ends."""
        for pattern, read in _READERS.get(self._text[at : at + 1].lower(), ()):
            match = pattern.match(self._text, at)
            if match is None or match.end() == match.start():
                continue
            slot = read(self, match)
            if slot is not None:
                return self._workday_of(slot, slot.to or match.end())
        return None, at

    def _workday_of(self, slot: _Slot, to: int) -> tuple[_Slot, int]:
        """「下月第一个工作日」."""
        if slot.grain not in w.COARSE and slot.last == slot.first and not slot.closed:
            if (match := w.WORK_ENDING.match(self._text, to)) is None or slot.exact:
                return slot, to
            return _day(self._work_before(slot.last + _DAY)), match.end()
        match = w.WORKDAYS_FROM.match(self._text, to)
        if match is None or slot.closed:
            return slot, to
        if match["last"] is not None:
            return _day(self._work_before(slot.last + _DAY)), match.end()
        number = int(value_of(match["n"] or "1") or 1)
        return _day(self._work_after(slot.first - _DAY, number)), match.end()

    def read_full(self, match: _Match) -> _Slot | None:
        day = _date(int(match[1]), int(match[2]), int(match[3]))
        return None if day is None else _day(day)

    def _year_said(self, match: _Match) -> int | None:
        if match["yn"] is not None:
            return int(match["yn"])
        word = match["yw"]
        if word is None:
            return None
        return self._today.year + {"明年": 1, "后年": 2, "去年": -1}.get(word, 0)

    def _month_said(self, match: _Match) -> tuple[int, int, bool]:
        """Year and month, and whether the year was left open."""
        year = self._year_said(match)
        if match["m"] is not None:
            month = 1 if match["m"] == "元" else int(value_of(match["m"]) or 1)
            return year or self._ref.year, month, year is None
        first = _months(self._today.replace(day=1), w.STEPS.get(match["pre"] or "", 0))
        return year or first.year, first.month, False

    def read_month_day(self, match: _Match) -> _Slot | None:
        year, month, open_year = self._month_said(match)
        slot = self._dated(year, month, int(value_of(match["d"]) or 0), open_year)
        if slot is None or match["d2"] is None:
            return slot
        last = _numbered_day(slot.first, int(value_of(match["d2"]) or 0))
        return slot if last is None or last < slot.first else replace(slot, last=last)

    def _dated(self, year: int, month: int, number: int, open_year: bool) -> _Slot | None:
        day = _date(year, month, number)
        if day is not None and open_year and day < self._ref:
            day = _date(year + 1, month, number)
        if day is None and open_year and (month, number) == (2, 29):
            day = next((d for n in range(1, 9) if (d := _date(year + n, 2, 29))), None)
        return None if day is None else _day(day)

    def read_slashed(self, match: _Match) -> _Slot | None:
        month, day = match["m"] or match["m2"], match["d"] or match["d2"] or match["d3"]
        return self._dated(self._ref.year, int(month), int(day), True)

    def read_day_number(self, match: _Match) -> _Slot | None:
        return self._numbered(int(value_of(match["d"]) or 0))

    def _numbered(self, number: int) -> _Slot | None:
        for n in range(13):
            day = _numbered_day(_months(self._ref.replace(day=1), n), number)
            if day is not None and day >= self._ref:
                return _day(day, "month")
        return None

    def read_two_numbers(self, match: _Match) -> _Slot | None:
        first = self._numbered(int(value_of(match["a"]) or 0))
        last = int(value_of(match["b"]) or 0)
        if first is None:
            return None
        end = _numbered_day(first.first, last)
        if end is None or end < first.first:
            end = _numbered_day(_months(first.first.replace(day=1), 1), last)
        return None if end is None else _Slot(first.first, end)

    def read_relative(self, match: _Match) -> _Slot | None:
        several = match["several"]
        if several is not None:
            if several.isascii():
                return _day(self._today + 2 * _DAY)
            first = self._today + (_DAY if several.startswith("明") else timedelta())
            return _Slot(first, first + (2 if several == "今明后三天" else 1) * _DAY)
        return _day(self._today + w.OFFSETS[match["one"].lower()] * _DAY)

    def read_weekday(self, match: _Match) -> _Slot | None:
        pre = match["pre"] or ""
        monday = self._today - timedelta(days=self._today.weekday())
        if match["end"] is not None:
            saturday = monday + w.STEPS.get(pre, 0) * _WEEK + 5 * _DAY
            return _Slot(saturday, saturday + _DAY, Granularity.WEEKEND)
        word = match["w"]
        number = (
            int(word) - 1 if word.isascii() else "一二三四五六日".find(word.replace("天", "日"))
        )
        if pre in ("下", "下下", "上", "上上"):
            return _day(monday + w.STEPS[pre] * _WEEK + number * _DAY)
        return _day(self._ref + ((number - self._ref.weekday()) % 7) * _DAY, "week")

    def read_english_weekday(self, match: _Match) -> _Slot | None:
        number = ("mo", "tu", "we", "th", "fr", "sa", "su").index(match["w"][:2].lower())
        if (match["pre"] or "").lower() == "next":
            monday = self._today - timedelta(days=self._today.weekday())
            return _day(monday + _WEEK + number * _DAY)
        return _day(self._ref + ((number - self._ref.weekday()) % 7) * _DAY, "week")

    def read_english_date(self, match: _Match) -> _Slot | None:
        name = (match["m"] or match["m2"]).lower()[:3]
        month = w.ENGLISH_MONTHS.index(name) + 1
        return self._dated(self._ref.year, month, int(match["d"] or match["d2"]), True)

    def read_english_span(self, match: _Match) -> _Slot | None:
        if match["end"] is not None:
            unit = (match["endof"] or "month").lower()
            slot = self._span({"week": "周", "month": "月", "year": "年"}[unit], 0)
            return _day(slot.last)
        step = 1 if match["pre"].lower() == "next" else 0
        unit = match["unit"].lower()
        if unit == "weekend":
            monday = self._today - timedelta(days=self._today.weekday())
            saturday = monday + step * _WEEK + 5 * _DAY
            return _Slot(saturday, saturday + _DAY, Granularity.WEEKEND)
        return self._span({"week": "周", "month": "月", "year": "年", "quarter": "季"}[unit], step)

    def read_english_within(self, match: _Match) -> _Slot | None:
        number = w.ENGLISH_NUMBERS.get(match["n"].lower()) or int(value_of(match["n"]) or 0)
        unit = match["unit"].lower().rstrip("s")
        if unit.endswith(" day"):
            return self._in_workdays(self._today, number)
        word = {"minute": "分钟", "hour": "小时", "day": "天", "week": "周", "month": "月"}[unit]
        return self._length(float(number), word, "内")

    def _span(self, unit: str, step: int) -> _Slot:
        if unit == "周":
            first = self._today - timedelta(days=self._today.weekday()) + step * _WEEK
            return _Slot(first, first + 6 * _DAY, Granularity.WEEK)
        if unit == "月":
            first = _months(self._today.replace(day=1), step)
            return _Slot(first, _end_of(first), Granularity.MONTH)
        if unit == "季":
            quarter = (self._today.month - 1) // 3
            first = _months(date(self._today.year, 1, 1), 3 * (quarter + step))
            return _Slot(first, _end_of(_months(first, 2)), Granularity.QUARTER)
        year = self._today.year + step
        return _Slot(date(year, 1, 1), date(year, 12, 31), Granularity.YEAR)

    def read_week(self, match: _Match) -> _Slot | None:
        return self._span("周", w.STEPS.get(match["pre"] or "", 0))

    def read_month(self, match: _Match) -> _Slot | None:
        year, month, open_year = self._month_said(match)
        first = date(year, month, 1)
        if open_year and _end_of(first) < self._ref:
            first = date(year + 1, month, 1)
        part = match["part"]
        if part in ("底", "末"):
            return _day(_end_of(first))
        if part == "中":
            return _day(first.replace(day=15))
        if part in ("上旬", "初"):
            return _Slot(first, first.replace(day=10), Granularity.TENDAY)
        if part == "中旬":
            return _Slot(first.replace(day=11), first.replace(day=20), Granularity.TENDAY)
        if part == "下旬":
            return _Slot(first.replace(day=21), _end_of(first), Granularity.TENDAY)
        return _Slot(first, _end_of(first), Granularity.MONTH)

    def read_quarter(self, match: _Match) -> _Slot | None:
        said = match["q"] or match["q2"]
        year = self._year_said(match)
        if said is not None:
            first = date(year or self._today.year, 3 * int(value_of(said) or 1) - 2, 1)
            slot = _Slot(first, _end_of(_months(first, 2)), Granularity.QUARTER)
            if year is None and slot.last < self._ref:
                slot = replace(slot, first=_years(first, 1), last=_years(slot.last, 1))
        else:
            slot = self._span("季", w.STEPS.get(match["pre"] or "", 0))
        return slot if match["part"] is None else _day(slot.last)

    def read_year(self, match: _Match) -> _Slot | None:
        year = self._year_said(match)
        part = match["part"] or match["half"] or ""
        open_year, year = year is None, year or self._today.year
        if part.endswith("半年"):
            if open_year and part == "上半年" and self._today.month > 6:
                year += 1
            first = date(year, 1 if part == "上半年" else 7, 1)
            return _Slot(first, _end_of(_months(first, 5)), Granularity.QUARTER)
        if part.endswith("初"):
            return _Slot(date(year, 1, 1), date(year, 1, 31), Granularity.MONTH)
        if part:
            return _day(date(year, 12, 31))
        return _Slot(date(year, 1, 1), date(year, 12, 31), Granularity.YEAR)

    # ---- lengths of time

    def read_length(self, match: _Match) -> _Slot | None:
        unit, suffix = match["unit"], (match["suffix"] or "")[-1:]
        if match["lead"] is not None:
            suffix = suffix or "后"
        half = match["half"] is not None or match["half2"] is not None
        said = match["n3"] or match["n2"] or match["n"]
        number = 0.5 if said == "半" else float(value_of(said) or 0) + (0.5 if half else 0)
        if unit == "工作日":
            return self._workdays(int(number), suffix)
        if unit == "月" and match["ge"] is None:
            return None  # 「3月内」 is in March
        if not suffix or (unit == "日" and suffix == "前") or (unit == "天" and number < 1):
            return None
        if match["lead"] is not None and match["n"] == "两" and unit == "天":
            return None  # 「过两天」 is some day
        return self._length(number, unit, suffix)

    def _length(self, number: float, unit: str, suffix: str) -> _Slot | None:
        minutes = {"分钟": 1, "刻钟": 15, "小时": 60, "钟头": 60, "h": 60, "H": 60}.get(unit)
        if minutes is not None:
            by = timedelta(minutes=minutes * number)
            at = self._now - by if suffix == "前" else self._now + by
            grain = Granularity.MINUTE if minutes < 60 else Granularity.HOUR
            return _Slot(at.date(), at.date(), grain, "", suffix == "内", at, True)
        sign = -1 if suffix == "前" else 1
        if unit in ("月", "年"):
            months_by = round(number * (12 if unit == "年" else 1) * 2)
            day = _months(self._today, sign * (months_by // 2))
            day += sign * 15 * (months_by % 2) * _DAY
        else:
            days = number * (1 if unit in ("天", "日") else 7)
            day = self._today + sign * timedelta(days=round(days))
        if suffix == "内":
            return replace(_day(day), due=True, closed=True, exact=self._on(day, w.LAST))
        return _day(day)

    def _workdays(self, number: int, suffix: str) -> _Slot | None:
        if number < 1 or suffix == "前" or number > 366:
            return None
        if suffix == "后":
            return _day(self._work_after(self._today, number))
        return self._in_workdays(self._today, number)

    def _in_workdays(self, start: date, number: int) -> _Slot:
        day = self._work_after(start, number)
        return _Slot(day, day, due=True, exact=self._on(day, w.CLOSING), closed=True)

    def read_next_workday(self, match: _Match) -> _Slot | None:
        return _day(self._work_after(self._today, 1))

    def _work_after(self, day: date, number: int) -> date:
        while number:
            day += _DAY
            number -= self._calendar.is_workday(day)
        return day

    def _work_before(self, day: date) -> date:
        for _ in range(_AHEAD):
            day -= _DAY
            if self._calendar.is_workday(day):
                break
        return day

    # ---- holidays

    def read_holiday(self, match: _Match) -> _Slot | None:
        name = match["done"] or match["name"]
        before, during = match["before"], match["during"] or match["during2"]
        block = self._block(name, ahead=before is not None)
        if block is None:
            return None
        first, last = block
        if during:
            return _day(first) if during in ("当天", "当日") else _Slot(first, last)
        if before is not None:
            return self._before_holiday(match.end(), first)
        return self._after_holiday(match.end(), last)

    def _before_holiday(self, to: int, first: date) -> _Slot:
        which = w.BEFORE_WHICH.match(self._text, to)
        if which is None:
            return replace(
                _day(first - _DAY), due=True, closed=True, exact=self._on(first - _DAY, w.LAST)
            )
        if which["eve"] is not None:
            return replace(_day(first - _DAY), to=which.end())
        return replace(_day(self._work_before(first)), to=which.end())

    def _after_holiday(self, to: int, last: date) -> _Slot:
        which = w.AFTER_WHICH.match(self._text, to)
        if which is not None:
            number = int(value_of(which["n"] or "1") or 1)
            if which["n"] and which["work"] is None and which["open"] is None:
                return replace(_day(last + number * _DAY), to=which.end())
            return replace(_day(self._work_after(last, number)), to=which.end())
        length = w.LENGTH.match(self._text, to)
        if length is not None and length["unit"] in ("天", "日", "周", "星期", "礼拜", "工作日"):
            number = int(value_of(length["n3"] or length["n2"] or length["n"]) or 0)
            if length["unit"] == "工作日" and number:
                return replace(self._in_workdays(last, number), to=length.end())
            if (length["suffix"] or "").endswith("内") and number:
                day = last + number * (_DAY if length["unit"] in ("天", "日") else _WEEK)
                return replace(
                    _day(day), due=True, closed=True, exact=self._on(day, w.LAST), to=length.end()
                )
        return _day(self._work_after(last, 1))

    def _block(self, name: str, ahead: bool) -> tuple[date, date] | None:
        """The next holiday of that name: its first and last day; `ahead`: it must not have begun."""
        wanted = next((full for short, full in w.NAMES.items() if name.startswith(short)), "")
        named = self._calendar.holiday
        day = self._today
        end = day + _AHEAD * _DAY
        if not ahead and named(day):
            while named(day - _DAY):
                day -= _DAY
        while day <= end:
            if not named(day):
                day += _DAY
                continue
            first, names = day, named(day)
            while named(day + _DAY):
                day += _DAY
                names += named(day)
            long = name != "长假" or any(n in names for n in w.LONG)
            begun = ahead and (first <= self._today or bool(named(first - _DAY)))
            if wanted in names and long and not begun:
                return first, day
            day += _DAY
        if wanted in w.FIXED:
            month, number = w.FIXED[wanted]
            first = date(self._today.year, month, number)
            first = first if first > self._today else _years(first, 1)
            return first, first
        return None


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _half(said: str | None) -> str:
    return "" if said is None else "上午" if said.lower() == "am" else "下午"


def _hour(clock: int, part: str, literal: bool) -> int:
    """Minutes of the day with 下午, 晚上 or nothing said; beyond 1440 is the next day."""
    hour = clock // 60
    if part == "晚上":
        if hour in (0, 12):
            return clock + (24 - hour) * 60
        return clock + (24 * 60 if hour < 6 else 12 * 60 if hour < 12 else 0)
    if part == "下午":
        return clock + (12 * 60 if hour < 12 else 0)
    if part == "中午":
        return clock + (12 * 60 if hour < 6 else 0)
    if part:
        return clock - (12 * 60 if hour == 12 and part == "凌晨" else 0)
    return clock + (12 * 60 if 1 <= hour <= 7 and not literal else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _numbered_day(month: date, number: int) -> date | None:
    return _date(month.year, month.month, number)


def _same_day(day: date, n: int) -> date | None:
    return _numbered_day(_months(day.replace(day=1), n), day.day)


def _months(day: date, n: int) -> date:
    """The same day `n` months on, or the last of that month."""
    index = day.year * 12 + day.month - 1 + n
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def _years(day: date, n: int) -> date:
    return _months(day, 12 * n)


def _end_of(month: date) -> date:
    return month.replace(day=months.monthrange(month.year, month.month)[1])


_NUMERALS: Final = "0123456789零一二两三四五六七八九十廿卅"
_Read = Callable[[_Reader, _Match], _Slot | None]
_WAYS: Final[tuple[tuple[str, re.Pattern[str], _Read], ...]] = (
    ("十五国中端清劳元春过小长放节年", w.HOLIDAY, _Reader.read_holiday),
    ("2", w.FULL, _Reader.read_full),
    (_NUMERALS + "再过半", w.LENGTH, _Reader.read_length),
    ("大后明今当次昨前dt", w.RELATIVE, _Reader.read_relative),
    (_NUMERALS + "今明后去本这上下当元", w.MONTH_DAY, _Reader.read_month_day),
    (_NUMERALS, w.TWO_NUMBERS, _Reader.read_two_numbers),
    (_NUMERALS, w.DAY_NUMBER, _Reader.read_day_number),
    ("0123456789", w.SLASHED, _Reader.read_slashed),
    ("下本这上周星礼", w.WEEKDAY, _Reader.read_weekday),
    ("下次后第", w.NEXT_WORKDAY, _Reader.read_next_workday),
    ("下本这上周", w.WEEK_SPAN, _Reader.read_week),
    (_NUMERALS + "今明后去本这上下当元月", w.MONTH, _Reader.read_month),
    (_NUMERALS + "今明后去本这上下第季q", w.QUARTER, _Reader.read_quarter),
    ("2今明后去本年上下", w.YEAR, _Reader.read_year),
    ("ntcmtwfs", w.ENGLISH_WEEKDAY, _Reader.read_english_weekday),
    ("ent", w.ENGLISH_SPAN, _Reader.read_english_span),
    ("wi", w.ENGLISH_WITHIN, _Reader.read_english_within),
    ("0123jfmasond", w.ENGLISH_DATE, _Reader.read_english_date),
)


def _by_first() -> dict[str, tuple[tuple[re.Pattern[str], _Read], ...]]:
    firsts = {c for chars, _, _ in _WAYS for c in chars}
    return {c: tuple((p, r) for chars, p, r in _WAYS if c in chars) for c in firsts}


_READERS: Final = _by_first()
# 「每天下午三点」 is no moment.
_AGAIN: Final = re.compile(r"(?:每(?:天|日|晚|早|个?月|周|年|季度?|逢)|天天)的?\s*$")
_WORDS: Final = "".join(sorted(c for c in _READERS if not ("a" <= c <= "z") and c not in _NUMERALS))
_START: Final = re.compile(
    rf"[{_WORDS}凌早晚夜傍午深刚收打]|"
    # A numeral only where a unit of time stands behind it.
    rf"(?<![{_NUMERALS}])[{_NUMERALS}](?=[{_NUMERALS}]{{0,4}}\s?"
    r"(?:[月日号点时天周年分刻小钟半星礼季hH工:/.\-~至到、个apAP]|[A-Z][a-z]))|"
    r"十一(?=[前后之以期长假放节结])|五一|一上班|一大?早|"
    r"(?<![A-Za-z])(?:[dtncmwfsjaoieqDTNCMWFSJAOIEQ]|by|until|before|By|Before)(?=[A-Za-z0-9])"
)
