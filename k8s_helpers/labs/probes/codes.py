"""What recordings of this lab and their stories name: codes, for whoever reads them."""

from enum import StrEnum


class Moment(StrEnum):
    """An instant of a variant: a mark of its run, or a step of its story."""

    APPLY = "apply"
    CONTAINER = "container"
    """Its container started."""
    LISTENING = "listening"
    """Its program opened its port."""
    ANSWERING = "answering"
    """Its program's own start was over."""
    READY = "ready"
    KILL = "kill"
