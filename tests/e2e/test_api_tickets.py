"""The lists and moves of /tickets, as another program of the office asks for them."""

from tests.kit.house import TOKEN, House


async def numbers(house: House, query: str) -> list[int]:
    return [t["number"] for t in (await house.api("GET", f"/tickets?{query}"))["items"]]


async def test_overdue_names_the_clock_that_is_over(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.group_says("E004", "@小港 门口路灯坏了5盏，晚上看不见")
    await house.says("P042", "认领 1002")
    house.passes(days=2)
    (late,) = (await house.api("GET", "/tickets?overdue=claim"))["items"]
    assert late["number"] == 1001
    assert await numbers(house, "overdue=progress") == []
    assert await numbers(house, "overdue=true") == [1001]
    house.passes(days=30)
    assert await numbers(house, "overdue=progress") == [1002]
    assert await numbers(house, "overdue=resolution") == [1002, 1001]
    assert await numbers(house, "overdue=any") == [1002, 1001]
    assert await numbers(house, "overdue=false") == [1002, 1001]
    told = await house.api("GET", "/tickets?overdue=late", status=400)
    assert "claim、first_reply、progress、resolution" in told["error"]["message"]


async def test_the_filter_finds_a_clock_that_was_over_before_it_was_paused(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.says("P041", "认领 1001")
    house.passes(days=10)
    await house.says("P041", "请补充 1001 需要哪些工种")
    (asked,) = (await house.api("GET", "/tickets?overdue=progress"))["items"]
    assert asked["state"] == "waiting_enterprise"
    assert "progress" in asked["overdue"]


async def test_a_reason_of_the_list_is_taken_in_its_own_words(house: House) -> None:
    for number, given in (
        (1001, {"text": "请找城管局", "args": {"reason": "不属本区职责"}}),
        (1002, {"text": "请找城管局", "args": {"reason": "outside"}}),
        (1003, {"text": "不属本区职责，请找城管局"}),
    ):
        await house.api("POST", "/tickets", {"title": f"{number}路灯不亮"}, status=201)
        move = {"move": "not_accept", "actor": "P055", **given}
        made = await house.api("POST", f"/tickets/{number}/moves", move)
        assert made["state"] == "not_accepted"
        history = (await house.api("GET", f"/tickets/{number}"))["history"]
        assert history[-1]["text"] == "请找城管局"


async def test_a_value_that_there_is_none_of_names_those_there_are(house: House) -> None:
    for path, known in (
        ("/tickets?state=gone", "waiting_department"),
        ("/tickets?category=XYZ", "LAB"),
        ("/outbox?state=gone", "dead"),
        ("/announcements?state=gone", "withdrawn"),
    ):
        told = await house.api("GET", path, status=400)
        assert known in told["error"]["message"]


async def test_what_needs_no_word_needs_no_body(house: House) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = await house.client.post("/api/v1/outbox/999/retry", headers=headers)
    assert response.status == 404
    response = await house.client.post("/api/v1/tickets", headers=headers)
    assert response.status == 422


async def test_a_firm_of_a_short_area_hears_what_its_area_hears(house: House) -> None:
    await house.api(
        "POST", "/enterprises", {"id": "E300", "name": "测试厂", "area": "长洪"}, status=201
    )
    changed = await house.api("PATCH", "/enterprises/E300", {"area": "东港"})
    assert changed["area"] == "东港管理区"
    listed = await house.api("GET", "/enterprises?q=测试厂")
    assert [f["area"] for f in listed["items"]] == ["东港管理区"]
