"""The tickets that a sentence in a chat may be about, and the best of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from handlers.chat.events import InboundEvent
from handlers.domain.ids import TicketNumber
from handlers.domain.people import Role
from handlers.domain.ticket import LIVE, State, Ticket
from handlers.ports import Clock, Spoken, Work
from handlers.services.people import Speaker
from handlers.services.tickets import TicketService
from handlers.understanding.context import Match, Thread, ranked

_TALK: Final = timedelta(hours=12)
# Between two processes of one office.
_CLOCKS_DIFFER: Final = timedelta(seconds=5)
_ENDED_LATELY: Final = timedelta(days=14)
# Below this a sentence belongs to nothing; from here on nothing but its ticket comes to mind.
_ENOUGH: Final = 2.2
_SURE: Final = 4.0
# The second best must be this much worse, or the subject must differ.
_MARGIN: Final = 0.6
_SUBJECT_MARGIN: Final = 0.8


@dataclass(frozen=True, slots=True)
class Found:
    """The ticket that is meant, how sure that is, and whether its subject was spoken of."""

    ticket: Ticket
    score: float
    subject: float
    sure: bool
    only: bool
    mine: bool
    minutes: float | None


class Threads:
    """What a speaker may be talking about in a chat."""

    def __init__(self, work: Work, clock: Clock, tickets: TicketService) -> None:
        self._work = work
        self._clock = clock
        self._tickets = tickets
        self._talk: dict[int, list[Spoken]] = {}
        # What the speaker may be talking about, after `about` was asked.
        self.candidates: dict[TicketNumber, Ticket] = {}

    def about(
        self,
        event: InboundEvent,
        speaker: Speaker,
        text: str,
        states: frozenset[State] = LIVE | {State.RESOLVED},
        taking: bool = False,
    ) -> Found | None:
        """The ticket in one of `states` that `text` is about, None where none comes to mind.

        `taking`: a colleague takes something on, so what nobody has taken yet is expected.
        """
        candidates = self.candidates = self._candidates(event, speaker, states)
        if not candidates:
            return None
        matches = ranked(text, [self._thread(t, speaker, taking) for t in candidates.values()])
        best = matches[0]
        second = matches[1].score if len(matches) > 1 else 0.0
        only = len(matches) == 1
        if best.score < _ENOUGH and not (only and best.score >= 0.5):
            return None
        close = best.score - second < _MARGIN
        if close and not best.named and best.subject < matches[1].subject + _SUBJECT_MARGIN:
            return None
        sure = best.score >= _SURE or best.named
        return Found(
            candidates[TicketNumber(best.thread.number)],
            best.score,
            best.subject,
            sure,
            only,
            best.thread.mine,
            best.thread.minutes,
        )

    def _candidates(
        self, event: InboundEvent, speaker: Speaker, states: frozenset[State]
    ) -> dict[TicketNumber, Ticket]:
        now = self._clock.now()
        found: dict[TicketNumber, Ticket] = {}
        for ticket in self._tickets.mine(speaker, states):
            ended = ticket.resolved_at or ticket.created_at
            if ticket.answered_by_library:
                # A new question is no word about the answer to the last one.
                continue
            if ticket.state in LIVE or ended >= now - _ENDED_LATELY:
                found[ticket.number] = ticket
        staff = speaker.person is not None and speaker.person.role is not Role.MANAGER
        self._talk = {}
        if found or staff:
            since, of = now - _TALK, None
            if not staff:
                # Nobody spoke of a ticket before it was opened: that much talk need not be read.
                since = max(since, min(t.created_at for t in found.values()) - _CLOCKS_DIFFER)
                of = found.keys()
            for spoken in self._work.heard.spoken(event.platform, event.chat.id, since, of):
                self._talk.setdefault(spoken.number, []).append(spoken)
        if staff:
            for number in self._talk:
                if TicketNumber(number) in found:
                    continue
                known = self._work.tickets.find(TicketNumber(number))
                if known is not None and known.state in states:
                    if self._tickets.may_read(known, speaker):
                        found[known.number] = known
        return found

    def _thread(self, ticket: Ticket, speaker: Speaker, taking: bool = False) -> Thread:
        talk = self._talk.get(ticket.number, [])
        minutes: float | None = None
        stirred = [talk[-1].at] if talk else []
        stirred += [at for at in (ticket.resolved_at, ticket.progress_started_at) if at is not None]
        if stirred:
            minutes = (self._clock.now() - max(stirred)).total_seconds() / 60.0
        names: tuple[str, ...] = ()
        if ticket.enterprise_id is not None and (
            speaker.person is None or speaker.person.role is not Role.MANAGER
        ):
            enterprise = self._work.people.enterprise(ticket.enterprise_id)
            if enterprise is not None:
                names = tuple(
                    n for n in (enterprise.short_name, *enterprise.aliases) if len(n) >= 2
                )
                names += tuple(n[:2] for n in names[:1])
        owner = self._tickets.telling.owner(ticket)
        words = "\n".join(
            [ticket.title, ticket.body, *(h.text for h in talk), ticket.result, ticket.question]
        )
        awaits = taking and ticket.state is State.OPEN
        mine = ticket.owner_id is not None and (
            speaker.person is not None and ticket.owner_id == speaker.person.id
        )
        if speaker.person is not None and speaker.person.role is Role.MANAGER:
            mine = ticket.reporter_name == speaker.name
            awaits = ticket.state in (State.RESOLVED, State.WAITING_ENTERPRISE)
        return Thread(
            int(ticket.number),
            ticket.enterprise_id or "",
            names,
            words,
            ticket.reporter_name,
            owner,
            minutes,
            mine,
            awaits,
        )


__all__ = ["Found", "Match", "Threads"]
