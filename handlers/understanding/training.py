"""How the model is made: the recipe behind `train` (docs/understanding.md tells it in words).

scikit-learn is imported late: it is an extra that nobody needs at run time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import exp, log, sqrt
from typing import Any, Final

from handlers.domain.category import Category, Urgency
from handlers.understanding import model as m
from handlers.understanding.features import (
    HINT_SIGN,
    MOST,
    TOPIC_SIGN,
    features,
    grams,
    plain,
    said,
)
from handlers.understanding.lexicon import shipped
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES, Intent, Probabilities
from handlers.understanding.rules import judge

# A feature met in one message only says more about that message than about the language.
SEEN_AT_LEAST: Final = 2
# Inverse strength of the penalty for each head, chosen on authors left out.
FREEDOM: Final = {"ticket": 40.0, "intent": 40.0, "category": 40.0, "urgency": 40.0}
# Which signs of the lexicon each head sees, chosen on authors left out.
SEES: Final[Mapping[str, frozenset[str]]] = {
    "ticket": frozenset({TOPIC_SIGN}),
    "intent": frozenset(),
    "category": frozenset({TOPIC_SIGN, HINT_SIGN}),
    "urgency": frozenset({TOPIC_SIGN, HINT_SIGN}),
}
MARKS: Final = frozenset({TOPIC_SIGN, HINT_SIGN})
# What a mistake costs: a missed problem far more than a question, a question less than an alarm.
# A ticket opened wrongly is undone by one tap, so it costs little more than the question itself.
MISS: Final = 8.0
QUESTION: Final = 1.0
FALSE_ALARM: Final = 1.45
# The second reader may be asked for at most this share of the messages.
ASKED: Final = 0.32


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled message: what the model sees of it, and what it ought to say."""

    id: str
    found: frozenset[str]
    intent: Intent
    is_ticket: bool
    category: Category | None
    urgency: Urgency | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A message of an unseen author: its label, its raw scores, the encoder's opinion of it."""

    example: Example
    scores: tuple[float, ...]
    second: Probabilities | None


def example(row: Mapping[str, Any]) -> Example:
    """A labelled message as the corpus has it (id, role, msg_type, text, labels)."""
    heard = said(row["text"])
    flat = plain(heard)
    found = grams(flat)
    ruling = judge(flat, found, row["role"] != "manager")
    first = row["items"][0] if row["is_ticket"] and row.get("items") else None
    category = row["category"] if first is None else first["category"]
    urgency = row.get("urgency") if first is None else first["urgency"]
    return Example(
        row["id"],
        frozenset(
            features(
                flat, found, row["role"], row["msg_type"], ruling, shipped().hits(heard[:MOST])
            )
        ),
        Intent(row["intent"]),
        row["is_ticket"],
        Category(category) if category else None,
        Urgency(urgency) if row["is_ticket"] and urgency else None,
    )


