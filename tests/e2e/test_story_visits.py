"""A visit is told in one sentence: kept, shown once, put right in one sentence, its problems are tickets."""

import csv
import io
from datetime import UTC, datetime

import pytest

from tests.kit.house import House

# Tuesday 24 November 2026, 09:00 in Shanghai. P041 serves E003 (泓曜精密) with the leader P028.
LIAISON, OTHER, LEADER, OFFICE = "P041", "P042", "P028", "P055"
FIRM = "E003"
NOTE = "走访泓曜精密,见了生产厂长,满产,缺操作工20人,下周再去"


async def says(house: House, who: str, text: str, chat: str = "") -> str:
    await house.says(who, text, chat)
    return str((await house.last(who))["text"])


async def the_visit(house: House, number: int = 1) -> object:
    return await house.read(lambda uow: uow.visits.find(number))


async def test_a_sentence_fills_the_fields_and_its_problem_becomes_a_ticket(house: House) -> None:
    echo = await says(house, LIAISON, NOTE)
    assert echo.splitlines()[:3] == [
        "走访 1 已记：泓曜精密。",
        "时间：11月24日 周二 09:00 实地；见到：生产厂长；生产：满产；用工：缺操作工20人；"
        "下次：11月30日 周一 至 12月6日 周日。",
        "问题1件：#1001 缺操作工20人（联络员小周）。",
    ]
    visit = await the_visit(house)
    assert (visit.enterprise_id, visit.visitors, visit.met) == (
        FIRM,
        ("联络员小周",),
        ("生产厂长",),
    )
    assert (visit.code, visit.problems, visit.backfilled) == ("ZF-20261124-001", (1001,), False)
    ticket = await house.ticket()
    assert (ticket.kind, ticket.source.channel, ticket.enterprise_id) == ("visit", "visit", FIRM)
    assert (ticket.category, ticket.owner_id) == ("LAB", LIAISON)


async def test_walked_and_reflected_creates_a_visit_and_a_ticket(house: House) -> None:
    """The seed's 助企纾困大走访: 走访…反映…."""
    await house.group_says(
        "P040",
        "走访煦纬医疗,见到彭经理,产销正常;反映围墙外污水井返味,员工开窗就闻到,请排水公司疏通",
    )
    visit = await the_visit(house)
    assert (visit.enterprise_id, visit.met, visit.production) == ("E010", ("经理",), "产销正常")
    ticket = await house.ticket()
    assert (ticket.kind, ticket.enterprise_id, ticket.number) == ("visit", "E010", 1001)
    assert visit.problems == (1001,)
    # What the firm told is for its own people: the echo is private, the group hears nothing.
    assert await house.in_group() == []
    assert "走访 1 已记：煦纬医疗" in (await house.last("P040"))["text"]


async def test_the_echo_comes_once_and_one_sentence_puts_it_right(house: House) -> None:
    await says(house, LIAISON, NOTE)
    before = len(await house.bot_said(LIAISON))
    answer = await says(house, LIAISON, "不是生产厂长,是副总")
    assert answer.startswith("走访 1 已更正：泓曜精密。\n")
    assert "见到：副总" in answer
    assert len(await house.bot_said(LIAISON)) == before + 1
    assert (await the_visit(house)).met == ("副总",)
    assert "订单：订单排到1月" in await says(house, LIAISON, "更正走访 1 订单排到1月")
    assert (await the_visit(house)).workforce == "缺操作工20人"
    assert await house.count("tickets") == 1


async def test_a_button_asks_what_is_wrong_and_another_takes_the_visit_back(house: House) -> None:
    await says(house, LIAISON, NOTE)
    await house.press(LIAISON, "更正")
    assert "走访 1 哪里不对" in (await house.last(LIAISON))["text"]
    assert "11月23日 周一 下午 实地" in await says(house, LIAISON, "时间是昨天下午")
    assert (await the_visit(house)).at == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    await house.press(LIAISON, "撤销")
    assert (
        "走访 1（泓曜精密）已撤销。它带出的工单#1001照常办理。"
        in (await house.last(LIAISON))["text"]
    )
    assert "没有走访记录" in await says(house, LIAISON, "走访台账")
    assert "没有找到这次走访" in await says(house, LIAISON, "更正走访 1 见的是副总")


