"""A visit to a firm: what is kept of it, when firms are visited too often or not at all. domain.md §10."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.policy import Policy


class Mode(StrEnum):
    """How the office and the firm met."""

    ON_SITE = "on_site"
    PHONE = "phone"
    ONLINE = "online"


class Purpose(StrEnum):
    """What a visit is for; an inspection is none of these."""

    VISIT = "visit"
    POLICY = "policy"
    CALL_BACK = "call_back"


class Standing(StrEnum):
    """A planned visit becomes a kept one when it is logged; a dropped one counts nowhere."""

    PLANNED = "planned"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Visit:
    """`at` to `until` is when it was, as exactly as it was said; `next_at` to `next_until` likewise.

    `met` holds posts and no names. `number` is what people type, `code` what the records show.
    """

    number: int
    code: str
    enterprise_id: EnterpriseId
    at: datetime
    entered_at: datetime
    entered_by: PersonId
    until: datetime | None = None
    mode: Mode = Mode.ON_SITE
    place: str = ""
    visitors: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    purpose: Purpose = Purpose.VISIT
    production: str = ""
    workforce: str = ""
    orders: str = ""
    told: tuple[str, ...] = ()
    next_at: datetime | None = None
    next_until: datetime | None = None
    problems: tuple[TicketNumber, ...] = ()
    note: str = ""
    project: str = ""
    backfilled: bool = False
    standing: Standing = Standing.KEPT


@dataclass(frozen=True, slots=True)
class Note:
    """What one sentence says of a visit; what it leaves out is None or empty."""

    at: datetime | None = None
    until: datetime | None = None
    mode: Mode | None = None
    place: str = ""
    visitors: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    purpose: Purpose | None = None
    production: str = ""
    workforce: str = ""
    orders: str = ""
    told: tuple[str, ...] = ()
    next_at: datetime | None = None
    next_until: datetime | None = None
    problems: tuple[str, ...] = ()
    backfilled: bool = False


# What a correction may change.
CORRECTABLE: Final = (
    "at", "mode", "place", "visitors", "met", "purpose", "production", "workforce", "orders",
    "told", "next_at",
)  # fmt: skip
_TOGETHER: Final = {"at": "until", "next_at": "next_until"}


def filled(visit: Visit, note: Note) -> Visit:
    """The visit with what the note says; what the note leaves out stays."""
    said: dict[str, Any] = {}
    for name in CORRECTABLE:
        value = getattr(note, name)
        if value:
            said[name] = value
            if name in _TOGETHER:
                said[_TOGETHER[name]] = getattr(note, _TOGETHER[name])
    return replace(visit, **said)


def put_right(visit: Visit, wrong: str, right: str) -> Visit:
    """The visit with `right` wherever it said `wrong`: 不是厂长, 是副总."""
    said: dict[str, Any] = {}
    for name in ("place", "production", "workforce", "orders"):
        value = getattr(visit, name)
        if wrong in value:
            said[name] = value.replace(wrong, right)
    for name in ("met", "visitors", "told"):
        values = getattr(visit, name)
        if any(wrong in v for v in values):
            said[name] = tuple(v.replace(wrong, right) for v in values)
    return replace(visit, **said)


def changed(before: Visit, after: Visit) -> tuple[str, ...]:
    """The names of the fields that differ."""
    return tuple(f.name for f in fields(Visit) if getattr(before, f.name) != getattr(after, f.name))


# ---- too often, and not at all


def busiest(dates: Iterable[datetime], at: datetime, span: timedelta) -> int:
    """The most entries of any window of that length that holds `at`, which is one of them."""
    near = sorted(d for d in dates if abs(d - at) < span)
    most = 1
    for first in [*near, at]:
        if first <= at < first + span:
            most = max(most, 1 + sum(first <= d < first + span for d in near))
    return most


def unvisited(
    firms: Iterable[tuple[EnterpriseId, datetime]],
    last: Mapping[EnterpriseId, datetime],
    began: datetime | None,
    at: datetime,
    span: timedelta,
) -> tuple[EnterpriseId, ...]:
    """The firms, each with when the office took it on, that nobody visited for so long.

    Before the visit book itself is so old, nobody can be called unvisited.
    """
    if began is None:
        return ()
    until = at - span
    return tuple(
        firm for firm, since in firms if max(since, began) <= until >= last.get(firm, began)
    )


def due(
    firms: Iterable[EnterpriseId],
    last: Mapping[EnterpriseId, datetime],
    at: datetime,
    policy: Policy,
) -> tuple[tuple[EnterpriseId, datetime | None], ...]:
    """The firms whose turn it is by the plan, each with its last visit; never visited comes first."""
    until = at - timedelta(weeks=policy.visit_weeks)
    found = [(firm, last.get(firm)) for firm in firms]
    late = [(firm, seen) for firm, seen in found if seen is None or seen <= until]
    late.sort(key=lambda one: (one[1] is not None, one[1] or at, one[0]))
    return tuple(late)
