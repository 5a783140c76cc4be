"""When an entry holds, who may take it into use, and whom it may be for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Enterprise
from handlers.domain.policy_library import (
    CHECKED_FOR,
    Fit,
    Rule,
    Standing,
    State,
    Whom,
    approve,
    changed,
    checked,
    matches,
    same_document,
    standing,
)
from tests.kit.builders import CHIEF, LEADER, LIAISON, MANAGER, NOW, OFFICE
from tests.kit.policies import a_policy

TODAY = date(2026, 11, 24)
DAYS = st.dates(date(2024, 1, 1), date(2029, 12, 31))
FIRM = Enterprise(
    EnterpriseId("E003"), "泓曜精密", "南通泓曜精密机械有限公司", industry="精密机械",
    area="洪港管理区", employees=120, scale="规上",
)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Standing.HOLDS),
        ({"state": State.DRAFT}, Standing.UNAPPROVED),
        ({"state": State.WITHDRAWN}, Standing.UNAPPROVED),
        ({"expires_on": date(2026, 11, 23)}, Standing.ENDED),
        ({"expires_on": TODAY}, Standing.HOLDS),
        ({"valid_from": date(2026, 11, 25)}, Standing.NOT_YET),
        ({"valid_from": TODAY}, Standing.HOLDS),
        ({"checked_on": None}, Standing.UNCHECKED),
        ({"checked_on": TODAY - CHECKED_FOR}, Standing.HOLDS),
        ({"checked_on": TODAY - CHECKED_FOR - timedelta(days=1)}, Standing.UNCHECKED),
        ({"expires_on": date(2025, 1, 1), "checked_on": None}, Standing.ENDED),
    ],
)
def test_an_entry_holds_only_approved_checked_and_in_its_days(
    more: dict[str, object], expected: Standing
) -> None:
    assert standing(a_policy(**{"valid_from": date(2024, 1, 1), **more}), TODAY) is expected


def test_an_entry_ends_on_the_day_its_successor_begins() -> None:
    old = a_policy(superseded_by=2)
    new = a_policy(valid_from=date(2026, 12, 1))
    assert standing(old, TODAY, new) is Standing.HOLDS
    assert standing(old, date(2026, 12, 1), new) is Standing.ENDED
    assert standing(old, TODAY, None) is Standing.ENDED


@given(st.dates(date(2024, 1, 1), date(2029, 12, 31)), DAYS, DAYS, DAYS)
def test_what_has_ended_never_holds_again(
    today: date, since: date, until: date, seen: date
) -> None:
    entry = a_policy(valid_from=min(since, until), expires_on=max(since, until), checked_on=seen)
    if standing(entry, today) is Standing.ENDED:
        assert standing(entry, today + timedelta(days=1)) is Standing.ENDED
    if standing(entry, today) is Standing.HOLDS:
        assert min(since, until) <= today <= max(since, until)
        assert today - seen <= CHECKED_FOR


@pytest.mark.parametrize("by", [LIAISON, MANAGER, replace(OFFICE, active=False)])
def test_only_the_office_and_leaders_approve(by: object) -> None:
    with pytest.raises(BadInput, match="bad_input") as error:
        approve(a_policy(state=State.DRAFT, author="P001"), by, NOW, TODAY)  # type: ignore[arg-type]
    assert error.value.reason == "policy_role"


def test_nobody_approves_what_they_wrote_and_approval_counts_as_a_check() -> None:
    draft = a_policy(state=State.DRAFT, author=OFFICE.id, checked_on=None)
    with pytest.raises(BadInput) as error:
        approve(draft, OFFICE, NOW, TODAY)
    assert error.value.reason == "policy_author"
    done = approve(draft, LEADER, NOW, TODAY)
    assert (done.state, done.approved_by, done.checked_on) == (State.APPROVED, LEADER.id, TODAY)
    assert done.version == draft.version + 1
    for again in (done, replace(draft, state=State.WITHDRAWN)):
        with pytest.raises(BadInput):
            approve(again, CHIEF, NOW, TODAY)


def test_another_wording_is_a_draft_of_its_writer_and_a_check_is_not() -> None:
    entry = a_policy()
    assert changed(entry, LEADER.id, {"title": entry.title}) is entry
    new = changed(entry, LEADER.id, {"benefit": "每人100元"})
    assert (new.state, new.author, new.approved_by) == (State.DRAFT, LEADER.id, "")
    assert changed(entry, LEADER.id, {"checked_on": TODAY}).state is State.APPROVED
    # Sooner is only less; later is a promise and needs a second person.
    assert changed(entry, LEADER.id, {"expires_on": TODAY}).state is State.APPROVED
    assert changed(entry, LEADER.id, {"expires_on": date(2030, 1, 1)}).state is State.DRAFT
    assert changed(entry, LEADER.id, {"expires_on": None}).state is State.DRAFT


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"title": " "}, "policy_title"),
        ({"summary": "", "text": " "}, "policy_text"),
        ({"valid_from": date(2027, 1, 1), "expires_on": date(2026, 1, 1)}, "policy_dates"),
        ({"id": 3, "superseded_by": 3}, "policy_successor"),
    ],
)
def test_what_cannot_be_kept_is_refused(more: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput) as error:
        checked(replace(a_policy(), **more))  # type: ignore[arg-type]
    assert error.value.reason == reason


def test_a_document_is_known_by_its_number_however_its_brackets_are_written() -> None:
    one = a_policy(number="通开人社〔2026〕41号")
    assert same_document(one, a_policy("别的标题", number="通开人社[2026] 41 号"))
    assert not same_document(one, a_policy(number="通开人社〔2026〕42号"))
    assert same_document(a_policy(number=""), a_policy(number="", issuer=""))


@pytest.mark.parametrize(
    ("whom", "fit", "rule"),
    [
        (Whom(), Fit.MAY, Rule.ALL),
        (Whom(scales=("规上",)), Fit.MAY, Rule.SCALE),
        (Whom(scales=("规下",)), Fit.NOT, Rule.SCALE),
        (Whom(areas=("洪港",)), Fit.MAY, Rule.AREA),
        (Whom(areas=("东港", "长洪")), Fit.NOT, Rule.AREA),
        (Whom(industries=("制造业",)), Fit.MAY, Rule.INDUSTRY),
        (Whom(industries=("装备制造",)), Fit.MAY, Rule.INDUSTRY),
        (Whom(industries=("化工",)), Fit.NOT, Rule.INDUSTRY),
        (Whom(industries=("低空经济",)), Fit.CHECK, Rule.INDUSTRY),
        (Whom(tags=("危化",)), Fit.NOT, Rule.TAG),
        (Whom(tags=("外贸",)), Fit.CHECK, Rule.TAG),
        (Whom(tags=("重点企业",)), Fit.MAY, Rule.TAG),
        (Whom(staff_most=100), Fit.NOT, Rule.STAFF),
        (Whom(staff_least=100), Fit.MAY, Rule.ALL),
        (Whom(output_least=2000), Fit.CHECK, Rule.OUTPUT),
        # A no outweighs a doubt.
        (Whom(tags=("外贸",), scales=("规下",)), Fit.NOT, Rule.SCALE),
    ],
)
def test_the_rule_that_decided_is_named(whom: Whom, fit: Fit, rule: Rule) -> None:
    found = matches(whom, FIRM)
    assert (found.fit, found.rule) == (fit, rule)


def test_what_the_registry_does_not_know_is_a_matter_for_a_person() -> None:
    bare = Enterprise(EnterpriseId("E9"), "某厂", "某厂", is_key=False)
    for whom in (Whom(scales=("规上",)), Whom(areas=("洪港",)), Whom(industries=("制造业",)),
                 Whom(staff_least=1), Whom(tags=("小微",))):  # fmt: skip
        assert matches(whom, bare).fit is Fit.CHECK


@given(
    st.builds(
        Whom,
        industries=st.lists(st.sampled_from(("制造业", "化工", "仓储", "新兴")), max_size=2).map(
            tuple
        ),
        scales=st.lists(st.sampled_from(("规上", "规下")), max_size=2).map(tuple),
        areas=st.lists(st.sampled_from(("洪港", "东港", "长洪")), max_size=2).map(tuple),
        tags=st.lists(st.sampled_from(("危化", "小微", "外贸")), max_size=2).map(tuple),
        staff_least=st.none() | st.integers(0, 500),
    )
)
def test_another_condition_never_makes_a_firm_fit_better(whom: Whom) -> None:
    order = [Fit.NOT, Fit.CHECK, Fit.MAY]
    more = replace(whom, tags=(*whom.tags, "外资"))
    assert order.index(matches(more, FIRM).fit) <= order.index(matches(whom, FIRM).fit)
