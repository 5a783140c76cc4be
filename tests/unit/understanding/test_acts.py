"""What a colleague's sentence does to a ticket: talk does nothing, 这个单子 hands it on."""

import pytest

from handlers.understanding.acts import Act, act_of


@pytest.mark.parametrize(
    "text",
    ["老板们早上好", "各位老板下午好", "小周早", "国庆快乐大家", "祝大家生意兴隆", "收到，谢谢"],
)
def test_greetings_and_wishes_do_nothing(text: str) -> None:
    assert act_of(text, "in_progress", named=False) is None


@pytest.mark.parametrize(
    "text", ["领导好,现场已看过", "早上去看了,水压正常", "路修好了,早上好走多了"]
)
def test_a_greeting_within_word_of_the_matter_is_word_of_the_matter(text: str) -> None:
    said = act_of(text, "in_progress", named=False)
    assert said is not None
    assert said.act is Act.PROGRESS


@pytest.mark.parametrize("text", ["这个单子转给小陈吧", "这事转给小吴,他熟", "转给小陈 他熟"])
def test_the_ticket_itself_is_handed_on(text: str) -> None:
    said = act_of(text, "in_progress", named=not text.startswith("这"))
    assert said is not None
    assert said.act is Act.TRANSFER


def test_papers_that_were_passed_on_are_no_transfer() -> None:
    said = act_of("材料我转给小陈了", "in_progress", named=False)
    assert said is not None
    assert said.act is Act.PROGRESS


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("请问排污管是在厂区内还是厂区外", Act.ASK),
        ("想问一下需要哪些工种，要几个人", Act.ASK),
        ("排污管是在厂里还是在厂外", Act.ASK),
        ("城建在问排污管有什么标志没有", Act.PROGRESS),
        ("城管已换好灯泡，什么都正常了", Act.RESOLVE),
    ],
)
def test_a_question_with_the_number_is_never_the_result(text: str, act: Act) -> None:
    said = act_of(text, "in_progress", named=True)
    assert said is not None
    assert said.act is act
    opened = act_of(text, "open", named=True, consult=True)
    assert opened is not None
    assert act is Act.RESOLVE or opened.act is Act.CLAIM
