"""A whole year of the office, below the web server. The full form: python -m tests.kit.year 4000."""

import heapq
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import bindparam, text

from bot.dispatcher import _admitted, _drop, still_true
from bot.seed import load_sample
from handlers.chat.events import UserRef
from handlers.domain.calendar import shipped
from handlers.domain.category import Urgency
from handlers.domain.errors import Refusal
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.people import Identity, Person, Role, Shift
from handlers.domain.ticket import ENDED, Args, Channel, Move, Source, State, Ticket
from handlers.domain.workdays import SHANGHAI
from handlers.services.briefs import BriefService
from handlers.services.handover import HandOver
from handlers.services.leaves import LeaveService
from handlers.services.people import Speaker
from handlers.services.reminders import BATCH, ReminderService
from handlers.services.tickets import Report, TicketService
from storage.db import Statement
from storage.migrate import upgrade
from storage.types import UtcDateTime
from storage.uow import UnitOfWork
from tests.kit.days import TEXTS, TITLES
from tests.kit.office import Hand, Office

# The first working day of 2026 is a Sunday that is worked.
START: Final = datetime(2026, 1, 4, 8, 0, tzinfo=SHANGHAI)
# No year table holds from here on.
UNKNOWN: Final = datetime(2027, 1, 1, tzinfo=SHANGHAI)
LAST_TICKET: Final = datetime(2027, 1, 16, 18, 0, tzinfo=SHANGHAI)
LAST_ACT: Final = datetime(2027, 1, 31, 18, 0, tzinfo=SHANGHAI)
# Nobody acts any more, the clocks and the ladder run on.
END: Final = datetime(2027, 3, 10, 12, 0, tzinfo=SHANGHAI)

# Neighbours all at once: in the night before a holiday, on a Sunday, and in the middle of a morning.
STORMS: Final = (
    datetime(2026, 4, 30, 22, 40, tzinfo=SHANGHAI),
    datetime(2026, 8, 9, 15, 5, tzinfo=SHANGHAI),
    datetime(2026, 11, 24, 9, 30, tzinfo=SHANGHAI),
)

DEPARTMENTS: Final = ("人社局", "供电公司", "资规局")
_SLOT: Final = 1200
# One ticket of so many belongs to a storm.
_OF_A_STORM: Final = 10
_NEIGHBOURS: Final = 8
_MOST_ACTS: Final = 14
_MOST_ATTEMPTS: Final = 8
_STUCK: Final = 50
_KINDS: Final = (State.IN_PROGRESS, State.WAITING_DEPARTMENT)

