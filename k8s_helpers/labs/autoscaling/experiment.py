"""The HorizontalPodAutoscaler under load: predicted, then measured, with each decision's figures."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from embedded_kubernetes.quantities import parse

from ..._autoscaler import DOWN_WINDOW_S, KUBERNETES, AutoscalerDelays
from ..._errors import ManifestError, PlatformError, UsageError, WaitTimeoutError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, ServiceAddress, current_cluster
from ...kube.api import ApiStatusError
from ...kube.http import get
from ...kube.waiting import wait_until
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recorder import Reading, Recorder
from ...measure.recording import Recording
from ...measure.traffic import Profile, Traffic
from . import hpa_status
from .codes import LoadMark, LoadShape, Metric
from .forecast import ScalingFacts
from .lab import LAB
from .summary import SETTLING_WINDOWS

NAME = "vitrine"

METRICS_API = "/apis/metrics.k8s.io/v1beta1"
METRICS_TIMEOUT_S = 90.0
KIND_METRICS_TIMEOUT_S = 300.0
"""A kind node that has just been made still downloads and starts its metrics-server, in the background."""
FIRST_MEASURE_TIMEOUT_S = 90.0
QUIET_TIMEOUT_S = 45.0
AFTER_S = 2.0
"""Traffic once the Deployment is back at its minimum."""
ANSWER_TIMEOUT_S = 5.0
"""How long a client waits for an answer."""
BACK_TIMEOUT_S = 90.0
"""Longest wait for the minimum, beyond the stabilisation window."""
PLATEAU_S, LONGEST_PLATEAU_S = 30.0, 160.0
"""How long a step stays up, beyond five windows of the metrics, and at most: see `_profile`."""

LEAST_WORK_MS = 1.0
"""However much it costs to receive a request."""
_COST_RATE_PER_S = 10.0
_COST_S = 3.0
_METRICS_S = 10.0
_POLL_S = 0.5
_NO_REQUEST = "missing request for cpu"

PROFILES: Mapping[str, Callable[[float], Profile]] = {
    LoadShape.STEP: Profile.step,
    LoadShape.RAMP: Profile.ramp,
    LoadShape.PEAK: Profile.peak,
    LoadShape.SAW_TOOTH: Profile.saw_tooth,
}
"""Loads by name, up to a rate in requests per second."""


@stoppable
def measure(
    profile: str | Profile = "step",
    *,
    rate_per_s: float = 20.0,
    target_percent: int = 50,
    min_replicas: int = 1,
    max_replicas: int = 6,
    cpu_ms: float = 17.5,
    request_millicores: int | None = 200,
    limit_millicores: int = 500,
    stabilization_s: int = 15,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Send a load to the app "vitrine" behind a HorizontalPodAutoscaler and record what it decides.

    Each request costs `cpu_ms` of processor in all: what it costs to receive and answer one here is measured first, on
    the only pod, and the work that each asks for is lessened by it. The defaults ask for 3.5 pods at the target, the
    middle of a step: the load may be a seventh more or less without changing the number of pods. They take a third of
    a core in all, so that a machine of two cores keeps up.

    The manifests are those of `notebooks/manifests/12_autoscaling`, with these numbers.

    Parameters
    ----------
    profile : str or Profile
        "step", "ramp", "peak" or "saw-tooth", up to `rate_per_s`; or a load of one's own, at most 180 s long. A step
        stays up for five windows of the cluster's metrics and half a minute: 40 s (embedded), 105 s (kind).
    rate_per_s : float
        Highest rate of a named profile, in requests per second; 1 to 5000.
    target_percent : int
        CPU utilisation aimed at, in percent of the requests.
    min_replicas, max_replicas : int
        Bounds of the autoscaler; at most 20.
    cpu_ms : float
        Processor time that each request takes in all, in milliseconds; 1 to 1000.
    request_millicores : int, optional
        What a pod asks for; None asks for nothing, which the autoscaler cannot work with.
    limit_millicores : int
        What a pod gets at most.
    stabilization_s : int
        `behavior.scaleDown.stabilizationWindowSeconds` (Kubernetes' default is 300).
    cluster
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        What steps are reported to.

    Raises
    ------
    UsageError
        A target of zero, bounds that contradict each other, a profile that nobody knows.
    PlatformError
        The cluster has no metrics API.
    ManifestError
        The autoscaler cannot compute a utilisation, as the pods have no CPU request.
    WaitTimeoutError
        Pods that do not start, metrics that do not come.
    """
    cluster = cluster or current_cluster()
    delays = cluster.provider.autoscaler
    facts = ScalingFacts(
        profile=profile if isinstance(profile, str) else LoadShape.CUSTOM,
        points=_profile(profile, rate_per_s, delays.metrics_window_s).points,
        target_percent=target_percent,
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        cpu_ms=cpu_ms,
        request_millicores=request_millicores,
        limit_millicores=limit_millicores,
        sync_period_s=delays.sync_period_s,
        metrics_window_s=delays.metrics_window_s,
        stabilization_s=stabilization_s,
        shortened=_shortened(delays, stabilization_s),
    )
    facts.check()
    with LAB.open(cluster, progress) as measure:
        _require_metrics(measure)
        with measure.lane(facts.profile, "Autoscaler", facts.to_plain()) as lane:
            address = _deploy(lane, facts)
            lane.step("il attend ses premières mesures")
            _start_autoscaler(lane, facts)
            traffic = Traffic(address, profile=Profile(facts.load), timeout_s=ANSWER_TIMEOUT_S)
            sample = partial(_sample, lane)
            with lane.recording(traffic, events=True, sample=sample) as recorder:
                _load(lane, facts, recorder)
        return measure.recording()


