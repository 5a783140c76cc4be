"""The office tells the firms: drafted, approved by a second person, sent to exactly them, read, corrected."""

import re
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tests.kit.house import House

OFFICE, CHIEF, LEADER = "P055", "P057", "P028"
# The four firms of 长洪 with hazardous chemicals; 小蒋 serves E021 and E025, 小褚 E023 and E024.
HAZARDOUS = ("E021", "E023", "E024", "E025")
LIAISON, OTHER_LIAISON, STRANGER = "P049", "P047", "P041"
DRAFT = (
    "发政策 危化企业安全改造补贴开始申报\n"
    "对象：长洪危化企业\n"
    "时间：下一个工作日14:00\n"
    "要回执\n"
    "正文：市应急局开展危化企业安全改造补贴申报，按设备投资额的10%补助，最高50万元。\n"
    "补助的设备包括自动化控制系统、可燃气体检测报警、紧急切断装置和人员定位系统，须在今年内完成安装调试。\n"
    "请在12月20日前把申请表、设备清单和发票复印件交到管理办公室，以主管部门解释为准。"
)


async def until(house: House, text: str) -> None:
    """The time in Shanghai comes, and what falls due on the way is done."""
    when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=house.app.settings.zone)
    await house.until(when.astimezone(UTC))


async def told(house: House, who: str) -> list[dict[str, Any]]:
    return [m for m in await house.bot_said(who) if m["kind"] == "announcement"]


async def everybody_told(house: House) -> dict[str, int]:
    """Every firm that got an announcement alone, and how many."""
    firms = await house.read(lambda uow: [e.id for e in uow.people.enterprises()])
    counts = {firm: len(await told(house, firm)) for firm in firms}
    return {firm: count for firm, count in counts.items() if count}


async def approved(house: House, draft: str = DRAFT, by: str = CHIEF) -> int:
    """The number of an announcement that the office wrote and a second person approved."""
    await house.says(OFFICE, draft)
    number = int(re.findall(r"通知 (\d+)", (await house.last(OFFICE))["text"])[0])
    await house.press(OFFICE, "送审")
    await house.press(by, "通过")
    return number


async def test_a_policy_notice_for_hazardous_firms_of_changhong_from_draft_to_correction(
    house: House,
) -> None:
    # One message, and the whole of it is shown: as the firms will see it, and to whom.
    await house.says(OFFICE, DRAFT)
    preview, card = (await house.bot_said(OFFICE))[-2:]
    assert preview["kind"] == "announcement"
    assert preview["card"]["title"] == "政策 · 危化企业安全改造补贴开始申报"
    assert "通知 1 草稿" in card["text"]
    assert "长洪、危化企业，共4家" in card["text"]
    assert "名单：瑞翔新材料、珂顿化学、邦楷涂料、屹北新能源" in card["text"]
    assert "11月25日 周三 14:00" in card["text"]
    await house.press(OFFICE, "送审")
    assert "通知 1 已送主要负责人审核" in (await house.last(OFFICE))["text"]

    # The author cannot say yes; the second person sees the list and does.
    await house.says(OFFICE, "通过通知 1")
    assert "另一位同事审核" in (await house.last(OFFICE))["text"]
    review = await house.last(CHIEF)
    assert review["card"]["status"] == "待审核"
    assert "屹北新能源" in review["text"]
    assert "拟稿：办公室值班" in review["text"]
    await house.press(CHIEF, "通过")
    assert "已通过，发给 4 家，11月25日 周三 14:00发送" in (await house.last(OFFICE))["text"]
    await until(house, "2026-11-25 13:59")
    assert await everybody_told(house) == {}
    await until(house, "2026-11-25 14:00")
    assert await everybody_told(house) == dict.fromkeys(HAZARDOUS, 1)
    assert [m for m in await house.in_group() if m["kind"] == "announcement"] == []

    # Three read it by three ways.
    pressed = await house.press("E021", "已阅")
    assert pressed["toast"] == "已记下，谢谢。"
    assert pressed["card"]["status"] == "已阅"
    (message,) = await told(house, "E023")
    said = len(await house.bot_said("E023"))
    await house.says("E023", "收到", reply_to=message["id"])
    assert len(await house.bot_said("E023")) == said
    (message,) = await told(house, "E024")
    link = next(b["url"] for b in message["card"]["buttons"] if b["label"] == "看全文")
    page = await house.client.get("/l/" + link.rpartition("/")[2])
    words = await page.text()
    assert page.status == 200
    assert "最高50万元" in words
    assert "已记下贵单位看过" in words
    counts = await house.api("GET", "/announcements/1/receipts")
    assert [counts[k] for k in ("targets", "sent", "failed", "skipped", "read")] == [4, 4, 0, 0, 3]
    ways = {i["enterprise"]["id"]: i["read_by"] for i in counts["items"]}
    assert ways == {"E021": "button", "E023": "reply", "E024": "link", "E025": None}

    # The call list names the other one to its own liaison, and to nobody else.
    await house.says(LIAISON, "未读 1")
    own = (await house.last(LIAISON))["text"]
    assert "屹北新能源 常经理 138-0000-1024" in own
    assert "瑞翔" not in own
    await house.says(OTHER_LIAISON, "未读 1")
    assert (await house.last(OTHER_LIAISON))["text"] == "通知 1 您挂钩的企业都看过了。"
    for who in (STRANGER, OFFICE, CHIEF):
        await house.says(who, "未读 1")
        assert "屹北" not in (await house.last(who))["text"]
    assert "已阅 3/4，还有 1 家没看" in (await house.last(OFFICE))["text"]

    # One private second push, by choice, once.
    await house.says(LIAISON, "提醒未读 1")
    assert "已私下提醒 1 家" in (await house.last(LIAISON))["text"]
    await house.says(LIAISON, "提醒未读 1")
    assert "没有要提醒的" in (await house.last(LIAISON))["text"]
    assert await everybody_told(house) == {"E021": 1, "E023": 1, "E024": 1, "E025": 2}

    # The corrected version goes to the same firms and points to the first.
    number = await approved(
        house, "发更正 1 补贴比例更正\n正文：补助比例应为15%，最高80万元，其他不变。"
    )
    assert number == 2
    assert await everybody_told(house) == {"E021": 2, "E023": 2, "E024": 2, "E025": 3}
    newest = (await told(house, "E024"))[-1]
    assert "更正通知 1「危化企业安全改造补贴开始申报」，请以本条为准" in newest["text"]
    first = (await told(house, "E024"))[0]
    assert first["card"]["status"] == "已更正"
    page = await house.client.get("/l/" + link.rpartition("/")[2])
    assert "已更正，请以通知 2「补贴比例更正」为准" in await page.text()


