"""The office's numbers: read and changed over the API, shown in the chat of the office."""

from handlers.domain.ticket import rebuilt
from tests.kit.house import House

LONGER = {"targets": {"U3": {"resolution": {"unit": "days", "amount": 10}}}, "verdict_days": 7}


async def test_a_change_is_a_version_with_its_author_and_counts_running_clocks_again(
    house: House,
) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.group_says("E004", "@小港 厂门口路灯坏了五盏，晚上看不见")
    await house.says("P055", "不予受理 1002 误建")
    before, ended = await house.ticket(1001), await house.ticket(1002)
    read = await house.api("GET", "/policy")
    assert (read["version"], read["verdict_days"]) == (0, 5)
    saved = await house.api("POST", "/policy", {"version": 0, **LONGER}, status=201)
    assert (saved["version"], saved["changed"], saved["recounted"]) == (1, 2, 1)
    after = await house.ticket(1001)
    assert after.due_resolution > before.due_resolution
    history = await house.read(lambda uow: uow.tickets.history(1001))
    assert history[-1].move == "recount"
    assert rebuilt(history) == after
    assert await house.ticket(1002) == ended
    line = (await house.api("GET", "/audit"))["items"][0]
    assert (line["action"], line["actor"]) == ("policy.saved", "bootstrap")
    assert line["facts"]["changes"]["verdict_days"] == [5, 7]
    # What was read before it is stale now; the same again is no new version.
    told = await house.api("POST", "/policy", {"version": 0, "verdict_days": 8}, status=409)
    assert "第1版" in told["error"]["message"]
    again = await house.api("POST", "/policy", LONGER, status=201)
    assert (again["version"], again["changed"], again["recounted"]) == (1, 0, 0)


async def test_the_ladder_follows_the_new_numbers_of_what_is_open(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    # Claim is due at 14:30; the leader would hear of it four working hours later.
    await house.api("POST", "/policy", {"claim_leader_working": "PT1H"}, status=201)
    await house.advances(hours=6, minutes=29)
    assert (await house.ticket()).level == 1
    await house.advances(minutes=2)
    assert (await house.ticket()).level == 4


async def test_bad_numbers_are_refused_and_nothing_changes(house: House) -> None:
    body = {"verdict_days": 99, "notices_until": "22:30", "targets": {"U3": {"claim": 4}}}
    told = await house.api("POST", "/policy", body, status=422)
    assert set(told["error"]["fields"]) == {"verdict_days", "notices_until", "targets.U3.claim"}
    assert "notices_until 要在 17:00 到 21:00 之间" in told["error"]["message"]
    await house.api("POST", "/policy", {}, status=422)
    await house.api("POST", "/policy", {"version": 0}, status=422)
    assert (await house.api("GET", "/policy"))["version"] == 0


async def test_the_office_reads_the_numbers_in_its_chat_and_others_do_not(house: House) -> None:
    await house.api("POST", "/policy", LONGER, status=201)
    await house.says("P055", "时限设置")
    told = (await house.last("P055"))["text"]
    for line in (
        "时限设置，第1版",
        "特急：认领10分钟，首次答复2小时，反馈进展4小时，办结24小时",
        "普通：认领4个工作小时，首次答复2个工作日，反馈进展3个工作日，办结10个工作日",
        "评价7个工作日",
    ):
        assert line in told, line
    await house.says("P041", "时限设置")
    assert "认领10分钟" not in (await house.last("P041"))["text"]
    group = len(await house.in_group())
    await house.group_says("P055", "@小港 时限设置")
    assert all("特急：" not in m["text"] for m in (await house.in_group())[group:])
