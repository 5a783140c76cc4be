"""Who waits and who does not when DingTalk asks for patience."""

import pytest

from bot.dispatcher import Pace
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content
from handlers.domain.people import Chat, Identity
from handlers.ports import Outgoing
from storage.uow import UnitOfWork
from tests.kit.dingtalk import Caller, settings
from tests.kit.fake_dingtalk import FakeDingTalk
from tests.kit.house import House

GROUP, ZHANG, ZHOU = "cidStormGroup==", "zhangjing", "zhoulian"
PROBLEM = "缺操作工20人，招不到"


def accounts(uow: UnitOfWork) -> None:
    for user, person in ((ZHANG, "E003-1"), (ZHOU, "P041"), ("duty", "P055")):
        uow.people.save_identity(Identity("dingtalk", user, person))


def to(user: str, text: str) -> Outgoing:
    chat = ChatRef("dingtalk", user)
    return Outgoing(Content(text), chat=chat, chat_kind=ChatKind.DIRECT)


async def test_every_part_of_a_long_text_counts_for_what_the_platform_takes(
    sqlite_url: str,
) -> None:
    long = "\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1300))
    async with (
        FakeDingTalk(per_second=20) as far,
        House(sqlite_url, settings(far.base), pace=Pace()) as house,
    ):

        def burst(uow: UnitOfWork) -> None:
            for number in range(8):
                uow.outbox.put(to(f"person{number}", long))

        await house.app.writer.run(burst)
        await house.app.dispatcher.drain()
        assert far.overrun == 0
        assert "\n".join(far.words("person7")) == long


def with_robots(far: FakeDingTalk, uow: UnitOfWork) -> None:
    """A group of the organisation and one outside, each with a robot of its own."""
    for number, chat in enumerate((GROUP, "external-1")):
        robot = far.robot(f"r{number}")
        uow.chats.save_chat(Chat("dingtalk", chat, "群", "group", True, robot_url=robot))


def into(chat: str, text: str) -> Outgoing:
    ref = ChatRef("dingtalk", chat)
    return Outgoing(Content(text), chat=ref, chat_kind=ChatKind.GROUP)


@pytest.mark.parametrize("chat", [GROUP, "external-1"])
async def test_a_robot_that_must_be_silent_silences_nobody_else(sqlite_url: str, chat: str) -> None:
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, settings(far.base), pace=Pace()) as house,
    ):
        await house.app.writer.run(lambda uow: with_robots(far, uow))
        far.robot_code = 130101
        far.refusals[GROUP] = "bot.stopped"
        await house.app.writer.run(lambda uow: uow.outbox.put(into(chat, "第1条")))
        await house.app.dispatcher.drain()
        await house.app.writer.run(lambda uow: uow.outbox.put(to(ZHOU, "第2条")))
        await house.app.dispatcher.drain()
        assert far.words() == ["第2条"]
        counts = await house.read(lambda uow: uow.outbox.counts())
        assert counts.get("waiting", 0) + counts.get("sending", 0) == 1


async def test_the_months_end_leaves_the_robots_and_the_reply_addresses(sqlite_url: str) -> None:
    async with FakeDingTalk() as far:
        values = {**settings(far.base), "DINGTALK_CARD_TEMPLATE_ID": "0"}
        async with House(sqlite_url, values, pace=Pace()) as house:
            await house.app.writer.run(accounts)
            await house.app.writer.run(lambda uow: with_robots(far, uow))
            far.faults.extend(["month"] * 20)
            await house.app.writer.run(lambda uow: uow.outbox.put(to("duty", "第1条")))
            await house.app.dispatcher.drain()
            await house.app.writer.run(lambda uow: uow.outbox.put(into(GROUP, "第2条")))
            await house.app.dispatcher.drain()
            assert [m["text"] for m in far.robot_said] == ["第2条"]
            await Caller(house, far).says(ZHANG, PROBLEM)
            await house.app.dispatcher.drain()
            assert [m["via"] for m in far.to(ZHANG)] == ["session"]
