"""What the bot says, in words that belong to no platform: text, cards and where they go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from handlers.chat.events import ChatKind, ChatRef, UserRef


class Kind(StrEnum):
    """What a message is for; the sandbox shows it and rate rules may read it."""

    MESSAGE = "message"
    ANSWER = "answer"
    CARD = "card"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    DIGEST = "digest"
    BRIEF = "brief"
    ANNOUNCEMENT = "announcement"
    SURVEY = "survey"
    QUESTION = "question"
    FILE = "file"


class Priority(IntEnum):
    """Smaller goes first: features.md row 57."""

    URGENT = 0
    LADDER = 1
    REPLY = 2
    DIGEST = 3
    BROADCAST = 4
    # Behind every word that is told to anybody.
    FILE = 5


class Tone(StrEnum):
    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    URGENT = "urgent"
    QUIET = "quiet"


class Style(StrEnum):
    MAIN = "main"
    PLAIN = "plain"
    DANGER = "danger"


class CardTooLarge(ValueError):
    """A card outgrew what the weakest platform can show (protocols: at most 6 rows, 4 buttons)."""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that comes back to the bot; `args` holds no personal data."""

    action: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    url: str


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    do: Press | Open
    style: Style = Style.PLAIN
    confirm: str = ""
    submits: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    prompt: str
    options: tuple[Option, ...]
    many: bool = False


LIMITS: Mapping[str, int] = {
    "title": 26,
    "status": 6,
    "lead": 110,
    "label": 5,
    "value": 26,
    "note": 30,
    "button": 6,
    "rows": 6,
    "buttons": 4,
    "options": 10,
    "option": 16,
}


