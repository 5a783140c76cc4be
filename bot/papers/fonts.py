"""The shipped Chinese font: the same letters on every machine."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from PIL import ImageFont

FILE: Final = "NotoSansSC-Regular.otf"
FAMILY: Final = "Noto Sans SC"


@cache
def _bytes() -> bytes:
    return files("bot.papers").joinpath("font", FILE).read_bytes()


@cache
def face(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO(_bytes()), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _empty() -> bytes:
    """How a character that the font has not is drawn."""
    return bytes(face(32).getmask("\U0010ffff"))


def missing(texts: Iterable[str]) -> set[str]:
    """The characters among them that would be drawn as a box."""
    letters = {c for text in texts for c in text if c.strip() and c.isprintable()}
    return {c for c in letters if bytes(face(32).getmask(c)) == _empty()}


@lru_cache(maxsize=65536)
def _advance(letter: str, size: int) -> float:
    return face(size).getlength(letter)


def width(text: str, size: int) -> float:
    return sum(_advance(c, size) for c in text)


# What must not begin a line.
_STAYS: Final = "，。；：、！？）」』】,.;:!?)%"
# What must not end one.
_OPENS: Final = "（「『【《"
_WORD: Final = re.compile(r"[!-~]*$")


def _carried(line: str, letter: str) -> str:
    """What goes on to the next line with a letter that does not fit, if anything stays behind."""
    if letter.isspace():
        return ""
    taken = ""
    if letter in _STAYS or letter.isascii():
        # A word or a figure is not torn.
        found = _WORD.search(line)
        taken = found.group() if found else ""
    if letter in _STAYS and not taken:
        taken = line[-1:]
    before = line.removesuffix(taken)[-1:]
    if before and before in _OPENS:
        taken = before + taken
    return taken if len(taken) < len(line) else ""


def wrapped(text: str, size: int, most: float, lines: int = 99) -> list[str]:
    """The text in lines no wider than `most`; what does not fit in so many lines ends in …."""
    done: list[str] = []
    line, used = "", 0.0
    for letter in text:
        wide = _advance(letter, size)
        if letter == "\n" or used + wide > most:
            if letter == " ":
                line += letter
            carried = _carried(line, letter)
            done.append(line.removesuffix(carried))
            line, used = carried, width(carried, size)
            if letter in "\n ":
                continue
        line += letter
        used += wide
    done.append(line)
    if len(done) <= lines:
        return done
    last = done[lines - 1]
    while last and width(last + "…", size) > most:
        last = last[:-1]
    return [*done[: lines - 1], last + "…"]
