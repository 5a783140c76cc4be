"""A visit told in one sentence: who was met, how the firm fares, what it needs, when to go again."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from handlers.domain.moment import Granularity, Moment
from handlers.domain.people import mask_phone
from handlers.domain.visit import Mode, Note, Purpose
from handlers.domain.workdays import SHANGHAI
from handlers.understanding.firms import FirmNames
from handlers.understanding.times import HolidayCalendar, find_time

# A sentence that begins like this is a note whatever else it holds.
_VISIT: Final = re.compile(
    r"^[【\[(（]?(?:今天|今日|昨天|前天|上午|下午|刚才?|刚刚|周[一二三四五六日天]|\d{1,2}[月./]\d{1,2}[日号]?)?(?:上午|下午)?"
    r"(?:[和跟与随陪带][\u4e00-\u9fff]{2,5}(?:一起|去)?)?"
    r"(?:走访|拜访|(?:上门|实地|电话|线上|视频)(?:走访|拜访|联系)|补录|补记)(?!计划|台账|安排|通报|小结|带回|的|时|中|一下)"
)
_PLAN: Final = re.compile(
    r"(?:打算|准备|计划|安排|想|要|拟|约).{0,8}(?:走访|拜访|上门)|(?:走访|拜访).{0,6}(?:计划|安排|台账)|提醒"
)
_SUMMARY: Final = re.compile(r"[本上]周走访|走访(?:通报|小结|汇总)|本月走访")
_BACKFILL: Final = re.compile(
    r"^[【\[(（]?(?:补录|补记|补登)|(?:补录|补记|补登)走访|走访(?:补录|补记|补登)"
)
_SPLIT: Final = re.compile(r"[,，。;；!！\n()（）【】]+|(?<!\d)[:：]|[:：](?!\d)")
_NEXT: Final = re.compile(
    r"下次|再(?:去|来|访|走访|上门|看|谈|跑|碰头)|回头再|下[周月]+?.{0,4}(?:去|来|看|谈|访|见)|届时"
)
_WEEKDAY: Final = re.compile(r"周|星期|礼拜")
_MONTH: Final = re.compile(r"月|/|\d\.\d")

_PHONE: Final = re.compile(r"电话|致电|通话|去电|来电")
_ONLINE: Final = re.compile(r"线上|视频|微信|腾讯会议|网上|云走访")
_ON_SITE: Final = re.compile(r"实地|上门|线下|当面|现场")

_POST: Final = (
    r"(?:常务|执行|生产|技术|行政|人事|财务|安全|环保|销售|采购|设备|质量|项目|厂务|工会|党委|党支部)?"
    r"(?:董事长|副董事长|总经理|副总经理|董秘|副厂长|厂长|副总|总监|总工|工会主席|主席|部长|经理|主任|主管|书记|科长|处长|"
    r"会计|出纳|班长|队长|课长|老板娘|老板|店长|场长|负责人|联系人|项目部|财务|人事|行政|HRBP|HR|EHS|法人|総務部長)"
)
_MEETS: Final = re.compile(
    r"(?:见了?到?|见着|会见|接待(?:的是|人)?|与|和|跟|同|参加人|参会|在场|陪同的?有?|拜会)[了:：]?"
)
_NAMED_POST: Final = re.compile(
    rf"(?:[\u4e00-\u9fff](?=总(?!经|监|工)))?({_POST}|总(?!经|监|工|额|量|数|体|的))"
)
_NOT_MET: Final = re.compile(r"(?:不在|没来|未在|出差|没见)")

_PRODUCTION: Final = re.compile(
    r"满产|满负荷|开工率|产销|生产(?:正常|平稳|稳定|线|满|经营|都?[好稳])|停产|减产|限产|复工|产线|产能|负荷|吞吐量|产值|产量|排产|"
    r"运行(?:正常|平稳|稳定)|经营(?:正常|平稳|稳定|情况)|桩基|检修|试生产|投产|稼动|开机|生产满"
)
_WORKFORCE: Final = re.compile(
    r"用工|员工(?=.{0,6}(?:\d|稳定|流失|充足|齐|够|老|紧|多|少))|缺.{0,10}(?:人|名|个|工)|招工|招聘|工人|普工|操作工|焊工|钳工|电工|挡车|班组长|流失|离职|辞职|倒班|夜班"
)
_ORDERS: Final = re.compile(
    r"订单|排单|排到|单子(?!已)|外贸|出口|内销|客户|在手|接单|猪料|销售|回款|库存|积压|跨境单|行情"
)
_TOLD: Final = re.compile(
    r"宣讲|宣传|讲解|讲了(?=.{0,16}(?:政策|补贴|贷|办法|通知|调整|补助|奖))|介绍了|解读|告知(?!企业)|送(?:去|上)了?.{0,8}政策|资料留下|政策包|推送"
)
_CALLS_BACK: Final = re.compile(r"回访")
_PLACE: Final = re.compile(
    r"在(?P<place>[^,，。;；\s]{0,8}(?:会议室|办公室|车间|食堂|工地|现场|码头|仓库|厂区|门口|项目部|大厅|实验室|总部))"
)

_REPORTS: Final = re.compile(
    r"反映|反馈|提出|提到|提意见|提[:：]|希望|盼|想(?:请|占|要|问|办|找|把|增|换|引|去|给|租|买|招|参加|申请)|嫌|困难|诉求|问题|愁|建议|要求|"
    r"需(?:要|协调|求)|求助|请求|缺|招不到|难招|卡(?:在|着|住)|担心|抱怨|苦恼|麻烦|不够|不足|跟不上|没人管|漏|拖|压(?:住|得)|能不能|"
    r"(?:被|遭).{0,8}(?:围|偷|拦|锁|抢)|急需|另要|另盼|坏了|紧张|位子紧|拿不到|周转紧|吃紧|没(?:有)?(?:灯|饭店|排水|公交|路灯)"
)
_NOTHING: Final = re.compile(
    r"^(?:暂|目前|其他|其余|别的|企业|对方|均|都|也|他们|没有|未|无|表示|一切|各方面|整体|基本|没)*"
    r"(?:无|没有?|未提?)?(?:新的?|什么|其他|任何|要办的|需要办的|提|反映|说|讲)*"
    r"(?:问题|诉求|困难|反映|意见|要求|事项?|需求|正常|平稳|稳定|满意|新提什么|提要求|提新要求|别的|新诉求)?[了的]?$"
)
_NONE: Final = re.compile(
    r"(?:无|没有?|未提?|未反映|没提|未提出)(?:什么|任何|新的?|其他|别的|要|需)*(?:问题|诉求|困难|反映|意见|要求|事|需求|要办)|问题无|诉求无|"
    r"一切正常|都正常|满意$|稳定$|(?:已|都|均)(?:解决|完成|到位|恢复|配齐|告知|答复|建单|处理|整改|介绍|补)|已有单子|好多了|心情|当场(?:换|改|答|告|指|说)|"
    r"松口|有保障|(?:略|稍)紧|了解.{0,12}(?:情况|影响|后)|用得怎样|很关心|想了解"
)


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    said: bool


def is_visit(text: str) -> bool:
    """Whether a colleague's sentence with one firm in it is the note of a visit that was made."""
    return may_be_visit(text) and _VISIT.search(text) is not None


