"""Invariants 6, 7, 9, 12, 35-39, 45, 46 on both databases."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.writer import Writer
from handlers.chat.events import UserRef
from handlers.chat.outbound import Content
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import AlreadyTaken, Refusal, StaleVersion
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import (
    Enterprise,
    Identity,
    Pairing,
    Person,
    Role,
)
from handlers.domain.ticket import Args, Entry, Move, Source, State, rebuilt
from handlers.ports import Outgoing
from handlers.services.people import Speaker
from handlers.services.tickets import Report, TicketService
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import CALENDAR, COLLEAGUE, LEADER, LIAISON, MANAGER, NOW, OFFICE


class Fixed:
    def now(self) -> Any:
        return NOW


FIXED = Fixed()


@pytest.fixture
async def writer(database_url: str) -> Any:
    made = Writer(engine_for(database_url), Shared(FIXED.now), most_waiting=20_000)
    made.start()
    await made.run(setup)
    yield made
    await made.stop()


def setup(uow: UnitOfWork) -> None:
    uow.people.save_enterprise(
        Enterprise(EnterpriseId("E003"), "泓曜精密", "南通泓曜精密机械有限公司")
    )
    for person in (LIAISON, LEADER, OFFICE, MANAGER, COLLEAGUE):
        uow.people.save_person(person)
        uow.people.save_identity(Identity("sandbox", person.id, person.id))
    for n in range(8):
        uow.people.save_person(Person(f"L{n}", f"领导{n}", Role.OFFICE))  # type: ignore[arg-type]
    uow.people.pair(Pairing(EnterpriseId("E003"), LIAISON.id, LEADER.id, NOW.replace(year=2025)))


def service(uow: UnitOfWork) -> TicketService:
    return TicketService(uow, FIXED, CALENDAR)


def submit(message: str, part: int = 1) -> Callable[[UnitOfWork], Any]:
    def work(uow: UnitOfWork) -> Any:
        source = Source("sandbox", "key-enterprises", message)
        report = Report(
            "缺操作工", "车间缺操作工20人", Category.LAB, Urgency.U3, EnterpriseId("E003"), MANAGER,
            "张经理", source, part=part, to_group=True,
        )  # fmt: skip
        return service(uow).submit(report, MANAGER)

    return work


def speaker(person: Person) -> Speaker:
    return Speaker(UserRef("sandbox", person.id), person, person.name)


async def test_6_of_many_claims_at_once_exactly_one_wins(writer: Writer) -> None:
    ticket = await writer.run(submit("m1"))
    people = await writer.read(lambda uow: uow.people.people(Role.OFFICE))

    def claim(person: Person) -> Callable[[UnitOfWork], Any]:
        def work(uow: UnitOfWork) -> Any:
            found = uow.tickets.get(ticket.number)
            return service(uow).act(found, Move.CLAIM, speaker(person))

        return work

    results = await asyncio.gather(
        *(writer.submit(claim(p)) for p in people), return_exceptions=True
    )
    won = [r for r in results if not isinstance(r, BaseException)]
    lost = [r for r in results if isinstance(r, AlreadyTaken)]
    assert (len(won), len(lost)) == (1, len(people) - 1)
    assert {r.values["owner_id"] for r in lost} == {won[0].owner_id}
    assert len(await writer.read(lambda uow: uow.tickets.history(ticket.number))) == 2


async def test_7_numbers_are_unique_and_never_reused_under_concurrency_and_rollback(
    writer: Writer,
) -> None:
    def doomed(uow: UnitOfWork) -> None:
        submit(f"d{random.random()}")(uow)
        raise RuntimeError("after the number was taken")

    pieces: list[Any] = []
    for n in range(120):
        pieces.append(writer.submit(doomed if n % 3 == 0 else submit(f"m{n}")))
    results = await asyncio.gather(*pieces, return_exceptions=True)
    numbers = [r.number for r in results if not isinstance(r, BaseException)]
    codes = {r.code for r in results if not isinstance(r, BaseException)}
    assert len(numbers) == 80 == len(set(numbers)) == len(codes)
    assert min(numbers) >= 1001


async def test_8_a_reply_to_a_merged_number_lands_once_on_the_live_ticket(writer: Writer) -> None:
    one, two = await writer.run(submit("m1")), await writer.run(submit("m2"))

    def merge(uow: UnitOfWork) -> Any:
        first, second = uow.tickets.get(one.number), uow.tickets.get(two.number)
        return service(uow).merge(first, second, speaker(OFFICE), "同一件事")

    merged = await writer.run(merge)
    assert merged.merged_into == two.number
    target = await writer.read(lambda uow: service(uow).live_target(uow.tickets.get(one.number)))
    assert target.number == two.number
    with pytest.raises(Refusal):
        await writer.run(
            lambda uow: service(uow).merge(
                uow.tickets.get(two.number), uow.tickets.get(one.number), speaker(OFFICE), "x"
            )
        )


async def test_9_merge_split_and_transfer_lose_no_message(writer: Writer) -> None:
    one, two = await writer.run(submit("m1")), await writer.run(submit("m2"))
    await writer.run(
        lambda uow: service(uow).merge(
            uow.tickets.get(one.number), uow.tickets.get(two.number), speaker(OFFICE), "同一件事"
        )
    )
    kept = await writer.read(lambda uow: uow.tickets.messages(one.number))
    joined = await writer.read(lambda uow: uow.tickets.messages(two.number))
    assert {m.message_id for m in kept} == {"m1"}
    assert {m.message_id for m in joined} == {"m1", "m2"}


async def test_5_history_alone_gives_every_row(writer: Writer) -> None:
    ticket = await writer.run(submit("m1"))
    moves = (
        (Move.CLAIM, LIAISON, Args()),
        (Move.PROGRESS, LIAISON, Args(text="已联系人社局安排专场")),
        (Move.ASK, LIAISON, Args(text="请说明工种")),
        (Move.REPLY, MANAGER, Args(text="数控十五人打磨五人")),
        (Move.SUPERVISE, LEADER, Args()),
        (Move.RESOLVE, LIAISON, Args(text="专场招聘到岗十二人")),
        (Move.RATE, MANAGER, Args(rating=2)),
        (Move.RESOLVE, LIAISON, Args(text="劳务公司补齐八人")),
        (Move.RATE, MANAGER, Args(rating=5)),
    )
    for what, person, args in moves:

        def work(
            uow: UnitOfWork, what: Move = what, person: Person = person, args: Args = args
        ) -> Any:
            return service(uow).act(uow.tickets.get(ticket.number), what, speaker(person), args)

        await writer.run(work)

    def compare(uow: UnitOfWork) -> tuple[Any, Any]:
        return uow.tickets.get(ticket.number), rebuilt(uow.tickets.history(ticket.number))

    row, again = await writer.read(compare)
    assert row == again
    assert (row.state, row.rating, row.cycle) == ("closed", 5, 2)


async def test_45_pressing_a_rating_again_changes_and_notifies_nothing(writer: Writer) -> None:
    ticket = await writer.run(submit("m1"))

    def rated(uow: UnitOfWork) -> Any:
        found = uow.tickets.get(ticket.number)
        return service(uow).act(found, Move.RATE, speaker(MANAGER), Args(rating=5))

    for what, person, args in (
        (Move.CLAIM, LIAISON, Args()),
        (Move.RESOLVE, LIAISON, Args(text="专场招聘到岗十二人")),
    ):
        await writer.run(
            lambda uow, what=what, person=person, args=args: service(uow).act(
                uow.tickets.get(ticket.number), what, speaker(person), args
            )
        )
    first = await writer.run(rated)
    told = await writer.read(lambda uow: uow.outbox.counts())
    second = await writer.run(rated)
    assert first == second
    assert await writer.read(lambda uow: uow.outbox.counts()) == told


async def test_38_state_history_and_outbox_commit_together_or_not_at_all(writer: Writer) -> None:
    ticket = await writer.run(submit("m1"))

    def counts(uow: UnitOfWork) -> list[int]:
        return [
            int(uow.connection.execute(text(f"SELECT COUNT(*) FROM {t}")).scalar_one())
            for t in ("tickets", "ticket_history", "outbox", "audit", "ticket_messages")
        ]

    before = await writer.read(counts)

    def half(uow: UnitOfWork) -> None:
        service(uow).act(uow.tickets.get(ticket.number), Move.CLAIM, speaker(LIAISON))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await writer.run(half)
    assert await writer.read(counts) == before
    assert (await writer.read(lambda uow: uow.tickets.get(ticket.number))).state == "open"


async def test_2_a_stale_version_is_refused_and_writes_nothing(writer: Writer) -> None:
    ticket = await writer.run(submit("m1"))

    def twice(uow: UnitOfWork) -> None:
        found = uow.tickets.get(ticket.number)
        service(uow).act(found, Move.CLAIM, speaker(LIAISON))
        uow.tickets.save(
            found,
            Entry(found.number, found.version, NOW, Move.CLAIM, None, "", "", None, found.state),
        )

    with pytest.raises(StaleVersion):
        await writer.run(twice)
    assert (await writer.read(lambda uow: uow.tickets.get(ticket.number))).version == 1


OPEN = frozenset({State.OPEN, State.IN_PROGRESS})


def of_the_firm(uow: UnitOfWork) -> list[tuple[str, str]]:
    found = uow.tickets.of_manager(MANAGER.id, EnterpriseId("E003"), OPEN)
    return [(ticket.code, ticket.state.value) for ticket in found]


async def test_what_was_undone_is_no_ticket_of_anybody(writer: Writer) -> None:
    def doomed(uow: UnitOfWork) -> None:
        ticket = submit("undone")(uow)
        assert of_the_firm(uow) == [(ticket.code, "open")]
        raise RuntimeError("power cut")

    pieces = [writer.submit(doomed), writer.submit(submit("m1")), writer.submit(of_the_firm)]
    lost, kept, found = await asyncio.gather(*pieces, return_exceptions=True)
    assert isinstance(lost, RuntimeError)
    assert found == [(kept.code, "open")] == await writer.run(of_the_firm)


async def test_what_another_process_did_is_seen_at_once(writer: Writer, database_url: str) -> None:
    ticket = await writer.run(submit("m1"))
    assert await writer.run(of_the_firm) == [(ticket.code, "open")]
    other = engine_for(database_url)
    with writer_connection(other) as connection, connection.begin():
        uow = UnitOfWork(connection, Shared(FIXED.now))
        service(uow).act(uow.tickets.get(ticket.number), Move.CLAIM, speaker(LIAISON))
    other.dispose()
    assert await writer.run(of_the_firm) == [(ticket.code, "in_progress")]


async def test_many_tickets_of_a_firm_are_all_found_newest_first(writer: Writer) -> None:
    opened = await asyncio.gather(*(writer.submit(submit(f"m{n}")) for n in range(520)))
    codes = [ticket.code for ticket in opened]
    found = [code for code, _ in await writer.run(of_the_firm)]
    # The store gives the newest five hundred.
    assert found == codes[:-501:-1]


async def test_the_whole_of_a_unit_of_work_happens_at_one_time(database_url: str) -> None:
    ticks = iter(NOW + timedelta(seconds=n) for n in range(1000))
    made = Writer(engine_for(database_url), Shared(lambda: next(ticks)))
    made.start()
    one, other = await made.run(lambda uow: (uow.clock.now(), uow.clock.now()))
    assert one == other < await made.run(lambda uow: uow.clock.now())
    await made.stop()


async def test_46_any_change_or_gap_in_the_audit_log_is_found(writer: Writer) -> None:
    for n in range(5):
        await writer.run(submit(f"m{n}"))
    assert await writer.read(lambda uow: uow.audit.verify()) is None
    for table in ("audit", "ticket_history"):
        for statement in (f"UPDATE {table} SET text = 'x'", f"DELETE FROM {table}"):
            sql = statement.replace("text =", "actor =") if table == "audit" else statement

            def tamper(uow: UnitOfWork, sql: str = sql) -> None:
                uow.connection.execute(text(sql))

            with pytest.raises(DBAPIError):
                await writer.run(tamper)
    await writer.run(unlock)
    await writer.run(
        lambda uow: uow.connection.execute(text("UPDATE audit SET actor='x' WHERE id=3"))
    )
    assert await writer.read(lambda uow: uow.audit.verify()) == 3
    await writer.run(lambda uow: uow.connection.execute(text("DELETE FROM audit WHERE id=2")))
    assert await writer.read(lambda uow: uow.audit.verify()) == 2


def unlock(uow: UnitOfWork) -> None:
    """What an attacker with the database's own rights could do."""
    if uow.connection.dialect.name == "sqlite":
        for what in ("update", "delete"):
            uow.connection.execute(text(f"DROP TRIGGER audit_no_{what}"))
    else:
        uow.connection.execute(text("DROP TRIGGER audit_only_grows ON audit"))


