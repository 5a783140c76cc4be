"""Each rule has the sentence that made it necessary, and without the rule it goes wrong."""

import pytest

from handlers.understanding.features import grams, plain, said
from handlers.understanding.rules import RULES, Effect, Judge, Rule, Ruling

EFFECTS = (Effect.NOTHING, Effect.NOTICE, Effect.WITHDRAW, Effect.URGE)


def ruled(rules: tuple[Rule, ...], rule: Rule) -> Ruling:
    flat = plain(said(rule.sentence))
    return Judge(rules)(flat, grams(flat), rule.staff is True)


def outcome(ruling: Ruling) -> tuple[bool, ...]:
    return (ruling.alarm, *(ruling.says(effect) for effect in EFFECTS))


def expected(rule: Rule) -> tuple[bool, ...]:
    return (rule.effect is Effect.ALARM, *(rule.effect is effect for effect in EFFECTS))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.name}: {r.sentence}")
def test_the_sentence_that_made_the_rule_necessary(rule: Rule) -> None:
    ruling = ruled(RULES, rule)
    assert rule.name in ruling.fired
    assert outcome(ruling) == expected(rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_without_the_rule_its_sentence_goes_wrong(rule: Rule) -> None:
    others = tuple(r for r in RULES if r is not rule)
    assert outcome(ruled(others, rule)) != expected(rule)


def test_names_are_not_used_twice() -> None:
    assert len({r.name for r in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_every_word_of_a_rule_is_in_the_folded_form_that_it_is_compared_with(rule: Rule) -> None:
    # A pattern may ask for more than its words; a word that cannot occur would be dead.
    assert all(plain(word) == word for word in rule.words)
