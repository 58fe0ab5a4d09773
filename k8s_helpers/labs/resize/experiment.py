"""A running pod gets more processor, in place: the same container answers faster (slide 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_kubernetes.quantities import parse

from ... import _checks
from ..._errors import UsageError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.api import STRATEGIC_PATCH, ApiStatusError
from ...measure.lane import Change, Lane
from ...measure.recorder import Reading
from ...measure.recording import Recording
from .codes import LIMIT, ResizeMark
from .lab import LAB

NAME = "a-agrandir"
TOO_MUCH = "1000"
"""Processors that no node of a course has."""

_TIMEOUT_S = 60.0
_EARNED_S = 1.0


@stoppable
def measure(
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
    cpu_ms : float
        Processor time of each request in milliseconds; 1 to 1,000.
    rate_per_s : float
        Requests per second; 0.2 to 10. Their work must fit into both limits.
    duration_s : float
        Traffic before the change, and after it, in seconds; 3 to 60.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        Limits that are none, equal, or too low for this work; numbers out of their bounds.
    WaitTimeoutError
        The node does not carry the change out.
    """
    cores = _check((before, after), cpu_ms, rate_per_s, duration_s)
    parameters = {"cpu_ms": cpu_ms, "before_cores": cores[0], "after_cores": cores[1]}
    with LAB.open(cluster, progress) as measure:
        with measure.lane("resize", "pod agrandi en place", parameters) as lane:
            lane.apply(f"{NAME}.yaml", _with_resources(cores[0]))
            lane.apply(f"service-{NAME}.yaml")
            lane.wait_pods(1, f"app={NAME}")
            path = f"cpu?ms={cpu_ms:g}"
            with lane.recorded(NAME, rate_per_s, path=path, sample=lambda: _limit(lane)):
                lane.pause(duration_s)
                _enlarge(lane, cores[1])
                lane.pause(duration_s + _EARNED_S)
                _ask_too_much(lane)
        return measure.recording()


def _enlarge(lane: Lane, cores: float) -> None:
    first = _container(lane)
    lane.step(f"kubectl patch pod {NAME} --subresource resize")
    lane.mark(ResizeMark.ASKED, f"{cores:g}")
    _patch(lane, _resources(cores))
    # The node tells quantities in its own words ("1" for "1000m"): compared as numbers.
    lane.until(lambda: _limit_cores(lane) == cores, _TIMEOUT_S, "le nouveau réglage du conteneur")
    lane.mark(ResizeMark.DONE)
    last = _container(lane)
    lane.parameters |= {
        "same_container": first["containerID"] == last["containerID"],
        "restarts": last["restartCount"],
    }


def _ask_too_much(lane: Lane) -> None:
    """Ask for more than the node has, and note what is said to it.

    The API server refuses it by itself where it looks at the node's size; elsewhere the node says "Infeasible".
    """
    what = f"cpu={TOO_MUCH}"
    try:
        _patch(lane, {kind: {"cpu": TOO_MUCH} for kind in ("requests", "limits")})
    except ApiStatusError as error:
        lane.refused(NAME, what, error)
    else:
        condition: dict[str, Any] = {}

        def answered() -> bool:
            condition.update(_pending(lane))
            return bool(condition) or _limit_cores(lane) == float(TOO_MUCH)

        lane.until(answered, _TIMEOUT_S, "l’avis du nœud sur une demande impossible")
        answer, message = condition.get("reason", "resized"), condition.get("message", "")
        lane.attempt(NAME, what, not condition, answer, message)
    lane.parameters["limit_after_refusal_cores"] = _limit_cores(lane)


def _patch(lane: Lane, resources: Mapping[str, Any]) -> None:
    path = f"{lane.namespace.path('pod', NAME)}/resize"
    body = {"spec": {"containers": [{"name": "vitrine", "resources": resources}]}}
    lane.measure.cluster.api.request("PATCH", path, body=body, content_type=STRATEGIC_PATCH)


def _resources(cores: float) -> dict[str, Any]:
    millicores = round(1000 * cores)
    return {"requests": {"cpu": f"{millicores // 2}m"}, "limits": {"cpu": f"{millicores}m"}}


def _with_resources(cores: float) -> Change:
    def change(plain: dict[str, Any]) -> None:
        plain["spec"]["containers"][0]["resources"] = _resources(cores)

    return change


def _container(lane: Lane) -> Mapping[str, Any]:
    (status,) = lane.namespace.get("pod", NAME)["status"]["containerStatuses"]
    return dict(status)


def _limit_cores(lane: Lane) -> float | None:
    """Return the limit that the container runs with, as the node tells it."""
    limits = (_container(lane).get("resources") or {}).get("limits") or {}
    return float(parse(limits["cpu"])) if "cpu" in limits else None


def _limit(lane: Lane) -> list[Reading]:
    cores = _limit_cores(lane)
    return [] if cores is None else [(LIMIT, cores, NAME)]


def _pending(lane: Lane) -> dict[str, Any]:
    """Return the condition with which the node puts a resize off, empty where it does not."""
    conditions = lane.namespace.get("pod", NAME)["status"].get("conditions") or ()
    pending = [dict(item) for item in conditions if item["type"] == "PodResizePending"]
    return next(iter(pending), {})


def _check(
    limits: tuple[str, str], cpu_ms: float, rate_per_s: float, duration_s: float
) -> tuple[float, float]:
    tried = "Agrandir un pod en place"
    _checks.bounds(
        tried,
        (cpu_ms, 1, 1000, "ms de processeur"),
        (rate_per_s, 0.2, 10, "requêtes par seconde"),
        (duration_s, 3, 60, "s"),
    )
    try:
        before, after = (float(parse(limit)) for limit in limits)
    except ValueError:
        before = after = 0.0
    if before == after or min(before, after) <= cpu_ms / 1000 * rate_per_s:
        raise UsageError(
            tried,
            f"de {limits[0]!r} à {limits[1]!r}, pour {cpu_ms / 1000 * rate_per_s:.2g} processeur de travail",
            "Donnez deux limites différentes (« 200m », « 1 »), toutes deux plus hautes que ce travail.",
        )
    return before, after
