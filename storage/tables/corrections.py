"""What people put right, as labelled examples, and the office's own words."""

from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column


class CorrectionRow(SQLModel, table=True):
    __tablename__ = "corrections"
    id: int | None = Field(default=None, primary_key=True)
    at: Instant = instant()
    kind: str
    platform: str
    message_id: str
    part: int
    number: int | None = Field(default=None, foreign_key="tickets.number")
    text: str
    role: str
    msg_type: str
    was_read: dict[str, Any] = json_column()
    correct: dict[str, Any] = json_column()
    by_whom: str


class WordRow(SQLModel, table=True):
    __tablename__ = "words"
    word: str = Field(primary_key=True)
    category: str = Field(primary_key=True)
    weight: float
    by_whom: str
    at: Instant = instant()
