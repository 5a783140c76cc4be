"""Sentences and cards of surveys (摸排): what is asked, what was noted, who has yet to answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from handlers.chat.outbound import Button, Card, Open, Press, Row, Style, Tone
from handlers.domain.announcement import Audience
from handlers.domain.ids import EnterpriseId
from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import Enterprise, mask_phone
from handlers.domain.survey import (
    Answer,
    Question,
    QuestionKind,
    Survey,
    SurveyState,
    Value,
    Values,
)
from handlers.domain.workdays import SHANGHAI
from handlers.texts.common import short
from handlers.texts.times import absolute

NOT_NEEDED: Final = "无此情况可不回"
STATES: Final[Mapping[SurveyState, str]] = {
    SurveyState.DRAFT: "待发出",
    SurveyState.OPEN: "填报中",
    SurveyState.CLOSED: "已截止",
    SurveyState.CANCELLED: "已取消",
}
_LEAD: Final = 110
_VALUE: Final = 26
_ROWS: Final = 40


def when(at: datetime, now: datetime) -> str:
    return absolute(Moment(at, None, Granularity.MINUTE), now)


def asked(question: Question) -> str:
    """挡车工（名）, 班次（一班/两班）."""
    hint = {
        QuestionKind.NUMBER: question.unit,
        QuestionKind.CHOICE: "/".join(question.choices),
        QuestionKind.TABLE: "、".join(question.columns),
        QuestionKind.DATE: "" if question.name.endswith("日期") else "日期",
        QuestionKind.YES_NO: "" if question.name.startswith(("是否", "有无")) else "是或否",
        QuestionKind.TEXT: "",
    }[question.kind]
    return f"{question.name}（{hint}）" if hint else question.name


def whom(audience: Audience, count: int) -> str:
    """长洪管理区危化15家企业; firms that were named are not named to one another."""
    parts = ["、".join(audience.areas)] if audience.areas else []
    if audience.grids:
        parts.append("、".join(str(g) for g in audience.grids) + "网格")
    parts += [*audience.scales, *audience.tags]
    if audience.everybody:
        return f"全部{count}家企业"
    if not parts:
        return "贵单位" if count == 1 else f"贵单位等{count}家企业"
    return f"{''.join(parts)}{count}家企业"


def shown(value: Value | None, question: Question) -> str:
    """A value as the firm supplied it."""
    if value is None:
        return "未填"
    about = "约" if value.about and not value.text.startswith("约") else ""
    carried = "（同上次）" if value.carried else ""
    text = value.text
    if question.kind is QuestionKind.TABLE and value.rows:
        text = "；".join(" ".join(row) for row in value.rows)
    return f"{about}{text}{carried}"


def _before(survey: Survey, before: Values) -> str:
    return "，".join(
        f"{q.name}{shown(v, q).removesuffix('（同上次）')}"
        for q, v in zip(survey.questions, before, strict=True)
        if v is not None
    )


def _example(survey: Survey) -> str:
    numbers = [q for q in survey.questions if q.kind is QuestionKind.NUMBER][:2]
    if not numbers:
        return ""
    said = "，".join(f"{q.name}{n}{q.unit}" for q, n in zip(numbers, (12, 3), strict=False))
    return f"例如：{said}。"


def request(
    survey: Survey, target: str, now: datetime, before: Values | None = None, link: str = ""
) -> Card:
    """What a firm is asked: purpose, deadline and who is asked are always in it."""
    questions = "、".join(asked(q) for q in survey.questions)
    lead = f"{questions}。{NOT_NEEDED}。"
    if len(lead) > _LEAD:
        lead = f"{short(questions, _LEAD - 14)}共{len(survey.questions)}项。{NOT_NEEDED}。"
    until = when(survey.due_at, now)
    rows = [
        Row("用途", short(survey.purpose, _VALUE)),
        Row("请谁报", short(target, _VALUE)),
        Row("截止", short(until, _VALUE)),
    ]
    buttons: list[Button] = []
    number = str(survey.number)
    if link:
        buttons.append(Button("打开填写", Open(link), Style.MAIN))
    lines = [
        f"摸排 {survey.number}「{survey.title}」",
        f"用途：{survey.purpose}",
        f"请{target}填报，{until}前。{NOT_NEEDED}。",
        *(f"{n}. {asked(q)}" for n, q in enumerate(survey.questions, 1)),
    ]
    if before is not None:
        told = _before(survey, before)
        rows.append(Row("上次", short(told, _VALUE)))
        buttons.append(Button("不变", Press("survey.same", {"n": number})))
        lines.append(f"上次：{told}。没有变化请回「不变」，有变化只写变化的。")
    else:
        lines.append(f"直接回复一句话即可。{_example(survey)}")
    buttons.append(Button("都没有", Press("survey.none", {"n": number})))
    if link:
        lines.append(f"也可以打开填写：{link}")
    return Card(
        f"survey:{survey.number}",
        f"摸排 {survey.number} · {short(survey.title, 15)}",
        lead,
        "\n".join(lines),
        Tone.INFO,
        "请填报",
        tuple(rows),
        "直接回复一句话即可，也可以打电话给联络员",
        tuple(buttons),
    )


def preview(
    survey: Survey, target: str, names: Sequence[str], now: datetime, *, second: bool
) -> Card:
    """The draft to its author, or to whoever is to agree: what goes out, and to whom exactly."""
    number = str(survey.number)
    questions = "、".join(asked(q) for q in survey.questions)
    listed = "、".join(names)
    if second:
        buttons = (
            Button("同意发出", Press("survey.approve", {"n": number}), Style.MAIN),
            Button("不同意", Press("survey.refuse", {"n": number}), Style.DANGER),
        )
        note = "同意后发给以上企业"
    else:
        label = "提交审核" if survey.needs_approval else "发出"
        buttons = (
            Button(label, Press("survey.send", {"n": number}), Style.MAIN),
            Button("取消", Press("survey.refuse", {"n": number})),
        )
        note = "由另一位同事同意后发出" if survey.needs_approval else "确认后发给以上企业"
    lines = [
        f"摸排 {survey.number}「{survey.title}」（{'请您审核' if second else '预览'}）",
        f"用途：{survey.purpose}",
        f"请{target}填报，{when(survey.due_at, now)}前。{NOT_NEEDED}。",
        *(f"{n}. {asked(q)}" for n, q in enumerate(survey.questions, 1)),
        f"发给 {len(names)} 家：{listed}",
        f"同意请回复「同意摸排 {number}」，不同意请回复「取消摸排 {number}」。"
        if second
        else f"确认请回复「确认摸排 {number}」，不要了请回复「取消摸排 {number}」。",
    ]
    return Card(
        f"survey-draft:{survey.number}:{'second' if second else 'author'}",
        f"摸排 {survey.number} · {short(survey.title, 15)}",
        short(f"{questions}。", _LEAD),
        "\n".join(lines),
        Tone.WARN if second else Tone.INFO,
        "待审核" if second else "预览",
        (
            Row("用途", short(survey.purpose, _VALUE)),
            Row("请谁报", short(target, _VALUE)),
            Row("截止", short(when(survey.due_at, now), _VALUE)),
            Row("名单", short(listed, _VALUE)),
        ),
        note,
        buttons,
    )


def sent(survey: Survey, count: int, now: datetime) -> str:
    return (
        f"摸排 {survey.number} 已发给 {count} 家，{when(survey.due_at, now)}截止。"
        f"看汇总请回复「摸排 {survey.number} 汇总」。"
    )


def waits_for_second(survey: Survey, names: Iterable[str]) -> str:
    asked_of = "、".join(names)
    return f"摸排 {survey.number} 已提交，等{asked_of or '另一位同事'}同意后发出。"


def cancelled(survey: Survey) -> str:
    return f"摸排 {survey.number}「{survey.title}」已取消，没有发出。"


def refused(survey: Survey, by: str) -> str:
    return f"摸排 {survey.number}「{survey.title}」{by}不同意发出，请改好后重新发起。"


def agreed(survey: Survey, by: str, count: int) -> str:
    return f"摸排 {survey.number}「{survey.title}」{by}已同意，发给 {count} 家。"


# ---- answers


def noted(survey: Survey, firm: str, answer: Answer, *, for_firm: bool = False) -> str:
    """The table of what was understood, said once."""
    head = f"摸排 {survey.number}「{survey.title}」：{firm} 已记下"
    lines = [f"{head}（{'代填' if for_firm else '您的填报'}）："]
    lines += [
        f"{n}. {q.name}　{shown(v, q)}"
        for n, (q, v) in enumerate(zip(survey.questions, answer.values, strict=True), 1)
    ]
    if answer.late:
        lines.append("已过截止时间，记为迟报。")
    lines.append("有误直接再说一遍即可，以最后一次为准。")
    return "\n".join(lines)


def place_it(text: str, label: str, options: Sequence[tuple[int, Question]]) -> str:
    """The one question about a number that fits nothing."""
    what = f"{label} {text}".strip()
    listed = "，".join(f"{n} {q.name}" for n, q in options)
    return f"「{short(what, 20)}」是哪一项？请回序号：{listed}；都不是请回 0。"


def left_out(text: str) -> str:
    return f"好的，「{text}」不计入。"


def no_before() -> str:
    return "没有上次的数据，请直接写数。"


def nothing_to_say() -> str:
    return "没有看出要填的数，请写成「项目 数」，例如：挡车工15，机修3。"


def reminder(survey: Survey, now: datetime) -> str:
    questions = "、".join(asked(q) for q in survey.questions)
    return (
        f"摸排 {survey.number}「{survey.title}」{when(survey.due_at, now)}截止："
        f"{short(questions, 80)}。方便时回一句话即可；{NOT_NEEDED}。"
    )


def over(survey: Survey, answered: int, count: int) -> str:
    return (
        f"摸排 {survey.number}「{survey.title}」已截止：{count}家中{answered}家已报。"
        f"看汇总请回复「摸排 {survey.number} 汇总」。"
    )


# ---- the page


def typed(survey: Survey, known: Values | None) -> list[str]:
    """What stands in the fields of the form before anything is typed."""
    if known is None:
        return [""] * len(survey.questions)
    found = []
    for q, v in zip(survey.questions, known, strict=True):
        if v is None:
            found.append("")
        elif q.kind is QuestionKind.TABLE:
            found.append("\n".join(" ".join(row) for row in v.rows))
        elif q.kind is QuestionKind.NUMBER and v.text.endswith(q.unit):
            found.append(v.text.removesuffix(q.unit))
        else:
            found.append(v.text)
    return found


def as_said(survey: Survey, texts: Sequence[str]) -> str:
    """What was typed into the fields, as one sentence."""
    return "，".join(
        f"{q.name} {' '.join(t.split())}" for q, t in zip(survey.questions, texts, strict=True) if t
    )


def page_values(
    survey: Survey,
    firm: str,
    count: int,
    now: datetime,
    answer: Answer | None,
    texts: Sequence[str],
    faults: Mapping[int, str],
) -> dict[str, Any]:
    """The form of one firm."""
    late = now > survey.due_at or survey.state is SurveyState.CLOSED
    target = whom(survey.audience, count)
    fields = [
        {
            "key": f"q{n}",
            "kind": q.kind.value,
            "name": q.name,
            "unit": q.unit,
            "hint": f"每行一条：{' '.join(q.columns)}" if q.kind is QuestionKind.TABLE else "",
            "options": ("是", "否") if q.kind is QuestionKind.YES_NO else q.choices,
            "value": texts[n],
            "fault": faults.get(n, ""),
        }
        for n, q in enumerate(survey.questions)
    ]
    said = ""
    if answer is not None and not faults:
        at = when(answer.at.replace(microsecond=0), now)
        said = (
            f"{at} 已记下{'，记为迟报' if answer.late else ''}。有变化改好再提交，以最后一次为准。"
        )
    return {
        "title": f"{survey.title}",
        "status": STATES[survey.state],
        "tone": "quiet" if late else "info",
        "facts": (
            ("企业", firm),
            ("用途", survey.purpose),
            ("请谁报", target),
            ("截止", when(survey.due_at, now)),
            ("说明", f"{NOT_NEEDED}" + ("；已过截止时间，现在提交记为迟报" if late else "")),
        ),
        "fields": fields,
        "said": said,
        "submit": "提交" if answer is None else "改好提交",
        "note": f"摸排 {survey.number}。填的数只给联络员、分管领导和办公室看。也可以在聊天里回一句话，或打电话给联络员。",
    }


def not_sent(count: int) -> str:
    """Above the form when some of its fields could not be read."""
    return f"还没有提交：有{count}项没看懂，请按提示改好再提交。其余的都还在。"


def not_read(question: Question) -> str:
    if question.kind is QuestionKind.NUMBER:
        return (
            f"请写一个数，例如 15；没有请写 0。单位是{question.unit}。"
            if question.unit
            else "请写一个数，例如 15；没有请写 0。"
        )
    if question.kind is QuestionKind.TABLE:
        return f"请每行写一条：{' '.join(question.columns)}。"
    return "没有看懂，请换个写法。"


def nothing_filled() -> str:
    return f"还没有填。{NOT_NEEDED}。"


# ---- what the office sees


@dataclass(frozen=True, slots=True)
class Standing:
    """How a survey stands."""

    survey: Survey
    count: int
    answered: int
    late: int


def state_line(standing: Standing, now: datetime) -> str:
    survey = standing.survey
    late = f"，另有迟报{standing.late}家" if standing.late else ""
    return (
        f"摸排 {survey.number}「{survey.title}」（{STATES[survey.state]}）："
        f"{standing.count}家中{standing.answered}家已报{late}"
        + ("。" if survey.due_at <= now else f"，{when(survey.due_at, now)}截止。")
    )


def listing(rows: Iterable[Standing], now: datetime) -> str:
    lines = [state_line(row, now) for row in rows]
    if not lines:
        return (
            "没有进行中的摸排。要发起请说，例如：发起摸排 用工缺口：挡车工(名)、机修(名)；"
            "对象 长洪；截止 周五；用途 安排招聘专场。"
        )
    return "\n".join([*lines, "看汇总请回复「摸排 编号 汇总」。"])


def number_of(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def table(
    standing: Standing,
    rows: Sequence[tuple[str, Answer]],
    sums: Sequence[Decimal | None],
    now: datetime,
    link: str = "",
) -> str:
    """The live table as text."""
    survey = standing.survey
    lines = [state_line(standing, now), "企业　" + "　".join(q.name for q in survey.questions)]
    for name, answer in rows[:_ROWS]:
        cells = "　".join(shown(v, q) for q, v in zip(survey.questions, answer.values, strict=True))
        lines.append(f"{name}　{cells}{'（迟报）' if answer.late else ''}")
    if len(rows) > _ROWS:
        lines.append(f"其余 {len(rows) - _ROWS} 家见表格。")
    if not rows:
        lines.append("还没有企业填报。")
    elif any(s is not None for s in sums):
        told = "　".join(
            f"{number_of(s)}{q.unit}" if s is not None else "—"
            for q, s in zip(survey.questions, sums, strict=True)
        )
        lines.append(f"合计　{told}")
    if link:
        lines.append(f"表格：{link}")
    return "\n".join(lines)


def listed(survey: Survey, names: Sequence[str]) -> str:
    return f"摸排 {survey.number} 发给 {len(names)} 家：{'、'.join(names)}。"


def silent_names(survey: Survey, names: Sequence[str]) -> str:
    if not names:
        return f"摸排 {survey.number}：您联系的企业都已填报。"
    return (
        f"摸排 {survey.number} 您联系的企业里还没有填报的 {len(names)} 家：{'、'.join(names)}。"
        f"{NOT_NEEDED}，替企业填请回复「代填 {survey.number} 企业 内容」。"
    )


def silent_counts(survey: Survey, grids: Sequence[tuple[int | None, int, int]]) -> str:
    """(grid, asked, silent): never a name."""
    lines = [f"摸排 {survey.number} 各网格填报情况："]
    for grid, asked_of, silent in grids:
        name = "未定网格" if grid is None else f"{grid}网格"
        lines.append(f"{name}：{asked_of}家中{asked_of - silent}家已报，{silent}家未报")
    return "\n".join(lines)


def brief_line(count: int, asked_of: int, answered: int) -> str:
    return f"摸排：进行中{count}项，{asked_of}家次中{answered}家次已报"


# ---- opening by dialogue


def ask_for(part: str) -> str:
    return {
        "title": "请写摸排什么，例如：用工缺口。",
        "questions": "请写要企业填哪几项，带上单位，例如：挡车工(名)、机修(名)、产值(万元)。",
        "audience": "请写发给哪些企业，例如：长洪；3网格；规上危化企业；泓曜、玖晟；全部企业。",
        "due": "请写截止到什么时候，例如：周五17:30。",
        "purpose": "请写用途，企业会看到，例如：安排招聘专场。",
    }[part]


def unclear(text: str) -> str:
    return (
        f"没看懂对象里的「{short(text, 20)}」，请写片区、网格、标签或企业简称，"
        "例如：长洪；网格3；规上 危化；泓曜、玖晟。"
    )


def dropped() -> str:
    return "好的，这次摸排不发了。"


# ---- the file

SHEET: Final = "摸排汇总"
FIRM, AREA, GRID, AT, BY, LATE, SAID = (
    "企业", "管理区", "网格", "填报时间", "填报人", "迟报", "原话",
)  # fmt: skip
TOTAL: Final = "合计"
CHANNELS: Final = {"chat": "群聊或私聊", "page": "网页", "liaison": "代填", "api": "接口"}
Cell = str | int | Decimal
Names = Callable[[EnterpriseId], str]


def columns(survey: Survey) -> tuple[str, ...]:
    names: list[str] = []
    for q in survey.questions:
        names.append(f"{q.name}（{q.unit}）" if q.unit else q.name)
    return (FIRM, AREA, GRID, *names, AT, BY, LATE, SAID)


def row(survey: Survey, firm: Enterprise | None, answer: Answer) -> tuple[Cell, ...]:
    """One firm; numbers are numbers, in the question's own unit."""
    cells: list[Cell] = []
    for q, v in zip(survey.questions, answer.values, strict=True):
        if v is None:
            cells.append("")
        elif q.kind is QuestionKind.NUMBER and v.number is not None:
            cells.append(v.number)
        else:
            cells.append(mask_phone(shown(v, q).removesuffix("（同上次）")))
    at = answer.at.astimezone(SHANGHAI)
    by = f"{answer.by_name}（{CHANNELS[answer.channel.value]}）"
    return (
        "" if firm is None else firm.short_name,
        "" if firm is None else firm.area,
        "" if firm is None or firm.grid is None else firm.grid,
        *cells,
        f"{at:%Y-%m-%d %H:%M}",
        mask_phone(by),
        "是" if answer.late else "",
        mask_phone(answer.said),
    )


