"""The day's page: which tickets stand behind each figure. domain.md §9.

A figure is never counted apart from its rows: it is the length of the list that its drill-down
shows (property 47). Everything is read from histories, so the page of any past instant can be made.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from handlers.domain.category import Category, Urgency
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.policy import Policy, Unit
from handlers.domain.ticket import (
    LIVE,
    Entry,
    Move,
    State,
    Ticket,
    overdue,
    rebuilt,
)
from handlers.domain.workdays import WorkCalendar


class Figure(StrEnum):
    """Whatever can be counted on the page and listed by command."""

    NEW = "new"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    # before + entered - left = live
    BEFORE = "before"
    ENTERED = "entered"
    LEFT = "left"
    LIVE = "live"
    # the parts of live
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_ENTERPRISE = "waiting_enterprise"
    WAITING_DEPARTMENT = "waiting_department"
    SHELVED = "shelved"
    # red + orange + yellow = late
    LATE = "late"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    URGENT = "urgent"
    DUE_TODAY = "due_today"
    DUE_TOMORROW = "due_tomorrow"
    REVIEW = "review"
    DECISIONS = "decisions"
    TONE = "tone"


STATES: Final[Mapping[Figure, State]] = {
    Figure.OPEN: State.OPEN,
    Figure.IN_PROGRESS: State.IN_PROGRESS,
    Figure.WAITING_ENTERPRISE: State.WAITING_ENTERPRISE,
    Figure.WAITING_DEPARTMENT: State.WAITING_DEPARTMENT,
    Figure.SHELVED: State.SHELVED,
}
# What asks for an act today, the most pressing first.
MUST_ACT: Final = (
    Figure.RED,
    Figure.ORANGE,
    Figure.YELLOW,
    Figure.URGENT,
    Figure.DUE_TODAY,
    Figure.REVIEW,
    Figure.DECISIONS,
    Figure.TONE,
)
_CLAIMS: Final = frozenset({Move.CLAIM})
_RESOLVES: Final = frozenset({Move.RESOLVE, Move.ANSWER})


@dataclass(frozen=True, slots=True)
class Seen:
    """One ticket of the page: as it stood then, what happened to it since, and how late it is."""

    ticket: Ticket
    figures: frozenset[Figure]
    due_at: datetime | None = None
    late: timedelta | None = None
    left: timedelta | None = None
    working: bool = True
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Common:
    """The same problem, told by several firms or again and again."""

    category: Category
    title: str
    numbers: tuple[TicketNumber, ...]
    firms: tuple[EnterpriseId, ...]


@dataclass(frozen=True, slots=True)
class Calls:
    """Visits since the last page, those planned for the day, and key firms nobody visited for long."""

    made: tuple[EnterpriseId, ...] = ()
    planned: tuple[EnterpriseId, ...] = ()
    unvisited: tuple[EnterpriseId, ...] = ()

    def only(self, firms: frozenset[EnterpriseId]) -> "Calls":
        return Calls(
            tuple(f for f in self.made if f in firms),
            tuple(f for f in self.planned if f in firms),
            tuple(f for f in self.unvisited if f in firms),
        )

    def __bool__(self) -> bool:
        return bool(self.made or self.planned or self.unvisited)


@dataclass(frozen=True, slots=True)
class Page:
    """What one person is shown of `since` to `at`."""

    since: datetime
    at: datetime
    seen: tuple[Seen, ...]
    common: tuple[Common, ...] = ()
    silent: tuple[EnterpriseId, ...] = ()
    calls: Calls = Calls()

    def rows(self, figure: Figure) -> tuple[Seen, ...]:
        """The tickets behind a figure, the most pressing first."""
        return tuple(s for s in self.seen if figure in s.figures)

    def count(self, figure: Figure) -> int:
        return len(self.rows(figure))

    @property
    def is_empty(self) -> bool:
        return not (self.seen or self.common or self.silent or self.calls)

    def only(
        self,
        mine: Callable[[Ticket], bool],
        firms: frozenset[EnterpriseId],
        shares: bool = False,
    ) -> "Page":
        """The part of it that concerns one person: their tickets and their firms.

        What several firms have in common is for those who see them all, or all but one.
        """
        seen = tuple(s for s in self.seen if mine(s.ticket))
        numbers = {s.ticket.number for s in seen}
        common = tuple(c for c in self.common if shares or numbers.issuperset(c.numbers))
        silent = tuple(f for f in self.silent if f in firms)
        return Page(self.since, self.at, seen, common, silent, self.calls.only(firms))


def as_of(ticket: Ticket, entries: Sequence[Entry], at: datetime) -> Ticket | None:
    """The ticket as it stood at an instant; None where it was not yet there."""
    if not entries or entries[0].at > at:
        return None
    if entries[-1].at <= at:
        return ticket
    return rebuilt([e for e in entries if e.at <= at])


Story = tuple[Ticket, Sequence[Entry]]
Tone = Callable[[str], str]


def page(
    stories: Iterable[Story],
    since: datetime,
    at: datetime,
    calendar: WorkCalendar,
    policy: Policy,
    tone: Tone = lambda text: "",
    silent: Sequence[EnterpriseId] = (),
    calls: Calls = Calls(),
) -> Page:
    """Everything of the page for somebody who may see all of it."""
    told = list(stories)
    seen = [s for s in (_seen(t, e, since, at, calendar, policy, tone) for t, e in told) if s]
    seen.sort(key=_pressing)
    return Page(since, at, tuple(seen), common(told, at, policy), tuple(silent), calls)


def _pressing(seen: Seen) -> tuple[str, datetime, int]:
    ticket = seen.ticket
    return ticket.urgency.value, seen.due_at or ticket.created_at, ticket.number


def _seen(
    ticket: Ticket,
    entries: Sequence[Entry],
    since: datetime,
    at: datetime,
    calendar: WorkCalendar,
    policy: Policy,
    tone: Tone,
) -> Seen | None:
    now = as_of(ticket, entries, at)
    if now is None:
        return None
    before = as_of(ticket, entries, since)
    figures = set(_happened(entries, since, at))
    if before is not None and before.state in LIVE:
        figures.add(Figure.BEFORE)
        if now.state not in LIVE:
            figures.add(Figure.LEFT)
    elif now.state in LIVE:
        figures.add(Figure.ENTERED)
    due_at = late = left = None
    working, said = True, ""
    if now.state in LIVE:
        figures.add(Figure.LIVE)
        figures.update(f for f, state in STATES.items() if state is now.state)
        due_at, working = _next_due(now, policy)
        stands = now.paused_since or at
        if due_at is not None and due_at < stands:
            late = _span(due_at, stands, working, calendar)
        elif due_at is not None and now.paused_since is None:
            left = _span(at, due_at, working, calendar)
        said = next((t for e in reversed(entries) if _heard(e, at) and (t := tone(e.text))), "")
        figures.update(_calls_for(now, at, due_at, bool(said), calendar))
    return Seen(now, frozenset(figures), due_at, late, left, working, said) if figures else None


def _happened(entries: Sequence[Entry], since: datetime, at: datetime) -> Iterator[Figure]:
    for entry in entries:
        if not since < entry.at <= at:
            continue
        if entry.move is Move.SUBMIT:
            yield Figure.NEW
        elif entry.move in _CLAIMS:
            yield Figure.CLAIMED
        elif entry.move in _RESOLVES:
            yield Figure.RESOLVED
        if entry.to_state is State.CLOSED and entry.from_state is not State.CLOSED:
            yield Figure.CLOSED
        if "cycle" in entry.changes and entry.move is not Move.SUBMIT:
            yield Figure.REOPENED


_FIRM_SAYS: Final = frozenset({Move.FOLLOW_UP, Move.URGE, Move.REPLY, Move.VERDICT_NO, Move.REOPEN})
_TONE_LASTS: Final = timedelta(days=7)


def _heard(entry: Entry, at: datetime) -> bool:
    return entry.move in _FIRM_SAYS and at - _TONE_LASTS < entry.at <= at


def _clocks(ticket: Ticket, policy: Policy) -> Iterator[tuple[datetime, bool]]:
    """The due times that run, and whether each is counted in working time."""
    target = policy.targets[ticket.urgency]
    if ticket.claimed_at is None and ticket.due_claim is not None:
        yield ticket.due_claim, target.claim.unit is not Unit.NATURAL
    if ticket.first_reply_at is None and ticket.due_first_reply is not None:
        yield ticket.due_first_reply, target.first_reply.unit is not Unit.NATURAL
    if ticket.due_progress is not None:
        yield ticket.due_progress, target.progress.unit is not Unit.NATURAL
    if ticket.due_resolution is not None:
        yield ticket.due_resolution, target.resolution.unit is not Unit.NATURAL


def _next_due(ticket: Ticket, policy: Policy) -> tuple[datetime | None, bool]:
    """The due time that has been over for longest, else the one that comes first."""
    return min(_clocks(ticket, policy), default=(None, True))


def _span(start: datetime, end: datetime, working: bool, calendar: WorkCalendar) -> timedelta:
    return calendar.elapsed(start, end) if working else end - start


def _calls_for(
    ticket: Ticket, at: datetime, due_at: datetime | None, hurt: bool, calendar: WorkCalendar
) -> Iterator[Figure]:
    colour = None
    if ticket.level >= 5:
        colour = Figure.RED
    elif ticket.level == 4:
        colour = Figure.ORANGE
    elif overdue(ticket, at):
        colour = Figure.YELLOW
    if colour is not None:
        yield Figure.LATE
        yield colour
    if ticket.urgency in (Urgency.U1, Urgency.U2):
        yield Figure.URGENT
    today = at.astimezone(calendar.zone).date()
    if due_at is not None and ticket.paused_since is None and due_at >= at:
        day = due_at.astimezone(calendar.zone).date()
        if day == today:
            yield Figure.DUE_TODAY
        elif day == _next_workday(at, calendar):
            yield Figure.DUE_TOMORROW
    review = ticket.review_at
    if ticket.state is State.SHELVED and review is not None:
        if review.astimezone(calendar.zone).date() <= today:
            yield Figure.REVIEW
    if waits_for(ticket):
        yield Figure.DECISIONS
    if hurt:
        yield Figure.TONE


def _next_workday(at: datetime, calendar: WorkCalendar) -> object:
    return calendar.close_of(at, 1).astimezone(calendar.zone).date()


class Waits(StrEnum):
    """What somebody has to decide about a ticket."""

    EXTEND = "extend"
    SHELVE = "shelve"
    TRANSFER = "transfer"
    DECLINE = "decline"


def waits_for(ticket: Ticket) -> Waits | None:
    if ticket.pending_until is not None:
        return Waits.EXTEND
    if ticket.pending_review is not None:
        return Waits.SHELVE
    if ticket.pending_owner_id is not None:
        return Waits.TRANSFER
    if ticket.declines and ticket.state is State.OPEN and ticket.owner_id is None:
        return Waits.DECLINE
    return None


# ---- the same problem again and again

_ALIKE: Final = 0.34
_MOST_COMPARED: Final = 200
_DROPPED: Final = str.maketrans("", "", "0123456789 ，。、,.：:；;（）()「」!！?？")


def _pairs(title: str) -> frozenset[str]:
    plain = title.translate(_DROPPED)
    return frozenset(a + b for a, b in pairwise(plain)) or frozenset({plain})


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))


def common(stories: Iterable[Story], at: datetime, policy: Policy) -> tuple[Common, ...]:
    """Problems of one kind and like words, from so many firms or so many times in so many days."""
    since = at - timedelta(days=policy.common_days)
    recent: dict[Category, list[Ticket]] = defaultdict(list)
    for ticket, _ in stories:
        gone = ticket.state in (State.NOT_ACCEPTED, State.MERGED)
        if since < ticket.created_at <= at and not gone and ticket.enterprise_id is not None:
            recent[ticket.category].append(ticket)
    found: list[Common] = []
    for category, tickets in sorted(recent.items()):
        found.extend(_clusters(category, tickets, policy.common_count))
    found.sort(key=lambda c: (-len(c.firms), -len(c.numbers), c.numbers))
    return tuple(found)


def _clusters(category: Category, tickets: list[Ticket], enough: int) -> Iterator[Common]:
    clusters: list[tuple[frozenset[str], list[Ticket]]] = []
    for ticket in sorted(tickets, key=lambda t: t.number):
        words = _pairs(ticket.title)
        near = [c for c in clusters[-_MOST_COMPARED:] if _likeness(words, c[0]) >= _ALIKE]
        if near:
            max(near, key=lambda c: _likeness(words, c[0]))[1].append(ticket)
        else:
            clusters.append((words, [ticket]))
    for _, alike in clusters:
        firms = tuple(sorted({t.enterprise_id for t in alike if t.enterprise_id is not None}))
        if len(alike) >= enough:
            # Three times is enough, of three firms or of one.
            yield Common(category, alike[0].title, tuple(t.number for t in alike), firms)


def silent_firms(
    firms: Iterable[tuple[EnterpriseId, datetime]],
    contacts: Mapping[EnterpriseId, datetime],
    began: datetime | None,
    at: datetime,
    policy: Policy,
) -> tuple[EnterpriseId, ...]:
    """The firms, each with when the office took it on, of which nothing was heard for so long.

    Before the office itself has kept a record for so long, nobody can be called silent.
    """
    if began is None:
        return ()
    until = at - timedelta(days=policy.silent_days)
    return tuple(
        firm for firm, since in firms if max(since, began) <= until >= contacts.get(firm, began)
    )
