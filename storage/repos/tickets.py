"""Tickets, their history and messages: row <-> value, save with version check, named queries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from handlers.chat.events import Attachment, AttachmentKind
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import StaleVersion, UnknownTicket
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.ladder import first_due, rungs, unfired
from handlers.domain.policy import DEFAULT, Policy
from handlers.domain.ticket import (
    LIVE,
    Channel,
    Entry,
    Kind,
    Move,
    Source,
    State,
    Ticket,
    Verdict,
)
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Firing, Page, TicketMessage, TicketQuery
from storage.db import RowReader, Statement, read_instant
from storage.repos import search
from storage.repos.attachments import note
from storage.repos.counters import next_two, next_value
from storage.tables.people import EnterpriseRow, PairingRow
from storage.tables.tickets import FiringRow, HistoryRow, TicketLinkRow, TicketMessageRow, TicketRow
from storage.turns import Turn

_T: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_H: Final[Any] = HistoryRow.__table__  # type: ignore[attr-defined]
_M: Final[Any] = TicketMessageRow.__table__  # type: ignore[attr-defined]
_E: Final[Any] = EnterpriseRow.__table__  # type: ignore[attr-defined]
_P: Final[Any] = PairingRow.__table__  # type: ignore[attr-defined]
_F: Final[Any] = FiringRow.__table__  # type: ignore[attr-defined]
_L: Final[Any] = TicketLinkRow.__table__  # type: ignore[attr-defined]

_PLAIN: Final = tuple(
    f.name for f in fields(Ticket) if f.name not in ("source", "paused", "handlers")
)
_ENUMS: Final[Mapping[str, Any]] = {
    "category": Category,
    "urgency": Urgency,
    "kind": Kind,
    "state": State,
}
_plain_values: Final = attrgetter(*_PLAIN)
_CASTS: Final = tuple((name, _ENUMS.get(name)) for name in _PLAIN)

# In the order of a ticket's fields, the first column of its source in the place of that; the
# others stand at the end.
_IN_ORDER: Final = tuple(
    "source_platform" if f.name == "source" else f.name for f in fields(Ticket)
)
_SOURCE: Final = _IN_ORDER.index("source_platform")
_READER: Final = RowReader(
    [_T.c[n] for n in (*_IN_ORDER, "source_chat", "source_message", "source_channel")],
    {
        "paused": lambda seconds: timedelta(seconds=seconds),
        "handlers": tuple,
        # A table is sooner asked than an enumeration.
        **{
            n: {e.value: e for e in kind}.__getitem__
            for n, kind in (*_ENUMS.items(), ("verdict", Verdict))
        },
    },
)
_INSERT: Final = Statement(insert(_T))
_ADD_ENTRY: Final = Statement(insert(_H))
_ADD_MESSAGE: Final = Statement(
    insert(_M).values({c.name: bindparam(c.name) for c in _M.columns if c.name != "id"})
)


_FIRE: Final = Statement(
    text(
        "INSERT INTO firings (number, cycle, clock, since, level, planned_at, fired_at) "
        "VALUES (:number, :cycle, :clock, :since, :level, :planned_at, :fired_at) "
        "ON CONFLICT DO NOTHING"
    ).bindparams(*(bindparam(n, type_=_F.c[n].type) for n in ("since", "planned_at", "fired_at")))
)
_FIRED: Final = Statement(
    text("SELECT clock, since, level FROM firings WHERE number = :n AND cycle = :c")
)
_RESCHEDULE: Final = Statement(
    text("UPDATE tickets SET next_due_at = :at WHERE number = :n").bindparams(
        bindparam("at", type_=_T.c.next_due_at.type)
    )
)
_DUE: Final = (
    "SELECT number FROM tickets WHERE next_due_at IS NOT NULL AND next_due_at <= :now "
    "ORDER BY next_due_at LIMIT :limit"
)
_DUE_HERE: Final = Statement(text(_DUE).bindparams(bindparam("now", type_=_T.c.next_due_at.type)))
_DUE_ELSEWHERE: Final = Statement(
    # Two processes share what is due: each ticket goes to one of them.
    text(f"{_DUE} FOR UPDATE SKIP LOCKED").bindparams(bindparam("now", type_=_T.c.next_due_at.type))
)
_NEXT_DUE: Final = Statement(
    text("SELECT MIN(next_due_at) FROM tickets WHERE next_due_at IS NOT NULL")
)


_SOURCE_COLUMNS: Final = ("source_platform", "source_chat", "source_message", "source_channel")


def _late(now: datetime) -> dict[str, ColumnElement[bool]]:
    """Which clock is past due, as `handlers.domain.ticket.overdue` counts it."""
    column = _T.c
    at = func.coalesce(column.paused_since, now)
    return {
        "claim": column.claimed_at.is_(None) & (column.due_claim < now),
        "first_reply": column.first_reply_at.is_(None) & (column.due_first_reply < now),
        "progress": column.due_progress < at,
        "resolution": column.due_resolution < at,
    }


@cache
def _update(changed: frozenset[str]) -> Statement:
    """Writes the fields that a move changed: each column that is written costs its indexes."""
    names = {"version", "updated_at", "next_due_at", *changed} - {"number", "source"}
    if "source" in changed:
        names.update(_SOURCE_COLUMNS)
    return Statement(
        update(_T)
        .where(_T.c.number == bindparam("at_number"), _T.c.version == bindparam("at_version"))
        .values({name: bindparam(name) for name in sorted(names)})
    )


def _values(ticket: Ticket, at: datetime) -> dict[str, Any]:
    values: dict[str, Any] = dict(zip(_PLAIN, _plain_values(ticket), strict=True))
    values["paused"] = ticket.paused.total_seconds()
    values["handlers"] = list(ticket.handlers)
    source = ticket.source
    # A ticket without a message of its own must not collide with its like.
    values["source_platform"] = source.platform
    values["source_chat"] = source.chat
    values["source_message"] = source.message_id or f"-{ticket.number}"
    values["source_channel"] = source.channel.value
    values["updated_at"] = at
    return values


def _ticket(row: Row[Any]) -> Ticket:
    return ticket_of(dict(row._mapping))


def ticket_of(read: Mapping[str, Any]) -> Ticket:
    values: dict[str, Any] = {
        name: read[name] if cast is None else cast(read[name]) for name, cast in _CASTS
    }
    values["verdict"] = None if read["verdict"] is None else Verdict(read["verdict"])
    values["paused"] = timedelta(seconds=read["paused"])
    values["handlers"] = tuple(read["handlers"])
    values["source"] = _source(
        read["source_platform"],
        read["source_chat"],
        read["source_message"],
        read["source_channel"],
    )
    return Ticket(**values)


def _source(platform: str, chat: str, message: str, channel: str) -> Source:
    return Source(platform, chat, "" if message.startswith("-") else message, Channel(channel))


def _ticket_in(row: Sequence[Any]) -> Ticket:
    """The ticket in a row of the driver's own, of the columns that `_READER` selects."""
    *values, chat, message, channel = _READER.values(row)
    values[_SOURCE] = _source(values[_SOURCE], chat, message, channel)
    return Ticket(*values)


