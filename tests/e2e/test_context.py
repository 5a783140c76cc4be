"""What is said without a number finds its ticket; what is new opens one."""

from tests.kit.house import House

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
