"""The columns of the ledger and the words of its cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handlers.domain.category import LABELS
from handlers.domain.people import mask_phone
from handlers.domain.ticket import NOT_ACCEPT_REASONS, State, Ticket, Verdict
from handlers.domain.workdays import SHANGHAI
from handlers.texts.common import RATING_NAMES, STATE_NAMES
from handlers.texts.tickets import CHANNEL_NAMES, URGENCY_NAMES

LEDGER: Final = "企业诉求台账"
NUMBER, CODE, RECORD = "编号", "工单号", "数据"
COLUMNS: Final = (
    NUMBER, CODE, "登记时间", "管理区", "网格", "企业", "反映人", "来源", "类别", "紧急程度", "诉求",
    "原文", "联络员", "分管领导", "承办人", "协办", "办理时限", "状态", "进展", "办结时间", "是否按期",
    "办理次数", "是否解决", "满意度", "备注", RECORD,
)  # fmt: skip
# What a spreadsheet adds up and sorts as figures.
_FIGURES: Final = frozenset({NUMBER, "网格", "办理次数"})
# What the office does not read, but an import needs.
HIDDEN: Final = frozenset({RECORD})
_VERDICTS: Final = {Verdict.YES: "是", Verdict.NO: "否", Verdict.NONE: "未答复"}


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a ticket, by name."""

    firm: str = ""
    area: str = ""
    grid: int | None = None
    liaison: str = ""
    leader: str = ""
    owner: str = ""
    others: str = ""


def written(at: datetime | None) -> str:
    """2026-11-24 09:00, as a spreadsheet sorts it."""
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def cell(column: str, text: str) -> str | int:
    """One value of a book as a spreadsheet has it."""
    return int(text) if column in _FIGURES and text.isdecimal() else text


def _note(ticket: Ticket) -> str:
    notes = []
    if ticket.supervision_code:
        notes.append(f"督办 {ticket.supervision_code}")
    if ticket.merged_into is not None:
        notes.append(f"已并入 #{ticket.merged_into}")
    if ticket.state is State.NOT_ACCEPTED:
        notes.append(NOT_ACCEPT_REASONS.get(ticket.reason, ticket.reason))
    elif ticket.state is State.SHELVED:
        notes.append(f"挂账：{mask_phone(ticket.reason)}，{written(ticket.review_at)} 复核")
    if ticket.confidential:
        notes.append("保密")
    return "；".join(notes)


def row(ticket: Ticket, around: Around, record: str) -> dict[str, str]:
    """One line; phones are masked, as in every export (domain.md §14)."""
    due, done = ticket.due_resolution, ticket.resolved_at
    in_time = "" if done is None or due is None else ("是" if done <= due else "否")
    others = "、".join(p for p in (around.others, ticket.department) if p)
    values = (
        str(ticket.number), ticket.code, written(ticket.created_at), around.area,
        "" if around.grid is None else str(around.grid), around.firm, ticket.reporter_name,
        CHANNEL_NAMES[ticket.source.channel], LABELS[ticket.category],
        URGENCY_NAMES[ticket.urgency], mask_phone(ticket.title), mask_phone(ticket.body),
        around.liaison, around.leader, around.owner, others, written(due),
        STATE_NAMES[ticket.state], mask_phone(ticket.result or ticket.last_progress), written(done),
        in_time, str(ticket.cycle), "" if ticket.verdict is None else _VERDICTS[ticket.verdict],
        "" if ticket.rating is None else RATING_NAMES[ticket.rating], _note(ticket), record,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


_WHY: Final[Mapping[str, str]] = {
    "no_record": "没有「数据」列的内容，不能还原",
    "bad_record": "「数据」列被改动过，不能还原",
    "no_firm": "名册里没有这家企业，请先导入名册",
    "there_already": "库里已有这个编号",
}


def rejected(row_number: int, reason: str) -> str:
    return f"第{row_number}行：{_WHY[reason]}。"


def imported(taken: int, same: int, refused: int) -> str:
    return f"新增 {taken} 件，已有且相同 {same} 件，未导入 {refused} 件。"
