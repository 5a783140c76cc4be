"""The ladder: which rungs the running clocks of a ticket have, when, and to whom (tickets.md §3-4).

Pure. A rung is judged with the ticket as it stands: a clock that is stopped or paused has none.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from handlers.domain.category import Urgency
from handlers.domain.policy import Policy, Unit
from handlers.domain.ticket import LIVE, State, Ticket
from handlers.domain.workdays import WorkCalendar


class Clock(StrEnum):
    CLAIM = "claim"
    FIRST_REPLY = "first_reply"
    PROGRESS = "progress"
    RESOLUTION = "resolution"
    ANSWER = "answer"
    VERDICT = "verdict"
    ACKNOWLEDGE = "acknowledge"
    DEPARTMENT = "department"
    TRANSFER = "transfer"
    REQUEST = "request"
    REVIEW = "review"
    MEETING = "meeting"


class To(StrEnum):
    """Who is told; the people are found when the rung fires."""

    HANDLER = "handler"
    STAND_IN = "stand_in"
    OFFICE = "office"
    LEADER = "leader"
    CHIEF = "chief"
    FIRM = "firm"
    DEPARTMENT = "department"
    NOBODY = "nobody"


ORANGE: Final = 4
RED: Final = 5
# The start of a clock that runs once a cycle, whatever becomes of its start.
ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)
# These climb; the others remind or make a move of the system.
CLIMBING: Final = frozenset(
    {Clock.CLAIM, Clock.FIRST_REPLY, Clock.PROGRESS, Clock.RESOLUTION, Clock.ACKNOWLEDGE}
)
_PAUSED: Final = frozenset({State.WAITING_ENTERPRISE, State.SHELVED})


@dataclass(frozen=True, slots=True)
class Rung:
    """A level of one clock. `since` is the clock's start: started again it is a clock of its own.

    Fired at most once for its ticket, cycle, clock, start and level.
    """

    clock: Clock
    level: int
    at: datetime
    to: tuple[To, ...]
    since: datetime = ONCE

    @property
    def key(self) -> tuple[str, datetime, int]:
        return self.clock.value, self.since, self.level

    @property
    def raises(self) -> int:
        """The level that the ticket has once this fired; 0 where it raises none."""
        return min(self.level, RED) if self.clock in CLIMBING else 0


def rungs(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> tuple[Rung, ...]:
    """Every rung of the running clocks of the present cycle, in the order in which they fire."""
    if ticket.state is State.RESOLVED:
        found = list(_verdict(ticket, calendar, policy))
    elif ticket.state in LIVE:
        found = [_held(rung, ticket, calendar, policy) for rung in _live(ticket, calendar, policy)]
    else:
        return ()
    # Within a clock the lower level is never later: a level that was held holds those above it.
    found.sort(key=lambda r: (r.at, r.level, r.clock))
    return tuple(found)


def unfired(found: Iterable[Rung], fired: Collection[tuple[str, datetime, int]]) -> Iterator[Rung]:
    """Those still to fire: what lies below a level that the clock has fired is over.

    A ticket that became less urgent has rungs between those that it climbed before.
    """
    highest: dict[tuple[str, datetime], int] = {}
    for clock, since, level in fired:
        highest[clock, since] = max(level, highest.get((clock, since), level))
    for rung in found:
        if rung.level > highest.get(rung.key[:2], -1):
            yield rung


def first_due(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> datetime | None:
    """When the first rung of a ticket just opened is due: on a message's way in, all would cost."""
    if ticket.state is not State.OPEN or ticket.due_resolution is None:
        found = rungs(ticket, calendar, policy)
        return found[0].at if found else None
    warned = _warned(ticket, ticket.due_resolution, calendar, policy)
    return warned if ticket.due_claim is None else min(ticket.due_claim, warned)


