"""Counters that are taken inside the transaction that uses them, and versions of what is cached."""

import secrets
from typing import Final

from sqlalchemy import Connection, text

from storage.db import Statement
from storage.turns import Turn

_NEXT: Final = Statement(
    text(
        "INSERT INTO counters (name, value) VALUES (:name, :first) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
    )
)
_NEXT_TWO: Final = Statement(
    text(
        "INSERT INTO counters (name, value) VALUES (:one, :one_first), (:other, :other_first) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING name, value"
    )
)
_VERSIONS: Final = Statement(
    text("SELECT name, value FROM counters WHERE name >= 'version:' AND name < 'version;'")
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


def next_two(
    connection: Connection, one: str, one_first: int, other: str, other_first: int
) -> tuple[int, int]:
    """The next values of two counters in one statement."""
    asked = {"one": one, "one_first": one_first, "other": other, "other_first": other_first}
    found = {row[0]: row[1] for row in _NEXT_TWO.run(connection, asked).fetchall()}
    return int(found[one]), int(found[other])


class Versions:
    """The versions of what processes keep in memory, read once for each commit.

    A change sets its version to a random number, so that nothing cached inside a transaction that
    was rolled back is ever taken for true.
    """

    __slots__ = ("_known", "_turn")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._known: dict[str, int] | None = None

    def of(self, connection: Connection, kind: str) -> int:
        """0 for what was never changed."""
        if self._known is None:
            rows = _VERSIONS.run(connection, {}).fetchall()
            self._known = {row[0]: int(row[1]) for row in rows}
        return self._known.get(f"version:{kind}", 0)

    def change(self, connection: Connection, kind: str) -> None:
        # What others keep in memory holds as long as they write: they are not to be writing now.
        self._turn.alone(connection)
        set_value(connection, f"version:{kind}", secrets.randbits(50))
        self._known = None

    def forget(self) -> None:
        """Something was rolled back: what was read may not hold."""
        self._known = None


def set_value(connection: Connection, name: str, value: int) -> None:
    _SET.run(connection, {"name": name, "value": value})


def get_value(connection: Connection, name: str) -> int:
    row = _GET.one(connection, {"name": name})
    return 0 if row is None else int(row[0])
