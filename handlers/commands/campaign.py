"""专项: a named checklist, ticked off as people say it: 5号楼最后一户签约."""

import re
from dataclasses import replace
from typing import Final

from handlers.chat.events import ChatKind
from handlers.chat.filters import Leading, Office, Staff
from handlers.chat.outbound import Content, Kind, Reply
from handlers.chat.router import PassOn, Router
from handlers.domain.errors import BadInput
from handlers.domain.people import Person, Role
from handlers.services.campaigns import CampaignService, Done
from handlers.services.moves import Asked, Moves
from handlers.services.speech import SpeechService
from handlers.texts import campaigns as say
from handlers.understanding.numbers import value_of

router = Router("campaign")
_ROUNDS: Final = re.compile(r"(?:分|共)?([一二两三四五六七八九十\d]{1,2})轮")
_WORDS: Final = (
    r"号楼|[\d一二三四五六七八九十]幢|[\d一二三四五六七八九十]栋|网格|第[一二三四五六七八九\d]+轮|首轮|最后.?户|全部|"
    r"签约|签了|签字|签好|签协议|退签|反悔|已[\u4e00-\u9fff]|敲门|腾空|腾退"
)


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


@router.sentence(
    "5号楼最后一户签约",
    "诺沛第二轮已查，无异味",
    "3网格敲门120户",
    pattern=_WORDS,
    who=Staff,
    about="专项勾选一户或报完成数",
)
def tick(asked: Asked, campaigns: CampaignService, moves: Moves) -> Reply:
    person = _person(asked)
    if person.role is Role.DEPARTMENT or moves.named(asked) is not None:
        raise PassOn
    done = campaigns.hear(asked.rest, person, asked.event)
    if done is None:
        raise PassOn
    return _told(done, asked, moves)


def _told(done: Done, asked: Asked, moves: Moves) -> Reply:
    """The echo to whoever said it alone: names of a list are for no group."""
    question = done.question
    if question is not None:
        facts = {
            "c": question.campaign.number,
            "r": question.round,
            "ids": list(question.ids),
            "result": question.result,
            "back": question.back,
        }
        moves.wait(asked, "tick", facts)
        if asked.event.chat_kind is ChatKind.GROUP:
            sender = asked.event.sender
            chat = replace(asked.event.chat, id=sender.id)
            moves.wait(replace(asked, event=replace(asked.event, chat=chat)), "tick", facts)
        text = question.text
        if done.card.buttons:
            text = f"{done.card.fallback}\n{text}"
        return Reply(Content(text, kind=Kind.QUESTION), text, secret=True)
    return Reply(Content.of(done.card), secret=True)


@router.dialogue("tick")
def picked(
    asked: Asked, campaigns: CampaignService, speech: SpeechService, moves: Moves
) -> Reply | None:
    facts, person = asked.facts, asked.speaker.person
    done = None
    if person is not None and len(asked.rest) <= 40:
        done = campaigns.answered(
            int(facts["c"]),
            int(facts["r"]),
            facts["ids"],
            asked.rest,
            str(facts["result"]),
            bool(facts["back"]),
            person,
            asked.event,
        )
    if done is None:
        return speech.hear(replace(asked, facts={}))
    return _told(done, asked, moves)


@router.command(
    "撤销勾选", "取消勾选", exact=("勾错了",), who=Staff, usage="撤销勾选", about="勾错了就撤销"
)
@router.action("campaign.undo", Staff)
def undo(asked: Asked, campaigns: CampaignService) -> Reply:
    return replace(Reply.say(campaigns.undo(_person(asked))), secret=True)


@router.command("专项", "专项进度", who=Staff, usage="专项 空间再造", about="看专项进度和名单")
def show(asked: Asked, campaigns: CampaignService) -> Reply:
    if not asked.rest:
        return replace(Reply.say(campaigns.overview()), secret=True)
    campaign = campaigns.named(asked.rest)
    rest = asked.rest.replace(campaign.name, "", 1).strip()
    if rest == asked.rest.strip():
        rest = asked.rest.partition(" ")[2].strip()
    person = _person(asked)
    text = campaigns.listed(campaign, rest, person) if rest else campaigns.detail(campaign, person)
    return replace(Reply.say(text), secret=True)


@router.command(
    "新建专项", who=Office, usage="新建专项 无异味 未查/已查 两轮", about="建一个专项清单"
)
def create(asked: Asked, campaigns: CampaignService) -> Reply:
    words = asked.rest.split()
    rounds = 1
    for word in list(words[1:]):
        found = _ROUNDS.fullmatch(word)
        if found is not None:
            rounds = int(value_of(found.group(1)) or 1)
            words.remove(word)
    states = re.split(r"[/、|]", words[1]) if len(words) > 1 else []
    if len(words) < 2 or len(states) < 2:
        raise BadInput("campaign_usage")
    person = _person(asked)
    made = campaigns.create(words[0], states, person.id, person, rounds=rounds)
    return Reply.say(say.made(made))


@router.command(
    "专项加", who=Leading, usage="专项加 空间再造 5号楼 203 某某建材", about="给专项加一个对象"
)
def add(asked: Asked, campaigns: CampaignService) -> Reply:
    campaign = campaigns.named(asked.rest)
    rest = asked.rest.replace(campaign.name, "", 1).strip()
    if not rest:
        raise BadInput("campaign_target")
    return replace(Reply.say(campaigns.add(campaign, rest, _person(asked))), secret=True)


@router.command(
    "专项问题", who=Staff, usage="专项问题 5号楼203 过渡房没落实", about="专项对象的问题登记成工单"
)
def problem(asked: Asked, campaigns: CampaignService) -> Reply:
    person = _person(asked)
    return replace(Reply.say(campaigns.problem(asked.rest, person, asked.event)), secret=True)


@router.command("专项进群", who=Leading, usage="专项进群 空间再造", about="进度节点以后发到这个群")
def bind(asked: Asked, campaigns: CampaignService) -> Reply:
    if asked.event.chat_kind is not ChatKind.GROUP:
        raise BadInput("campaign_group")
    campaign = campaigns.named(asked.rest)
    return Reply.say(campaigns.bind(campaign, asked.event.chat, _person(asked)), private=False)


@router.command("结束专项", who=Office, usage="结束专项 空间再造", about="不再勾选，数据保留")
def end(asked: Asked, campaigns: CampaignService) -> Reply:
    if not asked.rest:
        raise BadInput("campaign_usage")
    return Reply.say(campaigns.end(campaigns.named(asked.rest), _person(asked)))


@router.command("附近", "周边", who=Staff, usage="附近 1024", about="看工单同网格的专项对象")
def near(asked: Asked, campaigns: CampaignService, moves: Moves) -> Reply:
    ticket = moves.named(asked)
    if ticket is None:
        raise BadInput("number_needed", word=asked.word)
    return replace(Reply.say(campaigns.near(ticket, _person(asked)), ticket.number), secret=True)
