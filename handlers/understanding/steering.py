"""The office's own words: what it said of a word weighs on every message with that word.

The shipped words are signs among others, weighed by the model. The office's are an order: the
weight 5 decides, a smaller one shifts the shares.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import exp
from typing import Final

from handlers.understanding.lexicon import DECIDES, Hit
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES, Intent, Probabilities
from handlers.understanding.rules import Effect, Ruling

# What one point of weight adds to the logarithm of a share, by judgement: a word of the usual
# weight 3 turns a guess, not a certainty.
A_POINT: Final = 0.7
# What a deciding word leaves to all others together.
LEFT: Final = 0.02


def shifted(shares: Sequence[float], points: Sequence[float], decides: bool) -> tuple[float, ...]:
    """Shares moved towards those with points; where they decide, those get nearly everything."""
    powers = [s * exp(A_POINT * p) for s, p in zip(shares, points, strict=True)]
    whole = sum(powers)
    moved = [p / whole for p in powers]
    if not decides:
        return tuple(moved)
    winner = max(range(len(points)), key=lambda k: (points[k], moved[k]))
    rest = 1 - moved[winner]
    return tuple(
        1 - LEFT if k == winner else LEFT * m / rest if rest > 0 else 0.0
        for k, m in enumerate(moved)
    )


def _points(hits: Iterable[Hit], codes: Sequence[str]) -> tuple[list[float], bool]:
    points, heaviest = dict.fromkeys(codes, 0.0), 0.0
    for hit in hits:
        if hit.code in points:
            points[hit.code] += hit.weight
            heaviest = max(heaviest, hit.weight)
    return list(points.values()), heaviest >= DECIDES


def steered(sure: Probabilities, own: Sequence[Hit], calm: bool) -> Probabilities:
    """The shares as the office's words move them; `calm`: no danger now, whatever the word."""
    if not own:
        return sure
    topics, decides = _points(own, CATEGORIES)
    urgent = [h for h in own if not (calm and h.code == "U1")]
    levels, presses = _points(urgent, URGENCIES)
    sure = replace(
        sure,
        category=shifted(sure.category, topics, decides),
        urgency=shifted(sure.urgency, levels, presses),
    )
    if levels[0] < DECIDES:
        return sure
    intents = [float(i is Intent.URGENT) for i in INTENTS]
    return replace(sure, intent=shifted(sure.intent, intents, decides=True))


def alarmed(ruling: Ruling, own: Sequence[Hit]) -> Ruling:
    """The ruling with the office's words of danger among those that fired."""
    words = tuple(h.word for h in own if h.code == "U1" and h.weight >= DECIDES)
    if not words:
        return ruling
    return replace(ruling, effects=ruling.effects | {Effect.ALARM}, why=(*ruling.why, *words))