async def test_a_nod_after_the_echo_is_swallowed_and_something_new_is_heard(house: House) -> None:
    await says(house, LIAISON, NOTE)
    before = len(await house.bot_said(LIAISON))
    await house.says(LIAISON, "好的")
    assert len(await house.bot_said(LIAISON)) == before
    await says(house, LIAISON, NOTE.replace("20人", "3人").replace("缺操作工", "缺焊工"))
    await house.says(LIAISON, "走访 泓曜精密，见了厂长，一切正常")
    assert await house.count("visits") == 3


async def test_a_visit_of_an_earlier_day_is_marked_as_backfilled(house: House) -> None:
    echo = await says(house, LIAISON, "补录走访 11月12日 泓曜精密,了解路灯修复后情况,企业满意")
    assert echo.startswith("走访 1 已记：泓曜精密（补录）。\n时间：11月12日 周四 实地")
    visit = await the_visit(house)
    assert visit.backfilled
    assert visit.at.astimezone(house.app.settings.zone).date().isoformat() == "2026-11-12"
    assert visit.problems == ()
    assert await house.count("tickets") == 0


@pytest.mark.parametrize(
    "note",
    [
        "走访泓曜精密,检查了消防设施",
        "走访泓曜精密 开展安全生产执法检查,见了厂长",
        "走访泓曜精密,联合检查危废库,现场管理还行",
    ],
)
async def test_an_inspection_is_refused_with_a_hint(sqlite_url: str, note: str) -> None:
    async with House(sqlite_url) as house:
        answer = await says(house, LIAISON, note)
        assert "不写检查、执法" in answer
        assert "要另有计划和权限" in answer
        assert await house.count("visits") == 0
        assert await house.count("tickets") == 0


async def test_the_firms_word_about_inspections_is_a_problem_and_no_inspection(
    house: House,
) -> None:
    await says(house, LIAISON, "走访泓曜精密,张经理反映一周来了四拨检查,希望合并")
    visit = await the_visit(house)
    assert visit is not None
    assert len(visit.problems) == 1
    assert "四拨检查" in (await house.ticket()).body


async def test_no_identity_number_and_no_whole_phone_is_kept(house: House) -> None:
    echo = await says(
        house, LIAISON, "走访泓曜精密,见了厂长,身份证320601199001011234,电话13812345678,一切正常"
    )
    assert "证件号码不记入走访" in echo
    visit = await the_visit(house)
    assert "320601199001011234" not in str(visit)
    assert "13812345678" not in str(visit)
    assert "138****5678" in visit.note


async def test_the_third_visit_in_seven_days_by_anybody_warns(house: House) -> None:
    first = await says(house, LIAISON, "走访泓曜精密,见了厂长,一切正常")
    second = await says(house, OFFICE, "走访泓曜精密,见了副总,一切正常")
    assert "合并走访" not in first + second
    planned = await says(house, LIAISON, "走访计划 泓曜精密 后天")
    assert "前后7天内到泓曜精密将有3次" in planned
    by_phone = await says(house, LEADER, "电话走访泓曜精密,一切正常")
    assert "合并走访" not in by_phone
    third = await says(house, LEADER, "走访泓曜精密,见了厂长,一切正常")
    assert "办公室7天内到泓曜精密已3次，请与同事合并走访，少打扰企业。" in third
    assert "走访 1" not in third


