"""Surveys: a row each, a row for every firm asked, a row for every answer ever given."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, text, update

from handlers.domain.announcement import Audience
from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.survey import (
    Answer,
    Channel,
    Question,
    QuestionKind,
    Survey,
    SurveyState,
    Value,
    Values,
)
from handlers.ports.surveys import Target
from storage.db import Statement
from storage.repos.counters import next_value
from storage.tables.surveys import SurveyAnswerRow, SurveyRow, SurveyTargetRow

_S: Final[Any] = SurveyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_T: Final[Any] = SurveyTargetRow.__table__  # type: ignore[attr-defined]
_A: Final[Any] = SurveyAnswerRow.__table__  # type: ignore[attr-defined]


# Asked for nearly every message of a firm, and nearly always in vain.
_IS_ASKED: Final = Statement(
    text("SELECT 1 FROM survey_targets WHERE enterprise_id = :firm LIMIT 1")
)


class SqlSurveyStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_number(self) -> int:
        return next_value(self._connection, "surveys", 1)

    def add(self, survey: Survey) -> None:
        self._connection.execute(insert(_S).values(_plain(survey)))

    def save(self, survey: Survey) -> None:
        self._connection.execute(
            update(_S).where(_S.c.number == survey.number).values(_plain(survey))
        )

    def get(self, number: int) -> Survey | None:
        # Whoever else answers or closes it waits for our commit (PostgreSQL).
        return self._one(select(_S).where(_S.c.number == number).with_for_update())

    def find(self, number: int) -> Survey | None:
        return self._one(select(_S).where(_S.c.number == number))

    def _one(self, asked: Any) -> Survey | None:
        row = self._connection.execute(asked).first()
        return None if row is None else _survey(row)

    def _all(self, asked: Any) -> tuple[Survey, ...]:
        rows = self._connection.execute(asked.order_by(_S.c.number.desc()))
        return tuple(_survey(row) for row in rows)

    def page(self, limit: int, before: int | None) -> tuple[Survey, ...]:
        asked = select(_S).limit(limit)
        return self._all(asked if before is None else asked.where(_S.c.number < before))

    def open(self) -> tuple[Survey, ...]:
        return self._all(select(_S).where(_S.c.next_at.is_not(None)))

    def opened_since(self, since: datetime) -> tuple[Survey, ...]:
        return self._all(select(_S).where(_S.c.opened_at >= since, _S.c.state.in_(_SENT)))

    def asking(self, enterprise_id: EnterpriseId, since: datetime) -> tuple[Survey, ...]:
        if _IS_ASKED.one(self._connection, {"firm": enterprise_id}) is None:
            return ()
        return self._all(
            select(_S)
            .join(_T, _T.c.survey == _S.c.number)
            .where(
                _T.c.enterprise_id == enterprise_id,
                _S.c.opened_at >= since,
                _S.c.state.in_(_SENT),
            )
        )

    def set_targets(self, number: int, firms: Iterable[EnterpriseId]) -> None:
        self._connection.execute(delete(_T).where(_T.c.survey == number))
        rows = [{"survey": number, "enterprise_id": firm} for firm in sorted(set(firms))]
        if rows:
            self._connection.execute(insert(_T), rows)

    def targets(self, number: int) -> tuple[Target, ...]:
        asked = select(_T).where(_T.c.survey == number).order_by(_T.c.enterprise_id)
        return tuple(
            Target(EnterpriseId(row.enterprise_id), row.reminded_at)
            for row in self._connection.execute(asked)
        )

    def remind(self, number: int, enterprise_id: EnterpriseId, at: datetime) -> bool:
        done = self._connection.execute(
            update(_T)
            .where(
                _T.c.survey == number,
                _T.c.enterprise_id == enterprise_id,
                _T.c.reminded_at.is_(None),
            )
            .values(reminded_at=at)
        )
        return bool(done.rowcount)

    def add_answer(self, answer: Answer) -> int:
        done = self._connection.execute(
            insert(_A)
            .values(
                survey=answer.survey,
                enterprise_id=answer.enterprise_id,
                filled=_values_plain(answer.values),
                at=answer.at,
                by_whom=answer.by,
                by_name=answer.by_name,
                channel=answer.channel.value,
                said=answer.said,
                late=answer.late,
            )
            .returning(_A.c.id)
        )
        return int(done.scalar_one())

    def answers(self, number: int, enterprise_id: EnterpriseId | None = None) -> tuple[Answer, ...]:
        asked = select(_A).where(_A.c.survey == number).order_by(_A.c.at, _A.c.id)
        if enterprise_id is not None:
            asked = asked.where(_A.c.enterprise_id == enterprise_id)
        return tuple(_answer(row) for row in self._connection.execute(asked))

    def due(self, now: datetime) -> tuple[int, ...]:
        asked = select(_S.c.number).where(_S.c.next_at <= now).order_by(_S.c.next_at, _S.c.number)
        return tuple(self._connection.execute(asked).scalars())

    def next_at(self) -> datetime | None:
        asked = select(_S.c.next_at).where(_S.c.next_at.is_not(None)).order_by(_S.c.next_at)
        found: datetime | None = self._connection.execute(asked.limit(1)).scalar()
        return found


_SENT: Final = (SurveyState.OPEN.value, SurveyState.CLOSED.value)


def _plain(survey: Survey) -> dict[str, Any]:
    values = {name: getattr(survey, name) for name in Survey.__dataclass_fields__}
    values["questions"] = [asdict(q) for q in survey.questions]
    values["audience"] = asdict(survey.audience)
    values["state"] = survey.state.value
    values["next_at"] = survey.next_at
    return values


def _survey(row: Any) -> Survey:
    read = dict(row._mapping)
    del read["next_at"]
    read["questions"] = tuple(_question(q) for q in read["questions"])
    read["audience"] = _audience(read["audience"])
    read["state"] = SurveyState(read["state"])
    return Survey(**read)


def _audience(plain: dict[str, Any]) -> Audience:
    lists = {k: tuple(v) for k, v in plain.items() if isinstance(v, list)}
    lists["interests"] = tuple(Category(c) for c in lists["interests"])
    return Audience(plain["everybody"], **lists)


def _question(plain: dict[str, Any]) -> Question:
    return Question(
        plain["name"],
        QuestionKind(plain["kind"]),
        plain["unit"],
        tuple(plain["choices"]),
        tuple(plain["columns"]),
    )


def _values_plain(values: Values) -> list[Any]:
    # A number as text: neither database's JSON may round what was supplied.
    return [
        None
        if v is None
        else {
            "text": v.text,
            "number": None if v.number is None else f"{v.number:f}",
            "about": v.about,
            "rows": [list(r) for r in v.rows],
            "carried": v.carried,
        }
        for v in values
    ]


def _answer(row: Any) -> Answer:
    values = tuple(
        None
        if v is None
        else Value(
            v["text"],
            None if v["number"] is None else Decimal(v["number"]),
            v["about"],
            tuple(tuple(r) for r in v["rows"]),
            v["carried"],
        )
        for v in row.filled
    )
    return Answer(
        row.survey,
        EnterpriseId(row.enterprise_id),
        values,
        row.at,
        None if row.by_whom is None else PersonId(row.by_whom),
        row.by_name,
        Channel(row.channel),
        row.said,
        row.late,
        row.id,
    )
