"""Checklists: imported, ticked off as people say it, taken back, told once at each milestone."""

from datetime import timedelta
from typing import Any

import pytest

from tests.kit.house import House
from tests.kit.lists import doors, filled, odour, progress, space, tenants

LIAISON, LEADER, OFFICE, CLERK = "P041", "P028", "P055", "P056"


async def says(house: House, who: str, text: str) -> str:
    await house.says(who, text)
    return str((await house.last(who))["text"])


async def cards(house: House) -> list[str]:
    """The milestone cards that were posted, in the group and to the campaign's owner."""
    told = [*await house.in_group(), *await house.bot_said(CLERK)]
    return [m["text"] for m in told if m["card"] and m["card"]["status"] == "节点"]


async def but_one(house: House, number: int, building: int) -> None:
    """All tenants of a building but the last have signed."""
    rooms = "、".join(t["place"] for t in tenants() if t["group"] == f"{building}号楼")
    rooms = "、".join(rooms.split("、")[:-1])
    await says(house, OFFICE, f"{building}号楼{rooms}签约")


async def test_195_tenants_are_imported_and_twice_changes_nothing(house: House) -> None:
    number = await space(house)
    again = await filled(house, number, tenants())
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 195)
    assert await progress(house, number) == [(0, 195)]
    found = (await house.api("GET", "/campaigns"))["items"][0]
    assert len(found["progress"][0]["groups"]) == 15


async def test_the_last_tenant_of_building_5_signs_and_one_milestone_is_posted(
    house: House,
) -> None:
    number = await space(house)
    await but_one(house, number, 5)
    assert await progress(house, number) == [(12, 195)]
    assert await cards(house) == []
    await house.group_says(OFFICE, "5号楼最后一户签约")
    assert await progress(house, number) == [(13, 195)]
    echo = (await house.last(OFFICE))["text"]
    assert "空间再造：206 5幢壁纸经营部 已签。" in echo
    assert "5号楼：已签13/13户（100%），未签0户。" in echo
    assert "合计：已签13/195户（6.6%）。" in echo
    (card,) = await cards(house)
    assert card == "空间再造：5号楼13户全部已签。合计 已签13/195户（6.6%）。"
    # Counts and no names: firms read the group too.
    assert "经营部" not in str(await house.in_group())
    await house.group_says(OFFICE, "5号楼最后一户签约")
    await says(house, OFFICE, "撤销勾选")
    assert await progress(house, number) == [(12, 195)]
    await house.group_says(OFFICE, "5号楼最后一户签约")
    assert await progress(house, number) == [(13, 195)]
    assert len(await cards(house)) == 1


async def test_one_thing_is_asked_where_several_tenants_fit(house: House) -> None:
    number = await space(house)
    await says(house, OFFICE, "5号楼101、102、103、104、105、106、107、201、202、203、204签约")
    question = await says(house, OFFICE, "5号楼最后一户签约")
    assert question == (
        "5号楼未签的还有2户：205 5幢橱柜经营部、206 5幢壁纸经营部。是哪一户？请回复房号或名称。"
    )
    assert await progress(house, number) == [(11, 195)]
    assert "205 5幢橱柜经营部 已签" in await says(house, OFFICE, "205")
    assert await progress(house, number) == [(12, 195)]
    assert "206 5幢壁纸经营部 已签" in await says(house, OFFICE, "5号楼壁纸经营部签了")


@pytest.mark.parametrize(
    ("said", "answer", "signed"),
    [
        ("5号楼203签了", "203 5幢地板经营部 已签", 1),
        ("五幢203、204签约", "203 5幢地板经营部、204 5幢管件经营部 已签", 2),
        ("5号楼全部签约", "等13户 已签", 13),
        ("5号楼签约13户", "等13户 已签", 13),
        ("5号楼签约20户", "5号楼未签的只有13户，请核对数字，没有改动。", 0),
        ("5号楼签约2户", "是哪几户？请回复房号或名称。", 0),
        ("5号楼999签约", "空间再造没有999这个房号，请核对。", 0),
        ("5幢地板经营部已签", "203 5幢地板经营部 已签", 1),
    ],
)
async def test_ticks_are_said_in_many_ways(
    sqlite_url: str, said: str, answer: str, signed: int
) -> None:
    async with House(sqlite_url) as house:
        number = await space(house)
        assert answer in await says(house, OFFICE, said)
        assert await progress(house, number) == [(signed, 195)]


