"""/duty, /leaves, /schedules: people's time and what comes round."""

from datetime import datetime
from typing import Any

from bot.api.auth import ApiError, Call, Created, text_of
from handlers.domain.errors import NoSuch
from handlers.domain.ids import PersonId
from handlers.domain.people import Leave, Person, Shift
from handlers.domain.schedule import Schedule, ScheduleKind
from handlers.services.duty import DutyService
from handlers.services.leaves import LeaveService
from handlers.services.schedules import ScheduleService
from storage.uow import UnitOfWork


def _spans(one: Shift | Leave) -> dict[str, Any]:
    return {
        "person_id": one.person_id,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
    }


def _instant(call: Call, key: str) -> datetime:
    text = text_of(call.body, key, most=40)
    try:
        at: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ApiError(422, "bad_field", f"{key} 要写带时区的时间。", {key: text})
    return at


def _person(uow: UnitOfWork, person_id: str) -> Person:
    person = uow.people.person(PersonId(person_id))
    if person is None or not person.is_staff:
        raise ApiError(422, "no_such_person", "没有这位人员。", {"person_id": person_id[:40]})
    return person


async def duty(call: Call) -> Any:
    """The rota, and who is on duty now."""
    call.office_only()

    def look(uow: UnitOfWork) -> Any:
        person = uow.people.duty_person()
        return {
            "now": None if person is None else {"id": person.id, "name": person.name},
            "items": [_spans(s) for s in uow.people.shifts()],
        }

    return await call.app.writer.read(look)


async def put_duty(call: Call) -> Any:
    call.office_only()
    person_id = text_of(call.body, "person_id", most=40)
    start, until = _instant(call, "starts_at"), _instant(call, "ends_at")

    def work(uow: UnitOfWork) -> Any:
        service = DutyService(uow, call.app.clock, uow.calendar.current())
        changed = service.put(_person(uow, person_id), start, until, call.caller.name)
        return {"changed": changed, "items": [_spans(s) for s in uow.people.shifts()]}

    return Created(await call.app.writer.run(work))


async def leaves(call: Call) -> Any:
    call.office_only()
    person_id = call.request.query.get("person", "")

    def look(uow: UnitOfWork) -> Any:
        found = uow.people.leaves(PersonId(person_id) if person_id else None)
        return {"items": [_spans(x) for x in found]}

    return await call.app.writer.read(look)


async def take_leave(call: Call) -> Any:
    call.office_only()
    person_id = text_of(call.body, "person_id", most=40)
    start, until = _instant(call, "starts_at"), _instant(call, "ends_at")

    def work(uow: UnitOfWork) -> Any:
        service = LeaveService(uow, call.app.clock, uow.calendar.current())
        away = service.take(_person(uow, person_id), start, until, None)
        stand_in = None if away.stand_in is None else away.stand_in.id
        return {**_spans(away.leave), "stand_in": stand_in, "tickets": len(away.tickets)}

    return Created(await call.app.writer.run(work))


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "key": schedule.key,
        "kind": schedule.kind.value,
        "rule": schedule.rule,
        "on": schedule.on,
        "next_at": None if schedule.next_at is None else schedule.next_at.isoformat(),
        "audience": list(schedule.audience),
        "text": schedule.text,
        "created_by": schedule.created_by,
    }


async def schedules(call: Call) -> Any:
    call.office_only()

    def look(uow: UnitOfWork) -> Any:
        found = [s for kind in ScheduleKind for s in uow.schedules.of_kind(kind)]
        return {"items": [_schedule(s) for s in found]}

    return await call.app.writer.read(look)


async def change_schedule(call: Call) -> Any:
    """Another rule, or off and on."""
    call.office_only()
    key = call.request.match_info["key"]
    rule = text_of(call.body, "rule", needed=False, most=60)
    on = call.body.get("on")
    if on is not None and not isinstance(on, bool):
        raise ApiError(422, "bad_field", "on 要写 true 或 false。", {"on": "bad"})

    def work(uow: UnitOfWork) -> Any:
        service = ScheduleService(uow, call.app.clock, uow.calendar.current())
        try:
            return _schedule(service.change(key, call.caller.name, rule=rule, on=on))
        except NoSuch:
            raise ApiError(404, "no_such_schedule", "没有这项定时任务。") from None

    return await call.app.writer.run(work)


ROUTES = (
    ("GET", "/duty", duty, False, "The duty rota"),
    ("POST", "/duty", put_duty, True, "Put somebody on duty"),
    ("GET", "/leaves", leaves, False, "Leaves, past ones too"),
    ("POST", "/leaves", take_leave, True, "Enter a leave"),
    ("GET", "/schedules", schedules, False, "What comes round"),
    ("PATCH", "/schedules/{key}", change_schedule, True, "Change, stop or start it"),
)
