"""What a sentence says in a sign-up (接龙): +1, 报3男2女, 我们改成3个, 取消, copied lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.domain.signup import MOST, Act, Said
from handlers.understanding.firms import FirmNames
from handlers.understanding.numbers import FLAT, Quantity, quantities


@dataclass(frozen=True, slots=True)
class Parsed:
    """Parties with what is said of them, "" being the speaker's own; `sure`: nothing else was meant."""

    words: tuple[tuple[str, Said], ...] = ()
    sure: bool = False


_LINE: Final = re.compile(r"^\s*(?:\d{1,3}|[①-⑳])\s*[.、,，)）．:：\s]\s*(\S.*)$")
_HEAD: Final = re.compile(r"接龙")
_NAMES: Final = re.compile(r"\s*[、+,，和]\s*")
_CLAUSE: Final = re.compile(r"[,，。;；!！~～…\n]+|\s{2,}|(?<=[?？])")
_FOR: Final = re.compile(r"(?:替|帮|代)")
_OWN: Final = re.compile(r"^(?:那|不过|但)?(?:我们|我厂|我司|本厂|本司|自己|咱们)")
_ASKS: Final = re.compile(
    r"[?？]|[吗么伐](?:$|\s)|能不能|能否|可不可以|可以不|有没有|是不是|算不算|几点|几楼|几号|怎么|谁|多少|什么|啥|哪里|哪儿"
)
_PUT_OFF: Final = re.compile(r"问问|商量|再说|再定|看看再|待定|考虑")
_BACK: Final = re.compile(
    r"(?:前面|之前|刚才|刚刚|上面|重复|原来|那个|那条).{0,6}(?:作废|不算|发|按错|填错)|按错了|还没报"
)
_OFF: Final = re.compile(
    r"(?<!不)取消|退出|婉拒|全退|都退|退了|退掉|退吧|(?:^|[^\w])退$|不参加|不参与|不去[了啦]|去不了|来不了|来不成|"
    r"不来(?:了|啦|$)|不报名?(?:了|啦|$)|撤回|放弃|弃权|让给|报错|不算$|名额不要"
)
# After such a word comes what holds.
_HOLDS: Final = re.compile(r"改(?:成|为|到|报)?|定了|更正|只|剩|就(?!是)")
_WHOLE: Final = re.compile(r"(?:一?共|合计|总共|总计|加起来|总数)[是有为来去报]{0,2}\s*$")
_MORE: Final = re.compile(
    r"(?:再|多|另|又|也|还)[外]?(?:加|添|来|报|去|要|带)?\s*$|(?<!参)[加添]\s*$"
)
_FEWER: Final = re.compile(r"(?:少|减少?|减掉|去掉|退掉?|取消|划掉|撤)(?:来|去|了|报)?\s*$")
_STAYS_AWAY: Final = re.compile(
    r"^[的人]{0,2}(?:临时|有事|也)?(?:请假|来不了|去不了|不来|不去|退出|不参加|走不开)"
)
_MAN: Final = "男|小伙|帅哥|先生|爷们"
_WOMAN: Final = "女|姑娘|美女|大姐|阿姨"
_BEFORE: Final = re.compile(
    rf"({_MAN}|{_WOMAN})(?:的|士|生|同志|同事|职工|员工|工人|工)?[^,，。;；男女]{{0,3}}$"
)
_AFTER: Final = re.compile(rf"^[^,，。;；、]*?({_MAN}|{_WOMAN})")
_ALL: Final = re.compile(rf"(?:都|全|均|清一色)(?:部)?(?:是|为)?({_MAN}|{_WOMAN})")
_HALVES: Final = re.compile(r"男女(?:各半|对半|一半一半)")
_EACH: Final = re.compile(r"男女(?:员工|职工|同志|生)?各\s*$")
_PEOPLE: Final = frozenset(["", "个", "名", "位", "人", "男", "女", "号人", "员", "口"])
_NO_PERSON: Final = re.compile(
    r"^\s*(?:座|车位|停车|素食|房间|问题|小时|钟头|月|星期|礼拜|项目|车间|厂|部门|建议|箱|桌|号楼)"
)
_VERB: Final = r"(?:报名?|来|去|出|占|参加|算|加|改[成为到]?|先报|登记)"
_BARE: Final = re.compile(rf"(?:^|{_VERB}|[名额共计人线们自己家厂司那就只,，。:：\s)）])\s*$")
_BARE_END: Final = re.compile(r"^\s*(?:$|[,，。;；!！~～)）(（男女、])")
_ALONE: Final = re.compile(
    r"(?:^|[,，。\s])(?:那|好|ok|OK)?(?:我|咱)们?也?(?:来|去|报名?|参加|报个名)(?:[吧啦了哈的]|[!！~～,，。]|$)|算我|报个名|"
    r"^(?:报名|参加)[!！~～。\s]*$|^(?:报名)+$|报名算我"
)
_ATTENDS: Final = re.compile(r"(?<!不)参加(?![了过])")
_WORDS: Final = re.compile(
    r"接龙|报名?|参加|来|去|出|占|先|也|那|好的?|收到|ok|OK|算|我们?|咱们?|本?[厂司]|自己|这边|一?共|合计|总共|加|再|改[成为到]?|更正|是|不|"
    r"取消|退出?|婉拒|了|吧|哈|的|名额|线上|线下|就|只|[+\-]|[个名位人男女工生士]|同志|职工|员工|都|全|和|各半?|对|没错|"
    r"[\d零一二两三四五六七八九十廿百俩仨半.()（）,，。、:：;；!！~～\s]"
)
_ACTS: Final = re.compile(
    rf"(?:^|[,，。:：\s]|们|厂|司){_VERB}\s*[+]?\s*[\d一二两三四五六七八九十廿俩仨]|^\s*(?:我|算上我|我也)?[+]\s*\d|"
    r"^(?:我们?|[^,，]{2,4})?(?:取消|退出|婉拒|不参加|不报名)"
)


