"""The ladder without a web server: one database, a clock set by hand, a far end that never fails."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import text

from bot.dispatcher import _admitted, _drop, still_true
from bot.passing import next_instant
from handlers.chat.events import UserRef
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import Refusal
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import Enterprise, Identity, Pairing, Person, Role
from handlers.domain.ticket import Args, Move, Source, Ticket
from handlers.services.people import Speaker
from handlers.services.reminders import ReminderService
from handlers.services.tickets import Report, TicketService
from storage.db import engine_for, read_instant, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import BACKUP, CHIEF, LEADER, LIAISON, MANAGER, NOW, OFFICE

_T = TypeVar("_T")
FIRMS = tuple(EnterpriseId(f"E{n:03d}") for n in range(3, 8))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that reached somebody unasked."""

    at: datetime
    person: PersonId
    urgent: bool
    kind: str
    ticket: TicketNumber | None
    text: str


class Hand:
    """A clock that is moved by hand, backwards too."""

    def __init__(self, now: datetime) -> None:
        self.value = now

    def now(self) -> datetime:
        return self.value


class Office:
    """Five firms of one liaison; `second` opens another process's view of the same database."""

    def __init__(self, url: str, clock: Hand | None = None, fresh: bool = True) -> None:
        self.url = url
        self.clock = clock or Hand(NOW)
        self.engine = engine_for(url)
        self.connection = writer_connection(self.engine)
        self.shared = Shared(self.clock.now, ("sandbox",))
        self.sent: list[Sent] = []
        if fresh:
            self.work(_people)

    def second(self) -> "Office":
        return Office(self.url, self.clock, fresh=False)

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def __enter__(self) -> "Office":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def unit(self) -> Iterator[UnitOfWork]:
        with self.connection.begin():
            yield UnitOfWork(self.connection, self.shared)

    def work(self, function: Callable[[UnitOfWork], _T]) -> _T:
        with self.unit() as uow:
            return function(uow)

    def service(self, uow: UnitOfWork) -> TicketService:
        return TicketService(uow, self.clock, uow.calendar.current())

    def submit(self, urgency: Urgency = Urgency.U3, firm: int = 0, message: str = "") -> Ticket:
        enterprise = FIRMS[firm % len(FIRMS)]

        def put(uow: UnitOfWork) -> Ticket:
            report = Report(
                "缺操作工", "车间缺操作工20人", Category.LAB, urgency, enterprise,
                uow.people.main_contact(enterprise), "张经理", Source("sandbox", "g", message),
            )  # fmt: skip
            return self.service(uow).submit(report, None)

        return self.work(put)

    def act(self, number: int, what: Move, actor: Person | None, **args: Any) -> bool:
        """Whether the move was made; a refusal is no fault here."""

        def made(uow: UnitOfWork) -> None:
            speaker = None
            if actor is not None:
                speaker = Speaker(UserRef("sandbox", actor.id), actor, actor.name)
            ticket = uow.tickets.get(TicketNumber(number))
            self.service(uow).act(ticket, what, speaker, Args(**args))

        try:
            self.work(made)
        except Refusal:
            return False
        return True

    def ticket(self, number: int) -> Ticket:
        return self.work(lambda uow: uow.tickets.get(TicketNumber(number)))

    # ---- time

    def sweep(self, limit: int = 200) -> int:
        def swept(uow: UnitOfWork) -> int:
            calendar = uow.calendar.current()
            tickets = TicketService(uow, self.clock, calendar)
            return ReminderService(uow, self.clock, calendar, tickets).sweep(limit)

        return self.work(swept)

    def send(self) -> int:
        """What the dispatcher would send now, sent."""
        count = 0
        while True:
            rows, ended = self.work(self._claim)
            for row in rows:
                self._deliver(row)
            count += len(rows)
            if not rows and not ended:
                return count

    def _claim(self, uow: UnitOfWork) -> tuple[list[Any], int]:
        now, good, ended = self.clock.now(), [], []
        claimed = uow.outbox.claim(50, 60, ["sandbox"])
        for row in claimed:
            why = still_true(row, uow, now)
            if why or row.is_update:
                ended.append((row, why or "cannot_update"))
            else:
                good.append(row)
        admitted = _admitted(uow, good, now)
        for row, why in ended:
            _drop(uow, row, why, now)
        return admitted, len(claimed) - len(admitted)

    def _deliver(self, row: Any) -> None:
        if row.notice is not None:
            content = row.delivery.content
            self.sent.append(
                Sent(
                    self.clock.now(),
                    row.notice.person,
                    row.notice.urgent,
                    content.kind.value,
                    row.ticket,
                    content.text,
                )
            )
        self.work(lambda uow: uow.outbox.sent(row.delivery.id, f"r{row.delivery.id}"))

    def until(self, at: datetime) -> None:
        """Time goes on, and what falls due on the way is done."""
        for _ in range(20_000):
            due = self.work(next_instant)
            if due is None or due > at:
                break
            self.clock.value = max(self.clock.value, due)
            self.sweep()
            self.send()
        self.clock.value = max(self.clock.value, at)
        self.sweep()
        self.send()

    def advances(self, **span: float) -> None:
        self.until(self.clock.value + timedelta(**span))

    # ---- what is on disk

    def firings(self) -> list[tuple[Any, ...]]:
        sql = "SELECT number, cycle, clock, since, level, planned_at, fired_at FROM firings"
        rows = self.work(lambda uow: uow.connection.execute(text(sql)).all())
        return [(*r[:3], read_instant(r[3]), r[4], *map(read_instant, r[5:])) for r in rows]

    def heard(self, person: PersonId, kind: str = "") -> list[Sent]:
        return [m for m in self.sent if m.person == person and (not kind or m.kind == kind)]


def _people(uow: UnitOfWork) -> None:
    liaison = replace(LIAISON, backup_person_id=BACKUP.id)
    for person in (liaison, BACKUP, LEADER, OFFICE, CHIEF):
        uow.people.save_person(person)
        uow.people.save_identity(Identity("sandbox", person.id, person.id))
    for firm in FIRMS:
        uow.people.save_enterprise(Enterprise(firm, f"厂{firm}", f"南通{firm}有限公司"))
        contact = Person(PersonId(f"{firm}-1"), "张经理", Role.MANAGER, enterprise_id=firm)
        uow.people.save_person(contact)
        uow.people.save_identity(Identity("sandbox", contact.id, contact.id))
        uow.people.pair(Pairing(firm, LIAISON.id, LEADER.id, NOW.replace(year=2025)))


def worst_window(sent: list[Sent], span: timedelta) -> int:
    """The most messages that one person got in any closed window of that length."""
    worst = 0
    by_person: dict[PersonId, list[datetime]] = {}
    for message in sent:
        by_person.setdefault(message.person, []).append(message.at)
    for times in by_person.values():
        times.sort()
        for first, start in enumerate(times):
            worst = max(worst, sum(1 for t in times[first:] if t - start <= span))
    return worst


def repeated(keys: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [key for key, count in Counter(keys).items() if count > 1]


__all__ = ["FIRMS", "MANAGER", "Hand", "Office", "Sent", "repeated", "worst_window"]
