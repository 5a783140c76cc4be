"""Files on their way out: brought to WeCom once, then named by a media_id for three days (D:90253).

Into a group by its robot, which spends nothing of what the 智能机器人 may say there in a minute; to a
person by the application; where there is none, or it cannot, by the long connection. 微信客服 is given
none: its five messages are for what matters.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.client import Client, Uploads
from bot.platform import Body, Permanent, Receipt, Say, Transient
from bot.platforms.wecom import api, codec
from bot.platforms.wecom.errors import is_way_over
from bot.platforms.wecom.kf import PREFIX
from bot.platforms.wecom.line import AibotLine
from handlers.chat.events import ChatKind
from handlers.chat.outbound import Address, Delivery, Enclosure

_MEGABYTE: Final = 1024 * 1024
FILE_BYTES: Final = 20 * _MEGABYTE
LEAST_BYTES: Final = 6
# The pages name 10 MB for the application and its error table 5, for bots 2 and 10: the less.
APP_IMAGE_BYTES: Final = 5 * _MEGABYTE
BOT_IMAGE_BYTES: Final = 2 * _MEGABYTE
_SHOWN: Final = frozenset({"image/png", "image/jpeg"})
# A day less than three, so that none ends on its way to the last of 278.
_MEDIA_SECONDS: Final = 2 * 24 * 3600.0

_Way = Callable[[Delivery, Enclosure, Body], Awaitable[Say]]


def kind_of(file: Enclosure, most: int) -> str:
    """A picture that is no JPEG or PNG, or too large to be shown, goes as a file."""
    return "image" if file.content_type in _SHOWN and file.size <= most else "file"


class Files:
    def __init__(self, client: Client, app: api.AppApi | None, line: AibotLine | None) -> None:
        self._client = client
        self._app, self._line = app, line
        self._uploads = Uploads(_MEDIA_SECONDS)

    def ways(self, to: Address, file: Enclosure) -> list[_Way]:
        if not LEAST_BYTES <= file.size <= FILE_BYTES or to.chat.id.startswith(PREFIX):
            return []
        found: list[_Way] = []
        if to.kind is ChatKind.GROUP and to.robot:
            found.append(self._by_robot)
        if to.kind is ChatKind.DIRECT and self._app is not None:
            found.append(self._by_app)
        if self._line is not None:
            found.append(self._by_line)
        return found

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        ways = self.ways(delivery.to, file)
        if not ways:
            raise Permanent("no_route")
        return await self._attached(ways, delivery, file, body)

    async def _attached(
        self, ways: Sequence[_Way], delivery: Delivery, file: Enclosure, body: Body
    ) -> Say:
        way, *others = ways
        try:
            say = await way(delivery, file, body)
        except Permanent as error:
            if not others or not is_way_over(error.code):
                raise
            return await self._attached(others, delivery, file, body)
        if not others:
            return say

        async def said() -> Receipt:
            try:
                return await say()
            except Permanent as error:
                if not is_way_over(error.code):
                    raise
            other = await self._attached(others, delivery, file, body)
            return await other()

        return said

    async def _by_app(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        app = self._app
        assert app is not None
        kind = kind_of(file, APP_IMAGE_BYTES)

        async def bring() -> str:
            return await app.upload(kind, file.name, await body())

        async def send(media_id: str) -> Receipt:
            return await app.send_file(delivery, kind, media_id)

        return await self._named(f"app:{kind}", file, bring, send)

    async def _by_robot(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        robot = delivery.to.robot
        if kind_of(file, BOT_IMAGE_BYTES) == "image":
            message = await asyncio.to_thread(_shown, await body())
            return lambda: api.say_by_robot(self._client, robot, message)

        async def bring() -> str:
            return await api.upload_to_robot(self._client, robot, file.name, await body())

        async def send(media_id: str) -> Receipt:
            message = json.dumps(codec.media("file", media_id)).encode()
            return await api.say_by_robot(self._client, robot, message)

        # What one robot was given no other can name.
        return await self._named(f"robot:{robot}", file, bring, send)

    async def _by_line(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        line, to = self._line, delivery.to
        assert line is not None
        kind = kind_of(file, BOT_IMAGE_BYTES)

        async def bring() -> str:
            return await line.upload(kind, file.name, await body())

        async def send(media_id: str) -> Receipt:
            group = to.kind is ChatKind.GROUP
            await line.push(to.chat.id, group, codec.media(kind, media_id))
            return Receipt()

        return await self._named(f"line:{kind}", file, bring, send)

    async def _named(
        self,
        where: str,
        file: Enclosure,
        bring: Callable[[], Awaitable[str]],
        send: Callable[[str], Awaitable[Receipt]],
    ) -> Say:
        """What sends a file by the name that it has there; its own name is part of what is there."""
        what = f"{where}:{file.name}:{file.digest}"
        media_id = await self._uploads.get(what, bring)

        async def say() -> Receipt:
            try:
                return await send(media_id)
            except Permanent as error:
                if error.code not in api.NO_MEDIA:
                    raise
                # It ended before its time: brought anew with the next try.
                self._uploads.drop(what)
                raise Transient(error.code) from None

        return say

    async def close(self) -> None:
        await self._uploads.close()


def _shown(picture: bytes) -> bytes:
    """The message in which a picture stands itself."""
    digest = hashlib.md5(picture, usedforsecurity=False).hexdigest()
    shown = {"base64": base64.b64encode(picture).decode(), "md5": digest}
    return json.dumps({"msgtype": "image", "image": shown}).encode()
