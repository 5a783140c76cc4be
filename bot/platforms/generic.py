"""A signed webhook both ways, for a bridge that the office runs itself (contract.md §7)."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from bot.client import Client, name_in, origin_of
from bot.payload import json_object, part_at, text_at
from bot.platform import (
    Answered,
    Capabilities,
    ConfigError,
    Decoded,
    Fetched,
    HttpAnswer,
    Limit,
    Outcome,
    Permanent,
    Platform,
    RawRequest,
    Receipt,
    Rejected,
    Section,
    Setting,
)
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
from handlers.chat.outbound import Address, Content, Delivery, card_to_plain

NAME: Final = "generic"
TITLE: Final = "自建的消息桥接（通用签名接口）"
SETTINGS: Final = (
    Setting("GENERIC_SECRET", "通用接口的签名密钥，双方一致，至少 16 位", secret=True),
    Setting("GENERIC_OUT_URL", "机器人主动发消息时投递到的地址"),
)
_AGE_SECONDS: Final = 300


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 over timestamp, a dot and the raw body."""
    stamp = timestamp.encode("utf-8", "replace")
    digest = hmac.new(secret.encode(), stamp + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


class Generic:
    name = NAME
    hooks: tuple[str, ...] = ("",)

    def __init__(self, secret: str, out_url: str, bot_names: tuple[str, ...]) -> None:
        self._secret = secret
        self._out_url = out_url
        self._names = bot_names
        self._client = Client()
        self.can = Capabilities(
            callback_buttons=True,
            update_cards=False,
            mentions=True,
            group_push=True,
            direct=bool(out_url),
            max_text_bytes=20_480,
            budget_seconds=4.0,
            refusals_are_read=True,
            repeats_known=True,
        )

    def decode(self, request: RawRequest) -> Decoded:
        if request.method != "POST":
            raise Rejected(405, "method")
        timestamp = request.headers.get("X-LHG-Timestamp", "")
        given = request.headers.get("X-LHG-Signature", "")
        expected = signature(self._secret, timestamp, request.body)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Rejected(403, "signature")
        if not timestamp.isdigit() or abs(request.wall - int(timestamp)) > _AGE_SECONDS:
            raise Rejected(403, "too_old")
        event, unsupported = self._event(request.body, request.wall)
        # The same signed bytes once more are a repeat, by their event id (docs/adr/0015).
        if event is None:
            return Decoded((), _accepted([]), None, unsupported)
        return Decoded((event,), _accepted([]), lambda outcome: _answered(event, outcome))

    def _event(self, body: bytes, wall: float) -> tuple[InboundEvent | None, str]:
        plain = json_object(body)
        event_id = text_at(plain, "event_id")
        sender, chat = part_at(plain, "sender"), part_at(plain, "chat")
        user, chat_id = text_at(sender, "id"), text_at(chat, "id")
        if not event_id or len(event_id) > 200 or not user or not chat_id:
            raise Rejected(422, "not_understood")
        kind = ChatKind.DIRECT if text_at(chat, "kind") == "direct" else ChatKind.GROUP
        base: dict[str, Any] = {
            "platform": NAME,
            "event_id": event_id,
            "at": _instant(text_at(plain, "at"), wall),
            # A direct chat is known by its person, whatever the bridge calls it.
            "chat": ChatRef(NAME, user if kind is ChatKind.DIRECT else chat_id),
            "chat_kind": kind,
            "chat_title": text_at(chat, "title")[:100],
            "sender": UserRef(NAME, user),
            "sender_name": text_at(sender, "name")[:60],
        }
        press = plain.get("press")
        if isinstance(press, dict):
            return self._press(press, base)
        read = plain.get("read")
        if isinstance(read, dict):
            ref = text_at(read, "message_ref")
            if not ref:
                return None, "read"
            return InboundEvent(kind=EventKind.READ, quote=Quote("", ref), **base), ""
        text = text_at(plain, "text")
        reply_to = plain.get("reply_to")
        quote = None
        if isinstance(reply_to, dict):
            quote = Quote(text_at(reply_to, "text"), text_at(reply_to, "message_ref"))
        elif isinstance(reply_to, str) and reply_to:
            quote = Quote("", reply_to)
        attachments = tuple(_attachments(plain.get("attachments")))
        if not text and not attachments:
            return None, "empty"
        mention = bool(plain.get("mention_bot")) or any(f"@{n}" in text for n in self._names)
        return (
            InboundEvent(
                kind=EventKind.MESSAGE,
                text=text,
                msg_type="text" if text else attachments[0].kind.value,
                mention_bot=mention,
                quote=quote,
                attachments=attachments,
                **base,
            ),
            "",
        )

    def _press(
        self, press: dict[str, Any], base: dict[str, Any]
    ) -> tuple[InboundEvent | None, str]:
        button = press.get("button")
        if not isinstance(button, dict) or not text_at(button, "press"):
            return None, "press"
        args = {str(k): str(v) for k, v in part_at(button, "args").items()}
        picked = press.get("picked")
        return (
            InboundEvent(
                kind=EventKind.PRESS,
                press=Pressed(
                    text_at(button, "press"),
                    args,
                    tuple(str(p) for p in picked) if isinstance(picked, list) else (),
                    text_at(press, "card_key"),
                    text_at(press, "message_ref"),
                ),
                **base,
            ),
            "",
        )

    # ---- out

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return ()

    def lane(self, delivery: Delivery) -> str:
        return f"{delivery.to.kind}:{delivery.to.chat.id}"

    async def send(self, delivery: Delivery) -> Receipt:
        if not self._out_url:
            raise Permanent("no_out_url")
        body = json.dumps(
            {
                "chat": {"id": delivery.to.chat.id, "kind": delivery.to.kind.value},
                "message_ref": f"out-{delivery.id}",
                **_said(delivery.content),
                "mentions": [{"id": m.user.id, "name": m.name} for m in delivery.content.mentions],
            },
            ensure_ascii=False,
        ).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-LHG-Timestamp": timestamp,
            "X-LHG-Signature": signature(self._secret, timestamp, body),
            # The far end can tell a repeat by this; that is why a repeat is harmless.
            "X-LHG-Delivery": str(delivery.id),
        }
        await self._client.send("POST", self._out_url, body=body, headers=headers, repeatable=True)
        return Receipt(f"out-{delivery.id}")

    async def fetch(self, attachment: Attachment) -> Fetched:
        """From the bridge's own address alone: whatever else it names is not asked."""
        origin = origin_of(attachment.url)
        if origin is None or origin != origin_of(self._out_url):
            raise Permanent("not_ours")
        answer = await self._client.download(attachment.url)
        return Fetched(answer.body, name_in(answer.headers))

    async def close(self) -> None:
        await self._client.close()


