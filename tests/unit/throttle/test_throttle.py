"""Rate rules as arithmetic."""

import pytest

from bot.platform import Limit
from bot.throttle import Throttle


@pytest.mark.parametrize(("count", "per"), [(1, 5.0), (3, 2.0), (20, 60.0)])
def test_a_window_never_holds_more_than_its_count(count: int, per: float) -> None:
    throttle, limit = Throttle(), (Limit("k", count, per),)
    now, sent = 0.0, []
    for _ in range(count * 4):
        now = max(now, throttle.ready_at(limit, now))
        throttle.begin(limit)
        throttle.end(limit, now)
        sent.append(now)
    for index in range(len(sent) - count):
        assert sent[index + count] - sent[index] >= per - 1e-9


def test_a_window_starts_when_the_answer_arrives() -> None:
    throttle, limit = Throttle(), (Limit("k", 1, 10.0),)
    throttle.begin(limit)
    assert throttle.ready_at(limit, 3.0) > 3.0
    throttle.end(limit, 4.0)
    assert throttle.ready_at(limit, 5.0) == 14.0
    assert throttle.ready_at(limit, 14.0) == 14.0


def test_what_is_under_way_takes_a_place_in_the_window() -> None:
    throttle, limit = Throttle(), (Limit("k", 2, 10.0),)
    throttle.begin(limit)
    throttle.end(limit, 1.0)
    throttle.begin(limit)
    assert throttle.ready_at(limit, 2.0) == 11.0


def test_the_strictest_of_several_rules_decides() -> None:
    throttle = Throttle()
    limits = (Limit("minute", 2, 60.0), Limit("hour", 2, 3600.0))
    for _ in range(2):
        throttle.begin(limits)
        throttle.end(limits, 1.0)
    assert throttle.ready_at(limits, 2.0) == 3601.0


def test_a_cool_down_holds_everybody_under_its_key() -> None:
    throttle, limit = Throttle(), (Limit("k", 100, 1.0),)
    throttle.cool(limit, 50.0)
    throttle.cool(limit, 20.0)
    assert throttle.ready_at(limit, 1.0) == 50.0
    assert throttle.ready_at((Limit("other", 1, 1.0),), 1.0) == 1.0


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 9])
def test_a_message_of_several_parts_takes_the_room_of_all(parts: int) -> None:
    throttle, limit = Throttle(), (Limit("k", 5, 10.0),)
    now, sent = 0.0, []
    for size in (2, parts, 1, parts, 3, parts):
        now = max(now, throttle.ready_at(limit, now, size))
        throttle.begin(limit, size)
        throttle.end(limit, now, size)
        sent.append((now, size))
    for at, _ in sent:
        inside = [size for when, size in sent if at <= when < at + 10.0]
        # What is larger than the window has one of its own.
        assert sum(inside) <= 5 or len(inside) == 1
