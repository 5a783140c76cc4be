"""One behaviour on every platform, in every mode, on both databases."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot import registry
from handlers.chat.events import ChatKind, ChatRef, UserRef
from handlers.chat.outbound import (
    Button,
    Card,
    Choice,
    Content,
    Mention,
    Open,
    Option,
    Press,
    Row,
    Style,
    Tone,
)
from handlers.domain.ids import EnterpriseId
from handlers.ports import Outgoing
from storage.uow import UnitOfWork
from tests.contract.test_platforms import HOSTILE
from tests.kit.far_ends import GROUP_TITLE, Place, ends, placed

ZHANG, OTHER_FIRM = "E003-1", "E004-1"
ZHOU, XU, DUTY, CHIEF = "P041", "P028", "P055", "P057"
PROBLEM = "车间缺操作工20人，临时招不到"
# The firms of the group: 泓曜精密 reads by button, 玖晟电子 answers, 瑞翔 opens the page, 珂顿 only
# looks, 邦楷 does nothing. 小周 serves the first, 小褚 the last two.
FIRMS = ("E003", "E004", "E021", "E023", "E024")
LIAISONS = (ZHOU, "P042", "P047", "P049")
NOTICE = (
    "发通知 消防演练安排\n"
    "对象：泓曜精密、玖晟电子、瑞翔新材料、珂顿化学、邦楷涂料\n"
    "方式：群发并私聊，两者都发\n"
    "要回执\n"
    "正文：12月1日上午9点在管理办公室广场举行消防演练，请各企业安全员参加，每家不超过两人。\n"
    "演练分疏散、灭火器使用和伤员转运三项，约一个半小时。当天广场不能停车，请走北门，从江海路进出。\n"
    "有危险化学品的企业请带上应急预案和值班电话，演练后由应急管理局的同志逐家看一遍，有不清楚的当场问。"
)

EVERYWHERE = pytest.mark.parametrize("end", list(ends()))


def test_every_platform_that_people_chat_on_has_its_far_end_here() -> None:
    assert {name.partition("-")[0] for name in ends()} == set(registry.platforms()) - {"sandbox"}


@asynccontextmanager
async def told_in(name: str, url: str, *people: str) -> AsyncIterator[Place]:
    async with placed(name, url, people) as place:
        yield place
        assert await place.dead() == []
        assert await place.house.read(lambda uow: uow.audit.verify()) is None


async def history(place: Place) -> list[tuple[str, str | None, str | None]]:
    """Every move of the ticket, by whom, and the state it led to."""
    entries = await place.house.read(lambda uow: uow.tickets.history(1001))
    return [(e.move.value, e.actor_id, e.to_state.value) for e in entries]


@EVERYWHERE
async def test_a_report_becomes_a_ticket_that_is_reopened_once_closed_and_rated(
    database_url: str, end: str
) -> None:
    async with told_in(end, database_url, ZHANG, ZHOU, XU, DUTY, OTHER_FIRM) as place:
        house, far = place.house, place.far
        before = len(far.in_group())
        quiet = {who: len(far.seen(who)) for who in (XU, DUTY, OTHER_FIRM)}

        # The firm says it once, the platform brings it three times.
        await far.says(ZHANG, PROBLEM, in_group=far.ways.groups, times=3)
        await place.sent()
        assert await house.count("tickets") == 1
        heard = far.in_group()[before:] if far.ways.groups else far.seen(ZHANG)
        (answer,) = [m for m in heard if "#1001" in m.text]
        assert "联络员小周" in answer.text

        card = await place.card(ZHOU, "认领")
        assert card.buttons == ("认领", "转办", "退单", "更正")
        shown = await far.presses(ZHOU, card, "认领")
        assert shown is not None
        assert "办理中" in shown.text
        assert "认领" not in shown.buttons
        ticket = await house.ticket()
        assert (ticket.state, ticket.owner_id) == ("in_progress", ZHOU)
        assert "已认领" in (await place.last(ZHANG)).text

        await far.says(ZHOU, "进展 1001 已联系人社局，周三组织专场招聘")
        assert "已联系人社局" in (await place.last(ZHANG)).text
        await far.says(ZHOU, "办结 1001")
        assert "怎么办结的" in (await place.last(ZHOU)).text
        await far.says(ZHOU, "已处理")
        assert "请用一句话说明" in (await place.last(ZHOU)).text
        assert (await house.ticket()).state == "in_progress"
        await far.says(ZHOU, "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        asked = await place.card(ZHANG, "非常满意")
        assert asked.buttons == ("非常满意", "满意", "基本满意", "没解决")

        await far.says(ZHANG, "还是缺人")
        ticket = await house.ticket()
        assert (ticket.state, ticket.cycle, ticket.verdict) == ("in_progress", 2, "no")
        assert "没有解决" in (await place.last(XU)).text

        # A fourth message to the firm within a quarter of an hour would wait.
        house.passes(minutes=20)
        await far.says(ZHOU, "办结 1001 劳务公司今天又送来8人，已全部上岗")
        asked = await place.card(ZHANG, "非常满意")
        await far.says(ZHANG, "解决了")
        ticket = await house.ticket()
        assert (ticket.state, ticket.verdict, ticket.rating) == ("closed", "yes", None)
        await far.presses(ZHANG, asked, "非常满意")
        ticket = await house.ticket()
        assert (ticket.state, ticket.rating, ticket.verdict, ticket.cycle) == (
            "closed",
            5,
            "yes",
            2,
        )

        assert await history(place) == [
            ("submit", ZHANG, "open"),
            ("claim", ZHOU, "in_progress"),
            ("progress", ZHOU, "in_progress"),
            ("resolve", ZHOU, "resolved"),
            ("verdict_no", ZHANG, "in_progress"),
            ("resolve", ZHOU, "resolved"),
            ("verdict_yes", ZHANG, "closed"),
            ("rate", ZHANG, "closed"),
        ]
        await place.sent()
        # In the group the answer and the two results; the leader hears of it once, others nothing.
        shown = ["#1001" in m.text for m in far.in_group()[before:]]
        assert shown == ([True] * 3 if far.ways.groups else [])
        told = {who: len(far.seen(who)) - count for who, count in quiet.items()}
        assert told == {XU: 1, DUTY: 0, OTHER_FIRM: 0}


def one_group(uow: UnitOfWork) -> None:
    """The five firms and nobody else are in the group."""
    for firm in FIRMS:
        enterprise = uow.people.enterprise(EnterpriseId(firm))
        assert enterprise is not None
        uow.people.save_enterprise(replace(enterprise, group=GROUP_TITLE))


async def receipts(place: Place) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The counts, and how it was learnt that each firm has read."""
    told = await place.house.api("GET", "/announcements/1/receipts")
    ways = {item["enterprise"]["id"]: item["read_by"] for item in told["items"]}
    return told, ways


