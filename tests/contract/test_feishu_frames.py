"""The long connection's frames by themselves: what goes round, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.feishu.frames import MOST_FRAME, BadFrame, Frame, Pieces, read, written
from tests.kit.fake_feishu_line import decoded, encoded, number, sized

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
INT32 = st.integers(-(2**31), 2**31 - 1)
UINT64 = st.integers(0, 2**64 - 1)
FRAMES = st.builds(
    Frame,
    INT32,
    INT32,
    st.lists(st.tuples(TEXTS, TEXTS), max_size=6).map(tuple),
    st.binary(max_size=300),
    UINT64,
    UINT64,
    TEXTS,
    TEXTS,
    TEXTS,
)
BARE = number(8) + number(1) + number(16) + number(2) + number(24) + number(3) + number(32)
ONE = BARE + number(1)


@given(FRAMES)
def test_what_is_written_reads_the_same_and_a_second_writer_agrees(frame: Frame) -> None:
    assert read(written(frame)) == frame
    seen = decoded(written(frame))
    assert seen["headers"] == list(frame.headers)
    assert seen["payload"] == frame.payload
    assert (seen["SeqID"], seen["LogID"]) == (frame.seq_id, frame.log_id)
    assert read(encoded(seen)) == frame


@given(FRAMES, st.binary(min_size=1, max_size=12))
def test_fields_of_a_later_version_are_passed_over(frame: Frame, more: bytes) -> None:
    later = sized(10, more) + number(11 * 8) + number(7) + number(12 * 8 + 1) + bytes(8)
    assert read(later + written(frame) + number(13 * 8 + 5) + bytes(4)) == frame


@given(FRAMES.filter(lambda f: bool(f.payload) and not f.log_id_new), st.data())
def test_a_frame_that_was_cut_off_is_none(frame: Frame, data: st.DataObject) -> None:
    raw = written(frame)
    cut = data.draw(st.integers(1, len(frame.payload)))
    with pytest.raises(BadFrame):
        read(raw[:-cut])


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_its_refusal(raw: bytes) -> None:
    try:
        frame = read(raw)
    except BadFrame:
        return
    assert read(written(frame)) == frame


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "missing"),
        (BARE[:-1], "missing"),
        (ONE + sized(5, sized(1, b"type")), "missing"),
        (ONE + sized(5, sized(1, b"type") + number(16) + number(1)), "type"),
        (ONE + sized(5, sized(1, b"\xff") + sized(2, b"ping")), "text"),
        (ONE + sized(5, sized(1, b"k") + sized(2, b"v")) * 65, "headers"),
        (ONE + number(8 * 8) + number(1), "type"),
        (ONE + number(4 * 8 + 1) + bytes(8), "type"),
        (sized(4, b"1") + ONE, "type"),
        (ONE + number(8 * 8 + 3), "wire"),
        (ONE + number(0) + number(1), "number"),
        (ONE + number(32) + b"\x80" * 10 + b"\x01", "number"),
        (ONE + number(32) + b"\xff" * 9 + b"\x02", "number"),
        (ONE + number(32) + b"\x80", "cut"),
        (ONE + number(8 * 8 + 2) + number(2**63), "cut"),
        (ONE + sized(8, bytes(MOST_FRAME)), "size"),
    ],
)
def test_what_is_no_frame_is_refused_by_name(raw: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        read(raw)


def test_the_last_of_a_field_holds() -> None:
    assert read(ONE + number(32) + number(0)).method == 0


@given(st.binary(min_size=1, max_size=200), st.integers(2, 9), st.randoms())
def test_pieces_in_any_order_and_repeated_make_the_payload(
    payload: bytes, count: int, chance: object
) -> None:
    size = -(-len(payload) // count)
    parts = [(n, payload[n * size : (n + 1) * size]) for n in range(count)]
    order = [*parts, *parts[: count // 2]]
    chance.shuffle(order)  # type: ignore[attr-defined]  # the strategy's own type
    pieces, seen, whole = Pieces(), set(), b""
    for n, part in order:
        seen.add(n)
        whole = pieces.put("m1", count, n, part, 0.0)
        assert bool(whole) == (len(seen) == count)
        if whole:
            break
    assert whole == payload


@pytest.mark.parametrize(
    ("message_id", "count", "seq"), [("", 2, 0), ("m", 0, 0), ("m", 65, 0), ("m", 2, 2), ("m", 2, -1)]
)  # fmt: skip
def test_pieces_that_cannot_be_are_refused(message_id: str, count: int, seq: int) -> None:
    with pytest.raises(BadFrame):
        Pieces().put(message_id, count, seq, b"x", 0.0)


def test_pieces_are_bounded_in_size_age_and_number() -> None:
    pieces = Pieces()
    half = bytes(Pieces.MOST_BYTES // 2 + 1)
    assert pieces.put("large", 3, 0, half, 0.0) == b""
    with pytest.raises(BadFrame, match="size"):
        pieces.put("large", 3, 1, half, 0.0)

    assert pieces.put("old", 2, 0, b"a", 0.0) == b""
    assert pieces.put("old", 2, 1, b"b", Pieces.SECONDS) == b""
    # The first was given up; with the second and a new first it is whole.
    assert pieces.put("old", 2, 0, b"a", Pieces.SECONDS) == b"ab"

    assert pieces.put("other", 2, 0, b"a", 0.0) == b""
    with pytest.raises(BadFrame):
        pieces.put("other", 3, 1, b"b", 0.0)

    for n in range(Pieces.MOST_WAITING + 1):
        assert pieces.put(f"m{n}", 2, 0, b"a", 0.0) == b""
    assert pieces.put("m0", 2, 1, b"b", 0.0) == b""
    assert pieces.put(f"m{Pieces.MOST_WAITING}", 2, 1, b"b", 0.0) == b"ab"
