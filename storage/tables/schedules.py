"""What comes round, and people's time: who is on duty when, who is on leave."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant

_COMING = "next_at IS NOT NULL"


class ScheduleRow(SQLModel, table=True):
    __tablename__ = "schedules"
    __table_args__ = (
        Index(
            "ix_schedules_next_at",
            "next_at",
            sqlite_where=text(_COMING),
            postgresql_where=text(_COMING),
        ),
    )
    key: str = Field(primary_key=True)
    kind: str
    rule: str
    is_on: bool = True
    # None for what is off or over, so that the tick reads what can come and nothing else.
    next_at: Instant | None = maybe_instant()
    late_seconds: int
    audience: list[str] = json_column(default_factory=list)
    text: str = ""
    ticket: int | None = None
    created_by: str | None = Field(default=None, index=True)
    created_at: Instant = instant()


class DutyShiftRow(SQLModel, table=True):
    __tablename__ = "duty_shifts"
    id: int | None = Field(default=None, primary_key=True)
    person_id: str = Field(foreign_key="people.id")
    starts_at: Instant = instant()
    ends_at: Instant = instant(index=True)


class LeaveRow(SQLModel, table=True):
    __tablename__ = "leaves"
    id: int | None = Field(default=None, primary_key=True)
    person_id: str = Field(foreign_key="people.id", index=True)
    starts_at: Instant = instant()
    ends_at: Instant = instant()
    note: str = ""
