"""What an object's status says: is it ready, is its rollout over, what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._errors import UsageError

Test = Callable[[dict[str, Any]], bool]


def test_of(until: Test | str) -> Test:
    """Return the test that a condition's name stands for, as in `kubectl wait --for=condition=`.

    Parameters
    ----------
    until : callable or str
        "Ready", "Available", "Complete=False", or "jsonpath"-free tests written as a function. "deleted" is not a
        condition of an object: the wait itself knows it.

    Raises
    ------
    UsageError
        Neither text nor function.
    """
    if callable(until):
        return until
    if not isinstance(until, str) or not until:
        raise UsageError(
            f"Attendre {until!r}",
            "ce n’est ni une condition ni une fonction",
            "Donnez par exemple « Ready », « Available », « deleted », ou lambda objet: … .",
        )
    name, _, value = until.partition("=")
    wanted = (value or "True").lower()
    return lambda item: (condition(item, name) or "").lower() == wanted


def condition(item: Mapping[str, Any], name: str) -> str | None:
    """Return the status of a condition ("True", "False", "Unknown"), or None where the object has none of that name.

    A condition that speaks of an older generation of the object counts as unknown.
    """
    for found in item.get("status", {}).get("conditions", ()):
        if found["type"].lower() == name.lower():
            observed = found.get("observedGeneration") or item["status"].get("observedGeneration")
            if observed is not None and observed < item["metadata"].get("generation", 0):
                return "Unknown"
            return str(found["status"])
    return None


def unschedulable(pod: Mapping[str, Any]) -> str:
    """Return the scheduler's words where it found no node for the pod; "" otherwise."""
    for one in pod.get("status", {}).get("conditions", ()):
        if one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable":
            return str(one.get("message", ""))
    return ""


def ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod is Ready and not on its way out."""
    return condition(pod, "Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def restarted(pod: Mapping[str, Any]) -> bool:
    """Return whether the pod's first container was restarted and is ready again."""
    for status in pod.get("status", {}).get("containerStatuses", ()):
        return bool(status["restartCount"] and status["ready"])
    return False


def rolled_out(item: Mapping[str, Any]) -> bool:
    """Return whether a Deployment, StatefulSet or DaemonSet is wholly at its new version.

    Source: https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
    """
    status, spec = item.get("status", {}), item["spec"]
    if status.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return False
    if item["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(
            status.get("updatedNumberScheduled", 0) == wanted == status.get("numberAvailable", 0)
        )
    wanted = spec.get("replicas", 1)
    if item["kind"] == "StatefulSet":
        at_last = status.get("currentRevision") == status.get("updateRevision")
        return bool(status.get("readyReplicas", 0) == wanted and (at_last or wanted == 0))
    return bool(
        status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def rollout_failed(item: Mapping[str, Any]) -> str | None:
    """Return why a Deployment gave its rollout up (`progressDeadlineSeconds`), or None.

    What it said of an earlier template does not count: the way back begins where the way out has failed.
    """
    if item.get("status", {}).get("observedGeneration", 0) < item["metadata"]["generation"]:
        return None
    for found in item.get("status", {}).get("conditions", ()):
        if found["type"] == "Progressing" and found.get("reason") == "ProgressDeadlineExceeded":
            return str(found.get("message", "ProgressDeadlineExceeded"))
    return None


def describe(item: Mapping[str, Any]) -> str:
    """Say in one French line what state an object is in: what keeps a pod from being ready, how many replicas are."""
    kind = item.get("kind", "")
    status = item.get("status", {})
    if kind == "Pod":
        return _describe_pod(item)
    if "replicas" in item.get("spec", {}) or kind == "DaemonSet":
        wanted = item["spec"].get("replicas", status.get("desiredNumberScheduled", 0))
        ready_now = status.get("readyReplicas", status.get("numberReady", 0))
        updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", 0))
        return f"{ready_now} prêts sur {wanted}, {updated} à la nouvelle version"
    conditions = [f"{found['type']}={found['status']}" for found in status.get("conditions", ())]
    return ", ".join(conditions) or str(status.get("phase") or "aucun état")


def _describe_pod(pod: Mapping[str, Any]) -> str:
    status = pod.get("status", {})
    words = [str(status.get("phase", "Unknown"))]
    if "deletionTimestamp" in pod["metadata"]:
        words.append("en cours d’arrêt")
    for found in status.get("conditions", ()):
        if found["type"] == "PodScheduled" and found["status"] == "False":
            words.append(f"{found.get('reason', '')} : {found.get('message', '')}")
    for container in (
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ):
        state = container.get("state", {})
        stopped = state.get("waiting") or state.get("terminated")
        if stopped and stopped.get("reason") not in (
            None,
            "Completed",
            "PodInitializing",
            "ContainerCreating",
        ):
            words.append(
                f"{container['name']} : {stopped['reason']} {stopped.get('message', '')}".rstrip()
            )
        elif not container.get("ready") and state.get("running"):
            words.append(f"{container['name']} : tourne, mais n’est pas prêt")
        if container.get("restartCount"):
            words.append(f"{container['name']} : {container['restartCount']} redémarrages")
    return " ; ".join(words)
