"""The layout holds: imports, one-file additions, generated pages, settings, Chinese where it belongs."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    p
    for folder in ("bot", "handlers", "storage")
    for p in (ROOT / folder).rglob("*.py")
    if "versions" not in p.parts
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Where sentences and the words people type may stand. Everything else only has identifiers.
SPEAKS = (
    "handlers/texts/", "handlers/commands/", "handlers/jobs/", "handlers/understanding/", "handlers/domain/category.py", "handlers/domain/announcement.py",
    "handlers/domain/roster.py", "handlers/domain/survey.py", "handlers/domain/policy_library.py", "handlers/domain/policy_sheet.py", "handlers/domain/schedule.py", "handlers/domain/rota.py", "handlers/services/spans.py", "handlers/services/addressing.py", "handlers/domain/calendar_table.py", "handlers/domain/people.py", "handlers/domain/ticket.py",
    "handlers/chat/grammar.py", "handlers/services/moves.py",
    "handlers/services/speech.py", "handlers/services/roster.py", "bot/commands/", "bot/api/",
    "bot/settings.py", "bot/sandbox/", "bot/platforms/", "bot/files.py", "bot/attachments.py", "bot/__main__.py", "bot/wire.py",
    "bot/seed.py", "bot/platform.py",
)  # fmt: skip


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[str, str], Path]:
    """Puts a module into a copy of the code: other tests are reading the real one meanwhile."""

    def plant(name: str, source: str) -> Path:
        for folder in ("bot", "handlers", "storage", "tests/kit"):
            shutil.copytree(
                ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copyfile(ROOT / "tests" / "__init__.py", tmp_path / "tests" / "__init__.py")
        shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(source, encoding="utf-8")
        return tmp_path

    return plant


def python(code: str, folder: Path = ROOT) -> str:
    """What `code` prints; `-c` looks into the folder it runs in before anything installed."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def lint_imports(folder: Path) -> str:
    """What lint-imports says; the first word is whether it passed."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [str(program), "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return ("passed " if done.returncode == 0 else "failed ") + done.stdout


def test_the_import_contracts_hold() -> None:
    said = lint_imports(ROOT)
    assert said.startswith("passed"), said


@pytest.mark.parametrize(
    ("name", "source", "contract"),
    [
        ("handlers/domain/breach.py", "import storage.db", "never back"),
        ("handlers/domain/breach.py", "import handlers.services.tickets", "inside handlers"),
        ("handlers/services/breach.py", "import aiohttp", "handlers does no I/O"),
        ("storage/repos/breach.py", "import handlers.services.moves", "not the verbs"),
        ("bot/platforms/breach.py", "import handlers.domain.ticket", "a platform knows"),
        ("bot/platforms/breach.py", "import bot.platforms.sandbox", "know each other"),
        ("handlers/commands/breach.py", "import handlers.commands.claim", "know each other"),
        ("bot/api/breach.py", "import storage.repos.tickets", "storage's own business"),
        ("bot/breach.py", "", "inside bot"),
    ],
)
def test_a_planted_breach_is_found(
    planted: Callable[[str, str], Path], name: str, source: str, contract: str
) -> None:
    said = lint_imports(planted(name, source + "\n"))
    broken = [line for line in said.splitlines() if " BROKEN" in line]
    assert said.startswith("failed")
    assert any(contract in line for line in broken), said
    assert name.removesuffix(".py").replace("/", ".") in said


def test_a_command_in_one_file(planted: Callable[[str, str], Path]) -> None:
    source = (
        '"""A planted command."""\n\n'
        "from handlers.chat.outbound import Reply\n"
        "from handlers.chat.router import Router\n\n"
        'router = Router("planted")\n\n\n'
        '@router.command("天气", usage="天气", about="问天气")\n'
        "def weather() -> Reply:\n"
        '    return Reply.say("今天晴。")\n'
    )
    code = """
import asyncio, tempfile, pathlib
from storage.migrate import upgrade
from tests.kit.house import House
from bot.commands.docs import pages
async def main():
    url = "sqlite:///" + str(pathlib.Path(tempfile.mkdtemp()) / "x.db")
    upgrade(url)
    async with House(url) as house:
        await house.says("E003", "天气")
        print((await house.last("E003"))["text"])
        await house.says("E003", "帮助")
        print("问天气" in (await house.last("E003"))["text"], "天气" in pages()["commands.md"])
asyncio.run(main())
"""
    folder = planted("handlers/commands/planted.py", source)
    assert python(code, folder).splitlines() == ["今天晴。", "True True"]


def test_a_platform_in_one_file(planted: Callable[[str, str], Path]) -> None:
    source = (
        '"""A planted platform."""\n\n'
        "from bot.platform import Capabilities, Decoded, HttpAnswer, Receipt, Setting\n\n"
        'SETTINGS = (Setting("PLANTED_ON", "planted"),)\n\n\n'
        "class Planted:\n"
        '    name, hooks = "planted", ("",)\n'
        "    can = Capabilities(False, False, False, True, True, 1000, 1.0)\n\n"
        "    def decode(self, request):\n"
        '        return Decoded((), HttpAnswer(body=b"planted"))\n\n'
        "    def limits(self, to):\n        return ()\n\n"
        '    def lane(self, delivery):\n        return "one"\n\n'
        "    async def send(self, delivery):\n        return Receipt()\n\n"
        "    async def close(self):\n        return None\n\n\n"
        "def build(section):\n"
        '    return Planted() if section.get("PLANTED_ON") else None\n'
    )
    code = """
