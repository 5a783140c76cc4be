"""Tables in files: encodings, kinds, and cells that look like formulas."""

import pytest

from bot.files import UnreadableFile, read_rows, write_table

ROWS = [{"名称": "泓曜精密", "说明": "=1+1"}, {"名称": "青昀", "说明": "@小周"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_is_read_in_every_encoding_an_office_saves(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes('企业名称,联系人\r\n"泓曜\n精密",张经理\r\n通海,张总\r\n'.encode(encoding))
    assert read_rows(path)[1:] == [(2, ["泓曜\n精密", "张经理"]), (3, ["通海", "张总"])]


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_what_was_written_is_read_back_equal(tmp_path, name):
    write_table(tmp_path / name, ["名称", "说明"], ROWS)
    assert [cells for _, cells in read_rows(tmp_path / name)] == [
        ["名称", "说明"], ["泓曜精密", "=1+1"], ["青昀", "@小周"],
    ]  # fmt: skip


def test_no_cell_of_a_written_file_is_a_formula(tmp_path):
    from openpyxl import load_workbook

    write_table(tmp_path / "a.csv", ["名称", "说明"], ROWS)
    assert "泓曜精密,'=1+1" in (tmp_path / "a.csv").read_text("utf-8-sig")
    write_table(tmp_path / "a.xlsx", ["名称", "说明"], ROWS)
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert {c.data_type for row in sheet.iter_rows() for c in row} == {"s"}


def test_a_file_that_is_no_table_is_refused_with_a_cure(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"no workbook")
    with pytest.raises(UnreadableFile, match="另存为"):
        read_rows(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableFile, match="没有找到"):
        read_rows(tmp_path / "b.csv")
