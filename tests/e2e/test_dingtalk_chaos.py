"""DingTalk at its worst: tokens end, calls are throttled, answers get lost, HTTP 200 lies."""

import asyncio
import io
import json
import logging
import random
import time

import pytest

from bot import logs
from bot.dispatcher import Pace
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content
from handlers.domain.people import Chat, Identity
from handlers.ports import Outgoing
from storage.uow import UnitOfWork
from tests.kit.dingtalk import EVENT_KEY, EVENT_TOKEN, Caller, settings
from tests.kit.fake_dingtalk import ROBOT_SECRET, SECRET, FakeDingTalk, said
from tests.kit.house import House

GROUP = "cidStormGroup=="
ZHANG, ZHOU = "zhangjing", "zhoulian"
ACCOUNTS = ((ZHANG, "E003-1"), (ZHOU, "P041"), ("xulead", "P028"), ("duty", "P055"))
PROBLEMS = (
    "缺操作工20人，招不到",
    "厂门口路灯坏了5盏，晚上看不见",
    "西侧围墙外有异味，持续两天",
    "年底续贷要压三百万，资金周转不开",
    "东门卡口货车排队两公里，进不了厂",
    "食堂后面的雨水井堵了，积水很深",
)
# As patient as in production, but quick: a storm must not use up the tries.
PATIENT = Pace(send_seconds=2.0, first_retry=0.02, longest_retry=0.1, attempts=40)
# After these the message surely was not taken, and after the last it was, without an answer.
FAULTS = ("expired", "throttled", "throttled_old", "page", "month", "busy", "broken", "half")


def accounts(uow: UnitOfWork) -> None:
    for user, person in ACCOUNTS:
        uow.people.save_identity(Identity("dingtalk", user, person))
    uow.chats.save_chat(Chat("dingtalk", GROUP, "群", "group", True))


def to(user: str, text: str) -> Outgoing:
    chat = ChatRef("dingtalk", user)
    return Outgoing(Content(text), chat=chat, chat_kind=ChatKind.DIRECT)


async def calm(house: House, seconds: float = 20.0) -> None:
    """Until nothing waits to be sent; what the caps on one person put off comes with the time."""
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        await house.app.dispatcher.drain()
        counts = await house.read(lambda uow: uow.outbox.counts())
        if not counts.get("waiting", 0) and not counts.get("sending", 0):
            return
        await asyncio.sleep(0.02)
        rounds += 1
        if rounds % 5 == 0:
            house.passes(minutes=20)
    raise AssertionError(counts)


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_storm_loses_nothing_and_says_nothing_twice(database_url: str) -> None:
    chance = random.Random(5)
    async with (
        FakeDingTalk() as far,
        House(database_url, settings(far.base), pace=PATIENT) as house,
    ):
        await house.app.writer.run(accounts)
        caller = Caller(house, far)
        for problem in PROBLEMS[:4]:
            far.faults.extend(chance.choices(FAULTS, k=4))
            event = caller.message(ZHANG, problem, GROUP)
            answers = await asyncio.gather(*(caller.post(event) for _ in range(3)))
            assert {status for status, _ in answers} == {200}
            house.passes(minutes=20)
        far.faults.extend(chance.choices(FAULTS, k=10))
        await calm(house)
        tickets = await house.count("tickets")
        assert tickets == 4
        told = [(m["to"], said(m)) for m in far.messages]
        assert len(set(told)) == len(told)
        for number in range(1001, 1001 + tickets):
            assert any(f"#{number}" in words for to, words in told if to == GROUP)
        # A text without an answer is not said again but shelved, for a person to judge; a card is
        # asked for again under its own name.
        shelved = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert all(row["error"].startswith("unsure:") for row in shelved)
        assert far.repeats


@pytest.mark.parametrize(("fault", "arrived"), [("slow", 0), ("half", 1)])
async def test_what_nobody_can_know_is_shelved_once_and_said_again_only_by_a_person(
    sqlite_url: str, fault: str, arrived: int
) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=PATIENT) as house,
    ):
        text = "#1024 请于今天反馈"
        await house.app.writer.run(lambda uow: uow.outbox.put(to(ZHOU, text)))
        far.faults.append(fault)
        await calm(house)
        assert far.words() == [text] * arrived
        (row,) = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert row["error"].startswith("unsure:")
        await house.api("POST", f"/outbox/{row['id']}/retry", {})
        await calm(house)
        assert far.words() == [text] * (arrived + 1)


@pytest.mark.timeout(60)
async def test_the_order_of_one_chat_survives_a_storm(sqlite_url: str) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=PATIENT) as house,
    ):
        for number in range(8):
            await house.app.writer.run(lambda uow, n=number: uow.outbox.put(to(ZHOU, f"第{n}条")))
            if number % 3 == 0:
                far.faults.extend(["broken", "expired", "throttled"])
        await calm(house)
        assert far.words(ZHOU) == [f"第{n}条" for n in range(8)]


@pytest.mark.timeout(60)
async def test_a_burst_stays_within_what_the_platform_takes(sqlite_url: str) -> None:
    async with (
        FakeDingTalk(per_second=20) as far,
        House(sqlite_url, settings(far.base), pace=PATIENT) as house,
    ):

        def burst(uow: UnitOfWork) -> None:
            for number in range(40):
                uow.outbox.put(to(f"person{number}", f"通知{number}"))

        await house.app.writer.run(burst)
        await calm(house)
        # More than 20 a second would have been refused, and counted by the far end.
        assert far.overrun == 0
        assert sorted(far.words()) == sorted(f"通知{n}" for n in range(40))


async def test_no_secret_leaves_the_house(sqlite_url: str) -> None:
    """Logs, metrics, the API and doctor after everything that could be refused was refused."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure("json", logging.DEBUG, stream)
    try:
        async with FakeDingTalk() as far, House(sqlite_url, settings(far.base)) as house:
            await house.app.writer.run(accounts)
            robot = far.robot()
            await house.app.writer.run(
                lambda uow: uow.chats.save_chat(
                    Chat("dingtalk", "external-1", "外部群", "group", True, robot_url=robot)
                )
            )
            far.robot_code = 300001
            await house.app.writer.run(
                lambda uow: uow.outbox.put(
                    Outgoing(Content("canary-words"), chat=ChatRef("dingtalk", "external-1"))
                )
            )
            caller = Caller(house, far)
            await caller.says(ZHANG, PROBLEMS[0], GROUP)
            far.faults.extend(["expired", "broken", "lie", "throttled"])
            far.refusals[ZHOU] = "staffId.notExisted"
            await calm(house)
            outbox = await house.api("GET", "/outbox?state=dead")
            metrics = await (await house.client.get("/metrics")).text()
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    kept = stream.getvalue() + metrics + json.dumps([row["error"] for row in outbox["items"]])
    assert "staffId.notExisted" in kept
    assert "300001" in kept
    for secret in (SECRET, ROBOT_SECRET, EVENT_TOKEN, EVENT_KEY, "canary"):
        assert secret not in kept
