"""Whom a person asks again: those who said nothing or little first, then by lot and not by choice."""

import pytest

from handlers.domain.callback import may_ask, must_ask, sample
from handlers.domain.ids import PersonId, TicketNumber
from handlers.domain.policy import DEFAULT
from handlers.domain.ticket import Kind, State, Ticket, Verdict
from handlers.understanding.means import means_of, without_means
from handlers.understanding.tone import tone_of
from tests.kit.builders import LIAISON, OFFICE, a_ticket


def _closed(number: int, **more: object) -> Ticket:
    values = {"state": State.CLOSED, "verdict": Verdict.YES, "rating": 5, **more}
    return a_ticket(number, **values)


@pytest.mark.parametrize(
    ("more", "must"),
    [
        ({}, False),
        ({"verdict": Verdict.NONE, "rating": None}, True),
        ({"rating": 3}, True),
        ({"supervised": "DB-2026-001"}, True),
        ({"cycle": 2}, True),
    ],
)
def test_silence_and_half_praise_must_be_asked(more: dict[str, object], must: bool) -> None:
    assert must_ask(_closed(1024, **more)) is must


def test_the_sample_is_a_share_of_all_the_same_whenever_drawn() -> None:
    good = [_closed(n) for n in range(1001, 1101)]
    chosen = sample(good, (), DEFAULT)
    assert len(chosen) == 20
    assert chosen == sample(reversed(good), (), DEFAULT)
    silent = [_closed(n, verdict=Verdict.NONE) for n in range(1201, 1211)]
    both = sample([*good, *silent], (), DEFAULT)
    assert set(silent) <= set(both)
    assert len(both) == 22
    asked = [TicketNumber(1201), chosen[0].number]
    assert {t.number for t in sample([*good, *silent], asked, DEFAULT)} == {
        t.number for t in both
    } - set(asked)


def test_what_still_runs_and_what_was_only_a_question_is_not_asked() -> None:
    open_one = a_ticket(1001)
    question = _closed(1002, kind=Kind.CONSULT, verdict=Verdict.NONE)
    assert sample([open_one, question], (), DEFAULT) == ()


def test_who_handled_it_does_not_ask() -> None:
    ticket = _closed(1024, handlers=(PersonId("P055"),))
    assert not may_ask(ticket, LIAISON.id)
    assert not may_ask(ticket, OFFICE.id)
    assert may_ask(ticket, PersonId("P057"))


@pytest.mark.parametrize(
    ("text", "means", "rest"),
    [
        ("电话 已解决", "phone", " 已解决"),
        ("上门 没解决", "visit", " 没解决"),
        ("微信 已解决", "online", " 已解决"),
        ("已解决", "phone", "已解决"),
        ("现场看过，后来又打电话", "visit", "看过，后来又打电话"),
    ],
)
def test_the_means_is_what_was_named_first(text: str, means: str, rest: str) -> None:
    assert means_of(text) == means
    assert without_means(text) == rest


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("又过去一周了，还没人来", "又过去一周"),
        ("你们这是踢皮球", "踢皮球"),
        ("上个月也是这么讲的", "上个月也是这么讲"),
        ("路灯还是不亮", ""),
        ("谢谢，又来了两个人", ""),
    ],
)
def test_the_words_of_one_who_is_put_off_are_heard(text: str, tone: str) -> None:
    assert tone_of(text) == tone
