"""What was sent along is noted once, kept once and given out with its own ticket, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Connection, MetaData, Table, insert, text

from handlers.chat.attachments import Keeping, Loss
from handlers.chat.events import Attachment, AttachmentKind
from handlers.domain.announcement import AnnouncementId
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.people import Enterprise
from handlers.domain.ticket import Move, entry_of
from handlers.ports import TicketMessage
from storage.db import engine_for, writer_connection
from storage.migrate import check, upgrade
from storage.migrations.versions import __path__ as VERSIONS
from storage.uow import Shared, UnitOfWork
from tests.kit.builders import NOW, a_ticket

ONE, OTHER = TicketNumber(1001), TicketNumber(1002)
PICTURE = Attachment(AttachmentKind.IMAGE, "media:m1")
TABLE = Attachment(AttachmentKind.FILE, "media:m2", "用工表.xlsx")
PLACE = Attachment(AttachmentKind.LOCATION, "32.0,120.8", "西门")


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
    made.people.save_enterprise(Enterprise(EnterpriseId("E003"), "泓曜", "泓曜精密机械有限公司"))
    for number in (ONE, OTHER):
        ticket = a_ticket(number=number, code=f"LHG-20261124-{number}")
        source = replace(ticket.source, message_id=f"M{number}")
        ticket = replace(ticket, source=source)
        made.tickets.add(ticket, entry_of(None, ticket, Move.SUBMIT, None, "x", NOW))
    return made


def said(*sent: Attachment, platform: str = "wecom") -> TicketMessage:
    return TicketMessage(NOW, None, "张静", "见图", platform, "G1", "M1", sent)


def test_each_is_wanted_once_whatever_it_belongs_to(uow: UnitOfWork) -> None:
    uow.tickets.add_message(ONE, said(PICTURE, TABLE, PLACE))
    uow.tickets.add_message(ONE, said(PICTURE))
    uow.tickets.add_message(OTHER, said(PICTURE))
    uow.tickets.add_message(OTHER, said(PICTURE, platform="generic"))
    assert [f.name for f in uow.attachments.of(ONE)] == ["", "用工表.xlsx"]
    assert [f.platform for f in uow.attachments.of(OTHER)] == ["wecom", "generic"]
    taken = uow.attachments.take(10, 60.0)
    assert [(w.platform, w.attachment) for w in taken] == [
        ("wecom", PICTURE),
        ("wecom", TABLE),
        ("generic", PICTURE),
    ]
    assert uow.attachments.take(10, 60.0) == []
    assert uow.attachments.due(1) == []


def test_what_was_taken_comes_back_by_its_lease_or_when_given_back(uow: UnitOfWork) -> None:
    uow.tickets.add_message(ONE, said(PICTURE, TABLE))
    first, second = uow.attachments.take(10, -1.0)
    assert [w.attempts for w in uow.attachments.take(10, 60.0)] == [1, 1]
    uow.attachments.give_back([second.id])
    assert [w.id for w in uow.attachments.take(10, 60.0)] == [second.id]
    uow.attachments.again(first.id, -1.0)
    assert [(w.id, w.attempts) for w in uow.attachments.take(10, 60.0)] == [(first.id, 2)]


def test_the_same_bytes_are_kept_once_and_given_out_with_their_own_ticket(
    uow: UnitOfWork, connection: Connection
) -> None:
    uow.tickets.add_message(ONE, said(PICTURE))
    uow.tickets.add_message(OTHER, said(TABLE))
    first, second = uow.attachments.take(10, 60.0)
    uow.attachments.kept(first.id, "", "image/png", b"same")
    uow.attachments.kept(second.id, "用工表.xlsx", "application/octet-stream", b"same")
    assert connection.execute(text("SELECT COUNT(*) FROM files")).scalar() == 1
    (kept,) = uow.attachments.of(ONE)
    assert (kept.state, kept.content_type, kept.size) == (Keeping.KEPT, "image/png", 4)
    assert uow.attachments.body(ONE, first.id) == b"same"
    assert uow.attachments.body(OTHER, second.id) == b"same"
    assert uow.attachments.body(OTHER, first.id) is None
    uow.attachments.failed(first.id, Loss.EXPIRED)
    assert uow.attachments.of(ONE) == (kept,)


def test_what_is_lost_says_why_and_is_not_tried_again(
    uow: UnitOfWork, connection: Connection
) -> None:
    uow.tickets.add_message(ONE, said(PICTURE))
    (wanted,) = uow.attachments.take(10, -1.0)
    uow.attachments.failed(wanted.id, Loss.TOO_LARGE)
    (lost,) = uow.attachments.of(ONE)
    assert (lost.state, lost.loss) == (Keeping.FAILED, Loss.TOO_LARGE)
    assert uow.attachments.due(1) == []
    # Whoever had it all the same comes too late, and leaves nothing behind.
    uow.attachments.kept(wanted.id, "", "image/png", b"late")
    assert uow.attachments.of(ONE) == (lost,)
    assert uow.attachments.body(ONE, wanted.id) is None
    assert connection.execute(text("SELECT COUNT(*) FROM files")).scalar() == 0


def test_a_body_goes_when_nothing_refers_to_it(uow: UnitOfWork, connection: Connection) -> None:
    _announced(connection)
    number = AnnouncementId(7)
    same = uow.files.keep(b"same")
    file = uow.announcements.add_file(number, "图.png", "image/png", same)
    twin = uow.announcements.add_file(number, "又一张.png", "image/png", uow.files.keep(b"same"))
    assert (file.size, file.digest) == (4, same)
    uow.tickets.add_message(ONE, said(PICTURE))
    (wanted,) = uow.attachments.take(1, 60.0)
    uow.attachments.kept(wanted.id, "", "image/png", b"other")
    assert uow.announcements.file_body(number, file.id) == b"same"
    assert uow.announcements.drop_file(number, file.id)
    assert not uow.announcements.drop_file(number, file.id)
    assert uow.announcements.file_body(number, twin.id) == b"same"
    assert uow.announcements.drop_file(number, twin.id)
    kept = connection.execute(text("SELECT digest FROM files")).scalars().all()
    assert kept == [sha256(b"other").hexdigest()]


def test_what_came_of_no_ticket_is_forgotten_with_its_bytes(
    uow: UnitOfWork, connection: Connection
) -> None:
    uow.attachments.want("wecom", (PICTURE, TABLE))
    for wanted in uow.attachments.take(10, 60.0):
        uow.attachments.kept(wanted.id, "", "image/png", str(wanted.id).encode())
    uow.tickets.add_message(ONE, said(TABLE))
    uow.attachments.forget()
    assert connection.execute(text("SELECT COUNT(*) FROM attachments")).scalar() == 2
    connection.execute(text("UPDATE attachments SET wanted_at = wanted_at - 200000"))
    uow.attachments.forget()
    assert connection.execute(text("SELECT COUNT(*) FROM files")).scalar() == 1
    (kept,) = uow.attachments.of(ONE)
    assert kept.state is Keeping.KEPT


def _announced(connection: Connection) -> None:
    """An announcement as a row; what it says does not matter here."""
    put(connection, "people", id="P055", name="值班", role="office")
    put(connection, "announcements", id=7, author_id="P055")


def put(connection: Connection, into: str, **values: Any) -> None:
    """A row of a table as it is in this database: what is not named is of no matter."""
    table = Table(into, MetaData(), autoload_with=connection)
    plain: dict[type, Any] = {datetime: NOW.replace(tzinfo=None)}
    for column in table.columns:
        if column.name not in values and not column.nullable:
            kind = dict if isinstance(column.type, JSON) else column.type.python_type
            values[column.name] = plain[kind] if kind in plain else kind()
    connection.execute(insert(table).values(values))


def _before() -> str:
    """The revision that came before the one with attachments."""
    (folder,) = VERSIONS
    (path,) = Path(folder).glob("*_attachments.py")
    found: dict[str, Any] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), found)
    return str(found["down_revision"])


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    import psycopg

    server = request.getfixturevalue("postgres_server")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE before_attachments")
    yield f"{server}/before_attachments"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE before_attachments WITH (FORCE)")


@pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
def test_what_was_kept_before_is_kept_and_what_came_before_is_wanted(empty_url: str) -> None:
    upgrade(empty_url, _before())
    engine = engine_for(empty_url)
    sent = [["image", "feishu:image/om_1/img_1", ""], ["link", "https://x.invalid", ""]]
    with engine.begin() as connection:
        _announced(connection)
        connection.execute(
            text(
                "INSERT INTO announcement_files (announcement, name, content_type, size, body) "
                "VALUES (7, :name, 'image/png', 4, :body), (7, :name, 'image/png', 4, :body)"
            ),
            {"name": "图.png", "body": b"same"},
        )
        put(connection, "tickets", number=ONE, created_at=NOW.replace(tzinfo=None))
        for n in (1, 2):
            put(
                connection,
                "ticket_messages",
                id=n,
                number=ONE,
                platform="feishu",
                attachments=sent,
            )
    engine.dispose()
    upgrade(empty_url)
    check(empty_url)
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        uow = UnitOfWork(connection, Shared(lambda: NOW))
        number = AnnouncementId(7)
        files = uow.announcements.files(number)
        assert [uow.announcements.file_body(number, f.id) for f in files] == [b"same"] * 2
        assert connection.execute(text("SELECT COUNT(*) FROM files")).scalar() == 1
        (wanted,) = uow.attachments.take(10, 60.0)
        assert (wanted.platform, wanted.attachment.url) == ("feishu", "feishu:image/om_1/img_1")
        assert len(uow.attachments.of(ONE)) == 1
    engine.dispose()
