"""Names and numbers of people and firms behind placeholders, for a text that leaves the process.

What is certain is hidden (the registry's names, anything that looks like a number somebody can be
found by); what only may be a name is hidden too, for a placeholder too many costs a little sense
and a name too many cannot be taken back.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from handlers.understanding.firms import FirmNames

FIRM, PERSON, PHONE, CARD, PLATE, MAIL, NUMBER, ACCOUNT, LINK = (
    "企业", "人员", "电话", "证件", "车牌", "邮箱", "号码", "账号", "链接",
)  # fmt: skip
PLACEHOLDER: Final = re.compile(
    f"(?:{FIRM}|{PERSON}|{PHONE}|{CARD}|{PLATE}|{MAIL}|{NUMBER}|{ACCOUNT}|{LINK})[A-Z]{{1,2}}"
)

_MOBILE: Final = r"(?:\+?86[-\s]?)?1[3-9]\d(?:[-\s.]?\d){8}"
_SURNAMES: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌苗凤花俞任袁柳史唐"
    "费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余元卜顾孟黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻"
    "贾江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程嵇邢裴陆荣翁荀羊甄曲封储段侯全班仰秋仲"
    "宫宁仇栾甘厉祖武符刘景詹龙叶幸司韶黎薄印白蒲鄂赖卓屠蒙池乔阴苍闻莘党翟谭贡劳姬申冉宰桑桂牛寿通边尚农温庄晏柴瞿阎慕连习艾鱼容向古易慎戈廖"
    "终居衡步都耿满弘匡国文寇广欧沃利越夔隆师巩聂晁勾敖融冷辛阚那简饶曾沙养鞠须丰关蒯相查后荆红游竺权盖益桓公"
)
# Those that seldom begin another word: only they make a name without a title beside them.
_SURE: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许吕施张孔曹严魏陶姜戚谢邹喻窦潘葛奚彭鲁韦俞袁唐薛雷倪汤罗郝顾孟黄萧尹姚邵汪戴宋庞熊董梁杜贾郭徐邱骆蔡樊胡"
    "霍虞卢缪丁邓崔龚邢裴陆翁刘詹黎谭廖曾贺邬茅臧苗殷毕季葛尤盛凌钟"
)
_TITLES: Final = (
    r"(?:董事长|总经理|副总|总工|经理|厂长|主任|科长|局长|书记|师傅|工程师|老师|先生|女士|小姐|老板|会计|主管|班长|队长|部长|处长|所长|站长|镇长|院长"
    r"|总(?![额数量计体是价共部结之的]))"
)
_CALLED: Final = r"(?:联系人|经办人|负责人|姓名|我叫|名叫|叫做?|司机|工人|员工|职工|同事|师傅|老乡|法人|客户)[是为:\s]*"

# In order: the first that fits a place has it. The group that is hidden is the last one that took part.
_PATTERNS: Final = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        (LINK, r"(?:(?:https?|ftp)://|www\.)[!-~]*[0-9a-z/]"),
        (MAIL, r"[a-z0-9_.+%-]+\s?@\s?[a-z0-9-]+(?:\.[a-z0-9-]+)+"),
        (
            CARD,
            r"(?<![0-9a-z])\d{6}[-\s]?(?:18|19|20)\d{2}[-\s]?\d{4}[-\s]?\d{3}[0-9x](?![0-9a-z])",
        ),
        (CARD, r"(?<![0-9a-z])[0-9a-hj-npqrtuwxy]{2}\d{6}[0-9a-hj-npqrtuwxy]{10}(?![0-9a-z])"),
        (
            PLATE,
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领]\s?[a-hj-np-z]"
            r"[\s·•.*-]{0,2}[a-hj-np-z0-9](?:[\s-]?[a-hj-np-z0-9]){3,4}[a-hj-np-z0-9挂学警港澳]?",
        ),
        (PLATE, r"(?:车牌号?|车号)[是为:\s]*([a-z0-9][a-z0-9·-]{3,7})"),
        (PHONE, rf"(?<!\d){_MOBILE}(?!\d)"),
        (NUMBER, r"(?<![\d.])\d(?:[-\s]?\d){12,}(?!\d)"),
        (PHONE, r"(?<!\d)\(?0\d{2,3}\)?[-\s]?\d{3,4}[-\s]?\d{3,5}(?:[-\s转]{1,2}\d{1,5})?(?!\d)"),
        (PHONE, r"(?<![\d-])(?!20\d\d-)\d{3,4}-\d{4}(?![\d-])"),
        (ACCOUNT, r"(?:微信号?|wx|vx|weixin|wechat|qq号?|支付宝)[号是为:\s]*([a-z0-9][a-z0-9_-]{4,})"),
        (NUMBER, r"(?<![0-9a-z])(?=[0-9a-z-]*\d[0-9a-z-]*\d[0-9a-z-]*\d[0-9a-z-]*\d)(?=[0-9-]*[a-z])[0-9a-z-]{8,}"),
        (NUMBER, r"(?<![\d.])(?!20\d\d-\d)\d(?:[-\s]?\d){6,}(?!\d)"),
        (NUMBER, r"[零〇一二三四五六七八九幺两]{7,}"),
    )
)  # fmt: skip
# After the registry's names: what is built like a name.
_LIKE_NAMES: Final = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        (FIRM, r"[\u4e00-\u9fff()a-z]{2,12}(?:有限责任公司|股份有限公司|有限公司)"),
        (
            PERSON,
            rf"([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[^\d\u4e00-\u9fff]{{0,3}}(?:电话|手机|联系方式)?"
            rf"[^\d\u4e00-\u9fff]{{0,3}}{_MOBILE})",
        ),
        (PERSON, rf"{_CALLED}([{_SURE}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff]?(?:经理|总))"),
        (PERSON, rf"[{_SURNAMES}][\u4e00-\u9fff]?{_TITLES}"),
        # 施工 is no engineer called Shi.
        (PERSON, rf"(?!施)[{_SURE}]工(?![资作人业程厂地商期序具种艺会伤时段况])"),
        (PERSON, rf"[小老阿][{_SURE}](?!\w?[路村镇桥])"),
    )
)
_ROLE: Final = re.compile(r"^(?:联络员|网格长|网格员|管理区|分管领导|科员)(?=[\u4e00-\u9fff])")
_PARTS: Final = re.compile(r"\s*[-－—–_·/|()（）\s]\s*")


# Such texts belong on no outside machine, whatever is masked (domain.md §14).
_SEALED: Final = re.compile("秘密|机密|绝密|内部资料|明传电报|涉密")


def is_sealed(text: str) -> bool:
    return _SEALED.search(_plain(text)) is not None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A text whose names are placeholders; `names` is what firms and people are really called."""

    text: str
    names: Mapping[str, str]

    def shown(self, text: str) -> str | None:
        """`text` with its firms and people named; None where it speaks of a number that is hidden."""
        if any(mark not in self.names for mark in PLACEHOLDER.findall(text)):
            return None
        return PLACEHOLDER.sub(lambda m: self.names[m.group()], text)


