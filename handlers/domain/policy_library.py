"""The library of policies for firms (惠企政策): entries, whether they hold, whom they may be for.

`handlers.domain.policy` is something else: the office's own numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from handlers.domain.category import Category
from handlers.domain.errors import BadInput
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import OFFICE_ROLES, Enterprise, Person, Role

# Who may write and approve; never both for one entry.
MAY_KEEP: Final = OFFICE_ROLES | {Role.LEADER}
# An entry that nobody has looked at for so long answers nothing (domain.md §12.1).
CHECKED_FOR: Final = timedelta(days=180)
SMALL_STAFF: Final = 300


class State(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """What an entry may be used for on a day."""

    HOLDS = "holds"
    NOT_YET = "not_yet"
    ENDED = "ended"
    UNCHECKED = "unchecked"
    UNAPPROVED = "unapproved"


class Fit(StrEnum):
    """Whether a policy may be for a firm; never a promise."""

    MAY = "may"
    CHECK = "check"
    NOT = "not"


class Rule(StrEnum):
    """What decided about a firm."""

    ALL = "all"
    INDUSTRY = "industry"
    SCALE = "scale"
    AREA = "area"
    STAFF = "staff"
    TAG = "tag"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a policy is for; empty means no limit. `output` is in units of 10,000 yuan a year."""

    industries: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    staff_least: int | None = None
    staff_most: int | None = None
    output_least: int | None = None
    output_most: int | None = None

    @property
    def words(self) -> str:
        return " ".join((*self.industries, *self.scales, *self.areas, *self.tags))


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """One policy as the office keeps it; `id` 0: not yet stored.

    `apply_from` and `apply_by` are the window; `no_apply`: paid without application (免申即享).
    """

    title: str
    id: int = 0
    number: str = ""
    issuer: str = ""
    issued_on: date | None = None
    valid_from: date | None = None
    expires_on: date | None = None
    apply_from: date | None = None
    apply_by: date | None = None
    benefit: str = ""
    whom: Whom = Whom()
    materials: str = ""
    no_apply: bool = False
    contact: str = ""
    source_url: str = ""
    source_file: str = ""
    checked_on: date | None = None
    superseded_by: int | None = None
    summary: str = ""
    text: str = ""
    keywords: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    category: Category | None = None
    state: State = State.DRAFT
    author: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    version: int = 1

    @property
    def day(self) -> date | None:
        """The date that is named with it."""
        return self.issued_on or self.valid_from


def same_document(one: PolicyEntry, other: PolicyEntry) -> bool:
    """Whether two entries are the same policy: by number, else by title and issuer."""
    if one.number and other.number:
        return bare_number(one.number) == bare_number(other.number)
    return one.title == other.title and (
        not one.issuer or not other.issuer or one.issuer == other.issuer
    )


_BRACKETS: Final = str.maketrans({c: "" for c in "〔〕[]()（）【】 　"})


def bare_number(number: str) -> str:
    """A document's number without its brackets, which everybody writes differently."""
    return number.translate(_BRACKETS)


# ---- what was asked


class Answered(StrEnum):
    """What came of a question."""

    ANSWERED = "answered"
    ENDED = "ended"
    UNANSWERED = "unanswered"
    NOT_HELPED = "not_helped"


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """One question that was asked; the list of those nobody could answer is made of them."""

    at: datetime
    text: str
    outcome: Answered
    person_id: PersonId | None = None
    enterprise_id: EnterpriseId | None = None
    ticket: TicketNumber | None = None
    policy_id: int | None = None
    id: int = 0


# ---- life


def checked(entry: PolicyEntry) -> PolicyEntry:
    """An entry that can be kept; raises BadInput."""
    if not entry.title.strip():
        raise BadInput("policy_title")
    if not (entry.summary.strip() or entry.text.strip()):
        raise BadInput("policy_text")
    spans = (
        (entry.valid_from, entry.expires_on),
        (entry.apply_from, entry.apply_by),
    )
    if any(a is not None and b is not None and a > b for a, b in spans):
        raise BadInput("policy_dates")
    if entry.id and entry.superseded_by == entry.id:
        raise BadInput("policy_successor")
    return entry


def approve(entry: PolicyEntry, by: Person, now: datetime, today: date) -> PolicyEntry:
    """Take it into use; whoever approves has looked at it. Raises BadInput."""
    if by.role not in MAY_KEEP or not by.active:
        raise BadInput("policy_role")
    if entry.state is State.WITHDRAWN:
        raise BadInput("policy_withdrawn")
    if entry.state is State.APPROVED:
        raise BadInput("policy_approved")
    if entry.author == by.id:
        raise BadInput("policy_author")
    return replace(
        entry,
        state=State.APPROVED,
        approved_by=by.id,
        approved_at=now,
        checked_on=max(today, entry.checked_on or today),
        version=entry.version + 1,
    )


# What may change without a second person looking again: it only takes trust away or renews it.
_FREE: Final = frozenset({"checked_on", "superseded_by", "expires_on", "state"})


def changed(entry: PolicyEntry, by: PersonId, values: Mapping[str, object]) -> PolicyEntry:
    """Another wording is a draft again, and its writer's; raises BadInput."""
    new = replace(entry, **values)  # type: ignore[arg-type]  # the callers name fields
    if new == entry:
        return entry
    touched = {name for name in values if getattr(new, name) != getattr(entry, name)}
    later = (
        "expires_on" in touched
        and entry.expires_on is not None
        and (new.expires_on is None or new.expires_on > entry.expires_on)
    )
    if touched - _FREE or later:
        new = replace(new, state=State.DRAFT, author=by, approved_by="", approved_at=None)
    return checked(replace(new, version=entry.version + 1))


