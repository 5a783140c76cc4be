"""A broadcast to 278 firms and 60 groups, the process killed on the way, again and again.

The whole form: python -m tests.kit.broadcast [kills]. Every message goes through one of three robots
that take 20 in a window; the far end tells a repeat by its delivery's number, as ours all can or are
made to (see Capabilities.repeats_known), and counts what came too often.
"""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.client import Client
from bot.platform import Capabilities, Decoded, Limit, RawRequest, Receipt, Rejected
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery, Priority
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Chat, Enterprise, Identity, Person, Role
from handlers.ports import Outgoing
from storage.db import engine_for, writer_connection
from storage.migrate import upgrade
from storage.uow import Shared, UnitOfWork

ROBOTS: Final = 3
NAME: Final = "robots"
OFFICE, CHIEF = PersonId("P1"), PersonId("P2")
# Ten in the morning in Shanghai: notices may go.
NOON: Final = datetime(2026, 11, 24, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """`count` in a `window` is what a robot takes: 20 in a minute, made short."""

    firms: int = 278
    groups: int = 60
    count: int = 20
    window: float = 4.0


WHOLE: Final = Size()
SMALL: Final = Size(70, 12, 5, 1.5)


def robot_of(chat: str) -> str:
    """Each robot has some of the groups and firms; what is no part of the broadcast has its own."""
    return chat if chat.startswith("other") else f"r{sum(chat.encode()) % ROBOTS}"


class Robots:
    """The platform: all that goes to a chat goes through the chat's robot, urgent ones too."""

    name = NAME
    hooks: tuple[str, ...] = ()
    can = Capabilities(True, False, False, True, True, 20_000, 1.0, repeats_known=True)

    def __init__(self, base: str, count: int, window: float) -> None:
        self._base, self._count, self._window = base, count, window
        self._client = Client(seconds=2.0)

    def decode(self, request: RawRequest) -> Decoded:
        raise Rejected(404, "no_hook")

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return (Limit(robot_of(to.chat.id), self._count, self._window),)

    def lane(self, delivery: Delivery) -> str:
        return robot_of(delivery.to.chat.id)

    async def send(self, delivery: Delivery) -> Receipt:
        body = {"id": delivery.id, "chat": delivery.to.chat.id, "text": delivery.content.text}
        url = f"{self._base}/{robot_of(delivery.to.chat.id)}"
        await self._client.send("POST", url, json=body, repeatable=True)
        return Receipt(f"m{delivery.id}")

    async def close(self) -> None:
        await self._client.close()


@dataclass(slots=True)
class FarEnd:
    """What arrived where and when; a number that was there before is no second message."""

    count: int
    window: float
    shown: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    at: dict[int, float] = field(default_factory=dict)
    repeats: int = 0
    refused: int = 0
    hits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def take(self, request: web.Request) -> web.Response:
        robot, body, now = request.match_info["robot"], await request.json(), time.monotonic()
        self.hits[robot] = [t for t in self.hits[robot] if t > now - self.window]
        if len(self.hits[robot]) >= self.count:
            self.refused += 1
            return web.Response(status=429, headers={"Retry-After": str(self.window)})
        self.hits[robot].append(now)
        if body["id"] in self.at:
            self.repeats += 1
            return web.json_response({})
        self.at[body["id"]] = now
        self.shown[body["chat"]].append(body["id"])
        return web.json_response({})


def prepare(path: Path, size: Size) -> int:
    """The firms in their groups, an announcement to all of them by both ways, approved."""
    from handlers.domain.announcement import Audience, Kind, Route
    from handlers.ports import NO_LINKS
    from handlers.services.announcements import Announcing, Draft

    url = f"sqlite:///{path}"
    upgrade(url)
    engine = engine_for(url)
    clock = Standing()
    with closing(writer_connection(engine)) as connection, connection.begin():
        uow = UnitOfWork(connection, Shared(clock.now))
        uow.people.save_person(Person(OFFICE, "办公室", Role.OFFICE))
        uow.people.save_person(Person(CHIEF, "负责人", Role.CHIEF))
        for n in range(size.groups):
            uow.chats.save_chat(Chat(NAME, f"g{n}", f"第{n}组", "group", registered=True))
        for n in range(size.firms):
            firm = EnterpriseId(f"E{n:03d}")
            uow.people.save_enterprise(
                Enterprise(firm, f"厂{n}", f"南通厂{n}", group=f"第{n % size.groups}组")
            )
            contact = Person(PersonId(f"{firm}-1"), "经理", Role.MANAGER, enterprise_id=firm)
            uow.people.save_person(contact)
            uow.people.save_identity(Identity(NAME, f"u{n}", contact.id))
        announcing = Announcing(uow, clock, uow.calendar.current(), NO_LINKS)
        draft = Draft(Kind.NOTICE, "演练", "周五演练。", Audience(everybody=True), Route.BOTH)
        made = announcing.draft(uow.people.person(OFFICE), draft)  # type: ignore[arg-type]
        announcing.approve(uow.people.person(CHIEF), made.id)  # type: ignore[arg-type]
    engine.dispose()
    return int(made.id)


class Standing:
    """Business time of the campaign: it goes on from ten in the morning."""

    def __init__(self) -> None:
        self._began = time.time()

    def now(self) -> datetime:
        from datetime import timedelta

        return NOON + timedelta(seconds=time.time() - self._began)


async def served(path: str, base: str, count: str, window: str) -> None:
    """The victim: the whole bot, its jobs ticking; urgent messages of others on the way."""
    from bot import app as application
    from bot.dispatcher import Pace
    from bot.settings import load

    settings = load(
        application.platform_settings(),
        overrides={"LHG_DATABASE_URL": f"sqlite:///{path}", "LHG_ENCODER": "0"},
    )
    pace = Pace(send_seconds=2.0, first_retry=0.1, longest_retry=1.0, lease=3.0)
    # The clock of the app is any object with now().
    app = application.build(
        settings, Standing(), {NAME: Robots(base, int(count), float(window))}, pace
    )  # type: ignore[arg-type,dict-item]
    await app.start()
    while True:
        await app.ticker.run_all()
        urgent = Path(path).with_suffix(".urgent")
        if urgent.exists():
            chat = urgent.read_text()
            urgent.unlink()

            def put(uow: UnitOfWork, chat: str = chat) -> int | None:
                return uow.outbox.put(
                    Outgoing(
                        Content("急件"),
                        chat=ChatRef(NAME, chat),
                        chat_kind=ChatKind.DIRECT,
                        priority=Priority.URGENT,
                    )
                )

            row = await app.writer.run(put)
            Path(path).with_suffix(".put").write_text(json.dumps([row, time.monotonic()]))
            app.dispatcher.wake()
        await asyncio.sleep(0.05)


async def campaign(folder: Path, kills: int, size: Size = WHOLE, seed: int = 3) -> dict[str, Any]:
    chance = random.Random(seed)
    path = folder / "lhg.db"
    number = prepare(path, size)
    far = FarEnd(size.count, size.window)
    application = web.Application()
    application.add_routes([web.post("/{robot}", far.take)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    waits: list[float] = []
    killed = 0
    while True:
        victim = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.kit.broadcast",
                "--serve",
                str(path),
                base,
                str(size.count),
                str(size.window),
            ],
            env={**os.environ, "LHG_SANDBOX": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await _more(far, len(far.at))
            waits += await _urgent(path, far, f"other{killed}")
            if killed == kills:
                await _until(lambda: _left(path) == 0, 180)
                break
            await asyncio.sleep(chance.uniform(0.0, 0.3))
        finally:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        killed += 1
    await runner.cleanup()
    return {"far": far, "kills": killed, "size": size, "waits": waits, **_disk(path, number)}


async def _urgent(path: Path, far: FarEnd, chat: str) -> list[float]:
    """How long an urgent message to somebody else took, from its commit to its arrival."""
    put = path.with_suffix(".put")
    put.unlink(missing_ok=True)
    waiting = path.with_suffix(".new")
    waiting.write_text(chat)
    waiting.replace(path.with_suffix(".urgent"))
    await _until(lambda: bool(far.shown[chat]) and put.exists(), 30)
    row, at = json.loads(put.read_text())
    return [max(0.0, far.at[row] - at)]


async def _more(far: FarEnd, than: int) -> None:
    await _until(lambda: len(far.at) > than, 30)


async def _until(holds: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the broadcast stands still")
        await asyncio.sleep(0.01)


def _left(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(
            connection.execute(
                "SELECT COUNT(*) FROM outbox WHERE state IN ('waiting','sending')"
            ).fetchone()[0]
        ) + int(
            connection.execute(
                "SELECT COUNT(*) FROM announcement_targets WHERE NOT queued"
            ).fetchone()[0]
        )


def _disk(path: Path, number: int) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        states = connection.execute(
            "SELECT state, COUNT(*) FROM outbox GROUP BY state ORDER BY state"
        ).fetchall()
        targets = connection.execute(
            "SELECT COUNT(*) FROM announcement_targets WHERE announcement = ?", (number,)
        ).fetchone()[0]
    return {"states": dict(states), "targets": targets}


def faults(result: dict[str, Any]) -> list[str]:
    """What must not be; empty when all holds."""
    far: FarEnd = result["far"]
    size: Size = result["size"]
    wanted = {f"u{n}" for n in range(size.firms)} | {f"g{n}" for n in range(size.groups)}
    reached = {chat for chat, rows in far.shown.items() if rows and not chat.startswith("other")}
    found = []
    if reached != wanted:
        found.append(f"{len(wanted - reached)} not reached, {len(reached - wanted)} not meant")
    twice = [chat for chat in wanted if len(far.shown[chat]) > 1]
    if twice:
        found.append(f"told twice: {twice[:3]}")
    if result["targets"] != size.firms:
        found.append(f"{result['targets']} targets")
    if set(result["states"]) != {"sent"}:
        found.append(f"rows: {result['states']}")
    slow = [w for w in result["waits"] if w > 1.0]
    if slow:
        found.append(f"urgent messages waited {slow}")
    return found


def summary(result: dict[str, Any]) -> str:
    far: FarEnd = result["far"]
    worst = max(result["waits"], default=0.0)
    return (
        f"kills {result['kills']}, targets {result['targets']}, arrived {len(far.at)}, "
        f"repeats told by their number {far.repeats}, refused {far.refused}, "
        f"slowest urgent {worst:.3f} s, faults {faults(result) or 'none'}"
    )


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(served(*sys.argv[2:6]))
        return 0
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(campaign(Path(folder), kills))
    print(summary(result))
    return 1 if faults(result) else 0


if __name__ == "__main__":
    sys.exit(main())
