"""我的工单, 查, 搜: finding tickets, only those one may know of."""

from dataclasses import replace

from handlers.chat.filters import Anybody
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.people import Role
from handlers.domain.ticket import LIVE
from handlers.ports import Clock
from handlers.services.attachments import Attachments
from handlers.services.briefs import BriefService
from handlers.services.moves import Asked, Moves
from handlers.services.tickets import TicketService
from handlers.services.visits import VisitService
from handlers.texts import briefs as briefs_say
from handlers.texts import people as people_say
from handlers.texts import tickets as say

router = Router("lookup")


@router.command(
    "我的工单",
    "我的单",
    "待办",
    exact=("工单",),
    who=Anybody,
    usage="我的工单",
    about="看在办的工单",
)
def mine(asked: Asked, tickets: TicketService, clock: Clock) -> Reply | None:
    if asked.speaker.person is None:
        return Reply.say(people_say.who_are_you())
    listed = say.ticket_list(say.LIVE_LIST, tickets.mine(asked.speaker, LIVE), clock.now())
    return replace(Reply.say(listed), secret=True)


@router.command(
    "查", "查询", "查看", "看", who=Anybody, usage="查 1024", about="看一件工单，或按词查找"
)
def one(
    asked: Asked,
    moves: Moves,
    tickets: TicketService,
    clock: Clock,
    briefs: BriefService,
    visits: VisitService,
    attachments: Attachments,
) -> Reply | None:
    behind = _behind(asked, briefs, visits)
    if behind is not None:
        return replace(Reply.say(behind), secret=True)
    ticket = moves.named(asked)
    now = clock.now()
    if ticket is None:
        if not asked.rest:
            return mine(asked, tickets, clock)
        found = tickets.search(asked.speaker, asked.rest)
        listed = say.ticket_list(say.found_list(asked.rest), found, now)
        return replace(Reply.say(listed), secret=True)
    telling = tickets.telling
    person = asked.speaker.person
    full = person is not None and person.role is not Role.DEPARTMENT
    story = say.story(
        ticket,
        telling.firm(ticket),
        telling.owner(ticket),
        tickets.history_for(ticket, asked.speaker),
        now,
        full,
        tickets.is_provisional(ticket),
    )
    told = "\n".join((story, *attachments.told(ticket, asked.speaker)))
    return replace(Reply.say(told, ticket.number), secret=True)


@router.command("搜", "搜索", "找", who=Anybody, usage="搜 异味", about="按词查找")
def search(
    asked: Asked,
    moves: Moves,
    tickets: TicketService,
    clock: Clock,
    briefs: BriefService,
    visits: VisitService,
    attachments: Attachments,
) -> Reply | None:
    return one(asked, moves, tickets, clock, briefs, visits, attachments)


def _behind(asked: Asked, briefs: BriefService, visits: VisitService) -> str | None:
    """The rows behind a figure of the brief: 看 超期, 看 红 2."""
    person = asked.speaker.person
    if asked.ref is not None or person is None or not person.is_staff:
        return None
    word, _, part = asked.rest.partition(" ")
    figure = briefs_say.FIGURE_WORDS.get(word)
    if figure is not None and (not part or part.isdigit()):
        return briefs.drill(person, figure, max(int(part or 1), 1))
    if asked.rest in briefs_say.COMMON_WORDS:
        return briefs.commons(person)
    if asked.rest in briefs_say.UNVISITED_WORDS:
        return visits.unvisited_text(person)
    return briefs.silent(person) if asked.rest in briefs_say.SILENT_WORDS else None
