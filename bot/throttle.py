"""Rate rules as arithmetic: when may the next message go, under which windows and cool-downs."""

from collections import deque
from collections.abc import Iterable

from bot.platform import Limit


class Throttle:
    """Sliding windows by key. A sending is counted when its answer arrives, because the far end
    counts then at the latest; what is under way counts too."""

    def __init__(self) -> None:
        self._stamps: dict[str, deque[float]] = {}
        self._under_way: dict[str, int] = {}
        self._cool: dict[str, float] = {}

    def ready_at(self, limits: Iterable[Limit], now: float, parts: int = 1) -> float:
        """The earliest instant (monotonic seconds) at which so many more may be sent."""
        ready = now
        for limit in limits:
            ready = max(ready, self._cool.get(limit.key, 0.0))
            stamps = self._stamps.get(limit.key)
            under_way = self._under_way.get(limit.key, 0)
            # What never fits into a window waits for an empty one.
            wanted = min(parts, limit.count)
            if stamps is None:
                if under_way + wanted > limit.count:
                    ready = max(ready, now + 0.05)
                continue
            while stamps and stamps[0] <= now - limit.per:
                stamps.popleft()
            free = limit.count - len(stamps) - under_way
            if free >= wanted:
                continue
            index = len(stamps) + under_way + wanted - 1 - limit.count
            opens = stamps[index] + limit.per if index < len(stamps) else now + 0.05
            ready = max(ready, opens)
        return ready

    def begin(self, limits: Iterable[Limit], parts: int = 1) -> None:
        for limit in limits:
            self._under_way[limit.key] = self._under_way.get(limit.key, 0) + parts

    def end(self, limits: Iterable[Limit], now: float, parts: int = 1) -> None:
        for limit in limits:
            self._under_way[limit.key] = max(0, self._under_way.get(limit.key, 0) - parts)
            self._stamps.setdefault(limit.key, deque()).extend([now] * parts)

    def begin_anew(self, sent: Iterable[tuple[float, Iterable[Limit]]]) -> None:
        """Count what was sent, maybe by another process, at these instants (monotonic seconds)."""
        self._stamps.clear()
        for at, limits in sorted(sent, key=lambda one: one[0]):
            for limit in limits:
                self._stamps.setdefault(limit.key, deque()).append(at)

    def cool(self, limits: Iterable[Limit], until: float) -> None:
        """The far end asked for quiet until then."""
        for limit in limits:
            self._cool[limit.key] = max(self._cool.get(limit.key, 0.0), until)
