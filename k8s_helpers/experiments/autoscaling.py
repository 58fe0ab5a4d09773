"""The HorizontalPodAutoscaler under load: predicted, then measured, with each decision's figures."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace

from .. import images
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..charts.autoscaling import autoscaling as draw
from ..charts.live import Live
from ..cluster import Cluster, current_cluster
from ..load import Profile, Traffic
from ..recorder import Recorder
from ..recording import Recording, Run
from ..timeline.autoscaling import SETTLING_WINDOWS
from .scaling_stage import PROFILES, ScalingStage, Setting, require_metrics

AFTER_S = 2.0
"""Traffic once the Deployment is back at its minimum."""
ANSWER_TIMEOUT_S = 5.0
"""How long a client waits for an answer."""
BACK_TIMEOUT_S = 90.0
"""Longest wait for the minimum, beyond the stabilisation window."""
PLATEAU_S, LONGEST_PLATEAU_S = 30.0, 160.0
"""How long a step stays up, beyond five windows of the metrics, and at most: see `_profile`."""


@stoppable
def autoscaling(
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
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

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
    setting = Setting(
        _profile(profile, rate_per_s, cluster.provider.autoscaler.metrics_window_s),
        profile if isinstance(profile, str) else "libre",
        target_percent,
        min_replicas,
        max_replicas,
        cpu_ms,
        request_millicores,
        limit_millicores,
        stabilization_s,
    )
    setting.check()
    with reporting(progress) as told, Live() as live, cluster.api.patient():
        require_metrics(cluster, told)
        told.step("Préparation de l’image de la vitrine")
        image = images.ensure(cluster, "vitrine", "v1", told)
        return _recording(cluster, _measure(cluster, setting, image, told, live))


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
    if profile == "step":
        return Profile.step(
            rate_per_s, length_s=min(PLATEAU_S + SETTLING_WINDOWS * window_s, LONGEST_PLATEAU_S)
        )
    return PROFILES[profile](rate_per_s)


def _measure(cluster: Cluster, setting: Setting, image: str, progress: Progress, live: Live) -> Run:
    """Measure one load; its namespace goes whatever happens."""
    with (
        cluster.namespace(f"autoscaling-{secrets.token_hex(2)}") as namespace,
        ExitStack() as measuring,
    ):
        stage = ScalingStage(namespace, setting, progress.step, cluster)
        address = stage.deploy(image)
        progress.step("l’autoscaler attend ses premières mesures")
        stage.start_autoscaler()
        traffic = measuring.enter_context(
            Traffic(address, profile=setting.profile, timeout_s=ANSWER_TIMEOUT_S)
        )
        recorder = measuring.enter_context(
            Recorder(
                cluster,
                namespace,
                setting.name,
                parameters=stage.parameters,
                zero_monotonic_s=traffic.zero_monotonic_s,
                sample=stage.sample,
                events=True,
            )
        )
        stage.record(
            recorder,
            traffic,
            lambda: live.show(lambda: draw(_recording(cluster, recorder.run(traffic.requests)))),
        )
        begin_s, end_s = setting.loaded
        stage.mark("load", at_s=begin_s)
        progress.step(
            f"charge « {setting.name} » jusqu’à {setting.profile.highest_per_s:g} requêtes/s"
        )
        stage.until(lambda: recorder.now_s >= end_s)
        stage.mark("load-end", at_s=end_s)
        progress.step("fin de la charge, l’autoscaler redescend")
        stage.until_back(BACK_TIMEOUT_S + setting.stabilization_s)
        stage.pause(AFTER_S)
        measuring.close()
        progress.step("rangement")
        run = recorder.run(traffic.requests)
        return replace(run, samples=tuple(one for one in run.samples if one.at_s <= run.ended_s))


def _recording(cluster: Cluster, *runs: Run) -> Recording:
    return Recording("autoscaling", cluster.provider.kind, cluster.kubernetes_version, runs)
