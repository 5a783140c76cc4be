"""doctor tries each credential against the platform and names the cure; secrets stay out of it."""

from typing import Any

import pytest

from bot.commands.doctor import far_clock, public_address
from bot.platform import Probe, Probing
from tests.kit import feishu
from tests.kit.dingtalk import settings as dingtalk_settings
from tests.kit.fake_dingtalk import CLIENT_ID, FakeDingTalk
from tests.kit.fake_dingtalk import SECRET as DINGTALK_SECRET
from tests.kit.fake_dingtalk_line import FakeStream
from tests.kit.fake_feishu import APP_ID, FakeFeishu
from tests.kit.fake_feishu import SECRET as FEISHU_SECRET
from tests.kit.fake_feishu_line import FakeLongConnection
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.platforms import built
from tests.kit.wecom import settings


async def tried(name: str = "wecom", **values: str) -> list[Probe]:
    platform: Any = built(name, values)
    assert isinstance(platform, Probing)
    try:
        return await platform.probe()
    finally:
        await platform.close()


async def probed(name: str = "wecom", **values: str) -> list[tuple[str, str]]:
    return [(p.what, p.fault) for p in await tried(name, **values)]


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
        # The address as WeCom saw it: behind a gateway nobody else can tell it.
        assert "203.0.113.7" in found["企业微信自建应用"]


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


async def test_feishus_long_connection_is_tried_without_connecting() -> None:
    far, line = FakeFeishu(), FakeLongConnection(APP_ID, FEISHU_SECRET)
    line.attach(far.app)
    async with far:
        good = feishu.settings(far.base, line=True)
        names = ("飞书凭证", "飞书机器人", "飞书长连接")
        assert await probed("feishu", **good) == [(name, "") for name in names]
        assert line.connections == 0
        found = dict(await probed("feishu", **{**good, "FEISHU_APP_SECRET": "canary-x"}))
        assert [name for name, fault in found.items() if "重新复制" in fault] == [
            "飞书凭证",
            "飞书长连接",
        ]
        assert "canary" not in str(found)
        for denial, told in ((1000040345, "平台正忙"), (4711, "订阅方式选了长连接"), (400, "正忙")):
            line.denials.append(denial)
            assert told in dict(await probed("feishu", **good))["飞书长连接"]


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("48002", "没有这个接口的权限"),
        ("40013", "重新复制 WECOM_CORP_ID"),
        ("301002", "不是同一个应用的"),
        ("4711", "核对网络和设置"),
    ],
)
async def test_what_wecom_refuses_is_named_with_its_cure(code: str, cure: str) -> None:
    async with FakeWeCom() as wecom:
        app = {k: v for k, v in settings(wecom.base).items() if not k.startswith("WECOM_AIBOT")}
        wecom.faults.append(code)
        assert cure in dict(await probed(**app))["企业微信自建应用"]


@pytest.mark.parametrize(
    ("code", "cure"), [("99991672", "缺少接口权限"), ("99991401", "出口 IP"), ("99991662", "没有发布版本")]
)  # fmt: skip
async def test_what_feishu_refuses_is_named_with_its_cure(code: str, cure: str) -> None:
    async with FakeFeishu() as far:
        far.faults.append(code)
        assert cure in dict(await probed("feishu", **feishu.settings(far.base)))["飞书凭证"]


async def test_the_far_ends_clock_is_held_against_ours() -> None:
    ding, line = FakeDingTalk(), FakeStream(CLIENT_ID, DINGTALK_SECRET)
    line.attach(ding.app)
    async with FakeWeCom() as wecom, FakeFeishu() as far, ding:
        for name, values in (
            ("wecom", settings(wecom.base)),
            ("feishu", feishu.settings(far.base)),
            ("dingtalk", dingtalk_settings(ding.base, stream=True)),
            ("dingtalk", {**dingtalk_settings(ding.base), "DINGTALK_CLIENT_SECRET": "another"}),
        ):
            (probe, *_) = await tried(name, **values)
            assert probe.ahead is not None
            # The header tells whole seconds.
            assert abs(probe.ahead) < 5
            assert far_clock(probe)[1] == ""
    name = "企业微信自建应用"
    assert "慢约 8 分钟" in far_clock(Probe(name, "", 480.0))[1]
    assert "快约 2 分钟" in far_clock(Probe(name, "", -95.0))[1]
    assert "时间同步" in far_clock(Probe(name, "", -95.0))[1]
    assert far_clock(Probe(name, "", 60.0))[1] == ""


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://lhg.example.com", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://lhg.example.com", "https"),
        ("", "没有 LHG_PUBLIC_URL"),
    ],
)
def test_the_address_for_callbacks_and_logins_is_https(address: str, told: str) -> None:
    fault = public_address(address)
    assert (fault == "") == (told == "")
    assert told in fault
