"""/stats: the rates of a window. /brief: the page of a day."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from bot.api.auth import Call, Resource
from bot.wire import ApiError
from handlers.domain.brief import MUST_ACT, Figure, Seen
from handlers.domain.rates import Rate, Rates, Window
from handlers.services.briefs import BriefService, Mine
from handlers.services.rates import By, RateService, Stats, month_to
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """The window and the split of a question about rates; None where it did not say."""

    start: datetime | None
    end: datetime | None
    by: By | None


def _asked(call: Call) -> _Asked:
    call.office_only()
    wanted = call.request.query.get("by", "")
    if wanted and wanted not in {b.value for b in By}:
        raise ApiError(
            400,
            "bad_filter",
            "by 请写 liaison、leader、area、grid、category 或 firm。",
            {"by": wanted[:20]},
        )
    return _Asked(_at(call, "from"), _at(call, "to"), By(wanted) if wanted else None)


@dataclass(frozen=True, slots=True)
class _Found:
    stats: Stats
    # The groups by what people call them, in the order of their keys.
    named: tuple[tuple[str, Rates], ...]

    def chart(self, rate: str) -> str:
        """One rate by group as an SVG, in the order of the groups."""
        from bot.papers.charts import rate_chart

        window, by = self.stats.window, self.stats.by
        assert by is not None
        bars = [(name, getattr(rates, rate)) for name, rates in self.named]
        title = say.chart_title(rate, by.value, window.start, window.end)
        return rate_chart(title, bars, table=say.chart_table(rate, self.named))


def _found(call: Call, uow: UnitOfWork, asked: _Asked) -> _Found:
    calendar, now = uow.calendar.current(), call.app.clock.now()
    usual = month_to(asked.end or now, calendar)
    window = Window(asked.start or usual.start, asked.end or usual.end)
    if window.end <= window.start:
        raise ApiError(400, "bad_filter", "to 要晚于 from。", {"to": "bad"})
    service, by = RateService(uow, calendar), asked.by
    found = service.stats(window, by)
    if by is None:
        return _Found(found, ())
    named = [(say.group_name(by.value, k, service.name(by, k)), r) for k, r in found.groups]
    return _Found(found, tuple(named))


def _rate_asked(call: Call, key: str, by: By | None) -> str:
    rate = call.request.query.get(key, "")
    if by is None or rate not in _RATES:
        raise ApiError(
            400,
            "bad_filter",
            f"{key} 请写 {'、'.join(_RATES)} 之一，并写明 by。",
            {key: rate[:20]},
        )
    return rate


async def stats(call: Call) -> Any:
    asked = _asked(call)
    chart = _rate_asked(call, "chart", asked.by) if "chart" in call.request.query else None

    def look(uow: UnitOfWork) -> Any:
        found = _found(call, uow, asked)
        window, zone = found.stats.window, call.app.settings.zone
        keys = [key for key, _ in found.stats.groups]
        return {
            "from": window.start.astimezone(zone).isoformat(),
            "to": window.end.astimezone(zone).isoformat(),
            "by": asked.by.value if asked.by else None,
            **rates_json(found.stats.whole),
            "groups": [
                {"key": key, "name": name, **rates_json(rates)}
                for key, (name, rates) in zip(keys, found.named, strict=False)
            ],
            "chart": None if chart is None else found.chart(chart),
        }

    return await call.app.writer.read(look)


async def chart(call: Call) -> Any:
    """One rate by group as a picture, with the table that it is made of under it."""
    asked = _asked(call)
    rate = _rate_asked(call, "rate", asked.by)
    drawn = await call.app.writer.read(lambda uow: _found(call, uow, asked).chart(rate))
    return web.Response(
        text=drawn,
        content_type="image/svg+xml",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            # Opened as a page of its own it may show itself and nothing else.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def _line(briefs: BriefService, mine: Mine, seen: Seen) -> dict[str, Any]:
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
                    "items": [_line(briefs, mine, s) for s in page.rows(figure)],
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
    ("GET", "/stats/chart.svg", chart, False, "One rate by group as a picture with its table"),
    ("GET", "/brief", brief, False, "The page of a day: figures, their tickets, the text"),
)
