"""The parts of a message that tell of problems of their own (H11): split where it is marked, else not.

A second ticket for a consequence or a thank-you annoys everybody, so a text is cut only where its
writer counted, listed, or said 「另外」, and only if what stands on both sides is a problem.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from handlers.chat.grammar import without_quote
from handlers.domain.category import Category
from handlers.understanding.titles import (
    ASK,
    BAD,
    BOUND,
    FILL,
    NUMBER,
    PLAIN,
    POLITE,
    TOPIC,
    UNKNOWN,
    WANT,
    WHEN,
    WHO,
    Token,
    categories_of,
    tokens,
)

_EDGE: Final = r"(?:(?<=[\s,，。.;；:：!！?？、)）\]】])|^)"
_ORDINALS: Final = {c: n for n, c in enumerate("一二三四五六七八九", 1)}
_CIRCLED: Final = {c: n for n, c in enumerate("①②③④⑤⑥⑦⑧⑨", 1)}
_UNIT: Final = r"(?![\s]*[\d.:/%个名人台吨号月日年天点分秒元块万亿千百米公亩度级期次回班楼层栋幢家间条根辆份批位套座只把kKmMwWtT~\-])"
# Every form of a numbered list; a series must run 1, 2, … in one form to count.
_FORMS: Final = (
    re.compile(r"([①②③④⑤⑥⑦⑧⑨])[、.．:：]?"),
    re.compile(r"(?<![\dA-Za-z.])[（(]?([1-9])(?:[)）]|[、．:：]|\.(?!\d))\s*(?!\d)"),
    re.compile(
        rf"(?:{_EDGE}|(?<=[\u4e00-\u9fff]))(?:(?<![缺招要有差借租买补约近共到的加])|(?<=^))([1-9]){_UNIT}\s*(?=[\u4e00-\u9fffA-Za-z])"
    ),
    re.compile(r"(?<![十零百第一二三四五六七八九])[（(]?([一二三四五六七八九])[)）、．.:：]"),
    re.compile(
        r"第([一二三四五六七八九1-9])(?:(?:个|件|条|点|项|桩|样)(?:事情|事|问题|诉求)?(?:[,，、:：]|就?是|呢)|[,，、:：]|是(?!第))\s*"
    ),
    re.compile(r"(?<![第十])([一二三四五六七八九])(?:是|则是?)(?!否)[,，:：]?"),
    re.compile(r"其([一二三四五六七八九])[是,，、:：]?"),
    re.compile(rf"{_EDGE}([A-Fa-f])[.、．)）:：]\s*(?=[^\x00-\x7f]|[A-Z])"),
)
# A first, a next and a last, in words; the number is the place in the series.
_WORDED: Final = (
    (re.compile(r"首先"), re.compile(r"其次"), re.compile(r"再次|最后|末了")),
    (
        re.compile(rf"{_EDGE}(?:先|一)(?:讲|说|反映|报)[一下个件]*"),
        re.compile(rf"{_EDGE}(?:再|二)(?:讲|说|反映|报)[一下个件]*"),
        re.compile(rf"{_EDGE}(?:末了|最后)(?:讲|说|还有|再讲)?"),
    ),
    (
        re.compile(r"(?:头|第)?一(?:个|件|桩|样|条)(?:事)?(?:是|呢|就是)[,，:：]?"),
        re.compile(r"(?:另|再|还有|二|第二)一?(?:个|件|桩|样|条)(?:事)?(?:是|呢|就是)?[,，:：]?"),
        re.compile(r"(?:再|第三|还有|三)一?(?:个|件|桩|样|条)(?:事)?(?:是|呢|就是)[,，:：]?"),
    ),
)
_THINGS: Final = r"(?:事体|事情|事儿|事|问题|诉求|需求|情况|难处|难题|困难|老大难|麻烦|疑问|请求)"
_COUNTED: Final = re.compile(
    rf"(?<![\d第十百])([两二三四五俩几2-5])\s*(?:个|件|条|桩|样|点|项|方面|宗)?(?:老大难|{_THINGS})|"
    r"(?:(?<=[\s,，。!！;；说讲报映达教示询下着有愁大及诉共就这周月])|^)([两二三四五几2-5])\s*(?:件|条|桩|样|项|宗)(?=[吧啊哦哈呢]?[\s:：,，。;；!！])|"
    r"([两二三四五几2-5])\s*(?:件|条|桩|样|点|项|宗)(?=[吧啊哦哈呢]?[:：])"
)
_AMOUNTS: Final = {**_ORDINALS, "两": 2, "俩": 2, "几": 0}
_TOGETHER: Final = re.compile(
    r"[,，。;；\s]*(?:这|就|以上|上面)?([两二三四五])(?:[件样桩](?:事情|事)?|个(?:事情|事|问题))(?:一起|一并|都|麻烦|请|烦请|劳烦)[^,，。;；]{0,14}$"
)
_BOTH: Final = re.compile(
    r"(?P<one>[^,，。;；:：!！?？\s]{3,12}?)(?:和|跟|与|及|以及|、)(?P<two>[^,，。;；:：!！?？\s]{3,12}?)这?两(?:个|件|样|项|桩)(?:事|手续)?(?=[,，能都一怎啥什可要有哪谁分归])(?P<rest>[^。;；!！?？]{2,})"
)
# Reasons, steps and details of one problem are often numbered too.
_ONE_MATTER: Final = re.compile(
    r"其实是?(?:就是)?一(?:个|件|回|码)|同一件|一码事|细节|来龙去脉|经过|过程|步骤|理由|原因|依据|时间线|前后顺序"
)
_NUMERAL: Final = r"(?![\d一二两三四五六七八九十几半])"
# 「还有一个说肚子疼」 is one more person, not one more problem.
_NO_PERSON: Final = r"(?![说讲人也在被没正已刚去跑倒晕吐躺受还])"
_NEXT: Final = re.compile(
    rf"{_EDGE}(?:还有(?:一|两)?(?:个{_NO_PERSON}|件|桩|样|条|点)(?:小)?(?:事情|事|问题|情况|麻烦)?(?:是|就是|要|想)?|还有就是|再有(?:就是|一?个)?|再就是|再者|"
    rf"再一(?:个|件|桩|条)(?:事|问题)?(?:是|就是)?|另外{_NUMERAL}(?:还有|就是|呢|一(?:个|件)(?:事)?)?|此外|除此之外|外加|附带|末了|"
    rf"另(?=请|求|盼|有|要|想|问|据|烦|需|附)|另(?:一|有一)?(?:个|件|桩|条)(?:事|问题)(?:是)?|"
    r"还(?:想|要)(?:问|反映|请教|咨询|说|讲|麻烦|报)(?:一?[下个])?|对了|最后(?:一个|一件|再|还|问|说)(?:事)?|"
    r"顺(?:便|带)(?:再|还)?(?:问问?|说|讲|提|反映|咨询|请教|请|催|报)(?:一?[下个])?(?:件?事)?|第二(?:个|件|桩)(?:事情|事|问题)|二一个|同时(?=[^到出进])|"
    r"还有(?!(?:没|吗|伐|多少|[\d几一二两三四五六七八九十百千半]|人|名额|什么|啥|谁|的|救|点|些|时间|的话)))"
    r"[\s,，:：、]*"
)
_LIGHT: Final = re.compile(r"另(?!外)|同时|顺|对了|还")
# Spoken without marks: these words are no part of a sentence of their own.
_SPOKEN: Final = re.compile(
    r"(?:还有(?:一)?(?:个|件)(?:事情|事|问题)|另外还有(?:一?[个件]事)?|另外(?=我们|想|还|请|就是|有[个一])|再一个就是|还有就是|再有就是|还有一个就是|顺便(?:再)?(?:问|说|讲|反映|请教)(?:一?[下个])?(?:事)?)(?:是|就是)?[\s,，:：]*"
)
_SIGNS: Final = re.compile(
    r"[;；\n①②]|[2二2B][、.．)）:：]|2|第二|[二两]是|其[二次]|另|还[有想要]|同时|再[有一就者讲说]|此外|除此|外加|附带|末了|最后|对了|顺[便带]|二一个|[两二三四五俩几3-5]\s*(?:个|件|条|桩|样|点|项|方面|宗|问题|事|老)",
)
_JUST_THANKS: Final = re.compile(
    r"谢谢|感谢|多谢|多亏|辛苦|表扬|点赞|锦旗|已经?(?:好|解决|修好|通|恢复)|解决了|修好了|恢复了|弄好了|处理好了|到账了"
)
_LOSSES: Final = (
    "报废 损失 停产 停工 停线 停机 趴窝 违约 违约金 赔 赔偿 延误 影响 加班 罚款 索赔 交货 订单 客户"
)
_LOSS: Final = frozenset(_LOSSES.split())
_TRIM: Final = " \t\r\n,，。.;；:：、!！~～-—"
_REPORTS: Final = re.compile(
    r"^(?P<who>[^\s,，。:：;；!！?？]{2,10}?)(?:这边|那边)?(?:反映|反馈|来电话?|打电话来|打来电话|走访|提出|求助|咨询|报告|汇报|说是?|讲|提了|有)"
)
_CLOSING: Final = re.compile(
    r"[\s,，。;；!！]+(?:以上|烦请|恳请|敬请|盼|望|请予|请帮忙|请协调|麻烦|拜托|谢谢|多谢|感谢|辛苦|thanks?|thx|一条条|慢慢来|不急|真心)[^,，。;；\n]{0,14}[\s,，。.;；!！~]*$",
    re.IGNORECASE,
)


# A visit note tells of the firm first; the problems stand behind such a word.
_FOCUS: Final = re.compile(r"(?:困难|问题|诉求|需求|难处)(?:如下|有|和诉求|和问题|及诉求)?[:：]")


def problems(text: str, most: int) -> tuple[str, ...]:
    """The parts of a message that tell of problems of their own, at most `most` of them (H11)."""
    if _SIGNS.search(text) is None:
        return (text,)
    said = without_quote(text).strip()
    label = _FOCUS.search(said)
    if label is not None and label.start() > 20:
        said = said[label.end() :]
    if _ONE_MATTER.search(said[:60]):
        return (text,)
    for cut in (_numbered, _worded, _announced, _marked):
        parts = cut(said)
        if len(parts) > 1:
            named = _with_whose(said, parts)
            return named if len(named) <= most else _capped(named, most)
    return (text,)


def _capped(parts: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Nothing that was written is lost: the last part holds the rest."""
    return (*parts[: most - 1], "；".join(parts[most - 1 :]))


