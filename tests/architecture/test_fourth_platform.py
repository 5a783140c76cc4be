"""A platform that nobody thought of is one folder, dropped into bot/platforms, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STORY = r'''
import asyncio, contextlib, io, json, pathlib, sys, tempfile
from aiohttp import web
from aiohttp.test_utils import TestServer
from bot import registry
from bot.__main__ import main as command
from bot.commands.docs import example_env, pages
from bot.platforms.lantern import codec
from bot.settings import CORE
from handlers.domain.people import Chat, Identity
from storage.migrate import upgrade
from tests.kit.house import House

SECRET = "lantern-secret"
folder = pathlib.Path(tempfile.mkdtemp())


class Far:
    def __init__(self):
        self.said, self.confirmed, self.sockets = [], [], []
        app = web.Application()
        app.router.add_post("/say", self.say)
        app.router.add_get("/me", self.me)
        app.router.add_get("/line", self.line)
        self.server = TestServer(app)

    async def say(self, request):
        body = await request.json()
        if request.headers["X-Lantern-Key"] != SECRET:
            return web.json_response({"code": 7002})
        if body["to"] == "closed":
            return web.json_response({"code": 7001})
        self.said.append(body)
        return web.json_response({"id": len(self.said)})

    async def me(self, request):
        right = request.headers["X-Lantern-Key"] == SECRET
        return web.json_response({} if right else {"code": 7002})

    async def line(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            self.confirmed.append(json.loads(message.data)["done"])
        return socket


async def until(holds):
    for _ in range(500):
        if await holds() if asyncio.iscoroutinefunction(holds) else holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


def asked(base, secret):
    """init, answered as somebody does who wants this platform only; doctor follows it."""
    lines = ["" for _ in CORE]
    lines[0] = f"sqlite:///{folder}/init.db"
    for name, module in registry.platforms().items():
        if name == "lantern":
            lines += ["y", secret, base, base.replace("http", "ws", 1) + "/line"]
        else:
            lines.append("")
    env = folder / f"{secret}.env"
    out, sys.stdin = io.StringIO(), io.StringIO("\n".join(lines) + "\n")
    with contextlib.redirect_stdout(out):
        command(["init", "--file", str(env)])
    assert "要接入灯笼吗？" in out.getvalue(), out.getvalue()
    assert f"LANTERN_SECRET={secret}" in env.read_text()
    assert "LANTERN_SECRET　灯笼密钥：灯笼后台首页" in out.getvalue()
    return out.getvalue()


async def main():
    assert "| `LANTERN_SECRET` | 灯笼密钥：灯笼后台首页 |  | yes |" in pages()["config.md"]
    assert "LANTERN_API_BASE=https://lantern.example.cn" in example_env()
    far = Far()
    await far.server.start_server()
    base = str(far.server.make_url("")).rstrip("/")
    assert "✓ 灯笼凭证" in await asyncio.to_thread(asked, base, SECRET)
    assert "✗ 灯笼凭证：密钥不对，请重新复制。" in await asyncio.to_thread(asked, base, "wrong-secret")
    assert "太短，请到灯笼后台首页" in await asyncio.to_thread(asked, base, "short")
    print("settings, init and doctor")

    url = f"sqlite:///{folder}/x.db"
    upgrade(url)
    settings = {
        "LANTERN_SECRET": SECRET,
        "LANTERN_API_BASE": base,
        "LANTERN_WS": base.replace("http", "ws", 1) + "/line",
    }
    async with House(url, settings) as house:
        def accounts(uow):
            for user, person in (("zhang", "E003-1"), ("zhou", "P041")):
                uow.people.save_identity(Identity("lantern", user, person))
        await house.app.writer.run(accounts)
        numbers = iter(range(1000))

        async def calls(who, **more):
            body = json.dumps({"id": f"n{next(numbers)}", "who": who, **more}).encode()
            headers = {"X-Lantern-Signature": codec.signature(SECRET, body)}
            response = await house.client.post("/hooks/lantern", data=body, headers=headers)
            assert response.status == 200
            refused = await house.client.post("/hooks/lantern", data=body)
            assert refused.status == 403
            await house.app.dispatcher.drain()

        async def presses(who, label):
            buttons = [m for m in far.said if m["to"] == who and label in m["buttons"]]
            await calls(who, press=buttons[-1]["buttons"][label])

        await calls("zhang", text="车间缺操作工20人，临时招不到", room="r1")
        assert any(m["to"] == "r1" and "#1001" in m["text"] for m in far.said), far.said
        await presses("zhou", "认领")
        assert (await house.ticket()).owner_id == "P041"
        await calls("zhou", text="办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await presses("zhang", "非常满意")
        ticket = await house.ticket()
        assert (ticket.state, ticket.rating) == ("closed", 5)
        print("the ticket's story")

        async def up():
            seen = await (await house.client.get("/readyz")).json()
            return seen["lines"]["lantern.line"] == "up"
        await until(up)
        for _ in range(2):
            said = {"id": "by-line", "who": "zhang", "text": "厂门口路灯坏了5盏，晚上看不见"}
            await far.sockets[-1].send_str(json.dumps(said))
        await until(lambda: far.confirmed == ["by-line", "by-line"])
        assert await house.count("tickets") == 2
        await far.sockets[-1].close()
        await until(lambda: len(far.sockets) == 2)
        print("the line")

        await calls("zhang", text="缺焊工5人，招不到", room="closed")
        (dead,) = (await house.api("GET", "/outbox?state=dead"))["items"]
        assert (dead["error"], dead["cure"]) == ("permanent:7001", "群里没有灯笼，请把它请进群。")
        shown = await (await house.client.get("/metrics")).text()
        assert 'lhg_messages_sent_total{platform="lantern"}' in shown
        assert SECRET not in shown
        print("the cure")
    await far.server.close()


asyncio.run(main())
'''


@pytest.mark.slow
def test_a_fourth_platform_is_one_folder_and_no_change_elsewhere(tmp_path: Path) -> None:
    # A copy: other tests are reading the real code meanwhile.
    for folder in ("bot", "handlers", "storage", "tests/kit"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copyfile(ROOT / "tests" / "__init__.py", tmp_path / "tests" / "__init__.py")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    shutil.move(tmp_path / "tests" / "kit" / "lantern", tmp_path / "bot" / "platforms" / "lantern")
    done = subprocess.run(
        [sys.executable, "-c", STORY], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert done.stdout.splitlines() == [
        "settings, init and doctor",
        "the ticket's story",
        "the line",
        "the cure",
    ]
    program = Path(sys.executable).parent / "lint-imports"
    linted = subprocess.run(
        [str(program), "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout
