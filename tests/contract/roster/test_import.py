"""The office's own messy file, imported onto the sample registry, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.files import read_rows, write_table
from bot.seed import SAMPLE
from handlers.domain.roster import COLUMNS, PEOPLE_COLUMNS, Problem, Report, cleaned
from handlers.services.roster import RosterService
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork

MESSY = Path(__file__).parents[2] / "corpus" / "roster_messy.csv"


@dataclass
class Hand:
    at: datetime = datetime(2026, 11, 24, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class Registry:
    uow: UnitOfWork
    clock: Hand
    folder: Path

    def take(self, path: Path) -> Report:
        return RosterService(self.uow, self.clock).take(cleaned(read_rows(path)))

    def take_text(self, text: str) -> Report:
        path = self.folder / "typed.csv"
        path.write_text(text, encoding="utf-8")
        return self.take(path)

    def rows(self) -> dict[str, dict[str, str]]:
        return {r["enterprise_id"]: r for r in RosterService(self.uow, self.clock).rows()}


@pytest.fixture
def registry(sqlite_url: str, tmp_path: Path) -> Iterator[Registry]:
    engine = engine_for(sqlite_url)
    connection = writer_connection(engine)
    clock = Hand()
    transaction = connection.begin()
    made = Registry(UnitOfWork(connection, Shared(clock.now)), clock, tmp_path)
    made.take(SAMPLE / "people.csv")
    made.take(SAMPLE / "roster.csv")
    clock.at += timedelta(days=1)
    yield made
    transaction.rollback()
    connection.close()
    engine.dispose()


def test_the_messy_file_changes_only_what_it_leaves_open(registry):
    before = registry.rows()
    report = registry.take(MESSY)
    after = registry.rows()
    assert len(after) == 45
    changed = {
        (firm, column): after[firm][column]
        for firm in before
        for column in COLUMNS
        if before[firm][column] != after[firm][column]
    }
    assert changed == {
        ("E007", "liaison"): "", ("E013", "liaison"): "", ("E016", "liaison"): "",
        ("E020", "liaison"): "", ("E038", "liaison"): "", ("E024", "leader"): "",
    }  # fmt: skip
    assert report.created == ()


def test_every_open_cell_is_reported_with_its_row_and_reason(registry):
    report = registry.take(MESSY)
    assert {(r.row, r.column, r.problem) for r in report.remarks} == {
        (10, "liaison", Problem.NO_LIAISON),
        (17, "liaison", Problem.NO_LIAISON),
        (21, "liaison", Problem.SEVERAL_PEOPLE),
        (25, "liaison", Problem.NO_LIAISON),
        (30, "leader", Problem.NO_LEADER),
        (36, "contact_phone", Problem.NO_PHONE),
        (38, "employees", Problem.ABOUT),
        (41, "contact_phone", Problem.SEVERAL_PHONES),
        (45, "liaison", Problem.NO_LIAISON),
    }
    assert {(r.row, r.problem) for r in report.rejected} == {
        (15, Problem.DUPLICATE),
        (28, Problem.CONTRADICTS),
        (34, Problem.DUPLICATE),
    }


def test_the_messy_file_imported_again_changes_nothing(registry):
    registry.take(MESSY)
    before, pairings = registry.rows(), registry.uow.people.pairings()
    registry.clock.at += timedelta(days=1)
    report = registry.take(MESSY)
    assert (report.created, report.changed, report.unchanged) == ((), (), 45)
    assert registry.rows() == before
    assert registry.uow.people.pairings() == pairings


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_is_the_file_that_was_imported(registry, tmp_path, kind):
    service = RosterService(registry.uow, registry.clock)
    for name, columns, rows in (
        ("roster", COLUMNS, service.rows()),
        ("people", PEOPLE_COLUMNS, service.people_rows()),
    ):
        out = tmp_path / f"{name}.{kind}"
        write_table(out, columns, rows)
        assert read_rows(out) == read_rows(SAMPLE / f"{name}.csv")
        report = registry.take(out)
        assert (report.created, report.changed) == ((), ())


def test_a_new_liaison_ends_the_old_pairing_at_the_import(registry):
    registry.take_text("企业名称,联系人,挂钩联络员\n泓曜精密,张经理,小吴\n")
    old, new = sorted(registry.uow.people.pairings("E003"), key=lambda p: p.starts_at)
    assert (old.liaison_id, old.ends_at) == ("P041", registry.clock.at)
    assert (new.liaison_id, new.starts_at, new.ends_at) == ("P042", registry.clock.at, None)
    assert new.leader_id == old.leader_id


def test_the_first_contact_of_a_firm_is_its_number_with_one(registry):
    contact = registry.uow.people.main_contact("E003")
    assert (contact.id, contact.name) == ("E003-1", "张经理")


def test_another_number_for_a_known_firm_is_rejected(registry):
    report = registry.take_text("企业编号,企业名称,行业\nE999,南通泓曜精密机械有限公司,机械加工\n")
    assert [(r.row, r.problem) for r in report.rejected] == [(2, Problem.OTHER_ID)]
    assert len(registry.rows()) == 45


def test_a_blank_grid_of_an_export_stays_blank(registry, tmp_path):
    rows = [*registry.rows().values()]
    rows[1] = {**rows[1], "enterprise_id": "E100", "full_name": "丙厂", "short_name": "丙厂",
               "aliases": "", "area": "", "grid": ""}  # fmt: skip
    write_table(tmp_path / "out.csv", COLUMNS, rows)
    registry.take(tmp_path / "out.csv")
    assert (registry.rows()["E100"]["area"], registry.rows()["E100"]["grid"]) == ("", "")
