"""Dates and times in sentences; the sentences are our own, the conventions those of the office."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.calendar import shipped
from handlers.domain.moment import Granularity, Moment
from handlers.texts.times import absolute
from handlers.understanding.times import date_in, find_time

ZONE = ZoneInfo("Asia/Shanghai")
WEDNESDAY = datetime(2026, 11, 25, 14, 20, tzinfo=ZONE)
CALENDAR = shipped()


def said_back(text: str, now: datetime = WEDNESDAY) -> str:
    moment = find_time(text, now, CALENDAR)
    return "" if moment is None else absolute(moment, now)


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("大后天上午九点半来一趟", "11月28日 周六 09:30"),
        ("明儿下午两点一刻", "11月26日 周四 14:15"),
        ("周五晚8点送货", "11月27日 周五 20:00"),
        ("货车4月17晚8点进厂", "2027年4月17日 周六 20:00"),
        ("下礼拜二上班前交", "12月1日 周二 08:30 前"),
        ("下下个月5号", "2027年1月5日 周二"),
        ("廿八号前", "11月28日 周六 前"),
        ("月底前能批下来吗", "11月30日 周一 前"),
        ("本月最后一个工作日", "11月30日 周一"),
        ("下月第一个工作日", "12月1日 周二"),
        ("下一个工作日上午给答复", "11月26日 周四 上午"),
        ("3-5个工作日", "12月2日 周三 17:30 前"),
        ("两三天内", "11月28日 周六 前"),
        ("一个半小时后到", "11月25日 周三 15:50"),
        ("再过十天", "12月5日 周六"),
        ("11月29日(周日)8:00-16:00停电", "11月29日 周日 08:00 至 16:00"),
        ("本周四（26日）下午2:00开会", "11月26日 周四 14:00"),
        ("晚上10点到凌晨2点封路", "11月25日 周三 22:00 至 11月26日 周四 02:00"),
        ("22:00-6:00施工", "11月25日 周三 22:00 至 11月26日 周四 06:00"),
        ("12月28日到1月3日放假", "12月28日 周一 至 2027年1月3日 周日"),
        ("11月26、27日体检", "11月26日 周四 至 11月27日 周五"),
        ("从下周一开始到周三", "11月30日 周一 至 12月2日 周三"),
        ("最迟周五", "11月27日 周五 前"),
        ("12月3日截止", "12月3日 周四 前"),
        ("下周前", "11月29日 周日 前"),
        ("今晚12点前", "11月25日 周三 24:00 前"),
        ("今晚零点", "11月26日 周四 00:00"),
        ("２０２６/１２/１ ８:３０", "12月1日 周二 08:30"),
        ("明年上半年", "2027年1月1日 周五 至 2027年6月30日 周三"),
        ("四季度末", "12月31日 周四"),
        ("两周後的事", "12月9日 周三"),
        ("within 3 working days", "11月30日 周一 17:30 前"),
        ("by end of week please", "11月29日 周日 前"),
        ("before Dec 10", "12月10日 周四 前"),
        ("tomorrow 3:30pm", "11月26日 周四 15:30"),
        ("in 2 hours", "11月25日 周三 16:20 前"),
        ("next Friday noon", "12月4日 周五 12:00"),
        ("三个月前申请的", "2026年8月25日 周二"),
    ],
)
def test_a_sentence_names_a_time(text: str, echo: str) -> None:
    assert said_back(text) == echo


@pytest.mark.parametrize(
    ("text", "now", "echo"),
    [
        ("过完年头一天上班", "2026-02-10T09:00", "2月24日 周二"),
        ("五一收假后第二个工作日", "2026-04-28T09:00", "5月7日 周四"),
        ("小长假结束首个工作日", "2026-06-18T09:00", "6月22日 周一"),
        ("长假后", "2026-09-24T09:00", "10月8日 周四"),
        ("节后三天内", "2026-09-29T09:00", "10月10日 周六 前"),
        ("节后2个工作日内", "2026-09-29T09:00", "10月9日 周五 17:30 前"),
        ("端午前最后一天上班", "2026-06-10T09:00", "6月18日 周四"),
        ("中秋期间", "2026-09-10T09:00", "9月25日 周五 至 9月27日 周日"),
        ("国庆节当天", "2026-09-10T09:00", "10月1日 周四"),
        ("年前", "2026-01-10T09:00", "2月14日 周六 前"),
        ("节后上班第一天", "2026-10-03T09:00", "10月8日 周四"),
        ("节前", "2026-10-03T09:00", "12月31日 周四 前"),
        ("五个工作日内", "2026-09-18T09:00", "9月24日 周四 17:30 前"),
        ("国庆前", "2032-09-20T09:00", "9月30日 周四 前"),
    ],
)
def test_holidays_and_made_up_working_days_count(text: str, now: str, echo: str) -> None:
    assert said_back(text, datetime.fromisoformat(now).replace(tzinfo=ZONE)) == echo


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("原定周四改到下周二上午", "12月1日 周二 上午"),
        ("周五下午三点改四点", "11月27日 周五 16:00"),
        ("不是周四,是周五", "11月27日 周五"),
        ("是周五不是周四", "11月27日 周五"),
        ("定在28号,不对,29号", "11月29日 周日"),
        ("今天停电,延到周五", "11月27日 周五"),
    ],
)
def test_a_correction_keeps_the_last_time(text: str, echo: str) -> None:
    assert said_back(text) == echo


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("昨天下午停电,明天上午能来吗", "11月26日 周四 上午"),
        ("10月的发票明天下午去开", "11月26日 周四 下午"),
        ("今天收到的件,周五前给答复", "11月27日 周五 前"),
    ],
)
def test_what_is_due_and_ahead_comes_first(text: str, echo: str) -> None:
    assert said_back(text) == echo


@pytest.mark.parametrize(
    "text",
    [
        "", "三点建议", "提两点要求", "晚一点再说", "快一点", "一点都不急", "八点五米", "12.5亿", "1:3配比",
        "早上好", "晚上好各位", "早点来", "每周一例会", "每天下午3点", "两周一次", "过两天再说", "尽快", "回头联系",
        "五一路口积水", "十一个人", "国庆快乐", "138-0000-1234", "2号楼漏水", "7号窗停办", "二期工程", "半天没人理",
        "第三天", "前三季度产值", "2月30号", "13月5日", "天天堵车", "站了一下午", "三天两头停电", "十一点多",
        "有时间再说", "ASAP", "今后注意", "明白了", "以后再说", "九千年后",
    ],
)  # fmt: skip
def test_what_names_no_time_is_left_alone(text: str) -> None:
    assert find_time(text, WEDNESDAY, CALENDAR) is None


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        ("后天", "day"), ("后天三点", "minute"), ("后天早上", "halfday"), ("下周末", "weekend"),
        ("下个星期", "week"), ("12月上旬", "tenday"), ("下月", "month"), ("下季度", "quarter"),
        ("明年", "year"), ("三小时内", "hour"), ("20分钟后", "minute"),
    ],
)  # fmt: skip
def test_a_time_knows_how_exactly_it_was_meant(text: str, grain: str) -> None:
    moment = find_time(text, WEDNESDAY, CALENDAR)
    assert moment is not None
    assert moment.granularity == grain


def test_a_bare_weekday_or_number_is_the_nearest_not_past() -> None:
    assert said_back("周三下午三点") == "11月25日 周三 15:00"
    assert said_back("周三下午两点") == "12月2日 周三 14:00"
    assert said_back("25号上午") == "12月25日 周五 上午"
    assert said_back("31号") == "12月31日 周四"
    assert said_back("2月29日") == "2028年2月29日 周二"


def test_on_a_sunday_next_week_begins_tomorrow() -> None:
    sunday = datetime(2026, 11, 29, 10, tzinfo=ZONE)
    assert said_back("下周一", sunday) == "11月30日 周一"
    assert said_back("本周日", sunday) == "11月29日 周日"
    assert said_back("这周六", sunday) == "12月5日 周六"


def test_the_reader_is_told_the_words_that_were_read() -> None:
    text = "麻烦您下周三前报送一下"
    moment = find_time(text, WEDNESDAY, CALENDAR)
    assert moment is not None
    assert (text[moment.at : moment.to], moment.before) == ("下周三前", True)


def test_any_zone_of_now_gives_the_same_time() -> None:
    utc = WEDNESDAY.astimezone(ZoneInfo("UTC"))
    assert find_time("明天上午九点", utc, CALENDAR) == find_time(
        "明天上午九点", WEDNESDAY, CALENDAR
    )


@pytest.mark.parametrize(
    ("text", "until", "rest"),
    [
        ("到周五 等供电公司排期", "2026-11-27T17:30", "等供电公司排期"),
        ("11月30日前,需设计院踏勘", "2026-11-30T17:30", "需设计院踏勘"),
        ("至12.3 材料未齐", "2026-12-03T17:30", "材料未齐"),
        ("明天上午十点 约了专家", "2026-11-26T10:00", "约了专家"),
        ("11.27 等材料", "2026-11-27T17:30", "等材料"),
        ("下周", "2026-12-06T17:30", ""),
        ("三个工作日内 银行审批", "2026-11-30T17:30", "银行审批"),
    ],
)
def test_a_command_has_a_date_and_a_reason(text: str, until: str, rest: str) -> None:
    at, left = date_in(text, WEDNESDAY, CALENDAR)
    assert at == datetime.fromisoformat(until).replace(tzinfo=ZONE)
    assert left == rest


def test_a_command_without_a_date_keeps_its_words() -> None:
    assert date_in("等通知", WEDNESDAY, CALENDAR) == (None, "等通知")


# ---- for any text

WORDS = st.lists(
    st.sampled_from(
        [
            "今天",
            "明",
            "后天",
            "下周",
            "周",
            "三",
            "十二",
            "月",
            "号",
            "日",
            "点",
            "半",
            "前",
            "后",
            "内",
            "到",
            "至",
            "节",
            "国庆",
            "春节",
            "第一个",
            "工作日",
            "上午",
            "晚",
            "下班",
            "12",
            "3",
            ":",
            "/",
            ".",
            "-",
            "年",
            "底",
            "季度",
            "改",
            "不是",
            "20",
            "2026",
            "个",
            "天",
            "小时",
            "末",
            "next",
            "monday",
            "9am",
            "by",
            ",",
            "(",
            ")",
            "每",
            "一",
            "两",
            "廿",
            "年",
            "零",
        ]
    ),
    max_size=14,
).map("".join)


@given(st.one_of(st.text(), WORDS), st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1)))
def test_no_text_is_too_strange(text: str, now: datetime) -> None:
    moment = find_time(text, now.replace(tzinfo=ZONE), CALENDAR)
    if moment is not None:
        assert 0 <= moment.at < moment.to <= len(text)
        assert moment.end is None or moment.start <= moment.end


DAYS = st.dates(date(2026, 11, 25), date(2029, 6, 1))


@given(DAYS, st.integers(0, 23), st.integers(0, 59), st.booleans())
def test_an_instant_said_back_is_the_same_instant(
    day: date, hour: int, minute: int, before: bool
) -> None:
    start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)
    moment = Moment(start, None, Granularity.MINUTE, before)
    again = find_time(absolute(moment, WEDNESDAY), WEDNESDAY, CALENDAR)
    assert again is not None
    assert (again.start, again.end, again.before) == (start, None, before)


@given(DAYS, st.integers(0, 400))
def test_days_said_back_are_the_same_days(day: date, length: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    end = start + timedelta(days=length, hours=23, minutes=59, seconds=59)
    moment = Moment(start, end, Granularity.DAY)
    again = find_time(absolute(moment, WEDNESDAY), WEDNESDAY, CALENDAR)
    assert again is not None
    assert (again.start, again.end) == (start, end)


@given(DAYS, st.sampled_from(["上午", "中午", "下午", "晚上", "凌晨"]))
def test_a_half_day_said_back_is_the_same_half_day(day: date, part: str) -> None:
    moment = find_time(f"{day.year}年{day.month}月{day.day}日{part}", WEDNESDAY, CALENDAR)
    assert moment is not None
    assert moment.granularity is Granularity.HALFDAY
    again = find_time(absolute(moment, WEDNESDAY), WEDNESDAY, CALENDAR)
    assert again is not None
    assert (again.start, again.end) == (moment.start, moment.end)
