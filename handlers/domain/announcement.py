"""Announcements: what is said to which firms, by whose leave, and how far it has come (domain.md §12)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from handlers.domain.category import Category
from handlers.domain.errors import BadInput, NotPermitted, WrongState
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import AREAS, OFFICE_ROLES, Enterprise, Person, Role

AnnouncementId = NewType("AnnouncementId", int)


class Kind(StrEnum):
    """As people and programs write them."""

    NOTICE = "通知"
    POLICY = "政策"
    WARNING = "预警"
    OUTAGE = "停水停电"
    CORRECTION = "更正"


class State(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Move(StrEnum):
    APPROVE = "approve"
    BEGIN = "begin"
    PAUSE = "pause"
    RESUME = "resume"
    WAIT = "wait"
    FINISH = "finish"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


class Route(StrEnum):
    """Group: one card where everybody in the group is meant, else each firm alone."""

    GROUP = "group"
    DIRECT = "direct"
    BOTH = "both"


class TargetState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


class ReadBy(StrEnum):
    """How it was learnt that a firm has read."""

    BUTTON = "button"
    REPLY = "reply"
    LINK = "link"
    PLATFORM = "platform"


_UNDER_WAY: Final = (State.APPROVED, State.SENDING, State.PAUSED)
MOVES: Final[Mapping[tuple[State, Move], State]] = {
    (State.DRAFT, Move.APPROVE): State.APPROVED,
    (State.APPROVED, Move.BEGIN): State.SENDING,
    (State.SENT, Move.BEGIN): State.SENDING,
    (State.APPROVED, Move.PAUSE): State.PAUSED,
    (State.SENDING, Move.PAUSE): State.PAUSED,
    (State.PAUSED, Move.RESUME): State.SENDING,
    # Stopped before its time came, it waits for it again.
    (State.PAUSED, Move.WAIT): State.APPROVED,
    (State.SENDING, Move.FINISH): State.SENT,
    **{(s, Move.WITHDRAW): State.WITHDRAWN for s in (State.DRAFT, *_UNDER_WAY, State.SENT)},
    **{(s, Move.EXPIRE): State.EXPIRED for s in (*_UNDER_WAY, State.SENT)},
}
# Who may write and approve for any audience.
WRITERS: Final = OFFICE_ROLES | {Role.LEADER}
# What is sent later than this is asked about first (features.md row 66).
LATE: Final = timedelta(hours=2)
# What speaks of the weather or of an outage ends by itself.
_LASTS: Final = {Kind.WARNING: timedelta(hours=24), Kind.OUTAGE: timedelta(hours=48)}
TITLE_MOST: Final = 40
TEXT_MOST: Final = 3000


@dataclass(frozen=True, slots=True)
class Audience:
    """Which firms: everybody, or those that fit every kind of mark that is named; and by name.

    One of several values of a mark is enough. `excepted` are left out whatever else says.
    """

    everybody: bool = False
    areas: tuple[str, ...] = ()
    grids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    interests: tuple[Category, ...] = ()
    enterprises: tuple[EnterpriseId, ...] = ()
    excepted: tuple[EnterpriseId, ...] = ()

    @property
    def marks(self) -> bool:
        return bool(self.areas or self.grids or self.tags or self.scales or self.interests)

    @property
    def named(self) -> bool:
        """Whether anybody is meant at all."""
        return self.everybody or self.marks or bool(self.enterprises)


@dataclass(frozen=True, slots=True)
class Announcement:
    """`round` counts the sendings of one that comes round; `rule` says when it does.

    `paused` says why it rests: by a person, or because it is late and a person is asked.
    """

    id: AnnouncementId
    kind: Kind
    title: str
    text: str
    audience: Audience
    route: Route
    need_receipt: bool
    author_id: PersonId
    created_at: datetime
    state: State = State.DRAFT
    approver_id: PersonId | None = None
    round: int = 0
    rule: str = ""
    send_at: datetime | None = None
    valid_until: datetime | None = None
    corrects: AnnouncementId | None = None
    source: str = ""
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    paused: str = ""
    # When the next batch is due, and when the sending was last seen alive.
    next_at: datetime | None = None
    seen_at: datetime | None = None
    version: int = 1

    def move(self, move: Move) -> "Announcement":
        """After `move`; raises WrongState."""
        target = MOVES.get((self.state, move))
        if target is None:
            raise WrongState("announce_state", state=self.state.value, move=move.value)
        return replace(self, state=target, version=self.version + 1)

    def is_over(self, now: datetime) -> bool:
        return self.valid_until is not None and now > self.valid_until


@dataclass(frozen=True, slots=True)
class Target:
    """One firm that a round is for, as approved; `route` is the way that was found for it."""

    enterprise_id: EnterpriseId
    route: Route
    state: TargetState = TargetState.WAITING
    why: str = ""
    read_at: datetime | None = None
    read_by: ReadBy | None = None
    nudged_at: datetime | None = None
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """sent + failed + skipped + waiting = targets, and read is at most sent."""

    targets: int
    sent: int
    failed: int
    skipped: int
    read: int

    @property
    def waiting(self) -> int:
        return self.targets - self.sent - self.failed - self.skipped


def progress_of(targets: Iterable[Target]) -> Progress:
    found = list(targets)
    count = {state: sum(1 for t in found if t.state is state) for state in TargetState}
    read = sum(1 for t in found if t.read_at is not None and t.state is TargetState.SENT)
    return Progress(
        len(found),
        count[TargetState.SENT],
        count[TargetState.FAILED],
        count[TargetState.SKIPPED],
        read,
    )


def outcome(rows: Collection[str]) -> TargetState:
    """What became of a target by the states of its outbox rows: one that arrived is enough."""
    if "sent" in rows:
        return TargetState.SENT
    if "waiting" in rows or "sending" in rows:
        return TargetState.WAITING
    return TargetState.FAILED if "dead" in rows else TargetState.SKIPPED


def area_named(text: str) -> str | None:
    """The area that a name or its short form means: 长洪 is 长洪管理区."""
    plain = text.strip()
    known = [a for a in AREAS if a == plain or (len(plain) >= 2 and a.startswith(plain))]
    return known[0] if len(known) == 1 else None


def tags_of(firm: Enterprise) -> frozenset[str]:
    """Every mark that a firm can be meant by besides its place."""
    found = {firm.industry, firm.scale, firm.group}
    found.add("重点" if firm.is_key else "非重点")
    if firm.hazardous:
        found |= {"危化", "危化品"}
    return frozenset(t for t in found if t)


def resolve(
    audience: Audience,
    firms: Iterable[Enterprise],
    interested: Mapping[Category, frozenset[EnterpriseId]],
) -> tuple[Enterprise, ...]:
    """The firms that are meant, each once, by their ids."""
    named = frozenset(audience.enterprises)
    left_out = frozenset(audience.excepted)
    found = [
        firm
        for firm in firms
        if firm.active
        and firm.id not in left_out
        and (
            audience.everybody
            or firm.id in named
            or (audience.marks and _fits(firm, audience, interested))
        )
    ]
    return tuple(sorted(found, key=lambda firm: firm.id))


def _fits(
    firm: Enterprise, audience: Audience, interested: Mapping[Category, frozenset[EnterpriseId]]
) -> bool:
    return (
        (not audience.areas or firm.area in audience.areas)
        and (not audience.grids or firm.grid in audience.grids)
        and (not audience.tags or bool(tags_of(firm) & frozenset(audience.tags)))
        and (not audience.scales or firm.scale in audience.scales)
        and (
            not audience.interests
            or any(firm.id in interested.get(c, frozenset()) for c in audience.interests)
        )
    )


def may_write(
    person: Person, route: Route, firms: Collection[EnterpriseId], own: Collection[EnterpriseId]
) -> None:
    """Raises NotPermitted unless this person may write to these firms in this way."""
    if person.role in WRITERS:
        return
    if person.role is not Role.LIAISON:
        raise NotPermitted("announce_role")
    if route is not Route.DIRECT or not set(firms) <= set(own):
        raise NotPermitted("announce_liaison")


def may_approve(announcement: Announcement, person: Person) -> None:
    """Raises NotPermitted: nobody approves what they wrote."""
    if person.role not in WRITERS:
        raise NotPermitted("announce_role")
    if person.id == announcement.author_id:
        raise NotPermitted("announce_own")


def may_steer(announcement: Announcement, person: Person) -> None:
    """Raises NotPermitted unless this person may stop or go on with it."""
    if person.role not in WRITERS and person.id != announcement.author_id:
        raise NotPermitted("announce_role")


def checked(
    announcement: Announcement, corrected: Announcement | None, now: datetime
) -> Announcement:
    """The draft with what its kind gives by itself; raises BadInput for what cannot be sent."""
    title, text = announcement.title.strip(), announcement.text.strip()
    if not title:
        raise BadInput("announce_title")
    if len(title) > TITLE_MOST:
        raise BadInput("announce_title_long", most=TITLE_MOST)
    if not text:
        raise BadInput("announce_text")
    if len(text) > TEXT_MOST:
        raise BadInput("announce_text_long", most=TEXT_MOST)
    if announcement.kind is Kind.CORRECTION and announcement.corrects is None:
        raise BadInput("announce_corrects")
    if announcement.kind is not Kind.CORRECTION and announcement.corrects is not None:
        raise BadInput("announce_corrects_kind")
    if announcement.corrects is not None:
        if corrected is None or corrected.state is State.DRAFT:
            raise BadInput("announce_corrects_unknown", number=announcement.corrects)
    if announcement.send_at is not None and announcement.send_at <= now:
        raise BadInput("until_past")
    begins = announcement.send_at or now
    until = announcement.valid_until
    if until is None and announcement.kind in _LASTS and not announcement.rule:
        until = begins + _LASTS[announcement.kind]
    if until is not None and until <= begins:
        raise BadInput("announce_until")
    return replace(announcement, title=title, text=text, valid_until=until)


def may_pass_hours(kind: Kind) -> bool:
    """A warning does not wait for the morning."""
    return kind is Kind.WARNING
