"""Cards and texts as DingTalk gets them: golden, within its limits, and no words become a mention."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platform import json_text
from bot.platforms.dingtalk import cards, words
from handlers.chat.events import ChatKind, ChatRef, UserRef
from handlers.chat.outbound import (
    Address,
    Button,
    Card,
    Content,
    Delivery,
    Mention,
    Open,
    Press,
    Row,
)
from tests.kit.cards import CARDS, CLAIM, IN_GROUP, a_card, fullest
from tests.kit.fake_dingtalk import (
    OWN_VARIABLES,
    TEMPLATE,
    VENDOR_TEMPLATE,
    buttons,
    check_variables,
    labels,
)

GOLDEN = Path(__file__).parent / "payloads" / "dingtalk_cards.json"
DESCRIBED = Path(cards.__file__).parent / "template-variables.json"
GROUP = Address(ChatRef("dingtalk", "cidJhaulNIRmOMNZyHeQbm1K3=="), ChatKind.GROUP)
PERSON = Address(ChatRef("dingtalk", "liaison07"), ChatKind.DIRECT)
VENDORS = [kind for kind, card in CARDS.items() if card.choice is None]


def drawn(kind: str, vendor: bool = False) -> dict[str, str] | None:
    return cards.variables(CARDS[kind], GROUP if kind in IN_GROUP else PERSON, vendor)


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_fills_the_offices_template_as_agreed_and_keeps_the_limits(kind: str) -> None:
    made = drawn(kind)
    assert made is not None
    check_variables(made)
    assert made == golden()["own"][kind]


@pytest.mark.parametrize("kind", VENDORS)
def test_a_card_fills_the_vendors_template_as_agreed_and_keeps_the_limits(kind: str) -> None:
    made = drawn(kind, vendor=True)
    assert made is not None
    check_variables(made, VENDOR_TEMPLATE)
    assert made == golden()["vendor"][kind]


def test_every_agreed_drawing_is_of_a_known_kind() -> None:
    assert set(golden()) == {"own", "vendor"}
    assert set(golden()["own"]) == set(CARDS)
    assert set(golden()["vendor"]) == set(VENDORS)


def test_the_description_of_the_template_names_every_variable_and_no_other() -> None:
    described = json.loads(DESCRIBED.read_text(encoding="utf-8"))
    names = [one["name"] for one in described["variables"]]
    assert set(names) == OWN_VARIABLES
    assert len(set(names)) == len(names)
    for one in described["variables"]:
        assert one["type"] == "String"
        assert one["about"].endswith("。")
        assert isinstance(one["example"], str)
    check_variables({one["name"]: one["example"] for one in described["variables"]}, TEMPLATE)
    ids = [one["action_id"] for one in described["buttons"]]
    assert ids == ["btn1", "btn2", "btn3", "btn4"]


def test_the_fullest_card_stays_within_the_limits() -> None:
    press = Press("ticket.decline", {"t": "1024", "v": "33"})
    full = fullest(buttons=(Button("按钮按钮按钮", press),) * 4)
    for vendor, template in ((False, TEMPLATE), (True, VENDOR_TEMPLATE)):
        made = cards.variables(full, GROUP, vendor)
        assert made is not None
        check_variables(made, template)
        assert "值" * 26 in made["markdown" if vendor else "body"]


def test_a_card_that_outgrows_the_platform_is_told_in_words() -> None:
    outgrown = a_card(buttons=(Button("打开", Open("https://x.example.cn/" + "a" * 1100)),))
    assert cards.variables(outgrown, GROUP) is None
    assert cards.variables(outgrown, GROUP, vendor=True) is None


def test_a_button_that_opens_nothing_is_left_out_without_a_gap() -> None:
    card = a_card(buttons=(Button("打开", Open("javascript:x")), CLAIM))
    for vendor, template in ((False, TEMPLATE), (True, VENDOR_TEMPLATE)):
        made = cards.variables(card, PERSON, vendor)
        assert made is not None
        check_variables(made, template)
        assert labels(made) == ["认领"]


def test_the_vendors_template_leaves_a_choice_to_words() -> None:
    assert drawn("pick_one", vendor=True) is None


@pytest.mark.parametrize("vendor", [False, True])
@pytest.mark.parametrize("to", [GROUP, PERSON])
def test_a_click_brings_back_what_the_button_carries(to: Address, vendor: bool) -> None:
    made = cards.variables(a_card(), to, vendor)
    assert made is not None
    assert labels(made) == ["认领", "退单"]
    _, brought = buttons(made)[0]
    assert brought["actionIds"] == ["btn1"]
    did = cards.pressed(brought["params"]["do"])
    assert did == cards.Done(
        "ticket.claim",
        {"t": "1024", "v": "3"},
        "ticket:LHG-20261122-003:handler",
        to.chat.id if to is GROUP else "",
    )


@pytest.mark.parametrize("text", ["", "x", "?t=1", "认领 1024"])
def test_what_no_card_of_ours_carries_is_no_press(text: str) -> None:
    assert cards.pressed(text) is None


@given(
    st.dictionaries(
        st.text("abcdefghijklmnop", min_size=1, max_size=5), st.text(max_size=30), max_size=4
    )
)
def test_arguments_survive_the_way_there_and_back(args: dict[str, str]) -> None:
    card = a_card(buttons=(Button("认领", Press("ticket.claim", args)),))
    made = cards.variables(card, GROUP)
    if made is not None:
        did = cards.pressed(made["btn1_do"])
        assert did is not None
        assert did.args == {k: v.encode("utf-8", "replace").decode() for k, v in args.items()}


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=110),
    st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=26), max_size=6),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=30),
)
def test_whatever_people_write_a_card_is_within_the_limits_or_told_in_words(
    lead: str, values: list[str], note: str
) -> None:
    card = a_card(lead=lead, note=note, rows=tuple(Row("企业", value) for value in values))
    for vendor, template in ((False, TEMPLATE), (True, VENDOR_TEMPLATE)):
        made = cards.variables(card, GROUP, vendor)
        if made is not None:
            check_variables(made, template)


def a_delivery(card: Card, to: Address = PERSON, number: int = 7) -> Delivery:
    return Delivery(number, to, Content.of(card))


def test_a_rows_card_has_one_name_in_every_try_and_another_after_a_reset() -> None:
    assert cards.track_id(a_delivery(a_card())) == cards.track_id(a_delivery(a_card()))
    assert cards.track_id(a_delivery(a_card())).startswith("lhg-d-7-")
    assert cards.track_id(a_delivery(a_card(), GROUP)).startswith("lhg-g-7-")
    other = a_card(key="ticket:LHG-20270101-001:handler")
    assert cards.track_id(a_delivery(other)) != cards.track_id(a_delivery(a_card()))


def test_whoever_pressed_is_told_alone_and_everybody_sees_the_card_as_it_is() -> None:
    newer = a_card(status="办理中", buttons=(), revision=2)
    body = cards.answer("已认领 #1024\n第二行", a_delivery(newer))
    assert body["cardUpdateOptions"] == {
        "updateCardDataByKey": True,
        "updatePrivateDataByKey": True,
    }
    check_variables(body["cardData"]["cardParamMap"])
    assert body["cardData"]["cardParamMap"]["status"] == "办理中"
    private = body["userPrivateData"]["cardParamMap"]
    assert private == {"said": "已认领 #1024"}
    vendors = cards.answer("已认领 #1024", a_delivery(newer), vendor=True)
    check_variables(vendors["cardData"]["cardParamMap"], VENDOR_TEMPLATE)
    private = vendors["userPrivateData"]["cardParamMap"]
    assert private == {"tips": "已认领 #1024 · LHG-20261122-003 · 今天 09:12"}


def test_a_press_that_leads_to_nothing_yet_is_acknowledged() -> None:
    body = cards.answer()
    assert body["userPrivateData"] == {"cardParamMap": {"said": "已收到"}}
    assert "cardData" not in body
    assert len(cards.answer("长" * 300)["userPrivateData"]["cardParamMap"]["said"]) == 100


HOSTILE = (
    "[点我](http://x.invalid/a)",
    "**粗** `code` ~~x~~ # 大",
    "@所有人 \u0000\u0007",
    "<font color='red'>红</font>",
    "<a atId=all>所有人</a>",
    "![图](@lADPDe7s)",
    "# 一级标题",
    "> 引用\n- 列表\n1. 序号",
)


def assert_letters(free: str) -> None:
    assert not set("<>[]*`_~\u0000") & set(free)
    assert not any(line.lstrip().startswith(("-", "#", "1. ")) for line in free.split("\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_letters_in_a_card(text: str) -> None:
    row = Row("企业", text[:26], "https://lhg.example.cn/x")
    for vendor in (False, True):
        made = cards.variables(a_card(lead=text, rows=(row,)), GROUP, vendor)
        assert made is not None
        body = made["markdown" if vendor else "body"]
        free = body.replace("](https://lhg.example.cn/x)", "").replace("：[", "：")
        assert_letters(free)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_letters_where_a_card_is_told_in_words(text: str) -> None:
    (told,) = words.said(Content.of(a_card(fallback=text)))
    # An address may be opened, under its own name only.
    assert_letters(told.text.replace("[http://x.invalid/a](http://x.invalid/a)", ""))


def test_an_address_in_words_can_be_opened_and_shows_itself() -> None:
    url = "https://lhg.example.cn/l/a_b-c"
    (told,) = words.said(Content.of(a_card(fallback=f"请看\n{url}，谢谢")))
    assert told.text == f"请看  \n[https://lhg.example.cn/l/a＿b-c]({url})，谢谢"


def test_a_link_that_only_a_button_knew_is_told_too() -> None:
    url = "https://lhg.example.cn/l/abc"
    card = a_card(buttons=(Button("看全文", Open(url)),))
    (told,) = words.said(Content.of(card))
    assert told.text.endswith(f"[看全文]({url})")
    (told,) = words.said(Content.of(a_card(fallback=url, buttons=card.buttons)))
    assert told.text.count(url) == 2  # label and address of one link


def test_people_are_called_by_their_id_and_others_by_name() -> None:
    mentions = (
        Mention(UserRef("dingtalk", "liaison07"), "小周"),
        Mention(UserRef("wecom", "GuJian"), "顾[健]"),
        Mention(UserRef("dingtalk", "$:LWCP_v1:$abc"), "外部"),
    )
    assert words.by_id(mentions) == "@liaison07 @顾［健］ @外部 "
    assert words.by_name(mentions) == "@小周 @顾［健］ @外部 "
    assert words.called(mentions) == {"liaison07": "小周"}


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_is_larger_than_the_platform_takes(text: str) -> None:
    for content in (Content(text * 100), Content.of(a_card(fallback=text * 100))):
        for told in words.said(content):
            param = {"title": "题" * 40, "text": told.text}
            assert len(json_text(param).encode()) <= 15_000
            assert told.text.strip()


def test_the_words_of_an_urgent_call_are_one_short_line() -> None:
    assert words.ring(Content("【加急 #1024】停电\n第二行")) == "【加急 #1024】停电"
    assert len(words.ring(Content("长" * 300))) == words.RING_CHARACTERS


def test_a_buttons_text_reads_as_a_query() -> None:
    made = cards.variables(a_card(), PERSON)
    assert made is not None
    action, _, query = made["btn1_do"].partition("?")
    assert (action, dict(parse_qsl(query))["t"]) == ("ticket.claim", "1024")
