"""Sentences of sign-ups that stand in no corpus: how many, which, and what they change."""

import pytest

from handlers.domain.signup import Act, Said
from handlers.understanding.firms import FirmNames
from handlers.understanding.signups import Parsed, number_named, parse

FIRMS = FirmNames(
    [
        ("E003", "泓曜精密", ("泓曜",), "泓曜精密机械(南通)有限公司"),
        ("E004", "玖晟电子", ("玖晟",), "南通玖晟电子有限公司"),
        ("E009", "芯耘半导体", ("芯耘",), "芯耘半导体(南通)有限公司"),
    ]
)


def own(text: str) -> Said | None:
    words = dict(parse(text, "E009", FIRMS).words)
    return words.get("")


def a_set(count: int, male: int | None = None, female: int | None = None) -> Said:
    return Said(Act.SET, count, male, female)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("芯耘报3男2女", a_set(5, 3, 2)),
        ("报名2位,一男一女", a_set(2, 1, 1)),
        ("我们出5个人，其中女的2个", a_set(5, 3, 2)),
        ("7个(4女3男)", a_set(7, 3, 4)),
        ("男2 女1", a_set(3, 2, 1)),
        ("我这边男女各3名", a_set(6, 3, 3)),
        ("报廿人，全是女工", a_set(20, 0, 20)),
        ("+2", a_set(2)),
        ("＋ 3", a_set(3)),
        ("来仨", a_set(3)),
        ("参加", a_set(1)),
        ("我也去", a_set(1)),
        ("先报五个，多的再说", a_set(5)),
        ("参加，1人，另要一个车位", a_set(1)),
        ("能不能线上参加？能的话报1个", a_set(1)),
        ("厂里来两个，办公室一个", a_set(3)),
        ("原来5个减1个", a_set(4)),
        ("我们退一个名额，原来报三改成两", a_set(2)),
        ("不取消，还是3个", a_set(3)),
        ("再加两个女同事", Said(Act.ADD, 2, 0, 2)),
        ("多来一个", Said(Act.ADD, 1)),
        ("取消2个", Said(Act.ADD, -2)),
        ("有一个人来不了了", Said(Act.ADD, -1)),
        ("报2个，算了，取消", Said(Act.OFF)),
        ("不好意思，临时有事不去了", Said(Act.OFF)),
        ("婉拒，那天审厂", Said(Act.OFF)),
        ("能不能报2个？", None),
        ("这周六几点啊", None),
        ("我问问老板", None),
        ("收到", None),
        ("设备坏了2台", None),
        ("2026年11月30日", None),
        ("0个", None),
        ("-3", None),
        ("报1000000人", None),
        ("", None),
    ],
)
def test_what_a_sentence_says_of_the_speakers_own(text: str, said: Said | None) -> None:
    assert own(text) == said


def test_somebody_signs_up_another_firm_and_takes_the_own_off() -> None:
    parsed = parse("帮玖晟报四个，我们这边不来", "E009", FIRMS)
    assert dict(parsed.words) == {"E004": a_set(4), "": Said(Act.OFF)}


def test_a_colleague_of_the_office_signs_up_the_firm_that_is_named_first() -> None:
    assert dict(parse("玖晟报3个", "", FIRMS).words) == {"E004": a_set(3)}
    assert dict(parse("+2", "", FIRMS).words) == {"": a_set(2)}


def test_a_copied_list_speaks_for_the_own_firm_and_only_adds_the_others() -> None:
    text = "接龙 茶话会\n1、芯耘 3\n2、玖晟 王主任\n3、泓曜 李总、财务\n4、不认识的厂 9人"
    assert dict(parse(text, "E009", FIRMS).words) == {
        "": a_set(3),
        "E004": Said(Act.COPY, 1),
        "E003": Said(Act.COPY, 2),
    }


@pytest.mark.parametrize(
    "text", ["+1", "芯耘报3男2女", "取消", "2", "报 3 人，车停哪里", "参加，3人"]
)
def test_a_plain_sign_up_is_sure(text: str) -> None:
    assert parse(text, "E009", FIRMS).sure


@pytest.mark.parametrize(
    "text",
    ["车间缺操作工20人", "缺3个人，帮忙招一下", "我们明天来2个人修设备", "三个人受伤了", "大概5个"],
)
def test_what_only_counts_people_is_not(text: str) -> None:
    assert not parse(text, "E009", FIRMS).sure


def test_nothing_is_read_from_an_endless_text() -> None:
    assert parse("+1" * 2000, "E009", FIRMS) == Parsed()


@pytest.mark.parametrize(
    ("text", "number"),
    [("接龙 3 报2个", 3), ("接龙3", 3), ("接龙\n1. 泓曜", None), ("接龙 3人", None)],
)
def test_a_list_is_named_by_its_number(text: str, number: int | None) -> None:
    assert number_named(text) == number
