"""A tick of a checklist as people say it: 5号楼最后一户签约, 诺沛第二轮已查，无异味, 3网格敲门120户."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.understanding.numbers import value_of

_NUMERAL: Final = r"[0-9０-９一二三四五六七八九十百廿两]+"
_GROUP: Final = re.compile(
    rf"(?:第?(?P<n>{_NUMERAL})\s*(?P<kind>号楼|幢|栋|号网格|网格|片区|标段)|(?P<kind2>网格)\s*(?P<n2>{_NUMERAL}))"
)
_ROUND: Final = re.compile(
    rf"第(?P<n>{_NUMERAL})[轮次遍]|(?P<first>首轮|初查)|(?P<n2>{_NUMERAL})轮"
)
_COUNT: Final = re.compile(
    rf"(?P<total>累计|共计?|总共|已)?\D{{0,4}}?(?P<n>{_NUMERAL})\s*(?:户|家|间|人|套)"
)
_LAST: Final = re.compile(rf"最后(?P<n>{_NUMERAL})?(?:户|家|间|套|个)?")
_ALL: Final = re.compile(r"全部|全都|都已?|所有|全(?=签|查|敲|腾)")
_PLACE: Final = re.compile(r"(?<![\d.])(\d{3,4}[A-Za-z]?)(?:室|号)?(?![\d.轮%])")
_BACK: Final = re.compile(r"退签|反悔|作废|取消签|签约?取消|撤签|不算")
_NOT: Final = re.compile(
    r"(?:还没|没有?|未|不肯|不愿|拒绝?|暂不|不同意|准备|打算|计划|明天|后天|下周|争取|尽快|请|要求|几时|什么时候|[?？吗])"
)
# What may stand before the word and is no name.
_FILLER: Final = re.compile(
    r"今[天日]|昨[天日]|[上下中]午|晚上|刚[刚才]?|又|再|新增|累计|共计|总共|一共|我们|他们|已经|已|全部|都|的|是|有|完成|商户|租户|住户|企业"
)
_STOP: Final = re.compile(r"[,，;；。!！\n]+")
# What people say beside the state itself, by its first word.
_SAID: Final = {
    "签": ("签约", "签字", "签协议", "签下", "签掉", "签订"),
    "查": ("排查", "复查", "查看"),
    "敲": ("敲门", "入户"),
    "腾": ("腾空", "腾退", "搬空"),
    "访": ("走访", "上门"),
}
_GRID: Final = "网格"
_KINDS: Final = {"幢": "号楼", "栋": "号楼", "号网格": _GRID}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list as it is named: its number and kind."""

    number: int
    kind: str

    @property
    def name(self) -> str:
        return f"{self.number}{self.kind}"

    @property
    def is_grid(self) -> bool:
        return self.kind == _GRID


@dataclass(frozen=True, slots=True)
class Tick:
    """What one sentence says of one part of a list, or of what it names.

    `last` is how many are said to be the last; `sum` says that `count` is the whole so far.
    """

    said: str
    part: Part | None = None
    places: tuple[str, ...] = ()
    round: int | None = None
    count: int | None = None
    sum: bool = False
    last: int | None = None
    all: bool = False
    back: bool = False
    result: str = ""
    name: str = ""