def written(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Rows of the short form: 「## role intent category urgency」, then a message a line."""
    rows, head = [], ["manager", "chatter", "-", "-"]
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("## "):
            head = text[3:].split()
        elif text and not text.startswith("#"):
            role, intent, category, urgency = head
            rows.append(
                {
                    "id": f"w{number:04}",
                    "role": role,
                    "msg_type": "text",
                    "text": text,
                    "intent": intent,
                    "is_ticket": urgency != "-",
                    "category": None if category == "-" else category,
                    "urgency": None if urgency == "-" else urgency,
                }
            )
    return rows


def leave_one_out(
    authors: Mapping[str, Sequence[Example]],
    left_out: Sequence[str],
    seconds: Mapping[str, Probabilities],
) -> dict[str, list[Judged]]:
    """The scores of each left-out author's messages by a model that saw all other authors."""
    found: dict[str, list[Judged]] = {}
    for name in left_out:
        others = [e for n, examples in authors.items() if n != name for e in examples]
        model = m.unpack(fit(others))
        found[name] = [
            Judged(e, tuple(model.scores(e.found)), seconds.get(e.id)) for e in authors[name]
        ]
    return found


# A blend that changes nothing, for scoring before the true one is fitted.
NEUTRAL: Final = m.Blend(
    (1.0, 0.0), 1.0, 1.0, 1.0, (1.0, 0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), 0.6, 0.05, 0.0
)


def rarity(examples: Sequence[Example]) -> dict[str, float]:
    """The kept features and their weight: ln((1 + n) / (1 + df)) + 1."""
    counts = Counter(f for e in examples for f in e.found)
    n = len(examples)
    return {f: log((1 + n) / (1 + c)) + 1 for f, c in sorted(counts.items()) if c >= SEEN_AT_LEAST}


def _matrix(examples: Sequence[Example], index: Mapping[str, int], idf: Sequence[float]) -> Any:
    from scipy.sparse import csr_matrix

    starts: list[int] = [0]
    columns: list[int] = []
    values: list[float] = []
    for example in examples:
        known = sorted(index[f] for f in example.found if f in index)
        length = sqrt(sum(idf[k] ** 2 for k in known)) or 1.0
        columns.extend(known)
        values.extend(idf[k] / length for k in known)
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(examples), len(idf)))


def _shown(names: Sequence[str], seen: frozenset[str]) -> list[float]:
    """One for each feature that a head may see, nought for the others."""
    return [float(not f.startswith(tuple(MARKS - seen))) for f in names]


def fit(examples: Sequence[Example], blend: m.Blend = NEUTRAL) -> bytes:
    """A model file; the same examples in the same order give the same bytes' predictions."""
    import numpy as np
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    idf_of = rarity(examples)
    names = list(idf_of)
    idf = [idf_of[f] for f in names]
    x = _matrix(examples, {f: i for i, f in enumerate(names)}, idf)
    weights = np.zeros((len(names), m.OUTPUTS))
    base = np.full(m.OUTPUTS, -20.0)

    shown = {name: x @ diags(_shown(names, seen)) for name, seen in SEES.items()}

    def head(at: int, rows: list[int], wanted: list[bool], name: str, even: bool) -> None:
        if not any(wanted) or all(wanted):
            return
        classifier = LogisticRegression(
            C=FREEDOM[name], solver="liblinear", class_weight="balanced" if even else None
        )
        classifier.fit(shown[name][rows], wanted)
        weights[:, at] = classifier.coef_[0]
        base[at] = classifier.intercept_[0]

    everyone = list(range(len(examples)))
    head(0, everyone, [e.is_ticket for e in examples], "ticket", even=False)
    for k, intent in enumerate(INTENTS, 1):
        head(k, everyone, [e.intent is intent for e in examples], "intent", even=True)
    told = [i for i in everyone if examples[i].category is not None]
    for k, category in enumerate(CATEGORIES, 1 + len(INTENTS)):
        wanted = [examples[i].category is category for i in told]
        head(k, told, wanted, "category", even=True)
    problems = [i for i in everyone if examples[i].urgency is not None]
    for k, urgency in enumerate(URGENCIES, 1 + len(INTENTS) + len(CATEGORIES)):
        wanted = [examples[i].urgency is urgency for i in problems]
        head(k, problems, wanted, "urgency", even=True)

    weights *= np.asarray(idf)[:, None]
    scales = np.maximum(np.abs(weights).max(axis=0) / 127, 1e-9)
    rows = (np.rint(weights / scales) + 128).astype(np.uint8)
    squares = np.asarray([v * v for v in idf])
    square = float(squares.max() / 255)
    facts = {
        "scales": [float(v) for v in scales],
        "base": [float(v) for v in base],
        "square": square,
        "blend": {f.name: getattr(blend, f.name) for f in fields(blend)},
    }
    return m.pack(
        names, rows.tobytes(), np.rint(squares / square).astype(np.uint8).tobytes(), facts
    )


