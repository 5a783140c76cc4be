"""摸排: one sentence opens it, one sentence answers it, the silent are reminded once and alone."""

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.kit.house import House

ROOT = Path(__file__).parents[2]
OFFICE, CHIEF, LEADER, LIAISON, GRID_CHIEF = "P055", "P057", "P028", "P041", "P001"
ASK = "发起摸排 用工缺口：挡车工(名)、机修(名)；对象 {whom}；截止 周五；用途 安排招聘专场"


async def said(house: House, who: str, text: str, chat: str = "") -> str:
    await house.says(who, text, chat)
    return str((await house.last(who))["text"])


async def comes(house: House, text: str) -> None:
    when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=house.app.settings.zone)
    await house.until(when.astimezone(UTC))


async def sent(house: House, whom: str = "全部企业", text: str = ASK) -> None:
    """A survey of the office, agreed to by the head."""
    await house.says(OFFICE, text.format(whom=whom))
    await house.press(OFFICE, "提交审核")
    await house.press(CHIEF, "同意发出")


async def firms(house: House) -> list[Any]:
    found = await house.read(lambda uow: uow.people.enterprises())
    return sorted(found, key=lambda f: f.id)


async def reminders(house: House, who: str) -> list[str]:
    return [m["text"] for m in await house.bot_said(who) if m["kind"] == "reminder"]


def export(url: str, out: Path) -> None:
    keep = {k: v for k, v in os.environ.items() if not k.startswith("LHG_")}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "bot", "export", "surveys", str(out)],
        env={**keep, "PYTHONPATH": path, "LHG_DATABASE_URL": url},
        cwd=out.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


async def test_forty_five_firms_end_with_a_right_table_and_one_reminder_to_each_silent_one(
    database_url: str, tmp_path: Path
) -> None:
    async with House(database_url) as house:
        await sent(house)
        asked = await firms(house)
        assert len(asked) == 45
        answered, silent = asked[:33], asked[33:]
        for n, firm in enumerate(answered):
            request = (await house.bot_said(firm.id))[0]
            assert request["kind"] == "survey"
            for needed in (
                "用途：安排招聘专场",
                "全部45家企业",
                "11月27日 周五 17:30",
                "无此情况可不回",
            ):
                assert needed in request["text"]
            text = (
                f"挡车工{n}，机修3名", f"1. {n}\n2. 3", f"{n}，3", f"机修三个，挡车工 {n} 名",
                f"{firm.short_name}：挡车工{n}人机修3人",
            )[n % 5]  # fmt: skip
            await house.says(firm.id, text)
        # One of them was wrong and says so; another has nothing to report.
        await house.says(answered[18].id, "更正，机修是8不是3")
        await house.says(answered[20].id, "无")
        await comes(house, "2026-11-26 15:59")
        assert [await reminders(house, f.id) for f in asked] == [[]] * 45
        await comes(house, "2026-11-27 17:29")
        counts = Counter({f.id: len(await reminders(house, f.id)) for f in asked})
        assert {f: c for f, c in counts.items() if c} == {f.id: 1 for f in silent}
        await comes(house, "2026-11-30 10:00")
        assert sum([len(await reminders(house, f.id)) for f in asked]) == len(silent)
        # Nobody is named anywhere but to the own liaison, and the group heard of none of it.
        assert await house.in_group() == []
        for person in ("P055", "P057", "P028"):
            told = " ".join([m["text"] for m in await house.bot_said(person) if not m["card"]])
            assert not any(f.short_name in told for f in silent)

        table = await house.api("GET", "/surveys/1/answers")
        rows = {i["enterprise"]["id"]: i for i in table["items"]}
        assert set(rows) == {f.id for f in answered}
        for n, firm in enumerate(answered):
            first, second = (v["number"] for v in rows[firm.id]["values"])
            expected = {18: (18, 8), 20: (0, 0)}.get(n, (n, 3))
            assert (first, second) == expected, firm.short_name
        assert table["totals"] == [sum(range(33)) - 20, 31 * 3 + 8]
        assert table["survey"]["state"] == "closed"
        assert sum(g["silent"] for g in table["grids"]) == len(silent)

    export(database_url, tmp_path / "摸排.xlsx")
    sheet = load_workbook(tmp_path / "摸排.xlsx").worksheets[0]
    head = [c.value for c in sheet[1]]
    assert head[:5] == ["企业", "管理区", "网格", "挡车工（名）", "机修（名）"]
    written = {r[0].value: (r[3].value, r[4].value) for r in sheet.iter_rows(min_row=2)}
    assert written.pop("合计") == (508, 101)
    assert written[answered[18].short_name] == (18, 8)
    assert len(written) == 33
    assert all(isinstance(v, int) for pair in written.values() for v in pair)
    export(database_url, tmp_path / "摸排.csv")
    with (tmp_path / "摸排.csv").open(encoding="utf-8-sig") as lines:
        found = list(csv.DictReader(lines))
    assert (
        sum(int(r["数值"]) for r in found if r["企业"] != "合计" and r["项目"] == "挡车工") == 508
    )


