"""What somebody says of a result: a level 1 to 5, solved or not, and which step that is (domain.md §8)."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from handlers.understanding.numbers import FLAT, value_of


class Kind(StrEnum):
    RATE = "rate"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    ACK = "ack"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`level` only with RATE; `resolved` only where the text states the outcome."""

    kind: Kind
    level: int | None = None
    resolved: bool | None = None


def judge(text: str, role: str | None = "manager") -> Judgement:
    """What a message says of the ticket it answers. Closing is staff's; a firm's 「弄好了」 is a verdict."""
    said = _folded(text)
    if role not in (None, "manager"):
        return Judgement(_staff(said))
    if _AIRY.search(said) is not None:
        return Judgement(Kind.NONE)
    level = _level(said)
    if level is not None:
        return Judgement(Kind.RATE, level, _outcome(said, level))
    if _BACK.search(said) is not None:
        return Judgement(Kind.REOPEN, None, False)
    if _WITHDRAWN.search(said) is not None and _KEPT.search(said) is None:
        rest = _UNWANTED.sub("。", said)  # 「不用派人来了」 does not say that they came
        over = _ENDED.search(rest) is not None or _ALARM.search(said) is not None
        return Judgement(Kind.WITHDRAW, None, True if over else None)
    resolved = _resolved(said)
    if resolved is not None:
        return Judgement(Kind.RATE, None, resolved)
    if len(said) <= _SHORT and _ACK.match(said) is not None:
        return Judgement(Kind.ACK)
    return Judgement(Kind.NONE)


def rating_of(text: str) -> int | None:
    """The level that a text gives, 1 to 5; scores are on ten or a hundred where they exceed five."""
    return _level(_folded(text))


def verdict_of(text: str) -> bool | None:
    """Whether the text says that it is solved; 「没解决」 wins over any praise."""
    said = _folded(text)
    return _outcome(said, _level(said))


def denied(text: str) -> bool:
    """Whether the text says that it is not solved: `verdict_of` is False, sooner found out."""
    said = _folded(text)
    return _not_yet(said) and _outcome(said, _level(said)) is False


_TRADITIONAL: Final = str.maketrans("滿謝師決沒還問題來補開說電處們對過辦結單銷關請車錢", "满谢师决没还问题来补开说电处们对过办结单销关请车钱")  # fmt: skip
_TABLE: Final = {**FLAT, **_TRADITIONAL}


def _folded(text: str) -> str:
    return text.translate(_TABLE).lower().strip()


# ---- the level

# 分 of 分钟, 分公司, 十分感谢 is no score; neither are points taken off.
_NO_POINT: Final = "钟公司厂之局部包批期类析配拣享管级流贝米散布别明开成红摊店校支行房子"
_SCORE: Final = re.compile(
    rf"(?<![第扣差少多每满\d.#百])(?P<n>\d{{1,3}}(?:\.\d)?|[零一二两三四五六七八九]?十[一二三四五六七八九]?|[零一二两三四五六七八九]|满)\s*"
    rf"(?:(?P<of>分制)|(?:(?:(?<!十)分|分(?=$|[\s,，。!;；、给走奉吧啦呀的]))(?![{_NO_POINT}])|(?:颗|个)?(?P<half>半)?星(?![级期])|颗(?=$|[\s,，。!])))"
)
_HALF: Final = re.compile(r"半(?=$|[\s,，。!吧])")
_ALONE: Final = re.compile(
    r"^(?:我|那|就)?(?:给|打|给你们?打|我?给打|评)\s*(?P<n>\d{1,3}(?:\.\d)?)\s*[吧啦]?$|^(?P<n2>\d{1,2}(?:\.\d)?)/(?P<of>5|10|100)$"
)
_BEHIND: Final = re.compile(
    r"(?:评分|打分|评价|分数|得分|满意度|分(?:只能|就|只|最多)?(?:给|打))\s*[:是为]?\s*(?P<n>\d{1,3}(?:\.\d)?)(?![\d年月日号个天人次])"
)
_TEN: Final = re.compile(r"(?:10|十)分制|满分(?:10|十)分?")
_HUNDRED: Final = re.compile(r"(?:100|百)分制")
_INSTEAD: Final = re.compile(r"改(?:成|为|打|给|到)|作废|按|更正|原来")
_SIGNS: Final = re.compile(r"([⭐★👍❤💯])[\ufe0f🏻🏼🏽🏾🏿]?")
_PRAISES: Final = re.compile(r"[点给](?P<n>[2-5]|[二两三四五])个赞")

