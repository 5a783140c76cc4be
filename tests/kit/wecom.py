"""What WeCom sends us: sealed callbacks, as the platform seals them."""

import json
import time
from typing import Any

from bot.envelope import Envelope
from tests.kit.house import House

TOKEN, KEY = "aibot-token", "5TLHTAIQRIu3tK26WHMpuUslDdUMyV8YWdekI9Tu8s8"
APP_TOKEN, APP_KEY = "app-token", "drDKBMFAhLmMY2JJl1iA88oGpKFYxmejv1N0SyEG4oU"
CORP = "ww7b1e0c2f5d9a4683"


def settings(base: str) -> dict[str, str]:
    return {
        "WECOM_API_BASE": base,
        "WECOM_CORP_ID": CORP,
        "WECOM_AIBOT_ID": "aibOQ3kYw8mC5d",
        "WECOM_AIBOT_TOKEN": TOKEN,
        "WECOM_AIBOT_AES_KEY": KEY,
        "WECOM_APP_AGENT_ID": "1000007",
        "WECOM_APP_SECRET": "app-secret",
        "WECOM_APP_TOKEN": APP_TOKEN,
        "WECOM_APP_AES_KEY": APP_KEY,
    }


class Caller:
    """Posts to our hooks as WeCom would."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.aibot = Envelope(TOKEN, KEY, "")
        self.app = Envelope(APP_TOKEN, APP_KEY, CORP)
        self._ids = 0

    def _query(self, envelope: Envelope, encrypted: str, nonce: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "msg_signature": envelope.signature(timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }

    async def post_aibot(self, plain: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and our opened answer, empty where we answered with nothing."""
        encrypted = self.aibot.seal(json.dumps(plain, ensure_ascii=False).encode())
        response = await self._house.client.post(
            "/hooks/wecom/aibot",
            params=self._query(self.aibot, encrypted, "n1"),
            json={"encrypt": encrypted},
        )
        raw = await response.read()
        if not raw:
            return response.status, {}
        answer = json.loads(raw)
        opened = self.aibot.open(
            answer["msgsignature"], str(answer["timestamp"]), answer["nonce"], answer["encrypt"]
        )
        assert isinstance(answer["timestamp"], int)
        return response.status, json.loads(opened)

    async def says(
        self, user: str, text: str, chat: str = "", msgid: str = "", base: str = "", **more: Any
    ) -> dict[str, Any]:
        self._ids += 1
        message_id = msgid or f"MSG{self._ids:05d}"
        plain = {
            "msgid": message_id,
            "aibotid": "aibOQ3kYw8mC5d",
            "chattype": "group" if chat else "single",
            "from": {"userid": user},
            "response_url": f"{base}/cgi-bin/aibot/response?response_code={message_id}",
            "msgtype": "text",
            "text": {"content": text},
            **more,
        }
        if chat:
            plain["chatid"] = chat
        status, answer = await self.post_aibot(plain)
        assert status == 200
        return answer

    async def shows(
        self, user: str, text: str, pictures: list[str], chat: str = "", msgid: str = ""
    ) -> dict[str, Any]:
        """Words and pictures in one message, which alone brings a picture out of a group."""
        words = [{"msgtype": "text", "text": {"content": text}}] if text else []
        shown = [{"msgtype": "image", "image": {"url": url}} for url in pictures]
        mixed = {"msg_item": [*words, *shown]}
        return await self.says(user, "", chat, msgid, msgtype="mixed", mixed=mixed)

    async def sends(self, user: str, kind: str, url: str) -> None:
        """A picture, a file or a video in the single chat."""
        await self.says(user, "", msgtype=kind, **{kind: {"url": url}})

    async def post_app(self, inner: str) -> int:
        encrypted = self.app.seal(inner.encode())
        body = (
            f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt><AgentID>1000007</AgentID></xml>"
        )
        response = await self._house.client.post(
            "/hooks/wecom/app", params=self._query(self.app, encrypted, "n2"), data=body
        )
        await response.read()
        return response.status

    async def app_says(self, user: str, text: str, times: int = 1) -> int:
        """Somebody writes; the same message is brought so many times."""
        self._ids += 1
        inner = (
            f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{user}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType>"
            f"<Content><![CDATA[{text}]]></Content><MsgId>{self._ids}</MsgId>"
            f"<AgentID>1000007</AgentID></xml>"
        )
        return max([await self.post_app(inner) for _ in range(times)])

    async def app_sends(self, user: str, kind: str, media_id: str) -> int:
        self._ids += 1
        return await self.post_app(
            f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{user}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>{kind}</MsgType>"
            f"<MediaId>{media_id}</MediaId><MsgId>{self._ids}</MsgId><AgentID>1000007</AgentID></xml>"
        )

    async def app_presses(self, user: str, message: dict[str, Any], label: str, code: str) -> int:
        card = message["template_card"]
        button = next(b for b in card["button_list"] if b["text"] == label)
        self._ids += 1
        return await self.post_app(
            f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{user}</FromUserName>"
            f"<CreateTime>{int(time.time()) + self._ids}</CreateTime><MsgType>event</MsgType>"
            f"<Event>template_card_event</Event><EventKey><![CDATA[{button['key']}]]></EventKey>"
            f"<TaskId>{card['task_id']}</TaskId><CardType>button_interaction</CardType>"
            f"<ResponseCode>{code}</ResponseCode><AgentID>1000007</AgentID></xml>"
        )
