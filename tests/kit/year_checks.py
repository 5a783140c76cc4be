"""What must hold of a simulated year (tickets.md §5), read from what is on disk."""

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from handlers.domain.brief import STATES, Figure
from handlers.domain.ids import TicketNumber
from handlers.domain.ladder import ORANGE, RED, Clock, rungs, stands, unfired
from handlers.domain.people import Role
from handlers.domain.policy import DEFAULT as POLICY
from handlers.domain.policy import Unit
from handlers.domain.ticket import (
    ENDED,
    LIVE,
    MOVES,
    Entry,
    Move,
    State,
    Ticket,
    from_plain,
    overdue,
    rebuilt,
)
from handlers.domain.workdays import SHANGHAI, WorkCalendar
from handlers.services.briefs import BriefService
from handlers.services.telling import Telling
from storage.db import read_instant
from storage.uow import UnitOfWork
from tests.kit.year import UNKNOWN, Told, Year

_SECOND: Final = timedelta(seconds=1)
_PAUSED: Final = frozenset({State.WAITING_ENTERPRISE, State.SHELVED})
# These give or take time by what they are for.
_RETARGETED: Final = frozenset(
    {Move.RECLASSIFY, Move.ABSORB, Move.EXTEND, Move.EXTEND_APPROVE, Move.UNMERGE, Move.RECOUNT}
)
_BACK_FROM_AN_END: Final = frozenset({Move.REOPEN, Move.RATE, Move.UNMERGE})
_DUES: Final = ("due_claim", "due_first_reply", "due_progress", "due_resolution", "due_answer",
                "due_verdict", "due_department")  # fmt: skip


def rows(uow: UnitOfWork, sql: str, **values: Any) -> list[Any]:
    return list(uow.connection.connection.cursor().execute(sql, values).fetchall())


# ---- one ticket, from its history


@dataclass(frozen=True, slots=True)
class _Firing:
    number: int
    cycle: int
    clock: str
    since: datetime
    level: int
    planned: datetime
    fired: datetime


@dataclass(frozen=True, slots=True)
class _RungSent:
    """A message of a rung, alone or in a digest, and when it reached somebody."""

    rung: tuple[str, int, datetime, datetime]
    at: datetime
    row: int


