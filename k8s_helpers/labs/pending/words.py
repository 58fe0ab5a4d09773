"""What became of each pod, in French words."""

from __future__ import annotations

from collections.abc import Mapping

from .codes import PodState

STATES: Mapping[str, str] = {PodState.BOUND: "placé", PodState.PENDING: "Pending"}
