"""Firms by the names people use: short names, aliases, full names, slips of the keyboard; ambiguity is kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from handlers.understanding.numbers import FLAT

_NOISE: Final = re.compile(
    r"(有限责任公司|股份有限公司|有限公司|股份|集团|公司|科技|\(南通\)|（南通）|^江苏|^南通|\s)"
)
_SIMILAR: Final = 60
_SENDER: Final = re.compile(r"\s*[-－—–_·/|]\s*")

# Characters that input methods offer for one another, in names of firms; tones are ignored.
_SOUNDS: Final = (
    "泓红洪宏弘鸿虹闳 曜耀要药瑶耀 玖九久酒 晟盛胜圣生声笙昇升 岸案安暗 济季际记计 绫凌玲铃零灵岭陵菱 川船穿 丰风枫峰锋封沣 溆序叙绪续煦旭栩许 "
    "茂贸冒貌 屿雨宇羽语禹裕玉郁 纬伟为玮卫围维 诺洛络糯 沛佩配培 淇奇琪祺齐旗其启 桦华化花骅 翊亿易意益义毅逸屹一沂宜怡 觅密蜜秘 澜兰蓝岚栏 "
    "振震镇真甄珍臻 惠慧汇会辉徽 砥底抵迪帝邸 朔硕烁说 同通童桐铜彤 瑞睿锐蕊 翔祥详享 青清轻卿 昀云韵匀芸耘 珂科柯可克轲 顿盾敦 邦帮榜 楷凯恺铠开 "
    "北贝备 玠介杰界捷洁 庭廷停婷亭霆挺 全泉权铨荃 卓拙灼茁 砀荡档 铂柏博伯泊勃 翰汉瀚旱涵 笃独堵都督杜 联连莲廉 垚尧姚摇瑶 麟林临琳霖淋邻 "
    "冠管贯关官观 砾力立利丽励历砺理 闻文问纹雯 琛辰晨臣陈宸 芯新心欣鑫辛馨信 拓托 木牧沐慕穆目 桓环还欢焕 崚 恒衡横 诚成城程呈 达大答 东冬董 "
    "和合河禾荷 王旺汪 子紫梓自 海亥 港岗 特忒 鹏朋蓬 飞非菲 龙隆珑 金津锦今 源元园圆远缘"
)
_SOUND_OF: Final[dict[str, int]] = {}
for _number, _group in enumerate(_SOUNDS.split()):
    for _char in _group:
        _SOUND_OF.setdefault(_char, _number)

# 「广东和江苏」, 「南通海关」, 「优惠生产线」: where the first character of a name ends a word before it.
_BEFORE: Final = (
    "广东 山东 华东 房东 股东 京东 关东 浦东 河东 江东 城东 路东 厂东 桥东 港东 镇东 海东 湖东 区东 楼东 院东 车东 往东 朝东 靠东 向东 老东 南通 交通 "
    "流通 沟通 开通 连通 畅通 融通 普通 联通 接通 打通 走通 不通 没通 优惠 实惠 普惠 互惠 惠惠 小王 老王 国王 姓王 公安 平安 保安 治安 西安 不安 早安 "
    "晚安 长安 延安 淮安 招安 合同 共同 不同 相同 随同 陪同 胡同 会同 认同 协同 连同 等同 一同 外汇 结汇 词汇 共振 提振 祥瑞 年青 知青 白马"
)
_WORDS_BEFORE: Final = frozenset(_BEFORE.split())
_BEHIND: Final = "海关 海港 海运 海外 海鲜 海边 海岸 海洋 海拔 子弟 子女 和西 和南 和北 和谐 和平"
_WORDS_BEHIND: Final = frozenset(_BEHIND.split())
_PLACE: Final = re.compile(
    r"(?:大道|[路街巷镇村县河湖]|大桥|小区|广场|新村|公园|小学|中学|医院|酒店|港(?!务|机))"
)
_COMPARED: Final = re.compile(
    r"(?:比|不像|好像|就像|像|隔壁|对面|学|同排的?|旁边)[^,，。;；]{0,4}$"
)


@dataclass(frozen=True, slots=True)
class Named:
    """Words of a text that name a firm, or one of several."""

    firms: tuple[str, ...]
    start: int
    end: int


def bare(name: str) -> str:
    """A firm's name without what all firms share."""
    return _NOISE.sub("", name).strip().lower()


