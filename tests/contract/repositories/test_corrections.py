"""What was put right, and the office's words, as both databases keep them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.domain.ids import TicketNumber
from handlers.domain.ticket import Entry, Move
from handlers.ports import Correction, CorrectionKind, Gathered, Labels, WordRow
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import MANAGER, NOW, a_ticket

READ = Labels("new_problem", True, "LAB", "U3", "泓曜精密")
RIGHT = replace(READ, category="LOG")
NOTHING = Labels("chatter", False)
MADE = Correction(
    NOW,
    CorrectionKind.RECLASSIFIED,
    "sandbox",
    "m1",
    1,
    None,
    "货车进不来，联系138****1234",
    "manager",
    "text",
    READ,
    RIGHT,
    "P041",
)


@pytest.fixture
def uow(database_url: str) -> Iterator[UnitOfWork]:
    engine = engine_for(database_url)
    connection = writer_connection(engine)
    with connection.begin():
        yield UnitOfWork(connection, Shared(lambda: NOW))
    connection.close()
    engine.dispose()


def a_message(count: int, **more: object) -> Correction:
    """A correction of a message of its own."""
    return replace(MADE, message_id=f"m{count}", text=f"第{count}句话", **more)  # type: ignore[arg-type]


def test_a_correction_reads_back_as_it_was_kept(uow: UnitOfWork) -> None:
    uow.corrections.add(MADE)
    (read,) = uow.corrections.all()
    assert replace(read, id=0) == MADE
    assert uow.corrections.newest_id() == read.id > 0


def test_an_example_is_a_row_of_the_corpus(uow: UnitOfWork) -> None:
    uow.corrections.add(MADE)
    uow.corrections.add(a_message(2, kind=CorrectionKind.NOT_A_PROBLEM, right=NOTHING))
    problem, talk = uow.corrections.examples()
    assert (problem["text"], problem["category"], problem["urgency"]) == (MADE.text, "LOG", "U3")
    assert problem["items"] == [{"category": "LOG", "urgency": "U3", "expected_title": None}]
    assert (talk["is_ticket"], talk["items"], talk["intent"]) == (False, [], "chatter")
    from handlers.understanding.training import example

    assert example(problem).is_ticket and not example(talk).is_ticket


@pytest.mark.parametrize(
    ("role", "known"),
    [
        ("grid_chief", "liaison"),
        ("chief", "leader"),
        ("department", "department"),
        ("x", "manager"),
    ],
)
def test_the_roles_are_those_that_the_corpus_knows(uow: UnitOfWork, role: str, known: str) -> None:
    uow.corrections.add(replace(MADE, role=role))
    assert uow.corrections.examples()[0]["role"] == known


def test_of_one_message_the_last_word_holds_and_the_first_reading_stays(uow: UnitOfWork) -> None:
    uow.corrections.add(MADE)
    uow.corrections.add(replace(MADE, read=RIGHT, right=replace(READ, category="ENV")))
    uow.corrections.add(replace(MADE, part=2, text="另一件事"))
    one, two = uow.corrections.examples()
    assert (one["read"]["category"], one["category"]) == ("LAB", "ENV")
    assert two["text"] == "另一件事"


def test_of_the_same_words_the_last_one_holds(uow: UnitOfWork) -> None:
    uow.corrections.add(MADE)
    uow.corrections.add(replace(MADE, message_id="m9", right=replace(READ, category="ENV")))
    assert [row["category"] for row in uow.corrections.examples()] == ["ENV"]
    uow.corrections.add(replace(MADE, message_id="m10", text="  "))
    assert len(uow.corrections.examples()) == 1


def test_what_only_its_thread_tells_is_no_example_of_its_text(uow: UnitOfWork) -> None:
    uow.corrections.add(replace(MADE, kind=CorrectionKind.JOINED, right=NOTHING))
    assert uow.corrections.examples() == []
    assert len(uow.corrections.examples(threads=True)) == 1
    assert uow.corrections.gathered() == Gathered(0)
    uow.corrections.add(replace(MADE, kind=CorrectionKind.PARTED, right=READ))
    assert [row["correction"] for row in uow.corrections.examples()] == ["parted"]


def test_a_confidential_ticket_teaches_nothing(uow: UnitOfWork) -> None:
    for number in (1024, 1025):
        ticket = a_ticket(number, confidential=number == 1025, enterprise_id=None, reporter_id=None)
        ticket = replace(ticket, owner_id=None)
        entry = Entry(
            ticket.number, 0, NOW, Move.SUBMIT, MANAGER.id, "", "", None, ticket.state, {}
        )
        uow.tickets.add(ticket, entry)
        uow.corrections.add(a_message(number, number=TicketNumber(number)))
    assert [row["text"] for row in uow.corrections.examples()] == ["第1024句话"]
    assert uow.corrections.gathered().examples == 1


def test_what_has_gathered_counts_from_the_last_training(uow: UnitOfWork) -> None:
    assert uow.corrections.gathered() == Gathered(0)
    for number in range(3):
        uow.corrections.add(a_message(number))
    uow.corrections.add(a_message(7, right=NOTHING))
    uow.corrections.add(a_message(8, right=replace(READ, enterprise="玖晟电子")))
    assert uow.corrections.gathered() == Gathered(5, ("LAB", "LOG"), 3)
    uow.corrections.mark_trained(uow.corrections.newest_id())
    assert uow.corrections.gathered() == Gathered(0)
    assert len(uow.corrections.examples()) == 5
    uow.corrections.add(a_message(9, right=replace(READ, urgency="U1")))
    uow.corrections.add(a_message(0, right=NOTHING))
    assert uow.corrections.gathered() == Gathered(2, ("LAB", "none"), 1)
    assert uow.corrections.trained() < uow.corrections.newest_id()


def test_words_are_saved_changed_and_dropped(uow: UnitOfWork) -> None:
    assert (uow.words.rows(), uow.words.version()) == ((), 0)
    row = WordRow("蒸汽管网", "ENE", 4.0, "P055", NOW)
    uow.words.save(row)
    first = uow.words.version()
    assert uow.words.rows() == (row,)
    later = replace(row, weight=0.0, at=NOW + timedelta(hours=1))
    uow.words.save(later)
    uow.words.save(replace(row, category="INF"))
    assert uow.words.rows() == (later, replace(row, category="INF"))
    assert uow.words.version() not in (0, first)
    assert uow.words.drop("蒸汽管网", "INF")
    second = uow.words.version()
    assert not uow.words.drop("蒸汽管网", "INF")
    assert uow.words.version() == second
    assert uow.words.rows() == (later,)


def test_words_of_a_rolled_back_unit_of_work_are_not_remembered(uow: UnitOfWork) -> None:
    part = UnitOfWork(uow.connection, uow.shared, uow.batch)

    def fails() -> None:
        with part.savepoint():
            part.words.save(WordRow("蒸汽管网", "ENE", 4.0, "P055", NOW))
            assert len(part.words.rows()) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert UnitOfWork(uow.connection, uow.shared, uow.batch).words.rows() == ()
