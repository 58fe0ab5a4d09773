"""Metrics collected as Prometheus does: each pod's counters, read again and again, and what rates they give."""

from __future__ import annotations

from collections.abc import Iterator

from ..._checks import bounds
from ..._errors import K8sHelpersError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import APP, Lane
from ...measure.recorder import Reading
from ...measure.recording import Recording
from .lab import LAB

COUNTER = "vitrine_requests_total"
PERIOD_S = 1.0
"""Between two collections; Prometheus' own default is a minute."""
_PORT = 8080
_SCRAPE_S = 2.0


@stoppable
def measure(
    *,
    cluster: Cluster | None = None,
    rate_per_s: float = 20.0,
    half_s: float = 6.0,
    progress: Progress | None = None,
) -> Recording:
    """Read `/metrics` of each pod every second under a steady traffic, and delete one of the pods in the middle.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    rate_per_s : float
        Requests per second, 1 to 200.
    half_s : float
        Before and after the deletion, in seconds; 4 to 60.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        The pods do not get ready.

    Source: https://prometheus.io/docs/concepts/metric_types/#counter
    """
    tried = "Relever des métriques"
    bounds(tried, (rate_per_s, 1, 200, "requêtes/s"), (half_s, 4, 60, "secondes"))
    with LAB.open(cluster, progress, live=False) as measure:
        with measure.lane("releve", "Métriques") as lane:
            lane.deploy("vitrine.yaml")
            with lane.recorded(
                APP, rate_per_s, sample=lambda: _scrape(lane), sample_period_s=PERIOD_S
            ):
                lane.step("relevé des métriques")
                lane.pause(half_s)
                gone = lane.pods()[0]["metadata"]["name"]
                lane.step(f"suppression du pod « {gone} »")
                lane.mark("delete", gone)
                lane.namespace.delete_object("pod", gone, grace_s=0)
                lane.pause(half_s)
        return measure.recording()


def _scrape(lane: Lane) -> Iterator[Reading]:
    """Ask each pod for its metrics; one that does not answer has none this time, as for Prometheus."""
    cluster, namespace = lane.measure.cluster, lane.namespace.name
    for pod in lane.pods():
        name = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{namespace}/pods/{name}:{_PORT}/proxy/metrics"
        try:
            text = cluster.api.text(path, timeout_s=_SCRAPE_S)
        except K8sHelpersError:
            continue
        yield (COUNTER, total(text, COUNTER), name)


def total(text: str, counter: str) -> float:
    """Return the sum of a counter over all its labels, in Prometheus' text format.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
    """
    from prometheus_client.parser import text_string_to_metric_families

    families = text_string_to_metric_families(text)
    samples = (sample for family in families for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == counter)
