"""Who writes an announcement sends its files to the bot in the chat, and nobody approves them unseen."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.seed import MAIN_CHAT, MAIN_TITLE
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.house import House
from tests.kit.wecom import KEY, Caller, settings
from tests.unit.test_attachments import PDF, picture, word

OFFICE, CHIEF, FIRM = "P055", "P057", "E003"
GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
DRAFT = "发通知 道路施工绕行\n对象：全部\n正文：通盛大道半幅施工，请走江海路。"


def accounts(uow: UnitOfWork) -> None:
    for user, person in (("Office", OFFICE), ("Chief", CHIEF), ("ZhangJing", "E003-1")):
        uow.people.save_identity(Identity("wecom", user, person))
    uow.chats.save_chat(Chat("sandbox", MAIN_CHAT, MAIN_TITLE, "group", False))


@asynccontextmanager
async def office(url: str) -> AsyncIterator[tuple[FakeWeCom, House, Caller]]:
    async with (
        FakeWeCom() as wecom,
        House(url, {**settings(wecom.base), "LHG_SANDBOX": "0"}) as house,
    ):
        await house.app.writer.run(accounts)
        robot = f"{wecom.base}/cgi-bin/webhook/send?key=robot-1"
        await house.app.writer.run(
            lambda uow: uow.chats.save_chat(Chat("wecom", GROUP, "群", "group", True, robot))
        )
        yield wecom, house, Caller(house)


def shown(*bodies: bytes) -> list[dict[str, str]]:
    return [
        {
            "type": "image",
            "name": "",
            "url": f"data:image/png;base64,{base64.b64encode(b).decode()}",
        }
        for b in bodies
    ]


async def came(house: House) -> None:
    """What was sent along is attached or refused, and told."""
    for _ in range(60):
        await house.app.fetcher.drain()
        if not await house.count("announcement_uploads"):
            await house.app.dispatcher.drain()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is still waited for")


async def files(house: House, number: int = 1) -> list[str]:
    made = await house.api("GET", f"/announcements/{number}")
    return [str(f["name"]) for f in made["files"]]


def heard(wecom: FakeWeCom, user: str) -> list[str]:
    """What the application said to somebody."""
    told = [m for m in wecom.app_messages if m["touser"] == user]
    return [m["markdown"]["content"] if "markdown" in m else str(m) for m in told]


async def test_a_pdf_sent_to_the_bot_is_attached_and_goes_into_the_group(
    database_url: str,
) -> None:
    async with office(database_url) as (wecom, house, caller):
        await caller.says("Office", DRAFT)
        await came(house)
        await caller.sends("Office", "file", wecom.lies("f1", PDF, KEY, "绕行申请表.pdf"))
        await came(house)
        assert "「绕行申请表.pdf」已附在通知 1 后面，现有附件1个。" in str(heard(wecom, "Office"))
        assert await files(house) == ["绕行申请表.pdf"]
        # The draft is still open: what is said next belongs to it.
        await caller.says("Office", "要回执")
        await caller.says("Office", "送审 1")
        await caller.says("Chief", "通过通知 1")
        assert (await house.api("GET", "/announcements/1"))["need_receipt"]
        await came(house)
        assert {name for _, _, name, _ in wecom.brought.values()} == {"绕行申请表.pdf"}


async def test_what_may_not_go_out_is_said_with_its_reason(database_url: str) -> None:
    async with office(database_url) as (wecom, house, caller):
        await caller.says("Office", DRAFT)
        for name, called, body in (
            ("f1", "名单.xlsx", b"PK\x03\x04nothing"),
            ("f2", "内部.docx", word("内部资料，注意保存")),
            ("f3", "脚本.pdf", PDF.replace(b"%%EOF", b"/JavaScript (x)\n%%EOF")),
        ):
            await caller.sends("Office", "file", wecom.lies(name, body, KEY, called))
        wecom.lies("f4", PDF, KEY, "没了.pdf")
        wecom.instead["f4"] = 403
        await caller.sends("Office", "file", f"{wecom.base}/aibot/f4?sign=q")
        await came(house)
        told = str(heard(wecom, "Office"))
        assert (
            "「名单.xlsx」没有附上：只能传图片（PNG、JPEG、GIF、WebP）、PDF 和 Word（.docx）。"
            in told
        )
        assert "「内部.docx」没有附上：里面有「内部资料」，不能发给企业，请删去后再传。" in told
        assert "「脚本.pdf」没有附上：文件里带有可执行的内容" in told
        assert "「文件1」没有附上：文件已过期，请您再发一次。" in told
        assert await files(house) == []
        assert await house.count("announcement_uploads") == 0


async def test_pictures_are_named_one_after_the_other(house: House) -> None:
    await house.says(OFFICE, DRAFT)
    await house.says(OFFICE, "", attachments=shown(picture(), picture() + b"\0"))
    await came(house)
    assert await files(house) == ["图片1.png", "图片2.png"]
    told = "「图片1.png」「图片2.png」已附在通知 1 后面，现有附件2个。"
    assert (await house.last(OFFICE))["text"] == told


async def test_files_that_come_before_there_is_a_draft_are_asked_for_again(house: House) -> None:
    await house.says(OFFICE, "发通知 道路施工绕行", attachments=shown(picture()))
    assert "附件请等看到草稿后再发一次" in (await house.last(OFFICE))["text"]
    # What is whole at once takes its pictures along.
    await house.says(OFFICE, DRAFT, attachments=shown(picture()))
    await came(house)
    assert await files(house) == ["图片1.png"]


async def test_a_changed_draft_is_approved_by_nobody_who_saw_the_old_one(house: House) -> None:
    await house.says(OFFICE, DRAFT)
    await house.press(OFFICE, "送审")
    old = await house.last(CHIEF)
    await house.says(OFFICE, "加附件 1", attachments=shown(picture()))
    await came(house)
    assert "请重新回复「送审 1」" in (await house.last(OFFICE))["text"]

    async def tries() -> str:
        await house.press_on(old["id"], button_of(old, "通过"), CHIEF)
        return str((await house.api("GET", "/announcements/1"))["state"])

    assert await tries() == "draft"
    await house.says(CHIEF, "通过通知 1")
    assert "这条通知还没有送审" in (await house.last(CHIEF))["text"]
    await house.says(OFFICE, "送审 1")
    assert await tries() == "draft"
    await house.press(CHIEF, "通过")
    assert (await house.api("GET", "/announcements/1"))["state"] != "draft"


async def test_a_file_is_taken_off_again(house: House) -> None:
    await house.says(OFFICE, DRAFT)
    await house.says(OFFICE, "删附件 1")
    assert "通知 1 没有附件" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "加附件 1")
    assert "请把要附在通知 1 后面的图片、PDF 或 Word 直接发来" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "", attachments=shown(picture(), picture() + b"\0"))
    await came(house)
    await house.says(OFFICE, "删附件 1")
    assert "1 图片1.png；2 图片2.png" in (await house.last(OFFICE))["text"]
    await house.says(OFFICE, "删附件 1 2")
    assert "「图片2.png」已从通知 1 里拿掉" in (await house.last(OFFICE))["text"]
    assert await files(house) == ["图片1.png"]
    await house.says(OFFICE, "删附件 1")
    assert await files(house) == []
    # Nobody else's draft.
    await house.says(CHIEF, "加附件 1")
    assert "已附" not in (await house.last(CHIEF))["text"]
    assert await house.count("announcement_uploads") == 0


async def test_more_than_five_are_refused_before_any_is_fetched(house: House) -> None:
    await house.says(OFFICE, DRAFT)
    await house.says(OFFICE, "", attachments=shown(*[picture() + bytes([n]) for n in range(6)]))
    assert "附件最多5个" in (await house.last(OFFICE))["text"]
    await came(house)
    assert await files(house) == []


async def test_a_picture_in_the_group_or_about_a_ticket_is_not_the_drafts(house: House) -> None:
    await house.group_says(FIRM, "@小港 车间行车坏了，抱闸失灵")
    await house.says(OFFICE, DRAFT)
    ticket: dict[str, Any] = (await house.bot_said("P041"))[-1]
    await house.group_says(OFFICE, "", attachments=shown(picture()))
    await came(house)
    assert ticket
    assert await files(house) == []
    # And the draft is still open.
    await house.says(OFFICE, "", attachments=shown(picture()))
    await came(house)
    assert await files(house) == ["图片1.png"]


async def test_what_came_before_a_restart_is_attached_after_it(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        await house.says(OFFICE, DRAFT)
        await house.says(OFFICE, "", attachments=shown(picture()))
        assert await house.count("announcement_uploads") == 1
    async with House(sqlite_url) as house:
        await came(house)
        assert await files(house) == ["图片1.png"]
        assert "已附在通知 1 后面" in (await house.last(OFFICE))["text"]


def button_of(message: dict[str, Any], label: str) -> str:
    (found,) = [b["id"] for b in message["card"]["buttons"] if b["label"] == label]
    return str(found)
