"""What DingTalk sends us: bot messages, clicks and events, by HTTP or over the long connection."""

import json
import time
from collections.abc import Mapping
from typing import Any

from bot.envelope import Envelope
from bot.platforms.dingtalk.crypto import card_secret, card_sign, robot_sign
from tests.kit.fake_dingtalk import CLIENT_ID, CORP, ROBOT, SECRET, FakeDingTalk, buttons
from tests.kit.fake_dingtalk_line import CLICKS, MESSAGES, FakeStream
from tests.kit.house import House

EVENT_TOKEN = "canary-event-token"
EVENT_KEY = "canary0event0aes0key0ABCDEFGHIJKLMNOPQRSTUV"
BOT = "$:LWCP_v1:$bot"


def settings(base: str, stream: bool = False) -> dict[str, str]:
    return {
        "DINGTALK_API_BASE": base,
        "DINGTALK_OAPI_BASE": base,
        "DINGTALK_CLIENT_ID": CLIENT_ID,
        "DINGTALK_CLIENT_SECRET": SECRET,
        "DINGTALK_ROBOT_CODE": ROBOT,
        "DINGTALK_CORP_ID": CORP,
        "DINGTALK_STREAM": "1" if stream else "0",
        "DINGTALK_EVENT_TOKEN": EVENT_TOKEN,
        "DINGTALK_EVENT_AES_KEY": EVENT_KEY,
    }


def read_by(user: str, sent: Mapping[str, Any]) -> dict[str, str]:
    """What an event says of somebody who read what the fake server took."""
    said = {"userId": user, "processQueryKey": sent["key"], "robotCode": ROBOT}
    return said | ({"openConversationId": sent["to"]} if sent["to"].startswith("cid") else {})


def by_http(kind: str, event_id: str, said: Mapping[str, str]) -> dict[str, str]:
    """The body of an event, whose names begin with a capital letter there."""
    capital = {key[0].upper() + key[1:]: value for key, value in said.items()}
    return {"EventType": kind, "CorpId": CORP, "eventId": event_id, **capital}