def may_be_visit(text: str) -> bool:
    """Whether what reads like the note of a visit is no plan and no summary of many."""
    return not (_SUMMARY.search(text) or _PLAN.search(text))


def note_of(
    text: str,
    now: datetime,
    calendar: HolidayCalendar,
    firms: FirmNames,
    colleagues: Sequence[str] = (),
    tells: Callable[[str], bool] = lambda clause: False,
) -> Note:
    """The fields of a visit that a sentence fills; `tells` says whether a clause tells a problem."""
    clauses = _clauses(text)
    ahead = next((c.text for c in clauses if _NEXT.search(c.text)), "")
    at = _when([c.text for c in clauses if c.text != ahead and not c.said], now, calendar)
    again = find_time(ahead, now, calendar) if ahead else None
    if again is not None and again.start < now and again.end is None:
        again = None
    bare = [(c, _without_firms(c.text, firms)) for c in clauses if c.text != ahead]
    today = now.astimezone(SHANGHAI).date()
    back = _BACKFILL.search(text) is not None
    if at is not None and at.start.astimezone(SHANGHAI).date() < today:
        back = True
    told = tuple(_short(b) for _, b in bare if _TOLD.search(b))
    return Note(
        at=None if at is None else at.start.astimezone(now.tzinfo),
        until=None if at is None or at.end is None else at.end.astimezone(now.tzinfo),
        mode=_mode(text),
        place=_place(text),
        visitors=_visitors(text, colleagues),
        met=_met(clauses, colleagues),
        purpose=_purpose(text, told),
        production=_joined(b for c, b in bare if _PRODUCTION.search(b)),
        workforce=_joined(b for c, b in bare if _WORKFORCE.search(b)),
        orders=_joined(b for c, b in bare if _ORDERS.search(b) and not _WORKFORCE.search(b)),
        told=told,
        next_at=None if again is None else again.start.astimezone(now.tzinfo),
        next_until=None if again is None or again.end is None else again.end.astimezone(now.tzinfo),
        problems=_problems(bare, tells),
        backfilled=back,
    )


