"""Several whole processes on one PostgreSQL database, killed at random points.

The full form: python -m tests.kit.processes, or one part of it: sweeps, sending, serving.
"""

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import text

from bot.clock import SystemClock
from bot.dispatcher import Dispatcher, Pace
from bot.leading import LEADER, Ownership
from bot.platforms.generic import signature
from bot.seed import load_sample
from bot.writer import Writer
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Priority
from handlers.domain.category import Urgency
from handlers.domain.people import Identity
from handlers.ports import Outgoing
from storage.db import engine_for, writer_connection
from storage.locks import holding
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import NOW
from tests.kit.killing import STEP, disk
from tests.kit.office import Hand, Office, repeated
from tests.kit.postgres import binaries, free_port, fresh, running

SECRET = "generic-secret-0123456789"
TOKEN = "bootstrap-token-for-tests"
Result = dict[str, Any]


# ---- sweeping together


class _Sweeper:
    """A process that sweeps and sends whenever it is told which step it is."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pid = 0
        self._ask = self._answer = -1
        self.start()

    def start(self) -> None:
        read_step, self._ask = os.pipe()
        self._answer, write_done = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(read_step)
            os.close(write_done)
            return
        status = 1
        try:
            _sweep(self._url, read_step, write_done)
            status = 0
        finally:
            os._exit(status)

    def tell(self, step: int) -> None:
        os.write(self._ask, f"{step}\n".encode())

    def done(self) -> None:
        """Wait for the step's end."""
        ready, _, _ = select.select([self._answer], [], [], 60)
        if not ready or os.read(self._answer, 64) == b"":
            raise RuntimeError("a sweeping process failed")

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        # Other children have copies of our end, so closing it would tell nothing.
        os.write(self._ask, b"stop\n")
        self._end()

    def _end(self) -> None:
        os.waitpid(self._pid, 0)
        os.close(self._ask)
        os.close(self._answer)


def _sweep(url: str, read_step: int, write_done: int) -> None:
    with os.fdopen(read_step) as steps, Office(url, Hand(NOW), fresh=False) as office:
        for line in iter(steps.readline, "stop\n"):
            office.clock.value = NOW + STEP * int(line)
            while office.sweep(limit=5):
                office.send()
            office.send()
            os.write(write_done, b"done\n")


def _opened(url: str, tickets: int) -> None:
    with Office(url) as office:
        for n in range(tickets):
            office.submit(list(Urgency)[n % 4], n, f"m{n}")


def sweeps(server: str, kills: int, seed: int = 7, tickets: int = 24, steps: int = 192) -> Result:
    """Two processes sweep every step together, one of them killed in some; and one alone."""
    chance = random.Random(seed)
    together, alone = fresh(server), fresh(server)
    for url in (together, alone):
        _opened(url, tickets)
    both = [_Sweeper(together), _Sweeper(together)]
    killed = 0
    chosen = set(chance.sample(range(steps), min(kills, steps)))
    for step in range(steps):
        for one in both:
            one.tell(step)
        if step in chosen:
            victim = chance.choice(both)
            time.sleep(chance.uniform(0.0, 0.06))
            victim.kill()
            killed += 1
            next(one for one in both if one is not victim).done()
            # Waited for in real life.
            _end_leases(together)
            victim.start()
            victim.tell(step)
            victim.done()
        else:
            for one in both:
                one.done()
    for one in both:
        one.stop()
    single = _Sweeper(alone)
    for step in range(steps):
        single.tell(step)
        single.done()
    single.stop()
    return {"kills": killed, "together": disk(together), "alone": disk(alone)}


def _end_leases(url: str) -> None:
    with Office(url, fresh=False) as office:
        office.work(
            lambda uow: uow.connection.execute(
                text("UPDATE outbox SET lease_until = 0 WHERE state = 'sending'")
            )
        )


def sweep_faults(result: Result) -> list[str]:
    """What must not be; empty when all holds."""
    together, alone = result["together"], result["alone"]
    found = []
    if repeated(together["firings"]):
        found.append("a rung fired twice")
    for what in ("firings", "told", "levels"):
        if together[what] != alone[what]:
            extra = set(together[what]) ^ set(alone[what])
            found.append(f"{what} differ: {sorted(extra, key=str)[:3]}")
    if len(alone["firings"]) < 20:
        found.append("too little happened")
    return found


