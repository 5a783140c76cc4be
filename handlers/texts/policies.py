"""Every sentence about the library of policies; never a promise, always with source and date."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from handlers.chat.outbound import Button, Card, Open, Press, Row, Style, Tone
from handlers.domain.policy_library import (
    Fit,
    Match,
    PolicyEntry,
    PolicyQuestion,
    Rule,
    Standing,
    window_over,
)
from handlers.domain.ticket import Ticket
from handlers.texts.common import short

BY_DEPARTMENT: Final = "以主管部门解释为准"
FITS: Final = {Fit.MAY: "可能符合", Fit.CHECK: "需核实", Fit.NOT: "不符合"}
_RULES: Final = {
    Rule.ALL: "没有限定对象",
    Rule.INDUSTRY: "行业",
    Rule.SCALE: "规模",
    Rule.AREA: "管理区",
    Rule.STAFF: "职工人数",
    Rule.TAG: "企业类型",
    Rule.OUTPUT: "产值",
}
STANDINGS: Final = {
    Standing.HOLDS: "现行",
    Standing.NOT_YET: "未到施行日",
    Standing.ENDED: "已截止",
    Standing.UNCHECKED: "待复核",
    Standing.UNAPPROVED: "未审核",
}


def day(value: date | None) -> str:
    return "" if value is None else f"{value.year}年{value.month}月{value.day}日"


def named(entry: PolicyEntry) -> str:
    """《…》（通开经发〔2026〕8号）."""
    return f"《{entry.title}》" + (f"（{entry.number}）" if entry.number else "")


def source(entry: PolicyEntry) -> str:
    """Who issued it, when, and where it can be read."""
    parts = [entry.issuer, day(entry.day) and f"{day(entry.day)}印发" * bool(entry.issued_on)]
    if entry.issued_on is None and entry.valid_from is not None:
        parts[1] = f"{day(entry.valid_from)}起施行"
    place = entry.source_url or entry.source_file
    told = " ".join(p for p in parts if p)
    return f"{told}，{place}" if told and place else told or place


def window(entry: PolicyEntry, today: date) -> str:
    if entry.no_apply:
        return "免申即享，不用申请，请核对银行账户信息"
    if window_over(entry, today):
        return f"申报已于{day(entry.apply_by)}截止"
    if entry.apply_from is not None and entry.apply_from > today:
        until = f"至{day(entry.apply_by)}" if entry.apply_by else "起"
        return f"申报{day(entry.apply_from)}{until}"
    return f"申报截止{day(entry.apply_by)}" if entry.apply_by else ""


def answer(entry: PolicyEntry, passage: str, standing: Standing, today: date) -> str:
    """What the library says, in full; the standing decides whether that is an answer at all."""
    lines = [named(entry)]
    if standing is Standing.NOT_YET:
        lines.append(f"这项政策{day(entry.valid_from)}起施行，现在还没有到。")
    if entry.benefit or entry.summary:
        lines.append(entry.benefit or entry.summary)
    if passage and passage not in (entry.benefit, entry.summary):
        lines.append(f"原文：{passage}")
    told = window(entry, today)
    if told:
        lines.append(f"{told}。")
    if entry.materials:
        lines.append(f"材料：{entry.materials}")
    if entry.contact:
        lines.append(f"咨询：{entry.contact}")
    lines.append(f"来源：{source(entry)}；{BY_DEPARTMENT}。")
    return "\n".join(lines)


def ended(
    entry: PolicyEntry,
    successor: PolicyEntry | None,
    holds: bool = True,
) -> str:
    """That it has ended, and what came after it; nothing of what it gave."""
    if entry.expires_on is not None:
        told = f"{named(entry)}有效期到{day(entry.expires_on)}，已经停止执行。"
    else:
        told = f"{named(entry)}已经停止执行。"
    if successor is not None:
        when = "" if holds or successor.valid_from is None else f"（{day(successor.valid_from)}起）"
        told = (
            f"{named(entry)}已经停止执行，由{named(successor)}接替{when}。"
            f"要看新办法请说「看政策 {successor.id}」。"
        )
    return f"{told}\n来源：{source(successor or entry)}；{BY_DEPARTMENT}。"


def answer_card(
    ticket: Ticket | None,
    entry: PolicyEntry,
    told: str,
    lead: str,
    status: str,
    today: date,
) -> Card:
    """The answer with the one way to say that it is none; without a ticket there is nobody to ask."""
    rows = [
        Row("政策", short(entry.title, 26)),
        Row("文号", short(entry.number or "无", 26)),
        Row("来源", short(f"{entry.issuer} {day(entry.day)}".strip() or "见原文", 26)),
    ]
    when = window(entry, today)
    if when:
        rows.append(Row("申报", short(when.removeprefix("申报"), 26)))
    buttons: list[Button] = []
    if ticket is not None:
        args = {"t": str(ticket.number), "v": str(ticket.version)}
        buttons = [
            Button("答到了", Press("ticket.verdict_yes", args), Style.MAIN),
            Button("转人工", Press("policy.to_person", args)),
        ]
    if entry.source_url.startswith(("https://", "http://")):
        buttons.append(Button("看原文", Open(entry.source_url)))
    head = "" if ticket is None else f"#{ticket.number} "
    tail = "\n没答到请说「反映 您的问题」。"
    if ticket is not None:
        tail = f"\n没答到请回复「转人工 {ticket.number}」。"
    return Card(
        key=f"policy:{entry.id}" if ticket is None else f"ticket:{ticket.code}:policy",
        title=short(f"{head}政策答复", 26),
        tone=Tone.QUIET if status else Tone.INFO,
        status=status,
        lead=short(lead, 110),
        rows=tuple(rows),
        note=BY_DEPARTMENT,
        buttons=tuple(buttons),
        revision=1 if ticket is None else ticket.version,
        fallback=f"{head}{told}{tail}",
    )


def result(entry: PolicyEntry, standing: Standing) -> str:
    """The result of a ticket that the library answered."""
    if standing is Standing.ENDED:
        return f"政策库答复：{named(entry)}已经停止执行"
    return f"政策库答复：{named(entry)}，{entry.benefit or entry.summary}"


def related(entry: PolicyEntry, standing: Standing) -> str:
    """Beside a ticket: what the library has about the same matter."""
    if standing is Standing.ENDED:
        return f"供参考：{named(entry)}已经停止执行。{BY_DEPARTMENT}。"
    since = f"{day(entry.valid_from)}起施行。" if standing is Standing.NOT_YET else ""
    return (
        f"供参考：{named(entry)}\n{since}{entry.benefit or entry.summary}\n"
        f"来源：{source(entry)}；{BY_DEPARTMENT}。详见「看政策 {entry.id}」。"
    )


def from_when(entry: PolicyEntry, lead: str) -> str:
    return f"{day(entry.valid_from)}起施行：{lead}"


def compared(match: Match) -> str:
    return f"\n初步比对：{fits(match)}。"


NOT_ANSWERED: Final = "政策库没有答到"
OFFICE_ANSWER: Final = "企业服务办公室"


def to_person(ticket: Ticket, owner: str, by: str) -> str:
    return f"#{ticket.number} 已转{owner}，{by} 前答复您。"


def told_not_helped(ticket: Ticket, firm: str) -> str:
    return f"{firm}说政策库没答到，请您答复：{short(ticket.body, 60)}"


NOTHING_TO_HAND_OVER: Final = "没有等您确认的政策答复。有问题请直接说，或发「反映 什么事」。"


# ---- looking things up


def found(words: str, rows: Sequence[tuple[PolicyEntry, Standing]]) -> str:
    if not rows:
        return (
            f"没有查到和「{short(words, 20)}」有关的政策。要人答复请说「反映 {short(words, 20)}」。"
        )
    lines = [f"查到{len(rows)}项政策："]
    for entry, standing in rows:
        until = f"，至{day(entry.expires_on)}" if entry.expires_on else ""
        lines.append(
            f"{entry.id}. {named(entry)} {entry.issuer} {day(entry.day)}，{STANDINGS[standing]}{until}"
        )
    lines.append(f"看内容请回复「看政策 {rows[0][0].id}」；{BY_DEPARTMENT}。")
    return "\n".join(lines)


USAGE: Final = "请写要查的内容，例如：查政策 稳岗补贴。"


def no_such(number: str) -> str:
    return f"没有找到政策 {number}，请用「查政策」核对编号。"


def unchecked(entry: PolicyEntry) -> str:
    return f"{named(entry)}超过半年没有复核，暂不作答复依据。来源：{source(entry)}。"


def fits(match: Match) -> str:
    """可能符合（规模：规上）."""
    wanted = f"：{match.wanted}" if match.wanted else ""
    rule = _RULES[match.rule]
    return f"{FITS[match.fit]}（{rule}{wanted}），{BY_DEPARTMENT}"


# ---- unasked, once


def for_you(entry: PolicyEntry, match: Match, today: date) -> str:
    """A policy that may be for a firm, told once."""
    lines = [f"有一项政策可能和贵企业有关：{named(entry)}", entry.benefit or entry.summary]
    lines.append(f"初步比对：{fits(match)}。")
    told = window(entry, today)
    if told:
        lines.append(f"{told}。")
    lines.append(f"来源：{source(entry)}。要看全文请回复「看政策 {entry.id}」，不用回复收到。")
    return "\n".join(line for line in lines if line)


def closing(entry: PolicyEntry) -> str:
    """Before the window closes, to whoever looked at it; told once."""
    return (
        f"您看过的政策{named(entry)}，申报截止{day(entry.apply_by)}，只提醒这一次。"
        f"已经申报的请忽略。要看内容请回复「看政策 {entry.id}」。"
    )


# ---- the office


def unanswered(
    month: str, rows: Sequence[tuple[PolicyQuestion, str]], more: int, not_helped: int
) -> str:
    """The month's questions that the library had no answer to, for the office to fill."""
    lines = [
        f"{month}政策库没答上来的咨询 {len(rows) + more} 条，其中 {not_helped} 条答了但没答到："
    ]
    for n, (question, firm) in enumerate(rows, 1):
        number = f"（#{question.ticket}）" if question.ticket else ""
        lines.append(f"{n}. {firm}{'：' if firm else ''}{short(question.text, 40)}{number}")
    if more:
        lines.append(f"还有{more}条，见接口 /policies/unanswered。")
    lines.append("答好的可回复「存入政策库 工单号」，审核后下次直接答复。")
    return "\n".join(lines)


