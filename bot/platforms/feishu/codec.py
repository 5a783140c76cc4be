"""Feishu's events, texts and cards <-> neutral events and messages; pure, with the limits inside."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bot.payload import json_object, part_at, pieces, text_at, web_address
from bot.platform import Rejected, json_text
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
from handlers.chat.outbound import Button, Card, Choice, Content, Mention, Open, Row, Style, Tone

NAME: Final = "feishu"
# The whole request counts, in which the card is JSON text once more; some of it is the address.
CARD_BYTES: Final = 30_000 - 500
# The platform takes 150 KB with every escape; a text of this size stays below however it is written.
TEXT_BYTES: Final = 30_000
TOAST_CHARACTERS: Final = 60
MEDIA: Final = "feishu:"
# Beside the arguments in a button's value.
_ACT, _CARD, _CHAT = "act", "_card", "_chat"
_DIRECT: Final = "direct"
_TEMPLATES: Final = {
    Tone.INFO: "blue",
    Tone.GOOD: "green",
    Tone.WARN: "orange",
    Tone.URGENT: "red",
    Tone.QUIET: "grey",
}
_TAGS: Final = {
    Tone.INFO: "blue",
    Tone.GOOD: "green",
    Tone.WARN: "orange",
    Tone.URGENT: "red",
    Tone.QUIET: "neutral",
}
_TYPES: Final = {Style.MAIN: "primary", Style.PLAIN: "default", Style.DANGER: "danger"}
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,100}")
# Of what was read at one look; nobody has more of the bot's messages unread.
_MOST_READ: Final = 100
_NAME: Final = re.compile(r"[^0-9A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is in Feishu; its open_id is empty until the platform has told it."""

    names: tuple[str, ...] = ()
    open_id: str = ""


# ---- in


def events(plain: Mapping[str, Any], me: Me, wall: float) -> tuple[tuple[InboundEvent, ...], str]:
    """The events of an opened body, and the kind where it is one we do not handle."""
    if plain.get("schema") != "2.0":
        return (), "schema_1"
    header, body = part_at(plain, "header"), part_at(plain, "event")
    kind, event_id = text_at(header, "event_type"), text_at(header, "event_id")
    if not kind or not event_id or len(event_id) > 200:
        raise Rejected(400, "not_understood")
    at = instant(text_at(header, "create_time"), wall)
    if kind == "im.message.message_read_v1":
        found = tuple(_read(body, at))
        return found, "" if found else kind
    one, unsupported = _event(kind, body, event_id, me, at)
    return () if one is None else (one,), unsupported


def _event(
    kind: str, body: Mapping[str, Any], event_id: str, me: Me, at: datetime
) -> tuple[InboundEvent | None, str]:
    if kind == "im.message.receive_v1":
        return _message(body, me, at)
    if kind == "card.action.trigger":
        return _press(body, event_id, at)
    if kind == "im.chat.access_event.bot_p2p_chat_entered_v1":
        user = text_at(part_at(body, "operator_id"), "open_id")
        if not user:
            return None, kind
        # It comes each time the chat is opened; one id for ever greets once.
        return (
            InboundEvent(
                kind=EventKind.ENTER,
                event_id=f"enter-{user}",
                **_alone(user, at),
            ),
            "",
        )
    if kind == "im.chat.member.bot.added_v1":
        return _added(body, event_id, at)
    return None, kind


def _alone(user: str, at: datetime) -> dict[str, Any]:
    """A direct chat is known by its person: that is what we send to."""
    return {
        "platform": NAME,
        "at": at,
        "chat": ChatRef(NAME, user),
        "chat_kind": ChatKind.DIRECT,
        "sender": UserRef(NAME, user),
    }


def _grouped(chat: str, user: str, at: datetime) -> dict[str, Any]:
    return _alone(user, at) | {"chat": ChatRef(NAME, chat), "chat_kind": ChatKind.GROUP}


def _read(body: Mapping[str, Any], at: datetime) -> Iterator[InboundEvent]:
    """Somebody has read messages of the bot, in the single chat with it; each is told once for ever."""
    reader = part_at(body, "reader")
    user = text_at(part_at(reader, "reader_id"), "open_id")
    refs = body.get("message_id_list")
    if not user or not isinstance(refs, list):
        return
    for ref in list(dict.fromkeys(r for r in refs if isinstance(r, str)))[:_MOST_READ]:
        if _ID.fullmatch(ref):
            yield InboundEvent(
                kind=EventKind.READ,
                event_id=f"read-{ref}-{user}"[:200],
                quote=Quote("", ref),
                **_alone(user, at),
            )