async def test_the_book_is_for_the_own_firms_and_a_firm_sees_nothing(house: House) -> None:
    await says(house, LIAISON, NOTE)
    await says(house, OTHER, "走访玖晟电子,见了副总,订单排到2月")
    mine = await says(house, LIAISON, "走访台账")
    assert "泓曜精密" in mine
    assert "玖晟电子" not in mine
    assert "没有走访记录" in await says(house, OTHER, "走访台账 泓曜精密")
    assert "泓曜精密" in await says(house, LEADER, "走访台账 泓曜精密")
    whole = await says(house, OFFICE, "走访台账 11月")
    assert "走访台账（11月）：2次" in whole
    by_name = await says(house, OFFICE, "走访台账 小吴")
    assert "玖晟电子" in by_name
    assert "泓曜精密" not in by_name
    assert "走访台账（泓曜精密）：1次" in await says(house, OFFICE, "走访 泓曜")
    assert "没有走访记录" in await says(house, OFFICE, "走访台账 10月")
    for firm in (FIRM, "E004"):
        for text in ("走访台账", "走访台账 泓曜精密", "走访 玖晟电子", "未走访"):
            await house.says(firm, text)
        told = str([m["text"] for m in await house.bot_said(firm)])
        assert "订单排到" not in told
        assert "满产" not in told
        assert "小周" not in told or firm == FIRM


async def test_each_key_firm_comes_round_and_who_is_left_out_is_listed(house: House) -> None:
    assert "该去的" in await says(house, LIAISON, "走访计划")
    await says(house, LIAISON, "走访泓曜精密,见了厂长,一切正常")
    due = await says(house, LIAISON, "走访计划")
    assert "泓曜精密" not in due
    assert "王子制纸（还没走访过）" in due
    assert "已记：12月2日 周三 到王子制纸" in await says(house, LIAISON, "走访计划 王子制纸 下周三")
    due = await says(house, LIAISON, "走访计划")
    assert "已约：12月2日 周三 王子制纸。" in due
    house.passes(days=57)
    assert "泓曜精密（上次2026-11-24）" in await says(house, LIAISON, "走访计划")


async def test_the_brief_tells_visits_done_and_planned_and_firms_unvisited_for_60_days(
    house: House,
) -> None:
    await says(house, LIAISON, "走访计划 王子制纸 今天下午")
    await says(house, LIAISON, NOTE)
    page = await says(house, OFFICE, "日调度")
    assert "走访：已走访1家（泓曜精密）　今日计划1家（王子制纸）" in page
    assert "久未走访" not in page
    house.passes(days=59)
    assert "久未走访" not in await says(house, OFFICE, "日调度")
    house.passes(days=2)
    await says(house, OTHER, "走访玖晟电子,见了副总,一切正常")
    page = await says(house, OFFICE, "日调度")
    assert "久未走访的企业 44（看 久未走访）" in page
    listed = await says(house, OFFICE, "看 久未走访")
    assert "超过60天未走访的重点企业44家" in listed
    assert "玖晟电子" not in listed
    own = await says(house, LIAISON, "未走访")
    assert "重点企业3家" in own
    assert "玖晟电子" not in own
    plain = (await house.api("GET", "/brief"))["visits"]
    assert [f["id"] for f in plain["made"]] == ["E004"]
    assert len(plain["unvisited"]) == 44


async def test_a_plan_is_no_visit_and_several_firms_are_asked_for_one_by_one(
    house: House,
) -> None:
    await house.group_says(LIAISON, "明天打算走访泓曜精密")
    assert await house.count("visits") == 0
    assert "请一家一条" in await says(house, LIAISON, "走访泓曜精密和王子制纸,都正常")
    assert "没看出是哪家企业" in await says(house, LIAISON, "走访记录 见了厂长，满产")
    assert "走访时间还没到" in await says(house, LIAISON, "走访 泓曜精密，今天下午5点，见了厂长")
    assert await house.count("visits") == 0


async def test_a_known_problem_is_added_to_and_not_opened_again(house: House) -> None:
    await house.says(FIRM, "报修 车间缺操作工20人,招不到")
    echo = await says(house, LIAISON, "走访泓曜精密,见了厂长,车间缺操作工20人招不到")
    assert "#1001 已在办，记为补充" in echo
    assert await house.count("tickets") == 1
    assert (await the_visit(house)).problems == (1001,)


