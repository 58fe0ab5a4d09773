"""Four ways of going from one version to the next, each measured under traffic in a namespace of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from .. import images
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..charts.live import Live
from ..charts.update import update as draw
from ..charts.words import title
from ..cluster import Cluster, current_cluster
from ..load import Traffic
from ..recorder import Recorder
from ..recording import Recording, Run
from .scene import SERVICE, Scene
from .stage import Background
from .strategies import STRATEGIES, Setting

BEFORE_S = 3.0
"""Traffic before the update."""
AFTER_S = 3.0
"""Traffic once the update is over and clients are answered again."""
_WAITING_PODS = 24
"""Most pods of strategies that wait for their turn; they do nothing, but a node takes 110."""
_TICK_S = 0.05


@stoppable
def update(
    strategies: Sequence[str] = tuple(STRATEGIES),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 50.0,
    startup_s: float = 3.0,
    progress: Progress | None = None,
) -> Recording:
    """Update the app "vitrine" from v1 to v2 under traffic, once a strategy, and record what clients and pods did.

    The manifests are those of `notebooks/manifests/09_mises_a_jour`, with these replicas and this start-up time.

    Parameters
    ----------
    strategies : sequence of str
        Among "rolling-naive", "rolling", "recreate", "blue-green"; runs come in this order.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of each version, 1 to 20.
    rate_per_s : float
        Requests per second, whatever the answers do; 1 to 500.
    startup_s : float
        What the program takes before it listens, in seconds; 0 to 60.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown strategy, or a number out of its bounds.
    WaitTimeoutError
        An update that does not come to its end: says what its pods complain of.
    ClusterUnreachableError
        The cluster stopped, or its API server stays away. Where a component only dies and comes back, the measure
        goes on and its run has the incident.
    """
    _check(strategies, replicas, rate_per_s, startup_s)
    cluster = cluster or current_cluster()
    runs: list[Run] = []
    with reporting(progress) as told, Live() as live:
        told.step("Préparation des images de la vitrine")
        refs = {
            version: images.ensure(cluster, "vitrine", version, told) for version in ("v1", "v2")
        }
        setting = Setting(refs, replicas, rate_per_s, startup_s)
        at_once = max(1, _WAITING_PODS // replicas)
        for first in range(0, len(strategies), at_once):
            group = strategies[first : first + at_once]
            with _deployed(cluster, group, setting, told, len(runs) / len(strategies)) as scenes:
                for scene in scenes:
                    runs.append(_measure(cluster, scene, live, told, len(runs) / len(strategies)))
                    scene.namespace.delete(
                        timeout_s=0
                    )  # gone by the time that the others are measured
    return _recording(cluster, *runs)


@contextmanager
def _deployed(
    cluster: Cluster, names: Sequence[str], setting: Setting, progress: Progress, share: float
) -> Iterator[list[Scene]]:
    """Deploy the first version once a strategy, all at the same time; their namespaces go whatever happens."""
    progress.step(f"Déploiement de la version 1 : {', '.join(map(title, names))}", share)
    with cluster.api.patient(), ExitStack() as namespaces:
        try:
            scenes = []
            for name in names:
                own = cluster.namespace(f"maj-{name}-{secrets.token_hex(2)}")
                scenes.append(Scene(namespaces.enter_context(own), setting, name))
            going = [Background(partial(STRATEGIES[one.strategy].deploy, one)) for one in scenes]
            while going:
                for one in [one for one in going if one.over()]:
                    one.result()
                    going.remove(one)
                time.sleep(_TICK_S)
            yield scenes
        finally:
            progress.step("Rangement", share)


def _measure(cluster: Cluster, scene: Scene, live: Live, progress: Progress, share: float) -> Run:
    """Measure one strategy, whose first version is in place."""

    def step(text: str) -> None:
        progress.step(f"{title(scene.strategy)} : {text}", share)

    scene.step = step
    step("attente des réponses")
    address = scene.ready_address(SERVICE, scene.answer_timeout_s)
    rate_per_s = scene.setting.rate_per_s
    with (
        Traffic(address, rate_per_s=rate_per_s) as traffic,
        Recorder(
            cluster,
            scene.namespace,
            scene.strategy,
            parameters=scene.parameters,
            zero_monotonic_s=traffic.zero_monotonic_s,
        ) as recorder,
    ):
        scene.record(
            recorder,
            traffic,
            lambda: live.show(lambda: draw(_recording(cluster, recorder.run(traffic.requests)))),
        )
        step("trafic sur la version 1")
        scene.pause(BEFORE_S)
        STRATEGIES[scene.strategy].change(scene)
        scene.wait_answers(scene.answer_timeout_s)
        scene.pause(AFTER_S)
    return recorder.run(traffic.requests)


def _recording(cluster: Cluster, *runs: Run) -> Recording:
    return Recording("update", cluster.provider.kind, cluster.kubernetes_version, runs)


def _check(strategies: Sequence[str], replicas: int, rate_per_s: float, startup_s: float) -> None:
    unknown = [name for name in strategies if name not in STRATEGIES]
    if (
        isinstance(strategies, str)
        or unknown
        or not strategies
        or len(set(strategies)) < len(strategies)
    ):
        raise UsageError(
            "Mesurer des mises à jour",
            f"les stratégies demandées sont {strategies!r}",
            f"Donnez une liste de stratégies différentes, parmi : {', '.join(STRATEGIES)}.",
        )
    if not (1 <= replicas <= 20 and 1 <= rate_per_s <= 500 and 0 <= startup_s <= 60):
        raise UsageError(
            "Mesurer des mises à jour",
            f"{replicas} réplicas, {rate_per_s} requêtes par seconde, {startup_s} s de démarrage",
            "Donnez 1 à 20 réplicas, 1 à 500 requêtes par seconde et 0 à 60 s de démarrage.",
        )
