"""The vendor's own package as judge, where somebody installed it; it is large (extra `oracles`)."""

import asyncio
import contextlib
import json
import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from multidict import CIMultiDict

from bot.platform import RawRequest
from bot.platforms import feishu
from bot.platforms.feishu.crypto import Envelope
from bot.platforms.feishu.frames import Frame, read, written
from tests.contract.test_feishu_crypto import platform
from tests.contract.test_feishu_frames import FRAMES
from tests.kit.fake_feishu_line import PRESS, FakeLongConnection

KEY, TOKEN = "oracle-encrypt-key", "oracle-token"
MESSAGE: dict[str, Any] = {
    "schema": "2.0",
    "header": {
        "event_id": "e1",
        "event_type": "im.message.receive_v1",
        "create_time": "1795334400000",
        "token": TOKEN,
        "app_id": "cli_a1f00dfeedbead01",
    },
    "event": {
        "sender": {"sender_id": {"open_id": "ou_1"}, "sender_type": "user"},
        "message": {
            "message_id": "om_1",
            "chat_id": "oc_1",
            "chat_type": "group",
            "message_type": "text",
            "content": '{"text":"缺操作工20人"}',
        },
    },
}


def sealed(plain: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    envelope = Envelope(KEY)
    body = json.dumps({"encrypt": envelope.seal(json.dumps(plain).encode())}).encode()
    timestamp = str(int(time.time()))
    return body, {
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": "n",
        "X-Lark-Signature": envelope.signature(timestamp, "n", body),
    }


@pytest.fixture
def ours() -> feishu.Feishu:
    return platform({"encrypt_key": KEY, "verification_token": TOKEN})


def test_what_we_seal_and_sign_the_vendor_opens(ours: feishu.Feishu) -> None:
    pytest.importorskip("lark_oapi", reason="pip install '.[oracles]' (100 MB)")
    from lark_oapi.core.model import RawRequest as TheirRequest
    from lark_oapi.event.dispatcher_handler import EventDispatcherHandler

    heard: list[Any] = []
    handler = (
        EventDispatcherHandler.builder(KEY, TOKEN)
        .register_p2_im_message_receive_v1(heard.append)
        .build()
    )
    body, headers = sealed(MESSAGE)
    request = TheirRequest()
    request.uri, request.body, request.headers = "/", body, headers
    assert handler.do(request).status_code == 200
    raw = RawRequest("POST", "", {}, CIMultiDict(headers), body, time.time())
    (event,) = ours.decode(raw).events
    message = heard[0].event.message
    assert event.event_id == message.message_id
    assert event.text == json.loads(message.content)["text"]


def test_what_the_vendor_refuses_we_refuse(ours: feishu.Feishu) -> None:
    pytest.importorskip("lark_oapi", reason="pip install '.[oracles]' (100 MB)")
    from lark_oapi.core.model import RawRequest as TheirRequest
    from lark_oapi.event.dispatcher_handler import EventDispatcherHandler

    from bot.platform import Rejected

    handler = EventDispatcherHandler.builder(KEY, TOKEN).build()
    body, headers = sealed(MESSAGE)
    spoiled = {**headers, "X-Lark-Signature": "0" * 64}
    request = TheirRequest()
    request.uri, request.body, request.headers = "/", body, spoiled
    assert handler.do(request).status_code == 500
    with pytest.raises(Rejected):
        ours.decode(RawRequest("POST", "", {}, CIMultiDict(spoiled), body, time.time()))


@pytest.fixture(scope="module")
def vendors_frame() -> Any:
    pytest.importorskip("lark_oapi", reason="pip install '.[oracles]' (100 MB)")
    from lark_oapi.ws.pb.pbbp2_pb2 import Frame as TheirFrame

    return TheirFrame


# From a folder of its own the package is read by Hypothesis in search of constants.
@trying(suppress_health_check=[HealthCheck.too_slow])
@given(frame=FRAMES)
def test_a_frame_is_the_same_to_the_vendors_own_class(vendors_frame: Any, frame: Frame) -> None:
    theirs = vendors_frame()
    theirs.ParseFromString(written(frame))
    assert [(h.key, h.value) for h in theirs.headers] == list(frame.headers)
    assert (theirs.SeqID, theirs.LogID) == (frame.seq_id, frame.log_id)
    assert (theirs.service, theirs.method) == (frame.service, frame.method)
    assert (theirs.payload_encoding, theirs.payload_type) == (
        frame.payload_encoding,
        frame.payload_type,
    )
    assert (theirs.payload, theirs.LogIDNew) == (frame.payload, frame.log_id_new)
    assert read(theirs.SerializeToString()) == frame


@pytest.mark.timeout(60)
async def test_the_vendors_own_client_is_served_by_the_far_end_we_are_tried_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("lark_oapi", reason="pip install '.[oracles]' (100 MB)")
    from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse
    from lark_oapi.event.dispatcher_handler import EventDispatcherHandler
    from lark_oapi.ws import client

    heard: list[Any] = []
    toast = {"toast": {"type": "info", "content": "已认领"}}
    handler = (
        EventDispatcherHandler.builder("", "")
        .register_p2_im_message_receive_v1(heard.append)
        .register_p2_card_action_trigger(lambda _: P2CardActionTriggerResponse(toast))
        .build()
    )
    click = {**MESSAGE, "header": {**MESSAGE["header"], "event_type": PRESS}, "event": {}}
    loop = asyncio.new_event_loop()
    # It runs on the loop that was there when it was imported, and its calls block.
    monkeypatch.setattr(client, "loop", loop)
    async with FakeLongConnection("cli_1", "secret") as server:
        theirs = client.Client(
            "cli_1", "secret", event_handler=handler, domain=server.base, auto_reconnect=False
        )

        def run() -> None:
            with contextlib.suppress(RuntimeError):
                theirs.start()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            await server.connected.wait()
            assert await server.answer(await server.brings(MESSAGE)) == (200, None)
            in_pieces = await server.brings({**MESSAGE, "more": "缺人" * 99}, pieces=3)
            assert await server.answer(in_pieces) == (200, None)
            assert len(heard) == 2
            assert await server.answer(await server.brings(click)) == (200, toast)
            await server.sees(lambda: server.pings == 1)
        finally:
            for socket in server.live:
                await socket.close()
            loop.call_soon_threadsafe(loop.stop)
            await asyncio.to_thread(thread.join)
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            await asyncio.to_thread(loop.run_until_complete, _ended(tasks))
            loop.close()


async def _ended(tasks: set["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
