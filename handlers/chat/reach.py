"""Why a chat platform does not bring messages to a person."""

from enum import StrEnum


class Lost(StrEnum):
    """What keeps messages from somebody, as far as the platform tells."""

    NEVER_OPENED = "never_opened"
    OUT_OF_RANGE = "out_of_range"
    LEFT = "left"
    SILENT = "silent"
