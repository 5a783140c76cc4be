"""DingTalk: the bot of an internal application hears by Stream mode or by HTTP, and speaks in
groups and single chats."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from bot.client import Client, is_secure, until_taken
from bot.envelope import BadEnvelope, Envelope, same
from bot.payload import json_object, part_at, text_at
from bot.platform import (
    Answered,
    Body,
    Capabilities,
    ConfigError,
    Decoded,
    Fetched,
    HttpAnswer,
    Limit,
    Line,
    Outcome,
    Permanent,
    Platform,
    Probe,
    RawRequest,
    Receipt,
    Rejected,
    Say,
    Section,
    SendError,
    Setting,
)
from bot.platforms.dingtalk import api, cards, codec, words
from bot.platforms.dingtalk.crypto import card_secret, card_sign, robot_sign
from bot.platforms.dingtalk.errors import cure
from bot.platforms.dingtalk.files import Files
from bot.platforms.dingtalk.line import CLICKS, EVENT, MESSAGES, StreamLine
from handlers.chat.events import Attachment, InboundEvent
from handlers.chat.outbound import Address, Delivery, Enclosure

_log = logging.getLogger("bot.dingtalk")

TITLE: Final = "钉钉"
# Its place where the platforms are named one after another.
PLACE: Final = 3
SETTINGS: Final = (
    Setting("DINGTALK_CLIENT_ID", "钉钉 Client ID（原 AppKey）：开发者后台「凭证与基础信息」"),
    Setting(
        "DINGTALK_CLIENT_SECRET",
        "钉钉 Client Secret（原 AppSecret）：开发者后台「凭证与基础信息」",
        secret=True,
    ),
    Setting(
        "DINGTALK_ROBOT_CODE",
        "钉钉机器人编码 RobotCode：开发者后台「机器人」；和 Client ID 相同时留空",
    ),
    Setting("DINGTALK_CORP_ID", "钉钉企业 CorpId：开发者后台首页；填了就只收本企业的消息，可留空"),
    Setting(
        "DINGTALK_STREAM",
        "钉钉收消息的方式：1 用 Stream 长连接（不用开放外网），0 用 HTTP 回调",
        default="1",
    ),
    Setting(
        "DINGTALK_EVENT_TOKEN",
        "钉钉事件签名 token：开发者后台「事件订阅」选 HTTP 推送时才有",
        secret=True,
    ),
    Setting(
        "DINGTALK_EVENT_AES_KEY",
        "钉钉事件加密 aes_key，43 位：开发者后台「事件订阅」选 HTTP 推送时才有",
        secret=True,
    ),
    Setting(
        "DINGTALK_CARD_TEMPLATE_ID",
        "钉钉卡片模板 ID：卡片平台「模板列表」；不改就用钉钉公开的文字按钮模板，0 只发文字",
        default=cards.VENDOR_TEMPLATE,
    ),
    Setting(
        "DINGTALK_API_BASE",
        "钉钉接口地址，国际版改为 https://api.dingtalk.io",
        default="https://api.dingtalk.com",
    ),
    Setting(
        "DINGTALK_OAPI_BASE",
        "钉钉旧版接口地址，通知的附件传到它，回复和群机器人只发往它和官方地址；国际版改为 https://oapi.dingtalk.io",
        default="https://oapi.dingtalk.com",
    ),
)
_NEEDED: Final = ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET")
_EVENT_KEYS: Final = ("DINGTALK_EVENT_TOKEN", "DINGTALK_EVENT_AES_KEY")
# The signs of messages and clicks say only when they were made.
_AGE_MILLISECONDS: Final = 3_600_000
_MOST_BODY: Final = 64 * 1024
_ROUTE_KEY: Final = "lhg"
# In place of a template's id.
_NO_CARDS: Final = "0"
# The vendor answers within 3 seconds or gives up.
_CALL_SECONDS: Final = 5.0


_HEARD: Final = HttpAnswer()
_OLD_CARD: Final = "这张卡片已失效，请直接打字告诉我"


class DingTalk:
    name = codec.NAME
    # The vendor's page names it for single chats (batch-message-recall-chat) and nothing for groups.
    recall_seconds = 24 * 3600.0

    def __init__(
        self,
        me: codec.Me,
        app_secret: str,
        api_secret: str,
        events: Envelope | None,
        calls: api.Api,
        client: Client,
        line_of: Callable[["DingTalk"], StreamLine | None],
        cards_url: str,
        has_cards: bool,
    ) -> None:
        self._me = me
        self._app_secret, self._api_secret = app_secret, api_secret
        self._events = events
        self._api = calls
        self._files = Files(calls)
        self._client = client
        self._line = line_of(self)
        self._cards_url = cards_url
        self._registering: asyncio.Task[None] | None = None
        # They stand open beside the long connection too: what comes twice is known by its id.
        self.hooks: tuple[str, ...] = ("", "card") if events is None else ("", "card", "event")
        self.lines: tuple[Line, ...] = () if self._line is None else (self._line,)
        self.can = Capabilities(
            callback_buttons=has_cards,
            update_cards=has_cards,
            mentions=True,
            group_push=True,
            direct=True,
            max_text_bytes=words.TEXT_BYTES,
            budget_seconds=1.2,
        )

    async def start(self) -> None:
        """Say where clicks are to go; over the long connection nothing need be said."""
        if self._cards_url:
            self._registering = asyncio.create_task(
                until_taken(self._register, self._not_registered), name="dingtalk.cards"
            )

    async def _register(self) -> None:
        await self._api.register_cards(self._cards_url, self._api_secret)

    def _not_registered(self, error: SendError) -> None:
        told = {"code": error.code, "cure": cure(error.code)}
        _log.warning("dingtalk.cards_not_registered", extra=told)

    def cure(self, code: str) -> str:
        return cure(code)

    async def probe(self) -> list[Probe]:
        found = [await self._tried("钉钉凭证", self._api.token())]
        if self._line is not None:
            found.append(await self._tried("钉钉长连接", self._line.reachable()))
        return found

    async def _tried(self, what: str, trying: Awaitable[object]) -> Probe:
        try:
            await trying
        except SendError as error:
            told, ahead = cure(error.code), self._client.ahead
            return Probe.failed(what, error, told, "DINGTALK_API_BASE", ahead)
        return Probe(what, "", self._client.ahead)

    # ---- in

    def decode(self, request: RawRequest) -> Decoded:
        if request.method != "POST":
            raise Rejected(405, "method")
        if len(request.body) > _MOST_BODY:
            raise Rejected(413, "too_large")
        if request.hook == "event":
            return self._event(request)
        if request.hook == "card":
            at = self._signed(
                request, "x-ddpaas-signature-timestamp", "x-ddpaas-signature", self._card_sign
            )
            plain = json_object(request.body)
            return self._click(plain, codec.click_id(plain, at), request.wall, HttpAnswer.of_json)
        self._signed(request, "timestamp", "sign", self._message_sign)
        # The message is brought once only; asked to wait, the platform would drop it.
        return self._message(json_object(request.body), request.wall, _HEARD, late=_HEARD)

    def _message_sign(self, timestamp: str) -> str:
        return robot_sign(self._app_secret, timestamp)

    def _card_sign(self, timestamp: str) -> str:
        return card_sign(self._api_secret, timestamp)

    def decode_frame(self, frame: Mapping[str, Any], wall: float) -> Decoded:
        """What the long connection brought; raises Rejected."""
        headers = part_at(frame, "headers")
        topic = text_at(headers, "topic")
        data = text_at(frame, "data")
        plain = json_object(data)
        if text_at(frame, "type") == EVENT:
            kind, event_id = text_at(headers, "eventType"), text_at(headers, "eventId")
            corp_id = text_at(headers, "eventCorpId")
            event, unsupported = codec.happening(
                kind,
                event_id[:200] or codec.event_id(plain, data.encode()),
                plain,
                corp_id,
                self._me,
                wall,
            )
            return Decoded(
                _one(event), HttpAnswer.of_json({"status": "SUCCESS"}), None, unsupported
            )
        if topic == MESSAGES:
            return self._message(plain, wall, _response(None))
        if topic == CLICKS:
            when = text_at(headers, "messageId") or text_at(headers, "time")
            return self._click(plain, codec.click_id(plain, when), wall, _response)
        raise Rejected(400, "unknown_topic")

    def _signed(self, request: RawRequest, when: str, what: str, sign: Callable[[str], str]) -> str:
        """The time in the signature; raises Rejected for one that does not hold or is too old."""
        timestamp = request.headers.get(when, "")
        if not timestamp or not same(sign(timestamp), request.headers.get(what)):
            raise Rejected(403, "signature")
        if not re.fullmatch(r"[0-9]{1,16}", timestamp):
            raise Rejected(403, "too_old")
        if abs(request.wall * 1000 - int(timestamp)) > _AGE_MILLISECONDS:
            raise Rejected(403, "too_old")
        return timestamp

    def _message(
        self, plain: dict[str, Any], wall: float, ack: HttpAnswer, late: HttpAnswer | None = None
    ) -> Decoded:
        event, unsupported = codec.message(plain, self._me, wall)
        if (session := codec.session(plain)) is not None:
            self._api.remember_session(session.chat, session.url, session.until)
        return Decoded(_one(event), ack, None, unsupported, late)

    def _click(
        self,
        plain: dict[str, Any],
        click_id: str,
        wall: float,
        wrapped: Callable[[object], HttpAnswer],
    ) -> Decoded:
        event, unsupported = codec.click(plain, click_id, self._me, wall)
        vendor = self._api.vendor_template
        if event is None:
            return Decoded((), wrapped(cards.answer(_OLD_CARD, vendor=vendor)), None, unsupported)
        pressed = event

        def answer(outcome: Outcome) -> Answered:
            return self._answer(pressed, outcome, wrapped)

        # A click is not brought again, and what is said to one person only stays on the card.
        return Decoded((event,), wrapped(cards.answer(vendor=vendor)), answer, late=wrapped({}))

    def _answer(
        self,
        event: InboundEvent,
        outcome: Outcome,
        wrapped: Callable[[object], HttpAnswer],
    ) -> Answered:
        """The card as it is now for everybody, and a few words for whoever pressed."""
        vendor = self._api.vendor_template
        for delivery in outcome.deliveries:
            if delivery.to.chat == event.chat and delivery.content.card is not None:
                body = cards.answer(outcome.toast, delivery, vendor)
                if "cardData" in body:
                    return Answered(wrapped(body), frozenset({delivery.id}))
        return Answered(wrapped(cards.answer(outcome.toast, vendor=vendor)))

    def _event(self, request: RawRequest) -> Decoded:
        envelope, query = self._events, request.query
        if envelope is None:
            raise Rejected(404, "no_hook")
        signature = query.get("msg_signature") or query.get("signature") or ""
        timestamp = query.get("timestamp") or query.get("timeStamp") or ""
        nonce = query.get("nonce", "")
        encrypted = json_object(request.body).get("encrypt")
        if not (signature and timestamp and nonce):
            raise Rejected(403, "signature")
        if not isinstance(encrypted, str) or not encrypted:
            raise Rejected(400, "not_understood")
        try:
            opened = envelope.open(signature, timestamp, nonce, encrypted)
        except BadEnvelope as error:
            raise Rejected(403 if error.stage == "signature" else 400, error.stage) from None
        plain = json_object(opened)
        ack = _sealed(envelope, nonce, request.wall)
        kind = text_at(plain, "EventType")
        if kind == "check_url":
            return Decoded((), ack)
        event, unsupported = codec.happening(
            kind,
            codec.event_id(plain, opened),
            plain,
            text_at(plain, "CorpId"),
            self._me,
            request.wall,
        )
        return Decoded(_one(event), ack, None, unsupported)

    # ---- out

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return self._api.limits(to)

    def lane(self, delivery: Delivery) -> str:
        return f"{delivery.to.kind}:{delivery.to.chat.id}"

    def parts(self, delivery: Delivery) -> int:
        return self._api.parts(delivery)

    async def send(self, delivery: Delivery) -> Receipt:
        return await self._api.send(delivery)

    def takes(self, to: Address, file: Enclosure) -> bool:
        return self._files.takes(to, file)

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        return await self._files.attach(delivery, file, body)

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        await self._api.recall(to, refs)

    async def fetch(self, attachment: Attachment) -> Fetched:
        code = codec.media_of(attachment.url)
        if code is None:
            raise Permanent("not_ours")
        return await self._api.fetch(code)

    async def close(self) -> None:
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
            self._registering = None
        await self._files.close()
        await self._client.close()


def _one(event: InboundEvent | None) -> tuple[InboundEvent, ...]:
    return () if event is None else (event,)


def _response(plain: object) -> HttpAnswer:
    """An answer as a frame's data holds it."""
    return HttpAnswer.of_json({"response": plain})


