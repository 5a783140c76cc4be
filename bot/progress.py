"""How far a long command is, on one line of a terminal; nothing where nobody looks."""

import sys
from collections.abc import Callable


def counted(what: str, unit: str) -> Callable[[int, int], None]:
    """`what` was done to so many `unit` of so many, as 12/57."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{what} {done}/{of} {unit}" + ("" if done < of else "\n"))

    return tell