# ---- from scores to probabilities, on authors that the model had not seen


def _search(
    loss: Callable[[tuple[float, ...]], float], start: tuple[float, ...]
) -> tuple[float, ...]:
    """Coordinate search with shrinking steps; a handful of parameters need no more."""
    best, value, step = start, loss(start), 0.4
    while step > 0.02:
        moved = False
        for k in range(len(best)):
            for change in (step, -step):
                tried = tuple(v + change * (j == k) for j, v in enumerate(best))
                if (got := loss(tried)) < value - 1e-9:
                    best, value, moved = tried, got, True
        if not moved:
            step /= 2
    return tuple(round(v, 3) for v in best)


def _nll(shares: Iterable[float]) -> float:
    return -sum(log(max(p, 1e-9)) for p in shares)


def blended(judged: Sequence[Judged]) -> m.Blend:
    """The blend that makes the unseen authors' labels likeliest, thresholds from the costs."""

    def sure(z: float) -> float:
        return 1 / (1 + exp(-min(50.0, max(-50.0, z))))

    def right(p: float, wanted: bool) -> float:
        return p if wanted else 1 - p

    edges = m.HEADS
    scored = [
        (m.ticket_score(j.scores[0], list(j.scores[edges[1]])), j.example.is_ticket) for j in judged
    ]
    slope = _search(
        lambda t: _nll(right(sure(t[0] * z + t[1]), wanted) for z, wanted in scored), (1.0, 0.0)
    )

    def slope_of(head: int, label: Callable[[Example], int | None]) -> float:
        rows = [
            (list(j.scores[edges[head]]), k) for j in judged if (k := label(j.example)) is not None
        ]
        return max(
            0.1, _search(lambda t: _nll(m.share(s, max(0.05, t[0]))[k] for s, k in rows), (1.0,))[0]
        )

    labels: tuple[Callable[[Example], int | None], ...] = (
        lambda e: INTENTS.index(e.intent),
        lambda e: CATEGORIES.index(e.category) if e.is_ticket and e.category else None,
        lambda e: URGENCIES.index(e.urgency) if e.urgency else None,
    )
    slopes = [slope_of(k, label) for k, label in enumerate(labels, 1)]
    alone = m.Blend(
        (slope[0], slope[1]), slopes[0], slopes[1], slopes[2],
        (1.0, 0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0),
        1 - QUESTION / FALSE_ALARM, QUESTION / MISS, 0.0,
    )  # fmt: skip
    firsts = [m.to_probabilities(list(j.scores), alone) for j in judged]
    pairs = [(f, j.second, j.example) for f, j in zip(firsts, judged, strict=True) if j.second]
    if not pairs:
        return alone
    logits = [(m.logit(f.ticket), m.logit(s.ticket), e.is_ticket) for f, s, e in pairs]
    ticket = _search(
        lambda t: _nll(right(sure(t[0] * a + t[1] * b + t[2]), y) for a, b, y in logits),
        (0.7, 0.5, 0.0),
    )

    def both(name: str, label: Callable[[Example], int | None]) -> tuple[float, float]:
        rows = [
            (getattr(f, name), getattr(s, name), k)
            for f, s, e in pairs
            if (k := label(e)) is not None
        ]
        found = _search(
            lambda t: _nll(m.mixed(a, b, (t[0], t[1]))[k] for a, b, k in rows), (0.7, 0.5)
        )
        return found[0], found[1]

    doubts = sorted((m.doubt(f) for f in firsts), reverse=True)
    return m.Blend(
        alone.ticket, alone.intent, alone.category, alone.urgency,
        (ticket[0], ticket[1], ticket[2]),
        both("intent", labels[0]), both("category", labels[1]), both("urgency", labels[2]),
        alone.open_above, alone.ask_above, round(doubts[int(len(doubts) * ASKED)], 4),
    )  # fmt: skip
