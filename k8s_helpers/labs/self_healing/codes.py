"""What the recordings of the lab `self_healing` call things."""

from enum import StrEnum


class Disturbance(StrEnum):
    """A gap between what is wished and what is: the name of its run."""

    CONTAINER = "container"
    POD = "pod"
    REPLICAS = "replicas"
    IMAGE = "image"


class Gap(StrEnum):
    """The mark of what opens a gap."""

    KILL = "kill"
    DELETE = "delete"
    SCALE = "scale"
    IMAGE = "image"


RECOVERED = "recovered"
"""The mark of the end of the last gap."""
