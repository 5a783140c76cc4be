"""Feishu by its HTTP callbacks and by its long connection."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from bot.platform import RawRequest
from bot.platforms.feishu.crypto import Envelope
from tests.kit import feishu
from tests.kit.fake_feishu import APP_ID, SECRET, FakeFeishu, said
from tests.kit.fake_feishu_line import FakeLongConnection
from tests.kit.far_ends import FarEnd, Hook, Seen, Ways
from tests.kit.house import House


class FeishuEnd:
    platform = "feishu"
    ways = Ways(tells_reading=True, replaces_in_group=True)
    group = "oc_36b3216fdaeeb975729fae923d5a4fd1"
    robot = ""

    def __init__(self, far: FakeFeishu, line: FakeLongConnection | None = None) -> None:
        self._far = far
        self._line = line
        self._caller: feishu.Caller

    @property
    def settings(self) -> dict[str, str]:
        return feishu.settings(self._far.base, self._line is not None)

    def account(self, person: str) -> str:
        return f"ou_{person.replace('-', '_').lower()}"

    async def meets(self, house: House, people: Iterable[str]) -> None:
        self._caller = feishu.Caller(house, self._far, self._line)
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
        more = {} if answering is None else {"parent_id": answering.ref, "root_id": answering.ref}
        event = self._caller.message(self.account(person), text, chat, at_bot=in_group, **more)
        for number in range(times):
            # A repeat may come under an event id of its own.
            event["header"]["event_id"] += "-again" * number
            assert await self._caller.post(event) == (200, {})

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        shown = await self._caller.presses(self.account(person), message.raw, label)
        if "card" not in shown:
            return None
        message.raw["card"] = shown["card"]["data"]
        return _seen(message.raw)

    async def reads(self, person: str, *messages: Seen) -> None:
        await self._caller.reads(self.account(person), *(m.ref for m in messages))

    def seen(self, person: str) -> list[Seen]:
        return [_seen(m) for m in self._far.to(self.account(person))]

    def alive(self, message: Seen) -> bool:
        """In a card only markdown is read as more than letters."""
        written = [message.raw["text"], *_markdown(message.raw["card"])]
        return any("<at id=all" in one or "<a " in one or "](" in one for one in written)

    def in_group(self) -> list[Seen]:
        return [_seen(m) for m in self._far.to(self.group)]


def _markdown(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for one in node for found in _markdown(one)]
    if not isinstance(node, dict):
        return []
    own = [node["content"]] if node.get("tag") == "markdown" else []
    return own + [found for one in node.values() for found in _markdown(one)]


def _seen(message: dict[str, Any]) -> Seen:
    card, ref = message["card"], message["message_id"]
    if card is None:
        return Seen(message["text"], ref=ref, raw=message)
    links = {
        button["text"]["content"]: behaviour["default_url"]
        for button in feishu.buttons(card)
        for behaviour in button["behaviors"]
        if behaviour["type"] == "open_url"
    }
    title = card["header"]["title"]["content"]
    return Seen(said(message), title, tuple(feishu.labels(card)), links, ref, message)


@asynccontextmanager
async def _http() -> AsyncIterator[FarEnd]:
    async with FakeFeishu() as far:
        yield FeishuEnd(far)


@asynccontextmanager
async def _line() -> AsyncIterator[FarEnd]:
    far, line = FakeFeishu(), FakeLongConnection(APP_ID, SECRET)
    line.attach(far.app)
    async with far:
        yield FeishuEnd(far, line)
    line.verify()


def _inside(kind: str, event: dict[str, Any]) -> bytes:
    header = {
        "event_id": "ev-1",
        "event_type": kind,
        "create_time": "1795334400000",
        "token": feishu.TOKEN,
        "app_id": APP_ID,
        "tenant_key": feishu.TENANT,
    }
    return json.dumps({"schema": "2.0", "header": header, "event": event}).encode()


def _message(text: str) -> bytes:
    message = {
        "message_id": "om_1",
        "chat_id": "oc_1",
        "chat_type": "group",
        "message_type": "text",
        "create_time": "1795334400000",
        "content": json.dumps({"text": text}),
    }
    sender = {"sender_id": {"open_id": "ou_1"}, "sender_type": "user"}
    return _inside("im.message.receive_v1", {"sender": sender, "message": message})


def _sealing(hook: str) -> Callable[[bytes, float], RawRequest]:
    def sealed(inside: bytes, at: float) -> RawRequest:
        envelope = Envelope(feishu.KEY)
        body = json.dumps({"encrypt": envelope.seal(inside)}).encode()
        stamp, nonce = str(int(at)), "n0nce"
        headers = {
            "X-Lark-Request-Timestamp": stamp,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": envelope.signature(stamp, nonce, body),
        }
        return RawRequest("POST", hook, {}, headers, body, at)

    return sealed


ENDS = {"feishu": _http, "feishu-line": _line}
HOOKS = [
    Hook(
        "feishu",
        feishu.settings("http://127.0.0.1:9"),
        name,
        _message("车间缺操作工20人"),
        _inside("im.future.happened_v9", {}),
        _sealing(name),
        _message,
        deadline=3.0,
    )
    for name in ("", "card")
]
