"""One tap, or one line, puts a ticket right; what was put right is kept as an example."""

import json
from typing import Any

import pytest

from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, Pressed, UserRef
from handlers.domain.ticket import LIVE, rebuilt
from tests.kit.house import MAIN_CHAT, House
from tests.kit.sayings import doubtful

PROBLEM = "@小港 车间缺操作工20人，临时招不到，联系13800001234"
LAMPS = "@小港 门口路灯坏了5盏，晚上看不见"
OWNER, OTHER, LEADER, OFFICE, GRID = "P041", "P042", "P028", "P055", "P001"


async def kept(house: House) -> list[Any]:
    return list(await house.read(lambda uow: uow.corrections.all()))


async def examples(house: House, threads: bool = False) -> list[dict[str, Any]]:
    return list(await house.read(lambda uow: uow.corrections.examples(threads)))


async def moves(house: House, number: int = 1001) -> list[str]:
    return [e.move.value for e in await house.read(lambda uow: uow.tickets.history(number))]


def labels(card: dict[str, Any]) -> list[str]:
    return [b["label"] for b in card["buttons"]]


async def more(house: House, who: str, label: str) -> dict[str, Any]:
    """更正, 更多, and one of the four."""
    await house.press(who, "更正")
    await house.press(who, "更多")
    return await house.press(who, label)


# ---- category and urgency


