"""The files of an announcement come in the chat itself, behind its card, where the platform can."""

import io
from collections.abc import Callable
from typing import Any

from bot.platforms.wecom.kf import session
from bot.seed import MAIN_CHAT, MAIN_TITLE
from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.e2e.test_story_kf import CUSTOMER, app_only, pulled
from tests.e2e.test_story_wecom_line import connected
from tests.kit import dingtalk, feishu, wecom
from tests.kit.fake_dingtalk import FakeDingTalk
from tests.kit.fake_feishu import FakeFeishu
from tests.kit.fake_generic import FakeBridge
from tests.kit.fake_wecom import KF, FakeWeCom
from tests.kit.fake_wecom_line import FakeLine
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
        uow.chats.save_chat(Chat("sandbox", MAIN_CHAT, MAIN_TITLE, "group", False))
        uow.chats.save_chat(Chat(platform, group, MAIN_TITLE, "group", True, robot))

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


INSIDE, OUTSIDE = "cidKeyFirms==", "chat-of-outsiders"
MEMBERS = {"ent0101": "E003-1", "ent0205": "E004-1"}


async def test_on_dingtalk_a_picture_and_a_pdf_follow_the_card_and_go_up_once(
    database_url: str,
) -> None:
    async with (
        FakeDingTalk() as far,
        house_of(database_url, dingtalk.settings(far.base)) as house,
    ):
        await house.app.writer.run(known("dingtalk", MEMBERS, INSIDE))
        number = await wrote(house)
        await sent(house, number)
        for receiver in (INSIDE, *MEMBERS):
            kinds = [m["msg_key"] for m in far.to(receiver)]
            assert kinds[0] == "card"
            assert sorted(kinds[1:]) == ["sampleFile", "sampleImageMsg"]
        assert sorted(far.brought.values()) == [
            ("file", "申请表.pdf", PDF), ("image", "picture.png", MAP),
        ]  # fmt: skip
        counts = await house.api("GET", f"/announcements/{number}/receipts")
        assert (counts["targets"], counts["sent"], counts["failed"]) == (45, 45, 0)
        out = [m["key"] for m in far.messages]
        assert len(out) == 9
        await withdrawn(house, number)
        assert sorted(far.recalled) == sorted(out)


async def test_on_dingtalk_what_it_does_not_take_is_left_to_the_page(sqlite_url: str) -> None:
    async with FakeDingTalk() as far, house_of(sqlite_url, dingtalk.settings(far.base)) as house:
        # Among outsiders only a robot speaks, and it knows no files.
        await house.app.writer.run(known("dingtalk", MEMBERS, OUTSIDE, far.robot()))
        number = await wrote(house, (("路线图.webp", picture("WEBP")), FILES[1]))
        await sent(house, number)
        assert [m["text"] for m in far.to("ent0101") if m["msg_key"] != "card"] == ["申请表.pdf"]
        assert (len(far.robot_said), len(far.brought)) == (1, 1)


ROOM, KEY = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA", "robot-key"
STAFF = {"ZhangJing": "E003-1", "WangOther": "E004-1"}


def robot(far: FakeWeCom) -> str:
    return f"{far.base}/cgi-bin/webhook/send?key={KEY}"


async def test_on_wecom_each_gets_the_files_alone_and_the_group_by_its_robot(
    database_url: str,
) -> None:
    async with FakeWeCom() as far, house_of(database_url, wecom.settings(far.base)) as house:
        await house.app.writer.run(known("wecom", STAFF, ROOM, robot(far)))
        number = await wrote(house)
        await sent(house, number)
        for user in STAFF:
            kinds = [m["msgtype"] for m in far.app_messages if m["touser"] == user]
            assert kinds[0] in ("template_card", "text")
            assert sorted(kinds[1:]) == ["file", "image"]
        said = [message for _, message in far.robot_messages]
        assert said[0]["msgtype"] in ("text", "markdown")
        assert sorted(m["msgtype"] for m in said[1:]) == ["file", "image"]
        # Brought once for the application whoever gets it, and once for the robot.
        assert sorted(far.brought.values()) == sorted([
            ("app", "image", "绕行路线图.png", MAP),
            ("app", "file", "申请表.pdf", PDF),
            (KEY, "file", "申请表.pdf", PDF),
        ])  # fmt: skip
        await withdrawn(house, number)
        # A robot takes nothing back; the application took back all it had said.
        assert sorted(far.recalled) == [f"m{n}" for n in range(1, 7)]