class _Story:
    """A ticket as it stood after each line of its history."""

    def __init__(self, entries: tuple[Entry, ...], calendar: WorkCalendar) -> None:
        self.entries = entries
        self.calendar = calendar
        self.number = entries[0].number
        self.states: list[Ticket] = []
        self.times = [e.at for e in entries]
        values: dict[str, Any] = {}
        for entry in entries:
            values.update(entry.changes)
            self.states.append(from_plain(values))
        self._rungs: dict[int, dict[tuple[str, datetime, int], datetime]] = {}

    def at(self, when: datetime) -> Iterator[int]:
        """The lines that may have been the last at an instant at which some were written."""
        last = bisect_right(self.times, when) - 1
        while last >= 0:
            yield last
            if self.times[last] < when:
                return
            last -= 1

    def rungs(self, line: int) -> dict[tuple[str, datetime, int], datetime]:
        if line not in self._rungs:
            found = rungs(self.states[line], self.calendar, POLICY)
            self._rungs[line] = {r.key: r.at for r in found}
        return self._rungs[line]

    def faults(self) -> Iterator[str]:
        for line, entry in enumerate(self.entries):
            after = self.states[line]
            if after.version != entry.seq or entry.seq != line + 1:
                yield f"2: #{self.number} line {line} has version {after.version}"
            if after.is_live and (after.paused_since is not None) != (after.state in _PAUSED):
                yield f"26: #{self.number} {after.state} with a pause of {after.paused_since}"
            if line:
                yield from self._step(self.states[line - 1], entry, after)
            elif entry.move is not Move.SUBMIT:
                yield f"5: #{self.number} begins with {entry.move}"

    def _step(self, before: Ticket, entry: Entry, after: Ticket) -> Iterator[str]:
        what, at, name = entry.move, entry.at, f"#{self.number} {entry.move} at {entry.at}"
        rule = MOVES[what]
        if entry.from_state is not before.state or entry.to_state is not after.state:
            yield f"5: {name} tells of other states"
        if before.state not in rule.sources:
            yield f"1: {name} from {before.state}"
        if after.state not in rule.targets | {before.state}:
            yield f"1: {name} to {after.state}"
        if not before.cycle <= after.cycle <= before.cycle + 1:
            yield f"2: {name} goes to cycle {after.cycle}"
        left = before.state in ENDED and after.state is not before.state
        if left and what not in _BACK_FROM_AN_END:
            yield f"3: {name} leaves {before.state}"
        if what in (Move.RATE, Move.VERDICT_YES, Move.VERDICT_NO):
            if entry.actor_id in before.handlers:
                yield f"13: {name} by who handled it"
        if before.is_live and after.is_live and after.cycle == before.cycle:
            yield from self._clocks(before, after, at, what, name)
        if what in (Move.TRANSFER_ACCEPT, Move.REASSIGN):
            kept = (before.due_resolution, before.due_progress, before.due_first_reply)
            if (after.due_resolution, after.due_progress, after.due_first_reply) != kept:
                yield f"28: {name} moves more than the claim clock"

    def _clocks(
        self, before: Ticket, after: Ticket, at: datetime, what: Move, name: str
    ) -> Iterator[str]:
        gone = set(overdue(before, at)) & {"resolution"} - set(overdue(after, at))
        if gone:
            yield f"27: {name} un-breaches {gone}"
        if what in _RETARGETED or before.extensions != after.extensions:
            return
        was, now = self._left(before, at), self._left(after, at)
        if was is not None and now is not None:
            if now > was + _SECOND or (was > timedelta() and now < was - _SECOND):
                yield f"26: {name} changes the time left from {was} to {now}"

    def _left(self, ticket: Ticket, at: datetime) -> timedelta | None:
        due, now = ticket.due_resolution, ticket.paused_since or at
        if due is None:
            return None
        if POLICY.targets[ticket.urgency].resolution.unit is Unit.NATURAL:
            return due - now
        if now <= due:
            return self.calendar.elapsed(now, due)
        return -self.calendar.elapsed(due, now)

    def fired(self, firings: list[_Firing], up: frozenset[datetime]) -> Iterator[str]:
        """Each rung was there and due when it fired, and those of a clock came in order.

        It fired at its instant, or with the move that made it due, or when the machine was `up`.
        """
        known = up.union(self.times)
        levels: dict[tuple[int, str, datetime], int] = {}
        for firing in firings:
            key = (firing.clock, firing.since, firing.level)
            name = f"#{self.number} {firing.clock} {firing.level} at {firing.fired}"
            of_clock = (firing.cycle, firing.clock, firing.since)
            if levels.get(of_clock, -1) >= firing.level:
                yield f"30: {name} after {levels[of_clock]}"
            levels[of_clock] = firing.level
            soon = firing.clock == Clock.ACKNOWLEDGE
            lines = [n for n in self.at(firing.fired) if self.states[n].cycle == firing.cycle]
            ats = [self.rungs(n)[key] for n in lines if key in self.rungs(n)]
            if firing.fired != firing.planned and firing.fired not in known:
                yield f"29: {name} fired late, planned {firing.planned}"
            if not any(soon or at <= firing.fired for at in ats):
                yield f"30: {name} fired with its clock stopped: {ats}"

    def heard(self, messages: list[_RungSent]) -> Iterator[str]:
        for sent in messages:
            clock, level, _, _ = sent.rung
            if any(
                stands(self.states[n], sent.rung, self.calendar, POLICY) for n in self.at(sent.at)
            ):
                continue
            yield f"30: #{self.number} {clock} {level} told at {sent.at} of a clock that stopped"

    def raised(self, told: frozenset[tuple[int, datetime]]) -> Iterator[str]:
        """32: whoever stands on an orange or red rung is told with it."""
        for entry in self.entries:
            level = entry.changes.get("level", 0)
            if entry.move is Move.ESCALATE and entry.actor_id is None and level >= ORANGE:
                if (self.number, entry.at) not in told:
                    yield f"32: #{self.number} got level {level} at {entry.at}, nobody was told"

    def numbered(self) -> Iterator[str]:
        """Orange brings a 督办 number, and only one."""
        codes = {t.supervision_code for t in self.states if t.is_live and t.level >= ORANGE}
        if len(codes) > 1 or "" in codes:
            yield f"orange: #{self.number} has the numbers {sorted(codes)}"

    def missed(self, fired: list[_Firing], now: datetime) -> Iterator[str]:
        """29, 31: whatever was due has fired, by the rungs themselves."""
        ticket = self.states[-1]
        keys = {(f.clock, f.since, f.level) for f in fired if f.cycle == ticket.cycle}
        for rung in unfired(rungs(ticket, self.calendar, POLICY), keys):
            if rung.at <= now:
                yield f"29: #{self.number} {rung.clock} {rung.level} of {rung.at} never fired"

    def climbs(self, now: datetime) -> Iterator[str]:
        """32: it is as high as it must be, long after anybody did anything."""
        ticket = self.states[-1]
        if not ticket.is_live or ticket.paused_since is not None:
            return
        last = max(e.at for e in self.entries if e.move is not Move.ESCALATE)
        for due, level, days in (
            (ticket.due_claim if ticket.state is State.OPEN else None, ORANGE, 1),
            (ticket.due_progress, RED, 5),
            (ticket.due_resolution, RED, 5),
        ):
            if due is None:
                continue
            quiet = max(due, last, ticket.held_until or due)
            if quiet >= now or ticket.level >= level:
                continue
            if self.calendar.elapsed(quiet, now) > POLICY.working_day * days:
                yield (
                    f"32: #{self.number} {ticket.state} {ticket.urgency} is at level "
                    f"{ticket.level}, due {due}, quiet since {quiet}, now {now}"
                )


