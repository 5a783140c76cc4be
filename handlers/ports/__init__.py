"""What use cases need from the world: stores, the outbox, the clock, one unit of work; and Job."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from handlers.chat.events import Attachment, ChatKind, ChatRef, UserRef
from handlers.chat.outbound import Content, Priority
from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import (
    Chat,
    Enterprise,
    Identity,
    Leave,
    Pairing,
    Person,
    Role,
    Shift,
    Standing,
    Token,
)
from handlers.domain.policy import Policy
from handlers.domain.schedule import Schedule, ScheduleKind
from handlers.domain.ticket import Entry, State, Ticket
from handlers.domain.workdays import Calendar, Day, Week
from handlers.ports.announcements import AnnouncementStore
from handlers.ports.announcements import StillSending as StillSending
from handlers.ports.announcements import any_hour as any_hour
from handlers.ports.attachments import AttachmentStore
from handlers.ports.campaigns import CampaignStore
from handlers.ports.links import NO_LINKS as NO_LINKS
from handlers.ports.links import Links as Links
from handlers.ports.links import OpeningStore
from handlers.ports.policies import PolicyStore
from handlers.ports.sent import SentMessage as SentMessage
from handlers.ports.sent import Undelivered as Undelivered
from handlers.ports.signups import SignUpStore
from handlers.ports.surveys import SurveyStore
from handlers.ports.visits import VisitStore

_Item = TypeVar("_Item")


class Clock(Protocol):
    """Business time; movable in the demo and in tests."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """A part of a list; `next` is the cursor of the rest."""

    items: tuple[_Item, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """What a list of tickets is narrowed by.

    `visible_to` is the scope of the asker and is never left out for a person (property 12).
    """

    states: frozenset[State] = frozenset()
    enterprise_id: EnterpriseId | None = None
    owner_id: PersonId | None = None
    at_duty_desk: bool = False
    category: str = ""
    urgency: str = ""
    text: str = ""
    overdue_at: datetime | None = None
    overdue_of: str = ""
    updated_since: datetime | None = None
    created_since: datetime | None = None
    source: tuple[str, str] | None = None
    reporter_id: PersonId | None = None
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class TicketMessage:
    """A message that belongs to a ticket: what was said, by whom, from where."""

    at: datetime
    sender_id: PersonId | None
    sender_name: str
    text: str
    platform: str = ""
    chat: str = ""
    message_id: str = ""
    attachments: tuple[Attachment, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Firing:
    """A rung that fired; at most one of its key (tickets.md property 29)."""

    number: TicketNumber
    cycle: int
    clock: str
    since: datetime
    level: int
    planned_at: datetime
    fired_at: datetime


class TicketStore(Protocol):
    def next_number(self, kind: str) -> tuple[TicketNumber, int]:
        """The next short number, from 1001, and the next of the codes of `kind`, from 1."""
        ...

    def next_code(self, kind: str) -> int:
        """The next value of a counter, e.g. 'LHG-20261122' or 'DB-2026'; starts at 1."""
        ...

    def add(self, ticket: Ticket, entry: Entry) -> None: ...

    def save(self, ticket: Ticket, entry: Entry) -> None:
        """Store a moved ticket; raises StaleVersion unless the row is at `ticket.version - 1`."""
        ...

    def get(self, number: TicketNumber) -> Ticket:
        """Raises UnknownTicket."""
        ...

    def find(self, number: TicketNumber) -> Ticket | None: ...
    def by_code(self, code: str) -> Ticket | None: ...
    def by_source(self, platform: str, message_id: str) -> tuple[Ticket, ...]: ...
    def search(self, query: TicketQuery) -> Page[Ticket]:
        """Newest first; `text` matches title, body, code, number and the firm's names."""
        ...

    def of_manager(
        self, person_id: PersonId, enterprise_id: EnterpriseId | None, states: frozenset[State]
    ) -> tuple[Ticket, ...]:
        """What somebody reported, and the tickets of a firm."""
        ...

    def alike(
        self, enterprise_id: EnterpriseId, category: Category, since: datetime
    ) -> tuple[tuple[TicketNumber, str], ...]:
        """Number and body of the firm's newest live tickets of a category."""
        ...

    def due(self, now: datetime, limit: int) -> tuple[TicketNumber, ...]:
        """Tickets with a rung that is due, longest due first; ours until the commit."""
        ...

    def next_due(self) -> datetime | None:
        """When the next rung of all is due."""
        ...

    def fire(self, firing: Firing) -> bool:
        """Note it; False where it fired before."""
        ...

    def fired(self, number: TicketNumber, cycle: int) -> frozenset[tuple[str, datetime, int]]:
        """The keys of the rungs of a cycle that fired."""
        ...

    def reschedule(self, ticket: Ticket) -> None:
        """Work out again when the ticket's next rung is due."""
        ...

    def put_off(self, number: TicketNumber, until: datetime) -> None:
        """Look at its rungs again then."""
        ...

    def is_confidential(self, number: TicketNumber) -> bool: ...
    def handled_by(self, person_id: PersonId, states: frozenset[State]) -> tuple[Ticket, ...]:
        """Owned by, pending for, or (for backups) see service; newest first."""
        ...

    def at_duty_desk(self, states: frozenset[State]) -> tuple[Ticket, ...]: ...
    def pending_for(self, person_id: PersonId) -> tuple[Ticket, ...]: ...
    def led_by(self, leader_id: PersonId, states: frozenset[State]) -> tuple[Ticket, ...]:
        """Tickets of firms whose present pairing names this leader."""
        ...

    def of_firms(
        self, firms: Sequence[EnterpriseId], states: frozenset[State]
    ) -> tuple[Ticket, ...]: ...
    def referred_to(self, department: str, states: frozenset[State]) -> tuple[Ticket, ...]: ...
    def history(self, number: TicketNumber) -> tuple[Entry, ...]: ...
    def messages(self, number: TicketNumber) -> tuple[TicketMessage, ...]: ...
    def add_message(self, number: TicketNumber, message: TicketMessage) -> None: ...
    def move_messages(self, source: TicketNumber, target: TicketNumber) -> None: ...
    def links(self, number: TicketNumber) -> tuple[TicketNumber, ...]: ...
    def add_link(self, one: TicketNumber, other: TicketNumber) -> None: ...


