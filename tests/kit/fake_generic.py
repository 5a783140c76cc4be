"""The far end of the generic webhook: it checks every signature and keeps what came."""

import json
import time
from typing import Any

from aiohttp import web

from bot.platforms.generic import signature
from tests.kit.house import House
from tests.kit.strict import Strict

SECRET = "generic-secret-0123456789"


class FakeBridge(Strict):
    """The office's own bridge."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[dict[str, Any]] = []
        self.deliveries: list[str] = []
        self.files: dict[str, bytes] = {}
        self.app.router.add_post("/out", self._take)
        self.app.router.add_get("/files/{name}", self._give)
        self._events = 0

    def verify(self) -> None:
        super().verify()
        assert len(self.deliveries) == len(set(self.deliveries))

    @property
    def settings(self) -> dict[str, str]:
        return {"GENERIC_SECRET": SECRET, "GENERIC_OUT_URL": str(self.server.make_url("/out"))}

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-LHG-Timestamp"]
        if request.headers["X-LHG-Signature"] != signature(SECRET, stamp, body):
            self.refused.append("signature")
        if abs(time.time() - int(stamp)) > 300:
            self.refused.append("age")
        self.deliveries.append(request.headers["X-LHG-Delivery"])
        self.got.append(json.loads(body))
        return web.json_response({})

    async def _give(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    def lies(self, name: str, body: bytes) -> str:
        """The address of a file that the bridge gives out."""
        self.files[name] = body
        return str(self.server.make_url(f"/files/{name}"))

    def told(self, user: str) -> list[dict[str, Any]]:
        return [m for m in self.got if m["chat"] == {"id": user, "kind": "direct"}]

    async def post(self, house: House, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Post one event; the replies of the answer."""
        self._events += 1
        raw = json.dumps({"event_id": f"g{self._events}", **body}, ensure_ascii=False).encode()
        stamp = str(int(time.time()))
        headers = {"X-LHG-Timestamp": stamp, "X-LHG-Signature": signature(SECRET, stamp, raw)}
        response = await house.client.post("/hooks/generic", data=raw, headers=headers)
        assert response.status == 200
        answer = await response.json()
        assert answer["accepted"] is True
        await house.app.dispatcher.drain()
        return list(answer["replies"])

    async def says(
        self, house: House, user: str, text: str, group: str = "", **more: Any
    ) -> list[dict[str, Any]]:
        chat = (
            {"id": group, "kind": "group", "title": "群"}
            if group
            else {"id": user, "kind": "direct"}
        )
        return await self.post(
            house, {"chat": chat, "sender": {"id": user, "name": ""}, "text": text, **more}
        )

    async def presses(
        self, house: House, user: str, message: dict[str, Any], label: str
    ) -> list[dict[str, Any]]:
        card = message["card"]
        button = next(b for b in card["buttons"] if b["label"] == label)
        press = {"message_ref": message["message_ref"], "button": button, "card_key": card["key"]}
        return await self.post(
            house,
            {
                "chat": {"id": user, "kind": "direct"},
                "sender": {"id": user, "name": ""},
                "press": press,
            },
        )
