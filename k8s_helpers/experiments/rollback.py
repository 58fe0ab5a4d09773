"""A bad version is rolled out under traffic, each in a namespace of its own; then the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.rollback import rollback as draw
from ..cluster import Cluster, rollouts
from ..recording import Recording
from .play import APP, Play, Show, opened, with_replicas
from .together import together

BEFORE_S = 2.0
AFTER_S = 2.0
VERSIONS = {
    "never-ready": "jamais-prete.yaml",
    "crash": "plante.yaml",
    "no-probe": "sans-sonde.yaml",
}
"""Bad versions, in the order in which the course shows them, and their manifests."""


@stoppable
def rollback(
    versions: Sequence[str] = tuple(VERSIONS),
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    rate_per_s: float = 30.0,
    bad_s: float = 10.0,
    progress: Progress | None = None,
) -> Recording:
    """Roll out a bad version under traffic, then go back to the previous revision as `kubectl rollout undo` does.

    All versions are rolled out at the same time, each in a namespace of its own.

    Parameters
    ----------
    versions : sequence of str
        Among "never-ready" (its readiness probe never succeeds), "crash" (it ends at its start) and "no-probe" (it
        listens on the wrong port and has no probe that would tell); runs come in this order.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of the Deployment, 1 to 10.
    rate_per_s : float
        Requests per second, 1 to 200.
    bad_s : float
        How long the bad version is left alone, in seconds; 2 to 120.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown version, or a number out of its bounds.
    WaitTimeoutError
        The way back does not come to its end.
    """
    _check(versions, replicas, rate_per_s, bad_s)
    folder = "07_manifestes_et_deploiements"
    with opened("rollback", folder, cluster, progress, versions=("v1", "v2"), draw=draw) as show:
        acts = {name: partial(_play, show, name, replicas, rate_per_s, bad_s) for name in versions}
        together(show, acts)
        return show.recording()


def _play(show: Show, name: str, replicas: int, rate_per_s: float, bad_s: float) -> None:
    with show.play(f"retour-{name}", f"retour arrière, {name}", replicas=replicas) as play:
        play.name = name
        play.deploy("version-1.yaml", "service.yaml", change=with_replicas(replicas))
        with play.recorded("vitrine", rate_per_s):
            play.pause(BEFORE_S)
            _roll_out(play, VERSIONS[name], replicas, bad_s)
            _go_back(play)
            play.wait_answers()
            play.pause(AFTER_S)


def _roll_out(play: Play, manifest: str, replicas: int, bad_s: float) -> None:
    play.step("kubectl apply de la mauvaise version")
    play.mark("apply", manifest)
    play.apply(manifest, with_replicas(replicas))
    play.pause(bad_s)


def _go_back(play: Play) -> None:
    play.step("kubectl rollout undo")
    play.parameters["history_before"] = _history(play)
    play.mark("undo")
    rollouts.undo(play.namespace, APP)
    play.wait_rollout(APP)
    play.mark("complete")
    play.parameters["history_after"] = _history(play)


def _history(play: Play) -> list[dict[str, object]]:
    return [asdict(one) for one in rollouts.history(play.namespace, APP)]


def _check(versions: Sequence[str], replicas: int, rate_per_s: float, bad_s: float) -> None:
    if isinstance(versions, str) or not versions or any(one not in VERSIONS for one in versions):
        raise UsageError(
            "Mesurer un retour arrière",
            f"les versions demandées sont {versions!r}",
            f"Donnez une liste de mauvaises versions, parmi : {', '.join(VERSIONS)}.",
        )
    if not (1 <= replicas <= 10 and 1 <= rate_per_s <= 200 and 2 <= bad_s <= 120):
        raise UsageError(
            "Mesurer un retour arrière",
            f"{replicas} réplicas, {rate_per_s} requêtes par seconde, {bad_s} s",
            "Donnez 1 à 10 réplicas, 1 à 200 requêtes par seconde et 2 à 120 s.",
        )
