"""What a message means: intent, problems, urgency, verdict; transparent rules behind one function."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from handlers.chat.grammar import fold, without_mentions, without_quote
from handlers.domain.category import Category, Urgency
from handlers.understanding import words as w
from handlers.understanding.firms import FirmNames
from handlers.understanding.rating import rating_of, verdict_of

__all__ = ["FirmNames", "Intent", "Item", "Reading", "read"]


class Intent(StrEnum):
    NEW_PROBLEM = "new_problem"
    URGENT = "urgent"
    POLICY_QUESTION = "policy_question"
    FOLLOW_UP = "follow_up"
    PROGRESS = "progress"
    CLOSE = "close"
    RATING = "rating"
    CHATTER = "chatter"
    ACK = "ack"
    SURVEY_REPLY = "survey_reply"
    VISIT_LOG = "visit_log"
    ANNOUNCEMENT = "announcement"
    SIGNUP = "signup"


@dataclass(frozen=True, slots=True)
class Item:
    """One problem; the title is at most 20 characters and can be read alone."""

    category: Category
    urgency: Urgency
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood, and the words that decided."""

    intent: Intent
    is_ticket: bool = False
    candidate: bool = False
    items: tuple[Item, ...] = ()
    firms: tuple[str, ...] = ()
    rating: int | None = None
    resolved: bool | None = None
    action: str | None = None
    confidence: float = 0.5
    why: tuple[str, ...] = ()


def _any(words: list[str] | tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(x) for x in sorted(words, key=len, reverse=True)))


_TOPIC_OF: Final[dict[str, Category]] = {
    word: category for category, line in w.TOPICS.items() for word in line.split()
}
_TOPIC: Final = _any(list(_TOPIC_OF))
_DANGER: Final = _any(w.DANGER)
_NO_DANGER: Final = _any(w.NO_DANGER)
_STOPPED: Final = _any(w.STOPPED)
_HARD: Final = _any(w.HARD)
_POLICY_ASK: Final = _any(w.POLICY_ASK)
_ASKING: Final = _any(w.ASKING)
_TROUBLE: Final = _any(w.TROUBLE)
_THANKS: Final = _any(w.THANKS)
_PAST: Final = _any(w.PAST)
_HEARSAY: Final = _any(w.HEARSAY)
_CALM: Final = _any(w.CALM)
_ADVERT: Final = _any(w.ADVERTS)
_NOTICE: Final = _any(w.NOTICES)
_WITHDRAW: Final = _any(w.WITHDRAW)
_URGE: Final = _any(w.URGE)
_CLAIM: Final = _any(w.CLAIM)
_CLOSE: Final = _any(w.CLOSE)
_VISIT: Final = _any(w.VISIT)
_NEGATED: Final = re.compile(r"(没有?|不|未|无|别)$")
_PUNCTUATION: Final = re.compile(r"[\s,，。.!！?？、;；:：~～…\-—]+")
_LIST: Final = re.compile(
    r"(?:^|[\n；;。，,\s])(?:[（(]?[1-9一二三四五][、.．)）:：]|第[一二三四五](?:[个件条])?[,，、:：]?|"
    r"[一二三四五]是|其[一二三]|另外|还有(?:个|一个|一件|就是)|再一个|再就是|同时还)"
)
_CLAUSE: Final = re.compile(r"[。！!？?；;\n]+")
_POLITE: Final = re.compile(
    r"^(?:(?:各位)?领导|大家|各位|小港|你好|您好|请问|麻烦|早上好|下午好|早|我想问一?下|想问一?下|想请教|反映一?下|"
    r"反映个?问题|我们这边|我们公司|我们厂|我们|我司|我厂|我们这|咱们|帮忙|帮我们|请|哪位|报修|报一下|[,，。:：!！\s])+"
)
_PLACEHOLDER: Final = re.compile(r"\[[^\]]{1,6}\]")
_TITLE_END: Final = re.compile(r"[。！!？?；;\n]")
_SIGNUP: Final = re.compile(r"^(?:报名|接龙|\+\s*\d+|#接龙|(?:\d+[.、][^\n]{1,16}\n){2,})")


