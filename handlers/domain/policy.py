"""The office's numbers: targets, limits and windows, kept as versioned rows; these are the defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Final

from handlers.domain.category import Urgency


class Unit(StrEnum):
    """How a target is counted: natural time, working time, or working days to closing time."""

    NATURAL = "natural"
    WORKING = "working"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Target:
    """`amount` hours (natural, working) or whole working days."""

    unit: Unit
    amount: float


@dataclass(frozen=True, slots=True)
class Targets:
    claim: Target
    first_reply: Target
    progress: Target
    resolution: Target


def _nat(hours: float) -> Target:
    return Target(Unit.NATURAL, hours)


def _days(days: int) -> Target:
    return Target(Unit.DAYS, days)


# tickets.md §3.
DEFAULT_TARGETS: Final[Mapping[Urgency, Targets]] = {
    Urgency.U1: Targets(_nat(10 / 60), _nat(2), _nat(4), _nat(24)),
    Urgency.U2: Targets(_nat(1), _nat(24), _days(1), _days(3)),
    Urgency.U3: Targets(Target(Unit.WORKING, 4), _days(2), _days(3), _days(7)),
    Urgency.U4: Targets(_days(1), _days(5), _days(5), _days(15)),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Every number a rule needs. Durations named `working` count working time."""

    version: int = 0
    targets: Mapping[Urgency, Targets] = field(default_factory=lambda: DEFAULT_TARGETS)
    working_day: timedelta = timedelta(hours=7.5)
    urgent_claim_from: time = time(7, 30)
    urgent_claim_until: time = time(20, 0)
    morning: time = time(8, 30)
    answer_days: int = 5
    verdict_days: int = 5
    reopen_days: int = 10
    pause_budget_days: int = 10
    shelve_days: int = 90
    transfers: int = 3
    extensions: int = 1
    decline_within_days: int = 1
    extend_before_days: int = 1
    unmerge_within_days: int = 1
    urge_gap_working: timedelta = timedelta(hours=4)
    progress_length: int = 6
    result_length: int = 6
    problems_per_message: int = 5
    duplicate_days: int = 7
    join_pictures: timedelta = timedelta(minutes=2)
    common_days: int = 30
    common_count: int = 3
    silent_days: int = 60
    call_back_percent: int = 20
    # Visits: how often a key firm is called on, and how many entries of all persons are too many.
    visit_weeks: int = 8
    unvisited_days: int = 60
    visits_span: timedelta = timedelta(days=7)
    visits_most: int = 2
    # Reminders that people set: how late one is still sent, and how many one person may have.
    reminder_late: timedelta = timedelta(hours=4)
    reminder_late_once: timedelta = timedelta(days=1)
    reminders_most: int = 50
    duty_from: time = time(8, 30)
    # The ladder (tickets.md §4); `working` as above, the others in natural time.
    claim_leader_working: timedelta = timedelta(hours=4)
    warn_share: float = 0.8
    warn_days: int = 1
    orange_days: int = 1
    red_days: int = 3
    urgent_chief: timedelta = timedelta(minutes=10)
    urgent_ring: timedelta = timedelta(minutes=15)
    urgent_ring_until: timedelta = timedelta(hours=2)
    urgent_ring_late: timedelta = timedelta(hours=1)
    acknowledge_urgent: timedelta = timedelta(minutes=30)
    acknowledge_soon_working: timedelta = timedelta(hours=2)
    acknowledge_working: timedelta = timedelta(hours=4)
    hold_days: int = 1
    meeting_days: int = 30
    answer_remind_days: int = 1
    answer_again_days: int = 3
    verdict_remind_days: int = 2
    transfer_working: timedelta = timedelta(hours=4)
    request_working: timedelta = timedelta(hours=4)
    supervised_days: int = 1
    # Notices: when, and how many in how long.
    notices_from: time = time(7, 30)
    notices_until: time = time(21, 0)
    notice_span: timedelta = timedelta(minutes=15)
    notices_single: int = 3
    notices_most: int = 4


DEFAULT: Final = Policy()
