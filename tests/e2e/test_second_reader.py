"""The second reader in the whole bot: a chat keeps its order while an opinion is awaited."""

import asyncio
from dataclasses import replace

from bot.worker import Worker
from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, UserRef
from handlers.understanding import SecondOpinion, read
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES
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
    assert await house.count("inbox") == 1
    second.let.set()
    done = await asyncio.gather(first, *after)
    ids = [one.inbox_id for one in done]
    assert None not in ids and ids == sorted(ids)
    assert await house.count("inbox") == 5
