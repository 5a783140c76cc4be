"""The exact readers against the labelled files: times, verdicts, survey numbers, firms.

`python -m tests.evaluate.exact` prints right / total and, with `-v`, every miss. The rules were
written while these very files were looked at, so the figures say that the conventions are met, not
how an unseen sentence fares; the unit tests hold sentences that were made up beside the files.
`levels in messages` is the nearest to an unseen figure: those labels shaped few of the words.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from handlers.domain.calendar import shipped
from handlers.domain.ids import PersonId
from handlers.domain.signup import SignUp, apply
from handlers.understanding.firms import FirmNames
from handlers.understanding.numbers import numbers_in
from handlers.understanding.rating import judge, rating_of
from handlers.understanding.signups import parse
from handlers.understanding.times import find_time

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


class Score(NamedTuple):
    right: int
    total: int
    wrong: list[str]


def _rows(pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(CORPUS.glob(pattern)):
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


@cache
def register() -> tuple[FirmNames, Mapping[str, str]]:
    """The index of the sample register, and ids by short name."""
    with (CORPUS / "roster.csv").open(encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    names = FirmNames(
        (
            row["enterprise_id"],
            row["short_name"],
            tuple(filter(None, row["aliases"].split(";"))),
            row["full_name"],
        )
        for row in rows
    )
    return names, {row["short_name"]: row["enterprise_id"] for row in rows}


def _score(found: Iterator[tuple[bool, str]]) -> Score:
    rows = list(found)
    wrong = [said for right, said in rows if not right]
    return Score(len(rows) - len(wrong), len(rows), wrong)


def _line(row: Mapping[str, Any], want: object, got: object) -> str:
    return f"{row['id']} {row['text'][:60]!r}: {want} expected, {got} read"


def times() -> Score:
    """Start, end and granularity, all three."""

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("times.jsonl"):
            moment = find_time(row["text"], datetime.fromisoformat(row["now"]), shipped())
            got: tuple[object, ...] = (None, None, "none")
            if moment is not None:
                end = None if moment.end is None else moment.end.isoformat()
                got = (moment.start.isoformat(), end, str(moment.granularity))
            want = (row["start"], row["end"], row["granularity"])
            yield got == want, _line(row, want, got)

    return _score(each())


def _verdict(*fields: str) -> Score:
    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("verdicts.jsonl"):
            judged = judge(row["text"], row["role"])
            got = tuple(getattr(judged, field) for field in fields)
            want = tuple(row[field] for field in fields)
            yield got == want, _line(row, want, got)

    return _score(each())


def levels() -> Score:
    return _verdict("level")


def solved() -> Score:
    return _verdict("resolved")


def kinds() -> Score:
    return _verdict("kind")


def levels_in_messages() -> Score:
    """The level alone, in the answers to callbacks among the messages."""

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("messages*.jsonl"):
            if row.get("rating"):
                got, want = rating_of(row["text"]), row["rating"]["level"]
                yield got == want, _line(row, want, got)

    return _score(each())


def numbers() -> Score:
    """All numbers of a survey reply, in order."""

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("messages*.jsonl"):
            if row["intent"] == "survey_reply" and row["survey_numbers"] is not None:
                got = [float(value) for value in numbers_in(row["text"])]
                want = [float(value) for value in row["survey_numbers"]]
                yield got == want, _line(row, want, got)

    return _score(each())


def firms_named() -> Score:
    """Messages that name the firm concerned: it is among those found."""
    names, ids = register()

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("messages*.jsonl"):
            if row["enterprise_in_text"]:
                got = names.find(row["text"])
                yield ids.get(row["enterprise"]) in got, _line(row, row["enterprise"], got)

    return _score(each())


def firms_invented() -> Score:
    """Messages whose label names no firm: none is found (a list of several is labelled as none)."""
    names, _ = register()

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("messages*.jsonl"):
            if not row["enterprise_in_text"]:
                got = tuple(map(names.short, names.find(row["text"])))
                yield not got, _line(row, "none", got)

    return _score(each())


def firms_meant() -> Score:
    """The firm concerned, by text and nickname, where either tells it; most tell it by nickname."""
    names, ids = register()

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("messages*.jsonl"):
            told = row["enterprise_in_text"] or names.of_sender(row["sender"])
            if row["enterprise"] and told:
                got = names.meant(row["text"], row["sender"])
                right = got == (ids.get(row["enterprise"]),)
                yield right, _line(row, row["enterprise"], got)

    return _score(each())


def signups() -> Score:
    """Whole chains: who is in with how many, men and women, and who waits in which order."""
    names, ids = register()
    short = {firm: name for name, firm in ids.items()}

    def each() -> Iterator[tuple[bool, str]]:
        for row in _rows("signups.jsonl"):
            signup = SignUp(1, "", "", "", PersonId("P055"), datetime.now(UTC), quota=row["quota"])
            for message in row["messages"]:
                own = next(iter(names.of_sender(message["sender"])), "")
                for key, said in parse(message["text"], own, names).words:
                    if key or own:
                        signup = apply(signup, key or own, said).signup
            got = {
                short[p.key]: {"count": p.count, "male": p.male, "female": p.female}
                for p in signup.confirmed
            }
            waiting = [short[p.key] for p in signup.waiting]
            right = got == row["expected"] and waiting == row["waiting"]
            yield right, f"{row['id']}: {row['expected']} {row['waiting']}, {got} {waiting} read"

    return _score(each())


MEASURES: Mapping[str, Callable[[], Score]] = {
    "times": times,
    "verdicts: level": levels,
    "verdicts: solved": solved,
    "verdicts: kind": kinds,
    "levels in messages": levels_in_messages,
    "survey numbers": numbers,
    "sign-up chains": signups,
    "firms named": firms_named,
    "firms not invented": firms_invented,
    "firm meant": firms_meant,
}


def main() -> None:
    for name, measure in MEASURES.items():
        score = measure()
        print(f"{name:20} {score.right:5} / {score.total:5}  {score.right / score.total:.3f}")
        if "-v" in sys.argv:
            print("\n".join(f"    {line}" for line in score.wrong))


if __name__ == "__main__":
    main()
