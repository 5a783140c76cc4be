"""Search by bigrams finds what LIKE finds, before, while and after the index catches up."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.people import Enterprise
from handlers.domain.ticket import Channel, Entry, Move, Source
from handlers.ports import TicketQuery
from storage.db import engine_for, writer_connection
from storage.repos.counters import set_value
from storage.repos.search import index_new, mark
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import MANAGER, NOW, a_ticket

WORDS = (
    "缺操作工", "异味", "蒸汽压力", "车间", "路灯坏了", "50% off", "a_b", "A栋", "b栋", "，", "\\", "港口 拥堵",
    "ＡＢ", "é", "É", "😀", "\n", "'", '"', "20人",
)  # fmt: skip
ASKED = (
    "缺工", "操作", "异味", "作工", "工车", "%", "0%", "a_", "_b", "axb", "a栋", "A栋", "栋", "😀", "，车", '"', "\\",
    "港口 拥", "0人", "LHG", "lhg-2026", "NEAR", "异味 OR 车间", "*", "1005", "泓曜", "精密", "不在这里", "é异",
)  # fmt: skip


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = engine_for(database_url)
    opened = writer_connection(engine)
    with opened.begin():
        yield opened
    opened.close()
    engine.dispose()


def fill(uow: UnitOfWork, count: int, seed: int) -> None:
    chance = random.Random(seed)
    firm = EnterpriseId("E003")
    uow.people.save_enterprise(Enterprise(firm, "泓曜精密", "南通泓曜精密机械有限公司"))
    for _ in range(count):
        number, _ = uow.tickets.next_number("test")
        ticket = replace(
            a_ticket(number),
            title="".join(chance.choices(WORDS, k=2)),
            body="".join(chance.choices(WORDS, k=5)),
            enterprise_id=firm if chance.random() < 0.1 else None,
            source=Source("sandbox", "k", f"m{number}", Channel.GROUP),
        )
        entry = Entry(number, 0, NOW, Move.SUBMIT, MANAGER.id, "张经理", "", None, ticket.state, {})
        uow.tickets.add(ticket, entry)


def found(uow: UnitOfWork, words: str) -> list[TicketNumber]:
    hits: list[TicketNumber] = []
    cursor = ""
    for _ in range(200):
        page = uow.tickets.search(TicketQuery(text=words, limit=7, cursor=cursor))
        hits += [ticket.number for ticket in page.items]
        if page.next is None:
            break
        cursor = page.next
    return hits


def by_like(connection: Connection, words: str) -> list[Any]:
    pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in words) + "%"
    like = "LIKE" if connection.dialect.name == "sqlite" else "ILIKE"
    said = " OR ".join(
        f"{c} {like} :p ESCAPE '\\'" for c in ("title", "body", "code", "short_name", "full_name")
    )
    rows = connection.execute(
        text(
            "SELECT number FROM tickets LEFT JOIN enterprises e ON e.id = enterprise_id "
            f"WHERE {said} OR number = :n ORDER BY number DESC"
        ),
        {"p": pattern, "n": int(words) if words.isdecimal() else -1},
    )
    return list(rows.scalars())


def test_search_finds_what_like_finds_whatever_is_indexed(connection: Connection) -> None:
    uow = UnitOfWork(connection, Shared(lambda: NOW))
    fill(uow, 150, seed=7)
    for expected in (0, 1150, 1150):
        assert mark(connection) == expected
        for words in ASKED:
            assert found(uow, words) == by_like(connection, words), words
        index_new(connection)
    fill(uow, 5, seed=8)
    assert index_new(connection) == 0
    assert found(uow, "异味") == by_like(connection, "异味")


def test_pages_neither_repeat_nor_skip_and_other_filters_still_hold(
    connection: Connection,
) -> None:
    uow = UnitOfWork(connection, Shared(lambda: NOW))
    fill(uow, 150, seed=9)
    index_new(connection)
    page = uow.tickets.search(
        TicketQuery(text="异味", enterprise_id=EnterpriseId("E003"), limit=200)
    )
    everything = by_like(connection, "异味")
    assert page.items
    assert {t.enterprise_id for t in page.items} == {"E003"}
    assert {t.number for t in page.items} <= set(everything)
    assert found(uow, "") == sorted(found(uow, ""), reverse=True)
    assert len(found(uow, "")) == 150


def test_a_rolled_back_batch_leaves_no_index_behind(connection: Connection) -> None:
    uow = UnitOfWork(connection, Shared(lambda: NOW))
    fill(uow, 100, seed=1)
    nested = connection.begin_nested()
    index_new(connection)
    nested.rollback()
    assert mark(connection) == 0
    assert index_new(connection) == 100
    assert found(uow, "异味") == by_like(connection, "异味")


def test_a_lost_mark_only_costs_time(connection: Connection) -> None:
    uow = UnitOfWork(connection, Shared(lambda: NOW))
    fill(uow, 100, seed=1)
    index_new(connection)
    set_value(connection, "search", 1050)
    assert found(uow, "异味") == by_like(connection, "异味")
