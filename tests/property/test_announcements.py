"""Properties 42 and 43: each approved firm at most once and nobody else, whatever stops the sending."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dispatcher import _admitted, _drop, still_true
from handlers.chat.outbound import Kind as MessageKind
from handlers.domain.announcement import (
    MOVES,
    Audience,
    Kind,
    Move,
    Progress,
    ReadBy,
    Route,
    State,
    TargetState,
    outcome,
    resolve,
)
from handlers.domain.category import Category
from handlers.domain.errors import Refusal
from handlers.domain.ids import EnterpriseId
from handlers.domain.people import Enterprise, Person
from handlers.ports import NO_LINKS
from handlers.services.announcements import Announcing, Draft
from storage.uow import UnitOfWork
from tests.kit.builders import BACKUP, CHIEF, LEADER, LIAISON, NOW, OFFICE
from tests.kit.office import FIRMS, Office

WRITERS = (OFFICE, CHIEF, LEADER)
PEOPLE = (*WRITERS, LIAISON, BACKUP)


class Sending:
    """One announcement in a database, its far end, and a process that may end at any point."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.number = 0
        # What firms were shown, by (round, person); what the records could not tell is in it too.
        self.shown: Counter[tuple[int, str]] = Counter()
        self.approved: dict[int, frozenset[str]] = {}
        self.leased: list[Any] = []

    def with_it(self, act: Callable[[Announcing, UnitOfWork], Any]) -> Any:
        def work(uow: UnitOfWork) -> Any:
            calendar = uow.calendar.current()
            return act(Announcing(uow, self.office.clock, calendar, NO_LINKS), uow)

        try:
            return self.office.work(work)
        except Refusal:
            return None

    def draft(self, firms: tuple[EnterpriseId, ...], by: Person, **more: Any) -> None:
        draft = Draft(
            Kind.NOTICE,
            "演练",
            "周五演练。",
            Audience(enterprises=firms),
            need_receipt=True,
            **more,
        )
        made = self.with_it(lambda announcing, uow: announcing.draft(by, draft))
        self.number = 0 if made is None else made.id

    def got(self) -> Any:
        return self.with_it(lambda announcing, uow: announcing.get(self.number))

    def approve(self, by: Person) -> None:
        self.with_it(lambda announcing, uow: announcing.approve(by, self.number))
        self.note_approved()

    def note_approved(self) -> None:
        made = self.got()
        if made.round and made.round not in self.approved:
            targets = self.with_it(lambda announcing, uow: announcing.targets(made))
            self.approved[made.round] = frozenset(t.enterprise_id for t in targets)

    def tick(self) -> None:
        def work(uow: UnitOfWork) -> None:
            calendar = uow.calendar.current()
            announcing = Announcing(uow, self.office.clock, calendar, NO_LINKS)
            for schedule in uow.schedules.due(self.office.clock.now()):
                from handlers.services.schedules import ScheduleService

                ScheduleService(uow, self.office.clock, calendar).run_due(
                    schedule.key, announcing.start
                )
            announcing.tick()

        self.office.work(work)
        self.note_approved()

    def claim(self) -> None:
        """As the dispatcher does: claim, look again, note that it goes out."""

        def work(uow: UnitOfWork) -> list[Any]:
            now, good = self.office.clock.now(), []
            for row in uow.outbox.claim(3, 60, ["sandbox"]):
                if row.delivery.content.kind is not MessageKind.ANNOUNCEMENT or row.is_update:
                    uow.outbox.superseded(row.delivery.id, "not_looked_at")
                elif row.begun:
                    uow.outbox.dead(row.delivery.id, "unsure:ended")
                elif why := still_true(row, uow, now):
                    _drop(uow, row, why, now)
                else:
                    good.append(row)
            admitted = _admitted(uow, good, now)
            for row in admitted:
                uow.outbox.begun(row.delivery.id)
            return admitted

        self.leased += self.office.work(work)

    def deliver(self, fate: str) -> None:
        if not self.leased:
            return
        row = self.leased.pop(0)
        made = self.got()
        if fate != "refused" and row.still.announcement == self.number:
            nudge = "您那边还没有看过" in row.delivery.content.text
            if not nudge:
                self.shown[made.round, row.notice.person] += 1
        if fate == "sent":
            self.office.work(lambda uow: uow.outbox.sent(row.delivery.id, f"r{row.delivery.id}"))
        elif fate == "refused":
            self.office.work(lambda uow: uow.outbox.dead(row.delivery.id, "permanent:404"))
        else:
            # It arrived, and the process ended before it could write that down.
            self.crash()

    def runs(self, deliveries: int) -> None:
        """The process goes on undisturbed for a while."""
        self.tick()
        self.claim()
        for _ in range(deliveries):
            self.deliver("sent")

    def pauses(self, seconds: int) -> None:
        """Somebody stops it and goes on later."""
        self.steer("pause", OFFICE)
        self.office.clock.value += timedelta(seconds=seconds)
        self.steer("resume", OFFICE)
        self.note_approved()

    def crash(self) -> None:
        from sqlalchemy import text

        self.leased = []
        self.office.work(
            lambda uow: uow.connection.execute(
                text("UPDATE outbox SET lease_until = 0, next_try = 0")
            )
        )
        self.with_it(lambda announcing, uow: announcing.after_a_break())

    def steer(self, what: str, by: Person) -> None:
        self.with_it(lambda announcing, uow: getattr(announcing, what)(by, self.number))

    def read(self, firm: EnterpriseId, by: ReadBy) -> None:
        def work(announcing: Announcing, uow: UnitOfWork) -> None:
            contact = uow.people.main_contact(firm)
            assert contact is not None
            made = announcing.get(self.number)
            if made.round:
                announcing.read(contact, made, by)

        self.with_it(work)

    def nudge(self, by: Person) -> None:
        self.with_it(lambda announcing, uow: announcing.nudge(by, announcing.get(self.number)))

    # ---- what must hold

    def progress(self) -> Progress:
        return self.with_it(
            lambda announcing, uow: announcing.progress(announcing.get(self.number))
        )

    def holds(self) -> None:
        made = self.got()
        for (round_, person), count in self.shown.items():
            assert count == 1, (round_, person)
            assert person.removesuffix("-1") in self.approved[round_]
        if made.state is not State.DRAFT and made.approver_id is not None:
            assert made.approver_id != made.author_id
        progress = self.progress()
        assert (
            progress.sent + progress.failed + progress.skipped + progress.waiting
            == progress.targets
        )
        assert 0 <= progress.read <= progress.sent
        if made.state in (State.SENT, State.WITHDRAWN, State.EXPIRED) and made.round:
            stored = self.with_it(lambda announcing, uow: announcing.targets(made))
            assert all(t.queued for t in stored)


