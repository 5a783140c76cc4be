"""What platforms' payloads have in common: fields that may be of any type, texts of so many bytes."""

from collections.abc import Mapping
from typing import Any, Final

from bot.platform import Rejected, plain_json

_MOST_PIECES: Final = 4


def json_object(raw: bytes | str) -> dict[str, Any]:
    """Raises Rejected for anything but a JSON object."""
    try:
        plain = plain_json(raw if isinstance(raw, bytes) else raw.encode())
    except ValueError:
        raise Rejected(400, "not_json") from None
    if not isinstance(plain, dict):
        raise Rejected(400, "not_json")
    return plain


def text_at(plain: Mapping[str, Any], key: str) -> str:
    """Empty where there is none or it is no text."""
    value = plain.get(key)
    return value if isinstance(value, str) else ""


def part_at(plain: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty where there is none or it is no object."""
    value = plain.get(key)
    return value if isinstance(value, dict) else {}


def web_address(url: str) -> str:
    """As it may stand in a markdown link without ending it; empty for what is no web address."""
    if not url.startswith(("https://", "http://")):
        return ""
    for mark, written in (("(", "%28"), (")", "%29"), (" ", "%20"), ("<", "%3C"), (">", "%3E")):
        url = url.replace(mark, written)
    return url


def cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, ending on a character."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode("utf-8", "ignore") + "…"


def pieces(text: str, most: int) -> list[str]:
    """The text in parts of so many bytes, parted between lines; what is left of four is cut."""
    found = [""]
    for line in text.split("\n"):
        joined = f"{found[-1]}\n{line}" if found[-1] else line
        if len(joined.encode()) <= most or not found[-1] or len(found) == _MOST_PIECES:
            found[-1] = joined
        else:
            found.append(line)
    return [cut(piece, most) for piece in found]
