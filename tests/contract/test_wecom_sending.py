"""What the self-built app of WeCom answers and what becomes of a message then."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.client import Client
from bot.platform import Decoded, Outdated, Permanent, Reply
from bot.platforms import wecom
from bot.platforms.wecom.api import AppApi
from bot.platforms.wecom.kf import Kf, Pace
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery
from tests.kit.cards import a_card
from tests.kit.fake_wecom import KF, FakeWeCom
from tests.kit.platforms import built
from tests.kit.wecom import CORP, settings

ZHANG = Address(ChatRef("wecom", "ZhangJing"), ChatKind.DIRECT)
LONG = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1200)))


@asynccontextmanager
async def speaking(far: FakeWeCom) -> AsyncIterator[wecom.WeCom]:
    platform = built("wecom", settings(far.base))
    try:
        yield platform
    finally:
        await platform.close()


async def test_the_same_words_said_again_are_shown_again_and_a_repeat_is_not() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        for number in (1, 1, 2, 1, 2):
            await platform.send(Delivery(number, ZHANG, Content("您可以说：查 1024")))
        assert len(far.app_messages) == 2


async def test_a_message_of_yesterday_stays_and_the_caller_is_told() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        receipt = await platform.send(Delivery(1, ZHANG, Content("#1024 已登记")))
        far.settled.add(receipt.ref)
        with pytest.raises(Permanent, match="40058"):
            await platform.recall(ZHANG, (receipt.ref,))


async def test_a_cards_code_is_used_once_and_a_click_brings_one_more() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        sent = await platform.send(Delivery(1, ZHANG, Content.of(a_card())))
        newer = Content.of(a_card(status="办理中", revision=2))
        clicked = Delivery(
            2, ZHANG, newer, reply_token=f"code:{far.press('code-1')}", update_ref=sent.card_ref
        )
        assert (await platform.send(clicked)).card_ref == ""
        # The code of the sending is still there, and after this is not.
        second = await platform.send(Delivery(3, ZHANG, newer, update_ref=sent.card_ref))
        asked = len(far.updates)
        with pytest.raises(Outdated):
            await platform.send(Delivery(4, ZHANG, newer, update_ref=second.card_ref))
        assert len(far.updates) == asked == 2
        again = replace(clicked, id=5, reply_token=f"code:{far.press('code-2')}")
        await platform.send(replace(again, update_ref=second.card_ref))
        assert len(far.updates) == 3


async def test_a_code_older_than_three_days_is_not_tried() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        old = int(time.time()) - 72 * 3600
        with pytest.raises(Outdated):
            await platform.send(
                Delivery(1, ZHANG, Content.of(a_card()), update_ref=f"code-1@{old}")
            )
        assert far.updates == []


async def test_a_late_answer_that_was_used_up_leaves_the_rest_to_the_robot() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        robot = f"{far.base}/cgi-bin/webhook/send?key=robot-1"
        group = Address(ChatRef("wecom", "wrGroup"), ChatKind.GROUP, robot)
        token = f"{far.base}/cgi-bin/aibot/response?response_code=once"
        for number in (1, 2):
            said = Content(f"#1024 第{number}条")
            await platform.send(Delivery(number, group, said, reply_token=token))
        assert [code for code, _ in far.late] == ["once"]
        assert [key for key, _ in far.robot_messages] == ["robot-1"]
        silent = Address(ChatRef("wecom", "wrGroup"), ChatKind.GROUP)
        with pytest.raises(Permanent, match="40008"):
            await platform.send(Delivery(3, silent, Content("#1024"), reply_token=token))


async def test_every_way_is_counted_with_the_limit_that_its_page_names() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        robot = f"{far.base}/cgi-bin/webhook/send?key=robot-1"
        group = Address(ChatRef("wecom", "wrGroup"), ChatKind.GROUP, robot)
        alone = [(limit.count, limit.per) for limit in platform.limits(ZHANG)]
        assert alone == [(30, 60.0), (1000, 3600.0)]
        assert [(limit.count, limit.per) for limit in platform.limits(group)] == [(20, 60.0)]
        # The address is the robot's secret: no key of a limit or a lane holds it.
        held = [limit.key for limit in platform.limits(group)]
        assert not any("robot-1" in key for key in held)
        assert "robot-1" not in platform.lane(Delivery(1, group, Content("x")))


async def test_a_notice_that_could_not_be_followed_for_ten_minutes_holds_nothing_up() -> None:
    wall = [time.time()]
    heard: list[str] = []
    kept: dict[str, str] = {}

    class Kept:
        async def get(self, key: str) -> str:
            return kept.get(key, "")

        async def put(self, key: str, value: str) -> None:
            kept[key] = value

    async def hear(decoded: Decoded, reply: Reply) -> bool:
        heard.extend(event.text for event in decoded.events)
        return True

    async with FakeWeCom() as far:
        client = Client()
        calls = AppApi(client, far.base, CORP, "app-secret", 1000007, "")
        kf = Kf(calls, Kept, Pace(poll=0.01, fault=0.01), lambda: wall[0])
        far.kf_over.add("old")
        far.customer("wm1", content="我们厂缺工人")
        kf.noticed(KF, "old")
        holding = asyncio.create_task(kf.hold(hear))
        try:
            while not far.kf_asked:
                await asyncio.sleep(0)
            assert heard == []
            wall[0] += 600
            while not heard:
                await asyncio.sleep(0.005)
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            await client.close()
        assert heard == ["我们厂缺工人"]


@pytest.mark.parametrize("field", ["invaliduser", "unlicenseduser"])
async def test_what_nobody_got_is_no_success(field: str) -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        far.unreached["ZhangJing"] = field
        with pytest.raises(Permanent, match=field):
            await platform.send(Delivery(1, ZHANG, Content("#1024 已登记")))
        assert far.app_messages == []
