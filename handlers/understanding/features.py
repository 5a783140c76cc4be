r"""A message as a set of features: character n-grams, who wrote it, its shape, its marked words.

Training and reading share this one function, so that the model never sees at run time what it
did not see in training. Every feature is a string; those that are no n-grams begin with \x01.
"""

import re
from collections.abc import Sequence
from typing import Final

from handlers.chat.grammar import fold, without_mentions, without_quote
from handlers.understanding.lexicon import TOPIC_CODES, Hit, totals
from handlers.understanding.rules import Ruling

MOST: Final = 400  # characters; a longer text repeats itself
_DIGITS: Final = re.compile(r"\d+")
_SPACE: Final = re.compile(r"\s+")
# 要 20 亩地 and 要20亩地 are the same to whoever types them.
_BESIDE_NUMBER: Final = re.compile(r"(?<=[\u4e00-\u9fff]) (?=0)|(?<=0) (?=[\u4e00-\u9fff])")


def said(text: str, names: tuple[str, ...] = ()) -> str:
    """What was newly said: quotes and mentions off, one width."""
    return fold(without_mentions(without_quote(text), names))


def plain(text: str) -> str:
    """A folded text with one digit for each number: 「缺15人」 and 「缺3人」 are the same shape."""
    spaced = _SPACE.sub(" ", _DIGITS.sub("0", text.lower()[:MOST]))
    return _BESIDE_NUMBER.sub("", spaced)


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


TOPIC_SIGN: Final = "\x01w"
HINT_SIGN: Final = "\x01u"
# How much the words of one code must weigh together for each further sign.
_STEPS: Final = (1.0, 4.0, 7.0, 11.0)


def trade(hits: Sequence[Hit]) -> set[str]:
    """The words of the trade as signs: how strongly each code is named, and which one most."""
    signs: set[str] = set()
    best, named = 0.0, ""
    for code, total in totals(hits).items():
        topic = code in TOPIC_CODES
        sign = (TOPIC_SIGN if topic else HINT_SIGN) + code
        signs.update([sign + str(k) for k, step in enumerate(_STEPS) if total >= step])
        if topic and (total, code) > (best, named):
            best, named = total, code
    signs.add(f"{TOPIC_SIGN}^{named}")
    return signs


def features(
    flat: str,
    found: set[str],
    role: str | None,
    msg_type: str,
    ruling: Ruling,
    hits: Sequence[Hit] = (),
) -> set[str]:
    """All that the model sees of a message; `found` are its grams, `hits` the lexicon's words."""
    marks = {f"\x01!{name}" for name in ruling.fired}
    if ruling.alarm:
        marks.add("\x01!!")
    return found.union(shape(flat, role, msg_type), marks, trade(hits))
