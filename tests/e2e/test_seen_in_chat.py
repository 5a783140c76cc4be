"""What people saw go wrong in a chat, and now see go right."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.house import House


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    async with House(sqlite_url) as opened:
        await opened.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
        yield opened


async def told(house: House, who: str, text: str) -> str:
    """What the bot answers, empty where it says nothing."""
    before = len(await house.bot_said(who))
    await house.says(who, text)
    said: list[dict[str, Any]] = (await house.bot_said(who))[before:]
    return said[-1]["text"] if said else ""


async def test_a_move_before_the_claim_says_to_claim_first(house: House) -> None:
    for text in ("进展 1001 已联系人社局安排", "办结 1001 已到岗20人，恢复生产", "办结 1001"):
        assert await told(house, "P041", text) == "#1001 还没有认领，请先回复「认领 1001」。"


async def test_nothing_is_asked_for_that_could_not_be_used(house: House) -> None:
    assert "您不能办结" in await told(house, "P001", "办结 1001")
    assert await told(house, "P001", "好了好了已经办好") != ""


async def test_a_leader_agrees_with_one_word(house: House) -> None:
    await house.says("P041", "认领 1001")
    await house.says("P041", "延期 1001 12月20日 等招聘会")
    assert "时限已延至" in await told(house, "P028", "同意")
    await house.says("P041", "挂账 1001 1月15日 暂无资源；已电话告知企业")
    assert "不同意挂账" in await told(house, "P028", "不同意 1001 再想想办法")
    assert "没有待您答复的申请" in await told(house, "P028", "同意 1001")


async def test_the_firm_reads_why_it_has_to_wait_as_a_whole_sentence(house: House) -> None:
    await house.says("P041", "认领 1001")
    await house.says("P041", "挂账 1001 1月15日 暂无工源；已告知企业节后再招")
    house.passes(minutes=20)
    await house.says("P028", "同意 1001")
    heard = (await house.last("E003"))["text"]
    assert heard.endswith("目前条件下暂难办结。节后再招。2027年1月15日 17:30 再与您联系。")


async def test_what_is_not_accepted_already_is_said_once(house: House) -> None:
    assert "请从这些理由中选一个：不属本区职责、" in await told(house, "P055", "不予受理 1001 太远")
    await house.says("P055", "不予受理 1001 不属本区职责 请找城管局")
    again = await told(house, "P055", "不予受理 1001 误建")
    assert "现在是「不予受理」，不能登记为不予受理" in again


async def test_the_colleague_who_was_asked_takes_it_by_any_word(house: House) -> None:
    await house.says("P041", "转办 1001 小吴 他熟悉用工")
    assert "已由您认领" in await told(house, "P042", "我接")
    ticket = await house.ticket()
    assert (ticket.state, ticket.owner_id) == ("in_progress", "P042")


async def test_the_liaison_who_was_replaced_handles_it_no_longer(house: House) -> None:
    await house.says("P041", "认领 1001")
    house.passes(minutes=5)
    await house.says("P028", "改派 1001 小吴 工作调整")
    assert "您不能写进展" in await told(house, "P041", "进展 1001 已联系人社局安排")


async def test_merging_twice_says_that_it_is_merged(house: House) -> None:
    await house.api("POST", "/tickets", {"title": "食堂停水", "enterprise": "E003"}, status=201)
    await house.says("P055", "合并 1002 到 1001")
    assert "现在是「已并入」" in await told(house, "P055", "合并 1002 到 1001")


async def test_a_refused_supervision_uses_up_no_number(house: House) -> None:
    await house.says("E005", "码头停电了，吊机不能作业")
    assert "DB-2026-001" in await told(house, "P028", "督办 1001")
    await house.says("P028", "督办 1001")
    assert "DB-2026-002" in await told(house, "P055", "督办 1002")


async def test_the_commas_people_type_are_the_commas_others_read(house: House) -> None:
    await house.says("P041", "认领")
    await house.says("P041", "进展＃1001　已联系人社局，周三前答复")
    assert (await house.last("E003"))["text"].endswith("已联系人社局，周三前答复")


async def test_a_word_that_is_not_for_this_person_is_not_added_to_a_ticket(house: House) -> None:
    assert "不能使用「认领」" in await told(house, "E003", "认领 1001")
    assert "不能使用「催办」" in await told(house, "P028", "催办 1001")
    ticket = await house.api("GET", "/tickets/1001")
    assert [entry["move"] for entry in ticket["history"]] == ["submit"]


async def test_a_colleague_who_writes_to_the_bot_is_never_left_without_an_answer(
    house: House,
) -> None:
    assert "认领" in await told(house, "P041", "认令 1001")
    assert await told(house, "P041", "1001改成物流类") != ""
    assert await told(house, "P041", "请假") != ""
    assert await told(house, "P041", "好的") == ""


async def test_calling_the_bot_by_its_name_alone_is_greeted(house: House) -> None:
    await house.group_says("E007", "@小港", mention_bot=True)
    assert "我是小港" in (await house.last("E007"))["text"]


async def test_a_typed_mention_of_everybody_leaves_no_scraps_in_the_title(house: House) -> None:
    await house.says("E007", "<@all> 厂区停电了怎么办")
    assert (await house.ticket(1002)).title.startswith("厂区停电")


async def test_a_firm_does_not_see_which_ticket_of_another_firm_is_linked(house: House) -> None:
    await house.says("E005", "码头停电了，吊机不能作业")
    await house.says("P055", "关联 1001 1002")
    assert "1002" not in await told(house, "E003", "查 1001")
    assert "1002" in await told(house, "P055", "查 1001")
    secret = await house.app.writer.run(lambda uow: _token(uow, house))
    seen = await house.api("GET", "/tickets/1001", token=secret)
    assert seen["links"] == []
    assert "link" not in [entry["move"] for entry in seen["history"]]
    assert (await house.api("GET", "/tickets/1001"))["links"] == [1002]


def _token(uow: Any, house: House) -> str:
    from hashlib import sha256

    from handlers.domain.people import Token

    token = Token("e003", "read", "E003", house.clock.now())  # type: ignore[arg-type]
    uow.tokens.add(token, sha256(b"firm-token").hexdigest())
    return "firm-token"


async def test_the_heads_of_area_and_grid_find_their_firms_tickets(house: House) -> None:
    for who in ("P052", "P001", "P013"):
        assert "#1001" in await told(house, who, "我的工单")
    for who in ("P053", "P009"):
        assert "#1001" not in await told(house, who, "我的工单")
    await house.says("P041", "认领 1001")
    assert "进展已记录" in await told(house, "P001", "进展 已到现场了解用工情况")


async def test_help_offers_a_firm_first_what_it_needs_and_a_liaison_no_decisions(
    house: House,
) -> None:
    firm = (await told(house, "E003", "帮助")).splitlines()
    assert "反映" in firm[1]
    liaison = await told(house, "P041", "帮助")
    assert "认领" in liaison.splitlines()[1]
    assert "同意延期 1024" not in liaison
    assert "督办 1024" not in liaison
    leader = await told(house, "P028", "？")
    assert "督办 1024" in leader


async def test_hello_is_answered_with_hello_and_in_the_group_with_nothing(house: House) -> None:
    assert "我是小港" in await told(house, "E009", "你好")
    before = len(await house.in_group())
    await house.group_says("E009", "大家早上好")
    await house.group_says("E009", "你好")
    assert len(await house.in_group()) == before


@pytest.mark.parametrize("talk", ["老板们早上好", "中午一起吃面去吗", "昨晚那场球看了没"])
async def test_talk_among_colleagues_is_not_sent_to_the_firm_as_progress(
    house: House, talk: str
) -> None:
    await house.group_says("P041", "认领 1001")
    before = len(await house.bot_said("E003"))
    await house.group_says("P041", talk)
    assert len(await house.bot_said("E003")) == before
    assert (await house.ticket()).last_progress == ""


async def test_this_ticket_is_handed_on_without_its_number(house: House) -> None:
    await house.group_says("P041", "认领 1001")
    await house.group_says("P041", "这个单子转给小陈吧")
    ticket = await house.ticket()
    assert ticket.pending_owner_id is not None
    assert ticket.last_progress == ""


async def test_a_due_day_in_a_year_nobody_has_announced_says_so(house: House) -> None:
    assert "暂按常规工作日" not in await told(house, "P041", "查 1001")
    house.passes(days=35)
    await house.group_says("E004", "@小港 仓库门口积水很深，货车进不来")
    assert "2027年1月" in await told(house, "P055", "查 1002")
    assert "前办结（暂按常规工作日）" in await told(house, "P055", "查 1002")


async def test_a_question_to_the_firm_is_not_told_as_the_result(house: House) -> None:
    await house.says("P041", "认领 1001")
    answer = await told(house, "P041", "1001 请问操作工是在一车间还是二车间用")
    assert "已请企业补充" in answer
    assert (await house.ticket()).state == "waiting_enterprise"


async def test_a_bare_number_shows_the_ticket_and_a_word_of_others_says_so(house: House) -> None:
    assert (await told(house, "E003", "1001")).startswith("#1001 车间缺操作工20人")
    assert (await told(house, "P041", "#1001")).startswith("#1001 车间缺操作工20人")
    assert await told(house, "E004", "1001") == "没有找到工单 #1001，请核对编号。"
    assert "您不能使用「认领」" in await told(house, "E003", "认领")
    assert await told(house, "E003", "谢谢") == ""
    assert await told(house, "E003", "收到") == ""


async def test_who_asks_what_others_reported_is_shown_their_own_alone(house: House) -> None:
    for text in ("帮我查下东和半导体的工单", "玖晟电子报了什么问题"):
        assert await told(house, "E003", text) == "只能查看本企业的工单，发「我的工单」就能看到。"
    for text in ("帮我查一下我们的工单", "所有企业的工单"):
        assert (await told(house, "E003", text)).startswith("在办工单（1件）：\n#1001")
    assert await house.count("tickets") == 1
    await house.group_says("E004", "@小港 泓曜精密报了什么问题")
    assert "1001" not in (await house.last("E004"))["text"]
    assert await house.count("tickets") == 1


async def test_a_card_read_as_words_says_that_it_is_urgent(house: House) -> None:
    await house.group_says("E004", "@小港 车间着火了，有人受伤")
    assert (await house.ticket(1002)).urgency == "U1"
    assert "特急 待认领】" in (await house.in_group())[-1]["text"]
    assert "特急" not in (await house.in_group())[0]["text"]
