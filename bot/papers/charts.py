"""Charts as SVG: one question each, labels on the bars, numerator and denominator beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from bot.papers.fonts import width, wrapped
from bot.papers.look import token
from handlers.domain.rates import Rate
from handlers.texts.briefs import percent

_ROW: Final = 28
_MARGIN: Final = 16
_FONT: Final = "'PingFang SC','Microsoft YaHei','Noto Sans SC',sans-serif"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `label` is printed at its end and `detail` shown when it is pointed at."""

    name: str
    value: float | None
    label: str
    detail: str = ""


def bars(
    title: str,
    given: Sequence[Bar],
    most: float = 100.0,
    wide: int = 640,
    table: Sequence[Sequence[str]] = (),
) -> str:
    """Bars that lie, from zero, in the order they are given: never sorted by value (F1).

    `table` stands under them, its head first.
    """
    step, top, size = 32, 48, 13
    left = min(max((width(b.name, size) for b in given), default=0.0) + 24, wide * 0.4)
    right = max((width(b.label, size) for b in given), default=0.0) + 24
    room = wide - left - right
    foot = top + step * max(len(given), 1) + 16
    high = foot + (_ROW * len(table) + 16 if table else 0)
    whole = wide + 2 * _MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_MARGIN} 0 {whole} {high}" '
        f'width="{whole}" height="{high}" role="img" aria-label={quoteattr(title)} font-family={quoteattr(_FONT)}>',
        # Its own ground: dark letters must not stand on a dark page.
        f'<rect x="{-_MARGIN}" width="{whole}" height="{high}" fill="{token("surface")}"/>',
        f'<text x="0" y="24" font-size="16" font-weight="600" fill="{token("ink")}">'
        f"{escape(title)}</text>",
    ]
    for n, bar in enumerate(given):
        y = top + n * step
        name = wrapped(bar.name, size, left - 16, 1)[0]
        long = 0.0 if bar.value is None or most <= 0 else room * min(max(bar.value / most, 0), 1)
        out += [
            f"<g><title>{escape(bar.detail or f'{bar.name} {bar.label}')}</title>",
            f'<text x="{left - 12:.1f}" y="{y + 18}" font-size="{size}" text-anchor="end" '
            f'fill="{token("ink")}">{escape(name)}</text>',
            f'<rect x="{left:.1f}" y="{y + 4}" width="{room:.1f}" height="20" rx="3" '
            f'fill="{token("bg")}"/>',
            f'<rect x="{left:.1f}" y="{y + 4}" width="{long:.1f}" height="20" rx="3" '
            f'fill="{token("brand")}"/>',
            f'<text x="{left + room + 8:.1f}" y="{y + 18}" font-size="{size}" '
            f'fill="{token("muted")}" font-variant-numeric="tabular-nums">{escape(bar.label)}'
            "</text></g>",
        ]
    out.append(
        f'<line x1="{left:.1f}" y1="{top}" x2="{left:.1f}" y2="{foot - 12}" '
        f'stroke="{token("line")}"/>'
    )
    out.extend(_rows(table, foot, wide))
    out.append("</svg>")
    return "\n".join(out)


def _rows(table: Sequence[Sequence[str]], top: float, wide: int) -> Iterator[str]:
    """A table of text: the first column on the left, figures to the right, each as wide as it is."""
    if not table:
        return
    widths = [max(width(row[m], 13) for row in table) + 28 for m in range(1, len(table[0]))]
    room = max(wide - sum(widths), wide * 0.2)
    ends = [room + sum(widths[: m + 1]) for m in range(len(widths))]
    for n, (name, *cells) in enumerate(table):
        base = top + _ROW * n + 18
        weight = ' font-weight="600"' if n == 0 else ""
        colour = token("muted" if n == 0 else "ink")
        placed = [(0.0, "start", wrapped(name, 13, room - 8, 1)[0])]
        placed += [(end, "end", cell) for end, cell in zip(ends, cells, strict=True)]
        for x, anchor, text in placed:
            yield (
                f'<text x="{x:.1f}" y="{base:.1f}" font-size="13" text-anchor="{anchor}" '
                f'fill="{colour}" font-variant-numeric="tabular-nums"{weight}>'
                f"{escape(text)}</text>"
            )
        yield (
            f'<line x1="0" y1="{base + 8:.1f}" x2="{wide}" y2="{base + 8:.1f}" '
            f'stroke="{token("line")}"/>'
        )


def rate_chart(
    title: str,
    groups: Sequence[tuple[str, Rate]],
    wide: int = 640,
    table: Sequence[Sequence[str]] = (),
) -> str:
    """One rate by group; where the sample is too small there is no bar, only what was counted."""
    return bars(
        title,
        [Bar(name, rate.value, percent(rate), f"{name} {percent(rate)}") for name, rate in groups],
        wide=wide,
        table=table,
    )
