"""The library of policies for firms, the questions that were asked of it, and who looked at what."""

from datetime import date

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class PolicyRow(SQLModel, table=True):
    __tablename__ = "policies"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    number: str = ""
    issuer: str = ""
    issued_on: date | None = None
    valid_from: date | None = None
    expires_on: date | None = None
    apply_from: date | None = None
    apply_by: date | None = None
    benefit: str = ""
    whom: dict[str, object] = json_column(default_factory=dict)
    materials: str = ""
    no_apply: bool = False
    contact: str = ""
    source_url: str = ""
    source_file: str = ""
    checked_on: date | None = None
    superseded_by: int | None = Field(default=None, foreign_key="policies.id")
    summary: str = ""
    text: str = ""
    keywords: list[str] = json_column(default_factory=list)
    attachments: list[str] = json_column(default_factory=list)
    category: str | None = None
    state: str
    author: str = ""
    approved_by: str = ""
    approved_at: Instant | None = maybe_instant()
    version: int = 1


class PolicyQuestionRow(SQLModel, table=True):
    __tablename__ = "policy_questions"
    id: int | None = Field(default=None, primary_key=True)
    at: Instant = instant(index=True)
    text: str
    outcome: str
    person_id: str | None = None
    enterprise_id: str | None = None
    ticket: int | None = Field(default=None, foreign_key="tickets.number", index=True)
    policy_id: int | None = Field(default=None, foreign_key="policies.id")


class PolicyInterestRow(SQLModel, table=True):
    __tablename__ = "policy_interests"
    policy_id: int = Field(primary_key=True, foreign_key="policies.id")
    person_id: str = Field(primary_key=True, foreign_key="people.id")
    at: Instant = instant()
