"""/stats: the rates of a window. /brief: the page of a day."""

from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from bot.api.auth import ApiError, Call, Resource
from handlers.domain.rates import Rate, Rates, Window
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
        }

    return await call.app.writer.read(look)


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/stats", stats, False, "The rates of a window, whole and by group"),
)
