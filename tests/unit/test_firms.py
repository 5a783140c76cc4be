"""Firms in sentences of our own; an invented register with names that ordinary words contain."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.firms import FirmNames

NAMES = FirmNames(
    [
        ("A", "东和半导体", ("东和", "TOWA南通"), "东和半导体设备(南通)有限公司"),
        ("B", "泓曜精密", ("泓曜",), "南通泓曜精密机械有限公司"),
        ("C", "通海港务", ("通海", "通海码头"), "通海港务"),
        ("D", "王子制纸", ("王子", "王子造纸"), "江苏王子制纸有限公司"),
        ("E", "惠生重工", ("惠生",), "惠生重工"),
        ("F", "闻栩智能", ("闻栩",), "江苏闻栩智能装备有限公司"),
        ("G", "同朔电缆", ("同朔",), "江苏同朔电缆有限公司"),
        ("H", "朔岚船配", ("朔岚",), "南通朔岚船舶配套有限公司"),
        ("I", "冠砾建材", ("冠砾",), "江苏冠砾建材有限公司"),
        ("J", "王子食品", ("王子",), "南通王子食品有限公司"),
        ("K", "安瑞特", ("安瑞",), "安瑞特"),
    ]
)


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        ("帮东和反映一下,他们门口积水", ("A",)),
        ("南通泓曜精密机械有限公司缺焊工", ("B",)),
        ("towa南通那边的车进不来", ("A",)),
        ("ＴＯＷＡ南通停电", ("A",)),
        ("通海码头三号泊位堵了", ("C",)),
        ("同朔和朔岚合用一台变压器", ("G", "H")),
        ("王子造纸的蒸汽", ("D",)),
        ("安瑞特今天没水", ("K",)),
    ],
)
def test_a_firm_is_found_by_any_of_its_names(text: str, firms: tuple[str, ...]) -> None:
    assert NAMES.find(text) == firms


def test_a_name_of_two_firms_names_both() -> None:
    assert NAMES.find("王子停电了") == ("D", "J")
    assert NAMES.match("王子") == ("D", "J")
    assert NAMES.find("王子食品停电了") == ("J",)


@pytest.mark.parametrize(
    "text",
    [
        "从广东和江苏来的车", "南通海关说要补材料", "优惠生产用电", "合同朔日生效", "股东和厂长都在", "通海路积水", "王子路路灯坏了",
        "通海关要多久", "车间东和西各一台", "公安瑞金支队", "关于加强管理的通知", "生意不好做", "需要焊工五名", "",
    ],
)  # fmt: skip
def test_an_ordinary_word_is_no_firm(text: str) -> None:
    assert NAMES.find(text) == ()


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("泓耀的车被拦了", "B"), ("弘曜那边缺人", "B"), ("红耀精密缺人", "B"), ("泓躍精密缺人", "B"), ("闻旭智能停电", "F"),
        ("同硕电缆要增容", "G"), ("冠力建材门口", "I"), ("东合半导体跳闸", "A"),
    ],
)  # fmt: skip
def test_a_slip_of_the_keyboard_still_names_the_firm(text: str, firm: str) -> None:
    assert NAMES.find(text) == (firm,)


@pytest.mark.parametrize(
    ("name", "firms"),
    [
        ("泓曜精密机械", ("B",)), ("泓耀精密", ("B",)), ("闻旭", ("F",)), ("冠力", ("I",)), ("东和公司", ("A",)),
        ("毫不相干", ()), ("某", ()), ("", ()), ("通海港务公司", ("C",)),
    ],
)  # fmt: skip
def test_a_name_given_alone_is_matched_more_freely(name: str, firms: tuple[str, ...]) -> None:
    assert NAMES.match(name) == firms


@pytest.mark.parametrize(
    ("sender", "firms"),
    [
        ("泓曜精密-张经理", ("B",)), ("泓曜－老张", ("B",)), ("通海港务—调度", ("C",)), ("泓耀精密-小李", ("B",)), ("王子-陈", ("D", "J")),
        ("张经理", ()), ("-张", ()), ("老洪港办公室", ()), ("联络员-小周", ()),
    ],
)  # fmt: skip
def test_a_nickname_tells_the_firm(sender: str, firms: tuple[str, ...]) -> None:
    assert NAMES.of_sender(sender) == firms


@pytest.mark.parametrize(
    ("text", "sender", "firms"),
    [
        ("我们停电了", "泓曜精密-张经理", ("B",)),
        ("替闻栩报一下,他们门口路灯坏了", "泓曜精密-张经理", ("F",)),
        ("接龙 1.闻栩 2.泓曜 3人", "泓曜精密-张经理", ("B",)),
        ("单价比闻栩低一百", "泓曜精密-张经理", ("B",)),
        ("走访闻栩,一切正常", "联络员小李", ("F",)),
        ("同朔、闻栩两家都停水", "网格员03", ("G", "F")),
        ("收到", "联络员小李", ()),
    ],
)
def test_the_firm_meant_is_the_one_named_or_the_sender_s(
    text: str, sender: str, firms: tuple[str, ...]
) -> None:
    assert NAMES.meant(text, sender) == firms


def test_the_place_of_a_name_is_told() -> None:
    (named,) = NAMES.named("今天去泓曜精密看了")
    assert (named.firms, named.start, named.end) == (("B",), 3, 7)


def test_an_empty_register_names_nobody() -> None:
    empty = FirmNames([])
    assert (empty.find("东和停电"), empty.match("东和"), empty.meant("停电", "东和-张")) == (
        (),
        (),
        (),
    )
    assert empty.short("A") == ""


@given(st.text(), st.text())
def test_no_text_is_too_strange(text: str, sender: str) -> None:
    NAMES.meant(text, sender)
    for named in NAMES.named(text):
        assert 0 <= named.start < named.end <= len(text)


@given(st.sampled_from(["东和半导体", "泓曜精密", "通海港务", "惠生重工", "闻栩智能"]), st.text())
def test_a_short_name_is_found_before_any_text(name: str, rest: str) -> None:
    assert NAMES.find(f"{name},{rest}")[:1] == NAMES.match(name)


def test_a_text_without_a_name_costs_little() -> None:
    text = "我们这边昨晚开始电压不稳,两台空压机跳了三次,麻烦供电的师傅今天来看一下,急"
    NAMES.find(text)
    best = min(_seconds(text) for _ in range(5))
    assert best < 150e-6  # 30 µs on an idle machine; the test machine may be busy


def _seconds(text: str) -> float:
    start = time.perf_counter()
    for _ in range(20):
        NAMES.find(text)
    return (time.perf_counter() - start) / 20
