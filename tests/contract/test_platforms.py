"""One suite that every platform passes: its promises to the rest of the product."""

import asyncio
import json
import time

import pytest

from bot import registry
from bot.payload import cut
from bot.platform import (
    Attaches,
    Expired,
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
    Transient,
)
from handlers.chat.events import Attachment, AttachmentKind, ChatKind, ChatRef, UserRef
from handlers.chat.outbound import (
    Address,
    Button,
    Choice,
    Content,
    Delivery,
    Enclosure,
    Mention,
    Option,
    Press,
    Style,
    card_from_plain,
    card_to_plain,
    content_from_plain,
    content_to_plain,
)
from tests.kit.cards import a_card
from tests.kit.dingtalk import settings as dingtalk_settings
from tests.kit.feishu import settings as feishu_settings
from tests.kit.platforms import NOWHERE, built, platforms
from tests.kit.voices import WAYS, speaking
from tests.kit.wecom import settings

ALL = {
    **settings(NOWHERE),
    **feishu_settings(NOWHERE),
    **dingtalk_settings(NOWHERE),
    "LHG_SANDBOX": "1",
    "GENERIC_SECRET": "0123456789abcdef",
}
# Those that offices chat on; with a ring, with an address of a robot that is looked at.
CHATS = ("dingtalk", "feishu", "wecom")
RINGS = [name for name in CHATS if WAYS[name].rung]
LOOKED_AT = [name for name in CHATS if WAYS[name].robots_group]
WORDS = Content("#1024 已登记")
LONG = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 3000)))
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


@pytest.mark.parametrize("name", CHATS)
def test_a_platform_that_offices_chat_on_offers_every_seam(name: str) -> None:
    platform = platforms(ALL)[name]
    assert isinstance(platform, Recalls)
    assert platform.recall_seconds == 24 * 3600
    assert isinstance(platform, Splitting)
    to = Address(ChatRef(name, "zhang"), ChatKind.DIRECT)
    long = Content("\n".join(f"#{n} 某某机械｜缺操作工" for n in range(1001, 9000)))
    said = (long, Content("#1024 已登记"), Content.of(a_card()))
    parts = [platform.parts(Delivery(1, to, content)) for content in said]
    assert parts[0] > 1
    assert parts[1:] == [1, 1]
    for seam in (Attaches, Explaining, Fetches, Probing):
        assert isinstance(platform, seam)


def test_closing_twice_is_harmless(platform: Platform) -> None:
    async def close() -> None:
        await platform.close()
        await platform.close()

    asyncio.run(close())


@pytest.mark.parametrize("most", [10, 100, 2048])
def test_a_cut_ends_on_a_character(most: int) -> None:
    for text in HOSTILE:
        assert len(cut(text, most).encode()) <= most


