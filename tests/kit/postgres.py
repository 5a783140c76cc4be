"""A PostgreSQL server of our own, thrown away at the end."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.migrate import upgrade

_CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or the newest of Debian's versioned ones."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    return next((f for f in folders if (f / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder_of: Path, durable: bool = False) -> Iterator[str]:
    """The URL prefix of a server; `durable`: commits wait for the disk, as in an office."""
    folder = Path(tempfile.mkdtemp(prefix="lhg-pg-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to run as root; only the server drops its rights.
        as_postgres = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres", "postgres")
    port = free_port()
    quiet = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run(
        [*as_postgres, str(folder_of / "initdb"), "-D", str(folder / "db"), "-U", "postgres", "-A",
         "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
        **quiet,
    )  # fmt: skip
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    if not durable:
        options += f" {_CARELESS}"
    control = [*as_postgres, str(folder_of / "pg_ctl"), "-D", str(folder / "db"), "-w"]
    subprocess.run([*control, "start", "-o", options, "-l", str(folder / "log")], **quiet)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "stop", "-m", "immediate"], **{**quiet, "check": False})
        shutil.rmtree(folder, ignore_errors=True)


def fresh(server: str, migrated: bool = True) -> str:
    """An empty database there."""
    import psycopg

    name = f"f_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    if migrated:
        upgrade(f"{server}/{name}")
    return f"{server}/{name}"