# A list that is named by its number counts nobody with it.
_NAMED: Final = re.compile(r"接龙\s*(\d{1,6})(?![\d.、)）个名位人])")
# In a direct chat a bare number may mean anything.
_OUTRIGHT: Final = re.compile(r"报|接龙|[+＋]\s*\d|参加|取消|退出|婉拒")


def number_named(text: str) -> int | None:
    """The sign-up that a text names: 接龙 3."""
    named = _NAMED.search(text)
    return None if named is None else int(named[1])


def outright(text: str) -> bool:
    return _OUTRIGHT.search(text) is not None


def parse(text: str, own: str, firms: FirmNames) -> Parsed:
    """What `text` says, by somebody of the firm `own` ("" for the office's people)."""
    flat = _NAMED.sub("", text.translate(FLAT)).strip()
    if not flat or len(flat) > 2000:
        return Parsed()
    listed = _list(flat, own, firms)
    if listed is not None:
        return Parsed(listed, sure=True)
    words: list[tuple[str, Said]] = []
    for key, part in _parts(flat, own, firms):
        said = _sentence(part)
        if said is not None:
            words.append((key, said))
    return Parsed(tuple(words), sure=bool(words) and _plain(flat, firms))


def _plain(flat: str, firms: FirmNames) -> bool:
    """Whether it is nothing but a sign-up."""
    if len(flat) > 60:
        return False
    if _ACTS.search(flat) is not None:
        return True
    rest = flat
    for named in reversed(firms.named(flat)):
        rest = rest[: named.start] + rest[named.end :]
    rest = _WORDS.sub("", rest)
    return len(rest) <= 1


# ---- copied lists


