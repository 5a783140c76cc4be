"""Calls to Feishu: token, messages, card updates, urgent notices, media, the group's own robot."""

import io
import logging
import time
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bot.client import (
    DOWNLOAD_SECONDS,
    UPLOAD_SECONDS,
    Answer,
    Client,
    TokenCache,
    Uploads,
    name_in,
    retry_after,
)
from bot.payload import cut, part_at, text_at
from bot.platform import (
    MOST_FETCHED,
    Body,
    Expired,
    Fetched,
    Gone,
    Outdated,
    Permanent,
    Receipt,
    Say,
    SendError,
    Transient,
    Unreachable,
    Unsure,
    json_text,
)
from bot.platforms.feishu import codec, errors
from bot.platforms.feishu.crypto import robot_sign
from bot.trouble import Do
from handlers.chat.events import ChatKind
from handlers.chat.outbound import Content, Delivery, Enclosure

_log = logging.getLogger("bot.platforms.feishu")

# Under half an hour before its end the platform gives a new token beside the old one.
_EARLY_SECONDS: Final = 1800.0
_UUID_CHARACTERS: Final = 50
IMAGE_BYTES: Final = 10 * 1024 * 1024
FILE_BYTES: Final = 30 * 1024 * 1024
# How long a key is used again; the platform names no end of it.
_KEY_SECONDS: Final = 24 * 3600.0
# Of a form: text, or a file's name and bytes.
_Fields = dict[str, str | tuple[str, bytes]]
_HOSTS: Final = frozenset({"open.feishu.cn", "open.larksuite.com"})
_FILE_TYPES: Final = {"pdf": "pdf", "doc": "doc", "docx": "doc", "xls": "xls", "xlsx": "xls"}


