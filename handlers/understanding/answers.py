"""An answer to a survey: one free sentence, a numbered list, 不变, 无; laid beside the questions.

Numbers find their questions by the words around them, those without words by their order. What
cannot be placed is said, so that it can be asked about; nothing is guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from handlers.domain.moment import Granularity
from handlers.domain.survey import Question, QuestionKind, Value, Values
from handlers.domain.workdays import SHANGHAI, WorkCalendar
from handlers.understanding.numbers import FLAT, Quantity, answers_none, quantities
from handlers.understanding.times import find_time


@dataclass(frozen=True, slots=True)
class Loose:
    """A number that fits no question: as written, with the words before it."""

    text: str
    label: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Matched:
    """`by_words`: how many values their own words placed; `bare`: there are no words but numbers."""

    values: Values
    loose: tuple[Loose, ...] = ()
    unchanged: bool = False
    by_words: int = 0
    bare: bool = False

    @property
    def count(self) -> int:
        return sum(v is not None for v in self.values)


_CLAUSE: Final = re.compile(
    r"(?<!\d)[,，]|[,，](?!\d{3}(?!\d))|[;；。\n、!！]|(?<=\d)\s+(?=[^\d\s.%万亿])"
)
_UNCHANGED: Final = re.compile(
    r"不变|照旧|照上次|同上[次轮月期季]?|[跟和与]上[次轮月期]\S{0,3}(?:一样|相同|一致)|(?:没有?|无|未)(?:什么)?变[化动]?|没变|一样的?$"
)
_NONE: Final = re.compile(r"无|没有|没得|不缺|不需要?|不招|暂无|不涉及|零|(?<!\d)0(?![\d.])")
_YES: Final = re.compile(r"^(?:是|有|对|会|要|已|需要?|能|可以|同意|愿意|参加|√|y(?:es)?$)", re.I)
_NO: Final = re.compile(r"没|无|否|不|未|×|^no?$", re.I)
_WHETHER: Final = re.compile(r"^(?:贵[厂司企]|企业)?(?:是否|有无|有没有|能否|会否)|[吗?？]$|情况$")
_TOTAL: Final = re.compile(
    r"(?:合计|总共|总计|一共|共计|共|总数|加起来)[是有缺为需]{0,2}[:：]?\s*$"
)
# Words around a number that say nothing of what is counted.
_NOISE: Final = re.compile(
    r"更正|改[成为到]?|应该?是|目前|现在|今年|我们?|本?[厂司]|这边|公司|还|大[约概]|约|差不多|左右|上下|共|其中|需要?|要|缺口?|短缺|招|有|是|为|的|在|了|报|填|"
    r"个|名|人|位|数|[:：=＝\-~—\s()（）,，。.、;；]"
)
_ITEM: Final = re.compile(
    r"(?:^|[\n;；,，。\s])\s*[(（]?(?:第)?(\d{1,2})(?:[.、)）:：]|[题项][:：]?)"
)
_RANGE: Final = re.compile(r"\s*[-~—–至到]\s*")
_PEOPLE: Final = frozenset(["名", "人", "位", "号人", "员", "口", "人次"])
_MONEY: Final = frozenset(["元", "块", "美元", "美金", "欧元", "日元", "人民币"])
_SAME: Final = {
    "立方": "方", "立方米": "方", "标立方": "方", "m3": "方", "m³": "方", "千瓦时": "度", "kwh": "度",
    "㎡": "平", "平方": "平", "平方米": "平", "m2": "平", "千克": "公斤", "kg": "公斤", "t": "吨", "个点": "%",
    "千瓦": "kw", "兆瓦": "mw", "千伏安": "kva",
}  # fmt: skip
_GREAT: Final = {"万": Decimal(10_000), "亿": Decimal(100_000_000)}
_ENOUGH: Final = 0.5


def match(
    text: str, questions: Sequence[Question], now: datetime, calendar: WorkCalendar
) -> Matched:
    """Lay a text beside the questions."""
    flat = text.translate(FLAT)
    listed = _listed(flat, questions)
    if listed is not None:
        return _from_list(text, listed, questions, now, calendar)
    return _Match(text, flat, questions, now, calendar).made()


def assigned(loose: Quantity, question: Question) -> Value:
    """A number that was asked about, as the value of the question it belongs to."""
    return _value(loose, question)


# ---- numbered lists


def _listed(flat: str, questions: Sequence[Question]) -> list[tuple[int, int, int]] | None:
    """Question, start and end of each item: two or more numbers that go up."""
    if len(questions) < 2:
        return None
    marks = list(_ITEM.finditer(flat))
    found: list[tuple[int, int, int]] = []
    last = 0
    for mark in marks:
        number = int(mark[1])
        if number <= last or number > len(questions):
            continue
        if found:
            found[-1] = (found[-1][0], found[-1][1], mark.start())
        elif flat[: mark.start()].strip() and number != 1:
            return None
        found.append((number - 1, mark.end(), len(flat)))
        last = number
    if len(found) < 2 and not (found and re.search(r"[题项]", flat)):
        return None
    return found


def _from_list(
    text: str,
    listed: Sequence[tuple[int, int, int]],
    questions: Sequence[Question],
    now: datetime,
    calendar: WorkCalendar,
) -> Matched:
    values: list[Value | None] = [None] * len(questions)
    for n, start, end in listed:
        part = text[start:end].strip(" ,，;；。、\n")
        if not part:
            continue
        one = _Match(part, part.translate(FLAT), questions[n : n + 1], now, calendar).made()
        values[n] = one.values[0]
    return Matched(tuple(values), by_words=sum(v is not None for v in values))


# ---- free sentences


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    end: int
    text: str


class _Match:
    def __init__(
        self,
        text: str,
        flat: str,
        questions: Sequence[Question],
        now: datetime,
        calendar: WorkCalendar,
    ) -> None:
        self._text, self._flat, self._questions = text, flat, questions
        self._now, self._calendar = now, calendar
        self._values: list[Value | None] = [None] * len(questions)
        self._clauses = _clauses(flat)
        self._used: set[int] = set()
        self._words = 0
        self._cores = [_core(q.name) for q in questions]

    def made(self) -> Matched:
        flat = self._flat
        unchanged = bool(_UNCHANGED.search(flat)) and not re.search(
            r"(?<![没无])有变化?|不一样", flat
        )
        loose = self._numbers()
        self._choices()
        self._yes_no()
        self._dates()
        self._tables()
        self._none(unchanged)
        self._texts(unchanged)
        said = _NOISE.sub("", re.sub(r"[\d%万亿]", "", flat))
        return Matched(tuple(self._values), loose, unchanged, self._words, bare=not said)

    def _of(self, *kinds: QuestionKind) -> list[int]:
        """The questions of these kinds that have no value yet."""
        return [
            n for n, q in enumerate(self._questions) if q.kind in kinds and self._values[n] is None
        ]

    def _put(self, n: int, value: Value, clause: int | None = None, words: bool = True) -> None:
        self._values[n] = value
        self._words += words
        if clause is not None:
            self._used.add(clause)

    def _clause_of(self, at: int) -> int:
        return next((n for n, c in enumerate(self._clauses) if c.start <= at <= c.end), 0)

    def _score(self, n: int, label: str) -> float:
        """How much of a question's name stands in a label; what all names share counts nothing."""
        core = self._cores[n]
        if not core or not label:
            return 0.0
        if core in label:
            return 2.0 + len(core) / 100
        shared = _longest(core, label)
        if not shared:
            return 0.0
        others = "".join(c for m, c in enumerate(self._cores) if m != n)
        own = [c for c in shared if c not in others]
        if not own or (len(shared) < 2 and len(core) > 2):
            return 0.0
        return len(shared) / len(core)

    # -- numbers

    def _numbers(self) -> tuple[Loose, ...]:
        wanted = self._of(QuestionKind.NUMBER)
        if not wanted:
            return ()
        found = _ranges(self._flat, quantities(self._text))
        labels = self._labels([q for q, _ in found])
        pairs = sorted(
            (
                (-self._score(n, label), i, n)
                for i, (q, _) in enumerate(found)
                for n in wanted
                for label in labels[i]
                if self._score(n, label) >= _ENOUGH and _fits(q, self._questions[n])
            ),
        )
        placed: dict[int, int] = {}
        for _, i, n in pairs:
            if i not in placed and n not in placed.values():
                placed[i] = n
        for i, n in placed.items():
            self._take(n, found[i])
        self._by_unit(found, placed, wanted)
        rest = [i for i in range(len(found)) if i not in placed and not _TOTAL.search(labels[i][0])]
        open_ = [n for n in wanted if self._values[n] is None]
        nameless = [i for i in rest if not _named(labels[i])]
        in_order = len(rest) == len(open_) and nameless == rest
        alone = len(self._questions) == 1 and len(rest) == 1
        if (in_order or alone) and all(
            _fits(found[i][0], self._questions[n]) for i, n in zip(rest, open_, strict=False)
        ):
            for i, n in zip(rest, open_, strict=False):
                self._take(n, found[i], words=False)
            return ()
        return tuple(
            Loose(
                self._text[found[i][0].start : found[i][0].end],
                labels[i][0].strip(" ,，:：的是有"),
                found[i][0],
            )
            for i in rest
        )

    def _by_unit(
        self,
        found: Sequence[tuple[Quantity, str]],
        placed: dict[int, int],
        wanted: Sequence[int],
    ) -> None:
        """「增长25.37%」 where one question alone is counted in %."""
        kinds = [_kind(self._questions[n].unit) for n in wanted]
        for i, one in enumerate(found):
            kind = _kind(one[0].unit)
            if i in placed or kind in ("", "个", "people") or kinds.count(kind) != 1:
                continue
            n = wanted[kinds.index(kind)]
            if self._values[n] is None and sum(_kind(q.unit) == kind for q, _ in found) == 1:
                placed[i] = n
                self._take(n, one)

    def _take(self, n: int, found: tuple[Quantity, str], words: bool = True) -> None:
        quantity, span = found
        value = _value(quantity, self._questions[n])
        if span:
            value = replace(value, text=span, about=True)
        self._put(n, value, self._clause_of(quantity.start), words)

    def _labels(self, found: Sequence[Quantity]) -> list[tuple[str, str]]:
        """The words before and behind each number, in its own clause."""
        labels = []
        for i, q in enumerate(found):
            clause = self._clauses[self._clause_of(q.start)]
            before_from = max(clause.start, found[i - 1].end if i else 0)
            until = found[i + 1].start if i + 1 < len(found) else len(self._flat)
            before = self._flat[before_from : q.start]
            behind = self._flat[q.end : min(max(clause.end, q.end), until)]
            if not before.strip() and i and not behind.strip():
                # 「挡车工：\n15」: the words stand in a clause of their own.
                index = self._clause_of(q.start)
                if index and found[i - 1].end <= self._clauses[index - 1].start:
                    before = self._clauses[index - 1].text
            elif not before.strip() and not i and not behind.strip():
                index = self._clause_of(q.start)
                before = self._clauses[index - 1].text if index else before
            labels.append((before, "" if before.strip() else behind))
        return labels

    # -- the others

    def _labelled(self, n: int) -> int | None:
        """The clause that names a question."""
        scored = [
            (self._score(n, c.text), -i) for i, c in enumerate(self._clauses) if c.text.strip()
        ]
        best = max(scored, default=(0.0, 0))
        return -best[1] if best[0] >= _ENOUGH else None

    def _choices(self) -> None:
        wanted = self._of(QuestionKind.CHOICE)
        for n in wanted:
            at = self._labelled(n)
            spaces = (
                [at]
                if at is not None
                else [i for i in range(len(self._clauses)) if i not in self._used]
            )
            options = sorted(self._questions[n].choices, key=len, reverse=True)
            hit = next(
                (
                    (o, i)
                    for i in spaces
                    for o in options
                    if o.translate(FLAT) in self._clauses[i].text
                ),
                None,
            )
            if hit is not None:
                self._put(n, Value(hit[0]), hit[1])

    def _yes_no(self) -> None:
        wanted = self._of(QuestionKind.YES_NO)
        alone = len(self._questions) == 1
        for n in wanted:
            at = self._labelled(n)
            if at is None and alone:
                at = 0
            if at is None:
                continue
            said = self._clauses[at].text
            core = self._cores[n]
            if core in said:
                said = said.replace(core, "", 1)
            answer = _polarity(said, said_name=core in self._clauses[at].text)
            if answer is not None:
                self._put(n, Value(answer), at)
        left = self._of(QuestionKind.YES_NO)
        short = [
            i
            for i, c in enumerate(self._clauses)
            if i not in self._used and re.fullmatch(r"[是否有无没对不]{1,2}", c.text.strip())
        ]
        if left and len(short) == len(left):
            for n, i in zip(left, short, strict=True):
                self._put(n, Value(_polarity(self._clauses[i].text) or ""), i, words=False)

    def _dates(self) -> None:
        wanted = self._of(QuestionKind.DATE)
        for n in wanted:
            at = self._labelled(n)
            if at is None and len(wanted) > 1:
                continue
            said = self._text if at is None else self._slice(at)
            moment = find_time(said, self._now, self._calendar, self._calendar.zone)
            if moment is None:
                continue
            local = moment.start.astimezone(SHANGHAI)
            exact = moment.granularity in (Granularity.MINUTE, Granularity.HOUR)
            told = f"{local:%Y-%m-%d %H:%M}" if exact else f"{local:%Y-%m-%d}"
            self._put(n, Value(told), at, words=at is not None)

    def _slice(self, at: int) -> str:
        return self._text[self._clauses[at].start : self._clauses[at].end]

    def _tables(self) -> None:
        wanted = self._of(QuestionKind.TABLE)
        if len(wanted) != 1:
            return
        columns = self._questions[wanted[0]].columns
        rows = []
        for line in re.split(r"[\n;；]", self._text):
            cells = [c for c in re.split(r"[\s,，、|:：]+", line.strip()) if c]
            if cells and len(cells) == len(columns):
                rows.append(tuple(c[:60] for c in cells))
                continue
            said = quantities(line)
            name = line[: said[0].start].strip(" :：,，、") if said else ""
            if name and len(said) == len(columns) - 1:
                rows.append((name[:60], *(_plain(q) for q in said)))
        if rows:
            text = "；".join(" ".join(r) for r in rows)
            self._put(wanted[0], Value(text, rows=tuple(rows)))
            self._used |= set(range(len(self._clauses)))

    def _none(self, unchanged: bool) -> None:
        """无, 没有 and 0 are answers: to one question by its name, or to all."""
        wanted = self._of(QuestionKind.NUMBER, QuestionKind.TEXT)
        for n in wanted:
            at = self._labelled(n)
            if at is not None and at not in self._used and _NONE.search(self._clauses[at].text):
                if (
                    not quantities(self._slice(at))
                    or self._questions[n].kind is QuestionKind.NUMBER
                ):
                    self._put(n, _nothing(self._questions[n]), at)
        if not unchanged and not self._words and answers_none(self._text):
            for n in self._of(*QuestionKind):
                self._put(n, _nothing(self._questions[n]), words=False)
            self._used |= set(range(len(self._clauses)))
        elif re.search(r"其[他它余]\S{0,3}(?:无|没有|不缺|为?0|零)", self._flat):
            for n in self._of(QuestionKind.NUMBER):
                self._put(n, _nothing(self._questions[n]), words=False)

    def _texts(self, unchanged: bool) -> None:
        wanted = self._of(QuestionKind.TEXT)
        for n in wanted:
            at = self._labelled(n)
            if at is None:
                continue
            following = [at]
            said = self._slice(at)
            shared = _longest(self._cores[n], self._clauses[at].text)
            head = self._clauses[at].text.find(shared) + len(shared)
            said = said[head:]
            # What follows and names no other question goes on with it.
            for i in range(at + 1, len(self._clauses)):
                if i in self._used or any(
                    self._score(m, self._clauses[i].text) >= _ENOUGH
                    for m in range(len(self._questions))
                ):
                    break
                following.append(i)
                said = f"{said}，{self._slice(i).strip()}"
            said = re.sub(r"^[\s:：是有为]+", "", said).strip(" ，,。")
            if said:
                self._put(n, Value(said[:500]), at)
                self._used |= set(following)
        left = self._of(QuestionKind.TEXT)
        rest = [
            self._slice(i).strip()
            for i in range(len(self._clauses))
            if i not in self._used and self._slice(i).strip()
        ]
        alone = len(self._questions) == 1
        if len(left) == 1 and rest and not unchanged and (alone or self._words):
            said = self._text.strip() if alone else "，".join(rest)
            if alone or len(said) >= 4:
                self._put(left[0], Value(said[:500]), words=False)