def test_cards_and_contents_survive_the_outbox() -> None:
    choice = Choice("p", "选一项", (Option("a", "甲"), Option("b", "乙")))
    one = a_card()
    assert card_from_plain(json.loads(json.dumps(card_to_plain(one)))) == one
    with_choice = a_card(
        choice=choice, buttons=(Button("提交", Press("x"), Style.MAIN, submits=True),)
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


# ---- speaking


@pytest.mark.parametrize("name", CHATS)
async def test_ten_messages_at_once_fetch_one_token(name: str) -> None:
    async with speaking(name) as voice:
        people = [voice.to_person(WORDS, n, who=f"ou_{n}") for n in range(10)]
        await asyncio.gather(*(voice.platform.send(one) for one in people))
        assert voice.far.tokens == 1
        assert len(voice.taken()) == 10


@pytest.mark.parametrize("name", CHATS)
async def test_a_token_that_ended_is_fetched_once_more_and_the_message_goes_out(name: str) -> None:
    async with speaking(name) as voice:
        await voice.platform.send(voice.to_person(WORDS, 1))
        voice.far.forget_token()
        await voice.platform.send(voice.to_person(WORDS, 2))
        assert voice.far.tokens == 2
        assert len(voice.taken()) == 2


@pytest.mark.parametrize("name", CHATS)
async def test_a_token_that_ends_again_at_once_waits_for_another_try(name: str) -> None:
    async with speaking(name) as voice:
        voice.far.faults.extend(["expired", "expired"])
        with pytest.raises(Expired):
            await voice.platform.send(voice.to_person(WORDS))
        await voice.platform.send(voice.to_person(WORDS))
        assert len(voice.taken()) == 1


@pytest.mark.parametrize("name", CHATS)
async def test_a_token_near_its_end_is_renewed_before_it_ends(name: str) -> None:
    async with speaking(name) as voice:
        voice.far.life = 0
        await voice.platform.send(voice.to_person(WORDS, 1))
        voice.far.forget_token()
        before = voice.far.calls
        await voice.platform.send(voice.to_person(WORDS, 2))
        # No call was made with the old one.
        assert voice.far.calls == before + 1
        assert voice.far.tokens == 2


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
async def test_a_wrong_secret_gives_up_nothing_and_names_the_cure(name: str) -> None:
    async with speaking(name) as voice:
        voice.far.secret = "another"
        with pytest.raises(Transient) as error:
            await voice.platform.send(voice.to_person(WORDS))
        assert (error.value.code, error.value.retry_after) == (voice.ways.wrong_secret, 300.0)
        assert voice.ways.cures_secret in voice.platform.cure(error.value.code)


@pytest.mark.parametrize("name", CHATS)
async def test_http_200_with_a_code_is_an_error(name: str) -> None:
    async with speaking(name) as voice:
        await voice.platform.send(voice.to_person(WORDS, 1))
        fault, code = voice.ways.lie
        voice.far.faults.append(fault)
        with pytest.raises(Permanent) as error:
            await voice.platform.send(voice.to_person(WORDS, 2))
        assert error.value.code == code


@pytest.mark.parametrize("name", CHATS)
def test_every_described_code_says_what_a_person_does(name: str) -> None:
    platform = platforms(ALL)[name]
    assert isinstance(platform, Explaining)
    for code, cure in WAYS[name].cures.items():
        assert platform.cure(code) == cure
        assert cure.endswith("。")
        assert "！" not in cure
    assert platform.cure("4711") == ""
    assert platform.cure("timeout") == ""


@pytest.mark.parametrize("mode", [mode for mode in WAYS if mode != "wecom"])
async def test_a_card_is_replaced_where_it_stands_and_sent_anew_where_it_cannot(mode: str) -> None:
    async with speaking(mode) as voice:
        first = await voice.platform.send(voice.to_group(Content.of(a_card()), 1))
        assert first.ref == voice.names()[0]
        newer = Content.of(a_card(status="办理中", buttons=(), revision=2))
        replacing = voice.to_group(newer, 2, update_ref=first.card_ref)
        assert (await voice.platform.send(replacing)).card_ref == first.card_ref
        assert len(voice.far.updates) == len(voice.taken()) == 1
        assert "办理中" in voice.far.words()[0]
        voice.far.gone.add(first.card_ref)
        third = await voice.platform.send(voice.to_group(newer, 3, update_ref=first.card_ref))
        assert third.card_ref not in ("", first.card_ref)
        assert len(voice.taken()) == 2


@pytest.mark.parametrize("name", CHATS)
async def test_every_part_of_a_long_text_is_taken_back(name: str) -> None:
    async with speaking(name) as voice:
        long = voice.to_person(LONG)
        receipt = await voice.platform.send(long)
        refs = (receipt.ref, *receipt.more)
        assert list(refs) == voice.names()
        assert len(refs) == voice.platform.parts(long) > 1
        voice.far.faults.extend(["busy", "expired"])
        with pytest.raises(Transient):
            await voice.platform.recall(long.to, refs)
        await voice.platform.recall(long.to, refs)
        assert voice.far.recalled == list(refs)


@pytest.mark.parametrize("name", RINGS)
async def test_only_an_urgent_message_to_one_person_rings(name: str) -> None:
    async with speaking(name) as voice:
        await voice.platform.send(voice.to_person(WORDS, 1))
        await voice.platform.send(voice.to_group(WORDS, 2, urgent=True))
        await voice.platform.send(voice.to_person(Content.of(a_card()), 3, urgent=True))
        assert voice.rung() == [voice.ways.person]
        assert len(voice.taken()) == 3


@pytest.mark.parametrize("name", LOOKED_AT)
async def test_a_robots_address_elsewhere_gets_nothing(name: str) -> None:
    async with speaking(name) as voice:
        assert voice.ways.robots_group is not None
        chat = voice.ways.robots_group(voice.far)
        robot = "https://collector.invalid/robot/send?access_token=x#SECx"
        with pytest.raises(Permanent) as error:
            await voice.platform.send(voice.to_group(WORDS, chat=chat, robot=robot))
        assert error.value.code == "robot_host"


@pytest.mark.parametrize("mode", ["dingtalk-http", "feishu", "wecom"])
async def test_a_probe_names_the_cure(mode: str) -> None:
    async with speaking(mode) as voice:
        assert {line.fault for line in await voice.platform.probe()} == {""}
    async with speaking(mode) as voice:
        voice.far.secret = "another"
        (line,) = await voice.platform.probe()
        assert voice.ways.cures_secret in line.fault
    nowhere = built(voice.name, voice.ways.settings(NOWHERE))
    (line,) = await nowhere.probe()
    assert "没有接通" in line.fault
    await nowhere.close()
