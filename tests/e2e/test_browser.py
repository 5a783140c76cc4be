"""The sandbox page as a newcomer uses it, in a real browser."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from storage.uow import UnitOfWork
from tests.e2e.test_story_files import MAP, sent, withdrawn, wrote
from tests.kit.house import House

pytestmark = pytest.mark.browser
# Without these the browser looks for hosts that a closed network does not have.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium")
        pytest.skip("no Chromium: apt-get install chromium fonts-noto-cjk")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        await started.close()


async def page_of(browser: Any, house: House, **options: Any) -> tuple[Any, list[str]]:
    page = await browser.new_page(**options)
    page.set_default_timeout(8000)
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    await page.goto(str(house.client.make_url("/sandbox/")))
    await page.wait_for_selector("nav.chats button", state="attached")
    return page, errors


async def holds(page: Any, value: Any) -> None:
    """The composer comes to hold this text."""
    from playwright.async_api import expect

    await expect(page.locator("#text")).to_have_value(value)


async def test_the_five_steps_of_a_newcomer(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        page, errors = await page_of(browser, house, viewport={"width": 1280, "height": 800})
        await page.click("#steps button >> nth=0")
        await holds(page, re.compile("操作工20人"))
        await page.press("#text", "Enter")
        card = page.locator(".card", has_text="#1001")
        await card.wait_for()
        assert "联络员小周" in await card.inner_text()
        assert "待认领" in await card.inner_text()

        await page.click("#steps button >> nth=1")
        await page.click(".card button:has-text('认领')")
        await page.locator(".card .chip", has_text="办理中").wait_for()
        await page.locator(".card .said", has_text="已由您认领").wait_for()

        for step in (2, 3):
            await page.click(f"#steps button >> nth={step}")
            await holds(page, re.compile(".{7,}"))
            await page.press("#text", "Enter")
            await holds(page, "")
        await page.click("#steps button >> nth=4")
        await page.locator(".card button:has-text('非常满意')").wait_for()
        await holds(page, re.compile("还是缺人"))
        await page.press("#text", "Enter")
        await page.locator(".bubble", has_text="已重新办理").wait_for()
        ticket = await house.ticket()
        assert (ticket.state, ticket.cycle) == ("in_progress", 2)

        # A fourth message to the firm within a quarter of an hour would wait.
        house.passes(minutes=20)
        await page.click("#quick button:has-text('小周')")
        await page.click("nav.chats button >> nth=1")
        await page.fill("#text", "办结 1001 劳务公司又送来8人，已全部上岗")
        await page.press("#text", "Enter")
        await holds(page, "")
        await page.click("#quick button:has-text('张经理')")
        await page.locator(".card button:has-text('非常满意')").last.click()
        await page.locator(".card .said", has_text="已销号").wait_for()
        assert (await house.ticket()).rating == 5
        assert errors == []
        shot = os.environ.get("LHG_SCREENSHOT")
        if shot:
            await page.screenshot(path=shot)


async def test_messages_of_others_come_by_themselves_and_no_markup_is_run(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        page, errors = await page_of(browser, house)
        await house.group_says("E004", "<img src=x onerror=alert(1)><b>粗</b> 早上好")
        await house.group_says("E004", "再说一句")
        bubble = page.locator(".bubble", has_text="早上好")
        await bubble.wait_for()
        # Whose it is is told of each, also of the second in a row and of one's own.
        second = page.get_by_role("article", name="玖晟电子-王主任").filter(has_text="再说一句")
        await second.wait_for()
        await page.fill("#text", "我也来了")
        await page.press("#text", "Enter")
        own = page.get_by_role("article", name="泓曜精密-张经理").filter(has_text="我也来了")
        await own.wait_for()
        assert "<b>粗</b>" in await bubble.inner_text()
        assert await page.locator(".bubble img").count() == 0
        assert errors == []


async def test_the_page_is_usable_on_a_phone_and_by_keyboard(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
        page, errors = await page_of(browser, house, viewport={"width": 390, "height": 800})
        await page.click("nav.chats button >> nth=0")
        await page.locator(".card").wait_for()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        await page.click("#back")
        await page.locator("nav.chats button >> nth=1").press("Enter")
        await page.focus("#text")
        await page.keyboard.type("@小")
        await page.locator("#mentions li[aria-selected='true']").wait_for()
        await page.keyboard.press("Enter")
        assert (await page.input_value("#text")).startswith("@小港 ")
        assert errors == []


SMALL = """() => [...document.querySelectorAll("button, input, textarea, [role=option], a")]
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width && !e.closest("label") && (box.height < 43.9 || box.width < 43.9))
  .map(([e]) => e.outerHTML)"""


async def test_on_a_phone_a_thumb_hits_everything_and_it_is_no_wider_than_the_screen(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
        await house.group_says("E004", "这件事说来话长，" * 200)
        await sent(house, await wrote(house))
        page, errors = await page_of(browser, house, viewport={"width": 320, "height": 640})
        assert await page.evaluate(SMALL) == []
        await page.click("nav.chats button >> nth=0")
        await page.locator(".file").wait_for()
        await page.locator(".picture img").evaluate("async (image) => { await image.decode(); }")
        assert await page.evaluate(SMALL) == []
        await page.focus("#text")
        await page.keyboard.type("@小")
        await page.locator("#mentions li").first.wait_for()
        assert await page.evaluate(SMALL) == []
        await page.keyboard.press("Escape")
        await page.click("#who")
        assert await page.evaluate(SMALL) == []
        await page.keyboard.press("Escape")
        await page.click("#side-toggle")
        await page.locator("#play").wait_for()
        assert await page.evaluate(SMALL) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        assert errors == []


@pytest.mark.parametrize("wide", [320, 390, 1024, 1440])
async def test_a_long_name_leaves_the_others_at_the_top_their_room(
    sqlite_url: str, browser: Any, wide: int
) -> None:
    def rename(uow: UnitOfWork) -> None:
        firm = uow.people.enterprise("E003")
        assert firm is not None
        uow.people.save_enterprise(replace(firm, short_name="南通䶮铖㵘精密机械制造江苏分公司"))

    async with House(sqlite_url) as house:
        await house.app.writer.run(rename)
        page, errors = await page_of(browser, house, viewport={"width": wide, "height": 800})
        boxes = await page.evaluate(
            """() => [".brand", ".top .quick", "#who .face", "#who .down", "#side-toggle"]
              .map((name) => document.querySelector(name).getBoundingClientRect())
              .filter((box) => box.width).map((box) => [box.left, box.right, box.height])"""
        )
        for (_, right, _), (left, _, _) in pairwise(boxes):
            assert right <= left
        assert all(high < 48 for _, _, high in boxes)
        assert boxes[-1][1] <= wide
        inside = await page.evaluate(
            """() => ["#who", "#who .face", ".brand strong"]
              .map((name) => document.querySelector(name).getBoundingClientRect())
              .map((box) => [box.left, box.width])"""
        )
        assert inside[0][0] < inside[1][0]
        assert inside[2][1] > 60
        assert errors == []


async def test_at_twice_the_size_a_long_draft_leaves_the_button_to_send_it(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
        # What a window of 1440 by 900 shows at 200 %.
        page, errors = await page_of(browser, house, viewport={"width": 720, "height": 450})
        await page.locator(".quote-button").first.evaluate("(button) => button.click()")
        await page.set_input_files(
            "#file", [{"name": "图.png", "mimeType": "image/png", "buffer": MAP}]
        )
        await page.locator("#pictures img").wait_for()
        await page.fill("#text", "一行\n" * 12)
        box = await page.locator("#send").bounding_box()
        assert box["y"] + box["height"] <= 450
        head = await page.locator(".talk .title").bounding_box()
        write = await page.locator("#write").bounding_box()
        assert write["y"] >= head["y"] + head["height"]
        assert errors == []


async def test_the_clock_moves_forward_only(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        page, errors = await page_of(browser, house, viewport={"width": 1280, "height": 800})
        await page.click("button[data-advance='PT4H']")
        await page.locator("#clock", has_text="13:00").wait_for()
        response = await house.client.post(
            "/sandbox/api/clock", json={"set": "2020-01-01T00:00:00+08:00"}
        )
        assert response.status == 422
        assert errors == []


async def test_who_switches_and_goes_on_at_once_speaks_in_their_own_chat(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        page, errors = await page_of(browser, house, viewport={"width": 1280, "height": 800})
        held = asyncio.Event()

        async def slow(route: Any) -> None:
            await held.wait()
            await route.continue_()

        await page.route("**/sandbox/api/chats?as=P041", slow)
        await page.click("#who")
        await page.fill("#person", "P041")
        await page.press("#person", "Enter")
        # The list is still that of the person before.
        await page.click("nav.chats button >> nth=1")
        await page.fill("#text", "帮助")
        await page.press("#text", "Enter")
        await holds(page, "")
        held.set()
        await page.locator(".flow .msg:not(.own)", has_text="您可以这样办单").wait_for()
        assert await house.bot_said("P041")
        assert errors == []


async def test_a_picture_and_a_file_of_an_announcement_stand_in_the_chat(
    sqlite_url: str, browser: Any
) -> None:
    async with House(sqlite_url) as house:
        await sent(house, await wrote(house))
        page, errors = await page_of(browser, house, viewport={"width": 1280, "height": 800})
        shown = page.locator(".msg .picture img")
        await shown.wait_for()
        assert (
            await shown.evaluate(
                "async (image) => { await image.decode(); return image.naturalWidth; }"
            )
            == 40
        )
        chip = page.locator(".msg a.file")
        assert "申请表.pdf" in await chip.inner_text()
        answer = await page.request.get(await chip.get_attribute("href"))
        assert answer.headers["content-type"] == "application/pdf"
        shot = os.environ.get("LHG_SCREENSHOT")
        if shot:
            await page.screenshot(path=shot)
        await withdrawn(house, 1)
        await page.locator(".bubble", has_text="文件已撤回").first.wait_for()
        assert await shown.count() == 0
        assert errors == []
