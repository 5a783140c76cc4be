"""The sample registry of the demo and of replays, loaded through the ordinary import."""

from pathlib import Path
from typing import Final

from bot.files import read_rows
from handlers.domain.people import Chat, Identity
from handlers.domain.roster import cleaned
from handlers.ports import Clock
from handlers.services.roster import RosterService
from storage.uow import UnitOfWork

SAMPLE: Final = Path(__file__).parent / "sample"
MAIN_CHAT: Final = "key-enterprises"
MAIN_TITLE: Final = "老洪港服务重点工业企业"
# Pairings of the sample hold since long before any sample day.
_LONG_AGO_YEARS: Final = 2


class _Earlier:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self):  # type: ignore[no-untyped-def]  # the same instant, years before
        now = self._clock.now()
        return now.replace(year=now.year - _LONG_AGO_YEARS, month=1, day=1)


def load_sample(uow: UnitOfWork, clock: Clock) -> None:
    """Firms, people, pairings, sandbox accounts and the big group; nothing where firms exist."""
    if uow.people.enterprises():
        return
    service = RosterService(uow, _Earlier(clock))
    service.take(cleaned(read_rows(SAMPLE / "people.csv")))
    service.take(cleaned(read_rows(SAMPLE / "roster.csv")))
    for person in uow.people.people():
        if person.is_staff:
            uow.people.save_identity(Identity("sandbox", person.id, person.id))
        elif person.enterprise_id is not None:
            uow.people.save_identity(Identity("sandbox", person.enterprise_id, person.id))
    uow.chats.save_chat(
        Chat("sandbox", MAIN_CHAT, MAIN_TITLE, "group", registered=True, is_main=True)
    )
