"""One person on several platforms, one firm over several, and groups that stay apart."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Person, Role
from storage.uow import UnitOfWork
from tests.kit.far_ends import GROUP_TITLE, FarEnd, Seen, accounts, ends
from tests.kit.house import House

ZHANG, COLLEAGUE, OTHER_FIRM = "E003-1", "E003-2", "E004-1"
ZHOU, XU, DUTY, CHIEF = "P041", "P028", "P055", "P057"
PROBLEM = "车间缺操作工20人，临时招不到"


@dataclass(frozen=True, slots=True)
class Town:
    """The bot on WeCom and on Feishu at once."""

    house: House
    wecom: FarEnd
    feishu: FarEnd

    async def sent(self) -> None:
        await self.house.app.dispatcher.drain()

    async def told(
        self, person: str, since: "Counted | None" = None
    ) -> tuple[list[Seen], list[Seen]]:
        """What somebody was told on WeCom and on Feishu, since they were counted."""
        await self.sent()
        first, second = since or (0, 0)
        return self.wecom.seen(person)[first:], self.feishu.seen(person)[second:]

    async def count(self, person: str) -> "Counted":
        on_wecom, on_feishu = await self.told(person)
        return len(on_wecom), len(on_feishu)

    async def dead(self) -> list[str]:
        page = await self.house.read(lambda uow: uow.outbox.page("dead", 50, None))
        return [str(row["error"]) for row in page.items]


Counted = tuple[int, int]


def a_colleague(uow: UnitOfWork) -> None:
    firm = EnterpriseId("E003")
    person = Person(PersonId(COLLEAGUE), "李工", Role.MANAGER, enterprise_id=firm)
    uow.people.save_person(person)


@asynccontextmanager
async def town(url: str, on_wecom: Sequence[str], on_feishu: Sequence[str]) -> AsyncIterator[Town]:
    far_ends = ends()
    async with (
        far_ends["wecom-callback"]() as wecom,
        far_ends["feishu"]() as feishu,
        House(url, {**wecom.settings, **feishu.settings, "LHG_SANDBOX": "0"}) as house,
    ):
        await house.app.writer.run(a_colleague)
        for far, people in ((wecom, on_wecom), (feishu, on_feishu)):
            await house.app.writer.run(accounts(far, people))
            await far.meets(house, people)
        made = Town(house, wecom, feishu)
        yield made
        await made.sent()
        assert await made.dead() == []
        assert await house.read(lambda uow: uow.audit.verify()) is None


# ---- one person


async def test_a_person_who_binds_on_a_second_platform_is_the_same_person(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, ZHOU, DUTY), ()) as both:
        house, feishu = both.house, both.feishu
        await both.wecom.says(ZHANG, PROBLEM)
        await feishu.says("newcomer", "绑定 泓曜精密 张经理")
        await feishu.says("newcomer", "我的工单")
        before = await both.told("newcomer")
        assert all("1001" not in m.text for m in before[1])

        # Until the office has looked, what concerns the firm goes where it is sure to be the firm.
        await both.wecom.says(ZHOU, "认领 1001")
        on_wecom, _ = await both.told(ZHANG)
        assert "已认领" in on_wecom[-1].text
        assert all("1001" not in m.text for m in (await both.told("newcomer"))[1])

        (asked,) = [m for m in (await both.told(DUTY))[0] if "确认" in "".join(m.buttons)]
        await both.wecom.presses(DUTY, asked, next(b for b in asked.buttons if "确认" in b))
        _, confirmed = await both.told("newcomer")
        assert "泓曜精密" in confirmed[-1].text
        accounts_of = await house.read(lambda uow: uow.people.identities(PersonId(ZHANG)))
        assert {(i.platform, i.confirmed) for i in accounts_of} >= {
            ("wecom", True),
            ("feishu", True),
        }
        await feishu.says("newcomer", "我的工单")
        assert "#1001" in (await both.told("newcomer"))[1][-1].text


async def test_a_name_is_no_proof_on_any_platform(sqlite_url: str) -> None:
    async with town(sqlite_url, (ZHANG, ZHOU, DUTY), ()) as both:
        house = both.house
        await both.wecom.says(ZHANG, PROBLEM)
        impostors = ((both.wecom, "impostor"), (both.feishu, "another"))
        for far, who in impostors:
            await far.says(who, "绑定 泓曜精密 张经理")
            for asked in ("查 1001", "我的工单", "办结了吗 1001", "没解决 1001", "撤回 1001"):
                await far.says(who, asked)
        await both.sent()
        for far, who in impostors:
            assert [m.text for m in far.seen(who) if "操作工" in m.text] == []
        assert (await house.ticket()).version == 1
        # One of them is refused, and the real one's own account is as it was.
        asked = [m for m in (await both.told(DUTY))[0] if "不是" in m.buttons]
        assert ["这个名字已有账号" in m.text for m in asked] == [True, True]
        await both.wecom.presses(DUTY, asked[0], "不是")
        await both.wecom.presses(DUTY, asked[1], "不是")
        accounts_of = await house.read(lambda uow: uow.people.identities(PersonId(ZHANG)))
        assert {i.user_id for i in accounts_of} == {both.wecom.account(ZHANG), "E003"}


async def test_a_notice_goes_by_one_way_the_one_where_somebody_was_heard_last(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, ZHOU), (ZHOU,)) as both:
        wecom, feishu = both.wecom, both.feishu
        # Not heard yet: where the firm speaks.
        await wecom.says(ZHANG, PROBLEM)
        on_wecom, on_feishu = await both.told(ZHOU)
        assert (len(on_wecom), len(on_feishu)) == (1, 0)

        await feishu.says(ZHOU, "认领 1001")
        since = await both.count(ZHOU)
        await wecom.says(ZHANG, "补充 1001 主要缺数控操作工")
        on_wecom, on_feishu = await both.told(ZHOU, since)
        assert (len(on_wecom), len(on_feishu)) == (0, 1)

        # A press is hearing, too; and what no message causes goes there as well.
        await wecom.presses(ZHOU, wecom.seen(ZHOU)[0], "认领")
        since = await both.count(ZHOU)
        both.house.passes(minutes=20)
        reassigned = {"move": "supervise", "actor": XU, "text": "请抓紧"}
        await both.house.api("POST", "/tickets/1001/moves", reassigned)
        on_wecom, on_feishu = await both.told(ZHOU, since)
        assert (len(on_wecom), len(on_feishu)) == (1, 0)


async def test_a_card_is_replaced_where_it_stands_wherever_its_reader_is_now(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, ZHOU, DUTY), (ZHANG, ZHOU, DUTY)) as both:
        await both.feishu.says(ZHANG, PROBLEM)
        (card,) = (await both.told(ZHOU))[1]
        await both.wecom.says(ZHOU, "我的工单")
        since = await both.count(ZHOU)
        await both.wecom.says(DUTY, "更正 1001 物流")
        on_wecom, on_feishu = await both.told(ZHOU, since)
        assert (on_wecom, on_feishu) == ([], [])
        (card_now,) = [m for m in both.feishu.seen(ZHOU) if m.ref == card.ref]
        assert "物流" in card_now.title
        assert "物流" not in card.title


# ---- one firm


async def test_two_people_of_a_firm_on_two_platforms_see_the_result_and_either_may_judge(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, ZHOU, XU, OTHER_FIRM), (COLLEAGUE,)) as both:
        house, wecom, feishu = both.house, both.wecom, both.feishu
        await wecom.says(ZHANG, PROBLEM, in_group=True)
        await feishu.says(COLLEAGUE, "补充 1001 主要缺数控操作工，夜班为主")
        assert await house.count("tickets") == 1
        await wecom.says(ZHOU, "认领 1001")
        await wecom.says(ZHOU, "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        asked = (await both.told(ZHANG))[0][-1]
        assert asked.buttons[0] == "非常满意"
        heard = (await both.told(COLLEAGUE))[1][-1]
        assert "专场招聘到岗12人" in heard.text
        assert "已请张经理评价" in heard.text
        assert heard.buttons == ()

        # The colleague says no, the manager says yes to what came of it; a late no moves nothing.
        await feishu.says(COLLEAGUE, "没解决 1001 还差3个焊工")
        ticket = await house.ticket()
        assert (ticket.state, ticket.cycle, ticket.verdict) == ("in_progress", 2, "no")
        house.passes(minutes=20)
        await wecom.says(ZHOU, "办结 1001 劳务公司今天又送来3名焊工，已上岗")
        asked = (await both.told(ZHANG))[0][-1]
        await wecom.presses(ZHANG, asked, "满意")
        assert (await house.ticket()).state == "closed"
        version = (await house.ticket()).version
        await feishu.says(COLLEAGUE, "非常满意 1001")
        after = await house.ticket()
        assert (after.rating, after.version) == (4, version)
        assert await both.told(OTHER_FIRM) == ([], [])


async def test_what_somebody_reported_who_has_left_goes_on_with_the_firms_contact(
    sqlite_url: str,
) -> None:
    async with town(sqlite_url, (ZHANG, ZHOU), (COLLEAGUE,)) as both:
        await both.feishu.says(COLLEAGUE, PROBLEM)

        def leaves(uow: UnitOfWork) -> None:
            person = uow.people.person(PersonId(COLLEAGUE))
            assert person is not None
            uow.people.save_person(replace(person, active=False))

        await both.house.app.writer.run(leaves)
        since = await both.count(COLLEAGUE)
        await both.wecom.says(ZHOU, "认领 1001")
        assert "已认领" in (await both.told(ZHANG))[0][-1].text
        assert await both.told(COLLEAGUE, since) == ([], [])


# ---- groups


async def test_what_is_said_in_a_group_is_mirrored_to_no_group_of_another_platform(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, ZHOU, XU), (ZHANG, ZHOU, XU, OTHER_FIRM)) as both:
        for here, there in ((both.wecom, both.feishu), (both.feishu, both.wecom)):
            silent, spoken = len(there.in_group()), len(here.in_group())
            number = 1000 + await both.house.count("tickets") + 1
            problem = PROBLEM if number == 1001 else "厂门口路灯坏了5盏，晚上看不见"
            await here.says(ZHANG, problem, in_group=True)
            # Handled from the other platform; the group that asked hears, the other does not.
            await there.says(ZHOU, f"认领 {number}")
            await there.says(ZHOU, f"办结 {number} 已经安排妥当，明天上午全部到位")
            await both.sent()
            assert len(here.in_group()) - spoken >= 2
            assert len(there.in_group()) == silent
            both.house.passes(minutes=20)
        assert await both.told(OTHER_FIRM) == ([], [])


async def test_a_firm_whose_people_are_not_in_the_groups_platform_is_told_alone(
    database_url: str,
) -> None:
    async with town(database_url, (ZHANG, DUTY, CHIEF), (OTHER_FIRM,)) as both:

        def one_group(uow: UnitOfWork) -> None:
            for firm in ("E003", "E004"):
                enterprise = uow.people.enterprise(EnterpriseId(firm))
                assert enterprise is not None
                uow.people.save_enterprise(replace(enterprise, group=GROUP_TITLE))
            (chat,) = [c for c in uow.chats.chats() if c.platform == "wecom"]
            uow.chats.save_chat(replace(chat, is_main=True))

        await both.house.app.writer.run(one_group)
        body = {
            "kind": "通知",
            "title": "消防演练",
            "text": "12月1日上午9点在广场举行。",
            "audience": {"enterprises": ["E003", "E004"]},
            "route": "group",
            "author": DUTY,
        }
        await both.house.api("POST", "/announcements", body, status=201)
        await both.house.api("POST", "/announcements/1/approve", {"actor": CHIEF})
        await both.sent()
        assert [m for m in both.wecom.in_group() if "消防演练" in m.text]
        assert both.feishu.in_group() == []
        assert await both.told(ZHANG) == ([], [])
        assert ["消防演练" in m.text for m in (await both.told(OTHER_FIRM))[1]] == [True]
        counts = await both.house.api("GET", "/announcements/1/receipts")
        assert [counts[k] for k in ("targets", "sent", "failed")] == [2, 2, 0]
