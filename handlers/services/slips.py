"""Slips: filled from the ticket, never typed; handed to one person alone."""

from handlers.domain.people import Person
from handlers.domain.ticket import Ticket, overdue
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Links, Work
from handlers.services.ledgers import LedgerService
from handlers.texts import slips as say
from handlers.texts.briefs import span
from handlers.texts.slips import SlipKind


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

    def filled(self, kind: SlipKind, ticket: Ticket) -> dict[str, str]:
        """The fields of a slip, by name."""
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