# Who tries which move in which state, and how often: H handler, B stand-in, L leader, O office,
# C chief, F the firm, D the department, "" nobody.
_WAYS: Final[dict[State, tuple[tuple[int, Move | None, str], ...]]] = {
    State.OPEN: (
        (62, Move.CLAIM, "H"), (6, Move.CLAIM, "B"), (2, Move.CLAIM, "L"), (3, Move.CLAIM, "O"),
        (5, Move.DECLINE, "H"), (4, Move.TRANSFER, "H"), (4, Move.URGE, "F"), (2, Move.ANSWER, "H"),
        (2, Move.WITHDRAW, "F"), (2, Move.NOT_ACCEPT, "O"), (2, Move.RECLASSIFY, "O"),
        (3, Move.FOLLOW_UP, "F"), (2, Move.MERGE, "O"), (3, Move.REASSIGN, "L"), (12, None, ""),
    ),
    State.IN_PROGRESS: (
        (28, Move.PROGRESS, "H"), (3, Move.PROGRESS, "L"), (46, Move.RESOLVE, "H"),
        (9, Move.ASK, "H"), (7, Move.REFER, "H"), (4, Move.SHELVE, "H"), (1, Move.SHELVE, "C"),
        (5, Move.TRANSFER, "H"), (6, Move.EXTEND, "H"), (1, Move.EXTEND, "L"),
        (2, Move.DECLINE, "H"), (5, Move.URGE, "F"), (2, Move.SUPERVISE, "L"),
        (3, Move.FOLLOW_UP, "F"), (2, Move.RECLASSIFY, "L"), (1, Move.SPLIT, "H"),
        (1, Move.SET_CONFIDENTIAL, "H"), (1, Move.WITHDRAW, "F"), (1, Move.REASSIGN, "O"),
        (1, Move.MERGE, "O"), (1, Move.NOT_ACCEPT, "O"), (6, None, ""),
    ),
    State.WAITING_ENTERPRISE: (
        (55, Move.REPLY, "F"), (10, Move.PROGRESS, "H"), (3, Move.WITHDRAW, "F"), (32, None, ""),
    ),
    State.WAITING_DEPARTMENT: (
        (40, Move.DEPARTMENT_RESULT, "D"), (15, Move.RECALL, "H"), (12, Move.PROGRESS, "H"),
        (5, Move.SHELVE, "H"), (4, Move.URGE, "F"), (24, None, ""),
    ),
    State.SHELVED: ((15, Move.REVIEW, "H"), (5, Move.URGE, "F"), (5, Move.WITHDRAW, "F"),
                    (75, None, "")),
    State.RESOLVED: (
        (28, Move.VERDICT_YES, "F"), (25, Move.RATE, "F"), (9, Move.VERDICT_NO, "F"),
        (3, Move.RETRACT, "H"), (35, None, ""),
    ),
    State.CLOSED: ((7, Move.REOPEN, "F"), (6, Move.RATE, "F"), (87, None, "")),
    State.MERGED: ((15, Move.UNMERGE, "O"), (85, None, "")),
}  # fmt: skip
_WAITS: Final = (0.3, 1, 2, 4, 7, 12, 26, 50)


@dataclass(frozen=True, slots=True)
class Told:
    """A message that reached somebody unasked."""

    row: int
    at: datetime
    person: PersonId
    urgent: bool
    kind: str
    ticket: TicketNumber | None


@dataclass(slots=True)
class _Plan:
    """How much will still be done about a ticket, and whether anybody ever takes it."""

    left: int
    taken: bool = True


