"""Every sentence of the brief, the rates and the summaries."""

from collections.abc import Sequence
from typing import Final

from handlers.domain.category import LABELS, Category
from handlers.domain.rates import Rate, Rates, Spread

RATE_NAMES: Final = {
    "response": "响应率",
    "on_time": "按期办结率",
    "solved": "解决率",
    "coverage": "回访覆盖率",
    "satisfied": "满意率",
    "reopened": "重办率",
}
NOBODY_PAIRED: Final = "值班室"
NO_PLACE: Final = "未登记"


def percent(rate: Rate) -> str:
    """83.3%(25/30); never without numerator and denominator."""
    if rate.value is None:
        return f"样本不足(n={rate.denominator})"
    return f"{rate.value:.1f}%({rate.numerator}/{rate.denominator})"


def _spread(spread: Spread, unit: str) -> str:
    if spread.median is None or spread.p90 is None:
        return "无"
    return f"中位{spread.median:.1f}{unit}，九成在{spread.p90:.1f}{unit}内(n={spread.count})"


def rate_lines(rates: Rates) -> list[str]:
    """The solved rate never stands without the coverage of the call-back."""
    mean = "" if rates.mean_rating is None else f"，平均{rates.mean_rating:.1f}分"
    return [
        f"响应率 {percent(rates.response)}",
        f"按期办结率 {percent(rates.on_time)}",
        f"解决率 {percent(rates.solved)}　回访覆盖率 {percent(rates.coverage)}",
        f"满意率 {percent(rates.satisfied)}{mean}",
        f"重办率 {percent(rates.reopened)}　挂账 {rates.shelved}件",
        f"首次回应 {_spread(rates.first_reply_hours, '工作小时')}",
        f"办结用时 {_spread(rates.handling_days, '个工作日')}",
    ]


def group_name(by: str, key: str, name: str) -> str:
    if by == "category":
        return LABELS[Category(key)] if key else NO_PLACE
    if by == "grid":
        return f"{int(key)}号网格" if key else NO_PLACE
    if name:
        return name
    return NOBODY_PAIRED if by in ("liaison", "leader") else NO_PLACE


def group_lines(groups: Sequence[tuple[str, Rates]]) -> list[str]:
    """One line a group, in the order of the register."""
    return [
        f"{name}：响应 {percent(r.response)}　按期 {percent(r.on_time)}　解决 {percent(r.solved)}"
        f"　覆盖 {percent(r.coverage)}"
        for name, r in groups
    ]
