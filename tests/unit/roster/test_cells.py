"""Cells and rows of a roster file, cleaned without a database."""

import pytest

from handlers.domain.roster import Problem, cleaned, grid_in, is_phone, number_in, phones_in, tidy


def sheet(*rows: str):
    return cleaned([(n, row.split("|")) for n, row in enumerate(rows, 1)])


@pytest.mark.parametrize(
    ("cell", "number"),
    [("610人", 610), ("2,100", 2100), ("约140", 140), ("320", 320), ("若干", None), ("三百", None)],
)
def test_staff_is_read_from_the_ways_people_write_it(cell, number):
    assert number_in(cell) == number


@pytest.mark.parametrize(
    ("cell", "grid"),
    [("第一网格", 1), ("第九网格", 9), ("第十二网格", 12), ("7", 7), ("东边", None)],
)
def test_a_grid_is_read_from_numerals_of_both_kinds(cell, grid):
    assert grid_in(cell) == grid


@pytest.mark.parametrize("cell", ["13800001005", "138 0000 1005", "138-0000-1005"])
def test_a_phone_has_one_form(cell):
    assert phones_in(cell) == ["138-0000-1005"]


@pytest.mark.parametrize(
    ("number", "right"),
    [("138-0000-1005", True), ("0513-8888-1234", True), ("88881234", True), ("1380000100", False)],
)
def test_a_number_nobody_can_dial_is_no_phone(number, right):
    assert is_phone(number) is right


def test_width_line_breaks_and_outer_spaces_are_cleaned():
    assert tidy(" 江苏煦纬医疗器械\n有限公司 ") == "江苏煦纬医疗器械有限公司"
    assert tidy("东和半导体设备（南通）有限公司") == "东和半导体设备(南通)有限公司"


def test_title_total_note_and_empty_rows_are_no_firms():
    made = sheet(
        "附件2:联系表|||", "企业名称 |联系人|联系电话|职工数", "甲厂|张经理|138-0000-1000|10",
        "|||", "小计|||10", "乙厂|李总|138-0000-1001|20", "合计|||30", "备注:变动请告知|||",
    )  # fmt: skip
    assert [(r.row, r.values["name"]) for r in made.rows] == [(3, "甲厂"), (6, "乙厂")]


def test_merged_cells_are_carried_down_and_a_new_area_ends_its_grid():
    made = sheet(
        "企业名称|管理区|网格|联系人",
        "甲厂|洪港管理区|第一网格|张",
        "乙厂|||李",
        "丙厂|长洪管理区||王",
    )
    assert [(r.values["area"], r.values["grid"]) for r in made.rows] == [
        ("洪港管理区", "1"), ("洪港管理区", "1"), ("长洪管理区", ""),
    ]  # fmt: skip


def test_a_blank_leader_is_a_gap_and_not_a_merged_cell():
    made = sheet("企业名称|联系人|分管领导", "甲厂|张|曹主任", "乙厂|李|")
    (remark,) = made.rows[1].remarks
    assert (remark.row, remark.problem) == (3, Problem.NO_LEADER)


def test_a_wrong_phone_is_reported_and_not_taken():
    made = sheet("企业名称|联系人|联系电话", "甲厂|张|1380000100")
    (row,) = made.rows
    assert "contact_phone" not in row.values
    assert [r.problem for r in row.remarks] == [Problem.BAD_PHONE]


def test_a_file_without_a_header_is_refused():
    with pytest.raises(ValueError):
        sheet("甲|乙|丙")
