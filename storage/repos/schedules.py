"""What comes round: found by one partial index, however many rows there are."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.schedule import Schedule, ScheduleKind
from storage.repos.counters import next_value
from storage.tables.schedules import ScheduleRow

_S: Final[Any] = ScheduleRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SqlScheduleStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, schedule: Schedule) -> None:
        self._connection.execute(insert(_S).values(_plain(schedule)))

    def save(self, schedule: Schedule) -> None:
        self._connection.execute(
            update(_S).where(_S.c.key == schedule.key).values(_plain(schedule))
        )

    def get(self, key: str) -> Schedule | None:
        # Whoever else is about to run or change it waits for our commit (PostgreSQL).
        row = self._connection.execute(select(_S).where(_S.c.key == key).with_for_update()).first()
        return None if row is None else _schedule(row)

    def of_kind(self, kind: ScheduleKind) -> tuple[Schedule, ...]:
        return self._all(_S.c.kind == kind.value)

    def of_person(self, person_id: PersonId) -> tuple[Schedule, ...]:
        return self._all((_S.c.created_by == person_id) & _S.c.next_at.is_not(None))

    def _all(self, where: Any) -> tuple[Schedule, ...]:
        asked = select(_S).where(where).order_by(_S.c.created_at, func.length(_S.c.key), _S.c.key)
        return tuple(_schedule(row) for row in self._connection.execute(asked))

    def due(self, now: datetime) -> tuple[Schedule, ...]:
        asked = select(_S).where(_S.c.next_at <= now).order_by(_S.c.next_at, _S.c.key)
        return tuple(_schedule(row) for row in self._connection.execute(asked))

    def next_at(self) -> datetime | None:
        asked = select(_S.c.next_at).where(_S.c.next_at.is_not(None)).order_by(_S.c.next_at)
        found: datetime | None = self._connection.execute(asked.limit(1)).scalar()
        return found

    def next_number(self) -> int:
        return next_value(self._connection, "reminders", 1)


def _plain(schedule: Schedule) -> dict[str, Any]:
    values = asdict(schedule)
    values["kind"] = schedule.kind.value
    values["is_on"] = values.pop("on")
    values["late_seconds"] = int(values.pop("late").total_seconds())
    values["audience"] = list(schedule.audience)
    if not schedule.on:
        values["next_at"] = None
    return values


def _schedule(row: Any) -> Schedule:
    return Schedule(
        row.key,
        ScheduleKind(row.kind),
        row.rule,
        row.next_at,
        timedelta(seconds=row.late_seconds),
        row.created_at,
        None if row.created_by is None else PersonId(row.created_by),
        row.is_on,
        tuple(row.audience),
        row.text,
        None if row.ticket is None else TicketNumber(row.ticket),
    )
