"""The slips of domain.md §4.1, and the brief as a file: papers for one person, never for a group."""

from dataclasses import replace

from handlers.chat.filters import Staff
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.services.moves import Asked, Moves
from handlers.services.slips import SlipService
from handlers.texts import slips as say

router = Router("slips")


@router.command(
    "交办单",
    "督办单",
    "办结单",
    "延期申请",
    "退单说明",
    "回访单",
    who=Staff,
    usage="交办单 1024",
    about="生成交办单、督办单、办结单、延期申请、退单说明或回访单",
)
def slip(asked: Asked, moves: Moves, slips: SlipService) -> Reply:
    person = asked.speaker.person
    assert person is not None
    kind = say.WORDS[asked.word]
    ticket = moves.named(asked)
    if ticket is None:
        return replace(Reply.say(say.number_needed(asked.word)), secret=True)
    reason = slips.absent(kind, ticket)
    if reason:
        return replace(Reply.say(reason, ticket.number), secret=True)
    return _handed(asked.word, slips.link(kind, ticket, person), ticket.number)


@router.command(
    "日调度图片",
    "日调度表格",
    "日调度打印",
    who=Staff,
    usage="日调度图片",
    about="把日调度做成图片、表格或打印件",
)
def brief(asked: Asked, slips: SlipService) -> Reply:
    person = asked.speaker.person
    assert person is not None
    form = {"日调度图片": "png", "日调度表格": "xlsx", "日调度打印": "docx"}[asked.word]
    return _handed(asked.word, slips.paper_link(form, person))


def _handed(title: str, url: str, number: int | None = None) -> Reply:
    if not url:
        return replace(Reply.say(say.no_links()), secret=True)
    return replace(Reply.show(say.handed(title, url, number), ticket=number), secret=True)
