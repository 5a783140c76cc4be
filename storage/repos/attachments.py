"""What people sent along: noted with its message, fetched later, kept once.

Waiting follows the wall clock: what a platform gives out ends by that, whatever the office's clock
says.
"""

import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, select, text, update

from handlers.chat.attachments import Keeping, Loss, TicketFile
from handlers.chat.events import Attachment, AttachmentKind
from handlers.domain.ids import TicketNumber
from handlers.ports.attachments import Wanted
from storage.db import Statement
from storage.repos.files import body_of, drop_unused, keep
from storage.tables.announcements import AnnouncementUploadRow
from storage.tables.attachments import AttachmentRow, TicketAttachmentRow
from storage.tables.files import FileRow

_A: Final[Any] = AttachmentRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_OF: Final[Any] = TicketAttachmentRow.__table__  # type: ignore[attr-defined]
_FOR_DRAFTS: Final[Any] = AnnouncementUploadRow.__table__  # type: ignore[attr-defined]
_FILE: Final[Any] = FileRow.__table__  # type: ignore[attr-defined]
# A place on the map and a link are what they say: there is nothing to fetch.
FETCHED: Final = frozenset(
    {AttachmentKind.IMAGE, AttachmentKind.FILE, AttachmentKind.VOICE, AttachmentKind.VIDEO}
)
# Longer than any question whether a message is a problem stays open.
_UNCLAIMED_SECONDS: Final = 2 * 24 * 3600.0
_NOTE: Final = Statement(
    text(
        "INSERT INTO attachments (source, platform, kind, url, name, state, reason, content_type, "
        "attempts, next_try, wanted_at) VALUES (:source, :platform, :kind, :url, :name, 'wanted', "
        "'', '', 0, 0, :now) ON CONFLICT (source) DO NOTHING"
    )
)
_BELONGS: Final = Statement(
    text(
        "INSERT INTO ticket_attachments (number, attachment) "
        "SELECT :number, id FROM attachments WHERE source = :source ON CONFLICT DO NOTHING"
    )
)
_DUE: Final = (
    "SELECT id FROM attachments WHERE state = 'wanted' AND next_try <= :now "
    "ORDER BY next_try, id LIMIT :limit"
)
_TAKE: Final = text(
    "UPDATE attachments SET attempts = attempts + 1, next_try = :lease "
    f"WHERE state = 'wanted' AND id IN ({_DUE}) "
    "RETURNING id, platform, kind, url, name, attempts, wanted_at"
)
_GIVE_BACK: Final = text(
    "UPDATE attachments SET next_try = 0 WHERE state = 'wanted' AND id IN :ids"
).bindparams(bindparam("ids", expanding=True))


def source_of(platform: str, url: str) -> str:
    """What a thing is known by: the same address on one platform is the same thing."""
    return sha256(f"{platform}\n{url}".encode()).hexdigest()


def want(connection: Connection, platform: str, sent: Sequence[Attachment]) -> list[str]:
    """Remember what is to be kept; the sources of what can be fetched at all."""
    now = time.time()
    sources = []
    for one in sent:
        if one.kind not in FETCHED or not one.url:
            continue
        source = source_of(platform, one.url)
        values = {"source": source, "platform": platform, "kind": one.kind.value}
        values |= {"url": one.url, "name": one.name}
        _NOTE.run(connection, {**values, "now": now})
        sources.append(source)
    return sources


def note(
    connection: Connection, number: TicketNumber, platform: str, sent: Sequence[Attachment]
) -> None:
    """Remember that these belong to a ticket and are to be kept."""
    for source in want(connection, platform, sent):
        _BELONGS.run(connection, {"number": number, "source": source})


def file_of(row: Any, size: int | None) -> TicketFile:
    return TicketFile(
        row.id,
        AttachmentKind(row.kind),
        row.name,
        Keeping(row.state),
        Loss(row.reason) if row.reason else None,
        row.content_type,
        size or 0,
        row.platform,
        row.url,
    )


class SqlAttachmentStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def want(self, platform: str, sent: Sequence[Attachment]) -> None:
        want(self._connection, platform, sent)

    def forget(self) -> None:
        gone = delete(_A).where(
            _A.c.wanted_at < time.time() - _UNCLAIMED_SECONDS,
            ~exists().where(_OF.c.attachment == _A.c.id),
            ~exists().where(_FOR_DRAFTS.c.attachment == _A.c.id),
        )
        digests = self._connection.execute(gone.returning(_A.c.digest)).scalars().all()
        for digest in {d for d in digests if d is not None}:
            drop_unused(self._connection, digest)

    # ---- for readers

    def of(self, number: TicketNumber) -> tuple[TicketFile, ...]:
        asked = (
            select(_A, _FILE.c.size)
            .select_from(
                _OF.join(_A, _A.c.id == _OF.c.attachment).outerjoin(
                    _FILE, _FILE.c.digest == _A.c.digest
                )
            )
            .where(_OF.c.number == number)
            .order_by(_A.c.id)
        )
        return tuple(file_of(row, row.size) for row in self._connection.execute(asked))

    def body(self, number: TicketNumber, file_id: int) -> bytes | None:
        asked = (
            select(_A.c.digest)
            .select_from(_OF.join(_A, _A.c.id == _OF.c.attachment))
            .where(_OF.c.number == number, _A.c.id == file_id, _A.c.state == Keeping.KEPT.value)
        )
        digest = self._connection.execute(asked).scalar()
        return None if digest is None else body_of(self._connection, digest)

    # ---- for the fetcher

    def due(self, limit: int) -> list[int]:
        """What may be tried now."""
        return list(
            self._connection.execute(text(_DUE), {"now": time.time(), "limit": limit}).scalars()
        )

    def take(self, limit: int, lease: float) -> list[Wanted]:
        """What may be tried now, longest waiting first; due again after so many seconds."""
        now = time.time()
        rows = self._connection.execute(_TAKE, {"now": now, "limit": limit, "lease": now + lease})
        taken = [
            Wanted(
                row.id,
                row.platform,
                Attachment(AttachmentKind(row.kind), row.url, row.name),
                row.attempts - 1,
                row.wanted_at,
            )
            for row in rows
        ]
        return sorted(taken, key=lambda wanted: wanted.id)

    def give_back(self, ids: Sequence[int]) -> None:
        """What was taken is due at once."""
        self._connection.execute(_GIVE_BACK, {"ids": list(ids)})

    def again(self, file_id: int, wait: float) -> None:
        """Try once more in so many seconds."""
        self._settle(file_id, next_try=time.time() + wait)

    def kept(self, file_id: int, name: str, content_type: str, body: bytes) -> None:
        digest = keep(self._connection, body)
        known = {"name": name, "content_type": content_type, "digest": digest}
        if not self._settle(file_id, state=Keeping.KEPT.value, **known):
            # Somebody was quicker to settle it: nothing may refer to this body.
            drop_unused(self._connection, digest)

    def failed(self, file_id: int, loss: Loss) -> None:
        self._settle(file_id, state=Keeping.FAILED.value, reason=loss.value)

    def _settle(self, file_id: int, **values: Any) -> bool:
        """False where it is not wanted any more."""
        still = (_A.c.id == file_id, _A.c.state == Keeping.WANTED.value)
        done = self._connection.execute(update(_A).where(*still).values(**values))
        return bool(done.rowcount == 1)
