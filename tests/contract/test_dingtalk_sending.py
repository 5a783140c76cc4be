"""What DingTalk answers and what becomes of a message then: tokens, limits, refusals, robots, files."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.client import Answer, Client
from bot.platform import (
    MOST_FETCHED,
    Expired,
    Outdated,
    Permanent,
    Receipt,
    SendError,
    Transient,
    Unreachable,
    Unsure,
)
from bot.platforms.dingtalk import answers, api, cards, errors
from bot.throttle import Throttle
from handlers.chat.events import ChatKind, ChatRef, UserRef
from handlers.chat.outbound import Address, Button, Content, Delivery, Mention, Open
from handlers.chat.reach import Lost
from tests.kit.cards import CHOICE, a_card
from tests.kit.chaos import Storm
from tests.kit.chaos_dingtalk import Stormy
from tests.kit.dingtalk import settings
from tests.kit.fake_dingtalk import (
    CLIENT_ID,
    ROBOT,
    ROUTE,
    SECRET,
    TEMPLATE,
    VENDOR_TEMPLATE,
    FakeDingTalk,
    said,
)
from tests.kit.logged import logged
from tests.kit.platforms import built

GROUP, PERSON = "cidDemoGroup==", "liaison07"
OUTSIDER = "$:LWCP_v1:$canaryoutsider"
WORDS = Content("#1024 已登记")
CALLED = Content("请看", mentions=(Mention(UserRef("dingtalk", PERSON), "小周"),))
METADATA, STORE = "169.254.169.254", "zjk.oss-cn.aliyuncs.com"
LONG = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1300)))
MONTH = "Forbidden.AccessDenied.ApiCountLimitForOrg"


@asynccontextmanager
async def speaking(
    far: FakeDingTalk, template: str = TEMPLATE, callback: str = "STREAM", **more: Any
) -> AsyncIterator[api.Api]:
    client = Client(2.0)
    base = f"{far.base}/"
    try:
        yield api.Api(
            client, base, base, CLIENT_ID, SECRET, ROBOT, template, callback, ROUTE, **more
        )
    finally:
        await client.close()


def to_group(content: Content, number: int = 1, **more: Any) -> Delivery:
    chat = ChatRef("dingtalk", more.pop("chat", GROUP))
    return Delivery(number, Address(chat, ChatKind.GROUP, more.pop("robot", "")), content, **more)


def to_person(content: Content, number: int = 1, **more: Any) -> Delivery:
    chat = ChatRef("dingtalk", more.pop("chat", PERSON))
    return Delivery(number, Address(chat, ChatKind.DIRECT), content, **more)


def in_an_hour() -> float:
    return time.time() + 3600


# ---- token


async def test_a_token_that_ends_under_a_burst_breaks_no_limit() -> None:
    async with Stormy(Storm(random.Random(1))) as far, speaking(far) as calls:
        await calls.send(to_person(WORDS))
        far.forget_token()
        people = [to_person(WORDS, n, chat=f"person{n}") for n in range(18)]
        await asyncio.gather(*(calls.send(one) for one in people))
        assert len(far.messages) == 19
        # Those with the old token count too.
        assert far.wrong() == []


# ---- what an answer means


@pytest.mark.parametrize(
    ("fault", "code", "wait"),
    [
        ("throttled", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 1.0),
        ("throttled_old", "429", 2.0),
        ("page", "ip_limit", 300.0),
        ("month", MONTH, 3600.0),
        ("busy", "system.busy", None),
        ("broken", "502", None),
        ("denied", "Forbidden.AccessDenied.AccessTokenPermissionDenied", 300.0),
    ],
)
async def test_what_was_surely_not_taken_is_tried_again(
    fault: str, code: str, wait: float | None
) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        await calls.send(to_person(WORDS, 1))
        far.faults.append(fault)
        with pytest.raises(Transient) as error:
            await calls.send(to_person(WORDS, 2))
        assert (error.value.code, error.value.retry_after) == (code, wait)
        await calls.send(to_person(WORDS, 2))
        assert len(far.messages) == 2


@pytest.mark.parametrize("fault", ["slow", "half"])
async def test_a_message_without_an_answer_is_not_repeated(fault: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        for delivery in (to_person(WORDS), to_group(WORDS)):
            far.faults.append(fault)
            with pytest.raises(Unsure) as error:
                await calls.send(delivery)
            assert not error.value.repeatable


async def test_no_connection_is_kept_that_could_end_under_a_message() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        for number in range(3):
            await calls.send(to_person(WORDS, number))
        assert far.calls == 3
        assert not far.kept


@pytest.mark.parametrize("fault", ["slow", "half"])
async def test_a_card_without_an_answer_is_asked_for_again_and_shown_once(fault: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        card = to_person(Content.of(a_card()))
        far.faults.append(fault)
        with pytest.raises(Unsure) as error:
            await calls.send(card)
        assert error.value.repeatable
        receipt = await calls.send(card)
        assert receipt.card_ref == cards.track_id(card)
        assert [m["track"] for m in far.messages] == [receipt.card_ref]
        assert far.repeats == (1 if fault == "half" else 0)


async def test_a_card_whose_answer_takes_long_is_asked_for_again_and_shown_once() -> None:
    async with FakeDingTalk() as far, speaking(far, card_seconds=0.05) as calls:
        card = to_person(Content.of(a_card()))
        await calls.send(to_person(WORDS, 9))
        far.card_wait = 0.5
        with pytest.raises(Unsure) as error:
            await calls.send(card)
        assert error.value.repeatable
        assert (await calls.send(card)).card_ref == cards.track_id(card)
        assert len([m for m in far.messages if m["card"]]) == far.repeats == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", Unsure),
        (200, b"[]", Unsure),
        (200, b"plain words", Unsure),
        (200, b"<html>punish</html>", Transient),
        (403, b"<html>punish</html>", Transient),
        (200, b'{"status":1111,"wait":5,"source":"x5","punish":"deny"}', Transient),
        (200, b'{"success":false}', Permanent),
        (200, b'{"errcode":130101,"punish":"deny"}', Transient),
        (200, b'{"errcode":310000}', Transient),
        (200, b'{"errcode":300001}', Permanent),
        (200, b'{"errcode":88,"sub_code":"90018"}', Transient),
        (200, b'{"errcode":90020}', Transient),
        (200, b'{"errcode":15}', Unsure),
        (200, b'{"errcode":88,"errmsg":"ding talk error"}', Unsure),
        (200, b'{"errcode":-1}', Transient),
        (200, b'{"errcode":4711}', Permanent),
        (401, b"", Expired),
        (400, b'{"code":"InvalidAuthentication"}', Expired),
        (400, b'{"code":"some.new.code"}', Permanent),
        (403, b'{"code":"Forbidden.AccessDenied.SomethingNew"}', Transient),
        (302, b"<html>moved</html>", Transient),
        (500, b'{"code":"some.new.code"}', Transient),
        (500, b"", Transient),
        (503, b"<html>", Transient),
        (504, b"<html>", Unsure),
        (404, b"", Permanent),
    ],
)
def test_every_answer_is_judged(status: int, body: bytes, kind: type[SendError]) -> None:
    with pytest.raises(kind):
        answers.check(Answer(status, {}, body))


@pytest.mark.parametrize("body", [b'{"errcode":0,"errmsg":"ok"}', b'{"code":"0"}', b"{}"])
def test_what_was_taken_is_taken(body: bytes) -> None:
    assert isinstance(answers.check(Answer(200, {}, body)), dict)


@pytest.mark.parametrize("body", [b"{}", b'{"errmsg":"ok"}', b'{"success":true}'])
def test_the_old_interface_took_nothing_that_it_gives_no_number_for(body: bytes) -> None:
    with pytest.raises(Unsure) as error:
        answers.check_old(Answer(200, {}, body))
    assert not error.value.repeatable
    answers.check_old(Answer(200, {}, b'{"errcode":0,"errmsg":"ok"}'))


def test_names_are_judged_by_their_beginning_and_the_months_end_by_its_own_words() -> None:
    assert errors.cure("invalidParameter.robotCode.notExsit") == errors.cure(
        "invalidParameter.robotCode"
    )
    for code in (MONTH, "90020"):
        assert "本月" in errors.cure(code)
    for code in ("90018", "90019"):
        assert "太快" in errors.cure(code)


# ---- losses that say nothing


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("invalidStaffIdList", "invalid_staff", Lost.LEFT),
        ("filteredStaffIdList", "filtered_staff", Lost.OUT_OF_RANGE),
    ],
)
async def test_a_person_who_got_nothing_is_no_success(name: str, code: str, why: Lost) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.lists[PERSON] = name
        with pytest.raises(Unreachable) as error:
            await calls.send(to_person(WORDS))
        assert (error.value.code, error.value.why) == (code, why)
        assert errors.cure(code)


async def test_a_person_who_was_told_too_much_waits_alone() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.lists[PERSON] = "flowControlledStaffIdList"
        with pytest.raises(Transient) as error:
            await calls.send(to_person(WORDS))
        assert error.value.code == "flow_controlled"
        assert errors.cure("flow_controlled")
        # One person's limit must not cool down the whole application.
        assert error.value.retry_after is None


@pytest.mark.parametrize("code", ["staffId.notExisted", "miss.staffId", "staff.not.found"])
async def test_somebody_who_left_is_not_reached_by_any_message(code: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.refusals[PERSON] = code
        for content in (WORDS, Content.of(a_card())):
            asked = far.calls
            with pytest.raises(Unreachable) as error:
                await calls.send(to_person(content))
            assert error.value.why is Lost.LEFT
            # Words would not come to them either.
            assert far.calls == asked + 1


async def test_a_group_card_that_calls_somebody_who_left_is_told_in_words() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.card_refusals[GROUP] = "param.userIdNotExist"
        await calls.send(to_group(Content.of(a_card(), mentions=CALLED.mentions)))
        assert [m["msg_key"] for m in far.to(GROUP)] == ["sampleMarkdown"]


async def test_what_is_wrong_with_us_is_not_said_of_the_person() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.refusals[PERSON] = "invalidParameter.userIds.overMax"
        with pytest.raises(Permanent) as error:
            await calls.send(to_person(WORDS))
        assert not isinstance(error.value, Unreachable)
        assert "成员" not in errors.cure(error.value.code)


@pytest.mark.parametrize("code", ["robot.oto.notExist", "chatbotId.notAllow.sendOTO"])
async def test_single_chats_that_are_not_open_yet_lose_nothing_and_keep_no_group_waiting(
    code: str,
) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.refusals[PERSON] = code
        for content in (WORDS, Content.of(a_card())):
            with pytest.raises(Transient) as error:
                await calls.send(to_person(content))
            assert error.value.retry_after is None
            assert "发布版本" in errors.cure(code)


async def test_a_card_that_was_not_delivered_is_told_in_words() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.not_delivered = True
        receipt = await calls.send(to_person(Content.of(a_card())))
        assert receipt == Receipt(far.messages[0]["key"])
        assert "1024" in said(far.messages[0])


async def test_an_outsider_is_only_reached_where_he_wrote() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        with pytest.raises(Unreachable) as error:
            await calls.send(to_person(WORDS, chat=OUTSIDER))
        assert (error.value.code, error.value.why) == ("outsider", Lost.OUT_OF_RANGE)
        assert "90 分钟" in errors.cure("outsider")
        calls.remember_session(OUTSIDER, far.session(OUTSIDER), in_an_hour())
        await calls.send(to_person(WORDS, chat=OUTSIDER))
        await calls.send(to_person(Content.of(a_card()), 2, chat=OUTSIDER, urgent=True))
        assert [m["via"] for m in far.to(OUTSIDER)] == ["session", "session"]
        # Neither a card nor a ring is tried in vain.
        assert far.calls == 0


async def test_nothing_follows_to_another_address_with_our_token() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        await calls.send(to_person(WORDS, 1))
        far.faults.append("moved")
        with pytest.raises(Transient) as error:
            await calls.send(to_person(WORDS, 2))
        assert error.value.code == "redirected"
        assert "DINGTALK_API_BASE" in errors.cure("redirected")
        assert far.strayed == 0


# ---- messages


async def test_a_text_goes_to_a_group_and_to_a_person_and_its_key_comes_back() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        receipts = [await calls.send(to_group(WORDS)), await calls.send(to_person(WORDS, 2))]
        assert [r.ref for r in receipts] == [m["key"] for m in far.messages]
        assert [m["msg_key"] for m in far.messages] == ["sampleText", "sampleText"]


async def test_a_long_text_is_told_in_parts_and_none_of_them_twice() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        lines = "\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1400))
        far.faults.extend(["throttled", "broken"])
        long = to_group(Content(lines))
        for _ in range(2):
            with pytest.raises(Transient):
                await calls.send(long)
        far.faults.clear()
        task = asyncio.create_task(calls.send(long))
        receipt = await task
        assert receipt.ref == far.messages[0]["key"]
        assert "\n".join(m["text"] for m in far.messages) == lines
        assert len(far.messages) > 1


async def test_a_text_that_broke_off_goes_on_where_it_stopped() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        lines = "\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 1400))
        long = to_group(Content(lines))
        await calls.send(to_person(WORDS, 9))
        # The first part is taken, the second is throttled.
        far.faults.append("")
        far.faults.append("throttled")
        with pytest.raises(Transient):
            await calls.send(long)
        assert len(far.to(GROUP)) == 1
        receipt = await calls.send(long)
        assert receipt.ref == far.to(GROUP)[0]["key"]
        assert "\n".join(far.words(GROUP)) == lines


async def test_without_a_template_a_card_is_told_in_words_with_what_to_type() -> None:
    async with FakeDingTalk() as far, speaking(far, template="") as calls:
        button = Button("看全文", Open("https://lhg.example.cn/l/abc"))
        card = a_card(buttons=(*a_card().buttons, button))
        receipt = await calls.send(to_group(Content.of(card)))
        assert receipt.card_ref == ""
        (message,) = far.messages
        assert message["msg_key"] == "sampleMarkdown"
        assert message["title"] == "#1024 · 用工 待认领"
        assert "回复「认领 1024」" in message["text"]
        assert "[看全文](https://lhg.example.cn/l/abc)" in message["text"]


# ---- the chat's reply address


async def test_an_answer_goes_where_it_was_asked_and_costs_no_call() -> None:
    async with FakeDingTalk() as far, speaking(far, template="") as calls:
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        await calls.send(to_group(WORDS, 1, reply_token="msg1"))
        await calls.send(to_group(Content.of(a_card()), 2, reply_token="msg1"))
        assert [m["via"] for m in far.to(GROUP)] == ["session", "session"]
        assert far.calls == 0
        # What nobody asked for goes the way that gives a receipt.
        receipt = await calls.send(to_group(WORDS, 3))
        assert receipt.ref == far.messages[-1]["key"]
        assert far.messages[-1]["via"] == "api"


async def test_people_are_notified_where_that_works_and_named_where_not() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        await calls.send(to_group(CALLED, 1))
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        await calls.send(to_group(CALLED, 2))
        await calls.send(to_group(Content.of(a_card(), mentions=CALLED.mentions), 3))
        assert [(m["via"], m["at"]) for m in far.messages] == [
            ("api", []),
            ("session", [PERSON]),
            ("card", [PERSON]),
        ]
        assert far.words(GROUP)[:2] == ["@小周 请看", f"@{PERSON} 请看"]


async def test_where_only_the_groups_robot_can_notify_it_does() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        await calls.send(to_group(CALLED, 1, robot=far.robot()))
        await calls.send(to_group(WORDS, 2, robot=far.robot()))
        assert [m["at"] for m in far.robot_said] == [[PERSON]]
        assert far.words(GROUP) == ["#1024 已登记"]


async def test_an_address_that_ended_or_is_refused_leaves_the_sure_way() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        calls.remember_session(GROUP, far.session(GROUP), time.time() + 30)
        await calls.send(to_group(WORDS, 1, reply_token="msg1"))
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        far.session_code = 300001
        await calls.send(to_group(WORDS, 2, reply_token="msg2"))
        far.session_code = 0
        await calls.send(to_group(WORDS, 3, reply_token="msg2"))
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        far.faults.append("too_fast")
        await calls.send(to_group(WORDS, 4, reply_token="msg3"))
        assert [m["via"] for m in far.to(GROUP)] == ["api"] * 4


async def test_an_answer_that_was_lost_on_its_way_is_not_said_again_elsewhere() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        far.faults.append("half")
        with pytest.raises(Unsure) as error:
            await calls.send(to_group(WORDS, 1, reply_token="msg1"))
        assert not error.value.repeatable
        assert len(far.to(GROUP)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://oapi.dingtalk.com/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com.evil.invalid/robot/sendBySession?session=x",
        "https://evil.invalid/?oapi.dingtalk.com",
        "https:" + "//user@oapi.dingtalk.com/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com:8443/robot/sendBySession",
        "http://127.0.0.1:9/robot/sendBySession",
        "http:" + f"//{METADATA}/latest/meta-data",
        "file:///etc/passwd",
        "https://[oapi.dingtalk.com",
        "",
    ],
)
async def test_no_other_address_is_ever_called(url: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        calls.remember_session(GROUP, url, in_an_hour())
        await calls.send(to_group(WORDS, reply_token="msg1"))
        assert [m["via"] for m in far.to(GROUP)] == ["api"]


@pytest.mark.parametrize(
    ("old_base", "ours", "foreign"),
    [
        ("https://oapi.dingtalk.com", ("oapi.dingtalk.com", "oapi.dingtalk.io"), "example.com"),
        ("https://example.com", ("oapi.dingtalk.com", "example.com"), "api.example.com"),
    ],
)
async def test_an_address_is_the_vendors_or_the_one_that_the_office_named(
    old_base: str, ours: tuple[str, ...], foreign: str
) -> None:
    client = Client(1.0)
    given = ("a", "b", "c", "", "STREAM", ROUTE)
    calls = api.Api(client, "https://api.dingtalk.com", old_base, *given)
    for host in ours:
        assert calls._is_ours(f"https://{host}/robot/sendBySession?session=x")
        assert not calls._is_ours(f"http://{host}/robot/sendBySession?session=x")
    for address in (f"https://{foreign}", "http://127.0.0.1:8080", "https://api.dingtalk.com"):
        assert not calls._is_ours(f"{address}/robot/sendBySession?session=x")
    await client.close()


# ---- a group's robot


async def test_a_group_that_keeps_the_application_out_is_told_by_its_robot() -> None:
    now = [0.0]
    async with FakeDingTalk() as far, speaking(far, monotonic=lambda: now[0]) as calls:
        far.refusals[GROUP] = "bot.stopped"
        robot = far.robot()
        assert await calls.send(to_group(WORDS, 1, robot=robot)) == Receipt()
        asked = far.calls
        # A refused call counts for the month: for an hour it is not tried again.
        await calls.send(to_group(Content.of(a_card()), 2, robot=robot))
        await calls.send(to_group(CALLED, 4, robot=robot))
        assert far.calls == asked
        now[0] += 3700
        del far.refusals[GROUP]
        await calls.send(to_group(WORDS, 3, robot=robot))
        told = [WORDS.text, a_card().fallback, f"@{PERSON} 请看"]
        assert [m["text"] for m in far.robot_said] == told
        assert far.words(GROUP) == ["#1024 已登记"]


async def test_a_group_known_only_by_its_robot_costs_no_call() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        await calls.send(to_group(WORDS, chat="external-1", robot=far.robot()))
        assert far.calls == 0
        assert far.robot_said[0]["text"] == WORDS.text


async def test_the_months_end_leaves_the_groups_robot() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.faults.append("month")
        await calls.send(to_group(WORDS, robot=far.robot()))
        assert len(far.robot_said) == 1
        far.faults.append("month")
        with pytest.raises(Transient) as error:
            await calls.send(to_person(WORDS, 2))
        assert "每月 1 万次" in errors.cure(error.value.code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(130101, Transient), (310000, Transient), (300001, Permanent), (400013, Permanent)],
)
async def test_what_a_robot_says_with_http_200_is_heard(code: int, kind: type[SendError]) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.robot_code = code
        with pytest.raises(kind) as error:
            await calls.send(to_group(WORDS, chat="external-1", robot=far.robot()))
        assert error.value.code == str(code)
        assert errors.cure(str(code))


def test_no_window_holds_more_than_the_platform_takes() -> None:
    throttle = Throttle()
    to = to_group(WORDS, robot="https://oapi.dingtalk.com/robot/send?access_token=x").to
    now, sent = 0.0, []
    for _ in range(200):
        now = throttle.ready_at(api.limits(to), now)
        throttle.begin(api.limits(to))
        throttle.end(api.limits(to), now)
        sent.append(now)
    for at in sent:
        assert sum(at <= other < at + 60.0 for other in sent) <= 20
        assert sum(at <= other < at + 1.0 for other in sent) <= 20
    assert len(api.limits(to_person(WORDS).to)) == 1


# ---- urgent


async def test_a_ring_says_the_first_line_and_a_card_that_changes_does_not_ring_again() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        sent = await calls.send(to_person(Content.of(a_card()), urgent=True))
        (ding,) = far.dings
        assert (ding["receiverUserIdList"], ding["remindType"]) == ([PERSON], 1)
        assert ding["content"] == "【#1024】本周缺12名叉车工"
        newer = Content.of(a_card(status="办理中"))
        await calls.send(to_person(newer, 2, urgent=True, update_ref=sent.card_ref))
        assert len(far.dings) == len(far.updates) == 1


@pytest.mark.parametrize(
    "code",
    [
        "ding.serverquota.insufficient",
        "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "some.code.of.an.edition",
    ],
)
async def test_an_edition_without_ding_says_so_once_and_loses_nothing(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    async with FakeDingTalk() as far, speaking(far, monotonic=lambda: now[0]) as calls:
        far.ding_code = code
        with caplog.at_level(logging.WARNING):
            for number in range(3):
                await calls.send(to_person(WORDS, number, urgent=True))
        assert len(far.to(PERSON)) == 3
        assert [r.message for r in caplog.records] == ["dingtalk.no_ding"]
        asked = far.calls
        now[0] += 25 * 3600
        await calls.send(to_person(WORDS, 9, urgent=True))
        assert far.calls == asked + 2


async def test_one_person_who_cannot_be_rung_leaves_it_to_the_others() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.ding_code = "miss.staffId"
        await calls.send(to_person(WORDS, 1, urgent=True))
        far.ding_code = ""
        await calls.send(to_person(WORDS, 2, chat="another", urgent=True))
        assert [d["receiverUserIdList"] for d in far.dings] == [["another"]]
        assert len(far.messages) == 2


async def test_a_ring_that_takes_long_is_left() -> None:
    async with FakeDingTalk() as far, speaking(far, send_seconds=0.05) as calls:
        far.ding_wait = 1.0
        receipt = await calls.send(to_person(WORDS, urgent=True))
        assert receipt.ref == far.messages[0]["key"]
        assert far.dings == []


async def test_a_ring_that_gets_lost_does_not_lose_the_message() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.faults.extend(["", "broken"])
        receipt = await calls.send(to_person(WORDS, urgent=True))
        assert receipt.ref == far.messages[0]["key"]
        await calls.send(to_person(WORDS, 2, urgent=True))
        assert len(far.dings) == 1


# ---- cards


@pytest.mark.parametrize(
    ("template", "gone"), [(TEMPLATE, True), ("", False)], ids=["gone", "no template any more"]
)
async def test_a_card_that_must_go_is_replaced_where_it_stands_or_not_at_all(
    template: str, gone: bool
) -> None:
    async with FakeDingTalk() as far:
        async with speaking(far) as calls:
            sent = await calls.send(to_group(Content.of(a_card())))
        async with speaking(far, template) as calls:
            taken = Content.of(a_card(status="已撤回", buttons=()))
            back = to_group(taken, 2, update_ref=sent.card_ref, in_place=True)
            if gone:
                assert (await calls.send(back)).card_ref == sent.card_ref
                far.gone.add(sent.card_ref)
            with pytest.raises(Outdated):
                await calls.send(back)
        assert len(far.messages) == 1


@pytest.mark.parametrize(("fault", "kind"), [("lie", Permanent), ("denied", Transient)])
async def test_a_card_that_must_go_is_never_told_in_words(
    fault: str, kind: type[SendError]
) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        sent = await calls.send(to_group(Content.of(a_card())))
        far.faults.append(fault)
        with pytest.raises(kind):
            await calls.send(
                to_group(Content.of(a_card()), 2, update_ref=sent.card_ref, in_place=True)
            )
        assert len(far.messages) == 1


async def test_a_card_of_which_words_are_out_already_is_told_to_its_end_in_words() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        long = to_person(Content.of(a_card(fallback=LONG.text)))
        await calls.send(to_person(WORDS, 9))
        # The card is refused, its first words are taken, the next are throttled.
        far.faults.extend(["lie", "", "throttled"])
        with pytest.raises(Transient):
            await calls.send(long)
        await calls.send(long)
        assert "card" not in [m["msg_key"] for m in far.messages]
        assert len(far.to(PERSON)) == 1 + 3


async def test_an_update_without_an_answer_is_made_again() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        first = await calls.send(to_person(Content.of(a_card()), 1))
        newer = to_person(Content.of(a_card(status="办理中")), 2, update_ref=first.card_ref)
        far.faults.append("slow")
        with pytest.raises(Unsure) as error:
            await calls.send(newer)
        assert error.value.repeatable
        await calls.send(newer)
        assert len(far.messages) == 1


async def test_an_update_that_nobody_says_was_made_is_made_again() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        first = await calls.send(to_person(Content.of(a_card()), 1))
        newer = to_person(Content.of(a_card(status="办理中")), 2, update_ref=first.card_ref)
        far.update_answer = {}
        with pytest.raises(Unsure) as error:
            await calls.send(newer)
        assert error.value.repeatable


@pytest.mark.parametrize("fault", ["lie", "denied", "unpublished"])
async def test_a_card_that_is_refused_is_told_in_words_at_once(fault: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        if fault == "unpublished":
            far.templates.clear()
        else:
            far.faults.append(fault)
        receipt = await calls.send(to_group(Content.of(a_card())))
        assert receipt == Receipt(far.messages[0]["key"])
        assert "回复「认领 1024」" in said(far.messages[0])


async def test_a_card_that_no_template_shows_is_told_in_words() -> None:
    async with FakeDingTalk() as far, speaking(far, VENDOR_TEMPLATE) as calls:
        button = a_card().buttons[0]
        card = a_card(choice=CHOICE, buttons=(Button("改", button.do, submits=True),))
        await calls.send(to_person(Content.of(card)))
        assert far.messages[0]["msg_key"] == "sampleMarkdown"


async def test_a_throttled_card_waits_instead_of_becoming_words() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.faults.append("throttled")
        with pytest.raises(Transient):
            await calls.send(to_person(Content.of(a_card())))
        await calls.send(to_person(Content.of(a_card())))
        assert [m["msg_key"] for m in far.messages] == ["card"]


async def test_clicks_over_http_are_registered_under_our_route() -> None:
    async with FakeDingTalk() as far, speaking(far, callback="HTTP") as calls:
        await calls.register_cards("https://lhg.example.cn/hooks/dingtalk/card", "canary-key")
        assert far.registered == [
            {
                "callbackRouteKey": ROUTE,
                "callbackUrl": "https://lhg.example.cn/hooks/dingtalk/card",
                "apiSecret": "canary-key",
                "forceUpdate": True,
            }
        ]


# ---- called back, fetched, tried


async def test_messages_are_called_back_by_their_keys() -> None:
    async with FakeDingTalk(per_second=100) as far, speaking(far) as calls:
        group, person = to_group(WORDS).to, to_person(WORDS).to
        there = [(await calls.send(to_group(Content(f"第{n}条"), n))).ref for n in range(2)]
        await calls.recall(group, there)
        alone = [(await calls.send(to_person(Content(f"第{n}条"), n))).ref for n in range(22)]
        far.faults.extend(["expired", "throttled"])
        with pytest.raises(Transient):
            await calls.recall(person, alone)
        await calls.recall(person, alone)
        assert far.recalled == [*there, *alone]
        # A key of another chat takes nothing back.
        with pytest.raises(Permanent) as error:
            await calls.recall(person, there)
        assert errors.cure(error.value.code)


async def test_a_card_is_taken_back_by_its_carrier() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        for card in (to_group(Content.of(a_card())), to_person(Content.of(a_card()), 2)):
            assert calls.parts(card) == 1
            receipt = await calls.send(card)
            await calls.recall(card.to, (receipt.ref,))
        assert far.recalled == [m["key"] for m in far.messages]


@pytest.mark.parametrize("how", ["settled", "vague"])
async def test_what_the_platform_does_not_name_as_taken_back_stays(how: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        refs = [(await calls.send(to_group(Content(f"第{n}条"), n))).ref for n in range(2)]
        far.settled.add(refs[1])
        far.vague = how == "vague"
        with pytest.raises(Permanent) as error:
            await calls.recall(to_group(WORDS).to, refs)
        assert error.value.code == "not_recalled"
        assert "24 小时" in errors.cure("not_recalled")


async def test_a_message_that_an_earlier_try_took_back_is_gone() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        receipt = await calls.send(to_group(WORDS))
        far.faults.append("half")
        with pytest.raises(Unsure):
            await calls.recall(to_group(WORDS).to, [receipt.ref])
        await calls.recall(to_group(WORDS).to, [receipt.ref])
        assert far.recalled == [receipt.ref]


async def test_a_text_of_which_a_part_has_no_key_names_none_to_be_taken_back_by() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
        far.session_most = 1
        receipt = await calls.send(to_group(LONG, reply_token="msg1"))
        assert [m["via"] for m in far.to(GROUP)] == ["session", "api", "api"]
        assert receipt == Receipt()


async def test_a_text_by_the_groups_robot_is_one_message_however_long() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        long = to_group(LONG, chat="external-1", robot=far.robot())
        await calls.send(long)
        assert len(far.robot_said) == calls.parts(long) == 1
        # Nor is the application counted, which never speaks there.
        assert [limit.per for limit in calls.limits(long.to)] == [60.0]
        calling = to_group(Content(LONG.text, mentions=CALLED.mentions), 2, robot=far.robot())
        await calls.send(calling)
        assert len(far.robot_said) == 1 + calls.parts(calling) == 2


def test_without_a_template_a_card_counts_as_the_messages_that_it_is_told_in() -> None:
    base = "http://127.0.0.1:9"
    long = to_group(Content.of(a_card(fallback=LONG.text)))
    for template, most in ((TEMPLATE, 1), ("", 3)):
        calls = api.Api(Client(), base, base, "a", "b", "c", template, "STREAM", ROUTE)
        assert calls.parts(long) == most


async def test_what_a_message_carried_is_fetched_from_where_the_platform_says() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        picture = bytes(range(256)) * 9000
        far.files["code1"] = picture
        assert (await calls.fetch("code1")).body == picture
        far.forget_token()
        assert (await calls.fetch("code1")).body == picture
        with pytest.raises(Permanent):
            await calls.fetch("another")
        far.files["big"] = b"x" * (MOST_FETCHED + 1)
        with pytest.raises(Permanent) as error:
            await calls.fetch("big")
        assert error.value.code == "answer_too_long"


@pytest.mark.parametrize(
    "url",
    [
        "http:" + f"//{METADATA}/latest",
        "http:" + f"//{METADATA}./latest",
        "https:" + "//0x7f.0x0.0x0.0xa/x",
        "https://[::1%25.x]/x",
        "https:" + f"//{METADATA}\\@{STORE}/x",
        "file:///etc/passwd",
        "http://localhost/x",
        "https:///",
    ],
)
async def test_a_file_at_an_address_of_a_house_is_not_fetched(url: str) -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        far.files["code1"], far.download_url = b"x", url
        with pytest.raises(Permanent) as error:
            await calls.fetch("code1")
        assert error.value.code == "not_ours"


async def test_a_store_is_only_asked_over_tls() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        asked = calls._download("http:" + f"//{STORE}/a?Signature=x%2By")
        assert asked == "https:" + f"//{STORE}/a?Signature=x%2By"
        assert far.calls == 0


async def test_a_wrong_address_is_not_taken_for_a_wrong_secret() -> None:
    async with FakeDingTalk() as far:
        platform = built("dingtalk", settings(f"{far.base}/nowhere"))
        (line,) = await platform.probe()
        assert "（404），请核对网络和 DINGTALK_API_BASE" in line.fault
        with pytest.raises(Transient):
            await platform.send(to_person(WORDS))
        await platform.close()


async def test_no_secret_gets_into_logs_or_errors() -> None:
    codes: list[str] = []
    with logged() as stream:
        async with FakeDingTalk() as far, speaking(far) as calls:
            await calls.send(to_person(WORDS, 1))
            for fault in ("lie", "broken", "throttled", "page", "month", "denied", "half"):
                far.faults.append(fault)
                with pytest.raises(SendError) as error:
                    await calls.send(to_person(WORDS, 2))
                codes.append(repr(error.value))
            far.ding_code = "ding.serverquota.insufficient"
            await calls.send(to_person(WORDS, 3, urgent=True))
            calls.remember_session(GROUP, far.session(GROUP), in_an_hour())
            far.session_code = 300001
            await calls.send(to_group(WORDS, 4, reply_token="msg"))
            far.robot_code = 310000
            with pytest.raises(SendError) as error:
                await calls.send(to_group(WORDS, 5, chat="external", robot=far.robot()))
            codes.append(repr(error.value))
            far.secret = "another"
            far.forget_token()
            with pytest.raises(SendError) as error:
                await calls.send(to_person(WORDS, 6))
            codes.append(repr(error.value))
            platform = built("dingtalk", settings(far.base))
            codes.append(str(await platform.probe()))
            await platform.close()
    kept = stream.getvalue()
    for event in ("dingtalk.refused", "dingtalk.no_ding", "dingtalk.session_refused"):
        assert event in kept
    assert "canary" not in kept + "".join(codes)