@dataclass(frozen=True, slots=True)
class Card:
    """One card, semantic only; what no platform could show is refused when it is made."""

    key: str
    title: str
    lead: str
    fallback: str
    tone: Tone = Tone.INFO
    status: str = ""
    rows: tuple[Row, ...] = ()
    note: str = ""
    buttons: tuple[Button, ...] = ()
    choice: Choice | None = None
    href: str = ""
    revision: int = 1

    def __post_init__(self) -> None:
        limits = LIMITS
        if (
            not 1 <= len(self.title) <= limits["title"]
            or len(self.status) > limits["status"]
            or len(self.lead) > limits["lead"]
            or len(self.note) > limits["note"]
            or len(self.rows) > limits["rows"]
            or len(self.buttons) > limits["buttons"]
        ):
            raise CardTooLarge(self.key)
        for row in self.rows:
            if len(row.label) > limits["label"] or len(row.value) > limits["value"]:
                raise CardTooLarge(f"{self.key}: {row.label}")
        for button in self.buttons:
            if not 1 <= len(button.label) <= limits["button"]:
                raise CardTooLarge(f"{self.key}: {button.label}")
        if self.choice is not None:
            if len(self.choice.options) > limits["options"]:
                raise CardTooLarge(f"{self.key}: {self.choice.name}")
            if not any(button.submits for button in self.buttons):
                raise CardTooLarge(f"{self.key}: a choice needs a button that submits it")


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody to notify; `name` is what a platform without mentions prints."""

    user: UserRef
    name: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A kept file that goes out as a message of its own; its bytes are asked for by its digest."""

    digest: str
    name: str
    content_type: str
    size: int

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class Content:
    """What is said: a text, a card whose fallback is that text, or a file whose name it is."""

    text: str
    card: Card | None = None
    kind: Kind = Kind.MESSAGE
    mentions: tuple[Mention, ...] = ()
    file: Enclosure | None = None

    @classmethod
    def of(
        cls, card: Card, kind: Kind = Kind.CARD, mentions: tuple[Mention, ...] = ()
    ) -> "Content":
        return cls(card.fallback, card, kind, mentions)

    @classmethod
    def enclosing(cls, file: Enclosure) -> "Content":
        return cls(file.name, kind=Kind.FILE, file=file)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers to whoever wrote or pressed.

    `toast` is the few words a pressed button may show; `content` goes to the chat of the event,
    or to the person alone when `private` is set and the event came from a group. `ticket` is what
    it is about: a confidential one never answers in a group. `secret`: no group may read it, not
    even where the person cannot be reached alone. `also`: a second message to the same chat, in
    which nothing is anybody's own.
    """

    content: Content | None = None
    toast: str = ""
    private: bool = True
    ticket: int | None = None
    secret: bool = False
    also: Content | None = None

    @classmethod
    def say(
        cls, text: str, ticket: int | None = None, private: bool = True, kind: Kind = Kind.ANSWER
    ) -> "Reply":
        """A sentence; a press shows it as its toast too."""
        return cls(Content(text, kind=kind), text, private, ticket)

    @classmethod
    def show(
        cls, card: Card, toast: str = "", ticket: int | None = None, private: bool = True
    ) -> "Reply":
        return cls(Content.of(card), toast, private, ticket)


SILENCE = Reply()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a platform delivers: a chat or one person, and the group robot's URL where one is kept."""

    chat: ChatRef
    kind: ChatKind
    robot: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbox row as a platform sees it.

    `reply_token` lets a platform answer the message that caused it (WeCom response_url);
    `update_ref` names the card that this content replaces; `id` never repeats. `urgent`: whoever it
    goes to should be rung, where the platform can. `in_place`: the card is replaced where it stands
    or not at all.
    """

    id: int
    to: Address
    content: Content
    reply_token: str = ""
    update_ref: str = ""
    created_at: datetime | None = None
    urgent: bool = False
    in_place: bool = False


def card_to_plain(card: Card) -> dict[str, Any]:
    """The card as JSON values; the outbox, the sandbox and the generic webhook show this shape."""
    buttons: list[dict[str, Any]] = []
    for number, button in enumerate(card.buttons):
        plain: dict[str, Any] = {
            "id": str(number),
            "label": button.label,
            "style": button.style.value,
            "url": button.do.url if isinstance(button.do, Open) else None,
            "confirm": button.confirm or None,
            "submits": button.submits,
        }
        if isinstance(button.do, Press):
            plain["press"] = button.do.action
            plain["args"] = dict(button.do.args)
        buttons.append(plain)
    choice = None
    if card.choice is not None:
        choice = {
            "name": card.choice.name,
            "prompt": card.choice.prompt,
            "options": [{"id": o.id, "text": o.text} for o in card.choice.options],
            "many": card.choice.many,
        }
    return {
        "key": card.key,
        "title": card.title,
        "tone": card.tone.value,
        "status": card.status or None,
        "lead": card.lead,
        "rows": [{"label": r.label, "value": r.value, "href": r.href or None} for r in card.rows],
        "note": card.note or None,
        "buttons": buttons,
        "choice": choice,
        "href": card.href or None,
        "revision": card.revision,
        "fallback": card.fallback,
    }


def card_from_plain(plain: Mapping[str, Any]) -> Card:
    """The reverse of `card_to_plain`."""
    choice = plain.get("choice")
    return Card(
        key=plain["key"],
        title=plain["title"],
        lead=plain["lead"],
        fallback=plain["fallback"],
        tone=Tone(plain["tone"]),
        status=plain.get("status") or "",
        rows=tuple(Row(r["label"], r["value"], r.get("href") or "") for r in plain["rows"]),
        note=plain.get("note") or "",
        buttons=tuple(
            Button(
                b["label"],
                Open(b["url"]) if b.get("url") else Press(b["press"], b.get("args", {})),
                Style(b["style"]),
                b.get("confirm") or "",
                b.get("submits", False),
            )
            for b in plain["buttons"]
        ),
        choice=None
        if choice is None
        else Choice(
            choice["name"],
            choice["prompt"],
            tuple(Option(o["id"], o["text"]) for o in choice["options"]),
            choice["many"],
        ),
        href=plain.get("href") or "",
        revision=plain["revision"],
    )


def content_to_plain(content: Content) -> dict[str, Any]:
    """The content as JSON values, as the outbox keeps it."""
    plain: dict[str, Any] = {"text": content.text, "kind": content.kind.value}
    if content.card is not None:
        plain["card"] = card_to_plain(content.card)
    if content.mentions:
        plain["mentions"] = [[m.user.platform, m.user.id, m.name] for m in content.mentions]
    if content.file is not None:
        file = content.file
        plain["file"] = [file.digest, file.name, file.content_type, file.size]
    return plain


def content_from_plain(plain: Mapping[str, Any]) -> Content:
    card, file = plain.get("card"), plain.get("file")
    return Content(
        plain["text"],
        None if card is None else card_from_plain(card),
        Kind(plain["kind"]),
        tuple(Mention(UserRef(p, i), name) for p, i, name in plain.get("mentions", ())),
        None if file is None else Enclosure(*file),
    )
