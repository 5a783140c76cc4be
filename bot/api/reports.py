"""/stats: the rates of a window. /brief: the page of a day."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.api.auth import Call, Resource
from bot.wire import ApiError
from handlers.domain.brief import MUST_ACT, Figure, Seen
from handlers.domain.rates import Rate, Rates, Window
from handlers.services.briefs import BriefService, Mine
from handlers.services.rates import By, RateService, month_to
from handlers.texts import briefs as say
from storage.uow import UnitOfWork

_RATES = tuple(say.RATE_NAMES)


def _at(call: Call, key: str) -> datetime | None:
    """A whole instant, or a day for its first minute here."""
    given = call.request.query.get(key, "")
    if not given:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        at = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
    except ValueError:
        raise ApiError(
            400, "bad_filter", f"{key} 请写成 2026-11-01 或带时区的完整时间。", {key: given[:40]}
        ) from None
    zone = call.app.settings.zone
    if len(given) <= len("2026-11-01"):
        at = datetime.combine(at.date(), time(), zone)
    elif at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "numerator": rate.numerator,
        "denominator": rate.denominator,
        "value": rate.value,
        "text": say.percent(rate),
    }


def rates_json(rates: Rates) -> dict[str, Any]:
    return {
        **{name: _rate(getattr(rates, name)) for name in _RATES},
        "mean_rating": None if rates.mean_rating is None else round(rates.mean_rating, 2),
        "shelved": rates.shelved,
        "first_reply_hours": asdict(rates.first_reply_hours),
        "handling_days": asdict(rates.handling_days),
    }


def _chart(name: str, groups: list[dict[str, Any]], rates: tuple[tuple[str, Rates], ...]) -> str:
    """One rate by group as an SVG, in the order of the groups."""
    from bot.papers.charts import rate_chart

    bars = [(g["name"], getattr(r, name)) for g, (_, r) in zip(groups, rates, strict=True)]
    return rate_chart(say.RATE_NAMES[name], bars)


async def stats(call: Call) -> Any:
    call.office_only()
    wanted = call.request.query.get("by", "")
    if wanted and wanted not in {b.value for b in By}:
        raise ApiError(
            400,
            "bad_filter",
            "by 请写 liaison、leader、area、grid、category 或 firm。",
            {"by": wanted[:20]},
        )
    by = By(wanted) if wanted else None
    chart = call.request.query.get("chart")
    if chart is not None and (by is None or chart not in _RATES):
        raise ApiError(
            400,
            "bad_filter",
            f"chart 请写 {'、'.join(_RATES)} 之一，并写明 by。",
            {"chart": chart[:20]},
        )
    now = call.app.clock.now()
    start, end = _at(call, "from"), _at(call, "to")

    def look(uow: UnitOfWork) -> Any:
        calendar = uow.calendar.current()
        usual = month_to(end or now, calendar)
        window = Window(start or usual.start, end or usual.end)
        if window.end <= window.start:
            raise ApiError(400, "bad_filter", "to 要晚于 from。", {"to": "bad"})
        service = RateService(uow, calendar)
        found = service.stats(window, by)
        whole = rates_json(found.whole)
        groups = [
            {
                "key": key,
                "name": say.group_name(wanted, key, service.name(by, key)),
                **rates_json(rates),
            }
            for key, rates in found.groups
            if by is not None
        ]
        zone = call.app.settings.zone
        return {
            "from": window.start.astimezone(zone).isoformat(),
            "to": window.end.astimezone(zone).isoformat(),
            "by": wanted or None,
            **whole,
            "groups": groups,
            "chart": None if chart is None else _chart(chart, groups, found.groups),
        }

    return await call.app.writer.read(look)


def _line(uow: UnitOfWork, briefs: BriefService, mine: Mine, seen: Seen) -> dict[str, Any]:
    ticket, names = seen.ticket, briefs.names(seen.ticket)
    return {
        "number": ticket.number,
        "firm": names.firm,
        "title": ticket.title,
        "category": ticket.category.value,
        "urgency": ticket.urgency.value,
        "state": ticket.state.value,
        "level": ticket.level,
        "leader": names.leader,
        "owner": names.owner,
        "due": None if seen.due_at is None else seen.due_at.isoformat(),
        "overdue_hours": _hours(seen.late),
        "left_hours": _hours(seen.left),
        "last_progress": ticket.last_progress,
        "next_step": say.next_step(seen, mine.person is not None and mine.person.role == "liaison"),
    }


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(hours=1), 1)


async def brief(call: Call) -> Any:
    """Figures, each with its numbers; the lines to act on; the page as chat shows it."""
    call.office_only()
    app = call.app
    given = call.request.query.get("date", "")
    whose = call.request.query.get("for", "")
    try:
        on = (
            date.fromisoformat(given)
            if given
            else app.clock.now().astimezone(app.settings.zone).date()
        )
    except ValueError:
        raise ApiError(
            400, "bad_filter", "date 请写成 2026-11-24。", {"date": given[:20]}
        ) from None

    def look(uow: UnitOfWork) -> Any:
        briefs = BriefService(uow, app.clock, uow.calendar.current())
        person = briefs.person(whose) if whose else None
        if whose and (person is None or not person.is_staff):
            raise ApiError(422, "no_such_person", "没有这位同事。", {"for": whose[:40]})
        since, at = briefs.day_page(on)
        if at > app.clock.now():
            raise ApiError(400, "bad_filter", "这一天的日调度还没有。", {"date": given[:20]})
        mine = briefs.mine(person)
        page = briefs.only(briefs.whole_page(since, at), mine)
        paper = briefs.paper(page, mine)
        calendar = uow.calendar.current()
        duty = uow.people.duty_person(at)
        return {
            "date": on.isoformat(),
            "since": since.isoformat(),
            "at": at.isoformat(),
            "workday": calendar.is_workday(on),
            "duty": None if duty is None else {"id": duty.id, "name": duty.name},
            "for": None if person is None else {"id": person.id, "name": person.name},
            "figures": {
                figure.value: {
                    "name": say.FIGURE_NAMES[figure],
                    "count": page.count(figure),
                    "numbers": sorted(s.ticket.number for s in page.rows(figure)),
                }
                for figure in Figure
            },
            "sections": [
                {
                    "key": figure.value,
                    "title": say.SECTION_TITLES[figure],
                    "count": page.count(figure),
                    "items": [_line(uow, briefs, mine, s) for s in page.rows(figure)],
                }
                for figure in MUST_ACT
                if page.count(figure)
            ],
            "common": [
                {
                    "category": c.category.value,
                    "title": c.title,
                    "numbers": list(c.numbers),
                    "enterprises": [{"id": f, "name": briefs.firm(f)} for f in c.firms],
                }
                for c in page.common
            ],
            "visits": {
                name: [{"id": f, "name": briefs.firm(f)} for f in getattr(page.calls, name)]
                for name in ("made", "planned", "unvisited")
            },
            "silent": [{"id": f, "name": briefs.firm(f)} for f in page.silent],
            "text": say.as_text(paper),
        }

    return await app.writer.read(look)


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/stats", stats, False, "The rates of a window, whole and by group"),
    ("GET", "/brief", brief, False, "The page of a day: figures, their tickets, the text"),
)
