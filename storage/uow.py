"""The unit of work: repositories over one connection, one commit by whoever opened it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Connection

from handlers.chat.events import ChatRef, UserRef
from handlers.domain.ids import TicketNumber
from handlers.domain.ticket import Ticket
from handlers.ports.policies import PolicyStore
from storage.db import cursor_of
from storage.repos.advice import SqlAdviceStore
from storage.repos.announcements import SqlAnnouncementStore
from storage.repos.attachments import SqlAttachmentStore
from storage.repos.calendar import CalendarCache, SqlCalendarStore
from storage.repos.campaigns import SqlCampaignStore
from storage.repos.corrections import SqlCorrectionStore, SqlWordStore, WordCache
from storage.repos.counters import Versions
from storage.repos.files import FileStore
from storage.repos.notes import NoteStore
from storage.repos.openings import SqlOpeningStore
from storage.repos.people import RegistryCache, SqlPeopleStore
from storage.repos.policies import LibraryCache, SqlPolicyStore
from storage.repos.queue import InboxStore, OutboxRows
from storage.repos.reports import SqlReportStore
from storage.repos.sandbox import SandboxStore
from storage.repos.schedules import SqlScheduleStore
from storage.repos.search import index_new
from storage.repos.sessions import SessionStore
from storage.repos.signups import SqlSignUpStore
from storage.repos.small import (
    AuditTail,
    ChatCache,
    PolicyCache,
    SqlAuditStore,
    SqlCandidateStore,
    SqlChatStore,
    SqlDialogueStore,
    SqlHeardStore,
    SqlJobStore,
    SqlOfficeStore,
    SqlTokenStore,
)
from storage.repos.surveys import SqlSurveyStore
from storage.repos.tickets import SqlTicketStore, TicketCache, Version
from storage.repos.visits import SqlVisitStore
from storage.turns import Turn


def _wall() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Shared:
    """What all units of work of a process share: caches, the clock, and the platforms that can
    reach one person (None: any).
    """

    now: Callable[[], datetime] = _wall
    directly: Sequence[str] | None = None
    registry: RegistryCache = field(default_factory=RegistryCache)
    policy: PolicyCache = field(default_factory=PolicyCache)
    chats: ChatCache = field(default_factory=ChatCache)
    calendar: CalendarCache = field(default_factory=CalendarCache)
    words: WordCache = field(default_factory=WordCache)
    library: LibraryCache = field(default_factory=LibraryCache)
    tickets: TicketCache = field(default_factory=TicketCache)
    # Another library than the tables': only what the model service is told needs one.
    policies: PolicyStore | None = None

    def touched(self, chat: ChatRef, user: UserRef | None = None) -> frozenset[str]:
        """Whose things an event of this chat changes, as far as that is known beforehand.

        Two of one chat or one firm are never worked on at the same time.
        """
        names = {f"chat|{chat.platform}|{chat.id}"}
        if user is not None:
            known = self.registry.snapshot
            identity = known.identities.get((user.platform, user.id))
            person = None if identity is None else known.people.get(identity.person_id)
            firm = None if person is None else person.enterprise_id
            names.add(f"firm|{firm}" if firm else f"user|{user.platform}|{user.id}")
        return frozenset(names)


class Instant:
    """The time of one unit of work: read once, so that all it does and writes agrees."""

    __slots__ = ("_at", "_read")

    def __init__(self, read: Callable[[], datetime]) -> None:
        self._read = read
        self._at: datetime | None = None

    def now(self) -> datetime:
        if self._at is None:
            self._at = self._read()
        return self._at


class Batch:
    """What the units of work of one commit share: read once, right until one is rolled back.

    `late`: whoever commits calls `finish` before. `numbers`: see SqlTicketStore.
    """

    __slots__ = ("audit", "numbers", "opened", "tickets", "turn", "versions")

    def __init__(self, late: bool = False, numbers: Connection | None = None) -> None:
        self.turn = Turn()
        self.versions = Versions(self.turn)
        self.audit = AuditTail(self.turn, late)
        self.numbers = numbers
        # The tickets that these units of work opened.
        self.opened: list[TicketNumber] = []
        # Those that were written or looked at; known to others once they are committed.
        self.tickets: dict[Version, Ticket] = {}

    def forget(self) -> None:
        """Something was rolled back."""
        self.versions.forget()
        self.audit.forget()
        self.tickets.clear()

    def finish(self, connection: Connection) -> None:
        """Last before the commit."""
        self.audit.write(connection)


class Savepoint:
    """A part of a transaction; a class, as a generator's frame costs as much as the statements."""

    __slots__ = ("_audited", "_cursor", "_opened", "_uow")

    def __init__(self, uow: "UnitOfWork") -> None:
        self._uow = uow
        self._opened = len(uow.batch.opened)
        self._audited = len(uow.batch.audit.lines)
        self._cursor = cursor_of(uow.connection)

    def __enter__(self) -> None:
        self._cursor.execute("SAVEPOINT part")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self._cursor.execute("ROLLBACK TO SAVEPOINT part")
            self._uow.batch.forget()
            del self._uow.batch.opened[self._opened :]
            del self._uow.batch.audit.lines[self._audited :]
        self._cursor.execute("RELEASE SAVEPOINT part")


