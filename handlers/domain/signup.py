"""A sign-up (接龙): who comes with how many, strictly first come, and who waits.

The quota counts persons. A party that does not fit whole waits, and nobody passes by whoever waits;
what becomes free goes to the first in the queue.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from handlers.domain.errors import BadInput
from handlers.domain.ids import PersonId

# More persons than this are a slip of the keyboard.
MOST: Final = 999


class Act(StrEnum):
    """What a sentence does with a party's places."""

    SET = "set"
    ADD = "add"
    OFF = "off"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Said:
    """One party's places as a sentence gives them.

    `count` of ADD may be negative. `whole`: the total that was said beside a part of it
    (「女的也加一个,共三个」). COPY is a line of a copied list: it adds whom nothing was heard of.
    """

    act: Act
    count: int = 0
    male: int | None = None
    female: int | None = None
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A party on the list; `key` is a firm, or a person of the office; `by` signed it up."""

    key: str
    count: int
    male: int | None = None
    female: int | None = None
    waiting: bool = False
    by: str = ""


class Outcome(StrEnum):
    SIGNED = "signed"
    WAITS = "waits"
    LEFT = "left"
    SAME = "same"
    NOT_LISTED = "not_listed"
    NO_ROOM = "no_room"
    OVER_QUOTA = "over_quota"


@dataclass(frozen=True, slots=True)
class SignUp:
    """`heard`: every party that was ever on the list or spoke for itself."""

    number: int
    title: str
    platform: str
    chat: str
    opened_by: PersonId
    opened_at: datetime
    quota: int | None = None
    closes_at: datetime | None = None
    closed_at: datetime | None = None
    places: tuple[Place, ...] = ()
    heard: frozenset[str] = frozenset()
    version: int = 1

    @property
    def confirmed(self) -> tuple[Place, ...]:
        return tuple(p for p in self.places if not p.waiting)

    @property
    def waiting(self) -> tuple[Place, ...]:
        return tuple(p for p in self.places if p.waiting)

    @property
    def taken(self) -> int:
        return sum(p.count for p in self.confirmed)

    @property
    def left(self) -> int | None:
        return None if self.quota is None else self.quota - self.taken

    def is_open(self, now: datetime) -> bool:
        return self.closed_at is None and (self.closes_at is None or now <= self.closes_at)

    def place(self, key: str) -> Place | None:
        return next((p for p in self.places if p.key == key), None)


@dataclass(frozen=True, slots=True)
class Change:
    """The list after a sentence, what came of it, and whom it let move up."""

    signup: SignUp
    outcome: Outcome
    moved_up: tuple[Place, ...] = ()


def genders(places: Iterable[Place]) -> tuple[int, int, int]:
    """Men, women, and persons of whom nothing was said."""
    male = female = unknown = 0
    for place in places:
        if place.male is None or place.female is None:
            unknown += place.count
        else:
            male, female = male + place.male, female + place.female
    return male, female, unknown


def apply(signup: SignUp, key: str, said: Said, by: str = "") -> Change:
    """What a sentence of `by` makes of the list; the last word of a party holds."""
    before = signup.place(key)
    if said.act is Act.COPY and key in signup.heard:
        return Change(signup, Outcome.SAME)
    heard = replace(signup, heard=signup.heard | {key})
    wanted = _wanted(key, before, said)
    if wanted is None:
        return _leave(heard, before)
    if wanted.count > (MOST if signup.quota is None else signup.quota):
        return Change(signup, Outcome.OVER_QUOTA)
    wanted = replace(wanted, by=by or ("" if before is None else before.by))
    if before is None:
        return _join(heard, wanted)
    if replace(wanted, waiting=before.waiting, by=before.by) == before:
        return Change(signup, Outcome.SAME)
    return _alter(heard, before, wanted)


def _wanted(key: str, before: Place | None, said: Said) -> Place | None:
    """What the party has after the sentence; None: it is off the list."""
    if said.act is Act.OFF:
        return None
    count, male, female = said.count, said.male, said.female
    if said.act is Act.ADD:
        if before is None:
            # 「再报一个」 of somebody who is not on the list is a new sign-up.
            return None if count <= 0 else Place(key, said.whole or count, male, female)
        count += before.count
        male, female = _added(before, male, female)
    elif said.whole is not None and before is not None and said.male is not None:
        added = _added(before, said.male, said.female)
        if added[0] is not None and added[1] is not None and sum(filter(None, added)) == said.whole:
            male, female = added
    if said.whole is not None:
        count = said.whole
    if male is not None and female is not None and male + female != count:
        male = female = None
    return Place(key, count, male, female) if count > 0 else None


def _added(before: Place, male: int | None, female: int | None) -> tuple[int | None, int | None]:
    if before.male is None or before.female is None or male is None or female is None:
        return None, None
    return before.male + male, before.female + female


def _leave(signup: SignUp, before: Place | None) -> Change:
    if before is None:
        return Change(signup, Outcome.NOT_LISTED)
    left = replace(signup, places=tuple(p for p in signup.places if p.key != before.key))
    return _move_up(left, Outcome.LEFT)


def _join(signup: SignUp, wanted: Place) -> Change:
    room = signup.left
    waits = room is not None and (bool(signup.waiting) or wanted.count > room)
    placed = replace(wanted, waiting=waits)
    joined = replace(signup, places=(*signup.places, placed))
    return Change(joined, Outcome.WAITS if waits else Outcome.SIGNED)


def _alter(signup: SignUp, before: Place, wanted: Place) -> Change:
    room = signup.left
    more = wanted.count - before.count
    if not before.waiting and room is not None and more > 0 and (signup.waiting or more > room):
        # Whoever is in stays in: asking for more than there is loses no place.
        return Change(signup, Outcome.NO_ROOM)
    places = tuple(
        replace(wanted, waiting=p.waiting) if p.key == before.key else p for p in signup.places
    )
    changed = _move_up(replace(signup, places=places), Outcome.SIGNED)
    now = changed.signup.place(wanted.key)
    waits = now is not None and now.waiting
    return replace(changed, outcome=Outcome.WAITS if waits else Outcome.SIGNED)


def _move_up(signup: SignUp, outcome: Outcome) -> Change:
    room = signup.left
    moved: list[Place] = []
    places: list[Place] = []
    blocked = False
    for place in signup.places:
        if not place.waiting:
            places.append(place)
            continue
        if not blocked and (room is None or place.count <= room):
            room = None if room is None else room - place.count
            place = replace(place, waiting=False)
            moved.append(place)
        else:
            blocked = True
        places.append(place)
    return Change(replace(signup, places=tuple(places)), outcome, tuple(moved))


def with_quota(signup: SignUp, quota: int | None) -> Change:
    """Another quota; raises BadInput for one below what is taken."""
    if quota is not None and (quota < 1 or quota > MOST):
        raise BadInput("signup_quota", most=MOST)
    if quota is not None and quota < signup.taken:
        raise BadInput("signup_quota_taken", taken=signup.taken)
    return _move_up(replace(signup, quota=quota), Outcome.SIGNED)
