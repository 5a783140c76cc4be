"""提醒: 每周五15:00提醒各联络员报进展, 明天三点提醒我问1024, 我的提醒, 取消提醒 3."""

import re
from datetime import datetime, time, timedelta
from typing import Final

from handlers.chat.filters import Mentioned, Staff
from handlers.chat.grammar import TicketRef, ref_in
from handlers.chat.outbound import Reply
from handlers.chat.router import PassOn, Router
from handlers.domain.errors import BadInput
from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import Person
from handlers.domain.schedule import Days, Every, Rule, days_in, parse
from handlers.domain.ticket import Ticket
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Work
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.services.reminding import Audience, Reminding
from handlers.services.tickets import TicketService
from handlers.texts import reminders as say
from handlers.understanding.times import find_time

router = Router("remind")

_SENTENCE: Final = r"^(?:请|麻烦|劳驾|帮我)?(?P<when>.{0,24}?)[,，\s]*(?:请|记得|再)?提醒(?:一下)?\s*(?P<rest>\S.*)$"
_GROUPS: Final = (
    (re.compile(r"(?:我|自己|本人)(?:自己)?"), Audience.ME),
    (re.compile(r"(?:各位?|全体|所有|每位)的?联络员(?:们)?|联络员们"), Audience.LIAISONS),
    (re.compile(r"(?:各位?|全体|所有)?分管领导(?:们)?"), Audience.LEADERS),
    (re.compile(r"(?:各位?|全体|所有)网格长(?:们)?|网格长们"), Audience.GRID_CHIEFS),
    (re.compile(r"办公室(?:全体|各位|的?同事们?)"), Audience.OFFICE),
)
_AND: Final = re.compile(r"\s*[、,，和及]\s*")
_FILLER: Final = re.compile(r"^(?:一下|下|[,，:：、\s])+")
_NUMBER: Final = re.compile(r"(?<![\d.])(\d{4,9})(?![\d.万元人吨亩度年])")
_LONGEST: Final = 200
# A deadline is called to mind while there is still time for it.
_AHEAD: Final = timedelta(hours=1)


@router.sentence(
    "明天三点提醒我问1024",
    "每周五15:00提醒各联络员报进展",
    "提醒我后天上午去泓曜精密",
    pattern=_SENTENCE,
    who=Staff & Mentioned,
    about="到时私聊提醒",
)
def remind(
    asked: Asked,
    people: PeopleService,
    reminding: Reminding,
    tickets: TicketService,
    calendar: WorkCalendar,
    clock: Clock,
    work: Work,
) -> Reply:
    by = asked.speaker.person
    found = re.match(_SENTENCE, asked.rest, re.DOTALL)
    if by is None or found is None:
        raise PassOn
    said, rest = found["when"].strip(), found["rest"]
    now, morning = clock.now(), work.office.policy().morning
    rule = None
    if said:
        rule, left = _rule(said, now, calendar, morning)
        if rule is None or left.strip(" ,，的"):
            raise PassOn
    audience, text = _whom(rest, people)
    if not audience:
        raise PassOn
    if rule is None:
        rule, text = _rule(text, now, calendar, morning)
    if rule is None:
        raise BadInput("remind_when")
    text = _FILLER.sub("", text).strip(" 。.,，")
    if not text:
        raise BadInput("remind_what")
    if len(text) > _LONGEST:
        raise BadInput("too_long")
    if rule.repeats and audience != (Audience.ME,) and not _at_weekend(rule):
        # Nobody is called to work on a day off by a rule that says Friday.
        rule = Rule(rule.days, rule.at, only_workdays=True)
    schedule = reminding.set(by, rule, audience, text, _ticket(text, asked, tickets))
    return Reply.say(say.is_set(schedule, rule, reminding.people(schedule), now))


def _at_weekend(rule: Rule) -> bool:
    return rule.days.every is Every.WEEKDAYS and bool({5, 6} & set(rule.days.numbers))