def _folded(text: str) -> str:
    flat = text.translate(FLAT)
    small = flat.lower()
    return small if len(small) == len(flat) else flat  # a few letters grow when made small


def _rare(char: str) -> bool:
    """Outside the 3755 characters of everyday use: such a character does not stand there by chance."""
    try:
        code = char.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return len(code) == 2 and code[0] >= 0xD8


def _alike(one: str, other: str) -> bool:
    sound = _SOUND_OF.get(one)
    return one == other or (sound is not None and sound == _SOUND_OF.get(other))


class FirmNames:
    """An index of (id, short name, aliases, full name)."""

    def __init__(self, firms: Iterable[tuple[str, str, tuple[str, ...], str]]) -> None:
        self._names: dict[str, set[str]] = {}
        self._short: Final[dict[str, str]] = {}
        cores: dict[str, set[str]] = {}
        for firm_id, short, aliases, full in firms:
            self._short[firm_id] = short
            forms = [short, *aliases, full, bare(full), bare(short)]
            for name in forms:
                folded = _folded(name)
                if len(folded) >= 2:
                    self._names.setdefault(folded, set()).add(firm_id)
            for alias in aliases:
                if len(alias) == 2 and short.startswith(alias):
                    cores.setdefault(alias, set()).add(short[2:])
        # Names by their first two characters, the longest first.
        self._starts: Final[dict[str, list[str]]] = {}
        for name in sorted(self._names, key=len, reverse=True):
            self._starts.setdefault(name[:2], []).append(name)
        # 「泓耀」 for 泓曜: cores by the rare character that was typed rightly.
        self._slips: Final[dict[str, list[tuple[int, str, frozenset[str]]]]] = {}
        self._rests: Final[dict[str, list[tuple[str, str]]]] = {}
        for core, rests in cores.items():
            for place, char in enumerate(core):
                if _rare(char):
                    self._slips.setdefault(char, []).append((place, core, frozenset(rests)))
            for rest in rests:
                if len(rest) >= 2:
                    self._rests.setdefault(rest[:2], []).append((core, rest))

    def short(self, firm_id: str) -> str:
        return self._short.get(firm_id, "")

    def find(self, text: str) -> tuple[str, ...]:
        """The firms that a text names, in order of appearance."""
        found: dict[str, None] = {}
        for named in self.named(text):
            found.update(dict.fromkeys(named.firms))
        return tuple(found)

    def meant(self, text: str, sender: str) -> tuple[str, ...]:
        """The firm a message is about: one it names, else the sender's; several are to be asked about.

        A firm that is named beside the sender's own, or only compared with, is not the one meant.
        """
        own = self.of_sender(sender)
        named = [
            n
            for n in self.named(text)
            if _COMPARED.search(text, max(0, n.start - 8), n.start) is None
        ]
        firms = tuple(dict.fromkeys(firm for n in named for firm in n.firms))
        if not firms or (own and set(own) & set(firms)):
            return own
        return firms

    def of_sender(self, sender: str) -> tuple[str, ...]:
        """The firm of a group nickname 「企业简称-称呼」; none where the prefix is missing."""
        parts = _SENDER.split(sender.strip(), maxsplit=1)
        if len(parts) < 2 or len(parts[0]) < 2:
            return ()
        name = _folded(parts[0])
        for form in (name, bare(name)):
            if form in self._names:
                return tuple(sorted(self._names[form]))
        return self._slipped(name)

    def named(self, text: str) -> tuple[Named, ...]:
        """Every place of a text that names a firm, the longest name first."""
        folded = _folded(text)
        found: list[Named] = []
        at, last = 0, len(folded) - 1
        starts, slips, rests = self._starts, self._slips, self._rests
        while at < last:
            pair = folded[at : at + 2]
            hit: Named | None = None
            if pair in starts:
                hit = self._exact(folded, at, starts[pair])
            if hit is None and (pair[0] in slips or pair[1] in slips):
                hit = self._slip(folded, at)
            if hit is None and pair in rests and at >= 2:
                hit = self._heard(folded, at)
            if hit is None:
                at += 1
                continue
            if not found or hit.start >= found[-1].end:
                found.append(hit)
            at = hit.end
        return tuple(found)

    def _exact(self, text: str, at: int, names: list[str]) -> Named | None:
        for name in names:
            if text.startswith(name, at):
                end = at + len(name)
                if len(name) == 2 and self._ordinary(text, at, end):
                    return None
                return Named(tuple(sorted(self._names[name])), at, end)
        return None

    def _ordinary(self, text: str, at: int, end: int) -> bool:
        """A place or a common word that only contains the name."""
        if at and text[at - 1 : at + 1] in _WORDS_BEFORE:
            return True
        if text[end - 1 : end + 1] in _WORDS_BEHIND:
            return True
        return _PLACE.match(text, end) is not None

    def _slip(self, text: str, at: int) -> Named | None:
        """One character of a core typed wrongly: by sound, or before the rest of the short name."""
        for place in (0, 1):
            for where, core, rests in self._slips.get(text[at + place], ()):
                if where != place or text[at : at + 2] == core:
                    continue
                other = text[at + 1 - place]
                followed = any(rest and text.startswith(rest, at + 2) for rest in rests)
                if not (followed or _alike(other, core[1 - place])):
                    continue
                end = (
                    at
                    + 2
                    + (max(len(r) for r in rests if text.startswith(r, at + 2)) if followed else 0)
                )
                return Named(tuple(sorted(self._names[core])), at, end)
        return None

    def _heard(self, text: str, at: int) -> Named | None:
        """Both characters by sound, right before the rest of the short name: 红耀精密."""
        for core, rest in self._rests[text[at : at + 2]]:
            if text.startswith(rest, at) and text[at - 2 : at] != core:
                if _alike(text[at - 2], core[0]) and _alike(text[at - 1], core[1]):
                    return Named(tuple(sorted(self._names[core])), at - 2, at + len(rest))
        return None

    def _slipped(self, name: str) -> tuple[str, ...]:
        """A name given on its own, by sound or one character off."""
        named = self.named(name)
        if len(named) == 1:
            return named[0].firms
        alike = {
            firm
            for known, firms in self._names.items()
            if len(known) == len(name) and all(map(_alike, name, known))
            for firm in firms
        }
        return tuple(sorted(alike))

    def match(self, name: str) -> tuple[str, ...]:
        """The firms that a name given on its own may mean; several are an ambiguity to ask about."""
        wanted = _folded(name.strip())
        if len(wanted) < 2:
            return ()
        for form in (wanted, bare(wanted)):
            if form in self._names:
                return tuple(sorted(self._names[form]))
        core = bare(wanted)
        if len(core) < 2:
            return ()
        inside = {i for n, ids in self._names.items() if core in n or n in core for i in ids}
        if inside:
            return tuple(sorted(inside))
        slipped = self._slipped(core)
        if slipped:
            return slipped
        return self._similar(core)

    def _similar(self, core: str) -> tuple[str, ...]:
        from rapidfuzz import fuzz  # late: it costs start-up time and is the last resort

        near = [
            (name, ids)
            for name, ids in self._names.items()
            if abs(len(name) - len(core)) <= 2 and not set(core).isdisjoint(name)
        ]
        scored = [(fuzz.ratio(core, name), firm) for name, ids in near for firm in ids]
        best = max((score for score, _ in scored), default=0)
        if best < _SIMILAR:
            return ()
        return tuple(sorted({firm for score, firm in scored if score >= best - 5}))
