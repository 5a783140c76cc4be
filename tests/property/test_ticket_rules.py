"""Invariants 1-5, 8, 11, 13 of tickets.md as a state machine over the pure rules."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from handlers.domain.category import Category, Urgency
from handlers.domain.errors import Refusal
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Person
from handlers.domain.ticket import (
    ENDED,
    LIVE,
    MOVES,
    NOT_ACCEPT_REASONS,
    Args,
    Entry,
    Move,
    Part,
    State,
    Ticket,
    Verdict,
    entry_of,
    move,
    parts_of,
    rebuilt,
)
from tests.kit.builders import (
    BACKUP,
    CALENDAR,
    EVERYBODY,
    LIAISON,
    NOW,
    OFFICE,
    POLICY,
    STANDING,
    a_ticket,
)

ACTORS = st.sampled_from([*EVERYBODY, None])
TEXTS = st.sampled_from(
    ["", "收到", "办结", "已处理", "已联系人社局，周三前答复", "另一条进展：到岗十二人"]
)
HOURS = st.sampled_from([0.1, 2, 5, 24, 72, 240, 400])


def arguments(now: datetime) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "text": TEXTS,
            "person": st.sampled_from([None, BACKUP, LIAISON, OFFICE]),
            "enterprise_id": st.sampled_from([None, EnterpriseId("E003"), EnterpriseId("E004")]),
            "department": st.sampled_from(["", "人社局"]),
            "until": st.sampled_from(
                [None, *(now + timedelta(days=d) for d in (-1, 2, 12, 30, 200))]
            ),
            "category": st.sampled_from([None, Category.LOG]),
            "urgency": st.sampled_from([None, Urgency.U1, Urgency.U4]),
            "rating": st.sampled_from([None, 0, 1, 3, 5, 9]),
            "told": st.sampled_from(["", "已当面告知企业"]),
            "code": st.sampled_from(["", *NOT_ACCEPT_REASONS]),
            "supervision_code": st.sampled_from(["", "DB-2026-001", "DB-2026-002"]),
            "level": st.sampled_from([None, 1, 4, 5]),
            "on": st.booleans(),
        }
    )


class TicketMachine(RuleBasedStateMachine):
    """Anybody tries anything, at any time; the invariants hold after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.ticket: Ticket = a_ticket()
        self.entries: list[Entry] = []
        self.raters: dict[int, Person] = {}

    @initialize(firm=st.booleans(), urgency=st.sampled_from(list(Urgency)))
    def begin(self, firm: bool, urgency: Urgency) -> None:
        more: dict[str, Any] = {} if firm else {"enterprise_id": None, "owner_id": None}
        self.ticket = a_ticket(urgency=urgency, **more)
        self.entries = [entry_of(None, self.ticket, Move.SUBMIT, None, "x", self.now)]

    @rule(hours=HOURS)
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(actor=ACTORS, what=st.sampled_from(sorted(MOVES)), data=st.data())
    def somebody_tries(self, actor: Person | None, what: Move, data: st.DataObject) -> None:
        given = data.draw(arguments(self.now))
        if what in (Move.MERGE, Move.ABSORB, Move.LINK):
            given["target"] = a_ticket(1030)
        before = self.ticket
        entitled = parts_of(before, actor, STANDING) & MOVES[what].who
        try:
            moved = move(before, what, actor, Args(**given), self.now, STANDING, CALENDAR, POLICY)
        except Refusal:
            # 1. Any other pair is refused and leaves the row equal.
            assert self.ticket == before
            return
        # 11. A move is accepted only when the actor's part allows it.
        assert entitled, (what, actor)
        if moved.entry is None:
            assert moved.ticket == before
            return
        after = moved.ticket
        # 1. Only the table's moves change state.
        assert before.state in MOVES[what].sources
        assert after.state in MOVES[what].targets | {before.state}
        # 2. The version grows by one, the cycle never shrinks.
        assert after.version == before.version + 1
        assert before.cycle <= after.cycle <= before.cycle + 1
        # 3. End states accept only reopen, a rating that acts as one, and unmerge.
        if before.state in ENDED and after.state is not before.state:
            assert what in (Move.REOPEN, Move.RATE, Move.UNMERGE)
        # One 督办 number for the whole life of a ticket.
        if before.supervision_code:
            assert after.supervision_code == before.supervision_code
        elif after.level >= 4 and after.is_live:
            assert after.supervision_code == given["supervision_code"]
        # 13. Who handled a cycle never rates it.
        if what in (Move.RATE, Move.VERDICT_YES, Move.VERDICT_NO):
            assert actor is not None
            assert actor.id not in before.handlers
        # 45. One rating per ticket and cycle.
        if what is Move.RATE and before.rating_cycle == before.cycle:
            assert after.cycle == before.cycle + 1
        self.ticket = after
        self.entries.append(moved.entry)

    @invariant()
    def five_history_gives_the_row(self) -> None:
        if self.entries:
            assert rebuilt(self.entries) == self.ticket

    @invariant()
    def ten_exactly_one_is_responsible(self) -> None:
        """A live ticket has an owner or stands at the duty desk (None), and never both."""
        ticket = self.ticket
        if ticket.is_live and ticket.state is not State.OPEN and ticket.claimed_at is not None:
            assert ticket.owner_id is not None

    @invariant()
    def twenty_six_clocks_are_running_paused_or_stopped(self) -> None:
        ticket = self.ticket
        if ticket.state in (State.WAITING_ENTERPRISE, State.SHELVED):
            assert ticket.paused_since is not None
        elif ticket.is_live:
            assert ticket.paused_since is None
        if not ticket.is_live:
            assert ticket.due_progress is None or ticket.state is State.MERGED

    @invariant()
    def silence_is_never_satisfaction(self) -> None:
        if self.ticket.verdict is Verdict.YES:
            assert self.ticket.verdict_cycle > 0

    @invariant()
    def four_an_end_is_always_reachable(self) -> None:
        """One act of the office or the system ends any live ticket within two steps."""
        if not self.ticket.is_live:
            return
        assert reaches_end(self.ticket, self.now)


