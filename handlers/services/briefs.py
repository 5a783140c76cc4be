"""The day's page, its drill-downs and the summaries: gathered for each person, sent at their hours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.brief import Calls, Figure, Page, page, silent_firms
from handlers.domain.campaign import Campaign, Target, counts
from handlers.domain.category import Urgency
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import OFFICE_ROLES, Person, Role
from handlers.domain.rates import Facts, Rates, Window
from handlers.domain.ticket import READERS, Part, Ticket, parts_of
from handlers.domain.visit import Standing, unvisited
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Shown, Work
from handlers.ports.visits import VisitQuery
from handlers.services.rates import By, RateService, month_to
from handlers.services.surveys import open_line
from handlers.texts import announcements as announced
from handlers.texts import briefs as say
from handlers.texts import callbacks as callbacks_say
from handlers.texts import campaigns as campaigns_say
from handlers.texts import tickets as tickets_say
from handlers.texts.common import STATE_NAMES
from handlers.understanding.tone import tone_of

MORNING: Final = time(8, 20)
_CONCERNED: Final = READERS - {Part.FIRM, Part.REPORTER}
_ANNOUNCED: Final = timedelta(days=30)
_LONGEST_GAP: Final = timedelta(days=14)
_READERS: Final = (Role.CHIEF, Role.LEADER, Role.LIAISON)
_LEADS: Final = frozenset({Role.LEADER, Role.AREA_HEAD})
_PAGES: Final = ("shown", "morning", "close")


@dataclass(frozen=True, slots=True)
class Mine:
    """What one person may see; None is the whole office. `firms` None: all of them."""

    person: Person | None
    firms: frozenset[EnterpriseId] | None

    @property
    def whole(self) -> bool:
        return self.firms is None


class BriefService:
    """Whatever is asked for is asked by one person; the caller owns the transaction."""

    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._rates = RateService(work, calendar)

    # ---- what a page is about

    def slot_before(self, at: datetime) -> datetime:
        """The last 08:20 of a working day before `at`."""
        zone = self._calendar.zone
        day = at.astimezone(zone).date()
        while True:
            slot = datetime.combine(day, MORNING, zone)
            if slot < at and self._calendar.is_workday(day):
                return slot.astimezone(at.tzinfo)
            day -= timedelta(days=1)

    def day_page(self, on: date) -> tuple[datetime, datetime]:
        """What the page of a day is about: that morning, or now where it is today."""
        now = self._clock.now()
        zone = self._calendar.zone
        at = datetime.combine(on, MORNING, zone).astimezone(now.tzinfo)
        if on == now.astimezone(zone).date():
            at = now
        return self.slot_before(at), at

    def since(self, person: Person | None, at: datetime) -> datetime:
        last = None if person is None else self._work.reports.shown(person.id, "morning")
        if last is not None and at - _LONGEST_GAP < last.at < at:
            return last.at
        return self.slot_before(at)

    def whole_page(self, since: datetime, at: datetime) -> Page:
        policy = self._work.office.policy()
        first = min(since, at - timedelta(days=policy.common_days))
        stories = self._work.reports.stories(first, at + timedelta(microseconds=1))
        silent, calls = self._silent(at), self._calls(since, at)
        return page(stories, since, at, self._calendar, policy, tone_of, silent, calls)

    def _key_firms(self) -> list[tuple[EnterpriseId, datetime]]:
        """The key firms, each with when the office took it on."""
        people = self._work.people
        firms: list[tuple[EnterpriseId, datetime]] = []
        for firm in people.enterprises():
            pairings = people.pairings(firm.id) if firm.active and firm.is_key else ()
            if pairings:
                firms.append((firm.id, min(p.starts_at for p in pairings)))
        return firms

    def _silent(self, at: datetime) -> tuple[EnterpriseId, ...]:
        reports = self._work.reports
        began = reports.began()
        if began is None:
            return ()
        policy = self._work.office.policy()
        return silent_firms(self._key_firms(), reports.last_contacts(), began, at, policy)

    def _calls(self, since: datetime, at: datetime) -> Calls:
        """Visits planned and done, and the firms that nobody visited for long (domain.md §9.7)."""
        visits = self._work.visits
        began = visits.first_planned_or_kept()
        if began is None or began > at:
            return Calls()
        made = visits.search(VisitQuery(entered_since=since, entered_until=at))
        midnight = datetime.combine(
            at.astimezone(self._calendar.zone).date(), time(), self._calendar.zone
        ).astimezone(at.tzinfo)
        query = VisitQuery(since=midnight, until=midnight + timedelta(days=1), planned=True)
        planned = [v for v in visits.search(query) if v.standing is Standing.PLANNED]
        span = timedelta(days=self._work.office.policy().unvisited_days)
        late = unvisited(self._key_firms(), visits.last(at), visits.began(), at, span)
        return Calls(
            tuple(v.enterprise_id for v in reversed(made)),
            tuple(v.enterprise_id for v in reversed(planned)),
            late,
        )

    def mine(self, person: Person | None) -> Mine:
        if person is None or person.role in OFFICE_ROLES:
            return Mine(person, None)
        people = self._work.people
        firms = {
            p.enterprise_id
            for p in people.pairings()
            if p.ends_at is None and person.id in (p.leader_id, p.liaison_id)
        }
        for firm in people.enterprises():
            heads = person.role is Role.AREA_HEAD and firm.area == person.area
            grids = person.role in (Role.GRID_CHIEF, Role.GRID_MEMBER)
            if heads or (grids and firm.grid is not None and firm.grid == person.grid):
                firms.add(firm.id)
        return Mine(person, frozenset(firms))

    def only(self, whole: Page, mine: Mine) -> Page:
        """The part of a page that concerns one person."""
        person = mine.person
        if mine.firms is None or person is None:
            return whole

        def concerns(ticket: Ticket) -> bool:
            standing = self._work.people.standing(ticket.enterprise_id, whole.at)
            return bool(parts_of(ticket, person, standing) & _CONCERNED)

        return whole.only(concerns, mine.firms)

    # ---- the page in words

    def names(self, ticket: Ticket) -> say.Names:
        people = self._work.people
        standing = people.standing(ticket.enterprise_id, self._clock.now())
        leader = None if standing.leader_id is None else people.person(standing.leader_id)
        owner = None if ticket.owner_id is None else people.person(ticket.owner_id)
        firm = standing.enterprise
        return say.Names(
            "" if firm is None else firm.short_name,
            tickets_say.someone(owner),
            "" if leader is None else leader.name,
        )

    def firm(self, firm_id: EnterpriseId) -> str:
        firm = self._work.people.enterprise(firm_id)
        return firm_id if firm is None else firm.short_name

    def _handles(self, mine: Mine) -> Callable[[Ticket], bool]:
        person = mine.person
        hands_on = person is not None and person.role not in (*OFFICE_ROLES, Role.LEADER)
        return lambda ticket: hands_on

    def paper(self, shown: Page, mine: Mine, title: str = say.BRIEF) -> say.Paper:
        duty = self._work.people.duty_person(shown.at)
        person = mine.person
        return say.paper(
            shown,
            self._calendar,
            self._work.office.policy().working_day,
            self.names,
            self.firm,
            self._handles(mine),
            "" if duty is None else duty.name,
            "" if mine.whole or person is None else person.name,
            title,
            (
                *(self._office_lines(shown.at) if mine.whole and title == say.BRIEF else ()),
                *self._campaigns(mine),
            ),
        )

    def _office_lines(self, at: datetime) -> tuple[str, ...]:
        """What the office asked and told, by count only."""
        unread = self._work.announcements.unread_counts(at - _ANNOUNCED)
        lines = (open_line(self._work, at), announced.unread_line(unread))
        return tuple(line for line in lines if line)

    def _campaigns(self, mine: Mine) -> tuple[str, ...]:
        """How the campaigns stand: all for who leads, else those in which one has targets."""
        person, store = mine.person, self._work.campaigns
        lines = []
        for campaign in store.campaigns():
            targets = store.targets(campaign.number)
            leads = mine.whole or (person is not None and person.role in _LEADS)
            if not targets or not (leads or _has_part(campaign, targets, mine)):
                continue
            rounds = range(1, campaign.rounds + 1)
            lines.append(campaigns_say.line(campaign, [(n, counts(targets, n)) for n in rounds]))
        return (campaigns_say.in_brief(lines),) if lines else ()

    def rows(self, shown: Page, figure: Figure, mine: Mine) -> tuple[tuple[str, ...], ...]:
        """The rows behind a figure, as every form of the page shows them."""
        day = self._work.office.policy().working_day
        handles = self._handles(mine)
        return tuple(
            say.cells(s, self.names(s.ticket), handles(s.ticket), day) for s in shown.rows(figure)
        )

    # ---- asked for in chat

    def show(self, person: Person) -> str:
        """The page as it stands now; what is listed afterwards is listed of this page."""
        now = self._clock.now()
        since = self.since(person, now)
        self._work.reports.show(Shown(person.id, "shown", since, now))
        mine = self.mine(person)
        return say.as_text(self.paper(self.only(self.whole_page(since, now), mine), mine))

    def _last_shown(self, person: Person) -> tuple[datetime, datetime]:
        """The page that the person saw last today, else the one of now."""
        now = self._clock.now()
        zone = self._calendar.zone
        today = now.astimezone(zone).date()
        pages = [self._work.reports.shown(person.id, kind) for kind in _PAGES]
        seen = [p for p in pages if p is not None and p.at.astimezone(zone).date() == today]
        if not seen:
            return self.since(person, now), now
        newest = max(seen, key=lambda p: p.at)
        return newest.since, newest.at

    def last_page(self, person: Person) -> Page:
        """The page that this person saw last today."""
        since, at = self._last_shown(person)
        return self.only(self.whole_page(since, at), self.mine(person))

    def drill(self, person: Person, figure: Figure, part: int = 1) -> str:
        """The rows of a figure of the page seen last; what has changed since is said."""
        shown = self.last_page(person)
        rows = self.rows(shown, figure, self.mine(person))
        changed: dict[int, str] = {}
        for seen in shown.rows(figure):
            now = self._work.tickets.find(seen.ticket.number)
            if now is not None and now.state is not seen.ticket.state:
                changed[now.number] = STATE_NAMES[now.state]
        name = say.FIGURE_NAMES[figure]
        return say.figure_list(name, shown, rows, part, self._clock.now(), changed)

    def commons(self, person: Person) -> str:
        shown = self.last_page(person)
        return say.common_list([say.common_cells(c, self.firm) for c in shown.common])

    def silent(self, person: Person) -> str:
        shown = self.last_page(person)
        days = self._work.office.policy().silent_days
        return say.silent_list([self.firm(f) for f in shown.silent], days)

    def rates(self, person: Person, window: Window, by: By | None = None) -> str:
        found = self._rates.stats(window, by, self._facts(self.mine(person)))
        groups = [
            (say.group_name(by.value, key, self._rates.name(by, key)), rates)
            for key, rates in found.groups
            if by is not None
        ]
        return say.stats_text(say.month_title(window), found.whole, groups)

    def this_month(self) -> Window:
        return month_to(self._clock.now(), self._calendar)

    def _facts(self, mine: Mine) -> Callable[[Facts], bool] | None:
        firms = mine.firms
        return None if firms is None else lambda facts: facts.enterprise_id in firms

    # ---- sent at its hour

    def send_morning(self) -> None:
        """The page to the chief, its slices to leaders and liaisons; on a day off only for U1."""
        now = self._clock.now()
        day = now.astimezone(self._calendar.zone).date()
        chief = self._work.people.chief()
        slot = datetime.combine(day, MORNING, self._calendar.zone).astimezone(now.tzinfo)
        # Made up for late, it is still about everything since the morning before.
        since = self.since(chief, min(now, slot))
        whole = self.whole_page(since, now)
        works = self._calendar.is_workday(day)
        for mine in self._readers():
            person = mine.person
            assert person is not None
            shown = self.only(whole, mine)
            if not mine.whole and not shown.count(Figure.LIVE):
                continue
            if not works and not _presses(shown):
                # A day off is nobody's but theirs who have an emergency in hand.
                continue
            self._work.reports.show(Shown(person.id, "morning", since, now))
            text = say.as_text(self.paper(shown, mine))
            self._send(person, text, f"brief:{day}")

    def _readers(self) -> Iterator[Mine]:
        """Who is here, each once; where the chief is away, the duty desk reads the whole."""
        people, now = self._work.people, self._clock.now()
        wanted = [p for role in _READERS for p in people.people(role) if p.active]
        here = [p for p in wanted if not people.is_away(p.id, now)]
        duty = people.duty_person(now)
        if duty is not None and not any(p.role is Role.CHIEF for p in here):
            here.insert(0, duty)
        yield from (self.mine(person) for person in here)

    def close_page(self, at: datetime) -> Page:
        midnight = datetime.combine(
            at.astimezone(self._calendar.zone).date(), time(), self._calendar.zone
        )
        return self.whole_page(midnight.astimezone(at.tzinfo), at)

    def close_text(self, person: Person) -> str:
        shown = self.close_page(self._clock.now())
        self._work.reports.show(Shown(person.id, "close", shown.since, shown.at))
        return say.close_line(self.only(shown, self.mine(person)), self._calendar)

    def send_close(self) -> None:
        """One line at the end of a working day, to the chief and the duty desk."""
        now = self._clock.now()
        day = now.astimezone(self._calendar.zone).date()
        shown = self.close_page(now)
        text = say.close_line(shown, self._calendar)
        people = {
            p.id: p for p in (self._work.people.chief(), self._work.people.duty_person()) if p
        }
        for person in people.values():
            self._work.reports.show(Shown(person.id, "close", shown.since, now))
            self._send(person, text, f"close:{day}")

    def last_week(self) -> Window:
        """Monday to Monday."""
        today = self._today()
        return self._days(
            today - timedelta(days=today.weekday() + 7), today - timedelta(days=today.weekday())
        )

    def last_month(self) -> Window:
        first = self._today().replace(day=1)
        return self._days((first - timedelta(days=1)).replace(day=1), first)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._calendar.zone).date()

    def _days(self, first: date, after: date) -> Window:
        zone, like = self._calendar.zone, self._clock.now().tzinfo
        start, end = (datetime.combine(d, time(), zone).astimezone(like) for d in (first, after))
        return Window(start, end)

    def summary(self, kind: str, window: Window, mine: Mine) -> str:
        return self._summary(kind, window, mine, self._window_page(window))

    def _window_page(self, window: Window) -> Page:
        # A page holds what came after its first instant until its last one; a window is half open.
        little = timedelta(microseconds=1)
        return self.whole_page(window.start - little, window.end - little)

    def _summary(self, kind: str, window: Window, mine: Mine, whole: Page) -> str:
        shown = self.only(whole, mine)
        rates: Rates = self._rates.stats(window, None, self._facts(mine)).whole
        commons = [say.common_cells(c, self.firm) for c in shown.common]
        asked = self._work.reports.call_backs(window.start, window.end)
        numbers = {s.ticket.number for s in shown.seen}
        told = [c for c in asked if mine.whole or c.number in numbers]
        called = callbacks_say.counted(len(told), sum(c.solved for c in told)) if told else ""
        title = say.summary_title(kind, window)
        return say.summary_text(title, shown, rates, commons, called)

    def send_week(self) -> None:
        self._send_summary("week", self.last_week())

    def send_month(self) -> None:
        self._send_summary("month", self.last_month())

    def _send_summary(self, kind: str, window: Window) -> None:
        """To the chief the whole, to each leader what they are paired with."""
        whole = self._window_page(window)
        for mine in self._readers():
            person = mine.person
            assert person is not None
            if person.role is Role.LIAISON or not (mine.whole or self.only(whole, mine).seen):
                continue
            text = self._summary(kind, window, mine, whole)
            self._send(
                person, text, f"{kind}:{window.start.astimezone(self._calendar.zone):%Y%m%d}"
            )

    def _send(self, person: Person, text: str, key: str) -> None:
        self._work.outbox.put(
            Outgoing(
                Content(text, kind=Kind.BRIEF),
                person=person.id,
                priority=Priority.DIGEST,
                dedupe_key=f"{key}:{person.id}",
                not_after=self._clock.now() + timedelta(hours=12),
            )
        )

    # ---- for the command line and the API

    def person(self, named: str) -> Person | None:
        """By id, else the one colleague called that."""
        found = self._work.people.person(PersonId(named))
        if found is not None:
            return found
        called = self._work.people.by_name(named)
        return called[0] if len(called) == 1 else None


def _has_part(campaign: Campaign, targets: Sequence[Target], mine: Mine) -> bool:
    person = mine.person
    if person is None or campaign.owner_id == person.id:
        return True
    own = mine.firms or frozenset()
    return any(t.owner_id == person.id or t.enterprise_id in own for t in targets)


def _presses(page: Page) -> bool:
    """Whether an emergency is in hand on this page."""
    return any(s.ticket.urgency is Urgency.U1 for s in page.rows(Figure.LIVE))
