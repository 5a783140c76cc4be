"""The long connection by itself: what the line does when the other end misbehaves."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.client import Client
from bot.platform import (
    Decoded,
    HttpAnswer,
    Permanent,
    RawRequest,
    Rejected,
    Reply,
    Transient,
)
from bot.platforms.feishu import codec
from bot.platforms.feishu.line import LongConnection, Pace
from tests.contract.test_feishu_inbound import SAMPLES, WALL
from tests.kit.fake_feishu_line import PRESS, FakeLongConnection, encoded
from tests.kit.platforms import built

APP, SECRET = "cli_line", "canary-line-secret"
FAST = Pace(
    ping=30.0, again=0.03, spread=0.02, least=0.01, answer=0.15, silence=30.0, refused=0.05,
    settling=0.5,
)  # fmt: skip
QUICK = {"ReconnectInterval": 0.03, "ReconnectNonce": 0.02, "PingInterval": 30}
UNREADABLE, A_BUG = "unreadable", "a bug"


def happens(says: str) -> dict[str, Any]:
    return {"header": {"event_type": "im.message.receive_v1"}, "says": says}


def click(says: str) -> dict[str, Any]:
    return {"header": {"event_type": PRESS}, "says": says}


def toast(says: str) -> HttpAnswer:
    return HttpAnswer(body=json.dumps({"toast": {"type": "info", "content": says}}).encode())


class Ear:
    """Hears payloads; `may_go_on` may hold them back, `not_taken` says they are not on disk."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.not_taken = False
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.replied: list[bool] = []

    def decode(self, payload: bytes, wall: float) -> Decoded:
        plain = json.loads(payload)
        if plain["says"] == UNREADABLE:
            raise Rejected(400, "not_understood")
        if plain["says"] == A_BUG:
            raise KeyError("says")
        if plain["header"]["event_type"] != PRESS:
            return Decoded((), HttpAnswer(body=b"{}"), None, plain["says"])
        return Decoded((), toast(plain["says"]), None, plain["says"], late=toast("请稍候"))

    async def hear(self, decoded: Decoded, reply: Reply) -> bool:
        await self.may_go_on.wait()
        self.heard.append(decoded.unsupported)
        if self.not_taken:
            return False
        self.replied.append(await reply(decoded.ack.body))
        return True


@asynccontextmanager
async def far_end() -> AsyncIterator[FakeLongConnection]:
    async with FakeLongConnection(APP, SECRET) as server:
        server.config = dict(QUICK)
        yield server


@asynccontextmanager
async def holding(
    server: FakeLongConnection, secret: str = SECRET, pace: Pace = FAST
) -> AsyncIterator[tuple[LongConnection, Ear]]:
    ear = Ear()
    client = Client()
    line = LongConnection(server.base, APP, secret, ear.decode, client, pace)
    task = asyncio.create_task(line.hold(ear.hear))
    try:
        yield line, ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not line.up
        await client.close()


async def test_an_event_and_a_click_are_answered_with_their_own_frame() -> None:
    async with far_end() as server, holding(server) as (line, ear):
        await server.connected.wait()
        assert await server.answer(await server.brings(happens("缺人"))) == (200, None)
        pressed = await server.answer(await server.brings(click("已认领")))
        assert pressed == (200, {"toast": {"type": "info", "content": "已认领"}})
        assert ear.heard == ["缺人", "已认领"]
        assert line.up
        assert await server.repeats() == 0


async def test_what_is_not_on_disk_is_not_acknowledged_and_comes_again() -> None:
    async with far_end() as server, holding(server) as (_, ear):
        await server.connected.wait()
        ear.may_go_on.clear()
        slow = await server.brings(happens("慢"))
        # Not on disk in time: it is asked for again, and what becomes of it is not told twice.
        assert await server.answer(slow) == (500, None)
        ear.may_go_on.set()
        await server.sees(lambda: ear.replied == [False])
        ear.not_taken = True
        full = await server.brings(happens("满"))
        assert await server.answer(full) == (500, None)
        ear.not_taken = False
        assert await server.repeats() == 2
        await server.sees(lambda: server.codes(slow) == server.codes(full) == [500, 200])


async def test_a_click_that_takes_longer_is_let_go_in_time_and_not_answered_twice() -> None:
    async with far_end() as server, holding(server) as (_, ear):
        await server.connected.wait()
        ear.may_go_on.clear()
        pressed = await server.brings(click("已认领"))
        code, said = await server.answer(pressed)
        assert (code, said["toast"]["content"]) == (200, "请稍候")
        assert server.answered_after[pressed] < 3.0
        ear.may_go_on.set()
        # Whoever made the answer learns that it did not get through.
        await server.sees(lambda: ear.replied == [False])


