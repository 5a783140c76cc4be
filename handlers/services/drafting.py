"""What writing an announcement in the chat needs at once: who says what, and where it leads."""

from dataclasses import dataclass

from handlers.chat.events import InboundEvent
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Work
from handlers.services.announcements import Announcing
from handlers.services.moves import Asked
from handlers.services.uploads import Uploads
from handlers.understanding import FirmNames


@dataclass(frozen=True, slots=True)
class Drafting:
    asked: Asked
    event: InboundEvent
    announcing: Announcing
    uploads: Uploads
    calendar: WorkCalendar
    clock: Clock
    work: Work
    firms: FirmNames
