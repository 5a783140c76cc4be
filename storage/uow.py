"""The unit of work: repositories over one connection, one commit by whoever opened it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Connection

from storage.repos.people import RegistryCache, SqlPeopleStore
from storage.repos.queue import InboxStore, OutboxRows
from storage.repos.sandbox import SandboxStore
from storage.repos.search import index_new
from storage.repos.small import (
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
from storage.repos.tickets import SqlTicketStore


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


class UnitOfWork:
    """Implements handlers.ports.Work; a repository is made when it is first asked for."""

    def __init__(self, connection: Connection, shared: Shared) -> None:
        self.connection = connection
        self.shared = shared

    def tidy(self) -> None:
        """What is done once for many pieces of work, by whoever commits them."""
        index_new(self.connection)

    @cached_property
    def tickets(self) -> SqlTicketStore:
        return SqlTicketStore(self.connection)

    @cached_property
    def people(self) -> SqlPeopleStore:
        return SqlPeopleStore(self.connection, self.shared.registry)

    @cached_property
    def chats(self) -> SqlChatStore:
        return SqlChatStore(self.connection)

    @cached_property
    def outbox(self) -> OutboxRows:
        return OutboxRows(self.connection, self.people, self.shared.now, self.shared.directly)

    @cached_property
    def inbox(self) -> InboxStore:
        return InboxStore(self.connection)

    @cached_property
    def audit(self) -> SqlAuditStore:
        return SqlAuditStore(self.connection)

    @cached_property
    def dialogues(self) -> SqlDialogueStore:
        return SqlDialogueStore(self.connection)

    @cached_property
    def candidates(self) -> SqlCandidateStore:
        return SqlCandidateStore(self.connection)

    @cached_property
    def heard(self) -> SqlHeardStore:
        return SqlHeardStore(self.connection)

    @cached_property
    def office(self) -> SqlOfficeStore:
        return SqlOfficeStore(self.connection, self.shared.policy)

    @cached_property
    def tokens(self) -> SqlTokenStore:
        return SqlTokenStore(self.connection)

    @cached_property
    def jobs(self) -> SqlJobStore:
        return SqlJobStore(self.connection)

    @cached_property
    def sandbox(self) -> SandboxStore:
        return SandboxStore(self.connection)