def saved_from_ticket(entry: PolicyEntry, ticket: Ticket) -> str:
    return f"#{ticket.number} 的答复已存为政策库草稿 {entry.id}，由另一位同事回复「审核政策 {entry.id}」后启用。"


def already_saved(entry: PolicyEntry, ticket: Ticket) -> str:
    return f"#{ticket.number} 的答复已经在政策库里，编号 {entry.id}。"


def no_answer_yet(ticket: Ticket) -> str:
    return f"#{ticket.number} 还没有答复内容，办结以后再存入政策库。"


def confidential(ticket: Ticket) -> str:
    return f"#{ticket.number} 是保密工单，不能存入政策库。"


def asks_approval(entry: PolicyEntry, by: str) -> str:
    return (
        f"{by}存入一条政策库草稿 {entry.id}：{entry.title}\n"
        f"问：{short(' '.join(entry.keywords), 120)}\n答：{short(entry.text, 200)}\n"
        f"核对后回复「审核政策 {entry.id}」启用。"
    )


def approved(entry: PolicyEntry) -> str:
    return f"政策 {entry.id} {named(entry)}已启用，下次核对不晚于半年后。要告知符合的企业请回复「推送政策 {entry.id}」。"


def drafts(rows: Sequence[PolicyEntry]) -> str:
    listed = [f"{e.id}. {named(e)}" for e in rows]
    if not listed:
        return "没有等待审核的政策。"
    first = rows[0].id
    return "\n".join(
        [
            "等待审核的政策：",
            *listed,
            f"先看内容请说「看政策 {first}」，核对无误再回复「审核政策 {first}」。",
        ]
    )


