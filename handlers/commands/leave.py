"""请假, 销假: 我请假 11.24-11.26, 我明天请假, 小周请假 11.24 (the office), 销假, 谁请假."""

import re
from datetime import timedelta
from typing import Final

from handlers.chat.filters import Mentioned, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import PassOn, Router
from handlers.domain.errors import BadInput
from handlers.domain.people import Person, Role
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock
from handlers.services.leaves import LeaveService
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.services.spans import span_in
from handlers.texts import leaves as say

router = Router("leave")

_LEAVE: Final = (
    r"^(?P<head>.{0,30}?)(?:想|要|需要)?(?:请|休)(?P<days>[一二两三四五半\d]{1,2}个?[天日])?"
    r"(?:年休|年|事|病|公休|公|婚|产|陪产|育儿|探亲|丧)?假(?P<tail>.{0,40})$"
)
_BACK: Final = r"^(?P<who>\S{0,8}?)\s*(?:提前)?销假\s*(?P<whom>\S{0,8})$"
_ME: Final = re.compile(r"^(?:我|本人|自己)(?:想|要|申请)?")
# Said as a command: 请假 11.24.
_CALLED: Final = re.compile(r"^请假[\s:：]")
# So much may stand beside the days without being a matter of its own.
_FEW: Final = 4
_SHOWN: Final = timedelta(days=14)
_ANSWERS: Final = frozenset({Role.LIAISON, Role.LEADER})


def _whose(text: str, by: Person, people: PeopleService) -> tuple[Person | None, str]:
    """Whose leave is meant, and the rest; nobody where the words name no colleague."""
    me = _ME.match(text)
    if me is not None or not text:
        return by, text[me.end() :] if me is not None else text
    for length in range(min(8, len(text)), 1, -1):
        named = people.colleagues(text[:length])
        if len(named) > 1:
            raise BadInput("which_person", names="、".join(p.name for p in named[:5]))
        if named:
            return named[0], text[length:]
    return None, text


def _for(person: Person, by: Person) -> None:
    if person.id != by.id and not by.is_office:
        raise BadInput("leave_office")


@router.sentence(
    "我请假 11.24-11.26",
    "我明天请假",
    "请假 11.24",
    pattern=_LEAVE,
    who=Staff & Mentioned,
    about="登记请假，B岗代办",
)
def take(
    asked: Asked, people: PeopleService, leaves: LeaveService, calendar: WorkCalendar, clock: Clock
) -> Reply:
    by = asked.speaker.person
    found = re.match(_LEAVE, asked.rest)
    if by is None or found is None:
        raise PassOn
    now = clock.now()
    head, tail = found["head"].strip(" ,，"), found["tail"].strip(" ,，:：。")
    person, rest = _whose(head, by, people)
    own_words = person is by and head != "" and _ME.match(head) is not None
    if person is None:
        # 「明天请假」: whose, is clear.
        person, rest = by, head
    said = f"{rest} {tail}".strip()
    span = span_in(said, now, calendar) if said else None
    if span is None and found["days"] and said == "":
        span = span_in(f"今天起{found['days']}", now, calendar)
    if span is None:
        if (own_words or not head) and len(said) <= _FEW:
            raise BadInput("leave_when")
        raise PassOn
    start, until, _, left = span
    called = own_words or _CALLED.match(asked.rest) is not None
    if not called and len(left.strip(" 起到")) > (0 if person is by else _FEW):
        # Words of another matter beside the days.
        raise PassOn
    _for(person, by)
    away = leaves.take(person, start, until, by)
    name = "" if person.id == by.id else person.name
    answers = person.role in _ANSWERS
    told = say.leave_taken(name, away.leave, away.stand_in, len(away.tickets), answers, now)
    return Reply.say(told)


@router.sentence("销假", "小周销假", pattern=_BACK, who=Staff & Mentioned, about="提前回来上班")
def end(asked: Asked, people: PeopleService, leaves: LeaveService, clock: Clock) -> Reply:
    by = asked.speaker.person
    found = re.match(_BACK, asked.rest)
    if by is None or found is None:
        raise PassOn
    named = (found["who"] or found["whom"]).strip()
    person, rest = _whose(named, by, people)
    if person is None or rest.strip():
        raise PassOn
    _for(person, by)
    ended = leaves.end(person, by)
    return Reply.say(say.back("" if person.id == by.id else person.name, ended, clock.now()))


@router.command("谁请假", "请假名单", who=Staff, usage="谁请假", about="看近两周谁请假")
def who(leaves: LeaveService, clock: Clock) -> Reply:
    now = clock.now()
    return Reply.say(say.away(leaves.coming(now + _SHOWN), now))
