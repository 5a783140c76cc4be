"""What platforms seal: AES-256-CBC, and the callback envelope that WeCom and DingTalk share, signed
by SHA-1."""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK: Final = 32


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


class Aes:
    """AES-256-CBC; `block` is how many bytes the padding fills up to."""

    def __init__(self, key: bytes, iv: bytes, block: int) -> None:
        self._cipher: Final = Cipher(algorithms.AES(key), modes.CBC(iv))
        self._block = block

    def open(self, sealed: bytes) -> bytes:
        """Raises BadEnvelope for the length and for every byte of the padding."""
        if not sealed or len(sealed) % 16:
            raise BadEnvelope("decrypt")
        decryptor = self._cipher.decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= min(self._block, len(padded)) or padded[-pad:] != bytes([pad]) * pad:
            raise BadEnvelope("padding")
        return padded[:-pad]

    def seal(self, plain: bytes) -> bytes:
        pad = self._block - len(plain) % self._block
        encryptor = self._cipher.encryptor()
        return encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()


def _key(encoding_aes_key: str) -> bytes:
    if len(encoding_aes_key) != 43:
        raise ValueError("EncodingAESKey has 43 characters")
    return base64.b64decode(encoding_aes_key + "=")


class Envelope:
    """Opens and seals. `receive_id` is the owner that stands inside, empty where there is none."""

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        """Raises ValueError for a key that is not 43 characters of base64."""
        self._token = token
        self._receive_id = receive_id.encode()
        key = _key(encoding_aes_key)
        if len(key) != 32:
            raise ValueError("EncodingAESKey decodes to 32 bytes")
        self._aes = Aes(key, key[:16], _BLOCK)

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        signed = (self._token, timestamp, nonce, encrypted)
        parts = sorted(p.encode("utf-8", "replace") for p in signed)
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """The message inside; raises BadEnvelope.

        The order is that of the platform's reference: signature, base64, length, every padding
        byte, inner length, receiver.
        """
        if not same(self.signature(timestamp, nonce, encrypted), signature):
            raise BadEnvelope("signature")
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadEnvelope("base64") from None
        body = self._aes.open(raw)
        if len(body) < 20:
            raise BadEnvelope("length")
        length = int.from_bytes(body[16:20], "big")
        if 20 + length > len(body):
            raise BadEnvelope("length")
        if not hmac.compare_digest(body[20 + length :], self._receive_id):
            raise BadEnvelope("receive_id")
        return body[20 : 20 + length]

    def seal(self, message: bytes, random16: bytes | None = None) -> str:
        """The encrypted form of an answer."""
        start = os.urandom(16) if random16 is None else random16
        body = start + len(message).to_bytes(4, "big") + message + self._receive_id
        return base64.b64encode(self._aes.seal(body)).decode()
