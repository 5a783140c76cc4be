"""Numbers as people write them: 十二, 廿, 壹佰伍拾万, 两百来号, 3米8, 182.6万, -6%, corrections."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

_FOLDED: Final = (
    "壹贰叁肆伍陆柒捌玖拾佰仟萬億兩〇貳參陸點個週後內時號禮",
    "一二三四五六七八九十百千万亿两零二三六点个周后内时号礼",
)
# Full-width and financial forms, one character for one: positions in the text stay valid.
FLAT: Final = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: 0x20,
    **str.maketrans(*_FOLDED),
}
DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2, "仨": 3}
_TENS: Final = {"廿": 20, "卅": 30}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_GREAT: Final = {"万": 10_000, "亿": 100_000_000}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text with what it counts.

    `value` is the number as said before its unit (「182.6万方」: 182.6 of 万方); `about` marks
    左右, 约, 来, 多 and the like. `start` and `end` are the place of number and unit in the text.
    """

    value: Decimal
    unit: str
    start: int
    end: int
    about: bool = False

    @property
    def amount(self) -> Decimal:
        """The value with 万, 亿 and % worked in: 1826000, 0.06."""
        scale = _GREAT.get(self.unit[:1], 1)
        return self.value * scale / (100 if self.unit == "%" else 1)


def value_of(numeral: str) -> Decimal | None:
    """A whole numeral in any writing: 1,260, １２, 十二, 一千二 (1200), 三点五, 壹佰伍拾万."""
    flat = numeral.strip().translate(FLAT)
    if flat.isascii():
        plain = flat.replace(",", "")
        return Decimal(plain) if re.fullmatch(r"[+-]?\d{1,18}(?:\.\d{1,9})?", plain) else None
    whole, dot, part = flat.partition("点")
    number = _whole(whole)
    if number is None or (dot and not part) or any(c not in DIGITS for c in part):
        return None
    return Decimal(f"{number}.{''.join(str(DIGITS[c]) for c in part)}" if part else number)


