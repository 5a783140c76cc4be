"""The office's numbers as people read them, and what is wrong with a change."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from handlers.domain.policy import Policy, Target, Unit
from handlers.texts.common import natural, working
from handlers.texts.tickets import URGENCY_NAMES

_CLOCKS: Final = (
    ("claim", "认领"),
    ("first_reply", "首次答复"),
    ("progress", "反馈进展"),
    ("resolution", "办结"),
)
_FAULTS: Final = {
    "unknown": "没有 {field} 这一项。",
    "unclear": "{field} 看不懂，请照这样写：{0}。",
    "range": "{field} 要在 {0} 到 {1} 之间。",
    "targets": "targets 要按紧急程度写，例如 U3。",
    "urgency": "{field} 不对，紧急程度只有 U1、U2、U3、U4。",
    "clock": "{field} 不对，时限只有 claim、first_reply、progress、resolution。",
    "target": "{field} 看不懂：unit 写 natural、working 或 days，amount 写 PT4H 这样的时长或工作日数。",
    "before": "{field} 要小于 {0}。",
    "no_more": "{field} 不能大于 {0}。",
    "target_wrong": "{field} 要大于0；按工作日计的要是整数。",
    "target_too_far": "{field} 超过{0}天，请改短。",
    "beyond_resolution": "{field} 不能比办结时限（resolution）长。",
}
_MOST: Final = 10


def faults(found: Iterable[tuple[str, str, tuple[str, ...]]]) -> str:
    """Everything that is wrong with a change, ten at most."""
    lines = [_FAULTS[rule].format(*limits, field=field[:60]) for rule, field, limits in found]
    more = f"另有{len(lines) - _MOST}处。" if len(lines) > _MOST else ""
    return "".join([*lines[:_MOST], more])


def stale(version: int) -> str:
    return f"时限设置已是第{version}版，请重新读取后再改。"


def _time(target: Target) -> str:
    if target.unit is Unit.DAYS:
        return f"{int(target.amount)}个工作日"
    span = timedelta(hours=target.amount)
    return natural(span) if target.unit is Unit.NATURAL else working(span)


def shown(policy: Policy) -> str:
    """The numbers that colleagues work by."""
    lines = [f"时限设置，第{policy.version}版" if policy.version else "时限设置，初始值"]
    for urgency, targets in policy.targets.items():
        times = "，".join(f"{name}{_time(getattr(targets, key))}" for key, name in _CLOCKS)
        lines.append(f"{URGENCY_NAMES[urgency]}：{times}")
    lines += [
        f"提级：超期{policy.orange_days}个工作日报分管领导，{policy.red_days}个工作日报主要负责人；"
        f"过了认领时限{working(policy.claim_leader_working)}无人认领，报分管领导",
        f"提醒：{policy.notices_from:%H:%M}到{policy.notices_until:%H:%M}发送（特急除外），"
        f"{natural(policy.notice_span)}内每人最多{policy.notices_most}条",
        f"企业：补充{policy.answer_days}个工作日，评价{policy.verdict_days}个工作日，"
        f"销号后{policy.reopen_days}个工作日内可重办，催办间隔{working(policy.urge_gap_working)}",
        f"办理：延期{policy.extensions}次，转办{policy.transfers}次，"
        f"退单{policy.decline_within_days}个工作日内，挂账最长{policy.shelve_days}天",
        "要修改请联系系统管理员。",
    ]
    return "\n".join(lines)
