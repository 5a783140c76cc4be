"""Announcements: each round's targets stand before its first message, one row for each firm."""

import re
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, text, update

from handlers.chat.attachments import Keeping
from handlers.chat.events import Attachment, ChatRef
from handlers.domain.announcement import (
    Announcement,
    AnnouncementId,
    Audience,
    Kind,
    Progress,
    ReadBy,
    Route,
    State,
    Target,
    TargetState,
    outcome,
    progress_of,
)
from handlers.domain.category import Category
from handlers.domain.errors import WrongState
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.ports.announcements import AnnouncementFile, StillSending, Upload
from handlers.ports.sent import SentMessage
from storage.repos.attachments import file_of, want
from storage.repos.counters import next_value
from storage.repos.files import body_of, drop_unused, size_of
from storage.tables.announcements import (
    AnnouncementFileRow,
    AnnouncementRow,
    AnnouncementTargetRow,
    AnnouncementUploadRow,
)
from storage.tables.attachments import AttachmentRow
from storage.tables.queue import OutboxRow
from storage.tables.tickets import TicketRow

_A: Final[Any] = AnnouncementRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_T: Final[Any] = AnnouncementTargetRow.__table__  # type: ignore[attr-defined]
_F: Final[Any] = AnnouncementFileRow.__table__  # type: ignore[attr-defined]
_U: Final[Any] = AnnouncementUploadRow.__table__  # type: ignore[attr-defined]
_SENT_ALONG: Final[Any] = AttachmentRow.__table__  # type: ignore[attr-defined]
_OUT: Final[Any] = OutboxRow.__table__  # type: ignore[attr-defined]
_TICKETS: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]
_D: Final[Any] = _OUT.alias("direct")
_G: Final[Any] = _OUT.alias("grouped")
# The key of a row that shows an announcement whole, to a firm or in a group.
_SHOWN: Final = re.compile(r"announcement:(\d{1,9}):(\d{1,9}):(?:firm|group):")
# Longer than any office lives: what is held waits for its release, not for a time.
_HELD: Final = datetime(9000, 1, 1, tzinfo=UTC)
_UPLOAD: Final = text(
    "INSERT INTO announcement_uploads (announcement, attachment, person_id, chat) "
    "SELECT :number, id, :by, :chat FROM attachments WHERE source = :source ON CONFLICT DO NOTHING"
)
_ALSO: Final[Any] = _U.alias("also")
_COMING: Final[Any] = _SENT_ALONG.alias("coming")
# What was sent together is told together; what has to be tried again holds up nothing.
_FIRST_TRY: Final = exists(
    select(_COMING.c.id)
    .select_from(_ALSO.join(_COMING, _COMING.c.id == _ALSO.c.attachment))
    .where(
        _ALSO.c.announcement == _U.c.announcement,
        _COMING.c.state == Keeping.WANTED.value,
        _COMING.c.attempts <= 1,
    )
)
_LIVE: Final = ("approved", "sending", "paused", "sent")
_TRUE: Final = frozenset({State.SENDING, State.PAUSED, State.SENT})


class SqlAnnouncementStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- announcements

    def next_id(self) -> AnnouncementId:
        return AnnouncementId(next_value(self._connection, "announcements", 1))

    def add(self, announcement: Announcement) -> None:
        self._connection.execute(insert(_A).values(_plain(announcement)))

    def save(self, announcement: Announcement) -> None:
        done = self._connection.execute(
            update(_A)
            .where(_A.c.id == announcement.id, _A.c.version == announcement.version - 1)
            .values(_plain(announcement))
        )
        if done.rowcount != 1:
            raise WrongState("announce_changed")

    def get(self, number: AnnouncementId) -> Announcement | None:
        found = self._all(_A.c.id == number)
        return found[0] if found else None

    def _all(self, where: Any, limit: int | None = None) -> tuple[Announcement, ...]:
        asked = select(_A).where(where).order_by(_A.c.id.desc()).limit(limit)
        return tuple(_announcement(row) for row in self._connection.execute(asked))

    def why_not(self, still: StillSending) -> str:
        asked = select(_A.c.state, _A.c.round).where(_A.c.id == still.announcement)
        row = self._connection.execute(asked).first()
        if row is None:
            return "no_announcement"
        if row.round != still.round:
            return "earlier_round"
        # A round that is over may still have second pushes under way.
        return "" if State(row.state) in _TRUE else str(row.state)

    def page(
        self, limit: int, before: int | None, states: Collection[State] = ()
    ) -> tuple[Announcement, ...]:
        where: Any = _A.c.id > 0 if before is None else _A.c.id < before
        if states:
            where &= _A.c.state.in_(sorted(states))
        return self._all(where, limit)

    def busy(self) -> tuple[Announcement, ...]:
        return self._all(_A.c.state == State.SENDING.value)

    def correction_of(self, number: AnnouncementId) -> Announcement | None:
        begun = _A.c.state.in_(("sending", "paused", "sent")) & _A.c.began_at.is_not(None)
        found = self._all(and_(_A.c.corrects == number, begun), 1)
        return found[0] if found else None

    def over(self, now: datetime) -> tuple[Announcement, ...]:
        return self._all(and_(_A.c.state.in_(_LIVE), _A.c.valid_until < now))

    def next_at(self) -> datetime | None:
        asked = select(_A.c.next_at).where(_A.c.next_at.is_not(None)).order_by(_A.c.next_at)
        found: datetime | None = self._connection.execute(asked.limit(1)).scalar()
        return found

    def beat(self, number: AnnouncementId, seen: datetime, next_at: datetime | None) -> None:
        self._connection.execute(
            update(_A).where(_A.c.id == number).values(seen_at=seen, next_at=next_at)
        )

    def interested(
        self, categories: Collection[Category], since: datetime
    ) -> Mapping[Category, frozenset[EnterpriseId]]:
        found: dict[Category, set[EnterpriseId]] = defaultdict(set)
        if categories:
            asked = (
                select(_TICKETS.c.category, _TICKETS.c.enterprise_id)
                .where(
                    _TICKETS.c.category.in_([c.value for c in categories]),
                    _TICKETS.c.created_at >= since,
                    _TICKETS.c.enterprise_id.is_not(None),
                )
                .distinct()
            )
            for category, firm in self._connection.execute(asked):
                found[Category(category)].add(EnterpriseId(firm))
        return {category: frozenset(firms) for category, firms in found.items()}

    # ---- targets

    def freeze(self, number: AnnouncementId, round_: int, targets: Sequence[Target]) -> None:
        if targets:
            self._connection.execute(
                insert(_T),
                [
                    {
                        "announcement": number,
                        "round": round_,
                        "enterprise_id": t.enterprise_id,
                        "route": t.route.value,
                        "state": t.state.value,
                        "why": t.why,
                        "queued": t.state is not TargetState.WAITING,
                    }
                    for t in targets
                ],
            )

    def targets(self, number: AnnouncementId, round_: int) -> tuple[Target, ...]:
        return self._targets(_of(number, round_))

    def target(self, number: AnnouncementId, round_: int, firm: EnterpriseId) -> Target | None:
        found = self._targets(_of(number, round_) & (_T.c.enterprise_id == firm))
        return found[0] if found else None

    def _targets(self, where: Any, limit: int | None = None) -> tuple[Target, ...]:
        asked = (
            select(
                _T,
                _D.c.state.label("direct_state"),
                _D.c.error.label("direct_error"),
                _G.c.state.label("group_state"),
                _G.c.error.label("group_error"),
            )
            .select_from(
                _T.outerjoin(_D, _D.c.id == _T.c.direct_row).outerjoin(
                    _G, _G.c.id == _T.c.group_row
                )
            )
            .where(where)
            .order_by(_T.c.enterprise_id)
            .limit(limit)
        )
        return tuple(_target(row) for row in self._connection.execute(asked))

    def unqueued(
        self, number: AnnouncementId, round_: int, limit: int
    ) -> tuple[tuple[Target, ...], bool]:
        found = self._targets(_of(number, round_) & ~_T.c.queued, limit + 1)
        return found[:limit], len(found) > limit

    def queued(
        self,
        number: AnnouncementId,
        round_: int,
        firm: EnterpriseId,
        direct: int | None,
        group: int | None,
    ) -> None:
        self._change(number, round_, firm, queued=True, direct_row=direct, group_row=group)

    def skip(self, number: AnnouncementId, round_: int, firm: EnterpriseId, why: str) -> None:
        self._change(number, round_, firm, queued=True, state=TargetState.SKIPPED.value, why=why)

    def _change(
        self, number: AnnouncementId, round_: int, firm: EnterpriseId, **values: Any
    ) -> int:
        done = self._connection.execute(
            update(_T).where(_of(number, round_), _T.c.enterprise_id == firm).values(**values)
        )
        return int(done.rowcount)

    def settle(self, number: AnnouncementId, round_: int) -> None:
        waiting = _of(number, round_) & (_T.c.state == TargetState.WAITING.value)
        for target in self._targets(waiting):
            if not target.queued:
                self.skip(number, round_, target.enterprise_id, "not_begun")
            elif target.state is not TargetState.WAITING:
                self._change(
                    number, round_, target.enterprise_id, state=target.state.value, why=target.why
                )

    def read(
        self, number: AnnouncementId, round_: int, firm: EnterpriseId, at: datetime, by: ReadBy
    ) -> bool:
        # Whoever reads was reached, whatever became of the record of the sending.
        done = self._connection.execute(
            update(_T)
            .where(
                _of(number, round_),
                _T.c.enterprise_id == firm,
                _T.c.read_at.is_(None),
                _T.c.queued,
                or_(_T.c.direct_row.is_not(None), _T.c.group_row.is_not(None)),
            )
            .values(read_at=at, read_by=by.value, state=TargetState.SENT.value, why="")
        )
        return bool(done.rowcount == 1)

    def nudged(self, number: AnnouncementId, round_: int, firm: EnterpriseId, at: datetime) -> bool:
        done = self._connection.execute(
            update(_T)
            .where(
                _of(number, round_),
                _T.c.enterprise_id == firm,
                _T.c.nudged_at.is_(None),
                _T.c.read_at.is_(None),
            )
            .values(nudged_at=at)
        )
        return bool(done.rowcount == 1)

    def row_of(self, key: str) -> int | None:
        asked = select(_OUT.c.id).where(_OUT.c.dedupe_key != "", _OUT.c.dedupe_key == key)
        found: int | None = self._connection.execute(asked).scalar()
        return found

    def spoken(self, number: AnnouncementId, round_: int) -> tuple[SentMessage, ...]:
        mark = f"announcement:{number}:{round_}:"
        asked = (
            select(_OUT.c.id, _OUT.c.card_key, _OUT.c.dedupe_key)
            .where(
                _OUT.c.dedupe_key != "",
                _OUT.c.dedupe_key >= mark,
                _OUT.c.dedupe_key < f"announcement:{number}:{round_};",
                _OUT.c.dedupe_key.startswith(mark),
                _OUT.c.state.in_(("sending", "sent")),
            )
            .order_by(_OUT.c.id)
        )
        return tuple(SentMessage(*row) for row in self._connection.execute(asked))

    def group_chats(self, number: AnnouncementId, round_: int) -> tuple[ChatRef, ...]:
        asked = (
            select(_OUT.c.platform, _OUT.c.chat)
            .select_from(_T.join(_OUT, _OUT.c.id == _T.c.group_row))
            .where(_of(number, round_))
            .distinct()
            .order_by(_OUT.c.platform, _OUT.c.chat)
        )
        return tuple(ChatRef(*row) for row in self._connection.execute(asked))

    def of_sent(self, platform: str, message_ref: str) -> AnnouncementId | None:
        asked = select(_OUT.c.dedupe_key).where(
            _OUT.c.platform == platform, _OUT.c.ref == message_ref
        )
        for (key,) in self._connection.execute(asked):
            head, _, rest = str(key).partition(":")
            number = rest.partition(":")[0]
            if head == "announcement" and number.isdigit():
                return AnnouncementId(int(number))
        return None

    def shown_by(self, platform: str, message_ref: str) -> tuple[AnnouncementId, int] | None:
        return self._shown(_OUT.c.platform == platform, _OUT.c.ref == message_ref)

    def told_by(self, row_id: int) -> tuple[AnnouncementId, int] | None:
        return self._shown(_OUT.c.id == row_id)

    def _shown(self, *where: Any) -> tuple[AnnouncementId, int] | None:
        for (key,) in self._connection.execute(select(_OUT.c.dedupe_key).where(*where)):
            shown = _SHOWN.match(str(key))
            if shown is not None:
                return AnnouncementId(int(shown.group(1))), int(shown.group(2))
        return None

    def open_for(self, firm: EnterpriseId, since: datetime) -> tuple[Announcement, ...]:
        meant = exists().where(
            _T.c.announcement == _A.c.id,
            _T.c.round == _A.c.round,
            _T.c.enterprise_id == firm,
            _T.c.read_at.is_(None),
            _T.c.queued,
        )
        return self._all(
            and_(_A.c.state.in_(("sending", "paused", "sent")), _A.c.began_at >= since, meant)
        )

    def unread_counts(self, since: datetime) -> tuple[tuple[Announcement, Progress], ...]:
        asked = and_(_A.c.state.in_(("sending", "sent")), _A.c.need_receipt, _A.c.began_at >= since)
        found = [(a, progress_of(self.targets(a.id, a.round))) for a in self._all(asked)]
        return tuple((a, p) for a, p in found if p.read < p.sent)

    # ---- rows in the outbox

    def hold(self, number: AnnouncementId) -> None:
        self._rows(number, not_before=_HELD)

    def release(self, number: AnnouncementId) -> None:
        self._connection.execute(
            update(_OUT).where(*_unsent(number), _OUT.c.not_before == _HELD).values(not_before=None)
        )

    def drop(self, number: AnnouncementId, why: str) -> None:
        # What a sender holds right now is asked again by it before it goes.
        self._rows(number, state="superseded", error=why)

    def _rows(self, number: AnnouncementId, **values: Any) -> None:
        self._connection.execute(
            update(_OUT).where(*_unsent(number), _OUT.c.lease_until <= time.time()).values(**values)
        )

    # ---- files

    def add_file(
        self, number: AnnouncementId, name: str, content_type: str, digest: str
    ) -> AnnouncementFile:
        size = size_of(self._connection, digest)
        made = self._connection.execute(
            insert(_F)
            .values(
                announcement=number,
                name=name,
                content_type=content_type,
                size=size,
                digest=digest,
            )
            .returning(_F.c.id)
        ).scalar_one()
        return AnnouncementFile(int(made), name, content_type, size, digest)

    def files(self, number: AnnouncementId) -> tuple[AnnouncementFile, ...]:
        asked = (
            select(_F.c.id, _F.c.name, _F.c.content_type, _F.c.size, _F.c.digest)
            .where(_F.c.announcement == number)
            .order_by(_F.c.id)
        )
        return tuple(AnnouncementFile(*row) for row in self._connection.execute(asked))

    def file_body(self, number: AnnouncementId, file_id: int) -> bytes | None:
        asked = select(_F.c.digest).where(_F.c.announcement == number, _F.c.id == file_id)
        digest = self._connection.execute(asked).scalar()
        return None if digest is None else body_of(self._connection, digest)

    def drop_file(self, number: AnnouncementId, file_id: int) -> bool:
        gone = delete(_F).where(_F.c.announcement == number, _F.c.id == file_id)
        digest = self._connection.execute(gone.returning(_F.c.digest)).scalar()
        if digest is None:
            return False
        drop_unused(self._connection, digest)
        return True

    def upload(
        self, number: AnnouncementId, by: PersonId, chat: ChatRef, sent: Sequence[Attachment]
    ) -> int:
        sources = want(self._connection, chat.platform, sent)
        for source in sources:
            values = {"number": number, "source": source, "by": by, "chat": chat.id}
            self._connection.execute(_UPLOAD, values)
        return len(sources)

    def uploading(self, number: AnnouncementId) -> int:
        asked = select(func.count()).select_from(_U).where(_U.c.announcement == number)
        return int(self._connection.execute(asked).scalar_one())

    def uploaded(self) -> tuple[Upload, ...]:
        asked = (
            select(_U.c.announcement, _U.c.person_id, _U.c.chat, _SENT_ALONG)
            .select_from(_U.join(_SENT_ALONG, _SENT_ALONG.c.id == _U.c.attachment))
            .where(_SENT_ALONG.c.state != Keeping.WANTED.value, ~_FIRST_TRY)
            .order_by(_SENT_ALONG.c.id)
        )
        return tuple(
            Upload(
                AnnouncementId(row.announcement),
                PersonId(row.person_id),
                ChatRef(row.platform, row.chat),
                file_of(row, None),
                row.digest,
            )
            for row in self._connection.execute(asked)
        )

    def settle_upload(self, upload: Upload) -> bool:
        gone = self._connection.execute(
            delete(_U).where(
                _U.c.announcement == upload.announcement, _U.c.attachment == upload.file.id
            )
        )
        return bool(gone.rowcount == 1)


