"""绑定, 我是谁, 确认身份: who somebody is."""

from handlers.chat.events import UserRef
from handlers.chat.filters import Anybody, Office
from handlers.chat.outbound import Content, Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.people import ROLE_NAMES
from handlers.ports import Outgoing, Work
from handlers.services.moves import Asked
from handlers.services.people import PeopleService
from handlers.texts import people as say

router = Router("people")


@router.command(
    "绑定", "我是", who=Anybody, usage="绑定 泓曜精密 张经理", about="登记您是哪家企业的"
)
def bind(asked: Asked, people: PeopleService) -> Reply:
    firm, _, called = asked.rest.replace("的", " ", 1).partition(" ")
    if not firm or not called.strip():
        raise BadInput("bind_usage")
    enterprise, person = people.bind(asked.event.sender, firm, called.strip()[:20])
    return Reply.say(say.bound(enterprise.short_name, person.name))


@router.command("我是谁", who=Anybody, usage="我是谁", about="看登记的身份")
def who(asked: Asked, work: Work) -> Reply:
    person = asked.speaker.person
    if person is None:
        return Reply.say(say.who_are_you())
    firm = ""
    if person.enterprise_id is not None:
        enterprise = work.people.enterprise(person.enterprise_id)
        firm = "" if enterprise is None else enterprise.short_name
    return Reply.say(say.who(person.name, ROLE_NAMES[person.role], firm, asked.speaker.confirmed))


def _account(asked: Asked) -> UserRef:
    if asked.pressed:
        return UserRef(asked.args["p"], asked.args["u"])
    platform, _, user = asked.rest.partition(" ")
    if not user:
        raise BadInput("bind_usage")
    return UserRef(platform, user.strip())


@router.command("确认身份", who=Office)
@router.action("binding.confirm", Office)
def confirm(asked: Asked, people: PeopleService, work: Work) -> Reply:
    by = asked.speaker.person
    assert by is not None
    person = people.confirm(_account(asked), by)
    firm = None if person.enterprise_id is None else work.people.enterprise(person.enterprise_id)
    told = say.told_confirmed("" if firm is None else firm.short_name)
    work.outbox.put(Outgoing(Content(told), person=person.id))
    return Reply.say(say.confirmed(person.name))


@router.command("身份不符", who=Office)
@router.action("binding.refuse", Office)
def refuse(asked: Asked, people: PeopleService) -> Reply:
    by = asked.speaker.person
    assert by is not None
    return Reply.say(say.refused(people.refuse(_account(asked), by).name))
