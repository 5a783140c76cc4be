"""Nobody acts: who hears of it, when, and how it ends (tickets.md §3-4), as the chats show it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from handlers.domain.people import Role
from handlers.domain.workdays import SHANGHAI
from storage.uow import UnitOfWork
from tests.kit.house import House

PROBLEM = "@小港 车间缺操作工20人，临时招不到"
DANGER = "@小港 二号车间起火了，有人受伤，快派人来"
Opened = Callable[[datetime], AbstractAsyncContextManager[House]]


@pytest.fixture
def opened(database_url: str) -> Opened:
    """The bot, its clock at a time of the story's own."""

    @asynccontextmanager
    async def made(start: datetime) -> AsyncIterator[House]:
        async with House(database_url, start=start) as house:
            await _no_briefs(house)
            yield house

    return made


async def _no_briefs(house: House) -> None:
    """What comes round by itself is another story's; here only the ladder speaks."""
    for schedule in (await house.api("GET", "/schedules"))["items"]:
        await house.api("PATCH", f"/schedules/{schedule['key']}", {"on": False})


def at(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    """A time of Shanghai."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def clock(message: dict[str, Any]) -> str:
    """When it came, as Shanghai's clocks show."""
    return f"{datetime.fromisoformat(message['at']).astimezone(SHANGHAI):%m-%d %H:%M}"


async def heard(house: House, who: str, kind: str = "") -> list[str]:
    """When the bot spoke to somebody."""
    return [clock(m) for m in await house.bot_said(who) if not kind or m["kind"] == kind]


def labels(message: dict[str, Any]) -> list[str]:
    return [b["label"] for b in message["card"]["buttons"]]


async def test_an_unclaimed_ticket_goes_to_liaison_and_stand_in_then_leader_then_chief(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        assert await heard(house, "P041") == ["11-24 09:00"]

        await house.advances(hours=4, minutes=29)
        assert await heard(house, "P041") == ["11-24 09:00"]
        await house.advances(minutes=91)
        assert await heard(house, "P041", "reminder") == ["11-24 14:30"]
        assert await heard(house, "P042", "reminder") == ["11-24 14:30"]
        stand_in = await house.last("P042")
        assert "作为B岗认领" in stand_in["text"]
        assert labels(stand_in)[0] == "认领"
        assert await heard(house, "P028") == []

        await house.until(at(11, 25, 9, 59))
        assert await heard(house, "P028") == ["11-25 09:30"]
        card = await house.last("P028")
        assert labels(card) == ["知悉", "改派", "延期", "督办"]
        assert (await house.ticket()).level == 4
        assert await heard(house, "P057") == []

        await house.until(at(11, 25, 18))
        assert await heard(house, "P057", "escalation") == ["11-25 15:00"]
        chief = await house.last("P057")
        assert labels(chief) == ["改派", "挂账", "定会商"]
        assert "未回应" in chief["text"]
        ticket = await house.ticket()
        assert (ticket.state, ticket.level) == ("open", 5)
        moves = [e.move.value for e in await house.read(lambda uow: uow.tickets.history(1001))]
        assert moves == ["submit", "escalate", "escalate", "escalate"]


async def test_the_stand_in_may_claim_once_the_claim_is_overdue(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P042", "认领 1001")
        assert (await house.ticket()).state == "open"
        await house.until(at(11, 24, 14, 31))
        await house.press("P042", "认领")
        ticket = await house.ticket()
        assert (ticket.state, ticket.owner_id) == ("in_progress", "P042")


async def test_saturday_evening_before_a_holiday_stays_quiet_until_morning(
    opened: Opened,
) -> None:
    """2026-02-14 is a Saturday that works; the Spring Festival begins on the 15th."""
    async with opened(at(2, 14, 16)) as house:
        await house.group_says("E003", "@小港 今天下午货车全堵在厂门口，出不了货，很急")
        assert (await house.ticket()).urgency == "U2"
        await house.until(at(2, 14, 17, 30))
        assert await heard(house, "P041", "reminder") == ["02-14 17:00"]
        await house.says("E003", "催办 1001")
        await house.until(at(2, 14, 20, 50))
        before = await heard(house, "P041")
        await house.until(at(2, 14, 21, 30))
        await house.group_says("E004", "@小港 车间停水半天了，急")
        await house.until(at(2, 15, 7, 29))
        assert await heard(house, "P041") == before
        assert await heard(house, "P042", "card") == []
        await house.until(at(2, 15, 7, 30))
        assert await heard(house, "P042", "card") == ["02-15 07:30"]


async def test_what_waits_for_the_morning_speaks_of_that_day(opened: Opened) -> None:
    async with opened(at(11, 24, 21, 30)) as house:
        await house.group_says("E003", "@小港 今天下午货车全堵在厂门口，出不了货，很急")
        await house.until(at(11, 25, 7, 30))
        card = await house.last("P041")
        assert clock(card) == "11-25 07:30"
        assert "今天 08:30 前认领" in card["text"]
        assert "昨天 21:30" in card["card"]["note"]


async def test_a_reminder_put_off_to_the_next_day_speaks_of_that_day(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.until(at(11, 27, 9))
        await house.says("P041", "进展 1001 已联系人社局，周三组织专场招聘")
        await house.until(at(12, 3, 9))
        told = [m for m in await house.bot_said("P041") if m["kind"] == "reminder"]
        # First the answer that was due. The resolution's warning had the second of December; the
        # late progress waits for a day of its own.
        assert [clock(m) for m in told] == ["11-26 17:30", "12-02 11:36", "12-03 08:30"]
        assert "明天 17:30 前办结" in told[1]["text"]
        assert "今天 17:30 前办结" in told[2]["text"]


async def test_an_unclaimed_ticket_of_the_evening_before_a_holiday_waits_for_working_time(
    opened: Opened,
) -> None:
    """Four working hours of a U3 that came on the last Saturday evening end after the holiday."""
    async with opened(at(2, 14, 20)) as house:
        await house.group_says("E003", PROBLEM)
        told = await heard(house, "P041")
        await house.until(at(2, 23, 23))
        assert await heard(house, "P041") == told
        assert await heard(house, "P028") == []
        await house.until(at(2, 24, 15))
        assert await heard(house, "P041", "reminder") == ["02-24 14:00"]


async def test_a_u1_at_three_in_the_night_rings_at_once(opened: Opened) -> None:
    async with opened(at(11, 25, 3)) as house:
        await house.group_says("E003", DANGER)
        assert (await house.ticket()).urgency == "U1"
        assert await heard(house, "P041") == ["11-25 03:00"]
        await house.until(at(11, 25, 3, 21))
        rings = {who: await heard(house, who, "escalation") for who in ("P041", "P042", "P028")}
        assert set(map(tuple, rings.values())) == {("11-25 03:10",)}
        assert await heard(house, "P055", "escalation") == ["11-25 03:10"]
        assert await heard(house, "P057", "escalation") == ["11-25 03:20"]
        await house.until(at(11, 25, 3, 51))
        assert await heard(house, "P041", "escalation") == [
            "11-25 03:10", "11-25 03:35", "11-25 03:50",
        ]  # fmt: skip
        await house.press("P042", "认领")
        assert (await house.ticket()).owner_id == "P042"
        count = len(await heard(house, "P041"))
        await house.until(at(11, 25, 6))
        assert len([m for m in await heard(house, "P041", "escalation")]) == 3
        assert len(await heard(house, "P041")) <= count + 1


async def test_an_acknowledgement_holds_the_next_level_one_working_day_and_cancels_nothing(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 10, 5))
        pressed = await house.press("P028", "知悉")
        assert "已知悉" in pressed["toast"]
        await house.until(at(11, 26, 10))
        assert await heard(house, "P057") == []
        await house.until(at(12, 8, 18))
        assert "escalation" in {m["kind"] for m in await house.bot_said("P057")}
        assert (await house.ticket()).level == 5


async def test_a_leader_extends_reassigns_and_supervises_from_the_card(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 10, 5))
        due = (await house.ticket()).due_resolution
        await house.press("P028", "延期")
        assert "延到哪天" in (await house.last("P028"))["text"]
        await house.says("P028", "12月11日 等专场招聘")
        ticket = await house.ticket()
        assert ticket.due_resolution > due
        assert "等专场招聘" in (await house.last("E003"))["text"]
        await house.press("P028", "督办")
        ticket = await house.ticket()
        assert ticket.supervised == "DB-2026-001"
        assert "DB-2026-001" in (await house.last("P041"))["text"]
        await house.press("P028", "改派")
        await house.says("P028", "小吴 请港口组接办")
        assert (await house.ticket()).owner_id == "P042"


async def test_orange_brings_a_supervision_number_once_and_a_person_uses_the_same(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 9))
        await house.says("P028", "督办单 1001")
        assert "还没有督办编号" in (await house.last("P028"))["text"]
        await house.until(at(11, 25, 10))
        card = await house.last("P028")
        assert ("督办单", "DB-2026-001") in [(r["label"], r["value"]) for r in card["card"]["rows"]]
        await house.says("P028", "督办单 1001")
        assert "督办单已生成" in (await house.last("P028"))["text"]
        (entry,) = [
            e
            for e in await house.read(lambda uow: uow.tickets.history(1001))
            if "orange_code" in e.changes
        ]
        assert (entry.move, entry.changes["orange_code"]) == ("escalate", "DB-2026-001")

        await house.says("P028", "督办 1001")
        assert "已督办，编号 DB-2026-001" in (await house.last("P028"))["text"]
        assert (await house.ticket()).supervised == "DB-2026-001"
        await house.group_says("E004", "@小港 门口路灯坏了五盏，晚上看不见")
        await house.says("P028", "督办 1002")
        assert "DB-2026-002" in (await house.last("P028"))["text"]


async def test_a_firm_may_withdraw_what_only_got_a_number(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 10))
        assert (await house.ticket()).supervision_code == "DB-2026-001"
        await house.says("E003", "撤回 1001")
        assert (await house.ticket()).state == "withdrawn"


