"""The words of the trade, weighted: which subject a text is about, and how much it presses.

`lexicon.tsv` is the shipped set, a line for words that mean the same: pairs of code and weight,
then the words. A code is a category of domain.md §5 or a hint of urgency (U1 danger, U2 loss now,
U4 long and hard); a weight is 1 (a weak hint) to 5 (decides). What the office says of a word
stands above the shipped set. Negation, past tense and hearsay are the business of rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from operator import add
from typing import Final, NamedTuple, TypeAlias

from handlers.chat.grammar import fold
from handlers.domain.category import Category

FILE: Final = "lexicon.tsv"
URGENCY_CODES: Final = frozenset({"U1", "U2", "U4"})
TOPIC_CODES: Final = frozenset(str(c) for c in Category)
DECIDES: Final = 5.0
LONGEST: Final = 12  # characters; a longer entry is a sentence, not a word

# What a word says, as pairs of code and weight; words that mean the same share one.
Meaning: TypeAlias = tuple[tuple[str, float], ...]
# A word, one of its codes, and the weight; the weight 0 takes the code from the word.
Row: TypeAlias = tuple[str, str, float]


class Hit(NamedTuple):
    """A word found in a text: its spelling there, one of its codes, and where it stands."""

    word: str
    code: str
    weight: float
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.word)


class BadEntry(ValueError):
    """A row that cannot be a word of the lexicon."""


@dataclass(frozen=True, slots=True)
class _Index:
    """One group of codes. `lengths` leads from a word's first two characters to its lengths."""

    words: Mapping[str, Meaning] = field(default_factory=dict)
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Mapping[str, Meaning]) -> "_Index":
        lengths: dict[str, tuple[int, ...]] = {}
        for word in words:
            start, size = word[:2], len(word)
            known = lengths.get(start)
            if known is None:
                lengths[start] = (size,)
            elif size not in known:
                lengths[start] = tuple(sorted((*known, size), reverse=True))
        return cls(words, lengths)

    def find(self, low: str) -> list[tuple[int, int, Meaning]]:
        """(start, end, meaning) in a lower-case text, none overlapping: a longer word wins."""
        words, lengths = self.words, self.lengths
        found: list[tuple[int, int, Meaning]] = []
        overlap, reached, whole = False, 0, len(low)
        pairs = map(lengths.get, map(add, low, [*low[1:], ""]))
        for start, (sizes, single) in enumerate(zip(pairs, map(lengths.get, low), strict=True)):
            if sizes is None:
                if single is None:
                    continue
                sizes = single
            for size in sizes:
                end = start + size
                meaning = words.get(low[start:end]) if end <= whole else None
                if meaning is not None and _stands_alone(low, start, end):
                    overlap = overlap or start < reached
                    reached = max(reached, end)
                    found.append((start, end, meaning))
                    break
        return _longest(found) if overlap else found


def _stands_alone(low: str, start: int, end: int) -> bool:
    """Latin words end where letters end (no 「CA」 in 「CAD」), numbers where digits end."""
    if start and _same_run(low[start - 1], low[start]):
        return False
    return end >= len(low) or not _same_run(low[end - 1], low[end])


def _same_run(a: str, b: str) -> bool:
    if not (a.isascii() and b.isascii()):
        return False
    return (a.isalpha() and b.isalpha()) or (a.isdigit() and b.isdigit())


def _heaviest(meaning: Meaning) -> float:
    return max(weight for _, weight in meaning)


def _longest(found: list[tuple[int, int, Meaning]]) -> list[tuple[int, int, Meaning]]:
    kept: list[tuple[int, int, Meaning]] = []
    for start, end, word in sorted(found, key=lambda f: (f[0] - f[1], -_heaviest(f[2]), f[0])):
        if all(end <= a or b <= start for a, b, _ in kept):
            kept.append((start, end, word))
    return sorted(kept, key=lambda f: f[0])


