"""Files as offices keep them: what is clear is taken, what is not is named with its row."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.category import Category
from handlers.domain.policy_sheet import COLUMNS, Problem, from_items, from_paragraphs, from_rows
from handlers.texts import policies as say

HEAD = ["政策名称", "文号", "发文单位", "施行日期", "有效期至", "行业", "职工人数下限", "免申即享", "来源", "类别", "摘要", "正文", "接替文件"]  # fmt: skip


def row(number: int, *cells: str) -> tuple[int, list[str]]:
    return number, [*cells, *[""] * (len(HEAD) - len(cells))]


def test_a_messy_table_gives_what_is_clear_and_names_the_rest() -> None:
    sheet = from_rows(
        [
            (1, ["惠企政策汇编（2026年）"]),
            (2, ["政策名称 ", *HEAD[1:]]),
            row(3, "《技改补助》", "通开经发〔2026〕8号", "经发局", "2026年7月1日", "长期", "制造业、化工",
                "20人", "否", "https://www.example.com/a", "科技", "补8%", "设备投入300万元以上补8%"),
            row(4, "", "无号", "经发局", "", "", "", "", "", "", "", "有摘要"),
            row(5, "没有内容的政策", "通开〔2026〕9号"),
            row(6, "日期写错", "通开〔2026〕10号", "", "2026-13-40", "明年底", "", "若干", "是", "见公众号", "杂项", "摘要"),
            row(7, "日期颠倒", "通开〔2026〕11号", "", "2027-01-01", "2026/1/1", "", "", "", "", "", "摘要"),
            row(8, "技改补助", "通开经发[2026]8号", "经发局", "", "", "", "", "", "", "", "又一遍"),
            row(9),
        ]
    )  # fmt: skip
    first, wrong = sheet.policies
    entry = first.entry
    assert (entry.title, entry.number) == ("技改补助", "通开经发〔2026〕8号")
    assert (entry.valid_from, entry.expires_on) == (date(2026, 7, 1), None)
    assert (entry.whom.industries, entry.whom.staff_least) == (("制造业", "化工"), 20)
    assert entry.category is Category.TEC
    assert not entry.no_apply
    assert wrong.entry.no_apply
    assert wrong.entry.valid_from is None
    assert [(p.row, p.problem, p.value) for p in sheet.rejected] == [
        (4, "no_title", ""),
        (5, "no_text", ""),
        (7, "dates_turned", ""),
        (8, "repeated", "3"),
    ]
    assert [(p.row, p.problem, p.value) for p in sheet.remarks] == [
        (6, "bad_date", "2026-13-40"),
        (6, "bad_date", "明年底"),
        (6, "bad_number", "若干"),
        (6, "bad_url", "见公众号"),
        (6, "bad_category", "杂项"),
    ]
    for problem in (*sheet.rejected, *sheet.remarks):
        assert "{" not in say.import_reason(problem.problem, problem.value)


def test_a_table_without_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="no header"):
        from_rows([(1, ["甲", "乙"]), (2, ["技改补助", "正文"])])
    with pytest.raises(ValueError, match="no header"):
        from_rows([])


@pytest.mark.parametrize("said", ["2026-03-01", "2026/3/1", "2026年3月1日", "2026.3.1", "20260301", "2026-03-01 00:00:00"])  # fmt: skip
def test_a_date_is_read_however_it_is_written(said: str) -> None:
    sheet = from_rows([(1, HEAD), row(2, "甲", "", "", said, "", "", "", "", "", "", "摘要")])
    assert sheet.policies[0].entry.valid_from == date(2026, 3, 1)
    assert sheet.remarks == ()


def test_a_document_is_one_policy_with_its_labelled_lines_and_its_text() -> None:
    sheet = from_paragraphs(
        [
            (1, "企业应急转贷资金管理办法"),
            (2, "通开财金〔2026〕6号"),
            (3, ""),
            (4, "发文单位：开发区财政局"),
            (5, "施行日期：2026年3月1日"),
            (6, "第一条：企业贷款到期前可申请应急转贷资金。"),
            (7, "单笔最高2000万元，日费率万分之二。"),
        ]
    )
    entry = sheet.policies[0].entry
    assert (entry.title, entry.number) == ("企业应急转贷资金管理办法", "通开财金〔2026〕6号")
    assert (entry.issuer, entry.valid_from) == ("开发区财政局", date(2026, 3, 1))
    assert entry.text == (
        "第一条：企业贷款到期前可申请应急转贷资金。\n单笔最高2000万元，日费率万分之二。"
    )


def test_an_empty_document_says_so() -> None:
    assert from_paragraphs([]).rejected == (Problem(1, "", "no_title"),)
    assert from_paragraphs([(1, "只有标题")]).rejected == (Problem(1, "只有标题", "no_text"),)


def test_items_name_their_successor_by_the_id_they_have_there() -> None:
    sheet = from_items(
        [
            {"id": "p1", "title": "旧办法", "text": "旧", "superseded_by": "p2", "valid_to": "2026-03-31"},
            {"id": "p2", "title": "新办法", "number": "通开〔2026〕6号", "text": "新",
             "for": {"scales": ["规上"], "tags": []}, "no_apply": True, "apply_by": None},
        ]
    )  # fmt: skip
    old, new = sheet.policies
    assert (old.successor, old.entry.expires_on) == ("通开〔2026〕6号", date(2026, 3, 31))
    assert new.entry.whom.scales == ("规上",)
    assert new.entry.no_apply


@given(st.lists(st.lists(st.text(max_size=30), max_size=len(COLUMNS)), max_size=6))
def test_any_cells_are_taken_or_named_and_never_raise(rows: list[list[str]]) -> None:
    sheet = from_rows([(1, list(COLUMNS)), *enumerate(rows, 2)])
    told = {p.row for p in sheet.policies} | {p.row for p in sheet.rejected}
    full = {n for n, cells in enumerate(rows, 2) if any(c.strip() for c in cells)}
    assert told == full
