"""The one look of every surface: the tokens that the web pages use, read from their file."""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_TOKEN: Final = re.compile(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6})\s*;")
# As many as a chart may have series; a single measure uses the first, which is the brand.
SERIES: Final = ("#0F6B52", "#C77700", "#1F5FA8", "#A23B72", "#5B8C2A", "#6B5BB5")


@cache
def _tokens() -> dict[str, str]:
    text = files("bot").joinpath("sandbox/static/tokens.css").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name, value in _TOKEN.findall(text):
        # The light values come first in the file.
        found.setdefault(name, value)
    return found


def token(name: str) -> str:
    """A colour as #RRGGBB, of the light look."""
    return _tokens()[name]
