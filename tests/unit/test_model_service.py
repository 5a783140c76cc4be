"""The parts of the outside model's service alone: its form, its breaker, a draft, its budget."""

import json

import pytest

from bot.model_service.breaker import Breaker
from bot.model_service.service import _orders
from handlers.domain.category import LABELS, Category
from handlers.understanding.proposals import Proposal, proposal_of

SENT = "企业A缺操作工20人，人员A说18号前要"


def said(**more: object) -> str:
    answer = {"title": "企业A缺操作工20人", "category": "LAB", "problems": ["缺操作工20人"]}
    return json.dumps({**answer, **more}, ensure_ascii=False)


def test_an_answer_of_the_form_is_a_proposal() -> None:
    found = proposal_of(said(), SENT)
    assert found == Proposal("企业A缺操作工20人", Category.LAB, ("缺操作工20人",))


@pytest.mark.parametrize(
    "more",
    [
        {"title": "缺操作工21人"},
        {"title": "企业B缺操作工"},
        {"title": "人员B的事情"},
        {"title": "电话A打不通"},
        {"title": "缺"},
        {"title": "缺" * 21},
        {"title": "缺工\u202e人"},
        {"title": "缺工\n人"},
        {"title": 20},
        {"title": None},
        {"title": True},
        {"category": "XXX"},
        {"category": None},
        {"category": 3},
        {"problems": "缺操作工"},
        {"problems": []},
        {"problems": ["缺操作工"] * 2},
        {"problems": ["甲乙", "丙丁", "戊己", "庚辛", "壬癸"]},
        {"problems": [{"title": "缺操作工"}]},
        {"draft": "可以补贴"},
        {"close": [1001]},
    ],
)
def test_anything_else_is_none(more: dict[str, object]) -> None:
    assert proposal_of(said(**more), SENT) is None


@pytest.mark.parametrize("text", ["", "null", "[]", "1", "NaN", "{", "{}", '"x"', "[" * 100_000])
def test_what_is_no_object_is_none(text: str) -> None:
    assert proposal_of(text, SENT) is None


def test_a_draft_is_needed_where_it_was_asked_for_and_invents_no_figure() -> None:
    assert proposal_of(said(), SENT, draft=True) is None
    found = proposal_of(said(draft="按每人20元补贴"), SENT, draft=True)
    assert found is not None and found.draft == "按每人20元补贴"
    assert proposal_of(said(draft="按每人30元补贴"), SENT, draft=True) is None
    assert proposal_of(said(draft="见 a.example.com"), SENT, draft=True) is None


def test_the_breaker_rests_longer_each_time_and_forgets_with_a_success() -> None:
    now = [0.0]
    breaker = Breaker(3, 10.0, 25.0, lambda: now[0])
    assert [breaker.failed() for _ in range(3)] == [False, False, True]
    assert not breaker.allows()
    now[0] = 10.0
    assert breaker.allows()
    assert breaker.failed()
    now[0] = 29.0
    assert not breaker.allows()
    now[0] = 30.0
    assert breaker.allows() and breaker.failed()
    now[0] = 54.0
    assert not breaker.allows()
    now[0] = 55.0
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows() and not breaker.failed()


def test_the_order_names_every_category_and_asks_for_a_draft_only_where_it_may() -> None:
    order, with_draft = _orders()
    assert all(f"{c.value}={label}" in order for c, label in LABELS.items())
    assert '"draft"' not in order and '"draft"' in with_draft
    assert "{" + "draft}" not in order and "{" + "categories}" not in with_draft
