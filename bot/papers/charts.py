"""Charts as SVG: one question each, labels on the bars, numerator and denominator beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from bot.papers.fonts import width, wrapped
from bot.papers.look import token
from handlers.domain.rates import Rate
from handlers.texts.briefs import percent

_FONT: Final = "'PingFang SC','Microsoft YaHei','Noto Sans SC',sans-serif"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `label` is printed at its end and `detail` shown when it is pointed at."""

    name: str
    value: float | None
    label: str
    detail: str = ""


def bars(title: str, given: Sequence[Bar], most: float = 100.0, wide: int = 640) -> str:
    """Bars that lie, from zero, in the order they are given: never sorted by value (F1)."""
    step, top, size = 32, 48, 13
    left = min(max((width(b.name, size) for b in given), default=0.0) + 24, wide * 0.4)
    right = max((width(b.label, size) for b in given), default=0.0) + 24
    room = wide - left - right
    high = top + step * max(len(given), 1) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}" role="img" aria-label={quoteattr(title)} font-family={quoteattr(_FONT)}>',
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
        f'<line x1="{left:.1f}" y1="{top}" x2="{left:.1f}" y2="{high - 12}" '
        f'stroke="{token("line")}"/></svg>'
    )
    return "\n".join(out)


def rate_chart(title: str, groups: Sequence[tuple[str, Rate]], wide: int = 640) -> str:
    """One rate by group; where the sample is too small there is no bar, only what was counted."""
    return bars(
        title,
        [Bar(name, rate.value, percent(rate), f"{name} {percent(rate)}") for name, rate in groups],
        wide=wide,
    )
