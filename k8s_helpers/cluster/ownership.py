"""The life of the course's own namespaces: made with a label, and only those with it are ever deleted."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from embedded_kubernetes import processes

from .._errors import ApiRefusedError, WaitTimeoutError
from ..kube.api import MERGE_PATCH, ApiSession, ApiStatusError
from ..kube.discovery import Kind, Kinds, in_namespaces
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from ..providers.base import USER, namespace_labels, namespace_selector
from . import conditions

if TYPE_CHECKING:
    from ..providers.pool.pool import Pool


_POLL_S = 0.1
_CONTROLLER_S = 4.5
"""How long after a deletion the controller is certainly not at work yet."""
_AGAIN_S = 2.0
"""How often what is still there is told to go once more: it may have been refused because of what went first."""

PROCESS = "k8s-helpers/process"
"""Annotation of a namespace that goes with the process that made it: which one that is (`processes.identity`)."""

_unfinished: set[str] = set()
"""Namespaces that this process has failed to delete, or was kept from deleting."""


@dataclass(frozen=True)
class NamespaceUse:
    """What a namespace of the student's is used for.

    Attributes
    ----------
    name : str
        Its real name.
    asked : str
        The name that was asked for; "" where it is free.
    since : str
        Since when, as the API writes instants; "" where it is free.
    holder : str
        In a class, who took it: machine and process id.
    passing : bool
        It ends with the process that took it.
    stuck : str
        In French, what did not go when it was last emptied.
    """

    name: str
    asked: str = ""
    since: str = ""
    holder: str = ""
    passing: bool = False
    stuck: str = ""


class Supply(Protocol):
    """Where the namespaces of the course come from: made by their names, or given by a class (`PoolSupply`)."""

    def find(self, asked: str) -> str | None:
        """Return the real name of what was asked for under a name; None where only `take` will tell."""

    def take(self, asked: str, timeout_s: float, *, passing: bool) -> str:
        """Make a namespace, or take one over, ready for pods; return its real name."""

    def give_back(self, asked: str, grace_s: float, timeout_s: float) -> None:
        """Take all that is in it away, and the namespace with it where it is ours to delete."""

    def metadata(self, asked: str) -> dict[str, Any] | None:
        """Return `name`, `annotations` and `creationTimestamp` of one that is there; None where there is none."""

    def annotate(self, asked: str, annotations: Mapping[str, str]) -> None:
        """Note something of one that is there, until it is given back."""

    def uses(self) -> list[NamespaceUse]:
        """Return those that are there; in a class, those that are free too."""

    def abandoned(self) -> Mapping[str, Callable[[], None]]:
        """Return, by real name, those that nobody will give back any more, each with what does without waiting."""


class PrefixSupply:
    """Namespaces that the course makes and deletes: a prefix, then the name that is asked for.

    Parameters
    ----------
    api, kinds
        Of the cluster.
    prefix : str
        Ours on a shared cluster.
    one_api_server : bool
        See `delete`.
    user : str
        As whom the cluster knows us; "" where nobody else is there.
    """

    def __init__(
        self, api: ApiSession, kinds: Kinds, prefix: str, *, one_api_server: bool, user: str = ""
    ) -> None:
        self._user = user
        self._api = api
        self._kinds = kinds
        self._prefix = prefix
        self._one_api_server = one_api_server

    def find(self, asked: str) -> str:
        """Return the real name."""
        return f"{self._prefix}{asked}"

    def take(self, asked: str, timeout_s: float, *, passing: bool) -> str:
        """Make it, or take it over; see `create`."""
        name = self.find(asked)
        create(
            self._api,
            self._kinds,
            name,
            self._prefix,
            timeout_s,
            passing=passing,
            user=self._user,
        )
        return name

    def give_back(self, asked: str, grace_s: float, timeout_s: float) -> None:
        """Delete it; see `delete`."""
        self._delete(self.find(asked), grace_s, timeout_s)

    def _delete(self, name: str, grace_s: float, timeout_s: float) -> None:
        delete(
            self._api,
            self._kinds,
            name,
            self._prefix,
            grace_s,
            timeout_s,
            one_api_server=self._one_api_server,
        )

    def metadata(self, asked: str) -> dict[str, Any] | None:
        """Return its own; None where it is not there, or on its way out."""
        there = self._api.find(f"/api/v1/namespaces/{self.find(asked)}")
        if there is None or "deletionTimestamp" in there["metadata"]:
            return None
        metadata: dict[str, Any] = there["metadata"]
        return {"annotations": {}, **metadata}

    def annotate(self, asked: str, annotations: Mapping[str, str]) -> None:
        """Write annotations of its own."""
        self._api.request(
            "PATCH",
            f"/api/v1/namespaces/{self.find(asked)}",
            body={"metadata": {"annotations": dict(annotations)}},
            content_type=MERGE_PATCH,
        )

    def uses(self) -> list[NamespaceUse]:
        """Return those that the course has made with our prefix."""
        return [
            NamespaceUse(
                metadata["name"],
                metadata["name"].removeprefix(self._prefix),
                metadata["creationTimestamp"],
                passing=PROCESS in metadata.get("annotations", {}),
            )
            for metadata in (item["metadata"] for item in ours(self._api, self._prefix))
        ]

    def abandoned(self) -> dict[str, Callable[[], None]]:
        """Return those whose process has ended without deleting them; see `abandoned`."""
        return {
            name: functools.partial(self._delete, name, 1.0, 0.0)
            for name in abandoned(self._api, self._prefix)
        }


class PoolSupply:
    """Namespaces that a class gives: see `Pool`.

    Parameters
    ----------
    pool : Pool
        The student's.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def find(self, asked: str) -> str | None:
        """Return the one that holds the name."""
        holding = self._pool.find(asked)
        return None if holding is None else holding.namespace

    def take(self, asked: str, timeout_s: float, *, passing: bool) -> str:
        """Take a free one, emptied."""
        return self._pool.take(asked, timeout_s, passing=passing)

    def give_back(self, asked: str, grace_s: float, timeout_s: float) -> None:
        """Empty it and give it back."""
        self._pool.give_back(asked, grace_s, timeout_s)

    def metadata(self, asked: str) -> dict[str, Any] | None:
        """Return what its Lease keeps."""
        return self._pool.metadata(asked)

    def annotate(self, asked: str, annotations: Mapping[str, str]) -> None:
        """Write annotations of its Lease: the namespace itself is not the student's to change."""
        self._pool.annotate(asked, annotations)

    def uses(self) -> list[NamespaceUse]:
        """Return what each is used for."""
        return [
            NamespaceUse(item.namespace, stuck=item.stuck)
            if item.free
            else NamespaceUse(
                item.namespace,
                item.asked,
                item.acquired,
                item.holder,
                passing=not item.lasting,
                stuck=item.stuck,
            )
            for item in self._pool.holdings()
        ]

    def abandoned(self) -> dict[str, Callable[[], None]]:
        """Return those whose holder has ended, and those that this process was kept from giving back."""
        return {
            holding.namespace: functools.partial(self._pool.release, holding, 1.0, 0.0)
            for holding in self._pool.abandoned()
        }


