"""One message read: what is certain by rule, the rest by the model, both as one reading."""

import re
from dataclasses import replace
from functools import cache, lru_cache
from typing import Final

from handlers.domain.category import Category, Urgency
from handlers.understanding import lexicon as lx
from handlers.understanding import words as w
from handlers.understanding.features import MOST, features, grams, plain, said
from handlers.understanding.firms import FirmNames
from handlers.understanding.lexicon import Hit, Lexicon
from handlers.understanding.model import (
    ALARM_ABOVE,
    ALARM_HEARD,
    Blend,
    Model,
    alarm,
    decide,
    shipped,
    unsure,
)
from handlers.understanding.numbers import numbers_in
from handlers.understanding.rating import denied, rating_of, verdict_of
from handlers.understanding.reading import (
    CATEGORIES,
    INTENTS,
    PROBLEMS,
    Intent,
    Item,
    Probabilities,
    Reading,
    SecondOpinion,
)
from handlers.understanding.rules import Effect, Judge, Ruling, judge
from handlers.understanding.splitting import problems
from handlers.understanding.steering import alarmed, steered
from handlers.understanding.titles import title_of

_MARKS: Final = str.maketrans("", "", " \t\r\n,，。.!！?？、;；:：~～…-—")
_PLACEHOLDER: Final = re.compile(r"\[[^\]]{1,6}\]")
_CLAIM: Final = re.compile("|".join(sorted(map(re.escape, w.CLAIM), key=len, reverse=True)))
_SHORT: Final = 30
# One message is asked about more than once on its way: what it wants, and what it is about.
_REMEMBERED: Final = 64


class Reader:
    """Rules and a model together; the shipped pair is behind `read`."""

    def __init__(self, model: Model, judge: Judge = judge) -> None:
        self._model: Final = model
        self._judge: Final = judge
        self._judged: Final = lru_cache(_REMEMBERED)(self._judged_anew)

    def read(
        self,
        text: str,
        role: str | None,
        msg_type: str = "text",
        addressed: bool = False,
        firms: FirmNames | None = None,
        most: int = 5,
        names: tuple[str, ...] = (),
        opinion: SecondOpinion | None = None,
        lexicon: Lexicon | None = None,
    ) -> Reading:
        """What a message means. `addressed`: the bot was mentioned or it is a direct chat.

        `opinion` is the second reader's answer, where it was asked (`Reading.unsure`) and answered.
        """
        heard = said(text, names)
        bare = _bare(heard)
        named = () if firms is None else firms.find(heard)
        if not bare or bare in w.ACKS:
            return Reading(Intent.ACK, firms=named, confidence=0.0, why=(bare,) if bare else ())
        if _only_placeholders(heard):
            return Reading(Intent.CHATTER, confidence=0.0, why=(heard,))
        staff = role is not None and role != "manager"
        lexicon = lexicon or lx.shipped()
        first, ruling, hits = self._judged(heard, role, msg_type, staff, lexicon)
        blend = self._model.blend
        sure = decide(first, opinion, blend)
        own = lexicon.own(heard)
        sure, ruling = _ordered(sure, ruling, own)
        if addressed:
            sure = _asked_for(sure, heard)
        if ruling.says(Effect.NOTHING):
            return _nothing(sure, ruling, named)
        emergency = _emergency(sure, ruling)
        ticket = emergency or _opens(sure, ruling, blend)
        asks = not ticket and _asks(sure, ruling, blend, addressed, bare)
        intent = _intent(sure, ticket, asks, emergency)
        rating, resolved = _verdict(heard, bare, intent, ticket, staff)
        items: tuple[Item, ...] = ()
        if ticket or asks:
            items = self._items(heard, role, sure, emergency, most, lexicon)
        return Reading(
            intent,
            is_ticket=ticket,
            candidate=asks,
            items=items,
            firms=named,
            rating=rating,
            resolved=resolved,
            action=_action(heard, bare, intent, ruling, staff),
            confidence=round(sure.ticket, 4),
            why=_why(ruling, items, own + hits),
            unsure=opinion is None and unsure(first, blend),
            topic=items[0].category if items else sure.best_category(),
            urgency=items[0].urgency if items else None,
            survey_numbers=numbers_in(heard) if intent is Intent.SURVEY_REPLY else (),
            probabilities=sure,
        )

    def problem(self, text: str, lexicon: Lexicon | None = None) -> tuple[Category, Urgency, str]:
        """Category, urgency and the word that decided, of a text that tells of a problem."""
        heard = said(text)
        sure, ruling, hits = self._ordered(heard, None, lexicon or lx.shipped())
        category = sure.best_category()
        urgency = _urgency(sure, ruling.alarm or _emergency(sure, ruling))
        return category, urgency, next(iter(_naming(hits, {category.value})), "")

    def shares(self, text: str, role: str | None) -> Probabilities | None:
        """What a text is about by the shipped words alone; None of what says nothing."""
        heard = said(text)
        bare = _bare(heard)
        if not bare or bare in w.ACKS or _only_placeholders(heard):
            return None
        staff = role is not None and role != "manager"
        return self._judged(heard, role, "text", staff, lx.shipped())[0]

    def _judged_anew(
        self, heard: str, role: str | None, msg_type: str, staff: bool, lexicon: Lexicon
    ) -> tuple[Probabilities, Ruling, tuple[Hit, ...]]:
        flat = plain(heard)
        found = grams(flat)
        ruling = self._judge(flat, found, staff)
        hits = lexicon.hits(heard[:MOST])
        seen = features(flat, found, role, msg_type, ruling, hits)
        return self._model.probabilities(seen), ruling, hits

    def _ordered(
        self, heard: str, role: str | None, lexicon: Lexicon
    ) -> tuple[Probabilities, Ruling, tuple[Hit, ...]]:
        sure, ruling, hits = self._judged(heard, role, "text", False, lexicon)
        own = lexicon.own(heard)
        return (*_ordered(sure, ruling, own), own + hits)

    def _items(
        self,
        heard: str,
        role: str | None,
        sure: Probabilities,
        emergency: bool,
        most: int,
        lexicon: Lexicon,
    ) -> tuple[Item, ...]:
        parts = problems(heard, most)
        if len(parts) == 1:
            return (_item(heard, sure, emergency),)
        items = []
        for part in parts:
            own, ruling, _ = self._ordered(part, role, lexicon)
            items.append(_item(part, own, _emergency(own, ruling)))
        if emergency and not any(i.urgency is Urgency.U1 for i in items):
            items[0] = replace(items[0], urgency=Urgency.U1)
        return tuple(items)


