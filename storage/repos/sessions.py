"""Sessions of the console: each begun by one login, over by themselves or by logging out."""

from typing import Any, Final

from sqlalchemy import Connection, delete, select, text

from handlers.domain.ids import PersonId
from storage.tables.sessions import SessionRow

_S: Final[Any] = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_BEGIN: Final = text(
    "INSERT INTO sessions (token, person_id, platform, state, until) "
    "VALUES (:token, :person_id, :platform, :state, :until) "
    "ON CONFLICT (state) DO NOTHING RETURNING token"
)


class SessionStore:
    """`token` and `state` are marks: from them nobody gets back to what the browser keeps.

    `now` and `until` are seconds by the wall clock.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(
        self, token: str, person: PersonId, platform: str, state: str, until: float, now: float
    ) -> bool:
        """False where this login was finished before; what is over is forgotten."""
        self._connection.execute(delete(_S).where(_S.c.until < now))
        values = {
            "token": token,
            "person_id": person,
            "platform": platform,
            "state": state,
            "until": until,
        }
        return self._connection.execute(_BEGIN, values).first() is not None

    def person(self, token: str, now: float) -> PersonId | None:
        asked = select(_S.c.person_id).where(_S.c.token == token, _S.c.until > now)
        found: str | None = self._connection.execute(asked).scalar()
        return None if found is None else PersonId(found)

    def end(self, token: str) -> None:
        self._connection.execute(delete(_S).where(_S.c.token == token))
