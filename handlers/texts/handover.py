"""Sentences about firms that get another liaison."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from handlers.domain.people import Enterprise, Person, Role
from handlers.domain.ticket import State, Ticket
from handlers.texts.common import reader_time, short

# The part of a pairing that a role stands in.
PARTS: Final = {
    Role.LIAISON: "liaison_id",
    Role.LEADER: "leader_id",
    Role.CHIEF: "leader_id",
    Role.GRID_CHIEF: "grid_chief_id",
    Role.GRID_MEMBER: "grid_member_id",
}
_PART_NAMES: Final = {
    "liaison_id": "联络员",
    "leader_id": "分管领导",
    "grid_chief_id": "网格长",
    "grid_member_id": "网格员",
}
_SHOWN: Final = 10
_Firms = Sequence[tuple[Enterprise, Person | None]]


def reason(old: Person | None, new: Person | None) -> str:
    """What the ticket's history says."""
    was = "未配联络员" if old is None else old.name
    now = "值班处" if new is None else new.name
    return f"联络员调整：{was} → {now}"


def _names(firms: _Firms, missing: str) -> str:
    shown = [f"{f.short_name}（{p.name if p is not None else missing}）" for f, p in firms[:_SHOWN]]
    more = f"等{len(firms)}家" if len(firms) > _SHOWN else ""
    return "、".join(shown) + more


def _list(tickets: Sequence[Ticket], now: datetime) -> str:
    lines = []
    for ticket in tickets[:_SHOWN]:
        claim = ticket.state is State.OPEN
        due = ticket.due_claim if claim else ticket.due_resolution
        word = "认领" if claim else "办结"
        lines.append(
            f"#{ticket.number} {short(ticket.title, 22)}（{reader_time(due, now)} 前{word}）"
        )
    if len(tickets) > _SHOWN:
        lines.append(f"等 {len(tickets)} 件，发「我的工单」看全部。")
    return "\n".join(lines)


def told_liaison(
    came: _Firms,
    taken: Sequence[Ticket],
    went: _Firms,
    given: Sequence[Ticket],
    now: datetime,
) -> str:
    parts = []
    if came:
        parts.append(f"今起由您联系（原联络员）：{_names(came, '无')}。")
    if taken:
        parts.append(f"接办 {len(taken)} 件：\n{_list(taken, now)}")
    if went:
        parts.append(f"不再由您联系（现联络员）：{_names(went, '暂缺')}。")
    if given:
        numbers = "、".join(f"#{t.number}" for t in given[:_SHOWN])
        parts.append(f"移交 {len(given)} 件：{numbers}{'等' if len(given) > _SHOWN else ''}。")
    return "\n".join(parts)


def told_firm(liaison: Person, tickets: Sequence[Ticket]) -> str:
    numbers = "、".join(f"#{t.number}" for t in tickets[:_SHOWN])
    return f"{numbers} 现由{liaison.name}接着办，以后有事也请找{liaison.name}。"


def paired(firms: Sequence[Enterprise], person: Person, tickets: int) -> str:
    names = "、".join(f.short_name for f in firms[:5])
    more = f"等{len(firms)}家" if len(firms) > 5 else ""
    moved = f"，移交在办 {tickets} 件" if tickets else ""
    return f"已改：{names}{more} 的{_PART_NAMES[PARTS[person.role]]}为{person.name}{moved}。"


def nothing_to_hand_over(person: Person) -> str:
    return f"{person.name}名下没有联系的企业。"
