"""WeCom: the aibot hears groups, by callback or by its long connection; the self-built app, group
robots and the long connection speak."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from bot.client import Client
from bot.envelope import BadEnvelope, Envelope
from bot.payload import cut, json_object
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
    Notes,
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
    Unreachable,
    json_text,
    robot_key,
)
from bot.platforms.wecom import api, codec, errors
from bot.platforms.wecom.files import Files
from bot.platforms.wecom.kf import PREFIX, Kf
from bot.platforms.wecom.line import QUOTAS, AibotLine
from bot.platforms.wecom.media import Media
from handlers.chat.events import Attachment, ChatKind, EventKind, InboundEvent, UserRef
from handlers.chat.outbound import Address, Delivery, Enclosure

TITLE: Final = "企业微信"
# Its place where the platforms are named one after another.
PLACE: Final = 1
_log = logging.getLogger("bot.wecom")

SETTINGS: Final = (
    Setting("WECOM_CORP_ID", "企业 ID：管理后台「我的企业」最下方"),
    Setting("WECOM_API_BASE", "接口地址，私有部署才改", default="https://qyapi.weixin.qq.com"),
    Setting("WECOM_AIBOT_ID", "智能机器人 BotID：机器人详情页"),
    Setting(
        "WECOM_AIBOT_SECRET",
        "智能机器人长连接 Secret：API 模式选「使用长连接」后可见，和回调二选一",
        secret=True,
    ),
    Setting(
        "WECOM_AIBOT_WS", "长连接地址，私有部署才改", default="wss://openws.work.weixin.qq.com"
    ),
    Setting("WECOM_AIBOT_TOKEN", "智能机器人回调 Token：API 模式设置页", secret=True),
    Setting(
        "WECOM_AIBOT_AES_KEY", "智能机器人回调 EncodingAESKey，43 位：API 模式设置页", secret=True
    ),
    Setting(
        "WECOM_MEDIA_HOSTS", "机器人收到的图片、文件另外从哪些域名下载，逗号隔开；平台换了域名才填"
    ),
    Setting("WECOM_APP_AGENT_ID", "自建应用 AgentId：应用详情页"),
    Setting("WECOM_APP_SECRET", "自建应用 Secret：应用详情页", secret=True),
    Setting("WECOM_APP_TOKEN", "自建应用 Token：应用详情页「接收消息」", secret=True),
    Setting(
        "WECOM_APP_AES_KEY", "自建应用 EncodingAESKey，43 位：应用详情页「接收消息」", secret=True
    ),
)
_AIBOT: Final = ("WECOM_AIBOT_ID", "WECOM_AIBOT_TOKEN", "WECOM_AIBOT_AES_KEY")
_APP: Final = (
    "WECOM_CORP_ID",
    "WECOM_APP_AGENT_ID",
    "WECOM_APP_SECRET",
    "WECOM_APP_TOKEN",
    "WECOM_APP_AES_KEY",
)
_LATE_SECONDS: Final = 3500.0
_OPEN_ID: Final = re.compile(r"^wo[0-9A-Za-z_-]{20,}$")
_RESOLVE_SECONDS: Final = 1.5
# A reply token that is the request of a message on the long connection.
_REQUEST: Final = "req:"
# What the long connection says of a session that cannot be spoken to, and of a request that cannot
# be answered any more.
_NO_SESSION: Final = frozenset({"846607", "93001", "93006", "93008"})
# The last of a customer's five are kept for what matters more.
_KEPT: Final = "kf_kept"
_NO_REQUEST: Final = frozenset({"846605", "846608"})


class WeCom:
    name = codec.NAME
    recall_seconds = 24 * 3600.0

    def __init__(
        self,
        aibot: Envelope | None,
        app: Envelope | None,
        app_api: api.AppApi | None,
        client: Client,
        names: tuple[str, ...],
        public_url: str,
        allowed_host: str,
        line_of: Callable[["WeCom"], AibotLine | None] = lambda wecom: None,
        *,
        media: Media,
    ) -> None:
        self._aibot, self._app, self._api = aibot, app, app_api
        self._media = media
        self._client = client
        self._names = names
        self._public_url = public_url
        self._allowed_host = allowed_host
        hooks = []
        if aibot is not None:
            hooks.append("aibot")
        if app is not None:
            hooks.append("app")
        self.hooks = tuple(hooks)
        self.notes: Notes = _Forgetful()
        self._line = line_of(self)
        self._files = Files(client, app_api, self._line)
        self._kf = None if app_api is None else Kf(app_api, lambda: self.notes)
        self._members: dict[str, str] = {}
        held: tuple[Line | None, ...] = (self._line, self._kf)
        self.lines = tuple(line for line in held if line is not None)
        self.can = Capabilities(
            callback_buttons=True,
            update_cards=app_api is not None,
            mentions=True,
            group_push=True,
            direct=app_api is not None or self._line is not None,
            max_text_bytes=codec.APP_TEXT_BYTES,
            budget_seconds=4.0,
        )

    # ---- in

    def decode(self, request: RawRequest) -> Decoded:
        envelope = self._aibot if request.hook == "aibot" else self._app
        if envelope is None:
            raise Rejected(404, "no_hook")
        query = request.query
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        signature = query.get("msg_signature", "")
        if not (timestamp and nonce and signature):
            raise Rejected(403, "signature")
        if request.method == "GET":
            opened = self._open(envelope, signature, timestamp, nonce, query.get("echostr", ""))
            return Decoded((), HttpAnswer(body=opened))
        if request.hook == "aibot":
            encrypted = json_object(request.body).get("encrypt")
        else:
            encrypted = codec.parsed(request.body).findtext("Encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise Rejected(400, "not_understood")
        opened = self._open(envelope, signature, timestamp, nonce, encrypted.strip())
        if request.hook == "app":
            notice = codec.kf_notice(opened)
            if notice is not None and self._kf is not None:
                self._kf.noticed(*notice)
                return Decoded((), HttpAnswer())
            event, unsupported = codec.app_event(opened, request.wall)
            return Decoded(() if event is None else (event,), HttpAnswer(), None, unsupported)
        plain = json_object(opened)
        event, unsupported = codec.aibot_event(plain, self._names, request.wall)
        if event is None:
            return Decoded((), HttpAnswer(), None, unsupported)
        heard = event

        def answer(outcome: Outcome) -> Answered:
            return self._answer(envelope, heard, outcome, nonce)

        return Decoded((event,), HttpAnswer(), answer)

    def decode_frame(self, body: Mapping[str, Any], req_id: str, wall: float) -> Decoded:
        """A message or event that the long connection brought; raises Rejected."""
        event, unsupported = codec.aibot_event(body, self._names, wall)
        if event is None:
            return Decoded((), HttpAnswer(), None, unsupported)
        heard = event
        if event.kind is EventKind.MESSAGE:
            heard = replace(event, reply_token=f"{_REQUEST}{req_id}")

        def answer(outcome: Outcome) -> Answered:
            return self._frame(heard, outcome)

        return Decoded((heard,), HttpAnswer(), answer)

    async def resolved(self, event: InboundEvent) -> InboundEvent:
        """The member's own id in place of an open_userid, which a bot made by an ordinary member is
        told instead (D:101521)."""
        open_id = event.sender.id
        if self._api is None or _OPEN_ID.match(open_id) is None:
            return event
        if open_id not in self._members:
            noted = await self.notes.get(f"member:{open_id}")
            if not noted:
                try:
                    found = await asyncio.wait_for(self._api.members([open_id]), _RESOLVE_SECONDS)
                except (SendError, TimeoutError) as error:
                    _log.warning("wecom.member_unknown", extra={"error": type(error).__name__})
                    return event
                noted = found.get(open_id, open_id)
                await self.notes.put(f"member:{open_id}", noted)
            self._members[open_id] = noted
        return replace(event, sender=UserRef(self.name, self._members[open_id]))

    async def fetch(self, attachment: Attachment) -> Fetched:
        stored = attachment.url.removeprefix(codec.STORED)
        if stored == attachment.url:
            return await self._media.fetch(attachment.url)
        if self._api is None:
            raise Permanent("no_app")
        return await self._api.media(stored)

    def cure(self, code: str) -> str:
        return errors.cure(code)

    async def probe(self) -> list[Probe]:
        """The credentials of what is on. The long connection is opened but not subscribed: that
        would put out the one in use."""
        found: list[Probe] = []
        if self._api is not None:
            found.append(await self._tried("企业微信自建应用", self._api.agent(), "WECOM_API_BASE"))
        if self._line is not None:
            found.append(
                await self._tried("企业微信长连接", self._line.reachable(), "WECOM_AIBOT_WS")
            )
        return found

    async def _tried(self, what: str, trying: Awaitable[object], key: str) -> Probe:
        try:
            await trying
        except SendError as error:
            known = self.cure(error.code)
            if isinstance(error, api.NotFromHere) and error.address:
                known = f"本机的出口 IP 是 {error.address}。{known}"
            return Probe.failed(what, error, known, key, self._client.ahead)
        return Probe(what, "", self._client.ahead)

    async def entrances(self, firms: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """An address of 微信客服 for each firm, for its people who stay on personal WeChat."""
        return [] if self._kf is None else await self._kf.links(list(firms))

    def _frame(self, event: InboundEvent, outcome: Outcome) -> Answered:
        """One frame under the request's id: stream and card together are not allowed there."""
        here = [d for d in outcome.deliveries if d.to.chat == event.chat]
        if event.kind is EventKind.PRESS:
            made = self._replaced(here)
            return _framed("aibot_respond_update_msg", event, *made) if made else _NOTHING
        if event.kind is EventKind.ENTER:
            return _framed("aibot_respond_welcome_msg", event, *self._welcome(here))
        chosen = next((d for d in here if self._card(d) is not None), here[0] if here else None)
        if chosen is None:
            return _NOTHING
        return _framed("aibot_respond_msg", event, self._said(chosen), frozenset({chosen.id}))

    def _said(self, delivery: Delivery) -> dict[str, object]:
        card = self._card(delivery)
        if card is not None:
            return {"msgtype": "template_card", "template_card": card}
        return {
            "msgtype": "stream",
            "stream": {
                "id": f"s{delivery.id}",
                "finish": True,
                "content": codec.markdown(delivery.content, codec.STREAM_BYTES),
            },
        }

    def _open(
        self, envelope: Envelope, signature: str, timestamp: str, nonce: str, encrypted: str
    ) -> bytes:
        try:
            return envelope.open(signature, timestamp, nonce, encrypted)
        except BadEnvelope as error:
            raise Rejected(403 if error.stage == "signature" else 400, error.stage) from None

    def _answer(
        self, envelope: Envelope, event: InboundEvent, outcome: Outcome, nonce: str
    ) -> Answered:
        """What this response can carry: one text stream and one card into the same chat."""
        here = [d for d in outcome.deliveries if d.to.chat == event.chat]
        if event.kind is EventKind.PRESS:
            pressed = self._replaced(here)
            if pressed is None:
                return _NOTHING
            return Answered(self._sealed(envelope, pressed[0], nonce), pressed[1])
        if event.kind is EventKind.ENTER:
            said, ids = self._welcome(here)
            return Answered(self._sealed(envelope, said, nonce), ids) if said else _NOTHING
        made = [(d, self._card(d)) for d in here]
        texts = [d for d, card in made if card is None]
        cards = [(d, card) for d, card in made if card is not None][:1]
        body: dict[str, object] = {}
        if texts or cards:
            if texts:
                told = "\n\n".join(codec.markdown(d.content, 9_000) for d in texts)
                body["stream"] = {
                    "id": f"s{texts[0].id}",
                    "finish": True,
                    "content": cut(told, codec.STREAM_BYTES),
                }
            if cards:
                body["template_card"] = cards[0][1]
            body["msgtype"] = "_with_".join(k for k in ("stream", "template_card") if k in body)
        if not body:
            return _NOTHING
        carried = frozenset(d.id for d in (*texts, *(d for d, _ in cards)))
        return Answered(self._sealed(envelope, body, nonce), carried)

    def _card(self, delivery: Delivery) -> dict[str, object] | None:
        card = delivery.content.card
        return None if card is None else codec.template_card(card, delivery.id, self._public_url)

    def _welcome(self, here: list[Delivery]) -> tuple[dict[str, object], frozenset[int]]:
        """Who comes in is greeted with a text; here alone it may be one."""
        for delivery in here:
            if self._card(delivery) is None:
                said = cut(delivery.content.text, codec.APP_TEXT_BYTES)
                return {"msgtype": "text", "text": {"content": said}}, frozenset({delivery.id})
        return {}, frozenset()

    def _replaced(self, here: list[Delivery]) -> tuple[dict[str, object], frozenset[int]] | None:
        """The new card in place of the one that was pressed."""
        for delivery in here:
            card = delivery.content.card
            if card is not None:
                body: dict[str, object] = {
                    "response_type": "update_template_card",
                    "template_card": codec.updated_card(card, delivery.id),
                }
                return body, frozenset({delivery.id})
        return None

    def _sealed(self, envelope: Envelope, body: dict[str, object], nonce: str) -> HttpAnswer:
        encrypted = envelope.seal(json_text(body).encode())
        timestamp = int(time.time())
        answer = {
            "encrypt": encrypted,
            "msgsignature": envelope.signature(str(timestamp), nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        return HttpAnswer.of_json(answer)

    # ---- out

    def limits(self, to: Address) -> tuple[Limit, ...]:
        """The tightest of the ways a sending may take."""
        found: list[Limit] = []
        if self._line is not None:
            found += (Limit(f"aibot:{to.chat.id}:{per:.0f}", n, per) for n, per in QUOTAS)
        if to.kind is ChatKind.GROUP and to.robot:
            found.append(Limit(robot_key(to.robot), 20, 60.0))
        if to.kind is ChatKind.DIRECT and self._api is not None:
            found.append(Limit(f"app:{to.chat.id}:minute", 30, 60.0))
            found.append(Limit(f"app:{to.chat.id}:hour", 1000, 3600.0))
        return tuple(found)

    def lane(self, delivery: Delivery) -> str:
        to = delivery.to
        return robot_key(to.robot) if to.robot else f"{to.kind}:{to.chat.id}"

    def parts(self, delivery: Delivery) -> int:
        """Only the app tells a long text in several messages."""
        to = delivery.to
        if to.kind is ChatKind.GROUP or self._api is None or to.chat.id.startswith(PREFIX):
            return 1
        return 1 if delivery.content.card else codec.app_parts(delivery.content)

    async def send(self, delivery: Delivery) -> Receipt:
        """By the best way that is open, and by the next where that one does not reach its target."""
        if delivery.to.kind is ChatKind.GROUP:
            return await self._to_group(delivery)
        try:
            return await self._to_person(delivery)
        except Permanent as error:
            if error.code == _KEPT:
                raise Unreachable(error.code) from None
            if (why := errors.lost(error.code)) is not None:
                raise Unreachable(error.code, why) from None
            raise

    async def _to_person(self, delivery: Delivery) -> Receipt:
        token = delivery.reply_token
        refused = Permanent("no_route")
        if self._kf is not None and delivery.to.chat.id.startswith(PREFIX):
            await self._kf.send(delivery)
            return Receipt()
        if self._api is not None:
            if delivery.content.card is not None and delivery.update_ref:
                clicked = token.removeprefix("code:") if token.startswith("code:") else ""
                return await self._api.update(delivery, clicked)
            try:
                return await self._api.send(delivery)
            except Permanent as error:
                if not errors.is_way_over(error.code):
                    raise
                refused = error
        if self._line is not None:
            return await self._push(self._line, delivery)
        if token.startswith("http") and self._late_possible(delivery):
            return await api.late_answer(self._client, delivery, False, self._public_url)
        raise refused

    async def _to_group(self, delivery: Delivery) -> Receipt:
        """A robot can mention people; a push can be answered by quoting it."""
        token, robot = delivery.reply_token, delivery.to.robot
        refused = Permanent("no_route")
        if token.startswith("http") and self._late_possible(delivery):
            try:
                return await api.late_answer(self._client, delivery, True, self._public_url)
            except Permanent as error:
                # The address takes one answer; another message has used it.
                refused = error
        if self._line is not None and not (robot and delivery.content.mentions):
            try:
                return await self._push(self._line, delivery)
            except Permanent as error:
                if not robot or error.code not in _NO_SESSION:
                    raise
        if robot:
            return await api.robot(self._client, delivery)
        raise refused

    async def _push(self, line: AibotLine, delivery: Delivery) -> Receipt:
        """Late answers keep the request's id, which alone lets a card into a group."""
        group = delivery.to.kind is ChatKind.GROUP
        chat = delivery.to.chat.id
        said = self._said(delivery)
        request = delivery.reply_token.removeprefix(_REQUEST)
        if request != delivery.reply_token and line.up:
            try:
                await line.speak(chat, "aibot_respond_msg", said, request)
                return Receipt()
            except Permanent as error:
                if error.code not in _NO_REQUEST:
                    raise
        if group or said["msgtype"] == "stream":
            text = codec.markdown(delivery.content, codec.STREAM_BYTES)
            said = {"msgtype": "markdown", "markdown": {"content": text}}
        await line.push(chat, group, said)
        return Receipt()

    def takes(self, to: Address, file: Enclosure) -> bool:
        return bool(self._files.ways(to, file))

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        return await self._files.attach(delivery, file, body)

    # ---- who sits at a browser

    @property
    def can_login(self) -> bool:
        return self._api is not None

    def login_url(self, back: str, state: str, agent: str) -> str:
        return "" if self._api is None else self._api.login_url(back, state, agent)

    async def logged_in(self, code: str) -> str:
        if self._api is None:
            raise Permanent("no_app")
        return await self._api.logged_in(code)

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        """What the application said; robots, the long connection and 微信客服 cannot."""
        if self._api is None:
            raise Permanent("no_recall")
        for ref in refs:
            await self._api.recall(ref)

    def _late_possible(self, delivery: Delivery) -> bool:
        """Within the hour, and to WeCom's own host: the URL came from outside."""
        created = delivery.created_at
        young = created is None or time.time() - created.timestamp() < _LATE_SECONDS
        return young and (urlsplit(delivery.reply_token).hostname or "") == self._allowed_host

    async def close(self) -> None:
        await self._files.close()
        if self._line is not None:
            await self._line.close()
        await self._client.close()


class _Forgetful:
    """Notes until the process gives real ones."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    async def get(self, key: str) -> str:
        return self._kept.get(key, "")

    async def put(self, key: str, value: str) -> None:
        self._kept[key] = value


_NOTHING: Final = Answered(HttpAnswer())


def _framed(
    cmd: str, event: InboundEvent, body: Mapping[str, object], carried: frozenset[int]
) -> Answered:
    """The frame without its request id, which the line knows; with the session it counts for."""
    if not body:
        return _NOTHING
    frame = {"cmd": cmd, "chat": event.chat.id, "body": body}
    return Answered(HttpAnswer.of_json(frame), carried)


def build(section: Section) -> Platform | None:
    """None while nothing is set; raises ConfigError that names what is missing."""
    if problems := list(_problems(section)):
        raise ConfigError(problems)
    aibot_given = any(section.get(key) for key in _AIBOT)
    app_given = any(section.get(key) for key in _APP[1:])
    if not aibot_given and not app_given:
        return None
    client = Client()
    base, public_url = section.get("WECOM_API_BASE"), section.public_url
    secret = section.get("WECOM_AIBOT_SECRET")
    try:
        aibot = (
            Envelope(section.get("WECOM_AIBOT_TOKEN"), section.get("WECOM_AIBOT_AES_KEY"), "")
            if aibot_given and not secret
            else None
        )
        app = (
            Envelope(
                section.get("WECOM_APP_TOKEN"),
                section.get("WECOM_APP_AES_KEY"),
                section.get("WECOM_CORP_ID"),
            )
            if app_given
            else None
        )
    except ValueError:
        raise ConfigError(["EncodingAESKey 不是有效的密钥，请重新复制。"]) from None
    app_api = None
    if app is not None:
        app_api = api.AppApi(
            client,
            base,
            section.get("WECOM_CORP_ID"),
            section.get("WECOM_APP_SECRET"),
            int(section.get("WECOM_APP_AGENT_ID")),
            public_url,
        )
    host = urlsplit(base).hostname or ""

    def line_of(wecom: WeCom) -> AibotLine | None:
        if not secret:
            return None
        bot_id = section.get("WECOM_AIBOT_ID")
        return AibotLine(section.get("WECOM_AIBOT_WS"), bot_id, secret, wecom.decode_frame)

    hosts = [h.strip() for h in section.get("WECOM_MEDIA_HOSTS").split(",") if h.strip()]
    media = Media(client, base, hosts, section.get("WECOM_AIBOT_AES_KEY"))
    names = section.bot_names
    return WeCom(aibot, app, app_api, client, names, public_url, host, line_of, media=media)


def _problems(section: Section) -> Iterator[str]:
    given = {key for key in (*_AIBOT, *_APP) if section.get(key)}
    if section.get("WECOM_AIBOT_SECRET"):
        if given & {"WECOM_AIBOT_TOKEN", "WECOM_AIBOT_AES_KEY"}:
            yield "智能机器人的长连接（SECRET）和回调（TOKEN、AES_KEY）只能选一种，请去掉一种。"
        elif "WECOM_AIBOT_ID" not in given:
            yield "智能机器人的长连接缺少 WECOM_AIBOT_ID，请到机器人详情页复制 BotID。"
    elif missing := _missing(_AIBOT, given & set(_AIBOT)):
        yield f"企业微信智能机器人缺少 {missing}，请到机器人的 API 模式设置页复制。"
    # The corporation's id alone switches nothing on.
    if given & set(_APP[1:]) and (missing := _missing(_APP, given & set(_APP))):
        yield f"企业微信自建应用缺少 {missing}，请到应用详情页和「接收消息」设置页复制。"
    agent = section.get("WECOM_APP_AGENT_ID")
    if agent and not agent.isdecimal():
        yield "WECOM_APP_AGENT_ID 应是数字，请到应用详情页复制。"
    for key in ("WECOM_AIBOT_AES_KEY", "WECOM_APP_AES_KEY"):
        if section.get(key) and len(section.get(key)) != 43:
            yield f"{key} 应是 43 位，请重新复制。"


def _missing(needed: Sequence[str], given: Collection[str]) -> str:
    """Those that are not there, where some are."""
    return "、".join(key for key in needed if key not in given) if given else ""
