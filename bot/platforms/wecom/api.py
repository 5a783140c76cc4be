"""Calls to WeCom: token, app messages, card updates, group robots, late answers."""

import io
import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from bot.client import UPLOAD_SECONDS, Client, TokenCache, name_in
from bot.platform import Expired, Fetched, Gone, Outdated, Permanent, Receipt, Transient, Unsure
from bot.platforms.wecom import codec
from bot.platforms.wecom.errors import TROUBLES
from bot.trouble import Do
from handlers.chat.outbound import Delivery

NO_MEDIA: Final = frozenset({"40007", "41006"})
_MOST_REFUSAL: Final = 4096
_NOT_REACHED: Final = ("invaliduser", "unlicenseduser")
# A card's code works once, within 72 hours (D:94888).
_CODE_SECONDS: Final = 72 * 3600.0
_SPENT: Final = "spent"
_INSIDE: Final = "https://open.weixin.qq.com/connect/oauth2/authorize"
_OUTSIDE: Final = "https://login.work.weixin.qq.com/wwlogin/sso/login"
# How the browsers of WeCom and WeChat call themselves.
_CLIENTS: Final = ("wxwork", "micromessenger")
_CODE_BYTES: Final = 512
_NOT_FROM_HERE: Final = 60020
# A robot's address, and where beside it files are brought.
_ROBOT_SAYS: Final = "/cgi-bin/webhook/send?"
_ROBOT_TAKES: Final = "/cgi-bin/webhook/upload_media?"
_ADDRESS: Final = re.compile(r"from ip: ?([0-9a-fA-F.:]{3,45})")


class NotFromHere(Permanent):
    """The address that we call from is not on WeCom's list; `address` as WeCom saw it."""

    def __init__(self, code: str, address: str) -> None:
        super().__init__(code)
        self.address = address


def check(answer: Any, repeatable: bool = False) -> dict[str, Any]:
    """The answer where errcode is 0; WeCom says 200 to everything, errcode judges.

    Without one somebody else has answered, a proxy perhaps, and what WeCom did is unknown.
    """
    code = answer.get("errcode") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(code, int):
        raise Unsure("no_errcode", repeatable)
    if code == 0:
        return answer
    trouble = TROUBLES.get(str(code))
    if trouble is not None and trouble.do is Do.REFRESH:
        raise Expired(str(code))
    if trouble is not None and trouble.do is Do.WAIT:
        raise Transient(str(code), trouble.seconds)
    if code == _NOT_FROM_HERE:
        seen = _ADDRESS.search(str(answer.get("errmsg") or ""))
        raise NotFromHere(str(code), seen.group(1) if seen else "")
    raise Permanent(str(code))