def _bare(heard: str) -> str:
    return heard.translate(_MARKS).lower()


def _only_placeholders(heard: str) -> bool:
    return not _PLACEHOLDER.sub("", heard).strip()


_other: Model | None = None


def use(model: Model | None) -> None:
    """From now on read with this model; None is the shipped one."""
    global _other
    _other = model
    _shipped.cache_clear()


@cache
def _shipped() -> Reader:
    return Reader(_other or shipped())


def read(
    text: str,
    role: str | None,
    msg_type: str = "text",
    addressed: bool = False,
    firms: FirmNames | None = None,
    most: int = 5,
    names: tuple[str, ...] = (),
    opinion: SecondOpinion | None = None,
    lexicon: Lexicon | None = None,
) -> Reading:
    """`Reader.read` of the shipped rules and model; `lexicon` where the office changed words."""
    return _shipped().read(text, role, msg_type, addressed, firms, most, names, opinion, lexicon)


def _ordered(
    sure: Probabilities, ruling: Ruling, own: tuple[Hit, ...]
) -> tuple[Probabilities, Ruling]:
    """What the office ordered by its own words, carried out."""
    if not own:
        return sure, ruling
    return steered(sure, own, ruling.says(Effect.CALM)), alarmed(ruling, own)


# More words would explain less.
_TOLD: Final = 6


def _naming(hits: tuple[Hit, ...], codes: set[str]) -> list[str]:
    """The words of these codes, the weightiest first."""
    mine = [h for h in hits if h.code in codes]
    mine.sort(key=lambda h: (-h.weight, -len(h.word), h.start))
    return list(dict.fromkeys(h.word for h in mine))


def _why(ruling: Ruling, items: tuple[Item, ...], hits: tuple[Hit, ...]) -> tuple[str, ...]:
    """The words that decided: those of the rules, then those that name what was opened."""
    codes = {c for i in items for c in (i.category.value, i.urgency.value)}
    return tuple(dict.fromkeys([*ruling.why, *_naming(hits, codes)[:_TOLD]]))


def _nothing(sure: Probabilities, ruling: Ruling, named: tuple[str, ...]) -> Reading:
    return Reading(
        Intent.CHATTER,
        firms=named,
        confidence=0.0,
        why=ruling.why,
        topic=sure.best_category(),
        probabilities=sure,
    )


# How much likelier a problem is where somebody turned to the bot: odds, by judgement. The corpus
# holds what people say into the room.
TURNED_TO: Final = 4.0
_LACKS: Final = re.compile(r"缺|招|急需|不够|坏|停|没有|堵")
_LACKS_NOTHING: Final = re.compile(
    r"(?:不|没|没有|无)缺[口人]?(?:$|[,，。;；!！])|缺口[:：是为]?(?:0|零|无|没有)"
)


