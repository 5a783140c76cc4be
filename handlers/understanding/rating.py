"""What a firm says of the result: level 1 to 5, solved or not (domain.md §8)."""

import re
from typing import Final

from handlers.understanding import words as w

_LEVELS: Final = (
    (re.compile(r"非常不满意|极不满意|很不满意|零分|0分|一分都|一星|1星|(?<![0-9十.])1分"), 1),
    (re.compile(r"不太满意|不满意|差评|不怎么满意|二星|2星|两星|(?<![0-9十.])2分|两分|二分"), 2),
    (
        re.compile(
            r"非常满意|十分满意|很满意|超级满意|特别满意|五星|5星|满分|100分|百分百满意|(?<![0-9十.])(?:5|10)分|五分|十分!|打十分|给十分"
        ),
        5,
    ),
    (
        re.compile(
            r"基本满意|一般般?|过得去|中评|还行|凑合|马马虎虎|三星|3星|(?<![0-9十.])3分|三分(?!之)"
        ),
        3,
    ),
    (re.compile(r"比较满意|满意|点赞|四星|4星|好评|(?<![0-9十.])4分|四分"), 4),
)
_TEN: Final = re.compile(r"(?<![0-9.])(10|[6-9])分|([六七八九十])分(?!满意)|打([六七八九十])分")
_CHINESE: Final = {"六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_ENDED: Final = re.compile(
    "|".join(re.escape(x) for x in sorted(w.SOLVED, key=len, reverse=True)), re.I
)
_STILL: Final = re.compile(
    "|".join(re.escape(x) for x in sorted(w.NOT_SOLVED, key=len, reverse=True))
)
_NOT_YET: Final = re.compile(r"(没|未|不|还没|没有|什么时候|怎么|能不能|吗)$")
_QUESTION: Final = re.compile(r"[吗?？]\s*$")
_OTHER_SCORES: Final = re.compile(r"\d+分(?:钟|公司|厂|之)|[六七八九十]分(?:钟|之)")


def rating_of(text: str) -> int | None:
    """The level that a text gives, 1 to 5; scores above 5 are on a scale of ten."""
    cleaned = _OTHER_SCORES.sub("", text)
    if _QUESTION.search(cleaned):
        return None
    ten = _TEN.search(cleaned)
    if ten is not None and "十分满意" not in cleaned:
        digits = ten.group(1)
        score = int(digits) if digits else _CHINESE[ten.group(2) or ten.group(3)]
        return 5 if score >= 9 else 4 if score >= 7 else 3
    for pattern, level in _LEVELS:
        if pattern.search(cleaned):
            return level
    return None


def verdict_of(text: str) -> bool | None:
    """Whether the text says that it is solved; 「没解决」 wins over any praise that follows."""
    if _STILL.search(text):
        return False
    found = _ENDED.search(text)
    if found is None or _NOT_YET.search(text[: found.start()]) or _QUESTION.search(text):
        return None
    return True
