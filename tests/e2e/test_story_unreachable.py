"""A message that does not come to somebody goes another way, or those who can see to it hear it."""

import pytest

from bot.seed import MAIN_TITLE
from handlers.chat.events import UserRef
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.e2e.test_story_wecom_line import connected
from tests.kit import dingtalk, feishu, wecom
from tests.kit.fake_dingtalk import FakeDingTalk
from tests.kit.fake_feishu import FakeFeishu, said
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import FakeLine
from tests.kit.house import House

ROOM = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
GROUP = "cidKeyFirms=="
PROBLEM = "@小港 车间缺操作工20人，临时招不到"
PEOPLE = (("ZhangJing", "E003-1"), ("ZhouLian", "P041"), ("Duty", "P055"))


def accounts(uow: UnitOfWork) -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("wecom", user, person))
    uow.chats.save_chat(Chat("wecom", ROOM, MAIN_TITLE, "group", True, is_main=True))


def on_dingtalk(uow: UnitOfWork) -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("dingtalk", user, person))
    uow.chats.save_chat(Chat("dingtalk", GROUP, MAIN_TITLE, "group", True, is_main=True))


def alone(settings: dict[str, str]) -> dict[str, str]:
    return {**settings, "LHG_SANDBOX": "0"}


async def answered(line: FakeLine, user: str, text: str, chat: str = "") -> None:
    """Somebody says something and has the answer."""
    request = await line.says(user, text, chat)
    await line.sees(lambda: any(a["req_id"] == request for a in line.answers))


async def test_who_never_opened_the_chat_is_called_once_and_the_liaison_hears_it_once(
    database_url: str,
) -> None:
    async with FakeLine() as line, House(database_url, alone(connected(line))) as house:
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        await line.enters("ZhouLian")
        await answered(line, "ZhangJing", PROBLEM, ROOM)
        for text in ("认领 1001", "进展 1001 已联系人社局，周三组织专场招聘"):
            await answered(line, "ZhouLian", text)
            await house.app.dispatcher.drain()
        called = [p["markdown"]["content"] for p in line.pushes if p["chatid"] == ROOM]
        assert len(called) == 1
        assert "#1001 有新消息，单聊发不到您" in called[0]
        assert "招聘" not in called[0]
        told = [str(p) for p in line.pushes if p["chatid"] == "ZhouLian"]
        assert len([t for t in told if "还没有在单聊里和我说过话" in t]) == 1
        dead = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert {row["error"] for row in dead} == {"unreachable:846607"}
        assert all("还没有和机器人说过话" in row["cure"] for row in dead)
        # As soon as there is a chat, what is new comes there.
        await line.enters("ZhangJing")
        await answered(line, "ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert any(p["chatid"] == "ZhangJing" for p in line.pushes)


async def test_what_is_asked_in_the_group_and_cannot_be_said_alone_calls_who_asked(
    sqlite_url: str,
) -> None:
    async with FakeLine() as line, House(sqlite_url, alone(connected(line))) as house:
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        await line.says("ZhangJing", "@小港 我的工单", ROOM)
        for _ in range(100):
            if line.pushes:
                break
            await house.app.dispatcher.drain()
        (called,) = [p["markdown"]["content"] for p in line.pushes if p["chatid"] == ROOM]
        assert "请先在单聊里给我发一句话，再问一次" in called


async def test_a_confidential_ticket_is_never_called_for_in_the_group(sqlite_url: str) -> None:
    async with FakeLine() as line, House(sqlite_url, alone(connected(line))) as house:
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        await line.enters("ZhouLian")
        await answered(line, "ZhangJing", PROBLEM, ROOM)
        await answered(line, "ZhouLian", "保密 1001")
        await answered(line, "ZhouLian", "认领 1001")
        for _ in range(3):
            await house.app.dispatcher.drain()
        assert [p for p in line.pushes if p["chatid"] == ROOM] == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("staffId.notExisted", "聊天账号已停用或更换"),
        ("invalidStaffIdList", "聊天账号已停用或更换"),
        ("filteredStaffIdList", "不在我能发消息的范围里"),
    ],
)
async def test_who_left_dingtalk_is_called_in_the_group_once_and_the_liaison_hears_it_once(
    database_url: str, code: str, told: str
) -> None:
    async with (
        FakeDingTalk() as far,
        House(database_url, alone(dingtalk.settings(far.base))) as house,
    ):
        await house.app.writer.run(on_dingtalk)
        (far.lists if code.endswith("List") else far.refusals)["ZhangJing"] = code
        caller = dingtalk.Caller(house, far)
        await caller.says("ZhangJing", PROBLEM, GROUP)
        for text in ("认领 1001", "进展 1001 已联系人社局，周三组织专场招聘"):
            await caller.says("ZhouLian", text)
            for _ in range(3):
                await house.app.dispatcher.drain()
        called = [w for w in far.words(GROUP) if "单聊发不到您" in w]
        assert len(called) == 1
        assert "#1001 有新消息" in called[0]
        assert "招聘" not in called[0]
        assert len([w for w in far.words("ZhouLian") if told in w]) == 1
        assert far.to("ZhangJing") == []
        dead = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert dead
        assert all(row["error"].startswith("unreachable:") and row["cure"] for row in dead)


