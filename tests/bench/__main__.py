"""Benchmarks P1-P7, P9-P11; each prints its reference beside it. Ratios in one run count."""

import asyncio
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from bot.envelope import Envelope
from tests.kit.wecom import KEY, TOKEN

WORDS = (
    "@小港 车间缺操作工20人，临时招不到",
    "@小港 厂门口路灯坏了5盏，晚上看不见",
    "@小港 货车在路口被拦进不来",
    "@小港 蒸汽压力只有0.4兆帕",
)
ENVELOPE = Envelope(TOKEN, KEY, "")
FIRMS = 3500
SETTINGS = {
    "LHG_ENCODER": "0",  # the goals are stated without it
    "WECOM_AIBOT_ID": "aibOQ3kYw8mC5d",
    "WECOM_AIBOT_TOKEN": TOKEN,
    "WECOM_AIBOT_AES_KEY": KEY,
}


def sealed(number: int) -> tuple[dict[str, str], bytes]:
    """A signed and encrypted group message of about one KB, a firm's contact the sender."""
    plain = json.dumps(
        {
            "msgid": f"b{number}",
            "aibotid": "aibOQ3kYw8mC5d",
            "chatid": f"group{number % 50}",
            "chattype": "group",
            # Each firm tells each of the four problems once: repeats would join, not open.
            "from": {"userid": f"user{number // 4 % FIRMS}"},
            "response_url": "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code="
            + "x" * 300,
            "msgtype": "text",
            "text": {"content": f"{WORDS[number % 4]}，第{number}号车间"},
        },
        ensure_ascii=False,
    ).encode()
    encrypted = ENVELOPE.seal(plain)
    query = {
        "msg_signature": ENVELOPE.signature("1795334400", "n", encrypted),
        "timestamp": "1795334400",
        "nonce": "n",
    }
    return query, json.dumps({"encrypt": encrypted}).encode()


def prepare(folder: Path) -> str:
    """A database with the sample registry and WeCom accounts for its contacts."""
    from bot.clock import SystemClock
    from bot.seed import load_sample
    from storage.db import engine_for, writer_connection
    from storage.migrate import upgrade
    from storage.uow import Shared, UnitOfWork

    url = f"sqlite:///{folder / 'bench.db'}"
    upgrade(url)
    engine = engine_for(url)
    connection = writer_connection(engine)
    with connection.begin():
        uow = UnitOfWork(connection, Shared())
        load_sample(uow, SystemClock())
        many_firms(uow)
    connection.close()
    engine.dispose()
    return url


def many_firms(uow: Any) -> None:
    """A city of firms, each with a contact on WeCom and one of the sample's pairings."""
    from sqlalchemy import text

    rows = [
        {"e": f"B{n:05d}", "p": f"B{n:05d}-1", "u": f"user{n}", "n": f"样板{n}厂"}
        for n in range(FIRMS)
    ]
    for sql in (
        "INSERT INTO enterprises SELECT :e, :n, :n, '[]', industry, area, grid, employees, scale, "
        "0, 0, 0, '', 1 FROM enterprises WHERE id = 'E003'",
        "INSERT INTO people (id, name, role, title, area, phone, enterprise_id, on_leave, "
        "department, on_duty, active) VALUES (:p, '厂长', 'manager', '', '', '', :e, 0, '', 0, 1)",
        "INSERT INTO identities VALUES ('wecom', :u, :p, 1)",
        "INSERT INTO pairings (enterprise_id, liaison_id, leader_id, starts_at) "
        "VALUES (:e, 'P041', 'P028', '2020-01-01 00:00:00.000000')",
    ):
        uow.connection.execute(text(sql), rows)
    for person in ("P041", "P028", "P055"):
        uow.connection.execute(
            text("INSERT INTO identities VALUES ('wecom', :p, :p, 1)"), {"p": person}
        )
    uow.people.changed()


# An installed program has its bytecode; many machines for tests forbid to write any.
_BYTECODE = tempfile.TemporaryDirectory()