def words_of(state: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """The words by which people say that something reached a state, the longest first."""
    stem = state.removeprefix("已").removesuffix("了") or state
    head = stem[0]
    found = {state, *more, *_SAID.get(head, ()), *(f"{stem}{end}" for end in "了完好过毕")}
    return tuple(sorted((w for w in found if len(w) >= 2), key=lambda w: (-len(w), w)))


def part_of(text: str) -> Part | None:
    """The part of a list that a text names first: 5号楼, 五幢, 第3网格."""
    found = _GROUP.search(text)
    if found is None:
        return None
    number = value_of(found["n"] or found["n2"])
    kind = found["kind"] or found["kind2"]
    return None if number is None else Part(int(number), _KINDS.get(kind, kind))


def ticks_of(text: str, words: Sequence[str]) -> tuple[Tick, ...]:
    """The ticks of a sentence; none where no word of the campaign's is said of something done."""
    clauses = [c.strip() for c in _STOP.split(text) if c.strip()]
    found: list[Tick] = []
    rest: list[str] = []
    for clause in clauses:
        word = next((w for w in words if w in clause), "")
        back = _BACK.search(clause) is not None
        part = part_of(clause)
        more = (
            bool(found) and part is not None and _COUNT.search(_GROUP.sub("", clause)) is not None
        )
        if not (word or back or more):
            rest.append(clause)
            continue
        if not back and _NOT.search(clause):
            rest.append(clause)
            continue
        found.append(_tick(clause, word, part, back))
    if not found:
        return ()
    result = "，".join(rest)[:200]
    return tuple(_with_result(t, result) for t in found)


def _with_result(tick: Tick, result: str) -> Tick:
    return Tick(
        tick.said, tick.part, tick.places, tick.round, tick.count, tick.sum, tick.last, tick.all,
        tick.back, result, tick.name,
    )  # fmt: skip


def _tick(clause: str, word: str, part: Part | None, back: bool) -> Tick:
    bare = _GROUP.sub(" ", clause)
    round_number, bare = _round(bare)
    last = _LAST.search(bare)
    if last is not None:
        bare = bare.replace(last.group(), " ", 1)
    # A count stands with its unit; a bare number of three or four figures is a door.
    count = _COUNT.search(bare)
    if count is not None:
        bare = bare.replace(count["n"], " ", 1)
    places = tuple(dict.fromkeys(_PLACE.findall(bare)))
    name = re.sub(r"[\s、和与及,]+|[户家间室号]", " ", bare.split(word)[0] if word else bare)
    name = _FILLER.sub(" ", _PLACE.sub(" ", name)).strip()
    return Tick(
        clause,
        part,
        places,
        round_number,
        None if count is None else _number(count["n"]),
        count is not None and count["total"] is not None and count["total"] != "已",
        None if last is None else _number(last["n"] or "1"),
        _ALL.search(bare) is not None,
        back,
        "",
        name,
    )


def _round(text: str) -> tuple[int | None, str]:
    found = _ROUND.search(text)
    if found is None:
        return None, text
    number = 1 if found["first"] else _number(found["n"] or found["n2"])
    return number, text[: found.start()] + " " + text[found.end() :]


def _number(numeral: str) -> int | None:
    value = value_of(numeral)
    return None if value is None else int(value)


_FINE: Final = re.compile(r"无|没有?|未(?:发现|见|闻)|正常|合格|达标|良好|不明显")


def tells_trouble(result: str) -> bool:
    """Whether a result names something wrong outright: 有异味, 但 无异味 is none."""
    return any(
        re.search(r"异味|气味|臭|问题|隐患|超标|泄漏|渗漏|破损|不合格|投诉|困难|要求", clause)
        and not _FINE.search(clause)
        for clause in _STOP.split(result)
    )


def says_outright(said: str, state: str, words: Sequence[str]) -> bool:
    """Whether a clause without part or round can only be a tick.

    A firm's name and 查了 is what people say of tickets all day.
    """
    return any(w in said for w in (state, *words)) or state.endswith("签")


def without_part(text: str) -> str:
    """What follows the part of a list that a text names first."""
    found = _GROUP.search(text)
    return text if found is None else text[found.end() :]


def door_and_rest(text: str) -> tuple[str, str]:
    """The door at the start of a text, and what follows."""
    found = re.match(r"\s*(\d{3,4}[A-Za-z]?)(?:室|号)?(?:\s+|(?=[^\d\s户家]))", text)
    return ("", text.strip()) if found is None else (found.group(1), text[found.end() :].strip())


def doors_in(text: str) -> set[str]:
    return set(_PLACE.findall(text))


def means_all(text: str) -> bool:
    return (
        re.fullmatch(r"(?:都|全部|全都|所有)(?:是|签了|查了|的|已签|已查)?[了。]?", text)
        is not None
    )


def whole_number(text: str) -> int | None:
    """480户, 1,200."""
    digits = re.sub(r"[户,，家间人套\s]", "", text)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