async def test_property_44_the_last_valid_answer_before_the_deadline_counts(house: House) -> None:
    await sent(house, "泓曜、玖晟")
    await house.says("E003", "挡车工15，机修3")
    await house.says("E003", "挡车工16")
    await comes(house, "2026-11-27 17:31")
    answer = await said(house, "E003", "填报 1 挡车工99")
    assert "已过截止时间，记为迟报。" in answer
    await house.says("E004", "填报 1 挡车工2，机修无")
    table = await house.api("GET", "/surveys/1/answers")
    rows = {i["enterprise"]["id"]: i for i in table["items"]}
    assert [v["number"] for v in rows["E003"]["values"]] == [16, 3]
    assert not rows["E003"]["late"]
    # What came late is kept and marked, and in no sum.
    assert rows["E004"]["late"]
    assert table["totals"] == [16, 3]
    assert len(await house.read(lambda uow: uow.surveys.answers(1))) == 4


async def test_a_survey_beyond_the_own_firms_needs_a_second_person(house: House) -> None:
    assert "（预览）" in await said(house, OFFICE, ASK.format(whom="长洪"))
    assert await said(house, OFFICE, "确认摸排 1") == ("摸排 1 已提交，等主要负责人同意后发出。")
    assert await said(house, OFFICE, "同意摸排 1") == "摸排要由另一位同事同意，不能自己同意自己的。"
    assert await house.bot_said("E016") == []
    answer = await said(house, CHIEF, "同意摸排 1")
    assert answer.startswith("摸排 1 已发给 15 家，11月27日 周五 17:30截止。")
    assert [m["kind"] for m in await house.bot_said("E016")] == ["survey"]
    assert await house.bot_said("E003") == []
    assert "主要负责人已同意" in (await house.last(OFFICE))["text"]


async def test_a_liaison_asks_the_own_firms_and_no_others(house: House) -> None:
    assert "由办公室或分管领导发起" in await said(house, LIAISON, ASK.format(whom="全部企业"))
    await house.says(LIAISON, ASK.format(whom="我的企业"))
    await house.press(LIAISON, "发出")
    assert (await house.last(LIAISON))["text"].startswith("摸排 1 已发给 3 家")
    own = [f.id for f in await firms(house) if await house.bot_said(f.id)]
    assert len(own) == 3 and "E003" in own
    assert await house.in_group() == []


async def test_what_is_missing_is_asked_for_one_thing_at_a_time(house: House) -> None:
    assert "请写发给哪些企业" in await said(
        house, OFFICE, "发起摸排 用工缺口：挡车工(名)、机修(名)"
    )
    assert "请写截止到什么时候" in await said(house, OFFICE, "3网格、5网格，除青昀")
    assert "请写用途" in await said(house, OFFICE, "下周三")
    preview = await said(house, OFFICE, "安排招聘专场")
    assert "请3、5网格11家企业填报" in preview
    assert "12月2日 周三 17:30" in preview
    assert "青昀" not in preview
    assert await said(house, OFFICE, "取消摸排 1") == "摸排 1「用工缺口」已取消，没有发出。"


