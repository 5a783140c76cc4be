"""Holds the platforms' lines: what they bring is taken as a webhook's requests are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot import metrics
from bot.ingress import Ingress, NotTaken
from bot.platform import BringsOnce, Decoded, Line, OnLine, Platform, Reply, TakenOver

_log = logging.getLogger("bot.lines")

# Nobody brings these events again: they are tried until the writer has room, in this many seconds.
_PATIENCE: Final = 60.0
_AGAIN: Final = 0.2
_AFTER_A_FAULT: Final = 5.0
# How often it is written down that a line hears, and looked whether one that is down does again.
_HEARS: Final = 60.0
_LOOK: Final = 1.0

Alarm = Callable[[Line], Awaitable[None]]
Hears = Callable[[Platform, Line], Awaitable[None]]


class Lines:
    """`alarm` is told of a line that somebody else took over, `hears` each minute of one that is up
    and whose far end brings everything only once."""

    def __init__(
        self, platforms: Mapping[str, Platform], ingress: Ingress, alarm: Alarm, hears: Hears
    ) -> None:
        self._held: Final = tuple(
            (platform, line)
            for platform in platforms.values()
            if isinstance(platform, OnLine)
            for line in platform.lines
        )
        self._ingress = ingress
        self._alarm = alarm
        self._hears = hears
        self._tasks: list[asyncio.Task[None]] = []
        self._lost: set[str] = set()

    def led(self, leads: bool) -> None:
        """This process leads, and holds the lines, or it does not any more.

        Whoever leads also sends, and a push goes out by the connection that hears.
        """
        if not leads:
            self._let_go()
        elif not self._tasks:
            self._lost.clear()
            self._tasks = [
                asyncio.create_task(self._keep(platform, line), name=f"line {line.name}")
                for platform, line in self._held
            ] + [
                asyncio.create_task(self._watch(platform, line), name=f"watch {line.name}")
                for platform, line in self._held
                if isinstance(line, BringsOnce)
            ]

    def _let_go(self) -> list[asyncio.Task[None]]:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        return tasks

    async def stop(self) -> None:
        if tasks := self._let_go():
            await asyncio.wait(tasks)

    def states(self) -> dict[str, str]:
        """Each line's: up, down, taken over, or elsewhere where another process holds it."""
        return {line.name: self._state(line) for _, line in self._held}

    def _state(self, line: Line) -> str:
        if line.name in self._lost:
            return "taken_over"
        if not self._tasks:
            return "elsewhere"
        return "up" if line.up else "down"

    async def _keep(self, platform: Platform, line: Line) -> None:
        async def hear(decoded: Decoded, reply: Reply) -> bool:
            return await self._hear(platform, decoded, reply)

        while True:
            try:
                await line.hold(hear)
            except TakenOver:
                self._lost.add(line.name)
                _log.error("line.taken_over", extra={"line": line.name})
                await self._alarm(line)
                return
            except Exception as error:
                # The line must outlive whatever its platform's code ran into.
                _log.error("line.failed", extra={"line": line.name, "error": type(error).__name__})
            await asyncio.sleep(_AFTER_A_FAULT)

    async def _watch(self, platform: Platform, line: Line) -> None:
        while True:
            up = line.up
            if up:
                try:
                    await self._hears(platform, line)
                except Exception as error:
                    # A database that is away for a moment must not end the watch.
                    _log.warning("line.not_noted", extra={"error": type(error).__name__})
            await asyncio.sleep(_HEARS if up else _LOOK)

    async def _hear(self, platform: Platform, decoded: Decoded, reply: Reply) -> bool:
        if decoded.unsupported:
            metrics.unsupported.labels(platform.name, decoded.unsupported[:40]).inc()
        if not decoded.events:
            return True
        until = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                answered, done = await self._ingress.take(platform, decoded)
                break
            except NotTaken as refusal:
                # What was too slow may still reach the disk; the same again does no harm then.
                if asyncio.get_running_loop().time() > until:
                    _log.error("line.not_taken", extra={"reason": refusal.reason})
                    metrics.rejected.labels(platform.name, refusal.reason).inc()
                    return False
            await asyncio.sleep(_AGAIN)
        carried: frozenset[int] = frozenset()
        try:
            if answered.http.body and await reply(answered.http.body):
                carried = answered.carried
        finally:
            self._ingress.settle(done, carried)
        return True
