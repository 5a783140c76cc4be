"""doctor tries each credential against the platform and names the cure; secrets stay out of it."""

from typing import Any

from bot.app import build_platforms, platform_settings
from bot.platform import Probing
from bot.settings import load
from tests.kit.dingtalk import settings as dingtalk_settings
from tests.kit.fake_dingtalk import CLIENT_ID, FakeDingTalk
from tests.kit.fake_dingtalk import SECRET as DINGTALK_SECRET
from tests.kit.fake_dingtalk_line import FakeStream
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.wecom import settings


async def probed(name: str = "wecom", **values: str) -> list[tuple[str, str]]:
    platform: Any = build_platforms(load(platform_settings(), overrides=values))[name]
    assert isinstance(platform, Probing)
    try:
        return [(p.what, p.fault) for p in await platform.probe()]
    finally:
        await platform.close()


async def test_good_credentials_are_found_good() -> None:
    async with FakeWeCom() as wecom, FakeLine() as line:
        app = {k: v for k, v in settings(wecom.base).items() if not k.startswith("WECOM_AIBOT")}
        aibot = {
            "WECOM_AIBOT_ID": BOT,
            "WECOM_AIBOT_SECRET": SECRET,
            "WECOM_AIBOT_WS": line.url,
        }
        assert await probed(**app, **aibot) == [("企业微信自建应用", ""), ("企业微信长连接", "")]
        # The connection in use was not put out by it.
        assert not line.subscribed.is_set()


async def test_a_wrong_secret_and_a_foreign_address_are_named_with_their_cure() -> None:
    async with FakeWeCom() as wecom:
        app = {k: v for k, v in settings(wecom.base).items() if not k.startswith("WECOM_AIBOT")}
        found = dict(await probed(**{**app, "WECOM_APP_SECRET": "canary-secret"}))
        assert "重新复制" in found["企业微信自建应用"]
        assert "canary-secret" not in str(found)
        wecom.faults.append("foreign")
        found = dict(await probed(**app))
        assert "企业可信IP" in found["企业微信自建应用"]


async def test_an_address_that_does_not_answer_is_said() -> None:
    aibot = {
        "WECOM_AIBOT_ID": BOT,
        "WECOM_AIBOT_SECRET": SECRET,
        "WECOM_AIBOT_WS": "ws://127.0.0.1:9/",
    }
    found = dict(await probed(**aibot))
    assert "核对网络" in found["企业微信长连接"]


async def test_dingtalks_credentials_and_its_connection_are_tried_without_connecting() -> None:
    far, line = FakeDingTalk(), FakeStream(CLIENT_ID, DINGTALK_SECRET)
    line.attach(far.app)
    async with far:
        good = dingtalk_settings(far.base, stream=True)
        assert await probed("dingtalk", **good) == [("钉钉凭证", ""), ("钉钉长连接", "")]
        assert line.connections == 0
        found = dict(await probed("dingtalk", **{**good, "DINGTALK_CLIENT_SECRET": "canary-x"}))
        assert all("重新复制" in fault for fault in found.values())
        assert "canary" not in str(found)
        by_http = await probed("dingtalk", **dingtalk_settings(far.base))
        assert by_http == [("钉钉凭证", "")]
