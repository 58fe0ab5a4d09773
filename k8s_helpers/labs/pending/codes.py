"""What recordings of the lab `pending` are written in."""

from __future__ import annotations

from enum import StrEnum


class PodState(StrEnum):
    """What became of a pod: its phase, and a word for one that has its node."""

    PENDING = "Pending"
    BOUND = "Bound"
