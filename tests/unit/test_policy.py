"""The office's numbers: what may be changed, what a change does to running clocks (25, 27)."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.category import Urgency
from handlers.domain.durations import duration, iso
from handlers.domain.policy import DEFAULT, Policy, Target, Unit
from handlers.domain.policy_table import CLOCKS, LIMITS, BadPolicy, changed, differing, plain
from handlers.domain.ticket import Args, Move, Ticket, entry_of, move, overdue, rebuilt
from handlers.domain.ticket import retargeted_ticket as retargeted
from handlers.texts import office_policy as say
from tests.kit.builders import CALENDAR, LEADER, LIAISON, MANAGER, NOW, POLICY, STANDING, a_ticket


def moved(ticket: Ticket, what: Move, actor: Any, hours: float, **args: Any) -> Ticket:
    at = NOW + timedelta(hours=hours)
    return move(ticket, what, actor, Args(**args), at, STANDING, CALENDAR, POLICY).ticket


def with_target(clock: str, target: Target, urgency: Urgency = Urgency.U3) -> Policy:
    targets = dict(DEFAULT.targets)
    targets[urgency] = replace(targets[urgency], **{clock: target})
    return replace(DEFAULT, targets=targets, version=1)


def faults(wanted: dict[str, Any]) -> str:
    with pytest.raises(BadPolicy) as caught:
        changed(DEFAULT, wanted, CALENDAR, NOW)
    return say.faults(caught.value.faults)


def test_every_number_can_be_changed_but_the_working_day_that_the_calendar_gives() -> None:
    assert {f.name for f in fields(Policy)} - set(LIMITS) == {"version", "targets", "working_day"}


def test_the_shipped_numbers_are_within_their_own_limits_and_come_back_equal() -> None:
    written = plain(DEFAULT)
    assert changed(DEFAULT, written, CALENDAR, NOW) == replace(DEFAULT, version=1)
    assert differing(DEFAULT, changed(DEFAULT, written, CALENDAR, NOW)) == {}
    assert written["targets"]["U1"]["claim"] == {"unit": "natural", "amount": "PT10M"}
    assert written["targets"]["U3"]["resolution"] == {"unit": "days", "amount": 7}
    assert written["notices_until"] == "21:00"


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400)))
def test_a_duration_comes_back_as_it_was_written(span: timedelta) -> None:
    span = timedelta(seconds=int(span.total_seconds()))
    assert duration(iso(span)) == span


@pytest.mark.parametrize("text", ["", "P", "PT", "4h", "PT4", "-PT4H", "P1W", "PT9999999H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^" + text.replace("-", r"\-") + "$"):
        duration(text)


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ({"colour": "red"}, "没有 colour 这一项"),
        ({"verdict_days": "5"}, "verdict_days 看不懂，请照这样写：5"),
        ({"verdict_days": True}, "看不懂"),
        ({"verdict_days": 2.5}, "看不懂"),
        ({"verdict_days": 0}, "verdict_days 要在 1 到 30 之间"),
        ({"verdict_days": float("nan")}, "看不懂"),
        ({"notices_until": "23:00"}, "notices_until 要在 17:00 到 21:00 之间"),
        ({"notices_from": "06:00"}, "notices_from 要在 07:30 到 12:00 之间"),
        ({"notices_from": "7点半"}, "请照这样写：07:30"),
        ({"notices_most": 9}, "notices_most 要在 1 到 4 之间"),
        ({"notice_span": "PT1M"}, "notice_span 要在 PT15M 到 PT24H 之间"),
        ({"notice_span": 900}, "请照这样写：PT15M"),
        ({"notices_most": 2}, "notices_single 不能大于 notices_most"),
        ({"orange_days": 3}, "orange_days 要小于 red_days"),
        ({"verdict_days": 2}, "verdict_remind_days 要小于 verdict_days"),
        ({"warn_share": 1.5}, "warn_share 要在 0.1 到 0.95 之间"),
        ({"targets": []}, "targets 要按紧急程度写"),
        ({"targets": {"U5": {}}}, "targets.U5 不对"),
        ({"targets": {"U3": {"reply": {}}}}, "targets.U3.reply 不对"),
        ({"targets": {"U3": {"claim": {"unit": "weeks", "amount": 1}}}}, "unit 写 natural"),
        ({"targets": {"U3": {"claim": {"unit": "days", "amount": "1"}}}}, "amount 写"),
        ({"targets": {"U3": {"claim": {"unit": "working", "amount": "PT0S"}}}}, "要大于0"),
        ({"targets": {"U4": {"resolution": {"unit": "days", "amount": 900}}}}, "超过800天"),
        ({"targets": {"U3": {"claim": {"unit": "days", "amount": 9}}}}, "不能比办结时限"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_what_to_write(
    wanted: dict[str, Any], word: str
) -> None:
    assert word in faults(wanted)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = faults({"colour": 1, "verdict_days": 0, "targets": {"U9": {}}})
    assert told.count("。") == 3


def test_a_new_target_moves_the_clock_that_runs() -> None:
    ticket = a_ticket()
    after = retargeted(
        ticket, DEFAULT, with_target("resolution", Target(Unit.DAYS, 10)), CALENDAR, NOW
    )
    assert after.due_resolution == CALENDAR.close_of(NOW, 10)
    assert after == replace(ticket, due_resolution=after.due_resolution)


def test_a_new_target_keeps_what_a_pause_gave() -> None:
    ticket = moved(a_ticket(), Move.CLAIM, LIAISON, 1)
    ticket = moved(ticket, Move.ASK, LIAISON, 2, text="请说明需要哪些工种")
    ticket = moved(ticket, Move.REPLY, MANAGER, 26, text="焊工十人，普工十人")
    spent = CALENDAR.elapsed(NOW + timedelta(hours=2), NOW + timedelta(hours=26))
    longer = with_target("resolution", Target(Unit.DAYS, 10))
    after = retargeted(ticket, DEFAULT, longer, CALENDAR, NOW + timedelta(hours=30))
    assert after.due_resolution == CALENDAR.add(CALENDAR.close_of(NOW, 10), spent)


def test_nobody_is_late_by_a_target_that_came_after() -> None:
    ticket = moved(a_ticket(), Move.CLAIM, LIAISON, 1)
    shorter = with_target("resolution", Target(Unit.WORKING, 2))
    after = retargeted(ticket, DEFAULT, shorter, CALENDAR, NOW + timedelta(days=2))
    assert after is ticket


def test_a_day_that_was_agreed_on_stays_that_day() -> None:
    ticket = replace(a_ticket(), extensions=1)
    longer = with_target("resolution", Target(Unit.DAYS, 10))
    assert retargeted(ticket, DEFAULT, longer, CALENDAR, NOW) is ticket


def test_a_supervised_ticket_still_reports_each_working_day() -> None:
    ticket = moved(a_ticket(), Move.CLAIM, LIAISON, 0)
    ticket = moved(ticket, Move.SUPERVISE, LEADER, 0, supervision_code="DB-2026-001")
    longer = with_target("progress", Target(Unit.DAYS, 5))
    assert retargeted(ticket, DEFAULT, longer, CALENDAR, NOW) is ticket


@given(
    st.sampled_from(list(Urgency)),
    st.sampled_from(CLOCKS),
    st.one_of(
        st.builds(Target, st.just(Unit.DAYS), st.integers(1, 20)),
        st.builds(Target, st.sampled_from([Unit.NATURAL, Unit.WORKING]), st.integers(1, 100)),
    ),
    st.integers(0, 24 * 20),
    st.sampled_from(["open", "claimed", "waiting", "resolved"]),
)
def test_25_a_new_target_touches_running_clocks_only(
    urgency: Urgency, clock: str, target: Target, hours: int, stage: str
) -> None:
    ticket = a_ticket(urgency=urgency)
    if stage != "open":
        ticket = moved(ticket, Move.CLAIM, LIAISON, 0.1)
    if stage == "waiting":
        ticket = moved(ticket, Move.ASK, LIAISON, 0.2, text="请说明需要哪些工种")
    if stage == "resolved":
        ticket = moved(ticket, Move.RESOLVE, LIAISON, 0.2, text="专场招聘到岗十二人")
    now = NOW + timedelta(hours=hours)
    new = with_target(clock, target, urgency)
    late = overdue(ticket, now)
    after = retargeted(ticket, DEFAULT, new, CALENDAR, now)
    if stage == "resolved":
        assert after is ticket
    # Nobody gets late by it, and nobody's lateness is forgiven (27).
    assert overdue(after, now) == late
    for name in CLOCKS:
        if name != clock or name in late:
            assert getattr(after, f"due_{name}") == getattr(ticket, f"due_{name}")
    # Again changes nothing, and the history tells it (5).
    assert retargeted(after, new, new, CALENDAR, now) is after
    entries = [
        entry_of(None, ticket, Move.SUBMIT, None, "x", NOW),
        entry_of(ticket, after, Move.RECOUNT, None, "", now),
    ]
    assert rebuilt(entries) == after
