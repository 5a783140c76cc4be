"""Feishu's callback envelope: SHA-256 over the raw bytes, AES-256-CBC; and the group robot's sign."""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from bot.envelope import Aes, BadEnvelope, same

_BLOCK: Final = 16


class Envelope:
    """Verifies, opens and seals with the Encrypt Key."""

    def __init__(self, encrypt_key: str) -> None:
        self._secret = encrypt_key.encode()
        self._key: Final = hashlib.sha256(self._secret).digest()

    def signature(self, timestamp: str, nonce: str, body: bytes) -> str:
        """A plain digest, not an HMAC, over the bytes as they came."""
        start = timestamp.encode("utf-8", "replace") + nonce.encode("utf-8", "replace")
        return hashlib.sha256(start + self._secret + body).hexdigest()

    def holds(self, signature: str, timestamp: str, nonce: str, body: bytes) -> bool:
        return same(self.signature(timestamp, nonce, body), signature)

    def open(self, encrypted: str) -> bytes:
        """What is inside; raises BadEnvelope for base64, length and every padding byte."""
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadEnvelope("base64") from None
        if len(raw) < 2 * _BLOCK or len(raw) % _BLOCK:
            raise BadEnvelope("decrypt")
        return Aes(self._key, raw[:_BLOCK], _BLOCK).open(raw[_BLOCK:])

    def seal(self, message: bytes, start: bytes | None = None) -> str:
        """The encrypted form, as the platform makes it."""
        iv = os.urandom(_BLOCK) if start is None else start
        return base64.b64encode(iv + Aes(self._key, iv, _BLOCK).seal(message)).decode()


def robot_sign(secret: str, timestamp: str) -> str:
    """The sign of a group's custom robot: timestamp and secret are the key, the message is empty."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
