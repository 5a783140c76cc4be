"""What is said without a number finds its ticket; what is new opens one."""

from typing import Any

import pytest

from tests.kit.house import MAIN_CHAT, House
from tests.kit.sayings import doubtful

PROBLEM = "@小港 车间缺操作工20人，临时招不到"
LAMPS = "@小港 门口路灯坏了5盏，晚上看不见"


async def moves(house: House, number: int = 1001) -> list[str]:
    return [e.move.value for e in await house.read(lambda uow: uow.tickets.history(number))]


async def test_more_of_the_same_story_joins_without_a_word_in_the_group(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    told = len(await house.in_group())
    await house.group_says("E003", "补充一下，主要缺数控的操作工，要能倒班")
    assert await house.count("tickets") == 1
    assert "follow_up" in await moves(house)
    assert len(await house.in_group()) == told
    assert "能倒班" in (await house.last("P041"))["text"]


async def test_a_second_subject_of_the_same_teller_is_a_ticket_of_its_own(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", LAMPS)
    assert await house.count("tickets") == 2


async def test_waiting_for_days_is_an_urge_not_a_second_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    house.passes(days=7)
    await house.group_says("E003", "@小港 操作工的事又过去一周了，到底有没有人管")
    assert await house.count("tickets") == 1
    assert "urge" in await moves(house)


async def test_a_correction_is_kept_with_its_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "更正一下，操作工不是20个，是12个")
    assert await house.count("tickets") == 1
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert "12个" in messages[-1].text


async def test_a_liaison_takes_reports_and_ends_in_ordinary_words(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("P041", "张经理，这个我来联系人社局")
    assert (await house.ticket()).state == "in_progress"
    await house.group_says("P041", "泓曜招工的事，人社局答应周三办一场专场招聘")
    await house.group_says("P041", "1001 专场招聘到岗12人，其余由劳务公司补齐，办结")
    assert (await house.ticket()).state == "resolved"
    assert await moves(house) == ["submit", "claim", "progress", "resolve"]


async def test_the_words_go_to_the_ticket_they_are_about(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", LAMPS)
    await house.says("P041", "认领 1001")
    await house.says("P041", "认领 1002")
    await house.group_says("P041", "路灯已经报给城管，下午派车来修")
    assert "城管" in (await house.ticket(1002)).last_progress
    assert (await house.ticket(1001)).last_progress == ""


async def test_an_emergency_is_never_buried_in_an_ordinary_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "车间着火了！快来人")
    assert await house.count("tickets") == 2
    assert (await house.ticket(1002)).urgency == "U1"


async def test_a_colleague_told_on_the_telephone_reports_for_the_firm(house: House) -> None:
    await house.group_says("P041", "泓曜张经理电话里讲，厂门口的路灯坏了好几盏，替他登记一下")
    ticket = await house.ticket()
    assert (ticket.enterprise_id, ticket.source.channel) == ("E003", "phone")


async def test_calling_the_help_off_withdraws(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "操作工招到了，这条不用跟了")
    assert (await house.ticket()).state == "withdrawn"


async def test_answers_to_what_the_office_asked_of_all_open_nothing(house: House) -> None:
    await house.group_says("P055", "【用工摸排】各位企业请报明年一季度拟新招人数，回复本条即可")
    await house.group_says("E003", "泓曜：普工20个，技工8个")
    assert await house.count("tickets") == 0


# ---- what is meant without being named

PICTURE = {
    "attachments": [
        {
            "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChw"
            "GA60e6kgAAAABJRU5ErkJggg=="
        }
    ]
}


async def said_of(house: House, number: int = 1001) -> list[str]:
    return [m.text for m in await house.read(lambda uow: uow.tickets.messages(number))]


async def test_figures_that_nobody_asked_for_are_a_problem_told(house: House) -> None:
    await house.group_says("E003", "车间缺操作工20人")
    assert (await house.ticket()).title == "车间缺操作工20人"
    await house.group_says("P055", "请各企业报一下用工缺口，没有缺口的不用回")
    await house.group_says("E004", "车间缺操作工20人")
    await house.group_says("E005", "没有缺口")
    assert await house.count("tickets") == 1


async def test_nothing_lacking_is_no_problem(house: House) -> None:
    for text in ("没有缺口", "缺口0", "目前不缺", "没缺口"):
        await house.group_says("E003", text)
    assert await house.count("tickets") == 0
    assert await house.count("candidates") == 0


async def test_what_about_that_is_of_the_only_open_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    house.passes(days=1)
    await house.group_says("E003", "@小港 那个呢")
    assert await house.count("tickets") == 1
    assert "那个呢" in await said_of(house)
    # What fell due in that day may be told after it.
    assert any("那个呢" in m["text"] for m in await house.bot_said("P041"))


async def test_what_about_that_asks_which_where_several_are_open(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", LAMPS)
    house.passes(days=1)
    await house.says("E003", "那个呢")
    listed = (await house.last("E003"))["text"]
    assert "#1001" in listed and "#1002" in listed
    await house.says("E003", "1002")
    assert (await moves(house), await moves(house, 1002)) == (["submit"], ["submit", "urge"])


async def test_another_week_has_gone_urges_the_only_open_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    house.passes(days=7)
    await house.group_says("E003", "又过去一周了")
    assert await moves(house) == ["submit", "claim", "urge"]
    assert any("催问进展" in m["text"] for m in await house.bot_said("P041"))


async def test_still_no_power_goes_on_with_what_was_told_and_is_asked_about_where_nothing_was(
    house: House,
) -> None:
    await house.group_says("E003", "@小港 三号车间停电了，生产线停了")
    house.passes(hours=1)
    await house.group_says("E003", "还没来电")
    assert await house.count("tickets") == 1
    assert "还没来电" in await said_of(house)
    await house.group_says("E004", "@小港 还没来电")
    assert "登记成工单" in (await house.in_group())[-1]["text"]
    await house.press("E004", "登记", MAIN_CHAT)
    assert (await house.ticket(1002)).category == "ENE"


async def test_a_picture_belongs_to_the_sentence_that_follows_within_two_minutes(
    house: House,
) -> None:
    await house.group_says("E004", "", **PICTURE)
    await house.group_says("E003", "", **PICTURE)
    house.passes(seconds=110)
    await house.group_says("E003", LAMPS)
    assert await house.count("tickets") == 1
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert [len(m.attachments) for m in messages] == [1, 1], "the sentence and its own picture"


async def test_a_picture_belongs_to_the_sentence_before_it(house: House) -> None:
    await house.group_says("E003", LAMPS)
    house.passes(seconds=110)
    await house.group_says("E003", "", **PICTURE)
    house.passes(seconds=130)
    await house.group_says("E003", "", **PICTURE)
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert [len(m.attachments) for m in messages] == [0, 1]
    assert await house.count("tickets") == 1


async def test_a_picture_in_the_single_chat_belongs_to_what_was_just_said_in_the_group(
    house: House,
) -> None:
    await house.group_says("E003", LAMPS)
    house.passes(seconds=60)
    await house.says("E003", "", **PICTURE)
    await house.says("E004", "", **PICTURE)
    house.passes(seconds=130)
    await house.says("E003", "", **PICTURE)
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert [len(m.attachments) for m in messages] == [0, 1]


async def test_what_is_added_to_a_ticket_takes_the_picture_before_it_along(house: House) -> None:
    await house.group_says("E003", LAMPS)
    house.passes(days=1)
    await house.says("E003", "", **PICTURE)
    await house.says("E003", "补充 1001 又坏了两盏，见图")
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert [len(m.attachments) for m in messages] == [0, 0, 1]


async def test_a_picture_alone_opens_nothing_and_is_of_nobody_elses_sentence(house: House) -> None:
    await house.group_says("E004", "", **PICTURE)
    house.passes(seconds=150)
    await house.group_says("E004", LAMPS)
    messages = await house.read(lambda uow: uow.tickets.messages(1001))
    assert [len(m.attachments) for m in messages] == [0]


async def test_a_repeat_joins_and_says_so_to_whoever_told_it(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    told = len(await house.in_group())
    house.passes(hours=3)
    await house.group_says("E003", "车间缺操作工20人，临时招不到人啊")
    assert await house.count("tickets") == 1
    assert "#1001 已在办理" in (await house.last("E003"))["text"]
    assert len(await house.in_group()) == told
    await house.says("E003", "车间缺操作工20人，招不到")
    assert await house.count("tickets") == 1
    assert "#1001 已在办理" in (await house.last("E003"))["text"]


async def test_another_firms_same_words_are_a_ticket_of_their_own(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E004", PROBLEM)
    assert (await house.ticket(1002)).enterprise_id == "E004"


async def test_a_thanks_with_a_new_problem_in_its_last_clause_ends_one_and_opens_one(
    house: House,
) -> None:
    await house.group_says("E003", LAMPS)
    await house.says("P041", "认领 1001")
    await house.says("P041", "办结 1001 已换好五盏灯，晚上亮了")
    await house.group_says("E003", "路灯修好了，谢谢小周，不过车间现在又缺叉车工3个，急着要")
    old, new = await house.ticket(1001), await house.ticket(1002)
    assert (old.state, old.verdict) == ("closed", "yes")
    assert (new.state, new.category) == ("open", "LAB")
    assert "谢谢" not in new.title and "不过" not in new.title
    assert "#1002" in (await house.in_group())[-1]["text"]


async def test_a_thanks_alone_or_with_the_same_trouble_opens_nothing(house: House) -> None:
    await house.group_says("E003", LAMPS)
    await house.says("P041", "认领 1001")
    await house.group_says("E003", "谢谢小周，辛苦了，不过路灯还有两盏不亮，晚上还是看不见")
    await house.group_says("E003", "谢谢大家，辛苦了，不过天气真冷，注意保暖")
    assert await house.count("tickets") == 1


async def test_a_thanks_with_a_problem_from_whom_nothing_is_known_opens_it(house: House) -> None:
    await house.group_says(
        "E003", "谢谢联络员，上次的事办得很快。另外我们厂门口下水道堵了，污水漫到路上"
    )
    assert (await house.ticket()).category == "INF"


async def test_greetings_around_problems_are_no_problem(house: House) -> None:
    await house.group_says(
        "E003",
        "@小港 各位领导好，辛苦了！1、车间缺操作工20人，招不到 2、厂门口路灯坏了5盏，谢谢",
    )
    assert await house.count("tickets") == 2


async def test_a_manager_reports_for_another_firm(house: House) -> None:
    await house.group_says("E003", "@小港 帮隔壁玖晟电子反映一下，他们车间缺操作工5人，招不到")
    ticket = await house.ticket()
    assert (ticket.enterprise_id, ticket.owner_id) == ("E004", "P042")
    assert (await house.last("E003"))["text"] == "已收到，已转玖晟电子的联络员办理。"
    assert await house.in_group() == []
    assert "#1001 已登记" in (await house.last("E004"))["text"]
    await house.says("E003", "查 1001")
    assert "没有找到" in (await house.last("E003"))["text"]


# ---- perhaps a problem


async def questions(house: House, chat: str) -> list[dict[str, Any]]:
    return [m for m in await house.seen(chat) if m["kind"] == "question"]


async def test_the_group_is_asked_once_per_sender_and_half_hour_else_the_sender_alone(
    house: House,
) -> None:
    first, second, third, fourth = doubtful(4)
    await house.group_says("E003", first)
    card = (await questions(house, MAIN_CHAT))[0]["card"]
    assert [b["label"] for b in card["buttons"]] == ["登记", "不用"]
    house.passes(minutes=10)
    await house.group_says("E003", second)
    assert len(await questions(house, MAIN_CHAT)) == 1
    assert len(await questions(house, "dm:E003")) == 1
    await house.group_says("E004", third)
    assert len(await questions(house, MAIN_CHAT)) == 2, "another sender is asked in the group"
    house.passes(minutes=31)
    await house.group_says("E003", fourth)
    assert len(await questions(house, MAIN_CHAT)) == 3
    assert await house.count("tickets") == 0


@pytest.mark.parametrize("word", ["登记", "是"])
async def test_a_question_put_to_the_sender_alone_is_answered_there(
    sqlite_url: str, word: str
) -> None:
    first, second = doubtful(2)
    async with House(sqlite_url) as house:
        await house.group_says("E003", first)
        await house.group_says("E003", second)
        await house.says("E003", word)
        ticket = await house.ticket()
        assert (ticket.body, ticket.source.chat) == (second, MAIN_CHAT)


async def test_a_question_answered_no_opens_nothing_and_one_of_yesterday_is_over(
    house: House,
) -> None:
    first, second = doubtful(2)
    await house.says("E003", first)
    await house.says("E003", "不用")
    assert "不登记" in (await house.last("E003"))["text"]
    await house.group_says("E004", second)
    house.passes(hours=24, minutes=1)
    pressed = await house.press("E004", "登记", MAIN_CHAT)
    assert "已经处理过" in pressed["toast"]
    await house.app.ticker.run_all()
    await house.press("E004", "登记", MAIN_CHAT)
    assert await house.count("tickets") == 0
    assert await house.read(lambda uow: uow.corrections.gathered().examples) == 1


async def test_only_the_sender_says_yes(house: House) -> None:
    (text,) = doubtful(1)
    await house.group_says("E003", text)
    await house.press("E004", "登记", MAIN_CHAT)
    assert await house.count("tickets") == 0
    await house.press("E003", "登记", MAIN_CHAT)
    assert await house.count("tickets") == 1
    await house.press("E003", "登记", MAIN_CHAT)
    assert await house.count("tickets") == 1


async def test_other_problems_of_a_firm_minutes_later_are_tickets_of_their_own(
    house: House,
) -> None:
    for said in (
        "车间缺操作工20人招不到，第1号车间",
        "厂门口路灯坏了5盏，第2号车间",
        "蒸汽压力只有0.4兆帕，第4号车间",
        "停电了",
        "退税什么时候能到",
    ):
        before = await house.count("tickets")
        await house.group_says("E003", said)
        assert await house.count("tickets") == before + 1, said


async def test_what_eases_is_no_new_problem(house: House) -> None:
    await house.group_says("E003", "@小港 门口积水快漫进车间了，排水口堵着")
    before = await house.count("tickets")
    await house.group_says("E003", "水位下去了一个手掌")
    assert await house.count("tickets") == before


async def test_still_the_same_in_other_words_is_no_second_ticket(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.says("E003", "还是缺人")
    assert await house.count("tickets") == 1


async def test_what_only_sounds_alike_is_no_more_of_the_same(house: House) -> None:
    await house.says("E003", "我们车间缺操作工20人，临时招也招不到")
    await house.says("E003", "我们车间停水了，一整天没水，很急")
    assert await house.count("tickets") == 2
    assert (await house.ticket(1002)).category == "ENE"
