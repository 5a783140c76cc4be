"""Tables in files: .xlsx .xls .csv in, .xlsx and .csv out, never a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES: Final = 20 * 1024 * 1024
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class UnreadableFile(Exception):
    """A file that is no table; the message is Chinese and says what to do."""


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Every row with its number in the file, cells as text; merged cells stay blank."""
    if not path.exists():
        raise UnreadableFile(f"没有找到文件 {path.name}，请核对路径。")
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableFile("文件超过 20 MB，请分开导入。")
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm"):
        return _sheet(path)
    return _csv(path.read_bytes())


def _sheet(path: Path) -> list[tuple[int, list[str]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError):
        raise UnreadableFile("打不开这个表格，请另存为 .xlsx 再导入。") from None
    return [(n, [_cell(c) for c in row]) for n, row in enumerate(rows, 1)]


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _csv(data: bytes) -> list[tuple[int, list[str]]]:
    # Guessing libraries took a short GBK file for Korean; these two cover what offices save.
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        reader = csv.reader(io.StringIO(text, newline=""))
        # Numbered as a spreadsheet shows them: a line break inside a cell is no new row.
        return [(n, [_unguarded(c) for c in row]) for n, row in enumerate(reader, 1)]
    raise UnreadableFile("看不懂文件的编码，请另存为 UTF-8 或 GBK 的 CSV。")


# What a document may unpack to: text of that length is no policy.
_MOST_UNPACKED: Final = 50 * 1024 * 1024


def read_paragraphs(path: Path) -> list[tuple[int, str]]:
    """The paragraphs of a .docx or a text file with their numbers, tables' cells among them."""
    if not path.exists():
        raise UnreadableFile(f"没有找到文件 {path.name}，请核对路径。")
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableFile("文件超过 20 MB，请分开导入。")
    if path.suffix.lower() != ".docx":
        return list(enumerate(_decoded(path.read_bytes()).splitlines(), 1))
    import zipfile

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        with zipfile.ZipFile(path) as package:
            part = package.getinfo("word/document.xml")
            if part.file_size > _MOST_UNPACKED:
                raise UnreadableFile("文件内容过大，请分开导入。")
            root = fromstring(package.read(part))
    except (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException, OSError):
        raise UnreadableFile("打不开这个文档，请另存为 .docx 或 .txt 再导入。") from None
    found = [
        "".join(
            "\n" if _kind(node) == "br" else node.text or ""
            for node in paragraph.iter()
            if _kind(node) in ("t", "br")
        )
        for paragraph in root.iter()
        if _kind(paragraph) == "p"
    ]
    return list(enumerate(found, 1))


def _kind(node: "Element") -> str:
    """The element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("看不懂文件的编码，请另存为 UTF-8 或 GBK。")


def safe_cell(value: str) -> str:
    """No exported cell is run as a formula (property 49)."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _unguarded(value: str) -> str:
    """What `safe_cell` was given, so that an export read back is equal."""
    return value[1:] if value.startswith("'") and value[1:].startswith(_FORMULA) else value


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write .xlsx or .csv by the file's ending."""
    if path.suffix.lower() == ".xlsx":
        _write_xlsx(path, columns, rows)
        return
    write_csv(path, columns, rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([safe_cell(row.get(c, "")) for c in columns])


def _write_xlsx(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(columns))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    widths = [len(c) for c in columns]
    for row in rows:
        cells = [row.get(c, "") for c in columns]
        sheet.append(cells)
        for n, value in enumerate(cells):
            cell = sheet.cell(sheet.max_row, n + 1)
            cell.data_type = "s"
            widths[n] = max(widths[n], min(len(value) * 2, 40))
    for n, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(n)].width = width + 2
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    book.save(path)
