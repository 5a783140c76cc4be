"""The right entry is found in other words, by number, by amount; what is not there stays unfound."""

import time
from dataclasses import replace
from datetime import date

import pytest

from handlers.domain.category import Category
from handlers.understanding.policy_search import (
    Indexed,
    PolicyIndex,
    guessed_category,
    meanings,
    meanings_of,
)
from tests.evaluate.policies import entries

TODAY = date(2026, 11, 24)
NAMES, LIBRARY = entries()
INDEX = PolicyIndex(LIBRARY)


def first(question: str) -> str:
    found = INDEX.find(question, TODAY)
    return NAMES[found[0].key] if found and found[0].answers else ""


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("通开财金〔2026〕9号文还有效吗", "p07"),
        ("通开财金[2026]9号", "p07"),
        ("过桥资金最多能用几天", "p21"),
        ("屋顶光伏补贴怎么算", "p24"),
        ("留抵退税几天能办好", "p39"),
        ("新上的MES能补多少", "p13"),
        ("园区通行证在哪里办", "p26"),
        ("AEO认证过了有奖吗", "p55"),
        ("硕士租房补贴一个月多少", "p47"),
        ("小巨人奖励是多少", "p32"),
    ],
)
def test_a_question_in_plain_words_finds_its_entry(question: str, right: str) -> None:
    assert first(question) == right


@pytest.mark.parametrize(
    "question",
    [
        "充电桩补多少",
        "残保金怎么减",
        "食堂承包要招标吗",
        "今天天气怎么样",
        "你好",
        "？",
        "",
        "a" * 3000,
    ],
)
def test_what_the_library_has_nothing_of_is_not_answered(question: str) -> None:
    assert first(question) == ""


def test_of_two_versions_the_present_one_is_meant_unless_the_past_is_spoken_of() -> None:
    assert first("展位费补多少") == "p51"
    assert first("去年广交会的展位费补多少") == "p50"
    assert first("老办法的展位费补多少") == "p50"
    assert first("展位费按老标准还是现在的新标准") == "p51"


def test_the_sentence_that_fits_is_shown() -> None:
    (hit, *_) = INDEX.find("一级标准化奖多少", TODAY)
    assert hit.passage.startswith("企业首次通过安全生产标准化二级评审")


def test_a_library_of_one_answers_as_well_as_one_of_sixty() -> None:
    only = next(e for e in LIBRARY if NAMES[e.key] == "p24")
    alone = PolicyIndex([replace(only, key=1)])
    assert alone.find("屋顶光伏怎么补", TODAY)[0].answers
    assert not any(h.answers for h in alone.find("留抵退税几天能办好", TODAY))


def test_an_empty_library_finds_nothing() -> None:
    assert PolicyIndex([]).find("光伏补贴", TODAY) == ()


def test_five_hundred_entries_are_searched_in_five_milliseconds() -> None:
    many = PolicyIndex(
        [replace(e, key=n * 100 + e.key, superseded_by=None) for n in range(9) for e in LIBRARY][
            :500
        ]
    )
    questions = ["屋顶光伏补贴怎么算", "我们九月新进了几个应届生，一个人能拿多少钱"] * 5
    many.find(questions[0], TODAY)
    took = []
    for question in questions:
        start = time.process_time()
        many.find(question, TODAY)
        took.append(time.process_time() - start)
    assert min(took) < 0.005


def test_the_words_of_one_meaning_are_well_formed() -> None:
    known = meanings()
    assert len(known.words) > 900
    assert all(word == word.lower() and " " not in word for word in known.words)
    assert known.money
    made = meanings_of("甲 乙\n# What is asked for.\n# Money.\n补\n# Something else.\n几天")
    assert (made.words["甲"], made.words["补"], made.words["几天"]) == ((1,), (-4,), (-6,))
    assert made.money == {-4}


def test_an_entry_without_a_category_is_given_the_likeliest() -> None:
    assert guessed_category(("分布式光伏并网补贴", "屋顶光伏每瓦补0.2元")) in (
        Category.ENE,
        Category.POL,
    )
    assert INDEX.find("光伏", TODAY)
    assert PolicyIndex([Indexed(1, "光伏补贴", text="光伏并网补贴")]).find("光伏补贴", TODAY)
