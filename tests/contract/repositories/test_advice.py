"""What the outside model said is kept beside the ticket; a title that changes is found anew."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import Connection, text

from handlers.domain.errors import BadInput
from handlers.domain.ids import TicketNumber
from handlers.domain.people import Enterprise, Identity
from handlers.domain.ticket import Kind, Move, Ticket, entry_of
from handlers.ports import Advice, Outcome, TicketQuery
from handlers.ports.policies import PolicyText
from handlers.services.advice import AdviceService
from handlers.understanding.masking import Masker
from handlers.understanding.proposals import proposal_of
from storage.db import engine_for, writer_connection
from storage.repos.search import index_new
from storage.uow import Batch, Shared, UnitOfWork
from tests.kit.builders import LIAISON, NOW, a_ticket

DAY = date(2026, 11, 24)


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
    firm = a_ticket().enterprise_id
    assert firm is not None
    made.people.save_enterprise(Enterprise(firm, "泓曜精密", "南通泓曜精密机械有限公司"))
    return made


def opened(uow: UnitOfWork) -> Ticket:
    number, _ = uow.tickets.next_number("test")
    ticket = a_ticket(number)
    uow.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, None, ticket.body, NOW))
    return ticket


def test_what_was_said_comes_back_as_it_was(uow: UnitOfWork) -> None:
    ticket, other = opened(uow), opened(uow)
    said = Advice(
        ticket.number, NOW, "m", Outcome.USED, '{"title": "甲"}', {"title": "甲", "parts": ["乙"]}
    )
    first = uow.advice.add(said)
    second = uow.advice.add(Advice(ticket.number, NOW, "m", Outcome.LATE, ""))
    uow.advice.add(Advice(other.number, NOW, "m", Outcome.INVALID, "好的"))
    assert uow.advice.get(first) == replace(said, id=first)
    assert [a.id for a in uow.advice.of(ticket.number)] == [first, second]
    assert uow.advice.get(999) is None
    assert uow.advice.of(TicketNumber(9)) == ()


def test_a_days_questions_run_out_and_the_next_day_has_its_own(uow: UnitOfWork) -> None:
    assert [uow.advice.spend(DAY, 2) for _ in range(3)] == [True, True, False]
    assert uow.advice.spend(date(2026, 11, 25), 2)
    # A larger budget, set meanwhile, counts from what is spent.
    assert [uow.advice.spend(DAY, 3) for _ in range(2)] == [True, False]
    assert not uow.advice.spend(date(2026, 11, 26), 0)


def test_only_what_was_not_rolled_back_is_told_as_opened(connection: Connection) -> None:
    batch = Batch()
    uow = UnitOfWork(connection, Shared(lambda: NOW), batch)
    firm = a_ticket().enterprise_id
    assert firm is not None
    uow.people.save_enterprise(Enterprise(firm, "泓曜精密", "南通泓曜精密机械有限公司"))
    kept = opened(uow)
    try:
        with uow.savepoint():
            opened(uow)
            raise BadInput("text_needed")
    except BadInput:
        pass
    assert batch.opened == [kept.number]


def test_a_ticket_is_found_by_its_new_title_and_no_more_by_the_old_one(uow: UnitOfWork) -> None:
    tickets = [opened(uow) for _ in range(12)]
    assert index_new(uow.connection) == 12
    before = tickets[3]
    after = replace(before, title="产线用人告急", version=before.version + 1)
    uow.tickets.save(after, entry_of(before, after, Move.RECLASSIFY, None, "", NOW))

    def found(words: str) -> list[TicketNumber]:
        return [t.number for t in uow.tickets.search(TicketQuery(text=words)).items]

    assert found("用人告急") == [before.number]
    again = replace(after, title="车间缺操作工", version=after.version + 1)
    uow.tickets.save(again, entry_of(after, again, Move.RECLASSIFY, None, "", NOW))
    assert found("用人告急") == []
    assert len(found("操作工")) == 12


class Library:
    """Two policies that fit every question."""

    def about(self, question: str) -> tuple[PolicyText, ...]:
        return (
            PolicyText("稳岗补贴办法", date(2026, 3, 1), "按每人1500元补贴"),
            PolicyText("就业专项资金细则", date(2025, 7, 9), "先登记后申领"),
        )


def test_a_draft_rests_on_policies_and_goes_to_the_handler_with_their_dates(
    connection: Connection,
) -> None:
    uow = UnitOfWork(connection, Shared(lambda: NOW, policies=Library()))
    firm = a_ticket().enterprise_id
    assert firm is not None
    uow.people.save_enterprise(Enterprise(firm, "泓曜精密", "南通泓曜精密机械有限公司"))
    uow.people.save_person(LIAISON)
    uow.people.save_identity(Identity("sandbox", "P041", LIAISON.id))
    number, _ = uow.tickets.next_number("test")
    ticket = a_ticket(number, kind=Kind.CONSULT, body="泓曜想问稳岗补贴怎么领")
    uow.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, None, ticket.body, NOW))
    service = AdviceService(uow, FakeNow())
    question = service.question(number, Masker(((firm, "泓曜精密", ("泓曜",), ""),), ()))
    assert question is not None and question.wants_draft
    answer = {
        "title": ticket.title, "category": "LAB", "problems": [ticket.title],
        "draft": "先登记，按每人1500元补贴",
    }  # fmt: skip
    proposal = proposal_of(json.dumps(answer), question.sent + "20", draft=True)
    assert proposal is not None
    assert service.keep(question, "m", Outcome.IGNORED, "raw", proposal) is Outcome.USED
    rows = connection.execute(text("SELECT content, chat_kind FROM outbox")).fetchall()
    assert len(rows) == 1
    told = str(rows[0][0])
    for words in ("请核对后再答复", "先登记，按每人1500元补贴", "《稳岗补贴办法》（2026-03-01）",
                  "以主管部门解释为准"):  # fmt: skip
        assert words in told or words.encode("unicode_escape").decode() in told
    assert rows[0][1] == "direct"


class FakeNow:
    def now(self) -> datetime:
        return NOW