async def test_announcement_to_changhong_reaches_exactly_its_firms(house: House) -> None:
    made = await house.api(
        "POST",
        "/announcements",
        {
            "kind": "通知",
            "title": "道路施工绕行",
            "text": "通盛大道12月1日起半幅施工，货车请走江海路。",
            "audience": {"areas": ["长洪"]},
            "route": "both",
            "author": OFFICE,
        },
        status=201,
    )
    assert (made["state"], made["targets"]) == ("draft", 15)
    done = await house.api("POST", f"/announcements/{made['id']}/approve", {"actor": LEADER})
    assert done["state"] in ("sending", "sent")
    await house.app.dispatcher.drain(["sandbox"])
    expected = await house.read(
        lambda uow: {e.id for e in uow.people.enterprises() if e.area == "长洪管理区"}
    )
    assert await everybody_told(house) == dict.fromkeys(sorted(expected), 1)
    # The group has firms of other areas in it: nothing is said there.
    assert [m for m in await house.in_group() if m["kind"] == "announcement"] == []


async def test_the_whole_group_gets_one_card_whose_count_grows(house: House) -> None:
    await approved(
        house, "发通知 元旦放假安排\n对象：全部\n要回执\n正文：1月1日至3日放假，4日上班。"
    )
    shown = [m for m in await house.in_group() if m["kind"] == "announcement"]
    assert len(shown) == 1
    assert await everybody_told(house) == {}
    assert {"label": "已阅", "value": "0/45", "href": None} in shown[0]["card"]["rows"]
    for firm in ("E003", "E004"):
        pressed = await house.press_on(shown[0]["id"], "已阅", firm)
    assert pressed["toast"] == "已记下，已阅 2/45。"
    await house.group_says("E005", "收到", reply_to=shown[0]["id"])
    again = [m for m in await house.in_group() if m["kind"] == "announcement"]
    assert len(again) == 1
    assert {"label": "已阅", "value": "3/45", "href": None} in again[0]["card"]["rows"]
    for name in ("泓曜", "玖晟", "张经理"):
        assert name not in str(again[0])
    assert (await house.press_on(shown[0]["id"], "已阅", OFFICE))[
        "toast"
    ] == "这个按钮给企业用，您不用按。"
    # Pressing again counts nothing and a bare 收到 is swallowed.
    await house.press_on(shown[0]["id"], "已阅", "E003")
    before = len(await house.in_group())
    await house.group_says("E006", "收到")
    assert len(await house.in_group()) == before
    assert (await house.api("GET", "/announcements/1/receipts"))["read"] == 3


async def test_a_forwarded_announcement_link_shows_nothing_and_counts_nothing(house: House) -> None:
    await approved(house, DRAFT.replace("时间：下一个工作日14:00\n", ""))
    (message,) = await told(house, "E021")
    path = "/l/" + message["card"]["buttons"][1]["url"].rpartition("/")[2]
    assert (await house.client.get(path)).status == 200
    async with (
        aiohttp.ClientSession(
            str(house.client.make_url("/")), cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as other,
        other.get(path) as response,
    ):
        assert response.status == 404
        words = await response.text()
    for word in ("补贴", "瑞翔", "50万"):
        assert word not in words
    assert (await house.api("GET", "/announcements/1/receipts"))["read"] == 1
