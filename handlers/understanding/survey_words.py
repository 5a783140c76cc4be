"""What somebody who opens a survey writes: title, questions, for whom, until when, what for."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handlers.domain.moment import Granularity, Moment
from handlers.domain.survey import Question, QuestionKind
from handlers.domain.workdays import WorkCalendar
from handlers.understanding.numbers import FLAT, value_of
from handlers.understanding.times import find_time


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a survey as they were said; what is empty was not."""

    title: str = ""
    questions: str = ""
    audience: str = ""
    due: str = ""
    purpose: str = ""


_LABELS: Final = {
    "questions": r"问题|内容|填报内容|填报|项目|填什么|指标",
    "audience": r"对象|范围|请谁报|谁来报|发给|面向|企业",
    "due": r"截止时间|截止|期限|截至|时限|报送时间",
    "purpose": r"用途|目的|用于|为了",
    "title": r"标题|题目|名称|主题",
}
_LABEL: Final = re.compile("|".join(rf"(?P<{name}>{words})" for name, words in _LABELS.items()))
_SEGMENT: Final = re.compile(r"[;；\n]+")
_COLON: Final = re.compile(r"[:：]")


def draft_in(text: str) -> Draft:
    """A whole opening sentence taken apart."""
    found: dict[str, str] = {}
    rest: list[str] = []
    for segment in (s.strip(" ,，。") for s in _SEGMENT.split(text)):
        if not segment:
            continue
        label = _LABEL.match(segment)
        if label is not None and label.lastgroup is not None and label.lastgroup not in found:
            body = segment[label.end() :]
            if body[:1] in (":", "：", " ", "是") or label.lastgroup != "audience":
                found[label.lastgroup] = body.strip(" :：是,，")
                continue
        rest.append(segment)
    if rest:
        head = _COLON.split(rest[0], maxsplit=1)
        if "title" not in found:
            found["title"] = head[0].strip()
            if len(head) > 1 and head[1].strip():
                rest[0] = head[1].strip()
            else:
                rest.pop(0)
        if rest and "questions" not in found:
            found["questions"] = "；".join(rest)
    return Draft(**found)


# ---- questions

_QUESTION: Final = re.compile(r"[、,，;；\n](?![^(（]*[)）])")
_BRACKET: Final = re.compile(r"^(?P<name>[^(（]+)[(（](?P<inside>[^)）]*)[)）]\s*$")
_NUMBERED: Final = re.compile(r"^\s*\d{1,2}\s*[.、)）]\s*")
_KINDS: Final = {
    "文字": QuestionKind.TEXT, "说明": QuestionKind.TEXT, "填空": QuestionKind.TEXT, "简述": QuestionKind.TEXT,
    "是否": QuestionKind.YES_NO, "是/否": QuestionKind.YES_NO, "是或否": QuestionKind.YES_NO, "有无": QuestionKind.YES_NO,
    "日期": QuestionKind.DATE, "时间": QuestionKind.DATE, "哪天": QuestionKind.DATE,
    "数": QuestionKind.NUMBER, "数字": QuestionKind.NUMBER, "数量": QuestionKind.NUMBER, "个数": QuestionKind.NUMBER,
}  # fmt: skip
_CHOICE: Final = re.compile(r"^(?:单?选|选项|选择)?\s*[:：]?\s*(.+[/／|].+)$")
_TABLE: Final = re.compile(r"^(?:表|表格|清单)\s*[:：]\s*(.+)$")
_IS_YES_NO: Final = re.compile(r"^(?:是否|有无|有没有|能否|会不会)|吗[?？]?$")
_IS_DATE: Final = re.compile(r"日期$|时间$|哪天|何时|什么时候")
_IS_TEXT: Final = re.compile(
    r"原因|困难|说明|建议|名称|诉求|需求内容|备注|意见|怎么|如何|联系人|地址"
)


def questions_in(text: str) -> tuple[Question, ...]:
    """挡车工(名)、产值(万元)、是否停产、班次(选:一班/两班)、设备(表:名称,台数)."""
    found = []
    for part in _QUESTION.split(text):
        written = _NUMBERED.sub("", part).strip(" 。.?？")
        if written:
            found.append(_question(written))
    return tuple(found)


