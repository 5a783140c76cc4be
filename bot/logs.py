"""Structured logs; message text, names, phones and secrets never get into them."""

import logging
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import structlog
from structlog.contextvars import merge_contextvars

_PHONE: Final = re.compile(r"(?<!\d)1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)")
_SECRET_KEYS: Final = re.compile(
    r"token|secret|signature|password|aes_key|authorization|text|body|phone|sender_name", re.I
)
_QUERY: Final = re.compile(
    r"(?i)((?:key|access_token|corpsecret|response_code|signature)=)[^&\s\"']+"
)
# Shorter ones are words that a line may hold for another reason.
_LEAST_SECRET: Final = 8
_MOST_FRAMES: Final = 12
_MOST_CAUSES: Final = 4
_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


def redact(logger: Any, method: str, event: Any) -> Any:
    """Mask what must not be kept, whoever logged it."""
    for key, value in list(event.items()):
        if key != "event" and _SECRET_KEYS.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _QUERY.sub(r"\1***", _PHONE.sub("***", value))
    return event


def _extras(logger: Any, method: str, event: Any) -> Any:
    record = event.get("_record")
    if record is not None:
        for key, value in record.__dict__.items():
            if key not in _STANDARD and not key.startswith("_"):
                event.setdefault(key, value)
    return event


def where(logger: Any, method: str, event: Any) -> Any:
    """A traceback as types and places: an exception's own words may quote what somebody wrote."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    elif isinstance(given, tuple):
        given = given[1]
    if not isinstance(given, BaseException):
        return event
    chain: list[str] = []
    error: BaseException | None = given
    while error is not None and len(chain) < _MOST_CAUSES:
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        places = " < ".join(
            f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in reversed(frames)
        )
        chain.append(f"{type(error).__qualname__} at {places}")
        error = error.__cause__ or error.__context__
    event["exception"] = " caused by ".join(chain)
    return event


class _Masking(structlog.stdlib.ProcessorFormatter):
    """The last look: whoever logged it and however, the settings' secrets do not stand in a line."""

    def __init__(self, secrets: Iterable[str], **more: Any) -> None:
        super().__init__(**more)
        given = {s for s in secrets if len(s) >= _LEAST_SECRET}
        shown = {*given, *map(quote, given), *(repr(s)[1:-1] for s in given)}
        # The longest first: one secret may begin with another.
        self._hidden = tuple(sorted(shown, key=len, reverse=True))

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._hidden:
            line = line.replace(secret, "***")
        return line


def configure(
    kind: str, level: int = logging.INFO, stream: Any = None, secrets: Iterable[str] = ()
) -> None:
    """Send every logger of the process through one redacting formatter."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if kind == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = _Masking(
        secrets,
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            merge_contextvars,
            _extras,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            where,
            redact,
            renderer,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Access lines would hold query strings with signatures; /metrics counts requests instead.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
