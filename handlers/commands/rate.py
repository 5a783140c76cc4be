"""满意, 没解决, 催办, 补充, 撤回: what a firm says of its ticket."""

from dataclasses import replace

from handlers.chat.filters import Anybody, Who
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.people import Role
from handlers.domain.ticket import Move, State
from handlers.services.moves import Asked, Moves
from handlers.understanding.rating import rating_of

router = Router("rate")
Firm = Who(Role.MANAGER)


@router.command(
    "非常满意",
    "十分满意",
    "很满意",
    "满意",
    "基本满意",
    "一般",
    "不满意",
    "非常不满意",
    "评价",
    who=Firm,
    usage="满意 1024",
    about="评价办理结果",
)
@router.action("ticket.rate")
def rate(asked: Asked, moves: Moves) -> Reply:
    level = rating_of(f"{asked.word} {asked.rest}") if not asked.pressed else None
    facts = {} if level is None else {"rating": level}
    if level is not None and not asked.rest:
        asked = replace(asked, rest=asked.word)
    return moves.go(replace(asked, facts=facts), Move.RATE)


@router.command(
    "已解决",
    "解决了",
    "已经解决",
    "问题解决了",
    "确认解决",
    who=Firm,
    usage="解决了 1024",
    about="确认问题已解决",
)
@router.action("ticket.verdict_yes")
def solved(asked: Asked, moves: Moves) -> Reply:
    ticket = moves.choose(asked, Move.VERDICT_YES)
    if ticket.state is State.OPEN:
        return moves.on(ticket, asked, Move.WITHDRAW)
    if ticket.is_live:
        return moves.on(ticket, replace(asked, rest=asked.rest or asked.word), Move.FOLLOW_UP)
    return moves.on(ticket, asked, Move.VERDICT_YES)


@router.command(
    "没解决",
    "未解决",
    "没有解决",
    "还没解决",
    "重办",
    who=Firm,
    usage="没解决 1024 还差什么",
    about="没解决，重新办理",
)
@router.action("ticket.verdict_no")
def unsolved(asked: Asked, moves: Moves) -> Reply:
    named = moves.named(asked)
    if named is not None and named.state is State.CLOSED:
        return moves.on(named, asked, Move.REOPEN)
    return moves.go(asked, Move.VERDICT_NO)


@router.command("催办", "催一下", "催促", "催单", who=Firm, usage="催办 1024", about="催一催承办人")
@router.action("ticket.urge")
def urge(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.URGE)


@router.command(
    "补充", "补充情况", "补充说明", who=Anybody, usage="补充 1024 内容", about="补充情况"
)
@router.action("ticket.follow_up")
def follow_up(asked: Asked, moves: Moves) -> Reply:
    named = moves.named(asked)
    if named is None:
        waiting = moves.tickets.fitting(asked.speaker, Move.REPLY)
        named = waiting[0] if len(waiting) == 1 else moves.choose(asked, Move.FOLLOW_UP)
    if named.state is State.WAITING_ENTERPRISE:
        return moves.on(named, asked, Move.REPLY)
    return moves.on(named, asked, Move.FOLLOW_UP)


@router.command(
    "撤回", "撤单", "撤销", "不用办了", who=Anybody, usage="撤回 1024", about="不用办了，撤回"
)
@router.action("ticket.withdraw")
def withdraw(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.WITHDRAW)
