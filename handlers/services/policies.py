"""The library of policies at work: answers, lists, pushes, and what the office keeps in it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from handlers.chat.outbound import Content, Kind, Priority, Reply
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Enterprise, Person, Role, mask_phone
from handlers.domain.policy_library import (
    CHECKED_FOR,
    MAY_KEEP,
    Answered,
    Fit,
    PolicyEntry,
    PolicyQuestion,
    Standing,
    State,
    approve,
    changed,
    checked,
    matches,
    standing,
    window_over,
)
from handlers.domain.ticket import Args, Move, Ticket
from handlers.domain.ticket import Kind as TicketKind
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.ports.policies import Found
from handlers.services.people import Speaker
from handlers.services.tickets import Report, TicketService
from handlers.texts import policies as say
from handlers.texts.common import reader_time
from handlers.understanding.policy_search import guessed_category

# Working days before the window closes.
_CLOSING: Final = 5
_RECHECK_AHEAD: Final = timedelta(days=14)
_LISTED: Final = 20
_USED: Final = frozenset({Standing.HOLDS, Standing.NOT_YET, Standing.ENDED})


@dataclass(frozen=True, slots=True)
class Said:
    """What the library says to a question, ready to be shown."""

    entry: PolicyEntry
    standing: Standing
    told: str
    lead: str


class PolicyService:
    def __init__(
        self, work: Work, clock: Clock, calendar: WorkCalendar, tickets: TicketService
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._tickets = tickets

    @property
    def today(self) -> date:
        return self._clock.now().astimezone(self._calendar.zone).date()

    def standing(self, entry: PolicyEntry) -> Standing:
        return standing(entry, self.today, self.successor(entry))

    def successor(self, entry: PolicyEntry) -> PolicyEntry | None:
        """What came after it, where that is in use."""
        after = (
            None if entry.superseded_by is None else self._work.policies.get(entry.superseded_by)
        )
        return after if after is not None and after.state is State.APPROVED else None

    # ---- answering

    def said(self, question: str) -> Said | None:
        """What the library may answer: the best entry, if it fits well enough and may be used."""
        found = self._work.policies.search(question, self.today)
        if not found or not found[0].sure:
            return None
        return self._said(found[0])

    def _said(self, found: Found) -> Said | None:
        entry, today = found.entry, self.today
        now_is = self.standing(entry)
        if now_is not in _USED:
            return None
        if now_is is Standing.ENDED:
            after = self.successor(entry)
            holds = after is not None and self.standing(after) is not Standing.NOT_YET
            told = say.ended(entry, after, holds)
            return Said(entry, now_is, told, told)
        told = say.answer(entry, found.passage, now_is, today)
        lead = found.passage or entry.benefit or entry.summary
        if now_is is Standing.NOT_YET:
            lead = say.from_when(entry, lead)
        return Said(entry, now_is, told, lead)

    def answered(self, said: Said, report: Report, speaker: Speaker) -> Reply:
        """A consult ticket that the library resolves; the one who asked may hand it to a person."""
        ticket = None
        entry = said.entry
        if speaker.person is not None:
            opened = self._tickets.submit(
                replace(report, kind=TicketKind.CONSULT, quiet=True), speaker.person
            )
            text = say.result(entry, said.standing)
            ticket = self._tickets.act(opened, Move.ANSWER, None, Args(text=text))
            self._looked(entry, speaker.person)
        ended = said.standing is Standing.ENDED
        self._note(
            report.body,
            Answered.ENDED if ended else Answered.ANSWERED,
            speaker,
            report.enterprise_id,
            ticket,
            entry.id,
        )
        status = "" if said.standing is Standing.HOLDS else say.STANDINGS[said.standing]
        card = say.answer_card(ticket, entry, said.told, said.lead, status, self.today)
        number = None if ticket is None else ticket.number
        return Reply(Content.of(card, Kind.ANSWER), private=False, ticket=number)

    def related(self, text: str) -> str | None:
        """What is known of a matter that a person has to see to."""
        said = self.said(text)
        return None if said is None else say.related(said.entry, said.standing)

    def unanswered(self, ticket: Ticket, speaker: Speaker) -> None:
        """A question for which a person was needed."""
        self._note(ticket.body, Answered.UNANSWERED, speaker, ticket.enterprise_id, ticket, None)

    def _note(
        self,
        text: str,
        outcome: Answered,
        speaker: Speaker,
        firm: EnterpriseId | None,
        ticket: Ticket | None,
        policy_id: int | None,
    ) -> None:
        self._work.policies.note(
            PolicyQuestion(
                self._clock.now(),
                mask_phone(text),
                outcome,
                None if speaker.person is None else speaker.person.id,
                firm,
                None if ticket is None else ticket.number,
                policy_id,
            )
        )

    def to_person(self, ticket: Ticket | None, speaker: Speaker) -> Reply:
        """It was no answer: the ticket goes to whom it would have gone, and the leader hears nothing."""
        if ticket is None:
            waiting = [
                t for t in self._tickets.fitting(speaker, Move.VERDICT_NO) if t.answered_by_library
            ]
            if not waiting:
                return Reply.say(say.NOTHING_TO_HAND_OVER)
            ticket = waiting[0]
        if ticket.is_live and ticket.kind is TicketKind.CONSULT:
            again = ticket
        else:
            if not ticket.answered_by_library:
                return Reply.say(say.NOTHING_TO_HAND_OVER)
            move = Move.REOPEN if ticket.closed_at is not None else Move.VERDICT_NO
            again = self._tickets.act(ticket, move, speaker, Args(text=say.NOT_ANSWERED))
            self._work.policies.outcome(ticket.number, Answered.NOT_HELPED)
        owner = self._tickets.telling.owner(again)
        by = reader_time(again.due_resolution, self._clock.now())
        return Reply.say(say.to_person(again, owner, by), again.number)

    # ---- looking up

    def listed(self, words: str) -> str:
        if not words.strip():
            return say.USAGE
        found = self._work.policies.search(words, self.today, 3)
        return say.found(words, [(f.entry, self.standing(f.entry)) for f in found])

    def shown(self, policy_id: int, speaker: Speaker) -> Reply:
        """One entry as anybody may see it: what is approved; all of it to whoever keeps them."""
        entry = self._work.policies.get(policy_id)
        if entry is None:
            return Reply.say(say.no_such(str(policy_id)))
        now_is = self.standing(entry)
        person = speaker.person
        keeps = person is not None and person.active and person.role in MAY_KEEP
        if keeps and now_is in (Standing.UNAPPROVED, Standing.UNCHECKED):
            return Reply.say(say.to_look_at(entry, now_is, self.today))
        if entry.state is not State.APPROVED:
            return Reply.say(say.no_such(str(policy_id)))
        if now_is is Standing.UNCHECKED:
            return Reply.say(say.unchecked(entry))
        if speaker.person is not None:
            self._looked(entry, speaker.person)
        if now_is is Standing.ENDED:
            after = self.successor(entry)
            holds = after is not None and self.standing(after) is not Standing.NOT_YET
            return Reply.say(say.ended(entry, after, holds))
        told = say.answer(entry, entry.text, now_is, self.today)
        firm = self._firm(speaker)
        if firm is not None:
            told += say.compared(matches(entry.whom, firm))
        return Reply.say(told)

    def _firm(self, speaker: Speaker) -> Enterprise | None:
        person = speaker.person
        if person is None or person.enterprise_id is None or not speaker.confirmed:
            return None
        return self._work.people.enterprise(person.enterprise_id)

    def _looked(self, entry: PolicyEntry, person: Person) -> None:
        if person.role is Role.MANAGER:
            self._work.policies.opened(entry.id, person.id, self._clock.now())

    # ---- keeping it

    def entry(self, policy_id: int) -> PolicyEntry:
        """Raises NoSuch."""
        found = self._work.policies.get(policy_id)
        if found is None:
            raise NoSuch("policy", policy_id)
        return found

    def add(self, entry: PolicyEntry, by: str) -> PolicyEntry:
        """A draft of whoever wrote it; raises BadInput."""
        category = entry.category or guessed_category((entry.title, entry.summary))
        draft = replace(
            checked(entry), id=0, state=State.DRAFT, author=by, category=category,
            approved_by="", approved_at=None, version=1,
        )  # fmt: skip
        self._may_follow(draft)
        kept = self._work.policies.add(draft)
        self._audit(by, "policy.added", kept)
        return kept

    def change(self, policy_id: int, by: str, values: dict[str, object]) -> PolicyEntry:
        """Raises NoSuch, BadInput, StaleEntry."""
        before = self.entry(policy_id)
        after = changed(before, PersonId(by), values)
        self._may_follow(after)
        if after != before:
            self._work.policies.save(after)
            self._audit(by, "policy.changed", after)
        return after

    def _may_follow(self, entry: PolicyEntry) -> None:
        """No entry is followed by one that does not exist, or by itself round a corner."""
        after, seen = entry.superseded_by, {entry.id} if entry.id else set()
        while after is not None:
            found = self._work.policies.get(after)
            if found is None or after in seen:
                raise BadInput("policy_successor")
            seen.add(after)
            after = found.superseded_by

    def approve(self, policy_id: int, by: Person) -> PolicyEntry:
        """Raises NoSuch, BadInput."""
        entry = approve(self.entry(policy_id), by, self._clock.now(), self.today)
        self._work.policies.save(entry)
        self._audit(by.id, "policy.approved", entry)
        return entry

    def recheck(self, policy_id: int, by: Person) -> PolicyEntry:
        """Somebody has looked at it again and it still holds."""
        if by.role not in MAY_KEEP:
            raise BadInput("policy_role")
        return self.change(policy_id, by.id, {"checked_on": self.today})

    def drafts(self) -> tuple[PolicyEntry, ...]:
        return tuple(e for e in self._work.policies.all() if e.state is State.DRAFT)

    def _audit(self, by: str, action: str, entry: PolicyEntry) -> None:
        facts = {"version": entry.version, "state": entry.state.value}
        self._work.audit.add(self._clock.now(), by, action, str(entry.id), facts)

    def keep_answer(self, ticket: Ticket, by: Person) -> Reply:
        """A colleague's answer becomes a draft; another one approves it."""
        if by.role is not Role.LIAISON and by.role not in MAY_KEEP:
            raise BadInput("policy_role")
        if ticket.confidential:
            return Reply.say(say.confidential(ticket), ticket.number)
        if not ticket.result or ticket.kind is not TicketKind.CONSULT or not ticket.handlers:
            return Reply.say(say.no_answer_yet(ticket), ticket.number)
        key = f"ticket:{ticket.code}"
        for entry in self._work.policies.all():
            if entry.source_file == key:
                return Reply.say(say.already_saved(entry, ticket), ticket.number)
        kept = self.add(
            PolicyEntry(
                mask_phone(ticket.title),
                summary=mask_phone(ticket.result)[:60],
                text=mask_phone(ticket.result),
                keywords=(mask_phone(self._asked_in(ticket)),),
                issuer=say.OFFICE_ANSWER,
                issued_on=self.today,
                source_file=key,
                category=ticket.category,
            ),
            by.id,
        )
        duty = self._work.people.duty_person()
        if duty is not None and duty.id != by.id:
            self._work.outbox.put(
                Outgoing(
                    Content(say.asks_approval(kept, by.name)),
                    person=duty.id,
                    priority=Priority.DIGEST,
                    dedupe_key=f"policy:{kept.id}:approval",
                )
            )
        return Reply.say(say.saved_from_ticket(kept, ticket), ticket.number)

    def _asked_in(self, ticket: Ticket) -> str:
        """The question without the firm's names: the library is everybody's."""
        body = ticket.body
        firm = (
            None
            if ticket.enterprise_id is None
            else self._work.people.enterprise(ticket.enterprise_id)
        )
        for name in () if firm is None else (firm.full_name, firm.short_name, *firm.aliases):
            body = body.replace(name, "") if len(name) > 1 else body
        return body

    # ---- unasked, once

    def push(self, policy_id: int, by: Person) -> str:
        """Tell the firms it may be for, once each."""
        if by.role not in MAY_KEEP:
            raise BadInput("policy_role")
        entry = self.entry(policy_id)
        now_is = self.standing(entry)
        if now_is not in (Standing.HOLDS, Standing.NOT_YET) or window_over(entry, self.today):
            return say.push_refused(entry, now_is)
        self._audit(by.id, "policy.pushed", entry)
        sent = check = 0
        for firm in self._work.people.enterprises():
            if not firm.active:
                continue
            match = matches(entry.whom, firm)
            if match.fit is Fit.CHECK:
                check += 1
            contact = self._work.people.main_contact(firm.id)
            if match.fit is not Fit.MAY or contact is None:
                continue
            put = self._work.outbox.put(
                Outgoing(
                    Content(say.for_you(entry, match, self.today), kind=Kind.ANNOUNCEMENT),
                    person=contact.id,
                    priority=Priority.BROADCAST,
                    dedupe_key=f"policy:{entry.id}:push:{firm.id}",
                )
            )
            sent += put is not None
        return say.pushed(entry, sent, check)

    def remind(self) -> int:
        """Before a window closes, once, whoever asked for the policy or opened it."""
        now, sent = self._clock.now(), 0
        last = self._calendar.close_of(now, _CLOSING).astimezone(self._calendar.zone).date()
        for entry in self._work.policies.all():
            by = entry.apply_by
            if by is None or entry.no_apply or not self.today <= by <= last:
                continue
            if self.standing(entry) is not Standing.HOLDS:
                continue
            for person_id in self._work.policies.interested(entry.id):
                sent += self._closing(entry, person_id)
        return sent

    def _closing(self, entry: PolicyEntry, person_id: PersonId) -> bool:
        person = self._work.people.person(person_id)
        if person is None or not person.active or person.enterprise_id is None:
            return False
        firm = self._work.people.enterprise(person.enterprise_id)
        if firm is None or matches(entry.whom, firm).fit is Fit.NOT:
            return False
        put = self._work.outbox.put(
            Outgoing(
                Content(say.closing(entry), kind=Kind.REMINDER),
                person=person.id,
                priority=Priority.DIGEST,
                dedupe_key=f"policy:{entry.id}:closing:{entry.apply_by}:{person.id}",
                not_after=self._calendar.close_of(self._clock.now(), _CLOSING),
            )
        )
        return put is not None

    # ---- the office's month

    def unanswered_between(self, since: datetime, until: datetime) -> tuple[PolicyQuestion, ...]:
        return self._work.policies.asked(since, until, (Answered.UNANSWERED, Answered.NOT_HELPED))

    def send_month(self) -> None:
        """To the duty desk: last month's questions without an answer, and what must be looked at."""
        now = self._clock.now()
        first = now.astimezone(self._calendar.zone).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        before = (first - timedelta(days=1)).replace(day=1)
        duty = self._work.people.duty_person()
        if duty is None:
            return
        rows = self.unanswered_between(before, first)
        if rows:
            shown = [(q, self._short(q.enterprise_id)) for q in rows[:_LISTED]]
            not_helped = sum(q.outcome is Answered.NOT_HELPED for q in rows)
            told = say.unanswered(say.month_name(before), shown, len(rows) - len(shown), not_helped)
            self._to_duty(duty, told, f"policies:unanswered:{before:%Y%m}")
        old = [
            e
            for e in self._work.policies.all()
            if e.state is State.APPROVED
            and self.standing(e) in (Standing.HOLDS, Standing.UNCHECKED, Standing.NOT_YET)
            and (e.checked_on is None or self.today - e.checked_on > CHECKED_FOR - _RECHECK_AHEAD)
        ]
        if old:
            self._to_duty(duty, say.to_recheck(old), f"policies:recheck:{before:%Y%m}")

    def _to_duty(self, duty: Person, told: str, key: str) -> None:
        self._work.outbox.put(
            Outgoing(
                Content(told, kind=Kind.DIGEST),
                person=duty.id,
                priority=Priority.DIGEST,
                dedupe_key=key,
            )
        )

    def _short(self, firm_id: EnterpriseId | None) -> str:
        firm = None if firm_id is None else self._work.people.enterprise(firm_id)
        return "" if firm is None else firm.short_name
