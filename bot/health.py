"""/healthz, /readyz, /metrics."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import generate_latest
from sqlalchemy import text

from bot import metrics
from bot.writer import Writer
from storage.uow import UnitOfWork

_OLDEST_SECONDS = 120.0


def routes(
    writer: Writer,
    ticking: Callable[[], bool],
    leads: Callable[[], bool],
    lines: Callable[[], Mapping[str, str]] = dict,
) -> list[web.RouteDef]:
    """`leads`: beside a process that does, this one is ready without sending or keeping time."""
    seen_schema: list[str] = []

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    def look(uow: UnitOfWork) -> dict[str, Any]:
        found = uow.connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        # It was brought up to date before the start; what changes it later is not this program.
        seen_schema.append(str(found)) if not seen_schema else None
        oldest = uow.inbox.oldest_waiting()
        inbox = uow.inbox.waiting_counts()
        for state, count in inbox.items():
            metrics.waiting.labels(f"inbox_{state}").set(count)
        for state, count in uow.outbox.waiting_counts().items():
            metrics.waiting.labels(f"outbox_{state}").set(count)
        return {
            "oldest": 0.0 if oldest is None else time.time() - oldest,
            "schema": seen_schema[0] == found,
            "dead": inbox["dead"],
        }

    async def readyz(request: web.Request) -> web.Response:
        checks: dict[str, object] = {}
        try:
            seen = await writer.read(look)
            checks["database"] = True
            checks["schema"] = seen["schema"]
            checks["dead_letters"] = seen["dead"]
            checks["oldest_waiting_seconds"] = round(seen["oldest"], 1)
            checks["inbox"] = seen["oldest"] < _OLDEST_SECONDS
        except Exception as error:
            # Whatever keeps us from the database, the answer is: not ready.
            checks["database"] = type(error).__name__
        checks["leads"] = leads()
        checks["ticker"] = ticking()
        # Told, not judged: a line that is down for a moment is no reason to take us out of service.
        checks["lines"] = dict(lines())
        ready = all(checks.get(k) is True for k in ("database", "schema", "inbox", "ticker"))
        return web.json_response({"ready": ready, **checks}, status=200 if ready else 503)

    async def show(request: web.Request) -> web.Response:
        await writer.read(look)
        for name, state in lines().items():
            metrics.line_up.labels(name).set(state == "up")
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain")

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show)]
