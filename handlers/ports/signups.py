"""Where sign-ups are kept."""

from datetime import datetime
from typing import Protocol

from handlers.domain.signup import SignUp


class SignUpStore(Protocol):
    def next_number(self) -> int:
        """From 1."""
        ...

    def add(self, signup: SignUp) -> None: ...
    def save(self, signup: SignUp) -> None: ...
    def get(self, number: int) -> SignUp | None:
        """Ours to change until the commit."""
        ...

    def find(self, number: int) -> SignUp | None:
        """To read only."""
        ...

    def open_in(self, platform: str, chat: str) -> tuple[SignUp, ...]:
        """Those of a chat that nobody closed, newest first."""
        ...

    def open(self) -> tuple[SignUp, ...]:
        """All that nobody closed, newest first."""
        ...

    def page(self, limit: int, before: int | None) -> tuple[SignUp, ...]:
        """Newest first, with numbers below `before`."""
        ...

    def due(self, now: datetime) -> tuple[int, ...]:
        """Those whose time is over and that are still to be closed."""
        ...

    def next_at(self) -> datetime | None:
        """When the next one is to be closed."""
        ...
