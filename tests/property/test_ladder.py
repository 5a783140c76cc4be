"""Invariants 26-34 and 50 of tickets.md: clocks, the ladder, the sweep and the notices."""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from handlers.domain.category import Urgency
from handlers.domain.errors import Refusal
from handlers.domain.ids import TicketNumber
from handlers.domain.ladder import RED, Clock, Rung, rungs
from handlers.domain.people import Person
from handlers.domain.ticket import (
    Args,
    Move,
    State,
    Ticket,
    entry_of,
    move,
    overdue,
    rebuilt,
)
from handlers.domain.workdays import SHANGHAI
from handlers.ports import Firing
from tests.kit.builders import (
    BACKUP,
    CALENDAR,
    CHIEF,
    LEADER,
    LIAISON,
    MANAGER,
    NOW,
    OFFICE,
    POLICY,
    STANDING,
    a_ticket,
)  # fmt: skip
from tests.kit.killing import campaign, faults
from tests.kit.office import Office, repeated, worst_window

URGENCIES = st.sampled_from(list(Urgency))
STARTS = st.integers(0, 60 * 24 * 60).map(lambda m: NOW + timedelta(minutes=m))
TEXTS = ("已联系人社局，周三前答复", "供电所已经到现场抢修", "专场招聘已安排在周五上午")


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    with Office(database_url) as made:
        yield made


def moved(ticket: Ticket, what: Move, actor: Person | None, now: datetime, **args: Any) -> Ticket:
    return move(ticket, what, actor, Args(**args), now, STANDING, CALENDAR, POLICY).ticket


# ---- clocks


@settings(max_examples=60, deadline=None)
@given(
    URGENCIES,
    st.lists(
        st.tuples(
            st.sampled_from([Move.CLAIM, Move.PROGRESS, Move.ASK, Move.REPLY, Move.RESOLVE,
                             Move.VERDICT_NO, Move.REASSIGN, Move.RECLASSIFY, Move.EXTEND]),
            st.sampled_from([LIAISON, MANAGER, OFFICE, LEADER]),
            st.integers(1, 80),
        ),
        max_size=14,
    ),
)  # fmt: skip
def test_26_27_28_time_consumed_never_falls_and_what_is_breached_stays_so_in_its_cycle(
    urgency: Urgency, steps: list[tuple[Move, Person, int]]
) -> None:
    ticket, now = a_ticket(urgency=urgency), NOW
    for number, (what, actor, hours) in enumerate(steps):
        now += timedelta(hours=hours)
        late = set(overdue(ticket, now)) & {"resolution"}
        args: dict[str, Any] = {"text": f"{TEXTS[number % 3]}（第{number}次）"}
        if what is Move.REASSIGN:
            args["person"] = BACKUP
        if what is Move.RECLASSIFY:
            args["urgency"] = Urgency.U4
        if what is Move.EXTEND:
            args["until"] = now + timedelta(days=20)
        try:
            after = moved(ticket, what, actor, now, **args)
        except Refusal:
            continue
        # 26. A running clock is due, a paused one has its pause, a stopped one neither.
        if after.is_live:
            paused = after.state in (State.WAITING_ENTERPRISE, State.SHELVED)
            assert (after.paused_since is not None) == paused
        assert after.paused >= ticket.paused or after.cycle > ticket.cycle
        # 27. Breached stays breached in that cycle.
        if late and after.cycle == ticket.cycle and after.is_live:
            assert set(overdue(after, now)) >= late
        # 28. A hand-over restarts the claim clock only; a reopening freezes what was before.
        if what is Move.REASSIGN:
            assert after.due_resolution == ticket.due_resolution
            assert after.due_progress == ticket.due_progress
            assert after.claim_started_at == now
        if after.cycle > ticket.cycle:
            assert after.cycle_started_at == now
        ticket = after


def test_27_stopping_twice_is_stopping_once() -> None:
    claimed = moved(a_ticket(), Move.CLAIM, LIAISON, NOW)
    done = moved(claimed, Move.RESOLVE, LIAISON, NOW, text="专场招聘到岗十二人，其余补齐")
    assert {r.clock for r in rungs(done, CALENDAR, POLICY)} == {Clock.VERDICT}
    with pytest.raises(Refusal):
        moved(done, Move.RESOLVE, LIAISON, NOW, text="专场招聘到岗十二人，其余补齐")


