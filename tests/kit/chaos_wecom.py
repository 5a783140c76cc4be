"""WeCom under chaos: callbacks with app and robot, the long connection, the app with 微信客服."""

import asyncio
import json
import random
import time
from collections import deque
from typing import Any

from aiohttp import ClientError, web

from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.chaos import Saying, Storm
from tests.kit.chaos_feishu import hung_up
from tests.kit.fake_wecom import KF, FakeWeCom
from tests.kit.fake_wecom_line import BOT, SECRET, FakeLine
from tests.kit.house import House
from tests.kit.wecom import CORP, Caller, settings

GROUP = "wrkSFfCgAAbQ7mZx1kTt2uW9pLhE0aAA"
ZHANG, ZHOU, XU, DUTY = "ZhangJing", "ZhouLian", "XuLead", "Duty"
PEOPLE = ((ZHANG, "E003-1"), (ZHOU, "P041"), (XU, "P028"), (DUTY, "P055"))
CUSTOMER = "wmKx3TDgAA9f8xj2invented"
NOTICE = (
    f"<xml><ToUserName>{CORP}</ToUserName><CreateTime>1795334400</CreateTime>"
    "<MsgType>event</MsgType><Event>kf_msg_or_event</Event>"
    f"<Token>ENC</Token><OpenKfId>{KF}</OpenKfId></xml>"
)
# Where the far end shows a repeat.
_SHOWN_AGAIN = ("/cgi-bin/webhook/send", "/cgi-bin/aibot/response")


def introduced(uow: UnitOfWork, robot: str = "") -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("wecom", user, person))
    uow.chats.save_chat(Chat("wecom", GROUP, "群", "group", True, robot))


