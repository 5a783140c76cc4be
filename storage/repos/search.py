"""Search in tickets by bigrams: an index that is filled a batch at a time, behind the tickets.

SQLite's own tokenizers find no two-character words, and LIKE reads every row.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ARRAY, Connection, Select, Text, column, literal, table, text

from storage.db import Statement
from storage.repos.counters import get_value, set_value
from storage.tables.tickets import TicketRow

_T: Final[Any] = TicketRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
# Made by a migration in the way of each database, so it is not among the tables.
_WORDS: Final = table("ticket_search", column("rowid"), column("ticket_search"))
_ARRAYS: Final = table("ticket_search", column("number"), column("grams", ARRAY(Text)))

_MARK: Final = "search"
# Few, so that no commit becomes noticeably longer by it; more at once where many are behind.
_TAIL: Final = 8
_CHUNK: Final = 256

_BEHIND: Final = Statement(
    text(
        "SELECT COALESCE((SELECT value FROM counters WHERE name = 'ticket'), 0) "
        "- COALESCE((SELECT value FROM counters WHERE name = 'search'), 1000)"
    )
)
_NEXT: Final = Statement(
    text(
        "SELECT number, title, body, code FROM tickets WHERE number > :mark "
        "ORDER BY number LIMIT :most"
    )
)
_ADD_WORDS: Final = "INSERT INTO ticket_search (rowid, grams) VALUES (?, ?)"
_DROP_WORDS: Final = (
    "INSERT INTO ticket_search (ticket_search, rowid, grams) VALUES ('delete', ?, ?)"
)
_SET_ARRAY: Final = "UPDATE ticket_search SET grams = %s WHERE number = %s"
_ADD_ARRAYS: Final = (
    "INSERT INTO ticket_search (number, grams) VALUES (%s, %s) ON CONFLICT DO NOTHING"
)


def grams(words: str) -> set[str]:
    """Each pair of neighbouring characters, in one case; one-to-one, so that no hit is lost."""
    folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in words)
    return {one + other for one, other in pairwise(folded)}


@lru_cache(maxsize=65_536)
def _token(gram: str) -> str:
    """A pair as a plain word: the tokenizer would take punctuation and spaces for ends."""
    return f"{ord(gram[0]):x}g{ord(gram[1]):x}"


def index_new(connection: Connection) -> int:
    """Index the newest tickets once enough of them wait; how many were taken."""
    behind = _BEHIND.one(connection, {})
    if behind is None or behind[0] < _TAIL:
        return 0
    return _index_next(connection)


def index_all(connection: Connection) -> None:
    """Index every ticket, in an index that is empty."""
    set_value(connection, _MARK, 0)
    while _index_next(connection):
        pass


def _index_next(connection: Connection) -> int:
    mark = get_value(connection, _MARK)
    rows = _NEXT.run(connection, {"mark": mark, "most": _CHUNK}).fetchall()
    if not rows:
        return 0
    found = [(row[0], grams(searched(*row[1:4]))) for row in rows]
    cursor = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.executemany(_ADD_WORDS, [(n, " ".join(map(_token, g))) for n, g in found])
    else:
        cursor.executemany(_ADD_ARRAYS, [(n, sorted(g)) for n, g in found])
    set_value(connection, _MARK, rows[-1][0])
    return len(rows)


def searched(title: str, body: str, code: str) -> str:
    """The words of a ticket that are looked in."""
    return "\n".join((title, body, code))


def index_again(connection: Connection, number: int, before: str, after: str) -> None:
    """The words of one ticket changed; one that is not in the index yet is taken as it is."""
    if number > get_value(connection, _MARK):
        return
    cursor = connection.connection.cursor()
    former, now = grams(before), grams(after)
    if connection.dialect.name != "sqlite":
        cursor.execute(_SET_ARRAY, (sorted(now), number))
        return
    # The index holds no text: it has to be told what it forgets.
    cursor.execute(_DROP_WORDS, (number, " ".join(map(_token, former))))
    cursor.execute(_ADD_WORDS, (number, " ".join(map(_token, now))))


def mark(connection: Connection) -> int:
    """The newest number that is in the index; every ticket up to it is."""
    return get_value(connection, _MARK)


def indexed(connection: Connection, wanted: Select[Any], words: str) -> Select[Any]:
    """`wanted`, narrowed to the indexed tickets that hold every pair of `words`."""
    asked = sorted(grams(words))
    if connection.dialect.name == "sqlite":
        match = " AND ".join(f'"{_token(gram)}"' for gram in asked)
        # With the sum only the index can lead, newest first, and the limit ends the search.
        return wanted.join(_WORDS, _T.c.number == _WORDS.c.rowid + 0).where(
            _WORDS.c.ticket_search.op("MATCH")(match)
        )
    return wanted.join(_ARRAYS, _T.c.number == _ARRAYS.c.number).where(
        _ARRAYS.c.grams.op("@>")(literal(asked, ARRAY(Text)))
    )
