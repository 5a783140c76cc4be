"""日调度, 三率, 收盘, 周小结, 月小结: the office's figures, on request and to each their own."""

from dataclasses import replace

from handlers.chat.filters import Filter, Staff, Who
from handlers.chat.outbound import Kind, Reply
from handlers.chat.router import Router
from handlers.domain.people import Role
from handlers.services.briefs import BriefService
from handlers.services.moves import Asked
from handlers.services.rates import By

router = Router("brief")
Leads: Filter = Who(Role.LEADER, Role.OFFICE, Role.CHIEF)
_BY = {
    "联络员": By.LIAISON,
    "领导": By.LEADER,
    "分管领导": By.LEADER,
    "管理区": By.AREA,
    "片区": By.AREA,
    "网格": By.GRID,
    "类别": By.CATEGORY,
    "分类": By.CATEGORY,
    "企业": By.FIRM,
}


def _alone(text: str) -> Reply:
    return replace(Reply.say(text, kind=Kind.BRIEF), secret=True)


@router.command(
    "日调度",
    "日报",
    "简报",
    who=Staff,
    usage="日调度",
    about="看今天的调度；再用「看 超期」等看名单",
)
def brief(asked: Asked, briefs: BriefService) -> Reply:
    assert asked.speaker.person is not None
    return _alone(briefs.show(asked.speaker.person))


@router.command(
    "三率", who=Staff, usage="三率 按片区", about="看本月三率，可按片区、类别、企业等分列"
)
def rates(asked: Asked, briefs: BriefService) -> Reply:
    assert asked.speaker.person is not None
    words = asked.rest.replace("按", " ").split()
    by = next((_BY[w] for w in words if w in _BY), None)
    window = briefs.this_month()
    if "上月" in words:
        window = briefs.last_month()
    elif "上周" in words:
        window = briefs.last_week()
    return _alone(briefs.rates(asked.speaker.person, window, by))


@router.command("收盘", "今日收盘", who=Leads, usage="收盘", about="看今天的收盘数")
def close(asked: Asked, briefs: BriefService) -> Reply:
    assert asked.speaker.person is not None
    return _alone(briefs.close_text(asked.speaker.person))


@router.command("周小结", "周报", who=Leads, usage="周小结", about="看上周小结")
def week(asked: Asked, briefs: BriefService) -> Reply:
    mine = briefs.mine(asked.speaker.person)
    return _alone(briefs.summary("week", briefs.last_week(), mine))


@router.command("月小结", "月报", who=Leads, usage="月小结", about="看上月小结")
def month(asked: Asked, briefs: BriefService) -> Reply:
    mine = briefs.mine(asked.speaker.person)
    return _alone(briefs.summary("month", briefs.last_month(), mine))


@router.command("共性问题", "共性", who=Staff, usage="共性问题", about="看多家反映或反复反映的问题")
def common(asked: Asked, briefs: BriefService) -> Reply:
    assert asked.speaker.person is not None
    return _alone(briefs.commons(asked.speaker.person))


@router.command("久未联系", "未联系", who=Staff, usage="久未联系", about="看很久没有联系的企业")
def silent(asked: Asked, briefs: BriefService) -> Reply:
    assert asked.speaker.person is not None
    return _alone(briefs.silent(asked.speaker.person))
