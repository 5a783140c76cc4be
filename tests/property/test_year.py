"""A whole year, from the first working day of 2026 into the year that has no table yet.

The full form, with ten times as many tickets and more: python -m tests.kit.year 4000
"""

import pytest

from tests.kit.year import a_year


@pytest.mark.slow
def test_a_whole_year_keeps_every_promise(sqlite_url: str) -> None:
    year = a_year(sqlite_url, 240)
    assert year.faults == []
    # There was enough of everything for something to go wrong.
    figures = year.figures
    least = {
        "moves": 1500, "firings": 500, "at the top": 30, "second cycles": 5, "messages": 2000,
        "digests": 20, "dropped as stale": 10, "dead": 1, "briefs": 14, "outages": 20,
        "hand-overs": 5, "due in 2027": 5,
    }  # fmt: skip
    assert {what for what, many in least.items() if figures[what] < many} == set()
