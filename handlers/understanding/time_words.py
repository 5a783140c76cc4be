"""The words of dates and times: patterns for days, parts of the day, clocks, holidays and lengths."""

import re
from datetime import time
from typing import Final

from handlers.domain.moment import Granularity

OPENING: Final = time(8, 30)
CLOSING: Final = time(17, 30)
LAST: Final = time(23, 59, 59)

HINT: Final = re.compile(
    r"[天日号號周週月年点點时時节節午晚早夜班假季:：/／．]|星期|礼拜|禮拜|小时|分钟|钟头|工作日|\d[.\-]\d|"
    r"十一|五一|国庆|中秋|端午|清明|元旦|刻|[0-9]h|[qQ][1-4]|"
    r"(?i:day|tomorrow|tonight|week|month|year|hour|minute|EO[DM]|COB|noon|[0-9] ?[ap]m|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z.]* ?\d|\d ?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
)
# 「是周五不是周四」: what it is not, is not said.
UNSAID: Final = re.compile(r"(?<!是)不是(?!说|讲)[^,，。;；、!！?？是而改]{1,10}")


# ---- the parts of a day

PARTS: Final = {
    "凌晨": (time(0), time(6)),
    "上午": (OPENING, time(12)),
    "中午": (time(12), time(13, 30)),
    "下午": (time(13, 30), CLOSING),
    "晚上": (CLOSING, LAST),
}
PART: Final = re.compile(
    r"(?P<凌晨>凌晨|后半夜)|(?P<上午>一大早|一早|清早|大早上?|清晨|早晨|早上|早间|上午|早(?!一?点|就|已|日|期|该|先|退|前|些|餐|饭)|(?i:morning))|"
    r"(?P<中午>中午|正午|午间|晌午)|(?P<下午>下午|午后|(?i:afternoon))|"
    r"(?P<晚上>傍晚|晚上|晚间|夜里|夜间|深夜|半夜|晚(?!一?点|于|了|会|餐|饭|班|些|报|辈)|夜(?!班|宵|市)|(?i:evening|tonight))"
)
# Single characters and greetings are no time by themselves.
PART_ALONE: Final = re.compile(r"(?:凌晨|上午|早上|中午|下午|傍晚|晚上|夜里)(?![好安班市宵])")
WHOLE: Final = frozenset("一整半")

# ---- the clock

SMALL: Final = "一二三四五六七八九"
HOUR: Final = rf"(?:[01]?\d|2[0-4]|二十[{SMALL}]?|十[{SMALL}]?|零|[两{SMALL}])"
MINUTE: Final = rf"(?:[0-5]\d|[二三四五]?十[{SMALL}]?|零[{SMALL}\d]|[二三四五]十|[{SMALL}](?=分))"
CLOCK: Final = re.compile(
    rf"(?<![\d.:])(?:(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?!\d)\s*(?P<half1>(?i:[ap]m)\b)?|"
    rf"(?P<h2>{HOUR})(?P<sign>[点]|时(?![间候段常刻代效]))"
    rf"(?:(?P<m2>{MINUTE})(?![\d.万亿%])分?|(?P<word>半(?!小时|个)|[一三]刻)|钟|整)?|"
    rf"(?P<h3>1[0-2]|0?\d)\s*(?P<half3>(?i:[ap]m)\b))"
)
NOON: Final = re.compile(r"(?i:\bnoon\b)")
# 「三点建议」, 「八点五米」, 「晚一点」: points, decimals, bits.
NO_CLOCK: Final = re.compile(
    rf"[多建意想问要诉原情说理体希请求困补反注也都不没儿吧点子:：\d{SMALL}以内]|(?:了|就)(?!到|去|来)"
)
COUNTED: Final = frozenset("有这那第提讲说几共以差")
COMPARED: Final = frozenset("早晚快慢多少大小高低好近远长短紧松轻重再等")
SHIFT: Final = re.compile(
    r"(?P<off>(?:下班|收工|打烊)(?P<offsuf>(?:之|以)?前|之后|以后|后|时)?|(?i:\b(?:EOD|COB|close of business|end of (?:the )?day)\b))|"
    r"(?P<on>(?:刚|一)?上班(?!日|第|族|[路途]|的人|没|天|不)(?:时间)?(?:一到|就|后|时|之前|以前|前)?)"
)
BOUND: Final = re.compile(
    r"\s*(?:(?P<before>[之以]?前(?![往台面后提端期]))|(?P<within>[之以]?内(?!部|容|外|蒙)))|\s*(?P<ends>截止|截至|为止|止)"
)
LATEST: Final = re.compile(
    r"(?:最迟|最晚|不晚于|不迟于|不超过|截止(?:时间|日期|到|至)?|截至|(?i:\b(?:by|before|until|no later than)\b))(?:是|为|在|到|:)?\s*$"
)
TO: Final = re.compile(r"\s*(?:(?:开始|起)?\s*)(?:到|至|[-~—–]{1,2}|(?i:to))\s*")
GLUE: Final = re.compile(r"[\s的]*(?:[(（][^)）]{1,6}[)）])?[\s的]*(?i:at\s+|in the\s+|by\s+)?")
LOOSE: Final = re.compile(r"\s*[,，]\s*")
CHANGED: Final = re.compile(
    r"改|更正|推迟|提前到|提早到|[延挪移换调]到|延期?至|延期到|顺延|推到|推至|调整|变更|不对|[说写打填报记讲]错|错了|应该?[是为]|而是|才是"
)

