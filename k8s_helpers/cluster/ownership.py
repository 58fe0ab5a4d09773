"""The life of the course's own namespaces: made with a label, and only those with it are ever deleted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .. import _process
from .._api import ApiSession, ApiStatusError
from .._errors import ApiRefusedError, WaitTimeoutError
from ..providers import labels
from . import emptying, waiting
from .discovery import Kinds

_unfinished: set[str] = set()
"""Namespaces that this process has failed to delete, or was kept from deleting."""


def create(
    api: ApiSession,
    kinds: Kinds,
    name: str,
    namespace_prefix: str,
    timeout_s: float,
    *,
    passing: bool,
) -> None:
    """Make a namespace, or take over one that the course has made; return once pods can be made in it.

    Parameters
    ----------
    passing : bool
        It ends with this process at the latest: `abandoned` finds it afterwards.

    Raises
    ------
    ApiRefusedError
        It exists and is not the course's, or we may not make any.
    WaitTimeoutError
        An older one of this name does not go away.
    """
    _unfinished.discard(name)
    metadata: dict[str, Any] = {"name": name, "labels": labels.of(namespace_prefix)}
    if passing:
        metadata["annotations"] = {labels.PROCESS: _process.identity()}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            api.request("POST", "/api/v1/namespaces", body=body)
            break
        except ApiStatusError as error:
            if error.code != 409:
                raise
        found = _existing(api, name)
        if found is None:
            continue
        _require_ours(found, namespace_prefix, "Utiliser")
        if "deletionTimestamp" not in found["metadata"]:
            break
        _wait_gone(api, kinds, name, max(0.0, end_s - time.monotonic()))
    # Pods are refused until the namespace has its ServiceAccount.
    account = kinds.find("serviceaccount")
    left_s = max(1.0, end_s - time.monotonic())
    waiting.wait(api, account, name, "default", lambda _: True, "création", left_s)


def delete(
    api: ApiSession,
    kinds: Kinds,
    name: str,
    namespace_prefix: str,
    grace_s: float,
    timeout_s: float,
    *,
    one_api_server: bool,
) -> None:
    """Delete a namespace with all in it, wait until it is gone; nothing happens where there is none.

    Parameters
    ----------
    grace_s : float
        Time that its pods get to stop, whatever their manifests say.
    timeout_s : float
        Longest wait; 0 does not wait at all, and leaves the rest to the namespace controller, which takes 6 s.
    one_api_server : bool
        The namespace may be emptied at once: see `emptying`.

    Raises
    ------
    ApiRefusedError
        It is not the course's.
    WaitTimeoutError
        Says what holds it back.
    """
    _unfinished.add(name)
    found = _existing(api, name)
    if found is None:
        _unfinished.discard(name)
        return
    _require_ours(found, namespace_prefix, "Supprimer")
    path = f"/api/v1/namespaces/{name}"
    if "deletionTimestamp" not in found["metadata"]:
        # The uid, so that a namespace made anew meanwhile by someone else is left alone.
        body = {"preconditions": {"uid": found["metadata"]["uid"]}}
        api.request("DELETE", path, body=body)
    _unfinished.discard(name)  # the cluster will do the rest, whatever becomes of us
    # Whoever empties it afterwards, the namespace controller or we, finds no pod that takes its time.
    with contextlib.suppress(ApiStatusError):
        api.request("DELETE", f"{path}/pods", query={"gracePeriodSeconds": int(grace_s)})
    if timeout_s:
        end_s = time.monotonic() + timeout_s
        if one_api_server:
            emptying.empty(api, name, found["metadata"]["uid"], grace_s, timeout_s)
        _wait_gone(api, kinds, name, max(0.0, end_s - time.monotonic()))


def ours(api: ApiSession, namespace_prefix: str) -> list[dict[str, Any]]:
    """Return the namespaces that the course has made with that prefix."""
    query = {"labelSelector": labels.selector(namespace_prefix)}
    items: list[dict[str, Any]] = api.request("GET", "/api/v1/namespaces", query=query)["items"]
    return items


def abandoned(api: ApiSession, namespace_prefix: str) -> Iterator[str]:
    """Yield the namespaces that nobody will delete any more.

    Their process, of this machine, has ended without it (killed, or restarted), or is this one and was kept from it.
    """
    for found in ours(api, namespace_prefix):
        metadata = found["metadata"]
        maker = metadata.get("annotations", {}).get(labels.PROCESS)
        left = metadata["name"] in _unfinished or (maker and _process.has_ended(maker))
        if maker and left and "deletionTimestamp" not in metadata:
            yield metadata["name"]


def _existing(api: ApiSession, name: str) -> dict[str, Any] | None:
    try:
        return api.request("GET", f"/api/v1/namespaces/{name}")
    except ApiStatusError as error:
        if error.code == 404:
            return None
        raise


def _require_ours(found: Mapping[str, Any], namespace_prefix: str, verb: str) -> None:
    given = found["metadata"].get("labels", {})
    if any(given.get(name) != value for name, value in labels.of(namespace_prefix).items()):
        raise ApiRefusedError(
            f"{verb} l’espace de noms « {found['metadata']['name']} »",
            "il existe, et ce n’est pas vous qui l’avez créé avec le cours",
            "Prenez un autre nom, ou un préfixe à vous (K8S_HELPERS_NAMESPACE_PREFIX).",
        )


def _wait_gone(api: ApiSession, kinds: Kinds, name: str, timeout_s: float) -> None:
    try:
        waiting.wait_deleted(api, kinds.find("namespace"), "", name, timeout_s)
    except WaitTimeoutError as error:
        found = _existing(api, name)
        if found is None:
            return
        blocking = [
            condition["message"]
            for condition in found.get("status", {}).get("conditions", ())
            if condition["status"] == "True"
        ]
        raise WaitTimeoutError(
            error.tried,
            " ; ".join(blocking) or error.found,
            f"« kubectl get all -n {name} » montre ce qui reste ; un finalizer attend souvent "
            "un contrôleur qui ne tourne plus.",
        ) from None