def _said(content: Content) -> dict[str, Any]:
    card = None if content.card is None else card_to_plain(content.card)
    return {"text": content.text, "card": card, "kind": content.kind.value}


def _accepted(replies: list[dict[str, Any]]) -> HttpAnswer:
    return HttpAnswer.of_json({"accepted": True, "replies": replies})


def _answered(event: InboundEvent, outcome: Outcome) -> Answered:
    here = [d for d in outcome.deliveries if d.to.chat == event.chat]
    replies = [{**_said(d.content), "message_ref": f"out-{d.id}"} for d in here]
    if not replies and outcome.toast:
        replies = [{"text": outcome.toast, "card": None, "kind": "answer"}]
    return Answered(_accepted(replies), frozenset(d.id for d in here))


def _instant(text: str, wall: float) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(wall, UTC)
    return at.astimezone(UTC) if at.tzinfo else datetime.fromtimestamp(wall, UTC)


def _attachments(given: Any) -> list[Attachment]:
    found = []
    kinds = {k.value: k for k in AttachmentKind}
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict):
            kind = kinds.get(text_at(one, "type"), AttachmentKind.FILE)
            found.append(Attachment(kind, text_at(one, "url")[:2000], text_at(one, "name")[:200]))
    return found[:20]


def build(section: Section) -> Platform | None:
    secret, out_url = section.get("GENERIC_SECRET"), section.get("GENERIC_OUT_URL")
    if not secret and not out_url:
        return None
    problems = []
    if not secret:
        problems.append("通用接口缺少 GENERIC_SECRET，请写一串至少 16 位的随机字符，双方一致。")
    elif len(secret) < 16:
        problems.append("GENERIC_SECRET 太短，请至少写 16 位。")
    if out_url and urlsplit(out_url).scheme not in ("http", "https"):
        problems.append("GENERIC_OUT_URL 请写 http 或 https 开头的完整地址。")
    if problems:
        raise ConfigError(problems)
    return Generic(secret, out_url, section.bot_names)
