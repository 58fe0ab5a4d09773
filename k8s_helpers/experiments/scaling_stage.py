"""Where an autoscaler is measured: the app behind it, what a request costs, what the autoscaler says of itself."""

from __future__ import annotations

import copy
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import _paths, manifests
from .._api import ApiStatusError
from .._errors import ManifestError, PlatformError, UsageError, WaitTimeoutError
from .._progress import Progress
from ..cluster import Cluster, Namespace, ServiceAddress
from ..embedded.node import quantities
from ..forecasts.scaling_course import loaded
from ..forecasts.scaling_rules import (
    DEFAULT_DOWN_WINDOW_S,
    Autoscaler,
)
from ..load import Profile, Traffic
from ..providers.base import AutoscalerTimes
from ..recorder import Reading
from . import hpa_status
from .stage import Stage

MANIFESTS = _paths.COURSE / "notebooks" / "manifests" / "12_autoscaling"
NAME = "vitrine"

METRICS_API = "/apis/metrics.k8s.io/v1beta1"
METRICS_TIMEOUT_S = 90.0
KIND_METRICS_TIMEOUT_S = 300.0
"""A kind node that has just been made still downloads and starts its metrics-server, in the background."""
FIRST_MEASURE_TIMEOUT_S = 90.0
QUIET_TIMEOUT_S = 45.0

LEAST_WORK_MS = 1.0
"""However much it costs to receive a request."""
_COST_RATE_PER_S = 10.0
_COST_S = 3.0
_LONGEST_PROFILE_S = 180.0
_NO_REQUEST = "missing request for cpu"

PROFILES: Mapping[str, Callable[[float], Profile]] = {
    "step": Profile.step,
    "ramp": Profile.ramp,
    "peak": Profile.peak,
    "saw-tooth": Profile.saw_tooth,
}
"""Loads by name, up to a rate in requests per second."""


@dataclass(frozen=True)
class Setting:
    """What an autoscaler is measured with; see `experiments.autoscaling`."""

    profile: Profile
    name: str
    target_percent: int
    min_replicas: int
    max_replicas: int
    cpu_ms: float
    request_millicores: int | None
    limit_millicores: int
    stabilization_s: int

    def check(self) -> None:
        """Refuse what makes no sense; raises `UsageError`."""
        Autoscaler(self.target_percent, self.min_replicas, self.max_replicas)
        request = self.request_millicores
        if (
            self.max_replicas <= 20
            and 1 <= self.cpu_ms <= 1000
            and (request is None or 10 <= request <= self.limit_millicores)
            and self.limit_millicores >= 10
            and 0 <= self.stabilization_s <= 120
            and 0 < self.loaded[1] <= _LONGEST_PROFILE_S
        ):
            return
        raise UsageError(
            "Mesurer un autoscaler",
            f"{self.max_replicas} réplicas au plus, {self.cpu_ms:g} ms par requête, {request}m demandés, "
            f"{self.limit_millicores}m au plus, stabilisation de {self.stabilization_s} s, charge de "
            f"{self.loaded[1]:g} s",
            "Donnez au plus 20 réplicas, 1 à 1000 ms par requête, une demande d’au moins 10m qui ne dépasse pas la "
            f"limite, 0 à 120 s de stabilisation, et une charge qui change et finit en {_LONGEST_PROFILE_S:g} s.",
        )

    @property
    def loaded(self) -> tuple[float, float]:
        """When the load begins and ends, in seconds."""
        return loaded(self.profile.points)


def require_metrics(cluster: Cluster, progress: Progress) -> None:
    """Wait until the metrics API answers.

    Raises
    ------
    PlatformError
        It does not: says what is missing and how to get it.
    """
    progress.step("Métriques du cluster")
    on_kind = cluster.provider.kind == "kind"
    end_s = time.monotonic() + (KIND_METRICS_TIMEOUT_S if on_kind else METRICS_TIMEOUT_S)
    found = ""
    while time.monotonic() < end_s:
        try:
            cluster.api.request("GET", f"{METRICS_API}/nodes")
            return
        except ApiStatusError as error:
            found = str(error.found)
            if error.code not in (404, 503):
                break
            # Nobody will install it in a cluster that is not ours.
            if error.code == 404 and cluster.provider.kind == "existing":
                break
        time.sleep(0.5)
    cure = (
        f"« docker exec {cluster.provider.name}-control-plane cat /kind/metrics-server.log » dit où en est "
        "son installation, que le nœud fait de lui-même ; attendez-la"
        if on_kind
        else "installez metrics-server (https://github.com/kubernetes-sigs/metrics-server)"
    )
    raise PlatformError(
        f"Lire les métriques du cluster « {cluster.provider.kind} » (metrics.k8s.io)",
        f"l’API des métriques ne répond pas ({found})",
        f"Sans elle, « kubectl top » et l’autoscaler n’ont rien à lire : {cure}, ou refaites la mesure sur le "
        'cluster embarqué : connect(provider="embedded").',
    )


