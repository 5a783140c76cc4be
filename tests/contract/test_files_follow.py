"""Files behind an announcement: in which order, what a fault costs, and what nobody is bothered with."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot import metrics
from bot.dispatcher import Dispatcher, Pace
from bot.platform import (
    Body,
    Capabilities,
    Decoded,
    Limit,
    Permanent,
    RawRequest,
    Receipt,
    Rejected,
    Say,
    SendError,
    Transient,
    Unreachable,
    Unsure,
)
from bot.writer import Writer
from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Address, Content, Delivery, Enclosure
from handlers.domain.announcement import AnnouncementId, Audience, Kind, Route
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Chat, Enterprise, Identity, Person, Role
from handlers.ports import NO_LINKS, Outgoing
from handlers.services.announcements import Announcing, Draft
from storage.db import engine_for
from storage.uow import Shared, UnitOfWork

# Ten in the morning in Shanghai.
NOW = datetime.fromisoformat("2026-11-24T02:00:00+00:00")
OFFICE, CHIEF = PersonId("P1"), PersonId("P2")
BODIES = (b"%PDF-1.4 form", b"\x89PNG map", b"%PDF-1.4 third", b"%PDF-1.4 fourth")
PACE = Pace(send_seconds=1.0, first_retry=0.01, longest_retry=0.05, attempts=4, bring_seconds=0.2)


class Porter:
    """A platform that carries files; `bringing` and `saying` are what the next ones meet."""

    name = "porter"
    hooks: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.can = Capabilities(True, False, False, True, True, 20_000, 1.0)
        self.said: list[tuple[str, str]] = []
        self.brought: list[tuple[str, bytes]] = []
        self.bringing: deque[SendError | asyncio.Event] = deque()
        self.saying: deque[SendError] = deque()
        self.words: deque[SendError] = deque()
        self.most = 100

    def decode(self, request: RawRequest) -> Decoded:
        raise Rejected(404, "no_hook")

    def limits(self, to: Address) -> tuple[Limit, ...]:
        return ()

    def lane(self, delivery: Delivery) -> str:
        return delivery.to.chat.id

    async def send(self, delivery: Delivery) -> Receipt:
        assert delivery.content.file is None
        if self.words:
            raise self.words.popleft()
        self.said.append((delivery.to.chat.id, delivery.content.kind.value))
        return Receipt(f"m{delivery.id}")

    def takes(self, to: Address, file: Enclosure) -> bool:
        return file.size <= self.most

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        if self.bringing:
            fault = self.bringing.popleft()
            if isinstance(fault, SendError):
                raise fault
            await fault.wait()
        self.brought.append((delivery.to.chat.id, await body()))

        async def say() -> Receipt:
            if self.saying:
                fault = self.saying.popleft()
                if isinstance(fault, Unsure):
                    # It arrived, and nobody was told so.
                    self.said.append((delivery.to.chat.id, file.name))
                raise fault
            self.said.append((delivery.to.chat.id, file.name))
            return Receipt(f"m{delivery.id}")

        return say

    async def close(self) -> None:
        return None


@dataclass
class Place:
    writer: Writer
    dispatcher: Dispatcher
    porter: Porter
    now: list[datetime] = field(default_factory=lambda: [NOW])
    left: float = 0.0

    async def approved(
        self, kind: Kind = Kind.NOTICE, bodies: tuple[bytes, ...] = BODIES[:2]
    ) -> int:
        """An announcement with these files to a firm alone and to its group; nothing sent yet."""

        def write(uow: UnitOfWork) -> int:
            announcing = Announcing(uow, uow.clock, uow.calendar.current(), NO_LINKS)
            draft = Draft(kind, "演练", "周五演练。", Audience(everybody=True), Route.BOTH)
            made = announcing.draft(uow.people.person(OFFICE), draft)  # type: ignore[arg-type]
            for n, body in enumerate(bodies):
                announcing.add_file(
                    "api", made.id, f"f{n}.pdf", "application/pdf", "", uow.files.keep(body)
                )
            announcing.approve(uow.people.person(CHIEF), made.id)  # type: ignore[arg-type]
            return int(made.id)

        return await self.writer.run(write)

    async def withdraw(self, number: int) -> None:
        def write(uow: UnitOfWork) -> None:
            announcing = Announcing(uow, uow.clock, uow.calendar.current(), NO_LINKS)
            announcing.withdraw(uow.people.person(CHIEF), AnnouncementId(number))  # type: ignore[arg-type]

        await self.writer.run(write)

    async def over(self) -> None:
        """Send until nothing waits."""
        for _ in range(100):
            await self.dispatcher.drain()
            counts = await self.writer.read(lambda uow: uow.outbox.waiting_counts())
            if not counts["waiting"] + counts["sending"]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(counts)

    def to(self, chat: str) -> list[str]:
        return [what for where, what in self.porter.said if where == chat]

    async def files(self) -> Counter[tuple[str, str]]:
        """State and reason of the files' rows."""
        page = await self.writer.read(lambda uow: uow.outbox.page("", 100, None))
        return Counter((r["state"], r["error"]) for r in page.items if r["kind"] == "file")

    async def dead(self) -> int:
        return (await self.writer.read(lambda uow: uow.outbox.waiting_counts())).get("dead", 0)

    def left_to_page(self) -> float:
        named = {"platform": "porter"}
        return (
            metrics.registry.get_sample_value("lhg_files_left_to_page_total", named) or 0
        ) - self.left


