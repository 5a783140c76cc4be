"""The words of the trade, weighted: which subject a text is about, and how much it presses.

`lexicon.tsv` is the shipped set: a word, then one or more pairs of code and weight. A code is a
category of domain.md §5 or a hint of urgency (U1 danger, U2 loss now, U4 long and hard); a weight
is 1 (a weak hint) to 5 (decides). Negation, past tense and hearsay are the business of rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from handlers.domain.category import Category

FILE: Final = "lexicon.tsv"
URGENCY_CODES: Final = frozenset({"U1", "U2", "U4"})
TOPIC_CODES: Final = frozenset(str(c) for c in Category)
HEAVIEST: Final = 5
LONGEST: Final = 12  # characters; a longer entry is a sentence, not a word


@dataclass(frozen=True, slots=True)
class Hit:
    """A word found: its spelling in the lexicon, one of its codes, and where it stands."""

    word: str
    code: str
    weight: float
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.word)


class BadEntry(ValueError):
    """A row that cannot be a word of the lexicon; the text says why."""


@dataclass(frozen=True, slots=True)
class _Word:
    spelling: str
    pairs: tuple[tuple[str, float], ...]
    heaviest: float


@dataclass(frozen=True, slots=True)
class _Index:
    """One group of codes. `lengths` leads from a word's first two characters to its lengths."""

    words: Mapping[str, _Word]
    lengths: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, words: Mapping[str, _Word]) -> "_Index":
        lengths: dict[str, set[int]] = {}
        for word in words:
            lengths.setdefault(word[:2], set()).add(len(word))
        return cls(words, {k: tuple(sorted(v, reverse=True)) for k, v in lengths.items()})

    def find(self, low: str) -> list[tuple[int, int, _Word]]:
        """(start, end, word) of a lower-case text, none overlapping: a longer word wins."""
        words, lengths = self.words, self.lengths
        found: list[tuple[int, int, _Word]] = []
        overlap, reached = False, 0
        for start in range(len(low)):
            sizes = lengths.get(low[start : start + 2])
            if sizes is None:
                sizes = lengths.get(low[start])
                if sizes is None:
                    continue
            for size in sizes:
                end = start + size
                word = words.get(low[start:end])
                if word is not None and _stands_alone(low, start, end):
                    overlap = overlap or start < reached
                    reached = max(reached, end)
                    found.append((start, end, word))
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


def _longest(found: list[tuple[int, int, _Word]]) -> list[tuple[int, int, _Word]]:
    kept: list[tuple[int, int, _Word]] = []
    for start, end, word in sorted(found, key=lambda f: (f[0] - f[1], -f[2].heaviest, f[0])):
        if all(end <= a or b <= start for a, b, _ in kept):
            kept.append((start, end, word))
    return sorted(kept, key=lambda f: f[0])


def _key(word: str) -> str:
    return word.lower()


