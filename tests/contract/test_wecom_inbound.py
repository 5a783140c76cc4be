"""Every aibot sample decodes or is named unsupported; the app's too."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.payload import json_object
from bot.platform import Rejected
from bot.platforms.wecom import codec
from handlers.chat.events import ChatKind, EventKind

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "payloads" / "wecom_inbound.json").read_text(encoding="utf-8")
)["samples"]
AIBOT = [s for s in SAMPLES if s["channel"] == "aibot" and s["transport"] == "callback"]
APP = [s for s in SAMPLES if s["channel"] == "app" and s["transport"] == "callback"]
NAMES = ("老洪港小助手",)
# Understood and answered with nothing: the platform asks for a stream we ended at once.
SILENT = {"aibot-stream-refresh"}
UNSUPPORTED = {
    "aibot-unknown-msgtype": "sticker",
    "aibot-event-feedback-1": "feedback_event",
    "aibot-event-feedback-2": "feedback_event",
    "aibot-event-feedback-3": "feedback_event",
    "app-event-subscribe": "subscribe",
    "app-event-unsubscribe": "unsubscribe",
    "app-event-click": "click",
}


def ids(sample: dict[str, Any]) -> str:
    return str(sample["id"])


@pytest.mark.parametrize("sample", AIBOT, ids=ids)
def test_every_aibot_sample_decodes_or_is_named_unsupported(sample: dict[str, Any]) -> None:
    plain = sample["payload"]
    event, unsupported = codec.aibot_event(plain, NAMES, 1795334400.0)
    if sample["id"] in UNSUPPORTED:
        assert event is None
        assert unsupported == UNSUPPORTED[sample["id"]]
        return
    if sample["id"] in SILENT:
        assert (event, unsupported) == (None, "")
        return
    assert event is not None
    assert event.event_id == plain["msgid"]
    assert event.sender.id == plain["from"]["userid"]
    group = plain.get("chattype") == "group"
    assert event.chat_kind is (ChatKind.GROUP if group else ChatKind.DIRECT)
    assert "@老洪港小助手" not in event.text
    if plain["msgtype"] == "event":
        assert event.kind in (EventKind.PRESS, EventKind.ENTER)
    else:
        assert event.kind is EventKind.MESSAGE
        assert event.text or event.attachments
        assert (event.quote is not None) == ("quote" in plain)


@pytest.mark.parametrize("sample", APP, ids=ids)
def test_every_app_sample_decodes_or_is_named_unsupported(sample: dict[str, Any]) -> None:
    event, unsupported = codec.app_event(sample["xml"].encode(), 1795334400.0)
    if sample["id"] in UNSUPPORTED:
        assert (event, unsupported) == (None, UNSUPPORTED[sample["id"]])
        return
    assert event is not None, unsupported
    assert event.sender.id


@pytest.mark.parametrize(
    "xml",
    [
        b"<xml><MsgType>text</MsgType>",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><MsgType>&a;</MsgType></xml>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>',
        b"",
    ],
)
def test_xml_that_is_broken_or_declares_entities_is_refused(xml: bytes) -> None:
    with pytest.raises(Rejected) as error:
        codec.app_event(xml, 0.0)
    assert error.value.status == 400


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Rejected):
        json_object(raw)
