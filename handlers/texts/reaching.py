"""What is said where a message cannot be brought to a person."""

from collections.abc import Mapping
from typing import Final

from handlers.chat.reach import Lost
from handlers.domain.ids import TicketNumber

_LOST: Final[Mapping[Lost, str]] = {
    Lost.NEVER_OPENED: "还没有在单聊里和我说过话，消息送不到。请提醒对方给我发一句话，之前有事请打电话。",
    Lost.OUT_OF_RANGE: "不在我能发消息的范围里，消息送不到。请办公室在平台后台放开，之前有事请打电话。",
    Lost.LEFT: "的聊天账号已停用或更换，消息送不到。请核对联系人，有事请打电话。",
    Lost.SILENT: "暂时收不到微信客服的消息（对方发言后48小时内最多5条）。有事请打电话。",
}


def unreachable(name: str, firm: str, why: Lost) -> str:
    who = f"{firm}的{name}" if firm else name
    return f"{who}{_LOST[why]}"


def call(number: TicketNumber) -> str:
    """Said in a group to one person; what it is about was heard there before."""
    return f"#{number} 有新消息，单聊发不到您。请先在单聊里给我发一句话，再发「查 {number}」。"


def call_again() -> str:
    return "您要的内容只能单聊发，现在发不到您。请先在单聊里给我发一句话，再问一次。"
