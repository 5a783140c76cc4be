"""What people type, taken apart: mentions off, one width, command word, ticket number, the rest."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# WeCom puts U+2005 behind a mention; a mention ends at a space of any kind or at punctuation.
_MENTION: Final = re.compile(r"@[^\s@,，。:：;；、!！?？\u2005]{1,20}(?:[\s\u2005]+|$)")
_QUOTED: Final = re.compile(r"^\s*「[^」]*」\s*(?:-\s*){3,}\s*", re.S)
_CODE: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2,8}-\d{8}-\d{3,})(?!\d)")
_NUMBER: Final = re.compile(r"(?:工单|单号|编号|#|№|号单)\s*[:：]?\s*#?\s*(\d{4,9})(?!\d)")
_LEADING: Final = re.compile(
    r"^[\s#:：,，]*(\d{4,9})(?![\d万元人吨亩度.])(?:号|单|号单)?[\s,，:：;；。.]*"
)
_BOT_NUMBER: Final = re.compile(r"#(\d{4,9})(?!\d)")
_CONTROL: Final = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_LETTERS: Final = re.compile("[^，。；：？！…～]+")
# The platforms' own way to write a mention, which somebody may type.
_MARKUP: Final = re.compile(r"<@[^<>\s]{0,64}>")
_MARKS: Final = " \t\r\n\u3000\u2005,，。.:：;；!！~～、-—"


@dataclass(frozen=True, slots=True)
class TicketRef:
    """A ticket as people name it: the short number, or the code of the records."""

    number: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command word that was recognised, with the ticket it names and what follows."""

    word: str
    ref: TicketRef | None
    rest: str


# What a message says is folded by each who looks at it.
@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """One width, no control characters; Chinese punctuation keeps its meaning."""
    return unicodedata.normalize("NFKC", _CONTROL.sub("", text)).strip()


def as_written(text: str) -> str:
    """As `fold`, but with the punctuation that was typed: people read what is kept of this."""
    return _LETTERS.sub(
        lambda run: unicodedata.normalize("NFKC", run.group()), _CONTROL.sub("", text)
    ).strip()


def as_typed(part: str, text: str) -> str:
    """A folded `part` of `text` with the punctuation that was typed, where it can be found."""
    written = as_written(text)
    folded = unicodedata.normalize("NFKC", written)
    at = folded.find(part)
    # Some marks fold into several: then a place in the one is no place in the other.
    if at < 0 or len(folded) != len(written):
        return part
    return written[at : at + len(part)]


def without_quote(text: str) -> str:
    """Only what was newly written under a quoted message."""
    return _QUOTED.sub("", text)


def without_mentions(text: str, names: Iterable[str] = ()) -> str:
    """The text without anybody's @; the bot's own name is found without a following space too."""
    text = _MARKUP.sub(" ", text)
    for name in names:
        text = re.sub(rf"@{re.escape(name)}[\s\u2005]*", " ", text)
    return _MENTION.sub(" ", text).strip()


def ref_in(text: str) -> TicketRef | None:
    """The first ticket that a free text clearly names: #1024, 工单1024, LHG-20261122-003."""
    code = _CODE.search(text)
    if code is not None:
        return TicketRef(code=code.group(1).upper())
    number = _NUMBER.search(text)
    if number is not None:
        return TicketRef(number=int(number.group(1)))
    return None


def refs_in_bot_text(text: str) -> tuple[int, ...]:
    """Every number the bot printed in a message that is being quoted."""
    return tuple(dict.fromkeys(int(n) for n in _BOT_NUMBER.findall(text)))


def leading_ref(text: str) -> tuple[TicketRef | None, str]:
    """The ticket that a text names first, and what follows."""
    trimmed = text.lstrip(_MARKS + "#")
    code = _CODE.match(trimmed)
    if code is not None:
        return TicketRef(code=code.group(1).upper()), trimmed[code.end() :].strip(_MARKS)
    number = _LEADING.match(text)
    if number is None:
        named = re.match(
            r"^[\s,，:：]*(?:工单|单号|编号)\s*#?\s*(\d{4,9})(?:号|单)?[\s,，:：]*", text
        )
        if named is None:
            return None, text.strip(_MARKS)
        return TicketRef(number=int(named.group(1))), text[named.end() :].strip(_MARKS)
    return TicketRef(number=int(number.group(1))), text[number.end() :].strip(_MARKS)


class Lexicon:
    """The command words of all routes, found at the start of a text, longest first."""

    def __init__(self, openers: Iterable[str], exact: Iterable[str]) -> None:
        self.openers: Final = tuple(sorted(set(openers), key=len, reverse=True))
        self.exact: Final = frozenset(exact)
        self._initials: Final = frozenset(word[0] for word in self.openers)

    def command(self, text: str) -> Command | None:
        """The command in a folded text, if its first word is one.

        A word that only opens a longer sentence is a command when a number, a mark or a space
        follows it, or when nothing does: 「认领1024」 is one, 「办结的事多谢」 is none.
        """
        head = text.lstrip(_MARKS)
        if not head:
            return None
        if head[0] in "#0123456789LlDd" or head.startswith(("工单", "单号")):
            ref, rest = leading_ref(head)
            if ref is None:
                return None
            if rest in self.exact:
                return Command(rest, ref, "")
            inner = self._opened(rest)
            if inner is None:
                return None
            return Command(inner[0], ref, inner[1])
        bare = head.rstrip(_MARKS + "的了吧啦")
        if head.rstrip(_MARKS) in self.exact:
            return Command(head.rstrip(_MARKS), None, "")
        if bare in self.exact:
            return Command(bare, None, "")
        found = self._opened(head)
        if found is None:
            return None
        ref, rest = leading_ref(found[1])
        return Command(found[0], ref, rest)

    def _opened(self, head: str) -> tuple[str, str] | None:
        if not head or head[0] not in self._initials:
            return None
        for word in self.openers:
            if head.startswith(word):
                rest = head[len(word) :]
                if not rest:
                    return word, ""
                if rest[0] in _MARKS or rest[0] in "#0123456789" or _CODE.match(rest):
                    return word, rest.strip(_MARKS)
        return None
