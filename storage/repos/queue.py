"""Inbox and outbox: remember once, claim with a lease, end exactly once."""

import json
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, literal_column, or_, select, text, update

from handlers.chat.events import ChatKind, ChatRef, InboundEvent, UserRef, from_plain, to_plain
from handlers.chat.outbound import (
    Address,
    Content,
    Delivery,
    Kind,
    Priority,
    content_from_plain,
    content_to_plain,
)
from handlers.domain.announcement import AnnouncementId
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.notices import opens_at
from handlers.domain.policy import DEFAULT, Policy
from handlers.domain.ticket import State
from handlers.ports import (
    Lane,
    Notice,
    Outgoing,
    Page,
    SentMessage,
    StillSending,
    StillTrue,
    Undelivered,
    any_hour,
)
from storage.db import Insertion, RowReader, Statement, read_instant
from storage.repos.people import SqlPeopleStore
from storage.tables.queue import OutboxRow
from storage.tables.tickets import RemindedRow
from storage.types import to_json

_OUT: Final[Any] = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_TAKE: Final = Statement(
    text(
        "INSERT INTO inbox (platform, event_id, chat, state, attempts, error, received_at, "
        "next_try, payload) VALUES (:platform, :event_id, :chat, 'done', 0, '', :received_at, 0, "
        "'') ON CONFLICT (platform, event_id) DO NOTHING RETURNING id, EXISTS (SELECT 1 FROM "
        "inbox e WHERE e.state = 'new' AND e.chat = :chat AND e.platform = :platform)"
    )
)
_PUT_BACK: Final = Statement(
    text("UPDATE inbox SET state = 'new', payload = :payload, next_try = :at WHERE id = :id")
)
_TAKE_UP: Final = Statement(text("SELECT payload FROM inbox WHERE id = :id AND state = 'new'"))
_DONE: Final = Statement(text("UPDATE inbox SET state = 'done', payload = '' WHERE id = :id"))
_FAILED: Final = Statement(
    text(
        "UPDATE inbox SET attempts = attempts + 1, error = :error, next_try = :next_try, "
        "state = CASE WHEN attempts + 1 >= :most THEN 'dead' ELSE 'new' END "
        "WHERE id = :id AND state = 'new' RETURNING state"
    )
)
_PENDING: Final = text(
    # The chat is named so that SQLite reads the index of unfinished events, not the whole table.
    "SELECT id, payload FROM inbox i WHERE state = 'new' AND chat >= '' AND next_try <= :wall "
    "AND NOT EXISTS "
    "(SELECT 1 FROM inbox e WHERE e.state = 'new' AND e.platform = i.platform "
    "AND e.chat = i.chat AND e.id < i.id) ORDER BY id LIMIT :limit"
)
_UNFINISHED: Final = text(
    "SELECT 'new', COUNT(*) FROM inbox WHERE state = 'new' "
    "UNION ALL SELECT 'dead', COUNT(*) FROM inbox WHERE state = 'dead'"
)


