"""The vendor's own package and a second reader of the envelope as judges."""

import asyncio
import base64
import inspect
import json
import threading
import time
from typing import Any

import pytest
from dingtalk_stream import (
    AckMessage,
    CallbackHandler,
    CardCallbackMessage,
    ChatbotMessage,
    Credential,
    DingTalkStreamClient,
    EventHandler,
    card_instance,
)
from dingtalk_stream.frames import CallbackMessage, EventMessage
from wechatpy import crypto
from wechatpy.utils import to_binary

from bot.envelope import BadEnvelope, Envelope
from bot.platforms.dingtalk import DingTalk, codec, line
from bot.platforms.dingtalk.cards import VENDOR_TEMPLATE
from tests.contract.test_dingtalk_crypto import KEY, OWNER, TOKEN, VECTORS, platform
from tests.contract.test_dingtalk_inbound import SAMPLES
from tests.kit.fake_dingtalk_line import CLICKS, MESSAGES, FakeStream

FRAMES = [s for s in SAMPLES if s["transport"] == "stream" and s["payload"]["type"] != "SYSTEM"]
WALL = 1795334400.0


@pytest.fixture
def ours() -> DingTalk:
    made = platform({})
    # The samples come from another application.
    made._me = codec.Me(("小港",))
    return made


