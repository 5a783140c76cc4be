"""Every sentence of the brief, the rates and the summaries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from handlers.domain.brief import (
    MUST_ACT,
    STATES,
    Common,
    Figure,
    Page,
    Seen,
    Waits,
    waits_for,
)
from handlers.domain.category import LABELS, Category
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import mask_phone
from handlers.domain.rates import Rate, Rates, Spread, Window
from handlers.domain.ticket import State, Ticket
from handlers.domain.workdays import SHANGHAI, WorkCalendar
from handlers.texts.common import STATE_NAMES, reader_time, short

RATE_NAMES: Final = {
    "response": "响应率",
    "on_time": "按期办结率",
    "solved": "解决率",
    "coverage": "回访覆盖率",
    "satisfied": "满意率",
    "reopened": "重办率",
}
NOBODY_PAIRED: Final = "值班室"
NO_PLACE: Final = "未登记"


def percent(rate: Rate) -> str:
    """83.3%(25/30); never without numerator and denominator."""
    if rate.value is None:
        return f"样本不足(n={rate.denominator})"
    return f"{rate.value:.1f}%({rate.numerator}/{rate.denominator})"


def _spread(spread: Spread, unit: str) -> str:
    if spread.median is None or spread.p90 is None:
        return "无"
    return f"中位{spread.median:.1f}{unit}，九成在{spread.p90:.1f}{unit}内(n={spread.count})"


def rate_lines(rates: Rates) -> list[str]:
    """The solved rate never stands without the coverage of the call-back."""
    mean = "" if rates.mean_rating is None else f"，平均{rates.mean_rating:.1f}分"
    return [
        f"响应率 {percent(rates.response)}",
        f"按期办结率 {percent(rates.on_time)}",
        f"解决率 {percent(rates.solved)}　回访覆盖率 {percent(rates.coverage)}",
        f"满意率 {percent(rates.satisfied)}{mean}",
        f"重办率 {percent(rates.reopened)}　挂账 {rates.shelved}件",
        f"首次回应 {_spread(rates.first_reply_hours, '工作小时')}",
        f"办结用时 {_spread(rates.handling_days, '个工作日')}",
    ]


def group_name(by: str, key: str, name: str) -> str:
    if by == "category":
        return LABELS[Category(key)] if key else NO_PLACE
    if by == "grid":
        return f"{int(key)}号网格" if key else NO_PLACE
    if name:
        return name
    return NOBODY_PAIRED if by in ("liaison", "leader") else NO_PLACE


_GROUPS: Final = {
    "liaison": "各联络员",
    "leader": "各分管领导",
    "area": "各片区",
    "grid": "各网格",
    "category": "各类别",
    "firm": "各企业",
}


def chart_title(rate: str, by: str, since: datetime, end: datetime) -> str:
    """What the chart tells, and of which days; `end` is no longer one of them."""
    first = since.astimezone(SHANGHAI).date()
    last = (end - timedelta(microseconds=1)).astimezone(SHANGHAI).date()
    year = "" if last.year == first.year else f"{last.year}年"
    days = f"{first.year}年{first.month}月{first.day}日至{year}{last.month}月{last.day}日"
    return f"{_GROUPS[by]}{RATE_NAMES[rate]}（{days}）"


def chart_table(rate: str, groups: Sequence[tuple[str, Rates]]) -> list[tuple[str, ...]]:
    """What the bars are made of; the solved rate never stands without the coverage."""
    beside = ("回访覆盖率",) if rate == "solved" else ()
    rows: list[tuple[str, ...]] = [("", "分子", "分母", RATE_NAMES[rate], *beside)]
    for name, rates in groups:
        one: Rate = getattr(rates, rate)
        value = "样本不足" if one.value is None else f"{one.value:.1f}%"
        more = (percent(rates.coverage),) if beside else ()
        rows.append((name, str(one.numerator), str(one.denominator), value, *more))
    return rows


def group_lines(groups: Sequence[tuple[str, Rates]]) -> list[str]:
    """One line a group, in the order of the register."""
    return [
        f"{name}：响应 {percent(r.response)}　按期 {percent(r.on_time)}　解决 {percent(r.solved)}"
        f"　覆盖 {percent(r.coverage)}"
        for name, r in groups
    ]


# ---- the page


@dataclass(frozen=True, slots=True)
class Names:
    """Who stands behind one ticket, by name."""

    firm: str
    owner: str
    leader: str


@dataclass(frozen=True, slots=True)
class Section:
    """One list of the page: its command word, how many there are, and its first columns."""

    key: str
    title: str
    word: str
    count: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """The page as every form of it shows it: chat, picture, table, print."""

    title: str
    head: tuple[str, ...]
    tiles: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    foot: str = ""
    empty: str = ""


BRIEF: Final = "日调度"
OVERVIEW: Final = ("总览", "数量")
ALL_ABOVE: Final = "都在上面"
NOTHING: Final = "今日无在办事项"
MOST_LINES: Final = 30
# On paper, where nothing can be replied, the two last columns are one.
PRINTED_LAST: Final = "进展或下一步"
TICKET_COLUMNS: Final = ("编号", "企业", "事项", "领导", "承办", "时限", "最近进展", "下一步")
_WEEKDAYS: Final = "一二三四五六日"
FIGURE_NAMES: Final[Mapping[Figure, str]] = {
    Figure.NEW: "新增",
    Figure.CLAIMED: "认领",
    Figure.RESOLVED: "办结",
    Figure.CLOSED: "销号",
    Figure.REOPENED: "重办",
    Figure.BEFORE: "原在办",
    Figure.ENTERED: "转入在办",
    Figure.LEFT: "离开在办",
    Figure.LIVE: "在办",
    Figure.OPEN: "待认领",
    Figure.IN_PROGRESS: "办理中",
    Figure.WAITING_ENTERPRISE: "待企业补充",
    Figure.WAITING_DEPARTMENT: "已转部门",
    Figure.SHELVED: "挂账",
    Figure.LATE: "超期",
    Figure.RED: "红",
    Figure.ORANGE: "橙",
    Figure.YELLOW: "黄",
    Figure.URGENT: "紧急",
    Figure.DUE_TODAY: "今日到期",
    Figure.DUE_TOMORROW: "明日到期",
    Figure.REVIEW: "挂账复核",
    Figure.DECISIONS: "待决定",
    Figure.TONE: "情绪",
}
SECTION_TITLES: Final[Mapping[Figure, str]] = {
    Figure.RED: "红色提级",
    Figure.ORANGE: "橙色提级",
    Figure.YELLOW: "黄色超期",
    Figure.URGENT: "特急和紧急",
    Figure.DUE_TODAY: "今日到期",
    Figure.REVIEW: "挂账到期复核",
    Figure.DECISIONS: "等您决定",
    Figure.TONE: "企业有怨言",
    Figure.LIVE: "其他在办",
}
COMMON: Final = "共性问题"
SILENT: Final = "久未联系"
UNVISITED: Final = "久未走访"
# Sections that are but names, set one behind the other.
NAMES_ONLY: Final = frozenset({"silent", "unvisited"})
# What people type for a figure.
FIGURE_WORDS: Final[Mapping[str, Figure]] = {
    **{name: figure for figure, name in FIGURE_NAMES.items()},
    "红色": Figure.RED,
    "红单": Figure.RED,
    "橙色": Figure.ORANGE,
    "黄色": Figure.YELLOW,
    "逾期": Figure.LATE,
    "特急": Figure.URGENT,
    "急件": Figure.URGENT,
    "到期": Figure.DUE_TODAY,
    "今天到期": Figure.DUE_TODAY,
    "明天到期": Figure.DUE_TOMORROW,
    "复核": Figure.REVIEW,
    "审批": Figure.DECISIONS,
    "待审批": Figure.DECISIONS,
    "怨言": Figure.TONE,
}
COMMON_WORDS: Final = frozenset({COMMON, "共性"})
UNVISITED_WORDS: Final = frozenset({UNVISITED, "未走访"})
SILENT_WORDS: Final = frozenset({SILENT, "未联系"})


def day_line(at: datetime, calendar: WorkCalendar) -> str:
    """11月24日 周二; with what is out of the ordinary about it."""
    local = at.astimezone(SHANGHAI)
    day = local.date()
    named = f"{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"
    working = calendar.is_workday(day)
    if working and day.weekday() >= 5:
        return f"{named}（调休上班）"
    if not working:
        return f"{named}（{calendar.holiday(day) or '休息日'}）"
    return named


def span(length: timedelta, working: bool, working_day: timedelta) -> str:
    """3个工作日2小时, 5小时, 40分钟."""
    day = working_day if working else timedelta(days=1)
    days, rest = divmod(length, day)
    hours, rest = divmod(rest, timedelta(hours=1))
    if not days and not hours:
        return f"{max(rest // timedelta(minutes=1), 1)}分钟"
    unit = "个工作日" if working else "天"
    return (f"{days}{unit}" if days else "") + (f"{hours}小时" if hours else "")


def timing(seen: Seen, working_day: timedelta) -> str:
    """Hours left or overdue; what stops the clock where it stands."""
    ticket = seen.ticket
    if seen.late is not None:
        waits = "，等企业" if ticket.state is State.WAITING_ENTERPRISE else ""
        return f"超期{span(seen.late, seen.working, working_day)}{waits}"
    if ticket.state is State.WAITING_ENTERPRISE:
        return "等企业补充"
    if ticket.state is State.SHELVED and ticket.review_at is not None:
        local = ticket.review_at.astimezone(SHANGHAI)
        return f"{local.month}月{local.day}日复核"
    if seen.left is not None:
        return f"还剩{span(seen.left, seen.working, working_day)}"
    return STATE_NAMES[ticket.state]


def next_step(seen: Seen, handles: bool) -> str:
    """What to reply to act on this line."""
    ticket = seen.ticket
    n = ticket.number
    waits = waits_for(ticket)
    if waits is Waits.EXTEND:
        return f"同意延期 {n}" if not handles else "等领导批延期"
    if waits is Waits.SHELVE:
        return f"同意挂账 {n}" if not handles else "等领导批挂账"
    if waits is Waits.DECLINE:
        return f"改派 {n} 姓名 理由"
    if ticket.state is State.SHELVED:
        return f"复核 {n}"
    if handles:
        return f"认领 {n}" if ticket.state is State.OPEN else f"进展 {n} 办到哪一步"
    if Figure.RED in seen.figures:
        return f"改派 {n} 姓名 理由"
    if Figure.ORANGE in seen.figures:
        return f"知悉 {n}"
    if ticket.state is State.OPEN:
        return f"改派 {n} 姓名 理由"
    if not ticket.is_live:
        return f"查 {n}"
    return f"督办 {n}"


def cells(seen: Seen, names: Names, handles: bool, working_day: timedelta) -> tuple[str, ...]:
    """One ticket as the columns of TICKET_COLUMNS."""
    ticket = seen.ticket
    progress = short(seen.tone or ticket.last_progress or ticket.result, 30)
    return (
        f"#{ticket.number}",
        short(names.firm or "待确认", 12),
        short(mask_phone(ticket.title), 20),
        names.leader,
        names.owner,
        timing(seen, working_day),
        mask_phone(progress),
        next_step(seen, handles),
    )


def flow_line(page: Page, now: datetime) -> str:
    counted = "　".join(
        f"{FIGURE_NAMES[f]}{page.count(f)}"
        for f in (Figure.NEW, Figure.CLAIMED, Figure.RESOLVED, Figure.CLOSED, Figure.REOPENED)
    )
    return f"自{reader_time(page.since, now)}：{counted}"


def live_line(page: Page) -> str:
    parts = [f"{FIGURE_NAMES[f]}{page.count(f)}" for f in STATES if page.count(f)]
    told = f"：{'　'.join(parts)}" if parts else ""
    return f"在办{page.count(Figure.LIVE)}{told}"


def calls_line(page: Page, firm: Callable[[EnterpriseId], str]) -> str:
    """走访：已走访2家（泓曜精密、王子制纸）　今日计划1家（东和半导体）."""

    def named(firms: Sequence[EnterpriseId]) -> str:
        once = list(dict.fromkeys(firms))
        names = "、".join(firm(f) for f in once[:6]) + ("等" if len(once) > 6 else "")
        return f"{len(once)}家（{names}）"

    made, planned = page.calls.made, page.calls.planned
    parts = [f"已走访{named(made)}"] if made else []
    parts += [f"今日计划{named(planned)}"] if planned else []
    return "走访：" + "　".join(parts)


def sums_line(page: Page) -> str:
    """原在办 9 + 转入 4 − 离开 3 = 在办 10."""
    before, entered = page.count(Figure.BEFORE), page.count(Figure.ENTERED)
    left, live = page.count(Figure.LEFT), page.count(Figure.LIVE)
    return f"原在办{before} + 转入{entered} - 离开{left} = 在办{live}"


def paper(
    page: Page,
    calendar: WorkCalendar,
    working_day: timedelta,
    names: Callable[[Ticket], Names],
    firm: Callable[[EnterpriseId], str],
    handles: Callable[[Ticket], bool],
    duty: str,
    whose: str = "",
    title: str = BRIEF,
    more: Sequence[str] = (),
) -> Paper:
    """The whole page of one person."""
    day = day_line(page.at, calendar)
    headline = f"【{title}】{day}"
    if page.is_empty and not more:
        return Paper(headline, (), (), (), empty=f"{headline} {NOTHING}")
    local = page.at.astimezone(SHANGHAI)
    head = [f"值班：{duty or '未排'}　截至{local:%H:%M}", flow_line(page, page.at), live_line(page)]
    if whose:
        head[0] += f"　{whose}"
    sections = [
        Section(
            figure.value,
            SECTION_TITLES[figure],
            FIGURE_NAMES[figure],
            page.count(figure),
            TICKET_COLUMNS,
            tuple(
                cells(s, names(s.ticket), handles(s.ticket), working_day) for s in page.rows(figure)
            ),
        )
        for figure in (*MUST_ACT, Figure.LIVE)
        if page.count(figure)
    ]
    if page.common:
        sections.append(
            Section(
                "common",
                COMMON,
                COMMON,
                len(page.common),
                ("类别", "问题", "次数", "企业", "工单"),
                tuple(common_cells(c, firm) for c in page.common),
            )
        )
    if page.silent:
        sections.append(
            Section(
                "silent",
                f"{SILENT}的企业",
                SILENT,
                len(page.silent),
                ("企业",),
                tuple((firm(f),) for f in page.silent),
            )
        )
    if page.calls.unvisited:
        sections.append(
            Section(
                "unvisited",
                f"{UNVISITED}的企业",
                UNVISITED,
                len(page.calls.unvisited),
                ("企业",),
                tuple((firm(f),) for f in page.calls.unvisited),
            )
        )
    if page.calls.made or page.calls.planned:
        head.append(calls_line(page, firm))
    tiles = tuple(
        (FIGURE_NAMES[f], str(page.count(f)))
        for f in (
            Figure.NEW,
            Figure.CLAIMED,
            Figure.RESOLVED,
            Figure.CLOSED,
            Figure.REOPENED,
            Figure.LIVE,
            Figure.LATE,
            Figure.DUE_TODAY,
        )
    )
    foot = "回复「看 超期」「看 今日到期」等看名单，回复「三率」看本月三率。"
    return Paper(headline, (*head, *more), tiles, tuple(sections), foot)


def common_cells(found: Common, firm: Callable[[EnterpriseId], str]) -> tuple[str, ...]:
    numbers = "".join(f"#{n} " for n in found.numbers[:5]).strip()
    more = "等" if len(found.numbers) > 5 else ""
    firms = "、".join(firm(f) for f in found.firms[:4]) + ("等" if len(found.firms) > 4 else "")
    return (
        LABELS[found.category],
        short(mask_phone(found.title), 20),
        f"{len(found.numbers)}次{len(found.firms)}家",
        firms,
        numbers + more,
    )


def text_row(section: Section, row: tuple[str, ...]) -> str:
    if section.columns is TICKET_COLUMNS:
        number, firm, title, leader, owner, time, progress, step = row
        people = "·".join(p for p in (leader, owner) if p)
        parts = (firm, title, people, time, progress, step)
        return f"{number} " + "｜".join(p for p in parts if p)
    return "｜".join(p for p in row if p)


def as_text(paper: Paper, most: int = MOST_LINES) -> str:
    """At most so many lines; a ticket is told once, under the most pressing word."""
    if paper.empty:
        return paper.empty
    fixed = [paper.title, *paper.head]
    sections = told_once(paper)
    room = most - len(fixed) - len(sections) - (1 if paper.foot else 0)
    listed = [
        [short("、".join(r[0] for r in section.rows), 120)]
        if section.key in NAMES_ONLY
        else [text_row(section, row) for row in section.rows]
        for section in sections
    ]
    shares = fair_shares([len(lines) for lines in listed], room)
    lines = list(fixed)
    for section, rows, share in zip(sections, listed, shares, strict=True):
        # What is left of the rest is no figure of its own: its list holds the others too.
        count = "" if section.key == Figure.LIVE.value else f" {section.count}"
        above = "" if section.rows else f"，{ALL_ABOVE}"
        lines.append(f"■ {section.title}{count}（看 {section.word}）{above}")
        lines.extend(rows[:share])
    if paper.foot:
        lines.append(paper.foot)
    return "\n".join(lines)


def told_once(paper: Paper) -> tuple[Section, ...]:
    """Each ticket under the most pressing word only; what is left of the rest comes last."""
    told: set[str] = set()
    sections: list[Section] = []
    for section in paper.sections:
        fresh = tuple(
            r for r in section.rows if section.columns is not TICKET_COLUMNS or r[0] not in told
        )
        told.update(r[0] for r in fresh)
        if fresh or section.key != Figure.LIVE.value:
            sections.append(replace(section, rows=fresh))
    return tuple(sections)


def names_in(section: Section, fits: Callable[[str], bool]) -> str:
    """The firms of a list of names, as many as fit; none is cut, and the rest are counted."""
    names = [row[0] for row in section.rows]
    best = "、".join(names)
    if fits(best):
        return best
    best = f"共{len(names)}家"
    for shown in range(1, len(names)):
        told = f"{'、'.join(names[:shown])}等{len(names)}家"
        if not fits(told):
            break
        best = told
    return best


def more_rows(count: int) -> str:
    return f"还有{count}件，见表格"


def fair_shares(wanted: Sequence[int], room: int) -> list[int]:
    """Two lines for each section, then the rest to the most pressing."""
    shares = [0] * len(wanted)
    for step in (2, room):
        for n, want in enumerate(wanted):
            more = min(want - shares[n], step if step == 2 else room, room)
            if more > 0:
                shares[n] += more
                room -= more
    return shares


def figure_list(
    name: str,
    page: Page,
    rows: Sequence[tuple[str, ...]],
    part: int,
    now: datetime,
    changed: Mapping[int, str],
) -> str:
    """The rows behind one figure; what has changed since is said behind each."""
    at = reader_time(page.at, now)
    if not rows:
        return f"{name}：截至{at}没有。"
    first = (part - 1) * MOST_LISTED
    lines = []
    for row in rows[first : first + MOST_LISTED]:
        since = changed.get(int(row[0].lstrip("#")), "")
        note = f"（现{since}）" if since else ""
        number, firm, title, leader, owner, time, progress, step = row
        people = "·".join(p for p in (leader, owner) if p)
        told = "｜".join(p for p in (firm, title, people, time, progress) if p)
        lines += [f"{number} {told}{note}", f"　回复：{step}"]
    rest = len(rows) - first - MOST_LISTED
    if rest > 0:
        lines.append(f"还有{rest}件，回复「看 {name} {part + 1}」。")
    return f"{name} {len(rows)}件（截至{at}）：\n" + "\n".join(lines)


MOST_LISTED: Final = 12


def common_list(found: Sequence[tuple[str, ...]]) -> str:
    if not found:
        return "近30天没有共性问题。"
    lines = [f"{n}. {'｜'.join(row)}" for n, row in enumerate(found, 1)]
    return f"共性问题{len(found)}个：\n" + "\n".join(lines)


def silent_list(names: Sequence[str], days: int) -> str:
    if not names:
        return f"没有超过{days}天未联系的企业。"
    return f"超过{days}天未联系的企业{len(names)}家：\n" + "、".join(names)


def stats_text(title: str, rates: Rates, groups: Sequence[tuple[str, Rates]] = ()) -> str:
    lines = [title, *rate_lines(rates)]
    if groups:
        lines += ["", *group_lines(groups)]
    return "\n".join(lines)


def month_title(window: Window) -> str:
    start, end = (t.astimezone(SHANGHAI) for t in (window.start, window.end))
    return f"【三率】{start.month}月{start.day}日 至 {end.month}月{end.day}日 {end:%H:%M}"


def close_line(page: Page, calendar: WorkCalendar) -> str:
    """The one line at the end of the day."""
    counted = "，".join(
        f"{FIGURE_NAMES[f]}{page.count(f)}"
        for f in (Figure.NEW, Figure.RESOLVED, Figure.CLOSED, Figure.REOPENED)
    )
    late = page.count(Figure.LATE)
    parts = [
        f"{FIGURE_NAMES[f]}{page.count(f)}" for f in (Figure.RED, Figure.ORANGE, Figure.YELLOW)
    ]
    told = f"（{'，'.join(parts)}）" if late else ""
    return (
        f"【今日收盘】{day_line(page.at, calendar)}：{counted}；在办{page.count(Figure.LIVE)}，"
        f"超期或提级{late}{told}，下个工作日到期{page.count(Figure.DUE_TOMORROW)}。"
    )


def summary_title(kind: str, window: Window) -> str:
    start = window.start.astimezone(SHANGHAI)
    last = (window.end - timedelta(seconds=1)).astimezone(SHANGHAI)
    named = {"week": "周小结", "month": "月小结"}[kind]
    return f"【{named}】{start.month}月{start.day}日至{last.month}月{last.day}日"


def summary_text(
    title: str,
    page: Page,
    rates: Rates,
    commons: Sequence[tuple[str, ...]],
    called_back: str = "",
) -> str:
    counted = "　".join(
        f"{FIGURE_NAMES[f]}{page.count(f)}"
        for f in (Figure.NEW, Figure.CLAIMED, Figure.RESOLVED, Figure.CLOSED, Figure.REOPENED)
    )
    lines = [title, counted, sums_line(page), *rate_lines(rates)]
    if called_back:
        lines.append(called_back)
    if commons:
        lines.append(f"■ {COMMON} {len(commons)}")
        lines += ["｜".join(row) for row in commons[:5]]
    return "\n".join(lines)
