"""The messy roster gives exactly the expected firms and report; imported twice, nothing changes."""

import csv
from pathlib import Path
from typing import Any

import pytest

from bot.files import UnreadableFile, read_rows, safe_cell, write_table
from bot.seed import SAMPLE, load_sample
from handlers.domain.roster import COLUMNS, Problem, cleaned, grid_in, number_in, phones_in
from handlers.services.roster import RosterService
from storage.db import engine_for
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import NOW

MESSY = Path(__file__).parents[1] / "corpus" / "roster_messy.csv"


class Fixed:
    def now(self) -> Any:
        return NOW


@pytest.fixture
def uow(database_url: str) -> Any:
    engine = engine_for(database_url)
    with engine.connect() as connection:
        made = UnitOfWork(connection, Shared(Fixed().now))
        load_sample(made, Fixed())
        yield made
    engine.dispose()


def sample_rows() -> list[dict[str, str]]:
    with (SAMPLE / "roster.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_the_sample_registry_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    assert RosterService(uow, Fixed()).rows() == sample_rows()
    assert len(uow.people.people()) == 57 + 45


def test_the_messy_roster_changes_only_the_cells_it_cannot_be_trusted_in(uow: UnitOfWork) -> None:
    service = RosterService(uow, Fixed())
    sheet = cleaned(read_rows(MESSY))
    report = service.take(sheet)
    assert report.created == ()
    differing = {
        (after["short_name"], column): after[column]
        for after, before in zip(service.rows(), sample_rows(), strict=True)
        for column in COLUMNS
        if after[column] != before[column]
    }
    # Nobody named, two named, 待定: unassigned, never guessed.
    assert differing == {
        ("绫川纺织", "liaison"): "",
        ("翊笙家居", "liaison"): "",
        ("振华", "liaison"): "",
        ("同朔电缆", "liaison"): "",
        ("辰沐环保", "liaison"): "",
        ("邦楷涂料", "leader"): "",
    }
    told = {(r.problem, r.column, r.value) for r in (*report.remarks, *report.rejected)}
    assert told == {
        (Problem.NO_LIAISON, "liaison", ""),
        (Problem.NO_LIAISON, "liaison", "待定"),
        (Problem.SEVERAL_PEOPLE, "liaison", "小吴、小韩"),
        (Problem.NO_LEADER, "leader", ""),
        (Problem.NO_PHONE, "contact_phone", ""),
        (Problem.SEVERAL_PHONES, "contact_phone", "138-0000-1033/138-0000-9033"),
        (Problem.ABOUT, "employees", "约140"),
        (Problem.DUPLICATE, "name", "14"),
        (Problem.DUPLICATE, "name", "33"),
        (Problem.CONTRADICTS, "contact_name", "新蒋总"),
    }
    assert all(r.row > 3 for r in (*report.remarks, *report.rejected))
    again = service.take(sheet)
    assert (again.created, again.changed, again.unchanged) == ((), (), 45)
    pairings = uow.people.pairings("E016")  # type: ignore[arg-type]
    assert len(pairings) == 2
    assert pairings[0].ends_at is not None
    assert pairings[1].liaison_id is None


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_an_exported_roster_imports_unchanged(uow: UnitOfWork, tmp_path: Path, ending: str) -> None:
    service = RosterService(uow, Fixed())
    path = tmp_path / f"roster.{ending}"
    write_table(path, COLUMNS, service.rows())
    report = service.take(cleaned(read_rows(path)))
    assert (report.created, report.changed, report.unchanged) == ((), (), 45)
    assert report.remarks == report.rejected == ()


def test_two_hundred_seventy_eight_firms_go_in_and_are_found_quickly(uow: UnitOfWork) -> None:
    import time

    rows = [["企业编号", "企业名称", "管理区", "网格"]]
    rows += [[f"E{n:03d}", f"南通第{n}号样板制造有限公司", "长洪", "四"] for n in range(46, 279)]
    report = RosterService(uow, Fixed()).take(cleaned(list(enumerate(rows, 1))))
    assert len(report.created) == 233
    assert len(uow.people.enterprises()) == 278
    started = time.perf_counter()
    standing = uow.people.standing("E278", NOW)  # type: ignore[arg-type]
    assert standing.liaison_id is None
    assert time.perf_counter() - started < 0.1


def test_files_of_other_encodings_and_none_are_told_apart(tmp_path: Path) -> None:
    text = "企业名称,联系人,联络员\n振华,左经理,小吴\n"
    for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        assert cleaned(read_rows(path)).rows[0].values["name"] == "振华"
    with pytest.raises(UnreadableFile, match="没有找到文件"):
        read_rows(tmp_path / "none.csv")
    fake = tmp_path / "fake.xlsx"
    fake.write_bytes(b"no zip")
    with pytest.raises(UnreadableFile, match="另存为"):
        read_rows(fake)
    with pytest.raises(ValueError, match="header"):
        cleaned([(1, ["a", "b"]), (2, ["c"])])


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_exported_cell_is_run_as_a_formula(cell: str) -> None:
    assert safe_cell(cell).startswith("'")


def test_numbers_grids_and_phones_in_the_forms_people_write() -> None:
    assert [number_in(x) for x in ("610人", "2,100", "约140", "３２０", "")] == [
        610, 2100, 140, 320, None,
    ]  # fmt: skip
    assert [grid_in(x) for x in ("第一网格", "9", "第九网格", "十二", "东")] == [1, 9, 9, 12, None]
    assert phones_in("138 0000 1006") == ["138-0000-1006"]
    assert phones_in("13800001005") == ["138-0000-1005"]
    assert phones_in("138-0000-1033/138-0000-9033") == ["138-0000-1033", "138-0000-9033"]


def test_a_roster_that_leaves_questions_tells_the_office(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    environment = {**os.environ, "LHG_DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}

    def lhg(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert lhg("roster", "import", str(SAMPLE / "people.csv")).returncode == 0
    done = lhg("roster", "import", str(SAMPLE / "roster.csv"))
    assert "新增 45" in done.stdout
    dry = lhg("roster", "import", str(MESSY), "--dry-run")
    assert "没有保存" in dry.stdout
    done = lhg("roster", "import", str(MESSY), "--report", str(tmp_path / "r.json"))
    assert "更改 6" in done.stdout
    assert (tmp_path / "r.json").exists()
    assert "更改 0" in lhg("roster", "import", str(MESSY)).stdout
    assert lhg("roster", "import", str(tmp_path / "none.csv")).returncode == 2
    out = tmp_path / "out.csv"
    assert lhg("roster", "export", str(out)).returncode == 0
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 46
    assert lhg("audit", "verify").returncode == 0
    token = lhg("token", "create", "--name", "屏", "--scope", "read", "--enterprise", "E003")
    assert len(token.stdout.strip()) > 30
    assert (
        lhg("token", "create", "--name", "x", "--scope", "read", "--enterprise", "E999").returncode
        == 2
    )
