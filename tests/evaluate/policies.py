"""Policy questions: is the right entry first, in the first three, and is the rest left unanswered.

`python -m tests.evaluate.policies -v` prints every miss. The words of one meaning were written with
the questions in sight, so two figures stand beside each other: as shipped, and with every word taken
away that only the question itself would have suggested, for which the threshold was chosen on the
other folds too.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from handlers.domain.category import Category
from handlers.understanding import policy_search
from handlers.understanding.policy_search import ENOUGH, Indexed, Meanings, PolicyIndex, meant_by

CORPUS: Final = Path(__file__).resolve().parents[1] / "corpus"
TODAY: Final = date(2026, 11, 24)
FOLDS: Final = 5
# From which the threshold of a fold is chosen.
THRESHOLDS: Final = tuple(float(n) for n in range(8, 41))
_UNANSWERABLE: Final = 0.05


def rows(name: str) -> list[dict[str, Any]]:
    with (CORPUS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def entries() -> tuple[dict[int, str], list[Indexed]]:
    """The labelled library, and its ids by key."""
    found = rows("policies")
    key = {row["id"]: n for n, row in enumerate(found, 1)}

    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    made = [
        Indexed(
            key[row["id"]],
            row["title"],
            row["number"],
            row["summary"],
            row["text"],
            " ".join([*row["keywords"], *(w for words in row["for"].values() for w in words)]),
            Category(row["category"]),
            day(row["valid_from"]),
            day(row["valid_to"]),
            key.get(row["superseded_by"]),
        )
        for row in found
    ]
    return {n: name for name, n in key.items()}, made


@dataclass(frozen=True)
class Asked:
    """A question, what answers it, and what was found."""

    id: str
    text: str
    right: tuple[str, ...]
    found: tuple[str, ...]
    confidence: float

    @property
    def first(self) -> bool:
        return self.found[:1] == self.right[:1]

    @property
    def among(self) -> bool:
        return self.right[0] in self.found[:3]


def without(known: Meanings, words: Iterable[str]) -> Meanings:
    gone = frozenset(words)
    return meant_by({w: n for w, n in known.words.items() if w not in gone}, known.money)


def asked(leave_out: bool) -> list[Asked]:
    """Every question; `leave_out`: without the words that no other question and no entry has."""
    names, library = entries()
    questions = rows("policy_questions")
    known = policy_search.meanings()
    whole = PolicyIndex(library)
    used = Counter(w for q in questions for w in known.words if w in q["text"].lower())
    documents = "\n".join(f"{e.title}{e.words}{e.summary}{e.text}" for e in library).lower()
    done = []
    for question in questions:
        index = whole
        if leave_out:
            own = [
                w
                for w in known.words
                if w in question["text"].lower() and used[w] == 1 and w not in documents
            ]
            if own:
                index = PolicyIndex(library, without(known, own))
        hits = index.find(question["text"], TODAY)
        done.append(
            Asked(
                question["id"],
                question["text"],
                tuple(question["answers"]),
                tuple(names[h.key] for h in hits),
                hits[0].confidence if hits else 0.0,
            )
        )
    return done


@dataclass(frozen=True)
class Figures:
    """Shares: right entry first and in three, of those with an answer; answered right, wrong, not;
    answered though nothing answers."""

    first: float
    three: float
    right: float
    wrong: float
    unanswerable: float


def figures(said: Sequence[Asked], enough: Callable[[Asked], float] = lambda a: ENOUGH) -> Figures:
    answerable = [a for a in said if a.right]
    empty = [a for a in said if not a.right]

    def share(of: Sequence[Asked], holds: Callable[[Asked], bool]) -> float:
        return sum(map(holds, of)) / len(of)

    return Figures(
        share(answerable, lambda a: a.first),
        share(answerable, lambda a: a.among),
        share(answerable, lambda a: a.first and a.confidence >= enough(a)),
        share(answerable, lambda a: not a.first and a.confidence >= enough(a)),
        share(empty, lambda a: a.confidence >= enough(a)),
    )


def fold_of(one: Asked) -> int:
    """Fixed by the question's number, so that the split never depends on a run."""
    return int(one.id[1:]) % FOLDS


def threshold(said: Sequence[Asked]) -> float:
    """The one that answers most rightly while nearly nothing unanswerable is answered; of equals the
    middle, which is farthest from either side's next mistake."""

    def worth(enough: float) -> tuple[bool, float]:
        f = figures(said, lambda a: enough)
        return f.unanswerable <= _UNANSWERABLE, f.right - f.wrong

    best = max(map(worth, THRESHOLDS))
    equals = [t for t in THRESHOLDS if worth(t) == best]
    return equals[len(equals) // 2]


def crossed(said: Sequence[Asked]) -> dict[int, float]:
    """The threshold of each fold, chosen on the others."""
    return {n: threshold([a for a in said if fold_of(a) != n]) for n in range(FOLDS)}


@dataclass(frozen=True)
class Both:
    """A share as shipped, and with the words left out that only the question itself suggests."""

    name: str
    shipped: float
    left_out: float


def both() -> list[Both]:
    """Answering by the thresholds of the other folds; ranking needs none."""
    found = []
    for leave_out in (False, True):
        said = asked(leave_out)
        # The words left out change what is found, not how sure one must be.
        thresholds = crossed(asked(False) if leave_out else said)
        found.append(figures(said, lambda a, t=thresholds: t[fold_of(a)]))
    shipped, bare = found
    return [
        Both("policy: right entry first", shipped.first, bare.first),
        Both("policy: right entry in the first three", shipped.three, bare.three),
        Both("policy: answered with the right entry", shipped.right, bare.right),
        Both("policy: answered with another entry", shipped.wrong, bare.wrong),
        Both("policy: unanswerable answered", shipped.unanswerable, bare.unanswerable),
    ]


def paraphrases() -> Figures:
    """Questions of our own, written before they were tried; the words were widened after that."""
    names, library = entries()
    index = PolicyIndex(library)
    said = []
    with (Path(__file__).parent / "policy_paraphrases.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            hits = index.find(row["text"], TODAY)
            found = tuple(names[h.key] for h in hits)
            sure = hits[0].confidence if hits else 0.0
            said.append(Asked(row["id"], row["text"], tuple(row["answers"]), found, sure))
    return figures(said)


def main() -> int:
    for name, leave_out in (("as shipped", False), ("own words left out", True)):
        said = asked(leave_out)
        thresholds = crossed(said)
        print(name, "at", ENOUGH, figures(said))
        print("  folds", thresholds, figures(said, lambda a, t=thresholds: t[fold_of(a)]))
        if "-v" in sys.argv:
            for a in said:
                if (a.right and not (a.first and a.confidence >= ENOUGH)) or (
                    not a.right and a.confidence >= ENOUGH
                ):
                    print("   ", a.id, a.text, a.right, a.found, round(a.confidence, 1))
    print("own paraphrases at", ENOUGH, paraphrases())
    return 0


if __name__ == "__main__":
    sys.exit(main())