def _clauses(text: str) -> list[_Clause]:
    """The clauses, and which of them are the firm's own words."""
    found, said = [], False
    for part in _SPLIT.split(text):
        clause = part.strip()
        if not clause:
            continue
        said = said or re.search(r"反映|提出|提到|说|讲|希望|诉求|困难|问题", clause) is not None
        found.append(_Clause(clause, said))
    return found


def _without_firms(clause: str, firms: FirmNames) -> str:
    """The clause without the firm's name and what only leads to it."""
    for named in reversed(firms.named(clause)):
        clause = clause[: named.start] + clause[named.end :]
    return clause.strip(" 、和与")


def _short(text: str) -> str:
    return " ".join(text.split())[:60]


def _joined(parts: object) -> str:
    return "，".join(dict.fromkeys(_short(str(p)) for p in parts))[:120]  # type: ignore[attr-defined]  # an iterable of texts


def _when(clauses: Sequence[str], now: datetime, calendar: HolidayCalendar) -> Moment | None:
    """When it was: a visit that is told lies behind, so what looks ahead is meant of the last time."""
    for clause in clauses:
        moment = find_time(clause, now, calendar)
        if moment is None or moment.granularity not in (
            Granularity.MINUTE,
            Granularity.HOUR,
            Granularity.HALFDAY,
            Granularity.DAY,
        ):
            continue
        local = now.astimezone(SHANGHAI)
        for back in _earlier(clause[moment.at : moment.to]):
            start = _back(moment.start, back)
            end = None if moment.end is None else _back(moment.end, back)
            if start is not None and start.date() <= local.date():
                return Moment(start, end, moment.granularity)
    return None


def _earlier(said: str) -> tuple[tuple[int, int], ...]:
    """The steps back in (months, days) that a text allows, none first."""
    if _WEEKDAY.search(said):
        return (0, 0), (0, 7)
    if _MONTH.search(said):
        return (0, 0), (12, 0)
    return (0, 0), (1, 0), (2, 0)


