"""/outbox and /audit: what was said, what failed, who did what."""

import json
from typing import Any

from bot.api.auth import Call, Resource
from bot.platform import Explaining
from bot.wire import ApiError, number_in, one_of
from handlers.ports import Lane
from storage.uow import UnitOfWork


def _cure(call: Call, row: dict[str, Any]) -> str:
    """What its platform says is to be done about the error of a row."""
    platform = call.app.platforms.get(row["platform"])
    if not row["error"] or not isinstance(platform, Explaining):
        return ""
    return platform.cure(row["error"].rpartition(":")[2])


def _row(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "state": row["state"],
        "platform": row["platform"],
        "kind": row["kind"],
        "priority": row["priority"],
        "person_id": row["person_id"],
        "chat_kind": row["chat_kind"],
        "ticket": row["ticket"],
        "attempts": row["attempts"],
        "error": row["error"],
        "cure": _cure(call, row),
        "created_at": row["created_at"].isoformat(),
        "sent_at": None if row["sent_at"] is None else row["sent_at"].isoformat(),
    }


async def outbox(call: Call) -> Any:
    call.office_only()
    state = call.request.query.get("state", "")
    if state and state not in {lane.value for lane in Lane}:
        raise ApiError(400, "bad_filter", one_of("state", Lane), {"state": state[:20]})
    limit, cursor = call.page()
    before = int(cursor) if cursor else None
    page = await call.app.writer.read(lambda uow: uow.outbox.page(state, limit, before))
    return {"items": [_row(call, r) for r in page.items], "next": page.next}


async def retry(call: Call) -> Any:
    call.office_only()
    wanted = number_in(call.request.match_info["id"])
    if wanted is None:
        raise ApiError(404, "no_such_row", "没有这条消息。")

    def work(uow: UnitOfWork) -> bool:
        if not uow.outbox.exists(wanted):
            raise ApiError(404, "no_such_row", "没有这条消息。")
        done = uow.outbox.resend(wanted)
        if done:
            uow.audit.add(call.app.clock.now(), call.caller.name, "message.resent", str(wanted), {})
        return done

    if not await call.app.writer.run(work):
        raise ApiError(409, "not_dead", "只有没发出去的消息才能重发，而且只重发一次。")
    call.app.dispatcher.wake()
    return {"accepted": True}


async def audit(call: Call) -> Any:
    call.office_only()
    limit, cursor = call.page()
    before = int(cursor) if cursor else None
    lines = await call.app.writer.read(lambda uow: uow.audit.lines(limit + 1, before))
    items = [
        {**line, "at": line["at"].isoformat(), "facts": json.loads(line["facts"])}
        for line in lines[:limit]
    ]
    return {"items": items, "next": str(lines[limit - 1]["id"]) if len(lines) > limit else None}


ROUTES: tuple[tuple[str, str, Resource, bool, str], ...] = (
    ("GET", "/outbox", outbox, False, "List outgoing messages"),
    ("POST", "/outbox/{id}/retry", retry, True, "Send a dead message again"),
    ("GET", "/audit", audit, False, "The audit log"),
)