def _added(body: Mapping[str, Any], event_id: str, at: datetime) -> tuple[InboundEvent | None, str]:
    """The bot was put into a group: the group is registered, whoever did it is greeted."""
    chat, user = text_at(body, "chat_id"), text_at(part_at(body, "operator_id"), "open_id")
    if not chat or not user:
        return None, "im.chat.member.bot.added_v1"
    title = text_at(body, "name")[:100]
    return (
        InboundEvent(
            kind=EventKind.ENTER, event_id=event_id, chat_title=title, **_grouped(chat, user, at)
        ),
        "",
    )


def _message(body: Mapping[str, Any], me: Me, at: datetime) -> tuple[InboundEvent | None, str]:
    sender, message = part_at(body, "sender"), part_at(body, "message")
    user = text_at(part_at(sender, "sender_id"), "open_id")
    message_id, chat = text_at(message, "message_id"), text_at(message, "chat_id")
    kind = text_at(message, "message_type")
    if not message_id or len(message_id) > 200 or not chat or not kind:
        raise Rejected(400, "not_understood")
    if not user:
        return None, f"{kind}_without_sender"
    try:
        content = json_object(text_at(message, "content"))
    except Rejected:
        return None, f"{kind}_not_json"
    mentions = _mentions(message)
    said = _said(kind, content, message_id, _Names(mentions, me))
    if said is None:
        return None, kind
    text, attachments, msg_type = said
    group = text_at(message, "chat_type") != "p2p"
    named = any(f"@{name}" in text for name in me.names)
    parent, root = text_at(message, "parent_id"), text_at(message, "root_id")
    return (
        InboundEvent(
            kind=EventKind.MESSAGE,
            # The platform asks for the message's own id as the key against repeats.
            event_id=message_id,
            text=text,
            msg_type=msg_type,
            mention_bot=named or any(_is_me(one, me) for one in mentions),
            quote=Quote("", parent or root, root if parent else "") if parent or root else None,
            attachments=attachments,
            # In a busy group an answer hangs under what it answers.
            reply_token=message_id if group else "",
            from_bot=text_at(sender, "sender_type") not in ("user", ""),
            **(_grouped(chat, user, at) if group else _alone(user, at)),
        ),
        "",
    )


