"""Calls to DingTalk: token, messages, cards, urgent calls, files, the chat's reply address, a group's robot."""

import asyncio
import io
import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bot.client import UPLOAD_SECONDS, Answer, Client, TokenCache, name_in, origin_of, within
from bot.payload import part_at, text_at
from bot.platform import (
    Expired,
    Fetched,
    Limit,
    Outdated,
    Receipt,
    SendError,
    Transient,
    Unreachable,
    Unsure,
    json_text,
    robot_key,
)
from bot.platforms.dingtalk import cards, errors, words
from bot.platforms.dingtalk.answers import OF_ADDRESS, Refused, Unset, check, check_old
from bot.platforms.dingtalk.crypto import robot_sign
from bot.platforms.dingtalk.words import Said
from handlers.chat.events import ChatKind
from handlers.chat.outbound import Address, Card, Delivery
from handlers.chat.reach import Lost

_log = logging.getLogger("bot.dingtalk")

_EARLY_SECONDS: Final = 300.0
_RECALLED_AT_ONCE: Final = 20
_OURS: Final = frozenset({("https", f"oapi.dingtalk.{top}", "") for top in ("com", "io")})
# A name in the net: no bare address, however it is written, and no name of a house.
_NAMED_HOST: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")
_HEADER: Final = "x-acs-dingtalk-access-token"
_UPLOAD: Final = "/media/upload"
_BYTES: Final = "application/octet-stream"
# A kept connection that the far end closes just when the next message goes out would leave in doubt
# a message that nobody may repeat.
_ALONE: Final = {"Connection": "close"}
_SESSIONS: Final = 2000
# A reply address that ends while we use it is worth less than the sure way.
_SESSION_EARLY: Final = 60.0
_BEGUN: Final = 1000
# So long a group that refused the application is spoken to by its robot at once, and an edition
# without DING is not asked again: each refused call counts for the month.
_REFUSED_SECONDS: Final = 3600.0
_NO_RING_SECONDS: Final = 24 * 3600.0
# Below what the dispatcher waits, for what it gives up on counts as unsure: of a card, and of a
# message with its ring.
_CARD_SECONDS: Final = 9.0
_SEND_SECONDS: Final = 13.0
# 20 a second and 20 a minute. A long text takes several calls, a robot beyond its limit is silent
# for ten minutes: a little is left for both.
_A_SECOND: Final = 18
_A_MINUTE: Final = 18
# What one call takes in a second; on their way two may come closer together.
_TAKEN: Final = 20
_TAKEN_SECONDS: Final = 1.05
_MONTH: Final = frozenset({"Forbidden.AccessDenied.ApiCountLimitForOrg", "90020"})
_CARD_KNOWN: Final = "param.cardAlreadyExist"
_CARD_GONE: Final = "param.cardNotExist"
# In-app; messages and calls to the phone are bought apart.
_RING_IN_APP: Final = 1
# What a refused ring says of its receiver alone; anything else is said of the edition.
_OF_RECEIVER: Final = frozenset({"miss.staffId", "ding.receivercount.limit", "send.ding.exception"})
# What the application may speak in; other groups are only known by their robot.
_GROUP_ID: Final = "cid"
# How the keys of the limits begin: of the application, of a group's robot. The month is none that we
# count: who may be told another way need not wait for it.
_APP, _ROBOT, _NONE = "app:", "robot:", "month:"


def _cooling(refusal: Transient, whose: str) -> Transient:
    """What a robot must wait for concerns neither people nor other groups, and the other way round."""
    if refusal.code != OF_ADDRESS:
        refusal.cools = whose
    return refusal


def limits(to: Address, robot_only: bool = False) -> tuple[Limit, ...]:
    """20 a second by the application, 20 a minute by a group's robot."""
    found = [] if robot_only else [Limit(f"{_APP}second", _A_SECOND, 1.0)]
    if to.kind is ChatKind.GROUP and to.robot:
        found.append(Limit(robot_key(to.robot), _A_MINUTE, 60.0))
    return tuple(found)


def _has_robot(to: Address) -> bool:
    return to.kind is ChatKind.GROUP and bool(to.robot)


