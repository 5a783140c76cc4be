"""Every time a person puts the bot right, the message is kept as a labelled example."""

from dataclasses import replace
from typing import Final

from handlers.domain.category import Category, Urgency
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Person, Role, mask_phone
from handlers.domain.ticket import Channel, Kind, Move, Ticket
from handlers.ports import (
    Candidate,
    CandidateState,
    Clock,
    Correction,
    CorrectionKind,
    Labels,
    Work,
)
from handlers.services.people import Speaker
from handlers.understanding import Intent, Reading, read
from handlers.understanding.reading import INTENTS, PROBLEMS

_KINDS: Final = {
    Move.RECLASSIFY: CorrectionKind.RECLASSIFIED,
    Move.NOT_ACCEPT: CorrectionKind.NOT_A_PROBLEM,
    Move.MERGE: CorrectionKind.JOINED,
    Move.UNMERGE: CorrectionKind.PARTED,
    Move.CORRECT_FIRM: CorrectionKind.OTHER_FIRM,
}
# The reason of a refusal that says: it was no problem at all.
MISTAKE: Final = "mistake"


class Examples:
    """Keeps what was read, what is right, and who said so; the text with its phones masked."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def after(self, what: Move, before: Ticket, after: Ticket, actor: Person | None) -> None:
        """A move that says how the source message ought to have been read."""
        kind = _KINDS.get(what)
        if kind is None or actor is None:
            return
        if kind is CorrectionKind.NOT_A_PROBLEM and after.reason != MISTAKE:
            # Refused for another reason, it was a problem all the same.
            return
        if kind is CorrectionKind.RECLASSIFIED and _labelled(before) == _labelled(after):
            # Only the title was changed: it says nothing of how the message was read.
            return
        role = self._role(before)
        right = self._labels(after)
        if kind is CorrectionKind.NOT_A_PROBLEM:
            right = _no_problem(right, read(before.body, role))
        if kind is CorrectionKind.JOINED:
            target = after.merged_into
            into = None if target is None else self._work.tickets.find(target)
            ref = None if into is None else into.source.message_id
            right = replace(right, intent=Intent.FOLLOW_UP.value, is_ticket=False, ref=ref)
        was = self._opened_as(before)
        if kind is CorrectionKind.PARTED:
            was = replace(was, intent=Intent.FOLLOW_UP.value, is_ticket=False)
        self._keep(kind, before, role, was, right, actor.id)

    # ---- questions and what was opened by hand

    def is_open(self, candidate_id: int) -> bool:
        """Whether the question waits for its answer."""
        candidate = self._work.candidates.get(candidate_id)
        return candidate is not None and candidate.state is CandidateState.ASKED

    def answered(self, candidate_id: int, by: Speaker) -> None:
        """The answer to the question whether it is a problem, after it was carried out."""
        candidate = self._work.candidates.get(candidate_id)
        if candidate is None or candidate.state is CandidateState.ASKED:
            return
        role = _MANAGER if by.key != candidate.sender_key else _role_of(by.person)
        reading = read(candidate.text, role)
        was = Labels(reading.intent.value, None, _code(reading.topic), _code(reading.urgency))
        right = self._said_to_be(candidate, was, reading)
        yes = candidate.state is CandidateState.TAKEN
        self._work.corrections.add(
            Correction(
                self._clock.now(),
                CorrectionKind.ANSWERED_YES if yes else CorrectionKind.ANSWERED_NO,
                candidate.platform,
                candidate.message_id,
                1,
                candidate.number,
                mask_phone(candidate.text),
                role,
                self._msg_type(candidate.platform, candidate.message_id),
                was,
                right,
                _name(by),
            )
        )

    def _said_to_be(self, candidate: Candidate, was: Labels, reading: Reading) -> Labels:
        if candidate.state is not CandidateState.TAKEN:
            return _no_problem(was, reading)
        ticket = None if candidate.number is None else self._work.tickets.find(candidate.number)
        if ticket is None:
            return replace(was, intent=Intent.NEW_PROBLEM.value, is_ticket=True)
        return self._labels(ticket)

    def by_hand(self, platform: str, message_id: str, by: Speaker) -> None:
        """A person opened a ticket outright: where the bot would have passed it over, it learns."""
        for ticket in self._work.tickets.by_source(platform, message_id):
            role = self._role(ticket)
            reading = read(ticket.body, role)
            if reading.is_ticket or reading.candidate:
                continue
            was = Labels(reading.intent.value, False, _code(reading.topic))
            kind = CorrectionKind.BY_HAND
            self._keep(kind, ticket, role, was, self._labels(ticket), _name(by))

    # ---- the parts of an example

    def _keep(
        self, kind: CorrectionKind, ticket: Ticket, role: str, was: Labels, right: Labels, by: str
    ) -> None:
        source = ticket.source
        self._work.corrections.add(
            Correction(
                self._clock.now(),
                kind,
                source.platform,
                source.message_id or ticket.code,
                ticket.part,
                ticket.number,
                mask_phone(ticket.body),
                role,
                self._msg_type(source.platform, source.message_id),
                was,
                right,
                by,
            )
        )

    def _msg_type(self, platform: str, message_id: str) -> str:
        heard = self._work.heard.find(platform, message_id)
        return "text" if heard is None else heard.msg_type

    def _role(self, ticket: Ticket) -> str:
        """Whose words the ticket tells: what was telephoned is the firm's, whoever typed it."""
        if ticket.kind is Kind.VISIT or ticket.source.channel in (Channel.GROUP, Channel.DIRECT):
            reporter = ticket.reporter_id
            return _role_of(None if reporter is None else self._work.people.person(reporter))
        return _MANAGER

    def _labels(self, ticket: Ticket) -> Labels:
        return Labels(
            _intent(ticket.kind, ticket.urgency),
            True,
            ticket.category.value,
            ticket.urgency.value,
            self._firm(ticket.enterprise_id),
        )

    def _opened_as(self, ticket: Ticket) -> Labels:
        """How it was read when it was opened: the first line of its history tells."""
        history = self._work.tickets.history(ticket.number)
        first = history[0].changes if history else {}
        urgency = Urgency(first.get("urgency", ticket.urgency))
        firm = first.get("enterprise_id")
        return Labels(
            _intent(ticket.kind, urgency),
            True,
            Category(first.get("category", ticket.category)).value,
            urgency.value,
            self._firm(None if firm is None else EnterpriseId(firm)),
        )

    def _firm(self, enterprise_id: EnterpriseId | None) -> str | None:
        if enterprise_id is None:
            return None
        enterprise = self._work.people.enterprise(enterprise_id)
        return None if enterprise is None else enterprise.short_name