def create(
    api: ApiSession,
    kinds: Kinds,
    name: str,
    namespace_prefix: str,
    timeout_s: float,
    *,
    passing: bool,
    user: str = "",
) -> None:
    """Make a namespace, or take over one that the course has made; return once pods can be made in it.

    Parameters
    ----------
    passing : bool
        It ends with this process at the latest: `abandoned` finds it afterwards.
    user : str
        As whom the cluster knows us, for others who try the same prefix.

    Raises
    ------
    ApiRefusedError
        It exists and is not the course's, or we may not make any.
    WaitTimeoutError
        An older one of this name does not go away.
    """
    _unfinished.discard(name)
    metadata: dict[str, Any] = {"name": name, "labels": namespace_labels(namespace_prefix)}
    annotations = {PROCESS: processes.identity()} if passing else {}
    metadata["annotations"] = annotations | ({USER: user} if user else {})
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    end_s = time.monotonic() + timeout_s
    while True:
        with ignoring(409):
            api.request("POST", "/api/v1/namespaces", body=body)
            break
        found = api.find(f"/api/v1/namespaces/{name}")
        if found is None:
            continue
        _require_ours(found, namespace_prefix, "Utiliser")
        if "deletionTimestamp" not in found["metadata"]:
            break
        _wait_gone(api, kinds, name, max(0.0, end_s - time.monotonic()))
    # Pods are refused until the namespace has its ServiceAccount.
    account = kinds.find("serviceaccount")
    left_s = max(1.0, end_s - time.monotonic())
    conditions.wait(api, account, name, "default", lambda _: True, "création", left_s)


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
        The namespace may be emptied at once: see `empty`.

    Raises
    ------
    ApiRefusedError
        It is not the course's.
    WaitTimeoutError
        Says what holds it back.
    """
    _unfinished.add(name)
    found = api.find(f"/api/v1/namespaces/{name}")
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
            empty(api, name, found["metadata"]["uid"], grace_s, timeout_s)
        _wait_gone(api, kinds, name, max(0.0, end_s - time.monotonic()))


def ours(api: ApiSession, namespace_prefix: str) -> list[dict[str, Any]]:
    """Return the namespaces that the course has made with that prefix."""
    query = {"labelSelector": namespace_selector(namespace_prefix)}
    items: list[dict[str, Any]] = api.request("GET", "/api/v1/namespaces", query=query)["items"]
    return items


def abandoned(api: ApiSession, namespace_prefix: str) -> Iterator[str]:
    """Yield the namespaces that nobody will delete any more.

    Their process, of this machine, has ended without it (killed, or restarted), or is this one and was kept from it.
    """
    for found in ours(api, namespace_prefix):
        metadata = found["metadata"]
        maker = metadata.get("annotations", {}).get(PROCESS)
        left = metadata["name"] in _unfinished or (maker and processes.has_ended(maker))
        if maker and left and "deletionTimestamp" not in metadata:
            yield metadata["name"]


def _require_ours(found: Mapping[str, Any], namespace_prefix: str, verb: str) -> None:
    given = found["metadata"].get("labels", {})
    if any(given.get(name) != value for name, value in namespace_labels(namespace_prefix).items()):
        raise ApiRefusedError(
            f"{verb} l’espace de noms « {found['metadata']['name']} »",
            "il existe, et ce n’est pas vous qui l’avez créé avec le cours",
            "Prenez un autre nom, ou un préfixe à vous (K8S_HELPERS_NAMESPACE_PREFIX).",
        )


def _wait_gone(api: ApiSession, kinds: Kinds, name: str, timeout_s: float) -> None:
    try:
        conditions.wait_deleted(api, kinds.find("namespace"), "", name, timeout_s)
    except WaitTimeoutError as error:
        found = api.find(f"/api/v1/namespaces/{name}")
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


def empty(api: ApiSession, name: str, uid: str, grace_s: float, timeout_s: float) -> None:
    """Delete all that a terminating namespace holds, then let it go; what takes too long is left to the controller.

    As the cluster's namespace controller does it, without its 5 s of patience before. It waits
    (`namespaceDeletionGracePeriod`) because another API server may not know yet that the namespace ends, and still take
    objects. Where there is one API server only, it can be asked: as soon as it refuses new objects, it will go on
    refusing, and what is deleted then stays deleted.

    Once its patience is over the controller deletes too, by the namespace's name alone: a namespace that we let go
    while it is at work, and that is made anew at once, would lose what the new one holds. From then on all is left to
    it.

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

    Source: https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/namespace_controller.go
    """
    if not wait_until(lambda: _refuses(api, name), timeout_s, every_s=_POLL_S):
        return
    left: Sequence[Kind] = in_namespaces(api, {"list", "deletecollection"})
    due_s = 0.0

    def emptied() -> bool:
        nonlocal left, due_s
        left = [kind for kind in left if _some(api, kind, name)]
        if left and time.monotonic() >= due_s:
            due_s = time.monotonic() + _AGAIN_S
            for kind in left:
                if not _ends(api, name, uid):
                    return True
                _delete(api, kind, name, grace_s)
        return not left

    wait_until(emptied, timeout_s, every_s=_POLL_S)
    if not left:
        _finalize(api, name, uid)


def _ends(api: ApiSession, name: str, uid: str) -> bool:
    """Return whether the namespace of that name is still that one, on its way out, and ours alone to empty."""
    found = api.find(f"/api/v1/namespaces/{name}")
    return found is not None and _may_be_emptied(found, uid)


def _may_be_emptied(namespace: Mapping[str, Any], uid: str) -> bool:
    """Return whether a namespace is that one, on its way out, and not yet under the controller's hands."""
    metadata = namespace["metadata"]
    if metadata["uid"] != uid or "deletionTimestamp" not in metadata:
        return False
    deleted_wall_s = datetime.fromisoformat(metadata["deletionTimestamp"]).timestamp()
    return time.time() - deleted_wall_s < _CONTROLLER_S


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
    with ignoring(404):  # a custom kind that went meanwhile
        return bool(api.request("GET", kind.path(name), query={"limit": 1})["items"])
    return False


def _delete(api: ApiSession, kind: Kind, name: str, grace_s: float) -> None:
    seconds = int(grace_s) if kind.plural == "pods" and not kind.group else None
    with ignoring(404, 409):
        api.request("DELETE", kind.path(name), query={"gracePeriodSeconds": seconds})


def _finalize(api: ApiSession, name: str, uid: str) -> None:
    """Take the namespace's own finalizer away, which is there for what has been done."""
    path = f"/api/v1/namespaces/{name}"
    while (found := api.find(path)) is not None and _may_be_emptied(found, uid):
        body = {**found, "spec": {"finalizers": []}}
        with ignoring(404, 409):  # its status has changed meanwhile: asked again
            api.request("PUT", f"{path}/finalize", body=body)
            return
