"""合并, 拆分, 关联, 改类别, 保密, 补企业: putting a ticket right."""

from handlers.chat.filters import Anybody, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move
from handlers.services.moves import Asked, Moves

router = Router("correct")


@router.command(
    "合并", "并入", "并单", who=Staff, usage="合并 1024 到 1030", about="同一件事合成一件"
)
def merge(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.MERGE)


@router.command("取消合并", "撤销合并", who=Staff, usage="取消合并 1024", about="合错了，分开")
def unmerge(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.UNMERGE)


@router.command(
    "拆分", "拆单", who=Staff, usage="拆分 1024 另一件事", about="一件里有两件事，拆出一件"
)
def split(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SPLIT)


@router.command("关联", who=Staff, usage="关联 1024 1030", about="两件事有关系")
def link(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.LINK)


@router.command(
    "改类别", "改紧急", "改分类", who=Staff, usage="改类别 1024 物流 U2", about="改类别或紧急程度"
)
def reclassify(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.RECLASSIFY)


@router.command("保密", "设为保密", who=Anybody, usage="保密 1024", about="不再出现在群里")
def confidential(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.SET_CONFIDENTIAL)


@router.command(
    "补企业", "企业是", who=Anybody, usage="补企业 1024 企业简称", about="补上是哪家企业"
)
def name_firm(asked: Asked, moves: Moves) -> Reply:
    return moves.go(asked, Move.NAME_FIRM)
