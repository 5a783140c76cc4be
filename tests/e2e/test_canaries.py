"""No secret setting of any platform is ever shown, though the far end quotes it in every error."""

import argparse
import asyncio
import itertools
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from bot import app as application
from bot import registry
from bot.__main__ import main
from bot.platform import Fetches, Noting, OnLine, Probing, SendError
from bot.platforms.generic import signature
from bot.settings import CORE
from handlers.chat.events import Attachment, AttachmentKind, ChatKind, ChatRef, UserRef
from handlers.chat.outbound import Button, Card, Content, Mention, Press
from handlers.domain.people import Chat
from handlers.ports import Outgoing
from storage.uow import UnitOfWork
from tests.kit.house import House
from tests.kit.logged import logged

# What a setting must look like to be taken; every other plain one takes this number.
NUMBER = "1000007"
PLAIN = {"FEISHU_APP_ID": "cli_a1f00dfeedbead01"}
# Settings of one platform that exclude each other: the test runs once without each set.
APART = (
    ("WECOM_AIBOT_SECRET", "FEISHU_LONG_CONNECTION"),
    ("WECOM_AIBOT_TOKEN", "WECOM_AIBOT_AES_KEY"),
)
# The other way than by default, where it is not left out.
OTHERWISE = {"FEISHU_LONG_CONNECTION": "1"}
TOKEN = "canaryACCESSTOKENgivenOut"
ROBOT = "canaryROBOTkeyInAddress"


def canary(key: str) -> str:
    """One of its own for each setting; keys of AES have 43 letters."""
    made = "canary" + "".join(c for c in key if c.isalnum())
    return (made + "x" * 43)[:43]


def secret_keys() -> list[str]:
    return [s.key for s in (*CORE, *application.platform_settings()) if s.secret]


def filled(far: str, without: tuple[str, ...]) -> dict[str, str]:
    """Every setting of every platform, all addresses at the far end that quotes."""
    found = {}
    for setting in application.platform_settings():
        if setting.key in without or setting.key == "LHG_SANDBOX":
            continue
        if setting.secret:
            found[setting.key] = canary(setting.key)
        elif setting.default.startswith("ws"):
            found[setting.key] = f"{far.replace('http', 'ws', 1)}/socket"
        elif setting.default.startswith("http") or setting.key.endswith("_URL"):
            found[setting.key] = far
        else:
            found[setting.key] = (PLAIN | OTHERWISE).get(setting.key, setting.default or NUMBER)
    core = {s.key: canary(s.key) for s in CORE if s.secret}
    return {**found, **core, "LHG_LLM_BASE_URL": f"{far}/v1", "LHG_LLM_MODEL": "m"}


