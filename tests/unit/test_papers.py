"""The office's papers: every name has its letters, nothing is cut, one page is one page."""

import csv
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image

from bot.papers import charts, fonts, prints, workbook
from bot.papers.look import SERIES, token
from bot.papers.picture import WIDE, png
from handlers.domain.workdays import SHANGHAI
from handlers.texts.briefs import (
    TICKET_COLUMNS,
    Paper,
    Section,
    as_text,
    fair_shares,
    names_in,
    told_once,
)

CORPUS = Path(__file__).parents[1] / "corpus"
LONG = "年底续贷要压三百万，银行催得急，还要追加担保"


def _row(number: int) -> tuple[str, ...]:
    return (
        f"#{number}",
        "东和半导体设备",
        LONG[:20],
        "许主任",
        "联络员小周",
        "超期23个工作日5小时",
        "=SUM(A1:A9) 已联系人社局，周三组织专场招聘会后再答复企业",
        f"改派 {number} 姓名 理由",
    )


def _section(key: str, title: str, first: int, count: int) -> Section:
    rows = tuple(_row(n) for n in range(first, first + count))
    return Section(key, title, title, count, TICKET_COLUMNS, rows)


BUSY = Paper(
    "【日调度】11月24日 周二",
    ("值班：办公室值班　截至08:20", "自昨天 08:20：新增6　认领5", "在办146：待认领16　办理中112"),
    tuple((name, "128") for name in ("新增", "认领", "办结", "销号", "重办", "在办", "超期", "到期")),
    (
        _section("red", "红色提级", 1001, 14),
        _section("orange", "橙色提级", 1101, 15),
        _section("yellow", "黄色超期", 1201, 99),
        _section("urgent", "特急和紧急", 1001, 14),
        Section(
            "common", "共性问题", "共性问题", 3, ("类别", "问题", "次数", "企业", "工单"),
            tuple(("水电气", "整条线停电停产", "18次16家", "茂屿食品、煦纬医疗等", "#1067") for _ in range(3)),
        ),
        Section("silent", "久未联系的企业", "久未联系", 45, ("企业",), tuple(("玖晟电子",) for _ in range(45))),
    ),
    "回复「看 超期」看名单。",
)  # fmt: skip
EMPTY = Paper("【日调度】11月24日 周二", (), (), (), empty="【日调度】11月24日 周二 今日无在办事项")


def _names() -> list[str]:
    found: list[str] = []
    for file in ("roster.csv", "people.csv"):
        with (CORPUS / file).open(encoding="utf-8-sig") as opened:
            found.extend(cell for row in csv.reader(opened) for cell in row)
    return found


def test_every_name_of_the_registry_has_its_letters() -> None:
    assert fonts.missing(_names()) == set()


def test_five_hundred_rare_names_have_their_letters() -> None:
    names = (CORPUS / "rare_names.txt").read_text(encoding="utf-8").split()
    assert len(set(names)) == 500
    assert fonts.missing(names) == set()
    # People are called by these too, though no standard table has them.
    assert fonts.missing(["䶮", "𬭎", "㵘", "㐂", "𠮷"]) == set()
    # The check itself finds what is not there.
    assert fonts.missing(["\U0001f600"]) == {"\U0001f600"}


def test_the_font_is_small_enough_to_ship_and_its_licence_lies_beside_it() -> None:
    folder = Path(fonts.__file__).parent / "font"
    assert (folder / fonts.FILE).stat().st_size <= 6_000_000
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("paper", [BUSY, EMPTY], ids=["busy", "empty"])
def test_the_picture_is_1080_wide_and_nothing_reaches_its_edges(paper: Paper) -> None:
    image = Image.open(BytesIO(png(paper)))
    assert image.width == WIDE
    grey = image.convert("L")
    edges = [
        grey.crop((0, 0, 40, grey.height)),
        grey.crop((WIDE - 40, 0, WIDE, grey.height)),
        grey.crop((0, 0, WIDE, 40)),
        grey.crop((0, grey.height - 40, WIDE, grey.height)),
    ]
    assert all(edge.getextrema() == (255, 255) for edge in edges)
    assert grey.getextrema()[0] < 60


