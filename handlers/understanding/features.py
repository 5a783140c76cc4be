r"""A message as a set of features: character n-grams, who wrote it, its shape, its marked words.

Training and reading share this one function, so that the model never sees at run time what it
did not see in training. Every feature is a string; those that are no n-grams begin with \x01.
"""

import re
from typing import Final

from handlers.chat.grammar import fold, without_mentions, without_quote
from handlers.understanding.rules import Ruling

MOST: Final = 400  # characters; a longer text repeats itself
_DIGITS: Final = re.compile(r"\d+")
_SPACE: Final = re.compile(r"\s+")


def said(text: str, names: tuple[str, ...] = ()) -> str:
    """What was newly said: quotes and mentions off, one width."""
    return fold(without_mentions(without_quote(text), names))


def plain(text: str) -> str:
    """A folded text with one digit for each number: 「缺15人」 and 「缺3人」 are the same shape."""
    return _SPACE.sub(" ", _DIGITS.sub("0", text.lower()[:MOST]))


def grams(flat: str) -> set[str]:
    """All runs of one to four characters, the ends of the text marked."""
    t = f"\x02{flat}\x03"
    n = len(t)
    found = set(t)
    found.update([t[i : i + 2] for i in range(n - 1)])
    found.update([t[i : i + 3] for i in range(n - 2)])
    found.update([t[i : i + 4] for i in range(n - 3)])
    return found


_GROUP: Final = {"manager": "m", "liaison": "l"}


def shape(flat: str, role: str | None, msg_type: str) -> tuple[str, ...]:
    """Who wrote it and what it looks like; nobody known counts as a firm's manager."""
    who = role or "manager"
    size = min(9, len(flat) // 8)
    asks = "?" in flat or flat.endswith(("吗", "呢", "么", "不"))
    return (
        f"\x01r{who}",
        f"\x01t{msg_type}",
        f"\x01l{size}",
        f"\x01s{_GROUP.get(who, 'o')}{size}",
        f"\x01q{asks:d}",
    )


def features(
    flat: str, found: set[str], role: str | None, msg_type: str, ruling: Ruling
) -> set[str]:
    """All that the model sees of a message; `found` are its grams."""
    marks = {f"\x01!{name}" for name in ruling.fired}
    if ruling.alarm:
        marks.add("\x01!!")
    return found.union(shape(flat, role, msg_type), marks)
