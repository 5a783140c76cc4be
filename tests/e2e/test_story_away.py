"""People's time: who is on leave, who stands in, who is on duty at 20:00 on a Sunday."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.test_command_line import bot
from tests.kit.house import House

# Tuesday 24 November 2026, 09:00 in Shanghai (the house's start). 小周 serves E003, 小吴 is B岗.
LIAISON, BACKUP, NEXT, LEADER, DESK, CLERK, CHIEF = (
    "P041", "P042", "P043", "P028", "P055", "P056", "P057",
)  # fmt: skip
PROBLEM = "报修 车间缺操作工20人，临时招不到"


async def says(house: House, who: str, text: str) -> str:
    await house.says(who, text)
    return str((await house.last(who))["text"])


async def moment(house: House, text: str) -> None:
    when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=house.app.settings.zone)
    house.clock.set(when.astimezone(UTC))


async def owner(house: House, number: int) -> str | None:
    ticket = await house.ticket(number)
    return None if ticket.owner_id is None else str(ticket.owner_id)


# ---- leave


async def test_on_leave_the_stand_in_is_told_gets_new_tickets_and_works_on_the_old(
    house: House,
) -> None:
    await house.says("E003", PROBLEM)
    answer = await says(house, LIAISON, "我请假 11.25-11.26")
    assert answer == (
        "已登记：11月25日 周三 至 11月26日 周四 请假。在办 1 件，由联络员小吴代办，已告知。提前回来请回复「销假」。"
    )
    told = (await house.last(BACKUP))["text"]
    assert told.startswith(
        "联络员小周 11月25日 周三 至 11月26日 周四 请假，期间由您代办。在办 1 件："
    )
    assert "#1001" in told
    # Today 小周 is still here, tomorrow not, on Friday again: judged at the instant.
    await house.says("E001", PROBLEM)
    assert await owner(house, 1002) == LIAISON
    assert "没有找到工单" in await says(house, NEXT, "认领 1001")
    await moment(house, "2026-11-25 09:00")
    await house.says("E001", "报修 宿舍楼蒸汽管道压力不足")
    assert await owner(house, 1003) == BACKUP
    assert "已由您认领" in await says(house, BACKUP, "认领 1001")
    await moment(house, "2026-11-27 00:00")
    await house.says("E001", "报修 厂门口道路积水车辆进不来")
    assert await owner(house, 1004) == LIAISON


async def test_coming_back_early_ends_the_leave_and_the_stand_in_hears_of_it(house: House) -> None:
    await says(house, LIAISON, "我明天到周五请假")
    await moment(house, "2026-11-25 13:30")
    assert await says(house, LIAISON, "销假") == "已销假，工单恢复由本人办理。"
    assert (await house.last(BACKUP))["text"] == "联络员小周已销假，不用再代办，谢谢。"
    await house.says("E003", PROBLEM)
    assert await owner(house, 1001) == LIAISON
    assert await says(house, LIAISON, "销假") == "没有登记请假，不用销假。"
    assert "的请假已取消" not in await says(house, LIAISON, "我下周一请假")
    assert await says(house, LIAISON, "提前销假") == "11月30日 周一 的请假已取消。"


async def test_where_the_stand_in_is_away_too_the_next_one_stands_in(house: House) -> None:
    await says(house, BACKUP, "我明天请假")
    answer = await says(house, LIAISON, "我明天请假")
    assert "由联络员小郑代办" in answer
    await moment(house, "2026-11-25 10:00")
    await house.says("E003", PROBLEM)
    assert await owner(house, 1001) == NEXT


async def test_without_a_stand_in_the_office_is_told_and_gets_the_tickets(house: House) -> None:
    await house.api("PATCH", f"/people/{LIAISON}", {"backup_person_id": None})
    answer = await says(house, LIAISON, "我明天请假")
    assert "没有可代办的 B岗，已告知办公室" in answer
    assert "请安排代办" in (await house.last(DESK))["text"]
    await moment(house, "2026-11-25 10:00")
    await house.says("E003", PROBLEM)
    assert await owner(house, 1001) is None


async def test_a_leader_on_leave_is_stood_in_for_too(house: House) -> None:
    await house.says("E003", PROBLEM)
    await says(house, LIAISON, "认领 1001")
    answer = await says(house, LEADER, "我请假 11.25")
    assert "代办" in answer
    await moment(house, "2026-11-25 09:00")
    await says(house, LIAISON, "延期 1001 12月10日 招聘专场改期")
    await house.press("P029", "同意")
    assert (await house.ticket()).extensions == 1
    # Back the day after, and only the leader then.
    await moment(house, "2026-11-26 09:00")
    assert "没有找到工单" in await says(house, "P029", "督办 1001")


async def test_the_office_enters_leave_for_others_and_nobody_else_does(house: House) -> None:
    assert "由办公室来做" in await says(house, NEXT, "小周明天请假")
    answer = await says(house, DESK, "小周明天请假")
    assert answer.startswith("已登记：联络员小周 11月25日 周三 请假。")
    assert "已为您登记 11月25日 周三 请假" in (await house.last(LIAISON))["text"]
    assert "联络员小周：11月25日 周三" in await says(house, NEXT, "谁请假")
    assert "已取消" in await says(house, DESK, "小周销假")
    assert await says(house, NEXT, "谁请假") == "近两周没有人请假。"


async def test_leaves_that_touch_become_one_and_the_same_twice_changes_nothing(
    house: House,
) -> None:
    await says(house, LIAISON, "我明天请假")
    await says(house, LIAISON, "我明天请假")
    assert len([m for m in await house.bot_said(BACKUP) if "代办" in m["text"]]) == 1
    answer = await says(house, LIAISON, "我后天请假")
    assert "11月25日 周三 至 11月26日 周四" in answer
    assert await house.count("leaves") == 1


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("我请假", "请写明请假到哪一天"),
        ("请假 11.25", "11月25日 周三 请假"),
        ("明天下午请假", "11月25日 周三 下午 请假"),
        ("我下周休年假", "11月30日 周一 至 12月6日 周日 请假"),
        ("我昨天请假", "时间已经过去"),
        ("我请假 11.25-11.26 家里有事", "11月25日 周三 至 11月26日 周四 请假"),
    ],
)
async def test_leave_is_understood_as_people_say_it(sqlite_url: str, said: str, back: str) -> None:
    async with House(sqlite_url) as house:
        assert back in await says(house, LIAISON, said)


async def test_talk_about_leave_is_no_leave(house: House) -> None:
    await house.says("E003", "我们车间员工明天请假的多")
    await house.group_says(LIAISON, "我明天请假")
    for text in (
        "泓曜精密反映春节员工请假多，缺操作工",
        "请假的员工明天回来",
        "企业负责人请假，明天答复",
        "我请假的事已经跟小吴说过了",
        "小吴明天请假，泓曜精密的单子先放我这里",
    ):
        await house.says(LIAISON, text)
    assert await house.count("leaves") == 0


async def test_leave_by_the_interface_is_the_same_leave(house: House) -> None:
    body = {
        "person_id": LIAISON,
        "starts_at": "2026-11-25T00:00:00+08:00",
        "ends_at": "2026-11-26T00:00:00+08:00",
    }
    made = await house.api("POST", "/leaves", body, status=201)
    assert (made["stand_in"], made["tickets"]) == (BACKUP, 0)
    assert len((await house.api("GET", "/leaves"))["items"]) == 1
    await house.api("POST", "/leaves", {**body, "ends_at": "2026-11-26"}, status=422)
    await house.api("POST", "/leaves", {**body, "person_id": "X"}, status=422)


# ---- the rota


async def test_the_rota_decides_who_the_desk_is_at_every_instant(house: House) -> None:
    answer = await says(house, DESK, "排班 11.28-11.29 文秘")
    assert answer == "已排班：11月28日 周六 08:30 至 11月30日 周一 08:30 办公室文秘。"
    assert (await house.last(CLERK))["text"] == (
        "请您值班：11月28日 周六 08:30 至 11月30日 周一 08:30。"
    )
    assert "现在值班：办公室值班" in await says(house, LIAISON, "今天谁值班")
    # Sunday evening, and the night after it.
    for at, who in (
        ("2026-11-28 08:29", DESK),
        ("2026-11-28 08:30", CLERK),
        ("2026-11-29 20:00", CLERK),
        ("2026-11-30 03:00", CLERK),
        ("2026-11-30 08:30", DESK),
    ):
        await moment(house, at)
        person = await house.read(lambda uow: uow.people.duty_person())
        assert person.id == who, at


async def test_on_a_sunday_evening_what_nobody_owns_goes_to_whoever_is_on_duty(
    house: House,
) -> None:
    await says(house, DESK, "排班 11.29 文秘")
    await moment(house, "2026-11-29 20:00")
    await house.says(LIAISON, "我请假 11.29-11.30")
    await house.says("E003", PROBLEM)
    assert await owner(house, 1001) == BACKUP
    await house.api("PATCH", f"/people/{LIAISON}", {"backup_person_id": None})
    await house.says("E003", "报修 厂区消防水压不足，请帮忙协调")
    assert await owner(house, 1002) is None
    assert any("#1002" in m["text"] for m in await house.bot_said(CLERK))
    assert "到 11月30日 周一 08:30" in await says(house, LIAISON, "谁值班")


async def test_a_new_shift_takes_the_place_of_the_old_and_the_table_shows_it(house: House) -> None:
    await says(house, DESK, "排班 11.24-11.30 文秘")
    await says(house, DESK, "排班 11.26 值班")
    table = await says(house, NEXT, "值班表")
    assert table.splitlines() == [
        "值班表：",
        "11月24日 周二 08:30 至 11月26日 周四 08:30 办公室文秘",
        "11月26日 周四 08:30 至 11月27日 周五 08:30 办公室值班",
        "11月27日 周五 08:30 至 12月1日 周二 08:30 办公室文秘",
        "没有排到的时间：办公室值班。",
    ]
    assert "值班表里已是这样" in await says(house, DESK, "排班 11.26 值班")
    assert "值班：办公室文秘" in await says(house, NEXT, "周六谁值班")
    assert "值班：办公室值班" in await says(house, NEXT, "后天谁值班")
    assert "请排办公室的同事" in await says(house, DESK, "排班 11.26 小周")
    assert "请写明日期和人" in await says(house, DESK, "排班 小周")


async def test_whoever_is_on_the_rota_and_on_leave_is_replaced_and_the_office_knows(
    house: House,
) -> None:
    await says(house, DESK, "排班 11.25 文秘")
    await says(house, CLERK, "我明天请假")
    assert "请调整值班表" in (await house.last(DESK))["text"]
    await moment(house, "2026-11-25 10:00")
    person = await house.read(lambda uow: uow.people.duty_person())
    assert person.id == DESK


async def test_the_rota_by_the_interface(house: House) -> None:
    body = {
        "person_id": CLERK,
        "starts_at": "2026-11-24T08:30:00+08:00",
        "ends_at": "2026-11-25T08:30:00+08:00",
    }
    await house.api("POST", "/duty", body, status=201)
    shown = await house.api("GET", "/duty")
    assert shown["now"] == {"id": CLERK, "name": "办公室文秘"}
    await house.api("POST", "/duty", {**body, "person_id": LIAISON}, status=422)


def test_a_rota_and_leaves_come_by_file_and_twice_changes_nothing(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "person_id,name,role,backup_person_id,请假\n"
        "P041,联络员小周,liaison,P042,2099-11-24至2099-11-26\n"
        "P042,联络员小吴,liaison,,否\n"
        "P043,联络员小郑,liaison,,3天\n"
        "P055,办公室值班,office,,否\n",
        encoding="utf-8",
    )
    first = bot(tmp_path, "roster", "import", str(people))
    assert "新增 4" in first.stdout, first.stdout + first.stderr
    assert "请假「3天」：日期看不懂" in first.stdout
    again = bot(tmp_path, "roster", "import", str(people))
    assert "更改 0，不变 4" in again.stdout
    out = tmp_path / "out.csv"
    bot(tmp_path, "roster", "export", "--people", str(out))
    assert "2099-11-24至2099-11-26" in out.read_text(encoding="utf-8-sig")
    rota = tmp_path / "rota.csv"
    rota.write_text(
        "日期,值班人员\n2099-11-24,办公室值班\n2099-11-25,联络员小周\n2099-11-26,张三\n某天,办公室值班\n",
        encoding="utf-8",
    )
    done = bot(tmp_path, "roster", "import", str(rota))
    assert "值班更改 1 行，不变 0 行，未采纳 3 行" in done.stdout, done.stdout + done.stderr
    assert "第3行 联络员小周：不是办公室的人员" in done.stdout
    assert "不变 1 行" in bot(tmp_path, "roster", "import", str(rota)).stdout