# What is not about us: somebody else's satisfaction, hearsay, what is still to come, the words themselves.
_OTHERS: Final = re.compile(
    r"(?:客户|顾客|员工|工人|外商|用户|老外|职工|他们|人家|别人|家长)[^,，。;；!]{0,8}?满意|"
    r"满意度(?:调查|问卷|表|回访|率)?|满不满意|是否满意|满意不满意|五星级|好评率|差评率|满意率|还能不满意吗?|"
    r"(?:给|收到|被|删|怕)[^,，。]{0,3}差评(?=的|师)|没(?:什么|有|啥)不满意的?"
)
_AIRY: Final = re.compile(
    r"(?:听说|听讲|据说|网上说)[^。]*|^(?:要是|如果|假如|等|只要|万一|能不能)[^。]*(?:就|我)|"
    r"(?:什么|啥|几)(?:时候?|辰光)|(?:怎么|如何|在哪里?|去哪)(?:打分|评价|评分|点|填)|(?:怎么|如何)(?:才能|能)|"
    r"(?:吗|(?<!什)么|没有|了没|呢)\s*[?]?\s*$|(?:多少|几份|几次|哪些|哪个)\s*[?]?$|解决不了|办不了就"
)
_REPROACH: Final = re.compile(
    r"就(?:算|叫)(?:解决|办结|完|结)|也(?:算|叫)|怎么就结|怎么叫|没.{0,6}了[吗么]?[?]?$|明明"
)
_LEVELS: Final = (
    (
        1,
        r"(?:非常|极其?|很|特别|十分|超级?|相当|太|最)的?不满意?|不满意极了|(?:1|一)分都?嫌?多|(?:1|一)分都不|零分|"
        r"稀烂|太差|极差|(?:十分|非常|极其|太)(?:糟|不满|差劲)|糟透|糟糕透|差到|very (?:dissatisfied|bad|poor)|terrible|worst",
    ),
    (
        2,
        r"不(?:太|大|怎么|咋|够|算|是很|甚)?(?:满意|称心|理想|中意)|不满(?!足|意|\d|[一二三四五六七八九十])|没法满意|难满意|谈不上满意|满意(?:个|什么|啥)|(?:^|[,，。!])(?:真|蛮|有点)?差(?=$|[,，。!])|垃圾|(?<!not )\bbad\b|差评|差劲|失望|"
        r"[讲说弄做办加来](?:了|还)?(?:也|就)?等于没|等于没|等于白|白[跑讲说]|不怎么样|不行啊|dissatisfied|unsatisfied|not (?:very )?satisfied|disappointed",
    ),
    (
        5,
        r"(?:非常|十分|很|超级?|特别|相当|太|最|极其?|百分之?百|一百个|万分)的?满意|(?:极度|万分)满意|满意(?:得很|极了|得不得了|到家|至极)|完美|无可挑剔|好得很|(?:真|太|很)棒|棒(?=$|[,，。!棒])|大满足|满分|"
        r"(?:五|5)星|服气|没[话得]+[话说]?[说讲]|锦旗|救了?命|杠杠的?|很好[,，!]|好极了|太[好棒赞](?:了|啦)|excellent|perfect|very satisfied|"
        r"very good|amazing|great job|fantastic|神速|💯",
    ),
    (
        3,
        r"(?:基本上?|大体上?|大致|总体|还算|勉强|算是?)(?:还)?满意|满意吧?,?勉勉?强强?|勉勉强强|(?<!不)一般(?:般|吧|$|[\s,，。!、])|过得去|中评|"
        r"还行|还可以|还成|凑合|马马虎虎|中规中矩|及格|不好不坏|不高不低|说得过去|就这样吧|将就|so-?so|average|acceptable",
    ),
    (
        4,
        r"满意|好评|点赞|[给竖]个?大?(?:大拇指|赞)|大拇指|不错|挺好|蛮好|靠谱|可以的|可以可以|赞(?=$|[\s,，。!])|satisfied|(?:^|all |very )good(?=$|[ ,，。!])|good job|well done|"
        r"nice|thumbs up|not bad",
    ),
)  # fmt: skip
_WORDS: Final = tuple((level, re.compile(words)) for level, words in _LEVELS)
_RATES: Final = re.compile(
    r"[满分星赞评差好错行般合虎去谱气旗命话指烂透望足格矩坏低讲吧强成杠棒速样称理中等白美剔糟圾打给👍⭐★💯/]|[a-z]{3}"
)