class UnitOfWork:
    """Implements handlers.ports.Work over one connection; the repositories are cheap to make."""

    def __init__(self, connection: Connection, shared: Shared, batch: Batch | None = None) -> None:
        self.connection = connection
        self.shared = shared
        self.batch = batch or Batch()
        self.clock = Instant(shared.now)
        now = self.clock.now
        versions = self.batch.versions
        self.people = SqlPeopleStore(connection, shared.registry, versions, now)
        self.office = SqlOfficeStore(connection, shared.policy, versions)
        self.calendar = SqlCalendarStore(connection, shared.calendar, versions)
        policy = self.office.policy
        self.tickets = SqlTicketStore(
            connection,
            self.calendar.current,
            policy,
            self.batch.opened,
            self.batch.turn,
            self.batch.numbers,
            shared.tickets,
            self.batch.tickets,
        )
        self.chats = SqlChatStore(connection, shared.chats, versions)
        self.outbox = OutboxRows(connection, self.people, now, shared.directly, policy)
        self.inbox = InboxStore(connection)
        self.audit = SqlAuditStore(connection, self.batch.audit)
        self.dialogues = SqlDialogueStore(connection)
        self.heard = SqlHeardStore(connection)
        self.words = SqlWordStore(connection, shared.words, versions)
        self.policies: PolicyStore = shared.policies or SqlPolicyStore(
            connection, shared.library, versions, now
        )
        self.signups = SqlSignUpStore(connection)
        self.surveys = SqlSurveyStore(connection)

    # ---- what a message seldom comes to: made when it is asked for

    @cached_property
    def candidates(self) -> SqlCandidateStore:
        return SqlCandidateStore(self.connection)

    @cached_property
    def tokens(self) -> SqlTokenStore:
        return SqlTokenStore(self.connection)

    @cached_property
    def corrections(self) -> SqlCorrectionStore:
        return SqlCorrectionStore(self.connection)

    @cached_property
    def advice(self) -> SqlAdviceStore:
        return SqlAdviceStore(self.connection)

    @cached_property
    def jobs(self) -> SqlJobStore:
        return SqlJobStore(self.connection)

    @cached_property
    def reports(self) -> SqlReportStore:
        return SqlReportStore(self.connection)

    @cached_property
    def schedules(self) -> SqlScheduleStore:
        return SqlScheduleStore(self.connection)

    @cached_property
    def announcements(self) -> SqlAnnouncementStore:
        return SqlAnnouncementStore(self.connection)

    @cached_property
    def openings(self) -> SqlOpeningStore:
        return SqlOpeningStore(self.connection)

    @cached_property
    def files(self) -> FileStore:
        return FileStore(self.connection)

    @cached_property
    def attachments(self) -> SqlAttachmentStore:
        return SqlAttachmentStore(self.connection)

    @cached_property
    def sessions(self) -> SessionStore:
        return SessionStore(self.connection)

    @cached_property
    def visits(self) -> SqlVisitStore:
        return SqlVisitStore(self.connection)

    @cached_property
    def campaigns(self) -> SqlCampaignStore:
        return SqlCampaignStore(self.connection)

    @cached_property
    def sandbox(self) -> SandboxStore:
        return SandboxStore(self.connection)

    @cached_property
    def notes(self) -> NoteStore:
        return NoteStore(self.connection)

    def savepoint(self) -> "Savepoint":
        """Rolled back alone when its body raises; the exception goes on."""
        return Savepoint(self)

    def tidy(self) -> None:
        """What is done once for many pieces of work, by whoever commits them."""
        index_new(self.connection)
