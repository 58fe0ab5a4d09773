"""Recordings of one instant: what a cluster or a namespace is made of now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..cluster import Cluster
from ..recording import Recording, Run


def snapshot(experiment: str, cluster: Cluster, parameters: Mapping[str, Any]) -> Recording:
    """Return a recording of one run without duration, that holds what was found."""
    run = Run(experiment, datetime.now(UTC).isoformat(), 0.0, dict(parameters))
    return Recording(experiment, cluster.provider.kind, cluster.kubernetes_version, (run,))
