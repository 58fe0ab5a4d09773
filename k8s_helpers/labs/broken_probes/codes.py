"""What recordings of this lab name: codes, for whoever reads them."""

from enum import StrEnum


class BreakMark(StrEnum):
    """What is done to a pod; the detail is its name."""

    BREAK = "break"
    REPAIR = "repair"


APP = "vitrine"
"""Name of the Deployment and of its Service."""
