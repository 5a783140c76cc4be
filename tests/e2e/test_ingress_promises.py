"""What a 200 promises: stored and answered. What is too late, cut off or broken is made good."""

import asyncio
import gzip
import json
import logging
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from bot import logs
from bot.platforms.generic import signature
from bot.worker import MOST_ATTEMPTS
from storage.uow import UnitOfWork
from tests.kit.house import House
from tests.kit.scene import busy_database, short_of_time

SECRET = "generic-secret-0123456789"
CANARY = "独一无二的句子"


def said(event_id: str, words: str = "@小港 车间缺操作工20人，临时招不到") -> bytes:
    return json.dumps(
        {
            "event_id": event_id,
            "chat": {"id": "g1", "title": "群", "kind": "group"},
            "sender": {"id": "u1", "name": "某人"},
            "text": words,
            "mention_bot": True,
        }
    ).encode()


def signed(body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    return {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, body)}


async def post(house: House, body: bytes) -> tuple[int, Any]:
    async with house.client.post("/hooks/generic", data=body, headers=signed(body)) as response:
        raw = await response.read()
        return response.status, json.loads(raw) if raw else None


class Far:
    """The bridge's own server: what the bot said to it by itself."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.came = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.got.append(body["text"])
        self.came.set()
        return web.Response()


@asynccontextmanager
async def bridged(url: str, budget: float = 4.0) -> AsyncIterator[tuple[House, Far]]:
    far = Far()
    application = web.Application()
    application.add_routes([web.post("/out", far.take)])
    async with TestServer(application) as server:
        out = {"GENERIC_SECRET": SECRET, "GENERIC_OUT_URL": str(server.make_url("/out"))}
        async with House(url, out) as house:
            short_of_time(house, "generic", budget)
            yield house, far


async def test_a_locked_database_answers_503_and_the_answer_comes_by_itself(
    sqlite_url: str,
) -> None:
    async with bridged(sqlite_url, budget=0.2) as (house, far):
        with busy_database(sqlite_url):
            status, answer = await post(house, said("e1"))
        assert (status, answer["error"]["code"]) == (503, "too_slow")
        await asyncio.wait_for(far.came.wait(), 5)
        assert await post(house, said("e1")) == (200, {"accepted": True, "replies": []})
        assert await house.count("tickets") == 1
        await house.app.dispatcher.drain()
        assert len(far.got) == 1


async def test_an_answer_that_nobody_waited_for_goes_the_slow_way(sqlite_url: str) -> None:
    async with bridged(sqlite_url) as (house, far):
        gate, held = threading.Event(), threading.Event()

        def hold(uow: UnitOfWork) -> None:
            held.set()
            gate.wait(10)

        blocked = house.app.writer.submit(hold)
        await asyncio.get_running_loop().run_in_executor(None, held.wait, 5)
        body = said("e1")
        url = house.client.make_url("/hooks/generic")
        _, raw = await asyncio.open_connection(url.host, url.port)
        lines = [f"POST {url.path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{key}: {value}" for key, value in signed(body).items()]
        raw.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await raw.drain()
        for _ in range(200):
            if house.app.writer.waiting:
                break
            await asyncio.sleep(0.01)
        raw.transport.abort()
        await asyncio.sleep(0.05)
        gate.set()
        await blocked
        await asyncio.wait_for(far.came.wait(), 5)
        await house.app.dispatcher.drain()
        assert len(far.got) == 1
        assert await house.count("tickets") == 1
        assert await house.read(lambda uow: uow.outbox.counts().get("waiting", 0)) == 0


async def test_what_the_response_carried_is_not_said_again(sqlite_url: str) -> None:
    async with bridged(sqlite_url) as (house, far):
        status, answer = await post(house, said("e1"))
        assert status == 200
        assert len(answer["replies"]) == 1
        await house.app.writer.run(lambda uow: None)
        await house.app.dispatcher.drain()
        assert far.got == []


async def test_an_event_that_always_fails_is_shelved_with_a_number_and_blocks_nobody(
    sqlite_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json")
    try:
        async with bridged(sqlite_url) as (house, _):
            book = house.app.wiring.book

            class Broken:
                def __getattr__(self, name: str) -> Any:
                    return getattr(book, name)

                def command(self, words: str) -> Any:
                    if CANARY in words:
                        raise RuntimeError(f"cannot read {words}")
                    return book.command(words)

            house.app.wiring.book = Broken()  # type: ignore[assignment]
            assert (await post(house, said("bad", f"@小港 {CANARY}")))[0] == 200
            assert (await post(house, said("good")))[0] == 200
            assert await house.count("tickets") == 0
            for _ in range(MOST_ATTEMPTS):
                await house.app.writer.run(
                    lambda uow: (
                        uow.connection.execute(text("UPDATE inbox SET next_try = 0")) and None
                    )
                )
                await house.app.worker.catch_up()
            counts = await house.read(lambda uow: uow.inbox.counts())
            assert counts == {"dead": 1, "done": 1}
            assert await house.count("tickets") == 1
            ready = await (await house.client.get("/readyz")).json()
            assert ready["dead_letters"] == 1
    finally:
        logging.getLogger().handlers[:] = []
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    assert [line["event"] for line in lines].count("event.failed") == MOST_ATTEMPTS - 1
    (dead,) = [line for line in lines if line["event"] == "event.dead"]
    assert (dead["reference"], dead["platform"]) == (1, "generic")
    assert "RuntimeError at" in dead["exception"]
    assert CANARY not in json.dumps(lines, ensure_ascii=False)


async def test_ready_means_schema_ticker_and_inbox_too(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:

        async def ready() -> tuple[int, Any]:
            response = await house.client.get("/readyz")
            return response.status, await response.json()

        def change(sql: str) -> Any:
            return house.app.writer.run(lambda uow: uow.connection.execute(text(sql)) and None)

        status, said_ready = await ready()
        assert (status, said_ready["ready"]) == (200, True)
        version = await house.app.writer.read(
            lambda uow: uow.connection.execute(
                text("SELECT version_num FROM alembic_version")
            ).scalar()
        )
        await change("UPDATE alembic_version SET version_num = '9999'")
        status, checks = await ready()
        assert (status, checks["schema"]) == (503, False)
        await change(f"UPDATE alembic_version SET version_num = '{version}'")
        assert (await ready())[0] == 200
        await house.app.ticker.stop()
        # The scheduler leaves at the loop's next turn.
        await asyncio.sleep(0)
        status, checks = await ready()
        assert (status, checks["ticker"]) == (503, False)


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536 + 1):
        yield b"x" * 65536


async def test_a_body_of_unknown_or_hidden_size_is_measured_all_the_same(sqlite_url: str) -> None:
    async with House(sqlite_url, {"GENERIC_SECRET": SECRET}) as house:
        response = await house.client.post("/hooks/generic", data=chunks(2 * 1024 * 1024))
        assert response.status == 413
        bomb = gzip.compress(b"x" * (20 * 1024 * 1024))
        response = await house.client.post(
            "/hooks/generic", data=bomb, headers={"Content-Encoding": "gzip"}
        )
        assert response.status in (400, 413)
        assert (await house.client.get("/healthz")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/hooks/generic", 405),
        ("PUT", "/hooks/generic", 405),
        ("POST", "/hooks/wecom/aibot", 404),
        ("POST", "/hooks/generic/other", 404),
        ("POST", "/hooks/sandbox", 404),
    ],
)
async def test_what_is_no_hook_is_refused(
    sqlite_url: str, method: str, path: str, status: int
) -> None:
    async with House(sqlite_url, {"GENERIC_SECRET": SECRET}) as house:
        assert (await house.client.request(method, path)).status == status


async def test_a_sandbox_message_posted_again_after_a_lost_answer_is_worked_on_once(
    sqlite_url: str,
) -> None:
    async with House(sqlite_url) as house:
        body = {
            "client_id": "c1",
            "chat": "dm:E003",
            "sender": "E003",
            "text": "缺操作工20人招不到",
        }
        first = await (await house.client.post("/sandbox/api/messages", json=body)).json()
        again = await (await house.client.post("/sandbox/api/messages", json=body)).json()
        assert first == again
        assert await house.count("inbox") == 1
        assert await house.count("tickets") == 1
        shown = [m for m in await house.seen("dm:E003") if not m["sender"]["is_bot"]]
        assert [m["id"] for m in shown] == [first["message_id"]]


async def test_a_sandbox_message_and_its_event_are_one_commit(sqlite_url: str) -> None:
    """Seen in a kill: the message stood in the chat, its repeat was accepted, nobody had heard it."""
    async with House(sqlite_url) as house:
        path = sqlite_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as other:
            other.execute(
                "CREATE TRIGGER no_inbox BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'x'); END"
            )
        other.close()
        body = {
            "client_id": "c1",
            "chat": "dm:E003",
            "sender": "E003",
            "text": "缺操作工20人招不到",
        }
        assert (await house.client.post("/sandbox/api/messages", json=body)).status == 500
        assert await house.seen("dm:E003") == []
        with sqlite3.connect(path) as other:
            other.execute("DROP TRIGGER no_inbox")
        other.close()
        assert (await house.client.post("/sandbox/api/messages", json=body)).status == 200
        assert await house.count("tickets") == 1