def _list(flat: str, own: str, firms: FirmNames) -> tuple[tuple[str, Said], ...] | None:
    """The lines of a numbered list that name firms; None where it is no list."""
    lines = [m[1] for m in map(_LINE.match, flat.split("\n")) if m is not None]
    found: dict[str, Said] = {}
    for line in lines:
        named = firms.named(line)
        if not named or len(named[0].firms) != 1 or named[0].start > 2:
            continue
        key = named[0].firms[0]
        rest = line[: named[0].start] + line[named[0].end :]
        said = _sentence(rest) or Said(Act.SET, _names(rest))
        if said.act is Act.OFF:
            continue
        act = Act.SET if key == own else Act.COPY
        found["" if key == own else key] = Said(
            act, said.whole or said.count, said.male, said.female
        )
    if not found or (len(lines) == 1 and not _HEAD.search(flat) and own and "" not in found):
        return None
    return tuple(found.items())


def _names(rest: str) -> int:
    """How many people a line names: 「李总+财务」 is two."""
    names = [n for n in _NAMES.split(rest.strip()) if n]
    return len(names) if names and all(len(n) <= 5 for n in names) else 1


# ---- one sentence


def _parts(flat: str, own: str, firms: FirmNames) -> list[tuple[str, str]]:
    """The sentence cut by whom it speaks of: the speaker's own, or somebody signed for."""
    named = [n for n in firms.named(flat) if len(n.firms) == 1]
    other = next((n for n in named if n.firms[0] != own), None)
    if other is None:
        for name in reversed(named):
            flat = flat[: name.start] + " " + flat[name.end :]
        return [("", flat)]
    before = flat[max(0, other.start - 6) : other.start]
    speaks_for = _FOR.search(before) is not None
    if not speaks_for and ((own and other.start > 0) or (not own and other.start > 8)):
        return [("", flat)]
    key = other.firms[0]
    rest = flat[: other.start] + " " + flat[other.end :]
    theirs: list[str] = []
    mine: list[str] = []
    for clause in _CLAUSE.split(rest):
        (mine if _OWN.match(clause.strip()) and own else theirs).append(clause)
    parts = [(key, "。".join(theirs))]
    return [*parts, ("", "。".join(mine))] if mine else parts


def _sentence(text: str) -> Said | None:
    clauses = [c.strip() for c in _CLAUSE.split(text) if c.strip()]
    kept = [c for c in clauses if not _ASKS.search(c) and not _BACK.search(c)]
    asked = any(_ASKS.search(c) for c in clauses)
    # A full stop cuts clauses for every reader of numbers, too.
    joined = "。".join(kept)
    counted = _counted(joined)
    if counted is not None:
        return None if asked and not kept else counted
    if any(_OFF.search(c) for c in clauses if not _ASKS.search(c)):
        return Said(Act.OFF)
    if not joined or _PUT_OFF.search(joined):
        return None
    if _ALONE.search(joined) or (_ATTENDS.search(joined) and len(joined) <= 8):
        return Said(Act.SET, 1)
    return None


def _counted(text: str) -> Said | None:
    found = [q for q in quantities(text) if _is_people(text, q)]
    if not found:
        return None
    last = found[-1]
    off = [
        m
        for m in _OFF.finditer(text)
        if m.start() >= last.end and not _STAYS_AWAY.match(text[last.end :])
    ]
    if off:
        # 「报2个……算了,取消」: the last clause holds.
        return None
    whole = next((q for q in found if _WHOLE.search(text[: q.start])), None)
    rest = [q for q in found if q is not whole]
    held = [m.end() for m in _HOLDS.finditer(text)]
    after = [q for q in rest if held and q.start >= held[-1]]
    if after and whole is None:
        return _set(text, after, None)
    less = [q for q in rest if _fewer(text, q)]
    if less and whole is None and len(less) == len(rest):
        male, female, _ = _split(text, less)
        gendered = male is not None
        return Said(
            Act.ADD,
            -_sum(less),
            -(male or 0) if gendered else None,
            -(female or 0) if gendered else None,
        )
    rest = [q for q in rest if q not in less]
    if less and whole is None:
        # 「5个,有1个来不了」
        return _bounded(Said(Act.SET, _sum(rest) - _sum(less)))
    more = [q for q in rest if _MORE.search(text[: q.start])]
    if more and len(more) == len(rest):
        said = _set(text, more, whole)
        return (
            None if said is None else Said(Act.ADD, said.count, said.male, said.female, said.whole)
        )
    return _set(text, rest, whole)


