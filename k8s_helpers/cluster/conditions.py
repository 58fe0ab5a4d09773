"""What an object's status says (is it ready, is its rollout over, what is wrong with it), and waits by watch for it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import ImageError, K8sHelpersError, UsageError, WaitTimeoutError
from .._french import duration
from ..kube.api import ApiSession, Watch
from ..kube.classes import label_selector
from ..kube.discovery import Kind
from ..kube.refusals import forbidden
from .sentinel import Sentinel

Test = Callable[[dict[str, Any]], bool]
_WARNINGS = 3
_JOIN_S = 2.0

_NO_PULL = (
    (
        re.compile(r"x509|certificate|server gave HTTP response to HTTPS client"),
        "ne reconnaît pas le certificat du registre",
    ),
    (
        re.compile(
            r"\b401\b|\b403\b|[Uu]nauthorized|[Ff]orbidden|access denied|authorization failed"
        ),
        "se voit refuser l’accès au registre",
    ),
    (
        re.compile(
            r"dial tcp|no such host|connection refused|i/o timeout|deadline exceeded|no route to host|unreachable"
        ),
        "ne peut pas joindre le registre",
    ),
)
"""What a runtime's message says of a registry, in the order in which it is looked for."""

_REGISTRY_ADVICE = (
    "Dites-le à votre enseignant : les nœuds doivent pouvoir y tirer les images du cours (adresse, pare-feu, secret "
    "« imagePullSecrets » du compte « default »)."
)


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
    for item in pod.get("status", {}).get("conditions", ()):
        if item["type"] == "PodScheduled" and item.get("reason") == "Unschedulable":
            return str(item.get("message", ""))
    return ""


def registry_trouble(pod: Mapping[str, Any]) -> str:
    """Return, in French, that a node cannot have a pod's image from its registry; "" where nothing says so.

    Only of an image whose name names its registry, and only what waiting does not mend: no way there, a certificate
    that nodes do not trust, an access that is denied. A tag that does not exist is the manifest's own affair.
    """
    images = {one["name"]: str(one["image"]) for one in pod["spec"]["containers"]}
    for container in pod.get("status", {}).get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting") or {}
        image = images.get(container["name"], "")
        host = _registry(image)
        if waiting.get("reason") not in ("ErrImagePull", "ImagePullBackOff") or not host:
            continue
        message = str(waiting.get("message", ""))
        why = next((words for sign, words in _NO_PULL if sign.search(message)), None)
        if why is not None:
            node = pod["spec"].get("nodeName", "")
            return f"le nœud « {node} » {why} « {host} » (image {image}) : {message}"
    return ""


def _registry(image: str) -> str:
    """Return the registry that an image's name says; "" where it says none."""
    host, slash, _ = image.partition("/")
    return host if slash and (":" in host or "." in host) else ""


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


def refused_pods(item: Mapping[str, Any]) -> str:
    """Return, in French and on a line of its own, why the API refuses a Deployment's pods; "" where it does not."""
    for found in item.get("status", {}).get("conditions", ()):
        if found["type"] == "ReplicaFailure" and found["status"] == "True":
            words, advice = forbidden(str(found.get("message", "")))
            return f"\n    Le cluster refuse ses pods : {words}. {advice}"
    return ""


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


class _Pulls:
    """Watches, beside a wait for a workload or a pod, whether the nodes can have its images from their registry.

    Parameters
    ----------
    stop : callable
        Called as soon as they cannot.
    """

    def __init__(self, api: ApiSession, namespace: str, stop: Callable[[], object]) -> None:
        self._api = api
        self._namespace = namespace
        self._stop = stop
        self._trouble = ""
        self._images: set[str] = set()
        self._watch: Watch | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _Pulls:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watch is not None and self._thread is not None:
            self._watch.close()
            self._thread.join(_JOIN_S)

    def follow(self, item: Mapping[str, Any] | None) -> None:
        """Look at what is waited for; at its pods from then on, where their images name a registry."""
        if item is None:
            return
        if item.get("kind") == "Pod":
            self._look(item)
            return
        spec = item.get("spec") or {}
        template = spec.get("template", {}).get("spec", {}).get("containers", ())
        labels = spec.get("selector", {}).get("matchLabels") if template else None
        self._images = {str(one["image"]) for one in template}
        if self._thread is None and labels and any(map(_registry, self._images)):
            path = f"/api/v1/namespaces/{self._namespace}/pods"
            self._watch = self._api.watch(path, query={"labelSelector": label_selector(labels)})
            self._thread = threading.Thread(target=self._follow_pods, args=[self._watch])
            self._thread.daemon = True
            self._thread.start()

    def _follow_pods(self, watch: Watch) -> None:
        with contextlib.suppress(K8sHelpersError):  # the wait itself says that the cluster is away
            for event in watch:
                # A pod of an older template may well fail: the new one is what mends it.
                of_now = {str(one["image"]) for one in event.object["spec"]["containers"]}
                if event.type != "DELETED" and of_now == self._images:
                    self._look(event.object)

    def _look(self, pod: Mapping[str, Any]) -> None:
        if trouble := registry_trouble(pod):
            self._trouble = self._trouble or trouble
            self._stop()

    def check(self, tried: str) -> None:
        """Raise `ImageError` where the nodes cannot have an image."""
        if self._trouble:
            raise ImageError(tried, self._trouble, _REGISTRY_ADVICE)


