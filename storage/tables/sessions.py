"""Who is logged in at which browser: only marks of what the browser keeps."""

from sqlmodel import Field, SQLModel


class SessionRow(SQLModel, table=True):
    __tablename__ = "sessions"
    token: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    platform: str
    # A login that was begun is finished once.
    state: str = Field(unique=True)
    until: float = Field(index=True)