@EVERYWHERE
async def test_an_announcement_is_drafted_approved_sent_and_read_in_each_way(
    database_url: str, end: str
) -> None:
    contacts = [f"{firm}-1" for firm in FIRMS]
    async with told_in(end, database_url, DUTY, CHIEF, *LIAISONS, *contacts) as place:
        house, far = place.house, place.far
        await house.app.writer.run(one_group)
        before = len(far.in_group())
        button, reply, page, look, nobody = contacts

        # One message makes the draft, a second person approves it.
        await far.says(DUTY, NOTICE)
        draft = await place.card(DUTY, "送审")
        assert "共5家" in draft.text
        await far.presses(DUTY, draft, "送审")
        await far.presses(CHIEF, await place.card(CHIEF, "通过"), "通过")
        await place.sent()
        (grouped,) = far.in_group()[before:]
        assert "消防演练安排" in grouped.text
        assert [m.title for c in contacts for m in far.seen(c) if m.buttons] == [
            "通知 · 消防演练安排"
        ] * len(contacts)

        # Each firm reads in its own way.
        shown = await far.presses(button, await place.card(button, "已阅"), "已阅")
        assert shown is not None and "已阅" in shown.text
        message = await place.card(reply, "已阅")
        said = len(far.seen(reply))
        await far.says(reply, "收到", answering=message if far.ways.quotes else None)
        await place.sent()
        assert len(far.seen(reply)) == said
        link = (await place.card(page, "看全文")).links["看全文"]
        opened = await house.client.get("/l/" + link.rpartition("/")[2])
        assert "已记下贵单位看过" in await opened.text()
        if far.ways.tells_reading:
            await far.reads(look, *far.seen(look))
        await place.sent()

        told, ways = await receipts(place)
        read = 4 if far.ways.tells_reading else 3
        assert [told[k] for k in ("targets", "sent", "failed", "skipped", "read")] == [
            5,
            5,
            0,
            0,
            read,
        ]
        by_looking = "platform" if far.ways.tells_reading else None
        assert ways == dict(zip(FIRMS, ("button", "reply", "link", by_looking, None), strict=True))
        audit = (await house.api("GET", "/audit?limit=200"))["items"]
        noted = [row["facts"]["by"] for row in audit if row["action"] == "announcement.read"]
        assert sorted(noted) == sorted(way for way in ways.values() if way)

        # The group hears counts, in the place of its one card and never in a new one.
        (counted,) = far.in_group()[before:]
        if far.ways.replaces_in_group:
            assert re.search(rf"已阅\W+{read}/5", counted.text)
        for name in ("泓曜", "玖晟", "张经理"):
            assert name not in counted.text

        # Names go to the firm's own liaison, and to nobody else.
        await far.says("P047", "未读 1")
        listed = (await place.last("P047")).text
        assert "邦楷涂料" in listed
        assert ("珂顿化学" in listed) is not far.ways.tells_reading
        for who in (ZHOU, DUTY, CHIEF):
            await far.says(who, "未读 1")
            assert "邦楷" not in (await place.last(who)).text
        assert f"已阅 {read}/5" in (await place.last(DUTY)).text
        assert far.seen(nobody)[-1].title == "通知 · 消防演练安排"


