"""The page of a day as a picture, 1080 px wide: black on white, no colour needed to understand it."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from bot.papers.fonts import face, width, wrapped
from bot.papers.look import token
from handlers.texts.briefs import (
    ALL_ABOVE,
    NAMES_ONLY,
    TICKET_COLUMNS,
    Paper,
    Section,
    fair_shares,
    more_rows,
    names_in,
    told_once,
)

WIDE: Final = 1080
MOST_ROWS: Final = 24
_MARGIN: Final = 48
_INNER: Final = WIDE - 2 * _MARGIN
_TITLE, _HEAD, _BODY, _SMALL, _BIG = 40, 26, 26, 22, 44


class _Sheet:
    """A column of lines that grows downwards; drawn twice, first only to measure."""

    def __init__(self, image: Image.Image | None) -> None:
        self.y = _MARGIN
        self._draw = None if image is None else ImageDraw.Draw(image)

    def text(self, x: float, text: str, size: int, colour: str, bold: bool = False) -> None:
        if self._draw is not None:
            self._draw.text(
                (x, self.y),
                text,
                fill=token(colour),
                font=face(size),
                stroke_width=0.6 if bold else 0,
                stroke_fill=token(colour) if bold else None,
            )

    def lines(
        self, x: float, text: str, size: int, colour: str, most: int = 9, bold: bool = False
    ) -> None:
        for line in wrapped(text, size, WIDE - _MARGIN - x, most):
            self.text(x, line, size, colour, bold)
            self.y += round(size * 1.5)

    def rule(self, thick: int = 1, colour: str = "line") -> None:
        if self._draw is not None:
            self._draw.rectangle(
                (_MARGIN, self.y, WIDE - _MARGIN, self.y + thick - 1), fill=token(colour)
            )
        self.y += thick

    def box(self, x: float, wide: float, high: float) -> None:
        if self._draw is not None:
            self._draw.rounded_rectangle(
                (x, self.y, x + wide, self.y + high), 8, outline=token("line"), width=2
            )

    def gap(self, pixels: int) -> None:
        self.y += pixels


def png(paper: Paper) -> bytes:
    """As high as what stands on it needs."""
    measured = _Sheet(None)
    _fill(measured, paper)
    image = Image.new("RGB", (WIDE, measured.y + _MARGIN), token("surface"))
    _fill(_Sheet(image), paper)
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _fill(sheet: _Sheet, paper: Paper) -> None:
    sheet.lines(_MARGIN, paper.empty or paper.title, _TITLE, "ink", bold=True)
    if paper.empty:
        return
    sheet.gap(4)
    for line in paper.head:
        sheet.lines(_MARGIN, line, _HEAD, "muted")
    sheet.gap(16)
    _tiles(sheet, paper.tiles)
    sections = told_once(paper)
    shares = fair_shares([len(s.rows) for s in sections], MOST_ROWS)
    for section, share in zip(sections, shares, strict=True):
        _section(sheet, section, share)
    if paper.foot:
        sheet.gap(16)
        sheet.rule()
        sheet.gap(12)
        sheet.lines(_MARGIN, paper.foot, _SMALL, "muted")


def _tiles(sheet: _Sheet, tiles: tuple[tuple[str, str], ...]) -> None:
    in_row, gap, high = 4, 16, 112
    wide = (_INNER - gap * (in_row - 1)) / in_row
    for first in range(0, len(tiles), in_row):
        top = sheet.y
        for n, (label, value) in enumerate(tiles[first : first + in_row]):
            x = _MARGIN + n * (wide + gap)
            sheet.y = top
            sheet.box(x, wide, high)
            sheet.y = top + 8
            sheet.text(x + (wide - width(value, _BIG)) / 2, value, _BIG, "ink", bold=True)
            sheet.y = top + 70
            sheet.text(x + (wide - width(label, _SMALL)) / 2, label, _SMALL, "muted")
        sheet.y = top + high + gap


def _section(sheet: _Sheet, section: Section, share: int) -> None:
    sheet.gap(20)
    count = "" if section.key == "live" else f" {section.count}"
    sheet.lines(_MARGIN, f"{section.title}{count}", 30, "brand", bold=True)
    sheet.rule(2, "brand")
    sheet.gap(10)
    if section.key in NAMES_ONLY:
        names = names_in(section, lambda text: len(wrapped(text, _BODY, _INNER)) <= 4)
        sheet.lines(_MARGIN, names, _BODY, "ink")
        return
    if not section.rows:
        sheet.lines(_MARGIN, ALL_ABOVE, _SMALL, "muted")
    for number, row in enumerate(section.rows[:share]):
        if number:
            sheet.gap(6)
            sheet.rule()
            sheet.gap(6)
        _row(sheet, section, row)
    if len(section.rows) > share:
        sheet.gap(8)
        sheet.lines(_MARGIN, more_rows(len(section.rows) - share), _SMALL, "muted")


def _row(sheet: _Sheet, section: Section, row: tuple[str, ...]) -> None:
    if section.columns is not TICKET_COLUMNS:
        sheet.lines(_MARGIN, "　".join(row), _BODY, "ink", 2)
        return
    number, firm, title, leader, owner, time, progress, step = row
    sheet.lines(_MARGIN, f"{number}　{firm}　{title}", _BODY, "ink", 2, bold=True)
    people = "·".join(p for p in (leader, owner) if p)
    told = (people, time, progress, f"→ {step}")
    sheet.lines(_MARGIN, "　".join(p for p in told if p), _SMALL, "muted", 2)
