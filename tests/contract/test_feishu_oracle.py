"""The vendor's own package as judge, where somebody installed it; it is large (extra `oracles`)."""

import json
import time
from typing import Any

import pytest
from multidict import CIMultiDict

from bot.platform import RawRequest
from bot.platforms import feishu
from bot.platforms.feishu.crypto import Envelope
from tests.contract.test_feishu_crypto import platform

KEY, TOKEN = "oracle-encrypt-key", "oracle-token"
MESSAGE = {
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
