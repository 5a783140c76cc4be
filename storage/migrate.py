"""Alembic run from code: upgrade to head, refuse a newer database."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine

from storage.db import DatabaseError, engine_for, normal_url

if TYPE_CHECKING:
    from alembic.config import Config

_HERE: Final = Path(__file__).parent / "migrations"
_REVISION: Final = re.compile(r"^revision\s*(?::[^=]*)?=\s*['\"](\w+)['\"]", re.M)
_FOLLOWS: Final = re.compile(r"^down_revision\s*(?::[^=]*)?=\s*['\"](\w+)['\"]", re.M)


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["url"] = normal_url(url)
    return config


def head() -> str:
    """The newest revision this program knows.

    Read from the files themselves: a start with nothing to migrate need not load Alembic.
    """
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in (_HERE / "versions").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        revisions.update(_REVISION.findall(source))
        followed.update(_FOLLOWS.findall(source))
    (newest,) = revisions - followed
    return newest


def current(engine: Engine) -> str | None:
    """The revision of a database; None for an empty one."""
    from sqlalchemy import inspect, text

    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
        return found


class UnknownRevision(Exception):
    """No revision of that name."""


class OlderRevision(Exception):
    """The database is beyond that revision; what newer ones hold would be lost on the way back."""


def upgrade(url: str, to: str = "head") -> None:
    """Bring the schema up to date; raises DatabaseError for a database newer than this program."""
    engine = engine_for(url)
    try:
        have = current(engine)
        if have is not None and have == (head() if to == "head" else to):
            return
    finally:
        engine.dispose()
    from alembic import command
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_HERE))
    known = {r.revision for r in scripts.walk_revisions()}
    if have is not None and have not in known:
        raise DatabaseError(have)
    if to != "head" and to not in known:
        raise UnknownRevision(to)
    if have is not None and to in {r.revision for r in scripts.iterate_revisions(have, "base")}:
        raise OlderRevision(have)
    command.upgrade(_config(url), to)


def check(url: str) -> None:
    """Raises when tables and migrations differ."""
    from alembic import command

    command.check(_config(url))