import asyncio, tempfile, pathlib
from storage.migrate import upgrade
from tests.kit.house import House
from bot.commands.docs import pages
async def main():
    url = "sqlite:///" + str(pathlib.Path(tempfile.mkdtemp()) / "x.db")
    upgrade(url)
    async with House(url, {"PLANTED_ON": "1"}) as house:
        response = await house.client.post("/hooks/planted", data=b"x")
        print(response.status, await response.text(), "PLANTED_ON" in pages()["config.md"])
asyncio.run(main())
"""
    folder = planted("bot/platforms/planted.py", source)
    assert python(code, folder).splitlines() == ["200 planted True"]


def test_a_job_in_one_file_sends_one_message_however_often_it_ticks(
    planted: Callable[[str, str], Path],
) -> None:
    source = (
        '"""A planted reminder."""\n\n'
        "from handlers.chat.outbound import Content\n"
        "from handlers.domain.ids import PersonId\n"
        "from handlers.ports import Job, Outgoing, Work\n\n"
        'job = Job("planted", every_seconds=30)\n\n\n'
        "@job.run\n"
        "def remind(work: Work) -> None:\n"
        '    message = Outgoing(Content("记得报进展"), person=PersonId("P041"), dedupe_key="planted")\n'
        "    work.outbox.put(message)\n"
    )
    code = """
import asyncio, tempfile, pathlib
from storage.migrate import upgrade
from tests.kit.house import House
async def main():
    url = "sqlite:///" + str(pathlib.Path(tempfile.mkdtemp()) / "x.db")
    upgrade(url)
    for sample in (True, False):
        async with House(url, sample=sample) as house:
            for _ in range(2):
                await house.app.ticker.run_all()
            await house.app.dispatcher.drain()
            print(sum("记得报进展" in m["text"] for m in await house.bot_said("P041")))
asyncio.run(main())
"""
    folder = planted("handlers/jobs/planted.py", source)
    assert python(code, folder).splitlines() == ["1", "1"]


def test_wrong_wiring_stops_the_start() -> None:
    from bot.wiring import book_of
    from handlers.chat.outbound import Reply
    from handlers.chat.router import Router, WiringError

    one, two = Router("one"), Router("two")

    @one.command("同一个词")
    def first() -> Reply:
        return Reply()

    @two.command("同一个词")
    def second(missing: bytes) -> Reply:
        return Reply()

    with pytest.raises(WiringError) as error:
        book_of([one, two])
    assert len(error.value.problems) == 2


def test_every_refusal_has_a_sentence() -> None:
    from handlers.texts.common import _BAD_INPUT

    used = set()
    for path in SOURCES:
        used |= set(re.findall(r'BadInput\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
        used |= set(re.findall(r'_need_text\(step, "(\w+)"\)', path.read_text(encoding="utf-8")))
    assert used <= set(_BAD_INPUT), used - set(_BAD_INPUT)


def test_generated_pages_are_current() -> None:
    from bot.commands.docs import example_env, pages

    for name, content in pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == content, f"dev.py docs: {name}"
    assert (ROOT / "config.example.env").read_text(encoding="utf-8") == example_env()


def test_await_lives_in_bot_only() -> None:
    for path in SOURCES:
        if path.relative_to(ROOT).parts[0] == "bot":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
        assert not found, path


def test_chinese_stands_only_where_sentences_and_typed_words_live() -> None:
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name.startswith(SPEAKS):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert id(node) in docs or not CHINESE.search(node.value), (name, node.value[:40])


def test_the_readmes_name_the_same_commands() -> None:
    pattern = re.compile(r"^(?:python|lhg|\./)[^\n]*", re.M)
    english = pattern.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    chinese = pattern.findall((ROOT / "README.zh.md").read_text(encoding="utf-8"))
    assert english == chinese
    assert "python dev.py demo" in "\n".join(english)
    assert "python dev.py test" in "\n".join(english)


def test_help_answers_quickly_and_imports_no_heavy_library() -> None:
    code = (
        "import sys, contextlib, io\nfrom bot.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "print(sorted({'aiohttp','sqlalchemy','openpyxl','alembic'} & set(sys.modules)))"
    )
    assert python(code).strip() == "[]"


def test_a_sentence_that_two_routes_take_stops_the_start() -> None:
    from handlers.chat.outbound import Reply
    from handlers.chat.router import Book, Router, WiringError

    one, two, three = Router("one"), Router("two"), Router("three")

    @one.sentence("我明天请假", pattern="请假")
    def leave() -> Reply:
        return Reply()

    @two.sentence("我请假了吗", pattern="^我.*吗$")
    def asked() -> Reply:
        return Reply()

    @three.sentence("没有", pattern="有没有")
    def never() -> Reply:
        return Reply()

    Book([one], {})
    with pytest.raises(WiringError) as error:
        Book([one, two, three], {})
    assert len(error.value.problems) == 2
