"""Addresses that lead one person to one page, and what is remembered of their opening."""

from datetime import datetime
from typing import Final, Protocol

from handlers.domain.ids import PersonId


class Links(Protocol):
    """Addresses that lead one person to one thing and end by themselves."""

    def to(self, what: str, subject: str, person: PersonId, until: datetime | None = None) -> str:
        """The address; empty where the process has no address of its own.

        `what` is the kind of page, with a form behind a dash where it has several. It ends at
        `until` in business time, by default after a day.
        """
        ...


class NoLinks:
    """For processes that serve no pages."""

    def to(self, what: str, subject: str, person: PersonId, until: datetime | None = None) -> str:
        return ""


NO_LINKS: Final = NoLinks()


class OpeningStore(Protocol):
    """Which browser a personal link belongs to: the first that opened it."""

    def reader(self, link: str) -> str | None:
        """The mark of the browser that a link is bound to."""
        ...

    def take(self, link: str, reader: str, until: float) -> bool:
        """Bind a link to a browser; whether it is this one's. `until`: wall time of the link's end."""
        ...

    def forget(self) -> int:
        """Drop what is over."""
        ...
