"""What is the long connection's own, against strict WeCom servers on loopback."""

from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.house import House
from tests.kit.wecom import Caller, settings

GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
ACCOUNTS = (("ZhangJing", "E003-1"), ("ZhouLian", "P041"), ("XuLead", "P028"), ("Duty", "P055"))


def accounts(uow: UnitOfWork) -> None:
    for user, person in ACCOUNTS:
        uow.people.save_identity(Identity("wecom", user, person))


def connected(line: FakeLine, base: str = "") -> dict[str, str]:
    """The aibot by its long connection; with `base` the self-built app too."""
    mine = {
        "WECOM_AIBOT_ID": BOT,
        "WECOM_AIBOT_SECRET": SECRET,
        "WECOM_AIBOT_WS": line.url,
    }
    if not base:
        return mine
    app = {k: v for k, v in settings(base).items() if not k.startswith("WECOM_AIBOT")}
    return {**app, **mine}


async def test_an_answer_goes_under_its_request_and_the_group_hears_the_result_in_markdown(
    sqlite_url: str,
) -> None:
    async with FakeLine() as line, House(sqlite_url, connected(line)) as house:
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        # Only who has written to the bot once can be spoken to.
        await line.enters("ZhouLian")
        problem = "@小港 车间缺操作工20人，临时招不到"
        request = await line.says("ZhangJing", problem, GROUP)
        await line.sees(lambda: any(a["req_id"] == request for a in line.answers))
        answer = next(a for a in line.answers if a["req_id"] == request)
        assert answer["cmd"] == "aibot_respond_msg"
        await house.app.dispatcher.drain()
        card = next(p for p in line.pushes if p["chatid"] == "ZhouLian")
        assert (card["chat_type"], card["msgtype"]) == (1, "template_card")
        claim = card["template_card"]["button_list"][0]
        request = await line.presses("ZhouLian", claim["key"], card["template_card"]["task_id"])
        await line.sees(lambda: any(a["req_id"] == request for a in line.answers))
        pressed = next(a for a in line.answers if a["req_id"] == request)
        assert pressed["cmd"] == "aibot_respond_update_msg"
        request = await line.says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await line.sees(lambda: any(a["req_id"] == request for a in line.answers))
        await house.app.dispatcher.drain()
        # A card cannot be pushed into a group.
        (told,) = [p for p in line.pushes if p["chatid"] == GROUP]
        assert told["msgtype"] == "markdown"


async def test_the_app_speaks_to_people_and_the_connection_to_the_group(sqlite_url: str) -> None:
    async with (
        FakeWeCom() as wecom,
        FakeLine() as line,
        House(sqlite_url, connected(line, wecom.base)) as house,
    ):
        await house.app.writer.run(accounts)
        robot = f"{wecom.base}/cgi-bin/webhook/send?key=robot-1"
        await house.app.writer.run(
            lambda uow: uow.chats.save_chat(Chat("wecom", GROUP, "群", "group", True, robot))
        )
        await line.subscribed.wait()
        await line.says("ZhangJing", "@小港 车间缺操作工20人，临时招不到", GROUP)
        await line.sees(lambda: len(line.answers) == 1)
        await house.app.dispatcher.drain()
        assert [m["touser"] for m in wecom.app_messages] == ["ZhouLian"]
        caller = Caller(house)
        card = wecom.app_messages[0]
        await caller.app_presses("ZhouLian", card, "认领", wecom.press("code-1"))
        await caller.app_says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert [p["chatid"] for p in line.pushes] == [GROUP]
        assert wecom.robot_messages == []


async def test_a_group_that_the_bot_was_removed_from_is_told_by_its_robot(sqlite_url: str) -> None:
    async with (
        FakeWeCom() as wecom,
        FakeLine() as line,
        House(sqlite_url, connected(line, wecom.base)) as house,
    ):
        await house.app.writer.run(accounts)
        robot = f"{wecom.base}/cgi-bin/webhook/send?key=robot-1"
        await house.app.writer.run(
            lambda uow: uow.chats.save_chat(Chat("wecom", GROUP, "群", "group", True, robot))
        )
        await line.subscribed.wait()
        await line.says("ZhangJing", "@小港 车间缺操作工20人，临时招不到", GROUP)
        await line.sees(lambda: len(line.answers) == 1)
        await house.app.dispatcher.drain()
        caller = Caller(house)
        await caller.app_says("ZhouLian", "认领 1001")
        line.faults.append(93008)
        await caller.app_says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert len([b for _, b in wecom.robot_messages if "已办结" in str(b)]) == 1


async def test_a_connection_that_was_taken_over_is_not_fought_for_and_the_office_is_told(
    sqlite_url: str,
) -> None:
    async with (
        FakeWeCom() as wecom,
        FakeLine() as line,
        House(sqlite_url, connected(line, wecom.base)) as house,
    ):
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        await line.kicks()
        await line.sees(lambda: house.app.lines.states()["wecom.aibot"] == "taken_over")
        for _ in range(100):
            told = [m for m in await house.bot_said("P055") if "已被另一处占用" in m["text"]]
            if told:
                break
            await house.app.dispatcher.drain()
        assert len(told) == 1
        assert line.connections == 1
        ready = await (await house.client.get("/readyz")).json()
        assert ready["lines"]["wecom.aibot"] == "taken_over"


async def test_the_greeting_goes_out_under_the_request_of_who_came_in(sqlite_url: str) -> None:
    async with FakeLine() as line, House(sqlite_url, connected(line)) as house:
        await house.app.writer.run(accounts)
        await line.subscribed.wait()
        request = await line.enters("ZhangJing")
        await line.sees(lambda: any(a["req_id"] == request for a in line.answers))
        assert line.answers[0]["cmd"] == "aibot_respond_welcome_msg"
        assert line.answers[0]["msgtype"] == "text"
