"""One message read: what is certain by rule, the rest by the model, both as one reading."""

import re
from dataclasses import replace
from functools import cache
from typing import Final

from handlers.domain.category import Category, Urgency
from handlers.understanding import words as w
from handlers.understanding.features import features, grams, plain, said
from handlers.understanding.firms import FirmNames
from handlers.understanding.model import Blend, Model, decide, shipped, unsure
from handlers.understanding.numbers import numbers_in
from handlers.understanding.parts import problems, title_of
from handlers.understanding.rating import rating_of, verdict_of
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

_MARKS: Final = str.maketrans("", "", " \t\r\n,，。.!！?？、;；:：~～…-—")
_PLACEHOLDER: Final = re.compile(r"\[[^\]]{1,6}\]")
_CLAIM: Final = re.compile("|".join(sorted(map(re.escape, w.CLAIM), key=len, reverse=True)))
# The geometric mean of the three signs of an emergency above which it is taken for one.
ALARM_ABOVE: Final = 0.18
# The second reader spreads its shares wider, so the same sign is a smaller number.
ALARM_BOTH: Final = 0.155
# A rule that saw danger needs only this much of the model's agreement.
ALARM_HEARD: Final = 0.05
_SHORT: Final = 30


class Reader:
    """Rules and a model together; the shipped pair is behind `read`."""

    def __init__(self, model: Model, judge: Judge = judge) -> None:
        self._model: Final = model
        self._judge: Final = judge

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
    ) -> Reading:
        """What a message means. `addressed`: the bot was mentioned or it is a direct chat.

        `opinion` is the second reader's answer, where it was asked (`Reading.unsure`) and answered.
        """
        heard = said(text, names)
        bare = heard.translate(_MARKS).lower()
        named = () if firms is None else firms.find(heard)
        if not bare or bare in w.ACKS:
            return Reading(Intent.ACK, firms=named, confidence=0.0, why=(bare,) if bare else ())
        if not _PLACEHOLDER.sub("", heard).strip():
            return Reading(Intent.CHATTER, confidence=0.0, why=(heard,))
        staff = role is not None and role != "manager"
        first, ruling = self._judged(plain(heard), role, msg_type, staff)
        blend = self._model.blend
        sure = decide(first, opinion, blend)
        if addressed:
            sure = _asked_for(sure, heard)
        if ruling.says(Effect.NOTHING):
            return _nothing(sure, ruling, named)
        emergency = _emergency(sure, ruling, opinion is not None)
        ticket = emergency or _opens(sure, ruling, blend)
        asks = not ticket and _asks(sure, ruling, blend, addressed, bare)
        intent = _intent(sure, ticket, asks, emergency)
        rating, resolved = _verdict(heard, bare, intent, ticket, staff)
        items = self._items(heard, role, sure, emergency, most) if ticket or asks else ()
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
            why=ruling.why,
            unsure=opinion is None and unsure(first, blend),
            topic=items[0].category if items else sure.best_category(),
            urgency=items[0].urgency if items else None,
            survey_numbers=numbers_in(heard) if intent is Intent.SURVEY_REPLY else (),
            probabilities=sure,
        )

    def problem(self, text: str) -> tuple[Category, Urgency]:
        """Category and urgency of a text that is known to tell of a problem."""
        sure, ruling = self._judged(plain(said(text)), None, "text", False)
        return sure.best_category(), _urgency(sure, ruling.alarm or _emergency(sure, ruling))

    def _judged(
        self, flat: str, role: str | None, msg_type: str, staff: bool
    ) -> tuple[Probabilities, Ruling]:
        found = grams(flat)
        ruling = self._judge(flat, found, staff)
        return self._model.probabilities(features(flat, found, role, msg_type, ruling)), ruling

    def _items(
        self, heard: str, role: str | None, sure: Probabilities, emergency: bool, most: int
    ) -> tuple[Item, ...]:
        parts = problems(heard, most)
        if len(parts) == 1:
            return (_item(heard, sure, emergency),)
        items = []
        for part in parts:
            own, ruling = self._judged(plain(part), role, "text", False)
            items.append(_item(part, own, _emergency(own, ruling)))
        if emergency and not any(i.urgency is Urgency.U1 for i in items):
            items[0] = replace(items[0], urgency=Urgency.U1)
        return tuple(items)


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
) -> Reading:
    """`Reader.read` of the shipped rules and model."""
    return _shipped().read(text, role, msg_type, addressed, firms, most, names, opinion)


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


def _asked_for(sure: Probabilities, heard: str) -> Probabilities:
    """Numbers or a problem, told to the bot itself, are rather a report than talk."""
    best, odds = sure.best_intent(), TURNED_TO * sure.ticket
    if best is Intent.SURVEY_REPLY and _LACKS.search(heard):
        odds *= TURNED_TO
    elif best not in PROBLEMS:
        return sure
    return replace(sure, ticket=odds / (odds + 1 - sure.ticket))


def alarm(sure: Probabilities) -> float:
    """How much a message looks like an emergency: a problem, of the first level, urgently told."""
    urgent: float = (
        sure.ticket * sure.urgency[0] * sure.intent[INTENTS.index(Intent.URGENT)]
    ) ** 0.5
    return urgent


def _emergency(sure: Probabilities, ruling: Ruling, both: bool = False) -> bool:
    above = ALARM_BOTH if both else ALARM_ABOVE
    return alarm(sure) > (ALARM_HEARD if ruling.alarm else above)


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
        return None, False if len(bare) <= _SHORT and verdict_of(heard) is False else None
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


def topic(text: str) -> tuple[Category, str]:
    """The category of a text that is known to tell of a problem."""
    return _shipped().problem(text)[0], ""


def urgency(text: str, category: Category) -> Urgency:
    """The urgency of a text that is known to tell of a problem of this category."""
    return _shipped().problem(text)[1]