def _firings(uow: UnitOfWork) -> dict[int, list[_Firing]]:
    found: dict[int, list[_Firing]] = defaultdict(list)
    sql = (
        "SELECT number, cycle, clock, since, level, planned_at, fired_at FROM firings "
        "ORDER BY number, fired_at, rowid"
    )
    for n, cycle, clock, since, level, planned, fired in rows(uow, sql):
        found[n].append(
            _Firing(n, cycle, clock, read_instant(since), level, read_instant(planned),
                    read_instant(fired))
        )  # fmt: skip
    return found


def _rungs_sent(uow: UnitOfWork) -> dict[int, list[_RungSent]]:
    sql = (
        "SELECT o.id, o.still, COALESCE(o.sent_at, d.sent_at) FROM outbox o "
        "LEFT JOIN joined j ON j.row = o.id LEFT JOIN outbox d ON d.id = j.digest "
        "WHERE o.still <> '' AND COALESCE(o.sent_at, d.sent_at) IS NOT NULL"
    )
    found: dict[int, list[_RungSent]] = defaultdict(list)
    for row, still, at in rows(uow, sql):
        told = json.loads(still)
        rung = told[5]
        if rung is not None:
            clock, level, since, planned = rung
            dated = (clock, level, datetime.fromisoformat(since), datetime.fromisoformat(planned))
            found[told[0]].append(_RungSent(dated, read_instant(at), row))
    return found


def histories(year: Year, uow: UnitOfWork) -> list[str]:
    """Properties 1-3, 5, 10, 13, 26-30, 32 of every ticket."""
    faults: list[str] = []
    calendar, now = uow.calendar.current(), year.clock.value
    fired, sent = _firings(uow), _rungs_sent(uow)
    repeated = [k for k, n in Counter(
        (f.number, f.cycle, f.clock, f.since, f.level) for of in fired.values() for f in of
    ).items() if n > 1]  # fmt: skip
    faults += [f"29: {key} fired twice" for key in repeated]
    telling = Telling(uow, year.clock)
    told = frozenset(
        (number, read_instant(at))
        for number, at in rows(
            uow, "SELECT ticket, created_at FROM outbox WHERE kind = 'escalation'"
        )
    )
    drawn = [code for (code,) in rows(uow, "SELECT orange_code FROM tickets") if code]
    if len(drawn) != len(set(drawn)):
        faults.append("orange: a 督办 number was given twice")
    up = frozenset(ends.astimezone(UTC) for _, ends in year.outages)
    for (number,) in rows(uow, "SELECT number FROM tickets ORDER BY number"):
        ticket = uow.tickets.get(TicketNumber(number))
        entries = uow.tickets.history(TicketNumber(number))
        story = _Story(entries, calendar)
        if rebuilt(entries) != ticket or story.states[-1] != ticket:
            faults.append(f"5: #{number} is not what its history tells")
        faults += story.faults()
        faults += story.fired(fired[number], up)
        faults += story.heard(sent[number])
        faults += story.raised(told)
        faults += story.missed(fired[number], now)
        faults += story.climbs(now)
        faults += story.numbered()
        faults += _responsible(telling, ticket)
    return faults