class Quoting:
    """Quotes whole requests in its errors; gives tokens out, so that they are quoted too."""

    def __init__(self) -> None:
        self.quoted: set[str] = set()
        self._moods = itertools.cycle(("json", "400", "500", "html", "redirect", "closed", "401"))
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app)

    async def __aenter__(self) -> "Quoting":
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    @property
    def base(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/socket":
            return await self._socket(request)
        told = f"{request.method} {request.url} {dict(request.headers)} {await request.text()}"
        self.quoted.add(told)
        if "token" in request.path.lower() and "redirected" not in request.query:
            names = ("access_token", "tenant_access_token", "accessToken")
            lives = {"expires_in": 7200, "expire": 7200, "expireIn": 7200}
            return web.json_response(
                {"errcode": 0, "code": 0, **dict.fromkeys(names, TOKEN), **lives, "msg": told}
            )
        wrong = {"errcode": 40001, "code": 10014, "errmsg": told, "msg": told, "message": told}
        mood = next(self._moods)
        if mood == "json":
            return web.json_response(wrong)
        if mood == "html":
            return web.Response(text=told, content_type="text/html")
        if mood == "redirect":
            raise web.HTTPFound(f"/moved?redirected=1&key={request.query_string}")
        if mood == "closed":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.json_response(wrong, status=int(mood), reason="Refused", headers={"X-Why": "no"})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            self.quoted.add(message.data)
            frame = json.loads(message.data)
            wrong = {"errcode": 40001, "errmsg": message.data}
            await socket.send_str(json.dumps({"headers": frame.get("headers"), **wrong}))
            await socket.send_str(message.data[: len(message.data) // 2])
        return socket


async def _told_everybody(house: House, far: str) -> None:
    """Messages by every way of every platform, groups' robots among them."""
    card = Card("k", "#1 用工", "缺工", "缺工", buttons=(Button("认领", Press("x", {})),))
    robots = (
        f"{far}/cgi-bin/webhook/send?key={ROBOT}",
        f"{far}/open-apis/bot/v2/hook/{ROBOT}#{ROBOT}",
        f"http://127.0.0.1:9/send?access_token={ROBOT}",
        f"http://[bad?key={ROBOT}",
    )

    def put(uow: UnitOfWork) -> None:
        for name in house.app.platforms:
            for n, robot in enumerate(robots):
                uow.chats.save_chat(Chat(name, f"oc_g{n}", "群", "group", True, robot))
            # Who is called in a group is called by its robot.
            called = Content("请看", mentions=(Mention(UserRef(name, "ou_1"), "张"),))
            for content in (Content("您好"), Content.of(card), called):
                for n in range(len(robots)):
                    uow.outbox.put(Outgoing(content, chat=ChatRef(name, f"oc_g{n}")))
                for who in ("ou_1", "kf:a:b"):
                    chat = ChatRef(name, who)
                    uow.outbox.put(Outgoing(content, chat=chat, chat_kind=ChatKind.DIRECT))

    await house.app.writer.run(put)
    for _ in range(3):
        await house.app.dispatcher.drain()


async def _knocked(house: House) -> list[str]:
    """Requests good and bad; what they were answered."""
    answers = []
    for platform in house.app.platforms.values():
        for hook in platform.hooks:
            path = f"/hooks/{platform.name}/{hook}".rstrip("/")
            for secret in map(canary, secret_keys()):
                response = await house.client.post(
                    path, params={"msg_signature": secret, "timestamp": "1", "nonce": secret},
                    headers={"X-LHG-Signature": secret, "X-Lark-Signature": secret},
                    json={"encrypt": secret, "token": secret},
                )  # fmt: skip
                answers.append(
                    f"{response.status} {dict(response.headers)} {await response.text()}"
                )
    body = json.dumps(
        {
            "event_id": "e1",
            "chat": {"id": "g", "kind": "group"},
            "sender": {"id": "u"},
            "text": "车间缺操作工20人，临时招不到",
            "mention_bot": True,
        }
    ).encode()
    stamp = str(int(time.time()))
    signed = signature(canary("GENERIC_SECRET"), stamp, body)
    headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signed}
    response = await house.client.post("/hooks/generic", data=body, headers=headers)
    answers.append(await response.text())
    assert response.status == 200
    return answers


async def _asked(house: House) -> list[str]:
    """Everything that is shown to whoever may look."""
    answers = []
    token = canary("LHG_BOOTSTRAP_TOKEN")
    for path in ("/outbox", "/outbox?state=dead", "/audit", "/tickets", "/people", "/enterprises"):
        answers.append(json.dumps(await house.api("GET", path, token=token, status=None)))
    answers.append(json.dumps(await house.api("GET", "/outbox", token=token + "x", status=401)))
    for path in ("/metrics", "/readyz", "/healthz", "/api/openapi.json", "/sandbox"):
        answers.append(await (await house.client.get(path)).text())
    return answers


async def _tried(house: House) -> list[str]:
    """What a platform can do beside sending; its errors as whoever called sees them."""
    answers = []
    for platform in house.app.platforms.values():
        if isinstance(platform, Probing):
            answers += [repr(probe) for probe in await platform.probe()]
        if isinstance(platform, Fetches):
            for url in ("media:m1", "feishu:image/om_1/k1", f"http://127.0.0.1:9/?key={ROBOT}"):
                try:
                    await platform.fetch(Attachment(AttachmentKind.IMAGE, url))
                except SendError as error:
                    answers.append(repr(error))
        answers.append(repr(platform))
    answers += [repr(house.settings), str(house.settings)]
    return answers


def commands(settings: Mapping[str, str], folder: Path) -> None:
    """The command line with these settings; what it prints is looked at by whoever calls."""
    env = folder / "env"
    env.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), encoding="utf-8")
    env.chmod(0o600)
    from bot.commands import doctor

    doctor.run(argparse.Namespace(file=env))
    # A value that cannot be used is named by its key.
    env.write_text(
        "".join(f"{k}={v[:20]}\n" for k, v in settings.items()) + "LHG_LISTEN=x\n",
        encoding="utf-8",
    )
    doctor.run(argparse.Namespace(file=env))


