"""DingTalk's signs: they cover a time and a secret, never the body."""

import base64
import hashlib
import hmac
from typing import Final

_CARDS: Final = b"card callbacks"


def robot_sign(secret: str, timestamp: str) -> str:
    """Of a message to the bot with the app secret, of a custom robot's address with its own."""
    return _sign(secret, f"{timestamp}\n{secret}")


def card_sign(api_secret: str, timestamp: str) -> str:
    return _sign(api_secret, timestamp)


def card_secret(app_secret: str) -> str:
    """What card callbacks are signed with: ours to choose, so that nobody has to set it."""
    return hmac.new(app_secret.encode(), _CARDS, hashlib.sha256).hexdigest()


def _sign(key: str, message: str) -> str:
    made = hmac.new(key.encode(), message.encode("utf-8", "replace"), hashlib.sha256)
    return base64.b64encode(made.digest()).decode()
