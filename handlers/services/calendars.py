"""The office's calendar: save a year's table or the week's windows, count running clocks again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.domain.calendar import whole_years
from handlers.domain.deadline import check_targets
from handlers.domain.ticket import Args
from handlers.domain.workdays import Calendar, Day, Week
from handlers.ports import Clock, Work
from handlers.services.schedules import ScheduleService
from handlers.services.tickets import TicketService


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving a calendar did: the lines that differ from before, and the clocks counted anew."""

    lines: int
    recounted: int


class CalendarService:
    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def save_years(self, table: Sequence[Day], by: str) -> Saved:
        """The years of `table` become what it says; raises BadCalendar, and nothing is saved."""
        former = self._work.calendar.current()
        known = set(former.days)
        lines = [line for line in whole_years(former, table) if line not in known]
        self._work.calendar.save_days(lines)
        years = sorted({line.on.year for line in table})
        return self._counted_again(former, by, len(lines), {"years": years})

    def save_week(self, week: Week, by: str) -> Saved:
        """Other working hours from now on; raises BadCalendar."""
        former = self._work.calendar.current()
        if week == former.week:
            return Saved(0, 0)
        self._work.calendar.save_week(week, self._clock.now())
        return self._counted_again(former, by, 1, {"week": True})

    def _counted_again(self, former: Calendar, by: str, lines: int, facts: dict[str, Any]) -> Saved:
        if not lines:
            return Saved(0, 0)
        now = self._clock.now()
        calendar = self._work.calendar.current()
        check_targets(self._work.office.policy(), calendar, now)
        tickets = TicketService(self._work, self._clock, calendar)
        recounted = tickets.recount(Args(former=former))
        ScheduleService(self._work, self._clock, calendar).plan_again()
        facts = {**facts, "lines": lines, "recounted": recounted}
        self._work.audit.add(now, by, "calendar.saved", "calendar", facts)
        return Saved(lines, recounted)