def _fewer(text: str, q: Quantity) -> bool:
    return bool(_FEWER.search(text[: q.start]) or _STAYS_AWAY.match(text[q.end :]))


def _set(text: str, rest: Sequence[Quantity], whole: Quantity | None) -> Said | None:
    total = None if whole is None else int(whole.value)
    if not rest:
        if total is None:
            return None
        male, female = _all_of(text, total)
        return _bounded(Said(Act.SET, total, male, female))
    male, female, plain = _split(text, rest)
    if male is None or female is None:
        count = total if total is not None else plain
        male, female = _all_of(text, count)
        return _bounded(Said(Act.SET, count, male, female))
    tagged = male + female
    if total is not None:
        return _bounded(Said(Act.SET, total, male, female, whole=total))
    if plain and plain >= tagged:
        if plain > tagged:
            # 「10人,其中女3人」: the others are the other kind.
            male, female = (male, plain - male) if not female else (plain - female, female)
            if male + female != plain:
                return _bounded(Said(Act.SET, plain))
        return _bounded(Said(Act.SET, plain, male, female))
    if plain:
        return _bounded(Said(Act.SET, plain + tagged))
    return _bounded(Said(Act.SET, tagged, male, female))


def _bounded(said: Said) -> Said | None:
    return said if 0 < said.count <= MOST else None


def _split(text: str, found: Sequence[Quantity]) -> tuple[int | None, int | None, int]:
    """Men and women (None where nothing tells them), and those of whom only the number is said."""
    first = found[0]
    leads = _BEFORE.search(text[: first.start]) is not None
    male = female = plain = 0
    told = False
    for n, q in enumerate(found):
        number = int(q.value)
        if _EACH.search(text[: q.start]):
            male, female, told = male + number, female + number, True
            continue
        start = found[n - 1].end if n else 0
        until = found[n + 1].start if n + 1 < len(found) else len(text)
        tag = ""
        if leads:
            # A unit may have swallowed the next one's sign: 「男4女6」.
            from_here = text[max(0, start - 1) : q.start]
            match = _BEFORE.search(from_here)
            tag = match[1] if match else ""
        elif q.unit in ("男", "女"):
            tag = q.unit
        else:
            match = _AFTER.match(text[q.end : until]) or _BEFORE.search(text[start : q.start])
            tag = match[1] if match else ""
        if not tag:
            plain += number
        elif re.fullmatch(_MAN, tag):
            male, told = male + number, True
        else:
            female, told = female + number, True
    return (male, female, plain) if told else (None, None, plain)


def _sum(found: Sequence[Quantity]) -> int:
    return sum(int(q.value) for q in found)


def _all_of(text: str, count: int) -> tuple[int | None, int | None]:
    if _HALVES.search(text) and count % 2 == 0:
        return count // 2, count // 2
    everybody = _ALL.search(text)
    if everybody is None:
        return None, None
    return (count, 0) if re.fullmatch(_MAN, everybody[1]) else (0, count)


def _is_people(text: str, q: Quantity) -> bool:
    if q.unit not in _PEOPLE or q.value != int(q.value) or q.value < 0 or q.value > MOST:
        return False
    after = text[q.end :]
    if _NO_PERSON.match(after):
        return False
    if q.unit:
        return True
    before = text[: q.start]
    return bool(
        text[q.start] == "+"
        or ((_BARE.search(before) or _BEFORE.search(before)) and _BARE_END.match(after))
    )
