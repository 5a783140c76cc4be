"""F1, F3, F7, F8, F9 of domain.md §13: the bot makes no finger-tip formalism. F6 is in test_story_groups."""

import re
from typing import Any

import pytest
from sqlalchemy import Integer

from handlers.domain.ticket import Channel
from storage.tables import metadata
from tests.kit.house import House
from tests.kit.lists import space

LIAISON, OTHER, LEADER, OFFICE, CHIEF = "P041", "P042", "P028", "P055", "P057"
FIRM, SECOND = "E003", "E004"
RANKS = re.compile(
    r"排名|排行|名次|榜|积分|得分|打分排|第[一二三]名|前[三五十]名|末位|倒数|落后|先进个人|标兵|通报批评|在线时长|活跃度|完成率最|打卡|签到"
)
# Somebody's name with how much they did behind it: 小周 3件, 联络员小周办结3.
TALLY = re.compile(
    r"(?:小[\u4e00-\u9fff]|[许何吕施曹严金魏陶]主任)[^\d\n，。；、#｜]{0,6}\d+\s*(?:件|次|条|单|户|家)(?!工)"
)


async def busy(house: House) -> None:
    """Two liaisons at work, one slower than the other; visits, a checklist, a firm that rates."""
    for firm, liaison, count in ((FIRM, LIAISON, 3), (SECOND, OTHER, 1)):
        for n in range(count):
            await house.says(
                firm,
                f"报修 {n + 1}号车间{'停电蒸汽网络'[2 * n : 2 * n + 2]}出了问题，{n + 1}条线停了",
            )
        house.passes(minutes=20)
        for ticket in await house.read(lambda uow: uow.tickets.search(_all()).items):
            if ticket.owner_id == liaison:
                await house.says(liaison, f"认领 {ticket.number}")
                if liaison == LIAISON:
                    await house.says(liaison, f"办结 {ticket.number} 已联系供电公司抢修，全部恢复")
        house.passes(minutes=20)
    await house.says(FIRM, "非常满意")
    await house.says(LIAISON, "走访泓曜精密,见了厂长,满产")
    await house.says(OTHER, "走访玖晟电子,见了副总,缺焊工3人")
    await space(house)
    await house.group_says(OFFICE, "5号楼全部签约")
    assert await house.count("tickets") >= 4
    assert await house.count("visits") == 2


def _all() -> Any:
    from handlers.ports import TicketQuery

    return TicketQuery(limit=200)


async def everything_said(house: House) -> list[str]:
    """All that the bot said to anybody, with what its cards show."""
    people = [p.id for p in await house.read(lambda uow: uow.people.people()) if p.is_staff]
    found = [m["text"] + str(m["card"] or "") for m in await house.in_group()]
    for person in (*people, FIRM, SECOND):
        found += [m["text"] + str(m["card"] or "") for m in await house.bot_said(person)]
    return found


def test_what_is_looked_for_would_be_found() -> None:
    for text in ("办结排名：小周第一名", "本月积分榜", "请每日打卡"):
        assert RANKS.search(text)
    for text in ("联络员小周办结3件", "小吴：12件", "许主任 4次"):
        assert TALLY.search(text)
    assert not TALLY.search("#1001 缺操作工20人（联络员小周）")


async def test_F1_nobody_is_ranked_in_any_brief_card_list_or_export(house: House) -> None:
    await busy(house)
    for who in (LIAISON, LEADER, OFFICE, CHIEF):
        for asked in ("日调度", "收盘", "周小结", "月小结", "三率", "走访台账", "走访计划", "未走访", "专项",
                      "专项 空间再造", "回访", "看 新增", "我的工单"):  # fmt: skip
            await house.says(who, asked)
    await house.advances(days=8)
    said = await everything_said(house)
    assert len(said) > 60
    assert [t for t in said if RANKS.search(t)] == []
    assert [found.group() for t in said if (found := TALLY.search(t))] == []


async def test_F1_no_api_answer_and_no_export_ranks_persons(house: House) -> None:
    from handlers.texts import campaigns, ledgers, visits

    await busy(house)
    answers = [
        await house.api("GET", path)
        for path in ("/brief", "/stats", "/visits", "/campaigns", "/tickets", "/stats?by=liaison")
    ]
    assert not RANKS.search(str(answers))
    keys = set(re.findall(r"'(\w+)':", str(answers)))
    assert not keys & {
        "rank",
        "ranking",
        "score",
        "points",
        "place_no",
        "position",
        "best",
        "worst",
    }
    by_liaison = answers[-1]["groups"]
    # By their names in the registry, not by what they achieved.
    assert len(by_liaison) >= 2
    assert [g["key"] for g in by_liaison] == sorted(g["key"] for g in by_liaison)
    for columns in (ledgers.COLUMNS, visits.COLUMNS, tuple(campaigns.COLUMN_WORDS)):
        assert not RANKS.search(" ".join(columns))


async def test_F1_no_table_keeps_points_or_check_ins() -> None:
    columns = [f"{t.name}.{c.name}" for t in metadata.sorted_tables for c in t.columns]
    wrong = re.compile(r"point|score|rank|badge|check_?in|streak|online|attendance|leader_?board")
    assert [c for c in columns if wrong.search(c)] == []
    assert len(columns) > 100


