"""A package of others as judge of WeCom's envelope."""

import time
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise import WeChatCrypto, parse_message
from wechatpy.enterprise.exceptions import InvalidCorpIdException
from wechatpy.exceptions import InvalidSignatureException

from bot.envelope import BadEnvelope, Envelope
from bot.platform import RawRequest
from bot.platforms.wecom import codec
from handlers.chat.events import Attachment, AttachmentKind
from tests.kit.platforms import NOWHERE, built
from tests.kit.wecom import APP_KEY, APP_TOKEN, CORP, settings

OURS = Envelope(APP_TOKEN, APP_KEY, CORP)
BEIJING = ZoneInfo("Asia/Shanghai")
# What XML cannot hold nobody sends.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@pytest.fixture(scope="module")
def theirs() -> Any:
    return SimpleNamespace(
        crypto=WeChatCrypto(APP_TOKEN, APP_KEY, CORP),
        of=lambda corp: WeChatCrypto(APP_TOKEN, APP_KEY, corp),
        parse=parse_message,
        wrong_corp=InvalidCorpIdException,
        wrong_signature=InvalidSignatureException,
    )


def message(kind: str, inner: str) -> str:
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>ZhangJing</FromUserName>"
        f"<CreateTime>1795334400</CreateTime><MsgType>{kind}</MsgType>{inner}"
        "<MsgId>4561255354251345929</MsgId><AgentID>1000007</AgentID></xml>"
    )


def test_what_we_seal_and_sign_they_open(theirs: Any) -> None:
    @given(WORDS)
    def holds(words: str) -> None:
        sealed = OURS.seal(words.encode())
        signature = OURS.signature("1795334400", "n0nce", sealed)
        opened = theirs.crypto.decrypt_message(
            {"Encrypt": sealed}, signature, "1795334400", "n0nce"
        )
        assert opened == words

    holds()


def test_what_they_seal_and_sign_we_open(theirs: Any) -> None:
    @given(WORDS)
    def holds(words: str) -> None:
        root = ElementTree.fromstring(theirs.crypto.encrypt_message(words, "n0nce", "1795334400"))
        parts = ("MsgSignature", "TimeStamp", "Nonce", "Encrypt")
        opened = OURS.open(*(root.findtext(part) or "" for part in parts))
        assert opened.decode() == words

    holds()


def test_both_answer_the_check_of_the_address_alike(theirs: Any) -> None:
    sealed = OURS.seal(b"1616140317555161061")
    signature = OURS.signature("1795334400", "n0nce", sealed)
    query = {
        "msg_signature": signature, "timestamp": "1795334400", "nonce": "n0nce", "echostr": sealed
    }  # fmt: skip
    wecom = built("wecom", settings(NOWHERE))
    ours = wecom.decode(RawRequest("GET", "app", query, {}, b"", time.time())).ack.body
    assert ours.decode() == theirs.crypto.check_signature(signature, "1795334400", "n0nce", sealed)


def test_what_they_refuse_we_refuse(theirs: Any) -> None:
    sealed = OURS.seal("缺操作工20人".encode())
    signature = OURS.signature("1795334400", "n0nce", sealed)
    for spoiled in (signature[:-1] + "g", "0" * 40, ""):
        with pytest.raises(theirs.wrong_signature):
            theirs.crypto.decrypt_message({"Encrypt": sealed}, spoiled, "1795334400", "n0nce")
        with pytest.raises(BadEnvelope, match="signature"):
            OURS.open(spoiled, "1795334400", "n0nce", sealed)
    with pytest.raises(theirs.wrong_corp):
        theirs.of("ww0000000000000000").decrypt_message(
            {"Encrypt": sealed}, signature, "1795334400", "n0nce"
        )
    with pytest.raises(BadEnvelope, match="receive_id"):
        Envelope(APP_TOKEN, APP_KEY, "ww0000000000000000").open(
            signature, "1795334400", "n0nce", sealed
        )


def test_both_read_the_same_in_a_message(theirs: Any) -> None:
    said = message("text", "<Content><![CDATA[车间缺操作工20人]]></Content>")
    judge, (event, _) = theirs.parse(said), codec.app_event(said.encode(), 0.0)
    assert event is not None
    assert (event.text, event.sender.id) == (judge.content, judge.source)
    assert event.event_id == f"app-{judge.id}"
    # Their time has no zone: it is Beijing's.
    assert event.at.astimezone(BEIJING).replace(tzinfo=None) == judge.create_time.replace(
        tzinfo=None
    )

    shown = message("image", "<PicUrl>https://example.invalid/p</PicUrl><MediaId>M1</MediaId>")
    judge, (event, _) = theirs.parse(shown), codec.app_event(shown.encode(), 0.0)
    assert event is not None
    assert event.attachments == (Attachment(AttachmentKind.IMAGE, f"media:{judge.media_id}"),)
