"""What is said of pictures and files that came with a ticket."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from handlers.chat.attachments import Keeping, Loss, TicketFile
from handlers.chat.events import AttachmentKind
from handlers.domain.people import mask_phone
from handlers.domain.ticket import Ticket
from handlers.texts.announcements import file_size

_KINDS: Final = {
    AttachmentKind.IMAGE: "图片",
    AttachmentKind.FILE: "文件",
    AttachmentKind.VOICE: "语音",
    AttachmentKind.VIDEO: "视频",
}
_ENDINGS: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "audio/amr": ".amr",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
}
_LOSSES: Final = {
    Loss.EXPIRED: "已过期，请{who}再发一次",
    Loss.TOO_LARGE: "超过 20 MB，没有保存，请{who}压缩后再发",
    Loss.REFUSED: "没有取到，请{who}再发一次",
    Loss.UNREACHABLE: "没有取到，请{who}再发一次",
}
_COMING: Final = "正在取回，请稍后再看"
_UNKNOWN: Final = "没有认出是哪种文件，请核对来源后再打开"
_MOST_NAMED: Final = 10


def names(files: Sequence[TicketFile]) -> list[str]:
    """What each is called; what came without a name is counted by its kind."""
    found, counted = [], Counter[AttachmentKind]()
    for file in files:
        counted[file.kind] += 1
        nameless = f"{_KINDS[file.kind]}{counted[file.kind]}{_ENDINGS.get(file.content_type, '')}"
        found.append(file.name or nameless)
    return found


def picture_name(number: int, content_type: str) -> str:
    return f"{_KINDS[AttachmentKind.IMAGE]}{number}{_ENDINGS.get(content_type, '')}"


def trouble(file: TicketFile, own: bool = False) -> str:
    """Why it cannot be opened; empty for what can. `own`: the firm itself reads it."""
    if file.state is Keeping.WANTED:
        return _COMING
    if file.loss is None:
        return ""
    return _KINDS[file.kind] + _LOSSES[file.loss].format(who="您" if own else "企业")


def lines(files: Sequence[TicketFile], link: str, own: bool) -> list[str]:
    """The end of a ticket's story; `link` opens what is kept, for one person."""
    if not files:
        return []
    called = [
        f"{name}（{why}）" if (why := trouble(file, own)) else name
        for file, name in zip(files, names(files), strict=True)
    ]
    more = "等" if len(called) > _MOST_NAMED else ""
    told = [f"附件{len(called)}个：{'、'.join(called[:_MOST_NAMED])}{more}"]
    if link:
        told.append(f"打开附件：{link}")
        told.append("24小时内有效，仅供您本人使用，请勿转发到群。")
    return told


def page_values(
    ticket: Ticket, files: Sequence[TicketFile], own: bool, shown: frozenset[str], unknown: str
) -> dict[str, Any]:
    """`shown` are the types that a page shows, `unknown` the one of what was not recognised."""
    return {
        "title": f"#{ticket.number} {mask_phone(ticket.title)}",
        "files": [
            {
                "id": file.id,
                "name": name,
                "size": file_size(file.size) if file.state is Keeping.KEPT else "",
                "kept": file.state is Keeping.KEPT,
                "picture": file.state is Keeping.KEPT and file.content_type in shown,
                "note": trouble(file, own) or (_UNKNOWN if file.content_type == unknown else ""),
            }
            for file, name in zip(files, names(files), strict=True)
        ],
        "none": "这件工单没有附件。",
        "note": "链接仅供您本人使用，请勿转发。",
    }
