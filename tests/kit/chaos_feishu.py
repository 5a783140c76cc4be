"""Feishu under chaos."""

import asyncio
import random
from typing import Any

from aiohttp import ClientError, web

from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.chaos import Saying, Storm
from tests.kit.fake_feishu import APP_ID, SECRET, FakeFeishu, said
from tests.kit.fake_feishu_line import FakeLongConnection
from tests.kit.feishu import Caller, settings
from tests.kit.house import House

GROUP = "oc_36b3216fdaeeb975729fae923d5a4fd1"
ZHANG, ZHOU = "ou_zhangjing", "ou_zhoulian"
PEOPLE = ((ZHANG, "E003-1"), (ZHOU, "P041"), ("ou_xulead", "P028"), ("ou_duty", "P055"))


def introduced(uow: UnitOfWork) -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("feishu", user, person))
    uow.chats.save_chat(Chat("feishu", GROUP, "群", "group", True))


class Stormy(FakeFeishu):
    storm: Storm

    async def _before(self, request: web.Request) -> web.Response | None:
        fault = self.storm.next()
        if fault == "html":
            return web.Response(text="<html>请先登录</html>", content_type="text/html")
        if fault == "hang":
            # Longer than anybody waits; it never got as far as being looked at.
            await asyncio.sleep(30.0)
            return web.Response(status=504)
        if fault and not (fault == "half" and "half" in self.faults):
            self.faults.append(fault)
        return await super()._before(request)


class Events:
    """Events v2 by callback; messages by the tenant's token, whose uuid makes a repeat harmless."""

    platform = "feishu"
    faults = ("expired", "throttled", "throttled_old", "busy", "broken", "half", "html", "hang")
    again = (15.0, 300.0)
    firm, staff = ZHANG, ZHOU
    chats = ((GROUP, True), (ZHANG, False), ("ou_xulead", False))
    unknowable = 0

    def __init__(self, chance: random.Random) -> None:
        self.storm = Storm(chance)
        self._chance = chance
        self._far = Stormy()
        self._far.storm = self.storm
        self.hazards = {"token ends": self._token_ends, "hang up": self._hang_up}
        self._hanging_up = 0
        self._made: dict[int, dict[str, Any]] = {}

    async def __aenter__(self) -> "Events":
        await self._far.server.start_server()
        self.settings = settings(self._far.base)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._far.server.close()

    async def opened(self, house: House) -> None:
        self._caller = Caller(house, self._far)
        await house.app.writer.run(introduced)

    async def _token_ends(self) -> None:
        self._far.forget_token()

    async def _hang_up(self) -> None:
        """The next answers of ours are not waited for."""
        self._hanging_up += self._chance.randint(1, 3)

    async def brings(self, saying: Saying) -> bool:
        made = self._made.get(saying.number)
        if made is None:
            chat = GROUP if saying.in_group else ""
            made = self._caller.message(saying.who, saying.words, chat, at_bot=saying.in_group)
            self._made[saying.number] = made
        if self._hanging_up:
            self._hanging_up -= 1
            return await hung_up(self._caller.post(made), self._chance)
        try:
            status, _ = await self._caller.post(made)
        except ClientError:
            return False
        return status == 200

    def event_id(self, saying: Saying) -> str:
        return str(self._made[saying.number]["event"]["message"]["message_id"])

    def told(self) -> list[tuple[str, str]]:
        return [(m["receive_id"], said(m)) for m in self._far.messages]

    def wrong(self) -> list[str]:
        over = [f"{self._far.overrun} over the rate"] if self._far.overrun else []
        return [*self._far.refused, *over]


async def hung_up(posting: Any, chance: random.Random) -> bool:
    """The caller goes away at any point of its request: it never hears whether it was taken."""
    task = asyncio.ensure_future(posting)
    for _ in range(chance.randint(0, 12)):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return False


class StormyLine(FakeLongConnection):
    """Brings each event by any of the connections that it believes in."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(APP_ID, SECRET)
        self._chance = chance
        self.config |= {"ReconnectInterval": 8, "ReconnectNonce": 4, "PingInterval": 20}

    @property
    def well(self) -> list[web.WebSocketResponse]:
        return [s for s in self.live if s not in self.silent | self.mute and not s.closed]

    def _socket(self) -> web.WebSocketResponse:
        if not self.live:
            raise ConnectionError("nobody is connected")
        return self._chance.choice(self.live)

    def cuts(self, socket: web.WebSocketResponse) -> None:
        """The network goes: no close, no word."""
        transport = socket._req.transport if socket._req else None
        if transport is not None:
            transport.abort()


class Connection(Events):
    """The long connection hears; what is not answered on a healthy one is a fault, and so is what
    was brought as often as Feishu brings it and never taken."""

    again = (*Events.again, 3600.0)

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._line = StormyLine(chance)
        self._line.attach(self._far.app)
        self._unanswered: list[str] = []
        self._open: set[int] = set()
        self.hazards = {
            "token ends": self._token_ends,
            "close": self._close,
            "cut": self._cut,
            "half-open": self._half_open,
            "mute": self._mute,
            "denied": self._denied,
            "full": self._full,
        }

    async def __aenter__(self) -> "Connection":
        await super().__aenter__()
        self.settings = settings(self._far.base, line=True)
        return self

    async def opened(self, house: House) -> None:
        await self._line.connected.wait()
        await super().opened(house)

    # ---- what happens to connections

    async def _close(self) -> None:
        for socket in self._line.well:
            await socket.close()

    async def _cut(self) -> None:
        for socket in self._line.well:
            self._line.cuts(socket)

    async def _half_open(self) -> None:
        """Nothing gets through in either direction any more, and nobody is told."""
        self._line.silent.update(self._line.well)

    async def _mute(self) -> None:
        """The network is there and the platform behind it is not."""
        self._line.mute.update(self._line.well)

    async def _denied(self) -> None:
        self._line.denials.extend(self._chance.choices((503, 429, 1, 1000040345), k=2))
        await self._cut()

    async def _full(self) -> None:
        full = {"handshake-status": "514", "handshake-autherrcode": "1000040350"}
        self._line.handshakes.append(full)
        await self._close()

    # ---- what is brought

    async def brings(self, saying: Saying) -> bool:
        made = self._made.get(saying.number)
        if made is None:
            chat = GROUP if saying.in_group else ""
            made = self._caller.message(saying.who, saying.words, chat, at_bot=saying.in_group)
            self._made[saying.number] = made
            self._open.add(saying.number)
        line, pieces = self._line, self._chance.choice((1, 1, 3))
        try:
            brought = await line.brings(made, pieces)
        except ConnectionError:
            return False
        socket = line.brought_on[brought]
        # It waits three seconds and then brings it again.
        for _ in range(60):
            if line.codes(brought) == [200]:
                self._open.discard(saying.number)
                return True
            if brought in line.answers:
                return False
            if socket not in line.well:
                return False
            await asyncio.sleep(0.05)
        self._unanswered.append(f"{brought} was not answered")
        return False

    def wrong(self) -> list[str]:
        never = [f"{number} was never taken" for number in sorted(self._open)]
        return [*super().wrong(), *self._line.refused[:5], *self._unanswered[:5], *never[:5]]
