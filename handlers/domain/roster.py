"""Rows of a roster file -> clean values and a list of everything that needs a person's eye."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

COLUMNS: Final = [
    "enterprise_id",
    "full_name",
    "short_name",
    "aliases",
    "industry",
    "area",
    "grid",
    "employees",
    "scale",
    "hazardous",
    "contact_name",
    "contact_phone",
    "liaison",
    "leader",
    "grid_chief",
    "grid_member",
    "from_seed",
    "group",
]
PEOPLE_COLUMNS: Final = [
    "person_id",
    "name",
    "role",
    "title_cn",
    "area",
    "grid",
    "phone",
    "backup_person_id",
    "on_leave",
]
PEOPLE_EXTRA: Final = ("department", "on_duty")

_HEADINGS: Final[Mapping[str, str]] = {
    **{name: name for name in (*COLUMNS, *PEOPLE_COLUMNS, *PEOPLE_EXTRA)},
    "企业编号": "enterprise_id",
    "编号": "enterprise_id",
    "企业名称": "name",
    "单位名称": "name",
    "企业全称": "full_name",
    "全称": "full_name",
    "企业简称": "short_name",
    "简称": "short_name",
    "别名": "aliases",
    "行业": "industry",
    "所属行业": "industry",
    "管理区": "area",
    "片区": "area",
    "网格": "grid",
    "职工数": "employees",
    "职工人数": "employees",
    "人数": "employees",
    "规模": "scale",
    "危化": "hazardous",
    "是否危化": "hazardous",
    "联系人": "contact_name",
    "联系电话": "contact_phone",
    "电话": "contact_phone",
    "挂钩联络员": "liaison",
    "联络员": "liaison",
    "分管领导": "leader",
    "挂钩领导": "leader",
    "网格长": "grid_chief",
    "网格员": "grid_member",
    "群": "group",
    "微信群": "group",
    "序号": "serial",
    "人员编号": "person_id",
    "姓名": "name",
    "角色": "role",
    "职务": "title_cn",
    "手机": "phone",
    "B岗": "backup_person_id",
    "请假": "on_leave",
    "部门": "department",
    "值班": "on_duty",
}
_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")}
_ENDS: Final = ("合计", "小计", "总计", "备注", "注:", "填报", "附件", "说明", "制表")
_UNSET: Final = frozenset({"待定", "暂无", "无", "-", "/", "未定", "空缺"})
_MERGED: Final = ("area", "grid")


class Problem(StrEnum):
    """Why a cell or row was not taken as it stands."""

    NO_LIAISON = "no_liaison"
    NO_LEADER = "no_leader"
    SEVERAL_PEOPLE = "several_people"
    UNKNOWN_PERSON = "unknown_person"
    NO_PHONE = "no_phone"
    SEVERAL_PHONES = "several_phones"
    BAD_PHONE = "bad_phone"
    BAD_NUMBER = "bad_number"
    ABOUT = "about"
    BAD_GRID = "bad_grid"
    DUPLICATE = "duplicate"
    CONTRADICTS = "contradicts"
    NO_NAME = "no_name"
    SEVERAL_FIRMS = "several_firms"
    BAD_ROLE = "bad_role"
    OTHER_ID = "other_id"
    BAD_DATES = "bad_dates"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a person has to look at: where, what stood there, why."""

    row: int
    firm: str
    column: str
    value: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class CleanRow:
    """A row after cleaning; a column that the file does not have is absent from `values`."""

    row: int
    values: Mapping[str, str]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A roster or people file, read and cleaned."""

    columns: tuple[str, ...]
    rows: tuple[CleanRow, ...]
    rejected: tuple[Remark, ...] = ()
    is_people: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did or would do."""

    created: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unchanged: int = 0
    remarks: tuple[Remark, ...] = field(default=())
    rejected: tuple[Remark, ...] = field(default=())


def tidy(cell: str) -> str:
    """One width, no line breaks or outer spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell.replace("\n", ""))).strip()


def firm_key(name: str) -> str:
    """A firm's name as it is compared: brackets of one kind, no spaces."""
    return re.sub(r"\s", "", tidy(name)).replace("（", "(").replace("）", ")")


def number_in(cell: str) -> int | None:
    """610人, 2,100, 约140 -> the number; None where there is none."""
    digits = re.sub(r"[,，\s]", "", cell)
    found = re.fullmatch(r"(?:约|近|共)?(\d+)(?:人|名|个)?", digits)
    return int(found.group(1)) if found else None


def grid_in(cell: str) -> int | None:
    """1, 第一网格, 第十二网格 -> the number."""
    core = re.sub(r"[第网格号\s]", "", cell)
    if core.isdigit():
        return int(core)
    if core in _DIGITS:
        return _DIGITS[core]
    ten = re.fullmatch(r"([二三])?十([一二三四五六七八九])?", core)
    if ten is None:
        return None
    return _DIGITS.get(ten.group(1) or "一", 1) * 10 + _DIGITS.get(ten.group(2) or "零", 0)


