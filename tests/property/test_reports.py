"""Reports, sentence by sentence of tickets.md §5, over weeks of a random office's life."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bot.files import read_rows, write_csv
from bot.papers.workbook import book
from bot.seed import load_sample
from handlers.domain.brief import MUST_ACT, STATES, Figure, as_of
from handlers.domain.rates import Rate, Window
from handlers.domain.ticket import LIVE, rebuilt
from handlers.services.briefs import BriefService
from handlers.services.ledgers import LedgerService, masked
from handlers.services.rates import By, RateService
from handlers.texts import ledgers as ledger_say
from handlers.texts.briefs import MOST_LINES, as_text
from storage.db import engine_for, writer_connection
from storage.uow import Shared, UnitOfWork
from tests.kit.days import Life, SetClock

START = datetime(2026, 10, 12, 1, tzinfo=UTC)
EVER = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@contextmanager
def working(url: str) -> Iterator[UnitOfWork]:
    engine = engine_for(url)
    connection = writer_connection(engine)
    try:
        with connection.begin():
            uow = UnitOfWork(connection, Shared(lambda: START))
            load_sample(uow, SetClock(START))
            yield uow
    finally:
        connection.close()
        engine.dispose()


@pytest.fixture
def life(database_url: str) -> Iterator[Life]:
    """Four weeks of it, in one transaction."""
    with working(database_url) as uow:
        lived = Life(uow, START)
        lived.goes_on(28, 60, 6)
        yield lived


def briefs_of(life: Life, at: datetime) -> BriefService:
    return BriefService(life.uow, SetClock(at), life.uow.calendar.current())


def test_each_figure_in_a_brief_equals_the_rows_its_drill_down_lists(life: Life) -> None:
    mornings = [START + timedelta(days=d, hours=-1, minutes=20) for d in (1, 7, 14, 21, 28)]
    viewers = [None, *(life.uow.people.person(p) for p in ("P057", "P028", "P041", "P052"))]
    stories = life.uow.reports.stories(*EVER)
    for at in mornings:
        briefs = briefs_of(life, at)
        since = briefs.slot_before(at)
        whole = briefs.whole_page(since, at)
        for viewer in viewers:
            mine = briefs.mine(viewer)
            page = briefs.only(whole, mine)
            text = as_text(briefs.paper(page, mine))
            assert len(text.splitlines()) <= MOST_LINES
            for figure in Figure:
                assert page.count(figure) == len(briefs.rows(page, figure, mine))
        # Counted a second way, from the histories themselves.
        then = [t for t in (as_of(t, e, at) for t, e in stories) if t is not None]
        assert whole.count(Figure.LIVE) == sum(t.state in LIVE for t in then)
        new = [t for t, _ in stories if since < t.created_at <= at]
        assert {s.ticket.number for s in whole.rows(Figure.NEW)} == {t.number for t in new}


def test_opened_less_ended_is_open_and_parts_sum_to_the_whole(life: Life) -> None:
    for days in range(1, 28, 3):
        at = START + timedelta(days=days)
        briefs = briefs_of(life, at)
        page = briefs.whole_page(at - timedelta(days=3), at)
        count = page.count
        assert count(Figure.BEFORE) + count(Figure.ENTERED) - count(Figure.LEFT) == count(
            Figure.LIVE
        )
        assert sum(count(f) for f in STATES) == count(Figure.LIVE)
        assert count(Figure.RED) + count(Figure.ORANGE) + count(Figure.YELLOW) == count(Figure.LATE)
        assert page.count(Figure.LIVE) or not any(count(f) for f in MUST_ACT)
        areas = [
            briefs.only(page, briefs.mine(life.uow.people.person(p)))
            for p in ("P052", "P053", "P054")
        ]
        assert sum(a.count(Figure.LIVE) for a in areas) == count(Figure.LIVE)
    stories = life.uow.reports.stories(*EVER)
    ended = sum(t.state not in LIVE for t, _ in stories)
    page = briefs_of(life, life.clock.at).whole_page(EVER[0], life.clock.at)
    assert len(stories) - ended == page.count(Figure.LIVE)


def test_the_page_of_a_past_instant_is_what_was_seen_then(database_url: str) -> None:
    with working(database_url) as uow:
        life = Life(uow, START, seed=9)
        life.goes_on(6, 25, 6)
        at = life.clock.at
        seen = briefs_of(life, at).whole_page(START, at)
        life.goes_on(6, 25, 6)
        again = briefs_of(life, life.clock.at).whole_page(START, at)
        for figure in Figure:
            assert [s.ticket for s in again.rows(figure)] == [s.ticket for s in seen.rows(figure)]


def test_rates_split_by_anything_sum_to_the_whole_and_are_never_sorted_by_value(
    life: Life,
) -> None:
    service = RateService(life.uow, life.uow.calendar.current())
    window = Window(START, life.clock.at)
    whole = service.stats(window).whole
    assert whole.response.denominator > 20
    for by in By:
        groups = service.stats(window, by).groups
        assert [key for key, _ in groups] == sorted(key for key, _ in groups)
        for name in ("response", "on_time", "solved", "coverage", "satisfied", "reopened"):
            parts = [getattr(rates, name) for _, rates in groups]
            total = Rate(sum(p.numerator for p in parts), sum(p.denominator for p in parts))
            assert total == getattr(whole, name), (by, name)


def test_no_share_of_a_whole_is_more_than_the_whole(life: Life) -> None:
    service = RateService(life.uow, life.uow.calendar.current())
    end = life.clock.at
    seen = 0
    for first in range(0, (end - START).days, 5):
        for length in (1, 5, 12):
            start = START + timedelta(days=first)
            whole = service.stats(Window(start, start + timedelta(days=length))).whole
            for name in ("response", "on_time", "solved", "coverage", "satisfied"):
                rate = getattr(whole, name)
                assert rate.numerator <= rate.denominator, (name, start, length)
            seen += whole.solved.denominator > whole.coverage.denominator
    assert seen, "no window in which the firms judged more than was resolved in it"


def test_adjacent_windows_count_each_claim_once(life: Life) -> None:
    service = RateService(life.uow, life.uow.calendar.current())
    middle, end = START + timedelta(days=14), life.clock.at
    both = [service.stats(Window(a, b)).whole for a, b in ((START, middle), (middle, end))]
    whole = service.stats(Window(START, end)).whole
    assert sum(r.response.denominator for r in both) == whole.response.denominator


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_export_then_import_into_an_empty_store_gives_equal_tickets(
    life: Life, sqlite_template: Path, tmp_path: Path, form: str
) -> None:
    rows = LedgerService(life.uow).rows(*EVER)
    path = tmp_path / f"ledger.{form}"
    if form == "xlsx":
        table = (
            ledger_say.LEDGER,
            ledger_say.COLUMNS,
            [[ledger_say.cell(*c) for c in r.items()] for r in rows],
        )
        path.write_bytes(book([table], ledger_say.HIDDEN))
    else:
        write_csv(path, ledger_say.COLUMNS, rows)
    read = read_rows(path)
    header = read[0][1]
    empty = tmp_path / "other.db"
    empty.write_bytes(sqlite_template.read_bytes())
    with working(f"sqlite:///{empty}") as other:
        service = LedgerService(other)
        cells = [(n, dict(zip(header, c, strict=False))) for n, c in read[1:]]
        done = service.take(cells)
        assert (done.taken, done.rejected) == (len(life.numbers), ())
        for number in life.numbers:
            ticket = other.tickets.get(number)
            assert ticket == masked(life.uow.tickets.get(number))
            assert rebuilt(other.tickets.history(number)) == ticket
        assert service.take(cells).same == len(life.numbers)
        assert service.rows(*EVER) == rows
        following, _ = other.tickets.next_number("LHG-20261201")
        assert following == max(life.numbers) + 1


def test_no_exported_cell_is_run_as_a_formula(life: Life, tmp_path: Path) -> None:
    rows = LedgerService(life.uow).rows(*EVER)
    assert any(r["进展"].startswith("=") for r in rows)
    path = tmp_path / "ledger.csv"
    write_csv(path, ledger_say.COLUMNS, rows)
    import csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    from io import BytesIO

    table = (ledger_say.LEDGER, ledger_say.COLUMNS, [list(r.values()) for r in rows])
    sheet = load_workbook(BytesIO(book([table], ledger_say.HIDDEN))).worksheets[0]
    assert all(c.data_type in ("s", "n") for row in sheet.iter_rows() for c in row)
    assert sheet.column_dimensions["Z"].hidden
    assert sheet.freeze_panes == "A2"


def test_what_was_tampered_with_or_belongs_to_no_firm_is_left_out_with_its_reason(
    life: Life, sqlite_template: Path, tmp_path: Path
) -> None:
    rows = LedgerService(life.uow).rows(*EVER)[:4]
    rows[0]["数据"] = ""
    rows[1]["数据"] = "{"
    record = json.loads(rows[2]["数据"])
    rows[2]["数据"] = json.dumps({**record, "enterprise_id": "E999"})
    empty = tmp_path / "other.db"
    empty.write_bytes(sqlite_template.read_bytes())
    with working(f"sqlite:///{empty}") as other:
        done = LedgerService(other).take(list(enumerate(rows, 2)))
        assert done.taken == 1
        assert done.rejected == ((2, "no_record"), (3, "bad_record"), (4, "no_firm"))