async def test_the_chief_shelves_or_sets_a_day_to_meet(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 16))
        await house.press("P057", "定会商")
        assert "会商日期" in (await house.last("P057"))["text"]
        await house.says("P057", "11月30日上午")
        assert "会商" in (await house.last("P057"))["text"]
        assert "会商" in (await house.last("P041"))["text"]
        quiet = len(await house.bot_said("P057"))
        await house.until(at(11, 29, 20))
        assert len(await house.bot_said("P057")) == quiet
        await house.until(at(12, 1, 9))
        assert len(await house.bot_said("P057")) > quiet
        await house.says("P041", "认领 1001")
        await house.press("P057", "挂账")
        await house.says("P057", "1月15日 等规划批复；已当面向企业说明")
        ticket = await house.ticket()
        assert ticket.state == "shelved"
        assert "再与您联系" in (await house.last("E003"))["text"]
        await house.until(at(1, 16, 12, year=2027))
        assert (await house.ticket()).state == "in_progress"
        assert "挂账复核日期已到" in "".join(m["text"] for m in await house.bot_said("P041"))


async def test_a_rung_nobody_stands_on_is_skipped_at_once_and_the_office_told(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:

        def gone(uow: UnitOfWork) -> None:
            from dataclasses import replace

            leader = uow.people.person("P028")  # type: ignore[arg-type]
            assert leader is not None and leader.role is Role.LEADER
            # Nobody stands in either.
            uow.people.save_person(replace(leader, active=False, backup_person_id=None))

        await house.app.writer.run(gone)
        await house.group_says("E003", PROBLEM)
        await house.until(at(11, 25, 9, 31))
        assert await heard(house, "P057", "escalation") == ["11-25 09:30"]
        office = await house.last("P055")
        assert "分管领导无人可通知" in office["text"]
        assert (await house.ticket()).level == 5


async def test_the_firm_is_asked_again_and_its_silence_ends_the_waiting(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "请补充 1001 请说明需要哪些工种")
        await house.until(at(12, 1, 17, 0))
        assert await heard(house, "E003", "reminder") == ["11-25 17:30", "11-27 17:30"]
        assert (await house.ticket()).state == "waiting_enterprise"
        await house.until(at(12, 1, 17, 31))
        ticket = await house.ticket()
        assert ticket.state == "in_progress"
        assert "没有在期限内补充" in "".join(m["text"] for m in await house.bot_said("P041"))


async def test_the_verdict_is_asked_once_reminded_once_and_silence_closes_without_one(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        assert await heard(house, "E003", "question") == ["11-24 09:00"]
        await house.until(at(12, 1, 17))
        assert await heard(house, "E003", "reminder") == ["11-26 17:30"]
        again = await house.last("E003")
        assert labels(again)[0] == "非常满意"
        await house.until(at(12, 3, 8))
        ticket = await house.ticket()
        assert (ticket.state, ticket.verdict, ticket.rating) == ("closed", "none", None)
        assert await heard(house, "E003", "reminder") == ["11-26 17:30"]


async def test_a_verdict_that_came_is_not_asked_for_again(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.press("E003", "满意")
        await house.until(at(12, 4, 12))
        assert await heard(house, "E003", "reminder") == []


async def test_a_transfer_nobody_answers_comes_to_the_office(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "转办 1001 小吴 属于港口业务")
        await house.until(at(11, 24, 14, 31))
        card = await house.last("P055")
        assert "没有答复" in card["text"]
        assert labels(card) == ["改派"]
        assert (await house.ticket()).owner_id == "P041"


async def test_a_request_nobody_decides_is_asked_again_and_then_the_ladder_goes_on(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "延期 1001 12月11日 等设备到货")
        await house.until(at(11, 24, 14, 31))
        leader = await house.last("P028")
        assert leader["kind"] == "reminder"
        assert labels(leader) == ["同意", "不同意"]
        await house.press("P028", "同意")
        assert (await house.ticket()).pending_until is None


async def test_a_department_that_does_not_answer_is_asked_and_its_handler_told(
    opened: Opened,
) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "转部门 1001 人社局 11月27日前")
        await house.until(at(11, 30, 12))
        said = "".join(m["text"] for m in await house.bot_said("P041"))
        assert "人社局到约定时间没有回复" in said


async def test_a_stale_reminder_is_dropped_and_noted(opened: Opened) -> None:
    """Due in the night, claimed before the morning: nobody is reminded of what is done."""
    async with opened(at(11, 24, 23)) as house:
        await house.group_says("E003", "@小港 今天下午货车全堵在厂门口，出不了货，很急")
        await house.until(at(11, 25, 7, 31))
        await house.says("P041", "认领 1001")
        await house.until(at(11, 25, 8, 31))
        await house.says("P041", "进展 1001 已联系供电所，正在抢修")
        await house.until(at(11, 25, 12))
        assert await heard(house, "P041", "reminder") == []


async def test_two_reopenings_reach_the_chief(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        for count in (1, 2):
            await house.advances(minutes=20)
            await house.says("P041", f"办结 1001 第{count}次安排了专场招聘，到岗若干人")
            await house.advances(minutes=20)
            await house.press("E003", "没解决")
            await house.says("E003", "还缺八个人没来")
        ticket = await house.ticket()
        assert (ticket.cycle, ticket.level) == (3, 5)
        await house.advances(minutes=20)
        chief = await house.last("P057")
        assert labels(chief) == ["改派", "挂账", "定会商"]


async def test_more_than_three_notices_in_a_quarter_of_an_hour_become_one(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        for firm in ("E003", "E001", "E003", "E001", "E003", "E001"):
            number = await house.count("tickets")
            thing = ("车间缺操作工20人", "门口路灯坏了5盏", "货车在路口被拦进不来")[number // 2]
            await house.group_says(firm, f"@小港 {thing}")
            assert await house.count("tickets") == number + 1
        assert len(await house.bot_said("P041")) == 3
        await house.advances(minutes=16)
        told = await house.bot_said("P041")
        assert [m["kind"] for m in told] == ["card", "card", "card", "digest"]
        assert all(f"#{n}" in told[-1]["text"] for n in (1004, 1005, 1006))


async def test_after_downtime_each_person_gets_one_message(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        for firm, thing in (("E003", "车间缺操作工20人"), ("E001", "门口路灯坏了5盏")):
            await house.group_says(firm, f"@小港 {thing}")
        before = len(await house.bot_said("P041"))
        # Nothing ran for a week: the clock jumps, no stop on the way.
        house.passes(days=8)
        await house.app.ticker.run_all()
        await house.app.dispatcher.drain(["sandbox"])
        told = (await house.bot_said("P041"))[before:]
        assert [m["kind"] for m in told] == ["digest"]
        assert "#1001" in told[0]["text"] and "#1002" in told[0]["text"]
        firings = await house.read(
            lambda uow: uow.connection.execute(
                text("SELECT number, clock, since, level FROM firings")
            ).all()
        )
        assert len(firings) == len(set(firings))
        await house.app.ticker.run_all()
        await house.app.dispatcher.drain(["sandbox"])
        assert len(await house.bot_said("P041")) == before + 1


async def test_setting_the_ticket_right_reminds_once_a_day_at_most(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.until(at(12, 8, 20))
        days = [told[:5] for told in await heard(house, "P041", "reminder")]
        assert len(days) >= 3
        assert len(days) == len(set(days))


async def test_the_firm_is_asked_at_once_also_after_the_second_result(opened: Opened) -> None:
    async with opened(at(11, 24, 9)) as house:
        await house.group_says("E003", PROBLEM)
        await house.says("P041", "认领 1001")
        await house.says("P041", "进展 1001 已联系人社局，周三开专场招聘")
        await house.says("P041", "办结 1001 专场招聘到岗20人，企业已确认")
        await house.says("E003", "还是缺人")
        await house.says("P041", "办结 1001 又介绍15人到岗，班组长已签收")
        told = await house.last("E003")
        assert told["kind"] == "question"
        assert "又介绍15人到岗" in told["text"]