class AppApi:
    """The self-built app: speaks to one member at a time, and can grey out its cards."""

    def __init__(
        self, client: Client, base: str, corp_id: str, secret: str, agent_id: int, public_url: str
    ) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._corp_id, self._secret, self._agent_id = corp_id, secret, agent_id
        self._public_url = public_url
        self._tokens = TokenCache(self._fetch)

    async def _fetch(self) -> tuple[str, float]:
        answer = check(
            await self._client.send(
                "GET",
                f"{self._base}/cgi-bin/gettoken",
                params={"corpid": self._corp_id, "corpsecret": self._secret},
                repeatable=True,
            ),
            repeatable=True,
        )
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise Unsure("no_token", repeatable=True)
        return token, float(life) if isinstance(life, int) else 7200.0

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call with a token; one that expired is refreshed once. Raises a SendError."""
        return await self._call("POST", path, body)

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: Mapping[str, str] = MappingProxyType({}),
        file: tuple[str, bytes] | None = None,
    ) -> dict[str, Any]:
        async def call(token: str) -> dict[str, Any]:
            answer = await self._client.send(
                method,
                f"{self._base}{path}",
                json=body,
                body=None if file is None else _form(*file),
                params={"access_token": token, **params},
                repeatable=True,
                seconds=None if file is None else UPLOAD_SECONDS,
            )
            return check(answer, repeatable=True)

        return await self._tokens.call(call)

    async def media(self, media_id: str) -> Fetched:
        """What was sent to the app or to 微信客服, for three days; raises a SendError."""

        async def call(token: str) -> Fetched:
            answer = await self._client.download(
                f"{self._base}/cgi-bin/media/get",
                params={"access_token": token, "media_id": media_id},
            )
            name = name_in(answer.headers)
            plain = answer.plain_or_none() if len(answer.body) <= _MOST_REFUSAL else None
            # A refusal comes as JSON with 200; a JSON file that somebody sent has a name.
            if not name and isinstance(plain, dict) and "errcode" in plain:
                check(plain)
            return Fetched(answer.body, name)

        try:
            return await self._tokens.call(call)
        except Permanent as error:
            if error.code not in NO_MEDIA:
                raise
            raise Gone(error.code) from None

    async def send(self, delivery: Delivery) -> Receipt:
        refs: list[str] = []
        code = ""
        for body in codec.app_messages(delivery, self._agent_id, self._public_url):
            # Repeated after a fault, the parts that went out fall to WeCom's own duplicate check.
            answer = await self._told(delivery, body)
            refs.append(str(answer.get("msgid") or ""))
            code = str(answer.get("response_code") or "")
        return Receipt(refs[0], f"{code}@{int(time.time())}" if code else "", tuple(refs[1:]))

    async def _told(self, delivery: Delivery, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.post("/cgi-bin/message/send", body)
        for field in _NOT_REACHED:
            if delivery.to.chat.id.lower() in str(answer.get(field) or "").lower().split("|"):
                # errcode 0 and yet nobody got it.
                raise Permanent(field)
        return answer

    async def upload(self, kind: str, name: str, body: bytes) -> str:
        """The media_id of a picture or a file; raises a SendError."""
        answer = await self._call(
            "POST", "/cgi-bin/media/upload", params={"type": kind}, file=(name, body)
        )
        return _media_id(answer)

    async def send_file(self, delivery: Delivery, kind: str, media_id: str) -> Receipt:
        message = codec.app_message(delivery, self._agent_id)
        answer = await self._told(delivery, message | codec.media(kind, media_id))
        return Receipt(str(answer.get("msgid") or ""))

    async def recall(self, msgid: str) -> None:
        """Take back a message of the last 24 hours; in 微信插件 it stays. Raises a SendError."""
        await self.post("/cgi-bin/message/recall", {"msgid": msgid})

    async def update(self, delivery: Delivery, clicked: str) -> Receipt:
        """Replace the card by the code of the click, else by the one that its sending gave."""
        card = delivery.content.card
        if card is None:
            raise Permanent("no_card")
        response_code, _, given_at = delivery.update_ref.rpartition("@")
        if clicked:
            response_code = clicked
        elif not response_code or time.time() - float(given_at) >= _CODE_SECONDS:
            raise Outdated("card_code")
        body = {
            "userids": [delivery.to.chat.id],
            "agentid": self._agent_id,
            "response_code": response_code,
            "template_card": codec.updated_card(card, delivery.id),
        }
        await self.post("/cgi-bin/message/update_template_card", body)
        # The click's own code leaves that of the sending as it was.
        return Receipt("", "" if clicked else _SPENT)

    async def get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        """As `post`, for what is only asked."""
        return await self._call("GET", path, params=params)

    async def agent(self) -> None:
        """Whether the credentials open the application they should; raises a SendError."""
        await self.get("/cgi-bin/agent/get", {"agentid": str(self._agent_id)})

    def login_url(self, back: str, state: str, agent: str) -> str:
        """Inside the client the member is known at once; elsewhere a code is scanned (D:91022, D:98171)."""
        asked = {"appid": self._corp_id, "redirect_uri": back, "state": state}
        if any(name in agent.lower() for name in _CLIENTS):
            asked |= {
                "response_type": "code",
                "scope": "snsapi_base",
                "agentid": str(self._agent_id),
            }
            return f"{_INSIDE}?{urlencode(asked)}#wechat_redirect"
        asked |= {"login_type": "CorpApp", "agentid": str(self._agent_id), "lang": "zh"}
        return f"{_OUTSIDE}?{urlencode(asked)}"

    async def logged_in(self, code: str) -> str:
        """The member whom a code of the last five minutes stands for; it works once."""
        if not code or len(code.encode()) > _CODE_BYTES:
            raise Permanent("40029")
        answer = await self.get("/cgi-bin/auth/getuserinfo", {"code": code})
        user = answer.get("userid")
        if not isinstance(user, str) or not user:
            # Somebody from outside the corporation: known by an openid only.
            raise Permanent("no_member")
        return user

    async def members(self, open_ids: list[str]) -> dict[str, str]:
        """The members' own ids; what is one already stays out of the answer."""
        answer = await self.post(
            "/cgi-bin/batch/openuserid_to_userid",
            {"open_userid_list": open_ids, "source_agentid": self._agent_id},
        )
        found = answer.get("userid_list")
        return {
            one["open_userid"]: one["userid"]
            for one in (found if isinstance(found, list) else [])
            if isinstance(one, dict) and one.get("open_userid") and one.get("userid")
        }


async def robot(client: Client, delivery: Delivery) -> Receipt:
    """A group robot; the address is the secret."""
    check(await client.send("POST", delivery.to.robot, json=codec.robot_message(delivery.content)))
    return Receipt()


async def say_by_robot(client: Client, address: str, message: bytes) -> Receipt:
    """As `robot`, for a message that may be long: it goes out in pieces."""
    headers = {"Content-Type": "application/json"}
    check(await client.send("POST", address, body=io.BytesIO(message), headers=headers))
    return Receipt()


async def upload_to_robot(client: Client, address: str, name: str, body: bytes) -> str:
    """The media_id of a file, which this robot alone can send; raises a SendError."""
    where, said, query = address.partition(_ROBOT_SAYS)
    if not said:
        raise Permanent("robot_address")
    answer = await client.send(
        "POST",
        f"{where}{_ROBOT_TAKES}{query}&type=file",
        body=_form(name, body),
        repeatable=True,
        seconds=UPLOAD_SECONDS,
    )
    return _media_id(check(answer, repeatable=True))


def _form(name: str, body: bytes) -> aiohttp.FormData:
    """With the file's name as it is: WeCom reads neither %E5 nor filename* (41005, 44001)."""
    form = aiohttp.FormData(quote_fields=False)
    content_type = "application/octet-stream"
    form.add_field("media", io.BytesIO(body), filename=name, content_type=content_type)
    return form


def _media_id(answer: dict[str, Any]) -> str:
    media_id = answer.get("media_id")
    if not isinstance(media_id, str) or not media_id:
        raise Unsure("no_media_id", repeatable=True)
    return media_id


async def late_answer(client: Client, delivery: Delivery, group: bool, public_url: str) -> Receipt:
    """The one late answer that response_url allows; a card only in a single chat."""
    content = delivery.content
    body: dict[str, Any] = {
        "msgtype": "markdown",
        "markdown": {"content": codec.markdown(content, codec.STREAM_BYTES)},
    }
    if content.card is not None and not group:
        card = codec.template_card(content.card, delivery.id, public_url)
        if card is not None:
            body = {"msgtype": "template_card", "template_card": card}
    check(await client.send("POST", delivery.reply_token, json=body))
    return Receipt()