# ---- pieces


def _clauses(flat: str) -> list[_Part]:
    found, at = [], 0
    for mark in _CLAUSE.finditer(flat):
        found.append(_Part(at, mark.start(), flat[at : mark.start()]))
        at = mark.end()
    found.append(_Part(at, len(flat), flat[at:]))
    return found


def _core(name: str) -> str:
    flat = name.translate(FLAT).strip()
    return _WHETHER.sub("", _WHETHER.sub("", flat)) or flat


def _longest(one: str, other: str) -> str:
    """The longest run that two texts have in common."""
    best = ""
    for start in range(len(one)):
        for end in range(start + len(best) + 1, len(one) + 1):
            if one[start:end] not in other:
                break
            best = one[start:end]
    return best


def _named(labels: tuple[str, str]) -> bool:
    """Whether the words around a number say what it counts."""
    return len(_NOISE.sub("", "".join(labels))) >= 2


def _ranges(flat: str, found: Sequence[Quantity]) -> list[tuple[Quantity, str]]:
    """Two numbers that are a range are one, its upper end, written as both."""
    joined: list[tuple[Quantity, str]] = []
    skip = False
    for i, q in enumerate(found):
        if skip:
            skip = False
            continue
        following = found[i + 1] if i + 1 < len(found) else None
        if following is not None and _RANGE.fullmatch(flat[q.end : following.start] or " "):
            span = f"{_bare(q.value)}~{_plain(following)}"
            joined.append((replace(following, start=q.start, about=True), span))
            skip = True
        else:
            joined.append((q, ""))
    return joined


