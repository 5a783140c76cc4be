"""A message that must go: not said yet it never is, under way it is waited for, said it is undone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Card, Content
from handlers.domain.ids import TicketNumber
from handlers.domain.people import Identity
from handlers.ports import Lane, Outgoing
from storage.db import engine_for, writer_connection
from storage.repos.queue import Claimed
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import LIAISON

GROUP = ChatRef("feishu", "oc_1")
CARD = Card("ticket:1:group", "#1001", "缺工", "#1001 缺工")


@pytest.fixture
def uow(database_url: str) -> Iterator[UnitOfWork]:
    engine = engine_for(database_url)
    opened: Connection = writer_connection(engine)
    with opened.begin():
        found = UnitOfWork(opened, Shared())
        found.people.save_person(LIAISON)
        found.people.save_identity(Identity("feishu", "ou_1", LIAISON.id))
        yield found
    opened.close()
    engine.dispose()


def say(uow: UnitOfWork, content: Content = Content.of(CARD)) -> int:
    row = uow.outbox.put(
        Outgoing(content, chat=GROUP, chat_kind=ChatKind.GROUP, ticket=TicketNumber(1001))
    )
    assert row is not None
    return row


def state(uow: UnitOfWork, row: int) -> str:
    asked = text("SELECT state FROM outbox WHERE id = :id")
    return str(uow.connection.execute(asked, {"id": row}).scalar())


def due(uow: UnitOfWork) -> list[Claimed]:
    return [row for row in uow.outbox.claim(10, 0.0) if row.takes_back is not None]


def test_what_waits_is_not_said_and_needs_no_taking_back(uow: UnitOfWork) -> None:
    row = say(uow)
    uow.outbox.take_back(row, Content("x"))
    assert state(uow, row) == "superseded"
    assert uow.outbox.claim(10, 60) == []


def test_what_is_being_said_is_taken_back_by_the_name_it_then_has(uow: UnitOfWork) -> None:
    row = say(uow)
    uow.outbox.claim(1, 60)
    uow.outbox.take_back(row, Content("x"))
    (back,) = due(uow)
    assert back.takes_back is not None
    assert (back.takes_back.state, back.takes_back.refs) == (Lane.SENDING, ())
    uow.outbox.sent(row, "om_1", "om_1", ["om_2", "om_3"])
    (back,) = due(uow)
    assert back.takes_back is not None
    assert (back.takes_back.state, back.takes_back.refs) == (Lane.SENT, ("om_1", "om_2", "om_3"))
    assert (back.delivery.to.chat, back.delivery.to.kind) == (GROUP, ChatKind.GROUP)


def test_asked_twice_it_is_taken_back_once(uow: UnitOfWork) -> None:
    row = say(uow)
    uow.outbox.sent(row, "om_1")
    uow.outbox.take_back(row, Content("x"))
    uow.outbox.take_back(row, Content("x"))
    assert len(due(uow)) == 1


def test_what_is_gone_cannot_be_replaced_and_what_replaced_it_is_not_taken_back_again(
    uow: UnitOfWork,
) -> None:
    row = say(uow)
    uow.outbox.sent(row, "om_1", "om_1")
    newer = uow.outbox.put(
        Outgoing(Content.of(CARD), chat=GROUP, ticket=TicketNumber(1001), update=True)
    )
    assert newer is not None
    uow.outbox.sent(newer, "", "om_1")
    assert [s.id for s in uow.outbox.spoken_in_groups(TicketNumber(1001))] == [row]
    uow.outbox.sent(newer)
    uow.outbox.take_back(row, Content("x", CARD))
    (back,) = due(uow)
    assert back.delivery.update_ref == "om_1"
    assert back.delivery.in_place
    uow.outbox.gone(back.delivery.id)
    asked = text("SELECT ref, card_ref FROM outbox WHERE id = :id")
    assert tuple(uow.connection.execute(asked, {"id": row}).one()) == ("", "")


def test_what_is_said_instead_of_several_messages_is_said_to_a_person_once(
    uow: UnitOfWork,
) -> None:
    rows = [say(uow, Content(f"#1001 {n}")) for n in range(3)]
    for row in rows:
        uow.outbox.sent(row)
        uow.outbox.take_back(row, Content("撤不回了"), LIAISON.id)
    for back in due(uow):
        assert uow.outbox.say_instead(back.delivery.id)
        uow.outbox.superseded(back.delivery.id, "said_instead")
    asked = text("SELECT chat FROM outbox WHERE takes_back IS NULL AND state = 'waiting'")
    assert [tuple(r) for r in uow.connection.execute(asked)] == [("ou_1",)]


def test_without_words_nothing_is_said_instead(uow: UnitOfWork) -> None:
    row = say(uow)
    uow.outbox.sent(row)
    uow.outbox.take_back(row, Content("", CARD))
    (back,) = due(uow)
    assert not uow.outbox.say_instead(back.delivery.id)
