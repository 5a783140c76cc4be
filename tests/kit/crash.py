"""Kill -9 while clients post, again and again; then look at what is on disk."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from bot.platforms.generic import signature

SECRET = "generic-secret-0123456789"
WORDS = ("缺操作工20人招不到", "厂门口路灯坏了5盏", "货车在路口被拦进不来", "蒸汽压力只有0.4兆帕")


class Victim:
    """A served bot in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hooks/generic"

    def start(self) -> None:
        environment = {
            **os.environ,
            "LHG_DATABASE_URL": f"sqlite:///{self._folder / 'lhg.db'}",
            "LHG_LISTEN": f"127.0.0.1:{self._port}",
            "LHG_SANDBOX": "0",
            "GENERIC_SECRET": SECRET,
            "GENERIC_OUT_URL": "",
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
        for _ in range(400):
            try:
                async with session.get(self.url.replace("/hooks/generic", "/healthz")) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        raise RuntimeError("the bot did not come up")


async def _client(
    session: aiohttp.ClientSession, url: str, name: int, stop: asyncio.Event, acked: set[str],
    sent: dict[str, int], counter: list[int],
) -> None:  # fmt: skip
    while not stop.is_set():
        counter[0] += 1
        event_id = f"k{name}-{counter[0]}"
        body = json.dumps(
            {
                "event_id": event_id,
                "chat": {"id": f"g{name % 5}", "kind": "group", "title": "群"},
                "sender": {"id": f"u{name}", "name": "某人"},
                "text": f"@小港 {WORDS[counter[0] % 4]}，第{counter[0]}次",
                "mention_bot": True,
            }
        ).encode()
        stamp = str(int(time.time()))
        headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, body)}
        try:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                if response.status == 200:
                    acked.add(event_id)
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(0.01)


async def campaign(folder: Path, kills: int, port: int, seed: int = 5) -> dict[str, Any]:
    """Kill that many times while 16 clients post; what was acknowledged, and what is on disk."""
    chance = random.Random(seed)
    acked: set[str] = set()
    counter = [0]
    victim = Victim(folder, port)
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for _ in range(kills):
            victim.start()
            await victim.ready(session)
            stop = asyncio.Event()
            clients = [
                asyncio.create_task(_client(session, victim.url, n, stop, acked, {}, counter))
                for n in range(16)
            ]
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            victim.kill()
            stop.set()
            await asyncio.gather(*clients)
        victim.start()
        await victim.ready(session)
        await asyncio.sleep(2.5)
        victim.kill()
    return {"kills": kills, "acknowledged": acked, "posted": counter[0], **_disk(folder / "lhg.db")}


def _disk(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(path)

    def rows(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    found = {
        "integrity": rows("PRAGMA integrity_check")[0][0],
        "inbox": [r[0] for r in rows("SELECT event_id FROM inbox")],
        "waiting": rows("SELECT COUNT(*) FROM inbox WHERE state <> 'done'")[0][0],
        "tickets": [r[0] for r in rows("SELECT source_message FROM tickets")],
        "without_history": rows(
            "SELECT COUNT(*) FROM tickets t WHERE NOT EXISTS "
            "(SELECT 1 FROM ticket_history h WHERE h.number = t.number AND h.seq = 1)"
        )[0][0],
        "numbers": [r[0] for r in rows("SELECT number FROM tickets")],
        "answers_twice": rows(
            "SELECT COUNT(*) FROM (SELECT answers FROM outbox WHERE answers IS NOT NULL "
            "GROUP BY answers HAVING COUNT(*) > 1)"
        )[0][0],
    }
    connection.close()
    return found


def faults(result: dict[str, Any]) -> list[str]:
    """What must not be; empty when all holds."""
    found = []
    if result["integrity"] != "ok":
        found.append("the database is damaged")
    lost = result["acknowledged"] - set(result["inbox"])
    if lost:
        found.append(f"{len(lost)} acknowledged messages are not in the inbox")
    if len(result["inbox"]) != len(set(result["inbox"])):
        found.append("an event is in the inbox twice")
    if len(result["tickets"]) != len(set(result["tickets"])):
        found.append("a message opened two tickets")
    without = set(result["inbox"]) - set(result["tickets"])
    if without:
        found.append(f"{len(without)} messages have no ticket")
    if result["waiting"]:
        found.append(f"{result['waiting']} events were not worked on")
    if result["without_history"] or result["answers_twice"]:
        found.append("half-written state")
    if len(result["numbers"]) != len(set(result["numbers"])):
        found.append("a number was used twice")
    return found


def main() -> int:
    import tempfile

    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(campaign(Path(folder), kills, 18_231))
    wrong = faults(result)
    print(
        f"kills {kills}, posted {result['posted']}, acknowledged {len(result['acknowledged'])}, "
        f"inbox {len(result['inbox'])}, tickets {len(result['tickets'])}, faults {wrong or 'none'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
