"""What the process logs, as it logs it."""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot import logs


@contextmanager
def logged(
    level: int = logging.DEBUG, kind: str = "json", secrets: Sequence[str] = ()
) -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    handlers, before = root.handlers[:], root.level
    logs.configure(kind, level, stream, secrets)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