def _back(at: datetime, step: tuple[int, int]) -> datetime | None:
    months, days = step
    at -= timedelta(days=days)
    if not months:
        return at
    count = at.year * 12 + at.month - 1 - months
    try:
        return at.replace(year=count // 12, month=count % 12 + 1)
    except ValueError:
        return None


def _mode(text: str) -> Mode | None:
    if _ONLINE.search(text):
        return Mode.ONLINE
    if re.search(r"电话(?:走访|联系|沟通|回访|了解|拜访)|电话里|致电|去电", text):
        return Mode.PHONE
    return Mode.ON_SITE if _ON_SITE.search(text) else None


def _place(text: str) -> str:
    found = _PLACE.search(text)
    return "" if found is None else found["place"]


def _purpose(text: str, told: tuple[str, ...]) -> Purpose | None:
    if _CALLS_BACK.search(text):
        return Purpose.CALL_BACK
    return Purpose.POLICY if told and "宣" in "".join(told) else None


def _visitors(text: str, colleagues: Sequence[str]) -> tuple[str, ...]:
    """The colleagues that came along, by name."""
    return tuple(name for name in colleagues if name in text)


def _met(clauses: Sequence[_Clause], colleagues: Sequence[str]) -> tuple[str, ...]:
    """Posts and no names: 张经理 is 经理, 施总 is 企业负责人."""
    found: dict[str, None] = {}
    for clause in clauses:
        text = clause.text
        for name in colleagues:
            text = text.replace(name, "")
        if _NOT_MET.search(text) and not _MEETS.search(text):
            continue
        said = re.search(
            r"(?:经理|厂长|总|主任|主席|老板|会计|EHS|主管|部长)(?:说|讲|提|反映|带)", text
        )
        if _MEETS.search(text) is None and said is None and not _just_posts(text):
            continue
        for post in _NAMED_POST.finditer(text):
            tail = text[post.end() : post.end() + 4]
            if _NOT_MET.match(tail):
                continue
            found[_title(post)] = None
    return tuple(found)[:6]


def _title(post: re.Match[str]) -> str:
    return BOSS if post.group(1) in ("总", "老板") else post.group(1)


def _just_posts(text: str) -> bool:
    """Whether a clause is but a list of posts: 生产副总、人事."""
    parts = [p for p in re.split(r"[、和及与\s]|都在|也在", text) if p]
    return bool(parts) and all(
        re.fullmatch(rf"[\u4e00-\u9fff]?(?:{_POST}|总)|本人", p) for p in parts
    )


BOSS: Final = "企业负责人"


# Said of the whole note, not only of what else there may be.
_DENIES: Final = re.compile(
    r"(?<!其他)(?<!其余)(?<!别的)(?:(?:无|没有?|未|未提|没提)(?:提|反映)?(?:什么|任何|出|要|新的?|需要?|其他)*"
    r"(?:问题|诉求|困难|反映|意见|要求|要办的?|事项|新事|新提)|问题无|诉求无|没别的|都说没事)"
)
_FINE: Final = re.compile(
    r"正常|平稳|稳定|满产|满负荷|排满|良好|不缺|齐全|台账齐|有效|补好|修好|到位|达标|[一二三四五六七八九十\d]成"
)
_LEADS: Final = re.compile(
    r"^(?:企业|对方|他们|主要|[一二三四五六]是|另外?|还)*(?:反映|提出|提到|诉求|困难|问题|愁)+(?:是|有|的|[:：])*"
)
_SETS_OUT: Final = re.compile(
    r"^(?:看了|看过|检查了|电话联系|聊了|见|与|和.{1,6}座谈|陪|随|带|到|去|回访|走了|参加人|参会)"
)


def _problems(
    clauses: Sequence[tuple[_Clause, str]], tells: Callable[[str], bool]
) -> tuple[str, ...]:
    """What the firm needs somebody to do, in its order."""
    found: list[str] = []
    denied = any(_DENIES.search(bare) for _, bare in clauses)
    last = before = ""
    for clause, bare in clauses:
        before, last = last, bare if clause.said and not _FINE.search(bare) else ""
        text = _LEADS.sub("", bare)
        if len(text) < 3 or _NOTHING.match(text) or _NONE.search(text) or _TOLD.search(text):
            continue
        reported = _REPORTS.search(bare) is not None
        if reported and not (_FINE.search(text) and not _WANTS.search(text)):
            if before and before not in found and _WISHES.match(text):
                # 希望少来 is no problem that can be read without what it is about.
                found.append(before)
            found.append(text)
        elif denied or _FINE.search(text) or _SETS_OUT.match(text) or _just_posts(text):
            continue
        elif tells(text) and (clause.said or not _KNOWN.search(text)):
            found.append(text)
    return tuple(found)


_WISHES: Final = re.compile(r"希望|盼|请|建议|想")
_WANTS: Final = re.compile(r"希望|想|需|盼|请|要求|建议|缺(?!的)|招不到")
# How the firm fares is no problem by itself.
_KNOWN: Final = re.compile(r"订单|排单|产值|产能|员工\d|吞吐|客户")


# ---- what may not stand in a note

_ID_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z])\d{6}[-\s]?(?:18|19|20)\d{2}[-\s]?\d{4}[-\s]?\d{3}[0-9Xx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])\d{15}(?![0-9A-Za-z])"
)
ID_LEFT_OUT: Final = "［证件号码未记］"


def without_numbers_of_people(text: str) -> tuple[str, bool]:
    """The text without identity numbers and with masked phones; whether an identity number stood there."""
    clean = _ID_NUMBER.sub(ID_LEFT_OUT, text)
    return mask_phone(clean), clean != text


