"""A platform's one connection among several processes on one PostgreSQL database."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import pytest

from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.postgres import fresh
from tests.kit.processes import Serving

MOST_SECONDS = 15.0
TOLD = ("缺操作工20人，临时招不到", "厂门口路灯坏了5盏，晚上看不见", "货车在路口被拦进不来")


@pytest.fixture
async def line() -> AsyncIterator[FakeLine]:
    async with FakeLine() as made:
        yield made


@pytest.fixture
async def serving(postgres_server: str, line: FakeLine) -> AsyncIterator[Serving]:
    wecom = {"WECOM_AIBOT_ID": BOT, "WECOM_AIBOT_SECRET": SECRET, "WECOM_AIBOT_WS": line.url}
    async with Serving(fresh(postgres_server), 2, **wecom) as made:
        for n, user in enumerate(("Zhang", "Li", "Wang"), start=1):
            person = {
                "id": f"E03{n}-9",
                "name": f"厂长{n}",
                "role": "manager",
                "enterprise_id": f"E03{n}",
                "identities": [{"platform": "wecom", "user_id": user}],
            }
            await made.api(made.ports[0], "POST", "/people", person)
        yield made


async def held(serving: Serving, line: FakeLine, but: frozenset[int] = frozenset()) -> int:
    """The process that holds the line, once it is another one than those."""
    began = time.monotonic()
    while time.monotonic() - began < MOST_SECONDS:
        states = {}
        for port in set(serving.ports) - but:
            states[port] = (await serving.readiness(port))[1]["lines"]["wecom.aibot"]
        up = [port for port, state in states.items() if state == "up"]
        if len(up) == 1 and line.open == 1:
            assert all(s == "elsewhere" for p, s in states.items() if p != up[0]), states
            return up[0]
        await asyncio.sleep(0.02)
    raise AssertionError(f"nobody holds it: {states}, {line.open} open")


async def becomes_one_ticket(serving: Serving, line: FakeLine, user: str, words: str) -> None:
    """What is brought twice over the connection is one ticket."""
    for _ in range(2):
        await line.says(user, words, msgid=f"M-{user}")
    after = await line.says(user, "帮助")
    await line.sees(lambda: any(a["req_id"] == after for a in line.answers))
    asked = "SELECT COUNT(*) FROM tickets WHERE source_message = %s"
    assert await serving.query(asked, (f"M-{user}",)) == [(1,)]


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_two_processes_hold_one_connection_and_a_killed_one_is_followed(
    serving: Serving, line: FakeLine, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await held(serving, line)
    await becomes_one_ticket(serving, line, "Zhang", TOLD[0])
    assert line.connections == 1

    began = time.monotonic()
    serving.kill(first)
    second = await held(serving, line)
    killed = time.monotonic() - began
    assert second != first
    assert killed < MOST_SECONDS
    await becomes_one_ticket(serving, line, "Li", TOLD[1])

    third = serving.start()
    await serving.ready(third)
    began = time.monotonic()
    serving.signal(second, signal.SIGTERM)
    assert await held(serving, line, frozenset({second})) == third
    stopped = time.monotonic() - began
    # It was given back, not lost: nobody waits for the server to notice.
    assert stopped < 5.0
    await becomes_one_ticket(serving, line, "Wang", TOLD[2])
    assert line.connections == 3
    assert line.most_open == 1
    with capsys.disabled():
        print(f"\nline held again {killed:.1f} s after a kill, {stopped:.1f} s after a stop")
