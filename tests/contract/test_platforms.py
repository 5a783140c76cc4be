"""One suite that every platform passes: its promises to the rest of the product."""

import asyncio
import json
import time
from typing import Any

import pytest

from bot import registry
from bot.payload import cut
from bot.platform import (
    Explaining,
    Fetches,
    Outcome,
    Permanent,
    Platform,
    Probing,
    RawRequest,
    Recalls,
    Rejected,
    Splitting,
)
from bot.platforms.wecom import codec
from handlers.chat.events import Attachment, AttachmentKind, ChatKind, ChatRef, UserRef
from handlers.chat.outbound import (
    Address,
    Button,
    Card,
    Choice,
    Content,
    Delivery,
    Enclosure,
    Mention,
    Option,
    Press,
    Row,
    Style,
    Tone,
    card_from_plain,
    card_to_plain,
    content_from_plain,
    content_to_plain,
)
from tests.kit.dingtalk import settings as dingtalk_settings
from tests.kit.fake_wecom import check_card
from tests.kit.feishu import settings as feishu_settings
from tests.kit.platforms import NOWHERE, platforms
from tests.kit.wecom import settings

ALL = {
    **settings(NOWHERE),
    **feishu_settings(NOWHERE),
    **dingtalk_settings(NOWHERE),
    "LHG_SANDBOX": "1",
    "GENERIC_SECRET": "0123456789abcdef",
}
HOSTILE = (
    "<@all>",
    "<at id=all></at>",
    "**粗** [点我](http://x.invalid) `code`",
    "@所有人 \u0000\u0007\u202e",
    "😀" * 50,
    "很长" * 5000,
    "<font color='red'>红</font>",
    '<a href="http://x.invalid">点我</a>',
)


def card(text: str = "本周缺12名叉车工", **more: Any) -> Card:
    return Card(
        key="ticket:LHG-20261122-003:handler",
        title="#1024 · 用工",
        lead=text[:110],
        fallback=text,
        tone=Tone.WARN,
        status="待认领",
        rows=(Row("企业", "某某机械"), Row("时限", "今天 17:30 前认领")),
        note="LHG-20261122-003 · 今天 09:12",
        buttons=(
            Button("认领", Press("ticket.claim", {"t": "1024", "v": "3"}), Style.MAIN),
            Button("退单", Press("ticket.decline", {"t": "1024", "v": "3"}), Style.DANGER),
        ),
        **more,
    )


@pytest.fixture(params=sorted(registry.platforms()))
def platform(request: pytest.FixtureRequest) -> Platform:
    return platforms(ALL)[request.param]


def test_every_platform_module_is_on_when_its_settings_are_there() -> None:
    assert set(platforms(ALL)) == set(registry.platforms())


def test_an_unsigned_request_is_refused_before_it_is_parsed(platform: Platform) -> None:
    for hook in platform.hooks or ("",):
        for method in ("GET", "POST"):
            request = RawRequest(method, hook, {}, {}, b'{"event_id": "x"}', time.time())
            with pytest.raises(Rejected) as error:
                platform.decode(request)
            assert error.value.status in (400, 403, 404, 405)


def test_a_wrong_signature_is_refused(platform: Platform) -> None:
    query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n", "echostr": "e"}
    headers = {"X-LHG-Timestamp": str(int(time.time())), "X-LHG-Signature": "v1=00"}
    for hook in platform.hooks or ("",):
        request = RawRequest("POST", hook, query, headers, b'{"encrypt": "AAAA"}', time.time())
        with pytest.raises(Rejected):
            platform.decode(request)


def test_lanes_and_limits_answer_for_groups_and_people(platform: Platform) -> None:
    for kind, robot in ((ChatKind.GROUP, "https://x.invalid/k"), (ChatKind.DIRECT, "")):
        to = Address(ChatRef(platform.name, "c1"), kind, robot)
        assert platform.lane(Delivery(1, to, Content("字")))
        for limit in platform.limits(to):
            assert limit.count >= 1
            assert limit.per > 0


@pytest.mark.parametrize("name", ["dingtalk", "feishu", "wecom"])
def test_a_platform_that_offices_chat_on_offers_every_seam(name: str) -> None:
    platform = platforms(ALL)[name]
    assert isinstance(platform, Recalls)
    assert platform.recall_seconds == 24 * 3600
    assert isinstance(platform, Splitting)
    to = Address(ChatRef(name, "zhang"), ChatKind.DIRECT)
    long = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 9000)))
    said = (long, Content("#1024 已登记"), Content.of(card()))
    parts = [platform.parts(Delivery(1, to, content)) for content in said]
    assert parts[0] > 1
    assert parts[1:] == [1, 1]
    for seam in (Explaining, Fetches, Probing):
        assert isinstance(platform, seam)


