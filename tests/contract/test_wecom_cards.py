"""Cards and texts as WeCom gets them: within its limits, and no words become a mention."""

import json

import pytest

from bot.platforms.wecom import codec
from handlers.chat.events import UserRef
from handlers.chat.outbound import Content, Mention
from tests.contract.test_platforms import HOSTILE
from tests.kit.cards import a_card
from tests.kit.fake_wecom import check_card


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_as_plain_letters_in_wecom_markdown(text: str) -> None:
    said = codec.markdown(Content(text), codec.ROBOT_MARKDOWN_BYTES)
    assert "<" not in said
    assert ">" not in said
    assert "](" not in said
    assert len(said.encode()) <= codec.ROBOT_MARKDOWN_BYTES


def test_a_robot_mentions_people_in_text_and_never_all() -> None:
    content = Content("请看", mentions=(Mention(UserRef("wecom", "GuJian"), "顾健"),))
    assert codec.robot_message(content)["text"]["mentioned_list"] == ["GuJian"]
    assert "mentioned_list" not in json.dumps(codec.robot_message(Content("<@all> @all")))


def test_the_wecom_card_keeps_the_limits() -> None:
    made = codec.template_card(a_card(), 7)
    assert made is not None
    check_card(made, interactive=True)
    check_card(codec.spent_card(a_card(), 8), interactive=True)


def test_a_wecom_card_without_buttons_needs_something_to_open() -> None:
    bare = a_card(buttons=())
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
