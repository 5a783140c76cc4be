"""Sentences about the working calendar."""

from collections.abc import Iterable
from typing import Final

_FAULTS: Final = {
    "no_header": "没有找到表头，请核对文件（要有日期、类型两列，类型写休或班）。",
    "no_days": "没有找到 days 列表。",
    "line_unclear": "第{where}行看不懂：日期写 2027-01-01，类型写休或班，状态写已公布或预估。",
    "twice": "{where} 写了两次，请只留一行。",
    "mixed_year": "{where}年有的已公布、有的预估，请统一。",
    "fixed_day_missing": "{where} 是法定假日，已公布的年份要写明。",
    "year_out_of_range": "{where} 不在可用的年份内。",
    "closed_too_long": "从 {where} 起连续休息超过31天，请核对。",
    "other_year": "{where} 不是这一年的日期。",
    "not_seven_days": "一周要写七天，现在是{where}天。",
    "past_midnight": "时段 {where} 超出一天，请核对。",
    "empty_window": "时段 {where} 的结束要晚于开始。",
    "overlap": "时段 {where} 有重叠，请核对。",
    "never_open": "一周里至少要有一个上班时段，补班日也要有。",
}


def faults(found: Iterable[tuple[str, str]]) -> str:
    """Everything that is wrong with a table, ten at most."""
    lines = [_FAULTS[rule].format(where=where) for rule, where in found]
    more = f"另有{len(lines) - 10}处。" if len(lines) > 10 else ""
    return "".join([*lines[:10], more])


def saved(lines: int, recounted: int, dry_run: bool = False) -> str:
    head = "试导入（没有保存）" if dry_run else "日历已保存"
    if not lines:
        return f"{head}：与现有日历相同，没有变化。"
    return f"{head}：更改 {lines} 天，重新计算 {recounted} 个工单的时限。"


def missing(year: int) -> str:
    return f"没有{year}年的放假安排，暂按常规工作日计算，请运行 calendar import 导入。"
