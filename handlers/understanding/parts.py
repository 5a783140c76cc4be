"""Titles and parts of a message, by the words of the trade."""

import re
from typing import Final

from handlers.domain.category import Category
from handlers.understanding import words as w
from handlers.understanding.topics import TOPICS


def _any(words: list[str] | tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(x) for x in sorted(words, key=len, reverse=True)))


_TOPIC: Final = _any([word for line in TOPICS.values() for word in line.split()])
_DANGER: Final = _any(w.DANGER)
_LIST: Final = re.compile(
    r"(?:^|[\n；;。，,\s])(?:[（(]?[1-9一二三四五][、.．)）:：]|第[一二三四五](?:[个件条])?[,，、:：]?|"
    r"[一二三四五]是|其[一二三]|另外|还有(?:个|一个|一件|就是)|再一个|再就是|同时还)"
)
_POLITE: Final = re.compile(
    r"^(?:(?:各位)?领导|大家|各位|小港|你好|您好|请问|麻烦|早上好|下午好|早|我想问一?下|想问一?下|想请教|反映一?下|"
    r"反映个?问题|我们这边|我们公司|我们厂|我们|我司|我厂|我们这|咱们|帮忙|帮我们|请|哪位|报修|报一下|[,，。:：!！\s])+"
)
_PLACEHOLDER: Final = re.compile(r"\[[^\]]{1,6}\]")


def _hit(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return "" if found is None else found.group()


def title_of(text: str, category: Category | None = None) -> str:
    """A title that a leader can read alone: the clause that names the topic, without courtesies."""
    clean = _PLACEHOLDER.sub("", " ".join(text.split()))
    clauses = [c for c in re.split(r"[。！!？?；;，,\n]+", clean) if c.strip()]
    if not clauses:
        return "图片反映的情况"
    scored = max(
        clauses,
        key=lambda c: len(_hit(_DANGER, c)) * 2 + len(_hit(_TOPIC, c)) * 2 + min(len(c), 10) / 10,
    )
    title = _POLITE.sub("", scored.strip()).strip() or scored.strip()
    following = clauses[clauses.index(scored) + 1 :]
    if following and len(title) + len(following[0]) < 20 and len(title) < 8:
        title = f"{title}，{following[0].strip()}"
    if len(title) <= 20:
        return title
    cut = title[:20]
    # Not inside a run of Latin letters or digits.
    while len(cut) > 8 and cut[-1].isascii() and cut[-1].isalnum() and title[len(cut)].isascii():
        cut = cut[:-1]
    return cut


def problems(text: str, most: int) -> tuple[str, ...]:
    """The parts of a message that tell of problems of their own (H11)."""
    marks = list(_LIST.finditer(text))
    if not marks:
        return (text,)
    cuts = [m.start() for m in marks]
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    parts = [_LIST.sub("", p, count=1).strip(" ，,。；;\n") if p else p for p in parts]
    real = [p for p in parts if len(p) >= 4 and _TOPIC.search(p)]
    if len(real) < 2:
        return (text,)
    return tuple(real[:most])
