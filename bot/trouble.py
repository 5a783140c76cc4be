"""What a code of a far end asks for, and what a person does about it: the entry of a platform's table."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from handlers.chat.reach import Lost

# Until somebody has set it right nothing is given up.
_FIX_SECONDS: Final = 300.0


class Do(Enum):
    """What a refusal asks for."""

    REFRESH = "refresh"
    WAIT = "wait"
    UNSURE = "unsure"
    FIX = "fix"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`seconds` is how long to wait, all that shares a limit with it; None where it waits alone.

    `lost`: it is said of a person who gets nothing, whatever is sent.
    """

    do: Do
    cure: str
    seconds: float | None = None
    lost: Lost | None = None


def fix(cure: str) -> Trouble:
    return Trouble(Do.FIX, cure, _FIX_SECONDS)


def never(cure: str, lost: Lost | None = None) -> Trouble:
    return Trouble(Do.NEVER, cure, lost=lost)