def entry_from(row: Row[Any]) -> Entry:
    return Entry(
        TicketNumber(row.number),
        row.seq,
        row.at,
        Move(row.move),
        row.actor_id,
        row.actor_name,
        row.text,
        None if row.from_state is None else State(row.from_state),
        State(row.to_state),
        row.changes,
    )


def attachments_to_plain(attachments: tuple[Attachment, ...]) -> list[Any]:
    return [[a.kind.value, a.url, a.name] for a in attachments]


def attachments_from_plain(plain: list[Any]) -> tuple[Attachment, ...]:
    return tuple(Attachment(AttachmentKind(k), url, name) for k, url, name in plain)


def escaped(text: str) -> str:
    """A LIKE pattern for a literal text; the escape character is a backslash."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


# A version of a ticket; it never changes once it is committed.
Version: TypeAlias = tuple[TicketNumber, int]


class TicketCache:
    """The versions of tickets that were looked at last, so that a chat's rows are read once.

    Holds nothing that is not committed: what a transaction writes is its own until then.
    """

    __slots__ = ("_newer", "_older")

    def __init__(self) -> None:
        self._newer: dict[Version, Ticket] = {}
        self._older: dict[Version, Ticket] = {}

    def get(self, version: Version) -> Ticket | None:
        return self._newer.get(version) or self._older.get(version)

    def keep(self, seen: Mapping[Version, Ticket]) -> None:
        """Whoever is not seen for so many others is forgotten."""
        self._newer.update(seen)
        if len(self._newer) > _REMEMBERED:
            self._older, self._newer = self._newer, {}


_REMEMBERED: Final = 300
# So many are read one by one; more by one statement, with those that are known.
_FEW: Final = 2


class SqlTicketStore:
    """`calendar` and `policy` are what the time of a ticket's next rung is worked out by.

    `numbers`: the connection that running numbers are taken over. `cache`, `seen`: the committed
    versions that are known, and those that this transaction wrote or looked at.
    """

    def __init__(
        self,
        connection: Connection,
        calendar: Callable[[], WorkCalendar],
        policy: Callable[[], Policy] = lambda: DEFAULT,
        opened: list[TicketNumber] | None = None,
        turn: Turn | None = None,
        numbers: Connection | None = None,
        cache: TicketCache | None = None,
        seen: dict[Version, Ticket] | None = None,
    ) -> None:
        self._connection = connection
        self._turn = turn or Turn()
        self._numbers = numbers or connection
        self._calendar = calendar
        self._policy = policy
        # Told to whoever wants to know after the commit.
        self._opened = [] if opened is None else opened
        # Which of the tickets written in this unit of work are confidential.
        self._written: dict[TicketNumber, bool] = {}
        self._cache = cache or TicketCache()
        self._seen = {} if seen is None else seen

    def next_number(self, kind: str) -> tuple[TicketNumber, int]:
        """The running number, which begins at 1001, and the next one of its kind of code."""
        number, code = next_two(self._numbers, "ticket", 1001, f"code:{kind}", 1)
        return TicketNumber(number), code

    def next_code(self, kind: str) -> int:
        return next_value(self._numbers, f"code:{kind}", 1)

    def add(self, ticket: Ticket, entry: Entry) -> None:
        values = _values(ticket, entry.at)
        values["next_due_at"] = first_due(ticket, self._calendar(), self._policy())
        _INSERT.run(self._connection, values)
        self._written[ticket.number] = ticket.confidential
        self._seen[ticket.number, ticket.version] = ticket
        self._add_entry(entry)
        self._opened.append(ticket.number)

    def save(self, ticket: Ticket, entry: Entry) -> None:
        if "title" in entry.changes:
            self._retitled(ticket)
        values = _values(ticket, entry.at)
        values["at_number"] = ticket.number
        values["at_version"] = ticket.version - 1
        values["next_due_at"] = self._next_rung(ticket, entry.at)
        written = _update(frozenset(entry.changes)).run(self._connection, values)
        if written.rowcount != 1:
            # Where another process was quicker by a moment, nobody's view was old: try again.
            self._turn.give_way()
            raise StaleVersion(ticket.number, self.get(ticket.number).version)
        self._written[ticket.number] = ticket.confidential
        self._seen[ticket.number, ticket.version] = ticket
        self._add_entry(entry)

    def _retitled(self, ticket: Ticket) -> None:
        """The search index knows the former title's words."""
        before = self.get(ticket.number)
        search.index_again(
            self._connection,
            ticket.number,
            search.searched(before.title, before.body, before.code),
            search.searched(ticket.title, ticket.body, ticket.code),
        )

    def _add_entry(self, entry: Entry) -> None:
        _ADD_ENTRY.run(
            self._connection,
            {
                "number": entry.number,
                "seq": entry.seq,
                "at": entry.at,
                "move": entry.move.value,
                "actor_id": entry.actor_id,
                "actor_name": entry.actor_name,
                "text": entry.text,
                "from_state": None if entry.from_state is None else entry.from_state.value,
                "to_state": entry.to_state.value,
                "changes": entry.changes,
            },
        )

    # ---- the ladder

    def _next_rung(self, ticket: Ticket, now: datetime) -> datetime | None:
        found = rungs(ticket, self._calendar(), self._policy())
        if not found or found[0].at > now:
            # One that lies ahead has hardly fired; the sweep would find that out and go on.
            return found[0].at if found else None
        fired = self.fired(ticket.number, ticket.cycle)
        return next((rung.at for rung in unfired(found, fired)), None)

    def due(self, now: datetime, limit: int) -> tuple[TicketNumber, ...]:
        here = self._connection.dialect.name == "sqlite"
        statement = _DUE_HERE if here else _DUE_ELSEWHERE
        rows = statement.run(self._connection, {"now": now, "limit": limit}).fetchall()
        return tuple(TicketNumber(row[0]) for row in rows)

    def next_due(self) -> datetime | None:
        row = _NEXT_DUE.one(self._connection, {})
        return None if row is None or row[0] is None else read_instant(row[0])

    def fire(self, firing: Firing) -> bool:
        values = {f.name: getattr(firing, f.name) for f in fields(Firing)}
        return bool(_FIRE.run(self._connection, values).rowcount == 1)

    def fired(self, number: TicketNumber, cycle: int) -> frozenset[tuple[str, datetime, int]]:
        rows = _FIRED.run(self._connection, {"n": number, "c": cycle}).fetchall()
        return frozenset((row[0], read_instant(row[1]), row[2]) for row in rows)

    def put_off(self, number: TicketNumber, until: datetime) -> None:
        _RESCHEDULE.run(self._connection, {"at": until, "n": number})

    def reschedule(self, ticket: Ticket) -> None:
        found = rungs(ticket, self._calendar(), self._policy())
        fired = self.fired(ticket.number, ticket.cycle)
        at = next((rung.at for rung in unfired(found, fired)), None)
        _RESCHEDULE.run(self._connection, {"at": at, "n": ticket.number})

    def get(self, number: TicketNumber) -> Ticket:
        ticket = self.find(number)
        if ticket is None:
            raise UnknownTicket(number)
        return ticket

    def find(self, number: TicketNumber) -> Ticket | None:
        row = _FIND.one(self._connection, {"n": number})
        return None if row is None else _ticket_in(row)

    def by_code(self, code: str) -> Ticket | None:
        row = self._connection.execute(select(_T).where(_T.c.code == code)).first()
        return None if row is None else _ticket(row)

    def by_source(self, platform: str, message_id: str) -> tuple[Ticket, ...]:
        return self._all(
            select(_T).where(_T.c.source_platform == platform, _T.c.source_message == message_id)
        )

    def _all(self, statement: Any) -> tuple[Ticket, ...]:
        rows = self._connection.execute(statement.order_by(_T.c.number.desc()).limit(500))
        return tuple(_ticket(row) for row in rows)

    def search(self, query: TicketQuery) -> Page[Ticket]:
        wanted = select(_T)
        if query.states:
            wanted = wanted.where(_T.c.state.in_(sorted(query.states)))
        for column, value in (
            (_T.c.enterprise_id, query.enterprise_id),
            (_T.c.owner_id, query.owner_id),
            (_T.c.reporter_id, query.reporter_id),
            (_T.c.category, query.category),
            (_T.c.urgency, query.urgency),
        ):
            if value:
                wanted = wanted.where(column == value)
        if query.at_duty_desk:
            wanted = wanted.where(_T.c.owner_id.is_(None))
        if query.source is not None:
            platform, message_id = query.source
            wanted = wanted.where(
                _T.c.source_platform == platform, _T.c.source_message == message_id
            )
        if query.updated_since is not None:
            wanted = wanted.where(_T.c.updated_at >= query.updated_since)
        if query.created_since is not None:
            wanted = wanted.where(_T.c.created_at >= query.created_since)
        if query.overdue_at is not None:
            late = _late(query.overdue_at)
            wanted = wanted.where(
                _T.c.state.in_(sorted(LIVE)),
                late[query.overdue_of] if query.overdue_of else or_(*late.values()),
            )
        if query.cursor:
            wanted = wanted.where(_T.c.number < int(query.cursor))
        rows: Mapping[int, Row[Any]] = {
            row.number: row
            for part in self._parts(wanted, query.text.strip().lstrip("#"))
            for row in self._connection.execute(
                part.order_by(_T.c.number.desc()).limit(query.limit + 1)
            )
        }
        newest = sorted(rows, reverse=True)
        items = tuple(_ticket(rows[number]) for number in newest[: query.limit])
        more = str(items[-1].number) if len(newest) > query.limit else None
        return Page(items, more)

    def _parts(self, wanted: Select[Any], words: str) -> list[Select[Any]]:
        """`wanted` narrowed to what holds `words`, in parts that an index can answer each."""
        if not words:
            return [wanted]
        like = escaped(words)
        said = or_(*(c.ilike(like, escape="\\") for c in (_T.c.title, _T.c.body, _T.c.code)))
        firms = select(_E.c.id).where(
            or_(*(c.ilike(like, escape="\\") for c in (_E.c.short_name, _E.c.full_name)))
        )
        parts = [wanted.where(_T.c.enterprise_id.in_(firms))]
        if len(words) < 2:
            parts.append(wanted.where(said))
        else:
            parts.append(search.indexed(self._connection, wanted, words).where(said))
            parts.append(wanted.where(_T.c.number > search.mark(self._connection), said))
        if words.isdecimal() and len(words) < 10:
            parts.append(wanted.where(_T.c.number == int(words)))
        return parts

    def of_manager(
        self, person_id: PersonId, enterprise_id: EnterpriseId | None, states: frozenset[State]
    ) -> tuple[Ticket, ...]:
        """What somebody reported, and the tickets of a firm; cheap where there are none."""
        asked = {"person": person_id, "firm": enterprise_id}
        return self._where("(enterprise_id = :firm OR reporter_id = :person)", asked, states)

    def handled_by(self, person_id: PersonId, states: frozenset[State]) -> tuple[Ticket, ...]:
        return self._where("owner_id = :person", {"person": person_id}, states)

    def _where(
        self, condition: str, asked: Mapping[str, Any], states: frozenset[State]
    ) -> tuple[Ticket, ...]:
        versions = _versions_where(condition, states).run(self._connection, asked).fetchall()
        known = {version: self._known(version) for version in versions}
        missing = [version for version, ticket in known.items() if ticket is None]
        if len(missing) > _FEW:
            rows = _all_where(condition, states).run(self._connection, asked).fetchall()
            found = tuple(_ticket_in(row) for row in rows)
        else:
            found = tuple(ticket or self.get(v[0]) for v, ticket in known.items())
        self._seen.update({(t.number, t.version): t for t in found})
        return found

    def _known(self, version: Version) -> Ticket | None:
        return self._seen.get(version) or self._cache.get(version)

    def alike(
        self, enterprise_id: EnterpriseId, category: Category, since: datetime
    ) -> tuple[tuple[TicketNumber, str], ...]:
        rows = _ALIKE.run(
            self._connection, {"e": enterprise_id, "c": category.value, "since": since}
        ).fetchall()
        return tuple((TicketNumber(row[0]), row[1]) for row in rows)

    def is_confidential(self, number: TicketNumber) -> bool:
        if number in self._written:
            return self._written[number]
        row = _CONFIDENTIAL.one(self._connection, {"n": number})
        return row is not None and bool(row[0])

    def at_duty_desk(self, states: frozenset[State]) -> tuple[Ticket, ...]:
        return self._all(select(_T).where(_T.c.owner_id.is_(None), _T.c.state.in_(sorted(states))))

    def pending_for(self, person_id: PersonId) -> tuple[Ticket, ...]:
        return self._all(select(_T).where(_T.c.pending_owner_id == person_id))

    def led_by(self, leader_id: PersonId, states: frozenset[State]) -> tuple[Ticket, ...]:
        firms = select(_P.c.enterprise_id).where(
            _P.c.leader_id == leader_id, _P.c.ends_at.is_(None)
        )
        return self._all(
            select(_T).where(_T.c.enterprise_id.in_(firms), _T.c.state.in_(sorted(states)))
        )

    def of_firms(
        self, firms: Sequence[EnterpriseId], states: frozenset[State]
    ) -> tuple[Ticket, ...]:
        return self._all(
            select(_T).where(_T.c.enterprise_id.in_(firms), _T.c.state.in_(sorted(states)))
        )

    def referred_to(self, department: str, states: frozenset[State]) -> tuple[Ticket, ...]:
        return self._all(
            select(_T).where(
                _T.c.department == department,
                _T.c.department != "",
                _T.c.state.in_(sorted(states)),
            )
        )

    def history(self, number: TicketNumber) -> tuple[Entry, ...]:
        rows = self._connection.execute(select(_H).where(_H.c.number == number).order_by(_H.c.seq))
        return tuple(entry_from(row) for row in rows)

    def messages(self, number: TicketNumber) -> tuple[TicketMessage, ...]:
        rows = self._connection.execute(select(_M).where(_M.c.number == number).order_by(_M.c.id))
        return tuple(
            TicketMessage(
                row.at,
                row.sender_id,
                row.sender_name,
                row.text,
                row.platform,
                row.chat,
                row.message_id,
                attachments_from_plain(row.attachments),
                row.id,
            )
            for row in rows
        )

    def add_message(self, number: TicketNumber, message: TicketMessage) -> None:
        _ADD_MESSAGE.run(
            self._connection,
            {
                "number": number,
                "at": message.at,
                "sender_id": message.sender_id,
                "sender_name": message.sender_name,
                "text": message.text,
                "platform": message.platform,
                "chat": message.chat,
                "message_id": message.message_id,
                "attachments": attachments_to_plain(message.attachments),
            },
        )
        if message.attachments:
            note(self._connection, number, message.platform, message.attachments)

    def move_messages(self, source: TicketNumber, target: TicketNumber) -> None:
        # Copied, not moved: the messages of a merge that is undone must still be there.
        for message in self.messages(source):
            self.add_message(target, message)

    def links(self, number: TicketNumber) -> tuple[TicketNumber, ...]:
        rows = self._connection.execute(
            select(_L).where(or_(_L.c.one == number, _L.c.other == number))
        )
        return tuple(TicketNumber(row.other if row.one == number else row.one) for row in rows)

    def add_link(self, one: TicketNumber, other: TicketNumber) -> None:
        if other not in self.links(one):
            self._connection.execute(insert(_L).values(one=one, other=other))


