"""Sentences about visits to firms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from handlers.chat.outbound import Button, Card, Press, Row, Tone
from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import mask_phone
from handlers.domain.ticket import Ticket
from handlers.domain.visit import Mode, Purpose, Standing, Visit
from handlers.domain.workdays import SHANGHAI
from handlers.texts.common import short
from handlers.texts.ledgers import written
from handlers.texts.times import absolute

MODE_NAMES: Final[Mapping[Mode, str]] = {
    Mode.ON_SITE: "实地",
    Mode.PHONE: "电话",
    Mode.ONLINE: "线上",
}
PURPOSE_NAMES: Final[Mapping[Purpose, str]] = {
    Purpose.VISIT: "走访",
    Purpose.POLICY: "政策宣讲",
    Purpose.CALL_BACK: "回访",
}
BOOK: Final = "走访台账"
# What stands before a liaison's own name in the registry.
LIAISON: Final = "联络员"
COLUMNS: Final = (
    "编号", "走访时间", "企业", "管理区", "网格", "方式", "地点", "走访人", "见到", "事由", "生产", "用工", "订单",
    "问题工单", "宣讲政策", "下次走访", "项目", "补录", "登记人", "登记时间", "原话",
)  # fmt: skip
MOST_LISTED: Final = 12


def moment(start: datetime, end: datetime | None, now: datetime) -> str:
    """When it was, or will be, as exactly as it was said."""
    grain = Granularity.MINUTE if end is None else Granularity.HALFDAY
    # What lies behind in the same year needs no year; for what lies ahead nothing else holds.
    same_year = start.astimezone(SHANGHAI).year == now.astimezone(SHANGHAI).year
    return absolute(Moment(start, end, grain), min(start, now) if same_year else now)


def _when(visit: Visit, now: datetime) -> str:
    return moment(visit.at, visit.until, now)


def _next(visit: Visit, now: datetime) -> str:
    return "" if visit.next_at is None else moment(visit.next_at, visit.next_until, now)


def _fields(visit: Visit, now: datetime) -> list[tuple[str, str]]:
    """What is known of a visit, by the names that a correction may use."""
    found = (
        ("时间", f"{_when(visit, now)} {MODE_NAMES[visit.mode]}"),
        ("地点", visit.place),
        ("同行", "、".join(visit.visitors[1:])),
        ("见到", "、".join(visit.met)),
        ("生产", visit.production),
        ("用工", visit.workforce),
        ("订单", visit.orders),
        ("政策", "、".join(visit.told)),
        ("下次", _next(visit, now)),
    )
    return [(label, value) for label, value in found if value]


def kept(
    visit: Visit,
    firm: str,
    opened: Sequence[tuple[Ticket, str]],
    joined: Sequence[Ticket],
    entries: int,
    most: int,
    left_out: bool,
    now: datetime,
) -> Card:
    """What was made of the sentence, shown once."""
    fields = _fields(visit, now)
    problems = [f"#{t.number} {t.title}（{owner}）" for t, owner in opened]
    problems += [f"#{t.number} 已在办，记为补充" for t in joined]
    told = []
    if problems:
        told.append(f"问题{len(problems)}件：{'；'.join(problems)}。")
    if entries > most:
        told.append(too_often(firm, entries))
    if left_out:
        told.append("证件号码不记入走访。")
    head = f"走访 {visit.number} 已记：{firm}"
    lines = [f"{head}{'（补录）' if visit.backfilled else ''}。"]
    lines.append("；".join(f"{label}：{value}" for label, value in fields) + "。")
    lines += [*told, "不对的地方直接说，例如：不是厂长，是副总。没有就不用回。"]
    return Card(
        key=f"visit:{visit.number}",
        title=short(f"走访 {visit.number} {firm}", 26),
        lead=short("".join(told) or "没有新问题。", 110),
        tone=Tone.WARN if entries > most else Tone.GOOD,
        status="补录" if visit.backfilled else "已记",
        rows=tuple(Row(label, short(value, 26)) for label, value in fields[:6]),
        note="不对的直接说，没有就不用回。",
        buttons=(
            Button("更正", Press("visit.correct", {"n": str(visit.number)})),
            Button("撤销", Press("visit.drop", {"n": str(visit.number)})),
        ),
        fallback="\n".join(lines),
    )


def too_often(firm: str, entries: int) -> str:
    return f"办公室7天内到{firm}已{entries}次，请与同事合并走访，少打扰企业。"


def often_if_planned(firm: str, entries: int) -> str:
    return f"办公室前后7天内到{firm}将有{entries}次，能合并或改电话的请合并。"


def ask_correction(visit: Visit) -> str:
    return f"走访 {visit.number} 哪里不对，请说一句，例如：见的是副总；时间是昨天下午；用工：缺焊工3人。"


def corrected(visit: Visit, firm: str, opened: Sequence[tuple[Ticket, str]], now: datetime) -> str:
    lines = [f"走访 {visit.number} 已更正：{firm}。"]
    lines.append("；".join(f"{label}：{value}" for label, value in _fields(visit, now)) + "。")
    lines += [f"#{t.number} 已登记：{t.title}。由{owner}负责。" for t, owner in opened]
    return "\n".join(lines)


def dropped(visit: Visit, firm: str) -> str:
    tickets = "、".join(f"#{n}" for n in visit.problems)
    stays = f"它带出的工单{tickets}照常办理。" if tickets else ""
    return f"走访 {visit.number}（{firm}）已撤销。{stays}"


def planned(visit: Visit, firm: str, entries: int, most: int, now: datetime) -> str:
    line = f"走访计划 {visit.number} 已记：{_when(visit, now)} 到{firm}。不去了请回复「撤销走访 {visit.number}」。"
    return f"{line}\n{often_if_planned(firm, entries)}" if entries > most else line


def line(visit: Visit, firm: str, now: datetime) -> str:
    """One visit of the book."""
    if visit.standing is Standing.PLANNED:
        return f"{visit.number}. {_when(visit, now)} 计划到{firm}"
    said = [
        f"见{'、'.join(visit.met)}" if visit.met else "",
        visit.production,
        visit.workforce,
        visit.orders,
        f"问题{'、'.join(f'#{n}' for n in visit.problems)}" if visit.problems else "",
        f"下次{_next(visit, now)}" if visit.next_at is not None else "",
    ]
    told = "；".join(short(s, 30) for s in said if s) or short(visit.note, 40)
    back = "（补录）" if visit.backfilled else ""
    who = "、".join(visit.visitors)
    return (
        f"{visit.number}. {_when(visit, now)} {firm} {MODE_NAMES[visit.mode]}｜{who}｜{told}{back}"
    )


def book(title: str, rows: Sequence[tuple[Visit, str]], total: int, now: datetime) -> str:
    if not rows:
        return f"{title}：没有走访记录。"
    lines = [line(visit, firm, now) for visit, firm in rows]
    more = (
        f"\n还有{total - len(rows)}次，请写企业、同事或月份缩小范围。" if total > len(rows) else ""
    )
    return f"{title}：{total}次\n" + "\n".join(lines) + more


def book_title(firm: str, who: str, period: str) -> str:
    named = "、".join(p for p in (firm, who, period) if p)
    return f"{BOOK}（{named}）" if named else BOOK


def plan(
    weeks: int,
    rows: Sequence[tuple[str, datetime | None]],
    coming: Sequence[tuple[Visit, str]],
    now: datetime,
) -> str:
    """Whose turn it is: each key firm once in so many weeks."""
    lines = []
    if coming:
        lines.append(
            "已约：" + "；".join(f"{_when(v, now)} {firm}" for v, firm in coming[:10]) + "。"
        )
    if not rows:
        lines.append(f"重点企业{weeks}周内都走访过，暂无该去的。")
        return "\n".join(lines)
    named = [
        f"{firm}（{'还没走访过' if last is None else f'上次{_day(last)}'}）" for firm, last in rows
    ]
    more = f"等{len(rows)}家" if len(named) > 30 else f"{len(rows)}家"
    lines.append(f"重点企业每{weeks}周走访一次，该去的{more}：{'、'.join(named[:30])}。")
    return "\n".join(lines)


def _day(at: datetime) -> str:
    return written(at)[:10]


def unvisited(names: Sequence[str], days: int) -> str:
    if not names:
        return f"没有超过{days}天未走访的重点企业。"
    return f"超过{days}天未走访的重点企业{len(names)}家：\n" + "、".join(names)


def which_firm() -> str:
    return "没看出是哪家企业，请写企业简称，例如：走访泓曜精密，见了厂长，满产。"


def one_firm_each(names: str) -> str:
    return f"这句话里有几家企业（{names}），请一家一条，分开记。"


def row(
    visit: Visit, firm: str, area: str, grid: int | None, entered_by: str, now: datetime
) -> dict[str, str]:
    """One line of the visit book's table; phones are masked, as in every export."""
    values = (
        visit.code, written(visit.at), firm, area, "" if grid is None else str(grid),
        MODE_NAMES[visit.mode], visit.place, "、".join(visit.visitors), "、".join(visit.met),
        PURPOSE_NAMES[visit.purpose], visit.production, visit.workforce, visit.orders,
        "、".join(f"#{n}" for n in visit.problems), "、".join(visit.told), _next(visit, now),
        visit.project, "是" if visit.backfilled else "", entered_by, written(visit.entered_at),
        visit.note,
    )  # fmt: skip
    return {c: mask_phone(v) for c, v in zip(COLUMNS, values, strict=True)}
