"""What is Feishu's own: sealed events and clicks, against a strict Feishu on loopback."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.dispatcher import Pace
from handlers.chat.events import ChatRef
from handlers.domain.people import Chat
from tests.kit.fake_feishu import FakeFeishu, check_card, said
from tests.kit.feishu import Caller, labels, settings
from tests.kit.house import QUICK, House
from tests.kit.scene import Scene, busy_database, introduced, short_of_time

GROUP = "oc_36b3216fdaeeb975729fae923d5a4fd1"
ZHANG, ZHOU, XU, WANG = "ou_zhangjing", "ou_zhoulian", "ou_xulead", "ou_wangother"
ACCOUNTS = (
    (ZHANG, "E003-1"),
    (ZHOU, "P041"),
    (XU, "P028"),
    ("ou_duty", "P055"),
    (WANG, "E004-1"),
)
PROBLEM = "车间缺操作工20人，临时招不到"


@asynccontextmanager
async def scene(url: str, pace: Pace = QUICK, **more: str) -> AsyncIterator[Scene]:
    async with (
        FakeFeishu() as far,
        House(url, {**settings(far.base), **more}, pace=pace) as house,
    ):
        await introduced(house, "feishu", ACCOUNTS, GROUP)
        yield Scene(house, far, Caller(house, far))


async def test_a_click_is_answered_with_a_toast_and_its_new_card_and_the_groups_card_follows(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM, GROUP, message_id="om_first", at_bot=True)
        await s.sent()
        answer = next(m for m in s.far.to(GROUP) if m.get("to") == "om_first")
        shown = await s.caller.presses(ZHOU, s.last_card(ZHOU), "认领")
        assert shown["toast"]["type"] == "success"
        assert "1001" in shown["toast"]["content"]
        check_card(shown["card"]["data"])
        await s.sent()
        # The card of the group is replaced where it stands.
        assert answer["message_id"] in {u["message_id"] for u in s.far.updates}


async def test_only_the_announcement_itself_read_by_its_own_firm_is_a_receipt(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(sqlite_url, LHG_SANDBOX="0") as s:
        body = {
            "kind": "通知",
            "title": "消防演练",
            "text": "12月1日上午9点在广场举行。",
            "audience": {"enterprises": ["E003"]},
            "route": "direct",
            "need_receipt": True,
            "author": "P055",
        }
        await s.house.api("POST", "/announcements", body, status=201)
        await s.house.api("POST", "/announcements/1/approve", {"actor": "P057"})
        await s.sent()
        (card,) = s.far.to(ZHANG)
        await s.caller.says(ZHOU, "提醒未读 1")
        await s.sent()
        nudge = s.far.to(ZHANG)[-1]
        assert nudge["card"] is None

        async def read() -> int:
            return int((await s.house.api("GET", "/announcements/1/receipts"))["read"])

        caplog.clear()
        # Messages that nobody knows, the second push, another firm's person and a stranger.
        await s.caller.reads(ZHANG, *(f"om_unknown{n}" for n in range(50)), nudge["message_id"])
        await s.caller.reads(WANG, card["message_id"])
        await s.caller.reads("ou_stranger", card["message_id"])
        assert await read() == 0
        assert [r.message for r in caplog.records if r.levelno >= logging.INFO] == []
        # Told again and again it counts once.
        for _ in range(2):
            await s.caller.reads(ZHANG, "om_other", card["message_id"])
        assert await read() == 1
        audit = (await s.house.api("GET", "/audit?limit=200"))["items"]
        noted = [row["facts"] for row in audit if row["action"] == "announcement.read"]
        assert noted == [{"firm": "E003", "by": "platform"}]


async def test_a_second_click_on_a_stale_card_moves_nothing_and_says_why(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        card = s.last_card(ZHOU)
        click = s.caller.click(ZHOU, card, "认领")
        await s.caller.post(click, "/card")
        version = (await s.house.ticket()).version
        again = await s.caller.presses(ZHOU, card, "认领")
        assert "认领" in again["toast"]["content"]
        # The platform never repeats a click; should it, the same event does nothing.
        status, repeated = await s.caller.post(click, "/card")
        assert (status, repeated["toast"]["content"]) == (200, "已收到")
        assert (await s.house.ticket()).version == version


async def test_clicks_may_come_to_the_address_of_the_events(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        status, shown = await s.caller.post(s.caller.click(ZHOU, s.last_card(ZHOU), "认领"))
        assert status == 200
        assert shown["card"]["type"] == "raw"


async def test_a_click_that_takes_longer_is_told_so_and_its_card_is_replaced_later(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        card = s.last_card(ZHOU)
        short_of_time(s.house, "feishu")
        with busy_database(sqlite_url):
            shown = await s.caller.presses(ZHOU, card, "认领")
        assert shown == {"toast": {"type": "info", "content": "正在处理，请稍候"}}
        for _ in range(60):
            await asyncio.sleep(0.1)
            await s.sent()
            if s.far.updates:
                break
        assert (await s.house.ticket()).state == "in_progress"
        assert [u["message_id"] for u in s.far.updates] == [card["message_id"]]
        assert "认领" not in labels(s.far.updates[0]["card"])


async def test_a_reply_under_a_card_names_its_ticket_also_deeper_in_the_topic(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM, GROUP, at_bot=True)
        await s.caller.says(ZHANG, "厂门口路灯坏了5盏，晚上看不见", GROUP, at_bot=True)
        await s.sent()
        told = next(m for m in s.far.to(GROUP) if "#1001" in said(m))
        await s.caller.says(
            ZHOU,
            "认领",
            GROUP,
            at_bot=True,
            parent_id="om_of_a_colleague",
            root_id=told["message_id"],
            thread_id="omt_1",
        )
        assert (await s.house.ticket(1001)).state == "in_progress"
        assert (await s.house.ticket(1002)).state == "open"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", {"image_key": "img_v3_1"}),
        ("file", {"file_key": "file_v3_1", "file_name": "用工需求.xlsx"}),
        ("media", {"file_key": "file_v3_2", "file_name": "现场.mp4", "duration": 1000}),
    ],
)
async def test_a_picture_after_the_sentence_joins_its_ticket(
    sqlite_url: str, kind: str, content: dict[str, Any]
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, "厂门口路灯坏了5盏，晚上看不见")
        await s.caller.says(ZHANG, kind=kind, content=content)
        messages = await s.house.read(lambda uow: uow.tickets.messages(1001))
        assert len(messages) == 2
        assert messages[1].attachments[0].url.startswith("feishu:")


async def test_a_group_that_takes_the_bot_in_is_listed_and_the_adder_is_greeted(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        added = {
            "chat_id": "oc_new",
            "operator_id": {"open_id": ZHOU},
            "external": True,
            "name": "重点工业企业",
        }
        await s.caller.post(s.caller.event("im.chat.member.bot.added_v1", added))
        chat = await s.house.read(lambda uow: uow.chats.chat(ChatRef("feishu", "oc_new")))
        assert chat is not None
        assert chat.title == "重点工业企业"
        await s.sent()
        assert len(s.far.to(ZHOU)) == 1
        assert s.far.to("oc_new") == []


async def test_whoever_opens_the_single_chat_again_is_greeted_once(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        entered = {"chat_id": "oc_p2p", "operator_id": {"open_id": ZHANG}}
        for _ in range(3):
            await s.caller.post(
                s.caller.event("im.chat.access_event.bot_p2p_chat_entered_v1", entered)
            )
        await s.sent()
        assert len(s.far.to(ZHANG)) == 1


async def test_somebody_of_another_tenant_is_served_in_the_group(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        # Single chats with outside people may be forbidden.
        s.far.refusals["ou_outside"] = 230038
        event = s.caller.message("ou_outside", "厂里缺操作工20人", GROUP, at_bot=True)
        event["event"]["sender"]["tenant_key"] = "77aa88bb99cc00dd"
        await s.caller.post(event)
        await s.sent()
        assert any("请问是哪家企业" in words for words in s.far.words(GROUP))
        await s.caller.says("ou_outside", "泓曜精密", GROUP, at_bot=True)
        ticket = await s.house.ticket()
        assert (ticket.enterprise_id, ticket.owner_id) == ("E003", "P041")


async def test_an_urgent_ticket_rings_its_liaison_and_a_refused_ring_loses_nothing(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, "车间着火了，有人受伤，快来人")
        await s.sent()
        assert (await s.house.ticket()).urgency == "U1"
        ringed = s.last_card(ZHOU)["message_id"]
        assert (ringed, [ZHOU]) in s.far.urged
        s.far.urgent_code = 230024
        before = len(s.far.to(ZHOU))
        s.house.passes(minutes=5)
        await s.caller.says(ZHANG, "厂区燃气管道泄漏，味道很大，快来人")
        await s.sent()
        assert len(s.far.to(ZHOU)) > before
        assert await s.house.read(lambda uow: uow.outbox.counts().get("dead", 0)) == 0


async def test_an_ordinary_ticket_rings_nobody(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        assert s.far.to(ZHOU)
        assert s.far.urged == []


async def test_an_answer_whose_question_was_taken_back_stands_alone(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        s.far.gone.add("om_back")
        await s.caller.says(ZHANG, PROBLEM, GROUP, message_id="om_back", at_bot=True)
        await s.sent()
        assert any("#1001" in words for words in s.far.words(GROUP))


async def test_a_group_that_takes_no_cards_gets_the_words(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        s.far.faults.append("lie")
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        everything = "\n".join(s.far.words())
        assert "1001" in everything
        assert await s.house.read(lambda uow: uow.outbox.counts().get("dead", 0)) == 0


async def test_where_the_app_is_not_in_the_group_its_own_robot_speaks(sqlite_url: str) -> None:
    async with scene(sqlite_url) as s:
        s.far.refusals[GROUP] = 230002
        s.far.chats["om_asked"] = GROUP
        robot = f"{s.far.base}/open-apis/bot/v2/hook/robot-1#robot-canary"
        await s.house.app.writer.run(
            lambda uow: uow.chats.save_chat(Chat("feishu", GROUP, "群", "group", True, robot))
        )
        await s.caller.says(ZHANG, PROBLEM, GROUP, message_id="om_asked", at_bot=True)
        await s.sent()
        assert "#1001" in s.far.robot_said[0]["content"]["text"]
        assert s.far.robot_said[0]["sign"]


async def test_reordered_and_repeated_events_open_each_ticket_once(database_url: str) -> None:
    async with scene(database_url) as s:
        problems = [
            "缺操作工20人，招不到",
            "厂门口路灯坏了5盏，晚上看不见",
            "西侧围墙外有异味，持续两天",
            "年底续贷要压三百万，资金周转不开",
        ]
        events = [s.caller.message(ZHANG, text) for text in problems]
        storm = [event for event in events for _ in range(3)]
        random.Random(7).shuffle(storm)
        answers = await asyncio.gather(*(s.caller.post(event) for event in storm))
        assert {status for status, _ in answers} == {200}
        await s.house.app.worker.catch_up()
        heard = await s.house.read(
            lambda uow: [
                uow.heard.find("feishu", e["event"]["message"]["message_id"]) for e in events
            ]
        )
        assert all(one is not None for one in heard)
        assert await s.house.count("heard_messages") == len(events)
        numbers = [one.number for one in heard]
        assert len(set(numbers)) == await s.house.count("tickets")
