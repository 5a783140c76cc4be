"""Chaos on a platform's connection, in simulated time; a seed says what happens when.

    python -m tests.kit.chaos [platform] [minutes] [--seed N]

A platform joins by one entry in PLACES: a class as `Place` says, in a module of its own.
"""

import argparse
import asyncio
import importlib
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import text

from bot.dispatcher import Pace
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Priority
from handlers.ports import Outgoing
from storage.migrate import upgrade
from storage.uow import UnitOfWork
from tests.kit.house import START, House
from tests.kit.virtual import Loop, Machine, WallClock, machine

PLACES: Final = {
    "wecom": "tests.kit.chaos_wecom:Callbacks",
    "wecom_line": "tests.kit.chaos_wecom:Connection",
    "wecom_kf": "tests.kit.chaos_wecom:Customers",
    "feishu": "tests.kit.chaos_feishu:Events",
    "feishu_line": "tests.kit.chaos_feishu:Connection",
    "dingtalk": "tests.kit.chaos_dingtalk:Callbacks",
    "dingtalk_stream": "tests.kit.chaos_dingtalk:Stream",
}

_SAID: Final = re.compile(r"第(\d+)(?:号门|家)")
_ANNOUNCED: Final = re.compile(r"编号K(\d+)")
# What the far end took although nobody heard that it did, where a repeat would be shown.
_UNKNOWABLE: Final = ("unsure:",)
_CALM_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Storm:
    """What the far end does to the calls that come while it lasts."""

    chance: random.Random
    kinds: tuple[str, ...] = ()
    share: float = 0.0
    until: float = 0.0

    def rises(self, kinds: tuple[str, ...], share: float, seconds: float) -> None:
        self.kinds, self.share = kinds, share
        self.until = time.monotonic() + seconds

    def next(self) -> str:
        """What the next call meets; empty where it is served."""
        if time.monotonic() >= self.until or self.chance.random() >= self.share:
            return ""
        return self.chance.choice(self.kinds)


@dataclass(frozen=True, slots=True)
class Saying:
    """One event at the platform."""

    number: int
    who: str
    words: str
    in_group: bool = False


class Place(Protocol):
    """A platform with its fake far end; made with the chance, entered with `async with`."""

    platform: str
    settings: Mapping[str, str]
    storm: Storm
    # What its calls may meet, and what happens by itself.
    faults: tuple[str, ...]
    hazards: Mapping[str, Callable[[], Awaitable[None]]]
    # Seconds after which an event that was not acknowledged is brought again.
    again: tuple[float, ...]
    firm: str
    staff: str
    # Where announcements go: chats, and whether they are groups.
    chats: tuple[tuple[str, bool], ...]
    # How many messages were taken and not acknowledged where a repeat would have been shown.
    unknowable: int

    async def __aenter__(self) -> "Place": ...

    async def __aexit__(self, *error: object) -> None: ...

    async def opened(self, house: House) -> None:
        """The house is running: introduce people, open what must be open."""
        ...

    async def brings(self, saying: Saying) -> bool:
        """Deliver an event; whether it was taken, as the platform understands that."""
        ...

    def event_id(self, saying: Saying) -> str: ...

    def told(self) -> list[tuple[str, str]]:
        """(chat, words) of all that people see, in its order."""
        ...

    def wrong(self) -> list[str]:
        """What the far end refused to take: broken limits, malformed requests."""
        ...


def place_of(name: str) -> type[Any]:
    module, _, kind = PLACES[name].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), kind)
    return found


@dataclass(slots=True)
class Result:
    minutes: float
    events: int = 0
    acknowledged: int = 0
    repeats: int = 0
    announced: int = 0
    told: int = 0
    unknowable: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def line(self) -> str:
        happened = ", ".join(f"{n} {what}" for what, n in sorted(self.happened.items()))
        return (
            f"{self.minutes:g} min: {self.events} events, {self.acknowledged} acknowledged, "
            f"{self.repeats} brought again, {self.announced} announcements, {self.told} messages "
            f"shown, {self.unknowable} unknowable ({happened}), faults {self.faults or 'none'}"
        )


