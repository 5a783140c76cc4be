"""The command line: what it prints, what it leaves behind, how it ends."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot import app as application
from bot import registry
from bot.settings import CORE
from tests.kit.dingtalk import settings as dingtalk_settings
from tests.kit.feishu import settings as feishu_settings

ROOT = Path(__file__).parents[2]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    keep = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("LHG_", "WECOM_", "FEISHU_", "DINGTALK_", "GENERIC_"))
    }
    url = f"sqlite:///{folder / 'lhg.db'}"
    return {**keep, "PYTHONPATH": str(ROOT), "LHG_DATABASE_URL": url, **settings}


def bot(
    folder: Path, *arguments: str, say: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=environment(folder, **settings),
        input=say,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (("serve",), {"LHG_LOG_FORMAT": "xml"}, "LHG_LOG_FORMAT"),
        (("serve",), {"LHG_DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/x"}, "数据库连不上"),
        (("serve",), {"LHG_DATABASE_URL": "sqlite:////proc/none/x.db"}, "/proc/none"),
        (("migrate", "--to", "none"), {}, "没有版本 none"),
        (("demo", "--clock", "nine"), {}, "--clock"),
        (("token", "create", "--name", "n", "--scope", "read", "--enterprise", "E9"), {}, "E9"),
        (("replay", "missing.jsonl"), {}, "missing.jsonl"),
        (("nothing",), {}, "nothing"),
    ],
)
def test_wrong_use_ends_with_2_and_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], told: str
) -> None:
    done = bot(tmp_path, *arguments, **settings)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = bot(tmp_path, "serve", LHG_LISTEN=listen)
    assert done.returncode == 2
    assert f"{listen} 已被占用" in done.stderr


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    assert bot(tmp_path, "migrate").returncode == 0
    with sqlite3.connect(tmp_path / "lhg.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in ("migrate", "serve"):
        done = bot(tmp_path, command)
        assert done.returncode == 2
        assert "9999" in done.stderr


def test_init_writes_a_private_file_that_reads_back_as_typed(tmp_path: Path) -> None:
    typed = {
        "LHG_OFFICE_NAME": "老洪港 #1 '办公室'",
        "LHG_BOT_NAME": "小港，${HOME}",
        "GENERIC_SECRET": "a\\b\"c'd#e $f 0123456789",
        "LHG_DATABASE_URL": f"sqlite:///{tmp_path / 'lhg.db'}",
    }
    keys = [s.key for s in (*CORE, *application.platform_settings())]
    said = [typed.get(s.key, "") for s in CORE]
    for module in registry.platforms().values():
        wanted = any(s.key in typed for s in module.SETTINGS)
        said.append("y" if wanted else "")
        said += [typed.get(s.key, "") for s in module.SETTINGS] if wanted else []
    answers = "".join(f"{one}\n" for one in said)
    bot(tmp_path, "migrate")
    done = bot(tmp_path, "init", say=answers)
    path = tmp_path / ".env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = dotenv_values(path, interpolate=False)
    assert {key: written[key] for key in typed} == typed
    assert len(written["LHG_SECRET_KEY"] or "") >= 32
    assert list(written) == keys
    assert "✓ 设置" in done.stdout
    again = bot(tmp_path, "init", say=answers)
    assert again.returncode == 2
    assert "已经存在" in again.stderr


@contextmanager
def serving_health() -> Iterator[str]:
    """A server that answers /healthz as ours does; its address."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_doctor_names_each_fault_with_its_cure(tmp_path: Path) -> None:
    bot(tmp_path, "migrate")
    (tmp_path / "lhg.db").chmod(0o600)
    good = {"GENERIC_SECRET": "generic-secret-0123456789"}
    with serving_health() as address:
        done = bot(tmp_path, "doctor", LHG_PUBLIC_URL=address, **good)
    assert (done.returncode, "✗" in done.stdout) == (0, False), done.stdout
    # The same address with nobody behind it.
    done = bot(tmp_path, "doctor", LHG_PUBLIC_URL=address, **good)
    assert "✗ 回调地址可达" in done.stdout
    assert "反向代理" in done.stdout
    (tmp_path / "lhg.db").chmod(0o644)
    done = bot(tmp_path, "doctor", GENERIC_SECRET=good["GENERIC_SECRET"])
    assert done.returncode == 1
    faults = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert len(faults) == 2
    assert "LHG_PUBLIC_URL" in done.stdout
    assert "chmod 600" in done.stdout
    nowhere = "http://127.0.0.1:9"
    chats = feishu_settings(nowhere, line=True) | dingtalk_settings(nowhere, stream=True)
    done = bot(tmp_path, "doctor", **good, **chats)
    assert "✗ 飞书凭证：没有接通" in done.stdout
    assert "✗ 钉钉凭证：没有接通" in done.stdout
    assert "✗ 飞书长连接：没有接通" in done.stdout
    assert "✗ 钉钉长连接：没有接通" in done.stdout
    assert "canary" not in done.stdout + done.stderr
    done = bot(tmp_path, "doctor", GENERIC_SECRET="short", LHG_LOG_FORMAT="xml")
    assert done.returncode == 1
    assert done.stdout.count("✗ 设置") == 2


def test_a_token_is_shown_once_and_stored_as_a_hash(tmp_path: Path) -> None:
    done = bot(tmp_path, "token", "create", "--name", "大屏", "--scope", "read")
    assert done.returncode == 0
    token = done.stdout.strip()
    assert len(token) >= 40
    for path in tmp_path.glob("lhg.db*"):
        assert token.encode() not in path.read_bytes()