class PeopleStore(Protocol):
    def person(self, person_id: PersonId) -> Person | None: ...
    def people(
        self, role: Role | None = None, enterprise_id: EnterpriseId | None = None
    ) -> tuple[Person, ...]: ...
    def save_person(self, person: Person) -> None: ...
    def by_name(self, name: str) -> tuple[Person, ...]:
        """Active staff whose name is or ends with `name` (小周, 联络员小周)."""
        ...

    def enterprise(self, enterprise_id: EnterpriseId) -> Enterprise | None: ...
    def enterprises(self) -> tuple[Enterprise, ...]: ...
    def save_enterprise(self, enterprise: Enterprise) -> None: ...
    def main_contact(self, enterprise_id: EnterpriseId) -> Person | None: ...
    def pairing(self, enterprise_id: EnterpriseId, at: datetime) -> Pairing | None: ...
    def pairings(self, enterprise_id: EnterpriseId | None = None) -> tuple[Pairing, ...]: ...
    def pair(self, pairing: Pairing) -> None:
        """End the firm's present pairing at `pairing.starts_at` and begin this one."""
        ...

    def standing(self, enterprise_id: EnterpriseId | None, at: datetime) -> Standing: ...
    def duty_person(self, at: datetime | None = None) -> Person | None:
        """The office person on the rota then (None: now), or who is marked, or the office's first."""
        ...

    def shifts(self) -> tuple[Shift, ...]:
        """The rota in order."""
        ...

    def add_shift(self, shift: Shift) -> None: ...
    def drop_shift(self, shift: Shift) -> None: ...
    def leaves(self, person_id: PersonId | None = None) -> tuple[Leave, ...]: ...
    def add_leave(self, leave: Leave) -> None: ...
    def drop_leave(self, leave: Leave) -> None: ...
    def is_away(self, person_id: PersonId, at: datetime) -> bool:
        """On leave at that instant, by a date or by the mark of the people file; or gone."""
        ...

    def stand_in(self, person_id: PersonId, at: datetime) -> Person | None:
        """Who acts for somebody who is away then: B岗, or B岗's own where that one is away too."""
        ...

    def chief(self) -> Person | None: ...
    def identity(self, user: UserRef) -> Identity | None: ...
    def identities(self, person_id: PersonId) -> tuple[Identity, ...]:
        """Every account of somebody; those that the office has confirmed first."""
        ...

    def accounts(self, person_id: PersonId) -> tuple[Identity, ...]:
        """Those by which somebody may be spoken to: an unconfirmed one only where there is no other."""
        ...

    def heard(self, user: UserRef) -> None:
        """Somebody has just written or pressed there; noted where they have several accounts."""
        ...

    def last_heard(self, person_id: PersonId) -> UserRef | None:
        """Where somebody with several accounts wrote or pressed last."""
        ...

    def save_identity(self, identity: Identity) -> None: ...
    def drop_identity(self, user: UserRef) -> None: ...
    def next_contact_id(self, enterprise_id: EnterpriseId) -> PersonId:
        """`E003-2`, `E003-3`, …"""
        ...

    def registry_version(self) -> int:
        """Grows with every change of firms, so that name indexes know when to be built again."""
        ...