class Server:
    """Bare aiohttp or the bot, in a process of its own."""

    def __init__(self, kind: str, url: str = "", port: int = 18_300) -> None:
        self.port = port
        environment = {**os.environ, **SETTINGS, "LHG_LISTEN": f"127.0.0.1:{port}",
                       "LHG_DATABASE_URL": url, "LHG_LOG_FORMAT": "json",
                       "PYTHONPYCACHEPREFIX": _BYTECODE.name}  # fmt: skip
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "bot", "serve"]
        if kind == "bare":
            command = [sys.executable, "-m", "tests.bench.bare", str(port)]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def ready(self) -> float:
        """Seconds from start until it answers."""
        path = "/healthz"
        async with aiohttp.ClientSession() as session:
            for _ in range(3000):
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}{path}"):
                        return time.perf_counter() - self.started
                except aiohttp.ClientError:
                    await asyncio.sleep(0.002)
        raise RuntimeError("the server did not come up")

    def memory(self) -> float:
        """Resident MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


async def load(port: int, requests: list[Any], connections: int) -> float:
    """Requests a second in a closed loop."""
    queue = iter(requests)
    connector = aiohttp.TCPConnector(limit=connections)
    url = f"http://127.0.0.1:{port}/hooks/wecom/aibot"
    async with aiohttp.ClientSession(connector=connector) as session:

        async def client() -> int:
            bad = 0
            for query, body in queue:
                async with session.post(url, params=query, data=body) as response:
                    await response.read()
                    bad += response.status != 200
            return bad

        started = time.perf_counter()
        bad = sum(await asyncio.gather(*(client() for _ in range(connections))))
        seconds = time.perf_counter() - started
    if bad:
        print(f"  ({bad} of {len(requests)} were not answered with 200)")
    return len(requests) / seconds


async def open_loop(port: int, requests: list[Any], rate: float) -> float:
    """p99 milliseconds at a fixed arrival rate."""
    url = f"http://127.0.0.1:{port}/hooks/wecom/aibot"
    times: list[float] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(query: Any, body: bytes) -> None:
            started = time.perf_counter()
            async with session.post(url, params=query, data=body) as response:
                await response.read()
            times.append(time.perf_counter() - started)

        begin, tasks = time.perf_counter(), []
        for number, (query, body) in enumerate(requests):
            await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(one(query, body)))
        await asyncio.gather(*tasks)
    return sorted(times)[int(len(times) * 0.99)] * 1000


def row(name: str, ours: str, reference: str, ratio: float, floor: str, goal: str) -> None:
    print(
        f"{name:4} ours {ours:>18}  reference {reference:>18}  ratio {ratio:6.2f}  floor {floor:>6}  goal {goal:>6}"
    )


async def receive(folder: Path) -> None:
    """P1, P2, P10, P11."""
    url = prepare(folder)
    requests = [sealed(n) for n in range(12_000)]
    for kind in ("bare", "bot"):
        # The first start writes the bytecode.
        first = Server(kind, url, 18_300)
        await first.ready()
        first.stop()
    bare_server = Server("bare", port=18_301)
    bare_start = await bare_server.ready()
    ours = Server("bot", url, 18_302)
    start = await ours.ready()
    idle = ours.memory()
    for server in (bare_server, ours):
        await load(server.port, requests[:500], 16)
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(3):
        part = requests[500 + turn * 3000 : 3500 + turn * 3000]
        rates["bare"].append(await load(bare_server.port, part, 16))
        rates["ours"].append(await load(ours.port, part, 16))
    bare_rate, our_rate = statistics.median(rates["bare"]), statistics.median(rates["ours"])
    row(
        "P1",
        f"{our_rate:.0f} tickets/s",
        f"{bare_rate:.0f} req/s",
        our_rate / bare_rate,
        "0.15",
        "0.41",
    )
    rest = requests[9500:]
    bare_p99 = await open_loop(bare_server.port, rest[:1000], 100)
    our_p99 = await open_loop(ours.port, rest[:1000], 100)
    row("P2", f"p99 {our_p99:.1f} ms", f"p99 {bare_p99:.1f} ms", our_p99 / bare_p99, "2.5", "1.5")
    row("P10", f"{start:.2f} s", f"{bare_start:.2f} s", start / bare_start, "3.5", "2.5")
    after = ours.memory()
    row("P11", f"{idle:.0f} / {after:.0f} MB", "120 / 150 MB", after / 150, "1.0", "0.67")
    bare_server.stop()
    ours.stop()


def receive_path() -> None:
    """P3: verify, decrypt, take out the fields; processor time over a bare handler's. P9 beside."""
    from bot.app import build_platforms, platform_settings
    from bot.platform import RawRequest
    from bot.settings import load as load_settings
    from handlers.chat.events import InboundEvent
    from handlers.understanding import read

    platform = build_platforms(load_settings(platform_settings(), overrides=SETTINGS))["wecom"]
    requests = [sealed(n) for n in range(3000)]

    def decode(query: dict[str, str], body: bytes) -> InboundEvent:
        return platform.decode(RawRequest("POST", "aibot", query, {}, body, 0.0)).events[0]

    events = [decode(*request) for request in requests]
    seconds = processor(lambda: [decode(*request) for request in requests]) / len(requests)
    reading = processor(lambda: [read(e.text, "manager", "text", True) for e in events])
    bare_seconds = asyncio.run(bare_processor(len(requests)))
    total = bare_seconds + seconds
    row(
        "P3",
        f"{total * 1e6:.0f} us",
        f"{bare_seconds * 1e6:.0f} us",
        total / bare_seconds,
        "2.5",
        "2.0",
    )
    milliseconds = reading / len(events) * 1000
    row("P9", f"{milliseconds:.2f} ms", "0.6 ms", milliseconds / 0.6, "1.0", "0.33")


