"""WeCom's XML and JSON <-> neutral events and messages; pure functions with the limits inside."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from bot.payload import cut, part_at, pieces, text_at
from bot.platform import Rejected
from bot.platforms.wecom.media import address
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
from handlers.chat.outbound import Card, Content, Delivery, Open, Style, Tone

NAME: Final = "wecom"
STREAM_BYTES: Final = 20_480
ROBOT_TEXT_BYTES: Final = 2_048
ROBOT_MARKDOWN_BYTES: Final = 4_096
APP_TEXT_BYTES: Final = 2_048
BUTTON_KEY_BYTES: Final = 1_024
TASK_ID_BYTES: Final = 128
NOOP: Final = "noop"
# In front of the id of what lies at WeCom for three days.
STORED: Final = "media:"
_TONE_COLOURS: Final = {Tone.QUIET: 0, Tone.INFO: 1, Tone.URGENT: 2, Tone.WARN: 2, Tone.GOOD: 3}
_STYLES: Final = {Style.MAIN: 1, Style.PLAIN: 2, Style.DANGER: 3}
_MEDIA: Final = {
    "image": AttachmentKind.IMAGE,
    "file": AttachmentKind.FILE,
    "video": AttachmentKind.VIDEO,
}
_SAFE_TASK: Final = re.compile(r"[^0-9A-Za-z_@-]")


# ---- in: aibot


def aibot_event(
    plain: Mapping[str, Any], names: Sequence[str], wall: float
) -> tuple[InboundEvent | None, str]:
    """The event of a decrypted aibot body, and the kind where it is one we do not handle."""
    kind = text_at(plain, "msgtype")
    message_id = text_at(plain, "msgid")
    user = text_at(part_at(plain, "from"), "userid")
    if not message_id or not kind:
        raise Rejected(400, "not_understood")
    if kind == "stream":
        return None, ""
    if not user:
        return None, f"{kind}_without_sender"
    group = text_at(plain, "chattype") == "group"
    chat = text_at(plain, "chatid") if group else user
    created = plain.get("create_time")
    at = datetime.fromtimestamp(created if isinstance(created, int) else wall, UTC)
    base: dict[str, Any] = {
        "platform": NAME,
        "event_id": message_id,
        "at": at,
        "chat": ChatRef(NAME, chat),
        "chat_kind": ChatKind.GROUP if group else ChatKind.DIRECT,
        "sender": UserRef(NAME, user),
    }
    if kind == "event":
        return _aibot_happening(part_at(plain, "event"), base)
    text, attachments, msg_type = _said(plain, kind)
    if msg_type == "":
        return None, kind
    quote = _quote(plain.get("quote"))
    return (
        InboundEvent(
            kind=EventKind.MESSAGE,
            text=without_names(text, names) if group else text,
            msg_type=msg_type,
            mention_bot=group,
            quote=quote,
            attachments=attachments,
            reply_token=text_at(plain, "response_url"),
            **base,
        ),
        "",
    )


def _aibot_happening(event: Mapping[str, Any], base: dict[str, Any]) -> tuple[Any, str]:
    kind = text_at(event, "eventtype")
    if kind == "enter_chat":
        base["chat"] = ChatRef(NAME, base["sender"].id)
        base["chat_kind"] = ChatKind.DIRECT
        return InboundEvent(kind=EventKind.ENTER, **base), ""
    if kind == "template_card_event":
        card = part_at(event, "template_card_event")
        items = part_at(card, "selected_items").get("selected_item") or []
        picked: list[str] = []
        for item in items if isinstance(items, list) else []:
            ids = part_at(part_at({"i": item}, "i"), "option_ids").get("option_id") or []
            picked.extend(str(i) for i in (ids if isinstance(ids, list) else [ids]))
        press = pressed(text_at(card, "event_key"), tuple(picked), "")
        if press is None:
            return None, ""
        return InboundEvent(kind=EventKind.PRESS, press=press, **base), ""
    return None, kind or "event"


def _said(plain: Mapping[str, Any], kind: str) -> tuple[str, tuple[Attachment, ...], str]:
    if kind == "text":
        return text_at(part_at(plain, "text"), "content"), (), "text"
    if kind == "voice":
        return text_at(part_at(plain, "voice"), "content"), (), "voice"
    if kind in _MEDIA:
        return "", (Attachment(_MEDIA[kind], _address(part_at(plain, kind))),), kind
    if kind == "mixed":
        items = part_at(plain, "mixed").get("msg_item")
        texts: list[str] = []
        pictures: list[Attachment] = []
        for item in items if isinstance(items, list) else []:
            if not isinstance(item, dict):
                continue
            if item.get("msgtype") == "text":
                texts.append(text_at(part_at(item, "text"), "content"))
            elif item.get("msgtype") == "image":
                where = _address(part_at(item, "image"))
                pictures.append(Attachment(AttachmentKind.IMAGE, where))
        return "\n".join(texts), tuple(pictures), "mixed"
    return "", (), ""


def _address(part: Mapping[str, Any]) -> str:
    return address(text_at(part, "url"), text_at(part, "aeskey"))


def _quote(plain: object) -> Quote | None:
    """What is quoted comes without an id: its text must lead to the ticket."""
    if not isinstance(plain, dict):
        return None
    text, _, _ = _said(plain, text_at(plain, "msgtype"))
    return Quote(text)


def without_names(text: str, names: Sequence[str]) -> str:
    """The text without the bot's @name wherever it stands, and without a leading unknown one."""
    for name in names:
        text = re.sub(rf"@{re.escape(name)}[ \u2005\u00a0]?", " ", text)
    return re.sub(r"^\s*@\S{1,20}[\s\u2005]+", "", text).strip()