async def test_f4_the_same_question_within_90_days_is_answered_with_the_data_that_exists(
    house: House,
) -> None:
    """F4: no repeated reporting."""
    await sent(house, "长洪")
    answer = await said(house, OFFICE, ASK.format(whom="长洪、东港"))
    assert answer.startswith("已有数据，是否直接使用：摸排 1「用工缺口」，15家中0家已报。")
    await comes(house, "2027-02-24 09:00")
    assert "（预览）" in await said(house, OFFICE, ASK.format(whom="长洪"))


async def test_the_next_round_shows_the_last_and_a_firm_says_only_what_changed(
    house: House,
) -> None:
    await sent(house, "泓曜、玖晟", ASK.replace("用工缺口", "11月用工缺口"))
    await house.says("E003", "挡车工十五，机修3名")
    await comes(house, "2026-11-30 09:00")
    await sent(house, "泓曜、玖晟", ASK.replace("用工缺口", "12月用工缺口"))
    request = (await house.last("E003"))["text"]
    assert "上次：挡车工15名，机修3名。没有变化请回「不变」，有变化只写变化的。" in request
    assert "上次" not in (await house.last("E004"))["text"]
    assert "1. 挡车工　15名（同上次）\n2. 机修　4名" in await said(house, "E003", "照旧，机修改成4")
    assert await said(house, "E004", "不变") == "没有上次的数据，请直接写数。"
    table = await house.api("GET", "/surveys/2/answers")
    assert [v["number"] for v in table["items"][0]["values"]] == [15, 4]


async def test_a_press_confirms_the_last_round_or_says_that_there_is_nothing(house: House) -> None:
    await sent(house, "泓曜、玖晟", ASK.replace("用工缺口", "11月用工缺口"))
    await house.says("E003", "挡车工十五，机修3名")
    await comes(house, "2026-11-30 09:00")
    await sent(house, "泓曜、玖晟", ASK.replace("用工缺口", "12月用工缺口"))
    await house.press("E003", "不变")
    await house.press("E004", "都没有")
    table = await house.api("GET", "/surveys/2/answers")
    assert [[v["number"] for v in i["values"]] for i in table["items"]] == [[15, 3], [0, 0]]
    assert table["totals"] == [15, 3]


async def test_seed_fact_nine_grids_and_only_the_own_liaison_sees_who_is_silent(
    house: House,
) -> None:
    await sent(house, "9个网格全部企业")
    await house.says("E003", "挡车工15，机修3")
    own = await said(house, LIAISON, "摸排 1 未报")
    assert own.startswith("摸排 1 您联系的企业里还没有填报的 2 家：")
    assert "泓曜" not in own
    others = [f.short_name for f in await firms(house)]
    for person in (OFFICE, CHIEF, GRID_CHIEF, LEADER):
        told = await said(house, person, "摸排 1 未报")
        assert "网格" in told
        assert not any(name in told for name in others)
    assert len(re.findall(r"网格：", await said(house, OFFICE, "摸排 1 未报"))) == 9
    assert len(re.findall(r"网格：", await said(house, GRID_CHIEF, "摸排 1 未报"))) == 1
    # A firm knows of no list at all.
    assert "家" not in await said(house, "E004", "摸排 1 未报")


async def test_seed_fact_487_yi_is_parsed_and_shown_as_supplied(house: House) -> None:
    await sent(
        house, "泓曜", "发起摸排 产值：产值(万元)、同比(%)；对象 {whom}；截止 周五；用途 月度分析"
    )
    answer = await said(house, "E003", "1-8月产值487亿，同比+25.37%")
    assert "1. 产值　487亿\n2. 同比　25.37%" in answer
    table = await house.api("GET", "/surveys/1/answers")
    first, second = table["items"][0]["values"]
    assert (first["text"], first["number"]) == ("487亿", 4870000)
    assert (second["text"], second["number"]) == ("25.37%", 25.37)
    # A percentage is never added up.
    assert table["totals"] == [4870000, None]


