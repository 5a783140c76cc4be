"""What was said and must go: taken back where the platform can, else replaced, else told."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from bot.seed import MAIN_TITLE
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.e2e.test_story_wecom_line import connected
from tests.kit import feishu, wecom
from tests.kit.fake_feishu import FakeFeishu, said
from tests.kit.fake_generic import FakeBridge
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import FakeLine
from tests.kit.house import House

GROUP = "oc_36b3216fdaeeb975729fae923d5a4fd1"
ROOM = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
PROBLEM = "车间缺操作工20人，临时招不到"
TAKEN_BACK = "【停水停电】周四停电 已撤回，请不要再按它办。"


def house_of(url: str, settings: dict[str, str]) -> AbstractAsyncContextManager[House]:
    """Without the sandbox, so that people are reached where the far end is."""
    return House(url, {**settings, "LHG_SANDBOX": "0"})


def on_feishu(uow: UnitOfWork) -> None:
    for user, person in (
        ("ou_zhang", "E003-1"), ("ou_wang", "E004-1"), ("ou_zhou", "P041"),
    ):  # fmt: skip
        uow.people.save_identity(Identity("feishu", user, person))
    uow.chats.save_chat(Chat("feishu", GROUP, MAIN_TITLE, "group", True, is_main=True))


def on_wecom(uow: UnitOfWork) -> None:
    for user, person in (
        ("ZhangJing", "E003-1"), ("WangOther", "E004-1"), ("ZhouLian", "P041"),
    ):  # fmt: skip
        uow.people.save_identity(Identity("wecom", user, person))


async def announced(house: House, **more: Any) -> int:
    """The number of an announcement that went out."""
    body = {
        "kind": "停水停电",
        "title": "周四停电",
        "text": "周四8点到12点停电检修。",
        "audience": {"enterprises": ["E003", "E004"]},
        "route": "direct",
        "author": "P055",
        **more,
    }
    number = int((await house.api("POST", "/announcements", body, status=201))["id"])
    await house.api("POST", f"/announcements/{number}/approve", {"actor": "P057"})
    await house.app.dispatcher.drain()
    return number


async def withdrawn(house: House, number: int) -> None:
    await house.api("POST", f"/announcements/{number}/withdraw", {"actor": "P057"})
    await house.app.dispatcher.drain()


async def test_a_withdrawn_announcement_is_taken_back_and_who_may_have_acted_is_told(
    database_url: str,
) -> None:
    async with FakeFeishu() as far, house_of(database_url, feishu.settings(far.base)) as house:
        await house.app.writer.run(on_feishu)
        everybody = {"audience": {"all": True}, "route": "both", "need_receipt": True}
        number = await announced(house, **everybody)
        sent = [m["message_id"] for m in far.messages]
        assert {m["receive_id"] for m in far.messages} == {GROUP, "ou_zhang", "ou_wang"}
        card = far.to("ou_zhang")[-1]
        await feishu.Caller(house, far).presses("ou_zhang", card, "已阅")
        await house.app.dispatcher.drain()
        await withdrawn(house, number)
        assert sorted(far.recalled) == sorted(sent)
        # One has read it and everybody in the group may have: they hear of it, the other need not.
        assert [said(m) for m in far.to("ou_zhang")[1:]] == [TAKEN_BACK]
        assert [said(m) for m in far.to(GROUP)[1:]] == [TAKEN_BACK]
        assert len(far.to("ou_wang")) == 1
        await house.app.dispatcher.drain()
        assert len(far.messages) == 5
        left = await house.read(lambda uow: uow.outbox.waiting_counts())
        assert (left["waiting"], left["sending"]) == (0, 0)


async def test_after_the_day_in_which_it_can_be_taken_back_its_card_says_so(
    sqlite_url: str,
) -> None:
    async with FakeFeishu() as far, house_of(sqlite_url, feishu.settings(far.base)) as house:
        await house.app.writer.run(on_feishu)
        number = await announced(house)
        house.passes(hours=25)
        await withdrawn(house, number)
        assert far.recalled == []
        assert {u["message_id"] for u in far.updates} == {m["message_id"] for m in far.messages}
        assert all("已撤回" in str(u) for u in far.updates)
        assert len(far.messages) == 2


async def test_what_a_platform_refuses_to_take_back_is_replaced(sqlite_url: str) -> None:
    async with FakeFeishu() as far, house_of(sqlite_url, feishu.settings(far.base)) as house:
        await house.app.writer.run(on_feishu)
        number = await announced(house)
        kept = far.to("ou_zhang")[0]["message_id"]
        far.settled.add(kept)
        far.faults.append("expired")
        await withdrawn(house, number)
        assert far.recalled == [far.to("ou_wang")[0]["message_id"]]
        assert [u["message_id"] for u in far.updates] == [kept]
        assert len(far.messages) == 2


async def test_the_application_of_wecom_takes_back_what_it_said_and_tells_where_it_cannot(
    database_url: str,
) -> None:
    async with (
        FakeWeCom() as far,
        house_of(database_url, wecom.settings(far.base)) as house,
    ):
        await house.app.writer.run(on_wecom)
        number = await announced(house)
        assert [m["touser"] for m in far.app_messages] == ["ZhangJing", "WangOther"]
        # A notice without buttons cannot be replaced there.
        for code in list(far.codes):
            del far.codes[code]
        far.settled.add("m2")
        await withdrawn(house, number)
        assert far.recalled == ["m1"]
        told = [(m["touser"], m["text"]["content"]) for m in far.app_messages[2:]]
        assert told == [("WangOther", TAKEN_BACK)]


async def test_a_bridge_that_can_take_nothing_back_is_told(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, house_of(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(
            lambda uow: uow.people.save_identity(Identity("generic", "zhang", "E003-1"))
        )
        number = await announced(house)
        await withdrawn(house, number)
        first, *more = bridge.told("zhang")
        assert "周四8点" in first["text"]
        assert len(more) == 1
        assert "已撤回" in more[0]["text"]


async def test_a_ticket_made_confidential_goes_from_the_group(database_url: str) -> None:
    async with FakeFeishu() as far, house_of(database_url, feishu.settings(far.base)) as house:
        await house.app.writer.run(on_feishu)
        caller = feishu.Caller(house, far)
        await caller.says("ou_zhang", PROBLEM, GROUP, at_bot=True)
        await house.app.dispatcher.drain()
        (answer,) = [m for m in far.messages if "1001" in said(m) and m["receive_id"] == GROUP]
        await caller.says("ou_zhou", "认领 1001")
        await caller.says("ou_zhou", "保密 1001")
        await house.app.dispatcher.drain()
        assert far.recalled == [answer["message_id"]]
        assert (await house.ticket()).confidential
        # Nothing more of it is said there, and nobody is bothered by what went well.
        await caller.says("ou_zhou", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert [m for m in far.to(GROUP) if m is not answer and "1001" in said(m)] == []
        assert not any("撤不回" in words for words in far.words())
        lines = (await house.api("GET", "/audit"))["items"]
        assert [a["facts"] for a in lines if a["action"] == "message.taken_back"] == [
            {"how": "recalled"}
        ]


async def test_whoever_made_it_confidential_hears_once_what_stays_in_the_group(
    sqlite_url: str,
) -> None:
    async with (
        FakeWeCom() as far,
        FakeLine() as line,
        house_of(sqlite_url, connected(line, far.base)) as house,
    ):
        await house.app.writer.run(on_wecom)
        await line.subscribed.wait()
        await line.says("ZhangJing", f"@小港 {PROBLEM}", ROOM)
        await line.sees(lambda: len(line.answers) == 1)
        caller = wecom.Caller(house)
        await caller.app_says("ZhouLian", "认领 1001")
        await caller.app_says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert len(line.pushes) == 1
        await caller.app_says("ZhangJing", "还是缺人")
        await caller.app_says("ZhouLian", "保密 1001")
        for _ in range(3):
            await house.app.dispatcher.drain()
        told = [m for m in far.app_messages if "撤不回" in str(m)]
        assert [m["touser"] for m in told] == ["ZhouLian"]
        assert len(line.pushes) == 1