# ---- in: app


def app_event(xml: bytes, wall: float) -> tuple[InboundEvent | None, str]:
    """The event of a decrypted app callback; raises Rejected for XML that is none or declares entities."""
    root = parsed(xml)
    kind = _child(root, "MsgType")
    user = _child(root, "FromUserName")
    if not kind or not user:
        raise Rejected(400, "not_understood")
    created = _child(root, "CreateTime")
    base: dict[str, Any] = {
        "platform": NAME,
        "at": datetime.fromtimestamp(int(created) if created.isdigit() else wall, UTC),
        "chat": ChatRef(NAME, user),
        "chat_kind": ChatKind.DIRECT,
        "sender": UserRef(NAME, user),
    }
    if kind == "event":
        return _app_happening(root, base, created)
    message_id = _child(root, "MsgId")
    if not message_id:
        raise Rejected(400, "not_understood")
    base["event_id"] = f"app-{message_id}"
    text = ""
    attachments: tuple[Attachment, ...] = ()
    if kind == "text":
        text = _child(root, "Content")
    elif kind in ("image", "video", "voice"):
        media = {"image": AttachmentKind.IMAGE, "video": AttachmentKind.VIDEO}
        attachments = (
            Attachment(media.get(kind, AttachmentKind.VOICE), f"{STORED}{_child(root, 'MediaId')}"),
        )
    elif kind == "location":
        text = _child(root, "Label")
        where = f"{_child(root, 'Location_X')},{_child(root, 'Location_Y')}"
        attachments = (Attachment(AttachmentKind.LOCATION, where, text),)
    elif kind == "link":
        text = _child(root, "Title")
        attachments = (Attachment(AttachmentKind.LINK, _child(root, "Url"), text),)
    else:
        return None, kind
    return (
        InboundEvent(
            kind=EventKind.MESSAGE, text=text, msg_type=kind, attachments=attachments, **base
        ),
        "",
    )


def kf_notice(xml: bytes) -> tuple[str, str] | None:
    """Account and token of a notice that customers wrote; None for any other callback."""
    root = parsed(xml)
    if _child(root, "Event") != "kf_msg_or_event":
        return None
    return _child(root, "OpenKfId"), _child(root, "Token")


def _app_happening(root: Any, base: dict[str, Any], created: str) -> tuple[Any, str]:
    kind = _child(root, "Event")
    key = _child(root, "EventKey")
    # Events carry no id of their own: sender, second and what happened make one.
    base["event_id"] = f"app-{base['sender'].id}-{created}-{kind}-{key}-{_child(root, 'TaskId')}"[
        :300
    ]
    if kind == "enter_agent":
        return InboundEvent(kind=EventKind.ENTER, **base), ""
    if kind in ("template_card_event", "template_card_menu_event"):
        picked = tuple(
            (option.text or "")
            for option in root.iterfind("SelectedItems/SelectedItem/OptionIds/OptionId")
        )
        code = _child(root, "ResponseCode")
        press = pressed(key, picked, code)
        if press is None:
            return None, ""
        token = f"code:{code}" if code else ""
        return InboundEvent(kind=EventKind.PRESS, press=press, reply_token=token, **base), ""
    return None, kind or "event"


def parsed(xml: bytes) -> Any:
    """The root of an XML document without DTD or entities; raises Rejected."""
    try:
        return fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise Rejected(400, "not_xml") from None


def _child(root: Any, name: str) -> str:
    return (root.findtext(name) or "").strip()


# ---- buttons: action and arguments in one key


def button_key(action: str, args: Mapping[str, str], card_key: str) -> str:
    key = f"{action}?{urlencode({**args, 'k': card_key})}"
    if len(key.encode()) > BUTTON_KEY_BYTES:
        raise ValueError("button key too long")
    return key


def pressed(key: str, picked: tuple[str, ...], card_ref: str) -> Pressed | None:
    """What a button's key says; None for a button that only shows something."""
    action, _, query = key.partition("?")
    if not action or action == NOOP:
        return None
    args = dict(parse_qsl(query, keep_blank_values=True))
    card_key = args.pop("k", "")
    return Pressed(action, args, picked, card_key, card_ref)


