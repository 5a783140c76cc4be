"""走访: a visit told in one sentence, the visit book, the plan, and putting right what was kept."""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Enterprise, Person
from handlers.domain.ticket import Channel, Source, is_pleasantry
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock
from handlers.ports.visits import VisitQuery
from handlers.services.moves import Asked, Moves
from handlers.services.people import PeopleService
from handlers.services.spans import span_in
from handlers.services.speech import SpeechService
from handlers.services.visits import VisitService
from handlers.texts import visits as say
from handlers.understanding.times import find_time
from handlers.understanding.visit_notes import corrects

router = Router("visit")
_MONTH: Final = re.compile(r"(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?:份)?")
_NUMBER: Final = re.compile(r"^\s*#?(\d{1,9})(?!\d)\s*[号:：,，.。]?\s*")


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


def _alone(text: str) -> Reply:
    """Orders, output and staff of a firm are for its own liaison, leader and the office."""
    return replace(Reply.say(text), secret=True)


@router.command(
    "走访",
    "走访记录",
    "记走访",
    who=Staff,
    usage="走访 泓曜精密，见了厂长，满产，缺操作工20人，下周再去",
    about="一句话记走访，问题自动登记",
)
def visit(
    asked: Asked,
    visits: VisitService,
    people: PeopleService,
    speech: SpeechService,
    calendar: WorkCalendar,
    clock: Clock,
) -> Reply | None:
    if not asked.rest:
        return _alone(visits.due_text(_person(asked)))
    found = _query(asked.rest, people, calendar, clock.now())
    if found is not None:
        return _alone(visits.book_text(_person(asked), *found))
    return speech.visited(asked, asked.rest)


@router.command(
    "补录走访",
    "补录",
    who=Staff,
    usage="补录走访 11月12日 桓牧液压，企业满意",
    about="补记以前的走访",
)
def backfill(asked: Asked, speech: SpeechService) -> Reply | None:
    if not asked.rest:
        return Reply.say(say.which_firm())
    return speech.visited(asked, f"{asked.word}：{asked.rest}")


@router.command(
    "走访台账",
    "走访簿",
    who=Staff,
    usage="走访台账 东和 11月",
    about="按企业、同事、时间看走访记录",
)
def book(
    asked: Asked, visits: VisitService, people: PeopleService, calendar: WorkCalendar, clock: Clock
) -> Reply:
    found = _query(asked.rest, people, calendar, clock.now())
    if found is None:
        raise BadInput("visit_book")
    return _alone(visits.book_text(_person(asked), *found))


@router.command(
    "走访计划",
    "计划走访",
    "约走访",
    who=Staff,
    usage="走访计划 泓曜精密 下周三",
    about="看该走访哪些企业，或定一次走访",
)
def plan(
    asked: Asked, visits: VisitService, people: PeopleService, calendar: WorkCalendar, clock: Clock
) -> Reply:
    if not asked.rest:
        return _alone(visits.due_text(_person(asked)))
    moment = find_time(asked.rest, clock.now(), calendar, calendar.zone)
    if moment is None:
        raise BadInput("visit_plan")
    name = f"{asked.rest[: moment.at]} {asked.rest[moment.to :]}".strip(" ,，去到")
    firm = people.firm_named(name)
    zone = clock.now().tzinfo
    until = None if moment.end is None else moment.end.astimezone(zone)
    return _alone(visits.plan(firm, moment.start.astimezone(zone), until, _person(asked)))


@router.command(
    "未走访", "久未走访", who=Staff, usage="未走访", about="看超过60天没有走访的重点企业"
)
def unvisited(asked: Asked, visits: VisitService) -> Reply:
    return _alone(visits.unvisited_text(_person(asked)))


def _source(asked: Asked) -> Source:
    event = asked.event
    return Source(event.platform, event.chat.id, event.event_id, Channel.VISIT)


def _numbered(asked: Asked) -> tuple[int, str]:
    """The visit that is named by number or button, and what follows."""
    if asked.pressed:
        return int(asked.args["n"]), ""
    if asked.ref is not None and asked.ref.number is not None:
        return asked.ref.number, asked.rest
    found = _NUMBER.match(asked.rest)
    if found is None:
        raise BadInput("visit_number", word=asked.word)
    return int(found.group(1)), asked.rest[found.end() :]