class ChatStore(Protocol):
    def chat(self, ref: ChatRef) -> Chat | None: ...
    def chats(self) -> tuple[Chat, ...]: ...
    def save_chat(self, chat: Chat) -> None: ...


class Lane(StrEnum):
    """The states of an outbox row; it never moves back."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    SUPERSEDED = "superseded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class StillTrue:
    """What must hold when a row is about to be sent, else it is dropped (tickets.md §4)."""

    number: TicketNumber
    states: frozenset[State] = frozenset()
    owner_id: PersonId | None = None
    max_version: int | None = None
    # The ladder's: no higher level has been reached, and the rung's clock still runs.
    max_level: int | None = None
    rung: tuple[str, int, datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An outbox row to a person, as the gate sees it. `held`: the caps made it wait before."""

    id: int
    person: PersonId
    urgent: bool
    content: Content
    bundle: str = ""
    held: bool = False
    ticket: TicketNumber | None = None
    still: StillTrue | StillSending | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a service puts in the outbox.

    Exactly one of `person` and `chat` is set; a person's address is looked up when put.
    `dedupe_key` makes a second put of the same fact harmless. `answers` is the inbox id of the
    event this row answers: its platform's own response may carry it until `hold_until` (wall).
    `update`: the newest card of the same key at that address is replaced; where there is none or
    the platform cannot, the row is superseded, for a new message would only be noise.
    `bundle`: notices of one bundle to one person are sent as one message. `asked_in`: the group in
    which somebody asked for what is said to them alone.
    """

    content: Content
    person: PersonId | None = None
    chat: ChatRef | None = None
    chat_kind: ChatKind = ChatKind.GROUP
    ticket: TicketNumber | None = None
    priority: Priority = Priority.REPLY
    dedupe_key: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    still: StillTrue | StillSending | None = None
    reply_token: str = ""
    answers: int | None = None
    update: bool = False
    bundle: str = ""
    asked_in: str = ""


class OutboxStore(Protocol):
    """Rows with a person that answer nothing and replace nothing are notices: the gate lets them
    out in the sending hours and within the caps (handlers/services/notices.py)."""

    def put(self, message: Outgoing) -> int | None:
        """The row's id; None where the dedupe key is already there."""
        ...

    def ways_to(self, person: PersonId) -> frozenset[str]:
        """The platforms by which one person can be told something now."""
        ...

    def lock_person(self, person: PersonId) -> None:
        """Nobody else lets notices of this person out in this transaction's time."""
        ...

    def noticed(self, person: PersonId, since: datetime, but: frozenset[int]) -> list[datetime]:
        """When notices went to a person from `since` on; what is under way counts as now."""
        ...

    def due_notices(self, person: PersonId, now: datetime) -> list[Notice]:
        """What waits for a person and could go now, but for what is urgent."""
        ...

    def hold(self, row_id: int, until: datetime) -> None:
        """Not before `until`: the caps or the hours say so."""
        ...

    def superseded(self, row_id: int, why: str) -> None: ...
    def withdraw(self, dedupe_key: str, why: str) -> bool:
        """End a row that still waits; whether there was one."""
        ...

    def spoken_in_groups(self, number: TicketNumber) -> tuple[SentMessage, ...]:
        """What was said or waits to be said in groups about a ticket."""
        ...

    def take_back(
        self,
        row_id: int,
        instead: Content,
        tell: PersonId | None = None,
        says_so: bool = False,
    ) -> None:
        """What waits never goes; what went is taken back by its platform, within its time.

        Where that cannot be, the card of `instead` takes its place; else the text of `instead`, if
        it has one, is said to `tell`, or without one to whom the row went. `says_so`: the text is
        said even where the message was taken back.
        """
        ...

    def another_way(self, row_id: int) -> bool:
        """Send a message that was refused here to the person's next account; False: none is left."""
        ...

    def undelivered(self, row_id: int) -> Undelivered | None:
        """What a message to one person was, where it has not ended."""
        ...

    def reminded(self, number: TicketNumber, person: PersonId, day: date) -> bool:
        """Note the one reminder of that ticket to that person on that day; False: there was one."""
        ...


