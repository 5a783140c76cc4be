"""The three rates and what stands beside them: domain.md §8, by ticket and never by person.

What happened to a ticket is read from its history, so that a figure about last month is the same
whenever it is asked for.

Coverage is read as a share: of the tickets resolved in the window whose round of asking is over,
those of which the firm gave a verdict in the window. A verdict of this month on the work of last
month counts in the solved rate, but covers nothing that was resolved this month.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.ticket import Entry, Kind, Move, State, Ticket
from handlers.domain.workdays import WorkCalendar

# Below this a percentage says nothing and is not printed.
ENOUGH: Final = 5
_HUMAN_REPLIES: Final = frozenset({Move.CLAIM, Move.ANSWER, Move.PROGRESS})
_RESOLVES: Final = frozenset({Move.RESOLVE, Move.ANSWER})
_FIRM_SPOKE: Final = frozenset({Move.VERDICT_YES, Move.VERDICT_NO, Move.RATE})
_CALLED_BACK: Final = _FIRM_SPOKE | {Move.CLOSE_SILENT, Move.REOPEN}
_RATED: Final = frozenset({"rating", "rating_cycle"})
_GONE: Final = frozenset({State.WITHDRAWN, State.NOT_ACCEPTED, State.MERGED})
_DONE: Final = frozenset({State.RESOLVED, State.CLOSED})


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Deadline:
    """A resolution deadline that was in force when it came; `done_at` where it was met."""

    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """One time that staff closed it; `called_back_at` ends the round of asking the firm."""

    at: datetime
    started_at: datetime
    called_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict (1 or 0) or a rating that the firm gave, and when the work judged was done."""

    at: datetime
    value: int
    about: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rates need to know of one ticket."""

    number: TicketNumber
    kind: Kind
    state: State
    category: Category
    enterprise_id: EnterpriseId | None
    created_at: datetime
    claim_due: datetime | None = None
    replied_at: datetime | None = None
    withdrawn_at: datetime | None = None
    deadlines: tuple[Deadline, ...] = ()
    resolved: tuple[Resolved, ...] = ()
    verdicts: tuple[Said, ...] = ()
    ratings: tuple[Said, ...] = ()
    reopened: tuple[Said, ...] = ()
    shelved: tuple[tuple[datetime, datetime | None], ...] = ()


def in_base(facts: Facts) -> bool:
    """Requests and problems from visits; not what was not accepted (误建 included) or merged."""
    return facts.kind in (Kind.REQUEST, Kind.VISIT) and facts.state not in (
        State.NOT_ACCEPTED,
        State.MERGED,
    )


# ---- from a history to the facts


@dataclass(slots=True)
class _Reading:
    """The state of a ticket while its history is read."""

    created_at: datetime
    state: State = State.OPEN
    claim_due: datetime | None = None
    claim_over: bool = False
    replied_at: datetime | None = None
    withdrawn_at: datetime | None = None
    due: datetime | None = None
    passed: bool = False
    paused: bool = False
    started_at: datetime | None = None
    verdict: Any = None
    rating: Any = None
    deadlines: list[Deadline] = field(default_factory=list)
    resolved: list[Resolved] = field(default_factory=list)
    verdicts: list[Said] = field(default_factory=list)
    ratings: list[Said] = field(default_factory=list)
    reopened: list[Said] = field(default_factory=list)
    shelved: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def comes_to(self, at: datetime | None) -> None:
        """Time goes on to `at` (None: for ever): deadlines that come on the way are judged."""
        if self.claim_due is not None and at is not None and self.claim_due < at:
            self.claim_over = True
        due = self.due
        if due is None or self.passed or self.paused or self.state in _GONE:
            return
        if at is None or due < at:
            self.passed = True
            met = self.state in _DONE and self.resolved
            self.deadlines.append(Deadline(due, self.resolved[-1].at if met else None))

    def _judged(self) -> datetime:
        return self.resolved[-1].at if self.resolved else self.created_at

    def take(self, entry: Entry) -> None:
        at, changes, move = entry.at, entry.changes, entry.move
        if "due_claim" in changes and not self.claim_over:
            self.claim_due = _instant(changes["due_claim"])
        if self.replied_at is None and move in _HUMAN_REPLIES and entry.actor_id is not None:
            self.replied_at = at
            self.claim_over = True
        if "cycle" in changes and move is not Move.SUBMIT:
            self.passed = False
            self.reopened.append(Said(at, 1, self._judged()))
        if "due_resolution" in changes and not self.passed:
            self.due = _instant(changes["due_resolution"])
        if "paused_since" in changes:
            self.paused = changes["paused_since"] is not None
        if move in _FIRM_SPOKE:
            self._said(entry)
        if move in _CALLED_BACK and self.resolved and self.resolved[-1].called_back_at is None:
            last = self.resolved[-1]
            self.resolved[-1] = Resolved(last.at, last.started_at, at)
        if "cycle_started_at" in changes:
            self.started_at = _instant(changes["cycle_started_at"])
        if move in _RESOLVES:
            self.resolved.append(Resolved(at, self.started_at or self.created_at))
        elif move is Move.RETRACT and self.resolved:
            self.resolved.pop()
        self._into(entry.to_state, at)

    def _said(self, entry: Entry) -> None:
        about = self._judged()
        self.rating = entry.changes.get("rating", self.rating)
        if self.rating is not None and not entry.changes.keys().isdisjoint(_RATED):
            self.ratings.append(Said(entry.at, int(self.rating), about))
        told = "verdict" in entry.changes or "verdict_cycle" in entry.changes
        self.verdict = entry.changes.get("verdict", self.verdict)
        if told and self.verdict in ("yes", "no"):
            self.verdicts.append(Said(entry.at, int(self.verdict == "yes"), about))

    def _into(self, state: State, at: datetime) -> None:
        if state is State.SHELVED and self.state is not State.SHELVED:
            self.shelved.append((at, None))
        elif state is not State.SHELVED and self.state is State.SHELVED:
            self.shelved[-1] = (self.shelved[-1][0], at)
        self.withdrawn_at = at if state is State.WITHDRAWN else None
        self.state = state


def _instant(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def facts_of(ticket: Ticket, entries: Sequence[Entry]) -> Facts:
    """What a ticket's whole history, in order, says."""
    reading = _Reading(ticket.created_at, started_at=ticket.created_at)
    for entry in entries:
        reading.comes_to(entry.at)
        reading.take(entry)
    reading.comes_to(None)
    return Facts(
        ticket.number,
        ticket.kind,
        ticket.state,
        ticket.category,
        ticket.enterprise_id,
        ticket.created_at,
        reading.claim_due,
        reading.replied_at,
        reading.withdrawn_at,
        tuple(reading.deadlines),
        tuple(reading.resolved),
        tuple(reading.verdicts),
        tuple(reading.ratings),
        tuple(reading.reopened),
        tuple(reading.shelved),
    )