def _kind(unit: str) -> str:
    base = unit.lstrip("万亿千").lower()
    if base in _PEOPLE:
        return "people"
    if base in _MONEY:
        return "money"
    return _SAME.get(base, base)


def _fits(q: Quantity, question: Question) -> bool:
    """Whether a number with that unit can be an answer."""
    said, wanted = _kind(q.unit), _kind(question.unit)
    if not said or not wanted or said == wanted:
        return (said == "%") <= (wanted in ("%", ""))
    return said == "个" and wanted not in ("money", "%")


def _scale(unit: str) -> Decimal:
    return _GREAT.get(unit[:1], Decimal(1))


def _value(q: Quantity, question: Question) -> Value:
    """The number in the question's unit; the text keeps the unit that was said."""
    number = q.value
    if q.unit and _kind(q.unit) != "%":
        number = q.value * _scale(q.unit) / _scale(question.unit)
    unit = question.unit if q.unit in ("", "个") else q.unit
    return Value(f"{_bare(q.value)}{unit}", _tidy(number), q.about)


def _tidy(number: Decimal) -> Decimal:
    whole = number.to_integral_value()
    return whole if number == whole else number.normalize()


def _bare(number: Decimal) -> str:
    return f"{_tidy(number):f}"


def _plain(q: Quantity) -> str:
    return f"{_bare(q.value)}{q.unit}"


def _nothing(question: Question) -> Value:
    if question.kind is QuestionKind.NUMBER:
        return Value("无", Decimal(0))
    return Value("否" if question.kind is QuestionKind.YES_NO else "无")


def _polarity(said: str, said_name: bool = False) -> str | None:
    said = said.strip(" :：,，。的了")
    if _NO.search(said):
        return "否"
    if _YES.match(said) or (said_name and not said) or re.search(r"(?:是|有|会|已)的?$", said):
        return "是"
    return "是" if said_name else None
