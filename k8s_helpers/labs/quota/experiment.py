"""A quota that fills up, and why a LimitRange goes with it (slide 4.04)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, admission
from ...kube.api import ApiStatusError
from ...measure.lane import Lane, resources_of
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import QuotaRun
from .lab import LAB

_SETTLED_S = 30.0
"""How long the controller may take to count under a quota."""


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Fill the slide's quota with pods until one is refused, then measure why a LimitRange goes with it.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        What steps are reported to.
    """
    with LAB.open(cluster, progress, live=False) as measure:
        with _under_quota(measure, QuotaRun.FILL, "Quota") as lane:
            for number in range(1, 6):
                lane.step(f"pod n° {number}")
                _create(lane, "pod-du-quota.yaml", f"pod-{number}")
        with _under_quota(measure, QuotaRun.NO_REQUESTS, "Pod qui ne demande rien") as lane:
            _create(lane, "pod-sans-ressources.yaml", "muet")
        with _under_quota(measure, QuotaRun.LIMIT_RANGE, "LimitRange") as lane:
            lane.apply("limitrange.yaml")
            _settle(lane, lambda: bool(_own(lane, "limitrange.yaml")))
            _create(lane, "pod-sans-ressources.yaml", "muet")
            _create(lane, "pod-trop-grand.yaml", "geant")
        return measure.recording()


@contextmanager
def _under_quota(measure: Measure, name: QuotaRun, title: str) -> Iterator[Lane]:
    """Open a lane whose quota the controller counts under: before that, all is refused or nothing."""
    with measure.lane(name, title) as lane, lane.recorded(events=True):
        (applied,) = lane.apply("quota.yaml")
        lane.parameters |= {"hard": applied["spec"]["hard"], "steps": []}
        quota = applied["metadata"]["name"]
        _settle(
            lane, lambda: "used" in lane.namespace.get("resourcequota", quota).get("status", {})
        )
        admission.wait_quota(measure.cluster.api, lane.namespace.name, _own(lane, "quota.yaml"))
        yield lane


def _settle(lane: Lane, over: Callable[[], bool]) -> None:
    lane.until(over, _SETTLED_S, "que le quota soit compté")


def _own(lane: Lane, manifest: str) -> dict[str, Any]:
    """Return, as it is now, the object of a manifest that was applied."""
    (plain,) = lane.read(manifest)
    return lane.namespace.get(plain["kind"].lower(), plain["metadata"]["name"])


def _create(lane: Lane, manifest: str, name: str) -> None:
    """Create a pod; note the answer, and what of the quota is used after it."""

    def renamed(plain: dict[str, Any]) -> None:
        plain["metadata"]["name"] = name

    lane.mark("apply", name)
    (plain,) = lane.read(manifest)
    step: dict[str, Any] = {
        "pod": name,
        "asked": resources_of(plain["spec"]["containers"][0]),
        "accepted": True,
        "message": "",
    }
    try:
        (pod,) = lane.apply(manifest, renamed)
        step["given"] = resources_of(pod["spec"]["containers"][0])
    except ApiStatusError as error:
        if error.code != 403:
            raise
        step |= {"accepted": False, "message": str(error.status.get("message", error.found))}
    # By name: a class has a quota of its own in each namespace that it gives.
    step["used"] = _own(lane, "quota.yaml")["status"]["used"]
    lane.parameters["steps"] = [*lane.parameters["steps"], step]
