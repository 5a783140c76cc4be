"""Sentences and cards of announcements: for firms, for who writes, for who approves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from handlers.chat.outbound import LIMITS, Button, Card, Open, Press, Row, Style, Tone
from handlers.domain.announcement import (
    Announcement,
    Audience,
    Kind,
    Progress,
    Route,
    State,
    Target,
    TargetState,
)
from handlers.domain.category import LABELS
from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import Enterprise, Person
from handlers.texts.common import ANNOUNCEMENT_STATES, short
from handlers.texts.times import absolute

_TONES: Final = {
    Kind.NOTICE: Tone.INFO,
    Kind.POLICY: Tone.INFO,
    Kind.WARNING: Tone.URGENT,
    Kind.OUTAGE: Tone.WARN,
    Kind.CORRECTION: Tone.WARN,
}
STATE_NAMES: Final = {state: ANNOUNCEMENT_STATES[state.value] for state in State}
TARGET_NAMES: Final = {
    TargetState.WAITING: "待发",
    TargetState.SENT: "已送达",
    TargetState.FAILED: "未送达",
    TargetState.SKIPPED: "未发",
}
_ROUTES: Final = {
    Route.GROUP: "整群发群里，其余逐家私聊",
    Route.DIRECT: "逐家私聊",
    Route.BOTH: "群里和私聊都发",
}
_WHY: Final = {
    "no_contact": "没有登记联系人",
    "no_address": "联系人还没有接入聊天",
    "inactive": "企业已停用",
    "withdrawn": "发送前已撤回",
    "expired": "发送前已过期",
    "not_begun": "没有发出",
}
_LIST_MOST: Final = 60


def when(at: datetime, now: datetime) -> str:
    return absolute(Moment(at, None, Granularity.MINUTE), now)


def number(announcement: Announcement) -> str:
    return f"通知 {announcement.id}"


def head(announcement: Announcement) -> str:
    """【政策】标题"""
    return f"【{announcement.kind.value}】{announcement.title}"


def meant(audience: Audience) -> str:
    """Whom it is for, in few words; firms that are named are not named to others."""
    if audience.everybody:
        said = "全部企业"
    else:
        places = [
            "、".join(a.removesuffix("管理区") for a in audience.areas),
            "、".join(f"网格{n}" for n in audience.grids),
        ]
        marks = [
            "、".join(audience.scales),
            "、".join(audience.tags),
            "、".join(f"关心{LABELS[c]}" for c in audience.interests),
        ]
        # A firm must fit each part; of what stands side by side in a part, one is enough.
        parts = ["".join(p for p in places if p), *(m for m in marks if m)]
        said = "的".join(p for p in parts if p)
        said += "企业" if said else ""
        if audience.enterprises:
            named = f"{len(audience.enterprises)}家点名企业"
            said = f"{said}和{named}" if said else named
    return said


def _why_you(audience: Audience) -> str:
    """Why this firm was told: a firm that was named by name is told just that."""
    if not audience.everybody and not audience.marks:
        return "发给贵单位"
    return f"发给{meant(replace(audience, enterprises=(), excepted=()))}"


# ---- what firms get


def card(
    announcement: Announcement,
    now: datetime,
    *,
    files: int = 0,
    link: str = "",
    corrected: Announcement | None = None,
    read: bool = False,
    progress: Progress | None = None,
    in_group: bool = False,
    over: str = "",
) -> Card:
    """The announcement as a chat shows it; `over` says that it no longer holds, and why.

    `progress` is the count that a group sees: never a name.
    """
    title = short(f"{announcement.kind.value} · {announcement.title}", LIMITS["title"])
    lead = short(announcement.text, LIMITS["lead"])
    whole = " ".join(announcement.text.split()) == lead
    rows: list[Row] = []
    if corrected is not None:
        rows.append(Row("更正", short(f"通知 {corrected.id} {corrected.title}", LIMITS["value"])))
    if announcement.valid_until is not None:
        rows.append(Row("有效至", when(announcement.valid_until, now)))
    if files:
        rows.append(Row("附件", f"{files}个"))
    if announcement.source:
        rows.append(Row("来源", short(announcement.source, LIMITS["value"])))
    if progress is not None and announcement.need_receipt:
        rows.append(Row("已阅", f"{progress.read}/{progress.targets}"))
    buttons: list[Button] = []
    if not over and announcement.need_receipt and not read:
        args = {"a": str(announcement.id), "v": str(announcement.round)}
        buttons.append(Button("已阅", Press("announcement.read", args), Style.MAIN))
    if not whole or files:
        if link:
            buttons.append(Button("看全文", Open(link)))
        else:
            args = {"a": str(announcement.id)}
            buttons.append(Button("看全文", Press("announcement.full", args)))
    status, tone = "", _TONES[announcement.kind]
    if over:
        status, tone = over, Tone.QUIET
    elif read:
        status, tone = "已阅", Tone.GOOD
    return Card(
        key=f"announcement:{announcement.id}:{announcement.round}",
        title=title,
        tone=tone,
        status=status,
        lead=lead,
        rows=tuple(rows),
        note=short(f"{number(announcement)} · {_why_you(announcement.audience)}", LIMITS["note"]),
        buttons=tuple(buttons),
        fallback=_text(announcement, now, files, link, corrected, over, progress, in_group),
        revision=1 + (0 if progress is None else progress.read),
    )


def _text(
    announcement: Announcement,
    now: datetime,
    files: int,
    link: str,
    corrected: Announcement | None,
    over: str,
    progress: Progress | None,
    in_group: bool,
) -> str:
    lines = [head(announcement) + (f"（{over}）" if over else "")]
    if corrected is not None:
        lines.append(f"更正通知 {corrected.id}「{corrected.title}」，请以本条为准。")
    lines.append(announcement.text)
    if announcement.valid_until is not None:
        lines.append(f"有效至 {when(announcement.valid_until, now)}。")
    if announcement.source:
        lines.append(f"来源：{announcement.source}。")
    if files:
        lines.append(f"附件 {files} 个，打开看：{link}" if link else f"附件 {files} 个。")
    if announcement.need_receipt and not over:
        lines.append("看过请引用本条回复「收到」，或按「已阅」。")
    if progress is not None and announcement.need_receipt and in_group:
        lines.append(f"已阅 {progress.read}/{progress.targets}")
    lines.append(f"{number(announcement)} · {_why_you(announcement.audience)}")
    return "\n".join(lines)


WITHDRAWN: Final = "已撤回"
CORRECTED: Final = "已更正"
EXPIRED: Final = "已过期"


def nudge(announcement: Announcement, now: datetime, link: str) -> str:
    until = announcement.valid_until
    ends = "" if until is None else f"，有效至 {when(until, now)}"
    where = f"：{link}" if link else "。"
    return f"{head(announcement)}{ends}，您那边还没有看过，方便时请看一下{where}"


def thanks() -> str:
    return "已记下，谢谢。"


def read_already() -> str:
    return "已经记过了，谢谢。"


def counted(progress: Progress) -> str:
    return f"已记下，已阅 {progress.read}/{progress.targets}。"


def not_for_you() -> str:
    return "这条通知不用您单位回执。"


def for_firms_only() -> str:
    return "这个按钮给企业用，您不用按。"


def is_over(announcement: Announcement) -> str:
    return f"{number(announcement)} {STATE_NAMES[announcement.state]}，不用再回执。"


# ---- what who writes it gets


def names(firms: Sequence[Enterprise], most: int = _LIST_MOST) -> str:
    listed = "、".join(f.short_name for f in firms[:most])
    return listed if len(firms) <= most else f"{listed}等{len(firms)}家"


def whole_list(announcement: Announcement, firms: Sequence[Enterprise]) -> str:
    """Every firm that is meant, by area."""
    areas: dict[str, list[str]] = defaultdict(list)
    for firm in firms:
        areas[firm.area or "其他"].append(firm.short_name)
    lines = [f"{number(announcement)} 发给 {len(firms)} 家："]
    lines += [f"{area} {len(found)}家：{'、'.join(found)}" for area, found in areas.items()]
    return "\n".join(lines)


def _sending(announcement: Announcement, now: datetime) -> str:
    if announcement.rule:
        return announcement.rule
    if announcement.send_at is None:
        return "通过后马上发"
    return when(announcement.send_at, now)


def _facts(
    announcement: Announcement, firms: Sequence[Enterprise], now: datetime, groups: int
) -> tuple[tuple[str, str], ...]:
    facts = [
        ("发给", f"{meant(announcement.audience)}，共{len(firms)}家"),
        ("时间", _sending(announcement, now)),
    ]
    if announcement.route is Route.DIRECT or not groups:
        facts.append(("方式", "逐家私聊"))
    else:
        facts.append(("方式", f"{groups}个群，{_ROUTES[announcement.route]}"))
    facts.append(("回执", "要，名单只给各家联络员" if announcement.need_receipt else "不要"))
    if announcement.valid_until is not None:
        facts.append(("有效至", when(announcement.valid_until, now)))
    return tuple(facts)


def _staff_card(
    announcement: Announcement,
    firms: Sequence[Enterprise],
    now: datetime,
    groups: int,
    status: str,
    buttons: tuple[Button, ...],
    typed: str,
    by: str = "",
    tone: Tone = Tone.INFO,
) -> Card:
    facts = _facts(announcement, firms, now, groups)
    if by:
        facts = (*facts, ("拟稿", by))
    lead = f"发给{len(firms)}家：{names(firms, 20)}"
    fallback = "\n".join(
        [
            f"{number(announcement)} {status}：{head(announcement)}",
            *(f"{label}：{value}" for label, value in facts),
            f"名单：{names(firms)}",
            typed,
        ]
    )
    return Card(
        key=f"announcement:{announcement.id}:desk",
        title=short(f"{number(announcement)} · {announcement.title}", LIMITS["title"]),
        tone=tone,
        status=status,
        lead=short(lead, LIMITS["lead"]),
        rows=tuple(Row(label, short(value, LIMITS["value"])) for label, value in facts[:6]),
        buttons=buttons,
        fallback=fallback,
        revision=announcement.version,
    )


def _press(announcement: Announcement, act: str) -> Press:
    args = {"a": str(announcement.id), "v": str(announcement.version)}
    return Press(f"announcement.{act}", args)


def draft_card(
    announcement: Announcement, firms: Sequence[Enterprise], now: datetime, groups: int
) -> Card:
    n = announcement.id
    return _staff_card(
        announcement,
        firms,
        now,
        groups,
        "草稿",
        (
            Button("送审", _press(announcement, "submit"), Style.MAIN),
            Button("看名单", _press(announcement, "list")),
            Button("不发了", _press(announcement, "cancel"), Style.DANGER),
        ),
        f"上面是企业看到的样子。要改请直接说，例如「时间：明天9:00」「对象：长洪 危化」；附件直接发来；好了请回复「送审 {n}」。",
    )


def submitted(announcement: Announcement, approver: str) -> str:
    return f"{number(announcement)} 已送{approver}审核，通过后告诉您。"


def review_card(
    announcement: Announcement, firms: Sequence[Enterprise], now: datetime, groups: int, by: str
) -> Card:
    n = announcement.id
    return _staff_card(
        announcement,
        firms,
        now,
        groups,
        "待审核",
        (
            Button("通过", _press(announcement, "approve"), Style.MAIN),
            Button("看全文", _press(announcement, "full")),
            Button("看名单", _press(announcement, "list")),
            Button("退回", _press(announcement, "return"), Style.DANGER),
        ),
        f"正文：{announcement.text}\n附件和图片里的文字请打开看过。请回复「通过通知 {n}」或「退回通知 {n} 理由」。",
        by,
        Tone.WARN,
    )


def reviewed_card(
    announcement: Announcement, firms: Sequence[Enterprise], now: datetime, groups: int, by: str
) -> Card:
    status = STATE_NAMES[announcement.state]
    quiet = announcement.state in (State.WITHDRAWN, State.EXPIRED, State.DRAFT)
    return _staff_card(
        announcement,
        firms,
        now,
        groups,
        "已退回" if announcement.state is State.DRAFT else status,
        (),
        "",
        by,
        Tone.QUIET if quiet else Tone.GOOD,
    )


def approved(announcement: Announcement, targets: int, by: str, now: datetime) -> str:
    return (
        f"{number(announcement)} {by}已通过，发给 {targets} 家，{_sent_when(announcement, now)}。"
        f"进度请发「查通知 {announcement.id}」。"
    )


def _sent_when(announcement: Announcement, now: datetime) -> str:
    if announcement.state is State.SENDING:
        return "正在发送"
    return f"{_sending(announcement, now)}发送"


def sent_back(announcement: Announcement, by: str, reason: str) -> str:
    why = f"：{reason}" if reason else ""
    return f"{number(announcement)} {by}已退回{why}。草稿还在，要改请回复「改通知 {announcement.id}」。"


def reason_wanted(announcement: Announcement) -> str:
    return f"{number(announcement)} 请用一句话写明退回的理由。"


def cancelled(announcement: Announcement) -> str:
    return f"{number(announcement)} 不发了。"


def withdrawn(announcement: Announcement, progress: Progress) -> str:
    if not progress.sent:
        return f"{number(announcement)} 已撤回，没有发出。"
    return (
        f"{number(announcement)} 已撤回，还没发的不再发；已送达 {progress.sent} 家，"
        f"内容有误请发「发更正 {announcement.id}」。"
    )


def taken_back(announcement: Announcement) -> str:
    return f"{head(announcement)} 已撤回，请不要再按它办。"


def paused(announcement: Announcement, progress: Progress) -> str:
    return (
        f"{number(announcement)} 已暂停，已发 {progress.sent}/{progress.targets}；"
        f"继续请回复「继续通知 {announcement.id}」。"
    )


def resumed(announcement: Announcement, progress: Progress, now: datetime) -> str:
    if announcement.state is State.APPROVED:
        return f"{number(announcement)} 已恢复，{_sending(announcement, now)}发送。"
    return f"{number(announcement)} 继续发送，已发 {progress.sent}/{progress.targets}。"


def late(announcement: Announcement, planned: datetime, now: datetime) -> str:
    n = announcement.id
    return (
        f"{number(announcement)}「{short(announcement.title, 20)}」该在 {when(planned, now)} 发，已晚了两个多小时，先停着。"
        f"还要发请回复「继续通知 {n}」，不发请回复「撤回通知 {n}」。"
    )


def status(announcement: Announcement, progress: Progress, now: datetime) -> str:
    lines = [f"{number(announcement)} {STATE_NAMES[announcement.state]}：{head(announcement)}"]
    if announcement.state in (State.DRAFT, State.APPROVED):
        lines.append(f"发给{meant(announcement.audience)}，{_sending(announcement, now)}。")
    if progress.targets and announcement.state is not State.APPROVED:
        parts = [f"已送达 {progress.sent}/{progress.targets}"]
        if progress.failed:
            parts.append(f"未送达 {progress.failed}")
        if progress.skipped:
            parts.append(f"未发 {progress.skipped}")
        if progress.waiting:
            parts.append(f"待发 {progress.waiting}")
        if announcement.need_receipt:
            parts.append(f"已阅 {progress.read}/{progress.targets}")
        lines.append("，".join(parts) + "。")
    return "\n".join(lines)


def listed(rows: Iterable[tuple[Announcement, Progress]]) -> str:
    lines = []
    for announcement, progress in rows:
        read = f"，已阅 {progress.read}/{progress.targets}" if announcement.need_receipt else ""
        lines.append(
            f"{announcement.id}. {short(head(announcement), 30)}（{STATE_NAMES[announcement.state]}{read}）"
        )
    if not lines:
        return "还没有通知。要发请说，例如：发通知 标题，换行写正文。"
    return "\n".join(["最近的通知：", *lines, "看一条请发「查通知 编号」。"])


def call_list(
    announcement: Announcement,
    rows: Sequence[tuple[Enterprise, Target, Person | None]],
) -> str:
    """The own firms that have not read, with whom to call; for their liaison alone."""
    if not rows:
        return f"{number(announcement)} 您挂钩的企业都看过了。"
    lines = [
        f"{number(announcement)}「{short(announcement.title, 20)}」您挂钩的企业还有 {len(rows)} 家没看："
    ]
    for firm, target, contact in rows:
        who = "" if contact is None else f" {contact.name}"
        phone = "" if contact is None or not contact.phone else f" {contact.phone}"
        missed = ""
        if target.state is not TargetState.SENT:
            missed = f"（{_WHY.get(target.why, TARGET_NAMES[target.state])}）"
        lines.append(f"· {firm.short_name}{who}{phone}{missed}")
    lines.append(f"要私下提醒一次请回复「提醒未读 {announcement.id}」。")
    return "\n".join(lines)


def unread_count(announcement: Announcement, progress: Progress) -> str:
    left = progress.targets - progress.read
    return (
        f"{number(announcement)} 已阅 {progress.read}/{progress.targets}，还有 {left} 家没看；"
        "名单由各家的联络员掌握。"
    )


def nudged(announcement: Announcement, count: int) -> str:
    if not count:
        return f"{number(announcement)} 没有要提醒的：看过的不提醒，提醒过的也不再提醒。"
    return f"{number(announcement)} 已私下提醒 {count} 家，每家只提醒这一次。"


def files_came(
    number: int, added: Sequence[str], count: int, left: Sequence[tuple[str, str]], again: bool
) -> str:
    """`left`: what could not be attached, each with its reason; `again`: see `_anew`."""
    lines = []
    if added:
        called = "」「".join(added)
        lines.append(
            f"「{called}」已附在通知 {number} 后面，现有附件{count}个。{_anew(number, again)}"
        )
    lines += [f"「{name}」没有附上：{why.rstrip('。')}。" for name, why in left]
    return "\n".join(lines)


def _anew(number: int, again: bool) -> str:
    """`again`: it had been sent to review as it was before."""
    return f"通知有了改动，请重新回复「送审 {number}」。" if again else ""


def files_wanted(number: int, most: int) -> str:
    return f"请把要附在通知 {number} 后面的图片、PDF 或 Word 直接发来，最多{most}个。"


def files_listed(number: int, names: Sequence[str]) -> str:
    if not names:
        return f"通知 {number} 没有附件。"
    called = "；".join(f"{n} {name}" for n, name in enumerate(names, 1))
    return f"通知 {number} 的附件：{called}。请写明删哪一个，例如「删附件 {number} {len(names)}」。"


def file_dropped(number: int, name: str, again: bool) -> str:
    return f"「{name}」已从通知 {number} 里拿掉。{_anew(number, again)}"


def missing(parts: Sequence[str], files: bool = False) -> str:
    """`files`: some came with it, before there is a draft that they could belong to."""
    asks = {
        "title": "标题：……",
        "text": "正文：……",
        "audience": "对象：全部 / 长洪 危化 / 网格5 / 企业简称",
        "corrects": "更正：第几号通知",
    }
    lines = [asks[p] for p in parts]
    later = "\n附件请等看到草稿后再发一次。" if files else ""
    if len(parts) == 1:
        return f"还差一项，请回复「{lines[0]}」。{later}"
    return "\n".join(["还差这几项，请一起回复：", *lines]) + later


def unread_line(rows: Sequence[tuple[Announcement, Progress]]) -> str:
    """The line of the daily brief: counts alone."""
    left = sum(p.targets - p.read for _, p in rows)
    return f"通知待回执 {len(rows)} 条，未阅 {left} 家次" if rows else ""


# ---- the page of one firm


def page_values(
    announcement: Announcement,
    now: datetime,
    corrected: Announcement | None,
    correction: Announcement | None,
    read: bool,
) -> dict[str, object]:
    over = ""
    if announcement.state is State.WITHDRAWN:
        over = "这条通知已撤回，请不要再按它办。"
    elif announcement.state is State.EXPIRED or announcement.is_over(now):
        over = "这条通知已过期，仅供查看。"
    if correction is not None:
        over = f"这条通知已更正，请以通知 {correction.id}「{correction.title}」为准。"
    facts = []
    if corrected is not None:
        facts.append(("更正", f"通知 {corrected.id}「{corrected.title}」"))
    if announcement.began_at is not None:
        facts.append(("发布", when(announcement.began_at, now)))
    if announcement.valid_until is not None:
        facts.append(("有效至", when(announcement.valid_until, now)))
    if announcement.source:
        facts.append(("来源", announcement.source))
    return {
        "title": announcement.title,
        "kind": announcement.kind.value,
        "tone": _TONES[announcement.kind].value,
        "text": announcement.text,
        "facts": facts,
        "over": over,
        "said": "已记下贵单位看过，谢谢。" if read else "",
        "files_title": "附件",
        "note": f"{number(announcement)} · {_why_you(announcement.audience)}",
    }


def file_size(size: int) -> str:
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f} MB"
