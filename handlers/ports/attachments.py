"""What tickets need of the store of what people sent along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.chat.attachments import TicketFile
from handlers.chat.events import Attachment
from handlers.domain.ids import TicketNumber


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that is to be fetched now; `attempts` were made before, `wanted_at` is wall time."""

    id: int
    platform: str
    attachment: Attachment
    attempts: int
    wanted_at: float


class AttachmentStore(Protocol):
    """What belongs to a ticket is noted with its messages."""

    def want(self, platform: str, sent: Sequence[Attachment]) -> None:
        """Keep these although it is open whether they will belong to a ticket."""
        ...

    def forget(self) -> None:
        """Drop what after two days belongs to no ticket."""
        ...

    def of(self, number: TicketNumber) -> tuple[TicketFile, ...]:
        """In the order in which they came."""
        ...

    def body(self, number: TicketNumber, file_id: int) -> bytes | None:
        """The bytes of what is kept for a ticket; None for what is another's."""
        ...
