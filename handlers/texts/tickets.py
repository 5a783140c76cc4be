"""Every sentence and card about tickets."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from handlers.chat.outbound import Button, Card, Content, Kind, Press, Row, Style, Tone
from handlers.domain.category import LABELS
from handlers.domain.people import Person, mask_phone
from handlers.domain.ticket import (
    NOT_ACCEPT_REASONS,
    Channel,
    Entry,
    Move,
    State,
    Ticket,
    overdue,
)
from handlers.texts.common import (
    MOVE_NAMES,
    RATING_NAMES,
    STATE_CHIPS,
    STATE_NAMES,
    reader_time,
    short,
)

URGENCY_NAMES: Final = {"U1": "特急", "U2": "紧急", "U3": "普通", "U4": "疑难"}
DUTY_DESK: Final = "办公室值班"
# Opens the card of corrections (handlers/commands/correct.py).
CORRECT: Final = "ticket.correct"
_TONES: Final[Mapping[State, Tone]] = {
    State.OPEN: Tone.WARN,
    State.IN_PROGRESS: Tone.INFO,
    State.WAITING_ENTERPRISE: Tone.WARN,
    State.WAITING_DEPARTMENT: Tone.WARN,
    State.SHELVED: Tone.QUIET,
    State.RESOLVED: Tone.GOOD,
    State.CLOSED: Tone.GOOD,
    State.WITHDRAWN: Tone.QUIET,
    State.NOT_ACCEPTED: Tone.QUIET,
    State.MERGED: Tone.QUIET,
}
CHANNEL_NAMES: Final = {
    Channel.GROUP: "群聊",
    Channel.DIRECT: "私聊",
    Channel.PHONE: "电话",
    Channel.VISIT: "走访",
    Channel.CONSOLE: "后台",
    Channel.API: "接口",
}


def _press(ticket: Ticket, action: str, label: str, style: Style = Style.PLAIN) -> Button:
    args = {"t": str(ticket.number), "v": str(ticket.version)}
    return Button(label, Press(action, args), style)


def _key(ticket: Ticket, face: str) -> str:
    return f"ticket:{ticket.code}:{face}"


def _tone(ticket: Ticket) -> Tone:
    if ticket.urgency == "U1" and ticket.is_live:
        return Tone.URGENT
    return _TONES[ticket.state]


def _title(ticket: Ticket) -> str:
    return f"#{ticket.number} · {LABELS[ticket.category]}"


def _note(ticket: Ticket, now: datetime) -> str:
    return short(f"{ticket.code}·{reader_time(ticket.created_at, now)}", 30)


def _fallback(ticket: Ticket, lines: Sequence[str]) -> str:
    haste = f"{URGENCY_NAMES[ticket.urgency]} " if ticket.urgency in ("U1", "U2") else ""
    head = f"【#{ticket.number} {LABELS[ticket.category]} {haste}{STATE_NAMES[ticket.state]}】"
    return "\n".join([head + ticket.title, *(line for line in lines if line)])


def claim_by(ticket: Ticket, now: datetime) -> str:
    if ticket.state is State.OPEN:
        return f"{reader_time(ticket.due_claim, now)} 前认领"
    return f"{reader_time(ticket.due_resolution, now)} 前办结"


def group_card(ticket: Ticket, firm: str, owner: str, now: datetime) -> Card:
    """The one short card a group sees: no phone, no story."""
    title = mask_phone(ticket.title)
    rows = [Row("企业", short(firm or "待确认", 26)), Row("联络员", short(owner, 26))]
    if ticket.urgency in ("U1", "U2"):
        rows.append(Row("紧急", URGENCY_NAMES[ticket.urgency]))
    return Card(
        key=_key(ticket, "group"),
        title=_title(ticket),
        tone=_tone(ticket),
        status=STATE_CHIPS[ticket.state],
        lead=short(title, 110),
        rows=tuple(rows),
        note=_note(ticket, now),
        revision=ticket.version,
        fallback=_fallback(ticket, [f"企业：{firm or '待确认'}　联络员：{owner}"]).replace(
            ticket.title, title
        ),
    )


def several_opened(cards: Sequence[Card], numbers: Sequence[int]) -> Card:
    """All numbers of one message in one answer."""
    listed = "、".join(f"#{n}" for n in numbers)
    rows = tuple(Row(f"#{n}", short(card.lead, 26)) for n, card in zip(numbers, cards, strict=True))
    first = cards[0]
    return Card(
        key=first.key,
        title=f"已登记{len(numbers)}件",
        tone=first.tone,
        status=first.status,
        lead=f"{listed}，已转联络员。",
        rows=tuple(Row(short(r.label, 5), r.value) for r in rows[:5])
        + tuple(r for r in first.rows if r.label == "联络员"),
        note=first.note,
        revision=first.revision,
        fallback=f"已登记{len(numbers)}件：{listed}\n" + "\n".join(c.fallback for c in cards),
    )


def result_card(ticket: Ticket, firm: str, owner: str, now: datetime) -> Card:
    """What the group sees when it is done."""
    result = short(mask_phone(ticket.result or STATE_NAMES[ticket.state]), 100)
    return Card(
        key=_key(ticket, "group"),
        title=_title(ticket),
        tone=_tone(ticket),
        status=STATE_CHIPS[ticket.state],
        lead=f"已办结：{result}",
        rows=(
            Row("企业", short(firm or "待确认", 26)),
            Row("联络员", short(owner, 26)),
            Row("事项", short(mask_phone(ticket.title), 26)),
        ),
        note=_note(ticket, now),
        revision=ticket.version,
        fallback=f"#{ticket.number} 已办结：{result}\n企业：{firm}　联络员：{owner}",
    )


def handler_card(
    ticket: Ticket, firm: str, contact: str, owner: str, now: datetime, lead: str = ""
) -> Card:
    """The card of whoever handles the ticket, with what can be done next."""
    source = CHANNEL_NAMES[ticket.source.channel]
    rows = [
        Row("企业", short(firm or "待确认", 26)),
        Row("反映人", short(contact or ticket.reporter_name or "未知", 26)),
        Row("紧急", f"{URGENCY_NAMES[ticket.urgency]}，来自{source}"),
        Row("时限", short(claim_by(ticket, now), 26)),
        Row("承办", short(owner, 26)),
    ]
    if ticket.hazardous:
        rows.append(Row("提示", "危化企业"))
    buttons = handler_buttons(ticket)
    words = {
        State.OPEN: f"回复「认领 {ticket.number}」",
        State.IN_PROGRESS: f"回复「进展 {ticket.number} 办到哪一步」或「办结 {ticket.number} 结果」",
        State.WAITING_ENTERPRISE: "等企业补充",
        State.WAITING_DEPARTMENT: f"回复「部门回复 {ticket.number} 内容」",
        State.SHELVED: f"回复「复核 {ticket.number}」",
        State.RESOLVED: "等企业评价",
    }.get(ticket.state, "")
    return Card(
        key=_key(ticket, "handler"),
        title=_title(ticket),
        tone=_tone(ticket),
        status=STATE_CHIPS[ticket.state],
        lead=short(lead or ticket.body or ticket.title, 110),
        rows=tuple(rows),
        note=_note(ticket, now),
        buttons=buttons,
        revision=ticket.version,
        fallback=_fallback(
            ticket,
            [
                lead,
                f"企业：{firm or '待确认'}　反映人：{contact or ticket.reporter_name}",
                f"时限：{claim_by(ticket, now)}",
                words,
                f"登记有误回复「更正 {ticket.number}」" if ticket.is_live else "",
            ],
        ),
    )


def with_attachments(ticket: Ticket, count: int) -> str:
    """What a new ticket's card says first where something came along."""
    told = f"（附件{count}个，回复「查 {ticket.number}」打开）"
    return short(ticket.body or ticket.title, 110 - len(told)) + told


