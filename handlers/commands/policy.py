"""时限设置: the numbers that the office works by."""

from dataclasses import replace

from handlers.chat.filters import Office
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.ports import Work
from handlers.texts import office_policy as say

router = Router("policy")


@router.command("时限设置", who=Office, usage="时限设置", about="看各项时限和提醒次数")
def show(work: Work) -> Reply:
    return replace(Reply.say(say.shown(work.office.policy())), secret=True)
