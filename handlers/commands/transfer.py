"""转办, 接受, 改派, 退单: who handles a ticket."""

from handlers.chat.filters import Leading, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move
from handlers.services.moves import Asked, Moves

router = Router("transfer")


@router.command(
    "转办",
    "转给",
    "转派",
    "移交给",
    who=Staff,
    usage="转办 1024 小吴 理由",
    about="请同事接办，对方接受前仍由您负责",
)
@router.action("ticket.transfer", Staff)
def transfer(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.TRANSFER)


@router.command(
    "接受",
    "同意接办",
    "接受转办",
    "同意转办",
    who=Staff,
    usage="接受 1024",
    about="接下同事转来的工单",
)
@router.action("ticket.transfer_accept", Staff)
def accept(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.TRANSFER_ACCEPT)


@router.command(
    "不接受",
    "拒接",
    "不接",
    "拒绝接办",
    "不同意转办",
    who=Staff,
    usage="不接受 1024 理由",
    about="不接同事转来的工单",
)
@router.action("ticket.transfer_refuse", Staff)
def refuse(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.TRANSFER_REFUSE)


@router.command(
    "改派",
    "重新派",
    who=Staff,
    usage="改派 1024 小吴 理由",
    about="领导或办公室直接换人办理",
    offered=Leading,
)
@router.action("ticket.reassign", Staff)
def reassign(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.REASSIGN)


@router.command("退单", "退回", who=Staff, usage="退单 1024 理由", about="不属于自己的，退回办公室")
@router.action("ticket.decline", Staff)
def decline(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.DECLINE)