class _Begun:
    """Parts of a message that are out already, so that another try goes on behind them."""

    def __init__(self) -> None:
        self._refs: OrderedDict[str, list[str]] = OrderedDict()

    def of(self, delivery: Delivery) -> list[str]:
        refs = self._refs.setdefault(cards.track_id(delivery), [])
        while len(self._refs) > _BEGUN:
            self._refs.popitem(last=False)
        return refs

    def has(self, delivery: Delivery) -> bool:
        return bool(self._refs.get(cards.track_id(delivery)))

    def end(self, delivery: Delivery) -> None:
        self._refs.pop(cards.track_id(delivery), None)


class Api:
    """The application's calls, with its token and what was learned from refusals."""

    def __init__(
        self,
        client: Client,
        base: str,
        old_base: str,
        app_key: str,
        app_secret: str,
        robot_code: str,
        template_id: str,
        card_callback: str,
        route_key: str,
        monotonic: Callable[[], float] = time.monotonic,
        card_seconds: float = _CARD_SECONDS,
        send_seconds: float = _SEND_SECONDS,
    ) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._old_base = old_base.rstrip("/")
        self._old = origin_of(old_base)
        self._app_key, self._app_secret = app_key, app_secret
        self._robot_code = robot_code
        self._template_id = template_id
        self._card_callback, self._route_key = card_callback, route_key
        self._tokens = TokenCache(self._fetch_token, _EARLY_SECONDS)
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._begun = _Begun()
        self._monotonic = monotonic
        self._card_seconds, self._send_seconds = card_seconds, send_seconds
        self._closed_to_app: dict[str, float] = {}
        self._used_up_until = 0.0
        self._called: dict[str, deque[float]] = {}
        self._no_ring_until = 0.0

    @property
    def vendor_template(self) -> bool:
        return self._template_id == cards.VENDOR_TEMPLATE

    async def _fetch_token(self) -> tuple[str, float]:
        answer = await self._client.exchange(
            "POST",
            f"{self._base}/v1.0/oauth2/accessToken",
            json={"appKey": self._app_key, "appSecret": self._app_secret},
            headers=_ALONE,
            repeatable=True,
            follow=False,
        )
        try:
            plain = check(answer, repeatable=True)
        except (Refused, Expired) as error:
            if isinstance(error, Refused) and error.code == str(answer.status):
                # Nothing that the vendor said: somebody else answers there.
                raise Unset(error.code, 300.0) from None
            # Whatever the code of the day: it is about the key and the secret.
            raise Unset("invalidClientIdOrSecret", 300.0) from None
        token = text_at(plain, "accessToken")
        if not token:
            raise Transient("no_token")
        life = plain.get("expireIn")
        return token, float(life) if isinstance(life, int | float) else 7200.0

    async def _call(
        self, path: str, body: dict[str, Any], *, method: str = "POST", repeatable: bool = False
    ) -> dict[str, Any]:
        async def ask(token: str) -> Answer:
            return await self._client.exchange(
                method,
                f"{self._base}/v1.0{path}",
                json=body,
                headers={_HEADER: token, **_ALONE},
                repeatable=repeatable,
                follow=False,
            )

        return await self._asked(path, ask, repeatable)

    async def _asked(
        self, path: str, ask: Callable[[str], Awaitable[Answer]], repeatable: bool
    ) -> dict[str, Any]:
        """What the platform answers where it takes the call; raises a SendError."""

        async def call(token: str) -> dict[str, Any]:
            await self._turn(path)
            answer = await ask(token)
            try:
                return check(answer, repeatable)
            except Transient as refusal:
                if refusal.code not in _MONTH:
                    raise _cooling(refusal, _APP) from None
                self._used_up_until = self._monotonic() + _REFUSED_SECONDS
                raise _cooling(refusal, _NONE) from None

        return await self._tokens.call(call)

    async def _turn(self, path: str) -> None:
        """Wait for room: a call that is made again with a fresh token counts twice at the platform."""
        called = self._called.setdefault(path, deque(maxlen=_TAKEN))
        now = self._monotonic()
        at = max(now, called[0] + _TAKEN_SECONDS) if len(called) == _TAKEN else now
        called.append(at)
        await asyncio.sleep(at - now)

    # ---- reply addresses

    def remember_session(self, chat_id: str, url: str, expires_wall: float) -> None:
        """Where an answer in this chat may go until then; the address came from outside."""
        if not self._is_ours(url):
            return
        self._sessions[chat_id] = (url, expires_wall)
        self._sessions.move_to_end(chat_id)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)

    def _session(self, delivery: Delivery) -> str:
        """Answers go there, and whoever must be notified or cannot be reached otherwise."""
        to, content = delivery.to, delivery.content
        url, until = self._sessions.get(to.chat.id, ("", 0.0))
        if not url or time.time() > until - _SESSION_EARLY:
            return ""
        outsider = to.kind is ChatKind.DIRECT and not words.is_staff(to.chat.id)
        return url if delivery.reply_token or words.called(content.mentions) or outsider else ""

    def _is_ours(self, url: str) -> bool:
        """Whether it is the vendor's own host, or the one that the office named."""
        origin = origin_of(url)
        return origin is not None and (origin in _OURS or origin == self._old)

    # ---- messages

    def limits(self, to: Address) -> tuple[Limit, ...]:
        """Where only the group's robot speaks, what the application must wait for delays nothing."""
        return limits(to, self._is_closed(to))

    async def send(self, delivery: Delivery) -> Receipt:
        """A new message, or the replaced card; raises a SendError."""
        until = self._monotonic() + self._send_seconds
        try:
            receipt = await self._deliver(delivery)
        except Refused as refusal:
            why = self._lost(delivery.to, refusal.code)
            if why is None:
                raise
            raise Unreachable(refusal.code, why) from None
        if not receipt.card_ref or receipt.card_ref != delivery.update_ref:
            await self._ring(delivery, until - self._monotonic())
        return receipt

    def _lost(self, to: Address, code: str) -> Lost | None:
        """Why the person gets nothing; in a group it may be somebody who is mentioned there."""
        return errors.lost(code) if to.kind is ChatKind.DIRECT else None

    async def _deliver(self, delivery: Delivery) -> Receipt:
        card = delivery.content.card
        if card is not None and self._shows_cards(delivery.to) and not self._begun.has(delivery):
            # Its own id makes a repeat harmless.
            receipt = await within(self._card_seconds, self._card(delivery, card))
            if receipt is not None:
                return receipt
        if delivery.in_place:
            raise Outdated("no_card")
        return await self._words(delivery)

    def parts(self, delivery: Delivery) -> int:
        """How many messages it takes, as far as that is known before."""
        content = delivery.content
        as_card = content.card is not None and self._shows_cards(delivery.to)
        return 1 if as_card or self._robot_speaks(delivery) else len(words.said(content))

    def _shows_cards(self, to: Address) -> bool:
        if not self._template_id:
            return False
        if to.kind is ChatKind.GROUP:
            return not self._is_closed(to)
        return words.is_staff(to.chat.id)

    def _is_closed(self, to: Address) -> bool:
        """Whether the application was refused a short while ago, so that only the group's robot may."""
        if not _has_robot(to):
            return False
        until = max(self._used_up_until, self._closed_to_app.get(to.chat.id, 0.0))
        return not to.chat.id.startswith(_GROUP_ID) or until > self._monotonic()

    async def _words(self, delivery: Delivery) -> Receipt:
        parts = words.said(delivery.content)
        if not self._begun.has(delivery) and self._robot_speaks(delivery):
            return await self._by_robot(delivery)
        refs = self._begun.of(delivery)
        try:
            while len(refs) < len(parts):
                refs.append(await self._say(delivery, len(refs), parts[len(refs)]))
        except (Refused, Transient) as refusal:
            if isinstance(refusal, Refused | Unset):
                self._warn("dingtalk.refused", refusal.code)
            kept_out = errors.keeps_out(refusal.code) or refusal.code in _MONTH
            if refs or not kept_out or not _has_robot(delivery.to):
                raise
            self._closed_to_app[delivery.to.chat.id] = self._monotonic() + _REFUSED_SECONDS
            return await self._by_robot(delivery)
        self._begun.end(delivery)
        return _receipt(refs)

    def _robot_speaks(self, delivery: Delivery) -> bool:
        """Whether the group's robot says it: we may not speak there, or it alone can notify somebody."""
        if self._is_closed(delivery.to):
            return True
        called = words.called(delivery.content.mentions)
        return bool(called) and _has_robot(delivery.to) and not self._session(delivery)

    async def _say(self, delivery: Delivery, number: int, said: Said) -> str:
        """One part; its key by which it can be called back and is named where it was read."""
        to, mentions = delivery.to, delivery.content.mentions if number == 0 else ()
        if (session := self._session(delivery)) and await self._by_session(
            session, delivery, number, said
        ):
            return ""
        text = words.by_name(mentions) + said.text
        if said.title:
            return await self.message(to, "sampleMarkdown", {"title": said.title, "text": text})
        return await self.message(to, "sampleText", {"content": text})

    def speaks_to(self, to: Address) -> bool:
        """Whether the application itself may, as far as is known."""
        if to.kind is ChatKind.GROUP:
            return to.chat.id.startswith(_GROUP_ID) and not self._is_closed(to)
        return words.is_staff(to.chat.id)

    async def message(self, to: Address, kind: str, param: dict[str, str]) -> str:
        """Sent by the interface; its key. Raises a SendError."""
        body: dict[str, Any] = {
            "robotCode": self._robot_code,
            "msgKey": kind,
            "msgParam": json_text(param),
        }
        if to.kind is ChatKind.GROUP:
            body["openConversationId"] = to.chat.id
            return _key(await self._call("/robot/groupMessages/send", body))
        if not words.is_staff(to.chat.id):
            raise Refused("outsider")
        body["userIds"] = [to.chat.id]
        answer = await self._call("/robot/oToMessages/batchSend", body)
        # HTTP 200 and yet nobody got it.
        if to.chat.id in _list(answer, "invalidStaffIdList"):
            raise Refused("invalid_staff")
        if to.chat.id in _list(answer, "filteredStaffIdList"):
            raise Refused("filtered_staff")
        if to.chat.id in _list(answer, "flowControlledStaffIdList"):
            raise Transient("flow_controlled")
        return _key(answer)

    async def _by_session(self, url: str, delivery: Delivery, number: int, said: Said) -> bool:
        """False where the address does not take it, so that it goes the other way."""
        body = _old_message(delivery, number, said)
        try:
            check_old(
                await self._client.exchange("POST", url, json=body, headers=_ALONE, follow=False)
            )
        except Unsure:
            raise
        except SendError as error:
            if error.code == "connect":
                raise
            self._sessions.pop(delivery.to.chat.id, None)
            _log.info("dingtalk.session_refused", extra={"code": error.code})
            return False
        return True

    async def _by_robot(self, delivery: Delivery) -> Receipt:
        """A group's custom robot: words only, one way; what follows # in its address is its secret."""
        address, _, secret = delivery.to.robot.partition("#")
        if not self._is_ours(address):
            raise Refused("robot_host")
        params: dict[str, str] = {}
        if secret:
            timestamp = str(int(time.time() * 1000))
            params = {"timestamp": timestamp, "sign": robot_sign(secret, timestamp)}
        body = _old_message(delivery, 0, words.robot(delivery.content))
        answer = await self._client.exchange(
            "POST", address, json=body, params=params, headers=_ALONE, follow=False
        )
        try:
            check_old(answer)
        except Transient as refusal:
            raise _cooling(refusal, _ROBOT) from None
        return Receipt()

    async def _ring(self, delivery: Delivery, seconds: float) -> None:
        """Whoever must see it now is rung; whatever becomes of that, the message is out."""
        to = delivery.to
        if not delivery.urgent or to.kind is not ChatKind.DIRECT or not words.is_staff(to.chat.id):
            return
        if self._monotonic() < self._no_ring_until:
            return
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                answer = await self._call(
                    "/robot/ding/send",
                    {
                        "robotCode": self._robot_code,
                        "remindType": _RING_IN_APP,
                        "receiverUserIdList": [to.chat.id],
                        "content": words.ring(delivery.content),
                    },
                )
        except TimeoutError:
            _log.info("dingtalk.not_rung", extra={"code": "timeout"})
        except SendError as error:
            final = isinstance(error, Refused | Unset)
            if final and error.code not in _OF_RECEIVER:
                # The edition does not have it, or the permission is missing.
                self._no_ring_until = self._monotonic() + _NO_RING_SECONDS
                self._warn("dingtalk.no_ding", error.code)
            else:
                _log.info("dingtalk.not_rung", extra={"code": error.code})
        else:
            if answer.get("failedList"):
                _log.info("dingtalk.not_rung", extra={"code": "failed_list"})

    def _warn(self, event: str, code: str) -> None:
        _log.warning(event, extra={"code": code, "cure": errors.cure(code)})

    # ---- cards

    async def _card(self, delivery: Delivery, card: Card) -> Receipt | None:
        """None where it cannot be drawn or is refused."""
        values = cards.variables(card, delivery.to, self.vendor_template)
        if values is None:
            return None
        try:
            if delivery.update_ref.startswith(cards.OURS):
                try:
                    return await self._replace(delivery.update_ref, values)
                except Refused as refusal:
                    if refusal.code != _CARD_GONE:
                        raise
            if delivery.in_place:
                return None
            return await self._create(delivery, card, values)
        except (Refused, Unset) as refusal:
            if delivery.in_place or self._lost(delivery.to, refusal.code) is not None:
                self._warn("dingtalk.refused", refusal.code)
                raise
            self._warn("dingtalk.card_as_words", refusal.code)
            return None
        except Transient:
            if delivery.in_place or not self._is_closed(delivery.to):
                raise
            # The month is used up: the group's robot tells it.
            return None

    async def _create(self, delivery: Delivery, card: Card, values: dict[str, str]) -> Receipt:
        track, to = cards.track_id(delivery), delivery.to
        space: dict[str, Any] = {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": cards.summary(card)},
            "notification": {"alertContent": cards.summary(card)},
        }
        body: dict[str, Any] = {
            "cardTemplateId": self._template_id,
            "outTrackId": track,
            "callbackType": self._card_callback,
            "userIdType": 1,
            "cardData": {"cardParamMap": values},
        }
        if self._card_callback == "HTTP":
            body["callbackRouteKey"] = self._route_key
        if to.kind is ChatKind.GROUP:
            deliver: dict[str, Any] = {"robotCode": self._robot_code}
            if called := words.called(delivery.content.mentions):
                deliver["atUserIds"] = called
            body |= {
                "openSpaceId": f"dtv1.card//IM_GROUP.{to.chat.id}",
                "imGroupOpenSpaceModel": space,
                "imGroupOpenDeliverModel": deliver,
            }
        else:
            body |= {
                "openSpaceId": f"dtv1.card//IM_ROBOT.{to.chat.id}",
                "imRobotOpenSpaceModel": space,
                "imRobotOpenDeliverModel": {
                    "spaceType": "IM_ROBOT",
                    "robotCode": self._robot_code,
                },
            }
        try:
            answer = await self._call("/card/instances/createAndDeliver", body, repeatable=True)
        except Refused as refusal:
            if refusal.code != _CARD_KNOWN:
                raise
            # An earlier try was taken, its answer got lost.
            return Receipt("", track)
        results = _list(part_at(answer, "result"), "deliverResults")
        if not results:
            raise Unsure("no_receipt", repeatable=True)
        for one in results:
            if isinstance(one, dict) and one.get("success") is True:
                return Receipt(text_at(one, "carrierId"), track)
        raise Refused("not_delivered")

    async def _replace(self, track: str, values: dict[str, str]) -> Receipt:
        answer = await self._call(
            "/card/instances",
            {
                "outTrackId": track,
                "cardData": {"cardParamMap": values},
                "cardUpdateOptions": {
                    "updateCardDataByKey": True,
                    "updatePrivateDataByKey": True,
                },
                "userIdType": 1,
            },
            method="PUT",
            repeatable=True,
        )
        if answer.get("success") is not True:
            raise Unsure("no_receipt", repeatable=True)
        return Receipt("", track)

    async def register_cards(self, url: str, api_secret: str) -> None:
        """Where clicks are sent over HTTP, and the key that signs them."""
        await self._call(
            "/card/callbacks/register",
            {
                "callbackRouteKey": self._route_key,
                "callbackUrl": url,
                "apiSecret": api_secret,
                "forceUpdate": True,
            },
            repeatable=True,
        )

    # ---- called back, brought, fetched, tried

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        """Take messages back; raises a SendError where one of them stays.

        A card goes by its carrier's id, which the vendor's page on recalling names as one of the
        keys (help.dingtalk.io, batch-withdrawal-of-single-chat-robot-messages…).
        """
        body: dict[str, Any] = {"robotCode": self._robot_code}
        path = "/robot/otoMessages/batchRecall"
        if to.kind is ChatKind.GROUP:
            body["openConversationId"] = to.chat.id
            path = "/robot/groupMessages/recall"
        for first in range(0, len(refs), _RECALLED_AT_ONCE):
            some = list(refs[first : first + _RECALLED_AT_ONCE])
            answer = await self._call(path, body | {"processQueryKeys": some}, repeatable=True)
            gone = _list(answer, "successResult")
            for key in some:
                # What the platform does not name it may never have known, or an earlier try, whose
                # answer got lost, has taken it back already.
                if key not in gone and not await self._is_gone(to, key):
                    raise Refused("not_recalled")

    async def _is_gone(self, to: Address, key: str) -> bool:
        """Whether a message was taken back; of those in single chats nobody can ask."""
        if to.kind is not ChatKind.GROUP:
            return False
        asked = {
            "robotCode": self._robot_code,
            "openConversationId": to.chat.id,
            "processQueryKey": key,
            "maxResults": 1,
        }
        try:
            answer = await self._call("/robot/groupMessages/query", asked, repeatable=True)
        except Refused:
            return False
        return text_at(answer, "sendStatus") == "RECALLED"

    async def upload(self, kind: str, name: str, body: bytes) -> str:
        """The media_id of a picture or a file; raises a SendError."""

        async def asked(token: str) -> Answer:
            # With the file's name as it is: the vendor's own client writes it so.
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("media", io.BytesIO(body), filename=name, content_type=_BYTES)
            return await self._client.exchange(
                "POST",
                f"{self._old_base}{_UPLOAD}",
                body=form,
                params={"access_token": token, "type": kind},
                headers=_ALONE,
                repeatable=True,
                seconds=UPLOAD_SECONDS,
                follow=False,
            )

        media_id = text_at(await self._asked(_UPLOAD, asked, True), "media_id")
        if not media_id:
            raise Unsure("no_media_id", repeatable=True)
        return media_id

    async def fetch(self, download_code: str) -> Fetched:
        """What a message carried; raises a SendError."""
        answer = await self._call(
            "/robot/messageFiles/download",
            {"downloadCode": download_code, "robotCode": self._robot_code},
            repeatable=True,
        )
        given = await self._client.download(self._download(text_at(answer, "downloadUrl")))
        return Fetched(given.body, name_in(given.headers))

    def _download(self, url: str) -> str:
        """The store's address, over TLS; it stands in no list, but it is no address of a house."""
        if self._is_ours(url):
            return url
        origin = origin_of(url)
        if origin is None or _NAMED_HOST.fullmatch(origin[1]) is None:
            raise Refused("not_ours")
        return urlsplit(url)._replace(scheme="https").geturl()

    async def token(self) -> None:
        """Whether one is given; raises a SendError."""
        await self._tokens.get()


def _old_message(delivery: Delivery, number: int, said: Said) -> dict[str, Any]:
    """The form of reply addresses and custom robots; whom it calls must also stand in the text."""
    mentions = delivery.content.mentions if number == 0 else ()
    text = words.by_id(mentions) + said.text
    if said.title:
        body: dict[str, Any] = {
            "msgtype": "markdown",
            "markdown": {"title": said.title, "text": text},
        }
    else:
        body = {"msgtype": "text", "text": {"content": text}}
    return body | {"at": {"atUserIds": list(words.called(mentions)), "isAtAll": False}}


def _key(answer: dict[str, Any]) -> str:
    """The receipt; an answer without one promises nothing."""
    key = text_at(answer, "processQueryKey")
    if not key:
        raise Unsure("no_receipt")
    return key


def _receipt(refs: Sequence[str]) -> Receipt:
    """Where one part has no key none is named: a message is taken back whole or stays."""
    return Receipt(refs[0], "", tuple(refs[1:])) if all(refs) else Receipt()


def _list(plain: Any, name: str) -> list[Any]:
    found = plain.get(name)
    return found if isinstance(found, list) else []