async def bare_processor(count: int) -> float:
    """Processor seconds a request of a bare aiohttp server."""
    server = Server("bare", port=18_303)
    await server.ready()
    requests = [sealed(n) for n in range(count)]
    before = server.cpu()
    await load(server.port, requests, 16)
    used = server.cpu() - before
    server.stop()
    return used / count


def processor(function: Callable[[], Any]) -> float:
    before = time.process_time()
    function()
    return time.process_time() - before


def writing(folder: Path) -> None:
    """P4: the writer with 64 producers, over the same rows put in by bare sqlite3, 128 a commit."""
    ours = asyncio.run(through_writer(folder))
    raw = raw_limit(folder / "writer.db", folder / "raw.db")
    row("P4", f"{ours:.0f} tickets/s", f"{raw:.0f} tickets/s", ours / raw, "0.25", "0.40")


def raw_limit(filled: Path, empty: Path) -> float:
    """The rows of `filled` into the same tables with the same indexes, by prepared tuples."""
    from storage.migrate import upgrade

    upgrade(f"sqlite:///{empty}")
    tables = ("inbox", "tickets", "ticket_history", "outbox")
    source = sqlite3.connect(filled)
    rows = {t: source.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in tables}
    source.close()
    count = len(rows["tickets"])
    connection = sqlite3.connect(empty, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    inserts = {t: f"INSERT INTO {t} VALUES ({', '.join('?' * len(rows[t][0]))})" for t in tables}
    started = time.perf_counter()
    for batch in range(0, count, 128):
        connection.execute("BEGIN IMMEDIATE")
        for n in range(batch, min(batch + 128, count)):
            for table in tables:
                connection.execute(inserts[table], rows[table][n])
        connection.execute("COMMIT")
    rate = count / (time.perf_counter() - started)
    connection.close()
    return rate


async def through_writer(folder: Path) -> float:
    """Four rows a piece through the writer: inbox, ticket with history, outbox."""
    from bot.writer import Writer
    from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, UserRef
    from handlers.chat.outbound import Content
    from handlers.domain.ticket import Move, entry_of
    from handlers.ports import Outgoing
    from storage.db import engine_for
    from storage.migrate import upgrade
    from storage.uow import Shared, UnitOfWork
    from tests.kit.builders import NOW, a_ticket

    url = f"sqlite:///{folder / 'writer.db'}"
    upgrade(url)
    engine = engine_for(url)
    from sqlalchemy import text

    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO enterprises VALUES ('E003','泓曜','泓曜','[]','','',1,1,'',0,1,0,'',1)"
            )
        )
    writer = Writer(engine, Shared(), most_waiting=5000)
    writer.start()
    total = 12_000
    numbers = iter(range(2000, 2000 + total))

    def piece(number: int) -> Callable[[UnitOfWork], None]:
        ticket = a_ticket(number, reporter_id=None, owner_id=None)
        event = InboundEvent(
            "bench", f"e{number}", EventKind.MESSAGE, NOW, ChatRef("bench", f"g{number % 50}"),
            ChatKind.GROUP, UserRef("bench", "u"), text="车间缺操作工20人，临时招不到",
        )  # fmt: skip
        message = Outgoing(Content("已登记"), chat=event.chat, ticket=ticket.number)

        def work(uow: UnitOfWork) -> None:
            uow.inbox.take(event)
            uow.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, None, "", NOW))
            uow.outbox.put(message)

        return work

    async def producer() -> None:
        for number in numbers:
            await writer.run(piece(number))

    started = time.perf_counter()
    await asyncio.gather(*(producer() for _ in range(64)))
    rate = total / (time.perf_counter() - started)
    await writer.stop()
    return rate


