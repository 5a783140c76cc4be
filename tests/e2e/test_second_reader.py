"""The second reader in the whole bot: a chat keeps its order while an opinion is awaited."""

import asyncio
from dataclasses import replace

from sqlalchemy import text

from bot.worker import Worker
from bot.writer import Writer
from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, UserRef
from handlers.understanding import SecondOpinion, read
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES
from storage.db import engine_for
from storage.uow import Shared
from tests.kit.house import House

UNSURE = "热电当班说减温减压器卡住在抢,预计一个小时能提到0.6"
PROBLEM = "门口路灯坏了5盏，晚上看不见"
A_TICKET = SecondOpinion(
    0.99,
    tuple(float(i == "new_problem") for i in INTENTS),
    tuple(float(c == "ENE") for c in CATEGORIES),
    tuple(float(u == "U2") for u in URGENCIES),
)


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.texts: list[str] = []

    async def ask(self, text: str, role: str | None) -> SecondOpinion | None:
        self.texts.append(text)
        await self.let.wait()
        return A_TICKET


async def worked_on(house: House) -> list[str]:
    """The events that are done, in the order in which they came."""
    asked = text("SELECT event_id FROM inbox WHERE state = 'done' ORDER BY id")
    return list(await house.read(lambda uow: uow.connection.execute(asked).scalars().all()))


async def test_what_is_said_next_in_a_chat_stays_behind_what_is_still_thought_about(
    house: House,
) -> None:
    assert read(UNSURE, "manager", addressed=True).unsure
    second = Slow()
    worker = Worker(house.app.writer, house.app.wiring, second=second)
    here = InboundEvent(
        "sandbox",
        "first",
        EventKind.MESSAGE,
        house.clock.now(),
        ChatRef("sandbox", "E003"),
        ChatKind.DIRECT,
        UserRef("sandbox", "E003"),
        text=UNSURE,
    )
    there = replace(
        here, event_id="other", chat=ChatRef("sandbox", "E001"), sender=UserRef("sandbox", "E001")
    )
    # All at once, so that they come into one commit.
    first = worker.submit(here)
    after = [
        worker.submit(replace(here, event_id=f"after{n}", text=f"{PROBLEM}，第{n}次说"))
        for n in range(3)
    ]
    elsewhere = worker.submit(replace(there, text=PROBLEM))
    await elsewhere
    assert second.texts == [UNSURE]
    assert not first.done() and not any(one.done() for one in after)
    # On PostgreSQL the first is kept for other processes to see; worked on it is on neither.
    assert await worked_on(house) == ["other"]
    second.let.set()
    done = await asyncio.gather(first, *after)
    ids = [one.inbox_id for one in done]
    assert None not in ids and ids == sorted(ids)
    assert await house.count("inbox") == 5


async def test_what_another_process_hears_next_in_the_chat_stays_behind_it_too(
    postgres_url: str,
) -> None:
    async with House(postgres_url) as house:
        second = Slow()
        one = Worker(house.app.writer, house.app.wiring, second=second)
        writer = Writer(engine_for(postgres_url), Shared(house.clock.now, ["sandbox"]))
        writer.start()
        other = Worker(writer, house.app.wiring, second=second)
        here = InboundEvent(
            "sandbox",
            "first",
            EventKind.MESSAGE,
            house.clock.now(),
            ChatRef("sandbox", "E003"),
            ChatKind.DIRECT,
            UserRef("sandbox", "E003"),
            text=UNSURE,
        )
        first = one.submit(here)
        while not second.texts:
            await asyncio.sleep(0)
        behind = await other.submit(replace(here, event_id="next", text=PROBLEM))
        assert (behind.duplicate, behind.worked) == (False, False)
        assert await other.catch_up() == 0
        # The platform delivers the first once more, to the other process.
        assert (await other.submit(here)).duplicate
        assert not first.done() and await worked_on(house) == []

        second.let.set()
        assert (await first).worked
        await other.catch_up()
        assert await worked_on(house) == ["first", "next"]
        number, following = await house.ticket(1001), await house.ticket(1002)
        assert (number.source.message_id, following.source.message_id) == ("first", "next")
        await writer.stop()
