"""DingTalk's messages, clicks and events -> neutral events; pure functions."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bot.payload import part_at, text_at
from bot.platform import Rejected, plain_json
from bot.platforms.dingtalk import cards
from handlers.chat.events import (
    Attachment,
    AttachmentKind,
    ChatKind,
    ChatRef,
    EventKind,
    InboundEvent,
    Pressed,
    Quote,
    UserRef,
)

NAME: Final = "dingtalk"
MEDIA: Final = "dingtalk:"
_GROUP: Final = "2"
_MOST_ID: Final = 200
_MOST_PICTURES: Final = 20
# Only by the way a card was sent can be told whether its click came from a single chat.
_ALONE_CARD: Final = "lhg-d-"
_FILES: Final = {
    "picture": (AttachmentKind.IMAGE, "image"),
    "audio": (AttachmentKind.VOICE, "voice"),
    "video": (AttachmentKind.VIDEO, "video"),
    "file": (AttachmentKind.FILE, "file"),
}
# Beside the arguments in a click's params where each stands by itself.
_ACT, _CARD = "action", "_card"
_CHOSEN: Final = ("picked", "form")
# A form, a field, its values, one of them.
_DEEPEST: Final = 4
_CODE: Final = re.compile(r"[0-9A-Za-z+/=_.:-]{1,1000}")


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is in DingTalk; an empty corporation is not compared."""

    names: tuple[str, ...] = ()
    robot_code: str = ""
    corp_id: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """Where an answer into a chat may be posted, and until when; wall-clock seconds."""

    chat: str
    url: str
    until: float


_Found = tuple[InboundEvent | None, str]


# ---- messages


def message(plain: Mapping[str, Any], me: Me, wall: float) -> _Found:
    """The event of a message to the bot, and the kind where it is one we do not handle."""
    kind, message_id = text_at(plain, "msgtype"), text_at(plain, "msgId")
    if not kind or not 0 < len(message_id) <= _MOST_ID:
        raise Rejected(400, "not_understood")
    _ours(me, text_at(plain, "robotCode"), text_at(plain, "chatbotCorpId"))
    user = _sender(plain)
    if not user:
        return None, f"{kind}_without_sender"
    group = text_at(plain, "conversationType") == _GROUP
    chat = text_at(plain, "conversationId")
    if group and not chat:
        raise Rejected(400, "not_understood")
    said = _said(kind, plain)
    if said is None:
        return None, kind
    text, attachments, msg_type = said
    return (
        InboundEvent(
            kind=EventKind.MESSAGE,
            event_id=message_id,
            text=_without_names(text, me.names),
            msg_type=msg_type,
            # Nothing else of a group is brought to the bot.
            mention_bot=group,
            quote=_quote(plain),
            attachments=attachments,
            reply_token=message_id,
            sender_name=text_at(plain, "senderNick")[:60],
            chat_title=text_at(plain, "conversationTitle")[:100],
            **_where(chat if group else "", user, instant(plain.get("createAt"), wall)),
        ),
        "",
    )


def session(plain: Mapping[str, Any]) -> Session | None:
    """The session of a message's chat; whether its address is DingTalk's is not looked at here."""
    url, until = text_at(plain, "sessionWebhook"), plain.get("sessionWebhookExpiredTime")
    group = text_at(plain, "conversationType") == _GROUP
    chat = text_at(plain, "conversationId") if group else _sender(plain)
    if not url or not chat:
        return None
    # Without a time it would be tried when it is long over.
    at = instant(until, 0.0).timestamp()
    return Session(chat, url, at) if at else None


def _sender(plain: Mapping[str, Any]) -> str:
    """The member's id, for outsiders and before the application is published one of its own."""
    return (text_at(plain, "senderStaffId") or text_at(plain, "senderId"))[:_MOST_ID]


def _ours(me: Me, robot_code: str, corp_id: str) -> None:
    """What names another bot or corporation is not for us; older bodies name none."""
    if robot_code and me.robot_code and robot_code != me.robot_code:
        raise Rejected(403, "robot_code")
    if corp_id and me.corp_id and corp_id != me.corp_id:
        raise Rejected(403, "corp_id")


def _where(group: str, user: str, at: datetime) -> dict[str, Any]:
    """A direct chat is known by its person: that is what we send to."""
    return {
        "platform": NAME,
        "at": at,
        "chat": ChatRef(NAME, group or user),
        "chat_kind": ChatKind.GROUP if group else ChatKind.DIRECT,
        "sender": UserRef(NAME, user),
    }


_Said = tuple[str, tuple[Attachment, ...], str]


def _said(kind: str, plain: Mapping[str, Any]) -> _Said | None:
    """Text, attachments and kind of a message; None for a kind that says nothing to us."""
    content = part_at(plain, "content")
    if kind == "text":
        return text_at(part_at(plain, "text"), "content").strip(), (), "text"
    if kind == "richText":
        return _rich(content)
    if kind not in _FILES:
        return None
    what, msg_type = _FILES[kind]
    attachment = Attachment(what, media_url(content), text_at(content, "fileName")[:200])
    return text_at(content, "recognition").strip(), (attachment,), msg_type


def _rich(content: Mapping[str, Any]) -> _Said:
    lines: list[str] = []
    pictures: list[Attachment] = []
    pieces = content.get("richText")
    for piece in pieces if isinstance(pieces, list) else []:
        if not isinstance(piece, dict):
            continue
        if text_at(piece, "type") == "picture" or "downloadCode" in piece:
            pictures.append(Attachment(AttachmentKind.IMAGE, media_url(piece)))
        elif line := text_at(piece, "text").strip():
            lines.append(line)
    return "\n".join(lines), tuple(pictures[:_MOST_PICTURES]), "mixed" if pictures else "text"


