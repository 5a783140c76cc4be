"""Slips as Word documents, from templates that an office may edit: {{字段}} is filled in."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from bot.papers.prints import a4, font_everywhere, set_widths
from handlers.texts.slips import FIELDS, TITLES, SlipKind

_FIELD: Final = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_LABEL_CM: Final = 3.2
_VALUE_CM: Final = 14.0


def template(kind: SlipKind, folder: Path | None = None) -> bytes:
    """The office's own template where it has one, else the shipped form."""
    if folder is not None and (folder / f"{TITLES[kind]}.docx").is_file():
        return (folder / f"{TITLES[kind]}.docx").read_bytes()
    return _shipped(kind)


def _shipped(kind: SlipKind) -> bytes:
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    document: Any = Document()
    a4(document, 1.9)
    font_everywhere(document, 11)
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Pt(10)
    run = title.add_run(TITLES[kind])
    run.bold, run.font.size = True, Pt(20)
    table = document.add_table(rows=0, cols=2)
    table.style = "Table Grid"
    for name in FIELDS[kind]:
        row = table.add_row()
        for cell in row.cells:
            form = cell.paragraphs[0].paragraph_format
            form.space_before = form.space_after = Pt(3)
        row.cells[0].paragraphs[0].add_run(name).bold = True
        row.cells[1].paragraphs[0].add_run("{{" + name + "}}")
    set_widths(table, (_LABEL_CM, _VALUE_CM))
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _paragraphs(document: Any) -> Iterator[Any]:
    """Of the body, of tables in tables, of headers and footers."""
    parts = [document]
    for section in document.sections:
        parts += [section.header, section.footer]
    while parts:
        part = parts.pop()
        yield from part.paragraphs
        for table in part.tables:
            for row in table.rows:
                parts.extend(row.cells)


def filled(form: bytes, values: Mapping[str, str]) -> bytes:
    """The template with every field filled in; a field nobody knows becomes empty."""
    from docx import Document

    document: Any = Document(BytesIO(form))
    for paragraph in _paragraphs(document):
        # Word splits what looks like one field into several runs: the first keeps its face.
        text = "".join(run.text for run in paragraph.runs)
        if not _FIELD.search(text):
            continue
        first, *rest = paragraph.runs
        first.text = _FIELD.sub(lambda m: values.get(m.group(1), ""), text)
        for run in rest:
            run.text = ""
    out = BytesIO()
    document.save(out)
    return out.getvalue()
