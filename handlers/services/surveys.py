"""Surveys: opened with a preview and a second person, answered in any way, the silent reminded once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from handlers.chat.events import ChatKind, EventKind
from handlers.chat.outbound import Content, Kind, Priority, Reply
from handlers.domain.announcement import Audience, resolve
from handlers.domain.errors import BadInput, NoSuch, NotForYou, NotPermitted, Refusal, WrongState
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import OFFICE_ROLES, Enterprise, Person, Role
from handlers.domain.survey import (
    AGAIN_DAYS,
    Answer,
    Channel,
    Question,
    QuestionKind,
    Survey,
    SurveyState,
    Values,
    carried,
    checked,
    may_approve,
    may_end,
    may_fill,
    may_write,
    merged,
    opened,
    silent,
    standing,
    standing_by_firm,
    totals,
)
from handlers.domain.ticket import State
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Dialogue, Links, Outgoing, Work
from handlers.services.moves import PATIENCE, Asked
from handlers.texts import surveys as say
from handlers.understanding import FirmNames, Intent, Lexicon, read
from handlers.understanding.answers import Loose, Matched, assigned, match
from handlers.understanding.numbers import Quantity, answers_none
from handlers.understanding.secrecy import marks_in
from handlers.understanding.survey_words import NOTHING, SAME, named_in, without_number

PLACE: Final = "survey.place"
# So long after its deadline a survey takes what comes late.
_LATE_FOR: Final = timedelta(days=30)
_ASKED_WITHIN: Final = timedelta(days=200)
_AWAITS: Final = frozenset({State.RESOLVED, State.WAITING_ENTERPRISE})
# So many values that their own words placed are no chance.
_SURELY: Final = 3
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """What somebody may see of the answers, and the sums of what they see."""

    standing: say.Standing
    rows: tuple[tuple[Enterprise, Answer], ...]
    sums: tuple[Decimal | None, ...]
    grids: tuple[tuple[int | None, int, int], ...]


class Surveys:
    def __init__(
        self,
        work: Work,
        clock: Clock,
        calendar: WorkCalendar,
        firms: FirmNames,
        lexicon: Lexicon,
        links: Links,
    ) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._firms = firms
        self._lexicon = lexicon
        self._links = links

    # ---- opening

    def draft(
        self,
        by: Person,
        title: str,
        purpose: str,
        questions: Sequence[Question],
        audience: Audience,
        due_at: datetime,
    ) -> Survey:
        """Keep a draft; raises BadInput, also for data that exists, and NotPermitted."""
        now = self._clock.now()
        survey = checked(
            Survey(
                0, title.strip(), purpose.strip(), tuple(questions), audience, due_at, by.id, now
            ),
            now,
        )
        said = [
            title,
            purpose,
            *(f"{q.name} {' '.join((*q.choices, *q.columns))}" for q in questions),
        ]
        marks = marks_in(" ".join(said))
        if marks:
            raise BadInput("announce_secret", words="」「".join(marks))
        targets = resolve(audience, self._work.people.enterprises(), {})
        if not targets:
            raise BadInput("survey_nobody")
        ids = tuple(t.id for t in targets)
        at_once = may_write(by, ids, {f.id for f in self.own_firms(by)})
        self._refuse_again(survey, ids, now)
        survey = replace(
            survey,
            number=self._work.surveys.next_number(),
            needs_approval=not at_once,
            previous=self._last_round(survey, ids, now),
        )
        self._work.surveys.add(survey)
        self._work.surveys.set_targets(survey.number, ids)
        self._note(by.id, "survey.drafted", survey, {"firms": len(ids)})
        return survey

    def _refuse_again(self, survey: Survey, ids: Sequence[EnterpriseId], now: datetime) -> None:
        """Data that was asked for within 90 days is used, not asked for again (F4)."""
        for old in self._work.surveys.opened_since(now - timedelta(days=AGAIN_DAYS)):
            if old.content != survey.content:
                continue
            asked = {t.enterprise_id for t in self._work.surveys.targets(old.number)}
            if asked & set(ids):
                known = standing_by_firm(self._work.surveys.answers(old.number))
                raise BadInput(
                    "survey_again", survey=old.number, title=old.title, asked=len(asked),
                    answered=len(known), at=old.opened_at,
                )  # fmt: skip

    def _last_round(self, survey: Survey, ids: Sequence[EnterpriseId], now: datetime) -> int | None:
        for old in self._work.surveys.opened_since(now - timedelta(days=2 * 366)):
            if old.series == survey.series:
                asked = {t.enterprise_id for t in self._work.surveys.targets(old.number)}
                if asked & set(ids):
                    return old.number
        return None

    def own_firms(self, person: Person) -> tuple[Enterprise, ...]:
        """The firms that somebody answers for as their liaison or leader."""
        now, people = self._clock.now(), self._work.people
        found = []
        for firm in people.enterprises():
            pairing = people.pairing(firm.id, now) if firm.active else None
            if pairing is not None and person.id in (pairing.liaison_id, pairing.leader_id):
                found.append(firm)
        return tuple(found)

    def confirm(self, number: int, by: Person) -> Reply:
        """The author is content: it goes out, or to a second person."""
        survey = self._draft_of(number)
        if by.id != survey.created_by:
            raise NotPermitted("survey_author")
        if survey.needs_approval:
            approvers = self._approvers(survey)
            for person in approvers:
                self._tell(
                    person.id,
                    Content.of(self._preview(survey, second=True)),
                    f"survey:{number}:approve:{person.id}",
                )
            return Reply.say(say.waits_for_second(survey, [p.name for p in approvers]))
        sent = self._send(survey, None)
        return Reply.say(say.sent(sent, self.count(sent), self._clock.now()))

    def approve(self, number: int, by: Person) -> Survey:
        """A second person agrees and it goes out; raises NotPermitted, WrongState."""
        survey = self._draft_of(number)
        may_approve(by, survey)
        sent = self._send(survey, by.id)
        told = say.agreed(sent, by.name, self.count(sent))
        self._tell(sent.created_by, Content(told), f"survey:{number}:agreed")
        return sent

    def refuse(self, number: int, by: Person) -> Survey:
        """The author takes it back, or a second person does not agree."""
        survey = self._draft_of(number)
        own = by.id == survey.created_by
        if not own:
            may_approve(by, survey)
        ended = self._save(replace(survey, state=SurveyState.CANCELLED))
        self._note(by.id, "survey.cancelled", ended, {})
        if not own:
            told = Content(say.refused(ended, by.name))
            self._tell(ended.created_by, told, f"survey:{number}:refused")
        return ended

    def close(self, number: int, by: Person) -> Survey:
        """End it before its time; raises NotPermitted."""
        survey = self.load(number)
        may_end(by, survey)
        return self._close(survey, by.id) if survey.state is SurveyState.OPEN else survey

    def preview(self, survey: Survey) -> Content:
        return Content.of(self._preview(survey, second=False))

    def _preview(self, survey: Survey, *, second: bool) -> Any:
        firms = self._targets(survey)
        names = [f.short_name for f in firms]
        target = say.whom(survey.audience, len(firms))
        return say.preview(survey, target, names, self._clock.now(), second=second)

    def _draft_of(self, number: int) -> Survey:
        survey = self.load(number)
        if survey.state is not SurveyState.DRAFT:
            raise WrongState("survey_not_draft")
        return survey

    def _approvers(self, survey: Survey) -> tuple[Person, ...]:
        """The duty desk and the head, or the head alone where the duty desk is the author."""
        people = self._work.people
        found = [people.duty_person(), people.chief()]
        fit = {p.id: p for p in found if p is not None and _may(p, survey)}
        return tuple(fit.values())

    def _send(self, survey: Survey, approved_by: PersonId | None) -> Survey:
        now = self._clock.now()
        if survey.due_at <= now:
            raise BadInput("until_past")
        sent = self._save(opened(survey, now, approved_by, self._calendar))
        firms = self._targets(sent)
        target = say.whom(sent.audience, len(firms))
        for firm in firms:
            contact = self._work.people.main_contact(firm.id)
            if contact is None:
                continue
            card = say.request(
                sent, target, now, self._before(sent, firm.id), self._page(sent, contact.id)
            )
            self._tell(
                contact.id,
                Content.of(card, Kind.SURVEY),
                f"survey:{sent.number}:ask:{firm.id}",
                Priority.BROADCAST,
                not_after=sent.due_at,
            )
        self._note(approved_by or sent.created_by, "survey.sent", sent, {"firms": len(firms)})
        return sent

    def _page(self, survey: Survey, person: PersonId) -> str:
        return self._links.to("survey", str(survey.number), person, survey.due_at + _LATE_FOR)

    # ---- answering

    def hear(self, asked: Asked) -> Reply | None:
        """A firm's sentence that answers a survey; None where it is something else."""
        event, person = asked.event, asked.speaker.person
        if event.kind is not EventKind.MESSAGE or event.msg_type not in ("text", "voice"):
            return None
        if person is None or person.enterprise_id is None or not asked.rest.strip():
            return None
        surveys = self._asking(person.enterprise_id)
        if without_number(asked.rest) != asked.rest:
            # 填报 9 is never an answer to another one.
            number = named_in(asked.rest)
            surveys = tuple(s for s in surveys if s.number == number)
            if number is not None and not surveys:
                raise NoSuch("survey", number)
        if not surveys or len(asked.rest) > _LONGEST:
            return None
        return self._answered(asked, person, person.enterprise_id, surveys)

    def _asking(self, firm: EnterpriseId) -> tuple[Survey, ...]:
        now = self._clock.now()
        found = self._work.surveys.asking(firm, now - _ASKED_WITHIN)
        return tuple(s for s in found if s.due_at + _LATE_FOR > now)

    def _answered(
        self, asked: Asked, person: Person, firm: EnterpriseId, surveys: Sequence[Survey]
    ) -> Reply | None:
        quote = asked.event.quote
        number = named_in(asked.rest) or named_in("" if quote is None else quote.text)
        chosen = [s for s in surveys if s.number == number] or list(surveys)
        sure = number is not None and chosen[0].number == number
        text = self._without_firm(without_number(asked.rest))
        matches = [(self._match(text, s), s) for s in chosen]
        best, survey = max(
            matches, key=lambda m: (m[0].by_words, m[0].count, m[1].state is SurveyState.OPEN)
        )
        if not sure and not self._is_meant(asked, best, survey, firm):
            return None
        if sure and not best.count and not best.loose and not best.unchanged:
            return Reply.say(say.nothing_to_say())
        return self._take(asked, survey, firm, person, best, Channel.CHAT)

    def _match(self, text: str, survey: Survey) -> Matched:
        return match(text, survey.questions, self._clock.now(), self._calendar)

    def _without_firm(self, text: str) -> str:
        """The firm's own name at the head of an answer says nothing of what is counted."""
        named = self._firms.named(text)
        if named and named[0].start <= 1:
            return text[named[0].end :].lstrip(" -－:：,，")
        return text

    def _is_meant(self, asked: Asked, found: Matched, survey: Survey, firm: EnterpriseId) -> bool:
        """Whether a sentence answers the survey rather than telling a problem or a verdict."""
        direct = asked.event.chat_kind is ChatKind.DIRECT or asked.event.mention_bot
        late = survey.state is not SurveyState.OPEN
        if found.by_words:
            reading = read(asked.rest, Role.MANAGER.value, firms=self._firms, lexicon=self._lexicon)
            if reading.intent is Intent.URGENT:
                return False
            if found.count == len(survey.questions):
                return len(survey.questions) > 1 or not reading.is_ticket
            if direct and found.by_words >= _SURELY and 2 * found.count > len(survey.questions):
                # 主要困难是宿舍床位不够, beside four other answers, is asked for.
                return True
            return not reading.is_ticket and (direct or reading.intent is Intent.SURVEY_REPLY)
        if not direct or late:
            return False
        if found.unchanged and len(asked.rest) <= 12:
            return True
        plain = found.count == len(survey.questions) and not found.loose
        if not plain or len(asked.rest) > 20:
            return False
        numbers = any(q.kind is QuestionKind.NUMBER for q in survey.questions)
        if not (numbers and (found.bare or answers_none(asked.rest))):
            return False
        return not self._awaits_another(asked, firm)

    def _awaits_another(self, asked: Asked, firm: EnterpriseId) -> bool:
        """Whether 5 or 没有 may as well be the answer about a ticket."""
        person = asked.speaker.person
        return person is not None and bool(self._work.tickets.of_manager(person.id, firm, _AWAITS))

    def _take(
        self,
        asked: Asked,
        survey: Survey,
        firm: EnterpriseId,
        person: Person,
        found: Matched,
        channel: Channel,
    ) -> Reply:
        if found.unchanged and self._base(survey, firm) is None:
            return Reply.say(say.no_before())
        loose = found.loose[0] if found.loose else None
        if not found.count and not found.unchanged:
            if not loose:
                return Reply.say(say.nothing_to_say())
            return self._ask_place(asked, survey, firm, loose, channel)
        answer = self.put(survey, firm, found.values, person, channel, asked.rest)
        told = say.noted(survey, self.firm_name(firm), answer, for_firm=channel is Channel.LIAISON)
        if loose:
            question = self._ask_place(asked, survey, firm, loose, channel).content
            told = f"{told}\n{'' if question is None else question.text}"
        return Reply.say(told)

    def put(
        self,
        survey: Survey,
        firm: EnterpriseId,
        values: Values,
        by: Person | None,
        channel: Channel,
        said: str,
        *,
        whole: bool = False,
    ) -> Answer:
        """Add an answer over what is known, or as it is where it is the `whole` form.

        Raises BadInput where the firm is not asked, WrongState.
        """
        now = self._clock.now()
        # Taken for ourselves: a survey that is just being closed decides what is late.
        current = self.load(survey.number)
        targets = {t.enterprise_id for t in self._work.surveys.targets(survey.number)}
        if firm not in targets:
            raise BadInput("survey_not_asked")
        if current.state not in (SurveyState.OPEN, SurveyState.CLOSED):
            raise WrongState("survey_not_open")
        base = None if whole else self._base(current, firm)
        answer = Answer(
            survey.number, firm, merged(base, values), now, None if by is None else by.id,
            "" if by is None else by.name, channel, said[:_LONGEST],
            late=current.state is SurveyState.CLOSED or now > current.due_at,
        )  # fmt: skip
        self._work.surveys.add_answer(answer)
        self._work.outbox.withdraw(_reminder_key(survey.number, firm), "answered")
        facts = {"firm": firm, "channel": channel.value, "late": answer.late}
        self._note("system" if by is None else by.id, "survey.answered", current, facts)
        return answer

    def _base(self, survey: Survey, firm: EnterpriseId) -> Values | None:
        """What new values are laid over: the firm's own last answer, else the last round's."""
        own = self.answer_of(survey, firm)
        if own is not None:
            return own.values
        return self._before(survey, firm)

    def answer_of(self, survey: Survey, firm: EnterpriseId) -> Answer | None:
        """The firm's newest answer, whether it counts or came late."""
        given = self._work.surveys.answers(survey.number, firm)
        return given[-1] if given else None

    def _before(self, survey: Survey, firm: EnterpriseId) -> Values | None:
        if survey.previous is None:
            return None
        old = self._work.surveys.find(survey.previous)
        known = standing(self._work.surveys.answers(survey.previous, firm))
        if old is None or known is None:
            return None
        values = carried(old, known.values, survey)
        return values if any(v is not None for v in values) else None

    def before(self, survey: Survey, firm: EnterpriseId) -> Values | None:
        """The last round's values under this one's questions."""
        return self._before(survey, firm)

    def pressed(self, number: int, asked: Asked, *, same: bool) -> Reply:
        """不变 or 都没有 on the card."""
        person = asked.speaker.person
        if person is None or person.enterprise_id is None:
            raise NotForYou("")
        survey = self.load(number)
        if all(s.number != number for s in self._asking(person.enterprise_id)):
            raise BadInput("survey_not_asked")
        said = SAME if same else NOTHING
        return self._take(
            replace(asked, rest=said), survey, person.enterprise_id, person,
            self._match(said, survey), Channel.CHAT,
        )  # fmt: skip

    def fill(self, number: int, firm: Enterprise, text: str, by: Person, asked: Asked) -> Reply:
        """A colleague fills in what a firm told on the phone (F7)."""
        survey = self.load(number)
        may_fill(by, firm.id, {f.id for f in self.own_firms(by)})
        found = self._match(text, survey)
        return self._take(replace(asked, rest=text), survey, firm.id, by, found, Channel.LIAISON)

    def read(
        self, survey: Survey, firm: EnterpriseId, text: str, by: Person, channel: Channel
    ) -> Answer:
        """A sentence that is known to be an answer; raises BadInput where it holds none."""
        found = self._match(text, survey)
        if not found.count and not (found.unchanged and self._base(survey, firm) is not None):
            raise BadInput("survey_empty")
        return self.put(survey, firm, found.values, by, channel, text)

    def typed(self, survey: Survey, texts: Sequence[str]) -> tuple[Values, tuple[int, ...]]:
        """What stands in each field of a form, and the fields that nobody understands."""
        values = []
        unread = []
        for n, (question, text) in enumerate(zip(survey.questions, texts, strict=True)):
            found = None
            if text:
                one = match(text, (question,), self._clock.now(), self._calendar)
                found = one.values[0]
                if found is None or one.loose:
                    unread.append(n)
            values.append(found)
        return tuple(values), tuple(unread)

    def seen_by(self, number: int, viewer: Person) -> Survey:
        """A survey that somebody may look at; raises NoSuch."""
        survey = self.find(number)
        self._may_look(survey, viewer)
        return survey

    def is_asked(self, number: int, firm: EnterpriseId) -> bool:
        return any(s.number == number for s in self._asking(firm))

    # ---- the one question about what fits nothing

    def _ask_place(
        self, asked: Asked, survey: Survey, firm: EnterpriseId, loose: Loose, channel: Channel
    ) -> Reply:
        options = [
            (n, q) for n, q in enumerate(survey.questions, 1) if q.kind is QuestionKind.NUMBER
        ]
        q = loose.quantity
        facts = {
            "n": survey.number, "f": str(firm), "v": f"{q.value:f}", "u": q.unit, "about": q.about,
            "text": loose.text, "c": channel.value,
        }  # fmt: skip
        self._work.dialogues.put(
            Dialogue(
                asked.speaker.key, asked.event.chat, PLACE, facts, self._clock.now() + PATIENCE
            )
        )
        return Reply.say(say.place_it(loose.text, loose.label, options))

    def placed(self, asked: Asked) -> Reply | None:
        """The answer to it: a number or a name; None where it is something else."""
        facts: Mapping[str, Any] = asked.facts
        survey = self.load(int(facts["n"]))
        person = asked.speaker.person
        said = asked.rest.strip(" 。.")
        if said == "0":
            return Reply.say(say.left_out(str(facts["text"])))
        chosen = None
        if said.isascii() and said.isdigit() and len(said) < 3:
            chosen = int(said) - 1
        else:
            named = [n for n, q in enumerate(survey.questions) if said and said in q.name]
            chosen = named[0] if len(named) == 1 else None
        if chosen is None or not 0 <= chosen < len(survey.questions):
            return None
        question = survey.questions[chosen]
        quantity = Quantity(Decimal(facts["v"]), str(facts["u"]), 0, 0, bool(facts["about"]))
        values: Values = tuple(
            assigned(quantity, question) if n == chosen else None
            for n in range(len(survey.questions))
        )
        firm, channel = EnterpriseId(facts["f"]), Channel(facts["c"])
        text = f"{question.name} {facts['text']}"
        answer = self.put(survey, firm, values, person, channel, text)
        for_firm = channel is Channel.LIAISON
        return Reply.say(say.noted(survey, self.firm_name(firm), answer, for_firm=for_firm))

    # ---- time

    def sweep(self) -> None:
        """Remind the silent once, end what is over."""
        now = self._clock.now()
        for number in self._work.surveys.due(now):
            survey = self.load(number)
            if survey.state is not SurveyState.OPEN:
                continue
            if now >= survey.due_at:
                self._close(survey, "system")
            elif survey.reminded_at is None:
                self._remind(survey, now)

    def _remind(self, survey: Survey, now: datetime) -> None:
        store = self._work.surveys
        targets = [t.enterprise_id for t in store.targets(survey.number)]
        for firm in silent(targets, store.answers(survey.number)):
            contact = self._work.people.main_contact(firm)
            if contact is None or not store.remind(survey.number, firm, now):
                continue
            self._tell(
                contact.id,
                Content(say.reminder(survey, now), kind=Kind.REMINDER),
                _reminder_key(survey.number, firm),
                Priority.LADDER,
                not_after=survey.due_at,
            )
        self._save(replace(survey, reminded_at=now))

    def _close(self, survey: Survey, by: str) -> Survey:
        ended = self._save(replace(survey, state=SurveyState.CLOSED, closed_at=self._clock.now()))
        for target in self._work.surveys.targets(survey.number):
            self._work.outbox.withdraw(_reminder_key(survey.number, target.enterprise_id), "closed")
        self._note(by, "survey.closed", ended, {})
        known = self.state(ended)
        self._tell(
            ended.created_by,
            Content(say.over(ended, known.answered, known.count)),
            f"survey:{ended.number}:over",
        )
        return ended

    # ---- looking

    def load(self, number: int) -> Survey:
        """Raises NoSuch."""
        survey = self._work.surveys.get(number)
        if survey is None:
            raise NoSuch("survey", number)
        return survey

    def find(self, number: int) -> Survey:
        """To read only; raises NoSuch."""
        survey = self._work.surveys.find(number)
        if survey is None:
            raise NoSuch("survey", number)
        return survey

    def sheet(
        self, survey: Survey, viewer: Person | None
    ) -> tuple[str, tuple[str, ...], list[tuple[say.Cell, ...]]]:
        """Title, columns and rows for a spreadsheet, the sums last."""
        table = self.table(survey, viewer)
        rows = [say.row(survey, firm, answer) for firm, answer in table.rows]
        if rows:
            rows.append(say.total_row(table.sums))
        return say.sheet_name(survey), say.columns(survey), rows

    def lines(self, survey: Survey) -> list[dict[str, str]]:
        """One line for each value, for a file whose surveys differ in their columns."""
        table = self.table(survey, None)
        found = [line for firm, answer in table.rows for line in say.lines(survey, firm, answer)]
        return found + (say.total_lines(survey, table.sums) if found else [])

    def state(self, survey: Survey) -> say.Standing:
        known = standing_by_firm(self._work.surveys.answers(survey.number))
        late = sum(a.late for a in known.values())
        return say.Standing(survey, self.count(survey), len(known) - late, late)

    def visible(self, person: Person) -> tuple[Survey, ...]:
        """The surveys somebody may know of, the newest ones."""
        own = {f.id for f in self.own_firms(person)}
        found = []
        for survey in self._work.surveys.page(20, None):
            if self._knows(person, survey, own):
                found.append(survey)
        return tuple(found)

    def _knows(self, person: Person, survey: Survey, own: set[EnterpriseId]) -> bool:
        if person.role in OFFICE_ROLES or person.id == survey.created_by:
            return True
        if survey.state in (SurveyState.DRAFT, SurveyState.CANCELLED):
            return False
        targets = self._targets(survey)
        if person.role in (Role.GRID_CHIEF, Role.GRID_MEMBER):
            return any(f.grid == person.grid for f in targets)
        return any(f.id in own for f in targets)

    def table(self, survey: Survey, viewer: Person | None) -> Table:
        """Answers that somebody may see: the office and the author all, others their own firms'.

        `viewer` None: the office's programs. Whoever is silent stands in no row.
        """
        firms = {f.id: f for f in self._targets(survey)}
        known = standing_by_firm(self._work.surveys.answers(survey.number))
        may = set(firms)
        if viewer is not None and not (
            viewer.role in OFFICE_ROLES or viewer.id == survey.created_by
        ):
            may &= {f.id for f in self.own_firms(viewer)}
        rows = tuple((firms[i], known[i]) for i in sorted(firms) if i in known and i in may)
        late = sum(a.late for a in known.values())
        state = say.Standing(survey, len(firms), len(known) - late, late)
        return Table(
            state,
            rows,
            totals(survey.questions, [a for _, a in rows]),
            _by_grid(firms.values(), set(known)),
        )

    def shown(self, survey: Survey, viewer: Person) -> str:
        self._may_look(survey, viewer)
        table = self.table(survey, viewer)
        rows = [(firm.short_name, answer) for firm, answer in table.rows]
        until = self._clock.now() + timedelta(days=1)
        link = self._links.to("survey-xlsx", str(survey.number), viewer.id, until) if rows else ""
        return say.table(table.standing, rows, table.sums, self._clock.now(), link)

    def listed(self, survey: Survey, viewer: Person) -> str:
        """Whom it asks, by name, to the office and whoever wrote it."""
        if viewer.role not in OFFICE_ROLES | {Role.LEADER} and viewer.id != survey.created_by:
            raise NoSuch("survey", survey.number)
        return say.listed(survey, [f.short_name for f in self._targets(survey)])

    def shown_silent(self, survey: Survey, viewer: Person) -> str:
        """Names to the firm's own liaison alone, counts by grid to everybody else."""
        self._may_look(survey, viewer)
        table = self.table(survey, None)
        if viewer.role is Role.LIAISON:
            own = {f.id for f in self.own_firms(viewer)}
            spoke = {firm.id for firm, _ in table.rows}
            names = [
                f.short_name for f in self._targets(survey) if f.id in own and f.id not in spoke
            ]
            return say.silent_names(survey, names)
        grids = table.grids
        if viewer.role in (Role.GRID_CHIEF, Role.GRID_MEMBER):
            grids = tuple(g for g in grids if g[0] == viewer.grid)
        return say.silent_counts(survey, grids)

    def _may_look(self, survey: Survey, viewer: Person) -> None:
        if not self._knows(viewer, survey, {f.id for f in self.own_firms(viewer)}):
            raise NoSuch("survey", survey.number)

    def _targets(self, survey: Survey) -> tuple[Enterprise, ...]:
        people = self._work.people
        found = (
            people.enterprise(t.enterprise_id) for t in self._work.surveys.targets(survey.number)
        )
        return tuple(f for f in found if f is not None)

    def count(self, survey: Survey) -> int:
        return len(self._work.surveys.targets(survey.number))

    def firm_name(self, firm: EnterpriseId) -> str:
        found = self._work.people.enterprise(firm)
        return "" if found is None else found.short_name

    def _save(self, survey: Survey) -> Survey:
        saved = replace(survey, version=survey.version + 1)
        self._work.surveys.save(saved)
        return saved

    def _tell(
        self,
        person: PersonId,
        content: Content,
        key: str,
        priority: Priority = Priority.REPLY,
        not_after: datetime | None = None,
    ) -> None:
        self._work.outbox.put(
            Outgoing(content, person=person, priority=priority, dedupe_key=key, not_after=not_after)
        )

    def _note(self, by: str, action: str, survey: Survey, facts: Mapping[str, object]) -> None:
        self._work.audit.add(self._clock.now(), by, action, f"survey:{survey.number}", facts)


