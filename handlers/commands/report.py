"""Free speech, 代报, 登记: how a problem becomes a ticket."""

from dataclasses import replace
from typing import TypeVar

from handlers.chat.filters import Anybody, Staff
from handlers.chat.grammar import leading_ref
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.errors import BadInput
from handlers.domain.ticket import Channel, Move
from handlers.services.examples import Examples
from handlers.services.moves import Asked, Moves
from handlers.services.signups import SignUps
from handlers.services.speech import SpeechService
from handlers.services.surveys import Surveys

router = Router("report")
_CHANNELS = {"电话": Channel.PHONE, "走访": Channel.VISIT, "私聊": Channel.DIRECT}


@router.speech()
def hear(asked: Asked, signups: SignUps, surveys: Surveys, speech: SpeechService) -> Reply | None:
    # What answers something that the office asked of all is no problem.
    return signups.hear(asked) or surveys.hear(asked) or speech.hear(asked)


@router.command(
    "代报",
    "代登记",
    "替报",
    who=Staff,
    usage="代报 东和 电话 车间缺操作工5人",
    about="企业打电话或当面说的，替它登记",
)
def report_for(asked: Asked, speech: SpeechService, examples: Examples) -> Reply:
    text, channel = asked.rest, Channel.PHONE
    for word, meant in _CHANNELS.items():
        for form in (f"{word} ", f"{word}:", f"{word}："):
            if text.startswith(form) or f" {form}" in f" {text}":
                text = text.replace(form, "", 1).strip()
                channel = meant
                break
    return _by_hand(asked, examples, speech.report_for(asked, text, channel))


@router.command(
    "报修", "反映", "求助", "登记", "诉求", who=Anybody, usage="反映 什么事", about="登记一个问题"
)
def report(asked: Asked, speech: SpeechService, examples: Examples) -> Reply | None:
    if not asked.rest:
        quote = asked.event.quote
        if quote is not None and quote.text:
            return _by_hand(asked, examples, speech.register(asked, quote.text))
        open_question = speech.open_question(asked)
        if open_question is not None:
            return _settled(asked, speech, examples, open_question, True)
        raise BadInput("text_needed")
    return _by_hand(asked, examples, speech.register(asked, asked.rest))


_Reply = TypeVar("_Reply", Reply, Reply | None)


def _by_hand(asked: Asked, examples: Examples, reply: _Reply) -> _Reply:
    """What the bot would have passed over is kept as an example."""
    examples.by_hand(asked.event.platform, asked.event.event_id, asked.speaker)
    return reply


def _settled(
    asked: Asked, speech: SpeechService, examples: Examples, question: int, take: bool
) -> Reply:
    """The answer is an example too, the first time it is given."""
    waiting = examples.is_open(question)
    reply = speech.settle(asked, question, take)
    if waiting:
        examples.answered(question, asked.speaker)
    return reply


@router.action("candidate.take")
def take(asked: Asked, speech: SpeechService, examples: Examples) -> Reply:
    return _settled(asked, speech, examples, int(asked.args["c"]), True)


@router.action("candidate.refuse")
def refuse(asked: Asked, speech: SpeechService, examples: Examples) -> Reply:
    return _settled(asked, speech, examples, int(asked.args["c"]), False)


@router.dialogue("candidate")
def candidate(asked: Asked, speech: SpeechService, examples: Examples) -> Reply | None:
    answer = asked.rest.strip(" 。.!！")
    if answer in ("是", "是的", "对", "要", "需要", "好", "好的", "登记"):
        return _settled(asked, speech, examples, int(asked.facts["c"]), True)
    if answer in ("不用", "不", "不是", "不需要", "不要", "算了"):
        return _settled(asked, speech, examples, int(asked.facts["c"]), False)
    return speech.hear(asked)


@router.dialogue("firm")
def which_firm(asked: Asked, speech: SpeechService) -> Reply | None:
    return speech.answer_firm(asked, int(asked.facts["t"]))


@router.dialogue("move")
def awaited(asked: Asked, moves: Moves, speech: SpeechService) -> Reply | None:
    other, _ = leading_ref(asked.rest)
    number_asked = Move(asked.facts["m"]) in (Move.MERGE, Move.LINK)
    if not number_asked and other is not None and other.number != int(asked.facts["t"]):
        # A sentence that names another ticket is no answer about this one.
        return speech.hear(replace(asked, facts={}))
    ticket = moves.load(asked, int(asked.facts["t"]))
    return moves.on(ticket, asked, Move(asked.facts["m"]))


@router.dialogue("pick")
def picked(asked: Asked, moves: Moves, speech: SpeechService) -> Reply | None:
    return moves.picked(asked, lambda: speech.hear(asked))
