"""The ticket: its states, its moves, and what must hold for each. tickets.md §1-3 is the source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

from handlers.domain.category import Category, Urgency
from handlers.domain.deadline import claim_due, due, recounted, shifted
from handlers.domain.errors import AlreadyTaken, BadInput, IllegalMove, NotAllowed, StaleVersion
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import OFFICE_ROLES, Person, Role, Standing
from handlers.domain.policy import Policy, Target, Unit
from handlers.domain.workdays import HORIZON, WorkCalendar


class State(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_ENTERPRISE = "waiting_enterprise"
    WAITING_DEPARTMENT = "waiting_department"
    SHELVED = "shelved"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    NOT_ACCEPTED = "not_accepted"
    MERGED = "merged"


LIVE: Final = frozenset(
    {
        State.OPEN,
        State.IN_PROGRESS,
        State.WAITING_ENTERPRISE,
        State.WAITING_DEPARTMENT,
        State.SHELVED,
    }
)
ENDED: Final = frozenset({State.CLOSED, State.WITHDRAWN, State.NOT_ACCEPTED, State.MERGED})


# What a leader reads at a glance (tickets.md).
TITLE_LENGTH: Final = 20


class Kind(StrEnum):
    REQUEST = "request"
    CONSULT = "consult"
    VISIT = "visit"


class Channel(StrEnum):
    GROUP = "group"
    DIRECT = "direct"
    PHONE = "phone"
    VISIT = "visit"
    CONSOLE = "console"
    API = "api"


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    NONE = "none"


class Move(StrEnum):
    SUBMIT = "submit"
    NAME_FIRM = "name_firm"
    CORRECT_FIRM = "correct_firm"
    FOLLOW_UP = "follow_up"
    RECLASSIFY = "reclassify"
    SET_CONFIDENTIAL = "set_confidential"
    LINK = "link"
    CLAIM = "claim"
    ANSWER = "answer"
    TRANSFER = "transfer"
    TRANSFER_ACCEPT = "transfer_accept"
    TRANSFER_REFUSE = "transfer_refuse"
    REASSIGN = "reassign"
    DECLINE = "decline"
    PROGRESS = "progress"
    ASK = "ask"
    REPLY = "reply"
    ANSWER_OVERDUE = "answer_overdue"
    REFER = "refer"
    DEPARTMENT_RESULT = "department_result"
    RECALL = "recall"
    SHELVE = "shelve"
    SHELVE_APPROVE = "shelve_approve"
    SHELVE_REFUSE = "shelve_refuse"
    REVIEW = "review"
    RESOLVE = "resolve"
    RETRACT = "retract"
    VERDICT_YES = "verdict_yes"
    VERDICT_NO = "verdict_no"
    RATE = "rate"
    CLOSE_SILENT = "close_silent"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    NOT_ACCEPT = "not_accept"
    MERGE = "merge"
    ABSORB = "absorb"
    UNMERGE = "unmerge"
    SPLIT = "split"
    EXTEND = "extend"
    EXTEND_APPROVE = "extend_approve"
    EXTEND_REFUSE = "extend_refuse"
    URGE = "urge"
    SUPERVISE = "supervise"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "acknowledge"
    RECOUNT = "recount"


class Part(StrEnum):
    """What somebody is to one ticket at one instant; tickets.md §2 names them by letter."""

    ANYBODY = "X"
    REPORTER = "R"
    FIRM = "F"
    HANDLER = "H"
    PAIRED = "P"
    NEW_OWNER = "N"
    LEADER = "L"
    AREA = "A"
    GRID = "G"
    DEPARTMENT = "D"
    OFFICE = "O"
    SYSTEM = "S"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a ticket came from; the message opens at most one ticket per problem in it."""

    platform: str = ""
    chat: str = ""
    message_id: str = ""
    channel: Channel = Channel.GROUP


@dataclass(frozen=True, slots=True)
class Ticket:
    """One problem of one firm. `owner_id` None means the duty desk. Times are aware UTC."""

    number: TicketNumber
    code: str
    title: str
    body: str
    category: Category
    urgency: Urgency
    created_at: datetime
    kind: Kind = Kind.REQUEST
    state: State = State.OPEN
    cycle: int = 1
    level: int = 0
    version: int = 1
    confidential: bool = False
    supervised: str = ""
    # Drawn when it first gets orange; `supervised` is a person's order, under the same number.
    orange_code: str = ""
    hazardous: bool = False
    tone: str = ""
    enterprise_id: EnterpriseId | None = None
    reporter_id: PersonId | None = None
    reporter_name: str = ""
    owner_id: PersonId | None = None
    owner_since: datetime | None = None
    source: Source = Source()
    part: int = 1
    # clocks
    cycle_started_at: datetime | None = None
    claim_started_at: datetime | None = None
    progress_started_at: datetime | None = None
    claimed_at: datetime | None = None
    first_reply_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    due_claim: datetime | None = None
    due_first_reply: datetime | None = None
    due_progress: datetime | None = None
    due_resolution: datetime | None = None
    due_answer: datetime | None = None
    due_verdict: datetime | None = None
    due_department: datetime | None = None
    paused_since: datetime | None = None
    paused: timedelta = timedelta()
    # attributes of moves
    last_progress: str = ""
    result: str = ""
    question: str = ""
    department: str = ""
    review_at: datetime | None = None
    pending_owner_id: PersonId | None = None
    pending_since: datetime | None = None
    transfers: int = 0
    declines: int = 0
    pending_until: datetime | None = None
    pending_reason: str = ""
    extensions: int = 0
    pending_review: datetime | None = None
    pending_told: str = ""
    urges: int = 0
    urged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    # When the leader was told, until when the next level waits, when a request was made.
    escalated_at: datetime | None = None
    held_until: datetime | None = None
    asked_at: datetime | None = None
    verdict: Verdict | None = None
    verdict_cycle: int = 0
    rating: int | None = None
    rating_cycle: int = 0
    merged_into: TicketNumber | None = None
    merged_at: datetime | None = None
    parent: TicketNumber | None = None
    handlers: tuple[PersonId, ...] = ()
    reason: str = ""

    @property
    def answered_by_library(self) -> bool:
        """Resolved by the policy library alone: no person has had a hand in it."""
        ended = self.state in (State.RESOLVED, State.CLOSED)
        return ended and self.kind is Kind.CONSULT and not self.handlers

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def supervision_code(self) -> str:
        """The number on its 督办单: one for the whole life of the ticket."""
        return self.supervised or self.orange_code

    @property
    def was_handed_over(self) -> bool:
        """Whether its owner got it from somebody else: only that restarts the claim clock."""
        return (
            self.owner_since is not None
            and self.owner_since == self.claim_started_at
            and self.owner_since != self.created_at
        )


