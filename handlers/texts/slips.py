"""The slips of domain.md §4.1: their fields, and the sentences around them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from handlers.chat.outbound import Button, Card, Open, Style, Tone
from handlers.domain.category import LABELS
from handlers.domain.people import mask_phone
from handlers.domain.requests import Request
from handlers.domain.ticket import Entry, Move, State, Ticket
from handlers.domain.workdays import SHANGHAI
from handlers.texts.callbacks import MEANS_NAMES
from handlers.texts.common import MOVE_NAMES, RATING_NAMES, STATE_NAMES, short
from handlers.texts.ledgers import Around
from handlers.texts.tickets import CHANNEL_NAMES, URGENCY_NAMES


class SlipKind(StrEnum):
    ASSIGNMENT = "assignment"
    SUPERVISION = "supervision"
    CLOSING = "closing"
    EXTENSION = "extension"
    SENT_BACK = "sent_back"
    CALL_BACK = "call_back"


TITLES: Final[Mapping[SlipKind, str]] = {
    SlipKind.ASSIGNMENT: "交办单",
    SlipKind.SUPERVISION: "督办单",
    SlipKind.CLOSING: "办结单",
    SlipKind.EXTENSION: "延期申请",
    SlipKind.SENT_BACK: "退单说明",
    SlipKind.CALL_BACK: "回访单",
}
WORDS: Final[Mapping[str, SlipKind]] = {title: kind for kind, title in TITLES.items()}
# The fields of each slip in the order they stand; a template names them as {{字段}}.
FIELDS: Final[Mapping[SlipKind, tuple[str, ...]]] = {
    SlipKind.ASSIGNMENT: (
        "编号", "交办日期", "来源", "企业", "联系人", "诉求摘要", "原文", "类别", "紧急程度", "主办", "协办",
        "分管领导", "时限", "交办要求",
    ),
    SlipKind.SUPERVISION: (
        "督办编号", "关联工单", "企业", "诉求摘要", "级别", "超期时长", "上次进展", "承办人", "分管领导",
        "督办要求", "反馈时限", "签发",
    ),
    SlipKind.CLOSING: (
        "编号", "企业", "诉求摘要", "办理过程", "办理结果", "办理人", "审核人", "办结时间", "是否按期",
    ),
    SlipKind.EXTENSION: (
        "编号", "企业", "诉求摘要", "申请人", "申请时间", "理由", "原时限", "拟延至", "审批人", "意见",
        "审批时间",
    ),
    SlipKind.SENT_BACK: (
        "编号", "企业", "诉求摘要", "退单人", "退单时间", "理由", "原时限", "建议承办单位", "审批人", "意见",
        "审批时间",
    ),
    SlipKind.CALL_BACK: (
        "编号", "企业", "诉求摘要", "办理结果", "回访人", "方式", "回访时间", "是否解决", "满意度", "原话",
        "是否重办",
    ),
}  # fmt: skip
_LEVELS: Final = {3: "黄", 4: "橙", 5: "红"}
_SHOWN: Final = frozenset(
    {
        Move.SUBMIT, Move.CLAIM, Move.PROGRESS, Move.ASK, Move.REPLY, Move.REFER, Move.DEPARTMENT_RESULT,
        Move.TRANSFER_ACCEPT, Move.REASSIGN, Move.EXTEND_APPROVE, Move.SHELVE_APPROVE, Move.REVIEW,
        Move.SUPERVISE, Move.RESOLVE, Move.ANSWER, Move.VERDICT_NO, Move.REOPEN,
    }
)  # fmt: skip
_MOST_STEPS: Final = 20
FIRM_SPOKE: Final = frozenset({Move.VERDICT_YES, Move.VERDICT_NO, Move.RATE})
_SUGGESTED: Final = re.compile(
    r"(?:建议|应当|应该|应)(?:由|转给|转|交给|交|请)(?P<unit>[^，。；,;\s]{2,20}?)"
    r"(?:承办|办理|处理|负责)?(?:[，。；,;\s]|$)"
)


def day(at: datetime | None) -> str:
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{day(at)} {at.astimezone(SHANGHAI):%H:%M}"


def timeline(entries: Sequence[Entry]) -> str:
    lines = [
        f"{moment(e.at)} {e.actor_name or '系统'} {MOVE_NAMES[e.move.value]}"
        + (f"：{short(mask_phone(e.text), 60)}" if e.text and e.move is not Move.SUBMIT else "")
        for e in entries
        if e.move in _SHOWN
    ]
    if len(lines) > _MOST_STEPS:
        lines = [lines[0], f"（中间{len(lines) - _MOST_STEPS + 1}步略）", *lines[2 - _MOST_STEPS :]]
    return "\n".join(lines)


def assignment(ticket: Ticket, around: Around, now: datetime) -> dict[str, str]:
    due = moment(ticket.due_resolution)
    return {
        "编号": ticket.code,
        "交办日期": day(now),
        "来源": CHANNEL_NAMES[ticket.source.channel],
        "企业": around.firm or "待确认",
        "联系人": mask_phone(ticket.reporter_name),
        "诉求摘要": mask_phone(ticket.title),
        "原文": mask_phone(ticket.body),
        "类别": LABELS[ticket.category],
        "紧急程度": URGENCY_NAMES[ticket.urgency],
        "主办": around.owner,
        "协办": "、".join(p for p in (around.others, ticket.department) if p) or "无",
        "分管领导": around.leader,
        "时限": due,
        "交办要求": f"请于{due}前办结，办理中按时反馈进展；办结须写明办了什么，并请企业评价。",
    }


def supervision(
    ticket: Ticket, around: Around, late: str, answer_by: datetime, issuer: str
) -> dict[str, str]:
    return {
        "督办编号": ticket.supervision_code,
        "关联工单": ticket.code,
        "企业": around.firm or "待确认",
        "诉求摘要": mask_phone(ticket.title),
        "级别": _LEVELS.get(ticket.level, "督办"),
        "超期时长": late or "未超期",
        "上次进展": mask_phone(ticket.last_progress) or "无",
        "承办人": around.owner,
        "分管领导": around.leader,
        "督办要求": "请查明原因，提出解决办法和完成时间；督办期间每个工作日反馈一次进展。",
        "反馈时限": moment(answer_by),
        "签发": issuer,
    }


def closing(ticket: Ticket, around: Around, entries: Sequence[Entry]) -> dict[str, str]:
    done, due = ticket.resolved_at, ticket.due_resolution
    in_time = "是" if done is not None and due is not None and done <= due else "否"
    return {
        "编号": ticket.code,
        "企业": around.firm or "待确认",
        "诉求摘要": mask_phone(ticket.title),
        "办理过程": timeline(entries),
        "办理结果": mask_phone(ticket.result),
        "办理人": around.owner,
        "审核人": around.leader,
        "办结时间": moment(done),
        "是否按期": in_time,
    }


def _head(ticket: Ticket, around: Around) -> dict[str, str]:
    return {
        "编号": ticket.code,
        "企业": around.firm or "待确认",
        "诉求摘要": mask_phone(ticket.title),
    }


def extension(ticket: Ticket, around: Around, request: Request) -> dict[str, str]:
    decision = request.decision
    opinion = "待审批"
    if decision is not None:
        agreed = decision.move is not Move.EXTEND_REFUSE
        said = "" if decision is request.asked else mask_phone(decision.text)
        opinion = _opinion("同意" if agreed else "不同意", said)
    return {
        **_head(ticket, around),
        "申请人": request.asked.actor_name,
        "申请时间": moment(request.asked.at),
        "理由": mask_phone(request.asked.text),
        "原时限": moment(request.due),
        "拟延至": moment(request.until),
        **_decided(decision, opinion),
    }


def sent_back(ticket: Ticket, around: Around, request: Request, taker: str) -> dict[str, str]:
    """`taker` is who has it by the decision."""
    reason, decision = mask_phone(request.asked.text), request.decision
    opinion = "待办公室决定"
    if decision is not None and decision.move is Move.NOT_ACCEPT:
        opinion = "不予受理"
    elif decision is not None:
        handed = decision.move is Move.REASSIGN
        opinion = _opinion(f"由{taker}承办", mask_phone(decision.text) if handed else "")
    suggested = _SUGGESTED.search(reason)
    return {
        **_head(ticket, around),
        "退单人": request.asked.actor_name,
        "退单时间": moment(request.asked.at),
        "理由": reason,
        "原时限": moment(request.due),
        "建议承办单位": suggested["unit"] if suggested else "未提出",
        **_decided(decision, opinion),
    }


def _opinion(verdict: str, said: str) -> str:
    return verdict if said in ("", verdict) else f"{verdict}：{said}"


def _decided(decision: Entry | None, opinion: str) -> dict[str, str]:
    return {
        "审批人": "" if decision is None else decision.actor_name,
        "意见": opinion,
        "审批时间": "" if decision is None else moment(decision.at),
    }


@dataclass(frozen=True, slots=True)
class Heard:
    """What a person of the office was told when they asked the firm."""

    by: str
    means: str
    at: datetime
    solved: bool
    rating: int | None
    said: str
    reopened: bool


def called_back(ticket: Ticket, around: Around, heard: Heard) -> dict[str, str]:
    return {
        **_head(ticket, around),
        "办理结果": mask_phone(ticket.result),
        "回访人": heard.by,
        "方式": MEANS_NAMES[heard.means],
        "回访时间": moment(heard.at),
        "是否解决": "已解决" if heard.solved else "没有解决",
        "满意度": _level(heard.rating),
        "原话": mask_phone(heard.said) or "无",
        "是否重办": "是" if heard.reopened else "否",
    }


def answered(ticket: Ticket, around: Around, entries: Sequence[Entry]) -> dict[str, str]:
    """By the firm itself, whom the bot asked."""
    said = [e for e in entries if e.move in FIRM_SPOKE][-1]
    again = "cycle" in said.changes
    return {
        **_head(ticket, around),
        "办理结果": mask_phone(_result_before(entries, said)),
        "回访人": f"系统征求意见，{said.actor_name}答复",
        "方式": "线上",
        "回访时间": moment(said.at),
        "是否解决": "没有解决" if again else "已解决",
        "满意度": _level(_rating_with(entries, said)),
        "原话": mask_phone(said.text) or "无",
        "是否重办": "是" if again else "否",
    }


def _result_before(entries: Sequence[Entry], said: Entry) -> str:
    """What was said to be done when the firm judged it: a reopening clears it."""
    results = [e.changes["result"] for e in entries if e.seq < said.seq and e.changes.get("result")]
    return str(results[-1]) if results else ""


def _rating_with(entries: Sequence[Entry], said: Entry) -> int | None:
    """The rating of the cycle that was judged: the history tells only what differs."""
    value: int | None = None
    rating: int | None = None
    for entry in entries:
        if entry.seq > said.seq:
            break
        value = entry.changes.get("rating", value)
        if "rating_cycle" in entry.changes:
            rating = value
        if "cycle" in entry.changes and entry.seq < said.seq:
            rating = None
    return rating


def _level(rating: int | None) -> str:
    return "未评价" if rating is None else f"{rating}（{RATING_NAMES[rating]}）"


def nothing_asked(kind: SlipKind, ticket: Ticket) -> str:
    """Why there is no such slip of what the history does not hold."""
    n = ticket.number
    return {
        SlipKind.EXTENSION: f"#{n} 没有申请过延期。",
        SlipKind.SENT_BACK: f"#{n} 没有退过单。",
        SlipKind.CALL_BACK: f"#{n} 还没有回访；登记请回复「回访 {n} 电话 已解决 满意」。",
    }[kind]


def not_yet(kind: SlipKind, ticket: Ticket) -> str:
    """Why the ticket as it stands has no such slip; empty where it may have one."""
    n = ticket.number
    if kind is SlipKind.SUPERVISION and not ticket.supervision_code:
        return f"#{n} 还没有督办编号；要督办请回复「督办 {n}」。"
    if kind is SlipKind.CLOSING and ticket.state not in (State.RESOLVED, State.CLOSED):
        return f"#{n} 还没有办结，现在是「{STATE_NAMES[ticket.state]}」。"
    return ""


def number_needed(title: str) -> str:
    return f"请写明工单号，例如：{title} 1024。"


def no_links() -> str:
    return "现在不能生成文件，请联系办公室。"


def handed(title: str, url: str, number: int | None = None) -> Card:
    """A paper for one person; the address is theirs alone and ends by itself."""
    head = f"#{number} {title}" if number else title
    return Card(
        key=f"paper:{title}:{number or 0}",
        title=head,
        tone=Tone.INFO,
        lead="文件已生成，24小时内有效，仅供您本人使用，请勿转发到群。",
        buttons=(Button("打开", Open(url), Style.MAIN),),
        fallback=f"{head}已生成：{url}\n24小时内有效，仅供您本人使用，请勿转发到群。",
    )
