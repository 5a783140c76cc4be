"""帮助: builds itself from the registered routes."""

from handlers.chat.filters import Anybody, Scene
from handlers.chat.outbound import Reply
from handlers.chat.router import Book, Router
from handlers.services.moves import Asked
from handlers.services.turn import BotName
from handlers.texts import common as say

router = Router("help")


@router.command(
    "帮助",
    "help",
    "怎么用",
    "使用说明",
    "功能",
    exact=("?",),
    who=Anybody,
    usage="帮助",
    about="看全部用法",
)
def show(asked: Asked, book: Book, bot: BotName) -> Reply:
    role = asked.speaker.role
    lines = [(r.usage, r.about) for r in book.offers(Scene(asked.event, role))]
    title = say.help_title(None if role is None else role.value)
    return Reply.say(say.help_text(title, lines, bot.value))


@router.enter()
def greet(asked: Asked, bot: BotName) -> Reply:
    person = asked.speaker.person
    return Reply.say(say.greeting("" if person is None else person.name, bot.value))
