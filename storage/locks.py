"""What a process holds: its database, and what one of several processes may have by name.

SQLite: one process, by a lock file, and it has everything. PostgreSQL: several processes, each with
a connection of its own for its locks, so that they go with the process, also when it is killed.
"""

import fcntl
import os
import select
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol
from zlib import crc32

import sqlalchemy
from sqlalchemy import make_url, text

from storage.db import DatabaseError, engine_for

if TYPE_CHECKING:
    from psycopg import Connection, Notify

# Any numbers that nobody else takes in a database of ours; repositories use 4078, 4079, and
# storage/turns.py 4081 and 4082.
_DATABASE: Final = 0x1A0_4079
_NAMES: Final = 4080
_BELL: Final = "lhg"
# A killed process's lock goes as soon as the server notices; a restart must not trip over it.
_PATIENCE: Final = "3s"
# What the server does about a process that it hears nothing of, whether it is gone, stopped or cut
# off: after some 7 s its locks are free. That is longer than the process itself goes on believing
# that it has them (bot/leading.py).
_SERVER: Final = (
    "SET idle_session_timeout = '7s'",
    "SET tcp_keepalives_idle = 3",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 2",
    "SET tcp_user_timeout = 8000",
    "SET synchronous_commit = off",
    f"SET lock_timeout = '{_PATIENCE}'",
)
_CLIENT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}


# A one-part number stands in the lower half, with 1 beside it; a two-part one has 2.
_AT_WORK: Final = text(
    "SELECT COUNT(*) FILTER (WHERE objsubid = 1 AND classid = 0 AND objid = :whole), "
    "COUNT(*) FILTER (WHERE objsubid = 2 AND classid = :names) FROM pg_locks "
    "WHERE locktype = 'advisory' AND granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Holding(Protocol):
    """`shared`: other processes may be at the same database."""

    shared: bool

    def open(self) -> None:
        """Raises DatabaseError where another process has the database for itself."""
        ...

    def take(self, name: str) -> bool:
        """Whether what goes by this name is ours now; others ask in vain until `close`.

        Not to be asked for again while it is ours.
        """
        ...

    def listen(self, seconds: float) -> None:
        """Wait until another process rings, or the time is over."""
        ...

    def beat(self) -> bool:
        """Whether another process rang; raises where what was taken is lost."""
        ...

    def ring(self) -> None:
        """Wake whoever listens in other processes; may be called from any thread."""
        ...

    def close(self) -> None: ...


class _Single:
    """There is no other process."""

    shared = False

    def take(self, name: str) -> bool:
        return True

    def listen(self, seconds: float) -> None:
        return None

    def beat(self) -> bool:
        return False

    def ring(self) -> None:
        return None


class InMemory(_Single):
    def open(self) -> None:
        return None

    def close(self) -> None:
        return None


class FileLock(_Single):
    """An advisory lock beside the database file; it goes with the process, also when killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def open(self) -> None:
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

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Session:
    """A connection to PostgreSQL that holds locks and hears the bell.

    `sole`: no other process may be at the database.
    """

    shared = True

    def __init__(self, url: str, sole: bool = False) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._sole = sole
        self._connection: Connection[Any] | None = None
        self._rung = False
        self._to_ring = False
        self._inside, self._outside = socket.socketpair()
        self._outside.setblocking(False)

    def open(self) -> None:
        import psycopg

        connection = psycopg.connect(
            self._url,
            autocommit=True,
            # So that pg_stat_activity tells which process it is.
            application_name=f"lhg {os.getpid()}",
            **_CLIENT,
        )
        try:
            for setting in _SERVER:
                connection.execute(setting)
            how = "" if self._sole else "_shared"
            connection.execute(f"SELECT pg_advisory_lock{how}({_DATABASE})")
            connection.execute(f"LISTEN {_BELL}")
        except psycopg.errors.LockNotAvailable:
            connection.close()
            raise DatabaseError("in_use") from None
        except BaseException:
            connection.close()
            raise
        connection.add_notify_handler(self._hear)
        self._connection = connection

    def _hear(self, notify: "Notify") -> None:
        assert self._connection is not None
        if notify.pid != self._connection.info.backend_pid:
            self._rung = True

    def take(self, name: str) -> bool:
        assert self._connection is not None
        key = crc32(name.encode()) - 2**31
        row = self._connection.execute(
            "SELECT pg_try_advisory_lock(%(n)s, %(k)s)",
            {"n": _NAMES, "k": key},
        ).fetchone()
        return bool(row and row[0])

    def listen(self, seconds: float) -> None:
        connection = self._connection
        assert connection is not None
        inside = self._inside.fileno()
        ready, _, _ = select.select([connection.fileno(), inside], [], [], seconds)
        if inside in ready:
            self._inside.recv(4096)
        if self._to_ring:
            self._to_ring = False
            connection.execute(f"SELECT pg_notify('{_BELL}', '')")

    def beat(self) -> bool:
        assert self._connection is not None
        # Its answer also brings what was rung.
        self._connection.execute("SELECT 1")
        rung, self._rung = self._rung, False
        return rung

    def ring(self) -> None:
        if self._to_ring:
            return
        self._to_ring = True
        try:
            self._outside.send(b"!")
        except OSError:
            # Full, so it wakes anyway; or closed, and nobody is to be woken any more.
            pass

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True, slots=True)
class AtWork:
    """How many processes are at a database, and how many names have an owner."""

    processes: int
    names: int


def at_work(url: str) -> AtWork | None:
    """None on SQLite, where there is one at most."""
    if make_url(url).get_backend_name() == "sqlite":
        return None
    engine = engine_for(url)
    with engine.connect() as connection:
        row = connection.execute(_AT_WORK, {"whole": _DATABASE, "names": _NAMES}).one()
    engine.dispose()
    return AtWork(int(row[0]), int(row[1]))


def alone(connection: sqlalchemy.Connection) -> None:
    """PostgreSQL: until this transaction ends no process of the bot may be at the database.

    Raises DatabaseError where one is.
    """
    taken = connection.execute(text(f"SELECT pg_try_advisory_xact_lock({_DATABASE})")).scalar()
    if not taken:
        raise DatabaseError("in_use")


def holding(url: str, sole: bool = False) -> Holding:
    """`sole`: this process wants the database for itself."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return Session(url, sole)
    if not parsed.database:
        return InMemory()
    return FileLock(Path(parsed.database + ".lock"))