_LIVE_SQL: Final = ", ".join(f"'{s.value}'" for s in sorted(LIVE))
_ALIKE: Final = Statement(
    text(
        "SELECT number, body FROM tickets WHERE enterprise_id = :e AND category = :c "
        f"AND created_at >= :since AND state IN ({_LIVE_SQL}) ORDER BY number DESC LIMIT 20"
    ).bindparams(bindparam("since", type_=_T.c.created_at.type))
)
_CONFIDENTIAL: Final = Statement(text("SELECT confidential FROM tickets WHERE number = :n"))


@cache
def _all_where(condition: str, states: frozenset[State]) -> Statement:
    """One statement for each condition and set of states that is ever asked for."""
    return _selected(_READER.selected, condition, states)


@cache
def _versions_where(condition: str, states: frozenset[State]) -> Statement:
    return _selected("number, version", condition, states)


def _selected(columns: str, condition: str, states: frozenset[State]) -> Statement:
    named = ", ".join(f"'{s.value}'" for s in sorted(states))
    return Statement(
        text(
            f"SELECT {columns} FROM tickets WHERE {condition} AND state IN ({named}) "
            "ORDER BY number DESC LIMIT 500"
        )
    )


_FIND: Final = Statement(text(f"SELECT {_READER.selected} FROM tickets WHERE number = :n"))
