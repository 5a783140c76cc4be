"""What became of something that was sent along: whether its bytes are here, and why not."""

from dataclasses import dataclass, field
from enum import StrEnum

from handlers.chat.events import AttachmentKind


class Keeping(StrEnum):
    """Whether the bytes are still to come, here, or not to be had."""

    WANTED = "wanted"
    KEPT = "kept"
    FAILED = "failed"


class Loss(StrEnum):
    """Why it could not be kept."""

    EXPIRED = "expired"
    TOO_LARGE = "too_large"
    # The platform does not give it out, or not to us.
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class TicketFile:
    """Something that was sent along; `content_type` is what its bytes say, empty until kept."""

    id: int
    kind: AttachmentKind
    name: str
    state: Keeping
    loss: Loss | None = None
    content_type: str = ""
    size: int = 0
    # Where it lay: told to nobody, it may hold a key.
    platform: str = ""
    url: str = field(default="", repr=False)
