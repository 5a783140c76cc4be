"""The visit book."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.domain.ids import EnterpriseId
from handlers.domain.visit import Mode, Visit


@dataclass(frozen=True, slots=True)
class VisitQuery:
    """What a list of visits is narrowed by; `firms` None: all, and empty: none.

    `by` is the name of somebody who went; `entered_since` to `entered_until` holds its last instant. Dropped visits are in no list, planned ones only
    where `planned` is set.
    """

    firms: frozenset[EnterpriseId] | None = None
    enterprise_id: EnterpriseId | None = None
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    entered_since: datetime | None = None
    entered_until: datetime | None = None
    project: str = ""
    planned: bool = False
    limit: int = 200
    before: int | None = None


class VisitStore(Protocol):
    def next_number(self, stem: str) -> tuple[int, int]:
        """The next short number, from 1, and the next of the codes of `stem`, from 1."""
        ...

    def add(self, visit: Visit) -> None: ...
    def save(self, visit: Visit) -> None: ...
    def find(self, number: int) -> Visit | None: ...
    def by_source(self, platform: str, message_id: str) -> Visit | None:
        """The visit that a message was entered by."""
        ...

    def from_message(self, number: int, platform: str, message_id: str) -> None: ...
    def search(self, query: VisitQuery) -> tuple[Visit, ...]:
        """Newest entry first."""
        ...

    def entries(
        self, enterprise_id: EnterpriseId, mode: Mode, since: datetime, until: datetime
    ) -> tuple[datetime, ...]:
        """When a firm was visited in that way, by whomever."""
        ...

    def last(self, at: datetime | None = None) -> Mapping[EnterpriseId, datetime]:
        """When each firm was last visited, in whatever way, by what was known at `at`."""
        ...

    def first_planned_or_kept(self) -> datetime | None:
        """When the book was first written in."""
        ...

    def began(self) -> datetime | None:
        """When the first visit was entered."""
        ...