async def test_a_payload_in_several_frames_is_put_together_and_answered_once() -> None:
    async with far_end() as server, holding(server) as (_, ear):
        await server.connected.wait()
        whole = await server.brings(happens("一条很长的消息" * 200), pieces=5)
        assert await server.answer(whole) == (200, None)
        frames = server.pieces(happens("倒着来"), 3, "m-back")
        for raw in reversed(frames):
            await server.sends(raw)
        assert await server.answer("m-back") == (200, None)
        assert [len(ear.heard), ear.heard[1]] == [2, "倒着来"]
        # One that never gets whole holds nothing up and is not answered.
        await server.sends(server.pieces(happens("半条"), 2, "m-half")[0])
        await server.answer(await server.brings(happens("好")))
        assert server.codes("m-half") == []


async def test_it_comes_back_after_a_break_with_a_new_address() -> None:
    async with far_end() as server, holding(server) as (line, ear):
        await server.connected.wait()
        await server.drops()
        await server.sees(lambda: server.connections == 2 and line.up)
        await server.brings(happens("二"))
        await server.sees(lambda: ear.heard == ["二"])
        assert (len(server.asked), server.most_open) == (2, 1)


async def test_it_pings_as_often_as_it_is_told_and_is_told_so_by_a_pong_too() -> None:
    async with far_end() as server:
        server.config |= {"PingInterval": 0.3}
        server.pong = {"PingInterval": 0.01, "ReconnectNonce": -5, "ReconnectInterval": "x"}
        async with holding(server) as (line, _):
            await server.sees(lambda: server.pings == 1)
            began = time.monotonic()
            await server.sees(lambda: server.pings == 10)
            # The first one that was told would have taken nine times as long.
            assert 0.25 < time.monotonic() - began < 2.0
            assert (server.connections, line.up) == (1, True)


@pytest.mark.parametrize("how", ["silent", "mute"])
async def test_an_end_that_gives_no_sign_of_life_is_left_and_connected_anew(how: str) -> None:
    # Half-open nothing comes back; behind a gateway only the network's own pings may.
    pace = replace(FAST, silence=0.1 if how == "silent" else 30.0)
    async with far_end() as server:
        server.config |= {"PingInterval": 0.05 if how == "mute" else 30}
        async with holding(server, pace=pace) as (line, _):
            await server.sees(lambda: server.pings > 0)
            getattr(server, how).add(server.sockets[-1])
            await server.sees(lambda: server.connections == 2 and line.up)


@pytest.mark.parametrize("denial", [503, 429, 1, 1000040343, 1000040345])
async def test_an_address_that_is_denied_is_asked_for_again(denial: int) -> None:
    async with far_end() as server:
        server.denials.append(denial)
        async with holding(server, pace=replace(FAST, most=0.05)) as (line, _):
            await server.sees(lambda: line.up)
            assert len(server.asked) == 2


@pytest.mark.parametrize(
    "why",
    [
        {"handshake-status": "514", "handshake-autherrcode": "1000040350"},
        {"handshake-status": "514", "handshake-autherrcode": "1000040351"},
        {"handshake-status": "403", "handshake-msg": "forbidden"},
        {},
    ],
)
async def test_a_websocket_that_is_denied_is_tried_again_with_a_new_address(
    why: dict[str, str],
) -> None:
    async with far_end() as server:
        server.handshakes.append(why)
        async with holding(server) as (line, _):
            await server.sees(lambda: line.up)
            assert (len(server.asked), server.connections) == (2, 1)


async def test_the_far_ends_interval_is_kept_between_tries_and_the_limit_is_not_hammered() -> None:
    async with far_end() as server:
        server.config |= {"ReconnectInterval": 0.2}
        full = {"handshake-status": "514", "handshake-autherrcode": "1000040350"}
        server.handshakes.extend([full] * 3)
        async with holding(server) as (line, _):
            await server.sees(lambda: line.up)
        gaps = [b - a for a, b in zip(server.asked, server.asked[1:], strict=False)]
        assert len(gaps) == 3
        assert min(gaps) >= 0.16


async def test_a_far_end_that_closes_at_once_is_not_hammered() -> None:
    async with far_end() as server:
        server.config |= {"ReconnectInterval": 0.1}
        async with holding(server, pace=replace(FAST, least=0.08)) as (_, ear):
            for n in range(1, 4):
                await server.sees(lambda n=n: len(server.sockets) >= n)  # type: ignore[misc]
                await server.sockets[-1].close()
            await server.sees(lambda: len(server.asked) >= 4)
        gaps = [b - a for a, b in zip(server.asked, server.asked[1:], strict=False)]
        assert min(gaps) >= 0.07
        assert ear.heard == []


