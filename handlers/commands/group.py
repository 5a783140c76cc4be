"""群设置, 群列表, 群保留, 群归档, 群恢复: whose a group is, what for, until when."""

import re
from datetime import date
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.filters import Office, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.people import Chat, Person
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock
from handlers.services.groups import GroupService
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.understanding.times import find_time

router = Router("group")
_PART: Final = re.compile(
    r"(用途|负责人|到期|截止)\s*(?:[:：是为]|\s)\s*([^,，;；]+?)\s*(?=[,，;；]|用途|负责人|到期|截止|$)"
)


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


def _group(asked: Asked, groups: GroupService) -> tuple[Chat, str]:
    """The group that is meant, and what follows: pressed, named, or the one it is said in."""
    if asked.pressed:
        return groups.of(ChatRef(asked.args.get("p", ""), asked.args.get("c", ""))), ""
    if asked.event.chat_kind is ChatKind.GROUP:
        return groups.of(asked.event.chat), asked.rest
    name, _, rest = asked.rest.partition(" ")
    if not name:
        raise BadInput("group_which", word=asked.word)
    return groups.named(name), rest


def _day(text: str, clock: Clock, calendar: WorkCalendar) -> date | None:
    moment = find_time(text, clock.now(), calendar, calendar.zone)
    if moment is None:
        return None
    return (moment.end or moment.start).astimezone(calendar.zone).date()


@router.command(
    "群设置",
    "本群设置",
    who=Staff,
    usage="群设置 用途：防汛专班，负责人：小周，到期：12月31日",
    about="在群里说，定这个群的用途、负责人和到期日",
)
def describe(
    asked: Asked, groups: GroupService, people: PeopleService, clock: Clock, calendar: WorkCalendar
) -> Reply:
    chat, rest = _group(asked, groups)
    said = dict(_PART.findall(rest))
    until = said.get("到期") or said.get("截止")
    day = _day(until, clock, calendar) if until else None
    if not said or (until and day is None):
        raise BadInput("group_usage")
    owner = people.staff_named(said["负责人"]) if "负责人" in said else None
    return Reply.say(groups.describe(chat, _person(asked), owner, said.get("用途", ""), day))


@router.command("群列表", who=Office, usage="群列表", about="看各群的负责人、用途和到期日")
def show(groups: GroupService) -> Reply:
    return Reply.say(groups.listed())


@router.command("群保留", who=Staff, usage="群保留 群名 3月31日", about="临时群还要用")
@router.action("group.keep", Staff)
def keep(asked: Asked, groups: GroupService, clock: Clock, calendar: WorkCalendar) -> Reply:
    chat, rest = _group(asked, groups)
    day = _day(rest, clock, calendar) if rest.strip() else None
    return Reply.say(groups.keep(chat, _person(asked), day))


@router.command("群归档", who=Staff, usage="群归档 群名", about="临时群不用了，记录保留")
@router.action("group.archive", Staff)
def archive(asked: Asked, groups: GroupService) -> Reply:
    chat, _ = _group(asked, groups)
    return Reply.say(groups.archive(chat, _person(asked)))


@router.command("群恢复", who=Office, usage="群恢复 群名", about="归档的群重新用")
def restore(asked: Asked, groups: GroupService) -> Reply:
    chat, _ = _group(asked, groups)
    return Reply.say(groups.restore(chat, _person(asked)))