async def test_39_an_outbox_row_never_moves_back(writer: Writer) -> None:
    def put(uow: UnitOfWork) -> int:
        row = uow.outbox.put(Outgoing(Content("x"), person=LIAISON.id))
        assert row is not None
        return row

    row = await writer.run(put)

    def state(uow: UnitOfWork) -> str:
        return str(
            uow.connection.execute(
                text("SELECT state FROM outbox WHERE id = :id"), {"id": row}
            ).scalar()
        )

    await writer.run(lambda uow: uow.outbox.sent(row, "r"))
    for back in (
        lambda uow: uow.outbox.retry(row, 0, "x"),
        lambda uow: uow.outbox.dead(row, "x"),
        lambda uow: uow.outbox.superseded(row, "x"),
        lambda uow: uow.outbox.defer(row, 0),
        lambda uow: uow.outbox.release([row]),
    ):
        await writer.run(back)
        assert await writer.read(state) == "sent"
    assert await writer.run(lambda uow: uow.outbox.resend(row)) is False
    assert await writer.run(lambda uow: uow.outbox.claim(10, 5)) == []


async def test_a_message_to_nobody_reachable_is_dead_and_visible(writer: Writer) -> None:
    await writer.run(
        lambda uow: uow.outbox.put(Outgoing(Content("x"), person="L0"))  # type: ignore[arg-type]
    )
    page = await writer.read(lambda uow: uow.outbox.page("dead", 10, None))
    assert [row["error"] for row in page.items] == ["no_address"]


