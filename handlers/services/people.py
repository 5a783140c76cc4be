"""Who is this: identity, group nickname, or a short binding that the office confirms."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from handlers.chat.events import InboundEvent, UserRef
from handlers.chat.outbound import Content, Priority
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Enterprise, Identity, Person, Role
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import people as say
from handlers.understanding import FirmNames

_NICKNAME: Final = re.compile(r"^\s*([^-—–－_\s]{2,20})\s*[-—–－_]\s*(\S.{0,19}?)\s*$")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who wrote or pressed. `person` None: nobody the registry knows."""

    user: UserRef
    person: Person | None
    name: str
    confirmed: bool = True

    @property
    def role(self) -> Role | None:
        return None if self.person is None else self.person.role

    @property
    def key(self) -> str:
        """What dialogues are kept by; several people of one firm may share one account."""
        return f"{self.user.platform}:{self.user.id}:{self.name}"


class PeopleService:
    def __init__(self, work: Work, clock: Clock, firms: FirmNames) -> None:
        self._work = work
        self._clock = clock
        self._firms = firms

    def speaker(self, event: InboundEvent) -> Speaker:
        """Who this is; a nickname that names a firm makes an unconfirmed contact of it."""
        people = self._work.people
        identity = people.identity(event.sender)
        if identity is not None:
            person = people.person(identity.person_id)
            if person is not None and person.active:
                name = event.sender_name or person.name
                return Speaker(event.sender, person, name, identity.confirmed)
        named = self._from_nickname(event.sender_name)
        if named is None:
            return Speaker(event.sender, None, event.sender_name, False)
        enterprise, called = named
        person = self._contact(enterprise, called, event.sender)
        people.save_identity(
            Identity(event.sender.platform, event.sender.id, person.id, confirmed=False)
        )
        self._ask_office(event.sender, person, enterprise)
        return Speaker(event.sender, person, event.sender_name, False)

    def _from_nickname(self, nickname: str) -> tuple[Enterprise, str] | None:
        found = _NICKNAME.match(nickname)
        if found is None:
            return None
        matches = self._firms.match(found.group(1))
        if len(matches) != 1:
            return None
        enterprise = self._work.people.enterprise(EnterpriseId(matches[0]))
        return None if enterprise is None else (enterprise, found.group(2))

    def _namesakes(self, enterprise_id: EnterpriseId, called: str) -> list[Person]:
        """The firm's contacts of that name, the oldest first."""
        found = self._work.people.people(Role.MANAGER, enterprise_id)
        named = [p for p in found if p.active and p.name == called]
        return sorted(named, key=lambda p: (len(p.id), p.id))

    def _contact(self, enterprise: Enterprise, called: str, user: UserRef) -> Person:
        """The firm's contact of that name, or a new one.

        A name is no proof: whoever already speaks by another account is somebody else until the
        office says that it is the same person.
        """
        people = self._work.people
        for person in self._namesakes(enterprise.id, called):
            accounts = people.identities(person.id)
            if all((i.platform, i.user_id) == (user.platform, user.id) for i in accounts):
                return person
        person = Person(
            people.next_contact_id(enterprise.id),
            called,
            Role.MANAGER,
            area=enterprise.area,
            grid=enterprise.grid,
            enterprise_id=enterprise.id,
        )
        people.save_person(person)
        return person

    def _ask_office(self, user: UserRef, person: Person, enterprise: Enterprise) -> None:
        duty = self._work.people.duty_person()
        if duty is None:
            return
        known = self._namesakes(enterprise.id, person.name)[0].id != person.id
        firm = enterprise.short_name
        card = say.binding_card(user.platform, user.id, person.name, firm, known)
        self._work.outbox.put(
            Outgoing(
                Content.of(card),
                person=duty.id,
                priority=Priority.REPLY,
                dedupe_key=f"bind:{user.platform}:{user.id}:{person.id}",
            )
        )

    def bind(self, user: UserRef, firm_name: str, called: str) -> tuple[Enterprise, Person]:
        """Somebody says who they are; the office is asked to confirm.

        Raises NoSuch for an unknown firm and BadInput('which_firm') where several fit.
        """
        known = self._work.people.identity(user)
        if known is not None and known.confirmed:
            raise BadInput("bound_already")
        matches = self._firms.match(firm_name)
        if not matches:
            raise NoSuch("firm", firm_name)
        if len(matches) > 1:
            raise BadInput("which_firm", names=self.firm_names(matches))
        enterprise = self._work.people.enterprise(EnterpriseId(matches[0]))
        if enterprise is None:
            raise NoSuch("firm", firm_name)
        person = self._contact(enterprise, called, user)
        self._work.people.save_identity(
            Identity(user.platform, user.id, person.id, confirmed=False)
        )
        self._ask_office(user, person, enterprise)
        return enterprise, person

    def confirm(self, user: UserRef, by: Person) -> Person:
        """The office says that this account is who it says it is."""
        identity = self._identity(user)
        person = self._person(identity.person_id)
        if not identity.confirmed:
            person = self._united(person, user)
        self._work.people.save_identity(replace(identity, person_id=person.id, confirmed=True))
        # That is where they asked, and where they are told.
        self._work.people.heard(user)
        self._work.audit.add(
            self._clock.now(), by.id, "identity.confirmed", person.id, {"by": by.id}
        )
        return person

    def _united(self, person: Person, user: UserRef) -> Person:
        """The contact of that name whom the office knew before, for whom another one stood in."""
        if person.enterprise_id is None:
            return person
        people = self._work.people
        first = next(iter(self._namesakes(person.enterprise_id, person.name)), person)
        if first.id == person.id:
            return person
        # Other accounts that claim the name are still to be looked at: they stand apart now.
        apart = [i for i in people.identities(first.id) if not i.confirmed]
        for one in apart:
            people.save_identity(replace(one, person_id=person.id))
        left = {(i.platform, i.user_id) for i in people.identities(person.id)}
        if left <= {(user.platform, user.id)}:
            people.save_person(replace(person, active=False))
        return first

    def refuse(self, user: UserRef, by: Person) -> Person:
        identity = self._identity(user)
        person = self._person(identity.person_id)
        if not identity.confirmed:
            self._work.people.drop_identity(user)
            self._work.audit.add(
                self._clock.now(), by.id, "identity.refused", identity.person_id, {"by": by.id}
            )
        return person

    def _identity(self, user: UserRef) -> Identity:
        identity = self._work.people.identity(user)
        if identity is None:
            raise NoSuch("person", user.id)
        return identity

    def _person(self, person_id: PersonId) -> Person:
        person = self._work.people.person(person_id)
        if person is None:
            raise NoSuch("person", person_id)
        return person

    def colleagues(self, name: str) -> list[Person]:
        """Whom a name may mean: those called exactly that, else all whose names end so."""
        found = [p for p in self._work.people.by_name(name) if p.is_staff and p.active]
        return [p for p in found if p.name == name or p.id == name] or found

    def staff_named(self, name: str) -> Person:
        """The one colleague called that; raises NoSuch or BadInput('which_person')."""
        found = self.colleagues(name)
        if not found:
            raise NoSuch("person", name)
        if len(found) > 1:
            raise BadInput("which_person", names="、".join(p.name for p in found[:5]))
        return found[0]

    def firm_names(self, ids: Iterable[str]) -> str:
        firms = (self._work.people.enterprise(EnterpriseId(one)) for one in ids)
        return "、".join(f.short_name for f in firms if f is not None)

    def firms_called(self, name: str) -> list[Enterprise]:
        """The firms that a name alone may mean."""
        found = (self._work.people.enterprise(EnterpriseId(f)) for f in self._firms.match(name))
        return [f for f in found if f is not None]

    def firm_named(self, name: str) -> Enterprise:
        """The one firm called that; raises NoSuch or BadInput('which_firm')."""
        matches = self._firms.match(name)
        if len(matches) > 1:
            raise BadInput("which_firm", names=self.firm_names(matches))
        enterprise = self._work.people.enterprise(EnterpriseId(matches[0])) if matches else None
        if enterprise is None:
            raise NoSuch("firm", name)
        return enterprise
