"""Feishu by its HTTP callbacks."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.kit import feishu
from tests.kit.fake_feishu import FakeFeishu, said
from tests.kit.far_ends import FarEnd, Seen, Ways
from tests.kit.house import House


class FeishuEnd:
    platform = "feishu"
    ways = Ways(tells_reading=True, replaces_in_group=True)
    group = "oc_36b3216fdaeeb975729fae923d5a4fd1"
    robot = ""

    def __init__(self, far: FakeFeishu) -> None:
        self._far = far
        self._caller: feishu.Caller

    @property
    def settings(self) -> dict[str, str]:
        return feishu.settings(self._far.base)

    def account(self, person: str) -> str:
        return f"ou_{person.replace('-', '_').lower()}"

    async def meets(self, house: House, people: Iterable[str]) -> None:
        self._caller = feishu.Caller(house, self._far)

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

    def in_group(self) -> list[Seen]:
        return [_seen(m) for m in self._far.to(self.group)]


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


ENDS = {"feishu": _http}
