"""Business time: the system's, or one that the demo and tests can move."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The present as the machine tells it."""

    movable = False

    def now(self) -> datetime:
        return datetime.now(UTC)


class MovableClock:
    """Runs `speed` times as fast from `start` and can be set forward; speed 0 stands still."""

    movable = True

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        # One value: the writer's thread must never see a new base with an old beginning.
        self._point = (start or datetime.now(UTC), time.monotonic())
        self._speed = speed

    def now(self) -> datetime:
        base, since = self._point
        return base + timedelta(seconds=(time.monotonic() - since) * self._speed)

    def set(self, at: datetime) -> None:
        """Raises ValueError for a time that is past: what was promised stays promised."""
        if at < self.now():
            raise ValueError("the clock only goes forward")
        self._point = (at, time.monotonic())