def people(uow: UnitOfWork) -> None:
    uow.people.save_person(Person(OFFICE, "办公室", Role.OFFICE))
    uow.people.save_person(Person(CHIEF, "负责人", Role.CHIEF))
    uow.chats.save_chat(Chat("porter", "room", "大群", "group", registered=True))
    firm = EnterpriseId("E1")
    uow.people.save_enterprise(Enterprise(firm, "厂", "南通厂", group="大群"))
    uow.people.save_person(Person(PersonId("E1-1"), "经理", Role.MANAGER, enterprise_id=firm))
    uow.people.save_identity(Identity("porter", "boss", PersonId("E1-1")))


@asynccontextmanager
async def placed(url: str, porter: Porter | None = None, new: bool = True) -> AsyncIterator[Place]:
    """Nothing is sent by itself, only by `over`."""
    now = [NOW]
    writer = Writer(engine_for(url), Shared(lambda: now[0], ("porter",)))
    writer.start()
    porter = porter or Porter()
    dispatcher = Dispatcher(writer, {"porter": porter}, lambda: now[0], PACE)
    place = Place(writer, dispatcher, porter, now)
    place.left = place.left_to_page()
    try:
        if new:
            await writer.run(people)
        yield place
    finally:
        await dispatcher.stop()
        await writer.stop()


async def test_files_come_behind_the_words_and_count_as_the_same_notice(database_url: str) -> None:
    async with placed(database_url) as place:
        await place.approved()
        await place.over()
        for chat in ("room", "boss"):
            assert place.to(chat) == ["announcement", "f0.pdf", "f1.pdf"]
        assert {body for _, body in place.porter.brought} == set(BODIES[:2])
        noticed = await place.writer.read(
            lambda uow: uow.outbox.noticed(PersonId("E1-1"), NOW - timedelta(days=1), frozenset())
        )
        assert len(noticed) == 1


async def test_at_most_three_come_and_what_is_not_taken_is_left_to_the_page(
    sqlite_url: str,
) -> None:
    async with placed(sqlite_url) as place:
        large = b"%PDF" + b"0" * 200
        await place.approved(bodies=(large, *BODIES))
        await place.over()
        assert place.to("boss") == ["announcement", "f1.pdf", "f2.pdf", "f3.pdf"]
        assert place.left_to_page() == 2.0


@pytest.mark.parametrize(
    "fault", [Transient("busy"), Transient("429", 0.01), Unsure("timeout"), Unsure("x", True)]
)
async def test_a_file_is_brought_again_after_a_fault_and_told_once(
    sqlite_url: str, fault: SendError
) -> None:
    async with placed(sqlite_url) as place:
        place.porter.bringing.extend([fault, fault, asyncio.Event()])
        await place.approved()
        await place.over()
        assert place.to("boss") == ["announcement", "f0.pdf", "f1.pdf"]
        assert place.to("room") == ["announcement", "f0.pdf", "f1.pdf"]


