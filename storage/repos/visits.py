"""The visit book in rows."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.visit import Mode, Purpose, Standing, Visit
from handlers.ports.visits import VisitQuery
from storage.repos.counters import next_two
from storage.tables.visits import VisitRow

_V: Final[Any] = VisitRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_SOURCE: Final = frozenset({"source_platform", "source_message"})


class SqlVisitStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_number(self, stem: str) -> tuple[int, int]:
        return next_two(self._connection, "visits", 1, f"code:{stem}", 1)

    def add(self, visit: Visit) -> None:
        empty = {"source_platform": "", "source_message": ""}
        self._connection.execute(insert(_V).values({**_plain(visit), **empty}))

    def save(self, visit: Visit) -> None:
        self._connection.execute(
            update(_V).where(_V.c.number == visit.number).values(_plain(visit))
        )

    def find(self, number: int) -> Visit | None:
        return self._one(_V.c.number == number)

    def by_source(self, platform: str, message_id: str) -> Visit | None:
        return self._one((_V.c.source_message == message_id) & (_V.c.source_platform == platform))

    def _one(self, where: Any) -> Visit | None:
        row = self._connection.execute(select(_V).where(where).order_by(_V.c.number)).first()
        return None if row is None else _visit(row)

    def from_message(self, number: int, platform: str, message_id: str) -> None:
        self._connection.execute(
            update(_V)
            .where(_V.c.number == number)
            .values(source_platform=platform, source_message=message_id)
        )

    def search(self, query: VisitQuery) -> tuple[Visit, ...]:
        if query.firms is not None and not query.firms:
            return ()
        wanted = [Standing.KEPT.value] + ([Standing.PLANNED.value] if query.planned else [])
        asked = select(_V).where(_V.c.standing.in_(wanted))
        if query.firms is not None:
            asked = asked.where(_V.c.enterprise_id.in_(sorted(query.firms)))
        if query.enterprise_id is not None:
            asked = asked.where(_V.c.enterprise_id == query.enterprise_id)
        if query.since is not None:
            asked = asked.where(_V.c.at >= query.since)
        if query.until is not None:
            asked = asked.where(_V.c.at < query.until)
        if query.entered_since is not None:
            asked = asked.where(_V.c.entered_at > query.entered_since)
        if query.entered_until is not None:
            asked = asked.where(_V.c.entered_at <= query.entered_until)
        if query.project:
            asked = asked.where(_V.c.project == query.project)
        if query.before is not None:
            asked = asked.where(_V.c.number < query.before)
        asked = asked.order_by(_V.c.number.desc())
        if not query.by:
            asked = asked.limit(query.limit)
        rows = (_visit(row) for row in self._connection.execute(asked))
        # Names stand in a list: both databases find them the same way when the rows are read.
        found = [v for v in rows if not query.by or query.by in v.visitors]
        return tuple(found[: query.limit])

    def entries(
        self, enterprise_id: EnterpriseId, mode: Mode, since: datetime, until: datetime
    ) -> tuple[datetime, ...]:
        asked = (
            select(_V.c.at)
            .where(
                _V.c.enterprise_id == enterprise_id,
                _V.c.mode == mode.value,
                _V.c.standing == Standing.KEPT.value,
                _V.c.at > since,
                _V.c.at < until,
            )
            .order_by(_V.c.at)
        )
        return tuple(self._connection.execute(asked).scalars())

    def last(self, at: datetime | None = None) -> Mapping[EnterpriseId, datetime]:
        asked = select(_V.c.enterprise_id, func.max(_V.c.at)).where(
            _V.c.standing == Standing.KEPT.value
        )
        if at is not None:
            asked = asked.where(_V.c.entered_at <= at)
        asked = asked.group_by(_V.c.enterprise_id)
        return {EnterpriseId(firm): at for firm, at in self._connection.execute(asked)}

    def first_planned_or_kept(self) -> datetime | None:
        return self._first(_V.c.standing != Standing.DROPPED.value)

    def began(self) -> datetime | None:
        return self._first(_V.c.standing == Standing.KEPT.value)

    def _first(self, where: Any) -> datetime | None:
        asked = select(func.min(_V.c.entered_at)).where(where)
        found: datetime | None = self._connection.execute(asked).scalar()
        return found


def _plain(visit: Visit) -> dict[str, Any]:
    values = asdict(visit)
    for name in ("visitors", "met", "told", "problems"):
        values[name] = list(values[name])
    for name in ("mode", "purpose", "standing"):
        values[name] = values[name].value
    return values


def _visit(row: Any) -> Visit:
    values = {k: v for k, v in row._mapping.items() if k not in _SOURCE}
    values["mode"] = Mode(row.mode)
    values["purpose"] = Purpose(row.purpose)
    values["standing"] = Standing(row.standing)
    values["entered_by"] = PersonId(row.entered_by)
    values["enterprise_id"] = EnterpriseId(row.enterprise_id)
    values["problems"] = tuple(TicketNumber(n) for n in row.problems)
    for name in ("visitors", "met", "told"):
        values[name] = tuple(values[name])
    return Visit(**values)