def phones_in(cell: str) -> list[str]:
    """The phone numbers of a cell as 138-0000-1000; landlines as they stand."""
    found = []
    for part in re.split(r"[/、;；,，]|(?<=\d{4}) (?=1\d{2}[-\s]?\d{4}[-\s]?\d{4})", tidy(cell)):
        digits = re.sub(r"\D", "", part)
        if len(digits) == 11 and digits.startswith("1"):
            found.append(f"{digits[:3]}-{digits[3:7]}-{digits[7:]}")
        elif digits:
            found.append(tidy(part))
    return found


def is_phone(number: str) -> bool:
    """A mobile, a landline with or without its area code, or a 400 number."""
    digits = re.sub(r"\D", "", number)
    return bool(re.fullmatch(r"1\d{10}|0\d{9,15}|[2-9]\d{6,7}|400\d{7}", digits))


def area_in(cell: str) -> str:
    """洪港 -> 洪港管理区."""
    return cell if not cell or cell.endswith("管理区") else f"{cell}管理区"


def cleaned(rows: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    """Find the header, drop what is no row, carry merged cells down, clean every cell.

    Raises ValueError where no header is found.
    """
    header: list[str] = []
    start = 0
    has_merged_cells = True
    for index, (_, cells) in enumerate(rows):
        names = [_HEADINGS.get(tidy(c), "") for c in cells]
        if sum(1 for n in names if n) >= 3:
            header, start = names, index + 1
            # Our own export has no merged cells: a blank there says that nothing is known.
            has_merged_cells = not any(tidy(c) == "enterprise_id" for c in cells)
            break
    if not header:
        raise ValueError("no header")
    is_people = "person_id" in header or ("role" in header and "enterprise_id" not in header)
    carried: dict[str, str] = {}
    seen: dict[tuple[str, ...], int] = {}
    kept: list[CleanRow] = []
    rejected: list[Remark] = []
    for number, cells in rows[start:]:
        values = {name: tidy(cell) for name, cell in zip(header, cells, strict=False) if name}
        if not any(values.values()) or _is_note(cells):
            continue
        if is_people:
            kept.append(CleanRow(number, values))
            continue
        if values.get("area") and values["area"] != carried.get("area"):
            # A grid lies in one area, so a new area ends what the cells above said of it.
            carried.pop("grid", None)
        for column in _MERGED:
            if has_merged_cells and column in values:
                values[column] = values[column] or carried.get(column, "")
                carried[column] = values[column]
        name = values.get("name") or values.get("full_name") or values.get("short_name", "")
        if not name:
            rejected.append(Remark(number, "", "name", "", Problem.NO_NAME))
            continue
        same = tuple(v for k, v in sorted(values.items()) if k not in ("serial", *_MERGED))
        if same in seen:
            rejected.append(Remark(number, name, "name", f"{seen[same]}", Problem.DUPLICATE))
            continue
        seen[same] = number
        kept.append(_clean(number, name, values))
    columns = tuple(dict.fromkeys(n for n in header if n and n != "serial"))
    return Sheet(columns, tuple(kept), tuple(rejected), is_people)


def _is_note(cells: Sequence[str]) -> bool:
    first = next((tidy(c) for c in cells if tidy(c)), "")
    return first.startswith(_ENDS)


def _phone_problem(phones: Sequence[str]) -> Problem | None:
    if not phones:
        return Problem.NO_PHONE
    if not all(is_phone(p) for p in phones):
        return Problem.BAD_PHONE
    return Problem.SEVERAL_PHONES if len(phones) > 1 else None


def _clean(number: int, name: str, values: dict[str, str]) -> CleanRow:
    remarks: list[Remark] = []

    def remark(column: str, problem: Problem) -> None:
        remarks.append(Remark(number, name, column, values.get(column, ""), problem))

    clean = {k: v for k, v in values.items() if k != "serial"}
    if "area" in clean:
        clean["area"] = area_in(clean["area"])
    if clean.get("grid"):
        grid = grid_in(clean["grid"])
        if grid is None:
            remark("grid", Problem.BAD_GRID)
            del clean["grid"]
        else:
            clean["grid"] = str(grid)
    if clean.get("employees"):
        count = number_in(clean["employees"])
        if count is None:
            remark("employees", Problem.BAD_NUMBER)
            del clean["employees"]
        else:
            if clean["employees"].startswith(("约", "近")):
                # An estimate does not replace what is known; a new firm takes it.
                remark("employees", Problem.ABOUT)
                clean["employees_about"] = str(count)
                del clean["employees"]
            else:
                clean["employees"] = str(count)
    if "contact_phone" in clean:
        phones = phones_in(clean["contact_phone"])
        problem = _phone_problem(phones)
        if problem is not None:
            remark("contact_phone", problem)
        if problem in (Problem.NO_PHONE, Problem.BAD_PHONE):
            del clean["contact_phone"]
        else:
            clean["contact_phone"] = phones[0]
    for column, missing in (("liaison", Problem.NO_LIAISON), ("leader", Problem.NO_LEADER)):
        if column not in clean:
            continue
        named = clean[column]
        if not named or named in _UNSET:
            remark(column, missing)
            clean[column] = ""
        elif re.search(r"[、,，/;；]", named):
            remark(column, Problem.SEVERAL_PEOPLE)
            clean[column] = ""
    return CleanRow(number, clean, tuple(remarks))
