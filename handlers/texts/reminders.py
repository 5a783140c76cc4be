"""Sentences about reminders that people set, and about what comes round."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import Person
from handlers.domain.schedule import Rule, Schedule
from handlers.domain.ticket import Ticket
from handlers.texts.common import STATE_NAMES, short
from handlers.texts.times import absolute

_GROUPS: Final = {
    "me": "您",
    "liaisons": "各联络员",
    "leaders": "各分管领导",
    "grid_chiefs": "各网格长",
    "office": "办公室",
}
JOB_NAMES: Final = {
    "brief_morning": "日调度",
    "brief_close": "今日收盘",
    "brief_week": "周小结",
    "brief_month": "月小结",
    "callbacks": "回访名单",
    "groups": "临时群询问",
}


def when(at: datetime, now: datetime) -> str:
    """11月28日 周六 15:00."""
    return absolute(Moment(at, None, Granularity.MINUTE), now)


def whom(audience: Iterable[str], people: Iterable[Person]) -> str:
    names = {**{str(p.id): p.name for p in people}, **_GROUPS}
    return "、".join(names[a] for a in audience if a in names)


def _comes(schedule: Schedule, rule: Rule, now: datetime) -> str:
    if schedule.next_at is None:
        return "不再提醒"
    first = when(schedule.next_at, now)
    if not rule.repeats:
        return first
    days_off = "，节假日不提醒" if rule.only_workdays else ""
    return f"{rule.days} {rule.at:%H:%M}（下一次 {first}{days_off}）"


def is_set(schedule: Schedule, rule: Rule, people: tuple[Person, ...], now: datetime) -> str:
    named = whom(schedule.audience, people)
    count = f"（{len(people)}人）" if named.startswith("各") else ""
    return (
        f"提醒 {schedule.number} 已设：{_comes(schedule, rule, now)}，提醒{named}{count}：{schedule.text}。"
        f"不要了请回复「取消提醒 {schedule.number}」。"
    )


def mine(rows: Iterable[tuple[Schedule, Rule, tuple[Person, ...]]], now: datetime) -> str:
    lines = [
        f"{s.number}. {_comes(s, rule, now)}，提醒{whom(s.audience, people)}：{short(s.text, 30)}"
        for s, rule, people in rows
    ]
    if not lines:
        return (
            "您没有设提醒。要设请说，例如：明天15:00提醒我 问1024；每周五15:00提醒各联络员 报进展。"
        )
    head = f"您设的提醒有 {len(lines)} 个，不要了请回复「取消提醒 编号」："
    return "\n".join([head, *lines])


def cancelled(schedule: Schedule) -> str:
    return f"提醒 {schedule.number} 已取消：{short(schedule.text, 40)}。"


def which() -> str:
    return "请写明取消哪一个，例如：取消提醒 3；发「我的提醒」看全部。"


def reminder(text: str, by: str, ticket: Ticket | None) -> str:
    head = f"{by}请您：{text}" if by else f"提醒您：{text}"
    if ticket is None:
        return head
    state = STATE_NAMES.get(ticket.state.value, "")
    return f"#{ticket.number} {head}\n{short(ticket.title, 30)}（{state}）"


def over(schedule: Schedule, ticket: Ticket) -> str:
    state = STATE_NAMES.get(ticket.state.value, "")
    return f"#{ticket.number} {state}，提醒 {schedule.number}「{short(schedule.text, 30)}」不再发。"


# ---- what comes round by itself


def job_name(schedule: Schedule) -> str:
    name = schedule.key.partition(":")[2]
    return JOB_NAMES.get(name, name)


def plan(schedules: Iterable[Schedule], now: datetime) -> str:
    lines = []
    for one in schedules:
        comes = "已停用" if one.next_at is None else f"下一次 {when(one.next_at, now)}"
        lines.append(f"{job_name(one)}：{one.rule}（{comes}）")
    if not lines:
        return "没有定时任务。"
    return "\n".join(
        [
            "定时任务：",
            *lines,
            "要改请回复「定时 名称 每工作日 08:30」，停用请回复「定时 名称 停用」。",
        ]
    )


def plan_changed(schedule: Schedule, now: datetime) -> str:
    if not schedule.on:
        return f"{job_name(schedule)}已停用。"
    comes = "不再有" if schedule.next_at is None else when(schedule.next_at, now)
    return f"{job_name(schedule)}：{schedule.rule}，下一次 {comes}。"