def _checked(word: str, code: str, weight: float) -> Row:
    word = fold(word).lower()
    if not 1 <= len(word) <= LONGEST:
        raise BadEntry(f"length of {word!r}")
    if code not in TOPIC_CODES and code not in URGENCY_CODES:
        raise BadEntry(f"code of {word!r}: {code}")
    if not 0 <= weight <= DECIDES:
        raise BadEntry(f"weight of {word!r}: {weight}")
    return word, code, weight


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words with their codes and weights; made once, read by everybody."""

    _topics: _Index
    _urgency: _Index
    _own: _Index = field(default_factory=_Index)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Lexicon":
        """From (word, code, weight); a later row for the same word and code holds."""
        changed = cls(_Index(), _Index()).with_changes(rows)
        return cls(changed._topics, changed._urgency)

    def __hash__(self) -> int:
        """So that what was found can be remembered by it."""
        return len(self)

    def __len__(self) -> int:
        """How many words it has; one that is both a topic and urgent counts twice."""
        return len(self._topics.words) + len(self._urgency.words)

    def with_changes(self, rows: Iterable[Row]) -> "Lexicon":
        """Another lexicon in which these rows, the office's own, hold.

        Rows with a weight replace what was said of the word before (topics and urgency apart);
        a row with weight 0 takes only that code away from it.
        """
        changes: dict[str, dict[str, float]] = {}
        for row in rows:
            word, code, weight = _checked(*row)
            changes.setdefault(word, {})[code] = weight
        if not changes:
            return self
        topics, urgency = dict(self._topics.words), dict(self._urgency.words)
        own = dict(self._own.words)
        for word, weights in changes.items():
            for group, codes in ((topics, TOPIC_CODES), (urgency, URGENCY_CODES)):
                mine = {c: w for c, w in weights.items() if c in codes}
                if mine:
                    _change(group, word, mine)
            _change(own, word, weights)
        return Lexicon(_Index.of(topics), _Index.of(urgency), _Index.of(own))

    def hits(self, text: str) -> tuple[Hit, ...]:
        """Every word that stands in the text, one hit for each of its codes, in text order.

        Within the topics, and within the hints of urgency, no two words overlap: 「消防水压」 is
        not also 「水压」.
        """
        return _found(self, text)

    def found(self, text: str) -> tuple[Hit, ...]:
        """`hits`, looked for."""
        low = _lowered(text)
        found = self._topics.find(low) + self._urgency.find(low)
        found.sort(key=lambda f: f[0])
        return _hits(text, found)

    def own(self, text: str) -> tuple[Hit, ...]:
        """The office's own words in the text, also where they are part of a longer word."""
        return _hits(text, self._own.find(_lowered(text))) if self._own.words else ()

    def scores(self, text: str) -> dict[str, float]:
        """Code to summed weight, as `totals` of the hits."""
        return totals(self.hits(text))

    def best(self, text: str) -> tuple[Category, str]:
        """The category with the highest score and its weightiest word; (OTH, "") without one."""
        hits = [h for h in self.hits(text) if h.code in TOPIC_CODES]
        if not hits:
            return Category.OTH, ""
        summed = totals(hits)
        # The earlier of equals stays: people name the thing first.
        top = max(hits, key=lambda h: (summed[h.code], h.weight, len(h.word), -h.start))
        return Category(top.code), top.word


# One message is looked through by the reader and by the library.
@lru_cache(maxsize=64)
def _found(lexicon: Lexicon, text: str) -> tuple[Hit, ...]:
    return lexicon.found(text)


def totals(hits: Iterable[Hit]) -> dict[str, float]:
    """Code to summed weight; a word said again counts half of the time before."""
    summed: dict[str, float] = {}
    said: dict[tuple[str, str], int] = {}
    for word, code, weight, _ in hits:
        before = said.get((word, code), 0)
        said[word, code] = before + 1
        summed[code] = summed.get(code, 0.0) + weight / (1 << min(before, 8))
    return summed


def _hits(text: str, found: Iterable[tuple[int, int, Meaning]]) -> tuple[Hit, ...]:
    return tuple(
        [
            Hit(text[start:end], code, weight, start)
            for start, end, meaning in found
            for code, weight in meaning
        ]
    )


def _change(group: dict[str, Meaning], word: str, weights: Mapping[str, float]) -> None:
    added = tuple((c, w) for c, w in weights.items() if w > 0)
    meaning = added or tuple(p for p in group.get(word, ()) if p[0] not in weights)
    if meaning:
        group[word] = meaning
    else:
        group.pop(word, None)


def _lowered(text: str) -> str:
    low = text.lower()
    # A few letters grow when lowered; places in the text matter more than they.
    return low if len(low) == len(text) else text


def _lines(text: str) -> Iterable[tuple[Meaning, list[str]]]:
    """Meaning and words of each line; 「#」 begins a comment."""
    for line in text.splitlines():
        if line and line[0] != "#":
            head, *words = line.split("\t")
            codes = head.split(" ")
            weights = map(float, codes[1::2])
            yield tuple(zip(codes[::2], weights, strict=True)), words


def parse(text: str) -> Iterable[Row]:
    """Rows (word, code, weight) of the file."""
    for meaning, words in _lines(text):
        for word in words:
            for code, weight in meaning:
                yield word, code, weight


def loaded(text: str) -> Lexicon:
    """The lexicon of a file whose words are folded, lower-case and on one line each: fast.

    A test holds the shipped file to that, and sees that it equals `Lexicon.of(parse(text))`.
    """
    topics: dict[str, Meaning] = {}
    urgency: dict[str, Meaning] = {}
    for meaning, words in _lines(text):
        for group, codes in ((topics, TOPIC_CODES), (urgency, URGENCY_CODES)):
            mine = tuple(pair for pair in meaning if pair[0] in codes)
            if mine:
                group.update(dict.fromkeys(words, mine))
    return Lexicon(_Index.of(topics), _Index.of(urgency))


def shipped_text() -> str:
    """The shipped file."""
    return resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")


@cache
def shipped() -> Lexicon:
    """The lexicon as shipped, read once."""
    return loaded(shipped_text())
