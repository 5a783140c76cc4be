"""What people put right, as labelled examples for training; and the office's own words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from handlers.ports import Correction, CorrectionKind, Gathered, Labels, WordRow
from storage.repos.counters import Versions, get_value, set_value
from storage.tables.corrections import CorrectionRow
from storage.tables.corrections import WordRow as WordTableRow
from storage.tables.tickets import TicketRow

_MADE: Final[Any] = CorrectionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_WORD: Final[Any] = WordTableRow.__table__  # type: ignore[attr-defined]
_TICKET: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]

_TRAINED: Final = "corrections:trained"
NOTHING: Final = "none"
# The corpus knows five roles; the office's others speak like one of them.
_ROLES: Final[Mapping[str, str]] = {
    "manager": "manager",
    "liaison": "liaison",
    "grid_chief": "liaison",
    "grid_member": "liaison",
    "office": "office",
    "chief": "leader",
    "leader": "leader",
    "area_head": "leader",
    "department": "department",
}


class SqlCorrectionStore:
    """A message may be put right more than once: what was said of it last is what holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, correction: Correction) -> None:
        self._connection.execute(
            insert(_MADE).values(
                at=correction.at,
                kind=correction.kind.value,
                platform=correction.platform,
                message_id=correction.message_id,
                part=correction.part,
                number=correction.number,
                text=correction.text,
                role=correction.role,
                msg_type=correction.msg_type,
                was_read=asdict(correction.read),
                correct=asdict(correction.right),
                by_whom=correction.by,
            )
        )

    def all(self) -> tuple[Correction, ...]:
        """In the order they were made."""
        rows = self._connection.execute(select(_MADE).order_by(_MADE.c.id))
        return tuple(_correction(row) for row in rows)

    def _newest(self, threads: bool = False) -> list[tuple[Correction, Correction]]:
        """The first and the last correction of each message's part, but for confidential ones.

        Of messages with the same words the one put right last holds. Without `threads` what was
        joined to another ticket is left out: a label that no text tells alone.
        """
        hidden = select(_TICKET.c.number).where(_TICKET.c.confidential)
        rows = self._connection.execute(
            select(_MADE)
            .where(_MADE.c.number.is_(None) | _MADE.c.number.not_in(hidden))
            .order_by(_MADE.c.id)
        )
        found: dict[tuple[str, str, int], tuple[Correction, Correction]] = {}
        for row in rows:
            made = _correction(row)
            key = (made.platform, made.message_id, made.part)
            first, _ = found.get(key, (made, made))
            found[key] = (first, made)
        held = {}
        for first, last in sorted(found.values(), key=lambda pair: pair[1].id):
            if last.text.strip() and (threads or last.kind is not CorrectionKind.JOINED):
                held[(last.text, last.role)] = (first, last)
        return sorted(held.values(), key=lambda pair: pair[1].id)

    def examples(self, threads: bool = False) -> list[dict[str, Any]]:
        """One row a message, as the corpus has them (docs/understanding.md), oldest first."""
        return [_example(first, last) for first, last in self._newest(threads)]

    def trained(self) -> int:
        """The newest correction that the model in use has learned from."""
        return get_value(self._connection, _TRAINED)

    def mark_trained(self, upto: int) -> None:
        """A model was built from every correction up to this id."""
        set_value(self._connection, _TRAINED, upto)

    def newest_id(self) -> int:
        found = self._connection.execute(
            select(_MADE.c.id).order_by(_MADE.c.id.desc()).limit(1)
        ).scalar()
        return int(found or 0)

    def gathered(self) -> Gathered:
        """What is new since the model in use was built."""
        since = self.trained()
        fresh = [(first, last) for first, last in self._newest() if last.id > since]
        pairs: Counter[tuple[str, str]] = Counter()
        for first, last in fresh:
            read, right = _outcome(first.read), _outcome(last.right)
            if read != right:
                pairs[(read, right)] += 1
            elif first.read.urgency != last.right.urgency:
                pairs[(first.read.urgency or NOTHING, last.right.urgency or NOTHING)] += 1
        if not pairs:
            return Gathered(len(fresh))
        pair, count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        return Gathered(len(fresh), pair, count)


def _outcome(labels: Labels) -> str:
    """What would be done with such a message: the category of its ticket, or nothing."""
    return (labels.category or NOTHING) if labels.is_ticket else NOTHING


def _correction(row: Any) -> Correction:
    return Correction(
        row.at,
        CorrectionKind(row.kind),
        row.platform,
        row.message_id,
        row.part,
        row.number,
        row.text,
        row.role,
        row.msg_type,
        Labels(**row.was_read),
        Labels(**row.correct),
        row.by_whom,
        row.id,
    )


def _example(first: Correction, last: Correction) -> dict[str, Any]:
    right = last.right
    item = {"category": right.category, "urgency": right.urgency, "expected_title": None}
    return {
        "id": f"c{last.id:05}",
        "role": _ROLES.get(last.role, "manager"),
        "sender": "",
        "msg_type": last.msg_type,
        "text": last.text,
        "intent": right.intent,
        "category": right.category,
        "urgency": right.urgency if right.is_ticket else None,
        "enterprise": right.enterprise,
        "enterprise_in_text": None,
        "is_ticket": bool(right.is_ticket),
        "ticket_kind": _kind(right),
        "expected_title": None,
        "items": [item] if right.is_ticket else [],
        "action": None,
        "ref_id": right.ref,
        "rating": None,
        "survey_numbers": None,
        # Beside the corpus's own fields: how the row came about.
        "correction": last.kind.value,
        "read": asdict(first.read),
        "by": last.by,
        "at": last.at.isoformat(),
    }


def _kind(right: Labels) -> str | None:
    if not right.is_ticket:
        return None
    return {"policy_question": "consult", "visit_log": "visit"}.get(right.intent, "request")


@dataclass(slots=True)
class WordCache:
    """The office's words of one version; they are asked for with every message."""

    held: tuple[int, tuple[WordRow, ...]] | None = None


class SqlWordStore:
    def __init__(self, connection: Connection, cache: WordCache, versions: Versions) -> None:
        self._connection = connection
        self._cache = cache
        self._versions = versions

    def version(self) -> int:
        return self._versions.of(self._connection, "words")

    def rows(self) -> tuple[WordRow, ...]:
        version = self.version()
        held = self._cache.held
        if held is not None and held[0] == version:
            return held[1]
        rows = tuple(
            WordRow(row.word, row.category, row.weight, row.by_whom, row.at)
            for row in self._connection.execute(
                select(_WORD).order_by(_WORD.c.category, _WORD.c.word)
            )
        )
        # One assignment: readers share the cache with other threads.
        self._cache.held = (version, rows)
        return rows

    def save(self, row: WordRow) -> None:
        values = {"weight": row.weight, "by_whom": row.by, "at": row.at}
        where = (_WORD.c.word == row.word) & (_WORD.c.category == row.category)
        if self._connection.execute(update(_WORD).where(where).values(values)).rowcount == 0:
            self._connection.execute(
                insert(_WORD).values(word=row.word, category=row.category, **values)
            )
        self._versions.change(self._connection, "words")

    def drop(self, word: str, category: str) -> bool:
        done = self._connection.execute(
            delete(_WORD).where(_WORD.c.word == word, _WORD.c.category == category)
        )
        if done.rowcount == 0:
            return False
        self._versions.change(self._connection, "words")
        return True
