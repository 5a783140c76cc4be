"""The linear model: one file, read and scored by plain Python.

Each feature has 39 weights (ticket, intents, categories, urgencies) of 8 bits and the square of
its rarity. They are packed into one integer with 16 bits a lane, so that scoring a message is a
sum of integers; the lane of the squares is on top, where it cannot overflow into another.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from math import exp, log, sqrt
from struct import Struct
from typing import Any, Final

from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES, Intent, Probabilities

FILE: Final = "model.bin"
MAGIC: Final = b"LHGM1\n"
OUTPUTS: Final = 1 + len(INTENTS) + len(CATEGORIES) + len(URGENCIES)
_BITS: Final = 16
_HALF: Final = 1 << (_BITS - 1)
_OFFSET: Final = sum(128 << (_BITS * k) for k in range(OUTPUTS))
_BIAS: Final = sum(_HALF << (_BITS * k) for k in range(OUTPUTS))
_UNPACK: Final = Struct(f"<{OUTPUTS}H").unpack_from
_TOTAL: Final = OUTPUTS * 2 + 8
_URGENT: Final = INTENTS.index(Intent.URGENT)
_EDGES: Final = (0, 1, 1 + len(INTENTS), 1 + len(INTENTS) + len(CATEGORIES), OUTPUTS)
HEADS: Final = tuple(slice(a, b) for a, b in pairwise(_EDGES))


# How much the intents say about the ticket, against its own score; chosen on authors left out.
INTENT_COUNTS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Blend:
    """How scores become probabilities: a slope per head alone, and two with a second opinion.

    `ticket` is (slope, offset) of the logistic curve; the `both` values weigh the first and the
    second reader's logarithms. All were fitted on authors that the model had not seen.
    """

    ticket: tuple[float, float]
    intent: float
    category: float
    urgency: float
    both_ticket: tuple[float, float, float]
    both_intent: tuple[float, float]
    both_category: tuple[float, float]
    both_urgency: tuple[float, float]
    open_above: float
    ask_above: float
    doubt_above: float

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Blend":
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()
        }
        return cls(**values)


class Model:
    """Scores of a set of features."""

    def __init__(
        self,
        rows: dict[str, int],
        scales: tuple[float, ...],
        base: tuple[float, ...],
        square: float,
        blend: Blend,
    ) -> None:
        self._get: Final = rows.get
        self._scales: Final = scales
        self._base: Final = base
        self._square: Final = square
        self.blend: Final = blend
        self.size: Final = len(rows)

    def scores(self, found: Iterable[str]) -> list[float]:
        """The 39 raw scores; a feature the model does not know counts nothing."""
        # A row of zeros adds nothing either, so it may go with what is unknown.
        total = sum(filter(None, map(self._get, found)), _BIAS)
        packed = total.to_bytes(_TOTAL, "little")
        norm = int.from_bytes(packed[OUTPUTS * 2 :], "little") * self._square
        unit = 1.0 / sqrt(norm) if norm > 0 else 0.0
        return [
            base + (value - _HALF) * scale * unit
            for value, scale, base in zip(_UNPACK(packed), self._scales, self._base, strict=True)
        ]

    def probabilities(self, found: Iterable[str]) -> Probabilities:
        return to_probabilities(self.scores(found), self.blend)


def share(scores: list[float], slope: float) -> tuple[float, ...]:
    """Scores as shares that add up to one."""
    top = max(scores)
    powers = [exp((s - top) * slope) for s in scores]
    whole = sum(powers)
    return tuple([p / whole for p in powers])


def ticket_score(ticket: float, intent: list[float]) -> float:
    """The ticket's own score, a little moved by how likely the intents of a problem are."""
    return ticket + INTENT_COUNTS * logit(sum(share(intent, 1.0)[:3]))


def to_probabilities(scores: list[float], blend: Blend) -> Probabilities:
    ticket, intent, category, urgency = (scores[h] for h in HEADS)
    slope, offset = blend.ticket
    intents = share(intent, blend.intent)
    z = slope * ticket_score(ticket[0], intent) + offset
    return Probabilities(
        1.0 / (1.0 + exp(-min(50.0, max(-50.0, z)))),
        intents,
        share(category, blend.category),
        share(urgency, blend.urgency),
    )