@pytest.mark.parametrize("reached_by", [Move.URGE, Move.VERDICT_NO, Move.DECLINE, Move.ESCALATE])
def test_5_whatever_brings_orange_brings_the_number_and_the_history_tells_it(
    reached_by: Move,
) -> None:
    ticket = a_ticket()
    entries = [entry_of(None, ticket, Move.SUBMIT, None, "x", NOW)]
    steps: dict[Move, list[tuple[Move, Person | None, dict[str, Any]]]] = {
        Move.URGE: [(Move.URGE, MANAGER, {})] * 2,
        Move.VERDICT_NO: [
            (Move.CLAIM, LIAISON, {}),
            (Move.RESOLVE, LIAISON, {"text": "专场招聘到岗十二人，其余补齐"}),
            (Move.VERDICT_NO, MANAGER, {}),
        ],
        Move.DECLINE: [
            (Move.DECLINE, LIAISON, {"text": "不属于我负责"}),
            (Move.REASSIGN, OFFICE, {"text": "仍请你办", "person": LIAISON}),
            (Move.DECLINE, LIAISON, {"text": "确实不属于我负责"}),
        ],
        Move.ESCALATE: [(Move.ESCALATE, None, {"level": 4})],
    }
    for number, (what, actor, args) in enumerate(steps[reached_by]):
        assert ticket.supervision_code == ""
        now = NOW + timedelta(days=number)
        given = Args(**args, supervision_code="DB-2026-001")
        after = move(ticket, what, actor, given, now, STANDING, CALENDAR, POLICY)
        assert after.entry is not None
        ticket = after.ticket
        entries.append(after.entry)
    assert ticket.supervision_code == "DB-2026-001"
    assert ticket.supervised == ""
    assert rebuilt(entries) == ticket


def test_28_a_merge_keeps_the_earliest_start() -> None:
    early = a_ticket(1025, created_at=NOW - timedelta(days=2))
    late = a_ticket(1026)
    after = moved(late, Move.ABSORB, OFFICE, NOW, target=early)
    assert (after.due_resolution, after.due_claim) == (early.due_resolution, early.due_claim)


# ---- the rungs themselves


@settings(max_examples=80, deadline=None)
@given(URGENCIES, STARTS, st.booleans())
def test_30_levels_of_a_clock_come_in_order(
    urgency: Urgency, start: datetime, claimed: bool
) -> None:
    ticket = a_ticket(urgency=urgency, created_at=start)
    if claimed:
        ticket = moved(ticket, Move.CLAIM, LIAISON, start + timedelta(minutes=5))
    found = rungs(ticket, CALENDAR, POLICY)
    assert list(found) == sorted(found, key=lambda r: (r.at, r.level, r.clock))
    by_clock: dict[Clock, list[Rung]] = {}
    for rung in found:
        by_clock.setdefault(rung.clock, []).append(rung)
    for of_clock in by_clock.values():
        assert [r.level for r in of_clock] == sorted(r.level for r in of_clock)
    assert len({r.key for r in found}) == len(found)


def test_30_nothing_is_due_of_a_clock_that_is_stopped_or_paused() -> None:
    claimed = moved(a_ticket(), Move.CLAIM, LIAISON, NOW)
    asked = moved(claimed, Move.ASK, LIAISON, NOW, text="请说明需要哪些工种")
    assert {r.clock for r in rungs(asked, CALENDAR, POLICY)} == {Clock.ANSWER}
    for what, actor in ((Move.WITHDRAW, MANAGER),):
        assert rungs(moved(claimed, what, actor, NOW), CALENDAR, POLICY) == ()
    assert Clock.CLAIM not in {r.clock for r in rungs(claimed, CALENDAR, POLICY)}