# ---- sending, the sender killed on the way

# A robot's window, and how long a claim holds: short, so that many fit into a test.
WINDOW_SECONDS = 6.0
WINDOW_COUNT = 20
_PACE = Pace(send_seconds=1.0, first_retry=0.05, longest_retry=0.5, patience=0.3, lease=5.0)


def _sender(url: str, far: str) -> None:
    """The process: whoever leads sends."""
    from tests.kit.fake_platform import FakePlatform

    class Far:
        """Where a far end in another process is found, as MoodyServer says it."""

        per, count = WINDOW_SECONDS, WINDOW_COUNT
        server: Any

    place = Far()
    place.server = place
    place.make_url = lambda path: f"{far}{path}"  # type: ignore[attr-defined]

    async def run() -> None:
        ownership = Ownership(holding(url))
        writer = Writer(engine_for(url), Shared(SystemClock().now, ("fake",)))
        platform = FakePlatform(place)  # type: ignore[arg-type]
        dispatcher = Dispatcher(
            writer, {"fake": platform}, SystemClock().now, _PACE, ownership.leads, ownership.ring
        )
        ownership.want(LEADER, lambda leads: dispatcher.woken())
        ownership.on_bell(dispatcher.woken)
        ownership.start()
        writer.start()
        dispatcher.start()
        await asyncio.Event().wait()

    asyncio.run(run())


