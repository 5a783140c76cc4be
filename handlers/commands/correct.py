"""更正, 合并, 拆分, 关联, 改类别, 保密, 补企业: putting a ticket right."""

import re
from dataclasses import replace
from typing import Final

from handlers.chat.filters import Anybody, Direct, Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.ticket import Move
from handlers.services.corrections import Corrections
from handlers.services.moves import Asked, Moves
from handlers.services.speech import SpeechService
from handlers.texts.corrections import category_named, urgency_named

router = Router("correct")
_NO_PROBLEM: Final = re.compile(r"^(?:这|它|其实)?(?:不是问题|不是工单|不算问题|误建|建错)")
_JOINS: Final = re.compile(r"^(?:属于|并入|并到|合并到|同|和|跟)\s*#?\s*(\d{4,9})")
_TITLE: Final = re.compile(r"^标题(?:应是|应该是|改为|改成|是|为)?[\s:：]*(\S.*)$")
_FIRM: Final = re.compile(
    r"^(?:企业|公司|厂)(?:应该是|应是|应为|是|为|[\s:：,，])[\s:：,，]*(\S.*)$"
)
# What can answer the card's question: one number, or a name.
_A_NUMBER: Final = re.compile(r"^\D{0,6}\d{4,9}\D{0,6}$")
_LONGEST_NAME: Final = 20
# The card and what is pressed on it are no business of a group.
Alone: Final = Staff & Direct


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


@router.command(
    "更正", "改错", who=Staff, usage="更正 1024 物流", about="类别、紧急程度、企业等登记错了"
)
@router.action("ticket.correct", Staff)
def correct(
    asked: Asked, corrections: Corrections, moves: Moves, speech: SpeechService
) -> Reply | None:
    """With a number: the card, or what follows it at once; without one it may be a sentence."""
    said = asked.rest.strip()
    if asked.pressed or not said:
        return corrections.start(asked)
    if moves.named(asked) is None:
        return _as_speech(asked, speech)
    title = _TITLE.match(said)
    if title is not None:
        return corrections.title(replace(asked, rest=title.group(1)))
    joins, firm = _JOINS.match(said), _FIRM.match(said)
    if _NO_PROBLEM.match(said):
        return corrections.not_problem(replace(asked, rest=""))
    if joins is not None:
        return corrections.join(replace(asked, rest=joins.group(1)))
    if firm is not None:
        return corrections.firm(replace(asked, rest=firm.group(1)))
    if asked.ref is None and category_named(said) is None and urgency_named(said) is None:
        # Only a message is quoted, and what was written corrects something else.
        return _as_speech(asked, speech)
    return corrections.typed(asked)


def _as_speech(asked: Asked, speech: SpeechService) -> Reply | None:
    """A colleague's sentence that only begins like a command: 更正，会议改到三点."""
    return speech.hear(replace(asked, rest=f"{asked.word}，{asked.rest}".strip("，")))


@router.command(
    "不是问题", "误建", who=Staff, usage="不是问题 1024", about="聊天或误会被登记成了工单"
)
def no_problem(
    asked: Asked, corrections: Corrections, moves: Moves, speech: SpeechService
) -> Reply | None:
    """Only of a ticket that is named: the words are said of many things."""
    if moves.named(asked) is None:
        return _as_speech(asked, speech)
    return corrections.not_problem(asked)


@router.command(
    "仍要办", "不同意误建", who=Staff, usage="仍要办 1024", about="不同意按误建处理，继续办"
)
def still_to_do(
    asked: Asked, corrections: Corrections, moves: Moves, speech: SpeechService
) -> Reply | None:
    if moves.named(asked) is None:
        return _as_speech(asked, speech)
    return corrections.keep(asked)


@router.command(
    "更正企业", "改企业", who=Staff, usage="更正企业 1024 企业简称", about="登记成了别家企业"
)
def other_firm(
    asked: Asked, corrections: Corrections, moves: Moves, speech: SpeechService
) -> Reply | None:
    if moves.named(asked) is None:
        return _as_speech(asked, speech)
    return corrections.firm(asked)


@router.action("correct.show", Alone)
def show(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.show(asked)


@router.action("correct.more", Alone)
def more(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.more(asked)


@router.action("correct.category", Alone)
def category(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.category(asked)


@router.action("correct.other", Alone)
def other(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.other(asked)


@router.action("correct.urgency", Alone)
def urgency(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.urgency(asked)


@router.action("correct.not_problem", Alone)
def not_problem(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.not_problem(asked)


@router.action("correct.keep", Alone)
def keep(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.keep(asked)


@router.action("correct.join", Alone)
def join(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.join(asked)


@router.action("correct.advised", Alone)
def advised(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.advised(asked)


@router.action("correct.firm", Alone)
def firm(asked: Asked, corrections: Corrections) -> Reply:
    return corrections.firm(asked)


@router.dialogue("correct")
def answered(asked: Asked, corrections: Corrections, speech: SpeechService) -> Reply | None:
    """The number or the firm; anything longer is something else that was said meanwhile."""
    said = asked.rest.strip()
    wanted = _A_NUMBER.match(said) if asked.facts["m"] == Move.MERGE else len(said) <= _LONGEST_NAME
    if not said or not wanted:
        return speech.hear(replace(asked, facts={}))
    return corrections.answer(asked)
