"""Acceptance 7 of issue 5 for files: what a file is, is told by its bytes."""

import io
import zipfile
import zlib

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from PIL import Image

from bot.attachments import MOST_BYTES, SHOWN, UNKNOWN, clean_name, judge, recognised, saved_as
from handlers.domain.errors import BadInput

KINDS = (
    '<?xml version="1.0"?><Types xmlns="urn:types">'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)


def picture(form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "#0f6b52").save(made, form)
    return made.getvalue()


def word(*paragraphs: str) -> bytes:
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def zipped(**parts: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


def docx(**more: str | bytes) -> bytes:
    return zipped(**{"[Content_Types].xml": KINDS, "word/document.xml": "<w:document/>", **more})


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\nstartxref\n9\n%%EOF\n"


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [
        ("图.png", picture(), "image/png"),
        ("图.JPG", picture("JPEG"), "image/jpeg"),
        ("图.webp", picture("WEBP"), "image/webp"),
        ("附件.pdf", PDF, "application/pdf"),
        (r"C:\桌面\申请表.docx", word("申请表"), None),
    ],
)
def test_what_an_office_sends_is_taken(name: str, body: bytes, content_type: str | None) -> None:
    judged = judge(name, body)
    assert "/" not in judged.name
    assert "\\" not in judged.name
    assert content_type in (None, judged.content_type)


def test_the_words_of_a_word_file_are_read() -> None:
    assert "明传电报&" in judge("a.docx", word("一、要求", "明传电报&")).words


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("大.pdf", b"%PDF-1.4" + b"0" * (50 * 1024 * 1024), "file_too_large"),
        ("刚好大一点.pdf", b"0" * (MOST_BYTES + 1), "file_too_large"),
        ("空.pdf", b"", "file_empty"),
        ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "file_type"),
        ("图.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "file_false"),
        ("图.png", picture("JPEG"), "file_false"),
        ("图.png", picture()[:60], "file_broken"),
        ("表.xlsx", zipped(a="b"), "file_type"),
        ("程序.exe", b"MZ\x90\x00", "file_type"),
        ("程序.pdf", b"MZ\x90\x00", "file_false"),
        ("页.html", b"<html><script>1</script>", "file_type"),
        ("宏.docm", docx(), "file_type"),
        ("无后缀", PDF, "file_type"),
        ("倒转\u202efdp.exe", b"MZ", "file_type"),
        ("断.pdf", b"%PDF-1.4\n1 0 obj", "file_broken"),
        ("脚本.pdf", PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "file_active"),
        ("暗.pdf", PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/J#61vaScript>>"), "file_active"),
        ("夹.pdf", PDF.replace(b"/Catalog", b"/Catalog/Names<</EmbeddedFiles 2 0 R>>"), "file_active"),
        ("文.docx", PDF, "file_false"),
        ("文.docx", zipped(**{"xl/workbook.xml": "<x/>"}), "file_false"),
        ("文.docx", b"PK\x03\x04" + b"\x00" * 50, "file_broken"),
        ("宏.docx", docx(**{"word/vbaProject.bin": b"x"}), "file_active"),
        ("宏.docx", docx(**{"[Content_Types].xml": KINDS.replace("document.main", "document.macroEnabled.main")}), "file_active"),
        ("嵌.docx", docx(**{"word/embeddings/oleObject1.bin": b"x"}), "file_active"),
        ("套.docx", docx(**{"word/a.zip": zipped(a="b")}), "file_active"),
        ("实体.docx", docx(**{"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "file_active"),
        ("远.docx", docx(**{"word/_rels/settings.xml.rels": '<Relationships><Relationship Type="urn:x:attachedTemplate" Target="http://127.0.0.1/t.dotm" TargetMode="External"/></Relationships>'}), "file_active"),
        ("上级.docx", docx(**{"../../etc/passwd": "x"}), "file_broken"),
        ("多.docx", docx(**{f"word/p{n}.xml": "" for n in range(2100)}), "file_bomb"),
    ],
)  # fmt: skip
def test_what_is_not_what_it_says_is_refused(name: str, body: bytes, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        judge(name, body)
    assert refused.value.reason == reason


def test_a_zip_bomb_is_not_unpacked() -> None:
    with pytest.raises(BadInput) as refused:
        judge("a.docx", docx(**{"word/media/a.xml": b"0" * (60 * 1024 * 1024)}))
    assert refused.value.reason == "file_bomb"


def test_a_zip_that_lies_about_its_size_is_not_unpacked_either() -> None:
    bomb = bytearray(docx(**{"word/document.xml": b"0" * (130 * 1024 * 1024)}))
    # The sizes in both headers say a hundred bytes.
    for at in (i for i in range(len(bomb) - 4) if bomb[i : i + 4] == b"PK\x01\x02"):
        if bomb[at + 46 : at + 63] == b"word/document.xml":
            bomb[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(BadInput) as refused:
        judge("a.docx", bytes(bomb))
    assert refused.value.reason in ("file_bomb", "file_broken")


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            len(content).to_bytes(4, "big") + kind + content
            + zlib.crc32(kind + content).to_bytes(4, "big")
        )  # fmt: skip

    head = (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")  # fmt: skip
    with pytest.raises(BadInput) as refused:
        judge("a.png", body)
    assert refused.value.reason == "file_bomb"


# ---- what comes in


def xlsx() -> bytes:
    book = Workbook()
    book.active["A1"] = "缺口"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (picture(), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("GIF"), "image/gif"),
        (picture("WEBP"), "image/webp"),
        (PDF, "application/pdf"),
        (
            word("申请表"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"#!AMR\n" + bytes(40), "audio/amr"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "video/mp4"),
    ],
)
def test_what_comes_in_is_what_its_bytes_say(body: bytes, content_type: str) -> None:
    assert recognised(body) == content_type


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><script>fetch('/')</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"MZ" + bytes(200),
        b"%PDF-1.4 no end",
        PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript>>"),
        b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>" * 20,
        picture()[:60],
        zipped(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}),
        docx(**{"word/vbaProject.bin": b"x"}),
        zipped(**{"a.txt": "x"}),
        b"RIFF" + bytes(4) + b"WAVEfmt ",
    ],
)
def test_what_is_not_known_to_be_harmless_is_never_shown(body: bytes) -> None:
    assert recognised(body) == UNKNOWN
    assert UNKNOWN not in SHOWN


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"%PDF-", b"PK\x03\x04"])
)
def test_any_bytes_are_judged_without_a_fault(body: bytes, sign: bytes) -> None:
    assert recognised(sign + body) not in SHOWN


def test_only_pictures_are_shown() -> None:
    assert {"image/png", "image/jpeg", "image/gif", "image/webp"} == SHOWN


@pytest.mark.parametrize(
    ("name", "content_type", "called"),
    [
        ("现场.png", "image/png", "现场.png"),
        ("现场.html", UNKNOWN, "现场.html.bin"),
        ("报表.XLSM", UNKNOWN, "报表.XLSM.bin"),
        ("安装.exe", UNKNOWN, "安装.exe.bin"),
        ("图纸.dwg", UNKNOWN, "图纸.dwg"),
        ("旧表.xls", UNKNOWN, "旧表.xls"),
    ],
)
def test_nothing_unknown_is_started_by_opening_it(
    name: str, content_type: str, called: str
) -> None:
    assert saved_as(name, content_type) == called


def test_a_name_keeps_no_path_and_no_turned_ending() -> None:
    assert clean_name("C:\\桌面\\..\\表\u202egnp.exe") == "表gnp.exe"
    assert clean_name("../../etc/passwd\0") == "passwd"
