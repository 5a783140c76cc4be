"""A survey on a phone: the questions with what is known, one button; and the table for the office."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from bot.pages.kind import Done, File, Html, Opened, Page, Shown
from handlers.domain.errors import NoSuch, Refusal
from handlers.domain.ids import EnterpriseId
from handlers.domain.survey import Channel, Survey, Values
from handlers.services.surveys import Surveys
from handlers.texts import surveys as say
from handlers.texts.common import refused
from handlers.understanding import FirmNames
from handlers.understanding.lexicon import shipped

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _service(opened: Opened) -> Surveys:
    # Nothing here reads free speech: the names and words of the office are not needed.
    calendar = opened.uow.calendar.current()
    return Surveys(opened.uow, opened.clock, calendar, FirmNames(()), shipped(), opened.links)


def _book(title: str, columns: tuple[str, ...], rows: list[tuple[say.Cell, ...]]) -> bytes:
    from bot.papers.workbook import book

    return book([(title, columns, rows)])


def _show(opened: Opened) -> Shown | None:
    service = _service(opened)
    if opened.form == "xlsx":
        return _sheet(opened, service)
    asked = _asked(opened, service)
    if asked is None:
        return None
    survey, firm = asked
    answer = service.answer_of(survey, firm)
    known = service.before(survey, firm) if answer is None else answer.values
    return _page(opened, service, survey, firm, say.typed(survey, known), {})


def _sheet(opened: Opened, service: Surveys) -> File | None:
    if not opened.person.is_staff:
        return None
    try:
        survey = service.seen_by(int(opened.subject), opened.person)
    except NoSuch:
        return None
    made = partial(_book, *service.sheet(survey, opened.person))
    return File(f"{say.file_name(survey)}.xlsx", _XLSX, made)


def _asked(opened: Opened, service: Surveys) -> tuple[Survey, EnterpriseId] | None:
    """Asked again when it is opened: a firm that the survey was sent to."""
    firm, number = opened.person.enterprise_id, int(opened.subject)
    if opened.form or firm is None or not service.is_asked(number, firm):
        return None
    return service.find(number), firm


def _page(
    opened: Opened,
    service: Surveys,
    survey: Survey,
    firm: EnterpriseId,
    typed: list[str],
    faults: Mapping[int, str],
    fault: str = "",
) -> Html:
    values = say.page_values(
        survey,
        service.firm_name(firm),
        service.count(survey),
        opened.clock.now(),
        service.answer_of(survey, firm),
        typed,
        faults,
    )
    bad = bool(faults or fault)
    return Html("survey.html", {**values, "fault": fault}, status=422 if bad else 200)


def _submit(opened: Opened, form: Mapping[str, list[str]]) -> Shown | Done | None:
    service = _service(opened)
    asked = _asked(opened, service)
    if asked is None:
        return None
    survey, firm = asked
    typed = [
        (form.get(f"q{n}") or [""])[0].replace("\r\n", "\n").strip()[:500]
        for n in range(len(survey.questions))
    ]
    values: Values
    values, unread = service.typed(survey, typed)
    faults = {n: say.not_read(survey.questions[n]) for n in unread}
    if faults:
        return _page(opened, service, survey, firm, typed, faults, say.not_sent(len(faults)))
    if not any(v is not None for v in values):
        return _page(opened, service, survey, firm, typed, {}, say.nothing_filled())
    told = say.as_said(survey, typed)
    try:
        service.put(survey, firm, values, opened.person, Channel.PAGE, told, whole=True)
    except Refusal as refusal:
        fault = refused(refusal, opened.clock.now())
        return _page(opened, service, survey, firm, typed, {}, fault)
    return Done()


pages = (Page("survey", _show, _submit),)
