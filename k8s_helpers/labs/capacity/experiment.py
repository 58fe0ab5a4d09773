"""How many requests one pod of the app serves on this machine: more and more of them, until it cannot keep up."""

from __future__ import annotations

from collections.abc import Sequence

from ..._errors import UsageError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.recording import Recording
from ...measure.traffic.traffic import Traffic
from .lab import LAB
from .summary import capacity_step

SERVICE = "vitrine"
RATES_PER_S = (50.0, 100.0, 200.0, 400.0, 800.0)
TIMEOUT_S = 2.0
REST_S = 1.0
"""Between two steps, so that the requests of one do not wait in the next."""


@stoppable
def measure(
    rates_per_s: Sequence[float] = RATES_PER_S,
    *,
    cluster: Cluster | None = None,
    step_s: float = 3.0,
    progress: Progress | None = None,
) -> Recording:
    """Send more and more requests to one pod of the app, and record which were answered and when.

    It ends with the first rate that the pod cannot keep up with: there is no use in hurting it more. Client and pod
    share this machine's processors; a server of its own would do better.

    Parameters
    ----------
    rates_per_s : sequence of float
        Requests per second of each step, growing; 1 to 2,000.
    cluster
        Otherwise the one that `connect` returned.
    step_s : float
        How long each step lasts, in seconds; 1 to 60.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        Rates that do not grow, or numbers out of their bounds.
    WaitTimeoutError
        The pod never answers.
    """
    rates = list(rates_per_s)
    if (
        not rates
        or rates != sorted(set(rates))
        or not all(1 <= rate <= 2000 for rate in rates)
        or not 1 <= step_s <= 60
    ):
        raise UsageError(
            "Mesurer ce que sert un pod",
            f"débits {rates} requêtes par seconde, paliers de {step_s} s",
            "Donnez des débits croissants entre 1 et 2000, et des paliers de 1 à 60 s.",
        )
    # No live chart: it would take from the pod a share of the processors whose limit is measured.
    with (
        LAB.open(cluster, progress, live=False) as measure,
        measure.lane("capacite", "Capacité d’un pod") as pod,
    ):
        pod.deploy("deployment.yaml", "service.yaml")
        address = pod.ready_address(SERVICE)
        for rate in rates:
            measure.share = len(measure.runs) / len(rates)
            parameters = {"rate_per_s": rate, "step_s": step_s, "replicas": 1}
            name = f"{rate:g}"
            with measure.lane(name, pod.title, parameters, namespace=pod.namespace) as lane:
                lane.step(f"{name} requêtes par seconde")
                traffic = Traffic(
                    address, rate_per_s=rate, timeout_s=TIMEOUT_S, max_duration_s=step_s
                )
                with lane.recording(traffic):
                    lane.pause(step_s)
                if not capacity_step(measure.runs[-1]).kept_up:
                    break
                lane.pause(REST_S)
        return measure.recording()
