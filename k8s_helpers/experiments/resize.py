"""A running pod gets more processor, in place: the same container answers faster (slide 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._api import STRATEGIC_PATCH, ApiStatusError
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.resize import resize as draw
from ..cluster import Cluster
from ..embedded.node.quantities import parse
from ..recorder import Reading
from ..recording import Recording
from .play import Change, Play, Show, opened

NAME = "a-agrandir"
TOO_MUCH = "1000"
"""Processors that no node of a course has."""

_TIMEOUT_S = 60.0
_EARNED_S = 1.0


@stoppable
def resize(
    before: str = "100m",
    after: str = "1",
    *,
    cluster: Cluster | None = None,
    cpu_ms: float = 60.0,
    rate_per_s: float = 1.0,
    duration_s: float = 8.0,
    progress: Progress | None = None,
) -> Recording:
    """Change a pod's processor limit while it works, through the subresource `resize`, and record each answer's time.

    Then it is asked for more than any node has: that is refused, and the pod goes on as it was.

    Parameters
    ----------
    before, after : str
        The container's limit, as a quantity of processors; its request is half of it.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    cpu_ms : float
        Processor time of each request in milliseconds; 1 to 1,000.
    rate_per_s : float
        Requests per second; 0.2 to 10. Their work must fit into both limits.
    duration_s : float
        Traffic before the change, and after it, in seconds; 3 to 60.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        Limits that are none, equal, or too low for this work; numbers out of their bounds.
    WaitTimeoutError
        The node does not carry the change out.
    """
    cores = _check((before, after), cpu_ms, rate_per_s, duration_s)
    told = {"cpu_ms": cpu_ms, "before_cores": cores[0], "after_cores": cores[1]}
    with opened("resize", "12_autoscaling", cluster, progress, draw=draw) as show:
        with show.play("resize", "pod agrandi en place", **told) as play:
            play.apply(f"{NAME}.yaml", _with_resources(cores[0]))
            play.apply(f"service-{NAME}.yaml")
            play.wait_pods(1, f"app={NAME}")
            path = f"cpu?ms={cpu_ms:g}"
            with play.recorded(NAME, rate_per_s, path=path, sample=lambda: _limit(play)):
                play.pause(duration_s)
                _enlarge(show, play, cores[1])
                play.pause(duration_s + _EARNED_S)
                _ask_too_much(show, play)
        return show.recording()


def _enlarge(show: Show, play: Play, cores: float) -> None:
    first = _container(play)
    play.step(f"kubectl patch pod {NAME} --subresource resize")
    play.mark("resize", f"{cores:g}")
    _patch(show, play, _resources(cores))
    # The node tells quantities in its own words ("1" for "1000m"): compared as numbers.
    play.until(lambda: _limit_cores(play) == cores, _TIMEOUT_S, "le nouveau réglage du conteneur")
    play.mark("resized")
    last = _container(play)
    play.parameters |= {
        "same_container": first["containerID"] == last["containerID"],
        "restarts": last["restartCount"],
    }


def _ask_too_much(show: Show, play: Play) -> None:
    """Ask for more than the node has, and note what is said to it.

    The API server refuses it by itself where it looks at the node's size; elsewhere the node says "Infeasible".
    """
    what = f"{TOO_MUCH} processeurs"
    try:
        _patch(show, play, {one: {"cpu": TOO_MUCH} for one in ("requests", "limits")})
    except ApiStatusError as error:
        play.attempt(f"pod {NAME}", what, False, str(error.code), str(error.found))
    else:
        said: dict[str, Any] = {}

        def refused() -> bool:
            said.update(_condition(play))
            return bool(said)

        play.until(refused, _TIMEOUT_S, "l’avis du nœud sur une demande impossible")
        play.attempt(f"pod {NAME}", what, False, said["reason"], said.get("message", ""))
    play.parameters["limit_after_refusal_cores"] = _limit_cores(play)


def _patch(show: Show, play: Play, resources: Mapping[str, Any]) -> None:
    path = f"{play.namespace.path('pod', NAME)}/resize"
    body = {"spec": {"containers": [{"name": "vitrine", "resources": resources}]}}
    show.cluster.api.request("PATCH", path, body=body, content_type=STRATEGIC_PATCH)


def _resources(cores: float) -> dict[str, Any]:
    millicores = round(1000 * cores)
    return {"requests": {"cpu": f"{millicores // 2}m"}, "limits": {"cpu": f"{millicores}m"}}


def _with_resources(cores: float) -> Change:
    def change(plain: dict[str, Any]) -> None:
        plain["spec"]["containers"][0]["resources"] = _resources(cores)

    return change


def _container(play: Play) -> Mapping[str, Any]:
    (found,) = play.namespace.get("pod", NAME)["status"]["containerStatuses"]
    return dict(found)


def _limit_cores(play: Play) -> float | None:
    """Return the limit that the container runs with, as the node tells it."""
    limits = (_container(play).get("resources") or {}).get("limits") or {}
    return float(parse(limits["cpu"])) if "cpu" in limits else None


def _limit(play: Play) -> list[Reading]:
    cores = _limit_cores(play)
    return [] if cores is None else [("limit_cores", cores, NAME)]


def _condition(play: Play) -> dict[str, Any]:
    conditions = play.namespace.get("pod", NAME)["status"].get("conditions") or ()
    return next((dict(one) for one in conditions if one["type"] == "PodResizePending"), {})


def _check(
    limits: tuple[str, str], cpu_ms: float, rate_per_s: float, duration_s: float
) -> tuple[float, float]:
    tried = "Agrandir un pod en place"
    if not (1 <= cpu_ms <= 1000 and 0.2 <= rate_per_s <= 10 and 3 <= duration_s <= 60):
        raise UsageError(
            tried,
            f"{cpu_ms} ms de processeur, {rate_per_s} requêtes par seconde, {duration_s} s",
            "Donnez 1 à 1000 ms, 0,2 à 10 requêtes par seconde et 3 à 60 s.",
        )
    try:
        before, after = (float(parse(one)) for one in limits)
    except ValueError:
        before = after = 0.0
    if before == after or min(before, after) <= cpu_ms / 1000 * rate_per_s:
        raise UsageError(
            tried,
            f"de {limits[0]!r} à {limits[1]!r}, pour {cpu_ms / 1000 * rate_per_s:.2g} processeur de travail",
            "Donnez deux limites différentes (« 200m », « 1 »), toutes deux plus hautes que ce travail.",
        )
    return before, after
