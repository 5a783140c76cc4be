"""Several served processes on one PostgreSQL database. The full form: python -m tests.kit.processes."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.leading import LEADER, Ownership
from handlers.chat.events import ChatRef
from handlers.chat.outbound import Content
from handlers.ports import Outgoing
from storage.db import DatabaseError, engine_for
from storage.locks import AtWork, at_work, holding
from storage.uow import Shared, UnitOfWork
from tests.kit.postgres import fresh
from tests.kit.processes import (
    Serving,
    audit_break,
    send_faults,
    sending,
    sweep_faults,
    sweeps,
)

FULL = os.environ.get("LHG_FULL") == "1"
# Without a lock the next owner would come never; with one it comes when the server has noticed.
MOST_SECONDS = 15.0


async def until(holds: object, seconds: float = MOST_SECONDS) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not holds():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - began


counted = itertools.count(1)


async def sent_by(serving: Serving, port: int) -> int:
    """Have a process send a dead message again; the one that did.

    No message to a person: those keep to the hours of the day in which the test runs.
    """
    words = f"第{next(counted)}条"
    number = await asyncio.to_thread(dead_message, serving.url, words)
    began = time.monotonic()
    await serving.api(port, "POST", f"/outbox/{number}/retry", {})
    while not (found := [told for told in serving.told if told.body["text"] == words]):
        assert time.monotonic() - began < MOST_SECONDS
        await asyncio.sleep(0.02)
    return int(found[0].process)


def dead_message(url: str, words: str) -> int:
    """A message to a group that the far end once refused."""
    engine = engine_for(url)
    with engine.begin() as connection:
        outbox = UnitOfWork(connection, Shared()).outbox
        number = outbox.put(Outgoing(Content(words), chat=ChatRef("generic", "g")))
        assert number is not None
        outbox.dead(number, "refused")
    engine.dispose()
    return number


def test_processes_that_start_at_once_bring_the_schema_up_to_date_together(
    postgres_server: str,
) -> None:
    url = fresh(postgres_server, migrated=False)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "bot", "migrate"],
            env={**os.environ, "LHG_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(3)
    ]
    told = [child.communicate()[0].decode() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], told


# ---- names and their owners


@pytest.fixture
async def owners(postgres_url: str) -> AsyncIterator[tuple[Ownership, Ownership]]:
    pair = (Ownership(holding(postgres_url)), Ownership(holding(postgres_url)))
    for one in pair:
        one.want(LEADER)
        one.want("connection of a platform")
        one.start()
    yield pair
    for one in pair:
        await one.stop()


async def test_a_name_has_one_owner_and_goes_to_another_when_that_one_stops(
    owners: tuple[Ownership, Ownership], postgres_url: str
) -> None:
    first, second = owners
    names = (LEADER, "connection of a platform")
    assert [first.owns(n) for n in names] == [True, True]
    assert [second.owns(n) for n in names] == [False, False]
    assert at_work(postgres_url) == AtWork(processes=2, names=2)
    await first.stop()
    await until(lambda: all(second.owns(n) for n in names))
    assert not first.leads()


async def test_an_owner_whose_connection_drops_knows_it_and_somebody_follows(
    postgres_url: str,
) -> None:
    import psycopg

    told: list[bool] = []
    first, second = Ownership(holding(postgres_url)), Ownership(holding(postgres_url))
    first.want(LEADER, told.append)
    second.want(LEADER)
    first.start()
    second.start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND classid = 4080 AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    await until(lambda: bool(told))
    assert told[0] is False
    await until(lambda: first.leads() or second.leads())
    assert first.leads() != second.leads()
    await first.stop()
    await until(second.leads)
    await second.stop()


async def test_the_bell_of_one_process_is_heard_in_another(
    owners: tuple[Ownership, Ownership],
) -> None:
    first, second = owners
    heard: list[str] = []
    first.on_bell(lambda: heard.append("first"))
    second.on_bell(lambda: heard.append("second"))
    second.ring()
    assert await until(lambda: bool(heard)) < 0.9
    assert heard == ["first"]


async def test_who_wants_the_database_alone_gets_it_only_while_nobody_is_there(
    owners: tuple[Ownership, Ownership], postgres_url: str
) -> None:
    alone = Ownership(holding(postgres_url, sole=True))
    with pytest.raises(DatabaseError, match="in_use"):
        alone.start()
    for one in owners:
        await one.stop()
    alone.start()
    with pytest.raises(DatabaseError, match="in_use"):
        Ownership(holding(postgres_url)).start()
    await alone.stop()


# ---- the whole bot


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(postgres_server: str) -> AsyncIterator[Serving]:
    """Started once, which takes its time: each test has firms and chats of its own."""
    async with Serving(fresh(postgres_server), LHG_SANDBOX="1") as made:
        yield made


TOGETHER = pytest.mark.asyncio(loop_scope="module")


@TOGETHER
@pytest.mark.slow
async def test_50_two_processes_that_are_posted_the_same_message_open_one_ticket(
    serving: Serving,
) -> None:
    one, other = serving.ports
    for n in range(12):
        firm = f"E{n + 3:03d}-1"
        words = f"车间缺操作工{n + 20}人，临时招不到"
        answers = await asyncio.gather(
            serving.says(one, f"m{n}", firm, words, f"g{n % 3}"),
            serving.says(other, f"m{n}", firm, words, f"g{n % 3}"),
        )
        assert [status for status, _ in answers] == [200, 200]
        # Answered, so it is on disk.
        asked = "SELECT state FROM inbox WHERE event_id = %s"
        assert await serving.query(asked, (f"m{n}",)) == [("done",)]
        asked = "SELECT COUNT(*) FROM tickets WHERE source_message = %s"
        assert await serving.query(asked, (f"m{n}",)) == [(1,)]
    numbers = [r[0] for r in await serving.query("SELECT number FROM tickets ORDER BY number")]
    assert len(numbers) == len(set(numbers))
    assert audit_break(serving.url) is None


@TOGETHER
@pytest.mark.slow
async def test_50_messages_of_one_chat_in_two_processes_are_worked_on_one_at_a_time(
    serving: Serving,
) -> None:
    """The firm's second word of the same problem joins the first, whichever process has it."""
    for n in range(8):
        firm = f"E{n + 20:03d}-1"
        # A chat that is new is written down alone; here the chat's own order is to be seen.
        await serving.says(serving.ports[n % 2], f"c{n}", firm, "你好", firm)
        answers = await asyncio.gather(
            *(
                serving.says(serving.ports[k % 2], f"c{n}-{k}", firm, "车间缺操作工20人", firm)
                for k in range(4)
            )
        )
        assert {status for status, _ in answers} == {200}
    rows = await serving.query(
        "SELECT enterprise_id, COUNT(*) FROM tickets WHERE enterprise_id BETWEEN 'E020' AND 'E027' "
        "GROUP BY 1 ORDER BY 1"
    )
    assert rows == [(f"E{n + 20:03d}", 1) for n in range(8)]
    assert await serving.query("SELECT COUNT(*) FROM inbox WHERE attempts > 0") == [(0,)]


