"""DingTalk under chaos: HTTP callbacks, and Stream mode; both speak by the same calls.

A message is brought once: what is acknowledged must be worked on, what is not is lost. An event is
brought again until it is acknowledged.
"""

import asyncio
import json
import random
import time
from collections import defaultdict, deque
from typing import Any

from aiohttp import ClientError, web
from aiohttp.test_utils import TestServer

from handlers.domain.people import Chat, Identity
from storage.uow import UnitOfWork
from tests.kit.chaos import Saying, Storm
from tests.kit.chaos_feishu import hung_up
from tests.kit.dingtalk import Caller, by_http, read_by, settings
from tests.kit.fake_dingtalk import CLIENT_ID, CORP, SECRET, FakeDingTalk, said
from tests.kit.fake_dingtalk_line import MESSAGES, FakeStream
from tests.kit.house import House

GROUP = "cidKeyFirms=="
# Groups of outsiders, each spoken to by a robot of its own.
OUTSIDE = ("outsiders-east", "outsiders-west")
ZHANG, ZHOU, XU, DUTY = "zhangjing", "zhoulian", "xulead", "duty"
PEOPLE = ((ZHANG, "E003-1"), (ZHOU, "P041"), (XU, "P028"), (DUTY, "P055"))
# Where the far end shows a repeat.
_SHOWN_AGAIN = (
    "/v1.0/robot/groupMessages/send",
    "/v1.0/robot/oToMessages/batchSend",
    "/robot/sendBySession",
    "/robot/send",
)
_HOUR = 3600.0
_SESSION_SECONDS = 5400.0
_PAGE = "<!DOCTYPE html><html><body>punish?x5secdata=xf</body></html>"


def introduced(uow: UnitOfWork, far: FakeDingTalk) -> None:
    for user, person in PEOPLE:
        uow.people.save_identity(Identity("dingtalk", user, person))
    uow.chats.save_chat(Chat("dingtalk", GROUP, "群", "group", True))
    for chat in OUTSIDE:
        robot = far.robot(chat)
        uow.chats.save_chat(Chat("dingtalk", chat, "外部群", "group", True, robot_url=robot))


