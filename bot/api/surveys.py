"""/surveys and their /answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.api.announcements import audience_json, audience_of
from bot.api.auth import Call, Created, Resource
from bot.api.signups import instant_of, number_of
from bot.wire import ApiError, number_in, text_of
from handlers.domain.errors import NotPermitted
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Enterprise, Person
from handlers.domain.survey import (
    Answer,
    Channel,
    Question,
    QuestionKind,
    Survey,
    Value,
    may_fill,
)
from handlers.services.surveys import Surveys, Table
from handlers.understanding.survey_words import questions_in
from storage.uow import UnitOfWork

_KINDS = {k.value for k in QuestionKind}


def _service(call: Call, uow: UnitOfWork) -> Surveys:
    return call.app.wiring.surveys(uow)


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _plain(survey: Survey, service: Surveys) -> dict[str, Any]:
    state = service.state(survey)
    return {
        "number": survey.number,
        "title": survey.title,
        "purpose": survey.purpose,
        "questions": [
            {
                "name": q.name,
                "kind": q.kind.value,
                "unit": q.unit,
                "choices": list(q.choices),
                "columns": list(q.columns),
            }
            for q in survey.questions
        ],
        "audience": audience_json(survey.audience),
        "due_at": _at(survey.due_at),
        "state": survey.state.value,
        "needs_approval": survey.needs_approval,
        "author": survey.created_by,
        "approved_by": survey.approved_by,
        "opened_at": _at(survey.opened_at),
        "closed_at": _at(survey.closed_at),
        "previous": survey.previous,
        "targets": state.count,
        "answered": state.answered,
        "late": state.late,
        "version": survey.version,
    }


def _value(value: Value | None) -> Any:
    if value is None:
        return None
    number = value.number
    return {
        "text": value.text,
        "number": None if number is None else _number(str(number)),
        "about": value.about,
        "rows": [list(r) for r in value.rows],
        "carried": value.carried,
    }


def _number(text: str) -> int | float:
    return int(text) if "." not in text and "E" not in text else float(text)


def _answer(firm: Enterprise, answer: Answer) -> dict[str, Any]:
    return {
        "enterprise": {"id": firm.id, "name": firm.short_name},
        "values": [_value(v) for v in answer.values],
        "at": _at(answer.at),
        "by": answer.by_name,
        "channel": answer.channel.value,
        "late": answer.late,
        "said": answer.said,
    }


def _table(table: Table, service: Surveys) -> dict[str, Any]:
    return {
        "survey": _plain(table.standing.survey, service),
        "items": [_answer(firm, answer) for firm, answer in table.rows],
        "totals": [None if s is None else _number(str(s)) for s in table.sums],
        # Never a name of who has said nothing (domain.md §11).
        "grids": [{"grid": g, "targets": n, "silent": silent} for g, n, silent in table.grids],
    }


def _questions(given: Any) -> tuple[Question, ...]:
    """A list of objects, or one text as it is typed in chat."""
    if isinstance(given, str):
        return questions_in(given)
    if not isinstance(given, list) or not 1 <= len(given) <= 50:
        raise ApiError(422, "missing", "缺少 questions。", {"questions": "missing"})
    return tuple(_question(one) for one in given)


def _question(one: Any) -> Question:
    bad = ApiError(
        422, "bad_field", f"questions 的 kind 请写 {'、'.join(sorted(_KINDS))}。", {"questions": "bad"}
    )  # fmt: skip
    if not isinstance(one, dict) or one.get("kind", "number") not in _KINDS:
        raise bad
    name, unit = one.get("name"), one.get("unit") or ""
    lists = [one.get(key) or [] for key in ("choices", "columns")]
    if not isinstance(name, str) or not isinstance(unit, str) or len(unit) > 8:
        raise bad
    for texts in lists:
        if not isinstance(texts, list) or not all(isinstance(t, str) and t for t in texts):
            raise bad
    kind = QuestionKind(one.get("kind", "number"))
    return Question(name.strip(), kind, unit, tuple(lists[0]), tuple(lists[1]))


async def listing(call: Call) -> Any:
    call.office_only()
    limit, cursor = call.page()

    def look(uow: UnitOfWork) -> Any:
        found = uow.surveys.page(limit + 1, number_in(cursor) if cursor else None)
        service = _service(call, uow)
        return {
            "items": [_plain(s, service) for s in found[:limit]],
            "next": str(found[limit - 1].number) if len(found) > limit else None,
        }

    return await call.app.writer.read(look)


async def one(call: Call) -> Any:
    call.office_only()
    number = number_of(call)

    def look(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        return _plain(service.find(number), service)

    return await call.app.writer.read(look)


async def begin(call: Call) -> Any:
    """A survey; it goes out at once to the author's own firms, else when a second person agrees."""
    call.office_only()
    title, purpose = text_of(call.body, "title", most=100), text_of(call.body, "purpose", most=400)
    due_at, questions = instant_of(call, "due_at"), _questions(call.body.get("questions"))
    if due_at is None:
        raise ApiError(422, "missing", "缺少 due_at。", {"due_at": "missing"})
    author = text_of(call.body, "author", most=40)

    def work(uow: UnitOfWork) -> Any:
        by, service = call.actor(uow, author), _service(call, uow)
        survey = service.draft(by, title, purpose, questions, audience_of(call, uow), due_at)
        service.confirm(survey.number, by)
        return _plain(service.load(survey.number), service)

    return Created(await call.app.writer.run(work))


