"""Every sample decodes or is named unsupported; what the samples say to expect holds."""

import contextlib
import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from bot.platform import ConfigError, Decoded, Rejected
from bot.platforms.dingtalk import DingTalk, codec
from handlers.chat.events import (
    AttachmentKind,
    ChatKind,
    EventKind,
    InboundEvent,
    from_plain,
    to_plain,
)
from tests.kit.platforms import built, platforms

WHOLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "payloads" / "dingtalk_inbound.json").read_text(encoding="utf-8")
)
SAMPLES: list[dict[str, Any]] = WHOLE["samples"]
ME = codec.Me(("小港",), WHOLE["robot_code"], WHOLE["corp_id"])
WALL = 1795334400.0
UNSUPPORTED = {
    "p2p_unknown": "unknownMsgType",
    "p2p_markdown": "markdown",
    "card_params_missing": "card_params",
}
# What the gateway and the envelope keep to themselves.
SILENT = {"stream_ping", "stream_disconnect", "http_event_check_url"}
MESSAGES = [s for s in SAMPLES if s["transport"] == "robot_http"]


def ids(sample: dict[str, Any]) -> str:
    return str(sample["kind"])


def sample(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s["payload"] for s in SAMPLES if s["kind"] == kind)
    return found


@functools.cache
def ours() -> DingTalk:
    values = {
        "DINGTALK_CLIENT_ID": "dingclient",
        "DINGTALK_CLIENT_SECRET": "secret",
        "DINGTALK_ROBOT_CODE": WHOLE["robot_code"],
        "DINGTALK_CORP_ID": WHOLE["corp_id"],
    }
    made: DingTalk = built("dingtalk", values)
    return made


@pytest.fixture
def platform() -> DingTalk:
    return ours()


def found(one: dict[str, Any], platform: DingTalk) -> tuple[InboundEvent | None, str]:
    plain, transport = one["payload"], one["transport"]
    if transport == "stream":
        decoded: Decoded = platform.decode_frame(plain, WALL)
        return decoded.events[0] if decoded.events else None, decoded.unsupported
    if transport == "card_http":
        return codec.click(plain, codec.click_id(plain, "1"), ME, WALL)
    if transport == "event_aes":
        kind, corp = plain["EventType"], plain.get("CorpId", "")
        return codec.happening(kind, codec.event_id(plain, b""), plain, corp, ME, WALL)
    return codec.message(plain, ME, WALL)


def heard(kind: str, platform: DingTalk) -> InboundEvent:
    event, unsupported = found(next(s for s in SAMPLES if s["kind"] == kind), platform)
    assert event is not None, unsupported
    return event


@pytest.mark.parametrize("one", [s for s in SAMPLES if s["kind"] not in SILENT], ids=ids)
def test_every_sample_decodes_or_is_named_unsupported(
    one: dict[str, Any], platform: DingTalk
) -> None:
    event, unsupported = found(one, platform)
    if one["kind"] in UNSUPPORTED:
        assert (event, unsupported) == (None, UNSUPPORTED[one["kind"]])
        return
    assert event is not None, unsupported
    assert event.event_id
    assert event.sender.id
    assert event.chat.id == event.sender.id or event.chat.id.startswith("cid")


@pytest.mark.parametrize("one", [s for s in MESSAGES if s["kind"] not in UNSUPPORTED], ids=ids)
def test_a_message_says_what_its_sample_expects(one: dict[str, Any]) -> None:
    plain = one["payload"]
    event, _ = codec.message(plain, ME, WALL)
    assert event is not None
    assert (event.event_id, event.kind) == (plain["msgId"], EventKind.MESSAGE)
    assert event.sender.id == plain.get("senderStaffId", plain["senderId"])
    assert event.sender_name == plain["senderNick"]
    assert event.at == datetime.fromtimestamp(WALL, UTC)
    group = plain["conversationType"] == "2"
    assert event.chat_kind is (ChatKind.GROUP if group else ChatKind.DIRECT)
    assert event.chat.id == (plain["conversationId"] if group else event.sender.id)
    assert event.mention_bot is group
    expect = one.get("expect", {})
    if "text" in expect:
        assert event.text == expect["text"]
    if expect.get("external"):
        assert event.sender.id.startswith("$:LWCP")
    kinds = [a.kind for a in event.attachments]
    assert kinds.count(AttachmentKind.IMAGE) == expect.get("images", 0)
    assert kinds.count(AttachmentKind.FILE) == expect.get("files", 0)
    assert all(codec.media_of(a.url) for a in event.attachments)
    assert event.chat_title == plain.get("conversationTitle", "")


