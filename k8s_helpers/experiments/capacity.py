"""How many requests one pod of the app serves on this machine: more and more of them, until it cannot keep up."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from .. import _paths, images, manifests
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..cluster import Cluster, Namespace, ServiceAddress, current_cluster
from ..load import Traffic
from ..recorder import Recorder
from ..recording import Recording, Run
from ..timeline.capacity import capacity_step
from .stage import Stage

MANIFESTS = _paths.COURSE / "notebooks" / "manifests" / "14_pertinence"
SERVICE = "vitrine"
RATES_PER_S = (50.0, 100.0, 200.0, 400.0, 800.0)
TIMEOUT_S = 2.0
REST_S = 1.0
"""Between two steps, so that the requests of one do not wait in the next."""


@stoppable
def capacity(
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
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    step_s : float
        How long each step lasts, in seconds; 1 to 60.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

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
    cluster = cluster or current_cluster()
    runs: list[Run] = []
    with (
        reporting(progress) as told,
        cluster.namespace(f"capacite-{secrets.token_hex(2)}") as namespace,
    ):
        told.step("Préparation de l’image de la vitrine")
        stage = Stage(namespace, told.step)
        address = _deploy(stage, images.ensure(cluster, "vitrine", "v1", told))
        for rate in rates:
            told.step(f"{rate:g} requêtes par seconde", len(runs) / len(rates))
            runs.append(_measure(cluster, namespace, address, rate, step_s))
            if not capacity_step(runs[-1]).kept_up:
                break
            stage.pause(REST_S)
        told.step("Rangement")
    return Recording("capacity", cluster.provider.kind, cluster.kubernetes_version, tuple(runs))


def _deploy(stage: Stage, image: str) -> ServiceAddress:
    for manifest in manifests.read(MANIFESTS / "deployment.yaml"):
        (container,) = manifest.object["spec"]["template"]["spec"]["containers"]
        container["image"] = image
        stage.namespace.apply(manifest.object)
    stage.namespace.apply(MANIFESTS / "service.yaml")
    stage.wait_rollout("vitrine")
    return stage.ready_address(SERVICE)


def _measure(
    cluster: Cluster, namespace: Namespace, address: ServiceAddress, rate: float, step_s: float
) -> Run:
    name = f"{rate:g}"
    parameters = {"rate_per_s": rate, "step_s": step_s, "replicas": 1}
    with Traffic(address, rate_per_s=rate, timeout_s=TIMEOUT_S, max_duration_s=step_s) as traffic:
        recorder = Recorder(
            cluster,
            namespace,
            name,
            parameters=parameters,
            zero_monotonic_s=traffic.zero_monotonic_s,
        )
        with recorder:
            stage = Stage(namespace, lambda text: None)
            stage.record(recorder, traffic)
            stage.pause(step_s)
    return recorder.run(traffic.requests)
