"""/campaigns and their targets: a checklist set up, filled, ticked off and read."""

from typing import Any

from bot.api.auth import Call, Created, Resource
from bot.wire import ApiError, flag_of, text_of
from handlers.chat.events import ChatKind, ChatRef, EventKind, InboundEvent, UserRef
from handlers.domain.campaign import Campaign, Mark, Target, TargetRow, counts, groups
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import PersonId
from handlers.domain.people import Person
from handlers.services.campaigns import CampaignService, row_key
from handlers.services.tickets import TicketService
from handlers.understanding import FirmNames
from storage.uow import UnitOfWork

_MOST_ITEMS = 2000


def _service(call: Call, uow: UnitOfWork) -> CampaignService:
    app, calendar = call.app, uow.calendar.current()
    tickets = TicketService(uow, app.clock, calendar, app.settings.ticket_prefix)
    firms = FirmNames(
        (e.id, e.short_name, e.aliases, e.full_name) for e in uow.people.enterprises() if e.active
    )
    return CampaignService(uow, app.clock, calendar, tickets, firms)


def _campaign(uow: UnitOfWork, campaign: Campaign) -> dict[str, Any]:
    targets = uow.campaigns.targets(campaign.number)
    rounds = []
    for number in range(1, campaign.rounds + 1):
        whole = counts(targets, number)
        parts = {g: counts(targets, number, g) for g in groups(targets)}
        rounds.append(
            {
                "round": number,
                "done": whole.done,
                "total": whole.total,
                "open": whole.left,
                "groups": [{"name": g, "done": c.done, "total": c.total} for g, c in parts.items()],
            }
        )
    return {
        "id": campaign.number,
        "name": campaign.name,
        "states": list(campaign.states),
        "rounds": campaign.rounds,
        "unit": campaign.unit,
        "words": list(campaign.words),
        "purpose": campaign.purpose,
        "owner": campaign.owner_id,
        "milestones": list(campaign.milestones),
        "by_group": campaign.by_group,
        "chat": {"platform": campaign.platform, "id": campaign.chat} if campaign.chat else None,
        "created_at": campaign.created_at.isoformat(),
        "ended_at": None if campaign.ended_at is None else campaign.ended_at.isoformat(),
        "targets": len(targets),
        "progress": rounds,
    }


def _mark(number: int, mark: Mark) -> dict[str, Any]:
    return {
        "round": number,
        "state": mark.state,
        "done": mark.done,
        "result": mark.result,
        "at": None if mark.at is None else mark.at.isoformat(),
    }


def _target(target: Target, tickets: tuple[int, ...]) -> dict[str, Any]:
    return {
        "id": target.id,
        "key": target.key,
        "name": target.name,
        "group": target.group,
        "place": target.place,
        "grid": target.grid,
        "enterprise_id": target.enterprise_id,
        "owner": target.owner_id,
        "size": target.size,
        "note": target.note,
        "marks": [_mark(n, m) for n, m in enumerate(target.marks, 1)],
        "tickets": list(tickets),
    }


def _named(call: Call, uow: UnitOfWork) -> Campaign:
    given = call.request.match_info["id"]
    found = uow.campaigns.get(int(given)) if given.isdigit() and len(given) < 10 else None
    if found is None:
        raise NoSuch("campaign", given[:20])
    return found


async def campaigns(call: Call) -> Any:
    call.office_only()
    ended = call.request.query.get("ended", "") in ("1", "true")

    def look(uow: UnitOfWork) -> Any:
        return {"items": [_campaign(uow, c) for c in uow.campaigns.campaigns(ended)], "next": None}

    return await call.app.writer.read(look)


def _list(body: dict[str, Any], key: str, kind: type) -> tuple[Any, ...]:
    given = body.get(key, [])
    if not isinstance(given, list) or not all(
        isinstance(x, kind) and not isinstance(x, bool) for x in given
    ):
        raise ApiError(422, "bad_field", f"{key} 应是一组值。", {key: "bad"})
    return tuple(given)


def _number(body: dict[str, Any], key: str, default: int, most: int) -> int:
    value = body.get(key)
    if value is None or value == "":
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ApiError(422, "bad_field", f"{key} 应是0到{most}的整数。", {key: str(value)[:20]})
    return value


