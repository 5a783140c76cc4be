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


async def test_what_says_when_to_come_again_is_not_asked_before() -> None:
    seconds, bringing = [0.0], Bringing()
    uploads = Uploads(60, lambda: seconds[0])
    bringing.held.set()
    bringing.fault = Transient("429", 30.0)
    for _ in range(3):
        with pytest.raises(Transient):
            await uploads.get("a", bringing())
    assert bringing.begun == 1
    bringing.fault = None
    seconds[0] = 30.0
    assert await uploads.get("a", bringing()) == "key2"


async def test_what_is_over_or_dropped_is_brought_anew() -> None:
    seconds, bringing = [0.0], Bringing()
    uploads = Uploads(60, lambda: seconds[0])
    bringing.held.set()
    for at, key in ((0.0, "key1"), (59.9, "key1"), (60.0, "key2")):
        seconds[0] = at
        assert await uploads.get("a", bringing()) == key
    uploads.drop("a")
    assert await uploads.get("a", bringing()) == "key3"


async def test_closing_ends_what_is_under_way() -> None:
    uploads, bringing = Uploads(60), Bringing()
    waiting = asyncio.create_task(uploads.get("a", bringing()))
    await asyncio.sleep(0.01)
    await uploads.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
