"""What DingTalk's limits and lost answers make of what waits to be sent."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from bot.dispatcher import Pace
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content
from handlers.domain.people import Chat
from handlers.ports import Outgoing
from storage.migrate import upgrade
from storage.uow import UnitOfWork
from tests.kit.chaos import Storm
from tests.kit.chaos_dingtalk import Stormy
from tests.kit.dingtalk import settings
from tests.kit.fake_dingtalk import FakeDingTalk
from tests.kit.house import START, House
from tests.kit.virtual import Loop, Machine, WallClock, machine

GROUP, OUTSIDE, ZHOU = "cidStormGroup==", "chat-of-outsiders", "zhoulian"
# As patient as in production, but quick: a storm must not use up the tries.
PATIENT = Pace(send_seconds=2.0, first_retry=0.02, longest_retry=0.1, attempts=40)
AS_IN_PRODUCTION = Pace()


def to(chat: str, text: str, kind: ChatKind = ChatKind.DIRECT) -> Outgoing:
    return Outgoing(Content(text), chat=ChatRef("dingtalk", chat), chat_kind=kind)


async def says(house: House, *messages: Outgoing) -> None:
    def put(uow: UnitOfWork) -> None:
        for message in messages:
            uow.outbox.put(message)

    await house.app.writer.run(put)
    await house.app.dispatcher.drain()


async def groups_with_robots(house: House, far: FakeDingTalk) -> None:
    def save(uow: UnitOfWork) -> None:
        for chat, robot in ((GROUP, "inside"), (OUTSIDE, "outside")):
            uow.chats.save_chat(
                Chat("dingtalk", chat, "群", "group", True, robot_url=far.robot(robot))
            )

    await house.app.writer.run(save)


async def calm(house: House, seconds: float = 20.0) -> None:
    """Until nothing waits to be sent."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await house.app.dispatcher.drain()
        counts = await house.read(lambda uow: uow.outbox.counts())
        if not counts.get("waiting", 0) and not counts.get("sending", 0):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(counts)


@pytest.mark.parametrize(("fault", "arrived"), [("slow", 0), ("half", 1)])
async def test_what_nobody_can_know_is_shelved_once_and_said_again_only_by_a_person(
    sqlite_url: str, fault: str, arrived: int
) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=PATIENT) as house,
    ):
        text = "#1024 请于今天反馈"
        far.faults.append(fault)
        await says(house, to(ZHOU, text))
        await calm(house)
        assert far.words() == [text] * arrived
        (row,) = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert row["error"].startswith("unsure:")
        await house.api("POST", f"/outbox/{row['id']}/retry", {})
        await calm(house)
        assert far.words() == [text] * (arrived + 1)


@pytest.mark.timeout(60)
async def test_a_burst_stays_within_what_the_platform_takes(sqlite_url: str) -> None:
    async with (
        FakeDingTalk(per_second=20) as far,
        House(sqlite_url, settings(far.base), pace=PATIENT) as house,
    ):
        await says(house, *(to(f"person{n}", f"通知{n}") for n in range(40)))
        await calm(house)
        # More than 20 a second would have been refused, and counted by the far end.
        assert far.overrun == 0
        assert sorted(far.words()) == sorted(f"通知{n}" for n in range(40))


async def test_a_robot_that_must_be_silent_silences_nobody_else(sqlite_url: str) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=AS_IN_PRODUCTION) as house,
    ):
        await groups_with_robots(house, far)
        far.robot_code = 130101
        await says(house, to(OUTSIDE, "停水通知", ChatKind.GROUP))
        await says(house, to(ZHOU, "#1024 请于今天反馈"), to(GROUP, "停电通知", ChatKind.GROUP))
        assert far.words(ZHOU) == ["#1024 请于今天反馈"]
        assert far.words(GROUP) == ["停电通知"]
        assert far.robot_said == []


async def test_the_months_end_for_people_leaves_each_groups_robot_at_once(
    sqlite_url: str,
) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=AS_IN_PRODUCTION) as house,
    ):
        await groups_with_robots(house, far)
        far.faults.append("month")
        await says(house, to(ZHOU, "#1024 请于今天反馈"))
        calls = far.calls
        await says(
            house, to(OUTSIDE, "停水通知", ChatKind.GROUP), to(GROUP, "停电通知", ChatKind.GROUP)
        )
        assert sorted(m["text"] for m in far.robot_said) == ["停水通知", "停电通知"]
        # Each call more would only be refused.
        assert far.calls == calls


def test_an_hour_without_the_platform_gives_nothing_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hour.db'}"
    upgrade(url)
    text = "#1024 请于今天反馈"
    storm = Storm(random.Random(1))

    async def lived(clock: Machine) -> list[str]:
        async with (
            Stormy(storm) as far,
            House(url, settings(far.base), pace=AS_IN_PRODUCTION, clock=WallClock()) as house,  # type: ignore[arg-type]
        ):
            clock.busy = lambda: house.app.writer.busy
            storm.rises(("broken",), 1.0, 3600.0)
            await says(house, to(ZHOU, text))
            until = time.monotonic() + 2 * 3600.0
            while not far.messages and time.monotonic() < until:
                clock.passes(30.0)
                await house.app.dispatcher.drain()
            clock.busy = lambda: False
            return far.words()

    with machine(START) as clock, asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        assert runner.run(lived(clock)) == [text]
