"""What a firm sends along is there when its liaison opens the ticket, and nobody else's to see."""

import asyncio
import base64
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from bot.fetcher import Fetcher
from handlers.chat.events import AttachmentKind
from handlers.domain.people import Chat, Identity, Token
from storage.uow import UnitOfWork
from tests.e2e.test_story_kf import CUSTOMER, app_only, pulled
from tests.kit.fake_feishu import FakeFeishu
from tests.kit.fake_generic import FakeBridge
from tests.kit.fake_wecom import ENDLESS, HELD, FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.feishu import Caller as FeishuCaller
from tests.kit.feishu import settings as feishu_settings
from tests.kit.house import House
from tests.kit.wecom import KEY, Caller, settings
from tests.unit.test_attachments import picture, word

GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
OWN, OTHER = "E003", "E004"
OTHER_KEY = "FJOKYiw6iG9WLQktwwESEqiE+PvggUBl8cSeUjgnLBo="
PROBLEM = "@小港 车间行车坏了，抱闸失灵，见图"


def accounts(uow: UnitOfWork) -> None:
    for user, person in (
        ("ZhangJing", "E003-1"),
        ("ZhouLian", "P041"),
        ("WangOther", "E004-1"),
    ):
        uow.people.save_identity(Identity("wecom", user, person))


@asynccontextmanager
async def office(url: str) -> AsyncIterator[tuple[FakeWeCom, House, Caller]]:
    async with FakeWeCom() as wecom, House(url, settings(wecom.base)) as house:
        await house.app.writer.run(accounts)
        robot = f"{wecom.base}/cgi-bin/webhook/send?key=robot-1"
        await house.app.writer.run(
            lambda uow: uow.chats.save_chat(Chat("wecom", GROUP, "群", "group", True, robot))
        )
        yield wecom, house, Caller(house)


async def told(house: House, who: str = "P041") -> str:
    """What somebody reads who asks for the ticket in the single chat."""
    await house.says(who, "查 1001")
    return str((await house.last(who))["text"])


def link_in(words: str) -> str:
    found = re.search(r"/l/\S+", words)
    assert found is not None, words
    return found.group()


async def sees(house: House, link: str) -> tuple[int, str]:
    response = await house.client.get(link)
    return response.status, await response.text()


async def tries(house: House, times: int = 60) -> None:
    """Try until nothing waits any more; each try that fails makes the next one wait a little."""
    for _ in range(times):
        await house.app.fetcher.drain()
        waiting = await house.read(
            lambda uow: uow.connection.execute(
                text("SELECT COUNT(*) FROM attachments WHERE state = 'wanted'")
            ).scalar()
        )
        if not waiting:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is still waited for")


async def test_the_liaison_opens_an_hour_later_what_the_group_showed(database_url: str) -> None:
    async with office(database_url) as (wecom, house, caller):
        shown = picture()
        url = wecom.lies("p1", shown, KEY)
        twin = wecom.lies("p2", shown, KEY)
        await caller.shows("ZhangJing", PROBLEM, [url, twin], GROUP, "FIRST")
        await tries(house)
        wecom.instead["p1"] = wecom.instead["p2"] = 403
        house.passes(hours=1)

        words = await told(house)
        assert "附件2个：图片1.png、图片2.png" in words
        assert "仅供您本人使用" in words
        link = link_in(words)
        status, page = await sees(house, link)
        assert status == 200
        assert "#1001" in page
        (first, second) = re.findall(r'<img src="([^"]+)"', page)
        response = await house.client.get(first)
        assert await response.read() == shown
        assert response.content_type == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert response.headers["Content-Disposition"].startswith("inline;")
        assert (await house.client.get(second)).status == 200
        # Asked for once each, kept once.
        assert sorted(wecom.asked_files) == ["p1", "p2"]
        assert await house.count("files") == 1


