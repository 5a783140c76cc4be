"""The ledger of tickets: out as rows that people read, back in as equal tickets."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.domain.people import Person, mask_phone
from handlers.domain.ticket import Move, Ticket, changes, entry_of, from_plain
from handlers.ports import Work
from handlers.texts import ledgers as say
from handlers.texts import tickets as tickets_say


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did: how many are new, how many were there, and which rows it left out."""

    taken: int
    same: int
    rejected: tuple[tuple[int, str], ...]


class LedgerService:
    def __init__(self, work: Work) -> None:
        self._work = work

    def rows(self, since: datetime, until: datetime) -> list[dict[str, str]]:
        """The tickets opened in [since, until), oldest first."""
        opened = self._work.reports.opened(since, until)
        return [say.row(masked(t), self.around(t), _record(masked(t))) for t in opened]

    def around(self, ticket: Ticket) -> say.Around:
        people = self._work.people

        def name(person_id: object) -> str:
            person: Person | None = people.person(person_id)  # type: ignore[arg-type]  # or None
            return "" if person is None else person.name

        firm = None if ticket.enterprise_id is None else people.enterprise(ticket.enterprise_id)
        # Whoever was paired when it came in (property 48).
        paired = None if firm is None else people.pairing(firm.id, ticket.created_at)
        others = [name(p) for p in ticket.handlers if p != ticket.owner_id]
        owner = None if ticket.owner_id is None else people.person(ticket.owner_id)
        return say.Around(
            "" if firm is None else firm.short_name,
            "" if firm is None else firm.area,
            None if firm is None else firm.grid,
            "" if paired is None else name(paired.liaison_id),
            "" if paired is None else name(paired.leader_id),
            tickets_say.someone(owner),
            "、".join(n for n in others if n),
        )

    def take(self, rows: Iterable[tuple[int, Mapping[str, str]]]) -> Taken:
        """Read an export back; a ticket that is there already and equal is left alone."""
        taken = same = 0
        rejected: list[tuple[int, str]] = []
        for number, row in rows:
            reason = self._take(row)
            if reason == "":
                taken += 1
            elif reason == "same":
                same += 1
            else:
                rejected.append((number, reason))
        return Taken(taken, same, tuple(rejected))

    def _take(self, row: Mapping[str, str]) -> str:
        record = row.get(say.RECORD, "").strip()
        if not record:
            return "no_record"
        try:
            ticket = from_plain(json.loads(record))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return "bad_record"
        known = self._work.tickets.find(ticket.number)
        if known is not None:
            return "same" if masked(known) == ticket else "there_already"
        if self._work.tickets.by_code(ticket.code) is not None:
            return "there_already"
        firm = ticket.enterprise_id
        if firm is not None and self._work.people.enterprise(firm) is None:
            return "no_firm"
        # Its whole history is that it came in like this, at the instant that it was opened.
        self._work.tickets.add(
            ticket, entry_of(None, ticket, Move.SUBMIT, None, ticket.body, ticket.created_at)
        )
        self._work.reports.count_from(ticket)
        return ""


def masked(ticket: Ticket) -> Ticket:
    """The ticket without anybody's phone, as an export shows it."""
    texts = {
        name: mask_phone(getattr(ticket, name))
        for name in (
            "title", "body", "last_progress", "result", "question", "reason", "pending_reason",
            "pending_told", "reporter_name",
        )
    }  # fmt: skip
    return replace(ticket, **texts)  # type: ignore[arg-type]  # texts all


def _record(ticket: Ticket) -> str:
    return json.dumps(changes(None, ticket), ensure_ascii=False, separators=(",", ":"))
