"""The visit book: a sentence becomes a visit, its problems tickets; who went where, whose turn it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from handlers.chat.events import Attachment
from handlers.chat.outbound import Card
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import Enterprise, Person, Role
from handlers.domain.ticket import Channel, Kind, Source, Ticket
from handlers.domain.visit import (
    Mode,
    Note,
    Standing,
    Visit,
    busiest,
    changed,
    due,
    filled,
    put_right,
    unvisited,
)
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, TicketMessage, Work
from handlers.ports.visits import VisitQuery
from handlers.services.briefs import BriefService
from handlers.services.tickets import Report, TicketService
from handlers.texts import visits as say
from handlers.understanding import FirmNames, Item, Lexicon, read, title_of, topic, urgency
from handlers.understanding.visit_notes import (
    correction_of,
    exchange,
    inspects,
    note_of,
    without_numbers_of_people,
)

_LONGEST: Final = 1000
# How sure a clause must be that it tells a problem; nobody asks back inside a note.
_TELLS: Final = 0.5
_AHEAD: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Logged:
    """What came of a note: tickets that it opened or joined, how often the office was there."""

    visit: Visit
    firm: Enterprise
    opened: tuple[Ticket, ...] = ()
    joined: tuple[Ticket, ...] = ()
    entries: int = 0
    left_out: bool = False


class VisitService:
    def __init__(
        self,
        work: Work,
        clock: Clock,
        calendar: WorkCalendar,
        tickets: TicketService,
        firms: FirmNames,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._tickets = tickets
        self._firms = firms
        self._lexicon = lexicon
        self._briefs: Final = BriefService(work, clock, calendar)

    # ---- entering

    def log(
        self,
        text: str,
        enterprise_id: EnterpriseId,
        by: Person,
        source: Source,
        attachments: tuple[Attachment, ...] = (),
        project: str = "",
        note: Note | None = None,
    ) -> Logged:
        """Keep a visit told in one sentence; what the firm needs becomes tickets of kind visit.

        `note` holds fields that were given by name; they win over what the sentence says. Raises
        BadInput for an inspection, a time to come or an empty note.
        """
        firm = self._firm(enterprise_id)
        clean, left_out = without_numbers_of_people(text.strip())
        if len(clean) > _LONGEST:
            raise BadInput("too_long")
        if inspects(clean):
            raise BadInput("visit_inspects")
        now = self._clock.now()
        read_note = note_of(
            clean, now, self._calendar, self._firms, tuple(self._called()), self._tells
        )
        visit = self._new(firm, by, now)
        visit = filled(filled(visit, read_note), note or Note())
        if visit.at > now:
            raise BadInput("visit_ahead")
        today, then = (t.astimezone(self._calendar.zone).date() for t in (now, visit.at))
        visit = replace(
            visit,
            visitors=self._went(by, (*read_note.visitors, *(note.visitors if note else ()))),
            note=clean,
            project=project,
            backfilled=read_note.backfilled or then < today,
        )
        problems = (note.problems if note else ()) or read_note.problems
        opened, joined = self._problems(problems, visit, by, source, attachments)
        numbers = [t.number for t in (*opened, *joined)]
        visit = replace(visit, problems=tuple(TicketNumber(n) for n in dict.fromkeys(numbers)))
        self._fulfil(visit)
        self._work.visits.add(visit)
        if source.message_id:
            self._work.visits.from_message(visit.number, source.platform, source.message_id)
        self._audit(by, "visit.kept", visit)
        return Logged(visit, firm, opened, joined, self.entries(visit), left_out)

    def _new(self, firm: Enterprise, by: Person, now: datetime) -> Visit:
        stem = f"ZF-{now.astimezone(self._calendar.zone):%Y%m%d}"
        number, serial = self._work.visits.next_number(stem)
        return Visit(number, f"{stem}-{serial:03d}", firm.id, now, now, by.id)

    def _firm(self, enterprise_id: EnterpriseId) -> Enterprise:
        firm = self._work.people.enterprise(enterprise_id)
        if firm is None:
            raise NoSuch("firm", enterprise_id)
        return firm

    def _called(self) -> dict[str, str]:
        """Colleagues as a note may call them, the longest name first."""
        names: dict[str, str] = {}
        for person in self._work.people.people():
            if not (person.is_staff and person.active):
                continue
            names[person.name] = person.name
            bare = person.name.removeprefix(say.LIAISON)
            if len(bare) >= 2:
                names.setdefault(bare, person.name)
        return {name: names[name] for name in sorted(names, key=len, reverse=True)}

    def _went(self, by: Person, said: Sequence[str]) -> tuple[str, ...]:
        called = self._called()
        names = [by.name, *(called.get(name, name) for name in said)]
        return tuple(dict.fromkeys(names))

    def _tells(self, clause: str) -> bool:
        reading = read(
            clause, Role.MANAGER.value, addressed=True, firms=self._firms, lexicon=self._lexicon
        )
        return reading.confidence >= _TELLS

    def _items(self, problems: Sequence[str]) -> tuple[Item, ...]:
        if not problems:
            return ()
        text = "，".join(problems)
        most = self._work.office.policy().problems_per_message
        items = read(
            text, Role.MANAGER.value, addressed=True, firms=None, most=most, lexicon=self._lexicon
        ).items
        if items:
            return items
        category, _ = topic(text, self._lexicon)
        level = urgency(text, self._lexicon)
        return (Item(category, level, title_of(text, category), text),)

    def _problems(
        self,
        problems: Sequence[str],
        visit: Visit,
        by: Person,
        source: Source,
        attachments: tuple[Attachment, ...] = (),
    ) -> tuple[tuple[Ticket, ...], tuple[Ticket, ...]]:
        """The tickets that the firm's problems open, and those that they only add to (H10)."""
        opened: list[Ticket] = []
        joined: list[Ticket] = []
        for part, item in enumerate(self._items(problems), 1):
            same = self._tickets.same_as(visit.enterprise_id, item.category, item.body)
            if same is not None:
                self._keep(same, item.body, by, source)
                joined.append(same)
                continue
            report = Report(
                item.title,
                item.body,
                item.category,
                item.urgency,
                visit.enterprise_id,
                by,
                by.name,
                replace(source, channel=Channel.VISIT),
                kind=Kind.VISIT,
                part=part,
                attachments=attachments,
            )
            opened.append(self._tickets.submit(report, by))
        return tuple(opened), tuple(joined)

    def _keep(self, ticket: Ticket, text: str, by: Person, source: Source) -> None:
        self._work.tickets.add_message(
            ticket.number,
            TicketMessage(
                self._clock.now(),
                by.id,
                by.name,
                text,
                source.platform,
                source.chat,
                source.message_id,
            ),
        )

    def _fulfil(self, visit: Visit) -> None:
        """What was planned for that day or before is no plan any more."""
        day = timedelta(days=1)
        query = VisitQuery(enterprise_id=visit.enterprise_id, until=visit.at + day, planned=True)
        for one in self._work.visits.search(query):
            if one.standing is Standing.PLANNED:
                self._work.visits.save(replace(one, standing=Standing.DROPPED))

    def entries(self, visit: Visit) -> int:
        """How often the office goes into the firm in the busiest week around this visit; a call is no entry."""
        if visit.mode is not Mode.ON_SITE:
            return 0
        span = self._work.office.policy().visits_span
        near = self._work.visits.entries(
            visit.enterprise_id, Mode.ON_SITE, visit.at - span, visit.at + span
        )
        others = list(near)
        if visit.at in others:
            others.remove(visit.at)
        return busiest(others, visit.at, span)

    def card(self, logged: Logged) -> Card:
        """What the note became, to be shown once."""
        owner = self._tickets.telling.owner
        return say.kept(
            logged.visit,
            logged.firm.short_name,
            [(t, owner(t)) for t in logged.opened],
            logged.joined,
            logged.entries,
            self._work.office.policy().visits_most,
            logged.left_out,
            self._clock.now(),
        )

    def warning(self, logged: Logged) -> str:
        """The warning about too many visits, where there are too many."""
        often = logged.entries > self._work.office.policy().visits_most
        return say.too_often(logged.firm.short_name, logged.entries) if often else ""

    # ---- planning

    def plan(self, firm: Enterprise, at: datetime, until: datetime | None, by: Person) -> str:
        """Keep a visit that is to come."""
        now = self._clock.now()
        if (until or at) < now:
            raise BadInput("until_past")
        if at > now + _AHEAD:
            raise BadInput("until_too_far", days=_AHEAD.days)
        visit = replace(
            self._new(firm, by, now),
            at=at,
            until=until,
            visitors=(by.name,),
            standing=Standing.PLANNED,
        )
        self._work.visits.add(visit)
        self._audit(by, "visit.planned", visit)
        most = self._work.office.policy().visits_most
        return say.planned(visit, firm.short_name, self.entries(visit), most, now)

    # ---- putting right

    def mine(self, number: int, by: Person) -> Visit:
        """A visit that this person may change: their own, or any for the office; raises NoSuch."""
        visit = self._work.visits.find(number)
        own = visit is not None and visit.entered_by == by.id
        if visit is None or visit.standing is Standing.DROPPED or not (own or by.is_office):
            raise NoSuch("visit", number)
        return visit

    def correct(self, number: int, text: str, by: Person, source: Source) -> str:
        """Put right what one sentence says; raises BadInput where nothing of it is understood."""
        before = self.mine(number, by)
        clean, _ = without_numbers_of_people(text.strip())
        if inspects(clean):
            raise BadInput("visit_inspects")
        now = self._clock.now()
        instead = exchange(clean)
        after = before if instead is None else put_right(before, *instead)
        opened: tuple[Ticket, ...] = ()
        if after == before:
            said = clean if instead is None else instead[1]
            named = [f for f in self._firms.find(said) if f != before.enterprise_id]
            note = correction_of(said, now, self._calendar, self._firms, tuple(self._called()))
            after = filled(before, note)
            if len(named) == 1:
                after = replace(after, enterprise_id=EnterpriseId(named[0]))
            if note.visitors:
                after = replace(after, visitors=self._went(by, note.visitors))
            if note.problems:
                opened, joined = self._problems(note.problems, after, by, source)
                numbers = (*before.problems, *(t.number for t in (*opened, *joined)))
                after = replace(after, problems=tuple(dict.fromkeys(numbers)))
        if after.standing is Standing.KEPT and after.at > now:
            raise BadInput("visit_ahead")
        fields = changed(before, after)
        if not fields:
            raise BadInput("visit_unclear")
        self._work.visits.save(after)
        self._audit(by, "visit.corrected", after, fields=list(fields))
        owner = self._tickets.telling.owner
        firm = self._firm(after.enterprise_id).short_name
        return say.corrected(after, firm, [(t, owner(t)) for t in opened], now)

    def drop(self, number: int, by: Person) -> str:
        """Take a visit back; its tickets stay."""
        visit = self.mine(number, by)
        self._work.visits.save(replace(visit, standing=Standing.DROPPED))
        self._audit(by, "visit.dropped", visit)
        return say.dropped(visit, self._firm(visit.enterprise_id).short_name)

    def _audit(self, by: Person, action: str, visit: Visit, **facts: object) -> None:
        told = {"firm": visit.enterprise_id, **facts}
        self._work.audit.add(self._clock.now(), by.id, action, visit.code, told)

    # ---- reading

    def firms_of(self, person: Person) -> frozenset[EnterpriseId] | None:
        """The firms whose visits somebody may read; None: all. A firm reads none here."""
        if not person.is_staff or person.role is Role.DEPARTMENT:
            return frozenset()
        return self._briefs.mine(person).firms

    def may_read(self, visit: Visit, person: Person) -> bool:
        firms = self.firms_of(person)
        return firms is None or visit.enterprise_id in firms or visit.entered_by == person.id

    def book(self, person: Person, query: VisitQuery) -> list[Visit]:
        """Visits as far as this person may read of them: of the own firms, and those entered."""
        found = self._work.visits.search(replace(query, firms=None, limit=100_000))
        return [v for v in found if self.may_read(v, person)]

    def name(self, enterprise_id: EnterpriseId) -> str:
        firm = self._work.people.enterprise(enterprise_id)
        return str(enterprise_id) if firm is None else firm.short_name

    def book_text(self, person: Person, query: VisitQuery, title: str) -> str:
        now = self._clock.now()
        found = self.book(person, query)
        rows = [(v, self.name(v.enterprise_id)) for v in found[: say.MOST_LISTED]]
        return say.book(title, rows, len(found), now)

    def _key_firms(self, person: Person | None) -> list[Enterprise]:
        firms = None if person is None else self.firms_of(person)
        return [
            f
            for f in self._work.people.enterprises()
            if f.active and f.is_key and (firms is None or f.id in firms)
        ]

    def due_text(self, person: Person) -> str:
        """Whose turn it is, for the own firms; and what is planned already."""
        now = self._clock.now()
        policy = self._work.office.policy()
        coming = [
            v
            for v in self.book(person, VisitQuery(since=now, planned=True))
            if v.standing is Standing.PLANNED
        ]
        planned = {v.enterprise_id for v in coming}
        firms = [f.id for f in self._key_firms(person) if f.id not in planned]
        rows = due(firms, self._work.visits.last(), now, policy)
        named = [(self.name(f), last) for f, last in rows]
        coming.sort(key=lambda v: v.at)
        return say.plan(
            policy.visit_weeks, named, [(v, self.name(v.enterprise_id)) for v in coming], now
        )

    def unvisited_text(self, person: Person) -> str:
        policy = self._work.office.policy()
        pairings = self._work.people.pairings
        firms = []
        for firm in self._key_firms(person):
            since = [p.starts_at for p in pairings(firm.id)]
            if since:
                firms.append((firm.id, min(since)))
        visits = self._work.visits
        span = timedelta(days=policy.unvisited_days)
        found = unvisited(firms, visits.last(), visits.began(), self._clock.now(), span)
        return say.unvisited([self.name(f) for f in found], policy.unvisited_days)

    def rows(self, since: datetime, until: datetime) -> list[dict[str, str]]:
        """The visit book as a table, oldest first."""
        found = self._work.visits.search(VisitQuery(since=since, until=until, limit=1_000_000))
        return [self._row(v) for v in sorted(found, key=lambda v: (v.at, v.number))]

    def _row(self, visit: Visit) -> dict[str, str]:
        people = self._work.people
        firm = people.enterprise(visit.enterprise_id)
        by = people.person(PersonId(visit.entered_by))
        return say.row(
            visit,
            str(visit.enterprise_id) if firm is None else firm.short_name,
            "" if firm is None else firm.area,
            None if firm is None else firm.grid,
            str(visit.entered_by) if by is None else by.name,
            self._clock.now(),
        )
