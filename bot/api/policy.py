"""/policy: the office's numbers, read and changed; each change is a version."""

from typing import Any

from bot.api.auth import Call, Created
from bot.wire import ApiError
from handlers.domain.policy_table import BadPolicy, plain
from handlers.services.office_policy import PolicyService
from handlers.texts import office_policy as say
from storage.uow import UnitOfWork


async def show(call: Call) -> Any:
    call.office_only()
    return await call.app.writer.read(lambda uow: plain(uow.office.policy()))


async def save(call: Call) -> Any:
    """What the body names is changed; `version` is the one that the asker has read."""
    call.office_only()
    if not set(call.body) - {"version"}:
        raise ApiError(422, "missing", "请写明要改哪一项。", {"targets": "missing"})
    version = call.body.get("version")

    def work(uow: UnitOfWork) -> Any:
        now = uow.office.policy().version
        if version is not None and version != now:
            raise ApiError(409, "stale_version", say.stale(now), {"version": str(now)})
        service = PolicyService(uow, call.app.clock, uow.calendar.current())
        try:
            done = service.save(call.body, call.caller.name)
        except BadPolicy as error:
            fields = {field[:60]: rule for rule, field, _ in error.faults[:20]}
            raise ApiError(422, "bad_policy", say.faults(error.faults), fields) from None
        return {**plain(done.policy), "changed": done.changed, "recounted": done.recounted}

    return Created(await call.app.writer.run(work))


ROUTES = (
    ("GET", "/policy", show, False, "Targets, sending hours and caps"),
    ("POST", "/policy", save, True, "Change some of them: a new version"),
)