# ---- whether it holds


def standing(entry: PolicyEntry, today: date, successor: PolicyEntry | None = None) -> Standing:
    """What the entry is good for today; `successor` is the entry of `superseded_by`."""
    if entry.state is not State.APPROVED:
        return Standing.UNAPPROVED
    if entry.expires_on is not None and entry.expires_on < today:
        return Standing.ENDED
    if entry.superseded_by is not None and (
        successor is None or successor.valid_from is None or successor.valid_from <= today
    ):
        return Standing.ENDED
    if entry.checked_on is None or today - entry.checked_on > CHECKED_FOR:
        return Standing.UNCHECKED
    if entry.valid_from is not None and entry.valid_from > today:
        return Standing.NOT_YET
    return Standing.HOLDS


def window_over(entry: PolicyEntry, today: date) -> bool:
    """Whether the days for applying are past, though the policy itself may hold."""
    return entry.apply_by is not None and entry.apply_by < today


# ---- whom it may be for

_SERVICES: Final = ("仓储", "物流", "港", "码头", "贸易", "商业", "服务", "软件", "建筑", "运输")
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "化工": ("化工", "化学", "涂料", "树脂", "助剂", "农药", "染料", "精细"),
    "装备制造": ("机械", "设备", "船", "海工", "重工", "装备", "机床", "模具", "电气", "钢结构"),
    "仓储": ("仓储", "物流", "港", "码头", "储运"),
    "涂料": ("涂料", "油漆", "漆"),
    "纺织": ("纺", "织", "服装", "印染"),
    "电子": ("电子", "半导体", "芯片", "集成电路", "光电"),
    "食品": ("食品", "饮料", "酒", "乳"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a policy may be for a firm, the rule that decided, and the value it asks for."""

    fit: Fit
    rule: Rule
    wanted: str = ""


def matches(whom: Whom, firm: Enterprise, tags: frozenset[str] = frozenset()) -> Match:
    """Every rule is asked; one no decides, then the first doubt. `tags` are the firm's own."""
    asked: tuple[tuple[Rule, Callable[[], Fit], str], ...] = (
        (Rule.AREA, lambda: _any(whom.areas, lambda a: _area(a, firm)), "、".join(whom.areas)),
        (Rule.SCALE, lambda: _any(whom.scales, lambda s: _scale(s, firm)), "、".join(whom.scales)),
        (
            Rule.INDUSTRY,
            lambda: _any(whom.industries, lambda i: _industry(i, firm.industry)),
            "、".join(whom.industries),
        ),
        (Rule.STAFF, lambda: _within(firm.employees, whom.staff_least, whom.staff_most), ""),
        (Rule.TAG, lambda: _all(whom.tags, lambda t: _tag(t, firm, tags)), "、".join(whom.tags)),
        (Rule.OUTPUT, lambda: _within(None, whom.output_least, whom.output_most), ""),
    )
    found = [Match(judge(), rule, wanted) for rule, judge, wanted in asked]
    for fit in (Fit.NOT, Fit.CHECK):
        for match in found:
            if match.fit is fit:
                return match
    limited = [m for m in found if m.wanted]
    return limited[0] if limited else Match(Fit.MAY, Rule.ALL)


def _any(wanted: tuple[str, ...], judge: Callable[[str], Fit]) -> Fit:
    if not wanted:
        return Fit.MAY
    said = {judge(one) for one in wanted}
    return next(fit for fit in (Fit.MAY, Fit.CHECK, Fit.NOT) if fit in said)


def _all(wanted: tuple[str, ...], judge: Callable[[str], Fit]) -> Fit:
    said = {judge(one) for one in wanted} | {Fit.MAY}
    return next(fit for fit in (Fit.NOT, Fit.CHECK, Fit.MAY) if fit in said)


def _area(wanted: str, firm: Enterprise) -> Fit:
    if not firm.area:
        return Fit.CHECK
    return Fit.MAY if wanted[:2] == firm.area[:2] else Fit.NOT


def _scale(wanted: str, firm: Enterprise) -> Fit:
    if not firm.scale:
        return Fit.CHECK
    return Fit.MAY if wanted == firm.scale else Fit.NOT


def _industry(wanted: str, industry: str) -> Fit:
    """A name that no rule knows is a matter for a person, never a no."""
    if not industry:
        return Fit.CHECK
    if wanted in industry or industry in wanted:
        return Fit.MAY
    if wanted in ("制造业", "工业", "工业企业"):
        return Fit.NOT if any(s in industry for s in _SERVICES) else Fit.MAY
    kinds = _KINDS.get(wanted)
    if kinds is None:
        return Fit.CHECK
    return Fit.MAY if any(k in industry for k in kinds) else Fit.NOT


def _within(value: int | None, least: int | None, most: int | None) -> Fit:
    if least is None and most is None:
        return Fit.MAY
    if value is None:
        return Fit.CHECK
    return Fit.MAY if (least or 0) <= value and (most is None or value <= most) else Fit.NOT


def _tag(wanted: str, firm: Enterprise, tags: frozenset[str]) -> Fit:
    if wanted in tags:
        return Fit.MAY
    if wanted in ("危化", "危化企业"):
        return Fit.MAY if firm.hazardous else Fit.NOT
    if wanted in ("重点企业", "重点"):
        return Fit.MAY if firm.is_key else Fit.NOT
    if wanted in ("小微", "小微企业"):
        if firm.employees is not None and firm.employees > SMALL_STAFF:
            return Fit.NOT
        return Fit.MAY if firm.scale == "规下" else Fit.CHECK
    return Fit.CHECK
