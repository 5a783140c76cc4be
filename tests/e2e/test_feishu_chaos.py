"""Feishu at its worst: tokens end, calls are throttled, answers get lost, events come in any order."""

import asyncio
import json
import random
import time

import pytest

from bot.dispatcher import Pace
from tests.e2e.test_story_feishu import GROUP, ZHANG, ZHOU, scene
from tests.kit.fake_feishu import said
from tests.kit.feishu import KEY, SECRET, TOKEN
from tests.kit.house import House
from tests.kit.logged import logged

PROBLEMS = (
    "缺操作工20人，招不到",
    "厂门口路灯坏了5盏，晚上看不见",
    "西侧围墙外有异味，持续两天",
    "年底续贷要压三百万，资金周转不开",
    "东门卡口货车排队两公里，进不了厂",
    "食堂后面的雨水井堵了，积水很深",
)
# As patient as in production, but quick: a storm must not use up the tries.
PATIENT = Pace(send_seconds=2.0, first_retry=0.05, longest_retry=0.4, attempts=40)
FAULTS = ("expired", "throttled", "throttled_old", "busy", "broken", "half")


async def calm(house: House, seconds: float = 20.0) -> None:
    """Until nothing waits to be sent; what the caps on one person put off comes with the time."""
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        await house.app.dispatcher.drain()
        counts = await house.read(lambda uow: uow.outbox.counts())
        if not counts.get("waiting", 0) and not counts.get("sending", 0):
            return
        await asyncio.sleep(0.05)
        rounds += 1
        if rounds % 20 == 0:
            house.passes(minutes=20)
    raise AssertionError(counts)


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_storm_loses_nothing_and_says_nothing_twice(database_url: str) -> None:
    chance = random.Random(2)
    async with scene(database_url, PATIENT) as s:
        for problem in PROBLEMS:
            s.far.faults.extend(chance.choices(FAULTS, k=4))
            event = s.caller.message(ZHANG, problem, GROUP, at_bot=True)
            answers = await asyncio.gather(*(s.caller.post(event) for _ in range(3)))
            assert {status for status, _ in answers} == {200}
            s.house.passes(minutes=20)
        s.far.faults.extend(chance.choices(FAULTS, k=10))
        await calm(s.house)
        tickets = await s.house.count("tickets")
        assert tickets == len(PROBLEMS)
        counts = await s.house.read(lambda uow: uow.outbox.counts())
        assert counts.get("dead", 0) == 0
        sent = [(m["receive_id"], said(m)) for m in s.far.messages]
        assert len(set(sent)) == len(sent)
        for number in range(1001, 1001 + tickets):
            assert any(f"#{number}" in words for to, words in sent if to == GROUP)
        # What was taken without an answer was asked for again under the same uuid.
        assert s.far.repeats


@pytest.mark.timeout(60)
async def test_the_order_of_one_chat_survives_a_storm(sqlite_url: str) -> None:
    async with scene(sqlite_url, PATIENT) as s:
        await s.caller.says(ZHANG, PROBLEMS[0])
        s.far.faults.extend(["broken", "half", "expired", "busy"])
        for words in ("认领 1001", "进展 1001 已联系人社局", "进展 1001 周三组织招聘"):
            await s.caller.says(ZHOU, words)
        await calm(s.house)
        told = [w for w in s.far.words(ZHOU) if "1001" in w]
        claimed = next(n for n, w in enumerate(told) if "已由您认领" in w)
        assert any("进展" in w for w in told[claimed + 1 :])


async def test_clicks_that_come_twice_or_late_settle_once(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEMS[0])
        await s.house.app.dispatcher.drain()
        card = s.last_card(ZHOU)
        clicks = [s.caller.click(ZHOU, card, "认领") for _ in range(5)]
        await asyncio.gather(*(s.caller.post(click, "/card") for click in clicks))
        history = await s.house.read(lambda uow: uow.tickets.history(1001))
        assert [entry.move.value for entry in history].count("claim") == 1


async def test_no_secret_leaves_the_house(sqlite_url: str) -> None:
    """Logs, metrics, the API and doctor after everything that could be refused was refused."""
    with logged() as stream:
        async with scene(sqlite_url) as s:
            await s.caller.says(ZHANG, PROBLEMS[0], GROUP, at_bot=True)
            s.far.faults.extend(["expired", "broken", "lie", "throttled"])
            s.far.refusals[ZHOU] = 230013
            await calm(s.house)
            body, headers = s.caller.sealed(s.caller.message(ZHANG, "canary-words"))
            for spoiled in (
                {**headers, "X-Lark-Signature": "0" * 64},
                {k: v for k, v in headers.items() if k != "X-Lark-Signature"},
            ):
                refused = await s.house.client.post("/hooks/feishu", data=body, headers=spoiled)
                assert refused.status == 403
                assert await refused.read() == b""
            wrong = s.caller.message(ZHANG, "x")
            wrong["header"]["token"] = "canary-other"
            assert (await s.caller.post(wrong))[0] == 403
            outbox = await s.house.api("GET", "/outbox?state=dead")
            metrics = await (await s.house.client.get("/metrics")).text()
    kept = stream.getvalue() + metrics + json.dumps(outbox)
    assert "230013" in kept
    for secret in (SECRET, TOKEN, KEY, "t-canary", "canary-words", "canary-other"):
        assert secret not in kept