def handler_buttons(ticket: Ticket) -> tuple[Button, ...]:
    if ticket.state is State.OPEN:
        return (
            _press(ticket, "ticket.claim", "认领", Style.MAIN),
            _press(ticket, "ticket.transfer", "转办"),
            _press(ticket, "ticket.decline", "退单"),
            _press(ticket, CORRECT, "更正"),
        )
    if ticket.state is State.IN_PROGRESS:
        return (
            _press(ticket, "ticket.progress", "写进展", Style.MAIN),
            _press(ticket, "ticket.resolve", "办结"),
            _press(ticket, "ticket.ask", "请补充"),
            _press(ticket, "ticket.transfer", "转办"),
        )
    if ticket.state is State.WAITING_DEPARTMENT:
        return (
            _press(ticket, "ticket.progress", "写进展", Style.MAIN),
            _press(ticket, "ticket.recall", "部门回复"),
            _press(ticket, CORRECT, "更正"),
        )
    if ticket.state is State.WAITING_ENTERPRISE:
        return (_press(ticket, CORRECT, "更正"),)
    if ticket.state is State.SHELVED:
        return (
            _press(ticket, "ticket.review", "恢复办理", Style.MAIN),
            _press(ticket, CORRECT, "更正"),
        )
    if ticket.state is State.RESOLVED:
        return (_press(ticket, "ticket.retract", "撤回办结"),)
    return ()


