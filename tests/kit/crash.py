"""Kill -9 while clients post, again and again; then look at what is on disk and what was sent."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.clock import SystemClock
from bot.platforms.generic import signature
from bot.seed import MAIN_CHAT, load_sample
from handlers.domain.people import Identity
from storage.db import engine_for, writer_connection
from storage.migrate import upgrade
from storage.uow import Shared, UnitOfWork

SECRET = "generic-secret-0123456789"
WORDS = ("缺操作工20人招不到", "厂门口路灯坏了5盏", "货车在路口被拦进不来", "蒸汽压力只有0.4兆帕")
CLIENTS = 16
# Sent or waiting rows of a dead process wait for their lease; at the end it is cut short.
_END_LEASES = "UPDATE outbox SET lease_until = 0, next_try = 0 WHERE state IN ('waiting','sending')"
# What may go now; notices that wait for the sending hours or for room are no fault.
_UNSENT = "state IN ('waiting','sending') AND (not_before IS NULL OR not_before <= datetime('now'))"


@dataclass(slots=True)
class Seen:
    """What the outside knows: acknowledged messages, and each time the bot said something."""

    epoch: int = 0
    posted: int = 0
    generic: set[str] = field(default_factory=set)
    sandbox: dict[str, str] = field(default_factory=dict)
    doubled: int = 0
    receipts: dict[int, list[tuple[int, str]]] = field(default_factory=dict)

    def heard(self, delivery: int, lane: str) -> None:
        self.receipts.setdefault(delivery, []).append((self.epoch, lane))


class Victim:
    """A served bot in a process of its own."""

    def __init__(self, folder: Path, port: int, out_url: str) -> None:
        self._folder, self._port, self._out_url = folder, port, out_url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        environment = {
            **os.environ,
            "LHG_DATABASE_URL": f"sqlite:///{self._folder / 'lhg.db'}",
            "LHG_LISTEN": f"127.0.0.1:{self._port}",
            "LHG_SANDBOX": "1",
            "LHG_ENCODER": "0",
            "GENERIC_SECRET": SECRET,
            "GENERIC_OUT_URL": self._out_url,
            "LHG_LOG_FORMAT": "json",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    async def ready(self, session: aiohttp.ClientSession) -> None:
        for _ in range(600):
            try:
                async with session.get(f"{self.base}/healthz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        raise RuntimeError("the bot did not come up")


class Client:
    """Posts one message after another; what got no answer is posted again, as platforms do."""

    def __init__(self, name: int, seen: Seen) -> None:
        self._name, self._seen = name, seen
        self._count = 0
        self._pending: dict[str, Any] | None = None
        self._by_webhook = name % 2 == 0

    def _next(self) -> dict[str, Any]:
        self._count += 1
        self._seen.posted += 1
        event_id = f"k{self._name}-{self._count}"
        text = f"@小港 {WORDS[self._count % 4]}，第{self._count}次"
        if self._by_webhook:
            return {
                "event_id": event_id,
                "chat": {"id": f"g{self._name % 5}", "kind": "group", "title": "群"},
                "sender": {"id": f"u{self._name}", "name": "某人"},
                "text": text,
                "mention_bot": True,
            }
        firm = f"E{self._name:03d}"
        chat = MAIN_CHAT if self._count % 2 else f"dm:{firm}"
        return {"chat": chat, "sender": firm, "text": text, "client_id": event_id}

    async def run(self, session: aiohttp.ClientSession, base: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._pending = self._pending or self._next()
            try:
                if await self._post(session, base, self._pending):
                    self._pending = None
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.01)

    async def _post(
        self, session: aiohttp.ClientSession, base: str, message: dict[str, Any]
    ) -> bool:
        body = json.dumps(message).encode()
        if not self._by_webhook:
            headers = {"Content-Type": "application/json"}
            url = f"{base}/sandbox/api/messages"
            async with session.post(url, data=body, headers=headers) as response:
                answer = await response.json()
                if response.status != 200:
                    return False
                self._seen.sandbox[message["client_id"]] = answer["message_id"]
                return True
        stamp = str(int(time.time()))
        headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, body)}
        async with session.post(f"{base}/hooks/generic", data=body, headers=headers) as response:
            raw = await response.read()
            if response.status != 200:
                return False
            for reply in json.loads(raw)["replies"]:
                number = int(reply["message_ref"].removeprefix("out-"))
                self._seen.heard(number, f"client {self._name}")
            self._seen.generic.add(message["event_id"])
            return True


async def _far_end(seen: Seen) -> tuple[web.AppRunner, str]:
    """Takes what the bot sends by itself."""

    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        seen.heard(int(request.headers["X-LHG-Delivery"]), f"chat {body['chat']['id']}")
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/out", take)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"http://127.0.0.1:{port}/out"


def _prepare(path: Path) -> None:
    """The sample registry; staff are reached through the webhook too."""
    url = f"sqlite:///{path}"
    upgrade(url)
    engine = engine_for(url)
    connection = writer_connection(engine)
    clock = SystemClock()
    with connection.begin():
        uow = UnitOfWork(connection, Shared(clock.now))
        load_sample(uow, clock)
        for person in uow.people.people():
            if person.is_staff:
                uow.people.save_identity(Identity("generic", person.id, person.id))
    connection.close()
    engine.dispose()


async def campaign(folder: Path, kills: int, port: int, seed: int = 5) -> dict[str, Any]:
    """Kill that many times while the clients post; what was seen, and what is on disk."""
    chance = random.Random(seed)
    path = folder / "lhg.db"
    _prepare(path)
    seen = Seen()
    far, out_url = await _far_end(seen)
    victim = Victim(folder, port, out_url)
    clients = [Client(n, seen) for n in range(1, CLIENTS + 1)]
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for _ in range(kills):
            seen.epoch += 1
            victim.start()
            await victim.ready(session)
            stop = asyncio.Event()
            running = [asyncio.create_task(c.run(session, victim.base, stop)) for c in clients]
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            await _heard_of(seen)
            victim.kill()
            stop.set()
            await asyncio.gather(*running)
        seen.epoch += 1
        with sqlite3.connect(path) as connection:
            connection.execute(_END_LEASES)
        connection.close()
        victim.start()
        await victim.ready(session)
        await _quiet(path)
        victim.kill()
    await far.cleanup()
    return {"kills": kills, "seen": seen, **_disk(path)}


async def _heard_of(seen: Seen) -> None:
    """A machine under load answers late: as many acknowledgements as kills, or the wait is over."""
    for _ in range(500):
        if min(len(seen.generic), len(seen.sandbox)) >= seen.epoch:
            return
        await asyncio.sleep(0.02)


async def _quiet(path: Path) -> None:
    """Until nothing waits any more, or ten minutes of the suite's patience are over."""
    for _ in range(600):
        with sqlite3.connect(path) as connection:
            left = connection.execute(
                "SELECT (SELECT COUNT(*) FROM inbox WHERE state = 'new') + "
                f"(SELECT COUNT(*) FROM outbox WHERE {_UNSENT})"
            ).fetchone()[0]
        connection.close()
        if left == 0:
            return
        await asyncio.sleep(0.1)


