"""The long connection's frames: protobuf with nine known fields, and payloads in several frames."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

CONTROL, DATA = 0, 1
MOST_FRAME: Final = 1024 * 1024
_MOST_HEADERS: Final = 64
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED: Final = {_FIXED64: 8, _FIXED32: 4}
_SEQ, _LOG, _SERVICE, _METHOD, _HEADER, _ENCODING, _TYPE, _PAYLOAD, _LOG_NEW = range(1, 10)
_NUMBERS: Final = frozenset({_SEQ, _LOG, _SERVICE, _METHOD})
_KEY, _VALUE = 1, 2
_U32, _U64 = 1 << 32, 1 << 64


class BadFrame(Exception):
    """Bytes that are no frame, or more of them than is taken."""


@dataclass(frozen=True, slots=True)
class Frame:
    method: int
    service: int
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""
    seq_id: int = 0
    log_id: int = 0
    payload_encoding: str = ""
    payload_type: str = ""
    log_id_new: str = ""

    def header(self, name: str) -> str:
        """The first of that name; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def answered(self, payload: bytes, *more: tuple[str, str]) -> "Frame":
        """The frame that goes back for it: the same, with what is said in its place."""
        return replace(self, payload=payload, headers=(*self.headers, *more))


def read(raw: bytes) -> Frame:
    """Fields that nobody knows are passed over; raises BadFrame."""
    if len(raw) > MOST_FRAME:
        raise BadFrame("size")
    numbers: dict[int, int] = {}
    texts: dict[int, str] = {}
    headers: list[tuple[str, str]] = []
    payload = b""
    for number, value in _fields(raw):
        if number in _NUMBERS:
            if not isinstance(value, int):
                raise BadFrame("type")
            numbers[number] = value
        elif number == _HEADER:
            headers.append(_header(_bytes(value)))
            if len(headers) > _MOST_HEADERS:
                raise BadFrame("headers")
        elif number == _PAYLOAD:
            payload = _bytes(value)
        elif number in (_ENCODING, _TYPE, _LOG_NEW):
            texts[number] = _text(value)
    if numbers.keys() != _NUMBERS:
        raise BadFrame("missing")
    return Frame(
        _signed(numbers[_METHOD]),
        _signed(numbers[_SERVICE]),
        tuple(headers),
        payload,
        numbers[_SEQ],
        numbers[_LOG],
        texts.get(_ENCODING, ""),
        texts.get(_TYPE, ""),
        texts.get(_LOG_NEW, ""),
    )


def written(frame: Frame) -> bytes:
    made = bytearray()
    for number, value in (
        (_SEQ, frame.seq_id),
        (_LOG, frame.log_id),
        (_SERVICE, frame.service),
        (_METHOD, frame.method),
    ):
        made += _number(number << 3 | _VARINT) + _number(value % _U64)
    for key, said in frame.headers:
        made += _sized(_HEADER, _sized(_KEY, key.encode()) + _sized(_VALUE, said.encode()))
    for number, text in ((_ENCODING, frame.payload_encoding), (_TYPE, frame.payload_type)):
        if text:
            made += _sized(number, text.encode())
    if frame.payload:
        made += _sized(_PAYLOAD, frame.payload)
    if frame.log_id_new:
        made += _sized(_LOG_NEW, frame.log_id_new.encode())
    return bytes(made)


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes | None]]:
    """Each field's number with its value; None for one of a fixed size, which no field of ours has."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise BadFrame("number")
        if wire == _VARINT:
            value, at = _varint(raw, at)
            yield number, value
            continue
        if wire == _LENGTH:
            size, at = _varint(raw, at)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise BadFrame("wire")
        if size > len(raw) - at:
            raise BadFrame("cut")
        yield number, raw[at : at + size] if wire == _LENGTH else None
        at += size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            raise BadFrame("cut")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= _U64:
                break
            return value, at
    raise BadFrame("number")


def _signed(value: int) -> int:
    """Thirty-two bits with a sign, which are written as sixty-four."""
    low = value % _U32
    return low - _U32 if low >= _U32 // 2 else low


def _header(raw: bytes) -> tuple[str, str]:
    found: dict[int, str] = {}
    for number, value in _fields(raw):
        if number in (_KEY, _VALUE):
            found[number] = _text(value)
    if len(found) != 2:
        raise BadFrame("missing")
    return found[_KEY], found[_VALUE]


def _bytes(value: int | bytes | None) -> bytes:
    if not isinstance(value, bytes):
        raise BadFrame("type")
    return value


def _text(value: int | bytes | None) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise BadFrame("text") from None


def _number(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _sized(number: int, inside: bytes) -> bytes:
    return _number(number << 3 | _LENGTH) + _number(len(inside)) + inside


class Pieces:
    """Payloads that come in several frames, kept until they are whole, too large or too old."""

    MOST_PIECES: Final = 64
    MOST_BYTES: Final = MOST_FRAME
    MOST_WAITING: Final = 16
    SECONDS: Final = 30.0

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[float, list[bytes | None]]] = {}

    def put(self, message_id: str, count: int, number: int, piece: bytes, now: float) -> bytes:
        """The whole payload with its last piece, empty before; raises BadFrame.

        What is given up is not answered, so that it comes again.
        """
        for old in [i for i, (until, _) in self._waiting.items() if until <= now]:
            del self._waiting[old]
        if not message_id or not 0 < count <= self.MOST_PIECES or not 0 <= number < count:
            raise BadFrame("pieces")
        until, kept = self._waiting.pop(message_id, (now + self.SECONDS, [None] * count))
        if len(kept) != count:
            raise BadFrame("pieces")
        kept[number] = piece
        if sum(len(one) for one in kept if one is not None) > self.MOST_BYTES:
            raise BadFrame("size")
        if None not in kept:
            return b"".join(one for one in kept if one is not None)
        if len(self._waiting) >= self.MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[message_id] = until, kept
        return b""
