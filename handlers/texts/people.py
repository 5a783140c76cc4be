"""Sentences about who somebody is."""

from handlers.chat.outbound import Button, Card, Press, Row, Style, Tone
from handlers.texts.common import short


def binding_card(platform: str, user_id: str, called: str, firm: str, known: bool = False) -> Card:
    """`known`: somebody of that name speaks by another account already."""
    args = {"p": platform, "u": user_id}
    came = f"有人以「{firm}-{called}」的名义联系"
    ask = "，这个名字已有账号，请核实是否同一人。" if known else "，请确认是否本人。"
    return Card(
        key=f"binding:{platform}:{user_id}",
        title="请确认身份",
        lead=f"{came}{ask}",
        tone=Tone.WARN,
        rows=(Row("企业", short(firm, 26)), Row("称呼", short(called, 26))),
        buttons=(
            Button("确认", Press("binding.confirm", args), Style.MAIN),
            Button("不是", Press("binding.refuse", args)),
        ),
        fallback=(
            f"{came}{ask}"
            f"确认请回复「确认身份 {platform} {user_id}」，不是请回复「身份不符 {platform} {user_id}」。"
        ),
    )


def who_are_you() -> str:
    return "请问您是哪家企业的哪位？请回复「绑定 企业简称 称呼」，例如：绑定 泓曜精密 张经理。"


def bound(firm: str, called: str) -> str:
    return f"{called}，您好，已登记为{firm}的联系人，办公室确认后即可查看本企业工单。"


def confirmed(called: str) -> str:
    return f"已确认{called}的身份。"


def told_confirmed(firm: str) -> str:
    return f"您的身份已确认，可以查看{firm}的工单了。"


def refused(called: str) -> str:
    return f"已取消{called}的登记。"


def who(name: str, role: str, firm: str, confirmed_: bool) -> str:
    at = f"，{firm}" if firm else ""
    state = "" if confirmed_ else "（待办公室确认）"
    return f"您登记为：{name}，{role}{at}{state}。"