def firm_card(ticket: Ticket, owner: str, now: datetime, lead: str = "") -> Card:
    """The ticket as its firm sees it."""
    rows = [
        Row("状态", STATE_NAMES[ticket.state]),
        Row("联络员", short(owner, 26)),
        Row("事项", short(ticket.title, 26)),
    ]
    if ticket.is_live:
        rows.append(Row("时限", short(f"{reader_time(ticket.due_resolution, now)} 前办结", 26)))
    buttons: tuple[Button, ...] = ()
    if ticket.is_live:
        buttons = (
            _press(ticket, "ticket.urge", "催办", Style.MAIN),
            _press(ticket, "ticket.withdraw", "撤回"),
        )
    return Card(
        key=_key(ticket, "firm"),
        title=_title(ticket),
        tone=_tone(ticket),
        status=STATE_CHIPS[ticket.state],
        lead=short(lead or ticket.title, 110),
        rows=tuple(rows),
        note=_note(ticket, now),
        buttons=buttons,
        revision=ticket.version,
        fallback=_fallback(
            ticket, [lead, f"联络员：{owner}", f"补充情况可回复「补充 {ticket.number} 内容」"]
        ),
    )


def callback_card(ticket: Ticket, owner: str, now: datetime, again: str = "") -> Card:
    """Asks the firm whether it is solved; `again` opens the one reminder."""
    return Card(
        key=_key(ticket, "callback"),
        title=_title(ticket),
        tone=Tone.GOOD,
        status=STATE_CHIPS[ticket.state],
        lead=short(f"{again}{owner}已办结：{ticket.result}", 110),
        rows=(Row("事项", short(ticket.title, 26)), Row("请您", "看看是否解决")),
        note=_note(ticket, now),
        buttons=(
            _rate(ticket, 5, "非常满意", Style.MAIN),
            _rate(ticket, 4, "满意"),
            _rate(ticket, 3, "基本满意"),
            _press(ticket, "ticket.verdict_no", "没解决", Style.DANGER),
        ),
        revision=ticket.version,
        fallback=(
            f"#{ticket.number} {again}{owner}已办结：{ticket.result}\n"
            f"解决了请回复「非常满意 {ticket.number}」「满意」或「基本满意」；"
            f"没解决请回复「没解决 {ticket.number} 还差什么」。"
        ),
    )


def told_result(ticket: Ticket, owner: str, asked: str) -> str:
    """To a colleague of the firm who had a part in it; one person is asked."""
    return (
        f"#{ticket.number} {owner}已办结：{ticket.result}\n"
        f"已请{asked}评价。您也可以回复「解决了 {ticket.number}」，"
        f"或者「没解决 {ticket.number} 还差什么」。"
    )


def _rate(ticket: Ticket, level: int, label: str, style: Style = Style.PLAIN) -> Button:
    args = {"t": str(ticket.number), "v": str(ticket.version), "r": str(level)}
    return Button(label, Press("ticket.rate", args), style)


def decision_card(
    ticket: Ticket,
    face: str,
    lead: str,
    rows: Sequence[Row],
    buttons: Sequence[tuple[str, str]],
    now: datetime,
    words: str,
) -> Card:
    """Something asked of a leader, the office or a colleague, decided by a button."""
    made = tuple(
        _press(ticket, action, label, Style.MAIN if number == 0 else Style.PLAIN)
        for number, (action, label) in enumerate(buttons)
    )
    return Card(
        key=_key(ticket, face),
        title=_title(ticket),
        tone=Tone.WARN,
        status=STATE_CHIPS[ticket.state],
        lead=short(lead, 110),
        rows=tuple(rows),
        note=_note(ticket, now),
        buttons=made,
        revision=ticket.version,
        fallback=_fallback(ticket, [lead, words]),
    )