def logit(p: float) -> float:
    p = min(1 - 1e-6, max(1e-6, p))
    return log(p / (1 - p))


def mixed(
    one: tuple[float, ...], two: tuple[float, ...], weights: tuple[float, float]
) -> tuple[float, ...]:
    a, b = weights
    return share(
        [a * log(x + 1e-6) + b * log(y + 1e-6) for x, y in zip(one, two, strict=True)], 1.0
    )


def decide(first: Probabilities, second: Probabilities | None, blend: Blend) -> Probabilities:
    """Both readers' probabilities as one; without a second opinion the first one stands."""
    if second is None:
        return first
    a, b, offset = blend.both_ticket
    z = a * logit(first.ticket) + b * logit(second.ticket) + offset
    return Probabilities(
        1.0 / (1.0 + exp(-z)),
        mixed(first.intent, second.intent, blend.both_intent),
        mixed(first.category, second.category, blend.both_category),
        mixed(first.urgency, second.urgency, blend.both_urgency),
    )


# The geometric mean of the three signs of an emergency above which it is taken for one.
ALARM_ABOVE: Final = 0.135
# A rule that saw danger needs only this much of the model's agreement.
ALARM_HEARD: Final = 0.12
# Between these it is worth a second opinion whether lives are at stake.
ALARM_UNCLEAR: Final = (0.08, 0.4)


# Whether it is a ticket matters more than which intent or category it has.
TICKET_FIRST: Final = 1.3


def alarm(sure: Probabilities) -> float:
    """How much a message looks like an emergency: a problem, of the first level, urgently told."""
    return sqrt(sure.ticket * sure.urgency[0] * sure.intent[_URGENT])


def doubt(said: Probabilities) -> float:
    """0 clear to 1 and more not clear at all: danger, whether it is a ticket, which intent and category."""
    low, high = ALARM_UNCLEAR
    if low < alarm(said) < high:
        return TICKET_FIRST
    one, two = sorted(said.intent)[-1:-3:-1]
    first, next_best = sorted(said.category)[-1:-3:-1]
    # A missed problem costs more than a question, so the middle lies at one in six.
    ticket = said.ticket / (said.ticket + 0.2 * (1 - said.ticket))
    open_question = (1 - abs(2 * ticket - 1)) * TICKET_FIRST
    return max(open_question, 1 - (one - two), said.ticket * (1 - (first - next_best)))


def unsure(said: Probabilities, blend: Blend) -> bool:
    """Whether a second opinion is worth its time."""
    return doubt(said) > blend.doubt_above


def pack(
    names: list[str],
    rows: bytes,
    squares: bytes,
    facts: Mapping[str, object],
) -> bytes:
    """The model as a file: `rows` are OUTPUTS unsigned bytes (weight + 128) per feature."""
    head = json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()
    words = "\n".join(names).encode()
    body = b"".join(len(part).to_bytes(4, "little") + part for part in (head, words, squares, rows))
    return MAGIC + zlib.compress(body, 9)


def unpack(data: bytes, blend: Blend | None = None) -> Model:
    """The model of a file; another `blend` than its own where one is given."""
    if not data.startswith(MAGIC):
        raise ValueError("not a model file of this version")
    body = zlib.decompress(data[len(MAGIC) :])
    parts, at = [], 0
    for _ in range(4):
        size = int.from_bytes(body[at : at + 4], "little")
        parts.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    head, words, squares, rows = parts
    facts = json.loads(head)
    names = words.decode().split("\n")
    if len(rows) != OUTPUTS * len(names) or len(facts["scales"]) != OUTPUTS:
        raise ValueError("a model of other labels")
    wide = bytearray(2 * len(rows))
    wide[::2] = rows
    step, top, read_int = 2 * OUTPUTS, _BITS * OUTPUTS, int.from_bytes
    packed = {
        name: read_int(wide[i * step : (i + 1) * step], "little") - _OFFSET + (squares[i] << top)
        for i, name in enumerate(names)
    }
    return Model(
        packed,
        tuple(facts["scales"]),
        tuple(facts["base"]),
        facts["square"],
        blend or Blend.of(facts["blend"]),
    )


@cache
def shipped() -> Model:
    """The model that comes with the product, loaded once."""
    return unpack(resources.files("handlers.understanding").joinpath(FILE).read_bytes())