async def create(call: Call) -> Any:
    call.office_only()
    body = call.body
    name = text_of(body, "name", most=20)
    states = _list(body, "states", str)
    owner_id = text_of(body, "owner", needed=False, most=64)
    shares = _list(body, "milestones", int) if "milestones" in body else (50, 100)
    if any(not 1 <= share <= 100 for share in shares):
        raise ApiError(422, "bad_field", "milestones 应是1到100的整数。", {"milestones": "bad"})
    more = {
        "rounds": _number(body, "rounds", 1, 10),
        "unit": text_of(body, "unit", needed=False, most=4),
        "purpose": text_of(body, "purpose", needed=False, most=200),
        "words": _list(body, "words", str),
        "milestones": tuple(sorted(set(shares))),
        "by_group": flag_of(body, "by_group", True),
        "platform": text_of(body, "platform", needed=False, most=40),
        "chat": text_of(body, "chat", needed=False, most=200),
    }

    def work(uow: UnitOfWork) -> Any:
        owner = _staff(uow, owner_id, "owner") if owner_id else None
        service = _service(call, uow)
        return _campaign(uow, service.create(name, states, call.caller.name, owner, **more))

    return Created(await call.app.writer.run(work))


def _staff(uow: UnitOfWork, given: str, key: str) -> Person:
    person = uow.people.person(PersonId(given))
    if person is None or not person.is_staff:
        raise ApiError(422, "no_such_person", "没有这位人员。", {key: given[:40]})
    return person


async def targets(call: Call) -> Any:
    """In the order of the list; by group and state where asked."""
    call.office_only()
    limit, cursor = call.page()
    group, state = (call.request.query.get(k, "") for k in ("group", "state"))

    def look(uow: UnitOfWork) -> Any:
        campaign = _named(call, uow)
        numbers = uow.campaigns.tickets(campaign.number)
        found = [
            t
            for t in uow.campaigns.targets(campaign.number)
            if (not group or t.group == group)
            and (not state or any(m.state == state for m in t.marks))
        ]
        start = int(cursor or 0)
        part = found[start : start + limit]
        more = str(start + limit) if len(found) > start + limit else None
        return {"items": [_target(t, numbers.get(t.id, ())) for t in part], "next": more}

    return await call.app.writer.read(look)


def _row(number: int, item: Any) -> TargetRow:
    if not isinstance(item, dict):
        raise ApiError(422, "bad_field", f"第{number}个对象应是 JSON 对象。", {"items": "bad"})

    def text(key: str) -> str:
        return text_of(item, key, needed=False, most=200).strip()

    grid = item.get("grid")
    state, result = text("state"), text("result")
    row = TargetRow(
        number,
        text("key"),
        text("name"),
        text("group"),
        text("place"),
        _number(item, "grid", 0, 99) if grid is not None else None,
        text("enterprise_id"),
        text("owner"),
        _number(item, "size", 1, 1_000_000),
        {1: state} if state else {},
        {1: result} if result else {},
        text("note"),
    )
    return row_key(row)


async def add_targets(call: Call) -> Any:
    """The rows of a list; the same again change nothing, and nothing that is done is opened again."""
    call.office_only()
    items = call.body.get("items")
    if not isinstance(items, list) or not items or len(items) > _MOST_ITEMS:
        raise ApiError(
            422, "bad_field", f"items 应是1到{_MOST_ITEMS}个对象的列表。", {"items": "bad"}
        )

    def work(uow: UnitOfWork) -> Any:
        campaign = _named(call, uow)
        rows = [_row(n, item) for n, item in enumerate(items, 1)]
        taken = _service(call, uow).take(campaign, rows, call.caller.name)
        return {
            "created": taken.created,
            "changed": taken.changed,
            "unchanged": taken.unchanged,
            "rejected": [{"row": n, "reason": r} for n, r in taken.rejected],
            "remarks": [{"row": n, "reason": r} for n, r in taken.remarks],
        }

    return Created(await call.app.writer.run(work))


async def tick(call: Call) -> Any:
    """A tick in the words of the chat, made by a colleague."""
    call.office_only()
    given = text_of(call.body, "by", most=64)
    text = text_of(call.body, "text", most=400)

    def work(uow: UnitOfWork) -> Any:
        campaign = _named(call, uow)
        person = _staff(uow, given, "by")
        now = call.app.clock.now()
        event = InboundEvent(
            "api", f"tick:{now.isoformat()}", EventKind.MESSAGE, now, ChatRef("api", given),
            ChatKind.DIRECT, UserRef("api", given), text=text,
        )  # fmt: skip
        said = text if campaign.name in text else f"{campaign.name} {text}"
        done = _service(call, uow).hear(said, person, event)
        if done is None:
            raise BadInput("tick_none", name=campaign.name)
        if done.question is not None:
            raise ApiError(422, "ambiguous", done.question.text, {"text": "ambiguous"})
        return {"message": done.card.fallback, "campaign": _campaign(uow, campaign)}

    return Created(await call.app.writer.run(work))


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/campaigns", campaigns, False, "Campaigns with their progress"),
    ("POST", "/campaigns", create, True, "Set a campaign up"),
    ("GET", "/campaigns/{id}/targets", targets, False, "The list of a campaign"),
    ("POST", "/campaigns/{id}/targets", add_targets, True, "Add or change rows of the list"),
    ("POST", "/campaigns/{id}/ticks", tick, True, "Tick off in the words of the chat"),
)
