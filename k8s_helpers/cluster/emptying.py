"""Empty a namespace that ends, as the cluster's namespace controller does, without its 5 s of patience before.

The controller waits (`namespaceDeletionGracePeriod`) because another API server may not know yet that the namespace
ends, and still take objects. Where there is one API server only, it can be asked: as soon as it refuses new objects, it
will go on refusing, and what is deleted then stays deleted.

Source: https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/namespace_controller.go
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .._api import ApiSession, ApiStatusError
from .discovery import Kind, discover

_POLL_S = 0.1
_AGAIN_S = 2.0
"""How often what is still there is told to go once more: it may have been refused because of what went first."""


def empty(api: ApiSession, name: str, uid: str, grace_s: float, timeout_s: float) -> None:
    """Delete all that a terminating namespace holds, then let it go; what takes too long is left to the controller.

    Parameters
    ----------
    api : ApiSession
        Of a cluster with one API server.
    name : str
        The namespace, whose deletion was asked for.
    uid : str
        Its own: another one of that name, made as soon as this one is gone, is left alone.
    grace_s : float
        Time that its pods get to stop.
    timeout_s : float
        Longest work.
    """
    end_s = time.monotonic() + timeout_s
    while not _refuses(api, name):
        if time.monotonic() > end_s:
            return
        time.sleep(_POLL_S)
    left: Sequence[Kind] = _deletable(api)
    told_s = -_AGAIN_S
    while left := [kind for kind in left if _some(api, kind, name)]:
        if time.monotonic() > end_s:
            return
        if time.monotonic() > told_s + _AGAIN_S:
            told_s = time.monotonic()
            for kind in left:
                if not _ends(api, name, uid):
                    return
                _delete(api, kind, name, grace_s)
        time.sleep(_POLL_S)
    _finalize(api, name)


def _ends(api: ApiSession, name: str, uid: str) -> bool:
    """Return whether the namespace of that name is still that one, on its way out."""
    try:
        metadata = api.request("GET", f"/api/v1/namespaces/{name}")["metadata"]
    except ApiStatusError as error:
        if error.code == 404:
            return False
        raise
    return metadata["uid"] == uid and "deletionTimestamp" in metadata


def _deletable(api: ApiSession) -> Sequence[Kind]:
    """Return each kind of object that namespaces hold, once, in its preferred version."""
    found: dict[tuple[str, str], Kind] = {}
    for kind in discover(api):
        if kind.namespaced and {"list", "deletecollection"} <= kind.verbs:
            found.setdefault((kind.group, kind.plural), kind)
    return tuple(found.values())


def _refuses(api: ApiSession, name: str) -> bool:
    """Return whether the API server refuses to make anything in the namespace."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "fin-"}}
    path = f"/api/v1/namespaces/{name}/configmaps"
    try:
        api.request("POST", path, query={"dryRun": "All"}, body=body)
    except ApiStatusError as error:
        causes = (error.status.get("details") or {}).get("causes") or ()
        return error.code == 404 or any(
            cause.get("reason") == "NamespaceTerminating" for cause in causes
        )
    return False


def _some(api: ApiSession, kind: Kind, name: str) -> bool:
    try:
        return bool(api.request("GET", kind.path(name), query={"limit": 1})["items"])
    except ApiStatusError as error:
        if error.code == 404:  # a custom kind that went meanwhile
            return False
        raise


def _delete(api: ApiSession, kind: Kind, name: str, grace_s: float) -> None:
    seconds = int(grace_s) if kind.plural == "pods" and not kind.group else None
    try:
        api.request("DELETE", kind.path(name), query={"gracePeriodSeconds": seconds})
    except ApiStatusError as error:
        if error.code not in (404, 409):
            raise


def _finalize(api: ApiSession, name: str) -> None:
    """Take the namespace's own finalizer away, which is there for what has been done."""
    path = f"/api/v1/namespaces/{name}"
    while True:
        try:
            found: dict[str, Any] = api.request("GET", path)
            if "deletionTimestamp" in found["metadata"]:
                body = {**found, "spec": {"finalizers": []}}
                api.request("PUT", f"{path}/finalize", body=body)
            return
        except ApiStatusError as error:
            if error.code == 404:
                return
            if error.code != 409:  # its status has changed meanwhile
                raise
