"""A time that somebody named: an instant, a deadline or a span, and how exactly it was meant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Granularity(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    HALFDAY = "halfday"
    DAY = "day"
    WEEKEND = "weekend"
    WEEK = "week"
    TENDAY = "tenday"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant or a deadline stands in `start` alone; a span has an `end` as well, both included.

    `before` says that it is a deadline. `at` and `to` are its place in the text.
    """

    start: datetime
    end: datetime | None
    granularity: Granularity
    before: bool = False
    at: int = 0
    to: int = 0