def transfer_card(ticket: Ticket, firm: str, by: str, now: datetime) -> Card:
    return decision_card(
        ticket,
        "transfer",
        f"{by}请您接办：{ticket.pending_reason}",
        (Row("企业", short(firm, 26)), Row("事项", short(ticket.title, 26))),
        (("ticket.transfer_accept", "接受"), ("ticket.transfer_refuse", "不接受")),
        now,
        f"回复「接受 {ticket.number}」或「不接受 {ticket.number} 理由」",
    )


def extend_card(ticket: Ticket, firm: str, by: str, now: datetime) -> Card:
    return decision_card(
        ticket,
        "extend",
        f"{by}申请延期：{ticket.pending_reason}",
        (
            Row("企业", short(firm, 26)),
            Row("原时限", reader_time(ticket.due_resolution, now)),
            Row("拟延至", reader_time(ticket.pending_until, now)),
        ),
        (("ticket.extend_approve", "同意"), ("ticket.extend_refuse", "不同意")),
        now,
        f"回复「同意延期 {ticket.number}」或「不同意延期 {ticket.number} 理由」",
    )


def shelve_card(ticket: Ticket, firm: str, by: str, now: datetime) -> Card:
    return decision_card(
        ticket,
        "shelve",
        f"{by}申请挂账：{ticket.pending_reason}",
        (
            Row("企业", short(firm, 26)),
            Row("复核", reader_time(ticket.pending_review, now)),
            Row("已告知", short(ticket.pending_told, 26)),
        ),
        (("ticket.shelve_approve", "同意"), ("ticket.shelve_refuse", "不同意")),
        now,
        f"回复「同意挂账 {ticket.number}」或「不同意挂账 {ticket.number} 理由」",
    )


def supervision(ticket: Ticket) -> str:
    """The number of its 督办单, and whether somebody has ordered it."""
    code = ticket.supervision_code
    if not code:
        return "尚未编号"
    return f"{code}（已督办）" if ticket.supervised else code


def leader_card(ticket: Ticket, firm: str, owner: str, lead: str, now: datetime) -> Card:
    """What the leader can do; what is done already is not offered again."""
    actions = [("ticket.reassign", "改派"), ("ticket.extend", "延期")]
    if ticket.acknowledged_at is None:
        actions.insert(0, ("ticket.acknowledge", "知悉"))
    if not ticket.supervised:
        actions.append(("ticket.supervise", "督办"))
    return decision_card(
        ticket,
        "leader",
        lead,
        (
            Row("企业", short(firm, 26)),
            Row("事项", short(ticket.title, 26)),
            Row("承办", short(owner, 26)),
            Row("第几次", f"第{ticket.cycle}次办理"),
            Row("督办单", supervision(ticket)),
        ),
        actions,
        now,
        f"回复「知悉 {ticket.number}」「改派 {ticket.number} 姓名 理由」"
        f"「延期 {ticket.number} 日期 理由」或「督办 {ticket.number}」；"
        f"取督办单回复「督办单 {ticket.number}」",
    )


def duty_card(ticket: Ticket, firm: str, lead: str, now: datetime) -> Card:
    return decision_card(
        ticket,
        "duty",
        lead,
        (
            Row("企业", short(firm or "待确认", 26)),
            Row("反映人", short(ticket.reporter_name or "未知", 26)),
            Row("时限", short(claim_by(ticket, now), 26)),
        ),
        (("ticket.claim", "认领"), ("ticket.reassign", "改派"), (CORRECT, "更正")),
        now,
        f"回复「认领 {ticket.number}」或「改派 {ticket.number} 姓名 理由」；"
        f"登记有误回复「更正 {ticket.number}」",
    )


def decided_card(ticket: Ticket, face: str, firm: str, owner: str, now: datetime) -> Card:
    """A card on which nothing is left to decide."""
    return decision_card(
        ticket,
        face,
        ticket.title,
        (
            Row("企业", short(firm or "待确认", 26)),
            Row("承办", short(owner, 26)),
            Row("状态", STATE_NAMES[ticket.state]),
        ),
        (),
        now,
        f"承办：{owner}",
    )


# ---- one-line answers


def opened(ticket: Ticket, owner: str, now: datetime) -> str:
    return (
        f"#{ticket.number} 已登记：{ticket.title}。由{owner}负责，"
        f"{reader_time(ticket.due_claim, now)} 前与您联系。"
    )


