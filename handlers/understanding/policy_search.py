"""Which policy a question is about: character pairs and words of one meaning, weighed as BM25 does.

The words of one meaning stand in policy_words.tsv, a meaning a line: what a firm says (过桥) and what
a document says (应急转贷). A question that names something of the trade which an entry never speaks of
(充电桩, 幼儿园) is not answered from that entry, however much else fits.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from handlers.chat.grammar import fold
from handlers.domain.category import Category
from handlers.understanding.lexicon import TOPIC_CODES, shipped
from handlers.understanding.lexicon import Hit as WordHit
from handlers.understanding.reader import shares
from handlers.understanding.reading import CATEGORIES

FILE: Final = "policy_words.tsv"
# What follows in the file is how one asks, not about what.
_ASKING: Final = "# What is asked for."
# Of these the lines of money, free service among them: one of them answers a question for another.
_MONEY: Final = "# Money."
_NOT_MONEY: Final = "# Something else."

# Chosen by cross-validation (docs/understanding.md, "Policies").
_MEANING: Final = 2.5
_SUBJECT: Final = 1.0
ENOUGH: Final = 22.0

_FIELDS: Final[Mapping[str, float]] = {
    "title": 3.0,
    "words": 3.0,
    "summary": 2.0,
    "number": 1.0,
    "text": 1.0,
}
_SATURATES: Final = 3.0
# A library of three entries knows nothing of how common a word is: these stand beside it.
_BACKGROUND: Final = 60
_EVERYWHERE: Final = 30
_COMMON: Final = (
    "企业申请补贴补助奖励资金办法标准规定管理政策通知实施细则工业项目单位部门办理服务提交材料符合条件最高万元"
    "按照每年不超过期限以上以下一次性区内开发区经发局财政局人社局网上审核工作日具体操作由发文单位负责解释"
)
# Words of the trade that the file has no line for: only long and telling ones.
_TELLING: Final = 4.0
_LONG: Final = 3
_UNNAMED: Final = 2.0
_LEAST: Final = 2.0
_STRICT: Final = 1.5
_SURE_NUMBER: Final = 100.0
_LITTLE: Final = frozenset(
    "我们你的了吗呢吧啊呀么在是有没不要能可以会就都也还和与及或把被给让到去来个一这那哪什怎多少几想请问下上里得着过"
)
_LOOSE: Final = 0.35
_RUN: Final = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9.]+%?")
_SENTENCE: Final = re.compile(r"[^。；;！!？?\n]+[。；;！!？?]?")
_NUMBER: Final = re.compile(
    r"[\u4e00-\u9fff]{0,8}[〔\[(（【]?(20\d\d)[〕\])）】]?年?第?(\d{1,4})号"
)
_OLD: Final = re.compile(
    r"[老旧](?:的)?(?:标准|办法|政策|版|规定|文件)|原来(?:那个|的)|以前(?:那个|的)|早先|早两年"
)
_NEW: Final = re.compile(r"新(?:的)?(?:标准|办法|政策|版|规定)|现在|目前|如今|今年")
_YEAR: Final = re.compile(r"(?<!\d)(?:20)?(2\d)年|去年|前年|上年")

Unit = str | int


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is looked through of an entry; `words` are its own keywords and whom it is for."""

    key: int
    title: str
    number: str = ""
    summary: str = ""
    text: str = ""
    words: str = ""
    category: Category | None = None
    since: date | None = None
    until: date | None = None
    superseded_by: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """`fit` puts the entries in order, `confidence` says whether it answers (`ENOUGH`)."""

    key: int
    fit: float
    confidence: float
    passage: str

    @property
    def answers(self) -> bool:
        return self.confidence >= ENOUGH


@dataclass(frozen=True, slots=True)
class Meanings:
    """The words of one meaning, by the number of their line; how one asks has a number below 0."""

    words: Mapping[str, tuple[int, ...]]
    money: frozenset[int] = frozenset()
    # How long the words are that begin with these characters, longest first.
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """The longest known word at each place, none inside another."""
        found: list[tuple[int, int, str]] = []
        for start in range(len(text)):
            for size in self.sizes.get(text[start], ()):
                word = text[start : start + size]
                if word in self.words and _whole(text, start, start + size):
                    found.append((start, start + size, word))
                    break
        return [
            s
            for s in found
            if not any(o[0] <= s[0] and s[1] <= o[1] and o[1] - o[0] > s[1] - s[0] for o in found)
        ]


def _whole(text: str, start: int, end: int) -> bool:
    """No 「mes」 in 「james」."""
    before = start > 0 and text[start - 1].isascii() and text[start - 1].isalnum()
    after = end < len(text) and text[end].isascii() and text[end].isalnum()
    return not (
        (before and text[start].isascii() and text[start].isalnum())
        or (after and text[end - 1].isascii() and text[end - 1].isalnum())
    )


