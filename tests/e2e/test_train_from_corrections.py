"""What people put right teaches the next model, and the bot starts from that file."""

from pathlib import Path

import pytest

from bot import app as application
from bot.offline import opened
from bot.platform import ConfigError
from bot.settings import load
from handlers.ports import Correction, CorrectionKind, Labels
from handlers.understanding import read
from handlers.understanding.model import FILE, unpack
from handlers.understanding.reader import use
from storage.uow import UnitOfWork
from tests.e2e.test_command_line import bot
from tests.kit.builders import NOW
from tests.kit.house import House

SMALL = """
## manager new_problem LAB U3
车间缺焊工六个招不到
仓库缺人招不到
流水线缺人
## manager new_problem INF U3
门口路灯坏了
厂门口路面坏了
东边路灯坏了
## manager chatter - -
大家早上好呀
今天早上天气好
周末好呀大家
"""
SPOKEN = "天车又趴窝"


def corrected(url: str, count: int, right: Labels, start: int = 0) -> None:
    """`count` messages that people put right."""
    with opened(load(overrides={"LHG_DATABASE_URL": url})) as (uow, _):
        for number in range(start, start + count):
            was = Labels("chatter", False, "OTH")
            uow.corrections.add(
                Correction(
                    NOW, CorrectionKind.BY_HAND, "sandbox", f"m{number}", 1, None,
                    f"{SPOKEN}{number}号", "manager", "text", was, right, "P041",
                )
            )  # fmt: skip


def gathered(url: str) -> int:
    with opened(load(overrides={"LHG_DATABASE_URL": url}), keep=False) as (uow, _):
        return uow.corrections.gathered().examples


def test_train_learns_what_was_put_right_and_marks_it(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    corpus = tmp_path / "written.txt"
    corpus.write_text(SMALL, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'lhg.db'}"
    files = ("train", "--from-corrections", str(corpus))
    done = bot(tmp_path, *files, "--out", "m.bin")
    assert (done.returncode, "还没有更正" in done.stdout) == (1, True), done.stderr

    corrected(url, 6, Labels("new_problem", True, "SAF", "U2"))
    done = bot(tmp_path, *files)
    assert (done.returncode, "--out" in done.stdout) == (2, True)
    assert gathered(url) == 6

    done = bot(tmp_path, *files, "--out", "m.bin")
    assert done.returncode == 0, done.stderr
    assert "用了 6 条更正" in done.stdout
    assert "LHG_MODEL=m.bin" in done.stdout
    assert gathered(url) == 0
    with_them = (tmp_path / "m.bin").read_bytes()
    without = bot(tmp_path, "train", str(corpus), "--out", "plain.bin")
    assert without.returncode == 0
    assert unpack(with_them).size > unpack((tmp_path / "plain.bin").read_bytes()).size
    assert not list(tmp_path.glob("*.new"))

    # Used once, they are learned again each time: a model without them would unlearn them.
    other = tmp_path / "other.db"
    (tmp_path / "lhg.db").rename(other)
    again = ("--database", f"sqlite:///{other}")
    done = bot(tmp_path, *files, *again, LHG_MODEL=str(tmp_path / "m.bin"))
    assert done.returncode == 0, done.stderr
    assert "LHG_MODEL=" not in done.stdout
    assert (tmp_path / "m.bin").read_bytes() == with_them


async def test_a_bot_reads_with_the_model_it_was_told(tmp_path: Path, sqlite_url: str) -> None:
    pytest.importorskip("sklearn")
    from handlers.understanding.training import example, fit, written

    rows = written([*SMALL.splitlines(), "## manager new_problem SAF U2", *[SPOKEN] * 8])
    path = tmp_path / "office.bin"
    path.write_bytes(fit([example(row) for row in rows]))
    before = read(SPOKEN, "manager").topic
    try:
        async with House(sqlite_url, {"LHG_MODEL": str(path)}) as house:
            assert read(SPOKEN, "manager").topic == "SAF" != before
            await house.says("E003", f"反映 {SPOKEN}")
            assert (await house.ticket()).category == "SAF"
        application.build(load(application.platform_settings())).engine.dispose()
        assert read(SPOKEN, "manager").topic == before
    finally:
        use(None)


def shipped_bytes() -> bytes:
    import handlers.understanding as package

    return (Path(package.__file__).parent / FILE).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"not a model",
        b"LHGM1\nnot compressed",
        shipped_bytes()[: len(shipped_bytes()) // 2],
    ],
)
def test_a_broken_model_stops_the_start_and_doctor_names_it(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "office.bin"
    if content is not None:
        path.write_bytes(content)
    settings = load(application.platform_settings(), overrides={"LHG_MODEL": str(path)})
    with pytest.raises(ConfigError) as error:
        application.build(settings)
    assert "LHG_MODEL" in error.value.problems[0]
    assert str(path) in error.value.problems[0]


def test_doctor_names_a_broken_model_and_says_when_to_train(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lhg.db'}"
    bot(tmp_path, "migrate")
    done = bot(tmp_path, "doctor", LHG_MODEL="nowhere.bin")
    assert "✗ 理解模型：LHG_MODEL=nowhere.bin" in done.stdout
    done = bot(tmp_path, "serve", LHG_MODEL="nowhere.bin")
    assert (done.returncode, "LHG_MODEL=nowhere.bin" in done.stderr) == (2, True)

    corrected(url, 9, Labels("new_problem", True, "SAF", "U2"))
    assert "✓ 更正：已有 9 条，还不用重新训练" in bot(tmp_path, "doctor").stdout
    corrected(url, 1, Labels("new_problem", True, "SAF", "U2"), start=9)
    told = bot(tmp_path, "doctor").stdout
    assert (
        "已有 10 条（其中 10 条把「不是问题」改为「安全」），可以运行 train --from-corrections"
        in told
    )


async def test_fifty_of_any_kind_are_enough(sqlite_url: str) -> None:
    from bot.commands.doctor import _corrections

    def fill(uow: UnitOfWork) -> None:
        codes = ("LAB", "LOG", "ENV", "SAF", "POL", "TAX")
        for number in range(50):
            right = Labels("new_problem", True, codes[number % 6], "U3")
            uow.corrections.add(
                Correction(
                    NOW, CorrectionKind.RECLASSIFIED, "sandbox", f"m{number}", 1, None, f"第{number}句",
                    "manager", "text", Labels("new_problem", True, "OTH", "U3"), right, "P041",
                )
            )  # fmt: skip

    settings = load(overrides={"LHG_DATABASE_URL": sqlite_url})
    with opened(settings) as (uow, _):
        fill(uow)
    told = _corrections(settings)
    assert told == "更正：已有 50 条，可以运行 train --from-corrections"
