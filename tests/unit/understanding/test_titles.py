"""A title can be read alone: short, whole words, no courtesies."""

import json
from pathlib import Path

import pytest

from handlers.understanding.titles import END, FILL, MARK, MOST, POLITE, title_of, tokens
from tests.evaluate.titles import ends_inside

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def texts() -> list[str]:
    found = []
    for path in sorted(CORPUS.glob("messages*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            rows = map(json.loads, lines)
            found.extend(row["text"] for row in rows if row["is_ticket"])
    return found


def test_no_title_of_any_labelled_ticket_is_empty_too_long_a_greeting_or_cut_in_a_word() -> None:
    faults = []
    for text in texts():
        title = title_of(text)
        only_courtesy = all(t.kind in (POLITE, FILL, END, MARK) for t in tokens(title))
        if not 0 < len(title) <= MOST or only_courtesy or ends_inside(title, text):
            faults.append((title, text[:60]))
    assert faults == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("领导您好，我们车间缺操作工20人", "车间缺操作工20人"),
        ("两个小股东拿走了账册不还,年审做不成", "两个小股东拿走了账册不还，年审做不成"),
        ("可惜门前这段河没人疏浚", "门前这段河没人疏浚"),
        ("[图片]", "图片反映的情况"),
        ("各位领导早上好，辛苦了", "情况待了解"),
    ],
)
def test_a_title_keeps_the_matter_and_leaves_the_courtesy(text: str, title: str) -> None:
    assert title_of(text) == title


def test_that_something_will_be_told_is_no_title() -> None:
    assert title_of("各位领导,我把背景讲清楚,免得大家来回问。厂门口井盖没了") == "厂门口井盖没了"
    assert title_of("长话短说，厂门口井盖没了") == "厂门口井盖没了"