def _responsible(telling: Telling, ticket: Ticket) -> Iterator[str]:
    """10: exactly one person, or the duty desk."""
    if not ticket.is_live:
        return
    one = telling.handler(ticket)
    if one is None or not one.active or not one.is_staff:
        yield f"10: nobody is responsible for #{ticket.number}"
    if ticket.state is not State.OPEN and ticket.owner_id is None and ticket.claimed_at:
        yield f"10: #{ticket.number} was taken and has no owner"


# ---- the brief


def each_month(year: Year, uow: UnitOfWork) -> list[str]:
    """47, of the pages sent this morning; and that nothing is left behind."""
    faults = list(_left_behind(year, uow))
    now = year.clock.value
    briefs = BriefService(uow, year.clock, uow.calendar.current())
    chief = uow.people.chief()
    assert chief is not None
    shown = uow.reports.shown(chief.id, "morning")
    if shown is None or shown.at != now:
        return [*faults, f"47: no page on {now}"]
    whole = briefs.whole_page(shown.since, now)
    for person in (chief, *uow.people.people(Role.LEADER), *uow.people.people(Role.LIAISON)):
        mine = briefs.mine(person)
        page = briefs.only(whole, mine)
        tally = {f: page.count(f) for f in Figure}
        name = f"47: {person.name} on {now:%Y-%m-%d}"
        faults += [f"{name}: {f}" for f in _sums(tally)]
        for figure, many in tally.items():
            if many != len(briefs.rows(page, figure, mine)):
                faults.append(f"{name}: {figure} {many} and other rows")
    tally = {f: whole.count(f) for f in Figure}
    faults += [f"47: {now:%Y-%m-%d}: {f}" for f in _counted_again(uow, tally, shown.since, now)]
    if year.briefs % 3:
        return faults
    figure = year.chance.choice([f for f in Figure if tally[f]] or [Figure.LIVE])
    told = briefs.drill(chief, figure)
    if tally[figure] and f" {tally[figure]}件（" not in told:
        faults.append(f"47: {figure} is {tally[figure]}, listed: {told[:60]}")
    return faults


def _sums(tally: dict[Figure, int]) -> Iterator[str]:
    if tally[Figure.BEFORE] + tally[Figure.ENTERED] - tally[Figure.LEFT] != tally[Figure.LIVE]:
        yield "opened less ended is not open"
    if sum(tally[f] for f in STATES) != tally[Figure.LIVE]:
        yield "the states do not sum to the whole"
    if tally[Figure.RED] + tally[Figure.ORANGE] + tally[Figure.YELLOW] != tally[Figure.LATE]:
        yield "the colours do not sum to the late"