class ScalingStage(Stage):
    """The app "vitrine" with an autoscaler.

    Parameters
    ----------
    namespace : Namespace
        The run's own.
    setting : Setting
        What is measured.
    step : callable
        Told each step, in French.
    cluster : Cluster
        Whose metrics are read.
    """

    def __init__(
        self,
        namespace: Namespace,
        setting: Setting,
        step: Callable[[str], None],
        cluster: Cluster,
    ) -> None:
        super().__init__(namespace, step)
        self._setting = setting
        self._cluster = cluster

    def deploy(self, image: str) -> ServiceAddress:
        """Put one pod and its Service in place, measure what a request costs, and return where the load goes."""
        self.step("déploiement de la vitrine")
        self.namespace.apply([self._deployment(image), *_objects("service.yaml")])
        self.wait_rollout(NAME)
        plain = self.ready_address(NAME)
        address = replace(plain, url=_work(plain, self._setting.cpu_ms))
        self.step("coût d’une requête")
        self.parameters |= self._parameters(self._cost_s(plain, address))
        return replace(plain, url=_work(plain, self.parameters["work_ms"]))

    def start_autoscaler(self) -> None:
        """Apply the autoscaler and wait until it knows how little the idle pod uses.

        Raises
        ------
        ManifestError
            The pods have no CPU request.
        WaitTimeoutError
            No measure comes: says the autoscaler's own reason.
        """
        self.namespace.apply(self._hpa())
        said = ""
        quiet_s: float | None = None

        def over() -> bool:
            nonlocal said, quiet_s
            hpa = self.namespace.get("hpa", NAME)
            said = hpa_status.complaint(hpa)
            if _NO_REQUEST in said:
                raise _without_requests(said)
            percent = hpa_status.percent(hpa)
            if percent is None:
                return False
            quiet_s = quiet_s or time.monotonic()
            settled = percent < self._setting.target_percent / 2 and not hpa_status.too_many(hpa)
            return settled or time.monotonic() - quiet_s > QUIET_TIMEOUT_S

        end_s = time.monotonic() + FIRST_MEASURE_TIMEOUT_S
        while not over():
            if time.monotonic() > end_s:
                raise WaitTimeoutError(
                    "Attendre la première mesure de l’autoscaler",
                    f"après {FIRST_MEASURE_TIMEOUT_S:g} s il n’en a pas ({said or 'sans dire pourquoi'})",
                    "Regardez « kubectl describe hpa » et « kubectl top pods », puis relancez la mesure.",
                )
            self.pause(0.5)

    def until_back(self, timeout_s: float) -> None:
        """Wait until there are no more pods than `min_replicas`; give up after a while: the recording tells."""
        end_s = time.monotonic() + timeout_s
        due_s = 0.0
        back = False

        def over() -> bool:
            nonlocal due_s, back
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + 0.5
                back = not hpa_status.too_many(self.namespace.get("hpa", NAME))
            return back or time.monotonic() > end_s

        self.until(over)

    def sample(self) -> Iterator[Reading]:
        """Read what the autoscaler says of itself, and each pod's use of the processor, in cores."""
        try:
            hpa = self.namespace.get("hpa", NAME)
            yield from hpa_status.readings(hpa)
            path = f"{METRICS_API}/namespaces/{self.namespace.name}/pods"
            for pod in self._cluster.api.request("GET", path)["items"]:
                used = sum(
                    float(quantities.parse(one["usage"]["cpu"])) for one in pod["containers"]
                )
                yield "cpu_cores", round(used, 4), pod["metadata"]["name"]
        except ApiStatusError:
            return  # a hole in the samples; the API server's own trouble is an incident

    def _deployment(self, image: str) -> dict[str, Any]:
        setting = self._setting
        bare = setting.request_millicores is None
        (found,) = _objects("sans-requests.yaml" if bare else "deployment.yaml")
        (container,) = found["spec"]["template"]["spec"]["containers"]
        container["image"] = image
        if not bare:
            container["resources"] = {
                "requests": {"cpu": f"{setting.request_millicores}m"},
                "limits": {"cpu": f"{setting.limit_millicores}m"},
            }
        return found

    def _hpa(self) -> dict[str, Any]:
        setting = self._setting
        (found,) = _objects("hpa.yaml")
        spec = found["spec"]
        spec["minReplicas"], spec["maxReplicas"] = setting.min_replicas, setting.max_replicas
        spec["metrics"][0]["resource"]["target"]["averageUtilization"] = setting.target_percent
        spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] = setting.stabilization_s
        return found

    def _cost_s(self, plain: ServiceAddress, address: ServiceAddress) -> float:
        """Return the processor seconds of a request, as the only pod counts them itself."""
        before_s = _cpu_s(plain)
        with Traffic(address, rate_per_s=_COST_RATE_PER_S, max_duration_s=_COST_S) as traffic:
            self.pause(_COST_S + 0.2)
        answered = sum(one.ok for one in traffic.requests)
        if not answered:
            raise WaitTimeoutError(
                "Mesurer ce que coûte une requête",
                f"aucune des {len(traffic.requests)} requêtes n’a eu de réponse",
                "Baissez cpu_ms ou relevez limit_millicores, puis relancez la mesure.",
            )
        return (_cpu_s(plain) - before_s) / answered

    def _parameters(self, cost_s: float) -> dict[str, Any]:
        setting, times = self._setting, self._cluster.provider.autoscaler
        # Receiving and answering a request costs too, more on one machine than on another: that much less work is
        # asked for, so that the whole is what the caller wants, and the prediction the same everywhere.
        around_ms = 1000 * cost_s - setting.cpu_ms
        work_ms = max(LEAST_WORK_MS, round(setting.cpu_ms - around_ms, 2))
        return {
            "profile": setting.name,
            "points": [list(point) for point in setting.profile.points],
            "target_percent": setting.target_percent,
            "min_replicas": setting.min_replicas,
            "max_replicas": setting.max_replicas,
            "cpu_ms": setting.cpu_ms,
            "work_ms": work_ms,
            "cpu_s_per_request": round((work_ms + around_ms) / 1000, 5),
            "request_millicores": setting.request_millicores,
            "limit_millicores": setting.limit_millicores,
            "sync_period_s": times.sync_period_s,
            "metrics_window_s": times.metrics_window_s,
            "stabilization_s": setting.stabilization_s,
            "shortened": _shortened(setting, times),
        }


