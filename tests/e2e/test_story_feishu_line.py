"""What is the long connection's own, against a strict Feishu on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.e2e.test_story_feishu import ACCOUNTS, GROUP, PROBLEM, ZHANG, ZHOU
from tests.kit.fake_feishu import APP_ID, SECRET, FakeFeishu
from tests.kit.fake_feishu_line import FakeLongConnection
from tests.kit.feishu import Caller, settings
from tests.kit.house import House
from tests.kit.scene import Scene, busy_database, introduced

LINE = "feishu.events"


@asynccontextmanager
async def scene(url: str) -> AsyncIterator[Scene]:
    far, line = FakeFeishu(), FakeLongConnection(APP_ID, SECRET)
    line.attach(far.app)
    async with far, House(url, settings(far.base, line=True)) as house:
        await introduced(house, "feishu", ACCOUNTS, GROUP)
        await line.connected.wait()
        yield Scene(house, far, Caller(house, far, line), line)
    line.verify()
    # It was closed, not lost.
    assert line.live == []


async def states(house: House) -> Any:
    return (await (await house.client.get("/readyz")).json())["lines"]


async def test_an_event_is_acknowledged_once_it_is_on_disk_and_is_one_ticket_however_often_it_comes(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        feishu: Any = s.house.app.platforms["feishu"]
        usual = feishu.lines[0]._pace
        feishu.lines[0]._pace = replace(usual, answer=0.2)
        event = s.caller.message(ZHANG, PROBLEM, GROUP, at_bot=True)
        with busy_database(sqlite_url):
            brought = await s.line.brings(event)
            # Not on disk: it is asked for again.
            assert await s.line.answer(brought) == (500, None)
            assert await s.house.count("tickets") == 0
        feishu.lines[0]._pace = usual
        assert await s.line.repeats() == 1
        await s.line.sees(lambda: s.line.codes(brought) == [500, 200])
        event["header"]["event_id"] += "-again"
        assert await s.caller.post(event) == (200, {})
        assert await s.house.count("tickets") == 1


async def test_nothing_is_taken_at_the_hooks_and_readyz_tells_how_the_line_is(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        for hook in ("", "/card"):
            response = await s.house.client.post(f"/hooks/feishu{hook}", json={"encrypt": "x"})
            assert response.status == 404
        assert await states(s.house) == {LINE: "up"}
        s.line.denials.append(503)
        await s.line.drops()
        assert await states(s.house) == {LINE: "down"}


async def test_only_who_leads_is_connected(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        s.house.app.lines.led(False)
        assert await states(s.house) == {LINE: "elsewhere"}
        await s.line.sees(lambda: s.line.live == [])
        s.line.connected.clear()
        s.house.app.lines.led(True)
        await s.line.connected.wait()
        assert (s.line.connections, s.line.most_open) == (2, 1)
        await s.caller.says(ZHANG, PROBLEM)
        assert await s.house.count("tickets") == 1


async def test_a_click_that_comes_in_several_frames_is_answered_with_its_new_card(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        click = s.caller.click(ZHOU, s.last_card(ZHOU), "认领")
        code, shown = await s.line.answer(await s.line.brings(click, pieces=3))
        assert (code, shown["toast"]["type"]) == (200, "success")
        assert "1001" in shown["toast"]["content"]
        assert "card" in shown
        assert (await s.house.ticket()).state == "in_progress"
