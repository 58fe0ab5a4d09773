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


class Loss(StrEnum):
    """What a client got in place of the page it came for."""

    EMPTY = "empty"
    """A page without its data, and a status that says all is well."""
    ERROR = "error"
    """An error that the program itself answered."""
    SILENCE = "silence"
    """No answer of any program: nobody behind the Service, or a port that nobody has opened."""