async def test_who_is_outside_the_organisation_is_called_where_they_wrote(sqlite_url: str) -> None:
    guest = "$:LWCP_v1:$guest"
    async with (
        FakeDingTalk() as far,
        House(sqlite_url, alone(dingtalk.settings(far.base))) as house,
    ):
        await house.app.writer.run(on_dingtalk)
        await house.app.writer.run(
            lambda uow: uow.people.save_identity(Identity("dingtalk", guest, "E003-1"))
        )
        await house.app.writer.run(
            lambda uow: uow.people.drop_identity(UserRef("dingtalk", "ZhangJing"))
        )
        caller = dingtalk.Caller(house, far)
        plain = caller.message("guest", PROBLEM, GROUP)
        del plain["senderStaffId"]
        await caller.brings(plain)
        await caller.says("ZhouLian", "认领 1001")
        for _ in range(3):
            await house.app.dispatcher.drain()
        (called,) = [w for w in far.words(GROUP) if "单聊发不到您" in w]
        assert "#1001 有新消息" in called
        assert len([w for w in far.words("ZhouLian") if "不在我能发消息的范围里" in w]) == 1


@pytest.mark.parametrize("refusing", ["wecom", "dingtalk"])
async def test_the_same_person_is_reached_on_another_platform(
    database_url: str, refusing: str
) -> None:
    async with FakeWeCom() as far, FakeDingTalk() as ding, FakeFeishu() as other:
        one = wecom.settings(far.base) if refusing == "wecom" else dingtalk.settings(ding.base)
        async with House(database_url, alone(one | feishu.settings(other.base))) as house:
            await house.app.writer.run(accounts if refusing == "wecom" else on_dingtalk)
            await house.app.writer.run(
                lambda uow: uow.people.save_identity(Identity("feishu", "ou_zhou", "P041"))
            )
            if refusing == "wecom":
                far.invalid.add("ZhouLian")
                await wecom.Caller(house).says("ZhangJing", PROBLEM, base=far.base)
            else:
                ding.refusals["ZhouLian"] = "staffId.notExisted"
                await dingtalk.Caller(house, ding).says("ZhangJing", PROBLEM, GROUP)
            for _ in range(3):
                await house.app.dispatcher.drain()
            (card,) = other.to("ou_zhou")
            assert "1001" in said(card)
            assert far.app_messages == []
            assert ding.to("ZhouLian") == []
            # The desk need not know: the message came.
            assert (await house.api("GET", "/outbox?state=dead"))["items"] == []