def _labelled(ticket: Ticket) -> tuple[Category, Urgency]:
    return ticket.category, ticket.urgency


_MANAGER: Final = Role.MANAGER.value


def _role_of(person: Person | None) -> str:
    return _MANAGER if person is None else person.role.value


def _name(by: Speaker) -> str:
    return by.user.platform if by.person is None else by.person.id


def _code(label: Category | Urgency | None) -> str | None:
    return None if label is None else label.value


def _intent(kind: Kind, urgency: Urgency) -> str:
    """The label of a ticket by the rules of the corpus: `urgent` and nothing else means U1."""
    if urgency is Urgency.U1:
        return Intent.URGENT.value
    if kind is Kind.CONSULT:
        return Intent.POLICY_QUESTION.value
    return (Intent.VISIT_LOG if kind is Kind.VISIT else Intent.NEW_PROBLEM).value


def _no_problem(labels: Labels, reading: Reading) -> Labels:
    """Nobody says what it is instead: the likeliest reading that is no problem."""
    intent = Intent.CHATTER
    if reading.probabilities is not None:
        shares = zip(reading.probabilities.intent, INTENTS, strict=True)
        intent = max((p, i) for p, i in shares if i not in PROBLEMS)[1]
    return replace(labels, intent=intent.value, is_ticket=False, urgency=None)
