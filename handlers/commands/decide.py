"""延期, 挂账, 督办, 不予受理: what is asked of leaders and the office, and decided by them."""

from dataclasses import replace
from typing import Final

from handlers.chat.filters import Leading, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move
from handlers.services.moves import Asked, Moves
from handlers.services.speech import SpeechService

router = Router("decide")


APPROVALS: Final = (Move.EXTEND_APPROVE, Move.SHELVE_APPROVE, Move.TRANSFER_ACCEPT)
REFUSALS: Final = (Move.EXTEND_REFUSE, Move.SHELVE_REFUSE, Move.TRANSFER_REFUSE)


@router.command("同意", "批准", who=Staff, usage="同意 1024", about="同意延期、挂账或接办")
def agree(asked: Asked, moves: Moves, speech: SpeechService) -> Reply | None:
    return moves.decide(asked, APPROVALS) or _as_speech(asked, speech)


@router.command(
    "不同意", "不批准", who=Staff, usage="不同意 1024 理由", about="不同意延期、挂账或接办"
)
def disagree(asked: Asked, moves: Moves, speech: SpeechService) -> Reply | None:
    return moves.decide(asked, REFUSALS) or _as_speech(asked, speech)


def _as_speech(asked: Asked, speech: SpeechService) -> Reply | None:
    """Where nothing awaits an answer the word is part of a sentence: 同意，我明天去现场."""
    return speech.hear(replace(asked, rest=f"{asked.word}，{asked.rest}".strip("，")))


@router.command(
    "延期",
    "申请延期",
    "延长时限",
    "请求延期",
    who=Staff,
    usage="延期 1024 12月5日 理由",
    about="申请延长办理时限",
)
@router.action("ticket.extend", Staff)
def extend(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.EXTEND)


@router.command(
    "同意延期",
    "批准延期",
    "准予延期",
    "延期同意",
    who=Staff,
    usage="同意延期 1024",
    about="批准延期",
    offered=Leading,
)
@router.action("ticket.extend_approve", Staff)
def extend_approve(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.EXTEND_APPROVE)


@router.command(
    "不同意延期",
    "不批准延期",
    "驳回延期",
    "拒绝延期",
    who=Staff,
    usage="不同意延期 1024 理由",
    about="不批准延期",
    offered=Leading,
)
@router.action("ticket.extend_refuse", Staff)
def extend_refuse(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.EXTEND_REFUSE)


@router.command(
    "挂账",
    "申请挂账",
    "暂缓办理",
    who=Staff,
    usage="挂账 1024 1月15日 理由；已告知企业的话",
    about="暂时办不了，申请挂账",
)
@router.action("ticket.shelve", Staff)
def shelve(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SHELVE)


@router.command(
    "同意挂账",
    "批准挂账",
    "准予挂账",
    who=Staff,
    usage="同意挂账 1024",
    about="批准挂账",
    offered=Leading,
)
@router.action("ticket.shelve_approve", Staff)
def shelve_approve(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SHELVE_APPROVE)


@router.command(
    "不同意挂账",
    "不批准挂账",
    "驳回挂账",
    "拒绝挂账",
    who=Staff,
    usage="不同意挂账 1024 理由",
    about="不批准挂账",
    offered=Leading,
)
@router.action("ticket.shelve_refuse", Staff)
def shelve_refuse(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SHELVE_REFUSE)


@router.command(
    "复核", "恢复办理", "取消挂账", who=Staff, usage="复核 1024", about="挂账的恢复办理"
)
@router.action("ticket.review", Staff)
def review(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.REVIEW)


@router.command(
    "督办",
    "列入督办",
    "挂牌督办",
    "请督办",
    who=Staff,
    usage="督办 1024",
    about="领导或办公室督办",
    offered=Leading,
)
@router.action("ticket.supervise", Staff)
def supervise(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SUPERVISE)


@router.command(
    "知悉", "已知悉", "已阅", who=Staff, usage="知悉 1024", about="领导知悉提级", offered=Leading
)
@router.action("ticket.acknowledge", Staff)
def acknowledge(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.ACKNOWLEDGE)


@router.command("会商", "定会商", who=Staff, usage="会商 1024 12月5日", about="定会商日期")
@router.action("ticket.meet", Staff)
def meet(asked: Asked, moves: Moves) -> Reply:
    return moves.meet(asked)


@router.dialogue("meet")
def meet_on(asked: Asked, moves: Moves) -> Reply:
    return moves.meet(asked)


@router.command(
    "不予受理",
    "不受理",
    "不予办理",
    who=Staff,
    usage="不予受理 1024 不属本区职责 建议",
    about="领导或办公室决定不予受理",
    offered=Leading,
)
@router.action("ticket.not_accept", Staff)
def not_accept(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.NOT_ACCEPT)
