"""Sign-ups for any sentences in any order: the quota holds, nobody is passed by, nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.ids import PersonId
from handlers.domain.signup import Act, Outcome, Said, SignUp, apply, genders, with_quota
from handlers.understanding.firms import FirmNames
from handlers.understanding.signups import parse

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
KEYS = st.sampled_from([f"E{n:03}" for n in range(1, 8)])
COUNTS = st.integers(1, 9)
SAID = st.one_of(
    st.builds(lambda n: Said(Act.SET, n), COUNTS),
    st.builds(lambda m, f: Said(Act.SET, m + f, m, f), COUNTS, st.integers(0, 5)),
    st.builds(lambda n: Said(Act.ADD, n), st.integers(-4, 4).filter(bool)),
    st.builds(lambda n: Said(Act.COPY, n), COUNTS),
    st.just(Said(Act.OFF)),
)
STEPS = st.lists(st.tuples(KEYS, SAID), max_size=40)
QUOTAS = st.one_of(st.none(), st.integers(1, 20))
FIRMS = FirmNames([("E009", "芯耘半导体", ("芯耘",), "芯耘半导体(南通)有限公司")])


def an_empty_one(quota: int | None) -> SignUp:
    return SignUp(1, "羽毛球赛", "sandbox", "g", PersonId("P055"), NOW, quota=quota)


@given(QUOTAS, STEPS)
def test_the_quota_holds_and_the_first_in_the_queue_is_never_passed_by(
    quota: int | None, steps: list[tuple[str, Said]]
) -> None:
    signup = an_empty_one(quota)
    for key, said in steps:
        before = signup
        change = apply(signup, key, said)
        signup = change.signup
        keys = [p.key for p in signup.places]
        assert len(keys) == len(set(keys))
        assert all(p.count > 0 for p in signup.places)
        if quota is None:
            assert not signup.waiting
        else:
            assert signup.taken <= quota
            if signup.waiting:
                # Whoever waits first would not fit.
                assert signup.waiting[0].count + signup.taken > quota
        for place in signup.places:
            if place.male is not None and place.female is not None:
                assert place.male + place.female == place.count
        male, female, unknown = genders(signup.confirmed)
        assert male + female + unknown == signup.taken
        # Whoever was in and said nothing is still in, with the same number.
        for place in before.confirmed:
            if place.key != key:
                assert signup.place(place.key) == place
        # Those who wait keep their order.
        order = [p.key for p in before.waiting if p.key != key]
        assert [p.key for p in signup.waiting if p.key in order] == [
            k for k in order if k in [p.key for p in signup.waiting]
        ]
        if said.act is Act.OFF:
            assert signup.place(key) is None
        if change.outcome is Outcome.SIGNED and said.act is Act.SET:
            placed = signup.place(key)
            assert placed is not None and (placed.count, placed.waiting) == (said.count, False)


@given(QUOTAS, STEPS, KEYS, SAID)
def test_the_same_word_twice_is_one_word(
    quota: int | None, steps: list[tuple[str, Said]], key: str, said: Said
) -> None:
    signup = an_empty_one(quota)
    for who, what in steps:
        signup = apply(signup, who, what).signup
    once = apply(signup, key, said).signup
    if said.act is not Act.ADD:
        assert apply(once, key, said).signup == once


@given(st.integers(1, 20), st.integers(0, 20), STEPS)
def test_more_room_lets_in_the_first_and_nobody_out(
    quota: int, more: int, steps: list[tuple[str, Said]]
) -> None:
    signup = an_empty_one(quota)
    for key, said in steps:
        signup = apply(signup, key, said).signup
    wider = with_quota(signup, quota + more).signup
    assert wider.taken <= quota + more
    assert {p.key for p in signup.confirmed} <= {p.key for p in wider.confirmed}
    assert [p.key for p in wider.waiting] == [p.key for p in signup.waiting][
        len(signup.waiting) - len(wider.waiting) :
    ]
    assert not with_quota(signup, None).signup.waiting
    assert with_quota(signup, signup.quota).signup == replace(signup)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_of_chains(text: str) -> None:
    for key, said in parse(text, "E009", FIRMS).words:
        assert key == "" or key.startswith("E")
        assert said.act in (Act.OFF, Act.ADD) or 0 < said.count <= 999


@given(
    COUNTS,
    COUNTS,
    st.sampled_from(["报{m}男{f}女", "男{m}女{f}", "{m}个男的，{f}个女的", "女{f}男{m}"]),
)
def test_men_and_women_are_counted_in_any_writing(male: int, female: int, form: str) -> None:
    ((_, said),) = parse(form.format(m=male, f=female), "E009", FIRMS).words
    assert (said.count, said.male, said.female) == (male + female, male, female)
