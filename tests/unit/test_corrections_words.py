"""What people type for categories and urgencies."""

import pytest

from handlers.domain.category import LABELS, Category, Urgency
from handlers.texts.corrections import (
    CATEGORY_NAMES,
    HINT_NAMES,
    category_named,
    code_name,
    mix_up,
    urgency_named,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("物流", Category.LOG),
        ("LOG", Category.LOG),
        ("应该是环保的事", Category.ENV),
        ("基础设施配套", Category.INF),
        ("用工就业", Category.LAB),
        ("子女入学", Category.TAL),
        ("涉企检查", Category.INS),
        ("科技与知识产权", Category.TEC),
        ("不是用工，是物流", Category.LOG),
        ("不是环保是安全", Category.SAF),
        ("不属于政策，属于税费", Category.TAX),
        ("物流 环保", None),
        ("不是用工", None),
        ("是8个不是18个", None),
        ("", None),
    ],
)
def test_a_category_is_named_or_it_is_not(text: str, meant: Category | None) -> None:
    assert category_named(text) is meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("u1", Urgency.U1),
        ("特急", Urgency.U1),
        ("改成紧急", Urgency.U2),
        ("不是特急，是普通", Urgency.U3),
        ("疑难", Urgency.U4),
        ("U1 U2", None),
        ("物流", None),
    ],
)
def test_an_urgency_is_named_or_it_is_not(text: str, meant: Urgency | None) -> None:
    assert urgency_named(text) is meant


def test_every_category_has_its_label_and_its_code() -> None:
    for category, label in LABELS.items():
        assert category_named(label) is category
        assert category_named(category.value) is category
    assert set(CATEGORY_NAMES.values()) == set(Category)


def test_every_code_has_a_name() -> None:
    assert code_name("U2") == "紧急"
    assert code_name("LAB") == LABELS[Category.LAB]
    assert {code_name(code) for code in HINT_NAMES.values()} == {"特急", "紧急", "疑难"}
    assert mix_up("none", "LAB") == "把「不是问题」改为「用工」"
    assert mix_up("U3", "U1") == "把「普通」改为「特急」"
