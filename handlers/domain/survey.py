"""A survey (摸排): typed questions to certain firms, until a deadline; the last answer in time counts.

Property 44: one answer per firm and survey, the last valid one before the deadline; only the silent
are reminded, once. What is asked again with nothing changed is refused (domain.md §11, F4).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from handlers.domain.announcement import WRITERS, Audience
from handlers.domain.errors import BadInput, NotPermitted
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import OFFICE_ROLES, Person, Role
from handlers.domain.workdays import WorkCalendar


class QuestionKind(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    YES_NO = "yes_no"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Question:
    """`unit` belongs to numbers, `choices` to a choice, `columns` to a table (the first a name)."""

    name: str
    kind: QuestionKind = QuestionKind.NUMBER
    unit: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """An answer to one question: `text` as it was supplied, `number` in the question's own unit.

    `about`: 左右, a range and the like. `carried`: taken over from the last round.
    """

    text: str
    number: Decimal | None = None
    about: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    carried: bool = False


Values = tuple[Value | None, ...]


class SurveyState(StrEnum):
    """DRAFT waits for its author or a second person; CLOSED takes late answers, marked as such."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    CHAT = "chat"
    PAGE = "page"
    LIAISON = "liaison"
    API = "api"


@dataclass(frozen=True, slots=True)
class Survey:
    """`previous`: the last round of the same questions. `next_at`: when it is to be looked at."""

    number: int
    title: str
    purpose: str
    questions: tuple[Question, ...]
    audience: Audience
    due_at: datetime
    created_by: PersonId
    created_at: datetime
    state: SurveyState = SurveyState.DRAFT
    needs_approval: bool = True
    approved_by: PersonId | None = None
    opened_at: datetime | None = None
    remind_at: datetime | None = None
    reminded_at: datetime | None = None
    closed_at: datetime | None = None
    previous: int | None = None
    version: int = 1

    @property
    def next_at(self) -> datetime | None:
        if self.state is not SurveyState.OPEN:
            return None
        if self.remind_at is not None and self.reminded_at is None:
            return min(self.remind_at, self.due_at)
        return self.due_at

    @property
    def content(self) -> str:
        """What makes two surveys the same: their questions and the period they ask about."""
        return f"{self.series}|{period_of(self.title + self.purpose)}"

    @property
    def series(self) -> str:
        """What the rounds of one survey have in common."""
        return "|".join(sorted(f"{_core(q.name)}:{q.kind.value}:{q.unit}" for q in self.questions))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a firm supplied; rows are only ever added."""

    survey: int
    enterprise_id: EnterpriseId
    values: Values
    at: datetime
    by: PersonId | None
    by_name: str
    channel: Channel
    said: str = ""
    late: bool = False
    id: int = 0


_PERIOD: Final = re.compile(
    r"\d{4}年|\d{1,2}月份?|[上下本]半?[月年]|第?[一二三四1-4]季度|第?[一二三四五六七八九十\d]+[期轮次]|"
    r"本周|上周|去年|今年|明年|年[底末前后]|春节[前后]?|节[前后]|国庆[前后]?"
)
_MARKS: Final = re.compile(r"[\s,，、。.:：;；()（）「」\-]+")
AGAIN_DAYS: Final = 90
_LATEST: Final = time(16, 0)
# Whoever was asked a moment ago is not reminded.
_ROOM: Final = timedelta(hours=4)
MOST_QUESTIONS: Final = 20
_TITLE: Final = 30
_PURPOSE: Final = 100
_NAME: Final = 20


def _core(name: str) -> str:
    return _MARKS.sub("", _PERIOD.sub("", name))


def period_of(text: str) -> str:
    """The period a text speaks of, as written: 11月, 第四季度; empty where it names none."""
    return "".join(_PERIOD.findall(text))


def checked(survey: Survey, now: datetime) -> Survey:
    """The survey itself; raises BadInput for what nobody could answer."""
    if not 2 <= len(survey.title) <= _TITLE:
        raise BadInput("survey_title", most=_TITLE)
    if not 2 <= len(survey.purpose) <= _PURPOSE:
        raise BadInput("survey_purpose", most=_PURPOSE)
    if not 1 <= len(survey.questions) <= MOST_QUESTIONS:
        raise BadInput("survey_questions", most=MOST_QUESTIONS)
    names = [q.name for q in survey.questions]
    if any(not 1 <= len(n) <= _NAME for n in names):
        raise BadInput("survey_question_name", most=_NAME)
    if len(set(names)) != len(names):
        raise BadInput("survey_question_twice")
    for q in survey.questions:
        if q.kind is QuestionKind.CHOICE and not 2 <= len(q.choices) <= 10:
            raise BadInput("survey_choices", question=q.name)
        if q.kind is QuestionKind.TABLE and not 2 <= len(q.columns) <= 6:
            raise BadInput("survey_columns", question=q.name)
    if survey.due_at <= now:
        raise BadInput("until_past")
    if not survey.audience.named:
        raise BadInput("audience_needed")
    return survey


# ---- who may


def may_write(person: Person, firms: Iterable[EnterpriseId], own: Collection[EnterpriseId]) -> bool:
    """Whether it may go out at once, without a second person; raises NotPermitted."""
    within = all(firm in own for firm in firms)
    if person.role in WRITERS:
        return within
    if person.role is not Role.LIAISON:
        raise NotPermitted("survey_role")
    if not within:
        raise NotPermitted("survey_own")
    return True


def may_approve(person: Person, survey: Survey) -> None:
    """Raises NotPermitted: a second person agrees, never the author."""
    if person.role not in WRITERS:
        raise NotPermitted("survey_role")
    if person.id == survey.created_by:
        raise NotPermitted("survey_second")


def may_end(person: Person, survey: Survey) -> None:
    """Raises NotPermitted unless it is the person's own, or the office's to end."""
    if person.id != survey.created_by and person.role not in OFFICE_ROLES:
        raise NotPermitted("survey_role")


def may_fill(person: Person, firm: EnterpriseId, own: Collection[EnterpriseId]) -> None:
    """Raises NotPermitted: a colleague fills in for the own firms, the office for any."""
    if person.role not in OFFICE_ROLES and firm not in own:
        raise NotPermitted("survey_own_fill")


# ---- time


def reminds_at(due_at: datetime, opened_at: datetime, calendar: WorkCalendar) -> datetime | None:
    """One working day before the deadline; None where there is no room for a reminder."""
    local = due_at.astimezone(calendar.zone)
    day = local.date() - timedelta(days=1)
    while not calendar.is_workday(day):
        day -= timedelta(days=1)
    clock = min(local.time().replace(microsecond=0), _LATEST)
    at = datetime.combine(day, clock, calendar.zone)
    return at if at >= opened_at + _ROOM else None


def opened(
    survey: Survey, now: datetime, approved_by: PersonId | None, calendar: WorkCalendar
) -> Survey:
    return replace(
        survey,
        state=SurveyState.OPEN,
        opened_at=now,
        approved_by=approved_by,
        remind_at=reminds_at(survey.due_at, now, calendar),
        version=survey.version + 1,
    )


# ---- answers


def standing(answers: Iterable[Answer]) -> Answer | None:
    """The answer of one firm that stands: the last in time, else the last that came late."""
    ordered = sorted(answers, key=lambda a: (a.at, a.id))
    in_time = [a for a in ordered if not a.late]
    return in_time[-1] if in_time else ordered[-1] if ordered else None


def standing_by_firm(answers: Iterable[Answer]) -> Mapping[EnterpriseId, Answer]:
    by_firm: dict[EnterpriseId, list[Answer]] = {}
    for answer in answers:
        by_firm.setdefault(answer.enterprise_id, []).append(answer)
    found = {firm: standing(given) for firm, given in by_firm.items()}
    return {firm: answer for firm, answer in found.items() if answer is not None}


def silent(targets: Iterable[EnterpriseId], answers: Iterable[Answer]) -> tuple[EnterpriseId, ...]:
    """Who was asked and has said nothing at all."""
    spoke = {a.enterprise_id for a in answers}
    return tuple(t for t in targets if t not in spoke)


def merged(before: Values | None, now: Values) -> Values:
    """What was said now over what was said before: a correction replaces, the rest stays."""
    if before is None or len(before) != len(now):
        return now
    return tuple(new if new is not None else old for old, new in zip(before, now, strict=True))


def carried(before: Survey, values: Values, after: Survey) -> Values:
    """The last round's values under the questions of this one, found by their names."""
    known = {_core(q.name): v for q, v in zip(before.questions, values, strict=True)}
    found = (known.get(_core(q.name)) for q in after.questions)
    return tuple(None if v is None else replace(v, carried=True) for v in found)


def totals(questions: Sequence[Question], answers: Iterable[Answer]) -> tuple[Decimal | None, ...]:
    """The sum of every question that has numbers, of the answers that came in time."""
    sums: list[Decimal | None] = [
        Decimal(0) if q.kind is QuestionKind.NUMBER and q.unit != "%" else None for q in questions
    ]
    for answer in answers:
        if answer.late:
            continue
        for n, value in enumerate(answer.values):
            so_far = sums[n]
            if so_far is not None and value is not None and value.number is not None:
                sums[n] = so_far + value.number
    return tuple(sums)