class InboxStore:
    """What reached us. `done` empties the payload: the ticket keeps what must be kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, event: InboundEvent) -> tuple[int, bool] | None:
        """Remember an event that is worked on in the same unit of work.

        The new row's id, and whether an unfinished event of this chat came before (order is kept
        per chat, so this one must be `put_back`); None for an event that was here before.
        """
        row = _TAKE.one(
            self._connection,
            {
                "platform": event.platform,
                "event_id": event.event_id,
                "chat": event.chat.id,
                "received_at": time.time(),
            },
        )
        return None if row is None else (int(row[0]), bool(row[1]))

    def put_back(self, inbox_id: int, event: InboundEvent, at: float = 0.0) -> None:
        """It waits after all, until `at`: the row keeps what is needed to work on it later."""
        payload = to_json(to_plain(event))
        _PUT_BACK.run(self._connection, {"id": inbox_id, "payload": payload, "at": at})

    def take_up(self, inbox_id: int) -> InboundEvent | None:
        """An event that waited, done with this unit of work; None where it waits no more."""
        row = _TAKE_UP.one(self._connection, {"id": inbox_id})
        if row is None:
            return None
        self.done(inbox_id)
        return from_plain(json.loads(row[0]))

    def pending(self, limit: int) -> list[tuple[int, InboundEvent]]:
        rows = self._connection.execute(_PENDING, {"wall": time.time(), "limit": limit})
        return [(row.id, from_plain(json.loads(row.payload))) for row in rows]

    def done(self, inbox_id: int) -> None:
        _DONE.run(self._connection, {"id": inbox_id})

    def failed(self, inbox_id: int, error: str, next_try: float, most: int) -> bool:
        """Count an attempt; True when it was the last and the row is dead."""
        row = _FAILED.one(
            self._connection,
            {"id": inbox_id, "error": error[:200], "next_try": next_try, "most": most},
        )
        return row is not None and row[0] == "dead"

    def counts(self) -> dict[str, int]:
        """Every state's rows; reads them all."""
        rows = self._connection.execute(text("SELECT state, COUNT(*) FROM inbox GROUP BY state"))
        return {row[0]: row[1] for row in rows}

    def waiting_counts(self) -> dict[str, int]:
        """How many are unfinished and how many are dead."""
        rows = self._connection.execute(_UNFINISHED)
        return {row[0]: row[1] for row in rows}

    def oldest_waiting(self) -> float | None:
        """Wall-clock seconds when the oldest unfinished event came in."""
        found: float | None = self._connection.execute(
            text("SELECT MIN(received_at) FROM inbox WHERE state = 'new'")
        ).scalar()
        return found

    def forget(self, before: float) -> int:
        done = self._connection.execute(
            text("DELETE FROM inbox WHERE state = 'done' AND received_at < :before"),
            {"before": before},
        )
        return int(done.rowcount)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The row that another one takes back; `state` is still `sending` while it goes out."""

    state: Lane
    refs: tuple[str, ...]
    sent_at: datetime | None
    says_so: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """An outbox row that is about to be sent."""

    delivery: Delivery
    platform: str
    priority: int
    attempts: int
    ticket: TicketNumber | None
    still: StillTrue | StillSending | None
    not_after: datetime | None
    is_update: bool
    created_wall: float
    # Where the row is a notice to a person, what the gate looks at.
    notice: Notice | None = None
    # A process ended while it was sending this: nobody knows whether it arrived.
    begun: bool = False
    takes_back: TakenBack | None = None


_COLUMNS: Final = tuple(c.name for c in _OUT.columns if c.name != "id")
_PUT: Final = Insertion(
    text(
        f"INSERT INTO outbox ({', '.join(_COLUMNS)}) "
        f"VALUES ({', '.join(':' + name for name in _COLUMNS)}) "
        "ON CONFLICT (dedupe_key) WHERE dedupe_key <> '' DO NOTHING"
    ).bindparams(
        *(
            bindparam(name, type_=_OUT.c[name].type)
            for name in ("not_before", "not_after", "created_at", "sent_at")
        )
    )
)
# Rows are read so often that SQLAlchemy's own would cost more than the database does.
_READ: Final = RowReader(_OUT.columns)
_Row: Final = namedtuple("_Row", [c.name for c in _OUT.columns])  # type: ignore[misc]  # its table's
_CLAIM: Final = (
    "SELECT {columns} FROM outbox WHERE state IN ('waiting','sending') AND lease_until <= :wall "
    "AND next_try <= :wall AND (not_before IS NULL OR not_before <= :now) {platform} "
    "ORDER BY priority, id LIMIT :limit {lock}"
)
_WAITING: Final = text(
    "SELECT state, COUNT(*) FROM outbox WHERE state IN ('waiting','sending') GROUP BY state "
    "UNION ALL SELECT 'dead', COUNT(*) FROM outbox WHERE state = 'dead'"
)
_LEASE: Final = Statement(
    text("UPDATE outbox SET state = 'sending', lease_until = :until WHERE id = :id")
)
_SENT: Final = Statement(
    text(
        "UPDATE outbox SET state = 'sent', attempts = attempts + 1, error = '', ref = :ref, "
        "card_ref = :card_ref, more_refs = :more, sent_at = :at, lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending')"
    ).bindparams(bindparam("at", type_=_OUT.c.sent_at.type))
)
_RETRY: Final = Statement(
    text(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, error = :error, "
        "next_try = :next_try, lease_until = 0 WHERE id = :id AND state IN ('waiting','sending')"
    )
)
_DEFER: Final = Statement(
    text(
        "UPDATE outbox SET next_try = :next_try, lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending')"
    )
)
_BEGUN_MARK: Final = "begun"
_BEGUN: Final = Statement(
    text("UPDATE outbox SET error = :mark WHERE id = :id AND state = 'sending'")
)
_END: Final = Statement(
    text(
        "UPDATE outbox SET state = :state, error = :error, lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending')"
    )
)
_REROUTE: Final = Statement(
    text(
        "UPDATE outbox SET platform = :platform, chat = :chat, tried = :tried, reply_token = '', "
        "attempts = 0, error = '', next_try = 0, lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending')"
    )
)
_NOT_YET: Final = Statement(
    text(
        "UPDATE outbox SET state = 'superseded', error = 'taken_back', lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending') AND lease_until <= :wall RETURNING id"
    )
)
# A card may be replaced only once the click on it is answered; what comes sooner is undone there.
_AFTER_CLICK: Final = 1.0
_RELEASE: Final = Statement(
    text(
        "UPDATE outbox SET next_try = CASE WHEN is_update THEN :after ELSE 0 END "
        "WHERE id = :id AND state = 'waiting' AND attempts = 0"
    )
)


_CUT_LEASES: Final = Statement(
    text("UPDATE outbox SET lease_until = :until WHERE state = 'sending' AND lease_until > :until")
)
_LEFT_BEHIND: Final = text(
    "SELECT * FROM outbox WHERE state = 'sending' AND (lease_until > :wall OR next_try > :wall) "
    "ORDER BY priority, id"
).columns(*_OUT.columns)
# Nobody sends more in an hour, the longest window; so many are read at once at a start.
_NEWEST: Final = 20_000
_SENT_SINCE: Final = (
    text(
        "SELECT platform, chat, chat_kind, sent_at FROM outbox "
        "WHERE id > (SELECT COALESCE(MAX(id), 0) FROM outbox) - :most AND sent_at >= :since"
    )
    .bindparams(bindparam("since", type_=_OUT.c.sent_at.type))
    .columns(_OUT.c.platform, _OUT.c.chat, _OUT.c.chat_kind, _OUT.c.sent_at)
)
_HELD: Final = "held"
_IS_NOTICE: Final = "person_id = :p AND answers IS NULL AND NOT is_update"
_NOTICED: Final = Statement(
    text(
        f"SELECT id, sent_at FROM outbox WHERE {_IS_NOTICE} AND sent_at >= :since AND state = 'sent'"
    ).bindparams(bindparam("since", type_=_OUT.c.sent_at.type))
)
_UNDER_WAY: Final = Statement(
    text(
        f"SELECT id FROM outbox WHERE {_IS_NOTICE} AND sent_at IS NULL AND state = 'sending' "
        "AND lease_until > :wall"
    )
)
_DUE_NOTICES: Final = (
    f"SELECT {_READ.selected} FROM outbox WHERE {_IS_NOTICE} AND sent_at IS NULL "
    "AND state IN ('waiting','sending') AND lease_until <= :wall AND next_try <= :wall "
    "AND (not_before IS NULL OR not_before <= :now) AND priority > 0 ORDER BY priority, id"
)
_HERE_OR_SHARED: Final = {True: "", False: "FOR UPDATE SKIP LOCKED"}


@cache
def _claiming(platforms: int, here: bool) -> Statement:
    """Made once for so many platforms."""
    named = ", ".join(f":p{n}" for n in range(platforms))
    return _dated(
        _CLAIM.format(
            columns=_READ.selected,
            platform=f"AND platform IN ({named})" if platforms else "",
            lock=_HERE_OR_SHARED[here],
        )
    )


@cache
def _waiting_for(here: bool) -> Statement:
    return _dated(f"{_DUE_NOTICES} {_HERE_OR_SHARED[here]}")


def _dated(sql: str) -> Statement:
    return Statement(text(sql).bindparams(bindparam("now", type_=_OUT.c.not_before.type)))


def _rows(cursor: Any) -> list[Any]:
    return [_Row(*_READ.values(row)) for row in cursor.fetchall()]


_HOLD: Final = Statement(
    text(
        "UPDATE outbox SET not_before = :until, error = :held, lease_until = 0 "
        "WHERE id = :id AND state IN ('waiting','sending')"
    ).bindparams(bindparam("until", type_=_OUT.c.not_before.type))
)
_NEXT_OPENING: Final = Statement(
    text(
        "SELECT MIN(not_before) FROM outbox WHERE state IN ('waiting','sending') "
        "AND not_before > :now"
    ).bindparams(bindparam("now", type_=_OUT.c.not_before.type))
)
_REMINDED: Final = Statement(
    text(
        "INSERT INTO reminded (number, person_id, day) VALUES (:n, :p, :d) ON CONFLICT DO NOTHING"
    ).bindparams(bindparam("d", type_=RemindedRow.__table__.c.day.type))  # type: ignore[attr-defined]
)
_LOCK_PERSON: Final = Statement(text("SELECT pg_advisory_xact_lock(4079, hashtext(:p))"))


def _still_to_plain(still: StillTrue | StillSending | None) -> str:
    if still is None:
        return ""
    if isinstance(still, StillSending):
        return json.dumps({"a": still.announcement, "r": still.round, "any": still.any_hour})
    rung = still.rung
    return json.dumps(
        [
            still.number,
            sorted(still.states),
            still.owner_id,
            still.max_version,
            still.max_level,
            None if rung is None else [*rung[:2], rung[2].isoformat(), rung[3].isoformat()],
        ]
    )


def _still_from_plain(plain: str) -> StillTrue | StillSending | None:
    if not plain:
        return None
    kept = json.loads(plain)
    if isinstance(kept, dict):
        return StillSending(AnnouncementId(kept["a"]), kept["r"], kept["any"])
    number, states, owner, version, *more = kept
    level, rung = more or (None, None)
    return StillTrue(
        TicketNumber(number),
        frozenset(State(s) for s in states),
        None if owner is None else PersonId(owner),
        version,
        level,
        None
        if rung is None
        else (rung[0], rung[1], *map(datetime.fromisoformat, (rung[2], rung[3]))),
    )


class OutboxRows:
    """`hold_seconds`: how long rows that answer an event wait for the platform's own response."""

    def __init__(
        self,
        connection: Connection,
        people: SqlPeopleStore,
        now: Callable[[], datetime],
        directly: Sequence[str] | None = None,
        policy: Callable[[], Policy] = lambda: DEFAULT,
    ) -> None:
        self._connection = connection
        self._people = people
        self._now = now
        self._policy = policy
        self._directly = directly
        self.hold_seconds = 0.0
        self.prefer = ""
        # Rows that answer an event, as its platform's own response may carry them.
        self.answering: list[Delivery] = []
        # Whether a row was put that may be sent at once.
        self.due = False

    def _address(self, message: Outgoing) -> tuple[str, str, str] | None:
        if message.chat is not None:
            return message.chat.platform, message.chat.id, message.chat_kind.value
        assert message.person is not None
        accounts = self._accounts(message.person)
        if not accounts:
            return None
        chosen = accounts[0]
        if len(accounts) > 1:
            chosen = self._standing(message, accounts) or self._way(message.person, accounts)
        return *chosen, ChatKind.DIRECT.value

    def _accounts(self, person: PersonId) -> list[tuple[str, str]]:
        return [
            (i.platform, i.user_id)
            for i in self._people.accounts(person)
            if self._directly is None or i.platform in self._directly
        ]

    def ways_to(self, person: PersonId) -> frozenset[str]:
        return frozenset(platform for platform, _ in self._accounts(person))

    def _way(self, person: PersonId, accounts: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """Of several accounts the one last heard; of a silent person's the one where others speak."""
        heard = self._people.last_heard(person)
        if heard is not None and (heard.platform, heard.id) in accounts:
            return heard.platform, heard.id
        return next((one for one in accounts if one[0] == self.prefer), accounts[0])

    def _standing(
        self, message: Outgoing, accounts: Sequence[tuple[str, str]]
    ) -> tuple[str, str] | None:
        """Where the card stands that an update replaces; None where it stands nowhere."""
        card = message.content.card
        if not message.update or card is None:
            return None
        newest = (
            select(_OUT.c.platform, _OUT.c.chat)
            .where(
                _OUT.c.chat.in_([user for _, user in accounts]),
                _OUT.c.card_key == card.key,
                _OUT.c.state == Lane.SENT,
                _OUT.c.card_ref != "",
            )
            .order_by(_OUT.c.id.desc())
        )
        found = (tuple(row) for row in self._connection.execute(newest))
        return next((place for place in found if place in accounts), None)

    def put(self, message: Outgoing) -> int | None:
        address = self._address(message)
        held = message.answers is not None and self.hold_seconds > 0
        not_before = message.not_before
        if message.person is not None and not message.update and message.answers is None:
            now = self._now()
            if message.priority is not Priority.URGENT and not any_hour(message.still):
                opening = opens_at(max(now, not_before or now), self._policy())
                not_before = None if opening <= now else opening
        platform, chat, kind = address or ("", str(message.person), ChatKind.DIRECT.value)
        card = message.content.card
        row_id = _PUT.new_id(
            self._connection,
            {
                # Nobody to send to is not silence: the row stands among the dead, to be seen.
                "state": Lane.WAITING.value if address else Lane.DEAD.value,
                "platform": platform,
                "chat": chat,
                "chat_kind": kind,
                "person_id": message.person,
                "kind": message.content.kind.value,
                "priority": int(message.priority),
                "ticket": message.ticket,
                "content": to_json(content_to_plain(message.content)),
                "card_key": "" if card is None else card.key,
                "dedupe_key": message.dedupe_key,
                "not_before": not_before,
                "not_after": message.not_after,
                "still": _still_to_plain(message.still),
                "reply_token": message.reply_token,
                "answers": message.answers,
                "is_update": message.update,
                "next_try": time.time() + self.hold_seconds if held else 0.0,
                "lease_until": 0.0,
                "attempts": 0,
                "error": "" if address else "no_address",
                "created_at": self._now(),
                "sent_at": None,
                "ref": "",
                "card_ref": "",
                "bundle": message.bundle,
                "more_refs": "",
                "takes_back": None,
                "says_so": False,
                "asked_in": message.asked_in,
                "tried": "",
            },
        )
        if row_id is None:
            return None
        self.due = self.due or (address is not None and not held and not_before is None)
        if held and address is not None:
            update_ref = ""
            if message.update and card is not None:
                update_ref = self.newest_card_ref(platform, chat, card.key) or ""
            self.answering.append(
                Delivery(
                    row_id,
                    Address(ChatRef(platform, chat), ChatKind(kind)),
                    message.content,
                    message.reply_token,
                    update_ref,
                )
            )
        return row_id

    # ---- sending

    def claim(
        self, limit: int, lease_seconds: float, platforms: Iterable[str] | None = None
    ) -> list[Claimed]:
        """Rows whose time has come, urgent first, ours until the lease ends."""
        wall = time.time()
        wanted = [] if platforms is None else sorted(platforms)
        here = self._connection.dialect.name == "sqlite"
        asked = {"wall": wall, "now": self._now(), "limit": limit}
        asked |= {f"p{n}": name for n, name in enumerate(wanted)}
        rows = _rows(_claiming(len(wanted), here).run(self._connection, asked))
        for row in rows:
            _LEASE.run(self._connection, {"id": row.id, "until": wall + lease_seconds})
        return [self._claimed(row) for row in rows]

    def is_due(self, platforms: Iterable[str]) -> bool:
        """Whether anything for these platforms should go now or is just being sent."""
        found = self._connection.execute(
            select(_OUT.c.id)
            .where(
                # Written out, not bound: only then is the index of what waits considered.
                text("state IN ('waiting','sending')"),
                _OUT.c.platform.in_(sorted(platforms)),
                _OUT.c.next_try <= time.time(),
                or_(_OUT.c.not_before.is_(None), _OUT.c.not_before <= self._now()),
            )
            .limit(1)
        )
        return found.first() is not None

    def left_behind(self, longest: float) -> list[tuple[Claimed, bool, float]]:
        """What the sender before us had under way: whether it was claimed, and when it comes again.

        That sender is gone. What it had claimed comes after `longest` seconds at the latest: by
        then a sending of its last moment is over too.
        """
        wall = time.time()
        _CUT_LEASES.run(self._connection, {"until": wall + longest})
        rows = self._connection.execute(_LEFT_BEHIND, {"wall": wall})
        return [
            (self._claimed(row), row.lease_until > wall, max(row.lease_until, row.next_try))
            for row in rows
        ]

    def sent_since(self, since: datetime) -> list[tuple[Address, datetime]]:
        """Where to and when the newest messages were sent."""
        robots: dict[tuple[str, str], str] = {}
        found = []
        for row in self._connection.execute(_SENT_SINCE, {"since": since, "most": _NEWEST}):
            kind, place = ChatKind(row.chat_kind), (row.platform, row.chat)
            if place not in robots:
                robots[place] = self._robot(row, kind)
            found.append((Address(ChatRef(*place), kind, robots[place]), row.sent_at))
        return found

    def _claimed(self, row: Any) -> Claimed:
        kind = ChatKind(row.chat_kind)
        content = content_from_plain(json.loads(row.content))
        update_ref = ""
        if row.is_update:
            update_ref = self.newest_card_ref(row.platform, row.chat, row.card_key) or ""
        return Claimed(
            Delivery(
                row.id,
                Address(ChatRef(row.platform, row.chat), kind, self._robot(row, kind)),
                content,
                row.reply_token,
                update_ref,
                row.created_at,
                row.priority == int(Priority.URGENT),
                row.takes_back is not None,
            ),
            row.platform,
            row.priority,
            row.attempts,
            None if row.ticket is None else TicketNumber(row.ticket),
            _still_from_plain(row.still),
            row.not_after,
            bool(row.is_update),
            row.created_at.timestamp(),
            self._notice(row),
            row.error == _BEGUN_MARK,
            None if row.takes_back is None else self._taken_back(row),
        )

    def _taken_back(self, row: Any) -> TakenBack:
        said = self._connection.execute(select(_OUT).where(_OUT.c.id == row.takes_back)).one()
        refs = tuple(ref for ref in (said.ref, *said.more_refs.split("\n")) if ref)
        return TakenBack(Lane(said.state), refs, said.sent_at, bool(row.says_so))

    def _notice(self, row: Any) -> Notice | None:
        if row.person_id is None or row.answers is not None or row.is_update:
            return None
        return Notice(
            row.id,
            PersonId(row.person_id),
            row.priority == int(Priority.URGENT),
            content_from_plain(json.loads(row.content)),
            row.bundle,
            row.error == _HELD,
            None if row.ticket is None else TicketNumber(row.ticket),
            _still_from_plain(row.still),
            row.not_after,
        )

    # ---- the gate

    def lock_person(self, person: PersonId) -> None:
        if self._connection.dialect.name == "postgresql":
            _LOCK_PERSON.run(self._connection, {"p": person})

    def noticed(self, person: PersonId, since: datetime, but: frozenset[int]) -> list[datetime]:
        sent = _NOTICED.run(self._connection, {"p": person, "since": since}).fetchall()
        going = _UNDER_WAY.run(self._connection, {"p": person, "wall": time.time()}).fetchall()
        now = self._now()
        found = [read_instant(row[1]) for row in sent]
        return sorted([*found, *(now for row in going if row[0] not in but)])

    def due_notices(self, person: PersonId, now: datetime) -> list[Notice]:
        here = self._connection.dialect.name == "sqlite"
        asked = {"p": person, "wall": time.time(), "now": now}
        rows = _rows(_waiting_for(here).run(self._connection, asked))
        return [notice for row in rows if (notice := self._notice(row)) is not None]

    def hold(self, row_id: int, until: datetime) -> None:
        _HOLD.run(self._connection, {"id": row_id, "until": until, "held": _HELD})

    def next_opening(self) -> datetime | None:
        """When the next row that waits for its time may go, in business time."""
        row = _NEXT_OPENING.one(self._connection, {"now": self._now()})
        return None if row is None or row[0] is None else read_instant(row[0])

    def reminded(self, number: TicketNumber, person: PersonId, day: date) -> bool:
        done = _REMINDED.run(self._connection, {"n": number, "p": person, "d": day})
        return bool(done.rowcount == 1)

    def _robot(self, row: Any, kind: ChatKind) -> str:
        if kind is not ChatKind.GROUP:
            return ""
        found = self._connection.execute(
            text("SELECT robot_url FROM chats WHERE platform = :p AND id = :i"),
            {"p": row.platform, "i": row.chat},
        ).scalar()
        return found or ""

    def newest_card_ref(self, platform: str, chat: str, card_key: str) -> str | None:
        """What lets the newest card of this key at this address be replaced."""
        found: str | None = self._connection.execute(
            text(
                "SELECT card_ref FROM outbox WHERE platform = :p AND chat = :c AND card_key = :k "
                "AND state = 'sent' AND card_ref <> '' ORDER BY id DESC LIMIT 1"
            ),
            {"p": platform, "c": chat, "k": card_key},
        ).scalar()
        return found

    def sent(
        self, row_id: int, ref: str = "", card_ref: str = "", more: Sequence[str] = ()
    ) -> None:
        _SENT.run(
            self._connection,
            {
                "id": row_id,
                "ref": ref,
                "card_ref": card_ref,
                "more": "\n".join(more),
                "at": self._now(),
            },
        )

    # ---- other ways

    def another_way(self, row_id: int) -> bool:
        row = self._to_one_person(row_id)
        if row is None:
            return False
        user = UserRef(row.platform, row.chat)
        person_id = row.person_id
        if person_id is None:
            known = self._people.identity(user)
            person_id = None if known is None else known.person_id
        tried = [*filter(None, row.tried.split("\n")), f"{user.platform} {user.id}"]
        for platform, account in () if person_id is None else self._accounts(PersonId(person_id)):
            if f"{platform} {account}" in tried:
                continue
            _REROUTE.run(
                self._connection,
                {"id": row_id, "platform": platform, "chat": account, "tried": "\n".join(tried)},
            )
            return True
        return False

    def undelivered(self, row_id: int) -> Undelivered | None:
        row = self._to_one_person(row_id)
        if row is None:
            return None
        return Undelivered(
            UserRef(row.platform, row.chat),
            None if row.person_id is None else PersonId(row.person_id),
            None if row.ticket is None else TicketNumber(row.ticket),
            Kind(row.kind),
            row.asked_in,
        )

    def _to_one_person(self, row_id: int) -> Any:
        return self._connection.execute(
            select(_OUT).where(
                _OUT.c.id == row_id,
                _OUT.c.chat_kind == ChatKind.DIRECT.value,
                _OUT.c.state.in_((Lane.WAITING, Lane.SENDING)),
            )
        ).first()

    # ---- taking back

    def spoken_in_groups(self, number: TicketNumber) -> tuple[SentMessage, ...]:
        found = self._connection.execute(
            select(_OUT.c.id, _OUT.c.card_key, _OUT.c.dedupe_key)
            .where(
                _OUT.c.ticket == number,
                _OUT.c.chat_kind == ChatKind.GROUP.value,
                _OUT.c.takes_back.is_(None),
                # What replaced a card stands where the card stood.
                or_(
                    _OUT.c.state.in_((Lane.WAITING, Lane.SENDING)),
                    (_OUT.c.state == Lane.SENT) & ~_OUT.c.is_update,
                ),
            )
            .order_by(_OUT.c.id)
        )
        return tuple(SentMessage(*row) for row in found)

    def take_back(
        self,
        row_id: int,
        instead: Content,
        tell: PersonId | None = None,
        says_so: bool = False,
    ) -> None:
        if _NOT_YET.one(self._connection, {"id": row_id, "wall": time.time()}) is not None:
            return
        row = self._connection.execute(select(_OUT).where(_OUT.c.id == row_id)).first()
        if row is None or row.state not in (Lane.SENDING, Lane.SENT):
            return
        card = instead.card
        values = {
            **{name: getattr(row, name) for name in ("platform", "chat", "chat_kind", "ticket")},
            "state": Lane.WAITING.value,
            "person_id": row.person_id if tell is None else tell,
            "kind": instead.kind.value,
            "priority": int(Priority.REPLY),
            "content": to_json(content_to_plain(instead)),
            "card_key": "" if card is None else card.key,
            "dedupe_key": f"back:{row_id}",
            # It replaces what was said, and is no notice of its own.
            "is_update": True,
            "takes_back": row_id,
            "says_so": says_so,
            "created_at": self._now(),
        }
        blank: dict[str, Any] = dict.fromkeys(
            ("still", "reply_token", "error", "ref", "card_ref", "bundle"), ""
        )
        blank |= dict.fromkeys(("not_before", "not_after", "answers", "sent_at"))
        blank |= dict.fromkeys(("next_try", "lease_until"), 0.0)
        blank |= dict.fromkeys(("more_refs", "asked_in", "tried"), "")
        put = _PUT.new_id(self._connection, {**blank, "attempts": 0, **values})
        self.due = self.due or put is not None

    def gone(self, row_id: int) -> None:
        """The message that this row takes back is there no more: nothing can replace it."""
        self.sent(row_id)
        taken = select(_OUT.c.takes_back).where(_OUT.c.id == row_id).scalar_subquery()
        self._connection.execute(
            update(_OUT).where(_OUT.c.id == taken).values(ref="", card_ref="", more_refs="")
        )

    def say_instead(self, row_id: int) -> bool:
        """The text of a row that takes another one back, as a message of its own."""
        row = self._connection.execute(select(_OUT).where(_OUT.c.id == row_id)).first()
        if row is None:
            return False
        content = content_from_plain(json.loads(row.content))
        if not content.text:
            return False
        alone = row.person_id is not None
        opening = opens_at(self._now(), self._policy())
        about = f"{row.ticket}:{row.person_id}" if alone and row.ticket else str(row_id)
        self.put(
            Outgoing(
                Content(content.text, kind=content.kind),
                person=PersonId(row.person_id) if alone else None,
                chat=None if alone else ChatRef(row.platform, row.chat),
                chat_kind=ChatKind(row.chat_kind),
                ticket=None if row.ticket is None else TicketNumber(row.ticket),
                dedupe_key=f"instead:{about}",
                not_before=None if opening <= self._now() else opening,
            )
        )
        return True

    def retry(self, row_id: int, next_try: float, error: str) -> None:
        _RETRY.run(self._connection, {"id": row_id, "next_try": next_try, "error": error[:200]})

    def defer(self, row_id: int, next_try: float) -> None:
        """Not now: the row returns without an attempt being counted."""
        _DEFER.run(self._connection, {"id": row_id, "next_try": next_try})

    def begun(self, row_id: int) -> None:
        """It goes out now; what comes of it is written down after."""
        _BEGUN.run(self._connection, {"id": row_id, "mark": _BEGUN_MARK})

    def superseded(self, row_id: int, why: str) -> None:
        _END.run(self._connection, {"id": row_id, "state": "superseded", "error": why[:200]})

    def withdraw(self, dedupe_key: str, why: str) -> bool:
        done = self._connection.execute(
            text(
                "UPDATE outbox SET state = 'superseded', error = :why "
                "WHERE dedupe_key = :key AND state = 'waiting'"
            ),
            {"key": dedupe_key, "why": why[:200]},
        )
        return bool(done.rowcount)

    def dead(self, row_id: int, why: str) -> None:
        _END.run(self._connection, {"id": row_id, "state": "dead", "error": why[:200]})

    def carried(self, row_ids: Sequence[int]) -> None:
        """Answers that the platform's own response carried."""
        at = self._now()
        if row_ids:
            rows = [{"id": n, "ref": "", "card_ref": "", "more": "", "at": at} for n in row_ids]
            _SENT.run_many(self._connection, rows)

    def release(self, row_ids: Sequence[int]) -> None:
        """Held answers that the response did not carry may now go the slow way."""
        if row_ids:
            after = time.time() + _AFTER_CLICK
            _RELEASE.run_many(self._connection, [{"id": n, "after": after} for n in row_ids])

    def exists(self, row_id: int) -> bool:
        return (
            self._connection.execute(select(_OUT.c.id).where(_OUT.c.id == row_id)).first()
            is not None
        )

    def resend(self, row_id: int) -> bool:
        """A person sends a dead row again, once; the address is looked up anew."""
        row = self._connection.execute(select(_OUT).where(_OUT.c.id == row_id)).first()
        if row is None or row.state != "dead":
            return False
        content = content_from_plain(json.loads(row.content))
        message = Outgoing(
            content,
            person=None if row.person_id is None else PersonId(row.person_id),
            chat=None if row.person_id is not None else ChatRef(row.platform, row.chat),
            chat_kind=ChatKind(row.chat_kind),
            ticket=None if row.ticket is None else TicketNumber(row.ticket),
            dedupe_key=f"resend:{row_id}",
        )
        return self.put(message) is not None

    def page(self, state: str, limit: int, before: int | None) -> Page[dict[str, Any]]:
        """Newest first; without the content, which may hold what the reader may not see."""
        wanted = select(_OUT).order_by(_OUT.c.id.desc()).limit(limit + 1)
        if state:
            # Written out, not bound: only then is the index of the dead considered.
            wanted = wanted.where(literal_column("state") == literal_column(f"'{Lane(state)}'"))
        if before is not None:
            wanted = wanted.where(_OUT.c.id < before)
        rows = [dict(row._mapping) for row in self._connection.execute(wanted)]
        return Page(tuple(rows[:limit]), str(rows[limit - 1]["id"]) if len(rows) > limit else None)

    def counts(self) -> dict[str, int]:
        """Every state's rows; reads them all."""
        rows = self._connection.execute(text("SELECT state, COUNT(*) FROM outbox GROUP BY state"))
        return {row[0]: row[1] for row in rows}

    def waiting_counts(self) -> dict[str, int]:
        """How many wait, are being sent and are dead."""
        rows = self._connection.execute(_WAITING)
        return {"waiting": 0, "sending": 0, **{row[0]: row[1] for row in rows}}
