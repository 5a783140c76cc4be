"""The library of policies: kept in memory with its index until somebody changes it."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from handlers.domain.category import Category
from handlers.domain.errors import StaleEntry
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.policy_library import (
    Answered,
    PolicyEntry,
    PolicyQuestion,
    Standing,
    State,
    Whom,
    standing,
)
from handlers.domain.workdays import SHANGHAI
from handlers.ports.policies import Found, PolicyText
from handlers.understanding.policy_search import Indexed, PolicyIndex
from storage.repos.counters import Versions
from storage.tables.policies import PolicyInterestRow, PolicyQuestionRow, PolicyRow
from storage.tables.tickets import TicketRow

_P: Final[Any] = PolicyRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_Q: Final[Any] = PolicyQuestionRow.__table__  # type: ignore[attr-defined]
_I: Final[Any] = PolicyInterestRow.__table__  # type: ignore[attr-defined]
_T: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]
_KIND: Final = "policies"
_TEXTS: Final = 2


@dataclass(frozen=True, slots=True)
class _Held:
    """The library of one version, ready to be searched."""

    version: int
    entries: dict[int, PolicyEntry]
    index: PolicyIndex


@dataclass(slots=True)
class LibraryCache:
    """One assignment: readers share it with other threads."""

    held: _Held | None = None


class SqlPolicyStore:
    def __init__(
        self,
        connection: Connection,
        cache: LibraryCache,
        versions: Versions,
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._cache = cache
        self._versions = versions
        self._now = now

    # ---- entries

    def _library(self) -> _Held:
        version = self._versions.of(self._connection, _KIND)
        held = self._cache.held
        if held is None or held.version != version:
            rows = self._connection.execute(select(_P).order_by(_P.c.id.desc()))
            entries = {row.id: _entry(row) for row in rows}
            approved = [e for e in entries.values() if e.state is State.APPROVED]
            held = _Held(version, entries, PolicyIndex(map(_indexed, approved)))
            self._cache.held = held
        return held

    def get(self, policy_id: int) -> PolicyEntry | None:
        return self._library().entries.get(policy_id)

    def all(self) -> tuple[PolicyEntry, ...]:
        return tuple(self._library().entries.values())

    def add(self, entry: PolicyEntry) -> PolicyEntry:
        values = _plain(entry)
        del values["id"]
        done = self._connection.execute(insert(_P).values(values).returning(_P.c.id))
        self._versions.change(self._connection, _KIND)
        return replace(entry, id=int(done.scalar_one()))

    def save(self, entry: PolicyEntry) -> None:
        done = self._connection.execute(
            update(_P)
            .where((_P.c.id == entry.id) & (_P.c.version == entry.version - 1))
            .values(_plain(entry))
        )
        if done.rowcount != 1:
            raise StaleEntry(entry.id)
        self._versions.change(self._connection, _KIND)

    # ---- searching

    def search(self, question: str, today: date, most: int = 3) -> tuple[Found, ...]:
        held = self._library()
        return tuple(
            Found(held.entries[hit.key], hit.passage, hit.answers, hit.confidence)
            for hit in held.index.find(question, today, most)
        )

    def about(self, question: str) -> tuple[PolicyText, ...]:
        today = self._now().astimezone(SHANGHAI).date()
        found = []
        for one in self.search(question, today, _TEXTS):
            entry = one.entry
            if one.sure and entry.day and self._standing(entry, today) is Standing.HOLDS:
                found.append(PolicyText(entry.title, entry.day, entry.text or entry.summary))
        return tuple(found)

    def _standing(self, entry: PolicyEntry, today: date) -> Standing:
        successor = None if entry.superseded_by is None else self.get(entry.superseded_by)
        return standing(entry, today, successor)

    # ---- what was asked

    def note(self, question: PolicyQuestion) -> None:
        values = asdict(question)
        del values["id"]
        values["outcome"] = question.outcome.value
        self._connection.execute(insert(_Q).values(values))

    def outcome(self, ticket: TicketNumber, outcome: Answered) -> None:
        self._connection.execute(
            update(_Q).where(_Q.c.ticket == ticket).values(outcome=outcome.value)
        )

    def asked(
        self, since: datetime, until: datetime, outcomes: Collection[Answered]
    ) -> tuple[PolicyQuestion, ...]:
        hidden = select(_T.c.number).where(_T.c.confidential)
        rows = self._connection.execute(
            select(_Q)
            .where((_Q.c.at >= since) & (_Q.c.at < until))
            .where(_Q.c.outcome.in_([o.value for o in outcomes]))
            .where(_Q.c.ticket.is_(None) | _Q.c.ticket.not_in(hidden))
            .order_by(_Q.c.id)
        )
        return tuple(map(_question, rows))

    def question_of(self, ticket: TicketNumber) -> PolicyQuestion | None:
        row = self._connection.execute(
            select(_Q).where(_Q.c.ticket == ticket).order_by(_Q.c.id.desc()).limit(1)
        ).first()
        return None if row is None else _question(row)

    # ---- who looked at what

    def interested(self, policy_id: int) -> tuple[PersonId, ...]:
        rows = self._connection.execute(
            select(_I.c.person_id).where(_I.c.policy_id == policy_id).order_by(_I.c.person_id)
        )
        return tuple(PersonId(row[0]) for row in rows)

    def opened(self, policy_id: int, person_id: PersonId, at: datetime) -> None:
        key = (_I.c.policy_id == policy_id) & (_I.c.person_id == person_id)
        if self._connection.execute(select(_I.c.at).where(key)).first() is None:
            self._connection.execute(
                insert(_I).values(policy_id=policy_id, person_id=person_id, at=at)
            )


def _plain(entry: PolicyEntry) -> dict[str, Any]:
    values = asdict(entry)
    values["state"] = entry.state.value
    values["category"] = None if entry.category is None else entry.category.value
    for name in ("keywords", "attachments"):
        values[name] = list(values[name])
    return values


_LISTS: Final = ("industries", "scales", "areas", "tags")


def _entry(row: Any) -> PolicyEntry:
    values = dict(row._mapping)
    whom: dict[str, Any] = {n: tuple(v) if n in _LISTS else v for n, v in values["whom"].items()}
    return PolicyEntry(
        **{
            **values,
            "whom": Whom(**whom),
            "keywords": tuple(values["keywords"]),
            "attachments": tuple(values["attachments"]),
            "state": State(values["state"]),
            "category": None if values["category"] is None else Category(values["category"]),
        }
    )


def _indexed(entry: PolicyEntry) -> Indexed:
    return Indexed(
        entry.id,
        entry.title,
        entry.number,
        f"{entry.summary} {entry.benefit}",
        f"{entry.text}\n{entry.materials}",
        f"{' '.join(entry.keywords)} {entry.whom.words}",
        entry.category,
        entry.valid_from,
        entry.expires_on,
        entry.superseded_by,
    )


def _question(row: Any) -> PolicyQuestion:
    return PolicyQuestion(
        row.at,
        row.text,
        Answered(row.outcome),
        None if row.person_id is None else PersonId(row.person_id),
        None if row.enterprise_id is None else EnterpriseId(row.enterprise_id),
        None if row.ticket is None else TicketNumber(row.ticket),
        row.policy_id,
        row.id,
    )
