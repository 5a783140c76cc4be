"""Slips: filled from the ticket, never typed; handed to one person alone."""

from typing import Final

from handlers.domain.ids import PersonId
from handlers.domain.people import Person
from handlers.domain.requests import last_request
from handlers.domain.ticket import Entry, Move, Ticket, overdue
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Links, Work
from handlers.services.ledgers import LedgerService
from handlers.texts import slips as say
from handlers.texts.briefs import span
from handlers.texts.ledgers import Around
from handlers.texts.slips import SlipKind

_OF_THE_PAST: Final = frozenset({SlipKind.EXTENSION, SlipKind.SENT_BACK, SlipKind.CALL_BACK})


class SlipService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar, links: Links) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._links = links

    def link(self, kind: SlipKind, ticket: Ticket, person: Person) -> str:
        return self._links.to(f"slip-{kind.value}", str(ticket.number), person.id)

    def paper_link(self, form: str, person: Person) -> str:
        """The brief that the person sees now, as a picture, a table or a print."""
        at = self._clock.now().isoformat(timespec="microseconds")
        return self._links.to(f"brief-{form}", at, person.id)

    def absent(self, kind: SlipKind, ticket: Ticket) -> str:
        """Why there is no such slip of this ticket; empty where there is one."""
        reason = say.not_yet(kind, ticket)
        if reason or kind not in _OF_THE_PAST or self._of_the_past(kind, ticket) is not None:
            return reason
        return say.nothing_asked(kind, ticket)

    def _of_the_past(self, kind: SlipKind, ticket: Ticket) -> dict[str, str] | None:
        """A slip of what was asked or heard once; None where nothing was."""
        around = LedgerService(self._work).around(ticket)
        history = self._work.tickets.history(ticket.number)
        if kind is SlipKind.CALL_BACK:
            return self._heard(ticket, around, history)
        what = Move.EXTEND if kind is SlipKind.EXTENSION else Move.DECLINE
        request = last_request(history, what)
        if request is None:
            return None
        if kind is SlipKind.EXTENSION:
            return say.extension(ticket, around, request)
        decision = request.decision
        taker = None if decision is None else decision.changes.get("owner_id", decision.actor_id)
        return say.sent_back(ticket, around, request, self._name(taker))

    def _heard(
        self, ticket: Ticket, around: Around, history: tuple[Entry, ...]
    ) -> dict[str, str] | None:
        """What a colleague heard comes before what the firm answered to the bot."""
        asked = self._work.reports.called_back(ticket.number)
        if asked:
            last = asked[-1]
            heard = say.Heard(
                self._name(last.by),
                last.means.value,
                last.at,
                last.solved,
                last.rating,
                last.said,
                last.reopened,
            )
            return say.called_back(ticket, around, heard)
        if any(e.move in say.FIRM_SPOKE for e in history):
            return say.answered(ticket, around, history)
        return None

    def _name(self, person_id: PersonId | None) -> str:
        person = None if person_id is None else self._work.people.person(person_id)
        return "" if person is None else person.name

    def filled(self, kind: SlipKind, ticket: Ticket) -> dict[str, str]:
        """The fields of a slip, by name."""
        if kind in _OF_THE_PAST:
            past = self._of_the_past(kind, ticket)
            assert past is not None, "no link is given where there is no slip"
            return past
        now = self._clock.now()
        around = LedgerService(self._work).around(ticket)
        if kind is SlipKind.ASSIGNMENT:
            return say.assignment(ticket, around, now)
        history = self._work.tickets.history(ticket.number)
        if kind is SlipKind.CLOSING:
            return say.closing(ticket, around, history)
        late = ""
        due = ticket.due_resolution
        if due is not None and "resolution" in overdue(ticket, now):
            day = self._work.office.policy().working_day
            late = span(self._calendar.elapsed(due, now), True, day)
        signed = [e.actor_name for e in history if e.move == "supervise"]
        answer_by = self._calendar.close_of(now, 1)
        return say.supervision(ticket, around, late, answer_by, signed[-1] if signed else "")
