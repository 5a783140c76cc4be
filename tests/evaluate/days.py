"""The conversation days, replayed through the whole bot and scored against their gold files."""

import asyncio
import json
import logging
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.commands.replay import _Replay

DAYS = Path(__file__).parents[1] / "corpus" / "days"

# What a gold action is called in the history; a bare word of the chat may be any of these moves.
MOVES = {
    "claim": {"claim"},
    "progress": {"progress", "claim", "department_result"},
    "resolve": {"resolve", "answer"},
    "answer": {"answer", "resolve"},
    "rate": {"rate", "verdict_yes", "verdict_no"},
    "verdict_yes": {"verdict_yes", "rate"},
    "verdict_no": {"verdict_no", "reopen", "rate"},
    "withdraw": {"withdraw"},
    "urge": {"urge"},
    "correct": {"follow_up", "reclassify", "reply"},
    "duplicate": {"follow_up", "urge"},
    "ask": {"ask"},
    "reply": {"reply"},
    "transfer": {"transfer"},
    "transfer_accept": {"transfer_accept"},
    "refer": {"refer"},
    "supervise": {"supervise"},
    "merge": {"merge"},
    "extend": {"extend"},
    "approve": {"extend_approve"},
    "shelve": {"shelve"},
    "shelve_ok": {"shelve_approve"},
    "reject": {"decline", "not_accept"},
    "name_firm": {"name_firm"},
}


@dataclass
class Score:
    """Right and total of each row, and what went wrong."""

    opened: list[int] = field(default_factory=lambda: [0, 0])
    wrongly: list[int] = field(default_factory=lambda: [0, 0])
    follow_ups: list[int] = field(default_factory=lambda: [0, 0])
    actions: list[int] = field(default_factory=lambda: [0, 0])
    states: list[int] = field(default_factory=lambda: [0, 0])
    firms: list[int] = field(default_factory=lambda: [0, 0])
    categories: list[int] = field(default_factory=lambda: [0, 0])
    urgencies: list[int] = field(default_factory=lambda: [0, 0])
    faults: list[str] = field(default_factory=list)

    def count(self, row: list[int], right: bool, fault: str) -> None:
        row[0] += right
        row[1] += 1
        if not right:
            self.faults.append(fault)


def replayed(day: str) -> dict[str, Any]:
    lines = (DAYS / f"{day}.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines if line.strip()]
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_Replay(f"sqlite:///{folder}/{day}.db", events).run())


def score(day: str, total: Score) -> None:
    """Add one day to `total`."""
    gold = json.loads((DAYS / f"{day}.gold.json").read_text(encoding="utf-8"))
    lines = (DAYS / f"{day}.jsonl").read_text(encoding="utf-8").splitlines()
    events = {e["id"]: e for e in map(json.loads, lines)}
    report = replayed(day)
    made: dict[str, list[dict[str, Any]]] = {}
    for ticket in report["tickets"]:
        made.setdefault(ticket["ref"], []).append(ticket)
    messages = {m["id"]: m for m in report["messages"]}
    wanted = {t["ref"]: t for t in gold["tickets"]}

    def said(ref: str) -> str:
        event = events.get(ref.partition(".")[0], {})
        return f"{event.get('sender_name')}：{event.get('text', '')[:70]}"

    for ref, want in wanted.items():
        got = made.get(ref, [])
        total.count(total.opened, len(got) == 1, f"{ref} not opened once: {said(ref)}")
        if len(got) != 1:
            total.count(total.states, False, f"{ref} state: no ticket")
            continue
        one = got[0]
        state = one["final_state"] == want["final_state"]
        total.count(
            total.states, state, f"{ref} state {one['final_state']}, not {want['final_state']}"
        )
        for row, key in (
            (total.firms, "enterprise_id"),
            (total.categories, "category"),
            (total.urgencies, "urgency"),
        ):
            total.count(
                row, one[key] == want[key], f"{ref} {key} {one[key]}, not {want[key]}: {said(ref)}"
            )
    for ref in made:
        total.count(total.wrongly, ref not in wanted, f"opened wrongly? {ref}: {said(ref)}")
    total.faults = [f for f in total.faults if not f.startswith("opened wrongly?")]
    for ref in made:
        if ref not in wanted:
            total.faults.append(f"opened wrongly {ref}: {said(ref)}")
    for ref, want in wanted.items():
        for message in want["follow_ups"]:
            joined = messages[message]["gold_ticket"] == ref
            total.count(
                total.follow_ups,
                joined,
                f"{message} follows {ref}, got {messages[message]['gold_ticket']}: {said(message)}",
            )
    refused = {one["id"] for one in gold["refused"]}
    for event in events.values():
        action = event["action"]
        if event["id"] in refused:
            done = messages[event["id"]]["moves"]
            total.count(total.actions, not done, f"{event['id']} must be refused, got {done}")
            continue
        if action not in MOVES or event["gold_ticket"] is None:
            continue
        done = messages[event["id"]]["moves"]
        right = any(m in MOVES[action] and r == event["gold_ticket"] for m, r in done)
        total.count(
            total.actions,
            right,
            f"{event['id']} {action} on {event['gold_ticket']}, got {done}: {said(event['id'])}",
        )


def all_days() -> Score:
    total = Score()
    for file in sorted(DAYS.glob("d*.gold.json")):
        score(file.name.partition(".")[0], total)
    return total


def rows(total: Score) -> list[tuple[str, float, int]]:
    """(name, share, of how many); 'opened wrongly' is a share of what was opened."""
    found = []
    for name, row in (
        ("gold tickets opened exactly once", total.opened),
        ("opened wrongly", total.wrongly),
        ("follow-ups joined", total.follow_ups),
        ("actions right", total.actions),
        ("final state right", total.states),
        ("firm right (of those opened)", total.firms),
        ("category right (of those opened)", total.categories),
        ("urgency right (of those opened)", total.urgencies),
    ):
        found.append((name, row[0] / max(1, row[1]), row[1]))
    return found


def with_gold_readings() -> None:
    """For work on what follows the reading: openings and intents are taken from the files."""
    from dataclasses import replace

    from handlers.services import speech
    from handlers.understanding import Intent, Item, read, title_of, topic, urgency

    events: dict[str, dict[str, Any]] = {}
    for file in DAYS.glob("d*.jsonl"):
        for event in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            events[event["text"]] = event

    def told(text: str, *arguments: Any, **named: Any) -> Any:
        reading = read(text, *arguments, **named)
        event = next((e for t, e in events.items() if text and text.strip() in t), None)
        if event is None or event["role"] != "manager":
            return reading
        opens = (event["gold_ticket"] or "").partition(".")[0] == event["id"]
        items = reading.items
        if opens and not items:
            category, _ = topic(text)
            items = (Item(category, urgency(text), title_of(text), text),)
        return replace(
            reading, is_ticket=opens, candidate=False, items=items, intent=Intent(event["intent"])
        )

    speech.read = told  # type: ignore[assignment]


def main() -> None:
    logging.disable(logging.CRITICAL)
    if "--gold-readings" in sys.argv:
        with_gold_readings()
    total = all_days()
    for name, share, count in rows(total):
        print(f"{name:36} {share:6.3f}  of {count}")
    if "--faults" in sys.argv:
        print("\n".join(total.faults))


if __name__ == "__main__":
    main()
