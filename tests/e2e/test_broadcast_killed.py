"""Acceptance 3 of issue 5, short. The whole form: python -m tests.kit.broadcast 5, or LHG_FULL=1."""

import os
from pathlib import Path

import pytest

from tests.kit.broadcast import SMALL, WHOLE, FarEnd, campaign, faults


@pytest.mark.slow
async def test_a_broadcast_that_is_killed_tells_each_once_and_all(tmp_path: Path) -> None:
    full = os.environ.get("LHG_FULL") == "1"
    result = await campaign(tmp_path, 5 if full else 2, WHOLE if full else SMALL)
    assert faults(result) == []


def test_the_campaign_sees_what_is_wrong() -> None:
    far = FarEnd(5, 1.0)
    for n in range(SMALL.firms):
        far.shown[f"u{n}"].append(n)
    for n in range(SMALL.groups):
        far.shown[f"g{n}"].append(1000 + n)
    well = {
        "far": far,
        "size": SMALL,
        "targets": SMALL.firms,
        "states": {"sent": 82},
        "waits": [0.1],
    }
    assert faults(well) == []
    assert faults({**well, "waits": [1.4]}) != []
    assert faults({**well, "states": {"sent": 81, "dead": 1}}) != []
    assert faults({**well, "targets": 69}) != []
    far.shown["u3"].append(2000)
    assert "told twice" in faults(well)[0]
    far.shown["u3"] = []
    assert "1 not reached" in faults(well)[0]
