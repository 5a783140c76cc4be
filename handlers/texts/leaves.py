"""Sentences about leave and the duty rota."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import Leave, Person, Shift
from handlers.domain.ticket import Ticket
from handlers.domain.workdays import SHANGHAI
from handlers.texts.common import short
from handlers.texts.times import absolute

_SHOWN: Final = 10


def span(start: datetime, until: datetime, now: datetime) -> str:
    """11月24日 周二 至 11月26日 周四; with the hours where it is not whole days."""
    last = until.astimezone(SHANGHAI) - timedelta(seconds=1)
    granularity = Granularity.HALFDAY
    if until.astimezone(SHANGHAI).time() != until.min.time():
        last = until.astimezone(SHANGHAI)
    return absolute(Moment(start, last, granularity), now)


def _list(tickets: Sequence[Ticket]) -> str:
    lines = [f"#{t.number} {short(t.title, 24)}" for t in tickets[:_SHOWN]]
    if len(tickets) > _SHOWN:
        lines.append(f"等 {len(tickets)} 件，发「我的工单」看全部。")
    return "\n".join(lines)


def leave_taken(
    name: str, leave: Leave, stand_in: Person | None, tickets: int, answers: bool, now: datetime
) -> str:
    whose = f"{name} " if name else ""
    head = f"已登记：{whose}{span(leave.starts_at, leave.ends_at, now)} 请假。"
    hand = f"在办 {tickets} 件" if tickets else "没有在办工单"
    if stand_in is not None:
        return f"{head}{hand}，由{stand_in.name}代办，已告知。提前回来请回复「销假」。"
    if answers:
        return f"{head}{hand}，没有可代办的 B岗，已告知办公室。"
    return f"{head}提前回来请回复「销假」。"


def told_stand_in(person: Person, leave: Leave, tickets: Sequence[Ticket], now: datetime) -> str:
    head = f"{person.name} {span(leave.starts_at, leave.ends_at, now)} 请假，期间由您代办。"
    if not tickets:
        return f"{head}现在没有在办工单，新工单会发给您。"
    return f"{head}在办 {len(tickets)} 件：\n{_list(tickets)}"


def told_self(leave: Leave, stand_in: Person | None, now: datetime) -> str:
    head = f"已为您登记 {span(leave.starts_at, leave.ends_at, now)} 请假"
    return f"{head}，由{stand_in.name}代办。" if stand_in is not None else f"{head}。"


def told_office(
    person: Person,
    leave: Leave,
    nobody: bool,
    tickets: int,
    shifts: Sequence[Shift],
    now: datetime,
) -> str:
    parts = [f"{person.name} {span(leave.starts_at, leave.ends_at, now)} 请假。"]
    if nobody:
        parts.append(f"没有可代办的 B岗，在办 {tickets} 件，期间新工单到值班处，请安排代办。")
    if shifts:
        days = "、".join(span(s.starts_at, s.ends_at, now) for s in shifts[:3])
        parts.append(f"期间有值班：{days}，请调整值班表。")
    return "".join(parts)


def back(name: str, leave: Leave | None, now: datetime) -> str:
    whose = f"{name} " if name else ""
    if leave is not None and leave.starts_at > now:
        return f"{whose}{span(leave.starts_at, leave.ends_at, now)} 的请假已取消。"
    return f"{whose}已销假，工单恢复由本人办理。"


def told_back(person: Person) -> str:
    return f"{person.name}已销假，不用再代办，谢谢。"


def away(rows: Iterable[tuple[Person, Leave | None]], now: datetime) -> str:
    lines = [
        f"{p.name}：{'请假中，未定返岗日期' if x is None else span(x.starts_at, x.ends_at, now)}"
        for p, x in rows
    ]
    return "\n".join(["近两周请假：", *lines]) if lines else "近两周没有人请假。"


# ---- duty


def on_duty(person: Person | None, shift: Shift | None, at: datetime, now: datetime) -> str:
    if person is None:
        return "没有安排值班，请办公室补排。"
    when_ = "现在" if at == now else absolute(Moment(at, None, Granularity.MINUTE), now)
    until = "" if shift is None else f"，到 {_minute(shift.ends_at, now)}"
    phone = f"，电话 {person.phone}" if person.phone else ""
    return f"{when_}值班：{person.name}{until}{phone}。"


def rota(shifts: Sequence[tuple[Shift, str]], usual: str, now: datetime) -> str:
    lines = [f"{span(s.starts_at, s.ends_at, now)} {name}" for s, name in shifts]
    tail = f"没有排到的时间：{usual}。" if usual else ""
    if not lines:
        return f"近两周没有排班。{tail}要排请回复，例如：排班 11.24-11.30 小王。"
    return "\n".join(["值班表：", *lines, tail]).rstrip()


def put(name: str, start: datetime, until: datetime, changed: bool, now: datetime) -> str:
    head = "已排班" if changed else "值班表里已是这样"
    return f"{head}：{span(start, until, now)} {name}。"


def told_duty(spans: Sequence[tuple[datetime, datetime]], now: datetime) -> str:
    days = "；".join(span(start, until, now) for start, until in spans[:_SHOWN])
    more = f"等 {len(spans)} 段，发「值班表」看全部" if len(spans) > _SHOWN else ""
    return f"请您值班：{days}{more}。"


_WHY: Final = {
    "date": "日期看不懂，请写 2026-11-24",
    "person": "人员表里没有这个人，或不止一位",
    "duty_office": "不是办公室的人员，不能值班",
    "until_past": "时间已经过去",
}


def taken(changed: int, unchanged: int, rejected: int, dry_run: bool) -> str:
    head = "试导入（没有保存）" if dry_run else "导入完成"
    return f"{head}：值班更改 {changed} 行，不变 {unchanged} 行，未采纳 {rejected} 行。"


def refused_row(row: int, name: str, why: str) -> str:
    return f"第{row}行 {name}：{_WHY.get(why, '没有采纳')}。"


def _minute(at: datetime, now: datetime) -> str:
    return absolute(Moment(at, None, Granularity.MINUTE), now)