def reaches_end(ticket: Ticket, now: datetime) -> bool:
    """Through system moves and time, or acts of the office alone."""
    far = now + timedelta(days=120)
    steps: list[tuple[Move, Person | None, Args]] = []
    if ticket.state is State.WAITING_ENTERPRISE:
        steps.append((Move.ANSWER_OVERDUE, None, Args()))
    if ticket.state is State.SHELVED:
        steps.append((Move.REVIEW, None, Args()))
    if ticket.state is State.WAITING_DEPARTMENT:
        steps.append((Move.RECALL, OFFICE, Args(text="部门已答复")))
    steps.append((Move.NOT_ACCEPT, OFFICE, Args(code="other", text="请走其他途径")))
    for what, actor, args in steps:
        try:
            ticket = move(ticket, what, actor, args, far, STANDING, CALENDAR, POLICY).ticket
        except Refusal:
            return False
    return ticket.state not in LIVE


TestTicketRules = TicketMachine.TestCase
TestTicketRules.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_every_move_of_the_table_has_a_name_and_an_answer() -> None:
    from handlers.services.moves import _ANSWERS
    from handlers.texts.common import MOVE_NAMES, STATE_NAMES

    assert set(MOVE_NAMES) == {m.value for m in Move}
    assert set(STATE_NAMES) == {s.value for s in State}
    spoken = set(MOVES) - {
        Move.ANSWER_OVERDUE,
        Move.CLOSE_SILENT,
        Move.ABSORB,
        Move.RECOUNT,
    }
    assert spoken <= set(_ANSWERS)


def test_1_only_the_tables_moves_change_state() -> None:
    for what, line in MOVES.items():
        for state in State:
            if state in line.sources:
                continue
            ticket = replace(a_ticket(), state=state)
            actor = next((p for p in EVERYBODY if parts_of(ticket, p, STANDING) & line.who), None)
            try:
                moved = move(
                    ticket,
                    what,
                    actor,
                    Args(text="足够长的一句话"),
                    NOW,
                    STANDING,
                    CALENDAR,
                    POLICY,
                )
            except Refusal:
                continue
            assert moved.entry is None, (what, state)


def test_11_no_stranger_is_anybody_to_another_firms_ticket() -> None:
    from tests.kit.builders import STRANGER

    assert parts_of(a_ticket(), STRANGER, STANDING) == {Part.ANYBODY}


def test_14_a_confidential_ticket_stays_so() -> None:
    ticket = a_ticket(confidential=True)
    try:
        move(
            ticket, Move.SET_CONFIDENTIAL, LIAISON, Args(on=False), NOW, STANDING, CALENDAR, POLICY
        )
    except Refusal:
        return
    raise AssertionError("a confidential ticket was opened to the group again")