def sweeping(url: str, name: str, sizes: tuple[int, ...]) -> None:
    """P5: finding 20 due tickets, an idle sweep, and a whole sweep of the 20, by open tickets."""
    from datetime import timedelta

    from storage.migrate import upgrade
    from tests.kit.builders import NOW
    from tests.kit.office import Office

    upgrade(url)
    found: dict[int, tuple[float, float, float]] = {}
    with Office(url) as office:
        for n in range(20):
            office.submit(firm=n, message=f"m{n}")
        office.send()
        have = 0
        for size in sizes:
            many_open(office, have, size)
            have = size
            office.clock.value = NOW + timedelta(hours=1)
            idle = middle(lambda: office.sweep(), 60)
            office.clock.value = NOW + timedelta(hours=6)
            find = middle(
                lambda: office.work(lambda uow: uow.tickets.due(office.clock.now(), 200)), 60
            )
            found[size] = idle, find, middle(lambda: undone(office), 9)
    base = found[sizes[0]]
    for size, (idle, find, whole) in found.items():
        row(
            "P5",
            f"{name} {size:.0e}: {find:.2f} ms",
            f"{base[1]:.2f} ms",
            find / base[1],
            "3, 2ms",
            "1.5",
        )
        print(
            f"     idle sweep {idle:.2f} ms (below 1 ms), sweep of 20 due {whole:.1f} ms, "
            f"over {sizes[0]:.0e}: {whole / base[2]:.2f}"
        )


