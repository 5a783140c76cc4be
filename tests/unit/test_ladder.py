"""The ladder's numbers, one by one, and the moves that hold or hasten it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.category import Urgency
from handlers.domain.errors import BadInput, NotAllowed
from handlers.domain.ladder import Clock, To, first_due, rungs, stands
from handlers.domain.notices import closes_at, opens_at, room, room_at
from handlers.domain.people import Person
from handlers.domain.ticket import Args, Move, State, Ticket, move
from handlers.domain.workdays import SHANGHAI
from tests.kit.builders import (
    CALENDAR,
    CHIEF,
    LEADER,
    LIAISON,
    NOW,
    OFFICE,
    POLICY,
    STANDING,
    a_ticket,
)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def moved(ticket: Ticket, what: Move, actor: Person | None, now: datetime, **args: Any) -> Ticket:
    return move(ticket, what, actor, Args(**args), now, STANDING, CALENDAR, POLICY).ticket


def times(ticket: Ticket, clock: Clock) -> list[tuple[int, datetime]]:
    return [(r.level, r.at) for r in rungs(ticket, CALENDAR, POLICY) if r.clock is clock]


CLAIMED = moved(a_ticket(), Move.CLAIM, LIAISON, NOW)
ORANGE = moved(CLAIMED, Move.ESCALATE, None, NOW, level=4)


def test_an_ordinary_claim_is_due_after_four_hours_and_the_leader_hears_after_four_more() -> None:
    assert times(a_ticket(), Clock.CLAIM) == [(1, at(24, 14, 30)), (4, at(25, 9, 30))]


def test_an_urgent_claim_rings_every_quarter_of_an_hour_for_two_hours_and_hourly_after() -> None:
    found = times(a_ticket(urgency=Urgency.U1), Clock.CLAIM)
    assert found[:3] == [(1, at(24, 9, 10)), (5, at(24, 9, 20)), (6, at(24, 9, 35))]
    gaps = [(b[1] - a[1]) for a, b in pairwise(found[1:])]
    assert gaps[:8] == [timedelta(minutes=15)] * 8
    assert set(gaps[9:]) == {timedelta(hours=1)}
    assert found[-1][1] < at(25, 9)


def test_an_ordinary_ticket_warns_with_a_fifth_left_and_climbs_one_and_three_days_after() -> None:
    found = dict(times(CLAIMED, Clock.RESOLUTION))
    assert found[3] == at(3, 17, 30, 12)
    assert found[4] == at(4, 17, 30, 12)
    assert found[5] == at(8, 17, 30, 12)
    assert CALENDAR.elapsed(found[2], found[3]) == pytest.approx(
        CALENDAR.elapsed(NOW, found[3]) * 0.2, abs=timedelta(seconds=1)
    )


def test_a_pressing_ticket_warns_one_working_day_before() -> None:
    found = dict(times(a_ticket(urgency=Urgency.U2), Clock.RESOLUTION))
    assert CALENDAR.elapsed(found[2], found[3]) == POLICY.working_day


@pytest.mark.parametrize("urgency", list(Urgency))
@pytest.mark.parametrize("hour", [0, 9, 19, 23])
def test_the_first_rung_of_a_new_ticket_is_known_without_the_others(
    urgency: Urgency, hour: int
) -> None:
    ticket = a_ticket(urgency=urgency, created_at=at(24, hour))
    assert first_due(ticket, CALENDAR, POLICY) == rungs(ticket, CALENDAR, POLICY)[0].at
    assert first_due(CLAIMED, CALENDAR, POLICY) == rungs(CLAIMED, CALENDAR, POLICY)[0].at
    ended = moved(CLAIMED, Move.NOT_ACCEPT, OFFICE, NOW, code="outside")
    assert first_due(ended, CALENDAR, POLICY) is None


@pytest.mark.parametrize(
    ("urgency", "due"),
    [
        (Urgency.U1, at(24, 9, 30)),
        (Urgency.U2, at(24, 11)),
        (Urgency.U3, at(24, 14, 30)),
        (Urgency.U4, at(24, 14, 30)),
    ],
)
def test_the_leader_may_be_silent_for_so_long(urgency: Urgency, due: datetime) -> None:
    ticket = moved(a_ticket(urgency=urgency), Move.ESCALATE, None, NOW, level=4)
    (rung,) = [r for r in rungs(ticket, CALENDAR, POLICY) if r.clock is Clock.ACKNOWLEDGE]
    assert (rung.at, rung.level, rung.to) == (due, 5, (To.CHIEF,))


def test_any_move_of_the_leader_is_an_acknowledgement() -> None:
    after = moved(ORANGE, Move.SUPERVISE, LEADER, NOW, supervision_code="DB-2026-001")
    assert after.acknowledged_at == NOW
    assert times(after, Clock.ACKNOWLEDGE) == []


def test_an_acknowledgement_holds_what_lies_above_for_one_working_day() -> None:
    late = at(8, 15, 0, 12)
    after = moved(ORANGE, Move.ACKNOWLEDGE, LEADER, late)
    assert dict(times(after, Clock.RESOLUTION))[5] == at(9, 15, 0, 12)
    assert dict(times(after, Clock.RESOLUTION))[4] == at(4, 17, 30, 12)


def test_a_day_to_meet_lies_within_a_month_and_comes_back_when_it_is_red() -> None:
    red = moved(ORANGE, Move.ESCALATE, None, NOW, level=5)
    for far in (NOW - timedelta(hours=1), NOW + timedelta(days=31)):
        with pytest.raises(BadInput):
            moved(red, Move.ACKNOWLEDGE, CHIEF, NOW, until=far, text="会商")
    met = moved(red, Move.ACKNOWLEDGE, CHIEF, NOW, until=at(30, 9), text="会商")
    assert times(met, Clock.MEETING) == [(5, at(30, 9))]


def test_a_request_that_waits_holds_orange_for_four_working_hours_only() -> None:
    asked_at = at(2, 10, 0, 12)
    asked = moved(CLAIMED, Move.EXTEND, LIAISON, asked_at, until=at(20, 17, 0, 12), text="等设备")
    assert dict(times(asked, Clock.REQUEST)) == {3: at(2, 15, 30, 12)}
    assert dict(times(asked, Clock.RESOLUTION))[4] == at(4, 17, 30, 12)


def test_a_leader_extends_at_once_and_never_unbreaches() -> None:
    until = at(20, 17, 0, 12)
    early = moved(CLAIMED, Move.EXTEND, LEADER, NOW, until=until, text="等设备")
    assert (early.due_resolution, early.pending_until) == (until, None)
    late = at(4, 9, 0, 12)
    held = moved(CLAIMED, Move.EXTEND, LEADER, late, until=until, text="等设备")
    assert held.due_resolution == CLAIMED.due_resolution
    assert held.held_until == until
    assert dict(times(held, Clock.RESOLUTION))[5] == until
    with pytest.raises(BadInput):
        moved(CLAIMED, Move.EXTEND, LEADER, at(25, 9, 0, 12), until=until, text="等设备")


def test_who_decides_shelves_without_asking_and_the_handler_asks() -> None:
    args: dict[str, Any] = {
        "until": at(15, 9, 0, 12),
        "text": "规划未定",
        "told": "已当面说明",
    }
    assert moved(CLAIMED, Move.SHELVE, CHIEF, NOW, **args).state is State.SHELVED
    asked = moved(CLAIMED, Move.SHELVE, LIAISON, NOW, **args)
    assert (asked.state, asked.asked_at) == (State.IN_PROGRESS, NOW)
    assert dict(times(asked, Clock.REQUEST)) == {3: at(24, 14, 30)}


def test_a_supervised_ticket_reports_each_working_day() -> None:
    after = moved(CLAIMED, Move.SUPERVISE, LEADER, NOW, supervision_code="DB-2026-001")
    assert after.due_progress == at(25, 17, 30)
    again = moved(after, Move.PROGRESS, LIAISON, at(25, 10), text="已联系人社局安排")
    assert again.due_progress == at(26, 17, 30)
    unclaimed = moved(a_ticket(), Move.SUPERVISE, LEADER, NOW, supervision_code="DB-2026-002")
    assert unclaimed.due_progress is None


def test_the_firms_silence_the_departments_and_a_review_have_their_rungs() -> None:
    asked = moved(CLAIMED, Move.ASK, LIAISON, NOW, text="请说明工种")
    assert times(asked, Clock.ANSWER) == [
        (1, at(25, 17, 30)), (2, at(27, 17, 30)), (3, at(1, 17, 30, 12)),
    ]  # fmt: skip
    until = at(27, 17, 30)
    referred = moved(CLAIMED, Move.REFER, LIAISON, NOW, department="人社局", until=until)
    assert times(referred, Clock.DEPARTMENT) == [(3, until)]
    done = moved(CLAIMED, Move.RESOLVE, LIAISON, NOW, text="专场招聘到岗十二人")
    assert times(done, Clock.VERDICT) == [(1, at(26, 17, 30)), (2, at(1, 17, 30, 12))]


def test_a_rung_stands_while_its_clock_runs_and_got_no_more_time() -> None:
    (first,) = [r for r in rungs(CLAIMED, CALENDAR, POLICY) if r.clock is Clock.PROGRESS][:1]
    fact = (first.clock.value, first.level, first.since, first.at)
    assert stands(CLAIMED, fact, CALENDAR, POLICY)
    told = moved(CLAIMED, Move.PROGRESS, LIAISON, NOW + timedelta(hours=1), text="已联系人社局安排")
    assert not stands(told, fact, CALENDAR, POLICY)
    silent = ("acknowledge", 5, NOW, NOW)
    red = moved(ORANGE, Move.ESCALATE, None, NOW, level=5)
    assert stands(red, silent, CALENDAR, POLICY)
    assert not stands(moved(red, Move.ACKNOWLEDGE, CHIEF, NOW), silent, CALENDAR, POLICY)


def test_nobody_escalates_but_the_system_and_the_handler() -> None:
    with pytest.raises(NotAllowed):
        moved(CLAIMED, Move.ESCALATE, LEADER, NOW, level=4)


@pytest.mark.parametrize(
    ("when", "opening"),
    [
        (at(24, 7, 29), at(24, 7, 30)),
        (at(24, 7, 30), at(24, 7, 30)),
        (at(24, 20, 59), at(24, 20, 59)),
        (at(24, 21), at(25, 7, 30)),
        (at(28, 23), at(29, 7, 30)),
    ],
)
def test_notices_go_from_half_past_seven_to_nine_in_the_evening(
    when: datetime, opening: datetime
) -> None:
    assert opens_at(when, POLICY) == opening


@given(when=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_what_begins_in_the_sending_hours_ends_with_them(when: datetime) -> None:
    begins = opens_at(when, POLICY)
    ends = closes_at(begins, POLICY)
    assert begins < ends
    assert opens_at(ends, POLICY) > ends
    last = ends - timedelta(seconds=1)
    assert opens_at(last, POLICY) == last
    assert ends.astimezone(SHANGHAI).date() == begins.astimezone(SHANGHAI).date()


def test_there_is_room_again_once_the_oldest_notice_has_left_the_window() -> None:
    sent = [NOW, NOW + timedelta(minutes=2), NOW + timedelta(minutes=9)]
    now = NOW + timedelta(minutes=10)
    assert room(sent, 3) == 0
    assert room(sent, 4) == 1
    assert room_at(sent, 3, now, POLICY) == NOW + timedelta(minutes=15, seconds=1)
    assert room_at(sent, 4, now, POLICY) == now
