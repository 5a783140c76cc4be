"""Policies in the chat: answered from what is approved, ended ones only as ended, else a person."""

from datetime import UTC, datetime

import pytest

from handlers.domain.policy_library import Answered
from tests.kit.house import House
from tests.kit.policies import a_policy, put, put_corpus

FIRM, OTHER, LIAISON, LEADER, OFFICE, CHIEF = "E003", "E004", "P041", "P028", "P055", "P057"
QUESTION = "稳岗补贴怎么申请"


async def library(house: House) -> dict[str, int]:
    return dict(await house.app.writer.run(put_corpus))


async def one(house: House, *entries: object) -> list[int]:
    def work(uow: object) -> list[int]:
        return [e.id for e in put(uow, entries or [a_policy()])]  # type: ignore[arg-type]

    return list(await house.app.writer.run(work))


async def says(house: House, who: str, text: str) -> str:
    await house.says(who, text)
    return str((await house.last(who))["text"])


async def comes(house: House, text: str) -> None:
    """The time in Shanghai comes."""
    when = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=house.app.settings.zone)
    house.clock.set(when.astimezone(UTC))
    await house.app.ticker.run_planned()
    await house.app.dispatcher.drain(["sandbox"])


async def test_a_question_in_the_group_is_answered_with_number_source_and_date(
    house: House,
) -> None:
    await one(house)
    liaison = len(await house.bot_said(LIAISON))
    await house.group_says(FIRM, f"@小港 {QUESTION}", mention_bot=True)
    (told,) = await house.in_group()
    assert told["text"].startswith("#1001 《企业稳岗留工补贴办法》（通开人社〔2026〕41号）")
    for part in ("2026年3月1日印发", "https://www.example.com/41.html", "以主管部门解释为准"):
        assert part in told["text"]
    ticket = await house.ticket()
    assert (ticket.kind, ticket.state, ticket.enterprise_id) == ("consult", "resolved", FIRM)
    assert ticket.answered_by_library
    # It needs nobody: no card to the liaison, no second question to the firm.
    assert len(await house.bot_said(LIAISON)) == liaison
    assert await house.bot_said(FIRM) == []


async def test_the_answer_is_not_chased_and_ends_by_itself_without_a_verdict(house: House) -> None:
    await one(house)
    await house.says(FIRM, QUESTION)
    await house.advances(days=10)
    assert len(await house.bot_said(FIRM)) == 1
    ticket = await house.ticket()
    assert (ticket.state, ticket.verdict) == ("closed", "none")


async def test_one_press_hands_it_to_the_liaison_and_to_nobody_above(house: House) -> None:
    await one(house)
    leader = len(await house.bot_said(LEADER))
    await house.says(FIRM, QUESTION)
    done = await house.press(FIRM, "转人工")
    assert "#1001 已转联络员小周" in done["toast"]
    ticket = await house.ticket()
    assert (ticket.state, ticket.level, ticket.owner_id) == ("in_progress", 0, LIAISON)
    assert "没答到" in (await house.last(LIAISON))["text"]
    assert len(await house.bot_said(LEADER)) == leader
    # Pressing again, and saying it, changes nothing more.
    await house.press(FIRM, "转人工")
    assert (await house.ticket()).cycle == 2
    await house.says(LIAISON, "办结 1001 网上申请，节前十天交留岗名册")
    assert (await house.ticket()).state == "resolved"


async def test_a_question_that_nothing_fits_is_a_consult_ticket_as_before(house: House) -> None:
    await library(house)
    await house.says(FIRM, "我们想给厂里装充电桩,补多少")
    ticket = await house.ticket()
    assert (ticket.kind, ticket.state) == ("consult", "open")
    assert "《" not in (await house.last(FIRM))["text"]
    question = await house.read(lambda uow: uow.policies.question_of(1001))
    assert question.outcome is Answered.UNANSWERED


async def test_an_ended_entry_says_only_that_it_ended_and_what_came_after(house: House) -> None:
    keys = await library(house)
    told = await says(house, FIRM, "去年招的大学生,老标准一千块那个还算数不")
    assert "已经停止执行" in told
    assert "企业吸纳重点群体就业一次性补助办法(2026年修订)" in told
    assert f"看政策 {keys['p02']}" in told
    assert "1000元给予" not in told
    told = await says(house, FIRM, "前年那个买设备贷款的贴息现在还能交材料吗")
    assert "有效期到2025年12月31日" in told
    assert "1.5个百分点" not in told


async def test_what_does_not_hold_yet_says_from_when(house: House) -> None:
    await library(house)
    told = await says(house, FIRM, "除夕那天留二十五个人看炉子,一天给多少")
    assert "2026年12月15日起施行，现在还没有到" in told