def opened_for(firm: str) -> str:
    """What somebody who reported for another firm learns: only that it was taken."""
    return f"已收到，已转{firm}的联络员办理。"


def claimed(ticket: Ticket, now: datetime) -> str:
    return f"#{ticket.number} 已由您认领，请于{reader_time(ticket.due_progress, now)} 前反馈进展。"


def told_claimed(ticket: Ticket, owner: str, now: datetime) -> str:
    return (
        f"#{ticket.number} {ticket.title}：{owner}已认领，"
        f"{reader_time(ticket.due_progress, now)} 前反馈进展。"
    )


def progressed(ticket: Ticket) -> str:
    return f"#{ticket.number} 进展已记录，并已告知企业。"


def told_progress(ticket: Ticket, owner: str, text: str) -> str:
    return f"#{ticket.number} {ticket.title}\n{owner}：{text}"


def resolved(ticket: Ticket) -> str:
    return f"#{ticket.number} 已办结，正在请企业确认。"


def told_question(ticket: Ticket, owner: str) -> str:
    return (
        f"#{ticket.number} {ticket.title}\n{owner}请您补充：{ticket.question}\n"
        f"直接回复「补充 {ticket.number} 内容」即可。"
    )


def asked(ticket: Ticket) -> str:
    return f"#{ticket.number} 已请企业补充，等待期间不计时。"


def told_along(ticket: Ticket, who: str) -> str:
    return f"#{ticket.number} {who}发来附件，回复「查 {ticket.number}」打开。"


def told_reply(ticket: Ticket, who: str, text: str) -> str:
    return f"#{ticket.number} {who}补充：{text}"


def follow_up_taken(ticket: Ticket) -> str:
    return f"#{ticket.number} 已补充，并已告知承办人。"


def joined(ticket: Ticket) -> str:
    return f"#{ticket.number} 已在办理，您说的情况已并入。"


def urged(ticket: Ticket, owner: str, raised: bool) -> str:
    also = "，并已报告分管领导" if raised else ""
    return f"#{ticket.number} 已提醒{owner}{also}。"


def told_urged(ticket: Ticket, who: str) -> str:
    return f"#{ticket.number} {ticket.title}：{who}催问进展，请回复「进展 {ticket.number} 办到哪一步」。"


def thanks_for_rating(ticket: Ticket) -> str:
    if ticket.rating is not None and ticket.rating_cycle == ticket.cycle:
        return f"#{ticket.number} 已销号，感谢评价：{RATING_NAMES[ticket.rating]}。"
    return f"#{ticket.number} 已销号，感谢确认。"


def told_closed(ticket: Ticket, who: str) -> str:
    rating = RATING_NAMES.get(ticket.rating or 0, "")
    told = f"，评价：{rating}" if rating and ticket.rating_cycle == ticket.cycle else ""
    return f"#{ticket.number} {who}确认已解决{told}，已销号。"


def reopened(ticket: Ticket, owner: str) -> str:
    return f"#{ticket.number} 已重新办理（第{ticket.cycle}次），由{owner}继续负责，已报告分管领导。"


def told_reopened(who: str, text: str) -> str:
    said = f"：{text}" if text else ""
    return f"{who}反馈没有解决{said}"


def withdrawn(ticket: Ticket) -> str:
    return f"#{ticket.number} 已按您的意思撤回。"


def told_withdrawn(ticket: Ticket, who: str) -> str:
    return f"#{ticket.number} {ticket.title}：{who}已撤回，不用再办。"


def transferred(ticket: Ticket) -> str:
    return f"#{ticket.number} 已请对方接办；接受之前仍由您负责。"


def transfer_accepted(ticket: Ticket) -> str:
    return f"#{ticket.number} 已由您接办。"


def told_transfer(ticket: Ticket, person: str, accepted: bool, text: str = "") -> str:
    if accepted:
        return f"#{ticket.number} {person}已接办。"
    said = f"：{text}" if text else ""
    return f"#{ticket.number} {person}没有接办{said}，仍由您负责。"


def told_new_owner(ticket: Ticket, owner: str) -> str:
    return f"#{ticket.number} {ticket.title}：现由{owner}办理，原有时限不变。"


def reassigned(ticket: Ticket, owner: str) -> str:
    return f"#{ticket.number} 已改派给{owner}。"