@dataclass(frozen=True, slots=True)
class Args:
    """What a move may carry besides its text."""

    text: str = ""
    person: Person | None = None
    person_standing: Standing | None = None
    enterprise_id: EnterpriseId | None = None
    department: str = ""
    until: datetime | None = None
    category: Category | None = None
    urgency: Urgency | None = None
    title: str = ""
    rating: int | None = None
    target: Ticket | None = None
    told: str = ""
    code: str = ""
    supervision_code: str = ""
    level: int | None = None
    on: bool = True
    former: WorkCalendar | None = None
    former_policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Everything one move may look at."""

    ticket: Ticket
    actor: Person | None
    parts: frozenset[Part]
    args: Args
    now: datetime
    standing: Standing
    calendar: WorkCalendar
    policy: Policy


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ticket's history: who did what, and every field it changed."""

    number: TicketNumber
    seq: int
    at: datetime
    move: Move
    actor_id: PersonId | None
    actor_name: str
    text: str
    from_state: State | None
    to_state: State
    changes: Mapping[str, Any] = field(default_factory=dict)


def parts_of(
    ticket: Ticket, actor: Person | None, standing: Standing, confirmed: bool = True
) -> frozenset[Part]:
    """What `actor` is to `ticket` while `standing` holds; None is the system itself.

    An unconfirmed identity is nobody's firm: such a person may only go on with what they reported.
    """
    if actor is None:
        return frozenset({Part.SYSTEM})
    parts = {Part.ANYBODY}
    if not actor.active:
        return frozenset(parts)
    if ticket.reporter_id == actor.id:
        parts.add(Part.REPORTER)
    if actor.role is Role.MANAGER:
        if (
            confirmed
            and actor.enterprise_id is not None
            and actor.enterprise_id == ticket.enterprise_id
        ):
            parts.add(Part.FIRM)
        return frozenset(parts)
    if actor.role is Role.DEPARTMENT:
        if ticket.department and actor.department == ticket.department:
            parts.add(Part.DEPARTMENT)
        return frozenset(parts)
    return frozenset(parts | _staff_parts(ticket, actor, standing))


def _staff_parts(ticket: Ticket, actor: Person, standing: Standing) -> set[Part]:
    parts: set[Part] = set()
    office = actor.role in OFFICE_ROLES
    if office:
        parts.add(Part.OFFICE)
    if ticket.owner_id == actor.id or (ticket.owner_id is None and office):
        parts.add(Part.HANDLER)
    if actor.id in standing.backup_ids:
        parts.add(Part.PAIRED)
        if ticket.owner_id == standing.liaison_id:
            parts.add(Part.HANDLER)
    if standing.liaison_id == actor.id:
        parts.add(Part.PAIRED)
        if not ticket.was_handed_over:
            # The office or the leader may have taken it for them: they go on with it all the same.
            parts.add(Part.HANDLER)
    if ticket.pending_owner_id == actor.id:
        parts.add(Part.NEW_OWNER)
    if standing.leader_id == actor.id or actor.id in standing.leader_backup_ids:
        parts.add(Part.LEADER)
    if standing.area_head_id == actor.id:
        parts.add(Part.AREA)
    if actor.id in standing.grid_ids:
        parts.add(Part.GRID)
    return parts


# Who decides on requests, and may do without one.
DECIDERS: Final = frozenset({Part.LEADER, Part.OFFICE})
READERS: Final = frozenset(
    {
        Part.FIRM,
        Part.REPORTER,
        Part.HANDLER,
        Part.PAIRED,
        Part.NEW_OWNER,
        Part.LEADER,
        Part.AREA,
        Part.GRID,
        Part.DEPARTMENT,
        Part.OFFICE,
    }
)


def may_read(ticket: Ticket, actor: Person | None, parts: frozenset[Part]) -> bool:
    """Whether somebody may know of a ticket at all.

    A manager who reported for another firm learns only that it was taken (tickets.md §2 submit).
    """
    if actor is None:
        return True
    if actor.role is Role.MANAGER and Part.FIRM not in parts:
        own = ticket.enterprise_id is None or ticket.enterprise_id == actor.enterprise_id
        return Part.REPORTER in parts and own
    return bool(parts & READERS)


# ---- starting and stopping clocks


def started(
    urgency: Urgency, at: datetime, calendar: WorkCalendar, policy: Policy
) -> dict[str, Any]:
    """The clock fields of a new ticket, whose clocks start at the firm's message."""
    target = policy.targets[urgency]
    return {
        "created_at": at,
        "owner_since": at,
        "cycle_started_at": at,
        "claim_started_at": at,
        "due_claim": claim_due(urgency, at, calendar, policy),
        "due_first_reply": due(target.first_reply, at, calendar),
        "due_resolution": due(target.resolution, at, calendar),
    }


def _progressing(step: Step, ticket: Ticket) -> Ticket:
    target = step.policy.targets[ticket.urgency].progress
    at = due(target, step.now, step.calendar)
    if ticket.supervised:
        # 督办 demands progress each working day.
        at = min(at, step.calendar.close_of(step.now, step.policy.supervised_days))
    return replace(ticket, progress_started_at=step.now, due_progress=at)


def _replied(step: Step, ticket: Ticket) -> Ticket:
    if ticket.first_reply_at is not None or step.actor is None:
        return ticket
    return replace(ticket, first_reply_at=step.now)


def _paused(step: Step, ticket: Ticket) -> Ticket:
    return replace(ticket, paused_since=step.now)


def _resumed(step: Step, ticket: Ticket) -> Ticket:
    since = ticket.paused_since
    if since is None:
        return ticket
    target = step.policy.targets[ticket.urgency]
    progress, resolution = ticket.due_progress, ticket.due_resolution
    if progress is not None:
        progress = shifted(progress, target.progress, since, step.now, step.calendar)
    if resolution is not None:
        resolution = shifted(resolution, target.resolution, since, step.now, step.calendar)
    return replace(
        ticket,
        paused_since=None,
        paused=ticket.paused + step.calendar.elapsed(since, step.now),
        due_progress=progress,
        due_resolution=resolution,
        due_answer=None,
        review_at=None,
    )


def _stopped(ticket: Ticket) -> Ticket:
    return replace(
        ticket,
        due_claim=ticket.due_claim,
        due_progress=None,
        due_answer=None,
        due_department=None,
        paused_since=None,
        pending_owner_id=None,
        pending_since=None,
        pending_until=None,
        pending_reason="",
        pending_review=None,
        pending_told="",
    )


def _next_cycle(step: Step, ticket: Ticket) -> Ticket:
    cycle = ticket.cycle + 1
    target = step.policy.targets[ticket.urgency].resolution
    again = replace(
        ticket,
        state=State.IN_PROGRESS,
        cycle=cycle,
        # One reopen is orange, two are red (tickets.md §4).
        # What only the library answered nobody of the office has failed at yet.
        level=ticket.level
        if ticket.answered_by_library
        else max(ticket.level, 4 if cycle == 2 else 5),
        acknowledged_at=None,
        held_until=None,
        cycle_started_at=step.now,
        due_resolution=due(target, step.now, step.calendar),
        due_verdict=None,
        resolved_at=None,
        closed_at=None,
        paused=timedelta(),
        extensions=0,
        result="",
    )
    return _progressing(step, again)


