"""Sentences about campaigns and their checklists."""

from collections.abc import Mapping, Sequence
from typing import Final

from handlers.chat.outbound import Button, Card, Press, Row, Tone
from handlers.domain.campaign import Campaign, Counts, Milestone, Target
from handlers.domain.people import mask_phone
from handlers.domain.ticket import Ticket
from handlers.texts.common import short
from handlers.texts.ledgers import written

LIST: Final = "专项清单"
NUMBER, NAME, FIRM, GROUP, PLACE = "编号", "名称", "企业", "分组", "位置"
GRID, OWNER, SIZE, NOTE, STATE, RESULT = "网格", "负责人", "户数", "备注", "状态", "结果"
UNIT: Final = "户"
_ROUNDS: Final = "一二三四五六七八九十"
# What a file may call its columns.
COLUMN_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    NUMBER: ("编号", "序号", "代码"),
    NAME: ("名称", "对象", "商户", "商户名称", "户名", "租户", "店名", "企业名称", "单位", "单位名称", "小区"),
    FIRM: ("企业", "企业简称", "企业编号"),
    GROUP: ("分组", "楼栋", "楼号", "幢号", "类别", "类型", "片区"),
    PLACE: ("位置", "房号", "门牌", "铺位", "商铺号", "地址"),
    GRID: ("网格", "所属网格", "网格号"),
    OWNER: ("负责人", "责任人", "包干人", "经办人"),
    SIZE: ("户数", "总户数", "应敲户数", "数量"),
    NOTE: ("备注", "说明"),
    STATE: ("状态", "签约情况", "进度"),
    RESULT: ("结果", "检查结果"),
}  # fmt: skip


def round_name(number: int) -> str:
    return f"第{_ROUNDS[number - 1]}轮" if number <= len(_ROUNDS) else f"第{number}轮"


def grid_name(number: int | None) -> str:
    return f"{number}网格"


def standing(campaign: Campaign, target: Target) -> str:
    """How a target stands, round by round."""
    states = "，".join(f"{m.state}（{m.result}）" if m.result else m.state for m in target.marks)
    return f"{campaign.name} {states}"


def columns(campaign: Campaign) -> tuple[str, ...]:
    """The columns of the list; each round has its own state and result."""
    rounds = range(1, campaign.rounds + 1)
    if campaign.rounds == 1:
        marks: tuple[str, ...] = (STATE, "完成数", RESULT, "时间")
    else:
        marks = tuple(
            f"{round_name(n)}{what}" for n in rounds for what in (STATE, "完成数", RESULT, "时间")
        )
    return (NUMBER, NAME, FIRM, GROUP, PLACE, GRID, OWNER, SIZE, *marks, "工单", NOTE)


def row(
    campaign: Campaign, target: Target, firm: str, owner: str, tickets: Sequence[int]
) -> dict[str, str]:
    marks = [
        value for m in target.marks for value in (m.state, str(m.done), m.result, written(m.at))
    ]
    values = (
        target.key, target.name, firm, target.group, target.place,
        "" if target.grid is None else str(target.grid), owner, str(target.size), *marks,
        "、".join(f"#{n}" for n in tickets), target.note,
    )  # fmt: skip
    return {c: mask_phone(v) for c, v in zip(columns(campaign), values, strict=True)}


def _share(counts: Counts) -> str:
    if not counts.total:
        return ""
    # Rounded down: 99.9 % is not yet all.
    return f"（{counts.done * 1000 // counts.total / 10:g}%）"


def told(campaign: Campaign, counts: Counts, round_number: int = 0) -> str:
    """已签150/195户（76.9%）."""
    head = f"{round_name(round_number)} " if round_number and campaign.rounds > 1 else ""
    total = f"/{counts.total}" if counts.total else ""
    return f"{head}{campaign.done_state}{counts.done}{total}{campaign.unit}{_share(counts)}"


def left(campaign: Campaign, counts: Counts) -> str:
    return f"{campaign.open_state}{counts.left}{campaign.unit}" if counts.total else ""


