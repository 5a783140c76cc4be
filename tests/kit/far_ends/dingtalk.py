"""DingTalk by HTTP with a card template of the office's own, and by Stream mode with the vendor's."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from bot.envelope import Envelope
from bot.platform import RawRequest
from bot.platforms.dingtalk.crypto import card_secret, card_sign, robot_sign
from tests.kit import dingtalk
from tests.kit.fake_dingtalk import (
    CLIENT_ID,
    CORP,
    ROBOT,
    SECRET,
    TEMPLATE,
    VENDOR_TEMPLATE,
    FakeDingTalk,
    check_variables,
    labels,
    said,
)
from tests.kit.fake_dingtalk_line import FakeStream, check_answer
from tests.kit.far_ends import GROUP_TITLE, FarEnd, Hook, Seen, Ways, worked_on
from tests.kit.house import House


class DingTalkEnd:
    """`line` is the gateway of Stream mode; without one everything is brought by HTTP."""

    platform = "dingtalk"
    ways = Ways(tells_reading=True, replaces_in_group=True)
    group = "cidKeyFirms=="
    robot = ""

    def __init__(self, far: FakeDingTalk, template: str, line: FakeStream | None = None) -> None:
        self._far = far
        self._template = template
        self._line = line
        self._house: House
        self._caller: dingtalk.Caller

    @property
    def settings(self) -> dict[str, str]:
        given = dingtalk.settings(self._far.base, stream=self._line is not None)
        return {**given, "DINGTALK_CARD_TEMPLATE_ID": self._template}

    def account(self, person: str) -> str:
        return f"staff{person}"

    async def meets(self, house: House, people: Iterable[str]) -> None:
        self._house = house
        self._caller = dingtalk.Caller(house, self._far, self._line)
        if self._line is not None:
            await self._line.connected.wait()

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        chat = self.group if in_group else ""
        more = {"conversationTitle": GROUP_TITLE} if in_group else {}
        plain = self._caller.message(self.account(person), text, chat, **more)
        if answering is not None:
            _quote(plain, answering)
        for _ in range(times):
            await self._caller.brings(plain)
        # A message is acknowledged in time whether or not it is worked on by then.
        await worked_on(self._house, self.platform, plain["msgId"])

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        answer = await self._caller.presses(self.account(person), message.raw, label)
        assert check_answer(answer) == ""
        if "cardData" not in answer:
            return None
        card = answer["cardData"]["cardParamMap"]
        check_variables(card, self._template)
        message.raw["card"] = card
        # Whoever pressed sees a few words of his own in it.
        own = answer["userPrivateData"]["cardParamMap"]
        return _seen({**message.raw, "card": {**card, **own}})

    async def reads(self, person: str, *messages: Seen) -> None:
        for message in messages:
            await self._caller.reads(self.account(person), message.raw)

    def seen(self, person: str) -> list[Seen]:
        return [_seen(m) for m in self._far.to(self.account(person))]

    def alive(self, message: Seen) -> bool:
        """Only markdown is read as more than letters; a call of everybody the far end refuses."""
        raw = message.raw
        if raw["card"] is not None:
            written = raw["card"].get("markdown") or raw["card"].get("body", "")
        else:
            written = raw["text"] if "markdown" in raw["msg_key"].lower() else ""
        return "<" in written or "](" in written

    def in_group(self) -> list[Seen]:
        return [_seen(m) for m in self._far.to(self.group)]


def _quote(plain: dict[str, Any], answering: Seen) -> None:
    """Of a quoted card its key comes and no words, of a text its words, and its key where it has one."""
    raw = answering.raw
    of_card = raw["card"] is not None
    replied = {
        "msgId": f"quoted-{raw['key']}",
        "msgType": "interactiveCard" if of_card else "text",
        "senderId": dingtalk.BOT,
        "content": {} if of_card else {"text": raw["text"]},
    }
    plain["text"] |= {"isReplyMsg": True, "repliedMsg": replied}
    plain["originalMsgId"] = replied["msgId"]
    if answering.ref:
        plain["originalProcessQueryKey"] = answering.ref


def _seen(message: dict[str, Any]) -> Seen:
    card = message["card"]
    # What goes by a chat's reply address is given no key.
    ref = "" if message["via"] == "session" else message["key"]
    if card is None:
        return Seen(message["text"], ref=ref, raw=message)
    return Seen(said(message), card["title"], tuple(labels(card)), _links(card), ref, message)


def _links(card: dict[str, str]) -> dict[str, str]:
    if "sys_full_json_obj" in card:
        made = json.loads(card["sys_full_json_obj"])["msgButtons"]
        return {button["text"]: button["url"] for button in made if "url" in button}
    slots = [(card[f"btn{n}"], card[f"btn{n}_url"]) for n in range(1, 5)]
    return {label: url for label, url in slots if url}


@asynccontextmanager
async def _http() -> AsyncIterator[FarEnd]:
    async with FakeDingTalk() as far:
        yield DingTalkEnd(far, TEMPLATE)


@asynccontextmanager
async def _stream() -> AsyncIterator[FarEnd]:
    far, line = FakeDingTalk(), FakeStream(CLIENT_ID, SECRET)
    line.attach(far.app)
    async with far:
        yield DingTalkEnd(far, VENDOR_TEMPLATE, line)
    line.verify()


def _message(kind: str = "text", **more: Any) -> bytes:
    plain = {
        "msgId": "msg1==",
        "msgtype": kind,
        "conversationType": "2",
        "conversationId": "cidKeyFirms==",
        "senderStaffId": "staff1",
        "createAt": 1795334400000,
        "chatbotCorpId": CORP,
        "robotCode": ROBOT,
        **more,
    }
    return json.dumps(plain).encode()


def _text(text: str) -> bytes:
    return _message(text={"content": text})


def _click(**params: str) -> bytes:
    content = {"cardPrivateData": {"actionIds": ["btn1"], "params": params}}
    plain = {
        "type": "actionCallback",
        "outTrackId": "lhg-d-1-0123456789",
        "corpId": CORP,
        "userId": "staff1",
        "content": json.dumps(content),
    }
    return json.dumps(plain).encode()


def _event(kind: str, **more: str) -> bytes:
    return json.dumps({"EventType": kind, "CorpId": CORP, "eventId": "ev1", **more}).encode()


def _sealed_message(inside: bytes, at: float) -> RawRequest:
    stamp = str(int(at * 1000))
    headers = {"timestamp": stamp, "sign": robot_sign(SECRET, stamp)}
    return RawRequest("POST", "", {}, headers, inside, at)


def _sealed_click(inside: bytes, at: float) -> RawRequest:
    stamp = str(int(at * 1000))
    headers = {
        "x-ddpaas-signature-timestamp": stamp,
        "x-ddpaas-signature": card_sign(card_secret(SECRET), stamp),
    }
    return RawRequest("POST", "card", {}, headers, inside, at)


def _sealed_event(inside: bytes, at: float) -> RawRequest:
    envelope = Envelope(dingtalk.EVENT_TOKEN, dingtalk.EVENT_KEY, CLIENT_ID)
    encrypted, stamp, nonce = envelope.seal(inside), str(int(at * 1000)), "n1"
    query = {
        "msg_signature": envelope.signature(stamp, nonce, encrypted),
        "timestamp": stamp,
        "nonce": nonce,
    }
    body = json.dumps({"encrypt": encrypted}).encode()
    return RawRequest("POST", "event", query, {}, body, at)


def _hook(
    name: str,
    inside: bytes,
    strange: bytes,
    seal: Callable[[bytes, float], RawRequest],
    **more: Any,
) -> Hook:
    given = dingtalk.settings("http://127.0.0.1:9")
    return Hook("dingtalk", given, name, inside, strange, seal, **more)


ENDS = {"dingtalk-http": _http, "dingtalk-stream": _stream}
HOOKS = [
    _hook(
        "",
        _text("车间缺操作工20人"),
        _message("hologram"),
        _sealed_message,
        says=_text,
        # Nobody says how long; no other of the three gives up sooner than the events.
        deadline=1.5,
        covers=False,
    ),
    _hook(
        "card",
        _click(do="ticket.claim?t=1001&v=1&_k=ticket%3A1001"),
        _click(another="1"),
        _sealed_click,
        deadline=2.0,
        covers=False,
    ),
    _hook(
        "event",
        _event("robot_msg_read", UserId="staff1", ProcessQueryKey="pqk1="),
        _event("future_happened"),
        _sealed_event,
        deadline=1.5,
        # The same event is brought again until it is answered.
        ages=False,
    ),
]