def declined(ticket: Ticket) -> str:
    return f"#{ticket.number} 已退回办公室，由值班决定。"


def told_declined(by: str, text: str) -> str:
    return f"{by}退单：{text}"


def referred(ticket: Ticket, now: datetime) -> str:
    return (
        f"#{ticket.number} 已转{ticket.department}，"
        f"{reader_time(ticket.due_department, now)} 前回复；您仍负责跟踪。"
    )


def told_referred(ticket: Ticket, now: datetime) -> str:
    return (
        f"#{ticket.number} {ticket.title}：已转{ticket.department}办理，"
        f"{reader_time(ticket.due_department, now)} 前回复。"
    )


def department_answered(ticket: Ticket) -> str:
    return f"#{ticket.number} {ticket.department}的回复已记录。"


_REQUESTS: Final = {Move.EXTEND: "延期", Move.SHELVE: "挂账", Move.TRANSFER: "转办"}


def asked_leader(ticket: Ticket, move: Move) -> str:
    return f"#{ticket.number} {_REQUESTS[move]}申请已送分管领导。"


def extended(ticket: Ticket, now: datetime) -> str:
    return f"#{ticket.number} 时限已延至 {reader_time(ticket.due_resolution, now)}。"


def granted(ticket: Ticket, now: datetime) -> str:
    """A leader's own extension; what was overdue stays so."""
    if ticket.due_resolution is not None and ticket.due_resolution <= now:
        until = reader_time(ticket.held_until, now)
        return f"#{ticket.number} 同意延至 {until}；此前已超期，超期记录保留。"
    return extended(ticket, now)


def told_granted(ticket: Ticket, reason: str, now: datetime) -> str:
    until = ticket.due_resolution
    if until is not None and until <= now:
        until = ticket.held_until
    return (
        f"#{ticket.number} {ticket.title}：办理时间延至 {reader_time(until, now)}，原因：{reason}。"
    )


def told_extended(ticket: Ticket, reason: str, now: datetime) -> str:
    return (
        f"#{ticket.number} {ticket.title}：办理时限延至 "
        f"{reader_time(ticket.due_resolution, now)}，原因：{reason}。"
    )


def turned_down(ticket: Ticket, move: Move) -> str:
    return f"#{ticket.number} 已回复不同意{_REQUESTS[move]}。"


def refused_request(ticket: Ticket, move: Move, text: str = "") -> str:
    said = f"：{text}" if text else ""
    return f"#{ticket.number} {_REQUESTS[move]}申请未同意{said}。"


def shelved(ticket: Ticket, now: datetime) -> str:
    return f"#{ticket.number} 已挂账，{reader_time(ticket.review_at, now)} 复核。"


# The handler writes it down for the leader (已告知企业节后再招); the firm reads it too.
_TOLD_THEM: Final = re.compile(
    r"^已?经?(?:电话|当面|微信|口头)?(?:告知|告诉|通知)(?:过|了)?(?:企业|对方)[:：,，]?\s*"
)


def told_shelved(ticket: Ticket, now: datetime) -> str:
    told = _TOLD_THEM.sub("", ticket.pending_told).rstrip(" 。.；;，,！!")
    return (
        f"#{ticket.number} {ticket.title}：目前条件下暂难办结。{f'{told}。' if told else ''}"
        f"{reader_time(ticket.review_at, now)} 再与您联系。"
    )


def reviewed(ticket: Ticket) -> str:
    return f"#{ticket.number} 已恢复办理。"


def retracted(ticket: Ticket) -> str:
    return f"#{ticket.number} 已撤回办结，继续办理。"


def told_retracted(ticket: Ticket) -> str:
    return f"#{ticket.number} {ticket.title}：联络员撤回了办结，继续办理。"


def not_accepted(ticket: Ticket) -> str:
    return f"#{ticket.number} 已登记为不予受理，并已告知企业。"


def told_not_accepted(ticket: Ticket, text: str) -> str:
    route = f"建议：{text}" if text else "如有疑问请联系您的联络员"
    return (
        f"#{ticket.number} {ticket.title}：{NOT_ACCEPT_REASONS[ticket.reason]}，不予受理。{route}。"
    )


def merged(ticket: Ticket, target: int) -> str:
    return f"#{ticket.number} 已并入 #{target}。"


def told_merged(ticket: Ticket, target: int) -> str:
    return f"#{ticket.number} 与 #{target} 是同一件事，已合并到 #{target} 办理。"