def _counted_again(
    uow: UnitOfWork, tally: dict[Figure, int], since: datetime, now: datetime
) -> Iterator[str]:
    """The chief's figures, by the rows themselves."""
    known = dict(rows(uow, "SELECT state, COUNT(*) FROM tickets GROUP BY state"))
    stamp = "%Y-%m-%d %H:%M:%S.%f"
    span = {"a": f"{since:{stamp}}", "b": f"{now:{stamp}}"}
    within = "FROM ticket_history WHERE at > :a AND at <= :b AND move"
    live = ",".join(f"'{s}'" for s in LIVE)
    expected = {
        **{figure: known.get(state.value, 0) for figure, state in STATES.items()},
        Figure.LIVE: sum(known.get(s.value, 0) for s in LIVE),
        Figure.NEW: rows(uow, f"SELECT COUNT(DISTINCT number) {within} = 'submit'", **span)[0][0],
        Figure.CLAIMED: rows(uow, f"SELECT COUNT(DISTINCT number) {within} = 'claim'", **span)[0][
            0
        ],
        Figure.RESOLVED: rows(
            uow, f"SELECT COUNT(DISTINCT number) {within} IN ('resolve','answer')", **span
        )[0][0],
        Figure.RED: rows(
            uow, f"SELECT COUNT(*) FROM tickets WHERE level >= 5 AND state IN ({live})"
        )[0][0],
        Figure.ORANGE: rows(
            uow, f"SELECT COUNT(*) FROM tickets WHERE level = 4 AND state IN ({live})"
        )[0][0],
    }
    for figure, many in expected.items():
        if tally[figure] != many:
            yield f"{figure} is {tally[figure]}, counted again {many}"


def _left_behind(year: Year, uow: UnitOfWork) -> Iterator[str]:
    """Nothing is due that was not done."""
    now = year.clock.value
    for number in uow.tickets.due(now, 5):
        yield f"29: #{number} is due and was not fired"
    opening = "not_before IS NULL OR not_before <= :now"
    sql = f"SELECT id, kind FROM outbox WHERE state IN ('waiting','sending') AND ({opening})"
    for row, kind in rows(uow, sql, now=f"{now:%Y-%m-%d %H:%M:%S.%f}")[:5]:
        yield f"39: row {row} ({kind}) waits although its time has come"


# ---- when it is over


def after_the_year(year: Year, uow: UnitOfWork) -> list[str]:
    return [
        *histories(year, uow),
        *_left_behind(year, uow),
        *_outbox(year, uow),
        *_hours_and_caps(year.sent),
        *_reminders(uow),
        *_together(uow),
        *_unknown_year(uow),
        *_audit(uow),
    ]


def _outbox(year: Year, uow: UnitOfWork) -> Iterator[str]:
    """39: each row ends, once; what does not yet end waits for a time to come."""
    for (row,) in rows(uow, "SELECT row FROM moved_back LIMIT 5"):
        yield f"39: row {row} moved after its end"
    for (row,) in rows(uow, "SELECT id FROM outbox WHERE attempts > 8 LIMIT 5"):
        yield f"39: row {row} was tried too often"
    for row, why in rows(
        uow, "SELECT id, error FROM outbox WHERE state = 'dead' AND error <> 'no such user' LIMIT 5"
    ):
        yield f"39: row {row} is dead: {why}"
    ended = rows(
        uow, "SELECT COUNT(*) FROM outbox WHERE state = 'sent' AND person_id IS NOT NULL "
        "AND NOT is_update AND answers IS NULL"
    )[0][0]  # fmt: skip
    if ended != len(year.sent):
        yield f"39: {ended} rows sent, {len(year.sent)} messages heard"


def _hours_and_caps(sent: list[Told]) -> Iterator[str]:
    """33."""
    heard: dict[str, list[datetime]] = defaultdict(list)
    for told in sent:
        heard[told.person].append(told.at)
        local = told.at.astimezone(SHANGHAI).time()
        if not told.urgent and not POLICY.notices_from <= local < POLICY.notices_until:
            yield f"33: {told.person} got {told.kind} {told.row} at {told.at}"
    for person, times in heard.items():
        worst, at = _worst(times)
        if worst > POLICY.notices_most:
            yield f"33: {person} got {worst} until {at}"


def _worst(times: list[datetime]) -> tuple[int, datetime]:
    """The most of any closed quarter of an hour, and when it ended."""
    times.sort()
    first, found = 0, (0, times[0])
    for last, at in enumerate(times):
        while at - times[first] > POLICY.notice_span:
            first += 1
        found = max(found, (last - first + 1, at))
    return found