@pytest.mark.parametrize("refusing", ["wecom", "feishu", "dingtalk"])
async def test_an_announcement_counts_as_sent_by_the_way_that_it_came(
    sqlite_url: str, refusing: str
) -> None:
    async with FakeWeCom() as far, FakeFeishu() as other, FakeDingTalk() as ding:
        one = dingtalk.settings(ding.base) if refusing == "dingtalk" else wecom.settings(far.base)
        async with House(sqlite_url, alone(one | feishu.settings(other.base))) as house:
            await house.app.writer.run(on_dingtalk if refusing == "dingtalk" else accounts)
            await house.app.writer.run(
                lambda uow: uow.people.save_identity(Identity("feishu", "ou_zhang", "E003-1"))
            )
            ding.refusals["ZhangJing"] = "staffId.notExisted"
            if refusing == "wecom":
                far.invalid.add("ZhangJing")
            if refusing == "feishu":
                other.refusals["ou_zhang"] = 230013
            body = {
                "kind": "通知",
                "title": "消防演练",
                "text": "12月1日上午9点在广场举行。",
                "audience": {"enterprises": ["E003"]},
                "route": "direct",
                "author": "P055",
            }
            await house.api("POST", "/announcements", body, status=201)
            await house.api("POST", "/announcements/1/approve", {"actor": "P057"})
            for _ in range(3):
                await house.app.dispatcher.drain()
            counts = await house.api("GET", "/announcements/1/receipts")
            assert (counts["sent"], counts["failed"]) == (1, 0)
            at_wecom = [m for m in far.app_messages if m["touser"] == "ZhangJing"]
            assert len(at_wecom) + len(other.to("ou_zhang")) == 1
            assert len(at_wecom) == (1 if refusing == "feishu" else 0)
            assert ding.to("ZhangJing") == []


async def test_an_application_that_may_not_speak_leaves_it_to_the_connection(
    sqlite_url: str,
) -> None:
    async with (
        FakeWeCom() as far,
        FakeLine() as line,
        House(sqlite_url, alone(connected(line, far.base))) as house,
    ):
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        await line.enters("ZhouLian")
        far.faults.append("foreign")
        await answered(line, "ZhangJing", PROBLEM, ROOM)
        for _ in range(3):
            await house.app.dispatcher.drain()
        assert [p["chatid"] for p in line.pushes] == ["ZhouLian"]


@pytest.mark.parametrize("on", ["wecom", "dingtalk"])
async def test_somebody_who_is_on_duty_and_out_of_reach_is_told_to_the_head_of_the_office(
    sqlite_url: str, on: str
) -> None:
    async with FakeWeCom() as far, FakeDingTalk() as ding:
        one = wecom.settings(far.base) if on == "wecom" else dingtalk.settings(ding.base)
        async with House(sqlite_url, alone(one)) as house:
            await house.app.writer.run(accounts if on == "wecom" else on_dingtalk)
            await house.app.writer.run(
                lambda uow: uow.people.save_identity(Identity(on, "Chief", "P057"))
            )
            far.unreached["Duty"] = "unlicenseduser"
            ding.lists["Duty"] = "filteredStaffIdList"
            for number in range(2):
                text = f"我们厂停电了，流水线停了{number}"
                if on == "wecom":
                    await wecom.Caller(house).says("Nobody", text, base=far.base)
                else:
                    plain = dingtalk.Caller(house, ding).message(
                        "Nobody", text, GROUP, msg_id=f"msg{number}"
                    )
                    await dingtalk.Caller(house, ding).brings(plain)
                for _ in range(3):
                    await house.app.dispatcher.drain()
            at_wecom = [str(m) for m in far.app_messages if m["touser"] == "Chief"]
            told = [w for w in (*at_wecom, *ding.words("Chief")) if "消息送不到" in w]
            assert len(told) == 1
            assert "不在我能发消息的范围里" in told[0]