def test_every_secret_is_planted_in_some_run() -> None:
    planted = [set(filled("http://127.0.0.1:9", without)) for without in APART]
    assert set(secret_keys()) <= set().union(*planted)
    assert len({canary(k) for k in secret_keys()}) == len(secret_keys())


@pytest.mark.slow
@pytest.mark.parametrize(("without", "kind"), list(zip(APART, ("json", "text"), strict=True)))
async def test_no_secret_is_shown_anywhere(
    sqlite_url: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    without: tuple[str, ...],
    kind: str,
) -> None:
    # For each a look of its own, without the mask that is the last resort.
    with logged(kind=kind) as log:
        async with Quoting() as far:
            settings = filled(far.base, without)
            shown: list[str] = []
            async with House(sqlite_url, settings) as house:
                assert set(house.app.platforms) == set(registry.platforms())
                shown += await _knocked(house)
                await _told_everybody(house, far.base)
                shown += await _tried(house)
                shown += await _asked(house)
                assert any(isinstance(p, Noting | OnLine) for p in house.app.platforms.values())
            outside = {**settings, "LHG_DATABASE_URL": "postgresql://u:canaryDBpass@127.0.0.1:9/x"}
            await asyncio.to_thread(commands, outside, tmp_path)
            for key, value in outside.items():
                monkeypatch.setenv(key, value)
            code = await asyncio.to_thread(main, ["audit", "verify"])
            assert code == 2
        error = RuntimeError(f"https://example.invalid/?key={canary('WECOM_APP_SECRET')}")
        logging.getLogger("anybody").error("call.failed", exc_info=error)
    said = capfd.readouterr()
    everything = "\n".join([*shown, log.getvalue(), said.out, said.err])
    assert "message.dead" in everything
    assert "call.failed" in everything
    assert "✗ 设置" in said.out
    quoted = "\n".join(far.quoted)
    # The far end did see secrets: otherwise it could not have quoted them.
    assert TOKEN in quoted
    if "WECOM_AIBOT_SECRET" in without:
        assert ROBOT in quoted
    assert sum(canary(key) in quoted for key in secret_keys()) >= 2
    for secret in (*map(canary, secret_keys()), TOKEN, ROBOT, "canaryDBpass"):
        at = everything.find(secret[:20])
        assert at < 0, everything[max(0, at - 300) : at + 100]


@pytest.mark.parametrize("kind", ["json", "text"])
def test_the_mask_hides_a_secret_however_it_is_logged(kind: str) -> None:
    secret = "canary/with+signs='quotes'"
    with logged(kind=kind, secrets=[secret, "short"]) as log:
        logger = logging.getLogger("somebody")
        logger.warning("see %s", f"https://example.invalid/{secret}")
        logger.warning("refused", extra={"answer": {"far": [secret]}, "why": "a short word"})
    assert secret not in log.getvalue()
    assert "with+signs" not in log.getvalue()
    assert "short word" in log.getvalue()