class AuditStore(Protocol):
    def add(
        self, at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any]
    ) -> None:
        """Append one line to the hash chain; `facts` hold no message text and no phone."""
        ...


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A question the bot waits on: whose turn it is, in which chat, for what."""

    person_key: str
    chat: ChatRef
    topic: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


class DialogueStore(Protocol):
    """One open question per person and chat; `person_key` is a person id or platform:user."""

    def get(self, person_key: str, chat: ChatRef) -> Dialogue | None: ...
    def put(self, dialogue: Dialogue) -> None: ...
    def drop(self, person_key: str, chat: ChatRef) -> None: ...
    def drop_expired(self, now: datetime) -> int: ...


class CandidateState(StrEnum):
    ASKED = "asked"
    TAKEN = "taken"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that is perhaps a problem; it expires after 24 h or becomes a ticket."""

    id: int
    platform: str
    chat: str
    chat_kind: ChatKind
    message_id: str
    sender_key: str
    sender_name: str
    text: str
    at: datetime
    expires_at: datetime
    state: CandidateState = CandidateState.ASKED
    number: TicketNumber | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class CandidateStore(Protocol):
    def add(self, candidate: Candidate) -> int: ...
    def get(self, candidate_id: int) -> Candidate | None: ...
    def save(self, candidate: Candidate) -> None: ...
    def asked_of(self, sender_key: str, chat: str | None) -> Candidate | None:
        """The newest question to this sender in a chat, or in any, that is still open."""
        ...

    def last_asked(self, sender_key: str, chat: str) -> datetime | None: ...
    def expire(self, now: datetime) -> int:
        """End the questions whose time is over."""
        ...


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """A message the bot saw, kept so that quotes, numbers and pictures find their ticket."""

    platform: str
    chat: str
    message_id: str
    sender_key: str
    at: datetime
    text: str
    msg_type: str
    number: TicketNumber | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of a chat that was about a ticket."""

    number: TicketNumber
    at: datetime
    text: str


class HeardStore(Protocol):
    def add(self, message: HeardMessage) -> None: ...
    def find(self, platform: str, message_id: str) -> HeardMessage | None: ...
    def ticket_of_sent(self, platform: str, message_ref: str) -> TicketNumber | None:
        """The ticket of a message the bot itself sent."""
        ...

    def recent(
        self, platform: str, chat: str, sender_key: str, since: datetime
    ) -> tuple[HeardMessage, ...]: ...
    def spoken(
        self,
        platform: str,
        chat: str,
        since: datetime,
        of: Collection[TicketNumber] | None = None,
    ) -> tuple[Spoken, ...]:
        """What was lately said in a chat of these tickets, of any where none are named."""
        ...

    def belongs(self, platform: str, message_id: str, number: TicketNumber) -> None:
        """The ticket of the message that is being worked on; said before it is added."""
        ...


class CorrectionKind(StrEnum):
    """How a reading came to be put right."""

    RECLASSIFIED = "reclassified"
    NOT_A_PROBLEM = "not_a_problem"
    JOINED = "joined"
    PARTED = "parted"
    OTHER_FIRM = "other_firm"
    ANSWERED_YES = "answered_yes"
    ANSWERED_NO = "answered_no"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Labels:
    """What a message was read as, or what it is; `is_ticket` None: the bot asked."""

    intent: str
    is_ticket: bool | None
    category: str | None = None
    urgency: str | None = None
    enterprise: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A labelled example that a person gave by putting the bot right.

    `text` is one problem's part of the source message, phones masked; `part` tells them apart.
    """

    at: datetime
    kind: CorrectionKind
    platform: str
    message_id: str
    part: int
    number: TicketNumber | None
    text: str
    role: str
    msg_type: str
    read: Labels
    right: Labels
    by: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """What has come together since the model was last built: messages, and the likeliest mix-up.

    `pair` is (read, right): categories, or `none` where nothing was or should have been opened.
    """

    examples: int
    pair: tuple[str, str] = ("", "")
    of_pair: int = 0


