"""The main job, end to end: a message in the group becomes a ticket that its liaison closes."""

from tests.kit.house import House

PROBLEM = "@小港 车间缺操作工20人，临时招不到"


async def test_a_problem_in_the_group_is_claimed_worked_reopened_and_closed_with_five(
    house: House,
) -> None:
    await house.group_says("E003", PROBLEM)
    cards = await house.in_group()
    assert len(cards) == 1
    card = cards[0]["card"]
    assert card["title"] == "#1001 · 用工"
    assert {"label": "联络员", "value": "联络员小周", "href": None} in card["rows"]
    duty = await house.last("P041")
    assert [b["label"] for b in duty["card"]["buttons"]] == ["认领", "转办", "退单", "更正"]

    pressed = await house.press("P041", "认领")
    assert "已由您认领" in pressed["toast"]
    assert pressed["card"]["status"] == "办理中"
    assert "联络员小周已认领" in (await house.last("E003"))["text"]

    await house.says("P041", "进展 1001 已联系人社局，周三组织专场招聘")
    assert "已联系人社局" in (await house.last("E003"))["text"]

    await house.says("P041", "办结")
    assert "怎么办结的" in (await house.last("P041"))["text"]
    await house.says("P041", "已处理")
    assert "请用一句话说明怎么办结的" in (await house.last("P041"))["text"]
    assert (await house.ticket()).state == "in_progress"
    await house.says("P041", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
    asked = await house.last("E003")
    assert [b["label"] for b in asked["card"]["buttons"]] == [
        "非常满意",
        "满意",
        "基本满意",
        "没解决",
    ]

    await house.says("E003", "还是缺人")
    ticket = await house.ticket()
    assert (ticket.state, ticket.cycle, ticket.verdict) == ("in_progress", 2, "no")
    assert "没有解决" in (await house.last("P028"))["text"]

    await house.advances(minutes=20)
    await house.says("P041", "办结 1001 劳务公司今天又送来8人，已全部上岗")
    await house.press("E003", "非常满意")
    ticket = await house.ticket()
    assert (ticket.state, ticket.rating, ticket.verdict, ticket.cycle) == ("closed", 5, "yes", 2)

    moves = [e.move.value for e in await house.read(lambda uow: uow.tickets.history(1001))]
    assert moves == [
        "submit", "claim", "progress", "resolve", "verdict_no", "resolve", "rate",
    ]  # fmt: skip
    assert await house.read(lambda uow: uow.audit.verify()) is None
    results = [m for m in await house.in_group() if "已办结" in m["text"]]
    assert len(results) == 2


async def test_the_bare_word_moves_the_only_ticket_that_fits(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领")
    assert (await house.ticket()).state == "in_progress"


async def test_where_several_fit_the_bot_lists_them_and_asks(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "@小港 门口路灯坏了5盏，晚上看不见")
    await house.says("P041", "认领")
    listed = (await house.last("P041"))["text"]
    assert "#1001" in listed and "#1002" in listed
    assert (await house.ticket(1001)).state == "open"
    await house.says("P041", "1002")
    assert (await house.ticket(1002)).state == "in_progress"


async def test_full_width_missing_space_hash_and_code_name_the_same_ticket(house: House) -> None:
    for number, form in enumerate(("认领１００１", "认领#1002", "#1003 认领"), 1001):
        await house.group_says(
            "E003", f"@小港 {number}号车间缺操作工{number}人，招不到 {'门' * (number - 1000)}"
        )
        if (await house.count("tickets")) < number - 1000:
            continue
        await house.says("P041", form)
    code = (await house.ticket(1001)).code
    await house.says("P041", f"进展 {code} 已联系人社局安排专场招聘")
    assert "专场" in (await house.ticket(1001)).last_progress


async def test_a_quoted_message_of_the_bot_names_its_ticket(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "@小港 门口路灯坏了5盏，晚上看不见")
    first = (await house.in_group())[0]["id"]
    await house.group_says("P041", "我来", reply_to=first)
    assert (await house.ticket(1001)).state == "in_progress"
    assert (await house.ticket(1002)).state == "open"


async def test_two_problems_in_one_message_are_two_tickets_in_one_answer(house: House) -> None:
    await house.group_says(
        "E003", "@小港 1、车间缺操作工20人，招不到 2、厂门口路灯坏了5盏，晚上看不见"
    )
    answers = await house.in_group()
    assert len(answers) == 1
    assert "#1001" in answers[0]["text"] and "#1002" in answers[0]["text"]
    assert await house.count("tickets") == 2


async def test_a_liaison_reports_for_a_firm_that_phoned(house: House) -> None:
    await house.says("P041", "代报 东和 电话 车间缺操作工5人，急着要")
    ticket = await house.ticket()
    assert (ticket.enterprise_id, ticket.source.channel, ticket.owner_id) == (
        "E002",
        "phone",
        "P048",
    )
    assert "已登记" in (await house.last("E002"))["text"]
    assert await house.in_group() == []


async def test_greetings_thanks_acknowledgements_and_notices_open_nothing(house: House) -> None:
    for who, text in (
        ("E003", "收到"),
        ("E003", "大家早上好"),
        ("E003", "谢谢小周，上个月气压的事多亏了你"),
        ("E003", "听说隔壁园区天天停电"),
        ("P056", "各位企业家，通知：周五停水检修，请各企业提前储水"),
        ("E003", "👍"),
    ):
        await house.group_says(who, text)
    assert await house.count("tickets") == 0
    assert await house.in_group() == []


async def test_a_stale_button_says_who_was_first(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    card = await house.last("P041")
    await house.says("P055", "改派 1001 小吴 工作调整")
    await house.says("P042", "认领 1001")
    pressed = await house.press_on(card["id"], "0", "P041")
    assert "联络员小吴" in pressed["toast"]


async def test_transfer_leaves_the_old_owner_responsible_until_it_is_accepted(
    house: House,
) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    await house.says("P041", "转办 1001 小吴 属于港口业务")
    assert (await house.ticket()).owner_id == "P041"
    await house.press("P042", "接受")
    assert (await house.ticket()).owner_id == "P042"
    assert "已接办" in (await house.last("P041"))["text"]


async def test_a_confidential_ticket_never_appears_in_the_group(house: House) -> None:
    await house.says("E003", "反映 有员工投诉车间异味，请不要公开")
    await house.says("E003", "保密 1001")
    await house.group_says("P041", "认领 1001")
    await house.group_says("P041", "查 1001")
    await house.says("P041", "办结 1001 已派人检测，排风机故障当天修复")
    assert await house.in_group() == []


async def test_phones_are_masked_in_the_group(house: House) -> None:
    await house.group_says("E003", "@小港 缺焊工5人，联系13800001234")
    assert all("13800001234" not in m["text"] for m in await house.in_group())


async def test_a_repeat_of_an_open_problem_joins_it(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.group_says("E003", "@小港 车间还缺操作工20人，临时招不到")
    assert await house.count("tickets") == 1
    assert "#1001" in (await house.last("E003"))["text"]


async def test_an_unknown_command_gets_a_suggestion(house: House) -> None:
    for typed, told in (
        ("认镜 1001", "您是想「认领」吗？请照「认领 1024」这样发；发「帮助」看全部用法。"),
        # A word that takes no number is not said to take one.
        ("值班标", "您是想「值班表」吗？请发「值班表」；发「帮助」看全部用法。"),
        # The word that was nearly typed, not the one that help prints.
        ("批淮 1001", "您是想「批准」吗？请照「批准 1024」这样发；发「帮助」看全部用法。"),
    ):
        await house.says("P041", typed)
        assert (await house.last("P041"))["text"] == told


async def test_help_depends_on_who_asks(house: House) -> None:
    await house.says("E003", "帮助")
    await house.says("P041", "帮助")
    assert "认领" not in (await house.last("E003"))["text"]
    assert "认领" in (await house.last("P041"))["text"]


async def test_an_urge_reminds_the_handler_and_the_second_one_reaches_the_leader(
    house: House,
) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    await house.says("E003", "催办 1001")
    assert "催问进展" in (await house.last("P041"))["text"]
    await house.says("E003", "催办 1001")
    assert "刚催办过" in (await house.last("E003"))["text"]
    house.passes(days=1)
    await house.says("E003", "催办 1001")
    assert (await house.ticket()).level == 4
    assert (await house.last("P028"))["kind"] == "escalation"


async def test_asking_the_firm_pauses_and_its_answer_resumes(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    await house.says("P041", "请补充 1001 请说明需要哪些工种")
    assert "哪些工种" in (await house.last("E003"))["text"]
    due = (await house.ticket()).due_resolution
    house.passes(days=1)
    await house.says("E003", "主要是数控操作工15人，打磨5人")
    ticket = await house.ticket()
    assert ticket.state == "in_progress"
    assert ticket.due_resolution > due


async def test_a_rated_card_has_nothing_left_to_press(house: House) -> None:
    await house.group_says("E003", PROBLEM)
    await house.says("P041", "认领 1001")
    await house.says("P041", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
    pressed = await house.press("E003", "满意")
    assert pressed["card"]["status"] == "已销号"
    assert pressed["card"]["buttons"] == []
    assert {m["card"]["status"] for m in await house.in_group()} == {"已销号"}