def to_look_at(entry: PolicyEntry, standing: Standing, today: date) -> str:
    """All that the library would say, for whoever has to vouch for it."""
    waits = standing is Standing.UNAPPROVED
    act = "审核政策" if waits else "核对政策"
    whom = entry.whom
    limits = [
        whom.words,
        _between("职工", whom.staff_least, whom.staff_most, "人"),
        _between("年产值", whom.output_least, whom.output_most, "万元"),
    ]
    period = [
        f"{day(entry.valid_from)}起施行" if entry.valid_from else "",
        f"有效期到{day(entry.expires_on)}" if entry.expires_on else "",
    ]
    told = window(entry, today)
    times = "，".join(x for x in period if x)
    lines = [
        "草稿，等待审核：" if waits else "超过半年没有复核，暂不用来答复：",
        named(entry),
        entry.benefit,
        entry.summary,
        f"原文：{entry.text}" if entry.text else "",
        f"对象：{'，'.join(x for x in limits if x) or '不限'}",
        f"{times}。" if times else "",
        f"{told}。" if told else "",
        f"材料：{entry.materials}" if entry.materials else "",
        f"咨询：{entry.contact}" if entry.contact else "",
        f"来源：{source(entry)}" if source(entry) else "来源：没有写",
        f"核对无误请回复「{act} {entry.id}」。",
    ]
    return "\n".join(line for line in lines if line)


