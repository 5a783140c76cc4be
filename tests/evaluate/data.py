"""The labelled messages, and models that have not seen one of their authors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.commands.classify import roster_names
from bot.commands.train import LEFT_OUT, authors, labelled, opinions
from handlers.understanding import model as m
from handlers.understanding.reader import Reader
from handlers.understanding.reading import Probabilities, Reading
from handlers.understanding.training import Judged, blended, example, fit

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
FIRMS = roster_names(CORPUS / "roster.csv")


@dataclass(frozen=True)
class Read:
    """A labelled message and what was made of it, without and with the second reader."""

    gold: Mapping[str, Any]
    first: Reading
    both: Reading


def rows(name: str) -> list[dict[str, Any]]:
    with (CORPUS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def unseen() -> dict[str, list[Read]]:
    """Each left-out author read by a model of all others.

    The blend of a file comes from the two other left-out files, so that nothing at all of the
    author, not even a threshold, was fitted on that author's own messages.
    """
    said_by = authors(labelled(CORPUS))
    examples = {name: [example(row) for row in said] for name, said in said_by.items()}
    seconds = opinions(CORPUS)
    models, judged = {}, {}
    for name in LEFT_OUT:
        others = [e for n, said in examples.items() if n != name for e in said]
        models[name] = data = fit(others)
        model = m.unpack(data)
        judged[name] = [
            Judged(e, tuple(model.scores(e.found)), seconds.get(e.id)) for e in examples[name]
        ]
    found = {}
    for name in LEFT_OUT:
        blend = blended([j for n in LEFT_OUT if n != name for j in judged[n]])
        reader = Reader(m.unpack(models[name], blend))
        found[name] = [_read(row, reader, seconds) for row in said_by[name]]
    return found


def _read(row: Mapping[str, Any], reader: Reader, seconds: Mapping[str, Probabilities]) -> Read:
    def read(opinion: Probabilities | None) -> Reading:
        return reader.read(row["text"], row["role"], row["msg_type"], firms=FIRMS, opinion=opinion)

    first = read(None)
    return Read(row, first, read(seconds[row["id"]]) if first.unsure else first)


def readings(said: Sequence[Read], second: bool) -> list[tuple[Mapping[str, Any], Reading]]:
    return [(r.gold, r.both if second else r.first) for r in said]
