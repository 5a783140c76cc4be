"""The eight conversation days run through the whole bot, twice alike, on both databases."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DAYS = sorted((Path(__file__).parents[1] / "corpus" / "days").glob("d*.jsonl"))
KEYS = {
    "ref", "enterprise_id", "category", "urgency", "kind", "title", "liaison_id", "follow_ups",
    "claimed_by", "progress", "resolved_by_msg", "verdict", "rating", "final_state",
}  # fmt: skip


def replay(report: Path, days: list[Path], url: str = "") -> dict[str, Any]:
    environment = {**os.environ, "LHG_DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "replay", *map(str, days), "--report", str(report)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(report.read_text(encoding="utf-8")))


# Sixteen days, each with the second reader: minutes where the machine is busy.
@pytest.mark.timeout(480)
def test_two_runs_of_the_eight_days_give_equal_reports(tmp_path: Path) -> None:
    assert len(DAYS) == 8
    one, two = replay(tmp_path / "1.json", DAYS), replay(tmp_path / "2.json", DAYS)
    assert one == two
    assert set(one) == {"tickets", "messages", "sent"}
    assert all(set(t) == KEYS for t in one["tickets"])
    lines = sum(len(d.read_text(encoding="utf-8").splitlines()) for d in DAYS)
    assert len(one["messages"]) == lines
    assert set(one["sent"][0]) == {"at", "chat", "kind", "text"}
    assert len(one["tickets"]) > 60


def test_both_databases_give_the_same_day(tmp_path: Path, postgres_url: str) -> None:
    one = replay(tmp_path / "sqlite.json", DAYS[:1])
    assert replay(tmp_path / "pg.json", DAYS[:1], postgres_url) == one


@pytest.mark.parametrize("content", ["", "no json", '{"a": 1}'])
def test_a_file_that_is_no_day_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "bot", "replay", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "不是对话记录" in done.stderr
