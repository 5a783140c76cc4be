"""Files on their way to Feishu: one key for all who should have it, one message for each."""

import asyncio

import pytest

from bot.platform import Permanent, Receipt, Unsure
from bot.platforms.feishu.api import IMAGE_BYTES
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery
from tests.contract.test_feishu_sending import speaking
from tests.contract.test_wecom_files import FORM, MAP, SHOWN, Kept, enclosure, sent
from tests.kit.fake_feishu import FakeFeishu
from tests.unit.test_attachments import PDF

GROUP = Address(ChatRef("feishu", "oc_room"), ChatKind.GROUP)


def direct(user: str) -> Address:
    return Address(ChatRef("feishu", user), ChatKind.DIRECT)


async def test_one_key_serves_everybody_and_a_large_picture_goes_as_a_file() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        kept, shown = Kept(PDF), Kept(MAP)
        to = [direct(f"ou_{n}") for n in range(10)]
        await asyncio.gather(*(sent(platform, t, FORM, kept, n) for n, t in enumerate(to)))
        await sent(platform, GROUP, SHOWN, shown, 50)
        large = MAP + b"\0" * IMAGE_BYTES
        await sent(platform, GROUP, enclosure("大图.png", large, "image/png"), Kept(large), 51)
        assert far.uploads == [
            ("file", FORM.name, len(PDF)), ("image", "", len(MAP)), ("file", "大图.png", len(large)),
        ]  # fmt: skip
        assert (kept.asked, shown.asked, len(far.messages)) == (1, 1, 12)


async def test_a_repeat_is_the_same_message_even_where_the_file_was_brought_again() -> None:
    async with FakeFeishu() as far:
        async with speaking(far) as platform:
            delivery = Delivery(7, GROUP, Content.enclosing(FORM))
            say = await platform.attach(delivery, FORM, Kept(PDF))
            far.faults.append("half")
            with pytest.raises(Unsure):
                await say()
        # Another process does not know the key.
        async with speaking(far) as platform:
            receipt = await sent(platform, GROUP, FORM, Kept(PDF), 7)
        assert isinstance(receipt, Receipt)
        assert len(far.uploads) == 2
        assert (len(far.messages), far.repeats) == (1, 1)
        assert receipt.ref == far.messages[0]["message_id"]


async def test_a_key_that_is_refused_is_not_used_again() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await sent(platform, GROUP, SHOWN, Kept(MAP))
        far.faults.append("230001")
        with pytest.raises(Permanent):
            await sent(platform, direct("ou_1"), SHOWN, Kept(MAP), 2)
        await sent(platform, direct("ou_2"), SHOWN, Kept(MAP), 3)
        # Who is not reached is no reason for that.
        far.refusals["ou_3"] = 230013
        with pytest.raises(Permanent):
            await sent(platform, direct("ou_3"), SHOWN, Kept(MAP), 4)
        await sent(platform, direct("ou_4"), SHOWN, Kept(MAP), 5)
        assert len(far.uploads) == 2