def unmerged(ticket: Ticket) -> str:
    return f"#{ticket.number} 已取消合并，重新待认领。"


def split_off(ticket: Ticket) -> str:
    return f"#{ticket.number} 已拆出一件新工单，由同一位联络员负责。"


def linked(ticket: Ticket) -> str:
    return f"#{ticket.number} 已关联。"


def supervised(ticket: Ticket) -> str:
    return f"#{ticket.number} 已督办，编号 {ticket.supervised}，每个工作日请报进展。"


def acknowledged(ticket: Ticket, now: datetime) -> str:
    return f"#{ticket.number} 已知悉，{reader_time(ticket.held_until, now)} 前不再提级。"


def meeting_set(ticket: Ticket, now: datetime) -> str:
    return f"#{ticket.number} 已定 {reader_time(ticket.held_until, now)} 会商，此前不再提级。"


def told_meeting(ticket: Ticket, who: str, now: datetime) -> str:
    return (
        f"#{ticket.number} {short(ticket.title, 30)}：{who}定于 "
        f"{reader_time(ticket.held_until, now)} 会商，请备好情况。"
    )


def meeting_wanted(ticket: Ticket) -> str:
    return f"#{ticket.number} {ticket.title}\n请写会商日期，例如：12月5日 上午："


def reclassified(ticket: Ticket) -> str:
    return f"#{ticket.number} 已改为{LABELS[ticket.category]}、{URGENCY_NAMES[ticket.urgency]}。"


def confidential(ticket: Ticket) -> str:
    return f"#{ticket.number} 已设为保密，不再出现在群里。"


def hidden_card(ticket: Ticket, key: str) -> Card:
    """What stands in a group in place of a card that was there before."""
    told = f"#{ticket.number} 已设为保密，不在群里显示。"
    return Card(
        key=key,
        title=f"#{ticket.number}",
        tone=Tone.QUIET,
        status="保密",
        lead=told,
        revision=ticket.version,
        fallback=told,
    )


def stays_in_group(ticket: Ticket) -> str:
    return (
        f"#{ticket.number} 已设为保密，但先前在群里说过的撤不回了，"
        "请不要在群里再提，必要时请群主删除那几条。"
    )


def firm_named(ticket: Ticket, firm: str, owner: str) -> str:
    return f"#{ticket.number} 已登记为{firm}，由{owner}负责。"


def told_firm_corrected(ticket: Ticket, firm: str, owner: str) -> str:
    return f"#{ticket.number} 企业更正为{firm}，现由{owner}负责，原有时限不变。"


def told_not_their_firm(ticket: Ticket) -> str:
    """What the firm hears that was registered by mistake: nothing of the ticket itself."""
    return f"#{ticket.number} 登记时企业有误，已更正，与贵企业无关，请忽略。"


def which_firm(number: int) -> str:
    return f"#{number} 已登记并转值班同事。请问是哪家企业？"


def which_firm_of(names: Sequence[str]) -> str:
    return f"请问是{'还是'.join(names)}？"


def escalated(ticket: Ticket) -> str:
    return f"#{ticket.number} 已报告分管领导。"


# ---- asking back


NEEDS: Final[Mapping[Move, str]] = {
    Move.PROGRESS: "请写一句办到哪一步：",
    Move.RESOLVE: "请用一句话说明怎么办结的：",
    Move.ANSWER: "请写答复内容：",
    Move.ASK: "请写明要企业补充什么：",
    Move.TRANSFER: "请写接办人和理由，例如：小吴 属于港口业务：",
    Move.REASSIGN: "请写改派给谁和理由，例如：小吴 工作调整：",
    Move.DECLINE: "请写明退单理由：",
    Move.REFER: "请写部门和期限，例如：人社局 11月27日：",
    Move.SHELVE: "请写复核日期、理由和已告知企业的话，例如：1月15日 规划未定；已当面说明：",
    Move.EXTEND: "请写延到哪天和理由，例如：12月5日 等设备到货：",
    Move.NOT_ACCEPT: "请写理由（不属本区/诉讼中/重复/信息不全/误建/其他途径）和建议：",
    Move.DEPARTMENT_RESULT: "请写部门的回复：",
    Move.RECALL: "请写部门的回复：",
    Move.SPLIT: "请写拆出的那件事：",
    Move.FOLLOW_UP: "请写要补充的情况：",
    Move.REPLY: "请写要补充的内容：",
    Move.RATE: "请回复1到5分：",
    Move.MERGE: "请写并到哪个工单号：",
    Move.LINK: "请写关联哪个工单号：",
    Move.NAME_FIRM: "请写企业简称：",
    Move.CORRECT_FIRM: "请写正确的企业简称：",
    Move.RECLASSIFY: "请写类别或紧急程度，例如：物流 U2：",
}