async def test_the_likeliest_other_category_is_one_tap_away(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    pressed = await house.press(OWNER, "更正")
    assert "更正 #1001" in pressed["toast"]
    card = (await house.last(OWNER))["card"]
    assert card["title"] == "更正 #1001"
    assert labels(card)[2:] == ["其他类别", "更多"]
    assert "用工" not in labels(card)
    before = await house.ticket()
    done = await house.press(OWNER, labels(card)[0])
    after = await house.ticket()
    assert after.category != before.category
    assert (after.due_resolution, after.due_claim) == (before.due_resolution, before.due_claim)
    assert done["card"]["title"] == "更正 #1001"
    assert labels(done["card"]) == ["再改"]
    assert await moves(house) == ["submit", "reclassify"]
    # The cards that are already there show it too.
    first = next(m for m in await house.bot_said(OWNER) if m["card"]["title"] != "更正 #1001")
    assert labels(card)[0] in first["card"]["title"]
    assert [m["card"]["title"] for m in await house.in_group()] == [first["card"]["title"]]
    (row,) = await examples(house)
    assert (row["read"]["category"], row["category"]) == ("LAB", after.category.value)
    assert (row["correction"], row["is_ticket"], row["role"]) == ("reclassified", True, "manager")


async def test_any_other_category_is_typed(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.press(OWNER, "更正")
    await house.press(OWNER, "其他类别")
    assert "请写类别" in (await house.last(OWNER))["text"]
    await house.says(OWNER, "子女入学")
    assert (await house.ticket()).category == "TAL"


@pytest.mark.parametrize(
    ("text", "category", "urgency"),
    [
        ("更正 1001 物流", "LOG", "U3"),
        ("更正 1001 不是用工，是物流", "LOG", "U3"),
        ("改错 1001 特急", "LAB", "U1"),
        ("更正 1001 厂房 紧急", "LND", "U2"),
        ("改类别 1001 环保异味", "ENV", "U3"),
    ],
)
async def test_category_and_urgency_are_typed_behind_the_number(
    sqlite_url: str, text: str, category: str, urgency: str
) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", PROBLEM)
        await house.says(OWNER, text)
        ticket = await house.ticket()
        assert (ticket.category, ticket.urgency) == (category, urgency)
        assert len(await examples(house)) == 1


async def test_two_categories_at_once_are_asked_about(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "更正 1001 物流 环保")
    assert (await house.last(OWNER))["text"].startswith("#1001")
    assert await moves(house) == ["submit"]
    await house.says(OWNER, "更正 1001 用工")
    assert "没有变化" in (await house.last(OWNER))["text"]
    assert await kept(house) == []


async def test_the_urgency_is_three_taps_away_and_retargets_what_runs(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    page = await more(house, OWNER, "紧急程度")
    assert labels(page["card"]) == ["特急", "紧急", "疑难", "返回"]
    before = await house.ticket()
    done = await house.press(OWNER, "紧急")
    assert "紧急" in done["toast"]
    after = await house.ticket()
    assert after.urgency == "U2"
    assert after.due_resolution < before.due_resolution
    (row,) = await examples(house)
    assert (row["read"]["urgency"], row["urgency"]) == (before.urgency.value, "U2")


async def test_the_handler_hears_of_an_urgency_that_somebody_else_changed(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(LEADER, "更正 1001 特急")
    assert "特急" in (await house.last(OWNER))["text"]


# ---- not a problem


async def test_the_office_decides_by_one_tap_that_it_is_no_problem(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OFFICE, "更正 1001")
    await house.press(OFFICE, "更多")
    done = await house.press(OFFICE, "不是问题")
    ticket = await house.ticket()
    assert (ticket.state, ticket.reason) == ("not_accepted", "mistake")
    assert labels(done["card"]) == []
    (row,) = await examples(house)
    assert (row["is_ticket"], row["items"], row["urgency"]) == (False, [], None)
    assert row["intent"] not in ("new_problem", "urgent", "policy_question")


@pytest.mark.parametrize("text", ["更正 1001 不是问题", "不是问题 1001", "误建 1001"])
async def test_the_leader_decides_it_by_words(sqlite_url: str, text: str) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", PROBLEM)
        await house.says(LEADER, text)
        assert (await house.ticket()).reason == "mistake"
        assert (await kept(house))[0].kind == "not_a_problem"


async def test_a_liaison_proposes_and_the_leader_agrees(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    done = await more(house, OWNER, "不是问题")
    assert "已建议" in done["toast"]
    assert (await house.ticket()).state == "open"
    assert await kept(house) == []
    card = (await house.last(LEADER))["card"]
    assert labels(card) == ["同意", "不同意"]
    decided = await house.press(LEADER, "同意")
    assert (await house.ticket()).reason == "mistake"
    assert labels(decided["card"]) == []
    (made,) = await kept(house)
    assert (made.kind, made.by) == ("not_a_problem", LEADER)
    assert "误建" in (await house.last(OWNER))["text"]


async def test_a_liaison_proposes_and_the_leader_wants_it_done(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "不是问题 1001")
    before = await house.ticket()
    for _ in range(2):
        await house.says(LEADER, "仍要办 1001")
    assert await house.ticket() == before
    told = [m for m in await house.bot_said(OWNER) if "请继续办理" in m["text"]]
    assert len(told) == 1
    assert await kept(house) == []


async def test_a_proposal_is_not_agreed_to_after_the_ticket_has_changed(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "不是问题 1001")
    await house.says(OWNER, "认领 1001")
    pressed = await house.press(LEADER, "同意")
    assert "有了变化" in pressed["toast"]
    assert (await house.ticket()).state == "in_progress"
    await house.says(LEADER, "不予受理 1001 误建")
    assert (await house.ticket()).reason == "mistake"


async def test_refused_for_another_reason_it_was_a_problem_all_the_same(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(LEADER, "不予受理 1001 诉讼 已立案")
    assert await kept(house) == []


# ---- belongs to another


async def test_a_ticket_that_belongs_to_another_is_joined_to_it(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", LAMPS)
    card = next(m for m in await house.bot_said(OWNER) if "#1002" in m["card"]["title"])
    await house.press_on(card["id"], "3", OWNER)
    await house.press(OWNER, "更多")
    await house.press(OWNER, "属于另一件")
    assert "哪一件" in (await house.last(OWNER))["text"]
    await house.says(OWNER, "#1001")
    ticket = await house.ticket(1002)
    assert (ticket.state, ticket.merged_into) == ("merged", 1001)
    # The text alone reads like a problem, and rightly so: only the thread tells.
    assert await examples(house) == []
    (row,) = await examples(house, threads=True)
    assert row["intent"] == "follow_up"
    assert row["ref_id"] == (await house.ticket(1001)).source.message_id

    await house.says(OWNER, "更正 1002 市政配套 紧急")
    assert "配套" in (await house.last(OWNER))["text"], "a merged number lands on the live ticket"
    assert (await house.ticket(1001)).category == "INF"


async def test_another_number_is_typed_and_taking_it_apart_again_is_an_example(
    house: House,
) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", LAMPS)
    await house.says(OWNER, "更正 1002 属于 1001")
    assert (await house.ticket(1002)).merged_into == 1001
    await house.says(OWNER, "取消合并 1002")
    (row,) = await examples(house)
    assert (row["correction"], row["is_ticket"], row["category"]) == ("parted", True, "INF")


async def test_another_firms_ticket_is_not_joined(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E001", LAMPS)
    await house.says(OWNER, "更正 1002 属于 1001")
    assert (await house.ticket(1002)).state == "open"


# ---- another firm


async def test_the_right_firm_takes_over_and_the_wrong_one_hears_only_that(house: House) -> None:
    await house.says(OFFICE, "代报 泓曜 电话 车间缺操作工20人，临时招不到")
    before = await house.ticket()
    await house.press(OWNER, "更正")
    await house.press(OWNER, "更多")
    await house.press(OWNER, "企业不对")
    assert "哪家企业" in (await house.last(OWNER))["text"]
    await house.says(OWNER, "玖晟")
    after = await house.ticket()
    assert (after.enterprise_id, after.owner_id) == ("E004", OTHER)
    for clock in ("due_claim", "due_first_reply", "due_resolution", "created_at"):
        assert getattr(after, clock) == getattr(before, clock), clock
    assert rebuilt(await house.read(lambda uow: uow.tickets.history(1001))) == after

    told = (await house.last("E003"))["text"]
    assert "与贵企业无关" in told and "操作工" not in told and "玖晟" not in told
    assert "已登记" in (await house.last("E004"))["text"]
    assert labels((await house.last(OTHER))["card"])[0] == "认领"
    assert "由联络员小吴负责" in (await house.last(OWNER))["text"]
    for who in ("E003", OWNER):
        await house.says(who, "查 1001")
        assert "没有找到工单" in (await house.last(who))["text"], who
    await house.says("E003", "我的工单")
    assert "1001" not in (await house.last("E003"))["text"]
    (row,) = await examples(house)
    assert (row["read"]["enterprise"], row["enterprise"]) == ("泓曜精密", "玖晟电子")


async def test_a_question_to_the_wrong_firm_is_void(house: House) -> None:
    await house.says(OFFICE, "代报 泓曜 电话 车间缺操作工20人，临时招不到")
    await house.says(OWNER, "认领 1001")
    await house.says(OWNER, "请补充 1001 请说明需要哪些工种")
    await house.says(OFFICE, "更正企业 1001 玖晟电子")
    ticket = await house.ticket()
    assert (ticket.state, ticket.question, ticket.due_answer, ticket.paused_since) == (
        "in_progress", "", None, None,
    )  # fmt: skip
    assert rebuilt(await house.read(lambda uow: uow.tickets.history(1001))) == ticket
    await house.says("E003", "主要是数控操作工15人")
    assert await house.ticket() == ticket


async def test_who_reported_it_for_the_wrong_firm_learns_only_that_it_was_taken(
    house: House,
) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "更正 1001 企业是 玖晟电子")
    assert (await house.last("E003"))["text"] == "已收到，已转玖晟电子的联络员办理。"
    await house.says("E003", "查 1001")
    assert "没有找到工单" in (await house.last("E003"))["text"]


async def test_the_same_firm_or_an_unknown_one_changes_nothing(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "更正企业 1001 泓曜精密")
    assert "就是这家企业" in (await house.last(OWNER))["text"]
    await house.says(OWNER, "更正企业 1001 天外来客公司")
    assert "没有找到" in (await house.last(OWNER))["text"]
    assert await moves(house) == ["submit"]


async def test_a_firm_nobody_knew_is_named_by_the_same_button(house: House) -> None:
    await house.api("POST", "/tickets", {"body": PROBLEM, "actor": OFFICE}, status=201)
    ticket = await house.ticket()
    assert ticket.enterprise_id is None
    await house.says(OFFICE, "更正 1001 企业 泓曜精密")
    after = await house.ticket()
    assert (after.enterprise_id, after.owner_id) == ("E003", OWNER)
    assert "name_firm" in await moves(house)


async def test_the_api_refuses_a_firm_that_is_not_there(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    body = {"move": "correct_firm", "actor": OFFICE, "args": {"enterprise": "E999"}}
    await house.api("POST", "/tickets/1001/moves", body, status=422)
    body["args"] = {"enterprise": "E004"}
    made = await house.api("POST", "/tickets/1001/moves", body)
    assert (made["enterprise"]["id"], made["owner"]["id"]) == ("E004", OTHER)
    assert (await kept(house))[0].kind == "other_firm"


# ---- who may, and where

TYPED = (
    "更正 1001", "更正 1001 物流", "更正 1001 特急", "更正 1001 不是问题", "不是问题 1001", "仍要办 1001",
    "更正 1001 属于 1002", "更正企业 1001 玖晟电子", "改类别 1001 物流",
)  # fmt: skip


@pytest.mark.parametrize("who", ["E003", "E004", OTHER, GRID, "P054"])
async def test_nobody_else_puts_anything_right(sqlite_url: str, who: str) -> None:
    async with House(sqlite_url) as house:
        await house.group_says("E003", PROBLEM)
        await house.group_says("E003", LAMPS)
        before = [await house.ticket(1001), await house.ticket(1002)]
        for text in TYPED:
            await house.says(who, text)
            if who == OTHER:
                assert "没有找到工单" in (await house.last(who))["text"], text
        after = [await house.ticket(1001), await house.ticket(1002)]
        for was, now in zip(before, after, strict=True):
            same = ("category", "urgency", "state", "enterprise_id", "owner_id")
            assert [getattr(was, f) for f in same] == [getattr(now, f) for f in same]
        assert await kept(house) == []
        cards = [m["card"]["title"] for m in await house.bot_said(who) if m["card"]]
        assert "更正 #1001" not in cards


async def forged(house: House, who: str, action: str, chat: str = "", **args: str) -> str:
    """A press that no card offered to this person, or not in this chat."""
    event = InboundEvent(
        "sandbox",
        f"forged-{who}-{action}-{chat}",
        EventKind.PRESS,
        house.clock.now(),
        ChatRef("sandbox", chat or who),
        ChatKind.GROUP if chat else ChatKind.DIRECT,
        UserRef("sandbox", who),
        press=Pressed(action, {"t": "1001", "v": "1", **args}, (), "ticket:x:correct"),
    )
    done = await house.app.worker.submit(event)
    await house.app.dispatcher.drain(["sandbox"])
    return done.toast


ACTIONS: dict[str, dict[str, str]] = {
    "ticket.correct": {}, "correct.show": {}, "correct.more": {}, "correct.category": {"c": "LOG"},
    "correct.other": {}, "correct.urgency": {"u": "U1"}, "correct.not_problem": {}, "correct.keep": {},
    "correct.join": {}, "correct.firm": {},
}  # fmt: skip


async def test_a_card_that_leaked_does_nothing_for_whoever_presses_it(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    for who in ("E003", "E004", OTHER, GRID):
        for action, args in ACTIONS.items():
            toast = await forged(house, who, action, **args)
            assert any(no in toast for no in ("您不能", "没有找到")), (
                who,
                action,
                toast,
            )
            assert not any(
                m["card"] and m["card"]["title"] == "更正 #1001" for m in await house.bot_said(who)
            )
    assert await moves(house) == ["submit"]


async def test_what_is_pressed_in_a_group_is_answered_alone_or_not_at_all(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    before = await house.in_group()
    for action, args in ACTIONS.items():
        await forged(house, OWNER, action, MAIN_CHAT, **args)
    assert [m["card"] for m in await house.in_group() if m["card"]] == [m["card"] for m in before]
    assert await moves(house) == ["submit"]
    cards = [m["card"]["title"] for m in await house.bot_said(OWNER) if m["card"]]
    assert cards[1:] == ["更正 #1001"]


async def test_a_category_that_is_none_is_asked_for(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await forged(house, OWNER, "correct.category", c="XXX")
    assert "请写类别" in (await house.last(OWNER))["text"]


async def test_a_stale_card_is_shown_anew_and_then_works(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.press(OWNER, "更正")
    card = await house.last(OWNER)
    await house.says(OFFICE, "更正 1001 环保")
    pressed = await house.press_on(card["id"], "0", OWNER)
    assert "有了变化" in pressed["toast"]
    assert "环保" in str(pressed["card"]["rows"])
    assert (await house.ticket()).category == "ENV"
    await house.press_on(card["id"], "0", OWNER)
    assert (await house.ticket()).category != "ENV"


async def test_an_ended_ticket_says_so(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.press(OWNER, "更正")
    await house.press(OWNER, "更多")
    await house.says("E003", "撤回 1001")
    assert (await house.ticket()).state not in LIVE
    pressed = await house.press(OWNER, "不是问题")
    assert "不能" in pressed["toast"]
    assert (await house.ticket()).state == "withdrawn"


async def test_no_group_sees_the_card_or_its_buttons(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    before = len(await house.in_group())
    for text in ("更正 1001", "更正企业 1001", "更正 1001 不是问题"):
        await house.group_says(OWNER, text)
    assert len(await house.in_group()) == before
    said = [m["text"] for m in await house.bot_said(OWNER)]
    assert any(t.startswith("【更正 #1001】") for t in said)
    assert any("请写明是哪家企业" in t for t in said)
    assert any("已建议" in t for t in said)
    assert "更正" not in json.dumps([m["card"] for m in await house.in_group()])


async def test_a_confidential_ticket_is_put_right_quietly_and_never_becomes_an_example(
    house: House,
) -> None:
    await house.says("E003", "反映 有员工投诉车间异味，请不要公开")
    await house.says("E003", "保密 1001")
    await house.group_says(OWNER, "更正 1001 治安")
    assert (await house.ticket()).category == "PUB"
    assert await house.in_group() == []
    assert await examples(house) == []


# ---- what is kept


async def test_phones_are_masked_in_what_is_kept(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "更正 1001 物流")
    (made,) = await kept(house)
    assert "138****1234" in made.text
    assert "13800001234" not in json.dumps(await examples(house))


async def test_put_right_twice_the_last_word_holds(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says(OWNER, "更正 1001 物流")
    await house.says(LEADER, "更正 1001 环保")
    (row,) = await examples(house)
    assert (row["read"]["category"], row["category"]) == ("LAB", "ENV")


async def test_a_managers_correction_is_of_what_was_said(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工18人，临时招不到")
    await house.group_says("E003", "更正，是8个不是18个")
    assert await house.count("tickets") == 1
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert "是8个" in messages[-1].text
    assert await kept(house) == []


async def test_a_colleagues_sentence_that_begins_like_the_word_is_none(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    first = (await house.in_group())[0]["id"]
    for quote in ("", first):
        await house.group_says(OWNER, "更正，招聘会改到周四下午两点", reply_to=quote)
        await house.group_says(OWNER, "不是问题，小事一桩", reply_to="")
    assert "没看懂类别" not in str(await house.bot_said(OWNER))
    assert (await house.ticket()).state in ("open", "in_progress")
    assert await kept(house) == []


async def test_the_answers_to_questions_are_examples(house: House) -> None:
    yes, no = doubtful(2)
    await house.says("E003", yes)
    await house.press("E003", "登记")
    await house.says("E004", no)
    await house.press("E004", "不用")
    await house.press("E004", "不用")
    made = await kept(house)
    assert [(m.kind, m.right.is_ticket, m.read.is_ticket) for m in made] == [
        ("answered_yes", True, None),
        ("answered_no", False, None),
    ]
    assert [row["is_ticket"] for row in await examples(house)] == [True, False]


async def test_what_had_to_be_registered_by_hand_is_an_example(house: House) -> None:
    await house.says(OWNER, "代报 泓曜 电话 张经理说今天天气不错")
    (made,) = await kept(house)
    assert (made.kind, made.read.is_ticket, made.right.is_ticket) == ("by_hand", False, True)
    await house.says(OWNER, "代报 玖晟 电话 车间缺操作工20人，急着要")
    assert len(await kept(house)) == 1


# ---- the office's words


async def test_the_office_adds_lists_and_removes_words(house: House) -> None:
    await house.says(OFFICE, "词表")
    assert "还没有改过词" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "加词 蒸汽管网 能源 4")
    assert "「蒸汽管网」" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "加词 冒黑烟 危险")
    await house.says(OFFICE, "加词 蒸汽管网 水电气 5")
    await house.says(OFFICE, "词表 能源")
    assert "蒸汽管网（5）" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "词表")
    assert "水电气1个" in (await house.last(OFFICE))["text"]
    assert "特急1个" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "删词 蒸汽管网")
    await house.says(OFFICE, "删词 缺工 用工")
    rows = await house.read(lambda uow: [(r.word, r.category, r.weight) for r in uow.words.rows()])
    assert rows == [("缺工", "LAB", 0.0), ("冒黑烟", "U1", 3.0)]
    await house.says(OFFICE, "词表 用工")
    assert "删的：缺工" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "加词 缺工 用工 5")
    await house.says(OFFICE, "词表 用工")
    assert "加的：缺工（5）" in (await house.last(OFFICE))["text"]
    assert await house.read(lambda uow: uow.audit.verify()) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("加词", "请写词、类别和权重"),
        ("加词 蒸汽管网", "请写词、类别和权重"),
        ("加词 蒸汽 管网 能源 4", "请写词、类别和权重"),
        ("加词 汽 能源", "2到12个字"),
        ("加词 一二三四五六七八九十一二三 能源", "2到12个字"),
        ("加词 蒸汽管网 天文", "没有「天文」这个类别"),
        ("加词 蒸汽管网 能源 9", "1到5"),
        ("加词 蒸汽管网 能源 很重", "1到5"),
        ("加词 蒸汽管网 能源 nan", "1到5"),
        ("删词", "请写词、类别和权重"),
        ("删词 独角鲸", "没有加过「独角鲸」"),
        ("删词 独角鲸 能源", "没有「独角鲸」"),
        ("删词 缺工 天文", "没有「天文」这个类别"),
        ("词表 天文", "没有「天文」这个类别"),
    ],
)
async def test_a_wrong_word_is_told_and_changes_nothing(
    sqlite_url: str, text: str, told: str
) -> None:
    async with House(sqlite_url) as house:
        await house.says(OFFICE, text)
        assert told in (await house.last(OFFICE))["text"]
        assert await house.read(lambda uow: uow.words.rows()) == ()


async def test_only_the_office_edits_words(house: House) -> None:
    for who in (OWNER, LEADER, "E003"):
        await house.says(who, "加词 蒸汽管网 能源 4")
    await house.says(OFFICE, "加词 蒸汽管网 能源 4", MAIN_CHAT)
    rows = await house.read(lambda uow: uow.words.rows())
    assert [r.by for r in rows] == [OFFICE]