async def test_visits_come_and_go_by_the_api(house: House) -> None:
    body = {
        "enterprise_id": FIRM,
        "by": LIAISON,
        "text": "见了厂长，缺操作工5人",
        "at": "2026-11-23T14:00:00+08:00",
        "mode": "online",
        "policies_told": ["稳岗补贴"],
        "project": "瑞翔扩建",
        "client_id": "v1",
    }
    made = await house.api("POST", "/visits", body, status=201)
    assert (made["visit_no"], made["mode"], made["tickets"]) == (
        "ZF-20261124-001",
        "online",
        [1001],
    )
    assert (made["met"], made["policies_told"], made["backfilled"]) == (
        ["厂长"],
        ["稳岗补贴"],
        True,
    )
    again = await house.api("POST", "/visits", body, status=201)
    assert again["number"] == made["number"]
    assert await house.count("visits") == 1
    listed = await house.api("GET", f"/visits?enterprise={FIRM}&from=2026-11-01&project=瑞翔扩建")
    assert [v["number"] for v in listed["items"]] == [1]
    assert (await house.api("GET", "/visits?project=青昀"))["items"] == []
    wrong = await house.api("POST", "/visits", {**body, "text": "执法检查"}, status=201)
    assert wrong["number"] == 1
    for change, status in (
        ({"text": "开展执法检查", "client_id": ""}, 422),
        ({"enterprise_id": "E999", "client_id": ""}, 422),
        ({"at": "昨天", "client_id": ""}, 422),
        ({"mode": "梦里", "client_id": ""}, 422),
        ({"by": FIRM, "client_id": ""}, 422),
    ):
        answer = await house.api("POST", "/visits", {**body, **change}, status=status)
        assert answer["error"]["message"]
    assert await house.count("visits") == 1
    await house.api("POST", "/visits/1/drop", {"by": LIAISON})
    assert (await house.api("GET", "/visits"))["items"] == []


async def test_the_book_is_exported_without_phones_and_formulas(house: House) -> None:
    from handlers.services.tickets import TicketService
    from handlers.services.visits import VisitService
    from handlers.texts import visits as say
    from handlers.understanding import FirmNames

    await says(house, LIAISON, "走访泓曜精密,见了厂长,订单排到1月,电话13812345678")

    def rows(uow: object) -> list[dict[str, str]]:
        calendar = uow.calendar.current()  # type: ignore[attr-defined]
        tickets = TicketService(uow, house.clock, calendar)  # type: ignore[arg-type]
        service = VisitService(uow, house.clock, calendar, tickets, FirmNames(()))  # type: ignore[arg-type]
        return service.rows(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))

    (row,) = await house.read(rows)
    assert tuple(row) == say.COLUMNS
    assert (row["编号"], row["企业"], row["见到"]) == ("ZF-20261124-001", "泓曜精密", "厂长")
    assert "138****5678" in row["原话"]
    assert "13812345678" not in str(row)


async def test_the_command_line_exports_the_visit_book(house: House, tmp_path: object) -> None:
    import os
    import subprocess
    import sys
    from pathlib import Path

    from python_calamine import CalamineWorkbook

    await says(house, LIAISON, NOTE)
    url = house.settings.database_url
    for name in ("book.csv", "book.xlsx"):
        out = Path(str(tmp_path)) / name
        asked = [sys.executable, "-m", "bot", "export", "visits", "--from", "2026-11-01", "--to"]
        done = subprocess.run(
            [*asked, "2026-11-30", str(out)],
            env={**os.environ, "LHG_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "已导出 1 次" in done.stdout
        if name.endswith("csv"):
            rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
        else:
            rows = CalamineWorkbook.from_path(str(out)).get_sheet_by_index(0).to_python()
        assert rows[0][0] == "编号"
        assert rows[1][0] == "ZF-20261124-001"
        assert "#1001" in rows[1]
        # A figure is a figure where a cell can be one.
        assert rows[1][rows[0].index("网格")] == ("1" if name.endswith("csv") else 1)
