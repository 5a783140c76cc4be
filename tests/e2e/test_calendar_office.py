"""The office's calendar: a table comes in, running clocks are counted again, and nothing else is."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.domain.calendar_table import COLUMNS, from_plain, from_rows
from handlers.domain.ticket import rebuilt
from handlers.domain.workdays import BadCalendar, DayKind, DayStatus
from handlers.texts import calendar as say
from tests.e2e.test_command_line import bot
from tests.kit.house import House

# Friday 25 December 2026: 7 working days from here end in January.
DECEMBER = datetime(2026, 12, 25, 1, 0, tzinfo=UTC)
DAYS_2027 = [
    *({"date": f"2027-01-0{n}", "kind": "休", "name": "元旦"} for n in (1, 2, 3)),
    *({"date": f"2027-02-{n:02}", "kind": "off", "name": "春节"} for n in range(5, 13)),
    *({"date": f"2027-05-0{n}", "kind": "off", "name": "劳动节"} for n in (1, 2, 3, 4)),
    *({"date": f"2027-10-0{n}", "kind": "off", "name": "国庆节"} for n in range(1, 8)),
    {"date": "2027-01-09", "kind": "班", "name": "元旦"},
    {"date": "2027-01-04", "kind": "off", "name": "元旦"},
]
TABLE = {"status": "published", "source": "通知", "days": DAYS_2027}


async def test_the_years_are_shown_with_what_is_known_of_them(house: House) -> None:
    shown = await house.api("GET", "/calendar/2026")
    assert shown["published"] is True
    kinds = {d["date"]: d["kind"] for d in shown["days"]}
    assert kinds["2026-10-10"] == "work"
    assert kinds["2026-10-01"] == "off"
    assert shown["week"]["days"][0] == ["08:30-12:00", "13:30-17:30"]
    unknown = await house.api("GET", "/calendar/2027")
    assert unknown["provisional"] is True
    assert {d["status"] for d in unknown["days"]} == {"estimated"}
    await house.api("GET", "/calendar/2200", status=404)


async def test_a_years_table_counts_running_clocks_again_and_leaves_a_line(
    database_url: str,
) -> None:
    async with House(database_url, start=DECEMBER) as house:
        await house.says("E003", "我们想申报技改补贴，不知道要准备哪些材料，请帮忙问问")
        await house.says("E004", "报修 厂门口路灯坏了")
        # Ended: what was promised of it stays as it was.
        await house.says("P055", "不予受理 1002 误建")
        before, ended = await house.ticket(1001), await house.ticket(1002)
        assert (await house.api("GET", "/tickets/1001"))["provisional_calendar"] is True
        answer = await house.api("POST", "/calendar/2027", TABLE, status=201)
        assert answer["published"] is True
        assert answer["recounted"] == 1
        after = await house.ticket(1001)
        # 4 January became a day off and 9 January a working day: one day later, or the same week.
        assert after.due_resolution >= before.due_resolution
        assert after.due_resolution != before.due_resolution
        assert (await house.api("GET", "/tickets/1001"))["provisional_calendar"] is False
        assert await house.ticket(1002) == ended
        history = await house.read(lambda uow: uow.tickets.history(1001))
        assert history[-1].move == "recount"
        assert rebuilt(history) == after
        lines = (await house.api("GET", "/audit"))["items"]
        saved = next(a for a in lines if a["action"] == "calendar.saved")
        assert saved["facts"]["recounted"] == 1
        # The same table once more changes nothing.
        again = await house.api("POST", "/calendar/2027", TABLE, status=201)
        assert (again["changed"], again["recounted"]) == (0, 0)
        assert await house.ticket(1001) == after


async def test_other_working_hours_count_running_clocks_again(house: House) -> None:
    await house.says("E003", "报修 车间缺操作工20人")
    before = await house.ticket()
    week = (await house.api("GET", "/calendar/week"))["days"]
    week[4] = ["08:30-12:00"]
    answer = await house.api("POST", "/calendar/week", {"days": week}, status=201)
    assert answer["recounted"] == 1
    after = await house.ticket()
    assert after.due_resolution != before.due_resolution
    assert after.created_at == before.created_at


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/calendar/2027", {"days": [{"date": "2027-13-01", "kind": "off"}]}, "第1行看不懂"),
        ("/calendar/2027", {"days": [{"date": "2026-01-01", "kind": "off"}]}, "不是这一年"),
        ("/calendar/2027", {"days": []}, "days"),
        ("/calendar/2027", {}, "days"),
        ("/calendar/2027", {"days": [{"date": "2027-05-01", "kind": "off"}]}, "法定假日"),
        ("/calendar/week", {"days": [["17:30-08:30"]] * 7}, "结束要晚于开始"),
        ("/calendar/week", {"days": [[]] * 7}, "至少要有一个上班时段"),
        ("/calendar/week", {"days": "x"}, "七天"),
    ],
)
async def test_a_calendar_that_cannot_be_is_refused_and_nothing_changes(
    house: House, path: str, body: dict[str, object], word: str
) -> None:
    before = await house.api("GET", "/calendar/2027")
    answer = await house.api("POST", path, body, status=422)
    assert word in answer["error"]["message"]
    assert await house.api("GET", "/calendar/2027") == before


def test_tables_are_read_as_offices_and_the_net_write_them() -> None:
    rows = [
        (1, ["2027年放假安排", ""]),
        (2, ["日期", "类型", "名称", "状态"]),
        (3, ["2027/1/1", "休", "元旦", "已公布"]),
        (4, ["20270109", "补班", "元旦", ""]),
        (5, ["2027年2月6日", "放假", "春节", "预估"]),
        (6, ["", "", "", ""]),
    ]
    days = from_rows(rows)
    assert [str(d.on) for d in days] == ["2027-01-01", "2027-01-09", "2027-02-06"]
    assert [d.kind for d in days] == [DayKind.OFF, DayKind.WORK, DayKind.OFF]
    assert days[2].status is DayStatus.ESTIMATED
    shared = {
        "year": 2027,
        "papers": ["https://a.example.cn/2027"],
        "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}],
    }
    (day,) = from_plain(shared)
    assert (day.kind, day.source) == (DayKind.OFF, "https://a.example.cn/2027")
    for wrong in ([(1, ["a", "b"])], [(1, ["日期", "类型"]), (2, ["明天", "休"])]):
        with pytest.raises(BadCalendar):
            from_rows(wrong)


def test_every_fault_of_a_calendar_has_a_sentence() -> None:
    import re

    root = Path(__file__).parents[2] / "handlers" / "domain"
    used: set[str] = set()
    for name in ("workdays.py", "calendar.py", "calendar_table.py"):
        source = (root / name).read_text(encoding="utf-8")
        used |= set(re.findall(r'\(\s*"([a-z_]+)",\s*(?:str|f"|where|"")', source))
    used -= set(COLUMNS)
    assert used <= set(say._FAULTS)
    assert len(used) >= 9


def test_the_command_line_imports_shows_and_doctor_says_what_is_missing(tmp_path: Path) -> None:
    table = tmp_path / "2027.json"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    tried = bot(tmp_path, "calendar", "import", str(table), "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert "没有保存" in tried.stdout
    assert "没有2027年的放假安排" in bot(tmp_path, "calendar", "show", "2027").stdout
    done = bot(tmp_path, "calendar", "import", str(table))
    assert "日历已保存" in done.stdout
    shown = bot(tmp_path, "calendar", "show", "2027").stdout
    assert "2027-01-09 班 已公布 元旦" in shown
    assert "没有2027年" not in shown
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("日期,类型\n2027-01-01,上学\n", encoding="utf-8")
    refused = bot(tmp_path, "calendar", "import", str(wrong))
    assert refused.returncode == 2
    assert "第2行看不懂" in refused.stdout
    assert bot(tmp_path, "calendar", "import", str(tmp_path / "none.csv")).returncode == 2
