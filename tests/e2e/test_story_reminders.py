"""Staff set reminders by chat: echoed with the date, sent in time and in private, listed, cancelled."""

from datetime import UTC, datetime

import pytest

from tests.kit.house import House

# Tuesday 24 November 2026, 09:00 in Shanghai (the house's start).
LIAISON, OTHER, LEADER, OFFICE = "P041", "P042", "P028", "P055"


async def comes(house: House, text: str) -> None:
    """The time in Shanghai comes."""
    when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=house.app.settings.zone)
    house.clock.set(when.astimezone(UTC))
    await house.app.ticker.run_planned()
    await house.app.dispatcher.drain(["sandbox"])


async def reminders(house: House, who: str) -> list[str]:
    return [m["text"] for m in await house.bot_said(who) if m["kind"] == "reminder"]


async def says(house: House, who: str, text: str, chat: str = "") -> str:
    await house.says(who, text, chat)
    return str((await house.last(who))["text"])


async def test_a_reminder_is_echoed_with_its_date_and_comes_once(house: House) -> None:
    await house.says("E003", "报修 车间缺操作工20人")
    answer = await says(house, LIAISON, "明天三点提醒我问 1001")
    assert answer == (
        "提醒 1 已设：11月25日 周三 15:00，提醒您：问 1001。不要了请回复「取消提醒 1」。"
    )
    await comes(house, "2026-11-25 14:59")
    assert await reminders(house, LIAISON) == []
    await comes(house, "2026-11-25 15:00")
    await comes(house, "2026-11-25 15:05")
    (told,) = await reminders(house, LIAISON)
    assert told.startswith("#1001 提醒您：问 1001\n")
    assert "待认领" in told
    assert "没有设提醒" in await says(house, LIAISON, "我的提醒")


async def test_every_friday_all_liaisons_are_asked_in_private_but_not_on_holidays(
    house: House,
) -> None:
    answer = await says(house, OFFICE, "每周五15:00提醒各联络员报进展")
    assert "每周五 15:00（下一次 11月27日 周五 15:00，节假日不提醒）" in answer
    assert "提醒各联络员（15人）：报进展" in answer
    await comes(house, "2026-11-27 15:00")
    everybody = [f"P{n:03}" for n in range(37, 52)]
    for person in everybody:
        assert await reminders(house, person) == ["办公室值班请您：报进展"]
    assert await house.in_group() == []
    # 1 January 2027 is a Friday and a day off.
    await comes(house, "2026-12-25 15:00")
    await comes(house, "2027-01-01 15:00")
    assert len(await reminders(house, LIAISON)) == 2
    await comes(house, "2027-01-08 15:00")
    assert len(await reminders(house, LIAISON)) == 3


async def test_a_leader_calls_the_liaisons_of_the_own_firms(house: House) -> None:
    await says(house, LEADER, "后天上午九点提醒各联络员交周报")
    await comes(house, "2026-11-26 09:00")

    def own(uow: object) -> set[str]:
        people = uow.people  # type: ignore[attr-defined]
        pairings = (people.pairing(f.id, house.clock.now()) for f in people.enterprises())
        return {p.liaison_id for p in pairings if p.leader_id == LEADER}

    expected = await house.read(own)
    assert 0 < len(expected) < 15
    for number in range(37, 52):
        person = f"P{number:03}"
        assert len(await reminders(house, person)) == (person in expected)


async def test_a_colleague_is_reminded_and_told_by_whom(house: House) -> None:
    answer = await says(house, LIAISON, "周五下班前提醒小吴、小卫把台账交上来")
    assert "11月27日 周五 16:30" in answer
    assert "提醒联络员小吴、联络员小卫：把台账交上来" in answer
    await comes(house, "2026-11-27 16:30")
    assert await reminders(house, OTHER) == ["联络员小周请您：把台账交上来"]
    assert await reminders(house, LIAISON) == []