def task_id(card: Card, unique: int) -> str:
    """Unique per bot; digits, letters, _-@ only."""
    return _SAFE_TASK.sub("_", f"{card.key}@{card.revision}_{unique}")[:TASK_ID_BYTES]


# ---- out


# A text of the app makes links of tags.
_TAGS: Final = str.maketrans({"<": "＜", ">": "＞", "\u0000": ""})
_HOSTILE: Final = _TAGS | str.maketrans({"`": "'"})


def harmless(text: str) -> str:
    """Free text that can form no mention, tag, link or code in markdown."""
    return text.translate(_HOSTILE).replace("](", "］（").replace("**", "＊＊")


def markdown(content: Content, most: int) -> str:
    """The text form for a markdown field."""
    return cut(harmless(content.text), most)


def template_card(card: Card, unique: int, public_url: str = "") -> dict[str, Any] | None:
    """The card as WeCom shows it; None where it has no button and there is no page to open.

    text_notice must open something (42045), so without an address the text goes instead.
    """
    made: dict[str, Any] = {
        "card_type": "button_interaction",
        "source": {"desc": _source(card), "desc_color": _TONE_COLOURS[card.tone]},
        "main_title": {"title": card.title, "desc": card.status},
        "sub_title_text": card.lead,
        "horizontal_content_list": [
            {"keyname": row.label, "value": row.value}
            | ({"type": 1, "url": row.href} if row.href else {})
            for row in card.rows
        ],
        "task_id": task_id(card, unique),
    }
    target = card.href or public_url
    if not card.buttons:
        if not target:
            return None
        made["card_type"] = "text_notice"
        made["card_action"] = {"type": 1, "url": target}
        return made
    if card.choice is not None:
        made["button_selection"] = {
            "question_key": card.choice.name,
            "title": card.choice.prompt,
            "option_list": [{"id": o.id, "text": o.text[:10]} for o in card.choice.options],
        }
    made["button_list"] = [
        {"text": b.label, "style": _STYLES[b.style], "type": 1, "url": b.do.url}
        if isinstance(b.do, Open)
        else {
            "text": b.label,
            "style": _STYLES[b.style],
            "key": button_key(b.do.action, b.do.args, card.key),
        }
        for b in card.buttons
    ]
    if card.href:
        made["card_action"] = {"type": 1, "url": card.href}
    return made


def _source(card: Card) -> str:
    return card.note[:13]


def spent_card(card: Card, unique: int) -> dict[str, Any]:
    """The card with nothing left to press: buttons cannot be disabled, so one grey one says why."""
    made = template_card(card, unique, "https://work.weixin.qq.com")
    assert made is not None
    made["card_type"] = "button_interaction"
    made.pop("card_action", None)
    made["button_list"] = [{"text": card.status or card.title[:6], "style": 4, "key": NOOP}]
    return made


def updated_card(card: Card, unique: int) -> dict[str, Any]:
    made = template_card(card, unique)
    return spent_card(card, unique) if made is None else made


def robot_message(content: Content) -> dict[str, Any]:
    """What a group robot says: text where somebody is mentioned, else markdown."""
    if content.mentions:
        return {
            "msgtype": "text",
            "text": {
                "content": cut(content.text, ROBOT_TEXT_BYTES),
                "mentioned_list": [m.user.id for m in content.mentions],
            },
        }
    return {"msgtype": "markdown", "markdown": {"content": markdown(content, ROBOT_MARKDOWN_BYTES)}}


def media(kind: str, media_id: str) -> dict[str, Any]:
    """A picture or a file that was brought there."""
    return {"msgtype": kind, kind: {"media_id": media_id}}


def app_parts(content: Content) -> int:
    return len(pieces(content.text, APP_TEXT_BYTES))


def app_message(delivery: Delivery, agent_id: int) -> dict[str, Any]:
    """What each message of the self-built app begins with; the same one again is not shown twice."""
    return {
        "touser": delivery.to.chat.id,
        "agentid": agent_id,
        "enable_duplicate_check": 1,
        # WeCom compares whole requests: the same words said again later must not look like a repeat.
        "duplicate_check_interval": 1800 + delivery.id % 1800,
    }


def app_messages(delivery: Delivery, agent_id: int, public_url: str) -> list[dict[str, Any]]:
    """A 1:1 message of the self-built app; a long text is told in several."""
    content = delivery.content
    message = app_message(delivery, agent_id)
    card = None
    if content.card is not None:
        card = template_card(content.card, delivery.id, public_url)
    if card is not None:
        return [message | {"msgtype": "template_card", "template_card": card}]
    return [
        message | {"msgtype": "text", "text": {"content": piece}}
        for piece in pieces(content.text.translate(_TAGS), APP_TEXT_BYTES)
    ]