class Refused(Permanent):
    """It will never be taken; `number` is the platform's code."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


def check(answer: Answer) -> dict[str, Any]:
    """What the answer says where its code is 0; HTTP 200 says nothing. Raises a SendError."""
    plain = answer.plain_or_none()
    code = plain.get("code") if isinstance(plain, dict) else None
    trouble = errors.TROUBLES.get(code) if isinstance(code, int) else None
    if answer.status == 429 or trouble is errors.THROTTLED:
        raise Transient(str(code or answer.status), reset(answer) or errors.THROTTLED.seconds)
    if answer.status >= 500:
        raise Transient(str(answer.status))
    if not isinstance(plain, dict) or not isinstance(code, int):
        if answer.status >= 300:
            raise Permanent(str(answer.status))
        raise Unsure("not_json", repeatable=True)
    if code == 0:
        return plain
    if trouble is None:
        raise Refused(code)
    if trouble.do is Do.REFRESH:
        raise Expired(str(code))
    if trouble.do in (Do.WAIT, Do.FIX):
        raise Transient(str(code), trouble.seconds)
    raise Refused(code)


def reset(answer: Answer) -> float | None:
    """In how many seconds the window opens again; 0 says nothing."""
    return retry_after(answer.headers, "x-ogw-ratelimit-reset") or retry_after(answer.headers)


def uuid(delivery: Delivery, number: int, msg_type: str, content: str) -> str:
    """The same for every try of one part of one message, different for everything else.

    The platform takes one message of a uuid within an hour. The content is in it, so that a
    database that counts from one again does not silence new messages.
    """
    parts = (delivery.to.chat.id, str(delivery.id), str(number), msg_type, content)
    return sha256("\n".join(parts).encode()).hexdigest()[:_UUID_CHARACTERS]


class Api:
    """The application's calls, with its token."""

    def __init__(self, client: Client, base: str, app_id: str, secret: str) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._app_id, self._secret = app_id, secret
        self._tokens = TokenCache(self._fetch, _EARLY_SECONDS)
        self._uploads = Uploads(_KEY_SECONDS)

    async def _fetch(self) -> tuple[str, float]:
        answer = check(
            await self._client.exchange(
                "POST",
                f"{self._base}/open-apis/auth/v3/tenant_access_token/internal",
                json={"app_id": self._app_id, "app_secret": self._secret},
                repeatable=True,
            )
        )
        token, life = answer.get("tenant_access_token"), answer.get("expire")
        if not isinstance(token, str) or not token:
            raise Unsure("no_token", repeatable=True)
        return token, float(life) if isinstance(life, int) else 7200.0

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        form: _Fields | None = None,
    ) -> dict[str, Any]:
        """What the platform answers where it takes the call; raises a SendError."""

        async def call(token: str) -> dict[str, Any]:
            headers = _authorised(token)
            body: bytes | aiohttp.FormData | None = None if form is None else _form(form)
            if json is not None:
                # Written by ourselves, so that a character weighs what the limits were set for.
                body = json_text(json).encode()
                headers["Content-Type"] = "application/json; charset=utf-8"
            return check(
                await self._client.exchange(
                    method,
                    f"{self._base}/open-apis{path}",
                    body=body,
                    params=params,
                    headers=headers,
                    repeatable=True,
                    seconds=None if form is None else UPLOAD_SECONDS,
                )
            )

        return await self._tokens.call(call)

    async def open_id(self) -> str:
        """The bot's own; empty where the application has no bot."""
        return text_at(part_at(await self._call("GET", "/bot/v3/info"), "bot"), "open_id")

    # ---- messages

    async def send(self, delivery: Delivery) -> Receipt:
        """A new message, or the replaced card; raises a SendError."""
        try:
            if delivery.content.card is not None and delivery.update_ref:
                return await self._update(delivery)
            return await self._new(delivery)
        except Refused as refusal:
            _log.warning(
                "feishu.refused", extra={"code": refusal.code, "cure": errors.cure(refusal.code)}
            )
            if refusal.number in errors.NOT_IN_GROUP and delivery.to.robot:
                return await self.robot(delivery)
            trouble = errors.TROUBLES.get(refusal.number)
            if trouble is not None and trouble.lost and delivery.to.kind is ChatKind.DIRECT:
                raise Unreachable(refusal.code, trouble.lost) from None
            raise

    async def _update(self, delivery: Delivery) -> Receipt:
        content = delivery.content
        assert content.card is not None
        made = codec.card(content.card, delivery.to.kind, content.mentions)
        if made is None and delivery.in_place:
            raise Outdated("no_card")
        if made is None:
            return await self._new(delivery)
        try:
            await self._call(
                "PATCH",
                f"/im/v1/messages/{delivery.update_ref}",
                json={"content": json_text(made)},
            )
        except Refused as refusal:
            if refusal.number not in errors.MESSAGE_GONE:
                raise
            if delivery.in_place:
                raise Outdated(refusal.code) from None
            return await self._new(delivery)
        return Receipt("", delivery.update_ref)

    async def recall(self, message_id: str) -> None:
        """Take a message back; one that is gone already is as it should be. Raises a SendError."""
        try:
            await self._call("DELETE", f"/im/v1/messages/{message_id}")
        except Refused as refusal:
            if refusal.number != errors.RECALLED:
                raise

    async def _new(self, delivery: Delivery) -> Receipt:
        content = delivery.content
        if content.card is not None:
            made = codec.card(content.card, delivery.to.kind, content.mentions)
            if made is not None:
                try:
                    ref = await self._put(delivery, 0, "interactive", json_text(made))
                except Refused as refusal:
                    if refusal.number not in errors.CARD_REFUSED:
                        raise
                    _log.warning("feishu.card_as_text", extra={"code": refusal.code})
                else:
                    await self._urge(delivery, ref)
                    return Receipt(ref, ref)
        refs = [
            await self._put(delivery, number, "text", json_text({"text": text}))
            for number, text in enumerate(codec.texts(content))
        ]
        await self._urge(delivery, refs[0])
        return Receipt(refs[0], "", tuple(refs[1:]))

    async def _put(
        self, delivery: Delivery, number: int, msg_type: str, content: str, says: str = ""
    ) -> str:
        """Send one part and give its id; an answer in a group hangs under what it answers.

        `says`: what is the same for every try, where the content is not.
        """
        body = {
            "msg_type": msg_type,
            "content": content,
            "uuid": uuid(delivery, number, msg_type, says or content),
        }
        asked = delivery.reply_token
        if number == 0 and delivery.to.kind is ChatKind.GROUP and asked.startswith("om_"):
            try:
                return _message_id(
                    await self._call("POST", f"/im/v1/messages/{asked}/reply", json=body)
                )
            except Refused as refusal:
                if refusal.number not in errors.MESSAGE_GONE:
                    raise
        alone = delivery.to.kind is ChatKind.DIRECT
        return _message_id(
            await self._call(
                "POST",
                "/im/v1/messages",
                params={"receive_id_type": "open_id" if alone else "chat_id"},
                json={"receive_id": delivery.to.chat.id, **body},
            )
        )

    async def _urge(self, delivery: Delivery, ref: str) -> None:
        """Whoever must see it now is rung; where that is not allowed the message stands alone."""
        if not delivery.urgent or delivery.to.kind is not ChatKind.DIRECT:
            return
        try:
            await self._call(
                "PATCH",
                f"/im/v1/messages/{ref}/urgent_app",
                params={"user_id_type": "open_id"},
                json={"user_id_list": [delivery.to.chat.id]},
            )
        except SendError as error:
            _log.info("feishu.not_urged", extra={"code": error.code})

    async def robot(self, delivery: Delivery) -> Receipt:
        """A group's custom robot: words only, one way; what follows # in its address is its secret."""
        address, _, secret = delivery.to.robot.partition("#")
        host = urlsplit(address).hostname or ""
        if host not in _HOSTS and host != urlsplit(self._base).hostname:
            raise Permanent("robot_host")
        body = robot_message(delivery.content)
        if secret:
            timestamp = str(int(time.time()))
            body |= {"timestamp": timestamp, "sign": robot_sign(secret, timestamp)}
        answer = await self._client.exchange("POST", address, json=body)
        plain = answer.plain_or_none()
        code = plain.get("code") if isinstance(plain, dict) else None
        if code == 11232 or answer.status == 429:
            slower = Transient(str(code or 429), 60.0)
            # The robot's limit is none of the application's.
            slower.cools = "robot:"
            raise slower
        if answer.status >= 500:
            raise Transient(str(answer.status))
        if code != 0:
            raise Permanent(f"robot_{code}")
        return Receipt()

    # ---- media

    async def close(self) -> None:
        await self._uploads.close()

    async def fetch(self, kind: str, message_id: str, key: str) -> Fetched:
        """What a message carried; `kind` is image or file."""

        async def call(token: str) -> Answer:
            answer = await self._client.exchange(
                "GET",
                f"{self._base}/open-apis/im/v1/messages/{message_id}/resources/{key}",
                params={"type": kind},
                headers=_authorised(token),
                repeatable=True,
                most=MOST_FETCHED,
                seconds=DOWNLOAD_SECONDS,
                follow=False,
            )
            if answer.status != 200:
                check(answer)
            return answer

        try:
            answer = await self._tokens.call(call)
        except Refused as refusal:
            if refusal.number not in errors.MESSAGE_GONE:
                raise
            raise Gone(refusal.code) from None
        return Fetched(answer.body, name_in(answer.headers))

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        """Bring a file, once for all who should have it, and give what sends its message."""
        shown = is_shown(file)
        # The file's name is part of what was brought, a picture has none.
        what = f"image:{file.digest}" if shown else f"file:{file.name}:{file.digest}"

        async def bring() -> str:
            data = await body()
            return await (self.upload_image(data) if shown else self.upload_file(file.name, data))

        key = await self._uploads.get(what, bring)
        kind = "image" if shown else "file"

        async def say() -> Receipt:
            content = json_text({f"{kind}_key": key})
            try:
                return Receipt(await self._put(delivery, 0, kind, content, file.digest))
            except Refused as refusal:
                if refusal.number in errors.CARD_REFUSED:
                    self._uploads.drop(what)
                raise

        return say

    async def upload_image(self, data: bytes) -> str:
        """The key by which a message may show the picture."""
        if not 0 < len(data) <= IMAGE_BYTES:
            raise Permanent("image_size")
        form: _Fields = {"image_type": "message", "image": ("image", data)}
        return _key(await self._call("POST", "/im/v1/images", form=form), "image_key")

    async def upload_file(self, name: str, data: bytes) -> str:
        if not 0 < len(data) <= FILE_BYTES:
            raise Permanent("file_size")
        kind = _FILE_TYPES.get(name.rpartition(".")[2].lower(), "stream")
        form: _Fields = {"file_type": kind, "file_name": name, "file": (name, data)}
        return _key(await self._call("POST", "/im/v1/files", form=form), "file_key")


def is_shown(file: Enclosure) -> bool:
    """Whether it goes as a picture; one that is too large for that goes as a file."""
    return file.is_picture and file.size <= IMAGE_BYTES


def robot_message(content: Content) -> dict[str, Any]:
    return {"msg_type": "text", "content": {"text": cut(codec.texts(content)[0], 18_000)}}


def _authorised(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _form(fields: _Fields) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in fields.items():
        if isinstance(value, str):
            form.add_field(name, value)
        else:
            data = io.BytesIO(value[1])
            form.add_field(name, data, filename=value[0], content_type="application/octet-stream")
    return form


def _message_id(answer: dict[str, Any]) -> str:
    return text_at(part_at(answer, "data"), "message_id")


def _key(answer: dict[str, Any], name: str) -> str:
    return text_at(part_at(answer, "data"), name)