@settings(max_examples=80, deadline=None)
@given(
    URGENCIES,
    STARTS,
    st.booleans(),
    st.lists(st.integers(1, 60), max_size=4),
    st.sampled_from([LEADER, OFFICE]),
)
def test_32_if_nobody_acts_it_reaches_the_top_and_acknowledging_only_delays(
    urgency: Urgency, start: datetime, claimed: bool, hours: list[int], actor: Person
) -> None:
    ticket = a_ticket(urgency=urgency, created_at=start)
    if claimed:
        ticket = moved(ticket, Move.CLAIM, LIAISON, start + timedelta(minutes=5))
    fired: set[tuple[str, datetime, int]] = set()
    levels, now = [0], start
    waits = iter(hours)
    for _ in range(200):
        rung = next((r for r in rungs(ticket, CALENDAR, POLICY) if r.key not in fired), None)
        if rung is None or ticket.level == RED:
            break
        now = max(now, rung.at)
        fired.add(rung.key)
        if rung.raises > ticket.level:
            ticket = moved(ticket, Move.ESCALATE, None, now, level=rung.raises)
            levels.append(ticket.level)
            wait = next(waits, None) if ticket.level == 4 else None
            if wait is not None:
                ticket = moved(ticket, Move.ACKNOWLEDGE, actor, now + timedelta(minutes=1))
    assert ticket.level == RED
    assert levels == sorted(levels)
    bound = POLICY.working_day * (4 + len(hours) + 1)
    assert ticket.due_resolution is not None
    assert CALENDAR.elapsed(ticket.due_resolution, now) <= bound


# ---- the sweep, on both databases


