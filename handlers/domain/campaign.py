"""A named campaign over a list of targets: what is done, what is left, which milestone was reached.

A target is one shop, one firm, or a grid with so many households (`size`); each round has a mark of
its own. A figure is always counted from the marks, never kept beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from handlers.domain.ids import EnterpriseId, PersonId


@dataclass(frozen=True, slots=True)
class Campaign:
    """`states` go from the open one to the one that ends it; `milestones` are percentages.

    `unit` is what is counted, `words` are further words that people use for the last state.
    """

    number: int
    name: str
    states: tuple[str, ...]
    created_at: datetime
    rounds: int = 1
    owner_id: PersonId | None = None
    purpose: str = ""
    unit: str = ""
    words: tuple[str, ...] = ()
    milestones: tuple[int, ...] = (50, 100)
    by_group: bool = True
    platform: str = ""
    chat: str = ""
    ended_at: datetime | None = None

    @property
    def open_state(self) -> str:
        return self.states[0]

    @property
    def done_state(self) -> str:
        return self.states[-1]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a target stands in one round; `done` is how much of its size."""

    state: str
    done: int = 0
    result: str = ""
    at: datetime | None = None
    by: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """`key` tells targets of a campaign apart; `size` 0: nobody knows how many there are."""

    id: int
    campaign: int
    key: str
    name: str
    marks: tuple[Mark, ...]
    group: str = ""
    place: str = ""
    grid: int | None = None
    enterprise_id: EnterpriseId | None = None
    owner_id: PersonId | None = None
    size: int = 1
    note: str = ""

    @property
    def called(self) -> str:
        """The place and the name, as a list shows it."""
        return " ".join(p for p in (self.place, self.name) if p and p != self.group) or self.group

    def open_in(self, campaign: Campaign, round_number: int) -> bool:
        mark = self.marks[round_number - 1]
        return mark.state != campaign.done_state or (self.size == 0)


def fresh_marks(campaign: Campaign) -> tuple[Mark, ...]:
    return tuple(Mark(campaign.open_state) for _ in range(campaign.rounds))


@dataclass(frozen=True, slots=True)
class Counts:
    """So many done of so many; `total` 0 where nobody knows."""

    done: int
    total: int

    @property
    def left(self) -> int:
        return max(self.total - self.done, 0)

    @property
    def is_whole(self) -> bool:
        return 0 < self.total <= self.done

    def reaches(self, percent: int) -> bool:
        return self.total > 0 and self.done * 100 >= percent * self.total


def counts(targets: Iterable[Target], round_number: int, group: str | None = None) -> Counts:
    """What is done in a round, of all or of one part of the list."""
    done = total = 0
    for target in targets:
        if group is None or target.group == group:
            done += target.marks[round_number - 1].done
            total += target.size
    return Counts(done, total)


def groups(targets: Iterable[Target]) -> tuple[str, ...]:
    """The parts of the list, in its order."""
    return tuple(dict.fromkeys(t.group for t in targets if t.group))


def current_round(campaign: Campaign, targets: Sequence[Target]) -> int:
    """The first round that is not yet whole, else the last."""
    for number in range(1, campaign.rounds + 1):
        if not counts(targets, number).is_whole:
            return number
    return campaign.rounds


# ---- marking


class WrongCount(ValueError):
    """More was reported than there is: `total` of them, `done` before."""

    def __init__(self, target: Target, total: int, done: int) -> None:
        super().__init__("wrong_count")
        self.target, self.total, self.done = target, total, done


def ticked(
    target: Target,
    campaign: Campaign,
    round_number: int,
    at: datetime,
    by: PersonId | None,
    result: str = "",
    more: int | None = None,
    whole: int | None = None,
) -> Target:
    """The target done in a round, or `more` of it, or `whole` of it in all; raises WrongCount."""
    before = target.marks[round_number - 1]
    done = target.size or 1
    if whole is not None:
        done = whole
    elif more is not None:
        done = before.done + more
    if target.size and done > target.size:
        raise WrongCount(target, target.size, before.done)
    over = done >= target.size if target.size else False
    state = campaign.done_state if over else (before.state if before.done else campaign.open_state)
    mark = Mark(state, done, result or before.result, at, by)
    return marked(target, round_number, mark)


def reopened(
    target: Target, campaign: Campaign, round_number: int, at: datetime, by: PersonId | None
) -> Target:
    """The target open again: who had signed draws back."""
    return marked(target, round_number, Mark(campaign.open_state, 0, "", at, by))


def marked(target: Target, round_number: int, mark: Mark) -> Target:
    marks = list(target.marks)
    marks[round_number - 1] = mark
    return replace(target, marks=tuple(marks))


# ---- milestones


@dataclass(frozen=True, slots=True)
class Milestone:
    """A part of the list, or a share of the whole, that was done for the first time."""

    key: str
    round: int
    counts: Counts
    group: str = ""
    percent: int = 0


def milestones(campaign: Campaign, targets: Sequence[Target]) -> tuple[Milestone, ...]:
    """Every milestone that stands reached, parts before shares."""
    found: list[Milestone] = []
    parts = groups(targets)
    for number in range(1, campaign.rounds + 1):
        if campaign.by_group and len(parts) > 1:
            for group in parts:
                part = counts(targets, number, group)
                if part.is_whole:
                    found.append(Milestone(f"{number}:group:{group}", number, part, group))
        whole = counts(targets, number)
        for percent in sorted(campaign.milestones):
            if whole.reaches(percent):
                found.append(Milestone(f"{number}:{percent}", number, whole, percent=percent))
    return tuple(found)


# ---- the list from a file


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One row of a file, cleaned; `row` is its number there."""

    row: int
    key: str
    name: str
    group: str = ""
    place: str = ""
    grid: int | None = None
    firm: str = ""
    owner: str = ""
    size: int = 1
    states: Mapping[int, str] = field(default_factory=dict)
    results: Mapping[int, str] = field(default_factory=dict)
    note: str = ""


MOST_TARGETS: Final = 20_000
