"""Logs: one line an event, with its context, and nothing that somebody wrote."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from tests.kit.logged import logged

CANARY = "独一无二的句子"


@pytest.fixture
def lines() -> Iterator[Any]:
    with logged(logging.INFO) as stream:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_event_in_hand_is_in_every_line(lines: Any) -> None:
    with bound_contextvars(inbox=7, platform="generic"):
        logging.getLogger("x").warning("ticket.late", extra={"ticket": 1001})
    logging.getLogger("x").warning("outside")
    inside, outside = lines()
    assert (inside["event"], inside["level"], inside["ticket"]) == ("ticket.late", "warning", 1001)
    assert (inside["inbox"], inside["platform"]) == (7, "generic")
    assert "inbox" not in outside


def test_a_traceback_tells_types_and_places_but_no_words(lines: Any) -> None:
    def deep(text: str) -> None:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError(f"cannot read {text}") from error

    try:
        deep(CANARY)
    except RuntimeError as error:
        logging.getLogger("x").error("event.failed", exc_info=error)
        logging.getLogger("x").exception("event.failed")
    for line in lines():
        assert CANARY not in json.dumps(line, ensure_ascii=False)
        assert "RuntimeError at" in line["exception"]
        assert "caused by ValueError" in line["exception"]
        assert "test_logs.py" in line["exception"]
        assert " deep" in line["exception"]


@pytest.mark.parametrize("key", ["text", "token", "X-LHG-Signature", "aes_key", "phone"])
def test_what_is_called_a_secret_is_masked(lines: Any, key: str) -> None:
    logging.getLogger("x").warning("said", extra={key: CANARY})
    assert lines()[0][key] == "***"


def test_phones_and_credentials_inside_other_values_are_masked(lines: Any) -> None:
    said = "call 138 0000 1234, http://a/?access_token=canary&x=1"
    logging.getLogger("x").warning("said", extra={"why": said})
    (line,) = lines()
    assert "1234" not in line["why"]
    assert "canary" not in line["why"]
    assert "x=1" in line["why"]