def _hit(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return "" if found is None else found.group()


def topic(text: str) -> tuple[Category, str]:
    """The category whose longest word stands in the text; danger words beat topics elsewhere."""
    best, decided = "", Category.OTH
    scores: dict[Category, int] = {}
    for match in _TOPIC.finditer(text):
        word = match.group()
        category = _TOPIC_OF[word]
        scores[category] = scores.get(category, 0) + len(word)
        if len(word) > len(best) or (
            len(word) == len(best) and scores[category] > scores.get(decided, 0)
        ):
            best, decided = word, category
    return decided, best


def danger(text: str) -> str:
    """The words that make it U1, unless the same breath says that it is none."""
    found = _DANGER.search(text)
    if found is None or _NO_DANGER.search(text) or _PAST.search(text):
        return ""
    if _NEGATED.search(text[: found.start()]):
        return ""
    return found.group()


def urgency(text: str, category: Category) -> Urgency:
    if danger(text):
        return Urgency.U1
    if _HARD.search(text) and category in (Category.LND, Category.REL):
        return Urgency.U4
    if category is Category.REL:
        return Urgency.U4
    if _STOPPED.search(text) or (category is Category.ENE and re.search("停|断|没", text)):
        return Urgency.U2
    return Urgency.U3


def title_of(text: str, length: int = 20) -> str:
    """A title that a leader can read alone: the clause that names the topic, without courtesies."""
    clean = _PLACEHOLDER.sub("", " ".join(text.split()))
    clauses = [c for c in re.split(r"[。！!？?；;，,\n]+", clean) if c.strip()]
    if not clauses:
        return "图片反映的情况"
    scored = max(
        clauses,
        key=lambda c: len(_hit(_DANGER, c)) * 2 + len(topic(c)[1]) * 2 + min(len(c), 10) / 10,
    )
    title = _POLITE.sub("", scored.strip()).strip() or scored.strip()
    following = clauses[clauses.index(scored) + 1 :]
    if following and len(title) + len(following[0]) < length and len(title) < 8:
        title = f"{title}，{following[0].strip()}"
    if len(title) <= length:
        return title
    cut = title[:length]
    # Not inside a run of Latin letters or digits.
    while len(cut) > 8 and cut[-1].isascii() and cut[-1].isalnum() and title[len(cut)].isascii():
        cut = cut[:-1]
    return cut


def _problems(text: str, most: int) -> list[str]:
    """The parts of a message that tell of problems of their own (H11)."""
    marks = list(_LIST.finditer(text))
    if not marks:
        return [text]
    cuts = [m.start() for m in marks]
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    parts = [_LIST.sub("", p, count=1).strip(" ，,。；;\n") if p else p for p in parts]
    real = [p for p in parts if len(p) >= 4 and _TOPIC.search(p)]
    if len(real) < 2:
        return [text]
    return real[:most]


def read(
    text: str,
    role: str | None,
    msg_type: str = "text",
    addressed: bool = False,
    firms: FirmNames | None = None,
    most: int = 5,
    names: tuple[str, ...] = (),
) -> Reading:
    """What a message means. `addressed`: the bot was mentioned or it is a direct chat."""
    said = fold(without_mentions(without_quote(text), names))
    said_flat = _PUNCTUATION.sub("", said).lower()
    named = () if firms is None else firms.find(said)
    if not said_flat or said_flat in w.ACKS:
        return Reading(Intent.ACK, firms=named, confidence=0.95, why=(said_flat,))
    if _PLACEHOLDER.sub("", said).strip() == "":
        return Reading(Intent.CHATTER, confidence=0.6, why=(said,))
    rating, resolved = rating_of(said), verdict_of(said)
    if role is not None and role != "manager":
        return _staff(said, role, named)
    return _firm(said, said_flat, msg_type, addressed, named, rating, resolved, most)


def _staff(said: str, role: str, named: tuple[str, ...]) -> Reading:
    if _NOTICE.search(said) and len(said) > 20:
        return Reading(Intent.ANNOUNCEMENT, firms=named, why=(_hit(_NOTICE, said),))
    close = _hit(_CLOSE, said)
    if close:
        return Reading(Intent.CLOSE, firms=named, action="resolve", why=(close,))
    claim = _hit(_CLAIM, said)
    if claim and len(said) <= 40:
        return Reading(Intent.PROGRESS, firms=named, action="claim", why=(claim,))
    if _VISIT.search(said) and len(said) > 15:
        return Reading(Intent.VISIT_LOG, firms=named, why=(_hit(_VISIT, said),))
    if len(said) >= 8:
        return Reading(Intent.PROGRESS, firms=named, action="progress", why=())
    return Reading(Intent.CHATTER, firms=named)


def _firm(
    said: str,
    flat: str,
    msg_type: str,
    addressed: bool,
    named: tuple[str, ...],
    rating: int | None,
    resolved: bool | None,
    most: int,
) -> Reading:
    category, word = topic(said)
    alarm = danger(said)
    urge = _hit(_URGE, said)
    withdraw = _hit(_WITHDRAW, said)
    if alarm and not _HEARSAY.search(said):
        return _ticket(said, Intent.URGENT, most, 0.9, named, (alarm,))
    if resolved is False and rating is None and word and _hit(_TROUBLE, said):
        # 「补贴半年没到账」 is a verdict only where something waits for one; else it is a problem.
        problem = _ticket(said, Intent.NEW_PROBLEM, most, 0.7, named, (word,))
        return replace(problem, resolved=False)
    if rating is not None or (resolved is not None and len(flat) <= 30):
        return Reading(
            Intent.RATING if rating is not None else Intent.FOLLOW_UP,
            firms=named,
            rating=rating,
            resolved=resolved,
            action="withdraw" if withdraw else None,
            why=(flat[:12],),
            is_ticket=False,
        )
    if withdraw and len(flat) <= 30:
        return Reading(Intent.FOLLOW_UP, firms=named, action="withdraw", why=(withdraw,))
    if _SIGNUP.match(said):
        return Reading(Intent.SIGNUP, firms=named, why=(said[:6],))
    for pattern in (_HEARSAY, _CALM, _ADVERT):
        found = _hit(pattern, said)
        if found:
            return Reading(Intent.CHATTER, firms=named, why=(found,))
    thanks = _hit(_THANKS, said)
    if thanks and (_PAST.search(said) or not _TROUBLE.search(said)):
        return Reading(Intent.CHATTER, firms=named, why=(thanks,))
    ask = _hit(_POLICY_ASK, said)
    if ask and (category in (Category.POL, Category.TAX, Category.TAL, Category.OTH) or addressed):
        return _ticket(said, Intent.POLICY_QUESTION, most, 0.7, named, (ask,))
    if urge and len(flat) <= 25 and not word:
        return Reading(Intent.FOLLOW_UP, firms=named, action="urge", why=(urge,))
    trouble = _hit(_TROUBLE, said)
    if word and trouble:
        sure = 0.85 if addressed else 0.7
        return _ticket(said, Intent.NEW_PROBLEM, most, sure, named, (word, trouble))
    if addressed and (trouble or word) and len(flat) >= 6:
        # A missed problem is the one failure the office would not forgive: asked, not dropped.
        return _ticket(said, Intent.NEW_PROBLEM, most, 0.45, named, (word or trouble,))
    if urge:
        return Reading(Intent.FOLLOW_UP, firms=named, action="urge", why=(urge,))
    if word and len(flat) >= 8:
        return _ticket(said, Intent.NEW_PROBLEM, most, 0.4, named, (word,))
    return Reading(Intent.CHATTER, firms=named, why=())


_SURE: Final = 0.6


def _ticket(
    said: str,
    intent: Intent,
    most: int,
    confidence: float,
    named: tuple[str, ...],
    why: tuple[str, ...],
) -> Reading:
    items = []
    for part in _problems(said, most):
        category, _ = topic(part)
        alarm = danger(part)
        if alarm and category not in (Category.ENE, Category.EPI, Category.LOG):
            category = Category.SAF
        items.append(Item(category, urgency(part, category), title_of(part), part))
    sure = confidence >= _SURE
    return Reading(
        intent,
        is_ticket=sure,
        candidate=not sure,
        items=tuple(items),
        firms=named,
        confidence=confidence,
        why=tuple(x for x in why if x),
    )
