"""The model file: rebuilt alike, read by plain Python, never confused by what it does not know."""

from pathlib import Path

import pytest

from bot.commands.train import build
from handlers.understanding import read
from handlers.understanding.features import features, grams, plain
from handlers.understanding.model import (
    ALARM_UNCLEAR,
    FILE,
    Blend,
    alarm,
    decide,
    doubt,
    shipped,
    to_probabilities,
    unpack,
    unsure,
)
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES, Intent, Probabilities
from handlers.understanding.rules import NONE
from handlers.understanding.training import NEUTRAL, example, fit, written

SMALL = """
## manager new_problem LAB U3
车间缺焊工六个招不到
仓库缺人招不到
流水线缺人
## manager new_problem INF U3
门口路灯坏了
厂门口路面坏了
东边路灯坏了
## manager chatter - -
大家早上好呀
今天早上天气好
周末好呀大家
""".splitlines()


def test_the_same_examples_give_the_same_file() -> None:
    pytest.importorskip("sklearn")
    examples = [example(row) for row in written(SMALL)]
    assert fit(examples) == fit(examples)


def test_a_small_model_has_learned_its_examples() -> None:
    pytest.importorskip("sklearn")
    model = unpack(fit([example(row) for row in written(SMALL)]))
    for row in written(SMALL):
        said = model.probabilities(example(row).found)
        assert said.best_intent().value == row["intent"]
        if row["category"]:
            assert said.best_category().value == row["category"]


def test_files_train_a_model_that_reads(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    path = tmp_path / "written.txt"
    path.write_text("\n".join(SMALL), encoding="utf-8")
    assert unpack(build([path])).size > 10


def test_the_shipped_file_is_small() -> None:
    import handlers.understanding as package

    assert (Path(package.__file__).parent / FILE).stat().st_size <= 6_000_000


def test_a_file_of_another_make_is_refused() -> None:
    with pytest.raises(ValueError, match="not a model"):
        unpack(b"LHGM0\nwhatever")


def test_unknown_signs_alone_give_the_prior_and_no_error() -> None:
    said = shipped().probabilities({"\U0001f600", "龘"})
    assert 0 <= said.ticket <= 1
    assert sum(said.category) == pytest.approx(1)


def test_a_very_long_text_overflows_no_lane() -> None:
    flat = plain("缺操作工，路灯坏了，停电了，" * 2000)
    found = grams(flat)
    said = shipped().probabilities(features(flat, found, "manager", "text", NONE))
    assert 0 <= said.ticket <= 1


def flat_shares(ticket: float) -> Probabilities:
    def even(n: int) -> tuple[float, ...]:
        return (1 / n,) * n

    return Probabilities(ticket, even(len(INTENTS)), even(len(CATEGORIES)), even(len(URGENCIES)))


def sharp(ticket: float) -> Probabilities:
    def first(n: int) -> tuple[float, ...]:
        return (0.97, *(0.03 / (n - 1),) * (n - 1))

    return Probabilities(ticket, first(len(INTENTS)), first(len(CATEGORIES)), first(len(URGENCIES)))


def test_without_a_second_opinion_the_first_stands() -> None:
    assert decide(sharp(0.9), None, shipped().blend) == sharp(0.9)


def test_a_clear_second_opinion_moves_an_unclear_first() -> None:
    blend = shipped().blend
    assert decide(flat_shares(0.5), sharp(0.98), blend).ticket > 0.5
    assert decide(flat_shares(0.5), sharp(0.02), blend).ticket < 0.5
    assert decide(flat_shares(0.5), sharp(0.5), blend).best_intent() is INTENTS[0]


def test_doubt_is_about_unclear_shares_only() -> None:
    assert doubt(sharp(0.99)) < 0.1 < 0.9 < doubt(flat_shares(0.5))
    blend = shipped().blend
    assert unsure(flat_shares(0.5), blend)
    assert not unsure(sharp(0.99), blend)


def test_what_may_be_an_emergency_is_doubted_most() -> None:
    urgent = [0.0] * len(INTENTS)
    urgent[INTENTS.index(Intent.URGENT)], urgent[0] = 0.05, 0.95
    said = sharp(0.99)
    perhaps = Probabilities(0.99, tuple(urgent), said.category, (0.3, 0.7, 0.0, 0.0))
    assert ALARM_UNCLEAR[0] < alarm(perhaps) < ALARM_UNCLEAR[1]
    assert doubt(perhaps) >= doubt(flat_shares(0.5))


def test_a_neutral_blend_is_the_softmax() -> None:
    scores = [0.0] * (1 + len(INTENTS) + len(CATEGORIES) + len(URGENCIES))
    said = to_probabilities(scores, NEUTRAL)
    assert said.intent == pytest.approx((1 / len(INTENTS),) * len(INTENTS))


def test_the_thresholds_are_ordered() -> None:
    blend: Blend = shipped().blend
    assert 0 < blend.ask_above < blend.open_above < 1


def test_an_opinion_reaches_the_reading() -> None:
    text = "那个事情现在这样也行吧"
    yes = read(text, "manager", opinion=sharp(0.99))
    no = read(text, "manager", opinion=sharp(0.01))
    assert yes.confidence > no.confidence
    assert not yes.unsure
