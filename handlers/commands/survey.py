"""发起摸排 …, 确认/同意/取消/结束摸排 3, 摸排 3 汇总|未报, 填报 3 …, 代填 3 企业 …; and the buttons."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from handlers.chat.filters import Filter, Leading, Staff, Who
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.domain.announcement import Audience
from handlers.domain.errors import BadInput
from handlers.domain.people import Person, Role
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Dialogue, Work
from handlers.services.addressing import audience_in
from handlers.services.moves import PATIENCE, Asked
from handlers.services.people import PeopleService
from handlers.services.speech import SpeechService
from handlers.services.surveys import PLACE, Surveys
from handlers.texts import surveys as say
from handlers.understanding import FirmNames
from handlers.understanding.survey_words import (
    Draft,
    audience_words,
    draft_in,
    due_in,
    is_own,
    numbered,
    questions_in,
)

router = Router("survey")

Writes: Filter = Who(Role.OFFICE, Role.CHIEF, Role.LEADER, Role.LIAISON)
_DRAFT: Final = "survey.draft"
_PARTS: Final = ("title", "questions", "audience", "due", "purpose")
_SILENT: Final = ("未报", "没报", "未填", "进度")
_STOP: Final = frozenset({"取消", "算了", "不发了", "不要了"})


@router.command(
    "发起摸排",
    "新建摸排",
    who=Writes,
    usage="发起摸排 用工缺口：挡车工(名)、机修(名)；对象 长洪；截止 周五；用途 安排招聘专场",
    about="向企业收数，先看预览再发",
)
def begin(
    asked: Asked,
    surveys: Surveys,
    firms: FirmNames,
    calendar: WorkCalendar,
    clock: Clock,
    work: Work,
) -> Reply:
    return _go_on(draft_in(asked.rest), asked, surveys, firms, calendar, clock, work)


@router.dialogue(_DRAFT)
def more(
    asked: Asked,
    surveys: Surveys,
    firms: FirmNames,
    calendar: WorkCalendar,
    clock: Clock,
    work: Work,
) -> Reply:
    facts: Mapping[str, Any] = asked.facts
    missing, text = str(facts["missing"]), asked.rest.strip()
    if text in _STOP:
        return Reply.say(say.dropped())
    said = {name: str(facts.get(name, "")) for name in _PARTS}
    labelled = asdict(draft_in(text))
    others = {n: v for n, v in labelled.items() if v and n not in ("title", missing)}
    if not others or "；" not in text:
        others = {missing: text}
    return _go_on(Draft(**{**said, **others}), asked, surveys, firms, calendar, clock, work)


def _go_on(
    draft: Draft,
    asked: Asked,
    surveys: Surveys,
    firms: FirmNames,
    calendar: WorkCalendar,
    clock: Clock,
    work: Work,
) -> Reply:
    """The preview, or the one question about what is still missing."""
    by = _person(asked)
    audience, unclear = _audience(draft.audience, by, surveys, firms, work)
    due = due_in(draft.due, clock.now(), calendar) if draft.due else None
    questions = questions_in(draft.questions)
    missing = next(
        (
            part
            for part, found in (
                ("title", len(draft.title) >= 2),
                ("questions", bool(questions)),
                ("audience", audience.named),
                ("due", due is not None),
                ("purpose", len(draft.purpose) >= 2),
            )
            if not found
        ),
        "",
    )
    if missing or due is None:
        facts = {**asdict(draft), "missing": missing}
        work.dialogues.put(
            Dialogue(asked.speaker.key, asked.event.chat, _DRAFT, facts, clock.now() + PATIENCE)
        )
        return Reply.say(say.ask_for(missing) if unclear is None else say.unclear(unclear))
    survey = surveys.draft(by, draft.title, draft.purpose, questions, audience, due)
    return replace(Reply(surveys.preview(survey)), secret=True)


def _audience(
    text: str, by: Person, surveys: Surveys, firms: FirmNames, work: Work
) -> tuple[Audience, str | None]:
    """Whom it is for, and the words that nobody understands."""
    if is_own(text):
        return Audience(enterprises=tuple(f.id for f in surveys.own_firms(by))), None
    if not text.strip():
        return Audience(), None
    try:
        return audience_in(audience_words(text), work, firms), None
    except BadInput as unclear:
        return Audience(), str(unclear.values.get("text") or unclear.values.get("names") or text)


# ---- a draft's way out


@router.command("确认摸排", who=Writes, usage="确认摸排 3", about="预览无误，提交或发出")
def confirm(asked: Asked, surveys: Surveys) -> Reply:
    return surveys.confirm(_number(asked), _person(asked))


@router.command("同意摸排", who=Leading, usage="同意摸排 3", about="同意同事的摸排发出")
def approve(asked: Asked, surveys: Surveys, clock: Clock) -> Reply:
    sent = surveys.approve(_number(asked), _person(asked))
    return Reply.say(say.sent(sent, surveys.state(sent).count, clock.now()))


@router.command(
    "取消摸排", "不同意摸排", who=Writes, usage="取消摸排 3", about="不发了，或不同意发出"
)
def refuse(asked: Asked, surveys: Surveys) -> Reply:
    return Reply.say(say.cancelled(surveys.refuse(_number(asked), _person(asked))))


@router.command("结束摸排", "截止摸排", who=Writes, usage="结束摸排 3", about="提前截止")
def close(asked: Asked, surveys: Surveys, clock: Clock) -> Reply:
    ended = surveys.close(_number(asked), _person(asked))
    return Reply.say(say.state_line(surveys.state(ended), clock.now()))


@router.action("survey.send", who=Writes)
def send(asked: Asked, surveys: Surveys) -> Reply:
    return surveys.confirm(_argument(asked), _person(asked))


@router.action("survey.approve", who=Leading)
def agree(asked: Asked, surveys: Surveys, clock: Clock) -> Reply:
    sent = surveys.approve(_argument(asked), _person(asked))
    return Reply.say(say.sent(sent, surveys.state(sent).count, clock.now()))


@router.action("survey.refuse", who=Writes)
def disagree(asked: Asked, surveys: Surveys) -> Reply:
    return Reply.say(say.cancelled(surveys.refuse(_argument(asked), _person(asked))))


# ---- looking


@router.command("摸排", who=Staff, usage="摸排 3 汇总", about="看摸排进度、汇总，或「摸排 3 未报」")
def look(asked: Asked, surveys: Surveys, clock: Clock) -> Reply:
    person = _person(asked)
    number, rest = numbered(asked.rest)
    if number is None:
        found = [surveys.state(s) for s in surveys.visible(person)]
        return _alone(say.listing(found, clock.now()))
    survey = surveys.load(number)
    if any(word in rest for word in _SILENT):
        return _alone(surveys.shown_silent(survey, person))
    if "名单" in rest:
        return _alone(surveys.listed(survey, person))
    return _alone(surveys.shown(survey, person))


def _alone(text: str) -> Reply:
    return replace(Reply.say(text), secret=True)


# ---- answering


@router.command("填报", usage="填报 3 挡车工15，机修3", about="回复摸排；直接说一句话也可以")
def answer(asked: Asked, surveys: Surveys, speech: SpeechService) -> Reply | None:
    whole = replace(asked, rest=f"{asked.word} {asked.rest}")
    return surveys.hear(whole) or speech.hear(whole)


@router.command(
    "代填", who=Staff, usage="代填 3 泓曜 挡车工15，机修3", about="企业电话里报的数，替它填"
)
def fill(asked: Asked, surveys: Surveys, people: PeopleService, firms: FirmNames) -> Reply:
    number, rest = numbered(asked.rest)
    named = firms.named(rest)
    if number is None or not named or named[0].start > 2:
        raise BadInput("survey_fill_usage")
    if len(named[0].firms) > 1:
        raise BadInput("which_firm", names=people.firm_names(named[0].firms))
    firm = people.firm_named(firms.short(named[0].firms[0]))
    text = rest[named[0].end :].lstrip(" :：,，")
    if not text:
        raise BadInput("survey_fill_usage")
    return surveys.fill(number, firm, text, _person(asked), asked)


@router.action("survey.same")
def same(asked: Asked, surveys: Surveys) -> Reply:
    return surveys.pressed(_argument(asked), asked, same=True)


@router.action("survey.none")
def none(asked: Asked, surveys: Surveys) -> Reply:
    return surveys.pressed(_argument(asked), asked, same=False)


@router.dialogue(PLACE)
def place(asked: Asked, surveys: Surveys, speech: SpeechService) -> Reply | None:
    plain = replace(asked, facts={})
    return surveys.placed(asked) or surveys.hear(plain) or speech.hear(plain)


def _person(asked: Asked) -> Person:
    person = asked.speaker.person
    assert person is not None
    return person


def _number(asked: Asked) -> int:
    number, _ = numbered(asked.rest)
    if number is None:
        raise BadInput("survey_which")
    return number


def _argument(asked: Asked) -> int:
    given = asked.args.get("n", "")
    if not given.isdigit() or len(given) > 6:
        raise BadInput("survey_which")
    return int(given)
