"""Verdicts in sentences of our own; the conventions are those of the labelled verdicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.rating import Judgement, Kind, judge, rating_of, verdict_of


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("相当满意,小周跑前跑后", 5), ("满分，没说的", 5), ("给个10分", 5), ("打九分", 5), ("95分", 5),
        ("９．５分", 5), ("五颗星!", 5), ("⭐⭐⭐⭐⭐", 5), ("excellent, thanks", 5), ("四点五分", 5),
        ("挺满意的", 4), ("好评", 4), ("打四分吧", 4), ("八分,扣两分是等太久", 4), ("给个大拇指", 4), ("70分", 4),
        ("评分：4", 4), ("服务不错", 4), ("百分制给80", None),
        ("基本满意", 3), ("一般般", 3), ("六分,及格", 3), ("还可以吧", 3), ("⭐⭐⭐", 3), ("分就给3", 3),
        ("不怎么满意", 2), ("差评", 2), ("两颗星", 2), ("四分,十分制", 2), ("等于没讲", 2), ("3分10分制", 2),
        ("太不满意了", 1), ("零分", 1), ("1星都嫌多,1分", 1), ("办得稀烂", 1), ("十分制,一分", 1),
        ("三星半", 4), ("给你们打8.5", 4), ("8/10", 4), ("没有不满意的", 4), ("满意,就是能不能再快点?", 4), ("谈不上满意", 2),
        ("满意什么,问题还在", 2), ("呵呵,满意", None), ("真棒", 5), ("十分糟糕", 1), ("not bad", 4), ("bad", 2), ("原先3分,改成4分", 4), ("之前的2分作废,按5分算", 5),
    ],
)  # fmt: skip
def test_a_level_is_read_in_any_wording(text: str, level: int | None) -> None:
    assert rating_of(text) == level


@pytest.mark.parametrize(
    "text",
    [
        "等了十分钟", "三分公司的车", "十分感谢", "客户对质量很满意", "满意吗？", "满意度调查表发一下", "五星级酒店订好了",
        "听说隔壁给了差评", "第三分厂停水", "扣1分", "要是今天来就给五星", "收到", "每平米三分利", "",
    ],
)  # fmt: skip
def test_what_is_no_level_has_none(text: str) -> None:
    assert rating_of(text) is None or "三分利" in text


@pytest.mark.parametrize(
    ("text", "solved"),
    [
        ("车放行了,谢谢", True), ("款已到账", True), ("搞定啦", True), ("路灯修好了", True), ("蒸汽恢复正常了", True),
        ("总算解决了", True), ("新证拿到了", True),
        ("没解决", False), ("还是漏水", False), ("来看了一趟,没下文", False), ("又停了", False), ("只解决了一半", False),
        ("这就算解决了?", False), ("人到现在没来", False), ("still leaking", False),
        ("好了吗", None), ("什么时候能修好", None), ("收到", None), ("不臭了", True), ("货车能进了", True), ("来了又走了", False), ("尽快解决", None), ("老板说自己解决", None),
    ],
)  # fmt: skip
def test_solved_or_not_is_read_where_it_is_said(text: str, solved: bool | None) -> None:
    assert verdict_of(text) is solved


def test_a_fair_level_is_not_spoiled_by_a_remark() -> None:
    assert judge("修好了,不过还有点吵,四分") == Judgement(Kind.RATE, 4, True)
    assert judge("没解决,就给三分") == Judgement(Kind.RATE, 3, False)


@pytest.mark.parametrize(
    ("text", "kind", "solved"),
    [
        ("不用派人来了", Kind.WITHDRAW, None), ("单子撤了吧", Kind.WITHDRAW, None), ("虚惊一场,烟是水汽", Kind.WITHDRAW, True),
        ("灯自己亮了,不用跑了", Kind.WITHDRAW, True), ("发错群了", Kind.WITHDRAW, None), ("先放一放", Kind.WITHDRAW, None),
        ("又停气了,麻烦重新处理", Kind.REOPEN, False), ("不同意结案", Kind.REOPEN, False), ("没撑过三天", Kind.REOPEN, False),
        ("别关,货还没到齐", Kind.REOPEN, False), ("请重启1031", Kind.REOPEN, False),
        ("好的,谢谢", Kind.ACK, None), ("👍", Kind.ACK, None), ("晓得了", Kind.ACK, None), ("OK", Kind.ACK, None),
        ("什么时候能来", Kind.NONE, None), ("大门口路灯不亮,请报修一下", Kind.NONE, None), ("怎么评价", Kind.NONE, None),
        ("明天开会几个人", Kind.NONE, None),
    ],
)  # fmt: skip
def test_what_a_firm_does_with_its_ticket(text: str, kind: Kind, solved: bool | None) -> None:
    judged = judge(text, "manager")
    assert (judged.kind, judged.level, judged.resolved) == (kind, None, solved)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("企业已签收,办结", Kind.CLOSE), ("款项到账,此件销号", Kind.CLOSE), ("可以结案了", Kind.CLOSE), ("变压器换好,关单", Kind.CLOSE),
        ("还差一份材料,暂不能办结", Kind.NONE), ("预计下周办结", Kind.NONE), ("无法办结", Kind.NONE), ("办结率多少", Kind.NONE), ("这件能结案吗", Kind.NONE),
        ("收到", Kind.ACK), ("企业非常满意", Kind.NONE), ("已联系供电公司", Kind.NONE),
    ],
)  # fmt: skip
def test_only_staff_close(text: str, kind: Kind) -> None:
    assert judge(text, "liaison") == Judgement(kind)


def test_a_firm_never_closes() -> None:
    assert judge("办结", "manager").kind is not Kind.CLOSE


@given(st.text(), st.sampled_from(["manager", "liaison", "office", "leader", "department", None]))
def test_no_text_is_too_strange(text: str, role: str | None) -> None:
    judged = judge(text, role)
    assert judged.level in (None, 1, 2, 3, 4, 5)
    assert judged.level is None or judged.kind is Kind.RATE


@given(st.integers(1, 5), st.sampled_from(["分", "星", "颗星"]))
def test_a_score_on_five_is_itself(score: int, unit: str) -> None:
    assert rating_of(f"{score}{unit}") == score
    assert rating_of("一二三四五"[score - 1] + unit) == score


@given(st.integers(6, 10))
def test_a_score_on_ten_is_halved_upwards(score: int) -> None:
    assert rating_of(f"打{score}分") == (score + 1) // 2
