"""The office's voice in the sandbox, in a real browser: a notice, a survey, a sign-up, a visit."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.test_browser import browser as browser  # the fixture
from tests.e2e.test_browser import page_of
from tests.e2e.test_browser_ladder import become, clock_to, quiet, says_in_group, sees, shot
from tests.kit.house import House

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 780}


async def says(page: Any, person: str, text: str) -> None:
    await become(page, person)
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await expect(page.locator("#text")).to_have_value("")


async def press(page: Any, label: str) -> None:
    await page.locator(".flow .card button", has_text=re.compile(f"^{label}$")).last.click()


async def test_a_notice_is_drafted_approved_sent_and_read(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says(
            page,
            "P055",
            "发政策 危化企业安全改造补贴开始申报；对象：长洪危化企业；时间：下一个工作日14:00；要回执；"
            "正文：市应急局开展危化企业安全改造补贴申报，按设备投资额的10%补助，最高50万元。"
            "补助的设备包括自动化控制系统、可燃气体检测报警、紧急切断装置和人员定位系统，须在今年内完成安装调试。"
            "请在12月20日前把申请表、设备清单和发票复印件交到管理办公室，以主管部门解释为准。",
        )
        await sees(page, "P055", "共4家", "notice-1-preview")
        await press(page, "送审")
        await sees(page, "P057", "待审核", "notice-2-review")
        await press(page, "通过")
        await clock_to(page, "明天 14:00", "14:00")
        card = await sees(page, "E021", "危化企业安全改造补贴开始申报", "notice-3-firm")
        await card.locator("button", has_text="已阅").click()
        await expect(page.locator(".flow .card", has_text="已阅").last).to_be_visible()
        await become(page, "E024")
        await page.locator(".flow .card", has_text="安全改造补贴").last.wait_for()
        told = [m for m in await house.bot_said("E024") if m["kind"] == "announcement"]
        link = next(b["url"] for b in told[0]["card"]["buttons"] if b["label"] == "看全文")
        phone = await browser.new_page(viewport=PHONE)
        await phone.goto(str(house.client.make_url("/l/" + link.rpartition("/")[2])))
        await expect(phone.locator("body")).to_contain_text("已记下贵单位看过")
        await shot(phone, "notice-4-phone")
        await says(page, "P049", "未读 1")
        await sees(page, "P049", "屹北新能源", "notice-5-call-list")
        assert errors == []


async def test_a_survey_is_filled_in_on_a_phone(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says(
            page,
            "P055",
            "发起摸排 用工缺口：挡车工(名)、机修(名)；对象 长洪；截止 周五；用途 安排招聘专场",
        )
        await sees(page, "P055", "用工缺口", "survey-1-preview")
        await says(page, "P055", "确认摸排 1")
        await says(page, "P057", "同意摸排 1")
        await sees(page, "E021", "用工缺口", "survey-2-firm")
        await page.fill("#text", "挡车工十五，机修3名")
        await page.press("#text", "Enter")
        await sees(page, "E021", "15", "survey-3-echo")
        await says(page, "P055", "摸排 1 汇总")
        await sees(page, "P055", "1", "survey-4-table")
        assert errors == []


async def test_a_visit_and_a_sign_up(sqlite_url: str, browser: Any) -> None:
    async with House(sqlite_url) as house:
        await quiet(house)
        page, errors = await page_of(browser, house, viewport=WIDE)
        await says(
            page,
            "P041",
            "今天上午走访泓曜精密，见了生产厂长，满产，反映车间缺操作工20人，下周三再去",
        )
        await sees(page, "P041", "走访", "visit-1-shown-back")
        await says_in_group(page, "P055", "发起接龙 羽毛球赛；名额5；截止 11月30日12:00")
        for firm, text in (("E003", "@小港 报3男2女"), ("E004", "@小港 +1")):
            await says_in_group(page, firm, text)
        card = page.locator(".flow .card", has_text="羽毛球赛").last
        await expect(card).to_contain_text("候补")
        await shot(page, "signup-1-card")
        assert errors == []