def _numbered(said: str) -> tuple[str, ...]:
    for form in _FORMS:
        series: list[re.Match[str]] = []
        for mark in form.finditer(said):
            if _ordinal(mark.group(1)) == len(series) + 1:
                series.append(mark)
        if len(series) >= 2:
            ends = [m.start() for m in series[1:]] + [len(said)]
            parts = [
                said[m.end() : end].strip(_TRIM + "（(")
                for m, end in zip(series, ends, strict=True)
            ]
            real = _different([_closed(p) for p in parts if _tells(p)], listed=True)
            if len(real) > 1:
                return real
    return ()


def _ordinal(sign: str) -> int:
    if sign in _CIRCLED:
        return _CIRCLED[sign]
    if sign in _ORDINALS:
        return _ORDINALS[sign]
    return int(sign) if sign.isdigit() else ord(sign.lower()) - ord("a") + 1


def _worded(said: str) -> tuple[str, ...]:
    for series in _WORDED:
        marks: list[re.Match[str]] = []
        for word in series:
            mark = word.search(said, marks[-1].end() if marks else 0)
            if mark is not None:
                marks.append(mark)
            elif len(marks) < 2:
                break
        if len(marks) < 2:
            continue
        ends = [m.start() for m in marks[1:]] + [len(said)]
        parts = [said[m.end() : e].strip(_TRIM) for m, e in zip(marks, ends, strict=True)]
        real = _different([_closed(p) for p in parts if _is_problem(p)])
        if len(real) == len(marks):
            return real
    return ()


