"""A firm's words are kept with the punctuation that it typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chat.grammar import as_typed, as_written, fold


@pytest.mark.parametrize(
    ("part", "text", "kept"),
    [
        ("车间缺操作工20人,临时招不到", "@小港 车间缺操作工２０人，临时招不到", "车间缺操作工20人，临时招不到"),
        ("路灯坏了5盏", "停水了；路灯坏了5盏", "路灯坏了5盏"),
        ("急!急", "等等…急！急", "急!急"),
        ("别处的话", "没有这一句", "别处的话"),
    ],
)  # fmt: skip
def test_the_part_is_found_in_what_was_typed(part: str, text: str, kept: str) -> None:
    assert as_typed(part, text) == kept


@given(st.text(alphabet="缺人，。！ab１（）…", max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_it_says_the_same_in_other_marks(text: str, start: int, end: int) -> None:
    part = fold(as_written(text))[start:end]
    assert fold(as_typed(part, text)) == fold(part)