async def test_a_second_put_of_the_same_fact_is_harmless(writer: Writer) -> None:
    message = Outgoing(Content("x"), person=LIAISON.id, dedupe_key="t1:v1")
    first = await writer.run(lambda uow: uow.outbox.put(message))
    second = await writer.run(lambda uow: uow.outbox.put(message))
    assert first is not None
    assert second is None


async def test_ten_read_then_write_transactions_end_at_ten(database_url: str) -> None:
    """With the driver's own BEGIN they ended at 2 and nothing raised."""
    import threading

    from storage.db import writer_connection
    from storage.repos.counters import get_value, set_value

    engine = engine_for(database_url)

    def add() -> None:
        connection = writer_connection(engine)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE counters IN EXCLUSIVE MODE"))
            value = get_value(connection, "trap")
            set_value(connection, "trap", value + 1)
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert get_value(connection, "trap") == 10
    engine.dispose()


def test_tables_equal_migrations(database_url: str) -> None:
    from storage.migrate import check

    check(database_url)


def test_the_head_read_from_the_files_is_alembics_own() -> None:
    from alembic.script import ScriptDirectory

    from storage.migrate import _HERE, head

    assert head() == ScriptDirectory(str(_HERE)).get_current_head()


def test_a_newer_database_is_refused(sqlite_url: str) -> None:
    from storage.db import DatabaseError
    from storage.migrate import upgrade

    engine = engine_for(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseError):
        upgrade(sqlite_url)


def test_a_naive_time_is_refused() -> None:
    from datetime import datetime

    from sqlalchemy.dialects.sqlite import dialect

    from storage.types import UtcDateTime

    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), dialect())


async def test_the_registry_seen_after_a_rollback_is_the_one_on_disk(writer: Writer) -> None:
    def rename(uow: UnitOfWork) -> None:
        uow.people.save_person(Person(LIAISON.id, "改名", Role.LIAISON))
        assert uow.people.person(LIAISON.id).name == "改名"  # type: ignore[union-attr]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await writer.run(rename)
    assert (await writer.run(lambda uow: uow.people.person(LIAISON.id))).name == "联络员小周"