def _level(said: str) -> int | None:
    if _RATES.search(said) is None:
        return None
    score = _score(said)
    if score is not None:
        return score
    if _QUESTION.search(said) is not None and _RHETORIC.search(said) is None:
        # 「满意,就是能不能快点?」: only its last clause asks.
        head, mark, _ = said.rpartition(",")
        return _level(head) if mark else None
    if _CONTENT.search(said) is not None:
        return 4
    if _RHETORIC.search(said) is not None:
        return 4
    own = _OTHERS.sub("。", said)
    praises = _PRAISES.search(own)
    if praises is not None:
        return _on_five(value_of(praises["n"]), own)
    signs = _SIGNS.findall(own)
    if len(signs) in (3, 4, 5) and len(set(signs)) == 1:
        return 5 if signs[0] == "👍" else len(signs)
    if _AIRY.search(own) is not None:
        return None
    found = {level: match for level, words in _WORDS if (match := words.search(own)) is not None}
    # 态度满意,效率差评: two verdicts, no level.
    if 2 in found and 1 not in found and _PRAISED.search(_WORDS[1][1].sub("。", own)) is not None:
        return None
    level = next((level for level in (1, 2, 5, 3, 4) if level in found), None)
    return None if level in (4, 5) and _IRONY.search(said) is not None else level


_CONTENT: Final = re.compile(r"没(?:什么|有|啥)不满意")
_IRONY: Final = re.compile(r"呵呵|真是(?:谢谢|感谢)|[\"“]满意[\"”]")
_QUESTION: Final = re.compile(r"(?:吗|(?<!什)么|[?])\s*$")
_RHETORIC: Final = re.compile(r"(?:还|哪)能不满意")
_PRAISED: Final = re.compile(r"(?<![不没])满意|好评")


def _score(said: str) -> int | None:
    said = _OTHERS.sub(lambda m: "满意度" if m.group() == "满意度" else "。", said)
    found = [m for m in _SCORE.finditer(said) if m["of"] is None]
    named = _BEHIND.search(said)
    if named is not None:
        return _on_five(value_of(named["n"]), said)
    alone = _ALONE.match(said)
    if alone is not None and alone["n2"] is not None:
        scale = {"5": "", "10": "10分制", "100": "100分制"}[alone["of"]]
        return _on_five(value_of(alone["n2"]), scale)
    if alone is not None:
        return _on_five(value_of(alone["n"]), said)
    if not found or _AIRY.search(said) is not None:
        return None
    # 「改成5分」, 「原来的3分作废,按2分」: the new one; else what is said first counts.
    chosen = found[-1] if _INSTEAD.search(said) is not None else found[0]
    if chosen["n"] == "满":
        return 5
    score = value_of(chosen["n"])
    if score is not None and (chosen["half"] or _HALF.match(said, chosen.end())):
        score += Decimal("0.5")
    return _on_five(score, said)


def _on_five(score: Decimal | None, said: str) -> int | None:
    """On the scale of five, halves up: 9 of 10 is 5, 85 of 100 is 4."""
    if score is None or score > 100 or score < 0:
        return None
    if score > 10 or _HUNDRED.search(said) is not None:
        score /= 20
    elif score > 5 or _TEN.search(said) is not None:
        score /= 2
    return max(1, int(score.quantize(Decimal(1), ROUND_HALF_UP)))


# ---- solved or not