def _reminders(uow: UnitOfWork) -> Iterator[str]:
    """At most one reminder per ticket, person and day, alone or in a digest."""
    sql = (
        "SELECT o.ticket, o.person_id, COALESCE(o.sent_at, d.sent_at), COALESCE(d.id, o.id), "
        "o.dedupe_key FROM outbox o "
        "LEFT JOIN joined j ON j.row = o.id LEFT JOIN outbox d ON d.id = j.digest "
        "WHERE o.kind = 'reminder' AND o.priority > 0 "
        "AND COALESCE(o.sent_at, d.sent_at) IS NOT NULL"
    )
    heard: dict[tuple[Any, ...], dict[int, str]] = defaultdict(dict)
    for number, person, at, message, key in rows(uow, sql):
        heard[number, person, read_instant(at).astimezone(SHANGHAI).date()][message] = key
    for (number, person, day), messages in heard.items():
        if len(messages) > 1:
            yield f"reminders: #{number} to {person} on {day}: {messages}"


def _together(uow: UnitOfWork) -> Iterator[str]:
    """31: what one sweep tells a person at one instant is one message."""
    sql = (
        "SELECT bundle, person_id, sent_at, COUNT(*) FROM outbox WHERE state = 'sent' "
        "AND bundle <> '' GROUP BY bundle, person_id, sent_at, priority = 0 HAVING COUNT(*) > 1"
    )
    for bundle, person, at, many in rows(uow, sql):
        yield f"31: {bundle} told {person} {many} times at {at}"


def _unknown_year(uow: UnitOfWork) -> Iterator[str]:
    """Due times in 2027 are marked as by the usual week, those of 2026 are not."""
    calendar = uow.calendar.current()
    seen = Counter[bool]()
    for (number,) in rows(uow, "SELECT number FROM tickets WHERE due_resolution >= '2026-12-01'"):
        ticket = uow.tickets.get(TicketNumber(number))
        for name in _DUES:
            due = getattr(ticket, name)
            if due is None:
                continue
            unknown = due >= UNKNOWN
            seen[unknown] += 1
            if calendar.provisional(due) != unknown:
                yield f"2027: #{number} {name} {due} is marked {not unknown}"
    if not (seen[True] and seen[False]):
        yield f"2027: too little crosses the year: {seen}"


def _audit(uow: UnitOfWork) -> Iterator[str]:
    """46, and nothing that the sweep could not work on."""
    broken = uow.audit.verify()
    if broken is not None:
        yield f"46: the audit chain breaks at {broken}"
    for subject, facts in rows(
        uow, "SELECT subject, facts FROM audit WHERE action = 'ladder.failed' LIMIT 5"
    ):
        yield f"sweep: #{subject} could not be worked on: {facts}"


def figures(year: Year, uow: UnitOfWork) -> dict[str, int]:
    """How much there was to be wrong."""
    heard: dict[str, list[datetime]] = defaultdict(list)
    for told in year.sent:
        heard[told.person].append(told.at)

    def one(sql: str) -> int:
        return int(rows(uow, sql)[0][0])

    return {
        "tickets": one("SELECT COUNT(*) FROM tickets"),
        "moves": one("SELECT COUNT(*) FROM ticket_history"),
        "refused": sum(year.refused.values()),
        "firings": one("SELECT COUNT(*) FROM firings"),
        "at the top": one("SELECT COUNT(*) FROM tickets WHERE level = 5"),
        "second cycles": one("SELECT COUNT(*) FROM tickets WHERE cycle > 1"),
        "messages": len(year.sent),
        "digests": sum(told.kind == "digest" for told in year.sent),
        "in digests": one("SELECT COUNT(*) FROM joined"),
        "dropped as stale": one("SELECT COUNT(*) FROM audit WHERE action = 'message.dropped'"),
        "dead": one("SELECT COUNT(*) FROM outbox WHERE state = 'dead'"),
        "most in 15 min": max(_worst(times)[0] for times in heard.values()),
        "briefs": year.briefs,
        "leaves": year.made["leave"],
        "hand-overs": year.made["hand_over"],
        "handed over": year.made["handed_over"],
        "outages": len(year.outages),
        "hours down": int(
            sum((b - a for a, b in year.outages), timedelta()).total_seconds() // 3600
        ),
        "audit lines": one("SELECT COUNT(*) FROM audit"),
        "due in 2027": one("SELECT COUNT(*) FROM tickets WHERE due_resolution >= '2026-12-31 16'"),
        "steps": year.steps,
    }
