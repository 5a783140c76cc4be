"""After some failures in a row nobody is asked for a while, so that a dead service costs nothing."""

import time
from collections.abc import Callable


class Breaker:
    """Closed until `failures` in a row; then one try after each rest, and each rest is longer."""

    def __init__(
        self,
        failures: int,
        rest: float,
        longest: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._first_rest = rest
        self._longest = longest
        self._now = now
        self._in_a_row = 0
        self._rest = rest
        self._until = 0.0

    def allows(self) -> bool:
        return self._now() >= self._until

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._rest = self._first_rest
        self._until = 0.0

    def failed(self) -> bool:
        """Whether a rest begins with this failure."""
        self._in_a_row += 1
        if self._in_a_row < self._failures:
            return False
        self._until = self._now() + self._rest
        self._rest = min(self._rest * 2, self._longest)
        return True
