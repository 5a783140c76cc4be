"""Kill -9 while 16 clients post. The full form: python -m tests.kit.crash 200, or LHG_FULL=1."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.kit.crash import Seen, campaign, faults


@pytest.mark.slow
async def test_36_kill_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kills = 200 if os.environ.get("LHG_FULL") == "1" else 8
    assert faults(await campaign(tmp_path, kills, port)) == []


def outcome(**changes: Any) -> dict[str, Any]:
    """One kill after which all is well, but for the changes."""
    seen = Seen(epoch=1, generic={"k2-1"}, sandbox={"k1-1": "1"})
    seen.heard(7, "client 2")
    return {
        "kills": 1,
        "seen": seen,
        "integrity": "ok",
        "inbox": [("generic", "k2-1"), ("sandbox", "1")],
        "waiting": 0,
        "unsent": 0,
        "tickets": [("generic", "k2-1"), ("sandbox", "1")],
        "numbers": [1001, 1002],
        "said": [(1, "k1-1")],
        "half": {"a ticket without history": 0},
        **changes,
    }


def test_a_campaign_in_which_all_is_well_has_no_fault() -> None:
    assert faults(outcome()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"inbox": [("sandbox", "1")], "tickets": [("sandbox", "1")]},
        {"tickets": [("sandbox", "1")]},
        {"tickets": [("generic", "k2-1"), ("generic", "k2-1")]},
        {"said": [(1, "k1-1"), (2, "k1-2")]},
        {"said": [(1, "k1-1"), (1, "k1-1")]},
        {"numbers": [1001, 1001]},
        {"waiting": 1},
        {"unsent": 1},
        {"half": {"a ticket without history": 1}},
        {"seen": Seen()},
    ],
)
def test_the_campaign_sees_what_is_wrong(changes: dict[str, Any]) -> None:
    assert faults(outcome(**changes)) != []


def test_a_kill_excuses_one_repeat_for_one_destination() -> None:
    result = outcome()
    seen: Seen = result["seen"]
    seen.epoch = 2
    seen.heard(7, "chat g1")
    assert faults(result) == []
    seen.heard(7, "chat g1")
    assert "with no kill between" in " ".join(faults(result))
