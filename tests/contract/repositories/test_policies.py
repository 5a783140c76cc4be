"""The library comes back as it was put, is searched by what is approved, and forgets no question."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from handlers.domain.errors import StaleEntry
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.policy_library import Answered, PolicyQuestion, State, Whom
from handlers.domain.ticket import Move, entry_of
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import MANAGER, NOW, a_ticket
from tests.kit.policies import a_policy

TODAY = date(2026, 11, 24)


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
    return UnitOfWork(connection, Shared(lambda: NOW))


def test_an_entry_comes_back_as_it_was(uow: UnitOfWork) -> None:
    whom = Whom(("化工",), ("规上",), ("长洪",), ("危化",), 10, 500, 2000, None)
    entry = a_policy(
        whom=whom,
        keywords=("稳岗", "春节"),
        attachments=("表.docx",),
        no_apply=True,
        materials="考勤",
    )
    kept = uow.policies.add(entry)
    assert kept == replace(entry, id=kept.id)
    assert uow.policies.get(kept.id) == kept
    other = uow.policies.add(a_policy("另一项", number="", superseded_by=kept.id))
    assert [e.id for e in uow.policies.all()] == [other.id, kept.id]
    assert uow.policies.get(999) is None


def test_two_who_change_one_entry_do_not_overwrite_each_other(uow: UnitOfWork) -> None:
    kept = uow.policies.add(a_policy())
    mine = replace(kept, benefit="每人100元", version=2)
    uow.policies.save(mine)
    assert uow.policies.get(kept.id) == mine
    with pytest.raises(StaleEntry):
        uow.policies.save(replace(kept, benefit="每人90元", version=2))


def test_only_what_is_approved_is_found_and_at_once(uow: UnitOfWork) -> None:
    kept = uow.policies.add(a_policy(state=State.DRAFT))
    assert uow.policies.search("稳岗补贴怎么申请", TODAY) == ()
    uow.policies.save(replace(kept, state=State.APPROVED, version=2))
    (found,) = uow.policies.search("稳岗补贴怎么申请", TODAY)
    assert (found.entry.id, found.sure) == (kept.id, True)
    assert "稳岗补贴" in found.passage
    (text,) = uow.policies.about("稳岗补贴怎么申请")
    assert (text.title, text.day) == (kept.title, date(2026, 3, 1))
    assert uow.policies.about("充电桩补多少") == ()


def test_another_process_sees_a_change_with_its_next_unit_of_work(connection: Connection) -> None:
    one, other = Shared(lambda: NOW), Shared(lambda: NOW)
    assert UnitOfWork(connection, other).policies.all() == ()
    UnitOfWork(connection, one).policies.add(a_policy())
    assert len(UnitOfWork(connection, other).policies.all()) == 1


def test_what_has_ended_rests_no_answer(uow: UnitOfWork) -> None:
    uow.policies.add(a_policy(expires_on=date(2026, 11, 23)))
    assert uow.policies.search("稳岗补贴怎么申请", TODAY)[0].sure
    assert uow.policies.about("稳岗补贴怎么申请") == ()


def test_questions_are_listed_by_time_and_outcome_without_confidential_ones(
    uow: UnitOfWork,
) -> None:
    firm = EnterpriseId("E003")
    for number, confidential in ((1024, False), (1025, True)):
        ticket = a_ticket(number, enterprise_id=None, confidential=confidential)
        uow.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, None, ticket.body, NOW))
    for number in (1024, 1025):
        uow.policies.note(
            PolicyQuestion(NOW, "充电桩补多少", Answered.ANSWERED, None, firm, TicketNumber(number))
        )
    uow.policies.note(PolicyQuestion(NOW - timedelta(days=40), "早先的", Answered.UNANSWERED))
    span = (NOW - timedelta(days=1), NOW + timedelta(days=1))
    missing = (Answered.UNANSWERED, Answered.NOT_HELPED)
    assert uow.policies.asked(*span, missing) == ()
    for number in (1024, 1025):
        uow.policies.outcome(TicketNumber(number), Answered.NOT_HELPED)
    (only,) = uow.policies.asked(*span, missing)
    assert (only.ticket, only.text, only.enterprise_id) == (1024, "充电桩补多少", firm)
    found = uow.policies.question_of(TicketNumber(1024))
    assert found is not None
    assert found.outcome is Answered.NOT_HELPED
    assert uow.policies.question_of(TicketNumber(9)) is None


def test_who_looked_is_kept_once(uow: UnitOfWork) -> None:
    kept = uow.policies.add(a_policy())
    uow.people.save_person(replace(MANAGER, enterprise_id=None))
    for _ in range(2):
        uow.policies.opened(kept.id, MANAGER.id, NOW)
    assert uow.policies.interested(kept.id) == (MANAGER.id,)
