"""What DingTalk is told in words: texts, and cards where no template can show them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.payload import cut, pieces, web_address
from handlers.chat.outbound import Card, Content, Mention, Open

NAME: Final = "dingtalk"
# The platform takes 15,000, with every escape; clients were seen to cut a message after 5,600.
TEXT_BYTES: Final = 5_000
ROBOT_BYTES: Final = 15_000
TITLE_CHARACTERS: Final = 40
RING_CHARACTERS: Final = 100
_STAFF: Final = re.compile(r"[0-9A-Za-z_.@-]{1,64}")
_URL: Final = re.compile(r"https?://[^\s<>()\[\]（）「」，。；、]+")
_CONTROLS: Final = dict.fromkeys(
    n for n in (*range(0x20), *range(0x7F, 0xA0)) if chr(n) not in "\n\t"
)
_MARKS: Final = str.maketrans(dict(zip("<>[]*_`~|\\", "＜＞［］＊＿’～｜＼", strict=True)))
# At the beginning of a line these make a heading, a list or a quotation.
_LEADING: Final = re.compile(r"^(\s*)([-+#])", re.MULTILINE)
_LED: Final = {"-": "－", "+": "＋", "#": "＃"}
_NUMBERED: Final = re.compile(r"^(\s*\d+)\.(?=\s)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Said:
    """One message: a text, or markdown where it has a title."""

    text: str
    title: str = ""


def is_staff(user: str) -> bool:
    """Whether it names a member; outsiders are only known by a sealed id, to which nobody can send."""
    return _STAFF.fullmatch(user) is not None


def plain(text: str) -> str:
    return text.translate(_CONTROLS)


def marked(text: str) -> str:
    """Free text as plain letters inside markdown; lines stay lines."""
    found = plain(text).translate(_MARKS)
    found = _LEADING.sub(lambda m: m[1] + _LED[m[2]], found)
    return _NUMBERED.sub(r"\1．", found)


def link(label: str, url: str) -> str:
    """A markdown link whose address cannot end it early; the label alone where it is no address."""
    address = web_address(url)
    return f"[{marked(label)}]({address})" if address else marked(label)


def linked(text: str) -> str:
    """As `marked`, with the addresses in it left to be opened."""
    found, end = [], 0
    for address in _URL.finditer(text):
        found += [marked(text[end : address.start()]), link(address[0], address[0])]
        end = address.end()
    return "".join([*found, marked(text[end:])])


def broken(text: str) -> str:
    """Markdown joins lines that do not say otherwise."""
    return text.replace("\n", "  \n")


def title(card: Card) -> str:
    return plain(" ".join(filter(None, (card.title, card.status))))[:TITLE_CHARACTERS]


def said(content: Content) -> list[Said]:
    """The words of a text or of a card in parts of the platform's size."""
    if content.card is None:
        return [Said(_something(part)) for part in pieces(plain(content.text), TEXT_BYTES)]
    head = title(content.card)
    return [
        Said(broken(_something(part)), head) for part in pieces(_fallback(content.card), TEXT_BYTES)
    ]


def _something(part: str) -> str:
    """An empty message is refused."""
    return part if part.strip() else "…"


def _fallback(card: Card) -> str:
    lines = [linked(card.fallback)]
    lines += [
        link(button.label, button.do.url)
        for button in card.buttons
        if isinstance(button.do, Open) and button.do.url not in card.fallback
    ]
    return "\n".join(lines)


def called(mentions: Iterable[Mention]) -> dict[str, str]:
    """Who can be notified, by id."""
    return {
        m.user.id: plain(m.name)[:60]
        for m in mentions
        if m.user.platform == NAME and is_staff(m.user.id)
    }


def by_name(mentions: Iterable[Mention]) -> str:
    """Where nobody can be notified the names stand before the text; some of these texts are markdown."""
    return "".join(f"@{marked(m.name)[:60]} " for m in mentions)


def by_id(mentions: Iterable[Mention]) -> str:
    """The platform shows the name of a mentioned member, but only where the id stands in the text."""
    return "".join(
        f"@{m.user.id} " if m.user.platform == NAME and is_staff(m.user.id) else by_name([m])
        for m in mentions
    )


def robot(content: Content) -> Said:
    """A group's robot says everything in one message: it is counted by the minute."""
    whole = content.text if content.card is None else content.card.fallback
    return Said(_something(cut(plain(whole), ROBOT_BYTES)))


def ring(content: Content) -> str:
    """The few words of an urgent call."""
    whole = content.text if content.card is None else content.card.fallback
    return plain(whole).strip().split("\n", 1)[0][:RING_CHARACTERS] or "…"