def _profile(profile: str | Profile, rate_per_s: float, window_s: float) -> Profile:
    """Return the load.

    A step stays up long enough for the autoscaler to settle. Measures reach back by a window: the first after a
    scale-up still holds the time when fewer pods bore everything, and may ask for too many; the next ones correct it,
    once the stabilisation window is over.
    """
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES or not 1 <= rate_per_s <= 5000:
        raise UsageError(
            "Choisir une charge",
            f"profil {profile!r}, jusqu’à {rate_per_s!r} requêtes par seconde",
            f"Donnez un profil parmi {', '.join(PROFILES)} et 1 à 5000 requêtes par seconde, ou un Profile à vous.",
        )
    if profile == LoadShape.STEP:
        return Profile.step(
            rate_per_s, length_s=min(PLATEAU_S + SETTLING_WINDOWS * window_s, LONGEST_PLATEAU_S)
        )
    return PROFILES[profile](rate_per_s)


def _shortened(delays: AutoscalerDelays, stabilization_s: int) -> dict[str, list[float]]:
    """Return the delays that are not Kubernetes' own: here, and by default, in seconds."""
    here = {"stabilizationWindowSeconds": stabilization_s, **delays.flags()}
    usual = {"stabilizationWindowSeconds": DOWN_WINDOW_S, **KUBERNETES.flags()}
    return {name: [here[name], usual[name]] for name in here if here[name] != usual[name]}


def _require_metrics(measure: Measure) -> None:
    """Wait until the metrics API answers.

    Raises
    ------
    PlatformError
        It does not: says what is missing and how to get it.
    """
    measure.report("Métriques du cluster")
    cluster = measure.cluster
    on_kind, existing = (cluster.provider.kind == kind for kind in ("kind", "existing"))

    def refusal() -> ApiStatusError | None:
        try:
            cluster.api.request("GET", METRICS_API)
        except ApiStatusError as error:
            return error
        return None

    def decided(refused: ApiStatusError | None) -> bool:
        # In a cluster that is not ours nobody will install it.
        return (
            refused is None or refused.code not in (404, 503) or (refused.code == 404 and existing)
        )

    timeout_s = KIND_METRICS_TIMEOUT_S if on_kind else METRICS_TIMEOUT_S
    refused = wait_until(refusal, timeout_s, done=decided, every_s=_POLL_S)
    if refused is None:
        return
    cure = (
        f"« docker exec {cluster.provider.name}-control-plane cat /kind/metrics-server.log » dit où en est "
        "son installation, que le nœud fait de lui-même ; attendez-la"
        if on_kind
        else "installez metrics-server (https://github.com/kubernetes-sigs/metrics-server)"
    )
    raise PlatformError(
        f"Lire les métriques du cluster « {cluster.provider.kind} » (metrics.k8s.io)",
        f"l’API des métriques ne répond pas ({refused.found})",
        f"Sans elle, « kubectl top » et l’autoscaler n’ont rien à lire : {cure}, ou refaites la mesure sur le "
        'cluster embarqué : connect(provider="embedded").',
    )