class _Run:
    def __init__(
        self, place: Place, house: House, clock: Machine, chance: random.Random, minutes: float
    ) -> None:
        self._place, self._house, self._clock, self._chance = place, house, clock, chance
        self._until = time.monotonic() + minutes * 60
        self._skew = chance.uniform(-240.0, 240.0)
        self._began: dict[int, float] = {}
        self._acknowledged: dict[int, float] = {}
        self._sayings: dict[int, Saying] = {}
        self._count = 0
        self._late: set[asyncio.Task[None]] = set()
        self.result = Result(minutes)

    def _now(self) -> float:
        return time.monotonic()

    # ---- what people do

    async def _calmly(self, who: str, words: str) -> None:
        saying = self._saying(who, words)
        for _ in range(20):
            if await self._brought(saying):
                return
            await asyncio.sleep(2.0)
        raise RuntimeError(f"not taken although nothing is wrong: {words}")

    def _saying(self, who: str, words: str, in_group: bool = False) -> Saying:
        self._count += 1
        saying = Saying(self._count, who, words.format(self._count), in_group)
        self._sayings[saying.number] = saying
        return saying

    async def _brought(self, saying: Saying) -> bool:
        """One delivery, by the platform's own clock."""
        self._began.setdefault(saying.number, self._now())
        with self._clock.elsewhere(self._skew):
            taken = await self._place.brings(saying)
        if taken:
            self._acknowledged.setdefault(saying.number, self._now())
        return taken

    async def _delivered(self, saying: Saying) -> None:
        """Brought until it is taken, sometimes twice at once, sometimes again long after."""
        for pause in (0.0, *self._place.again):
            await asyncio.sleep(pause)
            if self._chance.random() < 0.15:
                self.result.repeats += 1
                both = await asyncio.gather(self._brought(saying), self._brought(saying))
                taken = any(both)
            else:
                taken = await self._brought(saying)
            if taken:
                break
        if taken and self._chance.random() < 0.2:
            self.result.repeats += 1
            await asyncio.sleep(self._chance.uniform(0.5, 90.0))
            await self._brought(saying)

    def _aside(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _people(self) -> None:
        while self._now() < self._until:
            await asyncio.sleep(self._chance.expovariate(1 / 3.0))
            if self._chance.random() < 0.4:
                said = self._saying(
                    self._place.firm, "车间缺操作工20人，找第{}号门", self._chance.random() < 0.5
                )
            else:
                said = self._saying(self._place.staff, "进展 1001 已联系第{}家")
            # Held up on its way, what came later passes it.
            delay = self._chance.uniform(2.0, 20.0) if self._chance.random() < 0.15 else 0.0
            self._aside(self._after(delay, self._delivered(said)))

    async def _after(self, seconds: float, work: Awaitable[None]) -> None:
        await asyncio.sleep(seconds)
        await work

    async def _office(self) -> None:
        """Bursts of messages to groups and people, more than their minutes take."""
        while self._now() < self._until:
            await asyncio.sleep(self._chance.expovariate(1 / 40.0))
            if not self._place.chats:
                return
            size = self._chance.randint(4, 28)
            chosen = self._chance.sample(self._place.chats, 1)[0]
            await self._house.app.writer.run(partial(self._announce, chosen, size))
            self._house.app.dispatcher.wake()

    def _announce(self, to: tuple[str, bool], size: int, uow: UnitOfWork) -> None:
        chat, group = to
        for _ in range(size):
            self.result.announced += 1
            words = f"停水通知，编号K{self.result.announced}。"
            if self._chance.random() < 0.1:
                words += "\n" + "\n".join(
                    "请提前蓄水，关好阀门，有困难请找联络员。" * 4 for _ in range(14)
                )
            uow.outbox.put(
                Outgoing(
                    Content(words),
                    chat=ChatRef(self._place.platform, chat),
                    chat_kind=ChatKind.GROUP if group else ChatKind.DIRECT,
                    priority=Priority.BROADCAST,
                )
            )

    # ---- what goes wrong

    async def _weather(self) -> None:
        while self._now() < self._until:
            await asyncio.sleep(self._chance.uniform(2.0, 20.0))
            left = self._until - self._now()
            what = self._chance.choice(("storm", "storm", "fault", "step", "hazard", "hazard"))
            if what == "storm":
                self.result.happened["storms"] += 1
                kinds = tuple(self._chance.sample(self._place.faults, 2))
                self._place.storm.rises(kinds, 0.7, min(self._chance.uniform(5, 45), left))
            elif what == "fault":
                fault = self._chance.choice(self._place.faults)
                self.result.happened[fault] += 1
                self._place.storm.rises((fault,), 1.0, 1.0)
            elif what == "step":
                self.result.happened["clock steps"] += 1
                self._clock.steps(self._chance.uniform(-90.0, 90.0))
            elif self._place.hazards:
                name = self._chance.choice(sorted(self._place.hazards))
                self.result.happened[name] += 1
                await self._place.hazards[name]()

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(30.0)
            await self._house.app.ticker.run_all()

    # ---- all of it

    async def run(self) -> Result:
        with self._clock.elsewhere(self._skew):
            await self._place.opened(self._house)
        await self._calmly(self._place.firm, "车间缺操作工20人，找第{}号门")
        await self._house_has_ticket()
        await self._calmly(self._place.staff, "认领 1001")
        ticks = asyncio.create_task(self._ticks())
        await asyncio.gather(self._people(), self._office(), self._weather())
        while self._late:
            await asyncio.wait(set(self._late))
        await self._calms()
        ticks.cancel()
        await asyncio.gather(ticks, return_exceptions=True)
        await self._judge()
        return self.result

    async def _house_has_ticket(self) -> None:
        for _ in range(200):
            if await self._house.count("tickets"):
                return
            await asyncio.sleep(1.0)
        raise RuntimeError("no ticket was opened")

    async def _calms(self) -> None:
        until = self._now() + _CALM_SECONDS
        unfinished = (
            "SELECT (SELECT COUNT(*) FROM outbox WHERE state IN ('waiting','sending')) + "
            "(SELECT COUNT(*) FROM inbox WHERE state = 'new')"
        )
        waiting: list[Any] = []
        while self._now() < until:
            await asyncio.sleep(5.0)
            waiting = await self._rows(unfinished)
            if waiting[0][0] == 0:
                # What is on its way to be heard, as a page that is pulled once a minute.
                await asyncio.sleep(90.0)
                if (await self._rows(unfinished))[0][0] == 0:
                    return
        self.result.faults.append(f"{waiting[0][0]} rows never drained")

    async def _rows(self, sql: str) -> list[Any]:
        found: list[Any] = await self._house.read(
            lambda uow: uow.connection.execute(text(sql)).fetchall()
        )
        return found

    async def _judge(self) -> None:
        place, result = self._place, self.result
        result.events = len(self._sayings)
        result.acknowledged = len(self._acknowledged)
        result.unknowable = place.unknowable
        result.faults += place.wrong()
        await self._judge_heard()
        await self._judge_told()
        down = {k: v for k, v in self._house.app.lines.states().items() if v != "up"}
        if down:
            result.faults.append(f"lines are not up again: {down}")
        if await self._house.read(lambda uow: uow.audit.verify()) is not None:
            result.faults.append("the audit chain breaks")

    async def _judge_heard(self) -> None:
        faults = self.result.faults
        inbox: dict[str, list[str]] = defaultdict(list)
        for event_id, state in await self._rows("SELECT event_id, state FROM inbox"):
            inbox[event_id].append(state)
        for number in self._acknowledged:
            states = inbox[self._place.event_id(self._sayings[number])]
            if states != ["done"]:
                faults.append(f"event {number} was acknowledged and is {states or 'lost'}")
        # Of a platform that brings events of other kinds beside what people say.
        for event_id in sorted(getattr(self._place, "also_acknowledged", ())):
            if inbox[event_id] != ["done"]:
                faults.append(f"{event_id} was acknowledged and is {inbox[event_id] or 'lost'}")
        worked: list[int] = []
        sql = "SELECT text FROM ticket_history ORDER BY number, seq"
        for (words,) in await self._rows(sql):
            worked += [int(n) for n in _SAID.findall(words)]
        counts = Counter(worked)
        for number in self._acknowledged:
            if _SAID.search(self._sayings[number].words) and counts[number] != 1:
                faults.append(f"event {number} was worked on {counts[number]} times")
        if repeated := [n for n, times in counts.items() if times > 1]:
            faults.append(f"worked on twice: {repeated[:5]}")
        faults += self._passed(worked)

    def _passed(self, worked: list[int]) -> list[str]:
        """Where one that was taken before the next of its chat came stands behind it."""
        at = {number: n for n, number in enumerate(worked)}
        chats: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for number in worked:
            saying = self._sayings[number]
            chats[saying.who, saying.in_group].append(number)
        return [
            f"{later} stands before {earlier}"
            for numbers in chats.values()
            for earlier in numbers
            for later in numbers
            if self._acknowledged.get(earlier, float("inf")) < self._began[later]
            and at[later] < at[earlier]
        ][:5]

    async def _judge_told(self) -> None:
        faults = self.result.faults
        told = self._place.told()
        self.result.told = len(told)
        order: dict[str, list[int]] = defaultdict(list)
        for chat, words in told:
            order[chat] += [int(n) for n in _ANNOUNCED.findall(words)]
        shown = Counter(n for numbers in order.values() for n in numbers)
        if twice := [n for n, times in shown.items() if times > 1]:
            faults.append(f"announcements shown twice: {sorted(twice)[:5]}")
        for chat, numbers in order.items():
            once = list(dict.fromkeys(numbers))
            if once != sorted(once):
                wrong = next(i for i in range(1, len(once)) if once[i] < once[i - 1])
                faults.append(f"{chat}: {once[wrong]} came after {once[wrong - 1]}")
        repeated = Counter((c, w) for c, w in told if "#1001" in w and "第" in w)
        if again := [key for key, times in repeated.items() if times > 1]:
            faults.append(f"told twice: {again[:3]}")
        rows = await self._rows("SELECT error, content FROM outbox WHERE state = 'dead'")
        dead = [(error, content) for error, content in rows]
        unsure = [e for e, _ in dead if e.startswith(_UNKNOWABLE)]
        other = Counter(e for e, _ in dead if not e.startswith(_UNKNOWABLE))
        if len(unsure) > self._place.unknowable:
            faults.append(
                f"{len(unsure)} given up, {self._place.unknowable} explained: {unsure[:3]}"
            )
        allowed = getattr(self._place, "may_end", ())
        if lost := {e: n for e, n in other.items() if not e.startswith(allowed or "-")}:
            faults.append(f"given up: {lost}")
        lost_numbers = {int(n) for _, c in dead for n in _ANNOUNCED.findall(c)}
        missing = set(range(1, self.result.announced + 1)) - set(shown) - lost_numbers
        if missing:
            faults.append(f"announcements never shown: {sorted(missing)[:5]}")


def run(name: str, minutes: float, seed: int, folder: Path) -> Result:
    """Start the whole bot on an empty database and let it go through so many minutes."""
    url = f"sqlite:///{folder / f'{name}-{seed}.db'}"
    upgrade(url)
    chance = random.Random(f"{name} {seed}")
    # The jitter of back-offs is drawn from the module's own.
    random.seed(seed)

    async def lived(clock: Machine) -> Result:
        async with (
            place_of(name)(chance) as place,
            House(url, place.settings, pace=Pace(), clock=WallClock()) as house,  # type: ignore[arg-type]
        ):
            clock.busy = lambda: house.app.writer.busy
            found = await _Run(place, house, clock, chance, minutes).run()
            clock.busy = lambda: False
            return found

    with machine(START) as clock, asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        return runner.run(lived(clock))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("platform", nargs="?", choices=sorted(PLACES), help="one of them")
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds one after another")
    args = parser.parse_args()
    wrong = 0
    for name in [args.platform] if args.platform else sorted(PLACES):
        for seed in range(args.seed, args.seed + args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                began = time.monotonic()
                result = run(name, args.minutes, seed, Path(folder))
                took = time.monotonic() - began
            print(f"{name}, seed {seed}, {took:.0f} s for {result.line()}", flush=True)
            wrong += bool(result.faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