def _live(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Iterator[Rung]:
    if ticket.state is State.OPEN:
        yield from _claim(ticket, calendar, policy)
    if ticket.state not in _PAUSED:
        reply, claimed = ticket.due_first_reply, ticket.claimed_at
        if reply is not None and claimed is not None and ticket.first_reply_at is None:
            # Where it was late before anybody had it, the claim clock said so already.
            if claimed < reply:
                yield Rung(Clock.FIRST_REPLY, 2, reply, (To.HANDLER,))
        if ticket.due_progress is not None and ticket.state is not State.OPEN:
            since = ticket.progress_started_at or ONCE
            yield from _overdue(Clock.PROGRESS, ticket.due_progress, since, calendar, policy)
        if ticket.due_resolution is not None:
            yield Rung(
                Clock.RESOLUTION, 2, _warned(ticket, ticket.due_resolution, calendar, policy),
                (To.HANDLER,),
            )  # fmt: skip
            yield from _overdue(Clock.RESOLUTION, ticket.due_resolution, ONCE, calendar, policy)
    yield from _waiting(ticket, calendar, policy)
    yield from _asked(ticket, calendar, policy)
    if ticket.level == ORANGE and ticket.escalated_at and ticket.acknowledged_at is None:
        at = acknowledge_by(ticket, ticket.escalated_at, calendar, policy)
        yield Rung(Clock.ACKNOWLEDGE, RED, at, (To.CHIEF,), ticket.escalated_at)
    held, known = ticket.held_until, ticket.acknowledged_at
    if ticket.level == RED and held is not None and known is not None and held > known:
        to = (To.CHIEF, To.HANDLER)
        yield Rung(Clock.MEETING, RED, held, to, held)


def _claim(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Iterator[Rung]:
    due = ticket.due_claim
    if due is None:
        return
    since = ticket.claim_started_at or ticket.created_at
    both = (To.HANDLER, To.STAND_IN)
    if ticket.urgency is not Urgency.U1:
        yield Rung(Clock.CLAIM, 1, due, both, since)
        leader = calendar.add(due, policy.claim_leader_working)
        yield Rung(Clock.CLAIM, ORANGE, leader, (To.LEADER,), since)
        return
    everybody = (*both, To.LEADER, To.OFFICE)
    yield Rung(Clock.CLAIM, 1, due, everybody, since)
    chief = due + policy.urgent_chief
    yield Rung(Clock.CLAIM, RED, chief, (To.CHIEF,), since)
    # Every 15 minutes for two hours, hourly after, until its resolution is due: day and night.
    until = ticket.due_resolution or chief
    level, at = RED + 1, chief + policy.urgent_ring
    while at < until:
        yield Rung(Clock.CLAIM, level, at, (*everybody, To.CHIEF), since)
        often = at - chief < policy.urgent_ring_until
        level, at = level + 1, at + (policy.urgent_ring if often else policy.urgent_ring_late)


def _warned(ticket: Ticket, due: datetime, calendar: WorkCalendar, policy: Policy) -> datetime:
    """80 % of the time, or one working day left where that comes first."""
    start = ticket.cycle_started_at or ticket.created_at
    left = 1 - policy.warn_share
    if policy.targets[ticket.urgency].resolution.unit is Unit.NATURAL:
        return due - (due - start) * left
    whole = max(calendar.elapsed(start, due) - ticket.paused, timedelta())
    day = policy.working_day * policy.warn_days
    return calendar.back(due, max(whole * left, min(day, whole)))


def _overdue(
    clock: Clock, due: datetime, since: datetime, calendar: WorkCalendar, policy: Policy
) -> Iterator[Rung]:
    yield Rung(clock, 3, due, (To.HANDLER, To.OFFICE), since)
    orange = calendar.add(due, policy.working_day * policy.orange_days)
    yield Rung(clock, ORANGE, orange, (To.LEADER,), since)
    red = calendar.add(due, policy.working_day * policy.red_days)
    yield Rung(clock, RED, red, (To.CHIEF,), since)


def _waiting(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Iterator[Rung]:
    """What is waited for outside: the firm, a department, the day of a review."""
    if ticket.state is State.WAITING_ENTERPRISE and ticket.due_answer is not None:
        since = ticket.paused_since or ticket.created_at
        days = (policy.answer_remind_days, policy.answer_again_days)
        for level, count in enumerate(days, 1):
            at = calendar.close_of(since, count)
            if at < ticket.due_answer:
                yield Rung(Clock.ANSWER, level, at, (To.FIRM,), since)
        yield Rung(Clock.ANSWER, len(days) + 1, ticket.due_answer, (To.HANDLER,), since)
    if ticket.state is State.WAITING_DEPARTMENT and ticket.due_department is not None:
        at = ticket.due_department
        yield Rung(Clock.DEPARTMENT, 3, at, (To.DEPARTMENT, To.HANDLER), at)
    if ticket.state is State.SHELVED and ticket.review_at is not None:
        at = ticket.review_at
        yield Rung(Clock.REVIEW, 1, at, (To.HANDLER,), ticket.paused_since or at)


def _asked(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Iterator[Rung]:
    """What colleagues and leaders have not decided."""
    if ticket.pending_owner_id is not None and ticket.pending_since is not None:
        since = ticket.pending_since
        at = calendar.add(since, policy.transfer_working)
        yield Rung(Clock.TRANSFER, 3, at, (To.OFFICE,), since)
    if ticket.asked_at is not None and (ticket.pending_until or ticket.pending_review):
        since = ticket.asked_at
        at = calendar.add(since, policy.request_working)
        yield Rung(Clock.REQUEST, 3, at, (To.LEADER, To.OFFICE), since)


def _verdict(ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Iterator[Rung]:
    due, since = ticket.due_verdict, ticket.resolved_at
    if due is None or since is None:
        return
    at = calendar.close_of(since, policy.verdict_remind_days)
    if at < due and not ticket.answered_by_library:
        yield Rung(Clock.VERDICT, 1, at, (To.FIRM,), since)
    yield Rung(Clock.VERDICT, 2, due, (To.NOBODY,), since)


def acknowledge_by(
    ticket: Ticket, since: datetime, calendar: WorkCalendar, policy: Policy
) -> datetime:
    """Until when the leader may be silent."""
    if ticket.urgency is Urgency.U1:
        return since + policy.acknowledge_urgent
    soon = ticket.urgency is Urgency.U2
    return calendar.add(
        since, policy.acknowledge_soon_working if soon else policy.acknowledge_working
    )


def _held(rung: Rung, ticket: Ticket, calendar: WorkCalendar, policy: Policy) -> Rung:
    """The next level waits for a day after 知悉, and while an extension is being decided."""
    if rung.clock not in CLIMBING or (ticket.urgency is Urgency.U1 and rung.clock is Clock.CLAIM):
        return rung
    at = rung.at
    if ticket.held_until is not None and rung.raises > ticket.level:
        at = max(at, ticket.held_until)
    if (
        rung.clock is Clock.RESOLUTION
        and rung.level >= ORANGE
        and ticket.pending_until is not None
        and ticket.asked_at is not None
    ):
        at = max(at, calendar.add(ticket.asked_at, policy.request_working))
    return rung if at is rung.at else Rung(rung.clock, rung.level, at, rung.to, rung.since)


def stands(
    ticket: Ticket,
    rung: tuple[str, int, datetime, datetime],
    calendar: WorkCalendar,
    policy: Policy,
) -> bool:
    """Whether a rung that fired (clock, level, start, planned instant) still has its clock:
    running, of the same start, and not given more time since."""
    clock, level, since, planned = rung
    if clock == Clock.ACKNOWLEDGE:
        # The level itself is the fact; by then the clock has done its work.
        return ticket.state in LIVE and ticket.level >= level and ticket.acknowledged_at is None
    found = rungs(ticket, calendar, policy)
    return any(r.key == (clock, since, level) and r.at <= planned for r in found)