@dataclass
class Year:
    """Random but repeatable; what is refused is simply not done."""

    office: Office
    tickets: int
    seed: int = 4
    sent: list[Told] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    plans: dict[int, _Plan] = field(default_factory=dict)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    briefs: int = 0
    steps: int = 0
    # What is looked at on the first working day of each month, and at half-time.
    at_month: Callable[["Year", UnitOfWork], list[str]] = lambda year, uow: []
    at_half: Callable[["Year", UnitOfWork], list[str]] = lambda year, uow: []
    _events: list[tuple[datetime, int, Callable[[UnitOfWork], None]]] = field(default_factory=list)
    _count: int = 0
    _down: bool = False
    _due: datetime | None = None
    _after: list[Callable[[UnitOfWork], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.calendar = shipped()
        self.clock = self.office.clock

    # ---- the course of the year

    def runs(self) -> None:
        self.office.work(self._begins)
        self._tickets_come()
        self._people_go()
        self._machine_fails()
        self._months_pass()
        stuck, last = 0, self.clock.value
        while True:
            coming = self._events[0][0] if self._events else END
            at = min(coming, END if self._due is None else self._due)
            if at >= END:
                break
            self.clock.value = max(self.clock.value, at)
            stuck = stuck + 1 if self.clock.value == last else 0
            last = self.clock.value
            if stuck > _STUCK:
                self.faults.append(f"something stays due at {last}")
                break
            self._step()
        self.clock.value = END.astimezone(UTC)
        self._step()

    def _step(self) -> None:
        """Whatever happens at one instant, in one transaction."""
        self.steps += 1
        with self.office.unit() as uow:
            while self._events and self._events[0][0] <= self.clock.value:
                heapq.heappop(self._events)[2](uow)
            if self._down:
                self._due = None
                return
            self._turn(uow)
            after, self._after = self._after, []
            for look in after:
                look(uow)
            self._due = next_due(uow)

    def _at(self, when: datetime, what: Callable[[UnitOfWork], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when.astimezone(UTC), self._count, what))

    def _turn(self, uow: UnitOfWork) -> None:
        """The sweep and the dispatcher, as one turn of each."""
        calendar = uow.calendar.current()
        tickets = TicketService(uow, self.clock, calendar)
        while ReminderService(uow, self.clock, calendar, tickets).sweep() == BATCH:
            continue
        while self._waits(uow) and self._sends(uow):
            continue

    def _waits(self, uow: UnitOfWork) -> bool:
        """Whether any row may go now; cheaper to ask than to claim."""
        return _ANY_WAITS.one(uow.connection, {"now": self.clock.value}) is not None

    def _sends(self, uow: UnitOfWork) -> int:
        now = self.clock.value
        good, ended = [], []
        claimed = uow.outbox.claim(50, 60, ["sandbox"])
        for row in claimed:
            why = still_true(row, uow, now)
            if not why and row.is_update and not row.delivery.update_ref:
                why = "cannot_update"
            if why:
                ended.append((row, why))
            else:
                good.append(row)
        going = _admitted(uow, good, now)
        for row, why in ended:
            _drop(uow, row, why, now)
        for row in going:
            self._delivers(uow, row)
        return len(claimed)

    def _delivers(self, uow: UnitOfWork, row: Any) -> None:
        number, lot = row.delivery.id, self.chance.random()
        if lot < 0.001:
            uow.outbox.dead(number, "no such user")
        elif lot < 0.006 and row.attempts + 1 < _MOST_ATTEMPTS:
            uow.outbox.retry(number, 0.0, "timeout")
        else:
            uow.outbox.sent(number, f"r{number}", f"c{number}")
            notice = row.notice
            if notice is not None:
                kind = row.delivery.content.kind.value
                told = Told(
                    number, self.clock.value, notice.person, notice.urgent, kind, row.ticket
                )
                self.sent.append(told)

    # ---- what is planned when it begins

    def _begins(self, uow: UnitOfWork) -> None:
        load_sample(uow, self.clock)
        for n, department in enumerate(DEPARTMENTS, 1):
            person = Person(PersonId(f"D{n}"), f"{department}小徐", Role.DEPARTMENT,
                            department=department)  # fmt: skip
            uow.people.save_person(person)
            uow.people.save_identity(Identity("sandbox", person.id, person.id))
        monday = START.replace(hour=0) + timedelta(days=1)
        for week in range(0, 62, 2):
            begins = monday + timedelta(weeks=week)
            shift = Shift(PersonId("P056"), begins, begins + timedelta(weeks=1))
            uow.people.add_shift(shift)
        self.firms = [firm.id for firm in uow.people.enterprises()]
        self.liaisons = [p.id for p in uow.people.people(Role.LIAISON)]
        self.leaders = [p.id for p in uow.people.people(Role.LEADER)]

    def _tickets_come(self) -> None:
        for n in range(self.tickets):
            at = self._moment(START, LAST_TICKET)
            # Four of five in working hours, as far as the lot allows.
            for _ in range(3):
                if not self.calendar.is_open(at):
                    at = self._moment(START, LAST_TICKET)
            storm = STORMS[n % len(STORMS)] if n % _OF_A_STORM == 0 else None
            if storm is not None:
                at = storm + timedelta(minutes=self.chance.randrange(12))
            self._at(at if storm else _slot(at), self._coming(n, storm is not None))

    def _coming(self, n: int, storm: bool) -> Callable[[UnitOfWork], None]:
        return lambda uow: self._opens(uow, n, storm)

    def _moment(self, since: datetime, until: datetime) -> datetime:
        minutes = int((until - since).total_seconds() // 60)
        return since + timedelta(minutes=self.chance.randrange(minutes))

    def _people_go(self) -> None:
        for person in [*self.liaisons, *self.leaders]:
            for _ in range(3):
                starts = self._moment(START, LAST_ACT - timedelta(days=14))
                until = starts + timedelta(hours=self.chance.choice((4, 9, 33, 57, 105, 249)))
                told = starts - timedelta(hours=self.chance.choice((0, 2, 20)))
                self._at(max(told, START), self._leave(person, starts, until))
                if self.chance.random() < 0.2:
                    self._at(starts + (until - starts) / 2, self._back(person))
        for _ in range(9):
            self._at(self._moment(START, LAST_ACT), self._pairs)
        for _ in range(8):
            self._at(self._moment(START, LAST_ACT), self._clock_is_wrong)

    def _leave(
        self, who: PersonId, starts: datetime, until: datetime
    ) -> Callable[[UnitOfWork], None]:
        def goes(uow: UnitOfWork) -> None:
            person = uow.people.person(who)
            assert person is not None
            LeaveService(uow, self.clock, self.calendar).take(person, starts, until, person)
            self.made["leave"] += 1

        return goes

    def _back(self, who: PersonId) -> Callable[[UnitOfWork], None]:
        def comes(uow: UnitOfWork) -> None:
            person = uow.people.person(who)
            assert person is not None
            try:
                LeaveService(uow, self.clock, self.calendar).end(person, person)
            except Refusal:
                return

        return comes

    def _pairs(self, uow: UnitOfWork) -> None:
        """Up to three firms get another liaison, or now and then another leader."""
        among = self.liaisons if self.chance.random() < 0.7 else self.leaders
        person = uow.people.person(self.chance.choice(among))
        firms = [f for f in map(uow.people.enterprise, self.chance.sample(self.firms, 3)) if f]
        by = uow.people.duty_person()
        assert person is not None
        assert by is not None
        moved = HandOver(uow, self.clock, self.calendar).change(tuple(firms), person, by)
        self.made["hand_over"] += 1
        self.made["handed_over"] += moved

    def _machine_fails(self) -> None:
        """Minutes to days in which nothing is swept or sent; people go on all the same."""
        at = START + timedelta(days=5)
        while at < LAST_ACT:
            minutes = self.chance.choice((3, 12, 40, 150, 600, 1500, 4400))
            ends = at + timedelta(minutes=minutes)
            self.outages.append((at, ends))
            self._at(at, lambda uow: self._turned(True))
            self._at(ends, lambda uow: self._turned(False))
            at = ends + timedelta(days=self.chance.uniform(3, 18))

    def _turned(self, down: bool) -> None:
        self._down = down

    def _clock_is_wrong(self, uow: UnitOfWork) -> None:
        """Once this turn is over the wall clock goes back, and comes right again."""
        hours = self.chance.choice((0.1, 2, 30))

        def back(uow: UnitOfWork) -> None:
            now, sent = self.clock.value, len(self.sent)
            fired = count(uow, "firings")
            self.clock.value = now - timedelta(hours=hours)
            self._turn(uow)
            self.clock.value = now
            if count(uow, "firings") != fired or len(self.sent) != sent:
                self.faults.append(f"34: setting the clock back by {hours} h did something")

        self._after.append(back)

    def _months_pass(self) -> None:
        day = date(2026, 1, 5)
        while day < END.date():
            while not self.calendar.is_workday(day):
                day += timedelta(days=1)
            at = datetime(day.year, day.month, day.day, 8, 20, tzinfo=SHANGHAI)
            self._at(at, self._morning)
            if day.month == 7:
                self._at(at + timedelta(hours=5), lambda uow: self._after.append(self._half))
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)

    def _morning(self, uow: UnitOfWork) -> None:
        if self._down:
            self._at(self.clock.value + timedelta(days=1), self._morning)
            return
        BriefService(uow, self.clock, self.calendar).send_morning()
        self.briefs += 1
        self._after.append(lambda uow: self.faults.extend(self.at_month(self, uow)))

    def _half(self, uow: UnitOfWork) -> None:
        self.faults.extend(self.at_half(self, uow))

    # ---- tickets

    def _opens(self, uow: UnitOfWork, n: int, storm: bool) -> None:
        chance = self.chance
        among = self.firms[:_NEIGHBOURS] if storm else self.firms
        firm = None if chance.random() < 0.02 else chance.choice(among)
        contact = None if firm is None else uow.people.main_contact(firm)
        title, category, _ = chance.choice(TITLES)
        shares = (30, 45, 25, 0) if storm else (3, 17, 55, 25)
        urgency = chance.choices(list(Urgency), shares)[0]
        group = chance.random() < 0.2
        source = Source(
            "sandbox", "key-enterprises" if group else f"dm:{firm}", f"m{n}",
            Channel.GROUP if group else Channel.DIRECT,
        )  # fmt: skip
        ticket = TicketService(uow, self.clock, self.calendar).submit(
            Report(title, f"{title}（第{n}件）", category, urgency, firm, contact,
                   "路过的人" if contact is None else contact.name, source, to_group=group),
            contact,
        )  # fmt: skip
        self.made["submit"] += 1
        lot = chance.random()
        if lot < 0.03:
            # Nobody ever does anything about it.
            plan = _Plan(0, taken=False)
        elif lot < 0.08:
            # Taken, and then forgotten.
            plan = _Plan(chance.randint(1, 2))
        else:
            plan = _Plan(chance.randint(6, _MOST_ACTS))
        self.plans[ticket.number] = plan
        self._next(ticket.number, ticket.urgency is Urgency.U1)

    def _next(self, number: int, soon: bool = False) -> None:
        plan = self.plans[number]
        if plan.left <= 0:
            return
        plan.left -= 1
        hours = self.chance.choice(_WAITS[:2] if soon else _WAITS) * self.chance.uniform(0.5, 1.5)
        at = self.clock.value + timedelta(hours=hours)
        if not soon and self.chance.random() < 0.85:
            at = self.calendar.next_open(at) + timedelta(minutes=self.chance.randrange(90))
        at = max(_slot(at), self.clock.value)
        if at < LAST_ACT:
            self._at(at, lambda uow: self._acts(uow, number))

    def _acts(self, uow: UnitOfWork, number: int) -> None:
        ticket = uow.tickets.get(TicketNumber(number))
        if ticket.state in ENDED and ticket.state not in _WAYS:
            return
        what, who = self._choice(ticket)
        if what is not None:
            person = self._person(uow, ticket, who)
            if person is not None:
                ticket = self._tries(uow, ticket, what, person)
        if ticket.state not in ENDED or self.chance.random() < 0.4:
            self._next(number, ticket.urgency is Urgency.U1 and ticket.is_live)

    def _choice(self, ticket: Ticket) -> tuple[Move | None, str]:
        chance = self.chance
        asked = self._pending(ticket)
        if asked is not None and chance.random() < 0.6:
            return asked
        if ticket.level >= 4 and ticket.is_live and chance.random() < 0.35:
            who = "C" if ticket.level >= 5 else "L"
            pick = chance.random()
            if pick < 0.6:
                return Move.ACKNOWLEDGE, who
            return (Move.REASSIGN if pick < 0.85 else Move.EXTEND), who
        if ticket.enterprise_id is None and ticket.is_live and chance.random() < 0.5:
            return Move.NAME_FIRM, "O"
        if ticket.state is State.OPEN and ticket.owner_id is None and chance.random() < 0.6:
            return Move.REASSIGN, "O"
        ways = _WAYS[ticket.state]
        _, what, who = chance.choices(ways, [w[0] for w in ways])[0]
        return what, who

    def _pending(self, ticket: Ticket) -> tuple[Move, str] | None:
        good = self.chance.random() < 0.7
        if ticket.pending_owner_id is not None:
            return (Move.TRANSFER_ACCEPT if good else Move.TRANSFER_REFUSE), "N"
        if ticket.pending_until is not None:
            return (Move.EXTEND_APPROVE if good else Move.EXTEND_REFUSE), "L"
        if ticket.pending_review is not None and ticket.state in _KINDS:
            return (Move.SHELVE_APPROVE if good else Move.SHELVE_REFUSE), "L"
        return None

    def _person(self, uow: UnitOfWork, ticket: Ticket, who: str) -> Person | None:
        people, now = uow.people, self.clock.value
        if who == "F":
            firm = ticket.enterprise_id
            return None if firm is None else people.main_contact(firm)
        if who == "O":
            return people.duty_person()
        if who == "C":
            return people.chief()
        if who == "N":
            return people.person(ticket.pending_owner_id or PersonId(""))
        if who == "D":
            among = people.people(Role.DEPARTMENT)
            return next((p for p in among if p.department == ticket.department), None)
        standing = people.standing(ticket.enterprise_id, now)
        if who == "L":
            wanted = standing.leader_id
            away = wanted is not None and people.is_away(wanted, now)
        else:
            wanted = ticket.owner_id
            away = who == "B" or (wanted is not None and people.is_away(wanted, now))
        if wanted is None:
            return people.duty_person()
        owner = people.person(wanted)
        if not away or owner is None:
            return owner
        return people.stand_in(wanted, now) or people.person(owner.backup_person_id or wanted)

    def _tries(self, uow: UnitOfWork, ticket: Ticket, what: Move, person: Person) -> Ticket:
        service = TicketService(uow, self.clock, self.calendar)
        speaker = Speaker(UserRef("sandbox", person.id), person, person.name)
        args = self._args(uow, ticket, what)
        try:
            with uow.savepoint():
                if what is Move.MERGE:
                    self._merges(uow, service, ticket, speaker)
                elif what is Move.SPLIT:
                    self._splits(service, ticket, speaker, args.text)
                else:
                    ticket = service.act(ticket, what, speaker, args)
        except Refusal:
            self.refused[what.value] += 1
        else:
            self.made[what.value] += 1
        return ticket

    def _merges(
        self, uow: UnitOfWork, service: TicketService, ticket: Ticket, speaker: Speaker
    ) -> None:
        others = [
            t for t in uow.tickets.of_firms((ticket.enterprise_id,), frozenset({State.IN_PROGRESS}))
            if t.number != ticket.number
        ] if ticket.enterprise_id else []  # fmt: skip
        if others:
            service.merge(ticket, self.chance.choice(others), speaker, "同一件事")

    def _splits(self, service: TicketService, ticket: Ticket, speaker: Speaker, text: str) -> None:
        title, category, urgency = self.chance.choice(TITLES)
        _, child = service.split(
            ticket,
            speaker,
            Report(title, text, category, urgency, ticket.enterprise_id, speaker.person,
                   speaker.name, ticket.source),
        )  # fmt: skip
        self.plans[child.number] = _Plan(self.chance.randint(3, _MOST_ACTS))
        self._next(child.number)

    def _args(self, uow: UnitOfWork, ticket: Ticket, what: Move) -> Args:
        chance, now = self.chance, self.clock.value
        self._count += 1
        args = Args(text=f"{chance.choice(TEXTS[:5])}（{self._count}）")
        if what in (Move.TRANSFER, Move.REASSIGN):
            return replace(args, person=uow.people.person(chance.choice(self.liaisons)))
        if what is Move.EXTEND:
            later = max(ticket.due_resolution or now, now)
            return replace(args, until=later + timedelta(days=chance.randint(1, 12)))
        if what is Move.SHELVE:
            until = now + timedelta(days=chance.choice((4, 15, 40, 85)))
            return replace(args, until=until, told="已当面说明情况")
        if what is Move.REFER:
            return replace(args, department=chance.choice(DEPARTMENTS))
        if what is Move.RATE:
            return replace(args, rating=chance.choice((1, 2, 3, 4, 4, 5, 5, 5)))
        if what is Move.NOT_ACCEPT:
            return replace(args, code=chance.choice(("outside", "mistake", "court")))
        if what is Move.RECLASSIFY:
            return replace(args, urgency=chance.choice(list(Urgency)))
        if what is Move.NAME_FIRM:
            return replace(args, enterprise_id=chance.choice(self.firms))
        if what is Move.ACKNOWLEDGE:
            meets = ticket.level >= 5 and chance.random() < 0.4
            return replace(
                args, until=now + timedelta(days=chance.randint(1, 10)) if meets else None
            )
        return args


def _slot(at: datetime) -> datetime:
    """The next instant of those at which people do things, so that some come together."""
    return datetime.fromtimestamp(-(-int(at.timestamp()) // _SLOT) * _SLOT, UTC)


_ANY_WAITS: Final = Statement(
    text(
        "SELECT 1 FROM outbox WHERE state IN ('waiting','sending') "
        "AND (not_before IS NULL OR not_before <= :now) LIMIT 1"
    ).bindparams(bindparam("now", type_=UtcDateTime()))
)


def next_due(uow: UnitOfWork) -> datetime | None:
    """As bot.passing.next_instant; nobody has plans here."""
    due = (uow.tickets.next_due(), uow.outbox.next_opening())
    return min((at for at in due if at is not None), default=None)


def count(uow: UnitOfWork, table: str) -> int:
    cursor: Any = uow.connection.connection.cursor()
    return int(cursor.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


# Kept beside the rows for the checks alone: what became part of which digest, and any row that
# moved after it had ended.
_WATCHES: Final = (
    "CREATE TEMP TABLE joined (row INTEGER PRIMARY KEY, digest INTEGER)",
    "CREATE TEMP TABLE moved_back (row INTEGER)",
    "CREATE TEMP TRIGGER joins AFTER UPDATE OF state ON outbox "
    "WHEN NEW.error = 'in_digest' AND NEW.state = 'superseded' BEGIN "
    "INSERT INTO joined SELECT NEW.id, MAX(id) FROM outbox "
    "WHERE kind = 'digest' AND person_id = NEW.person_id; END",
    "CREATE TEMP TRIGGER moves_back AFTER UPDATE OF state ON outbox "
    "WHEN OLD.state IN ('sent','superseded','dead') AND NEW.state <> OLD.state "
    "BEGIN INSERT INTO moved_back VALUES (NEW.id); END",
)


def a_year(url: str, tickets: int, seed: int = 4) -> Year:
    """A year that is over, on a migrated SQLite file, with everything that was found wrong."""
    from tests.kit.year_checks import after_the_year, each_month, figures, histories

    office = Office(url, Hand(START.astimezone(UTC)), fresh=False)
    cursor = office.connection.connection.cursor()
    # Only here: what is proven is arithmetic over a year, not what a power cut leaves.
    cursor.execute("PRAGMA synchronous=OFF")
    for watch in _WATCHES:
        cursor.execute(watch)
    year = Year(office, tickets, seed, at_month=each_month, at_half=histories)
    with office:
        year.runs()
        year.faults += office.work(lambda uow: after_the_year(year, uow))
        year.figures = office.work(lambda uow: figures(year, uow))
    return year


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'year.db'}"
        upgrade(url)
        began = time.perf_counter()
        year = a_year(url, wanted, seed)
        took = time.perf_counter() - began
    print(", ".join(f"{what} {many}" for what, many in year.figures.items()))
    print(f"{took:.1f} s, faults: {len(year.faults)}")
    for kind, many in Counter(f.split(":")[0] for f in year.faults).items():
        print(f"  {kind}: {many}")
    for fault in year.faults[:40]:
        print("  ", fault)
    sys.exit(bool(year.faults))


if __name__ == "__main__":
    main()
