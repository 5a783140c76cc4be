"""Visits to firms."""

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class VisitRow(SQLModel, table=True):
    __tablename__ = "visits"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(unique=True)
    enterprise_id: str = Field(foreign_key="enterprises.id", index=True)
    at: Instant = instant(index=True)
    until: Instant | None = maybe_instant()
    mode: str
    place: str = ""
    visitors: list[str] = json_column(default_factory=list)
    met: list[str] = json_column(default_factory=list)
    purpose: str
    production: str = ""
    workforce: str = ""
    orders: str = ""
    told: list[str] = json_column(default_factory=list)
    next_at: Instant | None = maybe_instant()
    next_until: Instant | None = maybe_instant()
    problems: list[int] = json_column(default_factory=list)
    note: str = ""
    project: str = ""
    backfilled: bool = False
    standing: str
    entered_at: Instant = instant()
    entered_by: str
    source_platform: str = ""
    source_message: str = Field(default="", index=True)
