"""One house and one strict far end that it speaks with, for a platform's own stories."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.house import House


@dataclass(frozen=True, slots=True)
class Scene:
    """`caller` brings what people do, `line` is the platform's connection where it holds one."""

    house: House
    far: Any
    caller: Any
    line: Any = None

    async def sent(self) -> None:
        await self.house.app.dispatcher.drain()

    def last_card(self, receiver: str) -> dict[str, Any]:
        found: dict[str, Any] = [m for m in self.far.to(receiver) if m["card"] is not None][-1]
        return found


async def introduced(
    house: House, platform: str, accounts: Sequence[tuple[str, str]], group: str
) -> None:
    """Who is who there, by account and person, and the firms' group."""

    def write(uow: UnitOfWork) -> None:
        for user, person in accounts:
            uow.people.save_identity(Identity(platform, user, person))
        uow.chats.save_chat(Chat(platform, group, "群", "group", True))

    await house.app.writer.run(write)


def short_of_time(house: House, platform: str, seconds: float = 0.2) -> None:
    """That platform waits for its answer no longer than this."""
    speaking: Any = house.app.platforms[platform]
    speaking.can = replace(speaking.can, budget_seconds=seconds)


@contextmanager
def busy_database(url: str) -> Iterator[None]:
    """Somebody else writes; our own writing waits."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