def theirs(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame that the vendor's client sends back, as its handlers make it."""

    class Heard(CallbackHandler):  # type: ignore[misc]  # untyped
        async def process(self, message: Any) -> tuple[int, Any]:
            return AckMessage.STATUS_OK, {}

    class Happened(EventHandler):  # type: ignore[misc]  # untyped
        async def process(self, message: Any) -> tuple[int, str]:
            return AckMessage.STATUS_OK, "OK"

    if frame["type"] == "EVENT":
        made = asyncio.run(Happened().raw_process(EventMessage.from_dict(frame)))
    else:
        made = asyncio.run(Heard().raw_process(CallbackMessage.from_dict(frame)))
    plain: dict[str, Any] = made.to_dict()
    return plain


@pytest.mark.parametrize("sample", FRAMES, ids=lambda s: str(s["kind"]))
def test_a_frame_is_answered_in_the_vendors_form(sample: dict[str, Any], ours: DingTalk) -> None:
    frame = sample["payload"]
    their = theirs(frame)
    mine = json.loads(ours.decode_frame(frame, WALL).ack.body)
    assert set(their) == {"code", "headers", "message", "data"}
    assert set(their["headers"]) == {"messageId", "contentType"}
    if frame["type"] == "EVENT":
        # The vendor's page says so; its package sends the event back.
        assert mine == {"status": "SUCCESS"}
    else:
        assert set(mine) == set(json.loads(their["data"])) == {"response"}


def test_a_message_says_to_us_what_it_says_to_the_vendors_package() -> None:
    for sample in (s for s in SAMPLES if s["transport"] == "robot_http"):
        event, _ = codec.message(sample["payload"], codec.Me(), WALL)
        if event is None:
            continue
        their = ChatbotMessage.from_dict(sample["payload"])
        assert event.event_id == their.message_id
        assert event.sender.id == (their.sender_staff_id or their.sender_id)
        assert event.sender_name == their.sender_nick
        if event.mention_bot:
            assert event.chat.id == their.conversation_id
        if event.msg_type in ("text", "mixed"):
            assert event.text == "\n".join(t.strip() for t in their.get_text_list())
        if event.msg_type in ("image", "mixed"):
            codes = [codec.media_of(a.url) for a in event.attachments]
            assert codes == their.get_image_list()


def test_a_click_says_to_us_what_it_says_to_the_vendors_package() -> None:
    for sample in (s for s in SAMPLES if s["kind"] == "card_button_http"):
        event, _ = codec.click(sample["payload"], "click-1", codec.Me(), WALL)
        assert event is not None
        assert event.press is not None
        their = CardCallbackMessage.from_dict(sample["payload"])
        assert (event.sender.id, event.press.card_ref) == (their.user_id, their.card_instance_id)
        params = their.content["cardPrivateData"]["params"]
        assert event.press.action == params["action"]


@pytest.mark.timeout(20)
async def test_the_vendors_own_client_is_served_by_our_far_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever our line is tried against must be what the vendor's client understands."""
    heard: list[str] = []

    class Heard(CallbackHandler):  # type: ignore[misc]  # untyped
        async def process(self, message: Any) -> tuple[int, Any]:
            heard.append(message.data.get("msgId") or message.data["outTrackId"])
            is_click = message.headers.topic == CallbackHandler.TOPIC_CARD_CALLBACK
            return AckMessage.STATUS_OK, {} if is_click else None

    samples = {s["kind"]: s["payload"] for s in SAMPLES}
    async with FakeStream("dingclient", "secret") as server:
        # It knows no other address than the vendor's.
        address = f"{server.base}/v1.0/gateway/connections/open"
        monkeypatch.setattr(DingTalkStreamClient, "OPEN_CONNECTION_API", address)
        client = DingTalkStreamClient(Credential("dingclient", "secret"))
        client.register_callback_handler(MESSAGES, Heard())
        client.register_callback_handler(CLICKS, Heard())
        client.register_all_event_handler(EventHandler())
        loop = asyncio.new_event_loop()
        task = loop.create_task(client.start())
        # Its calls for a ticket block.
        thread = threading.Thread(target=lambda: loop.run_until_complete(_ended(task)))
        thread.start()
        try:
            await server.connected.wait()
            message = await server.brings(MESSAGES, samples["p2p_text"])
            assert await server.answer(message) == {"response": None}
            click = await server.brings(CLICKS, samples["card_button_http"])
            assert await server.answer(click) == {"response": {}}
            await server.answer(await server.asks())
        finally:
            while thread.is_alive():
                # It takes the first one for a fault of the network.
                loop.call_soon_threadsafe(task.cancel)
                await asyncio.sleep(0.02)
            loop.close()
    assert heard == [samples["p2p_text"]["msgId"], samples["card_button_http"]["outTrackId"]]


async def _ended(task: "asyncio.Task[None]") -> None:
    await asyncio.gather(task, return_exceptions=True)
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for one in rest:
        one.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def test_the_topics_are_the_vendors() -> None:
    assert line.MESSAGES == ChatbotMessage.TOPIC
    assert line.CLICKS == CallbackHandler.TOPIC_CARD_CALLBACK


def test_the_public_template_is_the_one_of_the_vendors_package() -> None:
    assert VENDOR_TEMPLATE in inspect.getsource(card_instance)


def test_what_we_seal_a_second_reader_opens() -> None:
    envelope = Envelope(TOKEN, KEY, OWNER)
    reader = crypto.PrpCrypto(envelope_key())
    for text in (b"success", '{"EventType":"走访"}'.encode(), b"x" * 4000):
        assert to_binary(reader.decrypt(envelope.seal(text), OWNER)) == text
    now = str(int(time.time()))
    sealed = reader.encrypt("success", OWNER).decode().replace("\n", "")
    assert envelope.open(envelope.signature(now, "n", sealed), now, "n", sealed) == b"success"


def test_what_a_second_reader_refuses_we_refuse() -> None:
    for vector in (v for v in VECTORS if v["scheme"] == "event_aes"):
        encrypted, query = json.loads(vector["body"])["encrypt"], vector["query"]
        signature = query.get("msg_signature") or query["signature"]
        envelope = Envelope(vector["token"], vector["aes_key"], vector["owner_key"])
        try:
            opened = envelope.open(signature, query["timestamp"], query["nonce"], encrypted)
        except BadEnvelope:
            opened = b""
        assert bool(opened) is (vector["expect"] == "accept")
        their = crypto.PrpCrypto(envelope_key(vector["aes_key"]))
        if opened:
            assert their.decrypt(encrypted, vector["owner_key"]).encode() == opened


def envelope_key(key: str = KEY) -> bytes:
    return base64.b64decode(key + "=")
