"""Announcements, whom each round is for, and the files that go with them."""

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant, json_column, maybe_instant

_DUE = "next_at IS NOT NULL"
_LIVE = "state IN ('approved','sending','paused','sent') AND valid_until IS NOT NULL"


class AnnouncementRow(SQLModel, table=True):
    __tablename__ = "announcements"
    __table_args__ = (
        Index(
            "ix_announcements_next_at",
            "next_at",
            sqlite_where=text(_DUE),
            postgresql_where=text(_DUE),
        ),
        Index(
            "ix_announcements_ends",
            "valid_until",
            sqlite_where=text(_LIVE),
            postgresql_where=text(_LIVE),
        ),
    )
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str
    title: str
    text: str
    audience: dict[str, Any] = json_column()
    route: str
    need_receipt: bool
    author_id: str = Field(foreign_key="people.id")
    created_at: Instant = instant()
    state: str = Field(index=True)
    approver_id: str | None = Field(default=None, foreign_key="people.id")
    round: int
    rule: str
    send_at: Instant | None = maybe_instant()
    valid_until: Instant | None = maybe_instant()
    corrects: int | None = Field(default=None, foreign_key="announcements.id")
    source: str
    submitted_at: Instant | None = maybe_instant()
    approved_at: Instant | None = maybe_instant()
    began_at: Instant | None = maybe_instant()
    ended_at: Instant | None = maybe_instant()
    paused: str
    next_at: Instant | None = maybe_instant()
    seen_at: Instant | None = maybe_instant()
    version: int


class AnnouncementTargetRow(SQLModel, table=True):
    """The key is what makes a second telling of one round impossible."""

    __tablename__ = "announcement_targets"
    announcement: int = Field(primary_key=True, foreign_key="announcements.id")
    round: int = Field(primary_key=True)
    enterprise_id: str = Field(primary_key=True, foreign_key="enterprises.id", index=True)
    route: str
    state: str
    why: str
    queued: bool
    direct_row: int | None = None
    group_row: int | None = None
    read_at: Instant | None = maybe_instant()
    read_by: str | None = None
    nudged_at: Instant | None = maybe_instant()


class AnnouncementFileRow(SQLModel, table=True):
    __tablename__ = "announcement_files"
    id: int | None = Field(default=None, primary_key=True)
    announcement: int = Field(foreign_key="announcements.id", index=True)
    name: str
    content_type: str
    size: int
    digest: str = Field(foreign_key="files.digest", index=True)


class AnnouncementUploadRow(SQLModel, table=True):
    """What its author sent along for a draft and is not settled yet."""

    __tablename__ = "announcement_uploads"
    announcement: int = Field(primary_key=True, foreign_key="announcements.id")
    attachment: int = Field(primary_key=True, foreign_key="attachments.id")
    person_id: str = Field(foreign_key="people.id")
    chat: str