def media_url(content: Mapping[str, Any]) -> str:
    """Where the attachment lies; a picture without a code of its own has one for the small form."""
    return MEDIA + (text_at(content, "downloadCode") or text_at(content, "pictureDownloadCode"))


def media_of(url: str) -> str | None:
    """The code of what `media_url` made."""
    code = url.removeprefix(MEDIA)
    return code if url.startswith(MEDIA) and _CODE.fullmatch(code) else None


def _without_names(text: str, names: Sequence[str]) -> str:
    """The text without the bot's own @name; those of others stay."""
    for name in names:
        text = re.sub(rf"@{re.escape(name)}(?![0-9A-Za-z\u4e00-\u9fff])[ \u2005\u00a0]?", "", text)
    return text.strip()


def _quote(plain: Mapping[str, Any]) -> Quote | None:
    """What is answered: people's messages by their id, the bot's own by the key that sending gave.

    Of a card the key comes alone; what went by a reply address has none, only its words.
    """
    replied = part_at(part_at(plain, "text"), "repliedMsg")
    key = text_at(plain, "originalProcessQueryKey")
    ref = key or text_at(plain, "originalMsgId") or text_at(replied, "msgId")
    if not ref and not replied:
        return None
    content = replied.get("content")
    if isinstance(content, dict):
        content = text_at(content, "text") or text_at(content, "content")
    return Quote(content[:2000] if isinstance(content, str) else "", ref[:_MOST_ID])


# ---- clicks


def click(plain: Mapping[str, Any], event_id: str, me: Me, wall: float) -> _Found:
    """The event of a click on a card; `event_id` comes from outside: the body has none."""
    _ours(me, "", text_at(plain, "corpId"))
    user, track = text_at(plain, "userId")[:_MOST_ID], text_at(plain, "outTrackId")[:_MOST_ID]
    private = part_at(_unfolded(plain.get("content")), "cardPrivateData")
    params = part_at(private, "params")
    if not user or not track:
        raise Rejected(400, "not_understood")
    did = _did(params)
    if did is None:
        return None, "card_params"
    action, args, card_key, chat = did
    group = "" if track.startswith(_ALONE_CARD) else chat or text_at(plain, "spaceId")
    picked = tuple(one for key in _CHOSEN for one in _picked(params.get(key)))
    return (
        InboundEvent(
            kind=EventKind.PRESS,
            event_id=event_id,
            press=Pressed(action, args, picked, card_key, track),
            **_where(group[:_MOST_ID], user, datetime.fromtimestamp(wall, UTC)),
        ),
        "",
    )


def click_id(plain: Mapping[str, Any], when: str) -> str:
    """The same request is the same click; a second press of the button comes at another time."""
    parts = [when, *(text_at(plain, k) for k in ("outTrackId", "userId", "content"))]
    return f"click-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]}"


def _did(params: Mapping[str, Any]) -> tuple[str, dict[str, str], str, str] | None:
    """Action, arguments, card and chat that a button carries: in one text, or each by itself."""
    if text := text_at(params, "do"):
        did = cards.pressed(text)
        return None if did is None else (did.action, dict(did.args), did.card_key, did.chat)
    given = {
        str(k): _word(v)
        for k, v in params.items()
        if k not in _CHOSEN and isinstance(v, str | int | float)
    }
    action, card_key = given.pop(_ACT, ""), given.pop(_CARD, "")
    return (action, given, card_key, "") if action else None


def _picked(value: object, depth: int = _DEEPEST) -> Iterator[str]:
    """What was chosen, alone or in the fields of a form in their order; also as JSON text."""
    value = _unfolded(value) or value
    if isinstance(value, dict):
        chosen = "value" in value and set(value) <= {"index", "value"}
        value = [value["value"]] if chosen else list(value.values())
    if isinstance(value, list):
        for one in value if depth else ():
            yield from _picked(one, depth - 1)
    elif value is not None and value != "":
        yield _word(value)


def _unfolded(value: object) -> dict[str, Any]:
    """The object that a text holds; empty where it holds none."""
    if not isinstance(value, str) or not value.startswith("{"):
        return {}
    try:
        plain = plain_json(value.encode())
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ---- events


def happening(
    kind: str, event_id: str, plain: Mapping[str, Any], corp_id: str, me: Me, wall: float
) -> _Found:
    """The event of a subscription; over HTTP its fields begin with a capital letter."""
    _ours(me, _either(plain, "robotCode"), corp_id)
    if not kind:
        raise Rejected(400, "not_understood")
    if kind != "robot_msg_read":
        return None, kind
    ref, user = _either(plain, "processQueryKey"), _either(plain, "userId")
    if not ref or not user:
        # People outside the organisation have no id here.
        return None, f"{kind}_without_user"
    read_at = instant(plain.get("operatTime", plain.get("OperatTime")), wall)
    return (
        InboundEvent(
            kind=EventKind.READ,
            event_id=event_id,
            quote=Quote("", ref[:_MOST_ID]),
            **_where(_either(plain, "openConversationId")[:_MOST_ID], user[:_MOST_ID], read_at),
        ),
        "",
    )


def event_id(plain: Mapping[str, Any], said: bytes) -> str:
    """The id that an event's body names; one without is known by what it says."""
    found = _either(plain, "eventId")[:_MOST_ID]
    return found or f"event-{hashlib.sha256(said).hexdigest()[:40]}"


def _either(plain: Mapping[str, Any], key: str) -> str:
    return text_at(plain, key) or text_at(plain, key[:1].upper() + key[1:])


# ---- both


def instant(value: object, wall: float) -> datetime:
    """Milliseconds as a number or as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{13}", value):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    return datetime.fromtimestamp(wall, UTC)
