"""Feishu's callback envelope: SHA-256 over the raw bytes, AES-256-CBC; and the group robot's sign."""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK: Final = 16


class BadEnvelope(Exception):
    """An envelope that is not what it says it is; `stage` names the check that failed."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


def same(expected: str, given: object) -> bool:
    """Compared in constant time; anything but a text differs."""
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


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
        decryptor = Cipher(algorithms.AES(self._key), modes.CBC(raw[:_BLOCK])).decryptor()
        padded = decryptor.update(raw[_BLOCK:]) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise BadEnvelope("padding")
        return padded[:-pad]

    def seal(self, message: bytes, start: bytes | None = None) -> str:
        """The encrypted form, as the platform makes it."""
        iv = os.urandom(_BLOCK) if start is None else start
        pad = _BLOCK - len(message) % _BLOCK
        encryptor = Cipher(algorithms.AES(self._key), modes.CBC(iv)).encryptor()
        sealed = encryptor.update(message + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(iv + sealed).decode()


def robot_sign(secret: str, timestamp: str) -> str:
    """The sign of a group's custom robot: timestamp and secret are the key, the message is empty."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
