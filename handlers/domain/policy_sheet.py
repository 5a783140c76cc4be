"""Policies out of files: a table with one policy a row, or one document. What is unclear is said, not guessed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from handlers.domain.category import LABELS, Category
from handlers.domain.policy_library import PolicyEntry, Whom, bare_number

LONGEST: Final = 20_000
_COLUMNS: Final = {
    "title": "政策名称 政策标题 标题 名称 文件名称 文件标题 政策",
    "number": "文号 文件号 发文字号 政策文号 文件编号",
    "issuer": "发文单位 发文机关 发布单位 发文部门 部门 主管部门 单位",
    "issued_on": "发文日期 印发日期 发布日期 发文时间 成文日期",
    "valid_from": "施行日期 生效日期 有效期起 开始日期 执行日期 施行时间",
    "expires_on": "有效期至 失效日期 有效期止 截止日期 到期日期 有效期",
    "apply_from": "申报开始 申报起 申报开始日期 受理开始",
    "apply_by": "申报截止 申报止 申报截止日期 申报期限 受理截止 截止时间",
    "benefit": "优惠内容 补贴标准 支持内容 奖补标准 扶持标准 享受内容",
    "industries": "行业 适用行业",
    "scales": "规模 适用规模",
    "areas": "管理区 适用区域 区域 片区",
    "tags": "标签 企业类型 适用标签 适用类型",
    "staff_least": "职工人数下限 人数下限",
    "staff_most": "职工人数上限 人数上限",
    "output_least": "产值下限 产值下限(万元)",
    "output_most": "产值上限 产值上限(万元)",
    "materials": "申报材料 材料 材料清单 所需材料",
    "no_apply": "免申即享 是否免申",
    "contact": "联系方式 咨询电话 联系人 联系电话 咨询方式",
    "source_url": "来源 网址 链接 原文链接 来源链接",
    "attachments": "附件",
    "checked_on": "核对日期 复核日期",
    "summary": "摘要 概要 简介 政策摘要",
    "text": "正文 内容 政策内容 全文 政策正文",
    "keywords": "关键词 关键字",
    "category": "类别 分类 类型",
    "successor": "接替文件 替代文件 被替代 取代文件 新文件 由哪份文件接替",
}
_NAMES: Final = {word: field for field, words in _COLUMNS.items() for word in words.split()}
COLUMNS: Final = tuple(words.split()[0] for words in _COLUMNS.values())
_DATES: Final = ("issued_on", "valid_from", "expires_on", "apply_from", "apply_by", "checked_on")
_COUNTS: Final = ("staff_least", "staff_most", "output_least", "output_most")
_LISTS: Final = ("industries", "scales", "areas", "tags", "keywords", "attachments")
_BETWEEN: Final = re.compile(r"[、,，;；/\s]+")
_DATE: Final = re.compile(r"(20\d\d)\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?(?:\s.*)?")
_OPEN: Final = frozenset({"", "无", "长期", "长期有效", "不限", "-", "—", "/", "暂无", "待定"})
_YES: Final = frozenset({"是", "免申即享", "√", "y", "yes", "1", "true", "免申"})
_COUNT: Final = re.compile(r"(\d[\d,，]*)\s*(?:人|万元?|名)?")
_LABEL: Final = re.compile(r"\s*[【\[]?([^：:\]】\s]{2,10})[】\]]?\s*[：:]\s*(.*)", re.DOTALL)
_DOCUMENT_NUMBER: Final = re.compile(
    r"[\u4e00-\u9fff]{2,10}[〔\[(（【]20\d\d[〕\])）】]\s*\d{1,4}\s*号"
)
_CATEGORIES: Final = {
    **{label: category for category, label in LABELS.items()},
    "用工就业": Category.LAB,
    "就业": Category.LAB,
    "融资金融": Category.FIN,
    "金融": Category.FIN,
    "用地厂房": Category.LND,
    "水电气热": Category.ENE,
    "能源": Category.ENE,
    "物流运输": Category.LOG,
    "安全生产": Category.SAF,
    "政策兑现与申报": Category.POL,
    "行政审批": Category.APR,
    "知识产权": Category.TEC,
    "外贸": Category.TRD,
    "外贸通关": Category.TRD,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; `problem` names the sentence."""

    row: int
    name: str
    problem: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """An entry as a file has it; `given` names the fields it speaks of, `successor` is what it names."""

    row: int
    entry: PolicyEntry
    given: frozenset[str]
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    policies: tuple[ReadPolicy, ...]
    rejected: tuple[Problem, ...]
    remarks: tuple[Problem, ...]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).replace("（", "(").replace("）", ")")


