"""What Feishu answers and what becomes of a message then: tokens, limits, refusals, media."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.client import Answer
from bot.platform import Expired, Fetches, Permanent, SendError, Transient, Unsure
from bot.platforms import feishu
from bot.platforms.feishu import api, codec
from handlers.chat.events import Attachment, AttachmentKind, ChatKind, ChatRef, UserRef
from handlers.chat.outbound import Address, Content, Delivery, Mention
from tests.kit.cards import a_card
from tests.kit.fake_feishu import BOT, FakeFeishu, said
from tests.kit.feishu import settings
from tests.kit.logged import logged
from tests.kit.platforms import built


@asynccontextmanager
async def speaking(far: FakeFeishu) -> AsyncIterator[feishu.Feishu]:
    platform = built("feishu", settings(far.base))
    try:
        yield platform
    finally:
        await platform.close()


def to_group(content: Content, number: int = 1, **more: Any) -> Delivery:
    chat = Address(ChatRef("feishu", "oc_group"), ChatKind.GROUP, more.pop("robot", ""))
    return Delivery(number, chat, content, **more)


def to_person(content: Content, number: int = 1, **more: Any) -> Delivery:
    return Delivery(number, Address(ChatRef("feishu", "ou_1"), ChatKind.DIRECT), content, **more)


WORDS = Content("#1024 已登记")


@pytest.mark.parametrize("fault", ["throttled", "throttled_old"])
async def test_a_throttled_call_waits_as_long_as_the_platform_says(fault: str) -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await platform.send(to_person(WORDS, 1))
        far.faults.append(fault)
        with pytest.raises(Transient) as error:
            await platform.send(to_person(WORDS, 2))
        assert (error.value.code, error.value.retry_after) == ("99991400", 0.1)


async def test_one_busy_group_does_not_hold_up_the_others() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await platform.send(to_person(WORDS, 1))
        far.faults.append("busy")
        with pytest.raises(Transient) as error:
            await platform.send(to_group(WORDS, 2))
        # With a time it would cool down the whole application.
        assert error.value.retry_after is None


async def test_a_message_that_was_taken_without_an_answer_is_not_shown_twice() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        far.faults.append("half")
        with pytest.raises(Unsure) as error:
            await platform.send(to_person(WORDS))
        assert error.value.repeatable
        receipt = await platform.send(to_person(WORDS))
        assert [m["message_id"] for m in far.messages] == [receipt.ref]
        assert far.repeats == 1


async def test_the_same_number_with_other_words_is_another_message() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await platform.send(to_person(WORDS))
        await platform.send(to_person(Content("#1025 已登记")))
        assert len(far.messages) == 2


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", Unsure),
        (200, b"<html>", Unsure),
        (200, b"[]", Unsure),
        (200, b'{"code": "0"}', Unsure),
        (404, b"<html>", Permanent),
        (502, b"<html>", Transient),
        (500, b'{"code": 0}', Transient),
        (429, b"", Transient),
        (400, b'{"code": 99991661}', Expired),
        (400, b'{"code": 230049}', Transient),
        (200, b'{"code": 230002}', Permanent),
        (200, b'{"code": 4711}', Permanent),
    ],
)
def test_every_answer_is_judged(status: int, body: bytes, kind: type[SendError]) -> None:
    with pytest.raises(kind):
        api.check(Answer(status, {}, body))


async def test_a_card_that_a_chat_refuses_is_told_in_words() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await platform.send(to_group(WORDS, 1))
        far.faults.append("lie")
        receipt = await platform.send(to_group(Content.of(a_card()), 2))
        assert receipt.card_ref == ""
        assert said(far.messages[-1]) == a_card().fallback


async def test_a_long_text_is_told_in_parts_of_one_message() -> None:
    async with FakeFeishu(per_second=20) as far, speaking(far) as platform:
        lines = "\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 3000))
        for _ in range(2):
            receipt = await platform.send(to_group(Content(lines)))
        assert receipt.ref == far.messages[0]["message_id"]
        assert "\n".join(m["text"] for m in far.messages) == lines
        assert len(far.messages) > 1


async def test_an_answer_in_a_group_hangs_under_its_question_and_calls_whom_it_must() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        far.chats["om_asked"] = "oc_group"
        called = Content("请看", mentions=(Mention(UserRef("feishu", "ou_2"), "小周"),))
        await platform.send(to_group(called, 1, reply_token="om_asked"))
        far.gone.add("om_asked")
        await platform.send(to_group(called, 2, reply_token="om_asked"))
        assert [m.get("to") for m in far.messages] == ["om_asked", None]
        assert far.messages[0]["text"] == '<at user_id="ou_2">小周</at> 请看'


@pytest.mark.parametrize("code", [230023, 230024, 230027, 99991672])
async def test_a_ring_that_is_refused_leaves_the_message(code: int) -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        first = await platform.send(to_person(WORDS, 2, urgent=True))
        assert far.urged == [(first.ref, ["ou_1"])]
        far.urgent_code = code
        receipt = await platform.send(to_person(WORDS, urgent=True))
        assert far.messages[1]["message_id"] == receipt.ref
        assert len(far.urged) == 1


async def test_a_robot_that_is_too_fast_waits_without_the_application() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        far.refusals["oc_group"] = 230002
        far.robot_code = 11232
        robot = f"{far.base}/open-apis/bot/v2/hook/one#secret"
        with pytest.raises(Transient) as error:
            await platform.send(to_group(WORDS, robot=robot))
        keys = [limit.key for limit in platform.limits(to_group(WORDS, robot=robot).to)]
        cooled = [key for key in keys if key.startswith(error.value.cools)]
        assert error.value.retry_after == 60.0
        assert [key.partition(":")[0] for key in cooled] == ["robot"]


async def test_a_picture_is_fetched_with_its_message_and_one_goes_up_for_a_key() -> None:
    async with FakeFeishu() as far:
        client = feishu.Client()
        values = settings(far.base)
        calls = api.Api(client, far.base, values["FEISHU_APP_ID"], values["FEISHU_APP_SECRET"])
        picture = b"\x89PNG" + bytes(range(256)) * 9000
        far.resources[("image", "om_1", "img_1")] = picture
        assert (await calls.fetch("image", "om_1", "img_1")).body == picture
        far.forget_token()
        assert (await calls.fetch("image", "om_1", "img_1")).body == picture
        with pytest.raises(Permanent):
            await calls.fetch("file", "om_1", "img_1")
        assert await calls.upload_image(picture) == "image_v3_1"
        assert await calls.upload_file("日调度.xlsx", picture) == "file_v3_2"
        assert far.uploads[1] == ("file", "日调度.xlsx", len(picture))
        for data in (b"", b"x" * (api.IMAGE_BYTES + 1)):
            with pytest.raises(Permanent):
                await calls.upload_image(data)
        await client.close()


async def test_what_a_message_carried_is_fetched_by_its_address_and_nothing_else_is() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        assert isinstance(platform, Fetches)
        far.resources[("file", "om_1", "file_v3_1")] = b"table"
        url = codec.media_url("om_1", "file_v3_1", AttachmentKind.FILE)
        assert (await platform.fetch(Attachment(AttachmentKind.FILE, url))).body == b"table"
        for elsewhere in ("https://collector.invalid/x", "feishu:file/om_1/../../auth"):
            with pytest.raises(Permanent) as error:
                await platform.fetch(Attachment(AttachmentKind.FILE, elsewhere))
            assert error.value.code == "not_ours"


async def test_the_bot_learns_who_it_is() -> None:
    async with FakeFeishu() as far, speaking(far) as platform:
        await platform.start()
        for _ in range(200):
            if platform._me.open_id:
                break
            await asyncio.sleep(0.01)
        assert platform._me.open_id == BOT


async def test_no_secret_gets_into_logs_or_errors() -> None:
    codes: list[str] = []
    with logged() as stream:
        async with FakeFeishu() as far, speaking(far) as platform:
            await platform.send(to_person(WORDS, 1))
            for fault in ("lie", "broken", "throttled", "busy", "half"):
                far.faults.append(fault)
                with pytest.raises(SendError) as error:
                    await platform.send(to_person(WORDS, 2))
                codes.append(repr(error.value))
            far.urgent_code = 230024
            await platform.send(to_person(WORDS, 3, urgent=True))
            far.secret = "another"
            far.forget_token()
            with pytest.raises(SendError) as error:
                await platform.send(to_person(WORDS, 4))
            codes.append(repr(error.value))
            codes.append(str(await platform.probe()))
    kept = stream.getvalue()
    assert "feishu.refused" in kept
    assert "canary" not in kept + "".join(codes)