def a_busy_month(office: Office, seed: int, tickets: int = 14) -> None:
    """People do what they do, the machine stops for minutes to days, its clock is set back."""
    chance = random.Random(seed)
    numbers = []
    people = [LIAISON, BACKUP, LEADER, OFFICE, CHIEF, MANAGER]
    for n in range(tickets * 6):
        if len(numbers) < tickets and n % 6 == 0:
            urgency = chance.choice(list(Urgency))
            numbers.append(int(office.submit(urgency, n, f"m{seed}-{n}").number))
        number, actor = chance.choice(numbers), chance.choice(people)
        what = chance.choice(
            [Move.CLAIM, Move.CLAIM, Move.PROGRESS, Move.ASK, Move.REPLY, Move.URGE, Move.RESOLVE,
             Move.VERDICT_NO, Move.VERDICT_YES, Move.ACKNOWLEDGE, Move.TRANSFER, Move.EXTEND,
             Move.DECLINE, Move.SUPERVISE, Move.REFER, Move.REASSIGN]
        )  # fmt: skip
        args: dict[str, Any] = {"text": f"{chance.choice(TEXTS)}（第{n}次）"}
        if what in (Move.TRANSFER, Move.REASSIGN):
            args["person"] = chance.choice([BACKUP, LIAISON])
        if what is Move.EXTEND:
            args["until"] = office.clock.now() + timedelta(days=25)
        if what is Move.REFER:
            args["department"] = "人社局"
        if what is Move.ACKNOWLEDGE:
            args = {}
        office.act(number, what, actor, **args)
        kind = chance.random()
        if kind < 0.15:
            # Down: time passes and nothing runs.
            office.clock.value += timedelta(hours=chance.choice([0.5, 5, 60]))
            office.sweep()
            office.send()
        elif kind < 0.22:
            office.clock.value -= timedelta(minutes=chance.choice([1, 50, 300]))
            office.sweep()
            office.send()
        else:
            office.advances(hours=chance.choice([0.2, 1, 3, 9]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_29_30_33_a_busy_month_keeps_every_promise(office: Office, seed: int) -> None:
    a_busy_month(office, seed)
    office.advances(days=3)
    firings = office.firings()
    assert len(firings) > 40
    # 29. At most one firing per ticket, cycle, clock (of one start) and level.
    assert repeated([f[:5] for f in firings]) == []
    # 30. In order, and only while the clock ran, as the history tells.
    for number in {f[0] for f in firings}:
        entries = office.work(lambda uow, n=number: uow.tickets.history(TicketNumber(n)))
        assert rebuilt(entries) == office.ticket(number)
    # 33. Never more than four in a quarter of an hour; what is not urgent in the hours only.
    assert worst_window(office.sent, POLICY.notice_span) <= POLICY.notices_most
    for message in office.sent:
        local = message.at.astimezone(SHANGHAI).time()
        assert message.urgent or POLICY.notices_from <= local < POLICY.notices_until, message
    # At most one reminder per ticket, person and day.
    days = Counter(
        (m.ticket, m.person, m.at.astimezone(SHANGHAI).date())
        for m in office.sent
        if m.kind == "reminder" and not m.urgent
    )
    assert [key for key, count in days.items() if count > 1] == []
    # Nothing is left behind: no rung that is due and has not fired.
    assert office.work(lambda uow: uow.tickets.due(office.clock.now(), 10)) == ()


def test_29_a_second_firing_of_the_same_rung_is_refused(office: Office) -> None:
    ticket = office.submit()
    firing = Firing(ticket.number, 1, "claim", NOW, 1, NOW, NOW)
    assert office.work(lambda uow: uow.tickets.fire(firing))
    assert not office.work(
        lambda uow: uow.tickets.fire(replace(firing, fired_at=NOW.replace(hour=9)))
    )


def test_31_after_any_downtime_each_level_fires_once_in_order_and_each_person_hears_once(
    office: Office,
) -> None:
    for n in range(3):
        office.submit(Urgency.U3, n, f"m{n}")
    office.send()
    office.sent.clear()
    office.clock.value = NOW + timedelta(days=17)
    office.sweep()
    office.send()
    assert set(Counter(m.person for m in office.sent).values()) == {1}
    assert {m.person for m in office.sent} >= {LIAISON.id, LEADER.id, CHIEF.id}
    for number in (1001, 1002, 1003):
        levels = [f[4] for f in sorted(office.firings(), key=lambda f: f[5]) if f[0] == number]
        assert set(levels) >= {1, 2, 3, 4, 5}
        of_claim = [f[4] for f in office.firings() if f[0] == number and f[2] == "claim"]
        assert of_claim == [1, 4]
        moves = [e for e in office.work(lambda uow, n=number: uow.tickets.history(n))
                 if e.move is Move.ESCALATE]  # fmt: skip
        climbed = [e.changes["level"] for e in moves]
        assert climbed == sorted(set(climbed))
        assert climbed[-1] == RED
    before = len(office.firings())
    office.sweep()
    assert office.send() == 0
    assert len(office.firings()) == before


def test_33_however_many_tickets_nobody_gets_more_than_four_in_a_quarter_of_an_hour(
    office: Office,
) -> None:
    for n in range(30):
        office.submit(Urgency.U3 if n % 10 else Urgency.U1, n, f"m{n}")
        if n % 3 == 0:
            office.advances(minutes=1)
    office.advances(hours=8)
    assert worst_window(office.sent, POLICY.notice_span) <= POLICY.notices_most
    plain = [m for m in office.sent if not m.urgent]
    assert worst_window(plain, POLICY.notice_span) <= POLICY.notices_single
    digests = [m for m in office.heard(LIAISON.id) if m.kind == "digest"]
    assert digests
    told = "".join(m.text for m in office.heard(LIAISON.id))
    assert "#1030" in told


def test_34_setting_the_clock_back_unsends_refires_and_shortens_nothing(office: Office) -> None:
    ticket = office.submit()
    office.advances(hours=30)
    firings, sent = office.firings(), len(office.sent)
    before = office.ticket(ticket.number)
    for hours in (1, 10, 29):
        office.clock.value = NOW + timedelta(hours=30 - hours)
        office.sweep()
        office.send()
        assert office.firings() == firings
        assert len(office.sent) == sent
        assert office.ticket(ticket.number) == before
    office.until(NOW + timedelta(hours=30))
    assert office.firings() == firings
    assert len(office.sent) == sent
    office.advances(days=12)
    assert len(office.firings()) > len(firings)


def test_30_a_ticket_that_became_less_urgent_does_not_climb_again_below_where_it_was(
    office: Office,
) -> None:
    ticket = office.submit(Urgency.U1)
    office.advances(minutes=40)
    assert office.ticket(ticket.number).level == RED
    assert office.act(ticket.number, Move.RECLASSIFY, OFFICE, urgency=Urgency.U3)
    told = len(office.heard(LEADER.id))
    office.advances(days=2)
    of_claim = [f[4] for f in sorted(office.firings(), key=lambda f: f[6]) if f[2] == "claim"]
    assert of_claim == sorted(of_claim)
    assert len(office.heard(LEADER.id)) == told
    assert office.work(lambda uow: uow.tickets.due(office.clock.now(), 10)) == ()


def _late_on_friday(office: Office, hour: int) -> Ticket:
    """Wednesday's second reminder is planned for Thursday, when the machine is down."""
    ticket = office.submit(Urgency.U2)
    office.act(ticket.number, Move.CLAIM, LIAISON)
    office.act(ticket.number, Move.URGE, MANAGER)
    office.until(NOW + timedelta(days=1, hours=5))
    assert office.act(ticket.number, Move.URGE, MANAGER)
    assert office.act(ticket.number, Move.ACKNOWLEDGE, LEADER)
    office.until(NOW + timedelta(days=1, hours=10))
    assert [m.kind for m in office.heard(LIAISON.id, "reminder")] == ["reminder"]
    office.sent.clear()
    office.clock.value = NOW.replace(day=27, hour=hour)
    return ticket


def test_31_a_reminder_that_waited_through_a_downtime_goes_with_the_newest_as_one(
    office: Office,
) -> None:
    ticket = _late_on_friday(office, hour=2)
    office.sweep()
    office.send()
    heard = office.heard(LIAISON.id)
    assert [m.kind for m in heard] == ["digest"]
    assert f"#{ticket.number}" in heard[0].text


def test_a_reminder_that_comes_a_day_late_is_the_one_of_that_day(office: Office) -> None:
    ticket = _late_on_friday(office, hour=2)
    office.send()
    assert [m.kind for m in office.heard(LIAISON.id)] == ["reminder"]
    office.sweep()
    office.send()
    office.until(NOW.replace(day=27, hour=12))
    assert len([m for m in office.heard(LIAISON.id) if m.ticket == ticket.number]) == 1


def test_a_ticket_that_cannot_be_worked_on_holds_up_no_other(office: Office) -> None:
    office.submit(message="a")
    office.submit(firm=1, message="b")
    with office.unit() as uow:
        uow.connection.execute(text("UPDATE tickets SET due_claim = NULL, urgency = 'U9' "
                                    "WHERE number = 1001"))  # fmt: skip
    office.clock.value = NOW + timedelta(hours=6)
    assert office.sweep() == 2
    assert {f[0] for f in office.firings()} == {1002}
    assert office.sweep() == 0


def test_the_day_of_a_migration_finds_every_running_ticket(office: Office) -> None:
    """As migration 0006 leaves them: due since they were made, whatever is really due."""
    office.submit()
    office.work(
        lambda uow: uow.connection.execute(text("UPDATE tickets SET next_due_at = created_at"))
    )
    assert office.sweep() == 1
    assert office.firings() == []
    due = office.work(lambda uow: uow.tickets.next_due())
    assert due == office.ticket(1001).due_claim


# ---- two processes


def _together(one: Office, other: Office) -> None:
    """Both sweep and send at the same moment."""
    gate = threading.Barrier(2)
    errors: list[BaseException] = []

    def run(office: Office) -> None:
        try:
            gate.wait()
            office.sweep(limit=7)
            office.send()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(o,)) for o in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_50_two_processes_on_one_database_fire_and_send_what_one_would(
    postgres_url: str, sqlite_url: str
) -> None:
    with Office(postgres_url) as one, one.second() as other, Office(sqlite_url) as alone:
        for office in (one, alone):
            for n in range(40):
                office.submit(Urgency.U3 if n % 8 else Urgency.U1, n, f"m{n}")
        for hours in (1, 6, 30, 31, 32, 60, 200):
            one.clock.value = alone.clock.value = NOW + timedelta(hours=hours)
            for _ in range(8):
                _together(one, other)
                alone.sweep(limit=14)
                alone.send()
        keys = [firing[:5] for firing in one.firings()]
        assert repeated(keys) == []
        assert sorted(keys, key=str) == sorted((f[:5] for f in alone.firings()), key=str)
        both = one.sent + other.sent
        assert worst_window(both, POLICY.notice_span) <= POLICY.notices_most
        assert {m.person for m in both} == {m.person for m in alone.sent}


@pytest.mark.slow
def test_29_kill_nine_in_random_sweeps_fires_every_rung_once_and_skips_none(
    tmp_path: Path,
) -> None:
    result = campaign(tmp_path, 500 if os.environ.get("LHG_FULL") == "1" else 10)
    assert faults(result) == []
    assert result["kills"] > 0