def _announced(said: str) -> tuple[str, ...]:
    """「三条哦：…」: as many pieces as were announced, or no split at all."""
    counted = _COUNTED.search(said[:40])
    if counted is not None and (after := said[counted.end() :].lstrip(_TRIM + "吧啊哦哈呢")):
        wanted = _AMOUNTS.get(_count(counted), 0) or _digit(counted)
        parts = _pieces(after, wanted)
        if parts:
            return parts
    together = _TOGETHER.search(said)
    if together is not None:
        parts = _pieces(said[: together.start()], _AMOUNTS[together.group(1)])
        if parts:
            return parts
    both = _BOTH.search(said)
    if both is not None and _topics(both["one"]) and _topics(both["two"]):
        rest = re.sub(r"一起|一道|一并|都", "", both["rest"])
        return (both["one"] + rest, both["two"] + rest)
    return ()


def _count(counted: re.Match[str]) -> str:
    return counted.group(1) or counted.group(2) or counted.group(3)


def _digit(counted: re.Match[str]) -> int:
    sign = _count(counted)
    return int(sign) if sign.isdigit() else 0


# What stands between the pieces of a list without numbers; the weak ones hold within a sentence.
_BETWEEN: Final = (
    (r"\n+", False),
    (r"[;；]", False),
    (r"、", True),
    (r"[。!！?？]", False),
    (r"[,，]", True),
)