class Masker:
    """Hides the names of one registry; made again when the registry changes."""

    def __init__(
        self,
        firms: Iterable[tuple[str, str, tuple[str, ...], str]],
        people: Iterable[str],
    ) -> None:
        rows = tuple(firms)
        self._index = FirmNames(rows)
        self._firm_of: Final[dict[str, str]] = {}
        for firm_id, short, aliases, full in rows:
            for name in (full, short, *aliases):
                if len(name.strip()) >= 2:
                    self._firm_of.setdefault(_key(name), firm_id)
        self._people: Final = frozenset(form for name in people for form in _forms(name))
        self._named: Final = _any_of((*self._firm_of, *self._people))

    def hide(self, text: str, sender: str = "") -> Hidden:
        """`text` as it may leave; `sender` is what the sender is called in the chat."""
        plain = _plain(text)
        taken = _Spans(plain)
        for kind, pattern in _PATTERNS:
            for found in pattern.finditer(plain):
                taken.take(kind, *found.span(found.lastindex or 0))
        for found in () if self._named is None else self._named.finditer(plain):
            self._take(taken, *found.span())
        own = _any_of(form for part in _PARTS.split(_plain(sender)) for form in _forms(part))
        for found in () if own is None else own.finditer(plain):
            self._take(taken, *found.span())
        for named in self._index.named(plain):
            # Slips of the keyboard: the index knows them, a list of names does not.
            if taken.is_free(named.start, named.end):
                taken.take(FIRM, named.start, named.end, named.firms[0])
        for kind, pattern in _LIKE_NAMES:
            for found in pattern.finditer(plain):
                start, end = found.span(found.lastindex or 0)
                if taken.is_free(start, end):
                    taken.take(kind, start, end)
        return self._written(plain, taken)

    def _take(self, taken: "_Spans", start: int, end: int) -> None:
        key = _key(taken.text[start:end])
        firm = self._firm_of.get(key)
        if firm is None:
            taken.take(PERSON, start, end, _ROLE.sub("", key))
        else:
            taken.take(FIRM, start, end, firm)

    def _written(self, plain: str, taken: "_Spans") -> Hidden:
        counts: dict[str, int] = {}
        given: dict[tuple[str, str], str] = {}
        names: dict[str, str] = {}
        out, at = [], 0
        for start, end, kind, key in sorted(taken.spans):
            said = plain[start:end]
            identity = (kind, key or _ROLE.sub("", _key(said)))
            if identity not in given:
                # What somebody typed like a placeholder is never taken for one.
                while (mark := kind + _letters(counts.get(kind, 0))) in plain:
                    counts[kind] = counts.get(kind, 0) + 1
                counts[kind] = counts.get(kind, 0) + 1
                given[identity] = mark
                if kind in (FIRM, PERSON):
                    names[mark] = self._index.short(key) or said
            out += [plain[at:start], given[identity]]
            at = end
        return Hidden("".join([*out, plain[at:]]), names)