@pytest.mark.parametrize(
    "said",
    [
        "5号楼203还没签",
        "5号楼203下周签约",
        "请5号楼尽快签约",
        "5号楼路灯坏了",
        "诺沛那边查了，是阀门问题",
    ],
)
async def test_what_was_not_done_is_no_tick(sqlite_url: str, said: str) -> None:
    async with House(sqlite_url) as house:
        number = await space(house)
        other = await odour(house)
        await house.says(OFFICE, said)
        assert await progress(house, number) == [(0, 195)]
        assert await progress(house, other) == [(0, 85), (0, 85)]


async def test_who_drew_back_is_open_again_and_a_tick_is_taken_back_by_a_button(
    house: House,
) -> None:
    number = await space(house)
    await says(house, OFFICE, "5号楼203签了")
    assert "原来就是已签，没有改动" in await says(house, OFFICE, "5号楼203签了")
    assert "203 5幢地板经营部 未签" in await says(house, OFFICE, "5号楼203退签")
    assert await progress(house, number) == [(0, 195)]
    await says(house, OFFICE, "5号楼204签了")
    await house.press(OFFICE, "撤销")
    assert "已恢复到勾选前" in (await house.last(OFFICE))["text"]
    assert await progress(house, number) == [(0, 195)]
    # What somebody else did is not taken back, nor what was changed since.
    assert "没有可以撤销的勾选" in await says(house, LEADER, "撤销勾选")


async def test_56_and_29_firms_in_two_rounds_come_to_85_of_85(house: House) -> None:
    number = await odour(house)
    echo = await says(house, OFFICE, "化工第一轮全部已查")
    assert "化工：已查56/56家（100%），未查0家。" in echo
    assert "合计：第一轮 已查56/85家（65.8%）。" in echo
    assert "化工第一轮56家全部已查" in (await cards(house))[-1]
    await says(house, OFFICE, "非化工第一轮全部已查")
    assert await progress(house, number) == [(85, 85), (0, 85)]
    second = await says(house, OFFICE, "诺沛第二轮已查,无异味")
    assert "无异味：第二轮 诺沛生物 已查。" in second
    assert await progress(house, number) == [(85, 85), (1, 85)]
    assert await house.count("tickets") == 0
    targets = (await house.api("GET", f"/campaigns/{number}/targets?limit=200"))["items"]
    (target,) = [t for t in targets if t["name"] == "诺沛生物"]
    assert [(m["state"], m["result"]) for m in target["marks"]] == [
        ("已查", ""),
        ("已查", "无异味"),
    ]
    assert target["enterprise_id"]


async def test_an_odour_found_becomes_a_ticket_and_names_the_firms_nearby_by_grid(
    house: House,
) -> None:
    await odour(house)
    echo = await says(house, OFFICE, "诺沛第一轮已查,有异味,污水池盖板破损")
    ticket = await house.ticket()
    firm = await house.read(lambda uow: uow.people.enterprise(ticket.enterprise_id))
    assert (firm.short_name, ticket.category) == ("诺沛生物", "ENV")
    assert f"#{ticket.number} 已登记" in echo
    near = echo.split("同网格在册：")[1].split("。")[0].split("、")
    grids = {f.short_name: f.grid for f in await house.read(lambda uow: uow.people.enterprises())}
    assert len(near) >= 4
    assert all(grids.get(name, firm.grid) == firm.grid for name in near)
    assert "诺沛生物" not in near
    listed = await says(house, OFFICE, f"附近 {ticket.number}")
    assert f"#{ticket.number} 在{firm.grid}网格，附近在册" in listed
    assert "无异味 未查，未查" in listed


async def test_an_odour_reported_by_a_firm_finds_who_is_near_for_the_office_only(
    house: House,
) -> None:
    await odour(house)
    await house.says("E003", "反映 厂区西边飘来刺鼻异味，员工受不了")
    assert "附近在册" in await says(house, OFFICE, "附近 1001")
    # A liaison sees their own firms of the list, and what is no firm of the registry.
    own = await says(house, LIAISON, "附近 1001")
    assert "玖晟电子" not in own
    await house.says("E004", "附近 1001")
    assert "在册" not in str([m["text"] for m in await house.bot_said("E004")])


