"""查政策, 看政策, 转人工, and what the office does with the library."""

import re
from dataclasses import replace

from handlers.chat.filters import Anybody, Leading, Mentioned, Staff, Who
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.people import Person, Role
from handlers.services.moves import Asked, Moves
from handlers.services.policies import PolicyService
from handlers.texts import policies as say

router = Router("policies")
Firm = Who(Role.MANAGER)


def _number(asked: Asked) -> int:
    """The entry that is named; what looks like a ticket's number is one here."""
    if asked.ref is not None and asked.ref.number is not None:
        return asked.ref.number
    said = re.search(r"\d{1,9}", asked.rest)
    if said is None:
        raise BadInput("policy_which")
    return int(said.group())


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


@router.command(
    "查政策",
    "政策查询",
    "搜政策",
    "找政策",
    who=Anybody,
    usage="查政策 稳岗补贴",
    about="查惠企政策",
)
def find(asked: Asked, policies: PolicyService) -> Reply:
    number = "" if asked.ref is None or asked.ref.number is None else str(asked.ref.number)
    return Reply.say(policies.listed(f"{number}{asked.rest}"), private=False)


@router.command("看政策", "打开政策", who=Anybody, usage="看政策 12", about="看一项政策的内容")
def show(asked: Asked, policies: PolicyService) -> Reply:
    return replace(policies.shown(_number(asked), asked.speaker), private=True)


@router.command(
    "转人工",
    "没答到",
    "没有答到",
    who=Firm & Mentioned,
    usage="转人工 1024",
    about="政策答复没答到，请人答复",
)
@router.action("policy.to_person", who=Firm)
def to_person(asked: Asked, moves: Moves, policies: PolicyService) -> Reply:
    return policies.to_person(moves.named(asked), asked.speaker)


@router.command(
    "存入政策库", who=Staff, usage="存入政策库 1024", about="把咨询的答复存进政策库，审核后启用"
)
def keep(asked: Asked, moves: Moves, policies: PolicyService) -> Reply:
    ticket = moves.named(asked)
    if ticket is None:
        raise BadInput("policy_ticket")
    return policies.keep_answer(ticket, _person(asked))


@router.command(
    "审核政策",
    who=Staff,
    offered=Leading,
    usage="审核政策 12",
    about="启用一项政策；只发「审核政策」看等审核的",
)
def approve(asked: Asked, policies: PolicyService) -> Reply:
    if asked.ref is None and not asked.rest:
        return Reply.say(say.drafts(policies.drafts()))
    return Reply.say(say.approved(policies.approve(_number(asked), _person(asked))))


@router.command(
    "核对政策",
    who=Staff,
    offered=Leading,
    usage="核对政策 12",
    about="记下一项政策已核对，仍然有效",
)
def recheck(asked: Asked, policies: PolicyService) -> Reply:
    return Reply.say(
        say.rechecked(policies.recheck(_number(asked), _person(asked)), policies.today)
    )


@router.command(
    "推送政策",
    who=Staff,
    offered=Leading,
    usage="推送政策 12",
    about="告知可能符合的企业，只发一次",
)
def push(asked: Asked, policies: PolicyService) -> Reply:
    return Reply.say(policies.push(_number(asked), _person(asked)))