def test_what_is_said_to_somebody_else_keeps_the_name(platform: DingTalk) -> None:
    assert heard("group_text_at_bot_and_liaison", platform).text == "@周联络员 厂区异味明显"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("@小港 缺人", "缺人"),
        ("缺人 @小港", "缺人"),
        ("@小港\u2005缺人", "缺人"),
        ("@小港区长 您好", "@小港区长 您好"),
        ("@周联络员 @小港 缺人", "@周联络员 缺人"),
    ],
)
def test_the_bots_own_name_is_cut_and_a_longer_one_is_not(said: str, left: str) -> None:
    plain = {**sample("group_text"), "text": {"content": said}}
    event, _ = codec.message(plain, ME, WALL)
    assert event is not None
    assert event.text == left


def test_a_quote_names_the_message_and_its_words(platform: DingTalk) -> None:
    quote = heard("group_text_quote", platform).quote
    assert quote is not None
    assert (quote.text, quote.message_ref) == (
        "我们厂这周缺12名叉车工",
        sample("group_text_quote")["originalMsgId"],
    )


def test_a_message_of_the_bot_is_named_by_the_key_that_sending_gave() -> None:
    plain = json.loads(json.dumps(sample("group_text_quote")))
    plain["originalProcessQueryKey"] = "carrier-1"
    plain["text"]["repliedMsg"] |= {"msgType": "interactiveCard", "content": {"taskId": "999"}}
    event, _ = codec.message(plain, ME, WALL)
    assert event is not None
    assert event.quote is not None
    # A card comes without its words.
    assert (event.quote.message_ref, event.quote.text) == ("carrier-1", "")


def test_a_picture_is_fetched_by_its_own_code_before_the_small_one(platform: DingTalk) -> None:
    event = heard("group_picture", platform)
    code = sample("group_picture")["content"]["downloadCode"]
    assert codec.media_of(event.attachments[0].url) == code
    assert event.msg_type == "image"
    assert codec.media_url({"pictureDownloadCode": "small"}) == "dingtalk:small"


@pytest.mark.parametrize("url", ["feishu:a/b/c", "dingtalk:", "dingtalk:a b", "https://a.invalid"])
def test_what_dingtalk_did_not_give_is_not_fetched(url: str) -> None:
    assert codec.media_of(url) is None


def test_a_voice_brings_its_words_and_its_sound(platform: DingTalk) -> None:
    event = heard("p2p_audio", platform)
    assert (event.text, event.msg_type) == ("东门卡口堵车请协调", "voice")
    assert [a.kind for a in event.attachments] == [AttachmentKind.VOICE]


def test_a_file_keeps_its_name(platform: DingTalk) -> None:
    assert heard("p2p_file", platform).attachments[0].name == "用工需求表（11月）.xlsx"


def test_a_session_lives_as_long_as_it_says() -> None:
    plain = sample("group_text")
    session = codec.session(plain)
    assert session == codec.Session(plain["conversationId"], plain["sessionWebhook"], 1795339800.0)
    as_text = codec.session(sample("group_text_times_as_strings"))
    assert as_text is not None
    assert as_text.until == 1795339800.0
    alone = codec.session(sample("p2p_text"))
    assert alone is not None
    assert alone.chat == "ent0101"
    for left_out in ("sessionWebhook", "sessionWebhookExpiredTime"):
        assert codec.session({k: v for k, v in plain.items() if k != left_out}) is None


@pytest.mark.parametrize("kind", ["card_button_http", "stream_card_button"])
def test_a_click_in_a_group_names_action_chat_and_card(kind: str, platform: DingTalk) -> None:
    event = heard(kind, platform)
    press = event.press
    assert press is not None
    assert (press.action, dict(press.args)) == (
        "ticket.claim",
        {"tid": "LHG-2026-000123", "v": "3"},
    )
    assert (event.sender.id, press.card_ref) == ("liaison07", "lhg-tk-000123")
    assert (event.chat_kind, event.chat.id) == (ChatKind.GROUP, "cidJhaulNIRmOMNZyHeQbm1K3==")


def test_a_form_brings_what_was_filled_in_and_chosen(platform: DingTalk) -> None:
    press = heard("card_form_submit", platform).press
    assert press is not None
    assert (press.action, press.picked) == ("survey.submit", ("12", "叉车工", "焊工"))
    assert dict(press.args) == {}


