"""The second reader: a compact encoder asked about what the first one is unsure of.

Without its library, or switched off, nobody is asked and the first reader stands.
"""

from bot.platform import Section
from bot.second_stage.asking import Encoder
from bot.second_stage.session import is_installed

__all__ = ["Encoder", "build", "is_installed"]


def build(section: Section, patient: bool = False) -> Encoder | None:
    """The second reader, not loaded yet; None where it is switched off or not installed.

    `patient`: its answer is waited for, and never depends on how busy the machine is.
    """
    if section.get("LHG_ENCODER") == "0" or not is_installed():
        return None
    return Encoder(limit=None, loading=None) if patient else Encoder()