class Stormy(FakeWeCom):
    """Counts what each member gets in a minute, knows a customer's message by its msgid."""

    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self.storm = storm
        self.unknowable = 0
        self._to_members: dict[str, deque[float]] = {}
        self._msgids: set[str] = set()

        @web.middleware
        async def weather(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._weather(request, handler)

        self.server.app.middlewares.append(weather)

    async def _weather(self, request: web.Request, handler: Any) -> web.StreamResponse:
        fault = self.storm.next()
        if fault == "expired":
            self._token = ""
        elif fault == "throttled":
            return web.json_response({"errcode": 45009, "errmsg": "api freq out of limit"})
        elif fault == "busy":
            return web.json_response({"errcode": -1, "errmsg": "system busy"})
        elif fault == "broken":
            return web.Response(status=502, text="bad gateway")
        elif fault == "html":
            self._not_told(request)
            return web.Response(text="<html>请先登录</html>", content_type="text/html")
        elif fault == "empty":
            self._not_told(request)
            return web.json_response({})
        elif fault == "hang":
            self._not_told(request)
            await asyncio.sleep(30.0)
            return web.Response(status=504)
        taken: web.StreamResponse = await handler(request)
        if fault in ("half", "late"):
            self._not_told(request)
            if fault == "late":
                await asyncio.sleep(30.0)
            assert request.transport is not None
            request.transport.close()
        return taken

    def _not_told(self, request: web.Request) -> None:
        self.unknowable += request.path in _SHOWN_AGAIN

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.json()
        before = len(self.app_messages)
        answer = await super()._send(request)
        if len(self.app_messages) > before:
            stamps, now = self._to_members.setdefault(body["touser"], deque()), time.monotonic()
            stamps.append(now)
            for most, per in ((30, 60.0), (1000, 3600.0)):
                if sum(1 for at in stamps if at > now - per) > most:
                    self.refused.append(f"more than {most} to one member in {per:.0f} s")
        return answer

    async def _kf_send(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("msgid") in self._msgids:
            return web.json_response({"errcode": 40058, "errmsg": "msgid is used"})
        before = len(self.kf_said)
        answer = await super()._kf_send(request)
        if len(self.kf_said) > before:
            self._msgids.add(body["msgid"])
        return answer

    def shown(self) -> list[tuple[str, str]]:
        found = [(m["touser"], _words(m)) for m in self.app_messages]
        found += [(GROUP, _words(body)) for _, body in self.robot_messages]
        found += [(f"kf:{KF}:{m['touser']}", _words(m)) for m in self.kf_said]
        return found


def _words(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


class Callbacks:
    """The aibot by callback; the app speaks to people, the group's robot to the group."""

    platform = "wecom"
    faults: tuple[str, ...] = (
        "expired", "throttled", "busy", "broken", "html", "empty", "hang", "half", "late",
    )  # fmt: skip
    again: tuple[float, ...] = (5.0, 5.0, 5.0)
    firm, staff = ZHANG, ZHOU
    chats: tuple[tuple[str, bool], ...] = ((GROUP, True), (XU, False), (DUTY, False))

    def __init__(self, chance: random.Random) -> None:
        self.storm = Storm(chance)
        self._chance = chance
        self._far = Stormy(self.storm)
        self._hanging_up = 0
        self.hazards = {"hang up": self._hang_up}

    async def __aenter__(self) -> "Callbacks":
        await self._far.server.start_server()
        self.settings = settings(self._far.base)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._far.server.close()

    @property
    def unknowable(self) -> int:
        return self._far.unknowable

    async def opened(self, house: House) -> None:
        self._caller = Caller(house)
        robot = f"{self._far.base}/cgi-bin/webhook/send?key=robot-1"
        await house.app.writer.run(lambda uow: introduced(uow, robot))

    async def _hang_up(self) -> None:
        self._hanging_up += self._chance.randint(1, 3)

    async def brings(self, saying: Saying) -> bool:
        posting = self._caller.post_aibot(self._message(saying))
        if self._hanging_up:
            self._hanging_up -= 1
            return await hung_up(posting, self._chance)
        try:
            status, _ = await posting
        except ClientError:
            return False
        return status == 200

    def _message(self, saying: Saying) -> dict[str, Any]:
        plain = {
            "msgid": self.event_id(saying),
            "aibotid": BOT,
            "chattype": "group" if saying.in_group else "single",
            "from": {"userid": saying.who},
            "response_url": f"{self._far.base}/cgi-bin/aibot/response?response_code={saying.number}",
            "msgtype": "text",
            "text": {"content": f"@小港 {saying.words}" if saying.in_group else saying.words},
        }
        return plain | ({"chatid": GROUP} if saying.in_group else {})

    def event_id(self, saying: Saying) -> str:
        return f"MSG{saying.number:05d}"

    def told(self) -> list[tuple[str, str]]:
        return self._far.shown()

    def wrong(self) -> list[str]:
        return self._far.refused


class Customers(Callbacks):
    """The app hears and speaks to colleagues; the firm stays on personal WeChat, by 微信客服."""

    chats = ((XU, False), (DUTY, False))
    firm = CUSTOMER
    # Five in 48 hours: what matters less is not said, and nothing when they are used up.
    may_end = ("unreachable:kf_kept", "unreachable:kf_window", "permanent:40058")

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.hazards = {"hang up": self._hang_up, "page again": self._page_again}

    async def __aenter__(self) -> "Customers":
        await super().__aenter__()
        self.settings = {
            k: v for k, v in settings(self._far.base).items() if not k.startswith("WECOM_AIBOT")
        }
        return self

    async def opened(self, house: House) -> None:
        await super().opened(house)
        self._house = house
        self._far.customer(
            CUSTOMER, "event", scene="firm", welcome_code="kfw-1",
            scene_param="%E6%B3%93%E6%9B%9C%E7%B2%BE%E5%AF%86",
        )  # fmt: skip
        await self._caller.post_app(NOTICE)

    async def _page_again(self) -> None:
        """The cursor goes back: the platform gives a page once more."""
        key = f"kf:cursor:{KF}"
        noted = await self._house.read(lambda uow: uow.notes.get("wecom", key))
        back = str(max(0, int(noted or 0) - self._chance.randint(1, 4)))
        await self._house.app.writer.run(lambda uow: uow.notes.put("wecom", key, back))

    async def brings(self, saying: Saying) -> bool:
        if saying.who != CUSTOMER:
            posting = self._caller.post_app(
                f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{saying.who}</FromUserName>"
                f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType>"
                f"<Content><![CDATA[{saying.words}]]></Content><MsgId>{saying.number}</MsgId>"
                f"<AgentID>1000007</AgentID></xml>"
            )
            if self._hanging_up:
                self._hanging_up -= 1
                return await hung_up(posting, self._chance)
            try:
                return await posting == 200
            except ClientError:
                return False
        known = {row["msgid"] for row in self._far.kf_came}
        if self.event_id(saying).removeprefix("kf-") not in known:
            self._far.customer(CUSTOMER, content=saying.words)
            self._far.kf_came[-1]["msgid"] = self.event_id(saying).removeprefix("kf-")
        if self._chance.random() < 0.3:
            # The notice got lost: the next one, or the next look, brings the message.
            return True
        try:
            await self._caller.post_app(NOTICE)
        except ClientError:
            pass
        return True

    def event_id(self, saying: Saying) -> str:
        if saying.who == CUSTOMER:
            return f"kf-kfs-{saying.number}"
        return f"app-{saying.number}"


class StormyLine(FakeLine):
    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self.storm = storm
        self.unknowable = 0
        self._hours: dict[str, deque[float]] = {}

    async def _taken(
        self, socket: web.WebSocketResponse, frame: dict[str, Any], told: dict[str, Any]
    ) -> int | None:
        speaks = frame.get("cmd") not in ("aibot_subscribe", "ping")
        fault = self.storm.next() if speaks or frame.get("cmd") == "aibot_subscribe" else ""
        if fault == "throttled":
            return 45009
        if fault == "busy":
            return -1
        if fault == "silent":
            self.unknowable += speaks
            return None
        if fault == "unsubscribed" and speaks:
            return 846609
        code = await super()._taken(socket, frame, told)
        if fault == "half" and speaks:
            self.unknowable += 1
            return None
        return code

    def _room(self, session: str) -> bool:
        stamps, now = self._hours.setdefault(session, deque()), time.monotonic()
        stamps.append(now)
        if sum(1 for at in stamps if at > now - 3600.0) > 1000:
            self.refused.append("more than the session's hour takes")
        return super()._room(session)

    async def cut(self) -> None:
        """The network goes: no close, no word."""
        if self._socket is not None and not self._socket.closed:
            self._open.discard(self._socket)
            transport = self._socket._req.transport if self._socket._req else None
            if transport is not None:
                transport.abort()

    @property
    def hears(self) -> bool:
        return self.open == 1 and self._socket in self._open and not self.deaf


class Connection:
    """The aibot's long connection alone: it hears and speaks to groups and people."""

    platform = "wecom"
    faults = ("throttled", "busy", "silent", "half", "unsubscribed")
    again: tuple[float, ...] = ()
    firm, staff = ZHANG, ZHOU
    chats = ((GROUP, True), (XU, False), (DUTY, False))

    def __init__(self, chance: random.Random) -> None:
        self.storm = Storm(chance)
        self._chance = chance
        self._far = StormyLine(self.storm)
        self.hazards = {
            "close": self._close,
            "cut": self._far.cut,
            "half-open": self._half_open,
            "kick": self._kick,
        }

    async def __aenter__(self) -> "Connection":
        await self._far.server.start_server()
        self.settings = {
            "WECOM_AIBOT_ID": BOT,
            "WECOM_AIBOT_SECRET": SECRET,
            "WECOM_AIBOT_WS": self._far.url,
        }
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._far.server.close()

    @property
    def unknowable(self) -> int:
        return self._far.unknowable + self._far.unheard

    async def opened(self, house: House) -> None:
        self._house = house
        await house.app.writer.run(introduced)
        await self._far.subscribed.wait()
        for user, _ in PEOPLE:
            await self._far.enters(user)
        # Somebody wrote in the group once: without it the bot could not speak there.
        await self._far.says(DUTY, "@小港 帮助", GROUP)

    async def _close(self) -> None:
        if self._far.hears:
            await self._far.drops()

    async def _half_open(self) -> None:
        if self._far.hears:
            self._far.deaf = True

    async def _kick(self) -> None:
        """Another program subscribes with the bot's name; after a while the office ends that."""
        if not self._far.hears:
            return
        await self._far.kicks()
        await asyncio.sleep(self._chance.uniform(5.0, 60.0))
        self._house.app.lines.led(False)
        await asyncio.sleep(1.0)
        self._house.app.lines.led(True)

    async def brings(self, saying: Saying) -> bool:
        """Taken when it was written and the connection was well for a while after."""
        far = self._far
        if not far.hears:
            return False
        socket = far._socket
        try:
            await far.says(
                saying.who,
                f"@小港 {saying.words}" if saying.in_group else saying.words,
                GROUP if saying.in_group else "",
                msgid=self.event_id(saying),
            )
        except (ConnectionError, ClientError):
            return False
        await asyncio.sleep(0.5)
        return far.hears and far._socket is socket

    def event_id(self, saying: Saying) -> str:
        return f"MSG{saying.number:05d}"

    def told(self) -> list[tuple[str, str]]:
        found = [(p["chatid"], _words(p)) for p in self._far.pushes]
        return found + [("", _words(a)) for a in self._far.answers]

    def wrong(self) -> list[str]:
        return self._far.refused
