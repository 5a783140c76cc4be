"""Nobody acts, as a newcomer sees it: the sandbox's page, its clock moved by hand (tickets.md §4)."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from handlers.domain.workdays import SHANGHAI
from tests.e2e.test_browser import browser, page_of
from tests.kit.house import House

__all__ = ["browser"]
pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 860}


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


async def quiet(house: House) -> None:
    """Only the ladder speaks: what comes round by itself is another story's."""
    for schedule in (await house.api("GET", "/schedules"))["items"]:
        await house.api("PATCH", f"/schedules/{schedule['key']}", {"on": False})


async def clock_to(page: Any, text: str, shown: str) -> None:
    await page.fill("#clock-at", text)
    await page.press("#clock-at", "Enter")
    await expect(page.locator("#clock")).to_contain_text(shown, timeout=20_000)
    await expect(page.locator("#clock-told")).to_contain_text("现在是")


async def become(page: Any, person: str) -> None:
    """Switch to somebody, and open their chat with the bot."""
    await page.click("#who")
    await page.fill("#person", person)
    await page.press("#person", "Enter")
    await page.click("nav.chats button >> nth=1")


async def says_in_group(page: Any, person: str, text: str) -> None:
    await page.click("#who")
    await page.fill("#person", person)
    await page.press("#person", "Enter")
    await page.click("nav.chats button >> nth=0")
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await expect(page.locator("#text")).to_have_value("")


async def shot(page: Any, name: str) -> None:
    """A picture for somebody to look at, where a folder is named for it."""
    folder = os.environ.get("LHG_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def sees(page: Any, person: str, text: str, name: str) -> Any:
    await become(page, person)
    card = page.locator(".flow .card, .flow .bubble", has_text=text).last
    await card.wait_for()
    await card.scroll_into_view_if_needed()
    await shot(page, name)
    return card


async def hears_nothing(page: Any, person: str, text: str) -> None:
    await become(page, person)
    await expect(page.locator(".flow", has_text=text)).to_have_count(0)


async def test_an_unclaimed_ticket_climbs_from_liaison_and_stand_in_to_leader_and_chief(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says_in_group(page, "E003", "@小港 车间缺操作工20人，临时招不到")
        await page.locator(".card", has_text="#1001").wait_for()

        await clock_to(page, "14:31", "14:31")
        await sees(page, "P041", "认领刚到时限", "u3-1-liaison")
        await sees(page, "P042", "请您作为B岗认领", "u3-2-stand-in")
        await hears_nothing(page, "P028", "#1001")

        await clock_to(page, "明天 9:31", "09:31")
        card = await sees(page, "P028", "请您过问", "u3-3-leader")
        assert "DB-2026-001" in await card.inner_text()
        labels = await card.locator("button").all_inner_texts()
        assert labels == ["知悉", "改派", "延期", "督办"]
        await hears_nothing(page, "P057", "#1001")

        await clock_to(page, "15:01", "15:01")
        card = await sees(page, "P057", "分管领导未回应", "u3-4-chief")
        assert await card.locator("button").all_inner_texts() == ["改派", "挂账", "定会商"]
        assert errors == []


async def test_the_evening_before_a_holiday_stays_quiet_until_the_morning(
    sqlite_url: str, browser: Any
) -> None:
    """2026-02-14 is a Saturday that works; the Spring Festival begins on the 15th."""
    async with House(sqlite_url, start=at(2, 14, 21, 5)) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says_in_group(page, "E004", "@小港 车间停水半天了，急")
        # Who wrote is answered at once; who is to act sleeps.
        await page.locator(".card", has_text="#1001").wait_for()
        await clock_to(page, "明天 7:29", "07:29")
        await become(page, "P042")
        await expect(page.locator(".flow .card")).to_have_count(0)
        await shot(page, "holiday-1-night")
        await clock_to(page, "7:31", "07:31")
        card = await sees(page, "P042", "停水", "holiday-2-morning")
        # It was written last night and is read today.
        assert "今天 08:30 前认领" in await card.inner_text()
        assert "昨天 21:05" in await card.inner_text()
        assert errors == []


async def test_a_u1_at_three_in_the_night_rings_at_once_and_goes_on(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url, start=at(11, 25, 3)) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says_in_group(page, "E003", "@小港 二号车间起火了，有人受伤，快派人来")
        await page.locator(".card", has_text="#1001").wait_for()
        await shot(page, "u1-0-group")
        await sees(page, "P041", "起火", "u1-1-liaison")
        await clock_to(page, "3:11", "03:11")
        for person, name in (("P042", "stand-in"), ("P028", "leader"), ("P055", "duty")):
            await sees(page, person, "10分钟无人认领", f"u1-2-{name}")
        await hears_nothing(page, "P057", "起火")
        await clock_to(page, "3:21", "03:21")
        await sees(page, "P057", "20分钟无人认领", "u1-3-chief")
        assert errors == []
