"""The encoder itself: pieces in, shares out. Slow to load and to run: never in the event loop."""

from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

from bot.second_stage.pieces import read_pieces, read_roles
from handlers.understanding import SecondOpinion
from handlers.understanding.reading import CATEGORIES, INTENTS, URGENCIES

_HEADS: Final = ("ticket", "intent", "category", "urgency")
_WIDTHS: Final = (2, len(INTENTS), len(CATEGORIES), len(URGENCIES))
_JOIN: Final = "："


class Reads(Protocol):
    """A loaded encoder."""

    def opinion(self, text: str, role: str | None) -> SecondOpinion: ...


class NotUsable(Exception):
    """The library or the files of the encoder are missing or other than they must be."""


class Session:
    """One message at a time on one thread; raises NotUsable when it cannot be made."""

    def __init__(self, folder: Path) -> None:
        try:
            import numpy
            import onnxruntime
        except ImportError as error:
            raise NotUsable("no_library") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # What fails is told by what it raises, not on stderr.
        options.log_severity_level = 4
        try:
            self._pieces = read_pieces(folder)
            self._roles = read_roles(folder)
            self._session = onnxruntime.InferenceSession(
                str(folder / "encoder.int8.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # The library raises classes of its own for each kind of broken file.
            raise NotUsable("no_model") from error
        widths = {o.name: o.shape[-1] for o in self._session.get_outputs()}
        if tuple(widths.get(head) for head in _HEADS) != _WIDTHS:
            raise NotUsable("other_model")
        self._numpy = numpy

    def opinion(self, text: str, role: str | None) -> SecondOpinion:
        # Whoever is not known speaks as a firm does; a role the encoder never met is another.
        word = self._roles.get(role or "manager", self._roles[""])
        ids = self._pieces.ids(word + _JOIN + text)
        batch = self._numpy.array([ids], dtype=self._numpy.int64)
        ticket, intent, category, urgency = self._session.run(_HEADS, {"ids": batch})
        return SecondOpinion(
            float(ticket[0][1]),
            tuple(intent[0].tolist()),
            tuple(category[0].tolist()),
            tuple(urgency[0].tolist()),
        )


def model_folder() -> Path:
    return Path(str(resources.files("bot.second_stage"))) / "encoder"


def is_installed() -> bool:
    """Whether the library of the extra `encoder` is there; it is not imported for that."""
    return find_spec("onnxruntime") is not None and find_spec("numpy") is not None


def shipped() -> Session:
    """The encoder that lies beside this module; raises NotUsable."""
    return Session(model_folder())
