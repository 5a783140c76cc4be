"""What the outside model said of tickets, and how many questions a day has left."""

from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text

from handlers.domain.ids import TicketNumber
from handlers.ports import Advice, Outcome
from storage.db import Statement
from storage.tables.advice import AdviceRow

_ADVICE: Final[Any] = AdviceRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

# One statement, so that two processes cannot both take the last question of a day.
_SPEND: Final = Statement(
    text(
        "INSERT INTO counters (name, value) VALUES (:name, 1) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 "
        "WHERE counters.value < :most RETURNING value"
    )
)


class SqlAdviceStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, advice: Advice) -> int:
        done = self._connection.execute(
            insert(_ADVICE)
            .values(
                number=advice.number,
                at=advice.at,
                model=advice.model,
                outcome=advice.outcome.value,
                said=advice.said,
                offered=dict(advice.offered),
            )
            .returning(_ADVICE.c.id)
        )
        return int(done.scalar_one())

    def get(self, advice_id: int) -> Advice | None:
        row = self._connection.execute(select(_ADVICE).where(_ADVICE.c.id == advice_id)).first()
        return None if row is None else _advice(row)

    def of(self, number: TicketNumber) -> tuple[Advice, ...]:
        rows = self._connection.execute(
            select(_ADVICE).where(_ADVICE.c.number == number).order_by(_ADVICE.c.id)
        )
        return tuple(_advice(row) for row in rows)

    def spend(self, day: date, most: int) -> bool:
        if most < 1:
            return False
        asked = {"name": f"model:{day:%Y%m%d}", "most": most}
        return _SPEND.one(self._connection, asked) is not None


def _advice(row: Any) -> Advice:
    return Advice(
        TicketNumber(row.number),
        row.at,
        row.model,
        Outcome(row.outcome),
        row.said,
        row.offered,
        row.id,
    )
