"""Alembic environment: one history for SQLite and PostgreSQL."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import text

from storage.db import engine_for
from storage.tables import metadata
from storage.types import UtcDateTime


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Project types as plain ones, so that a migration never depends on today's code."""
    if kind == "type":
        if isinstance(item, UtcDateTime):
            return "sa.DateTime()"
        if type(item).__name__ == "AutoString":
            return "sa.String()"
    return False


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """The search index is made in the way of each database and is not among our tables."""
    return not (kind == "table" and name is not None and name.startswith("ticket_search"))


def run() -> None:
    engine = engine_for(context.config.attributes["url"])
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # Several processes may start at once: one brings the schema up, the others find it so.
            connection.execute(text("SELECT pg_advisory_xact_lock(4083)"))
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            include_name=include_name,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
