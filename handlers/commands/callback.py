"""回访: what a firm said when a person of the office asked it again, and whom to ask."""

from dataclasses import replace

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.services.callbacks import CallBackService
from handlers.services.moves import Asked, Moves
from handlers.texts import callbacks as say

router = Router("callback")


@router.command(
    "回访",
    who=Staff,
    usage="回访 1024 电话 已解决 满意",
    about="登记回访；只发「回访」看要回访哪些",
)
def call_back(asked: Asked, moves: Moves, call_backs: CallBackService) -> Reply:
    ticket = moves.named(asked)
    if ticket is None:
        told = say.usage() if asked.rest else call_backs.listed(asked.speaker)
        return replace(Reply.say(told), secret=True)
    if not asked.rest:
        return replace(Reply.say(say.usage(ticket.number), ticket.number), secret=True)
    told = call_backs.enter(ticket, asked.speaker, asked.rest)
    return replace(Reply.say(told, ticket.number), secret=True)


@router.command("回访名单", "待回访", who=Staff)
def listed(asked: Asked, call_backs: CallBackService) -> Reply:
    return replace(Reply.say(call_backs.listed(asked.speaker)), secret=True)
