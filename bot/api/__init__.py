"""The JSON API of contract.md §5, one file a resource, and its OpenAPI document."""

import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot import __version__
from bot.api import calendar, queues, registry, reports, rota, tickets
from bot.api.auth import Resource, guarded

if TYPE_CHECKING:
    from bot.app import App

PREFIX: Final = "/api/v1"
ROUTES: Final[tuple[tuple[str, str, Resource, bool, str], ...]] = (
    *tickets.ROUTES,
    *registry.ROUTES,
    *calendar.ROUTES,
    *rota.ROUTES,
    *queues.ROUTES,
    *reports.ROUTES,
)
_ERRORS: Final = (400, 401, 403, 404, 409, 413, 422, 429, 503)


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
    found = [
        web.route(method, f"{PREFIX}{path}", guarded(app, resource, writes))
        for method, path, resource, writes, _ in ROUTES
    ]

    async def document(request: web.Request) -> web.Response:
        return web.json_response(openapi())

    found.append(web.get("/api/openapi.json", document))
    return found