def _sealed(envelope: Envelope, nonce: str, wall: float) -> HttpAnswer:
    """The one word that an event is acknowledged with, sealed."""
    timestamp = str(int(wall * 1000))
    encrypted = envelope.seal(b"success")
    return HttpAnswer.of_json(
        {
            "msg_signature": envelope.signature(timestamp, nonce, encrypted),
            "timeStamp": timestamp,
            "nonce": nonce,
            "encrypt": encrypted,
        }
    )


def build(section: Section) -> Platform | None:
    """None while nothing of the application is set; raises ConfigError that names what is wrong."""
    given = (*_NEEDED, "DINGTALK_ROBOT_CODE", *_EVENT_KEYS)
    if not any(section.get(key) for key in given):
        return None
    if problems := list(_problems(section)):
        raise ConfigError(problems)
    client_id, secret = section.get("DINGTALK_CLIENT_ID"), section.get("DINGTALK_CLIENT_SECRET")
    robot_code = section.get("DINGTALK_ROBOT_CODE") or client_id
    template = section.get("DINGTALK_CARD_TEMPLATE_ID")
    template = "" if template == _NO_CARDS else template
    base = section.get("DINGTALK_API_BASE")
    streams = section.get("DINGTALK_STREAM") == "1"
    client = Client(_CALL_SECONDS)
    calls = api.Api(
        client,
        base,
        section.get("DINGTALK_OAPI_BASE"),
        client_id,
        secret,
        robot_code,
        template,
        "STREAM" if streams else "HTTP",
        _ROUTE_KEY,
    )
    public = section.public_url.rstrip("/")
    by_http = bool(public and template and not streams)

    def line_of(dingtalk: DingTalk) -> StreamLine | None:
        if not streams:
            return None
        return StreamLine(base, client_id, secret, dingtalk.decode_frame, client)

    return DingTalk(
        codec.Me(section.bot_names, robot_code, section.get("DINGTALK_CORP_ID")),
        secret,
        card_secret(secret),
        _envelope(section),
        calls,
        client,
        line_of,
        f"{public}/hooks/{codec.NAME}/card" if by_http else "",
        bool(template),
    )


def _problems(section: Section) -> Iterator[str]:
    some_events = any(section.get(key) for key in _EVENT_KEYS)
    for setting in SETTINGS:
        needed = setting.key in _NEEDED or (some_events and setting.key in _EVENT_KEYS)
        if needed and not section.get(setting.key):
            yield f"缺少 {setting.key}，{setting.why}。"
        if setting.key.endswith("_BASE") and not is_secure(section.get(setting.key)):
            yield f"{setting.key} 请写 https 开头的地址，一般不用改。"
    if section.get("DINGTALK_STREAM") not in ("0", "1"):
        yield "DINGTALK_STREAM 请写 1（Stream 长连接）或 0（HTTP 回调）。"
    try:
        _envelope(section)
    except ValueError:
        yield "DINGTALK_EVENT_AES_KEY 应是 43 位，请到开发者后台「事件订阅」重新复制。"


def _envelope(section: Section) -> Envelope | None:
    """None where events do not come by HTTP; raises ValueError for a key that is none."""
    token, key = (section.get(one) for one in _EVENT_KEYS)
    return Envelope(token, key, section.get("DINGTALK_CLIENT_ID")) if token and key else None