def test_a_long_text_is_wrapped_and_says_that_it_goes_on() -> None:
    lines = fonts.wrapped(LONG * 4, 26, 400, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(fonts.width(line, 26) <= 400 for line in lines)
    assert fonts.wrapped("短句", 26, 400) == ["短句"]
    assert not any(line.startswith("，") for line in fonts.wrapped(LONG, 26, 26 * 6 + 1))


@pytest.mark.parametrize(
    ("text", "torn"),
    [
        ("进口Engines报关", ["进口", "Engines报", "关"]),
        ("二号线12月30日", ["二号线12", "月30日"]),
        ("我们厂子1208，", ["我们厂子", "1208，"]),
        ("南通厂房（老洪港）", ["南通厂房", "（老洪港）"]),
        ("customs clearance", ["customs ", "clearance"]),
        ("gov_platform_number", ["gov_platfo", "rm_numb", "er"]),
    ],
)
def test_no_word_or_figure_is_torn_and_no_bracket_ends_a_line(text: str, torn: list[str]) -> None:
    assert fonts.wrapped(text, 20, 101) == torn
    assert "".join(torn) == text


def test_each_ticket_stands_once_under_the_most_pressing_word() -> None:
    sections = told_once(BUSY)
    numbers = [r[0] for s in sections if s.columns is TICKET_COLUMNS for r in s.rows]
    assert len(numbers) == len(set(numbers)) == 128
    assert [s.count for s in sections] == [14, 15, 99, 14, 3, 45]


def test_of_a_list_of_names_none_is_cut_and_the_rest_are_counted() -> None:
    from docx import Document

    def whole(text: str) -> bool:
        return set(text.removesuffix("等45家").split("、")) == {"玖晟电子"}

    paragraphs = Document(BytesIO(prints.docx(BUSY))).paragraphs
    (printed,) = [p.text for p in paragraphs if p.text.startswith("玖晟电子、")]
    assert printed.endswith("等45家")
    assert whole(printed)
    section = BUSY.sections[-1]
    assert names_in(section, lambda text: len(text) <= 20) == "玖晟电子、玖晟电子、玖晟电子等45家"
    assert names_in(section, lambda text: True) == "、".join(["玖晟电子"] * 45)


def test_the_chat_page_never_has_more_than_thirty_lines() -> None:
    assert len(as_text(BUSY).splitlines()) == 30
    assert as_text(EMPTY).splitlines() == ["【日调度】11月24日 周二 今日无在办事项"]


@pytest.mark.parametrize(
    ("wanted", "room", "shares"),
    [
        ([5, 5, 5], 15, [5, 5, 5]),
        ([9, 9, 9], 10, [6, 2, 2]),
        ([1, 9], 4, [1, 3]),
        ([3, 3, 3], 3, [2, 1, 0]),
        ([3], 0, [0]),
        ([3], -2, [0]),
        ([], 5, []),
    ],
)
def test_room_is_shared_two_each_and_then_to_the_most_pressing(
    wanted: list[int], room: int, shares: list[int]
) -> None:
    assert fair_shares(wanted, room) == shares


def test_the_workbook_is_frozen_filtered_wide_enough_and_runs_no_formula() -> None:
    book = load_workbook(BytesIO(workbook.brief_book(BUSY)))
    assert book.sheetnames[:3] == ["总览", "红色提级", "橙色提级"]
    sheet = book["红色提级"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:H15"
    assert sheet.max_row == 15
    assert all(sheet.column_dimensions[c].width >= 8 for c in "ABCDEFGH")
    cells = [cell for one in book for row in one.iter_rows() for cell in row]
    assert all(cell.data_type in ("s", "n") for cell in cells)
    assert sheet["G2"].value.startswith("=SUM")
    assert sheet["G2"].data_type == "s"
    assert sheet["G2"].quotePrefix


def test_a_row_is_as_high_as_its_longest_text() -> None:
    long = "已联系人社局，周三组织专场招聘会后再答复企业。" * 4
    rows = [("短", "一行", long), ("长", long, ""), ("两行", "一\n二", "")]
    table = ("表", ("甲", "乙", "丙"), rows)
    # What is hidden makes no row higher.
    sheet = load_workbook(BytesIO(workbook.book([table], frozenset({"丙"}))))["表"]
    assert [sheet.row_dimensions[n].height for n in (2, 3, 4)] == [None, 60, 30]


def test_an_empty_day_is_one_line_in_the_workbook_too() -> None:
    book = load_workbook(BytesIO(workbook.brief_book(EMPTY)))
    assert [c.value for c in book["总览"]["A"]] == ["总览", EMPTY.empty]


def _height(data: bytes) -> float:
    """How much of the page its fixed rows and lines take, in centimetres."""
    from docx import Document

    document = Document(BytesIO(data))
    used = 0.0
    for paragraph in document.paragraphs:
        spacing = paragraph.paragraph_format.line_spacing
        size = max((r.font.size.cm for r in paragraph.runs if r.font.size), default=0.28)
        # Where no height is fixed, a line of this font is half as high again as its letters.
        used += spacing.cm if spacing is not None and hasattr(spacing, "cm") else size * 1.5
        used += getattr(paragraph.paragraph_format.space_before, "cm", 0.0)
    for table in document.tables:
        for row in table.rows:
            assert row.height is not None
            used += row.height.cm
    return used


@pytest.mark.parametrize("paper", [BUSY, EMPTY], ids=["busy", "empty"])
def test_the_print_fills_one_side_of_a4_at_most(paper: Paper) -> None:
    from docx import Document

    data = prints.docx(paper)
    section = Document(BytesIO(data)).sections[0]
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)
    room = section.page_height.cm - section.top_margin.cm - section.bottom_margin.cm
    assert _height(data) <= room
    if paper is BUSY:
        assert _height(data) > 0.8 * room


def test_the_print_takes_the_chinese_font_for_chinese_and_cuts_nothing_inside_a_cell() -> None:
    from docx import Document
    from docx.oxml.ns import qn

    document = Document(BytesIO(prints.docx(BUSY)))
    set_to = document.styles["Normal"].element.rPr.rFonts.get(qn("w:eastAsia"))
    assert set_to == fonts.FAMILY
    table = document.tables[0]
    for row in table.rows[1:]:
        for cell in row.cells:
            room = (cell.width.cm - 0.2) / 2.54 * 72
            assert len(fonts.wrapped(cell.text, 80, room * 10)) <= 2, cell.text


def test_the_print_says_that_it_is_chinese_keeps_its_words_apart_and_its_last_line_off() -> None:
    from docx import Document
    from docx.oxml.ns import qn

    wide = ("#1", "Schneider Electric", "customs clearance 报关被卡", "", "", "", "", "看 1")
    section = Section("red", "红色提级", "红色提级", 1, TICKET_COLUMNS, (wide,))
    document = Document(BytesIO(prints.docx(replace(BUSY, sections=(section,)))))
    styles = document.styles.element.iter(qn("w:lang"))
    assert {language.get(qn("w:eastAsia")) for language in styles} == {"zh-CN"}
    cells = [cell.text for cell in document.tables[0].rows[1].cells]
    assert cells[1:3] == ["Schneider Electric", "customs clearance 报关被卡"]
    last = document.paragraphs[-1]
    assert last.text == BUSY.foot
    assert last.paragraph_format.space_before.cm > 0.2


def test_the_table_under_a_chart_tells_what_the_bars_are_made_of() -> None:
    from handlers.domain.rates import Mark, Measure, tally
    from handlers.texts.briefs import chart_table, chart_title

    start = datetime(2026, 11, 1, tzinfo=SHANGHAI)
    title = chart_title("solved", "area", start, start + timedelta(days=30))
    assert title == "各片区解决率（2026年11月1日至11月30日）"
    turn = datetime(2026, 12, 1, tzinfo=SHANGHAI)
    over = chart_title("solved", "area", turn, turn + timedelta(days=62))
    assert over == "各片区解决率（2026年12月1日至2027年1月31日）"
    rates = tally(
        Mark(measure, None, start, hit=n < 5)  # type: ignore[arg-type]  # no ticket is looked at
        for measure in (Measure.SOLVED, Measure.FINISHED)
        for n in range(6)
    )
    rows = chart_table("solved", [("洪港", rates), ("长洪", tally([]))])
    assert rows == [
        ("", "分子", "分母", "解决率", "回访覆盖率"),
        ("洪港", "5", "6", "83.3%", "83.3%(5/6)"),
        ("长洪", "0", "0", "样本不足", "样本不足(n=0)"),
    ]
    svg = charts.rate_chart(title, [("洪港", rates.solved)], table=rows)
    assert svg.count("83.3%(5/6)") == 3
    assert svg.index("<title>洪港 83.3%(5/6)") < svg.index("回访覆盖率")


def test_a_chart_prints_its_numbers_and_keeps_the_order_it_was_given() -> None:
    svg = charts.bars(
        "各片区响应率",
        [
            charts.Bar("洪港", 80.0, "80.0%(24/30)"),
            charts.Bar("长洪<&", None, "样本不足(n=2)"),
            charts.Bar("东港", 100.0, "100.0%(5/5)"),
        ],
    )
    assert svg.index("洪港") < svg.index("长洪") < svg.index("东港")
    assert "80.0%(24/30)" in svg
    assert "&lt;&amp;" in svg
    assert token("brand").lower() == SERIES[0].lower()
    from defusedxml.ElementTree import fromstring

    picture = fromstring(svg)
    assert picture.tag.endswith("svg")
    # It has its own ground, as large as itself, and nothing stands at its edges.
    ground = next(part for part in picture if part.tag.endswith("rect"))
    assert (ground.get("width"), ground.get("fill")) == (picture.get("width"), token("surface"))
    left, _, wide, _ = map(float, str(picture.get("viewBox")).split())
    assert left < 0 < float(str(ground.get("width"))) - 640
    assert wide == float(str(picture.get("width")))