def _of(number: AnnouncementId, round_: int) -> Any:
    return and_(_T.c.announcement == number, _T.c.round == round_)


def _unsent(number: AnnouncementId) -> tuple[Any, ...]:
    """Found by the index of the keys: they all begin alike."""
    return (
        _OUT.c.dedupe_key != "",
        _OUT.c.dedupe_key >= f"announcement:{number}:",
        _OUT.c.dedupe_key < f"announcement:{number};",
        _OUT.c.state.in_(("waiting", "sending")),
    )


def _plain(announcement: Announcement) -> dict[str, Any]:
    values = {name: getattr(announcement, name) for name in Announcement.__slots__}
    audience = announcement.audience
    values["kind"] = announcement.kind.value
    values["route"] = announcement.route.value
    values["state"] = announcement.state.value
    values["audience"] = {
        "everybody": audience.everybody,
        "areas": list(audience.areas),
        "grids": list(audience.grids),
        "tags": list(audience.tags),
        "scales": list(audience.scales),
        "interests": [c.value for c in audience.interests],
        "enterprises": list(audience.enterprises),
        "excepted": list(audience.excepted),
    }
    return values


def _announcement(row: Any) -> Announcement:
    values = dict(row._mapping)
    kept = values["audience"]
    values["kind"] = Kind(row.kind)
    values["route"] = Route(row.route)
    values["state"] = State(row.state)
    values["audience"] = Audience(
        kept["everybody"],
        tuple(kept["areas"]),
        tuple(kept["grids"]),
        tuple(kept["tags"]),
        tuple(kept["scales"]),
        tuple(Category(c) for c in kept["interests"]),
        tuple(EnterpriseId(e) for e in kept["enterprises"]),
        tuple(EnterpriseId(e) for e in kept["excepted"]),
    )
    values["author_id"] = PersonId(row.author_id)
    return Announcement(**values)


def _target(row: Any) -> Target:
    state, why = TargetState(row.state), row.why
    rows = [s for s in (row.direct_state, row.group_state) if s is not None]
    if state is TargetState.WAITING and rows:
        state = outcome(rows)
        if state in (TargetState.FAILED, TargetState.SKIPPED):
            why = row.direct_error or row.group_error or ""
    return Target(
        EnterpriseId(row.enterprise_id),
        Route(row.route),
        state,
        why,
        row.read_at,
        None if row.read_by is None else ReadBy(row.read_by),
        row.nudged_at,
        row.queued,
    )
