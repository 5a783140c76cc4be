"""What use cases need of the library of policies, and of what was asked of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.policy_library import Answered, PolicyEntry, PolicyQuestion


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A part of a policy: where it stands, since when, what it says."""

    title: str
    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """An approved entry that fits a question, with the sentence that fits best.

    `sure`: it fits well enough to answer.
    """

    entry: PolicyEntry
    passage: str
    sure: bool
    confidence: float = 0.0


class PolicyStore(Protocol):
    def about(self, question: str) -> tuple[PolicyText, ...]:
        """The texts that an answer to `question` may rest on; none where nothing fits."""
        ...

    def search(self, question: str, today: date, most: int = 3) -> tuple[Found, ...]:
        """The approved entries that fit, best first, ended ones too."""
        ...

    def get(self, policy_id: int) -> PolicyEntry | None: ...
    def all(self) -> tuple[PolicyEntry, ...]:
        """Newest first, drafts and withdrawn ones too."""
        ...

    def add(self, entry: PolicyEntry) -> PolicyEntry:
        """With its id."""
        ...

    def save(self, entry: PolicyEntry) -> None:
        """Raises StaleEntry unless the row is at `entry.version - 1`."""
        ...

    def note(self, question: PolicyQuestion) -> None: ...
    def outcome(self, ticket: TicketNumber, outcome: Answered) -> None:
        """What came of the question of a ticket, after all."""
        ...

    def asked(
        self, since: datetime, until: datetime, outcomes: Collection[Answered]
    ) -> tuple[PolicyQuestion, ...]:
        """Oldest first; confidential tickets' are left out."""
        ...

    def question_of(self, ticket: TicketNumber) -> PolicyQuestion | None: ...
    def interested(self, policy_id: int) -> tuple[PersonId, ...]:
        """Who asked for it or opened it."""
        ...

    def opened(self, policy_id: int, person_id: PersonId, at: datetime) -> None:
        """Somebody asked for it or opened it; the first time counts."""
        ...
