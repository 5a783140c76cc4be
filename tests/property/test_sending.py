"""Acceptance 7 and invariants 39-41: a far end that misbehaves loses, doubles and disorders nothing."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.clock import MovableClock
from bot.dispatcher import Dispatcher, Pace
from bot.platform import Capabilities, Decoded, Limit, RawRequest, Receipt, Rejected, Transient
from bot.writer import Overloaded, Writer
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery, Priority
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


async def test_40_who_sends_next_counts_what_was_sent_before(database_url: str) -> None:
    async with MoodyServer(per=2.0, count=20) as server:
        for _ in range(2):
            # Another process, or the same one started again.
            async with sending(database_url, server) as (writer, dispatcher):
                await writer.run(lambda uow: [uow.outbox.put(message("a")) for _ in range(15)])
                dispatcher.wake()
                assert (await ended(writer, dispatcher, 20))["sent"] % 15 == 0
        assert len(server.taken["a"]) == 30
        assert server.overrun == 0


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


class Plain:
    """A far end in the process, for what the network adds nothing to."""

    hooks: tuple[str, ...] = ()
    can = Capabilities(True, False, False, True, True, 20_000, 1.0)

    def __init__(self, name: str = "fake", limits: tuple[Limit, ...] = ()) -> None:
        self.name = name
        self.rules = limits
        self.taken: list[int] = []
        self.failing: set[int] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    def decode(self, request: RawRequest) -> Decoded:
        raise Rejected(404, "no_hook")

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return self.rules

    def lane(self, delivery: Delivery) -> str:
        return delivery.to.chat.id

    async def send(self, delivery: Delivery) -> Receipt:
        await self.gate.wait()
        if delivery.id in self.failing:
            self.failing.discard(delivery.id)
            raise Transient("500")
        self.taken.append(delivery.id)
        return Receipt(f"r{delivery.id}")

    async def close(self) -> None:
        return None


@asynccontextmanager
async def plainly(
    url: str, *platforms: Plain, pace: Pace = PACE, now: Callable[[], datetime] = lambda: NOW
) -> AsyncIterator[tuple[Writer, Dispatcher]]:
    writer = Writer(engine_for(url), Shared(now))
    writer.start()
    dispatcher = Dispatcher(writer, {p.name: p for p in platforms}, now, pace)
    dispatcher.start()
    try:
        yield writer, dispatcher
    finally:
        await dispatcher.stop()
        await writer.stop()


async def test_a_lane_that_waits_longer_than_its_lease_sends_nothing_twice(sqlite_url: str) -> None:
    platform = Plain(limits=(Limit("k", 1, 0.05),))
    pace = Pace(send_seconds=0.1, lease=0.3)
    async with plainly(sqlite_url, platform, pace=pace) as (writer, dispatcher):
        rows = await writer.run(lambda uow: [uow.outbox.put(message("a")) for _ in range(15)])
        assert await ended(writer, dispatcher, 10) == {"sent": 15}
        assert platform.taken == rows


async def test_a_row_that_another_process_finished_does_not_block_its_lane(sqlite_url: str) -> None:
    platform = Plain()
    async with plainly(sqlite_url, platform, pace=Pace(first_retry=0.2)) as (writer, dispatcher):
        platform.gate.clear()
        rows = await writer.run(lambda uow: [uow.outbox.put(message("a")) for _ in range(3)])
        platform.failing = {rows[0]}
        dispatcher.wake()
        platform.gate.set()
        while rows[0] in platform.failing:
            await asyncio.sleep(0.005)
        await writer.run(lambda uow: uow.outbox.sent(rows[0]))
        assert await ended(writer, dispatcher, 5) == {"sent": 3}
        assert platform.taken == rows[1:]


async def test_draining_one_platform_does_not_wait_for_another(sqlite_url: str) -> None:
    quick, slow = Plain("quick"), Plain("slow")
    slow.gate.clear()
    async with plainly(sqlite_url, quick, slow) as (writer, dispatcher):
        await writer.run(lambda uow: uow.outbox.put(_to("slow")))
        await writer.run(lambda uow: uow.outbox.put(_to("quick")))
        await asyncio.wait_for(dispatcher.drain(["quick"]), 0.5)
        assert (len(quick.taken), len(slow.taken)) == (1, 0)
        slow.gate.set()


async def test_what_was_sent_is_recorded_though_the_queue_was_full(sqlite_url: str) -> None:
    platform = Plain()
    platform.gate.clear()
    async with plainly(sqlite_url, platform) as (writer, dispatcher):
        rows = await writer.run(lambda uow: [uow.outbox.put(message("a")) for _ in range(3)])
        dispatcher.wake()
        while await writer.read(lambda uow: uow.outbox.counts()) != {"sending": 3}:
            await asyncio.sleep(0.005)
        held = threading.Event()
        blocked = writer.submit(lambda uow: held.wait(5))
        fill = []
        try:
            while True:
                fill.append(writer.submit(lambda uow: None))
        except Overloaded:
            pass
        platform.gate.set()
        while not platform.taken:
            await asyncio.sleep(0.005)
        held.set()
        await asyncio.gather(blocked, *fill)
        assert await ended(writer, dispatcher, 5) == {"sent": 3}
        assert platform.taken == rows


async def test_a_row_that_waited_in_its_lane_is_asked_once_more(sqlite_url: str) -> None:
    clock = MovableClock(NOW, speed=0)
    platform = Plain(limits=(Limit("k", 1, 1.2),))
    async with plainly(sqlite_url, platform, pace=Pace(), now=clock.now) as (writer, dispatcher):
        late = replace(message("a"), not_after=NOW + timedelta(minutes=5))
        first, _ = await writer.run(lambda uow: [uow.outbox.put(m) for m in (message("a"), late)])
        dispatcher.wake()
        while await writer.read(lambda uow: uow.outbox.counts()) != {"sending": 1, "sent": 1}:
            await asyncio.sleep(0.005)
        clock.set(NOW + timedelta(minutes=6))
        assert await ended(writer, dispatcher, 5) == {"sent": 1, "superseded": 1}
        assert platform.taken == [first]


def _to(platform: str) -> Outgoing:
    return replace(message("a"), chat=ChatRef(platform, "a"))


async def test_who_names_a_short_wait_again_and_again_does_not_use_up_the_tries(
    sqlite_url: str,
) -> None:
    async with (
        MoodyServer(share=1.0, moods=("429",)) as server,
        sending(sqlite_url, server) as (writer, dispatcher),
    ):
        # Eight tries after 50 ms each would be over before that.
        asyncio.get_running_loop().call_later(0.8, server.calm)
        await writer.run(lambda uow: uow.outbox.put(message("a")))
        dispatcher.wake()
        assert await ended(writer, dispatcher, 10) == {"sent": 1}
