"""Durations as ISO 8601 writes them: PT4H, P1DT30M."""

import re
from datetime import timedelta
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)


def duration(text: str) -> timedelta:
    """A duration of days, hours, minutes, seconds; raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(text)
    days, hours, minutes, seconds = found.groups()
    return timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=float(seconds or 0),
    )


def iso(span: timedelta) -> str:
    """The reverse, in hours, minutes and seconds; days of working time are no days."""
    seconds = span.total_seconds()
    hours, rest = divmod(int(seconds), 3600)
    minutes, whole = divmod(rest, 60)
    rest_of_second = seconds - int(seconds)
    parts = [f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M")) if n]
    if whole or rest_of_second or not parts:
        parts.append(f"{whole + rest_of_second:g}S")
    return "PT" + "".join(parts)
