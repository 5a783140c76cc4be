"""The page of a day for printing: a Word document that fills one side of A4 at most."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from bot.papers.fonts import FAMILY, wrapped
from handlers.texts.briefs import (
    ALL_ABOVE,
    NAMES_ONLY,
    PRINTED_LAST,
    TICKET_COLUMNS,
    Paper,
    Section,
    fair_shares,
    names_in,
    told_once,
)

if TYPE_CHECKING:
    from docx.document import Document

# A4 upright, in centimetres.
_PAGE: Final = (21.0, 29.7)
_MARGIN: Final = 1.3
_INNER: Final = _PAGE[0] - 2 * _MARGIN
_ROOM: Final = _PAGE[1] - 2 * _MARGIN - 0.6
# Every row has a fixed height, so what fits can be counted before it is written.
_TITLE: Final = 0.90
_LINE: Final = 0.50
_ABOVE_FOOT: Final = 0.25
_ROW: Final = 0.92
_HEADING: Final = 0.75
_COLUMNS: Final = (1.3, 2.3, 4.2, 1.7, 2.0, 2.2, 4.7)
_POINT: Final = 8


def font_everywhere(document: "Document", points: float) -> None:
    """Chinese text takes the East Asian font, which Word keeps apart from the Latin one."""
    from docx.oxml.ns import qn
    from docx.shared import Pt

    style: Any = document.styles["Normal"]
    style.font.name = FAMILY
    style.font.size = Pt(points)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:eastAsia", "w:ascii", "w:hAnsi", "w:cs"):
        fonts.set(qn(name), FAMILY)
    # Told by the language, a program draws the mainland's form of marks and letters.
    for part, name in ((document.styles, "w:lang"), (document.settings, "w:themeFontLang")):
        for language in part.element.iter(qn(name)):
            language.set(qn("w:eastAsia"), "zh-CN")
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.space_before = Pt(0)
    style.paragraph_format.line_spacing = 1.0


def a4(document: "Document", margin: float) -> None:
    from docx.shared import Cm

    section: Any = document.sections[0]
    section.page_width, section.page_height = Cm(_PAGE[0]), Cm(_PAGE[1])
    section.left_margin = section.right_margin = Cm(margin)
    section.top_margin = section.bottom_margin = Cm(margin)
    section.header_distance = section.footer_distance = Cm(0.5)


def set_widths(table: Any, centimetres: Sequence[float]) -> None:
    """Of the columns and of their cells: not every program goes by the same of the two."""
    from docx.shared import Cm

    table.autofit = False
    for column, wide in zip(table.columns, centimetres, strict=True):
        column.width = Cm(wide)
        for cell in column.cells:
            cell.width = Cm(wide)


def docx(paper: Paper) -> bytes:
    from docx import Document
    from docx.shared import Pt

    document: Any = Document()
    a4(document, _MARGIN)
    font_everywhere(document, _POINT)
    run = _fixed(document, _TITLE).add_run(paper.empty or paper.title)
    run.bold, run.font.size = True, Pt(16)
    if not paper.empty:
        _body(document, paper)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _fixed(document: Any, high: float) -> Any:
    """A new paragraph whose lines are that high in every program."""
    from docx.enum.text import WD_LINE_SPACING
    from docx.shared import Cm

    paragraph = document.add_paragraph()
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Cm(high)
    return paragraph


def _body(document: Any, paper: Paper) -> None:
    from docx.shared import Cm, Pt

    head = [part for line in paper.head for part in wrapped(line, 90, _points(_INNER))]
    for line in head:
        _fixed(document, _LINE).add_run(line).font.size = Pt(9)
    sections = told_once(paper)
    used = _TITLE + _LINE * len(head) + _LINE + _ABOVE_FOOT
    used += sum(_heading(s) for s in sections)
    rows = int((_ROOM - used) / _ROW)
    shares = fair_shares([_wanted(s) for s in sections], max(rows, 0))
    for section, share in zip(sections, shares, strict=True):
        _section(document, section, share)
    if paper.foot:
        foot = _fixed(document, _LINE)
        foot.paragraph_format.space_before = Cm(_ABOVE_FOOT)
        foot.add_run(_cut(paper.foot, _INNER, 1))


def _wanted(section: Section) -> int:
    return 1 if section.key in NAMES_ONLY else len(section.rows)


def _heading(section: Section) -> float:
    return _HEADING + (_LINE if section.columns is TICKET_COLUMNS else 0.0)


def _section(document: Any, section: Section, share: int) -> None:
    from docx.shared import Pt

    count = "" if section.key == "live" else f" {section.count}"
    more = len(section.rows) - share
    rest = (
        f"　（{share}/{len(section.rows)}）" if more > 0 and section.key not in NAMES_ONLY else ""
    )
    run = _fixed(document, _HEADING).add_run(f"■ {section.title}{count}{rest}")
    run.bold, run.font.size = True, Pt(10.5)
    if not section.rows:
        run.text += f"　{ALL_ABOVE}"
        return
    if section.key in NAMES_ONLY:
        names = names_in(section, lambda text: _cut(text, _INNER, 2) == text)
        _fixed(document, _ROW / 2).add_run(names)
        return
    if section.columns is not TICKET_COLUMNS:
        for row in section.rows[:share]:
            _fixed(document, _ROW / 2).add_run(_cut("　".join(row), _INNER, 2))
        return
    _table(document, section, share)


def _points(wide: float) -> float:
    """The room in a column of that many centimetres, at ten times the size: rounding cuts nothing."""
    return (wide - 0.25) / 2.54 * 72 * 10


def _cut(text: str, wide: float, lines: int) -> str:
    """What fits into `lines` lines of a column of that many centimetres, at the body's size."""
    return "".join(wrapped(text.replace("\n", " "), _POINT * 10, _points(wide), lines))


def _table(document: Any, section: Section, share: int) -> None:
    from docx.enum.table import WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_LINE_SPACING
    from docx.shared import Cm

    columns = (*section.columns[:-2], PRINTED_LAST)
    table = document.add_table(rows=0, cols=len(columns))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    lines = [columns, *(_merged(r) for r in section.rows[:share])]
    for number, texts in enumerate(lines):
        head = number == 0
        row = table.add_row()
        row.height_rule = WD_ROW_HEIGHT_RULE.EXACTLY
        row.height = Cm(_LINE if head else _ROW)
        for cell, text, wide in zip(row.cells, texts, _COLUMNS, strict=True):
            _tight(cell)
            paragraph = cell.paragraphs[0]
            form = paragraph.paragraph_format
            form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Cm(0.42)
            paragraph.add_run(_cut(text, wide, 1 if head else 2)).bold = head
    set_widths(table, _COLUMNS)


def _merged(row: tuple[str, ...]) -> tuple[str, ...]:
    """Progress and the next step share the last column on paper, where nothing can be replied."""
    *most, progress, step = row
    return (*most, progress or step)


def _tight(cell: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tcMar")
    for side in ("left", "right"):
        one = OxmlElement(f"w:{side}")
        one.set(qn("w:w"), "57")
        one.set(qn("w:type"), "dxa")
        margins.append(one)
    cell._tc.get_or_add_tcPr().append(margins)