def _checked(word: str, code: str, weight: float) -> tuple[str, str, float]:
    word = word.strip()
    if not 1 <= len(word) <= LONGEST:
        raise BadEntry(f"词长须为1到{LONGEST}个字:{word}")
    if code not in TOPIC_CODES and code not in URGENCY_CODES:
        raise BadEntry(f"没有这个类别:{code}")
    if not 0 <= weight <= HEAVIEST:
        raise BadEntry(f"权重须在0到{HEAVIEST}之间:{weight}")
    return word, code, weight


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words with their codes and weights; made once, read by everybody."""

    _topics: _Index
    _urgency: _Index

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, float]]) -> "Lexicon":
        """From (word, code, weight); a later row for the same word and code holds."""
        return cls(_Index({}, {}), _Index({}, {})).with_changes(rows)

    def __len__(self) -> int:
        """How many words it has; one that is both a topic and urgent counts twice."""
        return len(self._topics.words) + len(self._urgency.words)

    def with_changes(self, rows: Iterable[tuple[str, str, float]]) -> "Lexicon":
        """Another lexicon in which these rows hold.

        Rows with a weight replace what was said of the word before (topics and urgency apart);
        a row with weight 0 takes only that code away from it.
        """
        changes: dict[str, tuple[str, dict[str, float]]] = {}
        for row in rows:
            word, code, weight = _checked(*row)
            changes.setdefault(_key(word), (word, {}))[1][code] = weight
        topics, urgency = dict(self._topics.words), dict(self._urgency.words)
        for key, (spelling, weights) in changes.items():
            for group, codes in ((topics, TOPIC_CODES), (urgency, URGENCY_CODES)):
                mine = {c: w for c, w in weights.items() if c in codes}
                if mine:
                    _change(group, key, spelling, mine)
        return Lexicon(_Index.of(topics), _Index.of(urgency))

    def hits(self, text: str) -> tuple[Hit, ...]:
        """Every word that stands in the text, one hit for each of its codes, in text order.

        Within the topics, and within the hints of urgency, no two words overlap: 「消防水压」 is
        not also 「水压」.
        """
        low = _lowered(text)
        found = self._topics.find(low) + self._urgency.find(low)
        found.sort(key=lambda f: f[0])
        return tuple(
            Hit(word.spelling, code, weight, start)
            for start, _, word in found
            for code, weight in word.pairs
        )

    def scores(self, text: str) -> dict[str, float]:
        """Code to summed weight; a word said again counts half of the time before."""
        totals: dict[str, float] = {}
        said: dict[str, int] = {}
        low = _lowered(text)
        for index in (self._topics, self._urgency):
            for _, _, word in index.find(low):
                before = said.get(word.spelling, 0)
                said[word.spelling] = before + 1
                for code, weight in word.pairs:
                    totals[code] = totals.get(code, 0.0) + weight / (1 << min(before, 8))
            said.clear()
        return totals

    def best(self, text: str) -> tuple[Category, str]:
        """The category with the highest score and its weightiest word; (OTH, "") without one."""
        found = self._topics.find(_lowered(text))
        totals: dict[str, float] = {}
        deciding: dict[str, tuple[float, int, str]] = {}
        said: set[str] = set()
        for _, _, word in found:
            again = word.spelling in said
            said.add(word.spelling)
            for code, weight in word.pairs:
                totals[code] = totals.get(code, 0.0) + (weight / 2 if again else weight)
                mine = (weight, len(word.spelling), word.spelling)
                # The earlier of equals stays: people name the thing first.
                if code not in deciding or mine[:2] > deciding[code][:2]:
                    deciding[code] = mine
        if not totals:
            return Category.OTH, ""
        top = max(totals, key=lambda c: (totals[c], deciding[c][0], deciding[c][1]))
        return Category(top), deciding[top][2]


def _change(group: dict[str, _Word], key: str, spelling: str, weights: dict[str, float]) -> None:
    added = {c: w for c, w in weights.items() if w > 0}
    old = group.get(key)
    kept = {} if added or old is None else {c: w for c, w in old.pairs if c not in weights}
    pairs = added or kept
    if pairs:
        group[key] = _Word(spelling, tuple(pairs.items()), max(pairs.values()))
    else:
        group.pop(key, None)


def _lowered(text: str) -> str:
    low = text.lower()
    # A few letters grow when lowered; places in the text matter more than they.
    return low if len(low) == len(text) else text


def parse(lines: Iterable[str]) -> Iterable[tuple[str, str, float]]:
    """Rows (word, code, weight) of the tab-separated file; 「#」 begins a comment."""
    for line in lines:
        if not line or line[0] == "#":
            continue
        word, *pairs = line.split("\t")
        for code, weight in zip(pairs[::2], pairs[1::2], strict=True):
            yield word, code, float(weight)


@cache
def shipped() -> Lexicon:
    """The lexicon as shipped, read once."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return Lexicon.of(parse(text.splitlines()))


def topic(text: str) -> tuple[Category, str]:
    """What a text is about by the shipped words: a category and the word that decided."""
    return shipped().best(text)
