"""Every platform that offices chat on, as it speaks to its strict far end."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from bot.platforms.dingtalk.errors import TROUBLES as DINGTALK_TROUBLES
from bot.platforms.feishu.errors import TROUBLES as FEISHU_TROUBLES
from bot.platforms.wecom.errors import TROUBLES as WECOM_TROUBLES
from bot.trouble import Trouble
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery
from tests.kit import dingtalk, feishu, wecom
from tests.kit.fake_dingtalk import TEMPLATE, VENDOR_TEMPLATE, FakeDingTalk
from tests.kit.fake_feishu import FakeFeishu
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.platforms import built
from tests.kit.strict import Vendor


@dataclass(frozen=True, slots=True)
class Ways:
    """How one platform is named and asked in its own words."""

    far: Callable[[], Vendor]
    settings: Callable[[str], dict[str, str]]
    person: str
    group: str
    # HTTP 200 that means no: the fault, and the code that it is known by.
    lie: tuple[str, str]
    # The code of a wrong secret, and where its cure sends the office.
    wrong_secret: str
    cures_secret: str
    # Each code that is described, with its cure.
    cures: Mapping[str, str]
    # What the application was heard to say; whom it rang, where it can; a group that only its own
    # robot speaks in, where its address is looked at.
    taken: Callable[[Any], Sequence[Any]]
    names: Callable[[Any], list[str]]
    rung: Callable[[Any], list[str]] | None = None
    robots_group: Callable[[Any], str] | None = None


def _cures(table: Mapping[Any, Trouble]) -> dict[str, str]:
    return {str(code): trouble.cure for code, trouble in table.items()}


def _dingtalk(template: str = TEMPLATE, stream: bool = True) -> Ways:
    def settings(base: str) -> dict[str, str]:
        return {**dingtalk.settings(base, stream), "DINGTALK_CARD_TEMPLATE_ID": template}

    return Ways(
        FakeDingTalk,
        settings,
        person="liaison07",
        group="cidDemoGroup==",
        lie=("lie", "invalidParameter.msgParam.invalid"),
        wrong_secret="invalidClientIdOrSecret",
        cures_secret="凭证与基础信息",
        cures=_cures(DINGTALK_TROUBLES),
        taken=lambda far: far.messages,
        names=lambda far: [message["key"] for message in far.messages],
        rung=lambda far: [user for ding in far.dings for user in ding["receiverUserIdList"]],
        # Known by another id than the application is given.
        robots_group=lambda far: "external-1",
    )


def _closed(far: FakeFeishu) -> str:
    far.refusals["oc_closed"] = 230002
    return "oc_closed"


FEISHU: Final = Ways(
    FakeFeishu,
    feishu.settings,
    person="ou_1",
    group="oc_group",
    lie=("lie", "230099"),
    wrong_secret="10014",
    cures_secret="凭证与基础信息",
    cures=_cures(FEISHU_TROUBLES),
    taken=lambda far: far.messages,
    names=lambda far: [message["message_id"] for message in far.messages],
    rung=lambda far: [user for _, users in far.urged for user in users],
    robots_group=_closed,
)
WECOM: Final = Ways(
    FakeWeCom,
    wecom.settings,
    person="ZhangJing",
    group="wrGroup",
    lie=("48002", "48002"),
    wrong_secret="40001",
    cures_secret="WECOM_APP_SECRET",
    cures=_cures(WECOM_TROUBLES),
    taken=lambda far: far.app_messages,
    names=lambda far: [f"m{number}" for number in range(1, len(far.app_messages) + 1)],
)
WAYS: Final = {
    "dingtalk": _dingtalk(),
    "feishu": FEISHU,
    "wecom": WECOM,
    "dingtalk-vendor": _dingtalk(VENDOR_TEMPLATE),
    "dingtalk-http": _dingtalk(stream=False),
    "dingtalk-vendor-http": _dingtalk(VENDOR_TEMPLATE, stream=False),
}


@dataclass(frozen=True, slots=True)
class Voice:
    name: str
    ways: Ways
    platform: Any
    far: Any

    def to_person(
        self, content: Content, number: int = 1, *, who: str = "", **more: Any
    ) -> Delivery:
        chat = ChatRef(self.name, who or self.ways.person)
        return Delivery(number, Address(chat, ChatKind.DIRECT), content, **more)

    def to_group(
        self, content: Content, number: int = 1, *, chat: str = "", robot: str = "", **more: Any
    ) -> Delivery:
        to = Address(ChatRef(self.name, chat or self.ways.group), ChatKind.GROUP, robot)
        return Delivery(number, to, content, **more)

    def taken(self) -> Sequence[Any]:
        return self.ways.taken(self.far)

    def names(self) -> list[str]:
        """What the far end calls each message that it took."""
        return self.ways.names(self.far)

    def rung(self) -> list[str]:
        assert self.ways.rung is not None
        return self.ways.rung(self.far)


@asynccontextmanager
async def speaking(mode: str) -> AsyncIterator[Voice]:
    ways, name = WAYS[mode], mode.partition("-")[0]
    async with ways.far() as far:
        platform = built(name, ways.settings(far.base))
        try:
            yield Voice(name, ways, platform, far)
        finally:
            await platform.close()
