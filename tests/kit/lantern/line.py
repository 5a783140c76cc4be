"""The lantern's line: one JSON object a message, confirmed by its id once it is on disk."""

import asyncio
import json
import time
from typing import Final

import aiohttp
from bot.platforms.lantern import codec

from bot.client import Client
from bot.payload import json_object
from bot.platform import Decoded, Hear, HttpAnswer, Rejected

_AGAIN: Final = 0.2


async def _unsaid(made: bytes) -> bool:
    return False


class LanternLine:
    name: Final = "lantern.line"
    title: Final = "灯笼的长连接"

    def __init__(self, url: str, client: Client) -> None:
        self._url, self._client = url, client
        self._up = False

    @property
    def up(self) -> bool:
        return self._up

    async def hold(self, hear: Hear) -> None:
        while True:
            try:
                async with self._client.socket(self._url, 65_536) as socket:
                    self._up = True
                    await self._read(socket, hear)
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            finally:
                self._up = False
            await asyncio.sleep(_AGAIN)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, hear: Hear) -> None:
        async for message in socket:
            try:
                plain = json_object(message.data)
            except Rejected:
                continue
            event = codec.event(plain, time.time())
            if event is not None and await hear(Decoded((event,), HttpAnswer()), _unsaid):
                await socket.send_str(json.dumps({"done": event.event_id}))
