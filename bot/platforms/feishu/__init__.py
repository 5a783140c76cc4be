"""Feishu: a self-built application hears groups and single chats, by callback or by a long
connection, and speaks in both."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bot.client import Client, is_secure, until_taken, within
from bot.envelope import BadEnvelope, same
from bot.payload import json_object
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
    robot_key,
)
from bot.platforms.feishu import api, codec, errors, line
from bot.platforms.feishu.crypto import Envelope
from bot.platforms.feishu.line import LongConnection
from handlers.chat.events import Attachment, EventKind, InboundEvent
from handlers.chat.outbound import Address, Delivery, Enclosure

_log = logging.getLogger("bot.platforms.feishu")

TITLE: Final = "飞书"
# Its place where the platforms are named one after another.
PLACE: Final = 2
SETTINGS: Final = (
    Setting("FEISHU_APP_ID", "飞书 App ID：开发者后台「凭证与基础信息」，cli_ 开头"),
    Setting("FEISHU_APP_SECRET", "飞书 App Secret：开发者后台「凭证与基础信息」", secret=True),
    Setting(
        "FEISHU_LONG_CONNECTION",
        "飞书收消息的方式：1 用长连接（不用开放外网），0 用回调",
        default="0",
    ),
    Setting(
        "FEISHU_VERIFICATION_TOKEN",
        "飞书 Verification Token：开发者后台「事件与回调」的「加密策略」，用长连接时不填",
        secret=True,
    ),
    Setting(
        "FEISHU_ENCRYPT_KEY",
        "飞书 Encrypt Key：开发者后台「事件与回调」的「加密策略」，用回调时必须设置，用长连接时不填",
        secret=True,
    ),
    Setting(
        "FEISHU_API_BASE",
        "飞书接口地址，国际版改为 https://open.larksuite.com",
        default="https://open.feishu.cn",
    ),
)
_SWITCH: Final = "FEISHU_LONG_CONNECTION"
_APP: Final = ("FEISHU_APP_ID", "FEISHU_APP_SECRET")
_OF_CALLBACKS: Final = ("FEISHU_VERIFICATION_TOKEN", "FEISHU_ENCRYPT_KEY")
# A failed event comes again up to 7.1 hours later, perhaps with the old time in its header.
_AGE_SECONDS: Final = 8 * 3600.0
# An unsigned body is only ever the address check.
_CHALLENGE_BYTES: Final = 4096
# Below what the dispatcher waits; the uuid makes a repeat harmless.
_SEND_SECONDS: Final = 12.0


_HEARD: Final = HttpAnswer.of_json({})
_RECEIVED: Final = HttpAnswer.of_json(codec.toast("已收到"))
_WORKING: Final = HttpAnswer.of_json(codec.toast("正在处理，请稍候"))
_OLD_CARD: Final = HttpAnswer.of_json(codec.toast("这张卡片已失效，请直接打字告诉我", "warning"))


class Feishu:
    name = codec.NAME
    recall_seconds = 24 * 3600.0
    can = Capabilities(
        callback_buttons=True,
        update_cards=True,
        mentions=True,
        group_push=True,
        direct=True,
        max_text_bytes=codec.TEXT_BYTES,
        budget_seconds=2.2,
    )

    def __init__(
        self,
        app_id: str,
        token: str,
        envelope: Envelope | None,
        calls: api.Api,
        client: Client,
        names: tuple[str, ...],
        line_of: Callable[["Feishu"], LongConnection | None] = lambda _: None,
    ) -> None:
        """Without an `envelope` nothing is heard by callback."""
        self._app_id, self._token = app_id, token
        self._envelope = envelope
        self._line = line_of(self)
        self.hooks: tuple[str, ...] = () if envelope is None else ("", "card")
        self.lines: tuple[Line, ...] = () if self._line is None else (self._line,)
        self._api = calls
        self._client = client
        self._me = codec.Me(names)
        self._asking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask who we are, so that a mention of another bot is not taken for ours."""
        self._asking = asyncio.create_task(
            until_taken(self._ask_who, self._not_known), name="feishu.who"
        )

    async def _ask_who(self) -> None:
        self._me = codec.Me(self._me.names, await self._api.open_id())

    def _not_known(self, error: SendError) -> None:
        _log.warning(
            "feishu.not_known", extra={"code": error.code, "cure": errors.cure(error.code)}
        )

    def cure(self, code: str) -> str:
        return line.cure(code)

    async def probe(self) -> list[Probe]:
        found = await self._probed()
        if self._line is not None:
            try:
                await self._line.reachable()
            except SendError as error:
                unknown = line.UNKNOWN if isinstance(error, Permanent) else ""
                found.append(self._failed("飞书长连接", error, unknown))
            else:
                found.append(Probe("飞书长连接", "", self._client.ahead))
        return found

    async def _probed(self) -> list[Probe]:
        try:
            open_id = await self._api.open_id()
        except SendError as error:
            return [self._failed("飞书凭证", error)]
        credentials = Probe("飞书凭证", "", self._client.ahead)
        if not open_id:
            return [credentials, Probe("飞书机器人", errors.TROUBLES[230006].cure)]
        return [credentials, Probe("飞书机器人")]

    def _failed(self, name: str, error: SendError, unknown: str = "") -> Probe:
        told = self.cure(error.code) or unknown
        return Probe.failed(name, error, told, "FEISHU_API_BASE", self._client.ahead)

    # ---- in

    def decode(self, request: RawRequest) -> Decoded:
        if request.method != "POST":
            raise Rejected(405, "method")
        envelope = self._envelope
        if envelope is None:
            raise Rejected(404, "no_hook")
        signed = self._signed(envelope, request)
        if not signed and len(request.body) > _CHALLENGE_BYTES:
            raise Rejected(403, "signature")
        encrypted = json_object(request.body).get("encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise Rejected(400 if signed else 403, "not_encrypted")
        try:
            plain = json_object(envelope.open(encrypted))
        except BadEnvelope as error:
            raise Rejected(400, error.stage) from None
        if plain.get("type") == "url_verification":
            return self._challenged(plain)
        if not signed:
            raise Rejected(403, "signature")
        return self._decoded(plain, request.wall)

    def decode_payload(self, payload: bytes, wall: float) -> Decoded:
        """What the long connection brought; raises Rejected.

        The secret at connecting stands for key and token.
        """
        return self._understood(json_object(payload), wall)

    def _signed(self, envelope: Envelope, request: RawRequest) -> bool:
        """Whether a signature is there; raises Rejected for one that does not hold or is too old."""
        headers = request.headers
        given = headers.get("X-Lark-Signature", "")
        timestamp = headers.get("X-Lark-Request-Timestamp", "")
        nonce = headers.get("X-Lark-Request-Nonce", "")
        if not (given and timestamp and nonce):
            return False
        if not envelope.holds(given, timestamp, nonce, request.body):
            raise Rejected(403, "signature")
        if not timestamp.isdecimal() or len(timestamp) > 12:
            raise Rejected(403, "too_old")
        if abs(request.wall - int(timestamp)) > _AGE_SECONDS:
            raise Rejected(403, "too_old")
        return True

    def _challenged(self, plain: dict[str, object]) -> Decoded:
        """The address check carries no signature: the key opened it, the token must be ours."""
        if not same(self._token, plain.get("token")):
            raise Rejected(403, "token")
        challenge = plain.get("challenge")
        if not isinstance(challenge, str):
            raise Rejected(400, "not_understood")
        return Decoded((), HttpAnswer.of_json({"challenge": challenge}))

    def _decoded(self, plain: dict[str, object], wall: float) -> Decoded:
        header = plain.get("header")
        known = header if isinstance(header, dict) else plain
        if not same(self._token, known.get("token")):
            raise Rejected(403, "token")
        if header is not None and not same(self._app_id, known.get("app_id")):
            raise Rejected(403, "app_id")
        return self._understood(plain, wall)

    def _understood(self, plain: dict[str, object], wall: float) -> Decoded:
        events, unsupported = codec.events(plain, self._me, wall)
        if not events:
            ack = _OLD_CARD if unsupported == "card_value" else _HEARD
            return Decoded((), ack, None, unsupported)
        pressed = events[0]
        if pressed.kind is not EventKind.PRESS:
            return Decoded(events, _HEARD)

        def answer(outcome: Outcome) -> Answered:
            return self._answer(pressed, outcome)

        # A click is never sent again: whoever pressed is told that it takes longer.
        return Decoded(events, _RECEIVED, answer, late=_WORKING)

    def _answer(self, event: InboundEvent, outcome: Outcome) -> Answered:
        """A few words to whoever pressed, and the card as it is now for everybody in the chat."""
        body: dict[str, object] = {}
        carried: frozenset[int] = frozenset()
        for delivery in outcome.deliveries:
            content = delivery.content
            if delivery.to.chat != event.chat or content.card is None:
                continue
            made = codec.card(content.card, delivery.to.kind, content.mentions)
            if made is not None:
                body = codec.replaced(made)
                carried = frozenset({delivery.id})
                break
        if outcome.toast:
            body |= codec.toast(outcome.toast, "success" if carried else "info")
        return Answered(HttpAnswer.of_json(body), carried)

    # ---- out

    def limits(self, to: Address) -> tuple[Limit, ...]:
        """5 a second to one person or group, 50 a second and 1,000 a minute by the application."""
        found = [
            Limit(f"{to.kind}:{to.chat.id}", 5, 1.0),
            Limit("app:second", 50, 1.0),
            Limit("app:minute", 1000, 60.0),
        ]
        if to.robot:
            found.append(Limit(robot_key(to.robot), 100, 60.0))
        return tuple(found)

    def lane(self, delivery: Delivery) -> str:
        return f"{delivery.to.kind}:{delivery.to.chat.id}"

    def parts(self, delivery: Delivery) -> int:
        return 1 if delivery.content.card else len(codec.texts(delivery.content))

    async def send(self, delivery: Delivery) -> Receipt:
        return await within(_SEND_SECONDS, self._api.send(delivery))

    def takes(self, to: Address, file: Enclosure) -> bool:
        return 0 < file.size <= api.FILE_BYTES

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        say = await self._api.attach(delivery, file, body)
        return lambda: within(_SEND_SECONDS, say())

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        for ref in refs:
            await self._api.recall(ref)

    async def fetch(self, attachment: Attachment) -> Fetched:
        found = codec.media_of(attachment.url)
        if found is None:
            raise Permanent("not_ours")
        return await self._api.fetch(*found)

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
            self._asking = None
        await self._api.close()
        await self._client.close()


def build(section: Section) -> Platform | None:
    """None while nothing is set; raises ConfigError that names what is missing."""
    by_line = section.get(_SWITCH) == "1"
    if not by_line and not any(section.get(key) for key in (*_APP, *_OF_CALLBACKS)):
        return None
    if problems := list(_problems(section, by_line)):
        raise ConfigError(problems)
    app_id, secret = section.get("FEISHU_APP_ID"), section.get("FEISHU_APP_SECRET")
    base = section.get("FEISHU_API_BASE")
    client = Client()

    def line_of(feishu: Feishu) -> LongConnection | None:
        if not by_line:
            return None
        return LongConnection(base, app_id, secret, feishu.decode_payload, client)

    return Feishu(
        app_id,
        section.get("FEISHU_VERIFICATION_TOKEN"),
        None if by_line else Envelope(section.get("FEISHU_ENCRYPT_KEY")),
        api.Api(client, base, app_id, secret),
        client,
        section.bot_names,
        line_of,
    )


def _problems(section: Section, by_line: bool) -> Iterator[str]:
    needed = _APP if by_line else (*_APP, *_OF_CALLBACKS)
    for setting in SETTINGS:
        if setting.key in needed and not section.get(setting.key):
            yield f"缺少 {setting.key}，{setting.why}。"
    if section.get(_SWITCH) not in ("0", "1"):
        yield "FEISHU_LONG_CONNECTION 请写 1（长连接）或 0（回调）。"
    app_id = section.get("FEISHU_APP_ID")
    if app_id and not app_id.startswith("cli_"):
        yield "FEISHU_APP_ID 应以 cli_ 开头，请到开发者后台「凭证与基础信息」复制 App ID。"
    if not is_secure(section.get("FEISHU_API_BASE")):
        yield "FEISHU_API_BASE 请写 https 开头的地址，一般不用改。"
