"""Sign-ups: one row each, the list inside it."""

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant

_OPEN = "closed_at IS NULL"


class SignUpRow(SQLModel, table=True):
    __tablename__ = "signups"
    __table_args__ = (
        # Nearly every message of a group asks whether something is open there.
        Index(
            "ix_signups_open",
            "platform",
            "chat",
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
    )
    number: int = Field(primary_key=True)
    title: str
    platform: str
    chat: str
    opened_by: str
    opened_at: Instant = instant()
    quota: int | None = None
    closes_at: Instant | None = maybe_instant()
    closed_at: Instant | None = maybe_instant()
    places: list[Any] = json_column(default_factory=list)
    heard: list[str] = json_column(default_factory=list)
    version: int = 1