_DONE: Final = (
    "到账|到帐|入账|到位|到手|到岗|到货|拿到|拿回|收到货|收悉|放出来|放行|放开|放回|招到|招齐|找到|找回|追回|退回来|退到|批下来|批了|办成|办好|办妥|办完|"
    "办下来|弄好|弄完|搞好|搞完|修好|修复|修通|换好|换新|装好|装上|补好|补齐|拿下|清走|清掉|清完|拉走|运走|搬走|走光|撤走|撤离|下架|解封|解冻|解除|"
    "恢复|复通|接通|接上|来电|来水|来气|有电|有水|有气|通水|通电|通车|通气|通航|成交|签下|签好|签了|谈妥|谈拢|谈成|化解|摆平|理顺|过关|一趟过|一次过|"
    "堵住|止住|稳住|控住|停产解除|处理好|处理完|整好|整改好|上来|开走|开通|开门|进来|出来|亮|消|暖|路通|查到"
)
# Tried only where one of them can begin: the pattern is long and most texts hold none.
_FIRST: Final = "".join(sorted({word[0] for word in _DONE.split("|")}))
_ENDED: Final = re.compile(
    rf"(?=[{_FIRST}已解圆闭妥搞人车钱货款水电气证章料灯网路信压工补贷材好没可够正一恢不能oswfrd])(?<![没未不])(?:(?:{_DONE})(?:正常)?(?:了|啦|喽|咯)|已经?(?:经)?(?:解决|恢复|{_DONE})|(?:解决|圆满|闭环|妥)(?:了|啦|掉了?)|(?<!自己)(?<!没)(?<!没有)(?<!尽快)(?:解决|圆满)(?=$|[\s,，。!])|(?<!没)搞定|"
    r"(?:人|车|钱|货|款|水|电|气|证|章|料|灯|网|路|信号|压力|工资|补贴|贷款|材料)(?:都|也|是|就|已经?)?(?:来|到|齐|通|有|够|回来|退|放|批|拿|亮|平|稳|足|好)了|"
    r"(?<![就太很挺都可你更最变要较多])好(?:了|啦)(?![吗么没吧]|再说|好)|没问题了|可以了(?!吗)|够用|不(?:漏|堵|臭|响|吵|跳|断|闪|冒|积水|卡|缺)了(?!吗)|能(?:进|走|开|用|出|上|生产|开工|排|发)了(?!吗)|works? now|working now|(?:一切)?正常了|恢复正常|一次过|一趟过|over\b|solved|fixed|resolved|done\b)"
)
_ALARM: Final = re.compile(r"误报|虚惊")
_NOT: Final = re.compile(
    r"(?:没有?|未|还没有?|尚未|并未|不算|没能|远没|谈不上)(?:完全|真正|彻底|根本)?(?:得到)?(?:解决|办成|办好|办妥|弄好|弄成|修好|修过|搞好|搞定|好(?!评)|通(?!知)|恢复|到账|到位|见效|处理|落实|谈拢|断根|根治|办结|干净|完$)|"
    r"(?:根本|从来|一直|到现在|压根|至今|都|也|还|又)没(?!问题|关系|事|想到|话|啥说)|没(?:人|谁)(?:来|管|理|修|弄|处理|动)|没来人|来了又走|没结果|没下文|没动静|没用(?!上|到)|没来过|没弄|没修|明明没|"
    r"还(?:是|在|有|照|得|要|缺|差|冻|黑|欠|老样|空)(?!(?:可以|行|不错|挺|蛮|满意|算|你们|在现场|有人))|还[^,，。]{0,6}[着呢](?=$|[,，。!])|"
    r"依旧|依然|仍|照旧|照样|老样子|老问题|原样|部分解决|解决(?:了)?一(?:半|部分)|剩下的?|不算(?:完|解决|结)|就(?:算|叫)解决|怎么(?:就|叫)结|等于没|等于白|"
    r"[啥什么]+也没|一(?:个|样|点|方|件|字|条|分)(?:都|也)?没|不解决|没解决|未解决|"
    r"又(?:停|坏|堵|塌|漏|来(?!电|水|气)|开始|回|断|臭|被|叫|不|犯|出|跳|要|来了)|反弹|复发|重弄|重办|治标不治本|not (?:yet )?(?:solved|fixed|resolved|done|ok)|"
    r"n't work|still |问题还|不行(?=[,，。!]|$)|走不了|用不了|打不通"
)
_PLAIN_NO: Final = re.compile(
    r"(?:没有?|未|还没有?|不算)(?:完全|真正|彻底)?(?:得到)?(?:解决|办成|办好|弄好|修好|通|恢复)|没结果|部分解决|not (?:solved|fixed)"
)
_NOT_ASKED: Final = re.compile(
    r"(?:吗|(?<!什)么|没有|了没)\s*[?]?\s*$|^(?:什么时候|啥时候|怎么|能不能)"
)


def _not_yet(said: str) -> bool:
    return _NOT.search(said) is not None and not _asked(said)


def _asked(said: str) -> bool:
    """Whether it asks for the outcome, and is no reproach put as a question."""
    return _NOT_ASKED.search(said) is not None and _REPROACH.search(said) is None


def _resolved(said: str) -> bool | None:
    if _asked(said):
        return None
    if _NOT.search(said) is not None:
        return False
    if _AIRY.search(said) is not None:
        return None
    return True if _ENDED.search(said) is not None else None


def _outcome(said: str, level: int | None) -> bool | None:
    """With a fair level 「还」 and 「又」 are a remark beside it; only a plain no is one."""
    resolved = _resolved(said)
    if resolved is False and level is not None and level >= 3 and _PLAIN_NO.search(said) is None:
        return True if _ENDED.search(said) is not None else None
    return resolved


# ---- which step