def _rule(
    text: str, now: datetime, calendar: WorkCalendar, morning: time
) -> tuple[Rule | None, str]:
    """The rule or the instant at the start of a text, and the rest."""
    comes_round = days_in(text)
    if comes_round is not None:
        days, to = comes_round
        rest = text[to:].lstrip(" 的,，")
        moment = find_time(rest, now, calendar, calendar.zone)
        if moment is None or moment.at > 0:
            return Rule(days, morning), rest
        if moment.granularity not in (Granularity.MINUTE, Granularity.HALFDAY):
            return None, text
        return Rule(days, _instant(moment, calendar, morning, now).time()), rest[moment.to :]
    moment = find_time(text, now, calendar, calendar.zone)
    if moment is None or moment.at > 0:
        return None, text
    once = _instant(moment, calendar, morning, now)
    return Rule(Days(Every.ONCE), once=once), text[moment.to :]


def _instant(moment: Moment, calendar: WorkCalendar, morning: time, now: datetime) -> datetime:
    """When to call it to mind, to the minute, in local time."""
    start = moment.start.astimezone(calendar.zone)
    if moment.granularity in (Granularity.MINUTE, Granularity.HOUR):
        if moment.before and start - _AHEAD > now:
            start -= _AHEAD
        return start.replace(second=0, microsecond=0)
    if moment.granularity is Granularity.HALFDAY:
        return start
    day = start.date()
    if moment.granularity is not Granularity.DAY and not moment.before:
        end = day if moment.end is None else moment.end.astimezone(calendar.zone).date()
        while day < end and not calendar.is_workday(day):
            day += timedelta(days=1)
    return datetime.combine(day, morning, calendar.zone)


def _whom(rest: str, people: PeopleService) -> tuple[tuple[str, ...], str]:
    """Whom a reminder is for, and what follows; nobody where no colleague is named."""
    audience: list[str] = []
    while True:
        token, length = _one(rest, people)
        if not token:
            return tuple(dict.fromkeys(audience)), rest
        audience.append(token)
        rest = rest[length:]
        link = _AND.match(rest)
        if link is None or not _one(rest[link.end() :], people)[0]:
            return tuple(dict.fromkeys(audience)), rest
        rest = rest[link.end() :]


def _one(rest: str, people: PeopleService) -> tuple[str, int]:
    for pattern, audience in _GROUPS:
        found = pattern.match(rest)
        if found is not None:
            return audience.value, found.end()
    for length in range(min(8, len(rest)), 1, -1):
        named = people.colleagues(rest[:length])
        if len(named) == 1:
            return named[0].id, length
        if named:
            raise BadInput("which_person", names="、".join(p.name for p in named[:5]))
    return "", 0


def _ticket(text: str, asked: Asked, tickets: TicketService) -> Ticket | None:
    """The ticket a reminder is about; raises UnknownTicket for one that the speaker names but may not know of."""
    ref = ref_in(text)
    if ref is not None:
        return tickets.load(ref, asked.speaker)
    bare = _NUMBER.search(text)
    if bare is None:
        return None
    return tickets.known(TicketRef(int(bare.group(1))), asked.speaker)


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


@router.command("我的提醒", "提醒列表", who=Staff, usage="我的提醒", about="看自己设的提醒")
def mine(asked: Asked, reminding: Reminding, calendar: WorkCalendar, clock: Clock) -> Reply:
    rows = [(s, parse(s.rule, calendar), reminding.people(s)) for s in reminding.of(_person(asked))]
    return Reply.say(say.mine(rows, clock.now()))


@router.command("取消提醒", "删除提醒", who=Staff, usage="取消提醒 3", about="不再提醒")
def cancel(asked: Asked, reminding: Reminding) -> Reply:
    person = _person(asked)
    said = re.search(r"\d{1,9}", asked.rest)
    number = int(said.group()) if said else 0
    if asked.ref is not None and asked.ref.number is not None:
        number = asked.ref.number
    own = reminding.of(person)
    if not number:
        if len(own) != 1:
            return Reply.say(say.which())
        number = own[0].number
    return Reply.say(say.cancelled(reminding.cancel(person, number)))