async def test_where_only_the_long_connection_speaks_it_brings_the_files(sqlite_url: str) -> None:
    async with FakeLine() as line:
        settings = connected(line)
        async with house_of(sqlite_url, settings) as house:
            await house.app.writer.run(known("wecom", STAFF, ROOM))
            await line.subscribed.wait()
            await line.says("ZhangJing", "@小港 车间缺操作工20人，临时招不到", ROOM)
            await line.sees(lambda: len(line.answers) == 1)
            chart = ("大表.pdf", PDF + b" " * 600_000 + b"%%EOF startxref")
            await sent(house, await wrote(house, (*FILES, chart), route="group"))
            kinds = [m["msgtype"] for m in line.pushes]
            assert kinds[0] == "markdown"
            assert sorted(kinds[1:]) == ["file", "file", "image"]
            assert {m["chatid"] for m in line.pushes} == {ROOM}
            assert chart[1] in {body for _, _, body in line.brought.values()}


async def test_by_wechat_customer_service_the_words_come_and_the_page_has_the_files(
    sqlite_url: str,
) -> None:
    async with FakeWeCom() as far, house_of(sqlite_url, app_only(far.base)) as house:
        far.customer(CUSTOMER, content="你好")
        await pulled(house, far, 1)
        await house.app.writer.run(known("wecom", {session(KF, CUSTOMER): "E003-1"}, ROOM))
        spoken = len(far.kf_said)
        number = await wrote(house, audience={"enterprises": ["E003"]}, route="direct")
        await sent(house, number)
        (words,) = far.kf_said[spoken:]
        assert "道路施工绕行" in str(words)
        assert (far.brought, await of_files(house)) == ({}, [])


async def test_in_the_sandbox_the_picture_stands_in_the_chat_and_the_file_opens_for_its_readers(
    house: House,
) -> None:
    about: dict[str, Any] = {"audience": {"enterprises": ["E003"]}, "route": "direct"}
    number = await wrote(house, need_receipt=True, **about)
    await sent(house, number)
    card, *files = (await house.bot_said("E003"))[-3:]
    assert card["kind"] == "announcement"
    assert [f["kind"] for f in files] == ["file", "file"]
    shown = {f["text"]: f["attachments"][0] for f in files}
    assert {(a["type"], a["name"], a["size"]) for a in shown.values()} == {
        ("image", "绕行路线图.png", len(MAP)), ("file", "申请表.pdf", len(PDF)),
    }  # fmt: skip
    for name, content in FILES:
        answer = await house.client.get(shown[name]["url"], params={"as": "E003"})
        assert await answer.read() == content
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        # Another firm has no way to it, nor has who does not say who they are.
        for who, status in (("E004", 403), ("", 404), ("E999", 404)):
            refused = await house.client.get(shown[name]["url"], params={"as": who})
            assert refused.status == status
            assert content not in await refused.read()
    for path in ("999999/0", f"{files[0]['id']}/1", f"{card['id']}/0", "x/0", "1/x"):
        answer = await house.client.get(f"/sandbox/api/files/{path}", params={"as": "E003"})
        assert answer.status == 404
    # An answer to the file is an answer to its announcement.
    await house.says("E003", "收到", reply_to=files[1]["id"])
    assert (await house.api("GET", f"/announcements/{number}/receipts"))["read"] == 1
    await withdrawn(house, number)
    said = [m for m in await house.bot_said("E003") if m["kind"] in ("announcement", "file")]
    assert said[0]["card"]["status"] == "已撤回"
    assert [(m["text"], m["attachments"]) for m in said[1:]] == [("", []), ("", [])]
    assert (await house.client.get(shown["申请表.pdf"]["url"], params={"as": "E003"})).status == 404


async def test_three_files_come_into_the_chat_and_the_page_has_them_all(sqlite_url: str) -> None:
    async with House(sqlite_url) as house:
        five = tuple((f"第{n}份.pdf", PDF + b"%d" % n + b" startxref %%EOF") for n in range(5))
        await sent(house, await wrote(house, five))
        grouped = [m for m in await house.in_group() if m["kind"] in ("announcement", "file")]
        assert [m["text"] for m in grouped[1:]] == ["第0份.pdf", "第1份.pdf", "第2份.pdf"]
        (card,) = [m for m in await house.bot_said("E003") if m["kind"] == "announcement"]
        link = card["card"]["buttons"][-1]["url"]
        page = await (await house.client.get("/l/" + link.rpartition("/")[2])).text()
        assert all(name in page for name, _ in five)


async def test_a_bridge_is_told_the_words_alone(sqlite_url: str) -> None:
    async with FakeBridge() as bridge, house_of(sqlite_url, bridge.settings) as house:
        await house.app.writer.run(known("generic", {"zhang": "E003-1"}, "none"))
        await sent(house, await wrote(house, audience={"enterprises": ["E003"]}, route="direct"))
        (told,) = bridge.told("zhang")
        assert "附件" in str(told)
        assert await of_files(house) == []
