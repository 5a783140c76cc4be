"""What platforms noted."""

import time
from typing import Final

from sqlalchemy import Connection, text

from storage.db import Statement

_GET: Final = Statement(text("SELECT value FROM platform_notes WHERE platform = :p AND key = :k"))
_PUT: Final = Statement(
    text(
        "INSERT INTO platform_notes (platform, key, value, changed_at) VALUES (:p, :k, :v, :at) "
        "ON CONFLICT (platform, key) DO UPDATE SET value = :v, changed_at = :at"
    )
)
_FORGET: Final = Statement(text("DELETE FROM platform_notes WHERE changed_at < :before"))


class NoteStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, platform: str, key: str) -> str:
        """Empty where nothing was noted."""
        row = _GET.one(self._connection, {"p": platform, "k": key})
        return "" if row is None else str(row[0])

    def put(self, platform: str, key: str, value: str) -> None:
        _PUT.run(self._connection, {"p": platform, "k": key, "v": value, "at": time.time()})

    def forget(self, before: float) -> None:
        """What did not change since then, in wall-clock seconds."""
        _FORGET.run(self._connection, {"before": before})
