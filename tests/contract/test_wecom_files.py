"""Files on their way to WeCom: brought once, named while that holds, never more than it takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from bot.client import Client
from bot.platform import Attaches, Gone, Permanent, Receipt, SendError, Transient
from bot.platforms.wecom.api import AppApi
from bot.platforms.wecom.files import APP_IMAGE_BYTES, BOT_IMAGE_BYTES, FILE_BYTES, Files
from bot.platforms.wecom.line import _short
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery, Enclosure
from tests.contract.test_wecom_line import FAST, holding
from tests.contract.test_wecom_sending import speaking
from tests.kit.fake_wecom import FakeWeCom
from tests.kit.fake_wecom_line import FakeLine
from tests.kit.wecom import CORP
from tests.unit.test_attachments import PDF, picture

MAP = picture()
ROOM = ChatRef("wecom", "room")


def direct(user: str) -> Address:
    return Address(ChatRef("wecom", user), ChatKind.DIRECT)


def enclosure(name: str, body: bytes, content_type: str, size: int = 0) -> Enclosure:
    return Enclosure(sha256(body).hexdigest(), name, content_type, size or len(body))


FORM = enclosure("申请表 “新”.pdf", PDF, "application/pdf")
SHOWN = enclosure("路线图.png", MAP, "image/png")


class Kept:
    """The kept bytes, and how often they were asked for."""

    def __init__(self, body: bytes | None) -> None:
        self.body = body
        self.asked = 0

    async def __call__(self) -> bytes:
        self.asked += 1
        if self.body is None:
            raise Gone("no_file")
        return self.body


async def sent(
    platform: Attaches, to: Address, file: Enclosure, kept: Kept, number: int = 1
) -> Receipt:
    delivery = Delivery(number, to, Content.enclosing(file))
    say = await platform.attach(delivery, file, kept)
    return await say()


def kinds(messages: Sequence[dict[str, object]]) -> list[object]:
    return [m["msgtype"] for m in messages]


async def test_one_bringing_serves_everybody_and_its_bytes_are_read_once() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        kept = Kept(PDF)
        users = [f"User{n}" for n in range(20)]
        receipts = await asyncio.gather(
            *(sent(platform, direct(u), FORM, kept, n) for n, u in enumerate(users))
        )
        assert kept.asked == len(far.brought) == 1
        assert sorted(str(m["touser"]) for m in far.app_messages) == sorted(users)
        assert len({r.ref for r in receipts}) == len(users)
        ((_, _, name, body),) = far.brought.values()
        assert (name, body) == (FORM.name, PDF)
        # The same bytes under another name are another file to whoever opens them.
        other = enclosure("别名.pdf", PDF, "application/pdf")
        await sent(platform, direct("User1"), other, kept, 99)
        assert [b[2] for b in far.brought.values()] == [FORM.name, "别名.pdf"]


async def test_a_token_that_ended_is_renewed_and_the_whole_file_goes_again() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        far.bring_faults.append("expired")
        await sent(platform, direct("Zhang"), FORM, Kept(PDF))
        assert far.tokens == 2
        assert kinds(far.app_messages) == ["file"]


async def test_a_name_that_is_over_is_brought_anew_with_the_next_try() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        kept = Kept(MAP)
        await sent(platform, direct("Zhang"), SHOWN, kept)
        far.over.update(far.brought)
        with pytest.raises(Transient, match="40007"):
            await sent(platform, direct("Wang"), SHOWN, kept, 2)
        await sent(platform, direct("Wang"), SHOWN, kept, 2)
        assert kept.asked == 2
        assert kinds(far.app_messages) == ["image", "image"]


@pytest.mark.parametrize(("fault", "error"), [("busy", Transient), ("bad gateway", Transient)])
async def test_what_bringing_meets_is_passing_where_it_passes(
    fault: str, error: type[SendError]
) -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        kept = Kept(PDF)
        far.bring_faults.append(fault)
        with pytest.raises(error):
            await sent(platform, direct("Zhang"), FORM, kept)
        assert far.app_messages == []
        await sent(platform, direct("Zhang"), FORM, kept)
        assert kinds(far.app_messages) == ["file"]


async def test_what_is_refused_is_not_brought_again_for_each_receiver() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        kept = Kept(PDF)
        far.bring_faults.extend(["40005", "40005"])
        for user in ("Zhang", "Wang"):
            with pytest.raises(Permanent, match="40005"):
                await sent(platform, direct(user), FORM, kept)
        assert kept.asked == 1
        with pytest.raises(Gone):
            await sent(platform, direct("Zhang"), SHOWN, Kept(None))


async def test_a_picture_that_cannot_be_shown_goes_as_a_file() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        group = Address(ROOM, ChatKind.GROUP, f"{far.base}/cgi-bin/webhook/send?key=K1")
        for n, form in enumerate(("GIF", "WEBP")):
            body = picture(form)
            file = enclosure(f"图.{form.lower()}", body, f"image/{form.lower()}")
            await sent(platform, direct("Zhang"), file, Kept(body), n)
        large = MAP + b"\0" * BOT_IMAGE_BYTES
        await sent(platform, group, enclosure("大.png", large, "image/png"), Kept(large))
        shown = MAP + b"\0" * (BOT_IMAGE_BYTES - len(MAP))
        await sent(platform, group, enclosure("图.png", shown, "image/png"), Kept(shown))
        larger = MAP + b"\0" * APP_IMAGE_BYTES
        await sent(
            platform, direct("Zhang"), enclosure("更大.png", larger, "image/png"), Kept(larger)
        )
        assert kinds(far.app_messages) == ["file", "file", "file"]
        assert kinds([m for _, m in far.robot_messages]) == ["file", "image"]


async def test_what_one_robot_was_given_is_not_named_to_another() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        for key in ("K1", "K2"):
            robot = f"{far.base}/cgi-bin/webhook/send?key={key}"
            await sent(platform, Address(ROOM, ChatKind.GROUP, robot), FORM, Kept(PDF))
        assert [whose for whose, *_ in far.brought.values()] == ["K1", "K2"]
        other = Address(ROOM, ChatKind.GROUP, f"{far.base}/elsewhere?key=K1")
        with pytest.raises(Permanent, match="robot_address"):
            await sent(platform, other, FORM, Kept(PDF))


async def test_who_is_not_reached_is_no_reason_to_bring_it_again() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        far.invalid.add("Zhang")
        with pytest.raises(Permanent, match="invaliduser"):
            await sent(platform, direct("Zhang"), FORM, Kept(PDF))
        await sent(platform, direct("Wang"), FORM, Kept(PDF))
        assert len(far.brought) == 1


async def test_only_what_somebody_would_take_is_begun() -> None:
    async with FakeWeCom() as far, speaking(far) as platform:
        zhang = direct("Zhang")
        group = Address(ROOM, ChatKind.GROUP)
        robot = Address(ROOM, ChatKind.GROUP, f"{far.base}/cgi-bin/webhook/send?key=K1")
        customer = direct("kf:wkKx:wmKx")
        sizes = [(5, False), (6, True), (FILE_BYTES, True), (FILE_BYTES + 1, False)]
        for size, good in sizes:
            file = enclosure("表.pdf", PDF, "application/pdf", size)
            assert (platform.takes(zhang, file), platform.takes(robot, file)) == (good, good)
            # A group without a robot hears nothing here; a customer's five messages are kept.
            assert not platform.takes(group, file)
            assert not platform.takes(customer, file)
        with pytest.raises(Permanent, match="no_route"):
            await sent(platform, customer, FORM, Kept(PDF))


async def test_by_the_long_connection_a_file_goes_in_parts_and_silence_ends_it() -> None:
    whole = PDF + bytes(600_000) + PDF
    pace = replace(FAST, ack=0.6)
    async with FakeLine() as far, holding(far, pace=pace) as (line, _, _task):
        await far.subscribed.wait()
        await far.sees(lambda: line.up)
        media_id = await line.upload("file", "表.pdf", whole)
        assert far.brought[media_id] == ("file", "表.pdf", whole)
        far.faults.append("silent")
        with pytest.raises(Permanent, match="no_ack"):
            await line.upload("file", "表.pdf", whole)
        await far.sees(lambda: not line._doubt.is_set())
        far.faults.append("limited")
        with pytest.raises(Transient):
            await line.upload("image", "图.png", MAP)
        assert len(far.brought) == 1


async def test_whom_the_application_does_not_reach_the_long_connection_gives_the_file() -> None:
    pace = replace(FAST, ack=0.6)
    async with (
        FakeWeCom() as far,
        FakeLine() as other,
        holding(other, pace=pace) as (line, _, _task),
    ):
        await other.subscribed.wait()
        await other.sees(lambda: line.up)
        await other.says("Zhang", "在吗")
        client = Client()
        app = AppApi(client, far.base, CORP, "app-secret", 1000007, "")
        files = Files(client, app, line)
        # It may not speak at all, then: not to this person.
        far.bring_faults.append("48002")
        far.invalid.add("Zhang")
        for number in (1, 2):
            delivery = Delivery(number, direct("Zhang"), Content.enclosing(SHOWN))
            say = await files.attach(delivery, SHOWN, Kept(MAP))
            await say()
        assert kinds(other.pushes) == ["image", "image"]
        assert far.app_messages == []
        # Nobody there has written to the bot: the page has it.
        stranger = Delivery(3, direct("Wang"), Content.enclosing(SHOWN))
        far.invalid.add("Wang")
        say = await files.attach(stranger, SHOWN, Kept(MAP))
        with pytest.raises(Permanent, match="846607"):
            await say()
        await files.close()
        await client.close()


@pytest.mark.parametrize(
    "name", ["短.pdf", "长" * 200 + ".docx", "没有点" * 100, "点." + "尾" * 100]
)
def test_a_name_of_the_long_connection_keeps_its_ending(name: str) -> None:
    short = _short(name)
    assert 0 < len(short.encode()) <= 256
    if len(name.encode()) <= 256:
        assert short == name
    elif len(name.rpartition(".")[2]) < 10:
        assert short.endswith(".docx")
