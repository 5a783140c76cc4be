"""Shifts that take each other's place, spans of time in words, rota files."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.calendar import shipped
from handlers.domain.ids import PersonId
from handlers.domain.people import Leave, Shift
from handlers.domain.rota import duty_days, from_rows, replaced
from handlers.services.spans import span_in
from handlers.texts.leaves import span

CALENDAR = shipped()
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHIFTS = st.builds(
    lambda person, start, length: Shift(
        PersonId(person), NOW + start * HOUR, NOW + (start + length) * HOUR
    ),
    st.sampled_from(["A", "B", "C"]),
    st.integers(0, 40),
    st.integers(1, 12),
)


def on_duty(shifts: list[Shift], at: datetime) -> str | None:
    found = [s.person_id for s in shifts if s.starts_at <= at < s.ends_at]
    assert len(found) <= 1, "two people for one hour"
    return found[0] if found else None


@given(st.lists(SHIFTS, max_size=8))
def test_the_last_word_holds_for_every_hour_and_nobody_stands_twice(said: list[Shift]) -> None:
    rota: list[Shift] = []
    for new in said:
        before = {n: on_duty(rota, NOW + n * HOUR) for n in range(60)}
        dropped, added = replaced(rota, new)
        rota = [s for s in rota if s not in dropped] + list(added)
        for n, who in before.items():
            at = NOW + n * HOUR
            expected = new.person_id if new.starts_at <= at < new.ends_at else who
            assert on_duty(rota, at) == expected
        assert replaced(rota, new) == ((), ()), "said twice, nothing changes"


def test_a_leave_holds_from_its_beginning_until_before_its_end() -> None:
    leave = Leave(PersonId("P041"), NOW, NOW + HOUR)
    assert leave.holds(NOW)
    assert not leave.holds(NOW + HOUR)
    assert not leave.holds(NOW - HOUR)


def test_a_duty_day_ends_with_the_next_mornings_hand_over() -> None:
    start, until = duty_days(date(2026, 11, 24), date(2026, 11, 30), time(8, 30), CALENDAR)
    assert (start.isoformat(), until.isoformat()) == (
        "2026-11-24T08:30:00+08:00",
        "2026-12-01T08:30:00+08:00",
    )


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("11.24-11.26", "11月24日 周二 至 11月26日 周四"),
        ("11.25—11.27 事假", "11月25日 周三 至 11月27日 周五"),
        ("11.25-27", "11月25日 周三 至 11月27日 周五"),
        ("11月30日至12月2日", "11月30日 周一 至 12月2日 周三"),
        ("12.30-1.2", "12月30日 周三 至 2027年1月2日 周六"),
        ("2026-11-25至2026-11-27", "11月25日 周三 至 11月27日 周五"),
        ("明天", "11月25日 周三"),
        ("明天下午", "11月25日 周三 下午"),
        ("下周一到周三", "11月30日 周一 至 12月2日 周三"),
        ("周五", "11月27日 周五"),
        ("明天8点半到11点", "11月25日 周三 08:30 至 11:00"),
        ("今天下午三点", "11月24日 周二 15:00 至 24:00"),
    ],
)
def test_a_span_in_words_is_said_back(said: str, back: str) -> None:
    found = span_in(said, NOW, CALENDAR)
    assert found is not None
    assert span(found[0], found[1], NOW) == back


@pytest.mark.parametrize("said", ["", "张三", "周五前", "三天内"])
def test_what_is_no_span_is_none(said: str) -> None:
    assert span_in(said, NOW, CALENDAR) is None


def test_a_rota_file_is_known_by_its_header() -> None:
    rows = [(1, ["日期", "值班人员"]), (2, ["2026-11-24", "办公室文秘"]), (3, ["", ""])]
    (one,) = from_rows(rows) or ()
    assert (one.name, one.start, one.end) == ("办公室文秘", date(2026, 11, 24), date(2026, 11, 24))
    timed = [
        (1, ["开始时间", "结束时间", "姓名"]),
        (2, ["2026/11/24 17:30", "2026/11/25 8:30", "文秘"]),
    ]
    (one,) = from_rows(timed) or ()
    assert (one.start, one.end) == (datetime(2026, 11, 24, 17, 30), datetime(2026, 11, 25, 8, 30))
    (one,) = from_rows([(1, ["开始", "姓名"]), (2, ["2026-11-24 18:00", "文秘"])]) or ()
    assert one.end == datetime(2026, 11, 25, 18, 0)
    (one,) = from_rows([(1, ["日期", "值班人"]), (2, ["明天 25:00", "文秘"])]) or ()
    assert one.start is None
    people = [(1, ["person_id", "name", "role"]), (2, ["P1", "小周", "liaison"])]
    assert from_rows(people) is None