async def test_what_fits_nothing_is_asked_about_once(house: House) -> None:
    await sent(house, "泓曜、玖晟")
    answer = await said(house, "E003", "挡车15 保全3名")
    assert answer.endswith("「保全 3名」是哪一项？请回序号：1 挡车工，2 机修；都不是请回 0。")
    assert "2. 机修　3名" in await said(house, "E003", "2")
    await house.says("E004", "挡车15 保全3名")
    assert await said(house, "E004", "0") == "好的，「3名」不计入。"
    table = await house.api("GET", "/surveys/1/answers")
    assert table["totals"] == [30, 3]


async def test_a_problem_and_a_verdict_stay_what_they_are(house: House) -> None:
    await sent(house, "泓曜、玖晟")
    await house.says("E003", "车间停电了，整条线停产，请帮忙联系供电")
    assert await house.count("tickets") == 1
    assert await house.count("survey_answers") == 0
    await house.says(LIAISON, "认领 1001")
    await house.says(LIAISON, "办结 1001 供电公司已修复，下午两点恢复供电")
    await house.says("E003", "没有")
    await house.says("E003", "非常满意")
    assert (await house.ticket()).rating == 5
    assert await house.count("survey_answers") == 0


async def test_an_answer_in_the_group_is_taken_and_said_back_alone(house: House) -> None:
    await sent(house, "全部企业")
    await house.group_says("E003", "挡车工 15 名,机修 3名")
    assert "1. 挡车工　15名" in (await house.last("E003"))["text"]
    assert await house.in_group() == []
    assert await house.count("tickets") == 0


async def test_a_liaison_fills_in_for_the_own_firm_only(house: House) -> None:
    """F7: the bot is not the only channel."""
    await sent(house, "全部企业")
    answer = await said(house, LIAISON, "代填 1 泓曜 挡车工15，机修3")
    assert "泓曜精密 已记下（代填）" in answer
    refused = await said(house, LIAISON, "代填 1 玖晟 挡车工15，机修3")
    assert refused == "这家企业不归您联系，请由它的联络员或办公室代填。"
    assert await house.count("survey_answers") == 1
    assert [m["kind"] for m in await house.bot_said("E003")] == ["survey"]


async def test_a_reminder_that_had_to_wait_is_dropped_when_the_firm_answers(
    sqlite_url: str,
) -> None:
    async with House(sqlite_url) as house:
        body = {
            "title": "用工缺口", "purpose": "招聘", "questions": "挡车工(名)、机修(名)",
            "audience": {"enterprises": ["E003", "E004"]}, "due_at": "2026-11-26T07:00:00+08:00",
            "author": OFFICE,
        }  # fmt: skip
        await house.api("POST", "/surveys", body, status=201)
        await house.api("POST", "/surveys/1/approve", {"actor": CHIEF})
        # Due at seven, before anybody may be written to.
        await comes(house, "2026-11-25 07:10")
        await house.says("E003", "挡车工15，机修3")
        await comes(house, "2026-11-25 12:00")
        assert await reminders(house, "E003") == []
        assert len(await reminders(house, "E004")) == 1


async def test_f1_f3_no_answer_needs_a_picture_and_nobody_is_ranked(house: House) -> None:
    """F1, F3: no ranking, no forced screenshots, photos or check-ins."""
    await sent(house, "全部企业")
    await comes(house, "2026-11-30 10:00")
    people = ["E003", "E004", OFFICE, CHIEF, LIAISON, LEADER]
    told = " ".join([m["text"] + str(m["card"]) for p in people for m in await house.bot_said(p)])
    for word in ("截图", "拍照", "打卡", "排名", "末位", "通报", "马上回复", "立即", "务必"):
        assert word not in told


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("发起摸排 用工：挡车工(名)；对象 长洪；截止 昨天；用途 招聘", "时间已经过去"),
        ("发起摸排 用工：班次(选:一班)；对象 长洪；截止 周五；用途 招聘", "「（预览）」"),
        ("发起摸排 用工：甲(名)、甲(名)；对象 长洪；截止 周五；用途 招聘", "有两个项目名称相同"),
        ("发起摸排 用工：甲(名)；对象 月球；截止 周五；用途 招聘", "没看懂对象里的「月球」"),
        ("发起摸排 用工：甲(名)；对象 长洪；截止 周五；用途 机密文件要求", "里面有「机密」"),
        ("确认摸排", "请写明是哪一个摸排"),
        ("确认摸排 9", "没有找到这个摸排：9"),
        ("摸排 9", "没有找到这个摸排：9"),
        ("代填 1", "请写明摸排编号、企业和数"),
        ("摸排", "没有进行中的摸排"),
    ],
)
async def test_bad_input_gets_a_clear_word(sqlite_url: str, asked: str, answer: str) -> None:
    async with House(sqlite_url) as house:
        told = await said(house, OFFICE, asked)
        assert answer in told or (answer == "「（预览）」" and "（预览）" in told)


