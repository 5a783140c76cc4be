"""What the ladder says, and how several notices are said at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from handlers.chat.outbound import Button, Card, Content, Press, Row, Style, Tone
from handlers.domain.category import LABELS
from handlers.domain.ticket import Ticket
from handlers.texts.common import STATE_CHIPS, reader_time, short, working
from handlers.texts.tickets import URGENCY_NAMES, decision_card, supervision

_LINES: Final = 12


def digest(contents: Sequence[Content]) -> str:
    """Several notices as one message, a line each, the newest state of things last."""
    lines = list(dict.fromkeys(_line(content) for content in contents))
    shown = "\n".join(f"{n}. {line}" for n, line in enumerate(lines[:_LINES], 1))
    more = f"\n另有{len(lines) - _LINES}条" if len(lines) > _LINES else ""
    return f"有{len(lines)}件事请您留意：\n{shown}{more}\n发「我的工单」看全部。"


def _line(content: Content) -> str:
    card = content.card
    if card is not None:
        chip = f"（{card.status}）" if card.status else ""
        return short(f"{card.title}{chip}：{card.lead}", 70)
    return short(content.text.replace("\n", "，"), 70)


def over(spent: timedelta, day: timedelta | None) -> str:
    """已超 4个工作小时, 已超 2个工作日; without a working `day` in natural time."""
    minutes = int(spent.total_seconds() // 60)
    if minutes < 1:
        return "刚到时限"
    unit = "" if day is None else "个工作"
    if minutes < 60:
        return f"已超{minutes}分钟"
    days = 0 if day is None else int(spent / day)
    if day is None and minutes >= 48 * 60:
        return f"已超{minutes // (24 * 60)}天"
    return f"已超{days}个工作日" if days else f"已超{minutes // 60}{unit}小时"


# ---- to whoever handles it


def unclaimed(late: str) -> str:
    return f"认领{late}，请尽快认领并联系企业。"


def unclaimed_stand_in(owner: str, late: str) -> str:
    return f"{owner}认领{late}，请您作为B岗认领。"


def urgent_unclaimed(ticket: Ticket, now: datetime) -> str:
    return f"特急，{_waited(ticket, now)}无人认领，请立即认领并联系企业。"


def _waited(ticket: Ticket, now: datetime) -> str:
    since = ticket.claim_started_at or ticket.created_at
    minutes = max(0, int((now - since).total_seconds() // 60))
    return f"{minutes}分钟" if minutes < 120 else f"{minutes // 60}小时"


def first_reply(late: str) -> str:
    return f"首次答复{late}，请先给企业一个答复。"


def warned(ticket: Ticket, now: datetime) -> str:
    return f"{reader_time(ticket.due_resolution, now)} 到办结时限，请抓紧办理。"


_CLOCKS: Final = {"claim": "认领", "progress": "反馈进展", "first_reply": "首次答复"}


def what(clock: str, late: str) -> str:
    """What is overdue, in words, and by how much."""
    return f"{_CLOCKS.get(clock, '办结')}{late}"


def yellow(clock: str, late: str) -> str:
    if clock == "progress":
        return f"{what(clock, late)}，请回复进展。"
    return f"{what(clock, late)}，请尽快办结或写明进展。"


def yellow_office(ticket: Ticket, clock: str, owner: str, late: str) -> str:
    return f"#{ticket.number} {short(ticket.title, 30)}：{what(clock, late)}，承办{owner}。"


def _press(ticket: Ticket, action: str, label: str, style: Style = Style.PLAIN) -> Button:
    args = {"t": str(ticket.number), "v": str(ticket.version)}
    return Button(label, Press(action, args), style)


def urgent_card(ticket: Ticket, firm: str, contact: str, owner: str, now: datetime) -> Card:
    """A U1 that nobody claims, for everybody who may take it or hand it on."""
    lead = urgent_unclaimed(ticket, now)
    return Card(
        key=f"ticket:{ticket.code}:urgent",
        title=f"特急 #{ticket.number} · {LABELS[ticket.category]}",
        tone=Tone.URGENT,
        status=STATE_CHIPS[ticket.state],
        lead=short(f"{lead}{ticket.title}", 110),
        rows=(
            Row("企业", short(firm or "待确认", 26)),
            Row("反映人", short(contact or ticket.reporter_name or "未知", 26)),
            Row("承办", short(owner, 26)),
        ),
        note=short(f"{ticket.code}·{reader_time(ticket.created_at, now)}", 30),
        buttons=(
            _press(ticket, "ticket.claim", "认领", Style.MAIN),
            _press(ticket, "ticket.reassign", "改派"),
        ),
        revision=ticket.version,
        fallback=(
            f"【#{ticket.number} 特急 待认领】{ticket.title}\n{lead}\n"
            f"企业：{firm or '待确认'}　承办：{owner}\n"
            f"回复「认领 {ticket.number}」或「改派 {ticket.number} 姓名 理由」"
        ),
    )


# ---- to the leader, the chief, the office


def orange(clock: str, late: str) -> str:
    return f"{what(clock, late)}，请您过问。"


def raised(clock: str, level: int, late: str) -> str:
    """Why a level was reached, as the history tells it."""
    if clock == "acknowledge":
        return "分管领导未回应"
    return "临近办结时限" if clock == "resolution" and level == 2 else what(clock, late)


def red(clock: str, late: str) -> str:
    reason = "提级后分管领导未回应" if clock == "acknowledge" else what(clock, late)
    return red_by(reason)


def reopened_twice() -> str:
    return "企业再次反馈没有解决"


def declined_twice() -> str:
    return "已被退单两次"


def red_by(reason: str) -> str:
    return f"{reason}，请您决定：换人、挂账，或定会商日期。"


def meeting_handler() -> str:
    return "约定的日期已到，请写明现在办到哪一步。"


def meeting_came() -> str:
    return "约定的日期已到，请您决定：换人、挂账，或另定日期。"


def chief_card(
    ticket: Ticket, firm: str, owner: str, leader: str, lead: str, now: datetime
) -> Card:
    """Red ends in a new owner, on the shelf, or with a date to meet."""
    card = decision_card(
        ticket,
        "chief",
        lead,
        (
            Row("企业", short(firm or "待确认", 26)),
            Row("事项", short(ticket.title, 26)),
            Row("紧急", URGENCY_NAMES[ticket.urgency]),
            Row("承办", short(owner, 26)),
            Row("分管", short(leader, 26)),
            Row("督办单", supervision(ticket)),
        ),
        (("ticket.reassign", "改派"), ("ticket.shelve", "挂账"), ("ticket.meet", "定会商")),
        now,
        f"回复「改派 {ticket.number} 姓名 理由」「挂账 {ticket.number} 日期 理由；已告知企业的话」"
        f"或「会商 {ticket.number} 12月5日」",
    )
    return replace(card, tone=Tone.URGENT)


def skipped(ticket: Ticket, who: str) -> str:
    return (
        f"#{ticket.number} {short(ticket.title, 30)}：{who}无人可通知，已直接报上一级，请补登人员。"
    )


def nobody_above(ticket: Ticket, who: str) -> str:
    return f"#{ticket.number} {short(ticket.title, 30)}：{who}无人可通知，请办公室处理。"


WHO: Final = {
    "handler": "承办人",
    "stand_in": "B岗",
    "office": "办公室",
    "leader": "分管领导",
    "chief": "主要负责人",
    "firm": "企业联系人",
    "department": "部门联系人",
}


def transfer_waits(
    ticket: Ticket, firm: str, asked: str, owner: str, within: timedelta, now: datetime
) -> Card:
    return decision_card(
        ticket,
        "waiting",
        f"请{asked}接办已过{working(within)}，对方没有答复，请办公室决定由谁办理。",
        (Row("企业", short(firm, 26)), Row("事项", short(ticket.title, 26)),
         Row("承办", short(owner, 26))),
        (("ticket.reassign", "改派"),),
        now,
        f"回复「改派 {ticket.number} 姓名 理由」",
    )  # fmt: skip


def department_late(ticket: Ticket, now: datetime) -> str:
    return (
        f"#{ticket.number} {short(ticket.title, 30)}：约定{reader_time(ticket.due_department, now)} "
        f"前回复，请回复「部门回复 {ticket.number} 内容」。"
    )


def handler_department_late(ticket: Ticket) -> str:
    return (
        f"#{ticket.number} {short(ticket.title, 30)}：{ticket.department}到约定时间没有回复，"
        f"请催办；收回请回复「收回 {ticket.number} 情况」。"
    )


# ---- to the firm


def answer_wanted(ticket: Ticket, owner: str, now: datetime) -> str:
    return (
        f"#{ticket.number} {short(ticket.title, 30)}：{owner}在等您补充：{ticket.question}\n"
        f"请在 {reader_time(ticket.due_answer, now)} 前回复「补充 {ticket.number} 内容」。"
    )


def answer_never_came() -> str:
    return "企业没有在期限内补充，请按现有情况继续办理。"


def verdict_wanted(ticket: Ticket, now: datetime) -> str:
    return f"办结后还没有收到您的意见，请在 {reader_time(ticket.due_verdict, now)} 前看看是否解决。"


def reviewed() -> str:
    return "挂账复核日期已到，已恢复办理，请联系企业并写明进展。"
