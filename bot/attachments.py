"""Files judged by their content: what goes out to firms must be a picture, PDF or Word and run nothing.

A file is what its bytes say; of what goes out the name must say the same. Nothing is unpacked beyond
its bounds.
"""

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Final

from handlers.domain.errors import BadInput

MOST_BYTES: Final = 20 * 1024 * 1024
_MOST_UNPACKED: Final = 100 * 1024 * 1024
_MOST_RATIO: Final = 150
_MOST_PARTS: Final = 2000
_MOST_WORDS: Final = 8 * 1024 * 1024
_MOST_PIXELS: Final = 80_000_000
_PICTURES: Final = {
    "png": ("PNG", "image/png"),
    "jpg": ("JPEG", "image/jpeg"),
    "jpeg": ("JPEG", "image/jpeg"),
    "gif": ("GIF", "image/gif"),
    "webp": ("WEBP", "image/webp"),
}
_PDF: Final = "application/pdf"
_DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# An office file's kind: the part that must be there, and its type.
_MAIN: Final = {
    "docx": (
        "word/document.xml",
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
    "xlsx": (
        "xl/workbook.xml",
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ),
}
# What could not be looked through, or is none of the kinds that can be.
UNKNOWN: Final = "application/octet-stream"
# Pictures show nothing but themselves; whatever else comes in is saved, never shown.
SHOWN: Final = frozenset(content_type for _, content_type in _PICTURES.values())
_SIGNS: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"RIFF", "webp"),
    (b"%PDF-", "pdf"),
)
_STARTS: Final = re.compile(
    r"\.(?:exe|com|scr|pif|msi|msc|cpl|bat|cmd|ps1|vbs?|vbe|jse?|wsf|wsh|hta|lnk|url|reg|jar|chm"
    r"|html?|xht|xhtml|shtml|mht|mhtml|svg|xml|xsl|docm|xlsm|pptm|dll|app|sh|iso|img)$",
    re.I,
)
# Told by their first bytes alone, so they are never shown: only their names get the right ending.
_HEARD: Final = (
    (0, b"#!AMR", "audio/amr"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
)
# What a PDF may do by itself.
_PDF_ACTS: Final = re.compile(
    rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|OpenAction\s*<<[^>]*/(?:URI|Launch))(?![A-Za-z])"
)
_PDF_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE_PART: Final = re.compile(
    r"(?:vbaproject|vbadata|activex|\.(?:bin|exe|dll|js|vbs|bat|cmd|ps1|hta|scr|com|jar|lnk|html?|svg|zip|rar|7z|docm|xlsm)$)",
    re.I,
)
_PRINTER: Final = re.compile(r"(?:word|xl)/printersettings", re.I)
_OUTSIDE: Final = re.compile(
    rb"<Relationship\b[^>]*(?:attachedTemplate|oleObject|frame|subDocument)[^>]*>", re.I
)
_TEXT: Final = re.compile(rb"<w:t(?:\s[^>]*)?>([^<]*)</w:t>|(</w:p>)")


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that may go out; `words` is what could be read in it."""

    name: str
    content_type: str
    words: str = ""


def judge(name: str, body: bytes) -> Judged:
    """Raises BadInput('file_…')."""
    if len(body) > MOST_BYTES:
        raise BadInput("file_too_large")
    if not body:
        raise BadInput("file_empty")
    clean = clean_name(name) or "file"
    ending = clean.rpartition(".")[2].lower() if "." in clean else ""
    if ending in _PICTURES:
        kind, content_type = _PICTURES[ending]
        _picture(body, kind, ending)
        return Judged(clean, content_type)
    if ending == "pdf":
        _pdf(body)
        return Judged(clean, _PDF)
    if ending == "docx":
        return Judged(clean, _DOCX, _office(body, "docx"))
    raise BadInput("file_type")


def recognised(body: bytes) -> str:
    """The type of what came in, whatever it is called; UNKNOWN for what is not known to be harmless."""
    try:
        return _recognised(body)
    except BadInput:
        return UNKNOWN


def _recognised(body: bytes) -> str:
    """Raises BadInput where it is not what it begins like."""
    ending = next((kind for sign, kind in _SIGNS if body.startswith(sign)), "")
    if ending in _PICTURES:
        kind, content_type = _PICTURES[ending]
        _picture(body, kind, ending)
        return content_type
    if ending == "pdf":
        _pdf(body)
        return _PDF
    office = next((k for k, (part, _) in _MAIN.items() if part.encode() in body), "")
    if body.startswith(b"PK") and office:
        _office(body, office)
        return _DOCX if office == "docx" else _XLSX
    return next((kind for at, sign, kind in _HEARD if body.startswith(sign, at)), UNKNOWN)


def clean_name(name: str) -> str:
    """The name without a path, without what could turn its ending round."""
    plain = unicodedata.normalize("NFKC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in plain if unicodedata.category(c)[0] != "C").strip(" .")
    return plain[-100:]


def saved_as(name: str, content_type: str) -> str:
    """The name to save what came in by: nothing unknown is started by opening it."""
    return f"{name}.bin" if content_type == UNKNOWN and _STARTS.search(name) else name


def _picture(body: bytes, kind: str, ending: str) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(body)) as picture:
            if picture.format != kind:
                raise BadInput("file_false", ending=ending)
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise BadInput("file_bomb")
            picture.verify()
    except UnidentifiedImageError:
        raise BadInput("file_false", ending=ending) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadInput("file_bomb") from None
    except (OSError, SyntaxError, ValueError):
        raise BadInput("file_broken") from None


def _pdf(body: bytes) -> None:
    if not body[:1024].lstrip().startswith(b"%PDF-"):
        raise BadInput("file_false", ending="pdf")
    if b"%%EOF" not in body[-2048:] or b"startxref" not in body:
        raise BadInput("file_broken")
    # A name may be written with #4A for J.
    plain = _PDF_HEX.sub(lambda m: bytes([int(m.group(1), 16)]), body)
    found = _PDF_ACTS.search(plain)
    if found is not None:
        raise BadInput("file_active", what=found.group(1)[:20].decode("ascii", "replace"))


def _office(body: bytes, ending: str) -> str:
    """Its words; an office file is a zip with the right parts and nothing that runs."""
    if not body.startswith(b"PK\x03\x04"):
        raise BadInput("file_false", ending=ending)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return _parts(archive, ending)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        raise BadInput("file_broken") from None
    except MemoryError:
        raise BadInput("file_bomb") from None


def _parts(archive: zipfile.ZipFile, ending: str) -> str:
    main_part, main_type = _MAIN[ending]
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > _MOST_UNPACKED:
        raise BadInput("file_bomb")
    for part in parts:
        if part.flag_bits & 1 or part.filename.startswith("/") or ".." in part.filename:
            raise BadInput("file_broken")
        small = max(part.compress_size, 1)
        if part.file_size > 1024 * 1024 and part.file_size / small > _MOST_RATIO:
            raise BadInput("file_bomb")
        active = _ACTIVE_PART.search(part.filename)
        if active is not None and not _PRINTER.match(part.filename):
            raise BadInput("file_active", what=part.filename.rpartition("/")[2][:30])
    names = [p.filename for p in parts]
    if len(set(names)) != len(names):
        raise BadInput("file_broken")
    if "[Content_Types].xml" not in names or main_part not in names:
        raise BadInput("file_false", ending=ending)
    room = _Room()
    kinds = room.read(archive, "[Content_Types].xml")
    if b"macroEnabled" in kinds:
        raise BadInput("file_active", what="宏")
    if main_type not in kinds:
        raise BadInput("file_false", ending=ending)
    found = (_looked_at(name, room.read(archive, name)) for name in names)
    return "\n".join(words for words in found if words)


def _looked_at(name: str, content: bytes) -> str:
    """The words of one part; raises BadInput for what fetches or runs."""
    if name.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
        raise BadInput("file_active", what="DOCTYPE")
    if name.endswith(".rels"):
        for relation in _OUTSIDE.findall(content):
            if b"External" in relation or b"oleObject" in relation:
                raise BadInput("file_active", what="外部内容")
    if name.startswith("word/") and name.endswith(".xml") and len(content) <= _MOST_WORDS:
        return _words(content)
    return ""


class _Room:
    """Unpacks, but never more than the bounds, whatever the file says of itself."""

    def __init__(self) -> None:
        self._left = _MOST_UNPACKED

    def read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        with archive.open(name) as part:
            content = part.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise BadInput("file_bomb")
        return content


def _words(content: bytes) -> str:
    found = "".join(
        "\n" if end else text.decode("utf-8", "replace") for text, end in _TEXT.findall(content)
    )
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        found = found.replace(entity, sign)
    return found
