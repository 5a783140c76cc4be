"""接龙: opened by the office, people write what they like, the bot keeps one list in one card."""

from typing import Any

from tests.kit.house import House

OFFICE, LEADER, LIAISON = "P055", "P028", "P041"
XINYUN, JIUSHENG, MAOYU, TINGQUAN = "芯耘", "玖晟", "茂屿", "庭全"


async def ids(house: House) -> dict[str, str]:
    firms = await house.read(lambda uow: uow.people.enterprises())
    return {f.short_name[:2]: str(f.id) for f in firms}


async def opened(house: House, text: str = "发起接龙 羽毛球赛；名额60；截止 11月30日12:00") -> None:
    await house.group_says(OFFICE, f"@小港 {text}")


async def cards(house: House) -> list[dict[str, Any]]:
    return [m for m in await house.in_group() if m["card"]]


async def places(house: House, number: int = 1) -> dict[str, tuple[int, bool]]:
    signup = await house.read(lambda uow: uow.signups.get(number))
    return {p.key: (p.count, p.waiting) for p in signup.places}


async def test_one_card_shows_the_list_and_is_replaced_in_its_place(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    await house.group_says(firm["芯耘"], "芯耘报3男2女")
    await house.group_says(firm["玖晟"], "+1")
    (card,) = await cards(house)
    assert card["card"]["title"] == "接龙 1 · 羽毛球赛"
    assert card["card"]["status"] == "报名中"
    assert card["card"]["lead"] == "芯耘半导体5人（男3女2）、玖晟电子1人"
    rows = {r["label"]: r["value"] for r in card["card"]["rows"]}
    assert rows == {
        "已报": "6人，2家", "名额": "60人，还剩54人", "男女": "男3 女2 未说明1", "截止": "11月30日 12:00",
    }  # fmt: skip
    # Whoever wrote hears alone what was noted; the group sees one card and nothing else.
    assert len(await house.in_group()) == 1
    assert (await house.last(firm["芯耘"]))["text"] == (
        "已登记：芯耘半导体 5人（男3女2），名额还剩55人。"
    )
    assert await house.count("tickets") == 0


async def test_seed_fact_xinyun_takes_five_places_and_the_61st_waits(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    await house.group_says(firm["芯耘"], "芯耘报3男2女")
    await house.group_says(firm["玖晟"], "我们出55个人")
    await house.group_says(firm["茂屿"], "+1")
    assert await places(house) == {
        firm["芯耘"]: (5, False), firm["玖晟"]: (55, False), firm["茂屿"]: (1, True),
    }  # fmt: skip
    assert "候补第1位" in (await house.last(firm["茂屿"]))["text"]
    (card,) = await cards(house)
    assert card["card"]["status"] == "已满"
    await house.group_says(firm["芯耘"], "芯耘改成4个人")
    assert (await places(house))[firm["茂屿"]] == (1, False)
    assert (await house.last(firm["茂屿"]))["text"] == (
        "接龙 1「羽毛球赛」有了空位，茂屿食品 1人已补上，不用再报。"
    )


async def test_the_last_word_of_a_firm_holds_and_a_copied_list_changes_nobody_else(
    house: House,
) -> None:
    firm = await ids(house)
    await opened(house, "发起接龙 羽毛球赛")
    await house.group_says(firm["泓曜"], "接龙 羽毛球赛\n1. 泓曜 2人")
    await house.group_says(firm["泓曜"], "我们改成3个")
    await house.group_says(firm["绫川"], "接龙 羽毛球赛\n1. 泓曜 2人\n2. 绫川 4人")
    assert await places(house) == {firm["泓曜"]: (3, False), firm["绫川"]: (4, False)}
    await house.group_says(firm["泓曜"], "取消，那天盘库")
    # An old copy does not bring back whoever has left.
    await house.group_says(firm["茂屿"], "接龙\n1. 泓曜 3人\n2. 绫川 4人\n3. 茂屿 1人")
    assert await places(house) == {firm["绫川"]: (4, False), firm["茂屿"]: (1, False)}


async def test_problems_and_talk_in_a_group_with_an_open_list_stay_what_they_are(
    house: House,
) -> None:
    firm = await ids(house)
    await opened(house)
    await house.group_says(firm["泓曜"], "@小港 车间缺操作工20人，招不到，请帮忙")
    await house.group_says(firm["绫川"], "收到")
    await house.group_says(firm["茂屿"], "这周六几点啊")
    assert await places(house) == {}
    assert await house.count("tickets") == 1


async def test_buttons_sign_up_and_cancel_and_the_card_answers(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    answer = await house.press(firm["玖晟"], "报1人", "key-enterprises")
    assert answer["toast"] == "已登记：玖晟电子 1人，名额还剩59人。"
    assert answer["card"]["lead"] == "玖晟电子1人"
    answer = await house.press(firm["玖晟"], "取消", "key-enterprises")
    assert answer["toast"] == "玖晟电子 已取消报名。"
    assert await places(house) == {}
    assert len(await cards(house)) == 1


async def test_a_firm_elsewhere_sees_totals_and_its_own_places_only(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    await house.group_says(firm["芯耘"], "芯耘报3男2女")
    await house.says(firm["玖晟"], "接龙报2个人")
    await house.says(firm["玖晟"], "接龙名单 1")
    text = (await house.last(firm["玖晟"]))["text"]
    assert text == "接龙 1「羽毛球赛」：已报7人，名额60人。玖晟电子 2人。"
    await house.says(LIAISON, "接龙名单")
    assert "1. 芯耘半导体 5人（男3女2）" in (await house.last(LIAISON))["text"]


async def test_f3_nobody_is_ever_told_to_sign_up_or_named_for_not_having(house: House) -> None:
    """F3: no forced 接龙, no 打卡, no pictures as proof: whoever is silent hears nothing."""
    firm = await ids(house)
    await opened(house)
    await house.group_says(firm["芯耘"], "芯耘报3男2女")
    await house.advances(days=7)
    assert await house.bot_said(firm["茂屿"]) == []
    everything = str(await house.in_group()) + str(await house.bot_said(LIAISON))
    for word in ("未接龙", "未报名", "还没接龙", "请尽快", "打卡", "截图", "茂屿"):
        assert word not in everything
    (card,) = await cards(house)
    assert "自愿" in card["text"] or card["card"]["status"] == "已截止"


async def test_it_closes_by_itself_and_takes_nobody_afterwards(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    await house.advances(days=7)
    (card,) = await cards(house)
    assert card["card"]["status"] == "已截止"
    assert card["card"]["buttons"] == []
    await house.group_says(firm["玖晟"], "+1")
    assert await places(house) == {}
    assert await house.count("tickets") == 0


async def test_only_the_office_and_leaders_open_change_and_close(house: House) -> None:
    firm = await ids(house)
    await house.says(firm["玖晟"], "发起接龙 吃饭")
    await house.says(LIAISON, "发起接龙 吃饭")
    assert await house.count("signups") == 0
    await house.says(LEADER, "发起接龙 政策宣讲会；限1人")
    assert (await house.last(LEADER))["text"] == "接龙 1 已发到群里：政策宣讲会。"
    await house.group_says(firm["芯耘"], "+1")
    await house.group_says(firm["玖晟"], "+1")
    await house.says(LEADER, "接龙名额 1 2")
    assert await places(house) == {firm["芯耘"]: (1, False), firm["玖晟"]: (1, False)}
    await house.says(LEADER, "接龙名额 1 1")
    assert (await house.last(LEADER))["text"] == "已报2人，名额不能比这更少。"
    await house.says(LEADER, "结束接龙 1")
    assert "（已截止）" in (await house.last(LEADER))["text"]
    await house.says(LEADER, "结束接龙 7")
    assert (await house.last(LEADER))["text"] == "没有找到这个接龙：7，请核对编号。"


async def test_a_colleague_signs_up_and_a_liaison_for_a_firm(house: House) -> None:
    firm = await ids(house)
    await opened(house)
    await house.group_says(LIAISON, "+2")
    await house.group_says(LIAISON, "玖晟报3个")
    assert await places(house) == {LIAISON: (2, False), firm["玖晟"]: (3, False)}


async def test_the_api_opens_enters_widens_and_closes(house: House) -> None:
    firm = await ids(house)
    body = {"title": "政策宣讲会", "quota": 3, "actor": OFFICE}
    made = await house.api("POST", "/signups", body, status=201)
    assert (made["number"], made["left"], made["open"]) == (1, 3, True)
    entry = {"enterprise": firm["芯耘"], "male": 1, "female": 1, "actor": OFFICE}
    done = await house.api("POST", "/signups/1/entries", entry)
    assert (done["outcome"], done["taken"], done["male"]) == ("signed", 2, 1)
    entry = {"enterprise": firm["玖晟"], "count": 2, "actor": OFFICE}
    assert (await house.api("POST", "/signups/1/entries", entry))["outcome"] == "waits"
    wider = await house.api("PATCH", "/signups/1", {"quota": 4, "actor": OFFICE})
    assert (wider["waiting"], wider["taken"]) == ([], 4)
    off = {"enterprise": firm["玖晟"], "count": 0, "actor": OFFICE}
    assert (await house.api("POST", "/signups/1/entries", off))["outcome"] == "left"
    assert not (await house.api("POST", "/signups/1/close", {"actor": OFFICE}))["open"]
    await house.api("POST", "/signups/1/entries", entry, status=422)
    assert (await house.api("GET", "/signups/1"))["entries"][0]["name"] == "芯耘半导体"
    assert len((await house.api("GET", "/signups"))["items"]) == 1
    await house.api("GET", "/signups/9", status=404)
    await house.api("POST", "/signups", {**body, "actor": LIAISON}, status=403)
    await house.api("POST", "/signups", {**body, "quota": "多"}, status=422)
    await house.api("POST", "/signups", {**body, "chat": {"platform": "x"}}, status=422)
    await house.app.dispatcher.drain(["sandbox"])
    (card,) = await cards(house)
    assert card["card"]["status"] == "已截止"
