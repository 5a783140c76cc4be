"""Cards as tickets show them, for every platform to draw."""

from typing import Any

from handlers.chat.outbound import Button, Card, Choice, Open, Option, Press, Row, Style, Tone

CLAIM = Button("认领", Press("ticket.claim", {"t": "1024", "v": "3"}), Style.MAIN)
DECLINE = Button("退单", Press("ticket.decline", {"t": "1024", "v": "3"}), Style.DANGER)
CHOICE = Choice("category", "选一个类别", (Option("LAB", "用工"), Option("LOG", "物流")))


def a_card(**more: Any) -> Card:
    made: dict[str, Any] = {
        "key": "ticket:LHG-20261122-003:handler",
        "title": "#1024 · 用工",
        "lead": "本周缺12名叉车工，夜班为主。",
        "fallback": "【#1024】本周缺12名叉车工\n回复「认领 1024」",
        "tone": Tone.WARN,
        "status": "待认领",
        "rows": (Row("企业", "某某机械"), Row("时限", "今天 17:30 前认领")),
        "note": "LHG-20261122-003 · 今天 09:12",
        "buttons": (CLAIM, DECLINE),
    }
    return Card(**(made | more))


CARDS = {
    "ticket": a_card(),
    "group_notice": a_card(buttons=(), tone=Tone.INFO, status="办理中"),
    "group_ticket": a_card(buttons=(CLAIM,)),
    "result_to_rate": a_card(
        tone=Tone.GOOD,
        status="请评价",
        buttons=(
            Button("非常满意", Press("ticket.rate", {"t": "1024", "r": "5"}), Style.MAIN),
            Button("满意", Press("ticket.rate", {"t": "1024", "r": "4"})),
            Button("没有解决", Press("ticket.unsolved", {"t": "1024"}), Style.DANGER),
        ),
    ),
    "escalation": a_card(tone=Tone.URGENT, status="超期", buttons=(CLAIM,)),
    "closed": a_card(tone=Tone.QUIET, status="已结", buttons=(), note=""),
    "pick_one": a_card(
        choice=CHOICE,
        buttons=(Button("改类别", Press("x.set"), Style.MAIN, submits=True), DECLINE),
    ),
    "pick_many": a_card(
        choice=Choice("topics", "可多选", CHOICE.options, many=True),
        buttons=(
            Button("提交", Press("x.set"), Style.MAIN, confirm="提交后不能改。", submits=True),
        ),
    ),
    "links": a_card(
        href="https://lhg.example.cn/l/abc",
        rows=(Row("单据", "办结单(1)", "https://lhg.example.cn/l/a(b) c"),),
        buttons=(Button("打开", Open("https://lhg.example.cn/l/abc")),),
    ),
}
IN_GROUP = ("group_notice", "group_ticket", "closed")


def fullest(**more: Any) -> Card:
    """All that a card may hold."""
    row = Row("标签标签签", "值" * 26, "https://x.example.cn/" + "a" * 300)
    made = {"lead": "长" * 110, "title": "题" * 26, "note": "注" * 30, "rows": (row,) * 6}
    return a_card(**(made | more))