def test_the_shipped_forms_are_written_once_and_never_over_an_edited_one(tmp_path: Path) -> None:
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "交办单.docx").write_bytes(b"edited")
    done = bot(tmp_path, "templates", str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "交办单.docx").read_bytes() == b"edited"
    assert len(list(folder.glob("*.docx"))) == 6
    (tmp_path / "file").write_text("")
    done = bot(tmp_path, "templates", str(tmp_path / "file"))
    assert done.returncode == 2
    assert "请换一个能写的文件夹" in done.stderr


def test_a_changed_audit_line_is_found(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        bot(tmp_path, "token", "create", "--name", name, "--scope", "read")
    done = bot(tmp_path, "audit", "verify")
    assert (done.returncode, "共 3 条" in done.stdout) == (0, True)
    with sqlite3.connect(tmp_path / "lhg.db") as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET actor = 'x' WHERE id = 2")
    connection.close()
    done = bot(tmp_path, "audit", "verify")
    assert (done.returncode, "第 2 条" in done.stdout) == (1, True)


def test_the_demo_starts_again_with_the_same_token_data_and_clock(tmp_path: Path) -> None:
    tokens = []
    clocks = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bot",
                "demo",
                "--no-browser",
                "--port",
                str(port),
                "--data",
                "d",
            ],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{port}/sandbox/" in process.stdout.readline()
            tokens.append(process.stdout.readline().strip().removeprefix("接口令牌："))
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/v1/enterprises?limit=200",
                headers={"Authorization": f"Bearer {tokens[-1]}"},
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                assert response.read().count(b'"short_name"') == 45
            address = f"http://127.0.0.1:{port}/sandbox/api/clock"
            with urllib.request.urlopen(address, timeout=10) as response:
                clocks.append(datetime.fromisoformat(json.load(response)["now"]))
            moved = urllib.request.Request(
                address,
                json.dumps({"advance": "P3D"}).encode(),
                {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"},
            )
            urllib.request.urlopen(moved, timeout=60).close()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
    assert tokens[0] == tokens[1]
    assert timedelta(days=3) <= clocks[1] - clocks[0] < timedelta(days=3, minutes=5)
    assert stat.S_IMODE((tmp_path / "d" / "token").stat().st_mode) == 0o600
    assert not (tmp_path / "lhg.db").exists()


def test_what_was_typed_wrong_is_told_in_chinese(tmp_path: Path) -> None:
    for given, told in (
        (("nope",), "没有 'nope'"),
        (("roster",), "缺少 action"),
        (("demo", "--speed", "x"), "--speed 请写数字"),
        (("demo", "--bogus"), "不认识 --bogus"),
    ):
        done = bot(tmp_path, *given)
        assert done.returncode == 2
        assert told in done.stderr
        assert "error:" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export", "tickets", "--from", "bad", "t.csv"), "--from 请写成 2026-11-24 这样的日期"),
        (("brief", "--date", "2026-13-01", "b.txt"), "--date 请写成 2026-11-24 这样的日期"),
        (("classify", "nowhere.jsonl"), "没有找到文件或文件夹，请核对路径（nowhere.jsonl）。"),
        (("classify", "."), "这是文件夹，请写文件的路径"),
    ],
)
def test_what_the_machine_says_in_english_is_told_in_chinese(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = bot(tmp_path, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "invalid" not in done.stderr
    assert "No such" not in done.stderr


def test_a_register_is_not_written_into_a_file_of_another_kind(tmp_path: Path) -> None:
    done = bot(tmp_path, "roster", "export", "out.pdf")
    assert done.returncode == 2
    assert not (tmp_path / "out.pdf").exists()


def test_the_database_is_for_its_own_account_alone_and_does_not_go_back(tmp_path: Path) -> None:
    assert bot(tmp_path, "migrate").returncode == 0
    (file,) = tmp_path.rglob("*.db")
    assert file.stat().st_mode & 0o077 == 0
    done = bot(tmp_path, "migrate", "--to", "0001")
    assert done.returncode == 2
    assert "不能退回" in done.stderr


def test_a_sandbox_that_is_neither_on_nor_off_is_named(tmp_path: Path) -> None:
    done = bot(tmp_path, "serve", LHG_SANDBOX="yes")
    assert done.returncode == 2
    assert "LHG_SANDBOX" in done.stderr


def test_the_brief_is_made_in_every_form(tmp_path: Path) -> None:
    bot(tmp_path, "migrate")
    done = bot(tmp_path, "brief", "-")
    assert (done.returncode, "今日无在办事项" in done.stdout) == (0, True)
    for name, head in (("b.png", b"\x89PNG"), ("b.xlsx", b"PK"), ("b.docx", b"PK"), ("b.txt", b"")):
        done = bot(tmp_path, "brief", name)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).read_bytes().startswith(head)
    done = bot(tmp_path, "brief", "--for", "无此人", "-")
    assert (done.returncode, "没有找到这位同事" in done.stderr) == (2, True)
    done = bot(tmp_path, "brief", "--date", "2999-01-01", "-")
    assert done.returncode == 2


def test_the_ledger_goes_out_and_comes_back(tmp_path: Path) -> None:
    bot(tmp_path, "migrate")
    for name in ("l.xlsx", "l.csv"):
        done = bot(
            tmp_path, "export", "tickets", "--from", "2026-01-01", "--to", "2026-12-31", name
        )
        assert (done.returncode, "已导出 0 件" in done.stdout) == (0, True), done.stderr
        done = bot(tmp_path, "import", "tickets", name)
        assert (done.returncode, "新增 0 件" in done.stdout) == (0, True), done.stderr
    assert bot(tmp_path, "export", "tickets", "l.pdf").returncode == 2
    (tmp_path / "other.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    done = bot(tmp_path, "import", "tickets", "other.csv")
    assert (done.returncode, "不是导出的台账" in done.stderr) == (2, True)
