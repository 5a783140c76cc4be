"""Who owns a database: one process, by a lock file (SQLite) or an advisory lock (PostgreSQL)."""

import fcntl
import os
from pathlib import Path
from typing import IO, Final, Protocol

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import OperationalError

from storage.db import DatabaseError, engine_for

# Any number that nobody else takes in a database of ours.
_KEY: Final = 0x1A0_4079
# A killed process's lock goes as soon as the server notices; a restart must not trip over it.
_PATIENCE: Final = "3s"


class Lock(Protocol):
    def acquire(self) -> None:
        """Raises DatabaseError where another process has the database."""
        ...

    def release(self) -> None: ...


class NoLock:
    def acquire(self) -> None:
        return None

    def release(self) -> None:
        return None


class FileLock:
    """An advisory lock beside the database file; it goes with the process, also when killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises DatabaseError where another process runs on this file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Not "w": the owner's number must stand until the lock is ours.
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise DatabaseError("in_use") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class AdvisoryLock:
    """Held by a connection of its own, so it goes with the process, also when killed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def acquire(self) -> None:
        """Raises DatabaseError where another process runs on this database."""
        engine = engine_for(self._url)
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.execute(text(f"SET lock_timeout = '{_PATIENCE}'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _KEY})
        except OperationalError as error:
            connection.close()
            engine.dispose()
            if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            raise DatabaseError("in_use") from None
        self._connection = connection

    def release(self) -> None:
        if self._connection is not None:
            engine = self._connection.engine
            # The lock belongs to the session: back in a pool it would live on.
            self._connection.invalidate()
            self._connection.close()
            engine.dispose()
            self._connection = None


def single_owner(url: str) -> Lock:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return AdvisoryLock(url)
    if not parsed.database:
        return NoLock()
    return FileLock(Path(parsed.database + ".lock"))