def middle(function: Callable[[], Any], times: int) -> float:
    """Median milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def undone(office: Any) -> None:
    """A whole sweep, taken back."""
    from handlers.services.reminders import ReminderService
    from handlers.services.tickets import TicketService
    from storage.uow import UnitOfWork

    with office.connection.begin() as transaction:
        uow = UnitOfWork(office.connection, office.shared)
        calendar = uow.calendar.current()
        tickets = TicketService(uow, office.clock, calendar)
        count = ReminderService(uow, office.clock, calendar, tickets).sweep()
        transaction.rollback()
    if count != 20:
        raise RuntimeError(f"{count} were due, not 20")


def many_open(office: Any, have: int, size: int) -> None:
    """Copies of one open ticket whose next rung lies far ahead."""
    from sqlalchemy import text

    from storage.tables.tickets import TicketRow

    made = {
        "number": "1000000 + n",
        "code": "'C' || n",
        "source_message": "'s' || n",
        "next_due_at": "'2027-06-01 01:00:00.000000'",
    }
    postgres = office.engine.dialect.name == "postgresql"
    if postgres:
        made["next_due_at"] = "TIMESTAMP '2027-06-01 01:00:00'"
    names = [c.name for c in TicketRow.__table__.columns]  # type: ignore[attr-defined]
    chosen = ", ".join(made.get(name, f"t.{name}") for name in names)
    with office.unit() as uow:
        uow.connection.execute(
            text(
                "WITH RECURSIVE counted(n) AS (SELECT CAST(:first AS INTEGER) UNION ALL "
                "SELECT n + 1 FROM counted WHERE n + 1 < :last) "
                f"INSERT INTO tickets ({', '.join(names)}) "
                f"SELECT {chosen} FROM counted, tickets t WHERE t.number = 1001"
            ),
            {"first": have, "last": size},
        )
    if postgres:
        with office.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("VACUUM ANALYZE tickets")
            )


# A tenth of a robot's minute: with much less, what is measured is the processor, not the waiting.
WINDOW = 6.0
PER_WINDOW = 20


def crowded(messages: int, groups: int) -> list[str]:
    """Where each message goes: the first group has five windows' worth, the others share the rest."""
    busiest = 5 * PER_WINDOW
    rest = [f"g{1 + n % (groups - 1)}" for n in range(messages - busiest)]
    # In between each other, as an office's announcements come.
    for n in range(busiest):
        rest.insert(n * len(rest) // busiest, "g0")
    return rest


async def broadcast(folder: Path) -> None:
    """P6: 1,000 messages to 50 groups at 20 per window over the shortest possible time, and P7:
    an urgent message to another group meanwhile.

    The shortest possible: the busiest group's last message cannot go before as many windows are
    over as its messages fill but for the last one.
    """
    from handlers.chat.outbound import Priority
    from storage.migrate import upgrade
    from tests.kit.fake_platform import MoodyServer
    from tests.property.test_sending import message, sending

    url = f"sqlite:///{folder / 'broadcast.db'}"
    upgrade(url)
    chats = crowded(1000, 50)
    async with (
        MoodyServer(per=WINDOW, count=PER_WINDOW) as server,
        sending(url, server) as (writer, dispatcher),
    ):
        await writer.run(
            lambda uow: [uow.outbox.put(message(chat, Priority.BROADCAST)) for chat in chats]
        )
        began = time.perf_counter()
        dispatcher.wake()
        await asyncio.sleep(0.2)
        started = time.perf_counter()
        await writer.run(lambda uow: uow.outbox.put(message("other", Priority.URGENT)))
        dispatcher.wake()
        while not server.taken["other"]:
            await asyncio.sleep(0.001)
        waited = time.perf_counter() - started
        while sum(len(rows) for rows in server.taken.values()) < len(chats) + 1:
            await asyncio.sleep(0.001)
        took = time.perf_counter() - began
    busiest = max(chats.count(chat) for chat in set(chats))
    shortest = (-(-busiest // PER_WINDOW) - 1) * WINDOW
    row(
        "P6",
        f"{took:.2f} s, {server.overrun} ref",
        f"{shortest:.2f} s",
        took / shortest,
        "1.10",
        "1.03",
    )
    row("P7", f"{waited * 1000:.0f} ms", "1000 ms", waited, "1.0", "0.2")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        asyncio.run(receive(place))
        receive_path()
        writing(place)
        asyncio.run(broadcast(place))
        sweeping(f"sqlite:///{place / 'sweep.db'}", "SQLite", (1_000, 30_000, 1_000_000))
        postgres = os.environ.get("TEST_DATABASE_URL")
        if postgres:
            sweeping(postgres, "PostgreSQL", (1_000, 30_000, 1_000_000))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"(load generator and reference on the same cores; generator peak {peak:.0f} MB)")


if __name__ == "__main__":
    main()