def _question(written: str) -> Question:
    bracket = _BRACKET.match(written)
    if bracket is None:
        if _IS_YES_NO.search(written):
            return Question(written, QuestionKind.YES_NO)
        if _IS_DATE.search(written):
            return Question(written, QuestionKind.DATE)
        kind = QuestionKind.TEXT if _IS_TEXT.search(written) else QuestionKind.NUMBER
        return Question(written, kind)
    name, inside = bracket["name"].strip(), bracket["inside"].strip()
    if inside in _KINDS:
        return Question(name, _KINDS[inside])
    table = _TABLE.match(inside)
    if table is not None:
        columns = tuple(c.strip() for c in re.split(r"[、,，/|]", table[1]) if c.strip())
        return Question(name, QuestionKind.TABLE, columns=columns)
    choice = _CHOICE.match(inside)
    if choice is not None and inside not in ("是/否",):
        options = tuple(c.strip() for c in re.split(r"[/／|]", choice[1]) if c.strip())
        return Question(name, QuestionKind.CHOICE, choices=options)
    return Question(name, QuestionKind.NUMBER, unit=inside[:8])


# ---- for whom

_EVERY_GRID: Final = re.compile(
    r"(?:[\d一二三四五六七八九十]+个|各个?|所有|全部)网格(?:的?全部企业|的?所有企业)?"
)
_RANGE: Final = re.compile(
    r"第?(\d{1,2}|[一二三四五六七八九])\s*[-~到至]\s*第?(\d{1,2}|[一二三四五六七八九])\s*(?:号)?网格"
)
_GRID: Final = re.compile(r"第?([一二三四五六七八九十]{1,2})(?=(?:号)?网格)")
_OWN: Final = re.compile(
    r"我的企业|我(?:挂钩|联系|结对)的?企业|自己的企业|本人(?:挂钩|联系)的?企业"
)


def is_own(text: str) -> bool:
    """我的企业: those that the speaker answers for."""
    return _OWN.search(text) is not None


def audience_words(text: str) -> str:
    """Grids as single numbers: 1-3网格, 第三网格, 9个网格."""
    flat = _EVERY_GRID.sub("全部企业", text.translate(FLAT))

    def spread(found: re.Match[str]) -> str:
        first, last = value_of(found[1]), value_of(found[2])
        if first is None or last is None:
            return found[0]
        return "、".join(f"网格{n}" for n in range(int(first), int(last) + 1))

    flat = _RANGE.sub(spread, flat)
    return _GRID.sub(lambda found: str(value_of(found[1]) or found[1]), flat)


# ---- which one, and what its buttons say

SAME: Final = "不变"
NOTHING: Final = "无"
_NAMED: Final = re.compile(r"(?:摸排|填报)\s*(\d{1,6})(?![\d人名个万亿%])")


def named_in(text: str) -> int | None:
    """The survey that a text names: 摸排 3."""
    found = _NAMED.search(text)
    return None if found is None else int(found[1])


_HEAD: Final = re.compile(r"^\s*(?:摸排|填报)\s*\d{1,6}(?![\d人名个万亿%])[\s:：,，.、]*")


def without_number(text: str) -> str:
    """The answer behind 填报 3."""
    return _HEAD.sub("", text)


# ---- until when

_NUMBER: Final = re.compile(r"^\s*(?:摸排|填报)?\s*(\d{1,6})(?!\d)\s*(.*)$", re.S)


def numbered(text: str) -> tuple[int | None, str]:
    """The survey a command names first, and what follows."""
    found = _NUMBER.match(text)
    return (None, text) if found is None else (int(found[1]), found[2])


def due_in(text: str, now: datetime, calendar: WorkCalendar) -> datetime | None:
    """The instant a deadline stands for: a day ends with its work."""
    moment = find_time(text, now, calendar, calendar.zone)
    return None if moment is None else _ends(moment, calendar)


def _ends(moment: Moment, calendar: WorkCalendar) -> datetime:
    last = moment.start if moment.end is None else moment.end
    if moment.granularity in (Granularity.MINUTE, Granularity.HOUR, Granularity.HALFDAY):
        return last
    local = last.astimezone(calendar.zone)
    return local.replace(hour=17, minute=30, second=0, microsecond=0)
