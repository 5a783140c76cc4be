"""The office's numbers: a new version, by which running clocks are counted again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.domain.policy import Policy
from handlers.domain.policy_table import changed, differing
from handlers.domain.ticket import Args
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Work
from handlers.services.tickets import TicketService


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """What is in force now, how many numbers differ, and how many tickets got other due times."""

    policy: Policy
    changed: int
    recounted: int


class PolicyService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    def save(self, wanted: Mapping[str, Any], by: str) -> SavedPolicy:
        """The numbers that `wanted` names become so; raises BadPolicy, and nothing is saved."""
        now = self._clock.now()
        former = self._work.office.policy()
        after = changed(former, wanted, self._calendar, now)
        changes = differing(former, after)
        if not changes:
            return SavedPolicy(former, 0, 0)
        self._work.office.save_policy(after, now)
        tickets = TicketService(self._work, self._clock, self._calendar)
        recounted = tickets.recount(Args(former_policy=former))
        facts = {"version": after.version, "changes": changes, "recounted": recounted}
        self._work.audit.add(now, by, "policy.saved", "policy", facts)
        return SavedPolicy(after, len(changes), recounted)
