"""Promised times: from when a clock starts and what urgency it has to the instant it is due."""

from datetime import datetime, timedelta
from math import isfinite

from handlers.domain.calendar import differing
from handlers.domain.category import Urgency
from handlers.domain.errors import BadInput
from handlers.domain.policy import Policy, Target, Unit
from handlers.domain.workdays import HORIZON, BeyondCalendar, WorkCalendar


def due(target: Target, start: datetime, calendar: WorkCalendar) -> datetime:
    """When a clock with `target`, started at `start`, is due."""
    if target.unit is Unit.NATURAL:
        return start + timedelta(hours=target.amount)
    if target.unit is Unit.WORKING:
        return calendar.add(start, timedelta(hours=target.amount))
    return calendar.close_of(start, int(target.amount))


def claim_due(
    urgency: Urgency, start: datetime, calendar: WorkCalendar, policy: Policy
) -> datetime:
    """When a ticket must be claimed; U2 outside 07:30-20:00 waits for the next 08:30."""
    plain = due(policy.targets[urgency].claim, start, calendar)
    if urgency is not Urgency.U2:
        return plain
    local = start.astimezone(calendar.zone)
    if policy.urgent_claim_from <= local.time() < policy.urgent_claim_until:
        return plain
    morning = datetime.combine(local.date(), policy.morning, calendar.zone)
    if local >= morning:
        morning = datetime.combine(local.date() + timedelta(days=1), policy.morning, calendar.zone)
    return morning.astimezone(start.tzinfo)


def shifted(
    at: datetime, target: Target, since: datetime, until: datetime, calendar: WorkCalendar
) -> datetime:
    """A due time after a pause from `since` to `until`; a clock already overdue stays overdue."""
    if at <= since:
        return at
    if target.unit is Unit.NATURAL:
        return at + (until - since)
    return calendar.add(at, calendar.elapsed(since, until))


def recounted(at: datetime, since: datetime, old: WorkCalendar, new: WorkCalendar) -> datetime:
    """A due time by a new calendar: as much working time is left at `since` as by the old one.

    What was consumed stays consumed, and what was overdue at `since` stays overdue. Untouched
    where both calendars agree on every day until then.
    """
    if at <= since:
        return at
    first, last = (t.astimezone(new.zone).date() for t in (since, at))
    if not differing(old, new, first, last):
        return at
    left = old.elapsed(since, at)
    return new.add(since, left) if left else at


def check_targets(policy: Policy, calendar: WorkCalendar, start: datetime) -> None:
    """Raises BadInput for a target that is no time at all or reaches beyond 800 days.

    For when targets or a calendar are saved; a job never asks.
    """
    for urgency, targets in policy.targets.items():
        for name in ("claim", "first_reply", "progress", "resolution"):
            target: Target = getattr(targets, name)
            values = {"urgency": urgency.value, "clock": name}
            amount = target.amount
            if not isfinite(amount) or amount <= 0 or (target.unit is Unit.DAYS and amount % 1):
                raise BadInput("target_wrong", **values)
            try:
                far = due(target, start, calendar) - start > HORIZON
            except (BeyondCalendar, OverflowError):
                far = True
            if far:
                raise BadInput("target_too_far", days=HORIZON.days, **values)
