"""A firm gets another liaison: tickets go along at once, no clock starts again, each hears it once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Role
from handlers.domain.ticket import rebuilt
from tests.kit.house import House

# 小周 (P041) serves E001 and E003, 小吴 (P042) E004; 许主任 (P028) leads them all.
OLD, NEW, OTHER, LEADER, DESK = "P041", "P042", "P043", "P028", "P055"
PROBLEM = "报修 车间缺操作工20人，临时招不到"


async def says(house: House, who: str, text: str) -> str:
    await house.says(who, text)
    return str((await house.last(who))["text"])


async def pair(house: House, firm: str = "E003", **who: Any) -> None:
    await house.api("POST", "/pairings", {"enterprise_id": firm, **who}, status=201)
    await house.app.dispatcher.drain(["sandbox"])


async def heard(house: House, who: str, word: str) -> list[str]:
    return [m["text"] for m in await house.bot_said(who) if word in m["text"]]


async def test_what_is_in_hand_goes_to_the_new_liaison_and_both_hear_it_once(house: House) -> None:
    await house.group_says("E003", f"@小港 {PROBLEM}")
    await house.says("E003", "报修 厂区消防水压不足，请帮忙协调")
    await says(house, OLD, "认领 1002")
    before = [await house.ticket(n) for n in (1001, 1002)]
    house.passes(hours=1)
    await pair(house, liaison_id=NEW)
    after = [await house.ticket(n) for n in (1001, 1002)]
    assert [t.owner_id for t in after] == [NEW, NEW]
    for old, new in zip(before, after, strict=True):
        # Not a transfer: whoever hands over at 10:00 gives nobody until 14:00 again.
        assert (new.state, new.claimed_at, new.claim_started_at, new.transfers) == (
            old.state, old.claimed_at, old.claim_started_at, old.transfers,
        )  # fmt: skip
        for clock in ("due_claim", "due_first_reply", "due_progress", "due_resolution"):
            assert getattr(new, clock) == getattr(old, clock), clock
        history = await house.read(lambda uow, n=new.number: uow.tickets.history(n))
        assert history[-1].move == "reassign"
        assert history[-1].actor_id is None
        assert history[-1].text == "联络员调整：联络员小周 → 联络员小吴"
        assert rebuilt(history) == new
    (told,) = await heard(house, NEW, "今起由您联系")
    assert told.startswith("今起由您联系（原联络员）：泓曜精密（联络员小周）。\n接办 2 件：\n#1001")
    assert "#1002" in told
    (told,) = await heard(house, OLD, "不再由您联系")
    assert told == ("不再由您联系（现联络员）：泓曜精密（联络员小吴）。\n移交 2 件：#1001、#1002。")
    assert await heard(house, "E003", "现由联络员小吴接着办") == [
        "#1001、#1002 现由联络员小吴接着办，以后有事也请找联络员小吴。"
    ]
    card = (await house.in_group())[-1]["card"]
    assert {"label": "联络员", "value": "联络员小吴", "href": None} in card["rows"]
    # Authority goes along.
    assert "没有找到工单" in await says(house, OLD, "进展 1001 已联系人社局安排专场")
    assert "已由您认领" in await says(house, NEW, "认领 1001")
    actions = [a["action"] for a in (await house.api("GET", "/audit"))["items"]]
    assert actions.count("pairing.changed") >= 1
    assert actions.count("ticket.reassign") == 2


async def test_others_tickets_ended_ones_and_other_firms_stay(house: House) -> None:
    for text in (PROBLEM, "报修 厂区消防水压不足，请帮忙协调", "报修 厂门口道路积水车辆进不来"):
        await house.says("E003", text)
    await house.says("E001", PROBLEM)
    await says(house, LEADER, "改派 1002 小郑 专业对口")
    await says(house, "E003", "撤回 1003")
    await pair(house, liaison_id=NEW)
    owners = {n: (await house.ticket(n)).owner_id for n in (1001, 1002, 1003, 1004)}
    assert owners == {1001: NEW, 1002: OTHER, 1003: OLD, 1004: OLD}


async def test_a_firm_without_a_liaison_falls_to_the_desk_and_comes_back_from_it(
    house: House,
) -> None:
    await house.says("E003", PROBLEM)
    await pair(house, liaison_id=None)
    assert (await house.ticket()).owner_id is None
    assert len(await heard(house, DESK, "接办 1 件")) == 1
    await pair(house, liaison_id=NEW)
    assert (await house.ticket()).owner_id == NEW
    assert len(await heard(house, NEW, "接办 1 件")) == 1


async def test_another_leader_moves_no_ticket(house: House) -> None:
    await house.says("E003", PROBLEM)
    before = await house.ticket()
    await pair(house, leader_id="P029")
    assert await house.ticket() == before
    assert await heard(house, OLD, "不再由您联系") == []


async def test_what_waits_for_the_former_leader_is_put_to_the_new_one(house: House) -> None:
    await house.says("E003", PROBLEM)
    await says(house, OLD, "认领 1001")
    await says(house, OLD, "延期 1001 12月10日 招聘专场改期")
    await pair(house, leader_id="P029")
    await house.press("P029", "同意")
    assert (await house.ticket()).extensions == 1


async def test_a_transfer_under_way_to_the_new_liaison_is_settled_by_it(house: House) -> None:
    await house.says("E003", PROBLEM)
    await says(house, OLD, "转办 1001 小吴 专业对口")
    assert (await house.ticket()).pending_owner_id == NEW
    await pair(house, liaison_id=NEW)
    ticket = await house.ticket()
    assert (ticket.owner_id, ticket.pending_owner_id) == (NEW, None)


async def test_the_office_pairs_by_chat_one_firm_or_all_of_a_liaison(house: House) -> None:
    await house.says("E003", PROBLEM)
    answer = await says(house, DESK, "结对 泓曜精密 小吴")
    assert answer == "已改：泓曜精密 的联络员为联络员小吴，移交在办 1 件。"
    assert (await house.ticket()).owner_id == NEW
    assert "的分管领导为" in await says(house, DESK, "结对 泓曜精密、玖晟电子 P029")
    assert "不能结对" in await says(house, DESK, "结对 泓曜精密 文秘")
    assert "请写明企业和人" in await says(house, DESK, "结对 泓曜精密")
    answer = await says(house, DESK, "移交企业 小周 小郑")
    assert "的联络员为联络员小郑" in answer
    assert len(await heard(house, OTHER, "今起由您联系")) == 1
    assert "名下没有联系的企业" in await says(house, DESK, "移交企业 小周 小郑")
    # Nobody but the office.
    await house.says(OLD, "结对 泓曜精密 小周")
    pairing = await house.read(
        lambda uow: uow.people.pairing(EnterpriseId("E003"), house.clock.now())
    )
    assert pairing.liaison_id == NEW


async def test_an_import_tells_each_liaison_once_for_all_firms(
    house: House, tmp_path: Path
) -> None:
    from bot.files import read_rows
    from handlers.domain.roster import cleaned
    from handlers.services.roster import RosterService

    await house.says("E001", PROBLEM)
    await house.says("E003", "报修 厂区消防水压不足，请帮忙协调")
    file = tmp_path / "roster.csv"
    file.write_text(
        "enterprise_id,full_name,liaison\n"
        "E001,江苏王子制纸有限公司,联络员小吴\nE003,南通泓曜精密机械有限公司,联络员小吴\n",
        encoding="utf-8",
    )
    sheet = cleaned(read_rows(file))
    for _ in range(2):
        await house.app.writer.run(lambda uow: RosterService(uow, house.clock).take(sheet))
    await house.app.dispatcher.drain(["sandbox"])
    (told,) = await heard(house, NEW, "今起由您联系")
    assert "王子制纸" in told
    assert "泓曜精密" in told
    assert "接办 2 件" in told
    assert len(await heard(house, OLD, "不再由您联系")) == 1
    assert {(await house.ticket(n)).owner_id for n in (1001, 1002)} == {NEW}


async def test_48_who_was_paired_at_the_time_is_known_for_every_instant(house: House) -> None:
    start = house.clock.now()
    for liaison in (NEW, OTHER, NEW):
        house.passes(days=1)
        await pair(house, liaison_id=liaison)
    firm = EnterpriseId("E003")

    def paired(uow: Any) -> list[str]:
        times = (start + timedelta(hours=h) for h in (1, 25, 49, 73))
        return [uow.people.pairing(firm, t).liaison_id for t in times]

    assert await house.read(paired) == [OLD, NEW, OTHER, NEW]
    # At the very instant of a change the new one is paired, and never two.
    change = start + timedelta(days=1)
    assert (
        await house.read(lambda uow: uow.people.pairing(firm, change).liaison_id),
        await house.read(lambda uow: uow.people.standing(firm, change).liaison_id),
    ) == (NEW, NEW)
    person = await house.read(lambda uow: uow.people.person(PersonId(NEW)))
    assert person.role is Role.LIAISON