def _decided(decide: Callable[[Surveys, int, Person], Survey]) -> Resource:
    """What somebody of the office decides about a survey."""

    async def resource(call: Call) -> Any:
        call.office_only()
        number, given = number_of(call), text_of(call.body, "actor", most=40)

        def work(uow: UnitOfWork) -> Any:
            service = _service(call, uow)
            return _plain(decide(service, number, call.actor(uow, given)), service)

        return await call.app.writer.run(work)

    return resource


approve, cancel, close = map(_decided, (Surveys.approve, Surveys.refuse, Surveys.close))


async def answers(call: Call) -> Any:
    """The live table: one row for each firm that answered, the last answer in time."""
    call.office_only()
    number = number_of(call)

    def look(uow: UnitOfWork) -> Any:
        service = _service(call, uow)
        return _table(service.table(service.find(number), None), service)

    return await call.app.writer.read(look)


async def answer(call: Call) -> Any:
    """{"enterprise","text","actor"}: a free sentence for one firm, read as in the chat."""
    number = number_of(call)
    firm_id, text = text_of(call.body, "enterprise", most=40), text_of(call.body, "text", most=1000)
    given = text_of(call.body, "actor", most=40)
    bound = call.caller.enterprise_id
    if bound is not None and bound != firm_id:
        raise ApiError(403, "forbidden", "这个令牌只能代表本企业。")

    def work(uow: UnitOfWork) -> Any:
        by, service = call.actor(uow, given), _service(call, uow)
        firm = uow.people.enterprise(EnterpriseId(firm_id))
        if firm is None or (bound is not None and not service.is_asked(number, firm.id)):
            raise ApiError(422, "not_asked", "这个摸排没有发给这家企业。", {"enterprise": firm_id})
        if by.is_staff:
            may_fill(by, firm.id, {f.id for f in service.own_firms(by)})
        elif by.enterprise_id != firm.id:
            raise NotPermitted("survey_own_fill")
        survey = service.load(number)
        made = service.read(survey, firm.id, text, by, Channel.API)
        return _answer(firm, made)

    return Created(await call.app.writer.run(work))


ROUTES = (
    ("GET", "/surveys", listing, False, "Surveys, newest first"),
    ("POST", "/surveys", begin, True, "Ask firms for figures"),
    ("GET", "/surveys/{number}", one, False, "One survey and how it stands"),
    ("POST", "/surveys/{number}/approve", approve, True, "A second person agrees"),
    ("POST", "/surveys/{number}/cancel", cancel, True, "Take a draft back, or do not agree"),
    ("POST", "/surveys/{number}/close", close, True, "End it before its time"),
    ("GET", "/surveys/{number}/answers", answers, False, "The live table"),
    ("POST", "/surveys/{number}/answers", answer, True, "Answer for one firm"),
)