async def test_nobody_of_another_firm_opens_it(database_url: str) -> None:
    async with office(database_url) as (wecom, house, caller):
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        await tries(house)
        link = link_in(await told(house, OWN))
        status, page = await sees(house, link)
        assert status == 200
        (part,) = re.findall(r'<img src="([^"]+)"', page)
        # No list of other files where there is none.
        assert "<ul" not in page
        # Another browser, another person's link, another firm's person: nothing.
        async with aiohttp.ClientSession(
            str(house.client.make_url("/")), cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as other:
            for path in (link, part):
                async with other.get(path) as response:
                    assert response.status == 404
        forged = house.app.wiring.links.to("attachments", "1001", "E004-1")  # type: ignore[arg-type]
        for path in ("", "/1"):
            assert (await sees(house, "/l/" + forged.rpartition("/")[2] + path))[0] == 404
        assert "附件" not in await told(house, OTHER)
        # What is the ticket's own is given out, nothing by another ticket's number.
        await caller.says("WangOther", "厂门口路灯坏了5盏，晚上看不见")
        mine = house.app.wiring.links.to("attachments", "1002", "E004-1")  # type: ignore[arg-type]
        here = "/l/" + mine.rpartition("/")[2]
        assert (await sees(house, here))[0] == 200
        assert (await sees(house, f"{here}/1"))[0] == 404


async def test_a_link_obeys_who_may_read_the_ticket_when_it_is_opened(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        await tries(house)
        link = link_in(await told(house, OWN))
        assert (await sees(house, link))[0] == 200
        # It was another firm's matter: whoever reported it learns nothing more of it.
        await house.says("P041", "更正 1001 企业 玖晟电子")
        assert (await house.ticket()).enterprise_id not in (OWN, None)
        for path in (link, f"{link}/1"):
            assert (await sees(house, path))[0] == 404


async def test_what_came_with_a_doubtful_message_is_there_when_it_is_confirmed(
    sqlite_url: str,
) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        url = wecom.lies("p1", picture(), KEY)
        await caller.shows("ZhangJing", "@小港 还没来电", [url], GROUP)
        assert await house.count("tickets") == 0
        await tries(house)
        wecom.instead["p1"] = 403
        house.passes(minutes=20)
        await caller.says("ZhangJing", "@小港 登记", GROUP)
        assert await house.count("tickets") == 1
        words = await told(house)
        assert "附件1个：图片1.png" in words
        assert (await sees(house, link_in(words)))[0] == 200


async def test_the_liaisons_card_says_that_something_came_along(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        urls = [wecom.lies(name, picture(), KEY) for name in ("p1", "p2")]
        await caller.shows("ZhangJing", PROBLEM, urls, GROUP)
        await house.app.dispatcher.drain()
        (card,) = [m["template_card"] for m in wecom.app_messages if m["touser"] == "ZhouLian"]
        assert "附件2个，回复「查 1001」打开" in card["sub_title_text"]
        assert len(card["sub_title_text"]) <= 112


async def test_pictures_sent_afterwards_are_told_once_to_the_liaison(sqlite_url: str) -> None:
    data = base64.b64encode(picture()).decode()
    sent = [{"type": "image", "name": "行车.png", "url": f"data:image/png;base64,{data}"}]
    along = "#1001 张经理发来附件，回复「查 1001」打开。"
    async with House(sqlite_url) as house:

        async def said() -> list[str]:
            return [m["text"] for m in await house.bot_said("P041")]

        await house.group_says(OWN, PROBLEM)
        for _ in range(3):
            await house.group_says(OWN, "", attachments=sent)
        assert (await said()).count(along) == 1
        house.passes(minutes=20)
        await house.says(OWN, "补充 1001 换了一台还是不行", attachments=sent)
        assert (await said())[-2:] == ["#1001 张经理补充：换了一台还是不行", along]
        # Whoever sends it knows.
        await house.says("P041", "认领 1001")
        await house.group_says("P041", "@小港 补充 1001 现场拍的", attachments=sent)
        assert (await said()).count(along) == 2


async def test_no_address_is_given_into_a_group(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        await tries(house)
        await house.says("P041", "保密 1001")
        await house.group_says("P041", "@小港 查 1001")
        assert "/l/" not in str(await house.in_group())
        assert "图片1.png" in (await house.last("P041"))["text"]


async def test_the_api_names_what_is_kept_and_gives_it_to_who_may_know(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        before = (await house.api("GET", "/tickets/1001"))["messages"][0]["attachments"]
        assert [(a["state"], a["url"]) for a in before] == [("wanted", "")]
        await tries(house)
        (kept,) = (await house.api("GET", "/tickets/1001"))["messages"][0]["attachments"]
        assert kept["type"] == "image"
        assert kept["name"] == "图片1.png"
        assert kept["state"] == "kept"
        assert kept["url"] == f"/api/v1/tickets/1001/attachments/{kept['id']}"

        async def get(token: str) -> Any:
            return await house.client.get(kept["url"], headers={"Authorization": f"Bearer {token}"})

        response = await get("bootstrap-token-for-tests")
        assert await response.read() == picture()
        assert response.headers["Content-Disposition"].startswith("attachment;")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        for firm in (OTHER, OWN):
            digest = sha256(firm.encode()).hexdigest()
            token = Token(firm, "read", firm, house.clock.now())  # type: ignore[arg-type]
            await house.app.writer.run(lambda uow, t=token, d=digest: uow.tokens.add(t, d))
            assert (await get(firm)).status == (200 if firm == OWN else 404)
        assert (await house.client.get(kept["url"])).status == 401


async def test_a_platform_that_is_down_is_asked_again(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        url = wecom.lies("p1", picture(), KEY)
        wecom.instead["p1"] = 502
        await caller.shows("ZhangJing", PROBLEM, [url], GROUP)
        await house.app.fetcher.drain()
        words = await told(house)
        assert "图片1（正在取回，请稍后再看）" in words
        del wecom.instead["p1"]
        await tries(house)
        assert len(wecom.asked_files) >= 2
        assert "图片1.png" in await told(house)


@pytest.mark.parametrize(
    ("instead", "why"),
    [
        (403, "图片1（图片已过期，请企业再发一次）"),
        (ENDLESS, "图片1（图片超过 20 MB，没有保存，请企业压缩后再发）"),
        ("elsewhere", "图片1（图片没有取到，请企业再发一次）"),
    ],
)
async def test_what_cannot_be_had_is_told_with_what_to_do(
    sqlite_url: str, instead: int | str, why: str
) -> None:
    asked: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"inside")

    inside = web.Application()
    inside.router.add_get("/{path:.*}", hear)
    async with TestServer(inside) as server, office(sqlite_url) as (wecom, house, caller):
        url = wecom.lies("p1", picture(), KEY)
        elsewhere = str(server.make_url("/secrets"))
        wecom.instead["p1"] = elsewhere if instead == "elsewhere" else instead
        await caller.shows("ZhangJing", PROBLEM, [url], GROUP)
        # Where a message itself names an address that is not WeCom's, nothing is asked of it.
        await caller.sends("ZhangJing", "image", elsewhere)
        await tries(house)
        words = await told(house)
        assert why in words
        assert why.replace("请企业", "请您") in await told(house, OWN)
        assert "打开附件" not in words
        assert asked == []
        assert await house.count("files") == 0
        # The ticket is none the worse.
        assert (await house.ticket()).state == "open"


async def test_a_page_that_calls_itself_a_picture_is_only_ever_saved(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        hostile = b"<!doctype html><script>fetch('/api/v1/tickets')</script>"
        await caller.says("ZhangJing", "@小港 车间行车坏了，抱闸失灵", GROUP)
        for name, called in (("p1", "现场.png"), ("p2", "现场.html"), ("p3", "申请表.docx")):
            body = word("申请") if called.endswith("docx") else hostile
            await caller.sends("ZhangJing", "file", wecom.lies(name, body, KEY, called))
        await caller.says("ZhangJing", "补充 1001 见附件")
        await tries(house)
        link = link_in(await told(house))
        _, page = await sees(house, link)
        assert "<img" not in page
        assert page.count("没有认出是哪种文件，请核对来源后再打开") == 2
        got = []
        for part in re.findall(r'<a href="([^"]+)"', page):
            response = await house.client.get(part)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in response.headers["Content-Security-Policy"]
            disposition = response.headers["Content-Disposition"]
            assert disposition.startswith("attachment;")
            got.append((response.content_type, disposition.rpartition(".")[2]))
        assert got[:2] == [("application/octet-stream", "png"), ("application/octet-stream", "bin")]
        assert got[2][1] == "docx"


async def test_only_the_process_that_leads_fetches_and_it_begins_by_itself(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        await house.app.fetcher.stop()
        leading = False
        fetcher = Fetcher(house.app.writer, house.app.platforms, lambda: leading)
        fetcher.start()
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        for _ in range(20):
            fetcher.led()
            await house.count("attachments")
        assert wecom.asked_files == []
        leading = True
        fetcher.led()
        for _ in range(200):
            if await house.count("files"):
                break
            await asyncio.sleep(0.01)
        assert await house.count("files") == 1
        await fetcher.stop()


async def test_two_that_fetch_at_once_ask_for_each_thing_once(database_url: str) -> None:
    async with office(database_url) as (wecom, house, caller):
        await house.app.fetcher.stop()
        urls = [wecom.lies(f"p{n}", picture(), KEY) for n in range(6)]
        await caller.shows("ZhangJing", PROBLEM, urls, GROUP)
        others = [Fetcher(house.app.writer, house.app.platforms) for _ in range(2)]
        await asyncio.gather(*(fetcher.drain() for fetcher in others))
        assert sorted(wecom.asked_files) == [f"p{n}" for n in range(6)]
        assert (await told(house)).count(".png") == 6


async def test_what_is_under_way_at_a_stop_is_due_at_once(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        wecom.instead["p1"] = HELD
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        for _ in range(300):
            if wecom.asked_files:
                break
            await asyncio.sleep(0.01)
        assert await house.read(lambda uow: uow.attachments.due(1)) == []
        await house.app.fetcher.stop()
        assert await house.read(lambda uow: uow.attachments.due(1)) != []


async def test_what_a_dead_process_left_is_taken_up_by_the_next(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom:
        async with House(sqlite_url, settings(wecom.base)) as house:
            await house.app.writer.run(accounts)
            url = wecom.lies("p1", picture(), KEY)
            wecom.instead["p1"] = 502
            await Caller(house).shows("ZhangJing", PROBLEM, [url], GROUP)
            await house.app.fetcher.drain()
        del wecom.instead["p1"]
        async with House(sqlite_url, settings(wecom.base), sample=False) as house:
            await tries(house)
            assert "图片1.png" in await told(house)


async def test_a_files_own_key_opens_it_and_is_told_to_nobody(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeWeCom() as wecom, FakeLine() as line:
        wired = {
            "WECOM_API_BASE": wecom.base,
            "WECOM_AIBOT_ID": BOT,
            "WECOM_AIBOT_SECRET": SECRET,
            "WECOM_AIBOT_WS": line.url,
        }
        async with House(sqlite_url, wired) as house:
            await house.app.writer.run(accounts)
            await line.subscribed.wait()
            shown = {"url": wecom.lies("p1", picture(), OTHER_KEY), "aeskey": OTHER_KEY}
            items = [
                {"msgtype": "text", "text": {"content": PROBLEM}},
                {"msgtype": "image", "image": shown},
            ]
            await line.says("ZhangJing", "", GROUP, msgtype="mixed", mixed={"msg_item": items})
            await line.sees(lambda: len(line.answers) == 1)
            await tries(house)
            words = await told(house)
            assert "图片1.png" in words
            _, page = await sees(house, link_in(words))
            api = json.dumps(await house.api("GET", "/tickets/1001"))
            audit = json.dumps(await house.api("GET", "/audit"))
            # What the far end writes down of our asking is its own.
            ours = [r for r in caplog.records if r.name != "aiohttp.access"]
            logged = str([(r.getMessage(), vars(r)) for r in ours])
            for place in (words, page, api, audit, logged):
                assert OTHER_KEY not in place
                assert "sign=" not in place


async def test_what_came_to_the_app_is_kept_too(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        wecom.stored["m1"] = ("", picture("JPEG"))
        wecom.stored["m2"] = ("", b"#!AMR\n" + bytes(50))
        await caller.app_says("ZhangJing", "车间行车坏了，抱闸失灵，没法吊装")
        await caller.app_sends("ZhangJing", "image", "m1")
        await caller.app_sends("ZhangJing", "voice", "m2")
        await tries(house)
        words = await told(house)
        assert "图片1.jpg" in words
        assert "语音1.amr" in words


async def test_what_came_by_personal_wechat_is_kept_too(sqlite_url: str) -> None:
    async with FakeWeCom() as wecom, House(sqlite_url, app_only(wecom.base)) as house:
        await house.app.writer.run(accounts)
        wecom.stored["kf1"] = ("", picture("JPEG"))
        wecom.customer(CUSTOMER, content="厂门口路灯坏了5盏，晚上看不见")
        await pulled(house, wecom, 1)
        wecom.customer(CUSTOMER, "image", media_id="kf1")
        await pulled(house, wecom, 2)
        await tries(house)
        await house.says("P055", "查 1001")
        assert "附件1个：图片1.jpg" in (await house.last("P055"))["text"]


async def test_feishus_files_keep_their_names(sqlite_url: str) -> None:
    async with FakeFeishu() as far, House(sqlite_url, feishu_settings(far.base)) as house:
        await house.app.writer.run(
            lambda uow: uow.people.save_identity(Identity("feishu", "ou_zhang", "E003-1"))  # type: ignore[arg-type]
        )
        caller = FeishuCaller(house, far)
        await caller.says("ou_zhang", "车间行车坏了，抱闸失灵，没法吊装")
        report = word("检测报告")
        far.resources[("file", "om_file", "file_v3_1")] = report
        await caller.says(
            "ou_zhang",
            kind="file",
            message_id="om_file",
            content={"file_key": "file_v3_1", "file_name": "检测报告.docx"},
        )
        await tries(house)
        words = await told(house)
        assert "附件1个：检测报告.docx" in words
        _, page = await sees(house, link_in(words))
        (part,) = re.findall(r'<a href="([^"]+)"', page)
        assert await (await house.client.get(part)).read() == report


async def test_a_bridges_files_are_kept_and_who_is_only_believed_gets_no_address(
    sqlite_url: str,
) -> None:
    async with FakeBridge() as bridge, House(sqlite_url, bridge.settings) as house:
        url = bridge.lies("a.png", picture())
        sent = [
            {"type": "image", "url": url, "name": "行车.png"},
            {"type": "image", "url": "https://collector.invalid/x.png", "name": "别处.png"},
        ]
        named = {"sender": {"id": "u1", "name": "泓曜精密-张经理"}}
        await bridge.says(house, "u1", "车间行车坏了，抱闸失灵", attachments=sent, **named)
        await tries(house)
        replies = await bridge.says(house, "u1", "查 1001", **named)
        assert "附件2个：行车.png、别处.png（图片没有取到，请您再发一次）" in replies[0]["text"]
        assert "/l/" not in replies[0]["text"]
        assert (await sees(house, link_in(await told(house))))[0] == 200


async def test_what_is_merged_brings_its_files_along(sqlite_url: str) -> None:
    async with office(sqlite_url) as (wecom, house, caller):
        await caller.shows("ZhangJing", PROBLEM, [wecom.lies("p1", picture(), KEY)], GROUP)
        await tries(house)
        await caller.says("ZhangJing", "@小港 车间缺操作工20人，临时招不到", GROUP)
        assert await house.count("tickets") == 2
        await house.says("P041", "合并 1001 到 1002")
        assert (await house.ticket()).merged_into == 1002
        await house.says("P041", "查 1002")
        words = str((await house.last("P041"))["text"])
        assert "图片1.png" in words
        _, page = await sees(house, link_in(words))
        (part,) = re.findall(r'<img src="([^"]+)"', page)
        assert await (await house.client.get(part)).read() == picture()
        assert wecom.asked_files == ["p1"]


async def test_in_the_sandbox_a_picture_opens_as_everywhere(sqlite_url: str) -> None:
    data = base64.b64encode(picture()).decode()
    sent = [{"type": "image", "name": "行车.png", "url": f"data:image/png;base64,{data}"}]
    async with House(sqlite_url) as house:
        await house.group_says(OWN, PROBLEM, attachments=sent)
        await tries(house)
        words = await told(house)
        assert "附件1个：行车.png" in words
        _, page = await sees(house, link_in(words))
        (part,) = re.findall(r'<img src="([^"]+)"', page)
        assert await (await house.client.get(part)).read() == picture()
        messages = await house.read(lambda uow: uow.tickets.messages(1001))
        assert messages[0].attachments[0].kind is AttachmentKind.IMAGE
