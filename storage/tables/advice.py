"""What the outside model said, beside the ticket it was asked about."""

from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column


class AdviceRow(SQLModel, table=True):
    __tablename__ = "advice"
    id: int | None = Field(default=None, primary_key=True)
    number: int = Field(foreign_key="tickets.number", index=True)
    at: Instant = instant()
    model: str
    outcome: str
    said: str
    offered: dict[str, Any] = json_column()
