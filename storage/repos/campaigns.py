"""Campaigns in rows: the marks of a target stand in its row, one for each round."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from handlers.domain.campaign import Campaign, Mark, Target
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.ports.campaigns import Ticking
from storage.tables.campaigns import (
    CampaignRow,
    MilestoneRow,
    TargetRow,
    TargetTicketRow,
    TickingRow,
)

_C: Final[Any] = CampaignRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_T: Final[Any] = TargetRow.__table__  # type: ignore[attr-defined]
_K: Final[Any] = TickingRow.__table__  # type: ignore[attr-defined]
_M: Final[Any] = MilestoneRow.__table__  # type: ignore[attr-defined]
_N: Final[Any] = TargetTicketRow.__table__  # type: ignore[attr-defined]


class SqlCampaignStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, campaign: Campaign) -> Campaign:
        values = _plain(campaign)
        del values["number"]
        asked = insert(_C).values(values).returning(_C.c.number)
        return replace(campaign, number=int(self._connection.execute(asked).scalar_one()))

    def save(self, campaign: Campaign) -> None:
        self._connection.execute(
            update(_C).where(_C.c.number == campaign.number).values(_plain(campaign))
        )

    def get(self, number: int) -> Campaign | None:
        return self._one(_C.c.number == number)

    def named(self, name: str) -> Campaign | None:
        return self._one(_C.c.name == name)

    def _one(self, where: Any) -> Campaign | None:
        row = self._connection.execute(select(_C).where(where)).first()
        return None if row is None else _campaign(row)

    def campaigns(self, ended: bool = False) -> tuple[Campaign, ...]:
        asked = select(_C).order_by(_C.c.number)
        if not ended:
            asked = asked.where(_C.c.ended_at.is_(None))
        return tuple(_campaign(row) for row in self._connection.execute(asked))

    def targets(self, campaign: int) -> tuple[Target, ...]:
        asked = select(_T).where(_T.c.campaign == campaign).order_by(_T.c.id)
        return tuple(_target(row) for row in self._connection.execute(asked))

    def lock(self, campaign: int) -> None:
        # PostgreSQL waits here for the other's commit; SQLite has one writer anyway.
        self._connection.execute(
            select(_C.c.number).where(_C.c.number == campaign).with_for_update()
        )

    def add_targets(self, targets: Sequence[Target]) -> None:
        rows = [{k: v for k, v in _target_plain(t).items() if k != "id"} for t in targets]
        if rows:
            self._connection.execute(insert(_T), rows)

    def save_targets(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._connection.execute(
                update(_T).where(_T.c.id == target.id).values(_target_plain(target))
            )

    def add_ticking(self, ticking: Ticking) -> None:
        self._connection.execute(
            insert(_K).values(
                campaign=ticking.campaign,
                at=ticking.at,
                by_whom=ticking.by,
                before=_marks_by_target(ticking.before),
                after=_marks_by_target(ticking.after),
                undone=False,
            )
        )

    def last_ticking(self, by: PersonId, since: datetime) -> Ticking | None:
        asked = (
            select(_K)
            .where(_K.c.by_whom == by, _K.c.at >= since, _K.c.undone.is_(False))
            .order_by(_K.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(asked).first()
        if row is None:
            return None
        before, after = (
            {int(k): tuple(_mark(m) for m in v) for k, v in side.items()}
            for side in (row.before, row.after)
        )
        return Ticking(row.id, row.campaign, row.at, PersonId(row.by_whom), before, after)

    def undone(self, ticking: Ticking) -> None:
        self._connection.execute(update(_K).where(_K.c.id == ticking.id).values(undone=True))

    def reach(self, campaign: int, key: str, at: datetime) -> bool:
        return self._new(_M, {"campaign": campaign, "key": key, "at": at})

    def add_ticket(self, target: int, number: TicketNumber) -> None:
        self._new(_N, {"target": target, "number": number})

    def _new(self, table: Any, values: Mapping[str, Any]) -> bool:
        """Whether the row was not there: the unique key is the judge."""
        is_postgres = self._connection.dialect.name == "postgresql"
        made: Any = postgresql.insert(table) if is_postgres else sqlite.insert(table)
        column = next(iter(table.primary_key.columns))
        asked = made.values(**values).on_conflict_do_nothing().returning(column)
        return self._connection.execute(asked).first() is not None

    def tickets(self, campaign: int) -> Mapping[int, tuple[TicketNumber, ...]]:
        asked = (
            select(_N.c.target, _N.c.number)
            .join(_T, _T.c.id == _N.c.target)
            .where(_T.c.campaign == campaign)
            .order_by(_N.c.number)
        )
        found: dict[int, list[TicketNumber]] = defaultdict(list)
        for target, number in self._connection.execute(asked):
            found[target].append(TicketNumber(number))
        return {target: tuple(numbers) for target, numbers in found.items()}


def _plain(campaign: Campaign) -> dict[str, Any]:
    values = asdict(campaign)
    for name in ("states", "words", "milestones"):
        values[name] = list(values[name])
    return values


def _campaign(row: Any) -> Campaign:
    values = dict(row._mapping)
    for name in ("states", "words", "milestones"):
        values[name] = tuple(values[name])
    return Campaign(**values)


def _mark_plain(mark: Mark) -> dict[str, Any]:
    values: dict[str, Any] = {"state": mark.state, "done": mark.done}
    if mark.result:
        values["result"] = mark.result
    if mark.at is not None:
        values["at"], values["by"] = mark.at.isoformat(), mark.by
    return values


def _mark(plain: Mapping[str, Any]) -> Mark:
    at, by = plain.get("at"), plain.get("by")
    return Mark(
        plain["state"],
        plain["done"],
        plain.get("result", ""),
        None if at is None else datetime.fromisoformat(at),
        None if by is None else PersonId(by),
    )


def _marks_by_target(marks: Mapping[int, tuple[Mark, ...]]) -> dict[str, Any]:
    return {str(target): [_mark_plain(m) for m in rows] for target, rows in marks.items()}


def _target_plain(target: Target) -> dict[str, Any]:
    values = asdict(target)
    values["part"] = values.pop("group")
    values["marks"] = [_mark_plain(m) for m in target.marks]
    return values


def _target(row: Any) -> Target:
    values = dict(row._mapping)
    values["group"] = values.pop("part")
    values["marks"] = tuple(_mark(m) for m in row.marks)
    firm, owner = row.enterprise_id, row.owner_id
    values["enterprise_id"] = None if firm is None else EnterpriseId(firm)
    values["owner_id"] = None if owner is None else PersonId(owner)
    return Target(**values)
