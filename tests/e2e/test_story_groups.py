"""Groups have an owner, a purpose and an end; asked about once a quarter, archived, restored."""

from datetime import datetime
from itertools import count

from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, UserRef
from tests.e2e.test_story_reminders import comes
from tests.kit.house import House

LIAISON, OTHER, OFFICE = "P041", "P042", "P055"
GROUP = "flood-team"
_NUMBERS = count(1)


async def a_group(house: House, **more: object) -> None:
    body = {"platform": "sandbox", "id": GROUP, "title": "防汛专班群", **more}
    await house.api("POST", "/chats", body, status=201)


async def the_group(house: House) -> dict[str, object]:
    chats = (await house.api("GET", "/chats"))["items"]
    (one,) = [c for c in chats if c["id"] == GROUP]
    return dict(one)


async def in_group(house: House, who: str, text: str) -> None:
    """Somebody writes in the second group, which the sandbox's page does not show."""
    event = InboundEvent(
        "sandbox", f"m{next(_NUMBERS)}", EventKind.MESSAGE, house.clock.now(),
        ChatRef("sandbox", GROUP), ChatKind.GROUP, UserRef("sandbox", who), text=text,
        mention_bot="@小港" in text,
    )  # fmt: skip
    await house.app.worker.submit(event)
    await house.app.dispatcher.drain(["sandbox"])


async def bot_in_group(house: House) -> list[str]:
    rows = await house.read(lambda uow: uow.sandbox.after(GROUP, 0))
    return [str(row["text"]) for row in rows]


async def questions(house: House, who: str) -> list[str]:
    return [m["text"] for m in await house.bot_said(who) if "还需要吗" in m["text"]]


async def test_F6_a_group_has_an_owner_a_purpose_and_an_end_date(house: House) -> None:
    await a_group(house)
    await in_group(house, OFFICE, "@小港 群设置 用途：防汛专班，负责人：小周，到期：12月31日")
    group = await the_group(house)
    assert (group["owner"], group["purpose"], group["ends_on"]) == (
        LIAISON,
        "防汛专班",
        "2026-12-31",
    )
    await house.says(OFFICE, "群列表")
    listed = (await house.last(OFFICE))["text"]
    assert "防汛专班群：负责人联络员小周，用途：防汛专班，到期：2026年12月31日" in listed
    await house.says(OTHER, "群设置 防汛专班群 用途：别的")
    assert "由联络员小周或办公室来定" in (await house.last(OTHER))["text"]
    changed = await house.api(
        "PATCH", f"/chats/{GROUP}", {"purpose": "防台", "ends_on": "2027-01-31"}
    )
    assert (changed["purpose"], changed["ends_on"], changed["owner"]) == (
        "防台",
        "2027-01-31",
        LIAISON,
    )
    wrong = await house.api("PATCH", f"/chats/{GROUP}", {"ends_on": "年底"}, status=422)
    assert "ends_on" in wrong["error"]["message"]


async def test_F6_the_owner_of_a_temporary_group_is_asked_once_a_quarter(house: House) -> None:
    await a_group(house, owner=LIAISON, purpose="防汛专班", ends_on="2026-12-31")
    for day in ("2026-12-01", "2027-01-04", "2027-02-01", "2027-03-01", "2027-04-01"):
        await comes(house, f"{day} 10:00")
    # Q4 of 2026, Q1 and Q2 of 2027.
    assert len(await questions(house, LIAISON)) == 3
    # The main group is asked about by nobody, and nobody else is asked.
    told = str(await questions(house, LIAISON)) + str(await questions(house, OFFICE))
    assert "老洪港服务重点工业企业" not in told
    assert await questions(house, OFFICE) == []
    assert await bot_in_group(house) == []


async def test_F6_an_archived_group_keeps_its_data_and_the_bot_leaves_it(house: House) -> None:
    await a_group(house, owner=LIAISON)
    await in_group(house, "E003", "@小港 车间缺操作工20人")
    assert await house.count("tickets") == 1
    await comes(house, "2026-12-01 10:00")
    await house.press(LIAISON, "归档")
    assert "已归档" in str((await house.last(LIAISON))["text"])
    assert "本群已归档" in (await bot_in_group(house))[-1]
    before = len(await bot_in_group(house))
    await in_group(house, "E003", "@小港 厂门口路灯坏了5盏看不见")
    await in_group(house, OFFICE, "5号楼全部签约")
    await house.says(LIAISON, "进展 1001 已联系人社局安排专场", f"dm:{LIAISON}")
    assert len(await bot_in_group(house)) == before
    assert await house.count("tickets") == 1
    assert "这个群已归档" in (await house.last("E003"))["text"]
    assert (await the_group(house))["archived_at"]
    kept = await house.read(lambda uow: uow.tickets.messages(1001))
    assert next(m.text for m in kept) == "车间缺操作工20人"
    assert len(await questions(house, LIAISON)) == 1
    await house.says(OFFICE, "群恢复 防汛专班群")
    await in_group(house, "E003", "@小港 厂门口路灯坏了5盏看不见")
    assert await house.count("tickets") == 2


async def test_a_group_that_is_still_needed_is_kept_and_the_main_one_is_never_archived(
    house: House,
) -> None:
    await a_group(house, owner=LIAISON, ends_on="2026-12-31")
    await house.says(LIAISON, "群保留 防汛专班群 3月31日")
    assert (await the_group(house))["ends_on"] == "2027-03-31"
    await comes(house, "2026-12-01 10:00")
    assert await questions(house, LIAISON) == []
    await house.says(OTHER, "群归档 防汛专班群")
    assert "由联络员小周或办公室来定" in (await house.last(OTHER))["text"]
    await house.says(OFFICE, "群归档 老洪港服务重点工业企业")
    assert "主群不归档" in (await house.last(OFFICE))["text"]
    told = await house.api("PATCH", "/chats/key-enterprises", {"archived": True}, status=422)
    assert "主群不归档" in told["error"]["message"]
    assert datetime.fromisoformat(str((await the_group(house))["asked_at"]))