@pytest.mark.parametrize(
    ("picked", "chosen"),
    [
        ("LAB", ("LAB",)),
        ('{"index":1,"value":"ENV"}', ("ENV",)),
        ({"index": [0, 2], "value": ["LAB", "LOG"]}, ("LAB", "LOG")),
        ("{broken", ("{broken",)),
        ("", ()),
        (None, ()),
    ],
)
def test_a_choice_comes_in_any_of_its_forms(picked: object, chosen: tuple[str, ...]) -> None:
    done = "ticket.category?t=1024&v=3&_k=ticket%3AA%3Ahandler"
    params = {"do": done, "picked": picked}
    content = json.dumps({"cardPrivateData": {"actionIds": ["btn1"], "params": params}})
    plain = {"outTrackId": "lhg-d-7-0123456789", "userId": "liaison07", "content": content}
    event, _ = codec.click({**plain, "spaceId": "cidAlone"}, "click-1", ME, WALL)
    assert event is not None
    assert event.press is not None
    assert event.press.picked == chosen
    assert (event.press.action, dict(event.press.args), event.press.card_key) == (
        "ticket.category",
        {"t": "1024", "v": "3"},
        "ticket:A:handler",
    )
    # By its track the card stands in a single chat, whatever the click calls the space.
    assert (event.chat_kind, event.chat.id) == (ChatKind.DIRECT, "liaison07")


def test_the_group_of_a_click_is_the_one_its_card_was_sent_to() -> None:
    params = {"do": "ticket.claim?t=1024&v=3&_k=ticket%3AA&_c=cidMine%3D%3D"}
    plain = {
        "outTrackId": "lhg-g-7-0123456789",
        "userId": "liaison07",
        "content": json.dumps({"cardPrivateData": {"params": params}}),
    }
    event, _ = codec.click(plain, "click-1", ME, WALL)
    assert event is not None
    assert (event.chat_kind, event.chat.id) == (ChatKind.GROUP, "cidMine==")


@pytest.mark.parametrize("kind", ["stream_event_read", "http_event_read"])
def test_a_read_message_is_named_by_what_sending_gave_back(kind: str, platform: DingTalk) -> None:
    event = heard(kind, platform)
    plain = sample(kind)
    said = json.loads(plain["data"]) if kind.startswith("stream") else plain
    assert (event.kind, event.sender.id) == (EventKind.READ, "ent0101")
    assert event.quote is not None
    assert event.quote.message_ref == (said.get("processQueryKey") or said["ProcessQueryKey"])
    assert event.event_id == (plain["headers"]["eventId"] if "data" in plain else plain["eventId"])
    assert event.chat_kind is ChatKind.GROUP


def test_a_reader_without_an_id_and_other_events_are_named() -> None:
    plain = {"processQueryKey": "k", "unionId": "u"}
    assert codec.happening("robot_msg_read", "e", plain, "", ME, WALL) == (
        None,
        "robot_msg_read_without_user",
    )
    for kind in ("chat_add_member", "chat_disband", "user_leave_org"):
        assert codec.happening(kind, "e", {}, "", ME, WALL) == (None, kind)


def test_an_event_without_an_id_is_known_by_what_it_says() -> None:
    assert codec.event_id({}, b"one") == codec.event_id({}, b"one") != codec.event_id({}, b"two")
    assert codec.event_id({"EventId": "e1"}, b"one") == "e1"


@pytest.mark.parametrize("field", ["robotCode", "chatbotCorpId"])
def test_what_names_another_robot_or_corporation_is_refused(field: str) -> None:
    plain = {**sample("group_text"), field: "dinganother"}
    with pytest.raises(Rejected) as error:
        codec.message(plain, ME, WALL)
    assert error.value.status == 403
    # Where no corporation is set any is taken.
    codec.message({**plain, "robotCode": ME.robot_code}, codec.Me((), ME.robot_code), WALL)


@pytest.mark.parametrize("field", ["msgId", "msgtype"])
def test_a_message_without_an_id_or_a_kind_is_refused(field: str) -> None:
    plain = {k: v for k, v in sample("p2p_text").items() if k != field}
    with pytest.raises(Rejected):
        codec.message(plain, ME, WALL)


FIELDS = sorted(
    {key for s in SAMPLES for key in s["payload"]}
    | {"value", "index", "do", "picked", "form", "params", "cardPrivateData", "richText", "type"}
)
TOPICS = strategies.sampled_from(
    ["/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback", "*"]
)
KINDS = ("group_text_quote", "group_rich_text", "p2p_file", "card_form_submit", "http_event_read")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, [], "x", 7, {"a": [None]}, True])
def test_a_field_of_another_type_raises_nothing_but_a_refusal(
    kind: str, value: Any, platform: DingTalk
) -> None:
    one = next(s for s in SAMPLES if s["kind"] == kind)
    for field in one["payload"]:
        spoiled = {**one, "payload": {**one["payload"], field: value}}
        with contextlib.suppress(Rejected):
            found(spoiled, platform)


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.text(max_size=20)
    | strategies.sampled_from(["2", "text", "richText", "picture", "1795334400000", '{"value":1}']),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(data=strategies.dictionaries(strategies.sampled_from(FIELDS), JSON), topic=TOPICS)