async def test_the_api_opens_agrees_and_answers(house: House) -> None:
    body = {
        "title": "用电量",
        "purpose": "错峰安排",
        "questions": [{"name": "12月用电", "kind": "number", "unit": "万度"}],
        "audience": {"areas": ["长洪"], "except": ["E016"]},
        "due_at": "2026-11-27T17:30:00+08:00",
        "author": OFFICE,
    }
    made = await house.api("POST", "/surveys", body, status=201)
    assert (made["state"], made["targets"], made["needs_approval"]) == ("draft", 14, True)
    await house.api("POST", "/surveys/1/approve", {"actor": OFFICE}, status=403)
    opened = await house.api("POST", "/surveys/1/approve", {"actor": CHIEF})
    assert opened["state"] == "open"
    answer = {"enterprise": "E017", "text": "约330万度", "actor": "E017"}
    made = await house.api("POST", "/surveys/1/answers", answer, status=201)
    assert made["values"][0]["number"] == 330
    other = {"enterprise": "E003", "text": "5", "actor": "E003"}
    await house.api("POST", "/surveys/1/answers", other, status=422)
    for bad in (
        {**body, "audience": {}},
        {**body, "audience": {"areas": ["月球"]}},
        {**body, "questions": [{"name": "x", "kind": "feeling"}]},
        {**body, "due_at": "2026-11-27"},
        {**body, "questions": []},
    ):
        answer = await house.api("POST", "/surveys", bad, status=422)
        assert re.search("[\u4e00-\u9fff]", answer["error"]["message"])
    await house.api("POST", "/surveys", {**body, "author": "E003"}, status=403)
    await house.api("POST", "/surveys/1/approve", {"actor": CHIEF}, status=409)
    assert (await house.api("GET", "/surveys"))["items"][0]["number"] == 1


async def test_a_number_that_is_not_ones_own_sounds_like_none_and_fills_no_other(
    house: House,
) -> None:
    await sent(house, "泓曜")
    await sent(house, "玖晟", ASK.replace("用工缺口", "12月用工缺口"))
    for number in (2, 9):
        told = await said(house, "E003", f"填报 {number} 挡车工15，机修3")
        assert told == f"没有找到这个摸排：{number}，请核对编号。"
    assert await house.count("survey_answers") == 0


async def test_the_brief_tells_how_many_surveys_are_open(house: House) -> None:
    await house.says("E004", "报修 车间缺操作工20人")
    assert "摸排" not in await said(house, CHIEF, "日调度")
    await sent(house, "长洪")
    await house.says("E016", "挡车工15，机修3")
    assert "摸排：进行中1项，15家次中1家次已报" in await said(house, CHIEF, "日调度")
    assert "摸排" not in await said(house, LIAISON, "日调度")


FORM = (
    "发起摸排 年底摸底：缺口(名)、班次(选:一班/两班/三班)、是否停产、开工日期、主要困难、设备(表:名称,台数)；"
    "对象 {whom}；截止 周五；用途 安排招聘专场"
)


