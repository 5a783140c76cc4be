"""The rules of visits and checklists for any input: counts, milestones, windows, notes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.campaign import (
    Campaign,
    Mark,
    Target,
    WrongCount,
    counts,
    fresh_marks,
    groups,
    milestones,
    reopened,
    ticked,
)
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.policy import DEFAULT
from handlers.domain.visit import busiest, due, unvisited
from handlers.understanding.ticks import ticks_of, words_of
from handlers.understanding.visit_notes import inspects, is_visit, without_numbers_of_people

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
BY = PersonId("P055")
LIST = Campaign(1, "空间再造", ("未签", "已签"), NOW, rounds=2)


def _targets(sizes: list[int]) -> list[Target]:
    marks = fresh_marks(LIST)
    return [
        Target(n, 1, str(n), f"户{n}", marks, f"{n % 3}号楼", size=size)
        for n, size in enumerate(sizes)
    ]


_acts = st.lists(
    st.tuples(st.integers(0, 11), st.integers(1, 2), st.booleans(), st.integers(0, 30)), max_size=40
)


@given(sizes=st.lists(st.integers(1, 20), min_size=12, max_size=12), acts=_acts)
def test_parts_sum_to_the_whole_and_never_exceed_it(
    sizes: list[int], acts: list[tuple[int, int, bool, int]]
) -> None:
    targets = _targets(sizes)
    for index, number, back, more in acts:
        before = list(targets)
        try:
            targets[index] = (
                reopened(targets[index], LIST, number, NOW, BY)
                if back
                else ticked(targets[index], LIST, number, NOW, BY, more=more)
            )
        except WrongCount:
            assert targets == before
        for r in (1, 2):
            whole = counts(targets, r)
            parts = [counts(targets, r, g) for g in groups(targets)]
            assert sum(p.done for p in parts) == whole.done <= whole.total == sum(sizes)
            done = all(t.marks[r - 1].state == LIST.done_state for t in targets)
            assert done == whole.is_whole
            keys = {m.key for m in milestones(LIST, targets)}
            assert (f"{r}:100" in keys) == whole.is_whole
            assert (f"{r}:50" in keys) == (2 * whole.done >= whole.total)


@given(st.lists(st.integers(-20, 20), max_size=8), st.integers(1, 10))
def test_the_busiest_window_is_what_counting_every_window_gives(days: list[int], span: int) -> None:
    dates = [NOW + timedelta(days=d) for d in days]
    length = timedelta(days=span)
    starts = [*dates, NOW]
    slow = max(1 + sum(s <= d < s + length for d in dates) for s in starts if s <= NOW < s + length)
    assert busiest(dates, NOW, length) == slow


def test_nobody_is_unvisited_before_the_book_is_that_old() -> None:
    firm, since = EnterpriseId("E003"), NOW - timedelta(days=400)
    span = timedelta(days=60)
    young, old = NOW - timedelta(days=59), NOW - timedelta(days=61)
    assert unvisited([(firm, since)], {}, None, NOW, span) == ()
    assert unvisited([(firm, since)], {}, young, NOW, span) == ()
    assert unvisited([(firm, since)], {}, old, NOW, span) == (firm,)
    assert unvisited([(firm, since)], {firm: young}, old, NOW, span) == ()


def test_who_was_never_visited_is_due_first() -> None:
    one, other, fresh = (EnterpriseId(f"E00{n}") for n in (1, 2, 3))
    last = {one: NOW - timedelta(weeks=9), fresh: NOW - timedelta(weeks=7)}
    rows = due([one, other, fresh], last, NOW, DEFAULT)
    assert [firm for firm, _ in rows] == [other, one]


@pytest.mark.parametrize(
    "text",
    ["走访垚麟仓储,检查了罐区喷淋", "上门走访,开展联合执法", "走访泓曜,安全检查,见了厂长"],
)
def test_an_inspection_is_known(text: str) -> None:
    assert inspects(text)


@pytest.mark.parametrize(
    "text",
    [
        "走访茂屿,看了检查登记本,扫码的占一半",
        "走访泓曜,企业反映一周来了四拨检查",
        "去卓砀,老赵讲一个月来两回环境执法的,问能不能放在同一天",
        "走访泓曜,见了厂长,满产",
    ],
)
def test_word_about_inspections_is_none(text: str) -> None:
    assert not inspects(text)


@given(st.text(alphabet="走访泓曜见了厂长,。 0123456789Xx-", max_size=60))
def test_no_identity_number_outlives_the_cleaning(text: str) -> None:
    clean, found = without_numbers_of_people(f"{text} 320601199001011234 {text}")
    assert found
    assert "320601199001011234" not in clean


@pytest.mark.parametrize(
    "text",
    [
        "明天打算走访泓曜精密",
        "本周走访情况：洪港9家、长洪11家",
        "走访计划 泓曜精密 下周三",
        "下周提醒我约走访",
    ],
)
def test_plans_and_summaries_are_no_visits(text: str) -> None:
    assert not is_visit(text)


def test_a_tick_is_taken_apart() -> None:
    signed = words_of("已签")
    (last,) = ticks_of("5号楼最后一户签约", signed)
    assert (last.part and last.part.name, last.last) == ("5号楼", 1)
    (rooms,) = ticks_of("五幢203、204签约", signed)
    assert (rooms.part and rooms.part.name, rooms.places) == ("5号楼", ("203", "204"))
    (checked,) = ticks_of("诺沛第二轮已查，无异味", words_of("已查"))
    assert (checked.name, checked.round, checked.result) == ("诺沛", 2, "无异味")
    three, four = ticks_of("3网格敲门120户，4网格80户", words_of("已敲", ("敲门",)))
    assert (three.count, four.count) == (120, 80)
    assert ticks_of("5号楼203还没签", signed) == ()
    assert Mark("未签").done == 0