class Stormy(FakeDingTalk):
    """Lives by a clock of its own and counts every call, those that it refuses too."""

    def __init__(self, storm: Storm) -> None:
        super().__init__()
        self.storm = storm
        self.unknowable = 0
        # How far its clock is from where it was; what a signature may be late by is an hour.
        self.apart = 0.0
        # The limiter of addresses, and the group by whose robot somebody else spoke.
        self.limited = False
        self.robot_used_up = ""
        self.shown: list[tuple[str, str]] = []
        self._wall = 0.0
        self._came: dict[str, deque[float]] = defaultdict(deque)
        self._until: dict[str, float] = {}
        self._silent: dict[str, float] = {}

        @web.middleware
        async def weather(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._weather(request, handler)

        self.app.middlewares.append(weather)

    def begins(self) -> None:
        """The clock of whoever calls is its own from now on."""
        self._wall = time.time() - time.monotonic()

    def now(self) -> float:
        return self._wall + time.monotonic() + self.apart

    def milliseconds(self) -> int:
        return int(self.now() * 1000)

    # ---- what calls meet

    async def _weather(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/stream"):
            served: web.StreamResponse = await handler(request)
            return served
        self._count(request)
        if self.limited:
            return web.Response(text=_PAGE, content_type="text/html")
        if request.path == "/robot/send" and self._is_silent(_group_of(request)):
            return web.json_response({"errcode": 130101, "errmsg": "send too fast"})
        fault = self.storm.next()
        if fault == "expired":
            self.forget_token()
        elif fault == "throttled":
            return self._no("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403)
        elif fault == "throttled_old":
            return web.Response(status=429, headers={"Retry-After": "2"})
        elif fault == "throttled_200":
            return web.json_response({"errcode": 90018, "errmsg": "qps", "code": "90018"})
        elif fault == "flow" and request.path.endswith("batchSend"):
            return await self._controlled(request)
        elif fault == "busy":
            return self._no("system.busy", 500)
        elif fault == "broken":
            return web.Response(status=502, text="<html>bad gateway</html>")
        elif fault == "empty":
            self._not_told(request)
            return web.json_response({})
        elif fault == "hang":
            # Longer than anybody waits; it never got as far as being looked at.
            self._not_told(request)
            await asyncio.sleep(30.0)
            return web.Response(status=504)
        answer: web.StreamResponse | None = None
        if fault != "slow" or self.storm.chance.random() < 0.5:
            answer = await handler(request)
        if fault == "slow":
            # It waited for itself in vain; whether it was done later nobody says.
            self._not_told(request)
            await asyncio.sleep(3.0)
            return web.Response(status=504, text="<html>gateway time-out</html>")
        if fault in ("half", "late"):
            self._not_told(request)
            if fault == "late":
                await asyncio.sleep(30.0)
            assert request.transport is not None
            request.transport.close()
        assert answer is not None
        return answer

    def _is_silent(self, group: str) -> bool:
        """Told once that it was too much, nobody may come for ten minutes."""
        if time.monotonic() < self._silent.get(group, 0.0):
            self.refused.append(f"the robot of {group} had to be silent")
        elif self.robot_used_up == group:
            self.robot_used_up = ""
            self._silent[group] = time.monotonic() + 600.0
        else:
            return False
        return True

    async def _controlled(self, request: web.Request) -> web.Response:
        users = (await request.json())["userIds"]
        plain = {"invalidStaffIdList": [], "filteredStaffIdList": []}
        return web.json_response(
            plain | {"flowControlledStaffIdList": users, "processQueryKey": "pqk-nobody="}
        )

    def _not_told(self, request: web.Request) -> None:
        self.unknowable += request.path in _SHOWN_AGAIN

    def _count(self, request: web.Request) -> None:
        """20 a second to one call of the application, 20 a minute by a robot, whatever came of them."""
        key, most, per = request.path, 20, 1.0
        if request.path == "/robot/send":
            key, per = _group_of(request), 60.0
        elif not request.path.startswith("/v1.0/"):
            return
        stamps, now = self._came[key], time.monotonic()
        stamps.append(now)
        while stamps[0] <= now - per:
            stamps.popleft()
        if len(stamps) > most:
            self.refused.append(f"{len(stamps)} in {per:.0f} s to {key}")

    # ---- what is taken

    def session(self, chat: str) -> str:
        url = super().session(chat)
        self._until[url.rpartition("=")[2]] = time.monotonic() + _SESSION_SECONDS
        return url

    async def _session(self, request: web.Request) -> web.StreamResponse:
        key = request.query.get("session", "")
        if self._until.get(key, 0.0) < time.monotonic():
            self.sessions.pop(key, None)
        return await super()._session(request)

    def sessions_end(self) -> None:
        """Whatever was said of how long they live."""
        self.sessions.clear()

    async def _robot(self, request: web.Request) -> web.StreamResponse:
        if abs(self.now() - int(request.query.get("timestamp", "0")) / 1000) > _HOUR:
            return web.json_response({"errcode": 310000, "errmsg": "sign not match"})
        before = len(self.robot_said)
        answer = await super()._robot(request)
        self.shown += [(_group_of(request), said(one)) for one in self.robot_said[before:]]
        return answer

    def _take(self, receiver: str, shown: dict[str, Any]) -> str:
        self.shown.append((receiver, said(shown)))
        return super()._take(receiver, shown)

    def wrong(self) -> list[str]:
        over = [f"{self.overrun} over the rate"] if self.overrun else []
        return [*self.refused[:5], *over]


def _group_of(request: web.Request) -> str:
    """The group whose robot is called."""
    return request.query.get("access_token", "").removeprefix("canary-robot-")


class Callbacks:
    """Messages and events by HTTP, signed with their time."""

    platform = "dingtalk"
    faults: tuple[str, ...] = (
        "expired", "throttled", "throttled_old", "throttled_200", "flow", "busy", "broken", "empty",
        "slow", "hang", "half", "late",
    )  # fmt: skip
    again: tuple[float, ...] = ()
    firm, staff = ZHANG, ZHOU
    chats = ((GROUP, True), *((chat, True) for chat in OUTSIDE), (XU, False), (DUTY, False))
    streams = False

    def __init__(self, chance: random.Random) -> None:
        self.storm = Storm(chance)
        self._chance = chance
        self._far = Stormy(self.storm)
        self.hazards = {
            "address limited": self._limited,
            "addresses end": self._addresses_end,
            "clocks apart": self._apart,
            "hang up": self._hang_up,
            "robot used up": self._robot_used_up,
        }
        self._hanging_up = 0
        self._made: dict[int, dict[str, Any]] = {}
        # Of what somebody has read: who, and which message.
        self._read: dict[str, dict[str, str]] = {}
        self._wrong: list[str] = []
        # Events beside the sayings that were acknowledged.
        self.also_acknowledged: set[str] = set()
        self._again: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Callbacks":
        await self._far.server.start_server()
        self.settings = settings(self._far.base, self.streams)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        await self._far.server.close()

    @property
    def unknowable(self) -> int:
        return self._far.unknowable

    async def opened(self, house: House) -> None:
        self._house = house
        self._far.begins()
        self._caller = self._who_calls(house)
        await house.app.writer.run(lambda uow: introduced(uow, self._far))
        self._again = asyncio.create_task(self._brought_again(), name="events again")

    def _who_calls(self, house: House) -> Caller:
        return Caller(house, self._far)

    # ---- what happens by itself

    async def _limited(self) -> None:
        """The limiter of addresses keeps us out; once, because five minutes of silence follow."""
        self.hazards.pop("address limited", None)
        self._far.limited = True
        await asyncio.sleep(self._chance.uniform(20.0, 60.0))
        self._far.limited = False

    async def _addresses_end(self) -> None:
        self._far.sessions_end()

    async def _apart(self) -> None:
        """The clocks are further apart than a signature may be old."""
        self._far.apart = self._chance.choice((-1, 1)) * self._chance.uniform(1.3, 3.0) * _HOUR
        await asyncio.sleep(self._chance.uniform(5.0, 40.0))
        self._far.apart = 0.0

    async def _hang_up(self) -> None:
        """The next answers of ours are not waited for."""
        self._hanging_up += self._chance.randint(1, 3)

    async def _robot_used_up(self) -> None:
        """Somebody else spoke by a group's robot; once, because ten minutes of silence follow."""
        self.hazards.pop("robot used up", None)
        self._far.robot_used_up = self._chance.choice(OUTSIDE)

    # ---- what is brought

    async def brings(self, saying: Saying) -> bool:
        self._somebody_reads()
        made = self._message(saying)
        posting = self._caller.post(made, self._far.milliseconds())
        if self._hanging_up:
            self._hanging_up -= 1
            return await hung_up(posting, self._chance)
        apart = bool(self._far.apart)
        try:
            status, _ = await posting
        except ClientError:
            return False
        if apart and status == 200:
            self._wrong.append("a signature of another hour was taken")
        return status == 200

    def _message(self, saying: Saying) -> dict[str, Any]:
        made = self._made.get(saying.number)
        if made is None:
            now = self._far.milliseconds()
            made = self._made[saying.number] = self._caller.message(
                saying.who,
                saying.words,
                GROUP if saying.in_group else "",
                msg_id=self.event_id(saying),
                createAt=now,
                sessionWebhookExpiredTime=now + int(_SESSION_SECONDS * 1000),
            )
        return made

    def event_id(self, saying: Saying) -> str:
        return f"msg{saying.number:05d}=="

    # ---- events

    def _somebody_reads(self) -> None:
        messages = self._far.messages
        if messages and self._chance.random() < 0.3:
            user, _ = self._chance.choice(PEOPLE)
            event_id = f"read{len(self._read):05d}"
            self._read[event_id] = read_by(user, self._chance.choice(messages[-20:]))

    def _open_events(self) -> list[str]:
        return [i for i in self._read if i not in self.also_acknowledged]

    async def _brought_again(self) -> None:
        """Those that were not acknowledged, in any order, and sometimes one that was."""
        while True:
            await asyncio.sleep(self._chance.uniform(2.0, 15.0))
            due = self._open_events()
            if self.also_acknowledged and self._chance.random() < 0.2:
                due.append(self._chance.choice(sorted(self.also_acknowledged)))
            self._chance.shuffle(due)
            for event_id in due:
                await self._event(event_id)

    async def _event(self, event_id: str) -> None:
        plain = by_http("robot_msg_read", event_id, self._read[event_id])
        posting = self._caller.post_event(plain)
        if self._hanging_up:
            self._hanging_up -= 1
            await hung_up(posting, self._chance)
            return
        try:
            if await posting == (200, "success"):
                self.also_acknowledged.add(event_id)
        except ClientError:
            pass

    # ---- what came of it

    def told(self) -> list[tuple[str, str]]:
        return self._far.shown

    def wrong(self) -> list[str]:
        never = [f"{i} was never acknowledged" for i in self._open_events()]
        return [*self._far.wrong(), *self._wrong[:3], *never[:3]]


class StormyStream(FakeStream):
    """Gives out several endpoints on two machines, and brings each frame on any connection it has."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(CLIENT_ID, SECRET)
        self._chance = chance
        self._other = TestServer(web.Application())
        self._node: dict[str, str] = {}
        # The next endpoints given out lead nowhere, the next tickets are over when they are used.
        self.closed_endpoints = 0
        self.stale_tickets = 0

    def attach(self, app: web.Application) -> None:
        app.router.add_post("/v1.0/gateway/connections/open", self._open)
        for one in (app, self._other.app):
            one.router.add_get("/stream/{node}", self._serve)

    async def starts(self) -> None:
        await self._other.start_server()

    async def ends(self) -> None:
        await self._other.close()

    @property
    def well(self) -> list[web.WebSocketResponse]:
        return [s for s in self.live if s not in self.silent and not s.closed]

    def is_well(self, frame: str) -> bool:
        """Whether the connection that brought the frame still carries both ways."""
        socket = self.brought_on[frame]
        return socket in self.well and socket not in self.void

    def _socket(self) -> web.WebSocketResponse:
        if not self.live:
            raise ConnectionError("nobody is connected")
        return self._chance.choice(self.live)

    async def _open(self, request: web.Request) -> web.Response:
        answer = await super()._open(request)
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)
        plain = json.loads(answer.body)
        node = f"n{self._chance.randint(1, 9)}"
        base = self._chance.choice((request.url, self._other.make_url("/")))
        if self.closed_endpoints:
            self.closed_endpoints -= 1
            # Nobody has the port of discarded bytes open.
            base = base.with_port(9)
        if self.stale_tickets:
            self.stale_tickets -= 1
            self._valid.pop(plain["ticket"])
        self._node[plain["ticket"]] = node
        plain["endpoint"] = str(base.with_path(f"/stream/{node}").with_scheme("ws"))
        return web.json_response(plain)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if self._node.get(ticket) != request.match_info["node"]:
            self.refused.append("a ticket at another endpoint")
            return web.Response(status=401)
        return await super()._serve(request)

    def cuts(self, socket: web.WebSocketResponse) -> None:
        """The network goes: no close, no word."""
        transport = socket._req.transport if socket._req else None
        if transport is not None:
            transport.abort()


class Stream(Callbacks):
    """The long connection hears; what is not answered on a healthy one is a fault."""

    streams = True

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._line = StormyStream(chance)
        self._line.attach(self._far.app)
        self._in_hand: set[str] = set()
        self._frames: dict[int, str] = {}
        self._ends_behind_next = False
        del self.hazards["hang up"]
        self.hazards |= {
            "close": self._close,
            "cut": self._cut,
            "half-open": self._half_open,
            "one way": self._one_way,
            "sent away": self._sent_away,
            "ends behind a frame": self._ends_behind_a_frame,
            "endpoint closed": self._endpoint_closed,
            "ticket over": self._ticket_over,
        }

    async def __aenter__(self) -> "Stream":
        await self._line.starts()
        await super().__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self._line.ends()

    async def opened(self, house: House) -> None:
        await self._line.connected.wait()
        await super().opened(house)

    def _who_calls(self, house: House) -> Caller:
        return Caller(house, self._far, self._line)

    # ---- what happens to connections

    async def _close(self) -> None:
        for socket in self._some():
            await socket.close()

    async def _cut(self) -> None:
        for socket in self._some():
            self._line.cuts(socket)

    async def _half_open(self) -> None:
        """Nothing gets through in either direction any more, and nobody is told."""
        for socket in self._some():
            self._line.silent.add(socket)
            self._line.void.add(socket)

    async def _one_way(self) -> None:
        """Nothing of ours gets through, until the network gives up."""
        some = self._some()
        self._line.silent.update(some)
        await asyncio.sleep(self._chance.uniform(2.0, 30.0))
        for socket in some:
            self._line.cuts(socket)

    async def _sent_away(self) -> None:
        """Asked to leave, as before each change at the gateway; the old connection ends later."""
        line, before = self._line, self._line.connections
        if len(line.live) != 1 or line.well != line.live:
            return
        (socket,) = line.live
        is_calm = time.monotonic() > self.storm.until
        await line.sends_away()
        await asyncio.sleep(self._chance.uniform(3.0, 14.0))
        if is_calm and line.connections == before:
            self._wrong.append("asked to leave, nobody came by another connection")
        line.cuts(socket)

    async def _ends_behind_a_frame(self) -> None:
        self._ends_behind_next = True

    async def _endpoint_closed(self) -> None:
        self._line.closed_endpoints = self._chance.randint(1, 3)
        await self._cut()

    async def _ticket_over(self) -> None:
        self._line.stale_tickets = self._chance.randint(1, 3)
        await self._close()

    def _some(self) -> list[web.WebSocketResponse]:
        well = self._line.well
        return well[:1] if self._chance.random() < 0.5 else well

    # ---- what is brought

    async def brings(self, saying: Saying) -> bool:
        self._somebody_reads()
        # Brought again it is another frame, or the same one where nobody works on it just now.
        frame = self._frames.get(saying.number, "")
        if frame in self._in_hand or self._chance.random() < 0.5:
            frame = ""
        try:
            frame = await self._line.brings(MESSAGES, self._message(saying), frame)
        except ConnectionError:
            return False
        self._frames[saying.number] = frame
        if self._ends_behind_next and self._line.is_well(frame):
            # It is not brought again, but it came before the close: heard is heard.
            self._ends_behind_next = False
            await self._line.brought_on[frame].close()
            return True
        return await self._answered(frame)

    async def _answered(self, frame: str) -> bool:
        """Whether it was; a connection that is well for so long after has to carry an answer."""
        line = self._line
        self._in_hand.add(frame)
        try:
            for _ in range(100):
                if frame in line.answers:
                    return True
                if not line.is_well(frame):
                    return False
                await asyncio.sleep(0.05)
        finally:
            self._in_hand.discard(frame)
        self._wrong.append(f"{frame} was not answered")
        return False

    async def _event(self, event_id: str) -> None:
        line = self._line
        try:
            await line.happens("robot_msg_read", self._read[event_id], CORP, event_id)
            ping = await line.asks()
        except ConnectionError:
            return
        await self._answered(ping)
        if "SUCCESS" in line.statuses(event_id):
            self.also_acknowledged.add(event_id)

    def wrong(self) -> list[str]:
        return [*super().wrong(), *self._line.refused[:5]]
