"""What many want at once is brought once; who stops waiting does not stop it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.client import Uploads
from bot.platform import Permanent, Transient


class Bringing:
    """Counts how often it was begun; ends as it is told."""

    def __init__(self) -> None:
        self.begun = 0
        self.held = asyncio.Event()
        self.fault: Exception | None = None

    def __call__(self) -> Callable[[], Awaitable[str]]:
        async def bring() -> str:
            self.begun += 1
            await self.held.wait()
            if self.fault is not None:
                raise self.fault
            return f"key{self.begun}"

        return bring


async def test_everybody_waits_for_the_one_bringing() -> None:
    uploads, bringing = Uploads(60), Bringing()
    waiting = [asyncio.create_task(uploads.get("a", bringing())) for _ in range(5)]
    await asyncio.sleep(0)
    bringing.held.set()
    assert await asyncio.gather(*waiting) == ["key1"] * 5
    assert await uploads.get("a", bringing()) == "key1"
    assert await uploads.get("b", bringing()) == "key2"
    await uploads.close()


async def test_who_gives_up_leaves_it_to_go_on() -> None:
    uploads, bringing = Uploads(60), Bringing()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(uploads.get("a", bringing()), 0.01)
    bringing.held.set()
    assert await uploads.get("a", bringing()) == "key1"
    assert bringing.begun == 1
    await uploads.close()


async def test_what_passes_is_tried_again_and_what_is_refused_is_not() -> None:
    uploads, bringing = Uploads(60), Bringing()
    bringing.held.set()
    for fault, begun in ((Transient("busy"), 2), (Permanent("type"), 3)):
        bringing.fault = fault
        for _ in range(2):
            with pytest.raises(type(fault)):
                await uploads.get("a", bringing())
        assert bringing.begun == begun
    await uploads.close()


async def test_what_is_over_or_dropped_is_brought_anew() -> None:
    uploads, bringing = Uploads(0.0), Bringing()
    bringing.held.set()
    assert [await uploads.get("a", bringing()) for _ in range(2)] == ["key1", "key2"]
    longer = Uploads(60)
    assert await longer.get("a", bringing()) == "key3"
    longer.drop("a")
    assert await longer.get("a", bringing()) == "key4"


async def test_closing_ends_what_is_under_way() -> None:
    uploads, bringing = Uploads(60), Bringing()
    waiting = asyncio.create_task(uploads.get("a", bringing()))
    await asyncio.sleep(0.01)
    await uploads.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
