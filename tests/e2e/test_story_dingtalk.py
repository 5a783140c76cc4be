"""What is DingTalk's own, by HTTP and by the long connection, against strict far ends."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.chat.events import ChatRef, UserRef
from handlers.chat.outbound import Content
from handlers.domain.people import Chat
from handlers.ports import Outgoing
from storage.uow import UnitOfWork
from tests.kit.dingtalk import Caller, settings
from tests.kit.fake_dingtalk import (
    CLIENT_ID,
    CORP,
    SECRET,
    TEMPLATE,
    VENDOR_TEMPLATE,
    FakeDingTalk,
    labels,
    said,
)
from tests.kit.fake_dingtalk_line import MESSAGES, FakeStream, check_answer
from tests.kit.house import House
from tests.kit.logged import logged
from tests.kit.scene import Scene, busy_database, introduced, short_of_time

GROUP = "cidKeyFirms=="
ZHANG, ZHOU, XU, WANG = "ent0101", "liaison07", "leader02", "ent0205"
ACCOUNTS = ((ZHANG, "E003-1"), (ZHOU, "P041"), (XU, "P028"), ("duty01", "P055"), (WANG, "E004-1"))
NOTE = ("dingtalk", "heard:dingtalk.stream")
PROBLEM = "车间缺操作工20人，临时招不到"


def spoken_to_by_robot(uow: UnitOfWork, robot: str) -> None:
    """A group of outsiders, and something that is to be said there."""
    chat = ChatRef("dingtalk", "chat-of-outsiders")
    uow.chats.save_chat(Chat("dingtalk", chat.id, "外部群", "group", True, robot_url=robot))
    uow.outbox.put(Outgoing(Content("canary-words"), chat=chat))


@asynccontextmanager
async def scene(url: str, stream: bool, **more: str) -> AsyncIterator[Scene]:
    far, line = FakeDingTalk(), FakeStream(CLIENT_ID, SECRET)
    line.attach(far.app)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(far)
        house = House(url, {**settings(far.base, stream), **more})
        await stack.enter_async_context(house)
        await introduced(house, "dingtalk", ACCOUNTS, GROUP)
        if stream:
            await line.connected.wait()
        yield Scene(house, far, Caller(house, far, line if stream else None), line)
    line.verify()


async def reported(s: Scene) -> dict[str, Any]:
    """A firm tells of a problem; the card of its liaison."""
    await s.caller.says(ZHANG, PROBLEM)
    await s.sent()
    return s.last_card(ZHOU)


@pytest.mark.parametrize(
    ("stream", "template", "place"),
    [(False, VENDOR_TEMPLATE, "tips"), (True, TEMPLATE, "said")],
    ids=["http", "stream"],
)
async def test_a_press_is_answered_with_a_few_words_and_its_new_card_and_the_groups_card_follows(
    sqlite_url: str, stream: bool, template: str, place: str
) -> None:
    async with scene(sqlite_url, stream, DINGTALK_CARD_TEMPLATE_ID=template) as s:
        await s.caller.says(ZHANG, PROBLEM, GROUP)
        await s.sent()
        answer = next(m for m in s.far.to(GROUP) if "#1001" in said(m))
        shown = await s.caller.presses(ZHOU, s.last_card(ZHOU), "认领")
        assert check_answer(shown) == ""
        assert "1001" in shown["userPrivateData"]["cardParamMap"][place]
        assert "认领" not in labels(shown["cardData"]["cardParamMap"])
        await s.sent()
        # The card of the group is replaced where it stands.
        assert [u["track"] for u in s.far.updates] == [answer["track"]]


@pytest.mark.parametrize("template", [TEMPLATE, "0"])
async def test_a_reply_to_what_the_bot_said_is_about_its_ticket(
    sqlite_url: str, template: str
) -> None:
    async with scene(sqlite_url, False, DINGTALK_CARD_TEMPLATE_ID=template) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.caller.says(ZHANG, "厂门口路灯坏了5盏，晚上看不见")
        await s.sent()
        told = next(m for m in s.far.to(ZHOU) if "#1001" in said(m))
        # A quoted card comes without its words.
        replied = {"msgType": "interactiveCard", "msgId": "msgBot==", "senderId": "$:LWCP_v1:$bot"}
        plain = s.caller.message(ZHOU, "认领", originalProcessQueryKey=told["key"])
        plain["text"] |= {"isReplyMsg": True, "repliedMsg": replied}
        await s.caller.brings(plain)
        assert (await s.house.ticket(1001)).state == "in_progress"
        assert (await s.house.ticket(1002)).state == "open"


async def test_a_second_press_moves_nothing_and_says_why(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, False) as s:
        card = await reported(s)
        await s.caller.presses(ZHOU, card, "认领")
        version = (await s.house.ticket()).version
        again = await s.caller.presses(ZHOU, card, "认领")
        assert "认领" in again["userPrivateData"]["cardParamMap"]["tips"]
        assert (await s.house.ticket()).version == version


async def test_a_press_that_takes_longer_is_let_go_and_its_card_is_replaced_later(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, False) as s:
        card = await reported(s)
        short_of_time(s.house, "dingtalk")
        with busy_database(sqlite_url):
            assert await s.caller.presses(ZHOU, card, "认领") == {}
        for _ in range(60):
            await asyncio.sleep(0.1)
            await s.sent()
            if s.far.updates:
                break
        assert (await s.house.ticket()).state == "in_progress"
        assert [u["track"] for u in s.far.updates] == [card["track"]]
        assert "认领" not in labels(s.far.updates[0]["card"])


async def test_an_event_is_acknowledged_by_the_long_connection_once_it_is_on_disk(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, True) as s:
        card = await reported(s)
        event = {"userId": ZHOU, "processQueryKey": card["key"], "robotCode": CLIENT_ID}
        short_of_time(s.house, "dingtalk")
        with busy_database(sqlite_url):
            await s.line.happens("robot_msg_read", event, CORP, "read-1")
            await s.line.answer(await s.line.asks())
            assert s.line.statuses("read-1") == []
        await s.line.sees(lambda: s.line.statuses("read-1") == ["SUCCESS"])
        # The same once more is known, and acknowledged again.
        await s.line.happens("robot_msg_read", event, CORP, "read-1")
        await s.line.sees(lambda: s.line.statuses("read-1") == ["SUCCESS", "SUCCESS"])


async def test_an_event_over_http_that_cannot_be_stored_is_asked_for_again(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, False) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.sent()
        short_of_time(s.house, "dingtalk")
        read = {
            "EventType": "robot_msg_read",
            "CorpId": CORP,
            "eventId": "read-1",
            "UserId": ZHOU,
            "ProcessQueryKey": s.last_card(ZHOU)["key"],
        }
        with busy_database(sqlite_url):
            status, _ = await s.caller.post_event(read)
            assert status == 503
            # A message comes only once: it is not asked for again, and yet it is not lost.
            assert await s.caller.post(s.caller.message(ZHANG, "厂门口路灯坏了5盏")) == (200, b"")
        assert await s.caller.post_event(read) == (200, "success")
        assert await s.caller.post_event({"EventType": "check_url"}) == (200, "success")
        await s.house.app.worker.catch_up()
        assert await s.house.count("tickets") == 2


async def test_who_has_read_an_announcement_is_counted_by_what_dingtalk_tells(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, True) as s:
        await s.house.app.writer.run(
            lambda uow: uow.people.drop_identity(UserRef("sandbox", "E003"))
        )
        number = await announced(s.house)
        await s.sent()
        card = next(m for m in s.far.to(ZHANG) if "停电检修" in said(m))
        await s.caller.reads(WANG, card)
        receipts = await s.house.api("GET", f"/announcements/{number}/receipts")
        assert receipts["read"] == 0
        await s.caller.reads(ZHANG, card)
        receipts = await s.house.api("GET", f"/announcements/{number}/receipts")
        assert (receipts["read"], receipts["items"][0]["read_by"]) == (1, "platform")


async def announced(house: House) -> int:
    body = {
        "kind": "停水停电",
        "title": "停电检修",
        "text": "周六 8:00 到 12:00 停电检修，请提前安排生产。",
        "audience": {"enterprises": ["E003"]},
        "route": "direct",
        "author": "P055",
    }
    made = await house.api("POST", "/announcements", body, status=201)
    number = int(made["id"])
    await house.api("POST", f"/announcements/{number}/approve", {"actor": "P028"})
    await house.advances(minutes=1)
    return number


async def test_a_picture_after_the_sentence_joins_its_ticket_and_can_be_fetched(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, True) as s:
        s.far.files["code-1"] = b"a picture"
        await s.caller.says(ZHANG, "厂门口路灯坏了5盏，晚上看不见")
        await s.caller.says(ZHANG, kind="picture", content={"downloadCode": "code-1"})
        messages = await s.house.read(lambda uow: uow.tickets.messages(1001))
        assert len(messages) == 2
        platform: Any = s.house.app.platforms["dingtalk"]
        assert (await platform.fetch(messages[1].attachments[0])).body == b"a picture"


async def test_an_answer_in_the_group_goes_by_its_reply_address(sqlite_url: str) -> None:
    async with scene(sqlite_url, False, DINGTALK_CARD_TEMPLATE_ID="0") as s:
        await s.caller.says(ZHANG, PROBLEM, GROUP)
        await s.sent()
        assert [m["via"] for m in s.far.to(GROUP)] == ["session"]


async def test_a_forged_reply_address_is_never_called(sqlite_url: str) -> None:
    address = "https://oapi.dingtalk.com.example.cn/robot/sendBySession?session=x"
    async with scene(sqlite_url, False, DINGTALK_CARD_TEMPLATE_ID="0") as s:
        await s.caller.says(ZHANG, PROBLEM, GROUP, sessionWebhook=address)
        await s.sent()
        assert [m["via"] for m in s.far.to(GROUP)] == ["api"]


async def test_somebody_without_an_id_of_the_organisation_is_answered_while_the_chat_is_open(
    sqlite_url: str,
) -> None:
    async with scene(sqlite_url, False) as s:
        plain = s.caller.message("guest", "厂里缺操作工20人", GROUP)
        del plain["senderStaffId"]
        await s.caller.brings(plain)
        await s.sent()
        assert any("请问是哪家企业" in words for words in s.far.words(GROUP))
        plain = s.caller.message("guest", "泓曜精密", GROUP)
        del plain["senderStaffId"]
        await s.caller.brings(plain)
        ticket = await s.house.ticket()
        assert (ticket.enterprise_id, ticket.owner_id) == ("E003", "P041")


async def test_repeated_and_reordered_frames_open_each_ticket_once(database_url: str) -> None:
    async with scene(database_url, True) as s:
        problems = (
            "缺操作工20人，招不到",
            "厂门口路灯坏了5盏，晚上看不见",
            "西侧围墙外有异味，持续两天",
            "年底续贷要压三百万，资金周转不开",
        )
        messages = [s.caller.message(ZHANG, text) for text in problems]
        storm = [message for message in messages for _ in range(3)]
        random.Random(7).shuffle(storm)
        frames = [await s.line.brings(MESSAGES, message) for message in storm]
        for frame in frames:
            await s.line.answer(frame)
        await s.house.app.worker.catch_up()
        heard = await s.house.read(
            lambda uow: [uow.heard.find("dingtalk", m["msgId"]) for m in messages]
        )
        assert all(one is not None for one in heard)
        assert await s.house.count("heard_messages") == len(messages)


async def test_after_a_break_the_story_goes_on(sqlite_url: str) -> None:
    async with scene(sqlite_url, True) as s:
        await s.caller.says(ZHANG, PROBLEM)
        await s.line.sends_away()
        await s.line.connected.wait()
        await s.line.drops(0)
        await s.line.sees(lambda: s.house.app.lines.states()["dingtalk.stream"] == "up")
        ready = await (await s.house.client.get("/readyz")).json()
        assert ready["lines"]["dingtalk.stream"] == "up"
        await s.caller.says(ZHOU, "认领 1001")
        assert (await s.house.ticket()).owner_id == "P041"


@pytest.mark.parametrize(("minutes", "told"), [(9, 0), (75, 1)])
async def test_after_a_long_silence_the_group_is_told_once_that_nothing_was_heard(
    sqlite_url: str, minutes: int, told: int
) -> None:
    heard = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()

    def as_it_was_left(uow: UnitOfWork) -> None:
        uow.chats.save_chat(Chat("dingtalk", GROUP, "群", "group", True))
        over = Chat("dingtalk", "cidOver==", "旧群", "group", archived_at=datetime.now(UTC))
        uow.chats.save_chat(over)
        uow.notes.put(*NOTE, heard)

    async with House(sqlite_url, sample=False) as before:
        await before.app.writer.run(as_it_was_left)
    async with scene(sqlite_url, True) as s:
        while await s.house.read(lambda uow: uow.notes.get(*NOTE)) == heard:
            await asyncio.sleep(0.01)
        await s.sent()
        assert len(s.far.words()) == told
        assert all("请再发一次" in words for words in s.far.words(GROUP))
        audit = await s.house.read(lambda uow: uow.audit.lines(20))
        assert [line["action"] for line in audit].count("line.was_away") == told
        assert await s.house.read(lambda uow: uow.audit.verify()) is None


async def test_over_http_the_clicks_address_is_told_once_with_its_secret(sqlite_url: str) -> None:
    async with scene(sqlite_url, False, LHG_PUBLIC_URL="https://lhg.example.cn") as s:
        await s.line.sees(lambda: bool(s.far.registered))
        assert [r["callbackUrl"] for r in s.far.registered] == [
            "https://lhg.example.cn/hooks/dingtalk/card"
        ]
        assert SECRET not in str(s.far.registered)


async def test_no_secret_leaves_the_house(sqlite_url: str) -> None:
    """Logs, metrics, the API after everything that could be refused was refused."""
    with logged() as stream:
        async with scene(sqlite_url, True) as s:
            s.line.denials.append("system.busy")
            await s.line.drops()
            await s.line.connected.wait()
            await s.caller.says(ZHANG, PROBLEM, GROUP)
            s.far.faults.extend(["expired", "broken", "lie"])
            s.far.refusals[ZHOU] = "staffId.notExisted"
            robot = s.far.robot()
            s.far.robot_code = 300001
            await s.house.app.writer.run(lambda uow: spoken_to_by_robot(uow, robot))
            await s.sent()
            await s.line.brings(MESSAGES, s.caller.message(ZHANG, "x") | {"robotCode": "canary"})
            by_http = Caller(s.house, s.far)
            plain = by_http.message(ZHANG, "canary-words")
            for headers in ({}, by_http.signed(secret="wrong"), by_http.signed(when=0)):
                refused = await s.house.client.post("/hooks/dingtalk", json=plain, headers=headers)
                assert (refused.status, await refused.read()) == (403, b"")
            status, _ = await by_http.post_event({"EventType": "x"}, msg_signature="0" * 40)
            assert status == 403
            outbox = await s.house.api("GET", "/outbox?state=dead")
            metrics = await (await s.house.client.get("/metrics")).text()
    kept = stream.getvalue() + metrics + json.dumps(outbox)
    assert "not_understood" in kept
    assert "300001" in kept
    assert "canary" not in kept.replace(CLIENT_ID, "").replace(CORP, "")
