"""What people sent along: where it lay, whether it is kept, and the tickets that it belongs to."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

_WANTED = "state = 'wanted'"


class AttachmentRow(SQLModel, table=True):
    """One thing to fetch; `source` is the digest of its platform and address there."""

    __tablename__ = "attachments"
    __table_args__ = (
        Index(
            "ix_attachments_wanted",
            "next_try",
            sqlite_where=text(_WANTED),
            postgresql_where=text(_WANTED),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(unique=True)
    platform: str
    kind: str
    url: str
    name: str
    state: str
    reason: str
    content_type: str
    digest: str | None = Field(default=None, foreign_key="files.digest", index=True)
    attempts: int
    next_try: float
    wanted_at: float


class TicketAttachmentRow(SQLModel, table=True):
    __tablename__ = "ticket_attachments"
    number: int = Field(primary_key=True, foreign_key="tickets.number")
    attachment: int = Field(primary_key=True, foreign_key="attachments.id")