class Caller:
    """DingTalk as we hear it: by HTTP, or by the long connection where one is given."""

    def __init__(self, house: House, far: FakeDingTalk, stream: FakeStream | None = None) -> None:
        self._house = house
        self._far = far
        self._stream = stream
        self.envelope = Envelope(EVENT_TOKEN, EVENT_KEY, CLIENT_ID)
        self._ids = 0

    def message(
        self,
        user: str,
        text: str = "",
        chat: str = "",
        *,
        msg_id: str = "",
        kind: str = "text",
        content: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """The body of a message; `chat` makes it one in a group, which mentions the bot."""
        self._ids += 1
        now = int(time.time() * 1000)
        plain: dict[str, Any] = {
            "conversationId": chat or f"cidAlone{user}",
            "chatbotCorpId": CORP,
            "chatbotUserId": BOT,
            "msgId": msg_id or f"msg{self._ids:06d}==",
            "senderNick": user,
            "isAdmin": False,
            "senderStaffId": user,
            "senderCorpId": CORP,
            "senderId": f"$:LWCP_v1:${user}",
            "createAt": now,
            "sessionWebhook": self._far.session(chat or user),
            "sessionWebhookExpiredTime": now + 5_400_000,
            "robotCode": ROBOT,
            "conversationType": "2" if chat else "1",
            "msgtype": kind,
        }
        if chat:
            plain |= {
                "conversationTitle": "老洪港服务重点工业企业",
                "isInAtList": True,
                "atUsers": [{"dingtalkId": BOT}],
            }
        if kind == "text":
            plain["text"] = {"content": f" {text}" if chat else text}
        else:
            plain["content"] = content or {}
        return plain | more

    def signed(self, when: int | None = None, secret: str = SECRET) -> dict[str, str]:
        stamp = str(int(time.time() * 1000) if when is None else when)
        return {"timestamp": stamp, "sign": robot_sign(secret, stamp)}

    async def post(self, plain: dict[str, Any], when: int | None = None) -> tuple[int, bytes]:
        """Bring a message by HTTP, signed now or at `when` in milliseconds."""
        response = await self._house.client.post(
            "/hooks/dingtalk", json=plain, headers=self.signed(when)
        )
        return response.status, await response.read()

    async def says(self, user: str, text: str = "", chat: str = "", **more: Any) -> None:
        """Somebody writes; it is acknowledged with nothing."""
        await self.brings(self.message(user, text, chat, **more))

    async def brings(self, plain: dict[str, Any], frame: str = "") -> None:
        if self._stream is None:
            assert await self.post(plain) == (200, b"")
            return
        frame = await self._stream.brings(MESSAGES, plain, frame)
        assert await self._stream.answer(frame) == {"response": None}

    # ---- clicks

    def click(
        self,
        user: str,
        sent: dict[str, Any],
        label: str,
        *,
        picked: Any = None,
    ) -> dict[str, Any]:
        """The body of a click on a card that the fake server took."""
        private = next(p for shown, p in buttons(sent["card"]) if shown == label)
        if picked is not None:
            private = {**private, "params": {**private["params"], "picked": picked}}
        return {
            "type": "actionCallback",
            "outTrackId": sent["track"],
            "corpId": CORP,
            "userId": user,
            "userIdType": 1,
            "spaceId": sent["to"],
            "spaceType": "IM",
            "extension": "{}",
            "content": json.dumps({"cardPrivateData": private}, ensure_ascii=False),
        }

    async def post_click(self, plain: dict[str, Any], when: int | None = None) -> tuple[int, Any]:
        """Bring a click by HTTP; `when` in milliseconds makes it the same request again."""
        self._ids += 1
        stamp = str(int(time.time() * 1000) + self._ids if when is None else when)
        response = await self._house.client.post(
            "/hooks/dingtalk/card",
            json=plain,
            headers={
                "x-ddpaas-signature-timestamp": stamp,
                "x-ddpaas-signature": card_sign(card_secret(SECRET), stamp),
            },
        )
        raw = await response.read()
        return response.status, json.loads(raw) if raw else None

    async def presses(self, user: str, sent: dict[str, Any], label: str, **more: Any) -> Any:
        """Press a button and give what the platform is answered."""
        plain = self.click(user, sent, label, **more)
        if self._stream is None:
            status, answer = await self.post_click(plain)
            assert status == 200
            return answer
        frame = await self._stream.brings(CLICKS, plain)
        return (await self._stream.answer(frame))["response"]

    # ---- events

    async def post_event(self, plain: dict[str, Any], **spoiled: str) -> tuple[int, Any]:
        """Bring a sealed event by HTTP; the opened answer."""
        encrypted = self.envelope.seal(json.dumps(plain, ensure_ascii=False).encode())
        stamp, nonce = str(int(time.time() * 1000)), "n0nce"
        query = {
            "msg_signature": self.envelope.signature(stamp, nonce, encrypted),
            "timestamp": stamp,
            "nonce": nonce,
            **spoiled,
        }
        response = await self._house.client.post(
            "/hooks/dingtalk/event", params=query, json={"encrypt": encrypted}
        )
        raw = await response.read()
        if response.status != 200:
            return response.status, raw
        answer = json.loads(raw)
        opened = self.envelope.open(
            answer["msg_signature"], answer["timeStamp"], answer["nonce"], answer["encrypt"]
        )
        return response.status, opened.decode()

    async def reads(self, user: str, sent: dict[str, Any], event_id: str = "") -> None:
        """Somebody reads what the fake server took."""
        self._ids += 1
        event_id = event_id or f"ev{self._ids:06d}"
        said = read_by(user, sent)
        if self._stream is None:
            plain = by_http("robot_msg_read", event_id, said)
            assert await self.post_event(plain) == (200, "success")
            return
        await self._stream.happens("robot_msg_read", said, CORP, event_id)
        await self._stream.sees(lambda: "SUCCESS" in self._heard(event_id))

    def _heard(self, event_id: str) -> list[str]:
        assert self._stream is not None
        return self._stream.statuses(event_id)
