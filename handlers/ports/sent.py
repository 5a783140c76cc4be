"""What services need to know of what the bot has said, so that it can be taken back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An outbox row that went out or is going; `key` is its dedupe key."""

    id: int
    card_key: str
    key: str
