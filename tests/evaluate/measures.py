"""Figures from pairs of a label and a reading."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from handlers.domain.category import Category, Urgency
from handlers.understanding.reading import CATEGORIES, Reading

Pairs = Sequence[tuple[Mapping[str, Any], Reading]]
RECALL = 0.97


def _tickets(pairs: Pairs) -> Pairs:
    return [(g, r) for g, r in pairs if g["is_ticket"]]


def _score(reading: Reading) -> float:
    return reading.confidence


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def precision_at_recall(pairs: Pairs, recall: float = RECALL) -> float:
    """The best precision on the curve of the confidence where at least `recall` is found."""
    ordered = sorted(((_score(r), g["is_ticket"]) for g, r in pairs), reverse=True)
    found = list(accumulate(t for _, t in ordered))
    wanted = recall * found[-1] - 1e-9
    return max(n / (k + 1) for k, n in enumerate(found) if n >= wanted)


def with_questions(pairs: Pairs) -> tuple[float, float, float]:
    """Recall and precision as the bot acts, a question counting half; the share of questions."""
    weight = [
        (1.0 if r.is_ticket else 0.5 if r.candidate else 0.0, g["is_ticket"]) for g, r in pairs
    ]
    right = sum(v for v, t in weight if t)
    wrong = sum(v for v, t in weight if not t)
    all_of_them = sum(t for _, t in weight)
    return right / all_of_them, right / (right + wrong), _share([v == 0.5 for v, _ in weight])


def intent(pairs: Pairs) -> float:
    return _share([g["intent"] == r.intent.value for g, r in pairs])


def ranked(reading: Reading) -> list[Category]:
    said = reading.probabilities
    if said is None:
        return [Category.OTH]
    order = sorted(range(len(CATEGORIES)), key=lambda k: -said.category[k])
    return [CATEGORIES[k] for k in order]


def first_category(reading: Reading) -> Category:
    return reading.items[0].category if reading.items else ranked(reading)[0]


def category(pairs: Pairs) -> tuple[float, float]:
    """Of the tickets' first items: the first category right, one of the first two right."""
    tickets = _tickets(pairs)
    one = [g["items"][0]["category"] == first_category(r).value for g, r in tickets]
    two = [
        g["items"][0]["category"] in {first_category(r).value, *(c.value for c in ranked(r)[:2])}
        for g, r in tickets
    ]
    return _share(one), _share(two)


def urgency_of(reading: Reading) -> Urgency:
    if reading.items:
        return reading.items[0].urgency
    return Urgency.U3 if reading.probabilities is None else reading.probabilities.best_urgency()


def urgency(pairs: Pairs) -> tuple[float, float]:
    """Exact, and two levels or more too low."""
    both = [(int(g["items"][0]["urgency"][1]), int(urgency_of(r)[1])) for g, r in _tickets(pairs)]
    return _share([g == r for g, r in both]), _share([r - g >= 2 for g, r in both])


def emergencies(pairs: Pairs) -> tuple[float, float]:
    """Recall and precision of U1 among all messages, chatter included."""
    told = [any(i["urgency"] == "U1" for i in g["items"]) for g, _ in pairs]
    said = [any(i.urgency is Urgency.U1 for i in r.items) for _, r in pairs]
    both = sum(a and b for a, b in zip(told, said, strict=True))
    return both / max(1, sum(told)), both / max(1, sum(said))


def confused(pairs: Pairs, most: int = 12) -> dict[str, list[tuple[tuple[str, str], int]]]:
    """The commonest wrong pairs (label, said) of intent, category and urgency."""
    intents = Counter((g["intent"], r.intent.value) for g, r in pairs)
    tickets = _tickets(pairs)
    categories = Counter((g["items"][0]["category"], first_category(r).value) for g, r in tickets)
    urgencies = Counter((g["items"][0]["urgency"], urgency_of(r).value) for g, r in tickets)
    return {
        name: [(p, n) for p, n in counted.most_common() if p[0] != p[1]][:most]
        for name, counted in (("intent", intents), ("category", categories), ("urgency", urgencies))
    }


def by_category(pairs: Pairs) -> list[tuple[str, int, float]]:
    tickets = _tickets(pairs)
    found = []
    for code in Category:
        own = [(g, r) for g, r in tickets if g["items"][0]["category"] == code.value]
        right = [first_category(r) is code for _, r in own]
        found.append((code.value, len(own), _share(right)))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[
        min(len(ordered) - 1, bisect_left(range(len(ordered)), int(share * len(ordered))))
    ]