def ticked(
    campaign: Campaign,
    changed: Sequence[Target],
    same: Sequence[Target],
    parts: Sequence[tuple[str, Counts]],
    whole: Counts,
    round_number: int,
    opened: Sequence[tuple[Ticket, str]],
    near: Sequence[str],
    back: bool = False,
) -> Card:
    """What was ticked and how it stands; `parts` are the parts of the list that it touches."""
    state = campaign.open_state if back else campaign.done_state
    names = "、".join(t.called for t in changed[:5]) + (
        f"等{len(changed)}{campaign.unit or UNIT}" if len(changed) > 5 else ""
    )
    lines = []
    if changed:
        one = changed[0] if len(changed) == 1 else None
        counted = one is not None and one.size != 1
        what = (
            f"{one.called}{told(campaign, Counts(one.marks[round_number - 1].done, one.size))}"
            if counted and one
            else f"{names} {state}"
        )
        in_round = f"{round_name(round_number)} " if campaign.rounds > 1 else ""
        lines.append(f"{campaign.name}：{in_round}{what}。")
    if same:
        lines.append(f"{'、'.join(t.called for t in same[:5])}原来就是{state}，没有改动。")
    rows = []
    for group, counts in parts:
        rows.append(
            Row(short(group, 5), short(f"{told(campaign, counts)} {left(campaign, counts)}", 26))
        )
        lines.append(f"{group}：{told(campaign, counts)}，{left(campaign, counts)}。")
    rows.append(Row("合计", short(told(campaign, whole, round_number), 26)))
    lines.append(f"合计：{told(campaign, whole, round_number)}。")
    lines += [f"#{t.number} 已登记：{t.title}。由{owner}负责。" for t, owner in opened]
    if near:
        lines.append(f"同网格在册：{'、'.join(near[:12])}。")
    if changed:
        lines.append("勾错了请回复「撤销勾选」。")
    # The title names the campaign already.
    lead = lines[0].removeprefix(f"{campaign.name}：") if lines else ""
    return Card(
        key=f"campaign:{campaign.number}:ticked",
        title=short(campaign.name, 26),
        lead=short(lead + "".join(f"#{t.number} {t.title}。" for t, _ in opened), 110),
        tone=Tone.WARN if opened else Tone.GOOD,
        status="已勾" if changed else "未改动",
        rows=tuple(rows[:6]),
        note="勾错了可以撤销。" if changed else "",
        buttons=(Button("撤销", Press("campaign.undo", {"c": str(campaign.number)})),)
        if changed
        else (),
        fallback="\n".join(lines),
    )


def milestone(campaign: Campaign, reached: Sequence[Milestone], whole: Counts) -> Card:
    """One card for what one tick reached: counts and no names."""
    lines = []
    whole_rounds = {one.round for one in reached if one.percent >= 100}
    for one in reached:
        if one.percent and one.percent < 100 and one.round in whole_rounds:
            continue
        where = f"{round_name(one.round)}" if campaign.rounds > 1 else ""
        if one.group:
            lines.append(
                f"{one.group}{where}{one.counts.total}{campaign.unit}全部{campaign.done_state}"
            )
        elif one.percent >= 100:
            lines.append(f"{where}{one.counts.total}{campaign.unit}全部{campaign.done_state}")
        else:
            lines.append(f"{where}{campaign.done_state}过{one.percent}%")
    number = reached[-1].round
    text = f"{campaign.name}：{'；'.join(lines)}。"
    total = f"合计 {told(campaign, whole, number)}。"
    return Card(
        key=f"campaign:{campaign.number}:{reached[0].key}",
        title=short(f"{campaign.name} 进度", 26),
        lead=short(f"{'；'.join(lines)}。", 110),
        tone=Tone.GOOD,
        status="节点",
        rows=(Row("合计", short(told(campaign, whole, number), 26)),),
        fallback=f"{text}{total}",
    )


def which(
    campaign: Campaign, group: str, round_number: int, open_targets: Sequence[Target], wanted: int
) -> str:
    """The one thing asked where several targets fit."""
    where = f"{group}" if group else campaign.name
    in_round = round_name(round_number) if campaign.rounds > 1 else ""
    listed = "、".join(t.called for t in open_targets[:15])
    more = "等" if len(open_targets) > 15 else ""
    many = "哪几户" if wanted > 1 else "哪一户"
    unit = campaign.unit or "户"
    many = many.replace("户", unit)
    return (
        f"{where}{in_round}{campaign.open_state}的还有{len(open_targets)}{unit}：{listed}{more}。"
        f"是{many}？请回复房号或名称。"
    )


def undone(campaign: Campaign, targets: Sequence[Target], whole: Counts, round_number: int) -> str:
    names = "、".join(t.called for t in targets[:5]) + ("等" if len(targets) > 5 else "")
    return f"{campaign.name}：{names}已恢复到勾选前。合计：{told(campaign, whole, round_number)}。"


def nothing_to_undo() -> str:
    return "没有可以撤销的勾选；一天以前的、后来又改过的请直接改。"


def made(campaign: Campaign) -> str:
    rounds = f"，{campaign.rounds}轮" if campaign.rounds > 1 else ""
    return (
        f"专项 {campaign.name} 已建：{'/'.join(campaign.states)}{rounds}。"
        f"对象请用表格导入，或逐个加：专项加 {campaign.name} 5号楼 203 某某建材。"
    )