def _asked_for(sure: Probabilities, heard: str) -> Probabilities:
    """Numbers or a problem, told to the bot itself, are rather a report than talk."""
    best, odds = sure.best_intent(), TURNED_TO * sure.ticket
    if _LACKS_NOTHING.search(heard):
        return sure
    if best is Intent.SURVEY_REPLY and _LACKS.search(heard):
        odds *= TURNED_TO
    elif best not in PROBLEMS:
        return sure
    return replace(sure, ticket=odds / (odds + 1 - sure.ticket))


def _emergency(sure: Probabilities, ruling: Ruling) -> bool:
    return alarm(sure) > (ALARM_HEARD if ruling.alarm else ALARM_ABOVE)


def _opens(sure: Probabilities, ruling: Ruling, blend: Blend) -> bool:
    if ruling.says(Effect.NOTICE):
        return sure.ticket > 0.9
    return sure.ticket >= blend.open_above


def _asks(sure: Probabilities, ruling: Ruling, blend: Blend, addressed: bool, bare: str) -> bool:
    if ruling.says(Effect.NOTICE):
        return False
    # Whoever turns to the bot wants something: the same doubt is asked about sooner.
    return sure.ticket >= (blend.ask_above / 3 if addressed and len(bare) > 5 else blend.ask_above)


def _best(sure: Probabilities, wanted: bool) -> Intent:
    fitting = [
        (p, i) for p, i in zip(sure.intent, INTENTS, strict=True) if (i in PROBLEMS) is wanted
    ]
    return max(fitting)[1]


# Below this a ticket is opened to be safe, and the intent stays what it looks most like.
_LIKELY: Final = 0.5


def _intent(sure: Probabilities, ticket: bool, asks: bool, emergency: bool) -> Intent:
    """The likeliest intent that fits what will be done."""
    if emergency:
        return Intent.URGENT
    best = sure.best_intent()
    if ticket and sure.ticket >= _LIKELY and best is not Intent.VISIT_LOG:
        problem = _best(sure, True)
        return Intent.NEW_PROBLEM if problem is Intent.URGENT else problem
    if ticket or asks:
        return Intent.NEW_PROBLEM if best is Intent.URGENT else best
    if best in PROBLEMS:
        return _best(sure, False)
    return best


def _verdict(
    heard: str, bare: str, intent: Intent, ticket: bool, staff: bool
) -> tuple[int | None, bool | None]:
    if staff:
        return None, None
    if ticket:
        # A problem told in one breath with 「还没好」 keeps what was said of the old one.
        return None, False if len(bare) <= _SHORT and denied(heard) else None
    if intent in (Intent.ANNOUNCEMENT, Intent.SIGNUP, Intent.SURVEY_REPLY, Intent.ACK):
        return None, None
    rating, resolved = rating_of(heard), verdict_of(heard)
    if intent is Intent.CHATTER and rating is None and len(bare) > _SHORT:
        resolved = None
    return rating, resolved


def _action(heard: str, bare: str, intent: Intent, ruling: Ruling, staff: bool) -> str | None:
    if staff:
        if intent is Intent.CLOSE:
            return "resolve"
        if intent is Intent.PROGRESS:
            return "claim" if len(bare) <= 40 and _CLAIM.search(heard) else "progress"
        return None
    if intent in PROBLEMS:
        return None
    if ruling.says(Effect.WITHDRAW):
        return "withdraw"
    if ruling.says(Effect.URGE) and intent is Intent.FOLLOW_UP:
        return "urge"
    return None


def _item(body: str, sure: Probabilities, emergency: bool) -> Item:
    shares = sorted(zip(sure.category, CATEGORIES, strict=True), reverse=True)
    category, second = shares[0][1], shares[1][1]
    return Item(category, _urgency(sure, emergency), title_of(body, category), body, second)


def _urgency(sure: Probabilities, emergency: bool) -> Urgency:
    if emergency:
        return Urgency.U1
    rest = sure.urgency[1:]
    return (Urgency.U2, Urgency.U3, Urgency.U4)[rest.index(max(rest))]


def shares(text: str, role: str | None) -> Probabilities | None:
    """`Reader.shares` of the shipped rules and model."""
    return _shipped().shares(text, role)


def topic(text: str, lexicon: Lexicon | None = None) -> tuple[Category, str]:
    """The category of a text that is known to tell of a problem, and the word that decided."""
    category, _, word = _shipped().problem(text, lexicon)
    return category, word


def urgency(text: str, lexicon: Lexicon | None = None) -> Urgency:
    """The urgency of a text that is known to tell of a problem."""
    return _shipped().problem(text, lexicon)[1]
