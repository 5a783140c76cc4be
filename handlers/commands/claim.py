"""认领: whoever is paired takes an open ticket."""

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.services.moves import Asked, Moves

router = Router("claim")


@router.command(
    "认领",
    "接单",
    "签收",
    "领单",
    "受理",
    exact=("我来", "我来办", "我来处理", "我接", "我去", "我认领", "我负责", "我跟进", "我来对接"),
    who=Staff,
    usage="认领 1024",
    about="接下一件工单",
)
@router.action("ticket.claim", Staff)
def claim(asked: Asked, moves: Moves) -> Reply:
    return moves.take(asked)