def _between(what: str, least: int | None, most: int | None, unit: str) -> str:
    if least is not None and most is not None:
        return f"{what}{least}至{most}{unit}"
    if least is not None:
        return f"{what}{least}{unit}及以上"
    return f"{what}不超过{most}{unit}" if most is not None else ""


def rechecked(entry: PolicyEntry, today: date) -> str:
    return f"政策 {entry.id} 已记为{day(today)}核对过。"


def pushed(entry: PolicyEntry, sent: int, check: int) -> str:
    told = f"政策 {entry.id} 已告知{sent}家可能符合的企业，只发这一次。"
    return told + (f"另有{check}家条件要核实，没有发送。" if check else "")


def push_refused(entry: PolicyEntry, standing: Standing) -> str:
    return f"政策 {entry.id} 现在是「{STANDINGS[standing]}」，不能推送。"


def to_recheck(rows: Sequence[PolicyEntry]) -> str:
    """What is about to fall out of use because nobody has looked at it."""
    lines = [f"政策库有{len(rows)}项快满半年没有核对，到期后不再用来答复："]
    lines += [f"{e.id}. {named(e)}" for e in rows[:10]]
    lines.append("核对无误请回复「核对政策 编号」。")
    return "\n".join(lines)


# ---- importing


def import_reason(problem: str, value: str) -> str:
    return _PROBLEMS[problem].format(value=short(value, 30))


_PROBLEMS: Final = {
    "no_title": "没有政策名称，这一行没有导入。",
    "no_text": "没有摘要也没有正文，这一行没有导入。",
    "bad_date": "看不懂日期「{value}」，这一项留空。",
    "bad_number": "看不懂数字「{value}」，这一项留空。",
    "dates_turned": "起止日期颠倒，这一行没有导入。",
    "repeated": "和第{value}行是同一份文件，只导入前一行。",
    "no_successor": "没有找到接替的文件「{value}」，这一项留空。",
    "bad_category": "没有这个类别「{value}」，由系统判断。",
    "bad_url": "「{value}」不是网址，这一项留空。",
    "cut": "「{value}」内容太长，超出部分没有导入。",
}


def import_line(row: int, name: str, reason: str) -> str:
    return f"第{row}行{f' {name}' if name else ''}：{reason}"


def created(name: str) -> str:
    return f"新增：{name}"


def changed(name: str) -> str:
    return f"有改动，需重新审核：{name}"


def import_summary(
    created_count: int, changed_count: int, unchanged: int, rejected: int, dry: bool
) -> str:
    told = f"新增 {created_count}，改动 {changed_count}，不变 {unchanged}，未导入 {rejected}。"
    return told + ("这是试运行，没有保存。" if dry else "新增和改动的都是草稿，审核后启用。")


NO_TABLE: Final = "没有找到表头，第一行请写：政策名称、文号、发文单位、摘要、正文等列名。"


def month_name(at: datetime) -> str:
    return f"{at.year}年{at.month}月"
