"""The card of corrections, its answers, and the names people give to categories and urgencies."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from handlers.chat.outbound import Button, Card, Press, Row, Tone
from handlers.domain.category import LABELS, Category, Urgency
from handlers.domain.ticket import Move, Ticket
from handlers.texts.common import STATE_CHIPS, short
from handlers.texts.tickets import URGENCY_NAMES, decision_card

# What an office calls a category beside its label on the cards (domain.md §5).
CATEGORY_NAMES: Final[Mapping[str, Category]] = {
    **{label: category for category, label in LABELS.items()},
    **{category.value: category for category in Category},
    "用工就业": Category.LAB, "就业": Category.LAB, "招工": Category.LAB,
    "金融": Category.FIN, "融资金融": Category.FIN, "贷款": Category.FIN,
    "厂房": Category.LND, "用地厂房": Category.LND, "土地": Category.LND,
    "能源": Category.ENE, "水电": Category.ENE, "水电气热": Category.ENE, "能源保障": Category.ENE,
    "运输": Category.LOG, "物流运输": Category.LOG,
    "环保异味": Category.ENV, "环境": Category.ENV,
    "安全生产": Category.SAF, "消防": Category.SAF,
    "政策兑现": Category.POL, "补贴": Category.POL,
    "税务": Category.TAX,
    "行政审批": Category.APR, "许可": Category.APR,
    "基础设施": Category.INF, "基础设施配套": Category.INF,
    "订单": Category.MKT, "市场订单": Category.MKT,
    "住房": Category.TAL, "子女": Category.TAL,
    "知识产权": Category.TEC, "科技与知识产权": Category.TEC,
    "法律": Category.LEG, "涉法涉诉": Category.LEG,
    "外贸": Category.TRD, "外贸通关": Category.TRD, "海关": Category.TRD,
    "拆迁": Category.REL, "空间再造": Category.REL,
    "治安交通": Category.PUB,
    "执法": Category.INS, "涉企检查": Category.INS,
    "公共卫生": Category.EPI,
}  # fmt: skip
URGENCIES: Final[Mapping[str, Urgency]] = {
    **{u.value: u for u in Urgency},
    **{name: Urgency(code) for code, name in URGENCY_NAMES.items()},
}
# The hints of urgency that a word of the lexicon may carry; U3 is what needs no hint.
HINT_NAMES: Final[Mapping[str, str]] = {
    "特急": "U1", "危险": "U1", "U1": "U1",
    "紧急": "U2", "U2": "U2",
    "疑难": "U4", "U4": "U4",
}  # fmt: skip


# The card of corrections is known by the end of its key.
CARD: Final = ":correct"
# What it is not, is said before what it is: 不是环保，是物流.
_DENIED: Final = re.compile(r"不(?:是|算|属于)[^,，。;；、\s是]+")
NO_PROBLEM: Final = "不是问题"
_Meant = TypeVar("_Meant", Category, Urgency)


def _named(text: str, names: Mapping[str, _Meant]) -> _Meant | None:
    """The one thing that a text names, its longer names first; None where it names two."""
    left, found = _DENIED.sub(" ", text.upper()), set()
    for name in sorted(names, key=len, reverse=True):
        if name in left:
            found.add(names[name])
            left = left.replace(name, " ")
    return found.pop() if len(found) == 1 else None


def category_named(text: str) -> Category | None:
    """The category that a text names."""
    return _named(text, CATEGORY_NAMES)


def urgency_named(text: str) -> Urgency | None:
    """The urgency that a text names."""
    return _named(text, URGENCIES)


# ---- cards


def _press(ticket: Ticket, action: str, label: str, **more: str) -> Button:
    args = {"t": str(ticket.number), "v": str(ticket.version), **more}
    return Button(label, Press(f"correct.{action}", args))


def _card(
    ticket: Ticket, firm: str, lead: str, buttons: Sequence[Button], words: Sequence[str] = ()
) -> Card:
    now = f"{LABELS[ticket.category]}、{URGENCY_NAMES[ticket.urgency]}"
    return Card(
        key=f"ticket:{ticket.code}{CARD}",
        title=f"更正 #{ticket.number}",
        tone=Tone.INFO,
        status=STATE_CHIPS[ticket.state],
        lead=short(lead, 110),
        rows=(
            Row("现登记", now),
            Row("企业", short(firm or "待确认", 26)),
            Row("事项", short(ticket.title, 26)),
        ),
        note="改过的会记下，用来教机器人",
        buttons=tuple(buttons),
        revision=ticket.version,
        fallback="\n".join([f"【更正 #{ticket.number}】{lead}（现登记：{now}）", *words]),
    )


def _words(ticket: Ticket, likely: Iterable[Category]) -> list[str]:
    n = ticket.number
    named = next(iter(likely), Category.OTH)
    return [
        f"改类别：更正 {n} {LABELS[named]}　改紧急程度：更正 {n} 特急",
        f"不是问题：更正 {n} 不是问题　属于另一件：更正 {n} 属于 另一工单号",
        f"企业不对：更正 {n} 企业 简称",
    ]


def correct_card(ticket: Ticket, firm: str, likely: Sequence[Category]) -> Card:
    """The likeliest other categories first, one tap each."""
    buttons = [_press(ticket, "category", LABELS[c], c=c.value) for c in likely[:2]]
    buttons.append(_press(ticket, "other", "其他类别"))
    buttons.append(_press(ticket, "more", "更多"))
    return _card(ticket, firm, "哪里不对？按一下就改。", buttons, _words(ticket, likely))


def more_card(ticket: Ticket, firm: str, actions: Sequence[str]) -> Card:
    """What else may be wrong; `actions` are those that this person may take now."""
    buttons = [_press(ticket, action, _MORE[action]) for action in actions]
    if len(buttons) < 4:
        buttons.append(_press(ticket, "show", "返回"))
    return _card(ticket, firm, "哪里不对？", buttons, _words(ticket, ()))


_MORE: Final[Mapping[str, str]] = {
    "urgency": "紧急程度",
    "not_problem": "不是问题",
    "join": "属于另一件",
    "firm": "企业不对",
}


def urgency_card(ticket: Ticket, firm: str) -> Card:
    buttons = [
        _press(ticket, "urgency", name, u=code)
        for code, name in URGENCY_NAMES.items()
        if code != ticket.urgency
    ]
    buttons.append(_press(ticket, "show", "返回"))
    return _card(ticket, firm, "应是哪一级？", buttons, _words(ticket, ()))


def done_card(ticket: Ticket, firm: str, told: str) -> Card:
    """What was changed, and the way to change it again."""
    buttons = [_press(ticket, "show", "再改")] if ticket.is_live else []
    return _card(ticket, firm, told, buttons)


def proposal_card(ticket: Ticket, firm: str, by: str, now: datetime) -> Card:
    """A liaison thinks that nothing has to be done: the leader or the office decides."""
    n = ticket.number
    return decision_card(
        ticket,
        "mistake",
        f"{by}认为这不是问题，建议按误建不予受理：{ticket.title}",
        (Row("企业", short(firm or "待确认", 26)), Row("事项", short(ticket.title, 26))),
        (("correct.not_problem", "同意"), ("correct.keep", "不同意")),
        now,
        f"同意请回复「不予受理 {n} 误建」，不同意请回复「仍要办 {n}」",
    )


# ---- sentences


def opened(ticket: Ticket) -> str:
    return f"请在「更正 #{ticket.number}」里选。"


def proposed(ticket: Ticket) -> str:
    return f"#{ticket.number} 已建议按误建处理，请分管领导或办公室决定；决定之前照常办理。"


def kept(ticket: Ticket) -> str:
    return f"#{ticket.number} 继续办理。"


def told_kept(ticket: Ticket, by: str) -> str:
    return f"#{ticket.number} {ticket.title}：{by}不同意按误建处理，请继续办理。"


def ask(ticket: Ticket, move: Move) -> str:
    """One thing asked for; the answer is the next message."""
    if move is Move.MERGE:
        return f"#{ticket.number} 属于哪一件？请回复工单号。"
    return f"#{ticket.number} 应是哪家企业？请回复企业简称。"


# ---- the office's words


def word_usage() -> str:
    return "请写词、类别和权重（1到5，不写按3），例如：加词 蒸汽管网 能源 4"


def word_length(most: int) -> str:
    return f"一个词要2到{most}个字，中间不能有空格。"


def word_weight() -> str:
    return "权重请写1到5的数字：1是略微有关，5是一出现就定。"


def no_such_category(text: str) -> str:
    labels = "、".join(LABELS.values())
    return f"没有「{short(text, 12)}」这个类别。可以写：{labels}；或特急、紧急、疑难。"


def word_saved(word: str, code: str, weight: float) -> str:
    return f"已加词「{word}」：{code_name(code)}，权重{weight:g}。下一条消息起生效。"


def word_removed(word: str, code: str) -> str:
    return f"已删词「{word}」：{code_name(code)}。下一条消息起生效。"


def word_unknown(word: str, code: str = "") -> str:
    if code:
        return f"{code_name(code)}里没有「{word}」这个词。"
    return f"办公室没有加过「{word}」。要去掉自带的词，请写明类别，例如：删词 {word} 能源"


def word_list(code: str, rows: Sequence[tuple[str, float]]) -> str:
    """What the office changed of one category; the shipped words are not listed."""
    name = code_name(code)
    if not rows:
        return f"{name}：用的是自带的词，办公室没有改过。加词请写「加词 词 {name} 权重」。"
    added = [f"{word}（{weight:g}）" for word, weight in rows if weight > 0]
    gone = [word for word, weight in rows if weight == 0]
    lines = [f"{name}，办公室改过{len(rows)}个词："]
    if added:
        lines.append("加的：" + "、".join(added[:60]))
    if gone:
        lines.append("删的：" + "、".join(gone[:60]))
    return "\n".join(lines)


def word_counts(counts: Mapping[str, int]) -> str:
    if not counts:
        return "办公室还没有改过词。加词例如：加词 蒸汽管网 能源 4"
    told = "、".join(f"{code_name(code)}{count}个" for code, count in counts.items())
    return f"办公室改过的词：{told}。看一类请写「词表 能源」。"


def code_name(code: str) -> str:
    """A category's label, or the name of a level."""
    return URGENCY_NAMES[code] if code in URGENCY_NAMES else LABELS[Category(code)]


def mix_up(read: str, right: str) -> str:
    """What was taken for what, `none` being no problem at all."""
    named = [NO_PROBLEM if code == "none" else code_name(code) for code in (read, right)]
    return f"把「{named[0]}」改为「{named[1]}」"