class CorrectionStore(Protocol):
    def add(self, correction: Correction) -> None: ...
    def gathered(self) -> Gathered: ...


@dataclass(frozen=True, slots=True)
class WordRow:
    """A word of the office; weight 0 takes the shipped word of that category away."""

    word: str
    category: str
    weight: float
    by: str
    at: datetime


class WordStore(Protocol):
    """The office's changes to the shipped lexicon, versioned."""

    def rows(self) -> tuple[WordRow, ...]: ...
    def version(self) -> int:
        """Another number after each change."""
        ...

    def save(self, row: WordRow) -> None: ...
    def drop(self, word: str, category: str) -> bool:
        """Forget what the office said of a word; False where it had said nothing."""
        ...


class Outcome(StrEnum):
    """What came of asking the outside model about a ticket."""

    USED = "used"
    IGNORED = "ignored"
    INVALID = "invalid"
    LATE = "late"
    FAILED = "failed"
    OVER_BUDGET = "over_budget"


@dataclass(frozen=True, slots=True)
class Advice:
    """What the outside model said of a ticket, and what of it was shown to its handler.

    `said` is its own words, trimmed; nothing here is ever a ticket's own field.
    """

    number: TicketNumber
    at: datetime
    model: str
    outcome: Outcome
    said: str
    offered: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0


class AdviceStore(Protocol):
    """Kept beside the tickets, one row for each time the model was asked or could not be."""

    def add(self, advice: Advice) -> int: ...
    def get(self, advice_id: int) -> Advice | None: ...
    def of(self, number: TicketNumber) -> tuple[Advice, ...]:
        """Oldest first."""
        ...

    def spend(self, day: date, most: int) -> bool:
        """Take one of the day's questions; False when none is left."""
        ...


class OfficeStore(Protocol):
    """The office's own settings, versioned."""

    def policy(self) -> Policy: ...
    def save_policy(self, policy: Policy, at: datetime) -> None:
        """A new version; the old ones stay."""
        ...


class CalendarStore(Protocol):
    """The office's working time; what it saves wins over the shipped years."""

    def current(self) -> Calendar: ...
    def days(self) -> tuple[Day, ...]:
        """The office's own lines, without the shipped ones."""
        ...

    def save_days(self, days: Iterable[Day]) -> None: ...
    def week(self) -> Week: ...
    def save_week(self, week: Week, at: datetime) -> None: ...


class ScheduleStore(Protocol):
    def add(self, schedule: Schedule) -> None: ...
    def save(self, schedule: Schedule) -> None: ...
    def get(self, key: str) -> Schedule | None: ...
    def of_kind(self, kind: ScheduleKind) -> tuple[Schedule, ...]:
        """In the order they were made."""
        ...

    def of_person(self, person_id: PersonId) -> tuple[Schedule, ...]:
        """The reminders somebody set that are still to come, oldest first."""
        ...

    def due(self, now: datetime) -> tuple[Schedule, ...]: ...
    def next_at(self) -> datetime | None:
        """The earliest instant at which something is planned."""
        ...

    def next_number(self) -> int:
        """The number of the next reminder, from 1."""
        ...


class RunStore(Protocol):
    """The ledger: which run was made."""

    def take(self, job: str, slot: str, at: datetime) -> bool:
        """Whether this run is ours to make; false for every process but the first."""
        ...


class TokenStore(Protocol):
    def by_secret(self, secret_hash: str) -> Token | None: ...
    def add(self, token: Token, secret_hash: str) -> None: ...
    def tokens(self) -> tuple[Token, ...]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """The page that somebody was last shown: its figures are about `since` to `at`."""

    person_id: PersonId
    kind: str
    since: datetime
    at: datetime