async def test_doors_are_counted_by_grid(house: House) -> None:
    number = await doors(house)
    total = sum(400 + 10 * n for n in range(1, 10))
    echo = await says(house, OFFICE, "3网格敲门120户")
    assert "敲门行动：3网格已敲120/430户（27.9%）。" in echo
    await says(house, "P003", "第3网格敲门80户,4网格敲门50户")
    assert await progress(house, number) == [(250, total)]
    assert "3网格已敲300/430户" in await says(house, OFFICE, "3网格累计敲门300户")
    refused = await says(house, OFFICE, "3网格敲门200户")
    assert refused == "3网格一共430户，之前已有300户，请核对数字，没有改动。"
    assert "请写数字" in await says(house, OFFICE, "3网格敲门")
    # Said in the group, a wrong number is told to whoever said it, alone.
    await house.group_says(OFFICE, "3网格敲门200户")
    assert (await house.last(OFFICE))["text"] == refused
    assert await house.in_group() == []
    assert await progress(house, number) == [(350, total)]


async def test_a_day_of_updates_gives_the_right_counts_and_each_milestone_once(
    house: House,
) -> None:
    """Acceptance 6: 195 tenants and 85 firms, a day of chat, right counts, milestones once."""
    tenants_list, firms, knocking = await space(house), await odour(house), await doors(house)
    for building in range(1, 8):
        await house.group_says(OFFICE, f"{building}号楼全部签约")
    assert await progress(house, tenants_list) == [(91, 195)]
    await house.says(LEADER, "8号楼101、102、103、104、105、106签了")
    assert await progress(house, tenants_list) == [(97, 195)]
    # 97 of 195 is less than a half, 98 is more.
    assert not [c for c in await cards(house) if "过50%" in c]
    await house.group_says(OFFICE, "8号楼107签约")
    await house.group_says(OFFICE, "化工第一轮全部已查")
    await house.group_says(OFFICE, "非化工首轮全部已查")
    await house.group_says(OFFICE, "化工第二轮全部已查")
    await house.group_says(OFFICE, "非化工第二轮全部已查")
    for grid in (1, 2, 3):
        await house.group_says(OFFICE, f"{grid}网格敲门{100 * grid}户")
    assert await progress(house, tenants_list) == [(98, 195)]
    assert await progress(house, firms) == [(85, 85), (85, 85)]
    assert (await progress(house, knocking))[0][0] == 600
    told = await cards(house)
    assert len(told) == len(set(told)) == 7 + 1 + 4
    assert sum("过50%" in c for c in told) == 3
    assert sum("85家全部已查" in c for c in told) == 2
    # The day is said again: nothing changes and nobody is told anything twice.
    for text in ("7号楼全部签约", "8号楼107签约", "化工第二轮全部已查", "非化工第二轮全部已查"):
        await house.group_says(OFFICE, text)
    assert await progress(house, tenants_list) == [(98, 195)]
    assert await cards(house) == told
    brief = await says(house, OFFICE, "日调度")
    assert "专项：空间再造 已签98/195户（50.2%）；无异味 第一轮 已查85/85家（100%）" in brief
    assert "敲门行动 已敲600/" in brief


async def test_a_tick_by_chat_is_not_undone_by_importing_the_file_again(house: House) -> None:
    number = await space(house)
    await says(house, OFFICE, "5号楼203签了")
    items: list[dict[str, Any]] = [{**t, "state": "未签"} for t in tenants()]
    taken = await filled(house, number, items)
    assert (taken["created"], taken["changed"]) == (0, 0)
    assert [r["reason"] for r in taken["remarks"]] == ["库里已是已签，表里是未签，保留库里的"]
    signed = [{**t, "state": "已签"} for t in tenants() if t["group"] == "6号楼"]
    assert (await filled(house, number, signed))["changed"] == 13
    assert await progress(house, number) == [(14, 195)]
    # What a list brings along is no news.
    assert await cards(house) == []


async def test_bad_rows_are_named_with_their_number_and_reason(house: House) -> None:
    number = await space(house)
    rows = [
        {"note": "空行"},
        {"group": "5号楼", "place": "203", "name": "5幢地板经营部"},
        {"group": "5号楼", "place": "203", "name": "5幢地板经营部"},
        {"name": "甲", "state": "签了一半"},
        {"name": "乙", "owner": "没有这个人"},
        {"name": "丙", "enterprise_id": "E999"},
    ]
    taken = await filled(house, number, rows)
    assert [(r["row"], r["reason"]) for r in taken["rejected"]] == [
        (1, "没有名称，也没有分组和位置"),
        (3, "和第2行重复"),
        (4, "状态不在未签、已签之中"),
        (5, "没有这位负责人，或有几位同名"),
        (6, "名册里没有这家企业"),
    ]
    assert (taken["created"], taken["unchanged"]) == (0, 1)


