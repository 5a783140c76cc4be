"""What people send the aibot: files that lie sealed at WeCom's storage for five minutes.

AES-256-CBC, the first 16 bytes of the key as vector, padding to 32 (D:100719, D:101463). On the long
connection each file has a key of its own, in callback mode it is the bot's EncodingAESKey.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

from bot.client import Client, name_in, origin_of
from bot.envelope import Aes, BadEnvelope
from bot.platform import Fetched, Permanent

_BLOCK: Final = 32
_SEALED: Final = "sealed:"
# The platform's own names, and its one bucket for what bots are sent; any other bucket is somebody's.
_OWN: Final = re.compile(
    r"(?:qyapi\.weixin\.qq\.com|(?:[a-z0-9-]+\.)+work\.weixin\.qq\.com"
    r"|ww-aibot-img-1258476243\.cos\.[a-z0-9-]+\.myqcloud\.com)"
)


def address(url: str, aes_key: str) -> str:
    """Where a file lies; its own key travels in front, for us alone to read."""
    return f"{_SEALED}{aes_key}:{url}" if aes_key and url else url


def parted(where: str) -> tuple[str, str]:
    """URL and key of what `address` made; the key is empty where the bot's own is meant."""
    if not where.startswith(_SEALED):
        return where, ""
    key, _, url = where.removeprefix(_SEALED).partition(":")
    return url, key


def opened(sealed: bytes, aes_key: str) -> bytes:
    """The file; raises BadEnvelope."""
    try:
        key = base64.b64decode(aes_key + "=" * (-len(aes_key) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadEnvelope("key") from None
    if len(key) != 32:
        raise BadEnvelope("key")
    return Aes(key, key[:16], _BLOCK).open(sealed)


class Media:
    """`base` is the configured API, whose own host may give out files too; `hosts` are further ones."""

    def __init__(self, client: Client, base: str, hosts: Iterable[str], aes_key: str) -> None:
        self._client = client
        self._origin = origin_of(base)
        self._hosts = frozenset(hosts)
        self._aes_key = aes_key

    def _is_ours(self, url: str) -> bool:
        origin = origin_of(url)
        if origin is None:
            return False
        scheme, host, port = origin
        if origin == self._origin:
            return True
        own = host in self._hosts or _OWN.fullmatch(host) is not None
        return own and (scheme, port) == ("https", "")

    async def fetch(self, where: str) -> Fetched:
        """What lies there, opened; raises a SendError."""
        url, key = parted(where)
        if not self._is_ours(url):
            raise Permanent("not_ours")
        answer = await self._client.download(url)
        try:
            body = await asyncio.to_thread(opened, answer.body, key or self._aes_key)
        except BadEnvelope as error:
            raise Permanent(f"not_opened_{error.stage}") from None
        return Fetched(body, name_in(answer.headers))