def _hand_to(step: Step, ticket: Ticket, person: Person) -> Ticket:
    started = replace(
        ticket,
        owner_id=person.id,
        owner_since=step.now,
        pending_owner_id=None,
        pending_since=None,
        pending_reason="",
        claim_started_at=step.now,
        due_claim=claim_due(ticket.urgency, step.now, step.calendar, step.policy),
    )
    if ticket.state is State.OPEN:
        return started
    return replace(started, claimed_at=step.now, handlers=_with(ticket, person))


def _with(ticket: Ticket, person: Person | None) -> tuple[PersonId, ...]:
    if person is None or person.id in ticket.handlers:
        return ticket.handlers
    return (*ticket.handlers, person.id)


# ---- guards


PLEASANTRIES: Final = frozenset(
    [
        "收到",
        "好的",
        "好",
        "谢谢",
        "多谢",
        "辛苦了",
        "嗯",
        "嗯嗯",
        "ok",
        "OK",
        "1",
        "知道了",
        "晓得了",
        "明白",
        "谢谢领导",
        "感谢",
        "没问题",
    ]
)
BARE_RESULTS: Final = frozenset(
    [
        "办结",
        "已办结",
        "处理",
        "已处理",
        "已转办",
        "转办",
        "已答复",
        "答复",
        "已解决",
        "解决",
        "完成",
        "已完成",
        "结单",
        "销号",
        "关单",
        "完结",
        "闭环",
        "归档",
        "收口",
        "了结",
        "结案",
        "已处理完",
        "处理完毕",
        "处理完了",
        "办好了",
        "弄好了",
        "好了",
        "搞定",
        "可以关了",
        "已办理",
        "已处理完毕",
    ]
)
NOT_ACCEPT_REASONS: Final[Mapping[str, str]] = {
    "outside": "不属本区职责",
    "court": "已进入诉讼、仲裁或信访程序",
    "duplicate": "重复提交",
    "unclear": "信息不全且无法核实",
    "mistake": "误建",
    "other": "有其他法定途径",
}
_TRIM: Final = " \t\r\n　。.！!，,；;、~～：:"


def plain(text: str) -> str:
    """The text without the marks around it, as guards compare it."""
    return text.strip(_TRIM)


def is_pleasantry(text: str) -> bool:
    return plain(text) in PLEASANTRIES


def is_bare_result(text: str, length: int) -> bool:
    """A result that says nothing of what was done (domain.md H6)."""
    said = plain(text)
    return len(said) < length or said in BARE_RESULTS


def _need_text(step: Step, reason: str) -> str:
    text = step.args.text.strip()
    if not text:
        raise BadInput(reason, number=step.ticket.number)
    return text


def _need_person(step: Step) -> Person:
    person = step.args.person
    if person is None or not person.active or not person.is_staff:
        raise BadInput("person_needed", number=step.ticket.number)
    if person.role is Role.DEPARTMENT:
        raise BadInput("person_needed", number=step.ticket.number)
    return person


# ---- moves


