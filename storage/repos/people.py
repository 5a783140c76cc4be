"""Firms, people, pairings and accounts; read from a snapshot that knows when it is old."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from handlers.chat.events import UserRef
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import (
    OFFICE_ROLES,
    Enterprise,
    Identity,
    Leave,
    Pairing,
    Person,
    Role,
    Shift,
    Standing,
)
from storage.repos.counters import Versions
from storage.repos.notes import NoteStore
from storage.tables.people import (
    AreaRow,
    EnterpriseRow,
    GridRow,
    IdentityRow,
    PairingRow,
    PersonRow,
)
from storage.tables.schedules import DutyShiftRow, LeaveRow

_E: Final[Any] = EnterpriseRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_P: Final[Any] = PersonRow.__table__  # type: ignore[attr-defined]
_R: Final[Any] = PairingRow.__table__  # type: ignore[attr-defined]
_I: Final[Any] = IdentityRow.__table__  # type: ignore[attr-defined]
_A: Final[Any] = AreaRow.__table__  # type: ignore[attr-defined]
_G: Final[Any] = GridRow.__table__  # type: ignore[attr-defined]
_S: Final[Any] = DutyShiftRow.__table__  # type: ignore[attr-defined]
_L: Final[Any] = LeaveRow.__table__  # type: ignore[attr-defined]
# A note of the product's own, and what it is about.
_OURS: Final = ""
_HEARD: Final = "heard:"
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Snapshot:
    """The registry as one version of the database tells it."""

    version: int = -1
    people: dict[str, Person] = field(default_factory=dict)
    enterprises: dict[str, Enterprise] = field(default_factory=dict)
    pairings: dict[str, list[Pairing]] = field(default_factory=dict)
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    accounts: dict[str, list[Identity]] = field(default_factory=dict)
    contacts: dict[str, list[Person]] = field(default_factory=dict)
    # Each with the span in which nobody concerned goes on leave or comes back.
    standings: dict[str, tuple[datetime, datetime, Standing]] = field(default_factory=dict)
    shifts: list[Shift] = field(default_factory=list)
    leaves: dict[str, list[Leave]] = field(default_factory=dict)
    staff: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class RegistryCache:
    """One snapshot a process; every change of the registry writes a new random version."""

    snapshot: Snapshot = field(default_factory=Snapshot)


def _load(connection: Connection, version: int) -> Snapshot:
    snapshot = Snapshot(version)
    for row in connection.execute(select(_E).order_by(_E.c.id)):
        read = dict(row._mapping)
        read["group"] = read.pop("group_name")
        read["aliases"] = tuple(read["aliases"])
        snapshot.enterprises[row.id] = Enterprise(**read)
    for row in connection.execute(select(_P).order_by(_P.c.id)):
        read = dict(row._mapping)
        read["role"] = Role(read["role"])
        person = Person(**read)
        snapshot.people[person.id] = person
        if person.role is Role.MANAGER and person.enterprise_id is not None:
            snapshot.contacts.setdefault(person.enterprise_id, []).append(person)
        elif person.is_staff:
            snapshot.staff.append(person)
    for row in connection.execute(select(_R).order_by(_R.c.id)):
        read = dict(row._mapping)
        del read["id"]
        snapshot.pairings.setdefault(row.enterprise_id, []).append(Pairing(**read))
    by_trust = (_I.c.confirmed.desc(), _I.c.platform, _I.c.user_id)
    for row in connection.execute(select(_I).order_by(*by_trust)):
        identity = Identity(**row._mapping)
        snapshot.identities[(identity.platform, identity.user_id)] = identity
        snapshot.accounts.setdefault(identity.person_id, []).append(identity)
    for row in connection.execute(select(_S).order_by(_S.c.starts_at, _S.c.id)):
        snapshot.shifts.append(Shift(row.person_id, row.starts_at, row.ends_at))
    for row in connection.execute(select(_L).order_by(_L.c.starts_at, _L.c.id)):
        leave = Leave(row.person_id, row.starts_at, row.ends_at, row.note)
        snapshot.leaves.setdefault(leave.person_id, []).append(leave)
    for contacts in snapshot.contacts.values():
        contacts.sort(key=lambda p: (len(p.id), p.id))
    return snapshot


class SqlPeopleStore:
    def __init__(
        self,
        connection: Connection,
        cache: RegistryCache,
        versions: Versions,
        clock: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._cache = cache
        self._versions = versions
        self._read: Snapshot | None = None

    @property
    def _now(self) -> Snapshot:
        """Kept for the whole unit of work: another thread may meanwhile put a newer one there."""
        if self._read is not None:
            return self._read
        snapshot = self._cache.snapshot
        version = self._versions.of(self._connection, "registry")
        if snapshot.version != version:
            snapshot = _load(self._connection, version)
            self._cache.snapshot = snapshot
        self._read = snapshot
        return snapshot

    def changed(self) -> None:
        """Every snapshot of an older version is void."""
        self._versions.change(self._connection, "registry")
        self._read = None

    def registry_version(self) -> int:
        return self._now.version

    # ---- people

    def person(self, person_id: PersonId) -> Person | None:
        return self._now.people.get(person_id)

    def people(
        self, role: Role | None = None, enterprise_id: EnterpriseId | None = None
    ) -> tuple[Person, ...]:
        found: Iterable[Person]
        if enterprise_id is not None:
            found = self._now.contacts.get(enterprise_id, ())
        else:
            found = self._now.people.values()
        return tuple(p for p in found if role is None or p.role is role)

    def save_person(self, person: Person) -> None:
        values = asdict(person)
        values["role"] = person.role.value
        self._put(_P, _P.c.id == person.id, values)

    def _put(self, table: Any, where: Any, values: dict[str, Any]) -> None:
        if self._connection.execute(update(table).where(where).values(values)).rowcount == 0:
            self._connection.execute(insert(table).values(values))
        self.changed()

    def by_name(self, name: str) -> tuple[Person, ...]:
        wanted = name.strip()
        if not wanted:
            return ()
        return tuple(
            p
            for p in self._now.people.values()
            if p.active and p.is_staff and (p.id == wanted or p.name.endswith(wanted))
        )

    def next_contact_id(self, enterprise_id: EnterpriseId) -> PersonId:
        taken = {p.id for p in self._now.contacts.get(enterprise_id, ())}
        number = 1
        while f"{enterprise_id}-{number}" in taken:
            number += 1
        return PersonId(f"{enterprise_id}-{number}")

    def duty_person(self, at: datetime | None = None) -> Person | None:
        at = at or self._clock()
        snapshot = self._now
        office = [p for p in snapshot.staff if p.active and p.role in OFFICE_ROLES]
        here = {p.id: p for p in office if not self.is_away(p.id, at)}
        for shift in snapshot.shifts:
            if shift.starts_at <= at < shift.ends_at and shift.person_id in here:
                return here[shift.person_id]
        # Nobody of the rota: whoever is marked, and an office that is all on leave still answers.
        for among in (list(here.values()), office):
            for person in among:
                if person.on_duty:
                    return person
            first = next((p for p in among if p.role is Role.OFFICE), None)
            if first is not None:
                return first
        return None

    # ---- duty and leave

    def shifts(self) -> tuple[Shift, ...]:
        return tuple(self._now.shifts)

    def add_shift(self, shift: Shift) -> None:
        self._connection.execute(insert(_S).values(asdict(shift)))
        self.changed()

    def drop_shift(self, shift: Shift) -> None:
        self._connection.execute(
            delete(_S).where(
                _S.c.person_id == shift.person_id,
                _S.c.starts_at == shift.starts_at,
                _S.c.ends_at == shift.ends_at,
            )
        )
        self.changed()

    def leaves(self, person_id: PersonId | None = None) -> tuple[Leave, ...]:
        known = self._now.leaves
        if person_id is not None:
            return tuple(known.get(person_id, ()))
        return tuple(leave for one in known.values() for leave in one)

    def add_leave(self, leave: Leave) -> None:
        self._connection.execute(insert(_L).values(asdict(leave)))
        self.changed()

    def drop_leave(self, leave: Leave) -> None:
        self._connection.execute(
            delete(_L).where(
                _L.c.person_id == leave.person_id,
                _L.c.starts_at == leave.starts_at,
                _L.c.ends_at == leave.ends_at,
            )
        )
        self.changed()

    def is_away(self, person_id: PersonId, at: datetime) -> bool:
        person = self._now.people.get(person_id)
        if person is None or not person.active or person.on_leave:
            return True
        return any(leave.holds(at) for leave in self._now.leaves.get(person_id, ()))

    def stand_in(self, person_id: PersonId, at: datetime) -> Person | None:
        line = self._line(person_id, at)
        return next((p for p in line[1:] if self._here(p, at)), None)

    def _in_force(self, line: list[Person], at: datetime) -> frozenset[PersonId]:
        """Who stands in for the first of a line; nobody where that one is here."""
        return frozenset(p.id for p in line[1:] if self._here(p, at))

    def _here(self, person: Person, at: datetime) -> bool:
        return not self.is_away(person.id, at)

    def _line(self, person_id: PersonId, at: datetime) -> list[Person]:
        """Somebody, and who stands in, as far as each one before is away."""
        people = self._now.people
        line: list[Person] = []
        person = people.get(person_id)
        while person is not None and person not in line:
            line.append(person)
            if self._here(person, at):
                break
            person = people.get(person.backup_person_id or "")
        return line

    def chief(self) -> Person | None:
        return next(
            (p for p in self._now.people.values() if p.active and p.role is Role.CHIEF), None
        )

    # ---- firms

    def enterprise(self, enterprise_id: EnterpriseId) -> Enterprise | None:
        return self._now.enterprises.get(enterprise_id)

    def enterprises(self) -> tuple[Enterprise, ...]:
        return tuple(self._now.enterprises.values())

    def save_enterprise(self, enterprise: Enterprise) -> None:
        values = asdict(enterprise)
        values["group_name"] = values.pop("group")
        values["aliases"] = list(enterprise.aliases)
        if enterprise.area:
            self._known(_A, _A.c.name == enterprise.area, {"name": enterprise.area})
        if enterprise.grid is not None:
            self._known(
                _G,
                _G.c.number == enterprise.grid,
                {"number": enterprise.grid, "area": enterprise.area},
            )
        self._put(_E, _E.c.id == enterprise.id, values)

    def _known(self, table: Any, where: Any, values: dict[str, Any]) -> None:
        if self._connection.execute(select(table).where(where)).first() is None:
            self._connection.execute(insert(table).values(values))

    def main_contact(self, enterprise_id: EnterpriseId) -> Person | None:
        contacts = self._now.contacts.get(enterprise_id, ())
        return next((p for p in contacts if p.active), None)

    # ---- pairings

    def pairing(self, enterprise_id: EnterpriseId, at: datetime) -> Pairing | None:
        for pairing in reversed(self._now.pairings.get(enterprise_id, [])):
            if pairing.starts_at <= at and (pairing.ends_at is None or at < pairing.ends_at):
                return pairing
        return None

    def pairings(self, enterprise_id: EnterpriseId | None = None) -> tuple[Pairing, ...]:
        known = self._now.pairings
        if enterprise_id is not None:
            return tuple(known.get(enterprise_id, ()))
        return tuple(p for one in known.values() for p in one)

    def pair(self, pairing: Pairing) -> None:
        self._connection.execute(
            update(_R)
            .where(_R.c.enterprise_id == pairing.enterprise_id, _R.c.ends_at.is_(None))
            .values(ends_at=pairing.starts_at)
        )
        self._connection.execute(insert(_R).values(asdict(pairing)))
        self.changed()

    def standing(self, enterprise_id: EnterpriseId | None, at: datetime) -> Standing:
        if enterprise_id is None:
            return Standing()
        snapshot = self._now
        pairings = snapshot.pairings.get(enterprise_id)
        present = pairings[-1] if pairings else None
        # The newest pairing holds for every instant since it began, so its standing can be kept.
        lasting = present is None or (present.ends_at is None and present.starts_at <= at)
        known = snapshot.standings.get(enterprise_id) if lasting else None
        if known is not None and known[0] <= at < known[1]:
            return known[2]
        standing, line = self._standing(snapshot, enterprise_id, at)
        if lasting:
            turns = [
                t
                for p in line
                for leave in snapshot.leaves.get(p.id, ())
                for t in (leave.starts_at, leave.ends_at)
            ]
            since = max((t for t in turns if t <= at), default=_BEGINNING)
            until = min((t for t in turns if t > at), default=_END)
            if present is not None:
                since = max(since, present.starts_at)
            snapshot.standings[enterprise_id] = (since, until, standing)
        return standing

    def _standing(
        self, snapshot: Snapshot, enterprise_id: EnterpriseId, at: datetime
    ) -> tuple[Standing, list[Person]]:
        enterprise = snapshot.enterprises.get(enterprise_id)
        pairing = self.pairing(enterprise_id, at)
        liaison_id = None if pairing is None else pairing.liaison_id
        leader_id = None if pairing is None else pairing.leader_id
        line = [] if liaison_id is None else self._line(liaison_id, at)
        leaders = [] if leader_id is None else self._line(leader_id, at)
        away = bool(line) and not self._here(line[0], at)
        area_head: PersonId | None = None
        grids: set[PersonId] = set()
        if enterprise is not None:
            for person in snapshot.staff:
                if not person.active:
                    continue
                if person.role is Role.AREA_HEAD and person.area == enterprise.area:
                    area_head = person.id
                elif (
                    person.role in (Role.GRID_CHIEF, Role.GRID_MEMBER)
                    and enterprise.grid is not None
                    and person.grid == enterprise.grid
                ):
                    grids.add(person.id)
        standing = Standing(
            enterprise,
            liaison_id,
            leader_id,
            self._in_force(line, at),
            area_head,
            frozenset(grids),
            away,
            self._in_force(leaders, at),
        )
        return standing, line + leaders

    # ---- accounts

    def identity(self, user: UserRef) -> Identity | None:
        return self._now.identities.get((user.platform, user.id))

    def identities(self, person_id: PersonId) -> tuple[Identity, ...]:
        return tuple(self._now.accounts.get(person_id, ()))

    def accounts(self, person_id: PersonId) -> tuple[Identity, ...]:
        found = self.identities(person_id)
        return tuple(i for i in found if i.confirmed) or found

    def heard(self, user: UserRef) -> None:
        identity = self.identity(user)
        if identity is None:
            return
        usable = self.accounts(identity.person_id)
        if len(usable) > 1 and identity in usable and self.last_heard(identity.person_id) != user:
            told = f"{user.platform} {user.id}"
            NoteStore(self._connection).put(_OURS, f"{_HEARD}{identity.person_id}", told)

    def last_heard(self, person_id: PersonId) -> UserRef | None:
        noted = NoteStore(self._connection).get(_OURS, f"{_HEARD}{person_id}")
        platform, _, user_id = noted.partition(" ")
        return UserRef(platform, user_id) if noted else None

    def save_identity(self, identity: Identity) -> None:
        where = (_I.c.platform == identity.platform) & (_I.c.user_id == identity.user_id)
        self._put(_I, where, asdict(identity))

    def drop_identity(self, user: UserRef) -> None:
        self._connection.execute(
            delete(_I).where(_I.c.platform == user.platform, _I.c.user_id == user.id)
        )
        self.changed()