async def test_a_campaign_is_set_up_and_ended_by_chat(house: House) -> None:
    made = await says(house, OFFICE, "新建专项 腾空验收 未验/已验 两轮")
    assert "专项 腾空验收 已建：未验/已验，2轮" in made
    assert "已加：5号楼 203 某某建材，共1" in await says(
        house, OFFICE, "专项加 腾空验收 5号楼 203 某某建材"
    )
    await says(house, OFFICE, "腾空验收 5号楼203已验")
    echo, card = [m["text"] for m in await house.bot_said(OFFICE)][-2:]
    assert "腾空验收：第一轮 203 某某建材 已验。" in echo
    assert card == "腾空验收：第一轮1全部已验。合计 第一轮 已验1/1（100%）。"
    assert "5号楼：已验0/1" in await says(house, OFFICE, "专项 腾空验收")
    assert "203 某某建材：已验　未验" in await says(house, OFFICE, "专项 腾空验收 5号楼")
    assert "已有专项 腾空验收" in await says(house, OFFICE, "新建专项 腾空验收 未验/已验")
    assert "请写名称和状态" in await says(house, OFFICE, "新建专项 巡查")
    assert "已结束" in await says(house, OFFICE, "结束专项 腾空验收")
    assert "没有进行中的专项" in await says(house, OFFICE, "专项")


async def test_a_tenants_problem_becomes_a_ticket_of_the_list(house: House) -> None:
    number = await space(house)
    told = await says(house, OFFICE, "专项问题 5号楼203 过渡房没有落实，搬不走")
    assert "#1001 已登记" in told
    ticket = await house.ticket()
    assert "5号楼 203 5幢地板经营部：过渡房没有落实" in ticket.body
    assert "带出的工单：#1001" in await says(house, OFFICE, "专项 空间再造")
    targets = (await house.api("GET", f"/campaigns/{number}/targets?group=5号楼"))["items"]
    assert [t["tickets"] for t in targets if t["place"] == "203"] == [[1001]]


async def test_milestones_go_to_the_campaigns_own_group(house: House) -> None:
    await space(house)
    await house.group_says(OFFICE, "@小港 专项进群 空间再造")
    await says(house, OFFICE, "5号楼全部签约")
    posted = [m["text"] for m in await house.in_group() if m["card"]]
    assert posted == ["空间再造：5号楼13户全部已签。合计 已签13/195户（6.6%）。"]


async def test_a_firm_ticks_nothing_and_sees_no_list(house: House) -> None:
    number = await space(house)
    for text in (
        "5号楼最后一户签约",
        "5号楼全部签约",
        "专项",
        "专项 空间再造",
        "撤销勾选",
        "专项 空间再造 5号楼",
    ):
        await house.says("E003", text)
    told = str([m["text"] for m in await house.bot_said("E003")])
    assert "经营部" not in told
    assert "已签" not in told
    assert await progress(house, number) == [(0, 195)]


async def test_the_list_goes_out_and_comes_back_by_the_command_line(
    house: House, tmp_path: Any
) -> None:
    import os
    import subprocess
    import sys

    await space(house)
    await says(house, OFFICE, "5号楼203签了")
    env = {**os.environ, "LHG_DATABASE_URL": house.settings.database_url}
    for ending in ("csv", "xlsx"):
        out = tmp_path / f"list.{ending}"
        base = [sys.executable, "-m", "bot", "campaign"]
        given = subprocess.run(
            [*base, "export", str(out), "--name", "空间再造"],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert given.returncode == 0, given.stderr
        assert "已导出 195 行" in given.stdout
        taken = subprocess.run(
            [*base, "import", str(out), "--name", "空间再造"],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert taken.returncode == 0, taken.stderr
        assert "空间再造：新增0，更新0，没有变化195，未导入0。" in taken.stdout
        other = subprocess.run(
            [*base, "import", str(out), "--name", f"再造{ending}", "--states", "未签,已签"],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert f"再造{ending}：新增195" in other.stdout
    missing = subprocess.run(
        [*base, "import", str(out), "--name", "没有的"],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert missing.returncode == 2
    assert "没有专项 没有的" in missing.stderr
    house.passes(seconds=timedelta(seconds=1).total_seconds())
    counts = [
        tuple(r["done"] for r in c["progress"])
        for c in (await house.api("GET", "/campaigns"))["items"]
    ]
    assert counts == [(1,), (1,), (1,)]
