"""Files on their way to DingTalk: brought once, named while that holds, never more than it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.client import Client
from bot.platform import Expired, Permanent, Receipt, SendError, Transient, Unsure
from bot.platforms.dingtalk.api import Api
from bot.platforms.dingtalk.errors import cure
from bot.platforms.dingtalk.files import FILE_BYTES, IMAGE_BYTES, Files
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address
from tests.contract.test_dingtalk_sending import GROUP, MONTH, OUTSIDER, PERSON, WORDS, speaking
from tests.contract.test_dingtalk_sending import to_group as words_to_group
from tests.contract.test_wecom_files import FORM, MAP, SHOWN, Kept, enclosure, sent
from tests.kit.fake_dingtalk import CLIENT_ID, ROBOT, ROUTE, SECRET, TEMPLATE, FakeDingTalk
from tests.unit.test_attachments import PDF, picture

OVER = "invalidParameter.msgParam.invalid"


def direct(user: str = PERSON) -> Address:
    return Address(ChatRef("dingtalk", user), ChatKind.DIRECT)


def group(chat: str = GROUP, robot: str = "") -> Address:
    return Address(ChatRef("dingtalk", chat), ChatKind.GROUP, robot)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def carrying(far: FakeDingTalk, clock: Clock | None = None) -> AsyncIterator[Files]:
    async with speaking(far) as calls:
        files = Files(calls, clock or Clock())
        yield files
        await files.close()


def keys(far: FakeDingTalk) -> list[str]:
    return [m["msg_key"] for m in far.messages]


async def test_one_bringing_serves_everybody_and_its_bytes_are_read_once() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        kept, shown = Kept(PDF), Kept(MAP)
        people = [direct(f"person{n}") for n in range(10)]
        receipts = await asyncio.gather(
            *(sent(files, to, FORM, kept, n) for n, to in enumerate(people))
        )
        receipts.append(await sent(files, group(), SHOWN, shown, 50))
        assert (kept.asked, shown.asked, len(far.brought)) == (1, 1, 2)
        assert sorted(far.brought.values()) == [
            ("file", FORM.name, PDF), ("image", "picture.png", MAP),
        ]  # fmt: skip
        assert [m["text"] for m in far.messages] == [FORM.name] * 10 + [""]
        assert [r.ref for r in receipts] == [m["key"] for m in far.messages]
        # The same bytes under another name are another file to whoever opens them.
        await sent(files, people[0], enclosure("别名.pdf", PDF, "application/pdf"), kept, 99)
        assert [name for _, name, _ in far.brought.values()][2:] == ["别名.pdf"]
        assert not far.kept


async def test_it_is_called_back_as_words_are() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        files = Files(calls)
        for n, to in enumerate((direct(), group())):
            receipt = await sent(files, to, FORM, Kept(PDF), n)
            await calls.recall(to, [receipt.ref])
        assert far.recalled == [m["key"] for m in far.messages]
        assert len(far.recalled) == 2


async def test_a_token_that_ended_is_renewed_and_the_whole_file_goes_again() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        kept = Kept(PDF)
        far.bring_faults.append("expired")
        await sent(files, direct(), FORM, kept)
        assert (far.tokens, kept.asked, len(far.messages)) == (2, 1, 1)
        far.bring_faults.extend(["expired", "expired"])
        with pytest.raises(Expired):
            await sent(files, direct(), SHOWN, Kept(MAP))


async def test_a_name_that_is_over_is_brought_anew_with_the_next_try() -> None:
    clock = Clock()
    async with FakeDingTalk() as far, carrying(far, clock) as files:
        kept = Kept(MAP)
        await sent(files, direct(), SHOWN, kept)
        far.over.update(far.brought)
        clock.seconds += 3600.0
        # Everybody who was to have it by that name finds it over; it is brought once.
        found = await asyncio.gather(
            *(sent(files, direct(f"person{n}"), SHOWN, kept, n) for n in range(5)),
            return_exceptions=True,
        )
        assert [(type(f), str(f)) for f in found] == [(Transient, OVER)] * 5
        await asyncio.gather(*(sent(files, direct(f"person{n}"), SHOWN, kept, n) for n in range(5)))
        assert (kept.asked, len(far.brought), len(far.messages)) == (2, 2, 6)


async def test_what_has_just_been_brought_and_is_refused_is_not_brought_again() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        kept = Kept(PDF)
        far.refusals["person1"] = "invalidParameter.msgParam.invalid"
        far.refusals["person2"] = "staffId.notExisted"
        for user in ("person1", "person2"):
            with pytest.raises(Permanent):
                await sent(files, direct(user), FORM, kept)
        assert kept.asked == 1


async def test_who_is_not_reached_is_no_reason_to_bring_it_again() -> None:
    clock = Clock()
    async with FakeDingTalk() as far, carrying(far, clock) as files:
        kept = Kept(PDF)
        await sent(files, direct("person0"), FORM, kept)
        clock.seconds += 7200.0
        far.refusals["person1"] = "staffId.notExisted"
        far.lists["person2"] = "filteredStaffIdList"
        far.refusals[GROUP] = "robot.notInGroup"
        for to in (direct("person1"), direct("person2"), group()):
            with pytest.raises(Permanent):
                await sent(files, to, FORM, kept)
        assert (kept.asked, len(far.messages)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("busy", Transient),
        ("broken", Transient),
        ("throttled", Transient),
        ("page", Transient),
        ("month", Transient),
        ("denied", Transient),
        ("moved", Transient),
        ("half", Unsure),
        ("slow", Unsure),
    ],
)
async def test_what_bringing_meets_tells_nobody_anything_and_passes(
    fault: str, error: type[SendError]
) -> None:
    clock = Clock()
    async with FakeDingTalk() as far, carrying(far, clock) as files:
        far.bring_faults.append(fault)
        with pytest.raises(error):
            await sent(files, direct(), FORM, Kept(PDF))
        assert far.messages == []
        # As long as the far end asked to wait, nobody comes again.
        clock.seconds += 300.0
        await sent(files, direct(), FORM, Kept(PDF))
        assert keys(far) == ["sampleFile"]
        assert far.strayed == 0


async def test_an_answer_that_names_nothing_is_no_answer() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        far.unnamed = True
        with pytest.raises(Unsure, match="no_media_id"):
            await sent(files, direct(), FORM, Kept(PDF))
        far.unnamed = False
        await sent(files, direct(), FORM, Kept(PDF))
        assert keys(far) == ["sampleFile"]


async def test_a_file_may_take_longer_than_words() -> None:
    async with FakeDingTalk() as far:
        far.bring_wait = 0.4
        client = Client(0.2)
        calls = Api(client, far.base, far.base, CLIENT_ID, SECRET, ROBOT, TEMPLATE, "STREAM", ROUTE)
        await sent(Files(calls), direct(), FORM, Kept(PDF))
        await client.close()
        assert keys(far) == ["sampleFile"]


async def test_what_is_refused_is_not_brought_again_for_each_receiver() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        kept = Kept(PDF)
        far.bring_faults.extend(["40005", "40005"])
        for user in ("person1", "person2"):
            with pytest.raises(Permanent, match="40005"):
                await sent(files, direct(user), FORM, kept)
        assert kept.asked == 1
        assert "页面" in cure("40005")


async def test_without_an_answer_a_message_is_not_repeated() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        await sent(files, direct(), FORM, Kept(PDF))
        far.faults.append("half")
        with pytest.raises(Unsure) as error:
            await sent(files, direct(), FORM, Kept(PDF), 2)
        assert not error.value.repeatable


@pytest.mark.parametrize(
    ("name", "content_type", "most"),
    [
        ("图.png", "image/png", IMAGE_BYTES),
        ("图.jpeg", "image/jpeg", IMAGE_BYTES),
        ("图.gif", "image/gif", IMAGE_BYTES),
        ("图.webp", "image/webp", 0),
        ("表.PDF", "application/pdf", FILE_BYTES),
        ("表.docx", "application/octet-stream", FILE_BYTES),
        ("表.xlsx", "application/octet-stream", FILE_BYTES),
        # Taken to the store, but no message may name it.
        ("表.pptx", "application/octet-stream", 0),
        ("没有点", "application/octet-stream", 0),
    ],
)
async def test_only_what_a_message_may_show_is_begun(
    name: str, content_type: str, most: int
) -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        for size in (0, 1, IMAGE_BYTES, IMAGE_BYTES + 1, FILE_BYTES, FILE_BYTES + 1):
            file = enclosure(name, b"", content_type)
            file = type(file)(file.digest, name, content_type, size)
            assert files.takes(direct(), file) == files.takes(group(), file) == (0 < size <= most)


async def test_pictures_of_every_kind_are_shown() -> None:
    async with FakeDingTalk() as far, carrying(far) as files:
        for n, form in enumerate(("PNG", "JPEG", "GIF")):
            body = picture(form)
            file = enclosure(f"图.{form.lower()}", body, f"image/{form.lower()}")
            await sent(files, direct(), file, Kept(body), n)
        assert keys(far) == ["sampleImageMsg"] * 3


async def test_where_the_application_may_not_speak_nothing_is_begun() -> None:
    async with FakeDingTalk() as far, speaking(far) as calls:
        files = Files(calls)
        for to in (direct(OUTSIDER), group("chat-of-outsiders", far.robot()), group("elsewhere")):
            assert not files.takes(to, FORM)
            with pytest.raises(Permanent, match="no_route"):
                await sent(files, to, FORM, Kept(PDF))
        # Refused there a short while ago, it leaves the group to its robot.
        known = group(robot=far.robot())
        assert files.takes(known, FORM)
        far.faults.append("month")
        receipt = await calls.send(words_to_group(WORDS, robot=far.robot()))
        assert (receipt, len(far.robot_said)) == (Receipt(), 1)
        assert not files.takes(known, FORM)
        assert far.brought == {}
        assert cure(MONTH)