class _Spans:
    """The places of a text that are hidden; none overlaps another."""

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self.spans: Final[list[tuple[int, int, str, str]]] = []
        self._used = [False] * len(text)

    def is_free(self, start: int, end: int) -> bool:
        return not any(self._used[start:end])

    def take(self, kind: str, start: int, end: int, key: str = "") -> None:
        """What of the place is still free; a name that touches another loses only the shared part."""
        while start < end:
            if self._used[start]:
                start += 1
                continue
            stop = start
            while stop < end and not self._used[stop]:
                stop += 1
            self.spans.append((start, stop, kind, key))
            self._used[start:stop] = [True] * (stop - start)
            start = stop


def _plain(text: str) -> str:
    """One form for each character, and none that cannot be seen: both would carry names past."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))


def _key(name: str) -> str:
    return re.sub(r"\s", "", _plain(name)).casefold()


def _forms(name: str) -> tuple[str, ...]:
    """How somebody is called: 联络员小周 is 小周 too."""
    key = _key(name)
    bare = _ROLE.sub("", key)
    return tuple(form for form in dict.fromkeys((key, bare)) if len(form) >= 2)


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the names, the longest first, also with spaces between their characters."""
    ordered = sorted({n for n in names if n}, key=len, reverse=True)
    if not ordered:
        return None
    return re.compile("|".join(r"\s*".join(map(re.escape, name)) for name in ordered), re.I)


def _letters(number: int) -> str:
    """A, B, … Z, AA, AB, …"""
    first, last = divmod(number, 26)
    return (chr(64 + first) if first else "") + chr(65 + last)