def _name_firm(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.enterprise_id is not None:
        raise BadInput("firm_known", number=ticket.number)
    if step.args.enterprise_id is None:
        raise BadInput("firm_needed", number=ticket.number)
    standing = step.args.person_standing or Standing()
    named = replace(
        ticket,
        enterprise_id=step.args.enterprise_id,
        hazardous=standing.enterprise is not None and standing.enterprise.hazardous,
    )
    if ticket.state is State.OPEN and ticket.owner_id is None:
        # The firm's pairing decides the owner; no clock restarts.
        named = replace(named, owner_id=standing.liaison_id, owner_since=step.now)
    return named


def _correct_firm(step: Step) -> Ticket:
    """The wrong firm was registered (docs/adr/0007): the right one's pairing decides the owner."""
    ticket, firm = step.ticket, step.args.enterprise_id
    if firm is None or ticket.enterprise_id is None:
        raise BadInput("firm_needed", number=ticket.number)
    if firm == ticket.enterprise_id:
        raise BadInput("firm_same", number=ticket.number)
    standing = step.args.person_standing or Standing()
    paired = min(standing.backup_ids) if standing.backup_ids else standing.liaison_id
    if standing.liaison_away and not standing.backup_ids:
        paired = None
    if paired is None and ticket.claimed_at is not None:
        # Nobody is paired with it: whoever has it in hand stays responsible.
        paired = ticket.owner_id
    moved = paired != ticket.owner_id
    if ticket.state is State.WAITING_ENTERPRISE:
        # The question went to the other firm, so nobody is there to answer it.
        ticket = replace(_resumed(step, ticket), state=State.IN_PROGRESS, question="")
    return replace(
        ticket,
        enterprise_id=firm,
        hazardous=standing.enterprise is not None and standing.enterprise.hazardous,
        owner_id=paired,
        owner_since=step.now if moved else ticket.owner_since,
        # A transfer that was under way belonged to the other firm's people.
        pending_owner_id=None,
        pending_since=None,
        pending_reason="" if ticket.pending_owner_id is not None else ticket.pending_reason,
    )


def _follow_up(step: Step) -> Ticket:
    if not step.args.text.strip():
        raise BadInput("text_needed", number=step.ticket.number)
    return step.ticket


def _retargeted(step: Step, ticket: Ticket) -> Ticket:
    """Running clocks by the new urgency; what is already overdue stays overdue."""
    target = step.policy.targets[ticket.urgency]
    now, calendar = step.now, step.calendar

    def kept(old: datetime | None, new: Callable[[], datetime]) -> datetime | None:
        return old if old is None or old <= now else new()

    start = ticket.cycle_started_at or ticket.created_at
    claim_start = ticket.claim_started_at or ticket.created_at

    def resolution() -> datetime:
        at = due(target.resolution, start, calendar)
        return calendar.add(at, ticket.paused) if ticket.paused else at

    changed = ticket
    if ticket.claimed_at is None:
        changed = replace(
            changed,
            due_claim=kept(
                ticket.due_claim,
                lambda: claim_due(ticket.urgency, claim_start, calendar, step.policy),
            ),
        )
    if ticket.first_reply_at is None:
        changed = replace(
            changed,
            due_first_reply=kept(
                ticket.due_first_reply,
                lambda: due(target.first_reply, ticket.created_at, calendar),
            ),
        )
    progress_start = ticket.progress_started_at
    if progress_start is not None:
        changed = replace(
            changed,
            due_progress=kept(
                ticket.due_progress, lambda: due(target.progress, progress_start, calendar)
            ),
        )
    if ticket.extensions == 0:
        changed = replace(changed, due_resolution=kept(ticket.due_resolution, resolution))
    return changed


def _reclassify(step: Step) -> Ticket:
    ticket, args = step.ticket, step.args
    category = args.category or ticket.category
    urgency = args.urgency or ticket.urgency
    title = args.title.strip() or ticket.title
    if (category, urgency, title) == (ticket.category, ticket.urgency, ticket.title):
        raise BadInput("nothing_changes", number=ticket.number)
    if title != ticket.title and not 2 <= len(title) <= TITLE_LENGTH:
        raise BadInput("title_length", number=ticket.number, most=TITLE_LENGTH)
    changed = replace(ticket, category=category, urgency=urgency, title=title)
    return changed if urgency is ticket.urgency else _retargeted(step, changed)


def _set_confidential(step: Step) -> Ticket:
    if not step.args.on:
        raise BadInput("stays_confidential", number=step.ticket.number)
    return replace(step.ticket, confidential=True)


def _link(step: Step) -> Ticket:
    target = step.args.target
    if target is None or target.number == step.ticket.number:
        raise BadInput("target_needed", number=step.ticket.number)
    return step.ticket


def _claim(step: Step) -> Ticket:
    ticket, actor = step.ticket, step.actor
    if ticket.state is not State.OPEN:
        if actor is not None and ticket.owner_id == actor.id and ticket.claimed_at is not None:
            return ticket
        raise AlreadyTaken(ticket.number, ticket.owner_id)
    claimed = replace(
        ticket,
        state=State.IN_PROGRESS,
        owner_id=actor.id if actor else None,
        owner_since=step.now,
        claimed_at=step.now,
        pending_owner_id=None,
        pending_since=None,
        pending_reason="",
        handlers=_with(ticket, actor),
    )
    return _progressing(step, claimed)


def _answer(step: Step) -> Ticket:
    ticket = step.ticket
    if Part.SYSTEM in step.parts and ticket.kind is not Kind.CONSULT:
        raise NotAllowed(ticket.number, Move.ANSWER)
    return _resolved(step, replace(ticket, claimed_at=ticket.claimed_at or step.now))


def _resolved(step: Step, ticket: Ticket) -> Ticket:
    if is_bare_result(step.args.text, step.policy.result_length):
        raise BadInput("empty_result", number=ticket.number)
    actor = step.actor
    return replace(
        _stopped(_replied(step, ticket)),
        state=State.RESOLVED,
        owner_id=actor.id if actor is not None and ticket.owner_id is None else ticket.owner_id,
        result=step.args.text.strip(),
        resolved_at=step.now,
        due_verdict=step.calendar.close_of(step.now, step.policy.verdict_days),
        handlers=_with(ticket, actor),
    )


def _resolve(step: Step) -> Ticket:
    return _resolved(step, step.ticket)


def _transfer(step: Step) -> Ticket:
    ticket = step.ticket
    reason = _need_text(step, "reason_needed")
    person = _need_person(step)
    if person.id == ticket.owner_id:
        raise BadInput("owner_already", number=ticket.number, name=person.name)
    if ticket.transfers >= step.policy.transfers and Part.OFFICE not in step.parts:
        raise BadInput("transfers_used", number=ticket.number, limit=step.policy.transfers)
    return replace(
        ticket,
        pending_owner_id=person.id,
        pending_since=step.now,
        pending_reason=reason,
        transfers=ticket.transfers + 1,
    )


def _transfer_accept(step: Step) -> Ticket:
    ticket, actor = step.ticket, step.actor
    if ticket.pending_owner_id is None or actor is None:
        raise BadInput("nothing_pending", number=ticket.number)
    return _hand_to(step, ticket, actor)


def _transfer_refuse(step: Step) -> Ticket:
    if step.ticket.pending_owner_id is None:
        raise BadInput("nothing_pending", number=step.ticket.number)
    return replace(step.ticket, pending_owner_id=None, pending_since=None, pending_reason="")


def _handed_over(step: Step) -> Ticket:
    """The firm's pairing changed: no clock starts again, what was claimed stays claimed."""
    ticket, person = step.ticket, step.args.person
    owner_id = None if person is None else person.id
    if owner_id == ticket.owner_id:
        raise BadInput("owner_already", number=ticket.number, name="")
    pending = {} if ticket.pending_owner_id != owner_id else _NOTHING_PENDING
    claimed = ticket.state is not State.OPEN
    return replace(
        ticket,
        owner_id=owner_id,
        owner_since=step.now,
        handlers=_with(ticket, person) if claimed else ticket.handlers,
        **pending,
    )


_NOTHING_PENDING: Final[Mapping[str, Any]] = {
    "pending_owner_id": None,
    "pending_since": None,
    "pending_reason": "",
}


def _reassign(step: Step) -> Ticket:
    _need_text(step, "reason_needed")
    if step.actor is None:
        return _handed_over(step)
    person = _need_person(step)
    if person.id == step.ticket.owner_id:
        raise BadInput("owner_already", number=step.ticket.number, name=person.name)
    return _hand_to(step, step.ticket, person)


def _decline(step: Step) -> Ticket:
    ticket = step.ticket
    _need_text(step, "reason_needed")
    if ticket.owner_id is None:
        raise BadInput("at_duty_desk", number=ticket.number)
    since = ticket.owner_since or ticket.created_at
    allowed = step.policy.working_day * step.policy.decline_within_days
    if step.calendar.elapsed(since, step.now) > allowed:
        raise BadInput(
            "decline_too_late", number=ticket.number, days=step.policy.decline_within_days
        )
    return replace(
        ticket,
        state=State.OPEN,
        owner_id=None,
        owner_since=step.now,
        claimed_at=None,
        declines=ticket.declines + 1,
        due_progress=None,
        progress_started_at=None,
        pending_owner_id=None,
        pending_since=None,
        pending_reason="",
        level=max(ticket.level, 5) if ticket.declines >= 1 else ticket.level,
    )


def _progress(step: Step) -> Ticket:
    ticket = step.ticket
    text = step.args.text.strip()
    if len(plain(text)) < step.policy.progress_length:
        raise BadInput("progress_too_short", number=ticket.number)
    if text == ticket.last_progress:
        raise BadInput("progress_repeated", number=ticket.number)
    told = replace(_replied(step, ticket), last_progress=text, handlers=_with(ticket, step.actor))
    if ticket.state is State.WAITING_ENTERPRISE:
        told = replace(_resumed(step, told), state=State.IN_PROGRESS, question="")
    return _progressing(step, told)


def _ask(step: Step) -> Ticket:
    ticket = step.ticket
    question = _need_text(step, "question_needed")
    if ticket.paused >= step.policy.working_day * step.policy.pause_budget_days:
        raise BadInput("pause_budget", number=ticket.number)
    return replace(
        _paused(step, _replied(step, ticket)),
        state=State.WAITING_ENTERPRISE,
        question=question,
        due_answer=step.calendar.close_of(step.now, step.policy.answer_days),
    )


def _reply(step: Step) -> Ticket:
    if not step.args.text.strip() or is_pleasantry(step.args.text):
        raise BadInput("reply_needed", number=step.ticket.number)
    return replace(_resumed(step, step.ticket), state=State.IN_PROGRESS, question="")


def _answer_overdue(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.due_answer is None or step.now < ticket.due_answer:
        raise BadInput("not_due", number=ticket.number)
    return replace(_resumed(step, ticket), state=State.IN_PROGRESS)


def _refer(step: Step) -> Ticket:
    ticket, args = step.ticket, step.args
    if not args.department:
        raise BadInput("department_needed", number=ticket.number)
    until = args.until or ticket.due_resolution
    if until is None or until <= step.now:
        raise BadInput("until_past", number=ticket.number)
    if ticket.due_resolution is not None and until > ticket.due_resolution:
        raise BadInput("until_beyond_due", number=ticket.number, due=ticket.due_resolution)
    return replace(
        _replied(step, ticket),
        state=State.WAITING_DEPARTMENT,
        department=args.department,
        due_department=until,
    )


def _department_result(step: Step) -> Ticket:
    _need_text(step, "text_needed")
    return replace(step.ticket, state=State.IN_PROGRESS, due_department=None)


def _shelve(step: Step) -> Ticket:
    ticket, args = step.ticket, step.args
    reason = _need_text(step, "reason_needed")
    if not args.told.strip():
        raise BadInput("told_needed", number=ticket.number)
    if args.until is None:
        raise BadInput("review_needed", number=ticket.number)
    if not step.now < args.until <= step.now + timedelta(days=step.policy.shelve_days):
        raise BadInput("review_too_far", number=ticket.number, days=step.policy.shelve_days)
    asked = replace(
        ticket,
        pending_review=args.until,
        pending_reason=reason,
        pending_told=args.told.strip(),
        asked_at=step.now,
    )
    # Whoever decides need not ask: it is one of the chief's ways out (tickets.md §4).
    return _on_the_shelf(step, asked) if step.parts & DECIDERS else asked


def _shelve_approve(step: Step) -> Ticket:
    if step.ticket.pending_review is None:
        raise BadInput("nothing_pending", number=step.ticket.number)
    return _on_the_shelf(step, step.ticket)


def _on_the_shelf(step: Step, ticket: Ticket) -> Ticket:
    return replace(
        _paused(step, ticket),
        state=State.SHELVED,
        review_at=ticket.pending_review,
        reason=ticket.pending_reason,
        pending_review=None,
        pending_reason="",
    )


def _shelve_refuse(step: Step) -> Ticket:
    if step.ticket.pending_review is None:
        raise BadInput("nothing_pending", number=step.ticket.number)
    return replace(step.ticket, pending_review=None, pending_reason="", pending_told="")


def _review(step: Step) -> Ticket:
    ticket = step.ticket
    if Part.SYSTEM in step.parts and (ticket.review_at is None or step.now < ticket.review_at):
        raise BadInput("not_due", number=ticket.number)
    # Shelving has an approval of its own and does not use up the pause budget.
    back = replace(_resumed(step, ticket), state=State.IN_PROGRESS, paused=ticket.paused)
    return _progressing(step, back)


def _retract(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.verdict_cycle == ticket.cycle:
        raise BadInput("verdict_given", number=ticket.number)
    return _progressing(
        step,
        replace(ticket, state=State.IN_PROGRESS, resolved_at=None, due_verdict=None, result=""),
    )


def _not_the_handler(step: Step) -> None:
    if step.actor is not None and step.actor.id in step.ticket.handlers:
        raise NotAllowed(step.ticket.number, Move.RATE)


def _verdict_yes(step: Step) -> Ticket:
    _not_the_handler(step)
    return replace(
        step.ticket,
        state=State.CLOSED,
        verdict=Verdict.YES,
        verdict_cycle=step.ticket.cycle,
        closed_at=step.now,
    )


def _verdict_no(step: Step) -> Ticket:
    _not_the_handler(step)
    return _next_cycle(
        step, replace(step.ticket, verdict=Verdict.NO, verdict_cycle=step.ticket.cycle)
    )


def _rate(step: Step) -> Ticket:
    ticket, rating = step.ticket, step.args.rating
    _not_the_handler(step)
    if rating is None or not 1 <= rating <= 5:
        raise BadInput("rating_needed", number=ticket.number)
    rated = ticket.rating_cycle == ticket.cycle
    if rated and ticket.rating == rating:
        return ticket
    with_rating = replace(ticket, rating=rating, rating_cycle=ticket.cycle)
    if ticket.state is State.CLOSED:
        if ticket.due_verdict is None or step.now > ticket.due_verdict:
            raise BadInput("rating_over", number=ticket.number)
        if rating <= 2:
            return _reopened(
                step, replace(with_rating, verdict=Verdict.NO, verdict_cycle=ticket.cycle)
            )
        if rated:
            raise BadInput("already_rated", number=ticket.number, rating=ticket.rating)
        if ticket.verdict is Verdict.NONE:
            with_rating = replace(with_rating, verdict=Verdict.YES, verdict_cycle=ticket.cycle)
        return with_rating
    if rating <= 2:
        return _next_cycle(
            step, replace(with_rating, verdict=Verdict.NO, verdict_cycle=ticket.cycle)
        )
    return replace(
        with_rating,
        state=State.CLOSED,
        verdict=Verdict.YES,
        verdict_cycle=ticket.cycle,
        closed_at=step.now,
    )


def _close_silent(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.due_verdict is None or step.now < ticket.due_verdict:
        raise BadInput("not_due", number=ticket.number)
    return replace(ticket, state=State.CLOSED, verdict=Verdict.NONE, closed_at=step.now)


def _reopened(step: Step, ticket: Ticket) -> Ticket:
    ended = ticket.closed_at
    limit = step.policy.reopen_days
    if ended is not None and step.now > step.calendar.close_of(ended, limit):
        raise BadInput("reopen_too_late", number=ticket.number, days=limit)
    return _next_cycle(step, ticket)


def _reopen(step: Step) -> Ticket:
    return _reopened(step, step.ticket)


def _withdraw(step: Step) -> Ticket:
    if step.ticket.supervised:
        raise BadInput("supervised", number=step.ticket.number)
    return replace(_stopped(step.ticket), state=State.WITHDRAWN, closed_at=step.now)


def _not_accept(step: Step) -> Ticket:
    reason = step.args.code
    if reason not in NOT_ACCEPT_REASONS:
        raise BadInput("reason_listed", number=step.ticket.number)
    return replace(
        _stopped(step.ticket), state=State.NOT_ACCEPTED, reason=reason, closed_at=step.now
    )


def _merge(step: Step) -> Ticket:
    ticket, target = step.ticket, step.args.target
    if target is None or target.number == ticket.number or not target.is_live:
        raise BadInput("target_needed", number=ticket.number)
    if target.enterprise_id != ticket.enterprise_id or ticket.enterprise_id is None:
        raise BadInput("other_firm", number=ticket.number)
    if Part.OFFICE not in step.parts and step.actor is not None:
        theirs = parts_of(target, step.actor, step.standing)
        if Part.HANDLER not in theirs:
            raise NotAllowed(target.number, Move.MERGE)
    return replace(
        ticket,
        state=State.MERGED,
        merged_into=target.number,
        merged_at=step.now,
        closed_at=step.now,
    )


def _absorb(step: Step) -> Ticket:
    """The other half of a merge: the earliest start is kept, so no clock is gained by it."""
    ticket, other = step.ticket, step.args.target
    if other is None:
        raise BadInput("target_needed", number=ticket.number)

    def earliest(a: datetime | None, b: datetime | None) -> datetime | None:
        return min(a, b) if a is not None and b is not None else a

    return replace(
        ticket,
        due_resolution=earliest(ticket.due_resolution, other.due_resolution),
        due_first_reply=earliest(ticket.due_first_reply, other.due_first_reply),
        due_claim=earliest(ticket.due_claim, other.due_claim),
        cycle_started_at=earliest(ticket.cycle_started_at, other.cycle_started_at),
        confidential=ticket.confidential or other.confidential,
    )


def _unmerge(step: Step) -> Ticket:
    ticket = step.ticket
    at = ticket.merged_at or ticket.created_at
    allowed = step.policy.working_day * step.policy.unmerge_within_days
    if step.calendar.elapsed(at, step.now) > allowed:
        raise BadInput(
            "unmerge_too_late", number=ticket.number, days=step.policy.unmerge_within_days
        )
    return replace(
        ticket,
        state=State.OPEN,
        merged_into=None,
        merged_at=None,
        closed_at=None,
        claimed_at=None,
        due_progress=None,
        progress_started_at=None,
        paused_since=None,
        pending_owner_id=None,
        pending_since=None,
    )


def _split(step: Step) -> Ticket:
    _need_text(step, "text_needed")
    return step.ticket


def _extend(step: Step) -> Ticket:
    ticket, until = step.ticket, step.args.until
    reason = _need_text(step, "reason_needed")
    if ticket.extensions >= step.policy.extensions and not step.parts & DECIDERS:
        raise BadInput("extensions_used", number=ticket.number, limit=step.policy.extensions)
    if until is None:
        raise BadInput("until_needed", number=ticket.number)
    if ticket.due_resolution is None or until <= ticket.due_resolution:
        raise BadInput("until_not_later", number=ticket.number, due=ticket.due_resolution)
    if until > step.now + HORIZON:
        raise BadInput("until_too_far", number=ticket.number, days=HORIZON.days)
    if step.parts & DECIDERS:
        return _granted(step, replace(ticket, pending_until=until), until)
    before = step.policy.working_day * step.policy.extend_before_days
    if step.calendar.elapsed(step.now, ticket.due_resolution) < before:
        raise BadInput("extend_too_late", number=ticket.number, days=step.policy.extend_before_days)
    return replace(ticket, pending_until=until, pending_reason=reason, asked_at=step.now)


def _granted(step: Step, ticket: Ticket, until: datetime) -> Ticket:
    """A leader or the office grants it unasked; what is overdue stays so, the ladder waits."""
    due_at = ticket.due_resolution
    if until <= step.now:
        raise BadInput("until_past", number=ticket.number)
    late = due_at is not None and due_at <= step.now
    return replace(
        ticket,
        due_resolution=due_at if late else until,
        held_until=until if late else ticket.held_until,
        pending_until=None,
        pending_reason="",
        extensions=ticket.extensions + 1,
    )


def _extend_approve(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.pending_until is None:
        raise BadInput("nothing_pending", number=ticket.number)
    due_at = ticket.due_resolution
    # An extension granted after the due time never un-breaches it (tickets.md §3).
    if due_at is not None and due_at <= step.now:
        raise BadInput("already_overdue", number=ticket.number)
    return replace(
        ticket,
        due_resolution=ticket.pending_until,
        pending_until=None,
        pending_reason="",
        extensions=ticket.extensions + 1,
    )


def _extend_refuse(step: Step) -> Ticket:
    if step.ticket.pending_until is None:
        raise BadInput("nothing_pending", number=step.ticket.number)
    return replace(step.ticket, pending_until=None, pending_reason="")


def _urge(step: Step) -> Ticket:
    ticket = step.ticket
    if ticket.urged_at is not None:
        gap = step.calendar.elapsed(ticket.urged_at, step.now)
        if gap < step.policy.urge_gap_working:
            raise BadInput("urge_too_soon", number=ticket.number, gap=step.policy.urge_gap_working)
    urges = ticket.urges + 1
    level = max(ticket.level, 4) if urges >= 2 else ticket.level
    return replace(ticket, urges=urges, urged_at=step.now, level=level)


def _supervise(step: Step) -> Ticket:
    if step.ticket.supervised:
        raise BadInput("supervised_already", number=step.ticket.number, code=step.ticket.supervised)
    code = step.ticket.orange_code or step.args.supervision_code
    if not code:
        raise BadInput("code_needed", number=step.ticket.number)
    ticket = replace(step.ticket, supervised=code)
    if ticket.due_progress is None or ticket.due_progress <= step.now:
        return ticket
    daily = step.calendar.close_of(step.now, step.policy.supervised_days)
    return replace(ticket, due_progress=min(ticket.due_progress, daily))


def _escalate(step: Step) -> Ticket:
    level = step.ticket.level + 1 if step.args.level is None else step.args.level
    if not step.ticket.level < level <= 5:
        raise BadInput("no_higher_level", number=step.ticket.number)
    return replace(step.ticket, level=level, acknowledged_at=None)


def _acknowledge(step: Step) -> Ticket:
    if step.ticket.level < 4:
        raise BadInput("nothing_to_acknowledge", number=step.ticket.number)
    until = step.args.until
    if until is None:
        held = step.calendar.add(step.now, step.policy.working_day * step.policy.hold_days)
    elif step.now < until <= step.now + timedelta(days=step.policy.meeting_days):
        # A day on which it will be talked over; nothing climbs before it.
        held = until
    else:
        raise BadInput("meeting_too_far", number=step.ticket.number, days=step.policy.meeting_days)
    return replace(step.ticket, acknowledged_at=step.now, held_until=held)


def recounted_ticket(
    ticket: Ticket, old: WorkCalendar, new: WorkCalendar, policy: Policy, now: datetime
) -> Ticket:
    """The ticket with its running clocks by a new calendar; the same ticket where none changes.

    Natural time knows no calendar, and a day that a person agreed to (an extension, a department's
    day, a review) stays that day.
    """
    dues: dict[str, datetime] = {}

    def count(name: str, since: datetime) -> None:
        at: datetime | None = getattr(ticket, name)
        if at is not None:
            again = recounted(at, since, old, new)
            if again != at:
                dues[name] = again

    targets = policy.targets[ticket.urgency]
    paused = ticket.paused_since or now
    if ticket.is_live:
        if ticket.claimed_at is None and targets.claim.unit is not Unit.NATURAL:
            count("due_claim", now)
        if ticket.first_reply_at is None and targets.first_reply.unit is not Unit.NATURAL:
            count("due_first_reply", now)
        if targets.progress.unit is not Unit.NATURAL:
            count("due_progress", paused)
        if ticket.extensions == 0 and targets.resolution.unit is not Unit.NATURAL:
            count("due_resolution", paused)
        count("due_answer", now)
    if ticket.state is State.RESOLVED:
        count("due_verdict", now)
    return replace(ticket, **dues) if dues else ticket  # type: ignore[arg-type]  # names of instants


def retargeted_ticket(
    ticket: Ticket, former: Policy, policy: Policy, calendar: WorkCalendar, now: datetime
) -> Ticket:
    """The ticket with its running clocks by new targets; the same ticket where none changes.

    What pauses gave stays given, and what is overdue stays so. A clock that would be overdue by
    the new target at once keeps its former promise: nobody is late by a rule that came after.
    """
    if not ticket.is_live:
        return ticket
    old, new = former.targets[ticket.urgency], policy.targets[ticket.urgency]
    dues: dict[str, datetime] = {}

    def count(name: str, target: Target, before: datetime, after: datetime, at: datetime) -> None:
        held: datetime | None = getattr(ticket, name)
        if held is None or held <= at or after == before:
            return
        if held > before:
            natural = target.unit is Unit.NATURAL
            given = held - before if natural else calendar.elapsed(before, held)
            after = after + given if natural else calendar.add(after, given)
        elif name == "due_progress" and ticket.supervised:
            after = min(after, held)
        if after > at:
            dues[name] = after

    running = now if ticket.paused_since is None else ticket.paused_since
    if ticket.claimed_at is None:
        since = ticket.claim_started_at or ticket.created_at
        before = claim_due(ticket.urgency, since, calendar, former)
        count(
            "due_claim", new.claim, before, claim_due(ticket.urgency, since, calendar, policy), now
        )
    clocks = (
        ("first_reply", ticket.created_at, now, ticket.first_reply_at is None),
        ("progress", ticket.progress_started_at, running, True),
        # A day that was agreed on (an extension) stays that day.
        (
            "resolution",
            ticket.cycle_started_at or ticket.created_at,
            running,
            not ticket.extensions,
        ),
    )
    for name, started_at, at, runs in clocks:
        was, target = getattr(old, name), getattr(new, name)
        if runs and started_at is not None and was != target:
            before, after = due(was, started_at, calendar), due(target, started_at, calendar)
            count(f"due_{name}", target, before, after, at)
    changed = {name: at for name, at in dues.items() if at != getattr(ticket, name)}
    return replace(ticket, **changed) if changed else ticket  # type: ignore[arg-type]  # instants


def _recount(step: Step) -> Ticket:
    ticket, former, policy = step.ticket, step.args.former, step.args.former_policy
    if former is not None:
        again = recounted_ticket(ticket, former, step.calendar, step.policy, step.now)
    elif policy is not None:
        again = retargeted_ticket(ticket, policy, step.policy, step.calendar, step.now)
    else:
        again = ticket
    if again is ticket:
        raise BadInput("nothing_changes", number=ticket.number)
    return again


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of tickets.md §2: from where, by whom, and what it does (guards inside)."""

    sources: frozenset[State]
    who: frozenset[Part]
    act: Callable[[Step], Ticket]
    targets: frozenset[State]


def _rule(
    sources: frozenset[State] | State,
    who: str,
    act: Callable[[Step], Ticket],
    *targets: State,
) -> Rule:
    start = frozenset({sources}) if isinstance(sources, State) else sources
    return Rule(start, frozenset(Part(letter) for letter in who), act, frozenset(targets) or start)


_S = State
_WORKED: Final = frozenset({_S.IN_PROGRESS, _S.WAITING_ENTERPRISE, _S.WAITING_DEPARTMENT})
_LIVE_CLAIM: Final = LIVE - {_S.OPEN}

MOVES: Final[Mapping[Move, Rule]] = {
    Move.NAME_FIRM: _rule(LIVE, "OHRS", _name_firm),
    Move.CORRECT_FIRM: _rule(LIVE, "HLO", _correct_firm),
    Move.FOLLOW_UP: _rule(LIVE, "FR", _follow_up),
    Move.RECLASSIFY: _rule(LIVE, "HLO", _reclassify),
    Move.SET_CONFIDENTIAL: _rule(LIVE, "HLOR", _set_confidential),
    Move.LINK: _rule(LIVE, "HLO", _link),
    Move.CLAIM: _rule(LIVE, "PHLO", _claim, _S.IN_PROGRESS),
    Move.ANSWER: _rule(_S.OPEN, "HOS", _answer, _S.RESOLVED),
    Move.TRANSFER: _rule(LIVE, "HLO", _transfer),
    Move.TRANSFER_ACCEPT: _rule(LIVE, "N", _transfer_accept),
    Move.TRANSFER_REFUSE: _rule(LIVE, "N", _transfer_refuse),
    Move.REASSIGN: _rule(LIVE, "LOS", _reassign),
    Move.DECLINE: _rule(frozenset({_S.OPEN, _S.IN_PROGRESS}), "H", _decline, _S.OPEN),
    Move.PROGRESS: _rule(_WORKED, "HDGLO", _progress, _S.IN_PROGRESS, _S.WAITING_DEPARTMENT),
    Move.ASK: _rule(_S.IN_PROGRESS, "H", _ask, _S.WAITING_ENTERPRISE),
    Move.REPLY: _rule(_S.WAITING_ENTERPRISE, "F", _reply, _S.IN_PROGRESS),
    Move.ANSWER_OVERDUE: _rule(_S.WAITING_ENTERPRISE, "S", _answer_overdue, _S.IN_PROGRESS),
    Move.REFER: _rule(_S.IN_PROGRESS, "H", _refer, _S.WAITING_DEPARTMENT),
    Move.DEPARTMENT_RESULT: _rule(_S.WAITING_DEPARTMENT, "HOD", _department_result, _S.IN_PROGRESS),
    Move.RECALL: _rule(_S.WAITING_DEPARTMENT, "HOD", _department_result, _S.IN_PROGRESS),
    Move.SHELVE: _rule(
        frozenset({_S.IN_PROGRESS, _S.WAITING_DEPARTMENT}),
        "HLO",
        _shelve,
        _S.IN_PROGRESS,
        _S.WAITING_DEPARTMENT,
        _S.SHELVED,
    ),
    Move.SHELVE_APPROVE: _rule(
        frozenset({_S.IN_PROGRESS, _S.WAITING_DEPARTMENT}), "LO", _shelve_approve, _S.SHELVED
    ),
    Move.SHELVE_REFUSE: _rule(
        frozenset({_S.IN_PROGRESS, _S.WAITING_DEPARTMENT}), "LO", _shelve_refuse
    ),
    Move.REVIEW: _rule(_S.SHELVED, "HS", _review, _S.IN_PROGRESS),
    Move.RESOLVE: _rule(_S.IN_PROGRESS, "HO", _resolve, _S.RESOLVED),
    Move.RETRACT: _rule(_S.RESOLVED, "HL", _retract, _S.IN_PROGRESS),
    Move.VERDICT_YES: _rule(_S.RESOLVED, "F", _verdict_yes, _S.CLOSED),
    Move.VERDICT_NO: _rule(_S.RESOLVED, "F", _verdict_no, _S.IN_PROGRESS),
    Move.RATE: _rule(frozenset({_S.RESOLVED, _S.CLOSED}), "F", _rate, _S.CLOSED, _S.IN_PROGRESS),
    Move.CLOSE_SILENT: _rule(_S.RESOLVED, "S", _close_silent, _S.CLOSED),
    Move.REOPEN: _rule(_S.CLOSED, "FO", _reopen, _S.IN_PROGRESS),
    Move.WITHDRAW: _rule(LIVE, "FR", _withdraw, _S.WITHDRAWN),
    Move.NOT_ACCEPT: _rule(
        frozenset({_S.OPEN, _S.IN_PROGRESS}), "LO", _not_accept, _S.NOT_ACCEPTED
    ),
    Move.MERGE: _rule(LIVE, "HO", _merge, _S.MERGED),
    Move.ABSORB: _rule(LIVE, "HO", _absorb),
    Move.UNMERGE: _rule(_S.MERGED, "HO", _unmerge, _S.OPEN),
    Move.SPLIT: _rule(_S.IN_PROGRESS, "HO", _split),
    Move.EXTEND: _rule(LIVE - {_S.SHELVED}, "HLO", _extend),
    Move.EXTEND_APPROVE: _rule(LIVE, "LO", _extend_approve),
    Move.EXTEND_REFUSE: _rule(LIVE, "LO", _extend_refuse),
    Move.URGE: _rule(LIVE, "F", _urge),
    Move.SUPERVISE: _rule(LIVE, "LO", _supervise),
    Move.ESCALATE: _rule(LIVE, "SH", _escalate),
    Move.ACKNOWLEDGE: _rule(LIVE, "LOA", _acknowledge),
    Move.RECOUNT: _rule(LIVE | {_S.RESOLVED}, "S", _recount),
}


@dataclass(frozen=True, slots=True)
class Moved:
    """The ticket after a move and its line of history; `entry` is None where nothing changed."""

    ticket: Ticket
    entry: Entry | None


def permitted(ticket: Ticket, what: Move, parts: frozenset[Part]) -> None:
    """Raises NotAllowed or IllegalMove where no text at all would make this move possible."""
    rule = MOVES.get(what)
    if rule is None or not parts & rule.who:
        raise NotAllowed(ticket.number, what)
    if ticket.state not in rule.sources:
        raise IllegalMove(ticket.number, ticket.state, what)


def move(
    ticket: Ticket,
    what: Move,
    actor: Person | None,
    args: Args,
    now: datetime,
    standing: Standing,
    calendar: WorkCalendar,
    policy: Policy,
    expected_version: int | None = None,
    confirmed: bool = True,
) -> Moved:
    """The ticket after `what`; raises the Refusal that says why not.

    Authority is judged before the state, so that nobody learns a state they may not see.
    """
    rule = MOVES.get(what)
    parts = parts_of(ticket, actor, standing, confirmed)
    if rule is None or not parts & rule.who:
        raise NotAllowed(ticket.number, what)
    if what is Move.CLAIM and ticket.state in _LIVE_CLAIM:
        # Who comes second is told who was first, not that something has changed.
        pass
    elif expected_version is not None and expected_version != ticket.version:
        raise StaleVersion(ticket.number, ticket.version)
    if ticket.state not in rule.sources:
        raise IllegalMove(ticket.number, ticket.state, what)
    step = Step(ticket, actor, parts, args, now, standing, calendar, policy)
    after = rule.act(step)
    if after is ticket and what in _IDEMPOTENT:
        return Moved(ticket, None)
    after = replace(_reported(step, what, after), version=ticket.version + 1)
    return Moved(after, entry_of(ticket, after, what, actor, args.text, now))


_IDEMPOTENT: Final = frozenset({Move.CLAIM, Move.RATE})


def _reported(step: Step, what: Move, after: Ticket) -> Ticket:
    """What orange brings: a 督办 number once, and the leader's acknowledgement of each time.

    The acknowledgement is given by any move of the leader's.
    """
    before = step.ticket
    if after.level < 4:
        return after
    if after.is_live and not after.supervision_code:
        after = replace(after, orange_code=step.args.supervision_code)
    if before.level < 4 or after.cycle > before.cycle:
        after = replace(after, escalated_at=step.now, acknowledged_at=None)
    if Part.LEADER in step.parts and after.acknowledged_at is None and what is not Move.ESCALATE:
        after = replace(after, acknowledged_at=step.now)
    return after


def entry_of(
    before: Ticket | None, after: Ticket, what: Move, actor: Person | None, text: str, now: datetime
) -> Entry:
    """The line of history that leads from `before` to `after`."""
    return Entry(
        number=after.number,
        seq=after.version,
        at=now,
        move=what,
        actor_id=None if actor is None else actor.id,
        actor_name="" if actor is None else actor.name,
        text=text,
        from_state=None if before is None else before.state,
        to_state=after.state,
        changes=changes(before, after),
    )


# ---- the ticket as plain values, and its rebirth from history

_FIELDS: Final = tuple(f.name for f in fields(Ticket))
_DEFAULTS: Final = tuple(f.default for f in fields(Ticket))
_values: Final = attrgetter(*_FIELDS)
_PLAIN: Final[Mapping[type, Callable[[Any], Any]]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    timedelta: timedelta.total_seconds,
    Source: lambda s: [s.platform, s.chat, s.message_id, s.channel.value],
    tuple: list,
    # `value` itself is a function of Python's; each line of history has several.
    **{kind: attrgetter("_value_") for kind in (Category, Urgency, Kind, State, Verdict)},
}


def changes(before: Ticket | None, after: Ticket) -> dict[str, Any]:
    """Every field that differs, as JSON values; from nothing: every field not at its default."""
    old_values = _DEFAULTS if before is None else _values(before)
    found: dict[str, Any] = {}
    for name, new, old in zip(_FIELDS, _values(after), old_values, strict=True):
        if new is not old and new != old:
            plain = _PLAIN.get(type(new))
            found[name] = new if plain is None else plain(new)
    return found


_INSTANTS: Final = frozenset(
    f.name
    for f in fields(Ticket)
    if f.name.endswith(("_at", "_since")) or f.name.startswith("due_")
) | {"pending_until", "pending_review", "held_until"}
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "category": Category,
    "urgency": Urgency,
    "kind": Kind,
    "state": State,
    "verdict": lambda v: None if v is None else Verdict(v),
    "paused": lambda v: timedelta(seconds=v),
    "source": lambda v: Source(v[0], v[1], v[2], Channel(v[3])),
    "handlers": tuple,
}


def rebuilt(entries: list[Entry] | tuple[Entry, ...]) -> Ticket:
    """The ticket that its history tells of, from nothing (property 5)."""
    values: dict[str, Any] = {}
    for entry in entries:
        values.update(entry.changes)
    return from_plain(values)


def from_plain(values: Mapping[str, Any]) -> Ticket:
    """A ticket from the JSON values of its fields."""
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name in _INSTANTS:
            read[name] = None if value is None else datetime.fromisoformat(value)
        elif name in _READ:
            read[name] = _READ[name](value)
        else:
            read[name] = value
    return Ticket(**read)


OVERDUE: Final = ("claim", "first_reply", "progress", "resolution")


def overdue(ticket: Ticket, now: datetime) -> tuple[str, ...]:
    """The running clocks that are past due: claim, first_reply, progress, resolution."""
    if not ticket.is_live:
        return ()
    late: list[str] = []
    if ticket.claimed_at is None and ticket.due_claim is not None and ticket.due_claim < now:
        late.append("claim")
    if (
        ticket.first_reply_at is None
        and ticket.due_first_reply is not None
        and ticket.due_first_reply < now
    ):
        late.append("first_reply")
    paused = ticket.paused_since
    at = now if paused is None else paused
    if ticket.due_progress is not None and ticket.due_progress < at:
        late.append("progress")
    if ticket.due_resolution is not None and ticket.due_resolution < at:
        late.append("resolution")
    return tuple(late)