_WITHDRAWN: Final = re.compile(
    r"(?:不用|不必|不要|不需要?|无需|别|甭|不劳|不麻烦|勿)(?:再|大家|各位|你们|您|帮我们?|麻烦|来人|派|另外|急着?)*"
    r"(?:来(?!回)|办|跑|管|找|派|弄|处理|跟|催|协调|安排|了|各位|大家|帮|查|修|送|联系|开(?!心)|看了|调解)|不需要了|不麻烦|"
    r"撤(?:回|销|掉|单|了|吧|案)|(?:先|就|可以|单子|这个|那个|都)撤|取消|误报|虚惊|(?:搞|弄|看|记|认)错(?:了|厂|人)?|发错|误会|不算(?!解决|完|结|多|少|慢|快|差|好|太)|作废|"
    r"请?忽略|当(?:我|作|做)?没[说发]|停掉|平掉|关掉|销掉|算了|不报了|不办了|不租了|先放(?:一?放)|放一放|自己(?:解决|处理|弄好|修好|搞定)"
)
_UNWANTED: Final = re.compile(r"(?:不用|不必|不要|不需要?|无需|别|不劳|不麻烦)[^,，。;；!]*")
_KEPT: Final = re.compile(
    r"不(?:用|要)(?:取消|撤)|别(?:取消|撤|关|销)|不能(?:取消|撤)|(?:有人|谁)(?:来)?管"
)
_BACK: Final = re.compile(
    r"又(?:停|坏|堵|塌|漏|断|臭|犯|跳|冒|积|出(?!来|货|口)|回来|开始|没[电水气]|来了|不[行通亮])|老毛病|重新(?:开|办|处理|弄|搞|打开|受理|派)|重(?:启|开|办)(?!发|业|工)|"
    r"再(?:派人|来(?:一趟|看看|修|弄)|处理|办一?次|打开)|(?:不|没|还)同意(?:办结|结|销|关|完结|归档)|(?:不|还不?|别|没到)能?(?:销号?|结单|结案|办结|关单|关掉|关闭)(?=$|[,，。!]|了?吧)|"
    r"(?:还|暂)?不能(?:销|结|关)|别(?:销|结|关)|反弹|复发|没(?:撑|挺|管|用)(?:过|到|住)|没好(?:透|全|利索)|(?:显示|变成|写着|说是?)已?(?:经)?(?:办结|完结|结单|结案|关闭|办妥)|死灰复燃|故态复萌|reopen"
)
_ACK: Final = re.compile(
    r"^[\s👌👍🙏🌹💪🏻🏼🏽🏾]*(?:收到|好(?:的|滴|嘞|哒|呀)?(?=$|[\s,，。!谢收多知辛])|嗯+好?|知道|晓得|行(?=$|[\s,，。!吧的])|可以(?=$|[\s,，。!])|ok|okk|roger|copy|noted|明白|了解|已读|已阅|"
    r"辛苦|谢谢|多谢|感谢|thx|thanks|thank|照办|遵命|1+$|\+1$|是的?$|对的?$|在$|[👌👍🙏])"
)
_SHORT: Final = 14
_CLOSING: Final = re.compile(
    r"办(?:结|完了|毕)|结(?:单|案|掉|了$|清)|销(?:号|单|掉|了$)|关(?:单|闭本?[单件条]|掉|了$)|完结|闭环|归档|收口|了结|此[事件](?:到此|结)|可(?:以)?[结关销]|[本此这该][单件条][^,，。]{0,4}(?:完成|结|关|销|清了)|"
    r"(?:工单|单子)关闭|收单|(?:[,，]|可)(?:结|关|销)$|收尾了"
)
_NOT_CLOSING: Final = re.compile(
    r"暂(?:不|缓|时不)|(?:无法|没法|难以|不予|未能)(?:办结|结|销|关|闭环)|(?:还|暂)?不(?:能|可|宜|得|要|予|同意|急着?)(?:办结|结|销|关|归档)|未(?:办结|结|销|闭环)|没(?:办结|结|销|闭环)|(?:办结|结案|完结|销号|闭环)率|估计|预计|争取|"
    r"快(?:要)?(?:办结|结|销|闭环)|(?:准备|打算|计划|力争|尽快|马上|下周|明天|等|待)[^,，。]{0,10}(?:办结|结单|销号|闭环|结案|归档|关单)|[吗?]\s*$|多少|什么时候|如何|怎么|别(?:结|关|销)|差[^,，。]{1,6}[,，]"
)


def _staff(said: str) -> Kind:
    if _CLOSING.search(said) is not None and _NOT_CLOSING.search(said) is None:
        return Kind.CLOSE
    return Kind.ACK if len(said) <= _SHORT and _ACK.match(said) is not None else Kind.NONE