def _whole(text: str) -> int | None:
    if not text:
        return None
    if len(text) > 1 and all(c in DIGITS for c in text):  # 二零二六 is read digit by digit
        return int("".join(str(DIGITS[c]) for c in text[:18]))
    total = section = last = 0
    digit: int | None = None
    for c in text:
        if c in _GREAT:
            section += digit or 0
            if not total and not section:
                return None
            total = (total + section) * _GREAT[c] if c == "亿" else total + section * _GREAT[c]
            section, digit, last = 0, None, _GREAT[c]
        elif c in _UNITS:
            section += (1 if digit is None else digit) * _UNITS[c]
            digit, last = None, _UNITS[c]
        elif c in _TENS:
            section, digit, last = section + _TENS[c], None, 10
        elif c == "零":
            digit, last = None, 1
        elif c in DIGITS and digit is None:
            digit = DIGITS[c]
        else:
            return None
    if digit is not None:
        # 一千二 is 1200 and 两万三 is 23000, but 一百零二 and 十二 are what they say.
        section += digit * (last // 10 if last >= 100 else 1)
    return total + section


# ---- what looks like a number and counts nothing

_N: Final = r"(?:\d+|[零一二两三四五六七八九十廿卅]+)"
_SKIP: Final = "|".join(
    (
        r"1\d{10}|1\d\d-\d{4}-\d{4}|0\d{2,3}-\d{7,8}",  # telephones
        r"(?:#|工单|单号|编号)\s*\d[\d-]*",
        r"[A-Za-z]+-?\d[\d.-]*|\d+[GDg](?![A-Za-z])",  # Q1, N2, PM2.5, 5G
        r"20\d\d(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}(?:月\d{1,2}[日号]?)?|[-/](?:0\d|1[0-2])(?!\d))|(?:20|19)\d\d(?:年|(?=[财届]))|[一二两零九]{4}年",
        rf"{_N}\s*[-~—至到、]\s*{_N}月份?",
        rf"{_N}月(?:份|底|初|中|末|[上中下]旬)?(?:{_N}[日号]|\d{{1,2}}(?=晚|早|[上中下]午))?",
        rf"{_N}(?:[-~—至到、]{_N})?[日号](?!人)",
        r"(?:周|星期|礼拜)[一二三四五六日天1-6]",
        r"\d{1,2}:\d\d(?::\d\d)?|\d{1,2}[点时](?:\d{1,2}分?|半|整)?(?!\d)",
        r"[一二两三四五六七八九十]{1,3}点(?:半|整|钟|[一三]刻|[二三四五]?十[一二三四五六七八九]?分?|零[一二三四五六七八九]分?|前|后|到)",
        r"第?[一二三四1-4]季度?|[前头][二三两]季度?",
        rf"第{_N}[个次名条批家]?",
        rf"{_N}(?:期(?!间)|号楼|厂|线|等奖|班|级|楼|车间|工段|分厂|网格|甲|类|档|区|院|分之{_N})",
        r"(?:^|\n)\s*[(]?\d{1,2}(?:[、)]|\.(?!\d))",
        r"[五三]险[一二]金|[上下这那每同某另任哪]一[个家次天周年月批]?|[万统唯专单均逐其之不第]一|"
        r"一(?:块|次性|下|些|点|直|定|起|样|般|边|共|切|律|旦|道|并|时|方面|概|向|致|度|手|口气|"
        r"条龙|把手|带一路|大?早|家人|番|股|路|体|站式|窗|网|老一小|会|年|天|周|月|日|夜|半|来)|"
        r"千万[别不要记请]|百分百|十分(?=[满感重危紧])|三天两头|[三两]班倒|两头|"
        r"[三两双四]方(?=[的都协签约当会]|$)|三(?:废|无|同时|方|级|亚|菱|八)|四(?:害|川|通)|五(?:金|一)|六安|九江|"
        r"七上八下|半年|半天|国[三四五六](?!家)",
    )
)
_CN: Final = r"(?:[零一二两三四五六七八九十廿卅百俩仨万亿]|千(?![伏瓦克帕焦卡]))+"
_SCAN: Final = re.compile(
    rf"(?=[\d零一二两三四五六七八九十廿卅百千俩仨万亿第周星礼前头上下这那每同某另任哪统唯专单均逐其之不"
    rf"工编半双七国负#(+\-A-Za-z\n]|^)(?:(?P<skip>{_SKIP})|"
    rf"(?P<percent>百分之)?(?P<minus>负)?(?P<num>(?:(?<![0-9A-Za-z.,%)])[+-])?(?<![\d.])(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?|"
    rf"{_CN}(?:点[零一二三四五六七八九]+)?))"
)
_HINT: Final = re.compile(
    r"[\d０-９零〇一二两兩三四五六七八九十廿卅百俩仨壹贰貳叁肆伍陆陸柒捌玖拾佰]"
)

# ---- units

_NAMED: Final = (
    "平方米|立方米|平方|立方|千伏安|千瓦时|千瓦|千克|标箱|标立方|公里|公斤|公顷|毫克|毫米|厘米|兆帕|兆瓦|美元|美金|欧元|日元|"
    "小时|分钟|号人|钟头|个月|个半月|个点|人次|车次|工作日|"
    "kWh|kwh|KWH|kVA|KVA|kva|kV|MW|kW|KW|kw|MPa|Mpa|kPa|m3|m2|km|cm|mm|mg|kg|KG|ppm|㎡|m³|℃|"
)
_ONE: Final = (
    "个名人位台件套条项处家间只本份次辆车张户吨方度亩平米斤升箱柜批艘根口对双组具起例岁元块层趟头桶瓶袋卷片支枚座宗笔单年天周"
    "男女员折成倍期%‰把股株栋幢"
)
_UNIT: Final = re.compile(
    rf"(?P<more>[多来几余])?\s*(?P<great>[万亿wW](?![A-Za-z])|千(?=[方吨度]))?"
    rf"(?P<more2>[多来几余])?\s*(?P<unit>{_NAMED}[{_ONE}]|[tTmhVALKk](?![A-Za-z]))?"
    rf"(?P<half>半(?!成|数|年|天|夜))?"
)
_TENTH: Final = re.compile(rf"([0-9一二三四五六七八九])(?![\d{_ONE}百千万.:])")
_TENTH_UNITS: Final = frozenset(["米", "块", "吨", "斤", "公斤", "公里", "亩"])
_ABOUT_BEFORE: Final = re.compile(
    r"(?:约|大约|大概|差不多|接近|将近|近|估计|不到|至少|最多|左右)[有是为缺需差要招还]{0,2}[\s:]*$"
)
_ABOUT_AFTER: Final = re.compile(
    r"\s*(?:左右|上下|出头|不到|以上|以内|来(?=[个名号人])|把(?=$|[\s,，。;；、]))"
)
_THOUSANDS: Final = re.compile(r"万(\d)千(?![瓦伏克米])")
_END: Final = re.compile(r"\s*(?:$|[\s,，。;；、!！?？)）])")
_NOT_BARE: Final = frozenset("周第期其唯统不万之礼初星拜小老专均逐单阿陈张王李")
_DAY_BEFORE: Final = frozenset("到至月自从")
_RANGE: Final = re.compile(r"\s*[-~—–至到]\s*")
_WRITTEN: Final = re.compile(r"(?<!是)不(?:是|对)[^\d,，。;；]{0,3}$")
_REPLACED: Final = re.compile(
    r"改(?:成|为|到)|更正|应该?[是为]|[说写打填报]错|不对|纠正|调整为|而是|以.{0,4}为准|作废"
)


def quantities(text: str) -> tuple[Quantity, ...]:
    """What a text counts, in order; dates, times, ordinals and telephones are left out.

    Of a correction (更正, 是8不是18, 18改成8) only the new value remains.
    """
    if _HINT.search(text) is None:
        return ()
    flat = text.translate(FLAT)
    return _corrected(flat, list(_found(flat)))


def numbers_in(text: str) -> tuple[Decimal, ...]:
    """The values of a text's quantities: 「12月约330万度」 gives 330."""
    return tuple(q.value for q in quantities(text))


_NONE: Final = re.compile(
    r"^\W*(?:我们?[司厂家]?|本[司厂]|目前|暂时|近期|没得|其[他它余])?\W*"
    r"(?:暂?无|没有|没得|不涉及|不缺|不需要|无此情况|为零|零|[0０])"
)


def answers_none(text: str) -> bool:
    """Whether a survey is answered with 无, 没有, 不涉及 or 0: an answer, not a silence."""
    if _NONE.search(text) is None:
        return False
    return all(q.value == 0 for q in quantities(text))


def _found(flat: str) -> Iterator[Quantity]:
    at = 0
    while (match := _SCAN.search(flat, at)) is not None:
        at = match.end()
        if match["skip"] is not None:
            # A line's number may stand at the very start without a character of its own.
            at = max(at, match.start() + 1)
            continue
        quantity = _read(flat, match)
        if quantity is not None:
            yield quantity
            at = max(at, quantity.end)


def _read(flat: str, match: re.Match[str]) -> Quantity | None:
    numeral, start = match["num"], match.start()
    latin = numeral[-1].isdigit() and numeral.isascii()
    great = ""
    several, thousands = False, None
    if not latin:
        numeral, great = _great(numeral)
        several = len(numeral) > 1 and 0 < DIGITS.get(numeral[0], 0) < DIGITS.get(numeral[1], 0)
        # 两三个, 二三十人: the greater of the two.
        numeral = numeral[1:] if several else numeral
    elif (thousands := _THOUSANDS.match(flat, match.end())) is not None:
        numeral, great = f"{numeral}.{thousands[1]}", "万"
    value = value_of(numeral)
    if value is None:
        return None
    if match["minus"] is not None:
        value = -value
    number_end = match.end() if thousands is None else thousands.end()
    tail = _UNIT.match(flat, number_end)
    assert tail is not None  # every part of it may be missing
    great = great or (tail["great"] or "").replace("w", "万").replace("W", "万")
    unit, end = great + (tail["unit"] or ""), tail.end()
    if tail["half"] is not None:
        if unit:
            value += Decimal("0.5")
        else:
            end = number_end
    elif tail["unit"] in _TENTH_UNITS and (tenth := _TENTH.match(flat, end)) is not None:
        value += (value_of(tenth[1]) or 0) / Decimal(10)
        end = tenth.end()
    if not unit:
        end = number_end
    percent = match["percent"] is not None
    if not (latin or percent or _counts(flat, match, numeral, unit, end)):
        return None
    after = _ABOUT_AFTER.match(flat, end)
    about = (
        several
        or after is not None
        or tail["more"] is not None
        or tail["more2"] is not None
        or _ABOUT_BEFORE.search(flat, max(0, start - 6), start) is not None
    )
    return Quantity(value, "%" if percent else unit, start, end, about)


def _great(numeral: str) -> tuple[str, str]:
    """壹佰伍拾万 is 150 of 万; 一万二千 stays whole."""
    for great in ("亿", "万"):
        head, sign, rest = numeral.rpartition(great)
        if sign and head and not rest:
            return head, great
        if sign and head and len(rest) == 1 and rest in DIGITS and rest != "零":
            return f"{head}点{rest}" if "点" not in head else numeral, great
    return numeral, ""


def _counts(flat: str, match: re.Match[str], numeral: str, unit: str, end: int) -> bool:
    """Whether a Chinese numeral is a number here: 机修三 and 三名 are, 三班 and 其一 are not."""
    before = flat[match.start() - 1 : match.start()]
    if before == "几" or numeral[0] in "百千万亿点":
        # 百来号人 says how many, 上百人 and 几百人 do not.
        return numeral == "百" and before != "几" and flat[match.end() : match.end() + 1] in "来多"
    ended = _END.match(flat, end) is not None or _ABOUT_AFTER.match(flat, end) is not None
    if numeral[0] in _TENS and not unit:  # 开到廿八: a day of the lunar month
        return ended and before not in _DAY_BEFORE
    if len(numeral) > 1 and any(c in _UNITS or c in _TENS or c in _GREAT for c in numeral):
        return True
    if numeral == "零":
        return ended and (not before or not ("一" <= before <= "龥") or before in "是为填")
    if unit:
        return len(numeral) == 1 or "点" in numeral
    return ended and len(numeral) == 1 and before not in _NOT_BARE


def _corrected(flat: str, found: list[Quantity]) -> tuple[Quantity, ...]:
    kept: list[Quantity] = []
    for i, quantity in enumerate(found):
        if _WRITTEN.search(flat, max(0, quantity.start - 6), quantity.start):
            continue
        following = found[i + 1] if i + 1 < len(found) else None
        between = ""
        if following is not None:
            between = flat[quantity.end : following.start]
            if len(between) <= 14 and "\n" not in between and _REPLACED.search(between):
                continue
        if following is not None and not quantity.unit and _RANGE.fullmatch(between):
            quantity = replace(quantity, unit=following.unit, about=True)
        kept.append(quantity)
    # 「8个不是18个」 may name the unit only once.
    if len(kept) < len(found) and kept and not kept[-1].unit:
        lent = next((q.unit for q in found if q.unit and q not in kept), "")
        kept[-1] = replace(kept[-1], unit=lent)
    return tuple(kept)
