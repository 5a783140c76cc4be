"""The sentences of call-backs by a person."""

from collections.abc import Sequence
from typing import Final

from handlers.domain.people import mask_phone
from handlers.domain.ticket import Ticket
from handlers.texts.common import RATING_NAMES, STATE_NAMES, short

MEANS_NAMES: Final = {"phone": "电话", "visit": "上门", "online": "线上"}


def listed(rows: Sequence[tuple[Ticket, str, str]], days: int) -> str:
    """Number, firm, title, contact; and how to enter what was heard."""
    if not rows:
        return f"近{days}天办结的都不用再回访。"
    lines = [
        f"#{t.number} {short(firm, 12)}｜{short(mask_phone(t.title), 20)}｜{contact or '无联系人'}｜"
        f"{STATE_NAMES[t.state]}"
        for t, firm, contact in rows
    ]
    first = rows[0][0].number
    return (
        f"待回访 {len(rows)}件：\n"
        + "\n".join(lines)
        + f"\n问过后回复，例如：回访 {first} 电话 已解决 满意"
    )


def usage(number: int | None = None) -> str:
    return f"请这样登记：回访 {number or 1024} 电话 已解决 满意（还可以写企业的原话）。"


def solved_needed(number: int) -> str:
    return f"#{number} 请写明企业说已解决还是没解决，例如：回访 {number} 电话 没解决 还差三人。"


def not_ended(ticket: Ticket) -> str:
    return f"#{ticket.number} 现在是「{STATE_NAMES[ticket.state]}」，办结以后再回访。"


def own_work(ticket: Ticket) -> str:
    return f"#{ticket.number} 是您经办的，请别的同事回访。"


def already(ticket: Ticket, who: str) -> str:
    return f"#{ticket.number} 这一次办理已由{who}回访过。"


def entered(ticket: Ticket, means: str, solved: bool, rating: int | None, reopened: bool) -> str:
    said = "已解决" if solved else "没解决"
    level = "" if rating is None else f"，{RATING_NAMES[rating]}"
    tail = ""
    if reopened:
        tail = "，已重新办理，并已告诉承办人和分管领导"
    elif not solved:
        tail = "，已告诉承办人和分管领导"
    return f"#{ticket.number} 回访已登记：{MEANS_NAMES[means]}，{said}{level}{tail}。"


def told_unsolved(ticket: Ticket, who: str, said: str) -> str:
    quoted = f"：{said}" if said else ""
    return (
        f"#{ticket.number} {ticket.title}：{who}回访，企业说没有解决{quoted}。"
        f"请回复「撤回办结 {ticket.number}」继续办理。"
    )


def counted(asked: int, solved: int) -> str:
    return f"人工回访 {asked}件，企业说已解决 {solved}件"
