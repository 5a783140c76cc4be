"""Engines for SQLite and PostgreSQL, and statements that are compiled once."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
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
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
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
            "cache_size=-16000",
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


def _stored_instant(value: datetime | None) -> str | None:
    """The text that SQLAlchemy itself stores for a UtcDateTime on SQLite, three times as fast."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("naive datetime reached storage")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


class Statement:
    """A Core statement compiled once per dialect and run on the driver's own cursor.

    Building and caching by SQLAlchemy costs more than the database does for the few statements
    of a message's way in (performance rule 3); rows come back as the driver gives them.
    """

    __slots__ = ("_forms", "_source")

    def __init__(self, source: ClauseElement) -> None:
        self._source: Final = source
        self._forms: dict[str, tuple[str, Any]] = {}

    def _form(self, connection: Connection) -> tuple[str, Any]:
        dialect = connection.dialect
        compiled: Any = self._source.compile(dialect=dialect)
        processors = dict(getattr(compiled, "_bind_processors", {}))
        if dialect.name == "sqlite":
            for name, bound in compiled.binds.items():
                if isinstance(bound.type, UtcDateTime):
                    processors[name] = _stored_instant
        fixed = compiled.params
        if dialect.name == "sqlite":
            names = list(compiled.positiontup or ())
            plan: Any = [(n, processors.get(n), fixed.get(n)) for n in names]
        else:
            plan = {n: (processors.get(n), fixed.get(n)) for n in compiled.params}
        form = (compiled.string, plan)
        self._forms[dialect.name] = form
        return form

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor after execution."""
        form = self._forms.get(connection.dialect.name) or self._form(connection)
        sql, plan = form
        cursor = connection.connection.cursor()
        if isinstance(plan, list):
            cursor.execute(
                sql,
                [values.get(n, d) if p is None else p(values.get(n, d)) for n, p, d in plan],
            )
        else:
            cursor.execute(
                sql,
                {
                    n: values.get(n, d) if p is None else p(values.get(n, d))
                    for n, (p, d) in plan.items()
                },
            )
        return cursor

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self.run(connection, values).fetchone()
        return row