async def test_a_difficulty_among_the_answers_is_no_new_problem(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        await sent(house, "泓曜、玖晟", FORM)
        told = await said(house, "E003", "缺口12名，两班，不停产，主要困难是宿舍床位不够")
        assert "已记下" in told
        assert "主要困难　宿舍床位不够" in told
        assert await house.count("tickets") == 0
        # Alone it is one.
        await said(house, "E004", "宿舍床位不够，想再租20个铺位")
        assert await house.count("tickets") == 1


def page_link(message: dict[str, Any]) -> str:
    (url,) = [b["url"] for b in message["card"]["buttons"] if b["label"] == "打开填写"]
    return "/l/" + url.rpartition("/")[2]


def proof_in(page: str) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_the_phone_page_is_filled_in_corrected_and_late(house: House) -> None:
    await sent(house, "泓曜、玖晟", FORM)
    link = page_link((await house.bot_said("E003"))[0])
    page = await (await house.client.get(link)).text()
    for needed in (
        "安排招聘专场",
        "11月27日 周五 17:30",
        "无此情况可不回",
        "泓曜精密",
        "每行一条：名称 台数",
    ):
        assert needed in page
    assert "玖晟" not in page
    filled = {
        "proof": proof_in(page), "q0": "二十来个", "q1": "两班", "q2": "否", "q3": "2026-12-05",
        "q4": "原料涨价，运费高", "q5": "叉车 3\n行车 5",
    }  # fmt: skip
    wrong = await house.client.post(link, data={**filled, "q0": "很多"})
    assert wrong.status == 422
    told = await wrong.text()
    assert "请写一个数，例如 15；没有请写 0。单位是名。" in told
    assert "有1项没看懂" in told
    assert told.count(" autofocus") == 1
    assert "原料涨价，运费高" in told
    assert await house.count("survey_answers") == 0
    done = await house.client.post(link, data=filled)
    assert done.status == 200
    assert "已记下" in await done.text()
    table = await house.api("GET", "/surveys/1/answers")
    values = table["items"][0]["values"]
    assert [v["text"] for v in values[:5]] == [
        "20名", "两班", "否", "2026-12-05", "原料涨价，运费高",
    ]  # fmt: skip
    assert values[5]["rows"] == [["叉车", "3"], ["行车", "5"]]
    # What is emptied on the page is gone; what is said in chat lies over the rest.
    await house.client.post(link, data={**filled, "q0": "", "q4": ""})
    await house.says("E003", "缺口12名")
    table = await house.api("GET", "/surveys/1/answers")
    values = table["items"][0]["values"]
    assert (values[0]["number"], values[4]) == (12, None)
    await comes(house, "2026-11-30 09:00")
    late = await (await house.client.get(link)).text()
    assert "已过截止时间，现在提交记为迟报" in late


async def test_a_forwarded_survey_link_and_a_strange_form_change_nothing(house: House) -> None:
    import aiohttp

    await sent(house, "泓曜、玖晟")
    link = page_link((await house.bot_said("E003"))[0])
    page = await (await house.client.get(link)).text()
    async with aiohttp.ClientSession(
        str(house.client.make_url("/")), cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as other:
        async with other.get(link) as response:
            assert response.status == 404
        async with other.post(link, data={"proof": proof_in(page), "q0": "5"}) as response:
            assert response.status == 404
    assert (await house.client.post(link, data={"proof": "x", "q0": "5"})).status == 403
    assert await house.count("survey_answers") == 0


async def test_the_table_of_a_link_holds_what_its_reader_may_see(
    house: House, tmp_path: Path
) -> None:
    await sent(house, "全部企业")
    await house.says("E003", "挡车工15，机修3")
    await house.says("E004", "挡车工=1+1，机修3")
    for who, names in ((OFFICE, {"泓曜精密", "玖晟电子"}), (LIAISON, {"泓曜精密"})):
        text = await said(house, who, "摸排 1 汇总")
        link = re.search(r"/l/\S+", text)
        assert link is not None
        # Each reads in a browser of the own.
        house.client.session.cookie_jar.clear()
        response = await house.client.get(link.group())
        assert response.status == 200
        path = tmp_path / f"{who}.xlsx"
        path.write_bytes(await response.read())
        sheet = load_workbook(path).worksheets[0]
        rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=2)]
        assert {r[0] for r in rows} == {*names, "合计"}
        assert not any(c.data_type == "f" for row in sheet.iter_rows() for c in row)
