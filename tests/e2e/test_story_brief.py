"""The brief, told as it is lived: sent in the morning, drilled into by word, closed at five."""

import re
from datetime import UTC, datetime, timedelta

from tests.kit.house import House

RESULT = "专场招聘到岗12人，其余由劳务公司补齐"
CHIEF, LEADER, LIAISON, DUTY = "P057", "P028", "P041", "P055"


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """An instant of 2026 as the clock on the wall shows it."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


async def _until(house: House, when: datetime) -> None:
    """Move the clock there and let everything that comes round have its turn."""
    house.clock.set(when)
    await house.app.ticker.run_all()
    await house.app.dispatcher.drain()


async def _briefs(house: House, who: str) -> list[str]:
    return [m["text"] for m in await house.bot_said(who) if m["kind"] == "brief"]


async def _busy(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.group_says("E001", "@小港 门口路灯坏了5盏，晚上看不见")
    await house.group_says("E002", "@小港 车间停电了，整条线停产")
    await house.says(LIAISON, "认领 1001")
    await house.says(LIAISON, "进展 1001 已联系人社局，周三组织专场招聘")


async def test_the_morning_brief_goes_to_the_chief_whole_and_to_others_in_slices(
    house: House,
) -> None:
    await _busy(house)
    await _until(house, at(25, 8, 20))
    (whole,) = await _briefs(house, CHIEF)
    assert whole.splitlines()[0] == "【日调度】11月25日 周三"
    assert all(f"#{n}" in whole for n in (1001, 1002, 1003))
    assert "许主任·联络员小周" in whole
    assert len(whole.splitlines()) <= 30
    (slice_,) = await _briefs(house, LIAISON)
    assert "#1001" in slice_
    assert "#1003" not in slice_
    assert await _briefs(house, "P042") == []
    assert await _briefs(house, "E003") == []
    await _until(house, at(25, 8, 21))
    assert len(await _briefs(house, CHIEF)) == 1


async def test_a_brief_made_up_for_is_about_everything_since_the_morning_before(
    house: House,
) -> None:
    await _busy(house)
    await _until(house, at(25, 9, 40))
    (told,) = await _briefs(house, CHIEF)
    assert "自昨天 08:20：新增3" in told
    house.passes(hours=1)
    await _until(house, at(26, 8, 20))
    assert "自昨天 09:40：新增0" in (await _briefs(house, CHIEF))[-1]
    await _until(house, at(27, 12))
    assert len(await _briefs(house, CHIEF)) == 2


async def test_who_is_on_leave_gets_no_page_and_the_duty_desk_reads_for_the_chief(
    house: House,
) -> None:
    await _busy(house)
    await house.says(LIAISON, "我请假 11.25-11.26")
    await house.says(CHIEF, "我请假 11.25-11.26")
    await _until(house, at(25, 8, 20))
    assert await _briefs(house, LIAISON) == []
    assert await _briefs(house, CHIEF) == []
    (whole,) = await _briefs(house, DUTY)
    assert all(f"#{n}" in whole for n in (1001, 1002, 1003))


async def test_an_empty_day_is_one_line(house: House) -> None:
    await _until(house, at(25, 8, 20))
    assert await _briefs(house, CHIEF) == ["【日调度】11月25日 周三 今日无在办事项"]
    assert await _briefs(house, LEADER) == []


async def test_there_is_none_on_a_day_off_unless_something_is_urgent(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await _until(house, at(28, 8, 20))
    assert await _briefs(house, CHIEF) == []
    await house.group_says("E003", "@小港 车间着火了，有人被困")
    await _until(house, at(29, 8, 20))
    (told,) = await _briefs(house, CHIEF)
    assert "休息日" in told
    assert "特急" in told


async def test_a_make_up_saturday_is_a_working_day(database_url: str) -> None:
    async with House(database_url, start=at(9, 9, month=10)) as house:
        await _until(house, at(10, 8, 20, month=10))
        (told,) = await _briefs(house, CHIEF)
        assert "周六（调休上班）" in told


async def test_each_figure_equals_the_rows_that_its_drill_down_lists(house: House) -> None:
    await _busy(house)
    house.passes(hours=1)
    await house.says(CHIEF, "日调度")
    told = (await house.last(CHIEF))["text"]
    assert "新增3" in told
    # What happens after the page was shown changes no figure of it.
    house.passes(minutes=1)
    await house.says("P048", "认领 1003")
    for word, count in (("新增", 3), ("认领", 1), ("在办", 3), ("待认领", 2), ("办结", 0)):
        assert f"{word}{count}" in told or count == 0
        await house.says(CHIEF, f"看 {word}")
        listed = (await house.last(CHIEF))["text"]
        assert len(re.findall(r"^#\d+ ", listed, re.M)) == count, listed
    await house.says(CHIEF, "看 待认领")
    assert "（现办理中）" in (await house.last(CHIEF))["text"]
    await house.says(CHIEF, "日调度")
    assert "待认领1" in (await house.last(CHIEF))["text"]


async def test_a_line_is_acted_on_from_the_line(house: House) -> None:
    await _busy(house)
    house.passes(days=1)
    await house.says(CHIEF, "日调度")
    told = (await house.last(CHIEF))["text"]
    step = re.search(r"#1002 .*｜(改派 1002) 姓名 理由", told)
    assert step is not None
    await house.says(CHIEF, f"{step.group(1)} 小吴 灯光归他管")
    assert (await house.ticket(1002)).owner_id == "P042"


async def test_what_waits_for_a_decision_stands_with_the_words_to_decide(house: House) -> None:
    await _busy(house)
    await house.says(LIAISON, "延期 1001 12月10日 人社局排期在下周")
    await house.says(LEADER, "日调度")
    assert "同意延期 1001" in (await house.last(LEADER))["text"]
    await house.says(LIAISON, "日调度")
    assert "等领导批延期" in (await house.last(LIAISON))["text"]


async def test_nobody_drills_into_what_is_not_theirs(house: House) -> None:
    await _busy(house)
    await house.says("P042", "看 在办")
    assert "没有" in (await house.last("P042"))["text"]
    await house.says("E003", "日调度")
    assert all("在办" not in m["text"] for m in await house.bot_said("E003"))
    await house.says("E003", "看 在办")
    assert "#1003" not in (await house.last("E003"))["text"]
    await house.group_says(CHIEF, "@小港 日调度")
    assert all("日调度" not in m["text"] for m in await house.in_group())


async def test_the_day_is_closed_with_one_line_to_chief_and_duty_desk(house: House) -> None:
    await _busy(house)
    await _until(house, at(24, 17))
    for who in (CHIEF, DUTY):
        (told,) = await _briefs(house, who)
        assert told.startswith("【今日收盘】11月24日 周二：新增3")
        assert "\n" not in told
    assert await _briefs(house, LIAISON) == []


async def test_three_firms_with_one_problem_are_a_common_one(house: House) -> None:
    for firm in ("E001", "E002", "E003"):
        await house.group_says(firm, "@小港 厂门口路灯坏了，晚上看不见")
    await house.says(CHIEF, "共性问题")
    told = (await house.last(CHIEF))["text"]
    assert "3次3家" in told
    await house.says("P048", "共性问题")
    assert "没有共性问题" in (await house.last("P048"))["text"]


async def test_a_firm_not_heard_of_for_sixty_days_is_named_to_its_own(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.says(CHIEF, "久未联系")
    assert "没有" in (await house.last(CHIEF))["text"]
    house.passes(days=61)
    await house.group_says("E002", "大家早上好")
    await house.says(LEADER, "久未联系")
    told = (await house.last(LEADER))["text"]
    assert "玖晟电子" in told
    assert "东和半导体" not in told


async def test_weekly_and_monthly_summaries_carry_the_same_figures(house: House) -> None:
    await _busy(house)
    await house.says(LIAISON, f"办结 1001 {RESULT}")
    await house.says("E003", "满意 1001")
    await _until(house, at(30, 8, 30))
    week = [b for b in await _briefs(house, CHIEF) if b.startswith("【周小结】")]
    assert len(week) == 1
    assert "11月23日至11月29日" in week[0]
    assert "新增3" in week[0]
    assert "原在办0 + 转入2 - 离开0 = 在办2" in week[0]
    assert "样本不足(n=1)" in week[0]
    await _until(house, at(1, 8, 40, month=12))
    month = [b for b in await _briefs(house, CHIEF) if b.startswith("【月小结】11月1日至11月30日")]
    assert len(month) == 1
    assert "新增3" in month[0]


async def test_the_api_gives_the_page_with_each_figures_numbers(house: House) -> None:
    await _busy(house)
    page = await house.api("GET", "/brief?date=2026-11-24")
    assert page["figures"]["new"] == {"name": "新增", "count": 3, "numbers": [1001, 1002, 1003]}
    figures = {name: f["count"] for name, f in page["figures"].items()}
    assert figures["before"] + figures["entered"] - figures["left"] == figures["live"]
    assert page["text"].startswith("【日调度】")
    mine = await house.api("GET", "/brief?for=P041")
    assert mine["figures"]["live"]["numbers"] == [1001, 1002]
    old = await house.api("GET", "/brief?date=2026-11-20")
    assert old["figures"]["live"]["count"] == 0
    for query in ("date=2026-12-24", "date=soon"):
        await house.api("GET", f"/brief?{query}", status=400)
