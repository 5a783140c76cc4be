"""Sentences of an import's report."""

from typing import Final

from handlers.domain.roster import Problem, Remark, Report

_WHY: Final = {
    Problem.NO_LIAISON: "没有联络员，未分配，请补填",
    Problem.NO_LEADER: "没有分管领导，请补填",
    Problem.SEVERAL_PEOPLE: "写了不止一个人，请只留一位",
    Problem.UNKNOWN_PERSON: "人员表里没有这个人，请先导入人员表",
    Problem.NO_PHONE: "没有电话，保留原有电话",
    Problem.SEVERAL_PHONES: "有两个电话，只记第一个",
    Problem.BAD_PHONE: "电话号码不对，保留原有电话",
    Problem.BAD_NUMBER: "不是数字",
    Problem.ABOUT: "是约数，不替换已有的人数",
    Problem.BAD_GRID: "看不懂是第几网格",
    Problem.DUPLICATE: "与前面的行完全相同，已略过",
    Problem.CONTRADICTS: "同一企业出现两次且内容不同，已略过，请核实",
    Problem.NO_NAME: "没有名称",
    Problem.SEVERAL_FIRMS: "有不止一家企业同名，请填企业编号",
    Problem.BAD_ROLE: "角色不对",
    Problem.BAD_DATES: "日期看不懂，请写 11.24-11.26",
    Problem.OTHER_ID: "这家企业已有别的编号，已略过，请核实",
}
COLUMN_NAMES: Final = {
    "enterprise_id": "企业编号",
    "liaison": "联络员",
    "leader": "分管领导",
    "contact_phone": "联系电话",
    "contact_name": "联系人",
    "employees": "职工数",
    "grid": "网格",
    "area": "管理区",
    "name": "企业名称",
    "role": "角色",
    "on_leave": "请假",
    "grid_chief": "网格长",
    "grid_member": "网格员",
}


def remark(one: Remark) -> str:
    column = COLUMN_NAMES.get(one.column, one.column)
    value = f"「{one.value}」" if one.value and one.problem is not Problem.DUPLICATE else ""
    return f"第{one.row}行 {one.firm} {column}{value}：{_WHY[one.problem]}"


def why(problem: Problem) -> str:
    return _WHY[problem]


def summary(report: Report, dry_run: bool) -> str:
    head = "试导入（没有保存）" if dry_run else "导入完成"
    return (
        f"{head}：新增 {len(report.created)}，更改 {len(report.changed)}，"
        f"不变 {report.unchanged}，未采纳 {len(report.rejected)} 行，需核实 {len(report.remarks)} 处。"
    )


def changed(name: str, columns: tuple[str, ...]) -> str:
    return f"更改 {name}：{'、'.join(COLUMN_NAMES.get(c, c) for c in columns)}"


def created(name: str) -> str:
    return f"新增 {name}"


def told_office(report: Report) -> str:
    """What the office hears of an import that left questions open."""
    lines = [remark(r) for r in (*report.remarks, *report.rejected)]
    return "名册导入有待核实：\n" + "\n".join(lines[:20])


NO_HEADER: Final = "没有找到表头，请核对文件（要有企业名称、联系人、联络员等列）。"
EXPORTED: Final = "已导出"
