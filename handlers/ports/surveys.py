"""Where surveys, whom they ask and what was answered are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.domain.ids import EnterpriseId
from handlers.domain.survey import Answer, Survey


@dataclass(frozen=True, slots=True)
class Target:
    """A firm that is asked; `reminded_at`: when it was reminded, at most once."""

    enterprise_id: EnterpriseId
    reminded_at: datetime | None = None


class SurveyStore(Protocol):
    def next_number(self) -> int:
        """From 1."""
        ...

    def add(self, survey: Survey) -> None: ...
    def save(self, survey: Survey) -> None: ...
    def get(self, number: int) -> Survey | None:
        """Ours to change until the commit."""
        ...

    def find(self, number: int) -> Survey | None:
        """To read only."""
        ...

    def page(self, limit: int, before: int | None) -> tuple[Survey, ...]:
        """Newest first, with numbers below `before`."""
        ...

    def open(self) -> tuple[Survey, ...]:
        """Those that wait for answers in time, newest first."""
        ...

    def opened_since(self, since: datetime) -> tuple[Survey, ...]:
        """Sent from `since` on and not taken back, newest first."""
        ...

    def asking(self, enterprise_id: EnterpriseId, since: datetime) -> tuple[Survey, ...]:
        """Those sent to a firm from `since` on that still take answers, newest first."""
        ...

    def set_targets(self, number: int, firms: Iterable[EnterpriseId]) -> None: ...
    def targets(self, number: int) -> tuple[Target, ...]:
        """By firm id."""
        ...

    def remind(self, number: int, enterprise_id: EnterpriseId, at: datetime) -> bool:
        """Note the one reminder of a firm; False where there was one."""
        ...

    def add_answer(self, answer: Answer) -> int: ...
    def answers(self, number: int, enterprise_id: EnterpriseId | None = None) -> tuple[Answer, ...]:
        """All that was ever answered, oldest first."""
        ...

    def due(self, now: datetime) -> tuple[int, ...]:
        """Those whose reminder or deadline has come."""
        ...

    def next_at(self) -> datetime | None: ...