@router.command(
    "更正走访", "改走访", who=Staff, usage="更正走访 3 见的是副总", about="改走访记录里的一项"
)
@router.action("visit.correct", Staff)
def correct(asked: Asked, visits: VisitService, moves: Moves) -> Reply:
    number, text = _numbered(asked)
    if not text:
        kept = visits.mine(number, _person(asked))
        moves.wait(asked, "visit", {"n": number, "asked": True})
        return _alone(say.ask_correction(kept))
    return _alone(visits.correct(number, text, _person(asked), _source(asked)))


@router.command("撤销走访", "删除走访", who=Staff, usage="撤销走访 3", about="记错了就撤销")
@router.action("visit.drop", Staff)
def drop(asked: Asked, visits: VisitService) -> Reply:
    number, _ = _numbered(asked)
    return _alone(visits.drop(number, _person(asked)))


@router.dialogue("visit")
def after_echo(asked: Asked, visits: VisitService, speech: SpeechService) -> Reply | None:
    """What is said after the echo: a correction, a nod, or something new."""
    if is_pleasantry(asked.rest):
        return Reply()
    person = asked.speaker.person
    if person is None or not (asked.facts.get("asked") or corrects(asked.rest)):
        return speech.hear(replace(asked, facts={}))
    return _alone(visits.correct(int(asked.facts["n"]), asked.rest, person, _source(asked)))


def _query(
    text: str, people: PeopleService, calendar: WorkCalendar, now: datetime
) -> tuple[VisitQuery, str] | None:
    """What part of the book is asked for, and its title; None where a word is neither firm, colleague nor time."""
    query, firm_name, who, period = VisitQuery(planned=True), "", "", ""
    for word in text.replace("，", " ").replace(",", " ").split():
        firm = _firm(word, people)
        span = _span(word, calendar, now)
        colleagues = people.colleagues(word)
        if firm is not None:
            query = replace(query, enterprise_id=EnterpriseId(firm.id))
            firm_name = firm.short_name
        elif span is not None:
            query = replace(query, since=span[0], until=span[1])
            period = word
        elif len(colleagues) == 1:
            query, who = replace(query, by=colleagues[0].name), colleagues[0].name
        else:
            return None
    return query, say.book_title(firm_name, who, period)


def _firm(word: str, people: PeopleService) -> Enterprise | None:
    found = people.firms_called(word)
    return found[0] if len(found) == 1 else None


def _span(word: str, calendar: WorkCalendar, now: datetime) -> tuple[datetime, datetime] | None:
    zone = calendar.zone
    today = now.astimezone(zone).date()
    month = _MONTH.fullmatch(word)
    if month is not None and 1 <= int(month["m"]) <= 12:
        number = int(month["m"])
        year = int(month["y"]) if month["y"] else today.year - (number > today.month)
        first = date(year, number, 1)
        after = (first + timedelta(days=31)).replace(day=1)
        return _midnight(first, calendar), _midnight(after, calendar)
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    named = {
        "今天": (today, today + timedelta(days=1)),
        "昨天": (today - timedelta(days=1), today),
        "本周": (monday, monday + timedelta(days=7)),
        "上周": (monday - timedelta(days=7), monday),
        "本月": (first_of_month, (first_of_month + timedelta(days=31)).replace(day=1)),
        "上月": ((first_of_month - timedelta(days=1)).replace(day=1), first_of_month),
        "今年": (today.replace(month=1, day=1), date(today.year + 1, 1, 1)),
        "去年": (date(today.year - 1, 1, 1), today.replace(month=1, day=1)),
    }
    if word in named:
        first, after = named[word]
        return _midnight(first, calendar), _midnight(after, calendar)
    span = span_in(word, now, calendar)
    if span is None or span[3].strip():
        return None
    return span[0], span[1]


def _midnight(day: date, calendar: WorkCalendar) -> datetime:
    return datetime.combine(day, time(), calendar.zone)
