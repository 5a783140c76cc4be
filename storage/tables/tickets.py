"""The ticket, its history (append only), its messages, candidates."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class TicketRow(SQLModel, table=True):
    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("source_platform", "source_message", "part"),
        # None on the state alone: SQLite would read every open ticket by it instead.
        Index("ix_tickets_firm", "enterprise_id", "state"),
        Index("ix_tickets_reporter", "reporter_id", "state"),
        Index("ix_tickets_owner", "owner_id", "state"),
        Index(
            "ix_tickets_pending",
            "pending_owner_id",
            sqlite_where=text("pending_owner_id IS NOT NULL"),
            postgresql_where=text("pending_owner_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_department",
            "department",
            "state",
            sqlite_where=text("department <> ''"),
            postgresql_where=text("department <> ''"),
        ),
        Index(
            "ix_tickets_next_due",
            "next_due_at",
            sqlite_where=text("next_due_at IS NOT NULL"),
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
    )
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(unique=True)
    title: str
    body: str
    category: str
    urgency: str
    created_at: Instant = instant(index=True)
    kind: str
    state: str
    cycle: int
    level: int
    version: int
    confidential: bool
    supervised: str
    orange_code: str
    hazardous: bool
    tone: str
    enterprise_id: str | None = Field(default=None, foreign_key="enterprises.id")
    reporter_id: str | None = None
    reporter_name: str
    owner_id: str | None = None
    owner_since: Instant | None = maybe_instant()
    source_platform: str
    source_chat: str
    source_message: str
    source_channel: str
    part: int
    cycle_started_at: Instant | None = maybe_instant()
    claim_started_at: Instant | None = maybe_instant()
    progress_started_at: Instant | None = maybe_instant()
    claimed_at: Instant | None = maybe_instant()
    first_reply_at: Instant | None = maybe_instant()
    resolved_at: Instant | None = maybe_instant()
    closed_at: Instant | None = maybe_instant()
    due_claim: Instant | None = maybe_instant()
    due_first_reply: Instant | None = maybe_instant()
    due_progress: Instant | None = maybe_instant()
    due_resolution: Instant | None = maybe_instant()
    due_answer: Instant | None = maybe_instant()
    due_verdict: Instant | None = maybe_instant()
    due_department: Instant | None = maybe_instant()
    paused_since: Instant | None = maybe_instant()
    paused: float
    last_progress: str
    result: str
    question: str
    department: str
    review_at: Instant | None = maybe_instant()
    pending_owner_id: str | None = None
    pending_since: Instant | None = maybe_instant()
    transfers: int
    declines: int
    pending_until: Instant | None = maybe_instant()
    pending_reason: str
    extensions: int
    pending_review: Instant | None = maybe_instant()
    pending_told: str
    urges: int
    urged_at: Instant | None = maybe_instant()
    acknowledged_at: Instant | None = maybe_instant()
    escalated_at: Instant | None = maybe_instant()
    held_until: Instant | None = maybe_instant()
    asked_at: Instant | None = maybe_instant()
    verdict: str | None = None
    verdict_cycle: int
    rating: int | None = None
    rating_cycle: int
    merged_into: int | None = None
    merged_at: Instant | None = maybe_instant()
    parent: int | None = None
    handlers: list[str] = json_column()
    reason: str
    updated_at: Instant = instant(index=True)
    next_due_at: Instant | None = maybe_instant()


class FiringRow(SQLModel, table=True):
    __tablename__ = "firings"
    number: int = Field(primary_key=True, foreign_key="tickets.number")
    cycle: int = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    since: Instant = instant(primary_key=True)
    level: int = Field(primary_key=True)
    planned_at: Instant = instant()
    fired_at: Instant = instant()


class RemindedRow(SQLModel, table=True):
    __tablename__ = "reminded"
    number: int = Field(primary_key=True, foreign_key="tickets.number")
    person_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)


class HistoryRow(SQLModel, table=True):
    __tablename__ = "ticket_history"
    number: int = Field(primary_key=True, foreign_key="tickets.number")
    seq: int = Field(primary_key=True)
    at: Instant = instant()
    move: str
    actor_id: str | None = None
    actor_name: str
    text: str
    from_state: str | None = None
    to_state: str
    changes: dict[str, Any] = json_column()


class TicketMessageRow(SQLModel, table=True):
    __tablename__ = "ticket_messages"
    id: int | None = Field(default=None, primary_key=True)
    number: int = Field(foreign_key="tickets.number", index=True)
    at: Instant = instant()
    sender_id: str | None = None
    sender_name: str
    text: str
    platform: str
    chat: str
    message_id: str
    attachments: list[Any] = json_column()


class TicketLinkRow(SQLModel, table=True):
    __tablename__ = "ticket_links"
    one: int = Field(primary_key=True, foreign_key="tickets.number")
    other: int = Field(primary_key=True, foreign_key="tickets.number")


class CounterRow(SQLModel, table=True):
    __tablename__ = "counters"
    name: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


class CandidateRow(SQLModel, table=True):
    __tablename__ = "candidates"
    id: int | None = Field(default=None, primary_key=True)
    platform: str
    chat: str
    chat_kind: str
    message_id: str
    sender_key: str = Field(index=True)
    sender_name: str
    text: str
    at: Instant = instant()
    expires_at: Instant = instant()
    state: str
    number: int | None = None
    facts: dict[str, Any] = json_column()


class HeardRow(SQLModel, table=True):
    __tablename__ = "heard_messages"
    __table_args__ = (
        Index("ix_heard_recent", "platform", "chat", "sender_key", "at"),
        Index(
            "ix_heard_spoken",
            "chat",
            "at",
            sqlite_where=text("number IS NOT NULL"),
            postgresql_where=text("number IS NOT NULL"),
        ),
    )
    platform: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    chat: str
    sender_key: str
    at: Instant = instant()
    text: str
    msg_type: str
    number: int | None = None
    attachments: list[Any] = json_column()
