"""Who owns a database: one process for SQLite (a lock file), any number for PostgreSQL."""

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from storage.db import DatabaseError


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
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise DatabaseError("in_use") from None
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def single_owner(url: str) -> FileLock | NoLock:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return NoLock()
    return FileLock(Path(parsed.database + ".lock"))
