"""classify: what the bot makes of messages in a file, one JSON line each (contract: evaluation)."""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlers.understanding import FirmNames, Reading

NAME = "classify"
HELP = "逐条说明机器人怎样理解消息（JSON 行或普通文本行）"

# Names of actions in the corpus, where they differ from the moves of a ticket.
_ACTIONS = {"resolve": "close", "progress": None}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", default="-", help="文件，- 表示标准输入")
    parser.add_argument("--roster", type=Path, help="企业名册 CSV，默认用随产品的示例")


def run(args: argparse.Namespace) -> int:
    firms = roster_names(args.roster)
    source = sys.stdin if args.source == "-" else open(args.source, encoding="utf-8")  # noqa: SIM115
    with nullcontext(source) if source is sys.stdin else source as lines:
        for row in rows_of(lines):
            print(json.dumps(classified(row, firms), ensure_ascii=False))
    return 0


def rows_of(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Messages of JSON lines, or of plain lines with a manager's text each."""
    for number, line in enumerate(lines, 1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        row = None
        if text.startswith("{"):
            try:
                row = json.loads(text)
            except ValueError:
                row = None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            row = {"text": text} if not isinstance(row, dict) else {**row, "text": ""}
        row.setdefault("id", str(number))
        yield row


def roster_names(path: Path | None = None) -> "FirmNames":
    from handlers.understanding import FirmNames

    path = path or Path(__file__).resolve().parents[1] / "sample" / "roster.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return FirmNames(
            [
                (
                    row["enterprise_id"],
                    row["short_name"],
                    tuple(a for a in row["aliases"].split(";") if a),
                    row["full_name"],
                )
                for row in csv.DictReader(file)
            ]
        )


def firm_meant(reading: "Reading", sender: str, firms: "FirmNames") -> str | None:
    """The firm that the text names, else the sender's; two that fit equally are none."""
    named = reading.firms
    own = firms.match(sender.split("-", 1)[0]) if "-" in sender else ()
    if named and not set(named) & set(own):
        return firms.short(named[0]) if len(named) == 1 else None
    return firms.short(own[0]) if len(own) == 1 else None


def classified(row: dict[str, Any], firms: "FirmNames") -> dict[str, Any]:
    """One message as `classify` prints it."""
    from handlers.understanding import Intent, read

    role = row.get("role") or None
    reading = read(row["text"], role, row.get("msg_type") or "text", firms=firms)
    numbers = [float(n) for n in reading.survey_numbers]
    action = reading.action
    return {
        "id": row["id"],
        "intent": reading.intent.value,
        "category": None if reading.topic is None else reading.topic.value,
        "urgency": None if reading.urgency is None else reading.urgency.value,
        "is_ticket": reading.is_ticket,
        "candidate": reading.candidate,
        "items": [
            {"category": i.category.value, "urgency": i.urgency.value, "title": i.title}
            for i in reading.items
        ],
        "enterprise": firm_meant(reading, row.get("sender") or "", firms),
        "rating": reading.rating,
        "resolved": reading.resolved,
        "survey_numbers": numbers if reading.intent is Intent.SURVEY_REPLY else None,
        "action": _ACTIONS.get(action, action) if action else None,
        "confidence": reading.confidence,
        "why": list(reading.why),
    }