def needs(move: Move, ticket: Ticket) -> str:
    return f"#{ticket.number} {ticket.title}\n{NEEDS[move]}"


def which_ticket(move: Move, tickets: Sequence[Ticket]) -> str:
    lines = "\n".join(
        f"#{t.number} {short(t.title, 20)}（{STATE_NAMES[t.state]}）" for t in tickets[:8]
    )
    return f"有{len(tickets)}件可以{MOVE_NAMES[move]}，请回复工单号：\n{lines}"


def which_decision(found: Sequence[tuple[str, Ticket]]) -> str:
    lines = "\n".join(f"{name} {t.number}：{short(t.title, 20)}" for name, t in found[:8])
    return f"有{len(found)}件等您答复，请回复其中一句：\n{lines}"


def none_fits(move: Move) -> str:
    return f"没有可以{MOVE_NAMES[move]}的工单。发「我的工单」查看。"


LIVE_LIST: Final = "在办工单"


def found_list(words: str) -> str:
    return f"「{short(words, 12)}」"


def ticket_list(title: str, tickets: Sequence[Ticket], now: datetime) -> str:
    if not tickets:
        return f"{title}：没有。"
    lines = []
    for ticket in tickets[:15]:
        late = "，超期" if overdue(ticket, now) else ""
        lines.append(
            f"#{ticket.number} {short(ticket.title, 20)}（{STATE_NAMES[ticket.state]}{late}）"
        )
    more = f"\n另有{len(tickets) - 15}件" if len(tickets) > 15 else ""
    return f"{title}（{len(tickets)}件）：\n" + "\n".join(lines) + more


def only_own() -> str:
    return "只能查看本企业的工单，发「我的工单」就能看到。"


def story(
    ticket: Ticket,
    firm: str,
    owner: str,
    entries: Sequence[Entry],
    now: datetime,
    full: bool,
    provisional: bool = False,
) -> str:
    """One ticket with its history; phones only for those who may see them.

    `provisional`: it is due in a year whose holidays nobody has announced yet.
    """
    note = "（暂按常规工作日）" if provisional else ""
    lines = [
        f"#{ticket.number} {ticket.title}",
        f"{ticket.code}　{LABELS[ticket.category]}　{URGENCY_NAMES[ticket.urgency]}",
        f"企业：{firm or '待确认'}　承办：{owner}",
        f"状态：{STATE_NAMES[ticket.state]}"
        + (f"，{reader_time(ticket.due_resolution, now)} 前办结{note}" if ticket.is_live else ""),
    ]
    for entry in entries[-8:]:
        if entry.move is Move.ABSORB:
            continue
        said = f"：{short(entry.text, 40)}" if entry.text and entry.move is not Move.SUBMIT else ""
        who = entry.actor_name or "系统"
        lines.append(f"· {reader_time(entry.at, now)} {who} {MOVE_NAMES[entry.move]}{said}")
    text = "\n".join(lines)
    return text if full else mask_phone(text)


# ---- perhaps a problem


def candidate_card(candidate_id: int, text: str) -> Card:
    args = {"c": str(candidate_id)}
    said = short(mask_phone(text), 60)
    return Card(
        key=f"candidate:{candidate_id}",
        title="请确认一下",
        lead=f"「{said}」要登记成工单请联络员来办吗？",
        tone=Tone.INFO,
        buttons=(
            Button("登记", Press("candidate.take", args), Style.MAIN),
            Button("不用", Press("candidate.refuse", args)),
        ),
        fallback=f"「{said}」要登记成工单吗？需要请回复「登记」，不用请回复「不用」。",
    )


def candidate_refused() -> str:
    return "好的，不登记。"


def candidate_over() -> str:
    return "这条已经处理过了。"


def someone(person: Person | None) -> str:
    return DUTY_DESK if person is None else person.name


def said(text: str, kind: Kind = Kind.MESSAGE) -> Content:
    return Content(text, kind=kind)