def meant_by(words: Mapping[str, tuple[int, ...]], money: frozenset[int]) -> Meanings:
    sizes: dict[str, set[int]] = {}
    for word in words:
        sizes.setdefault(word[0], set()).add(len(word))
    return Meanings(words, money, {c: tuple(sorted(n, reverse=True)) for c, n in sizes.items()})


def meanings_of(text: str) -> Meanings:
    words: dict[str, list[int]] = {}
    money: set[int] = set()
    asking = of_money = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            asking = asking or line.strip() == _ASKING
            of_money = line.strip() == _MONEY or (of_money and line.strip() != _NOT_MONEY)
            continue
        if of_money:
            money.add(-number)
        for word in line.lower().split():
            lines = words.setdefault(word, [])
            meant = -number if asking else number
            if meant not in lines:
                lines.append(meant)
    return meant_by({w: tuple(n) for w, n in words.items()}, frozenset(money))


@cache
def meanings() -> Meanings:
    """The shipped ones."""
    return meanings_of(
        resources.files("handlers.understanding").joinpath(FILE).read_text(encoding="utf-8")
    )


def _pairs(text: str) -> dict[str, float]:
    """Pairs of characters with their weight; figures and Latin words are taken whole."""
    found: dict[str, float] = {}
    for run in _RUN.findall(text):
        if run[0].isascii():
            found[run] = 1.0
            continue
        for one, other in pairwise(run):
            pair = one + other
            little = (pair[0] in _LITTLE) + (pair[1] in _LITTLE)
            if little < 2:
                found[pair] = _LOOSE if little else 1.0
    return found


def _beyond(start: int, end: int, trade: Sequence[WordHit]) -> str:
    """What a longer word of the trade has beside the word that is known: 商标注册 is not any 商标."""
    for hit in trade:
        if hit.start <= start and end <= hit.end:
            word = hit.word.lower()
            rest = max(word[: start - hit.start], word[end - hit.start :], key=len)
            return rest if len(rest) > 1 else ""
    return ""


_COMMON_PAIRS: Final = frozenset(_pairs(_COMMON))


