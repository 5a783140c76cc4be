"""By what means a firm was asked: 电话, 上门, 线上."""

import re
from typing import Final

_MEANS: Final = (
    ("visit", re.compile(r"上门|走访|实地|当面|面谈|现场")),
    ("online", re.compile(r"线上|微信|企微|视频|短信|群里|私聊")),
    ("phone", re.compile(r"(?:打)?电话|致电|手机")),
)


def means_of(text: str) -> str:
    """A telephone where nothing is said: that is how firms are called back."""
    found = [(m.start(), name) for name, words in _MEANS if (m := words.search(text)) is not None]
    return min(found)[1] if found else "phone"


def without_means(text: str) -> str:
    """The text without the word that named it at its beginning."""
    for _, words in _MEANS:
        found = words.match(text)
        if found is not None:
            return text[found.end() :]
    return text
