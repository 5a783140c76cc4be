"""Tables for a spreadsheet: frozen header, filters, widths, and no cell that runs as a formula."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Final

from handlers.texts.briefs import OVERVIEW, Paper

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Cell = str | int | Decimal
_WIDEST: Final = 48
_NARROWEST: Final = 8
_LINE_POINTS: Final = 15.0
# A spreadsheet takes no higher row.
_HIGHEST_POINTS: Final = 409.0
_BAD_IN_TITLE: Final = str.maketrans("", "", "[]:*?/\\'")


def _wide(text: str) -> int:
    """In the width of a figure; a Chinese character takes two."""
    return max(
        (sum(2 if ord(c) > 0x2E7F else 1 for c in line) for line in text.split("\n")), default=0
    )


def _lines(text: str) -> int:
    """How many lines a text takes in the widest column."""
    # A line that is full ends a little earlier where a word is not torn.
    wide = [_wide(line) for line in text.split("\n")]
    return sum(1 if w <= _WIDEST else ceil(w / (_WIDEST - 2)) for w in wide)


def fill(
    sheet: "Worksheet",
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    hidden: frozenset[str] = frozenset(),
) -> None:
    """One table on one sheet. Text stays text, whatever it begins with (property 49)."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    line = Side(style="thin", color="DDE3E0")
    border = Border(line, line, line, line)
    widths = [_wide(c) for c in columns]
    for n, column in enumerate(columns, 1):
        cell = sheet.cell(1, n, column)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="0F6B52")
        cell.alignment = Alignment(vertical="center")
        cell.border = border
    for at, row in enumerate(rows, 2):
        for n, value in enumerate(row, 1):
            cell = sheet.cell(at, n)
            if isinstance(value, int | Decimal):
                cell.value = value
                cell.alignment = Alignment(horizontal="right", vertical="top")
            else:
                if value:
                    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
                    cell.data_type = "s"
                cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
                cell.alignment = Alignment(vertical="top", wrap_text=True)
            cell.border = border
            widths[n - 1] = max(widths[n - 1], _wide(str(value)))
        # Not every program looks itself how high a wrapped text is.
        shown = (str(v) for v, column in zip(row, columns, strict=False) if column not in hidden)
        high = max(map(_lines, shown), default=1)
        if high > 1:
            sheet.row_dimensions[at].height = min(_LINE_POINTS * high, _HIGHEST_POINTS)
    for n, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(n)].width = (
            min(max(width, _NARROWEST), _WIDEST) + 2
        )
    for n, column in enumerate(columns, 1):
        if column in hidden:
            sheet.column_dimensions[get_column_letter(n)].hidden = True
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{max(sheet.max_row, 1)}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


def book(
    tables: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]],
    hidden: frozenset[str] = frozenset(),
) -> bytes:
    """A workbook of (title, columns, rows)."""
    from openpyxl import Workbook

    made = Workbook()
    made.remove(made.worksheets[0])
    for title, columns, rows in tables:
        fill(made.create_sheet(title.translate(_BAD_IN_TITLE)[:31]), columns, rows, hidden)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def brief_book(paper: Paper) -> bytes:
    """First the figures, then every list whole on a sheet of its own."""
    lines: list[Sequence[Cell]] = [(paper.empty or paper.title, "")]
    lines += [(line, "") for line in paper.head]
    lines += [(name, int(count)) for name, count in paper.tiles]
    tables: list[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]] = [
        (OVERVIEW[0], OVERVIEW, lines)
    ]
    tables += [(s.title, s.columns, s.rows) for s in paper.sections]
    return book(tables)
