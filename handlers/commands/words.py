"""加词, 删词, 词表: the office edits the words that decide a category, without code."""

import re
from typing import Final

from handlers.chat.filters import Office
from handlers.chat.outbound import Reply
from handlers.chat.router import Router
from handlers.ports import Clock, WordRow, Work
from handlers.services.moves import Asked
from handlers.texts import corrections as say
from handlers.understanding.lexicon import shipped

router = Router("words")
_LONGEST: Final = 12
_SHORTEST: Final = 2
_USUAL: Final = 3.0
_SPLIT: Final = re.compile(r"[\s,，、:：]+")


def _code(name: str) -> str | None:
    """The category or the hint of urgency that a word of the office names exactly."""
    folded = name.strip().upper()
    hint = say.HINT_NAMES.get(folded)
    if hint is not None:
        return hint
    category = say.CATEGORY_NAMES.get(folded)
    return None if category is None else category.value


def _weight(text: str) -> float | None:
    try:
        weight = float(text)
    except ValueError:
        return None
    return weight if 1 <= weight <= 5 else None


def _decides(work: Work, word: str, code: str) -> bool:
    """Whether the word is there, shipped or of the office, and not taken away already."""
    for row in work.words.rows():
        if (row.word, row.category) == (word, code):
            return row.weight > 0
    return any((hit.word, hit.code) == (word, code) for hit in shipped().hits(word))


def _saved(work: Work, clock: Clock, asked: Asked, word: str, code: str, weight: float) -> None:
    person = asked.speaker.person
    by, now = "" if person is None else person.id, clock.now()
    work.words.save(WordRow(word, code, weight, by, now))
    work.audit.add(now, by, "word.saved", word, {"category": code, "weight": weight})


@router.command("加词", who=Office, usage="加词 蒸汽管网 能源 4", about="教机器人一个词属于哪一类")
def add(asked: Asked, work: Work, clock: Clock) -> Reply:
    parts = _SPLIT.split(asked.rest.strip())
    if len(parts) not in (2, 3):
        return Reply.say(say.word_usage())
    word, name = parts[0], parts[1]
    if not _SHORTEST <= len(word) <= _LONGEST:
        return Reply.say(say.word_length(_LONGEST))
    code = _code(name)
    if code is None:
        return Reply.say(say.no_such_category(name))
    weight = _weight(parts[2]) if len(parts) == 3 else _USUAL
    if weight is None:
        return Reply.say(say.word_weight())
    _saved(work, clock, asked, word, code, weight)
    return Reply.say(say.word_saved(word, code, weight))


@router.command("删词", who=Office, usage="删词 蒸汽管网 能源", about="去掉一个词")
def remove(asked: Asked, work: Work, clock: Clock) -> Reply:
    """With a category also a shipped word is taken away; without one the office's own is."""
    parts = _SPLIT.split(asked.rest.strip())
    if not parts[0] or len(parts) > 2:
        return Reply.say(say.word_usage())
    word = parts[0]
    if len(parts) == 2:
        code = _code(parts[1])
        if code is None:
            return Reply.say(say.no_such_category(parts[1]))
        if not _decides(work, word, code):
            return Reply.say(say.word_unknown(word, code))
        _saved(work, clock, asked, word, code, 0.0)
        return Reply.say(say.word_removed(word, code))
    own = [row for row in work.words.rows() if row.word == word and row.weight > 0]
    if not own:
        return Reply.say(say.word_unknown(word))
    person = asked.speaker.person
    for row in own:
        work.words.drop(word, row.category)
        by = "" if person is None else person.id
        work.audit.add(clock.now(), by, "word.dropped", word, {"category": row.category})
    return Reply.say("\n".join(say.word_removed(word, row.category) for row in own))


@router.command("词表", who=Office, usage="词表 能源", about="看办公室改过哪些词")
def listed(asked: Asked, work: Work) -> Reply:
    rows, name = work.words.rows(), asked.rest.strip()
    if not name:
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.category] = counts.get(row.category, 0) + 1
        return Reply.say(say.word_counts(counts))
    code = _code(name)
    if code is None:
        return Reply.say(say.no_such_category(name))
    return Reply.say(say.word_list(code, [(r.word, r.weight) for r in rows if r.category == code]))
