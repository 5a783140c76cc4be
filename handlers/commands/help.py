"""帮助: builds itself from the registered routes."""

from collections.abc import Sequence
from typing import Final

from handlers.chat.filters import Anybody, Mentioned, Scene
from handlers.chat.outbound import Reply
from handlers.chat.router import Book, Route, Router
from handlers.domain.people import STAFF_ROLES
from handlers.services.moves import Asked
from handlers.services.turn import BotName
from handlers.texts import common as say

router = Router("help")
# What somebody looks for first; the rest follows as it was registered.
_FOR_FIRMS: Final = ("report", "lookup", "rate")
_FOR_STAFF: Final = ("claim", "progress", "close", "transfer", "report", "lookup", "decide")


def _place(route: Route, order: Sequence[str]) -> int:
    return order.index(route.router) if route.router in order else len(order)


@router.command(
    "帮助",
    "help",
    "怎么用",
    "使用说明",
    "功能",
    exact=("?", "？"),
    who=Anybody,
    usage="帮助",
    about="看全部用法",
)
def show(asked: Asked, book: Book, bot: BotName) -> Reply:
    role = asked.speaker.role
    order = _FOR_STAFF if role in STAFF_ROLES else _FOR_FIRMS
    offers = sorted(book.offers(Scene(asked.event, role)), key=lambda r: _place(r, order))
    lines = [(r.usage, r.about) for r in offers]
    title = say.help_title(None if role is None else role.value)
    return Reply.say(say.help_text(title, lines, bot.value))


@router.command(
    exact=("你好", "您好", "在吗", "在么", "早上好", "下午好", "hi", "hello"), who=Mentioned
)
@router.enter()
def greet(asked: Asked, bot: BotName) -> Reply:
    person = asked.speaker.person
    return Reply.say(say.greeting("" if person is None else person.name, bot.value))