def _deploy(lane: Lane, facts: ScalingFacts) -> ServiceAddress:
    """Put one pod and its Service in place, measure what a request costs, and return where the load goes."""
    bare = facts.request_millicores is None

    def resized(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment" and not bare:
            (container,) = plain["spec"]["template"]["spec"]["containers"]
            container["resources"] = {
                "requests": {"cpu": f"{facts.request_millicores}m"},
                "limits": {"cpu": f"{facts.limit_millicores}m"},
            }

    manifest = "sans-requests.yaml" if bare else "deployment.yaml"
    lane.deploy(manifest, "service.yaml", change=resized)
    address = lane.ready_address(NAME)
    lane.step("coût d’une requête")
    # Receiving and answering a request costs too, more on one machine than on another: that much less work is asked
    # for, so that the whole is what the caller wants, and the prediction the same everywhere.
    around_ms = 1000 * _cost_s(lane, address, facts.cpu_ms) - facts.cpu_ms
    work_ms = max(LEAST_WORK_MS, round(facts.cpu_ms - around_ms, 2))
    lane.parameters |= {
        "work_ms": work_ms,
        "cpu_s_per_request": round((work_ms + around_ms) / 1000, 5),
    }
    return _working(address, work_ms)


def _working(address: ServiceAddress, work_ms: float) -> ServiceAddress:
    """Return the address of a page that burns that much processor time."""
    return address.at(f"cpu?ms={work_ms:g}")


def _cost_s(lane: Lane, address: ServiceAddress, work_ms: float) -> float:
    """Return the processor seconds of a request, as the only pod counts them itself."""
    before_s = _cpu_s(address)
    with Traffic(
        _working(address, work_ms), rate_per_s=_COST_RATE_PER_S, max_duration_s=_COST_S
    ) as traffic:
        lane.pause(_COST_S + 0.2)
    answered = sum(request.ok for request in traffic.requests)
    if not answered:
        raise WaitTimeoutError(
            "Mesurer ce que coûte une requête",
            f"aucune des {len(traffic.requests)} requêtes n’a eu de réponse",
            "Baissez cpu_ms ou relevez limit_millicores, puis relancez la mesure.",
        )
    return (_cpu_s(address) - before_s) / answered


def _cpu_s(address: ServiceAddress) -> float:
    """Return the processor seconds that the pod behind an address says it has used."""
    text = get(address, "/metrics", timeout_s=_METRICS_S).require().body
    counted = re.search(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)
    assert counted is not None, text
    return float(counted[1])


def _start_autoscaler(lane: Lane, facts: ScalingFacts) -> None:
    """Apply the autoscaler and wait until it knows how little the idle pod uses.

    Raises
    ------
    ManifestError
        The pods have no CPU request.
    WaitTimeoutError
        No measure comes: says the autoscaler's own reason.
    """

    def fitted(plain: dict[str, Any]) -> None:
        spec = plain["spec"]
        spec["minReplicas"], spec["maxReplicas"] = facts.min_replicas, facts.max_replicas
        spec["metrics"][0]["resource"]["target"]["averageUtilization"] = facts.target_percent
        spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] = facts.stabilization_s

    lane.apply("hpa.yaml", fitted)
    patient_until_s = math.inf

    def quiet(hpa: dict[str, Any]) -> bool:
        nonlocal patient_until_s
        if _NO_REQUEST in (complaint := hpa_status.complaint(hpa)):
            raise _without_requests(complaint)
        if (percent := hpa_status.percent(hpa)) is None:
            return False
        patient_until_s = min(patient_until_s, time.monotonic() + QUIET_TIMEOUT_S)
        settled = percent < facts.target_percent / 2 and not hpa_status.too_many(hpa)
        return settled or time.monotonic() > patient_until_s

    wait_until(
        lambda: lane.namespace.get("hpa", NAME),
        FIRST_MEASURE_TIMEOUT_S,
        _unmeasured,
        done=quiet,
        every_s=_POLL_S,
        pause=lane.pause,
    )


def _unmeasured(hpa: dict[str, Any]) -> WaitTimeoutError:
    why = hpa_status.complaint(hpa) or "sans dire pourquoi"
    return WaitTimeoutError(
        "Attendre la première mesure de l’autoscaler",
        f"après {FIRST_MEASURE_TIMEOUT_S:g} s il n’en a pas ({why})",
        "Regardez « kubectl describe hpa » et « kubectl top pods », puis relancez la mesure.",
    )


def _without_requests(complaint: str) -> ManifestError:
    return ManifestError(
        "Laisser l’autoscaler « vitrine » mesurer ses pods",
        f"« kubectl get hpa » montre « <unknown> » : {complaint}",
        "averageUtilization est un pourcentage de ce que le pod demande : donnez resources.requests.cpu à chaque "
        "conteneur du pod (200m, par exemple), puis appliquez de nouveau le Deployment.",
    )


def _load(lane: Lane, facts: ScalingFacts, recorder: Recorder) -> None:
    """Let the load come and go, then wait for the way back; where it does not come, the recording shows it."""
    begin_s, end_s = facts.loaded
    lane.mark(LoadMark.BEGIN, at_s=begin_s)
    lane.step(f"charge « {facts.profile} » jusqu’à {facts.highest_per_s:g} requêtes/s")
    lane.until(lambda: recorder.now_s >= end_s)
    lane.mark(LoadMark.END, at_s=end_s)
    lane.step("fin de la charge, il redescend")
    wait_until(
        lambda: lane.namespace.get("hpa", NAME),
        BACK_TIMEOUT_S + facts.stabilization_s,
        done=lambda hpa: not hpa_status.too_many(hpa),
        every_s=_POLL_S,
        pause=lane.pause,
    )
    lane.pause(AFTER_S)


def _sample(lane: Lane) -> Iterator[Reading]:
    """Read what the autoscaler says of itself, and each pod's use of the processor, in cores."""
    try:
        yield from hpa_status.readings(lane.namespace.get("hpa", NAME))
        path = f"{METRICS_API}/namespaces/{lane.namespace.name}/pods"
        for pod in lane.measure.cluster.api.request("GET", path)["items"]:
            used = sum(parse(container["usage"]["cpu"]) for container in pod["containers"])
            yield Metric.CPU_CORES, round(float(used), 4), pod["metadata"]["name"]
    except ApiStatusError:
        return  # a hole in the samples; the API server's own trouble is an incident
