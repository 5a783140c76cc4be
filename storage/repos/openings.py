"""Personal links: bound once, to the browser that opened them first."""

import time
from typing import Any, Final

from sqlalchemy import Connection, delete, select, text

from storage.tables.openings import OpenedLinkRow

_O: Final[Any] = OpenedLinkRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_TAKE: Final = text(
    "INSERT INTO opened_links (link, reader, until) VALUES (:link, :reader, :until) "
    "ON CONFLICT (link) DO NOTHING"
)


class SqlOpeningStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reader(self, link: str) -> str | None:
        asked = select(_O.c.reader).where(_O.c.link == link)
        found: str | None = self._connection.execute(asked).scalar()
        return found

    def take(self, link: str, reader: str, until: float) -> bool:
        self._connection.execute(_TAKE, {"link": link, "reader": reader, "until": until})
        return self.reader(link) == reader

    def forget(self) -> int:
        over = _O.c.until < time.time()
        return int(self._connection.execute(delete(_O).where(over)).rowcount)
