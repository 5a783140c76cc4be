"""Whose turn it is to write, where several processes write to one PostgreSQL database.

A transaction takes its locks in one order: everybody's lock (shared, or alone), the locks of the
chats and firms it touches (sorted), rows, and last the end of the audit chain. Waiting follows
that order, so only rows can be waited for in a circle; PostgreSQL ends such a circle, and whoever
it ends is done again alone, with nobody to wait for. On SQLite one process writes, and nothing
here does anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from sqlalchemy import Connection, text

from storage.db import Statement

# One-part locks; storage/locks.py and the audit chain have numbers of their own.
_EVERYBODY: Final = 4082
_CHATS: Final = 4081
_SHARED: Final = Statement(text(f"SELECT pg_advisory_xact_lock_shared({_EVERYBODY})"))
# An array is unnested in its order, so the locks are asked for in it.
_LOCK_CHATS: Final = Statement(
    text(f"SELECT pg_advisory_xact_lock({_CHATS}, k) FROM unnest(CAST(:keys AS int[])) AS k")
)
_ALONE: Final = Statement(text(f"SELECT pg_advisory_xact_lock({_EVERYBODY})"))
# Unique violation, serialization failure, deadlock, lock timeout: what others caused.
_CAUSED_BY_OTHERS: Final = frozenset({"23505", "40001", "40P01", "55P03"})


class Alone(Exception):
    """What was begun beside other processes must be done without them: it is begun again."""


@dataclass(slots=True)
class Turn:
    """How one transaction stands to other processes. `lost`: it must be done again, alone."""

    beside: bool = False
    lost: bool = False
    _held: bool = False

    def take(self, connection: Connection, touched: Iterable[str] | None) -> None:
        """First in a transaction; None touches everything and waits until nobody writes."""
        if touched is None:
            self.alone(connection)
            return
        self.beside = True
        _SHARED.run(connection, {})
        keys = sorted({crc32(name.encode()) - 2**31 for name in touched})
        if keys:
            _LOCK_CHATS.run(connection, {"keys": keys})

    def give_way(self) -> None:
        """Raises Alone where others may be writing now."""
        if self.beside:
            self.lost = True
            raise Alone

    def alone(self, connection: Connection) -> None:
        """Before what nobody else may meanwhile write or read."""
        self.give_way()
        if not self._held and connection.dialect.name == "postgresql":
            _ALONE.run(connection, {})
            self._held = True

    def failed(self, error: BaseException) -> None:
        """A failure that another process may have caused says nothing yet."""
        cause = getattr(error, "orig", error)
        if self.beside and getattr(cause, "sqlstate", None) in _CAUSED_BY_OTHERS:
            self.lost = True