@EVERYWHERE
async def test_hostile_words_reach_people_as_words_and_call_nobody(
    sqlite_url: str, end: str
) -> None:
    async with told_in(end, sqlite_url, ZHANG, ZHOU, XU, DUTY) as place:
        far = place.far
        await far.says(ZHANG, f"{PROBLEM} <@all> @所有人", in_group=far.ways.groups)
        await far.says(ZHOU, "认领 1001")
        for number, hostile in enumerate(HOSTILE):
            place.house.passes(minutes=20)
            await far.says(ZHOU, f"进展 1001 第{number}次联系人社局 {hostile[:1000]}")
            assert f"第{number}次联系人社局" in (await place.last(ZHANG)).text
        await far.says(ZHOU, "办结 1001 [点我](http://x.invalid) <at id=all></at> 已到岗12人")
        await place.sent()
        said = [*far.in_group(), *far.seen(ZHANG), *far.seen(ZHOU)]
        assert any("已到岗12人" in m.text for m in far.seen(ZHANG))
        assert [m.text for m in said if far.alive(m)] == []


def shapes() -> list[Content]:
    """Whatever can be said: short, long, with every part a card may have, and with none."""
    long = "本周缺叉车工。" * 3000
    go = Button("提交", Press("survey.answer", {"s": "1"}), Style.MAIN, submits=True)
    no = Button("不参加", Press("survey.no", {"s": "1"}), Style.DANGER, confirm="确定不参加吗")
    page = Button("看全文", Open("https://lhg.example.cn/l/x(1)"))
    rows = tuple(Row(f"第{n}项", "缺叉车工二十名，缺焊工三名，夜班为主", "") for n in range(6))
    bare = Card("k:bare", "叉车工摸排", "缺多少叉车工", "叉车工摸排：缺多少叉车工")
    full = replace(
        bare,
        key="k:full",
        lead="缺叉车工" * 27,
        status="待填报",
        rows=rows,
        note="摸排 3 号 · 今天 09:12",
        buttons=(no, page),
        href="https://lhg.example.cn/l/y",
        tone=Tone.URGENT,
        fallback=long,
    )
    options = tuple(Option(str(n), f"叉车工第{n}组，夜班白班都缺") for n in range(10))
    asking = replace(
        full, key="k:asking", choice=Choice("pick", "选一项", options), buttons=(go, no)
    )
    return [
        Content("缺叉车工"),
        Content(long),
        Content.of(bare),
        Content.of(full),
        Content.of(asking),
        Content.of(replace(asking, key="k:many", choice=Choice("pick", "选几项", options, True))),
    ]


@EVERYWHERE
async def test_whatever_is_said_comes_in_some_form_that_the_platform_takes(
    sqlite_url: str, end: str
) -> None:
    async with told_in(end, sqlite_url, ZHANG, ZHOU) as place:
        far, said = place.far, shapes()
        known, grouped = len(far.seen(ZHANG)), len(far.in_group())
        group, alone = ChatRef(far.platform, far.group), ChatRef(far.platform, far.account(ZHANG))
        mention = (Mention(UserRef(far.platform, far.account(ZHANG)), "<张>经理"),)

        def put(uow: UnitOfWork) -> None:
            for content in said:
                uow.outbox.put(Outgoing(content, chat=alone, chat_kind=ChatKind.DIRECT))
                uow.outbox.put(Outgoing(replace(content, mentions=mention), chat=group))

        await place.house.app.writer.run(put)
        await place.sent()
        here, there = far.seen(ZHANG)[known:], far.in_group()[grouped:]
        # A long text may come in several messages.
        assert len(here) >= len(said)
        assert len(there) >= len(said)
        for message in (*here, *there):
            assert "叉车工" in message.text
        # Where a card cannot ask for a choice, its words do; what can be pressed stays to be pressed.
        assert {"不参加", "看全文"} <= {label for m in here for label in m.buttons}
