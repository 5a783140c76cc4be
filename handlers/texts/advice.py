"""What the outside model proposes, as its ticket's handler reads it: a suggestion, never more."""

from collections.abc import Mapping, Sequence
from typing import Final

from handlers.chat.outbound import Button, Card, Press, Row, Style, Tone
from handlers.domain.category import LABELS, Category
from handlers.domain.ticket import Ticket
from handlers.texts.common import STATE_CHIPS, short

TAKES: Final[Mapping[str, str]] = {
    "category": "采用类别",
    "title": "采用标题",
    "both": "都采用",
}
_ONLY_ADVICE: Final = "外部模型的建议，只供参考"


def advice_card(
    ticket: Ticket, advice_id: int, title: str, category: Category | None, parts: Sequence[str]
) -> Card:
    """A tap takes the category, the title or both; not to press changes nothing."""
    what = [name for name, wanted in (("category", category), ("title", title)) if wanted]
    takes = [*what, "both"] if len(what) == 2 else what
    rows = [Row("现登记", short(f"{LABELS[ticket.category]} · {ticket.title}", 26))]
    words = []
    if category is not None:
        rows.append(Row("类别", LABELS[category]))
        words.append(f"改类别：更正 {ticket.number} {LABELS[category]}")
    if title:
        rows.append(Row("标题", short(title, 26)))
        words.append(f"改标题：更正 {ticket.number} 标题 {title}")
    lead = f"{_ONLY_ADVICE}，不采用不用理会。"
    if parts:
        lead = f"{lead}{_several(ticket, parts)}"
    return Card(
        key=f"ticket:{ticket.code}:advice",
        title=f"建议 #{ticket.number}",
        tone=Tone.QUIET,
        status=STATE_CHIPS[ticket.state],
        lead=short(lead, 110),
        rows=tuple(rows),
        note="改过的会记下，用来教机器人",
        buttons=tuple(
            Button(
                TAKES[name],
                Press(
                    "correct.advised",
                    {
                        "t": str(ticket.number),
                        "v": str(ticket.version),
                        "a": str(advice_id),
                        "w": name,
                    },
                ),
                Style.PLAIN,
            )
            for name in takes
        ),
        revision=ticket.version,
        fallback="\n".join([f"【建议 #{ticket.number}】{lead}", *words]),
    )


def _several(ticket: Ticket, parts: Sequence[str]) -> str:
    listed = "；".join(parts)
    return f"可能是{len(parts)}件事：{listed}。认领后可回复「拆分 {ticket.number} 另一件事」。"


def split_line(ticket: Ticket, parts: Sequence[str]) -> str:
    return f"#{ticket.number} {_ONLY_ADVICE}：{_several(ticket, parts)}"


def draft_text(ticket: Ticket, draft: str, sources: Sequence[tuple[str, str]]) -> str:
    """A draft for the handler only; nothing of it goes out by itself (domain.md §14)."""
    listed = "、".join(f"《{title}》（{day}）" for title, day in sources)
    return (
        f"#{ticket.number} 参考答复（{_ONLY_ADVICE}，请核对后再答复）：{draft}\n"
        f"依据：{listed}。以主管部门解释为准。"
    )


def retitled(ticket: Ticket) -> str:
    return f"#{ticket.number} 标题已改为「{ticket.title}」。"