@dataclass(slots=True)
class FarEnd:
    """Takes what is sent; `hits` as its window counts them."""

    taken: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    most_in_window: int = 0
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "FarEnd":
        application = web.Application()
        application.router.add_post("/{lane}", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        lane = request.match_info["lane"]
        body = await request.json()
        now = time.monotonic()
        taken = self.taken[lane]
        taken.append((now, int(body["id"])))
        recent = sum(1 for at, _ in taken if at > now - WINDOW_SECONDS)
        self.most_in_window = max(self.most_in_window, recent)
        return web.json_response({})


async def sending(
    server: str, kills: int, processes: int = 2, lanes: int = 6, each: int = 45, seed: int = 3
) -> Result:
    """A broadcast to some robots, the process that leads killed on the way, again and again."""
    chance = random.Random(seed)
    url = fresh(server)
    rows = await _broadcast(url, lanes, each)
    async with FarEnd() as far:
        running_ones = [_start_sender(url, far.url) for _ in range(processes)]
        pauses: list[float] = []
        try:
            for kill in range(kills):
                await _progress(far, (kill + 1) * lanes * each // (kills + 2))
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                leader = await _leading(url)
                victim = next(p for p in running_ones if p.pid == leader)
                victim.kill()
                victim.wait()
                before = time.monotonic()
                running_ones.remove(victim)
                while (await _leading(url)) in (None, leader):
                    await asyncio.sleep(0.05)
                pauses.append(time.monotonic() - before)
                running_ones.append(_start_sender(url, far.url))
            left = await _all_ended(url, 120)
        finally:
            for process in running_ones:
                process.kill()
                process.wait()
        return {
            "kills": kills,
            "rows": rows,
            "left": left,
            "taken": {lane: list(taken) for lane, taken in far.taken.items()},
            "most_in_window": far.most_in_window,
            "pauses": pauses,
        }


async def _broadcast(url: str, lanes: int, each: int) -> dict[str, list[int]]:
    writer = Writer(engine_for(url), Shared(SystemClock().now, ("fake",)))
    writer.start()

    def put(uow: UnitOfWork) -> dict[str, list[int]]:
        made: dict[str, list[int]] = defaultdict(list)
        for _ in range(each):
            for lane in range(lanes):
                message = Outgoing(
                    Content("停水通知"),
                    chat=ChatRef("fake", f"g{lane}"),
                    chat_kind=ChatKind.GROUP,
                    priority=Priority.BROADCAST,
                )
                number = uow.outbox.put(message)
                assert number is not None
                made[f"g{lane}"].append(number)
        return dict(made)

    rows = await writer.run(put)
    await writer.stop()
    return rows


def _start_sender(url: str, far: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.kit.processes", "sender", url, far]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _progress(far: FarEnd, wanted: int) -> None:
    for _ in range(6000):
        if sum(len(taken) for taken in far.taken.values()) >= wanted:
            return
        await asyncio.sleep(0.02)
    raise RuntimeError("nothing is sent")


def _query(url: str, sql: str, values: Any = ()) -> list[Any]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql, values).fetchall()  # type: ignore[arg-type]


async def _leading(url: str) -> int | None:
    """The process that holds the leader's lock."""
    rows = await asyncio.to_thread(
        _query,
        url,
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.classid = 4080 AND l.granted "
        "AND a.datname = current_database()",
    )
    return int(rows[0][0].removeprefix("lhg ")) if rows else None


async def _all_ended(url: str, seconds: float) -> int:
    """How many messages are still under way when nothing is, or time is over."""
    left = -1
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        rows = await asyncio.to_thread(
            _query, url, "SELECT COUNT(*) FROM outbox WHERE state IN ('waiting','sending')"
        )
        left = int(rows[0][0])
        if left == 0:
            break
        await asyncio.sleep(0.1)
    return left


def send_faults(result: Result) -> list[str]:
    """What must not be; empty when all holds."""
    found = []
    if result["left"]:
        found.append(f"{result['left']} messages are left over")
    again = 0
    for lane, rows in result["rows"].items():
        ids = [number for _, number in result["taken"].get(lane, ())]
        if set(ids) != set(rows):
            found.append(f"{lane}: {len(set(rows) - set(ids))} never came")
        repeats = sum(count - 1 for count in Counter(ids).values())
        again += repeats
        if repeats > result["kills"]:
            found.append(f"{lane}: {repeats} came again, more than a kill explains")
        first = list(dict.fromkeys(ids))
        if first != sorted(first):
            found.append(f"{lane}: the order is lost")
    if result["most_in_window"] > WINDOW_COUNT:
        found.append(f"{result['most_in_window']} in one window of {WINDOW_COUNT}")
    if max(result["pauses"], default=0.0) > 15.0:
        found.append(f"nobody led for {max(result['pauses']):.1f} s")
    return found


# ---- the whole bot, served several times


@dataclass(slots=True)
class Told:
    """What the bot said by itself, and which process said it."""

    at: float
    process: str
    delivery: str
    body: dict[str, Any]


class Serving:
    """`python -m bot serve`, several times on one database; `async with`."""

    def __init__(self, url: str, processes: int = 2, **settings: str) -> None:
        self.url = url
        self.told: list[Told] = []
        self._settings = settings
        self._count = processes
        self.ports: list[int] = []
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._runner: web.AppRunner | None = None
        self._out = ""
        self.session: aiohttp.ClientSession

    async def __aenter__(self) -> "Serving":
        _registry(self.url)
        application = web.Application()
        application.router.add_post("/{process}", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._out = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        for _ in range(self._count):
            self.start()
        for port in self.ports:
            await self.ready(port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        for process in self._processes.values():
            process.kill()
            process.wait()
        assert self._runner is not None
        await self._runner.cleanup()

    def start(self) -> int:
        port = free_port()
        environment = {
            **os.environ,
            "LHG_DATABASE_URL": self.url,
            "LHG_LISTEN": f"127.0.0.1:{port}",
            "LHG_ENCODER": "0",
            "LHG_SECRET_KEY": "one-key-for-all-processes-0123456789",
            "LHG_BOOTSTRAP_TOKEN": TOKEN,
            "LHG_LOG_FORMAT": "json",
            "GENERIC_SECRET": SECRET,
            "GENERIC_OUT_URL": f"{self._out}/{port}",
            **self._settings,
        }
        self._processes[port] = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.ports.append(port)
        return port

    async def _take(self, request: web.Request) -> web.Response:
        delivery = request.headers["X-LHG-Delivery"]
        process = request.match_info["process"]
        self.told.append(Told(time.monotonic(), process, delivery, await request.json()))
        return web.json_response({})

    async def ready(self, port: int) -> None:
        for _ in range(1500):
            try:
                async with self.session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)
        raise RuntimeError("a process did not come up")

    async def readiness(self, port: int) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"http://127.0.0.1:{port}/readyz") as response:
            return response.status, dict(await response.json())

    async def leaders(self) -> list[int]:
        """The ports whose process says that it leads."""
        found = []
        for port in self.ports:
            _, seen = await self.readiness(port)
            if seen["leads"]:
                found.append(port)
        return found

    async def one_leads(self, seconds: float = 20.0) -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = await self.leaders()
            if len(found) == 1:
                return found[0]
            await asyncio.sleep(0.05)
        raise RuntimeError("nobody leads")

    def signal(self, port: int, number: signal.Signals) -> None:
        self._processes[port].send_signal(number)

    def kill(self, port: int) -> None:
        process = self._processes.pop(port)
        self.ports.remove(port)
        process.kill()
        process.wait()

    async def says(
        self, port: int, event_id: str, who: str, words: str, chat: str = ""
    ) -> tuple[int, list[str]]:
        """Post a message; the status, and what the answer itself carried."""
        place = {"id": chat or who, "kind": "group" if chat else "direct", "title": chat}
        body = json.dumps(
            {
                "event_id": event_id,
                "chat": place,
                "sender": {"id": who, "name": who},
                "text": words,
                "mention_bot": True,
            }
        ).encode()
        stamp = str(int(time.time()))
        headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, body)}
        url = f"http://127.0.0.1:{port}/hooks/generic"
        async with self.session.post(url, data=body, headers=headers) as response:
            answer = await response.json()
            replies = [str(reply["text"]) for reply in answer.get("replies", ())]
            return response.status, replies

    async def api(self, port: int, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(
            method,
            f"http://127.0.0.1:{port}/api/v1{path}",
            data=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        ) as response:
            answer = await response.json()
            assert response.status in (200, 201), (response.status, answer)
            return answer

    async def query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return await asyncio.to_thread(_query, self.url, sql, values)


def _registry(url: str) -> None:
    """The sample registry; everybody is reached through the bridge under their own id."""
    engine = engine_for(url)
    connection = writer_connection(engine)
    clock = SystemClock()
    with connection.begin():
        uow = UnitOfWork(connection, Shared(clock.now))
        load_sample(uow, clock)
        for person in uow.people.people():
            uow.people.save_identity(Identity("generic", person.id, person.id))
    connection.close()
    engine.dispose()


WORDS = ("缺操作工20人招不到", "厂门口路灯坏了5盏", "货车在路口被拦进不来", "蒸汽压力只有0.4兆帕")


async def serving(
    server: str, seconds: float, kills: int, processes: int = 3, seed: int = 11
) -> Result:
    """Clients post to all processes, every message to two of them, while leaders are killed."""
    chance = random.Random(seed)
    url = fresh(server)
    acknowledged: Counter[str] = Counter()
    async with Serving(url, processes) as serving_ones:
        stop = asyncio.Event()

        async def client(name: int) -> None:
            count = 0
            while not stop.is_set():
                count += 1
                event_id = f"c{name}-{count}"
                words = f"{WORDS[count % 4]}，第{count}号车间"
                firm = f"E{(name + 12 * (count // 4)) % 45 + 1:03d}-1"
                targets = chance.sample(serving_ones.ports, min(2, len(serving_ones.ports)))
                answers = await asyncio.gather(
                    *(
                        serving_ones.says(port, event_id, firm, words, f"g{name % 5}")
                        for port in targets
                    ),
                    return_exceptions=True,
                )
                for answer in answers:
                    if not isinstance(answer, BaseException) and answer[0] == 200:
                        acknowledged[event_id] += 1

        clients = [asyncio.create_task(client(n)) for n in range(12)]
        pauses = []
        for _ in range(kills):
            await asyncio.sleep(seconds / (kills + 1))
            leader = await serving_ones.one_leads()
            serving_ones.kill(leader)
            before = time.monotonic()
            await serving_ones.one_leads()
            pauses.append(time.monotonic() - before)
            await serving_ones.ready(serving_ones.start())
        await asyncio.sleep(seconds / (kills + 1))
        stop.set()
        await asyncio.gather(*clients)
        waiting = "SELECT COUNT(*) FROM inbox WHERE state <> 'done'"
        for _ in range(600):
            if (await serving_ones.query(waiting))[0][0] == 0:
                break
            await asyncio.sleep(0.1)
        deliveries: dict[str, Counter[str]] = defaultdict(Counter)
        for told in serving_ones.told:
            deliveries[str(told.body["chat"])][told.delivery] += 1
        return {
            "kills": kills,
            "acknowledged": acknowledged,
            "inbox": [r[0] for r in await serving_ones.query("SELECT event_id FROM inbox")],
            "unworked": (await serving_ones.query(waiting))[0][0],
            "tickets": [
                r[0] for r in await serving_ones.query("SELECT source_message FROM tickets")
            ],
            "deliveries": deliveries,
            "by": Counter(told.process for told in serving_ones.told),
            "pauses": pauses,
            "chain": audit_break(url),
        }


def audit_break(url: str) -> int | None:
    engine = engine_for(url)
    with engine.connect() as connection:
        found = UnitOfWork(connection, Shared()).audit.verify()
    engine.dispose()
    return found


def serve_faults(result: Result) -> list[str]:
    """What must not be; empty when all holds."""
    found = []
    inbox, tickets = Counter(result["inbox"]), Counter(result["tickets"])
    lost = set(result["acknowledged"]) - set(inbox)
    if lost:
        found.append(f"{len(lost)} acknowledged messages are not in the inbox")
    if max(inbox.values(), default=0) > 1 or max(tickets.values(), default=0) > 1:
        found.append("a message was worked on twice")
    if result["unworked"]:
        found.append(f"{result['unworked']} messages are not worked on")
    for chat, came in result["deliveries"].items():
        again = came.total() - len(came)
        if again > result["kills"]:
            found.append(f"{chat}: {again} came again, more than a kill explains")
    if result["chain"] is not None:
        found.append(f"the audit chain breaks at {result['chain']}")
    if max(result["pauses"], default=0.0) > 15.0:
        found.append(f"nobody led for {max(result['pauses']):.1f} s")
    if len(tickets) < 20:
        found.append("too little happened")
    return found


def main() -> int:
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    if part == "sender":
        _sender(*sys.argv[2:4])
        return 0
    folder = binaries()
    if folder is None:
        print("no PostgreSQL server: apt-get install postgresql")
        return 2
    wrong: list[str] = []
    with running(folder) as server:
        if part in ("all", "sweeps"):
            kills = firings = 0
            for seed in range(3):
                result = sweeps(server, 60, seed, tickets=40)
                kills += result["kills"]
                firings += len(result["together"]["firings"])
                wrong += sweep_faults(result)
            print(f"sweeping together: {kills} kills, {firings} firings, faults {wrong or 'none'}")
        if part in ("all", "sending"):
            result = asyncio.run(sending(server, 5, lanes=10, each=90))
            faults = send_faults(result)
            wrong += faults
            count = sum(map(len, result["rows"].values()))
            came = sum(map(len, result["taken"].values()))
            print(
                f"sending: {result['kills']} kills of the leader, {count} messages, {came - count} "
                f"came again, most in a window {result['most_in_window']} of {WINDOW_COUNT}, next "
                f"leader after {max(result['pauses']):.1f} s at most, faults {faults or 'none'}"
            )
        if part in ("all", "serving"):
            result = asyncio.run(serving(server, 40, 3))
            faults = serve_faults(result)
            wrong += faults
            came = sum(one.total() for one in result["deliveries"].values())
            once = sum(map(len, result["deliveries"].values()))
            print(
                f"serving: {result['kills']} kills of the leader, "
                f"{len(result['acknowledged'])} messages acknowledged "
                f"{sum(result['acknowledged'].values())} times, {len(result['tickets'])} tickets, "
                f"{once} deliveries, {came - once} came again, next "
                f"leader after {max(result['pauses']):.1f} s at most, faults {faults or 'none'}"
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
