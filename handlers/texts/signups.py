"""Sentences and the one card of a sign-up (接龙)."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from handlers.chat.outbound import Button, Card, Press, Row, Style, Tone
from handlers.domain.signup import Change, Outcome, Place, SignUp, genders
from handlers.texts.common import reader_time, short

Names = Callable[[str], str]
_LEAD: Final = 110
_VALUE: Final = 26


def size(place: Place) -> str:
    """5人（男3女2）."""
    if place.male is None or place.female is None:
        return f"{place.count}人"
    parts = [f"男{place.male}" if place.male else "", f"女{place.female}" if place.female else ""]
    return f"{place.count}人（{''.join(parts)}）"


def _line(place: Place, names: Names) -> str:
    return f"{names(place.key)} {size(place)}"


def _some(places: Iterable[Place], names: Names, most: int) -> str:
    """As many as fit, and how many more there are."""
    told, rest = "", list(places)
    while rest:
        piece = f"{'、' if told else ''}{names(rest[0].key)}{size(rest[0])}"
        more = f"等{len(rest)}家" if len(rest) > 1 else ""
        if len(told) + len(piece) + len(more) > most:
            return f"{told}等{len(rest)}家" if told else f"{len(rest)}家"
        told += piece
        rest.pop(0)
    return told


def _gender(places: Iterable[Place]) -> str:
    male, female, unknown = genders(places)
    if not male and not female:
        return ""
    parts = [f"男{male}", f"女{female}", f"未说明{unknown}" if unknown else ""]
    return " ".join(p for p in parts if p)


def _status(signup: SignUp, now: datetime) -> str:
    if not signup.is_open(now):
        return "已截止"
    return "已满" if signup.left == 0 or signup.waiting else "报名中"


def card(signup: SignUp, names: Names, now: datetime) -> Card:
    """The list as it stands; it replaces itself and is never sent a second time."""
    open_now = signup.is_open(now)
    confirmed, waiting = signup.confirmed, signup.waiting
    rows = [Row("已报", f"{signup.taken}人，{len(confirmed)}家")]
    if signup.quota is not None:
        rows.append(Row("名额", f"{signup.quota}人，还剩{max(signup.left or 0, 0)}人"))
    gender = _gender(confirmed)
    if gender:
        rows.append(Row("男女", gender))
    if waiting:
        rows.append(Row("候补", _some(waiting, names, _VALUE)))
    if signup.closes_at is not None:
        rows.append(Row("截止", reader_time(signup.closes_at, now)))
    number = str(signup.number)
    buttons = (
        Button("报1人", Press("signup.join", {"n": number}), Style.MAIN),
        Button("取消", Press("signup.leave", {"n": number})),
    )
    return Card(
        f"signup:{signup.number}",
        f"接龙 {signup.number} · {short(signup.title, 16)}",
        _some(confirmed, names, _LEAD) or "还没有人报名。自愿参加，名单由我来记，不用复制。",
        full(signup, names, now),
        Tone.INFO if open_now else Tone.QUIET,
        _status(signup, now),
        tuple(rows),
        "回复「+1」「报3男2女」「取消」即可" if open_now else "",
        buttons if open_now else (),
        revision=signup.version,
    )


def full(signup: SignUp, names: Names, now: datetime) -> str:
    """The whole list as text."""
    quota = "" if signup.quota is None else f"，名额{signup.quota}人"
    until = "" if signup.closes_at is None else f"，{reader_time(signup.closes_at, now)}截止"
    state = "" if signup.is_open(now) else "（已截止）"
    lines = [f"接龙 {signup.number}「{signup.title}」{state}：已报{signup.taken}人{quota}{until}。"]
    gender = _gender(signup.confirmed)
    if gender:
        lines[0] += f"{gender}。"
    lines += [f"{n}. {_line(p, names)}" for n, p in enumerate(signup.confirmed, 1)]
    if signup.waiting:
        lines.append("候补：")
        lines += [f"{n}. {_line(p, names)}" for n, p in enumerate(signup.waiting, 1)]
    if signup.is_open(now):
        lines.append("自愿参加，回复「+1」「报3男2女」「取消」即可，名单由我来记。")
    return "\n".join(lines)


def own(signup: SignUp, place: Place | None, name: str) -> str:
    """What a firm learns of a sign-up: the totals, and its own places."""
    quota = "" if signup.quota is None else f"，名额{signup.quota}人"
    head = f"接龙 {signup.number}「{signup.title}」：已报{signup.taken}人{quota}。"
    if place is None:
        return head
    if place.waiting:
        return f"{head}{name} {size(place)}，候补第{_turn(signup, place)}位。"
    return f"{head}{name} {size(place)}。"


def _turn(signup: SignUp, place: Place) -> int:
    return [p.key for p in signup.waiting].index(place.key) + 1


def told(change: Change, key: str, names: Names) -> str:
    """What came of a sentence, said to whoever said it."""
    signup, name = change.signup, names(key)
    place = signup.place(key)
    if change.outcome is Outcome.LEFT:
        return f"{name} 已取消报名。"
    if change.outcome is Outcome.NOT_LISTED:
        return f"{name} 没有报名，不用取消。"
    if change.outcome is Outcome.OVER_QUOTA:
        if signup.quota is None:
            return "人数太多，请核对后再报。"
        return f"名额一共{signup.quota}人，请把人数改少一些。"
    if place is None:
        return ""
    if change.outcome is Outcome.NO_ROOM:
        free = max(signup.left or 0, 0)
        more = f"名额还剩{free}人" if free and not signup.waiting else "名额已满"
        return f"{more}，不能再加；{name} 仍是{size(place)}。"
    if place.waiting:
        turn = _turn(signup, place)
        why = "前面还有候补" if turn > 1 else "名额不够"
        return f"{why}，{name} {size(place)}，候补第{turn}位；有空位就补上，并告知您。"
    left = signup.left
    room = "" if left is None else f"，名额还剩{left}人" if left else "，名额已满"
    return f"已登记：{name} {size(place)}{room}。"


def moved_up(signup: SignUp, place: Place, name: str) -> str:
    return f"接龙 {signup.number}「{signup.title}」有了空位，{name} {size(place)}已补上，不用再报。"


def over(signup: SignUp) -> str:
    return f"接龙 {signup.number}「{signup.title}」已截止，需要调整请联系办公室。"


def opened(signup: SignUp) -> str:
    return f"接龙 {signup.number} 已发到群里：{signup.title}。"


def closed(signup: SignUp, names: Names, now: datetime) -> str:
    return full(signup, names, now)


def quota_set(signup: SignUp) -> str:
    quota = "不限" if signup.quota is None else f"{signup.quota}人"
    return f"接龙 {signup.number} 名额改为{quota}，已报{signup.taken}人。"


def listing(signups: Iterable[SignUp], now: datetime) -> str:
    lines = [
        f"{s.number}. {s.title}：已报{s.taken}人"
        + ("" if s.quota is None else f"，名额{s.quota}人")
        + ("" if s.closes_at is None else f"，{reader_time(s.closes_at, now)}截止")
        for s in signups
    ]
    if not lines:
        return "现在没有进行中的接龙。"
    return "\n".join(["进行中的接龙，看名单请回复「接龙名单 编号」：", *lines])


def who_are_you() -> str:
    return "请先回复「绑定 企业简称 称呼」，例如：绑定 泓曜精密 张经理。"