def test_whatever_a_frame_holds_is_heard_named_or_refused(data: Any, topic: str) -> None:
    kind = "EVENT" if topic == "*" else "CALLBACK"
    headers = {"topic": topic, "messageId": "m1", "eventType": "robot_msg_read", "eventId": "e1"}
    frame = {"type": kind, "headers": headers, "data": json.dumps(data)}
    try:
        decoded = ours().decode_frame(frame, WALL)
    except Rejected:
        return
    assert decoded.ack.body
    for event in decoded.events:
        assert event.event_id
        assert event.sender.id
        assert from_plain(json.loads(json.dumps(to_plain(event)))) == event


@pytest.mark.parametrize("data", ["", "[]", "{", "null", "7"])
def test_a_frame_whose_data_is_no_object_is_refused(data: str, platform: DingTalk) -> None:
    for kind in ("stream_bot_message", "stream_card_button", "stream_event_read"):
        with pytest.raises(Rejected):
            platform.decode_frame({**sample(kind), "data": data}, WALL)


def test_a_topic_that_nobody_asked_for_is_refused(platform: DingTalk) -> None:
    frame = {**sample("stream_bot_message"), "headers": {"topic": "/v1.0/other", "messageId": "m"}}
    with pytest.raises(Rejected) as error:
        platform.decode_frame(frame, WALL)
    assert error.value.reason == "unknown_topic"


def test_an_old_card_is_told_to_whoever_pressed_it(platform: DingTalk) -> None:
    frame = sample("stream_card_button")
    data = json.dumps(sample("card_params_missing"))
    decoded = platform.decode_frame({**frame, "data": data}, WALL)
    assert decoded.unsupported == "card_params"
    assert "直接打字" in str(json.loads(decoded.ack.body)["response"]["userPrivateData"])


GOOD = {"DINGTALK_CLIENT_ID": "ding1", "DINGTALK_CLIENT_SECRET": "canary-secret"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DINGTALK_CLIENT_SECRET": ""}, "DINGTALK_CLIENT_SECRET"),
        ({"DINGTALK_CLIENT_ID": "", "DINGTALK_CLIENT_SECRET": ""}, None),
        ({"DINGTALK_STREAM": "yes"}, "DINGTALK_STREAM"),
        ({"DINGTALK_EVENT_TOKEN": "t"}, "DINGTALK_EVENT_AES_KEY"),
        ({"DINGTALK_EVENT_TOKEN": "t", "DINGTALK_EVENT_AES_KEY": "short"}, "43 位"),
        ({"DINGTALK_EVENT_TOKEN": "t", "DINGTALK_EVENT_AES_KEY": "*" * 43}, "43 位"),
        ({"DINGTALK_API_BASE": "http://api.example.cn"}, "DINGTALK_API_BASE"),
        ({"DINGTALK_OAPI_BASE": "oapi"}, "DINGTALK_OAPI_BASE"),
        ({"DINGTALK_API_BASE": "https://[api.example.cn"}, "DINGTALK_API_BASE"),
        ({"DINGTALK_OAPI_BASE": "https:" + "//user@oapi.dingtalk.com"}, "DINGTALK_OAPI_BASE"),
    ],
)
def test_settings_that_cannot_work_are_named(changed: dict[str, str], named: str | None) -> None:
    if named is None:
        assert "dingtalk" not in platforms({**GOOD, **changed})
        return
    with pytest.raises(ConfigError) as error:
        platforms({**GOOD, **changed})
    assert named in str(error.value)
    assert "canary" not in str(error.value)


def test_stream_mode_is_on_unless_it_is_switched_off() -> None:
    ways = {s: built("dingtalk", {**GOOD, "DINGTALK_STREAM": s}) for s in ("", "1", "0")}
    lines = {s: [line.name for line in one.lines] for s, one in ways.items()}
    assert lines == {"": ["dingtalk.stream"], "1": ["dingtalk.stream"], "0": []}
    assert all(one.hooks == ("", "card") for one in ways.values())
    with_events = {"DINGTALK_EVENT_TOKEN": "t", "DINGTALK_EVENT_AES_KEY": "A" * 43}
    assert built("dingtalk", {**GOOD, **with_events}).hooks == ("", "card", "event")
