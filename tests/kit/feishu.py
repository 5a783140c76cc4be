"""What Feishu sends us: events and clicks, signed and sealed by HTTP or over the long connection."""

import json
import time
from typing import Any

from bot.platforms.feishu.crypto import Envelope
from tests.kit.fake_feishu import APP_ID, BOT, SECRET, FakeFeishu
from tests.kit.fake_feishu_line import FakeLongConnection
from tests.kit.house import House

TOKEN, KEY = "canary-verification-token", "canary-encrypt-key"
TENANT = "2d0000aa11bb22cc"


def settings(base: str, line: bool = False) -> dict[str, str]:
    app = {"FEISHU_API_BASE": base, "FEISHU_APP_ID": APP_ID, "FEISHU_APP_SECRET": SECRET}
    if line:
        return {**app, "FEISHU_LONG_CONNECTION": "1"}
    return {
        **app,
        "FEISHU_VERIFICATION_TOKEN": TOKEN,
        "FEISHU_ENCRYPT_KEY": KEY,
    }


def buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a card in reading order, wherever they stand."""
    found: list[dict[str, Any]] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("tag") == "button":
                found.append(node)
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for one in node:
                look(one)

    look(card)
    return found


def labels(card: dict[str, Any]) -> list[str]:
    return [b["text"]["content"] for b in buttons(card)]


class Caller:
    """Brings us things as Feishu would: to our hooks, or by the long connection where one is given."""

    def __init__(
        self, house: House, far: FakeFeishu, line: FakeLongConnection | None = None
    ) -> None:
        self._house = house
        self._far = far
        self._line = line
        self.envelope = Envelope(KEY)
        self._ids = 0

    def sealed(self, plain: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        encrypted = self.envelope.seal(json.dumps(plain, ensure_ascii=False).encode())
        body = json.dumps({"encrypt": encrypted}).encode()
        timestamp, nonce = str(int(time.time())), "n0nce"
        return body, {
            "Content-Type": "application/json",
            "X-Lark-Request-Timestamp": timestamp,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": self.envelope.signature(timestamp, nonce, body),
        }

    def event(self, kind: str, event: dict[str, Any], event_id: str = "") -> dict[str, Any]:
        self._ids += 1
        return {
            "schema": "2.0",
            "header": {
                "event_id": event_id or f"ev{self._ids:06d}",
                "event_type": kind,
                "create_time": str(int(time.time() * 1000)),
                "token": TOKEN,
                "app_id": APP_ID,
                "tenant_key": TENANT,
            },
            "event": event,
        }

    async def post(self, plain: dict[str, Any], hook: str = "") -> tuple[int, Any]:
        if self._line is not None:
            code, data = await self._line.answer(await self._line.brings(plain))
            return code, {} if data is None else data
        body, headers = self.sealed(plain)
        response = await self._house.client.post(f"/hooks/feishu{hook}", data=body, headers=headers)
        raw = await response.read()
        return response.status, json.loads(raw) if raw else None

    def message(
        self,
        user: str,
        text: str = "",
        chat: str = "",
        *,
        message_id: str = "",
        kind: str = "text",
        content: dict[str, Any] | None = None,
        at_bot: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """The event of a message; `chat` makes it one in a group."""
        self._ids += 1
        message: dict[str, Any] = {
            "message_id": message_id or f"om_in{self._ids:05d}",
            "chat_id": chat or f"oc_p2p_{user}",
            "chat_type": "group" if chat else "p2p",
            "message_type": kind,
            "create_time": str(int(time.time() * 1000)),
            **more,
        }
        self._far.chats[message["message_id"]] = message["chat_id"]
        said = f"@_user_1 {text}" if at_bot else text
        message["content"] = json.dumps({"text": said} if content is None else content)
        if at_bot:
            message["mentions"] = [
                {
                    "key": "@_user_1",
                    "id": {"open_id": BOT, "union_id": "on_bot", "user_id": None},
                    "name": "园区服务助手",
                    "mentioned_type": "bot",
                    "tenant_key": TENANT,
                }
            ]
        sender = {
            "sender_id": {"open_id": user, "union_id": f"on_{user}", "user_id": None},
            "sender_type": "user",
            "tenant_key": TENANT,
        }
        return self.event("im.message.receive_v1", {"sender": sender, "message": message})

    async def says(self, user: str, text: str = "", chat: str = "", **more: Any) -> None:
        status, answer = await self.post(self.message(user, text, chat, **more))
        assert (status, answer) == (200, {})

    def click(
        self,
        user: str,
        sent: dict[str, Any],
        label: str,
        *,
        form: dict[str, Any] | None = None,
        event_id: str = "",
    ) -> dict[str, Any]:
        """The event of a click on a message that the fake server took."""
        button = next(b for b in buttons(sent["card"]) if b["text"]["content"] == label)
        behaviour = next(b for b in button["behaviors"] if b["type"] == "callback")
        action: dict[str, Any] = {"tag": "button", "value": behaviour["value"]}
        if form is not None:
            action |= {"name": button["name"], "form_value": form}
        alone = sent["receive_id"].startswith("ou_")
        chat = f"oc_p2p_{sent['receive_id']}" if alone else sent["receive_id"]
        return self.event(
            "card.action.trigger",
            {
                "operator": {"open_id": user, "union_id": f"on_{user}", "tenant_key": TENANT},
                "token": "c-token",
                "action": action,
                "host": "im_message",
                "context": {"open_message_id": sent["message_id"], "open_chat_id": chat},
            },
            event_id,
        )

    async def presses(self, user: str, sent: dict[str, Any], label: str, **more: Any) -> Any:
        """Press a button and give what the person is shown."""
        status, answer = await self.post(self.click(user, sent, label, **more), "/card")
        assert status == 200
        return answer

    async def reads(self, user: str, *message_ids: str) -> None:
        """Somebody opens the single chat with the bot."""
        reader = {
            "reader_id": {"open_id": user, "union_id": f"on_{user}", "user_id": None},
            "read_time": str(int(time.time() * 1000)),
            "tenant_key": TENANT,
        }
        told = {"reader": reader, "message_id_list": list(message_ids)}
        assert await self.post(self.event("im.message.message_read_v1", told)) == (200, {})
