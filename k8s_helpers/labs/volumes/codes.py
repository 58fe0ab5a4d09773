"""What the recordings of the lab `volumes` call things, and the facts of their marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class VolumeTrial(StrEnum):
    """What is tried: the name of the run."""

    SURVIVAL = "survival"
    READ_ONLY = "read-only"


class WritePlace(StrEnum):
    """Where a program may write."""

    ROOT = "root"
    EMPTY_DIR = "emptyDir"
    HOST_PATH = "hostPath"
    CLAIM = "claim"


class Disruption(StrEnum):
    """What happens to what was written: a container's restart, a pod's deletion, that of pod and claim."""

    CONTAINER = "container"
    POD = "pod"
    CLAIM = "claim"


WRITTEN = "written"
"""The moment of the observation before any disruption."""


@dataclass(frozen=True)
class Write:
    """Whether a place could be written, and what the shell said."""

    place: WritePlace
    written: bool
    message: str


@dataclass(frozen=True)
class SurvivalCheck:
    """Which places have what was written there, at a moment; which pod it is, and how often its container restarted."""

    moment: str
    kept: Mapping[WritePlace, bool]
    uid: str
    restarts: int
