"""The built-in sandbox as a platform: its far end is a table of this product."""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.platform import (
    Body,
    Capabilities,
    Decoded,
    Fetched,
    Gone,
    Limit,
    Permanent,
    Platform,
    RawRequest,
    Receipt,
    Rejected,
    Say,
    Section,
    Setting,
)
from handlers.chat.events import Attachment, ChatKind
from handlers.chat.outbound import Address, Delivery, Enclosure

TITLE: Final = "网页试用（沙箱）"
SETTINGS: Final = (
    Setting("LHG_SANDBOX", "网页聊天沙盒：1 打开，0 关闭；demo 命令总是打开", default="0"),
)
Deliver = Callable[[Delivery], Awaitable[Receipt]]
Give = Callable[[str], Awaitable[bytes | None]]
TakeBack = Callable[[int], Awaitable[bool]]


class SandboxPlatform:
    """`deliver`, `give` and `take_back` are set by the application: a platform does not know the
    storage."""

    name = "sandbox"
    hooks: tuple[str, ...] = ()
    recall_seconds = math.inf
    can = Capabilities(
        callback_buttons=True,
        update_cards=True,
        mentions=True,
        group_push=True,
        direct=True,
        max_text_bytes=20_480,
        budget_seconds=10.0,
        repeats_known=True,
    )

    def __init__(self) -> None:
        self.deliver: Deliver | None = None
        self.give: Give | None = None
        self.take_back: TakeBack | None = None

    def decode(self, request: RawRequest) -> Decoded:
        raise Rejected(404, "no_hook")

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return ()

    def lane(self, delivery: Delivery) -> str:
        return sandbox_chat(delivery.to)

    async def send(self, delivery: Delivery) -> Receipt:
        if self.deliver is None:
            raise Permanent("sandbox_off")
        return await self.deliver(delivery)

    def takes(self, to: Address, file: Enclosure) -> bool:
        return True

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        """Nothing is brought anywhere: the page asks for the file where it lies."""
        return lambda: self.send(delivery)

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        """A file; of a card people should see what became of it."""
        for ref in refs:
            if self.take_back is None or not await self.take_back(int(ref)):
                raise Permanent("stays")

    async def fetch(self, attachment: Attachment) -> Fetched:
        body = None if self.give is None else await self.give(attachment.url)
        if body is None:
            raise Gone("no_such_picture")
        return Fetched(body)

    async def close(self) -> None:
        return None


def sandbox_chat(to: Address) -> str:
    """The chat id as the page knows it: `dm:` and the user for direct chats."""
    return f"dm:{to.chat.id}" if to.kind is ChatKind.DIRECT else to.chat.id


def build(section: Section) -> Platform | None:
    return SandboxPlatform() if section.get("LHG_SANDBOX") == "1" else None