def from_rows(rows: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    """A table's policies; raises ValueError where no header is found."""
    head, columns = _header(rows)
    reading = _Reading()
    for number, cells in rows[head + 1 :]:
        given = {
            field: cells[n].strip() for n, field in columns.items() if n < len(cells) and field
        }
        if any(given.values()):
            reading.take(number, given)
    return reading.sheet()


def _header(rows: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, dict[int, str]]:
    for at, (_, cells) in enumerate(rows[:10]):
        columns = {n: _NAMES[_squeezed(c)] for n, c in enumerate(cells) if _squeezed(c) in _NAMES}
        fields = set(columns.values())
        if "title" in fields and fields & {"text", "summary", "benefit"}:
            # The first column of a name counts where two have the same one.
            taken: set[str] = set()
            first = {}
            for n, field in columns.items():
                if field not in taken:
                    taken.add(field)
                    first[n] = field
            return at, first
    raise ValueError("no header")


def from_paragraphs(paragraphs: Sequence[tuple[int, str]]) -> Sheet:
    """One document: labelled lines (文号：…) are fields, the rest is its text."""
    given: dict[str, str] = {}
    body: list[str] = []
    first = 1
    for number, text in paragraphs:
        text = text.strip()
        if not text:
            continue
        label = _LABEL.fullmatch(text)
        field = None if label is None else _NAMES.get(_squeezed(label.group(1)))
        if label is not None and field is not None and not (field == "text" and body):
            if field == "text":
                if label.group(2):
                    body.append(label.group(2).strip())
            else:
                given.setdefault(field, label.group(2).strip())
            continue
        if not given.get("title") and not body:
            given["title"], first = text, number
            continue
        if "number" not in given and len(text) <= 30:
            alone = _DOCUMENT_NUMBER.fullmatch(text)
            if alone is not None:
                given["number"] = text
                continue
        body.append(text)
    if "text" not in given:
        given["text"] = "\n".join(body)
    if "number" not in given:
        within = _DOCUMENT_NUMBER.search(given.get("title", ""))
        if within is not None:
            given["number"] = within.group()
    reading = _Reading()
    reading.take(first, given)
    return reading.sheet()


# As programs name the fields, where that is not the entry's own word.
_NESTED: Final = "for"
_ALIASES: Final = {"valid_to": "expires_on", "superseded_by": "successor"}
FIELDS: Final = (frozenset(_COLUMNS) | set(_ALIASES) | {_NESTED}) - {
    *_ALIASES.values(), "industries", "scales", "areas", "tags", *_COUNTS,
}  # fmt: skip


def from_items(items: Sequence[Mapping[str, object]]) -> Sheet:
    """Policies as programs write them; an item may name its successor by that one's `id` there."""
    keys = {str(i["id"]): i for i in items if i.get("id") is not None}
    reading = _Reading()
    for row, item in enumerate(items, 1):
        given: dict[str, str] = {}
        nested = item.get(_NESTED)
        whom = nested if isinstance(nested, Mapping) else {}
        for name, value in (*item.items(), *whom.items()):
            field = _ALIASES.get(name, name)
            if field in _COLUMNS:
                given[field] = _as_text(value)
        after = keys.get(given.get("successor", ""))
        if after is not None:
            given["successor"] = _as_text(after.get("number") or after.get("title"))
        reading.take(row, given)
    return reading.sheet()


def _as_text(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "是"
    if isinstance(value, (list, tuple)):
        return "、".join(str(v) for v in value)
    return str(value).strip()


class _Reading:
    def __init__(self) -> None:
        self._policies: list[ReadPolicy] = []
        self._rejected: list[Problem] = []
        self._remarks: list[Problem] = []
        self._seen: dict[str, int] = {}

    def sheet(self) -> Sheet:
        return Sheet(tuple(self._policies), tuple(self._rejected), tuple(self._remarks))

    def take(self, row: int, given: dict[str, str]) -> None:
        title = " ".join(given.get("title", "").split()).strip("《》")
        if not title:
            self._rejected.append(Problem(row, "", "no_title"))
            return
        values: dict[str, object] = {"title": title}
        whom: dict[str, object] = {}
        for field, said in given.items():
            if field in ("title", "successor"):
                continue
            value = self._value(row, title, field, said)
            if field in Whom.__dataclass_fields__:
                whom[field] = value
            else:
                values[field] = value
        values["whom"] = Whom(**whom)  # type: ignore[arg-type]  # each by its own reader
        if not str(values.get("summary") or values.get("benefit") or values.get("text") or ""):
            self._rejected.append(Problem(row, title, "no_text"))
            return
        if not values.get("summary") and not values.get("text"):
            values["summary"] = values["benefit"]
        entry = PolicyEntry(**values)  # type: ignore[arg-type]
        if any(
            a is not None and b is not None and a > b
            for a, b in (
                (entry.valid_from, entry.expires_on),
                (entry.apply_from, entry.apply_by),
            )
        ):
            self._rejected.append(Problem(row, title, "dates_turned"))
            return
        key = bare_number(entry.number) or f"{entry.title}|{entry.issuer}"
        if key in self._seen:
            self._rejected.append(Problem(row, title, "repeated", str(self._seen[key])))
            return
        self._seen[key] = row
        fields = {f for f in given if f not in Whom.__dataclass_fields__} - {"successor"}
        if whom:
            fields.add("whom")
        if values.get("summary"):
            fields.add("summary")
        successor = given.get("successor", "").strip()
        self._policies.append(
            ReadPolicy(row, entry, frozenset(fields), "" if successor in _OPEN else successor)
        )

    def _value(self, row: int, title: str, field: str, said: str) -> object:
        if field in _DATES:
            return self._date(row, title, said)
        if field in _COUNTS:
            return self._count(row, title, said)
        if field in _LISTS:
            return tuple(w for w in _BETWEEN.split(said) if w and w not in _OPEN)
        if field == "no_apply":
            return said.strip().lower() in _YES
        if field == "category":
            return self._category(row, title, said)
        if field == "source_url" and said not in _OPEN:
            if not re.match(r"https?://\S+$", said):
                self._remarks.append(Problem(row, title, "bad_url", said))
                return ""
        if said in ("无", "-", "—", "/"):
            return ""
        if len(said) > LONGEST:
            self._remarks.append(Problem(row, title, "cut", said))
            return said[:LONGEST]
        return said

    def _date(self, row: int, title: str, said: str) -> date | None:
        if said in _OPEN:
            return None
        found = _DATE.fullmatch(said.strip())
        if found is not None:
            try:
                return date(*(int(n) for n in found.groups()))
            except ValueError:
                pass
        self._remarks.append(Problem(row, title, "bad_date", said))
        return None

    def _count(self, row: int, title: str, said: str) -> int | None:
        if said in _OPEN:
            return None
        found = _COUNT.fullmatch(said.strip())
        if found is None:
            self._remarks.append(Problem(row, title, "bad_number", said))
            return None
        return int(re.sub(r"\D", "", found.group(1)))

    def _category(self, row: int, title: str, said: str) -> Category | None:
        if said in _OPEN:
            return None
        if said.upper() in set(Category):
            return Category(said.upper())
        if said in _CATEGORIES:
            return _CATEGORIES[said]
        self._remarks.append(Problem(row, title, "bad_category", said))
        return None
