"""JSON over HTTP: a body taken apart, and errors as contract.md §5 shapes them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from bot.platform import plain_json

# Clients that were told nothing name the body octet-stream.
_JSON_TYPE: Final = re.compile(r"application/(?:octet-stream|(?:[\w.+-]+\+)?json)\b", re.I)


class ApiError(Exception):
    def __init__(
        self, status: int, code: str, message: str, fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.fields = status, code, message, fields


def number_in(text: str) -> int | None:
    """A number that a database can hold, in plain digits; ² and １ are digits to Python too."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def problem(status: int, code: str, message: str, fields: Any = None) -> web.Response:
    """An error as contract.md §5 shapes it."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return web.json_response({"error": error}, status=status)


async def json_body(request: web.Request) -> dict[str, Any]:
    """The object that a request carries; raises ApiError."""
    kind = request.headers.get("Content-Type")
    if kind is not None and not _JSON_TYPE.match(kind):
        raise ApiError(415, "not_json", "请用 JSON 发送：Content-Type 写 application/json。")
    try:
        raw = await request.read()
        # What needs no word, like sending once more, needs no body either.
        body = plain_json(raw) if raw else {}
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "too_large", "请求内容超过 1 MB。") from None
    except ValueError:
        raise ApiError(400, "not_json", "请求内容不是 JSON。") from None
    if not isinstance(body, dict):
        raise ApiError(400, "not_json", "请求内容应是 JSON 对象。")
    return body


def text_of(body: dict[str, Any], key: str, *, needed: bool = True, most: int = 4000) -> str:
    value = body.get(key)
    if value is None or value == "":
        if needed:
            raise ApiError(422, "missing", f"缺少 {key}。", {key: "missing"})
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise ApiError(422, "bad_field", f"{key} 应是不超过 {most} 字的文字。", {key: "bad"})
    return value


def one_of(key: str, choices: Iterable[str]) -> str:
    """What is said of a value that is none of those there are."""
    return f"{key} 请写 {'、'.join(choices)} 之一。"


def flag_of(body: dict[str, Any], key: str, default: bool) -> bool:
    """A yes or no; "no" is a text and would be true to Python."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ApiError(422, "bad_field", f"{key} 请写 true 或 false。", {key: str(value)[:20]})
    return value
