"""Cards and texts as Feishu gets them: golden, within its limits, and no words become a mention."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payload import pieces
from bot.platform import json_text
from bot.platforms.feishu import codec
from handlers.chat.events import ChatKind, UserRef
from handlers.chat.outbound import Button, Choice, Content, Mention, Option, Press, Row
from tests.kit.cards import CARDS, IN_GROUP, a_card, fullest
from tests.kit.fake_feishu import check_card
from tests.kit.feishu import buttons, labels

GOLDEN = Path(__file__).parent / "payloads" / "feishu_cards.json"
CALLED = {"group_notice": (Mention(UserRef("feishu", "ou_zhou"), "联络员小周"),)}


def drawn(kind: str) -> dict[str, Any] | None:
    chat = ChatKind.GROUP if kind in IN_GROUP else ChatKind.DIRECT
    return codec.card(CARDS[kind], chat, CALLED.get(kind, ()))


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_is_drawn_as_agreed_and_keeps_the_limits(kind: str) -> None:
    made = drawn(kind)
    assert made is not None
    check_card(made)
    assert made == json.loads(GOLDEN.read_text(encoding="utf-8"))[kind]


def test_every_agreed_drawing_is_of_a_known_kind() -> None:
    assert set(json.loads(GOLDEN.read_text(encoding="utf-8"))) == set(CARDS)


def test_the_fullest_card_stays_far_below_the_limits() -> None:
    full = fullest(
        choice=Choice("c", "选", tuple(Option(str(n), "项" * 16) for n in range(10))),
        buttons=tuple(
            Button("按钮按钮按钮", Press("a.b", {"t": "1024"}), submits=n == 0) for n in range(4)
        ),
    )
    made = codec.card(full, ChatKind.GROUP)
    assert made is not None
    check_card(made)
    assert len(json_text(json_text(made)).encode()) < codec.CARD_BYTES


def test_a_card_that_outgrows_the_platform_is_told_in_words() -> None:
    rows = tuple(Row("链接", "开", "https://x.example.cn/" + "a" * 9000) for _ in range(6))
    assert codec.card(a_card(rows=rows), ChatKind.GROUP) is None


@pytest.mark.parametrize("kind", list(ChatKind))
def test_a_click_brings_back_what_the_button_carries(kind: ChatKind) -> None:
    made = codec.card(a_card(), kind)
    assert made is not None
    assert labels(made) == ["认领", "退单"]
    value = buttons(made)[0]["behaviors"][0]["value"]
    body = {
        "operator": {"open_id": "ou_1"},
        "action": {"tag": "button", "value": value},
        "context": {"open_message_id": "om_1", "open_chat_id": "oc_1"},
    }
    plain = {
        "schema": "2.0",
        "header": {"event_id": "e", "event_type": "card.action.trigger"},
        "event": body,
    }
    (event,), _ = codec.events(plain, codec.Me(), 0.0)
    assert event is not None
    assert event.press is not None
    assert event.chat_kind is kind
    assert event.chat.id == ("ou_1" if kind is ChatKind.DIRECT else "oc_1")
    assert (event.press.action, dict(event.press.args), event.press.card_key) == (
        "ticket.claim",
        {"t": "1024", "v": "3"},
        "ticket:LHG-20261122-003:handler",
    )


HOSTILE = (
    "<at id=all></at>",
    '<at user_id="all">所有人</at>',
    "**粗** [点我](http://x.invalid) `code`",
    "@所有人 \u0000\u0007\u202e",
    "😀" * 20,
    "<font color='red'>红</font>",
    "<raw>x</raw><person id='ou_1'></person>",
    "![图](img_v3)",
)


def markdown_in(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["content"]] if node.get("tag") == "markdown" else []
        return own + [m for value in node.values() for m in markdown_in(value)]
    return [m for one in node for m in markdown_in(one)] if isinstance(node, list) else []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_letters_in_a_card(text: str) -> None:
    row = Row("企业", text[:26], "https://lhg.example.cn/x")
    made = codec.card(a_card(title=text[:26], lead=text, rows=(row,)), ChatKind.GROUP)
    assert made is not None
    check_card(made)
    (link,) = markdown_in(made)
    words = link.removeprefix("[").removesuffix("](https://lhg.example.cn/x)")
    assert not set("<>[]()*`_~!\u0000") & set(words)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_letters_in_a_text(text: str) -> None:
    (said,) = codec.texts(Content(text))
    assert "<" not in said
    assert "](" not in said
    assert "\u0000" not in said


def test_people_are_called_by_their_open_id_and_others_by_name() -> None:
    called = (
        Mention(UserRef("feishu", "ou_zhou"), "小周"),
        Mention(UserRef("wecom", "GuJian"), "顾健"),
        Mention(UserRef("feishu", 'x"><at'), "<at>"),
    )
    (said,) = codec.texts(Content("请看", mentions=called))
    assert said == '<at user_id="ou_zhou">小周</at> @顾健 @＜at＞ 请看'


@given(st.text(max_size=400), st.integers(min_value=8, max_value=200))
def test_a_text_is_parted_within_the_size_and_on_characters(text: str, most: int) -> None:
    parts = pieces(text, most)
    assert 1 <= len(parts) <= 4
    assert all(len(part.encode("utf-8", "replace")) <= most for part in parts)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_is_larger_than_the_platform_takes(text: str) -> None:
    for part in codec.texts(Content(text * 400)):
        assert len(json_text({"text": part}).encode()) < 150 * 1024


def test_a_toast_is_one_short_line() -> None:
    told = codec.toast("第一行\n第二行")["toast"]["content"]
    assert told == "第一行"
    assert len(codec.toast("长" * 200)["toast"]["content"]) == codec.TOAST_CHARACTERS


@pytest.mark.parametrize("url", ["", "feishu:image/om_1", "media:1", "feishu:image/om/../x/y"])
def test_only_what_feishu_gave_out_is_fetched_there(url: str) -> None:
    assert codec.media_of(url) is None
