"""Campaigns with their lists of targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.domain.campaign import Campaign, Mark, Target
from handlers.domain.ids import PersonId, TicketNumber


@dataclass(frozen=True, slots=True)
class Ticking:
    """What one sentence changed: the marks of each target before and after."""

    id: int
    campaign: int
    at: datetime
    by: PersonId
    before: Mapping[int, tuple[Mark, ...]]
    after: Mapping[int, tuple[Mark, ...]]
    undone: bool = False


class CampaignStore(Protocol):
    def add(self, campaign: Campaign) -> Campaign:
        """Kept under the next number."""
        ...

    def save(self, campaign: Campaign) -> None: ...
    def get(self, number: int) -> Campaign | None: ...
    def named(self, name: str) -> Campaign | None: ...
    def campaigns(self, ended: bool = False) -> tuple[Campaign, ...]:
        """Those under way, with `ended` all; in the order they were made."""
        ...

    def targets(self, campaign: int) -> tuple[Target, ...]:
        """In the order of the list."""
        ...

    def lock(self, campaign: int) -> None:
        """Nobody else changes its marks until the commit."""
        ...

    def add_targets(self, targets: Sequence[Target]) -> None: ...
    def save_targets(self, targets: Sequence[Target]) -> None: ...
    def add_ticking(self, ticking: Ticking) -> None: ...
    def last_ticking(self, by: PersonId, since: datetime) -> Ticking | None:
        """The newest of this person's that was not taken back."""
        ...

    def undone(self, ticking: Ticking) -> None: ...
    def reach(self, campaign: int, key: str, at: datetime) -> bool:
        """Note a milestone; False where it was reached before."""
        ...

    def add_ticket(self, target: int, number: TicketNumber) -> None: ...
    def tickets(self, campaign: int) -> Mapping[int, tuple[TicketNumber, ...]]:
        """The tickets that came of each target."""
        ...