@dataclass(slots=True)
class _Entry:
    """An entry ready to be looked through; `numbers`: year and number of its document."""

    of: Indexed
    units: dict[Unit, float] = field(default_factory=dict)
    numbers: frozenset[tuple[str, str]] = frozenset()
    low: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question taken apart: units with weights, named words of the trade, its subject."""

    units: Mapping[Unit, float]
    named: tuple[tuple[tuple[int, ...], str], ...]
    unnamed: tuple[str, ...]
    numbers: frozenset[tuple[str, str]]
    subject: Mapping[Category, float]


class PolicyIndex:
    """Made once for each state of the library; asked by everybody."""

    def __init__(self, entries: Iterable[Indexed], known: Meanings | None = None) -> None:
        self._known: Final = known or meanings()
        self._entries: Final = tuple(self._entry(e) for e in entries)
        self._by_key: Final = {e.of.key: e for e in self._entries}
        self._in: dict[Unit, int] = {}
        for entry in self._entries:
            for unit in entry.units:
                self._in[unit] = self._in.get(unit, 0) + 1

    def __len__(self) -> int:
        return len(self._entries)

    def _entry(self, of: Indexed) -> _Entry:
        made = _Entry(of, numbers=frozenset(_NUMBER.findall(of.number)))
        for name, weight in _FIELDS.items():
            text = fold(str(getattr(of, name))).lower()
            made.low += text + "\n"
            for pair in _pairs(text):
                made.units[pair] = made.units.get(pair, 0.0) + weight
            for _, _, word in self._known.spans(text):
                for meaning in self._known.words[word]:
                    made.units[meaning] = made.units.get(meaning, 0.0) + weight
        return made

    def _rare(self, unit: Unit) -> float:
        held = self._in.get(unit, 0)
        if isinstance(unit, int):
            held += _EVERYWHERE if unit < 0 else 0
        elif unit in _COMMON_PAIRS:
            held += _EVERYWHERE
        of = len(self._entries) + _BACKGROUND
        return math.log(1 + (of - held + 0.5) / (held + 0.5))

    def _taken_apart(self, question: str) -> _Asked:
        low = fold(question).lower()
        units: dict[Unit, float] = {}
        units.update(_pairs(low))
        spans = self._known.spans(low)
        trade = [
            hit
            for hit in shipped().hits(low)
            if len(hit.word) >= _LONG and hit.weight >= _TELLING and hit.code in TOPIC_CODES
        ]
        named: list[tuple[tuple[int, ...], str]] = []
        for start, end, word in spans:
            lines = self._known.words[word]
            for line in lines:
                units[line] = _MEANING
            about = tuple(line for line in lines if line > 0)
            if about:
                named.append((about, _beyond(start, end, trade)))
        unnamed = tuple(
            {
                hit.word.lower(): None
                for hit in trade
                if not any(a < hit.end and hit.start < b for a, b, _ in spans)
            }
        )
        said = shares(question, "manager")
        subject = dict(zip(CATEGORIES, said.category, strict=True)) if said else {}
        return _Asked(units, tuple(named), unnamed, frozenset(_NUMBER.findall(question)), subject)

    def find(self, question: str, today: date, most: int = 3) -> tuple[Hit, ...]:
        """The entries that fit, best first; of two versions of one policy the one that is meant."""
        if not self._entries or not question.strip():
            return ()
        asked = self._taken_apart(question)
        fits = {e.of.key: self._fit(e, asked) for e in self._entries}
        confident = {e.of.key: self._confidence(e, asked, fits[e.of.key]) for e in self._entries}
        for entry in self._entries:
            self._settle(entry.of, question, today, fits, confident)
        best = sorted(fits, key=lambda key: (-fits[key], key))[:most]
        return tuple(
            Hit(key, fits[key], confident[key], self._passage(self._by_key[key], asked))
            for key in best
            if fits[key] > 0
        )

    def _fit(self, entry: _Entry, asked: _Asked) -> float:
        total = 0.0
        for unit, weight in asked.units.items():
            held = entry.units.get(unit)
            if held is not None:
                total += weight * self._rare(unit) * held * (_SATURATES + 1) / (held + _SATURATES)
        if asked.numbers & entry.numbers:
            total += _SURE_NUMBER
        if entry.of.category is not None and total > 0:
            share = max(asked.subject.get(entry.of.category, 0.0), 0.003)
            total += _SUBJECT * math.log(share / 0.05)
        return total

    def _confidence(self, entry: _Entry, asked: _Asked, fit: float) -> float:
        """The fit, less what the question names and the entry never speaks of."""
        covered, missed = _LEAST, 0.0
        for lines, beyond in asked.named:
            rare = max(self._rare(line) for line in lines)
            if any(line in entry.units for line in lines) and beyond in entry.low:
                covered += rare
            else:
                missed += rare
        for word in asked.unnamed:
            if word in entry.low:
                covered += _UNNAMED
            else:
                missed += _UNNAMED
        money = self._known.money
        if money & asked.units.keys() and not money & entry.units.keys():
            missed += _UNNAMED
        return float(fit * (covered / (covered + missed)) ** _STRICT)

    def _settle(
        self,
        old: Indexed,
        question: str,
        today: date,
        fits: dict[int, float],
        confident: dict[int, float],
    ) -> None:
        """A version and its successor fit alike; which is meant the time spoken of decides."""
        new = None if old.superseded_by is None else self._by_key.get(old.superseded_by)
        if new is None:
            return
        first, second = new.of.key, old.key
        if _means_old(question, today, old, new.of):
            first, second = second, first
        best = max(fits[first], fits[second])
        confident[first] = max(confident[first], confident[second])
        fits[second] = min(fits[second], best - 0.02)
        fits[first] = best - 0.01

    def _passage(self, entry: _Entry, asked: _Asked) -> str:
        """The sentence that fits best."""

        def worth(sentence: str) -> float:
            low = fold(sentence).lower()
            units: set[Unit] = set(_pairs(low))
            for _, _, word in self._known.spans(low):
                units.update(self._known.words[word])
            return sum(w * self._rare(u) for u, w in asked.units.items() if u in units)

        sentences = [s.strip() for s in _SENTENCE.findall(entry.of.text) if s.strip()]
        return max(sentences, key=worth, default=entry.of.summary)


def _means_old(question: str, today: date, old: Indexed, new: Indexed) -> bool:
    if _NEW.search(question):
        return False
    if _OLD.search(question):
        return True
    years = [_year(m, today) for m in _YEAR.finditer(question)]
    return any(_held(old, year) and not _held(new, year) for year in years)


def _year(said: re.Match[str], today: date) -> int:
    if said.group(1):
        return 2000 + int(said.group(1))
    return today.year - (2 if said.group() == "前年" else 1)


def _held(entry: Indexed, year: int) -> bool:
    """Whether it was in force at any time of that year."""
    since, until = entry.since or date.min, entry.until or date.max
    return since <= date(year, 12, 31) and until >= date(year, 1, 1)


def guessed_category(texts: Sequence[str]) -> Category | None:
    """What an entry without a category is about."""
    said = shares("，".join(t for t in texts if t)[:400], "office")
    return None if said is None else said.best_category()