def _disk(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(path)

    def rows(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    def number(sql: str) -> int:
        return int(rows(sql)[0][0])

    found = {
        "integrity": rows("PRAGMA integrity_check")[0][0],
        "inbox": rows("SELECT platform, event_id FROM inbox"),
        "waiting": number("SELECT COUNT(*) FROM inbox WHERE state <> 'done'"),
        "unsent": number(f"SELECT COUNT(*) FROM outbox WHERE {_UNSENT}"),
        "tickets": rows("SELECT source_platform, source_message FROM tickets"),
        "numbers": [r[0] for r in rows("SELECT number FROM tickets")],
        "said": rows("SELECT id, client_id FROM sandbox_messages WHERE NOT is_bot"),
        "half": {
            "a ticket without history": number(
                "SELECT COUNT(*) FROM tickets t WHERE NOT EXISTS "
                "(SELECT 1 FROM ticket_history h WHERE h.number = t.number AND h.seq = 1)"
            ),
            "an event answered twice": number(
                "SELECT COUNT(*) FROM (SELECT answers FROM outbox WHERE answers IS NOT NULL "
                "GROUP BY answers HAVING COUNT(*) > 1)"
            ),
            "a message in a ticket twice": number(
                "SELECT COUNT(*) FROM (SELECT 1 FROM ticket_messages WHERE message_id <> '' "
                "GROUP BY platform, message_id HAVING COUNT(*) > 1)"
            ),
            "a delivery in a chat twice": number(
                "SELECT COUNT(*) FROM (SELECT 1 FROM sandbox_messages WHERE delivery IS NOT NULL "
                "GROUP BY delivery HAVING COUNT(*) > 1)"
            ),
        },
    }
    connection.close()
    return found


def repeats(seen: Seen) -> tuple[int, list[str]]:
    """How many messages came again, and each time that a lost receipt does not explain."""
    count = 0
    wrong = []
    lost: Counter[tuple[int, str]] = Counter()
    for delivery, receipts in seen.receipts.items():
        for before, after in pairwise(receipts):
            count += 1
            if before[0] == after[0]:
                wrong.append(f"delivery {delivery} came twice with no kill between")
            lost[before] += 1
    # One destination is served one message at a time: a kill can lose one receipt of it.
    wrong += [f"kill {e}: {n} repeats for {lane}" for (e, lane), n in lost.items() if n > 1]
    return count, wrong


def faults(result: dict[str, Any]) -> list[str]:
    """What must not be; empty when all holds."""
    seen: Seen = result["seen"]
    found = [f"half-written: {name}" for name, count in result["half"].items() if count]
    if result["integrity"] != "ok":
        found.append("the database is damaged")
    inbox, tickets = Counter(result["inbox"]), Counter(result["tickets"])
    acknowledged = {("generic", e) for e in seen.generic}
    acknowledged |= {("sandbox", m) for m in seen.sandbox.values()}
    lost = acknowledged - set(inbox)
    if lost:
        found.append(f"{len(lost)} acknowledged messages are not in the inbox")
    if max(inbox.values(), default=0) > 1:
        found.append("an event is in the inbox twice")
    if max(tickets.values(), default=0) > 1:
        found.append("a message opened two tickets")
    without = {e for e in inbox if e[0] == "generic"} - set(tickets)
    if without:
        found.append(f"{len(without)} messages have no ticket")
    spoken = {("sandbox", str(row[0])) for row in result["said"]}
    if spoken != {e for e in inbox if e[0] == "sandbox"}:
        found.append("the sandbox shows a message that nobody works on, or the reverse")
    if len({row[1] for row in result["said"]}) != len(result["said"]):
        found.append("a message that was posted again stands twice in the sandbox")
    if min(len(seen.generic), len(seen.sandbox)) < result["kills"] or not seen.receipts:
        # Where nothing gets through, nothing can be lost: that proves nothing.
        found.append(f"too little traffic: {len(seen.generic)} and {len(seen.sandbox)}")
    if result["waiting"] or result["unsent"]:
        found.append(f"{result['waiting']} events, {result['unsent']} messages are left over")
    if len(result["numbers"]) != len(set(result["numbers"])):
        found.append("a number was used twice")
    return found + repeats(seen)[1]


def main() -> int:
    import socket
    import tempfile

    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(campaign(Path(folder), kills, port))
    wrong = faults(result)
    seen: Seen = result["seen"]
    print(
        f"kills {kills}, posted {seen.posted}, "
        f"acknowledged {len(seen.generic)} + {len(seen.sandbox)} (webhook + sandbox), "
        f"inbox {len(result['inbox'])}, tickets {len(result['tickets'])}, "
        f"heard {len(seen.receipts)}, again {repeats(seen)[0]}, faults {wrong or 'none'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