# ---- days

M: Final = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九元])"
D: Final = (
    rf"(?:3[01]|[12]\d|0?[1-9]|三十一?|卅一?|廿[{SMALL}]?|二十[{SMALL}]?|十[{SMALL}]?|[{SMALL}])"
)
Y: Final = r"(?:(?P<yw>今年|明年|后年|去年|本年度?)|(?P<yn>20\d\d)年度?)"
PRE: Final = r"(?:(?P<pre>下下|下|本|这|上上|上)个?)"
FULL: Final = re.compile(r"(20\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)\s*[日号]?")
MONTH_DAY: Final = re.compile(
    rf"(?:{Y}的?)?(?:(?<!\d)(?P<m>{M})月份?|(?:{PRE}|当)月份?)的?(?P<d>{D})"
    rf"(?:(?:[-~—至到、](?P<d2>{D}))?[日号](?!楼|门|线|厂)|(?=\s*(?:$|凌晨|晚|早|[上中下]午|[,，。]|[之以]?前)))"
)
SLASHED: Final = re.compile(
    r"(?:(?<![\d.])(?P<m>1[0-2]|0?[1-9])(?:/(?P<d>3[01]|[12]\d|0?[1-9])(?![\d/.]|\s*[的个人%])|"
    r"\.(?P<d2>3[01]|[12]\d|0?[1-9])(?=[日号]|\s*(?:[之以]?前|[上中下]午|凌晨|晚|早|到|至|[-~]\s*\d{1,2}\.\d|\d{1,2}[:点])|$)))|"
    # 「11.27 等材料」, 「至12.3」: a decimal fraction would have its unit behind it.
    r"(?:^|(?<=[至到延]))(?P<m2>1[0-2]|0?[1-9])\.(?P<d3>3[01]|[12]\d|0?[1-9])(?=[\s,，])(?!\s*[万亿%吨度个人名元兆千公平米方])"
)
DAY_NUMBER: Final = re.compile(
    rf"(?<![第月\d.一二三四五六七八九十百])(?P<d>{D})(?:号|日)(?!楼|门|厂|线|机|泊|车|路|桥|仓|棚|库|院|地|炉|罐|台|单|工|人|井|窑|柜|岗|文|"
    r"公|会议|常|本|元|圆|均|产|窗|环|成品|建|变|泵|站|栋|室|口|塔|码头|[之以]?内|[之以]?后)"
)
TWO_NUMBERS: Final = re.compile(
    rf"(?<![\d.])(?P<a>{D})(?:[号日]?[-~—至到、和](?=[\d十廿三]))(?P<b>{D})[号日](?!楼|门|厂|线|车)"
)
RELATIVE: Final = re.compile(
    r"(?P<several>明后(?:[两二2]天|天)|今明(?:[两二2]天|天)|今明后三天|(?i:day after tomorrow))|"
    r"(?P<one>大后天|大后日|大前天|后天|后日|后儿|明天|明日|明儿|今天|今日|今儿|当天|当日|次日|昨天|昨日|昨儿|前天|"
    r"今(?=[早晚夜晨])|明(?=[早晚晨])|昨(?=[晚夜])|当(?=晚)|(?i:\b(?:tomorrow|today|yesterday)\b|\b(?=tonight\b)))"
)
OFFSETS: Final = {
    "大后天": 3, "大后日": 3, "后天": 2, "后日": 2, "后儿": 2, "明天": 1, "明日": 1, "明儿": 1, "明": 1, "次日": 1,
    "今天": 0, "今日": 0, "今儿": 0, "今": 0, "当天": 0, "当日": 0, "当": 0, "昨天": -1, "昨日": -1,
    "昨儿": -1, "昨": -1, "前天": -2, "大前天": -3, "tomorrow": 1, "today": 0, "yesterday": -1, "": 0,
}  # fmt: skip
WEEKDAY: Final = re.compile(
    rf"(?<![每半几数周])(?<![一二两三四五六七八九十\d])(?<![一二两三四五六七八九十\d]个){PRE}?(?:周|星期|礼拜)"
    r"(?:(?P<end>末|六[、和]?(?:周|星期)?[日天])|(?P<w>[一二三四五六日天]|[1-7](?![\d个人名天月次台]))(?!次|趟|回))"
)
ENGLISH_WEEKDAY: Final = re.compile(
    r"\b(?:(?P<pre>next|this|coming)\s+)?(?P<w>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b",
    re.I,
)
ENGLISH_SPAN: Final = re.compile(
    r"\b(?:(?P<end>end of (?:the |this )?(?P<endof>week|month|year)|EOM)|(?P<pre>next|this)\s+(?P<unit>weekend|week|month|year|quarter))\b", re.I
)  # fmt: skip
ENGLISH_WITHIN: Final = re.compile(
    r"\b(?:within|in)\s+(?P<n>\d{1,3}|an?|one|two|three|four|five|six|seven|ten)\s+(?P<unit>working days?|business days?|minutes?|hours?|days?|weeks?|months?)\b",
    re.I,
)
ENGLISH_DATE: Final = re.compile(
    r"\b(?:(?P<m>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?\s+(?P<d>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?|"
    r"(?P<d2>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\s+(?P<m2>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6})\b",
    re.I,
)  # fmt: skip
ENGLISH_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")  # fmt: skip
ENGLISH_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}  # fmt: skip
WEEK_SPAN: Final = re.compile(
    rf"{PRE}(?:周|星期|礼拜)|(?<![一二两三四五六七八九十\d每几半])周(?=[之以]?内)"
)
MONTH: Final = re.compile(
    rf"(?:{Y}的?)?(?:(?<![\d个一二三四五六七八九十])(?P<m>{M})月份?|(?:{PRE}|当)月份?|(?<!个)月(?=底|末|初|中旬|上旬|下旬|中(?![国心间标])|[之以]?内))"
    r"(?:的)?(?P<part>底|末|初|上旬|中旬|下旬|中(?![国心间标])|)(?![饼子嫂租薪均销结卡]|\d{1,2}[日号])"
)
QUARTER: Final = re.compile(
    rf"(?<![前头])(?:{Y}的?)?(?:第?(?P<q>[一二三四1-4])季度|(?i:Q)(?P<q2>[1-4])(?![\d.])|{PRE}季度?|季度?(?=末|底|[之以]内))(?P<part>末|底)?"
)
YEAR: Final = re.compile(
    rf"(?:{Y}|(?<![\d一二两三四五六七八九十几半多今明后去当每])年(?=底|末|终|[之以]?内))(?:的)?(?P<part>年?[底末终初](?!端)|[上下]半年)?|(?P<half>[上下]半年)"
)
HOLIDAY_NAME: Final = (
    r"(?P<name>国庆节?|中秋节?|端午节?|清明节?|五一(?:劳动)?节?|劳动节|元旦节?|春节|过年|十一(?!月|点|时|号|日|个|人|名|台|天|楼)|"
    r"小?长假|假期(?=[前后之以结])|放假|(?<![环细情关章季时音调品礼春秋])节|(?<![\d一二两三四五六七八九十百千万几半多今明后去当每同本学])年)"
)
H_AFTER: Final = r"[之以过]后|结束(?:[之以]?后)?|完了?(?:[之以]?后)?|放完假(?:[之以]?后)?|收假(?:[之以]?后)?|回来(?:[之以]?后)?|后(?![续面台期勤来])"
HOLIDAY: Final = re.compile(
    rf"过完(?P<done>国庆|中秋|端午|清明|五一|元旦|春节|长假|节|年|假)(?:{H_AFTER})?|"
    rf"{HOLIDAY_NAME}(?:(?:小?长假|假期|放假|假)?(?:(?P<before>[之以]?前(?![往台面后提端期])|前夕)|(?P<after>{H_AFTER})|"
    r"(?P<during>期间|当天|当日))|(?P<during2>假期|长假))"
)
AFTER_WHICH: Final = re.compile(
    rf"[的,，\s]*(?:(?:第(?P<n>\d+|[{SMALL}]|十)|首|头)一?[个天]?(?P<work>工作日|上班|开工|复工|班)?[天日]?|"
    r"(?P<open>开工|上班|复工|开市)的?(?:第一天|首日|头一?天|当天|日))"
)
BEFORE_WHICH: Final = re.compile(
    r"的?(?:(?:最后|最末|末|倒数第)一?[个天]?的?(?:工作日|上班日?|班)?天?|(?P<eve>一天(?!班)))"
)
NAMES: Final = {
    "国庆": "国庆", "十一": "国庆", "中秋": "中秋", "端午": "端午", "清明": "清明", "五一": "劳动", "劳动": "劳动",
    "元旦": "元旦", "春节": "春节", "过年": "春节", "年": "春节",
}  # fmt: skip
FIXED: Final = {"元旦": (1, 1), "劳动": (5, 1), "国庆": (10, 1), "清明": (4, 5)}
LONG: Final = ("春节", "国庆", "劳动")

