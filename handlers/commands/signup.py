"""发起接龙 羽毛球赛；名额60；截止 11月28日, 接龙名单 3, 接龙名额 3 80, 结束接龙 3; and the card's buttons."""

import re
from datetime import time
from typing import Final

from handlers.chat.events import ChatKind
from handlers.chat.filters import Leading
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.moment import Granularity
from handlers.domain.signup import Act, Said
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock
from handlers.services.moves import Asked
from handlers.services.signups import SignUps
from handlers.texts import signups as say
from handlers.understanding.numbers import quantities
from handlers.understanding.times import find_time

router = Router("signup")

_QUOTA: Final = re.compile(r"[;；,，。\s]*(?:名额|限额|限报|限)\s*[:：]?\s*(\d{1,4})\s*[个人名位]*")
_UNTIL: Final = re.compile(
    r"[;；,，。\s]*(?:截止|报名截止|截至)(?:时间)?\s*[:：到]?\s*([^;；\n]{2,30})"
)
_NUMBER: Final = re.compile(r"^\s*(\d{1,6})(?!\d)\s*(.*)$", re.S)
_CLOSING: Final = time(17, 30)


@router.command(
    "发起接龙",
    "开接龙",
    "新接龙",
    who=Leading,
    usage="发起接龙 羽毛球赛；名额60；截止 11月30日12:00",
    about="在群里开一个报名，名单由我来记",
)
def begin(asked: Asked, signups: SignUps, calendar: WorkCalendar, clock: Clock) -> Reply:
    by = asked.speaker.person
    assert by is not None
    text, closes_at, quota = asked.rest, None, None
    until = _UNTIL.search(text)
    if until is not None:
        moment = find_time(until[1], clock.now(), calendar, calendar.zone)
        if moment is None:
            raise BadInput("date_unclear")
        closes_at = moment.start if moment.end is None else moment.end
        if moment.granularity is Granularity.DAY and not moment.before:
            closes_at = moment.start.astimezone(calendar.zone).replace(
                hour=_CLOSING.hour, minute=_CLOSING.minute, second=0
            )
        text = text[: until.start()] + text[until.end() :]
    limit = _QUOTA.search(text)
    if limit is not None:
        quota = int(limit[1])
        text = text[: limit.start()] + text[limit.end() :]
    in_group = asked.event.chat_kind is ChatKind.GROUP
    signup = signups.open(
        by, text.strip(" ;；,，。\n"), asked.event.chat if in_group else None, quota, closes_at
    )
    return Reply(toast="") if in_group else Reply.say(say.opened(signup))


@router.command("接龙名单", "看接龙", "报名名单", usage="接龙名单 1", about="看进行中的报名和名单")
def show(asked: Asked, signups: SignUps, clock: Clock) -> Reply:
    number = _NUMBER.match(asked.rest)
    if number is not None:
        return Reply.say(signups.shown(signups.load(int(number[1])), asked))
    found = signups.open_ones()
    here = [s for s in found if s.chat == asked.event.chat.id] or list(found)
    if len(here) == 1:
        return Reply.say(signups.shown(here[0], asked))
    return Reply.say(say.listing(here, clock.now()))


@router.command(
    "结束接龙", "关闭接龙", "停止接龙", who=Leading, usage="结束接龙 1", about="截止报名"
)
def close(asked: Asked, signups: SignUps, clock: Clock) -> Reply:
    assert asked.speaker.person is not None
    signup = signups.close(_which(asked, signups), asked.speaker.person.id)
    return Reply.say(say.closed(signup, signups.name, clock.now()))


@router.command("接龙名额", who=Leading, usage="接龙名额 1 80", about="改名额，候补依次补上")
def quota(asked: Asked, signups: SignUps) -> Reply:
    assert asked.speaker.person is not None
    number = _which(asked, signups)
    rest = _NUMBER.match(asked.rest)
    said = rest[2] if rest is not None else asked.rest
    wanted = quantities(said)
    if not wanted and "不限" not in said:
        raise BadInput("signup_quota_usage")
    changed = signups.set_quota(
        number, int(wanted[0].value) if wanted else None, asked.speaker.person.id
    )
    return Reply.say(say.quota_set(changed))


def _which(asked: Asked, signups: SignUps) -> int:
    number = _NUMBER.match(asked.rest)
    if number is not None:
        return int(number[1])
    found = signups.open_ones()
    if len(found) == 1:
        return found[0].number
    raise BadInput("signup_which")


def _pressed(asked: Asked, signups: SignUps, said: Said) -> Reply:
    number = asked.args.get("n", "")
    if not number.isdigit() or len(number) > 6:
        raise BadInput("signup_which")
    signup, told = signups.join(int(number), asked.speaker, said)
    return Reply(signups.card(signup), toast=told, private=False)


@router.action("signup.join")
def join(asked: Asked, signups: SignUps) -> Reply:
    return _pressed(asked, signups, Said(Act.SET, 1))


@router.action("signup.leave")
def leave(asked: Asked, signups: SignUps) -> Reply:
    return _pressed(asked, signups, Said(Act.OFF))
