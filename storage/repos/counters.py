"""Counters that are taken inside the transaction that uses them."""

from typing import Final

from sqlalchemy import Connection, text

from storage.db import Statement

_NEXT: Final = Statement(
    text(
        "INSERT INTO counters (name, value) VALUES (:name, :first) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
    )
)
_SET: Final = Statement(
    text(
        "INSERT INTO counters (name, value) VALUES (:name, :value) "
        "ON CONFLICT (name) DO UPDATE SET value = :value"
    )
)
_GET: Final = Statement(text("SELECT value FROM counters WHERE name = :name"))


def next_value(connection: Connection, name: str, first: int) -> int:
    """The next value of `name`, `first` to begin with."""
    row = _NEXT.one(connection, {"name": name, "first": first})
    assert row is not None
    return int(row[0])


def set_value(connection: Connection, name: str, value: int) -> None:
    _SET.run(connection, {"name": name, "value": value})


def get_value(connection: Connection, name: str) -> int:
    row = _GET.one(connection, {"name": name})
    return 0 if row is None else int(row[0])
