"""Four ways of going from one version to the next, each measured under traffic in a namespace of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import Lane
from ...measure.recording import Recording
from .lab import LAB
from .strategies import SERVICE, STRATEGIES, answer_timeout_s
from .words import title

BEFORE_S = 3.0
"""Traffic before the update."""
AFTER_S = 3.0
"""Traffic once the update is over and clients are answered again."""
_WAITING_PODS = 24
"""Most pods of strategies that wait for their turn; they do nothing, but a node takes 110 (`maxPods`)."""


@stoppable
def measure(
    strategies: Sequence[str] = tuple(STRATEGIES),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 50.0,
    startup_s: float = 3.0,
    progress: Progress | None = None,
) -> Recording:
    """Update the app "vitrine" from v1 to v2 under traffic, once a strategy, and record what clients and pods did.

    The manifests are those of `notebooks/manifests/09_mises_a_jour`, with these replicas and this start-up time.

    Parameters
    ----------
    strategies : sequence of str
        Among "rolling-naive", "rolling", "recreate", "blue-green"; runs come in this order.
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of each version, 1 to 20.
    rate_per_s : float
        Requests per second, whatever the answers do; 1 to 500.
    startup_s : float
        What the program takes before it listens, in seconds; 0 to 60.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown strategy, or a number out of its bounds.
    WaitTimeoutError
        An update that does not come to its end: says what its pods complain of.
    ClusterUnreachableError
        The cluster stopped, or its API server stays away. Where a component only dies and comes back, the measure
        goes on and its run has the incident.
    """
    tried = "Mesurer des mises à jour"
    _checks.names(tried, "stratégies", strategies, STRATEGIES)
    _checks.bounds(
        tried,
        (replicas, 1, 20, "réplicas"),
        (rate_per_s, 1, 500, "requêtes par seconde"),
        (startup_s, 0, 60, "s de démarrage"),
    )
    parameters = {"replicas": replicas, "rate_per_s": rate_per_s, "startup_s": startup_s}
    with LAB.open(cluster, progress, versions=("v1", "v2")) as measure:
        at_once = 1 if measure.cluster.provider.shared else max(1, _WAITING_PODS // replicas)
        for first in range(0, len(strategies), at_once):
            group = strategies[first : first + at_once]
            with ExitStack() as held:
                lanes = [
                    held.enter_context(
                        measure.lane(name, title(name), {"strategy": name, **parameters})
                    )
                    for name in group
                ]
                measure.report(f"Déploiement de la version 1 : {', '.join(map(title, group))}")
                measure.together(
                    {lane.name: partial(STRATEGIES[lane.name].deploy, lane) for lane in lanes}
                )
                for lane in lanes:
                    measure.share = len(measure.runs) / len(strategies)
                    _update(lane)
                    lane.namespace.delete(timeout_s=0)  # gone by the time the others are measured
        return measure.recording()


def _update(lane: Lane) -> None:
    """Measure one strategy, whose first version is in place."""
    timeout_s = answer_timeout_s(lane)
    rate_per_s = lane.parameters["rate_per_s"]
    with lane.recorded(SERVICE, rate_per_s, answer_timeout_s=timeout_s):
        lane.step("trafic sur la version 1")
        lane.pause(BEFORE_S)
        STRATEGIES[lane.name].change(lane)
        lane.wait_answers(timeout_s)
        lane.pause(AFTER_S)
