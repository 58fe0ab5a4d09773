"""A canary release by the number of pods: two Deployments behind one Service, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..._errors import UsageError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, with_replicas
from ...measure.measure import Measure
from ...measure.recording import Recording
from .lab import LAB


@stoppable
def measure(
    steps: Sequence[tuple[int, int]] = ((9, 1), (5, 5)),
    *,
    cluster: Cluster | None = None,
    requests: int = 1000,
    rate_per_s: float = 100.0,
    progress: Progress | None = None,
) -> Recording:
    """Give a new version a share of the pods behind one Service, and record which share of the requests it gets.

    Parameters
    ----------
    steps : sequence of (int, int)
        Pods of the stable version and of the canary, one run each; 1 to 12 in all.
    cluster
        Otherwise the one that `connect` returned.
    requests : int
        How many are sent in each step, each on a connection of its own; 100 to 20000.
    rate_per_s : float
        Requests per second, 1 to 500.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        The pods do not get ready.
    """
    _check(steps, requests, rate_per_s)
    with LAB.open(cluster, progress, versions=("v1", "v2")) as measure:
        length_s = requests / rate_per_s
        measure.together(
            {
                _name(*step): partial(_measure, measure, *step, length_s, rate_per_s)
                for step in steps
            }
        )
        return measure.recording()


def _measure(
    measure: Measure, stable: int, canary_pods: int, duration_s: float, rate_per_s: float
) -> None:
    name = _name(stable, canary_pods)
    title = f"Canari {canary_pods} pour {stable + canary_pods}"
    with measure.lane(name, title, {"stable": stable, "canary": canary_pods}) as lane:
        lane.apply("service.yaml")
        lane.apply("stable.yaml", with_replicas(stable))
        lane.apply("canari.yaml", with_replicas(canary_pods))
        lane.wait_pods(stable + canary_pods, f"app={APP}")
        with lane.recorded(APP, rate_per_s):
            lane.step("requêtes")
            lane.pause(duration_s)


def _name(stable: int, canary_pods: int) -> str:
    return f"{stable}-{canary_pods}"


def _check(steps: Sequence[tuple[int, int]], requests: int, rate_per_s: float) -> None:
    good = all(
        len(step) == 2 and min(step) >= 0 and 1 <= sum(step) <= 12 for step in steps
    ) and len(set(steps)) == len(steps)
    if not (steps and good and 100 <= requests <= 20_000 and 1 <= rate_per_s <= 500):
        raise UsageError(
            "Mesurer une livraison canari",
            f"étapes {steps!r}, {requests} requêtes, {rate_per_s} requêtes par seconde",
            "Donnez des étapes (stables, canaris) différentes de 1 à 12 pods, 100 à 20 000 requêtes et 1 à 500 par "
            "seconde.",
        )
