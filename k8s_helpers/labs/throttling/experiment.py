"""The same work under several processor limits: nobody dies of it, everybody waits (slide 4.02)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded_kubernetes.quantities import parse

from ... import _checks
from ..._errors import UsageError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, Lane
from ...measure.recording import Recording
from ...measure.traffic import Traffic
from .codes import NO_LIMIT
from .lab import LAB
from .words import name

LIMITS = (NO_LIMIT, "500m", "100m")
_TIMEOUT_S = 15.0
_EARNED_S = 2.0
"""What starting and the rollout's probes have used is earned again."""


@stoppable
def measure(
    limits: Sequence[str] = LIMITS,
    *,
    cluster: Cluster | None = None,
    cpu_ms: float = 60.0,
    rate_per_s: float = 1.0,
    duration_s: float = 15.0,
    progress: Progress | None = None,
) -> Recording:
    """Ask the same work of pods with different processor limits, one after the other, and record each answer's time.

    Parameters
    ----------
    limits : sequence of str
        "no-limit", or a quantity of processors ("500m").
    cpu_ms : float
        Processor time of each request in milliseconds; 1 to 1,000.
    rate_per_s : float
        Requests per second; 0.2 to 10. Their work must fit into each limit.
    duration_s : float
        Traffic on each pod, in seconds; 2 to 120.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        Limits that are none, or too low for this work; numbers out of their bounds.
    """
    cores = _cores(limits, cpu_ms, rate_per_s, duration_s)
    parameters = {"cpu_ms": cpu_ms, "rate_per_s": rate_per_s, "duration_s": duration_s}
    with LAB.open(cluster, progress, live=False) as measure:
        for index, limit in enumerate(limits):
            measure.share = index / len(limits)
            own = {**parameters, "limit": limit, "limit_cores": cores[limit]}
            with measure.lane(limit, f"Processeur, {name(limit)}", own) as lane:
                _ask(lane)
        return measure.recording()


def _ask(lane: Lane) -> None:
    """Let a pod with a lane's limit work for a while."""
    limit, duration_s = lane.parameters["limit"], lane.parameters["duration_s"]

    def limited(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment":
            (container,) = plain["spec"]["template"]["spec"]["containers"]
            container["resources"] = {} if limit == NO_LIMIT else {"limits": {"cpu": limit}}

    lane.deploy("cpu-limite.yaml", change=limited)
    address = lane.namespace.service_url(APP)
    traffic = Traffic(
        address.at(f"cpu?ms={lane.parameters['cpu_ms']:g}"),
        rate_per_s=lane.parameters["rate_per_s"],
        timeout_s=_TIMEOUT_S,
        max_duration_s=duration_s,
    )
    lane.pause(_EARNED_S)
    lane.step("trafic")
    with lane.recording(traffic):
        lane.pause(duration_s)
        lane.in_background(traffic.stop)


def _cores(
    limits: Sequence[str], cpu_ms: float, rate_per_s: float, duration_s: float
) -> dict[str, float | None]:
    """Return processors by limit; raises a `UsageError` for what makes no sense."""
    tried = "Mesurer le bridage du processeur"
    _checks.bounds(
        tried,
        (cpu_ms, 1, 1000, "ms de processeur"),
        (rate_per_s, 0.2, 10, "requêtes par seconde"),
        (duration_s, 2, 120, "s"),
    )
    try:
        if isinstance(limits, str) or not limits or len(set(limits)) < len(limits):
            raise ValueError
        cores = {limit: None if limit == NO_LIMIT else float(parse(limit)) for limit in limits}
    except ValueError:
        raise UsageError(
            tried,
            f"les limites demandées sont {limits!r}",
            f"Donnez une liste de limites différentes, comme {', '.join(LIMITS)}.",
        ) from None
    needed = cpu_ms / 1000 * rate_per_s
    low = [limit for limit, value in cores.items() if value is not None and value <= needed]
    if low:
        raise UsageError(
            tried,
            f"ce travail demande {needed:.2g} processeur, plus que {', '.join(low)}",
            "Demandez moins de travail, ou donnez une limite plus haute : sinon la file ne fait que s’allonger.",
        )
    return cores
