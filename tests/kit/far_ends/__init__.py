"""Every platform's far end as people use it: they say, press and read, and see what arrives.

A platform joins by one module here with its `ENDS`; the stories run on whatever this folder holds.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import text

from bot.platform import RawRequest
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.house import House

GROUP_TITLE = "老洪港试点企业交流群"


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it stands in a chat now, in words that belong to no platform.

    `text` is all it says, a card's title, rows and state with it; `links` are its buttons that open
    a page; `ref` is what the platform calls it, empty where nobody can name it.
    """

    text: str
    title: str = ""
    buttons: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Ways:
    """What people can do there, as the platform lets them."""

    # The bot hears a group; else a firm speaks to it alone.
    groups: bool = True
    # An answer can name the message it answers, by id or by its words.
    quotes: bool = True
    # The platform tells who has read what was said to them alone.
    tells_reading: bool = False
    # A card that stands in the group is replaced there.
    replaces_in_group: bool = False


class FarEnd(Protocol):
    """One platform in one mode. People go by their ids in the registry."""

    platform: str
    ways: Ways
    group: str

    @property
    def settings(self) -> dict[str, str]:
        """What the house is started with; known once the far end is up."""
        ...

    @property
    def robot(self) -> str:
        """The address of the group's own robot, where one is needed to speak there."""
        ...

    def account(self, person: str) -> str: ...

    async def meets(self, house: House, people: Iterable[str]) -> None:
        """The bot is up and knows who is who: connect, and let everybody open their chat."""
        ...

    async def says(
        self,
        person: str,
        text: str,
        *,
        in_group: bool = False,
        answering: Seen | None = None,
        times: int = 1,
    ) -> None:
        """Somebody writes, in the group with a mention of the bot; brought `times` over."""
        ...

    async def presses(self, person: str, message: Seen, label: str) -> Seen | None:
        """What stands in place of the card; None where nothing does."""
        ...

    async def reads(self, person: str, *messages: Seen) -> None:
        """Somebody looks at what the bot said to them alone."""
        ...

    def seen(self, person: str) -> list[Seen]:
        """What the bot said to one person, in order."""
        ...

    def in_group(self) -> list[Seen]: ...

    def alive(self, message: Seen) -> bool:
        """Whether something typed by a person would call everybody there, or be a tag or a link."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """One address where a platform brings things: what stands inside, and how it is signed.

    `inside` is one thing that it brings, `strange` one that nobody knows. `seal` signs an inside at
    a time, in seconds. `says` makes the inside of a message, always of one id, where messages come
    here. `deadline` is when the platform gives up on the answer. `ages`: a signature may be too old.
    `covers`: it covers the body.
    """

    platform: str
    settings: Mapping[str, str]
    name: str
    inside: bytes
    strange: bytes
    seal: Callable[[bytes, float], RawRequest]
    says: Callable[[str], bytes] | None = None
    deadline: float = 60.0
    ages: bool = True
    covers: bool = True


Opened = Callable[[], AbstractAsyncContextManager[FarEnd]]


def _modules() -> list[Any]:
    return [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]


def ends() -> dict[str, Opened]:
    """Every far end by its name: the platform, and its mode where there are several."""
    return {name: end for module in _modules() for name, end in sorted(module.ENDS.items())}


def hooks() -> dict[str, Hook]:
    """Every address that platforms bring things to, by its path."""
    found = [hook for module in _modules() for hook in module.HOOKS]
    return {f"{hook.platform}/{hook.name}".rstrip("/"): hook for hook in found}


@dataclass(frozen=True, slots=True)
class Place:
    """The bot in its house and one far end that it speaks with."""

    house: House
    far: FarEnd

    async def sent(self) -> None:
        await self.house.app.dispatcher.drain()

    async def last(self, person: str) -> Seen:
        await self.sent()
        return self.far.seen(person)[-1]

    async def card(self, person: str, label: str) -> Seen:
        """The newest card of somebody that has such a button."""
        await self.sent()
        return [m for m in self.far.seen(person) if label in m.buttons][-1]

    async def dead(self) -> list[str]:
        page = await self.house.read(lambda uow: uow.outbox.page("dead", 50, None))
        return [str(row["error"]) for row in page.items]


def accounts(far: FarEnd, people: Iterable[str]) -> Callable[[UnitOfWork], None]:
    """Who is who on the platform, and its group; accounts of the sandbox are gone."""

    def write(uow: UnitOfWork) -> None:
        for person in people:
            uow.people.save_identity(Identity(far.platform, far.account(person), person))
        chat = Chat(far.platform, far.group, GROUP_TITLE, "group", True, far.robot)
        uow.chats.save_chat(chat)

    return write


@asynccontextmanager
async def placed(name: str, url: str, people: Iterable[str]) -> AsyncIterator[Place]:
    """The bot on the sample registry with that far end as its only platform."""
    known = tuple(people)
    async with ends()[name]() as far, House(url, {**far.settings, "LHG_SANDBOX": "0"}) as house:
        await house.app.writer.run(accounts(far, known))
        await far.meets(house, known)
        yield Place(house, far)


_ANSWERED = text(
    "SELECT COUNT(*) FROM inbox i WHERE i.platform = :p AND i.event_id = :e AND NOT EXISTS "
    "(SELECT 1 FROM outbox o WHERE o.answers = i.id AND o.state IN ('waiting','sending'))"
)


async def worked_on(house: House, platform: str, event_id: str) -> None:
    """Wait until an event that nobody waits for is done and answered; five seconds at most."""

    def look(uow: UnitOfWork) -> int:
        asked = {"p": platform, "e": event_id}
        return int(uow.connection.execute(_ANSWERED, asked).scalar_one())

    for _ in range(500):
        if await house.read(look):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"nothing came of {event_id}")
