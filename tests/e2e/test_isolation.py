"""Another firm's manager gets nothing of a ticket, whichever registered way is tried.

Both walks go over what is registered, so a new command, button or API route is covered by itself.
"""

import re
from hashlib import sha256
from typing import Any

from bot import registry
from bot.api import ROUTES
from handlers.chat.router import RouteKind
from handlers.domain.people import Token
from tests.kit.house import House

CANARY = "独角鲸牌行车抱闸失灵"
OWN, OTHER = "E003", "E004"
TOKEN = "token-of-the-other-firm"


async def with_ticket(house: House) -> None:
    await house.group_says(OWN, f"@小港 {CANARY}，请协调检修，缺操作工2人")
    await house.says("P041", "认领 1001")
    await house.says("P041", f"进展 1001 {CANARY}已联系维保单位")


async def leaked(house: House) -> list[str]:
    """Everything the bot said to the other firm that tells of the ticket."""
    told = [m["text"] + str(m["card"]) for m in await house.bot_said(OTHER)]
    return [t for t in told if CANARY in t or "抱闸" in t or "小周" in t]


async def test_no_command_button_or_quote_reaches_another_firms_ticket(house: House) -> None:
    await with_ticket(house)
    before = await house.ticket()
    history = await house.count("ticket_history")
    words, actions = [], []
    for route in (r for router in registry.routers() for r in router.routes):
        if route.kind is RouteKind.COMMAND:
            words.extend((*route.words, *route.exact))
        elif route.kind is RouteKind.ACTION:
            actions.append(route.words[0])
    assert len(words) > 60
    for word in words:
        await house.says(OTHER, f"{word} 1001 随便写一句话看看行不行")
        await house.says(OTHER, f"{word} {before.code} 12月5日 一句话")
        await house.says(OTHER, f"{word} #1001")
    card = next(m for m in await house.bot_said(OWN) if m["card"] or m["text"])
    for action in actions:
        await press(house, action)
    await house.says(OTHER, f"搜 {CANARY}")
    await house.says(OTHER, f"查 {CANARY[:3]}")
    await house.says(OTHER, "我的工单")
    group = (await house.in_group())[0]
    for text in ("认领", "查", "办结 已经修好了没事", "没解决", "非常满意", "补充 一下情况"):
        await house.group_says(OTHER, text, reply_to=group["id"])
    assert card
    assert await leaked(house) == []
    assert await house.ticket() == before
    same = await house.read(lambda uow: uow.tickets.history(1001))
    assert len(same) == 3
    assert await house.count("ticket_history") >= history


async def press(house: House, action: str) -> None:
    """A press with invented arguments, as a forged card would send it."""
    from handlers.chat.events import (
        ChatKind,
        ChatRef,
        EventKind,
        InboundEvent,
        Pressed,
        UserRef,
    )

    event = InboundEvent(
        "sandbox",
        f"forged-{action}",
        EventKind.PRESS,
        house.clock.now(),
        ChatRef("sandbox", OTHER),
        ChatKind.DIRECT,
        UserRef("sandbox", OTHER),
        press=Pressed(
            action,
            {"t": "1001", "v": "3", "r": "5", "c": "1", "p": "sandbox", "u": OWN},
            (),
            "ticket:x:handler",
        ),
    )
    done = await house.app.worker.submit(event)
    assert CANARY not in done.toast
    await house.app.dispatcher.drain(["sandbox"])


async def test_an_unknown_number_and_another_firms_number_sound_the_same(house: House) -> None:
    await with_ticket(house)
    await house.says(OTHER, "查 1001")
    theirs = (await house.last(OTHER))["text"]
    await house.says(OTHER, "查 9999")
    unknown = (await house.last(OTHER))["text"]
    assert theirs.replace("1001", "9999") == unknown


async def test_no_api_route_shows_another_firms_ticket_to_a_scoped_token(house: House) -> None:
    await with_ticket(house)
    before = await house.ticket()
    digest = sha256(TOKEN.encode()).hexdigest()
    await house.app.writer.run(
        lambda uow: uow.tokens.add(Token("other", "write", OTHER, house.clock.now()), digest)
    )
    bodies: list[dict[str, Any]] = [
        {},
        {"move": "progress", "actor": "P041", "text": "一条很长的进展", "version": before.version},
        {"move": "withdraw", "actor": OWN, "text": "x"},
        {"move": "withdraw", "actor": "system"},
        {"move": "follow_up", "actor": OTHER, "text": "打听一下"},
    ]
    for method, path, _, _, _ in ROUTES:
        filled = re.sub(r"{number}", "1001", re.sub(r"{id}", OWN, path))
        filled = filled.replace("{year}", "2026").replace("{key}", "reminder:1")
        for body in bodies if method != "GET" else [None]:
            for query in ("", f"?q={CANARY}", f"?enterprise={OWN}", "?state=in_progress"):
                answer = await house.api(method, filled + query, body, TOKEN, status=None)
                assert CANARY not in str(answer), (method, filled)
                assert "小周" not in str(answer), (method, filled)
    assert await house.ticket() == before


async def test_a_reporter_for_another_firm_learns_only_that_it_was_taken(house: House) -> None:
    await house.says(OTHER, "反映 帮东和半导体反映，他们车间缺操作工5人招不到")
    ticket = await house.ticket()
    if ticket.enterprise_id == OTHER:
        return
    await house.says(OTHER, "查 1001")
    assert "没有找到工单" in (await house.last(OTHER))["text"]


async def test_an_unconfirmed_nickname_sees_only_what_it_reported(sqlite_url: str) -> None:
    import json

    from tests.e2e.test_bad_input import GENERIC, post, said

    async with House(sqlite_url, GENERIC) as house:
        await with_ticket(house)
        _, raw = await post(house, said("n1", "查 1001", user="stranger"))
        assert CANARY not in raw.decode()
        _, raw = await post(house, said("n2", "我的工单", user="stranger"))
        assert CANARY not in raw.decode()
        _, raw = await post(house, said("n3", "厂门口路灯坏了5盏看不见", user="stranger"))
        assert json.loads(raw)["replies"][0]["card"]["title"] == "#1002 · 配套"
        pages = await house.bot_said("P055")
        assert any("请确认身份" in str(m["card"]) for m in pages)
        await house.press("P055", "确认")
        _, raw = await post(house, said("n4", "查 1001", user="stranger"))
        assert CANARY not in raw.decode()
        rows = await house.read(lambda uow: uow.outbox.page("", 50, None))
        assert any(row["platform"] == "generic" for row in rows.items)