STEPS = st.one_of(
    st.tuples(st.just("approve"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("runs"), st.integers(1, 4)),
    st.tuples(st.just("runs"), st.integers(1, 4)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("claim")),
    st.tuples(st.just("deliver"), st.sampled_from(("sent", "sent", "sent", "refused", "lost"))),
    st.tuples(st.just("crash")),
    st.tuples(st.just("pause"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("pauses"), st.sampled_from((1, 20, 300))),
    st.tuples(st.just("resume"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("withdraw"), st.sampled_from(WRITERS)),
    st.tuples(st.just("read"), st.sampled_from(FIRMS), st.sampled_from(list(ReadBy))),
    st.tuples(st.just("nudge"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("later"), st.sampled_from((1, 20, 300, 9000, 90_000))),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    firms=st.lists(st.sampled_from(FIRMS), min_size=1, max_size=5, unique=True),
    author=st.sampled_from(WRITERS),
    comes=st.sampled_from(("now", "later", "round")),
    agreed=st.booleans(),
    steps=st.lists(STEPS, min_size=8, max_size=50),
)
def sends_to_each_at_most_once(
    office: Office,
    firms: list[EnterpriseId],
    author: Person,
    comes: str,
    agreed: bool,
    steps: list[Any],
) -> None:
    office.clock.value = NOW  # type: ignore[assignment]
    office.crash_clean()  # type: ignore[attr-defined]
    sending = Sending(office)
    more: dict[str, Any] = {}
    if comes == "later":
        more["send_at"] = NOW + timedelta(minutes=5)
    elif comes == "round":
        more["rule"] = "每天 09:10"
    sending.draft(tuple(firms), author, **more)
    assert sending.number
    if agreed:
        sending.approve(next(p for p in WRITERS if p.id != author.id))
    for name, *arguments in steps:
        if name == "later":
            office.clock.value += timedelta(seconds=arguments[0])
        elif name in ("pause", "resume", "withdraw"):
            sending.steer(name, *arguments)
            sending.note_approved()
        else:
            getattr(sending, name)(*arguments)
        sending.holds()


def _clean(office: Office) -> None:
    """The rows and plans of the example before are out of the way."""
    from sqlalchemy import text

    def work(uow: UnitOfWork) -> None:
        for sql in (
            "UPDATE outbox SET state = 'superseded' WHERE state IN ('waiting','sending')",
            "UPDATE outbox SET sent_at = NULL",
            "UPDATE schedules SET next_at = NULL",
            "UPDATE announcements SET state = 'withdrawn', next_at = NULL",
        ):
            uow.connection.execute(text(sql))

    office.work(work)


def test_42_43_each_approved_firm_at_most_once_and_the_counts_add_up(database_url: str) -> None:
    with Office(database_url) as office:
        office.crash_clean = lambda: _clean(office)  # type: ignore[attr-defined]
        sends_to_each_at_most_once(office)


def test_42_all_is_reached_once_when_nothing_goes_wrong(database_url: str) -> None:
    with Office(database_url) as office:
        sending = Sending(office)
        sending.draft(FIRMS, OFFICE)
        sending.approve(CHIEF)
        for _ in range(20):
            sending.tick()
            sending.claim()
            while sending.leased:
                sending.deliver("sent")
        assert sending.got().state is State.SENT
        assert sending.progress() == Progress(5, 5, 0, 0, 0)
        assert sorted(sending.shown.values()) == [1] * 5


def test_42_two_processes_send_what_one_would(database_url: str) -> None:
    with Office(database_url) as office, office.second() as other:
        sending = Sending(office)
        sending.draft(FIRMS, OFFICE)
        sending.approve(CHIEF)
        twin = Sending(other)
        twin.number, twin.approved = sending.number, sending.approved
        for _ in range(10):
            for one in (sending, twin):
                one.tick()
                one.claim()
            for one in (twin, sending):
                while one.leased:
                    one.deliver("sent")
        assert sorted((sending.shown + twin.shown).values()) == [1] * 5


def test_42_nobody_approves_what_they_wrote(sqlite_url: str) -> None:
    with Office(sqlite_url) as office:
        for author in WRITERS:
            for by in PEOPLE:
                sending = Sending(office)
                sending.draft(FIRMS, author)
                sending.approve(by)
                went = sending.got().state is not State.DRAFT
                assert went == (by in WRITERS and by.id != author.id), (author.name, by.name)


# ---- the rules alone


@given(st.sampled_from(list(State)), st.sampled_from(list(Move)))
def test_only_the_tables_moves_change_the_state(state: State, move: Move) -> None:
    target = MOVES.get((state, move))
    ended = (State.WITHDRAWN, State.EXPIRED)
    assert target is None or state not in ended
    if target is State.SENDING:
        assert state in (State.APPROVED, State.PAUSED, State.SENT)


ENTERPRISES = st.builds(
    Enterprise,
    id=st.integers(1, 40).map(lambda n: EnterpriseId(f"E{n:03d}")),
    short_name=st.just("厂"),
    full_name=st.just("厂"),
    area=st.sampled_from(("洪港管理区", "长洪管理区", "东港管理区")),
    grid=st.integers(1, 9),
    scale=st.sampled_from(("规上", "规下")),
    hazardous=st.booleans(),
    is_key=st.booleans(),
    active=st.booleans(),
)
AUDIENCES = st.builds(
    Audience,
    everybody=st.booleans(),
    areas=st.lists(st.sampled_from(("洪港管理区", "长洪管理区")), max_size=2).map(tuple),
    grids=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    tags=st.lists(st.sampled_from(("危化", "重点")), max_size=2).map(tuple),
    scales=st.lists(st.sampled_from(("规上", "规下")), max_size=1).map(tuple),
    interests=st.lists(st.sampled_from((Category.LAB, Category.ENE)), max_size=1).map(tuple),
    enterprises=st.lists(st.just(EnterpriseId("E007")), max_size=1).map(tuple),
    excepted=st.lists(st.sampled_from([EnterpriseId(f"E{n:03d}") for n in range(1, 9)])).map(tuple),
)


@given(st.lists(ENTERPRISES, unique_by=lambda e: e.id), AUDIENCES)
def test_the_audience_is_who_fits_every_mark_or_is_named_and_is_not_excepted(
    firms: list[Enterprise], audience: Audience
) -> None:
    interested = {Category.LAB: frozenset({EnterpriseId("E003"), EnterpriseId("E009")})}
    found = {f.id for f in resolve(audience, firms, interested)}
    for firm in firms:
        likes = {c for c, ids in interested.items() if firm.id in ids}
        fits = audience.marks and all(
            (
                not audience.areas or firm.area in audience.areas,
                not audience.grids or firm.grid in audience.grids,
                not audience.tags
                or ("危化" in audience.tags and firm.hazardous)
                or ("重点" in audience.tags and firm.is_key),
                not audience.scales or firm.scale in audience.scales,
                not audience.interests or bool(likes & set(audience.interests)),
            )
        )
        meant = audience.everybody or firm.id in audience.enterprises or fits
        wanted = meant and firm.active and firm.id not in audience.excepted
        assert (firm.id in found) == wanted


@given(st.lists(st.sampled_from(("sent", "waiting", "sending", "dead", "superseded")), min_size=1))
def test_one_message_that_arrived_is_enough(rows: list[str]) -> None:
    found = outcome(rows)
    assert (found is TargetState.SENT) == ("sent" in rows)
    if found is TargetState.SKIPPED:
        assert set(rows) == {"superseded"}


@pytest.mark.parametrize("route", list(Route))
def test_a_liaison_never_writes_to_a_group(route: Route) -> None:
    from handlers.domain.announcement import may_write

    if route is Route.DIRECT:
        may_write(LIAISON, route, FIRMS, FIRMS)
        return
    with pytest.raises(Refusal):
        may_write(LIAISON, route, FIRMS, FIRMS)
