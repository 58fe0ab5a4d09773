"""The slow program goes from v1 to v2 under traffic, with and without a readiness probe, at the same instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from ... import _checks
from ..._interruption import stoppable
from ..._progress import Progress
from ...analysis.probe_log import lines
from ...builds import images
from ...builds.images import SpringImage
from ...cluster import Cluster, Namespace
from ...forecasts.span import Span
from ...measure import slow_program
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from ...measure.traffic.traffic import Traffic
from .forecast import forecast
from .lab import LAB

BEFORE_S = 3.0
AFTER_S = 3.0
FILES: Mapping[str, str] = {
    "no-probe": "maj-sans-readiness.yaml",
    "readiness": "maj-avec-readiness.yaml",
}
"""By name, in the order in which the course shows them."""
_SLOWER = 1.5
"""How much slower than the first version the second may start: other programs run by then."""
_PATIENCE_S = 10.0
"""Of clients: an old pod that answers late, as new ones take the processor for their start, still answers."""
_SLACK_S = 120.0
"""How long an update may take besides the starts of its pods, one after the other."""


@stoppable
def measure(
    variants: Sequence[str] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    replicas: int = 2,
    rate_per_s: float = 12.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Update the slow program from v1 to v2, with and without a readiness probe, and record what clients got.

    Both Deployments are updated at the same instant, each under traffic of its own at the same rate. The first version
    is deployed without its delay: it has run for long. Runs hold what their manifest and the first version's own start
    (`first_start_s`) let foresee (`predicted_errors_s`, `predicted_duration_s`) beside what was measured.

    Parameters
    ----------
    variants : sequence of str
        Among "no-probe", "readiness"; runs come in this order.
    delay_s : float
        What the second version's start takes, 2 to 120 s.
    replicas : int
        Pods of each Deployment, 1 to 5.
    rate_per_s : float
        Requests per second on each, 1 to 100.
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown variant, or a number out of its bounds.
    WaitTimeoutError
        An update that does not come to its end: says what its pods complain of.
    """
    tried = "Mettre à jour le programme lent"
    _checks.names(tried, "variantes", variants, FILES)
    _checks.bounds(
        tried,
        (delay_s, 2, 120, "s de démarrage"),
        (replicas, 1, 5, "réplicas"),
        (rate_per_s, 1, 100, "requêtes par seconde"),
    )
    with LAB.open(cluster, progress, versions=()) as measure:
        measure.report("Préparation des images du programme lent")
        first, second = (
            images.spring(measure.cluster, version, measure.progress) for version in ("v1", "v2")
        )
        parameters = {
            "delay_s": delay_s,
            "replicas": replicas,
            "rate_per_s": rate_per_s,
            **second.parameters(),
        }
        lanes = _Lanes(first, second, len(variants))
        measure.together(
            {
                name: partial(_measure, measure, lanes, {**parameters, "variant": name})
                for name in variants
            }
        )
        return measure.recording()


@dataclass
class _Lanes:
    """What the lanes share: the program's two versions, and where they wait for one another."""

    first: SpringImage
    second: SpringImage
    count: int
    deployed: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)

    def meet(self, lane: Lane, place: set[str]) -> None:
        """Wait until all lanes are at this place."""
        place.add(lane.name)
        lane.until(lambda: len(place) == self.count)


def _measure(measure: Measure, lanes: _Lanes, parameters: Mapping[str, Any]) -> None:
    """Update one variant at the same instant as the others, and wait until clients of all are answered again."""
    name = parameters["variant"]
    with measure.lane(name, f"Mise à jour lente, « {name} »", parameters) as lane:
        lane.step("déploiement de la version 1")
        app = _deploy(lane, lanes.first)
        updated = _foresee(lane, lanes.second)
        longest_s = lane.parameters["delay_s"] + slow_program.STARTS[lanes.second.real].hi_s
        timeout_s = lane.parameters["replicas"] * longest_s + _SLACK_S
        address = lane.ready_address(app, timeout_s)
        lanes.meet(lane, lanes.deployed)
        traffic = Traffic(address, rate_per_s=lane.parameters["rate_per_s"], timeout_s=_PATIENCE_S)
        with lane.recording(traffic):
            lane.step("trafic sur la version 1")
            lane.pause(BEFORE_S)
            lane.step("kubectl apply de la version 2")
            lane.mark("apply")
            lane.namespace.apply(updated)
            lane.wait_rollout(app, timeout_s=timeout_s)
            lane.mark("rolled-out", at_s=lane.mark("complete"))
            lane.wait_answers(timeout_s)
            lanes.meet(lane, lanes.updated)
            lane.pause(AFTER_S)


def _deploy(lane: Lane, image: SpringImage) -> str:
    """Put the first version in place, which has run for long: its start has no delay. Return its name."""
    deployment, service = _manifests(lane, "v1", image, 0.0)
    lane.namespace.apply([deployment, service])
    app: str = deployment["metadata"]["name"]
    lane.wait_rollout(app)
    return app


def _manifests(
    lane: Lane, version: str, image: SpringImage, delay_s: float
) -> list[dict[str, Any]]:
    """Return the Deployment at a version of the program whose start takes that long, and its Service."""
    deployment, service = lane.read(FILES[lane.name])
    deployment["spec"]["replicas"] = lane.parameters["replicas"]
    template = deployment["spec"]["template"]
    template["metadata"]["labels"]["version"] = version
    slow_program.fit(template["spec"]["containers"][0], image.ref, delay_s)
    return [deployment, service]


def _foresee(lane: Lane, image: SpringImage) -> dict[str, Any]:
    """Keep what must happen, and return the Deployment at its second version."""
    delay_s = lane.parameters["delay_s"]
    usual, took_s = slow_program.STARTS[image.real], _first_start_s(lane.namespace)
    start = Span(delay_s + usual.lo_s, delay_s + max(usual.hi_s, _SLOWER * took_s))
    deployment, _ = _manifests(lane, "v2", image, delay_s)
    foreseen = forecast(deployment, start)
    lane.parameters |= {
        "first_start_s": round(took_s, 3),
        "predicted_duration_s": foreseen.duration.to_plain(),
        "predicted_errors_s": foreseen.errors.to_plain(),
    }
    return deployment


def _first_start_s(namespace: Namespace) -> float:
    """Return how long the first version took to start, which has no delay."""
    took_s = [0.0]
    for pod in namespace.list("pods"):
        running = pod["status"]["containerStatuses"][0]["state"]["running"]
        began_s = datetime.fromisoformat(running["startedAt"]).timestamp()
        log = namespace.logs(pod["metadata"]["name"])
        took_s += [
            line["at"] - began_s
            for line in lines(log)
            if line["event"] in ("listening", "delay over")
        ]
    return max(took_s)
