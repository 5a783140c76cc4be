"""The JSON API of contract.md §5, one file a resource, and its OpenAPI document."""

import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot import __version__
from bot.api import (
    announcements,
    calendar,
    campaigns,
    policies,
    policy,
    queues,
    registry,
    reports,
    rota,
    signups,
    surveys,
    tickets,
    visits,
)
from bot.api.auth import Guesses, Resource, guarded
from bot.wire import problem

if TYPE_CHECKING:
    from bot.app import App

PREFIX: Final = "/api/v1"
ROUTES: Final[tuple[tuple[str, str, Resource, bool, str], ...]] = (
    *tickets.ROUTES,
    *registry.ROUTES,
    *calendar.ROUTES,
    *policy.ROUTES,
    *rota.ROUTES,
    *announcements.ROUTES,
    *policies.ROUTES,
    *queues.ROUTES,
    *reports.ROUTES,
    *surveys.ROUTES,
    *signups.ROUTES,
    *visits.ROUTES,
    *campaigns.ROUTES,
)
_ERRORS: Final = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)


def openapi() -> dict[str, Any]:
    """The document made from the same table that serves."""
    paths: dict[str, Any] = {}
    error = {"$ref": "#/components/responses/Error"}
    for method, path, _, writes, summary in ROUTES:
        answers: dict[str, Any] = {
            "200": {"description": "OK", "content": {"application/json": {}}},
            **{str(status): error for status in _ERRORS},
        }
        if method == "POST":
            answers["201"] = {"description": "Created", "content": {"application/json": {}}}
        operation: dict[str, Any] = {
            "summary": summary,
            "security": [{"bearer": []}],
            "parameters": [
                {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
                for n in re.findall(r"{(\w+)}", path)
            ],
            "responses": answers,
        }
        if writes:
            operation["requestBody"] = {
                "content": {"application/json": {"schema": {"type": "object"}}}
            }
        paths.setdefault(f"{PREFIX}{path}", {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "老洪港企业服务接口", "version": __version__},
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Error": {
                    "description": "出错了，message 说明原因和下一步",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
            },
        },
    }


def routes(app: "App") -> list[web.RouteDef]:
    guesses = Guesses()
    found = [
        web.route(method, f"{PREFIX}{path}", guarded(app, resource, writes, guesses))
        for method, path, resource, writes, _ in ROUTES
    ]

    async def document(request: web.Request) -> web.Response:
        return web.json_response(openapi())

    found.append(web.get("/api/openapi.json", document))
    found.append(web.route("*", "/api/{path:.*}", nowhere))
    return found


async def nowhere(request: web.Request) -> web.Response:
    """Whatever no route answers, said in the shape of every other error."""
    wanted = request.path.removeprefix(PREFIX)
    known = sorted({m for m, path, *_ in ROUTES if _pattern(path).fullmatch(wanted)})
    if not known:
        return problem(404, "no_such_path", "没有这个接口，请看 /api/openapi.json。")
    told = problem(405, "no_such_method", f"这个接口只接受 {'、'.join(known)}。")
    told.headers["Allow"] = ", ".join(known)
    return told


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", path))
