"""What must not leave the office: marks of inner papers, ID-card numbers, phones, tickets (domain.md §14).

The words that were found are given back, so that a person can take them out.
"""

import re
import unicodedata
from typing import Final

_MARKS: Final = (
    "绝密", "机密", "秘密", "涉密", "密级", "内部资料", "内部文件", "内部材料", "内部使用", "内部传阅",
    "内部掌握", "内部发行", "内参", "仅供内部", "明传电报", "不得外传", "严禁外传", "请勿外传",
    "注意保密", "交办单", "领导行程", "领导日程", "领导活动安排",
)  # fmt: skip
# What a notice may well speak of: a lecture about them is no secret.
_HARMLESS: Final = re.compile(r"(?:商业|技术|国家)秘密(?:的?保护|培训|讲座|维权|管理制度|普法)")
_GAP: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff·・.．*＊_\-—]+")
_ID_CARD: Final = re.compile(
    r"(?<![0-9A-Za-z])\d{6}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_OLD_CARD: Final = re.compile(
    r"(?<!\d)\d{6}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
)
_PHONE: Final = re.compile(r"(?<!\d)(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)")
_TICKET: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2,8}-\d{8}-\d{3,}(?!\d)|工单\s*#?\s*\d{4,9}|#\d{4,9}"
)


def marks_in(text: str) -> tuple[str, ...]:
    """What stops a text, as it may be shown; nothing where it may go."""
    plain = unicodedata.normalize("NFKC", text)
    found: list[str] = []
    # Written apart it is still the mark: 秘 密, 机·密.
    closed = _GAP.sub("", _HARMLESS.sub("", _GAP.sub("", plain)))
    taken = closed
    for mark in sorted(_MARKS, key=len, reverse=True):
        if mark in taken:
            found.append(mark)
            taken = taken.replace(mark, "\n")
    found.sort(key=closed.find)
    digits = re.sub(r"(?<=\d)[ \u200b-\u200f](?=\d)", "", plain)
    for pattern in (_ID_CARD, _OLD_CARD):
        found += [f"身份证号 {m[:3]}***********{m[-2:]}" for m in pattern.findall(digits)]
    digits = _OLD_CARD.sub("", _ID_CARD.sub("", digits))
    for match in _PHONE.findall(digits):
        only = re.sub(r"\D", "", match)[-11:]
        found.append(f"手机号 {only[:3]}****{only[-4:]}")
    found += [f"工单编号 {m.strip()}" for m in _TICKET.findall(plain)]
    return tuple(dict.fromkeys(found))
