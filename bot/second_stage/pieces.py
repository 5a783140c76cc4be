"""Text becomes the numbers of its pieces: the unigram model of the encoder, in plain Python."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_START: Final = 0
_END: Final = 2
_UNKNOWN: Final = 3
# The first four are marks of the encoder's own; a text that spells one out means its characters.
_MARKS: Final = 4
_SPACE: Final = "▁"
_BREAKS: Final = str.maketrans({" ": _SPACE, "\n": _SPACE, "\r": _SPACE})
# An unknown character costs this much more than the rarest piece.
_PENALTY: Final = 10.0
MOST: Final = 120


class Pieces:
    """The vocabulary: every piece with its number and its logarithmic probability."""

    def __init__(self, rows: Iterable[tuple[str, float]]) -> None:
        numbered = list(enumerate(rows))
        self._known = {
            piece: (score, number) for number, (piece, score) in numbered if number >= _MARKS
        }
        self._longest = max(map(len, self._known))
        self._unknown_score = min(score for score, _ in self._known.values()) - _PENALTY

    def ids(self, text: str) -> list[int]:
        """The encoder's input for a text: its likeliest pieces between a start and an end."""
        flat = unicodedata.normalize("NFKC", text).translate(_BREAKS)
        if not flat.startswith(_SPACE):
            flat = _SPACE + flat
        # No more characters than the most pieces can hold are worth cutting up.
        found = self._likeliest(flat[: MOST * self._longest])
        return [_START, *found[:MOST], _END]

    def _likeliest(self, flat: str) -> list[int]:
        """Viterbi over piece scores; a run of unknown characters is one unknown piece."""
        end = len(flat)
        best = [0.0] + [float("-inf")] * end
        came: list[tuple[int, int]] = [(0, _UNKNOWN)] * (end + 1)
        for start in range(end):
            before = best[start]
            for stop in range(start + 1, min(start + self._longest, end) + 1):
                score, number = self._known.get(flat[start:stop], (None, 0))
                if score is not None and before + score > best[stop]:
                    best[stop], came[stop] = before + score, (start, number)
            alone = start + 1
            if flat[start] not in self._known and before + self._unknown_score > best[alone]:
                best[alone], came[alone] = before + self._unknown_score, (start, _UNKNOWN)
        found: list[int] = []
        at = end
        while at > 0:
            at, number = came[at]
            if number != _UNKNOWN or not found or found[-1] != _UNKNOWN:
                found.append(number)
        found.reverse()
        return found


def read_pieces(folder: Path) -> Pieces:
    return Pieces(json.loads((folder / "pieces.json").read_text(encoding="utf-8")))


def read_roles(folder: Path) -> Mapping[str, str]:
    """Role -> the word the encoder knows it by; "" for every other role."""
    found: dict[str, str] = json.loads((folder / "roles.json").read_text(encoding="utf-8"))
    return found