def _work(plain: ServiceAddress, work_ms: float) -> str:
    """Return the URL of a page that burns that much processor time."""
    return f"{plain.url.rstrip('/')}/cpu?ms={work_ms:g}"


def _shortened(setting: Setting, times: AutoscalerTimes) -> dict[str, list[float]]:
    """Return the delays that are not Kubernetes' own: here, and by default, in seconds."""
    usual = AutoscalerTimes()
    pairs = {
        "stabilizationWindowSeconds": (setting.stabilization_s, DEFAULT_DOWN_WINDOW_S),
        "horizontal-pod-autoscaler-sync-period": (times.sync_period_s, usual.sync_period_s),
        "horizontal-pod-autoscaler-cpu-initialization-period": (
            times.cpu_initialization_s,
            usual.cpu_initialization_s,
        ),
        "horizontal-pod-autoscaler-initial-readiness-delay": (
            times.initial_readiness_s,
            usual.initial_readiness_s,
        ),
    }
    return {name: [here, usual] for name, (here, usual) in pairs.items() if here != usual}


def _objects(manifest: str) -> list[dict[str, Any]]:
    return [copy.deepcopy(one.object) for one in manifests.read(MANIFESTS / manifest)]


def _cpu_s(address: ServiceAddress) -> float:
    """Return the processor seconds that the pod behind an address says it has used."""
    request = urllib.request.Request(
        f"{address.url.rstrip('/')}/metrics", headers=dict(address.headers)
    )
    context = None
    if address.ca_file is not None:
        context = ssl.create_default_context(cafile=str(address.ca_file))
        if address.cert_file is not None:
            context.load_cert_chain(address.cert_file, address.key_file)
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        text = answer.read().decode()
    found = re.search(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1])


def _without_requests(said: str) -> ManifestError:
    return ManifestError(
        "Laisser l’autoscaler « vitrine » mesurer ses pods",
        f"« kubectl get hpa » montre « <unknown> » : {said}",
        "averageUtilization est un pourcentage de ce que le pod demande : donnez resources.requests.cpu à chaque "
        "conteneur du pod (200m, par exemple), puis appliquez de nouveau le Deployment.",
    )
