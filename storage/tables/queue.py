"""What waits: inbox, outbox, open questions, job runs; the audit chain; the sandbox's chats."""

from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant


class InboxRow(SQLModel, table=True):
    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("platform", "event_id"),
        Index(
            "ix_inbox_new",
            "chat",
            "id",
            sqlite_where=text("state = 'new'"),
            postgresql_where=text("state = 'new'"),
        ),
        Index(
            "ix_inbox_dead",
            "id",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    platform: str
    event_id: str
    chat: str
    state: str
    attempts: int
    error: str
    received_at: float
    next_try: float
    payload: str


class OutboxRow(SQLModel, table=True):
    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "priority",
            "id",
            sqlite_where=text("state IN ('waiting','sending')"),
            postgresql_where=text("state IN ('waiting','sending')"),
        ),
        Index(
            "uq_outbox_dedupe",
            "dedupe_key",
            unique=True,
            sqlite_where=text("dedupe_key <> ''"),
            postgresql_where=text("dedupe_key <> ''"),
        ),
        # No index may begin with the state or the platform: SQLite would claim by it, not by the
        # one above, and read every row ever sent.
        Index("ix_outbox_ref", "ref"),
        Index(
            "ix_outbox_dead",
            "id",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index("ix_outbox_card", "chat", "card_key"),
        # What the gate counts: the notices of one person.
        Index(
            "ix_outbox_noticed",
            "person_id",
            "sent_at",
            sqlite_where=text("person_id IS NOT NULL AND sent_at IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL AND sent_at IS NOT NULL"),
        ),
        Index(
            "ix_outbox_person",
            "person_id",
            sqlite_where=text("person_id IS NOT NULL AND sent_at IS NULL"),
            postgresql_where=text("person_id IS NOT NULL AND sent_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    state: str
    platform: str
    chat: str
    chat_kind: str
    person_id: str | None = None
    kind: str
    priority: int
    ticket: int | None = Field(default=None, index=True)
    content: str
    card_key: str
    dedupe_key: str
    not_before: Instant | None = maybe_instant()
    not_after: Instant | None = maybe_instant()
    still: str
    reply_token: str
    answers: int | None = None
    is_update: bool
    next_try: float
    lease_until: float
    attempts: int
    error: str
    created_at: Instant = instant()
    sent_at: Instant | None = maybe_instant()
    ref: str
    card_ref: str
    bundle: str
    # The other messages that one row was told in; the row that this one takes back, and whether its
    # text is said even where that succeeds.
    more_refs: str
    takes_back: int | None = None
    says_so: bool
    # The group in which it was asked for; the accounts to which it did not come.
    asked_in: str
    tried: str


class DialogueRow(SQLModel, table=True):
    __tablename__ = "dialogues"
    person_key: str = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    chat: str = Field(primary_key=True)
    topic: str
    facts: dict[str, Any] = json_column()
    expires_at: Instant | None = maybe_instant()


class JobRunRow(SQLModel, table=True):
    __tablename__ = "job_runs"
    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    at: Instant = instant()


class AuditRow(SQLModel, table=True):
    __tablename__ = "audit"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: Instant = instant()
    actor: str
    action: str
    subject: str
    facts: str
    previous: str
    hash: str


class SandboxMessageRow(SQLModel, table=True):
    __tablename__ = "sandbox_messages"
    id: int | None = Field(default=None, primary_key=True)
    chat: str = Field(index=True)
    at: Instant = instant()
    sender_id: str
    sender_name: str
    is_bot: bool
    text: str
    kind: str
    card: dict[str, Any] | None = json_column(default=None, nullable=True)
    mentions: list[Any] = json_column(default_factory=list)
    reply_to: str
    attachments: list[Any] = json_column(default_factory=list)
    client_id: str = Field(index=True)
    delivery: int | None = Field(default=None, index=True)
