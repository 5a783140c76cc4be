"""The small stores: chats, audit chain, open questions, candidates, heard messages, tokens."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zlib import crc32

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from handlers.chat.events import ChatKind, ChatRef
from handlers.domain.category import Urgency
from handlers.domain.ids import TicketNumber
from handlers.domain.people import Chat, Token
from handlers.domain.policy import DEFAULT, Policy, Target, Targets, Unit
from handlers.ports import Candidate, CandidateState, Dialogue, HeardMessage, Spoken
from storage.db import Statement, read_instant
from storage.repos.counters import Versions
from storage.repos.tickets import attachments_from_plain, attachments_to_plain
from storage.tables.people import ChatRow, PolicyRow, TokenRow
from storage.tables.queue import AuditRow, DialogueRow, JobRunRow, OutboxRow
from storage.tables.tickets import CandidateRow, HeardRow
from storage.turns import Turn

_CHAT: Final[Any] = ChatRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_TOKEN: Final[Any] = TokenRow.__table__  # type: ignore[attr-defined]
_POLICY: Final[Any] = PolicyRow.__table__  # type: ignore[attr-defined]
_AUDIT: Final[Any] = AuditRow.__table__  # type: ignore[attr-defined]
_DIALOGUE: Final[Any] = DialogueRow.__table__  # type: ignore[attr-defined]
_JOB: Final[Any] = JobRunRow.__table__  # type: ignore[attr-defined]
_OUT: Final[Any] = OutboxRow.__table__  # type: ignore[attr-defined]
_CANDIDATE: Final[Any] = CandidateRow.__table__  # type: ignore[attr-defined]
_HEARD: Final[Any] = HeardRow.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class ChatCache:
    """The chats of one version; the rows are few and asked for with every message."""

    version: int = -1
    chats: Mapping[tuple[str, str], Chat] = field(default_factory=dict)


class SqlChatStore:
    def __init__(self, connection: Connection, cache: ChatCache, versions: Versions) -> None:
        self._connection = connection
        self._cache = cache
        self._versions = versions

    def chat(self, ref: ChatRef) -> Chat | None:
        version = self._versions.of(self._connection, "chats")
        if self._cache.version != version:
            known = {(c.platform, c.id): c for c in self.chats()}
            self._cache.version, self._cache.chats = version, known
        return self._cache.chats.get((ref.platform, ref.id))

    def chats(self) -> tuple[Chat, ...]:
        rows = self._connection.execute(select(_CHAT).order_by(_CHAT.c.platform, _CHAT.c.id))
        return tuple(Chat(**row._mapping) for row in rows)

    def save_chat(self, chat: Chat) -> None:
        where = (_CHAT.c.platform == chat.platform) & (_CHAT.c.id == chat.id)
        values = asdict(chat)
        if self._connection.execute(update(_CHAT).where(where).values(values)).rowcount == 0:
            self._connection.execute(insert(_CHAT).values(values))
        self._versions.change(self._connection, "chats")


_GENESIS: Final = "0" * 64
_LAST_AUDIT: Final = Statement(text("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"))
_ADD_AUDIT: Final = Statement(insert(_AUDIT))


def _digest(
    number: int, at: datetime, actor: str, action: str, subject: str, facts: str, previous: str
) -> str:
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
    line = "\x1f".join((str(number), stamp, actor, action, subject, facts, previous))
    return hashlib.sha256(line.encode()).hexdigest()


_LOCK_AUDIT: Final = Statement(text("SELECT pg_advisory_xact_lock(4078)"))


class AuditTail:
    """The end of the chain as this commit has it, so that it is read once for many lines.

    `late`: lines wait for `write`, called last before the commit; until then nobody holds the
    chain's end, which every process wants.
    """

    __slots__ = ("_turn", "last", "late", "lines")

    def __init__(self, turn: Turn, late: bool = False) -> None:
        self._turn = turn
        self.late = late
        self.lines: list[_Line] = []
        self.last: tuple[int, str] | None = None

    def forget(self) -> None:
        """Something was rolled back: the chain may end earlier."""
        self.last = None

    def add(self, connection: Connection, line: "_Line") -> None:
        self.lines.append(line)
        if not self.late:
            if self.last is None:
                # Its end is locked after everybody's lock, as all do.
                self._turn.alone(connection)
            self.write(connection)

    def write(self, connection: Connection) -> None:
        """Add what waits to the chain."""
        if not self.lines:
            return
        if self.last is None and connection.dialect.name == "postgresql":
            # Two processes must not both add the next line: the chain has one end.
            _LOCK_AUDIT.run(connection, {})
        last = self.last or _LAST_AUDIT.one(connection, {})
        number, previous = (0, _GENESIS) if last is None else (last[0], last[1])
        rows = []
        for line in self.lines:
            number += 1
            digest = _digest(number, *line, previous)
            rows.append(dict(zip(_AUDIT_NAMES, (number, *line, previous, digest), strict=True)))
            previous = digest
        _ADD_AUDIT.run_many(connection, rows)
        self.lines.clear()
        self.last = (number, previous)


# When, who, what was done, to what, and the facts as they are digested.
_Line = tuple[datetime, str, str, str, str]
_AUDIT_NAMES: Final = ("id", "at", "actor", "action", "subject", "facts", "previous", "hash")


class SqlAuditStore:
    def __init__(self, connection: Connection, tail: AuditTail) -> None:
        self._connection = connection
        self._tail = tail

    def add(
        self, at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any]
    ) -> None:
        told = json.dumps(dict(facts), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        self._tail.add(self._connection, (at, actor, action, subject, told))

    def verify(self) -> int | None:
        """The first line that was changed or is missing; None while the chain holds."""
        self._tail.write(self._connection)
        previous, expected = _GENESIS, 1
        rows = self._connection.execution_options(stream_results=True).execute(
            select(_AUDIT).order_by(_AUDIT.c.id)
        )
        for row in rows:
            digest = _digest(
                row.id, row.at, row.actor, row.action, row.subject, row.facts, previous
            )
            if row.id != expected or row.previous != previous or row.hash != digest:
                return expected
            previous, expected = row.hash, expected + 1
        return None

    def lines(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """The newest lines first."""
        self._tail.write(self._connection)
        wanted = select(_AUDIT).order_by(_AUDIT.c.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(_AUDIT.c.id < before)
        return [dict(row._mapping) for row in self._connection.execute(wanted)]


class SqlDialogueStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _where(self, person_key: str, chat: ChatRef) -> Any:
        return (
            (_DIALOGUE.c.person_key == person_key)
            & (_DIALOGUE.c.platform == chat.platform)
            & (_DIALOGUE.c.chat == chat.id)
        )

    def get(self, person_key: str, chat: ChatRef) -> Dialogue | None:
        known = _HAS_DIALOGUE.one(
            self._connection, {"k": person_key, "p": chat.platform, "c": chat.id}
        )
        if known is None:
            return None
        row = self._connection.execute(select(_DIALOGUE).where(self._where(person_key, chat))).one()
        return Dialogue(row.person_key, chat, row.topic, row.facts, row.expires_at)

    def put(self, dialogue: Dialogue) -> None:
        self.drop(dialogue.person_key, dialogue.chat)
        self._connection.execute(
            insert(_DIALOGUE).values(
                person_key=dialogue.person_key,
                platform=dialogue.chat.platform,
                chat=dialogue.chat.id,
                topic=dialogue.topic,
                facts=dict(dialogue.facts),
                expires_at=dialogue.expires_at,
            )
        )

    def drop(self, person_key: str, chat: ChatRef) -> None:
        self._connection.execute(delete(_DIALOGUE).where(self._where(person_key, chat)))

    def drop_expired(self, now: datetime) -> int:
        done = self._connection.execute(delete(_DIALOGUE).where(_DIALOGUE.c.expires_at < now))
        return int(done.rowcount)


_HAS_DIALOGUE: Final = Statement(
    text("SELECT 1 FROM dialogues WHERE person_key = :k AND platform = :p AND chat = :c")
)


class SqlCandidateStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _values(self, candidate: Candidate) -> dict[str, Any]:
        values = {f.name: getattr(candidate, f.name) for f in fields(Candidate)}
        values["facts"] = dict(candidate.facts)
        values["chat_kind"] = candidate.chat_kind.value
        values["state"] = candidate.state.value
        del values["id"]
        return values

    def add(self, candidate: Candidate) -> int:
        done = self._connection.execute(
            insert(_CANDIDATE).values(self._values(candidate)).returning(_CANDIDATE.c.id)
        )
        return int(done.scalar_one())

    def get(self, candidate_id: int) -> Candidate | None:
        row = self._connection.execute(
            select(_CANDIDATE).where(_CANDIDATE.c.id == candidate_id)
        ).first()
        return None if row is None else self._candidate(row)

    def _candidate(self, row: Any) -> Candidate:
        read = dict(row._mapping)
        read["chat_kind"] = ChatKind(read["chat_kind"])
        read["state"] = CandidateState(read["state"])
        return Candidate(**read)

    def asked_of(self, sender_key: str, chat: str | None) -> Candidate | None:
        """The newest question to this sender in a chat, or in any, that is still open."""
        here = [] if chat is None else [_CANDIDATE.c.chat == chat]
        row = self._connection.execute(
            select(_CANDIDATE)
            .where(
                _CANDIDATE.c.sender_key == sender_key,
                _CANDIDATE.c.state == CandidateState.ASKED.value,
                *here,
            )
            .order_by(_CANDIDATE.c.id.desc())
            .limit(1)
        ).first()
        return None if row is None else self._candidate(row)

    def save(self, candidate: Candidate) -> None:
        self._connection.execute(
            update(_CANDIDATE)
            .where(_CANDIDATE.c.id == candidate.id)
            .values(self._values(candidate))
        )

    def last_asked(self, sender_key: str, chat: str) -> datetime | None:
        found: datetime | None = self._connection.execute(
            select(_CANDIDATE.c.at)
            .where(_CANDIDATE.c.sender_key == sender_key, _CANDIDATE.c.chat == chat)
            .order_by(_CANDIDATE.c.id.desc())
            .limit(1)
        ).scalar()
        return found

    def expire(self, now: datetime) -> int:
        done = self._connection.execute(
            update(_CANDIDATE)
            .where(_CANDIDATE.c.state == CandidateState.ASKED.value, _CANDIDATE.c.expires_at < now)
            .values(state=CandidateState.EXPIRED.value)
        )
        return int(done.rowcount)


_ADD_HEARD: Final = Statement(
    text(
        "INSERT INTO heard_messages "
        "(platform, message_id, chat, sender_key, at, text, msg_type, number, attachments) "
        "VALUES (:platform, :message_id, :chat, :sender_key, :at, :text, :msg_type, :number, "
        ":attachments) ON CONFLICT DO NOTHING"
    ).bindparams(
        bindparam("at", type_=_HEARD.c.at.type),
        bindparam("attachments", type_=_HEARD.c.attachments.type),
    )
)
_SPOKEN: Final = (
    "SELECT number, at, text FROM heard_messages WHERE chat = :c AND platform = :p "
    "AND at >= :since AND number IS NOT NULL ORDER BY at DESC LIMIT 100"
)
# Up to so many tickets are picked out by the database; a statement is kept for each count.
_MOST_NAMED: Final = 20


@cache
def _spoken_of(named: int) -> Statement:
    """What was said lately, of the tickets n0, n1, …; of any where none are named."""
    sql = _SPOKEN
    if named:
        names = ", ".join(f":n{n}" for n in range(named))
        sql = f"SELECT * FROM ({_SPOKEN}) AS lately WHERE number IN ({names})"
    return Statement(text(sql).bindparams(bindparam("since", type_=_HEARD.c.at.type)))


_RECENT: Final = Statement(
    text(
        "SELECT 1 FROM heard_messages WHERE platform = :p AND chat = :c AND sender_key = :k "
        "AND at >= :since LIMIT 1"
    ).bindparams(bindparam("since", type_=_HEARD.c.at.type))
)


class SqlHeardStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._belong: dict[tuple[str, str], TicketNumber] = {}

    def add(self, message: HeardMessage) -> None:
        number = self._belong.pop((message.platform, message.message_id), message.number)
        _ADD_HEARD.run(
            self._connection,
            {
                "platform": message.platform,
                "message_id": message.message_id,
                "chat": message.chat,
                "sender_key": message.sender_key,
                "at": message.at,
                "text": message.text,
                "msg_type": message.msg_type,
                "number": number,
                "attachments": attachments_to_plain(message.attachments),
            },
        )

    def _heard(self, row: Any) -> HeardMessage:
        read = dict(row._mapping)
        read["attachments"] = attachments_from_plain(read["attachments"])
        return HeardMessage(**read)

    def find(self, platform: str, message_id: str) -> HeardMessage | None:
        row = self._connection.execute(
            select(_HEARD).where(_HEARD.c.platform == platform, _HEARD.c.message_id == message_id)
        ).first()
        return None if row is None else self._heard(row)

    def ticket_of_sent(self, platform: str, message_ref: str) -> TicketNumber | None:
        found = self._connection.execute(
            select(_OUT.c.ticket).where(_OUT.c.platform == platform, _OUT.c.ref == message_ref)
        ).scalar()
        return None if found is None else TicketNumber(found)

    def recent(
        self, platform: str, chat: str, sender_key: str, since: datetime
    ) -> tuple[HeardMessage, ...]:
        asked = {"p": platform, "c": chat, "k": sender_key, "since": since}
        if _RECENT.one(self._connection, asked) is None:
            return ()
        rows = self._connection.execute(
            select(_HEARD)
            .where(
                _HEARD.c.platform == platform,
                _HEARD.c.chat == chat,
                _HEARD.c.sender_key == sender_key,
                _HEARD.c.at >= since,
            )
            .order_by(_HEARD.c.at)
            .limit(50)
        )
        return tuple(self._heard(row) for row in rows)

    def spoken(
        self,
        platform: str,
        chat: str,
        since: datetime,
        of: Collection[TicketNumber] | None = None,
    ) -> tuple[Spoken, ...]:
        asked: dict[str, Any] = {"p": platform, "c": chat, "since": since}
        named = () if of is None or len(of) > _MOST_NAMED else tuple(of)
        asked.update((f"n{n}", number) for n, number in enumerate(named))
        rows = _spoken_of(len(named)).run(self._connection, asked).fetchall()
        return tuple(
            Spoken(TicketNumber(r[0]), read_instant(r[1]), r[2])
            for r in reversed(rows)
            if of is None or r[0] in of
        )

    def belongs(self, platform: str, message_id: str, number: TicketNumber) -> None:
        self._belong[(platform, message_id)] = number

    def forget(self, before: datetime) -> int:
        done = self._connection.execute(
            delete(_HEARD).where(_HEARD.c.at < before, _HEARD.c.number.is_(None))
        )
        return int(done.rowcount)


@dataclass(slots=True)
class PolicyCache:
    """The newest policy of this process."""

    version: int = -1
    policy: Policy = DEFAULT


def policy_to_plain(policy: Policy) -> dict[str, Any]:
    """The numbers as JSON values."""
    plain: dict[str, Any] = {}
    for f in fields(Policy):
        value = getattr(policy, f.name)
        if f.name == "targets":
            plain["targets"] = {
                u.value: {
                    k.name: [getattr(t, k.name).unit.value, getattr(t, k.name).amount]
                    for k in fields(Targets)
                }
                for u, t in value.items()
            }
        elif isinstance(value, timedelta):
            plain[f.name] = value.total_seconds()
        elif hasattr(value, "isoformat"):
            plain[f.name] = value.isoformat()
        else:
            plain[f.name] = value
    return plain


def policy_from_plain(plain: Mapping[str, Any]) -> Policy:
    """The reverse; what a row does not name keeps its default."""
    values: dict[str, Any] = {}
    for f in fields(Policy):
        if f.name not in plain:
            continue
        default = getattr(DEFAULT, f.name)
        value = plain[f.name]
        if f.name == "targets":
            values["targets"] = {
                Urgency(u): Targets(**{k: Target(Unit(v[0]), v[1]) for k, v in t.items()})
                for u, t in value.items()
            }
        elif isinstance(default, timedelta):
            values[f.name] = timedelta(seconds=value)
        elif hasattr(default, "isoformat"):
            values[f.name] = type(default).fromisoformat(value)
        else:
            values[f.name] = value
    return Policy(**values)


class SqlOfficeStore:
    def __init__(self, connection: Connection, cache: PolicyCache, versions: Versions) -> None:
        self._connection = connection
        self._cache = cache
        self._versions = versions
        self._read: Policy | None = None

    def policy(self) -> Policy:
        if self._read is None:
            self._read = self._newest()
        return self._read

    def _newest(self) -> Policy:
        version = self._versions.of(self._connection, "policy")
        if self._cache.version == version:
            return self._cache.policy
        row = self._connection.execute(
            select(_POLICY).order_by(_POLICY.c.version.desc()).limit(1)
        ).first()
        policy = DEFAULT
        if row is not None:
            policy = policy_from_plain({**row.numbers, "version": row.version})
        self._cache.version, self._cache.policy = version, policy
        return policy

    def save_policy(self, policy: Policy, at: datetime) -> None:
        """A new version; the old ones stay."""
        self._connection.execute(
            insert(_POLICY).values(version=policy.version, at=at, numbers=policy_to_plain(policy))
        )
        self._versions.change(self._connection, "policy")
        self._read = None


class SqlTokenStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_secret(self, secret_hash: str) -> Token | None:
        row = self._connection.execute(
            select(_TOKEN).where(_TOKEN.c.secret_hash == secret_hash)
        ).first()
        return None if row is None else self._token(row)

    def _token(self, row: Any) -> Token:
        return Token(row.name, row.scope, row.enterprise_id, row.created_at, row.revoked)

    def add(self, token: Token, secret_hash: str) -> None:
        self._connection.execute(insert(_TOKEN).values(secret_hash=secret_hash, **asdict(token)))

    def tokens(self) -> tuple[Token, ...]:
        return tuple(self._token(row) for row in self._connection.execute(select(_TOKEN)))


class SqlJobStore:
    """Which run of a job was made: a unique row, so that two processes make it once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, job: str, slot: str, at: datetime) -> bool:
        """Whether this run is ours to make."""
        done = _TAKE_RUN.run(self._connection, {"j": job, "s": slot, "a": at})
        return int(done.rowcount) == 1

    def alone(self, name: str) -> bool:
        """Whether no other process is at this until our commit; on SQLite there is no other."""
        if self._connection.dialect.name == "sqlite":
            return True
        key = crc32(name.encode()) - 2**31
        asked = text("SELECT pg_try_advisory_xact_lock(:ours, :key)")
        return bool(self._connection.execute(asked, {"ours": _OURS, "key": key}).scalar())


# Two-part locks never meet the one-part lock of storage/locks.py.
_OURS: Final = 4079
_TAKE_RUN: Final = Statement(
    text(
        "INSERT INTO job_runs (job, slot, at) VALUES (:j, :s, :a) ON CONFLICT DO NOTHING"
    ).bindparams(bindparam("a", type_=_JOB.c.at.type))
)
