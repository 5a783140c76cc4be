"""What was said and must go: taken back where the platform can, else replaced, else told."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.seed import MAIN_TITLE
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.e2e.test_story_wecom_line import connected
from tests.kit import dingtalk, fake_dingtalk, fake_feishu, feishu, wecom
from tests.kit.fake_dingtalk import FakeDingTalk
from tests.kit.fake_feishu import FakeFeishu
from tests.kit.fake_generic import FakeBridge
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import FakeLine
from tests.kit.house import House

ROOM = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
PROBLEM = "车间缺操作工20人，临时招不到"
TAKEN_BACK = "【停水停电】周四停电 已撤回，请不要再按它办。"


def house_of(url: str, settings: dict[str, str]) -> AbstractAsyncContextManager[House]:
    """Without the sandbox, so that people are reached where the far end is."""
    return House(url, {**settings, "LHG_SANDBOX": "0"})


@dataclass(frozen=True, slots=True)
class Words:
    """How a platform and its stand-in name what these stories look at."""

    group: str
    # Of a message: what it is called, and whom it went to.
    ref: str
    receiver: str
    # Of a message and of the card that replaces another: what the card is called.
    card: str
    replaces: str


PLATFORMS = {
    "feishu": Words(
        "oc_36b3216fdaeeb975729fae923d5a4fd1",
        "message_id",
        "receive_id",
        "message_id",
        "message_id",
    ),
    "dingtalk": Words("cidKeyFirms==", "key", "to", "track", "track"),
}
ON_BOTH = pytest.mark.parametrize("on", list(PLATFORMS))


class Scene:
    """A house with one platform that takes back, and its far end."""

    def __init__(self, on: str, house: House, far: FakeFeishu | FakeDingTalk) -> None:
        self.house, self.far = house, far
        self._words = PLATFORMS[on]
        self.group = self._words.group
        self._caller: Any = (
            feishu.Caller(house, far)
            if isinstance(far, FakeFeishu)
            else dingtalk.Caller(house, far)
        )

    async def says(self, user: str, text: str, *, in_group: bool = False) -> None:
        more = {"at_bot": True} if in_group and isinstance(self.far, FakeFeishu) else {}
        await self._caller.says(user, text, self.group if in_group else "", **more)

    async def presses(self, user: str, message: dict[str, Any], label: str) -> None:
        await self._caller.presses(user, message, label)

    def said(self, message: dict[str, Any]) -> str:
        found = fake_feishu if isinstance(self.far, FakeFeishu) else fake_dingtalk
        return found.said(message)

    def told(self, receiver: str) -> list[str]:
        return [self.said(m) for m in self.far.to(receiver)]

    def ref(self, message: dict[str, Any]) -> str:
        return str(message[self._words.ref])

    def receiver(self, message: dict[str, Any]) -> str:
        return str(message[self._words.receiver])

    def card(self, message: dict[str, Any]) -> str:
        return str(message[self._words.card])

    def replaced(self) -> list[str]:
        return [str(u[self._words.replaces]) for u in self.far.updates]


@asynccontextmanager
async def scene(on: str, url: str, **more: str) -> AsyncIterator[Scene]:
    kit: Any = {"feishu": (FakeFeishu, feishu), "dingtalk": (FakeDingTalk, dingtalk)}[on]
    async with kit[0]() as far, house_of(url, kit[1].settings(far.base) | more) as house:
        await house.app.writer.run(lambda uow: accounts(uow, on))
        yield Scene(on, house, far)


def accounts(uow: UnitOfWork, on: str) -> None:
    for user, person in (
        ("ou_zhang", "E003-1"), ("ou_wang", "E004-1"), ("ou_zhou", "P041"),
    ):  # fmt: skip
        uow.people.save_identity(Identity(on, user, person))
    uow.chats.save_chat(Chat(on, PLATFORMS[on].group, MAIN_TITLE, "group", True, is_main=True))


def on_wecom(uow: UnitOfWork) -> None:
    for user, person in (
        ("ZhangJing", "E003-1"), ("WangOther", "E004-1"), ("ZhouLian", "P041"),
    ):  # fmt: skip
        uow.people.save_identity(Identity("wecom", user, person))


async def announced(house: House, **more: Any) -> int:
    """The number of an announcement that went out."""
    body = {
        "kind": "停水停电",
        "title": "周四停电",
        "text": "周四8点到12点停电检修。",
        "audience": {"enterprises": ["E003", "E004"]},
        "route": "direct",
        "author": "P055",
        **more,
    }
    number = int((await house.api("POST", "/announcements", body, status=201))["id"])
    await house.api("POST", f"/announcements/{number}/approve", {"actor": "P057"})
    await house.app.dispatcher.drain()
    return number


async def withdrawn(house: House, number: int) -> None:
    await house.api("POST", f"/announcements/{number}/withdraw", {"actor": "P057"})
    await house.app.dispatcher.drain()


@ON_BOTH
async def test_a_withdrawn_announcement_is_taken_back_and_who_may_have_acted_is_told(
    database_url: str, on: str
) -> None:
    async with scene(on, database_url) as s:
        everybody = {"audience": {"all": True}, "route": "both", "need_receipt": True}
        number = await announced(s.house, **everybody)
        sent = [s.ref(m) for m in s.far.messages]
        assert {s.receiver(m) for m in s.far.messages} == {s.group, "ou_zhang", "ou_wang"}
        await s.presses("ou_zhang", s.far.to("ou_zhang")[-1], "已阅")
        await s.house.app.dispatcher.drain()
        await withdrawn(s.house, number)
        assert sorted(s.far.recalled) == sorted(sent)
        # One has read it and everybody in the group may have: they hear of it, the other need not.
        assert s.told("ou_zhang")[1:] == [TAKEN_BACK]
        assert s.told(s.group)[1:] == [TAKEN_BACK]
        assert len(s.told("ou_wang")) == 1
        await s.house.app.dispatcher.drain()
        assert len(s.far.messages) == 5
        left = await s.house.read(lambda uow: uow.outbox.waiting_counts())
        assert (left["waiting"], left["sending"]) == (0, 0)


@ON_BOTH
async def test_after_the_day_in_which_it_can_be_taken_back_its_card_says_so(
    sqlite_url: str, on: str
) -> None:
    async with scene(on, sqlite_url) as s:
        number = await announced(s.house)
        s.house.passes(hours=25)
        await withdrawn(s.house, number)
        assert s.far.recalled == []
        assert set(s.replaced()) == {s.card(m) for m in s.far.messages}
        assert all("已撤回" in str(u) for u in s.far.updates)
        assert len(s.far.messages) == 2


@ON_BOTH
async def test_what_a_platform_refuses_to_take_back_is_replaced(sqlite_url: str, on: str) -> None:
    async with scene(on, sqlite_url) as s:
        number = await announced(s.house)
        kept, gone = s.far.to("ou_zhang")[0], s.far.to("ou_wang")[0]
        s.far.settled.add(s.ref(kept))
        s.far.faults.append("expired")
        await withdrawn(s.house, number)
        assert s.far.recalled == [s.ref(gone)]
        assert s.replaced() == [s.card(kept)]
        assert len(s.far.messages) == 2


async def test_a_long_notice_in_words_is_taken_back_with_all_its_parts(sqlite_url: str) -> None:
    async with scene("dingtalk", sqlite_url, DINGTALK_CARD_TEMPLATE_ID="0") as s:
        long = "\n".join(f"{n}号线停电检修，请提前安排生产。" for n in range(1, 120))
        number = await announced(s.house, text=long)
        sent = [s.ref(m) for m in s.far.messages]
        assert len(sent) > 2
        await withdrawn(s.house, number)
        assert sorted(s.far.recalled) == sorted(sent)
        assert len(s.far.messages) == len(sent)


async def test_the_application_of_wecom_takes_back_what_it_said_and_tells_where_it_cannot(
    database_url: str,
) -> None:
    async with (
        FakeWeCom() as far,
        house_of(database_url, wecom.settings(far.base)) as house,
    ):
        await house.app.writer.run(on_wecom)
        number = await announced(house)
        assert [m["touser"] for m in far.app_messages] == ["ZhangJing", "WangOther"]
        # A notice without buttons cannot be replaced there.
        for code in list(far.codes):
            del far.codes[code]
        far.settled.add("m2")
        await withdrawn(house, number)
        assert far.recalled == ["m1"]
        told = [(m["touser"], m["text"]["content"]) for m in far.app_messages[2:]]
        assert told == [("WangOther", TAKEN_BACK)]


async def test_a_bridge_that_can_take_nothing_back_is_told(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, house_of(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(
            lambda uow: uow.people.save_identity(Identity("generic", "zhang", "E003-1"))
        )
        number = await announced(house)
        await withdrawn(house, number)
        first, *more = bridge.told("zhang")
        assert "周四8点" in first["text"]
        assert len(more) == 1
        assert "已撤回" in more[0]["text"]


@ON_BOTH
async def test_a_ticket_made_confidential_goes_from_the_group(database_url: str, on: str) -> None:
    async with scene(on, database_url) as s:
        await s.says("ou_zhang", PROBLEM, in_group=True)
        await s.house.app.dispatcher.drain()
        (answer,) = [m for m in s.far.to(s.group) if "1001" in s.said(m)]
        await s.says("ou_zhou", "认领 1001")
        await s.says("ou_zhou", "保密 1001")
        await s.house.app.dispatcher.drain()
        assert s.far.recalled == [s.ref(answer)]
        assert (await s.house.ticket()).confidential
        # Nothing more of it is said there, and nobody is bothered by what went well.
        await s.says("ou_zhou", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await s.house.app.dispatcher.drain()
        assert [w for w in s.told(s.group) if "1001" in w] == [s.said(answer)]
        assert not any("撤不回" in words for words in s.far.words())
        lines = (await s.house.api("GET", "/audit"))["items"]
        assert [a["facts"] for a in lines if a["action"] == "message.taken_back"] == [
            {"how": "recalled"}
        ]


async def test_an_answer_by_the_chats_reply_address_stays_and_its_liaison_hears_that_once(
    sqlite_url: str,
) -> None:
    async with scene("dingtalk", sqlite_url, DINGTALK_CARD_TEMPLATE_ID="0") as s:
        await s.says("ou_zhang", PROBLEM, in_group=True)
        await s.house.app.dispatcher.drain()
        assert [m["via"] for m in s.far.to(s.group)] == ["session"]
        await s.says("ou_zhou", "认领 1001")
        await s.says("ou_zhou", "保密 1001")
        for _ in range(3):
            await s.house.app.dispatcher.drain()
        assert s.far.recalled == []
        assert len([w for w in s.told("ou_zhou") if "撤不回" in w]) == 1
        assert len(s.told(s.group)) == 1


async def test_whoever_made_it_confidential_hears_once_what_stays_in_the_group(
    sqlite_url: str,
) -> None:
    async with (
        FakeWeCom() as far,
        FakeLine() as line,
        house_of(sqlite_url, connected(line, far.base)) as house,
    ):
        await house.app.writer.run(on_wecom)
        await line.subscribed.wait()
        await line.says("ZhangJing", f"@小港 {PROBLEM}", ROOM)
        await line.sees(lambda: len(line.answers) == 1)
        caller = wecom.Caller(house)
        await caller.app_says("ZhouLian", "认领 1001")
        await caller.app_says("ZhouLian", "办结 1001 专场招聘到岗12人，其余由劳务公司补齐")
        await house.app.dispatcher.drain()
        assert len(line.pushes) == 1
        await caller.app_says("ZhangJing", "还是缺人")
        await caller.app_says("ZhouLian", "保密 1001")
        for _ in range(3):
            await house.app.dispatcher.drain()
        told = [m for m in far.app_messages if "撤不回" in str(m)]
        assert [m["touser"] for m in told] == ["ZhouLian"]
        assert len(line.pushes) == 1
