"""Each rule of the transparent reading has the sentence that made it necessary."""

import pytest

from handlers.domain.category import Category, Urgency
from handlers.understanding import FirmNames, Intent, read, title_of
from handlers.understanding.lexicon import shipped
from handlers.understanding.rating import rating_of, verdict_of
from handlers.understanding.reader import shares

FIRMS = FirmNames(
    [
        ("E001", "王子制纸", ("王子", "王子造纸"), "江苏王子制纸有限公司"),
        ("E002", "东和半导体", ("东和",), "东和半导体设备(南通)有限公司"),
        ("E003", "泓曜精密", ("泓曜",), "南通泓曜精密机械有限公司"),
        ("E090", "王子包装", ("王子",), "南通王子包装有限公司"),
    ]
)


@pytest.mark.parametrize(
    ("text", "category", "urgency"),
    [
        ("车间缺操作工，临时招也招不到", Category.LAB, Urgency.U3),
        ("蒸汽只有0.4兆帕，线快停了，帮忙协调", Category.ENE, Urgency.U2),
        ("干燥机冒烟已疏散", Category.SAF, Urgency.U1),
        ("槽车在路口被拦，进不来", Category.LOG, Urgency.U2),
        ("门口路灯坏了5盏", Category.INF, Urgency.U3),
        ("补贴公示半年没到账", Category.POL, Urgency.U3),
        ("搬迁费评估太低，要求重新评估", Category.REL, Urgency.U4),
        ("设备卡在海关，报关查验一周了，请协调", Category.TRD, Urgency.U3),
    ],
)
def test_a_plain_problem_is_a_ticket_of_its_category(
    text: str, category: Category, urgency: Urgency
) -> None:
    reading = read(text, "manager", addressed=True)
    assert reading.is_ticket
    assert (reading.items[0].category, reading.items[0].urgency) == (category, urgency)


@pytest.mark.parametrize(
    "text",
    [
        "收到", "收到!", "1", "ok", "好的", "嗯嗯", "晓得了", "👌", "大家早上好",
        "听说隔壁园区天天停电", "上个月那个气压的事多亏了小周，谢谢", "缺人是常态，不用管我们",
        "出售二手叉车，加微信优惠价",
    ],
)  # fmt: skip
def test_chatter_greetings_and_hearsay_open_nothing(text: str) -> None:
    reading = read(text, "manager", addressed=True)
    assert not reading.is_ticket
    assert not reading.candidate


def test_a_notice_by_the_office_holds_problem_words_but_is_no_ticket() -> None:
    reading = read("各位企业家，通知：本周五停水停电检修，请各企业做好安全准备", "office")
    assert reading.intent is Intent.ANNOUNCEMENT
    assert not reading.is_ticket


def test_two_numbered_problems_are_two_items() -> None:
    reading = read("1、车间缺操作工20人 2、厂门口路灯坏了5盏", "manager", addressed=True)
    assert [i.category for i in reading.items] == [Category.LAB, Category.INF]


def test_only_what_stands_under_a_quote_is_read() -> None:
    text = "「张三：车间着火了」\n- - - - -\n收到"
    assert read(text, "manager").intent is Intent.ACK


def test_a_drill_is_no_emergency() -> None:
    assert read("下周消防演练，模拟车间起火", "manager", addressed=True).intent is not Intent.URGENT


def test_an_addressed_sentence_without_a_topic_is_not_dropped() -> None:
    reading = read("有个事情想请你们帮忙看一看", "manager", addressed=True)
    assert reading.candidate or reading.is_ticket


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("非常满意", 5), ("十分满意", 5), ("五星", 5), ("5分", 5), ("10分", 5), ("满分", 5),
        ("满意", 4), ("点赞", 4), ("4星", 4), ("基本满意", 3), ("过得去", 3), ("中评", 3),
        ("不满意", 2), ("不太满意", 2), ("差评", 2), ("非常不满意", 1), ("1分", 1),
        ("9分", 5), ("8分", 4), ("6分", 3), ("打九分", 5), ("来了十分钟", None), ("满意吗？", None),
    ],
)  # fmt: skip
def test_what_people_type_maps_to_five_levels(text: str, level: int | None) -> None:
    assert rating_of(text) == level


@pytest.mark.parametrize(
    ("text", "solved"),
    [
        ("解决了", True), ("来电了", True), ("弄好了", True), ("没解决", False), ("还是缺人", False),
        ("速度很快，就是还是有味道", False), ("好了吗", None), ("什么时候能解决", None),
    ],
)  # fmt: skip
def test_unsolved_wins_over_any_praise(text: str, solved: bool | None) -> None:
    assert verdict_of(text) is solved


def test_a_firm_is_found_by_alias_and_ambiguity_is_kept() -> None:
    assert FIRMS.match("东和") == ("E002",)
    assert FIRMS.match("泓曜精密机械") == ("E003",)
    assert FIRMS.match("王子") == ("E001", "E090")
    assert FIRMS.match("毫不相干") == ()
    assert FIRMS.find("帮东和反映一下") == ("E002",)


@pytest.mark.parametrize(
    "text",
    [
        "领导您好，我们车间缺操作工20人",
        "[图片] 门口路灯坏了",
        "a" * 50,
        "各位早上好，麻烦问一下，蒸汽压力低",
    ],
)
def test_a_title_is_short_and_no_greeting(text: str) -> None:
    title = title_of(text)
    assert 0 < len(title) <= 20
    assert not title.startswith(("领导", "各位", "您好", "[图片]"))


@pytest.mark.parametrize(
    "text", ["@小港 车间缺操作工20人", "老厂房改造有没有补贴？", "收到", "[图片]", ""]
)
@pytest.mark.parametrize("role", ["manager", "office"])
def test_what_a_text_is_about_is_told_without_reading_all_of_it(text: str, role: str) -> None:
    whole = read(text, role, addressed=True).probabilities
    alone = shares(text, role)
    assert (whole is None) == (alone is None)
    if whole is not None and alone is not None:
        assert alone.category == whole.category


def test_a_text_read_twice_is_read_by_the_words_of_each_time() -> None:
    text = "宿舍楼下的红码又响了"
    own = shipped().with_changes([("红码", "SAF", 5.0)])
    first = read(text, "manager", addressed=True)
    assert read(text, "manager", addressed=True, lexicon=own).topic is Category.SAF
    assert read(text, "manager", addressed=True) == first
