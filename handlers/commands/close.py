"""办结, 答复, 撤回办结: a ticket is done as the office sees it."""

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move, State
from handlers.services.moves import Asked, Moves

router = Router("close")


@router.command(
    "办结",
    "结单",
    "销号",
    "关单",
    "完结",
    "闭环",
    "归档",
    "收口",
    "了结",
    "结案",
    exact=("可以关了", "已办结"),
    who=Staff,
    usage="办结 1024 怎么解决的",
    about="办完了，请企业确认",
)
@router.action("ticket.resolve", Staff)
def resolve(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.RESOLVE)


@router.command(
    "即答",
    "答复",
    "直接答复",
    who=Staff,
    usage="即答 1024 答复内容",
    about="当场能答的，答复即办结",
)
@router.action("ticket.answer", Staff)
def answer(asked: Asked, moves: Moves) -> Reply:
    ticket = moves.choose(asked, Move.ANSWER)
    move = Move.RESOLVE if ticket.state is State.IN_PROGRESS else Move.ANSWER
    return moves.on(ticket, asked, move)


@router.command(
    "撤回办结", "取消办结", "撤销办结", who=Staff, usage="撤回办结 1024", about="办结有误，继续办理"
)
@router.action("ticket.retract", Staff)
def retract(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.RETRACT)
