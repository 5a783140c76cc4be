"""Every sample decodes or is named unsupported; what the samples say to expect holds."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from bot.payload import json_object
from bot.platform import Rejected
from bot.platforms.feishu import codec
from handlers.chat.events import AttachmentKind, ChatKind, EventKind, InboundEvent, Quote

WHOLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "payloads" / "feishu_inbound.json").read_text(encoding="utf-8")
)
SAMPLES: list[dict[str, Any]] = WHOLE["samples"]
ME = codec.Me(("小港",), WHOLE["bot_open_id"])
WALL = 1795334400.0
UNSUPPORTED = {
    "group_sticker": "sticker",
    "p2p_share_user": "share_user",
    "p2p_share_chat": "share_chat",
    "p2p_merge_forward": "merge_forward",
    "group_interactive": "interactive",
    "group_vote": "vote",
    "group_system": "system",
    "group_unknown_type": "future_type",
    "group_text_bad_content": "text_not_json",
    "message_recalled": "im.message.recalled_v1",
    "reaction_created": "im.message.reaction.created_v1",
    "bot_removed": "im.chat.member.bot.deleted_v1",
    "user_joined": "im.chat.member.user.added_v1",
    "user_left": "im.chat.member.user.deleted_v1",
    "chat_updated": "im.chat.updated_v1",
    "chat_disbanded": "im.chat.disbanded_v1",
    "card_value_is_string": "card_value",
}
MESSAGES = [s for s in SAMPLES if "message" in s["payload"].get("event", {})]


def ids(sample: dict[str, Any]) -> str:
    return str(sample["kind"])


def sample(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s["payload"] for s in SAMPLES if s["kind"] == kind)
    return found


def heard(kind: str, me: codec.Me = ME) -> InboundEvent:
    events, unsupported = codec.events(sample(kind), me, WALL)
    assert len(events) == 1, unsupported
    return events[0]


@pytest.mark.parametrize("one", [s for s in SAMPLES if s["kind"] != "url_verification"], ids=ids)
def test_every_sample_decodes_or_is_named_unsupported(one: dict[str, Any]) -> None:
    events, unsupported = codec.events(one["payload"], ME, WALL)
    if one["kind"] in UNSUPPORTED:
        assert (events, unsupported) == ((), UNSUPPORTED[one["kind"]])
        return
    assert events, unsupported
    assert len({event.event_id for event in events}) == len(events)
    for event in events:
        assert event.sender.id.startswith("ou_")
        assert event.chat.id.startswith("ou_" if event.chat_kind is ChatKind.DIRECT else "oc_")


@pytest.mark.parametrize("one", [s for s in MESSAGES if s["kind"] not in UNSUPPORTED], ids=ids)
def test_a_message_says_what_its_sample_expects(one: dict[str, Any]) -> None:
    message = one["payload"]["event"]["message"]
    (event,), _ = codec.events(one["payload"], ME, WALL)
    assert event.event_id == message["message_id"]
    assert event.kind is EventKind.MESSAGE
    assert event.chat_kind is (ChatKind.DIRECT if message["chat_type"] == "p2p" else ChatKind.GROUP)
    expect = one.get("expect", {})
    if "text" in expect:
        assert event.text == expect["text"]
    if "at_bot" in expect:
        assert event.mention_bot is expect["at_bot"]
    if expect.get("at_all"):
        assert event.text.startswith("@所有人 ")
    kinds = [a.kind for a in event.attachments]
    assert kinds.count(AttachmentKind.IMAGE) == expect.get("images", 0)
    assert kinds.count(AttachmentKind.FILE) == expect.get("files", 0)
    assert (event.quote is not None) == ("parent_id" in message)
    assert "@_" not in event.text


def test_a_reply_in_a_topic_names_the_message_before_it_and_the_first_one() -> None:
    message = sample("group_text_reply_in_thread")["event"]["message"]
    quote = heard("group_text_reply_in_thread").quote
    assert quote is not None
    assert (quote.message_ref, quote.root_ref) == (message["parent_id"], message["root_id"])


def test_a_rich_text_is_read_line_by_line_with_its_picture() -> None:
    event = heard("group_post_image_and_at")
    assert event.text == "异味照片\n西侧围墙外有异味，持续两天\n位置"
    assert event.msg_type == "mixed"
    picture = event.attachments[0]
    assert codec.media_of(picture.url) == (
        "image",
        event.event_id,
        "img_v3_ad6074dce1118813830d",
    )


def test_a_video_and_a_code_block_in_a_rich_text_are_kept() -> None:
    event = heard("group_post_file_like")
    assert event.text == "报警码 E17\n请看视频"
    assert [a.kind for a in event.attachments] == [AttachmentKind.VIDEO]


def test_a_file_keeps_its_name() -> None:
    assert heard("p2p_file").attachments[0].name == "用工需求表（11月）.xlsx"


def test_a_place_is_read_by_its_name() -> None:
    event = heard("p2p_location")
    assert event.text == "老洪港路88号"
    assert event.attachments[0].url == "31.956789,120.912345"


def test_before_the_bot_knows_itself_a_mentioned_bot_counts_and_a_person_does_not() -> None:
    stranger = codec.Me(("小港",))
    assert heard("group_text_at_bot", stranger).mention_bot
    assert not heard("group_text_at_other_only", stranger).mention_bot


def test_another_bot_is_not_us() -> None:
    other = codec.Me(("小港",), "ou_another")
    event = heard("group_text_at_bot", other)
    assert not event.mention_bot
    assert event.text.startswith("@园区服务助手 ")


def test_whoever_opens_the_single_chat_is_greeted_under_one_id_for_ever() -> None:
    event = heard("p2p_entered")
    assert event.kind is EventKind.ENTER
    assert event.event_id == f"enter-{event.sender.id}"


def test_a_group_that_takes_the_bot_in_is_known_by_its_name() -> None:
    event = heard("bot_added")
    assert (event.kind, event.chat_kind) == (EventKind.ENTER, ChatKind.GROUP)
    assert event.chat_title == "老洪港服务重点工业企业"


def test_each_message_that_was_read_is_one_event_in_the_readers_own_chat() -> None:
    said = sample("message_read")["event"]
    events, unsupported = codec.events(sample("message_read"), ME, WALL)
    assert unsupported == ""
    assert [e.quote for e in events] == [Quote("", ref) for ref in said["message_id_list"]]
    reader = said["reader"]["reader_id"]["open_id"]
    for event in events:
        assert (event.kind, event.chat_kind) == (EventKind.READ, ChatKind.DIRECT)
        assert event.chat.id == event.sender.id == reader


def test_the_same_reading_told_in_another_event_is_the_same() -> None:
    again = json.loads(json.dumps(sample("message_read")))
    again["header"]["event_id"] = "another"
    again["event"]["message_id_list"].reverse()
    ids = [
        {e.event_id for e in codec.events(p, ME, WALL)[0]} for p in (sample("message_read"), again)
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("refs", "count"),
    [
        ([], 0),
        (None, 0),
        ("om_1", 0),
        ([None, 7, "", "x y", "om_1"], 1),
        (["om_1"] * 5, 1),
        ([f"om_{n}" for n in range(5000)], 100),
    ],
)
def test_a_reading_names_no_more_than_it_can(refs: Any, count: int) -> None:
    plain = json.loads(json.dumps(sample("message_read")))
    plain["event"]["message_id_list"] = refs
    events, unsupported = codec.events(plain, ME, WALL)
    assert len(events) == count
    assert unsupported == ("" if count else "im.message.message_read_v1")


def test_a_reading_without_a_reader_is_nobodys() -> None:
    plain = json.loads(json.dumps(sample("message_read")))
    plain["event"]["reader"]["reader_id"] = {"union_id": "on_1"}
    assert codec.events(plain, ME, WALL) == ((), "im.message.message_read_v1")


@pytest.mark.parametrize(
    ("kind", "action", "args", "picked"),
    [
        ("card_button", "ticket.claim", {"tid": "LHG-2026-000123", "v": "3"}, ()),
        (
            "card_form_submit",
            "survey.submit",
            {"sid": "S17"},
            ("12", "叉车工", "焊工", "夜班为主", "2026-11-30 +0800"),
        ),
        ("card_select", "ticket.category", {"tid": "LHG-2026-000123"}, ("logistics",)),
        ("card_multi_select", "visit.topics", {}, ("labour", "land")),
        ("card_date", "ticket.due", {"tid": "LHG-2026-000123"}, ("2026-11-30 +0800",)),
        ("card_input", "ticket.reject", {}, ("需企业补充材料",)),
        ("card_checker", "todo.done", {}, ("true",)),
        ("card_overflow", "ticket.more", {}, ("escalate",)),
    ],
)
def test_a_click_names_the_action_and_what_was_picked(
    kind: str, action: str, args: dict[str, str], picked: tuple[str, ...]
) -> None:
    event = heard(kind)
    press = event.press
    assert press is not None
    assert (press.action, dict(press.args), press.picked) == (action, args, picked)
    assert press.card_ref == sample(kind)["event"]["context"]["open_message_id"]
    assert event.event_id == sample(kind)["header"]["event_id"]


def test_an_event_of_the_old_schema_is_named() -> None:
    old = {"uuid": "1", "token": "t", "type": "event_callback", "event": {"type": "message"}}
    assert codec.events(old, ME, WALL) == ((), "schema_1")


@pytest.mark.parametrize(
    ("text", "second"),
    [("1795334400123", 1795334400), ("1795334400123000", 1795334400), ("", WALL), ("x" * 13, WALL)],
)
def test_times_come_in_milliseconds_or_microseconds(text: str, second: float) -> None:
    assert int(codec.instant(text, WALL).timestamp()) == second


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Rejected):
        json_object(raw)


@pytest.mark.parametrize("field", ["event", "header", "message", "content", "mentions", "sender"])
@pytest.mark.parametrize("value", [None, [], "x", 7, {"a": [None]}])
def test_a_field_of_another_type_raises_nothing_but_a_refusal(field: str, value: Any) -> None:
    plain = json.loads(json.dumps(sample("group_text_at_bot_and_liaison")))
    spot = plain if field in plain else plain["event"]
    if field not in spot:
        spot = spot["message"]
    spot[field] = value
    with contextlib.suppress(Rejected):
        codec.events(plain, ME, WALL)
