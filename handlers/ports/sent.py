"""What services need to know of what the bot has said, so that it can be taken back,
and of what did not arrive."""

from dataclasses import dataclass

from handlers.chat.events import UserRef
from handlers.chat.outbound import Kind
from handlers.domain.ids import PersonId, TicketNumber


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An outbox row that went out or is going; `key` is its dedupe key."""

    id: int
    card_key: str
    key: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not come to `user`; `asked_in` is the group in which it was asked for."""

    user: UserRef
    person: PersonId | None
    ticket: TicketNumber | None
    kind: Kind
    asked_in: str
