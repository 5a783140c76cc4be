"""Promised times: from when a clock starts and what urgency it has to the instant it is due."""

from datetime import datetime, timedelta

from handlers.domain.category import Urgency
from handlers.domain.policy import Policy, Target, Unit
from handlers.domain.workdays import WorkCalendar


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
