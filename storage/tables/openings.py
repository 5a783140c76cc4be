"""Which browser opened a personal link first: only marks, nothing of what it leads to."""

from sqlmodel import Field, SQLModel


class OpenedLinkRow(SQLModel, table=True):
    __tablename__ = "opened_links"
    link: str = Field(primary_key=True)
    reader: str
    until: float = Field(index=True)
