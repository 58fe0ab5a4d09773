"""A bad version is rolled out under traffic, each in a namespace of its own; then the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, rollouts
from ...measure.lane import APP, Lane, with_replicas
from ...measure.measure import Measure
from ...measure.recording import Recording
from .lab import LAB

BEFORE_S = 2.0
AFTER_S = 2.0
VERSIONS = {
    "never-ready": "jamais-prete.yaml",
    "crash": "plante.yaml",
    "no-probe": "sans-sonde.yaml",
}
"""Bad versions, in the order in which the course shows them, and their manifests."""


@stoppable
def measure(
    versions: Sequence[str] = tuple(VERSIONS),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 30.0,
    bad_s: float = 10.0,
    progress: Progress | None = None,
) -> Recording:
    """Roll out a bad version under traffic, then go back to the previous revision as `kubectl rollout undo` does.

    All versions are rolled out at the same time, each in a namespace of its own.

    Parameters
    ----------
    versions : sequence of str
        Among "never-ready" (its readiness probe never succeeds), "crash" (it ends at its start) and "no-probe" (it
        listens on the wrong port and has no probe that would tell); runs come in this order.
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of the Deployment, 1 to 10.
    rate_per_s : float
        Requests per second, 1 to 200.
    bad_s : float
        How long the bad version is left alone, in seconds; 2 to 120.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown version, or a number out of its bounds.
    WaitTimeoutError
        The way back does not come to its end.
    """
    tried = "Mesurer un retour arrière"
    _checks.names(tried, "mauvaises versions", versions, VERSIONS)
    _checks.bounds(
        tried,
        (replicas, 1, 10, "réplicas"),
        (rate_per_s, 1, 200, "requêtes par seconde"),
        (bad_s, 2, 120, "s"),
    )
    with LAB.open(cluster, progress, versions=("v1", "v2")) as measure:
        acts = {
            name: partial(_measure, measure, name, replicas, rate_per_s, bad_s) for name in versions
        }
        measure.together(acts)
        return measure.recording()


def _measure(measure: Measure, name: str, replicas: int, rate_per_s: float, bad_s: float) -> None:
    """Roll out one bad version, then go back."""
    with measure.lane(name, f"retour arrière, {name}", {"replicas": replicas}) as lane:
        lane.deploy("version-1.yaml", "service.yaml", change=with_replicas(replicas))
        with lane.recorded(APP, rate_per_s):
            lane.pause(BEFORE_S)
            lane.step("kubectl apply de la mauvaise version")
            lane.mark("apply", VERSIONS[name])
            lane.apply(VERSIONS[name], with_replicas(replicas))
            lane.pause(bad_s)
            _go_back(lane)
            lane.wait_answers()
            lane.pause(AFTER_S)


def _go_back(lane: Lane) -> None:
    lane.step("kubectl rollout undo")
    lane.parameters["history_before"] = _history(lane)
    lane.mark("undo")
    rollouts.undo(lane.namespace, APP)
    lane.wait_rollout(APP)
    lane.mark("complete")
    lane.parameters["history_after"] = _history(lane)


def _history(lane: Lane) -> list[dict[str, object]]:
    return [asdict(revision) for revision in rollouts.history(lane.namespace, APP)]
