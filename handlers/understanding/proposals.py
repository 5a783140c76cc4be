"""What the outside model may propose, and nothing else: its answer is read by a strict form."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from handlers.domain.category import Category
from handlers.domain.ticket import TITLE_LENGTH
from handlers.understanding.masking import PLACEHOLDER

MOST_PROBLEMS: Final = 4
MOST_DRAFT: Final = 400
_DIGITS: Final = re.compile(r"\d+")
_ADDRESS: Final = re.compile(r"://|www\.|@|[a-z0-9-]+\.[a-z]{2,}", re.I)
_LETTER: Final = re.compile(r"[\u4e00-\u9fffA-Za-z]")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A title, a category, the problems that were told, and a draft where one was asked for."""

    title: str
    category: Category
    problems: tuple[str, ...]
    draft: str = ""


class _Wrong(ValueError):
    """The answer is not of the form."""


def proposal_of(said: str, sent: str, draft: bool = False) -> Proposal | None:
    """What an answer proposes; None unless it is exactly of the form and tells nothing made up.

    `sent` is everything the model was given: a number, a firm or a person that is not in there is
    an invention. `draft` says whether one was asked for.
    """
    try:
        read = json.loads(said, object_pairs_hook=_once)
        wanted = {"title", "category", "problems"} | ({"draft"} if draft else set())
        if not isinstance(read, dict) or set(read) != wanted:
            return None
        problems = read["problems"]
        if not isinstance(problems, list) or not 1 <= len(problems) <= MOST_PROBLEMS:
            return None
        titles = tuple(_line(p, sent) for p in problems)
        if len(set(titles)) != len(titles):
            return None
        text = _text(read["draft"], sent, MOST_DRAFT) if draft else ""
        return Proposal(_line(read["title"], sent), _category(read["category"]), titles, text)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values of one name are one too many: readers differ in which they take."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise _Wrong
    return read


def _category(value: object) -> Category:
    if not isinstance(value, str):
        raise _Wrong
    return Category(value)


def _line(value: object, sent: str) -> str:
    return _text(value, sent, TITLE_LENGTH)


def _text(value: object, sent: str, most: int) -> str:
    if not isinstance(value, str):
        raise _Wrong
    title = value.strip()
    if not 2 <= len(title) <= most or not title.isprintable():
        raise _Wrong
    text = unicodedata.normalize("NFKC", title)
    if not _LETTER.search(text) or _ADDRESS.search(text):
        raise _Wrong
    numbers = set(_DIGITS.findall(sent))
    if not set(_DIGITS.findall(text)) <= numbers:
        raise _Wrong
    known = set(PLACEHOLDER.findall(sent))
    if not set(PLACEHOLDER.findall(text)) <= known:
        raise _Wrong
    return title