async def test_F3_no_photo_place_or_screenshot_is_needed_for_a_visit_or_a_result(
    house: House,
) -> None:
    await house.says(LIAISON, "走访泓曜精密,见了厂长,缺操作工20人")
    assert await house.count("visits") == 1
    await house.says(LIAISON, "认领 1001")
    await house.says(LIAISON, "办结 1001 劳务公司送来20人，已全部上岗")
    assert (await house.ticket()).state == "resolved"
    made = await house.api(
        "POST", "/visits", {"enterprise_id": FIRM, "by": LIAISON, "text": "见了副总"}, status=201
    )
    assert made["number"] == 2
    said = " ".join(await everything_said(house))
    assert not re.search(r"照片|拍照|截图|定位|视频|打卡|签到|上传图", said)


async def test_F3_no_sentence_of_the_product_demands_a_proof_or_a_chain() -> None:
    from pathlib import Path

    texts = Path(__file__).parents[2] / "handlers" / "texts"
    demands = re.compile(
        r"(?:请(?!写明)|须|必须|务必|应)[^。；「\n\"]{0,12}(?:拍照|照片|截图|定位|打卡|签到|接龙|视频)|未接龙|没有接龙的|未打卡"
    )
    files = sorted(texts.glob("*.py"))
    assert len(files) > 15
    for file in files:
        assert not demands.search(file.read_text(encoding="utf-8")), file.name


@pytest.mark.parametrize("who", ["P037", "P036", "P052", "P001", "P013", "P055", "P056", "P057"])
async def test_F7_anybody_of_the_office_enters_what_a_firm_said_by_phone_or_face_to_face(
    sqlite_url: str, who: str
) -> None:
    async with House(sqlite_url) as house:
        await house.says(who, "代报 泓曜精密 电话 车间缺操作工5人，招不到")
        await house.says(who, "代报 泓曜精密 走访 厂门口路灯坏了5盏看不见")
        tickets = await house.read(lambda uow: uow.tickets.search(_all()).items)
        found = sorted((t.enterprise_id, t.source.channel, t.owner_id) for t in tickets)
        assert found == [(FIRM, Channel.PHONE, LIAISON), (FIRM, Channel.VISIT, LIAISON)]


async def test_F7_a_report_by_phone_is_handled_like_one_by_chat(house: House) -> None:
    await house.says(OFFICE, "代报 泓曜精密 电话 车间缺操作工5人，招不到")
    by_phone = await house.ticket(1001)
    await house.says(SECOND, "报修 车间缺操作工5人，招不到")
    by_chat = await house.ticket(1002)
    assert by_phone.due_claim == by_chat.due_claim
    assert by_phone.due_resolution == by_chat.due_resolution
    assert by_phone.kind == by_chat.kind


_PERSON = re.compile(r"person_id|by_whom|sender_key|sender_id|person_key|entered_by|user_id|actor")
_COUNTS = re.compile(
    r"count|times|total|hours|minutes|seconds_online|usage|frequency|streak|sent_by|messages$"
)


async def test_F8_no_column_keeps_how_much_somebody_used_the_bot() -> None:
    wrong = re.compile(r"last_(?:seen|active|login|online)|active_at|logins?|online|usage|activity")
    for table in metadata.sorted_tables:
        names = [c.name for c in table.columns]
        assert [n for n in names if wrong.search(n)] == [], table.name
        if any(_PERSON.search(n) for n in names):
            counted = [
                c.name
                for c in table.columns
                if isinstance(c.type, Integer) and _COUNTS.search(c.name)
            ]
            assert counted == [], table.name


async def test_F8_no_metric_is_about_a_person(house: House) -> None:
    await busy(house)
    response = await house.client.get("/metrics")
    text = await response.text()
    assert "lhg_" in text or "# HELP" in text
    labels = {name for line in text.splitlines() for name in re.findall(r'(\w+)="', line)}
    assert not labels & {"person", "user", "sender", "liaison", "member", "owner", "name", "by"}
    people = await house.read(lambda uow: uow.people.people())
    for person in people:
        assert f'"{person.id}"' not in text
        assert person.name not in text
    assert not re.search(r"active_users|daily_users|messages_per|per_person|online", text)


async def test_F9_a_firm_goes_all_the_way_in_the_chat_and_installs_nothing(house: House) -> None:
    await house.group_says(FIRM, "@小港 车间缺操作工20人，临时招不到")
    await house.says(LIAISON, "认领 1001")
    house.passes(minutes=20)
    await house.says(LIAISON, "进展 1001 已联系劳务公司，周三前送人")
    await house.says(FIRM, "查 1001")
    house.passes(minutes=20)
    await house.says(LIAISON, "办结 1001 劳务公司送来20人，已全部上岗")
    await house.says(FIRM, "非常满意")
    ticket = await house.ticket()
    assert (ticket.state, ticket.rating) == ("closed", 5)
    told = [*await house.in_group(), *await house.bot_said(FIRM)]
    assert len(told) >= 4
    for message in told:
        assert message["text"].strip()
        whole = message["text"] + str(message["card"] or "")
        assert not re.search(r"下载|安装|注册账号|扫码关注|小程序|APP|App|https?://", whole)
