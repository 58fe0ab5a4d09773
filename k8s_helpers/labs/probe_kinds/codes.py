"""What recordings of this lab and their stories name: codes, for whoever reads them."""

from enum import StrEnum


class KindMark(StrEnum):
    """What is done to a pod; the detail is its kind of probe."""

    FAIL = "fail"
    """Its program says that it is in trouble."""
    BREAK = "break"
    """What its probe asks begins to fail."""
    BROKEN = "broken"


class Consequence(StrEnum):
    """What the kubelet's acts come to."""

    LEFT = "left"
    """The pod left its Service."""
    KILLED = "killed"
    BACK = "back"
    """It is in its Service again."""
