"""When the bot may speak unasked to a person: sending hours, and how many notices in how long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from handlers.domain.policy import Policy
from handlers.domain.workdays import SHANGHAI

# A window counts both of its ends: one more second lets the oldest notice out of it.
_OUT_OF_IT: Final = timedelta(seconds=1)


def opens_at(at: datetime, policy: Policy) -> datetime:
    """`at` itself inside the sending hours, else their next beginning."""
    local = at.astimezone(SHANGHAI)
    clock = local.time()
    if policy.notices_from <= clock < policy.notices_until:
        return at
    day = local.date() if clock < policy.notices_from else local.date() + timedelta(days=1)
    return datetime.combine(day, policy.notices_from, SHANGHAI).astimezone(at.tzinfo)


def closes_at(at: datetime, policy: Policy) -> datetime:
    """When the sending hours that `at` lies in are over."""
    day = at.astimezone(SHANGHAI).date()
    return datetime.combine(day, policy.notices_until, SHANGHAI).astimezone(at.tzinfo)


def room(sent: Sequence[datetime], most: int) -> int:
    """How many more may go now, `sent` being those of the present window."""
    return max(0, most - len(sent))


def room_at(sent: Sequence[datetime], most: int, now: datetime, policy: Policy) -> datetime:
    """When there is room for one more."""
    if len(sent) < most:
        return now
    leaving = sorted(sent)[len(sent) - most]
    return leaving + policy.notice_span + _OUT_OF_IT