@pytest.mark.parametrize(
    ("said", "echo"),
    [
        ("提醒我后天上午去泓曜精密", "11月26日 周四 08:30，提醒您：去泓曜精密。"),
        ("半小时后提醒我回电话", "11月24日 周二 09:30，提醒您：回电话。"),
        ("请12月1日 16点提醒我：核对名册", "12月1日 周二 16:00，提醒您：核对名册。"),
        ("每个工作日早上8点20提醒我看日报", "每工作日 08:20（下一次 11月25日 周三 08:20），提醒您"),
        (
            "每月最后一个工作日下午四点提醒我交月报",
            "每月最后一个工作日 16:00（下一次 11月30日 周一 16:00）",
        ),
        ("每月10号提醒我报表", "每月10日 08:30（下一次 12月10日 周四 08:30）"),
        ("下周提醒我约走访", "11月30日 周一 08:30，提醒您：约走访。"),
        ("每周六上午九点提醒办公室同事轮值交接", "群发提醒由分管领导或办公室来设"),
        ("明天22:00提醒我收材料", "提醒只在07:30到21:00发送"),
        ("今天八点提醒我收材料", "时间已经过去"),
        ("提醒我收材料", "请写明什么时候提醒"),
        ("明天三点提醒我", "请写明提醒什么"),
        ("取消提醒 9", "没有找到这个提醒：9"),
        ("取消提醒", "请写明取消哪一个"),
    ],
)
async def test_what_is_asked_for_is_said_back(sqlite_url: str, said: str, echo: str) -> None:
    async with House(sqlite_url) as house:
        assert echo in await says(house, LIAISON, said)


async def test_reminders_are_listed_and_cancelled_by_their_own_people(house: House) -> None:
    await says(house, LIAISON, "明天三点提醒我问企业")
    await says(house, LIAISON, "每周一9:00提醒我排计划")
    await says(house, OTHER, "明天三点提醒我别的事")
    mine = await says(house, LIAISON, "我的提醒")
    assert "1. 11月25日 周三 15:00，提醒您：问企业" in mine
    assert "2. 每周一 09:00" in mine
    assert "别的事" not in mine
    assert "没有找到这个提醒" in await says(house, LIAISON, "取消提醒 3")
    assert "提醒 1 已取消" in await says(house, LIAISON, "取消提醒 1")
    # The only one left needs no number; the office may end anybody's.
    assert "提醒 2 已取消" in await says(house, LIAISON, "取消提醒")
    assert "提醒 3 已取消" in await says(house, OFFICE, "取消提醒3")
    await comes(house, "2026-11-30 16:00")
    assert await reminders(house, LIAISON) == []


async def test_a_reminder_about_a_ticket_reaches_only_who_may_read_it(house: House) -> None:
    await house.says("E003", "报修 车间缺操作工20人")
    # P050 has nothing to do with the ticket: no such number for them, and the number is not a ticket.
    assert "没有找到工单 #1001" in await says(house, "P050", "明天三点提醒我问工单1001")
    assert "提醒 1 已设" in await says(house, LIAISON, "明天三点提醒小沈、我问工单1001进展")
    await comes(house, "2026-11-25 15:00")
    assert await reminders(house, "P050") == []
    assert len(await reminders(house, LIAISON)) == 1


async def test_a_repeating_reminder_ends_with_its_ticket(house: House) -> None:
    await house.says("E003", "报修 车间缺操作工20人")
    await says(house, LIAISON, "每天10:00提醒我问1001")
    await comes(house, "2026-11-24 10:00")
    await house.says("E003", "撤回 1001")
    await comes(house, "2026-11-25 10:00")
    told = await reminders(house, LIAISON)
    assert told[-1] == "#1001 企业撤回，提醒 1「问1001」不再发。"
    await comes(house, "2026-11-26 10:00")
    assert len(await reminders(house, LIAISON)) == 2


async def test_a_reminder_that_is_hours_late_is_left_out_and_one_day_late_said_once(
    house: House,
) -> None:
    await says(house, LIAISON, "每天10:00提醒我排计划")
    await says(house, LIAISON, "明天10:00提醒我问企业")
    await comes(house, "2026-11-25 18:00")
    assert await reminders(house, LIAISON) == ["提醒您：问企业"]


async def test_a_restart_between_two_ticks_sends_one_message(database_url: str) -> None:
    async with House(database_url) as house:
        await says(house, LIAISON, "明天10:00提醒我问企业")
        await comes(house, "2026-11-25 10:00")
    start = datetime(2026, 11, 25, 2, 1, tzinfo=UTC)
    async with House(database_url, start=start, sample=False) as house:
        await house.app.ticker.run_planned()
        await house.app.dispatcher.drain(["sandbox"])
        assert await reminders(house, LIAISON) == ["提醒您：问企业"]


async def test_firms_and_chatter_set_no_reminder(house: House) -> None:
    before = await house.count("schedules")
    await house.says("E003", "明天三点提醒我交电费")
    await house.group_says(LIAISON, "明天上午提醒各联络员带材料")
    await house.says(LIAISON, "明天去现场提醒企业停产检修")
    assert await house.count("schedules") == before
    await house.group_says(LIAISON, "@小港 明天上午九点提醒我带材料")
    assert await house.count("schedules") == before + 1
