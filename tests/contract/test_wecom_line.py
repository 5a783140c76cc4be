"""The aibot's long connection by itself: what it does when the other end misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.platform import Decoded, HttpAnswer, Reply, TakenOver, Transient, Unsure
from bot.platforms.wecom.line import AibotLine, Pace, Sessions
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.platforms import built

FAST = Pace(ping=0.05, ack=0.2, first_retry=0.02, longest_retry=0.05, refused=0.05)
SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "payloads" / "wecom_inbound.json").read_text(encoding="utf-8")
)["samples"]


class Ear:
    """Hears frames and answers each with one text."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.taken: list[bool] = []

    def decode(self, body: Mapping[str, Any], req_id: str, wall: float) -> Decoded:
        self.heard.append(str(body["msgid"]))
        chat = body.get("chatid") or body["from"]["userid"]
        said = {"msgtype": "stream", "stream": {"id": req_id, "finish": True, "content": "好"}}
        made = json.dumps({"cmd": "aibot_respond_msg", "chat": chat, "body": said}).encode()
        return Decoded((), HttpAnswer(body=made))

    async def hear(self, decoded: Decoded, reply: Reply) -> bool:
        self.taken.append(await reply(decoded.ack.body))
        return True


@asynccontextmanager
async def holding(
    server: FakeLine, secret: str = SECRET, pace: Pace = FAST
) -> AsyncIterator[tuple[AibotLine, Ear, "asyncio.Task[None]"]]:
    ear = Ear()
    line = AibotLine(server.url, BOT, secret, ear.decode, pace)
    task = asyncio.create_task(line.hold(ear.hear))
    try:
        yield line, ear, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await line.close()


async def test_it_comes_back_after_a_break_and_hears_on() -> None:
    async with FakeLine() as server, holding(server) as (line, ear, _):
        await server.subscribed.wait()
        await server.says("Zhang", "一", msgid="A")
        await server.sees(lambda: ear.taken == [True])
        await server.drops()
        await server.subscribed.wait()
        await server.sees(lambda: line.up)
        await server.says("Zhang", "二", msgid="B")
        await server.sees(lambda: ear.heard == ["A", "B"])
        assert server.connections == 2


async def test_an_end_that_answers_nothing_is_left_and_connected_anew() -> None:
    async with FakeLine() as server, holding(server) as (line, _, _task):
        await server.subscribed.wait()
        await server.sees(lambda: server.pings > 0)
        server.deaf = True
        await server.sees(lambda: server.connections == 2 and line.up)


async def test_who_takes_over_is_not_fought() -> None:
    async with FakeLine() as server, holding(server) as (_, _ear, task):
        await server.subscribed.wait()
        await server.kicks()
        with pytest.raises(TakenOver):
            await asyncio.wait_for(task, 2.0)
        assert server.connections == 1


async def test_a_wrong_secret_is_tried_again_slowly_and_never_up() -> None:
    async with FakeLine() as server, holding(server, "wrong") as (line, _, _task):
        await server.sees(lambda: server.connections >= 2)
        assert not line.up


async def test_an_answer_without_acknowledgement_is_not_sent_again() -> None:
    async with FakeLine() as server, holding(server) as (_, ear, _task):
        await server.subscribed.wait()
        server.faults.append("silent")
        await server.says("Zhang", "一", msgid="A")
        await server.sees(lambda: ear.taken == [True])
        assert server.answers == []


async def test_a_refused_answer_is_said_to_be_refused() -> None:
    async with FakeLine() as server, holding(server) as (_, ear, _task):
        await server.subscribed.wait()
        server.faults.append(846608)
        await server.says("Zhang", "一", msgid="A")
        await server.sees(lambda: ear.taken == [False])


async def refusal(asked: Callable[[], Awaitable[Any]]) -> Exception:
    try:
        await asked()
    except (Transient, Unsure) as error:
        return error
    raise AssertionError("it was taken")


async def test_a_push_says_what_became_of_it() -> None:
    said = {"msgtype": "markdown", "markdown": {"content": "好"}}
    async with FakeLine() as server, holding(server) as (line, _, _task):
        await server.sees(lambda: line.up)
        await server.says("Zhang", "一", msgid="A")
        await line.push("Zhang", False, said)
        assert server.pushes[0]["chatid"] == "Zhang"
        server.faults.append("limited")
        assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Transient)
        # Told that it is not subscribed, it connects anew.
        server.faults.append(846609)
        assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Transient)
        await server.sees(lambda: server.connections == 2 and line.up)
        server.faults.append("silent")
        assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Unsure)
    line = AibotLine("ws://127.0.0.1:9/", BOT, SECRET, Ear().decode, FAST)
    assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Transient)


async def test_into_a_dead_connection_one_message_is_said_and_the_next_ones_wait() -> None:
    said = {"msgtype": "markdown", "markdown": {"content": "好"}}
    slow = Pace(ping=30.0, ack=0.2, first_retry=0.02, longest_retry=0.05)
    async with FakeLine() as server, holding(server, pace=slow) as (line, ear, _task):
        await server.sees(lambda: line.up)
        await server.says("Zhang", "一", msgid="A")
        await server.sees(lambda: ear.taken == [True])
        server.deaf = True
        assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Unsure)
        for _ in range(3):
            assert isinstance(await refusal(lambda: line.push("Zhang", False, said)), Transient)
        # It does not wait for the next ping's time to find out.
        await server.sees(lambda: server.connections == 2 and line.up)
        await line.push("Zhang", False, said)
        assert server.unheard == 1
        assert len(server.pushes) == 1


async def test_what_was_not_told_uses_up_nothing_of_the_sessions_minute() -> None:
    said = {"msgtype": "markdown", "markdown": {"content": "好"}}
    line = AibotLine("ws://127.0.0.1:9/", BOT, SECRET, Ear().decode, FAST)
    for _ in range(40):
        assert (await refusal(lambda: line.push("Zhang", False, said))).args == ("not_connected",)


async def test_frames_that_are_none_are_passed_over() -> None:
    async with FakeLine() as server, holding(server) as (line, ear, _task):
        await server.sees(lambda: line.up)
        for frame in ({}, {"cmd": "x"}, {"cmd": "aibot_msg_callback", "headers": [], "body": {}}):
            await server.sends(frame)
        await server.says("Zhang", "一", msgid="A")
        await server.sees(lambda: ear.heard == ["A"])


def test_a_session_takes_thirty_a_minute_and_a_thousand_an_hour() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    for _ in range(30):
        sessions.spend("group")
    with pytest.raises(Transient) as error:
        sessions.spend("group")
    assert error.value.retry_after == pytest.approx(60.0)
    sessions.spend("another")
    sent, now = 30, 61.0
    while sent < 1000:
        now += 2.01
        sessions.spend("group")
        sent += 1
    now += 61.0
    with pytest.raises(Transient) as error:
        sessions.spend("group")
    assert error.value.retry_after == pytest.approx(3600.0 - now, abs=1.0)


def test_every_sample_of_the_long_connection_is_understood_or_passed_over() -> None:
    wecom = built("wecom", {"WECOM_AIBOT_ID": BOT, "WECOM_AIBOT_SECRET": SECRET})
    for sample in (s for s in SAMPLES if s["transport"] == "ws" and "cmd" in s["payload"]):
        frame = sample["payload"]
        if sample["id"] == "ws-event-disconnected":
            continue
        decoded = wecom.decode_frame(frame["body"], frame["headers"]["req_id"], 1795334400.0)
        assert len(decoded.events) == 1, sample["id"]
