"""Engines for SQLite and PostgreSQL, and statements that are compiled once."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Boolean, Connection, Engine, create_engine, event, make_url
from sqlalchemy.sql import ClauseElement

from storage.types import UtcDateTime


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says what to do."""


def normal_url(url: str) -> str:
    """The driver is always named: `postgresql://` alone would depend on SQLAlchemy's choice."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def engine_for(url: str) -> Engine:
    """An engine whose SQLite connections begin by themselves, in WAL and FULL."""
    normal = normal_url(url)
    parsed = make_url(normal)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(normal, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        file = Path(parsed.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            # The registry and what firms say are in there: for this account alone.
            file.touch(mode=0o600)
    engine = create_engine(normal, connect_args={"check_same_thread": False, "timeout": 5.0})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        # With the driver's own BEGIN, read-then-write transactions lose updates: we begin ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            # A savepoint copies each page it touches; on disk that costs more than the work itself.
            "temp_store=MEMORY",
            # A cache for each connection: what it lacks, the system still holds in memory.
            "cache_size=-8000",
            # Seldom, so that a page written by many commits is copied once.
            "wal_autocheckpoint=8000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin_mode", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def writer_connection(engine: Engine) -> Connection:
    """The connection that the writer owns; its transactions take the write lock at once."""
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        return connection.execution_options(begin_mode="IMMEDIATE")
    return connection


def reader_connection(engine: Engine) -> Connection:
    """One that sees the database as it was when it began to read (on SQLite always so)."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def numbers_connection(engine: Engine) -> Connection | None:
    """PostgreSQL: one that takes running numbers at once, so that no process waits for another's
    commit to have the next. A number whose ticket is rolled back stays unused.

    Not waiting for the disk is safe: the log is written in order, so that no ticket is on disk
    without its number.
    """
    if engine.dialect.name != "postgresql":
        return None
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.exec_driver_sql("SET synchronous_commit = off")
    connection.exec_driver_sql("SET lock_timeout = '5s'")
    return connection


@lru_cache(maxsize=4096)
def _stored_instant(value: datetime | None) -> str | None:
    """The text that SQLAlchemy itself stores for a UtcDateTime on SQLite, three times as fast."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("naive datetime reached storage")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


_encode: Final = json.JSONEncoder().encode


def _stored_json(value: Any) -> str:
    """As SQLAlchemy's JSON type on SQLite, without an encoder for what is empty."""
    if not value and isinstance(value, list | tuple):
        return "[]"
    return _encode(value)


@lru_cache(maxsize=4096)
def _instant_of(text: str) -> datetime:
    """Many columns of a ticket hold the same time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read_instant(value: Any) -> datetime:
    """A stored time as the driver gives it: text on SQLite, a naive datetime on PostgreSQL."""
    if isinstance(value, str):
        return _instant_of(value)
    aware: datetime = value.replace(tzinfo=UTC)
    return aware


def _read_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class RowReader:
    """Turns the driver's rows of some columns into values, without SQLAlchemy's own rows.

    `into`: what else a column's value is made into, by its name.
    """

    __slots__ = ("_special", "selected")

    def __init__(
        self, columns: Sequence[Any], into: Mapping[str, Callable[[Any], Any]] | None = None
    ) -> None:
        # What a statement has to select for it.
        self.selected: Final = ", ".join(c.name for c in columns)
        special: list[tuple[int, Callable[[Any], Any]]] = []
        for at, column in enumerate(columns):
            if isinstance(column.type, UtcDateTime):
                special.append((at, read_instant))
            elif isinstance(column.type, JSON):
                special.append((at, _read_json))
            elif isinstance(column.type, Boolean):
                special.append((at, bool))
            if into is not None and column.name in into:
                special.append((at, into[column.name]))
        self._special: Final = tuple(special)

    def values(self, row: Sequence[Any]) -> list[Any]:
        """In the order of the columns."""
        read = list(row)
        for at, reader in self._special:
            if read[at] is not None:
                read[at] = reader(read[at])
        return read


def cursor_of(connection: Connection) -> Any:
    """A cursor of the driver's own, past the pool's wrapper."""
    driver: Any = connection.connection.dbapi_connection
    return driver.cursor()


_Bind = Callable[[Mapping[str, Any]], Any]


class Statement:
    """A Core statement compiled once per dialect and run on the driver's own cursor.

    Building and caching by SQLAlchemy costs more than the database does for the few statements
    of a message's way in (performance rule 3); rows come back as the driver gives them.
    """

    __slots__ = ("_forms", "_source")

    def __init__(self, source: ClauseElement) -> None:
        self._source: Final = source
        self._forms: dict[str, tuple[str, _Bind]] = {}

    def _form(self, connection: Connection) -> tuple[str, _Bind]:
        dialect = connection.dialect
        compiled: Any = self._source.compile(dialect=dialect)
        processors = dict(getattr(compiled, "_bind_processors", {}))
        for name, bound in compiled.binds.items() if dialect.name == "sqlite" else ():
            if isinstance(bound.type, UtcDateTime):
                processors[name] = _stored_instant
            elif isinstance(bound.type, JSON) and name in processors:
                processors[name] = _stored_json
        fixed = {n: v for n, v in compiled.params.items() if v is not None}
        bind: _Bind
        if dialect.name == "sqlite":
            bind = _by_position(list(compiled.positiontup or ()), processors, fixed)
        else:
            bind = _by_name(list(compiled.params), processors, fixed)
        form = (self._written(compiled.string, dialect.name), bind)
        self._forms[dialect.name] = form
        return form

    def _written(self, sql: str, dialect: str) -> str:
        return sql

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor after execution; `values` names every parameter."""
        sql, bind = self._forms.get(connection.dialect.name) or self._form(connection)
        cursor = cursor_of(connection)
        cursor.execute(sql, bind(values))
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once for each of `rows`, in one call of the driver."""
        sql, bind = self._forms.get(connection.dialect.name) or self._form(connection)
        cursor_of(connection).executemany(sql, [bind(values) for values in rows])

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self.run(connection, values).fetchone()
        return row


class Insertion(Statement):
    """Adds one row and tells its id; None where it conflicts with one that is there.

    SQLite's driver knows the id anyway, and RETURNING costs a table of its own each time.
    """

    __slots__ = ()

    def _written(self, sql: str, dialect: str) -> str:
        return sql if dialect == "sqlite" else f"{sql} RETURNING id"

    def new_id(self, connection: Connection, values: Mapping[str, Any]) -> int | None:
        cursor = self.run(connection, values)
        if connection.dialect.name == "sqlite":
            return int(cursor.lastrowid) if cursor.rowcount == 1 else None
        row = cursor.fetchone()
        return None if row is None else int(row[0])


def _by_position(
    names: list[str], processors: Mapping[str, Any], fixed: Mapping[str, Any]
) -> _Bind:
    """Values in the order of the question marks."""
    special = [(at, processors[n]) for at, n in enumerate(names) if n in processors]
    if not names:
        return lambda values: ()
    take = itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)

    def bind(values: Mapping[str, Any]) -> Any:
        row = list(take({**fixed, **values} if fixed else values))
        for at, process in special:
            row[at] = process(row[at])
        return row

    return bind


def _by_name(names: list[str], processors: Mapping[str, Any], fixed: Mapping[str, Any]) -> _Bind:
    def bind(values: Mapping[str, Any]) -> Any:
        given = {**fixed, **values} if fixed else values
        return {n: processors[n](given[n]) if n in processors else given[n] for n in names}

    return bind
