"""The rates of a window: of the whole, and by whoever was paired, by place, category or firm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Pairing, Person
from handlers.domain.rates import Facts, Mark, Rates, Window, facts_of, grouped, marks, tally
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Work


class By(StrEnum):
    """What the figures may be split by. Never by more than one, never in order of a value (F1)."""

    LIAISON = "liaison"
    LEADER = "leader"
    AREA = "area"
    GRID = "grid"
    CATEGORY = "category"
    FIRM = "firm"


@dataclass(frozen=True, slots=True)
class Stats:
    window: Window
    whole: Rates
    by: By | None = None
    groups: tuple[tuple[str, Rates], ...] = ()


class RateService:
    def __init__(self, work: Work, calendar: WorkCalendar) -> None:
        self._work = work
        self._calendar = calendar

    def stats(
        self, window: Window, by: By | None = None, only: Callable[[Facts], bool] | None = None
    ) -> Stats:
        """`only` narrows the tickets, for somebody who may not see them all."""
        counted = self._marks(window, only)
        groups = () if by is None else grouped(counted, self._key(by))
        return Stats(window, tally(counted), by, groups)

    def _marks(self, window: Window, only: Callable[[Facts], bool] | None) -> list[Mark]:
        day = self._work.office.policy().working_day
        found: list[Mark] = []
        for ticket, entries in self._work.reports.stories(window.start, window.end, True):
            facts = facts_of(ticket, entries)
            if only is None or only(facts):
                found.extend(marks(facts, window, self._calendar, day))
        return found

    def _key(self, by: By) -> Callable[[Mark], str]:
        people = self._work.people

        def paired(mark: Mark) -> Pairing | None:
            firm = mark.facts.enterprise_id
            return None if firm is None else people.pairing(firm, mark.at)

        def place(mark: Mark) -> tuple[str, str]:
            firm = mark.facts.enterprise_id
            known = None if firm is None else people.enterprise(firm)
            if known is None:
                return "", ""
            return known.area, "" if known.grid is None else f"{known.grid:02}"

        def person(mark: Mark, role: str) -> str:
            pairing = paired(mark)
            return "" if pairing is None else getattr(pairing, f"{role}_id") or ""

        keys: dict[By, Callable[[Mark], str]] = {
            By.LIAISON: lambda m: person(m, "liaison"),
            By.LEADER: lambda m: person(m, "leader"),
            By.AREA: lambda m: place(m)[0],
            By.GRID: lambda m: place(m)[1],
            By.CATEGORY: lambda m: m.facts.category.value,
            By.FIRM: lambda m: m.facts.enterprise_id or "",
        }
        return keys[by]

    def name(self, by: By, key: str) -> str:
        """What a person calls the group; empty where nobody was paired or the firm is unknown."""
        people = self._work.people
        if by in (By.LIAISON, By.LEADER):
            person: Person | None = people.person(PersonId(key))
            return "" if person is None else person.name
        if by is By.FIRM:
            firm = people.enterprise(EnterpriseId(key))
            return "" if firm is None else firm.short_name
        return key

    def led_by(self, person: Person) -> Callable[[Facts], bool]:
        """The tickets of the firms that a leader or liaison is paired with now."""
        mine = {
            p.enterprise_id
            for p in self._work.people.pairings()
            if p.ends_at is None and person.id in (p.leader_id, p.liaison_id)
        }
        return lambda facts: facts.enterprise_id in mine


def month_to(now: datetime, calendar: WorkCalendar) -> Window:
    """From the first of the month to now."""
    local = now.astimezone(calendar.zone)
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Window(start.astimezone(now.tzinfo), now)
