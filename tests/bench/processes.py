"""P12: durable ingest by four processes on one PostgreSQL over ingest by one.

`python -m tests.bench.processes [PROCESSES]`. The load generators, the database and the bot share
the machine's cores: four processes cannot be more than the cores allow.
"""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

from tests.bench.__main__ import FIRMS, SETTINGS, load, row, sealed
from tests.kit.postgres import binaries, free_port, fresh, running

COUNT = 3000
WARM = 400
CONNECTIONS = 32


def message(number: int) -> Any:
    """Each firm tells one thing, so that every message opens a ticket in whatever order it comes."""
    return sealed(4 * number + number % 4)


def prepare(url: str) -> None:
    """The sample registry, and a city of firms with a contact on WeCom each."""
    from sqlalchemy import text

    from bot.clock import SystemClock
    from bot.seed import load_sample
    from storage.db import engine_for
    from storage.uow import Shared, UnitOfWork

    engine = engine_for(url)
    with engine.begin() as connection:
        uow = UnitOfWork(connection, Shared())
        load_sample(uow, SystemClock())
        for sql in (
            "INSERT INTO enterprises SELECT 'B' || n, '样板' || n || '厂', '样板' || n || '厂', '[]', "
            "industry, area, grid, employees, scale, false, false, false, '', true "
            "FROM enterprises, generate_series(0, :last) n WHERE id = 'E003'",
            "INSERT INTO people (id, name, role, title, area, phone, enterprise_id, on_leave, "
            "department, on_duty, active) SELECT 'B' || n || '-1', '厂长', 'manager', '', '', '', "
            "'B' || n, false, '', false, true FROM generate_series(0, :last) n",
            "INSERT INTO identities SELECT 'wecom', 'user' || n, 'B' || n || '-1', true "
            "FROM generate_series(0, :last) n",
            "INSERT INTO pairings (enterprise_id, liaison_id, leader_id, starts_at) "
            "SELECT 'B' || n, 'P041', 'P028', TIMESTAMP '2020-01-01' "
            "FROM generate_series(0, :last) n",
        ):
            connection.execute(text(sql), {"last": FIRMS - 1})
        uow.people.changed()
    engine.dispose()


def start(url: str, port: int) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        **SETTINGS,
        "LHG_LISTEN": f"127.0.0.1:{port}",
        "LHG_DATABASE_URL": url,
        "LHG_LOG_FORMAT": "json",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def up(port: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        for _ in range(3000):
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
    raise RuntimeError("the server did not come up")


async def ingest(server: str, processes: int, requests: list[Any]) -> tuple[float, dict[str, int]]:
    """Messages a second that were on disk when they were acknowledged, and what is there then."""
    url = await asyncio.to_thread(fresh, server)
    await asyncio.to_thread(prepare, url)
    ports = [free_port() for _ in range(processes)]
    bots = [start(url, port) for port in ports]
    try:
        for port in ports:
            await up(port)
        await asyncio.gather(
            *(load(p, requests[n:WARM:processes], CONNECTIONS) for n, p in enumerate(ports))
        )
        # One generator a port, in a process of its own: one for all would be what is measured.
        generators = [await _generator(port, WARM + n, processes) for n, port in enumerate(ports)]
        began = time.perf_counter()
        for generator in generators:
            assert generator.stdin is not None
            generator.stdin.write(b"go\n")
        if any(await asyncio.gather(*(generator.wait() for generator in generators))):
            raise RuntimeError("a load generator failed")
        seconds = time.perf_counter() - began
        return COUNT / seconds, await asyncio.to_thread(_found, url)
    finally:
        for bot in bots:
            bot.terminate()
        for bot in bots:
            bot.wait()


async def _generator(port: int, first: int, step: int) -> asyncio.subprocess.Process:
    """One that has made its messages and waits for a line."""
    pipe = asyncio.subprocess.PIPE
    command = ["-m", "tests.bench.processes", "load", str(port), str(first), str(step)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


def _found(url: str) -> dict[str, int]:
    import psycopg

    asked = {
        "inbox": "SELECT COUNT(*) FROM inbox WHERE state = 'done'",
        "tickets": "SELECT COUNT(*) FROM tickets",
        "doubled": "SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE answers IS NOT NULL "
        "GROUP BY answers, chat, content HAVING COUNT(*) > 1) twice",
        "sent more than once": "SELECT COUNT(*) FROM outbox WHERE attempts > 1 AND state = 'sent'",
    }
    with psycopg.connect(url) as connection:
        found = {}
        for name, sql in asked.items():
            answer = connection.execute(sql).fetchone()  # type: ignore[arg-type]
            assert answer is not None
            found[name] = int(answer[0])
    return found


def main() -> int:
    if sys.argv[1:2] == ["load"]:
        port, first, step = map(int, sys.argv[2:5])
        mine = [message(n) for n in range(first, WARM + COUNT, step)]
        print("made", flush=True)
        sys.stdin.readline()
        asyncio.run(load(port, mine, max(2, CONNECTIONS // step)))
        return 0
    folder = binaries()
    if folder is None:
        print("no PostgreSQL server: apt-get install postgresql")
        return 2
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    requests = [message(n) for n in range(WARM)]
    with running(folder, durable=True) as server:
        one, there = asyncio.run(ingest(server, 1, requests))
        print(f"1 process: {one:.0f}/s, {there}")
        all_of_them, there = asyncio.run(ingest(server, many, requests))
        print(f"{many} processes: {all_of_them:.0f}/s, {there}")
    row(
        "P12",
        f"{all_of_them:.0f}/s by {many}",
        f"{one:.0f}/s by 1",
        all_of_them / one,
        "1.5",
        "1.9",
    )
    print(f"({os.cpu_count()} cores for the bot, the database and the load generators together)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
