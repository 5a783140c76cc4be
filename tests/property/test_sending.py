"""Acceptance 7 and invariants 39-41: a far end that misbehaves loses, doubles and disorders nothing."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.dispatcher import Dispatcher, Pace
from bot.platform import Limit
from bot.throttle import Throttle
from bot.writer import Writer
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Priority
from handlers.ports import Outgoing
from storage.db import engine_for
from storage.uow import Shared
from tests.kit.builders import NOW
from tests.kit.fake_platform import FakePlatform, MoodyServer

FULL = os.environ.get("LHG_FULL") == "1"
PACE = Pace(send_seconds=1.0, first_retry=0.02, longest_retry=0.2, attempts=8, patience=0.2)


@asynccontextmanager
async def sending(
    url: str, server: MoodyServer, **more: Any
) -> AsyncIterator[tuple[Writer, Dispatcher]]:
    writer = Writer(engine_for(url), Shared(lambda: NOW, ("fake",)))
    writer.start()
    platform = FakePlatform(server, **more)
    dispatcher = Dispatcher(writer, {"fake": platform}, lambda: NOW, PACE)
    dispatcher.start()
    try:
        yield writer, dispatcher
    finally:
        await dispatcher.stop()
        await writer.stop()
        await platform.close()


def message(
    chat: str, priority: Priority = Priority.REPLY, kind: ChatKind = ChatKind.GROUP
) -> Outgoing:
    return Outgoing(
        Content("一句话"), chat=ChatRef("fake", chat), chat_kind=kind, priority=priority
    )


async def ended(writer: Writer, dispatcher: Dispatcher, seconds: float) -> dict[str, int]:
    """The counts once every row has ended, or when time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        counts = await writer.read(lambda uow: uow.outbox.counts())
        if not set(counts) & {"waiting", "sending"}:
            return counts
        dispatcher.wake()
        await asyncio.sleep(0.05)
    return await writer.read(lambda uow: uow.outbox.counts())


async def test_39_every_row_ends_while_thirty_percent_go_wrong(sqlite_url: str) -> None:
    chats, each = (20, 60) if FULL else (6, 25)
    async with (
        MoodyServer(share=0.3, per=0.5, count=20) as server,
        sending(sqlite_url, server) as (writer, dispatcher),
    ):
        for n in range(each):
            await writer.run(lambda uow: [uow.outbox.put(message(f"c{c}")) for c in range(chats)])
            if n % 10 == 0:
                dispatcher.wake()
        counts = await ended(writer, dispatcher, 90 if FULL else 40)
        assert set(counts) <= {"sent", "superseded", "dead"}, counts
        assert sum(counts.values()) == chats * each
        assert counts["sent"] > 0.95 * chats * each
        # 40. No robot's window is exceeded, as the far end counts.
        assert server.overrun == 0
        # Order within a chat is kept.
        for taken in server.taken.values():
            ids = list(dict.fromkeys(row for _, row in taken))
            assert ids == sorted(ids)


async def test_40_an_urgent_message_is_not_behind_a_broadcast(sqlite_url: str) -> None:
    async with (
        MoodyServer(per=1.0, count=20) as server,
        sending(sqlite_url, server) as (writer, dispatcher),
    ):
        await writer.run(
            lambda uow: [
                uow.outbox.put(message(f"c{n % 10}", Priority.BROADCAST)) for n in range(300)
            ]
        )
        dispatcher.wake()
        await asyncio.sleep(0.3)
        started = time.monotonic()
        row = await writer.run(lambda uow: uow.outbox.put(message("other", Priority.URGENT)))
        same = await writer.run(lambda uow: uow.outbox.put(message("c1", Priority.URGENT)))
        dispatcher.wake()
        while not server.taken["other"] and time.monotonic() - started < 5:
            await asyncio.sleep(0.01)
        assert time.monotonic() - started < 1.0
        assert server.taken["other"][0][1] == row
        await ended(writer, dispatcher, 20)
        order = [r for _, r in server.taken["c1"]]
        # Overtaken only what had already gone when it came.
        assert order.index(same) <= 22


async def test_41_one_targets_permanent_error_delays_or_repeats_no_other(sqlite_url: str) -> None:
    async with (
        MoodyServer(count=1000) as server,
        sending(sqlite_url, server) as (writer, dispatcher),
    ):
        server.refused.add("gone")
        await writer.run(
            lambda uow: [uow.outbox.put(message(c)) for c in ("a", "gone", "b", "gone", "c")]
        )
        counts = await ended(writer, dispatcher, 10)
        assert counts == {"sent": 3, "dead": 2}
        assert [len(server.taken[c]) for c in "abc"] == [1, 1, 1]


async def test_a_message_whose_fate_is_unknown_is_not_repeated_blindly(sqlite_url: str) -> None:
    async with (
        MoodyServer(share=1.0, seed=3) as server,
        sending(sqlite_url, server, repeatable=False) as (writer, dispatcher),
    ):
        server.chance.choice = lambda moods: "hang"  # type: ignore[method-assign,assignment]
        await writer.run(lambda uow: uow.outbox.put(message("a")))
        assert await ended(writer, dispatcher, 10) == {"dead": 1}


@pytest.mark.parametrize(("count", "per"), [(1, 5.0), (3, 2.0), (20, 60.0)])
def test_a_window_never_holds_more_than_its_count(count: int, per: float) -> None:
    throttle, limit = Throttle(), (Limit("k", count, per),)
    now, sent = 0.0, []
    for _ in range(count * 4):
        ready = throttle.ready_at(limit, now)
        now = max(now, ready)
        throttle.begin(limit)
        throttle.end(limit, now)
        sent.append(now)
    for index in range(len(sent) - count):
        assert sent[index + count] - sent[index] >= per - 1e-9


def test_a_cool_down_holds_everybody_under_its_key() -> None:
    throttle, limit = Throttle(), (Limit("k", 100, 1.0),)
    throttle.cool(limit, 50.0)
    assert throttle.ready_at(limit, 1.0) == 50.0
    assert throttle.ready_at((Limit("other", 1, 1.0),), 1.0) == 1.0
