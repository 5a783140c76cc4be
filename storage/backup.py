"""Copies of the whole database as one file of SQLite, whatever the database is; checked before use.

One form for both databases: what was kept with one is restored into the other.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, make_url, select, text, update
from sqlmodel import SQLModel

import storage.tables as _tables
from storage.db import DatabaseError, engine_for, reader_connection, writer_connection
from storage.locks import alone, holding
from storage.migrate import current, head, upgrade
from storage.repos.search import index_all
from storage.uow import Shared, UnitOfWork

assert _tables
Tell = Callable[[int, int], None]
_CHUNK: Final = 1000
# A database in which none of these stand was never used.
_USED: Final = ("people", "enterprises", "inbox", "tickets")
# As contract.md says of a copy that was looked at: whole, nothing points nowhere, no line missing.
_SOUND: Final[tuple[tuple[str, list[tuple[str]]], ...]] = (
    ("integrity_check", [("ok",)]),
    ("foreign_key_check", []),
)


class Unusable(Exception):
    """The file is no copy of ours, or not whole."""


class InTheWay(Exception):
    """Something stands where the copy is to go."""


@dataclass(frozen=True, slots=True)
class Copied:
    """`unsent`: messages that were waiting and go out at the next start; `kept`: what stood there."""

    tickets: int
    size: int
    unsent: int
    kept: Path | None = None


def backup(url: str, out: Path, tell: Tell = lambda done, of: None) -> Copied:
    """Write a checked copy; the bot may go on meanwhile.

    Raises InTheWay where the file is there, Unusable for a copy that does not hold, DatabaseError
    where there is nothing to copy.
    """
    if out.exists():
        raise InTheWay
    with _beside(out) as made:
        path = _path_of(url)
        if path is not None:
            _copy_file(path, made)
        else:
            _copy_rows_from(url, made, tell)
        copied = check(made)
        _put(made, out)
    return copied


def check(file: Path) -> Copied:
    """Raises Unusable where it is no copy of ours or not whole."""
    log = Path(f"{file}-wal")
    if log.exists() and log.stat().st_size:
        # A database that is in use: part of it stands in its log.
        raise Unusable("in_use")
    try:
        with closing(_opened(file)) as connection:
            for pragma, sound in _SOUND:
                if connection.execute(f"PRAGMA {pragma}").fetchall() != sound:
                    raise Unusable(pragma)
            tickets, unsent = (
                connection.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0]
                for what in ("tickets", "outbox WHERE state IN ('waiting', 'sending')")
            )
            if _revision(connection) == head():
                _check_audit(file)
    except sqlite3.DatabaseError as error:
        raise Unusable(str(error)) from None
    return Copied(tickets, file.stat().st_size, unsent)


def restore(
    file: Path, url: str, force: bool = False, tell: Tell = lambda done, of: None
) -> Copied:
    """Put a copy in the database's place; an older one is brought up to date.

    Raises Unusable, InTheWay for a database that is in use or holds something and no `force`,
    DatabaseError for a copy newer than this program. What stood there is kept beside the copy.
    """
    found = check(file)
    path = _path_of(url)
    if path is None:
        kept = _make_way(file, url, force, tell)
        with _beside(file) as made:
            shutil.copyfile(file, made)
            upgrade(f"sqlite:///{made}")
            upgrade(url)
            _copy_rows(f"sqlite:///{made}", url, tell)
        return replace(found, kept=kept)
    lock = holding(url)
    lock.open()
    try:
        kept = _make_way(file, url, force, tell)
        with _beside(path) as made:
            shutil.copyfile(file, made)
            upgrade(f"sqlite:///{made}")
            _as_one_file(made)
            # With the database goes its log, or it would be played into the new one.
            for part in ("-wal", "-shm"):
                Path(f"{path}{part}").unlink(missing_ok=True)
            _on_disk(made)
            made.replace(path)
    finally:
        lock.close()
    return replace(found, kept=kept)


def _make_way(file: Path, url: str, force: bool, tell: Tell) -> Path | None:
    """Keep what stands there, under a name beside the copy that nobody has."""
    if not _is_used(url):
        return None
    if not force:
        raise InTheWay
    names = (file.with_name(f"{file.stem}-before-{n}.db") for n in range(1, 10_000))
    kept = next(name for name in names if not name.exists())
    backup(url, kept, tell)
    return kept


# ---- files


def _path_of(url: str) -> Path | None:
    """None for what is no file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseError("no_file")
    return Path(parsed.database)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A file in the same folder, for this account alone, gone afterwards unless it was moved."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lhg-", dir=place.parent) as folder:
        made = Path(folder) / "copy.db"
        made.touch(mode=0o600)
        yield made


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _copy_file(source: Path, made: Path) -> None:
    if not source.exists():
        raise DatabaseError("no_file")
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(made)) as here:
        # In one step: in several, each commit of the bot would make it begin anew.
        there.backup(here)
    _as_one_file(made)


