"""The gate: which notices to a person may go now, which wait, which become one message.

A notice is whatever the bot says to somebody who did not just write or press. Judged when sent, for
only then is it known what has already gone out (tickets.md §4, property 33).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.notices import opens_at, room, room_at
from handlers.domain.policy import Policy
from handlers.domain.workdays import SHANGHAI
from handlers.ports import Notice, OutboxStore, Outgoing, any_hour
from handlers.texts import ladder as say

# Each of these is one message already and loses its sense as a line among others.
_WHOLE: Final = frozenset({Kind.DIGEST, Kind.BRIEF, Kind.ANNOUNCEMENT, Kind.SURVEY})


class Gate:
    """`stale` says why a notice is no longer true, empty while it is; `drop` ends such a row."""

    def __init__(
        self,
        outbox: OutboxStore,
        policy: Policy,
        now: datetime,
        stale: Callable[[Notice], str],
        drop: Callable[[Notice, str], None],
    ) -> None:
        self._outbox = outbox
        self._policy = policy
        self._now = now
        self._stale = stale
        self._drop = drop

    def admit(self, claimed: Sequence[Notice]) -> frozenset[int]:
        """The ids, of those claimed, that may go now; the others were put off or joined."""
        people: dict[PersonId, list[Notice]] = {}
        for notice in claimed:
            people.setdefault(notice.person, []).append(notice)
        # All locks first, in one order, and before anything is written: nobody waits in a circle.
        for person in sorted(people):
            self._outbox.lock_person(person)
        good: set[int] = set()
        for person in sorted(people):
            good |= self._of(person, people[person])
        return frozenset(good)

    def _of(self, person: PersonId, claimed: list[Notice]) -> set[int]:
        since = self._now - self._policy.notice_span
        ids = frozenset(n.id for n in claimed)
        sent = self._outbox.noticed(person, since, ids)
        good: set[int] = set()
        urgent = [n for n in claimed if n.urgent]
        if urgent:
            sent = sent + self._through(person, urgent, sent, self._policy.notices_most, good)
        plain = [n for n in claimed if not n.urgent]
        if not plain:
            return good
        warned = [n for n in plain if any_hour(n.still)]
        if warned:
            sent = sent + self._through(person, warned, sent, self._policy.notices_most, good)
            plain = [n for n in plain if not any_hour(n.still)]
        if not plain:
            return good
        opening = opens_at(self._now, self._policy)
        if opening > self._now:
            self._hold(plain, opening)
            return good
        # Whether it is solved is asked while the firm is still there: it may take the last slot.
        asked = [n for n in plain if n.content.kind is Kind.QUESTION]
        if asked:
            sent = sent + self._through(person, asked, sent, self._policy.notices_most, good)
            plain = [n for n in plain if n.content.kind is not Kind.QUESTION]
        if not plain:
            return good
        self._through(person, self._all_due(person, plain), sent, self._policy.notices_single, good)
        return good

    def _all_due(self, person: PersonId, claimed: list[Notice]) -> list[Notice]:
        """With more of the same person's that could go: what becomes one message has them all."""
        known = {n.id for n in claimed}
        found = list(claimed)
        for notice in self._outbox.due_notices(person, self._now):
            if notice.id in known:
                continue
            why = self._stale(notice)
            if why:
                self._drop(notice, why)
            else:
                found.append(notice)
        return found

    def _through(
        self,
        person: PersonId,
        notices: list[Notice],
        sent: list[datetime],
        most: int,
        good: set[int],
    ) -> list[datetime]:
        """Let through what the caps allow; an instant for each message that goes."""
        units = _units(notices, self._policy.notices_single)
        left = room(sent, most)
        going, waiting = units[:left], units[left:]
        for unit in going:
            self._note_reminders(person, unit)
            if len(unit) == 1:
                good.add(unit[0].id)
            else:
                self._join(person, unit)
        times = [self._now] * len(going)
        if waiting:
            until = room_at([*sent, *times], most, self._now, self._policy)
            for unit in waiting:
                self._hold(unit, until)
        return times

    def _note_reminders(self, person: PersonId, notices: list[Notice]) -> None:
        """What was planned for a day on which it could not go is the reminder of this day."""
        today = self._now.astimezone(SHANGHAI).date()
        for notice in notices:
            if _reminds(notice) and notice.ticket is not None and not notice.urgent:
                self._outbox.reminded(notice.ticket, person, today)

    def _hold(self, notices: Sequence[Notice], until: datetime) -> None:
        for notice in notices:
            self._outbox.hold(notice.id, until)

    def _join(self, person: PersonId, notices: list[Notice]) -> None:
        """Several rows become one; the next turn sends it."""
        urgent = any(n.urgent for n in notices)
        contents = [n.content for n in notices]
        self._outbox.put(
            Outgoing(
                Content(say.digest(contents), kind=Kind.DIGEST),
                person=person,
                priority=Priority.URGENT if urgent else Priority.LADDER,
                dedupe_key=f"digest:{person}:{min(n.id for n in notices)}",
            )
        )
        for notice in notices:
            self._outbox.superseded(notice.id, "in_digest")


def _units(notices: list[Notice], single: int) -> list[list[Notice]]:
    """What goes as one message each, in order: a bundle, or all where they are too many."""
    whole = [[n] for n in notices if n.content.kind in _WHOLE]
    loose = [n for n in notices if n.content.kind not in _WHOLE]
    bundles: dict[str, list[Notice]] = {}
    joined = _of_one_ticket(loose)
    for notice in loose:
        bundles.setdefault(joined.get(_bundle(notice), _bundle(notice)), []).append(notice)
    held = any(n.held for n in loose) and len(loose) > 1
    if held or len(bundles) > single:
        return [*whole, loose]
    return [*whole, *bundles.values()]


def _reminds(notice: Notice) -> bool:
    return notice.content.kind is Kind.REMINDER


def _bundle(notice: Notice) -> str:
    return notice.bundle or f"#{notice.id}"


def _of_one_ticket(notices: list[Notice]) -> dict[str, str]:
    """Bundles that remind of one ticket, as after a day without the machine, become the first."""
    first: dict[TicketNumber, str] = {}
    joined: dict[str, str] = {}
    for notice in notices:
        if _reminds(notice) and notice.ticket is not None:
            own = joined.get(_bundle(notice), _bundle(notice))
            other = first.setdefault(notice.ticket, own)
            if other != own:
                joined[_bundle(notice)] = other
    return joined