async def test_what_nobody_has_checked_for_half_a_year_answers_nothing(house: House) -> None:
    (number,) = await one(house, a_policy(checked_on=datetime(2026, 5, 1).date()))
    await house.says(FIRM, QUESTION)
    assert (await house.ticket()).state == "open"
    told = await says(house, FIRM, f"看政策 {number}")
    assert "没有复核" in told
    assert "每人每天" not in told
    # Whoever is to check it reads it.
    assert "每人每天" in await says(house, OFFICE, f"看政策 {number}")
    assert "已记为" in await says(house, OFFICE, f"核对政策 {number}")
    assert "每人每天" in await says(house, FIRM, f"看政策 {number}")


async def test_a_draft_is_seen_by_nobody_outside_until_another_person_approves(
    house: House,
) -> None:
    def work(uow: object) -> int:
        from handlers.domain.policy_library import State

        draft = a_policy(state=State.DRAFT, author=OFFICE, approved_by="", checked_on=None)
        return uow.policies.add(draft).id  # type: ignore[attr-defined, no-any-return]

    number = await house.app.writer.run(work)
    assert "没有找到政策" in await says(house, FIRM, f"看政策 {number}")
    assert "没有查到" in await says(house, FIRM, "查政策 稳岗补贴")
    assert "另一位同事" in await says(house, OFFICE, f"审核政策 {number}")
    assert "由办公室和分管领导维护" in await says(house, LIAISON, f"审核政策 {number}")
    assert "没有找到政策" in await says(house, LIAISON, f"看政策 {number}")
    waiting = await says(house, CHIEF, "审核政策")
    assert f"{number}. 《企业稳岗留工补贴办法》" in waiting
    assert f"「看政策 {number}」" in waiting
    draft = await says(house, CHIEF, f"看政策 {number}")
    assert draft.startswith("草稿，等待审核：\n《企业稳岗留工补贴办法》")
    assert "每人每天" in draft
    assert draft.endswith(f"核对无误请回复「审核政策 {number}」。")
    assert "已启用" in await says(house, CHIEF, f"审核政策 {number}")
    assert "不用再审核" in await says(house, LEADER, f"审核政策 {number}")
    assert "查到1项政策" in await says(house, FIRM, "查政策 稳岗补贴")


async def test_the_first_three_are_listed_with_number_and_standing(house: House) -> None:
    await library(house)
    told = await says(house, FIRM, "查政策 展会展位费补助")
    lines = told.splitlines()
    assert lines[0] == "查到3项政策："
    assert "企业拓市场参展补贴(2026—2027年度)" in lines[1]
    assert "现行，至2027年12月31日" in lines[1]
    assert "已截止" in lines[2]
    assert "查政策 稳岗补贴" in await says(house, LIAISON, "查政策")


async def test_a_window_that_closes_reminds_once_who_looked_and_nobody_else(house: House) -> None:
    await one(house, a_policy(apply_by=datetime(2026, 12, 4).date()))
    await house.says(FIRM, QUESTION)
    for day in ("2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01"):
        await comes(house, f"{day} 09:20")
    reminders = [m["text"] for m in await house.bot_said(FIRM) if m["kind"] == "reminder"]
    assert reminders == [
        "您看过的政策《企业稳岗留工补贴办法》（通开人社〔2026〕41号），申报截止2026年12月4日，"
        "只提醒这一次。已经申报的请忽略。要看内容请回复「看政策 1」。"
    ]
    assert await house.bot_said(OTHER) == []


async def test_a_push_reaches_only_firms_it_may_be_for_and_each_once(house: House) -> None:
    from handlers.domain.policy_library import Whom

    (number,) = await one(house, a_policy(whom=Whom(scales=("规上",), areas=("长洪",))))
    assert "已告知" in await says(house, OFFICE, f"推送政策 {number}")
    await house.app.dispatcher.drain(["sandbox"])

    def fitting(uow: object) -> set[str]:
        firms = uow.people.enterprises()  # type: ignore[attr-defined]
        return {f.id for f in firms if f.scale == "规上" and f.area.startswith("长洪")}

    wanted = await house.read(fitting)
    told = {f"E{n:03}" for n in range(1, 46) if await house.bot_said(f"E{n:03}")}
    assert told == wanted
    first = sorted(wanted)[0]
    assert "可能符合（管理区：长洪）" in (await house.bot_said(first))[0]["text"]
    assert "已告知0家" in await says(house, OFFICE, f"推送政策 {number}")
    assert "由办公室和分管领导维护" in await says(house, LIAISON, f"推送政策 {number}")


