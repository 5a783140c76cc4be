"""Answers laid beside questions: by words, by order, in lists; what fits nothing is not guessed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from handlers.domain.calendar import shipped
from handlers.domain.survey import Question, QuestionKind
from handlers.understanding.answers import Matched, assigned, match
from handlers.understanding.survey_words import (
    audience_words,
    draft_in,
    due_in,
    named_in,
    numbered,
    questions_in,
    without_number,
)

CALENDAR = shipped()
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HANDS = "挡车工(名)、机修(名)"
FIGURES = "产值(亿元)、同比(%)、新项目(个)"
MIXED = "是否停产、复工日期、主要困难"


def laid(text: str, questions: str = HANDS) -> Matched:
    return match(text, questions_in(questions), NOW, CALENDAR)


def numbers(text: str, questions: str = HANDS) -> list[Decimal | None]:
    return [None if v is None else v.number for v in laid(text, questions).values]


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("挡车工十五,机修3名", 15, 3),
        ("机修3，挡车工15", 15, 3),
        ("十五个挡车工，三个机修", 15, 3),
        ("挡车工：十五\n机修：三", 15, 3),
        ("挡车１５，机修 ３", 15, 3),
        ("1. 15\n2. 3", 15, 3),
        ("1、15；2、3", 15, 3),
        ("1.15\n2.3", 15, 3),
        ("第2项 8", None, 8),
        ("15,3", 15, 3),
        ("15 3", 15, 3),
        ("挡车工15，机修3，合计18", 15, 3),
        ("挡车工无，机修3名", 0, 3),
        ("挡车工缺十五个,机修不缺", 15, 0),
        ("其他无，挡车工3", 3, 0),
        ("挡车工0", 0, None),
        ("更正,机修是8不是18", None, 8),
        ("照旧，机修改成4", None, 4),
        ("挡车工1,260名", 1260, None),
        ("挡车工6~8名，机修两三个", 8, 3),
        ("无", 0, 0),
        ("没有缺口", 0, 0),
        ("我厂挡车工不多，但还要十来个", None, None),
    ],
)
def test_numbers_find_their_questions(text: str, first: int | None, second: int | None) -> None:
    assert numbers(text) == [first, second]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-8月产值487亿，同比+25.37%，新项目16个", ["487", "25.37", "16"]),
        ("产值3200万，同比-6%，新项目无", ["0.32", "-6", "0"]),
        ("487亿 25.37% 16个", ["487", "25.37", "16"]),
        ("产值487亿元，增长25.37%，新项目十六个", ["487", "25.37", "16"]),
    ],
)
def test_units_are_worked_into_the_questions_own(text: str, expected: list[str]) -> None:
    assert numbers(text, FIGURES) == [Decimal(e) for e in expected]


def test_a_value_is_shown_as_it_was_supplied() -> None:
    values = laid("产值487亿，同比-6%", "产值(万元)、同比(%)").values
    assert [v.text for v in values if v is not None] == ["487亿", "-6%"]
    about = laid("大概二十来个", "用工缺口(人)").values[0]
    assert about is not None and (about.text, about.about) == ("20人", True)


def test_a_unit_of_another_kind_is_no_answer() -> None:
    assert numbers("用气5%", "用电(万度)、用气(万方)") == [None, None]
    assert numbers("20台", "用工缺口(人)") == [None]


def test_what_fits_nothing_is_handed_back_with_its_words() -> None:
    found = laid("挡车15 保全3名")
    (loose,) = found.loose
    assert (loose.label, loose.text) == ("保全", "3名")
    value = assigned(loose.quantity, questions_in(HANDS)[1])
    assert (value.text, value.number) == ("3名", 3)
    assert [lo.text for lo in laid("三十个左右").loose] == ["三十个"]


def test_other_kinds_of_questions() -> None:
    values = laid("停产了，12月5日复工，主要困难是缺订单", MIXED).values
    assert [v and v.text for v in values] == ["是", "2026-12-05", "缺订单"]
    assert [v and v.text for v in laid("没停产", MIXED).values] == ["否", None, None]
    many = laid("不停产，困难：原料涨价，运费高", MIXED).values
    assert many[2] is not None and many[2].text == "原料涨价，运费高"
    shift = laid("我们两班", "班次(选:一班/两班/三班)").values[0]
    assert shift is not None and shift.text == "两班"
    machines = laid("叉车 3\n行车 5台", "设备(表:名称,台数)").values[0]
    assert machines is not None and machines.rows == (("叉车", "3"), ("行车", "5台"))


@pytest.mark.parametrize(
    ("text", "unchanged"),
    [
        ("不变", True),
        ("照旧", True),
        ("和上次一样", True),
        ("没有变化", True),
        ("有变化，挡车工3", False),
    ],
)
def test_unchanged(text: str, unchanged: bool) -> None:
    assert laid(text).unchanged is unchanged


def test_a_sentence_about_something_else_places_nothing_by_words() -> None:
    for text in ("今天停电了", "谢谢", "明天下午三点开会", "工单1024怎么样了"):
        found = laid(text)
        assert (found.by_words, found.count) == (0, 0), text


def test_an_opening_sentence_is_taken_apart() -> None:
    draft = draft_in("用工缺口：挡车工(名)、机修(名)；对象 长洪；截止 周五；用途 安排招聘专场")
    assert (draft.title, draft.questions) == ("用工缺口", "挡车工(名)、机修(名)")
    assert (draft.audience, draft.due, draft.purpose) == ("长洪", "周五", "安排招聘专场")
    lines = draft_in("12月用电\n内容：用电(万度)\n范围：3网格\n期限：11月27日\n目的：错峰")
    assert (lines.title, lines.questions, lines.purpose) == ("12月用电", "用电(万度)", "错峰")


def test_questions_get_their_kinds() -> None:
    found = questions_in(
        "1. 挡车工(名)、班次(选:一班/两班)、是否停产、设备(表:名称,台数)、复工日期、主要困难、人数"
    )
    assert [q.kind for q in found] == [
        QuestionKind.NUMBER, QuestionKind.CHOICE, QuestionKind.YES_NO, QuestionKind.TABLE,
        QuestionKind.DATE, QuestionKind.TEXT, QuestionKind.NUMBER,
    ]  # fmt: skip
    assert found[0] == Question("挡车工", unit="名")
    assert found[3].columns == ("名称", "台数")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1-3网格", "网格1、网格2、网格3"),
        ("第三网格、第五网格", "3网格、5网格"),
        ("9个网格", "全部企业"),
        ("长洪危化", "长洪危化"),
    ],
)
def test_grids_are_spread_out(text: str, plain: str) -> None:
    assert audience_words(text) == plain


def test_a_day_ends_with_its_work_and_an_instant_is_one() -> None:
    due = due_in("周五", NOW, CALENDAR)
    assert due is not None and due.astimezone(UTC) == datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    due = due_in("11月27日15:00", NOW, CALENDAR)
    assert due is not None and due.astimezone(UTC) == datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
    assert due_in("看情况", NOW, CALENDAR) is None


def test_a_survey_is_named_by_its_number() -> None:
    assert named_in("摸排 3「用工缺口」") == 3
    assert named_in("填报 15人") is None
    assert without_number("填报 3 挡车工15") == "挡车工15"
    assert numbered("3 汇总") == (3, "汇总")
    assert numbered("汇总") == (None, "汇总")
