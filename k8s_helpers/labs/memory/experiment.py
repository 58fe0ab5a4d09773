"""The Java leak of slide 4.01 in two pods of the same limit, until each has died several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from embedded_kubernetes.quantities import parse_bytes

from ... import _checks
from ..._french import count
from ..._interruption import stoppable
from ..._progress import Progress
from ...builds import images
from ...cluster import Cluster
from ...measure.lane import Change, Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from . import forecast
from .codes import LeakMark
from .lab import LAB
from .leak import PERIOD_S, LeakReader
from .words import TITLES

VARIANTS: Mapping[str, str] = {
    "default-heap": "fuite.yaml",
    "large-heap": "fuite-grand-tas.yaml",
}
"""Manifest of each variant, in the order in which the course shows them."""

AFTER_S = 2.0
"""Watched after the last death, so that the next back-off is seen."""
_SLACK_S = 60.0
"""What a slow machine may add to the longest course that is predicted."""


@stoppable
def measure(
    variants: Sequence[str] = tuple(VARIANTS),
    *,
    cluster: Cluster | None = None,
    restarts: int = 4,
    leak_mb_per_s: float = 60.0,
    limit_mib: int = 512,
    progress: Progress | None = None,
) -> Recording:
    """Let a Java program leak in pods with a memory limit, all at once, and record how each dies and comes back.

    The manifests are those of `notebooks/manifests/08_ressources`, with this limit and this rate. Four restarts measure
    the back-offs 0, 10, 20 and 40 s and take about two minutes.

    Parameters
    ----------
    variants : sequence of str
        Among "default-heap" (a quarter of the limit: the JVM gives up) and "large-heap" (twice the limit: the kernel
        kills).
    restarts : int
        How often each is restarted before the measure ends, 0 to 6.
    leak_mb_per_s : float
        What the program keeps each second, in mebibytes; 1 to 200 (10 on the slide).
    limit_mib : int
        The container's limit in mebibytes, 64 to 2048; the large heap is twice as large.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        An unknown variant, or a number out of its bounds.
    WaitTimeoutError
        A pod that does not die as often as it should in time.
    ClusterUnreachableError
        The cluster stopped, or its API server stays away.
    """
    tried = "Mesurer la fuite de mémoire"
    _checks.names(tried, "variantes", variants, VARIANTS)
    _checks.bounds(
        tried,
        (restarts, 0, 6, "redémarrages"),
        (leak_mb_per_s, 1, 200, "Mio/s"),
        (limit_mib, 64, 2048, "Mio de limite"),
    )
    change = fitted(leak_mb_per_s, limit_mib)
    with LAB.open(cluster, progress, app="fuite") as measure:
        measure.together(
            {name: partial(_leak, measure, name, change, restarts) for name in variants}
        )
        return measure.recording()


def _leak(measure: Measure, variant: str, change: Change, restarts: int) -> None:
    """Start one variant and wait until it has died often enough."""
    with measure.lane(variant, TITLES[variant], {"variant": variant, "restarts": restarts}) as lane:
        (pod,) = lane.read(VARIANTS[variant], change)
        lane.parameters |= asked(pod)
        lane.parameters["stand_in"] = images.stands_in("fuite", measure.cluster)
        reader = LeakReader(lane)
        with lane.recording(sample=reader, sample_period_s=PERIOD_S):
            lane.mark(LeakMark.APPLY)
            lane.namespace.apply(pod)
            _await_deaths(lane, reader, restarts)
            lane.pause(AFTER_S)
            for what, words in reader.refusals.items():
                lane.mark(LeakMark.REFUSED, f"{what}: {words}")


def _await_deaths(lane: Lane, reader: LeakReader, restarts: int) -> None:
    deaths = -1

    def over() -> bool:
        nonlocal deaths
        if reader.deaths != deaths:
            deaths = reader.deaths
            lane.share = deaths / (restarts + 1)
            lane.step(f"la mémoire fuit, {count(deaths, 'mort')} pour l’instant")
        return deaths > restarts

    facts = forecast.Leak.of(lane.parameters)
    wish = "que le programme soit mort autant de fois que prévu"
    lane.until(over, facts.last_death(restarts).hi_s + AFTER_S + _SLACK_S, wish)


def fitted(leak_mb_per_s: float, limit_mib: int) -> Change:
    """Return what gives a variant's pod its rate and its limit; the rest stays as the course writes it."""
    numbers = {"LEAK_MB_PER_S": f"{leak_mb_per_s:g}", "JAVA_TOOL_OPTIONS": f"-Xmx{2 * limit_mib}m"}

    def change(pod: dict[str, Any]) -> None:
        (container,) = pod["spec"]["containers"]
        container["resources"] = {
            "requests": {"memory": f"{limit_mib // 2}Mi"},
            "limits": {"memory": f"{limit_mib}Mi"},
        }
        for variable in container["env"]:
            if variable["name"] in numbers:
                variable["value"] = numbers[variable["name"]]

    return change


def asked(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a fitted pod asks for, as the recording keeps it."""
    (container,) = pod["spec"]["containers"]
    env = {variable["name"]: variable.get("value", "") for variable in container["env"]}
    return {
        "limit_bytes": parse_bytes(container["resources"]["limits"]["memory"]),
        "leak_bytes_per_s": float(env["LEAK_MB_PER_S"]) * (1 << 20),
        "java_options": env.get("JAVA_TOOL_OPTIONS", ""),
    }
