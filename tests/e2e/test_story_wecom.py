"""What is WeCom's own: encrypted callbacks, against a strict WeCom on loopback."""

import pytest

from handlers.chat.events import ChatRef
from handlers.domain.people import Identity
from storage.uow import UnitOfWork
from tests.kit.fake_wecom import FakeWeCom, check_card
from tests.kit.house import House
from tests.kit.wecom import Caller, settings

GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
ACCOUNTS = (
    ("ZhangJing", "E003-1"),
    ("ZhouLian", "P041"),
    ("XuLead", "P028"),
    ("Duty", "P055"),
    ("WangOther", "E004-1"),
)


def accounts(uow: UnitOfWork) -> None:
    for user, person in ACCOUNTS:
        uow.people.save_identity(Identity("wecom", user, person))


async def test_a_repeat_is_answered_with_nothing_and_a_press_replaces_the_card_by_its_code(
    sqlite_url: str,
) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        problem = "@小港 车间缺操作工20人，临时招不到"
        answer = await caller.says("ZhangJing", problem, GROUP, msgid="FIRST", base=wecom.base)
        assert (answer["msgtype"], answer["stream"]["finish"]) == ("stream", True)
        for _ in range(2):
            again = await caller.says("ZhangJing", problem, GROUP, msgid="FIRST", base=wecom.base)
            assert again == {}
        await house.app.dispatcher.drain()
        assert [m["touser"] for m in wecom.app_messages] == ["ZhouLian"]
        code = wecom.press("code-1")
        assert await caller.app_presses("ZhouLian", wecom.app_messages[0], "认领", code) == 200
        await house.app.dispatcher.drain()
        (update,) = wecom.updates
        assert (update["userids"], update["response_code"]) == (["ZhouLian"], code)


async def test_a_press_in_an_aibot_chat_is_answered_with_the_new_card(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        await caller.says("ZhangJing", "车间缺操作工20人，临时招不到", base=wecom.base)
        await house.app.dispatcher.drain()
        card = wecom.app_messages[-1]["template_card"]
        status, answer = await caller.post_aibot(
            {
                "msgid": "PRESS1",
                "create_time": 1795334400,
                "aibotid": "aibOQ3kYw8mC5d",
                "chattype": "single",
                "from": {"userid": "ZhouLian"},
                "msgtype": "event",
                "event": {
                    "eventtype": "template_card_event",
                    "template_card_event": {
                        "card_type": "button_interaction",
                        "event_key": card["button_list"][0]["key"],
                        "task_id": card["task_id"],
                    },
                },
            }
        )
        assert status == 200
        assert answer["response_type"] == "update_template_card"
        check_card(answer["template_card"], interactive=True)
        assert (await house.ticket()).state == "in_progress"


async def test_a_quote_without_an_id_leads_to_the_ticket_by_its_printed_number(
    sqlite_url: str,
) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        answer = await caller.says("ZhangJing", "@小港 缺操作工20人", GROUP, base=wecom.base)
        quote = {"msgtype": "text", "text": {"content": answer["stream"]["content"]}}
        await caller.says("ZhouLian", "@小港 认领", GROUP, base=wecom.base, quote=quote)
        assert (await house.ticket()).state == "in_progress"


async def test_an_expired_token_is_fetched_once_and_the_message_goes_out(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        await caller.says("ZhangJing", "缺操作工20人，招不到", base=wecom.base)
        await house.app.dispatcher.drain()
        wecom.faults.extend(["expired", "busy"])
        await caller.app_says("ZhouLian", "认领 1001")
        for _ in range(3):
            await house.app.dispatcher.drain()
            import asyncio

            await asyncio.sleep(0.1)
        assert wecom.tokens == 2
        assert any("已认领" in str(m) for m in wecom.app_messages if m["touser"] == "ZhangJing")


async def test_a_member_that_wecom_does_not_know_is_noticed_although_errcode_is_zero(
    sqlite_url: str,
) -> None:
    async with (
        FakeWeCom() as wecom,
        House(sqlite_url, {**settings(wecom.base), "LHG_SANDBOX": "0"}) as house,
    ):
        await house.app.writer.run(accounts)
        wecom.invalid.add("ZhouLian")
        caller = Caller(house)
        await caller.says("ZhangJing", "缺操作工20人，招不到", base=wecom.base)
        await house.app.dispatcher.drain()
        page = await house.read(lambda uow: uow.outbox.page("dead", 10, None))
        assert [row["error"] for row in page.items] == ["unreachable:invaliduser"]


@pytest.mark.parametrize("kind", ["image", "file", "video"])
async def test_a_picture_after_the_sentence_joins_its_ticket(sqlite_url: str, kind: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        await caller.says("ZhangJing", "厂门口路灯坏了5盏，晚上看不见", base=wecom.base)
        await caller.post_aibot(
            {
                "msgid": "PIC1",
                "chattype": "single",
                "from": {"userid": "ZhangJing"},
                "msgtype": kind,
                kind: {"url": "https://example.invalid/p"},
            }
        )
        messages = await house.read(lambda uow: uow.tickets.messages(1001))
        assert len(messages) == 2
        assert messages[1].attachments[0].kind == kind


async def test_somebody_unknown_is_served_by_the_duty_desk_and_asked_once(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        caller = Caller(house)
        answer = await caller.says("Stranger", "@小港 厂里缺操作工20人", GROUP, base=wecom.base)
        assert "请问是哪家企业" in answer["stream"]["content"]
        assert (await house.ticket()).owner_id is None
        await caller.says("Stranger", "@小港 泓曜精密", GROUP, base=wecom.base)
        ticket = await house.ticket()
        assert (ticket.enterprise_id, ticket.owner_id) == ("E003", "P041")
        assert await house.read(lambda uow: uow.chats.chat(ChatRef("wecom", GROUP))) is not None
