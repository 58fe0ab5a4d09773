"""Waits by watch: until an object is as wished, told with what was in the way where it does not come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .._api import ApiSession, ApiStatusError
from .._errors import K8sHelpersError, WaitTimeoutError
from .._french import duration
from .conditions import Test, describe, ready, rolled_out, rollout_failed
from .discovery import Kind
from .sentinel import Sentinel

_WARNINGS = 3


def wait(
    api: ApiSession, kind: Kind, namespace: str, name: str, test: Test, wish: str, timeout_s: float
) -> dict[str, Any]:
    """Return the object once the test holds; one that does not exist yet is waited for.

    Parameters
    ----------
    wish : str
        What is waited for, in words, for the error.

    Raises
    ------
    WaitTimeoutError
        Says the object's last state and its last warnings.
    SpoiledError
        The namespace was deleted meanwhile.
    """
    last: dict[str, Any] | None = None
    query = {"fieldSelector": f"metadata.name={name}"}
    with (
        api.watch(kind.path(namespace), query=query, timeout_s=timeout_s) as watch,
        Sentinel(api, namespace, measuring=False, on_trouble=watch.close) as sentinel,
    ):
        for event in watch:
            last = None if event.type == "DELETED" else event.object
            if last is not None and test(last):
                return last
    sentinel.check()
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
    last = _existing(api, kind, namespace, name)
    if last is None:
        return
    query = {"fieldSelector": f"metadata.name={name}"}
    version = last["metadata"]["resourceVersion"]
    with api.watch(
        kind.path(namespace), query=query, resource_version=version, timeout_s=timeout_s
    ) as watch:
        if any(event.type == "DELETED" for event in watch):
            return
    last = _existing(
        api, kind, namespace, name
    )  # the watch may have had to begin anew, after the deletion
    if last is None:
        return
    holders = ", ".join(last["metadata"].get("finalizers", ())) or describe(last)
    raise _late(
        api, kind, namespace, name, "disparition", timeout_s, f"il est encore là ({holders})"
    )


def _existing(api: ApiSession, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
    try:
        return api.request("GET", kind.path(namespace, name))
    except ApiStatusError as error:
        if error.code == 404:
            return None
        raise


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
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = api.request(
            "GET", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": selector}
        )["items"]
    except K8sHelpersError:
        return ""
    lines = []
    for pod in [pod for pod in pods if not ready(pod)][:_WARNINGS]:
        pod_name = pod["metadata"]["name"]
        lines.append(f"pod {pod_name} : {describe({**pod, 'kind': 'Pod'})}")
        lines += _warnings(api, namespace, "Pod", pod_name)[-1:]
    return "".join(f"\n    {line}" for line in lines)