async def test_a_file_that_is_refused_ends_without_bothering_anybody(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        place.porter.bringing.append(Permanent("type"))
        place.porter.saying.extend([Permanent("content"), Unreachable("gone")])
        await place.approved()
        await place.over()
        assert await place.files() == Counter(
            {
                ("superseded", "left_to_page:permanent:type"): 1,
                ("superseded", "left_to_page:permanent:content"): 1,
                ("superseded", "left_to_page:unreachable:gone"): 1,
                ("sent", ""): 1,
            }
        )
        assert await place.dead() == 0
        assert place.left_to_page() == 3.0
        rows = await place.writer.read(lambda uow: uow.outbox.page("", 100, None))
        # Nobody is told of it: the words of the announcement in two chats and the four files.
        assert len(rows.items) == 6


async def test_a_file_that_may_have_arrived_is_not_told_again(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        place.porter.saying.append(Unsure("timeout", repeatable=True))
        await place.approved()
        await place.over()
        assert Counter(place.porter.said) == Counter(
            (chat, what)
            for chat in ("room", "boss")
            for what in ("announcement", "f0.pdf", "f1.pdf")
        )
        assert (await place.files())["superseded", "left_to_page:unsure:timeout"] == 1


async def test_a_file_that_was_just_going_out_when_the_process_died_is_not_told_again(
    sqlite_url: str,
) -> None:
    async with placed(sqlite_url) as place:
        place.porter.bringing.extend([Transient("busy", 0.05)] * 2)
        await place.approved()
        await place.dispatcher.drain()

        def going(uow: UnitOfWork) -> bool:
            rows = uow.outbox.claim(1, 0.0, ["porter"])
            for row in rows:
                uow.outbox.begun(row.delivery.id)
            return bool(rows)

        while not await place.writer.run(going):
            await asyncio.sleep(0.01)
        await place.over()
        ended = await place.files()
        assert (ended["superseded", "left_to_page:unsure:ended"], ended["sent", ""]) == (1, 3)
        assert await place.dead() == 0


async def test_where_the_words_do_not_arrive_no_file_does(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        place.porter.words.extend([Permanent("no"), Permanent("no")])
        await place.approved()
        await place.over()
        assert place.porter.said == []
        assert await place.files() == Counter()


async def test_no_words_wait_for_a_file_that_is_being_brought(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        held = asyncio.Event()
        place.porter.bringing.extend([held, held])
        await place.approved()
        sending = asyncio.create_task(place.over())
        while len(place.porter.said) < 2 or place.porter.bringing:
            await asyncio.sleep(0.005)
        said = Outgoing(Content("急事"), chat=ChatRef("porter", "room"), chat_kind=ChatKind.GROUP)
        await place.writer.run(lambda uow: uow.outbox.put(said))
        place.dispatcher.start()
        for _ in range(100):
            if len(place.porter.said) == 3:
                break
            await asyncio.sleep(0.005)
        assert place.to("room") == ["announcement", "message"]
        held.set()
        await sending
        assert place.to("room") == ["announcement", "message", "f0.pdf", "f1.pdf"]


async def test_what_is_withdrawn_while_its_file_is_brought_is_not_told(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        held = asyncio.Event()
        place.porter.bringing.extend([held] * 2)
        number = await place.approved()
        sending = asyncio.create_task(place.over())
        while len(place.porter.said) < 2 or place.porter.bringing:
            await asyncio.sleep(0.005)
        await place.withdraw(number)
        held.set()
        await sending
        assert [what for _, what in place.porter.said if what.startswith("f")] == []


async def test_after_a_restart_between_words_and_files_each_comes_once(database_url: str) -> None:
    porter = Porter()
    async with placed(database_url, porter) as place:
        porter.bringing.extend([Transient("busy", 0.3)] * 2)
        await place.approved()
        await place.dispatcher.drain()
        assert Counter(what for _, what in porter.said) == Counter({"announcement": 2})
    async with placed(database_url, porter, new=False) as place:
        await place.over()
        for chat in ("room", "boss"):
            assert place.to(chat) == ["announcement", "f0.pdf", "f1.pdf"]


async def test_a_file_that_has_not_come_by_the_evening_does_not_come_in_the_night(
    sqlite_url: str,
) -> None:
    async with placed(sqlite_url) as place:
        porter = place.porter
        porter.bringing.extend([Transient("busy", 0.05)] * 2)
        await place.approved()
        await place.dispatcher.drain()
        place.now[0] = NOW + timedelta(hours=13)
        await place.over()
        assert set(await place.files()) == {("superseded", "expired")}


async def test_a_warning_in_the_night_has_its_files_with_it(sqlite_url: str) -> None:
    async with placed(sqlite_url) as place:
        place.now[0] = NOW + timedelta(hours=13)
        await place.approved(Kind.WARNING)
        await place.over()
        assert place.to("boss") == ["announcement", "f0.pdf", "f1.pdf"]
