"""The files of an announcement come in the chat itself, behind its card, where the platform can."""

import io
from collections.abc import Callable
from typing import Any

from bot.seed import MAIN_TITLE
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit import feishu
from tests.kit.fake_feishu import FakeFeishu
from tests.kit.house import TOKEN, House
from tests.unit.test_attachments import PDF, picture

GROUP = "oc_36b3216fdaeeb975729fae923d5a4fd1"
MAP = picture()
FILES = (("绕行路线图.png", MAP), ("申请表.pdf", PDF))


def house_of(url: str, settings: dict[str, str], **more: Any) -> House:
    """Without the sandbox, so that people are reached where the far end is."""
    return House(url, {**settings, "LHG_SANDBOX": "0"}, **more)


def known(
    platform: str, accounts: dict[str, str], group: str, robot: str = ""
) -> Callable[[UnitOfWork], None]:
    def write(uow: UnitOfWork) -> None:
        for account, person in accounts.items():
            uow.people.save_identity(Identity(platform, account, person))
        chat = Chat(platform, group, MAIN_TITLE, "group", True, robot, is_main=True)
        uow.chats.save_chat(chat)

    return write


async def wrote(house: House, files: tuple[tuple[str, bytes], ...] = FILES, **more: Any) -> int:
    """The number of a draft to everybody with these files."""
    body = {
        "kind": "通知",
        "title": "道路施工绕行",
        "text": "通盛大道半幅施工，请走江海路。",
        "audience": {"all": True},
        "route": "both",
        "author": "P055",
        **more,
    }
    number = int((await house.api("POST", "/announcements", body, status=201))["id"])
    for name, content in files:
        response = await house.client.post(
            f"/api/v1/announcements/{number}/files",
            params={"name": name},
            data=io.BytesIO(content),
            headers={
                "Authorization": f"Bearer {TOKEN}",
                "Content-Type": "application/octet-stream",
            },
        )
        assert response.status == 201, await response.text()
    return number


async def sent(house: House, number: int) -> None:
    await house.api("POST", f"/announcements/{number}/approve", {"actor": "P057"})
    await house.app.dispatcher.drain()


async def withdrawn(house: House, number: int) -> None:
    await house.api("POST", f"/announcements/{number}/withdraw", {"actor": "P057"})
    await house.app.dispatcher.drain()


async def of_files(house: House) -> list[tuple[str, str]]:
    """State and reason of every row of a file."""
    page = await house.read(lambda uow: uow.outbox.page("", 200, None))
    return sorted((r["state"], r["error"]) for r in page.items if r["kind"] == "file")


ON_FEISHU = known("feishu", {"ou_zhang": "E003-1", "ou_wang": "E004-1"}, GROUP)


def came(far: FakeFeishu, receiver: str) -> list[str]:
    """A card, or the key of a file, in order."""
    return [m.get("key") or "card" for m in far.to(receiver)]


async def test_on_feishu_a_picture_and_a_pdf_follow_the_card_and_go_up_once(
    database_url: str,
) -> None:
    async with FakeFeishu() as far, house_of(database_url, feishu.settings(far.base)) as house:
        await house.app.writer.run(ON_FEISHU)
        number = await wrote(house)
        await sent(house, number)
        for receiver in (GROUP, "ou_zhang", "ou_wang"):
            first, *files = came(far, receiver)
            assert first == "card"
            assert sorted(far.brought[key] for key in files) == sorted([MAP, PDF])
        # Three chats, each of the two files brought there once.
        assert sorted((part, name) for part, name, _ in far.uploads) == [
            ("file", "申请表.pdf"), ("image", ""),
        ]  # fmt: skip
        counts = await house.api("GET", f"/announcements/{number}/receipts")
        assert (counts["targets"], counts["sent"], counts["failed"]) == (45, 45, 0)
        out = [m["message_id"] for m in far.messages]
        assert len(out) == 9
        await withdrawn(house, number)
        assert sorted(far.recalled) == sorted(out)
