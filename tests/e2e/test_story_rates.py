"""Rates asked of the running bot: what happened in chats comes out as figures, credited rightly."""

from tests.kit.house import TOKEN, House

WINDOW = "from=2026-11-24&to=2026-12-31"
RESULT = "专场招聘到岗12人，其余由劳务公司补齐"


async def _solved(house: House, number: int, firm: str, liaison: str) -> None:
    what = "甲乙丙丁戊己"[number - 1001]
    await house.group_says(firm, f"@小港 {what}车间缺操作工20人，临时招不到")
    await house.says(liaison, f"认领 {number}")
    await house.says(liaison, f"办结 {number} {RESULT}")
    await house.says(firm, f"满意 {number}")


async def test_each_rate_has_numerator_denominator_and_value(house: House) -> None:
    for number, firm in ((1001, "E001"), (1002, "E003")):
        await _solved(house, number, firm, "P041")
    found = await house.api("GET", f"/stats?{WINDOW}")
    for name in ("response", "on_time", "solved", "satisfied"):
        rate = found[name]
        assert (rate["numerator"], rate["denominator"], rate["value"]) == (2, 2, None), name
        assert rate["text"] == "样本不足(n=2)"
    assert found["reopened"]["numerator"] == 0
    for number, firm, liaison in (
        (1003, "E002", "P048"),
        (1004, "E004", "P042"),
        (1005, "E005", "P055"),
    ):
        await _solved(house, number, firm, liaison)
    found = await house.api("GET", f"/stats?{WINDOW}")
    assert found["solved"] == {
        "numerator": 5, "denominator": 5, "value": 100.0, "text": "100.0%(5/5)",
    }  # fmt: skip
    assert found["coverage"]["denominator"] == 5
    parts = await house.api("GET", f"/stats?{WINDOW}&by=area")
    assert sum(g["solved"]["denominator"] for g in parts["groups"]) == 5
    assert [g["key"] for g in parts["groups"]] == sorted(g["key"] for g in parts["groups"])
    drawn = await house.api("GET", f"/stats?{WINDOW}&by=area&chart=solved")
    assert drawn["chart"].startswith("<svg")
    assert "样本不足" in drawn["chart"] or "100.0%" in drawn["chart"]
    response = await house.client.get(
        f"/api/v1/stats/chart.svg?{WINDOW}&by=area&rate=solved",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert response.content_type == "image/svg+xml"
    assert await response.text() == drawn["chart"]
    assert "各片区解决率（2026年11月24日至12月30日）" in drawn["chart"]


async def test_statistics_credit_who_was_paired_at_the_time(house: House) -> None:
    await _solved(house, 1001, "E003", "P041")
    house.passes(hours=1)
    await house.api(
        "POST",
        "/pairings",
        {"enterprise_id": "E003", "liaison_id": "P042"},
        status=201,
    )
    house.passes(days=1)
    await _solved(house, 1002, "E003", "P042")
    found = await house.api("GET", f"/stats?{WINDOW}&by=liaison")
    solved = {g["key"]: g["solved"]["numerator"] for g in found["groups"]}
    assert solved == {"P041": 1, "P042": 1}
    assert {g["name"] for g in found["groups"]} == {"联络员小周", "联络员小吴"}


async def test_wrong_questions_are_answered_with_what_to_write(house: House) -> None:
    for query in ("by=person", "from=yesterday", "from=2026-12-01&to=2026-11-01", "chart=solved"):
        await house.api("GET", f"/stats/chart.svg?{query}", status=400)
        answer = await house.api("GET", f"/stats?{query}", status=400)
        assert answer["error"]["code"] == "bad_filter"


async def test_practice_in_the_sandbox_is_no_statistic_once_people_speak_elsewhere(
    house: House,
) -> None:
    from handlers.domain.people import Identity

    await _solved(house, 1001, "E003", "P041")
    await house.app.writer.run(
        lambda uow: uow.people.save_identity(Identity("wecom", "zhou", "P041"))
    )
    found = await house.api("GET", f"/stats?{WINDOW}")
    assert found["solved"]["denominator"] == 0
