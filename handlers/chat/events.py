"""What reaches the bot, in words that belong to no platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ChatKind(StrEnum):
    GROUP = "group"
    DIRECT = "direct"


class EventKind(StrEnum):
    MESSAGE = "message"
    PRESS = "press"
    ENTER = "enter"
    # A platform tells that somebody has read a message of the bot; `quote` names it.
    READ = "read"


class AttachmentKind(StrEnum):
    IMAGE = "image"
    FILE = "file"
    VOICE = "voice"
    VIDEO = "video"
    LOCATION = "location"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class ChatRef:
    """A chat; its id never travels without its platform."""

    platform: str
    id: str


@dataclass(frozen=True, slots=True)
class UserRef:
    platform: str
    id: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something sent along; only its platform reads the `url`, which may hold a key."""

    kind: AttachmentKind
    url: str = field(default="", repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that is answered; platforms that give no id still give its text.

    `root_ref` is the message that its thread began with, where that is another one.
    """

    text: str = ""
    message_ref: str = ""
    root_ref: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of a card: the registered action, its arguments and what was picked."""

    action: str
    args: Mapping[str, str] = field(default_factory=dict)
    picked: tuple[str, ...] = ()
    card_key: str = ""
    card_ref: str = ""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One thing that happened; (platform, event_id) is unique for ever."""

    platform: str
    event_id: str
    kind: EventKind
    at: datetime
    chat: ChatRef
    chat_kind: ChatKind
    sender: UserRef
    sender_name: str = ""
    chat_title: str = ""
    text: str = ""
    msg_type: str = "text"
    mention_bot: bool = False
    quote: Quote | None = None
    attachments: tuple[Attachment, ...] = ()
    press: Pressed | None = None
    reply_token: str = ""
    from_bot: bool = False


def to_plain(event: InboundEvent) -> dict[str, Any]:
    """The event as JSON values, as the inbox keeps it."""
    plain: dict[str, Any] = {
        "platform": event.platform,
        "event_id": event.event_id,
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "chat": event.chat.id,
        "chat_kind": event.chat_kind.value,
        "sender": event.sender.id,
    }
    for name in ("sender_name", "chat_title", "text", "mention_bot", "reply_token", "from_bot"):
        value = getattr(event, name)
        if value:
            plain[name] = value
    if event.msg_type != "text":
        plain["msg_type"] = event.msg_type
    if event.quote is not None:
        plain["quote"] = [event.quote.text, event.quote.message_ref, event.quote.root_ref]
    if event.attachments:
        plain["attachments"] = [[a.kind.value, a.url, a.name] for a in event.attachments]
    if event.press is not None:
        press = event.press
        plain["press"] = [
            press.action,
            dict(press.args),
            list(press.picked),
            press.card_key,
            press.card_ref,
        ]
    return plain


def from_plain(plain: Mapping[str, Any]) -> InboundEvent:
    """The reverse of `to_plain`."""
    quote = plain.get("quote")
    press = plain.get("press")
    platform = plain["platform"]
    return InboundEvent(
        platform=platform,
        event_id=plain["event_id"],
        kind=EventKind(plain["kind"]),
        at=datetime.fromisoformat(plain["at"]),
        chat=ChatRef(platform, plain["chat"]),
        chat_kind=ChatKind(plain["chat_kind"]),
        sender=UserRef(platform, plain["sender"]),
        sender_name=plain.get("sender_name", ""),
        chat_title=plain.get("chat_title", ""),
        text=plain.get("text", ""),
        msg_type=plain.get("msg_type", "text"),
        mention_bot=plain.get("mention_bot", False),
        quote=None if quote is None else Quote(*quote),
        attachments=tuple(
            Attachment(AttachmentKind(kind), url, name)
            for kind, url, name in plain.get("attachments", ())
        ),
        press=None
        if press is None
        else Pressed(press[0], press[1], tuple(press[2]), press[3], press[4]),
        reply_token=plain.get("reply_token", ""),
        from_bot=plain.get("from_bot", False),
    )
