"""Stream mode by itself: what the line does when the other end misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.client import Client
from bot.platform import Decoded, HttpAnswer, Permanent, Rejected, Reply, Transient
from bot.platforms.dingtalk.line import Pace, StreamLine
from tests.kit.fake_dingtalk_line import CLICKS, MESSAGES, TICKET_SECONDS, FakeStream

CLIENT, SECRET = "dingclient", "canary-stream-secret"
FAST = Pace(
    ping=30.0, click=0.15, first_retry=0.02, longest_retry=0.05, refused=0.05, leaving=0.3,
    settling=0.5,
)  # fmt: skip
UNREADABLE = "unreadable"


class Ear:
    """Hears frames; `stored` may hold them back or say that they are not on disk."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.not_taken = False
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.replied: list[bool] = []

    def decode(self, frame: Mapping[str, Any], wall: float) -> Decoded:
        plain = json.loads(frame["data"])
        if plain.get("says") == UNREADABLE:
            raise Rejected(400, "not_understood")
        if plain.get("says") == "a bug":
            raise KeyError("says")
        kind = frame["type"]
        if kind == "EVENT":
            return Decoded((), HttpAnswer(body=b'{"status":"SUCCESS"}'), None, plain["says"])
        if frame["headers"]["topic"] == MESSAGES:
            return Decoded((), HttpAnswer(body=b'{"response":null}'), None, plain["says"])
        answer = {"response": {"userPrivateData": {"cardParamMap": {"tips": plain["says"]}}}}
        late = HttpAnswer(body=b'{"response":{}}')
        return Decoded(
            (), HttpAnswer(body=json.dumps(answer).encode()), None, plain["says"], late=late
        )

    async def hear(self, decoded: Decoded, reply: Reply) -> bool:
        await self.may_go_on.wait()
        self.heard.append(decoded.unsupported)
        if self.not_taken:
            return False
        self.replied.append(await reply(decoded.ack.body))
        return True


@asynccontextmanager
async def holding(
    server: FakeStream, secret: str = SECRET, pace: Pace = FAST
) -> AsyncIterator[tuple[StreamLine, Ear]]:
    ear = Ear()
    client = Client()
    line = StreamLine(server.base, CLIENT, secret, ear.decode, client, pace)
    task = asyncio.create_task(line.hold(ear.hear))
    try:
        yield line, ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not line.up
        await client.close()


async def test_a_message_a_click_and_an_event_are_answered_each_in_its_form() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (_, ear):
        await server.connected.wait()
        message = await server.brings(MESSAGES, {"says": "缺人"})
        click = await server.brings(CLICKS, {"says": "已收到"})
        event = await server.happens("robot_msg_read", {"says": "read"}, "ding11")
        assert await server.answer(message) == {"response": None}
        assert "已收到" in str(await server.answer(click))
        await server.sees(lambda: server.statuses(event) == ["SUCCESS"])
        assert sorted(ear.heard) == sorted(["缺人", "已收到", "read"])
        assert await server.repeats() == 0


async def test_a_ping_is_answered_with_what_it_said_while_others_still_work() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (_, ear):
        await server.connected.wait()
        ear.may_go_on.clear()
        message = await server.brings(MESSAGES, {"says": "缺人"})
        ping = await server.asks()
        assert "opaque" in await server.answer(ping)
        assert message not in server.answers
        ear.may_go_on.set()
        await server.answer(message)


async def test_what_is_not_on_disk_is_not_acknowledged_and_comes_again() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (_, ear):
        await server.connected.wait()
        ear.may_go_on.clear()
        event = await server.happens("robot_msg_read", {"says": "read"}, "ding11")
        ping = await server.asks()
        await server.answer(ping)
        # Heard, but not yet stored: nothing was said of it.
        assert server.statuses(event) == []
        ear.not_taken = True
        ear.may_go_on.set()
        await server.sees(lambda: server.statuses(event) == ["LATER"])
        message = await server.brings(MESSAGES, {"says": "缺人"})
        await server.sees(lambda: len(ear.heard) == 2)
        assert message not in server.answers
        ear.not_taken = False
        assert await server.repeats() == 1
        await server.sees(lambda: server.statuses(event) == ["LATER", "SUCCESS"])


async def test_a_click_that_takes_longer_is_let_go_and_not_answered_twice() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (_, ear):
        await server.connected.wait()
        ear.may_go_on.clear()
        click = await server.brings(CLICKS, {"says": "已认领"})
        assert await server.answer(click) == {"response": {}}
        assert server.answered_after[click] < 2.0
        ear.may_go_on.set()
        # Whoever made the answer learns that it did not get through.
        await server.sees(lambda: ear.replied == [False])


async def test_it_comes_back_after_a_break_with_a_new_ticket() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (line, ear):
        await server.connected.wait()
        await server.drops()
        await server.connected.wait()
        await server.sees(lambda: line.up)
        await server.brings(MESSAGES, {"says": "二"})
        await server.sees(lambda: ear.heard == ["二"])
        assert (server.tickets, server.connections) == (2, 2)


