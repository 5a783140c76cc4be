"""Which tickets a person of the office should ask the firm about again: domain.md §8, tickets.md §2."""

from collections.abc import Iterable
from hashlib import sha256
from math import ceil

from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.policy import Policy
from handlers.domain.ticket import Kind, State, Ticket, Verdict


def may_ask(ticket: Ticket, by: PersonId) -> bool:
    """Who handled a cycle never judges it, by telephone neither (property 13)."""
    return by not in ticket.handlers and ticket.owner_id != by


def can_be_asked(ticket: Ticket) -> bool:
    return ticket.state in (State.RESOLVED, State.CLOSED)


def must_ask(ticket: Ticket) -> bool:
    """Silence is no satisfaction, and neither is what was pressed out of a ticket."""
    unheard = ticket.state is State.CLOSED and ticket.verdict is Verdict.NONE
    lukewarm = ticket.rating is not None and ticket.rating <= 3
    return unheard or lukewarm or bool(ticket.supervised) or ticket.cycle > 1


def sample(
    tickets: Iterable[Ticket], asked: Iterable[TicketNumber], policy: Policy
) -> tuple[Ticket, ...]:
    """Those that must be asked, and of the others enough for the office's share of all.

    Which of the others is decided by their numbers alone: the list is the same whenever it is
    drawn, and nobody chooses.
    """
    done = frozenset(asked)
    ended = [t for t in tickets if can_be_asked(t) and t.kind is not Kind.CONSULT]
    musts = [t for t in ended if must_ask(t)]
    others = sorted((t for t in ended if not must_ask(t)), key=_lot)
    share = ceil(len(ended) * policy.call_back_percent / 100)
    chosen = [*musts, *others[: max(share - len(musts), 0)]]
    return tuple(sorted((t for t in chosen if t.number not in done), key=lambda t: t.number))


def _lot(ticket: Ticket) -> bytes:
    return sha256(str(ticket.number).encode()).digest()
