"""A person of the office calls a firm back and enters what it said."""

from tests.kit.house import House

RESULT = "专场招聘到岗12人"


async def _closed(house: House) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.says("P041", "认领 1001")
    await house.says("P041", f"办结 1001 {RESULT}")
    await house.says("E003", "基本满意 1001")


async def test_a_call_back_is_listed_entered_and_gone_from_the_list(house: House) -> None:
    await _closed(house)
    await house.says("P055", "回访")
    assert "#1001 泓曜精密" in (await house.last("P055"))["text"]
    await house.says("P055", "回访 1001 电话 已解决 满意 小周很上心")
    told = (await house.last("P055"))["text"]
    assert "电话，已解决，满意" in told
    (entered,) = await house.read(lambda uow: uow.reports.called_back(1001))
    assert (entered.solved, entered.rating, entered.means) == (True, 4, "phone")
    # The firm's own verdict is apart from what was heard on the telephone.
    assert (await house.ticket()).rating == 3
    await house.says("P055", "回访名单")
    assert "都不用再回访" in (await house.last("P055"))["text"]
    await house.says("P057", "回访 1001 电话 已解决")
    assert "已由办公室值班回访过" in (await house.last("P057"))["text"]


async def test_who_handled_it_does_not_call_back(house: House) -> None:
    await _closed(house)
    await house.says("P041", "回访 1001 电话 已解决")
    assert "请别的同事回访" in (await house.last("P041"))["text"]
    await house.says("P041", "回访")
    assert "#1001" not in (await house.last("P041"))["text"]


async def test_a_firm_that_says_no_has_its_ticket_taken_up_again(house: House) -> None:
    await _closed(house)
    await house.says("P055", "回访 1001 电话 没解决 还差三个焊工")
    assert "已重新办理" in (await house.last("P055"))["text"]
    ticket = await house.ticket()
    assert (ticket.state, ticket.cycle) == ("in_progress", 2)
    assert "还差三个焊工" in (await house.last("P041"))["text"]


async def test_what_is_missing_is_asked_for(house: House) -> None:
    await _closed(house)
    await house.says("P055", "回访 1001 电话")
    assert "已解决还是没解决" in (await house.last("P055"))["text"]
    await house.says("P055", "回访 1001")
    assert "请这样登记" in (await house.last("P055"))["text"]
    await house.group_says("E003", "@小港 门口路灯坏了5盏，晚上看不见")
    await house.says("P055", "回访 1002 电话 已解决")
    assert "办结以后再回访" in (await house.last("P055"))["text"]


async def test_an_answer_still_open_is_left_to_the_firm_and_handler_and_leader_are_told(
    house: House,
) -> None:
    await house.group_says("E003", "@小港 车间缺操作工20人，临时招不到")
    await house.says("P041", "认领 1001")
    await house.says("P041", f"办结 1001 {RESULT}")
    await house.says("P055", "回访 1001 上门 没解决 人没来")
    assert (await house.ticket()).state == "resolved"
    for who in ("P041", "P028"):
        assert "企业说没有解决" in (await house.last(who))["text"]
