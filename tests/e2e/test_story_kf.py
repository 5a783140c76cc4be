"""微信客服: a manager on personal WeChat reports, is asked and answers, within the five messages."""

import pytest

from bot.platforms.wecom.kf import session
from handlers.domain.people import Identity
from storage.uow import UnitOfWork
from tests.kit.fake_wecom import KF, FakeWeCom
from tests.kit.house import House
from tests.kit.wecom import CORP, Caller, settings

CUSTOMER = "wmKx3TDgAA9f8xj2invented"
NOTICE = (
    f"<xml><ToUserName>{CORP}</ToUserName><CreateTime>1795334400</CreateTime>"
    "<MsgType>event</MsgType><Event>kf_msg_or_event</Event>"
    f"<Token>ENC</Token><OpenKfId>{KF}</OpenKfId></xml>"
)


def app_only(base: str) -> dict[str, str]:
    return {k: v for k, v in settings(base).items() if not k.startswith("WECOM_AIBOT")}


def accounts(uow: UnitOfWork) -> None:
    for user, person in (("ZhouLian", "P041"), ("XuLead", "P028"), ("Duty", "P055")):
        uow.people.save_identity(Identity("wecom", user, person))


async def pulled(house: House, wecom: FakeWeCom, events: int) -> None:
    """A notice comes; wait until so many events in all are on disk."""
    import asyncio

    assert await Caller(house).post_app(NOTICE) == 200
    for _ in range(500):
        if await house.count("inbox") >= events:
            await house.app.dispatcher.drain()
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it was not pulled")


async def test_a_manager_on_personal_wechat_is_served_within_five_messages(
    database_url: str,
) -> None:
    async with FakeWeCom() as wecom, House(database_url, app_only(wecom.base)) as house:
        await house.app.writer.run(accounts)
        wecom.customer(
            CUSTOMER,
            "event",
            scene="firm",
            scene_param="%E6%B3%93%E6%9B%9C%E7%B2%BE%E5%AF%86",
            welcome_code="kfw-1",
        )
        await pulled(house, wecom, 1)
        assert [g["code"] for g in wecom.kf_greeted] == ["kfw-1"]

        wecom.customer(CUSTOMER, content="我们厂缺工人20人，招不到")
        await pulled(house, wecom, 2)
        ticket = await house.ticket()
        assert ticket.enterprise_id == "E003"
        assert ticket.source.channel == "direct"
        # What was said to the customer holds the number; the liaison was told through the app.
        assert "#1001" in str(wecom.kf_said[0])
        assert any(m["touser"] == "ZhouLian" for m in wecom.app_messages)

        # The link says which firm; that it is true, the office confirms.
        caller = Caller(house)
        await caller.app_says("Duty", f"确认身份 wecom {session(KF, CUSTOMER)}")
        await caller.app_says("ZhouLian", "认领 1001")
        await caller.app_says("ZhouLian", "进展 1001 已联系人社局，周三组织专场招聘")
        await caller.app_says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        asked = wecom.kf_said[-1]
        assert asked["msgtype"] == "msgmenu"
        assert wecom.kf_left[CUSTOMER] >= 1
        pleased = next(
            i["click"]["id"]
            for i in asked["msgmenu"]["list"]
            if i["click"]["content"] == "非常满意"
        )
        wecom.customer(CUSTOMER, content="非常满意", menu_id=pleased)
        events = await house.count("inbox")
        await pulled(house, wecom, events + 1)
        ticket = await house.ticket()
        assert (ticket.state, ticket.rating) == ("closed", 5)


