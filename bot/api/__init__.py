"""The JSON API of contract.md §5, one file a resource, and its OpenAPI document."""

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bot.app import App


def routes(app: "App") -> list[web.RouteDef]:
    return []
