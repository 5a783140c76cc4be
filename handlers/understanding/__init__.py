"""What a message means: rules for what is certain, a small model for the rest, one function."""

from handlers.understanding.firms import FirmNames
from handlers.understanding.lexicon import Lexicon
from handlers.understanding.reader import read, topic, urgency
from handlers.understanding.reading import Intent, Item, Probabilities, Reading, SecondOpinion
from handlers.understanding.titles import title_of

__all__ = [
    "FirmNames",
    "Intent",
    "Item",
    "Lexicon",
    "Probabilities",
    "Reading",
    "SecondOpinion",
    "read",
    "title_of",
    "topic",
    "urgency",
]
