"""Neutral cards as the variables of a DingTalk card template; pure, with the limits inside.

The vendor draws a card from a published template, we only fill in texts. `template-variables.json`
describes the template that an office builds for itself; without one the vendor's public template
of a text with buttons does, with fewer looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from bot.platform import json_text
from bot.platforms.dingtalk import words
from handlers.chat.events import ChatKind
from handlers.chat.outbound import (
    LIMITS,
    Address,
    Button,
    Card,
    Choice,
    Delivery,
    Open,
    Press,
    Row,
    Style,
)

# Ships with the vendor's own Python SDK and is open to every application.
VENDOR_TEMPLATE: Final = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
VALUE_BYTES: Final = 1024
SUMMARY_CHARACTERS: Final = 100
OURS: Final = "lhg-"
_BUTTONS: Final = LIMITS["buttons"]
# The public template is known to draw these two.
_COLOURS: Final = {Style.MAIN: "blue", Style.PLAIN: "gray", Style.DANGER: "gray"}
_RECEIVED: Final = "已收到"
# Beside the arguments in what a button brings back.
_CARD, _CHAT = "_k", "_c"
_DIGEST_CHARACTERS: Final = 10


@dataclass(frozen=True, slots=True)
class Done:
    """What a button brings back; `chat` is empty for a card in a single chat."""

    action: str
    args: dict[str, str]
    card_key: str
    chat: str


def track_id(delivery: Delivery) -> str:
    """The same for every try of one row.

    What is said is in it, so that a database that counts from one again does not meet its old cards.
    """
    card = delivery.content.card
    parts = (
        delivery.to.chat.id,
        "" if card is None else card.key,
        delivery.content.text,
        "" if delivery.created_at is None else delivery.created_at.isoformat(),
    )
    digest = sha256("\n".join(parts).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    where = "g" if delivery.to.kind is ChatKind.GROUP else "d"
    return f"{OURS}{where}-{delivery.id}-{digest}"


def summary(card: Card) -> str:
    """What the list of chats and a phone's lock screen show."""
    return words.plain(f"{words.title(card)} {card.lead}").strip()[:SUMMARY_CHARACTERS]


def variables(card: Card, to: Address, vendor: bool = False) -> dict[str, str] | None:
    """Every variable of the template, empty where unused; None where the card has to be told in words."""
    made = _vendor(card, to) if vendor else _own(card, to)
    if made is None or any(len(value.encode()) > VALUE_BYTES for value in made.values()):
        return None
    return made


def _own(card: Card, to: Address) -> dict[str, str]:
    made = {
        "title": words.plain(card.title),
        "status": words.plain(card.status),
        "tone": card.tone.value,
        "body": _body(card),
        "tips": words.plain(card.note),
        "said": "",
        "href": _address(card.href),
        **_choice(card.choice),
    }
    shown = _shown(card)
    for number in range(_BUTTONS):
        button = shown[number] if number < len(shown) else None
        slot = f"btn{number + 1}"
        made[slot] = "" if button is None else words.plain(button.label)
        made[f"{slot}_style"] = "" if button is None else button.style.value
        made[f"{slot}_do"] = "" if button is None else _done(button, card, to)
        made[f"{slot}_url"] = (
            button.do.url if button is not None and isinstance(button.do, Open) else ""
        )
    return made


def _shown(card: Card) -> list[Button]:
    """The buttons that do something."""
    return [b for b in card.buttons if isinstance(b.do, Press) or _address(b.do.url)]


def _vendor(card: Card, to: Address) -> dict[str, str] | None:
    """The public template knows no choice; its buttons are one JSON text."""
    if card.choice is not None:
        return None
    buttons: list[dict[str, Any]] = []
    for number, button in enumerate(_shown(card)):
        made = {"text": words.plain(button.label), "color": _COLOURS[button.style]}
        if isinstance(button.do, Open):
            buttons.append(made | {"url": button.do.url})
        else:
            params = {"do": _done(button, card, to)}
            buttons.append(made | {"id": f"btn{number + 1}", "request": True, "params": params})
    return {
        "title": words.title(card),
        # The template shows nothing where this is empty.
        "markdown": _body(card) or words.marked(card.title),
        "tips": words.plain(card.note),
        "sys_full_json_obj": json_text({"msgButtons": buttons}),
    }


def _body(card: Card) -> str:
    """Lead and rows; links go first where they make it too long."""
    for links in (True, False):
        made = words.broken("\n".join(_lines(card, links)))
        if len(made.encode()) <= VALUE_BYTES:
            break
    return made


def _lines(card: Card, links: bool) -> Iterator[str]:
    if card.lead:
        yield words.marked(card.lead).replace("\n", " ")
    for row in card.rows:
        yield _row(row, links)


def _row(row: Row, links: bool) -> str:
    value = row.value.replace("\n", " ")
    shown = words.link(value, row.href) if links and row.href else words.marked(value)
    return f"{words.marked(row.label)}：{shown}"


def _choice(choice: Choice | None) -> dict[str, str]:
    if choice is None:
        return {"choice": "", "prompt": "", "options": ""}
    options = [{"value": o.id, "text": words.plain(o.text)} for o in choice.options]
    return {
        "choice": "many" if choice.many else "one",
        "prompt": words.plain(choice.prompt),
        "options": json_text(options),
    }


def _address(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""


# ---- a click: what it brings back, and what answers it


def _done(button: Button, card: Card, to: Address) -> str:
    """Action and arguments in one text, with the card and the group that it stands in."""
    if not isinstance(button.do, Press):
        return ""
    beside = {_CARD: card.key}
    if to.kind is ChatKind.GROUP:
        beside[_CHAT] = to.chat.id
    return f"{button.do.action}?{urlencode({**button.do.args, **beside})}"


def pressed(done: str) -> Done | None:
    """The reverse; None for what no card of ours carries."""
    action, mark, query = done.partition("?")
    if not action or not mark:
        return None
    args = dict(parse_qsl(query, keep_blank_values=True))
    return Done(action, args, card_key=args.pop(_CARD, ""), chat=args.pop(_CHAT, ""))


def answer(
    toast: str = "", delivery: Delivery | None = None, vendor: bool = False
) -> dict[str, Any]:
    """The body of a click's answer: the card as it is now, and a few words to whoever pressed.

    There is no toast: the words stand on the card for that one person, whatever becomes of it. The
    vendor's template has no place of its own for them: there they stand before the small print.
    """
    body: dict[str, Any] = {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
    }
    values = None
    if delivery is not None and delivery.content.card is not None:
        values = variables(delivery.content.card, delivery.to, vendor)
        if values is not None:
            body["cardData"] = {"cardParamMap": values}
    told = words.plain(toast).strip().split("\n", 1)[0] or _RECEIVED
    if vendor and values is not None:
        told = " · ".join(filter(None, (told, values["tips"])))
    place = "tips" if vendor else "said"
    body["userPrivateData"] = {"cardParamMap": {place: told[:SUMMARY_CHARACTERS]}}
    return body
