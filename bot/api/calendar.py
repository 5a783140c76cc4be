"""/calendar: the working days of a year, and the windows of a week."""

from dataclasses import replace
from typing import Any

from bot.api.auth import ApiError, Call, Created
from handlers.domain.calendar import year_of
from handlers.domain.calendar_table import from_plain
from handlers.domain.workdays import (
    FIRST_YEAR,
    LAST_YEAR,
    BadCalendar,
    Calendar,
    Week,
    window,
)
from handlers.services.calendars import CalendarService, Saved
from handlers.texts import calendar as say
from storage.uow import UnitOfWork


def _year(call: Call) -> int:
    text = call.request.match_info["year"]
    if not text.isdecimal() or not FIRST_YEAR < int(text) < LAST_YEAR:
        raise ApiError(404, "no_such_year", "请写 1971 到 2198 之间的年份。")
    return int(text)


def _shown(calendar: Calendar, year: int) -> dict[str, Any]:
    return {
        "year": year,
        "published": year in calendar.published,
        "provisional": year not in calendar.published,
        "days": [
            {
                "date": line.on.isoformat(),
                "kind": line.kind.value,
                "status": line.status.value,
                "name": line.name,
                "source": line.source,
            }
            for line in year_of(calendar, year)
        ],
        "week": _week_shown(calendar.week),
    }


def _week_shown(week: Week) -> dict[str, Any]:
    return {
        "days": [[str(span) for span in windows] for windows in week.days],
        "makeup": [str(span) for span in week.makeup],
    }


async def show(call: Call) -> Any:
    year = _year(call)
    return await call.app.writer.read(lambda uow: _shown(uow.calendar.current(), year))


def _checked(error: BadCalendar) -> ApiError:
    fields = dict(error.faults[:20])
    return ApiError(422, "bad_calendar", say.faults(error.faults), fields)


async def save(call: Call) -> Any:
    """The whole table of one year; running clocks are counted again."""
    call.office_only()
    year = _year(call)
    try:
        table = from_plain(call.body)
        other = [("other_year", d.on.isoformat()) for d in table if d.on.year != year]
        if other:
            raise BadCalendar(other)
        if not table:
            raise BadCalendar([("no_days", "")])
    except BadCalendar as error:
        raise _checked(error) from None

    def work(uow: UnitOfWork) -> Any:
        try:
            done = CalendarService(uow, call.app.clock).save_years(table, call.caller.name)
        except BadCalendar as error:
            raise _checked(error) from None
        return {**_shown(uow.calendar.current(), year), **_counts(done)}

    return Created(await call.app.writer.run(work))


def _counts(done: Saved) -> dict[str, int]:
    return {"changed": done.lines, "recounted": done.recounted}


async def show_week(call: Call) -> Any:
    return await call.app.writer.read(lambda uow: _week_shown(uow.calendar.current().week))


async def save_week(call: Call) -> Any:
    """Windows like 08:30-12:00 for Monday to Sunday and for make-up days."""
    call.office_only()
    try:
        days = tuple(tuple(window(t) for t in windows) for windows in call.body["days"])
        makeup = call.body.get("makeup")
        week = Week(days)
        if makeup is not None:
            week = replace(week, makeup=tuple(window(t) for t in makeup))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ApiError(
            422, "bad_field", "days 要写七天的时段，例如 08:30-12:00。", {"days": "bad"}
        ) from None

    def work(uow: UnitOfWork) -> Any:
        try:
            # Checked before it is saved: a stored week that cannot be read would stop everything.
            Calendar((), week)
            done = CalendarService(uow, call.app.clock).save_week(week, call.caller.name)
        except BadCalendar as error:
            raise _checked(error) from None
        return {**_week_shown(week), **_counts(done)}

    return Created(await call.app.writer.run(work))


ROUTES = (
    ("GET", "/calendar/week", show_week, False, "Working hours of a week"),
    ("POST", "/calendar/week", save_week, True, "Change the working hours"),
    ("GET", "/calendar/{year}", show, False, "Days off and make-up days of a year"),
    ("POST", "/calendar/{year}", save, True, "Replace the table of a year"),
)