def _may(person: Person, survey: Survey) -> bool:
    try:
        may_approve(person, survey)
    except Refusal:
        return False
    return True


def open_line(work: Work, at: datetime) -> str:
    """What the brief of an instant says of surveys; empty where none was open."""
    count = asked = answered = 0
    for survey in work.surveys.opened_since(at - _ASKED_WITHIN):
        if survey.opened_at is None or survey.opened_at > at or survey.due_at <= at:
            continue
        if survey.closed_at is not None and survey.closed_at <= at:
            continue
        count += 1
        asked += len(work.surveys.targets(survey.number))
        given = [a for a in work.surveys.answers(survey.number) if a.at <= at]
        answered += len(standing_by_firm(given))
    return say.brief_line(count, asked, answered) if count else ""


def _reminder_key(number: int, firm: EnterpriseId) -> str:
    return f"survey:{number}:remind:{firm}"


def _by_grid(
    firms: Iterable[Enterprise], spoke: set[EnterpriseId]
) -> tuple[tuple[int | None, int, int], ...]:
    counts: dict[int | None, list[int]] = {}
    for firm in firms:
        count = counts.setdefault(firm.grid, [0, 0])
        count[0] += 1
        count[1] += firm.id not in spoke
    ordered = sorted(counts, key=lambda g: (g is None, g or 0))
    return tuple((g, counts[g][0], counts[g][1]) for g in ordered)