# ---- from the facts to the rates


class Measure(StrEnum):
    RESPONSE = "response"
    ON_TIME = "on_time"
    SOLVED = "solved"
    FINISHED = "finished"
    SATISFIED = "satisfied"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SHELVED = "shelved"
    FIRST_REPLY = "first_reply"
    HANDLING = "handling"


@dataclass(frozen=True, slots=True)
class Mark:
    """That a ticket counts in a measure. `at` is when the credited work was done or due."""

    measure: Measure
    facts: Facts
    at: datetime
    hit: bool = True
    value: float = 0.0


def marks(
    facts: Facts, window: Window, calendar: WorkCalendar, working_day: timedelta
) -> Iterator[Mark]:
    """Everything that one ticket counts for in the window."""
    if not in_base(facts):
        return
    due, replied = facts.claim_due, facts.replied_at
    if due is not None and window.holds(due) and not _before(facts.withdrawn_at, due):
        in_time = replied is not None and replied <= due
        yield Mark(Measure.RESPONSE, facts, replied if in_time and replied else due, in_time)
    came = [d for d in facts.deadlines if window.holds(d.at)]
    if came:
        yield Mark(Measure.ON_TIME, facts, came[-1].done_at or came[-1].at, bool(came[-1].done_at))
    verdicts = [v for v in facts.verdicts if window.holds(v.at)]
    if verdicts:
        yield Mark(Measure.SOLVED, facts, verdicts[-1].about, verdicts[-1].value == 1)
    ratings = [r for r in facts.ratings if window.holds(r.at)]
    if ratings:
        level = ratings[-1].value
        yield Mark(Measure.SATISFIED, facts, ratings[-1].about, level >= 3, level)
    resolved = [r for r in facts.resolved if window.holds(r.at)]
    if resolved:
        last = resolved[-1]
        yield Mark(Measure.RESOLVED, facts, last.at)
        if last.called_back_at is not None:
            yield Mark(Measure.FINISHED, facts, last.at, bool(verdicts))
        days = calendar.elapsed(last.started_at, last.at) / working_day
        yield Mark(Measure.HANDLING, facts, last.at, value=days)
    again = [r for r in facts.reopened if window.holds(r.at)]
    if again:
        yield Mark(Measure.REOPENED, facts, again[-1].about)
    if any(start < window.end and not _before(end, window.end) for start, end in facts.shelved):
        yield Mark(Measure.SHELVED, facts, window.end)
    if replied is not None and window.holds(replied):
        hours = calendar.elapsed(facts.created_at, replied) / timedelta(hours=1)
        yield Mark(Measure.FIRST_REPLY, facts, replied, value=hours)