def wait(
    api: ApiSession, kind: Kind, namespace: str, name: str, test: Test, wish: str, timeout_s: float
) -> dict[str, Any]:
    """Return the object once the test holds; one that does not exist yet is waited for.

    Where it does not come, the error tells what was in the way.

    Parameters
    ----------
    wish : str
        What is waited for, in words, for the error.

    Raises
    ------
    WaitTimeoutError
        Says the object's last state and its last warnings.
    ImageError
        The nodes cannot have an image from its registry: said at once.
    SpoiledError
        The namespace was deleted meanwhile.
    """
    last: dict[str, Any] | None = None
    query = {"fieldSelector": f"metadata.name={name}"}
    with (
        api.watch(kind.path(namespace), query=query, timeout_s=timeout_s) as watch,
        Sentinel(api, namespace, measuring=False, on_trouble=watch.close) as sentinel,
        _Pulls(api, namespace, watch.close) as pulls,
    ):
        for event in watch:
            last = None if event.type == "DELETED" else event.object
            if last is not None and test(last):
                return last
            pulls.follow(last)
    sentinel.check()
    pulls.check(f"Attendre {kind.name}/{name} ({wish})")
    found = "il n’existe pas" if last is None else describe(last)
    if sentinel.suspended_s:
        found += (
            f" ; pendant cette attente, la machine a été suspendue {duration(sentinel.suspended_s)}"
        )
    raise _late(api, kind, namespace, name, wish, timeout_s, found)


def wait_deleted(api: ApiSession, kind: Kind, namespace: str, name: str, timeout_s: float) -> None:
    """Return once the object is gone.

    Raises
    ------
    WaitTimeoutError
        Names the finalizers that hold it.
    """
    last = api.find(kind.path(namespace, name))
    if last is None:
        return
    query = {"fieldSelector": f"metadata.name={name}"}
    version = last["metadata"]["resourceVersion"]
    with api.watch(
        kind.path(namespace), query=query, resource_version=version, timeout_s=timeout_s
    ) as watch:
        if any(event.type == "DELETED" for event in watch):
            return
    last = api.find(
        kind.path(namespace, name)
    )  # the watch may have had to begin anew, after the deletion
    if last is None:
        return
    holders = ", ".join(last["metadata"].get("finalizers", ())) or describe(last)
    raise _late(
        api, kind, namespace, name, "disparition", timeout_s, f"il est encore là ({holders})"
    )


def wait_rollout(
    api: ApiSession, kind: Kind, namespace: str, name: str, timeout_s: float
) -> dict[str, Any]:
    """Return the Deployment, StatefulSet or DaemonSet once all its pods are of the new version and available.

    Raises
    ------
    WaitTimeoutError
        Too slow, or given up by the Deployment itself; says what its pods complain of.
    """
    failure: list[str] = []

    def over(item: dict[str, Any]) -> bool:
        failure[:] = [reason] if (reason := rollout_failed(item)) else []
        return bool(failure) or rolled_out(item)

    try:
        last = wait(api, kind, namespace, name, over, "nouvelle version partout", timeout_s)
    except WaitTimeoutError as error:
        error.found += refused_pods(api.find(kind.path(namespace, name)) or {})
        error.found += _pods_in_trouble(api, kind, namespace, name)
        raise
    if failure:
        found = failure[0] + _pods_in_trouble(api, kind, namespace, name)
        raise _late(api, kind, namespace, name, "nouvelle version partout", timeout_s, found)
    return last


def _late(
    api: ApiSession, kind: Kind, namespace: str, name: str, wish: str, timeout_s: float, found: str
) -> WaitTimeoutError:
    warnings = "".join(f"\n    {text}" for text in _warnings(api, namespace, kind.name, name))
    began_wall_s = time.time() - timeout_s
    warnings += "".join(f"\n    Cluster : {text}" for text in api.troubles(began_wall_s))
    return WaitTimeoutError(
        f"Attendre {kind.name}/{name} ({wish}) pendant {timeout_s:.0f} s",
        found + warnings,
        f"« kubectl -n {namespace} describe {kind.name.lower()} {name} » en dit plus."
        if kind.namespaced
        else f"« kubectl describe {kind.name.lower()} {name} » en dit plus.",
    )


def _warnings(api: ApiSession, namespace: str, kind: str, name: str) -> list[str]:
    """Return the last warnings on an object; [] where events cannot be read."""
    selector = f"type=Warning,involvedObject.kind={kind},involvedObject.name={name}"
    try:
        events = api.request(
            "GET", f"/api/v1/namespaces/{namespace}/events", query={"fieldSelector": selector}
        )["items"]
    except K8sHelpersError:
        return []
    events.sort(key=event_time)
    return [f"{event.get('reason')} : {event.get('message')}" for event in events[-_WARNINGS:]]


def event_time(event: Mapping[str, Any]) -> str:
    """Return the last instant of an event, as text that sorts."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )


def _pods_in_trouble(api: ApiSession, kind: Kind, namespace: str, name: str) -> str:
    try:
        owner = api.request("GET", kind.path(namespace, name))
        labels = owner["spec"]["selector"].get("matchLabels", {})
        query = {"labelSelector": label_selector(labels)}
        pods = api.request("GET", f"/api/v1/namespaces/{namespace}/pods", query=query)["items"]
    except K8sHelpersError:
        return ""
    lines = []
    for pod in [pod for pod in pods if not ready(pod)][:_WARNINGS]:
        pod_name = pod["metadata"]["name"]
        lines.append(f"pod {pod_name} : {describe({**pod, 'kind': 'Pod'})}")
        lines += _warnings(api, namespace, "Pod", pod_name)[-1:]
    return "".join(f"\n    {line}" for line in lines)
