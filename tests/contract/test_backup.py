"""A backup is whole, refuses what would lose something, and moves between the two databases."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select, text
from sqlmodel import SQLModel

from storage.backup import InTheWay, Unusable, backup, check, restore
from storage.db import DatabaseError, engine_for
from storage.migrate import head, upgrade
from tests.kit.house import House

ROOT = Path(__file__).parents[2]
PROBLEM = "@小港 车间缺操作工20人，临时招不到"


async def lived(url: str) -> None:
    """A day of the office: tickets with a history, an announcement that corrects another, files."""
    async with House(url) as house:
        await house.group_says("E003", PROBLEM)
        await house.group_says("E004", "@小港 厂门口路灯坏了5盏，晚上看不见")
        await house.says("P041", "认领 1001")
        await house.says("P041", "办结 1001 已联系人社局，送来12名操作工上岗")
        await house.says("P055", "发通知 道路施工\n对象：全部\n正文：通盛大道半幅施工，请绕行。")
        await house.press("P055", "送审")
        await house.press("P057", "通过")
        await house.says("P055", "发更正 1\n标题：道路施工更正\n正文：施工改为12月3日。")


def rows(url: str) -> dict[str, list[Any]]:
    """All that is in a database."""
    engine = engine_for(url)
    with engine.connect() as connection:
        found = {
            t.name: [tuple(r) for r in connection.execute(select(t).order_by(*t.primary_key))]
            for t in SQLModel.metadata.sorted_tables
        }
    engine.dispose()
    # How far the index has come differs: it is made anew.
    found["counters"] = [r for r in found["counters"] if r[0] != "search"]
    return found


def changed(url: str) -> None:
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE tickets SET title = '改过的' WHERE number = 1001"))
    engine.dispose()


async def test_what_was_backed_up_is_all_there_again(database_url: str, tmp_path: Path) -> None:
    await lived(database_url)
    before = rows(database_url)
    assert len(before["tickets"]) == 2
    assert any(row for row in before["announcements"])
    file = tmp_path / "备份" / "今天.db"
    made = backup(database_url, file)
    assert (made.tickets, made.size) == (2, file.stat().st_size)
    assert file.stat().st_mode & 0o077 == 0
    assert [p.name for p in file.parent.iterdir()] == ["今天.db"]
    changed(database_url)
    with pytest.raises(InTheWay):
        restore(file, database_url)
    done = restore(file, database_url, force=True)
    assert rows(database_url) == before
    # What stood there is a backup too.
    assert done.kept is not None
    assert check(done.kept).tickets == 2
    changed_back = restore(done.kept, database_url, force=True)
    assert changed_back.tickets == 2
    assert rows(database_url) != before


async def test_life_goes_on_in_what_was_restored(database_url: str, tmp_path: Path) -> None:
    await lived(database_url)
    file = tmp_path / "b.db"
    backup(database_url, file)
    restore(file, database_url, force=True)
    async with House(database_url) as house:
        await house.group_says("E003", "@小港 货车在路口被拦进不来")
        assert (await house.ticket(1003)).enterprise_id == "E003"
        found = await house.api("GET", "/tickets?q=路灯")
        assert [t["number"] for t in found["items"]] == [1002]
        assert (await house.read(lambda uow: uow.audit.verify())) is None


async def test_it_moves_from_one_database_to_the_other(database_url: str, tmp_path: Path) -> None:
    await lived(database_url)
    file, other_url = tmp_path / "b.db", f"sqlite:///{tmp_path / 'other.db'}"
    backup(database_url, file)
    restore(file, other_url)
    assert rows(other_url) == rows(database_url)
    if make_url(database_url).get_backend_name() != "sqlite":
        # And back, into the one that it came from.
        again = tmp_path / "again.db"
        backup(other_url, again)
        restore(again, database_url, force=True)
        assert rows(database_url) == rows(other_url)


async def test_the_bot_goes_on_while_it_is_backed_up_but_is_not_overwritten(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "b.db"
    async with House(database_url) as house:
        await house.group_says("E003", PROBLEM)
        assert backup(database_url, file).tickets == 1
        with pytest.raises(DatabaseError, match="in_use"):
            restore(file, database_url, force=True)
        await house.group_says("E004", "@小港 厂门口路灯坏了5盏，晚上看不见")
        assert await house.count("tickets") == 2


def test_what_is_no_whole_backup_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    upgrade(sqlite_url)
    good = tmp_path / "good.db"
    backup(sqlite_url, good)
    with pytest.raises(InTheWay):
        backup(sqlite_url, good)
    words = tmp_path / "words.db"
    words.write_text("这不是备份" * 1000)
    cut = tmp_path / "cut.db"
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    other = tmp_path / "other-program.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER)")
    for file in (words, cut, other):
        with pytest.raises(Unusable):
            restore(file, f"sqlite:///{tmp_path / 'new.db'}")
    assert not (tmp_path / "new.db").exists()


async def test_a_touched_audit_log_is_not_taken_for_whole(sqlite_url: str, tmp_path: Path) -> None:
    await lived(sqlite_url)
    file = tmp_path / "b.db"
    backup(sqlite_url, file)
    with sqlite3.connect(file) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET facts = '{}' WHERE id = 2")
    with pytest.raises(Unusable, match="audit"):
        check(file)


def test_an_older_backup_is_brought_up_to_date_and_a_newer_one_refused(tmp_path: Path) -> None:
    old = f"sqlite:///{tmp_path / 'old.db'}"
    upgrade(old, "0010")
    file = tmp_path / "b.db"
    backup(old, file)
    new = f"sqlite:///{tmp_path / 'new.db'}"
    restore(file, new)
    with sqlite3.connect(tmp_path / "new.db") as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found == (head(),)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="9999"):
        restore(file, f"sqlite:///{tmp_path / 'third.db'}")
    assert not (tmp_path / "third.db").exists()


def run(url: str, *words: str) -> tuple[int, str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith("LHG_")}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=ROOT, capture_output=True, text=True,
        env={**keep, "LHG_DATABASE_URL": url}, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def test_the_commands_say_what_was_done_and_what_to_do(
    sqlite_url: str, tmp_path: Path
) -> None:
    file, nowhere = str(tmp_path / "b.db"), f"sqlite:///{tmp_path / 'no' / 'no.db'}"
    code, told = run(nowhere, "backup", file)
    assert (code, "还没有数据库" in told) == (2, True)
    await lived(sqlite_url)
    code, told = run(sqlite_url, "backup", file)
    assert code == 0, told
    assert "2 件工单" in told
    assert "核对无误" in told
    assert ".env 不在备份里" in told
    code, told = run(sqlite_url, "backup", file)
    assert (code, "请换个文件名" in told) == (2, True)
    code, told = run(sqlite_url, "restore", file)
    assert (code, "--force" in told) == (2, True)
    code, told = run(sqlite_url, "restore", file, "--force")
    assert code == 0, told
    assert "b-before-1.db" in told
    code, told = run(sqlite_url, "restore", str(tmp_path / "none.db"))
    assert (code, "没有找到" in told) == (2, True)