async def test_a_liaisons_answer_is_kept_and_answers_the_next_one_after_approval(
    house: House,
) -> None:
    await house.says(FIRM, "厂里装充电桩有没有补贴,补多少")
    assert "还没有答复内容" in await says(house, LIAISON, "存入政策库 1001")
    await house.says(LIAISON, "认领 1001")
    await house.says(LIAISON, "办结 1001 园区内企业自建充电桩，每桩补贴设备款的10%，向经发局申请")
    kept = await says(house, LIAISON, "存入政策库 1001")
    # A number that was drawn and given back is not used again, so it need not be the first.
    number = kept.partition("草稿 ")[2].partition("，")[0]
    assert number.isdecimal(), kept
    assert "已经在政策库里" in await says(house, LIAISON, "存入政策库 1001")
    assert any(f"审核政策 {number}" in m["text"] for m in await house.bot_said(OFFICE))
    assert "已启用" in await says(house, OFFICE, f"审核政策 {number}")
    told = await says(house, OTHER, "我们想给厂里装充电桩,补多少")
    assert "每桩补贴设备款的10%" in told
    # Nothing of the firm that asked first.
    assert "泓曜" not in told
    assert "不能使用" in await says(house, FIRM, "存入政策库 1001")


async def test_the_months_questions_without_an_answer_go_to_the_office(house: House) -> None:
    await one(house)
    await house.says(FIRM, "我们想给厂里装充电桩,补多少")
    await house.says(FIRM, QUESTION)
    await house.press(FIRM, "转人工")
    await comes(house, "2026-12-01 09:10")
    told = [m["text"] for m in await house.bot_said(OFFICE) if "政策库没答上来" in m["text"]]
    assert len(told) == 1
    assert "2026年11月政策库没答上来的咨询 2 条，其中 1 条答了但没答到" in told[0]
    assert "充电桩" in told[0]
    assert not [m for m in await house.bot_said(LIAISON) if "没答上来" in m["text"]]


@pytest.mark.parametrize("who", [LIAISON, OFFICE])
async def test_a_colleague_asks_too_and_no_ticket_comes_of_it(house: House, who: str) -> None:
    await one(house)
    told = await says(house, who, f"查政策 {QUESTION}")
    assert "1. 《企业稳岗留工补贴办法》" in told
    assert "每人每天80元" in await says(house, who, "看政策 1")
    assert "每人每天80元" in await says(house, who, QUESTION)
    assert await house.count("tickets") == 0


async def test_somebody_unknown_is_answered_without_a_ticket_and_told_how_to_go_on(
    sqlite_url: str,
) -> None:
    from tests.e2e.test_bad_input import GENERIC, post, said

    async with House(sqlite_url, GENERIC) as house:
        await one(house)
        _, raw = await post(
            house, said("n1", f"@小港 {QUESTION}", sender={"id": "x", "name": "路人"})
        )
        assert "通开人社〔2026〕41号" in raw.decode()
        assert "转人工" not in raw.decode()
        assert "没答到请说「反映 您的问题」" in raw.decode()
        assert await house.count("tickets") == 0
        assert await house.count("policy_questions") == 1


async def test_what_must_be_done_is_a_ticket_with_the_policy_beside_it(house: House) -> None:
    await library(house)
    await house.says(FIRM, "变压器不够用想加大，外面那段线谁掏钱")
    card, beside = await house.bot_said(FIRM)
    assert (await house.ticket()).state == "open"
    assert card["text"].startswith("【#1001")
    assert beside["text"].startswith("供参考：《高可靠性供电与电力增容免费到红线》")
    assert "以主管部门解释为准" in beside["text"]


@pytest.mark.slow
async def test_the_130_questions_in_the_chat_name_ended_entries_only_as_ended(
    sqlite_url: str,
) -> None:
    from tests.kit.policies import rows

    ended = {"p01", "p08", "p11", "p17", "p20", "p23", "p31", "p35", "p44", "p50", "p56"}
    entries = {row["id"]: row for row in rows("policies")}
    async with House(sqlite_url) as house:
        await library(house)
        told_ended = 0
        for n, question in enumerate(rows("policy_questions")):
            firm = f"E{n % 45 + 1:03}"
            before = len(await house.bot_said(firm))
            await house.says(firm, question["text"])
            for message in (await house.bot_said(firm))[before:]:
                for key in ended:
                    if f"《{entries[key]['title']}》" in message["text"]:
                        told_ended += 1
                        assert "已经停止执行" in message["text"]
                        assert entries[key]["summary"] not in message["text"]
        assert told_ended >= 8


async def test_another_firm_cannot_hand_over_or_read_the_question(house: House) -> None:
    await one(house)
    await house.says(FIRM, QUESTION)
    before = await house.ticket()
    assert "没有找到工单" in await says(house, OTHER, "转人工 1001")
    assert "没有等您确认" in await says(house, OTHER, "转人工")
    assert await house.ticket() == before


async def test_an_emergency_and_a_thing_to_be_done_stay_tickets(house: House) -> None:
    await library(house)
    await house.says(FIRM, "@小港 门口井盖没了，有人摔伤，赶紧派人来")
    ticket = await house.ticket()
    assert (ticket.kind, ticket.state) == ("request", "open")