async def test_what_was_pulled_twice_is_one_event(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        for n in range(5):
            wecom.customer(f"wm{n}", content="你好")
        await pulled(house, wecom, 5)
        await house.app.writer.run(lambda uow: uow.notes.put("wecom", f"kf:cursor:{KF}", ""))
        wecom.customer("wm9", content="你好")
        await pulled(house, wecom, 6)
        assert await house.count("inbox") == 6


async def test_a_fault_at_the_platform_loses_no_message(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        wecom.faults.extend(["expired", "busy", "throttled"])
        wecom.customer(CUSTOMER, content="我们厂缺工人20人，招不到")
        assert await Caller(house).post_app(NOTICE) == 200
        await pulled(house, wecom, 1)


async def test_the_last_two_messages_are_kept_for_what_matters(sqlite_url: str) -> None:
    from bot.platform import Permanent
    from handlers.chat.events import ChatKind, ChatRef
    from handlers.chat.outbound import Address, Content, Delivery, Kind

    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        wecom.customer(CUSTOMER, content="你好")
        await pulled(house, wecom, 1)
        to = Address(ChatRef("wecom", session(KF, CUSTOMER)), ChatKind.DIRECT)
        platform = house.app.platforms["wecom"]
        before = len(wecom.kf_said)
        for n in range(3 - before):
            await platform.send(Delivery(100 + n, to, Content("进展", kind=Kind.MESSAGE)))
        with pytest.raises(Permanent, match="kf_kept"):
            await platform.send(Delivery(150, to, Content("进展", kind=Kind.MESSAGE)))
        for n in range(2):
            await platform.send(Delivery(200 + n, to, Content("办结了吗", kind=Kind.QUESTION)))
        with pytest.raises(Permanent, match="kf_window"):
            await platform.send(Delivery(300, to, Content("办结了吗", kind=Kind.QUESTION)))


async def test_each_firm_has_a_link_of_its_own(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        platform = house.app.platforms["wecom"]
        found = await platform.entrances([("E003", "泓曜精密")])  # type: ignore[attr-defined]
        assert found == [
            (
                "E003",
                "泓曜精密",
                "https://work.weixin.qq.com/kf/kfcinvented?enc_scene=x"
                "&scene_param=%E6%B3%93%E6%9B%9C%E7%B2%BE%E5%AF%86",
            )
        ]


async def test_an_open_userid_is_taken_for_the_member_it_stands_for(sqlite_url: str) -> None:
    open_id = "woKx3TDgAAq7mB0cZyHtR9fJwW2uLx1A"
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(
            lambda uow: uow.people.save_identity(Identity("wecom", "ZhangJing", "E003-1"))
        )
        wecom.members[open_id] = "ZhangJing"
        caller = Caller(house)
        await caller.says(open_id, "@小港 车间缺操作工20人", "wrGroup", base=wecom.base)
        await caller.says(open_id, "@小港 厂门口路灯坏了5盏", "wrGroup", base=wecom.base)
        assert (await house.ticket()).enterprise_id == "E003"
        assert (await house.ticket()).reporter_id == "E003-1"
        assert wecom.asked_members == 1


async def test_a_message_that_is_tried_again_or_pulled_again_takes_one_of_the_five(
    sqlite_url: str,
) -> None:
    from bot.platform import SendError
    from handlers.chat.events import ChatKind, ChatRef
    from handlers.chat.outbound import Address, Content, Delivery, Kind

    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        wecom.customer(CUSTOMER, content="你好")
        await pulled(house, wecom, 1)
        to = Address(ChatRef("wecom", session(KF, CUSTOMER)), ChatKind.DIRECT)
        platform = house.app.platforms["wecom"]
        one = Delivery(100, to, Content("办结了吗", kind=Kind.QUESTION))
        for _ in range(6):
            wecom.faults.append("throttled")
            with pytest.raises(SendError, match="45009"):
                await platform.send(one)
        await platform.send(one)
        # The platform gives the page once more: the customer did not write again.
        await house.app.writer.run(lambda uow: uow.notes.put("wecom", f"kf:cursor:{KF}", ""))
        wecom.customer("wm9", content="你好")
        await pulled(house, wecom, 2)
        left = wecom.kf_left[CUSTOMER]
        for n in range(left):
            await platform.send(Delivery(200 + n, to, Content("办结了吗", kind=Kind.QUESTION)))
        with pytest.raises(SendError, match="kf_window"):
            await platform.send(Delivery(300, to, Content("办结了吗", kind=Kind.QUESTION)))
        assert wecom.kf_left[CUSTOMER] == 0