def added(campaign: Campaign, target: Target, whole: Counts) -> str:
    return f"{campaign.name} 已加：{target.group} {target.called}，共{whole.total}{campaign.unit}。".replace(
        "： ", "："
    )


def ended(campaign: Campaign, whole: Counts) -> str:
    return f"专项 {campaign.name} 已结束，{told(campaign, whole)}。数据保留，可以导出。"


def bound(campaign: Campaign) -> str:
    return f"{campaign.name} 的进度节点以后发到本群。"


def overview(rows: Sequence[tuple[Campaign, Sequence[tuple[int, Counts]]]]) -> str:
    if not rows:
        return "没有进行中的专项。要建请说，例如：新建专项 空间再造 未签/已签。"
    lines = [line(campaign, counts) for campaign, counts in rows]
    return "\n".join([*lines, "看一项请回复「专项 名称」。"])


def line(campaign: Campaign, counts: Sequence[tuple[int, Counts]]) -> str:
    """空间再造 已签150/195户（76.9%）; several rounds one behind the other."""
    return f"{campaign.name} " + "　".join(told(campaign, c, n) for n, c in counts)


def in_brief(lines: Sequence[str]) -> str:
    return f"专项：{'；'.join(lines)}"


def detail(
    campaign: Campaign,
    owner: str,
    counts: Sequence[tuple[int, Counts]],
    parts: Sequence[tuple[str, Counts]],
    tickets: Sequence[int],
) -> str:
    lines = [line(campaign, counts)]
    if owner:
        lines[0] += f"　负责人：{owner}"
    lines += [
        f"{group}：{told(campaign, c)} {left(campaign, c)}".rstrip() for group, c in parts[:40]
    ]
    if tickets:
        lines.append(f"带出的工单：{'、'.join(f'#{n}' for n in tickets[:20])}")
    if parts:
        lines.append(f"看名单请回复「专项 {campaign.name} {parts[0][0]}」。")
    return "\n".join(lines)


def listed(campaign: Campaign, group: str, targets: Sequence[Target]) -> str:
    if not targets:
        return f"{campaign.name} {group}：没有您能看的对象。"
    lines = []
    for target in targets[:60]:
        marks = "　".join(
            f"{m.state}{f'{m.done}/{target.size}' if target.size != 1 else ''}{f'（{short(m.result, 20)}）' if m.result else ''}"
            for m in target.marks
        )
        lines.append(f"{target.called}：{marks}")
    more = f"\n还有{len(targets) - 60}个，请看导出的表格。" if len(targets) > 60 else ""
    return (
        f"{campaign.name} {group} {len(targets)}个\n".replace("  ", " ") + "\n".join(lines) + more
    )


def near(number: int, grid: int | None, rows: Sequence[tuple[str, str]]) -> str:
    """Who is around a ticket: targets of the campaigns in the same grid, with how they stand."""
    if grid is None:
        return f"#{number} 的企业没有登记网格，找不到附近的对象。"
    if not rows:
        return f"#{number} 在{grid}网格，附近没有专项在册的对象。"
    lines = [f"{name}：{state}" for name, state in rows[:40]]
    return f"#{number} 在{grid}网格，附近在册{len(rows)}家：\n" + "\n".join(lines)


def problem_kept(ticket: Ticket, owner: str, target: Target) -> str:
    return f"#{ticket.number} 已登记：{ticket.title}（{target.called}）。由{owner}负责。"


# ---- importing

_WHY: Final[Mapping[str, str]] = {
    "no_name": "没有名称，也没有分组和位置",
    "bad_state": "状态不在{states}之中",
    "bad_size": "户数不是0到100万的整数",
    "bad_grid": "网格不是1到99的数字",
    "no_firm": "名册里没有这家企业",
    "no_owner": "没有这位负责人，或有几位同名",
    "twice": "和第{first}行重复",
    "keeps_done": "库里已是{state}，表里是{given}，保留库里的",
}


def why(reason: str, **values: object) -> str:
    return _WHY[reason].format(**values)


def rejected(row_number: int, reason: str) -> str:
    return f"第{row_number}行：{reason}。"


def imported(
    name: str, created: int, changed: int, unchanged: int, refused: int, dry_run: bool
) -> str:
    tried = "（试运行，没有保存）" if dry_run else ""
    return f"{name}：新增{created}，更新{changed}，没有变化{unchanged}，未导入{refused}{tried}。"


NO_HEADER: Final = "没有看到表头，请在第一行写：名称、分组（楼栋）、位置（房号）等列名。"
EXPORT_ENDING: Final = "导出请写 .xlsx 或 .csv 结尾的文件名。"


def no_campaign(name: str) -> str:
    return f"没有专项 {name}。新建请加 --states，例如：--states 未签,已签。"