def _mentions(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = message.get("mentions")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_me(mention: Mapping[str, Any], me: Me) -> bool:
    if me.open_id:
        return text_at(part_at(mention, "id"), "open_id") == me.open_id
    # Another bot may be meant; better to answer once too often than never.
    return text_at(mention, "mentioned_type") == "bot" or text_at(mention, "name") in me.names


class _Names:
    """Placeholders such as @_user_1 as people read them; the bot's own one is left out."""

    def __init__(self, mentions: Sequence[Mapping[str, Any]], me: Me) -> None:
        self._shown = {"@_all": "@所有人"}
        for one in mentions:
            if key := text_at(one, "key"):
                self._shown[key] = "" if _is_me(one, me) else f"@{text_at(one, 'name')}"

    def in_text(self, text: str) -> str:
        # @_user_1 is the beginning of @_user_10.
        for key in sorted(self._shown, key=len, reverse=True):
            text = text.replace(key, self._shown[key])
        return text

    def of(self, key: str, name: str) -> str:
        if key == "all":
            return self._shown["@_all"]
        return self._shown.get(key, f"@{name}" if name else "")


_Said = tuple[str, tuple[Attachment, ...], str]


def _said(kind: str, content: Mapping[str, Any], message_id: str, names: _Names) -> _Said | None:
    """Text, attachments and kind of a message; None for a kind that says nothing to us."""

    def file(what: AttachmentKind, key: str) -> tuple[Attachment, ...]:
        url = media_url(message_id, text_at(content, key), what)
        return (Attachment(what, url, text_at(content, "file_name")[:200]),)

    if kind == "text":
        return names.in_text(text_at(content, "text")).strip(), (), "text"
    if kind == "post":
        return _post(content, message_id, names)
    if kind == "image":
        return "", file(AttachmentKind.IMAGE, "image_key"), "image"
    if kind == "file":
        return "", file(AttachmentKind.FILE, "file_key"), "file"
    if kind == "audio":
        return "", file(AttachmentKind.VOICE, "file_key"), "voice"
    if kind == "media":
        return "", file(AttachmentKind.VIDEO, "file_key"), "video"
    if kind == "location":
        where = f"{text_at(content, 'latitude')},{text_at(content, 'longitude')}"
        name = text_at(content, "name")
        return name, (Attachment(AttachmentKind.LOCATION, where, name[:200]),), "location"
    return None


def _post(content: Mapping[str, Any], message_id: str, names: _Names) -> _Said:
    """A rich text: what it says line by line, and its pictures and videos."""
    lines: list[str] = [names.in_text(text_at(content, "title"))]
    attachments: list[Attachment] = []
    paragraphs = content.get("content")
    for paragraph in paragraphs if isinstance(paragraphs, list) else []:
        line = ""
        for piece in paragraph if isinstance(paragraph, list) else []:
            if not isinstance(piece, dict):
                continue
            tag = text_at(piece, "tag")
            if tag == "at":
                line += names.of(text_at(piece, "user_id"), text_at(piece, "user_name"))
            elif tag == "img":
                url = media_url(message_id, text_at(piece, "image_key"), AttachmentKind.IMAGE)
                attachments.append(Attachment(AttachmentKind.IMAGE, url))
            elif tag == "media":
                url = media_url(message_id, text_at(piece, "file_key"), AttachmentKind.VIDEO)
                attachments.append(Attachment(AttachmentKind.VIDEO, url))
            else:
                line += names.in_text(text_at(piece, "text"))
        lines.append(line.strip())
    text = "\n".join(line for line in lines if line)
    return text, tuple(attachments[:20]), "mixed" if attachments else "text"


def media_url(message_id: str, key: str, kind: AttachmentKind) -> str:
    """Where the attachment lies: a file is only given out together with its message."""
    return f"{MEDIA}{'image' if kind is AttachmentKind.IMAGE else 'file'}/{message_id}/{key}"


def media_of(url: str) -> tuple[str, str, str] | None:
    """Kind, message and key of what `media_url` made."""
    parts = url.removeprefix(MEDIA).split("/")
    if not url.startswith(MEDIA) or len(parts) != 3 or not all(_ID.fullmatch(p) for p in parts):
        return None
    return parts[0], parts[1], parts[2]


def _press(body: Mapping[str, Any], event_id: str, at: datetime) -> tuple[InboundEvent | None, str]:
    user = text_at(part_at(body, "operator"), "open_id")
    action, context = part_at(body, "action"), part_at(body, "context")
    value = action.get("value")
    if not isinstance(value, dict) or not user:
        # Cards of the old kind carry a text here.
        return None, "card_value"
    given = {str(k): _word(v) for k, v in value.items()}
    act, card_key, where = (given.pop(key, "") for key in (_ACT, _CARD, _CHAT))
    chat, message_id = text_at(context, "open_chat_id"), text_at(context, "open_message_id")
    if not act:
        return None, "card_value"
    alone = where == _DIRECT or not chat
    return (
        InboundEvent(
            kind=EventKind.PRESS,
            event_id=event_id,
            press=Pressed(act, given, tuple(_picked(action)), card_key, message_id),
            **(_alone(user, at) if alone else _grouped(chat, user, at)),
        ),
        "",
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _picked(action: Mapping[str, Any]) -> Iterator[str]:
    """What was chosen or typed: alone, or in the fields of a form in their order."""
    fields = [action.get("option"), action.get("options"), action.get("input_value")]
    if "checked" in action:
        fields.append(action["checked"])
    fields.extend(part_at(action, "form_value").values())
    for field in fields:
        for one in field if isinstance(field, list) else [field]:
            if one is not None and one != "":
                yield _word(one)


def instant(text: str, wall: float) -> datetime:
    """Milliseconds as Feishu writes them, microseconds on some clicks."""
    if text.isdigit() and 13 <= len(text) <= 16:
        return datetime.fromtimestamp(int(text) / 10 ** (len(text) - 10), UTC)
    return datetime.fromtimestamp(wall, UTC)


# ---- out: text


_HOSTILE: Final = str.maketrans({"<": "＜", ">": "＞", "\u0000": ""})
_MARKS: Final = str.maketrans(
    dict(zip("[]()*_~`#!|\\", "［］（）＊＿～'＃！｜＼", strict=True)) | {"\n": " "}
)


def harmless(text: str) -> str:
    """Free text that can form no mention, tag or link in a text message."""
    return text.translate(_HOSTILE).replace("](", "］（")


def _marked(text: str) -> str:
    """Free text as plain letters inside markdown."""
    return harmless(text).translate(_MARKS)


def texts(content: Content) -> list[str]:
    """The text form in parts of the platform's size; people to notify stand before it."""
    parts = pieces(harmless(content.text), TEXT_BYTES)
    called = "".join(_called(one) for one in content.mentions)
    return [called + parts[0], *parts[1:]] if called else parts


def _called(mention: Mention) -> str:
    name = harmless(mention.name)[:60]
    if mention.user.platform != NAME or not _ID.fullmatch(mention.user.id):
        return f"@{name} "
    return f'<at user_id="{mention.user.id}">{name}</at> '


# ---- out: cards


def card(shown: Card, kind: ChatKind, mentions: Sequence[Mention] = ()) -> dict[str, Any] | None:
    """The card in JSON 2.0; None where it outgrows what the platform takes."""
    header: dict[str, Any] = {
        "title": _plain(shown.title),
        "template": _TEMPLATES[shown.tone],
    }
    if shown.status:
        tag = {"tag": "text_tag", "text": _plain(shown.status), "color": _TAGS[shown.tone]}
        header["text_tag_list"] = [tag]
    made: dict[str, Any] = {
        "schema": "2.0",
        "config": {
            "update_multi": True,
            # A card shows what its own chat may know.
            "enable_forward": False,
            "summary": {"content": " ".join(filter(None, (shown.title, shown.status)))},
        },
        "header": header,
        "body": {"elements": list(_elements(shown, kind, mentions))},
    }
    if link := web_address(shown.href):
        made["card_link"] = {"url": link}
    return made if len(json_text(json_text(made)).encode()) <= CARD_BYTES else None


def _elements(shown: Card, kind: ChatKind, mentions: Sequence[Mention]) -> Iterator[dict[str, Any]]:
    called = " ".join(
        f"<at id={m.user.id}></at>"
        for m in mentions
        if m.user.platform == NAME and _ID.fullmatch(m.user.id)
    )
    if called:
        yield {"tag": "markdown", "content": called}
    if shown.lead:
        yield _line(shown.lead)
    for row in shown.rows:
        yield _row(row)
    buttons = list(enumerate(shown.buttons))
    if shown.choice is not None:
        submitting = [(n, b) for n, b in buttons if b.submits]
        buttons = [(n, b) for n, b in buttons if not b.submits]
        yield _form(shown, shown.choice, submitting, kind)
    if buttons:
        yield _beside([_button(shown, b, kind) for _, b in buttons])
    if shown.note:
        yield _line(shown.note, text_size="notation", text_color="grey")


def _plain(text: str) -> dict[str, Any]:
    return {"tag": "plain_text", "content": text.replace("\u0000", "")}


def _line(text: str, **look: str) -> dict[str, Any]:
    """Plain letters, so that no name can form a mention or a link."""
    return {"tag": "div", "text": _plain(text) | look}


def _row(row: Row) -> dict[str, Any]:
    value = _line(row.value)
    if link := web_address(row.href):
        value = {"tag": "markdown", "content": f"[{_marked(row.value)}]({link})"}
    return {
        "tag": "column_set",
        "flex_mode": "none",
        "columns": [
            _column([_line(row.label, text_color="grey")], width="weighted", weight=1),
            _column([value], width="weighted", weight=4),
        ],
    }


def _column(elements: list[dict[str, Any]], **look: Any) -> dict[str, Any]:
    return {"tag": "column", "elements": elements, **look}


def _beside(elements: list[dict[str, Any]]) -> dict[str, Any]:
    columns = [_column([one], width="auto") for one in elements]
    return {"tag": "column_set", "flex_mode": "flow", "columns": columns}


def _form(
    shown: Card, choice: Choice, submitting: list[tuple[int, Button]], kind: ChatKind
) -> dict[str, Any]:
    """Forms stand at the root of a card only, and each control in them has a name of its own."""
    select = {
        "tag": "multi_select_static" if choice.many else "select_static",
        "name": f"pick_{_NAME.sub('_', choice.name)[:20]}",
        "placeholder": _plain(choice.prompt),
        "required": True,
        "width": "fill",
        "options": [{"text": _plain(o.text), "value": o.id} for o in choice.options],
    }
    buttons = [
        _button(shown, b, kind) | {"form_action_type": "submit", "name": f"submit_{n}"}
        for n, b in submitting
    ]
    return {"tag": "form", "name": "choice", "elements": [select, _beside(buttons)]}


def _button(shown: Card, button: Button, kind: ChatKind) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tag": "button",
        "type": _TYPES[button.style],
        "text": _plain(button.label),
    }
    if isinstance(button.do, Open):
        made["behaviors"] = [{"type": "open_url", "default_url": button.do.url}]
    else:
        value = {
            **button.do.args,
            _ACT: button.do.action,
            _CARD: shown.key,
            _CHAT: _DIRECT if kind is ChatKind.DIRECT else "group",
        }
        made["behaviors"] = [{"type": "callback", "value": value}]
    if button.confirm:
        made["confirm"] = {"title": _plain("请确认"), "text": _plain(button.confirm)}
    return made


# ---- out: the answer to a click


def toast(text: str, kind: str = "info") -> dict[str, Any]:
    said = text.strip().split("\n", 1)[0]
    if len(said) > TOAST_CHARACTERS:
        said = said[: TOAST_CHARACTERS - 1] + "…"
    return {"toast": {"type": kind, "content": said}}


def replaced(shown: dict[str, Any]) -> dict[str, Any]:
    return {"card": {"type": "raw", "data": shown}}
