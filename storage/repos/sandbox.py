"""The chats of the built-in sandbox."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from storage.tables.queue import SandboxMessageRow

_M: Final[Any] = SandboxMessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SandboxStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        chat: str,
        at: datetime,
        sender_id: str,
        sender_name: str,
        text: str,
        *,
        is_bot: bool = False,
        kind: str = "message",
        card: dict[str, Any] | None = None,
        mentions: list[Any] | None = None,
        reply_to: str = "",
        attachments: list[Any] | None = None,
        client_id: str = "",
        delivery: int | None = None,
    ) -> int:
        done = self._connection.execute(
            insert(_M)
            .values(
                chat=chat,
                at=at,
                sender_id=sender_id,
                sender_name=sender_name,
                is_bot=is_bot,
                text=text,
                kind=kind,
                card=card,
                mentions=mentions or [],
                reply_to=reply_to,
                attachments=attachments or [],
                client_id=client_id,
                delivery=delivery,
            )
            .returning(_M.c.id)
        )
        return int(done.scalar_one())

    def by_client(self, client_id: str) -> int | None:
        found: int | None = self._connection.execute(
            select(_M.c.id).where(_M.c.client_id == client_id)
        ).scalar()
        return found

    def by_delivery(self, delivery: int) -> int | None:
        found: int | None = self._connection.execute(
            select(_M.c.id).where(_M.c.delivery == delivery)
        ).scalar()
        return found

    def get(self, message_id: int) -> dict[str, Any] | None:
        row = self._connection.execute(select(_M).where(_M.c.id == message_id)).first()
        return None if row is None else dict(row._mapping)

    def after(self, chat: str, after: int, limit: int = 200) -> list[dict[str, Any]]:
        rows = self._connection.execute(
            select(_M).where(_M.c.chat == chat, _M.c.id > after).order_by(_M.c.id).limit(limit)
        )
        return [dict(row._mapping) for row in rows]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest of all chats, the oldest of them first."""
        rows = self._connection.execute(select(_M).order_by(_M.c.id.desc()).limit(limit)).all()
        return [dict(row._mapping) for row in reversed(rows)]

    def last(self, chat: str) -> dict[str, Any] | None:
        row = self._connection.execute(
            select(_M).where(_M.c.chat == chat).order_by(_M.c.id.desc()).limit(1)
        ).first()
        return None if row is None else dict(row._mapping)

    def chats(self) -> list[str]:
        return list(self._connection.execute(select(_M.c.chat).distinct()).scalars())

    def empty(self, message_id: int) -> None:
        """Nothing of what it showed is left."""
        self._connection.execute(
            update(_M).where(_M.c.id == message_id).values(text="", attachments=[])
        )

    def replace_card(self, message_id: int, text: str, card: dict[str, Any] | None) -> None:
        self._connection.execute(
            update(_M).where(_M.c.id == message_id).values(text=text, card=card)
        )
