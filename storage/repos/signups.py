"""Sign-ups: the list is read, changed and written whole, one writer at a time."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, text, update

from handlers.domain.ids import PersonId
from handlers.domain.signup import Place, SignUp
from storage.db import Statement
from storage.repos.counters import next_value
from storage.tables.signups import SignUpRow

_S: Final[Any] = SignUpRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


# Asked for nearly every message of a group, and nearly always in vain.
_IS_OPEN: Final = Statement(
    text(
        "SELECT 1 FROM signups WHERE closed_at IS NULL AND platform = :platform "
        "AND chat = :chat LIMIT 1"
    )
)


class SqlSignUpStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_number(self) -> int:
        return next_value(self._connection, "signups", 1)

    def add(self, signup: SignUp) -> None:
        self._connection.execute(insert(_S).values(_plain(signup)))

    def save(self, signup: SignUp) -> None:
        self._connection.execute(
            update(_S).where(_S.c.number == signup.number).values(_plain(signup))
        )

    def get(self, number: int) -> SignUp | None:
        # Two firms at once: the second sees the list with the first on it (PostgreSQL).
        return self._one(select(_S).where(_S.c.number == number).with_for_update())

    def find(self, number: int) -> SignUp | None:
        return self._one(select(_S).where(_S.c.number == number))

    def _one(self, asked: Any) -> SignUp | None:
        row = self._connection.execute(asked).first()
        return None if row is None else _signup(row)

    def open_in(self, platform: str, chat: str) -> tuple[SignUp, ...]:
        if _IS_OPEN.one(self._connection, {"platform": platform, "chat": chat}) is None:
            return ()
        return self._all(
            _S.c.closed_at.is_(None) & (_S.c.platform == platform) & (_S.c.chat == chat)
        )

    def open(self) -> tuple[SignUp, ...]:
        return self._all(_S.c.closed_at.is_(None))

    def _all(self, where: Any) -> tuple[SignUp, ...]:
        asked = select(_S).where(where).order_by(_S.c.number.desc())
        return tuple(_signup(row) for row in self._connection.execute(asked))

    def page(self, limit: int, before: int | None) -> tuple[SignUp, ...]:
        asked = select(_S).order_by(_S.c.number.desc()).limit(limit)
        if before is not None:
            asked = asked.where(_S.c.number < before)
        return tuple(_signup(row) for row in self._connection.execute(asked))

    def due(self, now: datetime) -> tuple[int, ...]:
        asked = select(_S.c.number).where(_S.c.closed_at.is_(None), _S.c.closes_at <= now)
        return tuple(self._connection.execute(asked.order_by(_S.c.number)).scalars())

    def next_at(self) -> datetime | None:
        asked = select(func.min(_S.c.closes_at)).where(_S.c.closed_at.is_(None))
        found: datetime | None = self._connection.execute(asked).scalar()
        return found


def _plain(signup: SignUp) -> dict[str, Any]:
    values = {name: getattr(signup, name) for name in SignUp.__dataclass_fields__}
    values["places"] = [asdict(place) for place in signup.places]
    values["heard"] = sorted(signup.heard)
    return values


def _signup(row: Any) -> SignUp:
    read = dict(row._mapping)
    read["opened_by"] = PersonId(read["opened_by"])
    read["places"] = tuple(Place(**place) for place in read["places"])
    read["heard"] = frozenset(read["heard"])
    return SignUp(**read)
