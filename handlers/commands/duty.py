"""值班表, 排班 11.24-11.30 小王, 今天谁值班."""

import re
from datetime import timedelta
from typing import Final

from handlers.chat.filters import Office, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import PassOn, Router
from handlers.domain.errors import BadInput
from handlers.domain.moment import Granularity
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Work
from handlers.services.duty import DutyService
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.services.spans import span_in
from handlers.texts import leaves as say
from handlers.understanding.times import find_time

router = Router("duty")
_WHO: Final = r"^(?P<when>.{0,12}?)(?:是|轮到)?(?:谁|哪位|哪个)(?:在)?值班[?？。呀啊]?$"
_AHEAD: Final = timedelta(days=14)


@router.command("值班表", who=Staff, usage="值班表", about="看近两周谁值班")
def show(work: Work, clock: Clock) -> Reply:
    now = clock.now()
    shifts = []
    for shift in work.people.shifts():
        person = work.people.person(shift.person_id)
        if now < shift.ends_at and shift.starts_at < now + _AHEAD and person is not None:
            shifts.append((shift, person.name))
    # No rota reaches that far: who answers where nobody is planned.
    usual = work.people.duty_person(now + 3000 * _AHEAD)
    return Reply.say(say.rota(shifts, "" if usual is None else usual.name, now))


@router.command("排班", who=Office, usage="排班 11.24-11.30 小王", about="安排值班")
def put(
    asked: Asked, people: PeopleService, duty: DutyService, calendar: WorkCalendar, clock: Clock
) -> Reply:
    by = asked.speaker.person
    assert by is not None
    now = clock.now()
    span = span_in(asked.rest, now, calendar)
    if span is None or not span[3].strip():
        raise BadInput("duty_usage")
    start, until, whole, name = span
    if whole:
        start, until = duty.days(start, until)
    name = re.sub(r"^(?:给|由|安排)", "", name.strip()).strip()
    if not people.colleagues(name):
        name = name.removesuffix("值班")
    person = people.staff_named(name)
    changed = duty.put(person, start, until, by.id)
    return Reply.say(say.put(person.name, start, until, changed, now))


@router.sentence("今天谁值班", "谁值班", pattern=_WHO, who=Staff, about="看现在或某天谁值班")
def who(asked: Asked, work: Work, calendar: WorkCalendar, clock: Clock) -> Reply:
    found = re.match(_WHO, asked.rest)
    now = at = clock.now()
    when = "" if found is None else found["when"].strip(" ,，")
    if when and when not in ("今天", "今日", "现在", "目前", "当前"):
        moment = find_time(when, now, calendar, calendar.zone)
        if moment is None or moment.at > 0 or when[moment.to :].strip(" 的"):
            raise PassOn
        at = moment.start
        if moment.granularity is Granularity.DAY:
            # Asked of a day, its daytime is meant.
            at = at.replace(hour=12, minute=0)
    person = work.people.duty_person(at)
    shift = next(
        (
            s
            for s in work.people.shifts()
            if person is not None and s.person_id == person.id and s.starts_at <= at < s.ends_at
        ),
        None,
    )
    return Reply.say(say.on_duty(person, shift, at, now))
