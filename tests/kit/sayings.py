"""Sentences by what the bot makes of them, so that stories need not know the model's figures."""

from functools import cache
from pathlib import Path

from bot.commands.train import rows_of
from handlers.understanding import read

# The days train nothing, so the model is honestly in doubt about some of what is said there.
_DAYS = Path(__file__).parents[1] / "corpus" / "days"


@cache
def _doubtful() -> tuple[str, ...]:
    found = []
    for path in sorted(_DAYS.glob("*.jsonl")):
        for row in rows_of(path):
            text = row["text"]
            if row["role"] != "manager" or row["msg_type"] != "text" or "@" in text:
                continue
            # The same in the group and to the bot alone, and nothing of what went before.
            readings = [read(text, "manager", addressed=addressed) for addressed in (False, True)]
            if all(r.candidate and not r.action and r.resolved is None for r in readings):
                found.append(text)
    return tuple(found)


def doubtful(count: int) -> tuple[str, ...]:
    """Managers' sentences that are perhaps a problem: the bot asks."""
    assert len(_doubtful()) >= count
    return _doubtful()[:count]
