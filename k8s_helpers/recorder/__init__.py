"""Watch + marks + samples → a run of a recording."""

from .objects import Clock, EndpointsWatch, EventsWatch, PodWatch, version_of
from .recorder import Reading, Recorder

__all__ = [
    "Clock",
    "EndpointsWatch",
    "EventsWatch",
    "PodWatch",
    "Reading",
    "Recorder",
    "version_of",
]
