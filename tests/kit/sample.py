"""The sample registry for stories: imported once a process as the demo does it, then copied."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlmodel import SQLModel

from bot.clock import MovableClock
from bot.seed import load_sample
from storage.tables.tickets import CounterRow
from storage.uow import UnitOfWork

# Pairings begin years before the clock of their import: a copy holds for that instant alone.
_IMPORTED: Final[dict[datetime, dict[str, list[dict[str, Any]]]]] = {}


def put_sample(uow: UnitOfWork, clock: MovableClock) -> None:
    """As `load_sample`: nothing where firms exist."""
    if uow.people.enterprises():
        return
    known = _IMPORTED.get(clock.now())
    if known is None:
        before = _rows(uow)
        load_sample(uow, clock)
        after = _rows(uow)
        _IMPORTED[clock.now()] = {
            name: [row for row in rows if row not in before[name]] for name, rows in after.items()
        }
        return
    counters = CounterRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
    names = [row["name"] for row in known["counters"]]
    uow.connection.execute(counters.delete().where(counters.c.name.in_(names)))
    for table in SQLModel.metadata.sorted_tables:
        if rows := known[table.name]:
            uow.connection.execute(insert(table), rows)
    if uow.connection.dialect.name == "postgresql":
        uow.connection.execute(
            text("SELECT setval(pg_get_serial_sequence('pairings', 'id'), max(id)) FROM pairings")
        )
    # What was read before this in the same commit is void.
    uow.people.changed()


def _rows(uow: UnitOfWork) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row._mapping) for row in uow.connection.execute(select(table))]
        for table in SQLModel.metadata.sorted_tables
    }