class Means(StrEnum):
    """How a firm was called back."""

    PHONE = "phone"
    VISIT = "visit"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class CallBack:
    """What a firm said when a person of the office asked it again; the firm's verdict is apart."""

    number: TicketNumber
    cycle: int
    at: datetime
    by: PersonId
    means: Means
    solved: bool
    rating: int | None = None
    said: str = ""
    reopened: bool = False


class ReportStore(Protocol):
    """What reports read: histories and last contacts; and the little they remember."""

    def stories(
        self, since: datetime, until: datetime, real: bool = False
    ) -> tuple[tuple[Ticket, tuple[Entry, ...]], ...]:
        """Tickets opened before `until` that lived, moved or were due after `since`; oldest first.

        `real`: without practice in the sandbox, where people speak through other platforms.
        """
        ...

    def opened(self, since: datetime, until: datetime) -> tuple[Ticket, ...]:
        """Every ticket opened in [since, until), oldest first."""
        ...

    def count_from(self, ticket: Ticket) -> None:
        """Numbers and codes go on behind those of a ticket that came from elsewhere."""
        ...

    def last_contacts(self) -> Mapping[EnterpriseId, datetime]:
        """When something last happened between a firm and the office."""
        ...

    def began(self) -> datetime | None:
        """When the first ticket was opened."""
        ...

    def shown(self, person_id: PersonId, kind: str) -> Shown | None: ...
    def show(self, shown: Shown) -> None:
        """Remember the newest page of its kind."""
        ...

    def call_backs(self, since: datetime, until: datetime) -> tuple[CallBack, ...]: ...
    def called_back(self, number: TicketNumber) -> tuple[CallBack, ...]: ...
    def add_call_back(self, call_back: CallBack) -> None: ...


class Work(Protocol):
    """One unit of work: everything done through it commits together or not at all."""

    @property
    def tickets(self) -> TicketStore: ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def chats(self) -> ChatStore: ...
    @property
    def outbox(self) -> OutboxStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def dialogues(self) -> DialogueStore: ...
    @property
    def candidates(self) -> CandidateStore: ...
    @property
    def heard(self) -> HeardStore: ...
    @property
    def office(self) -> OfficeStore: ...
    @property
    def calendar(self) -> CalendarStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def corrections(self) -> CorrectionStore: ...
    @property
    def words(self) -> WordStore: ...
    @property
    def advice(self) -> AdviceStore: ...
    @property
    def policies(self) -> PolicyStore: ...
    @property
    def reports(self) -> ReportStore: ...
    @property
    def schedules(self) -> ScheduleStore: ...
    @property
    def signups(self) -> SignUpStore: ...
    @property
    def surveys(self) -> SurveyStore: ...
    @property
    def visits(self) -> VisitStore: ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def jobs(self) -> RunStore: ...
    @property
    def announcements(self) -> AnnouncementStore: ...
    @property
    def openings(self) -> OpeningStore: ...
    @property
    def attachments(self) -> AttachmentStore: ...
    def savepoint(self) -> AbstractContextManager[None]:
        """Rolled back alone when its body raises."""
        ...


_T = TypeVar("_T", bound=Callable[..., None])


class Job:
    """A duty that comes round by itself. One module in `handlers/jobs` exposes one as `job`.

    Either `every_seconds`, or a `schedule` like 每工作日 08:20 from which a row is made that the office
    may change. A run that could not be made in time is made up for within `late`, else left out.
    """

    def __init__(
        self,
        name: str,
        *,
        every_seconds: float = 0.0,
        schedule: str = "",
        late: timedelta = timedelta(hours=1),
    ) -> None:
        if bool(every_seconds) == bool(schedule):
            raise ValueError(f"job {name}: every_seconds or schedule, one of them")
        self.name = name
        self.every_seconds = every_seconds
        self.schedule = schedule
        self.late = late
        self.function: Callable[..., None] | None = None

    @property
    def key(self) -> str:
        """The key of its row among the schedules."""
        return f"job:{self.name}"

    def run(self, function: _T) -> _T:
        """Register what the job does; its parameters are injected by type."""
        self.function = function
        return function
