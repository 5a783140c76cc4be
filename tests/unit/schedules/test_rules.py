"""Rules of what comes round: every wording, and the days of two years counted another way."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.calendar import shipped
from handlers.domain.errors import BadInput
from handlers.domain.schedule import Days, Every, Rule, missed, next_after, parse
from handlers.domain.workdays import SHANGHAI
from handlers.ports import Job

CALENDAR = shipped()
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("typed", "kept", "first"),
    [
        ("每工作日 08:20", "每工作日 08:20", "2026-11-25 08:20"),
        ("每个工作日17:00", "每工作日 17:00", "2026-11-24 17:00"),
        ("每天 08:20", "每天 08:20", "2026-11-25 08:20"),
        ("每周五15:00", "每周五 15:00", "2026-11-27 15:00"),
        ("每周一、三、五 9:00", "每周一、三、五 09:00", "2026-11-25 09:00"),
        ("每周一到周三 10:00", "每周一、二、三 10:00", "2026-11-24 10:00"),
        ("每星期天 10:00", "每周日 10:00", "2026-11-29 10:00"),
        ("每月1日 08:30", "每月1日 08:30", "2026-12-01 08:30"),
        ("每月10、20号 08:30", "每月10、20日 08:30", "2026-12-10 08:30"),
        ("每月底 16:00", "每月最后一天 16:00", "2026-11-30 16:00"),
        ("每月最后一个工作日 16:30", "每月最后一个工作日 16:30", "2026-11-30 16:30"),
        ("每个月第一个工作日 08:40", "每月第一个工作日 08:40", "2026-12-01 08:40"),
        ("每周最后一个工作日 16:00", "每周最后一个工作日 16:00", "2026-11-27 16:00"),
        ("每周第一个工作日 09:30", "每周第一个工作日 09:30", "2026-11-30 09:30"),
        ("每周五 15:00 节假日除外", "每周五 15:00 节假日除外", "2026-11-27 15:00"),
        ("2026-11-27 15:00", "2026-11-27 15:00", "2026-11-27 15:00"),
    ],
)
def test_a_rule_is_read_kept_and_counted(typed: str, kept: str, first: str) -> None:
    rule = parse(typed, CALENDAR)
    assert str(rule) == kept
    assert parse(kept, CALENDAR) == rule
    assert next_after(rule, NOW, CALENDAR) == at(first)


@pytest.mark.parametrize(
    "typed",
    ["", "每周五", "15:00", "每周6 08:00", "0 9 * * 1", "每月32日 08:00", "每天 25:00", "2026-02-30 08:00", "每周五到周一 08:00"],
)  # fmt: skip
def test_what_is_no_rule_is_refused(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(typed, CALENDAR)
    assert refused.value.reason == "schedule_unclear"


def test_weekdays_are_names_and_monday_is_monday() -> None:
    for name, day in zip("一二三四五六日", range(23, 30), strict=True):
        rule = parse(f"每周{name} 09:00", CALENDAR)
        first = next_after(rule, at("2026-11-23 00:00"), CALENDAR)
        assert first == at(f"2026-11-{day} 09:00")


@pytest.mark.parametrize(
    ("rule", "since", "first"),
    [
        # 20 September is a working Sunday, 10 October a working Saturday; the week before is off.
        ("每工作日 08:20", "2026-09-19 08:20", "2026-09-20 08:20"),
        ("每工作日 08:20", "2026-09-30 08:20", "2026-10-08 08:20"),
        ("每工作日 08:20", "2026-10-09 08:20", "2026-10-10 08:20"),
        ("每周五 15:00 节假日除外", "2026-09-30 15:00", "2026-10-09 15:00"),
        ("每周五 15:00", "2026-09-30 15:00", "2026-10-02 15:00"),
        ("每周最后一个工作日 16:00", "2026-10-05 16:00", "2026-10-10 16:00"),
        ("每周第一个工作日 16:00", "2026-10-05 16:00", "2026-10-08 16:00"),
        ("每月第一个工作日 16:00", "2026-09-30 16:00", "2026-10-08 16:00"),
        # The whole week of Spring Festival has no working day.
        ("每周第一个工作日 09:00", "2026-02-15 09:00", "2026-02-24 09:00"),
        ("每月31日 09:00", "2026-01-31 09:00", "2026-03-31 09:00"),
    ],
)
def test_holidays_and_makeup_days_decide(rule: str, since: str, first: str) -> None:
    assert next_after(parse(rule, CALENDAR), at(since), CALENDAR) == at(first)


def test_a_single_time_comes_once_and_an_impossible_day_never() -> None:
    rule = parse("2026-11-27 15:00", CALENDAR)
    assert next_after(rule, at("2026-11-27 15:00"), CALENDAR) is None
    assert not rule.repeats
    assert next_after(Rule(Days(Every.WEEKDAYS, ()), time(8)), NOW, CALENDAR) is None


RULES = st.builds(
    Rule,
    st.one_of(
        st.sampled_from([Days(e) for e in Every if e not in (Every.ONCE, Every.WEEKDAYS, Every.MONTH_DAY)]),
        st.builds(
            Days, st.just(Every.WEEKDAYS), st.sets(st.integers(0, 6), min_size=1).map(lambda s: tuple(sorted(s)))
        ),
        st.builds(
            Days, st.just(Every.MONTH_DAY), st.sets(st.integers(1, 31), min_size=1).map(lambda s: tuple(sorted(s)))
        ),
    ),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    only_workdays=st.booleans(),
)  # fmt: skip
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 3, 1)).map(
    lambda d: d.replace(tzinfo=UTC)
)


@given(RULES)
def test_every_rule_is_read_back_as_it_is_written(rule: Rule) -> None:
    assert parse(str(rule), CALENDAR) == rule


@given(RULES, INSTANTS)
def test_the_next_time_is_later_and_none_lies_between(rule: Rule, now: datetime) -> None:
    following = next_after(rule, now, CALENDAR)
    if following is None:
        assert rule.only_workdays or rule.days.numbers == (31,)
        return
    assert following > now
    between = now + (following - now) / 2
    assert next_after(rule, between, CALENDAR) == following
    assert following.astimezone(SHANGHAI).time() == rule.at
    assert list(missed(rule, following, following, CALENDAR)) == [following]


def test_working_days_of_a_year_are_those_of_the_calendar() -> None:
    rule = parse("每工作日 08:20", CALENDAR)
    start = at("2025-12-31 12:00")
    first = next_after(rule, start, CALENDAR)
    assert first is not None
    times = list(missed(rule, first, at("2026-12-31 23:00"), CALENDAR))
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [t.astimezone(SHANGHAI).date() for t in times] == [
        d for d in days if CALENDAR.is_workday(d)
    ]
    assert len(times) == 248


def test_a_job_has_an_interval_or_a_schedule_and_not_both() -> None:
    assert Job("one", schedule="每工作日 08:20").key == "job:one"
    for wrong in ({}, {"every_seconds": 30.0, "schedule": "每天 08:00"}):
        with pytest.raises(ValueError):
            Job("two", **wrong)
