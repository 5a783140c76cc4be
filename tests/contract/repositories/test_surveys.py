"""Surveys and sign-ups are kept whole on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from handlers.domain.announcement import Audience
from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Enterprise
from handlers.domain.signup import Act, Said, SignUp, apply
from handlers.domain.survey import Answer, Channel, SurveyState, Value
from handlers.understanding.survey_words import questions_in
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import NOW
from tests.kit.surveys import a_survey

ONE, OTHER = EnterpriseId("E003"), EnterpriseId("E004")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = engine_for(database_url)
    opened = writer_connection(engine)
    with opened.begin():
        yield opened
    opened.close()
    engine.dispose()


@pytest.fixture
def uow(connection: Connection) -> UnitOfWork:
    made = UnitOfWork(connection, Shared(lambda: NOW))
    for firm in (ONE, OTHER):
        made.people.save_enterprise(Enterprise(firm, f"厂{firm}", f"南通{firm}有限公司"))
    return made


def test_a_survey_comes_back_as_it_was(uow: UnitOfWork) -> None:
    questions = questions_in(
        "缺口(名)、班次(选:一班/两班)、是否停产、日期、困难、设备(表:名称,台数)"
    )
    audience = Audience(areas=("长洪管理区",), interests=(Category.LAB,), excepted=(ONE,))
    survey = a_survey(number=uow.surveys.next_number(), questions=questions, audience=audience)
    uow.surveys.add(survey)
    assert uow.surveys.get(survey.number) == survey
    assert uow.surveys.find(9) is None
    changed = replace(
        survey, state=SurveyState.OPEN, opened_at=NOW, remind_at=NOW + timedelta(days=1), version=2
    )
    uow.surveys.save(changed)
    assert uow.surveys.find(survey.number) == changed
    assert uow.surveys.page(10, None) == (changed,)
    assert uow.surveys.page(10, survey.number) == ()


def test_it_is_due_for_its_reminder_then_for_its_end_then_never(uow: UnitOfWork) -> None:
    remind = NOW + timedelta(days=1)
    survey = a_survey(state=SurveyState.OPEN, opened_at=NOW, remind_at=remind)
    uow.surveys.add(a_survey(number=7))
    uow.surveys.add(survey)
    assert uow.surveys.next_at() == remind
    assert uow.surveys.due(remind - timedelta(seconds=1)) == ()
    assert uow.surveys.due(remind) == (1,)
    uow.surveys.save(replace(survey, reminded_at=remind))
    assert uow.surveys.next_at() == survey.due_at
    assert [s.number for s in uow.surveys.open()] == [1]
    uow.surveys.save(replace(survey, state=SurveyState.CLOSED))
    assert uow.surveys.next_at() is None
    assert uow.surveys.open() == ()


def test_targets_are_reminded_once_and_found_by_firm(uow: UnitOfWork) -> None:
    uow.surveys.add(a_survey(state=SurveyState.OPEN, opened_at=NOW))
    uow.surveys.add(a_survey(number=2, state=SurveyState.CANCELLED, opened_at=NOW))
    uow.surveys.set_targets(1, [OTHER, ONE, ONE])
    uow.surveys.set_targets(2, [ONE])
    assert [t.enterprise_id for t in uow.surveys.targets(1)] == [ONE, OTHER]
    assert uow.surveys.remind(1, ONE, NOW)
    assert not uow.surveys.remind(1, ONE, NOW)
    assert [t.reminded_at for t in uow.surveys.targets(1)] == [NOW, None]
    assert [s.number for s in uow.surveys.asking(ONE, NOW)] == [1]
    assert uow.surveys.asking(ONE, NOW + timedelta(seconds=1)) == ()
    assert [s.number for s in uow.surveys.opened_since(NOW)] == [1]


def test_answers_are_added_and_numbers_stay_exact(uow: UnitOfWork) -> None:
    uow.surveys.add(a_survey())
    value = Value("182.6万", Decimal("1826000.10"), True, carried=True)
    table = Value("叉车 3", rows=(("叉车", "3"),))
    answer = Answer(
        1, ONE, (value, None, table), NOW, PersonId("x"), "张经理", Channel.PAGE, "话", True
    )
    first = uow.surveys.add_answer(answer)
    second = uow.surveys.add_answer(replace(answer, enterprise_id=OTHER, by=None))
    assert second > first
    assert uow.surveys.answers(1, ONE) == (replace(answer, id=first),)
    assert [a.enterprise_id for a in uow.surveys.answers(1)] == [ONE, OTHER]


def test_a_sign_up_comes_back_as_it_was(uow: UnitOfWork) -> None:
    signup = SignUp(
        uow.signups.next_number(), "羽毛球赛", "sandbox", "g", PersonId("P055"), NOW, 3,
        NOW + timedelta(days=1),
    )  # fmt: skip
    uow.signups.add(signup)
    for firm in (ONE, OTHER):
        signup = apply(signup, firm, Said(Act.SET, 2, 1, 1), "x").signup
    uow.signups.save(signup)
    assert uow.signups.get(1) == signup
    assert [p.waiting for p in signup.places] == [False, True]
    assert uow.signups.open_in("sandbox", "g") == (signup,)
    assert uow.signups.open_in("sandbox", "h") == ()
    assert uow.signups.due(NOW) == ()
    assert uow.signups.due(NOW + timedelta(days=1)) == (1,)
    assert uow.signups.next_at() == signup.closes_at
    closed = replace(signup, closed_at=NOW)
    uow.signups.save(closed)
    assert uow.signups.open() == ()
    assert uow.signups.page(5, None) == (closed,)
    assert uow.signups.next_at() is None