def _before(at: datetime | None, then: datetime) -> bool:
    return at is not None and at < then


@dataclass(frozen=True, slots=True)
class Rate:
    """Never a percentage without what it was made of."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Per cent, half up to one decimal; None where the sample is too small."""
        if self.denominator < ENOUGH:
            return None
        return (2000 * self.numerator + self.denominator) // (2 * self.denominator) / 10


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and nearest-rank 90th percentile of so many values."""

    count: int = 0
    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    response: Rate
    on_time: Rate
    solved: Rate
    coverage: Rate
    satisfied: Rate
    reopened: Rate
    mean_rating: float | None
    shelved: int
    first_reply_hours: Spread
    handling_days: Spread


def tally(counted: Iterable[Mark]) -> Rates:
    found: Mapping[Measure, list[Mark]] = defaultdict(list)
    for mark in counted:
        found[mark.measure].append(mark)

    def rate(measure: Measure) -> Rate:
        return Rate(sum(m.hit for m in found[measure]), len(found[measure]))

    def spread(measure: Measure) -> Spread:
        return _spread([m.value for m in found[measure]])

    rated = found[Measure.SATISFIED]
    return Rates(
        response=rate(Measure.RESPONSE),
        on_time=rate(Measure.ON_TIME),
        solved=rate(Measure.SOLVED),
        coverage=rate(Measure.FINISHED),
        satisfied=rate(Measure.SATISFIED),
        reopened=Rate(len(found[Measure.REOPENED]), len(found[Measure.RESOLVED])),
        mean_rating=sum(m.value for m in rated) / len(rated) if rated else None,
        shelved=len(found[Measure.SHELVED]),
        first_reply_hours=spread(Measure.FIRST_REPLY),
        handling_days=spread(Measure.HANDLING),
    )


def _spread(values: list[float]) -> Spread:
    if not values:
        return Spread()
    values.sort()
    half = len(values) // 2
    median = values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
    return Spread(len(values), median, values[(9 * len(values) + 9) // 10 - 1])


def grouped(counted: Iterable[Mark], key: Callable[[Mark], str]) -> tuple[tuple[str, Rates], ...]:
    """The same figures for each key, in the order of the keys: never by the values (F1)."""
    parts: dict[str, list[Mark]] = defaultdict(list)
    for mark in counted:
        parts[key(mark)].append(mark)
    return tuple((name, tally(parts[name])) for name in sorted(parts))
