"""What people sent the bot is opened by the reference's vectors, and asked of WeCom alone."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.envelope import BadEnvelope
from bot.platform import MOST_FETCHED, Fetches, Gone, Permanent, TooLarge, Transient
from bot.platforms.wecom import codec
from bot.platforms.wecom.media import address, opened, parted
from handlers.chat.events import Attachment, AttachmentKind
from tests.kit.fake_wecom import ENDLESS, FakeWeCom, seal
from tests.kit.platforms import built
from tests.kit.wecom import KEY, settings

PAYLOADS = Path(__file__).parent / "payloads"
VECTORS: list[dict[str, Any]] = json.loads(
    (PAYLOADS / "wecom_media.json").read_text(encoding="utf-8")
)["vectors"]
SAMPLES: list[dict[str, Any]] = json.loads(
    (PAYLOADS / "wecom_inbound.json").read_text(encoding="utf-8")
)["samples"]
# Where clouds tell their machines' secrets; buckets that are not WeCom's; the one that is.
METADATA = "169.254.169.254"
SOMEBODYS = ("ww-aibot-img-1", "x-1258476243")
BUCKET = "ww-aibot-img-1258476243"
OTHER_KEY = "FJOKYiw6iG9WLQktwwESEqiE+PvggUBl8cSeUjgnLBo="


@asynccontextmanager
async def asking(wecom: FakeWeCom, **more: str) -> AsyncIterator[Fetches]:
    values = {**settings(wecom.base), **more}
    platform = built("wecom", values)
    assert isinstance(platform, Fetches)
    yield platform
    await platform.close()


def at(url: str) -> Attachment:
    return Attachment(AttachmentKind.IMAGE, url)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["id"]))
def test_a_sealed_file_opens_to_the_same_bytes(vector: dict[str, Any]) -> None:
    sealed = base64.b64decode(vector["cipher_base64"])
    plain = opened(sealed, vector["aeskey"])
    assert plain == base64.b64decode(vector["plain_base64"])
    assert hashlib.sha256(plain).hexdigest() == vector["plain_sha256"]
    assert seal(plain, vector["aeskey"]) == sealed


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["id"]))
def test_what_was_altered_or_is_another_keys_does_not_open(vector: dict[str, Any]) -> None:
    sealed = base64.b64decode(vector["cipher_base64"])
    key = vector["aeskey"]
    wrong = OTHER_KEY if key != OTHER_KEY else KEY
    for body, by in (
        (sealed, wrong),
        (sealed[:-1], key),
        (sealed[:-16] + bytes(16), key),
        (b"", key),
        (sealed, ""),
        (sealed, key[:-4]),
        (sealed, "***" + key[3:]),
    ):
        with pytest.raises(BadEnvelope):
            opened(body, by)


@given(st.binary(max_size=200))
def test_what_is_sealed_opens(body: bytes) -> None:
    assert opened(seal(body, KEY), KEY) == body


def test_a_files_own_key_travels_in_its_address_and_shows_nowhere() -> None:
    sample = next(s for s in SAMPLES if s["id"] == "ws-msg-image-single")
    plain = sample["payload"]["body"]
    event, _ = codec.aibot_event(plain, ("小港",), 1795334400.0)
    assert event is not None
    url, key = parted(event.attachments[0].url)
    assert url.startswith("https://")
    assert len(key) == 44
    assert key not in repr(event)
    assert parted(address(url, "")) == (url, "")


async def test_the_bots_key_opens_what_brings_none_of_its_own() -> None:
    async with FakeWeCom() as wecom, asking(wecom) as platform:
        url = wecom.lies("p1", b"picture", KEY)
        assert (await platform.fetch(at(url))).body == b"picture"
        own = wecom.lies("p2", b"table", OTHER_KEY, "用工 表.xlsx")
        got = await platform.fetch(at(address(own, OTHER_KEY)))
        assert (got.body, got.name) == (b"table", "用工 表.xlsx")
        with pytest.raises(Permanent) as error:
            await platform.fetch(at(own))
        assert error.value.code == "not_opened_padding"
        assert OTHER_KEY not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{METADATA}/latest/meta-data",
        "http://127.0.0.1:1/aibot/p1",
        "https://localhost/aibot/p1",
        "http://qyapi.weixin.qq.com/p1",
        "https://qyapi.weixin.qq.com:8443/p1",
        "https://qyapi.weixin.qq.com@collector.invalid/p1",
        "https://qyapi.weixin.qq.com.collector.invalid/p1",
        "https://collector.invalid\\@qyapi.weixin.qq.com/p1",
        *(f"https://{bucket}.cos.ap-guangzhou.myqcloud.com/p1" for bucket in SOMEBODYS),
        "file:///etc/passwd",
        "",
        "sealed:",
        "media:",
    ],
)
async def test_nothing_is_asked_of_anybody_else(url: str) -> None:
    async with FakeWeCom() as wecom, asking(wecom) as platform:
        with pytest.raises(Permanent):
            await platform.fetch(at(url))
        assert wecom.asked_files in ([], [""])


def test_the_platforms_own_hosts_are_known_and_more_can_be_named() -> None:
    from bot.client import Client
    from bot.platforms.wecom.media import Media

    media = Media(Client(), "https://qyapi.weixin.qq.com", ["files.example.cn"], KEY)
    for url in (
        "https://qyapi.weixin.qq.com/x",
        "https://openws.work.weixin.qq.com/x?y=1",
        f"https://{BUCKET}.cos.ap-guangzhou.myqcloud.com/a/1?sign=q%3D1",
        "https://files.example.cn/x",
    ):
        assert media._is_ours(url), url
    assert not media._is_ours("https://work.weixin.qq.com.example.cn/x")


async def test_an_address_that_is_over_a_fault_and_a_redirect_are_told_apart() -> None:
    async with FakeWeCom() as wecom, asking(wecom) as platform:
        url = wecom.lies("p1", b"picture", KEY)
        for status, kind in ((403, Gone), (404, Gone), (502, Transient), (429, Transient)):
            wecom.instead["p1"] = status
            with pytest.raises(kind):
                await platform.fetch(at(url))
        asked: list[str] = []

        async def hear(request: web.Request) -> web.Response:
            asked.append(request.path)
            return web.Response(body=seal(b"elsewhere", KEY))

        elsewhere = web.Application()
        elsewhere.router.add_get("/{path:.*}", hear)
        async with TestServer(elsewhere) as server:
            wecom.instead["p1"] = str(server.make_url("/inside"))
            with pytest.raises(Permanent) as error:
                await platform.fetch(at(url))
        assert error.value.code == "302"
        assert asked == []


async def test_what_is_too_large_is_not_read_to_its_end() -> None:
    async with FakeWeCom() as wecom, asking(wecom) as platform:
        url = wecom.lies("p1", b"", KEY)
        wecom.instead["p1"] = ENDLESS
        with pytest.raises(TooLarge):
            await platform.fetch(at(url))
        wecom.stored["m1"] = ("", bytes(MOST_FETCHED + 1))
        with pytest.raises(TooLarge):
            await platform.fetch(at("media:m1"))


async def test_what_was_sent_to_the_app_is_asked_for_with_its_token() -> None:
    async with FakeWeCom() as wecom, asking(wecom) as platform:
        wecom.stored["m1"] = ("voice.amr", b"#!AMR")
        wecom.stored["m2"] = ("facts.json", b'{"errcode": 40007}')
        got = await platform.fetch(at("media:m1"))
        assert (got.body, got.name) == (b"#!AMR", "voice.amr")
        assert (await platform.fetch(at("media:m2"))).body == b'{"errcode": 40007}'
        wecom.faults.append("expired")
        assert (await platform.fetch(at("media:m1"))).body == b"#!AMR"
        assert wecom.tokens == 2
        with pytest.raises(Gone):
            await platform.fetch(at("media:gone"))
        wecom.faults.append("busy")
        with pytest.raises(Transient):
            await platform.fetch(at("media:m1"))
