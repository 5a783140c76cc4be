"""The one place of kept bytes: a body stands here once, whatever refers to it."""

from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, delete, exists, select, text

from storage.tables.announcements import AnnouncementFileRow
from storage.tables.attachments import AttachmentRow
from storage.tables.files import FileRow

_FILE: Final[Any] = FileRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_OF_ANNOUNCEMENTS: Final[Any] = AnnouncementFileRow.__table__  # type: ignore[attr-defined]
_OF_TICKETS: Final[Any] = AttachmentRow.__table__  # type: ignore[attr-defined]
_KEEP: Final = text(
    "INSERT INTO files (digest, size, body) VALUES (:digest, :size, :body) ON CONFLICT DO NOTHING"
)


def keep(connection: Connection, body: bytes) -> str:
    """The digest by which the body is asked for."""
    digest = sha256(body).hexdigest()
    connection.execute(_KEEP, {"digest": digest, "size": len(body), "body": body})
    return digest


def body_of(connection: Connection, digest: str) -> bytes | None:
    found: bytes | None = connection.execute(
        select(_FILE.c.body).where(_FILE.c.digest == digest)
    ).scalar()
    return found


def size_of(connection: Connection, digest: str) -> int:
    return int(
        connection.execute(select(_FILE.c.size).where(_FILE.c.digest == digest)).scalar_one()
    )


class FileStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, body: bytes) -> str:
        """The digest by which the body is asked for."""
        return keep(self._connection, body)

    def body(self, digest: str) -> bytes | None:
        return body_of(self._connection, digest)


def drop_unused(connection: Connection, digest: str) -> None:
    """Forget a body that nothing refers to any more."""
    used = (
        exists().where(_OF_ANNOUNCEMENTS.c.digest == digest),
        exists().where(_OF_TICKETS.c.digest == digest),
    )
    connection.execute(delete(_FILE).where(_FILE.c.digest == digest, *(~u for u in used)))