async def test_wrong_credentials_are_said_once_with_their_cure_and_tried_again_slowly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with far_end() as server, holding(server, "canary-wrong") as (line, _):
        await server.sees(lambda: len(server.asked) >= 4)
        assert (line.up, server.connections) == (False, 0)
        gaps = [b - a for a, b in zip(server.asked, server.asked[1:], strict=False)]
        assert min(gaps) >= 0.04
    (said,) = [r for r in caplog.records if r.message == "line.refused"]
    assert "重新复制" in said.__dict__["cure"]
    assert "canary" not in "".join(str(vars(record)) for record in caplog.records)


async def test_frames_that_are_none_are_passed_over() -> None:
    async with far_end() as server, holding(server) as (line, ear):
        await server.connected.wait()
        for raw in (b"", b"\xff" * 40, "words", server.pieces(happens("x"), 1, "m-cut")[0][:-9]):
            await server.sends(raw)
        odd = {"SeqID": 1, "LogID": 1, "service": 1, "method": 1, "payload": b"{}"}
        for headers in ([], [("type", "hologram")], [("type", "event"), ("sum", "many")]):
            await server.sends(encoded({**odd, "headers": headers}))
        bad_pong = {**odd, "method": 0, "headers": [("type", "pong")], "payload": b"{"}
        await server.sends(encoded(bad_pong))
        unreadable = await server.brings(happens(UNREADABLE))
        mistaken = await server.brings(happens(A_BUG))
        # The same again would be understood no better; our own mistake may be mended.
        assert await server.answer(unreadable) == (200, None)
        assert await server.answer(mistaken) == (500, None)
        await server.brings(happens("好"))
        await server.sees(lambda: ear.heard == ["好"])
        assert (line.up, server.connections) == (True, 1)


async def test_what_was_heard_is_taken_to_its_end_when_the_line_is_let_go() -> None:
    async with far_end() as server:
        async with holding(server) as (_, ear):
            await server.connected.wait()
            ear.may_go_on.clear()
            last = await server.brings(happens("缺人"))
            await server.brings(happens(UNREADABLE), message_id="behind")
            await server.answer("behind")
            asyncio.get_running_loop().call_later(0.05, ear.may_go_on.set)
        assert ear.heard == ["缺人"]
        await server.sees(lambda: server.codes(last) == [200])
        assert server.live == []


async def refusal(server: FakeLongConnection, secret: str, prepare: Callable[[], None]) -> str:
    client = Client()
    prepare()
    try:
        await LongConnection(server.base, APP, secret, Ear().decode, client).reachable()
    except (Permanent, Transient) as error:
        return f"{type(error).__name__} {error.code}"
    finally:
        await client.close()
    return ""


async def test_whether_it_can_be_reached_is_found_out_without_connecting() -> None:
    async with far_end() as server:
        assert await refusal(server, SECRET, lambda: None) == ""
        assert await refusal(server, "wrong", lambda: None) == "Permanent 1000040346"
        busy = await refusal(server, SECRET, lambda: server.denials.append(503))
        assert busy == "Transient 1"
        assert await refusal(server, SECRET, lambda: server.denials.append(400)) == "Transient 1"
        assert server.connections == 0


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "wss://[bad", "file:///etc/x", "x"])
async def test_an_address_of_another_kind_is_not_connected_to(address: str) -> None:
    async with far_end() as server:
        server.elsewhere = address
        assert await refusal(server, SECRET, lambda: None) == "Permanent endpoint_not_secure"
        async with holding(server) as (line, _):
            await server.sees(lambda: len(server.asked) >= 3)
            assert not line.up


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one["kind"])
def test_every_sample_says_the_same_over_the_line_without_token_and_key(
    one: dict[str, Any],
) -> None:
    values = {
        "FEISHU_APP_ID": APP,
        "FEISHU_APP_SECRET": SECRET,
        "FEISHU_LONG_CONNECTION": "1",
    }
    feishu = built("feishu", values)
    plain = one["payload"]
    header = {k: v for k, v in plain.get("header", {}).items() if k != "token"}
    decoded = feishu.decode_payload(json.dumps({**plain, "header": header}).encode(), WALL)
    expected = codec.events(plain, codec.Me(("小港",)), WALL)
    assert (decoded.events, decoded.unsupported) == expected
    assert feishu.hooks == ()
    with pytest.raises(Rejected):
        feishu.decode(RawRequest("POST", "", {}, {}, b"{}", WALL))