_INSPECTS: Final = re.compile(
    r"(?:行政|联合|突击|例行|专项|安全|消防|环保|现场|日常|双随机)?(?:检查|执法|处罚)"
)
# Papers about inspections, and the firm's word of them, are no inspection.
_ABOUT: Final = re.compile(
    r"(?:检查|执法)(?:的?(?:登记|记录|台账|太|过|频|多|次|组|一|两|三|扫码|结果|整改|事)|人员来)|"
    r"(?:自|体|被|接受|迎接?|应付|重复|多头|涉企|几[拨次回批]|[两三四五六七八九十\d]+[拨次回批])\S{0,3}(?:检查|执法)"
)
_SAYS: Final = re.compile(
    r"反映|反馈|提出|提到|说|讲|希望|抱怨|诉苦|建议|意见|困难|诉求|最怕|担心|想问|问能"
)
_STOPS: Final = re.compile(r"[,，。;；!！\n]+")


def inspects(text: str) -> bool:
    """Whether a note tells of an inspection or enforcement by the visitors themselves."""
    for clause in _STOPS.split(text):
        if _SAYS.search(clause) or _ABOUT.search(clause):
            continue
        if _INSPECTS.search(clause):
            return True
    return False


# ---- putting right

_CORRECTS: Final = re.compile(
    r"^(?:改|更正|不对|错了|有误|应该?是|其实是?|是(?!的)|不是|见的是?|时间是?|用工|订单|生产|下次|方式|地点|陪同|企业是|问题是?|还有|补充|另外)"
)
_INSTEAD: Final = re.compile(
    r"不是(?P<wrong>[^,，。;；]{1,20}?)[,，\s]*(?:而|应该?)?是(?P<right>[^,，。;；]{1,20})"
)
_LABEL: Final = re.compile(
    r"^(?:改(?:为|成|一下)?|更正(?:为|一下)?|不对|错了|有误|应该?是|其实是?)[,，:：\s]*"
)
_FIELDS: Final = (
    ("place", re.compile(r"^(?:地点|地方)(?:是|改为|改成|[:：\s])*(?P<v>.{1,30})$")),
    ("production", re.compile(r"^(?:生产(?:情况)?|经营)(?:是|改为|改成|[:：\s])+(?P<v>.{1,60})$")),
    ("workforce", re.compile(r"^(?:用工(?:情况)?|员工)(?:是|改为|改成|[:：\s])+(?P<v>.{1,60})$")),
    ("orders", re.compile(r"^(?:订单(?:情况)?)(?:是|改为|改成|[:：\s])+(?P<v>.{1,60})$")),
    ("told", re.compile(r"^(?:政策|宣讲)(?:是|改为|改成|[:：\s])+(?P<v>.{1,60})$")),
    ("met", re.compile(r"^(?:见了?的?(?:人)?|见到的?)(?:是|改为|改成|[:：\s])*(?P<v>.{1,20})$")),
)


def corrects(text: str) -> bool:
    """Whether a sentence puts right what was just shown, rather than beginning something new."""
    return _CORRECTS.search(text.strip()) is not None or _INSTEAD.search(text) is not None


def exchange(text: str) -> tuple[str, str] | None:
    """What was wrong and what is right: 不是厂长, 是副总."""
    found = _INSTEAD.search(text)
    return None if found is None else (found["wrong"].strip(), found["right"].strip())


def correction_of(
    text: str,
    now: datetime,
    calendar: HolidayCalendar,
    firms: FirmNames,
    colleagues: Sequence[str] = (),
) -> Note:
    """The fields that a correction names; a problem is told in words of its own."""
    said = _LABEL.sub("", text.strip()).strip()
    for name, pattern in _FIELDS:
        found = pattern.match(said)
        if found is None:
            continue
        value = _short(found["v"].strip(" 。"))
        if name == "met":
            posts = tuple(_title(m) for m in _NAMED_POST.finditer(value))
            return Note(met=posts or (value[:12],))
        if name == "told":
            return Note(told=(value,))
        return Note(**{name: value})  # type: ignore[arg-type]  # texts all
    return note_of(said, now, calendar, firms, colleagues)
