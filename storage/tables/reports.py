"""What reports remember: the page each person was last shown, and the firms' words when asked again."""

from sqlmodel import Field, SQLModel

from storage.tables.base import Instant, instant


class ShownRow(SQLModel, table=True):
    __tablename__ = "briefs_shown"
    person_id: str = Field(primary_key=True, foreign_key="people.id")
    kind: str = Field(primary_key=True)
    since: Instant = instant()
    at: Instant = instant()


class CallBackRow(SQLModel, table=True):
    __tablename__ = "call_backs"
    id: int | None = Field(default=None, primary_key=True)
    number: int = Field(foreign_key="tickets.number", index=True)
    cycle: int
    at: Instant = instant(index=True)
    by_whom: str
    means: str
    solved: bool
    rating: int | None = None
    said: str
    reopened: bool