def _pieces(text: str, wanted: int) -> tuple[str, ...]:
    whole = _closed(text)
    sentence = re.split(r"[。!！?？\n]", whole, maxsplit=1)[0]
    for between, within in _BETWEEN:
        parts = [p.strip(_TRIM) for p in re.split(between, sentence if within else whole)]
        real = [_NEXT.sub("", p, count=1) if _NEXT.match(p) else p for p in parts if _tells(p)]
        fits = len(real) == wanted if wanted else 2 <= len(real) <= 5 and between != r"[,，]"
        if fits and (between not in ("、", r"[,，]") or len(parts) == len(real)):
            return _different(real, listed=True)
    return ()


def _marked(said: str) -> tuple[str, ...]:
    parts = _cut(said, _NEXT)
    if len(parts) > 1:
        parts = _aside(said, parts)
    if len(parts) == 1 and sum(c in ",，。;；!！?？\n" for c in said) * 30 <= len(said):
        parts = _cut(said, _SPOKEN)
    if len(parts) > 1:
        parts = _joined(parts, _is_problem)
    return _different([_closed(q) for p in parts for q in _beside(p)])


def _cut(said: str, mark: re.Pattern[str]) -> list[str]:
    found = list(mark.finditer(said))
    starts = [0, *(m.end() for m in found)]
    ends = [*(m.start() for m in found), len(said)]
    return [said[a:b].strip(_TRIM) for a, b in zip(starts, ends, strict=True)]


def _aside(said: str, parts: Sequence[str]) -> list[str]:
    """「另求」「同时」「顺便」 also begin a second wish about the same thing: that stays one."""
    kept = [parts[0]]
    for mark, part in zip(_NEXT.finditer(said), parts[1:], strict=True):
        light = _LIGHT.match(mark.group()) is not None
        if light and _matters(part) & _matters(kept[-1]):
            kept[-1] = f"{kept[-1]}，{mark.group()}{part}"
        else:
            kept.append(part)
    return kept


def _matters(part: str) -> set[str]:
    return {t.text for t in tokens(part) if t.kind == TOPIC and len(t.text) > 1}


def _joined(parts: Sequence[str], alone: Callable[[str], bool]) -> list[str]:
    """Parts that do not stand alone go back to the one before; a mere greeting before goes."""
    kept: list[str] = []
    for part in parts:
        if kept and not alone(part):
            kept[-1] = f"{kept[-1]}，{part}" if part else kept[-1]
        elif kept and not alone(kept[-1]):
            kept[-1] = part
        elif part:
            kept.append(part)
    return kept


_BREAK: Final = re.compile(r"[;；\n]+")


