"""What the self-built app of WeCom answers and what becomes of a message then."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.platform import Outdated, Permanent, Recalls, Section
from bot.platforms import wecom
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery
from tests.contract.test_feishu_cards import a_card
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.wecom import settings

ZHANG = Address(ChatRef("wecom", "ZhangJing"), ChatKind.DIRECT)
LONG = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1200)))


@asynccontextmanager
async def speaking(far: FakeWeCom) -> AsyncIterator[wecom.WeCom]:
    built = wecom.build(Section(settings(far.base)))
    assert isinstance(built, wecom.WeCom)
    try:
        yield built
    finally:
        await built.close()


async def test_every_part_of_a_long_text_is_taken_back() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        receipt = await platform.send(Delivery(1, ZHANG, LONG))
        refs = (receipt.ref, *receipt.more)
        assert len(refs) == len(far.app_messages) > 1
        assert isinstance(platform, Recalls)
        far.faults.extend(["busy", "expired"])
        with pytest.raises(Exception, match="-1"):
            await platform.recall(ZHANG, refs)
        await platform.recall(ZHANG, refs)
        assert far.recalled == list(refs)


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


@pytest.mark.parametrize("field", ["invaliduser", "unlicenseduser"])
async def test_what_nobody_got_is_no_success(field: str) -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        far.unreached["ZhangJing"] = field
        with pytest.raises(Permanent, match=field):
            await platform.send(Delivery(1, ZHANG, Content("#1024 已登记")))
        assert far.app_messages == []
