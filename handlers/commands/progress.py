"""进展, 请补充, 转部门: what happens while a ticket is being worked on."""

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move
from handlers.services.moves import Asked, Moves

router = Router("progress")


@router.command(
    "进展",
    "反馈",
    "跟进",
    "办理情况",
    "进度",
    who=Staff,
    usage="进展 1024 办到哪一步",
    about="写一条进展，企业会看到",
)
@router.action("ticket.progress", Staff)
def progress(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.PROGRESS)


@router.command(
    "请补充",
    "补充材料",
    "问企业",
    "追问",
    who=Staff,
    usage="请补充 1024 要什么材料",
    about="请企业补充，等待期间不计时",
)
@router.action("ticket.ask", Staff)
def ask(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.ASK)


@router.command(
    "转部门",
    "移送",
    "转交部门",
    who=Staff,
    usage="转部门 1024 人社局 11月27日",
    about="转有关部门，您仍负责跟踪",
)
@router.action("ticket.refer", Staff)
def refer(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.REFER)


@router.command(
    "部门回复",
    "部门答复",
    "部门反馈",
    "收回",
    who=Staff,
    usage="部门回复 1024 内容",
    about="记下部门的回复，继续办理",
)
@router.action("ticket.recall", Staff)
def recall(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.RECALL)
