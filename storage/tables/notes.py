"""The little a platform must not forget: cursors, budgets, who somebody really is."""

from sqlmodel import Field, SQLModel


class PlatformNoteRow(SQLModel, table=True):
    __tablename__ = "platform_notes"
    platform: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str
    # Wall-clock seconds of the last change.
    changed_at: float
