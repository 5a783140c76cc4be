"""A far end that misbehaves: it counts what it took, per robot and window."""

import asyncio
import random
import time
from collections import defaultdict
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.client import Client
from bot.platform import Capabilities, Decoded, Limit, RawRequest, Receipt, Rejected
from handlers.chat.events import ChatKind
from handlers.chat.outbound import Address, Delivery


class MoodyServer:
    """Answers a share of the requests with 429, 500, silence or a closed connection."""

    def __init__(
        self,
        share: float = 0.0,
        per: float = 1.0,
        count: int = 20,
        seed: int = 1,
        moods: tuple[str, ...] = ("429", "500", "hang", "close"),
    ) -> None:
        self.moods = moods
        self.share, self.per, self.count = share, per, count
        self.chance = random.Random(seed)
        self.taken: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self.hits: dict[str, list[float]] = defaultdict(list)
        self.overrun = 0
        self.refused: set[str] = set()
        app = web.Application()
        app.router.add_post("/{lane}", self._take)
        self.server = TestServer(app)

    async def __aenter__(self) -> "MoodyServer":
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    def calm(self) -> None:
        self.share = 0.0

    async def _take(self, request: web.Request) -> web.StreamResponse:
        lane = request.match_info["lane"]
        body = await request.json()
        if lane in self.refused:
            return web.Response(status=404)
        # Every request counts, refused or not: the far end's window does not care.
        now = time.monotonic()
        self.hits[lane] = [t for t in self.hits[lane] if t > now - self.per]
        if len(self.hits[lane]) >= self.count:
            self.overrun += 1
        self.hits[lane].append(now)
        if self.chance.random() < self.share:
            mood = self.chance.choice(self.moods)
            if mood == "429":
                return web.Response(status=429, headers={"Retry-After": "0.05"})
            if mood == "500":
                return web.Response(status=500)
            if mood == "hang":
                await asyncio.sleep(0.5)
                return web.Response(status=500)
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        self.taken[lane].append((now, int(body["id"])))
        return web.json_response({})


class FakePlatform:
    """Speaks to a MoodyServer; one lane a chat, `count` per `per` seconds."""

    name = "fake"
    hooks: tuple[str, ...] = ()
    can = Capabilities(True, False, False, True, True, 20_000, 1.0)

    def __init__(self, server: MoodyServer, repeatable: bool = True) -> None:
        self._server = server
        self._client = Client(seconds=0.3)
        self._repeatable = repeatable

    def decode(self, request: RawRequest) -> Decoded:
        raise Rejected(404, "no_hook")

    def limits(self, to: Address) -> tuple[Limit, ...]:
        if to.kind is ChatKind.DIRECT:
            return ()
        return (Limit(f"robot:{to.chat.id}", self._server.count, self._server.per),)

    def lane(self, delivery: Delivery) -> str:
        return delivery.to.chat.id

    async def send(self, delivery: Delivery) -> Receipt:
        body: dict[str, Any] = {"id": delivery.id}
        url = str(self._server.server.make_url(f"/{delivery.to.chat.id}"))
        await self._client.send("POST", url, json=body, repeatable=self._repeatable)
        return Receipt(f"r{delivery.id}")

    async def close(self) -> None:
        await self._client.close()
