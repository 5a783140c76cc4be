"""What the lantern says and is told."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bot.payload import text_at
from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, Pressed, UserRef
from handlers.chat.outbound import Delivery, Press

NAME: Final = "lantern"


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(plain: Mapping[str, Any], wall: float) -> InboundEvent | None:
    """A message, or a press where `press` names a button; None for what is neither."""
    number, user, text = text_at(plain, "id"), text_at(plain, "who"), text_at(plain, "text")
    room = text_at(plain, "room")
    action = text_at(plain, "press")
    if not (number and user and (text or action)):
        return None
    base: dict[str, Any] = {
        "platform": NAME,
        "event_id": number,
        "at": datetime.fromtimestamp(wall, UTC),
        "chat": ChatRef(NAME, room or user),
        "chat_kind": ChatKind.GROUP if room else ChatKind.DIRECT,
        "sender": UserRef(NAME, user),
    }
    if action:
        name, _, ticket = action.partition(":")
        args = {k: v for k, _, v in (p.partition("=") for p in ticket.split("&")) if k}
        return InboundEvent(kind=EventKind.PRESS, press=Pressed(name, args, (), "", ""), **base)
    return InboundEvent(kind=EventKind.MESSAGE, text=text, mention_bot=bool(room), **base)


def said(delivery: Delivery) -> dict[str, Any]:
    card = delivery.content.card
    buttons = [] if card is None else [b for b in card.buttons if isinstance(b.do, Press)]
    return {
        "to": delivery.to.chat.id,
        "text": delivery.content.text,
        "buttons": {
            b.label: f"{b.do.action}:{'&'.join(f'{k}={v}' for k, v in b.do.args.items())}"
            for b in buttons
            if isinstance(b.do, Press)
        },
    }
