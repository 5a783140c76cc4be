"""What one kind of personal page is. Modules of `bot.pages` expose theirs as `pages`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.clock import MovableClock, SystemClock
from handlers.domain.people import Person
from handlers.ports import Links
from storage.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that was opened by the browser it belongs to, in a unit of work.

    `form` is what stands behind the dash of the link's kind; `part` what stands behind the link
    in the address, e.g. the number of an attachment; `address` the link's own path.
    """

    uow: UnitOfWork
    clock: SystemClock | MovableClock
    links: Links
    templates: Path | None
    form: str
    subject: str
    person: Person
    address: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Html:
    """A page from a template of `bot/pages/templates`, filled with plain values."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class File:
    """A file; `made` may take its time, it is called in a thread. `inline`: shown, not saved."""

    name: str
    content_type: str
    made: Callable[[], bytes]
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was sent is in; the page is shown again."""


Shown = Html | File
Show = Callable[[Opened], Shown | None]
# Fields of a form, each with everything that was sent under its name.
Submit = Callable[[Opened, Mapping[str, list[str]]], Shown | Done | None]


@dataclass(frozen=True, slots=True)
class Page:
    """`what` is the kind of the links that lead here. None from `show` or `submit`: nothing to see."""

    what: str
    show: Show
    submit: Submit | None = None
