"""灯笼, a platform that does not exist: it hears by callback and by a line, and speaks by HTTP."""

import hmac
from typing import Final

from bot.platforms.lantern import codec
from bot.platforms.lantern.line import LanternLine

from bot.client import Client
from bot.payload import json_object
from bot.platform import (
    Capabilities,
    ConfigError,
    Decoded,
    HttpAnswer,
    Limit,
    Permanent,
    Platform,
    Probe,
    RawRequest,
    Receipt,
    Rejected,
    Section,
    SendError,
    Setting,
)
from handlers.chat.outbound import Address, Delivery

TITLE: Final = "灯笼"
SETTINGS: Final = (
    Setting("LANTERN_SECRET", "灯笼密钥：灯笼后台首页", secret=True),
    Setting("LANTERN_API_BASE", "灯笼接口地址", default="https://lantern.example.cn"),
    Setting("LANTERN_WS", "灯笼长连接地址", default="wss://lantern.example.cn"),
)
CURES: Final = {"7001": "群里没有灯笼，请把它请进群。", "7002": "密钥不对，请重新复制。"}


class Lantern:
    name = codec.NAME
    hooks: tuple[str, ...] = ("",)
    can = Capabilities(
        callback_buttons=True,
        update_cards=False,
        mentions=True,
        group_push=True,
        direct=True,
        max_text_bytes=2000,
        budget_seconds=2.0,
    )

    def __init__(self, secret: str, base: str, socket: str) -> None:
        self._secret, self._base = secret, base.rstrip("/")
        self._client = Client()
        self.lines = (LanternLine(socket, self._client),)

    def decode(self, request: RawRequest) -> Decoded:
        signed = codec.signature(self._secret, request.body)
        given = request.headers.get("X-Lantern-Signature", "")
        if not hmac.compare_digest(signed.encode(), given.encode("utf-8", "replace")):
            raise Rejected(403, "signature")
        event = codec.event(json_object(request.body), request.wall)
        return Decoded(() if event is None else (event,), HttpAnswer())

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return (Limit(f"chat:{to.chat.id}", 20, 60.0),)

    def lane(self, delivery: Delivery) -> str:
        return delivery.to.chat.id

    async def send(self, delivery: Delivery) -> Receipt:
        answer = await self._client.send(
            "POST",
            f"{self._base}/say",
            json=codec.said(delivery),
            headers={"X-Lantern-Key": self._secret},
        )
        if answer.get("code"):
            raise Permanent(str(answer["code"]))
        return Receipt(str(answer["id"]))

    def cure(self, code: str) -> str:
        return CURES.get(code, "")

    async def probe(self) -> list[Probe]:
        headers = {"X-Lantern-Key": self._secret}
        try:
            answer = await self._client.send("GET", f"{self._base}/me", headers=headers)
        except SendError as error:
            return [Probe("灯笼凭证", f"没有接通（{error.code}），请核对地址。")]
        return [Probe("灯笼凭证", self.cure(str(answer.get("code", ""))))]

    async def close(self) -> None:
        await self._client.close()


def build(section: Section) -> Platform | None:
    secret = section.get("LANTERN_SECRET")
    if not secret:
        return None
    if len(secret) < 8:
        raise ConfigError(["LANTERN_SECRET 太短，请到灯笼后台首页重新复制。"])
    return Lantern(secret, section.get("LANTERN_API_BASE"), section.get("LANTERN_WS"))