async def test_asked_to_leave_it_opens_the_next_connection_first_and_reads_the_old_one_out() -> (
    None
):
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (line, ear):
        await server.connected.wait()
        await server.sees(lambda: line.up)
        ear.may_go_on.clear()
        message = await server.brings(MESSAGES, {"says": "还在办"})
        await server.sends_away()
        await server.connected.wait()
        await server.sees(lambda: line.up)
        assert server.connections == 2
        ear.may_go_on.set()
        # Its answer still goes out on the connection that brought it.
        assert await server.answer(message) == {"response": None}
        await server.drops(0)
        await server.brings(MESSAGES, {"says": "新的"})
        await server.sees(lambda: ear.heard == ["还在办", "新的"])
        assert line.up


async def test_a_connection_that_was_left_and_never_closed_is_closed_by_us() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (line, _):
        await server.connected.wait()
        old = server.sockets[0]
        await server.sends_away()
        await server.connected.wait()
        await server.sees(lambda: old.closed)
        assert line.up


async def test_an_end_that_answers_no_ping_is_left_and_connected_anew() -> None:
    pace = replace(FAST, ping=0.2)
    async with FakeStream(CLIENT, SECRET) as server, holding(server, pace=pace) as (line, _):
        await server.sees(lambda: server.pings > 0)
        server.silent.add(server.sockets[-1])
        await server.sees(lambda: server.connections == 2 and line.up)


@pytest.mark.parametrize(
    "denial", [503, 429, "Forbidden.AccessDenied.QpsLimitForApi", "system.busy", "noSuchApp"]
)
async def test_a_ticket_that_is_denied_is_asked_for_again(denial: int | str) -> None:
    # What the vendor's limiter says names how long to wait; here it is a second.
    async with FakeStream(CLIENT, SECRET) as server:
        server.denials.extend([denial])
        async with holding(server) as (line, _):
            await server.sees(lambda: line.up)
            assert server.tickets == 1


async def test_a_wrong_secret_is_tried_again_slowly_and_never_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server, "canary-wrong") as (line, _):
        await server.sees(lambda: sum(r.message == "line.refused" for r in caplog.records) >= 2)
        assert not line.up
        assert server.connections == 0
        assert "canary" not in "".join(str(vars(record)) for record in caplog.records)


async def test_a_ticket_that_is_too_old_is_replaced_by_a_fresh_one() -> None:
    now = 0.0
    async with FakeStream(CLIENT, SECRET, now=lambda: now) as server:
        client = Client()
        line = StreamLine(server.base, CLIENT, SECRET, Ear().decode, client, FAST)
        await line.reachable()
        now = TICKET_SECONDS + 1
        task = asyncio.create_task(line.hold(Ear().hear))
        await server.sees(lambda: line.up)
        assert (server.tickets, server.connections) == (2, 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def test_frames_that_are_none_are_passed_over() -> None:
    async with FakeStream(CLIENT, SECRET) as server, holding(server) as (line, ear):
        await server.connected.wait()
        for raw in ("", "[]", "{", "{}", '{"type":"CALLBACK"}', '{"type":"SYSTEM","headers":[]}'):
            await server.sends(raw)
        message = await server.brings(MESSAGES, {"says": UNREADABLE})
        event = await server.happens("x", {"says": UNREADABLE}, "ding11")
        mistaken = await server.happens("x", {"says": "a bug"}, "ding11")
        # The same again would be understood no better; our own mistake may be mended.
        assert await server.answer(message) == {"response": None}
        await server.sees(lambda: server.statuses(event) == ["SUCCESS"])
        await server.sees(lambda: server.statuses(mistaken) == ["LATER"])
        await server.brings(MESSAGES, {"says": "好"})
        await server.sees(lambda: ear.heard == ["好"])
        assert line.up


async def test_what_was_heard_is_taken_to_its_end_when_the_line_is_let_go() -> None:
    async with FakeStream(CLIENT, SECRET) as server:
        async with holding(server) as (_, ear):
            await server.connected.wait()
            ear.may_go_on.clear()
            await server.brings(MESSAGES, {"says": "缺人"})
            await server.answer(await server.asks())
            asyncio.get_running_loop().call_later(0.1, ear.may_go_on.set)
        assert ear.heard == ["缺人"]


async def refusal(server: FakeStream, secret: str, prepare: Callable[[], None]) -> Exception:
    client = Client()
    prepare()
    try:
        await StreamLine(server.base, CLIENT, secret, Ear().decode, client).reachable()
    except (Permanent, Transient) as error:
        return error
    finally:
        await client.close()
    raise AssertionError("a ticket was given")


async def test_whether_it_can_be_reached_is_found_out_without_connecting() -> None:
    async with FakeStream(CLIENT, SECRET) as server:
        wrong = await refusal(server, "wrong", lambda: None)
        assert isinstance(wrong, Permanent)
        busy = await refusal(server, SECRET, lambda: server.denials.append(503))
        assert isinstance(busy, Transient)
        assert server.connections == 0