@TOGETHER
@pytest.mark.slow
async def test_what_is_changed_in_one_process_is_known_to_the_next_message_in_another(
    serving: Serving,
) -> None:
    one, other = serving.ports
    for n, (here, there) in enumerate(((one, other), (other, one)), start=1):
        # It knows the registry as it was.
        await serving.says(there, f"before{n}", "stranger", "我是谁")
        await serving.api(
            here,
            "POST",
            "/people",
            {
                "id": f"E03{n}-9",
                "name": f"厂长{n}",
                "role": "manager",
                "enterprise_id": f"E03{n}",
                "identities": [{"platform": "generic", "user_id": f"new{n}"}],
            },
        )
        await serving.says(there, f"after{n}", f"new{n}", "车间缺操作工20人，临时招不到")
        asked = "SELECT enterprise_id, reporter_id FROM tickets WHERE source_message = %s"
        assert await serving.query(asked, (f"after{n}",)) == [(f"E03{n}", f"E03{n}-9")]


@TOGETHER
@pytest.mark.slow
async def test_a_page_at_one_process_shows_what_is_said_at_another(serving: Serving) -> None:
    here, there = serving.ports
    address = f"http://127.0.0.1:{here}/sandbox/api/events"
    async with serving.session.get(address, params={"as": "E044"}) as page:
        assert b"retry" in await page.content.readline()
        said = {"chat": "dm:E044", "sender": "E044", "text": "厂门口路灯坏了5盏，晚上看不见"}
        address = f"http://127.0.0.1:{there}/sandbox/api/messages"
        async with serving.session.post(address, json=said) as response:
            assert response.status == 200
        shown: list[tuple[bool, str]] = []
        while not any(is_bot for is_bot, _ in shown):
            line = (await asyncio.wait_for(page.content.readline(), MOST_SECONDS)).decode()
            if line.startswith("data: "):
                item = json.loads(line[6:])
                if item["chat"] == said["chat"]:
                    shown.append((item["sender"]["is_bot"], item["text"]))
        assert shown[0] == (False, said["text"])


@TOGETHER
@pytest.mark.slow
async def test_one_process_leads_sends_at_once_and_is_followed_when_killed_or_stopped(
    serving: Serving,
) -> None:
    leader = await serving.one_leads()
    follower = next(port for port in serving.ports if port != leader)
    for port in serving.ports:
        status, seen = await serving.readiness(port)
        assert (status, seen["leads"]) == (200, port == leader)

    # A message to the follower: what it causes is sent by the leader, without waiting for a turn.
    assert await sent_by(serving, follower) == leader

    # Stopped, not dead: its connection stays open.
    serving.signal(leader, signal.SIGSTOP)
    began = time.monotonic()
    while True:
        _, seen = await serving.readiness(follower)
        if seen["leads"]:
            break
        assert time.monotonic() - began < MOST_SECONDS
        await asyncio.sleep(0.1)
    assert await sent_by(serving, follower) == follower
    serving.signal(leader, signal.SIGCONT)
    assert await serving.one_leads() == follower
    assert await sent_by(serving, leader) == follower

    serving.kill(follower)
    assert await serving.one_leads(MOST_SECONDS) == leader


# ---- killed on the way


@pytest.mark.slow
def test_50_two_processes_that_sweep_together_fire_each_rung_once_and_skip_none(
    postgres_server: str,
) -> None:
    kills, tickets, steps = (60, 40, 192) if FULL else (8, 12, 60)
    result = sweeps(postgres_server, kills, tickets=tickets, steps=steps)
    assert sweep_faults(result) == []
    assert result["kills"] == kills


@pytest.mark.slow
async def test_40_a_killed_sender_is_followed_by_one_that_keeps_the_windows(
    postgres_server: str,
) -> None:
    kills, lanes, each = (5, 10, 90) if FULL else (1, 4, 30)
    result = await sending(postgres_server, kills, lanes=lanes, each=each)
    assert send_faults(result) == []
    assert result["kills"] == kills