def _beside(part: str) -> list[str]:
    """Pieces between semicolons or on lines of their own, if they tell of different matters."""
    if _BREAK.search(part) is None:
        return [part]
    pieces = [p.strip(_TRIM) for p in _BREAK.split(part)]
    real = [p for p in pieces if _is_problem(p)]
    if len(real) < 2 or len(pieces) - len(real) > 1:
        return [part]
    subjects = [_topics(p) for p in real]
    apart = all(
        not subjects[a] & subjects[b] for a in range(len(real)) for b in range(a + 1, len(real))
    )
    return real if apart and sum(map(bool, subjects)) >= len(real) - 1 else [part]


def _closed(part: str) -> str:
    while (shorter := _CLOSING.sub("", part).strip(_TRIM)) != part:
        part = shorter
    return part


def _content(part: str) -> list[Token]:
    return [
        t
        for t in tokens(part)
        if t.kind not in (FILL, POLITE, WHO, WHEN, BOUND) and t.weight > 0 and t.text.strip()
    ]


def _topics(part: str) -> frozenset[Category]:
    found: set[Category] = set()
    for token in tokens(part):
        if token.kind == TOPIC:
            found |= categories_of(token.text)
    return frozenset(found)


def _tells(part: str) -> bool:
    """Whether a piece of a list holds more than a courtesy."""
    content = _content(part)
    return sum(len(t.text) for t in content) >= 3 and (
        len(content) >= 4 or any(t.kind in (TOPIC, BAD, ASK, WANT) for t in content)
    )


def _is_problem(part: str) -> bool:
    """Whether a part stands alone: a matter, and something wrong, wanted or asked about it."""
    content = _content(part)
    size = sum(len(t.text) for t in content if t.kind not in (ASK, WANT))
    matters = [t for t in content if t.kind == TOPIC]
    kinds = {t.kind for t in content}
    if any(t.weight > 3.0 for t in matters):
        kinds.add(BAD)
    if size < 2 or (size < 5 and not (matters and kinds & {BAD, WANT, NUMBER})):
        return False
    if _JUST_THANKS.search(part) and not any(
        # 办得很快, 修好了: one character alone is no wish in a thank-you.
        t.kind in (ASK, WANT) and len(t.text) > 1
        for t in content
    ):
        return False
    if matters and all(t.text in _LOSS for t in matters) and len(content) < 6:
        return False
    wrong = bool(kinds & {BAD, ASK, WANT})
    return (bool(matters) and (wrong or size >= 5)) or (wrong and len(content) >= 4)


def _different(parts: Sequence[str], listed: bool = False) -> tuple[str, ...]:
    """Without parts that say again what an earlier one said."""
    kept: list[str] = []
    for part in parts:
        if part and not any(_same(part, other, listed) for other in kept):
            kept.append(part)
    return tuple(kept)


def _same(part: str, other: str, listed: bool) -> bool:
    one, two = (_pairs(p) for p in (part, other))
    shared = len(one & two)
    if shared >= 0.7 * len(one | two):
        return True
    if listed:
        return False
    before = {t.text for t in _content(other)}
    words = {t.text for t in _content(part) if len(t.text) > 1 and t.kind not in (ASK, WANT)}
    matters = {t.text for t in _content(part) if t.kind == TOPIC and len(t.text) > 1}
    return (len(words) > 1 and words <= before) or len(matters & before) * 2 >= len(matters) > 1


def _pairs(part: str) -> set[str]:
    bare = "".join(c for c in part if c.isalnum())
    return {bare[n : n + 2] for n in range(len(bare) - 1)}


def _with_whose(said: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The firm whose matters are told, at the head of each part that does not name it."""
    told = _REPORTS.match(said)
    if told is None:
        return parts
    who = told["who"]
    named = all(t.kind in (UNKNOWN, TOPIC, PLAIN) or len(t.text) > 3 for t in tokens(who))
    announced = told.end() <= 14 or _COUNTED.search(said[:40]) is not None
    if not named or not announced or who in ("领导", "公司", "厂里"):
        return parts
    return tuple(p if who in p else f"{who}：{p}" for p in parts)