# ---- lengths of time

COUNT: Final = rf"(?:\d{{1,3}}(?:\.\d)?(?!\d)|[两{SMALL}]?十[{SMALL}]?|廿[{SMALL}]?|[两{SMALL}])"
LENGTH: Final = re.compile(
    rf"(?<![\d.第一二两三四五六七八九十])(?P<lead>再?过)?(?P<n>半|{COUNT})(?:[-~至到、]\s*(?P<n2>{COUNT})|(?P<n3>(?<=[一二两三四五六七八])[{SMALL}]))?\s*(?P<ge>个)?(?P<half>半)?"
    r"(?P<unit>工作日|分钟|刻钟|小时|钟头|[hH](?![a-zA-Z])|天|日|周|星期|礼拜|月|年)(?P<half2>半)?"
    r"\s*(?:时间)?(?P<suffix>[之以]?内(?!部|容)|[之以过]?后(?![续面台])|[之以]?前(?![往台面后提端期]))?"
)
WORKDAYS_FROM: Final = re.compile(
    r"的?(?:(?:第(?P<n>\d+|[一二三四五六七八九十])|首|头)一?个?工作日|(?P<last>(?:最后|末)一?个?工作日))"
)
NEXT_WORKDAY: Final = re.compile(r"(?:下一?|次一?|后一?)个?工作日|第一个工作日")


STEPS: Final = {"下": 1, "下下": 2, "上": -1, "上上": -2, "本": 0, "这": 0}
COARSE: Final = frozenset(
    [
        Granularity.WEEKEND, Granularity.WEEK, Granularity.TENDAY, Granularity.MONTH,
        Granularity.QUARTER, Granularity.YEAR,
    ]
)  # fmt: skip
BRACKET: Final = re.compile(r"\s*[(（]?\s*")
CLOSED: Final = re.compile(r"\s*[)）]")
CLAUSE_DAY: Final = re.compile(r"\s+(?i:on\s+)?(?=[a-zA-Z])")
ENDS: Final = re.compile(r"[\s,，。;；!！?？、]|$|[之以]?前|左右|开|到|见|集合|过来")
WORK_ENDING: Final = re.compile(r"的?最后一?个?工作日")
