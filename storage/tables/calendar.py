"""The office's own days, which win over the shipped ones, and its weeks, as versions."""

from datetime import date
from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column


class CalendarDayRow(SQLModel, table=True):
    __tablename__ = "calendar_days"
    day: date = Field(primary_key=True)
    kind: str
    status: str
    name: str
    source: str


class CalendarWeekRow(SQLModel, table=True):
    __tablename__ = "calendar_weeks"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: Instant = instant()
    windows: dict[str, Any] = json_column()
