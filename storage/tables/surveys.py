"""Surveys, whom they ask, and what was answered: answers are only ever added."""

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant

_COMING = "next_at IS NOT NULL"


class SurveyRow(SQLModel, table=True):
    __tablename__ = "surveys"
    __table_args__ = (
        Index(
            "ix_surveys_next_at",
            "next_at",
            sqlite_where=text(_COMING),
            postgresql_where=text(_COMING),
        ),
    )
    number: int = Field(primary_key=True)
    title: str
    purpose: str
    questions: list[Any] = json_column(default_factory=list)
    audience: dict[str, Any] = json_column(default_factory=dict)
    due_at: Instant = instant()
    created_by: str
    created_at: Instant = instant()
    state: str
    needs_approval: bool = True
    approved_by: str | None = None
    opened_at: Instant | None = maybe_instant(index=True)
    remind_at: Instant | None = maybe_instant()
    reminded_at: Instant | None = maybe_instant()
    closed_at: Instant | None = maybe_instant()
    previous: int | None = None
    version: int = 1
    # None for what is off or over, so that the tick reads what can come and nothing else.
    next_at: Instant | None = maybe_instant()


class SurveyTargetRow(SQLModel, table=True):
    __tablename__ = "survey_targets"
    survey: int = Field(primary_key=True, foreign_key="surveys.number")
    enterprise_id: str = Field(primary_key=True, foreign_key="enterprises.id", index=True)
    reminded_at: Instant | None = maybe_instant()


class SurveyAnswerRow(SQLModel, table=True):
    __tablename__ = "survey_answers"
    __table_args__ = (Index("ix_survey_answers_survey", "survey", "enterprise_id"),)
    id: int | None = Field(default=None, primary_key=True)
    survey: int = Field(foreign_key="surveys.number")
    enterprise_id: str = Field(foreign_key="enterprises.id")
    filled: list[Any] = json_column(default_factory=list)
    at: Instant = instant()
    by_whom: str | None = None
    by_name: str = ""
    channel: str
    said: str = ""
    late: bool = False
