"""The office's numbers as plain values, and what a change of them may be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, time, timedelta
from math import isfinite
from typing import Any, Final

from handlers.domain.category import Urgency
from handlers.domain.deadline import check_targets, due
from handlers.domain.durations import duration, iso
from handlers.domain.errors import BadInput, Refusal
from handlers.domain.policy import DEFAULT, Policy, Target, Targets, Unit
from handlers.domain.workdays import WorkCalendar

CLOCKS: Final = tuple(f.name for f in fields(Targets))
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# From the least to the most that a number may be. What people are spared (tickets.md §5.33,
# domain.md §13) is no matter of taste: an office may be quieter than that, never louder.
LIMITS: Final[Mapping[str, tuple[Any, Any]]] = {
    "urgent_claim_from": (time(0), time(12)),
    "urgent_claim_until": (time(12), time(23, 59)),
    "morning": (time(6), time(10)),
    "duty_from": (time(0), time(12)),
    "notices_from": (time(7, 30), time(12)),
    "notices_until": (time(17), time(21)),
    "notice_span": (timedelta(minutes=15), _DAY),
    "notices_single": (1, 4),
    "notices_most": (1, 4),
    "answer_days": (1, 30),
    "answer_remind_days": (1, 30),
    "answer_again_days": (1, 30),
    "verdict_days": (1, 30),
    "verdict_remind_days": (1, 30),
    "reopen_days": (1, 60),
    "pause_budget_days": (0, 60),
    "shelve_days": (1, 365),
    "transfers": (0, 10),
    "extensions": (0, 5),
    "decline_within_days": (1, 10),
    "extend_before_days": (0, 10),
    "unmerge_within_days": (1, 10),
    "urge_gap_working": (_HOUR, timedelta(hours=75)),
    "progress_length": (1, 50),
    "result_length": (1, 50),
    "problems_per_message": (1, 10),
    "duplicate_days": (0, 60),
    "join_pictures": (timedelta(), timedelta(minutes=30)),
    "common_days": (1, 366),
    "common_count": (2, 100),
    "silent_days": (1, 366),
    "visit_weeks": (1, 52),
    "unvisited_days": (1, 366),
    "visits_span": (_DAY, 31 * _DAY),
    "visits_most": (1, 10),
    "call_back_percent": (0, 100),
    "reminder_late": (timedelta(), _DAY),
    "reminder_late_once": (timedelta(), 7 * _DAY),
    "reminders_most": (1, 500),
    "claim_leader_working": (_HOUR, timedelta(hours=75)),
    "warn_share": (0.1, 0.95),
    "warn_days": (1, 30),
    "orange_days": (1, 30),
    "red_days": (1, 60),
    "urgent_chief": (_MINUTE, _DAY),
    "urgent_ring": (timedelta(minutes=5), _DAY),
    "urgent_ring_until": (timedelta(), _DAY),
    "urgent_ring_late": (timedelta(minutes=15), _DAY),
    "acknowledge_urgent": (_MINUTE, _DAY),
    "acknowledge_soon_working": (_HOUR, timedelta(hours=75)),
    "acknowledge_working": (_HOUR, timedelta(hours=75)),
    "hold_days": (1, 10),
    "meeting_days": (1, 90),
    "transfer_working": (_HOUR, timedelta(hours=75)),
    "request_working": (_HOUR, timedelta(hours=75)),
    "supervised_days": (1, 10),
}
# The first comes before the second, or is no more than it.
_ORDER: Final = (
    ("answer_remind_days", "answer_again_days", True),
    ("answer_again_days", "answer_days", True),
    ("verdict_remind_days", "verdict_days", True),
    ("orange_days", "red_days", True),
    ("notices_single", "notices_most", False),
)


class BadPolicy(Refusal):
    """Numbers that cannot be; `faults` are (rule, field, limits) triples."""

    code = "bad_policy"

    def __init__(self, faults: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
        self.faults = tuple(faults)
        super().__init__(faults=self.faults)


Fault = tuple[str, str, tuple[str, ...]]


def plain(policy: Policy) -> dict[str, Any]:
    """Every number that may be changed, as it is written."""
    return {
        "version": policy.version,
        "targets": {
            urgency.value: {name: _target(getattr(targets, name)) for name in CLOCKS}
            for urgency, targets in policy.targets.items()
        },
        **{name: _written(getattr(policy, name)) for name in LIMITS},
    }


def _target(target: Target) -> dict[str, Any]:
    if target.unit is Unit.DAYS:
        return {"unit": target.unit.value, "amount": int(target.amount)}
    return {"unit": target.unit.value, "amount": iso(timedelta(hours=target.amount))}


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return iso(value)
    return f"{value:%H:%M}" if isinstance(value, time) else value


def changed(
    policy: Policy, wanted: Mapping[str, Any], calendar: WorkCalendar, now: datetime
) -> Policy:
    """The next version with what `wanted` names; raises BadPolicy with everything wrong in it."""
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, given in wanted.items():
        if name in ("version", "targets"):
            continue
        if name not in LIMITS:
            faults.append(("unknown", name, ()))
            continue
        try:
            values[name] = _read(name, given)
        except (ValueError, TypeError, OverflowError):
            faults.append(("unclear", name, (_example(name),)))
            continue
        low, high = LIMITS[name]
        if not low <= values[name] <= high:
            faults.append(("range", name, (str(_written(low)), str(_written(high)))))
    targets = dict(policy.targets)
    if "targets" in wanted:
        faults.extend(_retargeted(targets, wanted["targets"]))
    if faults:
        raise BadPolicy(faults)
    after = replace(policy, **values, targets=targets, version=policy.version + 1)
    faults.extend(_disorder(after))
    faults.extend(_beyond(after, calendar, now))
    if faults:
        raise BadPolicy(faults)
    return after


def _read(name: str, given: Any) -> Any:
    default = getattr(DEFAULT, name)
    if isinstance(default, timedelta):
        return duration(given)
    if isinstance(default, time):
        at = time.fromisoformat(given)
        if at.tzinfo is not None or at.second or at.microsecond:
            raise ValueError(given)
        return at
    if isinstance(given, bool) or not isinstance(given, int | float) or not isfinite(given):
        raise ValueError(given)
    if isinstance(default, int):
        if given != int(given):
            raise ValueError(given)
        return int(given)
    return float(given)


def _example(name: str) -> str:
    return str(_written(getattr(DEFAULT, name)))


def _retargeted(targets: dict[Urgency, Targets], wanted: Any) -> Iterator[Fault]:
    if not isinstance(wanted, Mapping):
        yield "targets", "targets", ()
        return
    for grade, clocks in wanted.items():
        where = f"targets.{grade}"
        if grade not in set(Urgency) or not isinstance(clocks, Mapping):
            yield "urgency", where, ()
            continue
        urgency = Urgency(grade)
        for name, given in clocks.items():
            field = f"{where}.{name}"
            if name not in CLOCKS:
                yield "clock", field, ()
                continue
            try:
                target = Target(Unit(given["unit"]), _amount(Unit(given["unit"]), given["amount"]))
            except (ValueError, TypeError, KeyError, OverflowError):
                yield "target", field, ()
                continue
            targets[urgency] = replace(targets[urgency], **{name: target})


def _amount(unit: Unit, given: Any) -> float:
    if unit is not Unit.DAYS:
        return duration(given) / _HOUR
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(given)
    return given


def _disorder(policy: Policy) -> Iterator[Fault]:
    for first, second, strictly in _ORDER:
        a, b = getattr(policy, first), getattr(policy, second)
        if a > b or (strictly and a == b):
            yield ("before" if strictly else "no_more"), first, (second,)


def _beyond(policy: Policy, calendar: WorkCalendar, now: datetime) -> Iterator[Fault]:
    """A target that is no time at all, that never ends, or that lies beyond the whole's."""
    try:
        check_targets(policy, calendar, now)
    except BadInput as error:
        where = f"targets.{error.values['urgency']}.{error.values['clock']}"
        yield error.reason, where, (str(error.values.get("days", "")),)
        return
    # The opening of a working day: neither end is helped by the hour at which somebody saves.
    start = calendar.next_open(now + _DAY)
    for urgency, targets in policy.targets.items():
        whole = due(targets.resolution, start, calendar)
        for name in ("claim", "first_reply", "progress"):
            if due(getattr(targets, name), start, calendar) > whole:
                yield "beyond_resolution", f"targets.{urgency}.{name}", ()


def differing(before: Policy, after: Policy) -> dict[str, list[Any]]:
    """What changed, as [before, after]: for the audit."""
    old, new = _flat(before), _flat(after)
    return {name: [old[name], new[name]] for name in new if new[name] != old[name]}


def _flat(policy: Policy) -> dict[str, Any]:
    flat = {name: _written(getattr(policy, name)) for name in LIMITS}
    for urgency, targets in policy.targets.items():
        for name in asdict(targets):
            flat[f"targets.{urgency}.{name}"] = _target(getattr(targets, name))
    return flat
