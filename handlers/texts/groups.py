"""Sentences about groups: whose, what for, until when (domain.md §13 F6)."""

from collections.abc import Sequence
from datetime import date

from handlers.chat.outbound import Button, Card, Press, Row, Style, Tone
from handlers.domain.people import Chat
from handlers.texts.common import short


def named(chat: Chat) -> str:
    return chat.title or chat.id


def _until(chat: Chat) -> str:
    return "未定" if chat.ends_on is None else _day(chat.ends_on)


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def about(chat: Chat, owner: str) -> str:
    if chat.is_main:
        return f"{named(chat)}：主群，负责人{owner or '未定'}，用途：{chat.purpose or '未写'}"
    state = "（已归档）" if chat.archived_at is not None else ""
    return (
        f"{named(chat)}{state}：负责人{owner or '未定'}，用途：{chat.purpose or '未写'}，"
        f"到期：{_until(chat)}"
    )


def listed(rows: Sequence[tuple[Chat, str]]) -> str:
    if not rows:
        return "没有群。"
    lines = [f"{n}. {about(chat, owner)}" for n, (chat, owner) in enumerate(rows, 1)]
    return f"群 {len(rows)} 个：\n" + "\n".join(lines)


def saved(chat: Chat, owner: str) -> str:
    return f"已记：{about(chat, owner)}。"


def ask(rows: Sequence[tuple[Chat, str]]) -> str:
    """Once a quarter, to whoever answers for the groups."""
    lines = [about(chat, owner) for chat, owner in rows]
    first = named(rows[0][0])
    return (
        f"您负责的临时群有{len(rows)}个，还需要吗？\n"
        + "\n".join(lines)
        + f"\n不需要了请回复「群归档 {first}」，还要用请回复「群保留 {first} 3月31日」。归档后记录保留。"
    )


def ask_card(chat: Chat, owner: str) -> Card:
    args = {"p": chat.platform, "c": chat.id}
    return Card(
        key=f"group:{chat.platform}:{chat.id}",
        title="这个群还需要吗",
        lead=short(about(chat, owner), 110),
        tone=Tone.INFO,
        rows=(Row("群", short(named(chat), 26)), Row("到期", _until(chat))),
        note="归档后记录保留。",
        buttons=(
            Button("还要用", Press("group.keep", args)),
            Button("归档", Press("group.archive", args), Style.MAIN),
        ),
        fallback=ask([(chat, owner)]),
    )


def kept(chat: Chat) -> str:
    return f"{named(chat)}继续用，到期：{_until(chat)}。下一季度再问您。"


def archived(chat: Chat) -> str:
    return (
        f"{named(chat)}已归档：我不再在群里收发消息，记录和工单都保留。"
        "可以在群里把我移出；要恢复请办公室回复「群恢复 群名」。"
    )


def farewell() -> str:
    return "本群已归档，我不再在这里收发消息。有问题请私聊我，或在主群里说。"


def is_archived() -> str:
    return "这个群已归档，我不在群里登记了。有问题请直接在这里告诉我，或在主群里说。"


def restored(chat: Chat) -> str:
    return f"{named(chat)}已恢复，我重新在群里登记问题。"
