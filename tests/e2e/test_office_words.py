"""What the office says of a word holds from the next message on, without a restart."""

from tests.kit.house import House


async def category_of_next(house: House, number: int, who: str, text: str) -> str:
    await house.group_says(who, text)
    return (await house.ticket(number)).category


async def test_a_word_of_weight_five_decides_the_next_message_with_it(house: House) -> None:
    assert (
        await category_of_next(house, 1001, "E003", "@小港 请派人来修，龙门小白坏了，车间停产了")
        != "ENE"
    )
    await house.says("P055", "加词 龙门小白 能源 5")
    assert "龙门小白" in (await house.last("P055"))["text"]
    assert (
        await category_of_next(
            house, 1002, "E004", "@小港 龙门小白坏了，二车间停产等着用，请派人来修"
        )
        == "ENE"
    )


async def test_a_word_taken_back_decides_no_longer(house: House) -> None:
    await house.says("P055", "加词 操作工 TEC 5")
    assert (
        await category_of_next(house, 1001, "E003", "@小港 车间缺操作工20人，临时招不到") == "TEC"
    )
    await house.says("P055", "删词 操作工")
    assert (
        await category_of_next(house, 1002, "E004", "@小港 二期厂房缺操作工6人，月底要到岗")
        == "LAB"
    )


async def test_a_word_counts_for_a_ticket_asked_for_outright(house: House) -> None:
    await house.says("P055", "加词 龙门小白 能源 5")
    await house.says("E003", "报修 龙门小白趴窝了")
    assert (await house.ticket(1001)).category == "ENE"


async def test_who_is_not_of_the_office_changes_no_word(house: House) -> None:
    await house.says("E003", "加词 操作工 TEC 5")
    assert await house.read(lambda uow: uow.words.rows()) == ()


async def test_the_lexicon_is_made_anew_only_when_a_word_changed(house: House) -> None:
    await house.group_says("E003", "大家早上好")
    before = house.app.wiring.words.held
    await house.group_says("E003", "今天天气不错")
    assert house.app.wiring.words.held is before
    await house.says("P055", "加词 龙门小白 能源 5")
    await house.group_says("E003", "大家中午好")
    assert house.app.wiring.words.held is not before