def test_closing_twice_is_harmless(platform: Platform) -> None:
    async def close() -> None:
        await platform.close()
        await platform.close()

    asyncio.run(close())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_as_plain_letters_in_wecom_markdown(text: str) -> None:
    said = codec.markdown(Content(text), codec.ROBOT_MARKDOWN_BYTES)
    assert "<" not in said
    assert ">" not in said
    assert "](" not in said
    assert len(said.encode()) <= codec.ROBOT_MARKDOWN_BYTES


@pytest.mark.parametrize("most", [10, 100, 2048])
def test_a_cut_ends_on_a_character(most: int) -> None:
    for text in HOSTILE:
        assert len(cut(text, most).encode()) <= most


def test_a_robot_mentions_people_in_text_and_never_all() -> None:
    content = Content("请看", mentions=(Mention(UserRef("wecom", "GuJian"), "顾健"),))
    assert codec.robot_message(content)["text"]["mentioned_list"] == ["GuJian"]
    assert "mentioned_list" not in json.dumps(codec.robot_message(Content("<@all> @all")))


def test_the_wecom_card_keeps_the_limits() -> None:
    made = codec.template_card(card(), 7)
    assert made is not None
    check_card(made, interactive=True)
    check_card(codec.spent_card(card(), 8), interactive=True)


def test_a_wecom_card_without_buttons_needs_something_to_open() -> None:
    from dataclasses import replace

    bare = replace(card(), buttons=())
    assert codec.template_card(bare, 1) is None
    made = codec.template_card(bare, 1, "https://lhg.example.cn")
    assert made is not None
    check_card(made, interactive=False)


def test_a_button_comes_back_with_its_action_and_arguments() -> None:
    key = codec.button_key("ticket.claim", {"t": "1024", "v": "3"}, "ticket:A_b:handler")
    press = codec.pressed(key, (), "code")
    assert press is not None
    assert (press.action, dict(press.args), press.card_key, press.card_ref) == (
        "ticket.claim",
        {"t": "1024", "v": "3"},
        "ticket:A_b:handler",
        "code",
    )
    assert codec.pressed(codec.NOOP, (), "") is None


def test_cards_and_contents_survive_the_outbox() -> None:
    choice = Choice("p", "选一项", (Option("a", "甲"), Option("b", "乙")))
    one = card(choice=None)
    assert card_from_plain(json.loads(json.dumps(card_to_plain(one)))) == one
    from dataclasses import replace

    with_choice = replace(
        one, choice=choice, buttons=(Button("提交", Press("x"), Style.MAIN, submits=True),)
    )
    content = Content.of(with_choice, mentions=(Mention(UserRef("wecom", "u"), "名"),))
    assert content_from_plain(json.loads(json.dumps(content_to_plain(content)))) == content
    enclosed = Content.enclosing(Enclosure("d1", "申请表.pdf", "application/pdf", 1024))
    assert content_from_plain(json.loads(json.dumps(content_to_plain(enclosed)))) == enclosed


def test_an_empty_outcome_is_the_neutral_answer() -> None:
    generic = platforms(ALL)["generic"]
    from bot.platforms.generic import signature

    body = json.dumps(
        {
            "event_id": "e1",
            "chat": {"id": "g", "kind": "group"},
            "sender": {"id": "u"},
            "text": "早",
        }
    ).encode()
    stamp = str(int(time.time()))
    headers = {
        "X-LHG-Timestamp": stamp,
        "X-LHG-Signature": signature("0123456789abcdef", stamp, body),
    }
    decoded = generic.decode(RawRequest("POST", "", {}, headers, body, time.time()))
    assert decoded.answer is not None
    assert json.loads(decoded.answer(Outcome()).http.body) == {"accepted": True, "replies": []}
    old = RawRequest("POST", "", {}, headers, body, time.time() + 301)
    with pytest.raises(Rejected) as error:
        generic.decode(old)
    assert error.value.reason == "too_old"


@pytest.mark.parametrize(
    "url",
    ["https://collector.invalid/x", "http://127.0.0.1:1/x", "file:///etc/passwd", "", "x:y/z"],
)
async def test_what_a_message_names_elsewhere_is_asked_of_nobody(
    platform: Platform, url: str
) -> None:
    # Such a platform has nothing that could be asked for.
    if not isinstance(platform, Fetches):
        pytest.skip("gives out nothing")
    with pytest.raises(Permanent):
        await platform.fetch(Attachment(AttachmentKind.FILE, url))
    await platform.close()