def _as_one_file(made: Path) -> None:
    """Without a log beside it."""
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _on_disk(made: Path) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())


def _put(made: Path, place: Path) -> None:
    """Under its name only once all of it is on disk, and never over another file."""
    _on_disk(made)
    try:
        os.link(made, place)
    except FileExistsError:
        raise InTheWay from None


def _revision(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _check_audit(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Opened as a database it would get a log and other marks: a copy of the copy may.
        twin = Path(folder) / "twin.db"
        shutil.copyfile(file, twin)
        engine = engine_for(f"sqlite:///{twin}")
        try:
            with engine.connect() as connection:
                if UnitOfWork(connection, Shared()).audit.verify() is not None:
                    raise Unusable("audit")
        finally:
            engine.dispose()


# ---- rows


def _is_used(url: str) -> bool:
    path = _path_of(url)
    if path is not None and not path.exists():
        return False
    engine = engine_for(url)
    try:
        if current(engine) is None:
            return False
        with engine.connect() as connection:
            return any(
                connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None
                for name in _USED
            )
    finally:
        engine.dispose()


def _copy_rows_from(url: str, made: Path, tell: Tell) -> None:
    engine = engine_for(url)
    have = current(engine)
    engine.dispose()
    if have != head():
        raise DatabaseError("no_file" if have is None else "not_migrated")
    upgrade(f"sqlite:///{made}")
    _copy_rows(url, f"sqlite:///{made}", tell)
    _as_one_file(made)


def _copy_rows(url: str, to: str, tell: Tell) -> None:
    """All rows of all tables, in one transaction on each side."""
    source, target = engine_for(url), engine_for(to)
    tables = SQLModel.metadata.sorted_tables
    try:
        with reader_connection(source) as there, writer_connection(target) as here, here.begin():
            if here.dialect.name == "postgresql":
                alone(here)
                # Deleting would meet what guards the history and the audit log.
                names = ", ".join([*(t.name for t in tables), "ticket_search"])
                here.execute(text(f"TRUNCATE {names}"))
            for number, table in enumerate(tables):
                tell(number, len(tables))
                _copy_table(there, here, table)
            _go_on_counting(here, tables)
            index_all(here)
            tell(len(tables), len(tables))
    finally:
        source.dispose()
        target.dispose()


def _copy_table(there: Connection, here: Connection, table: Table) -> None:
    own = [f.parent for f in table.foreign_keys if f.column.table is table]
    keys = list(table.primary_key.columns)
    pointing: list[tuple[Any, dict[str, Any]]] = []
    rows = there.execution_options(yield_per=_CHUNK).execute(select(table).order_by(*keys))
    for part in rows.mappings().partitions(_CHUNK):
        values = [dict(row) for row in part]
        for row in values if own else ():
            # What it points to may stand behind it.
            to = {c.name: row[c.name] for c in own if row[c.name] is not None}
            if to:
                pointing.append((tuple(row[k.name] for k in keys), to))
                row.update(dict.fromkeys(to))
        here.execute(insert(table), values)
    for key, to in pointing:
        where = [k == v for k, v in zip(keys, key, strict=True)]
        here.execute(update(table).where(*where).values(to))


def _go_on_counting(here: Connection, tables: list[Table]) -> None:
    """New rows get numbers behind those that came."""
    if here.dialect.name != "postgresql":
        return
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = here.execute(
            text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name}
        ).scalar()
        most = here.execute(select(func.max(column))).scalar()
        if sequence and most is not None:
            here.execute(select(func.setval(sequence, most)))
