"""What a handler asked for, and what became of it: read from a ticket's history for its slips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handlers.domain.ticket import Entry, Move

_DECISIONS: Final[Mapping[Move, frozenset[Move]]] = {
    Move.EXTEND: frozenset({Move.EXTEND_APPROVE, Move.EXTEND_REFUSE}),
    # The office decides on what was sent back by what it does with it.
    Move.DECLINE: frozenset({Move.REASSIGN, Move.CLAIM, Move.ANSWER, Move.NOT_ACCEPT}),
}


@dataclass(frozen=True, slots=True)
class Request:
    """The last one of its kind; `until` is the day asked for, `due` the one that held before it."""

    asked: Entry
    due: datetime | None
    until: datetime | None
    decision: Entry | None


def last_request(entries: Sequence[Entry], what: Move) -> Request | None:
    """The last `what` (extend or decline) of a history, with its decision where there is one."""
    due: datetime | None = None
    found: Request | None = None
    for entry in entries:
        if entry.move is what:
            until = _instant(entry, "pending_until") or _instant(entry, "due_resolution")
            found = Request(entry, due, until or _instant(entry, "held_until"), None)
            if "pending_until" not in entry.changes and what is Move.EXTEND:
                # A leader or the office grants without asking: the request is its own decision.
                found = Request(entry, due, found.until, entry)
        elif found is not None and found.decision is None and _decides(entry, what):
            found = Request(found.asked, found.due, found.until, entry)
        due = _instant(entry, "due_resolution") or due
    return found


def _decides(entry: Entry, what: Move) -> bool:
    """By a person: a change of pairings hands over what is open, and decides nothing."""
    return entry.move in _DECISIONS[what] and entry.actor_id is not None


def _instant(entry: Entry, name: str) -> datetime | None:
    value = entry.changes.get(name)
    return None if value is None else datetime.fromisoformat(value)
