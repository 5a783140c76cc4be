"""What reports read: histories of many tickets at once, last contacts; and what they remember."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, or_, select

from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.ticket import LIVE, Entry, Ticket
from handlers.ports import CallBack, Means, Shown
from storage.repos.counters import get_value, set_value
from storage.repos.tickets import entry_from, ticket_of
from storage.tables.people import IdentityRow, PersonRow
from storage.tables.reports import CallBackRow, ShownRow
from storage.tables.tickets import HeardRow, HistoryRow, TicketRow

_T: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_H: Final[Any] = HistoryRow.__table__  # type: ignore[attr-defined]
_I: Final[Any] = IdentityRow.__table__  # type: ignore[attr-defined]
_P: Final[Any] = PersonRow.__table__  # type: ignore[attr-defined]
_M: Final[Any] = HeardRow.__table__  # type: ignore[attr-defined]
_S: Final[Any] = ShownRow.__table__  # type: ignore[attr-defined]
_C: Final[Any] = CallBackRow.__table__  # type: ignore[attr-defined]
_PRACTICE: Final = "sandbox"


class SqlReportStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stories(
        self, since: datetime, until: datetime, real: bool = False
    ) -> tuple[tuple[Ticket, tuple[Entry, ...]], ...]:
        wanted = (_T.c.created_at < until) & or_(
            _T.c.state.in_(sorted(LIVE)),
            _T.c.updated_at >= since,
            _T.c.due_resolution >= since,
            _T.c.due_claim >= since,
        )
        if real and self._sandbox_is_practice():
            wanted &= _T.c.source_platform != _PRACTICE
        tickets = [
            ticket_of(dict(row._mapping))
            for row in self._connection.execute(select(_T).where(wanted).order_by(_T.c.number))
        ]
        entries: dict[int, list[Entry]] = defaultdict(list)
        numbers = select(_T.c.number).where(wanted)
        for row in self._connection.execute(
            select(_H).where(_H.c.number.in_(numbers)).order_by(_H.c.number, _H.c.seq)
        ):
            entries[row.number].append(entry_from(row))
        return tuple((ticket, tuple(entries[ticket.number])) for ticket in tickets)

    def _sandbox_is_practice(self) -> bool:
        """Where somebody speaks through another platform, what is said in the sandbox is a try."""
        other = select(_I.c.person_id).where(_I.c.platform.not_in((_PRACTICE, "api"))).limit(1)
        return self._connection.execute(other).first() is not None

    def opened(self, since: datetime, until: datetime) -> tuple[Ticket, ...]:
        wanted = select(_T).where(_T.c.created_at >= since, _T.c.created_at < until)
        rows = self._connection.execute(wanted.order_by(_T.c.number))
        return tuple(ticket_of(dict(row._mapping)) for row in rows)

    def count_from(self, ticket: Ticket) -> None:
        counted = [("ticket", int(ticket.number))]
        for code in (ticket.code, ticket.supervision_code):
            stem, _, serial = code.rpartition("-")
            if serial.isdigit():
                counted.append((f"code:{stem}", int(serial)))
        for name, value in counted:
            if get_value(self._connection, name) < value:
                set_value(self._connection, name, value)

    def last_contacts(self) -> Mapping[EnterpriseId, datetime]:
        last: dict[EnterpriseId, datetime] = {}

        def contact(firm: str | None, at: datetime | None) -> None:
            if firm is not None and at is not None:
                known = last.get(EnterpriseId(firm))
                last[EnterpriseId(firm)] = at if known is None else max(known, at)

        moved = select(_T.c.enterprise_id, func.max(_T.c.updated_at)).group_by(_T.c.enterprise_id)
        for firm, at in self._connection.execute(moved):
            contact(firm, at)
        accounts = {
            f"{row.platform}:{row.user_id}": row.enterprise_id
            for row in self._connection.execute(
                select(_I.c.platform, _I.c.user_id, _P.c.enterprise_id)
                .join(_P, _P.c.id == _I.c.person_id)
                .where(_P.c.enterprise_id.is_not(None))
            )
        }
        heard = select(_M.c.sender_key, func.max(_M.c.at)).group_by(_M.c.sender_key)
        for key, at in self._connection.execute(heard):
            # platform:user:name, and a user's id may hold a colon itself
            contact(accounts.get(key.rpartition(":")[0]), at)
        return last

    def began(self) -> datetime | None:
        found: datetime | None = self._connection.execute(
            select(func.min(_T.c.created_at))
        ).scalar()
        return found

    def shown(self, person_id: PersonId, kind: str) -> Shown | None:
        row = self._connection.execute(
            select(_S).where(_S.c.person_id == person_id, _S.c.kind == kind)
        ).first()
        return None if row is None else Shown(**row._mapping)

    def show(self, shown: Shown) -> None:
        self._connection.execute(
            delete(_S).where(_S.c.person_id == shown.person_id, _S.c.kind == shown.kind)
        )
        self._connection.execute(
            insert(_S).values(
                person_id=shown.person_id, kind=shown.kind, since=shown.since, at=shown.at
            )
        )

    def call_backs(self, since: datetime, until: datetime) -> tuple[CallBack, ...]:
        return self._calls((_C.c.at >= since) & (_C.c.at < until))

    def called_back(self, number: TicketNumber) -> tuple[CallBack, ...]:
        return self._calls(_C.c.number == number)

    def _calls(self, wanted: Any) -> tuple[CallBack, ...]:
        rows = self._connection.execute(select(_C).where(wanted).order_by(_C.c.id))
        return tuple(
            CallBack(
                TicketNumber(row.number),
                row.cycle,
                row.at,
                PersonId(row.by_whom),
                Means(row.means),
                row.solved,
                row.rating,
                row.said,
                row.reopened,
            )
            for row in rows
        )

    def add_call_back(self, call_back: CallBack) -> None:
        self._connection.execute(
            insert(_C).values(
                number=call_back.number,
                cycle=call_back.cycle,
                at=call_back.at,
                by_whom=call_back.by,
                means=call_back.means.value,
                solved=call_back.solved,
                rating=call_back.rating,
                said=call_back.said,
                reopened=call_back.reopened,
            )
        )