def total_row(sums: Sequence[Decimal | None]) -> tuple[Cell, ...]:
    return (TOTAL, "", "", *("" if s is None else s for s in sums), "", "", "", "")


def file_name(survey: Survey) -> str:
    safe = "".join(c for c in survey.title if c not in '\\/:*?"<>|')
    return f"摸排{survey.number}-{safe}"


def sheet_name(survey: Survey) -> str:
    return f"{survey.number} {survey.title}"


LINE: Final = (
    "摸排", "标题", FIRM, AREA, GRID, "项目", "数值", "单位", "填报内容", AT, BY, LATE, SAID,
)  # fmt: skip


def lines(survey: Survey, firm: Enterprise, answer: Answer) -> list[dict[str, str]]:
    """One line for each value of a firm."""
    found = []
    at = f"{answer.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    by = mask_phone(f"{answer.by_name}（{CHANNELS[answer.channel.value]}）")
    for q, v in zip(survey.questions, answer.values, strict=True):
        if v is None:
            continue
        text = shown(v, q).removesuffix("（同上次）")
        cells = (
            str(survey.number), survey.title, firm.short_name, firm.area,
            "" if firm.grid is None else str(firm.grid), q.name, number_of(v.number), q.unit,
            mask_phone(text), at, by, "是" if answer.late else "", mask_phone(answer.said),
        )  # fmt: skip
        found.append(dict(zip(LINE, cells, strict=True)))
    return found


def total_lines(survey: Survey, sums: Sequence[Decimal | None]) -> list[dict[str, str]]:
    return [
        {
            **dict.fromkeys(LINE, ""),
            "摸排": str(survey.number),
            "标题": survey.title,
            FIRM: TOTAL,
            "项目": q.name,
            "数值": number_of(s),
            "单位": q.unit,
        }
        for q, s in zip(survey.questions, sums, strict=True)
        if s is not None
    ]


def exported(count: int, place: object) -> str:
    return f"已导出 {count} 项摸排：{place}"
