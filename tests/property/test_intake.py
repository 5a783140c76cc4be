"""Invariants 35-37: repeats, order, crashes on the way in."""

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.chat.events import (
    Attachment,
    AttachmentKind,
    ChatKind,
    ChatRef,
    EventKind,
    InboundEvent,
    Pressed,
    Quote,
    UserRef,
    from_plain,
    to_plain,
)
from tests.kit.builders import NOW
from tests.kit.house import House

WORDS = st.text(min_size=0, max_size=40)


def event(number: int, text: str = "") -> InboundEvent:
    words = (
        "缺操作工20人招不到",
        "厂门口路灯坏了5盏",
        "货车在路口被拦进不来",
        "蒸汽压力只有0.4兆帕",
    )
    return InboundEvent(
        "sandbox",
        f"e{number}",
        EventKind.MESSAGE,
        NOW,
        ChatRef("sandbox", "key-enterprises"),
        ChatKind.GROUP,
        UserRef("sandbox", f"E{number % 40 + 1:03d}"),
        "",
        text=text or f"@小港 {words[number % 4]}",
        mention_bot=True,
    )


async def test_35_any_multiset_of_deliveries_gives_the_tickets_of_each_event_once(
    house: House,
) -> None:
    chance = random.Random(7)
    deliveries = [event(n) for n in range(40)] * 3
    chance.shuffle(deliveries)
    done = await asyncio.gather(*(house.app.worker.submit(e) for e in deliveries))
    assert sum(not d.duplicate for d in done) == 40
    assert await house.count("inbox") == 40
    assert await house.count("tickets") == 40
    once = await house.read(
        lambda uow: [len(uow.tickets.by_source("sandbox", f"e{n}")) for n in range(40)]
    )
    assert set(once) == {1}


async def test_36_an_event_whose_work_failed_stays_and_is_worked_on_later(house: House) -> None:
    """The first try meets a broken rule; the event is on disk and the loop makes it good."""
    book = house.app.wiring.book
    broken = {"left": 2}

    class Breaking:
        def __getattr__(self, name: str) -> Any:
            if name == "command" and broken["left"] > 0:
                broken["left"] -= 1
                raise RuntimeError("a bug of a day")
            return getattr(book, name)

    house.app.wiring.book = Breaking()  # type: ignore[assignment]
    done = await house.app.worker.submit(event(1))
    assert (done.worked, done.inbox_id is not None) == (False, True)
    assert await house.count("tickets") == 0
    second = await house.app.worker.submit(event(5))
    assert not second.worked, "a later event of the chat must not overtake"
    for _ in range(80):
        await asyncio.sleep(0.1)
        if await house.count("tickets") == 2:
            break
    assert await house.count("tickets") == 2
    first = await house.ticket(1001)
    assert first.source.message_id == "e1"


async def test_37_the_bots_own_messages_open_nothing(house: House) -> None:
    from dataclasses import replace

    await house.app.worker.submit(replace(event(1), from_bot=True))
    assert await house.count("tickets") == 0


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=WORDS,
    name=WORDS,
    quote=st.none() | st.builds(Quote, WORDS, WORDS),
    press=st.none()
    | st.builds(
        Pressed, WORDS, st.dictionaries(WORDS, WORDS, max_size=3), st.tuples(WORDS), WORDS, WORDS
    ),
    attachments=st.lists(
        st.builds(Attachment, st.sampled_from(list(AttachmentKind)), WORDS, WORDS), max_size=3
    ),
    mention=st.booleans(),
)
def test_an_event_survives_the_inbox(
    text: str, name: str, quote: Any, press: Any, attachments: Any, mention: bool
) -> None:
    import json
    from dataclasses import replace

    one = replace(
        event(1, text or "x"),
        sender_name=name,
        quote=quote,
        press=press,
        attachments=tuple(attachments),
        mention_bot=mention,
    )
    assert from_plain(json.loads(json.dumps(to_plain(one)))) == one
