"""What recordings of this lab name: codes, for whoever reads them."""

from enum import StrEnum


class ResizeMark(StrEnum):
    """What is marked while a pod is resized."""

    ASKED = "resize"
    DONE = "resized"


LIMIT = "limit_cores"
"""Sample of the limit that the container has, as the node tells it."""
