"""Property 44: one answer per firm, the last valid one before the deadline; only the silent are chased."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.calendar import shipped
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.survey import (
    Answer,
    Channel,
    Question,
    Value,
    merged,
    reminds_at,
    silent,
    standing,
    standing_by_firm,
    totals,
)
from handlers.understanding.answers import match
from handlers.understanding.survey_words import draft_in, questions_in

CALENDAR = shipped()
DUE = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
FIRMS = [EnterpriseId(f"E{n:03}") for n in range(1, 6)]
QUESTIONS = (Question("挡车工", unit="名"), Question("同比", unit="%"))
NUMBERS = st.integers(-500, 500)


@st.composite
def answers(draw: st.DrawFn) -> list[Answer]:
    found = []
    for n in range(draw(st.integers(0, 12))):
        at = DUE + timedelta(minutes=draw(st.integers(-90, 90)))
        number = Decimal(draw(NUMBERS))
        values = (Value(str(number), number), Value("5%", Decimal(5)))
        found.append(
            Answer(
                1, draw(st.sampled_from(FIRMS)), values, at, PersonId("x"), "x", Channel.CHAT,
                late=at > DUE, id=n,
            )
        )  # fmt: skip
    return found


@given(answers(), st.randoms())
def test_property_44_the_last_answer_in_time_counts_in_whatever_order_they_are_read(
    given_: list[Answer], random: object
) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    known = standing_by_firm(shuffled)
    for firm in FIRMS:
        own = [a for a in given_ if a.enterprise_id == firm]
        in_time = [a for a in own if a.at <= DUE]
        if not own:
            assert firm not in known
        else:
            pool = in_time or own
            assert known[firm] == max(pool, key=lambda a: (a.at, a.id))
    asked_again = silent(FIRMS, given_)
    assert set(asked_again) | {a.enterprise_id for a in given_} == set(FIRMS)
    assert not set(asked_again) & {a.enterprise_id for a in given_}
    counted = [a for a in known.values() if not a.late]
    assert totals(QUESTIONS, known.values()) == (
        sum((a.values[0].number or Decimal(0) for a in counted if a.values[0]), Decimal(0)),
        None,
    )


def test_nobody_stands_for_no_answer() -> None:
    assert standing([]) is None


@given(st.lists(st.one_of(st.none(), NUMBERS), min_size=2, max_size=2), NUMBERS, NUMBERS)
def test_a_correction_replaces_what_it_names_and_nothing_else(
    new: list[int | None], first: int, second: int
) -> None:
    before = tuple(Value(str(n), Decimal(n)) for n in (first, second))
    now = tuple(None if n is None else Value(str(n), Decimal(n)) for n in new)
    after = merged(before, now)
    assert after == tuple(n if n is not None else b for n, b in zip(now, before, strict=True))
    assert merged(None, now) == now


@given(st.integers(0, 60 * 24 * 60), st.integers(0, 60 * 24 * 60))
def test_the_reminder_comes_on_the_working_day_before_and_never_to_who_was_just_asked(
    due_minutes: int, open_minutes: int
) -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    due, opened = (start + timedelta(minutes=m) for m in (due_minutes, open_minutes))
    at = reminds_at(due, opened, CALENDAR)
    if at is None:
        return
    local, last = at.astimezone(CALENDAR.zone), due.astimezone(CALENDAR.zone)
    assert opened + timedelta(hours=4) <= at < due
    assert CALENDAR.is_workday(local.date())
    day = local.date() + timedelta(days=1)
    while day < last.date():
        assert not CALENDAR.is_workday(day)
        day += timedelta(days=1)
    assert local.date() < last.date()


@given(
    st.lists(st.integers(0, 9999), min_size=3, max_size=3),
    st.permutations([0, 1, 2]),
    st.sampled_from(["{name}{n}", "{name} {n}名", "{n}个{name}", "{name}：{n}", "{name}缺{n}人"]),
    st.sampled_from(["，", "\n", "；", "、"]),
)
def test_numbers_reach_their_questions_in_any_order_and_writing(
    figures: list[int], order: list[int], form: str, between: str
) -> None:
    names = ("挡车工", "机修", "电焊工")
    text = between.join(form.format(name=names[i], n=figures[i]) for i in order)
    questions = tuple(Question(n, unit="名") for n in names)
    found = match(text, questions, DUE, CALENDAR)
    assert [v and v.number for v in found.values] == figures, text
    assert not found.loose


@given(st.text(max_size=80))
def test_no_text_breaks_the_readers(text: str) -> None:
    draft_in(text)
    questions_in(text)
    found = match(text, replace_kinds(), DUE, CALENDAR)
    assert len(found.values) == 6


def replace_kinds() -> tuple[Question, ...]:
    return questions_in(
        "缺口(名)、班次(选:一班/两班)、是否停产、开工日期、困难、设备(表:名称,台数)"
    )


def test_the_period_and_the_questions_make_two_surveys_the_same() -> None:
    from tests.kit.builders import NOW
    from tests.kit.surveys import a_survey

    survey = a_survey(title="11月用工缺口")
    assert survey.content == replace(survey, title="11月缺工", created_at=NOW).content
    assert survey.content != replace(survey, title="12月用工缺口").content
    assert survey.series == replace(survey, title="12月用工缺口").series
