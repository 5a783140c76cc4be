"""Every platform's connection under chaos, in simulated time. The full form: python -m tests.kit.chaos."""

import os
from pathlib import Path

import pytest

from tests.kit.chaos import PLACES, run

FULL = os.environ.get("LHG_FULL") == "1"


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", sorted(PLACES))
def test_what_a_platform_delivered_is_worked_on_once_and_nothing_is_said_twice(
    name: str, tmp_path: Path
) -> None:
    result = run(name, 10.0 if FULL else 1.0, 5, tmp_path)
    assert result.faults == [], result.line()
    assert result.acknowledged > 5
    assert result.told > 5
