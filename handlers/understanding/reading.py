"""What a message was understood to mean: the values that every part of the reading hands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from handlers.domain.category import Category, Urgency


class Intent(StrEnum):
    NEW_PROBLEM = "new_problem"
    URGENT = "urgent"
    POLICY_QUESTION = "policy_question"
    FOLLOW_UP = "follow_up"
    PROGRESS = "progress"
    CLOSE = "close"
    RATING = "rating"
    CHATTER = "chatter"
    ACK = "ack"
    SURVEY_REPLY = "survey_reply"
    VISIT_LOG = "visit_log"
    ANNOUNCEMENT = "announcement"
    SIGNUP = "signup"


INTENTS: Final = tuple(Intent)
CATEGORIES: Final = tuple(Category)
URGENCIES: Final = tuple(Urgency)
PROBLEMS: Final = frozenset((Intent.NEW_PROBLEM, Intent.URGENT, Intent.POLICY_QUESTION))


@dataclass(frozen=True, slots=True)
class Probabilities:
    """How likely a message is a ticket, and the shares of each label in the order of its enum."""

    ticket: float
    intent: tuple[float, ...]
    category: tuple[float, ...]
    urgency: tuple[float, ...]

    def best_intent(self) -> Intent:
        return INTENTS[self.intent.index(max(self.intent))]

    def best_category(self) -> Category:
        return CATEGORIES[self.category.index(max(self.category))]

    def best_urgency(self) -> Urgency:
        return URGENCIES[self.urgency.index(max(self.urgency))]

    def categories(self) -> Mapping[Category, float]:
        return dict(zip(CATEGORIES, self.category, strict=True))


# What a second reader (the encoder) says has the same shape as what the first one says.
SecondOpinion = Probabilities


@dataclass(frozen=True, slots=True)
class Item:
    """One problem; the title is at most 20 characters and can be read alone.

    `second` is the category that fits next best: offered first when somebody corrects.
    """

    category: Category
    urgency: Urgency
    title: str
    body: str
    second: Category | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood, and the words that decided.

    `confidence` is the probability that the message tells of a problem. `unsure`: a second
    opinion is worth its time. `topic` is the category even where nothing is opened.
    """

    intent: Intent
    is_ticket: bool = False
    candidate: bool = False
    items: tuple[Item, ...] = ()
    firms: tuple[str, ...] = ()
    rating: int | None = None
    resolved: bool | None = None
    action: str | None = None
    confidence: float = 0.5
    why: tuple[str, ...] = ()
    unsure: bool = False
    topic: Category | None = None
    urgency: Urgency | None = None
    survey_numbers: tuple[Decimal, ...] = ()
    probabilities: Probabilities | None = None
